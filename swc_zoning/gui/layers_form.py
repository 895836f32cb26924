# SPDX-License-Identifier: GPL-2.0-or-later
"""The widgets of the page of the layers: head of the job, table, buttons, form of papers, profiles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from qgis.core import QgsCoordinateReferenceSystem
from qgis.gui import QgsDateEdit, QgsProjectionSelectionWidget
from qgis.PyQt.QtCore import QDate, QItemSelectionModel, QObject, Qt, pyqtSignal
from qgis.PyQt.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from swc_zoning.engine.profiles import Profile
from swc_zoning.gui.layer_rows import At, LayerModel
from swc_zoning.gui.papers_form import PapersForm
from swc_zoning.gui.tables import Column, RowsView
from swc_zoning.qgis_bridge.i18n import language


class LayersForm(QObject):
    """Builds and fills the widgets on `page`; the page says what they do."""

    #: key of the job ("title", "plan_date", "crs") and its value, "" for none
    head_changed = pyqtSignal(str, str)

    def __init__(self, page: QWidget) -> None:
        super().__init__(page)
        self._profiles: list[Profile] = []
        self._filling = False
        whole = QVBoxLayout(page)
        whole.addLayout(self._head())
        for row in self._buttons():
            whole.addLayout(row)
        self.view = RowsView(LayerModel(self._columns(), self))
        self.view.setAccessibleName(self.tr("Layers"))
        # Long words of one column would push the others out of sight.
        self.view.horizontalHeader().setMaximumSectionSize(24 * self.view.fontMetrics().averageCharWidth())
        self.papers = PapersForm()
        split = QSplitter(Qt.Orientation.Vertical)
        split.addWidget(self.view)
        split.addWidget(self.papers)
        split.setStretchFactor(0, 1)
        whole.addWidget(split, 1)
        self.missing = QLabel()
        self.missing.setWordWrap(True)
        self.missing.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        #: What is missing, and beside it what can be done about it.
        self.missing_row = QHBoxLayout()
        self.missing_row.addWidget(self.missing, 1)
        whole.addLayout(self.missing_row)

    # --- rows --------------------------------------------------------------------------------------

    def chosen(self) -> list[At]:
        """Return where the chosen layers are in the job."""
        return [row["at"] for row in self.view.selected_rows()]

    def choose(self, places: Sequence[At]) -> None:
        """Choose layers by where they are."""
        model, selection = self.view.model(), self.view.selectionModel()
        flags = QItemSelectionModel.SelectionFlag.Select | QItemSelectionModel.SelectionFlag.Rows
        for number in range(model.rowCount()):
            index = model.index(number, 0)
            if self.view.row_at(index)["at"] in places:
                selection.select(index, flags)

    def show_missing(self, names: Sequence[str]) -> None:
        """Name the expected layers that are not there."""
        words = self.tr("Not provided: {names}. What these layers would decide is not known.")
        self.missing.setText(words.format(names="、".join(names) if language() == "zh" else ", ".join(names)))
        self.missing.setVisible(bool(names))

    # --- head --------------------------------------------------------------------------------------

    def show_head(self, job: Mapping[str, Any]) -> None:
        """Show title, plan date and CRS of a job."""
        self._filling = True
        try:
            if not self.title.hasFocus():
                self.title.setText(job.get("title", ""))
            day = QDate.fromString(job.get("plan_date", ""), Qt.DateFormat.ISODate)
            self.plan_date.setDate(day) if day.isValid() else self.plan_date.clear()
            self.crs.setCrs(QgsCoordinateReferenceSystem(job.get("crs", "")))
        finally:
            self._filling = False

    def _head(self) -> QFormLayout:
        self.title, self.plan_date, self.crs = QLineEdit(), QgsDateEdit(), QgsProjectionSelectionWidget()
        self.title.setToolTip(self.tr("Printed on results"))
        self.title.editingFinished.connect(lambda: self.head_changed.emit("title", self.title.text().strip()))
        self.plan_date.setAllowNull(True)
        self.plan_date.setNullRepresentation(self.tr("that of the decision table"))
        self.plan_date.setDisplayFormat("yyyy-MM-dd")
        self.plan_date.setToolTip(self.tr("The law is read as it is in force on this day"))
        self.plan_date.dateValueChanged.connect(self._take_date)
        self.crs.setOptionVisible(QgsProjectionSelectionWidget.CrsOption.CrsNotSet, True)
        self.crs.setNotSetText(self.tr("Automatic: the zone that fits"))
        self.crs.setToolTip(self.tr("Projected, in metres; layers are brought to it on a copy"))
        self.crs.crsChanged.connect(self._take_crs)
        form = QFormLayout()
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        form.addRow(self.tr("&Title"), self.title)
        form.addRow(self.tr("Plan d&ate"), self.plan_date)
        form.addRow(self.tr("Working &CRS"), self.crs)
        return form

    def _take_date(self) -> None:
        if not self._filling:
            day = "" if self.plan_date.isNull() else self.plan_date.date().toString("yyyy-MM-dd")
            self.head_changed.emit("plan_date", day)

    def _take_crs(self, crs: QgsCoordinateReferenceSystem) -> None:
        if not self._filling:
            self.head_changed.emit("crs", (crs.authid() or crs.toWkt()) if crs.isValid() else "")

    # --- buttons -----------------------------------------------------------------------------------

    def _buttons(self) -> list[QHBoxLayout]:
        self.add_project = QPushButton(self.tr("Add from pro&ject…"))
        self.add_files = QPushButton(self.tr("Add &files…"))
        self.add_folder = QPushButton(self.tr("Add f&older…"))
        self.open = QPushButton(self.tr("Open jo&b…"))
        self.save = QPushButton(self.tr("Save job as…"))
        self.tiers = QPushButton(self.tr("Ti&ers…"))
        self.refresh = QPushButton(self.tr("Refres&h copy"))
        self.remove = QPushButton(self.tr("Remo&ve"))
        self.apply = QPushButton(self.tr("Apply profile"))
        self.save_profile = QPushButton(self.tr("Save as own profile…"))
        self.add_project.setToolTip(self.tr("Propose roles for the polygon layers of the project"))
        self.add_files.setToolTip(self.tr("Propose roles for the layers of files"))
        self.add_folder.setToolTip(self.tr("Propose roles for all layers below a folder"))
        self.open.setToolTip(self.tr("Take layers and options of a job file"))
        self.profile_combo, self.replace = QComboBox(), QCheckBox(self.tr("replace"))
        self.profile_combo.setAccessibleName(self.tr("Profile"))
        self.profile_combo.setToolTip(self.tr("What layers and fields are called; used for new layers too"))
        self.replace.setToolTip(self.tr("Replace what is set already"))
        return [
            _row(self.add_project, self.add_files, self.add_folder, self.open, self.save),
            _row(self.tiers, self.refresh, self.remove),
            _row(self.profile_combo, self.replace, self.apply, self.save_profile),
        ]

    # --- profiles ----------------------------------------------------------------------------------

    def fill_profiles(self, found: Sequence[Profile]) -> None:
        """Offer profiles; the one in hand stays in hand."""
        kept = self.profile()
        self._profiles = list(found)
        self.profile_combo.blockSignals(True)
        self.profile_combo.clear()
        self.profile_combo.addItem(self.tr("No profile"))
        for number, one in enumerate(found):
            self.profile_combo.addItem(one.name(language()))
            about = one.about_zh if language() == "zh" else one.about_en
            self.profile_combo.setItemData(number + 1, about or str(one.path), Qt.ItemDataRole.ToolTipRole)
        self.profile_combo.blockSignals(False)
        if kept is not None:
            self.choose_profile(kept.path)

    def choose_profile(self, path: Path) -> None:
        """Take the profile of a file in hand."""
        paths = [one.path for one in self._profiles]
        self.profile_combo.setCurrentIndex(paths.index(path) + 1 if path in paths else 0)

    def profile(self) -> Profile | None:
        """Return the profile in hand."""
        number = self.profile_combo.currentIndex()
        return self._profiles[number - 1] if number > 0 else None

    def _columns(self) -> list[Column]:
        return [
            Column(self.tr("State"), "state"),
            Column(self.tr("Role"), "role"),
            Column(self.tr("Layer"), "name"),
            Column(self.tr("Confidence"), "share"),
            Column(self.tr("Tiers"), "tiers"),
            Column(self.tr("Id or code"), "id_field"),
            Column(self.tr("Name field"), "name_field"),
            Column(self.tr("Version"), "version"),
            Column(self.tr("Approval number"), "approval_no"),
            Column(self.tr("Data date"), "data_date"),
            Column(self.tr("Provider"), "provider"),
            Column(self.tr("Secrecy"), "secrecy"),
        ]


def _row(*widgets: QWidget) -> QHBoxLayout:
    row = QHBoxLayout()
    for widget in widgets:
        row.addWidget(widget)
    row.addStretch(1)
    return row
