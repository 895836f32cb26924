# SPDX-License-Identifier: GPL-2.0-or-later
"""The page of the submission: what it is to be, what blocks it, the package, what the check says."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from qgis.core import Qgis
from qgis.PyQt.QtCore import QUrl
from qgis.PyQt.QtGui import QDesktopServices
from qgis.PyQt.QtWidgets import (
    QBoxLayout,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QMenu,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from swc_zoning.engine import reports
from swc_zoning.engine.messages import SwcError
from swc_zoning.engine.submission.order import FORMATS
from swc_zoning.gui.acceptances import FILE as ACCEPTED
from swc_zoning.gui.desk import Desk
from swc_zoning.gui.page import Level, Page, State, allow
from swc_zoning.gui.places import CHAPTER, PACKAGES, free_folder
from swc_zoning.gui.submission_checklist import FINDINGS, MERGE, Checklist
from swc_zoning.gui.submission_findings import FindingsPanel
from swc_zoning.gui.submission_form import SubmissionForm
from swc_zoning.gui.zoning_page import ZoningPage
from swc_zoning.qgis_bridge import chapters, orders, packages

#: Where checks and consultations go in the working folder.
CHECKS, CONSULTATIONS = "checks", "consultation"
#: Parameter of the algorithm, key of the order.
_PARAMETERS = {
    "COMPILER": "compiler",
    "SECRECY": "secrecy",
    "CODE": "code",
    "AREA_NAME": "name",
    "PLAN_NAME": "plan_name",
    "CONSULTATION_NO": "consultation_no",
    "REVIEW_NO": "review_no",
    "APPROVAL_NO": "approval_no",
    "DATE": "date",
    "CONSULTATION_DATE": "consultation_date",
    "APPROVAL_DATE": "approval_date",
    "REGISTER": "register",
    "CONSULTATION": "consultation",
    "MIN_PATCH": "min_patch_m2",
    "NEIGHBOUR": "neighbour_m",
    "SCALE": "scale",
    "PUBLIC": "public",
    "POINTS": "points",
}
#: Average letters the page must be wide to have form and checklist side by side.
_WIDE_LETTERS = 84
_DAYS = ("date", "consultation_date", "approval_date")


class SubmissionPage(Page):
    """Makes, checks and shows packages, and prepares the consultation."""

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(desk, parent)
        #: What the check of the last export counted, None where this result was not exported yet.
        self._last: dict[str, int] | None = None
        #: What "Open folder" opens, and whether its findings are those of an export of this result.
        self._shown: Path | None = None
        self._of_export = False
        #: What the order of the working folder says that the form does not show.
        self._kept: dict[str, Any] = {}
        self._build()
        session = desk.session
        for signal in (session.folder_changed, session.job_changed, session.rules_changed):
            signal.connect(self._refresh)
        session.folder_changed.connect(self._take_folder)
        session.result_changed.connect(self._take_result)
        session.project.cleared.connect(self._forget)
        desk.runner.started.connect(self._refresh)
        desk.runner.finished.connect(self._refresh)
        self._take_folder()

    def title(self) -> str:
        """Return the name of the page."""
        return self.tr("Submission")

    def state(self) -> State:
        """Return how the submission stands."""
        if self.desk.session.result is None:
            return State(Level.BLOCKED, self.tr("Zone the city first"))
        blocking = self._checklist.blocking()
        if blocking:
            return State(Level.OPEN, self.tr("Blocked: {count}").format(count=len(blocking)))
        if self._last is None:
            return State(Level.OPEN, self.tr("Ready to export"))
        if self._last["error"]:
            words = self.tr("{count} errors: no package").format(count=f"{self._last['error']:,}")
            return State(Level.PROBLEM, words)
        words = self.tr("Package made, {count} warnings open")
        return State(Level.DONE, words.format(count=f"{self._last['warning']:,}"))

    def resizeEvent(self, event: Any) -> None:  # noqa: N802 (Qt's own name)
        """Put form and checklist side by side where there is room, else one below the other."""
        super().resizeEvent(event)
        letters = self.width() / self.fontMetrics().averageCharWidth()
        directions = QBoxLayout.Direction
        wide = letters >= _WIDE_LETTERS
        self._upper.setDirection(directions.LeftToRight if wide else directions.TopToBottom)

    def activate(self) -> None:
        """Take up what another page put into the order, and the chapter that may be there now."""
        self._take_folder()

    def unload(self) -> None:
        """Follow the project no more."""
        self.desk.session.project.cleared.disconnect(self._forget)

    # --- doing -------------------------------------------------------------------------------------

    def export(self, folder: Path) -> None:
        """Make the package of the result in `folder`, in the background."""
        self._asked, self._begun = self.desk.session.result, time.time()
        parameters = {**self._parameters(), "RESULT": str(self._asked.folder), "OUTPUT": str(folder)}
        self._run(
            "exportsubmission",
            parameters,
            lambda ok, found: self._exported(ok, found, folder),
            self.tr("Exporting"),
        )

    def check(self, package: Path) -> None:
        """Check a package, a folder or a zip, in the background."""
        name = "PACKAGE" if package.is_dir() else "ARCHIVE"
        parameters = {name: str(package), **self._accepted()}
        folder = self.desk.session.folder
        if folder is not None:
            parameters["OUTPUT"] = str(free_folder(folder / CHECKS))
        self._run(
            "validatesubmission",
            parameters,
            lambda ok, found: self._checked(ok, found, package),
            self.tr("Checking the package"),
        )

    def consult(self, folder: Path, replies: Sequence[str] = ()) -> None:
        """Prepare the consultation in `folder`, or take its replies, in the background."""
        order = self.form.document()
        parameters: dict[str, Any] = {"RESULT": str(self.desk.session.result.folder), "OUTPUT": str(folder)}
        parameters |= {name.upper(): order[name] for name in ("compiler", "plan_name") if name in order}
        if replies:
            parameters["REPLIES"] = list(replies)
        title = self.tr("Taking the replies") if replies else self.tr("Preparing the consultation")
        self._run("consultation", parameters, self._consulted, title)

    def _run(
        self, algorithm: str, parameters: Mapping[str, Any], done: Callable[[bool, dict], None], title: str
    ) -> None:
        try:
            self.desk.runner.run(f"swc_zoning:{algorithm}", parameters, done, title)
        except SwcError as error:
            self.desk.say_error(error)

    def _parameters(self) -> dict[str, Any]:
        """Return the order as parameters of the algorithm."""
        order = self.form.document()
        given = {name: order[key] for name, key in _PARAMETERS.items() if key in order}
        for name, key in _PARAMETERS.items():
            if key in _DAYS and key in order:
                given[name] = _iso(order[key])
        return {
            **given,
            "PROFILE": list(orders.profiles()).index(order["profile"]),
            "STAGE": list(orders.stages()).index(order["stage"]),
            "FORMATS": [FORMATS.index(one) for one in order["formats"]],
            **self._accepted(),
            **self._chapter(),
        }

    def _chapter(self) -> dict[str, str]:
        """Return the chapter of the working folder where it is one of this result."""
        folder, result = self.desk.session.folder, self.desk.session.result
        if folder is None or result is None or not chapters.is_of(folder / CHAPTER, result.summary):
            return {}
        return {"CHAPTER": str(folder / CHAPTER)}

    def _accepted(self) -> dict[str, str]:
        folder = self.desk.session.folder
        kept = folder is not None and (folder / ACCEPTED).exists()
        return {"ACCEPT": str(folder / ACCEPTED)} if kept else {}

    # --- building ----------------------------------------------------------------------------------

    def _build(self) -> None:
        self.form, self._checklist = SubmissionForm(), Checklist()
        self.form.changed.connect(self._take_form)
        self._checklist.asked.connect(self._go)
        self.panel = FindingsPanel(self.desk)
        self.panel.changed.connect(self._refresh)
        self._why, self._headline = QLabel(), QLabel()
        for label in (self._why, self._headline):
            label.setWordWrap(True)
        self._upper = QBoxLayout(QBoxLayout.Direction.TopToBottom)
        self._upper.setSpacing(self.fontMetrics().height())
        self._upper.addWidget(self.form, 10)
        self._upper.addWidget(_titled(self.tr("Before it goes out"), self._checklist), 11)
        whole = QVBoxLayout(self)
        whole.addLayout(self._buttons())
        whole.addWidget(self._why)
        whole.addLayout(self._upper)
        whole.addWidget(self._headline)
        whole.addWidget(self.panel, 1)

    def _buttons(self) -> QHBoxLayout:
        self._export = QPushButton(self.tr("&Export…"))
        self._export.clicked.connect(self._choose_export)
        self._check = self._menu_button(
            self.tr("Check a pac&kage"),
            [
                (self.tr("Folder…"), self._choose_folder),
                (self.tr("Zip file…"), self._choose_zip),
            ],
        )
        self._consult = self._menu_button(
            self.tr("Consu&ltation"),
            [
                (self.tr("Prepare letter and list…"), self._choose_consultation),
                (self.tr("Take replies…"), self._choose_replies),
            ],
        )
        self._open = QPushButton(self.tr("Open &folder"))
        self._open.clicked.connect(self._open_folder)
        row = QHBoxLayout()
        for button in (self._export, self._check, self._consult, self._open):
            row.addWidget(button)
        row.addStretch(1)
        return row

    def _menu_button(self, title: str, entries: list[tuple[str, Callable[[], None]]]) -> QPushButton:
        button, menu = QPushButton(title), QMenu(self)
        for words, slot in entries:
            menu.addAction(words).triggered.connect(lambda *_, slot=slot: slot())
        button.setMenu(menu)
        return button

    # --- state -------------------------------------------------------------------------------------

    def _refresh(self) -> None:
        session = self.desk.session
        if self._of_export:
            self._last = self.panel.counts()
        self._checklist.refresh(session, self.form.document(), self._last)
        running = self.tr("Something is running") if self.desk.runner.busy else ""
        none = "" if session.result else self.tr("Zone the city first")
        reason = running or none or self._blocked()
        allow(
            self._export, reason, self.tr("Written aside, opened again, checked; only then put in its place")
        )
        allow(self._check, running, self.tr("Checks a package made anywhere; nothing in it is changed"))
        allow(self._consult, running or none, self.tr("The letter with one row a conflict, and its replies"))
        nothing = "" if self._shown is not None else self.tr("There is no package yet")
        allow(self._open, nothing)
        self._why.setText(reason)
        self._why.setVisible(bool(reason))
        self.panel.by = self.form.texts["compiler"].text().strip()
        self.state_changed.emit()

    def _blocked(self) -> str:
        blocking = self._checklist.blocking()
        if not blocking:
            return ""
        return self.tr("Not yet: {matters}").format(matters=" ".join(one.words for one in blocking))

    def _go(self, goal: Any) -> None:
        if isinstance(goal, type):
            self.page_wanted.emit(goal)
        elif goal == FINDINGS:
            self.panel.table.setFocus()
        elif goal == MERGE:
            self._merge_slivers()
        else:
            self.form.go_to(goal)

    def _merge_slivers(self) -> None:
        """Have the job merge slivers where it may, and go where the city is zoned again."""
        session = self.desk.session
        options = dict(session.job.get("options") or {})
        options["slivers"] = {**(options.get("slivers") or {}), "merge": "all"}
        session.set_job({**session.job, "options": options})
        self.page_wanted.emit(ZoningPage)

    def _take_form(self) -> None:
        """Keep the order in the working folder, so that it is there the next day."""
        folder = self.desk.session.folder
        if folder is not None and folder.is_dir():
            try:
                reports.write({**self._kept, **self.form.document()}, folder / orders.FILE)
            except SwcError as error:
                self.desk.say_error(error)
        self._refresh()

    def _take_folder(self) -> None:
        """Take up the order and the acceptances of the working folder."""
        folder = self.desk.session.folder
        try:
            document = orders.of_folder(folder)
        except SwcError as error:
            self.desk.say_error(error)
            document = {}
        if document:
            self.form.show_document(document)
            self._kept = {key: document[key] for key in orders.UNSHOWN if key in document}
        self.panel.take_folder()
        self._refresh()

    def _take_result(self) -> None:
        """Another result: what was exported is none of it."""
        self._last, self._of_export = None, False
        self._refresh()

    def _forget(self) -> None:
        self._shown, self._kept = None, {}
        self._take_result()
        self._headline.clear()
        self.form.show_document({})
        self.panel.show_findings([])

    # --- choosing ----------------------------------------------------------------------------------

    def _start(self, name: str) -> str:
        folder = self.desk.session.folder
        return "" if folder is None else str(folder / name if (folder / name).is_dir() else folder)

    def _choose_export(self) -> None:
        chosen = QFileDialog.getExistingDirectory(
            self, self.tr("Folder for the package"), self._start(PACKAGES)
        )
        if chosen:
            self.export(Path(chosen))

    def _choose_folder(self) -> None:
        chosen = QFileDialog.getExistingDirectory(self, self.tr("Package"), self._start(PACKAGES))
        if chosen:
            self.check(Path(chosen))

    def _choose_zip(self) -> None:
        chosen, _ = QFileDialog.getOpenFileName(
            self, self.tr("Package"), self._start(PACKAGES), "ZIP (*.zip *.ZIP)"
        )
        if chosen:
            self.check(Path(chosen))

    def _choose_consultation(self) -> None:
        chosen = QFileDialog.getExistingDirectory(
            self, self.tr("Folder for the consultation"), self._start(CONSULTATIONS)
        )
        if chosen:
            self.consult(Path(chosen))

    def _choose_replies(self) -> None:
        chosen, _ = QFileDialog.getOpenFileNames(
            self, self.tr("Filled lists of conflicts"), self._start(CONSULTATIONS), "Excel (*.xlsx *.XLSX)"
        )
        if chosen:
            self.consult(Path(chosen[0]).parent, chosen)

    def _open_folder(self) -> None:
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._shown)))

    # --- what came of it ---------------------------------------------------------------------------

    def _exported(self, ok: bool, found: Mapping[str, Any], folder: Path) -> None:
        current = self._asked is self.desk.session.result
        if ok:
            package = Path(found["PACKAGE"])
            self._read(package, _files(package, found), current)
        elif not self.desk.runner.cancelled:
            begun = self._begun
            self.desk.runner.work(
                lambda: packages.refused(folder, begun), lambda told: self._refused(told, current)
            )

    def _refused(self, told: Any, current: bool) -> None:
        """Show why there is no package, where the engine left a report."""
        if isinstance(told, packages.CheckFiles):
            self._read(None, told, current)

    def _checked(self, ok: bool, found: Mapping[str, Any], package: Path) -> None:
        if ok:
            self._read(package, _files(Path(found["OUTPUT"]), found), False)

    def _read(self, package: Path | None, files: packages.CheckFiles, current: bool) -> None:
        """Read what a check left, in the background, then show it."""

        def read() -> tuple[Any, Any]:
            shown = packages.survey(package, files.folder) if package is not None else None
            return packages.read_findings(files.lines), shown

        self.desk.runner.work(read, lambda told: self._take(told, package, files, current))

    def _take(self, told: Any, package: Path | None, files: packages.CheckFiles, current: bool) -> None:
        if isinstance(told, Exception):
            self.desk.say_error(told)
            return
        findings, shown = told
        self._shown, self._of_export = files.folder, current
        self.panel.show_findings(findings)
        counts = self.panel.counts()
        self._headline.setText(self._said(package, counts))
        self._refresh()
        if shown is not None:
            self._load(shown, files.places)
        level = Qgis.MessageLevel.Warning if counts["error"] else Qgis.MessageLevel.Success
        self.desk.say(level, self._headline.text())

    def _load(self, shown: packages.Shown, places: Path) -> None:
        try:
            packages.show(self.desk.session.project, shown, places)
        except SwcError as error:
            self.desk.say_error(error)

    def _said(self, package: Path | None, counts: Mapping[str, int]) -> str:
        words = self.tr(
            "{errors} errors, {warnings} open warnings in {groups} groups, {accepted} accepted."
        ).format(
            groups=f"{self.panel.groups():,}",
            errors=f"{counts['error']:,}",
            warnings=f"{counts['warning']:,}",
            accepted=f"{counts['accepted']:,}",
        )
        if package is None:
            return self.tr("No package was made. {words}").format(words=words)
        return f"{package.name}　{words}"

    def _consulted(self, ok: bool, found: Mapping[str, Any]) -> None:
        if not ok:
            return
        self._shown = Path(found["OUTPUT"])
        if found.get("RECORD"):
            self.form.files["consultation"].setFilePath(found["RECORD"])
        self._refresh()
        words = self.tr("The consultation is in {path}.").format(path=found["OUTPUT"])
        self.desk.say(Qgis.MessageLevel.Success, words)


def _files(folder: Path, found: Mapping[str, Any]) -> packages.CheckFiles:
    return packages.CheckFiles(folder, *(Path(found[name]) for name in ("REPORT", "LINES", "PLACES")))


def _titled(title: str, widget: QWidget) -> QWidget:
    whole = QWidget()
    column = QVBoxLayout(whole)
    column.setContentsMargins(0, 0, 0, 0)
    column.addWidget(QLabel(f"<b>{title}</b>"))
    column.addWidget(widget, 1)
    return whole


def _iso(day: str) -> str:
    return f"{day[:4]}-{day[4:6]}-{day[6:]}"
