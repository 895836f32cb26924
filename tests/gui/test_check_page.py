# SPDX-License-Identifier: GPL-2.0-or-later
"""The page that checks the layers, used as a planner would."""

from __future__ import annotations

import json
import shutil

import pytest
from child import engine
from qgis.core import QgsApplication
from qgis.PyQt.QtCore import Qt
from qgis.PyQt.QtWidgets import QPushButton

from swc_zoning.gui import fixing
from swc_zoning.gui.check_page import CheckPage
from swc_zoning.gui.page import Level


@pytest.fixture(scope="module")
def report(city, tmp_path_factory):
    """What the engine finds in the demo city."""
    path = tmp_path_factory.mktemp("report") / "check.json"
    engine("check", city / "job.json", "--report", path)
    return json.loads(path.read_text(encoding="utf-8"))


@pytest.fixture
def page(desk, city, tmp_path, qtbot):
    desk.session.set_folder(tmp_path / "work")
    desk.session.open_job(city / "job.json")
    made = CheckPage(desk)
    qtbot.addWidget(made)
    made.show()
    return made


def click(qtbot, button):
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def fixes(page):
    column = page._fixes_column
    widgets = [column.itemAt(number).widget() for number in range(column.count())]
    return [one for one in widgets if isinstance(one, QPushButton)]


def choose(page, code):
    number = next(n for n, one in enumerate(page.checked.findings) if one["code"] == code)
    page.tree.select(number)
    return page.checked.findings[number]


def test_without_layers_the_page_says_what_is_missing(desk, qtbot, tmp_path):
    page = CheckPage(desk)
    qtbot.addWidget(page)
    assert page.state().level == Level.BLOCKED
    assert "folder" in page._run.toolTip()
    desk.session.set_folder(tmp_path)
    assert "layer" in page._run.toolTip().lower()


def test_findings_are_shown_by_severity_and_layer(page, report):
    assert page.state().words == "Not checked yet"
    page.take_report(report)
    tops = [page.tree.topLevelItem(n).text(0) for n in range(page.tree.topLevelItemCount())]
    assert [top.split()[0] for top in tops] == ["Warnings", "Notes"]
    warnings = report["counts"]["warning"]
    assert page.state().words == f"0 errors, {warnings} warnings"
    assert page.state().level == Level.DONE
    assert len(page.tree.numbers()) == len(report["findings"])
    assert page._toggles["warning"].text() == str(warnings)


def test_words_and_severities_narrow_what_is_shown(page, report, qtbot):
    page.take_report(report)
    qtbot.keyClicks(page._words, "yjjbnttb encoding")
    shown = [page.checked.findings[number]["code"] for number in page.tree.numbers()]
    assert shown == ["intake.encoding_detected"]
    click(qtbot, page._toggles["info"])
    assert page.tree.numbers() == []


def test_a_finding_shows_its_proof(page, report):
    page.take_report(report)
    finding = choose(page, "intake.encoding_detected")
    text = page.detail.toPlainText()
    assert finding["text"] in text
    for candidate in finding["facts"]["candidates"]:
        assert candidate["encoding"] in text
    assert "declared_by" not in text


def test_a_proved_fix_changes_the_job_and_can_be_undone(page, desk, report, qtbot):
    page.take_report(report)
    finding = choose(page, "intake.encoding_detected")
    entry = finding["fixes"][0]["entry"]
    before = desk.session.job
    assert "encoding" not in before["layers"][entry]
    (button,) = fixes(page)
    assert "proved" in button.text()
    click(qtbot, button)
    assert desk.session.job["layers"][entry]["encoding"] == "GB18030"
    assert page.state().words == "Not checked since the last change"
    assert not fixes(page)[0].isEnabled()
    kept = json.loads((desk.session.folder / "job.json").read_text(encoding="utf-8"))
    assert kept["layers"][entry]["encoding"] == "GB18030"
    click(qtbot, page._undo)
    assert desk.session.job == before
    assert not page._undo.isEnabled()


