# SPDX-License-Identifier: GPL-2.0-or-later
"""Cells of tables that spreadsheets open: text of the data stays text, numbers stay numbers."""

from __future__ import annotations

import re
from typing import Any

#: What makes a spreadsheet take text for a formula (CWE-1236), full-width forms included.
_BEGINS_FORMULA = tuple("=+-@\t\r\n\0＝＋－＠")
_NUMBER = re.compile(r"[+-]?\d[\d,]*(\.\d+)?([eE][+-]?\d+)?%?")


def guarded(value: Any) -> Any:
    """Return a cell of a CSV: text a spreadsheet would run as a formula gets an apostrophe before it.

    Numbers, also those written as text, stay as they are. Every writer of tables passes its cells here;
    in XLSX the same text is instead written with the type of text.
    """
    if not isinstance(value, str) or not value.lstrip(" ").startswith(_BEGINS_FORMULA):
        return value
    return value if _NUMBER.fullmatch(value) else f"'{value}"
