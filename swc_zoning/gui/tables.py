# SPDX-License-Identifier: GPL-2.0-or-later
"""Tables that are read: rows of a list in a sortable view, copied with Ctrl+C or written as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from qgis.PyQt.QtCore import QAbstractTableModel, QModelIndex, QObject, QSortFilterProxyModel, Qt
from qgis.PyQt.QtGui import QColor, QFont, QGuiApplication, QKeySequence
from qgis.PyQt.QtWidgets import QAbstractItemView, QHeaderView, QTableView, QWidget

from swc_zoning.engine.cells import guarded

Row = Mapping[str, Any]
_SORT = Qt.ItemDataRole.UserRole
#: Readable on light and on dark.
_GAIN, _LOSS = "#2e8b57", "#d9534f"


@dataclass(frozen=True)
class Column:
    """A column: title, key of the row (or a function of it), number of decimals (None: text).

    Numbers of a `signed` one are gains and losses: told apart by their sign, and by colour.
    """

    title: str
    of: str | Callable[[Row], Any]
    decimals: int | None = None
    signed: bool = False

    def value(self, row: Row) -> Any:
        """Return the raw value of a row."""
        return self.of(row) if callable(self.of) else row.get(self.of)

    def shown(self, row: Row) -> str:
        """Return the value as text."""
        value = self.value(row)
        if value is None:
            return ""
        if self.decimals is None:
            return str(value)
        shown = f"{value:,.{self.decimals}f}"
        return f"+{shown}" if self.signed and value > 0 else shown

    def colour(self, row: Row) -> QColor | None:
        """Return the colour of a gain or loss, None for what is neither."""
        value = self.value(row) if self.signed else 0
        return QColor(_GAIN if value > 0 else _LOSS) if value else None


class RowsModel(QAbstractTableModel):
    """Rows (mappings) under fixed columns; a row with a true ``bold`` is shown in bold."""

    def __init__(self, columns: Sequence[Column], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.columns = list(columns)
        self.rows: list[Row] = []

    def set_rows(self, rows: Sequence[Row], columns: Sequence[Column] | None = None) -> None:
        """Show other rows, and other columns where given."""
        self.beginResetModel()
        self.rows = list(rows)
        if columns is not None:
            self.columns = list(columns)
        self.endResetModel()

    def rowCount(self, parent: QModelIndex = QModelIndex()) -> int:  # noqa: N802, B008 (Qt's own form)
        """Return the number of rows."""
        return 0 if parent.isValid() else len(self.rows)

    def columnCount(self, parent: QModelIndex = QModelIndex()) -> int:  # noqa: N802, B008
        """Return the number of columns."""
        return 0 if parent.isValid() else len(self.columns)

    def headerData(  # noqa: N802
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        """Return the titles of columns."""
        said = (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole)
        if orientation == Qt.Orientation.Horizontal and role in said:
            return self.columns[section].title
        return None

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return what a cell shows."""
        column, row = self.columns[index.column()], self.rows[index.row()]
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole):
            return column.shown(row)
        if role == _SORT:
            value = column.value(row)
            return "" if value is None else value
        if role == Qt.ItemDataRole.TextAlignmentRole and column.decimals is not None:
            return int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        if role == Qt.ItemDataRole.ForegroundRole:
            return column.colour(row)
        if role == Qt.ItemDataRole.FontRole and row.get("bold"):
            font = QFont()
            font.setBold(True)
            return font
        return None


class RowsView(QTableView):
    """A read-only view of a RowsModel: sorted by clicks, whole rows selected, Ctrl+C copies them."""

    def __init__(self, model: RowsModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.rows_model = model
        self._sorted = QSortFilterProxyModel(self)
        self._sorted.setSourceModel(model)
        self._sorted.setSortRole(_SORT)
        self.setModel(self._sorted)
        self.setSortingEnabled(True)
        self.sortByColumn(-1, Qt.SortOrder.AscendingOrder)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setAlternatingRowColors(True)
        self.verticalHeader().hide()
        self.horizontalHeader().setStretchLastSection(True)
        self.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        # Widths from the first rows: asking thousands of rows would hold the window up.
        self.horizontalHeader().setResizeContentsPrecision(50)
        model.modelReset.connect(self.resizeColumnsToContents)

    def row_at(self, index: QModelIndex) -> Row:
        """Return the row behind an index of this view."""
        return self.rows_model.rows[self._sorted.mapToSource(index).row()]

    def selected_rows(self) -> list[Row]:
        """Return the selected rows."""
        return [self.row_at(index) for index in self.selectionModel().selectedRows()]

    def keyPressEvent(self, event: Any) -> None:  # noqa: N802
        """Copy on Ctrl+C; all else as ever."""
        if event.matches(QKeySequence.StandardKey.Copy):
            QGuiApplication.clipboard().setText(as_text(self.rows_model, self.selected_rows()))
            return
        super().keyPressEvent(event)


def as_text(model: RowsModel, rows: Sequence[Row] | None = None) -> str:
    """Return rows as tab-separated text with a header, as spreadsheets take it."""
    lines = [[column.title for column in model.columns]]
    lines += [
        [column.shown(row) for column in model.columns] for row in (model.rows if rows is None else rows)
    ]
    return "\n".join("\t".join(line) for line in lines)


def write_csv(model: RowsModel, path: Path) -> None:
    """Write all rows as CSV with raw numbers, text guarded against formulas. Raises OSError."""
    made = io.StringIO()
    writer = csv.writer(made)
    writer.writerow([column.title for column in model.columns])
    for row in model.rows:
        writer.writerow([guarded(column.value(row)) for column in model.columns])
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        file.write(made.getvalue())
