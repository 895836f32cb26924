# SPDX-License-Identifier: GPL-2.0-or-later
"""Pieces of the city: faces inside the extent with their names, districts, memberships and decisions.

Rules are asked once for each distinct label combination (*combo*), not for each piece.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from swc_zoning.engine import rules
from swc_zoning.engine.areas import Adjustment, close_districts
from swc_zoning.engine.grid import Floats, Ints, group, mix, ragged
from swc_zoning.engine.intake import Intake
from swc_zoning.engine.job import Job, Slivers
from swc_zoning.engine.partition import Partition

LAND_MASK = "land_mask"
#: Hexadecimal digits of a piece id: 64 bits of the SHA-256 of its rings.
_ID_DIGITS = 16


@dataclass(frozen=True)
class District:
    """A district of the extent; without an extent there is one with an empty code and name."""

    code: str
    name: str


@dataclass(frozen=True)
class Combo:
    """A distinct label combination: tiers by role, and what the rules say of it."""

    members: dict[str, list[str]]
    decision: dict[str, Any]

    @property
    def roles(self) -> tuple[str, ...]:
        """Return the exact role set, sorted."""
        return tuple(self.members)


@dataclass(frozen=True)
class Pieces:
    """Columns of equal length n, in order of district and place.

    `face`: number in the partition, of the lead face where a piece is merged of several;
    `piece_of_face`: piece of every face of the partition, -1 outside; `redrawn`: WKB of merged
    pieces, None of the others, whose polygons are those of their faces; polygons are had from `wkb`
    and `drawn`, a few at a time; `piece_id`: 16 hexadecimal digits, ASCII bytes (dtype S16);
    `district`, `combo`: index into `districts`, `combos`; `land`: 1, 0, or None without a land mask;
    areas in m2, `area_centi` closed, in 0.01 m2. Rows (`label_piece`, `label_feature`) say which
    features lie on a piece, the extent's left out.
    """

    partition: Partition
    intake: Intake
    face: Ints
    piece_of_face: Ints
    redrawn: NDArray[Any]
    piece_id: NDArray[np.bytes_]
    districts: list[District]
    district: Ints
    combos: list[Combo]
    combo: Ints
    land: Ints | None
    label_piece: Ints
    label_feature: Ints
    plane_m2: Floats
    perimeter_m: Floats
    ellipsoidal_m2: Floats
    area_centi: Ints
    adjustments: list[Adjustment]
    sliver: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.face)

    @property
    def supplied(self) -> frozenset[str]:
        """Return the roles that have a layer with features."""
        return frozenset(supplied_roles(self.intake))

    def wkb(self, start: int, stop: int) -> NDArray[Any]:
        """Return the polygons of the pieces start .. stop - 1 as WKB (bytes), metres."""
        drawn = self.redrawn[start:stop].copy()
        plain = np.flatnonzero(drawn == None)  # noqa: E711 (element-wise)
        drawn[plain] = self.partition.wkb(self.face[start:stop][plain])
        return drawn

    def drawn(self, members: Ints) -> NDArray[Any]:
        """Return the polygons of the pieces `members`, metres."""
        polygons = self.partition.polygons(self.face[members])
        redrawn = self.redrawn[members]
        anew = np.flatnonzero(redrawn != None)  # noqa: E711 (element-wise)
        polygons[anew] = shapely.from_wkb(redrawn[anew])
        return polygons

    def frame_rows(self) -> _Rows:
        """Return which features of the extent each piece lies in."""
        frames = np.array([bool(attributes) for attributes in self.intake.features.attributes], bool)
        return _Rows.of(self.partition, self.face).where(frames)


def assemble(partition: Partition, intake: Intake, job: Job, table: rules.RuleTable) -> Pieces:
    """Return the pieces of a proved partition, decided, measured and closed."""
    frame = np.array([intake.layers[layer].extent for layer in intake.features.layer], bool)
    face = np.flatnonzero(partition.inside)
    labels = _Rows.of(partition, face)
    districts, district = _districts(labels.where(frame), intake, len(face))
    order = np.lexsort((partition.id[face], partition.y[face], partition.x[face], district))
    face, district = face[order], district[order]
    ids = id_digits(partition.id[face])
    labels = _Rows.of(partition, face).where(~frame)
    of_face = np.full(len(partition), -1, np.int64)
    of_face[face] = np.arange(len(face))

    combos, combo = _combos(labels, intake, len(face), table, supplied_roles(intake))
    plane, perimeter = partition.plane_m2[face], partition.perimeter_m[face]
    ellipsoidal = partition.ellipsoidal_m2[face]
    controls = [job.options.control_areas.get(d.code) for d in districts]
    closed, adjustments = close_districts(np.maximum(ellipsoidal, 0.0), district, controls, ids)
    return Pieces(
        partition,
        intake,
        face,
        of_face,
        np.full(len(face), None, object),
        ids,
        districts,
        district,
        combos,
        combo,
        _land(labels, intake, len(face)),
        labels.piece,
        labels.feature,
        plane,
        perimeter,
        ellipsoidal,
        closed,
        adjustments,
        are_slivers(plane, perimeter, job.options.slivers),
    )


@dataclass(frozen=True)
class _Rows:
    """Rows (piece, feature), sorted by piece."""

    piece: Ints
    feature: Ints

    @classmethod
    def of(cls, partition: Partition, face: Ints) -> _Rows:
        """Return the rows of the given faces, numbered as they are given."""
        labels = partition.labels
        counts = np.bincount(labels.face, minlength=len(partition))
        starts = np.concatenate([[0], np.cumsum(counts)])
        at = ragged(starts[face], counts[face])
        return cls(np.repeat(np.arange(len(face)), counts[face]), labels.feature[at])

    def where(self, chosen: NDArray[np.bool_]) -> _Rows:
        """Return the rows whose feature is chosen."""
        keep = chosen[self.feature]
        return _Rows(self.piece[keep], self.feature[keep])


def _districts(frames: _Rows, intake: Intake, count: int) -> tuple[list[District], Ints]:
    """Return the districts by code, and each piece's: the lowest code where several overlap."""
    if len(frames.piece) == 0:
        return [District("", "")], np.zeros(count, np.int64)
    attributes = intake.features.attributes
    names: dict[str, set[str]] = {}
    for feature in np.unique(frames.feature).tolist():
        names.setdefault(attributes[feature]["code"], set()).add(attributes[feature]["name"])
    codes = sorted(names)
    rank = {code: i for i, code in enumerate(codes)}
    of_feature = np.array([rank.get(a.get("code", ""), 0) for a in attributes], np.int64)
    starts = np.flatnonzero(np.diff(frames.piece, prepend=-1))
    districts = [District(code, min(names[code] - {""}, default="")) for code in codes]
    return districts, np.minimum.reduceat(of_feature[frames.feature], starts)


