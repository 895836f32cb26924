# SPDX-License-Identifier: GPL-2.0-or-later
"""The ledger of a run: invariants proved on the final pieces, and what was done to the data.

The proofs start from the polygons as they will be written, not from the arrays they were made
of: what was lost, doubled, moved or mislabelled on the way is found here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from swc_zoning.engine.arrangement import Hashes
from swc_zoning.engine.grid import PER_METRE, Floats, Ints, group, mix, to_metres, to_units
from swc_zoning.engine.messages import InvariantViolated
from swc_zoning.engine.partition import Partition


@dataclass(frozen=True)
class Entry:
    """One line of the ledger: what was checked or done, and the figures."""

    item: str
    value: float
    unit: str = ""
    note: str = ""


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
