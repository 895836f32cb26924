# SPDX-License-Identifier: GPL-2.0-or-later
"""Pieces of the city: faces inside the extent with their names, districts, memberships and decisions.

Rules are asked once for each distinct label combination (*combo*), not for each piece.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from swc_zoning.engine import rules
from swc_zoning.engine.areas import Adjustment, AreaModel, close_districts
from swc_zoning.engine.grid import Floats, Ints, group, mix, ragged, to_metres
from swc_zoning.engine.intake import Intake
from swc_zoning.engine.job import EXTENT_ROLE, Job, Options, Slivers
from swc_zoning.engine.messages import Finding
from swc_zoning.engine.partition import Partition

LAND_MASK = "land_mask"
#: Hexadecimal digits of a piece id: 64 bits of the SHA-256 of its rings.
_ID_DIGITS = 16
#: Smaller gaps and overlaps (m2) are told as a sum.
_WORTH_A_PLACE = 1.0
#: A typed control area may scale a district by this much without a word, and by that much at all.
_CONTROL_WARNING, _CONTROL_ERROR = 1e-5, 0.02


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

    `face`: number in the partition; `polygons` in metres; `district`, `combo`: index into
    `districts`, `combos`; `land`: 1, 0, or None without a land mask; areas in m2, `area_centi`
    closed, in 0.01 m2. Rows (`label_piece`, `label_feature`) say which features lie on a piece,
    the extent's left out.
    """

    partition: Partition
    intake: Intake
    face: Ints
    polygons: NDArray[Any]
    piece_id: list[str]
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


