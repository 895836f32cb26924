# SPDX-License-Identifier: GPL-2.0-or-later
"""A layout template filled for one sheet: texts that fit their boxes, map, legend, scale, graticule.

Items are found by their ids, so that a template of the user's own works as long as it keeps them; an item
that is not there is left out. Texts are layout variables too: ``[% @swc_title %]`` works anywhere.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsCoordinateTransform,
    QgsExpressionContextUtils,
    QgsLayerTreeLayer,
    QgsLayoutItem,
    QgsLayoutItemLabel,
    QgsLayoutItemLegend,
    QgsLayoutItemMap,
    QgsLayoutItemMapGrid,
    QgsLayoutItemPicture,
    QgsLayoutItemScaleBar,
    QgsLegendRenderer,
    QgsLegendStyle,
    QgsPrintLayout,
    QgsProject,
    QgsReadWriteContext,
    QgsRectangle,
    QgsVectorLayer,
)
from qgis.PyQt.QtCore import QRectF
from qgis.PyQt.QtGui import QFontMetricsF
from qgis.PyQt.QtXml import QDomDocument

from swc_zoning.engine.chapter import plans
from swc_zoning.engine.messages import SwcError
from swc_zoning.paths import resource
from swc_zoning.qgis_bridge import compat

#: Ids of labels that `plans.words` has texts for, and of those that follow from the map.
OF_MAP = ("scale_text", "crs", "small")
_DEGREES = (2.0, 1.0, 0.5, 0.25, 1 / 6, 1 / 12, 1 / 30, 1 / 60, 1 / 120, 1 / 240, 1 / 360, 1 / 720)
#: A title that must be smaller than this share of its size to fit is broken instead.
_SMALLEST_POINTS, _STEP, _SHRINK = 5.0, 0.5, 0.8
#: Text is measured this many times larger, so that rounding does not matter.
_ZOOM = 20.0
#: A scale bar is at least this long.
_BAR_MM = 60.0
_MM_OF_POINT = 25.4 / 72


class Page:
    """A layout made from a template, for one sheet."""

    def __init__(self, project: QgsProject, template: Path) -> None:
        self.layout = QgsPrintLayout(project)
        document = QDomDocument()
        done = template.is_file() and _parsed(document, template)
        if done:
            _, done = self.layout.loadFromTemplate(document, QgsReadWriteContext())
        if not done or self.map is None:
            raise SwcError("maps.template", path=str(template))
        self._fade(document)

    def _fade(self, document: QDomDocument) -> None:
        """Make text as light as a template of QGIS 3.22 says; later ones take its colour alone."""
        items = document.elementsByTagName("LayoutItem")
        for number in range(items.count()):
            element = items.at(number).toElement()
            colour = element.firstChildElement("FontColor")
            label = self._item(element.attribute("id"), QgsLayoutItemLabel)
            if label is not None and colour.hasAttribute("alpha"):
                compat.fade(label, int(colour.attribute("alpha")) / 255)

    @property
    def map(self) -> QgsLayoutItemMap | None:
        """Return the item of the map."""
        return self._item("map", QgsLayoutItemMap)

    def _item(self, item_id: str, kind: type) -> QgsLayoutItem | None:
        found = self.layout.itemById(item_id)
        return found if isinstance(found, kind) else None

    # --- texts ---

    def write(self, texts: Mapping[str, str]) -> None:
        """Put texts into the labels of their ids and make them fit; a label without text goes away."""
        for item_id, text in texts.items():
            QgsExpressionContextUtils.setLayoutVariable(self.layout, f"swc_{item_id}", text)
            label = self._item(item_id, QgsLayoutItemLabel)
            if label is not None:
                label.setVisibility(bool(text))
                _fit(label, text)

    # --- map ---

    def show(
        self, layers: Sequence[QgsVectorLayer], crs: QgsCoordinateReferenceSystem, extent: QgsRectangle
    ) -> int:
        """Show layers in a CRS with all of `extent` at a scale that can be read off; return the scale."""
        item = self.map
        item.setCrs(crs)
        item.setLayers(list(layers))
        item.setKeepLayerSet(True)
        size = item.sizeWithUnits()
        # A map without an extent can show none; one that gets an extent takes its shape, and is put right.
        item.setExtent(extent)
        item.attemptResize(size)
        item.zoomToExtent(extent.buffered(max(extent.width(), extent.height(), 1.0) * 0.004))
        item.setScale(plans.round_scale(item.scale()))
        self._scale_bar(item)
        return round(item.scale())

    def _scale_bar(self, item: QgsLayoutItemMap) -> None:
        bar = self._item("scale_bar", QgsLayoutItemScaleBar)
        if bar is None:
            return
        bar.setLinkedMap(item)
        bar.setTextFormat(compat.searchable(bar.textFormat()))
        # The last number stands out over the end of the bar.
        metres, count = plans.bar_length(item.scale(), max(bar.rect().width() - 16, _BAR_MM))
        in_metres = metres < 500
        bar.setUnits(compat.METRES if in_metres else compat.KILOMETRES)
        bar.setUnitLabel("m" if in_metres else "km")
        bar.setUnitsPerSegment(metres if in_metres else metres / 1000)
        bar.setNumberOfSegments(count)
        bar.setNumberOfSegmentsLeft(0)

    def graticule(self, shown: bool) -> None:
        """Draw longitude and latitude at round degrees along the frame, or nothing of the kind."""
        item = self.map
        grids = [item.grids().grid(number) for number in range(item.grids().size())]
        for grid in grids:
            grid.setAnnotationTextFormat(compat.searchable(grid.annotationTextFormat()))
            grid.setEnabled(shown)
            if shown:
                degrees = QgsCoordinateReferenceSystem("EPSG:4490")
                grid.setCrs(degrees)
                interval = _interval(item, degrees)
                grid.setIntervalX(interval)
                grid.setIntervalY(interval)
                if interval < 1 / 60:
                    grid.setAnnotationFormat(QgsLayoutItemMapGrid.AnnotationFormat.DegreeMinuteSecondNoSuffix)
        item.updateBoundingRect()

    def north(self) -> None:
        """Put the shipped arrow where a template names one without a path, turned with the map."""
        arrow = self._item("north", QgsLayoutItemPicture)
        if arrow is None:
            return
        if not Path(arrow.picturePath()).is_file():
            arrow.setPicturePath(str(resource("icons", "north.svg")))
        arrow.setLinkedMap(self.map)
        arrow.refreshPicture()

    # --- legend ---

    def legend(self, layers: Sequence[QgsVectorLayer], hidden: Sequence[QgsVectorLayer] = ()) -> None:
        """Fill the legend and make it fit its box; titles of `hidden` layers are left out."""
        legend = self._item("legend", QgsLayoutItemLegend)
        if legend is None:
            return
        legend.setLinkedMap(self.map)
        legend.setAutoUpdateModel(False)
        root = legend.model().rootGroup()
        root.clear()
        for layer in layers:
            node = QgsLayerTreeLayer(layer)
            root.addChildNode(node)
            if layer in hidden:
                QgsLegendRenderer.setNodeLegendStyle(node, QgsLegendStyle.Style.Hidden)
        _fit_legend(legend)


def _parsed(document: QDomDocument, path: Path) -> bool:
    answer = document.setContent(path.read_text(encoding="utf-8"))
    return bool(answer[0] if isinstance(answer, tuple) else answer)


def _interval(item: QgsLayoutItemMap, degrees: QgsCoordinateReferenceSystem) -> float:
    """Return the largest interval of which three lines cross the shorter side."""
    change = QgsCoordinateTransform(item.crs(), degrees, item.layout().project())
    box = change.transformBoundingBox(item.extent())
    room = min(box.width(), box.height())
    return next((one for one in _DEGREES if room / one >= 3), _DEGREES[-1])


# --- texts that fit --------------------------------------------------------------------------------


def _fit(label: QgsLayoutItemLabel, text: str) -> None:
    """Break `text` into lines of the width of its box, in a smaller font where it would not fit."""
    full = compat.label_size(label)
    lines, size = _fitting(label, text.replace(plans.BREAK, ""), full)
    if plans.BREAK in text and (len(lines) > 1 or size < full * _SHRINK):
        lines, size = _fitting(label, text.replace(plans.BREAK, "\n"), full)
    compat.set_label_size(label, size)
    label.setText("\n".join(lines))


def _fitting(label: QgsLayoutItemLabel, text: str, size: float) -> tuple[list[str], float]:
    width, height = label.rect().width() - 2 * label.marginX(), label.rect().height() - 2 * label.marginY()
    while True:
        lines = _wrapped(text, label, size, width)
        fits = _height(label, size) * len(lines) <= height or len(lines) == 1
        if (fits and _widest(lines, label, size) <= width) or size <= _SMALLEST_POINTS:
            return lines, size
        size -= _STEP


def _metrics(label: QgsLayoutItemLabel, size: float) -> QFontMetricsF:
    font = compat.label_font(label)
    font.setPixelSize(max(1, round(size * _MM_OF_POINT * _ZOOM)))
    return QFontMetricsF(font)


def _height(label: QgsLayoutItemLabel, size: float) -> float:
    return _metrics(label, size).lineSpacing() / _ZOOM


def _widest(lines: Sequence[str], label: QgsLayoutItemLabel, size: float) -> float:
    metrics = _metrics(label, size)
    return max((metrics.horizontalAdvance(line) for line in lines), default=0.0) / _ZOOM


def _wrapped(text: str, label: QgsLayoutItemLabel, size: float, width: float) -> list[str]:
    """Return `text` in lines of at most `width` mm: at blanks, and between Chinese signs."""
    metrics, room = _metrics(label, size), width * _ZOOM * 0.98
    paragraphs = (plans.broken(one, metrics.horizontalAdvance, room) for one in text.split("\n"))
    return [line for paragraph in paragraphs for line in paragraph]


def _fit_legend(legend: QgsLayoutItemLegend) -> None:
    """Choose columns and size of the fonts so that the legend fits its box."""
    box = legend.rect()
    legend.setResizeToContents(False)
    full = compat.legend_size(legend)
    width, height = legend.symbolWidth(), legend.symbolHeight()
    steps = [(columns, share) for share in (1.0, 0.9, 0.8, 0.7, 0.6, 0.5) for columns in (1, 2)]
    for columns, share in steps:
        legend.setColumnCount(columns)
        legend.setSplitLayer(columns > 1)
        compat.set_legend_size(legend, full, share)
        legend.setSymbolWidth(width * share)
        legend.setSymbolHeight(height * share)
        size = _needed(legend)
        if size.width() <= box.width() and size.height() <= box.height():
            break
    legend.updateLegend()


def _needed(legend: QgsLayoutItemLegend) -> QRectF:
    size = QgsLegendRenderer(legend.model(), legend.legendSettings()).minimumSize()
    return QRectF(0, 0, size.width(), size.height())
