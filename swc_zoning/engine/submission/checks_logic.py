# SPDX-License-Identifier: GPL-2.0-or-later
"""Rules 3701, 6503 and 7101: attributes that have to fit, inputs and targets that have to be there."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from swc_zoning.engine import roles
from swc_zoning.engine.submission import columns
from swc_zoning.engine.submission.decisions import decided_anew
from swc_zoning.engine.submission.opening import Package
from swc_zoning.engine.submission.quality import Flaw, Rule, Said, Unchecked, checker
from swc_zoning.engine.submission.sheets import Sheet

ZONES = "SBGKFQ"
#: A flag of a piece and the sources that make it.
_FLAGS = (("SFHX", ("HX",)), ("SFYN", ("YN",)), ("SFKF", ("KF",)))
#: A graded attribute: value -> sources of which a piece has one; "" are those it has none of at "0".
_GRADES: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "SYJB": {"1": ("S1",), "2": ("S2",), "3": ("S3",), "4": ("S4",), "9": ("S9",)},
    "SFBHD": {"1": ("ZR", "GJ"), "2": ("ZR", "GJ"), "3": ("ZG",), "9": ("ZR", "GJ", "ZG")},
    "FZLX": {"1": ("ZY",), "2": ("ZZ",), "3": ("ZY", "ZZ")},
}
_THREE_LINES = ("STBHHX", "YJJBNTBHTB", "CZKFBJ")
#: Item of META -> case of its sentence, "" the plain one.
_TARGETS = {
    "target:2025": "target",
    "target:2035": "target",
    "rate": "rate",
    "consultation_no": "",
}


@checker("3701")
def check_3701(package: Package, rule: Rule) -> Iterator[Said]:
    """Zone, rule, measures, flags and sources of a piece fit; relations and register fit pieces."""
    sheet = package.sheet(ZONES)
    if sheet is not None:
        yield from _sources_fit(package, rule, sheet)
        yield from _codes_fit(package, rule, sheet)
        yield from _measures_listed(package, rule, sheet)
        table = columns.table_of(package)
        if table is None:
            yield Unchecked("other_rules", part=True)
        elif package.sheet("GXB") is None:
            yield Unchecked("no_layer", {"layer": "GXB"}, part=True)
        else:
            yield from decided_anew(package, rule, sheet, table)
        yield from _related(package, rule, sheet)
    yield from _known_elsewhere(package, rule)
    yield from _registered(package, rule)


def _pair(
    package: Package, rule: Rule, mask: columns.Mask, one: tuple[str, Any], other: tuple[str, Any]
) -> Iterator[Flaw]:
    """Yield a flaw for each row where two columns (name, values) do not fit."""
    for row in columns.rows(mask):
        shown = {"value": str(one[1][row])[:60], "other": str(other[1][row])[:60], "other_field": other[0]}
        yield columns.flaw(package, rule, ZONES, row, field=one[0], **shown)


def _sources_fit(package: Package, rule: Rule, sheet: Sheet) -> Iterator[Flaw]:
    sources = columns.texts(sheet, "LYDM")
    if sources is None:
        return
    for field, wanted in _FLAGS:
        values = columns.texts(sheet, field)
        if values is not None:
            wrong = ((values == "1") != columns.has(sources, *wanted)) & np.isin(values, ("0", "1"))
            yield from _pair(package, rule, wrong, (field, values), ("LYDM", sources))
    for field, grades in _GRADES.items():
        values = columns.texts(sheet, field)
        if values is not None:
            every = {code for codes in grades.values() for code in codes}
            wrong = (values == "0") & columns.has(sources, *every)
            for grade, codes in grades.items():
                wrong |= (values == grade) & ~columns.has(sources, *codes)
            yield from _pair(package, rule, wrong, (field, values), ("LYDM", sources))


def _codes_fit(package: Package, rule: Rule, sheet: Sheet) -> Iterator[Flaw]:
    kind, level = columns.texts(sheet, "FZLX"), columns.texts(sheet, "FZJB")
    if kind is not None and level is not None:
        wrong = ((kind == "0") != (level == "0")) & (kind != "") & (level != "")
        yield from _pair(package, rule, wrong, ("FZJB", level), ("FZLX", kind))
    zone, number = columns.texts(sheet, "FQDM"), columns.texts(sheet, "TBBH")
    if zone is not None and number is not None:
        wrong = np.char.find(number, zone) != 0
        wrong &= (number != "") & (zone != "")
        yield from _pair(package, rule, wrong, ("TBBH", number), ("FQDM", zone))


def _measures_listed(package: Package, rule: Rule, sheet: Sheet) -> Iterator[Flaw]:
    values, table = columns.texts(sheet, "CSDM"), package.sheet("CSQD")
    listed = columns.texts(table, "CSDM") if table is not None else None
    if values is None or listed is None:
        return
    known = set(listed.tolist()) & columns.domains(package).get("CSDM", {}).keys()
    # A code that is in no set at all is for 3301.
    every = columns.domains(package).get("CSDM", {}).keys()
    lacking = columns.where(
        values, lambda text: any(c in every and c not in known for c in columns.codes(text))
    )
    for row in columns.rows(lacking):
        missing = [code for code in columns.codes(str(values[row])) if code in every and code not in known]
        yield columns.flaw(package, rule, ZONES, row, case="measure", field="CSDM", value=";".join(missing))


def _related(package: Package, rule: Rule, sheet: Sheet) -> Iterator[Flaw]:
    """Yield pieces whose sources are not those of the table of relations."""
    relations, sources = package.sheet("GXB"), columns.texts(sheet, "LYDM")
    if relations is None or sources is None or "BSM" not in sheet.columns:
        return
    if not {"BSM", "LYDM"} <= set(relations.columns):
        return
    said: dict[str, set[str]] = defaultdict(set)
    for bsm, code in zip(relations.columns["BSM"].tolist(), relations.columns["LYDM"].tolist()):
        if code:
            said[bsm].add(code)
    for row, bsm in enumerate(sheet.columns["BSM"].tolist()):
        if bsm and set(columns.codes(str(sources[row]))) != said.get(bsm, set()):
            other = ";".join(sorted(said.get(bsm, set())))
            shown = {"value": str(sources[row])[:60], "other": other, "other_field": "GXB.LYDM"}
            yield columns.flaw(package, rule, ZONES, row, field="LYDM", **shown)


def _known_elsewhere(package: Package, rule: Rule) -> Iterator[Flaw]:
    """Yield identifiers in a table that its layer has not."""
    for table, layer in (("GXB", ZONES), ("HXLZ", "HXJY")):
        sheet, other = package.sheet(table), package.sheet(layer)
        if sheet is None or other is None or "BSM" not in sheet.columns or "BSM" not in other.columns:
            continue
        known = {value for value in other.columns["BSM"].tolist() if value}
        lost = {value for value in sheet.columns["BSM"].tolist() if value} - known
        for bsm in sorted(lost):
            yield rule.flaw(case="lost", layer=table, bsm=bsm, field="BSM", other=layer)


def _registered(package: Package, rule: Rule) -> Iterator[Flaw]:
    """Yield pieces whose identifier is not in use in the register."""
    register = package.sheet("BSMDJ")
    if register is None or not {"BSM", "ZT"} <= set(register.columns):
        return
    pairs = zip(register.columns["BSM"].tolist(), register.columns["ZT"].tolist())
    used = {bsm for bsm, state in pairs if state == "1"}
    sheet = package.sheet(ZONES)
    values = sheet.columns.get("BSM") if sheet is not None else None
    for row, bsm in enumerate(() if values is None else values.tolist()):
        if bsm and bsm not in used:
            yield columns.flaw(package, rule, ZONES, row, case="register", field="BSM")


@checker("6503")
def check_6503(package: Package, rule: Rule) -> Iterator[Said]:
    """Inputs that are needed were supplied: META says what is missing, lines are not empty."""
    missing = {item.partition(":")[2] for item in package.meta if item.startswith("missing_role:")}
    used = {str(one.get("role", "")) for one in package.inputs}
    for layer in _THREE_LINES:
        sheet = package.sheet(layer)
        if sheet is None or not len(sheet):
            missing |= set(package.schema.references.get(layer, ())) - used
    for role in sorted(missing):
        named = roles.find(role)
        facts = {"role_zh": named.name_zh if named else role, "role_en": named.name_en if named else role}
        yield rule.flaw(layer="META", key=role, **facts)


@checker("7101")
def check_7101(package: Package, rule: Rule) -> Iterator[Said]:
    """Targets of the rate are filled in, the consultation of the water authority is on record."""
    for item, case in _TARGETS.items():
        if not package.meta.get(item, "").strip():
            yield rule.flaw(layer="META", case=case, field=item, key=item, year=item.partition(":")[2])
