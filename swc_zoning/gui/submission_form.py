# SPDX-License-Identifier: GPL-2.0-or-later
"""What is asked of an export, as a form: stage, names, papers, formats. It makes up nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from qgis.gui import QgsCollapsibleGroupBox, QgsFileWidget
from qgis.PyQt.QtCore import QDate, pyqtSignal
from qgis.PyQt.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDateEdit,
    QDoubleSpinBox,
    QFormLayout,
    QHBoxLayout,
    QLineEdit,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from swc_zoning.engine.submission.order import FORMATS, Order
from swc_zoning.gui.papers_form import secrecies
from swc_zoning.qgis_bridge import orders

_FORMAT_NAMES = {"gdb": "FileGDB", "gpkg": "GeoPackage", "shp": "Shapefile"}
_DAY = "yyyyMMdd"


class SubmissionForm(QWidget):
    """Edits the order of an export as a document; `changed` tells that it is another one."""

    changed = pyqtSignal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._showing = False
        self._build()
        self.show_document({})

    def document(self) -> dict[str, Any]:
        """Return the order as it stands; what is empty is left out."""
        texts = {key: edit.text().strip() for key, edit in self.texts.items()}
        texts["secrecy"] = self.secrecy.currentText().strip()
        texts |= {key: widget.filePath().strip() for key, widget in self.files.items()}
        return {
            "profile": self.profile.currentData(),
            "stage": self.stage.currentData(),
            **{key: text for key, text in texts.items() if text},
            "date": self.date.date().toString(_DAY),
            "formats": [key for key, box in self.formats.items() if box.isChecked()],
            "min_patch_m2": self.min_patch.value(),
            "neighbour_m": self.neighbour.value(),
            "scale": self.scale.value(),
            **{key: box.isChecked() for key, box in self.ticks.items()},
        }

    def show_document(self, document: Mapping[str, Any]) -> None:
        """Show an order; what it does not say is as for a new one."""
        self._showing = True
        for combo, key in ((self.profile, "profile"), (self.stage, "stage")):
            combo.setCurrentIndex(combo.findData(document.get(key, getattr(Order(), key))))
        for key, edit in self.texts.items():
            edit.setText(str(document.get(key) or ""))
        self.secrecy.setEditText(str(document.get("secrecy") or ""))
        for key, widget in self.files.items():
            widget.setFilePath(str(document.get(key) or ""))
        day = QDate.fromString(str(document.get("date") or ""), _DAY)
        self.date.setDate(day if day.isValid() else QDate.currentDate())
        chosen = document.get("formats", FORMATS)
        for key, box in self.formats.items():
            box.setChecked(key in chosen)
        plain = Order()
        self.min_patch.setValue(float(document.get("min_patch_m2", plain.min_patch_m2)))
        self.neighbour.setValue(float(document.get("neighbour_m", plain.neighbour_m)))
        self.scale.setValue(int(document.get("scale", plain.scale)))
        for key, box in self.ticks.items():
            box.setChecked(bool(document.get(key, getattr(plain, key))))
        self._hint()
        self._showing = False

    def set_secrecy(self, words: str) -> None:
        """Take words for the secrecy where none was chosen."""
        if not self.secrecy.currentText().strip():
            self.secrecy.setEditText(words)

    def go_to(self, key: str) -> None:
        """Give the focus to the field of a key of the order."""
        others = {"secrecy": self.secrecy, "date": self.date, "formats": self.formats["gdb"]}
        field = {**others, **self.texts, **self.files}.get(key)
        if field is None:
            return
        if self._more.isAncestorOf(field):
            self._more.setCollapsed(False)
        field.setFocus()

    # --- building ----------------------------------------------------------------------------------

    def _build(self) -> None:
        self.texts: dict[str, QLineEdit] = {}
        form = _form()
        self.stage, self.profile = self._choice(orders.stages()), self._choice(orders.profiles())
        self.stage.setToolTip(self.tr("Decides the mark on the package and what must be filled in"))
        self.profile.setToolTip(self.tr("What layers, fields and domains are to be"))
        form.addRow(self.tr("S&tage"), self.stage)
        form.addRow(self.tr("&Profile"), self.profile)
        form.addRow(self.tr("&Compiler"), self._text("compiler", self.tr("full name of the unit")))
        form.addRow(self.tr("Plan &name"), self._text("plan_name", self.tr("the plan it belongs to")))
        form.addRow(self.tr("Date"), self._date())
        form.addRow(self.tr("Sec&recy"), self._secrecy())
        form.addRow(self.tr("Formats"), self._formats())
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(form)
        column.addWidget(self._further())
        column.addStretch(1)

    def _further(self) -> QgsCollapsibleGroupBox:
        self._more = QgsCollapsibleGroupBox(self.tr("More"))
        self._more.setCollapsed(True)
        self._more.setSaveCollapsedState(False)
        form = _form(self._more)
        form.addRow(self.tr("Area code"), self._text("code", ""))
        form.addRow(self.tr("Area name"), self._text("name", ""))
        self.files = {"register": QgsFileWidget(), "consultation": QgsFileWidget()}
        self.files["register"].setStorageMode(QgsFileWidget.StorageMode.GetDirectory)
        self.files["register"].setToolTip(
            self.tr("Pieces that did not change keep their BSM and number from there, and reasons are kept")
        )
        self.files["consultation"].setFilter("JSON (*.json)")
        self.files["consultation"].setToolTip(
            self.tr("Written once the replies were taken; kept in the package")
        )
        for widget in self.files.values():
            widget.fileChanged.connect(self._tell)
        form.addRow(self.tr("Earlier package"), self.files["register"])
        form.addRow(self.tr("Consultation record"), self.files["consultation"])
        form.addRow(self.tr("Consultation no."), self._text("consultation_no", ""))
        form.addRow(self.tr("Consultation date"), self._text("consultation_date", "YYYYMMDD"))
        form.addRow(self.tr("Review no."), self._text("review_no", ""))
        form.addRow(self.tr("Approval no."), self._text("approval_no", ""))
        form.addRow(self.tr("Approval date"), self._text("approval_date", "YYYYMMDD"))
        self.min_patch = self._number(QDoubleSpinBox(), 1e9, " m²")
        self.neighbour = self._number(QDoubleSpinBox(), 1e5, " m")
        self.scale = self._number(QSpinBox(), 10_000_000, "")
        self.scale.setPrefix("1:")
        self.min_patch.setToolTip(self.tr("Smaller groups are not proposed for the red line"))
        self.neighbour.setToolTip(self.tr("Patches no further apart count as one group"))
        form.addRow(self.tr("Smallest patch"), self.min_patch)
        form.addRow(self.tr("Grouped within"), self.neighbour)
        form.addRow(self.tr("Map scale"), self.scale)
        self.ticks = {
            "public": QCheckBox(self.tr("Public edition too")),
            "points": QCheckBox(self.tr("Coordinate lists too")),
        }
        self.ticks["public"].setToolTip(
            self.tr("A second package without sensitive sources, coordinates, hashes and paths, marked so")
        )
        for box in self.ticks.values():
            box.toggled.connect(self._tell)
            form.addRow("", box)
        return self._more

    def _text(self, key: str, hint: str) -> QLineEdit:
        edit = QLineEdit()
        edit.setPlaceholderText(hint)
        edit.textChanged.connect(self._tell)
        self.texts[key] = edit
        return edit

    def _choice(self, entries: Mapping[str, str]) -> QComboBox:
        combo = QComboBox()
        for key, name in entries.items():
            combo.addItem(name, key)
        combo.currentIndexChanged.connect(self._tell)
        return combo

    def _date(self) -> QDateEdit:
        self.date = QDateEdit()
        self.date.setCalendarPopup(True)
        self.date.setDisplayFormat("yyyy-MM-dd")
        self.date.dateChanged.connect(self._tell)
        return self.date

    def _secrecy(self) -> QComboBox:
        self.secrecy = QComboBox()
        self.secrecy.setEditable(True)
        self.secrecy.addItems(["", *secrecies()])
        self.secrecy.lineEdit().setPlaceholderText(self.tr("not chosen: nothing is assumed"))
        self.secrecy.setToolTip(self.tr("As settled by the review of secrecy; written as it is"))
        self.secrecy.editTextChanged.connect(self._tell)
        return self.secrecy

    def _formats(self) -> QWidget:
        self.formats: dict[str, QCheckBox] = {}
        whole = QWidget()
        row = QHBoxLayout(whole)
        row.setContentsMargins(0, 0, 0, 0)
        for key, name in _FORMAT_NAMES.items():
            self.formats[key] = QCheckBox(name)
            self.formats[key].toggled.connect(self._tell)
            row.addWidget(self.formats[key])
        row.addStretch(1)
        self.formats["shp"].setToolTip(
            self.tr("In GBK; a character it cannot hold is named and stops the export")
        )
        return whole

    def _number(self, box: Any, most: float, unit: str) -> Any:
        box.setRange(1 if isinstance(box, QSpinBox) else 0, most)
        box.setSuffix(unit)
        box.setGroupSeparatorShown(True)
        box.valueChanged.connect(self._tell)
        return box

    def _hint(self) -> None:
        """Show code and name of the area that the profile has."""
        schema = orders.schema(self.profile.currentData())
        derived = self.tr("from the districts")
        self.texts["code"].setPlaceholderText(schema.code or derived)
        self.texts["name"].setPlaceholderText(schema.name or self.tr("must be given"))

    def _tell(self) -> None:
        if not self._showing:
            self._hint()
            self.changed.emit()


def _form(parent: QWidget | None = None) -> QFormLayout:
    form = QFormLayout(parent) if parent is not None else QFormLayout()
    form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
    form.setRowWrapPolicy(QFormLayout.RowWrapPolicy.WrapLongRows)
    return form
