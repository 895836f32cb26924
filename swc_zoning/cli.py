# SPDX-License-Identifier: GPL-2.0-or-later
"""The command line: run and check jobs, import boundaries, list slivers, ask the rules, measure areas.

Exit status: 0 done, 1 findings that block (or a run that failed), 2 wrong use, which includes
arguments that name a file which is not there or not readable.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread
from typing import Any

from swc_zoning import chapter_commands, evaluation_commands, map_commands, paths, submission_commands
from swc_zoning.engine import claim, reports, scratch
from swc_zoning.engine.messages import LANGUAGES, Blocked, Cancelled, Finding, SwcError
from swc_zoning.engine.progress import Progress

DONE, BLOCKED, WRONG_USE = 0, 1, 2

_REDRAW_S = 0.2
_STOPS = (signal.SIGINT, signal.SIGTERM)
_STOP_WITHIN_S = 1.5

#: What is wrong use of a command: an argument that cannot be taken. Met inside a job it is its content.
_NO_JOB = frozenset({"job.missing", "job.unusable", "job.not_utf8", "job.unreadable"})
_NO_FILE = frozenset(
    {
        *("workfiles.not_gpkg", "workfiles.is_input", "workfiles.not_ours", "workfiles.job_and_layers"),
        *("intake.source_missing", "casting.mixed"),
    }
)
_MISUSE = {
    "run": _NO_JOB,
    "check": _NO_JOB,
    "redecide": frozenset({"rules.unreadable", "rules.plan_date", "redecide.no_result"}),
    "compare": frozenset({"written.no_result", "derived.not_ours"}),
    "screen": frozenset({"written.no_result", "derived.not_ours", "intake.source_missing"}),
    "import": frozenset(
        {
            "intake.source_missing",
            "boundary.output_beside",
            "boundary.output_not_gpkg",
            "boundary.output_not_ours",
        }
    ),
    "targets": frozenset({"redecide.no_result"}),
    "explain": frozenset({"redecide.no_result", "explain.no_piece"}),
    "close": frozenset({"cli.unreadable", "closing.columns"}),
    "prepare": _NO_JOB | _NO_FILE,
    "partition": _NO_JOB | _NO_FILE,
    "sheet": frozenset({"rules.unreadable", "rule_sheets.no_workbook"}),
    "demo": frozenset({"cli.not_empty", "cli.scale", "cli.cell"}),
    "decide": frozenset({"rules.unreadable", "rules.plan_date", "cli.unreadable", "cli.not_a_list"}),
    **submission_commands.MISUSE,
    **chapter_commands.MISUSE,
    **evaluation_commands.MISUSE,
}


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return its exit status."""
    _speak_utf8()
    options = _parser().parse_args(arguments)
    teller = (_JsonLines if options.progress == "json" else _Terminal)(options.lang)
    with _stopped_by_signals(teller):
        return _answered(options, teller)


def _answered(options: argparse.Namespace, teller: _Teller) -> int:
    """Carry out a command; what stops it is told, and nothing of it is left."""
    try:
        return options.command(options, teller)
    except KeyboardInterrupt:
        scratch.wipe()
        claim.clear_mine()
        teller.error(Cancelled())
        return BLOCKED
    except SwcError as error:
        findings = error.findings if isinstance(error, Blocked) else []
        teller.findings(findings)
        teller.error(error)
        return _status(options, [error.code, *(finding.code for finding in findings)])
    except MemoryError:
        teller.error(SwcError("run.memory"))
        return BLOCKED
    except Exception as error:
        # Whoever reads events learns of it too; the interpreter prints where it was and exits with 1.
        teller.error(SwcError("cli.unexpected", kind=type(error).__name__, text=str(error)))
        raise


