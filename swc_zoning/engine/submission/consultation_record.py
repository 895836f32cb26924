# SPDX-License-Identifier: GPL-2.0-or-later
"""The record of a consultation, ``consultation_record.json``, and what it gives an order.

Only the standard library is imported, so that QGIS can read records.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from swc_zoning.engine.messages import SwcError

NAME = "consultation_record"
WATER = "water"


def read(path: Path) -> Mapping[str, Any]:
    """Return a record. Raises SwcError ``consultation.record_bad``."""
    try:
        document = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SwcError("consultation.record_bad", path=str(path)) from error
    if not isinstance(document, dict) or document.get("what") != NAME or "replied" not in document:
        raise SwcError("consultation.record_bad", path=str(path))
    return document


def order_facts(path: Path) -> dict[str, str]:
    """Return what a record gives an order: consultation_no and consultation_date (YYYYMMDD).

    They are those of the latest numbered reply to a question that the water authority leads; "" where there
    is none. Raises SwcError ``consultation.record_bad``.
    """
    replied = read(path)["replied"]
    water = [one for one in replied if WATER in one["departments"] and one["number"]]
    last = max(water, key=lambda one: one["date"], default={"number": "", "date": ""})
    return {"consultation_no": last["number"], "consultation_date": last["date"].replace("-", "")}
