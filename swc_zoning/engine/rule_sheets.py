# SPDX-License-Identifier: GPL-2.0-or-later
"""Decision tables as XLSX workbooks that a planner edits, and back, exactly.

Columns are the keys of ``rules.schema.json``, their names and the words of their values those of
``resources/rule_sheets.json``. What is written is read back before it counts as written; what is read
is told by sheet, row and column where it is wrong. Text that a spreadsheet would run as a formula is
written as text (CWE-1236), and formulas are refused: their value is not what is stored.
"""

from __future__ import annotations

import os
import re
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import date, datetime
from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path
from typing import Any

from swc_zoning import vendored
from swc_zoning.engine import admission, archives, rule_words
from swc_zoning.engine.cells import guarded
from swc_zoning.engine.messages import Blocked, Finding, SwcError
from swc_zoning.engine.schema import check_document, shipped_schema

Row = Mapping[str, Any]

#: Lists of rows, by key of the document and name of the definition in the schema.
_TABLES = {
    "zones": "zone",
    "rules": "rule",
    "measures": "measure",
    "conflicts": "conflict",
    "acts": "act",
    "control_levels": None,
}
#: Objects of the document shown as a sheet of one row.
_OBJECTS = ("grade", "zone_codes")
_PAIRS = {"aliases": ("role", "word", "tier"), "unknown_counts_as": ("role", "tier")}
#: Keys of columns that hold conditions.
CONDITIONS = {"any_of", "all_of", "unless", "none_of", "withheld_where", "grade_one_where"}
_DATES = {"valid_from", "valid_to", "as_of"}
_WIDE = CONDITIONS | {"basis", "basis_text", "text_zh", "text_en", "settling_rule", "settling_rule_en"}
_CELL_LIMIT = 32767
_BLANK_ROWS = 200
_HEADINGS = 1


@dataclass(frozen=True)
class Column:
    """A column of a sheet: its key in the document, and whether a row must or may have null in it."""

    key: str
    required: bool
    nullable: bool
    number: bool

    def title(self, lang: str) -> str:
        """Return the heading."""
        return rule_words.vocabulary()["columns"][self.key][_index(lang)]


@dataclass
class _Reading:
    """What has been read of a workbook, with where each part of the document stands."""

    findings: list[Finding] = field(default_factory=list)
    document: dict[str, Any] = field(default_factory=dict)
    #: JSON path of a row -> (sheet, row number, heading by key)
    places: dict[str, tuple[str, int, Mapping[str, str]]] = field(default_factory=dict)


def _index(lang: str) -> int:
    return 0 if lang == "zh" else 1


@lru_cache(maxsize=16)
def columns(sheet: str) -> tuple[Column, ...]:
    """Return the columns of a sheet by its key, in the order of the schema."""
    schema = shipped_schema("rules")
    if sheet in _PAIRS:
        return tuple(Column(key, True, False, False) for key in _PAIRS[sheet])
    if sheet == "head":
        kept = set(_TABLES) | set(_OBJECTS)
        node = {**schema, "properties": {k: v for k, v in schema["properties"].items() if k not in kept}}
    elif _TABLES.get(sheet):
        node = schema["$defs"][_TABLES[sheet]]
    else:
        node = schema["properties"][sheet]
        node = node.get("items", node)
    return tuple(_column(key, part, node.get("required", ())) for key, part in node["properties"].items())


def _column(key: str, part: Row, required: Sequence[str]) -> Column:
    definition = shipped_schema("rules")["$defs"].get(str(part.get("$ref", "")).rpartition("/")[2], part)
    kinds = definition.get("type", "")
    numbers = part.get("type") == "integer" or key in ("schema", "otherwise")
    return Column(key, key in required, "null" in kinds if isinstance(kinds, list) else False, numbers)


# --- writing ---------------------------------------------------------------------------------------


def write(document: Row, path: Path, lang: str = "zh") -> None:
    """Write a decision table as a workbook; an older file at `path` stays until the new one is proved.

    Raises Blocked where the document departs from the schema, SwcError ``rule_sheets.needs_openpyxl``,
    ``rule_sheets.too_long``, ``rule_sheets.unwritable`` or ``rule_sheets.not_told``.
    """
    findings = check_document(document, "rules")
    if findings:
        raise Blocked(findings)
    book = _book(document, lang)
    path = Path(path)
    aside = path.with_name(f".{os.getpid()}.{path.name}")
    try:
        book.save(aside)
        if rule_words.canonical(read(aside)) != rule_words.canonical(document):
            raise SwcError("rule_sheets.not_told", path=str(path))
        aside.replace(path)
    except OSError as error:
        raise SwcError("rule_sheets.unwritable", path=str(path), reason=error.strerror or "") from error
    finally:
        aside.unlink(missing_ok=True)


