# SPDX-License-Identifier: GPL-2.0-or-later
"""One tile traced: faces drawn, measured, labelled and proved; strands and arcs for what lies beyond.

This is the task that a worker carries out: it needs the tile and nothing else, and gives columns of
numbers and one run of bytes, so that it may run in any process and its result be kept on disk.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from swc_zoning.engine import faces as tracing
from swc_zoning.engine import ledger
from swc_zoning.engine.areas import AreaModel
from swc_zoning.engine.arrangement import Arrangement, arrange
from swc_zoning.engine.faces import Arcs, Faces, Strands
from swc_zoning.engine.grid import Floats, Ints, ragged, to_metres
from swc_zoning.engine.labels import ask, interior_points
from swc_zoning.engine.messages import SwcError
from swc_zoning.engine.tiles import Tile

Hashes = NDArray[np.uint64]

#: Steps per square metre (or metre) in which edges are summed: fine enough for a million edges a face,
#: coarse enough for faces of two million square kilometres. Whole steps add up the same in any order.
STEPS = float(1 << 22)
#: Plane area (m2) of the largest face that 64 bits of steps hold, however its projection stretches it.
_LARGEST = 2e12


@dataclass(frozen=True)
class Shapes:
    """Faces as they will be written, columns of length n.

    x, y: smallest node of the shell (units); plane_m2; perimeter, ellipsoidal: in steps; key: the
    fingerprint of the polygon's edges; id: head of the SHA-256 of its integer rings; point: inside
    it, metres; wkb: polygons one after the other, `sizes` bytes each.
    """

    x: Ints
    y: Ints
    plane_m2: Floats
    perimeter: Ints
    ellipsoidal: Ints
    key: Hashes
    id: Hashes
    point: Floats
    wkb: bytes
    sizes: Ints

    def __len__(self) -> int:
        return len(self.x)


@dataclass(frozen=True)
class Loose:
    """Strands of one tile as columns of length s.

    Strand i visits the nodes ``(x, y)[offsets[i]:offsets[i + 1]]`` (units), all of the tile. The
    first `open` come in from (from_x, from_y) and leave to (to_x, to_y), nodes of other tiles.
    perimeter, ellipsoidal, key: of the edges that start in the tile, as in `Shapes`.
    """

    x: Ints
    y: Ints
    offsets: Ints
    open: int
    from_x: Ints
    from_y: Ints
    to_x: Ints
    to_y: Ints
    perimeter: Ints
    ellipsoidal: Ints
    key: Hashes

    def __len__(self) -> int:
        return len(self.offsets) - 1


@dataclass(frozen=True)
class Chains:
    """Arcs of one tile as columns of length k: nodes (units), sides, who carries them.

    left, right: a face of the tile, or ``-1 - s`` for strand s. See `borders.Borders`.
    """

    x: Ints
    y: Ints
    nodes: Ints
    left: Ints
    right: Ints
    length: Ints
    offsets: Ints
    feature: Ints
    side: NDArray[np.int8]

    def __len__(self) -> int:
        return len(self.left)


@dataclass(frozen=True)
class Traced:
    """What a tile gives; `label_face`, `label_feature`: sorted rows of its own numbers, told by points."""

    shapes: Shapes
    label_face: Ints
    label_feature: Ints
    loose: Loose
    chains: Chains


def trace_tile(task: tuple[Tile, AreaModel | None]) -> Traced:
    """Trace one tile; areas on the ellipsoid are 0 without a model.

    Raises InvariantViolated where a face is not drawn as its edges say, SwcError
    ``areas.beyond_projection`` and ``areas.face_too_large`` where no area can be computed.
    """
    tile, model = task
    made = arrange(tile)
    arcs = tracing.chain(made.edges.start, made.edges.end, made.owned)
    faces, strands, left = tracing.trace(arcs, made.x, made.y, made.owned)
    sums = _Sums(made, arcs, strands, left, len(faces), model)
    count = len(faces)
    shapes = draw(faces, made.x, made.y, *(column[:count] for column in sums.columns()))
    loose = _loose(strands, arcs, made, *(column[count:] for column in sums.columns()))
    label_face, label_feature = _labels(tile, shapes.point)
    return Traced(shapes, label_face, label_feature, loose, _chains(made, arcs, left, sums.length))


def draw(faces: Faces, x: Ints, y: Ints, perimeter: Ints, ellipsoidal: Ints, key: Hashes) -> Shapes:
    """Return faces drawn and proved; x, y: nodes (units); `key`: what the fingerprint must be."""
    polygons = faces.polygons(x, y)
    ledger.prove_polygons(polygons, key)
    wkb = shapely.to_wkb(polygons)
    corner = faces.corners()
    plane_m2 = _plane_areas(faces, x, y)
    # Without a model there is nothing on the ellipsoid.
    too_large = (plane_m2 > _LARGEST) & (ellipsoidal != 0)
    if too_large.any():
        raise SwcError("areas.face_too_large", **_at(x, y, corner[np.argmax(too_large)]))
    return Shapes(
        x[corner],
        y[corner],
        plane_m2,
        perimeter,
        ellipsoidal,
        key,
        ids_of_rings(x[faces.nodes], y[faces.nodes], faces.ring_offsets, faces.face_offsets),
        interior_points(faces, x, y),
        b"".join(wkb),
        np.fromiter(map(len, wkb), np.int64, len(wkb)),
    )


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


def ids_of_rings(x: Ints, y: Ints, rings: Ints, polygons: Ints) -> Hashes:
    """Return ids of polygons made of their integer rings, from their smallest nodes, shells first.

    x, y (units): nodes of closed rings one after the other, ring r from ``rings[r]``, polygon p from
    ring ``polygons[p]``. The same place gives the same id in every run.
    """
    xy = np.column_stack([x, y]).astype("<i8").tobytes()
    sizes = np.diff(rings).astype("<i8").tobytes()
    first, at = polygons.tolist(), rings[polygons].tolist()
    heads = []
    for number in range(len(first) - 1):
        digest = hashlib.sha256(sizes[8 * first[number] : 8 * first[number + 1]])
        digest.update(xy[16 * at[number] : 16 * at[number + 1]])
        heads.append(digest.digest()[:8])
    return np.frombuffer(b"".join(heads), ">u8").astype(np.uint64)


def _labels(tile: Tile, points: Floats) -> tuple[Ints, Ints]:
    """Return rows (face, feature), sorted, for the points inside features."""
    owner = tile.small[tile.rings.owner] if len(tile.small) else tile.rings.owner
    face, part = ask(points, np.concatenate([tile.rings.parts(), tile.clips]))
    feature = np.concatenate([owner, tile.clip_of])[part]
    order = np.lexsort((feature, face))
    return face[order], feature[order]


class _Sums:
    """Edges summed over faces and strands, in whole steps and hashes, all that may wrap round."""

    def __init__(
        self, made: Arrangement, arcs: Arcs, strands: Strands, left: Ints, faces: int, model: AreaModel | None
    ) -> None:
        start, end = made.edges.start, made.edges.end
        x, y = to_metres(made.x), to_metres(made.y)
        self.arcs, self.count = arcs, faces + len(strands)
        self.target = np.where(left >= 0, left, faces - 1 - left)
        # The edge by which a strand comes in starts in another tile and is summed there.
        self.own = np.ones(len(left), bool)
        self.own[strands.half_arcs[strands.offsets[: strands.open]]] = False
        self.length = self._per_arc(_steps(np.hypot(x[end] - x[start], y[end] - y[start])))
        with np.errstate(invalid="ignore"):
            terms = np.zeros(len(start)) if model is None else model.edge_terms_indexed(x, y, start, end)
        if not np.isfinite(terms).all():
            raise SwcError(
                "areas.beyond_projection", **_at(made.x, made.y, start[np.argmin(np.isfinite(terms))])
            )
        self.area = self._per_arc(_steps(terms))
        key, rising = ledger.edge_keys(made.x, made.y, start, end)
        self.key = self._per_arc(np.where(rising, key, -key))

    def _per_arc(self, edge_values: NDArray[Any]) -> NDArray[Any]:
        if len(self.arcs) == 0:
            return edge_values
        return np.add.reduceat(edge_values, self.arcs.first_edge)

    def columns(self) -> tuple[Ints, Ints, Hashes]:
        """Return perimeter, ellipsoidal area and key of each face, then of each strand."""
        return (
            self._over(self.length, self.length),
            self._over(self.area, -self.area),
            self._over(self.key, -self.key),
        )

    def _over(self, forward: NDArray[Any], backward: NDArray[Any]) -> NDArray[Any]:
        values = np.column_stack([forward, backward]).ravel()
        values[~self.own] = 0
        order = np.argsort(self.target, kind="stable")
        begins = np.searchsorted(self.target[order], np.arange(self.count))
        return np.add.reduceat(values[order], begins) if self.count else values[:0]


def _steps(values: Floats) -> Ints:
    """Return whole steps, wrapped round: an edge far from the meridian may hold more than its face."""
    steps = np.rint(values * STEPS)
    large = np.abs(steps) >= 2.0**63
    if large.any():
        steps[large] = np.mod(steps[large] + 2.0**63, 2.0**64) - 2.0**63
    return steps.astype(np.int64)


def _at(x: Ints, y: Ints, node: Any) -> dict[str, float]:
    return {"east": float(to_metres(x[node])), "north": float(to_metres(y[node]))}


def _loose(
    strands: Strands, arcs: Arcs, made: Arrangement, perimeter: Ints, ellipsoidal: Ints, key: Hashes
) -> Loose:
    opened = strands.open
    first = strands.half_arcs[strands.offsets[:opened]]
    last = strands.half_arcs[strands.offsets[1 : opened + 1] - 1]
    own = np.ones(len(strands.half_arcs), bool)
    own[strands.offsets[:opened]] = False
    nodes, at = tracing.walk_nodes(arcs, strands.half_arcs[own])
    # A strand has as many half-arcs of its own as it has, less the one by which it comes in.
    offsets = at[strands.offsets - np.minimum(np.arange(len(strands.offsets)), opened)]
    come, go = _begin(arcs, first), _begin(arcs, last ^ 1)
    columns = (made.x[come], made.y[come], made.x[go], made.y[go])
    return Loose(made.x[nodes], made.y[nodes], offsets, opened, *columns, perimeter, ellipsoidal, key)


def _begin(arcs: Arcs, half_arcs: Ints) -> Ints:
    """Return the node each half-arc begins at."""
    arc = half_arcs >> 1
    return arcs.nodes[np.where(half_arcs & 1, arcs.offsets[arc + 1] - 1, arcs.offsets[arc])]


def _chains(made: Arrangement, arcs: Arcs, left: Ints, length: Ints) -> Chains:
    """Return the arcs of this tile; of an edge across a seam the tile of its smaller node has the arc."""
    first, last = arcs.nodes[arcs.offsets[:-1]], arcs.nodes[arcs.offsets[1:] - 1]
    kept = np.flatnonzero(made.owned[np.minimum(first, last)])
    counts = np.diff(arcs.offsets)[kept]
    nodes = arcs.nodes[ragged(arcs.offsets[:-1][kept], counts)]
    row, feature, side = made.edges.carriers(arcs.first_edge[kept])
    offsets = np.concatenate([[0], np.cumsum(np.bincount(row, minlength=len(kept)))])
    return Chains(
        made.x[nodes],
        made.y[nodes],
        counts,
        left[0::2][kept],
        left[1::2][kept],
        length[kept],
        offsets,
        feature,
        side.astype(np.int8),
    )
