# SPDX-License-Identifier: GPL-2.0-or-later
"""Where the tiers of a layer come from: a field whose words are mapped, or one tier for all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from qgis.PyQt.QtWidgets import (
    QAbstractItemView,
    QButtonGroup,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QLabel,
    QRadioButton,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from swc_zoning.engine import roles
from swc_zoning.engine.messages import SwcError
from swc_zoning.gui.page import allow
from swc_zoning.gui.role_combo import role_name
from swc_zoning.gui.runner import Runner
from swc_zoning.qgis_bridge import surveys
from swc_zoning.qgis_bridge.i18n import language


class TierDialog(QDialog):
    """Edits the tier of one layer of a job; `tier` gives {"field", "map"} or {"value"}."""

    def __init__(
        self, runner: Runner, entry: Mapping[str, Any], fields: tuple[str, ...], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._runner, self._entry = runner, entry
        self._role = roles.find(entry["role"])
        self._given = entry.get("tier") or {}
        self.values: surveys.Values | None = None
        self._trouble = ""
        self.setWindowTitle(self.tr("Tiers of {role}").format(role=role_name(entry["role"])))
        self._build(fields)
        self._take_given(fields)
        self.resize(560, 480)

    def tier(self) -> dict[str, Any]:
        """Return what was chosen; words that are told without a map need none."""
        if self.by_value.isChecked():
            return {"value": self.value.currentData()}
        mapped = {
            self.table.item(row, 0).text(): combo.currentData()
            for row, combo in enumerate(self.combos)
            if combo.currentData() != roles.UNKNOWN and self.table.item(row, 0).text()
        }
        tier = {"field": self.field.currentText()}
        return {**tier, "map": mapped} if mapped else tier

    # --- building ----------------------------------------------------------------------------------

    def _build(self, fields: tuple[str, ...]) -> None:
        self.by_field, self.by_value = (
            QRadioButton(self.tr("From a &field")),
            QRadioButton(self.tr("&One tier for all features")),
        )
        group = QButtonGroup(self)
        for button in (self.by_field, self.by_value):
            group.addButton(button)
            button.toggled.connect(self._refresh)
        self.field, self.value = QComboBox(), self._tiers()
        self.field.addItems(fields)
        self.field.activated.connect(self._read)
        self.field.setAccessibleName(self.tr("Field"))
        self.value.setAccessibleName(self.tr("Tier"))
        titles = [self.tr("Word in the data"), self.tr("Features"), self.tr("Tier")]
        self.table = QTableWidget(0, len(titles))
        self.table.setHorizontalHeaderLabels(titles)
        self.table.verticalHeader().hide()
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.table.horizontalHeader().setStretchLastSection(True)
        self.combos: list[QComboBox] = []
        self._why = QLabel()
        self._why.setWordWrap(True)
        buttons = QDialogButtonBox.StandardButton
        self._buttons = QDialogButtonBox(buttons.Ok | buttons.Cancel)
        self._buttons.accepted.connect(self.accept)
        self._buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.addLayout(_beside(self.by_field, self.field))
        column.addWidget(self.table, 1)
        column.addLayout(_beside(self.by_value, self.value))
        column.addWidget(self._why)
        column.addWidget(self._buttons)

    def _tiers(self) -> QComboBox:
        combo = QComboBox()
        for tier in self._role.tiers:
            combo.addItem(getattr(tier, f"name_{language()}"), tier.id)
        combo.addItem(self.tr("unknown: the strictest reading for now"), roles.UNKNOWN)
        return combo

    def _take_given(self, fields: tuple[str, ...]) -> None:
        value, field = self._given.get("value"), self._given.get("field")
        known = roles.fields_for(self._role.id, fields)[0]
        if value:
            canonical = roles.canonical_tier(self._role.id, value)
            self.value.setCurrentIndex(max(0, self.value.findData(canonical)))
        self.field.setCurrentIndex(max(0, self.field.findText(field or known)))
        one_only = not known and not field
        (self.by_value if value or one_only else self.by_field).setChecked(True)
        if self.field.count():
            self._read()

    # --- words of the field ------------------------------------------------------------------------

    def _read(self) -> None:
        self.values, self._trouble = None, ""
        self._refresh()
        entry, field = dict(self._entry), self.field.currentText()
        self._runner.work(lambda: surveys.values(entry, field), lambda found: self._show(field, found))

    def _show(self, field: str, found: Any) -> None:
        if field != self.field.currentText():
            return
        if isinstance(found, Exception):
            self._trouble = found.sentence(language()) if isinstance(found, SwcError) else str(found)
            found = surveys.Values((), True)
        self.values = found
        self.combos = []
        self.table.setRowCount(len(found.counts))
        given = self._given.get("map") if self._given.get("field") == field else None
        for row, (word, count) in enumerate(found.counts):
            combo = self._tiers()
            tier = roles.canonical_tier(self._role.id, word, given)
            combo.setCurrentIndex(combo.findData(tier))
            combo.currentIndexChanged.connect(self._refresh)
            combo.setAccessibleName(word)
            self.combos.append(combo)
            item = QTableWidgetItem(word)
            item.setToolTip(word or self.tr("no value"))
            self.table.setItem(row, 0, item)
            self.table.setItem(row, 1, QTableWidgetItem(f"{count:,}"))
            self.table.setCellWidget(row, 2, combo)
        self.table.resizeColumnToContents(0)
        self._refresh()

    def _refresh(self) -> None:
        by_field = self.by_field.isChecked()
        self.field.setEnabled(by_field)
        self.table.setEnabled(by_field)
        self.value.setEnabled(not by_field)
        reading = self.tr("Reading the words of the field…") if by_field and self.values is None else ""
        allow(
            self._buttons.button(QDialogButtonBox.StandardButton.Ok),
            reading or self._trouble if by_field else "",
        )
        self._why.setText(reading or (self._words() if by_field else ""))

    def _words(self) -> str:
        if self._trouble:
            return self._trouble
        lines = []
        unknown = sum(combo.currentData() == roles.UNKNOWN for combo in self.combos)
        if unknown:
            lines.append(
                self.tr("Words without a tier: {count}; their features stay pending.").format(count=unknown)
            )
        if self.values is not None and not self.values.complete:
            lines.append(self.tr("Only the most frequent words are shown; this hardly is a field of tiers."))
        if self.values is not None and self.values.encoding and not self._entry.get("encoding"):
            lines.append(
                self.tr("Read as {encoding}, since the file names no encoding; the check proves it.").format(
                    encoding=self.values.encoding
                )
            )
        return "\n".join(lines)


def _beside(*widgets: QWidget) -> QHBoxLayout:
    row = QHBoxLayout()
    for widget in widgets:
        row.addWidget(widget)
    row.addStretch(1)
    return row
