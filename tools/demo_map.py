# SPDX-License-Identifier: GPL-2.0-or-later
"""Draw the zoning map of a run as a picture: A3 landscape, Chinese legend, areas, scale, north, sources.

``demo_map.py --result DIR --job JOB --table CSV --output map.png`` runs in a Python with QGIS. It is
drawn from the result files alone; the extent of the job gives the names of districts.
"""

from __future__ import annotations

import argparse
import csv
import gc
import json
import os
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from qgis.core import (
    QgsApplication,
    QgsCoordinateReferenceSystem,
    QgsFillSymbol,
    QgsLayoutExporter,
    QgsLayoutFrame,
    QgsLayoutItem,
    QgsLayoutItemLabel,
    QgsLayoutItemLegend,
    QgsLayoutItemManualTable,
    QgsLayoutItemMap,
    QgsLayoutItemMapGrid,
    QgsLayoutItemPage,
    QgsLayoutItemPicture,
    QgsLayoutItemScaleBar,
    QgsLayoutItemShape,
    QgsLayoutMeasurement,
    QgsLayoutPoint,
    QgsLayoutSize,
    QgsLegendRenderer,
    QgsLegendStyle,
    QgsLineSymbol,
    QgsPalLayerSettings,
    QgsPrintLayout,
    QgsProject,
    QgsRectangle,
    QgsSingleSymbolRenderer,
    QgsTableCell,
    QgsTextBufferSettings,
    QgsTextFormat,
    QgsUnitTypes,
    QgsVectorLayer,
    QgsVectorLayerSimpleLabeling,
)
from qgis.PyQt.QtCore import QRectF, Qt
from qgis.PyQt.QtGui import QColor, QFont

from swc_zoning.engine.styles import palette

FONT = "Noto Sans CJK SC"
INK, SOFT = "#222222", "#666666"
SEA = "#d8ebf5"
DPI = 150

#: Millimetres on the A3 page: left, top, width, height.
PAGE = (420.0, 297.0)
MAP = (16.0, 30.0, 272.0, 251.0)
PANEL_LEFT, PANEL_WIDTH = 298.0, 108.0


@dataclass(frozen=True)
class Plan:
    """What is drawn: files, the summary of the run, the rows of the table of areas."""

    result: Path
    job: Path
    summary: dict
    table: list[list[str]]


def draw(plan: Plan, output: Path) -> None:
    """Lay the map out and write it to `output`. Raises OSError where it cannot be written."""
    project = QgsProject.instance()
    crs = QgsCoordinateReferenceSystem(plan.summary["crs"])
    project.setCrs(crs)
    zones, sea, districts = layers = _layers(plan)
    project.addMapLayers(list(layers))
    layout = QgsPrintLayout(project)
    layout.initializeDefaults()
    page = layout.pageCollection().page(0)
    page.setPageSize("A3", QgsLayoutItemPage.Orientation.Landscape)
    main = _add_map(layout, [districts, sea, zones], districts.extent())
    _add_frame(layout)
    _add_title(layout)
    _add_panel(layout, main, plan, zones, sea, districts)
    _export(layout, output)


# --- layers ----------------------------------------------------------------------------------------


def _layers(plan: Plan) -> tuple[QgsVectorLayer, QgsVectorLayer, QgsVectorLayer]:
    zoning = plan.result / "zoning.gpkg"
    # Its own style: colours and Chinese legend are in the file.
    zones = _open(f"{zoning}|layername=zones", "管控分区")
    sea = _open(f"{zoning}|layername=pieces", "一般管控区（海域）")
    sea.setSubsetString('"zone" = \'GENERAL\' AND "land" = 0')
    sea.setRenderer(_filled(SEA, SEA, "0"))
    districts = _districts(plan)
    return zones, sea, districts


def _open(uri: str, name: str) -> QgsVectorLayer:
    layer = QgsVectorLayer(uri, name, "ogr")
    if not layer.isValid():
        raise OSError(f"{uri} cannot be read")
    return layer


def _districts(plan: Plan) -> QgsVectorLayer:
    extent = json.loads(plan.job.read_text(encoding="utf-8"))["extent"]
    source = plan.job.parent / extent["source"]
    layer = _open(f"{source}|layername={extent['layer']}", "行政区界线")
    symbol = QgsFillSymbol.createSimple(
        {"style": "no", "outline_color": INK, "outline_width": "0.35", "outline_style": "dash dot"}
    )
    layer.setRenderer(QgsSingleSymbolRenderer(symbol))
    settings = QgsPalLayerSettings()
    settings.fieldName = extent["name_field"]
    settings.centroidInside = True
    text = _text_format(11, INK, bold=True)
    halo = QgsTextBufferSettings()
    halo.setEnabled(True)
    halo.setSize(0.9)
    halo.setColor(QColor(255, 255, 255, 220))
    text.setBuffer(halo)
    settings.setFormat(text)
    layer.setLabeling(QgsVectorLayerSimpleLabeling(settings))
    layer.setLabelsEnabled(True)
    return layer


