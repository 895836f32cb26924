# SPDX-License-Identifier: GPL-2.0-or-later
"""What is asked before documents, tables or maps of the chapter are made: where to, in which language."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from qgis.gui import QgsFileWidget
from qgis.PyQt.QtCore import QCoreApplication, Qt
from qgis.PyQt.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QHBoxLayout,
    QListWidget,
    QListWidgetItem,
    QVBoxLayout,
    QWidget,
)

from swc_zoning.engine.chapter import plans
from swc_zoning.engine.messages import LANGUAGES
from swc_zoning.qgis_bridge.i18n import language

#: By name of the class: `tr` would look under the name of the subclass.
translate = QCoreApplication.translate

#: As the tool that makes map sheets has them.
_FORMATS, _CHOSEN = ("PDF", "JPG", "PNG"), 2
#: So much of a path is seen.
_LETTERS = 60


class ChapterDialog(QDialog):
    """Asks for language, templates and folder; `parameters` gives them as the algorithm takes them."""

    def __init__(self, title: str, folder: Path, templates: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(title)
        self._templates = templates
        self.form = QFormLayout()
        self.form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        self._add_rows()
        self.spoken = QComboBox()
        self.spoken.addItems([translate("ChapterDialog", "Chinese"), translate("ChapterDialog", "English")])
        self.spoken.setCurrentIndex(LANGUAGES.index(language()))
        self.form.addRow(translate("ChapterDialog", "&Language"), self.spoken)
        self.folder = _folder_field(str(folder))
        self.folder.fileChanged.connect(self._check)
        self.form.addRow(translate("ChapterDialog", "&Folder"), self.folder)
        self._end(QVBoxLayout(self))
        self.folder.setMinimumWidth(_LETTERS * self.fontMetrics().averageCharWidth())
        self._check()

    def parameters(self) -> dict[str, Any]:
        """Return what was chosen, as parameters of the algorithm."""
        return {"LANG": self.spoken.currentIndex(), "OUTPUT": self.folder.filePath().strip()}

    def _add_rows(self) -> None:
        """Add what is asked before language and folder."""

    def _end(self, column: QVBoxLayout) -> None:
        kinds = QDialogButtonBox.StandardButton
        buttons = QDialogButtonBox(kinds.Ok | kinds.Cancel)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        self.ok = buttons.button(kinds.Ok)
        column.addLayout(self.form)
        column.addWidget(buttons)

    def _lacking(self) -> str:
        """Return what must be chosen still, "" where nothing."""
        return "" if self.folder.filePath().strip() else translate("ChapterDialog", "Choose a folder")

    def _check(self) -> None:
        lacking = self._lacking()
        self.ok.setEnabled(not lacking)
        self.ok.setToolTip(lacking)


class DocumentsDialog(ChapterDialog):
    """Asks for the templates too."""

    def parameters(self) -> dict[str, Any]:
        """Return what was chosen, as parameters of the algorithm."""
        templates = self.templates.filePath().strip()
        return {**super().parameters(), **({"TEMPLATES": templates} if templates else {})}

    def _add_rows(self) -> None:
        self.templates = _folder_field(self._templates)
        self.templates.lineEdit().setPlaceholderText(self.tr("those shipped"))
        self.templates.setToolTip(
            self.tr("A folder with text_zh.docx and notes_zh.docx of your own, copied from the shipped ones")
        )
        self.form.addRow(self.tr("Word &templates"), self.templates)


class MapsDialog(ChapterDialog):
    """Asks for sheets, districts and formats too."""

    def parameters(self) -> dict[str, Any]:
        """Return what was chosen, as parameters of the algorithm."""
        return {
            **super().parameters(),
            "SHEETS": self._sheets(),
            "DISTRICTS": self.districts.isChecked(),
            "FORMATS": self._formats(),
            "PUBLIC": self.public.isChecked(),
        }

    def _add_rows(self) -> None:
        self.sheets = QListWidget()
        for sheet in plans.sheets():
            item = QListWidgetItem(f"{sheet.id} {sheet.title(language())}")
            item.setFlags(item.flags() | Qt.ItemFlag.ItemIsUserCheckable)
            item.setCheckState(Qt.CheckState.Checked)
            self.sheets.addItem(item)
        frame = 2 * self.sheets.frameWidth()
        self.sheets.setMinimumHeight(self.sheets.sizeHintForRow(0) * self.sheets.count() + frame)
        self.sheets.itemChanged.connect(lambda _: self._check())
        self.districts = QCheckBox(self.tr("One sheet for each &district"))
        self.districts.toggled.connect(lambda _: self._check())
        self.public = QCheckBox(self.tr("&Public edition"))
        self.public.setToolTip(self.tr("Without graticule and coordinates"))
        self.form.addRow(self.tr("&Sheets"), self.sheets)
        self.form.addRow("", self.districts)
        self.form.addRow(self.tr("Formats"), self._format_boxes())
        self.form.addRow("", self.public)

    def _format_boxes(self) -> QWidget:
        whole = QWidget()
        row = QHBoxLayout(whole)
        row.setContentsMargins(0, 0, 0, 0)
        self.formats = [QCheckBox(name) for name in _FORMATS]
        for number, box in enumerate(self.formats):
            box.setChecked(number < _CHOSEN)
            box.toggled.connect(lambda _: self._check())
            row.addWidget(box)
        row.addStretch(1)
        return whole

    def _sheets(self) -> list[int]:
        checked = Qt.CheckState.Checked
        return [row for row in range(self.sheets.count()) if self.sheets.item(row).checkState() == checked]

    def _formats(self) -> list[int]:
        return [number for number, box in enumerate(self.formats) if box.isChecked()]

    def _lacking(self) -> str:
        if not self._sheets() and not self.districts.isChecked():
            return self.tr("Choose a sheet or the districts")
        return super()._lacking() if self._formats() else self.tr("Choose a format")


def _folder_field(path: str) -> QgsFileWidget:
    field = QgsFileWidget()
    field.setStorageMode(QgsFileWidget.StorageMode.GetDirectory)
    field.setFilePath(path)
    return field
