# SPDX-License-Identifier: GPL-2.0-or-later
"""The command ``validate``: the quality check of a package, made here or elsewhere.

Exit status: 0 no errors, 1 errors; with ``--progress json`` 0 as soon as the reports are told, since what is
wrong with a package is the answer and no failure of the question.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from swc_zoning.engine import scratch
from swc_zoning.engine.progress import Progress

DONE, ERRORS = 0, 1
#: What is wrong use of it.
MISUSE = frozenset(
    {
        *("opening.missing", "opening.no_package", "opening.too_many", "submission.profile_unknown"),
        *("accepted.unreadable", "quality_reports.not_ours"),
    }
)


def register(commands: Any, make: Callable[..., argparse.ArgumentParser]) -> None:
    """Add the command to a parser; `make` is (commands, name, function, text) -> its parser."""
    text = "check a package of the submission: a folder, a zip, a .gdb or a .gpkg"
    command = make(commands, "validate", _validate, text)
    command.add_argument("package", type=Path, metavar="PATH", help="folder, zip, .gdb or .gpkg")
    command.add_argument("--profile", metavar="ID", help="profile of the submission (default: META's)")
    command.add_argument("--accept", type=Path, metavar="FILE.json", help="accepted warnings with reasons")
    command.add_argument("--output", type=Path, metavar="DIR", help="write the reports here")
    command.add_argument("--json", action="store_true", help="print the report as one JSON document")
    temp = f"folder for temporary data (default: {scratch.VARIABLE}, else that of the system)"
    command.add_argument("--temp", type=Path, metavar="DIR", help=temp)


def _validate(options: argparse.Namespace, teller: Any) -> int:
    from swc_zoning.engine.submission import accepted, opening, quality, quality_reports

    scratch.use(options.temp)
    given = accepted.of_file(options.accept) if options.accept else []
    progress = Progress(teller.progress)
    with opening.opened(options.package, options.profile) as package:
        with progress.step("checking", 0.95):
            report = quality.check(package, [*given, *accepted.of_package(package)], progress)
        head = {"name": package.name, "profile": package.profile, "stage": package.meta.get("stage", "")}
        main = package.main.name if package.main else ""
        head = {**head, "code": package.code, "main": main, "crs": "EPSG:4490"}
    files = {}
    if options.output:
        with progress.step("writing", 0.05):
            made = quality_reports.write(report, options.output, options.lang, head)
        files = {"report": made["xlsx"], "findings": made["gpkg"], "lines": made["jsonl"]}
    if options.json:
        print(json.dumps({**head, **report.as_json(options.lang)}, ensure_ascii=False, indent=1))
        return ERRORS if report.errors() else DONE
    if options.progress == "json":
        teller.result(files)
        return DONE
    _print(report, options.lang)
    teller.result(files)
    return ERRORS if report.errors() else DONE


def _print(report: Any, lang: str) -> None:
    """Print the flaws one a line, then how many there are, to stderr."""
    for flaw in report.flaws:
        where = " ".join(part for part in (flaw.layer, flaw.bsm, flaw.field) if part)
        mark = f"{flaw.severity}{'*' if flaw.accepted else ' '}"
        print(f"{mark} {flaw.code} [{where}] {flaw.sentence(lang)}", file=sys.stderr)
    for one in report.not_checked:
        print(f"-  {one.rule} {one.sentence(lang)}", file=sys.stderr)
    counts = report.counts()
    print("  ".join(f"{name} {number}" for name, number in counts.items()), file=sys.stderr)
