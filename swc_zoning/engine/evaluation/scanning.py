# SPDX-License-Identifier: GPL-2.0-or-later
"""Polygons on cells, row by row: where their edges cross the middle of each row.

A cell belongs to a polygon if its centre lies in it. A centre on an edge belongs to the polygon on its
right (below, on a level edge), so that of polygons with a common edge exactly one has it. What is found
depends neither on blocks nor on other polygons; polygons may overlap.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from swc_zoning.engine.evaluation.rasters import Block, Grid

#: Polygons whose edges are made at a time.
_AT_ONCE = 50_000


@dataclass(frozen=True)
class Crossings:
    """Places where edges cross rows: owner, row, first column right of it, +1 coming in or -1 going out."""

    owner: NDArray[np.int32]
    row: NDArray[np.int64]
    col: NDArray[np.int64]
    step: NDArray[np.int8]


class Scan:
    """The edges of polygons (multipolygons, collections) in cells, ordered by their first row."""

    def __init__(self, geometry: NDArray[Any], grid: Grid) -> None:
        starts = range(0, len(geometry), _AT_ONCE)
        parts = [_edges(geometry[start : start + _AT_ONCE], start, grid) for start in starts]
        joined = [np.concatenate(column) for column in zip(*parts)] if parts else _edges(geometry, 0, grid)
        order = np.argsort(joined[0], kind="stable")
        self._first, self._last, self._ends, self._owner, self._step = (one[order] for one in joined)
        # The furthest row that any edge up to here reaches: grows, so it can be searched.
        self._reach = np.maximum.accumulate(self._last)
        self._grid = grid
        self._latest: tuple[tuple[int, int], Crossings] | None = None

    def crossings(self, top: int, bottom: int) -> Crossings:
        """Return the crossings with the rows from `top` on, before `bottom`."""
        if self._latest is None or self._latest[0] != (top, bottom):
            self._latest = (top, bottom), self._crossed(top, bottom)
        return self._latest[1]

    def _crossed(self, top: int, bottom: int) -> Crossings:
        begin = int(np.searchsorted(self._reach, top))
        end = int(np.searchsorted(self._first, bottom))
        chosen = begin + np.flatnonzero(self._last[begin:end] >= top)
        first = np.maximum(self._first[chosen], top)
        counts = np.minimum(self._last[chosen], bottom - 1) - first + 1
        edge = np.repeat(chosen, counts)
        row = np.repeat(first - np.cumsum(counts) + counts, counts) + np.arange(len(edge))
        high, low, left, right = self._ends[edge].T
        with np.errstate(over="ignore"):
            place = np.ceil(left + (row - high) * ((right - left) / (low - high)))
        col = np.clip(place, 0, self._grid.cols).astype(np.int64)
        return Crossings(self._owner[edge], row, col, self._step[edge])

    def layers(self, block: Block, worth: NDArray[Any] | None = None) -> NDArray[np.int32]:
        """Return for each cell of a block how many polygons it lies in, or the sum of their `worth`."""
        found = self.crossings(block.top, block.bottom)
        steps = found.step.astype(np.int32)
        if worth is not None:
            steps = steps * np.asarray(worth, np.int32)[found.owner]
        return _summed(found, steps, block)

    def inside(self, block: Block, chosen: NDArray[np.bool_] | None = None) -> NDArray[np.bool_]:
        """Return which cells of a block lie in any polygon, or in any of the `chosen`."""
        return self.layers(block, None if chosen is None else chosen.astype(np.int32)) > 0


def _summed(found: Crossings, steps: NDArray[np.int32], block: Block) -> NDArray[np.int32]:
    rows, cols = block.shape
    summed = np.zeros((rows, cols + 1), np.int32)
    if len(steps):
        col = np.clip(found.col - block.left, 0, cols)
        np.add.at(summed.reshape(-1), (found.row - block.top) * (cols + 1) + col, steps)
        np.cumsum(summed, axis=1, out=summed)
    return summed[:, :cols]


def _edges(geometry: NDArray[Any], start: int, grid: Grid) -> list[NDArray[Any]]:
    """Return first and last row, (top, bottom, column at top, at bottom), owner and step of each edge."""
    parts, owner = shapely.get_parts(geometry, return_index=True)
    areal = shapely.get_type_id(parts) == 3
    polygons, owner = parts[areal], owner[areal]
    rings, polygon = shapely.get_rings(polygons, return_index=True)
    shell = np.r_[True, polygon[1:] != polygon[:-1]] if len(polygon) else np.zeros(0, bool)
    forward = shapely.is_ccw(rings) == shell
    points, ring = shapely.get_coordinates(rings, return_index=True)
    a, _, c, _, e, f = grid.transform
    cells = np.column_stack(((points[:, 1] - f) / e - 0.5, (points[:, 0] - c) / a - 0.5))
    same = np.flatnonzero(ring[1:] == ring[:-1])
    one, other = cells[same], cells[same + 1]
    falling = one[:, 0] < other[:, 0]
    high, low = np.where(falling[:, None], one, other), np.where(falling[:, None], other, one)
    first = np.maximum(np.ceil(high[:, 0]), 0).astype(np.int64)
    last = np.minimum(np.ceil(low[:, 0]) - 1, grid.rows - 1).astype(np.int64)
    step = np.where(falling == forward[ring[same]], 1, -1).astype(np.int8)
    ends = np.column_stack((high[:, 0], low[:, 0], high[:, 1], low[:, 1]))
    kept = first <= last
    mine = (owner[polygon[ring[same]]] + start).astype(np.int32)
    return [first[kept].astype(np.int32), last[kept].astype(np.int32), ends[kept], mine[kept], step[kept]]
