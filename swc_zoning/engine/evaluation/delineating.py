# SPDX-License-Identifier: GPL-2.0-or-later
"""From a raster of classes to patches: four neighbours, areas of whole cells, edges never bent.

Where parcels are given they take the class that covers enough of them, so that legal boundaries stay.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import rasterio
import shapely
from numpy.typing import NDArray
from rasterio.features import shapes as polygons_of

from swc_zoning.engine import areas
from swc_zoning.engine.evaluation import ranked, vectors
from swc_zoning.engine.evaluation.rasters import Grid, Output, View, compute, require_metres, stacked
from swc_zoning.engine.messages import SwcError

if TYPE_CHECKING:
    from pathlib import Path

    from swc_zoning.engine.evaluation.running import Run

LAYER = "swc_function_important"
#: Tier of the role by class.
TIERS = {3: "extremely_important", 2: "important"}


def delineate_patches(run: Run) -> None:
    """Write patches of the classes from `least_class` on as the layer of role swc_function_important."""
    with stacked({"classes": run["classes"]}) as stack:
        grid = stack.grid
        require_metres(grid, run["classes"].name)
        ranked.check_classes(stack, "classes", run["classes"].name)
        kept = run.folder / "kept.tif"
        cells = _keep(run, stack, kept)
    classes, drawn = _polygons(kept, grid)
    kept.unlink()
    counts = shapely.area(drawn)
    if round(float(counts.sum())) != cells:
        raise SwcError("evaluation.patches_differ", cells=cells, patches=float(counts.sum()))
    run.progress.advance(0.8)
    geometry = _placed(drawn, grid)
    if run["parcels"]:
        classes, geometry = _by_parcels(run, classes, geometry, grid)
    _write(run, classes, geometry, grid)


def _keep(run: Run, stack: Any, path: Path) -> int:
    """Write the classes that make patches, 0 elsewhere; return the number of their cells."""
    burnt = None
    if run["exclude"]:
        burnt = vectors.Burnt(vectors.geometry_onto(run["exclude"], stack.grid.crs), stack.grid)
    count = 0

    def make(view: View) -> dict[str, Any]:
        nonlocal count
        classes = np.nan_to_num(view["classes"]).astype(np.uint8)
        classes[classes < run["least_class"]] = 0
        if burnt is not None:
            classes[burnt.numbers(view.block) >= 0] = 0
        count += int((classes > 0).sum())
        return {"kept": classes}

    compute(stack, {"kept": Output(path, "uint8", 0)}, make, lambda done: run.progress.advance(done / 2))
    return count


def _polygons(path: Path, grid: Grid) -> tuple[NDArray[np.int64], NDArray[Any]]:
    """Return class and polygon of each region, in cells: whole numbers, so areas are exact."""
    classes, drawn = [], []
    with rasterio.open(path) as dataset:
        back = ~dataset.transform
        for shape, value in polygons_of(rasterio.band(dataset, 1), mask=None, connectivity=4):
            if value:
                classes.append(int(value))
                rings = [np.rint(_in_cells(ring, back)) for ring in shape["coordinates"]]
                drawn.append(shapely.Polygon(rings[0], rings[1:]))
    return np.array(classes, np.int64), np.array(drawn, object)


def _in_cells(ring: Any, back: Any) -> NDArray[np.float64]:
    points = np.asarray(ring, float)
    return np.column_stack((back.a * points[:, 0] + back.c, back.e * points[:, 1] + back.f))


def _placed(drawn: NDArray[Any], grid: Grid) -> NDArray[Any]:
    a, _, c, _, e, f = grid.transform
    return shapely.transform(drawn, lambda points: points * (a, e) + (c, f))


def _by_parcels(
    run: Run, classes: NDArray[np.int64], geometry: NDArray[Any], grid: Grid
) -> tuple[NDArray[np.int64], NDArray[Any]]:
    """Return the parcels that have a class on enough of their area, with the highest such class."""
    parcels = vectors.read_onto(run["parcels"], grid.crs).geometry
    found = np.zeros(len(parcels), np.int64)
    tree = shapely.STRtree(geometry)
    for number, parcel in enumerate(parcels):
        hits = tree.query(parcel, predicate="intersects")
        parts = shapely.area(shapely.intersection(geometry[hits], parcel))
        for value in (3, 2):
            # What is of a higher class is at least of this one.
            covered = float(parts[classes[hits] >= value].sum())
            if covered > 0 and covered >= run["majority"] * parcel.area:
                found[number] = value
                break
    run.facts["parcels_taken"] = int((found > 0).sum())
    return found[found > 0], parcels[found > 0]


def _write(run: Run, classes: NDArray[np.int64], geometry: NDArray[Any], grid: Grid) -> None:
    plane = shapely.area(geometry)
    large = plane >= run["least_m2"]
    facts = {"count": int(large.sum()), "km2": float(plane[large].sum()) / 1e6}
    dropped = {"dropped": int((~large).sum()), "dropped_km2": float(plane[~large].sum()) / 1e6}
    run.facts.update({**facts, **dropped})
    run.find("evaluation.patches", **facts, **dropped)
    if not large.any():
        run.find("evaluation.no_patches")
    kept = np.empty(int(large.sum()), object)
    kept[:] = [shapely.multipolygons(_parts(one)) for one in geometry[large]]
    columns = {
        "tier": np.array([TIERS[value] for value in classes[large]], object),
        "class": classes[large].astype(np.int32),
        "method": np.array([run["method"]] * len(kept), object),
        "plane_m2": plane[large],
        "area_m2": _official(kept, grid),
    }
    vectors.write(run.path("patches"), LAYER, kept, columns, grid.crs, "MultiPolygon")


def _parts(geometry: Any) -> list[Any]:
    return [part for part in shapely.get_parts(geometry) if part.geom_type == "Polygon"]


def _official(geometry: NDArray[Any], grid: Grid) -> NDArray[np.float64]:
    """Return official ellipsoidal areas (m2, 0.01)."""
    if not len(geometry):
        return np.empty(0)
    return areas.round_area(areas.area_model(grid.crs).areas(geometry))
