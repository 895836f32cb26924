# SPDX-License-Identifier: GPL-2.0-or-later
"""Rules 3701, 6401-6504 and 7101: attributes, tables, copies and layers that have to agree."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import Transformer

from swc_zoning.engine import areas, roles
from swc_zoning.engine.submission import agreement, columns, datasets, opening
from swc_zoning.engine.submission.opening import DEGREES, Package
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
#: Layers that must not overlap unless it is listed: the two, and the kinds of conflict one of which lists it.
_EXCLUSIVE = (
    ("STBHHX", "CZKFBJ", ("K04", "K23")),
    ("YJJBNTBHTB", "CZKFBJ", ("K05", "K23")),
    ("STBHHX", "YJJBNTBHTB", ("K01", "K02", "K03")),
)
_THREE_LINES = ("STBHHX", "YJJBNTBHTB", "CZKFBJ")
#: Degrees, about 1 mm: what only touches is drawn in by it.
_INWARD = 1e-8
_CONTROL_LINE = "STBHKZX"
_TARGETS = ("target:2025", "target:2035", "rate", "consultation_no")


def _flaw(package: Package, rule: Rule, row: int, layer: str = ZONES, **said: Any) -> Flaw:
    bsm = package.bsm(layer, row) or f"#{row + 1}"
    return rule.flaw(layer=layer, bsm=bsm, place=package.place(layer, row), **said)


# --- attributes ------------------------------------------------------------------------------------


@checker("3701")
def check_3701(package: Package, rule: Rule) -> Iterator[Said]:
    """Zone, rule, measures, flags and sources of a piece fit; relations and register fit pieces."""
    sheet = package.sheet(ZONES)
    if sheet is not None:
        yield from _sources_fit(package, rule, sheet)
        yield from _codes_fit(package, rule, sheet)
        yield from _measures_listed(package, rule, sheet)
        if columns.is_shipped(package):
            yield from _decided(package, rule, sheet)
        else:
            yield Unchecked("other_rules", part=True)
        yield from _related(package, rule, sheet)
    yield from _known_elsewhere(package, rule)
    yield from _registered(package, rule)


def _pair(
    package: Package, rule: Rule, mask: columns.Mask, one: tuple[str, Any], other: tuple[str, Any]
) -> Iterator[Flaw]:
    """Yield a flaw for each row where two columns (name, values) do not fit."""
    for row in columns.rows(mask):
        shown = {"value": str(one[1][row])[:60], "other": str(other[1][row])[:60], "other_field": other[0]}
        yield _flaw(package, rule, row, field=one[0], **shown)


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
    listed = columns.texts(table, "CSDM") if table else None
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
        yield _flaw(package, rule, row, case="measure", field="CSDM", value=";".join(missing))


def _decided(package: Package, rule: Rule, sheet: Sheet) -> Iterator[Flaw]:
    """Yield pieces whose zone, level or measures are not those of their deciding rule."""
    table = columns.shipped()
    level_of = {row["fqdm"]: row["gkdj"] for row in table.zones.values()}
    names = ("FQDM", "GKDJ", "GZBH", "CSDM")
    found = [columns.texts(sheet, name) for name in names]
    if any(values is None for values in found):
        return
    zone, level, decisive, measures = found
    wanted = np.array([level_of.get(code, "") for code in zone.tolist()])
    yield from _pair(package, rule, (wanted != "") & (wanted != level), ("GKDJ", level), ("FQDM", zone))
    made = {id_: table.zones[row["zone"]]["fqdm"] for id_, row in table.rules.items() if row.get("zone")}
    right = np.array([made.get(id_, "-") for id_ in decisive.tolist()])
    for row in columns.rows((right != zone) & (decisive != "")):
        facts = {"value": str(decisive[row]), "other": str(right[row]), "zone": str(zone[row])}
        yield _flaw(package, rule, row, case="rule", field="GZBH", **facts)
    owed = {id_: _always_owed(id_) for id_ in made}
    both = np.char.add(np.char.add(decisive, "|"), measures)
    lacks = columns.where(both, lambda text: bool(_lacking(text, owed)))
    for row in columns.rows(lacks & (right == zone)):
        other = ";".join(sorted(_lacking(str(both[row]), owed)))
        yield _flaw(package, rule, row, case="owed", field="CSDM", value=str(decisive[row]), other=other)


def _always_owed(id_: str) -> set[str]:
    """Return the measures of a rule that are withheld nowhere."""
    table = columns.shipped()
    mine = [code for code in table.rules[id_]["measures"] if code in table.measures]
    return {code for code in mine if not table.measures[code]["withheld_where"]}


def _lacking(text: str, owed: Mapping[str, set[str]]) -> set[str]:
    decisive, _, measures = text.partition("|")
    return owed.get(decisive, set()) - set(columns.codes(measures))


def _related(package: Package, rule: Rule, sheet: Sheet) -> Iterator[Flaw]:
    """Yield pieces whose sources are not those of the table of relations."""
    relations, sources = package.sheet("GXB"), columns.texts(sheet, "LYDM")
    if relations is None or not len(relations) or sources is None or "BSM" not in sheet.columns:
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
            yield _flaw(package, rule, row, field="LYDM", **shown)


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
    values = sheet.columns.get("BSM") if sheet else None
    for row, bsm in enumerate(() if values is None else values.tolist()):
        if bsm and bsm not in used:
            yield _flaw(package, rule, row, case="register", field="BSM")


# --- extent and copies -----------------------------------------------------------------------------


@checker("6401")
def check_6401(package: Package, rule: Rule) -> Iterator[Said]:
    """The zones reach as far as the districts, none is left out; copies of inputs are as they were used.

    What lies inside the outline is judged by 4103 and 4401.
    """
    yield from _reach(package, rule)
    for name, layer in package.schema.layers.items():
        sheet = package.sheet(name) if layer.open else None
        if sheet is not None and sheet.geometry is not None and (len(sheet) or _stated(package, name)):
            yield from _as_used(package, rule, name, sheet)


def _reach(package: Package, rule: Rule) -> Iterator[Said]:
    zones, extent = package.bounds(ZONES), package.bounds("XZQ")
    if zones is None or extent is None:
        yield Unchecked("no_layer", {"layer": "XZQ" if zones else ZONES}, part=True)
        return
    sheet = package.sheet(ZONES)
    used = columns.texts(sheet, "XZQDM") if sheet else None
    empty = sorted(columns.districts(package).keys() - set(() if used is None else used.tolist()))
    for code in empty:
        yield rule.flaw(case="districts", layer=ZONES, field="XZQDM", value=code)
    apart = [abs(one - other) for one, other in zip(zones, extent)]
    worst = int(np.argmax(apart))
    if apart[worst] > rule.number("degrees") and not empty:
        side_zh, side_en = (("西", "west"), ("南", "south"), ("东", "east"), ("北", "north"))[worst]
        place = _on_side(sheet, worst)
        facts = {"side_zh": side_zh, "side_en": side_en, "place": place}
        yield rule.flaw(layer=ZONES, measure=round(apart[worst] * 111_320, 3), unit="m", **facts)


def _on_side(sheet: Sheet | None, side: int) -> tuple[float, float] | None:
    points = shapely.get_coordinates(sheet.geometry) if sheet else np.empty((0, 2))
    if not len(points):
        return None
    axis = points[:, side % 2]
    at = int(np.argmin(axis) if side < 2 else np.argmax(axis))
    return float(points[at, 0]), float(points[at, 1])


def _stated(package: Package, layer: str) -> bool:
    return package.has_meta(f"geometry:{layer}") or package.has_meta(f"reference_m2:{layer}")


def _as_used(package: Package, rule: Rule, layer: str, sheet: Sheet) -> Iterator[Said]:
    """Yield where a copy of an input is not what was used: by the hash of its polygons, else by area."""
    stated = package.meta.get(f"geometry:{layer}", "")
    if stated and stated == agreement.layer_hash(sheet.geometry):
        return
    if not _stated(package, layer):
        yield Unchecked("no_meta", {"item": f"reference_m2:{layer}"}, part=True)
        return
    measured = _square_metres(package, sheet.geometry)
    wanted = _number(package.meta.get(f"reference_m2:{layer}", ""))
    away = abs(float(measured.sum()) - wanted) if wanted is not None else 0.0
    if not stated and away <= _allowed(rule, float(measured.sum())):
        return
    rows = list(_edited_rows(rule, sheet, measured))
    for row in rows:
        off = round(abs(float(measured[row] - sheet.columns["MJ"][row])), 2)
        yield _flaw(package, rule, row, layer, case="copy_row", field="MJ", measure=off, unit="m2")
    if not rows:
        yield rule.flaw(case="copy", layer=layer, measure=round(away, 2), unit="m2")


def _edited_rows(rule: Rule, sheet: Sheet, measured: NDArray[np.float64]) -> Iterator[int]:
    stated = sheet.columns.get("MJ")
    for row in () if stated is None else range(len(sheet)):
        if abs(measured[row] - stated[row]) > _allowed(rule, float(measured[row])):
            yield row


def _allowed(rule: Rule, square_metres: float) -> float:
    return max(rule.number("m2"), rule.number("share") * square_metres)


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _square_metres(package: Package, geometry: NDArray[Any]) -> NDArray[np.float64]:
    """Return the official areas of polygons in degrees, m2, by way of the working CRS."""
    transformer = Transformer.from_crs(DEGREES, package.work_crs, always_xy=True)

    def moved(points: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.column_stack(transformer.transform(points[:, 0], points[:, 1]))

    drawn = np.array([polygonal(one) for one in np.atleast_1d(geometry)], dtype=object)
    return areas.area_model(package.work_crs).areas(shapely.transform(drawn, moved))


def polygonal(shape: Any) -> Any:
    """Return the polygons of a geometry of any kind, None for None."""
    if shape is None or shape.geom_type in ("Polygon", "MultiPolygon"):
        return shape
    parts = shapely.get_parts(shape)
    return shapely.union_all(parts[np.isin(shapely.get_type_id(parts), (3, 6))])


# --- tables ----------------------------------------------------------------------------------------


@checker("6402")
def check_6402(package: Package, rule: Rule) -> Iterator[Said]:
    """Tables are the sums of the layer, on whole 0.01 m2; proposals have the areas of their papers."""
    sheet = package.sheet(ZONES)
    if sheet is None or "TBMJ" not in sheet.columns:
        yield Unchecked("no_field", {"layer": ZONES, "field": "TBMJ"})
        return
    yield from _summed(package, rule, sheet, "TJ_QF", ("XZQDM", "FQDM", "ZT", "LH"))
    yield from _summed(package, rule, sheet, "TJ_SX", ("FQDM", "SFHX", "SFYN", "SFKF"))
    # Land use is no attribute of a piece: its zones have to add up.
    yield from _summed(package, rule, sheet, "TJ_TD", ("FQDM",), counted=False)
    yield from _shares(package, rule)
    yield from _papers(package, rule)


def _summed(
    package: Package, rule: Rule, zones: Sheet, name: str, keys: tuple[str, ...], counted: bool = True
) -> Iterator[Flaw]:
    table = package.sheet(name)
    wanted = {"MJ", *keys} | ({"TBS"} if counted else set())
    if table is None or not wanted <= set(table.columns) or not set(keys) <= set(zones.columns):
        return
    right, found = _sums(zones, keys, "TBMJ", None), _sums(table, keys, "MJ", "TBS" if counted else None)
    for key in sorted(right.keys() | found.keys()):
        shown = {"row": " ".join(f"{field}={value}" for field, value in zip(keys, key))}
        said = {"layer": name, "key": "", "field": "MJ", "unit": "m2"}
        if key not in right:
            yield rule.flaw(case="more", **said, **shown)
        elif key not in found:
            yield rule.flaw(case="less", wanted=_centi(right[key][1]), **said, **shown)
        elif found[key][1] != right[key][1]:
            off = (found[key][1] - right[key][1]) / 100
            facts = {"value": _centi(found[key][1]), "wanted": _centi(right[key][1]), "measure": off}
            yield rule.flaw(**facts, **said, **shown)
        elif counted and found[key][0] != right[key][0]:
            facts = {"value": found[key][0], "wanted": right[key][0], "field": "TBS", "layer": name}
            yield rule.flaw(**facts, **shown)


def _centi(whole: int) -> str:
    return f"{whole / 100:.2f}"


def _sums(
    sheet: Sheet, keys: tuple[str, ...], area: str, count: str | None
) -> dict[tuple[str, ...], tuple[int, int]]:
    """Return for each key the number (of rows, or the sum of `count`) and the area in whole 0.01 m2."""
    texts = [columns.texts(sheet, name) for name in keys]
    numbers, groups = np.zeros(len(sheet), np.int64), {}
    for values in texts:
        distinct, inverse = np.unique(values, return_inverse=True)
        numbers = numbers * (len(distinct) + 1) + inverse.ravel()
    _, first, inverse = np.unique(numbers, return_index=True, return_inverse=True)
    whole = np.rint(np.nan_to_num(sheet.columns[area].astype(float)) * 100).astype(np.int64)
    sizes = np.ones(len(sheet)) if count is None else np.nan_to_num(sheet.columns[count].astype(float))
    # Whole numbers below 2^53 add up exactly in doubles.
    added = [np.bincount(inverse.ravel(), weights=one).astype(np.int64).tolist() for one in (sizes, whole)]
    for row, size, area_of in zip(first.tolist(), *added):
        groups[tuple(str(values[row]) for values in texts)] = (size, area_of)
    return groups


def _shares(package: Package, rule: Rule) -> Iterator[Flaw]:
    """Yield shares of a district that are not those of the areas beside them."""
    table = package.sheet("TJ_QF")
    if table is None or not {"XZQDM", "MJ", "BL"} <= set(table.columns):
        return
    code, area = columns.texts(table, "XZQDM"), table.columns["MJ"].astype(float)
    for district in sorted(set(code.tolist())):
        mine = np.flatnonzero(code == district)
        whole = area[mine].sum()
        right = 100 * area[mine] / whole if whole else np.zeros(len(mine))
        wrong = np.abs(table.columns["BL"][mine] - right) > 1.01 * rule.number("percent")
        for row in mine[wrong].tolist():
            facts = {"value": f"{table.columns['BL'][row]:.4f}", "wanted": f"{100 * area[row] / whole:.4f}"}
            yield rule.flaw(layer="TJ_QF", field="BL", row=f"XZQDM={district} #{row + 1}", **facts)


def _papers(package: Package, rule: Rule) -> Iterator[Flaw]:
    layer, table = package.sheet("HXJY"), package.sheet("HXLZ")
    if layer is None or table is None or "JYMJ" not in table.columns or "MJ" not in layer.columns:
        return
    if "BSM" not in layer.columns or "BSM" not in table.columns:
        return
    drawn = dict(zip(layer.columns["BSM"].tolist(), layer.columns["MJ"].tolist()))
    for bsm, area in zip(table.columns["BSM"].tolist(), table.columns["JYMJ"].tolist()):
        if bsm in drawn and round(drawn[bsm] * 100) != round(area * 100):
            facts = {"value": f"{area:.2f}", "wanted": f"{drawn[bsm]:.2f}", "measure": area - drawn[bsm]}
            yield rule.flaw(layer="HXLZ", bsm=bsm, field="JYMJ", row=bsm, unit="m2", **facts)


# --- lines -----------------------------------------------------------------------------------------


@checker("6501")
def check_6501(package: Package, rule: Rule) -> Iterator[Said]:
    """No piece that is said to be outside the red line lies on it."""
    zones, line = package.sheet(ZONES), package.sheet("STBHHX")
    flags = columns.texts(zones, "SFHX") if zones else None
    if zones is None or line is None or flags is None or zones.geometry is None or line.geometry is None:
        yield Unchecked("no_field", {"layer": ZONES, "field": "SFHX"})
        return
    outside = np.flatnonzero(flags == "0")
    found: dict[int, list[Any]] = defaultdict(list)
    for piece, shape in _overlaps(zones.geometry[outside], line.geometry):
        found[int(outside[piece])].append(shape)
    for row, shapes in found.items():
        shape = shapely.union_all(shapes)
        measure = round(float(_square_metres(package, np.array([shape], object))[0]), 2)
        if measure > rule.number("m2"):
            said = {"layer": ZONES, "bsm": package.bsm(ZONES, row), "field": "SFHX", "place": _inside(shape)}
            yield rule.flaw(measure=measure, unit="m2", **said)


def _inside(shape: Any) -> tuple[float, float] | None:
    point = shapely.point_on_surface(shape)
    return None if point.is_empty else (float(point.x), float(point.y))


def _overlaps(one: NDArray[Any], other: NDArray[Any]) -> Iterator[tuple[int, Any]]:
    """Yield (number in `one`, common ground) of polygons that share ground; what only touches is left out."""
    usable = _usable(one)
    shapes = _usable(other)
    shapely.prepare(shapes)
    tree = shapely.STRtree(usable)
    large, small = tree.query(shapes, predicate="intersects")
    drawn_in = shapely.buffer(usable[small], -_INWARD, quad_segs=1)
    thin = shapely.is_empty(drawn_in)
    drawn_in[thin] = shapely.point_on_surface(usable[small][thin])
    hit = shapely.intersects(shapes[large], drawn_in)
    for at in np.flatnonzero(hit).tolist():
        common = polygonal(shapely.intersection(shapes[large[at]], usable[small[at]]))
        if not common.is_empty:
            yield int(small[at]), common


def _usable(shapes: NDArray[Any]) -> NDArray[Any]:
    """Return polygons that can be overlaid; 4101 tells of those that are not valid."""
    drawn = np.array(shapes, dtype=object)
    for at in np.flatnonzero(~shapely.is_valid(drawn)).tolist():
        drawn[at] = None if drawn[at] is None else polygonal(shapely.make_valid(drawn[at]))
    return drawn


@checker("6502")
def check_6502(package: Package, rule: Rule) -> Iterator[Said]:
    """Every legal conflict is listed with the rule that settles it: one warning a kind, else an error."""
    table = package.sheet("CTB")
    listed = columns.texts(table, "CTLX") if table else None
    kinds = sorted(set(() if listed is None else listed.tolist()) - {""})
    for kind in kinds:
        yield _of_kind(rule, table, kind, np.flatnonzero(listed == kind))
    yield from _unlisted_pieces(package, rule, kinds)
    for one, other, either in _EXCLUSIVE:
        if not set(either) & set(kinds):
            yield from _unlisted_overlap(package, rule, one, other, either)


def _of_kind(rule: Rule, table: Sheet, kind: str, mine: NDArray[np.int64]) -> Flaw:
    """Return the one warning of a kind, at its largest place."""
    area = (
        np.nan_to_num(table.columns["MJ"][mine].astype(float))
        if "MJ" in table.columns
        else np.zeros(len(mine))
    )
    first = int(mine[int(np.argmax(area))])
    east, north = (table.columns.get(name) for name in ("X", "Y"))
    there = east is not None and north is not None and np.isfinite([east[first], north[first]]).all()
    said = [columns.texts(table, name) for name in ("MC", "CLGZ")]
    name, settled = ("" if values is None else str(values[first]) for values in said)
    facts = {"kind": kind, "name": name, "rule": settled, "count": len(mine)}
    place = (float(east[first]), float(north[first])) if there else None
    measure = round(float(area.sum()), 2)
    return rule.flaw(layer="CTB", key=kind, place=place, measure=measure, unit="m2", **facts)


def _unlisted_pieces(package: Package, rule: Rule, kinds: list[str]) -> Iterator[Flaw]:
    """Yield kinds that pieces say they are of and the list has not; what is narrow is boundary mismatch."""
    sheet = package.sheet(ZONES)
    said = columns.texts(sheet, "CTLX") if sheet else None
    if sheet is None or said is None or "TBMJ" not in sheet.columns:
        return
    every = sorted({code for text in set(said.tolist()) for code in columns.codes(text)} - set(kinds))
    if not every:
        return
    area = sheet.columns["TBMJ"].astype(float)
    around = shapely.length(sheet.geometry) * 111_320 if sheet.geometry is not None else np.ones(len(sheet))
    wide = (area > rule.number("m2")) & (2 * area / np.maximum(around, 1e-9) >= rule.number("width_m"))
    for kind in every:
        mine = np.flatnonzero(columns.has(said, kind) & wide)
        if len(mine):
            first = int(mine[np.argmax(area[mine])])
            facts = {
                "kind": kind,
                "pair": columns.domains(package).get("CTLX", {}).get(kind, kind),
                "key": kind,
            }
            measure = round(float(area[mine].sum()), 2)
            yield _flaw(
                package, rule, first, case="unlisted", severity="E", measure=measure, unit="m2", **facts
            )


def _unlisted_overlap(
    package: Package, rule: Rule, one: str, other: str, kinds: tuple[str, ...]
) -> Iterator[Flaw]:
    """Yield the common ground of two layers where no kind of conflict is listed for it."""
    first, second = package.sheet(one), package.sheet(other)
    if first is None or second is None or first.geometry is None or second.geometry is None:
        return
    shapes = [shape for _, shape in _overlaps(first.geometry, second.geometry)]
    if not shapes:
        return
    sizes = _square_metres(package, np.array(shapes, object))
    around = np.array([shape.length for shape in shapes]) * 111_320
    wide = (sizes > rule.number("m2")) & (2 * sizes / np.maximum(around, 1e-9) >= rule.number("width_m"))
    if wide.any():
        largest = shapes[int(np.argmax(np.where(wide, sizes, 0)))]
        facts = {"pair": f"{one} × {other}", "kind": "/".join(kinds), "key": f"{one}-{other}"}
        said = {"layer": one, "place": _inside(largest), "measure": round(float(sizes[wide].sum()), 2)}
        yield rule.flaw(case="unlisted", severity="E", unit="m2", **said, **facts)


@checker("6503")
def check_6503(package: Package, rule: Rule) -> Iterator[Said]:
    """Inputs that are needed were supplied: META says what is missing, lines are not empty."""
    missing = {item.partition(":")[2] for item in package.meta if item.startswith("missing_role:")}
    used = {_role(value) for item, value in package.meta.items() if item.startswith("input:")}
    for layer in _THREE_LINES:
        sheet = package.sheet(layer)
        if sheet is None or not len(sheet):
            missing |= set(package.schema.references.get(layer, ())) - used
    for role in sorted(missing):
        named = roles.find(role)
        facts = {"role_zh": named.name_zh if named else role, "role_en": named.name_en if named else role}
        yield rule.flaw(layer="META", key=role, **facts)


def _role(text: str) -> str:
    try:
        document = json.loads(text)
    except ValueError:
        return ""
    return str(document.get("role", "")) if isinstance(document, dict) else ""


@checker("6504")
def check_6504(package: Package, rule: Rule) -> Iterator[Said]:
    """Shanghai: classes 01 and 02 of the ecological control line are the red line."""
    line, own = package.sheet("STBHHX"), package.main.found(_CONTROL_LINE) if package.main else None
    if own is None or package.main is None or line is None or line.geometry is None:
        yield Unchecked("no_layer", {"layer": _CONTROL_LINE})
        return
    raw = datasets.read(package.main.path, package.main.format, own)
    classes = raw.columns.get("GKDJDM")
    if classes is None or raw.wkb is None:
        yield Unchecked("no_field", {"layer": _CONTROL_LINE, "field": "GKDJDM"})
        return
    drawn = opening.in_degrees(shapely.from_wkb(raw.wkb, on_invalid="ignore"), package.main.layers[own].crs)
    first_two = np.isin(classes.astype(str), ("01", "02"))
    both = [shapely.union_all(_usable(shapes)) for shapes in (drawn[first_two], line.geometry)]
    apart = polygonal(shapely.symmetric_difference(*both))
    measure = 0.0 if apart.is_empty else float(_square_metres(package, np.array([apart], object))[0])
    if measure > rule.number("m2"):
        said = {"layer": _CONTROL_LINE, "place": _inside(apart), "measure": round(measure, 2), "unit": "m2"}
        yield rule.flaw(**said)


@checker("7101")
def check_7101(package: Package, rule: Rule) -> Iterator[Said]:
    """Targets of the rate are filled in, the consultation of the water authority is on record."""
    for item in _TARGETS:
        if not package.meta.get(item, "").strip():
            yield rule.flaw(layer="META", field=item, key=item)
