# SPDX-License-Identifier: GPL-2.0-or-later
"""The command of the chapter: its documents, tables and charts, every number from the result."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from swc_zoning import vendored
from swc_zoning.engine import scratch
from swc_zoning.engine.chapter import folder
from swc_zoning.engine.messages import LANGUAGES, Finding, SwcError
from swc_zoning.engine.progress import Progress

DONE = 0

#: What is wrong use of the command.
MISUSE = {
    "chapter": frozenset(
        {
            *("redecide.no_result", "order.unreadable", "order.path_missing", "submission.profile_unknown"),
            *("chapter.not_ours", "chapter.edited", "charts.no_comparison", "charts.other_result"),
            *(
                "targets.table",
                "chapter.no_report",
                "chapter.would_remove",
                "documents.no_template",
                "documents.template",
            ),
        }
    )
}

#: What each part is: file or folder by what it is told as.
_FILES = {
    "documents": {"text": "text.docx", "notes": "notes.docx"},
    "tables": {"tables": "tables.xlsx", "csv": "tables"},
    "charts": {"charts": "charts"},
}

#: Makes a command: (commands, name, function, text) -> its parser.
Maker = Callable[..., argparse.ArgumentParser]


def register(commands: Any, make: Maker) -> None:
    """Add the command to a parser."""
    text = "the chapter of a plan: documents, tables and charts, every number linked to a query"
    command = make(commands, "chapter", _chapter, text)
    command.add_argument("result", type=Path, metavar="RESULT", help="folder of a result")
    command.add_argument("--output", type=Path, required=True, metavar="DIR", help="folder of the chapter")
    command.add_argument("--settings", type=Path, metavar="ORDER.json", help="the order of the submission")
    text = "comparison.json of an earlier result with this one: draws what changed"
    command.add_argument("--comparison", type=Path, metavar="FILE", help=text)
    text = "folder of Word templates of your own; the shipped one for each it lacks"
    command.add_argument("--templates", type=Path, metavar="DIR", help=text)
    text = "language of what is written (default: that of --lang)"
    command.add_argument("--language", choices=LANGUAGES, help=text)
    text = "make these parts only (default: all)"
    command.add_argument("--only", nargs="+", choices=folder.PARTS, default=folder.PARTS, help=text)
    text = "report of the quality check: of validate --json, or the jsonl of a package"
    command.add_argument("--quality", type=Path, metavar="FILE", help=text)
    text = "rate.csv of the evaluation (conservationrate): the rate by district and year"
    command.add_argument("--rates", type=Path, metavar="FILE", help=text)
    temp = f"folder for temporary data (default: {scratch.VARIABLE}, else that of the system)"
    command.add_argument("--temp", type=Path, metavar="DIR", help=temp)


def _chapter(options: argparse.Namespace, teller: Any) -> int:
    from swc_zoning.engine.chapter.figures import Figures
    from swc_zoning.engine.submission import order

    scratch.use(options.temp)
    asked = order.load(options.settings) if options.settings else None
    folder.check_target(options.output, options.only)
    if "documents" in options.only:
        _find_libraries()
    progress = Progress(teller.progress)
    with progress.step("asking", 0.5):
        figures = Figures.of(options.result, asked, options.language or options.lang, progress.advance)
    with folder.renewed(options.output, options.only) as aside:
        _write(figures, aside, options, teller, progress)
        folder.seal(aside, figures.as_json())
    teller.findings([Finding("chapter.maps_need_qgis")])
    teller.result({what: options.output / name for what, name in _names(options.only)})
    return DONE


def _find_libraries() -> None:
    """Prove, before anything is computed, that Word documents can be written."""
    try:
        vendored.load("docxtpl")
    except ImportError as error:
        raise SwcError("documents.needs_docxtpl") from error


def _write(figures: Any, aside: Path, options: argparse.Namespace, teller: Any, progress: Progress) -> None:
    """Write the parts asked for; documents show tables and charts, so these come first."""
    from swc_zoning.engine.chapter import charts, checked, documents, rate_series, tables, workbook

    made: Mapping[str, Any] = {}
    with progress.step("tabulating", 0.2):
        if {"tables", "documents"} & set(options.only):
            quality = checked.of_file(options.quality) if options.quality else None
            rates = rate_series.of_file(options.rates) if options.rates else None
            made = tables.made(figures, quality, rates=rates)
        if "tables" in options.only:
            workbook.write(aside / "tables.xlsx", made, figures)
            workbook.write_csv(aside / "tables", made)
    with progress.step("charting", 0.15):
        if "charts" in options.only:
            teller.findings(charts.write(charts.made(figures, options.comparison), aside / "charts"))
    with progress.step("composing", 0.15):
        if "documents" in options.only:
            pictures = aside / "charts" if "charts" in options.only else None
            documents.write(figures, made, aside, pictures, options.templates)


def _names(only: Collection[str]) -> Iterator[tuple[str, str]]:
    """Yield what was written: (what, name of the file or folder)."""
    yield "figures", folder.LEDGER
    for part in folder.PARTS:
        if part in only:
            yield from _FILES[part].items()
