# SPDX-License-Identifier: GPL-2.0-or-later
"""The control zones (SBGKFQ): one row for each piece of the result, with the codes of what it lies in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from swc_zoning.engine import roles
from swc_zoning.engine.grid import Ints
from swc_zoning.engine.rule_words import role_name
from swc_zoning.engine.submission.material import Decision, Material, Texts, cut, sheet, texts
from swc_zoning.engine.submission.register import Register
from swc_zoning.engine.submission.sheets import Sheet

LAYER = "SBGKFQ"
REDLINE, FARMLAND, URBAN = "ecological_redline", "permanent_basic_farmland", "urban_development_boundary"
PREVENTION, TREATMENT = "key_prevention_zone", "key_treatment_zone"

STATUS = {"confirmed": "1", "pending": "2"}
_LAND = {1: "1", 0: "0", -1: "9"}
_NONE, _UNKNOWN = "0", "9"
_WATER = {"level1": "1", "level2": "2", "quasi": "3", "buffer": "4"}
LEVELS = {"national": "1", "provincial": "2", "municipal": "3", "county": "4"}
_RESERVES = {"core_protection": "1", "general_control": "2"}
_PARK = "3"


def sheet_of(material: Material, register: Register) -> Sheet:
    """Return the control zones, in the order of the result."""
    decided = {name: material.of_decisions(values) for name, values in _of_decisions(material).items()}
    heads = material.of_districts(district.head for district in material.districts)
    bsm, tbbh = register.give(LAYER, material.piece_id, heads, decided["FQDM"])
    columns = {
        **decided,
        "BSM": bsm,
        "TBBH": tbbh,
        "TBYBH": texts(material.piece_id),
        "XZQDM": material.of_districts(district.code for district in material.districts),
        "XZQMC": material.of_districts(district.name for district in material.districts),
        "LH": texts(_LAND[land] for land in (-1, 0, 1))[material.land + 1],
        "LYMC": _names(material),
        "TQMJ": material.ellipsoidal_m2,
        "TBMJ": material.area_centi / 100,
        "SJNF": _years(material),
    }
    return sheet(material.schema.layers[LAYER], len(material), columns, material.degrees)


def _of_decisions(material: Material) -> dict[str, list[str | None]]:
    """Return the columns that follow from the decision, one value for each."""
    rows = [_row(material, decision) for decision in material.decisions]
    return {name: [row[name] for row in rows] for name in (rows[0] if rows else ())}


def _row(material: Material, decision: Decision) -> dict[str, str | None]:
    zone, members = material.table.zones[decision.zone], decision.members
    layer = material.schema.layers[LAYER]
    wording = (material.table.measures[one]["text_zh"] for one in decision.measures)
    return {
        "FQDM": zone["fqdm"],
        "FQMC": zone["name_zh"],
        "GKDJ": zone["gkdj"],
        "ZT": STATUS[decision.status],
        "FZLX": _NONE_OR_BOTH[PREVENTION in members, TREATMENT in members],
        "FZJB": strictest([*members.get(PREVENTION, ()), *members.get(TREATMENT, ())], LEVELS),
        "LYDM": _source_codes(material, members),
        "SFHX": str(int(REDLINE in members)),
        "SFYN": str(int(FARMLAND in members)),
        "SFKF": str(int(URBAN in members)),
        "SYJB": strictest(members.get("drinking_water_source", ()), _WATER),
        "SFBHD": _protected(members),
        "CSDM": ";".join(decision.measures),
        "CSMC": cut(layer, "CSMC", "；".join(wording)),
        "GZBH": min(decision.decisive, default=""),
        "CTLX": ";".join(decision.conflicts),
        "BZ": cut(layer, "BZ", _remark(decision)),
    }


_NONE_OR_BOTH = {(False, False): "0", (True, False): "1", (False, True): "2", (True, True): "3"}


def strictest(tiers: Iterable[str], codes: Mapping[str, str]) -> str:
    """Return the code of the strictest of `tiers`: "0" of none, "9" where an unknown one might be stricter.

    `codes` are in order of strictness.
    """
    known = [codes[tier] for tier in tiers if tier in codes]
    unknown = any(tier not in codes for tier in tiers)
    strict = next(iter(codes.values()))
    if unknown and strict not in known:
        return _UNKNOWN
    return min(known, default=_NONE)


def _protected(members: Mapping[str, Sequence[str]]) -> str:
    reserved = [*members.get("nature_reserve", ()), *members.get("national_park", ())]
    code = strictest(reserved, _RESERVES)
    return _PARK if code == _NONE and "nature_park" in members else code


def _source_codes(material: Material, members: Mapping[str, Sequence[str]]) -> str:
    codes = {material.schema.source_code(role, tier) for role, tiers in members.items() for tier in tiers}
    return ";".join(sorted(codes - {""}))


def _remark(decision: Decision) -> str:
    """Say what has to be found out where a piece is not confirmed."""
    if decision.status == "confirmed":
        return ""
    open_roles = [role for role, tiers in decision.members.items() if roles.UNKNOWN in tiers]
    names = "、".join(role_name(role, "zh") for role in open_roles)
    return f"待核：{names}的分级不明，暂按最严格的情形划定" if names else "待核"


def _names(material: Material) -> Texts:
    """Return the names of the control features on each piece, cut where they are too long."""
    layer = material.schema.layers[LAYER]
    control = [_is_control(feature.role) and bool(feature.name) for feature in material.features]
    keep = np.array(control, bool)[material.row_feature] if len(material.row_feature) else []
    piece, feature = material.row_piece[keep], material.row_feature[keep]
    ends = np.searchsorted(piece, np.arange(len(material)), side="right").tolist()
    numbers, begin = feature.tolist(), 0
    known: dict[tuple[int, ...], str | None] = {}
    found: list[str | None] = []
    for end in ends:
        lying = tuple(numbers[begin:end])
        if lying not in known:
            names = dict.fromkeys(material.features[number].name for number in lying)
            known[lying] = cut(layer, "LYMC", ";".join(names))
        found.append(known[lying])
        begin = end
    return texts(found)


def _is_control(role: str) -> bool:
    known = roles.find(role)
    return known is not None and known.kind == "control"


def _years(material: Material) -> Texts:
    """Return the year of the newest data on each piece; of all data where it has none of its own."""
    of_input = {row["index"]: year_of(row["data_date"]) for row in material.summary["inputs"]}
    latest = max(of_input.values(), default=0) or int(material.order.date[:4])
    of_feature = np.array([of_input.get(feature.input, 0) for feature in material.features], np.int64)
    years = np.zeros(len(material), np.int64)
    np.maximum.at(years, material.row_piece, of_feature[material.row_feature])
    years[years == 0] = latest
    return _spelt(years)


def year_of(date: str) -> int:
    """Return the year a date of the job begins with, 0 where it begins with none."""
    return int(date[:4]) if date[:4].isdigit() and len(date) >= 4 else 0


def _spelt(numbers: Ints) -> Any:
    distinct, code = np.unique(numbers, return_inverse=True)
    return texts(map(str, distinct.tolist()))[code]
