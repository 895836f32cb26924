# SPDX-License-Identifier: GPL-2.0-or-later
"""Rules 6401, 6501, 6502 and 6504: the zones against districts, approved lines and their conflicts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from swc_zoning.engine.georef import METRES_PER_DEGREE
from swc_zoning.engine.submission import agreement, columns, datasets, ground, opening, references
from swc_zoning.engine.submission.opening import Package
from swc_zoning.engine.submission.quality import Flaw, Rule, Said, Unchecked, checker
from swc_zoning.engine.submission.sheets import Sheet

ZONES = "SBGKFQ"
#: Layers that must not overlap unless it is listed: the two, and the kinds of conflict one of which lists it.
_EXCLUSIVE = (
    ("STBHHX", "CZKFBJ", ("K04", "K23")),
    ("YJJBNTBHTB", "CZKFBJ", ("K05", "K23")),
    ("STBHHX", "YJJBNTBHTB", ("K01", "K02", "K03")),
)
_CONTROL_LINE = "STBHKZX"


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
    used = columns.texts(sheet, "XZQDM") if sheet is not None else None
    empty = sorted(columns.districts(package).keys() - set(() if used is None else used.tolist()))
    for code in empty:
        yield rule.flaw(case="districts", layer=ZONES, field="XZQDM", value=code)
    apart = [abs(one - other) for one, other in zip(zones, extent)]
    worst = int(np.argmax(apart))
    if apart[worst] > rule.number("degrees") and not empty:
        side_zh, side_en = (("西", "west"), ("南", "south"), ("东", "east"), ("北", "north"))[worst]
        place = _on_side(sheet, worst)
        facts = {"side_zh": side_zh, "side_en": side_en, "place": place}
        yield rule.flaw(layer=ZONES, measure=round(apart[worst] * METRES_PER_DEGREE, 3), unit="m", **facts)


def _on_side(sheet: Sheet | None, side: int) -> tuple[float, float] | None:
    points = shapely.get_coordinates(sheet.geometry) if sheet is not None else np.empty((0, 2))
    if not len(points):
        return None
    axis = points[:, side % 2]
    at = int(np.argmin(axis) if side < 2 else np.argmax(axis))
    return float(points[at, 0]), float(points[at, 1])


def _stated(package: Package, layer: str) -> bool:
    return bool(_hash_said(package, layer)) or package.has_meta(f"reference_m2:{layer}")


def _hash_said(package: Package, layer: str) -> str:
    """Return the hash of a layer's polygons that META states, "" where it states none."""
    return package.meta.get("extent_sha" if layer == "XZQ" else f"geometry:{layer}", "")


def _is_unchanged(package: Package, layer: str, geometry: NDArray[Any]) -> bool:
    said = _hash_said(package, layer)
    made = references.extent_sha if layer == "XZQ" else agreement.layer_hash
    drawn = np.isin(shapely.get_type_id(geometry), (3, 6)).all()
    return bool(said) and bool(drawn) and said == made(geometry)


def _as_used(package: Package, rule: Rule, layer: str, sheet: Sheet) -> Iterator[Said]:
    """Yield where a copy of an input is not what was used: by the hash of its polygons, else by area."""
    if _is_unchanged(package, layer, sheet.geometry):
        return
    if not _stated(package, layer):
        yield Unchecked("no_meta", {"item": f"reference_m2:{layer}"}, part=True)
        return
    measured = ground.square_metres(package, sheet.geometry)
    wanted = _number(package.meta.get(f"reference_m2:{layer}", ""))
    away = abs(float(measured.sum()) - wanted) if wanted is not None else 0.0
    if not _hash_said(package, layer) and away <= _allowed(rule, float(measured.sum())):
        return
    rows = list(_edited_rows(rule, sheet, measured))
    for row in rows:
        off = round(abs(float(measured[row] - sheet.columns["MJ"][row])), 2)
        yield columns.flaw(package, rule, layer, row, case="copy_row", field="MJ", measure=off, unit="m2")
    if not rows:
        case = "edited" if _hash_said(package, layer) else "copy"
        yield rule.flaw(case=case, layer=layer, measure=round(away, 2), unit="m2")


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


