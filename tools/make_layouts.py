# SPDX-License-Identifier: GPL-2.0-or-later
"""Make the layout of map sheets that is shipped: ``resources/layouts/a3_landscape.qpt``.

``make_layouts.py [--output DIR]`` runs in a Python with QGIS 3.22, where files are written that later
versions read too. Every item has the id by which it is filled; a user may move, restyle or drop items.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from qgis.core import (
    QgsApplication,
    QgsFillSymbol,
    QgsLayoutItem,
    QgsLayoutItemLabel,
    QgsLayoutItemLegend,
    QgsLayoutItemMap,
    QgsLayoutItemMapGrid,
    QgsLayoutItemPage,
    QgsLayoutItemPicture,
    QgsLayoutItemScaleBar,
    QgsLayoutItemShape,
    QgsLayoutMeasurement,
    QgsLayoutPoint,
    QgsLayoutSize,
    QgsLegendStyle,
    QgsLineSymbol,
    QgsPrintLayout,
    QgsProject,
    QgsReadWriteContext,
    QgsRectangle,
    QgsTextFormat,
    QgsUnitTypes,
)
from qgis.PyQt.QtCore import QRectF, Qt
from qgis.PyQt.QtGui import QColor, QFont

ROOT = Path(__file__).resolve().parent.parent
#: A font with Chinese, the first that is there: Linux, Windows, macOS.
FAMILIES = ["Noto Sans CJK SC", "Source Han Sans SC", "Microsoft YaHei", "PingFang SC", "SimHei"]
INK, SOFT, WARN, MARK = "#222222", "#444444", "#a04000", "#c00000"
CENTRE, RIGHT, MIDDLE = (
    Qt.AlignmentFlag.AlignHCenter,
    Qt.AlignmentFlag.AlignRight,
    Qt.AlignmentFlag.AlignVCenter,
)

#: Millimetres on the A3 page: left, top, width, height.
PAGE = (420.0, 297.0)
MAP = (18.0, 40.0, 276.0, 232.0)
PANEL, PANEL_WIDTH = 304.0, 104.0
Box = tuple[float, float, float, float]


class Drawing:
    """A layout under way."""

    def __init__(self) -> None:
        self._project = QgsProject()
        self.layout = QgsPrintLayout(self._project)
        self.layout.initializeDefaults()
        self.layout.setName("swc_zoning A3")
        page = self.layout.pageCollection().page(0)
        page.setPageSize("A3", QgsLayoutItemPage.Orientation.Landscape)

    def add(self, item: QgsLayoutItem, item_id: str, box: Box) -> None:
        """Add an item with its id at its place."""
        item.setId(item_id)
        item.attemptMove(QgsLayoutPoint(box[0], box[1]))
        item.attemptResize(QgsLayoutSize(box[2], box[3]))
        self.layout.addLayoutItem(item)

    def label(
        self, item_id: str, box: Box, size: float, colour: str = INK, bold: bool = False
    ) -> QgsLayoutItemLabel:
        """Add a label; its text is put in when a sheet is made."""
        label = QgsLayoutItemLabel(self.layout)
        label.setText(item_id)
        font = QFont(FAMILIES[0])
        font.setPointSizeF(size)
        font.setBold(bold)
        label.setFont(font)
        label.setFontColor(QColor(colour))
        label.setMarginX(0)
        label.setMarginY(0)
        self.add(label, item_id, box)
        return label


def text_format(size: float, colour: str = INK, bold: bool = False) -> QgsTextFormat:
    """Return a format of text on paper."""
    text = QgsTextFormat()
    font = QFont(FAMILIES[0])
    font.setBold(bold)
    text.setFont(font)
    text.setFamilies(FAMILIES)
    text.setSize(size)
    text.setSizeUnit(QgsUnitTypes.RenderUnit.RenderPoints)
    text.setColor(QColor(colour))
    return text


def add_frame(drawing: Drawing) -> None:
    """Add the outer frame of the page."""
    frame = QgsLayoutItemShape(drawing.layout)
    frame.setShapeType(QgsLayoutItemShape.Shape.Rectangle)
    frame.setSymbol(QgsFillSymbol.createSimple({"style": "no", "outline_color": INK, "outline_width": "0.8"}))
    drawing.add(frame, "frame", (6, 6, PAGE[0] - 12, PAGE[1] - 12))


def add_map(drawing: Drawing) -> None:
    """Add the map with its graticule of longitude and latitude, which the public edition goes without."""
    item = QgsLayoutItemMap(drawing.layout)
    item.setRect(QRectF(0, 0, 10, 10))
    item.setBackgroundColor(QColor("#ffffff"))
    item.setFrameEnabled(True)
    item.setFrameStrokeColor(QColor(INK))
    item.setFrameStrokeWidth(QgsLayoutMeasurement(0.5))
    # Without an extent its height would be lost.
    item.setExtent(QgsRectangle(0, 0, 100 * MAP[2], 100 * MAP[3]))
    drawing.add(item, "map", MAP)
    grid = QgsLayoutItemMapGrid("graticule", item)
    grid.setStyle(QgsLayoutItemMapGrid.GridStyle.Solid)
    grid.setLineSymbol(QgsLineSymbol.createSimple({"color": "90,110,130,90", "width": "0.1"}))
    grid.setFrameStyle(QgsLayoutItemMapGrid.FrameStyle.ExteriorTicks)
    grid.setFrameWidth(1.2)
    grid.setFramePenSize(0.2)
    grid.setAnnotationEnabled(True)
    grid.setAnnotationFormat(QgsLayoutItemMapGrid.AnnotationFormat.DegreeMinuteNoSuffix)
    grid.setAnnotationPrecision(0)
    grid.setAnnotationTextFormat(text_format(7, SOFT))
    grid.setAnnotationFrameDistance(1.2)
    for side in (QgsLayoutItemMapGrid.BorderSide.Left, QgsLayoutItemMapGrid.BorderSide.Right):
        grid.setAnnotationDirection(QgsLayoutItemMapGrid.AnnotationDirection.Vertical, side)
    item.grids().addGrid(grid)


def add_head(drawing: Drawing) -> None:
    """Add what stands above the map: title, plan, slots of secrecy and sheet number, stage."""
    title = drawing.label("title", (90, 9, 240, 14), 26, bold=True)
    plan = drawing.label("plan", (90, 24, 240, 8), 13, SOFT)
    for label in (title, plan):
        label.setHAlign(CENTRE)
        label.setVAlign(MIDDLE)
    drawing.label("secrecy", (12, 10, 74, 6), 10)
    drawing.label("review", (12, 17, 74, 6), 10)
    drawing.label("sheet_no", (334, 10, 74, 6), 10).setHAlign(RIGHT)
    stage = drawing.label("stage", (374, 18, 34, 9), 13, MARK, bold=True)
    stage.setHAlign(CENTRE)
    stage.setVAlign(MIDDLE)
    stage.setFrameEnabled(True)
    stage.setFrameStrokeColor(QColor(MARK))
    stage.setFrameStrokeWidth(QgsLayoutMeasurement(0.4))


def add_panel(drawing: Drawing) -> None:
    """Add what stands beside the map: north arrow, scale, legend, notes."""
    arrow = QgsLayoutItemPicture(drawing.layout)
    arrow.setPicturePath("north.svg")
    drawing.add(arrow, "north", (PANEL, 38, 16, 22))
    scale = drawing.label("scale_text", (PANEL + 24, 40, PANEL_WIDTH - 24, 6), 10)
    scale.setVAlign(MIDDLE)
    add_scale_bar(drawing)
    drawing.label("legend_title", (PANEL, 63, PANEL_WIDTH, 8), 14, bold=True)
    add_legend(drawing)
    drawing.label("missing", (PANEL, 207, PANEL_WIDTH, 22), 9, WARN)
    drawing.label("small", (PANEL, 230, PANEL_WIDTH, 17), 8, SOFT)
    for row, item_id in enumerate(("crs", "data_date", "basis")):
        drawing.label(item_id, (PANEL, 248 + 9 * row, PANEL_WIDTH, 9), 8, SOFT)
    drawing.label("compiler", (18, 279, 190, 7), 10)
    drawing.label("date", (214, 279, 80, 7), 10).setHAlign(RIGHT)


def add_scale_bar(drawing: Drawing) -> None:
    """Add the scale bar; its segments follow from the scale."""
    bar = QgsLayoutItemScaleBar(drawing.layout)
    bar.setStyle("Double Box")
    bar.setUnits(QgsUnitTypes.DistanceUnit.DistanceKilometers)
    bar.setUnitLabel("km")
    bar.setNumberOfSegments(4)
    bar.setNumberOfSegmentsLeft(0)
    bar.setHeight(2.0)
    bar.setTextFormat(text_format(8))
    drawing.add(bar, "scale_bar", (PANEL + 22, 48, PANEL_WIDTH - 26, 11))


def add_legend(drawing: Drawing) -> None:
    """Add the legend; its rows follow from what a sheet draws."""
    legend = QgsLayoutItemLegend(drawing.layout)
    legend.setAutoUpdateModel(False)
    legend.setResizeToContents(False)
    legend.setBackgroundEnabled(False)
    for component, size, bold in (
        (QgsLegendStyle.Style.Title, 11, True),
        (QgsLegendStyle.Style.Group, 10, True),
        (QgsLegendStyle.Style.Subgroup, 10, True),
        (QgsLegendStyle.Style.SymbolLabel, 10, False),
    ):
        style = legend.style(component)
        font = QFont(FAMILIES[0])
        font.setPointSizeF(size)
        font.setBold(bold)
        style.setFont(font)
        legend.setStyle(component, style)
    legend.setSymbolWidth(10)
    legend.setSymbolHeight(5)
    drawing.add(legend, "legend", (PANEL - 2, 72, PANEL_WIDTH + 2, 133))


def add_mark(drawing: Drawing) -> None:
    """Add the mark of the stage across the map, light enough to read what lies below."""
    mark = drawing.label("mark", (MAP[0] + 28, MAP[1] + 86, 220, 60), 84, MARK, bold=True)
    mark.setFontColor(QColor(192, 0, 0, 26))
    mark.setHAlign(CENTRE)
    mark.setVAlign(MIDDLE)
    mark.setItemRotation(-30)
    absent = drawing.label("absent", (MAP[0] + 60, MAP[1] + 20, MAP[2] - 120, 20), 30, WARN, bold=True)
    absent.setHAlign(CENTRE)
    absent.setVAlign(MIDDLE)


_MAKERS: tuple[Callable[[Drawing], None], ...] = (add_frame, add_map, add_head, add_panel, add_mark)


def make(folder: Path) -> Path:
    """Write the layout into `folder` and return its path."""
    drawing = Drawing()
    for maker in _MAKERS:
        maker(drawing)
    path = folder / "a3_landscape.qpt"
    if not drawing.layout.saveAsTemplate(str(path), QgsReadWriteContext()):
        raise OSError(f"{path} cannot be written")
    return path


def main() -> int:
    """Read the command line and make the layout, with a profile of its own."""
    parser = argparse.ArgumentParser(description="Make the layout of map sheets.")
    parser.add_argument("--output", type=Path, default=ROOT / "resources/layouts")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="swc_zoning_layout_") as profile:
        os.environ["QGIS_CUSTOM_CONFIG_PATH"] = profile
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
        application = QgsApplication([], True)
        application.initQgis()
        options.output.mkdir(parents=True, exist_ok=True)
        print(make(options.output))
        application.exitQgis()
    return 0


if __name__ == "__main__":
    sys.exit(main())
