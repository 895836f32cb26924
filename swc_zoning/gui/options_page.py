# SPDX-License-Identifier: GPL-2.0-or-later
"""The page of this plugin among the options of QGIS: settings, and the Python the engine runs in."""

from __future__ import annotations

from html import escape
from typing import Any

from qgis.gui import QgsFileWidget, QgsOptionsPageWidget, QgsOptionsWidgetFactory
from qgis.PyQt.QtCore import QCoreApplication
from qgis.PyQt.QtGui import QGuiApplication, QIcon
from qgis.PyQt.QtWidgets import (
    QComboBox,
    QFileDialog,
    QFormLayout,
    QGroupBox,
    QHBoxLayout,
    QPushButton,
    QSpinBox,
    QTextBrowser,
    QVBoxLayout,
    QWidget,
)

from swc_zoning.gui.page import allow
from swc_zoning.gui.runner import Runner
from swc_zoning.paths import resource
from swc_zoning.qgis_bridge import environment
from swc_zoning.qgis_bridge.environment import Environment
from swc_zoning.qgis_bridge.i18n import language
from swc_zoning.qgis_bridge.settings import AUTO, Settings, most_workers


class OptionsFactory(QgsOptionsWidgetFactory):
    """Makes the page each time the options are opened."""

    def __init__(self) -> None:
        super().__init__()
        self.setTitle(QCoreApplication.translate("OptionsPage", "SWC Zoning"))
        self._page: OptionsPage | None = None

    def icon(self) -> QIcon:
        """Return the icon in the list of pages."""
        return QIcon(str(resource("icons", "swc_zoning.svg")))

    def createWidget(self, parent: QWidget | None = None) -> QgsOptionsPageWidget:  # noqa: N802
        """Return a new page; kept here, since QGIS keeps only its widget."""
        self._page = OptionsPage(parent)
        return self._page


def register(iface: Any) -> OptionsFactory:
    """Add the page to the options of QGIS; what is returned is to be unregistered there."""
    factory = OptionsFactory()
    iface.registerOptionsWidgetFactory(factory)
    return factory


