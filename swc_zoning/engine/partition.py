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
from numpy.typing import NDArray

from swc_zoning.engine import faces as tracing
from swc_zoning.engine.arrangement import Edges, Hashes, feature_hashes, node
from swc_zoning.engine.faces import Arcs, Faces
from swc_zoning.engine.grid import Floats, Ints, to_metres
from swc_zoning.engine.labels import Labels, label_faces
from swc_zoning.engine.progress import Progress
from swc_zoning.engine.rings import read_rings
from swc_zoning.engine.tasks import Executor, Serial

#: Steps per square metre (or metre) in which edges are summed: fine enough for a million edges a face,
#: coarse enough for faces of two million square kilometres.
_SUM_STEPS = float(1 << 22)


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
        """Return for each face the sum of signed edge values round its rings, the same in any order.

        `edge_values` (m2, below 1e12) hold for walking each edge from start to end; against it they
        count negative.
        """
        return self._sum(edge_values, np.array([1, -1]))

    def sum_lengths(self) -> Floats:
        """Return the perimeter of each face (m), holes included."""
        dx = to_metres(self.x[self.edges.end] - self.x[self.edges.start])
        dy = to_metres(self.y[self.edges.end] - self.y[self.edges.start])
        return self._sum(np.hypot(dx, dy), np.array([1, 1]))

    def _sum(self, edge_values: Floats, signs: Ints) -> Floats:
        """Sum over the edges of each face; `signs`: of walking an edge forward and backward.

        In whole steps, since a sum of doubles would depend on the order of layers and features.
        Partial sums may wrap round; those of whole faces fit.
        """
        if len(self.faces) == 0:
            return np.empty(0)
        steps = np.add.reduceat(np.rint(edge_values * _SUM_STEPS).astype(np.int64), self.arcs.first_edge)
        signed = (steps[:, None] * signs).ravel()
        order = np.argsort(self.faces.left, kind="stable")
        face = self.faces.left[order]
        begins = np.searchsorted(face, np.arange(len(self.faces)))
        return np.add.reduceat(signed[order], begins) / _SUM_STEPS

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
    with progress.step("noding", 0.3):
        geometry, rings = read_rings(geometry)
        x, y, edges = node(rings, len(geometry), executor, progress, per_tile)
    with progress.step("faces", 0.1):
        arcs = tracing.chain(edges.start, edges.end, len(x))
        faces = tracing.trace(arcs, x, y) if len(arcs) else _no_faces()
    with progress.step("labels", 0.15):
        hashes = feature_hashes(len(geometry))
        labels = label_faces(geometry, x, y, edges, arcs, faces, hashes, executor, progress)
    plane_m2 = _plane_areas(faces, x, y)
    return Partition(x, y, edges, arcs, faces, labels, hashes, plane_m2, _inside(labels, frames, len(faces)))


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
