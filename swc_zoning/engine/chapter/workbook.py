# SPDX-License-Identifier: GPL-2.0-or-later
"""The tables of a chapter as one workbook (xlsx), a sheet a table, and as CSV beside it.

Numbers are numbers, rounded and levelled as they are printed; a last sheet says by which query each
column was made. Text that a spreadsheet would run stays text (CWE-1236). What was written is read back.
"""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from swc_zoning import vendored
from swc_zoning.engine.cells import guarded
from swc_zoning.engine.chapter.figures import Figures, queries
from swc_zoning.engine.chapter.tables import Cell, Column, Table
from swc_zoning.engine.messages import SwcError, sentence

_DECIMALS = {"area": 2, "area4": 4, "percent": 2, "count": 0, "ordinal": 0}
_NOT_IN_NAMES = re.compile(r'[\\/*?:"<>|\[\]\s]+')
_HEAD_ROWS = 3
_WIDE, _A3_FROM = 140, 200
#: A workbook may hold so many signs in a cell (ECMA-376 as spreadsheets keep it).
_LONGEST = 32_767


def write(path: Path, tables: Mapping[str, Table], figures: Figures) -> None:
    """Write the tables to a workbook and read it back.

    Raises SwcError ``chapter_book.needs_openpyxl``, ``chapter_book.not_as_written`` and OSError.
    """
    book = _openpyxl().Workbook()
    book.remove(book.active)
    book.properties.creator = "swc_zoning"
    for table in tables.values():
        _put(book.create_sheet(table.id), table)
    _put_definitions(
        book.create_sheet(sentence("chapter_book.definitions", {}, figures.lang)), tables, figures
    )
    with path.open("wb") as stream:
        book.save(stream)
    _compare(path, tables)


def write_csv(folder: Path, tables: Mapping[str, Table]) -> None:
    """Write each table as CSV (UTF-8 with a mark, as spreadsheets want it) into a folder. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    for table in tables.values():
        (folder / csv_name(table)).write_bytes(csv_text(table).encode("utf-8-sig"))


def csv_text(table: Table) -> str:
    """Return a table as CSV: title, heads, rows as printed with a point for decimals, note."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\r\n")
    writer.writerow([guarded(_title(table))])
    writer.writerow([guarded(column.title) for column in table.columns])
    for row in table.rows:
        writer.writerow([guarded(_plain(cell, column)) for cell, column in zip(row, table.columns)])
    for text in (table.absence, table.note):
        if text:
            writer.writerow([guarded(text)])
    return stream.getvalue()


def csv_name(table: Table) -> str:
    """Return the name of the CSV of a table."""
    return f"{table.id}_{_NOT_IN_NAMES.sub('_', table.title)[:60]}.csv"


def _openpyxl() -> Any:
    try:
        return vendored.load("openpyxl")
    except ImportError as error:
        raise SwcError("chapter_book.needs_openpyxl") from error


def _title(table: Table) -> str:
    unit = {"ha": "figures.unit_ha", "m2": "figures.unit_m2", "km2": "figures.unit_km2"}.get(table.unit)
    facts = {"id": table.id, "title": table.title}
    if unit is None:
        return sentence("chapter_book.title", facts, table.lang)
    return sentence("chapter_book.title_unit", {**facts, "unit": sentence(unit, {}, table.lang)}, table.lang)


def _plain(cell: Cell, column: Column) -> str:
    """Return a cell for programs: digits are not grouped."""
    if cell.value is None:
        return cell.text
    return f"{cell.value:.{_decimals(cell, column)}f}"


def _decimals(cell: Cell, column: Column) -> int:
    return cell.said.decimals if cell.said and cell.said.unit else _DECIMALS.get(column.kind, 2)


# --- sheets ----------------------------------------------------------------------------------------


def _put(page: Any, table: Table) -> None:
    styles = _openpyxl().styles
    _put_text(page, 1, 1, _title(table)).font = styles.Font(bold=True, size=14)
    for number, column in enumerate(table.columns, 1):
        _put_head(page, number, column)
    for number, row in enumerate(table.rows, _HEAD_ROWS + 1):
        for place, (cell, column) in enumerate(zip(row, table.columns), 1):
            _put_cell(page, number, place, cell, column, number - _HEAD_ROWS - 1 in table.sums)
    foot = _HEAD_ROWS + len(table.rows) + 1
    for offset, text in enumerate(filter(None, (table.absence, table.note))):
        _put_text(page, foot + offset, 1, text)
    _set_up(page, table)


def _put_text(page: Any, row: int, column: int, text: str) -> Any:
    """Write text as text, whatever it begins with."""
    cell = page.cell(row=row, column=column, value=_shown(text))
    cell.data_type = "s"
    return cell


def _shown(text: str) -> str:
    """Return a text without the control characters that XML cannot hold, at most as long as a cell."""
    return "".join(sign for sign in text if sign >= " " or sign in "\t\n")[:_LONGEST]


def _put_head(page: Any, number: int, column: Column) -> None:
    styles = _openpyxl().styles
    cell = _put_text(page, _HEAD_ROWS, number, column.title)
    cell.font = styles.Font(bold=True)
    cell.alignment = styles.Alignment(wrap_text=True, horizontal="center", vertical="center")
    thick, thin = styles.Side(style="medium"), styles.Side(style="thin")
    cell.border = styles.Border(top=thick, bottom=thin)
    letter = _openpyxl().utils.get_column_letter(number)
    page.column_dimensions[letter].width = max(column.width, 6)


