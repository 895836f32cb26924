# SPDX-License-Identifier: GPL-2.0-or-later
"""What the check of a package found: a table to filter, places to see, warnings to accept with a reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from qgis.core import QgsRectangle
from qgis.PyQt.QtCore import QModelIndex, Qt, pyqtSignal
from qgis.PyQt.QtGui import QIcon
from qgis.PyQt.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from swc_zoning.engine.messages import SwcError
from swc_zoning.engine.submission.order import Acceptance
from swc_zoning.gui import acceptances
from swc_zoning.gui.accept_dialog import AcceptDialog
from swc_zoning.gui.desk import Desk
from swc_zoning.gui.finding_tree import LEVELS
from swc_zoning.gui.fitting import fit
from swc_zoning.gui.marks import mark
from swc_zoning.gui.page import Level, allow
from swc_zoning.gui.tables import Column, Row, RowsModel, RowsView, write_csv
from swc_zoning.qgis_bridge.i18n import text

#: CRS of the places of findings, and half the width of what is shown round one, in degrees.
_CRS, _AROUND = "EPSG:4490", 0.0015
_LETTERS = 46
#: Lines of text the table keeps room for.
_LINES = 12
_ANY = ""
#: More rows than this keep one line each: heights of thousands would hold the window up.
_FITTED = 200


class FindingsPanel(QWidget):
    """Shows findings; what is accepted goes into the file of the working folder. `changed` tells it."""

    changed = pyqtSignal()

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.desk = desk
        self.findings: list[Row] = []
        self.accepted: list[Acceptance] = []
        #: Who accepts, where the form says nobody else.
        self.by = ""
        self._build()
        self.show_findings([])

    def show_findings(self, findings: Sequence[Row]) -> None:
        """Show what a check found."""
        self.findings = list(findings)
        self._show()

    def take_folder(self) -> None:
        """Read what is accepted in the working folder; what cannot be read is said."""
        folder, self.accepted = self.desk.session.folder, []
        if folder is not None:
            try:
                self.accepted = acceptances.read(folder / acceptances.FILE)
            except SwcError as error:
                self.desk.say_error(error)
        self._show()

    def counts(self) -> dict[str, int]:
        """Return how many errors, open warnings, accepted warnings and notes there are."""
        found = dict.fromkeys(("error", "warning", "accepted", "info"), 0)
        for one in self.findings:
            found["accepted" if self._reason(one) else one["severity"]] += 1
        return found

    def groups(self) -> int:
        """Return how many groups the open warnings make."""
        return len(
            {_group(one) for one in self.findings if one["severity"] == "warning" and not self._reason(one)}
        )

    def accept(self, accepted: Acceptance) -> None:
        """Accept, and keep it for the next export.

        Raises SwcError ``session.no_folder``, ``cli.unwritable``.
        """
        same = (accepted.code, accepted.layer, accepted.key)
        others = [one for one in self.accepted if (one.code, one.layer, one.key) != same]
        self._keep([*others, accepted])

    def take_back(self, finding: Mapping[str, Any]) -> None:
        """Accept a finding no longer, nor what is accepted with it. Raises as `accept`."""
        self._keep([one for one in self.accepted if not acceptances.covers(one, finding)])

    # --- building ----------------------------------------------------------------------------------

    def _build(self) -> None:
        self._words, self._which = QLineEdit(), QComboBox()
        self._words.setPlaceholderText(self.tr("Filter by words, layer, BSM or code"))
        self._words.setClearButtonEnabled(True)
        self._words.textChanged.connect(self._show)
        self._which.setAccessibleName(self.tr("Which findings are shown"))
        self._which.currentIndexChanged.connect(self._show)
        self._grouped = QCheckBox(self.tr("One row a &group"))
        self._grouped.setChecked(True)
        self._grouped.setToolTip(
            self.tr("Findings that are accepted together are one row, with their number")
        )
        self._grouped.toggled.connect(self._show)
        filters = QHBoxLayout()
        filters.addWidget(self._words, 1)
        filters.addWidget(self._grouped)
        filters.addWidget(self._which)
        self.table = RowsView(_FindingsModel(self._columns(), self))
        self.table.setAccessibleName(self.tr("Findings of the check"))
        self.table.setMinimumHeight(_LINES * self.fontMetrics().height())
        self.table.doubleClicked.connect(self._zoom)
        self.table.activated.connect(self._zoom)
        self.table.selectionModel().currentRowChanged.connect(lambda *_: self._show_detail())
        self._detail = QLabel()
        self._detail.setWordWrap(True)
        self._detail.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(filters)
        column.addWidget(self.table, 1)
        column.addWidget(self._detail)
        column.addLayout(self._buttons())

    def _columns(self) -> list[Column]:
        return [
            Column(self.tr("Severity"), "words"),
            Column(self.tr("Code"), "code"),
            Column(self.tr("Number"), "count", 0),
            Column(self.tr("What is wrong"), "text"),
            Column(self.tr("What to do"), "fix"),
            Column(self.tr("Layer"), "layer"),
            Column(self.tr("BSM"), "bsm"),
            Column(self.tr("Accepted because"), "reason"),
        ]

    def _buttons(self) -> QHBoxLayout:
        self._accept = QPushButton(self.tr("&Accept…"))
        self._accept.clicked.connect(self._ask)
        self._undo = QPushButton(self.tr("Take &back"))
        self._undo.clicked.connect(self._take_back)
        self._place = QPushButton(self.tr("&Zoom to place"))
        self._place.clicked.connect(lambda: self._zoom(self.table.currentIndex()))
        self._save = QPushButton(self.tr("Sa&ve as CSV…"))
        self._save.clicked.connect(self._save_table)
        row = QHBoxLayout()
        for button in (self._accept, self._undo, self._place, self._save):
            row.addWidget(button)
        row.addStretch(1)
        return row

    # --- showing -----------------------------------------------------------------------------------

    def _show(self) -> None:
        self._count_choices()
        which, words = self._which.currentData(), self._words.text().casefold()
        names = self._names()
        rows = [self._row(one, names) for one in self.findings]
        shown = [
            row
            for row in rows
            if which in (_ANY, row["standing"])
            and (not words or any(words in str(row.get(key, "")).casefold() for key in _SOUGHT))
        ]
        shown = _in_groups(shown) if self._grouped.isChecked() else shown
        self.table.rows_model.set_rows(shown)
        if len(shown) <= _FITTED:
            fit(self.table, _LETTERS)
        allow(self._save, "" if shown else self.tr("There are no findings to write"))
        self._show_detail()
        self.changed.emit()

    def _count_choices(self) -> None:
        """Say in the choice how many findings of each kind there are."""
        counts, chosen = self.counts(), self._which.currentData() or _ANY
        titles = {
            _ANY: self.tr("All ({count})"),
            "error": self.tr("Errors ({count})"),
            "warning": self.tr("Warnings ({count})"),
            "accepted": self.tr("Accepted ({count})"),
            "info": self.tr("Notes ({count})"),
        }
        self._which.blockSignals(True)
        self._which.clear()
        for key, title in titles.items():
            number = counts[key] if key else len(self.findings)
            self._which.addItem(title.format(count=f"{number:,}"), key)
        self._which.setCurrentIndex(self._which.findData(chosen))
        self._which.blockSignals(False)

    def _names(self) -> dict[str, str]:
        known = {severity: text(f"severity.{severity}") for severity in ("error", "warning", "info")}
        return {**known, "accepted": self.tr("Accepted")}

    def _row(self, finding: Row, names: Mapping[str, str]) -> dict[str, Any]:
        reason = self._reason(finding)
        standing = "accepted" if reason else finding["severity"]
        told = {"reason": reason, "standing": standing, "words": names[standing], "count": 1}
        return {**finding, **told}

    def _reason(self, finding: Row) -> str:
        return acceptances.reason_for(finding, self.accepted)

    def _show_detail(self) -> None:
        row = self._chosen()
        self._detail.setText(self._told(row) if row else "")
        self._detail.setVisible(row is not None)
        allow(self._accept, self._why_not_accept(row), self.tr("Go on with it, with a reason that is kept"))
        back = row is not None and any(acceptances.covers(one, row) for one in self.accepted)
        why = "" if back else self.tr("Choose a warning that was accepted here")
        allow(self._undo, why, self.tr("Accept it no longer"))
        placed = row is not None and row.get("place")
        allow(self._place, "" if placed else self.tr("Choose a finding that has a place"))

    def _told(self, row: Row) -> str:
        head = f"{row['code']} {row.get('title', '')}".strip()
        if row["count"] > 1:
            head = self.tr("{head}: {count} times, the first of them:").format(
                head=head, count=f"{row['count']:,}"
            )
        lines = [head, row.get("text", ""), row.get("fix", "")]
        if row.get("file"):
            lines.append(row["file"])
        if row["reason"]:
            lines.append(self.tr("Accepted because: {reason}").format(reason=row["reason"]))
        return "\n".join(line for line in lines if line)

    def _chosen(self) -> Row | None:
        """Return the row in hand: of several that are selected the one selected last."""
        current = self.table.currentIndex()
        return self.table.row_at(current) if current.isValid() else None

    def _why_not_accept(self, row: Row | None) -> str:
        if row is None:
            return self.tr("Choose a warning")
        if row["severity"] == "error":
            return self.tr("An error is mended, never accepted")
        if row["severity"] == "info":
            return self.tr("A note blocks nothing: there is nothing to accept")
        if row["reason"]:
            return self.tr("It is accepted already")
        if self.desk.session.folder is None:
            return self.tr("Choose a working folder first: the reason is kept there")
        return ""

    # --- doing -------------------------------------------------------------------------------------

    def _ask(self) -> None:
        dialog = AcceptDialog(self._chosen(), self.findings, self.by, self)
        if dialog.exec() == QDialog.DialogCode.Accepted:
            self._try(lambda: self.accept(dialog.acceptance()))

    def _take_back(self) -> None:
        row = self._chosen()
        self._try(lambda: self.take_back(row))

    def _try(self, change: Any) -> None:
        try:
            change()
        except SwcError as error:
            self.desk.say_error(error)

    def _keep(self, accepted: list[Acceptance]) -> None:
        folder = self.desk.session.folder
        if folder is None:
            raise SwcError("session.no_folder")
        acceptances.write(accepted, folder / acceptances.FILE)
        self.accepted = accepted
        self._show()

    def _zoom(self, index: QModelIndex) -> None:
        if not index.isValid():
            return
        place = self.table.row_at(index).get("place")
        if place:
            east, north = place
            box = QgsRectangle(east - _AROUND, north - _AROUND, east + _AROUND, north + _AROUND)
            self.desk.zoom_to(box, _CRS)

    def _save_table(self) -> None:
        folder = self.desk.session.folder
        start = str(folder / "findings.csv") if folder else "findings.csv"
        chosen, _ = QFileDialog.getSaveFileName(self, self.tr("Save the table"), start, "CSV (*.csv)")
        if not chosen:
            return
        try:
            write_csv(self.table.rows_model, Path(chosen))
        except OSError as error:
            self.desk.say_error(error)


#: Where words of the filter are looked for.
_SOUGHT = ("code", "layer", "bsm", "text", "fix", "reason")


def _group(finding: Row) -> tuple[str, ...]:
    """Return what findings have in common that are accepted together; what has no group is its own."""
    key = finding.get("key") or finding.get("bsm") or finding.get("text") or ""
    return finding["code"], finding["severity"], finding.get("layer") or "", key


def _in_groups(rows: Sequence[Row]) -> list[Row]:
    """Return the first row of each group, with the number of rows in it."""
    groups: dict[tuple[str, ...], dict[str, Any]] = {}
    for row in rows:
        first = groups.setdefault((*_group(row), row["reason"]), {**row, "count": 0})
        first["count"] += 1
    return list(groups.values())


class _FindingsModel(RowsModel):
    """Rows with the mark of their severity."""

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return what a cell shows."""
        if role == Qt.ItemDataRole.DecorationRole and index.column() == 0:
            return _mark(self.rows[index.row()]["standing"])
        return super().data(index, role)


_ICONS: dict[str, QIcon] = {}


def _mark(standing: str) -> QIcon:
    if standing not in _ICONS:
        _ICONS[standing] = mark(LEVELS.get(standing, Level.DONE))
    return _ICONS[standing]
