# SPDX-License-Identifier: GPL-2.0-or-later
"""The command of the chapter: its tables, charts and documents, every number from the result."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

from swc_zoning.engine import scratch
from swc_zoning.engine.messages import Finding
from swc_zoning.engine.progress import Progress

DONE = 0

#: What is wrong use of the command.
MISUSE = {
    "chapter": frozenset(
        {
            *("redecide.no_result", "order.unreadable", "order.path_missing", "submission.profile_unknown"),
            *("chapter.not_ours", "chapter.edited", "charts.no_comparison", "charts.other_result"),
            "chapter.no_report",
        }
    )
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
    text = "report of the quality check: of validate --json, or the jsonl of a package"
    command.add_argument("--quality", type=Path, metavar="FILE", help=text)
    temp = f"folder for temporary data (default: {scratch.VARIABLE}, else that of the system)"
    command.add_argument("--temp", type=Path, metavar="DIR", help=temp)


def _chapter(options: argparse.Namespace, teller: Any) -> int:
    from swc_zoning.engine.chapter import charts, checked, folder, tables, workbook
    from swc_zoning.engine.chapter.figures import Figures
    from swc_zoning.engine.submission import order

    scratch.use(options.temp)
    asked = order.load(options.settings) if options.settings else None
    folder.check_target(options.output)
    progress = Progress(teller.progress)
    with progress.step("asking", 0.5):
        figures = Figures.of(options.result, asked, options.lang, progress.advance)
    with folder.renewed(options.output) as aside:
        with progress.step("tabulating", 0.25):
            quality = checked.of_file(options.quality) if options.quality else None
            made = tables.made(figures, quality)
            workbook.write(aside / "tables.xlsx", made, figures)
            workbook.write_csv(aside / "tables", made)
        with progress.step("charting", 0.25):
            teller.findings(charts.write(charts.made(figures, options.comparison), aside / "charts"))
        folder.seal(aside, figures.as_json())
    teller.findings([Finding("chapter.maps_need_qgis")])
    names = {"figures": folder.LEDGER, "tables": "tables.xlsx", "csv": "tables", "charts": "charts"}
    teller.result({what: options.output / name for what, name in names.items()})
    return DONE