class OptionsPage(QgsOptionsPageWidget):
    """Settings above, the environment below; the check runs in the background."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("swcZoningOptions")
        self._settings, self._runner = Settings(), Runner()
        # The answer of a check must not come to a page that is gone.
        self.destroyed.connect(self._runner.close)
        self.found: Environment | None = None
        self._build()
        self._show_settings()
        self.check()

    def _build(self) -> None:
        column = QVBoxLayout(self)
        column.addWidget(self._settings_box())
        column.addWidget(self._environment_box(), 1)

    def _settings_box(self) -> QGroupBox:
        self.language, self.workers = QComboBox(), QSpinBox()
        for words, value in ((self.tr("as QGIS"), AUTO), ("中文", "zh"), ("English", "en")):
            self.language.addItem(words, value)
        self.language.setToolTip(self.tr("Of messages and results; menus follow when QGIS starts again"))
        self.workers.setRange(1, most_workers())
        self.workers.setToolTip(self.tr("The result is the same with any number; more need more memory"))
        self.python, self.temp, self.folder = QgsFileWidget(), QgsFileWidget(), QgsFileWidget()
        self.python.setStorageMode(QgsFileWidget.StorageMode.GetFile)
        for widget in (self.temp, self.folder):
            widget.setStorageMode(QgsFileWidget.StorageMode.GetDirectory)
        self.python.setToolTip(self.tr("Tried first; empty: the Python of QGIS, then those of the system"))
        self.temp.setToolTip(self.tr("Empty: that of Processing, else that of the system"))
        box, form = QGroupBox(self.tr("Settings")), QFormLayout()
        form.addRow(self.tr("&Language"), self.language)
        form.addRow(self.tr("&Processes of a run"), self.workers)
        form.addRow(self.tr("Python of the &engine"), self.python)
        form.addRow(self.tr("&Temporary data"), self.temp)
        form.addRow(self.tr("&Working folders begin in"), self.folder)
        box.setLayout(form)
        return box

    def _environment_box(self) -> QGroupBox:
        self.report, self.system = QTextBrowser(), QComboBox()
        self.report.setAccessibleName(self.tr("Environment"))
        for name, value in (("Windows", "windows"), ("macOS", "macos"), ("Linux", "linux")):
            self.system.addItem(name, value)
        self.system.setCurrentIndex(self.system.findData(environment.platform()))
        self.system.currentIndexChanged.connect(self._show_report)
        self.again, self.choose = QPushButton(self.tr("&Check again")), QPushButton()
        self.choose.setText(self.tr("Choose &interpreter…"))
        self.choose.setToolTip(self.tr("Name a Python that has the packages"))
        self.copy = QPushButton(self.tr("C&opy the report"))
        self.again.clicked.connect(lambda: self.check(again=True))
        self.choose.clicked.connect(self._choose)
        self.copy.clicked.connect(lambda: QGuiApplication.clipboard().setText(self.report.toPlainText()))
        row = QHBoxLayout()
        for widget in (self.again, self.choose, self.copy):
            row.addWidget(widget)
        row.addStretch(1)
        row.addWidget(self.system)
        box, column = QGroupBox(self.tr("Environment")), QVBoxLayout()
        column.addWidget(self.report, 1)
        column.addLayout(row)
        box.setLayout(column)
        return box

    # --- settings ----------------------------------------------------------------------------------

    def _show_settings(self) -> None:
        settings = self._settings
        self.language.setCurrentIndex(self.language.findData(settings.language))
        self.workers.setValue(settings.workers)
        self.python.setFilePath(settings.python)
        self.temp.setFilePath(settings.own_temp_folder)
        self.folder.setFilePath(settings.working_folder)

    def apply(self) -> None:
        """Keep the settings, when the options are accepted."""
        settings = self._settings
        settings.language = self.language.currentData()
        settings.workers = self.workers.value()
        settings.python = self.python.filePath()
        settings.own_temp_folder = self.temp.filePath()
        settings.working_folder = self.folder.filePath()

    # --- environment -------------------------------------------------------------------------------

    def check(self, again: bool = False) -> None:
        """Look for an interpreter in the background; the report says what came of it."""
        allow(self.again, self.tr("The check is running"))
        self.report.setPlainText(self.tr("Looking for a Python that can run the engine…"))
        preferred, lang = self.python.filePath().strip(), language()
        self._runner.work(lambda: environment.examine(preferred, lang, again), self._checked)

    def _checked(self, found: Any) -> None:
        allow(self.again, "", self.tr("Look anew, after something was installed"))
        if isinstance(found, Exception):
            self.report.setPlainText(str(found))
            return
        self.found = found
        self._show_report()

    def _show_report(self, *_: object) -> None:
        if self.found is not None:
            self.report.setHtml("".join(self._told(self.found)))

    def _told(self, found: Environment) -> list[str]:
        lines = [f"<p><b>{escape(self._headline(found))}</b></p>"]
        if found.python:
            versions = (f"{name} {number}" for name, number in found.versions.items())
            lines.append(f"<p>{escape(found.python)}<br/>{escape(', '.join(versions))}</p>")
        if found.no_rasters:
            lines.append(f"<p>⚠ {escape(found.no_rasters)}</p>")
        if found.refusals:
            rows = "".join(f"<li>{escape(refusal)}</li>" for refusal in found.refusals)
            unused = self.tr("Not used")
            lines.append(f"<p>{escape(unused)}</p><ul>{rows}</ul>")
        ways = self.tr("How to get what is missing")
        lines.append(f"<p>{escape(ways)}</p><ol>")
        for step in environment.remedies(self.system.currentData(), language()):
            commands = "".join(
                f"<pre style='white-space: pre-wrap'>{escape(command)}</pre>" for command in step.commands
            )
            lines.append(f"<li>{escape(step.words)}{commands}</li>")
        return [*lines, "</ol>"]

    def _headline(self, found: Environment) -> str:
        if not found.python:
            return "✖ " + self.tr("No Python that can run the engine was found")
        if found.own:
            return "✓ " + self.tr("The engine runs in the Python of QGIS, in a process of its own")
        return "✓ " + self.tr("The engine runs in a Python beside QGIS")

    def _choose(self) -> None:
        chosen, _ = QFileDialog.getOpenFileName(self, self.tr("Choose interpreter"))
        if chosen:
            self.take_interpreter(chosen)

    def take_interpreter(self, path: str) -> None:
        """Try a Python first, and check anew."""
        self.python.setFilePath(path)
        self.check(again=True)
