# SPDX-License-Identifier: GPL-2.0-or-later
"""The arrangement: noded edges of all layers, each with its flow and the features that carry it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from swc_zoning.engine.grid import Ints, group, mix, nearest_unit, ragged, same_points, unique_points
from swc_zoning.engine.noding import Segments, Splits, find_splits
from swc_zoning.engine.progress import Progress
from swc_zoning.engine.rings import Rings
from swc_zoning.engine.tasks import Executor

Hashes = NDArray[np.uint64]


def feature_hashes(count: int) -> Hashes:
    """Return the hash of each feature; they serve the proofs of one run and are never written."""
    return mix(np.arange(1, count + 1, dtype=np.uint64))


@dataclass(frozen=True)
class Edges:
    """Noded edges in walking order: node numbers, flow from the smaller node, and who carries them."""

    start: Ints
    end: Ints
    flow: Hashes
    parts: Parts

    def __len__(self) -> int:
        return len(self.start)

    def walking_flow(self) -> Hashes:
        """Return the flow of each edge seen from its start."""
        return np.where(self.start < self.end, self.flow, -self.flow)


@dataclass(frozen=True)
class Parts:
    """Which segments, and through them which features, lie on each edge."""

    carried: Carried
    segment: Ints
    rising: NDArray[np.bool_]
    offsets: Ints

    def carriers(self, edges: Ints) -> tuple[Ints, Ints, Ints]:
        """Return rows (index into `edges`, feature, 1 left or -1 right, seen from the smaller node)."""
        counts = self.offsets[edges + 1] - self.offsets[edges]
        part = ragged(self.offsets[edges], counts)
        row = np.repeat(np.arange(len(edges)), counts)
        segment = self.segment[part]
        counts = self.carried.offsets[segment + 1] - self.carried.offsets[segment]
        at = ragged(self.carried.offsets[segment], counts)
        sign = np.repeat(np.where(self.rising[part], 1, -1), counts) * self.carried.along[at]
        return np.repeat(row, counts), self.carried.feature[at], sign


def node(
    rings: Rings, features: int, executor: Executor, progress: Progress, per_tile: int
) -> tuple[Ints, Ints, Edges]:
    """Return nodes in (x, y) order and the noded edges that separate labels."""
    x, y, vertex = same_points(rings.x, rings.y)
    ahead = vertex[rings.following]
    rising = vertex < ahead
    order, starts = group((np.minimum(vertex, ahead) << 32) | np.maximum(vertex, ahead))
    # A segment is walked as by the first ring that carries it, and segments stand in that order.
    owner = _least(order, starts)
    order, starts, owner = _by_owner(order, starts, owner)

    first, last = vertex[owner], ahead[owner]
    segments = Segments(x[first], y[first], x[last], y[last])
    splits = find_splits(segments, executor, progress.advance, per_tile)
    x, y, node = unique_points(
        np.concatenate([nearest_unit(x), splits.x]), np.concatenate([nearest_unit(y), splits.y])
    )
    subs = _sub_edges(segments, (node[first], node[last]), splits, node[len(node) - len(splits.x) :])

    with_owner = rising[order] == np.repeat(rising[owner], np.diff(np.append(starts, len(order))))
    along = rings.sign[order] * np.where(with_owner, 1, -1)
    carried = Carried(rings.feature[order], along, np.append(starts, len(order)))
    return x, y, _edges(carried, subs, feature_hashes(features))


@dataclass(frozen=True)
class Carried:
    """The features whose boundary runs along each segment; `along` is 1 if on its left, -1 on its right."""

    feature: Ints
    along: Ints
    offsets: Ints


@dataclass(frozen=True)
class _SubEdges:
    """Segments after splitting, in walking order: nodes, and the segment each part is of."""

    start: Ints
    end: Ints
    segment: Ints


def _sub_edges(segments: Segments, ends: tuple[Ints, Ints], splits: Splits, at: Ints) -> _SubEdges:
    """Split segments between their end nodes at the nodes `at`, one for each split."""
    # A straight walk meets pixels in the order of x and, within one column, of y.
    forward_x = np.where(segments.x2 < segments.x1, -1, 1)[splits.segment] * splits.x
    forward_y = np.where(segments.y2 < segments.y1, -1, 1)[splits.segment] * splits.y
    order = np.lexsort((forward_y, forward_x, splits.segment))
    counts = np.bincount(splits.segment, minlength=len(segments))
    offsets = np.concatenate([[0], np.cumsum(counts + 1)])
    start, end = np.empty(offsets[-1], np.int64), np.empty(offsets[-1], np.int64)
    start[offsets[:-1]] = ends[0]
    start[ragged(offsets[:-1] + 1, counts)] = at[order]
    end[:-1] = start[1:]
    end[offsets[1:] - 1] = ends[1]
    return _SubEdges(start, end, np.repeat(np.arange(len(segments)), counts + 1))


def _edges(carried: Carried, subs: _SubEdges, hashes: Hashes) -> Edges:
    """Merge sub-edges that fell together and drop those across which nothing changes."""
    carrier = hashes[carried.feature]
    flow = _sums(np.where(carried.along > 0, carrier, -carrier), carried.offsets[:-1])[subs.segment]
    rising = subs.start < subs.end
    order, begins = group((np.minimum(subs.start, subs.end) << 32) | np.maximum(subs.start, subs.end))
    edge_flow = _sums(np.where(rising, flow, -flow)[order], begins)
    lead = _least(order, begins)
    kept = np.flatnonzero((edge_flow != 0) & (subs.start[lead] != subs.end[lead]))
    walk = kept[np.argsort(lead[kept])]
    sizes = np.diff(np.append(begins, len(order)))[walk]
    members = order[ragged(begins[walk], sizes)]
    parts = Parts(carried, subs.segment[members], rising[members], np.concatenate([[0], np.cumsum(sizes)]))
    lead = lead[walk]
    return Edges(subs.start[lead], subs.end[lead], edge_flow[walk], parts)


def _least(order: Ints, starts: Ints) -> Ints:
    """Return the smallest member of each run."""
    return np.minimum.reduceat(order, starts) if len(starts) else order


def _by_owner(order: Ints, starts: Ints, owner: Ints) -> tuple[Ints, Ints, Ints]:
    """Put runs in order of their owners."""
    sizes = np.diff(np.append(starts, len(order)))
    rank = np.argsort(owner)
    sizes = sizes[rank]
    return order[ragged(starts[rank], sizes)], np.cumsum(sizes) - sizes, owner[rank]


def _sums(values: Hashes, starts: Ints) -> Hashes:
    """Return the sums of runs of 64-bit hashes, wrapping round."""
    return np.add.reduceat(values, starts) if len(starts) else values
