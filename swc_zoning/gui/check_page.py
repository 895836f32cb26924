# SPDX-License-Identifier: GPL-2.0-or-later
"""The page that checks the layers: what was found, the proof, the place, and what can be done about it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from qgis.core import Qgis, QgsGeometry, QgsPointXY
from qgis.PyQt.QtCore import Qt
from qgis.PyQt.QtGui import QGuiApplication
from qgis.PyQt.QtWidgets import (
    QFileDialog,
    QHBoxLayout,
    QInputDialog,
    QLabel,
    QLineEdit,
    QPushButton,
    QScrollArea,
    QSplitter,
    QTextBrowser,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from swc_zoning.engine import reports
from swc_zoning.engine.messages import SEVERITIES, SwcError
from swc_zoning.gui import fixing
from swc_zoning.gui.desk import Desk
from swc_zoning.gui.finding_tree import LEVELS, FindingTree, details, number_of
from swc_zoning.gui.marks import mark
from swc_zoning.gui.page import Level, Page, State, allow
from swc_zoning.gui.tables import Column, RowsModel, as_text, write_csv

REPORT = "check.json"


class CheckPage(Page):
    """Checks the layers of the job and lets their findings be settled on a copy."""

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(desk, parent)
        self.checked: fixing.Checked | None = None
        self._asked: dict[str, Any] = {}
        #: (job before, job after) of each fix, the last one last.
        self._steps: list[tuple[dict[str, Any], dict[str, Any]]] = []
        self._build()
        session = desk.session
        for signal in (session.folder_changed, session.job_changed, session.findings_changed):
            signal.connect(self._refresh)
        desk.runner.started.connect(self._refresh)
        desk.runner.finished.connect(self._refresh)
        self._refresh()

    def title(self) -> str:
        """Return the name of the page."""
        return self.tr("Check")

    def state(self) -> State:
        """Return how the layers stand."""
        reason = self._why_not()
        if reason:
            return State(Level.BLOCKED, reason)
        findings = self.desk.session.findings
        if findings is None:
            words = (
                self.tr("Not checked yet")
                if self.checked is None
                else self.tr("Not checked since the last change")
            )
            return State(Level.OPEN, words)
        counts = Counter(one["severity"] for one in findings)
        words = self.tr("{errors} errors, {warnings} warnings").format(
            errors=counts["error"], warnings=counts["warning"]
        )
        return State(Level.PROBLEM if counts["error"] else Level.DONE, words)

    def check(self) -> None:
        """Check the job as the session has it."""
        session = self.desk.session
        try:
            job = session.write_job()
            self._asked = session.job
            parameters = {"JOB": str(job), "REPORT": str(job.with_name(REPORT))}
            self.desk.runner.run("swc_zoning:checkinputs", parameters, self._finished, self.tr("Checking"))
        except SwcError as error:
            self.desk.say_error(error)

    def take_report(self, report: Any) -> None:
        """Show a report (or the error that came instead of one) about the job that was asked about."""
        if isinstance(report, Exception):
            self.desk.say_error(report)
            return
        self.checked = fixing.taken(report, self._asked or self.desk.session.job)
        self._steps.clear()
        if self.checked.job == self.desk.session.job:
            self.desk.session.set_findings(list(self.checked.findings))
        self._show()

    # --- building ----------------------------------------------------------------------------------

    def _build(self) -> None:
        self._why = QLabel()
        self._why.setWordWrap(True)
        self.tree, self.detail = FindingTree(), QTextBrowser()
        self.tree.chosen.connect(self._show_details)
        self.tree.asked.connect(self._zoom)
        self.detail.setAccessibleName(self.tr("The finding in full"))
        self.detail.setPlaceholderText(
            self.tr("Check first; then choose a finding to read its reason and what can be done.")
        )
        lower = QWidget()
        column = QVBoxLayout(lower)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.detail, 2)
        column.addWidget(self._fix_area(), 1)
        split = QSplitter(Qt.Orientation.Vertical)
        split.addWidget(self.tree)
        split.addWidget(lower)
        split.setSizes([320, 320])
        whole = QVBoxLayout(self)
        whole.addLayout(self._head())
        whole.addWidget(self._why)
        whole.addLayout(self._filters())
        whole.addWidget(split, 1)
        whole.addLayout(self._foot())
        self._show()

    def _head(self) -> QHBoxLayout:
        self._run = QPushButton(self.tr("&Check"))
        self._run.clicked.connect(self.check)
        self._sure = QPushButton(self.tr("Apply all &sure fixes"))
        self._sure.clicked.connect(self._apply_sure)
        self._undo = QPushButton(self.tr("&Undo fix"))
        self._undo.clicked.connect(self._undo_last)
        row = QHBoxLayout()
        for button in (self._run, self._sure, self._undo):
            row.addWidget(button)
        row.addStretch(1)
        return row

    def _filters(self) -> QHBoxLayout:
        self._words = QLineEdit()
        self._words.setPlaceholderText(self.tr("Filter by words, layer or code"))
        self._words.setClearButtonEnabled(True)
        self._words.textChanged.connect(self._show)
        row = QHBoxLayout()
        row.addWidget(self._words, 1)
        self._toggles: dict[str, QToolButton] = {}
        tips = {
            "error": self.tr("Show errors"),
            "warning": self.tr("Show warnings"),
            "info": self.tr("Show notes"),
        }
        for severity in SEVERITIES:
            button = QToolButton()
            button.setCheckable(True)
            button.setChecked(True)
            button.setIcon(mark(LEVELS[severity]))
            button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
            button.setToolTip(tips[severity])
            button.setAccessibleName(tips[severity])
            button.toggled.connect(self._show)
            self._toggles[severity] = button
            row.addWidget(button)
        return row

    def _fix_area(self) -> QScrollArea:
        self._fixes = QWidget()
        self._fixes_column = QVBoxLayout(self._fixes)
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setWidget(self._fixes)
        area.setAccessibleName(self.tr("What can be done"))
        return area

    def _foot(self) -> QHBoxLayout:
        self._zoom_to = QPushButton(self.tr("&Zoom to place"))
        self._zoom_to.clicked.connect(lambda: self._zoom(self._number()))
        self._accept = QPushButton(self.tr("&Accept…"))
        self._accept.clicked.connect(self._ask_reason)
        self._copy = QPushButton(self.tr("Co&py"))
        self._copy.clicked.connect(self._copy_text)
        self._save = QPushButton(self.tr("Sa&ve as CSV…"))
        self._save.clicked.connect(self._save_table)
        row = QHBoxLayout()
        for button in (self._zoom_to, self._accept, self._copy, self._save):
            row.addWidget(button)
        row.addStretch(1)
        return row

    # --- state -------------------------------------------------------------------------------------

    def _why_not(self) -> str:
        session = self.desk.session
        if self.desk.runner.busy:
            return self.tr("Something is running")
        if session.folder is None:
            return self.tr("Choose a working folder first")
        if not session.job.get("layers") and not session.job.get("extent"):
            return self.tr("No layer has a role yet: see the page Layers")
        return ""

    def _refresh(self) -> None:
        session, reason = self.desk.session, self._why_not()
        if self.checked is not None and not session.job.get("layers"):
            self.checked = None
            self._steps.clear()
            self._show()
        allow(
            self._run, reason, self.tr("Opens every layer and tells what is wrong; the data stay as they are")
        )
        self._why.setText(self._note(reason))
        self._why.setVisible(bool(self._why.text()))
        running = self.tr("Something is running") if self.desk.runner.busy else ""
        sure = [] if self.checked is None else fixing.sure_fixes(self.checked, session.job)
        allow(
            self._sure,
            running or ("" if sure else self.tr("There is no proved fix left")),
            self.tr("{count} fixes whose proof is in the data").format(count=len(sure)),
        )
        undone = "" if self._can_undo() else self.tr("No fix was made since the job last changed otherwise")
        allow(self._undo, running or undone, self.tr("Take back the last fix"))
        self._show_details(self._number())
        self.state_changed.emit()

    def _note(self, reason: str) -> str:
        if reason or self.checked is None or self.desk.session.findings is not None:
            return reason
        return self.tr("The job changed: what is shown is from the last check.")

    def _can_undo(self) -> bool:
        return bool(self._steps) and self._steps[-1][1] == self.desk.session.job

    def _number(self) -> int:
        return number_of(self.tree.currentItem())

    def _finding(self, number: int) -> Mapping[str, Any] | None:
        return self.checked.findings[number] if self.checked and number >= 0 else None

    # --- check -------------------------------------------------------------------------------------

    def _finished(self, ok: bool, results: dict) -> None:
        if ok:
            path = Path(results["REPORT"])
            self.desk.runner.work(lambda: reports.read(path), self.take_report)

    def _show(self) -> None:
        findings = self.checked.findings if self.checked else ()
        counts = Counter(one["severity"] for one in findings)
        for severity, button in self._toggles.items():
            button.setText(str(counts[severity]))
        severities = {severity for severity, button in self._toggles.items() if button.isChecked()}
        self.tree.show_findings(findings, severities, self._words.text())
        nothing = "" if findings else self.tr("There are no findings to write")
        allow(self._copy, nothing, self.tr("Copy what is shown as a table"))
        allow(self._save, nothing, self.tr("Save what is shown as a table"))
        self._show_details(self._number())

    def _show_details(self, number: int) -> None:
        finding = self._finding(number)
        self._clear_fixes()
        unchosen = self.tr("Choose a finding")
        if finding is None:
            self.detail.setHtml("")
            allow(self._zoom_to, unchosen)
            allow(self._accept, unchosen)
            return
        self.detail.setHtml(details(finding))
        placed = finding.get("place") and self.checked.crs
        allow(self._zoom_to, "" if placed else self.tr("This finding has no place on the map"))
        allow(
            self._accept, self._why_not_accept(finding), self.tr("Go on with it, with a reason that is kept")
        )
        self._show_fixes(finding)

    def _why_not_accept(self, finding: Mapping[str, Any]) -> str:
        if fixing.is_accepted(self.desk.session.job, finding):
            return self.tr("It is accepted already")
        if not fixing.acceptable(finding):
            if finding["severity"] == "error":
                return self.tr("Without a fix there is nothing to work with: it cannot be accepted")
            return self.tr("It stops no run: there is nothing to accept")
        return ""

    # --- fixes -------------------------------------------------------------------------------------

    def _clear_fixes(self) -> None:
        while self._fixes_column.count():
            widget = self._fixes_column.takeAt(0).widget()
            if widget is not None:
                widget.hide()
                widget.deleteLater()

    def _show_fixes(self, finding: Mapping[str, Any]) -> None:
        fixes = finding.get("fixes", ())
        head = QLabel(self._fix_words(finding))
        head.setWordWrap(True)
        self._fixes_column.addWidget(head)
        for fix in fixes:
            self._fixes_column.addWidget(self._fix_button(fix))
        self._fixes_column.addStretch(1)

    def _fix_words(self, finding: Mapping[str, Any]) -> str:
        fixes = finding.get("fixes", ())
        if not fixes:
            if finding["severity"] == "info":
                return self.tr("Nothing has to be done.")
            return self.tr("No change of the job settles this: mend the source, or ask its provider.")
        if any(fix["sure"] for fix in fixes):
            return self.tr("Settled on a copy, the data stay as they are; the proof is above.")
        return self.tr("Choose one; it is done on a copy, the data stay as they are.")

    def _fix_button(self, fix: Mapping[str, Any]) -> QPushButton:
        words = fix.get("sentence") or ", ".join(f"{key}: {value}" for key, value in fix["change"].items())
        words = words[:1].upper() + words[1:]
        if fix["sure"]:
            words = self.tr("{words} (proved)").format(words=words)
        button = QPushButton(words.replace("&", "&&"))
        button.setObjectName("fix")
        reason, job = "", self.desk.session.job
        if not fixing.fits(self.checked, fix, job):
            reason = self.tr("The layer was changed since the check: check again")
        elif fixing.is_done(job, fix):
            reason = self.tr("Done")
            button.setIcon(mark(Level.DONE))
        elif self.desk.runner.busy:
            reason = self.tr("Something is running")
        elif fix["sure"]:
            button.setIcon(mark(Level.OPEN))
        allow(button, reason, words)
        button.clicked.connect(lambda: self._apply([fix]))
        return button

    def _apply(self, fixes: list[Mapping[str, Any]]) -> None:
        before = self.desk.session.job
        self._change(before, fixing.fixed(before, fixes))

    def _apply_sure(self) -> None:
        fixes = fixing.sure_fixes(self.checked, self.desk.session.job)
        self._apply(fixes)
        self.desk.say(
            Qgis.MessageLevel.Info,
            self.tr("Proved fixes made in the job: {count}. Check again to see what is left.").format(
                count=len(fixes)
            ),
        )

    def _change(self, before: dict[str, Any], after: dict[str, Any]) -> None:
        self._steps.append((before, after))
        self.desk.session.set_job(after)
        # The session may keep another form of it; what it keeps is what can be undone.
        self._steps[-1] = (before, self.desk.session.job)
        self._refresh()

    def _undo_last(self) -> None:
        before, _ = self._steps.pop()
        self.desk.session.set_job(before)

    def _ask_reason(self) -> None:
        finding = self._finding(self._number())
        question = self.tr("Why can this be accepted? The reason goes into the job and the report.")
        reason, ok = QInputDialog.getText(self, self.tr("Accept the finding"), question)
        if ok and reason.strip():
            self.accept_finding(finding, reason.strip())

    def accept_finding(self, finding: Mapping[str, Any], reason: str) -> None:
        """Note in the job that a finding is known and accepted."""
        before = self.desk.session.job
        self._change(before, fixing.accepted(before, finding, reason))

    # --- place and table ---------------------------------------------------------------------------

    def _zoom(self, number: int) -> None:
        finding = self._finding(number)
        if finding is None or not finding.get("place") or not self.checked.crs:
            return
        point = QgsPointXY(*finding["place"])
        self.desk.zoom_to(point, self.checked.crs)
        self.desk.flash(QgsGeometry.fromPointXY(point), self.checked.crs)

    def _rows(self) -> RowsModel:
        columns = [
            Column(self.tr("Severity"), "severity"),
            Column(self.tr("Layer"), "layer"),
            Column(self.tr("Finding"), "text"),
            Column(self.tr("Code"), "code"),
            Column(self.tr("East"), lambda row: (row.get("place") or (None, None))[0]),
            Column(self.tr("North"), lambda row: (row.get("place") or (None, None))[1]),
            Column(self.tr("Area (m²)"), "measure_m2"),
        ]
        model = RowsModel(columns, self)
        model.set_rows([self.checked.findings[number] for number in self.tree.numbers()])
        return model

    def _copy_text(self) -> None:
        QGuiApplication.clipboard().setText(as_text(self._rows()))

    def _save_table(self) -> None:
        start = str((self.desk.session.folder or Path()) / "check.csv")
        chosen, _ = QFileDialog.getSaveFileName(self, self.tr("Save the findings"), start, "CSV (*.csv)")
        if not chosen:
            return
        try:
            write_csv(self._rows(), Path(chosen))
        except OSError as error:
            self.desk.say_error(error)
