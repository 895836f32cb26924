# SPDX-License-Identifier: GPL-2.0-or-later
"""The plane cut into tiles, each with all that lies near it, so that a city is never worked on as a whole.

Tiles are the leaves of a quadtree anchored at multiples of powers of two: where the data are as
they were, so are the tiles. A tile owns the nodes in its half-open box. Features are handed to it
whole, large ones segment by segment, and segments are never clipped.

Most segments run inside one tile, which finds where to split them. The few that cross a seam are
split beforehand, once for all tiles they touch: so both sides of a seam see the same edges.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from swc_zoning.engine.grid import FINE, PER_METRE, Ints, mix, ragged, to_fine
from swc_zoning.engine.noding import MARGIN, Box, Segments, find_splits, register
from swc_zoning.engine.rings import Ragged, on_fine_grid
from swc_zoning.engine.tasks import Executor

#: A feature of more than this share of the vertices of a tile is handed out segment by segment.
_LARGE = 1 / 64
#: No tile is smaller (fine steps; a power of two, as all sizes are).
_SMALLEST = 1 << 18
#: Nor has it less than this power of two of its root: so a column and a row of tiles fit into 31 bits each.
_DEEPEST = 30
#: Cells across, at most, in which segments near those that cross seams are looked for.
_RASTER = 2048
_FEATURES_AT_ONCE = 50_000


@dataclass(frozen=True)
class Walk:
    """Directed segments of rings in ring order, fine; interior of `feature` on the left if `sign` is 1."""

    x1: Ints
    y1: Ints
    x2: Ints
    y2: Ints
    feature: Ints
    sign: Ints

    def __len__(self) -> int:
        return len(self.x1)

    def take(self, index: Ints | NDArray[np.bool_]) -> Walk:
        """Return the segments at `index`."""
        return Walk(*(c[index] for c in (self.x1, self.y1, self.x2, self.y2, self.feature, self.sign)))

    def segments(self) -> Segments:
        """Return the segments without what lies beside them."""
        return Segments(self.x1, self.y1, self.x2, self.y2)


@dataclass(frozen=True)
class Seams:
    """Segments that cross seams, from their smaller end, and where they are split.

    Segment i is split at ``(x, y)[offsets[i]:offsets[i + 1]]`` (units), its end nodes left out.
    """

    segments: Segments
    offsets: Ints
    x: Ints
    y: Ints

    def take(self, index: Ints) -> Seams:
        """Return the segments at `index` with their splits."""
        counts = np.diff(self.offsets)[index]
        at = ragged(self.offsets[:-1][index], counts)
        offsets = np.concatenate([[0], np.cumsum(counts)])
        return Seams(self.segments.take(index), offsets, self.x[at], self.y[at])


@dataclass(frozen=True)
class Tile:
    """All that lies near the box [x0, x1) x [y0, y1), fine coordinates.

    `feature`: numbers of the features near, ascending; the tile itself counts them from 0.
    `rings`: of the smaller ones, whole, owners in `small`; `walk`: segments of the larger ones.
    `clips`: the larger ones cut to the surroundings of the box, only fit to ask for points in it,
    owners in `clip_of`. `seams`: None where the tile is alone.
    """

    box: Box
    feature: Ints
    rings: Ragged
    small: Ints
    walk: Walk
    clips: NDArray[Any]
    clip_of: Ints
    seams: Seams | None


@dataclass
class _Node:
    """A box of the quadtree with the numbers of what lies near it; a leaf has no children."""

    box: Box
    small: Ints
    walk: Ints
    clips: NDArray[Any]
    clip_of: Ints
    children: list[_Node] = field(default_factory=list)

    @property
    def size(self) -> int:
        return self.box[2] - self.box[0]

    def leaves(self) -> Iterator[_Node]:
        if not self.children:
            yield self
        for child in self.children:
            yield from child.leaves()


class Tiling:
    """Features (n,) cut into tiles of about `per_tile` ring vertices.

    geometry: valid 2-D polygons and multipolygons, metres of one projected CRS. `content`: a hash of
    the vertices of each on the fine grid.
    """

    def __init__(self, geometry: NDArray[Any], per_tile: int) -> None:
        self.geometry, self.content = on_fine_grid(geometry)
        counts = shapely.get_num_coordinates(self.geometry)
        # What rounding made vanish has no place in any tile.
        self.small = np.flatnonzero((counts > 0) & (counts <= max(8, per_tile * _LARGE)))
        large = np.flatnonzero(counts > max(8, per_tile * _LARGE))
        self._weight = counts
        self._bounds = to_fine(np.nan_to_num(shapely.bounds(self.geometry)))
        self.walk = self._walk_of(large)
        self.leaves: list[_Node] = []
        self._roots: list[_Node] = []
        if len(self.small) or len(self.walk):
            parts, owner = shapely.get_parts(self.geometry[large], return_index=True)
            self._roots = [self._grown(root, per_tile) for root in self._root_nodes(parts, large[owner])]
            self.leaves = [leaf for root in self._roots for leaf in root.leaves()]
        self._levels = self._leaves_by_size()

    def __len__(self) -> int:
        return len(self.leaves)

    def drafts(self, executor: Executor) -> Iterator[Draft]:
        """Yield the drafts of the tiles, one by one as they are asked for."""
        seams = self._seams(executor) if len(self.leaves) > 1 else None
        for leaf, rows in zip(self.leaves, self._spread(seams)):
            yield self._draft(leaf, None if seams is None else seams.take(rows))

    def over_seams(self) -> Ints:
        """Return the features that may lie in more than one tile."""
        if len(self.leaves) < 2:
            return np.empty(0, np.int64)
        there = np.flatnonzero(self._weight > 0)
        return there[self.crossing(Segments(*self._bounds[there].T))]

    # --- the quadtree --------------------------------------------------------------------------------

    def _walk_of(self, features: Ints) -> Walk:
        """Return the segments of whole features, owners numbered as in the geometry."""
        rings = Ragged.of(self.geometry[features]).walk()
        ahead = rings.following
        owner = features[rings.feature] if len(features) else rings.feature
        return Walk(rings.x, rings.y, rings.x[ahead], rings.y[ahead], owner, rings.sign)

    def _root_nodes(self, parts: NDArray[Any], owner: Ints) -> Iterator[_Node]:
        present = self._weight > 0
        x0, y0 = (self._bounds[present, :2].min(axis=0) - 2 * MARGIN).tolist()
        x1, y1 = (self._bounds[present, 2:].max(axis=0) + 2 * MARGIN).tolist()
        size = max(_SMALLEST, 1 << (max(x1 - x0, y1 - y0)).bit_length())
        self._smallest = max(_SMALLEST, size >> _DEEPEST)
        for column in range(x0 // size, x1 // size + 1):
            for row in range(y0 // size, y1 // size + 1):
                box = (column * size, row * size, (column + 1) * size, (row + 1) * size)
                walk = np.arange(len(self.walk))
                root = self._within(_Node(box, self.small, walk, parts, owner), box)
                if self._weighs(root):
                    yield root

    def _within(self, node: _Node, box: Box) -> _Node:
        """Return what of a node lies near a box."""
        x0, y0, x1, y1 = box
        west, south, east, north = self._bounds[node.small].T
        near = (west < x1 + MARGIN) & (east >= x0 - MARGIN) & (south < y1 + MARGIN) & (north >= y0 - MARGIN)
        walk = self.walk
        wx1, wy1, wx2, wy2 = (c[node.walk] for c in (walk.x1, walk.y1, walk.x2, walk.y2))
        close = beside(wx1, wx2, x0, x1) & beside(wy1, wy2, y0, y1)
        clips, kept = _clipped(node.clips, box)
        return _Node(box, node.small[near], node.walk[close], clips, node.clip_of[kept])

    def _weighs(self, node: _Node) -> int:
        return int(self._weight[node.small].sum()) + len(node.walk)

    def _grown(self, node: _Node, per_tile: int) -> _Node:
        """Split a node and its children until each is light enough or splitting no longer helps."""
        weight = self._weighs(node)
        if weight <= per_tile or node.size <= self._smallest:
            return node
        children = [self._within(node, box) for box in _quarters(node.box)]
        weights = [self._weighs(child) for child in children]
        # Stacked features lie in every quarter: cutting them up makes more work, not less.
        if sum(weights) > 1.3 * weight and max(weights) > 0.8 * weight:
            return node
        kept = [child for child, heavy in zip(children, weights) if heavy or len(child.clips)]
        node.children = [self._grown(child, per_tile) for child in kept]
        node.small, node.walk, node.clips = node.small[:0], node.walk[:0], node.clips[:0]
        return node

    def _leaves_by_size(self) -> list[tuple[int, Ints, Ints]]:
        """Return (size, sorted keys, leaf numbers) for each size of leaf."""
        sizes = np.array([leaf.size for leaf in self.leaves], np.int64)
        levels = []
        for size in np.unique(sizes).tolist():
            numbers = np.flatnonzero(sizes == size)
            corners = np.array([self.leaves[i].box[:2] for i in numbers], np.int64)
            keys = self._key(corners[:, 0], corners[:, 1], size)
            order = np.argsort(keys)
            levels.append((size, keys[order], numbers[order]))
        return levels

    def _key(self, x: Ints, y: Ints, size: int) -> Ints:
        left = min(root.box[0] for root in self._roots)
        low = min(root.box[1] for root in self._roots)
        return ((x - left) // size << 31) | ((y - low) // size)

    def _leaf_at(self, x: Ints, y: Ints) -> Ints:
        """Return the number of the leaf that holds each point, -1 where there is none."""
        found = np.full(len(x), -1, np.int64)
        for size, keys, numbers in self._levels:
            wanted = self._key(x, y, size)
            at = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
            found = np.where(keys[at] == wanted, numbers[at], found)
        return found

    # --- segments that cross seams -------------------------------------------------------------------

    def crossing(self, segments: Segments) -> NDArray[np.bool_]:
        """Tell which segments may have nodes in more than one tile."""
        low = self._leaf_at(
            np.minimum(segments.x1, segments.x2) - FINE, np.minimum(segments.y1, segments.y2) - FINE
        )
        high = self._leaf_at(
            np.maximum(segments.x1, segments.x2) + FINE, np.maximum(segments.y1, segments.y2) + FINE
        )
        return (low != high) | (low < 0)

    def _seams(self, executor: Executor) -> Seams:
        """Return the segments that cross seams, split by all that comes near them."""
        # About one cell a feature: more make work, fewer find too much near.
        across = min(_RASTER, 64 + math.isqrt(16 * len(self.geometry)))
        near = _Near(self._box(), self._crossing_segments(), across)
        found = [near.chosen(_canonical(self.walk.segments()))]
        for features in self._chunks(near.boxes(self._bounds[self.small])):
            found.append(near.chosen(_canonical(self._walk_of(features).segments())))
        segments = _distinct(found)
        splits = find_splits(segments, executor)
        wanted = self.crossing(segments)
        rows = np.flatnonzero(wanted[splits.segment])
        rows = rows[np.argsort(splits.segment[rows], kind="stable")]
        counts = np.bincount(splits.segment[rows], minlength=len(segments))[wanted]
        offsets = np.concatenate([[0], np.cumsum(counts)])
        return Seams(segments.take(np.flatnonzero(wanted)), offsets, splits.x[rows], splits.y[rows])

    def _chunks(self, chosen: NDArray[np.bool_]) -> Iterator[Ints]:
        features = self.small[chosen]
        for begin in range(0, len(features), _FEATURES_AT_ONCE):
            yield features[begin : begin + _FEATURES_AT_ONCE]

    def _box(self) -> Box:
        boxes = np.array([root.box for root in self._roots])
        x0, y0 = boxes[:, :2].min(axis=0).tolist()
        x1, y1 = boxes[:, 2:].max(axis=0).tolist()
        return x0, y0, x1, y1

    def _crossing_segments(self) -> Segments:
        west, south, east, north = self._bounds[self.small].T
        over = self.crossing(Segments(west, south, east, north))
        found = [_canonical(self._walk_of(features).segments()) for features in self._chunks(over)]
        found = [one.take(np.flatnonzero(self.crossing(one))) for one in [*found, self.walk.segments()]]
        return Segments(*(np.concatenate([getattr(f, n) for f in found]) for n in ("x1", "y1", "x2", "y2")))

    def _spread(self, seams: Seams | None) -> Iterator[Ints]:
        """Yield for each leaf the numbers of the crossing segments near it."""
        count = 0 if seams is None else len(seams.segments)
        for root in self._roots:
            yield from self._spread_below(root, np.arange(count), seams)

    def _spread_below(self, node: _Node, rows: Ints, seams: Seams | None) -> Iterator[Ints]:
        if seams is not None:
            s, (x0, y0, x1, y1) = seams.segments, node.box
            near = beside(s.x1[rows], s.x2[rows], x0, x1) & beside(s.y1[rows], s.y2[rows], y0, y1)
            rows = rows[near]
        if not node.children:
            yield rows
        for child in node.children:
            yield from self._spread_below(child, rows, seams)

    def _draft(self, leaf: _Node, seams: Seams | None) -> Draft:
        walk = self.walk.take(leaf.walk)
        feature = np.unique(np.concatenate([leaf.small, walk.feature, leaf.clip_of]))
        local = Walk(walk.x1, walk.y1, walk.x2, walk.y2, np.searchsorted(feature, walk.feature), walk.sign)
        small, clip_of = np.searchsorted(feature, leaf.small), np.searchsorted(feature, leaf.clip_of)
        return Draft(self, leaf, feature, small, local, clip_of, seams)


@dataclass(frozen=True)
class Draft:
    """A tile before its rings are taken out of the city: enough to know what lies in it."""

    tiling: Tiling
    leaf: _Node
    feature: Ints
    small: Ints
    walk: Walk
    clip_of: Ints
    seams: Seams | None

    def tile(self) -> Tile:
        """Return the tile as a task."""
        rings = Ragged.of(self.tiling.geometry[self.leaf.small])
        columns = (self.feature, rings, self.small, self.walk, self.leaf.clips, self.clip_of)
        return Tile(self.leaf.box, *columns, self.seams)

    def digest(self) -> bytes:
        """Return a hash of all that the tile's result follows from, but for the numbers of features."""
        digest = hashlib.blake2b(repr((self.leaf.box, self.seams is None)).encode(), digest_size=20)
        columns = [self.tiling.content[self.leaf.small], self.small, self.clip_of]
        columns += [getattr(self.walk, name) for name in ("x1", "y1", "x2", "y2", "feature", "sign")]
        if self.seams is not None:
            s = self.seams
            columns += [s.segments.x1, s.segments.y1, s.segments.x2, s.segments.y2, s.offsets, s.x, s.y]
        for column in columns:
            digest.update(len(column).to_bytes(8, "little"))
            digest.update(np.ascontiguousarray(column).tobytes())
        for polygon in shapely.to_wkb(self.leaf.clips):
            digest.update(polygon)
        return digest.digest()