def _pending() -> QgsVectorLayer:
    """Return an empty layer that explains the hatch of pending areas in the legend."""
    layer = QgsVectorLayer("Polygon", "待核（按从严暂定）", "memory")
    entry = palette()["pending"]
    style = palette()["hatches"][entry["hatch"]]
    symbol = QgsFillSymbol.createSimple({"color": entry["line"], "style": style, "outline_color": SOFT})
    layer.setRenderer(QgsSingleSymbolRenderer(symbol))
    return layer


def _filled(colour: str, line: str, width: str) -> QgsSingleSymbolRenderer:
    symbol = QgsFillSymbol.createSimple({"color": colour, "outline_color": line, "outline_width": width})
    return QgsSingleSymbolRenderer(symbol)


def _text_format(size: float, colour: str, bold: bool = False) -> QgsTextFormat:
    text = QgsTextFormat()
    font = QFont(FONT)
    font.setBold(bold)
    text.setFont(font)
    text.setSize(size)
    text.setSizeUnit(QgsUnitTypes.RenderUnit.RenderPoints)
    text.setColor(QColor(colour))
    return text


# --- items -----------------------------------------------------------------------------------------


def _place(item: QgsLayoutItem, left: float, top: float, width: float, height: float) -> None:
    item.attemptMove(QgsLayoutPoint(left, top))
    item.attemptResize(QgsLayoutSize(width, height))