def _openpyxl() -> Any:
    try:
        return vendored.load("openpyxl")
    except ImportError as error:
        raise SwcError("rule_sheets.needs_openpyxl") from error


def _book(document: Row, lang: str) -> Any:
    book = _openpyxl().Workbook()
    book.remove(book.active)
    acts, zones = document.get("acts", ()), document["zones"]

    def put(sheet: str, rows: Sequence[Row]) -> None:
        _put_sheet(book, sheet, rows, Cells(acts, zones, lang))

    for sheet in ("zones", "rules", "measures", "conflicts", "acts", "control_levels"):
        if sheet in document:
            put(sheet, document[sheet])
    for sheet in _OBJECTS:
        if sheet in document:
            put(sheet, [document[sheet]])
    for sheet, pairs in _tier_rows(document).items():
        put(sheet, pairs)
    _put_head(book, document, lang)
    _put_about(book, lang)
    return book


def _tier_rows(document: Row) -> dict[str, list[Row]]:
    """Return the sheets of tier words; none where they could not say all of it (a role without words)."""
    tiers = document.get("tiers", {})
    if not _told_in_rows(tiers):
        return {}
    rows: dict[str, list[Row]] = {}
    if "aliases" in tiers:
        rows["aliases"] = [
            {"role": role, "word": word, "tier": tier}
            for role, words in tiers["aliases"].items()
            for word, tier in words.items()
        ]
    if "unknown_counts_as" in tiers:
        stand_ins = tiers["unknown_counts_as"].items()
        rows["unknown_counts_as"] = [{"role": role, "tier": tier} for role, tier in stand_ins]
    return rows


def _told_in_rows(tiers: Row) -> bool:
    return bool(tiers) and all(tiers.get("aliases", {}).values())


@dataclass(frozen=True)
class Cells:
    """Values of a decision table as the text of cells, and back; acts and zones are those of the table."""

    acts: Sequence[Row]
    zones: Sequence[Row]
    lang: str = "zh"

    def text(self, column: Column, value: Any) -> str | int:
        """Return a value as a cell shows it."""
        key = column.key
        if value is None:
            return "" if column.required else self.word("open")
        if isinstance(value, bool):
            return rule_words.write_word("flag", str(value).lower(), self.lang)
        if key in rule_words.vocabulary()["words"] and key != "open":
            return rule_words.write_word(key, value, self.lang)
        if column.number:
            return int(value)
        return self._written(key, value)

    def word(self, name: str) -> str:
        """Return a single word."""
        return rule_words.vocabulary()["words"][name][_index(self.lang)]

    def _written(self, key: str, value: Any) -> str:
        if key in CONDITIONS:
            return rule_words.write_conditions(value, self.lang)
        if key == "basis":
            return rule_words.write_basis(value, self.acts, self.lang)
        if key == "zone":
            return rule_words.write_zone(value, self.zones, self.lang)
        if key in _WRITERS:
            return _WRITERS[key](value, self.lang)
        return rule_words.write_text(value) if isinstance(value, str) else rule_words.canonical(value)

    def value(self, column: Column, text: str) -> Any:
        """Return the value of the text of a cell that is not empty. Raises SwcError with what is wrong."""
        key = column.key
        if column.nullable and text in rule_words.vocabulary()["words"]["open"]:
            return None
        if key in ("fallback", "absence"):
            return rule_words.read_word("flag", text) == "true"
        if key in rule_words.vocabulary()["words"] and key != "open":
            return rule_words.read_word(key, text)
        if column.number:
            return _number(text)
        return self._read(key, text)

    def _read(self, key: str, text: str) -> Any:
        if key in CONDITIONS:
            return rule_words.read_conditions(text)
        if key == "basis":
            return rule_words.read_basis(text, self.acts)
        if key == "zone":
            return rule_words.read_zone(text, self.zones)
        if key == "tiers":
            return rule_words.from_json(text)
        return _READERS[key](text) if key in _READERS else rule_words.read_text(text)