@checker("6501")
def check_6501(package: Package, rule: Rule) -> Iterator[Said]:
    """No piece that is said to be outside the red line lies on it."""
    zones, line = package.sheet(ZONES), package.sheet("STBHHX")
    flags = columns.texts(zones, "SFHX") if zones is not None else None
    if zones is None or line is None or flags is None or zones.geometry is None or line.geometry is None:
        yield Unchecked("no_field", {"layer": ZONES, "field": "SFHX"})
        return
    outside = np.flatnonzero(flags == "0")
    found: dict[int, list[Any]] = defaultdict(list)
    for piece, shape in ground.overlaps(zones.geometry[outside], line.geometry):
        found[int(outside[piece])].append(shape)
    for row, shapes in found.items():
        shape = shapely.union_all(shapes)
        measure = round(float(ground.square_metres(package, np.array([shape], object))[0]), 2)
        if measure > rule.number("m2"):
            said = {
                "layer": ZONES,
                "bsm": package.bsm(ZONES, row),
                "field": "SFHX",
                "place": ground.inside(shape),
            }
            yield rule.flaw(measure=measure, unit="m2", **said)


@checker("6502")
def check_6502(package: Package, rule: Rule) -> Iterator[Said]:
    """Every legal conflict is listed with the rule that settles it: one warning a kind, else an error."""
    table = package.sheet("CTB")
    listed = columns.texts(table, "CTLX") if table is not None else None
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
    said = columns.texts(sheet, "CTLX") if sheet is not None else None
    if sheet is None or said is None or "TBMJ" not in sheet.columns:
        return
    every = sorted({code for text in set(said.tolist()) for code in columns.codes(text)} - set(kinds))
    if not every:
        return
    area = sheet.columns["TBMJ"].astype(float)
    around = (
        shapely.length(sheet.geometry) * METRES_PER_DEGREE
        if sheet.geometry is not None
        else np.ones(len(sheet))
    )
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
            yield columns.flaw(
                package,
                rule,
                ZONES,
                first,
                case="unlisted",
                severity="E",
                measure=measure,
                unit="m2",
                **facts,
            )


def _unlisted_overlap(
    package: Package, rule: Rule, one: str, other: str, kinds: tuple[str, ...]
) -> Iterator[Flaw]:
    """Yield the common ground of two layers where no kind of conflict is listed for it."""
    first, second = package.sheet(one), package.sheet(other)
    if first is None or second is None or first.geometry is None or second.geometry is None:
        return
    shapes = [shape for _, shape in ground.overlaps(first.geometry, second.geometry)]
    if not shapes:
        return
    sizes = ground.square_metres(package, np.array(shapes, object))
    around = np.array([shape.length for shape in shapes]) * METRES_PER_DEGREE
    wide = (sizes > rule.number("m2")) & (2 * sizes / np.maximum(around, 1e-9) >= rule.number("width_m"))
    if wide.any():
        largest = shapes[int(np.argmax(np.where(wide, sizes, 0)))]
        facts = {"pair": f"{one} × {other}", "kind": "/".join(kinds), "key": f"{one}-{other}"}
        said = {"layer": one, "place": ground.inside(largest), "measure": round(float(sizes[wide].sum()), 2)}
        yield rule.flaw(case="unlisted", severity="E", unit="m2", **said, **facts)


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
    both = [shapely.union_all(ground.usable(shapes)) for shapes in (drawn[first_two], line.geometry)]
    apart = ground.polygonal(shapely.symmetric_difference(*both))
    measure = 0.0 if apart.is_empty else float(ground.square_metres(package, np.array([apart], object))[0])
    if measure > rule.number("m2"):
        said = {
            "layer": _CONTROL_LINE,
            "place": ground.inside(apart),
            "measure": round(measure, 2),
            "unit": "m2",
        }
        yield rule.flaw(**said)
