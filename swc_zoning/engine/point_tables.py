# SPDX-License-Identifier: GPL-2.0-or-later
"""Tables of boundary points in xlsx or csv files: columns known by their headings, one row a point."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import Any

from swc_zoning.engine import admission, archives
from swc_zoning.engine.coordinate_lists import Block, Listing, Point, Told, decoded, parse_number
from swc_zoning.engine.messages import SwcError
from swc_zoning.engine.parcels import words

SUFFIXES = (".csv", ".tsv", ".xlsx", ".xlsm")
_SHEETS = (".xlsx", ".xlsm")
#: Titles and notes may stand above the headings.
_HEADING_ROWS = 20
#: A sheet may claim a million rows; so many blank ones end it.
_BLANK_ROWS = 1000
_DELIMITERS = (",", "\t", ";", "|", "，")
_HEADING_BYTES = 1 << 16
_BRACKETS = re.compile(r"[(（\[【].*?[)）\]】]")
#: Pairs of headings that hold a point, and what they say of their order.
_PAIRS = (
    ("north", "east", "north_east"),
    ("latitude", "longitude", "north_east"),
    ("x", "y", "north_east"),
    ("north", "y", "north_east"),
    ("x", "east", "north_east"),
)

#: (number in the file, cells as text)
Row = tuple[int, list[str]]


def is_point_table(path: Path) -> bool:
    """Return whether `path` is a workbook, or a csv with headings for coordinates and for their points."""
    suffix = path.suffix.lower()
    # A workbook holds nothing else that could be read here; a csv may hold WKT.
    return suffix in _SHEETS or (suffix in SUFFIXES and _csv_delimiter(path) is not None)


def sheets_with_points(path: Path) -> list[str]:
    """Return the sheets of a workbook whose headings are known, none of a csv. Raises SwcError as `read`."""
    if path.suffix.lower() not in _SHEETS:
        return []
    return [name for name, rows in _sheets(path, _HEADING_ROWS) if _headings(rows)]


def read(path: Path, label: str, encoding: str | None = None, sheet: str | None = None) -> Listing:
    """Return the parcels a point table lists.

    Raises SwcError ``boundary.no_columns``, ``boundary.sheet_unnamed``, ``boundary.sheet_missing``,
    ``boundary.needs_openpyxl``, ``boundary.encoding_unknown`` and what an unsafe archive raises.
    """
    rows = _sheet_rows(path, sheet) if path.suffix.lower() in _SHEETS else _csv_rows(path, encoding)
    found = _headings(rows[:_HEADING_ROWS])
    if found is None:
        raise SwcError("boundary.no_columns", source=path.name)
    at, columns, order = found
    return _listing(rows[at + 1 :], columns, order, label)


# --- rows ------------------------------------------------------------------------------------------


def _csv_rows(path: Path, encoding: str | None) -> list[Row]:
    text = decoded(path, encoding)
    delimiter = _csv_delimiter(path, text) or ","
    reader = csv.reader(io.StringIO(text), delimiter=delimiter)
    try:
        return [(reader.line_num, [cell.strip() for cell in cells]) for cells in reader]
    except csv.Error as error:
        raise SwcError(
            "boundary.table_bad", source=path.name, line=reader.line_num, reason=str(error)
        ) from error


def _csv_delimiter(path: Path, text: str | None = None) -> str | None:
    """Return the sign between cells: the one that makes a line of known headings; None where none does."""
    texts = [text] if text is not None else _beginnings(path)
    for lines in (one.splitlines()[:_HEADING_ROWS] for one in texts):
        for delimiter in _DELIMITERS:
            if _headings([(number, line.split(delimiter)) for number, line in enumerate(lines, start=1)]):
                return delimiter
    return None


def _beginnings(path: Path) -> list[str]:
    """Return the beginning of a text in each encoding it may have: only one gives known headings."""
    with path.open("rb") as stream:
        head = stream.read(_HEADING_BYTES)
    marked = head[:2] in (b"\xff\xfe", b"\xfe\xff")
    return [head.decode(name, "ignore") for name in (["utf-16"] if marked else ["utf-8-sig", "gb18030"])]


def _sheet_rows(path: Path, sheet: str | None) -> list[Row]:
    sheets = _sheets(path)
    if sheet:
        named = dict(sheets)
        if sheet not in named:
            raise SwcError("boundary.sheet_missing", source=path.name, name=sheet, sheets=", ".join(named))
        return named[sheet]
    known = [(name, rows) for name, rows in sheets if _headings(rows[:_HEADING_ROWS])]
    if len(known) > 1:
        sheets_text = ", ".join(name for name, _ in known)
        raise SwcError("boundary.sheet_unnamed", source=path.name, sheets=sheets_text)
    return known[0][1] if known else []


def _sheets(path: Path, most: int | None = None) -> list[tuple[str, list[Row]]]:
    """Return (name, rows, at most `most`) of each sheet: values as last computed, nothing is evaluated."""
    _prove_safe(path)
    try:
        with archives.damage_told(path.name), closing(_opened(path)) as book:
            rows_of = {one.title: _filled(one.iter_rows(values_only=True)) for one in book.worksheets}
            return [(name, list(islice(rows, most))) for name, rows in rows_of.items()]
    except (KeyError, ValueError, TypeError, AttributeError, IndexError, SyntaxError) as error:
        raise SwcError("boundary.table_bad", source=path.name, line="-", reason=str(error)) from error


def _opened(path: Path) -> Any:
    try:
        import openpyxl
    except ImportError as error:
        raise SwcError("boundary.needs_openpyxl", source=path.name) from error
    return openpyxl.load_workbook(path, read_only=True, data_only=True)


def _prove_safe(path: Path) -> None:
    """Prove that a workbook is an archive without tricks whose members declare no entities."""
    with archives.damage_told(path.name), zipfile.ZipFile(path) as archive:
        for entry, name in archives.looked_through(archive, path.name):
            if name.endswith((".xml", ".rels")):
                with archive.open(entry) as stream:
                    admission.prove_plain_xml(stream, path.name)


def _filled(rows: Iterable[tuple[Any, ...]]) -> Iterator[Row]:
    blank = 0
    for number, cells in enumerate(rows, start=1):
        texts = [_cell(cell) for cell in cells]
        blank = 0 if any(texts) else blank + 1
        if blank > _BLANK_ROWS:
            return
        yield number, texts


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.0f}" if value.is_integer() and abs(value) < 1e15 else repr(value)
    return str(value).strip()


# --- headings --------------------------------------------------------------------------------------


def _headings(rows: list[Row]) -> tuple[int, dict[str, int], str] | None:
    """Return (index of the row of headings, column by use, order of the coordinates), else None."""
    for at, (_, cells) in enumerate(rows):
        columns = _columns(cells)
        for one, other, order in _PAIRS:
            if (
                one in columns
                and other in columns
                and columns.keys() & {"point", "ring", "parcel_no", "parcel_name"}
            ):
                return at, {**columns, "first": columns[one], "second": columns[other]}, order
    return None


def _columns(cells: list[str]) -> dict[str, int]:
    columns: dict[str, int] = {}
    for at, cell in enumerate(cells):
        said = re.sub(r"[\s_:：\-/.]+", "", _BRACKETS.sub("", cell)).casefold()
        for use, names in words()["headings"].items():
            if said and said in {re.sub("_", "", name) for name in names}:
                columns.setdefault(use, at)
    return columns


# --- parcels ---------------------------------------------------------------------------------------


def _listing(rows: list[Row], columns: dict[str, int], order: str, label: str) -> Listing:
    told = Told(label)
    blocks: list[Block] = []
    degrees: set[bool] = set()
    last = {"parcel_no": "", "parcel_name": "", "ring": "1"}
    for number, cells in rows:
        said = {use: cells[at] if at < len(cells) else "" for use, at in columns.items()}
        if not (said["first"] or said["second"]):
            if any(said.values()):
                told.add("boundary.row_without_point", line=number)
            continue
        last = _carried(last, said)
        values = [parse_number(said["first"]), parse_number(said["second"])]
        if None in values or not last["ring"].isdigit():
            told.add("boundary.number_bad", line=number, text=" ".join(filter(None, said.values()))[:60])
            continue
        (first, one), (second, other) = values
        degrees |= {one, other}
        block = _block_for(blocks, number, last)
        block.points.append(Point(said.get("point", ""), int(last["ring"]), first, second, number))
    if len(degrees) > 1:
        told.add("boundary.units_mixed")
    return Listing(blocks, {}, degrees == {True}, order, told)


def _carried(last: dict[str, str], said: dict[str, str]) -> dict[str, str]:
    """Return parcel and ring of a row: merged cells leave the rows below them blank."""
    named = {use: said[use] for use in ("parcel_no", "parcel_name") if said.get(use)}
    if any(last[use] and last[use] != text for use, text in named.items()):
        # Another parcel begins: nothing of the one before stays.
        return {"parcel_no": "", "parcel_name": "", "ring": said.get("ring") or "1", **named}
    return {**last, **named, **({"ring": said["ring"]} if said.get("ring") else {})}


def _block_for(blocks: list[Block], line: int, last: dict[str, str]) -> Block:
    if not blocks or (blocks[-1].no, blocks[-1].name) != (last["parcel_no"], last["parcel_name"]):
        blocks.append(Block(line, last["parcel_no"], last["parcel_name"]))
    return blocks[-1]