def id_digits(heads: NDArray[np.uint64]) -> NDArray[np.bytes_]:
    """Return 64-bit heads of hashes as hexadecimal digits."""
    digits = heads.astype(">u8").tobytes().hex().encode("ascii")
    return np.frombuffer(digits, f"S{_ID_DIGITS}")


def supplied_roles(intake: Intake) -> set[str]:
    """Return the roles that have a layer with features; an empty layer says nothing."""
    return {record.role for record in intake.layers if not record.extent and record.used > 0}


def _combos(
    labels: _Rows, intake: Intake, count: int, table: rules.RuleTable, supplied: set[str]
) -> tuple[list[Combo], Ints]:
    """Return the distinct label combinations, sorted, with their decisions, and each piece's."""
    roles = [record.role for record in intake.layers]
    tokens = [
        (roles[layer], tier) for layer, tier in zip(intake.features.layer.tolist(), intake.features.tier)
    ]
    known = sorted(set(tokens))
    number = {token: i for i, token in enumerate(known)}
    token = np.array([number[t] for t in tokens], np.int64)[labels.feature]
    pairs = np.sort(labels.piece * max(1, len(known)) + token)
    pairs = pairs[np.diff(pairs, prepend=-1) > 0]
    piece, token = pairs // max(1, len(known)), pairs % max(1, len(known))
    # A set of tokens is told by the sum of their hashes; two sets agree by chance once in 2^64.
    sums = np.zeros(count, np.uint64)
    starts = np.flatnonzero(np.diff(piece, prepend=-1))
    if len(starts):
        sums[piece[starts]] = np.add.reduceat(mix(token.astype(np.uint64)), starts)
    order, first = group(sums.view(np.int64))
    members = [_members(piece, token, known, int(order[i])) for i in first]
    rank = sorted(range(len(members)), key=lambda i: [(role, tiers) for role, tiers in members[i].items()])
    place = np.empty(len(rank), np.int64)
    place[rank] = np.arange(len(rank))
    of_piece = np.empty(count, np.int64)
    of_piece[order] = np.repeat(place, np.diff(np.append(first, count)))
    members = [members[i] for i in rank]
    decisions = rules.decide_many(table, members, supplied)
    return [Combo(m, d) for m, d in zip(members, decisions)], of_piece


def _members(piece: Ints, token: Ints, known: Sequence[tuple[str, str]], number: int) -> dict[str, list[str]]:
    """Return the tiers by role of one piece, both sorted."""
    members: dict[str, list[str]] = {}
    for t in token[np.searchsorted(piece, number) : np.searchsorted(piece, number, side="right")].tolist():
        role, tier = known[t]
        members.setdefault(role, []).append(tier)
    return members


def _land(labels: _Rows, intake: Intake, count: int) -> Ints | None:
    """Return 1 for pieces on land and 0 at sea, or None where no mask was given."""
    masks = {record.index for record in intake.layers if record.role == LAND_MASK}
    if not masks:
        return None
    land = np.zeros(count, np.int64)
    land[labels.piece[np.isin(intake.features.layer[labels.feature], list(masks))]] = 1
    return land


def are_slivers(plane: Floats, perimeter: Floats, limits: Slivers) -> NDArray[np.bool_]:
    """Flag areas (m2) and perimeters (m) of pieces below the sliver area or mean width (2 A / P)."""
    return (plane < limits.area_m2) | (2 * plane < limits.mean_width_m * perimeter)
