# SPDX-License-Identifier: GPL-2.0-or-later
"""The page that says why a piece is in its zone: click it on the map, read it, print its card."""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import Any

from qgis.core import Qgis, QgsCoordinateReferenceSystem, QgsGeometry, QgsPointXY, QgsRectangle, QgsWkbTypes
from qgis.gui import QgsRubberBand
from qgis.PyQt.QtGui import QColor, QGuiApplication, QKeySequence
from qgis.PyQt.QtWidgets import (
    QComboBox,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QTextBrowser,
    QVBoxLayout,
    QWidget,
)

from swc_zoning.engine import explain
from swc_zoning.engine.explain import Explanation
from swc_zoning.gui.desk import Desk
from swc_zoning.gui.page import Level, Page, State, allow
from swc_zoning.gui.point_tool import PointTool
from swc_zoning.qgis_bridge import piece_card
from swc_zoning.qgis_bridge.compat import QShortcut
from swc_zoning.qgis_bridge.i18n import language

_COLOUR = QColor(215, 25, 28, 60)
_EDGE = QColor(215, 25, 28)


class WhyPage(Page):
    """Explains the piece that is clicked, and keeps those looked at before."""

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(desk, parent)
        self._told: list[tuple[Explanation, QgsGeometry]] = []
        self._asked = 0
        self._band: QgsRubberBand | None = None
        self._former: Any = None
        self._tool = PointTool(desk.canvas)
        self._tool.picked.connect(self.ask_at)
        self._build()
        desk.session.result_changed.connect(self._forget)
        desk.session.rules_changed.connect(self._refresh)
        self._refresh()

    def title(self) -> str:
        """Return the name of the page."""
        return self.tr("Why?")

    def state(self) -> State:
        """Return how the page stands."""
        if self.desk.session.result is None:
            return State(Level.BLOCKED, self.tr("Zone the city first"))
        told = self._shown()
        if told is None:
            return State(Level.OFFERED, self.tr("Click a piece on the map"))
        return State(Level.DONE, told[0].zone_name(language()))

    def activate(self) -> None:
        """Take the clicks on the map, and show the piece looked at last."""
        if self.desk.session.result is not None and self.desk.canvas.mapTool() is not self._tool:
            self._former = self.desk.canvas.mapTool()
            self.desk.canvas.setMapTool(self._tool)
        self._outline()

    def deactivate(self) -> None:
        """Give the map back as it was."""
        if self.desk.canvas.mapTool() is self._tool:
            if self._former is None:
                self.desk.canvas.unsetMapTool(self._tool)
            else:
                self.desk.canvas.setMapTool(self._former)
        self._former = None
        self._clear_outline()

    def unload(self) -> None:
        """Take away tool and outline."""
        self.deactivate()
        self._tool.deleteLater()

    def ask_at(self, point: QgsPointXY) -> None:
        """Explain the piece at a point in the CRS of the map."""
        result = self.desk.session.result
        if result is None:
            return
        place = self.desk.from_canvas(point, result.summary["crs"])

        def look() -> Any:
            piece = piece_card.piece_at(result.folder, place.x(), place.y())
            return None if piece is None else _told(result.folder, piece)

        self._work(look)

    def ask(self, piece_id: str) -> None:
        """Explain the piece with this id."""
        folder = self.desk.session.result.folder
        self._work(lambda: _told(folder, piece_id))

    # --- building ----------------------------------------------------------------------------------

    def _build(self) -> None:
        self._pick = QPushButton(self.tr("&Pick on the map"))
        self._pick.clicked.connect(self.activate)
        self._id = QLineEdit()
        self._id.setPlaceholderText(self.tr("Id of a piece"))
        self._id.setClearButtonEnabled(True)
        self._id.returnPressed.connect(self._ask_id)
        head = QHBoxLayout()
        head.addWidget(self._pick)
        head.addWidget(self._id, 1)
        self._note, self._text = QLabel(), QTextBrowser()
        self._note.setWordWrap(True)
        self._text.setOpenLinks(False)
        self._text.setPlaceholderText(self.tr("Click a piece on the map"))
        self._text.setAccessibleName(self.tr("Explanation"))
        column = QVBoxLayout(self)
        column.addLayout(head)
        column.addLayout(self._history())
        column.addWidget(self._note)
        column.addWidget(self._text, 1)
        column.addLayout(self._buttons())

    def _history(self) -> QHBoxLayout:
        self._back, self._list, self._next = QPushButton("◀"), QComboBox(), QPushButton("▶")
        self._back.setAccessibleName(self.tr("Former piece"))
        self._next.setAccessibleName(self.tr("Later piece"))
        self._list.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self._list.setMinimumContentsLength(12)
        self._list.setAccessibleName(self.tr("Pieces looked at"))
        self._back.clicked.connect(lambda: self._step(-1))
        self._next.clicked.connect(lambda: self._step(1))
        for key, step in (("Alt+Left", -1), ("Alt+Right", 1)):
            QShortcut(QKeySequence(key), self).activated.connect(lambda by=step: self._step(by))
        self._list.currentIndexChanged.connect(self._show)
        row = QHBoxLayout()
        row.addWidget(self._back)
        row.addWidget(self._list, 1)
        row.addWidget(self._next)
        return row

    def _buttons(self) -> QHBoxLayout:
        self._zoom = QPushButton(self.tr("&Zoom to it"))
        self._copy = QPushButton(self.tr("&Copy as text"))
        self._card = QPushButton(self.tr("Piece c&ard (PDF)…"))
        self._zoom.clicked.connect(self._zoom_to)
        self._copy.clicked.connect(self._copy_text)
        self._card.clicked.connect(self._choose_card)
        row = QHBoxLayout()
        for button in (self._zoom, self._copy, self._card):
            row.addWidget(button)
        row.addStretch(1)
        return row

    # --- asking ------------------------------------------------------------------------------------

    def _ask_id(self) -> None:
        if self.desk.session.result is not None and self._id.text().strip():
            self.ask(self._id.text().strip())

    def _work(self, look: Any) -> None:
        self._asked += 1
        asked = self._asked

        def take(answer: Any) -> None:
            # A later click, or another result, makes an answer stale.
            if asked == self._asked:
                self._take(answer)

        self.desk.runner.work(look, take)

    def _take(self, answer: Any) -> None:
        if isinstance(answer, Exception):
            self.desk.say_error(answer)
            return
        if answer is None:
            self.desk.say(Qgis.MessageLevel.Info, self.tr("There is no piece of the result at this place."))
            return
        self._told = [one for one in self._told if one[0].piece_id != answer[0].piece_id] + [answer]
        self._list.blockSignals(True)
        self._list.clear()
        for told, _ in self._told:
            self._list.addItem(f"{told.zone_name(language())}  {told.piece_id}", told.piece_id)
        self._list.setCurrentIndex(len(self._told) - 1)
        self._list.blockSignals(False)
        self._show()

    def _forget(self) -> None:
        self._asked += 1
        self._told = []
        self._list.clear()
        self._show()

    # --- showing -----------------------------------------------------------------------------------

    def _shown(self) -> tuple[Explanation, QgsGeometry] | None:
        place = self._list.currentIndex()
        return self._told[place] if 0 <= place < len(self._told) else None

    def _step(self, by: int) -> None:
        place = self._list.currentIndex() + by
        if 0 <= place < self._list.count():
            self._list.setCurrentIndex(place)

    def _show(self) -> None:
        told = self._shown()
        self._text.setHtml("" if told is None else _html(told[0]))
        self._outline()
        self._refresh()

    def _outline(self) -> None:
        self._clear_outline()
        told = self._shown()
        if told is None or not self.isVisible():
            return
        self._band = QgsRubberBand(self.desk.canvas, QgsWkbTypes.GeometryType.PolygonGeometry)
        self._band.setColor(_COLOUR)
        self._band.setStrokeColor(_EDGE)
        self._band.setWidth(3)
        self._band.setToGeometry(told[1], QgsCoordinateReferenceSystem(told[0].crs))

    def _clear_outline(self) -> None:
        if self._band is not None:
            self.desk.canvas.scene().removeItem(self._band)
            self._band = None

    def _refresh(self) -> None:
        nothing = "" if self.desk.session.result else self.tr("There is no result yet: zone the city first")
        unpicked = nothing or ("" if self._shown() else self.tr("Pick a piece first"))
        allow(self._pick, nothing, self.tr("Then click a piece on the map"))
        self._id.setEnabled(not nothing)
        self._id.setToolTip(nothing or self.tr("Enter explains it"))
        for button in (self._zoom, self._copy, self._card):
            allow(button, unpicked)
        place, count = self._list.currentIndex(), self._list.count()
        allow(self._back, "" if place > 0 else self.tr("There is no former piece"), "Alt+←")
        allow(self._next, "" if 0 <= place < count - 1 else self.tr("There is no later piece"), "Alt+→")
        outdated = self.desk.session.is_outdated()
        changed = self.tr("Job or rules changed since; this is what the result on the map was made with.")
        self._note.setText(nothing or (changed if outdated else ""))
        self._note.setVisible(bool(self._note.text()))
        self.state_changed.emit()

    # --- doing -------------------------------------------------------------------------------------

    def _zoom_to(self) -> None:
        told = self._shown()[0]
        self.desk.zoom_to(QgsRectangle(*told.box), told.crs)

    def _copy_text(self) -> None:
        QGuiApplication.clipboard().setText(self._shown()[0].as_text(language()))
        self.desk.say(Qgis.MessageLevel.Info, self.tr("The explanation is on the clipboard."))

    def _choose_card(self) -> None:
        folder = self.desk.session.result.folder
        start = str(folder / f"{self._shown()[0].piece_id}.pdf")
        chosen, _ = QFileDialog.getSaveFileName(self, self.tr("Piece card"), start, "PDF (*.pdf)")
        if chosen:
            self.write_card(Path(chosen))

    def write_card(self, path: Path) -> None:
        """Write the card of the piece that is shown as a PDF; says so when it is there."""
        told, folder = self._shown()[0], self.desk.session.result.folder
        self.desk.runner.work(lambda: piece_card.write(folder, told, path), self._card_written)

    def _card_written(self, answer: Any) -> None:
        if isinstance(answer, Exception):
            self.desk.say_error(answer)
            return
        self.desk.say(Qgis.MessageLevel.Success, self.tr("The card is in {path}.").format(path=answer))


def _told(folder: Path, piece_id: str) -> tuple[Explanation, QgsGeometry]:
    told = explain.explain(folder, piece_id)
    return told, piece_card.outline_of(folder, told)


def _html(told: Explanation) -> str:
    lang = language()
    parts = [f"<h2>{escape(told.zone_name(lang))}</h2>"]
    for section in told.sections(lang):
        lines = "".join(f"<li>{escape(line)}</li>" for line in section.lines)
        parts.append(f"<h4>{escape(section.title)}</h4><ul>{lines}</ul>")
    return "".join(parts)