def assemble(
    partition: Partition,
    polygons: NDArray[Any],
    intake: Intake,
    job: Job,
    table: rules.RuleTable,
    model: AreaModel,
) -> Pieces:
    """Return the pieces of a proved partition, decided, measured and closed.

    `polygons`: one for each face, metres of the working CRS.
    """
    frame = np.array([intake.layers[layer].extent for layer in intake.features.layer], bool)
    face = np.flatnonzero(partition.inside)
    labels = _Rows.of(partition, face)
    districts, district = _districts(labels.where(frame), intake, len(face))
    ids = _piece_ids(partition, face)
    corner = partition.faces.nodes[partition.faces.ring_offsets[partition.faces.face_offsets[face]]]
    order = np.lexsort((np.array(ids, dtype=object).astype(str), corner, district)) if len(face) else face
    face, district, ids = face[order], district[order], [ids[i] for i in order.tolist()]
    labels = _Rows.of(partition, face).where(~frame)

    combos, combo = _combos(labels, intake, len(face), table, supplied_roles(intake))
    plane, perimeter = partition.plane_m2[face], partition.sum_lengths()[face]
    ellipsoidal = partition.sum_over_faces(_edge_terms(partition, model))[face]
    controls = [job.options.control_areas.get(d.code) for d in districts]
    closed, adjustments = close_districts(np.maximum(ellipsoidal, 0.0), district, controls, np.array(ids))
    return Pieces(
        partition,
        intake,
        face,
        polygons[face],
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
        _slivers(plane, perimeter, job.options.slivers),
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
        counts = np.bincount(labels.face, minlength=len(partition.faces))
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


def _piece_ids(partition: Partition, face: Ints) -> list[str]:
    """Return ids made of the normalised integer rings: the same place gives the same id."""
    faces = partition.faces
    xy = np.column_stack([partition.x[faces.nodes], partition.y[faces.nodes]]).astype("<i8").tobytes()
    sizes = np.diff(faces.ring_offsets).astype("<i8").tobytes()
    rings = faces.face_offsets
    ids = []
    for number in face.tolist():
        first, last = int(rings[number]), int(rings[number + 1])
        digest = hashlib.sha256(sizes[8 * first : 8 * last])
        digest.update(xy[16 * int(faces.ring_offsets[first]) : 16 * int(faces.ring_offsets[last])])
        ids.append(digest.hexdigest()[:_ID_DIGITS])
    return ids


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
    pairs = np.unique(labels.piece * max(1, len(known)) + token)
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


def _edge_terms(partition: Partition, model: AreaModel) -> Floats:
    x, y = to_metres(partition.x), to_metres(partition.y)
    return model.edge_terms_indexed(x, y, partition.edges.start, partition.edges.end)


def _slivers(plane: Floats, perimeter: Floats, limits: Slivers) -> NDArray[np.bool_]:
    """Flag pieces below the sliver area or mean width (2 A / P)."""
    return (plane < limits.area_m2) | (2 * plane < limits.mean_width_m * perimeter)


# --- what the partition shows of the data ----------------------------------------------------------


def data_findings(pieces: Pieces, options: Options) -> Iterator[Finding]:
    """Yield what the layers look like laid over each other: overlaps, gaps, slivers, misplaced layers."""
    if len(pieces) == 0:
        yield Finding("pieces.none")
    yield from _vanished(pieces)
    yield from _district_overlaps(pieces)
    yield from _controls(pieces, options)
    yield from _gaps(pieces)
    yield from _layer_overlaps(pieces)
    yield from _outside(pieces)
    yield from _disagreements(pieces)
    yield from _flagged(pieces, "pieces.slivers", pieces.sliver)
    if options.min_patch_m2 is not None:
        small = (pieces.area_centi < options.min_patch_m2 * 100) & ~pieces.sliver
        yield from _flagged(pieces, "pieces.below_minimum", small, minimum_m2=options.min_patch_m2)


def _flagged(pieces: Pieces, code: str, flagged: NDArray[np.bool_], **facts: Any) -> Iterator[Finding]:
    """Yield one finding for all flagged pieces, at the largest of them."""
    if flagged.any():
        worst = int(np.argmax(np.where(flagged, pieces.plane_m2, -1.0)))
        area = float(pieces.plane_m2[flagged].sum())
        facts = {"count": int(flagged.sum()), "area_m2": round(area, 2), **facts}
        yield Finding(code, facts, place=_place(pieces, worst), measure_m2=area)


def _vanished(pieces: Pieces) -> Iterator[Finding]:
    """Yield every feature that is thinner than the grid and so lies on no piece."""
    features, layers = pieces.intake.features, pieces.intake.layers
    there = np.zeros(len(features.source_id), bool)
    there[pieces.partition.labels.feature] = True
    for number in np.flatnonzero(~there).tolist():
        corner = shapely.get_coordinates(features.geometry[number])[0].tolist()
        layer = layers[features.layer[number]].layer
        area = float(features.area_m2[number])
        facts = {"layer": layer, "source_id": features.source_id[number], "area_m2": area}
        yield Finding("pieces.vanished", facts, layer, (corner[0], corner[1]), area)


def _controls(pieces: Pieces, options: Options) -> Iterator[Finding]:
    """Yield typed control areas that name no district, or that differ from its measured area."""
    codes = [district.code for district in pieces.districts]
    for code in sorted(set(options.control_areas) - set(codes)):
        yield Finding("pieces.control_unknown", {"code": code, "known": ", ".join(codes)}, EXTENT_ROLE)
    for adjustment in pieces.adjustments:
        off = abs(adjustment.factor - 1.0)
        if adjustment.typed and off > _CONTROL_WARNING:
            facts = {
                "code": codes[adjustment.district],
                "control_m2": adjustment.control_m2,
                "measured_m2": round(adjustment.raw_m2, 2),
                "factor": round(adjustment.factor, 9),
            }
            code = "pieces.control_far" if off > _CONTROL_ERROR else "pieces.control_off"
            yield Finding(code, facts, EXTENT_ROLE)


def _place(pieces: Pieces, number: int) -> tuple[float, float]:
    return _face_place(pieces.partition, int(pieces.face[number]))


def _face_place(partition: Partition, face: int) -> tuple[float, float]:
    node = partition.faces.nodes[partition.faces.ring_offsets[partition.faces.face_offsets[face]]]
    return float(to_metres(partition.x[node])), float(to_metres(partition.y[node]))


def _district_overlaps(pieces: Pieces) -> Iterator[Finding]:
    """Yield where districts overlap: the piece went to the lowest code."""
    attributes = pieces.intake.features.attributes
    rows = _Rows.of(pieces.partition, pieces.face).where(np.array([bool(a) for a in attributes], bool))
    codes: dict[int, set[str]] = {}
    for i in np.flatnonzero(np.diff(rows.piece) == 0).tolist():
        both = {attributes[rows.feature[k]]["code"] for k in (i, i + 1)}
        codes.setdefault(int(rows.piece[i]), set()).update(both)
    pairs: dict[tuple[str, str], list[int]] = {}
    for piece, found in codes.items():
        for first, second in combinations(sorted(found), 2):
            pairs.setdefault((first, second), []).append(piece)
    for (first, second), members in sorted(pairs.items()):
        area = float(pieces.plane_m2[members].sum())
        worst = max(members, key=lambda i: pieces.plane_m2[i])
        code = "pieces.districts_overlap" if area >= _WORTH_A_PLACE else "pieces.districts_mismatch"
        facts = {"first": first, "second": second, "area_m2": round(area, 4)}
        yield Finding(code, facts, EXTENT_ROLE, _place(pieces, worst), area)


def _gaps(pieces: Pieces) -> Iterator[Finding]:
    """Yield enclosed land that no layer covers, where there is no extent to make it a piece."""
    if any(record.extent for record in pieces.intake.layers):
        return
    outside = np.flatnonzero(~pieces.partition.inside)
    area = pieces.partition.plane_m2[outside]
    for face, size in zip(outside[area >= _WORTH_A_PLACE].tolist(), area[area >= _WORTH_A_PLACE].tolist()):
        yield Finding(
            "pieces.gap", {"area_m2": round(size, 2)}, "", _face_place(pieces.partition, face), size
        )
    small = area < _WORTH_A_PLACE
    if small.any():
        total = float(area[small].sum())
        facts = {"count": int(small.sum()), "area_m2": round(total, 4)}
        place = _face_place(pieces.partition, int(outside[small][0]))
        yield Finding("pieces.small_gaps", facts, place=place, measure_m2=total)


def _layer_overlaps(pieces: Pieces) -> Iterator[Finding]:
    """Yield one finding for each layer whose own features overlap."""
    layer = pieces.intake.features.layer[pieces.label_feature]
    for record in pieces.intake.layers:
        if record.extent:
            continue
        rows = pieces.label_piece[layer == record.index]
        twice = np.unique(rows[1:][np.diff(rows) == 0])
        area = float(pieces.plane_m2[twice].sum())
        if area >= _WORTH_A_PLACE:
            worst = int(twice[np.argmax(pieces.plane_m2[twice])])
            facts = {"count": len(twice), "area_m2": round(area, 2), "role": record.role}
            yield Finding("pieces.layer_overlaps_itself", facts, record.layer, _place(pieces, worst), area)


def _outside(pieces: Pieces) -> Iterator[Finding]:
    """Yield layers that lie partly or wholly outside the extent."""
    if not any(record.extent for record in pieces.intake.layers):
        return
    labels, partition = pieces.partition.labels, pieces.partition
    out = ~partition.inside[labels.face]
    layer = pieces.intake.features.layer[labels.feature]
    for record in pieces.intake.layers:
        here = (layer == record.index) & out
        area = float(partition.plane_m2[np.unique(labels.face[here])].sum())
        if record.extent or area < _WORTH_A_PLACE:
            continue
        inside = bool(((layer == record.index) & ~out).any())
        code = "pieces.partly_outside" if inside else "pieces.wholly_outside"
        place = _face_place(
            partition, int(labels.face[here][np.argmax(partition.plane_m2[labels.face[here]])])
        )
        yield Finding(code, {"area_m2": round(area, 2), "role": record.role}, record.layer, place, area)


def _disagreements(pieces: Pieces) -> Iterator[Finding]:
    """Yield where two layers of one role differ: what one has and the other has not, or has otherwise.

    Features of the two are told apart by their ids where the layers share any, else by name, else
    by nothing but being there.
    """
    by_role: dict[str, list[int]] = {}
    for record in pieces.intake.layers:
        by_role.setdefault(record.role, []).append(record.index)
    for role, layers in by_role.items():
        for first, second in combinations(layers, 2):
            if not _comparable(pieces, first, second):
                continue
            sides = _symmetric_difference(pieces, first, second)
            differing = np.unique(sides)
            area = float(pieces.plane_m2[differing].sum())
            if area < _WORTH_A_PLACE:
                continue
            worst = int(differing[np.argmax(pieces.plane_m2[differing])])
            names = [pieces.intake.layers[i].layer for i in (first, second)]
            facts = {
                "role": role,
                "first": names[0],
                "second": names[1],
                "area_m2": round(float(pieces.ellipsoidal_m2[differing].sum()), 2),
                "by_feature_m2": round(float(pieces.ellipsoidal_m2[sides].sum()), 2),
            }
            yield Finding("pieces.layers_disagree", facts, names[1], _place(pieces, worst), area)


def _comparable(pieces: Pieces, first: int, second: int) -> bool:
    """Tell whether two layers cover much the same ground, and so are two versions of one thing."""
    layer = pieces.intake.features.layer[pieces.label_feature]
    one, other = (np.unique(pieces.label_piece[layer == number]) for number in (first, second))
    common, smaller = (
        np.intersect1d(one, other),
        min(pieces.plane_m2[one].sum(), pieces.plane_m2[other].sum()),
    )
    return bool(len(common) and pieces.plane_m2[common].sum() > smaller / 2)


def _symmetric_difference(pieces: Pieces, first: int, second: int) -> Ints:
    """Return the pieces that a feature of one layer covers and its like in the other does not.

    A piece comes once for each such feature: twice where the layers give it to different ones.
    """
    layer = pieces.intake.features.layer[pieces.label_feature]
    number = _identities(pieces, first, second)[pieces.label_feature]
    keys = pieces.label_piece * (int(number.max(initial=0)) + 1) + number
    differing = np.setxor1d(keys[layer == first], keys[layer == second])
    return differing // (int(number.max(initial=0)) + 1)


def _identities(pieces: Pieces, first: int, second: int) -> Ints:
    """Return a number for each feature, equal for those of the two layers that mean the same."""
    features = pieces.intake.features
    mine, theirs = (np.flatnonzero(features.layer == one).tolist() for one in (first, second))
    for column in (features.source_id, features.name):
        values = {column[i] for i in mine} & {column[i] for i in theirs} - {""}
        if values:
            known = {value: i for i, value in enumerate(sorted(set(column)))}
            return np.array([known[value] for value in column], np.int64)
    return np.zeros(len(features.source_id), np.int64)
