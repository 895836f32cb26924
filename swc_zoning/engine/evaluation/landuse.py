# SPDX-License-Identifier: GPL-2.0-or-later
"""Land-use polygons of the land survey as a raster of ecosystems."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from numpy.typing import NDArray

from swc_zoning.engine.evaluation import factors, vectors
from swc_zoning.engine.evaluation.rasters import (
    Block,
    Output,
    Stack,
    View,
    compute,
    grid_of,
    opened,
    require_metres,
)
from swc_zoning.engine.evaluation.scanning import Scan
from swc_zoning.engine.messages import SwcError

if TYPE_CHECKING:
    from swc_zoning.engine.evaluation.running import Run

_CODES_SHOWN = 20


def land_use_raster(run: Run) -> None:
    """Write the ecosystem of the polygon that the centre of each cell lies in."""
    with opened(run["template"]) as template:
        grid = grid_of(template)
    require_metres(grid, run["template"].name)
    shapes = vectors.read_onto(run["landuse"], grid.crs, [run["field"]])
    words = shapes.column(run["field"])
    kinds = _kinds(run, words, shapes)
    numbers = {name: kind["code"] for name, kind in factors.ecosystems().items()}
    codes = np.array([numbers[kinds[word]] for word in words], np.int32)
    scan = Scan(shapes.geometry, grid)
    run.progress.advance(0.3)
    mosaic = _Mosaic(scan, codes)

    def make(view: View) -> dict[str, Any]:
        return {"ecosystem": mosaic.cells(view.block)}

    stack = Stack({}, grid, {})
    output = {"ecosystem": Output(run.path("ecosystem"), "uint8", 0)}
    compute(stack, output, make, lambda done: run.progress.advance(0.3 + 0.7 * done), blocks=stack.strips())
    mosaic.tell(run, grid.cell[0] * grid.cell[1])
    run.facts["codes"] = {word: [count, kinds[word]] for word, count in sorted(Counter(words).items())}


def _kinds(run: Run, words: list[str], shapes: vectors.Shapes) -> dict[str, str]:
    """Return the kind of each land class; raises SwcError ``landuse.unmapped`` for those without one."""
    table = {**run.set("table")["prefixes"], **(run["more"] or {})}
    found = {word: kind_of(word, table) for word in set(words)}
    lacking = [word for word in found if not found[word]]
    if lacking:
        counts, areas = Counter(words), defaultdict(float)
        for word, area in zip(words, shapely.area(shapes.geometry).tolist()):
            areas[word] += area / 1e6
        lacking.sort(key=lambda word: -areas[word])
        shown = [f"{word or 'NULL'} ({counts[word]}, {areas[word]:.4f} km2)" for word in lacking]
        facts = {"count": sum(counts[word] for word in lacking), "km2": sum(areas[word] for word in lacking)}
        raise SwcError("landuse.unmapped", path=shapes.name, codes=", ".join(shown[:_CODES_SHOWN]), **facts)
    return found


def kind_of(word: str, table: Mapping[str, str]) -> str:
    """Return the kind of the longest prefix of a land class that a table has, "" for none.

    A code that a number field has robbed of its first 0 (301 for 0301) is read with it.
    """
    plain = re.sub(r"\.0$", "", word.strip().upper())
    if re.fullmatch(r"[1-9]\d\d", plain):
        plain = f"0{plain}"
    starts = (plain[:length] for length in range(len(plain), 0, -1))
    return next((table[start] for start in starts if start in table), "")


class _Mosaic:
    """Ecosystem codes on cells, and how many cells have none, or several."""

    def __init__(self, scan: Scan, codes: NDArray[np.int32]) -> None:
        self._scan, self._codes = scan, codes
        self._counts = np.zeros(256, np.int64)
        self._several = 0

    def cells(self, block: Block) -> NDArray[np.uint8]:
        """Return the codes of a block."""
        layers, made = self._scan.layers(block), self._scan.layers(block, self._codes)
        several = layers > 1
        if several.any():
            made[several] = 0
            mixed = np.zeros(block.shape, bool)
            for code in sorted(set(self._codes.tolist())):
                here = self._scan.inside(block, self._codes == code) & several
                mixed |= here & (made != 0)
                made[here & (made == 0)] = code
            self._several += int(mixed.sum())
        self._counts += np.bincount(made.ravel(), minlength=256)
        return made.astype(np.uint8)

    def tell(self, run: Run, cell_m2: float) -> None:
        """Note the area of each kind; say what was not covered, or more than once."""
        named = {kind["code"]: name for name, kind in factors.ecosystems().items()}
        run.facts["kind_m2"] = {
            named[code]: float(self._counts[code]) * cell_m2 for code in sorted(named) if self._counts[code]
        }
        none = int(self._counts[0])
        if self._several:
            run.find("landuse.overlap", count=self._several, km2=self._several * cell_m2 / 1e6)
        if none:
            run.find("landuse.uncovered", count=none, km2=none * cell_m2 / 1e6)
