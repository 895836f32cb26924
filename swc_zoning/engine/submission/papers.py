# SPDX-License-Identifier: GPL-2.0-or-later
"""The papers of a package: metadata.xml, the run record, notes on its data. No path is in any of them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from swc_zoning import paths
from swc_zoning.engine import rule_words
from swc_zoning.engine.submission import datasets, metadata, opening, placing, public, quality
from swc_zoning.engine.submission.packing import RESULTS, Work, write_bytes, write_json
from swc_zoning.engine.submission.sheets import Sheet

NOTES = "数据说明.txt"
_METADATA = "metadata.xml"


def write_metadata(folder: Path, work: Work, report: quality.Report | None) -> None:
    """Write metadata.xml and the run record; `report` None: the edition was not checked by itself."""
    part = folder / work.named("part_metadata")
    part.mkdir(exist_ok=True)
    write_bytes(part / _METADATA, metadata.xml(_statement(work, report), work.lang))
    write_json(part / placing.RECORD, _record(work, report))


def write_decision_table(folder: Path, work: Work) -> None:
    """Write the decision table of the result, by which the check decides every piece anew."""
    if work.decision_table is not None:
        part = folder / work.named("part_metadata")
        part.mkdir(exist_ok=True)
        write_json(part / opening.DECISION_TABLE, work.decision_table)


def _statement(work: Work, report: quality.Report | None) -> metadata.Statement:
    rows = {"layers": sum(sheet.geometry is not None for sheet in work.sheets.values())}
    rows["patches"] = len(work.sheets["SBGKFQ"]) if "SBGKFQ" in work.sheets else 0
    names = {"name": work.meta.get("name", ""), "plan": work.order.plan_name or "-"}
    sources = [_source(one, work.lang) for one in work.inputs]
    rules = [work.meta[item] for item in ("rules_profile", "rules_version") if work.meta.get(item)]
    counts = report.counts() if report else {}
    return metadata.Statement(
        identifier=_identifier(work),
        title=work.title,
        date=work.meta.get("date", ""),
        abstract=work.text("package.abstract", **names, **rows),
        edition=" ".join([work.schema.stages[work.order.stage].name(work.lang), work.mark]).strip(),
        compiler=work.meta.get("compiler", ""),
        secrecy="" if work.mark else work.meta.get("secrecy", ""),
        constraints=work.text("package.public_use") if work.mark else "",
        crs=work.schema.crs,
        scale=0 if work.mark else work.order.scale,
        bounds=_bounds(work.sheets),
        formats=tuple(datasets.FORMATS[form] for form in work.order.formats),
        lineage=work.text("package.lineage", rules=" ".join(rules) or "-", inputs=len(sources)),
        sources=tuple(sources),
        quality=work.text("package.quality", **{key: counts.get(key, 0) for key in "EWI"}) if report else "",
        passed=None if report is None else not report.errors(),
        keywords=tuple(work.text("package.keywords").split(";")),
    )


def _identifier(work: Work) -> str:
    told = [work.named("public" if work.mark else "folder"), work.order.stage]
    return "-".join([*told, *([] if work.mark else [work.meta.get("content_sha256", "")[:16]])]).strip("-")


def _source(one: Mapping[str, Any], lang: str) -> metadata.Source:
    names = ("version", "approval_no", "data_date", "provider")
    told = {name: str(one.get(name) or "") for name in names}
    role = str(one.get("role") or "")
    return metadata.Source(str(one.get("layer") or role or "-"), rule_words.role_name(role, lang), **told)


def _bounds(sheets: Mapping[str, Sheet]) -> tuple[float, float, float, float] | None:
    drawn = [sheet.geometry for sheet in sheets.values() if sheet.geometry is not None and len(sheet)]
    return tuple(shapely.total_bounds(np.concatenate(drawn)).tolist()) if drawn else None


def _record(work: Work, report: quality.Report | None) -> dict[str, Any]:
    """Return the run record: how the package was made, without a path."""
    counts = {name: len(sheet) for name, sheet in work.sheets.items() if name != RESULTS}
    said = {"what": placing.WHAT, "edition": "public" if work.mark else "full", "software": paths.version()}
    said |= {"profile": work.schema.profile, "schema_version": work.schema.version, "rows": counts}
    if work.mark:
        return said
    told = {"order": work.order.as_json(), "meta": dict(work.meta)}
    return {**said, **told, "quality": report.counts() if report else None}


def write_notes(folder: Path, work: Work, report: quality.Report | None) -> None:
    """Write what a reader of the data must know; lines that do not apply are left out."""
    codes = ["package.note_formats", "package.note_crs", "package.no_mdb", "package.note_rare"]
    codes += ["package.note_shp"] if "shp" in work.order.formats else []
    codes += ["package.note_public"] if work.mark else ["package.note_area", "package.note_register"]
    codes += ["package.note_seals"]
    facts = {
        "formats": ", ".join(work.order.formats),
        "crs": work.schema.crs,
        "decimals": public.policy()["decimals"],
    }
    lines = [work.title, "", *(work.text(code, **facts) for code in codes)]
    absent = [item.partition(":")[2] for item in work.meta if item.startswith("missing_role:")]
    missing = [rule_words.role_name(role, work.lang) for role in absent]
    if missing:
        lines.append(work.text("package.note_missing", roles=", ".join(missing)))
    if report:
        lines.append(work.text("package.quality", **{key: report.counts()[key] for key in "EWI"}))
        lines += [f"{one.rule}: {one.sentence(work.lang)}" for one in report.not_checked]
    write_bytes(folder / NOTES, "\r\n".join([*lines, ""]).encode("utf-8-sig"))
