# SPDX-License-Identifier: GPL-2.0-or-later
"""One-page cards (A4 PDF): title, facts beside a small map, tables, foot line; text that can be searched.

A card always has one page: first the type gets smaller, then long tables end early and say so.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from html import escape
from pathlib import Path

from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsGeometry,
    QgsMapLayer,
    QgsMapRendererCustomPainterJob,
    QgsMapSettings,
    QgsRectangle,
)
from qgis.PyQt.QtCore import QMarginsF, QPointF, QRectF, QSize, QSizeF, Qt
from qgis.PyQt.QtGui import (
    QColor,
    QFont,
    QImage,
    QPageLayout,
    QPageSize,
    QPainter,
    QPdfWriter,
    QPen,
    QPolygonF,
    QTextDocument,
    QTextOption,
)

from swc_zoning.engine.messages import SwcError
from swc_zoning.qgis_bridge.i18n import text

#: Fonts with Chinese, in the order of preference: Linux, Windows, macOS.
FONTS = (
    *("Noto Sans CJK SC", "Source Han Sans SC", "WenQuanYi Micro Hei"),
    *("Microsoft YaHei", "SimHei", "SimSun", "PingFang SC", "Heiti SC", "sans-serif"),
)

_DPI = 300
_MARGIN_MM, _GAP_MM = 14.0, 3.0
_PAGE_MM = (210.0, 297.0)
#: Width of the map as a share of the page, and its height to its width.
_MAP_SHARE, _MAP_RATIO = 0.5, 0.78
_SIZES_PT = (9.5, 9.0, 8.5, 8.0, 7.5, 7.0, 6.5, 6.0)
_TITLE_PT, _FOOT_PT = 15.0, 7.0
#: Ground shown round the outline, as a share of it, and the least there is, in map units.
_AROUND, _LEAST = 0.45, 100.0
_OUTLINE = "#d7191c"


@dataclass(frozen=True)
class CardMap:
    """What the map of a card shows: `layers` (top first), the polygon to outline, both in `crs`.

    The layers must live in the thread that draws.
    """

    layers: Sequence[QgsMapLayer]
    outline: QgsGeometry
    crs: QgsCoordinateReferenceSystem


@dataclass(frozen=True)
class Section:
    """A titled part of a card: a table (`rows`, under `head` where there is one), then `lines`.

    `widths`: of the columns in percent; `colours`: "#rrggbb" for each row, drawn as a swatch
    before it, "" for none.
    """

    title: str
    rows: Sequence[Sequence[str]] = ()
    head: Sequence[str] = ()
    lines: Sequence[str] = ()
    widths: Sequence[int] = ()
    colours: Sequence[str] = ()


@dataclass(frozen=True)
class Card:
    """What is on a card. The first `beside` sections stand beside the map, the others below.

    `more` says where the rest of a table is that had to end early.
    """

    title: str
    sections: Sequence[Section]
    map: CardMap | None = None
    subtitle: str = ""
    foot: str = ""
    more: str = ""
    beside: int = 1


def write_card(path: Path, card: Card, picture: QImage | None = None) -> None:
    """Write `card` as the PDF `path`; `picture` is its map where that was drawn before (`draw_map`).

    May be called in any thread that the layers of the map live in. Raises SwcError cards.unwritable.
    """
    if picture is None and card.map is not None:
        picture = draw_map(card.map)
    aside = path.with_name(f".{path.name}.part")
    try:
        _paint(aside, card, picture)
        aside.write_bytes(_searchable(aside.read_bytes()))
        aside.replace(path)
    except OSError as error:
        raise SwcError("cards.unwritable", path=str(path), reason=error.strerror or str(error)) from error
    finally:
        aside.unlink(missing_ok=True)


def map_settings(what: CardMap) -> QgsMapSettings:
    """Return the settings of a card's map; the main thread may hand them to a renderer job of its own."""
    settings = QgsMapSettings()
    settings.setLayers(list(what.layers))
    settings.setDestinationCrs(what.crs)
    settings.setOutputSize(_map_size())
    settings.setOutputDpi(_DPI)
    settings.setExtent(_around(what.outline))
    settings.setBackgroundColor(QColor("#ffffff"))
    settings.setFlag(QgsMapSettings.Flag.Antialiasing, True)
    return settings


