# SPDX-License-Identifier: GPL-2.0-or-later
"""The ledger of a run: invariants proved on the final pieces, and what was done to the data.

The proofs start from the polygons as they will be written, not from the arrays they were made
of: what was lost, doubled, moved or mislabelled on the way is found here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray

from swc_zoning.engine.arrangement import Hashes
from swc_zoning.engine.grid import PER_METRE, Floats, Ints, group, mix, to_metres, to_units
from swc_zoning.engine.messages import InvariantViolated
from swc_zoning.engine.partition import Partition

if TYPE_CHECKING:
    from swc_zoning.engine.pieces import Pieces


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

    def keys(self) -> tuple[Hashes, NDArray[np.bool_]]:
        """Return a hash of each edge, the same both ways, and whether it runs to the larger end."""
        return _edge_keys(self.x1, self.y1, self.x2, self.y2)


def _edge_keys(x1: Ints, y1: Ints, x2: Ints, y2: Ints) -> tuple[Hashes, NDArray[np.bool_]]:
    rising = (x1 < x2) | ((x1 == x2) & (y1 < y2))
    a = mix(x1.astype(np.uint64) ^ (y1.astype(np.uint64) << np.uint64(32)) ^ mix(y1.astype(np.uint64)))
    b = mix(x2.astype(np.uint64) ^ (y2.astype(np.uint64) << np.uint64(32)) ^ mix(y2.astype(np.uint64)))
    low, high = np.where(rising, a, b), np.where(rising, b, a)
    return mix(low + np.uint64(3) * mix(high)), rising


def prove(
    partition: Partition,
    polygons: NDArray[Any],
    area_m2: Floats,
    perimeter_m: Floats,
    names: Sequence[tuple[str, str]],
) -> list[Entry]:
    """Prove the invariants of a partition on its final `polygons` (one for each face).

    area_m2, perimeter_m: of each repaired feature, plane; names: (layer, source id) of each.
    Raises InvariantViolated: ``valid`` (I5), ``overlap`` (I2), ``gap`` (I1), ``edges`` (an edge
    that bounds nothing), ``labels`` (crossing an edge changes exactly what it carries, I4),
    ``feature_area`` (I3).
    """
    _prove_valid(polygons)
    _prove_edges(partition, polygons)
    worst = _prove_feature_areas(partition, polygons, area_m2, perimeter_m, names)
    total = float(shapely.area(polygons[partition.inside]).sum())
    return [
        Entry("pieces", int(partition.inside.sum()), "1"),
        Entry("edges", len(partition.edges), "1", "each has the labels it carries, and one piece a side"),
        Entry("labelled_by_edges_only", partition.labels.by_edge, "1", "thinner than the grid can tell"),
        Entry("worst_feature_area_residual", worst, "m2", "pieces of a feature less the feature"),
        Entry("total_plane_area", total, "m2"),
    ]


def _prove_valid(polygons: NDArray[Any]) -> None:
    bad = np.flatnonzero(~shapely.is_valid(polygons) | shapely.is_empty(polygons))
    if len(bad):
        raise InvariantViolated("valid", _place_of(polygons[bad[0]]), count=len(bad))


def _place_of(polygon: Any) -> tuple[float, float] | None:
    xy = shapely.get_coordinates(polygon)
    return (float(xy[0, 0]), float(xy[0, 1])) if len(xy) else None


def _prove_edges(partition: Partition, polygons: NDArray[Any]) -> None:
    """Prove that pieces fit edge to edge and differ across each edge by what it carries.

    Compares one fingerprint of all pieces with one of all noded edges: the sum over edges of
    (hash of the edge) x (labels on its left less those on its right). Equal fingerprints prove
    it but for a chance of 2^-64; unequal ones are searched for the place.
    """
    walks = Walks.of(polygons)
    found, rising = walks.keys()
    sums = partition.labels.sums(partition.hashes, len(polygons))[walks.polygon]
    edges = partition.edges
    low, high = np.minimum(edges.start, edges.end), np.maximum(edges.start, edges.end)
    x, y = partition.x, partition.y
    wanted, _ = _edge_keys(x[low], y[low], x[high], y[high])
    signed = np.where(rising, sums, -sums)
    if np.sum(signed * found) != np.sum(edges.flow * wanted):
        _explain(walks, found, rising, signed, wanted, edges.flow, (x[low], y[low]))


def _explain(
    walks: Walks,
    found: Hashes,
    rising: NDArray[np.bool_],
    signed: Hashes,
    wanted: Hashes,
    flow: Hashes,
    corner: tuple[Ints, Ints],
) -> None:
    """Raise the invariant that the first differing edge violates."""
    strange = ~np.isin(found, wanted)
    if strange.any():
        raise _violated("edges", strange, walks.x1, walks.y1)
    order = np.lexsort((rising, found))
    twice = np.zeros(len(found), bool)
    twice[order[1:]] = (np.diff(found[order]) == 0) & (np.diff(rising[order]) == 0)
    if twice.any():
        raise _violated("overlap", twice, walks.x1, walks.y1)
    order, begins = group(found.view(np.int64))
    sums = np.add.reduceat(signed[order], begins)
    known = dict(zip(found[order[begins]].tolist(), sums.tolist()))
    got = np.array([known.get(key, 0) for key in wanted.tolist()], np.uint64)
    sides = dict(zip(found[order[begins]].tolist(), np.diff(np.append(begins, len(order))).tolist()))
    one_sided = np.array([sides.get(key, 0) < 2 for key in wanted.tolist()])
    differs = got != flow
    raise _violated("gap" if (differs & one_sided).any() else "labels", differs, *corner)


def _violated(invariant: str, where: NDArray[np.bool_], x: Ints, y: Ints) -> InvariantViolated:
    at = int(np.flatnonzero(where)[0])
    place = float(to_metres(x[at])), float(to_metres(y[at]))
    return InvariantViolated(invariant, place, count=int(where.sum()))


def _prove_feature_areas(
    partition: Partition,
    polygons: NDArray[Any],
    area_m2: Floats,
    perimeter_m: Floats,
    names: Sequence[tuple[str, str]],
) -> float:
    """Prove that the pieces of every feature add up to it; return the largest residual (m2).

    Rounding moves a boundary by at most a grid unit: perimeter x 0.0001 m + 0.01 m2.
    """
    labels = partition.labels
    pieces = shapely.area(polygons)[labels.face]
    found = np.bincount(labels.feature, pieces, minlength=len(area_m2))
    residual = np.abs(found - area_m2)
    wrong = np.flatnonzero(residual > perimeter_m / PER_METRE + 0.01)
    if len(wrong):
        at = int(wrong[np.argmax(residual[wrong])])
        faces = labels.face[labels.feature == at]
        place = _place_of(polygons[faces[0]]) if len(faces) else None
        layer, source_id = names[at]
        raise InvariantViolated(
            "feature_area",
            place,
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
    inside = np.zeros(len(partition.faces), bool)
    inside[partition.labels.face[extent[partition.labels.feature] | ~extent.any()]] = True
    made = pieces.piece_of_face >= 0
    leads = np.array_equal(pieces.piece_of_face[pieces.face], np.arange(len(pieces)))
    if not leads or not np.array_equal(made, inside):
        face = int(np.flatnonzero(made != inside)[0]) if (made != inside).any() else int(pieces.face[0])
        raise InvariantViolated("pieces", _face_corner(partition, face), count=int((made != inside).sum()))
    _prove_feature_pieces(pieces, inside, ~extent)
    prove_members(pieces)
    return [Entry("total_ellipsoidal_area", float(pieces.ellipsoidal_m2.sum()), "m2")]


def _face_corner(partition: Partition, face: int) -> tuple[float, float]:
    node = partition.faces.nodes[partition.faces.ring_offsets[partition.faces.face_offsets[face]]]
    return float(to_metres(partition.x[node])), float(to_metres(partition.y[node]))


def _prove_feature_pieces(pieces: Pieces, inside: NDArray[np.bool_], counted: NDArray[np.bool_]) -> None:
    labels = pieces.partition.labels
    rows = inside[labels.face] & counted[labels.feature]
    count = len(counted)
    wanted = np.bincount(labels.feature[rows], pieces.partition.plane_m2[labels.face[rows]], minlength=count)
    areas = shapely.area(pieces.polygons)[pieces.label_piece]
    found = np.bincount(pieces.label_feature, areas, minlength=count)
    off = np.abs(found - wanted)
    if np.any(off > 1e-9 * wanted + 1e-4):
        worst = int(np.argmax(off))
        names = pieces.intake.layers[pieces.intake.features.layer[worst]].layer
        place = _place_of(pieces.intake.features.geometry[worst])
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
            place = _face_corner(pieces.partition, int(pieces.face[wrong[0]]))
            raise InvariantViolated("members", place, role=role, tier=tier, count=len(wrong))


def prove_dissolved(pieces: Pieces, key: Ints, polygons: NDArray[Any], polygon_key: Ints) -> None:
    """Prove that dissolved polygons are made of the pieces of their key and of nothing else.

    `key`: of each piece. Raises InvariantViolated("zones").
    """
    _prove_same_ground("zones", pieces.polygons, key, polygons, polygon_key)


def prove_joined(parts: NDArray[Any], into: Ints, wholes: NDArray[Any], area_m2: Floats) -> None:
    """Prove that each of `wholes` is made of exactly the parts that go `into` it.

    `area_m2`: what is said of their areas. Raises InvariantViolated: ``merged`` (another ground or
    area), ``valid``.
    """
    several = np.bincount(into, minlength=len(wholes)) > 1
    joined = wholes[several]
    _prove_valid(joined)
    rows = several[into]
    _prove_same_ground("merged", parts[rows], into[rows], joined, np.flatnonzero(several))
    off = np.abs(shapely.area(joined) - area_m2[several]) > 1e-9 * area_m2[several] + 1e-4
    # What nothing was joined to is the very same polygon.
    other = [part is not wholes[at] for part, at in zip(parts[~rows], into[~rows].tolist())]
    wrong = [*joined[off], *parts[~rows][np.array(other, bool)]]
    if wrong:
        raise InvariantViolated("merged", _place_of(wrong[0]), count=len(wrong))


def _prove_same_ground(
    invariant: str, parts: NDArray[Any], key: Ints, polygons: NDArray[Any], polygon_key: Ints
) -> None:
    """Prove that the parts of each key and the polygons of that key cover the same ground.

    One fingerprint of the parts, edges within a key cancelling out, must equal that of the polygons.
    """
    sums = []
    for shapes, keys in ((parts, key), (polygons, polygon_key)):
        walks = Walks.of(shapes)
        edges, rising = walks.keys()
        weight = mix(keys.astype(np.uint64) + np.uint64(1))[walks.polygon]
        sums.append(np.sum(np.where(rising, weight, -weight) * edges))
    if sums[0] != sums[1]:
        areas = [
            np.bincount(k, shapely.area(s), minlength=int(key.max()) + 1)
            for s, k in ((parts, key), (polygons, polygon_key))
        ]
        worst = int(np.argmax(np.abs(areas[0] - areas[1])))
        place = _place_of(parts[np.flatnonzero(key == worst)[0]])
        raise InvariantViolated(invariant, place, count=int((areas[0] != areas[1]).sum()))
