# SPDX-License-Identifier: GPL-2.0-or-later
"""Warnings of a check that the planner accepts, singly or as a group, each with a reason that is kept."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from swc_zoning.engine import reports
from swc_zoning.engine.messages import SwcError
from swc_zoning.engine.submission.order import Acceptance

#: Name of the file in the working folder.
FILE = "acceptances.json"
_ROWS = "accepted"


def covers(accepted: Acceptance, finding: Mapping[str, Any]) -> bool:
    """Return whether a finding is accepted by this; errors never are."""
    return (
        finding["severity"] == "warning"
        and accepted.code == finding["code"]
        and accepted.layer in ("", finding.get("layer") or "")
        and accepted.key in ("", finding.get("key") or "", finding.get("bsm") or "")
    )


def read(path: Path) -> list[Acceptance]:
    """Return what a file accepts, nothing where there is none. Raises SwcError ``cli.unreadable``."""
    if not path.exists():
        return []
    try:
        document = json.loads(path.read_text(encoding="utf-8-sig"))
        rows = document.get(_ROWS, []) if isinstance(document, dict) else document
        return [Acceptance(**row) for row in rows]
    except (OSError, ValueError, TypeError) as error:
        raise SwcError("cli.unreadable", path=str(path), reason=str(error)) from error


def write(accepted: Iterable[Acceptance], path: Path) -> None:
    """Write the file anew. Raises SwcError ``cli.unwritable``."""
    reports.write({_ROWS: [asdict(one) for one in accepted]}, path)


def reason_for(finding: Mapping[str, Any], accepted: Iterable[Acceptance]) -> str:
    """Return why a finding is accepted, by the check or since; "" where it is not."""
    told = str(finding.get("accepted") or "")
    return told or next((one.reason for one in accepted if covers(one, finding)), "")
