# SPDX-License-Identifier: GPL-2.0-or-later
"""Rules 3201-3701 but the last: fields, text, codes, numbers, identifiers, required values."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime
from functools import lru_cache
from typing import Any

import numpy as np

from swc_zoning.engine.submission import columns, datasets, sheets
from swc_zoning.engine.submission.checks_files import comparable, copy_differences
from swc_zoning.engine.submission.datasets import Described, DescribedField
from swc_zoning.engine.submission.opening import DataSet, Package
from swc_zoning.engine.submission.quality import Flaw, Rule, Said, Unchecked, checker
from swc_zoning.engine.submission.schemas import Field, Layer
from swc_zoning.engine.submission.sheets import Sheet
from swc_zoning.paths import resource

#: Fields that programs add by themselves.
_SYSTEM = frozenset({"OBJECTID", "FID", "SHAPE", "SHAPE_LENGTH", "SHAPE_AREA", "SHAPE_LENG"})
#: Signs that come of a wrong encoding: replacement, control and question marks, and known double readings.
_BROKEN = re.compile("\ufffd|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]|[\ud800-\udfff]|\\?{2,}|锟斤拷|烫烫|屯屯")
_CUT = "…"
#: Layer, field of the code, field of its name.
_NAMED = (
    *((layer, "FQDM", "FQMC") for layer in ("SBGKFQ", "TJ_QF", "TJ_SX", "TJ_TD")),
    ("CTB", "CTLX", "MC"),
)
_DISTRICT_FIELDS = (("XZQDM", "XZQMC"), ("SZXJXZQDM", "SZXJXZQMC"))
_CODE = re.compile(r"\d{6}(\d{3}|\d{6})?")


def _sheets(package: Package) -> Iterator[tuple[Layer, Sheet]]:
    for layer in package.schema.layers.values():
        sheet = package.sheet(layer.name)
        if sheet is not None and len(sheet):
            yield layer, sheet


# --- definitions -----------------------------------------------------------------------------------


@checker("3201")
def check_3201(package: Package, rule: Rule) -> Iterator[Said]:
    """Fields are defined exactly as the schema says, in every format."""
    for data_set in package.data_sets:
        for layer in package.schema.layers.values():
            found = data_set.found(layer.name)
            if found is not None:
                yield from _defined(rule, data_set, layer, data_set.layers[found])


def _defined(rule: Rule, data_set: DataSet, layer: Layer, described: Described) -> Iterator[Flaw]:
    is_shp = data_set.format == "shp"
    there = {one.name: one for one in described.fields}
    said = {"layer": layer.name, "file": data_set.name}
    for field in layer.fields:
        found = there.pop(field.short if is_shp else field.name, None)
        if found is None:
            yield rule.flaw(case="missing", field=field.name, **said)
        elif _shown(found, is_shp) != (wanted := _wanted(field, is_shp)):
            yield rule.flaw(field=field.name, found=_shown(found, is_shp), wanted=wanted, **said)
    for name in there:
        if not layer.open and name.upper() not in _SYSTEM:
            yield rule.flaw(case="extra", field=name, **said)


def _shown(found: DescribedField, is_shp: bool) -> str:
    return _definition(found.kind, found.length, found.decimals, is_shp)


def _wanted(field: Field, is_shp: bool) -> str:
    length = datasets.shp_length(field) if is_shp and field.kind == "text" else field.length
    return _definition(field.kind, length, field.decimals, is_shp)


def _definition(kind: str, length: int, decimals: int, is_shp: bool) -> str:
    """Return a definition in short; a FileGDB and a GeoPackage keep no digits of numbers."""
    if kind == "text":
        return f"text({length})"
    if not is_shp:
        return kind
    return f"{kind}({length},{decimals})" if kind == "real" else f"{kind}({length})"


# --- text ------------------------------------------------------------------------------------------


@checker("3202")
def check_3202(package: Package, rule: Rule) -> Iterator[Said]:
    """Text has no broken characters and was not cut in a copy, nor names against the table of relations."""
    for layer, sheet in _sheets(package):
        for field in layer.fields:
            values = columns.texts(sheet, field.name) if field.kind == "text" else None
            if values is not None:
                for row in columns.rows(columns.where(values, lambda text: bool(_BROKEN.search(text)))):
                    yield columns.flaw(
                        package, rule, layer.name, row, field=field.name, value=str(values[row])[:60]
                    )
    for copy in package.copies:
        yield from _cut(package, rule, copy)
    yield from _names_cut(package, rule)


def _cut(package: Package, rule: Rule, copy: DataSet) -> Iterator[Flaw]:
    for layer in comparable(package, copy):
        for one in copy_differences(package, copy, layer.name):
            if not one.cut:
                continue
            mine, theirs = package.sheet(layer.name), package.sheet(layer.name, copy)
            if mine is None or theirs is None or package.main is None:
                continue
            values = (mine.columns[one.field][one.row], theirs.columns[one.field][one.other])
            is_mine = len(values[0] or "") < len(values[1] or "")
            short = package.main.name if is_mine else copy.name
            said = {
                "field": one.field,
                "copy": short,
                "file": short,
                "value": str(min(values, key=len))[-40:],
            }
            yield columns.flaw(package, rule, layer.name, one.row, case="cut", **said)


def _names_cut(package: Package, rule: Rule) -> Iterator[Said]:
    """Yield names of SBGKFQ that are none of the features the relations put on the piece: cut, or others."""
    zones, relations = package.sheet("SBGKFQ"), package.sheet("GXB")
    names = columns.texts(zones, "LYMC") if zones is not None else None
    if names is None or "BSM" not in zones.columns:
        return
    if relations is None or not {"BSM", "LYMC"} <= set(relations.columns):
        yield Unchecked("no_layer", {"layer": "GXB"}, part=True)
        return
    known: dict[str, set[str]] = defaultdict(set)
    for bsm, name in zip(relations.columns["BSM"].tolist(), relations.columns["LYMC"].tolist()):
        known[bsm or ""].update(columns.codes(name or ""))
    for row in columns.rows(columns.alone(zones) & (names != "")):
        if not _are_names(names[row], known[zones.columns["BSM"][row]]):
            yield columns.flaw(
                package, rule, "SBGKFQ", row, case="names", field="LYMC", value=str(names[row])[-40:]
            )


def _are_names(text: str, known: set[str]) -> bool:
    """Return whether a ;-list holds known names only; the last may be cut where it says so by a mark."""
    *whole, last = columns.codes(text) or [""]
    if last.endswith(_CUT):
        last = next((name for name in known if name.startswith(last[: -len(_CUT)])), last)
    return known.issuperset([*whole, last])


# --- codes -----------------------------------------------------------------------------------------


@checker("3301")
def check_3301(package: Package, rule: Rule) -> Iterator[Said]:
    """Codes are in their sets, and names are those of the codes."""
    known = columns.domains(package)
    for layer, sheet in _sheets(package):
        for field in layer.fields:
            values = columns.texts(sheet, field.name) if field.domain else None
            if values is not None and field.domain in known:
                yield from _unknown_codes(package, rule, layer, field, values, known[field.domain])
    for layer_name, code, name in _NAMED:
        yield from _misnamed(package, rule, layer_name, code, name, known)
    yield from _table_of_codes(package, rule, known)


def _unknown_codes(
    package: Package, rule: Rule, layer: Layer, field: Field, values: Any, known: dict[str, str]
) -> Iterator[Flaw]:
    def unknown(text: str) -> bool:
        listed = columns.codes(text) if field.listed else [text] if text else []
        return not set(listed) <= known.keys()

    for row in columns.rows(columns.where(values, unknown)):
        said = {"field": field.name, "value": str(values[row])[:60], "domain": field.domain}
        yield columns.flaw(package, rule, layer.name, row, **said)


def _misnamed(
    package: Package, rule: Rule, layer: str, code: str, name: str, known: dict[str, dict[str, str]]
) -> Iterator[Flaw]:
    sheet = package.sheet(layer)
    fields = [sheet.layer.field(one) for one in (code, name)] if sheet is not None else []
    if sheet is None or None in fields or not {code, name} <= set(sheet.columns) or not len(sheet):
        return
    names = known.get(fields[0].domain or "", {})
    values, said = columns.texts(sheet, code), columns.texts(sheet, name)
    right = {key: sheets.fitted(value, fields[1].length) for key, value in names.items()}
    wanted = np.array([right.get(one) or "" for one in values.tolist()])
    for row in columns.rows((wanted != "") & (wanted != said)):
        facts = {"value": str(said[row])[:60], "code": str(values[row]), "name": str(wanted[row])}
        yield columns.flaw(package, rule, layer, row, case="name", field=name, **facts)


def _table_of_codes(package: Package, rule: Rule, known: dict[str, dict[str, str]]) -> Iterator[Flaw]:
    sheet = package.sheet("DMB")
    field = sheet.layer.field("MC") if sheet is not None else None
    if field is None or not {"ZDMC", "DM", "MC"} <= set(sheet.columns):
        return
    own = () if columns.is_shipped(package) else columns.DECIDED
    rows = zip(*(columns.texts(sheet, name).tolist() for name in ("ZDMC", "DM", "MC")))
    for row, (domain, code, said) in enumerate(rows):
        if domain in known and domain not in own:
            wanted = sheets.fitted(known[domain].get(code), field.length)
            if said != (wanted or ""):
                facts = {"domain": domain, "code": code, "value": said[:60], "name": (wanted or "-")[:60]}
                yield columns.flaw(package, rule, "DMB", row, case="table", field="MC", **facts)


# --- numbers and dates -----------------------------------------------------------------------------


@checker("3401")
def check_3401(package: Package, rule: Rule) -> Iterator[Said]:
    """Areas are above 0, years and dates are such; a piece may close to 0.00, which is told."""
    for layer, sheet in _sheets(package):
        for field in layer.fields:
            values = sheet.columns.get(field.name)
            if values is None:
                continue
            if field.kind == "real" and field.name.endswith("MJ"):
                yield from _areas(package, rule, layer, field, values)
            elif field.format:
                yield from _times(package, rule, layer, field, sheet)
    for item in ("date", "approval_date", "consultation_date"):
        if package.meta.get(item) and not _is_date(package.meta[item]):
            yield rule.flaw(case="date", layer="META", field=item, value=package.meta[item][:20])


def _areas(package: Package, rule: Rule, layer: Layer, field: Field, values: Any) -> Iterator[Flaw]:
    wrong = (values <= 0) if field.positive else (values < 0)
    if layer.name == "SBGKFQ" and field.name == "TBMJ":
        levelled = _levelled_away(package, rule, values)
        if levelled.any():
            row = int(np.flatnonzero(levelled)[0])
            said = {"severity": "W", "key": "levelled", "case": "levelled", "field": field.name}
            yield columns.flaw(package, rule, layer.name, row, count=int(levelled.sum()), **said)
        wrong &= ~levelled
    for row in columns.rows(wrong):
        said = {"value": f"{values[row]:.{field.decimals}f}", "measure": float(values[row])}
        yield columns.flaw(package, rule, layer.name, row, field=field.name, **said)


def _levelled_away(package: Package, rule: Rule, values: Any) -> Any:
    """Return which pieces came out as nothing being smaller than what areas are levelled by."""
    sheet = package.sheet("SBGKFQ")
    raw = sheet.columns.get("TQMJ") if sheet is not None else None
    return np.zeros(len(values), bool) if raw is None else (values == 0) & (raw < rule.number("levelled_m2"))


def _times(package: Package, rule: Rule, layer: Layer, field: Field, sheet: Sheet) -> Iterator[Flaw]:
    first, last = rule.number("first_year"), rule.number("last_year")

    def wrong(text: str) -> bool:
        if field.format == "date":
            return bool(text) and not _is_date(text)
        return bool(text) and not (re.fullmatch(r"\d{4}", text) and first <= int(text) <= last)

    values = columns.texts(sheet, field.name)
    for row in columns.rows(columns.where(values, wrong)) if values is not None else ():
        said = {"case": field.format, "field": field.name, "value": str(values[row])[:20]}
        yield columns.flaw(package, rule, layer.name, row, **said)


def _is_date(text: str) -> bool:
    try:
        datetime.strptime(text, "%Y%m%d")
    except ValueError:
        return False
    return re.fullmatch(r"\d{8}", text) is not None


# --- identifiers -----------------------------------------------------------------------------------


@checker("3501")
def check_3501(package: Package, rule: Rule) -> Iterator[Said]:
    """Identifiers are unique in the whole package and in its register, numbers of pieces in their layer."""
    drawn = [layer.name for layer, _ in _sheets(package) if layer.kind == "polygon"]
    yield from _doubled(package, rule, drawn)
    yield from _doubled(package, rule, ["BSMDJ"], in_use=True)
    yield from _numbered_twice(package, rule)


def _doubled(package: Package, rule: Rule, layers: list[str], in_use: bool = False) -> Iterator[Flaw]:
    """Yield identifiers given twice; in the register an earlier number of the same piece is a further row."""
    places: dict[str, list[tuple[str, int]]] = defaultdict(list)
    for layer in layers:
        sheet = package.sheet(layer)
        values = sheet.columns.get("BSM") if sheet is not None else None
        state = columns.texts(sheet, "ZT") if sheet is not None and in_use else None
        for row, value in enumerate(() if values is None else values.tolist()):
            if value and (state is None or state[row] == "1"):
                places[value].append((layer, row))
    for found in places.values():
        if len(found) > 1:
            layer, row = found[-1]
            others = ", ".join(f"{name} #{at + 1}" for name, at in found[:8])
            yield columns.flaw(package, rule, layer, row, field="BSM", others=others)


def _numbered_twice(package: Package, rule: Rule) -> Iterator[Flaw]:
    sheet = package.sheet("SBGKFQ")
    values = columns.texts(sheet, "TBBH") if sheet is not None else None
    if values is None:
        return
    distinct, first, count = np.unique(values, return_index=True, return_counts=True)
    doubled = set(distinct[(count > 1) & (distinct != "")].tolist())
    lead = set(first.tolist())
    for row in range(len(values)) if doubled else ():
        if values[row] in doubled and row not in lead:
            yield columns.flaw(
                package, rule, "SBGKFQ", row, case="tbbh", field="TBBH", value=str(values[row])
            )


@lru_cache(maxsize=1)
def _dead_codes() -> dict[str, str]:
    document = json.loads(resource("districts.json").read_text(encoding="utf-8"))
    return {old: row["code"] for old, row in document["merged_codes"].items()}


@checker("3502")
def check_3502(package: Package, rule: Rule) -> Iterator[Said]:
    """District codes are those of the package's districts, and head the identifiers."""
    known = columns.districts(package)
    if not known:
        yield Unchecked("no_layer", {"layer": "XZQ"}, part=True)
    for layer, sheet in _sheets(package):
        for code, name in _DISTRICT_FIELDS:
            values = columns.texts(sheet, code)
            if values is not None:
                yield from _districts(package, rule, layer, code, values, known)
                yield from _district_names(package, rule, layer, (code, name), sheet, known)
                if layer.kind == "polygon" and not layer.open:
                    yield from _headed(package, rule, layer, code, values, sheet)


