# SPDX-License-Identifier: GPL-2.0-or-later
"""Layers that were found, each with the role it seems to play and why; the planner decides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from qgis.core import QgsVectorLayer
from qgis.PyQt.QtCore import Qt
from qgis.PyQt.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QDialogButtonBox,
    QHeaderView,
    QLabel,
    QProgressBar,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from swc_zoning.engine.job import EXTENT_ROLE, REFERENCE_ROLE
from swc_zoning.gui.layer_rows import preferred, reasons, recognised
from swc_zoning.gui.page import allow
from swc_zoning.gui.role_combo import UNDECIDED, UNUSED, RoleCombo, role_name
from swc_zoning.qgis_bridge.surveys import Found


@dataclass(frozen=True)
class Candidate:
    """A layer that may be used. `place` are the keys of a job entry that reads it where it lies; None
    where it must be copied. `profiled`: the role a profile gives it; `hindered`: why it cannot be used."""

    found: Found
    layer: QgsVectorLayer | None
    place: Mapping[str, Any] | None
    profiled: str = ""
    hindered: str = ""


class ProposalDialog(QDialog):
    """Proposes a role for each candidate; `choices` gives what was decided."""

    def __init__(self, candidates: Sequence[Candidate], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Roles of layers"))
        self._candidates = list(candidates)
        self.combos: list[RoleCombo] = []
        self._build()
        self._refresh()
        self._show_undecided()
        self.resize(860, 480)

    def choices(self) -> list[tuple[Candidate, str]]:
        """Return the candidates that are used, each with its role."""
        pairs = zip(self._candidates, (combo.role() for combo in self.combos))
        return [(one, role) for one, role in pairs if role not in (UNUSED, UNDECIDED)]

    def _build(self) -> None:
        note = QLabel(
            self.tr("Nothing below 50 % is chosen beforehand; hold the mouse over a row to see why.")
        )
        note.setWordWrap(True)
        titles = [self.tr("Layer"), self.tr("Role"), self.tr("Confidence"), self.tr("How it is read")]
        self.table = QTableWidget(len(self._candidates), len(titles))
        self.table.setHorizontalHeaderLabels(titles)
        self.table.verticalHeader().hide()
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        for number, one in enumerate(self._candidates):
            self._add(number, one)
        self._keep_one_frame()
        header = self.table.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        header.setStretchLastSection(True)
        for column, width in enumerate((190, 260, 110)):
            header.resizeSection(column, width)
        self._why = QLabel()
        self._why.setWordWrap(True)
        buttons = QDialogButtonBox.StandardButton
        self._buttons = QDialogButtonBox(buttons.Ok | buttons.Cancel)
        self._buttons.accepted.connect(self.accept)
        self._buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        for widget in (note, self.table, self._why, self._buttons):
            column.addWidget(widget)

    def _add(self, number: int, one: Candidate) -> None:
        likely = [] if one.found.problem else recognised(one.found)
        combo = RoleCombo([guess.role for guess in likely[:4]])
        chosen = UNUSED if one.hindered else one.profiled or preferred(likely)
        if chosen == UNDECIDED:
            combo.ask()
        else:
            combo.set_role(chosen)
        combo.setEnabled(not one.hindered)
        combo.setAccessibleName(one.found.layer)
        combo.chosen.connect(lambda role: self._show_confidence(number, likely, role))
        combo.chosen.connect(self._refresh)
        self.combos.append(combo)
        confidence = 1.0 if one.profiled else likely[0].confidence if likely else 0.0
        told = self._told(one, likely)
        item = QTableWidgetItem(one.found.layer)
        item.setToolTip(f"{one.found.source}\n{told}")
        self.table.setItem(number, 0, item)
        self.table.setCellWidget(number, 1, combo)
        self.table.setCellWidget(number, 2, _bar(confidence, told))
        read = QTableWidgetItem(one.hindered or self._reading(one))
        read.setToolTip(read.text())
        self.table.setItem(number, 3, read)

    def _keep_one_frame(self) -> None:
        """Leave the likeliest extent chosen; a second one takes what else it may be."""
        extents = [number for number, combo in enumerate(self.combos) if combo.role() == EXTENT_ROLE]
        best = max(extents, key=lambda number: self._confidence(number), default=-1)
        for number in extents:
            if number != best:
                likely = recognised(self._candidates[number].found)
                other = preferred([guess for guess in likely if guess.role != EXTENT_ROLE])
                self.combos[number].set_role("" if other == UNDECIDED else other)

    def _show_confidence(self, number: int, likely: Sequence[Any], role: str) -> None:
        share = next((one.confidence for one in likely if one.role == role), 0.0)
        self.table.cellWidget(number, 2).setValue(round(100 * share))

    def _show_undecided(self) -> None:
        number = next((n for n, combo in enumerate(self.combos) if combo.role() == UNDECIDED), -1)
        if number >= 0:
            self.table.selectRow(number)
            self.table.scrollToItem(self.table.item(number, 0))

    def _confidence(self, number: int) -> int:
        return self.table.cellWidget(number, 2).value()

    def _told(self, one: Candidate, likely: Sequence[Any]) -> str:
        lines = [self.tr("Named by the profile")] if one.profiled else []
        for guess in likely[:3]:
            share = round(100 * guess.confidence)
            lines.append(f"{role_name(guess.role)}: {share} %\n{reasons(guess)}")
        return "\n".join(lines) or self.tr("Neither name nor fields tell a role")

    def _reading(self, one: Candidate) -> str:
        if one.place is not None:
            return self.tr("in place")
        shown = one.layer.subsetString() if one.layer is not None else ""
        if shown:
            return self.tr("copied as shown: {count} features, filter {filter}").format(
                count=one.found.count, filter=shown
            )
        return self.tr("copied as shown: {count} features").format(count=one.found.count)

    def _refresh(self) -> None:
        open_ones = sum(combo.role() == UNDECIDED for combo in self.combos)
        reason, roles = "", [role for _, role in self.choices()]
        if open_ones:
            reason = self.tr("Several roles are alike; choose one for each of {count} layers.").format(
                count=open_ones
            )
        elif any(roles.count(one) > 1 for one in (EXTENT_ROLE, REFERENCE_ROLE)):
            reason = self.tr("Only one layer can be the extent, and one the reference.")
        elif not roles:
            reason = self.tr("No layer has a role yet.")
        allow(self._buttons.button(QDialogButtonBox.StandardButton.Ok), reason)
        self._why.setText(reason)


def _bar(confidence: float, tip: str) -> QProgressBar:
    bar = QProgressBar()
    bar.setRange(0, 100)
    bar.setValue(round(100 * confidence))
    bar.setAlignment(Qt.AlignmentFlag.AlignCenter)
    bar.setFormat("%p %")
    bar.setToolTip(tip)
    return bar
