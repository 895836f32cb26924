# SPDX-License-Identifier: GPL-2.0-or-later
"""The page that holds two results against each other: matrix, causes, changed ground, swipe."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from qgis.core import Qgis, QgsCoordinateTransform, QgsVectorLayer
from qgis.PyQt.QtCore import Qt
from qgis.PyQt.QtGui import QGuiApplication
from qgis.PyQt.QtWidgets import (
    QComboBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from swc_zoning.engine import styles
from swc_zoning.engine.messages import SwcError
from swc_zoning.gui.desk import Desk
from swc_zoning.gui.fitting import fit, wrapped
from swc_zoning.gui.page import Level, Page, State, allow
from swc_zoning.gui.places import free_folder
from swc_zoning.gui.session import open_result
from swc_zoning.gui.swipe import Swipe
from swc_zoning.gui.tables import Column, RowsModel, RowsView, as_text, write_csv
from swc_zoning.qgis_bridge import derived_layers, results
from swc_zoning.qgis_bridge.i18n import language, text

_HECTARE = 1e4
#: Where comparisons go in the working folder.
FOLDER = "comparisons"
#: Widest columns of the matrix, in letters.
_CELL_LETTERS, _TITLE_LETTERS = 18, 26
#: Hectares of the matrix, to 1 m2 as in the tables of areas.
_DECIMALS = 4


class ComparePage(Page):
    """Compares two results of the session, or of any folder."""

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(desk, parent)
        self._document: dict[str, Any] | None = None
        self._output: Path | None = None
        #: The two folders that were asked about, and those of the document.
        self._asked = self._compared = (Path(), Path())
        self._swipe: Swipe | None = None
        self._build()
        for signal in (desk.session.folder_changed, desk.session.result_changed):
            signal.connect(self._list_results)
        desk.session.project.cleared.connect(self._forget)
        desk.runner.started.connect(self._refresh)
        desk.runner.finished.connect(self._refresh)
        self._list_results()

    def title(self) -> str:
        """Return the name of the page."""
        return self.tr("Compare")

    def state(self) -> State:
        """Return how the comparison stands."""
        if self._document is not None:
            area = self._document["changed"]["area_m2"] / _HECTARE
            return State(Level.DONE, self.tr("{area} ha changed").format(area=f"{area:,.2f}"))
        reason = self._why_not()
        if reason:
            return State(Level.BLOCKED, reason)
        return State(Level.OFFERED, self.tr("Two results can be compared"))

    def deactivate(self) -> None:
        """Give the map back."""
        self._swipe_button.setChecked(False)

    def unload(self) -> None:
        """Take the swipe off the map."""
        self._stop_swipe()
        self.desk.session.project.cleared.disconnect(self._forget)

    def choose(self, before: Path, after: Path) -> None:
        """Choose two folders of results, listed or not."""
        for combo, folder in ((self._before, before), (self._after, after)):
            if combo.findData(str(folder)) < 0:
                combo.addItem(folder.name, str(folder))
            combo.setCurrentIndex(combo.findData(str(folder)))
        self._refresh()

    def run(self) -> None:
        """Compare the two results in the background."""
        before, after = self._asked = self._chosen()
        session = self.desk.session
        self._swipe_button.setChecked(False)
        parameters = {"BEFORE": str(before), "AFTER": str(after)}
        if session.folder is not None:
            parameters["OUTPUT"] = str(free_folder(session.folder / FOLDER))
        try:
            self.desk.runner.run(
                "swc_zoning:comparezonings", parameters, self._finished, self.tr("Comparing")
            )
        except SwcError as error:
            self.desk.say_error(error)

    # --- building ----------------------------------------------------------------------------------

    def _build(self) -> None:
        form = QFormLayout()
        self._before = self._add_choice(form, self.tr("&Older result"))
        self._after = self._add_choice(form, self.tr("&Newer result"))
        self._scope = QComboBox()
        self._scope.setToolTip(self.tr("The matrix of the whole, or of one district"))
        self._scope.currentIndexChanged.connect(self._show_matrix)
        self._why, self._headline = QLabel(), QLabel()
        for label in (self._why, self._headline):
            label.setWordWrap(True)
        self._table = RowsView(_MatrixModel([], self))
        self._table.setAccessibleName(self.tr("Transfer matrix"))
        self._table.setSortingEnabled(False)
        where = QFormLayout()
        where.addRow(self.tr("&District"), self._scope)
        column = QVBoxLayout(self)
        column.addLayout(form)
        column.addLayout(self._buttons())
        column.addWidget(self._why)
        column.addWidget(self._headline)
        column.addLayout(where)
        column.addWidget(self._table, 1)
        column.addLayout(self._table_buttons())

    def _add_choice(self, form: QFormLayout, label: str) -> QComboBox:
        combo, browse = QComboBox(), QPushButton(self.tr("Browse…"))
        combo.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        combo.setMinimumContentsLength(12)
        combo.currentIndexChanged.connect(self._refresh)
        browse.setToolTip(self.tr("A folder with summary.json and zoning.gpkg"))
        browse.clicked.connect(lambda: self._browse(combo))
        row = QHBoxLayout()
        row.addWidget(combo, 1)
        row.addWidget(browse)
        form.addRow(label, row)
        form.labelForField(row).setBuddy(combo)
        return combo

    def _buttons(self) -> QHBoxLayout:
        self._run = QPushButton(self.tr("&Compare"))
        self._run.clicked.connect(self.run)
        self._show = QPushButton(self.tr("Show c&hanges"))
        self._show.clicked.connect(self._load_changes)
        self._swipe_button = QPushButton(self.tr("S&wipe"))
        self._swipe_button.setCheckable(True)
        self._swipe_button.toggled.connect(self._toggle_swipe)
        row = QHBoxLayout()
        for button in (self._run, self._show, self._swipe_button):
            row.addWidget(button)
        row.addStretch(1)
        return row

    def _table_buttons(self) -> QHBoxLayout:
        self._copy = QPushButton(self.tr("Co&py table"))
        self._copy.clicked.connect(self._copy_table)
        self._save = QPushButton(self.tr("&Save table…"))
        self._save.clicked.connect(self._save_table)
        row = QHBoxLayout()
        row.addWidget(self._copy)
        row.addWidget(self._save)
        row.addStretch(1)
        return row

    # --- what is chosen ----------------------------------------------------------------------------

    def _list_results(self) -> None:
        """List the results of the working folder; the two newest are proposed."""
        found = self.desk.session.results()
        current = self.desk.session.result
        if current is not None and current.folder not in found:
            found = [current.folder, *found]
        for combo, number in ((self._before, 1), (self._after, 0)):
            before = combo.currentData()
            combo.blockSignals(True)
            combo.clear()
            for folder in found:
                combo.addItem(folder.name, str(folder))
            place = combo.findData(before)
            combo.setCurrentIndex(place if place >= 0 else min(number, len(found) - 1))
            combo.blockSignals(False)
        self._refresh()

    def _browse(self, combo: QComboBox) -> None:
        chosen = QFileDialog.getExistingDirectory(self, self.tr("Folder of a result"))
        if not chosen:
            return
        try:
            folder = open_result(Path(chosen)).folder
        except SwcError as error:
            self.desk.say_error(error)
            return
        combo.addItem(folder.name, str(folder))
        combo.setCurrentIndex(combo.count() - 1)

    def _chosen(self) -> tuple[Path, Path]:
        return Path(self._before.currentData()), Path(self._after.currentData())

    def _why_not(self) -> str:
        if self.desk.runner.busy:
            return self.tr("Something is running")
        if self._before.currentData() is None or self._after.currentData() is None:
            return self.tr("Two results are needed: zone the city, or browse for a folder")
        if self._before.currentData() == self._after.currentData():
            return self.tr("Choose two different results")
        return ""

    def _refresh(self) -> None:
        reason = self._why_not()
        allow(self._run, reason, self.tr("Runs in the background; the map stays usable"))
        self._why.setText(reason)
        self._why.setVisible(bool(reason))
        nothing = "" if self._document is not None else self.tr("Compare two results first")
        for button in (self._show, self._copy, self._save):
            allow(button, nothing)
        tip = self.tr("The older result left of the pointer, the newer one right of it")
        allow(self._swipe_button, nothing, tip)
        self.state_changed.emit()

    # --- what came of it ---------------------------------------------------------------------------

    def _finished(self, ok: bool, found: dict) -> None:
        if not ok:
            return
        self._output = Path(found["OUTPUT"])
        path = self._output / "comparison.json"
        self.desk.runner.work(lambda: json.loads(path.read_text(encoding="utf-8")), self._take)

    def _take(self, document: Any) -> None:
        if isinstance(document, Exception):
            self.desk.say_error(document)
            return
        self._document = document
        self._compared = self._asked
        self._scope.blockSignals(True)
        self._scope.clear()
        self._scope.addItem(text("comparison.whole"), None)
        for row in document["districts"]:
            self._scope.addItem(
                f"{row['district_code']} {row['district_name']}".strip(), row["district_code"]
            )
        self._scope.blockSignals(False)
        self._headline.setText(self._said())
        self._show_matrix()
        self._refresh()
        self._load_changes()
        self.desk.say(Qgis.MessageLevel.Success, self.state().words)

    def _said(self) -> str:
        changed = self._document["changed"]
        lines = [
            self.tr("{parts} pieces of ground changed, {area} ha.").format(
                parts=f"{changed['parts']:,}", area=f"{changed['area_m2'] / _HECTARE:,.4f}"
            )
        ]
        names = {kind: entry[f"label_{language()}"] for kind, entry in styles.palette()["changes"].items()}
        for row in changed["by_cause"]:
            area = f"{row['area_m2'] / _HECTARE:,.4f}"
            lines.append(self.tr("{cause}: {area} ha").format(cause=names[row["cause"]], area=area))
        if self._document["rules_changed"]:
            lines.append(self.tr("The two results were made with different decision tables."))
        return "\n".join(lines)

    def _matrix(self) -> Mapping[str, Any]:
        code = self._scope.currentData()
        if code is None:
            return self._document["matrix"]
        return next(row for row in self._document["districts"] if row["district_code"] == code)

    def _show_matrix(self) -> None:
        if self._document is None:
            return
        matrix = self._matrix()
        columns = [Column(self.tr("Before ↓  after → (ha)"), "title")]
        for after in matrix["after"]:
            columns.append(Column(self._name(after), _key(after), _DECIMALS))
        columns.append(Column(text("comparison.sum"), "sum", _DECIMALS))
        self._table.rows_model.set_rows(list(self._matrix_rows(matrix)), columns)
        fit(self._table, _CELL_LETTERS, _TITLE_LETTERS)

    def _matrix_rows(self, matrix: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
        cells: dict[tuple[str, str], dict[str, float]] = {}
        for cell in matrix["cells"]:
            row = cells.setdefault((cell["zone_before"], cell["status_before"]), {})
            row[f"{cell['zone_after']}/{cell['status_after']}"] = cell["area_m2"] / _HECTARE
        for before in matrix["before"]:
            row = cells[before["zone"], before["status"]]
            yield {"title": self._name(before), **row, "sum": before["area_m2"] / _HECTARE}
        sums = {_key(after): after["area_m2"] / _HECTARE for after in matrix["after"]}
        yield {"title": text("comparison.sum"), **sums, "sum": sum(sums.values()), "bold": True}

    def _name(self, row: Mapping[str, Any]) -> str:
        names = {zone["zone"]: zone[f"name_{language()}"] for zone in self._document["zones"]}
        special = ("outside", "other_district", "closing")
        if row["zone"] in special:
            return text(f"comparison.{row['zone']}")
        pending = text("comparison.pending") if row["status"] == "pending" else ""
        return names[row["zone"]] + pending

    def _forget(self) -> None:
        """Another project: what was compared is none of it."""
        self._swipe_button.setChecked(False)
        self._document = None
        self._scope.clear()
        self._headline.clear()
        self._table.rows_model.set_rows([], [])
        self._list_results()

    def _load_changes(self) -> None:
        home = derived_layers.Home.of(self._output, text("compare.group"), {}, key=FOLDER)
        try:
            derived_layers.show(
                self.desk.session.project, self._output / "comparison.gpkg", ["CHANGES"], home
            )
        except SwcError as error:
            self.desk.say_error(error)

    def _copy_table(self) -> None:
        QGuiApplication.clipboard().setText(as_text(self._table.rows_model))

    def _save_table(self) -> None:
        start = str(self._output / "matrix.csv")
        chosen, _ = QFileDialog.getSaveFileName(self, self.tr("Save the table"), start, "CSV (*.csv)")
        if not chosen:
            return
        try:
            write_csv(self._table.rows_model, Path(chosen))
        except OSError as error:
            self.desk.say_error(error)

    # --- swipe -------------------------------------------------------------------------------------

    def _toggle_swipe(self, on: bool) -> None:
        self._stop_swipe()
        if not on or self._document is None:
            return
        try:
            layers = [results.open_layer(folder / "zoning.gpkg", "zones") for folder in self._compared]
        except SwcError as error:
            self.desk.say_error(error)
            return
        self._show_whole(layers[1])
        names = tuple(folder.name for folder in self._compared)
        self._swipe = Swipe(self.desk.canvas, *layers, names)
        self.desk.canvas.setMapTool(self._swipe.tool)
        self._swipe.tool.deactivated.connect(self._swipe_left)

    def _show_whole(self, layer: QgsVectorLayer) -> None:
        """Show the whole city where the map shows nothing of it."""
        canvas = self.desk.canvas
        target = canvas.mapSettings().destinationCrs()
        move = QgsCoordinateTransform(layer.crs(), target, self.desk.session.project)
        if not move.transformBoundingBox(layer.extent()).intersects(canvas.extent()):
            self.desk.zoom_to(layer.extent(), layer.crs().authid() or layer.crs().toWkt())

    def _swipe_left(self) -> None:
        """Another map tool was taken."""
        self._swipe_button.setChecked(False)

    def _stop_swipe(self) -> None:
        swipe, self._swipe = self._swipe, None
        if swipe is not None:
            swipe.close()


class _MatrixModel(RowsModel):
    """The matrix, with headings of several lines."""

    def headerData(  # noqa: N802 (Qt calls this name)
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        """Return the titles of columns."""
        said = super().headerData(section, orientation, role)
        return wrapped(said, _CELL_LETTERS) if isinstance(said, str) else said


def _key(row: Mapping[str, Any]) -> str:
    return f"{row['zone']}/{row['status']}"
