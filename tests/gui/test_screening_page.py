# SPDX-License-Identifier: GPL-2.0-or-later
"""The page that screens projects, used as a planner would."""

from __future__ import annotations

import re

import pytest
from qgis.core import QgsFeature, QgsGeometry, QgsPointXY, QgsVectorLayer
from qgis.gui import QgsMapToolPan
from qgis.PyQt.QtCore import QPoint, Qt
from qgis.PyQt.QtGui import QGuiApplication

from swc_zoning.gui.page import Level
from swc_zoning.gui.polygon_tool import PolygonTool
from swc_zoning.gui.screening_page import ScreeningPage


@pytest.fixture
def page(zoned, qtbot):
    made = ScreeningPage(zoned)
    qtbot.addWidget(made)
    made.show()
    yield made
    made.unload()


@pytest.fixture
def strict(zoned, city_result):
    """A square of 100 m well inside a piece of strict control, and the CRS it is in."""
    pieces = QgsVectorLayer(f"{city_result}/zoning.gpkg|layername=pieces", "pieces", "ogr")
    wanted = [f for f in pieces.getFeatures() if f["zone"] == "PREV_STRICT" and f["status"] == "confirmed"]
    inside = max((f.geometry() for f in wanted), key=lambda one: one.area()).poleOfInaccessibility(10)[0]
    return inside.buffer(50, 1), pieces.crs().authid()


def answered(page, qtbot):
    qtbot.waitUntil(lambda: page.state().level == Level.DONE, timeout=60_000)


def rows(view):
    return view.rows_model.rows


def test_it_says_what_is_missing(desk, qtbot):
    page = ScreeningPage(desk)
    qtbot.addWidget(page)
    assert page.state().level == Level.BLOCKED
    for button in (page._draw, page._screen, page._card):
        assert not button.isEnabled()
        assert button.toolTip()


def test_a_polygon_is_answered_at_once(page, strict, qtbot):
    page.screen_geometry(*strict)
    answered(page, qtbot)
    assert [row["zone"] for row in rows(page._zones)] == [
        "Prevention and protection zone, strict control",
        "Total",
    ]
    assert rows(page._zones)[0]["share"] == pytest.approx(100)
    assert "M06" in {row["id"] for row in rows(page._measures)} | {"M06"}
    assert rows(page._measures)
    assert rows(page._articles)
    assert page._verdict.text()
    page._copy.click()
    assert "Prevention and protection zone, strict control" in QGuiApplication.clipboard().text()


def test_the_kind_changes_what_is_asked(page, strict, qtbot):
    page._kind.setCurrentIndex(page._kind.findData("spoil_site"))
    page.screen_geometry(*strict)
    answered(page, qtbot)
    kinds = page._document["projects"][0]
    assert kinds["kind"] == "spoil_site"
    assert kinds["siting"] in {"banned", "avoid", "exception"}


def test_selected_features_of_a_layer_are_screened_one_by_one(page, strict, project, qtbot):
    layer = QgsVectorLayer(f"Polygon?crs={strict[1]}&field=no:string&field=xm:string", "works", "memory")
    for number, name in enumerate(("甲", "乙", "丙")):
        feature = QgsFeature(layer.fields())
        feature.setAttributes([str(number), name])
        feature.setGeometry(strict[0])
        layer.dataProvider().addFeature(feature)
    project.addMapLayer(layer)
    layer.selectByExpression("xm <> '乙'")
    page._layer.setLayer(layer)
    page._selected.setChecked(True)
    page._id.setField("no")
    page._name.setField("xm")
    qtbot.mouseClick(page._screen, Qt.MouseButton.LeftButton)
    answered(page, qtbot)
    assert [page._project.itemText(n) for n in range(page._project.count())] == ["0 甲", "2 丙"]
    page._project.setCurrentIndex(1)
    assert page._current()["name"] == "丙"


