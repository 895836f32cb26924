# SPDX-License-Identifier: GPL-2.0-or-later
"""Tables of the evaluation: CSV read and written, workbooks of several sheets written and read back."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from functools import cache
from pathlib import Path
from typing import Any

from swc_zoning import vendored
from swc_zoning.engine.cells import guarded
from swc_zoning.engine.messages import SwcError
from swc_zoning.paths import resource

Rows = Sequence[Mapping[str, Any]]
#: Decimals of numbers in tables: a square metre of km2.
_DECIMALS = 6
_WIDEST = 60


@cache
def words(table: str) -> Mapping[str, Any]:
    """Return heads and words of a table ("notice", "rate", "patch"): data."""
    return json.loads(resource("evaluation", "tables.json").read_text(encoding="utf-8"))[table]


def read_csv(path: Path) -> list[dict[str, str]]:
    """Return the rows of a table in UTF-8 or GB 18030; raises SwcError ``evaluation.table``."""
    rows = list(csv.DictReader(io.StringIO(_text(path))))
    if not rows:
        raise SwcError("evaluation.table", path=path.name, line=1, reason="0")
    return [{(key or "").strip(): (value or "").strip() for key, value in _plain(row)} for row in rows]


def _plain(row: Mapping[Any, Any]) -> Iterator[tuple[str, str]]:
    """Yield the named cells of a row; what stands beyond the last head is left."""
    return ((key, value) for key, value in row.items() if isinstance(key, str))


def _text(path: Path) -> str:
    raw = path.read_bytes()
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise SwcError("evaluation.table", path=path.name, line=1, reason="UTF-8")


def number(row: Mapping[str, str], key: str) -> float:
    """Return a number of a row, 0 where the cell is empty or not there; raises ValueError."""
    return float(row.get(key) or 0)


def write_csv(path: Path, rows: Rows, heads: Sequence[str] | None = None) -> None:
    """Write rows, all of the columns `heads` (else of the first row), as CSV in UTF-8 with a mark.

    Raises OSError.
    """
    stream = io.StringIO()
    writer = csv.DictWriter(stream, list(heads or rows[0]), lineterminator="\r\n")
    writer.writeheader()
    writer.writerows({key: _cell(value) for key, value in row.items()} for row in rows)
    path.write_bytes(stream.getvalue().encode("utf-8-sig"))


def _cell(value: Any) -> Any:
    """Return a cell: numbers to 1e-6, nothing for None, text that a spreadsheet would run guarded."""
    if isinstance(value, float):
        return f"{value:.{_DECIMALS}f}".rstrip("0").rstrip(".") if value == value else ""
    return "" if value is None else guarded(value)


def write_xlsx(path: Path, sheets: Mapping[str, Rows]) -> None:
    """Write sheets, each of at least one row, to a workbook and read it back.

    Raises SwcError ``units.needs_openpyxl``, ``evaluation.unwritable`` and OSError.
    """
    book = _openpyxl().Workbook()
    book.remove(book.active)
    book.properties.creator = "swc_zoning"
    for name, rows in sheets.items():
        _put(book.create_sheet(name), rows)
    with path.open("wb") as stream:
        book.save(stream)
    _compare(path, sheets)


def _put(page: Any, rows: Rows) -> None:
    letter, bold = _openpyxl().utils.get_column_letter, _openpyxl().styles.Font(bold=True)
    page.freeze_panes = "A2"
    for column, head in enumerate(rows[0], 1):
        page.cell(1, column, head).font = bold
        shown = [head, *(str(row[head] if row[head] is not None else "") for row in rows)]
        page.column_dimensions[letter(column)].width = min(_WIDEST, 2 + max(map(_width, shown)))
        for line, row in enumerate(rows, 2):
            _put_cell(page.cell(line, column), row[head])


def _put_cell(cell: Any, value: Any) -> None:
    cell.value = _level(value)
    if isinstance(value, str):
        # Text stays text, whatever it begins with (CWE-1236).
        cell.data_type = "s"
    elif isinstance(value, float):
        cell.number_format = "0.00####"


def _level(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, _DECIMALS) if value == value else None
    return value or None if isinstance(value, str) else value


def _width(text: str) -> int:
    return sum(1 if ord(sign) < 0x2E80 else 2 for sign in text)


def _compare(path: Path, sheets: Mapping[str, Rows]) -> None:
    """Hold the workbook as it is read back against the rows."""
    try:
        with closing(_openpyxl().load_workbook(path, read_only=True)) as book:
            for name, rows in sheets.items():
                found = list(book[name].iter_rows(min_row=2, values_only=True))
                meant = [tuple(_level(value) for value in row.values()) for row in rows]
                if [row[: len(rows[0])] for row in found] != meant:
                    raise SwcError("evaluation.unwritable", path=path.name, reason=name)
    except (KeyError, ValueError, zipfile.BadZipFile) as error:
        raise SwcError("evaluation.unwritable", path=path.name, reason=str(error)) from error


def _openpyxl() -> Any:
    try:
        return vendored.load("openpyxl")
    except ImportError as error:
        raise SwcError("units.needs_openpyxl") from error
