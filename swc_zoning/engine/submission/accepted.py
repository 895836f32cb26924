# SPDX-License-Identifier: GPL-2.0-or-later
"""Warnings that somebody accepts, with a reason: read from a file, or as an earlier package kept them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from swc_zoning.engine.messages import SwcError
from swc_zoning.engine.submission.order import Acceptance

if TYPE_CHECKING:
    from swc_zoning.engine.submission.opening import Package

#: What a package keeps them in.
RECORD = "接受记录.json"


def of_file(path: Path) -> list[Acceptance]:
    """Return the acceptances of a file: a list, or an object with "accepted" or "accept".

    Raises SwcError ``accepted.unreadable`` where there is none, or one without code or reason.
    """
    try:
        document = json.loads(Path(path).read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:
        raise SwcError("accepted.unreadable", path=str(path), reason=str(error)) from error
    rows = _rows(document)
    if rows is None:
        raise SwcError("accepted.unreadable", path=str(path), reason="accepted")
    for number, row in enumerate(rows, 1):
        if not isinstance(row, dict) or not row.get("code") or not str(row.get("reason") or "").strip():
            raise SwcError("accepted.unreadable", path=str(path), reason=f"#{number}: code, reason")
    return [_acceptance(row) for row in rows]


def of_package(package: Package) -> list[Acceptance]:
    """Return what a package keeps; what cannot be read is nothing."""
    rows = _rows(package.json_named(RECORD)) or []
    return [
        _acceptance(row) for row in rows if isinstance(row, dict) and row.get("code") and row.get("reason")
    ]


def _rows(document: Any) -> list[Any] | None:
    found = document
    if isinstance(document, dict):
        found = document.get("accepted", document.get("accept"))
    return found if isinstance(found, list) else None


def _acceptance(row: dict[str, Any]) -> Acceptance:
    names = Acceptance.__dataclass_fields__
    return Acceptance(**{name: str(row[name]) for name in names if row.get(name) is not None})
