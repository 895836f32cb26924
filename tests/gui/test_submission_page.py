# SPDX-License-Identifier: GPL-2.0-or-later
"""The page of the submission, used as a planner would."""

from __future__ import annotations

import json
import shutil

import pytest
from child import engine

from swc_zoning.engine.submission.order import Acceptance
from swc_zoning.gui.page import Level
from swc_zoning.gui.submission_page import SubmissionPage


@pytest.fixture(scope="session")
def merged_result(city):
    """The demo city zoned with slivers merged where they may be. Tests must not change it."""
    work = shutil.copytree(city, city.parent / "merging")
    job = json.loads((work / "job.json").read_text(encoding="utf-8"))
    job.setdefault("options", {})["slivers"] = {"merge": "all"}
    (work / "job.json").write_text(json.dumps(job), encoding="utf-8")
    engine("run", work / "job.json", "--output", city.parent / "merged")
    return city.parent / "merged"


@pytest.fixture(scope="session")
def package(merged_result):
    """A package of the demo city, with one format. Tests must not change it."""
    order = {"compiler": "示范单位", "code": "990100", "name": "澄中市", "formats": ["gdb"], "public": False}
    path = merged_result.parent / "order.json"
    path.write_text(json.dumps({**order, "date": "20260101"}), encoding="utf-8")
    folder = merged_result.parent / "packages"
    engine("export", merged_result, "--output", folder, "--settings", path)
    return folder / "990100澄中市水土保持空间管控成果_20260101"


@pytest.fixture
def page(zoned, qtbot):
    made = SubmissionPage(zoned)
    qtbot.addWidget(made)
    made.show()
    yield made
    made.unload()


def words(page):
    return {matter.title: matter for matter in page._checklist.matters}


def test_without_a_result_it_says_so_and_leads_to_the_zoning(page):
    page.desk.session.set_result(None)
    assert page.state().level == Level.BLOCKED
    assert not page._export.isEnabled()
    assert "Zone" in page._export.toolTip()
    assert words(page)["Result"].blocks
    assert page._check.isEnabled()


def test_what_the_stage_requires_blocks_until_it_is_filled_in(page):
    assert "compiler" in words(page)["Required"].words
    assert not page._export.isEnabled()
    page.form.texts["compiler"].setText("示范单位")
    assert not words(page)["Required"].blocks
    page.form.stage.setCurrentIndex(page.form.stage.findData("review"))
    required = words(page)["Required"].words
    for name in ("plan name", "secrecy", "consultation no."):
        assert name in required


def test_the_button_of_a_matter_leads_to_the_field_that_is_empty(page, qtbot):
    page.desk.session.set_result(page.desk.session.result.folder)
    for key in page.form.formats:
        page.form.formats[key].setChecked(False)
    page.form.texts["compiler"].setText("示范单位")
    page.form.stage.setCurrentIndex(page.form.stage.findData("approval"))
    assert words(page)["Formats"].blocks
    page.form.texts["plan_name"].setText("规划")
    page.form.set_secrecy("内部")
    goal = words(page)["Required"].goal
    assert goal == "consultation_no"
    page._go(goal)
    assert not page.form._more.isCollapsed()
    qtbot.waitUntil(lambda: page.window().focusWidget() is page.form.texts[goal])
    page._go(words(page)["Formats"].goal)
    assert page.window().focusWidget() is page.form.formats["gdb"]


def test_a_draft_result_may_be_consulted_on_but_not_be_sent_for_review(page):
    assert words(page)["Mode"].level == Level.OPEN
    assert not words(page)["Mode"].blocks
    page.form.stage.setCurrentIndex(page.form.stage.findData("review"))
    assert words(page)["Mode"].blocks


def test_layers_without_papers_are_named(page):
    papers = words(page)["Papers"]
    assert papers.level == Level.OPEN
    assert "wetland" in papers.words.lower()


def test_the_order_is_there_again_the_next_day(page, qtbot):
    page.form.texts["compiler"].setText("示范单位")
    page.form.set_secrecy("内部")
    folder = page.desk.session.folder
    assert json.loads((folder / "order.json").read_text(encoding="utf-8"))["secrecy"] == "内部"
    again = SubmissionPage(page.desk)
    qtbot.addWidget(again)
    assert again.form.document() == page.form.document()
    again.unload()


def test_the_order_of_a_folder_is_taken_up_and_what_the_form_does_not_show_stays(page, tmp_path):
    (tmp_path / "earlier").mkdir()
    accept = [{"code": "6502", "reason": "as approved"}]
    order = {"schema": 1, "compiler": "示范单位", "register": "earlier", "accept": accept}
    (tmp_path / "order.json").write_text(json.dumps(order), encoding="utf-8")
    page.desk.session.set_folder(tmp_path)
    assert page.form.document()["register"] == str(tmp_path / "earlier")
    page.form.texts["name"].setText("澄中市")
    kept = json.loads((tmp_path / "order.json").read_text(encoding="utf-8"))
    assert (kept["name"], kept["accept"]) == ("澄中市", accept)