def _add_map(layout: QgsPrintLayout, layers: list[QgsVectorLayer], extent: QgsRectangle) -> QgsLayoutItemMap:
    item = QgsLayoutItemMap(layout)
    item.setRect(QRectF(0, 0, 10, 10))
    _place(item, *MAP)
    item.setLayers(layers)
    item.setKeepLayerSet(True)
    item.setBackgroundColor(QColor("#f7f9fa"))
    item.setFrameEnabled(True)
    item.setFrameStrokeColor(QColor(INK))
    item.setFrameStrokeWidth(QgsLayoutMeasurement(0.5))
    layout.addLayoutItem(item)
    item.zoomToExtent(extent.buffered(max(extent.width(), extent.height()) * 0.02))
    # Scale numbers that can be read off: a whole multiple of 10,000.
    item.setScale(-(-item.scale() // 10000) * 10000)
    _add_grid(item)
    return item


def _add_grid(item: QgsLayoutItemMap) -> None:
    """Mark every 20 km along the frame, with coordinates in km of the working CRS."""
    grid = QgsLayoutItemMapGrid("km", item)
    grid.setIntervalX(20000)
    grid.setIntervalY(20000)
    grid.setStyle(QgsLayoutItemMapGrid.GridStyle.Cross)
    grid.setCrossLength(2)
    grid.setLineSymbol(QgsLineSymbol.createSimple({"color": "120,120,120,160", "width": "0.15"}))
    grid.setAnnotationEnabled(True)
    grid.setAnnotationFormat(QgsLayoutItemMapGrid.AnnotationFormat.CustomFormat)
    grid.setAnnotationExpression("to_string(to_int(@grid_number / 1000))")
    grid.setAnnotationTextFormat(_text_format(7, SOFT))
    grid.setAnnotationFrameDistance(1)
    left = QgsLayoutItemMapGrid.BorderSide.Left
    grid.setAnnotationDirection(QgsLayoutItemMapGrid.AnnotationDirection.Vertical, left)
    for side in (QgsLayoutItemMapGrid.BorderSide.Top, QgsLayoutItemMapGrid.BorderSide.Right):
        grid.setAnnotationDisplay(QgsLayoutItemMapGrid.DisplayMode.HideAll, side)
    item.grids().addGrid(grid)


def _add_frame(layout: QgsPrintLayout) -> None:
    frame = QgsLayoutItemShape(layout)
    frame.setShapeType(QgsLayoutItemShape.Shape.Rectangle)
    frame.setSymbol(QgsFillSymbol.createSimple({"style": "no", "outline_color": INK, "outline_width": "0.8"}))
    _place(frame, 6, 6, PAGE[0] - 12, PAGE[1] - 12)
    layout.addLayoutItem(frame)


def _add_label(
    layout: QgsPrintLayout, text: str, box: tuple[float, float, float, float], format_: QgsTextFormat
) -> QgsLayoutItemLabel:
    label = QgsLayoutItemLabel(layout)
    label.setText(text)
    _set_format(label, format_)
    label.setMarginX(0)
    label.setMarginY(0)
    _place(label, *box)
    layout.addLayoutItem(label)
    return label


def _set_format(label: QgsLayoutItemLabel, format_: QgsTextFormat) -> None:
    if hasattr(label, "setTextFormat"):  # 3.24 and later
        label.setTextFormat(format_)
        return
    font = format_.font()
    font.setPointSizeF(format_.size())
    label.setFont(font)
    label.setFontColor(format_.color())


def _add_title(layout: QgsPrintLayout) -> None:
    title = _add_label(
        layout,
        "水土保持空间管控分区图（示意，合成数据）",
        (MAP[0], 10, MAP[2], 16),
        _text_format(26, INK, bold=True),
    )
    title.setHAlign(Qt.AlignmentFlag.AlignHCenter)
    title.setVAlign(Qt.AlignmentFlag.AlignVCenter)
    mark = _add_label(
        layout, "示  意", (PANEL_LEFT + PANEL_WIDTH - 30, 11, 30, 11), _text_format(16, "#c00000", True)
    )
    mark.setHAlign(Qt.AlignmentFlag.AlignHCenter)
    mark.setVAlign(Qt.AlignmentFlag.AlignVCenter)
    mark.setFrameEnabled(True)
    mark.setFrameStrokeColor(QColor("#c00000"))


def _add_panel(
    layout: QgsPrintLayout,
    main: QgsLayoutItemMap,
    plan: Plan,
    zones: QgsVectorLayer,
    sea: QgsVectorLayer,
    districts: QgsVectorLayer,
) -> None:
    _add_north(layout)
    _add_heading(layout, "图  例", 57)
    pending = _pending()
    QgsProject.instance().addMapLayer(pending)
    _add_legend(layout, main, [zones, pending, sea, districts])
    _add_heading(layout, "分区面积（互斥，已闭合）", 162)
    _add_table(layout, plan.table)
    _add_scale(layout, main)
    _add_notes(layout, main, plan)


def _add_heading(layout: QgsPrintLayout, text: str, top: float) -> None:
    _add_label(layout, text, (PANEL_LEFT, top, PANEL_WIDTH, 7), _text_format(13, INK, bold=True))


def _add_north(layout: QgsPrintLayout) -> None:
    arrow = QgsLayoutItemPicture(layout)
    paths = [Path(path) / "arrows" / "NorthArrow_02.svg" for path in QgsApplication.svgPaths()]
    arrow.setPicturePath(str(next((path for path in paths if path.is_file()), "")))
    _place(arrow, PANEL_LEFT, 28, 22, 26)
    layout.addLayoutItem(arrow)


def _add_legend(layout: QgsPrintLayout, main: QgsLayoutItemMap, layers: list[QgsVectorLayer]) -> None:
    legend = QgsLayoutItemLegend(layout)
    legend.setLinkedMap(main)
    legend.setAutoUpdateModel(False)
    root = legend.model().rootGroup()
    root.clear()
    for layer in layers:
        node = root.addLayer(layer)
        if layer is layers[0]:
            QgsLegendRenderer.setNodeLegendStyle(node, QgsLegendStyle.Style.Hidden)
    for component, size in (
        (QgsLegendStyle.Style.Subgroup, 10),
        (QgsLegendStyle.Style.SymbolLabel, 10),
        (QgsLegendStyle.Style.Group, 10),
    ):
        _legend_font(legend, component, size)
    legend.setSymbolWidth(11)
    legend.setSymbolHeight(5.5)
    legend.setBackgroundEnabled(False)
    _place(legend, PANEL_LEFT - 2, 63, PANEL_WIDTH, 80)
    layout.addLayoutItem(legend)
    legend.adjustBoxSize()


def _legend_font(legend: QgsLayoutItemLegend, component: QgsLegendStyle.Style, size: float) -> None:
    style = legend.style(component)
    if hasattr(style, "setTextFormat"):  # 3.30 and later
        style.setTextFormat(_text_format(size, INK))
    else:
        font = QFont(FONT)
        font.setPointSizeF(size)
        style.setFont(font)
    legend.setStyle(component, style)


def _add_table(layout: QgsPrintLayout, rows: list[list[str]]) -> None:
    table = QgsLayoutItemManualTable.create(layout)
    layout.addMultiFrame(table)
    table.setTableContents([_cells(row, number in (0, len(rows) - 1)) for number, row in enumerate(rows)])
    table.setColumnWidths([40, 23, 21, 16])
    table.setCellMargin(1.0)
    table.setGridStrokeWidth(0.15)
    table.setGridColor(QColor("#999999"))
    table.setBackgroundColor(QColor("#ffffff"))
    frame = QgsLayoutFrame(layout, table)
    _place(frame, PANEL_LEFT, 170, PANEL_WIDTH, 75)
    table.addFrame(frame)


def _cells(row: list[str], bold: bool) -> list[QgsTableCell]:
    cells = []
    for column, text in enumerate(row):
        cell = QgsTableCell(text.replace("（", "\n（") if bold else text)
        cell.setTextFormat(_text_format(8, INK, bold))
        side = Qt.AlignmentFlag.AlignRight if column else Qt.AlignmentFlag.AlignLeft
        cell.setHorizontalAlignment(side)
        cells.append(cell)
    return cells


def _add_scale(layout: QgsPrintLayout, main: QgsLayoutItemMap) -> None:
    bar = QgsLayoutItemScaleBar(layout)
    bar.setStyle("Double Box")
    bar.setLinkedMap(main)
    bar.setUnits(QgsUnitTypes.DistanceUnit.DistanceKilometers)
    bar.setUnitLabel("km")
    bar.setUnitsPerSegment(10)
    bar.setNumberOfSegments(2)
    bar.setNumberOfSegmentsLeft(0)
    bar.setHeight(2.2)
    bar.setTextFormat(_text_format(9, INK))
    _place(bar, PANEL_LEFT + 30, 40, 60, 12)
    layout.addLayoutItem(bar)
    number = f"1 : {main.scale():,.0f}"
    _add_label(layout, f"比例尺  {number}", (PANEL_LEFT + 32, 32, 62, 6), _text_format(10, INK))


def _add_notes(layout: QgsPrintLayout, main: QgsLayoutItemMap, plan: Plan) -> None:
    text = "\n".join(_notes(plan))
    _add_label(layout, text, (PANEL_LEFT, 245, PANEL_WIDTH, 38), _text_format(8, SOFT))


def _notes(plan: Plan) -> list[str]:
    summary = plan.summary
    crs = QgsCoordinateReferenceSystem(summary["crs"])
    dates = sorted({row["data_date"] for row in summary["inputs"] if row["data_date"]})
    missing = "、".join(row["name_zh"] for row in summary["missing_roles"]) or "无"
    total = summary["total"]
    lines = [
        f"坐标系：{crs.description()}",
        f"（{crs.authid()}），格网间距 20 km，坐标单位 km",
        f"数据日期：{dates[0]} 至 {dates[-1]}" if len(dates) > 1 else f"数据日期：{''.join(dates) or '未填'}",
        f"规划基准日：{summary['plan_date'] or '未填'}；决策表：{_table_name(summary['rules'])}",
        f"未提供的图层：{missing}",
        "“一般管控区”不等于经核实无管控要求。",
        "全部数据为合成数据，仅供演示，不代表任何真实地区。",
    ]
    if "land_m2" in total:
        land, sea = total["land_m2"] / 1e6, total["sea_m2"] / 1e6
        lines.insert(0, f"陆域 {land:,.2f} km²，海域 {sea:,.2f} km²")
    return lines


def _table_name(rules: dict[str, str]) -> str:
    status = "（建议稿）" if rules["status"] == "proposed" else ""
    return f"{rules['profile']} {rules['version']}{status}"


def _export(layout: QgsPrintLayout, output: Path) -> None:
    settings = QgsLayoutExporter.ImageExportSettings()
    settings.dpi = DPI
    settings.exportMetadata = False
    output.parent.mkdir(parents=True, exist_ok=True)
    done = QgsLayoutExporter(layout).exportToImage(str(output), settings)
    if done != QgsLayoutExporter.ExportResult.Success:
        raise OSError(f"{output} cannot be written")


def main() -> int:
    """Read the command line and draw."""
    parser = argparse.ArgumentParser(description="Draw the zoning map of a run.")
    for name in ("--result", "--job", "--table", "--output"):
        parser.add_argument(name, type=Path, required=True)
    options = parser.parse_args()
    summary = json.loads((options.result / "summary.json").read_text(encoding="utf-8"))
    with options.table.open(encoding="utf-8-sig", newline="") as stream:
        plan = Plan(options.result, options.job, summary, list(csv.reader(stream)))
    with tempfile.TemporaryDirectory(prefix="swc_zoning_map_") as profile:
        _draw_in(profile, plan, options.output)
    return 0


def _draw_in(profile: str, plan: Plan, output: Path) -> None:
    """Draw with a profile of its own: nothing of the user's QGIS shows in the map or is changed."""
    os.environ["QGIS_CUSTOM_CONFIG_PATH"] = profile
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    os.environ.setdefault("XDG_RUNTIME_DIR", profile)
    # What matters is raised; the rest is talk about versions of GeoPackage and PNG headers.
    os.environ.setdefault("CPL_LOG", os.devnull)
    application = QgsApplication([], True)
    application.initQgis()
    try:
        draw(plan, output)
    finally:
        # Layers that outlive the application crash it.
        QgsProject.instance().clear()
        gc.collect()
        application.exitQgis()


if __name__ == "__main__":
    sys.exit(main())