def draw_map(what: CardMap) -> QImage:
    """Return the map of a card, drawn in the thread that calls."""
    settings = map_settings(what)
    image = QImage(settings.outputSize(), QImage.Format.Format_RGB32)
    image.fill(QColor("#ffffff"))
    image.setDotsPerMeterX(round(_DPI / 0.0254))
    image.setDotsPerMeterY(round(_DPI / 0.0254))
    painter = QPainter(image)
    try:
        QgsMapRendererCustomPainterJob(settings, painter).renderSynchronously()
    finally:
        painter.end()
    return with_outline(image, settings, what.outline)


def with_outline(image: QImage, settings: QgsMapSettings, outline: QgsGeometry) -> QImage:
    """Return a drawn map with the outline and a scale bar on it."""
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    try:
        to_pixel = settings.mapToPixel()
        for colour, width in (("#ffffff", 11), (_OUTLINE, 6)):
            painter.setPen(QPen(QColor(colour), width))
            for ring in _rings(outline):
                points = [to_pixel.transform(point.x(), point.y()) for point in ring]
                painter.drawPolyline(QPolygonF([QPointF(point.x(), point.y()) for point in points]))
        _scale_bar(painter, image.size(), settings)
    finally:
        painter.end()
    return image


# --- the map ---------------------------------------------------------------------------------------


def _pixels(mm: float) -> int:
    return round(mm / 25.4 * _DPI)


def _map_size() -> QSize:
    width = (_PAGE_MM[0] - 2 * _MARGIN_MM) * _MAP_SHARE
    return QSize(_pixels(width), _pixels(width * _MAP_RATIO))


def _around(outline: QgsGeometry) -> QgsRectangle:
    box = outline.boundingBox()
    spare = max(box.width(), box.height(), _LEAST) * _AROUND
    return box.buffered(spare)


def _rings(outline: QgsGeometry) -> list[list[QPointF]]:
    parts = outline.asMultiPolygon() if outline.isMultipart() else [outline.asPolygon()]
    return [ring for part in parts for ring in part]


def _scale_bar(painter: QPainter, size: QSize, settings: QgsMapSettings) -> None:
    """Draw a bar of a round length, about a fifth of the map, at its lower left."""
    metres = settings.mapUnitsPerPixel() * size.width() / 5
    power = 10 ** (len(str(int(max(metres, 1)))) - 1)
    length = next(step * power for step in (5, 2, 1) if step * power <= max(metres, 1))
    width = length / settings.mapUnitsPerPixel()
    left, base = size.width() * 0.03, size.height() * 0.95
    painter.setFont(_font(7.0))
    words = f"{length // 1000} km" if length >= 1000 else f"{length} m"
    box = QRectF(left, base - _pixels(4.5), max(width, _pixels(12)), _pixels(4))
    painter.fillRect(box.adjusted(-10, 0, 10, _pixels(1.5)), QColor(255, 255, 255, 190))
    painter.setPen(QPen(QColor("#000000"), 4))
    painter.drawText(box, words, QTextOption(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop))
    painter.drawLine(QPointF(left, base), QPointF(left + width, base))


# --- the page --------------------------------------------------------------------------------------


def _paint(path: Path, card: Card, picture: QImage | None) -> None:
    writer = QPdfWriter(str(path))
    writer.setResolution(_DPI)
    writer.setTitle(card.title)
    writer.setCreator("swc_zoning")
    none = QMarginsF(0, 0, 0, 0)
    page = QPageLayout(QPageSize(QPageSize.PageSizeId.A4), QPageLayout.Orientation.Portrait, none)
    writer.setPageLayout(page)
    painter = QPainter()
    if not painter.begin(writer):
        raise SwcError("cards.unwritable", path=str(path), reason="QPdfWriter")
    try:
        _Page(painter, writer, card, picture).paint()
    finally:
        painter.end()