def _districts(
    package: Package, rule: Rule, layer: Layer, field: str, values: Any, known: dict[str, str]
) -> Iterator[Flaw]:
    head, dead = _head(package.meta.get("code", "")), _dead_codes()

    def wrong(text: str) -> bool:
        listed = columns.codes(text)
        if layer.name == "XZQ" or not known:
            return not all(_CODE.fullmatch(code) and code.startswith(head) for code in listed)
        return not set(listed) <= known.keys()

    is_dead = columns.where(values, lambda text: any(code[:6] in dead for code in columns.codes(text)))
    for row in columns.rows(is_dead):
        now = ", ".join(dead[code[:6]] for code in columns.codes(str(values[row])) if code[:6] in dead)
        yield columns.flaw(
            package, rule, layer.name, row, case="dead", field=field, value=str(values[row]), code=now
        )
    for row in columns.rows(columns.where(values, wrong) & ~is_dead):
        yield columns.flaw(package, rule, layer.name, row, field=field, value=str(values[row])[:40])


def _head(code: str) -> str:
    """Return what the codes of districts of an area begin with: a province two digits, a city four."""
    return re.sub(r"(00)+$", "", code) if _CODE.fullmatch(code) else ""


def _district_names(
    package: Package, rule: Rule, layer: Layer, fields: tuple[str, str], sheet: Sheet, known: dict[str, str]
) -> Iterator[Flaw]:
    codes, names = (columns.texts(sheet, name) for name in fields)
    if codes is None or names is None or layer.name == "XZQ":
        return
    wanted = np.array([known.get(str(code), "") for code in codes])
    for row in columns.rows((wanted != "") & (names != "") & (wanted != names)):
        facts = {"value": str(names[row])[:40], "code": str(codes[row]), "name": str(wanted[row])}
        yield columns.flaw(package, rule, layer.name, row, case="name", field=fields[1], **facts)


