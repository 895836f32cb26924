# SPDX-License-Identifier: GPL-2.0-or-later
"""What is said of the chosen layers: role, fields, version and papers; several are edited at once."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from qgis.PyQt.QtCore import pyqtSignal
from qgis.PyQt.QtWidgets import (
    QCalendarWidget,
    QCheckBox,
    QComboBox,
    QFormLayout,
    QHBoxLayout,
    QLineEdit,
    QMenu,
    QToolButton,
    QWidget,
    QWidgetAction,
)

from swc_zoning.gui.role_combo import UNUSED, RoleCombo
from swc_zoning.paths import resource

_TEXTS = ("version", "approval_no", "data_date", "provider")


class PapersForm(QWidget):
    """Shows what layers have in common; `changed` gives (key, value) of what the user set."""

    changed = pyqtSignal(str, object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._build()
        self.show_entries([], [])

    def show_entries(self, entries: Sequence[Mapping[str, Any]], fields: Sequence[str]) -> None:
        """Show the entries; `fields` are those that all their layers have."""
        self.setEnabled(bool(entries))
        self._show_role(entries)
        used = {entry.get("use") is not False for entry in entries}
        self.used.setChecked(True in used)
        for key, widget in self.texts.items():
            value, several = _common(entries, key)
            widget.setText(value)
            widget.setModified(False)
            widget.setPlaceholderText(self.tr("several values") if several else self._hints.get(key, ""))
        for key, combo in self.choices.items():
            value, several = _common(entries, key)
            self._show_choice(combo, value, several, fields if key != "secrecy" else secrecies())

    # --- building ----------------------------------------------------------------------------------

    def _build(self) -> None:
        self._hints = {"data_date": "YYYY-MM-DD"}
        self.role, self.used = RoleCombo(), QCheckBox(self.tr("&Used"))
        self.used.setToolTip(self.tr("A layer that is not used stays in the job and decides nothing"))
        self.role.chosen.connect(self._take_role)
        self.used.clicked.connect(lambda on: self.changed.emit("use", None if on else False))
        form = QFormLayout(self)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        form.addRow(self.tr("&Role"), _beside(self.role, self.used))
        self.choices: dict[str, QComboBox] = {}
        self.texts: dict[str, QLineEdit] = {}
        for key, title in (
            ("id_field", self.tr("&Id or code field")),
            ("name_field", self.tr("&Name field")),
        ):
            form.addRow(title, self._choice(key))
        titles = {
            "version": self.tr("&Version"),
            "approval_no": self.tr("A&pproval number"),
            "data_date": self.tr("&Data date"),
            "provider": self.tr("Pro&vider"),
        }
        for key in _TEXTS:
            edit = self._text(key)
            form.addRow(titles[key], _beside(edit, self._calendar(edit)) if key == "data_date" else edit)
        form.addRow(self.tr("&Secrecy"), self._choice("secrecy"))

    def _text(self, key: str) -> QLineEdit:
        edit = QLineEdit()
        edit.editingFinished.connect(lambda: self._take_text(key))
        self.texts[key] = edit
        return edit

    def _choice(self, key: str) -> QComboBox:
        combo = QComboBox()
        combo.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        combo.setMinimumContentsLength(12)
        if key == "secrecy":
            combo.setEditable(True)
            combo.lineEdit().editingFinished.connect(lambda: self._take_secrecy(combo))
        combo.activated.connect(lambda index: self._take_choice(key, combo, index))
        self.choices[key] = combo
        return combo

    def _calendar(self, edit: QLineEdit) -> QToolButton:
        button, menu, calendar = QToolButton(), QMenu(self), QCalendarWidget()
        button.setText("…")
        button.setToolTip(self.tr("Choose a day"))
        button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        action = QWidgetAction(menu)
        action.setDefaultWidget(calendar)
        menu.addAction(action)
        button.setMenu(menu)

        def take(day: Any) -> None:
            menu.hide()
            self.changed.emit("data_date", day.toString("yyyy-MM-dd"))

        calendar.activated.connect(take)
        calendar.clicked.connect(take)
        return button

    # --- showing and taking ------------------------------------------------------------------------

    def _show_role(self, entries: Sequence[Mapping[str, Any]]) -> None:
        value, several = _common(entries, "role")
        if self.role.findData("?") == 0:
            self.role.removeItem(0)
        if several or not entries:
            self.role.ask()
        else:
            self.role.set_role(value)

    def _show_choice(self, combo: QComboBox, value: str, several: bool, choices: Sequence[str]) -> None:
        combo.clear()
        combo.addItem(self.tr("several values") if several else "", "")
        for choice in choices:
            combo.addItem(choice, choice)
        if value and combo.findData(value) < 0:
            combo.addItem(value, value)
        combo.setCurrentIndex(max(0, combo.findData(value)))

    def _take_role(self, role: str) -> None:
        if role == UNUSED:
            self.changed.emit("use", False)
        elif role != "?":
            self.changed.emit("role", role)

    def _take_text(self, key: str) -> None:
        edit = self.texts[key]
        if edit.isModified():
            edit.setModified(False)
            self.changed.emit(key, edit.text().strip())

    def _take_choice(self, key: str, combo: QComboBox, index: int) -> None:
        # The words "several values" are no value.
        if combo.itemData(index) or not combo.itemText(index):
            self.changed.emit(key, combo.itemData(index))

    def _take_secrecy(self, combo: QComboBox) -> None:
        if combo.lineEdit().isModified():
            combo.lineEdit().setModified(False)
            self.changed.emit("secrecy", combo.currentText().strip())


def secrecies() -> list[str]:
    """Return the levels of secrecy, lowest first."""
    document = json.loads(resource("versions.json").read_text(encoding="utf-8"))
    return [row["level"] for row in document["secrecy"]]


def _common(entries: Sequence[Mapping[str, Any]], key: str) -> tuple[str, bool]:
    """Return the value all entries have, "" where they differ or have none, and whether they differ."""
    keys = ("code_field", "id_field") if key == "id_field" else (key,)
    values = {next((str(entry[one]) for one in keys if entry.get(one)), "") for entry in entries}
    return (values.pop(), False) if len(values) == 1 else ("", len(values) > 1)


def _beside(*widgets: QWidget) -> QWidget:
    """Return widgets in a row; the label of the row gives the focus to the first."""
    whole = QWidget()
    row = QHBoxLayout(whole)
    row.setContentsMargins(0, 0, 0, 0)
    for widget in widgets:
        row.addWidget(widget)
    row.setStretch(0, 1)
    whole.setFocusProxy(widgets[0])
    return whole