def test_slivers_that_may_be_merged_block_and_lead_to_a_run_that_merges_them(page, qtbot):
    assert words(page)["Slivers"].blocks
    wanted = []
    page.page_wanted.connect(wanted.append)
    page._go(words(page)["Slivers"].goal)
    assert page.desk.session.job["options"]["slivers"]["merge"] == "all"
    assert [kind.__name__ for kind in wanted] == ["ZoningPage"]
    assert page.desk.session.is_outdated()


@pytest.fixture
def ready(page, merged_result):
    """The page with everything a draft needs."""
    page.desk.session.set_result(merged_result)
    page.form.texts["compiler"].setText("示范单位")
    page.form.texts["code"].setText("990100")
    page.form.texts["name"].setText("澄中市")
    page.form.ticks["public"].setChecked(False)
    for key in ("gpkg", "shp"):
        page.form.formats[key].setChecked(False)
    return page


def wait(page, qtbot):
    """Wait until what runs is over and shown."""
    runner = page.desk.runner
    qtbot.waitUntil(lambda: not runner.busy and not runner._works, timeout=180_000)


def test_a_package_is_made_checked_shown_and_its_warnings_accepted_for_the_next(ready, project, qtbot):
    page = ready
    assert page._export.isEnabled(), page._export.toolTip()
    page.export(page.desk.session.folder / "submission")
    wait(page, qtbot)
    assert page.state().level == Level.DONE, page.state()
    assert page._shown.name.startswith("990100澄中市水土保持空间管控成果_")
    assert page._open.isEnabled()
    counts = page.panel.counts()
    assert counts["error"] == 0
    assert counts["warning"] > 0
    assert f"{counts['warning']:,} open warnings in" in page._headline.text()
    [group] = [g for g in project.layerTreeRoot().findGroups() if g.name().startswith("Submission")]
    assert [node.name() for node in group.findLayers()][-1] == "Control zones"
    check = words(page)["Check"]
    assert (check.level, check.blocks) == (Level.OPEN, False)
    warned = next(one for one in page.panel.findings if one["severity"] == "warning")
    page.panel.accept(Acceptance(warned["code"], "as approved", "", "", "示范单位", "20260101"))
    assert page.panel.counts()["accepted"] > 0
    page.export(page.desk.session.folder / "again")
    wait(page, qtbot)
    assert page._shown.parent.name == "again"
    record = json.loads(next(page._shown.rglob("接受记录.json")).read_text(encoding="utf-8"))
    assert record["accepted"][0]["reason"] == "as approved"
    assert any(one["accepted"] for one in page.panel.findings)
    page.desk.session.set_result(page.desk.session.result.folder)
    assert page._last is None
    assert "Check" not in words(page)


def test_errors_of_the_check_are_shown_and_no_package_is_there(ready, city_result, qtbot):
    page = ready
    page.desk.session.set_result(city_result)
    folder = page.desk.session.folder / "submission"
    page.export(folder)
    wait(page, qtbot)
    assert "No package was made" in page._headline.text()
    assert page.panel.counts()["error"] > 0
    assert {one["code"] for one in page.panel.findings if one["severity"] == "error"} == {"4301"}
    assert words(page)["Check"].level == Level.PROBLEM
    assert not [path for path in folder.iterdir() if not path.name.endswith("质检未通过")]


def test_a_package_from_elsewhere_is_checked_and_says_nothing_of_this_result(ready, package, qtbot):
    ready.check(package)
    wait(ready, qtbot)
    assert package.name in ready._headline.text()
    assert ready._shown.parent.name == "checks"
    assert ready.panel.findings
    assert "Check" not in words(ready)


def test_the_consultation_takes_the_replies_of_several_lists(ready, qtbot, tmp_path):
    page = ready
    page.consult(tmp_path / "out")
    wait(page, qtbot)
    assert page._shown == tmp_path / "out"
    books = [str(path) for path in (tmp_path / "out").glob("*.xlsx")]
    assert books
    page.consult(tmp_path / "back", books)
    wait(page, qtbot)
    assert page.form.document()["consultation"].endswith("consultation_record.json")


def test_form_and_checklist_stand_side_by_side_only_where_there_is_room(page, qtbot):
    letter = page.fontMetrics().averageCharWidth()
    for letters, beside in ((140, True), (60, False), (140, True)):
        page.resize(letters * letter, 900)
        qtbot.waitUntil(lambda beside=beside: (page._checklist.parentWidget().x() > 50) == beside)
    assert page.minimumSizeHint().width() <= 140 * letter


def test_typing_does_not_hold_the_window_up(page, longest_gap):
    page.form.stage.setCurrentIndex(page.form.stage.findData("approved"))
    with longest_gap() as gap:
        page.form.texts["plan_name"].setText("示")
    assert gap.seconds < 0.1