def _headed(
    package: Package, rule: Rule, layer: Layer, field: str, values: Any, sheet: Sheet
) -> Iterator[Flaw]:
    bsm = columns.texts(sheet, "BSM")
    if bsm is None:
        return
    apart = (bsm.astype("U6") != values.astype("U6")) & (bsm != "") & (values != "")
    for row in columns.rows(apart):
        yield columns.flaw(package, rule, layer.name, row, case="prefix", field=field, value=str(values[row]))


# --- required --------------------------------------------------------------------------------------


@checker("3601")
def check_3601(package: Package, rule: Rule) -> Iterator[Said]:
    """Required values are given, and what the stage of the plan requires."""
    for layer, sheet in _sheets(package):
        for field in layer.fields:
            values = sheet.columns.get(field.name)
            if values is None or not field.required:
                continue
            if field.kind == "text":
                blank = columns.where(columns.texts(sheet, field.name), lambda text: not text.strip())
            else:
                blank = ~np.isfinite(values.astype(float))
            for row in columns.rows(blank):
                yield columns.flaw(package, rule, layer.name, row, field=field.name)
    yield from _stage(package, rule)


def _stage(package: Package, rule: Rule) -> Iterator[Said]:
    stage = package.schema.stages.get(package.meta.get("stage", ""))
    if stage is None:
        yield Unchecked("no_meta", {"item": "stage"}, part=True)
        return
    for item in stage.requires:
        if not package.meta.get(item, "").strip():
            facts = {"stage_zh": stage.name_zh, "stage_en": stage.name_en}
            yield rule.flaw(case="stage", layer="META", field=item, **facts)