_WRITERS: dict[str, Callable[[Any, str], str]] = {
    "measures": rule_words.write_ids,
    "bans": rule_words.write_bans,
    "roles_at_least": rule_words.write_roles_at_least,
    "distinct_tiers_at_least": rule_words.write_tiers_at_least,
    "to_check": rule_words.write_to_check,
}
_READERS: dict[str, Callable[[str], Any]] = {
    "measures": rule_words.read_ids,
    "bans": rule_words.read_bans,
    "roles_at_least": rule_words.read_roles_at_least,
    "distinct_tiers_at_least": rule_words.read_tiers_at_least,
    "to_check": rule_words.read_to_check,
}


def _number(text: str) -> int:
    if not re.fullmatch(r"\d{1,9}", text):
        raise SwcError("rule_sheets.number", text=text)
    return int(text)


def _put_sheet(book: Any, sheet: str, rows: Sequence[Row], teller: Cells) -> None:
    shown = columns(sheet)
    page = _page(book, sheet, [column.title(teller.lang) for column in shown], teller.lang)
    for number, row in enumerate(rows, start=_HEADINGS + 1):
        for place, column in enumerate(shown, start=1):
            if column.key in row:
                _put(page, number, place, teller.text(column, row[column.key]))
    for place, column in enumerate(shown, start=1):
        letter = page.cell(1, place).column_letter
        page.column_dimensions[letter].width = 48 if column.key in _WIDE else 16
        _offer(page, letter, column, teller)


def _put_head(book: Any, document: Row, lang: str) -> None:
    page = _page(
        book, "head", ["项目" if lang == "zh" else "Item", "内容" if lang == "zh" else "Value"], lang
    )
    teller = Cells((), (), lang)
    told = [column for column in columns("head") if column.key in document and column.key != "tiers"]
    for number, column in enumerate(told, start=_HEADINGS + 1):
        _put(page, number, 1, column.title(lang))
        _put(page, number, 2, teller.text(column, document[column.key]))
    if "tiers" in document and not _told_in_rows(document["tiers"]):
        number = page.max_row + 1
        _put(page, number, 1, next(c for c in columns("head") if c.key == "tiers").title(lang))
        _put(page, number, 2, rule_words.canonical(document["tiers"]))
    page.column_dimensions["A"].width, page.column_dimensions["B"].width = 24, 100
    book.move_sheet(page, -len(book.sheetnames))


def _put_about(book: Any, lang: str) -> None:
    page = book.create_sheet(_sheet_title("about", lang), 0)
    for number, note in enumerate(rule_words.vocabulary()["about"], start=1):
        _put(page, number, 1, note[_index(lang)])
    page.column_dimensions["A"].width = 120


def _sheet_title(sheet: str, lang: str) -> str:
    return rule_words.vocabulary()["sheets"][sheet][_index(lang)]


def _page(book: Any, sheet: str, headings: Sequence[str], lang: str) -> Any:
    styles = _openpyxl().styles
    page = book.create_sheet(_sheet_title(sheet, lang))
    for place, heading in enumerate(headings, start=1):
        cell = page.cell(1, place, heading)
        cell.font = styles.Font(bold=True)
    page.freeze_panes = "B2"
    return page


def _put(page: Any, row: int, place: int, value: str | int) -> None:
    if value == "":
        return
    cell = page.cell(row, place)
    if isinstance(value, int):
        cell.value = value
        return
    if len(value) > _CELL_LIMIT:
        heading = page.cell(1, place).value or ""
        raise SwcError("rule_sheets.too_long", sheet=page.title, row=row, column=heading, limit=_CELL_LIMIT)
    cell.value = value
    # Whatever it begins with, it is text: a program that opens the file must not run it.
    cell.data_type = "s"
    cell.number_format = "@"
    cell.quotePrefix = guarded(value) != value
    cell.alignment = _openpyxl().styles.Alignment(wrap_text=True, vertical="top")


def _offer(page: Any, letter: str, column: Column, teller: Cells) -> None:
    """Let the spreadsheet offer the words that a column takes."""
    words = rule_words.vocabulary()["words"]
    kind = "flag" if column.key in ("fallback", "absence") else column.key
    if kind not in words or not isinstance(words[kind], dict):
        return
    listed = ",".join(names[_index(teller.lang)] for names in words[kind].values())
    validation = vendored.load("openpyxl.worksheet.datavalidation").DataValidation
    offered = validation(type="list", formula1=f'"{listed}"', allow_blank=True)
    offered.add(f"{letter}2:{letter}1000")
    page.add_data_validation(offered)


# --- reading ---------------------------------------------------------------------------------------


