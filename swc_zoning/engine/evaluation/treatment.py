# SPDX-License-Identifier: GPL-2.0-or-later
"""Candidates of treatment as polygons: an output of their own, never prevention."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import rasterio
import shapely
from numpy.typing import NDArray

from swc_zoning.engine.evaluation import outlines, vectors
from swc_zoning.engine.evaluation.function_rules import Book, Rule
from swc_zoning.engine.evaluation.rasters import Grid, Output, Stack, View, compute

if TYPE_CHECKING:
    from swc_zoning.engine.evaluation.running import Run

LAYER = "treatment_candidates"


def by_bit(rules: tuple[Rule, ...], counts: NDArray[np.int64], cell_m2: float) -> dict[str, float]:
    """Return the area (m2) that each rule holds on, of counts of cells by bits."""
    values = np.arange(len(counts))
    return {rule.id: float(counts[(values & rule.bit) > 0].sum()) * cell_m2 for rule in rules}


def write(run: Run, book: Book, grid: Grid) -> None:
    """Write the polygons of the raster of candidates, of the least area, and note what there is."""
    cell_m2 = grid.cell[0] * grid.cell[1]
    counts, both = np.zeros(256, np.int64), 0
    kept = run.folder / "treated.tif"
    with rasterio.open(run.path("treatment")) as treated, rasterio.open(run.path("class")) as classes:
        stack = Stack({}, grid, {})
        strips = stack.strips()
        places = {strip: number for number, strip in enumerate(strips)}
        found = outlines.large(
            lambda strip: treated.read(1, window=strip.window) > 0, strips, run["treatment_m2"] / cell_m2
        )

        def make(view: View) -> dict[str, Any]:
            nonlocal both
            bits = treated.read(1, window=view.block.window)
            counts[:] += np.bincount(bits.ravel(), minlength=256)
            both += int(((bits > 0) & (classes.read(1, window=view.block.window) > 1)).sum())
            return {"kept": np.where(found.drawn(places[view.block], bits > 0), bits, 0)}

        compute(stack, {"kept": Output(kept, "uint8", 0)}, make, blocks=strips)
    bits, drawn = outlines.outlines(kept)
    kept.unlink()
    _write(run, book, bits, outlines.placed(drawn, grid), grid)
    run.facts["treatment_m2"] = by_bit(book.treatment, counts, cell_m2)
    total = float(counts[1:].sum()) * cell_m2 / 1e6
    run.find("function_rules.treatment", km2=total, both=both * cell_m2 / 1e6)


def _write(run: Run, book: Book, bits: NDArray[np.int64], geometry: NDArray[Any], grid: Grid) -> None:
    texts = {}
    for name, attribute in (("rules", "id"), ("reasons_zh", "zh"), ("reasons_en", "en")):
        said = ["; ".join(getattr(r, attribute) for r in book.treatment if r.bit & value) for value in bits]
        texts[name] = np.array(said, object)
    columns = {"bits": bits.astype(np.int32), **texts, "plane_m2": shapely.area(geometry).astype(float)}
    vectors.write(run.path("treated"), LAYER, geometry, columns, grid.crs, "Polygon")
