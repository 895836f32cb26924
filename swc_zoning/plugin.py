# SPDX-License-Identifier: GPL-2.0-or-later
"""The plugin object: registers the provider and a menu entry, and takes both away again."""

from __future__ import annotations

from typing import Any

from qgis.core import QgsApplication
from qgis.PyQt.QtCore import QCoreApplication
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
        self._action: QAction | None = None
        self._dialog: Any = None
        self._menu = ""

    def initProcessing(self) -> None:  # noqa: N802 (QGIS calls these names)
        """Register the provider; all that is needed without windows."""
        if self._provider is None:
            self._provider = SwcZoningProvider()
            QgsApplication.processingRegistry().addProvider(self._provider)

    def initGui(self) -> None:  # noqa: N802
        """Register the provider and add the menu entry."""
        self.initProcessing()
        self._menu = QCoreApplication.translate("SwcZoning", "Soil and Water Conservation Zoning")
        label = QCoreApplication.translate("SwcZoning", "Delineate Control Zones…")
        icon = QIcon(str(resource("icons", "delineate_zones.svg")))
        self._action = QAction(icon, label, self._iface.mainWindow())
        self._action.setObjectName("swcZoningDelineateZones")
        self._action.triggered.connect(self._open_dialog)
        self._iface.addPluginToVectorMenu(self._menu, self._action)

    def unload(self) -> None:
        """Take away everything that was added."""
        if self._action is not None:
            self._iface.removePluginVectorMenu(self._menu, self._action)
            self._action.deleteLater()
            self._action = None
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
