# SPDX-License-Identifier: GPL-2.0-or-later
"""The dock of the workbench: pages in any order, each with its state in colour and words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from qgis.core import Qgis, QgsProject
from qgis.PyQt.QtCore import QSize, Qt
from qgis.PyQt.QtGui import QPalette
from qgis.PyQt.QtWidgets import (
    QDockWidget,
    QFileDialog,
    QFrame,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QMessageBox,
    QProgressBar,
    QPushButton,
    QScrollArea,
    QSplitter,
    QStackedWidget,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from swc_zoning.engine.messages import SwcError
from swc_zoning.gui.chapter_page import ChapterPage
from swc_zoning.gui.check_page import CheckPage
from swc_zoning.gui.compare_page import ComparePage
from swc_zoning.gui.desk import Desk
from swc_zoning.gui.layers_page import LayersPage
from swc_zoning.gui.marks import ICON, mark
from swc_zoning.gui.page import Page
from swc_zoning.gui.rules_page import RulesPage
from swc_zoning.gui.screening_page import ScreeningPage
from swc_zoning.gui.submission_page import SubmissionPage
from swc_zoning.gui.targets_page import TargetsPage
from swc_zoning.gui.whatif_page import WhatIfPage
from swc_zoning.gui.why_page import WhyPage
from swc_zoning.gui.zoning_page import ZoningPage
from swc_zoning.qgis_bridge import host
from swc_zoning.qgis_bridge.settings import Settings

#: In the order of a planner's day; any order of use is possible.
PAGES: tuple[type[Page], ...] = (
    LayersPage,
    CheckPage,
    RulesPage,
    ZoningPage,
    WhatIfPage,
    WhyPage,
    ScreeningPage,
    TargetsPage,
    ComparePage,
    ChapterPage,
    SubmissionPage,
)


class Workbench(QDockWidget):
    """The dock; `iface` is the interface of QGIS."""

    def __init__(self, iface: Any, project: QgsProject, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Soil and Water Conservation Zoning"))
        self.setObjectName("swcZoningWorkbench")
        self.desk = Desk(iface, project)
        self.pages: list[Page] = [kind(self.desk) for kind in PAGES]
        self._shown: Page | None = None
        self._looked = False
        self._build()
        self._connect()
        self._show(0)
        self._refresh_folder()

    def showEvent(self, event: Any) -> None:  # noqa: N802 (Qt's own name)
        """Look for the Python of the engine beforehand, so that neither run nor toolbox waits."""
        super().showEvent(event)
        if not self._looked:
            self._looked = True
            setting = Settings().python
            self.desk.runner.work(lambda: host.search(setting), lambda found: None)

    def show_page(self, kind: type[Page]) -> None:
        """Bring the page of a kind to the front."""
        self._list.setCurrentRow([type(page) for page in self.pages].index(kind))

    def unload(self) -> None:
        """Take away everything that lives outside this dock."""
        if self._shown is not None:
            self._shown.deactivate()
        for page in self.pages:
            page.unload()
        self.desk.close()

    # --- building ----------------------------------------------------------------------------------

    def _build(self) -> None:
        self._list, self._stack = QListWidget(), QStackedWidget()
        self._list.setIconSize(QSize(ICON, ICON))
        self._list.setWordWrap(True)
        self._list.setAccessibleName(self.tr("Pages"))
        for page in self.pages:
            self._list.addItem(QListWidgetItem(page.title()))
            self._stack.addWidget(_scrolling(page))
        split = QSplitter(Qt.Orientation.Horizontal)
        split.addWidget(self._list)
        split.addWidget(self._stack)
        split.setStretchFactor(1, 1)
        split.setSizes([170, 470])
        whole = QWidget()
        column = QVBoxLayout(whole)
        column.addLayout(self._head())
        column.addWidget(split, 1)
        column.addWidget(self._foot())
        self.setWidget(whole)

    def _head(self) -> QHBoxLayout:
        self._folder = QLabel()
        self._folder.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        choose = QPushButton(self.tr("&Working folder…"))
        choose.setToolTip(self.tr("Where the job, the rules and the results of this project are kept"))
        choose.clicked.connect(self._choose_folder)
        self._demo = QPushButton(self.tr("&Demo city…"))
        self._demo.setToolTip(self.tr("Copy the demo city into a folder and zone it"))
        self._demo.clicked.connect(self._choose_demo)
        row = QHBoxLayout()
        row.addWidget(choose)
        row.addWidget(self._folder, 1)
        row.addWidget(self._demo)
        return row

    def _foot(self) -> QWidget:
        self._progress, self._doing = QProgressBar(), QLabel()
        self._progress.setRange(0, 1000)
        self._progress.setTextVisible(True)
        self._cancel = QToolButton()
        self._cancel.setText(self.tr("Cancel"))
        self._cancel.clicked.connect(self._stop)
        foot = QWidget()
        row = QHBoxLayout(foot)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self._doing, 1)
        row.addWidget(self._progress, 1)
        row.addWidget(self._cancel)
        foot.hide()
        self._running = foot
        return foot

    def _connect(self) -> None:
        session, runner = self.desk.session, self.desk.runner
        self._list.currentRowChanged.connect(self._show)
        for page in self.pages:
            page.state_changed.connect(self._refresh_states)
            page.page_wanted.connect(self.show_page)
        session.folder_changed.connect(self._refresh_folder)
        changes = (session.folder_changed, session.job_changed, session.rules_changed)
        for signal in (*changes, session.findings_changed, session.result_changed):
            signal.connect(self._refresh_states)
        session.troubled.connect(lambda text: self.desk.say(Qgis.MessageLevel.Warning, text))
        runner.started.connect(self._begun)
        runner.progressed.connect(self._moved)
        runner.finished.connect(self._over)
        runner.said.connect(self._told)
        self._refresh_states()

    # --- pages -------------------------------------------------------------------------------------

    def _show(self, number: int) -> None:
        if self._shown is not None:
            self._shown.deactivate()
        self._shown = self.pages[number]
        if self._list.currentRow() != number:
            self._list.setCurrentRow(number)
        self._stack.setCurrentIndex(number)
        self._shown.activate()

    def _refresh_states(self) -> None:
        for number, page in enumerate(self.pages):
            state, item = page.state(), self._list.item(number)
            item.setIcon(mark(state.level))
            item.setText(f"{page.title()}\n{state.words}")
            item.setToolTip(state.words)

    def _refresh_folder(self) -> None:
        folder = self.desk.session.folder
        self._folder.setText(self.tr("not chosen yet") if folder is None else folder.name)
        self._folder.setToolTip("" if folder is None else str(folder))

    def _choose_folder(self) -> None:
        chosen = QFileDialog.getExistingDirectory(self, self.tr("Working folder"), Settings().working_folder)
        if chosen:
            self.take_folder(Path(chosen))

    def take_folder(self, folder: Path) -> None:
        """Work in `folder`; what cannot be read there is said."""
        try:
            self.desk.session.set_folder(folder)
        except SwcError as error:
            self.desk.say_error(error)

    # --- demo city ---------------------------------------------------------------------------------

    def _choose_demo(self) -> None:
        chosen = QFileDialog.getExistingDirectory(
            self, self.tr("Folder for the demo city"), Settings().working_folder
        )
        if chosen and self._may_replace():
            self.make_demo(Path(chosen))

    def _may_replace(self) -> bool:
        """Ask before the demo city takes the place of a job that is there."""
        if not self.desk.session.job.get("layers"):
            return True
        words = self.tr(
            "The demo city takes the place of the job of this project. Its files stay as they are."
        )
        button = QMessageBox.StandardButton
        asked = QMessageBox.question(
            self, self.tr("Demo city"), words, button.Ok | button.Cancel, button.Cancel
        )
        return asked == button.Ok

    def make_demo(self, folder: Path) -> None:
        """Copy the demo city into `folder`, take its job and zone it. Says what went wrong."""
        parameters = {"OUTPUT": str(folder)}
        try:
            self.desk.runner.run(
                "swc_zoning:democity", parameters, self._demo_made, self.tr("Making the demo city")
            )
        except SwcError as error:
            self.desk.say_error(error)

    def _demo_made(self, ok: bool, results: dict) -> None:
        if not ok:
            return
        job = Path(results["JOB"])
        session = self.desk.session
        try:
            session.begin_anew()
            session.set_folder(job.parent)
            session.set_scenario(self.tr("Demo city"))
        except SwcError as error:
            self.desk.say_error(error)
            return
        self.show_page(ZoningPage)
        next(page for page in self.pages if isinstance(page, ZoningPage)).run()

    # --- what runs ---------------------------------------------------------------------------------

    def _begun(self, title: str) -> None:
        self._demo.setEnabled(False)
        self._cancel.setEnabled(True)
        self._doing.setText(title)
        self._progress.setValue(0)
        self._running.show()

    def _moved(self, fraction: float, step: str, left_s: float) -> None:
        self._progress.setValue(round(1000 * fraction))
        left = "" if left_s < 0 else self.tr(", about {seconds} s left").format(seconds=round(left_s))
        self._doing.setText(f"{step}{left}")

    def _stop(self) -> None:
        self._cancel.setEnabled(False)
        self._doing.setText(self.tr("Stopping…"))
        self.desk.runner.cancel()

    def _over(self, ok: bool) -> None:
        self._demo.setEnabled(True)
        self._running.hide()
        if not ok and self.desk.runner.cancelled:
            self.desk.say(Qgis.MessageLevel.Info, self.tr("Cancelled; nothing was left behind."))

    def _told(self, severity: str, sentence: str) -> None:
        if severity == "error" and not self.desk.runner.cancelled:
            self.desk.say(Qgis.MessageLevel.Critical, sentence)


def _scrolling(page: Page) -> QScrollArea:
    area = QScrollArea()
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setWidgetResizable(True)
    area.setBackgroundRole(QPalette.ColorRole.Window)
    area.setWidget(page)
    return area
