# SPDX-License-Identifier: GPL-2.0-or-later
"""Consultation on conflicts: what is asked of whom, from the conflicts of a result.

Conflicts are grouped so that a department can answer them: one group for each kind and pair of source
features, its regions merged; a kind with too many pairs by pair of layers and district. Wording and
departments are in ``resources/consultation.json``.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from swc_zoning.engine import areas, formats, georef, roles, rule_words, rules, written
from swc_zoning.engine.messages import Finding, SwcError
from swc_zoning.engine.result import ZONING
from swc_zoning.paths import resource

NAME = "consultation"
GROUPINGS = ("auto", "features", "districts")
#: Names of features of one side spelt out; the others are counted.
_NAMED = 3


@lru_cache(maxsize=1)
def words() -> dict[str, Any]:
    """Return ``resources/consultation.json``."""
    return json.loads(resource("consultation.json").read_text(encoding="utf-8"))


@dataclass(frozen=True)
class Facts:
    """What a letter says that no data hold; dates YYYYMMDD. Empty: its place in the letter stays open.

    `departments` name the addressees by id, in place of the general words.
    """

    plan_name: str = ""
    name: str = ""
    compiler: str = ""
    secrecy: str = ""
    letter_no: str = ""
    letter_date: str = ""
    deadline: str = ""
    contact: str = ""
    phone: str = ""
    departments: Mapping[str, str] = field(default_factory=dict)


def facts_of(document: Mapping[str, Any]) -> Facts:
    """Return the facts of a JSON document; keys of an order that no letter needs are left alone.

    Raises SwcError ``consultation.setting``.
    """
    from swc_zoning.engine.submission.order import Order

    known = {one.name for one in fields(Facts)}
    others = {"schema", *(one.name for one in fields(Order))}
    for key, value in document.items():
        kind = dict if key == "departments" else str
        if key not in known | others or (key in known and not isinstance(value, kind)):
            raise SwcError("consultation.setting", key=key, value=str(value), known=", ".join(sorted(known)))
    unknown = set(document.get("departments", {})) - set(words()["departments"])
    if unknown:
        allowed = ", ".join(words()["departments"])
        raise SwcError("consultation.setting", key="departments", value=", ".join(unknown), known=allowed)
    return Facts(**{key: document[key] for key in known & document.keys()})


@dataclass(frozen=True)
class Side:
    """One side of a conflict: features (id, name) of one layer, those of a group as listed there."""

    role: str
    layer: str
    features: tuple[tuple[str, str], ...]
    tiers: tuple[str, ...]

    def role_name(self, lang: str) -> str:
        """Return the name of the role, its id for a free one."""
        return rule_words.role_name(self.role, lang)

    def layer_text(self, lang: str) -> str:
        """Return role and layer, as a cell says them."""
        brackets = ("（", "）") if lang == "zh" else (" (", ")")
        return f"{self.role_name(lang)}{brackets[0]}{self.layer}{brackets[1]}"

    def feature_text(self, lang: str) -> str:
        """Return the features by name and id, the first few of many."""
        told = [_feature(one, name, lang) for one, name in self.features[:_NAMED]]
        text = ("、" if lang == "zh" else ", ").join(told)
        if len(self.features) <= _NAMED:
            return text
        more = len(self.features)
        return f"{text}等 {more} 个要素" if lang == "zh" else f"{text} and others, {more} in all"

    def short(self, lang: str) -> str:
        """Return the name of the features for a sentence."""
        names = list(dict.fromkeys(name or one for one, name in self.features))
        text = ("、" if lang == "zh" else ", ").join(names[:_NAMED])
        if len(self.features) <= _NAMED:
            return text
        more = len(self.features)
        return f"{text}等 {more} 个要素" if lang == "zh" else f"{text} and others ({more} features)"

    def tier_text(self, lang: str) -> str:
        """Return the tiers by name."""
        role = roles.find(self.role)
        named = {} if role is None else {tier.id: tier for tier in role.tiers}
        texts = [
            tier if tier not in named else (named[tier].name_zh if lang == "zh" else named[tier].name_en)
            for tier in self.tiers
        ]
        return ("、" if lang == "zh" else ", ").join(texts)


def _feature(one: str, name: str, lang: str) -> str:
    if not name or name == one:
        return one
    return f"{name}（{one}）" if lang == "zh" else f"{name} ({one})"


@dataclass(frozen=True)
class Group:
    """Conflicts that are answered as one.

    `area_centi` official area in 0.01 m2; `geometry` all regions (MultiPolygon, working CRS); `place`
    (east, north) and `lonlat` a point inside the largest region, the `main` one; `districts` (code, name).
    """

    id: str
    kind: str
    first: Side
    second: Side | None
    districts: tuple[tuple[str, str], ...]
    area_centi: int
    regions: int
    geometry: Any
    main: Any
    place: tuple[float, float]
    lonlat: tuple[float, float]
    row: Mapping[str, Any]
    basis: str
    department: str
    concerned: tuple[str, ...]

    @property
    def hectares(self) -> float:
        """Return the area in hectares."""
        return self.area_centi / 1e6

    def name(self, lang: str) -> str:
        """Return the name of its kind."""
        return self.row[f"name_{lang}"]

    def settling_rule(self, lang: str) -> str:
        """Return how the decision table would settle it."""
        named = self.row.get("settling_rule_en") if lang == "en" else None
        return named or self.row["settling_rule"]

    def district_text(self, lang: str) -> str:
        """Return the names of its districts."""
        return ("、" if lang == "zh" else ", ").join(name or code for code, name in self.districts)

    def statement(self, lang: str) -> str:
        """Return what was found, as a sentence."""
        where, hectares = self.district_text(lang), f"{self.hectares:,.4f}"
        one = self.first.short(lang)
        if lang == "zh":
            first, many = f"{self.first.role_name(lang)}“{one}”", f"共 {self.regions} 处、{hectares} 公顷"
            if self.second is None:
                return f"{where}：{first}存在“{self.name(lang)}”情形，{many}。"
            return f"{where}：{first}与{self.second.role_name(lang)}“{self.second.short(lang)}”重叠，{many}。"
        first = f'{self.first.role_name(lang)} "{one}"'
        many = f"{self.regions} {'region' if self.regions == 1 else 'regions'}, {hectares} ha in all"
        if self.second is None:
            return f"{where}: {first} is a case of {self.name(lang)}: {many}."
        other = f'{self.second.role_name(lang)} "{self.second.short(lang)}"'
        return f"{where}: {first} and {other} overlap: {many}."

    def question(self, lang: str) -> str:
        """Return what was found and what the department is asked."""
        asked = entry_of(self.kind)[f"question_{lang}"]
        return self.statement(lang) + (" " if lang == "en" else "") + asked


def entry_of(kind: str) -> Mapping[str, Any]:
    """Return what the data say of a kind of conflict, the general words for one they do not know."""
    return words()["kinds"].get(kind) or words()["other"]


def department_name(department: str, facts: Facts, lang: str) -> str:
    """Return how a department is addressed."""
    return facts.departments.get(department) or words()["departments"][department][lang]


@dataclass(frozen=True)
class Case:
    """The conflicts of a result, grouped: `groups` in the order they are listed, what is to be told."""

    folder: Path
    summary: Mapping[str, Any]
    groups: tuple[Group, ...]
    findings: tuple[Finding, ...]
    rules_title: Mapping[str, str]

    @property
    def crs(self) -> str:
        """Return the working CRS of the result."""
        return self.summary["crs"]

    def only(self, department: str) -> Case:
        """Return what is addressed to one department or concerns it. Raises ``consultation.setting``."""
        if department not in words()["departments"]:
            known = ", ".join(words()["departments"])
            raise SwcError("consultation.setting", key="department", value=department, known=known)
        asked = (one for one in self.groups if department in (one.department, *one.concerned))
        return replace(self, groups=tuple(asked))

    def departments(self) -> dict[str, list[Group]]:
        """Return the groups of each department that is addressed, in the order of the data."""
        by: dict[str, list[Group]] = {name: [] for name in words()["departments"]}
        for group in self.groups:
            by[group.department].append(group)
        return {name: groups for name, groups in by.items() if groups}


# --- grouping --------------------------------------------------------------------------------------


def case_of(folder: Path, grouping: str = "auto") -> Case:
    """Return the conflicts of the result in `folder`, grouped.

    Raises SwcError ``consultation.setting``, ``consultation.no_table`` and what `written` raises.
    """
    if grouping not in GROUPINGS:
        raise SwcError("consultation.setting", key="grouping", value=grouping, known=", ".join(GROUPINGS))
    folder = Path(folder)
    document = written.summary_of(folder)
    table = written.table_of(folder, document)
    if table is None:
        raise SwcError("consultation.no_table", path=str(folder))
    rows = _conflict_rows(folder)
    names = {row["district_code"]: row["district_name"] for row in document["by_district"]}
    findings: list[Finding] = []
    groups = [
        _group(key, members, table, names, document)
        for key, members in _keyed(rows, grouping, findings).items()
    ]
    groups.sort(key=lambda group: (_rank(group), group.kind, -group.area_centi, group.id))
    if not groups:
        findings.append(Finding("consultation.none"))
    titles = {lang: table.document[f"title_{lang}"] for lang in ("zh", "en")}
    return Case(folder, document, tuple(groups), tuple(findings), titles)


def _rank(group: Group) -> int:
    return list(words()["severities"]).index(group.row["severity"])


def _conflict_rows(folder: Path) -> list[dict[str, Any]]:
    table = formats.read_vector(folder / ZONING, "conflicts")
    columns = {name: values.tolist() for name, values in table.columns.items()}
    shapes = shapely.from_wkb(np.asarray(table.wkb))
    return [
        {**{name: _plain(value) for name, value in zip(columns, values)}, "geometry": shape}
        for values, shape in zip(zip(*columns.values()), shapes)
    ]


def _plain(value: Any) -> Any:
    return "" if value is None or value != value else value


def _side_key(row: Mapping[str, Any], side: str, feature: bool) -> tuple[str, ...]:
    parts = ("role", "layer", "source", "tier") if feature else ("role", "layer")
    return tuple(row[f"{part}_{side}"] for part in parts)


def _keyed(
    rows: Sequence[Mapping[str, Any]], grouping: str, findings: list[Finding]
) -> dict[tuple[Any, ...], list[Mapping[str, Any]]]:
    """Return the conflicts of each group: by pair of features, or by pair of layers and district."""
    pairs: dict[str, set[Any]] = {}
    for row in rows:
        pairs.setdefault(row["kind"], set()).add(_pair(row, True))
    most = words()["most_rows_a_kind"]
    many = {kind for kind, found in pairs.items() if grouping == "auto" and len(found) > most}
    for kind in sorted(many):
        facts = {"kind": kind, "pairs": len(pairs[kind]), "most": most}
        findings.append(Finding("consultation.by_district", facts))
    grouped: dict[tuple[Any, ...], list[Mapping[str, Any]]] = {}
    for row in rows:
        wide = grouping == "districts" or row["kind"] in many
        key = (row["kind"], *_pair(row, not wide), *((row["districts"],) if wide else ()))
        grouped.setdefault(key, []).append(row)
    return grouped


def _pair(row: Mapping[str, Any], feature: bool) -> tuple[tuple[str, ...], tuple[str, ...]]:
    return _side_key(row, "a", feature), _side_key(row, "b", feature)


def _group(
    key: tuple[Any, ...],
    rows: Sequence[Mapping[str, Any]],
    table: rules.RuleTable,
    names: Mapping[str, str],
    document: Mapping[str, Any],
) -> Group:
    kind, first = rows[0]["kind"], _side(rows, "a")
    digest = hashlib.sha256(json.dumps(key, ensure_ascii=False).encode("utf-8")).hexdigest()
    main = max(rows, key=lambda row: (row["area_m2"], row["conflict_id"]))
    geometry, centi, regions = _ground(rows, document["crs"])
    codes = sorted({code for row in rows for code in row["districts"].split(";") if code})
    place = (float(main["east"]), float(main["north"]))
    entry, row = entry_of(kind), table.conflicts[kind]
    department = entry.get("by_role", {}).get(first.role, entry["department"])
    return Group(
        *(f"{kind}-{digest[:12]}", kind, first, _side(rows, "b") if rows[0]["role_b"] else None),
        districts=tuple((code, names.get(code, "")) for code in codes),
        area_centi=centi,
        regions=regions,
        geometry=geometry,
        main=main["geometry"],
        place=place,
        lonlat=lonlat_of(place, document["crs"]),
        row=row,
        basis="；".join(table.basis(row)),
        department=department,
        concerned=tuple(one for one in entry["with"] if one != department),
    )


def _side(rows: Sequence[Mapping[str, Any]], side: str) -> Side:
    features = dict.fromkeys((row[f"source_{side}"], row[f"name_{side}"]) for row in rows)
    tiers = dict.fromkeys(row[f"tier_{side}"] for row in rows if row[f"tier_{side}"])
    return Side(
        rows[0][f"role_{side}"], rows[0][f"layer_{side}"], tuple(sorted(features)), tuple(sorted(tiers))
    )


def _ground(rows: Sequence[Mapping[str, Any]], crs: str) -> tuple[Any, int, int]:
    """Return (MultiPolygon, official area in 0.01 m2, number of regions) of conflicts.

    Regions of one pair lie apart and their closed areas add up; those of several pairs may share ground.
    """
    parts = shapely.get_parts(np.array([row["geometry"] for row in rows], dtype=object))
    if len({_pair(row, True) for row in rows}) == 1:
        centi = sum(round(row["area_m2"] * 100) for row in rows)
        return shapely.multipolygons(parts), centi, len(rows)
    merged = shapely.multipolygons(shapely.get_parts(shapely.union_all(parts)))
    area = areas.area_model(crs).areas([merged])[0]
    return merged, round(float(area) * 100), len(shapely.get_parts(merged))


@lru_cache(maxsize=4)
def _to_degrees(crs: str) -> georef.Move:
    source = georef.parse(crs)
    if source is None:
        raise SwcError("boundary.crs_unknown", crs=crs)
    return georef.Move(source, georef.parse("EPSG:4490"), (-180.0, -90.0, 180.0, 90.0))


def lonlat_of(place: tuple[float, float], crs: str) -> tuple[float, float]:
    """Return longitude and latitude (EPSG:4490) of a place in a working CRS."""
    (lon, lat), *_ = _to_degrees(crs)(np.array([place])).tolist()
    return lon, lat


# --- as rows ---------------------------------------------------------------------------------------


def cells_of(number: int, group: Group, facts: Facts, lang: str) -> dict[str, Any]:
    """Return the cells of a group by column of ``resources/consultation.json``."""
    second = group.second
    separator = "、" if lang == "zh" else ", "
    return {
        "number": number,
        "group": group.id,
        "kind": group.kind,
        "name": group.name(lang),
        "severity": words()["severities"][group.row["severity"]][lang],
        "department": department_name(group.department, facts, lang),
        "concerned": separator.join(department_name(one, facts, lang) for one in group.concerned),
        "layer_a": group.first.layer_text(lang),
        "feature_a": group.first.feature_text(lang),
        "tier_a": group.first.tier_text(lang),
        "layer_b": second.layer_text(lang) if second else "",
        "feature_b": second.feature_text(lang) if second else "",
        "tier_b": second.tier_text(lang) if second else "",
        "districts": group.district_text(lang),
        "area_ha": round(group.hectares, 4),
        "regions": group.regions,
        "east": round(group.place[0], 2),
        "north": round(group.place[1], 2),
        "lon": round(group.lonlat[0], 6),
        "lat": round(group.lonlat[1], 6),
        "question": group.question(lang),
        "settling_rule": group.settling_rule(lang),
        "status": words()["statuses"].get(group.row.get("status", ""), {}).get(lang, ""),
        "basis": group.basis,
    }


def as_json(group: Group) -> dict[str, Any]:
    """Return a group as plain data, without geometry."""
    sides = [side for side in (group.first, group.second) if side]
    return {
        "id": group.id,
        "kind": group.kind,
        "severity": group.row["severity"],
        "name_zh": group.name("zh"),
        "name_en": group.name("en"),
        "sides": [
            {
                "role": one.role,
                "layer": one.layer,
                "features": list(map(list, one.features)),
                "tiers": list(one.tiers),
            }
            for one in sides
        ],
        "districts": [code for code, _ in group.districts],
        "area_m2": group.area_centi / 100,
        "regions": group.regions,
        "place": [round(value, 4) for value in group.place],
        "lonlat": [round(value, 8) for value in group.lonlat],
        "department": group.department,
        "concerned": list(group.concerned),
        "question_zh": group.question("zh"),
        "question_en": group.question("en"),
    }
