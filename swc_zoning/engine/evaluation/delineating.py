# SPDX-License-Identifier: GPL-2.0-or-later
"""From rasters of classes and rules to patches: four neighbours, areas of whole cells, edges never bent.

Legal areas keep their boundaries: they are taken out of the patches of cells and are patches themselves.
Where parcels are given they take the class of the majority of their cells, so that their edges stay.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import rasterio
import shapely
from numpy.typing import NDArray

from swc_zoning.engine.evaluation import contiguity, holes, majority, outlines, patches, ranked, vectors
from swc_zoning.engine.evaluation.patches import Patches
from swc_zoning.engine.evaluation.rasters import (
    Block,
    Grid,
    Output,
    Stack,
    View,
    compute,
    require_metres,
    stacked,
)
from swc_zoning.engine.evaluation.regions import Regions
from swc_zoning.engine.evaluation.scanning import Scan
from swc_zoning.engine.messages import SwcError

if TYPE_CHECKING:
    from pathlib import Path

    from swc_zoning.engine.evaluation.running import Run

LAYER = patches.LAYER
#: Codes of one byte.
_MOST_CODES = 255
#: A cell that touches an area has its centre within this many cells of it.
_NEAR_CELLS = 1.5


class Codes:
    """Numbers from 1 on of the (class, rule, deciding bits) that are met."""

    def __init__(self) -> None:
        self._known: dict[int, int] = {0: 0}

    def of(self, keys: NDArray[np.int64]) -> NDArray[np.uint8]:
        """Return the code of each key; raises SwcError ``evaluation.combinations`` above one byte."""
        flat = keys.reshape(-1)
        firsts = flat[np.flatnonzero(np.diff(flat, prepend=-1))]
        for key in np.unique(firsts).tolist():
            self._known.setdefault(key, len(self._known))
        if len(self._known) > _MOST_CODES:
            raise SwcError("evaluation.combinations", count=len(self._known), most=_MOST_CODES)
        ordered = np.array(sorted(self._known), np.int64)
        numbers = np.array([self._known[key] for key in ordered.tolist()], np.uint8)
        return numbers[np.searchsorted(ordered, keys)]

    def table(self) -> NDArray[np.int64]:
        """Return (class, rule, bits) of each code, zeros of code 0."""
        keys = np.array(list(self._known), np.int64)
        return np.column_stack((keys >> 24, keys >> 16 & 0xFF, keys & 0xFFFF))


@dataclass(frozen=True)
class Coded:
    """A raster of codes with what they mean, the grid, and the legal areas."""

    path: Path
    table: NDArray[np.int64]
    grid: Grid
    areas: patches.Areas

    @property
    def stack(self) -> Stack:
        """Return a stack of no rasters on the grid."""
        return Stack({}, self.grid, {})


def delineate_patches(run: Run) -> None:
    """Write patches of the classes from `least_class` on as the layer of role swc_function_important."""
    coded = _coded(run)
    run.progress.advance(0.4)
    made = _of_parcels(run, coded) if run["parcels"] else _of_cells(run, coded)
    coded.path.unlink()
    patches.write(run, made, coded.areas, coded.grid)


def _coded(run: Run) -> Coded:
    path, codes = run.folder / "codes.tif", Codes()
    with stacked(run.given("classes", "rules", "deciding")) as stack:
        require_metres(stack.grid, run["classes"].name)
        ranked.check_classes(stack, "classes", run["classes"].name)
        excluded = vectors.geometry_onto(run["exclude"] or (), stack.grid.crs)
        scan = Scan(excluded, stack.grid) if len(excluded) else None
        areas = patches.read_areas(run, stack.grid.crs)
        filling = holes.Filling(run["fill_holes_m2"] / (stack.grid.cell[0] * stack.grid.cell[1]), stack.grid)

        def make(view: View) -> dict[str, Any]:
            keys = _keys(view, run["least_class"])
            out = np.nan_to_num(view["classes"]) == 0
            if scan is not None:
                out |= scan.inside(view.block)
                keys[out] = 0
            filling.add(keys == 0, out, view.block)
            return {"codes": codes.of(keys)}

        compute(stack, {"codes": Output(path, "uint8", 0)}, make, blocks=stack.strips())
        grid = stack.grid
    run.facts["filled_cells"] = filling.fill(path)
    return Coded(path, codes.table(), grid, areas)


def _keys(view: View, least: int) -> NDArray[np.int64]:
    """Return class, rule and deciding bits of each cell in one number, 0 below the least class."""
    keys = np.nan_to_num(view["classes"]).astype(np.int64) << 24
    for name, shift in (("rules", 16), ("deciding", 0)):
        if name in view.arrays:
            keys |= np.nan_to_num(view[name]).astype(np.int64) << shift
    keys[keys < least << 24] = 0
    return keys


# --- by cells --------------------------------------------------------------------------------------


def _of_cells(run: Run, coded: Coded) -> Patches:
    """Return the patches of regions of cells, legal areas taken out."""
    kept = run.folder / "kept.tif"
    count = _keep(run, coded, kept)
    codes, drawn = outlines.outlines(kept)
    kept.unlink()
    outlines.check(drawn, count)
    run.progress.advance(0.8)
    links = contiguity.of_cells(drawn)
    group, groups = contiguity.groups(len(drawn), links)
    geometry = outlines.placed(drawn, coded.grid)
    return Patches(coded.table[codes], geometry, group, groups, geometry, group)


def _keep(run: Run, coded: Coded, path: Path) -> int:
    """Write the codes of regions of the least area, and of those near legal areas; return their cells."""
    strips, count = coded.stack.strips(), 0
    near = shapely.buffer(coded.areas.geometry, _NEAR_CELLS * max(coded.grid.cell), quad_segs=2)
    scan = Scan(near, coded.grid)
    least = run["least_m2"] / (coded.grid.cell[0] * coded.grid.cell[1])
    found = Regions(lambda cells, flags: flags | (cells >= least))
    places = {strip: number for number, strip in enumerate(strips)}
    with rasterio.open(coded.path) as dataset:
        for strip in strips:
            mask = dataset.read(1, window=strip.window) > 0
            found.add(mask, scan.inside(strip))
        found.close()

        def make(view: View) -> dict[str, Any]:
            nonlocal count
            codes = dataset.read(1, window=view.block.window)
            kept = found.drawn(places[view.block], codes > 0)
            count += int(kept.sum())
            return {"kept": np.where(kept, codes, 0)}

        compute(coded.stack, {"kept": Output(path, "uint8", 0)}, make, blocks=strips)
    run.facts.update(_dropped(found, coded, count))
    return count


def _dropped(found: Regions, coded: Coded, kept: int) -> dict[str, float]:
    cell_m2 = coded.grid.cell[0] * coded.grid.cell[1]
    return {
        "small_regions": found.dropped,
        "small_m2": found.dropped_cells * cell_m2,
        "kept_m2": kept * cell_m2,
    }


# --- by parcels ------------------------------------------------------------------------------------


def _of_parcels(run: Run, coded: Coded) -> Patches:
    """Return the parcels, less legal areas, that have a class on enough of their cells."""
    whole = vectors.read_onto(run["parcels"], coded.grid.crs, []).geometry
    whole = whole[shapely.get_dimensions(whole) == 2]
    parcels, codes = whole, np.zeros(len(whole), np.int64)
    counts = np.zeros((len(whole), len(coded.table)), np.int64)
    changed = np.ones(len(whole), bool)
    for level in (3, 2):
        open_ = codes == 0
        parts = coded.areas.geometry[coded.areas.level == level]
        cut, now = parcels.copy(), np.zeros(len(whole), bool)
        cut[open_], now[open_] = patches.minus(parcels[open_], parts)
        parcels, changed = cut, now | (changed if level == 3 else False)
        counts[changed] = _counts(coded, parcels[changed])
        codes[open_] = majority.decided(counts[open_], coded.table[:, 0], run["majority"], level)
        run.progress.advance(0.5 if level == 3 else 0.7)
    taken = codes > 0
    run.facts.update({"parcels": len(whole), "parcels_taken": int(taken.sum())})
    return patches.of_parcels(run, coded.table[codes[taken]], parcels[taken], whole[taken])


def _counts(coded: Coded, parcels: NDArray[Any]) -> NDArray[np.int64]:
    with rasterio.open(coded.path) as dataset:

        def read(strip: Block) -> NDArray[np.uint8]:
            return dataset.read(1, window=strip.window)

        return majority.counted(parcels, coded.grid, coded.stack.strips(), read, len(coded.table) - 1)
