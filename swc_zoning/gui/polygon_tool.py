# SPDX-License-Identifier: GPL-2.0-or-later
"""A map tool that draws one polygon: clicks add corners, a right click or Enter ends it."""

from __future__ import annotations

from typing import Any

from qgis.core import QgsGeometry, QgsPointXY, QgsWkbTypes
from qgis.gui import QgsMapCanvas, QgsMapTool, QgsRubberBand
from qgis.PyQt.QtCore import Qt, pyqtSignal
from qgis.PyQt.QtGui import QColor

_COLOUR = QColor(215, 25, 28, 90)
_CORNERS = 3


class PolygonTool(QgsMapTool):
    """Emits `drawn` with a polygon in the CRS of the map. Backspace takes a corner back, Esc all."""

    drawn = pyqtSignal(QgsGeometry)

    def __init__(self, canvas: QgsMapCanvas) -> None:
        super().__init__(canvas)
        self._corners: list[QgsPointXY] = []
        self._band = QgsRubberBand(canvas, QgsWkbTypes.GeometryType.PolygonGeometry)
        self._band.setColor(_COLOUR)
        self._band.setWidth(2)
        self.setCursor(Qt.CursorShape.CrossCursor)

    def canvasPressEvent(self, event: Any) -> None:  # noqa: N802 (QGIS calls these names)
        """Add a corner, or end the polygon."""
        if event.button() == Qt.MouseButton.RightButton:
            self.finish()
        else:
            self._corners.append(self.toMapCoordinates(event.pos()))
            self._redraw()

    def canvasMoveEvent(self, event: Any) -> None:  # noqa: N802
        """Show where the next corner would be."""
        if self._corners:
            self._redraw(self.toMapCoordinates(event.pos()))

    def keyPressEvent(self, event: Any) -> None:  # noqa: N802
        """End, take back or give up."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.finish()
        elif event.key() == Qt.Key.Key_Backspace:
            self._corners = self._corners[:-1]
            self._redraw()
        elif event.key() == Qt.Key.Key_Escape:
            self.clear()
        else:
            event.ignore()
            return
        event.accept()

    def finish(self) -> None:
        """Emit the polygon where it has corners enough, and begin a new one."""
        corners, self._corners = self._corners, []
        if len(corners) >= _CORNERS:
            self._band.setToGeometry(QgsGeometry.fromPolygonXY([corners]), None)
            self.drawn.emit(QgsGeometry.fromPolygonXY([corners]))

    def clear(self) -> None:
        """Forget the corners and what was drawn."""
        self._corners = []
        self._redraw()

    def close(self) -> None:
        """Take everything off the canvas."""
        self.canvas().unsetMapTool(self)
        self.canvas().scene().removeItem(self._band)
        self.deleteLater()

    def _redraw(self, pointer: QgsPointXY | None = None) -> None:
        self._band.reset(QgsWkbTypes.GeometryType.PolygonGeometry)
        for corner in [*self._corners, *([pointer] if pointer else [])]:
            self._band.addPoint(corner)
