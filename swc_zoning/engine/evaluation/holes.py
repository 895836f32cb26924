# SPDX-License-Identifier: GPL-2.0-or-later
"""Holes in patches of cells: small ones go to the patch west of them, row by row.

A hole is a region of known cells of lower class that reaches neither the edge of the raster nor cells
without data nor cells that were taken out.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray

from swc_zoning.engine.evaluation.rasters import Block, Grid, Output, Stack, View, compute
from swc_zoning.engine.evaluation.regions import Regions

Cells = NDArray[np.bool_]


class Filling:
    """Finds holes of less than `below` cells, strip by strip, and fills them in a raster of codes."""

    def __init__(self, below: float, grid: Grid) -> None:
        self._grid, self._below = grid, below
        self._found = Regions(lambda cells, flags: ~flags & (cells < below))

    def add(self, low: Cells, out: Cells, strip: Block) -> None:
        """Take a strip: cells that make no patch, and those of them that are no part of a hole."""
        if self._below <= 0:
            return
        edge = np.zeros(low.shape, bool)
        edge[:, [0, -1]] = True
        edge[0] |= strip.top == 0
        edge[-1] |= strip.bottom == self._grid.rows
        self._found.add(low, edge | out)

    def fill(self, path: Path) -> int:
        """Fill the holes of a raster of codes; return how many cells that were."""
        if self._below <= 0:
            return 0
        self._found.close()
        stack, count = Stack({}, self._grid, {}), 0
        strips = stack.strips()
        places = {strip: number for number, strip in enumerate(strips)}
        with rasterio.open(path) as dataset:

            def make(view: View) -> dict[str, Any]:
                nonlocal count
                codes = dataset.read(1, window=view.block.window)
                filled = self._found.drawn(places[view.block], codes == 0)
                count += int(filled.sum())
                return {"codes": _from_west(codes, filled)}

            aside = path.with_name("filled.tif")
            compute(stack, {"codes": Output(aside, "uint8", 0)}, make, blocks=strips)
        aside.replace(path)
        return count


def _from_west(codes: NDArray[np.uint8], filled: Cells) -> NDArray[np.uint8]:
    """Return codes with filled cells as the nearest cell west of them that is not filled."""
    place = np.where(filled, 0, np.arange(codes.shape[1])[None, :])
    return np.take_along_axis(codes, np.maximum.accumulate(place, axis=1), axis=1)
