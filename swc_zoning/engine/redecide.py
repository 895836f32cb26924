# SPDX-License-Identifier: GPL-2.0-or-later
"""What another decision table would make of a written result, without a new overlay of its layers.

Zones follow from which roles and tiers cover a piece, and the result keeps those; so an edited
table is a matter of its distinct label combinations and of sums.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from swc_zoning.engine import formats, pieces, summary
from swc_zoning.engine.areas import Adjustment
from swc_zoning.engine.grid import Ints
from swc_zoning.engine.messages import SwcError
from swc_zoning.engine.pieces import Combo, District, Ground
from swc_zoning.engine.result import SUMMARY, ZONING
from swc_zoning.engine.rules import RuleTable

_NUMBERS = ("plane_m2", "ellipsoidal_m2", "area_m2")
_READ = ("members", "zone", "status", "district_code", "land", *_NUMBERS)


def read(folder: Path) -> Ground:
    """Return the pieces of the result in `folder`, decided as they were.

    Raises SwcError ``redecide.no_result`` where there is none, ``redecide.not_together`` where its
    two files are not of one run, and what `formats.read_columns` raises.
    """
    document = _summary(folder)
    districts = [District(row["district_code"], row["district_name"]) for row in document["by_district"]]
    columns, combos = _Columns(districts), _Combos()
    codes = {district.code for district in districts}
    for part in formats.read_columns(folder / ZONING, "pieces", _READ):
        strange = set(part["district_code"].tolist()) - codes
        _hold(folder, "district_code", ", ".join(sorted(map(str, strange))), "")
        columns.add(part, combos.numbers(part))
    numbers = columns.joined()
    _hold(folder, "pieces", len(numbers["combo"]), document["total"]["pieces"])
    return Ground(
        districts,
        numbers["district"],
        combos.found,
        numbers["combo"],
        numbers["land"] if document["by_land"] else None,
        numbers["plane_m2"],
        numbers["ellipsoidal_m2"],
        np.rint(numbers["area_m2"] * 100).astype(np.int64),
        [_adjustment(row) for row in document["adjustments"]],
        frozenset(r["role"] for r in document["inputs"] if not r["extent"] and r["used"] > 0),
    )


def preview(ground: Ground, table: RuleTable) -> dict[str, Any]:
    """Return the areas of ``summary.json`` as `table` has them, and `changes` from what `ground` has.

    Keys: total, by_zone, by_district, by_land, crosstab, changes; areas in m2.
    """
    after = pieces.redecided(ground, table)
    return {**summary.zone_areas(after, table), "changes": summary.changes(ground, after)}


def _summary(folder: Path) -> Mapping[str, Any]:
    try:
        document = json.loads((folder / SUMMARY).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SwcError("redecide.no_result", path=str(folder)) from error
    if not isinstance(document, dict) or "content_sha256" not in document or not (folder / ZONING).exists():
        raise SwcError("redecide.no_result", path=str(folder))
    return document


def _hold(folder: Path, field: str, found: Any, meant: Any) -> None:
    if found != meant:
        raise SwcError("redecide.not_together", path=str(folder), field=field, found=found, meant=meant)


class _Combos:
    """The distinct label combinations, with the zone and status they were given."""

    def __init__(self) -> None:
        self.found: list[Combo] = []
        self._known: dict[str, int] = {}

    def numbers(self, part: Mapping[str, NDArray[Any]]) -> Ints:
        """Return the number of the combination of each piece."""
        made = np.empty(len(part["members"]), np.int64)
        for row, members in enumerate(part["members"].tolist()):
            if members not in self._known:
                self._known[members] = len(self.found)
                self.found.append(
                    Combo(json.loads(members), {key: part[key][row] for key in ("zone", "status")})
                )
            made[row] = self._known[members]
        return made


class _Columns:
    """The columns of the pieces, gathered part by part."""

    def __init__(self, districts: list[District]) -> None:
        self._place = {district.code: number for number, district in enumerate(districts)}
        self._parts: list[dict[str, NDArray[Any]]] = []

    def add(self, part: Mapping[str, NDArray[Any]], combo: Ints) -> None:
        district = np.array([self._place[code] for code in part["district_code"].tolist()], np.int64)
        land = np.array([-1 if value is None else value for value in part["land"].tolist()], np.int64)
        numbers = {name: part[name].astype(np.float64) for name in _NUMBERS}
        self._parts.append({**numbers, "district": district, "land": land, "combo": combo})

    def joined(self) -> dict[str, NDArray[Any]]:
        empty = {**dict.fromkeys(_NUMBERS, float), "district": int, "land": int, "combo": int}
        return {
            name: np.concatenate([np.empty(0, kind), *(part[name] for part in self._parts)])
            for name, kind in empty.items()
        }


def _adjustment(row: Mapping[str, Any]) -> Adjustment:
    return Adjustment(**{key: value for key, value in row.items() if key != "district_code"})