def read(path: Path) -> dict[str, Any]:
    """Return the decision table of a workbook; `rules.check` is yet to be asked about its content.

    Raises Blocked with a finding for each cell that is wrong (``rule_sheets.*``, with sheet, row and
    column), SwcError ``rule_sheets.unreadable`` or ``rule_sheets.needs_openpyxl`` and what an unsafe
    archive raises.
    """
    path = Path(path)
    _prove_safe(path)
    openpyxl = _openpyxl()
    try:
        with closing(openpyxl.load_workbook(path)) as book:
            reading = _read_book(book)
    except (OSError, KeyError, ValueError, TypeError, AttributeError, IndexError, SyntaxError) as error:
        raise SwcError("rule_sheets.unreadable", path=path.name, reason=str(error)) from error
    if not reading.findings:
        reading.findings = [_located(one, reading) for one in check_document(reading.document, "rules")]
    if reading.findings:
        raise Blocked(reading.findings)
    return reading.document


def _prove_safe(path: Path) -> None:
    if not path.is_file() or not zipfile.is_zipfile(path):
        raise SwcError("rule_sheets.no_workbook", path=path.name)
    try:
        _prove_plain(path)
    except SwcError as error:
        # Sentences about sources of a job name a layer: this file is none of a job.
        raise SwcError(error.code, **{"layer": path.name, **error.facts}) from error


def _prove_plain(path: Path) -> None:
    with archives.damage_told(path.name), zipfile.ZipFile(path) as archive:
        for entry, name in archives.looked_through(archive, path.name):
            if name.endswith((".xml", ".rels")):
                with archive.open(entry) as stream:
                    admission.prove_plain_xml(stream, path.name)


def _read_book(book: Any) -> _Reading:
    reading = _Reading()
    pages = _pages(book, reading)
    for sheet in ("head", "zones", "rules"):
        if sheet not in pages:
            names = "/".join(rule_words.vocabulary()["sheets"][sheet])
            reading.findings.append(Finding("rule_sheets.sheet_missing", {"sheet": names}))
    # Acts and zones first: others name them.
    for sheet in sorted(pages, key=lambda one: one not in ("acts", "zones")):
        _read_page(sheet, pages[sheet], reading)
    return reading


def _pages(book: Any, reading: _Reading) -> dict[str, Any]:
    known = {
        word.casefold(): sheet
        for sheet, words in rule_words.vocabulary()["sheets"].items()
        for word in (sheet, *words)
    }
    pages: dict[str, Any] = {}
    for page in book.worksheets:
        sheet = known.get(page.title.strip().casefold())
        if sheet is None or sheet in pages:
            code = "rule_sheets.sheet_twice" if sheet else "rule_sheets.sheet_unknown"
            reading.findings.append(Finding(code, {"sheet": page.title}))
        elif sheet != "about":
            pages[sheet] = page
    return pages


def _read_page(sheet: str, page: Any, reading: _Reading) -> None:
    if sheet == "head":
        _read_head(page, reading)
        return
    rows = _read_rows(sheet, page, reading)
    if sheet in _PAIRS:
        _keep_pairs(sheet, rows, reading)
    elif sheet in _OBJECTS:
        reading.document[sheet] = rows[0] if rows else {}
        if len(rows) > 1:
            reading.findings.append(Finding("rule_sheets.one_row", {"sheet": page.title}))
    else:
        reading.document[sheet] = rows


def _read_rows(sheet: str, page: Any, reading: _Reading) -> list[dict[str, Any]]:
    shown = _headings(sheet, page, reading)
    teller = Cells(reading.document.get("acts", ()), reading.document.get("zones", ()))
    rows = []
    for number, cells in _filled(page):
        path = f"$.{sheet}" if sheet in _OBJECTS else f"$.{sheet}[{len(rows)}]"
        titles = {column.key: page.cell(1, place + 1).value for place, column in shown.items()}
        reading.places[path] = (page.title, number, titles)
        rows.append(_row(page, number, cells, shown, teller, reading))
    return rows


def _row(
    page: Any,
    number: int,
    cells: Sequence[Any],
    shown: Mapping[int, Column],
    teller: Cells,
    reading: _Reading,
) -> dict[str, Any]:
    row = {}
    for place, column in shown.items():
        try:
            text = _text(cells[place]) if place < len(cells) else ""
            if text:
                row[column.key] = teller.value(column, text)
            elif column.required and (column.nullable or column.key in CONDITIONS | {"measures"}):
                row[column.key] = None if column.nullable else []
        except SwcError as error:
            heading = page.cell(1, place + 1).value
            reading.findings.append(_wrong(page.title, number, heading, error))
    return row