class _Near:
    """Which segments and boxes come near given segments: told by the cells of a raster they share."""

    def __init__(self, box: Box, segments: Segments, across: int) -> None:
        self.left, self.low, _, _ = box
        self.size = max(max(box[2] - box[0], box[3] - box[1]) // across + 1, 4 * MARGIN)
        cell, _ = register(segments, box, self.size)
        columns = (box[2] - box[0] - 1) // self.size + 1
        rows = (box[3] - box[1] - 1) // self.size + 1
        marked = np.zeros(rows * columns, np.int32)
        marked[cell] = 1
        # Sums over all cells below and left of each corner: so any rectangle costs four look-ups.
        self.sums = np.zeros((rows + 1, columns + 1), np.int32)
        inner = self.sums[1:, 1:]
        np.cumsum(marked.reshape(rows, columns), axis=0, out=inner)
        np.cumsum(inner, axis=1, out=inner)

    def boxes(self, bounds: Ints) -> NDArray[np.bool_]:
        """Tell which boxes (west, south, east, north; fine) touch a marked cell."""
        if len(bounds) == 0:
            return np.zeros(0, bool)
        west, south, east, north = bounds.T
        c0, c1 = self._cells(west - MARGIN, self.left), self._cells(east + MARGIN, self.left) + 1
        r0, r1 = self._cells(south - MARGIN, self.low), self._cells(north + MARGIN, self.low) + 1
        s = self.sums
        return s[r1, c1] - s[r0, c1] - s[r1, c0] + s[r0, c0] > 0

    def _cells(self, values: Ints, origin: int) -> Ints:
        return (values - origin) // self.size

    def chosen(self, segments: Segments) -> Segments:
        """Return the segments that come near."""
        bounds = np.column_stack(
            [
                segments.x1,
                np.minimum(segments.y1, segments.y2),
                segments.x2,
                np.maximum(segments.y1, segments.y2),
            ]
        )
        return segments.take(np.flatnonzero(self.boxes(bounds)))


def beside(one: Ints, other: Ints, low: int, high: int) -> NDArray[np.bool_]:
    """Tell which stretches between two coordinates come near low .. high, all fine."""
    return (np.minimum(one, other) < high + MARGIN) & (np.maximum(one, other) >= low - MARGIN)


def _quarters(box: Box) -> list[Box]:
    x0, y0, x1, y1 = box
    x, y = (x0 + x1) // 2, (y0 + y1) // 2
    return [(x0, y0, x, y), (x, y0, x1, y), (x0, y, x, y1), (x, y, x1, y1)]


def _clipped(polygons: NDArray[Any], box: Box) -> tuple[NDArray[Any], Ints]:
    """Return polygons cut to the surroundings of a box, and the number of the one each comes from.

    The cut runs a sixteenth of the box beside it, so that no point that is asked for lies on it, and half a
    fine step off, so that no vertex does: GEOS may leave in what only touches the cut.
    """
    if len(polygons) == 0:
        return polygons, np.empty(0, np.int64)
    beyond = (box[2] - box[0]) // 16
    corners = np.array([box[0] - beyond, box[1] - beyond, box[2] + beyond, box[3] + beyond]) + 0.5
    try:
        clipped = shapely.clip_by_rect(polygons, *(corners / (PER_METRE * FINE)))
    except shapely.errors.GEOSException:
        # GEOS gives up where next to nothing is left of a ring; whole polygons answer as well, only slower.
        return polygons, np.arange(len(polygons))
    parts, owner = shapely.get_parts(clipped, return_index=True)
    kept = (shapely.get_type_id(parts) == shapely.GeometryType.POLYGON) & ~shapely.is_empty(parts)
    return parts[kept], owner[kept]


def _canonical(segments: Segments) -> Segments:
    """Return segments each from its smaller end (x, then y)."""
    s = segments
    turned = (s.x1 > s.x2) | ((s.x1 == s.x2) & (s.y1 > s.y2))
    x1, x2 = np.where(turned, s.x2, s.x1), np.where(turned, s.x1, s.x2)
    return Segments(x1, np.where(turned, s.y2, s.y1), x2, np.where(turned, s.y1, s.y2))


def _distinct(found: list[Segments]) -> Segments:
    """Return each of the segments once, in an order of their own."""
    columns = [np.concatenate([getattr(f, n) for f in found]) for n in ("x1", "y1", "x2", "y2")]
    key = np.zeros(len(columns[0]), np.uint64)
    for column in columns:
        key = mix(key + column.astype(np.uint64))
    order = np.argsort(key)
    differs = np.any([np.diff(column[order]) != 0 for column in columns], axis=0)
    if np.any(differs & (np.diff(key[order]) == 0)):  # two segments share a hash
        order = np.lexsort(columns[::-1])
        differs = np.any([np.diff(column[order]) != 0 for column in columns], axis=0)
    chosen = order[np.concatenate([[True], differs])] if len(order) else order
    return Segments(*(column[chosen] for column in columns))


def match(segments: Segments, among: Segments) -> Ints:
    """Return for each segment, whichever way it runs, its number in `among` (distinct), or -1."""
    given, count = _canonical(segments), len(segments)
    columns = [np.concatenate([getattr(given, n), getattr(among, n)]) for n in ("x1", "y1", "x2", "y2")]
    number = np.concatenate([np.full(count, -1), np.arange(len(among))])
    order = np.lexsort([-number, *columns[::-1]])
    new = np.ones(len(order), bool)
    new[1:] = np.any([np.diff(column[order]) != 0 for column in columns], axis=0)
    starts = np.flatnonzero(new)
    # Within a run the one of `among` comes first, if there is one.
    leads = np.repeat(number[order[starts]], np.diff(np.append(starts, len(order))))
    result = np.empty(len(order), np.int64)
    result[order] = leads
    return result[:count]
