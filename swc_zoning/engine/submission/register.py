# SPDX-License-Identifier: GPL-2.0-or-later
"""The register of identifiers: what did not change keeps its BSM and TBBH, and no number is given twice.

BSM is the district's six digits, "0000" and a serial of eight digits, as practice has it; serials are counted
through all layers of a district. TBBH is the zone's code and a serial of seven digits (design). A row of the
register is never dropped: what is no more stays as retired. The highest number of each zone ever given is an
item of META, since a piece that changed its zone leaves no row with the number it had.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from swc_zoning.engine.messages import SwcError
from swc_zoning.engine.submission import opening
from swc_zoning.engine.submission.material import Texts, texts
from swc_zoning.engine.submission.schemas import Layer
from swc_zoning.engine.submission.sheets import Sheet

SHEET = "BSMDJ"
_IN_USE, _RETIRED = "1", "2"
_FILLING = "0000"
_ZONE_DIGITS = 4
_HIGHEST = "tbbh:"
_FIELDS = ("TCMC", "YBH", "BSM", "TBBH", "QYRQ", "ZXRQ", "ZT")


@dataclass(frozen=True)
class Entry:
    """A row: layer, key of what is named, its identifiers, and from when to when they hold (YYYYMMDD)."""

    layer: str
    key: str
    bsm: str
    tbbh: str
    since: str
    until: str
    state: str


class Register:
    """Gives identifiers; `earlier` are the rows of an earlier package, `date` the day of this one.

    `numbers`: the highest number given so far, by the code of its zone.
    """

    def __init__(self, earlier: Iterable[Entry], date: str, numbers: Mapping[str, int] | None = None) -> None:
        self._date = date
        self._earlier = list(earlier)
        self._given: list[Entry] = []
        self._serials: dict[str, int] = defaultdict(int)
        self._numbers: dict[str, int] = defaultdict(int, numbers or {})
        self._known: dict[tuple[str, str], Entry] = {}
        for entry in self._earlier:
            self._note(entry)

    def _note(self, entry: Entry) -> None:
        head, serial = entry.bsm[:6], entry.bsm[-8:]
        if serial.isdigit():
            self._serials[head] = max(self._serials[head], int(serial))
        zone, number = entry.tbbh[:_ZONE_DIGITS], entry.tbbh[_ZONE_DIGITS:]
        if number.isdigit():
            self._numbers[zone] = max(self._numbers[zone], int(number))
        before = self._known.get((entry.layer, entry.key))
        if before is None or before.state != _IN_USE:
            self._known[entry.layer, entry.key] = entry

    def give(
        self, layer: str, keys: Sequence[str], heads: Sequence[str], zones: Sequence[str] | None = None
    ) -> tuple[Texts, Texts]:
        """Return BSM and TBBH of rows of a layer, which their distinct `keys` tell apart.

        `heads` are the six digits of their districts, `zones` the codes their numbers start with (None: no
        numbers). New identifiers are given in the order of the rows.
        """
        begun = len(self._given)
        for key, head, zone in zip(keys, heads, [""] * len(keys) if zones is None else zones):
            known = self._known.get((layer, key))
            # An identifier starts with its district: what changed the district is something new.
            if known is None or known.bsm[:6] != head:
                known = Entry(layer, key, self._serial(head), "", self._date, "", _IN_USE)
            if known.tbbh[:_ZONE_DIGITS] != zone:
                known = replace(known, tbbh=self._number(zone) if zone else "")
            self._given.append(replace(known, until="", state=_IN_USE))
        made = self._given[begun:]
        return texts(entry.bsm for entry in made), texts(entry.tbbh for entry in made)

    def _serial(self, head: str) -> str:
        self._serials[head] += 1
        return f"{head}{_FILLING}{self._serials[head]:08d}"

    def _number(self, zone: str) -> str:
        self._numbers[zone] += 1
        return f"{zone}{self._numbers[zone]:07d}"

    def entries(self) -> list[Entry]:
        """Return all rows: those in use in the order they were given, then the retired ones."""
        used = {entry.bsm for entry in self._given}
        gone = [entry for entry in self._earlier if entry.bsm not in used]
        return [*self._given, *(replace(one, until=one.until or self._date, state=_RETIRED) for one in gone)]

    def items(self) -> list[tuple[str, int]]:
        """Return what META says of the register: the highest number of each zone."""
        return [(f"{_HIGHEST}{zone}", number) for zone, number in sorted(self._numbers.items()) if zone]

    def sheet(self, layer: Layer) -> Sheet:
        """Return the register as the table of the package."""
        columns = zip(*((e.layer, e.key, e.bsm, e.tbbh, e.since, e.until, e.state) for e in self.entries()))
        named = dict(zip(_FIELDS, map(texts, columns)))
        return Sheet(layer, {field.name: named.get(field.name, texts([])) for field in layer.fields})


def key_of(*parts: Any) -> str:
    """Return a key of 16 hexadecimal digits for what `parts` tell."""
    joined = "\0".join(map(str, parts))
    return hashlib.sha256(joined.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def opened(package: Path | None, date: str) -> Register:
    """Return the register that goes on from an earlier package (as `opening.opened` takes it), or a new one.

    Raises what `opening.opened` raises, and SwcError ``contents.no_register`` where it has none.
    """
    if package is None:
        return Register([], date)
    with opening.opened(package) as found:
        sheet = found.sheet(SHEET)
        if sheet is None:
            raise SwcError("contents.no_register", path=package.name)
        columns = [sheet.columns.get(name, np.full(len(sheet), "")).tolist() for name in _FIELDS]
        said = {
            item[len(_HIGHEST) :]: value for item, value in found.meta.items() if item.startswith(_HIGHEST)
        }
    numbers = {zone: int(value) for zone, value in said.items() if value.isdecimal()}
    return Register((Entry(*(value or "" for value in row)) for row in zip(*columns)), date, numbers)
