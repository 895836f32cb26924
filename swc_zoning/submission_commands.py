# SPDX-License-Identifier: GPL-2.0-or-later
"""Commands of the submission: packages, coordinate lists, consultation."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from swc_zoning import validate_command
from swc_zoning.engine import reports, scratch
from swc_zoning.engine.progress import Progress

DONE = 0

#: What is wrong use of these commands.
MISUSE = {
    "export": frozenset(
        {
            *("written.no_result", "order.unreadable", "order.path_missing", "submission.profile_unknown"),
            *("package.not_ours", "accepted.unreadable", "delivery.nothing", "delivery.other_result"),
        }
    ),
    "coordinates": frozenset(
        {
            *("intake.source_missing", "coordinates.option", "coordinates.exists", "coordinates.no_field"),
            "cli.unreadable",
        }
    ),
    "validate": validate_command.MISUSE,
    "consult": frozenset(
        {
            *("written.no_result", "derived.not_ours", "intake.source_missing", "cli.unreadable"),
            *("consultation.setting", "consultation.edited"),
        }
    ),
}

#: Makes a command: (commands, name, function, text) -> its parser.
Maker = Callable[..., argparse.ArgumentParser]


def register(commands: Any, make: Maker) -> None:
    """Add the commands of the submission to a parser."""
    _export_command(commands, make)
    _coordinates_command(commands, make)
    validate_command.register(commands, make)
    _consult_command(commands, make)


def _takes_temp(command: argparse.ArgumentParser) -> None:
    text = f"folder for temporary data (default: {scratch.VARIABLE}, else that of the system)"
    command.add_argument("--temp", type=Path, metavar="DIR", help=text)


def _export_command(commands: Any, make: Maker) -> None:
    command = make(commands, "export", _export, "pack a result as the submission, checked and sealed")
    command.add_argument("result", type=Path, metavar="RESULT", help="folder of a result")
    command.add_argument("--output", type=Path, required=True, metavar="DIR", help="folder of packages")
    command.add_argument("--profile", metavar="ID", help="profile of the submission (default: of the order)")
    stages = ("draft", "consultation", "review", "approval", "approved")
    command.add_argument("--stage", choices=stages, help="stage of the plan (default: of the order)")
    command.add_argument("--settings", type=Path, metavar="ORDER.json", help="the order, all that is asked")
    text = "earlier package: its identifiers and reasons are taken over"
    command.add_argument("--register", type=Path, metavar="PACKAGE", help=text)
    command.add_argument("--accept", type=Path, metavar="FILE.json", help="accepted warnings with reasons")
    text = "folder of the chapter of this result: its documents, tables and maps go along"
    command.add_argument("--chapter", type=Path, metavar="DIR", help=text)
    command.add_argument("--no-public", action="store_true", help="write no public edition")
    _takes_temp(command)


def _coordinates_command(commands: Any, make: Maker) -> None:
    text = "coordinate list texts of polygons: X north first, hectares of the official area"
    command = make(commands, "coordinates", _coordinates, text)
    source = "file of polygons, folder of a result (its pieces) or of a package"
    command.add_argument("source", metavar="SOURCE", help=source)
    command.add_argument("--layer", metavar="NAME", help="layer of a source that has several")
    command.add_argument("--output", type=Path, required=True, metavar="TXT|DIR", help="DIR with --split")
    command.add_argument("--crs", metavar="EPSG:CODE", help="of the coordinates")
    command.add_argument("--zone-prefix", choices=("crs", "with", "without"), help="in front of eastings")
    command.add_argument("--encoding", choices=("GBK", "UTF-8"))
    command.add_argument("--line-end", choices=("CRLF", "LF"))
    command.add_argument("--count", choices=("with_closing", "without_closing"), help="of points")
    command.add_argument("--numbering", choices=("patch", "ring"), help="through the patch or anew each ring")
    command.add_argument("--point-prefix", metavar="LETTERS", help="of point names (default J)")
    command.add_argument("--attributes", type=int, choices=(8, 7), help="fields before the @")
    command.add_argument("--names", choices=("replace", "refuse"), help="with signs of the grammar in them")
    command.add_argument("--decimals", type=int, metavar="N", help="of coordinates (default 3)")
    command.add_argument("--split", action="store_true", help="one file a patch")
    command.add_argument("--degrees", action="store_true", help="a table with degrees, minutes, seconds too")
    command.add_argument("--unit", metavar="NAME", help="who made the data")
    command.add_argument("--date", metavar="YYYYMMDD", help="of the data")
    for use in ("no", "name", "use", "land-class", "sheet"):
        command.add_argument(f"--{use}-field", metavar="FIELD")
    command.add_argument("--settings", type=Path, metavar="JSON", help="options as a document; flags win")
    command.add_argument("--replace", action="store_true", help="files that are there")
    _takes_temp(command)


def _export(options: argparse.Namespace, teller: Any) -> int:
    from swc_zoning.engine.submission import contents, package

    scratch.use(options.temp)
    asked, schema = _order(options)
    package.check_target(asked, schema, options.output)
    extras = _chapter_of(options)
    progress = Progress(teller.progress)
    made = contents.of_result(options.result, asked, schema, progress)
    teller.findings(made.findings)
    files = package.write(made, asked, schema, options.output, progress, options.lang, extras)
    teller.findings(files.findings)
    shown = {"public": files.public} if files.public else {}
    kinds = {"report": "xlsx", "findings": "gpkg", "lines": "jsonl"}
    reports = {what: files.reports[kind] for what, kind in kinds.items()}
    teller.result({"package": files.package, **shown, **reports})
    return DONE


def _order(options: argparse.Namespace) -> tuple[Any, Any]:
    """Return the order of an export, named, and the schema it is made after."""
    from swc_zoning.engine import written
    from swc_zoning.engine.submission import accepted, order, schemas

    document = written.summary_of(options.result)
    changes: dict[str, Any] = {"profile": options.profile, "stage": options.stage}
    changes["register"] = str(options.register.absolute()) if options.register else None
    changes["public"] = False if options.no_public else None
    asked = order.load(options.settings, **changes)
    if options.accept:
        asked = replace(asked, accept=(*asked.accept, *accepted.of_file(options.accept)))
    schema = schemas.load(asked.profile, written.table_of(options.result, document))
    return order.named(asked, schema, [str(row["district_code"]) for row in document["by_district"]]), schema


def _chapter_of(options: argparse.Namespace) -> dict[str, list[Path]]:
    """Return what the package takes of a chapter, by part of the package."""
    from swc_zoning.engine import written
    from swc_zoning.engine.chapter import delivery

    if options.chapter is None:
        return {}
    return delivery.extras(options.chapter, written.summary_of(options.result)["content_sha256"])


def _coordinates(options: argparse.Namespace, teller: Any) -> int:
    from swc_zoning.engine.submission import coordinates

    scratch.use(options.temp)
    asked = coordinates.options_of(_settings(options, coordinates.Options.__dataclass_fields__))
    progress = Progress(teller.progress)
    with progress.step("reading", 0.3):
        patches = coordinates.read(options.source, options.layer, asked)
    with progress.step("listing", 0.3):
        listing = coordinates.listed(patches, asked)
    teller.findings(listing.findings)
    with progress.step("writing", 0.4):
        files = coordinates.write(listing, options.output, options.replace)
    what = files[0].parent if asked.split else files[0]
    teller.result({"coordinates": what})
    return DONE


def _settings(options: argparse.Namespace, known: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of a document with what the command line says in their place."""
    given = reports.read_object(options.settings) if options.settings else {}
    said = {name: getattr(options, name, None) for name in known}
    # Zero decimals and no prefix at all are said; a switch that was not set says nothing.
    return {
        **given,
        **{name: value for name, value in said.items() if value is not None and value is not False},
    }


