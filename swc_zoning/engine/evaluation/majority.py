# SPDX-License-Identifier: GPL-2.0-or-later
"""What parcels have of each code of a raster: the cells whose centre lies in the parcel.

A parcel that holds no centre is as the cell that a point inside it lies in. A row of a parcel is counted
by the sums of cells up to where its edges cross the row, so parcels may overlap and their size does not
matter.
"""

from __future__ import annotations

from typing import Any, Callable

import numpy as np
import shapely
from numpy.typing import NDArray

from swc_zoning.engine.evaluation.rasters import Block, Grid
from swc_zoning.engine.evaluation.scanning import Scan

Counts = NDArray[np.int64]


def counted(
    parcels: NDArray[Any],
    grid: Grid,
    strips: list[Block],
    read: Callable[[Block], NDArray[np.uint8]],
    codes: int,
) -> Counts:
    """Return for each parcel its cells of each code from 0 to `codes`."""
    found = np.zeros((len(parcels), codes + 1), np.int64)
    if not len(parcels):
        return found
    scan, inside = Scan(parcels, grid), _Inside(parcels, grid)
    for strip in strips:
        cells = read(strip)
        crossed = scan.crossings(strip.top, strip.bottom)
        row = crossed.row - strip.top
        for code in np.unique(cells).tolist():
            sums = np.zeros((cells.shape[0], cells.shape[1] + 1), np.int32)
            np.cumsum(cells == code, axis=1, out=sums[:, 1:])
            worth = sums[row, crossed.col] * -crossed.step.astype(np.int32)
            found[:, code] += np.bincount(crossed.owner, worth, len(parcels)).astype(np.int64)
        inside.add(strip, cells)
    none = found.sum(axis=1) == 0
    found[none, inside.codes[none]] = 1
    found[none & (inside.codes < 0)] = 0
    return found


class _Inside:
    """The code of the cell that a point inside each parcel lies in, -1 off the grid."""

    def __init__(self, parcels: NDArray[Any], grid: Grid) -> None:
        # A parcel that was taken out whole has no point: it is off the grid.
        some = ~shapely.is_empty(parcels)
        points = shapely.get_coordinates(shapely.point_on_surface(parcels[some]))
        a, _, c, _, e, f = grid.transform
        self._row, self._col = np.full((2, len(parcels)), -1, np.int64)
        self._row[some] = np.floor((points[:, 1] - f) / e)
        self._col[some] = np.floor((points[:, 0] - c) / a)
        self._on = (self._col >= 0) & (self._col < grid.cols)
        self.codes = np.full(len(parcels), -1, np.int64)

    def add(self, strip: Block, cells: NDArray[np.uint8]) -> None:
        """Take the cells of a strip."""
        mine = np.flatnonzero(self._on & (self._row >= strip.top) & (self._row < strip.bottom))
        self.codes[mine] = cells[self._row[mine] - strip.top, self._col[mine]]


def decided(counts: Counts, levels: NDArray[np.int64], share: float, level: int) -> Counts:
    """Return the code of each parcel that has a class on at least a share of its cells, 0 for others.

    What is of a higher class is of this one too; of the codes of the class it has the most frequent, of
    several as frequent the first.
    """
    reached = counts[:, levels >= level].sum(axis=1)
    chosen = (reached > 0) & (reached >= share * counts.sum(axis=1))
    own, above = (np.where(mine, counts, 0) for mine in (levels == level, levels > level))
    best = np.where(own.any(axis=1), np.argmax(own, axis=1), np.argmax(above, axis=1))
    return np.where(chosen, best, 0)
