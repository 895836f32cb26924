# SPDX-License-Identifier: GPL-2.0-or-later
"""Consistency of the layers, seen when they are laid over each other: what planners must know or settle."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from swc_zoning.engine.grid import Ints
from swc_zoning.engine.job import EXTENT_ROLE, Options
from swc_zoning.engine.messages import Finding
from swc_zoning.engine.pieces import Pieces

#: Smaller gaps and overlaps (m2) are told as a sum.
_WORTH_A_PLACE = 1.0
#: A typed control area may scale a district by this much without a word, and by that much at all.
_CONTROL_WARNING, _CONTROL_ERROR = 1e-5, 0.02


def check(pieces: Pieces, options: Options) -> Iterator[Finding]:
    """Yield what the layers look like laid over each other: overlaps, gaps, slivers, misplaced layers."""
    if len(pieces) == 0:
        yield Finding("consistency.none")
    yield from _vanished(pieces)
    yield from _district_overlaps(pieces)
    yield from _controls(pieces, options)
    yield from _gaps(pieces)
    yield from _layer_overlaps(pieces)
    yield from _outside(pieces)
    yield from _disagreements(pieces)
    yield from _flagged(pieces, "consistency.slivers", pieces.sliver)
    if options.min_patch_m2 is not None:
        small = (pieces.area_centi < options.min_patch_m2 * 100) & ~pieces.sliver
        yield from _flagged(pieces, "consistency.below_minimum", small, minimum_m2=options.min_patch_m2)


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
        yield Finding("consistency.vanished", facts, layer, (corner[0], corner[1]), area)


def _controls(pieces: Pieces, options: Options) -> Iterator[Finding]:
    """Yield typed control areas that name no district, or that differ from its measured area."""
    codes = [district.code for district in pieces.districts]
    for code in sorted(set(options.control_areas) - set(codes)):
        yield Finding("consistency.control_unknown", {"code": code, "known": ", ".join(codes)}, EXTENT_ROLE)
    for adjustment in pieces.adjustments:
        off = abs(adjustment.factor - 1.0)
        if adjustment.typed and off > _CONTROL_WARNING:
            facts = {
                "code": codes[adjustment.district],
                "control_m2": adjustment.control_m2,
                "measured_m2": round(adjustment.raw_m2, 2),
                "factor": round(adjustment.factor, 9),
            }
            code = "consistency.control_far" if off > _CONTROL_ERROR else "consistency.control_off"
            yield Finding(code, facts, EXTENT_ROLE)


def _place(pieces: Pieces, number: int) -> tuple[float, float]:
    return pieces.partition.place(int(pieces.face[number]))


def _district_overlaps(pieces: Pieces) -> Iterator[Finding]:
    """Yield where districts overlap: the piece went to the lowest code."""
    attributes = pieces.intake.features.attributes
    rows = pieces.frame_rows()
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
        code = "consistency.districts_overlap" if area >= _WORTH_A_PLACE else "consistency.districts_mismatch"
        facts = {"first": first, "second": second, "area_m2": round(area, 4)}
        yield Finding(code, facts, EXTENT_ROLE, _place(pieces, worst), area)


def _gaps(pieces: Pieces) -> Iterator[Finding]:
    """Yield enclosed land that no layer covers, where there is no extent to make it a piece."""
    if any(record.extent for record in pieces.intake.layers):
        return
    outside = np.flatnonzero(~pieces.partition.inside)
    area = pieces.partition.plane_m2[outside]
    for face, size in zip(outside[area >= _WORTH_A_PLACE].tolist(), area[area >= _WORTH_A_PLACE].tolist()):
        place = pieces.partition.place(face)
        yield Finding("consistency.gap", {"area_m2": round(size, 2)}, "", place, size)
    small = area < _WORTH_A_PLACE
    if small.any():
        total = float(area[small].sum())
        facts = {"count": int(small.sum()), "area_m2": round(total, 4)}
        place = pieces.partition.place(int(outside[small][0]))
        yield Finding("consistency.small_gaps", facts, place=place, measure_m2=total)


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
            yield Finding(
                "consistency.layer_overlaps_itself", facts, record.layer, _place(pieces, worst), area
            )


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
        code = "consistency.partly_outside" if inside else "consistency.wholly_outside"
        place = partition.place(int(labels.face[here][np.argmax(partition.plane_m2[labels.face[here]])]))
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
            yield Finding("consistency.layers_disagree", facts, names[1], _place(pieces, worst), area)


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
