# SPDX-License-Identifier: GPL-2.0-or-later
"""Which polygons touch along an edge; points in common do not count."""

from __future__ import annotations

from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from swc_zoning.engine.evaluation.regions import Numbers, joined, numbered, overlaps

Pairs = tuple[Numbers, Numbers]
#: Interiors meet, or boundaries share a line.
_ALONG = ("2********", "****1****")


def of_cells(drawn: NDArray[Any]) -> Pairs:
    """Return the pairs of polygons in whole cells, none overlapping, that have an edge in common."""
    rings, owner = _rings(drawn)
    forward = shapely.is_ccw(rings) == _shells(owner)
    points, ring = shapely.get_coordinates(rings, return_index=True)
    same = np.flatnonzero(ring[1:] == ring[:-1])
    one, other = points[same].astype(np.int64), points[same + 1].astype(np.int64)
    mine, ahead = owner[ring[same]], forward[ring[same]]
    found = [_along(one, other, mine, ahead, axis) for axis in (0, 1)]
    return np.concatenate([pair[0] for pair in found]), np.concatenate([pair[1] for pair in found])


def _rings(drawn: NDArray[Any]) -> tuple[NDArray[Any], Numbers]:
    if not len(drawn):
        return np.empty(0, object), np.zeros(0, np.int64)
    return shapely.get_rings(drawn, return_index=True)


def _shells(owner: Numbers) -> NDArray[np.bool_]:
    return np.r_[True, owner[1:] != owner[:-1]] if len(owner) else np.zeros(0, bool)


def _along(one: Numbers, other: Numbers, mine: Numbers, ahead: NDArray[np.bool_], axis: int) -> Pairs:
    """Return pairs by edges that run along an axis: those with the polygon on one side, and on the other."""
    begin, end = one[:, axis], other[:, axis]
    runs = begin != end
    side = (begin < end) == ahead
    # Edges on one line are kept apart from those of all others by a stride longer than any.
    stride = int(max(begin.max(), end.max())) + 2 if len(begin) else 1
    line = one[:, 1 - axis] * stride
    lists = []
    for chosen in (runs & side, runs & ~side):
        starts = (line + np.minimum(begin, end))[chosen]
        order = np.argsort(starts, kind="stable")
        ends = (line + np.maximum(begin, end))[chosen][order]
        lists.append((starts[order], ends, mine[chosen][order]))
    above, below = overlaps(*lists[0][:2], *lists[1][:2])
    return lists[0][2][above], lists[1][2][below]


def of_polygons(geometry: NDArray[Any], others: NDArray[Any] | None = None) -> Pairs:
    """Return the pairs (of one list, or of two) that overlap or share a line of their boundaries."""
    tree = shapely.STRtree(geometry if others is None else others)
    one, other = tree.query(geometry, predicate="intersects")
    if others is None:
        one, other = one[one < other], other[one < other]
    second = geometry if others is None else others
    along = np.zeros(len(one), bool)
    for pattern in _ALONG:
        along |= shapely.relate_pattern(geometry[one], second[other], pattern)
    return one[along].astype(np.int64), other[along].astype(np.int64)


def groups(count: int, *pairs: Pairs) -> tuple[Numbers, int]:
    """Return the number of the group of each of `count` things, from 0 on, and how many groups there are."""
    links = [np.concatenate(column) for column in zip(*pairs)] or [np.zeros(0, np.int64)] * 2
    return numbered(joined(count, links[0], links[1]))
