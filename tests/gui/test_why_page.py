# SPDX-License-Identifier: GPL-2.0-or-later
"""The page that explains a piece, with real clicks on a real map."""

from __future__ import annotations

import pytest
from qgis.core import QgsCoordinateReferenceSystem, QgsPointXY, QgsRectangle
from qgis.PyQt.QtCore import QPoint, Qt
from qgis.PyQt.QtGui import QGuiApplication

from swc_zoning.engine.geopackage import opened
from swc_zoning.gui.page import Level
from swc_zoning.gui.why_page import WhyPage
from swc_zoning.qgis_bridge import results


@pytest.fixture
def page(zoned, qtbot):
    made = WhyPage(zoned)
    qtbot.addWidget(made)
    made.show()
    canvas = zoned.canvas
    canvas.setDestinationCrs(QgsCoordinateReferenceSystem(zoned.session.result.summary["crs"]))
    canvas.resize(400, 400)
    yield made
    made.unload()


def a_piece(folder, zone):
    """Return (id, point inside) of the largest piece of a zone."""
    with opened(folder / "zoning.gpkg") as connection:
        ask = "SELECT fid, piece_id FROM pieces WHERE zone = ? ORDER BY area_m2 DESC"
        row = connection.execute(ask, (zone,)).fetchone()
    feature = results.open_layer(folder / "zoning.gpkg", "pieces").getFeature(row["fid"])
    return row["piece_id"], feature.geometry().pointOnSurface().asPoint()


def click(page, qtbot, point):
    canvas = page.desk.canvas
    half = 500
    canvas.setExtent(QgsRectangle(point.x() - half, point.y() - half, point.x() + half, point.y() + half))
    place = canvas.getCoordinateTransform().transform(QgsPointXY(point))
    where = QPoint(round(place.x()), round(place.y()))
    qtbot.mouseClick(canvas.viewport(), Qt.MouseButton.LeftButton, pos=where)


def test_without_a_result_every_button_says_why(desk, qtbot):
    page = WhyPage(desk)
    qtbot.addWidget(page)
    assert page.state().level == Level.BLOCKED
    for button in (page._pick, page._zoom, page._copy, page._card):
        assert not button.isEnabled()
        assert "result" in button.toolTip()
    page.unload()


def test_a_click_on_the_map_explains_the_piece_there(page, qtbot, city_result):
    piece, point = a_piece(city_result, "PROHIBIT")
    page.activate()
    click(page, qtbot, point)
    qtbot.waitUntil(lambda: page._list.count() == 1, timeout=10_000)
    told = page._shown()[0]
    assert told.piece_id == piece
    text = page._text.toPlainText()
    assert "Prohibited-activity control zone" in text
    for row in told.sources:
        assert row["source_id"] in text
    assert page.state().level == Level.DONE
    assert page._band is not None


def test_a_click_beside_the_city_says_so(page, qtbot):
    page.activate()
    with qtbot.waitSignal(page.desk.iface.messageBar().widgetAdded, timeout=10_000, raising=False):
        click(page, qtbot, QgsPointXY(0, 0))
    qtbot.wait(300)
    assert page._list.count() == 0
    assert page.state().level == Level.OFFERED


def test_a_piece_of_an_important_area_says_by_what_method_and_rule(page, qtbot, evaluated_result):
    page.desk.session.set_result(evaluated_result)
    with opened(evaluated_result / "zoning.gpkg") as connection:
        ask = "SELECT piece_id FROM piece_sources WHERE role = 'swc_function_important' LIMIT 1"
        piece = connection.execute(ask).fetchone()["piece_id"]
    page.ask(piece)
    qtbot.waitUntil(lambda: page._shown() is not None, timeout=10_000)
    text = page._text.toPlainText()
    assert "How it was evaluated" in text
    assert "method Rules for flat land; rule " in text
    assert "does not discriminate" in text
    assert "were not seen in the text of the standard" in text


def test_pieces_looked_at_are_kept_and_gone_through(page, qtbot, city_result):
    first, _ = a_piece(city_result, "PROHIBIT")
    second, _ = a_piece(city_result, "GENERAL")
    for count, piece in enumerate((first, second), 1):
        page._id.setText(piece)
        qtbot.keyClick(page._id, Qt.Key.Key_Return)
        qtbot.waitUntil(lambda n=count: page._list.count() == n, timeout=10_000)
    assert page._shown()[0].piece_id == second
    assert not page._next.isEnabled()
    qtbot.mouseClick(page._back, Qt.MouseButton.LeftButton)
    assert page._shown()[0].piece_id == first
    page._copy_text()
    assert first in QGuiApplication.clipboard().text()
    page._zoom_to()
    assert page.desk.canvas.extent().contains(QgsRectangle(*page._shown()[0].box))


def test_an_unknown_id_is_an_error_in_words(page, qtbot):
    said = []
    page.desk.say_error = lambda error: said.append(error.code)
    page.ask("no such piece")
    qtbot.waitUntil(lambda: said == ["explain.no_piece"], timeout=10_000)


def test_the_card_is_a_pdf(page, qtbot, city_result, tmp_path):
    piece, _ = a_piece(city_result, "PROHIBIT")
    page.ask(piece)
    qtbot.waitUntil(lambda: page._list.count() == 1, timeout=10_000)
    path = tmp_path / "图斑说明卡.pdf"
    page.write_card(path)
    qtbot.waitUntil(path.exists, timeout=20_000)
    assert path.read_bytes().startswith(b"%PDF")


def test_the_map_is_given_back_as_it_was(page, qtbot, city_result):
    from qgis.gui import QgsMapToolPan

    canvas = page.desk.canvas
    pan = QgsMapToolPan(canvas)
    canvas.setMapTool(pan)
    items = len(canvas.scene().items())
    page.activate()
    assert canvas.mapTool() is page._tool
    page.ask(a_piece(city_result, "PROHIBIT")[0])
    qtbot.waitUntil(lambda: page._band is not None, timeout=10_000)
    page.deactivate()
    assert canvas.mapTool() is pan
    assert len(canvas.scene().items()) == items


def test_another_result_forgets_the_pieces_of_the_last(page, qtbot, city_result):
    page.ask(a_piece(city_result, "PROHIBIT")[0])
    qtbot.waitUntil(lambda: page._list.count() == 1, timeout=10_000)
    page.desk.session.set_result(None)
    assert page._list.count() == 0
    assert page._text.toPlainText() == ""
    assert page._band is None


def test_a_changed_table_is_said_and_the_result_keeps_its_own_words(page, qtbot, city_result):
    session = page.desk.session
    page.ask(a_piece(city_result, "PROHIBIT")[0])
    qtbot.waitUntil(lambda: page._list.count() == 1, timeout=10_000)
    session.set_rules(session.table().document)
    assert page._note.isVisible()
    assert "changed" in page._note.text()
