# SPDX-License-Identifier: GPL-2.0-or-later
"""The ledger of a run: invariants proved on the final pieces, and what was done to the data.

The proofs start from the polygons as they will be written, not from the arrays they were made
of: what was lost, moved or mislabelled on the way is found here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray

from swc_zoning.engine.grid import PER_METRE, Floats, Ints, mix, to_units
from swc_zoning.engine.labels import contradictions
from swc_zoning.engine.messages import InvariantViolated

if TYPE_CHECKING:
    from swc_zoning.engine.partition import Partition
    from swc_zoning.engine.pieces import Pieces

Hashes = NDArray[np.uint64]


@dataclass(frozen=True)
class Entry:
    """One line of the ledger: what was checked or done, and the figures."""

    item: str
    value: float
    unit: str = ""
    note: str = ""


class Row(NamedTuple):
    """A row of the table `ledger`: areas before and after (m2), the place, the leftovers of a repair,
    the piece that another went into."""

    entry: str
    subject: str
    source_id: str = ""
    before: float = np.nan
    after: float = np.nan
    note: str = ""
    east: float = np.nan
    north: float = np.nan
    leftovers: int = 0
    into: str = ""


@dataclass(frozen=True)
class Walks:
    """Directed edges of polygons in grid units, interior on the left; `polygon` numbers their owners."""

    x1: Ints
    y1: Ints
    x2: Ints
    y2: Ints
    polygon: Ints

    @classmethod
    def of(cls, polygons: NDArray[Any]) -> Walks:
        """Return the edges of valid polygons with counter-clockwise shells and clockwise holes."""
        if len(polygons) == 0:
            none = np.empty(0, np.int64)
            return cls(none, none, none, none, none)
        _, xy, offsets = shapely.to_ragged_array(polygons, include_z=False)
        ring_offsets, polygon_offsets = (np.asarray(o, np.int64) for o in offsets[:2])
        units = to_units(xy)
        inner = np.ones(len(units) - 1, bool)
        inner[ring_offsets[1:-1] - 1] = False
        owner = np.repeat(np.arange(len(polygons)), np.diff(ring_offsets[polygon_offsets]))[:-1]
        start, end = units[:-1][inner], units[1:][inner]
        return cls(start[:, 0], start[:, 1], end[:, 0], end[:, 1], owner[inner])

    def signed_keys(self) -> Hashes:
        """Return a hash of each edge, its sign turned where it runs to the smaller end."""
        x, y = np.concatenate([self.x1, self.x2]), np.concatenate([self.y1, self.y2])
        count = np.arange(len(self.x1))
        key, rising = edge_keys(x, y, count, count + len(count))
        return np.where(rising, key, -key)


def edge_keys(x: Ints, y: Ints, start: Ints, end: Ints) -> tuple[Hashes, NDArray[np.bool_]]:
    """Return a hash of each edge, the same both ways, and whether it runs to its larger end."""
    node = mix(x.astype(np.uint64) ^ (y.astype(np.uint64) << np.uint64(32)) ^ mix(y.astype(np.uint64)))
    rising = (x[start] < x[end]) | ((x[start] == x[end]) & (y[start] < y[end]))
    a, b = node[start], node[end]
    return mix(np.where(rising, a, b) + np.uint64(3) * mix(np.where(rising, b, a))), rising


def fingerprints(polygons: NDArray[Any]) -> Hashes:
    """Return for each polygon the sum of the signed keys of its edges, interior on their left."""
    walks = Walks.of(polygons)
    if len(walks.polygon) == 0:
        return np.zeros(len(polygons), np.uint64)
    starts = np.flatnonzero(np.diff(walks.polygon, prepend=-1))
    sums = np.zeros(len(polygons), np.uint64)
    sums[walks.polygon[starts]] = np.add.reduceat(walks.signed_keys(), starts)
    return sums


# --- faces -------------------------------------------------------------------------------------------


def prove_polygons(polygons: NDArray[Any], key: Hashes) -> None:
    """Prove that faces are drawn as the noded edges round them say (one `key` for each polygon).

    Raises InvariantViolated: ``valid`` (I5), ``edges`` (a polygon has other edges than those that
    have its face on their left). Together with `prove_labels` that leaves no gap and no overlap
    (I1, I2): every edge has one face on each side, and a face has all its edges.
    """
    _prove_valid(polygons)
    other = np.flatnonzero(fingerprints(polygons) != key)
    if len(other):
        raise InvariantViolated("edges", _place_of(polygons[other[0]]), count=len(other))


def _prove_valid(polygons: NDArray[Any]) -> None:
    bad = np.flatnonzero(~shapely.is_valid(polygons) | shapely.is_empty(polygons))
    if len(bad):
        raise InvariantViolated("valid", _place_of(polygons[bad[0]]), count=len(bad))


def _place_of(polygon: Any) -> tuple[float, float] | None:
    xy = shapely.get_coordinates(polygon)
    return (float(xy[0, 0]), float(xy[0, 1])) if len(xy) else None


def prove(
    partition: Partition, area_m2: Floats, perimeter_m: Floats, names: Sequence[tuple[str, str]]
) -> list[Entry]:
    """Prove the invariants of a partition whose faces are proved one by one.

    area_m2, perimeter_m: of each repaired feature, plane; names: (layer, source id) of each.
    Raises InvariantViolated: ``gap`` (no face lies on a side of an edge that has features there),
    ``labels`` (crossing an edge changes exactly what it carries, I4), ``feature_area`` (I3).
    """
    _prove_labels(partition)
    worst = _prove_feature_areas(partition, area_m2, perimeter_m, names)
    return [
        Entry("pieces", int(partition.inside.sum()), "1"),
        Entry("borders", len(partition.borders), "1", "each changes the labels by what it carries"),
        Entry("labelled_by_edges_only", partition.labels.by_edge, "1", "thinner than the grid can tell"),
        Entry("worst_feature_area_residual", worst, "m2", "pieces of a feature less the feature"),
        Entry("total_plane_area", float(partition.plane_m2[partition.inside].sum()), "m2"),
    ]


def _prove_labels(partition: Partition) -> None:
    borders, hashes = partition.borders, partition.hashes
    flow = borders.flow(hashes)
    wrong = contradictions(partition.labels, borders, flow, hashes, len(partition))
    if len(wrong):
        outside = np.minimum(borders.left[wrong], borders.right[wrong]) < 0
        invariant = "gap" if outside.any() else "labels"
        at = wrong[outside][0] if outside.any() else wrong[0]
        raise InvariantViolated(invariant, borders.place(int(at)), count=len(wrong))


def _prove_feature_areas(
    partition: Partition, area_m2: Floats, perimeter_m: Floats, names: Sequence[tuple[str, str]]
) -> float:
    """Prove that the pieces of every feature add up to it; return the largest residual (m2).

    Rounding moves a boundary by at most a grid unit: perimeter x 0.0001 m + 0.01 m2.
    """
    labels = partition.labels
    found = np.bincount(labels.feature, partition.plane_m2[labels.face], minlength=len(area_m2))
    residual = np.abs(found - area_m2)
    wrong = np.flatnonzero(residual > perimeter_m / PER_METRE + 0.01)
    if len(wrong):
        at = int(wrong[np.argmax(residual[wrong])])
        faces = labels.face[labels.feature == at]
        layer, source_id = names[at]
        raise InvariantViolated(
            "feature_area",
            partition.place(int(faces[0])) if len(faces) else None,
            layer=layer,
            source_id=source_id,
            expected=round(float(area_m2[at]), 2),
            found=round(float(found[at]), 2),
        )
    return float(residual.max()) if len(residual) else 0.0


# --- the pieces and zones made of the faces ----------------------------------------------------------


def prove_pieces(pieces: Pieces) -> list[Entry]:
    """Prove that the pieces are the faces they must be, with the members their features give them.

    Raises InvariantViolated: ``pieces`` (I1: a face inside the extent without a piece, or the
    reverse), ``feature_pieces`` (I3: the pieces of a feature do not add up to its faces inside),
    ``members`` (I4: a piece's roles and tiers are not those of the features on it).
    """
    partition, intake = pieces.partition, pieces.intake
    extent = np.array([record.extent for record in intake.layers], bool)[intake.features.layer]
    inside = np.zeros(len(partition), bool)
    inside[partition.labels.face[extent[partition.labels.feature] | ~extent.any()]] = True
    made = pieces.piece_of_face >= 0
    leads = np.array_equal(pieces.piece_of_face[pieces.face], np.arange(len(pieces)))
    if not leads or not np.array_equal(made, inside):
        face = int(np.flatnonzero(made != inside)[0]) if (made != inside).any() else int(pieces.face[0])
        raise InvariantViolated("pieces", partition.place(face), count=int((made != inside).sum()))
    _prove_feature_pieces(pieces, inside, ~extent)
    prove_members(pieces)
    return [Entry("total_ellipsoidal_area", float(pieces.ellipsoidal_m2.sum()), "m2")]


def _prove_feature_pieces(pieces: Pieces, inside: NDArray[np.bool_], counted: NDArray[np.bool_]) -> None:
    labels = pieces.partition.labels
    rows = inside[labels.face] & counted[labels.feature]
    count = len(counted)
    wanted = np.bincount(labels.feature[rows], pieces.partition.plane_m2[labels.face[rows]], minlength=count)
    areas = pieces.plane_m2[pieces.label_piece]
    found = np.bincount(pieces.label_feature, areas, minlength=count)
    off = np.abs(found - wanted)
    if np.any(off > 1e-9 * wanted + 1e-4):
        worst = int(np.argmax(off))
        names = pieces.intake.layers[pieces.intake.features.layer[worst]].layer
        face = labels.face[rows & (labels.feature == worst)]
        place = pieces.partition.place(int(face[0])) if len(face) else None
        raise InvariantViolated(
            "feature_pieces", place, layer=names, source_id=pieces.intake.features.source_id[worst]
        )


def prove_members(pieces: Pieces) -> None:
    """Prove that pieces have the roles and tiers of the features on them; raises ``members`` (I4)."""
    features, layers = pieces.intake.features, pieces.intake.layers
    tokens = [(layers[layer].role, tier) for layer, tier in zip(features.layer.tolist(), features.tier)]
    known = {token: number for number, token in enumerate(sorted(set(tokens)))}
    of_feature = np.array([known[token] for token in tokens], np.int64)[pieces.label_feature]
    for (role, tier), number in known.items():
        says = np.array([tier in combo.members.get(role, ()) for combo in pieces.combos], bool)
        there = np.zeros(len(pieces), bool)
        there[pieces.label_piece[of_feature == number]] = True
        wrong = np.flatnonzero(there != says[pieces.combo])
        if len(wrong):
            place = pieces.partition.place(int(pieces.face[wrong[0]]))
            raise InvariantViolated("members", place, role=role, tier=tier, count=len(wrong))


def prove_dissolved(pieces: Pieces, key: Ints, polygons: NDArray[Any], polygon_key: Ints) -> None:
    """Prove that dissolved polygons are made of the pieces of their key and of nothing else.

    `key`: of each piece. One fingerprint of the faces, edges within a key cancelling out, must
    equal that of the polygons. Raises InvariantViolated("zones").
    """
    inside = np.flatnonzero(pieces.piece_of_face >= 0)
    weights = _weights(key)[pieces.piece_of_face[inside]]
    if np.sum(_weights(polygon_key) * fingerprints(polygons)) == np.sum(
        weights * pieces.partition.key[inside]
    ):
        return
    count = int(key.max(initial=0)) + 1
    wanted = np.bincount(key, pieces.plane_m2, minlength=count)
    found = np.bincount(polygon_key, shapely.area(polygons), minlength=count)
    worst = int(np.argmax(np.abs(wanted - found)))
    place = pieces.partition.place(int(pieces.face[np.flatnonzero(key == worst)[0]]))
    raise InvariantViolated("zones", place, count=int((np.abs(wanted - found) > 1e-6).sum()))


def _weights(key: Ints) -> Hashes:
    return mix(key.astype(np.uint64) + np.uint64(1))


def prove_joined(before: Pieces, after: Pieces, into: Ints) -> None:
    """Prove that each piece of `after` is made of exactly the pieces that go `into` it.

    Raises InvariantViolated: ``merged`` (another ground or area), ``valid``.
    """
    wanted = np.zeros(len(after), np.uint64)
    np.add.at(wanted, into, before.partition.key[before.face])
    several = np.bincount(into, minlength=len(after)) > 1
    joined = np.flatnonzero(several)
    polygons = after.drawn(joined)
    _prove_valid(polygons)
    area = after.plane_m2[joined]
    other = fingerprints(polygons) != wanted[joined]
    other |= np.abs(shapely.area(polygons) - area) > 1e-9 * area + 1e-4
    # What nothing was joined to is the face it was.
    moved = wanted[~several] != after.partition.key[after.face[~several]]
    moved |= after.redrawn[~several] != None  # noqa: E711 (element-wise)
    if other.any() or moved.any():
        wrong = np.concatenate([joined[other], np.flatnonzero(~several)[moved]])
        place = after.partition.place(int(after.face[wrong[0]]))
        raise InvariantViolated("merged", place, count=len(wrong))
