# SPDX-License-Identifier: GPL-2.0-or-later
"""Checks of areas: each against its polygon, their sums against the control areas, factors, reference copies.

The official ellipsoidal area (国土调查办发〔2008〕32号) is computed anew from the written vertices.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from swc_zoning.engine.areas import area_model
from swc_zoning.engine.grid import Floats, Ints
from swc_zoning.engine.messages import sentence
from swc_zoning.engine.submission.covered import (
    DISTRICTS,
    PIECES,
    pieces,
    place_of,
    polygons,
    soundness,
    surface,
)
from swc_zoning.engine.submission.memberships import texts
from swc_zoning.engine.submission.opening import Package
from swc_zoning.engine.submission.quality import Flaw, Rule, Said, Unchecked, checker
from swc_zoning.engine.submission.sheets import Sheet
from swc_zoning.engine.submission.surface import Mask, Plane

CONTROL, FACTOR = "control:", "factor:"
#: Layers of our own whose MJ is an official area.
_DISSOLVED = ("ZDYFQ", "ZDZLQ", "HXJY")
#: Fields of reference copies that hold the area of the polygon.
_AREAS = ("MJ", "TBMJ", "YJJBNTMJ")
#: Units that areas are found in instead of m2, in m2.
_UNITS = {"ha": 1e4, "mu": 2000 / 3, "km2": 1e6}
#: How near a ratio must be to one of a unit.
_UNIT_NEAR = 0.01


@checker("5101")
def check_areas(package: Package, rule: Rule) -> Iterator[Said]:
    """Areas of pieces, key areas and proposals are those of their polygons."""
    whole, sheet = surface(package), pieces(package)
    computed = np.where(_sound(package, PIECES, sheet), whole.areas, np.nan)
    factors = _factors(package, whole.district.tolist())
    said = list(_compared(package, rule, PIECES, "TBMJ", sheet, computed * factors))
    yield from said
    wrong = {flaw.bsm for flaw in said}
    for flaw in _compared(package, rule, PIECES, "TQMJ", sheet, computed):
        # A polygon that was moved is told once.
        if flaw.bsm not in wrong and not (flaw.case and said):
            yield flaw
    for name in _DISSOLVED:
        own = package.sheet(name)
        if own is not None and own.geometry is not None and len(own):
            yield from _compared(package, rule, name, "MJ", own, _areas(package, name, own))
            yield from _in_units(rule, name, own)


def _in_units(rule: Rule, name: str, sheet: Sheet) -> Iterator[Flaw]:
    """Yield the key areas that are larger than the unit they are in, m2."""
    units, own = sheet.columns.get("DYMJ"), sheet.columns.get("MJ")
    if units is None or own is None or units.dtype.kind != "f" or own.dtype.kind not in "if":
        return
    allowed = np.maximum(rule.number("least_m2"), rule.number("share") * np.abs(own))
    bsm = texts(sheet, "BSM")
    for row in np.flatnonzero(np.isfinite(units) & (own - units > allowed)).tolist():
        figures = {"stated": f"{units[row]:,.2f}", "computed": f"{own[row]:,.2f}"}
        over = {"measure": float(own[row] - units[row]), "unit": "m2"}
        yield rule.flaw(layer=name, bsm=bsm[row], field="DYMJ", case="less", **figures, **over)


def _factors(package: Package, codes: Sequence[str]) -> Floats:
    """Return the factor of levelling of the district of each piece, 1 where META says none."""
    known = {code: _number(package.meta.get(FACTOR + code)) for code in set(codes)}
    return np.array([known[code] if known[code] == known[code] else 1.0 for code in codes], np.float64)


def _number(value: Any) -> float:
    """Return a value of META as a number, NaN for what is none or has no bounds."""
    try:
        found = float(str(value).replace(",", ""))
    except ValueError:
        return math.nan
    return found if math.isfinite(found) else math.nan


def _areas(package: Package, name: str, sheet: Sheet) -> Floats:
    """Return the official area of each polygon of a layer, NaN where it is none."""
    shapes = polygons(package, name, sheet)
    sound = _sound(package, name, sheet)
    areas = np.full(len(sheet), np.nan)
    areas[sound] = area_model(package.work_crs).areas(shapes[sound])
    return areas


def _sound(package: Package, name: str, sheet: Sheet) -> Mask:
    """Return which polygons have an area: those that 4101 has nothing to say of."""
    empty, bad, _ = soundness(package, name, sheet)
    return ~empty & ~bad


def _compared(
    package: Package, rule: Rule, name: str, field: str, sheet: Sheet, computed: Floats
) -> Iterator[Flaw]:
    """Yield the areas that are not those computed, m2; one flaw where all are in another unit."""
    stated = sheet.columns.get(field)
    if stated is None or stated.dtype.kind not in "if":
        return
    known = np.isfinite(stated) & np.isfinite(computed)
    unit = _unit(stated[known], computed[known])
    if unit:
        yield rule.flaw(layer=name, field=field, case="unit", count=int(known.sum()), **_unit_facts(unit))
        return
    allowed = np.maximum(rule.number("least_m2"), rule.number("share") * np.abs(computed))
    off = np.abs(stated - computed)
    bsm, shapes, plane = texts(sheet, "BSM"), polygons(package, name, sheet), Plane(package.work_crs)
    for row in np.flatnonzero(known & (off > allowed)).tolist():
        figures = {"stated": f"{stated[row]:,.2f}", "computed": f"{computed[row]:,.2f}"}
        figures["allowed"] = f"{allowed[row]:,.2f}"
        where = {"place": place_of(plane, shapes[row]), "measure": float(off[row]), "unit": "m2"}
        yield rule.flaw(layer=name, bsm=bsm[row], field=field, **figures, **where)


def _unit(stated: Floats, computed: Floats) -> str:
    """Return the unit most values are in, "" for m2 or none that is known."""
    real = (computed > 0) & (stated > 0)
    if not real.any():
        return ""
    ratio = float(np.median(computed[real] / stated[real]))
    return next((name for name, size in _UNITS.items() if abs(ratio / size - 1) < _UNIT_NEAR), "")


def _unit_facts(unit: str) -> dict[str, str]:
    words = {f"unit_{lang}": sentence(f"quality_shapes.unit_{unit}", {}, lang) for lang in ("zh", "en")}
    return {"ratio": f"{_UNITS[unit]:.6g}", **words}


# --- sums ------------------------------------------------------------------------------------------


@checker("5102")
def check_sums(package: Package, rule: Rule) -> Iterator[Said]:
    """Pieces add up to the control area of their district and districts to that of the whole, to 0.01 m2."""
    controls: dict[str, int] = {}
    for item, value in package.meta.items():
        if item.startswith(CONTROL):
            number = _number(value)
            if number != number:
                yield rule.flaw(layer="META", field=item, case="number", item=item, value=value)
            else:
                controls[item[len(CONTROL) :]] = _centi(number)
    yield from _district_sums(package, rule, controls)
    yield from _frame_controls(package, rule, controls)
    districts = sum(centi for code, centi in controls.items() if code)
    if "" in controls and len(controls) > 1 and districts != controls[""]:
        yield _off(rule, "", districts, controls[""], case="whole", layer="META")


def _centi(value: float) -> int:
    return round(value * 100)


def _district_sums(package: Package, rule: Rule, controls: dict[str, int]) -> Iterator[Said]:
    sheet = package.sheet(PIECES)
    values = sheet.columns.get("TBMJ") if sheet else None
    if sheet is None or values is None or values.dtype.kind not in "if":
        yield Unchecked("no_layer", {"layer": f"{PIECES}.TBMJ"})
        return
    centi = np.rint(np.nan_to_num(values.astype(float)) * 100).astype(np.int64)
    rows: dict[str, list[int]] = {}
    for row, code in enumerate(texts(sheet, "XZQDM")):
        rows.setdefault(code, []).append(row)
    for code in sorted({*rows, *(code for code in controls if code)}):
        of_code = np.array(rows.get(code, []), np.int64)
        place = _district_place(package, code, of_code)
        if code not in controls:
            case = {"case": "no_control", "district": code, "count": len(of_code)}
            yield rule.flaw(layer=PIECES, field="TBMJ", place=place, **case)
        elif int(centi[of_code].sum()) != controls[code]:
            total = int(centi[of_code].sum())
            yield _off(rule, code, total, controls[code], layer=PIECES, field="TBMJ", place=place)


def _frame_controls(package: Package, rule: Rule, controls: dict[str, int]) -> Iterator[Said]:
    """Yield districts whose layer says another control area than META."""
    frame = package.sheet(DISTRICTS)
    values = frame.columns.get("KZMJ") if frame else None
    if frame is None or values is None or values.dtype.kind not in "if":
        return
    for row, code in enumerate(texts(frame, "XZQDM")):
        said = float(values[row])
        if code in controls and said == said and _centi(said) != controls[code]:
            where = {"bsm": texts(frame, "BSM")[row], "place": package.place(DISTRICTS, row)}
            told = {"layer": DISTRICTS, "field": "KZMJ", "case": "table", **where}
            yield _off(rule, code, _centi(said), controls[code], **told)


def _off(rule: Rule, code: str, total: int, control: int, **said: Any) -> Flaw:
    figures = {"sum": f"{total / 100:,.2f}", "control": f"{control / 100:,.2f}"}
    return rule.flaw(district=code, measure=(total - control) / 100, unit="m2", **figures, **said)


def _district_place(package: Package, code: str, rows: Ints) -> tuple[float, float] | None:
    """Return a place in a district, or in its first piece."""
    frame = package.sheet(DISTRICTS)
    codes = texts(frame, "XZQDM") if frame else []
    if code in codes:
        return package.place(DISTRICTS, codes.index(code))
    return package.place(PIECES, int(rows[0])) if len(rows) else None


@checker("5103")
def check_factors(package: Package, rule: Rule) -> Iterator[Said]:
    """Control areas were met without scaling the pieces."""
    for item, value in sorted(package.meta.items()):
        if not item.startswith(FACTOR):
            continue
        code, factor = item[len(FACTOR) :], _number(value)
        if factor != factor:
            yield rule.flaw(layer="META", field=item, case="number", item=item, value=value)
        elif abs(factor - 1) > rule.number("off"):
            place = _district_place(package, code, np.empty(0, np.int64))
            told = {"district": code, "factor": f"{factor:.8f}", "off": f"{abs(factor - 1):.2e}"}
            yield rule.flaw(layer="META", field=item, place=place, measure=factor, key=code, **told)


# --- reference copies ------------------------------------------------------------------------------


@checker("5104")
def check_attributes(package: Package, rule: Rule) -> Iterator[Said]:
    """Areas that reference copies carry as attributes are those of their polygons, in m2."""
    for name in package.schema.references:
        sheet = package.sheet(name)
        if sheet is None or sheet.geometry is None or not len(sheet):
            continue
        computed = _areas(package, name, sheet)
        for field in (one for one in _AREAS if one in sheet.columns):
            stated = np.array([_number(value) for value in sheet.columns[field].tolist()], np.float64)
            yield from _attributes(package, rule, name, field, sheet, stated, computed)


def _attributes(
    package: Package, rule: Rule, name: str, field: str, sheet: Sheet, stated: Floats, computed: Floats
) -> Iterator[Flaw]:
    """Yield one flaw for a field whose values are in another unit, or where some do not fit."""
    known = np.isfinite(stated) & (stated > 0) & (computed > 0)
    unit, key = _unit(stated[known], computed[known]), f"{name}.{field}"
    if unit:
        yield rule.flaw(layer=name, field=field, case="unit", key=key, **_unit_facts(unit))
        stated = stated * _UNITS[unit]
    off = np.where(known, np.abs(stated / np.where(known, computed, 1.0) - 1), 0.0)
    wrong = np.flatnonzero(off > rule.number("share"))
    if len(wrong):
        row = int(wrong[np.argmax(off[wrong])])
        place = place_of(Plane(package.work_crs), polygons(package, name, sheet)[row])
        figures = {"stated": f"{stated[row]:,.2f}", "computed": f"{computed[row]:,.2f}"}
        facts = {"count": len(wrong), "limit": f"{rule.number('share') * 100:g}", **figures}
        where = {"place": place, "measure": float(off[row]) * 100, "unit": "%", "key": key}
        yield rule.flaw(layer=name, bsm=texts(sheet, "BSM")[row], field=field, **facts, **where)
