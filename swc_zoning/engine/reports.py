# SPDX-License-Identifier: GPL-2.0-or-later
"""Reports of findings as files, for programs and for the next step of a day's work.

Only the standard library is imported, so that QGIS can write and read them.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from swc_zoning.engine.messages import SEVERITIES, Finding, SwcError

SCHEMA = 1


def of_findings(findings: Sequence[Finding], lang: str = "zh", **head: Any) -> dict[str, Any]:
    """Return {schema, **head, counts, findings}: how many of each severity, and each as plain data.

    A finding has code, severity, layer, place (in `head`'s "crs", or None), measure_m2, facts, fixes
    (entry, change, sure, sentence) and text in `lang`.
    """
    counts = dict.fromkeys(SEVERITIES, 0)
    for finding in findings:
        counts[finding.severity] += 1
    told = [finding.as_json(lang) for finding in findings]
    return {"schema": SCHEMA, **head, "counts": counts, "findings": told}


def write(document: Mapping[str, Any] | Sequence[Any], path: Path) -> None:
    """Write JSON aside and put it in place. Raises SwcError ``cli.unwritable``."""
    path = Path(path)
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        aside.write_text(json.dumps(document, ensure_ascii=False, indent=1), encoding="utf-8")
        aside.replace(path)
    except OSError as error:
        raise SwcError("cli.unwritable", path=str(path), reason=error.strerror) from error
    finally:
        aside.unlink(missing_ok=True)


def read(path: Path) -> dict[str, Any]:
    """Return a report. Raises SwcError ``cli.unreadable`` where the file holds none."""
    document = read_object(path)
    if not isinstance(document.get("findings"), list):
        raise SwcError("cli.unreadable", path=str(path), reason="findings")
    return document


def read_object(path: Path) -> dict[str, Any]:
    """Return the JSON object in a file. Raises SwcError ``cli.unreadable`` where it holds none."""
    try:
        document = json.loads(Path(path).read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:
        raise SwcError("cli.unreadable", path=str(path), reason=str(error)) from error
    if not isinstance(document, dict):
        raise SwcError("cli.unreadable", path=str(path), reason="object")
    return document