def _speak_utf8() -> None:
    """Write UTF-8 whatever the locale; what is no character of it (a file name) is escaped."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")


def _status(options: argparse.Namespace, codes: Iterable[str]) -> int:
    """Return the exit status of a command that failed with `codes`."""
    return WRONG_USE if _MISUSE.get(options.name, frozenset()).intersection(codes) else BLOCKED


@contextmanager
def _stopped_by_signals(teller: _Teller) -> Iterator[None]:
    """Interrupt this process when somebody asks it to end, once: what then cleans up is left alone."""
    before = {number: signal.signal(number, _cancel) for number in _STOPS}
    try:
        with _ended_in_time(teller):
            yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _cancel(number: int, frame: Any) -> None:
    for one in _STOPS:
        signal.signal(one, signal.SIG_IGN)
    # No error, so that nobody on the way up takes it for one of a layer or of a file.
    raise KeyboardInterrupt


@contextmanager
def _ended_in_time(teller: _Teller) -> Iterator[None]:
    """End this process where a stop does not reach it in time: one call into a library may take long."""
    heard, told = socket.socketpair()
    told.setblocking(False)
    before = signal.set_wakeup_fd(told.fileno(), warn_on_full_buffer=False)
    done = Event()
    Thread(target=_end_late, args=(heard, done, teller), daemon=True).start()
    try:
        yield
    finally:
        done.set()
        signal.set_wakeup_fd(before)
        told.close()


def _end_late(heard: socket.socket, done: Event, teller: _Teller) -> None:
    with heard:
        while (number := heard.recv(1)) and number[0] not in _STOPS:
            continue
    if number and not done.wait(_STOP_WITHIN_S):
        scratch.wipe()
        claim.clear_mine()
        teller.error(Cancelled())
        sys.stdout.flush()
        # The library that is at work cannot be asked; sys.exit would only end this thread.
        os._exit(BLOCKED)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m swc_zoning", description=__doc__.partition("\n")[0])
    parser.add_argument("--version", action="version", version=paths.version())
    commands = parser.add_subparsers(required=True, dest="name", metavar="COMMAND")
    run = _command(commands, "run", _run, "zone a city as a job file says")
    run.add_argument("job", type=Path, metavar="JOB")
    run.add_argument("--output", type=_folder, required=True, metavar="DIR", help="folder of the result")
    run.add_argument("--workers", type=_positive, default=1, metavar="N", help="local processes (default 1)")
    run.add_argument("--scheduler", metavar="ADDRESS", help="a dask.distributed cluster that is running")
    run.add_argument("--cache", type=_folder, metavar="DIR", help="keep results of tiles for the next run")
    _takes_temp(run)
    check = _command(commands, "check", _check, "say everything that is wrong with a job, data included")
    check.add_argument("job", type=Path, metavar="JOB")
    check.add_argument(
        "--fix", type=Path, metavar="FILE", help="write the job with every sure fix in it here"
    )
    check.add_argument(
        "--report", type=Path, metavar="FILE", help="write the findings here, status 0 whatever they are"
    )
    _takes_temp(check)
    slivers = _command(
        commands, "slivers", _slivers, "list the slivers of a result, to be decided on by place"
    )
    slivers.add_argument("result", type=_folder, metavar="DIR", help="folder of a result")
    slivers.add_argument(
        "--output", type=Path, required=True, metavar="FILE", help="verdicts, to be filled in"
    )
    _takes_temp(slivers)
    decide = _command(commands, "decide", _decide, "ask the decision table, JSON list in, JSON list out")
    decide.add_argument("memberships", type=Path, metavar="MEMBERSHIPS.json")
    decide.add_argument(
        "--rules", type=Path, metavar="TABLE", help="decision table (default: the shipped one)"
    )
    decide.add_argument("--plan-date", metavar="YYYY-MM-DD", help="date the law is read at")
    redecide = _command(
        commands, "redecide", _redecide, "say what another decision table would make of a result"
    )
    redecide.add_argument("result", type=Path, metavar="DIR", help="folder of a result")
    redecide.add_argument(
        "--rules", type=Path, metavar="TABLE", help="decision table (default: the shipped one)"
    )
    redecide.add_argument("--plan-date", metavar="YYYY-MM-DD", help="date the law is read at")
    _takes_temp(redecide)
    _area_commands(commands)
    _commands_before_a_run(commands)
    _commands_on_results(commands)
    _sheet_command(commands)
    _demo_command(commands)
    _command(commands, "schema", _schema, "print the JSON Schema of job files")
    return parser


def _import_command(commands: Any) -> None:
    text = "boundary points or closed CAD lines (txt, xlsx, csv, dxf, zip) into a GeoPackage of polygons"
    command = _command(commands, "import", _import, text)
    command.add_argument("source", type=Path, metavar="SOURCE")
    command.add_argument("--output", type=Path, required=True, metavar="FILE.gpkg")
    command.add_argument("--crs", metavar="EPSG:CODE", help="coordinate system, whatever the file says")
    command.add_argument("--encoding", help="of the text (default: recognised)")
    axes = ("auto", "north_east", "east_north")
    command.add_argument("--axes", choices=axes, default="auto", help="order of the two coordinates")
    command.add_argument("--merge", action="store_true", help="blocks with one number are one parcel")
    command.add_argument("--sheet", metavar="NAME", help="sheet of a workbook that has several")
    command.add_argument(
        "--tolerance", type=float, default=0.001, metavar="M", help="gap of CAD lines closed"
    )
    command.add_argument("--holes", action="store_true", help="CAD rings inside rings are holes (even-odd)")
    _takes_temp(command)


def _area_commands(commands: Any) -> None:
    area = _command(commands, "area", _area, "official ellipsoidal area of the polygons of a file")
    area.add_argument("file", type=Path, metavar="FILE")
    area.add_argument("--layer", metavar="NAME", help="layer of a file that has several")
    area.add_argument(
        "--output", type=Path, metavar="JSON", help="write the areas here (default: print them)"
    )
    _takes_temp(area)
    text = "level areas so that they add up to the control area of their group on 0.01 m2"
    close = _command(commands, "close", _close, text)
    close.add_argument("areas", type=Path, metavar="AREAS.csv", help="columns key, group, area_m2")
    close.add_argument("--controls", type=Path, metavar="CSV", help="columns group, area_m2")
    close.add_argument("--output", type=Path, required=True, metavar="CLOSED.csv")


def _commands_on_results(commands: Any) -> None:
    targets = _command(commands, "targets", _targets, "soil and water conservation rate against its targets")
    text = "folder of a result, or a table rate.csv of the evaluation"
    targets.add_argument("result", type=Path, metavar="DIR", help=text)
    text = "profile whose targets a table is held against (default: shanghai)"
    targets.add_argument("--profile", metavar="NAME", default="shanghai", help=text)
    explain = _command(commands, "explain", _explain, "say why a piece of a result is in its zone")
    explain.add_argument("result", type=Path, metavar="DIR", help="folder of a result")
    explain.add_argument("piece", metavar="PIECE_ID")
    _compare_command(commands)
    _screen_command(commands)
    submission_commands.register(commands, _command)
    chapter_commands.register(commands, _command)
    map_commands.register(commands, _command)
    evaluation_commands.register(commands, _command)


def _compare_command(commands: Any) -> None:
    command = _command(commands, "compare", _compare, "say what changed from one result to another, and why")
    command.add_argument("before", type=_folder, metavar="OLD", help="folder of the older result")
    command.add_argument("after", type=_folder, metavar="NEW", help="folder of the newer result")
    command.add_argument(
        "--output", type=_folder, required=True, metavar="DIR", help="folder of the comparison"
    )
    _takes_temp(command)


def _screen_command(commands: Any) -> None:
    command = _command(
        commands, "screen", _screen, "say what a result means for projects, parks, spoil sites"
    )
    command.add_argument("result", type=_folder, metavar="RESULT", help="folder of a result")
    command.add_argument("projects", metavar="PROJECTS", help="file of polygons")
    command.add_argument("--layer", metavar="NAME", help="layer of a file that has several")
    command.add_argument("--id-field", metavar="FIELD")
    command.add_argument("--name-field", metavar="FIELD")
    command.add_argument(
        "--kind", default="project", help="project, park, disturbance, spoil_site or borrow_site"
    )
    command.add_argument("--kind-field", metavar="FIELD", help="field that says it of each feature")
    command.add_argument(
        "--rules", type=Path, metavar="TABLE", help="decision table the result was made with"
    )
    command.add_argument("--without-banned", action="store_true", help="do not draw where sites are banned")
    command.add_argument("--output", type=_folder, required=True, metavar="DIR", help="folder of the answer")
    _takes_temp(command)


def _sheet_command(commands: Any) -> None:
    command = _command(
        commands, "sheet", _sheet, "a decision table as a workbook (xlsx), or one back as JSON"
    )
    text = "table (json) or workbook (xlsx); default: the shipped table"
    command.add_argument("table", type=Path, nargs="?", metavar="TABLE", help=text)
    command.add_argument("--output", type=Path, required=True, metavar="FILE", help="*.xlsx or *.json")


def _commands_before_a_run(commands: Any) -> None:
    _import_command(commands)
    _step_commands(commands)


def _step_commands(commands: Any) -> None:
    layers = "a job file, or files of layers whose roles are recognised"
    prepare = _command(commands, "prepare", _prepare, "the layers of a job mended, in one CRS, one a role")
    prepare.add_argument("sources", nargs="+", metavar="JOB|LAYERS", help=layers)
    prepare.add_argument("--output", type=Path, required=True, metavar="FILE.gpkg")
    _takes_temp(prepare)
    divide = _command(commands, "partition", _partition, "the exact partition of a job, no zone decided")
    divide.add_argument("sources", nargs="+", metavar="JOB|LAYERS", help=layers)
    divide.add_argument("--output", type=Path, required=True, metavar="FILE.gpkg")
    divide.add_argument("--workers", type=_positive, default=1, metavar="N", help="local processes")
    _takes_temp(divide)


def _demo_command(commands: Any) -> None:
    demo = _command(commands, "demo", _demo, "write the demo city: synthetic layers and their job")
    demo.add_argument("--output", type=_folder, required=True, metavar="DIR", help="an empty or new folder")
    demo.add_argument("--seed", type=int, default=7)
    demo.add_argument("--scale", type=float, default=1.0, help="multiplies the number of parcels (0.02..4)")
    demo.add_argument("--cell", type=float, default=100.0, help="size of a cell of its rasters (m, 10..1000)")


def _command(
    commands: Any, name: str, function: Callable[[argparse.Namespace, _Teller], int], text: str
) -> argparse.ArgumentParser:
    command = commands.add_parser(name, help=text, description=text)
    command.add_argument("--lang", choices=LANGUAGES, default="zh", help="language of messages and results")
    command.add_argument(
        "--progress", choices=("text", "json"), default="text", help="json: events on stdout"
    )
    command.set_defaults(command=function)
    return command


def _takes_temp(command: argparse.ArgumentParser) -> None:
    text = f"folder for temporary data (default: {scratch.VARIABLE}, else that of the system)"
    command.add_argument("--temp", type=_folder, metavar="DIR", help=text)


def _folder(text: str) -> Path:
    if not text:
        # An empty path would mean the current folder.
        raise argparse.ArgumentTypeError("must name a folder")
    return Path(text)


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return number


# --- commands --------------------------------------------------------------------------------------


def _run(options: argparse.Namespace, teller: _Teller) -> int:
    from swc_zoning.engine import formats, job, result, run
    from swc_zoning.engine.tasks import executor

    asked = job.load(options.job)
    scratch.use(options.temp)
    sources = [one.source for one in (asked.extent, asked.reference, *asked.layers) if one]
    progress = Progress(teller.progress)
    with result.claimed(options.output, sources):
        needed = sum(map(formats.source_bytes, set(sources)))
        teller.findings(scratch.little_space((options.output, scratch.place()), needed))
        with executor(options.workers, options.scheduler) as pool:
            zoning = run.run(asked, progress, pool, options.lang, cache=options.cache)
        teller.findings(zoning.findings)
        with progress.step("writing", run.WRITING):
            files = zoning.write(options.output)
    teller.result({"zoning": files.zoning, "summary": files.summary})
    return DONE


def _check(options: argparse.Namespace, teller: _Teller) -> int:
    from swc_zoning.engine import run

    scratch.use(options.temp)
    examined = run.examine(options.job, progress=Progress(teller.progress))
    findings = examined.findings
    files = _fixed(options, findings)
    if options.report:
        head = {"job": str(options.job), "crs": examined.crs}
        reports.write(reports.of_findings(findings, options.lang, **head), options.report)
        teller.findings(findings)
        teller.result({"report": options.report, **files})
        # What blocks a run is no failure of the question: the report answers it.
        return DONE
    print(json.dumps([finding.as_json(options.lang) for finding in findings], ensure_ascii=False, indent=1))
    errors = [finding.code for finding in findings if finding.severity == "error"]
    return _status(options, errors) if errors else DONE


def _fixed(options: argparse.Namespace, findings: list[Finding]) -> dict[str, Path]:
    """Write the job with the sure fixes where that is asked for; one that cannot be read has none."""
    from swc_zoning.engine import job

    if not options.fix:
        return {}
    try:
        document = job.fixed(job.load(options.job), findings)
    except job.JobError:
        if options.report:
            return {}
        raise
    reports.write(document, options.fix)
    return {"fixed": options.fix}


def _slivers(options: argparse.Namespace, teller: _Teller) -> int:
    from swc_zoning.engine import verdicts

    scratch.use(options.temp)
    reports.write(verdicts.of_result(options.result), options.output)
    return DONE


def _decide(options: argparse.Namespace, teller: _Teller) -> int:
    from swc_zoning.engine import rules

    table = rules.load(options.rules, options.plan_date)
    memberships = _json_list(options.memberships)
    print(json.dumps(rules.decide_many(table, memberships), ensure_ascii=False, indent=1))
    return DONE


def _json_list(path: Path) -> list[Mapping[str, Any]]:
    try:
        document = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:
        raise SwcError("cli.unreadable", path=str(path), reason=str(error)) from error
    if not isinstance(document, list):
        raise SwcError("cli.not_a_list", path=str(path))
    return document


def _redecide(options: argparse.Namespace, teller: _Teller) -> int:
    from swc_zoning.engine import redecide, rules

    scratch.use(options.temp)
    table = rules.load(options.rules, options.plan_date)
    made = redecide.preview(redecide.read(options.result), table)
    print(json.dumps(made.as_json(), ensure_ascii=False, indent=1))
    return DONE


def _area(options: argparse.Namespace, teller: _Teller) -> int:
    from swc_zoning.engine import measure

    scratch.use(options.temp)
    rows = measure.areas_of_file(options.file, options.layer)
    if options.output:
        reports.write(rows, options.output)
        teller.result({"areas": options.output})
    else:
        print(json.dumps(rows, ensure_ascii=False, indent=1))
    return DONE


def _targets(options: argparse.Namespace, teller: _Teller) -> int:
    from swc_zoning.engine import targets

    if options.result.is_file():
        report = targets.report_of_table(options.result, options.profile)
    else:
        report = targets.report(options.result)
    print(json.dumps(report.as_json(options.lang), ensure_ascii=False, indent=1))
    return DONE


def _explain(options: argparse.Namespace, teller: _Teller) -> int:
    from swc_zoning.engine import explain

    print(explain.explain(options.result, options.piece).as_text(options.lang))
    return DONE


def _close(options: argparse.Namespace, teller: _Teller) -> int:
    from swc_zoning.engine import closing

    teller.findings(closing.close_table(options.areas, options.output, options.controls))
    teller.result({"closed": options.output})
    return DONE


def _import(options: argparse.Namespace, teller: _Teller) -> int:
    from swc_zoning.engine import boundaries

    scratch.use(options.temp)
    asked = boundaries.Options(
        crs=options.crs,
        encoding=options.encoding,
        axes=options.axes,
        merge=options.merge,
        sheet=options.sheet,
        tolerance_m=options.tolerance,
        even_odd=options.holes,
    )
    boundary = boundaries.import_boundary(options.source, asked)
    if any(finding.severity == "error" for finding in boundary.findings):
        raise Blocked(boundary.findings)
    boundaries.write(boundary, options.output, options.source)
    teller.findings(boundary.findings)
    teller.result({"boundary": options.output})
    return DONE


def _compare(options: argparse.Namespace, teller: _Teller) -> int:
    from swc_zoning.engine import comparison, derived

    scratch.use(options.temp)
    derived.check_target(options.output, comparison.NAME)
    progress = Progress(teller.progress)
    made = comparison.compare(options.before, options.after, progress)
    with progress.step("writing", 0.05):
        files = comparison.write(made, options.output, options.lang)
    teller.result({"comparison": files["gpkg"], "document": files["json"], "matrix": files["csv"]})
    return DONE


def _screen(options: argparse.Namespace, teller: _Teller) -> int:
    from swc_zoning.engine import derived, screening

    scratch.use(options.temp)
    derived.check_target(options.output, screening.NAME)
    fields = (options.layer, options.id_field, options.name_field, options.kind, options.kind_field)
    source = screening.Source(options.projects, *fields)
    progress = Progress(teller.progress)
    made = screening.screen(options.result, source, options.rules, not options.without_banned, progress)
    teller.findings(made.projects.findings)
    with progress.step("writing", 0.15):
        files = screening.write(made, options.output, options.lang)
    teller.result({"screening": files["gpkg"], "document": files["json"], "table": files["csv"]})
    return DONE


def _sheet(options: argparse.Namespace, teller: _Teller) -> int:
    from swc_zoning.engine import rule_sheets, rules

    if options.table and options.table.suffix.lower() == ".xlsx":
        document = rule_sheets.read(options.table)
    else:
        document = rules.read(options.table)
    findings = rules.check(document)
    if any(finding.severity == "error" for finding in findings):
        raise Blocked(findings)
    if options.output.suffix.lower() == ".xlsx":
        rule_sheets.write(document, options.output, options.lang)
    else:
        reports.write(document, options.output)
    teller.findings(findings)
    teller.result({"table": options.output})
    return DONE


def _prepare(options: argparse.Namespace, teller: _Teller) -> int:
    from swc_zoning.engine import prepare

    asked, progress = _step(options, teller, prepare.WHAT), Progress(teller.progress)
    taken = prepare.prepare(asked, progress)
    teller.findings(taken.findings)
    with progress.step("writing", 0.2):
        path = prepare.write(taken, options.output)
    teller.result({"prepared": path})
    return DONE


def _partition(options: argparse.Namespace, teller: _Teller) -> int:
    from swc_zoning.engine import dividing
    from swc_zoning.engine.tasks import executor

    asked, progress = _step(options, teller, dividing.WHAT), Progress(teller.progress)
    with executor(options.workers, None) as pool:
        pieces = dividing.divide(asked, progress, pool)
    teller.findings(pieces.intake.findings)
    with progress.step("writing", 0.1):
        path = dividing.write(pieces, options.output)
    teller.result({"partition": path})
    return DONE


def _step(options: argparse.Namespace, teller: _Teller, what: str) -> Any:
    """Return the job of a step, after proving that its file may be written."""
    from swc_zoning.engine import workfiles

    scratch.use(options.temp)
    asked, findings = workfiles.job_of(options.sources)
    teller.findings(findings)
    sources = [one.source for one in (asked.extent, *asked.layers) if one]
    workfiles.check_target(options.output, what, sources)
    return asked


def _demo(options: argparse.Namespace, teller: _Teller) -> int:
    from swc_zoning.test_data import make_city

    if not make_city.fine_enough(options.cell):
        raise SwcError("cli.cell", cell=options.cell)
    progress = Progress(teller.progress)
    try:
        with progress.step("drawing", 1.0):
            make_city.make(options.output, options.seed, options.scale, progress.advance, options.cell)
    except FileExistsError as error:
        raise SwcError("cli.not_empty", path=str(options.output)) from error
    except ValueError as error:
        raise SwcError("cli.scale", scale=options.scale) from error
    except OSError as error:
        raise SwcError("cli.unwritable", path=str(options.output), reason=error.strerror) from error
    teller.findings([] if make_city.has_rasters() else [Finding("cli.no_rasters", {})])
    teller.result({"job": options.output / "job.json"})
    return DONE


def _schema(options: argparse.Namespace, teller: _Teller) -> int:
    print(paths.resource("schemas", "job.schema.json").read_text(encoding="utf-8").rstrip())
    return DONE


# --- telling ---------------------------------------------------------------------------------------


class _Teller:
    """Tells a user or a program how far a run is and what came of it."""

    def __init__(self, lang: str) -> None:
        self.lang = lang

    def progress(self, step: str, fraction: float, left_s: float | None) -> None:
        """Take how far the run is."""

    def findings(self, findings: Iterable[Finding]) -> None:
        """Take what was found."""

    def result(self, files: Mapping[str, Path]) -> None:
        """Take the files that were written, by what they are."""

    def error(self, error: SwcError) -> None:
        """Take why there is none."""


class _JsonLines(_Teller):
    """One JSON object a line on stdout, for programs."""

    def progress(self, step: str, fraction: float, left_s: float | None) -> None:
        self._say("progress", step=step, fraction=round(fraction, 4), left_s=left_s)

    def findings(self, findings: Iterable[Finding]) -> None:
        for finding in findings:
            self._say("finding", **finding.as_json(self.lang))

    def result(self, files: Mapping[str, Path]) -> None:
        self._say("result", **{name: str(path) for name, path in files.items()})

    def error(self, error: SwcError) -> None:
        self._say("error", code=error.code, text=error.sentence(self.lang))

    def _say(self, event: str, **facts: Any) -> None:
        print(json.dumps({"event": event, **facts}, ensure_ascii=False), flush=True)


class _Terminal(_Teller):
    """Sentences and a progress line on stderr, result files on stdout, for people."""

    _told = 0.0

    def progress(self, step: str, fraction: float, left_s: float | None) -> None:
        now = time.monotonic()
        if now - self._told < _REDRAW_S and fraction < 1:
            return
        self._told = now
        left = "" if left_s is None else f"  {left_s:.0f} s"
        end = "\r" if sys.stderr.isatty() else "\n"
        print(f"{fraction:4.0%} {step:<10}{left:>8}", end=end, file=sys.stderr, flush=True)

    def findings(self, findings: Iterable[Finding]) -> None:
        for finding in findings:
            layer = f"[{finding.layer}] " if finding.layer else ""
            print(f"{finding.severity:7} {layer}{finding.sentence(self.lang)}", file=sys.stderr)

    def result(self, files: Mapping[str, Path]) -> None:
        print(*files.values(), sep="\n")

    def error(self, error: SwcError) -> None:
        print(f"{error.code}: {error.sentence(self.lang)}", file=sys.stderr)