def _put_cell(page: Any, row: int, place: int, cell: Cell, column: Column, is_sum: bool) -> None:
    styles = _openpyxl().styles
    if cell.value is not None:
        made = page.cell(row=row, column=place, value=cell.value)
        decimals = _decimals(cell, column)
        made.number_format = "0" + ("." + "0" * decimals if decimals else "")
        made.alignment = styles.Alignment(vertical="top")
    elif cell.text:
        made = _put_text(page, row, place, cell.text)
        numeric = column.kind not in ("text", "mixed")
        made.alignment = styles.Alignment(
            wrap_text=not numeric, vertical="top", horizontal="right" if numeric else None
        )
    else:
        return
    if is_sum:
        made.font = styles.Font(bold=True)


def _set_up(page: Any, table: Table) -> None:
    """Freeze heads and leading columns of text, and set the print area on pages as wide as the table."""
    letters = _openpyxl().utils.get_column_letter
    leading = 0
    for column in table.columns:
        if column.kind not in ("text", "ordinal") or leading == 3:
            break
        leading += 1
    page.freeze_panes = f"{letters(min(leading, 2) + 1)}{_HEAD_ROWS + 1}"
    page.print_title_rows = f"{_HEAD_ROWS}:{_HEAD_ROWS}"
    last = _HEAD_ROWS + len(table.rows) + bool(table.absence) + bool(table.note)
    page.print_area = f"A1:{letters(len(table.columns))}{max(last, _HEAD_ROWS)}"
    width = sum(column.width for column in table.columns)
    page.page_setup.orientation = "landscape" if width > _WIDE * 0.65 else "portrait"
    page.page_setup.paperSize = 8 if width > _A3_FROM else 9
    page.page_setup.fitToWidth, page.page_setup.fitToHeight = 1, 0
    page.sheet_properties.pageSetUpPr = _openpyxl().worksheet.properties.PageSetupProperties(fitToPage=True)
    page.oddFooter.center.text = "&P / &N"


# --- definitions -----------------------------------------------------------------------------------


def _put_definitions(page: Any, tables: Mapping[str, Table], figures: Figures) -> None:
    styles, letters = _openpyxl().styles, _openpyxl().utils.get_column_letter
    heads = [
        sentence(f"chapter_book.{key}", {}, figures.lang)
        for key in ("of_table", "of_column", "query", "value", "unit", "family", "what", "sql")
    ]
    for number, (head, width) in enumerate(zip(heads, (8, 22, 18, 16, 8, 12, 30, 110)), 1):
        _put_text(page, 1, number, head).font = styles.Font(bold=True)
        page.column_dimensions[letters(number)].width = width
    row = 1
    for row, texts in enumerate(_definitions(tables, figures), 2):
        for number, text in enumerate(texts, 1):
            made = _put_text(page, row, number, text)
            made.alignment = styles.Alignment(vertical="top", wrap_text=number == len(texts))
    page.freeze_panes = "A2"
    page.print_title_rows = "1:1"
    page.print_area = f"A1:{letters(len(heads))}{row}"
    page.page_setup.orientation = "landscape"
    page.page_setup.fitToWidth, page.page_setup.fitToHeight = 1, 0
    page.sheet_properties.pageSetUpPr = _openpyxl().worksheet.properties.PageSetupProperties(fitToPage=True)


def _definitions(tables: Mapping[str, Table], figures: Figures) -> Iterator[list[str]]:
    """Yield (table, column, query, value, unit, family, what, sql) of numbers, the SQL of a query once."""
    shown: set[str] = set()
    for table in tables.values():
        for column, query_id, value, unit in _origins(table):
            query = queries().get(query_id)
            title = figures.named(vars(query), "title") if query else ""
            family = sentence(f"chapter_book.{query.family}", {}, figures.lang) if query else ""
            sql = query.sql if query and query_id not in shown else ""
            shown.add(query_id)
            yield [table.id, column, query_id, value, figures.unit(unit), family, title, sql]


def _origins(table: Table) -> list[tuple[str, str, str, str]]:
    """Return (column title, query, its column, unit) of the numbers of a table, each once."""
    found = {}
    for row in table.rows:
        for cell, column in zip(row, table.columns):
            if cell.said and cell.said.unit:
                said = cell.said
                found[column.title, said.query, said.column, said.unit] = None
    return list(found)


# --- reading back ----------------------------------------------------------------------------------


def _compare(path: Path, tables: Mapping[str, Table]) -> None:
    """Hold the workbook as it is read back against the tables, cell by cell."""
    try:
        with closing(_openpyxl().load_workbook(path, read_only=True)) as book:
            for table in tables.values():
                rows = book[table.id].iter_rows(min_row=_HEAD_ROWS + 1, values_only=True)
                for number, (row, found) in enumerate(zip(table.rows, rows), 1):
                    _compare_row(path, table, number, row, found)
    except (KeyError, ValueError, zipfile.BadZipFile) as error:
        raise SwcError("chapter_book.not_as_written", path=str(path), table="", row=0) from error


def _compare_row(path: Path, table: Table, number: int, row: Sequence[Cell], found: Sequence[Any]) -> None:
    meant = [cell.value if cell.value is not None else (_shown(cell.text) or None) for cell in row]
    if list(found[: len(meant)]) != meant:
        raise SwcError("chapter_book.not_as_written", path=str(path), table=table.id, row=number)
