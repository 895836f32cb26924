# SPDX-License-Identifier: GPL-2.0-or-later
"""What another decision table would make of a written result, without a new overlay of its layers.

Zones follow from which roles and tiers cover a piece, and the result keeps those; so an edited
table is a matter of its distinct label combinations and of sums. Needs the standard library alone.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from swc_zoning.engine import rules
from swc_zoning.engine.geopackage import opened
from swc_zoning.engine.messages import SwcError
from swc_zoning.engine.rules import RuleTable

_ZONING, _SUMMARY = "zoning.gpkg", "summary.json"
#: Official areas are whole 0.01 m2: as integers their sums are exact. The lists of a decision follow
#: from the combination, so that any of a group stands for all.
_GROUPS = (
    "SELECT members, district_code, land, zone, status, MIN(rules) AS rules, MIN(measures) AS measures, "
    "COUNT(*) AS pieces, SUM(plane_m2) AS plane_m2, SUM(ellipsoidal_m2) AS ellipsoidal_m2, "
    "SUM(CAST(ROUND(area_m2 * 100) AS INTEGER)) AS centi "
    "FROM pieces GROUP BY members, district_code, land, zone, status"
)


@dataclass(frozen=True)
class Part:
    """Ground of one label combination, district, side of the coast, zone and status, as it was decided.

    `members`: the text of the combination; `land`: 1, 0, or None without a land mask; plane and
    ellipsoidal areas in m2, `centi` the official one in 0.01 m2.
    """

    members: str
    district: str
    land: int | None
    zone: str
    status: str
    pieces: int
    plane_m2: float
    ellipsoidal_m2: float
    centi: int


@dataclass(frozen=True)
class Ground:
    """A written result as parts; `districts`: rows of its summary, `zone_rows`: names of its zones.

    `was`: rules and measures of each combination as they were decided; `supplied`: roles with a layer.
    """

    parts: tuple[Part, ...]
    districts: tuple[Mapping[str, Any], ...]
    zone_rows: Mapping[str, Mapping[str, Any]]
    has_land: bool
    was: Mapping[str, Mapping[str, list[str]]]
    supplied: frozenset[str]


def read(folder: Path) -> Ground:
    """Return the pieces of the result in `folder` in sums, decided as they were.

    Raises SwcError ``redecide.no_result`` where there is none, ``redecide.not_together`` where its
    two files are not of one run, and ``geopackage.unreadable``.
    """
    document = _summary(folder)
    with opened(folder / _ZONING) as connection:
        rows = connection.execute(_GROUPS).fetchall()
    parts = tuple(_part(row) for row in rows)
    strange = {part.district for part in parts} - {row["district_code"] for row in document["by_district"]}
    _hold(folder, "district_code", ", ".join(sorted(map(str, strange))), "")
    _hold(folder, "pieces", sum(part.pieces for part in parts), document["total"]["pieces"])
    return Ground(
        parts,
        tuple(document["by_district"]),
        {row["zone"]: row for row in document["by_zone"]},
        bool(document["by_land"]),
        {row["members"]: {key: _listed(row[key]) for key in ("rules", "measures")} for row in rows},
        frozenset(r["role"] for r in document["inputs"] if not r["extent"] and r["used"] > 0),
    )


def preview(ground: Ground, table: RuleTable) -> Preview:
    """Return what `table` makes of `ground`; each distinct label combination is decided once."""
    found = {part.members: json.loads(part.members) for part in ground.parts}
    decisions = rules.decide_many(table, found.values(), ground.supplied)
    return Preview(ground, table, found, dict(zip(found, decisions)))


def _summary(folder: Path) -> Mapping[str, Any]:
    try:
        document = json.loads((folder / _SUMMARY).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SwcError("redecide.no_result", path=str(folder)) from error
    if not isinstance(document, dict) or "content_sha256" not in document or not (folder / _ZONING).exists():
        raise SwcError("redecide.no_result", path=str(folder))
    return document


def _hold(folder: Path, field: str, found: Any, meant: Any) -> None:
    if found != meant:
        raise SwcError("redecide.not_together", path=str(folder), field=field, found=found, meant=meant)


def _part(row: Mapping[str, Any]) -> Part:
    # An empty text is written as such or as NULL: a result without an extent has one nameless district.
    sums = (row[key] for key in ("pieces", "plane_m2", "ellipsoidal_m2", "centi"))
    return Part(
        row["members"], row["district_code"] or "", row["land"], row["zone"], row["status"] or "", *sums
    )


def _listed(joined: str | None) -> list[str]:
    return joined.split(";") if joined else []


@dataclass(frozen=True)
class Preview:
    """A result decided anew: `members` and `decisions` by the text of a label combination."""

    ground: Ground
    table: RuleTable
    members: Mapping[str, Mapping[str, list[str]]]
    decisions: Mapping[str, Mapping[str, Any]]

    @cached_property
    def zone_of(self) -> dict[str, tuple[str, str]]:
        """Return zone and status of each label combination."""
        return {members: (made["zone"], made["status"]) for members, made in self.decisions.items()}

    @cached_property
    def moved(self) -> tuple[Part, ...]:
        """Return the parts whose zone or status another decision changed."""
        return tuple(p for p in self.ground.parts if (p.zone, p.status) != self.zone_of[p.members])

    def as_json(self) -> dict[str, Any]:
        """Return the areas of ``summary.json`` as the table has them (m2), and what changed.

        Keys: total, by_zone, by_district, by_land, crosstab, changes, combinations.
        """
        return {
            "total": self._total(),
            "by_zone": self._zone_rows(self.ground.parts),
            "by_district": self._by_district(),
            "by_land": self._by_land(),
            "crosstab": self._crosstab(),
            "changes": self.changes(),
            "combinations": self.combinations(),
        }

    def changes(self) -> list[dict[str, Any]]:
        """Return sums of the ground that changed zone or status, by both, in order, and by district."""
        groups = _grouped(self.moved, lambda part: (part.zone, part.status, *self.zone_of[part.members]))
        names = ("from_zone", "from_status", "zone", "status")
        return [
            {**dict(zip(names, key)), **_sums(groups[key]), "districts": self._districts(groups[key])}
            for key in sorted(groups)
        ]

    def combinations(self) -> list[dict[str, Any]]:
        """Return the label combinations of which anything changed, largest first.

        Each with zone and status before and after, the rules and measures won and lost, and its sums.
        """
        groups = _grouped(self.ground.parts, lambda part: (part.members, part.zone, part.status))
        rows = [self._combination(*key, parts) for key, parts in groups.items()]
        changed = [row for row in rows if row.pop("changed")]
        return sorted(changed, key=lambda row: (-row["area_m2"], json.dumps(row["members"])))

    def gains(self, district: str | None = None) -> list[dict[str, Any]]:
        """Return before, lost, gained and after (m2) by zone and status, of one district or all.

        Confirmed and pending stand apart. Lost and gained are of the same sum, as are before and after.
        """
        chosen = self.ground.parts if district is None else self._by_code.get(district, [])
        sums: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0, 0])
        for part in chosen:
            old, new = (part.zone, part.status), self.zone_of[part.members]
            sums[old][0] += part.centi
            if old != new:
                sums[old][1] += part.centi
                sums[new][2] += part.centi
        return [
            {
                **self.names(zone),
                "status": status,
                "before_m2": before / 100,
                "lost_m2": lost / 100,
                "gained_m2": gained / 100,
                "after_m2": (before - lost + gained) / 100,
            }
            for (zone, status), (before, lost, gained) in sorted(sums.items(), key=self._order)
        ]

    @cached_property
    def _by_code(self) -> dict[str, list[Part]]:
        return _grouped(self.ground.parts, lambda part: part.district)

    def names(self, zone: str) -> dict[str, str]:
        """Return code and names of a zone: of the new table, or of the result where it has none."""
        row = self.table.zones.get(zone) or self.ground.zone_rows[zone]
        return {"zone": zone, "name_zh": row["name_zh"], "name_en": row["name_en"]}

    def _order(self, item: tuple[tuple[str, str], Any]) -> tuple[Any, ...]:
        zone, status = item[0]
        ranks = {code: number for number, code in enumerate(self.table.zones)}
        return ranks.get(zone, len(ranks)), zone, status

    def _combination(self, text: str, zone: str, status: str, parts: Sequence[Part]) -> dict[str, Any]:
        made, was = self.decisions[text], self.ground.was[text]
        told = {}
        for kind in ("rules", "measures"):
            told[f"{kind}_won"] = sorted(set(made[kind]) - set(was[kind]))
            told[f"{kind}_lost"] = sorted(set(was[kind]) - set(made[kind]))
        return {
            "members": self.members[text],
            "from_zone": zone,
            "from_status": status,
            "zone": made["zone"],
            "status": made["status"],
            **told,
            **_sums(parts),
            "changed": any(told.values()) or (zone, status) != self.zone_of[text],
        }

    def _zone_rows(self, parts: Iterable[Part]) -> list[dict[str, Any]]:
        """Return sums by zone and status, zones in rank order, confirmed first."""
        groups = _grouped(parts, lambda part: self.zone_of[part.members])
        return [
            {**self.names(zone), "status": status, **_sums(members)}
            for (zone, status), members in sorted(groups.items(), key=self._order)
        ]

    def _total(self) -> dict[str, Any]:
        parts = self.ground.parts
        total = _sums(parts)
        total["control_m2"] = sum(row["control_m2"] for row in self.ground.districts) if parts else 0.0
        if self.ground.has_land:
            for key, land in (("land_m2", 1), ("sea_m2", 0)):
                total[key] = sum(part.centi for part in parts if part.land == land) / 100
        return total

    def _districts(self, parts: Iterable[Part]) -> list[dict[str, Any]]:
        groups = _grouped(parts, lambda part: part.district)
        return [
            {**_named(row), **_sums(groups[row["district_code"]])}
            for row in self.ground.districts
            if row["district_code"] in groups
        ]

    def _by_district(self) -> list[dict[str, Any]]:
        rows = []
        for row in self.ground.districts:
            parts = self._by_code.get(row["district_code"], [])
            sums = {**_sums(parts), "control_m2": row["control_m2"]}
            rows.append({**_named(row), **sums, "zones": self._zone_rows(parts)})
        return rows

    def _by_land(self) -> list[dict[str, Any]]:
        """Return zone sums on land and at sea apart; nothing where no land mask was given."""
        groups = _grouped(self.ground.parts, lambda part: part.land)
        sides = (1, 0) if self.ground.has_land else ()
        return [{"land": land, **row} for land in sides for row in self._zone_rows(groups.get(land, []))]

    def _crosstab(self) -> list[dict[str, Any]]:
        groups = _grouped(self.ground.parts, lambda part: tuple(self.members[part.members]))
        keys = ("pieces", "plane_m2", "ellipsoidal_m2")
        rows = [(names, _sums(groups[names])) for names in sorted(groups)]
        return [{"roles": list(names), **{key: sums[key] for key in keys}} for names, sums in rows]


def _grouped(parts: Iterable[Part], key: Callable[[Part], Hashable]) -> dict[Any, list[Part]]:
    groups: dict[Any, list[Part]] = defaultdict(list)
    for part in parts:
        groups[key(part)].append(part)
    return dict(groups)


def _sums(parts: Iterable[Part]) -> dict[str, Any]:
    parts = list(parts)
    return {
        "pieces": sum(part.pieces for part in parts),
        "plane_m2": sum((part.plane_m2 for part in parts), 0.0),
        "ellipsoidal_m2": sum((part.ellipsoidal_m2 for part in parts), 0.0),
        "area_m2": sum(part.centi for part in parts) / 100,
    }


def _named(row: Mapping[str, Any]) -> dict[str, str]:
    return {key: row[key] for key in ("district_code", "district_name")}
