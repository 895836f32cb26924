# SPDX-License-Identifier: GPL-2.0-or-later
"""The plugin object: registers the provider and a menu entry, and takes both away again."""

from __future__ import annotations

from typing import Any

from qgis.core import QgsApplication, QgsProject
from qgis.PyQt.QtCore import QCoreApplication, Qt
from qgis.PyQt.QtGui import QIcon
from qgis.PyQt.QtWidgets import QAction

from swc_zoning.paths import resource
from swc_zoning.processing_algs.provider import PROVIDER_ID, SwcZoningProvider
from swc_zoning.qgis_bridge.i18n import install_translator

_ALGORITHM = f"{PROVIDER_ID}:delineatezones"


class SwcZoningPlugin:
    """Made by QGIS with its interface, or with None in ``qgis_process`` and servers."""

    def __init__(self, iface: Any) -> None:
        self._iface = iface
        self._provider: SwcZoningProvider | None = None
        self._translator = install_translator()
        self._actions: list[QAction] = []
        self._dialog: Any = None
        self._workbench: Any = None
        self._options: Any = None
        self._menu = ""

    def initProcessing(self) -> None:  # noqa: N802 (QGIS calls these names)
        """Register the provider; all that is needed without windows."""
        if self._provider is None:
            self._provider = SwcZoningProvider()
            QgsApplication.processingRegistry().addProvider(self._provider)
            # Models find their steps in the registry, so that they come when ours are there.
            self._provider.refreshAlgorithms()

    def initGui(self) -> None:  # noqa: N802
        """Register the provider and add the menu entry."""
        self.initProcessing()
        self._menu = QCoreApplication.translate("SwcZoning", "Soil and Water Conservation Zoning")
        self._add_workbench()
        label = QCoreApplication.translate("SwcZoning", "Delineate Control Zones…")
        icon = QIcon(str(resource("icons", "delineate_zones.svg")))
        action = QAction(icon, label, self._iface.mainWindow())
        action.setObjectName("swcZoningDelineateZones")
        action.triggered.connect(self._open_dialog)
        self._add_action(action)

    def _add_workbench(self) -> None:
        # Widgets only here: qgis_process and servers have none.
        from swc_zoning.gui import options_page
        from swc_zoning.gui.workbench import Workbench

        self._options = options_page.register(self._iface)
        self._workbench = Workbench(self._iface, QgsProject.instance(), self._iface.mainWindow())
        self._iface.addDockWidget(Qt.DockWidgetArea.RightDockWidgetArea, self._workbench)
        self._workbench.hide()
        action = self._workbench.toggleViewAction()
        action.setObjectName("swcZoningWorkbenchAction")
        action.setText(QCoreApplication.translate("SwcZoning", "SWC Zoning Workbench"))
        action.setIcon(QIcon(str(resource("icons", "swc_zoning.svg"))))
        self._add_action(action)
        self._iface.addToolBarIcon(action)

    def _add_action(self, action: QAction) -> None:
        self._iface.addPluginToVectorMenu(self._menu, action)
        self._actions.append(action)

    def unload(self) -> None:
        """Take away everything that was added."""
        for action in self._actions:
            self._iface.removePluginVectorMenu(self._menu, action)
            self._iface.removeToolBarIcon(action)
        if self._options is not None:
            self._iface.unregisterOptionsWidgetFactory(self._options)
            self._options = None
        if self._workbench is not None:
            self._workbench.unload()
            self._iface.removeDockWidget(self._workbench)
            self._workbench.deleteLater()
            self._workbench = None
        for action in self._actions:
            action.deleteLater()
        self._actions = []
        self._dialog = None
        if self._provider is not None:
            QgsApplication.processingRegistry().removeProvider(self._provider)
            self._provider = None
        if self._translator is not None:
            QCoreApplication.removeTranslator(self._translator)
            self._translator = None

    def _open_dialog(self) -> None:
        # Only with windows: qgis_process has no processing dialogs.
        from processing import createAlgorithmDialog

        # Shown, not executed: the map stays usable while the dialog is open.
        self._dialog = createAlgorithmDialog(_ALGORITHM)
        self._dialog.show()
