# SPDX-License-Identifier: GPL-2.0-or-later
"""Warnings of a check that the planner accepts, singly or as a group, each with a reason that is kept."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from swc_zoning.engine import reports
from swc_zoning.engine.messages import SwcError

#: Name of the file in the working folder.
FILE = "acceptances.json"


@dataclass(frozen=True)
class Acceptance:
    """What is accepted: a code, in one layer ("": in all), of one `key` ("": all of them).

    The key is the BSM of a piece, or that of the group a finding belongs to.
    """

    code: str
    layer: str
    key: str
    reason: str
    by: str
    date: str

    def covers(self, finding: Mapping[str, Any]) -> bool:
        """Return whether it accepts this finding; errors never are."""
        return (
            finding["severity"] == "warning"
            and self.code == finding["code"]
            and self.layer in ("", finding.get("layer") or "")
            and self.key in ("", finding.get("key") or "", finding.get("bsm") or "")
        )


def read(path: Path) -> list[Acceptance]:
    """Return what a file accepts, nothing where there is none. Raises SwcError ``cli.unreadable``."""
    if not path.exists():
        return []
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))
        names = Acceptance.__dataclass_fields__
        return [Acceptance(**{name: str(row.get(name, "")) for name in names}) for row in rows]
    except (OSError, ValueError, AttributeError, TypeError) as error:
        raise SwcError("cli.unreadable", path=str(path), reason=str(error)) from error


def write(accepted: Iterable[Acceptance], path: Path) -> None:
    """Write the file anew. Raises SwcError ``cli.unwritable``."""
    reports.write([asdict(one) for one in accepted], path)


def reason_for(finding: Mapping[str, Any], accepted: Iterable[Acceptance]) -> str:
    """Return why a finding is accepted, by the check or since; "" where it is not."""
    told = str(finding.get("accepted") or "")
    return told or next((one.reason for one in accepted if one.covers(finding)), "")
