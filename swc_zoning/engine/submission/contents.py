# SPDX-License-Identifier: GPL-2.0-or-later
"""Everything a submission holds, as sheets: from a result folder and an order, before any file is written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from swc_zoning.engine.messages import Finding
from swc_zoning.engine.progress import Progress
from swc_zoning.engine.submission import (
    about,
    control_zones,
    key_areas,
    material,
    redline,
    references,
    register,
    statistics,
)
from swc_zoning.engine.submission.order import Order
from swc_zoning.engine.submission.schemas import Schema
from swc_zoning.engine.submission.sheets import Sheet

#: Share of a whole export.
_SHARE = 0.25


@dataclass(frozen=True)
class Contents:
    """The sheets of a submission in the order of the schema, all but the results of its check.

    `order` is the order with the name, code and date of the city; `findings` say what could not be had.
    """

    sheets: Mapping[str, Sheet]
    order: Order
    findings: tuple[Finding, ...]
    facts: Mapping[str, Any]


def of_result(
    result: Path, order: Order, schema: Schema, progress: Progress | None = None, rules: Path | None = None
) -> Contents:
    """Return what is handed in of the result in the folder `result`.

    `rules` is a decision table to try first where the result does not hold its own. Raises what
    `material.read` and `register.opened` raise.
    """
    progress = progress or Progress()
    with progress.step("contents", _SHARE):
        found = material.read(result, order, schema, rules)
        progress.advance(0.4)
        given = register.opened(order.register, found.order.date)
        sheets, findings = _sheets(found, given, progress)
        sheets[register.SHEET] = given.sheet(schema.layers[register.SHEET])
        sheets["ZJJG"] = Sheet.of(schema.layers["ZJJG"], [])
        sheets[about.SHEET] = about.sheet_of(found, sheets, given.items())
    ordered = {name: sheets[name] for name in schema.layers if name in sheets}
    return Contents(ordered, found.order, (*found.findings, *findings), _facts(found, ordered))


def _sheets(
    found: material.Material, given: register.Register, progress: Progress
) -> tuple[dict[str, Sheet], list[Finding]]:
    """Return all sheets but the register, the check's and META."""
    zones = control_zones.sheet_of(found, given)
    progress.advance(0.55)
    sheets = {control_zones.LAYER: zones, **key_areas.sheets_of(found, given)}
    proposed, unsaid = redline.sheets_of(found, given)
    progress.advance(0.7)
    copies, left = references.sheets_of(found, given)
    progress.advance(0.85)
    sheets |= {**proposed, **copies, **statistics.sums(found, zones)}
    sheets["GXB"] = statistics.relations(found, zones.columns["BSM"])
    sheets["CSQD"] = statistics.measures(found)
    sheets["CTB"] = statistics.conflicts(found)
    sheets["DMB"] = statistics.code_table(found)
    return sheets, [*unsaid, *left]


def _facts(found: material.Material, sheets: Mapping[str, Sheet]) -> dict[str, Any]:
    return {
        "title": found.summary["title"],
        "work_crs": found.summary["crs"],
        "districts": [(district.code, district.name) for district in found.districts],
        "inputs": found.summary["inputs"],
        "secrecy": found.summary["secrecy"],
        "counts": {name: len(one) for name, one in sheets.items()},
        "decision_table": found.table.document,
    }
