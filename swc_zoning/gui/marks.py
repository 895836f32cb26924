# SPDX-License-Identifier: GPL-2.0-or-later
"""Marks of states: a coloured disc with a sign in it, the same in lists and tables."""

from __future__ import annotations

from qgis.PyQt.QtCore import Qt
from qgis.PyQt.QtGui import QColor, QIcon, QPainter, QPen, QPixmap

from swc_zoning.gui.page import Level

#: Colour and mark by level: the mark says the same to those who do not see the colour.
_MARKS = {
    Level.DONE: ("#2e8b57", "✓"),
    Level.OPEN: ("#d08700", "○"),
    Level.PROBLEM: ("#c0392b", "!"),
    Level.BLOCKED: ("#7f8c8d", "–"),
    Level.OFFERED: ("#2f6fb0", "·"),
}
ICON = 22


def mark(level: Level) -> QIcon:
    """Return the mark of a level: a coloured disc with a sign in it."""
    colour, sign = _MARKS[level]
    scale = 3
    picture = QPixmap(ICON * scale, ICON * scale)
    picture.fill(Qt.GlobalColor.transparent)
    painter = QPainter(picture)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setBrush(QColor(colour))
    painter.setPen(Qt.PenStyle.NoPen)
    painter.drawEllipse(picture.rect().adjusted(scale, scale, -scale, -scale))
    painter.setPen(QPen(QColor(Qt.GlobalColor.white)))
    font = painter.font()
    font.setBold(True)
    font.setPixelSize(round(ICON * scale * 0.6))
    painter.setFont(font)
    painter.drawText(picture.rect(), int(Qt.AlignmentFlag.AlignCenter), sign)
    painter.end()
    icon = QIcon(picture)
    # A selected row would tint it, and its colour means something.
    icon.addPixmap(picture, QIcon.Mode.Selected)
    return icon
