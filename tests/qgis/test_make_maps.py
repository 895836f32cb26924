# SPDX-License-Identifier: GPL-2.0-or-later
"""Map sheets: what stands on them, what does not, and that nothing is left of a cancelled run."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import zlib

import layers
import pytest
from qgis.core import (
    QgsLayoutItemLabel,
    QgsLayoutItemLegend,
    QgsMapRendererSequentialJob,
    QgsMapSettings,
    QgsProcessingContext,
    QgsProcessingFeedback,
    QgsProject,
    QgsRectangle,
)
from qgis.PyQt.QtCore import QSize
from qgis.PyQt.QtGui import QColor, QImage
from qgis.PyQt.QtXml import QDomDocument

from swc_zoning.engine.chapter import plans
from swc_zoning.engine.styles import Swatch, palette, sheet_qml
from swc_zoning.engine.submission import order as orders
from swc_zoning.paths import resource
from swc_zoning.qgis_bridge import map_page, map_sheets, styling
from swc_zoning.qgis_bridge.feedback import PartListener
from swc_zoning.qgis_bridge.map_layers import Stock

LONG = "特大型国际综合交通枢纽与临港经济技术开发区联合管理委员会直属片区（含围垦新增陆域）"
ORDER = {
    "stage": "consultation",
    "name": "演示市",
    "code": "990100",
    "compiler": "演示市规划和自然资源局",
    "plan_name": "演示市国土空间总体规划（2021—2035年）",
}
SHEETS = {sheet.id: sheet for sheet in plans.sheets()}


@pytest.fixture(scope="module")
def made(tmp_path_factory, qgis_app):
    """A result of two districts with three layers, and the files that sheets are drawn from."""
    import processing

    from swc_zoning.plugin import SwcZoningPlugin
    from swc_zoning.processing_algs.base import call_engine

    folder = tmp_path_factory.mktemp("图件 maps")
    plugin = SwcZoningPlugin(None)
    plugin.initProcessing()
    named = [{"XZQDM": "990101", "XZQMC": "甲区"}, {"XZQDM": "990102", "XZQMC": LONG}]
    drawn = {
        "EXTENT": ("xzq", [(0, 0, 1000), (1000, 0, 1000)], named),
        "PERMANENT_BASIC_FARMLAND": ("nt", [(100, 100, 200), (900, 500, 3)], [{"TBBH": "1"}, {"TBBH": "2"}]),
        "ECOLOGICAL_REDLINE": ("hx", [(600, 600, 300)], [{"HXBM": "1", "HXLX": "水源涵养"}]),
        "DRINKING_WATER_SOURCE": ("sy", [(650, 650, 100)], [{"SYDMC": LONG, "BHQJB": "一级"}]),
    }
    given = {key: layers.geojson(folder / f"{row[0]}.geojson", *row[1:]) for key, row in drawn.items()}
    processing.run("swc_zoning:delineatezones", {**given, "OUTPUT": str(folder / "result")})
    command = ["mapdata", str(folder / "result"), "--output", str(folder / "maps.gpkg")]
    files = call_engine(command, QgsProcessingFeedback())
    plugin.unload()
    return folder / "result", map_sheets.Data(files["mapdata"], files["legends"])


def papers(result, order=ORDER, lang="zh", public=False):
    return plans.papers(result, orders.load(order) if order else None, lang, public)


def make(made, folder, sheets=("06",), districts=False, feedback=None, **options):
    result, data = made
    paper = papers(result, **{key: options.pop(key) for key in ("order", "lang", "public") if key in options})
    named = paper.districts if districts else ()
    wanted = map_sheets.Wanted([SHEETS[one] for one in sheets], named, **{"dpi": 72, **options})
    return map_sheets.make(
        data, paper, wanted, folder, PartListener(feedback or QgsProcessingFeedback(), 0, 1)
    )


def signs(pdf):
    """Return every sign that text of a PDF can be searched by: the values of its ToUnicode maps."""
    found = set()
    for stream in re.findall(rb"stream\r?\n(.*?)\r?\nendstream", pdf.read_bytes(), re.S):
        try:
            text = zlib.decompress(stream)
        except zlib.error:
            continue
        if b"beginbfchar" in text or b"beginbfrange" in text:
            found |= {bytes.fromhex(code.decode()).decode("utf-16-be") for code in _targets(text)}
    return found


def _targets(cmap):
    for part in re.findall(rb"beginbfchar(.*?)endbfchar", cmap, re.S):
        yield from re.findall(rb"<[0-9A-Fa-f]+>\s*<([0-9A-Fa-f]+)>", part)
    for part in re.findall(rb"beginbfrange(.*?)endbfrange", cmap, re.S):
        for row in re.findall(rb"\[([^\]]*)\]", part):
            yield from re.findall(rb"<([0-9A-Fa-f]+)>", row)
        yield from re.findall(rb"<[0-9A-Fa-f]+>\s*<[0-9A-Fa-f]+>\s*<([0-9A-Fa-f]+)>", part)


def text(pdf):
    if not shutil.which("pdftotext"):
        pytest.skip("pdftotext is not here")
    done = subprocess.run(["pdftotext", "-raw", str(pdf), "-"], capture_output=True, check=True)
    return re.sub(r"\s", "", done.stdout.decode("utf-8"))


# --- files -----------------------------------------------------------------------------------------


def test_a_pdf_has_its_fonts_in_it_and_can_be_searched(made, tmp_path):
    [pdf] = make(made, tmp_path / "图", formats=("pdf",), sheets=("01",))
    assert pdf.name == "990100演示市01区位与行政区划图.pdf"
    assert b"FontFile" in pdf.read_bytes()
    assert set("演示市区位与行政区划图征求意见稿编制单位") <= signs(pdf)


def test_everything_that_was_said_is_in_the_text_of_a_sheet(made, tmp_path):
    found = text(make(made, tmp_path, formats=("pdf",))[0])
    for said in (
        "演示市水土保持空间管控分区图",
        ORDER["plan_name"],
        ORDER["compiler"],
        "密级：",
        "审图号：",
        "图例",
    ):
        assert said in found, said
    assert "农田保土管控区4." in found
    assert "未提供，待补充：城镇开发边界、" in found
    assert "（EPSG:4549）" in found


def test_pictures_have_the_resolution_asked_for(made, tmp_path):
    jpg, png, _ = make(made, tmp_path, formats=("jpg", "png"), dpi=150)
    for path in (jpg, png):
        picture = QImage(str(path))
        assert picture.width() == pytest.approx(420 / 25.4 * 150, abs=2)
        assert picture.dotsPerMeterX() == pytest.approx(150 / 0.0254, abs=1)


def test_small_patches_are_counted_and_listed(made, tmp_path):
    *_, listed = make(made, tmp_path)
    assert listed.name == "990100演示市06水土保持空间管控分区图_小图斑.csv"
    head, row = listed.read_text(encoding="utf-8-sig").splitlines()
    assert head.split(",")[0] == "图例类别"
    name, district, _, area = row.split(",")
    assert (name, district) == ("农田保土管控区", "甲区")
    assert float(area) == pytest.approx(9, rel=0.01)


def test_what_is_too_small_is_a_dot_on_sheets_that_would_be_empty_without(made):
    looks = [Swatch("light", "light", palette()["themes"]["soil_erosion:light"])]
    layer = layers.memory(
        "eroded",
        [(0, 0, 10), (500, 500, 400)],
        "&field=tier:string&field=area_m2:double",
        [["light", 100.0], ["light", 160000.0]],
    )
    styling.apply(layer, sheet_qml("tier", looks, dots=True))
    assert {SHEETS["05"].themes[0].dots, SHEETS["02"].themes[0].dots} == {True, False}
    assert _painted(layer, 5, 5) > 40
    styling.apply(layer, sheet_qml("tier", looks))
    assert _painted(layer, 5, 5) <= 4


def _painted(layer, east, north):
    """Return how many dots round a place are not white at 1:100,000 and 150 dots per inch."""
    settings = QgsMapSettings()
    settings.setLayers([layer])
    settings.setDestinationCrs(layer.crs())
    settings.setOutputDpi(150)
    settings.setOutputSize(QSize(60, 60))
    half = 30 * 0.0254 / 150 * 100_000
    e, n = layers.EAST + east, layers.NORTH + north
    settings.setExtent(QgsRectangle(e - half, n - half, e + half, n + half))
    settings.setBackgroundColor(QColor("white"))
    job = QgsMapRendererSequentialJob(settings)
    job.start()
    job.waitForFinished()
    picture = job.renderedImage()
    near = [(x, y) for x in range(25, 36) for y in range(25, 36)]
    return sum(picture.pixelColor(*place).lightness() < 240 for place in near)


def test_nothing_of_the_users_project_is_touched(made, tmp_path, qgis_new_project):
    project = QgsProject.instance()
    make(made, tmp_path, formats=("png",))
    assert (project.mapLayers(), project.isDirty()) == ({}, False)


def test_a_cancelled_run_leaves_nothing_and_what_was_there(made, tmp_path):
    class Impatient(QgsProcessingFeedback):
        def setProgressText(self, said):
            self.seen = [*getattr(self, "seen", []), said]
            if len(self.seen) == 3:
                self.cancel()

    target = tmp_path / "sheets"
    target.mkdir()
    (target / "990100演示市01区位与行政区划图.png").write_bytes(b"older")
    with pytest.raises(map_sheets.Cancelled):
        make(made, target, ("01", "02", "03", "04"), feedback=Impatient(), formats=("png",))
    assert [path.name for path in target.iterdir()] == ["990100演示市01区位与行政区划图.png"]
    assert next(target.iterdir()).read_bytes() == b"older"


# --- what stands on a sheet ------------------------------------------------------------------------


class Seen:
    """A sheet as it was before it was written."""

    def __init__(self, made, sheet, district=None, layout=None, **options):
        result, data = made
        self.paper = papers(result, **options)
        self.project = QgsProject()
        wanted = map_sheets.Wanted([SHEETS[sheet]], layouts=layout)
        press = map_sheets._Press(data, self.paper, wanted, self.project)
        one = next((one for one in self.paper.districts if one.code == district), None)
        self.page = press.filled(SHEETS[sheet], one, "x")[0]

    def item(self, item_id):
        return self.page.layout.itemById(item_id)

    def said(self, item_id):
        return self.item(item_id).text()

    def legend(self):
        model = self.item("legend").model()
        rows = []
        for node in model.rootGroup().findLayers():
            rows.append(node.name())
            rows += [one.data(0) for one in model.layerLegendNodes(node)]
        return rows


ITEMS = {
    *("title", "plan", "sheet_no", "stage", "mark", "secrecy", "review", "compiler", "date", "legend_title"),
    *("data_date", "basis", "missing", "absent", "scale_text", "crs", "small"),
}


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("sheet", list(SHEETS))
def test_every_label_of_the_template_is_filled_and_fits_its_box(made, sheet, lang):
    seen = Seen(made, sheet, lang=lang)
    labels = [one for one in seen.page.layout.items() if isinstance(one, QgsLayoutItemLabel)]
    assert {one.id() for one in labels} == ITEMS
    for label in labels:
        assert label.text() != label.id()
        assert label.isVisible() == bool(label.text())
        room = map_page._height(label, map_page.compat.label_size(label)) * len(label.text().split("\n"))
        assert room <= label.rect().height() + 0.01, label.id()
        size = map_page.compat.label_size(label)
        assert map_page._widest(label.text().split("\n"), label, size) <= label.rect().width(), label.id()


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("sheet", list(SHEETS))
def test_a_legend_fits_its_box(made, sheet, lang):
    seen = Seen(made, sheet, lang=lang)
    legend = seen.item("legend")
    needed = map_page._needed(legend)
    assert needed.width() <= legend.rect().width()
    assert needed.height() <= legend.rect().height()


def test_a_legend_has_every_zone_that_is_drawn_with_its_hectares_and_no_other(made):
    rows = Seen(made, "06").legend()
    zones = [row for row in rows if "管控区" in row]
    numbers = [float(row.split("　")[1]) for row in zones if "　" in row]
    summary = json.loads((made[0] / "summary.json").read_text(encoding="utf-8"))
    assert {row.split("　")[0] for row in zones if "　" in row} == {
        row["name_zh"] for row in summary["by_zone"]
    }
    assert sum(numbers) == pytest.approx(summary["total"]["area_m2"] / 1e4, abs=0.02)


def test_a_sheet_of_a_district_has_its_own_zones_scale_and_neighbours(made):
    seen = Seen(made, "06", "990102")
    assert seen.said("title").replace("\n", "") == f"{LONG}水土保持空间管控分区图"
    assert [row.split("　")[0] for row in seen.legend() if "　" in row] == ["一般管控区"]
    assert "相邻行政区（不属本图范围）" in seen.legend()
    extent = seen.page.map.extent()
    assert extent.contains(layers_box(1000, 0, 1000))
    assert seen.page.map.scale() < Seen(made, "06").page.map.scale()


def layers_box(east, north, side):
    e, n = layers.EAST + east, layers.NORTH + north
    return QgsRectangle(e, n, e + side, n + side)


def test_neighbours_outside_the_plan_are_named_where_a_layer_of_them_is_given(made, tmp_path):
    around = layers.memory(
        "around", [(-900, 0, 900), (0, 1000, 2000)], "&field=mc:string", [["邻县"], ["他市"]]
    )
    result, data = made
    known = map_sheets.Data(data.themes, data.legends, around, "mc")
    pdf, *_ = make((result, known), tmp_path, formats=("pdf",))
    assert set("邻县他市") <= signs(pdf)
    assert around.labeling() is None
    seen = Seen((result, known), "06")
    assert "相邻行政区（不属本图范围）" in seen.legend()
    assert "相邻行政区（不属本图范围）" not in Seen(made, "06").legend()


def test_a_sheet_without_its_layer_says_so_on_the_map(made):
    seen = Seen(made, "05")
    assert seen.said("absent") == "未提供，待补充"
    assert seen.said("missing") == "未提供，待补充：土壤侵蚀强度"
    assert Seen(made, "02").said("missing") == "未提供，待补充：城镇开发边界"


def test_the_mark_goes_when_the_plan_is_approved(made):
    assert Seen(made, "06").said("mark") == "征求意见稿"
    approved = {
        **ORDER,
        **{"stage": "approved", "secrecy": "内部", "review_no": "示001", "approval_no": "示002"},
        **{"approval_date": "20260101", "consultation_no": "示003", "consultation_date": "20251201"},
    }
    seen = Seen(made, "06", order=approved)
    assert not seen.item("mark").isVisible()
    assert seen.said("secrecy") == "密级：内部"


def test_the_mark_is_light_enough_to_read_what_lies_below(made, tmp_path):
    with_mark, without = tmp_path / "with", tmp_path / "without"

    def unmarked(written):
        return written.replace('id="mark"', 'id="m"').replace('labelText="mark"', 'labelText=" "')

    own = own_template(tmp_path / "own", "06.qpt", unmarked)
    one, *_ = make(made, with_mark, formats=("png",))
    other, *_ = make(made, without, formats=("png",), layouts=own)
    pictures = [QImage(str(path)) for path in (one, other)]
    differing = 0
    for y in range(120, 750, 3):
        for x in range(60, 820, 3):
            colours = [picture.pixelColor(x, y) for picture in pictures]
            if colours[0] != colours[1]:
                differing += 1
                assert abs(colours[0].lightness() - colours[1].lightness()) < 60
    assert differing > 100


def test_slots_stay_empty_where_nobody_said_anything(made):
    seen = Seen(made, "06", order=None)
    for item in ("secrecy", "review", "compiler", "date"):
        assert seen.said(item).endswith("＿＿＿＿＿＿")
    assert not seen.item("plan").isVisible()


def test_the_public_edition_has_neither_graticule_nor_coordinates(made, tmp_path):
    def grids(page):
        return [page.map.grids().grid(n).enabled() for n in range(page.map.grids().size())]

    assert grids(Seen(made, "06").page) == [True]
    assert grids(Seen(made, "06", public=True).page) == [False]
    pdf, listed = make(made, tmp_path, formats=("pdf",), public=True)
    assert not re.search(r"\d+°\d+|\d′|\d'", text(pdf))
    assert "公开版" in text(pdf)
    assert "GEO" not in pdf.read_bytes().decode("latin-1").partition("%%EOF")[0].split("stream")[0]
    assert not re.search(
        r"6\d{5}|34\d{5}", listed.read_text(encoding="utf-8-sig").replace(",", " ").split("\n")[0]
    )
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".csv", ".pdf"]


def test_the_public_edition_leaves_out_what_is_not_public(made, tmp_path):
    result, data = made
    told = json.loads(data.legends.read_text(encoding="utf-8"))
    told["sensitive"] = ["ecological_redline"]
    secret = tmp_path / "legends.json"
    secret.write_text(json.dumps(told), encoding="utf-8")
    known = map_sheets.Data(data.themes, secret)
    seen = Seen((result, known), "02", public=True)
    assert "数据不公开，公开版不绘：生态保护红线" in seen.said("missing").replace("\n", "")
    assert not [row for row in seen.legend() if "红线" in row]
    assert [row for row in seen.legend() if "永久基本农田" in row]
    assert [row for row in Seen((result, known), "02").legend() if "红线" in row]


def test_the_scale_bar_is_as_long_as_it_says(made):
    seen = Seen(made, "06")
    bar, item = seen.item("scale_bar"), seen.page.map
    assert f"{round(item.scale()):,}" in seen.said("scale_text")
    ground = bar.unitsPerSegment() * bar.numberOfSegments() * (1000 if bar.unitLabel() == "km" else 1)
    paper = ground / item.scale() * 1000
    assert paper < bar.rect().width() < paper + 20


# --- templates of a user ---------------------------------------------------------------------------


def own_template(folder, name, change):
    document = QDomDocument()
    document.setContent(resource("layouts", map_sheets.LAYOUT).read_text(encoding="utf-8"))
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(change(document.toString()), encoding="utf-8")
    return folder


def test_a_template_of_the_user_is_taken_and_may_lack_items(made, tmp_path):
    def smaller(written):
        return written.replace('id="small"', 'id="mine"').replace('id="legend"', 'id="other"')

    own = own_template(tmp_path / "own", "06.qpt", smaller)
    seen = Seen(made, "06", layout=own)
    assert seen.item("small") is None
    assert seen.said("mine") == "small"
    assert isinstance(Seen(made, "02", layout=own).item("legend"), QgsLayoutItemLegend)


def test_what_is_no_template_is_refused(made, tmp_path):
    own = own_template(tmp_path / "own", "default.qpt", lambda written: written.replace('id="map"', 'id="x"'))
    with pytest.raises(map_sheets.SwcError) as refused:
        make(made, tmp_path / "sheets", layouts=own)
    assert refused.value.code == "maps.template"
    assert not (tmp_path / "sheets").exists()


# --- the algorithm ---------------------------------------------------------------------------------


def test_the_algorithm_makes_sheets_of_the_city_and_of_each_district(made, tmp_path, provider):
    settings = tmp_path / "order.json"
    settings.write_text(json.dumps(ORDER), encoding="utf-8")
    given = {"RESULT": str(made[0]), "SHEETS": [0], "DISTRICTS": True, "SETTINGS": str(settings), "DPI": 72}
    given |= {"FORMATS": [2], "LANG": 0, "OUTPUT": str(tmp_path / "out")}
    algorithm = provider.algorithm("makemaps").create()
    results, ok = algorithm.run(given, QgsProcessingContext(), QgsProcessingFeedback())
    assert ok
    found = sorted(path.name for path in (tmp_path / "out").iterdir() if path.suffix == ".png")
    assert found[0] == "990100演示市01区位与行政区划图.png"
    assert len(found) == 3
    assert found[1] == "990101甲区06水土保持空间管控分区图.png"
    assert results["OUTPUT"] == str(tmp_path / "out")


def test_layers_are_opened_once_for_all_sheets(made):
    project = QgsProject()
    stock = Stock(made[1].themes, papers(made[0]), project)
    first = stock.drawn(SHEETS["06"]).layers
    count = len(project.mapLayers())
    assert [layer.id() for layer in stock.drawn(SHEETS["06"]).layers] == [layer.id() for layer in first]
    assert len(project.mapLayers()) == count
