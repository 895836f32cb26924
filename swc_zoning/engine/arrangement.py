# SPDX-License-Identifier: GPL-2.0-or-later
"""The arrangement of one tile: noded edges of all layers that end in it, and the features on them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from swc_zoning.engine.grid import FINE, Ints, group, mix, nearest_unit, ragged, same_points, unique_points
from swc_zoning.engine.noding import Box, Segments, Splits, find_splits
from swc_zoning.engine.tasks import Serial
from swc_zoning.engine.tiles import Tile, Walk, beside, match

Hashes = NDArray[np.uint64]
Mask = NDArray[np.bool_]


def feature_hashes(count: int) -> Hashes:
    """Return the hash of each feature; they serve the proofs of one run and are never written."""
    return mix(np.arange(1, count + 1, dtype=np.uint64))


@dataclass(frozen=True)
class Arrangement:
    """Nodes in (x, y) order (units), which of them the tile owns, and the edges that end in it."""

    x: Ints
    y: Ints
    owned: Mask
    edges: Edges


@dataclass(frozen=True)
class Edges:
    """Noded edges that separate labels, in walking order: node numbers, and who carries them."""

    start: Ints
    end: Ints
    parts: Parts

    def __len__(self) -> int:
        return len(self.start)

    def carriers(self, edges: Ints) -> tuple[Ints, Ints, Ints]:
        """Return rows (index into `edges`, feature, 1 left or -1 right of the edge as it is walked).

        A feature on both sides of an edge is not among them.
        """
        row, feature, sign = self.parts.carriers(edges)
        sign = np.where(self.start[edges] < self.end[edges], 1, -1)[row] * sign
        order = np.lexsort((feature, row))
        row, feature, sign = row[order], feature[order], sign[order]
        new = np.ones(len(row), bool)
        new[1:] = (np.diff(row) != 0) | (np.diff(feature) != 0)
        starts = np.flatnonzero(new)
        net = np.add.reduceat(sign, starts) if len(starts) else sign
        kept = net != 0
        return row[starts][kept], feature[starts][kept], net[kept]


@dataclass(frozen=True)
class Parts:
    """Which segments, and through them which features, lie on each edge."""

    carried: Carried
    segment: Ints
    rising: Mask
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


def arrange(tile: Tile) -> Arrangement:
    """Return the noded edges of a tile with at least one end in it."""
    walk = _walk(tile)
    count = len(walk)
    x, y, vertex = same_points(np.concatenate([walk.x1, walk.x2]), np.concatenate([walk.y1, walk.y2]))
    vertex, ahead = vertex[:count], vertex[count:]
    rising = vertex < ahead
    order, starts = group((np.minimum(vertex, ahead) << 32) | np.maximum(vertex, ahead))
    # A segment is walked as by the first ring that carries it, and segments stand in that order.
    owner = _least(order, starts)
    order, starts, owner = _by_owner(order, starts, owner)

    first, last = vertex[owner], ahead[owner]
    segments = Segments(x[first], y[first], x[last], y[last])
    splits = _splits(segments, tile)
    x, y, node = unique_points(
        np.concatenate([nearest_unit(x), splits.x]), np.concatenate([nearest_unit(y), splits.y])
    )
    subs = _sub_edges(segments, (node[first], node[last]), splits, node[len(node) - len(splits.x) :])

    with_owner = rising[order] == np.repeat(rising[owner], np.diff(np.append(starts, len(order))))
    along = walk.sign[order] * np.where(with_owner, 1, -1)
    carried = Carried(walk.feature[order], along, np.append(starts, len(order)))
    owned = _owned(x, y, tile.box)
    return Arrangement(x, y, owned, _edges(carried, subs, feature_hashes(len(tile.feature)), owned))


def _walk(tile: Tile) -> Walk:
    """Return all directed segments near a tile, in ring order."""
    rings = tile.rings.walk()
    ahead = rings.following
    feature = tile.small[rings.feature] if len(tile.small) else rings.feature
    whole = Walk(rings.x, rings.y, rings.x[ahead], rings.y[ahead], feature, rings.sign)
    if tile.seams is not None:
        whole = whole.take(_near(whole.segments(), tile.box))
    columns = ("x1", "y1", "x2", "y2", "feature", "sign")
    return Walk(*(np.concatenate([getattr(whole, n), getattr(tile.walk, n)]) for n in columns))


def _near(segments: Segments, box: Box) -> Mask:
    s, (x0, y0, x1, y1) = segments, box
    return beside(s.x1, s.x2, x0, x1) & beside(s.y1, s.y2, y0, y1)


def _inside(segments: Segments, box: Box) -> Mask:
    """Tell which segments have all their nodes in a box."""
    s, (x0, y0, x1, y1) = segments, box
    return (
        (np.minimum(s.x1, s.x2) - FINE >= x0)
        & (np.maximum(s.x1, s.x2) + FINE < x1)
        & (np.minimum(s.y1, s.y2) - FINE >= y0)
        & (np.maximum(s.y1, s.y2) + FINE < y1)
    )


def _owned(x: Ints, y: Ints, box: Box) -> Mask:
    x0, y0, x1, y1 = box
    x, y = x * FINE, y * FINE
    return (x >= x0) & (x < x1) & (y >= y0) & (y < y1)


def _splits(segments: Segments, tile: Tile) -> Splits:
    """Return the splits of all segments: found here inside the tile, known beforehand on seams."""
    if tile.seams is None:
        return find_splits(segments, Serial())
    found = find_splits(segments, Serial(), box=tile.box)
    inside = _inside(segments, tile.box)
    kept = inside[found.segment]
    crossing = np.flatnonzero(~inside)
    seam = match(segments.take(crossing), tile.seams.segments)
    crossing, seam = crossing[seam >= 0], seam[seam >= 0]
    known = tile.seams.take(seam)
    return Splits(
        np.concatenate([found.segment[kept], np.repeat(crossing, np.diff(known.offsets))]),
        np.concatenate([found.x[kept], known.x]),
        np.concatenate([found.y[kept], known.y]),
    )


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


def _edges(carried: Carried, subs: _SubEdges, hashes: Hashes, owned: Mask) -> Edges:
    """Merge sub-edges that fell together; drop those that separate nothing or end nowhere in the tile.

    The *flow* of an edge is the sum of the hashes of the features on its left less those on its
    right, seen from its smaller node: without flow, both sides have the same labels.
    """
    carrier = hashes[carried.feature]
    flow = _sums(np.where(carried.along > 0, carrier, -carrier), carried.offsets[:-1])[subs.segment]
    rising = subs.start < subs.end
    order, begins = group((np.minimum(subs.start, subs.end) << 32) | np.maximum(subs.start, subs.end))
    edge_flow = _sums(np.where(rising, flow, -flow)[order], begins)
    lead = _least(order, begins)
    start, end = subs.start[lead], subs.end[lead]
    kept = np.flatnonzero((edge_flow != 0) & (start != end) & (owned[start] | owned[end]))
    walk = kept[np.argsort(lead[kept])]
    sizes = np.diff(np.append(begins, len(order)))[walk]
    members = order[ragged(begins[walk], sizes)]
    parts = Parts(carried, subs.segment[members], rising[members], np.concatenate([[0], np.cumsum(sizes)]))
    lead = lead[walk]
    return Edges(subs.start[lead], subs.end[lead], parts)


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
