# SPDX-License-Identifier: GPL-2.0-or-later
"""What one planning project is at: its job, its decision table, its results; in the project and as files.

Pages read it and change it through its methods; its signals tell the others. Every change goes into
the QGIS project at once (scope ``swc_zoning``) and, where a working folder is chosen, into files there:
``job.json``, ``rules.json`` and one folder of ``results`` a run.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from qgis.core import QgsProject
from qgis.PyQt.QtCore import QObject, pyqtSignal

from swc_zoning.engine import job as jobs
from swc_zoning.engine import rules
from swc_zoning.engine.messages import SwcError

SCOPE = "swc_zoning"
JOB_FILE, RULES_FILE, RESULTS, INPUTS = "job.json", "rules.json", "results", "inputs"

_ENTRIES = ("folder", "job", "rules", "result", "scenario", "outdated")


@dataclass(frozen=True)
class Result:
    """A folder of results and what its ``summary.json`` says."""

    folder: Path
    summary: Mapping[str, Any]

    @property
    def zoning(self) -> Path:
        """Return the GeoPackage of the result."""
        return self.folder / "zoning.gpkg"


def open_result(folder: Path) -> Result:
    """Return the result in `folder`. Raises SwcError ``redecide.no_result`` where there is none."""
    try:
        summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SwcError("redecide.no_result", path=str(folder)) from error
    if not isinstance(summary, dict) or "by_zone" not in summary or not (folder / "zoning.gpkg").exists():
        raise SwcError("redecide.no_result", path=str(folder))
    return Result(folder, summary)


class Session(QObject):
    """The state of the workbench. All methods are for the main thread."""

    folder_changed = pyqtSignal()
    job_changed = pyqtSignal()
    rules_changed = pyqtSignal()
    findings_changed = pyqtSignal()
    result_changed = pyqtSignal()
    scenario_changed = pyqtSignal()
    #: A sentence about something that could not be kept or read.
    troubled = pyqtSignal(str)

    def __init__(self, project: QgsProject, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._project = project
        self._table: rules.RuleTable | None = None
        self._reading = False
        self._clear()
        project.readProject.connect(self._read_project)
        project.cleared.connect(self._forget)
        # Paths are kept relative to the project file, whose place may have changed.
        project.writeProject.connect(self._keep_all)
        self._read_project()

    def close(self) -> None:
        """Stop following the project."""
        self._project.readProject.disconnect(self._read_project)
        self._project.cleared.disconnect(self._forget)
        self._project.writeProject.disconnect(self._keep_all)

    # --- state -------------------------------------------------------------------------------------

    @property
    def project(self) -> QgsProject:
        """Return the QGIS project this is about."""
        return self._project

    @property
    def plan_date(self) -> str | None:
        """Return the date the law is read at, None for that of the table."""
        return self.job.get("plan_date")

    def table(self) -> rules.RuleTable:
        """Return the decision table in force. Raises Blocked where the edited one is wrong."""
        if self._table is None:
            self._table = rules.load(self.rules, self.plan_date)
        return self._table

    def results(self) -> list[Path]:
        """Return the folders of all results of this working folder, newest first."""
        if self.folder is None:
            return []
        folders = (path.parent for path in (self.folder / RESULTS).glob("*/summary.json"))
        return sorted(folders, key=lambda folder: folder.name, reverse=True)

    def is_outdated(self) -> bool:
        """Return whether job or rules changed since the current result was made."""
        return self.result is not None and self.fingerprint() != self._made_of

    # --- changes -----------------------------------------------------------------------------------

    def set_folder(self, folder: Path) -> None:
        """Work in `folder`: a job and rules there are taken up where this session has none yet.

        Files there that are not taken up are copied before they are written over. Raises JobError where
        the job there is wrong, SwcError ``session.unwritable``; the session stays as it was then.
        """
        folder = Path(os.path.abspath(folder))
        found, is_new = folder / JOB_FILE, folder != self.folder
        taken = jobs.load(found).as_json() if not self.job.get("layers") and found.is_file() else {}
        if is_new:
            _spare([RULES_FILE] if taken else [JOB_FILE, RULES_FILE], folder)
        self.folder = folder
        if taken:
            self.open_job(found)
        self._keep_all()
        self.folder_changed.emit()

    def begin_anew(self) -> None:
        """Forget job, rules, result and folder; the files of the folder stay as they are."""
        self._forget()
        self._keep_all()

    def open_job(self, path: Path) -> None:
        """Take the job of a file, its rules too; that of the working folder is copied before.

        Raises JobError with everything that is wrong, SwcError ``session.unwritable``.
        """
        loaded = jobs.load(path)
        document = loaded.as_json()
        replaces = self.folder is not None and bool(self.job.get("layers"))
        if replaces and Path(path).parent != self.folder:
            _spare([JOB_FILE, RULES_FILE], self.folder)
        table = document.pop("rules", None)
        if table is not None:
            self.set_rules(rules.load(table, loaded.plan_date).document)
        elif replaces:
            # A job that names no rules means the shipped ones, not those of the job before it.
            self.set_rules(None)
        self.set_job(document)

    def set_job(self, document: Mapping[str, Any]) -> None:
        """Take a job document with absolute paths; its decision table is `set_rules`'s."""
        dated = self.plan_date
        self.job = {key: value for key, value in document.items() if key != "rules"}
        if self.plan_date != dated:
            self._table = None
        self._touched()
        self._keep("job")
        self._keep("outdated")
        self.job_changed.emit()

    def set_rules(self, document: Mapping[str, Any] | None) -> None:
        """Take an edited decision table, None for the shipped one. It need not be right yet."""
        self.rules = None if document is None else dict(document)
        self._table = None
        self._touched()
        self._keep("rules")
        self._keep("job")
        self._keep("outdated")
        self.rules_changed.emit()

    def set_findings(self, findings: list[dict[str, Any]] | None) -> None:
        """Take what a check found, None where the job was not checked as it is."""
        self.findings = findings
        self.findings_changed.emit()

    def fingerprint(self) -> str:
        """Return what tells this job and these rules from others: a result is outdated where it differs."""
        return json.dumps([self.job, self.rules], sort_keys=True, ensure_ascii=False)

    def set_result(self, folder: Path | None, made_of: str | None = None) -> None:
        """Take the result in `folder` as the current one. Raises SwcError where there is none.

        `made_of` is the `fingerprint` of job and rules it was made of, by default those of now.
        """
        self.result = None if folder is None else open_result(Path(folder))
        self._made_of = self.fingerprint() if made_of is None else made_of
        self._keep("result")
        self._keep("outdated")
        self.result_changed.emit()

    def set_scenario(self, name: str) -> None:
        """Name what the next run is about; results of one scenario share a group in the layer tree."""
        self.scenario = name
        self._keep("scenario")
        self.scenario_changed.emit()

    # --- files -------------------------------------------------------------------------------------

    def new_result_folder(self) -> Path:
        """Return a folder for the next run that does not exist yet. The working folder must be chosen."""
        base = self._folder() / RESULTS / datetime.now().strftime("%Y%m%d-%H%M%S")
        tries = (base if n == 1 else base.with_name(f"{base.name}-{n}") for n in range(1, 1000))
        return next(folder for folder in tries if not folder.exists())

    def write_job(self) -> Path:
        """Write job and rules into the working folder and return the job file."""
        self._write(RULES_FILE, self.rules)
        document = dict(self.job)
        if self.rules is not None:
            document["rules"] = str(self._folder() / RULES_FILE)
        self._write(JOB_FILE, _moved(document, self._inside))
        return self._folder() / JOB_FILE

    def _folder(self) -> Path:
        if self.folder is None:
            raise SwcError("session.no_folder")
        return self.folder

    def _inside(self, path: str) -> str:
        """Return a path below the working folder relative to it, so that the folder can be moved."""
        if jobs.is_address(path) or not Path(path).is_absolute():
            return path
        inside = Path(path).is_relative_to(self._folder())
        return Path(path).relative_to(self._folder()).as_posix() if inside else path

    def _write(self, name: str, document: Mapping[str, Any] | None) -> None:
        path = self._folder() / name
        aside = path.with_name(f".{name}.{os.getpid()}")
        try:
            if document is None:
                path.unlink(missing_ok=True)
                return
            self._folder().mkdir(parents=True, exist_ok=True)
            aside.write_text(json.dumps(document, ensure_ascii=False, indent=1), encoding="utf-8")
            aside.replace(path)
        except OSError as error:
            aside.unlink(missing_ok=True)
            raise SwcError("session.unwritable", path=str(path), reason=error.strerror) from error

    # --- project -----------------------------------------------------------------------------------

    def _clear(self) -> None:
        self.folder: Path | None = None
        self.job: dict[str, Any] = {"schema": jobs.SCHEMA, "layers": []}
        self.rules: dict[str, Any] | None = None
        self.findings: list[dict[str, Any]] | None = None
        self.result: Result | None = None
        self.scenario = ""
        self._table = None
        self._made_of = ""

    def _touched(self) -> None:
        if self.findings is not None:
            self.set_findings(None)

    def _forget(self) -> None:
        self._clear()
        self._tell_all()

    def _tell_all(self) -> None:
        for signal in (self.folder_changed, self.job_changed, self.rules_changed):
            signal.emit()
        self.findings_changed.emit()
        self.result_changed.emit()

    def _keep_all(self) -> None:
        for entry in _ENTRIES:
            self._keep(entry)

    def _keep(self, entry: str) -> None:
        """Put one entry into the project, and job and rules into their files."""
        if self._reading:
            return
        value = self._entry(entry)
        if value == self._project.readEntry(SCOPE, entry, "")[0]:
            return
        if value:
            self._project.writeEntry(SCOPE, entry, value)
        else:
            self._project.removeEntry(SCOPE, entry)
        if entry in ("job", "rules") and self.folder is not None:
            try:
                self.write_job()
            except SwcError as error:
                self.troubled.emit(error.sentence())

    def _entry(self, entry: str) -> str:
        if entry == "folder":
            return "" if self.folder is None else self._project.writePath(str(self.folder))
        if entry == "result":
            return "" if self.result is None else self._project.writePath(str(self.result.folder))
        if entry == "scenario":
            return self.scenario
        if entry == "outdated":
            return "1" if self.is_outdated() else ""
        if entry == "rules":
            return "" if self.rules is None else json.dumps(self.rules, ensure_ascii=False)
        if not self.job.get("layers") and not self.job.get("extent"):
            return ""
        return json.dumps(_moved(self.job, self._project.writePath), ensure_ascii=False)

    def _read_project(self) -> None:
        said = {entry: self._project.readEntry(SCOPE, entry, "")[0] for entry in _ENTRIES}
        self._reading = True
        try:
            self._clear()
            self._take(said)
        except (ValueError, SwcError) as error:
            sentence = error.sentence() if isinstance(error, SwcError) else str(error)
            self.troubled.emit(sentence)
        finally:
            self._reading = False
        self._tell_all()

    def _take(self, said: Mapping[str, str]) -> None:
        self.scenario = said["scenario"]
        if said["folder"]:
            self.folder = Path(self._project.readPath(said["folder"]))
        if said["rules"]:
            self.rules = json.loads(said["rules"])
        if said["job"]:
            self.job = _moved(jobs.migrate(json.loads(said["job"])), self._project.readPath)
        if said["result"]:
            self.result = open_result(Path(self._project.readPath(said["result"])))
            self._made_of = "" if said["outdated"] else self.fingerprint()


def _spare(names: Sequence[str], folder: Path) -> None:
    """Copy files of another job beside themselves, as this one will be written over them."""
    moment = datetime.now().strftime("%Y%m%d-%H%M%S")
    for path in (folder / name for name in names):
        try:
            if path.is_file():
                shutil.copy2(path, path.with_name(f"{path.stem}-before-{moment}{path.suffix}"))
        except OSError as error:
            raise SwcError("session.unwritable", path=str(path), reason=error.strerror) from error


def _moved(document: Mapping[str, Any], move: Any) -> dict[str, Any]:
    """Return a job document with `move` done to every path in it; addresses stay as they are."""

    def entry(one: Mapping[str, Any]) -> dict[str, Any]:
        source = one.get("source", "")
        return {**one, "source": source if not source or jobs.is_address(source) else move(source)}

    moved = {**document, "layers": [entry(one) for one in document.get("layers", [])]}
    for key in ("extent", "reference"):
        if isinstance(document.get(key), Mapping):
            moved[key] = entry(document[key])
    if isinstance(document.get("rules"), str):
        moved["rules"] = move(document["rules"])
    return moved
