# SPDX-License-Identifier: GPL-2.0-or-later
"""Editors of cells of the decision table: roles and tiers from a tree, measures from a list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from qgis.PyQt.QtCore import QAbstractItemModel, QCoreApplication, QModelIndex, Qt, pyqtSignal
from qgis.PyQt.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QLabel,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QSpinBox,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from swc_zoning.engine import roles, rule_words
from swc_zoning.engine.messages import SwcError
from swc_zoning.gui.rule_model import RuleTableModel, words_of
from swc_zoning.qgis_bridge.i18n import language

Condition = dict[str, Any]

CONDITION_KEYS = ("any_of", "all_of", "unless", "none_of", "withheld_where")
PICKED = (*CONDITION_KEYS, "measures")
_ID = Qt.ItemDataRole.UserRole


class RoleTree(QTreeWidget):
    """Roles and their tiers with boxes to tick; a role ticked itself stands for any of its tiers."""

    #: role that was touched
    touched = pyqtSignal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setHeaderHidden(True)
        self.setUniformRowHeights(True)
        self.setAccessibleName(self.tr("Roles and tiers"))
        for role in roles.all_roles():
            self._add_role(role)
        self.itemChanged.connect(self._tick)

    def _add_role(self, role: roles.Role) -> None:
        item = QTreeWidgetItem(self, [rule_words.role_name(role.id, language())])
        self._prepare(item, role.id)
        tiers = (*role.tier_ids, roles.UNKNOWN) if role.tiers else ()
        for tier in tiers:
            self._prepare(QTreeWidgetItem(item, [rule_words.tier_name(role.id, tier, language())]), tier)

    def _prepare(self, item: QTreeWidgetItem, name: str) -> None:
        item.setData(0, _ID, name)
        item.setToolTip(0, name)
        item.setCheckState(0, Qt.CheckState.Unchecked)

    def condition(self, role: str) -> Condition | None:
        """Return the condition that is ticked for a role, None where nothing is."""
        item = self._item(role)
        if item is None:
            return None
        children = [item.child(number) for number in range(item.childCount())]
        tiers = [one.data(0, _ID) for one in children if one.checkState(0) == Qt.CheckState.Checked]
        if tiers:
            return {"role": role, "tiers": tiers}
        return {"role": role, "tiers": None} if item.checkState(0) == Qt.CheckState.Checked else None

    def conditions(self) -> list[Condition]:
        """Return all that is ticked, in the order of the roles."""
        found = (self.condition(role.id) for role in roles.all_roles())
        return [one for one in found if one is not None]

    def set_conditions(self, conditions: Sequence[Mapping[str, Any]]) -> None:
        """Tick these and nothing else."""
        self.blockSignals(True)
        for number in range(self.topLevelItemCount()):
            item = self.topLevelItem(number)
            told = [one for one in conditions if one["role"] == item.data(0, _ID)]
            tiers = {tier for one in told for tier in one["tiers"] or ()}
            self._set(item, any(one["tiers"] is None for one in told))
            for place in range(item.childCount()):
                self._set(item.child(place), item.child(place).data(0, _ID) in tiers)
            item.setExpanded(bool(tiers) or item.isExpanded())
        self.blockSignals(False)
        self.viewport().update()

    def tick(self, role: str, tier: str | None = None, on: bool = True) -> None:
        """Tick a role, or one of its tiers, as a user does."""
        item = self._item(role)
        children = [item.child(number) for number in range(item.childCount())]
        target = item if tier is None else next(one for one in children if one.data(0, _ID) == tier)
        self._set(target, on)

    def narrow(self, text: str) -> None:
        """Show the roles whose name, id or tiers hold `text`."""
        wanted = text.strip().casefold()
        for number in range(self.topLevelItemCount()):
            item = self.topLevelItem(number)
            every = [item, *(item.child(place) for place in range(item.childCount()))]
            words = " ".join(f"{one.text(0)} {one.data(0, _ID)}" for one in every)
            item.setHidden(wanted not in words.casefold())

    def _item(self, role: str) -> QTreeWidgetItem | None:
        items = (self.topLevelItem(number) for number in range(self.topLevelItemCount()))
        return next((item for item in items if item.data(0, _ID) == role), None)

    def _set(self, item: QTreeWidgetItem, on: bool) -> None:
        item.setCheckState(0, Qt.CheckState.Checked if on else Qt.CheckState.Unchecked)

    def _tick(self, item: QTreeWidgetItem) -> None:
        role = item if item.parent() is None else item.parent()
        if item.checkState(0) == Qt.CheckState.Checked:
            # Any tier and some tiers exclude each other.
            self.blockSignals(True)
            others = [role] if item is not role else [role.child(n) for n in range(role.childCount())]
            for other in others:
                self._set(other, False)
            self.blockSignals(False)
            self.viewport().update()
        self.touched.emit(role.data(0, _ID))


class _Picker(QDialog):
    """A dialog with a search line, a choice, a line of words and buttons."""

    def __init__(self, title: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(title)
        self.setMinimumWidth(self.fontMetrics().averageCharWidth() * 60)
        self._search, self._line, self._why = QLineEdit(), QLineEdit(), QLabel()
        self._search.setPlaceholderText(QCoreApplication.translate("_Picker", "Search"))
        self._search.setClearButtonEnabled(True)
        self._why.setWordWrap(True)
        standard = QDialogButtonBox.StandardButton
        self.buttons = QDialogButtonBox(standard.Ok | standard.Cancel)
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)
        self._column = QVBoxLayout(self)
        self._column.addWidget(self._search)

    def _finish(self, note: str) -> None:
        said = QLabel(note)
        said.setWordWrap(True)
        for widget in (said, self._line, self._why, self.buttons):
            self._column.addWidget(widget)


class ConditionsDialog(_Picker):
    """Picks conditions; `conditions` is what was picked. Roles that are not touched stay as written."""

    def __init__(
        self, conditions: Sequence[Mapping[str, Any]], title: str, parent: QWidget | None = None
    ) -> None:
        super().__init__(title, parent)
        self.conditions: list[Any] = [dict(one) for one in conditions]
        self.tree = RoleTree()
        self.tree.setMinimumHeight(self.fontMetrics().height() * 16)
        self.tree.set_conditions(self.conditions)
        self._column.addWidget(self.tree, 1)
        self._finish(self.tr("A role ticked alone means any tier. Or write it: role:tier,tier; role"))
        self._search.textChanged.connect(self.tree.narrow)
        self.tree.touched.connect(self._take)
        self._line.setText(words_of(self.conditions))
        self._line.textEdited.connect(self._read)

    def _take(self, role: str) -> None:
        picked = self.tree.condition(role)
        places = [place for place, one in enumerate(self.conditions) if one["role"] == role]
        kept = [one for one in self.conditions if one["role"] != role]
        if picked is not None:
            kept.insert(places[0] if places else len(kept), picked)
        self.conditions = kept
        self._line.setText(words_of(kept))
        self._allow("")

    def _read(self, text: str) -> None:
        try:
            self.conditions = rule_words.read_conditions(text)
        except SwcError as error:
            self._allow(error.sentence(language()))
            return
        self.tree.set_conditions(self.conditions)
        self._allow("")

    def _allow(self, reason: str) -> None:
        button = self.buttons.button(QDialogButtonBox.StandardButton.Ok)
        button.setEnabled(not reason)
        button.setToolTip(reason)
        self._why.setText(reason)


class MeasuresDialog(_Picker):
    """Picks measures; `measures` are the ids that were picked."""

    def __init__(
        self, chosen: Sequence[str], known: Sequence[Mapping[str, Any]], title: str, parent: QWidget | None
    ) -> None:
        super().__init__(title, parent)
        self.measures = list(chosen)
        self.list = QListWidget()
        self.list.setWordWrap(True)
        self.list.setMinimumHeight(self.fontMetrics().height() * 16)
        for measure in known:
            item = QListWidgetItem(f"{measure['id']}  {measure[f'text_{language()}']}")
            item.setData(_ID, measure["id"])
            ticked = measure["id"] in chosen
            item.setCheckState(Qt.CheckState.Checked if ticked else Qt.CheckState.Unchecked)
            self.list.addItem(item)
        self._column.addWidget(self.list, 1)
        self._finish(self.tr("Measures that the rule gives"))
        self._line.setText(", ".join(self.measures))
        self._line.setReadOnly(True)
        self._search.textChanged.connect(self._narrow)
        self.list.itemChanged.connect(self._take)

    def _narrow(self, text: str) -> None:
        for number in range(self.list.count()):
            item = self.list.item(number)
            item.setHidden(text.strip().casefold() not in item.text().casefold())

    def _take(self, item: QListWidgetItem) -> None:
        name = item.data(_ID)
        self.measures = [one for one in self.measures if one != name]
        if item.checkState() == Qt.CheckState.Checked:
            self.measures = sorted([*self.measures, name])
        self._line.setText(", ".join(self.measures))


class RuleDelegate(QStyledItemDelegate):
    """Gives each column its editor; conditions and measures are picked in a dialog of the page."""

    #: a cell that is edited in a dialog
    pick = pyqtSignal(QModelIndex)

    def createEditor(  # noqa: N802
        self, parent: QWidget, option: QStyleOptionViewItem, index: QModelIndex
    ) -> QWidget | None:
        """Return a box, a number or a line; None where a dialog opens instead."""
        model, source = _source(index)
        key = model.key(source.column())
        if key in PICKED:
            self.pick.emit(source)
            return None
        choices = _choices(model, key)
        if choices:
            box = QComboBox(parent)
            for text, value in choices:
                box.addItem(text, value)
            return box
        if key == "rank":
            spin = QSpinBox(parent)
            spin.setRange(1, 99)
            return spin
        return QLineEdit(parent)

    def setEditorData(self, editor: QWidget, index: QModelIndex) -> None:  # noqa: N802
        """Show the value of the cell."""
        model, source = _source(index)
        if isinstance(editor, QComboBox):
            editor.setCurrentIndex(max(0, editor.findData(model.value(source))))
        elif isinstance(editor, QSpinBox):
            editor.setValue(int(model.value(source) or 1))
        elif isinstance(editor, QLineEdit):
            editor.setText(str(model.data(source, Qt.ItemDataRole.EditRole) or ""))

    def setModelData(  # noqa: N802
        self, editor: QWidget, model: QAbstractItemModel, index: QModelIndex
    ) -> None:
        """Hand the value over."""
        if isinstance(editor, QComboBox):
            value = editor.currentData()
            model.setData(index, "" if value is None else value)
        elif isinstance(editor, QSpinBox):
            model.setData(index, editor.value())
        elif isinstance(editor, QLineEdit):
            model.setData(index, editor.text())


def _source(index: QModelIndex) -> tuple[RuleTableModel, QModelIndex]:
    """Return the model behind a filter, and the index there."""
    model = index.model()
    if isinstance(model, RuleTableModel):
        return model, index
    return model.sourceModel(), model.mapToSource(index)


def _choices(model: RuleTableModel, key: str) -> list[tuple[str, Any]]:
    """Return (text, value) for the columns that take one of a few values."""
    words = rule_words.vocabulary()["words"]
    place = 0 if language() == "zh" else 1
    if key == "zone":
        zones = sorted(model.document.rows("zones"), key=lambda zone: zone["rank"])
        named = [(f"{zone['code']} {zone[f'name_{language()}']}", zone["code"]) for zone in zones]
        return [*named, ("—", None)]
    if key in ("fallback", "absence"):
        return [("—", None), (words["flag"]["true"][place], True), (words["flag"]["false"][place], False)]
    if isinstance(words.get(key), Mapping):
        return [(names[place], value) for value, names in words[key].items()]
    return []
