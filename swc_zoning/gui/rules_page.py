# SPDX-License-Identifier: GPL-2.0-or-later
"""The decision table as a spreadsheet: edited, checked at once, tried on a test bench, undone, exchanged."""

from __future__ import annotations

import json
import os
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from qgis.core import Qgis
from qgis.PyQt.QtCore import QItemSelectionModel, QModelIndex, QSortFilterProxyModel, Qt, QTimer
from qgis.PyQt.QtGui import QGuiApplication, QKeySequence
from qgis.PyQt.QtWidgets import (
    QAbstractItemView,
    QFileDialog,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QMenu,
    QSplitter,
    QTabBar,
    QTableView,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from swc_zoning.engine import rule_changes, rule_sheets, rules
from swc_zoning.engine.messages import Blocked, Finding, SwcError
from swc_zoning.engine.schema import check_document
from swc_zoning.gui.desk import Desk
from swc_zoning.gui.page import Level, Page, State, allow
from swc_zoning.gui.rule_bench import RuleBench
from swc_zoning.gui.rule_editors import ConditionsDialog, MeasuresDialog, RuleDelegate
from swc_zoning.gui.rule_model import KEYS, SIGNS, Placed, RuleDocument, RuleTableModel, place, to_mark
from swc_zoning.qgis_bridge.compat import QShortcut
from swc_zoning.qgis_bridge.i18n import language

_WAIT_MS = 250
#: What a row may lack while it is being edited.
_UNFINISHED = ("schema.pattern", "schema.too_short", "schema.repeated")
_PLACE = Qt.ItemDataRole.UserRole
_WIDE = (
    *("any_of", "basis", "text_zh", "text_en", "settling_rule", "settling_rule_en"),
    *("note_zh", "note_en", "to_check", "measures"),
)


class RulesPage(Page):
    """Edits the decision table of the session; the shipped table is never changed, only copied."""

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(desk, parent)
        self._unusable: list[Finding] = []
        self.document = RuleDocument(self._of_session(), self)
        self.model = RuleTableModel(self.document, self)
        self.findings: list[Finding] = []
        self._handing_over = False
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_WAIT_MS)
        self._timer.timeout.connect(self.check)
        self._build()
        self._connect()
        self._examine()

    def title(self) -> str:
        """Return the name of the page."""
        return self.tr("Rules")

    def state(self) -> State:
        """Return how the table stands."""
        errors = sum(1 for one in self.findings if one.severity == "error")
        weaker = sum(1 for one in self.findings if one.code.startswith("rule_changes."))
        problems = []
        if errors:
            problems.append(self.tr("Errors in the table: {count}").format(count=errors))
        if weaker:
            problems.append(self.tr("Weakens what follows from law: {count}").format(count=weaker))
        if problems:
            return State(Level.PROBLEM, "; ".join(problems))
        name = str(self.document.document.get("profile"))
        if self.document.is_shipped():
            return State(Level.DONE, self.tr("Shipped table {name}").format(name=name))
        return State(Level.DONE, self.tr("Own table {name}, no errors").format(name=name))

    def deactivate(self) -> None:
        """Hand over what was edited last."""
        self._flush()

    def unload(self) -> None:
        """Hand over what was edited last."""
        self._flush()

    # --- building ----------------------------------------------------------------------------------

    def _build(self) -> None:
        self._tabs = QTabBar()
        titles = (
            *(self.tr("Rules"), self.tr("Zones"), self.tr("Measures"), self.tr("Conflicts")),
            self.tr("Acts"),
        )
        for table, title in zip(KEYS, titles):
            self._tabs.setTabData(self._tabs.addTab(title), table)
        self._proxy, self.view = QSortFilterProxyModel(self), QTableView()
        self._proxy.setSourceModel(self.model)
        self._proxy.setFilterKeyColumn(-1)
        self._proxy.setFilterCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        self._prepare_view()
        self._list, self.bench = QListWidget(), RuleBench()
        self._list.setWordWrap(True)
        self._list.setAccessibleName(self.tr("Findings"))
        self._list.setToolTip(self.tr("Click a finding to see its row"))
        self._why = QLabel()
        self._why.setWordWrap(True)
        split = QSplitter(Qt.Orientation.Vertical)
        for widget, share in ((self.view, 4), (self._list, 1), (self.bench, 4)):
            split.addWidget(widget)
            split.setStretchFactor(split.count() - 1, share)
        split.setChildrenCollapsible(False)
        column = QVBoxLayout(self)
        column.addWidget(self._tabs)
        column.addLayout(self._tools())
        column.addWidget(self._why)
        column.addWidget(split, 1)

    def _prepare_view(self) -> None:
        view = self.view
        view.setModel(self._proxy)
        view.setAccessibleName(self.tr("Decision table"))
        view.setWordWrap(True)
        view.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        view.setMinimumHeight(view.fontMetrics().height() * 9)
        view.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        triggers = QAbstractItemView.EditTrigger
        view.setEditTriggers(triggers.DoubleClicked | triggers.EditKeyPressed | triggers.AnyKeyPressed)
        self.delegate = RuleDelegate(view)
        view.setItemDelegate(self.delegate)
        # Later: a dialog must not open inside the call that asks for an editor.
        self.delegate.pick.connect(self.pick, Qt.ConnectionType.QueuedConnection)

    def _tools(self) -> QHBoxLayout:
        row = QHBoxLayout()
        self.search = QLineEdit()
        self.search.setPlaceholderText(self.tr("Search"))
        self.search.setClearButtonEnabled(True)
        row.addWidget(self.search, 1)
        self._add = self._button(row, self.tr("&Add"), self.add, self.tr("Add a row below"))
        self._copy = self._button(row, self.tr("D&uplicate"), self.duplicate)
        self._remove = self._button(row, self.tr("&Remove"), self.remove)
        self._up = self._button(row, "↑", lambda: self.move_by(-1))
        self._down = self._button(row, "↓", lambda: self.move_by(1))
        self._undo = self._button(row, "↶", self.document.undo_stack.undo)
        self._redo = self._button(row, "↷", self.document.undo_stack.redo)
        row.addWidget(self._more())
        return row

    def _button(self, row: QHBoxLayout, text: str, slot: Callable[[], Any], tip: str = "") -> QToolButton:
        button = QToolButton()
        button.setText(text)
        button.setToolTip(tip)
        button.clicked.connect(lambda *_: slot())
        row.addWidget(button)
        return button

    def _more(self) -> QToolButton:
        menu = QMenu(self)
        menu.addAction(self.tr("&Import…"), self._choose_import)
        menu.addAction(self.tr("&Export…"), self._choose_export)
        menu.addSeparator()
        self._back = menu.addAction(self.tr("&Back to the shipped table"), self.back_to_shipped)
        button = QToolButton()
        button.setText(self.tr("&More"))
        button.setMenu(menu)
        button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        return button

    def _connect(self) -> None:
        self._tabs.currentChanged.connect(self._show_table)
        self.search.textChanged.connect(self._proxy.setFilterFixedString)
        self.view.selectionModel().selectionChanged.connect(self._refresh_tools)
        self.model.refused.connect(lambda text: self.desk.say(Qgis.MessageLevel.Warning, text))
        self.document.changed.connect(self._edited)
        self._list.itemClicked.connect(self._go)
        self._list.itemActivated.connect(self._go)
        self.desk.session.rules_changed.connect(self._take_session)
        stack = self.document.undo_stack
        stack.indexChanged.connect(self._refresh_tools)
        self._add_shortcuts()
        self._show_table(0)

    def _add_shortcuts(self) -> None:
        stack = self.document.undo_stack
        # Not the standard keys: on some systems these are one of ours, and two for one are none.
        keys = {
            "Ctrl+Z": stack.undo,
            "Ctrl+Y": stack.redo,
            "Ctrl+Shift+Z": stack.redo,
            "Ctrl+C": self.copy,
            "Ctrl+V": self.paste,
            "Del": self.clear,
        }
        for name, slot in keys.items():
            of_cells = name in ("Ctrl+C", "Ctrl+V", "Del")
            shortcut = QShortcut(QKeySequence(name), self.view if of_cells else self)
            within = Qt.ShortcutContext.WidgetWithChildrenShortcut
            shortcut.setContext(Qt.ShortcutContext.WidgetShortcut if of_cells else within)
            shortcut.activated.connect(slot)

    # --- rows --------------------------------------------------------------------------------------

    def show_table(self, table: str) -> None:
        """Show the rows of "rules", "zones", "measures", "conflicts" or "acts"."""
        self._tabs.setCurrentIndex(list(KEYS).index(table))

    def select(self, table: str, row: int, key: str = "") -> None:
        """Show a row of a table, and put the cursor into a cell of it."""
        self.show_table(table)
        self.search.clear()
        index = self._proxy.mapFromSource(self.model.index(row, self.model.column_of(key)))
        # Not by the view: that asks which keys are held down.
        only = QItemSelectionModel.SelectionFlag.ClearAndSelect
        self.view.selectionModel().setCurrentIndex(index, only)
        self.view.scrollTo(index)

    def add(self) -> None:
        """Add a row below the current one, to be filled in."""
        made = self.document.add(self.model.table, self._current(), self.tr("Add a row"))
        self.select(self.model.table, made)

    def duplicate(self) -> None:
        """Copy the current row under a new id."""
        made = self.document.duplicate(self.model.table, self._current(), self.tr("Duplicate a row"))
        self.select(self.model.table, made)

    def remove(self) -> None:
        """Take the selected rows away; what that does to the law is told by the check."""
        self.document.remove(self.model.table, self._selected(), self.tr("Remove rows"))

    def move_by(self, step: int) -> None:
        """Move the current row up or down; a zone changes its rank."""
        moved = self.document.move(self.model.table, self._current(), step, self.tr("Move a row"))
        self.select(self.model.table, moved)

    def copy(self) -> None:
        """Put the selected cells on the clipboard as a spreadsheet takes them."""
        indexes = self.view.selectionModel().selectedIndexes()
        lines: dict[int, dict[int, str]] = defaultdict(dict)
        for index in indexes:
            text = str(index.data(Qt.ItemDataRole.EditRole) or "")
            lines[index.row()][index.column()] = text.replace("\t", " ").replace("\n", " ")
        ordered = (lines[row] for row in sorted(lines))
        text = "\n".join("\t".join(cells[column] for column in sorted(cells)) for cells in ordered)
        QGuiApplication.clipboard().setText(text)

    def paste(self) -> None:
        """Type the cells of the clipboard from the current cell on; undone as one."""
        first = self.view.currentIndex()
        text = QGuiApplication.clipboard().text()
        if not first.isValid() or not text:
            return
        with self._as_one(self.tr("Paste")):
            for down, line in enumerate(text.rstrip("\n").splitlines()):
                for right, cell in enumerate(line.split("\t")):
                    target = first.sibling(first.row() + down, first.column() + right)
                    if target.isValid():
                        self._proxy.setData(target, cell)

    def clear(self) -> None:
        """Empty the selected cells; undone as one."""
        with self._as_one(self.tr("Clear cells")):
            for index in self.view.selectionModel().selectedIndexes():
                self._proxy.setData(index, "")

    @contextmanager
    def _as_one(self, words: str) -> Iterator[None]:
        self.document.undo_stack.beginMacro(words)
        try:
            yield
        finally:
            self.document.undo_stack.endMacro()

    def back_to_shipped(self) -> None:
        """Take the shipped table again; this can be undone."""
        self.document.replace(rules.read(), self.tr("Back to the shipped table"))

    def pick(self, index: QModelIndex) -> None:
        """Open the dialog of a cell with conditions or measures."""
        dialog = self.picker(index)
        if dialog.exec():
            picked = dialog.conditions if isinstance(dialog, ConditionsDialog) else dialog.measures
            self.model.setData(index, picked)

    def picker(self, index: QModelIndex) -> ConditionsDialog | MeasuresDialog:
        """Return the dialog of a cell with conditions or measures."""
        row = self.document.rows(self.model.table)[index.row()]
        title = self.model.headerData(index.column(), Qt.Orientation.Horizontal)
        named = f"{rule_changes.row_id(self.model.table, row)} – {title}"
        if self.model.key(index.column()) == "measures":
            return MeasuresDialog(self.model.value(index) or [], self.document.rows("measures"), named, self)
        return ConditionsDialog(self.model.value(index) or [], named, self)

    def _selected(self) -> list[int]:
        indexes = self.view.selectionModel().selectedIndexes()
        return sorted({self._proxy.mapToSource(index).row() for index in indexes})

    def _current(self) -> int:
        return self._proxy.mapToSource(self.view.currentIndex()).row()

    def _show_table(self, number: int) -> None:
        self.model.set_table(self._tabs.tabData(number))
        self.view.selectionModel().clear()
        width = self.view.fontMetrics().averageCharWidth()
        for column in range(self.model.columnCount()):
            self.view.setColumnWidth(column, width * (38 if self.model.key(column) in _WIDE else 18))
        self.view.setColumnWidth(0, width * (18 if self.model.table in ("zones", "acts") else 10))
        self.view.resizeRowsToContents()
        self._refresh_tools()

    def _refresh_tools(self, *_: object) -> None:
        none = "" if self._selected() else self.tr("Select a row first")
        allow(self._copy, none, self.tr("Copy the current row under a new id"))
        allow(self._remove, none, self.tr("Remove the selected rows"))
        moves = self.tr("Move the row; the rank of a zone moves with it")
        allow(self._up, none, moves)
        allow(self._down, none, moves)
        stack = self.document.undo_stack
        nothing = self.tr("There is nothing to undo")
        allow(
            self._undo,
            "" if stack.canUndo() else nothing,
            self.tr("Undo: {what}").format(what=stack.undoText()),
        )
        nothing = self.tr("There is nothing to redo")
        allow(
            self._redo,
            "" if stack.canRedo() else nothing,
            self.tr("Redo: {what}").format(what=stack.redoText()),
        )
        self._back.setEnabled(self.desk.session.rules is not None or not self.document.is_shipped())

    # --- check -------------------------------------------------------------------------------------

    def _edited(self, _table: str) -> None:
        self._timer.start()
        self.view.resizeRowToContents(self.view.currentIndex().row())
        self._refresh_tools()

    def _flush(self) -> None:
        if self._timer.isActive():
            self.check()

    def check(self) -> None:
        """Examine the table, mark its cells, ask the bench again and hand the table to the session."""
        self._timer.stop()
        self._hand_over()
        self._examine()
        self.state_changed.emit()

    def _examine(self) -> None:
        document = self.document.document
        plan_date = self.desk.session.plan_date
        broken = self._unusable if self._is_replaced() else []
        self.findings = [*broken, *rules.check(document, plan_date)]
        if not any(one.code.startswith("schema.") for one in self.findings):
            self.findings += rule_changes.weakened(document, self.document.base)
        self.model.set_findings(to_mark(self.findings, document))
        self._show_findings(self.findings)
        wrong = any(one.severity == "error" for one in self.findings[len(broken) :])
        self.bench.set_table(None if wrong else rules.load(document, plan_date))

    def _hand_over(self) -> None:
        document = None if self.document.is_shipped() else self.document.document
        self._unusable = []
        if document == self.desk.session.rules:
            return
        self._handing_over = True
        try:
            self.desk.session.set_rules(document)
        finally:
            self._handing_over = False

    def _take_session(self) -> None:
        if self._handing_over:
            return
        self._timer.stop()
        self.document.load(self._of_session())
        self._timer.stop()
        self._examine()
        self._refresh_tools()
        self.state_changed.emit()

    def _of_session(self) -> Mapping[str, Any]:
        """Return the table of the session, or the shipped one where that has no form a table can have."""
        document = rules.read(self.desk.session.rules)
        self._unusable = check_document(document, "rules")
        # Rows that are merely not filled in yet are edited on.
        return rules.read() if self._is_replaced() else document

    def _show_findings(self, findings: list[Finding]) -> None:
        order = list(SIGNS)
        self._list.clear()
        for finding in sorted(findings, key=lambda one: order.index(one.severity)):
            item = QListWidgetItem(f"{SIGNS[finding.severity]} {finding.sentence(language())}")
            item.setData(_PLACE, place(finding, self.document.document)[0])
            self._list.addItem(item)
        errors = sum(1 for one in findings if one.severity == "error")
        self._why.setText(self._words(errors))
        self._why.setVisible(bool(self._why.text()))

    def _is_replaced(self) -> bool:
        """Return whether the shipped table is shown since that of the project is none."""
        return any(one.code not in _UNFINISHED for one in self._unusable)

    def _words(self, errors: int) -> str:
        if self._is_replaced():
            return self.tr(
                "The table of the project is damaged; the shipped one is shown. Editing replaces it."
            )
        if errors:
            return self.tr(
                "The table cannot be used until its errors are mended; the city is not zoned with it."
            )
        if self.document.base is None:
            return self.tr("No shipped table has this profile: changes against it cannot be shown.")
        return ""

    def _go(self, item: QListWidgetItem) -> None:
        placed: Placed = item.data(_PLACE)
        if placed.table:
            self.select(placed.table, placed.row, placed.key)

    # --- files -------------------------------------------------------------------------------------

    def _choose_import(self) -> None:
        kinds = self.tr("Decision tables") + " (*.xlsx *.json)"
        chosen, _ = QFileDialog.getOpenFileName(self, self.tr("Import a decision table"), "", kinds)
        if chosen:
            self.import_table(Path(chosen))

    def _choose_export(self) -> None:
        kinds = self.tr("Workbook") + " (*.xlsx);;JSON (*.json)"
        chosen, _ = QFileDialog.getSaveFileName(self, self.tr("Export the decision table"), "", kinds)
        if chosen:
            self.export_table(Path(chosen))

    def import_table(self, path: Path) -> None:
        """Take the table of a workbook or JSON file; what is wrong with it is listed, and nothing taken."""
        self.desk.runner.work(lambda: _read(path), lambda found: self._imported(path, found))

    def _imported(self, path: Path, found: Any) -> None:
        if isinstance(found, Blocked):
            self._show_findings(found.findings)
            self._why.setText(self.tr("{name} was not imported:").format(name=path.name))
            self._why.show()
            return
        if isinstance(found, Exception):
            self.desk.say_error(found)
            return
        self.document.replace(found, self.tr("Import {name}").format(name=path.name))
        self.check()

    def export_table(self, path: Path) -> None:
        """Write the table as a workbook or JSON file, by the ending of its name."""
        document, lang = self.document.document, language()
        self.desk.runner.work(lambda: _write(document, path, lang), lambda said: self._exported(path, said))

    def _exported(self, path: Path, said: Any) -> None:
        if isinstance(said, Blocked):
            self.desk.say_error(SwcError(said.findings[0].code, **said.findings[0].facts))
        elif isinstance(said, Exception):
            self.desk.say_error(said)
        else:
            self.desk.say(Qgis.MessageLevel.Success, self.tr("Written: {path}").format(path=path))


def _read(path: Path) -> Mapping[str, Any]:
    """Return the table of a file. Raises Blocked with what is wrong with its form."""
    document = rule_sheets.read(path) if path.suffix.lower() == ".xlsx" else rules.read(path)
    findings = check_document(document, "rules")
    if findings:
        raise Blocked(findings)
    return document


def _write(document: Mapping[str, Any], path: Path, lang: str) -> None:
    if path.suffix.lower() == ".xlsx":
        rule_sheets.write(document, path, lang)
        return
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        aside.write_text(json.dumps(document, ensure_ascii=False, indent=1), encoding="utf-8")
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)
