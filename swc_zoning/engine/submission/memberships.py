# SPDX-License-Identifier: GPL-2.0-or-later
"""What lies on each piece by law, and by what neighbours differ: the pair of boundaries between them.

Memberships are roles with tiers, from table GXB; where a package has none, the codes of LYDM. Two pieces may
be one only where district, zone, measures and all memberships are the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from swc_zoning.engine import roles
from swc_zoning.engine.grid import Floats, Ints, group, mix, ragged
from swc_zoning.engine.rule_words import role_name
from swc_zoning.engine.submission.schemas import Schema
from swc_zoning.engine.submission.sheets import Sheet

Mask = NDArray[np.bool_]

#: The code of the border between two districts in a pair.
DISTRICT = "XZQ"
#: A second boundary is along at least this share of what the first is along: ends of a strip are no sides.
_SIDE = 0.2
#: Fields in which pieces that may be one agree.
_SAME = ("XZQDM", "FQDM", "CSDM", "LH", "ZT")
_RIVERS = frozenset({("landuse_status", "water"), ("landuse_status", "tidal_flat")})
_RIVER_CODES = frozenset({"HG"})


@dataclass(frozen=True)
class Memberships:
    """Memberships of n pieces: `combo` (n) numbers them, `members` and `codes` say what each holds.

    `law` (n): equal where pieces may be one; `district` (n): equal where districts are.
    """

    combo: Ints
    members: tuple[frozenset[tuple[str, str]], ...]
    codes: Mapping[tuple[str, str], str]
    law: Ints
    district: Ints
    sea: Mask

    @classmethod
    def of(cls, pieces: Sheet, relations: Sheet | None, schema: Schema) -> Memberships:
        """Return the memberships of the rows of `pieces`; `relations` is table GXB."""
        if relations is not None and {"BSM", "JS", "DJ"} <= set(relations.columns):
            row, member, members = _of_table(pieces, relations)
        else:
            row, member, members = _of_codes(texts(pieces, "LYDM"))
        combo, sets = _combos(row, member, members, len(pieces))
        columns = [numbers(texts(pieces, name)) for name in _SAME]
        law = _together([combo, *columns])
        sea = np.array([land == "0" for land in texts(pieces, "LH")], bool)
        return cls(combo, sets, _codes(members, schema), law, columns[0], sea)

    def rivers(self) -> Mask:
        """Return which pieces are water by land use, or by their codes."""
        wet = [
            bool(members & _RIVERS) or bool({self.codes[one] for one in members} & _RIVER_CODES)
            for members in self.members
        ]
        return np.array(wet, bool)[self.combo]

    def pairs(self, count: int, item: Ints, one: Ints, other: Ints, length: Floats) -> list[tuple[str, ...]]:
        """Return for each of `count` items the one or two codes of boundaries that make it, sorted.

        Rows: the item, the pieces on both sides of one of its borders (`other` -1: outside), and how long
        that is (m). Codes are those along most of it.
        """
        inside = np.where(other < 0, one, other)
        keys = self.combo[one] * max(1, len(self.members)) + self.combo[inside]
        distinct, which = np.unique(keys, return_inverse=True)
        names, counts, flat = self._differences(distinct)
        spread = ragged((np.cumsum(counts) - counts)[which], counts[which])
        borders = [(np.repeat(item, counts[which]), flat[spread], np.repeat(length, counts[which]))]
        apart = (other < 0) | (self.district[one] != self.district[inside])
        borders.append((item[apart], np.full(int(apart.sum()), names.index(DISTRICT)), length[apart]))
        items, code, metres = (np.concatenate(column) for column in zip(*borders))
        found: list[list[str]] = [[] for _ in range(count)]
        longest = np.zeros(count)
        order, starts = group(items * len(names) + code)
        if len(starts):
            rows = order[starts]
            sums = np.add.reduceat(metres[order], starts)
            np.maximum.at(longest, items[rows], sums)
            side = sums >= longest[items[rows]] * _SIDE
            rows, sums = rows[side], sums[side]
            for row in rows[np.lexsort((code[rows], -sums, items[rows]))].tolist():
                found[items[row]].append(names[code[row]])
        return [tuple(sorted(codes[:2])) for codes in found]

    def _differences(self, keys: Ints) -> tuple[list[str], Ints, Ints]:
        """Return the names of codes, and for pairs of combos how many codes differ and which."""
        names = sorted({*self.codes.values(), DISTRICT})
        place = {name: number for number, name in enumerate(names)}
        lists = []
        for key in keys.tolist():
            one, other = (self.members[combo] for combo in divmod(key, max(1, len(self.members))))
            lists.append(sorted({place[self.codes[member]] for member in one ^ other}))
        counts = np.array([len(found) for found in lists], np.int64)
        return names, counts, np.array([code for found in lists for code in found], np.int64)


def texts(sheet: Sheet, name: str) -> list[str]:
    """Return a text column, "" where it has nothing or there is no such column."""
    values = sheet.columns.get(name)
    return [""] * len(sheet) if values is None else [str(value or "") for value in values.tolist()]


def numbers(values: Iterable[Any]) -> Ints:
    """Return a number for each value, the same for the same."""
    known: dict[Any, int] = {}
    return np.array([known.setdefault(value, len(known)) for value in values], np.int64)


def pair_names(pair: Iterable[str], schema: Schema, lang: str) -> str:
    """Return the two boundaries of a pair in words."""
    known = {DISTRICT: {"zh": "行政区界", "en": "District border"}.get(lang, DISTRICT)}
    for key, source in schema.sources.items():
        role = roles.find(key.partition(":")[0])
        names = {"zh": source.name_zh, "en": getattr(role, "name_en", source.code)}
        known.setdefault(source.code, names[lang])
    return " × ".join(known.get(code) or role_name(code, lang) for code in pair)


def _of_table(pieces: Sheet, relations: Sheet) -> tuple[Ints, Ints, list[tuple[str, str]]]:
    """Return rows (piece, number of a member) and the members, of roles the law knows."""
    of_bsm = {bsm: row for row, bsm in enumerate(texts(pieces, "BSM"))}
    row = np.array([of_bsm.get(bsm, -1) for bsm in texts(relations, "BSM")], np.int64)
    pairs = list(zip(texts(relations, "JS"), texts(relations, "DJ")))
    member = numbers(pairs)
    members = list(dict.fromkeys(pairs))
    known = np.array([roles.find(role) is not None for role, _ in members], bool)
    keep = (row >= 0) & known[member] if len(row) else np.empty(0, bool)
    return row[keep], member[keep], members


def _of_codes(lists: list[str]) -> tuple[Ints, Ints, list[tuple[str, str]]]:
    """Return rows (piece, number of a member) and the members, from lists of codes."""
    parts = [[code for code in codes.split(";") if code] for codes in lists]
    flat = [("", code) for codes in parts for code in codes]
    row = np.repeat(np.arange(len(lists)), [len(codes) for codes in parts])
    return row, numbers(flat), list(dict.fromkeys(flat))


def _combos(
    row: Ints, member: Ints, members: list[tuple[str, str]], count: int
) -> tuple[Ints, tuple[frozenset[tuple[str, str]], ...]]:
    """Return a number of each of `count` pieces and what the combos of those numbers hold."""
    width = max(1, len(members))
    pairs = np.unique(row * width + member)
    row, member = pairs // width, pairs % width
    sums = np.zeros(count, np.uint64)
    starts = np.flatnonzero(np.diff(row, prepend=-1))
    if len(starts):
        sums[row[starts]] = np.add.reduceat(mix(member.astype(np.uint64)), starts)
    _, first, combo = np.unique(sums, return_index=True, return_inverse=True)
    ends = np.searchsorted(row, [first, first + 1])
    held = [frozenset(members[one] for one in member[a:b].tolist()) for a, b in ends.T.tolist()]
    return combo.ravel().astype(np.int64), tuple(held)


def _codes(members: list[tuple[str, str]], schema: Schema) -> dict[tuple[str, str], str]:
    """Return the code of LYDM of each member, the role itself where it has none."""
    return {(role, tier): schema.source_code(role, tier) or role or tier for role, tier in members}


def _together(columns: list[Ints]) -> Ints:
    """Return a number for each row, equal where all columns are."""
    number = columns[0]
    for column in columns[1:]:
        number = np.unique(number * (int(column.max(initial=0)) + 1) + column, return_inverse=True)[1].ravel()
    return number
