# SPDX-License-Identifier: GPL-2.0-or-later
"""The exact partition of the city: layers in, edge-connected pieces with one label set each out.

All layers are symmetric. Their rings become distinct segments of the integer grid, the
segments are noded (`noding`), the edges traced to faces (`faces`), and every face is labelled
with the features it lies in: by its interior point, and by the rule that crossing an edge
changes exactly the features whose boundary it carries.

That rule is checked with hashes. Every feature has a 64-bit hash; the *flow* of an edge is the
sum of the hashes of the features on its left less those on its right, seen from its smaller
node. The hashes of the features a face lies in, summed, must differ across an edge by its flow.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from swc_zoning.engine import faces as tracing
from swc_zoning.engine.faces import Arcs, Faces
from swc_zoning.engine.grid import (
    FINE,
    PER_METRE,
    Floats,
    Ints,
    from_fine,
    group,
    mix,
    nearest_unit,
    ragged,
    same_points,
    to_fine,
    to_metres,
    unique_points,
)
from swc_zoning.engine.labels import Labels, label_faces
from swc_zoning.engine.noding import Segments, Splits, find_splits
from swc_zoning.engine.progress import Progress
from swc_zoning.engine.tasks import Executor, Serial

Hashes = NDArray[np.uint64]


@dataclass(frozen=True)
class Edges:
    """Noded edges in walking order: node numbers, flow from the smaller node, and who carries them."""

    start: Ints
    end: Ints
    flow: Hashes
    parts: _Parts

    def __len__(self) -> int:
        return len(self.start)

    def walking_flow(self) -> Hashes:
        """Return the flow of each edge seen from its start."""
        return np.where(self.start < self.end, self.flow, -self.flow)


@dataclass(frozen=True)
class Partition:
    """The arrangement and its faces with their labels.

    x, y: node coordinates (units of 0.0001 m), nodes in (x, y) order. `hashes`: one per feature.
    `plane_m2`: area of each face. `inside`: whether a face lies in the extent, or, without an
    extent, in any feature; these are the pieces.
    """

    x: Ints
    y: Ints
    edges: Edges
    arcs: Arcs
    faces: Faces
    labels: Labels
    hashes: Hashes
    plane_m2: Floats
    inside: NDArray[np.bool_]

    def polygons(self) -> NDArray[Any]:
        """Return the polygon of every face, in metres of the working CRS."""
        return self.faces.polygons(self.x, self.y)

    def sum_over_faces(self, edge_values: Floats) -> Floats:
        """Return for each face the sum of signed edge values round its rings.

        `edge_values` hold for walking each edge from start to end; against it they count negative.
        """
        if len(self.faces) == 0:
            return np.empty(0)
        per_arc = np.add.reduceat(edge_values, self.arcs.first_edge)
        left = self.faces.left
        signed = np.column_stack([per_arc, -per_arc]).ravel()
        bounded = left >= 0
        return np.bincount(left[bounded], signed[bounded], minlength=len(self.faces))

    def sum_lengths(self) -> Floats:
        """Return the perimeter of each face (m), holes included."""
        dx = self.x[self.edges.end] - self.x[self.edges.start]
        dy = self.y[self.edges.end] - self.y[self.edges.start]
        if len(self.faces) == 0:
            return np.empty(0)
        per_arc = np.add.reduceat(np.hypot(to_metres(dx), to_metres(dy)), self.arcs.first_edge)
        bounded = self.faces.left >= 0
        return np.bincount(
            self.faces.left[bounded], np.repeat(per_arc, 2)[bounded], minlength=len(self.faces)
        )

    def dissolve(self, key: Ints) -> tuple[NDArray[Any], Ints]:
        """Merge faces of equal `key` that share an edge; faces of key -1 are left out.

        Returns polygons (metres) and the key of each. Borders keep every node, so that merged
        areas fit each other and the pieces edge for edge.
        """
        of_half = np.append(key, -1)[self.faces.left]
        border = of_half[0::2] != of_half[1::2]
        counts = np.diff(np.append(self.arcs.first_edge, len(self.edges)))
        edge = np.flatnonzero(np.repeat(border, counts))
        arcs = tracing.chain(self.edges.start[edge], self.edges.end[edge], len(self.x))
        if len(arcs) == 0:
            return np.empty(0, object), np.empty(0, np.int64)
        merged = tracing.trace(arcs, self.x, self.y)
        arc_of_edge = np.repeat(np.arange(len(counts)), counts)[edge[arcs.first_edge]]
        keys = np.full(len(merged) + 1, -1, np.int64)
        keys[merged.left] = of_half[np.column_stack([2 * arc_of_edge, 2 * arc_of_edge + 1]).ravel()]
        kept = np.flatnonzero(keys[:-1] >= 0)
        return merged.polygons(self.x, self.y)[kept], keys[kept]


def build(
    geometry: NDArray[Any],
    frames: NDArray[np.bool_] | None = None,
    progress: Progress | None = None,
    executor: Executor | None = None,
    per_tile: int = 60_000,
) -> Partition:
    """Return the partition that `geometry` makes.

    geometry: valid 2-D polygons and multipolygons (n,), metres of one projected CRS; frames:
    which of them make up the extent (n,), none if there is no extent. The result does not
    depend on `executor` or `per_tile`, nor, but for numbering, on the order of `geometry`.
    """
    progress = progress or Progress()
    executor = executor or Serial()
    with progress.step("noding", 0.35):
        geometry = on_fine_grid(geometry)
        rings = _streams(geometry)
        x, y, edges = _node(rings, len(geometry), executor, progress, per_tile)
    with progress.step("faces", 0.2):
        arcs = tracing.chain(edges.start, edges.end, len(x))
        faces = tracing.trace(arcs, x, y) if len(arcs) else _no_faces()
    with progress.step("labels", 0.2):
        hashes = feature_hashes(len(geometry))
        labels = label_faces(geometry, x, y, edges, arcs, faces, hashes, executor, progress)
    plane_m2 = _plane_areas(faces, x, y)
    return Partition(x, y, edges, arcs, faces, labels, hashes, plane_m2, _inside(labels, frames, len(faces)))


def on_fine_grid(geometry: NDArray[Any]) -> NDArray[Any]:
    """Return valid polygons with every vertex on the fine grid.

    Rounding vertices one by one keeps a polygon valid unless parts of it are thinner than a
    step and cross or turn over; those polygons are snap-rounded as a whole, and may vanish.
    """
    if len(geometry) == 0:
        return geometry
    rounded = shapely.transform(geometry, lambda xy: from_fine(to_fine(xy)))
    spoilt = np.flatnonzero(~shapely.is_valid(rounded) | _turned_over(geometry, rounded))
    if len(spoilt) == 0:
        return rounded
    mended = shapely.set_precision(geometry[spoilt], 1 / (PER_METRE * FINE))
    rounded[spoilt] = shapely.transform(mended, lambda xy: from_fine(to_fine(xy)))
    return rounded


def _turned_over(before: NDArray[Any], after: NDArray[Any]) -> NDArray[np.bool_]:
    """Tell which geometries have a ring whose direction rounding changed."""
    old, offsets, _, feature = _ragged_rings(before)
    new = _ragged_rings(after)[0]
    turned = np.zeros(len(before), bool)
    turned[feature[np.sign(_signed_areas(old, offsets)) != np.sign(_signed_areas(new, offsets))]] = True
    return turned


def feature_hashes(count: int) -> Hashes:
    """Return the hash of each feature; they serve the proofs of one run and are never written."""
    return mix(np.arange(1, count + 1, dtype=np.uint64))


@dataclass(frozen=True)
class _Rings:
    """All rings as one walk: from each position to the next one, interior on the left if sign is 1."""

    x: Ints
    y: Ints
    following: Ints
    feature: Ints
    sign: Ints


def _streams(geometry: NDArray[Any]) -> _Rings:
    """Return every ring in fine coordinates, without its closing point and without repeated points."""
    xy, ring_offsets, shell, feature = _ragged_rings(geometry)
    sign = np.where((_signed_areas(xy, ring_offsets) > 0) == shell, 1, -1)
    counts = np.diff(ring_offsets) - 1
    keep = ragged(ring_offsets[:-1], counts)
    ring = np.repeat(np.arange(len(counts)), counts)
    fine = to_fine(xy[keep])
    x, y = np.ascontiguousarray(fine[:, 0]), np.ascontiguousarray(fine[:, 1])
    for _ in range(2):  # once for repeats, once for a last point equal to the first
        following = _following(ring)
        moved = (x != x[following]) | (y != y[following])
        x, y, ring = x[moved], y[moved], ring[moved]
    return _Rings(x, y, _following(ring), feature[ring], sign[ring])


def _following(ring: Ints) -> Ints:
    """Return the next position on the same ring, positions being in ring order."""
    following = np.arange(1, len(ring) + 1)
    if len(ring):
        last = np.flatnonzero(np.append(ring[1:] != ring[:-1], True))
        following[last] = np.concatenate([[0], last[:-1] + 1])
    return following


def _ragged_rings(geometry: NDArray[Any]) -> tuple[Floats, Ints, NDArray[np.bool_], Ints]:
    """Return (coordinates, ring offsets, is shell, feature) of every ring."""
    if len(geometry) == 0:
        return np.empty((0, 2)), np.zeros(1, np.int64), np.empty(0, bool), np.empty(0, np.int64)
    kind, xy, offsets = shapely.to_ragged_array(geometry, include_z=False)
    offsets = [np.asarray(o, np.int64) for o in offsets]
    if kind == shapely.GeometryType.POLYGON:
        offsets.append(np.arange(len(geometry) + 1))
    ring_offsets, polygon_offsets, feature_offsets = offsets
    shell = np.zeros(len(ring_offsets) - 1, bool)
    shell[polygon_offsets[:-1][np.diff(polygon_offsets) > 0]] = True
    polygon_feature = np.repeat(np.arange(len(geometry)), np.diff(feature_offsets))
    return xy, ring_offsets, shell, np.repeat(polygon_feature, np.diff(polygon_offsets))


def _signed_areas(xy: Floats, offsets: Ints) -> Floats:
    """Return twice the signed area of closed rings."""
    if len(offsets) < 2:
        return np.empty(0)
    local = xy - np.repeat(xy[offsets[:-1]], np.diff(offsets), axis=0)
    terms = local[:-1, 0] * local[1:, 1] - local[1:, 0] * local[:-1, 1]
    terms[offsets[1:-1] - 1] = 0.0
    return np.add.reduceat(np.append(terms, 0.0), offsets[:-1])


@dataclass(frozen=True)
class _Parts:
    """Which segments, and through them which features, lie on each edge."""

    carried: _Carried
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


def _node(
    rings: _Rings, features: int, executor: Executor, progress: Progress, per_tile: int
) -> tuple[Ints, Ints, Edges]:
    """Return nodes in (x, y) order and the noded edges that separate labels."""
    x, y, vertex = same_points(rings.x, rings.y)
    ahead = vertex[rings.following]
    rising = vertex < ahead
    order, starts = group((np.minimum(vertex, ahead) << 32) | np.maximum(vertex, ahead))
    owner = order[starts]

    first, last = vertex[owner], ahead[owner]
    segments = Segments(x[first], y[first], x[last], y[last])
    splits = find_splits(segments, executor, progress.advance, per_tile)
    x, y, node = unique_points(
        np.concatenate([nearest_unit(x), splits.x]), np.concatenate([nearest_unit(y), splits.y])
    )
    subs = _sub_edges(segments, (node[first], node[last]), splits, node[len(node) - len(splits.x) :])

    with_owner = rising[order] == np.repeat(rising[owner], np.diff(np.append(starts, len(order))))
    along = rings.sign[order] * np.where(with_owner, 1, -1)
    carried = _Carried(rings.feature[order], along, np.append(starts, len(order)))
    return x, y, _edges(carried, subs, owner, feature_hashes(features))


@dataclass(frozen=True)
class _Carried:
    """The features whose boundary runs along each segment; `along` is 1 if on its left, -1 on its right."""

    feature: Ints
    along: Ints
    offsets: Ints


@dataclass(frozen=True)
class _SubEdges:
    """Segments after splitting: nodes, the segment each part is of, and its place along it."""

    start: Ints
    end: Ints
    segment: Ints
    step: Ints


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
    segment = np.repeat(np.arange(len(segments)), counts + 1)
    return _SubEdges(start, end, segment, np.arange(len(segment)) - offsets[segment])


def _edges(carried: _Carried, subs: _SubEdges, owner: Ints, hashes: Hashes) -> Edges:
    """Merge sub-edges that fell together, drop those nothing changes across, order the rest as rings walk."""
    carrier = hashes[carried.feature]
    flow = _sums(np.where(carried.along > 0, carrier, -carrier), carried.offsets[:-1])[subs.segment]
    rising = subs.start < subs.end
    key = (np.minimum(subs.start, subs.end) << 32) | np.maximum(subs.start, subs.end)
    order, begins = group(key)
    edge_flow = _sums(np.where(rising, flow, -flow)[order], begins)
    lead = order[begins]
    kept = np.flatnonzero((edge_flow != 0) & (subs.start[lead] != subs.end[lead]))
    walk = kept[np.lexsort((subs.step[lead[kept]], owner[subs.segment[lead[kept]]]))]
    sizes = np.diff(np.append(begins, len(order)))[walk]
    members = order[ragged(begins[walk], sizes)]
    parts = _Parts(carried, subs.segment[members], rising[members], np.concatenate([[0], np.cumsum(sizes)]))
    return Edges(subs.start[lead[walk]], subs.end[lead[walk]], edge_flow[walk], parts)


def _sums(values: Hashes, starts: Ints) -> Hashes:
    """Return the sums of runs of 64-bit hashes, wrapping round."""
    return np.add.reduceat(values, starts) if len(starts) else values


def _no_faces() -> Faces:
    none = np.empty(0, np.int64)
    return Faces(none, np.zeros(1, np.int64), np.zeros(1, np.int64), none)


def _plane_areas(faces: Faces, x: Ints, y: Ints) -> Floats:
    """Return the plane area of each face (m2), each ring measured from its own first node."""
    if len(faces) == 0:
        return np.empty(0)
    begin = np.repeat(faces.nodes[faces.ring_offsets[:-1]], np.diff(faces.ring_offsets))
    px, py = to_metres(x[faces.nodes] - x[begin]), to_metres(y[faces.nodes] - y[begin])
    terms = px[:-1] * py[1:] - px[1:] * py[:-1]
    terms[faces.ring_offsets[1:-1] - 1] = 0.0
    rings = np.add.reduceat(np.append(terms, 0.0), faces.ring_offsets[:-1]) / 2
    return np.add.reduceat(rings, faces.face_offsets[:-1])


def _inside(labels: Labels, frames: NDArray[np.bool_] | None, count: int) -> NDArray[np.bool_]:
    inside = np.zeros(count, bool)
    framed = frames is not None and bool(frames.any())
    inside[labels.face[frames[labels.feature]] if framed else labels.face] = True
    return inside
