# SPDX-License-Identifier: GPL-2.0-or-later
"""A map tool that tells where the map was clicked."""

from __future__ import annotations

from typing import Any

from qgis.core import QgsPointXY
from qgis.gui import QgsMapCanvas, QgsMapTool
from qgis.PyQt.QtCore import Qt, pyqtSignal


class PointTool(QgsMapTool):
    """Emits `picked` with the point clicked, in the CRS of the map."""

    picked = pyqtSignal(QgsPointXY)

    def __init__(self, canvas: QgsMapCanvas) -> None:
        super().__init__(canvas)
        self.setCursor(Qt.CursorShape.WhatsThisCursor)

    def canvasReleaseEvent(self, event: Any) -> None:  # noqa: N802 (QGIS calls these names)
        """Tell the point of a left click."""
        if event.button() == Qt.MouseButton.LeftButton:
            self.picked.emit(self.toMapCoordinates(event.pos()))
