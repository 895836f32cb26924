# SPDX-License-Identifier: GPL-2.0-or-later
"""Reports of a quality check: a workbook for people, a layer of points for maps, lines of JSON for programs.

The first line of JSON is the head ({"what": "quality", "kind": "head", counts, ran, statement, ..}), then a
line for each flaw and for each rule that was not checked. All three are written aside and put in place.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from swc_zoning import vendored
from swc_zoning.engine import claim, formats
from swc_zoning.engine.formats import Batch
from swc_zoning.engine.messages import SwcError, sentence
from swc_zoning.engine.submission import quality
from swc_zoning.engine.submission.quality import Flaw, Report
from swc_zoning.engine.submission.sheets import objects

WHAT = "quality"
#: Names of the three files, by what they are.
FILES = {"xlsx": "质检记录.xlsx", "gpkg": "质检问题.gpkg", "jsonl": "质检问题.jsonl"}
LAYER = "findings"
_CELL_LIMIT = 32_000
_WIDTHS = (8, 8, 12, 22, 12, 60, 50, 14, 8, 14, 14, 30, 30)
_SIGNS = {"E": "severity_e", "W": "severity_w", "I": "severity_i"}


def write(
    report: Report, folder: Path, lang: str = "zh", head: dict[str, Any] | None = None
) -> dict[str, Path]:
    """Write the three reports into `folder`, which is made if need be, and return them by kind.

    `head` goes into the head of the lines (name and profile of the package, say). Raises SwcError
    ``quality_reports.not_ours`` where files of these names are not ours, ``result.unwritable``.
    """
    target = Path(folder).absolute()
    made = {kind: target / name for kind, name in FILES.items()}
    _refuse_foreign(made)
    try:
        with claim.claimed(target), claim.aside(target, target) as aside:
            _write_workbook(aside / FILES["xlsx"], report, lang)
            _write_layer(aside / FILES["gpkg"], report, lang)
            _write_lines(aside / FILES["jsonl"], report, lang, head or {})
            # The lines say whose the files are: they go last.
            for path in made.values():
                (aside / path.name).replace(path)
    except OSError as error:
        raise SwcError("result.unwritable", path=str(folder), reason=error.strerror or str(error)) from error
    return made


def _refuse_foreign(made: dict[str, Path]) -> None:
    there = [path for path in made.values() if os.path.lexists(path)]
    if there and read_head(made["jsonl"]) is None:
        raise SwcError("quality_reports.not_ours", path=str(there[0]))


def read_head(path: Path) -> dict[str, Any] | None:
    """Return the head of lines written here, None where the file holds none."""
    try:
        with Path(path).open(encoding="utf-8") as stream:
            head = json.loads(stream.readline())
    except (OSError, ValueError):
        return None
    return head if isinstance(head, dict) and head.get("what") == WHAT else None


# --- lines -----------------------------------------------------------------------------------------


def _write_lines(path: Path, report: Report, lang: str, head: dict[str, Any]) -> None:
    said = report.as_json(lang)
    flaws, not_checked = said.pop("flaws"), said.pop("not_checked")
    lines = [{"what": WHAT, "kind": "head", **head, **said}]
    lines += [{"kind": "flaw", **one} for one in flaws]
    lines += [{"kind": "not_checked", **one} for one in not_checked]
    with path.open("w", encoding="utf-8", newline="\n") as stream:
        for line in lines:
            stream.write(json.dumps(line, ensure_ascii=False) + "\n")


# --- the layer -------------------------------------------------------------------------------------


def _write_layer(path: Path, report: Report, lang: str) -> None:
    """Write the flaws as points; what has no place is a row without geometry."""
    flaws = report.flaws
    points = np.array([shapely.Point(flaw.place) if flaw.place else None for flaw in flaws], dtype=object)
    texts = (
        "code",
        "severity",
        "title",
        "layer",
        "bsm",
        "field",
        "text",
        "fix",
        "unit",
        "key",
        "file",
        "accepted",
    )
    told = [flaw.as_json(lang) for flaw in flaws]
    table: dict[str, Any] = {name: objects([one[name] for one in told]) for name in texts}
    table["measure"] = np.array([np.nan if one["measure"] is None else one["measure"] for one in told], float)
    wkb = shapely.to_wkb(points) if len(points) else np.empty(0, dtype=object)
    formats.write_table(path, LAYER, [Batch(wkb, table)], "EPSG:4490", "Point")


# --- the workbook ----------------------------------------------------------------------------------


def _write_workbook(path: Path, report: Report, lang: str) -> None:
    book = vendored.load("openpyxl").Workbook(write_only=True)
    _page(book, "summary", _summary(report, lang), lang)
    _page(book, "flaws", _flaws([flaw for flaw in report.flaws if not flaw.accepted], lang), lang)
    _page(book, "accepted", _flaws(report.accepted(), lang), lang)
    unchecked = [
        (one.rule, quality.rules()[one.rule].title(lang), one.sentence(lang)) for one in report.not_checked
    ]
    _page(book, "not_checked", unchecked, lang)
    notes = [sentence("quality.statement", {}, lang), _text("human_only", lang)]
    notes += [f"· {row[lang]}" for row in quality.human_only()]
    _page(book, "notes", [(note,) for note in notes], lang)
    book.save(path)


#: Headings of the pages, by sentences of ``quality_reports.column_*``.
_COLUMNS = {
    "summary": (
        "rule",
        "title",
        "severity",
        "state",
        "errors",
        "warnings",
        "infos",
        "accepted",
        "basis",
        "grade",
    ),
    "flaws": (
        *("rule", "severity", "layer", "bsm", "field", "text", "fix", "measure", "unit", "x", "y"),
        *("file", "reason"),
    ),
    "not_checked": ("rule", "title", "why"),
    "notes": ("note",),
}
_COLUMNS["accepted"] = _COLUMNS["flaws"]
_PAGE_WIDTHS = {
    "summary": (8, 46, 8, 14, 8, 8, 8, 8, 46, 8),
    "not_checked": (8, 46, 80),
    "notes": (110,),
}


def _page(book: Any, name: str, rows: Iterable[Sequence[Any]], lang: str) -> None:
    page = book.create_sheet(_text(f"page_{name}", lang))
    letters = vendored.load("openpyxl.utils").get_column_letter
    for number, width in enumerate(_PAGE_WIDTHS.get(name, _WIDTHS), 1):
        page.column_dimensions[letters(number)].width = width
    page.freeze_panes = "A2"
    page.append([_cell(page, _text(f"column_{column}", lang), bold=True) for column in _COLUMNS[name]])
    for row in rows:
        page.append([_cell(page, value) for value in row])


def _cell(page: Any, value: Any, bold: bool = False) -> Any:
    """Return a cell: a number as it is, all else as text that no program runs as a formula."""
    openpyxl = vendored.load("openpyxl")
    cell = vendored.load("openpyxl.cell").WriteOnlyCell(page)
    if isinstance(value, (int, float)):
        cell.value = value
        return cell
    # Control characters cannot be in a workbook; broken text is told of with them left out.
    if value is None or value == "":
        return None
    text = "".join(sign for sign in str(value) if sign >= " " or sign in "\n\t")[:_CELL_LIMIT]
    cell.value = text.encode("utf-8", "replace").decode("utf-8")
    cell.data_type = "s"
    cell.alignment = openpyxl.styles.Alignment(wrap_text=True, vertical="top")
    if bold:
        cell.font = openpyxl.styles.Font(bold=True)
    return cell


def _summary(report: Report, lang: str) -> Iterator[tuple[Any, ...]]:
    """Yield one row a rule: what became of it."""
    found: Counter[tuple[str, str]] = Counter((flaw.code, flaw.severity) for flaw in report.flaws)
    accepted = Counter(flaw.code for flaw in report.accepted())
    partly = {one.rule for one in report.not_checked}
    for rule in quality.rules().values():
        counts = [found[rule.id, severity] for severity in quality.SEVERITIES]
        ran = rule.id in report.ran
        state = "flawed" if sum(counts) else _state(ran, rule.id in partly)
        numbers = counts if ran else ["", "", ""]
        severity, basis = _text(_SIGNS[rule.severity], lang), rule.basis(lang)
        yield (
            rule.id,
            rule.title(lang),
            severity,
            _text(f"state_{state}", lang),
            *numbers,
            accepted[rule.id],
            basis,
            rule.grade,
        )


def _state(ran: bool, partly: bool) -> str:
    """Return the state of a rule that found nothing."""
    if not ran:
        return "skipped"
    return "partly" if partly else "passed"


def _flaws(flaws: Iterable[Flaw], lang: str) -> Iterator[tuple[Any, ...]]:
    for flaw in flaws:
        measure = "" if flaw.measure is None else flaw.measure
        head = (flaw.code, _text(_SIGNS[flaw.severity], lang), flaw.layer, flaw.bsm, flaw.field)
        place = flaw.place or ("", "")
        yield *head, flaw.sentence(lang), flaw.fix(lang), measure, flaw.unit, *place, flaw.file, flaw.accepted


def _text(name: str, lang: str) -> str:
    return sentence(f"quality_reports.{name}", {}, lang)
