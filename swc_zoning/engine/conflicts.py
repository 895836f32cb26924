# SPDX-License-Identifier: GPL-2.0-or-later
"""Conflicts between layers: one row for each kind, pair of source features and connected region.

Legal conflicts are listed with their settling rule and never mended: approved lines are not ours
to edit. Regions below the minimum area or mean width count as boundary mismatch, told as a sum.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from swc_zoning.engine import roles
from swc_zoning.engine.grid import Ints, components, group, ragged
from swc_zoning.engine.job import Options
from swc_zoning.engine.pieces import Pieces
from swc_zoning.engine.rules import RuleTable

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Conflict:
    """A region where two source features meet in a way the rules name.

    `second` is None where one feature alone is in conflict (outside the red line, say). Features
    are numbers in the intake, `pieces` numbers in the pieces; areas in m2, width in m.
    """

    id: str
    kind: str
    first: int
    second: int | None
    pieces: tuple[int, ...]
    geometry: Any
    plane_m2: float
    ellipsoidal_m2: float
    mean_width_m: float


@dataclass(frozen=True)
class Mismatch:
    """Regions of one kind too small or thin to be conflicts: their number and plane area (m2)."""

    kind: str
    count: int
    plane_m2: float


def find(pieces: Pieces, table: RuleTable, options: Options) -> tuple[list[Conflict], list[Mismatch]]:
    """Return the conflicts, by kind and place, and what was only boundary mismatch."""
    found: list[Conflict] = []
    small: dict[str, list[float]] = defaultdict(list)
    beside = _beside(pieces)
    for kind, row in table.conflicts.items():
        for conflict in _of_kind(pieces, table, kind, row, beside):
            enough = conflict.plane_m2 >= options.conflict_min_m2
            if enough and conflict.mean_width_m >= options.conflict_min_width_m:
                found.append(conflict)
            else:
                small[kind].append(conflict.plane_m2)
    found.sort(key=lambda c: (c.kind, pieces.piece_id[c.pieces[0]], c.id))
    return found, [Mismatch(kind, len(areas), float(sum(areas))) for kind, areas in sorted(small.items())]


def _of_kind(
    pieces: Pieces, table: RuleTable, kind: str, row: Mapping[str, Any], beside: tuple[Ints, Ints]
) -> Iterator[Conflict]:
    """Yield the conflicts of one kind, whatever their size; `beside` as `_beside` has it."""
    met = np.array([kind in combo.decision["conflicts"] for combo in pieces.combos], bool)[pieces.combo]
    if not met.any():
        return
    rows = met[pieces.label_piece]
    piece, feature = pieces.label_piece[rows], pieces.label_feature[rows]
    groups = [
        _pairs(piece, feature, first, second, differ)
        for first, second, differ in _parties(pieces, table, row)
    ]
    number, pair, piece = _numbered(groups)
    drawn = np.unique(piece)
    polygons = pieces.drawn(drawn)
    regions: dict[bytes, tuple[Any, float]] = {}
    for members in _regions(len(pieces), number, piece, beside):
        there = np.sort(piece[members])
        # The same ground may be in conflict for many pairs: it is drawn once.
        if there.tobytes() not in regions:
            regions[there.tobytes()] = _region(polygons[np.searchsorted(drawn, there)])
        first, second = _ordered(pieces, row, *pair[int(number[members[0]])])
        yield _conflict(pieces, kind, first, second, there, *regions[there.tobytes()])


def _parties(
    pieces: Pieces, table: RuleTable, row: Mapping[str, Any]
) -> Iterator[tuple[Mask, Mask | None, NDArray[Any] | None]]:
    """Yield (features on one side, on the other, values that must differ) a kind brings together."""
    if "roles_at_least" in row:
        role = _roles(pieces)
        listed = np.isin(role, row["roles_at_least"]["of"])
        yield listed, listed, role
    elif "distinct_tiers_at_least" in row:
        same = _roles(pieces) == row["distinct_tiers_at_least"]["role"]
        yield same, same, np.array(pieces.intake.features.tier)
    else:
        sides = [_matching(pieces, table, [condition]) for condition in row["all_of"]]
        if row["any_of"]:
            sides.append(_matching(pieces, table, row["any_of"]))
        # Of three sides the last two are named: an exemption is about the area it exempts from.
        yield sides[-2 if len(sides) > 1 else 0], sides[-1] if len(sides) > 1 else None, None


def _roles(pieces: Pieces) -> NDArray[Any]:
    by_layer = np.array([record.role for record in pieces.intake.layers])
    return by_layer[pieces.intake.features.layer]


def _matching(pieces: Pieces, table: RuleTable, conditions: list[Mapping[str, Any]]) -> Mask:
    """Return which features meet one of the conditions, an unknown tier as the rules read it."""
    stand_ins = table.document.get("tiers", {}).get("unknown_counts_as", {})
    role, tier = _roles(pieces), np.array(pieces.intake.features.tier)
    matching = np.zeros(len(role), bool)
    for condition in conditions:
        of_role = role == condition["role"]
        tiers = condition["tiers"]
        if tiers is not None:
            seen = list(tiers)
            if stand_ins.get(condition["role"]) in tiers:
                seen.append(roles.UNKNOWN)
            of_role = of_role & np.isin(tier, seen)
        matching |= of_role
    return matching


def _pairs(
    piece: Ints, feature: Ints, first: Mask, second: Mask | None, differ: NDArray[Any] | None
) -> tuple[Ints, Ints, Ints]:
    """Return rows (piece, first feature, second feature or -1) of the features that meet on each piece."""
    one = first[feature]
    if second is None:
        return piece[one], feature[one], np.full(int(one.sum()), -1)
    other = second[feature]
    others = piece[other]
    begin = np.searchsorted(others, piece[one], side="left")
    counts = np.searchsorted(others, piece[one], side="right") - begin
    a, b = np.repeat(feature[one], counts), feature[other][ragged(begin, counts)]
    rows = np.repeat(piece[one], counts)
    keep = a != b if differ is None else (a < b) & (differ[a] != differ[b])
    return rows[keep], a[keep], b[keep]


def _numbered(groups: list[tuple[Ints, Ints, Ints]]) -> tuple[Ints, list[tuple[int, int | None]], Ints]:
    """Return (pair number of each row, the pairs, piece of each row), sorted by pair and piece."""
    piece, first, second = (np.concatenate(column) for column in zip(*groups))
    order = np.lexsort((piece, second, first))
    piece, first, second = piece[order], first[order], second[order]
    new = np.ones(len(piece), bool)
    new[1:] = (np.diff(first) != 0) | (np.diff(second) != 0)
    pairs = [(a, b if b >= 0 else None) for a, b in zip(first[new].tolist(), second[new].tolist())]
    return np.cumsum(new) - 1, pairs, piece


def _regions(pieces: int, number: Ints, piece: Ints, beside: tuple[Ints, Ints]) -> Iterator[Ints]:
    """Yield the rows of each edge-connected region within one pair; `pieces`: how many there are."""
    if len(piece) == 0:
        return
    near, far = beside
    keys = number * (pieces + 1) + piece
    first = np.searchsorted(near, piece, side="left")
    counts = np.searchsorted(near, piece, side="right") - first
    beyond = far[ragged(first, counts)]
    row = np.repeat(np.arange(len(piece)), counts)
    wanted = number[row] * (pieces + 1) + beyond
    at = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    together = keys[at] == wanted
    root = components(len(piece), row[together], at[together])
    order, begins = group(root)
    yield from np.split(order, begins[1:])


def _beside(pieces: Pieces) -> tuple[Ints, Ints]:
    """Return the pairs of `_neighbours` that are both in some conflict, by the first."""
    near, far = _neighbours(pieces)
    met = np.array([bool(combo.decision["conflicts"]) for combo in pieces.combos], bool)[pieces.combo]
    both = met[near] & met[far]
    order, _ = group(near[both])
    return near[both][order], far[both][order]


def _neighbours(pieces: Pieces) -> tuple[Ints, Ints]:
    """Return pairs of pieces that share an edge, both ways round."""
    number = np.append(pieces.piece_of_face, -1)
    borders = pieces.partition.borders
    left, right = number[borders.left], number[borders.right]
    both = (left >= 0) & (right >= 0) & (left != right)
    return np.concatenate([left[both], right[both]]), np.concatenate([right[both], left[both]])


def _region(polygons: NDArray[Any]) -> tuple[Any, float]:
    """Return the union of connected polygons and its perimeter (m)."""
    region = polygons[0] if len(polygons) == 1 else shapely.coverage_union_all(polygons)
    return region, float(shapely.length(region))


def _ordered(
    pieces: Pieces, row: Mapping[str, Any], first: int, second: int | None
) -> tuple[int, int | None]:
    """Return the two sides in the order of the rule, or by name where it has none."""
    symmetric = "roles_at_least" in row or "distinct_tiers_at_least" in row
    if second is None or not symmetric:
        return first, second
    one, other = sorted((first, second), key=lambda number: _name(pieces, number))
    return one, other


def _name(pieces: Pieces, feature: int) -> tuple[str, ...]:
    features = pieces.intake.features
    record = pieces.intake.layers[features.layer[feature]]
    return record.role, record.layer, features.source_id[feature], features.tier[feature]


def _conflict(
    pieces: Pieces, kind: str, first: int, second: int | None, members: Ints, region: Any, perimeter: float
) -> Conflict:
    plane = float(pieces.plane_m2[members].sum())
    by_id = members[np.argsort(pieces.piece_id[members])]
    ids = pieces.piece_id[by_id].astype(str).tolist()
    sides = ["|".join(_name(pieces, side)) for side in (first, second) if side is not None]
    digest = hashlib.sha256("\n".join([kind, *sides, *ids]).encode("utf-8")).hexdigest()
    return Conflict(
        f"{kind}-{digest[:12]}",
        kind,
        first,
        second,
        tuple(by_id.tolist()),
        region,
        plane,
        float(pieces.ellipsoidal_m2[members].sum()),
        2 * plane / perimeter,
    )
