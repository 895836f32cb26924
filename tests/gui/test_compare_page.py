# SPDX-License-Identifier: GPL-2.0-or-later
"""The page that compares two results, used as a planner would."""

from __future__ import annotations

import json
import shutil

import pytest
from child import engine
from qgis.core import QgsRectangle
from qgis.gui import QgsMapToolPan
from qgis.PyQt.QtCore import QEvent, QPointF, Qt
from qgis.PyQt.QtGui import QColor, QGuiApplication, QImage, QMouseEvent, QPainter

from swc_zoning.gui.compare_page import ComparePage
from swc_zoning.gui.page import Level


@pytest.fixture(scope="session")
def newer_result(city, city_result):
    """The demo city zoned anew by an edited table: parks are only generally protected."""
    work = city.parent / "newer"
    work.mkdir()
    shutil.copytree(city, work / "city")
    job = json.loads((work / "city/job.json").read_text(encoding="utf-8"))
    summary = json.loads((city_result / "summary.json").read_text(encoding="utf-8"))
    assert summary["rules"]["profile"] == "shanghai"
    engine("sheet", "--output", work / "rules.json")
    table = json.loads((work / "rules.json").read_text(encoding="utf-8"))
    for rule in table["rules"]:
        if rule["id"] == "R05":
            rule["zone"] = "PREV_GENERAL"
    (work / "rules.json").write_text(json.dumps(table), encoding="utf-8")
    job["rules"] = str(work / "rules.json")
    (work / "city/job.json").write_text(json.dumps(job), encoding="utf-8")
    engine("run", work / "city/job.json", "--output", work / "result-2")
    return work / "result-2"


@pytest.fixture
def page(zoned, qtbot):
    made = ComparePage(zoned)
    qtbot.addWidget(made)
    made.show()
    yield made
    made.unload()


@pytest.fixture
def compared(page, city_result, newer_result, qtbot):
    page.choose(city_result, newer_result)
    qtbot.mouseClick(page._run, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: page.state().level == Level.DONE, timeout=60_000)
    return page


def test_it_says_what_is_missing(page, city_result):
    assert page.state().level == Level.BLOCKED
    assert not page._run.isEnabled()
    assert "result" in page._run.toolTip()
    page.choose(city_result, city_result)
    assert "different" in page._run.toolTip()
    assert "first" in page._swipe_button.toolTip()


def test_the_matrix_closes_to_both_results(compared, city_result, newer_result):
    rows = compared._table.rows_model.rows
    assert rows[-1]["bold"]
    for folder, sums in (
        (city_result, {row["title"]: row["sum"] for row in rows[:-1]}),
        (newer_result, {c.title: rows[-1][c.of] for c in compared._table.rows_model.columns[1:-1]}),
    ):
        summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
        for zone in summary["by_zone"]:
            title = zone["name_en"] + (" (pending)" if zone["status"] == "pending" else "")
            assert sums[title] == pytest.approx(zone["area_m2"] / 1e4, abs=1e-7)


def test_the_matrix_of_a_district_can_be_seen_copied_and_saved(compared, tmp_path, monkeypatch):
    whole = compared._table.rows_model.rows[-1]["sum"]
    compared._scope.setCurrentIndex(1)
    assert compared._table.rows_model.rows[-1]["sum"] < whole
    compared._copy.click()
    assert QGuiApplication.clipboard().text().startswith("Before")
    monkeypatch.setattr(
        "swc_zoning.gui.compare_page.QFileDialog.getSaveFileName", lambda *_: (str(tmp_path / "m.csv"), "")
    )
    compared._save.click()
    assert (tmp_path / "m.csv").read_bytes().startswith(b"\xef\xbb\xbf")


def test_the_changed_ground_is_loaded_once_and_says_why(compared, project):
    compared._show.click()
    [layer] = [one for one in project.mapLayers().values() if "layername=changes" in one.source()]
    assert {feature["cause"] for feature in layer.getFeatures()} == {"rule"}
    assert "different decision tables" in compared._headline.text()


def test_swiping_shows_the_older_left_and_the_newer_right(compared, qtbot):
    canvas = compared.desk.canvas
    canvas.resize(400, 300)
    compared._swipe_button.setChecked(True)
    swipe = compared._swipe
    qtbot.waitUntil(lambda: all(image is not None for image in swipe.images), timeout=20_000)
    swipe.tool.canvasMoveEvent(
        QMouseEvent(
            QEvent.Type.MouseMove,
            QPointF(100, 50),
            Qt.MouseButton.NoButton,
            Qt.MouseButton.NoButton,
            Qt.KeyboardModifier.NoModifier,
        )
    )
    assert swipe.position == 100
    size = swipe._item.boundingRect().size().toSize()
    for side, colour in ((0, "#ff0000"), (1, "#0000ff")):
        plain = QImage(size, QImage.Format.Format_RGB32)
        plain.fill(QColor(colour))
        swipe._item.take(side, plain)
    seen = QImage(size, QImage.Format.Format_RGB32)
    painter = QPainter(seen)
    swipe._item.paint(painter)
    painter.end()
    assert seen.pixelColor(60, 200) == QColor("#ff0000")
    assert seen.pixelColor(140, 200) == QColor("#0000ff")


def test_swiping_ends_with_the_button_with_another_tool_and_with_the_page(compared, qtbot):
    canvas = compared.desk.canvas
    items = len(canvas.scene().items())
    compared._swipe_button.setChecked(True)
    assert canvas.mapTool() is compared._swipe.tool
    compared._swipe_button.setChecked(False)
    assert compared._swipe is None
    compared._swipe_button.setChecked(True)
    other = QgsMapToolPan(canvas)
    canvas.setMapTool(other)
    assert (compared._swipe, compared._swipe_button.isChecked()) == (None, False)
    assert canvas.mapTool() is other
    compared._swipe_button.setChecked(True)
    compared.deactivate()
    assert compared._swipe is None
    assert len(canvas.scene().items()) == items


def test_the_pictures_follow_the_map(compared, qtbot):
    compared._swipe_button.setChecked(True)
    swipe = compared._swipe
    qtbot.waitUntil(lambda: all(image is not None for image in swipe.images), timeout=20_000)
    before = swipe.images[0]
    box = QgsRectangle(compared.desk.canvas.extent())
    box.scale(0.5)
    compared.desk.canvas.setExtent(box)
    swipe.draw()
    qtbot.waitUntil(lambda: swipe.images[0] is not before, timeout=20_000)


def test_the_swipe_is_of_the_results_that_were_compared(page, city_result, newer_result, qtbot):
    page.choose(city_result, newer_result)
    page.run()
    page.choose(newer_result, city_result)
    qtbot.waitUntil(lambda: page.state().level == Level.DONE, timeout=60_000)
    assert page._compared == (city_result, newer_result)


def test_another_project_knows_nothing_of_a_comparison(compared, project):
    compared._swipe_button.setChecked(True)
    project.clear()
    assert compared._swipe is None
    assert compared.state().level == Level.BLOCKED
    assert compared._table.rows_model.rows == []
    assert compared._headline.text() == ""