class _Page:
    """The page of a card: what goes where, in pixels of the writer."""

    def __init__(self, painter: QPainter, device: QPdfWriter, card: Card, picture: QImage | None) -> None:
        self._painter, self._device = painter, device
        self._card, self._picture = card, picture
        self._left = _pixels(_MARGIN_MM)
        self._width = _pixels(_PAGE_MM[0] - 2 * _MARGIN_MM)
        self._bottom = _pixels(_PAGE_MM[1] - _MARGIN_MM)

    def paint(self) -> None:
        """Draw everything."""
        gap = _pixels(_GAP_MM)
        head = self._document(_head_html(self._card), _TITLE_PT, self._width)
        top = self._draw(head, self._left, _pixels(_MARGIN_MM)) + gap
        foot = self._document(_foot_html(self._card), _FOOT_PT, self._width)
        end = self._bottom - foot.size().height()
        beside, below = self._fitting(end - top - gap)
        facts_end = self._draw(beside, self._left, top)
        if self._picture is not None:
            facts_end = max(facts_end, self._draw_map(top))
        self._draw(below, self._left, facts_end + gap)
        self._draw(foot, self._left, end)

    def _fitting(self, room: float) -> tuple[QTextDocument, QTextDocument]:
        """Return the facts and the rest, set as large as the room allows."""
        card = self._card
        for size in _SIZES_PT:
            documents = self._set(card, size)
            if self._height(*documents) <= room:
                return documents
        while self._height(*documents) > room and any(
            section.rows for section in card.sections[card.beside :]
        ):
            card = _shortened(card)
            documents = self._set(card, _SIZES_PT[-1])
        return documents

    def _set(self, card: Card, size: float) -> tuple[QTextDocument, QTextDocument]:
        narrow = self._width - _map_size().width() - _pixels(_GAP_MM) if self._picture else self._width
        padding = 5 if size >= 8 else 2
        facts = _sections_html(card.sections[: card.beside], padding)
        rest = _sections_html(card.sections[card.beside :], padding)
        return self._document(facts, size, narrow), self._document(rest, size, self._width)

    def _height(self, beside: QTextDocument, below: QTextDocument) -> float:
        picture = _map_size().height() if self._picture else 0
        return max(beside.size().height(), picture) + below.size().height()

    def _document(self, html: str, size: float, width: float) -> QTextDocument:
        document = QTextDocument()
        document.documentLayout().setPaintDevice(self._device)
        document.setDocumentMargin(0)
        document.setDefaultFont(_font(size))
        document.setDefaultStyleSheet(_CSS)
        document.setHtml(html)
        document.setPageSize(QSizeF(width, 10_000_000))
        document.setTextWidth(width)
        return document

    def _draw(self, document: QTextDocument, left: float, top: float) -> float:
        """Draw a text and return where it ends."""
        self._painter.save()
        self._painter.translate(left, top)
        document.drawContents(self._painter)
        self._painter.restore()
        return top + document.size().height()

    def _draw_map(self, top: float) -> float:
        size = _map_size()
        box = QRectF(self._left + self._width - size.width(), top, size.width(), size.height())
        self._painter.drawImage(box, self._picture)
        self._painter.setPen(QPen(QColor("#555555"), 2))
        self._painter.setBrush(Qt.BrushStyle.NoBrush)
        self._painter.drawRect(box)
        return box.bottom()


def _font(size: float) -> QFont:
    font = QFont(FONTS[0])
    font.setFamilies(list(FONTS))
    font.setPointSizeF(size)
    # Shaping may choose glyphs that have no character of their own: text nobody could search for.
    font.setStyleStrategy(QFont.StyleStrategy.PreferNoShaping)
    return font