def _consult_command(commands: Any, make: Maker) -> None:
    text = "ask departments about the conflicts of a result, or take in what they replied"
    command = make(commands, "consult", _consult, text)
    command.add_argument("result", type=Path, metavar="RESULT", help="folder of a result")
    command.add_argument("--output", type=Path, required=True, metavar="DIR")
    command.add_argument(
        "--replies", type=Path, nargs="+", default=(), metavar="XLSX", help="lists that came back filled in"
    )
    command.add_argument(
        "--settings", type=Path, metavar="JSON", help="plan, compiler, letter number, dates, contact, names"
    )
    groupings = ("auto", "features", "districts")
    command.add_argument("--grouping", choices=groupings, default="auto", help="of conflicts into rows")
    command.add_argument("--department", default="", metavar="ID", help="only what concerns this one")
    _takes_temp(command)


def _consult(options: argparse.Namespace, teller: Any) -> int:
    from swc_zoning.engine.submission import consultation, replies

    scratch.use(options.temp)
    facts = consultation.facts_of(reports.read_object(options.settings) if options.settings else {})
    given = {"facts": facts, "lang": options.lang, "grouping": options.grouping}
    given["progress"] = Progress(teller.progress)
    if options.replies:
        made = replies.record(options.result, options.replies, options.output, **given)
    else:
        made = consultation.prepare(options.result, options.output, department=options.department, **given)
    teller.findings(made.findings)
    teller.result(made.files)
    return DONE
