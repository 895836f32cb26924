# SPDX-License-Identifier: GPL-2.0-or-later
"""The list of conflicts as a workbook that goes out to departments and comes back filled in.

Columns are those of ``resources/consultation.json``. On the way back they are known by their headings, in
either language, on whatever sheet and row; cells that hold formulas or errors are refused.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from swc_zoning import vendored
from swc_zoning.engine import admission, archives
from swc_zoning.engine.cells import guarded
from swc_zoning.engine.messages import SwcError
from swc_zoning.engine.submission.conflict_groups import words

_HEADING_ROWS = 30
_BLANK_ROWS = 200
_CELL_LIMIT = 32_767
_CLIP_SIZE = (240, 180)
_CLIP_POINTS = 141
_LINE_POINTS, _LEAST_POINTS, _MOST_POINTS = 14.5, 30, 400
_PLAIN = re.compile(r"[\s\u3000（()）\[\]【】:：*]+")
_FILL_REPLY, _FILL_HEAD = "FFF7DC", "DCE6F1"


def columns(adoption: bool) -> list[Mapping[str, Any]]:
    """Return the columns of the list that goes out, or of the adoption table, which has no clips."""
    out = words()["columns"]
    if not adoption:
        return list(out)
    return [one for one in out if one["id"] != "clip"] + list(words()["adoption_columns"])


def load(name: str) -> Any:
    """Return a module of openpyxl. Raises SwcError ``consultation.needs_openpyxl``."""
    try:
        return vendored.load(name)
    except ImportError as error:
        raise SwcError("consultation.needs_openpyxl") from error


def write(
    path: Path,
    rows: Sequence[Mapping[str, Any]],
    title: str,
    notes: Sequence[str],
    lang: str,
    clips: Mapping[str, bytes] | None = None,
    adoption: bool = False,
) -> None:
    """Write `rows` (cells by column id) under `title` and `notes`; `clips` PNGs by group.

    Raises SwcError ``consultation.needs_openpyxl`` and ``consultation.cell_too_long``.
    """
    listed = columns(adoption)
    book = load("openpyxl").Workbook()
    page = book.active
    page.title = (
        "意见采纳情况" if adoption and lang == "zh" else ("冲突清单" if lang == "zh" else "Conflicts")
    )
    _put_head(page, listed, title, notes, lang)
    first = len(notes) + 3
    for at, row in enumerate(rows, start=first):
        for place, column in enumerate(listed, start=1):
            _put(page, at, place, row.get(column["id"]), column)
        clip = (clips or {}).get(row["group"])
        page.row_dimensions[at].height = max(_height(row, listed), _CLIP_POINTS if clip else 0)
        if clip:
            _put_clip(page, at, next(p for p, c in enumerate(listed, start=1) if c["id"] == "clip"), clip)
    _finish(page, listed, first, len(rows), lang)
    book.save(path)


def _put_head(
    page: Any, listed: Sequence[Mapping[str, Any]], title: str, notes: Sequence[str], lang: str
) -> None:
    styles = load("openpyxl.styles")
    heading = page.cell(1, 1)
    _text(heading, title)
    heading.font = styles.Font(bold=True, size=16)
    heading.alignment = styles.Alignment(wrap_text=False)
    for at, note in enumerate(notes, start=2):
        _text(page.cell(at, 1), note)
        page.cell(at, 1).alignment = styles.Alignment(wrap_text=False)
    thin = styles.Side(style="thin", color="999999")
    for place, column in enumerate(listed, start=1):
        cell = page.cell(len(notes) + 2, place)
        _text(cell, column[lang])
        cell.font = styles.Font(bold=True)
        colour = _FILL_REPLY if column.get("reply") else _FILL_HEAD
        cell.fill = styles.PatternFill("solid", fgColor=colour)
        cell.border = styles.Border(*(thin,) * 4)
        cell.alignment = styles.Alignment(wrap_text=True, horizontal="center", vertical="center")
        page.column_dimensions[cell.column_letter].width = column["width"]


def _height(row: Mapping[str, Any], listed: Sequence[Mapping[str, Any]]) -> float:
    """Return how high a row must be for its longest text, in points: not every program finds out itself."""
    lines = 1
    for column in listed:
        for text in str(row.get(column["id"]) or "").splitlines():
            wide = sum(2 if ord(sign) > 0x2E7F else 1 for sign in text)
            lines = max(lines, -(-wide // max(int(column["width"]) - 2, 1)))
    return min(max(lines * _LINE_POINTS + 6, _LEAST_POINTS), _MOST_POINTS)


def _put(page: Any, row: int, place: int, value: Any, column: Mapping[str, Any]) -> None:
    cell = page.cell(row, place)
    styles = load("openpyxl.styles")
    thin = styles.Side(style="thin", color="BBBBBB")
    cell.border = styles.Border(*(thin,) * 4)
    cell.alignment = styles.Alignment(wrap_text=True, vertical="top")
    if column.get("reply"):
        cell.fill = styles.PatternFill("solid", fgColor=_FILL_REPLY)
        cell.number_format = "@"
    if value is None or value == "":
        return
    if isinstance(value, (int, float)):
        cell.value = value
        cell.number_format = column.get("format", "General")
        return
    _text(cell, str(value))


def _text(cell: Any, value: str) -> None:
    if len(value) > _CELL_LIMIT:
        raise SwcError("consultation.cell_too_long", cell=cell.coordinate, limit=_CELL_LIMIT)
    illegal = load("openpyxl.cell.cell").ILLEGAL_CHARACTERS_RE
    cell.value = illegal.sub("", value)
    # Whatever it begins with, it is text: a program that opens the file must not run it.
    cell.data_type = "s"
    cell.number_format = "@"
    cell.quotePrefix = guarded(value) != value


def _put_clip(page: Any, row: int, place: int, clip: bytes) -> None:
    image = load("openpyxl.drawing.image").Image(io.BytesIO(clip))
    image.width, image.height = _CLIP_SIZE
    page.add_image(image, page.cell(row, place).coordinate)


def _finish(page: Any, listed: Sequence[Mapping[str, Any]], first: int, count: int, lang: str) -> None:
    """Freeze, filter, print and offer what the columns take."""
    letters = {one["id"]: page.cell(1, at).column_letter for at, one in enumerate(listed, start=1)}
    last = max(first + count - 1, first)
    page.freeze_panes = f"{letters['severity']}{first}"
    page.auto_filter.ref = f"A{first - 1}:{page.cell(1, len(listed)).column_letter}{last}"
    page.print_title_rows = f"{first - 1}:{first - 1}"
    page.page_setup.orientation, page.page_setup.paperSize = "landscape", page.PAPERSIZE_A3
    page.page_setup.fitToWidth, page.page_setup.fitToHeight = 1, 0
    page.sheet_properties.pageSetUpPr.fitToPage = True
    if "verdict" in letters:
        offered = ",".join(one[lang] for one in words()["verdicts"].values())
        validation = load("openpyxl.worksheet.datavalidation").DataValidation
        rule = validation(type="list", formula1=f'"{offered}"', allow_blank=True)
        rule.add(f"{letters['verdict']}{first}:{letters['verdict']}{last}")
        page.add_data_validation(rule)


# --- reading ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Filled:
    """A row that came back: `cells` texts by column id, "" where a cell is empty; `line` in its sheet."""

    source: str
    sheet: str
    line: int
    cells: Mapping[str, str]

    def number(self, column: str) -> float | None:
        """Return a cell as a number, None where it is none."""
        text = self.cells.get(column, "").replace(",", "").replace("，", "").strip()
        try:
            return float(text) if text else None
        except ValueError:
            return None


def read(path: Path) -> list[Filled]:
    """Return every row of a workbook that stands under headings of the list.

    Raises SwcError ``consultation.no_columns``, ``consultation.formula``, ``consultation.damaged``,
    ``consultation.needs_openpyxl``, ``intake.source_missing`` and what an unsafe archive raises.
    """
    path = Path(path)
    if not path.is_file():
        raise SwcError("intake.source_missing", source=path.name)
    _prove_safe(path)
    openpyxl = load("openpyxl")
    rows: list[Filled] = []
    known = False
    try:
        with archives.damage_told(path.name), closing(openpyxl.load_workbook(path)) as book:
            for page in book.worksheets:
                found = _heading(page)
                if found is not None:
                    known = True
                    rows += _rows(path.name, page, *found)
    except (KeyError, ValueError, TypeError, AttributeError, IndexError, SyntaxError) as error:
        raise SwcError("consultation.damaged", source=path.name, reason=str(error)) from error
    if not known:
        raise SwcError("consultation.no_columns", source=path.name)
    return rows


def _prove_safe(path: Path) -> None:
    """Prove that a workbook is an archive without tricks whose members declare no entities."""
    with archives.damage_told(path.name), zipfile.ZipFile(path) as archive:
        for entry, name in archives.looked_through(archive, path.name):
            if name.endswith((".xml", ".rels")):
                with archive.open(entry) as stream:
                    admission.prove_plain_xml(stream, path.name)


def _heading(page: Any) -> tuple[int, dict[int, str]] | None:
    """Return (row of the headings, column ids by place) of a sheet, None where it is another one."""
    known = _names()
    for line, cells in enumerate(page.iter_rows(max_row=_HEADING_ROWS, values_only=True), start=1):
        at: dict[int, str] = {}
        for place, value in enumerate(cells):
            column = known.get(_folded(value)) if isinstance(value, str) else None
            if column is not None and column not in at.values():
                at[place] = column
        places = set(at.values())
        by_place = {"east", "north"} <= places or {"lon", "lat"} <= places
        if ("group" in places or by_place) and "opinion" in places:
            return line, at
    return None


def _names() -> dict[str, str]:
    """Return column ids by folded heading, in both languages; headings themselves go before aliases."""
    listed = [*words()["columns"], *words()["adoption_columns"]]
    names = {_folded(alias): column for column, aliases in words()["aliases"].items() for alias in aliases}
    return {**names, **{_folded(one[lang]): one["id"] for one in listed for lang in ("zh", "en")}}


def _folded(text: str) -> str:
    return _PLAIN.sub("", text).casefold()


def _rows(source: str, page: Any, line: int, at: Mapping[int, str]) -> Iterator[Filled]:
    blank = 0
    for number, cells in enumerate(page.iter_rows(min_row=line + 1), start=line + 1):
        texts = {
            column: _said(cells[place], source, page.title)
            for place, column in at.items()
            if place < len(cells)
        }
        blank = 0 if any(texts.values()) else blank + 1
        if blank > _BLANK_ROWS:
            return
        if texts.get("group") or texts.get("east") or texts.get("lon"):
            yield Filled(source, page.title, number, texts)


def _said(cell: Any, source: str, sheet: str) -> str:
    value = cell.value
    if cell.data_type in ("f", "e"):
        raise SwcError("consultation.formula", source=source, sheet=sheet, cell=cell.coordinate)
    if value is None:
        return ""
    if isinstance(value, (datetime, date)):
        return value.strftime("%Y-%m-%d")
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()