def _shortened(card: Card) -> Card:
    """Return the card with one row less in its longest table, which then says where the rest is."""
    sections = list(card.sections)
    place = max(range(card.beside, len(sections)), key=lambda number: len(sections[number].rows))
    section, more = sections[place], card.more or text("cards.more")
    lines = [more, *(line for line in section.lines if line != more)]
    sections[place] = replace(section, rows=section.rows[:-1], lines=lines)
    return replace(card, sections=sections)


# --- text that can be found ------------------------------------------------------------------------

#: Radicals (U+2E80-2EFF) beside the characters that have the same glyph.
_RADICALS = (
    "⺁厂⺠民⻁虎⻄西⻅见⻆角⻉贝⻋车⻑長⻓长⻔门⻘青⻙韦⻚页⻛风⻜飞"
    "⻝食⻢马⻣骨⻤鬼⻥鱼⻦鸟⻧卤⻨麦⻩黄⻪黾⻬齐⻮齿⻰龙⻳龟"
)
_CHARACTER_OF = dict(zip(_RADICALS[::2], _RADICALS[1::2]))
_MAPPING = re.compile(rb"begincmap.*?endcmap", re.DOTALL)
_RADICAL = re.compile(rb"<2[EF][0-9A-F]{2}>")


def _searchable(document: bytes) -> bytes:
    """Return a PDF whose text is made of characters where Qt wrote the radicals of the same glyph.

    A glyph goes by its lowest code there, so 水 would be found as U+2F54 only. Lengths stay.
    """
    return _MAPPING.sub(lambda found: _RADICAL.sub(_as_character, found.group()), document)


def _as_character(found: re.Match[bytes]) -> bytes:
    radical = chr(int(found.group()[1:-1], 16))
    character = _CHARACTER_OF.get(radical) or unicodedata.normalize("NFKC", radical)
    return f"<{ord(character):04X}>".encode("ascii")


# --- its text --------------------------------------------------------------------------------------

_CSS = (
    "body { color: #1a1a1a; } h1 { margin: 0; } p { margin: 0; } .sub { color: #555555; }"
    " h2 { color: #0b3d18; margin-top: 6px; margin-bottom: 2px; }"
    " td { border-bottom-color: #bbbbbb; } .foot { color: #555555; }"
)


def _head_html(card: Card) -> str:
    under = f'<p class="sub" style="font-size: 9pt">{escape(card.subtitle)}</p>' if card.subtitle else ""
    return f'<p style="font-size: {_TITLE_PT}pt"><b>{escape(card.title)}</b></p>{under}'


def _foot_html(card: Card) -> str:
    return f'<p class="foot">{escape(card.foot)}</p>'


def _sections_html(sections: Sequence[Section], padding: int) -> str:
    return "".join(_section_html(section, padding) for section in sections)


def _section_html(section: Section, padding: int) -> str:
    title = f'<p style="margin-top: 14px; color: #0b3d18"><b>{escape(section.title)}</b></p>'
    lines = "".join(f"<p>{escape(line)}</p>" for line in section.lines)
    if not section.rows:
        return title + lines
    body = _row_html(section.head, section, "th", "") if section.head else ""
    for number, row in enumerate(section.rows):
        colour = section.colours[number] if number < len(section.colours) else ""
        body += _row_html(row, section, "td", colour)
    return f'{title}<table width="100%" cellspacing="0" cellpadding="{padding}">{body}</table>{lines}'


def _row_html(row: Sequence[str], section: Section, tag: str, colour: str) -> str:
    cells = []
    for place, cell in enumerate(row):
        width = f' width="{section.widths[place]}%"' if place < len(section.widths) else ""
        swatch = f'<span style="color: {colour}">■ </span>' if colour and place == 0 else ""
        shade = ' bgcolor="#e8efe9"' if tag == "th" else ""
        words = escape(cell).replace("\n", "<br>")
        cells.append(f'<{tag} align="left" valign="top"{width}{shade}>{swatch}{words}</{tag}>')
    return f"<tr>{''.join(cells)}</tr>"
