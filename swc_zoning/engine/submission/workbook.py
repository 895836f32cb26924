# SPDX-License-Identifier: GPL-2.0-or-later
"""The tables of a submission as a workbook (xlsx): one sheet a table, headings in the language of the reader.

Row by row, so that memory does not grow with the tables. Text that a spreadsheet would run is written with
the type of text (CWE-1236); what was written is read back cell by cell.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from swc_zoning import vendored
from swc_zoning.engine.cells import guarded
from swc_zoning.engine.messages import SwcError, sentence
from swc_zoning.engine.submission.schemas import Field
from swc_zoning.engine.submission.sheets import Sheet

#: Tables that go into the workbook, in this order; all others are for programs.
TABLES = ("TJ_QF", "TJ_SX", "TJ_TD", "HXLZ", "CTB", "CSQD", "DMB", "GXB")
#: A table of so many rows or more is left to the data sets: nobody reads it, and the workbook would not open.
TOO_MANY_ROWS = 50_000

_NOT_IN_TITLES = re.compile(r"[\\/*?:\[\]]")
_LONGEST_TITLE = 31
_WIDEST = 60


def write(
    path: Path, sheets: Mapping[str, Sheet], head: Sequence[tuple[str, str]], lang: str = "zh"
) -> list[str]:
    """Write the tables among `sheets` to `path` and return the names of those that were left out.

    `head` are lines (what, value) of the first sheet. Raises SwcError ``workbook.needs_openpyxl``,
    ``workbook.not_as_written`` and OSError.
    """
    chosen = {name: sheets[name] for name in TABLES if name in sheets and len(sheets[name]) < TOO_MANY_ROWS}
    left_out = [name for name in TABLES if name in sheets and name not in chosen]
    titles = _titles(chosen, lang)
    book = _openpyxl().Workbook(write_only=True)
    book.properties.creator = "swc_zoning"
    _put(
        book,
        sentence("workbook.head", {}, lang),
        None,
        list(_head_rows(chosen, left_out, sheets, head, lang)),
    )
    for name, sheet in chosen.items():
        _put_sheet(book, titles[name], sheet, lang)
    with path.open("wb") as stream:
        book.save(stream)
    _compare(path, chosen, titles, lang)
    return left_out


def _openpyxl() -> Any:
    try:
        return vendored.load("openpyxl")
    except ImportError as error:
        raise SwcError("workbook.needs_openpyxl") from error


def _titles(chosen: Mapping[str, Sheet], lang: str) -> dict[str, str]:
    """Return titles of sheets: no sign Excel refuses, at most 31 characters, each once whatever its case."""
    titles: dict[str, str] = {}
    for name, sheet in chosen.items():
        plain = _NOT_IN_TITLES.sub(" ", sheet.layer.title(lang)).strip("' ")[:_LONGEST_TITLE]
        taken = {title.casefold() for title in titles.values()}
        titles[name] = plain if plain and plain.casefold() not in taken else name
    return titles


def _head_rows(
    chosen: Mapping[str, Sheet],
    left_out: Sequence[str],
    sheets: Mapping[str, Sheet],
    head: Sequence[tuple[str, str]],
    lang: str,
) -> Iterator[Sequence[Any]]:
    yield from head
    yield ()
    yield sentence("workbook.tables", {}, lang), sentence("workbook.rows", {}, lang)
    for sheet in chosen.values():
        yield sheet.layer.title(lang), len(sheet)
    for name in left_out:
        facts = {"title": sheets[name].layer.title(lang), "rows": len(sheets[name]), "limit": TOO_MANY_ROWS}
        yield (sentence("workbook.left_out", facts, lang),)


def _put_sheet(book: Any, title: str, sheet: Sheet, lang: str) -> None:
    fields = sheet.layer.fields
    page = _put(book, title, fields, ())
    page.append([_heading(page, field.alias(lang)) for field in fields])
    for values in _rows(sheet):
        page.append([_cell(page, value, field) for value, field in zip(values, fields)])


def _put(book: Any, title: str, fields: Sequence[Field] | None, rows: Sequence[Sequence[Any]]) -> Any:
    page = book.create_sheet(title)
    letters = _openpyxl().utils.get_column_letter
    for number, width in enumerate(map(_width, fields) if fields else (30, 90), 1):
        page.column_dimensions[letters(number)].width = width
    if fields:
        page.freeze_panes = "A2"
        page.print_title_rows = "1:1"
    page.page_setup.orientation = "landscape"
    for row in rows:
        page.append([_cell(page, value) for value in row])
    return page


def _width(field: Field) -> int:
    return max(10, min(_WIDEST, 2 * len(field.alias_zh), 4 + max(2 * len(field.alias_zh), field.length)))


def _rows(sheet: Sheet) -> Iterator[tuple[Any, ...]]:
    columns = [sheet.columns[field.name].tolist() for field in sheet.layer.fields]
    return (tuple(_stored(value) for value in values) for values in zip(*columns))


def _stored(value: Any) -> Any:
    """Return a value as a workbook holds it: no number is no cell, and so is no text."""
    return None if value is None or value == "" or value != value else value


def _heading(page: Any, text: str) -> Any:
    cell = _cell(page, text)
    styles = _openpyxl().styles
    cell.font = styles.Font(bold=True)
    cell.alignment = styles.Alignment(wrap_text=True, vertical="top")
    return cell


def _cell(page: Any, value: Any, field: Field | None = None) -> Any:
    """Return a cell: text stays text whatever it begins with, a number shows the decimals of its field."""
    number = field is not None and field.kind != "text" and value is not None
    if not number and guarded(value) == value and not isinstance(value, str):
        return value
    cell = _openpyxl().cell.WriteOnlyCell(page, value)
    if isinstance(value, str):
        cell.data_type = "s"
        cell.number_format = "@"
    elif number:
        cell.number_format = "#,##0" + ("." + "0" * field.decimals if field.decimals else "")
    return cell


# --- reading back ----------------------------------------------------------------------------------


def _compare(path: Path, chosen: Mapping[str, Sheet], titles: Mapping[str, str], lang: str) -> None:
    try:
        with closing(_openpyxl().load_workbook(path, read_only=True)) as book:
            for name, sheet in chosen.items():
                _compare_sheet(book[titles[name]], sheet, lang)
    except (KeyError, ValueError, zipfile.BadZipFile) as error:
        raise SwcError("workbook.not_as_written", table="", row=0, found=str(error), meant="") from error


def _compare_sheet(page: Any, sheet: Sheet, lang: str) -> None:
    meant = _with_heading(sheet, lang)
    found = page.iter_rows(max_col=len(sheet.layer.fields))
    for number, row in enumerate(meant, 1):
        cells = next(found, ())
        values = tuple(cell.value for cell in cells)
        if values != row or any(cell.data_type == "f" for cell in cells):
            facts = {"found": str(values)[:80], "meant": str(row)[:80]}
            raise SwcError("workbook.not_as_written", table=sheet.layer.name, row=number, **facts)
    if any(cell.value is not None for row in found for cell in row):
        raise SwcError(
            "workbook.not_as_written", table=sheet.layer.name, row=len(sheet) + 2, found="+", meant=""
        )


def _with_heading(sheet: Sheet, lang: str) -> Iterator[tuple[Any, ...]]:
    yield tuple(field.alias(lang) for field in sheet.layer.fields)
    yield from _rows(sheet)
