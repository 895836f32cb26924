# SPDX-License-Identifier: GPL-2.0-or-later
"""Cells and areas of whole-number codes of a raster, counted block by block, the same whatever the blocks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from swc_zoning.engine.evaluation.rasters import Block, Grid, row_areas

if TYPE_CHECKING:
    from swc_zoning.engine.evaluation.running import Run

#: Classes 0 (no data) to 3.
CLASSES = 4


class Tally:
    """Counts cells of the codes 0 .. `kinds` - 1; where rows differ in area, of each row."""

    def __init__(self, grid: Grid, kinds: int = CLASSES) -> None:
        self.kinds = kinds
        self._areas = row_areas(grid)
        if (self._areas == self._areas[0]).all():
            self._areas = self._areas[:1]
        self._counts = np.zeros((len(self._areas), kinds), np.int64)

    def add(self, block: Block, codes: NDArray[Any]) -> None:
        """Take the codes of a block."""
        flat, rows = codes.astype(np.intp), slice(0, 1)
        if len(self._areas) > 1:
            rows = slice(block.top, block.bottom)
            flat = flat + self.kinds * np.arange(block.bottom - block.top)[:, None]
        shape = self._counts[rows].shape
        self._counts[rows] += np.bincount(flat.ravel(), minlength=shape[0] * shape[1]).reshape(shape)

    @property
    def cells(self) -> NDArray[np.int64]:
        """Return the number of cells of each code."""
        return self._counts.sum(axis=0)

    @property
    def km2(self) -> NDArray[np.float64]:
        """Return the area of each code; of a raster in degrees on the ellipsoid."""
        return self._areas @ self._counts / 1e6

    def tell(self, run: Run) -> None:
        """Note cells by class, and km2 of the classes 3, 2 and 1."""
        km2 = self.km2
        run.facts["cells_by_class"] = list(map(int, self.cells))
        run.facts["km2_by_class"] = {str(number): float(km2[number]) for number in (3, 2, 1)}
