# SPDX-License-Identifier: GPL-2.0-or-later
"""The page of the chapter: what it will lack, its documents, tables and maps, and what was made of it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from qgis.core import Qgis
from qgis.PyQt.QtCore import QUrl
from qgis.PyQt.QtGui import QDesktopServices
from qgis.PyQt.QtWidgets import (
    QComboBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from swc_zoning.engine.chapter import delivery
from swc_zoning.engine.messages import SwcError
from swc_zoning.engine.submission.order import FORMATS, Order
from swc_zoning.gui.chapter_checklist import ChapterChecklist
from swc_zoning.gui.chapter_dialog import ChapterDialog, DocumentsDialog, MapsDialog
from swc_zoning.gui.desk import Desk
from swc_zoning.gui.page import Level, Page, State, allow
from swc_zoning.gui.places import CHAPTER, PACKAGES, free_folder
from swc_zoning.gui.submission_page import SubmissionPage
from swc_zoning.gui.tables import Column, RowsModel, RowsView
from swc_zoning.qgis_bridge import chapters, orders

_TABLES = "tables"
#: Keys of the order that are asked for here; all others on the page of the submission.
_TEXTS = ("plan_name", "compiler")


class ChapterPage(Page):
    """Writes the chapter of the plan from the result."""

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(desk, parent)
        self._order: dict[str, Any] = {}
        self._made: list[chapters.There] = []
        self._quality: Path | None = None
        self._looked, self._showing, self._templates = False, False, ""
        self._build()
        session = desk.session
        for signal in (session.job_changed, session.rules_changed):
            signal.connect(self._refresh)
        session.folder_changed.connect(self._take_folder)
        session.result_changed.connect(self._look)
        desk.runner.started.connect(self._refresh)
        desk.runner.finished.connect(self._refresh)
        self._take_folder()

    def title(self) -> str:
        """Return the name of the page."""
        return self.tr("Chapter")

    def state(self) -> State:
        """Return how the chapter stands."""
        if self.desk.session.result is None:
            return State(Level.BLOCKED, self.tr("Zone the city first"))
        parts = {one.part for one in self._made if one.of_result}
        if "documents" in parts:
            maps = self.tr("documents and maps") if chapters.MAPS in parts else self.tr("documents, no maps")
            return State(Level.DONE, maps)
        if self._made:
            return State(Level.OPEN, self.tr("Of another result: write it anew"))
        blocking = self._checklist.blocking()
        if blocking:
            return State(Level.OPEN, self.tr("Blocked: {count}").format(count=len(blocking)))
        return State(Level.OPEN, self.tr("Ready to write"))

    def activate(self) -> None:
        """Take up what another page put into the order, and look what is there."""
        self._take_folder()

    # --- doing -------------------------------------------------------------------------------------

    def write(self, chosen: Mapping[str, Any]) -> None:
        """Write documents, tables and charts with these parameters, in the background."""
        self._templates = chosen.get("TEMPLATES", "")
        self._run("writechapter", {**chosen, **self._checked()}, self.tr("Writing the chapter"))

    def tabulate(self, chosen: Mapping[str, Any]) -> None:
        """Make only the tables with these parameters, in the background."""
        self._run("maketables", {**chosen, **self._checked()}, self.tr("Making tables"))

    def draw(self, chosen: Mapping[str, Any]) -> None:
        """Make map sheets with these parameters; QGIS draws them between its other work."""
        self._run("makemaps", chosen, self.tr("Making maps"))

    def _run(self, algorithm: str, chosen: Mapping[str, Any], title: str) -> None:
        session = self.desk.session
        try:
            orders.keep(session.folder, self._document())
            settings = str(session.folder / orders.FILE)
            given = {**chosen, "RESULT": str(session.result.folder), "SETTINGS": settings}
            self.desk.runner.run(f"swc_zoning:{algorithm}", given, self._ended, title)
        except SwcError as error:
            self.desk.say_error(error)

    def _checked(self) -> dict[str, str]:
        return {} if self._quality is None else {"QUALITY": str(self._quality)}

    def _ended(self, ok: bool, found: Mapping[str, Any]) -> None:
        if ok:
            words = self.tr("Written: {path}").format(path=found["OUTPUT"])
            self.desk.say(Qgis.MessageLevel.Success, words)
        self._look()

    # --- building ----------------------------------------------------------------------------------

    def _build(self) -> None:
        self._checklist = ChapterChecklist()
        self._checklist.asked.connect(self._go)
        self._why = QLabel()
        self._why.setWordWrap(True)
        self.made = RowsView(RowsModel(self._columns()))
        self.made.setAccessibleName(self.tr("What was made"))
        self.made.doubleClicked.connect(lambda index: _open(Path(self.made.row_at(index)["path"])))
        column = QVBoxLayout(self)
        column.addLayout(self._buttons())
        column.addWidget(self._why)
        column.addLayout(self._form())
        before, made = self.tr("Before it is written"), self.tr("What was made")
        column.addWidget(QLabel(f"<b>{before}</b>"))
        column.addWidget(self._checklist)
        column.addWidget(QLabel(f"<b>{made}</b>"))
        column.addWidget(self.made, 1)

    def _columns(self) -> list[Column]:
        return [
            Column(self.tr("Part"), "part"),
            Column(self.tr("File"), "name"),
            Column(self.tr("Written"), "written"),
            Column(self.tr("Result"), "result"),
        ]

    def _buttons(self) -> QHBoxLayout:
        self._write = QPushButton(self.tr("&Write documents…"))
        self._tabulate = QPushButton(self.tr("Make &tables…"))
        self._draw = QPushButton(self.tr("Make &maps…"))
        self._open = QPushButton(self.tr("Open &folder"))
        slots = (self._choose_documents, self._choose_tables, self._choose_maps, self._open_folder)
        row = QHBoxLayout()
        for button, slot in zip((self._write, self._tabulate, self._draw, self._open), slots):
            button.clicked.connect(lambda _=False, slot=slot: slot())
            row.addWidget(button)
        row.addStretch(1)
        return row

    def _form(self) -> QFormLayout:
        form = QFormLayout()
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        self.stage = QComboBox()
        for key, name in orders.stages().items():
            self.stage.addItem(name, key)
        self.stage.setToolTip(self.tr("The mark on documents and maps; the same as on the page Submission"))
        self.texts = {key: QLineEdit() for key in _TEXTS}
        form.addRow(self.tr("St&age"), self.stage)
        form.addRow(self.tr("Plan &name"), self.texts["plan_name"])
        form.addRow(self.tr("&Compiler"), self.texts["compiler"])
        self.stage.currentIndexChanged.connect(self._take_form)
        for edit in self.texts.values():
            edit.textChanged.connect(self._take_form)
        return form

    # --- state -------------------------------------------------------------------------------------

    def _document(self) -> dict[str, Any]:
        """Return what the form says; "" for what is empty."""
        texts = {key: edit.text().strip() for key, edit in self.texts.items()}
        return {"stage": self.stage.currentData(), **texts}

    def _whole(self) -> dict[str, Any]:
        """Return the order as it stands, what nobody said as for a new one."""
        said = {key: value for key, value in self._document().items() if value}
        kept = {key: value for key, value in self._order.items() if key not in (*_TEXTS, "stage")}
        return {"profile": Order().profile, "formats": list(FORMATS), **kept, **said}

    def _take_form(self) -> None:
        """Keep the order in the working folder, where the page of the submission finds it."""
        folder = self.desk.session.folder
        if self._showing:
            return
        if folder is not None and folder.is_dir():
            try:
                orders.keep(folder, self._document())
            except SwcError as error:
                self.desk.say_error(error)
        self._refresh()

    def _take_folder(self) -> None:
        """Take up the order of the working folder."""
        try:
            self._order = orders.of_folder(self.desk.session.folder)
        except SwcError as error:
            self._order = {}
            self.desk.say_error(error)
        self._showing = True
        self.stage.setCurrentIndex(self.stage.findData(self._order.get("stage", Order().stage)))
        for key, edit in self.texts.items():
            edit.setText(str(self._order.get(key) or ""))
        self._showing = False
        self._look()

    def _look(self) -> None:
        """Look, in the background, what of the chapter there is and whether the result was checked."""
        session = self.desk.session
        if session.folder is None or session.result is None:
            self._found(([], None), session.result)
            return
        folder, result = session.folder, session.result

        def look() -> tuple[list[chapters.There], Path | None]:
            there = chapters.there(folder / CHAPTER, result.summary)
            return there, chapters.quality_of(folder / PACKAGES, result.summary)

        self._looked = False
        self._refresh()
        self.desk.runner.work(look, lambda found: self._found(found, result))

    def _found(self, found: Any, result: Any) -> None:
        if result is not self.desk.session.result:
            return
        if isinstance(found, Exception):
            self.desk.say_error(found)
            found = ([], None)
        self._made, self._quality = found
        self._looked = True
        self.made.rows_model.set_rows([self._row(one) for one in self._made])
        self._refresh()

    def _row(self, one: chapters.There) -> dict[str, Any]:
        parts = {
            "documents": self.tr("Document"),
            "tables": self.tr("Tables"),
            "charts": self.tr("Chart"),
            chapters.MAPS: self.tr("Map"),
        }
        whose = self.tr("this one") if one.of_result else self.tr("another one")
        written = f"{one.written:%Y-%m-%d %H:%M}"
        named = {"part": parts[one.part], "name": one.path.name, "written": written, "result": whose}
        return {**named, "path": str(one.path)}

    def _refresh(self) -> None:
        session = self.desk.session
        checked = self._quality is not None if self._looked else None
        self._checklist.refresh(session, self._whole(), checked)
        blocking = self._checklist.blocking()
        reason = self.tr("Something is running") if self.desk.runner.busy else ""
        if not reason and blocking:
            reason = self.tr("Not yet: {matters}").format(matters=" ".join(one.words for one in blocking))
        allow(self._write, reason, self.tr("Text and notes as Word documents, with tables and charts"))
        allow(self._tabulate, reason, self.tr("Only the tables, as xlsx and CSV"))
        allow(self._draw, reason, self.tr("Sheets of the city and of its districts, as PDF and pictures"))
        allow(self._open, "" if self._made else self.tr("There is no chapter yet"))
        self._why.setText(reason)
        self._why.setVisible(bool(reason))
        self.state_changed.emit()

    def _go(self, goal: Any) -> None:
        if isinstance(goal, type):
            self.page_wanted.emit(goal)
        elif goal in self.texts:
            self.texts[goal].setFocus()
        else:
            self.page_wanted.emit(SubmissionPage)

    # --- choosing ----------------------------------------------------------------------------------

    def _choose_documents(self) -> None:
        title = self.tr("Write documents")
        dialog = DocumentsDialog(title, self._place(), self._templates, self)
        if dialog.exec():
            self.write(dialog.parameters())

    def _choose_tables(self) -> None:
        place = free_folder(self.desk.session.folder / _TABLES)
        dialog = ChapterDialog(self.tr("Make tables"), place, "", self)
        if dialog.exec():
            self.tabulate(dialog.parameters())

    def _choose_maps(self) -> None:
        dialog = MapsDialog(self.tr("Make maps"), self._place() / delivery.MAPS, "", self)
        if dialog.exec():
            self.draw(dialog.parameters())

    def _place(self) -> Path:
        return self.desk.session.folder / CHAPTER

    def _open_folder(self) -> None:
        _open(self._place())


def _open(path: Path) -> None:
    QDesktopServices.openUrl(QUrl.fromLocalFile(str(path)))
