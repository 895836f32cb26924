# SPDX-License-Identifier: GPL-2.0-or-later
"""Key prevention and key treatment areas from the statistics of units, by rules (SL 717-2015, law art. 12).

A unit as a whole and what matters in it are two areas and are kept apart: of a township that touches a key
prevention area the important patches are the key area, of one for treatment the eroded ground.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from numpy.typing import NDArray

from swc_zoning.engine import areas, roles
from swc_zoning.engine.evaluation import districts, grades, key_rules, keyed, sheets, vectors
from swc_zoning.engine.evaluation.districts import Units
from swc_zoning.engine.evaluation.key_rules import KINDS, LEVELS, Rule, RuleBook, Verdict
from swc_zoning.engine.messages import sentence

if TYPE_CHECKING:
    from swc_zoning.engine.evaluation.running import Run

LAYER = "key_units"
ROLES: Mapping[str, str] = {"prevention": "key_prevention_zone", "treatment": "key_treatment_zone"}
#: Field with the name of a zone, as the territorial databases have it.
_NAMES = {"prevention": "YFQMC", "treatment": "ZLQMC"}
_SHOWN = 12
#: A unit lies in a declared area from this share on: borders never fit wholly. Our choice.
_INSIDE = 0.01
_KM2 = 1e6


@dataclass(frozen=True)
class Member:
    """A unit (its number) that is of a key area: the rule, the zone, what matters in it (None unknown)."""

    unit: int
    rule: Rule
    zone: str = ""
    key: Any = None
    key_m2: float | None = None


def key_areas(run: Run) -> None:
    """Write the units with what they are, the two layers of key areas, and the list for a notice."""
    book = key_rules.read(run["rule_file"]) if run["rule_file"] else key_rules.shipped(run["rules"])
    _tell_of_rules(run, book)
    document = json.dumps(book.as_json(), ensure_ascii=False, indent=1)
    run.path("rules_used").write_text(document + "\n", encoding="utf-8")
    units = districts.read_units(run)
    verdicts = [key_rules.judge(book, row, run["conflict"]) for row in _values(units)]
    _tell_of_verdicts(run, units, verdicts)
    found = {number: one.rule for number, one in enumerate(verdicts) if one.rule is not None}
    zones, dropped = keyed.zones(units, found, run["contiguous"], run["least_zone_km2"])
    _tell_dropped(run, units, dropped)
    members = _named(run, units, zones, found)
    run.progress.advance(0.3)
    members = [one for kind in KINDS for one in _with_keys(run, units, members, kind)]
    _tell_contradictions(run, units, members)
    reasons = {**{number: "conflict" for number, one in enumerate(verdicts) if one.other}, **dropped}
    _write_units(run, units, members, reasons)
    for kind in KINDS:
        _write_layer(run, units, [one for one in members if one.rule.kind == kind], kind)
    _write_lists(run, units, members)


def _values(units: Units) -> Iterator[dict[str, float | None]]:
    """Yield the numbers of each unit by field; its area is that of its polygon."""
    known = {name: list(map(_number, values)) for name, values in units.columns.items()}
    known["unit_km2"] = (units.areas / _KM2).tolist()
    for number in range(len(units)):
        yield {name: values[number] for name, values in known.items()}


def _number(value: Any) -> float | None:
    if isinstance(value, (int, float, np.number)) and not isinstance(value, bool):
        return None if np.isnan(value) else float(value)
    return None


# --- what the rules say ----------------------------------------------------------------------------


def _tell_of_rules(run: Run, book: RuleBook) -> None:
    run.take(book.source)
    run.facts["conflict_rule"] = run["conflict"]
    if book.source.id == "proposed":
        run.find("keyareas.proposed")
    if book.open_rules:
        names = ", ".join(rule.id for rule in book.open_rules)
        run.find("keyareas.open", count=len(book.open_rules), total=len(book.rules), rules=names)
    if len(book.open_rules) == len(book.rules):
        run.find("keyareas.nothing_decided", name_zh=book.source.name_zh, name_en=book.source.name_en)


def _tell_of_verdicts(run: Run, units: Units, verdicts: Sequence[Verdict]) -> None:
    both = [number for number, one in enumerate(verdicts) if one.other is not None]
    if both:
        facts = {"count": len(both), "units": _called(units, both), "conflict": run["conflict"]}
        run.find("keyareas.conflict", **facts)
    rows = list(_values(units))
    open_units = [number for number, one in enumerate(verdicts) if one.undecided]
    lacking = {
        name
        for number in open_units
        for rule in verdicts[number].undecided
        for name in rule.lacking(rows[number])
    }
    if open_units:
        shown = {"units": _called(units, open_units), "indicators": ", ".join(sorted(lacking))}
        run.find("keyareas.not_evaluable", count=len(open_units), **shown)


def _tell_dropped(run: Run, units: Units, dropped: Mapping[int, str]) -> None:
    for reason, code in (("small", "keyareas.small"), ("alone", "keyareas.alone")):
        numbers = [number for number, one in dropped.items() if one == reason]
        if numbers:
            facts = {"count": len(numbers), "units": _called(units, numbers)}
            run.find(code, **facts, km2=float(units.areas[numbers].sum()) / _KM2, least=run["least_zone_km2"])


def _called(units: Units, numbers: Sequence[int]) -> str:
    more = "" if len(numbers) <= _SHOWN else " …"
    return ", ".join(units.called(number) for number in numbers[:_SHOWN]) + more


def _tell_contradictions(run: Run, units: Units, members: Sequence[Member]) -> None:
    """Say which units lie in a declared area of the other kind: levels must not contradict each other."""
    for kind, other in (KINDS, KINDS[::-1]):
        chosen = [one.unit for one in members if one.rule.kind == kind]
        if not chosen or run[f"declared_{other}"] is None:
            continue
        parts = districts.read_parts(run, run[f"declared_{other}"], units.crs).geometry
        tree = shapely.STRtree(parts)
        found = [shapely.union_all(districts.cut(units.geometry[one], tree, parts)[1]) for one in chosen]
        plane = shapely.area(found)
        inside = [one for one, area in zip(chosen, plane) if area > _INSIDE * units.areas[one]]
        if inside:
            facts = {"count": len(inside), "units": _called(units, inside), "km2": float(plane.sum()) / _KM2}
            names = {f"other_{lang}": sentence(f"keyareas.{other}", {}, lang) for lang in ("zh", "en")}
            run.find("keyareas.contradicts", **facts, **_kind_names(kind), **names)


# --- names -----------------------------------------------------------------------------------------


def _named(run: Run, units: Units, zones: Sequence[Sequence[int]], found: Mapping[int, Rule]) -> list[Member]:
    given = keyed.given_names(run["names"], units) if run["names"] else {}
    members = []
    for zone in zones:
        name = keyed.name_of(zone, given, units) or _own_name(units, zone, found[zone[0]])
        members += [Member(number, found[number], name) for number in zone]
    return members


def _own_name(units: Units, zone: Sequence[int], rule: Rule) -> str:
    """Return the name of a zone after its largest unit."""
    largest = max(zone, key=lambda number: units.areas[number])
    kind = sentence(f"keyareas.{rule.kind}", {}, "zh")
    return f"{units.names[largest] or units.codes[largest]}{level_name(rule.level)}{kind}"


def level_name(level: str, lang: str = "zh") -> str:
    """Return the name of a level as the roles have it."""
    tiers = roles.find(ROLES["prevention"]).tiers
    return next(getattr(tier, f"name_{lang}") for tier in tiers if tier.id == level)


# --- what matters in a unit ------------------------------------------------------------------------


def _with_keys(run: Run, units: Units, members: Sequence[Member], kind: str) -> list[Member]:
    """Return the members of a kind with the part that matters; without a layer it stays unknown."""
    chosen = [one for one in members if one.rule.kind == kind]
    source = run["patches" if kind == "prevention" else "erosion"]
    if not chosen or source is None:
        if chosen:
            run.find("keyareas.no_key_layer", count=len(chosen), **_kind_names(kind))
        return chosen
    parts = _parts_that_matter(run, units, kind)
    tree, model = shapely.STRtree(parts), areas.area_model(units.crs)
    made = []
    for number, one in enumerate(chosen):
        _, inside = districts.cut(units.geometry[one.unit], tree, parts)
        key = districts.polygonal(shapely.union_all(inside))
        size = float(areas.round_area(model.areas(key))[0])
        made.append(replace(one, key=key, key_m2=size))
        run.progress.advance(0.3 + 0.6 * (KINDS.index(kind) + (number + 1) / len(chosen)) / len(KINDS))
    without = [one.unit for one in made if not one.key_m2]
    if without:
        facts = {"count": len(without), "units": _called(units, without)}
        run.find("keyareas.no_key_part", **facts, **_kind_names(kind))
    return made


def _parts_that_matter(run: Run, units: Units, kind: str) -> NDArray[Any]:
    if kind == "prevention":
        return districts.read_parts(run, run["patches"], units.crs).geometry
    parts = districts.read_parts(run, run["erosion"], units.crs)
    found = grades.of(parts, run["intensity_field"], run["intensity_coding"])
    least = grades.GRADES.index(run["least_intensity"])
    return parts.geometry[(found >= least) & (found < grades.UNKNOWN)]


def _kind_names(kind: str) -> dict[str, str]:
    return {f"kind_{lang}": sentence(f"keyareas.{kind}", {}, lang) for lang in ("zh", "en")}


# --- writing ---------------------------------------------------------------------------------------


def _write_units(run: Run, units: Units, members: Sequence[Member], reasons: Mapping[int, str]) -> None:
    """Write every unit: what it is of, or why it is of nothing; whole and key area (km2)."""
    found = {one.unit: one for one in members}
    rows = [
        _unit_row(units, number, found.get(number), reasons.get(number, "")) for number in range(len(units))
    ]
    columns = {name: [row[name] for row in rows] for name in rows[0]}
    columns["key_km2"] = np.array([np.nan if one is None else one for one in columns["key_km2"]])
    vectors.write(run.path("units"), LAYER, units.geometry, columns, units.crs, "MultiPolygon")


def _unit_row(units: Units, number: int, one: Member | None, reason: str) -> dict[str, Any]:
    made = {"code": units.codes[number], "name": units.names[number]}
    rule, said = (one.rule, one) if one else (None, Member(number, None))
    made.update({"kind": rule.kind if rule else "", "level": rule.level if rule else ""})
    for lang in ("zh", "en"):
        made[f"kind_{lang}"] = sentence(f"keyareas.{rule.kind}", {}, lang) if rule else ""
        made[f"level_{lang}"] = level_name(rule.level, lang) if rule else ""
    made.update({"zone": said.zone, "rule": rule.id if rule else ""})
    made.update({f"rule_{lang}": getattr(rule, lang) if rule else "" for lang in ("zh", "en")})
    whole = float(units.areas[number]) / _KM2
    key = None if said.key_m2 is None else said.key_m2 / _KM2
    made.update({"unit_km2": whole, "key_km2": key, "reason": reason})
    for lang in ("zh", "en"):
        made[f"reason_{lang}"] = sentence(f"keyareas.why_{reason}", {}, lang) if reason else ""
    return made


def _write_layer(run: Run, units: Units, members: Sequence[Member], kind: str) -> None:
    """Write the key areas of a kind as a layer of its role; none where there are none."""
    kept = [one for one in members if one.key_m2]
    if not kept:
        return
    geometry = np.empty(len(kept), object)
    geometry[:] = [one.key for one in kept]
    columns = {
        "BSM": [units.codes[one.unit] or units.names[one.unit] for one in kept],
        _NAMES[kind]: [one.zone for one in kept],
        "JB": [level_name(one.rule.level) for one in kept],
        "MC": [units.names[one.unit] for one in kept],
        "rule": [one.rule.id for one in kept],
        "unit_km2": [float(units.areas[one.unit]) / _KM2 for one in kept],
        "key_km2": [one.key_m2 / _KM2 for one in kept],
        "area_m2": [one.key_m2 for one in kept],
    }
    vectors.write(run.path(kind), ROLES[kind], geometry, columns, units.crs, "MultiPolygon")


# --- the list for a notice -------------------------------------------------------------------------


def _write_lists(run: Run, units: Units, members: Sequence[Member]) -> None:
    """Write the named list as notices have it: CSV of all, workbook with a sheet for each kind."""
    territory = run["territory_km2"] or float(units.areas.sum()) / _KM2
    run.find("keyareas.territory", km2=territory)
    rows = {kind: list(_list_rows(units, members, kind, territory)) for kind in KINDS}
    run.facts["zones"] = rows
    words = sheets.words("notice")
    named = {kind: {words["kind"]: sentence(f"keyareas.{kind}", {}, "zh")} for kind in KINDS}
    flat = [{**row, **named[kind]} for kind in KINDS for row in rows[kind]]
    sheets.write_csv(run.path("list"), flat, [*words["heads"], words["kind"]])
    filled = {sentence(f"keyareas.{kind}", {}, "zh"): rows[kind] for kind in KINDS if rows[kind]}
    if filled:
        sheets.write_xlsx(run.path("workbook"), filled)
    else:
        run.find("keyareas.none")


def _list_rows(
    units: Units, members: Sequence[Member], kind: str, territory: float
) -> Iterator[dict[str, Any]]:
    zones: dict[tuple[int, str], list[Member]] = defaultdict(list)
    for one in members:
        if one.rule.kind == kind:
            zones[LEVELS.index(one.rule.level), one.zone].append(one)
    sizes = {zone: sum(float(units.areas[one.unit]) for one in found) for zone, found in zones.items()}
    for number, zone in enumerate(sorted(zones, key=lambda zone: (zone[0], -sizes[zone], zone[1])), 1):
        found = sorted(zones[zone], key=lambda one: -units.areas[one.unit])
        keys = [one.key_m2 for one in found]
        key = None if None in keys else sum(keys) / _KM2
        names = "、".join(units.names[one.unit] or units.codes[one.unit] for one in found)
        km2 = sizes[zone] / _KM2
        values = (number, zone[1], km2, 100 * km2 / territory, names, level_name(LEVELS[zone[0]]), key)
        yield dict(zip(sheets.words("notice")["heads"], values))
