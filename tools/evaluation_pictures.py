# SPDX-License-Identifier: GPL-2.0-or-later
"""Draw what the evaluation of the demo city found: its patches by rule, and the methods side by side.

``evaluation_pictures.py --city DIR --output DIR`` runs in a Python with QGIS, after the parameter files
in ``DIR/evaluation`` were run. It writes ``evaluation-patches.png`` and ``evaluation-methods.png``;
captions are in Chinese and English. Numbers are those of the records and layers of the results.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path

from qgis.core import (
    QgsApplication,
    QgsCategorizedSymbolRenderer,
    QgsColorRampShader,
    QgsCoordinateReferenceSystem,
    QgsFillSymbol,
    QgsMapLayer,
    QgsMapRendererCustomPainterJob,
    QgsMapSettings,
    QgsPalettedRasterRenderer,
    QgsProject,
    QgsRasterLayer,
    QgsRasterShader,
    QgsRectangle,
    QgsRendererCategory,
    QgsSingleBandPseudoColorRenderer,
    QgsSingleSymbolRenderer,
    QgsVectorLayer,
)
from qgis.PyQt.QtCore import QPointF, QRectF, QSize, Qt
from qgis.PyQt.QtGui import QBrush, QColor, QFont, QFontMetricsF, QImage, QPainter, QPen

FONT = "Noto Sans CJK SC"
INK, SOFT, ACCENT = "#222222", "#5f6368", "#b3261e"
SEA, LAND, WATER, FLAT = "#dcebf3", "#f6f3ea", "#a9cfe3", "#ece6d2"
#: Fill of the patches of a rule, in the order of the legend.
RULES = {
    "a": "#00543a",
    "b": "#d95f0e",
    "c": "#8cc98a",
    "c_patch": "#2f8f9d",
    "d": "#f0b429",
    "hill_3": "#6a3d9a",
    "hill_2": "#b79ad6",
}
CLASSES = {"3": "#00543a", "2": "#6cbf6a", "1": "#e9efe2"}
SENSITIVE = {"3": "#7f2704", "2": "#f1a35f", "1": "#fbeadb"}
FRAGILE = {"3": "#3f007d", "2": "#8f6fc0", "1": "#eceaf4"}
ELEVATION = ((-0.5, "#7fb4c9"), (1.5, "#d5e3cf"), (2.6, "#e9f0d8"), (4.0, "#f3ecd0"), (6.0, "#e0c896"))
HILL = ((20.0, "#c08f52"), (100.0, "#6b3f1d"))


@dataclass(frozen=True)
class Place:
    """The folder of the city, its evaluation, and the rectangle that is drawn."""

    city: Path
    extent: QgsRectangle
    crs: QgsCoordinateReferenceSystem

    @property
    def results(self) -> Path:
        """Return the folder of the parameter files and results."""
        return self.city / "evaluation"

    def record(self, name: str) -> dict:
        """Return the record of a result."""
        return json.loads((self.results / name / "run.json").read_text(encoding="utf-8"))


# --- layers ----------------------------------------------------------------------------------------


def vector(path: Path, layer: str = "", where: str = "") -> QgsVectorLayer:
    """Return a layer of a file. Raises OSError where it cannot be read."""
    made = QgsVectorLayer(f"{path}|layername={layer}" if layer else str(path), path.stem, "ogr")
    if not made.isValid():
        raise OSError(f"{path} cannot be read")
    made.setSubsetString(where)
    QgsProject.instance().addMapLayer(made, False)
    return made


def filled(path: Path, fill: str, line: str = "", width: str = "0.1", where: str = "") -> QgsVectorLayer:
    """Return a layer of polygons in one colour; "" for no fill or no line."""
    made = vector(path, where=where)
    made.setRenderer(QgsSingleSymbolRenderer(symbol(fill, line, width)))
    return made


def symbol(fill: str, line: str = "", width: str = "0.1") -> QgsFillSymbol:
    """Return the symbol of a polygon."""
    facts = {"color": fill or "#ffffff", "style": "solid" if fill else "no", "outline_width": width}
    facts.update({"outline_color": line or fill, "outline_style": "solid" if line else "no"})
    return QgsFillSymbol.createSimple(facts)


def by_value(path: Path, layer: str, field: str, colours: dict[str, str], line: str = "") -> QgsVectorLayer:
    """Return a layer of polygons coloured by a field."""
    made = vector(path, layer)
    kinds = [
        QgsRendererCategory(value, symbol(fill, line or fill, "0.12"), value)
        for value, fill in colours.items()
    ]
    made.setRenderer(QgsCategorizedSymbolRenderer(field, kinds))
    return made


def classes(path: Path, colours: dict[str, str]) -> QgsRasterLayer:
    """Return a raster of classes coloured by value."""
    made = raster(path)
    kinds = [QgsPalettedRasterRenderer.Class(int(v), QColor(c), v) for v, c in colours.items()]
    made.setRenderer(QgsPalettedRasterRenderer(made.dataProvider(), 1, kinds))
    return made


def raster(path: Path) -> QgsRasterLayer:
    """Return a raster layer. Raises OSError where it cannot be read."""
    made = QgsRasterLayer(str(path), path.stem)
    if not made.isValid():
        raise OSError(f"{path} cannot be read")
    QgsProject.instance().addMapLayer(made, False)
    return made


def elevation(path: Path) -> QgsRasterLayer:
    """Return elevations in colours of the plain, and of hills above it."""
    made = raster(path)
    ramp = QgsColorRampShader(-0.5, 100.0)
    ramp.setColorRampType(QgsColorRampShader.Type.Interpolated)
    ramp.setColorRampItemList(
        [QgsColorRampShader.ColorRampItem(value, QColor(colour)) for value, colour in (*ELEVATION, *HILL)]
    )
    shader = QgsRasterShader()
    shader.setRasterShaderFunction(ramp)
    made.setRenderer(QgsSingleBandPseudoColorRenderer(made.dataProvider(), 1, shader))
    return made


def ground(place: Place, with_land: bool = True) -> list[QgsMapLayer]:
    """Return what lies below and above a theme: borders of districts and waters, then land."""
    city = place.city
    over = [
        filled(city / "基础/XZQ.gpkg", "", "#8a8f94", "0.18"),
        filled(city / "水务/HHSX.gpkg", "", "#5b9bbb", "0.12"),
    ]
    waters = filled(city / "水务/HHSX.gpkg", WATER)
    land = filled(city / "基础/LYFW.gpkg", LAND, "#b9b4a2", "0.15")
    return [*over, waters, land, filled(city / "基础/PJFW.gpkg", FLAT)] if with_land else [*over, waters]


def themed(place: Place, *theme: QgsMapLayer) -> list[QgsMapLayer]:
    """Return layers from the top: borders and waters, the theme, the ground."""
    below = ground(place)
    return [*below[:2], *theme, *below[2:]]


# --- drawing ---------------------------------------------------------------------------------------


class Sheet:
    """A picture that is drawn on from the top; lengths in pixels."""

    def __init__(self, width: int, height: int) -> None:
        self.image = QImage(width, height, QImage.Format.Format_ARGB32_Premultiplied)
        self.image.fill(QColor("#ffffff"))
        self.image.setDotsPerMeterX(5906)
        self.image.setDotsPerMeterY(5906)
        self.painter = QPainter(self.image)
        self.painter.setRenderHint(QPainter.RenderHint.Antialiasing)

    def map(
        self, box: QRectF, layers: list[QgsMapLayer], place: Place, extent: QgsRectangle
    ) -> QgsMapSettings:
        """Draw layers into a box."""
        settings = QgsMapSettings()
        settings.setDestinationCrs(place.crs)
        settings.setLayers(layers)
        settings.setExtent(extent)
        settings.setOutputSize(QSize(round(box.width()), round(box.height())))
        settings.setOutputDpi(150)
        settings.setBackgroundColor(QColor(SEA))
        picture = QImage(settings.outputSize(), QImage.Format.Format_ARGB32_Premultiplied)
        picture.fill(QColor(SEA))
        inner = QPainter(picture)
        job = QgsMapRendererCustomPainterJob(settings, inner)
        job.start()
        job.waitForFinished()
        inner.end()
        self.painter.drawImage(box.topLeft(), picture)
        self.painter.setPen(QPen(QColor("#9aa0a6"), 2))
        self.painter.setBrush(Qt.BrushStyle.NoBrush)
        self.painter.drawRect(box)
        return settings

    def text(
        self, left: float, top: float, text: str, size: int, colour: str = INK, bold: bool = False
    ) -> float:
        """Write one line with its top at `top`; return where the next may begin."""
        metrics = QFontMetricsF(self._font(size, bold))
        self.painter.setPen(QColor(colour))
        self.painter.drawText(QPointF(left, top + metrics.ascent()), text)
        return top + metrics.height()

    def wrapped(self, box: QRectF, text: str, size: int, colour: str = INK, bold: bool = False) -> float:
        """Write text over as many lines as it needs; return where the next may begin."""
        metrics = QFontMetricsF(self._font(size, bold))
        flags = Qt.TextFlag.TextWordWrap | Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop
        self.painter.setPen(QColor(colour))
        self.painter.drawText(box, int(flags), text)
        return box.top() + metrics.boundingRect(box, int(flags), text).height()

    def _font(self, size: int, bold: bool) -> QFont:
        font = QFont(FONT)
        font.setPixelSize(size)
        font.setBold(bold)
        self.painter.setFont(font)
        return font

    def swatch(self, left: float, top: float, fill: str, size: float = 26) -> None:
        """Draw the key of a legend."""
        self.painter.setPen(QPen(QColor("#70757a"), 1))
        self.painter.setBrush(QBrush(QColor(fill)))
        self.painter.drawRect(QRectF(left, top, size * 1.5, size))

    def ring(self, settings: QgsMapSettings, box: QRectF, centre: QPointF, text: str) -> None:
        """Draw a ring around a place of a map, with words beside it."""
        at = settings.mapToPixel().transform(centre.x(), centre.y())
        middle = QPointF(box.left() + at.x(), box.top() + at.y())
        self.painter.setBrush(Qt.BrushStyle.NoBrush)
        self.painter.setPen(QPen(QColor(ACCENT), 4))
        self.painter.drawEllipse(middle, 34, 34)
        self.text(middle.x() + 42, middle.y() - 18, text, 26, ACCENT, bold=True)

    def scale(self, box: QRectF, extent: QgsRectangle, kilometres: int) -> None:
        """Draw a scale bar into the lower left corner of a map."""
        length = kilometres * 1000 / extent.width() * box.width()
        left, top = box.left() + 24, box.bottom() - 30
        self.painter.fillRect(QRectF(left, top, length, 6), QColor(INK))
        self.text(left, top - 34, f"{kilometres} km", 24)

    def save(self, path: Path) -> None:
        """Write the picture. Raises OSError where it cannot be written."""
        self.painter.end()
        if not self.image.save(str(path), "PNG"):
            raise OSError(f"{path} cannot be written")


# --- patches by rule -------------------------------------------------------------------------------


def draw_patches(place: Place, output: Path) -> None:
    """Draw the patches of the delta path by the rule that decided, with legend, areas and a detail."""
    path = place.results / "flatdelta" / "patches.gpkg"
    areas = areas_by_rule(path)
    sheet = Sheet(2400, 1900)
    sheet.text(50, 30, "水土保持生态功能重要区：平原河网路径的图斑与决定规则（合成数据）", 46, bold=True)
    title = (
        "Areas important for soil and water conservation in a flat delta: patches and the rules that decided"
    )
    sheet.text(50, 92, f"{title} (synthetic data)", 30, SOFT)
    patches = by_value(path, "swc_function_important", "rule", RULES)
    box = QRectF(50, 150, 1350, 1700)
    extent = fitted(place.extent, box)
    sheet.map(box, themed(place, patches), place, extent)
    detail = QgsRectangle(610000, 3438500, 634000, 3454500)
    left = 1440.0
    top = legend_of_rules(sheet, left, 150, areas, rule_words())
    inset = QRectF(left, 1245, 910, 605)
    sheet.wrapped(
        QRectF(left, 1180, 910, 60),
        "局部：月淀、云山与澄江上游水源地  Detail: lake, hills and source river",
        25,
    )
    sheet.map(inset, themed(place, patches), place, fitted(detail, inset))
    sheet.scale(inset, fitted(detail, inset), 5)
    sheet.scale(box, extent, 20)
    outline(sheet, box, extent, detail)
    notes(sheet, left, top + 14)
    sheet.save(output)


def outline(sheet: Sheet, box: QRectF, extent: QgsRectangle, detail: QgsRectangle) -> None:
    """Mark on a map what a detail shows."""
    across, down = box.width() / extent.width(), box.height() / extent.height()
    left = box.left() + (detail.xMinimum() - extent.xMinimum()) * across
    top = box.top() + (extent.yMaximum() - detail.yMaximum()) * down
    sheet.painter.setBrush(Qt.BrushStyle.NoBrush)
    sheet.painter.setPen(QPen(QColor(INK), 3))
    sheet.painter.drawRect(QRectF(left, top, detail.width() * across, detail.height() * down))


def areas_by_rule(path: Path) -> dict[str, tuple[int, float]]:
    """Return number and ground area (km2) of the patches of each rule."""
    found: dict[str, tuple[int, float]] = {}
    for feature in vector(path, "swc_function_important").getFeatures():
        count, area = found.get(feature["rule"], (0, 0.0))
        found[feature["rule"]] = (count + 1, area + feature["area_m2"] / 1e6)
    return found


def rule_words() -> dict[str, tuple[int, str, str]]:
    """Return class and sentences of each rule."""
    from swc_zoning.paths import resource

    path = resource("evaluation", "function_rules", "delta.json")
    rules = json.loads(path.read_text(encoding="utf-8"))["rules"]
    return {rule["id"]: (rule["class"], rule["zh"], rule["en"]) for rule in rules}


def legend_of_rules(
    sheet: Sheet,
    left: float,
    top: float,
    areas: dict[str, tuple[int, float]],
    words: dict[str, tuple[int, str, str]],
) -> float:
    """Write the legend: rules with patches, class by class; return where it ends."""
    levels = {3: ("极重要", "Extremely important"), 2: ("重要", "Important")}
    for level, (zh, en) in levels.items():
        mine = [rule for rule in RULES if rule in areas and words[rule][0] == level]
        total = sum(areas[rule][1] for rule in mine)
        top = sheet.text(left, top, f"{zh} {en}：{total:,.1f} km²", 32, bold=True) + 6
        for rule in mine:
            count, area = areas[rule]
            sheet.swatch(left, top + 6, RULES[rule])
            column = QRectF(left + 58, top, 850, 300)
            top = sheet.wrapped(column, f"{rule}  {area:,.1f} km²（{count} 处 patches）", 25, bold=True)
            column.setTop(top)
            top = sheet.wrapped(column, words[rule][1], 25)
            column.setTop(top)
            top = sheet.wrapped(column, words[rule][2], 21, SOFT) + 12
        top += 10
    return top


def notes(sheet: Sheet, left: float, top: float) -> None:
    """Write what the patches are of, and that the rules are of no standard."""
    zh = "法定范围按原边界精确保留；其余图斑沿地块边界，不平滑。规则及数值为本规划采用，不出自标准。"
    en = (
        "Legal areas keep their exact boundaries; other patches "
        "follow parcels. Rules are adopted by the plan, of no standard."
    )
    top = sheet.wrapped(QRectF(left, top, 910, 120), zh, 23, SOFT)
    sheet.wrapped(QRectF(left, top + 4, 910, 120), en, 20, SOFT)


# --- methods side by side --------------------------------------------------------------------------


@dataclass(frozen=True)
class Panel:
    """One map of the comparison: title, what it shows, layers, key, words at the hills ("" for none)."""

    zh: str
    en: str
    said: tuple[str, str]
    layers: list[QgsMapLayer]
    key: list[tuple[str, str]]
    hill: str = ""


def draw_methods(place: Place, output: Path) -> None:
    """Draw national methods and the delta path side by side."""
    sheet = Sheet(2400, 2440)
    sheet.text(50, 30, "同一座平原城市：国家通用方法与平原河网路径（合成数据）", 48, bold=True)
    sheet.text(50, 96, "One flat city: national methods beside the delta path (synthetic data)", 32, SOFT)
    for number, panel in enumerate(panels(place)):
        left, top = 50 + (number % 3) * 775, 160 + (number // 3) * 1130
        draw_panel(sheet, panel, place, QRectF(left, top + 76, 745, 800), left, top)
    sheet.save(output)


def draw_panel(sheet: Sheet, panel: Panel, place: Place, box: QRectF, left: float, top: float) -> None:
    """Draw one map with its title, key and caption."""
    sheet.text(left, top, panel.zh, 31, bold=True)
    sheet.text(left, top + 42, panel.en, 22, SOFT)
    extent = fitted(place.extent, box)
    settings = sheet.map(box, panel.layers, place, extent)
    sheet.scale(box, extent, 20)
    if panel.hill:
        sheet.ring(settings, box, QPointF(621300, 3449000), panel.hill)
    across, below = left, box.bottom() + 10
    for fill, words in panel.key:
        sheet.swatch(across, below, fill, 22)
        sheet.text(across + 40, below - 6, words, 22)
        across += 52 + QFontMetricsF(sheet.painter.font()).horizontalAdvance(words) + 8
    low = sheet.wrapped(QRectF(left, below + 36, 745, 120), panel.said[0], 25)
    sheet.wrapped(QRectF(left, low + 4, 745, 120), panel.said[1], 21, SOFT)


def panels(place: Place) -> list[Panel]:
    """Return the maps of the comparison in their order."""
    return [
        _plain(place),
        _importance(place),
        _retention(place),
        _sensitivity(place),
        _vulnerability(place),
        _delta(place),
    ]


def key_of(colours: dict[str, str], words: dict[str, str]) -> list[tuple[str, str]]:
    """Return keys of a legend."""
    return [(colours[value], words[value]) for value in colours]


def km2(place: Place, name: str, field: str = "km2_by_class") -> dict[str, float]:
    """Return the areas by class in a record."""
    return place.record(name)["facts"][field]


def _plain(place: Place) -> Panel:
    steep = 100 * place.record("slopeandrelief")["facts"]["steep_share"]
    said = (
        f"地面 2—5 m，只有一处残丘高约 100 m；坡度 15° 及以上只占 {steep:.3f}\u00a0%。",
        f"A plain of 2-5 m with one hill remnant of 100 m; slope is 15° or more on {steep:.3f}\u00a0%.",
    )
    key = [(colour, f"{value:g} m") for value, colour in (*ELEVATION[1:], *HILL)]
    layers = [*ground(place, with_land=False), elevation(place.city / "rasters/dem.tif")]
    return Panel("高程", "Elevation", said, layers, key, "云山")


def _importance(place: Place) -> Panel:
    path = place.results / "hillyprovince" / "importance.tif"
    high, middle = cells_km2(path, 3), cells_km2(path, 2)
    said = (
        f"双评价（坡度 + 覆盖度）：极重要 {high:.1f} km²、"
        f"重要 {middle:.1f} km²，全在残丘；水源地、湿地一处没有。",
        f"Dual evaluation (slope and cover): {high:.1f} and "
        f"{middle:.1f} km², all on the hill; no source, no wetland.",
    )
    words = {"3": "极重要", "2": "重要", "1": "一般"}
    layers = themed(place, classes(path, CLASSES))
    return Panel(
        "国家方法一：双评价重要性",
        "National method 1: importance (2020)",
        said,
        layers,
        key_of(CLASSES, words),
        f"{high + middle:.1f} km²",
    )


def _retention(place: Place) -> Panel:
    path = place.results / "hillyprovince" / "retention.tif"
    high, middle = cells_km2(path, 3), cells_km2(path, 2)
    said = (
        f"RUSLE 土壤保持量，累计 50 %/80 %：极重要只有残丘 {high:.1f} "
        f"km²；重要 {middle:.1f} km² 是堤岸和零星林草像元。",
        f"RUSLE retention, 50 %/80 % of the sum: the hill ({high:.1f} "
        f"km²), then levees and specks of green ({middle:.1f} km²).",
    )
    words = {"3": "极重要", "2": "重要", "1": "一般"}
    layers = themed(place, classes(path, CLASSES))
    return Panel(
        "国家方法二：土壤保持量",
        "National method 2: soil retention (2017)",
        said,
        layers,
        key_of(CLASSES, words),
        f"{high:.1f} km²",
    )


def _sensitivity(place: Place) -> Panel:
    area = km2(place, "sensitivity")
    said = (
        f"敏感性指数：极敏感 {area['3']:.0f} km²；敏感 "
        f"{area['2']:,.0f} km² 反映的是植被少（城镇、滩涂），不是坡面。",
        f"Sensitivity: extreme {area['3']:.0f} km²; 'sensitive' "
        f"({area['2']:,.0f} km²) is bare and built-up ground, no slope.",
    )
    words = {"3": "极敏感", "2": "敏感", "1": "一般"}
    layers = themed(place, classes(place.results / "sensitivity" / "class.tif", SENSITIVE))
    return Panel(
        "国家方法三：水土流失敏感性",
        "National method 3: sensitivity to soil loss",
        said,
        layers,
        key_of(SENSITIVE, words),
    )


def _vulnerability(place: Place) -> Panel:
    year = max(path.stem[4:] for path in (place.city / "水务").glob("STLS*.gpkg"))
    path = place.city / "水务" / f"STLS{year}.gpkg"
    total = sum(feature.geometry().area() for feature in vector(path).getFeatures()) / 1e6
    layers = themed(place, filled(path, "#c4452a", "#c4452a", "0.35"))
    said = (
        f"{year} 年动态监测：轻度及以上 {total:.0f} km²，主要在河道岸坡和残丘——是治理对象，不是预防对象。",
        f"Monitoring {year}: {total:.0f} km² eroded, mostly "
        "river banks and the hill: to be treated, not prevention.",
    )
    key = [("#c4452a", "轻度及以上侵蚀 light or more")]
    return Panel("实际流失在哪里：动态监测", "Where the erosion is: monitoring", said, layers, key)


def _delta(place: Place) -> Panel:
    path = place.results / "flatdelta" / "patches.gpkg"
    colours = {"极重要": CLASSES["3"], "重要": CLASSES["2"]}
    area = {"极重要": 0.0, "重要": 0.0}
    for feature in vector(path, "swc_function_important").getFeatures():
        area[feature["ZYXDJ"]] += feature["area_m2"] / 1e6
    said = (
        f"平原河网路径：极重要 {area['极重要']:.0f} km²、重要 "
        f"{area['重要']:.0f} km²——水源地、保护地、湿地、林带岸线，逐块注明规则。",
        f"Delta path: {area['极重要']:.0f} and {area['重要']:.0f} km²: sources, "
        "reserves, wetlands, wooded banks; each patch names its rule.",
    )
    layers = themed(place, by_value(path, "swc_function_important", "ZYXDJ", colours))
    key = [(colour, word) for word, colour in colours.items()]
    return Panel("本规划采用：平原河网路径", "Adopted by the plan: the delta path", said, layers, key)


def cells_km2(path: Path, value: int) -> float:
    """Return the area of the cells of a value."""
    layer = raster(path)
    provider = layer.dataProvider()
    block = provider.block(1, provider.extent(), layer.width(), layer.height())
    cells = bytes(block.data()).count(value)
    return cells * layer.rasterUnitsPerPixelX() * layer.rasterUnitsPerPixelY() / 1e6


def fitted(extent: QgsRectangle, box: QRectF) -> QgsRectangle:
    """Return an extent widened to the shape of a box."""
    wide = max(extent.width(), extent.height() * box.width() / box.height())
    high = wide * box.height() / box.width()
    centre = extent.center()
    return QgsRectangle(
        centre.x() - wide / 2, centre.y() - high / 2, centre.x() + wide / 2, centre.y() + high / 2
    )


def main() -> int:
    """Draw the pictures as asked on the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--city", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    options = parser.parse_args()
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    application = QgsApplication([], True)
    application.initQgis()
    city = options.city.resolve()
    districts = vector(city / "基础/XZQ.gpkg")
    place = Place(city, districts.extent().buffered(1500), districts.crs())
    options.output.mkdir(parents=True, exist_ok=True)
    draw_patches(place, options.output / "evaluation-patches.png")
    draw_methods(place, options.output / "evaluation-methods.png")
    QgsProject.instance().clear()
    print(options.output / "evaluation-patches.png", options.output / "evaluation-methods.png", sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