def test_all_proved_fixes_are_made_at_once(page, desk, report, qtbot):
    page.take_report(report)
    sure = [fix for one in report["findings"] for fix in one["fixes"] if fix["sure"]]
    click(qtbot, page._sure)
    assert sure
    assert all(fixing.is_done(desk.session.job, fix) for fix in sure)
    assert not page._sure.isEnabled()


def test_a_fix_of_a_layer_that_moved_is_not_offered(page, desk, report):
    page.take_report(report)
    job = desk.session.job
    desk.session.set_job({**job, "layers": job["layers"][1:]})
    choose(page, "intake.encoding_detected")
    assert not fixes(page)[0].isEnabled()
    assert "check again" in fixes(page)[0].toolTip()
    assert not page._sure.isEnabled()


def test_another_change_of_the_job_is_not_undone_by_undoing_a_fix(page, desk, report, qtbot):
    page.take_report(report)
    click(qtbot, page._sure)
    assert page._undo.isEnabled()
    desk.session.set_job({**desk.session.job, "title": "x"})
    assert not page._undo.isEnabled()


def test_a_place_is_shown_on_the_map(page, desk, report):
    page.take_report(report)
    finding = choose(page, "intake.duplicate_geometry")
    assert page._zoom_to.isEnabled()
    page.tree.asked.emit(page._number())
    assert report["crs"] == "EPSG:4549"
    desk.canvas.setDestinationCrs(desk.session.project.crs())
    page._zoom_to.click()
    assert desk.canvas.extent().width() > 0
    assert finding["place"]
    choose(page, "intake.crs_across_zones")
    assert "no place" in page._zoom_to.toolTip()


def test_only_what_stops_a_run_can_be_accepted_and_the_reason_is_kept(page, desk, report, monkeypatch, qtbot):
    stopping = {
        **report["findings"][0],
        "code": "versions.two",
        "severity": "error",
        "layer": "YJJBNTTB",
        "fixes": [],
    }
    page.take_report({**report, "findings": [*report["findings"], stopping]})
    assert page.state().level == Level.PROBLEM
    choose(page, "intake.ids_doubled")
    assert not page._accept.isEnabled()
    choose(page, "versions.two")
    monkeypatch.setattr("qgis.PyQt.QtWidgets.QInputDialog.getText", lambda *_: ("both are in force", True))
    click(qtbot, page._accept)
    told = {"code": "versions.two", "layer": "YJJBNTTB", "reason": "both are in force"}
    assert desk.session.job["options"]["accept"] == [told]
    assert "already" in page._accept.toolTip()


def test_what_is_shown_is_written_as_a_table(page, report, tmp_path, monkeypatch, qtbot):
    page.take_report(report)
    qtbot.keyClicks(page._words, "YJJBNTTB")
    target = tmp_path / "f.csv"
    monkeypatch.setattr("qgis.PyQt.QtWidgets.QFileDialog.getSaveFileName", lambda *_: (str(target), ""))
    click(qtbot, page._save)
    lines = target.read_text(encoding="utf-8-sig").splitlines()
    assert len(lines) == len(page.tree.numbers()) + 1
    click(qtbot, page._copy)
    assert QgsApplication.clipboard().text().count("YJJBNTTB") >= len(lines) - 1


def test_a_closed_project_leaves_nothing_shown(page, desk, report, project):
    page.take_report(report)
    project.clear()
    assert page.checked is None
    assert page.tree.topLevelItemCount() == 0


def test_a_check_runs_the_engine_and_a_missing_source_is_an_error(page, desk, city, qtbot, tmp_path):
    if QgsApplication.processingRegistry().algorithmById("swc_zoning:checkinputs") is None:
        pytest.skip("this provider has no checkinputs")
    copy = shutil.copytree(city, tmp_path / "city")
    desk.session.open_job(copy / "job.json")
    click(qtbot, page._run)
    qtbot.waitUntil(lambda: page.checked is not None, timeout=60_000)
    assert desk.session.findings
    assert page.state().level == Level.DONE
    shutil.rmtree(copy / "水务")
    click(qtbot, page._run)
    qtbot.waitUntil(lambda: page.state().level == Level.PROBLEM, timeout=60_000)
    assert page.tree.topLevelItem(0).isExpanded()
