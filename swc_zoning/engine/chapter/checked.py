# SPDX-License-Identifier: GPL-2.0-or-later
"""What a quality check found, rule by rule, as the rows of table T11.

Taken from the report that ``validate --json`` prints, or the lines (jsonl) that a package keeps of it. A
rule that could not be judged is said to be so: not checked is never passed.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from swc_zoning.engine.chapter.tables import Quality
from swc_zoning.engine.messages import SwcError
from swc_zoning.paths import resource


def of_file(path: Path) -> Quality:
    """Return the rows of a report: JSON, or the lines a package keeps of it.

    Raises SwcError ``chapter.no_report``.
    """
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
        document = _of_lines(text) if Path(path).suffix == ".jsonl" else json.loads(text)
    except (OSError, ValueError) as error:
        raise SwcError("chapter.no_report", path=str(path)) from error
    if not isinstance(document, dict) or not {"flaws", "ran"} <= set(document):
        raise SwcError("chapter.no_report", path=str(path))
    return of_report(document)


def _of_lines(text: str) -> dict[str, Any]:
    """Return a report from its lines: the head, then flaws and what was not checked."""
    head, *rest = [json.loads(line) for line in text.splitlines() if line.strip()] or [{}]
    flaws = [one for one in rest if one["kind"] == "flaw"]
    return {**head, "flaws": flaws, "not_checked": [one for one in rest if one["kind"] == "not_checked"]}


def of_report(report: Mapping[str, Any]) -> Quality:
    """Return (code, title_zh, title_en, severity, count, accepted, checked) of every rule of a report.

    `report`: as `quality.Report.as_json` gives it. `checked` is False for a rule that could not be judged.
    """
    found = Counter(flaw["code"] for flaw in report["flaws"]) + Counter(report.get("more", {}))
    accepted = Counter(flaw["code"] for flaw in report["flaws"] if flaw.get("accepted"))
    unchecked = {one["code"] for one in report.get("not_checked", ()) if not one.get("part")}
    worst = _worst(report["flaws"])
    rows = []
    for rule in json.loads(resource("quality.json").read_text(encoding="utf-8"))["rules"]:
        code = rule["id"]
        if code not in report["ran"] and code not in unchecked and code not in found:
            continue
        titles = {name: rule[name] for name in ("title_zh", "title_en")}
        counts = {"count": found[code], "accepted": accepted[code]}
        severity = worst.get(code, rule["severity"])
        rows.append(
            {"code": code, **titles, "severity": severity, **counts, "checked": code not in unchecked}
        )
    return rows


def _worst(flaws: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Return the worst severity found by each rule."""
    worst: dict[str, str] = {}
    for flaw in flaws:
        known = worst.get(flaw["code"], flaw["severity"])
        worst[flaw["code"]] = min(known, flaw["severity"], key="EWI".index)
    return worst