def _wrong(sheet: str, row: int, column: str, error: SwcError | Finding) -> Finding:
    reasons = {f"reason_{lang}": error.sentence(lang) for lang in ("zh", "en")}
    facts = {"sheet": sheet, "row": row, "column": column, **reasons}
    return Finding(
        "rule_sheets.formula" if error.code == "rule_sheets.formula" else "rule_sheets.cell", facts
    )


def _headings(sheet: str, page: Any, reading: _Reading) -> dict[int, Column]:
    """Return the columns of a page by place, from 0; says of headings that are unknown, double or missing."""
    named = {
        name.casefold(): column
        for column in columns(sheet)
        for name in (column.key, *rule_words.vocabulary()["columns"][column.key])
    }
    shown: dict[int, Column] = {}
    for place, cell in enumerate(next(page.iter_rows(min_row=1, max_row=1), ())):
        heading = str(cell.value).strip() if cell.value is not None else ""
        column = named.get(heading.casefold())
        if column is not None and column not in shown.values():
            shown[place] = column
        elif heading:
            code = "rule_sheets.column_twice" if column else "rule_sheets.column_unknown"
            nearest = get_close_matches(heading, [one.title("zh") for one in columns(sheet)], 1, 0.0)
            facts = {"sheet": page.title, "column": heading, "letter": cell.column_letter}
            reading.findings.append(
                Finding(code, {**facts, "nearest": nearest[0]} if column is None else facts)
            )
    missing = [one for one in columns(sheet) if one.required and one not in shown.values()]
    for one in missing:
        names = "/".join(rule_words.vocabulary()["columns"][one.key])
        reading.findings.append(Finding("rule_sheets.column_missing", {"sheet": page.title, "column": names}))
    return shown


def _filled(page: Any) -> Iterator[tuple[int, tuple[Any, ...]]]:
    """Yield (row number, cells) of the rows that hold anything."""
    blank = 0
    for number, cells in enumerate(page.iter_rows(min_row=_HEADINGS + 1), start=_HEADINGS + 1):
        if any(cell.value is not None and str(cell.value).strip() for cell in cells):
            blank = 0
            yield number, cells
            continue
        blank += 1
        if blank > _BLANK_ROWS:
            return


def _text(cell: Any) -> str:
    """Return the text of a cell. Raises SwcError ``rule_sheets.formula``, ``rule_sheets.error_value``."""
    value = cell.value
    if cell.data_type == "f":
        raise SwcError("rule_sheets.formula", sheet="", row=0, column="", reason_zh="", reason_en="")
    if cell.data_type == "e":
        raise SwcError("rule_sheets.error_value", text=str(value))
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, (datetime, date)):
        return value.strftime("%Y-%m-%d")
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()


def _read_head(page: Any, reading: _Reading) -> None:
    named = {
        name.casefold(): column
        for column in columns("head")
        for name in (column.key, *rule_words.vocabulary()["columns"][column.key])
    }
    teller = Cells((), ())
    for number, cells in _filled(page):
        name = str(cells[0].value or "").strip()
        column = named.get(name.casefold())
        if column is None:
            facts = {"sheet": page.title, "row": number, "item": name}
            reading.findings.append(Finding("rule_sheets.item_unknown", facts))
            continue
        try:
            text = _text(cells[1]) if len(cells) > 1 else ""
            if text or column.nullable:
                reading.document[column.key] = teller.value(column, text) if text else None
        except SwcError as error:
            reading.findings.append(_wrong(page.title, number, name, error))
        reading.places[f"$.{column.key}"] = (page.title, number, {})


def _keep_pairs(sheet: str, rows: Sequence[Row], reading: _Reading) -> None:
    kept: dict[str, Any] = {}
    for row in rows:
        if set(row) == set(_PAIRS[sheet]):
            role = row["role"]
            if sheet == "aliases":
                kept.setdefault(role, {})[row["word"]] = row["tier"]
            else:
                kept[role] = row["tier"]
    reading.document.setdefault("tiers", {})[sheet] = kept


def _located(finding: Finding, reading: _Reading) -> Finding:
    """Return a finding about a path of the document as one about a cell."""
    path = finding.facts.get("path", "$")
    parts = re.match(r"(\$\.\w+(?:\[\d+\])?)(?:\.(\w+))?", path)
    begin = parts[1] if parts else "$"
    sheet, row, titles = reading.places.get(begin, ("-", 0, {}))
    key = (parts[2] if parts else "") or str(finding.facts.get("key", ""))
    return _wrong(sheet, row, titles.get(key) or key or "-", finding)
