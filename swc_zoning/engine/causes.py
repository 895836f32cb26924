# SPDX-License-Identifier: GPL-2.0-or-later
"""Why the zone or status of ground differs between two results: its sources, the rules, or a decision.

*source*: other features lie there. *manual*: the files of those features are the same, but a person
now reads their tiers otherwise, leaves their layer out, or had slivers merged. *rule*: the table
decides the same features otherwise. *mixed*: more than one of these was needed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from swc_zoning.engine import formats, rules, written
from swc_zoning.engine.grid import Ints
from swc_zoning.engine.result import ZONING
from swc_zoning.engine.written import Written

SOURCE, RULE, MANUAL, MIXED = "source", "rule", "manual", "mixed"
#: The order of legends.
KINDS = (SOURCE, RULE, MANUAL, MIXED)

Row = Mapping[str, str]
Decision = tuple[str, str]


class Cause(NamedTuple):
    """Why ground changed: one of `KINDS`; roles and tiers that came (+) and went (-); the features.

    Lists are joined by ";"; features go by name, else id, and only those on one side are told.
    """

    kind: str
    roles_changed: str
    features_before: str
    features_after: str


def of(old: Written, new: Written, before: Ints, after: Ints) -> list[Cause]:
    """Return the cause of each pair of an older and a newer piece (-1: none there)."""
    sides = []
    for result, rows in ((old, before), (new, after)):
        ids = result.columns["piece_id"]
        sides.append(_Side(result, {str(ids[row]) for row in rows.tolist() if row >= 0}))
    judge = _Judge(*sides)
    return [judge.cause(*pair) for pair in zip(before.tolist(), after.tolist())]


class _Side:
    """One of two results: what lies on its pieces, and what it decides of a membership."""

    def __init__(self, result: Written, piece_ids: set[str]) -> None:
        self._result = result
        self._sources = result.sources(piece_ids)
        self._table = written.table_of(result.folder, result.summary)
        self._seen = _decisions(result)
        self._merged = _merged(result)
        self.files = {row["layer"]: row["sha256"] for row in result.summary["inputs"] if row["sha256"]}

    def piece(self, row: int) -> str:
        return str(self._result.columns["piece_id"][row])

    def members(self, row: int) -> str:
        """Return the membership of a piece as JSON, "{}" where there is no piece."""
        return "{}" if row < 0 else str(self._result.columns["members"][row])

    def features(self, row: int) -> list[Row]:
        return [] if row < 0 else self._sources[self.piece(row)]

    def is_merged(self, row: int) -> bool:
        """Return whether slivers were merged into a piece because somebody decided so."""
        return row >= 0 and self.piece(row) in self._merged

    def decides(self, members: str) -> Decision | None:
        """Return (zone, status) this result gives a membership, None where nobody can say."""
        if members not in self._seen and self._table is not None:
            answer = rules.decide(self._table, json.loads(members))
            self._seen[members] = (answer["zone"], answer["status"])
        return self._seen.get(members)


def _decisions(result: Written) -> dict[str, Decision]:
    """Return (zone, status) by membership, of every membership a result has."""
    columns = [result.columns[name].tolist() for name in ("members", "zone", "status")]
    return {members: (zone, status) for members, zone, status in zip(*columns)}


def _merged(result: Written) -> set[str]:
    """Return the pieces into which slivers went by a verdict."""
    found: set[str] = set()
    for part in formats.read_columns(result.folder / ZONING, "slivers", ("into", "state", "decision")):
        rows = zip(*(part[name].tolist() for name in ("into", "state", "decision")))
        found.update(into for into, state, decision in rows if state == "merged" and decision)
    return found


@dataclass
class _Judge:
    """Tells causes apart."""

    old: _Side
    new: _Side

    def cause(self, before: int, after: int) -> Cause:
        """Return the cause for a pair of pieces."""
        members = (self.old.members(before), self.new.members(after))
        gone, come = _only(self.old.features(before), self.new.features(after))
        kinds = set()
        if members[0] != members[1]:
            kinds |= self._data(before, after, gone, come)
        if before >= 0 and after >= 0:
            kinds = self._with_rules(members, kinds)
        # Ground without any feature that only one result has: its extent is another.
        kinds = kinds or {SOURCE}
        kind = next(iter(kinds)) if len(kinds) == 1 else MIXED
        return Cause(kind, _roles_changed(*members), _names(gone), _names(come))

    def _data(self, before: int, after: int, gone: Sequence[Row], come: Sequence[Row]) -> set[str]:
        """Return SOURCE, MANUAL or both: why other features, or other tiers of them, lie there."""
        if (self.old.is_merged(before) or self.new.is_merged(after)) and not (gone or come):
            return {MANUAL}
        kinds = set()
        for row, other in [(row, come) for row in gone] + [(row, gone) for row in come]:
            same_file = self.old.files.get(row["layer"], "") == self.new.files.get(row["layer"], "-")
            read_otherwise = any(_is_same(row, one) for one in other)
            kinds.add(MANUAL if same_file and read_otherwise else SOURCE)
        return kinds or {MANUAL if self.old.is_merged(before) or self.new.is_merged(after) else SOURCE}

    def _with_rules(self, members: tuple[str, str], data: set[str]) -> set[str]:
        """Return which of data and rules the change took, by what either table says of either data."""
        was, now = self.old.decides(members[0]), self.new.decides(members[1])
        if not data:
            return {RULE}
        new_of_old, old_of_new = self.new.decides(members[0]), self.old.decides(members[1])
        if was == new_of_old or now == old_of_new:
            # Data alone do it where the tables agree on what lay or lies there.
            return data
        if now == new_of_old or was == old_of_new:
            return {RULE}
        return data | {RULE}


def _only(before: Sequence[Row], after: Sequence[Row]) -> tuple[list[Row], list[Row]]:
    """Return the features, with their tiers, that lie on one side only."""
    sides = [{tuple(row.items()): row for row in rows} for rows in (before, after)]
    return (
        [row for key, row in sides[0].items() if key not in sides[1]],
        [row for key, row in sides[1].items() if key not in sides[0]],
    )


def _is_same(one: Row, other: Row) -> bool:
    return all(one[name] == other[name] for name in ("role", "layer", "source_id"))


def _roles_changed(before: str, after: str) -> str:
    """Return "+role:tier;-role:tier" of what came and went."""
    sides = [
        {f"{role}:{tier}" if tier else role for role, tiers in json.loads(members).items() for tier in tiers}
        for members in (before, after)
    ]
    signed = [f"+{name}" for name in sorted(sides[1] - sides[0])]
    return ";".join(signed + [f"-{name}" for name in sorted(sides[0] - sides[1])])


def _names(rows: Sequence[Row]) -> str:
    return ";".join(sorted({row["name"] or row["source_id"] for row in rows}))
