# SPDX-License-Identifier: GPL-2.0-or-later
"""What a package says of itself (META): items with values, so that it can be checked without its result."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import shapely

from swc_zoning.engine import targets
from swc_zoning.engine.evaluation import records
from swc_zoning.engine.submission.material import Material
from swc_zoning.engine.submission.references import DISTRICTS, extent_sha
from swc_zoning.engine.submission.schemas import Layer
from swc_zoning.engine.submission.sheets import Sheet

SHEET = "META"
_OF_ORDER = (
    *("stage", "code", "name", "date", "compiler", "plan_name", "secrecy", "consultation_no"),
    *("consultation_date", "review_no", "approval_no", "approval_date"),
)
_OF_INPUT = (
    "role",
    "layer",
    "version",
    "approval_no",
    "data_date",
    "provider",
    "secrecy",
    "crs",
    "sha256",
    "used",
)
_ENCODING = "gb18030"


def sheet_of(
    material: Material, sheets: Mapping[str, Sheet], further: Iterable[tuple[str, Any]] = ()
) -> Sheet:
    """Return META of all other `sheets`, with `further` items."""
    layer = material.schema.layers[SHEET]
    said = [*items(material, sheets), *further]
    return Sheet.of(layer, (row for item, value in said for row in rows_of(layer, item, value)))


def rows_of(layer: Layer, item: str, value: Any) -> Iterator[dict[str, Any]]:
    """Yield the rows of one item: a value longer than its field goes on in further rows, XH 0, 1, 2 ..."""
    length = layer.field("VALUE").length
    for number, part in enumerate(_parts(str(value), length)):
        yield {"ITEM": item, "XH": number, "VALUE": part}


def _parts(text: str, length: int) -> Iterator[str]:
    """Yield a text in parts of at most `length` bytes of GB 18030, at least one."""
    part, size = "", 0
    for sign in text:
        more = len(sign.encode(_ENCODING, "replace"))
        if size + more > length:
            yield part
            part, size = "", 0
        part, size = part + sign, size + more
    yield part


def items(material: Material, sheets: Mapping[str, Sheet]) -> Iterator[tuple[str, Any]]:
    """Yield (item, value) of everything a check or a reader relies on."""
    summary, order, schema = material.summary, material.order, material.schema
    yield "profile", schema.profile
    yield "schema_version", schema.version
    for key in _OF_ORDER:
        if getattr(order, key):
            yield key, getattr(order, key)
    yield "scale", order.scale
    yield "work_crs", summary["crs"]
    yield "plan_date", summary["plan_date"]
    for key in ("profile", "version", "sha256"):
        yield f"rules_{key}", summary["rules"][key]
    yield "content_sha256", summary["content_sha256"]
    yield "area_model", _json(summary["area_model"])
    yield "swc_zoning", summary["versions"]["swc_zoning"]
    yield "land_mask", int(bool(summary["by_land"]))
    yield from _areas(material)
    yield from _inputs(material)
    yield from _evaluations(material)
    yield from _of_sheets(material, sheets)
    yield from _targets(material)


def _areas(material: Material) -> Iterator[tuple[str, Any]]:
    for district in material.districts:
        yield f"control:{district.code}", f"{district.control_m2:.2f}"
        yield f"factor:{district.code}", repr(district.factor)
    yield "control:", f"{material.summary['total']['control_m2']:.2f}"


def _inputs(material: Material) -> Iterator[tuple[str, Any]]:
    for row in material.summary["inputs"]:
        yield f"input:{row['index']}", _json({key: row[key] for key in _OF_INPUT})
    for row in material.summary["missing_roles"]:
        yield f"missing_role:{row['role']}", row["name_zh"]


def _evaluations(material: Material) -> Iterator[tuple[str, Any]]:
    """Yield how layers were evaluated: what was run, on which parameter sets, and what it found."""
    for row in records.of_result(material.summary):
        record = row["record"]
        sets = [{key: one.get(key, "") for key in ("kind", "id", "status")} for one in records.sets(record)]
        told = {"role": row["role"], "layer": row["layer"], "algorithm": records.name(record)}
        told |= {"version": record.get("version", ""), "parameter_sets": sets}
        codes = list(dict.fromkeys(one["code"] for one in records.weak(record)))
        yield f"evaluation:{row['input']}", _json({**told, "not_discriminating": codes})


def _of_sheets(material: Material, sheets: Mapping[str, Sheet]) -> Iterator[tuple[str, Any]]:
    yield "extent_sha", extent_sha(sheets[DISTRICTS].geometry)
    yield "extent_box", _json([float(value) for value in shapely.total_bounds(sheets[DISTRICTS].geometry)])
    for name in (DISTRICTS, *material.schema.references):
        if name in sheets:
            centi = sum(round(value * 100) for value in sheets[name].columns["MJ"].tolist())
            yield f"reference_m2:{name}", f"{centi / 100:.2f}"
    for name, sheet in sheets.items():
        # Filled in by the check of the written files.
        if name != "ZJJG":
            yield f"count:{name}", len(sheet)


def _targets(material: Material) -> Iterator[tuple[str, Any]]:
    """Yield the targets of the rate of water and soil conservation, and the rate where the data tell it."""
    report = targets.report(material.folder)
    for target in report.targets:
        yield f"target:{target.year}", target.above_percent
    if report.city is not None and report.city.percent is not None:
        yield "rate", f"{report.city.percent:.4f}"


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
