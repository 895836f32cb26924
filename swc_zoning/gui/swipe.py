# SPDX-License-Identifier: GPL-2.0-or-later
"""Swipe: the older of two layers left of the pointer, the newer one right of it, over the map."""

from __future__ import annotations

from typing import Any

from qgis.core import QgsMapRendererParallelJob, QgsVectorLayer
from qgis.gui import QgsMapCanvas, QgsMapCanvasItem, QgsMapTool
from qgis.PyQt.QtCore import QObject, QPointF, QRectF, Qt
from qgis.PyQt.QtGui import QColor, QFont, QImage, QPainter, QPen, QTextOption

_LINE_PX, _GAP_PX = 2, 8


class Swipe(QObject):
    """Draws two layers that need not be in the project over the canvas, parted by a line.

    The layers are rendered by jobs in the background, anew whenever the map is.
    """

    def __init__(
        self,
        canvas: QgsMapCanvas,
        before: QgsVectorLayer,
        after: QgsVectorLayer,
        names: tuple[str, str],
    ) -> None:
        super().__init__(canvas)
        self._canvas = canvas
        self._layers = (before, after)
        self._running: dict[int, QgsMapRendererParallelJob] = {}
        self._wanted = [0, 0]
        self._turn = 0
        self._closed = False
        self._item = _SwipeItem(canvas, names)
        self.tool = _SwipeTool(canvas, self._item)
        canvas.mapCanvasRefreshed.connect(self.draw)
        self.draw()

    @property
    def images(self) -> list[QImage | None]:
        """Return the pictures of the older and the newer layer, None while they are drawn."""
        return self._item.images

    @property
    def position(self) -> float:
        """Return where the line is, in pixels from the left."""
        return self._item.position

    def draw(self) -> None:
        """Render both layers for what the map shows now."""
        self._stop()
        for side in (0, 1):
            settings = self._canvas.mapSettings()
            settings.setLayers([self._layers[side]])
            settings.setBackgroundColor(self._canvas.canvasColor())
            self._start(side, QgsMapRendererParallelJob(settings))

    def close(self) -> None:
        """Take everything off the canvas; goes away itself when its last job has."""
        self._closed = True
        self._canvas.mapCanvasRefreshed.disconnect(self.draw)
        self._canvas.unsetMapTool(self.tool)
        self.tool.deleteLater()
        self._canvas.scene().removeItem(self._item)
        self._stop()
        if not self._running:
            self.deleteLater()

    def _start(self, side: int, job: QgsMapRendererParallelJob) -> None:
        self._turn += 1
        turn = self._wanted[side] = self._turn
        # A child, so that it can go later: not while it says that it has finished.
        job.setParent(self)
        self._running[turn] = job
        job.finished.connect(lambda: self._take(side, turn))
        job.start()

    def _take(self, side: int, turn: int) -> None:
        job = self._running.pop(turn)
        if self._wanted[side] == turn and not self._closed:
            self._item.take(side, job.renderedImage())
        job.deleteLater()
        if self._closed and not self._running:
            self.deleteLater()

    def _stop(self) -> None:
        """Ask what is being drawn to stop, and wait for nobody."""
        self._wanted = [0, 0]
        for job in self._running.values():
            job.cancelWithoutBlocking()


class _SwipeItem(QgsMapCanvasItem):
    """Two pictures of the whole canvas, parted at `position`."""

    def __init__(self, canvas: QgsMapCanvas, names: tuple[str, str]) -> None:
        super().__init__(canvas)
        self._canvas, self._names = canvas, names
        self.images: list[QImage | None] = [None, None]
        self.position = canvas.width() / 2
        self.setZValue(10)

    def take(self, side: int, image: QImage) -> None:
        """Take the picture of one side."""
        self.images[side] = image
        self.update()

    def move_to(self, position: float) -> None:
        """Move the line."""
        self.position = min(max(position, 0.0), float(self._canvas.width()))
        self.update()

    def updatePosition(self) -> None:  # noqa: N802 (QGIS calls these names)
        """Stay where the canvas is: the pictures are those of its window."""
        self.prepareGeometryChange()
        self.setPos(0, 0)

    def boundingRect(self) -> QRectF:  # noqa: N802
        """Return the window of the canvas."""
        return QRectF(0, 0, self._canvas.width(), self._canvas.height())

    def paint(self, painter: QPainter, option: Any = None, widget: Any = None) -> None:
        """Draw what lies left and right of the line, the line, and the names."""
        whole = self.boundingRect()
        parts = (
            QRectF(0, 0, self.position, whole.height()),
            QRectF(self.position, 0, whole.width() - self.position, whole.height()),
        )
        for image, part in zip(self.images, parts):
            if image is not None:
                painter.save()
                painter.setClipRect(part)
                painter.drawImage(whole, image)
                painter.restore()
        painter.setPen(QPen(QColor(Qt.GlobalColor.black), _LINE_PX))
        painter.drawLine(QPointF(self.position, 0), QPointF(self.position, whole.height()))
        self._write(painter, self._names[0], parts[0], Qt.AlignmentFlag.AlignRight)
        self._write(painter, self._names[1], parts[1], Qt.AlignmentFlag.AlignLeft)

    def _write(self, painter: QPainter, name: str, part: QRectF, side: Qt.AlignmentFlag) -> None:
        font = QFont()
        font.setBold(True)
        painter.setFont(font)
        room = part.adjusted(_GAP_PX, _GAP_PX, -_GAP_PX, -_GAP_PX)
        option = QTextOption(side | Qt.AlignmentFlag.AlignTop)
        box = painter.boundingRect(room, name, option)
        if box.width() <= room.width():
            painter.fillRect(box.adjusted(-4, -2, 4, 2), QColor(255, 255, 255, 200))
            painter.drawText(box, name, option)


class _SwipeTool(QgsMapTool):
    """Moves the line with the pointer, or with the arrow keys."""

    def __init__(self, canvas: QgsMapCanvas, item: _SwipeItem) -> None:
        super().__init__(canvas)
        self._item = item
        self.setCursor(Qt.CursorShape.SplitHCursor)

    def canvasMoveEvent(self, event: Any) -> None:  # noqa: N802
        """Move the line under the pointer."""
        self._item.move_to(event.pos().x())

    def keyPressEvent(self, event: Any) -> None:  # noqa: N802
        """Move the line with the arrow keys."""
        steps = {Qt.Key.Key_Left: -20, Qt.Key.Key_Right: 20}
        step = steps.get(event.key())
        if step is None:
            event.ignore()
            return
        self._item.move_to(self._item.position + step)