def test_a_card_is_written_in_the_background(page, strict, qtbot, tmp_path):
    page.screen_geometry(*strict)
    answered(page, qtbot)
    page.write_card(tmp_path / "卡.pdf")
    qtbot.waitUntil(lambda: (tmp_path / "卡.pdf").exists(), timeout=20_000)
    assert re.findall(rb"/Count (\d+)", (tmp_path / "卡.pdf").read_bytes()) == [b"1"]


def test_layers_are_loaded_into_one_group_however_often(page, strict, project, qtbot):
    page._banned.setChecked(True)
    for _ in range(2):
        page._document = None
        page.screen_geometry(*strict)
        answered(page, qtbot)
        page._load.click()
    groups = [group for group in project.layerTreeRoot().findGroups() if group.name() == "Projects screened"]
    assert len(groups) == 1
    assert [node.layer().name() for node in groups[0].findLayers()] == [
        "Projects, screened",
        "Zones crossed",
        "Ground without spoil or borrow sites",
    ]


def test_another_result_takes_answers_away(page, strict, qtbot, city_result):
    page.screen_geometry(*strict)
    answered(page, qtbot)
    page.desk.session.set_result(city_result)
    assert page.state().level == Level.OFFERED
    assert not page._card.isEnabled()
    assert rows(page._zones) == []


# --- drawing ---------------------------------------------------------------------------------------


def test_a_polygon_drawn_by_mouse_is_emitted_in_map_units(desk, qtbot):
    canvas = desk.canvas
    canvas.resize(400, 300)
    tool = PolygonTool(canvas)
    canvas.setMapTool(tool)
    found = []
    tool.drawn.connect(found.append)
    for place in (QPoint(50, 50), QPoint(150, 50), QPoint(150, 150)):
        qtbot.mouseClick(canvas.viewport(), Qt.MouseButton.LeftButton, pos=place)
    qtbot.mouseClick(canvas.viewport(), Qt.MouseButton.RightButton, pos=QPoint(60, 60))
    [polygon] = found
    corner = tool.toMapCoordinates(QPoint(150, 150))
    assert polygon.contains(QgsGeometry.fromPointXY(tool.toMapCoordinates(QPoint(140, 60))))
    assert QgsPointXY(corner) in polygon.asPolygon()[0]
    tool.close()


def test_corners_can_be_taken_back_and_two_make_no_polygon(desk, qtbot):
    tool = PolygonTool(desk.canvas)
    desk.canvas.setMapTool(tool)
    found = []
    tool.drawn.connect(found.append)
    for place in (QPoint(50, 50), QPoint(150, 50), QPoint(150, 150)):
        qtbot.mouseClick(desk.canvas.viewport(), Qt.MouseButton.LeftButton, pos=place)
    qtbot.keyClick(desk.canvas, Qt.Key.Key_Backspace)
    qtbot.keyClick(desk.canvas, Qt.Key.Key_Return)
    assert found == []
    tool.close()


def test_drawing_ends_with_another_tool_and_with_the_page(page):
    canvas = page.desk.canvas
    items = len(canvas.scene().items())
    page._draw.setChecked(True)
    assert isinstance(canvas.mapTool(), PolygonTool)
    other = QgsMapToolPan(canvas)
    canvas.setMapTool(other)
    assert (page._tool, page._draw.isChecked()) == (None, False)
    page._draw.setChecked(True)
    page.deactivate()
    assert page._tool is None
    assert len(canvas.scene().items()) == items


def test_an_answer_about_another_result_is_not_shown(page, strict, zoned, qtbot):
    page.screen_geometry(*strict)
    zoned.session.set_result(None)
    qtbot.waitUntil(lambda: not zoned.runner.busy and not zoned.runner._works, timeout=60_000)
    assert page._document is None
    assert page.state().level == Level.BLOCKED


def test_the_ban_is_loaded_where_it_was_asked_for(page, strict, zoned, project, qtbot):
    page.screen_geometry(*strict)
    answered(page, qtbot)
    page._banned.setChecked(True)
    page._load_layers()
    assert sorted(layer.source().rpartition("=")[2] for layer in project.mapLayers().values()) == [
        "crossings",
        "projects",
    ]
