# SPDX-License-Identifier: GPL-2.0-or-later
"""The page of the chapter, used as a planner would."""

from __future__ import annotations

import json
import shutil

import pytest
from child import engine

from swc_zoning.engine.messages import SwcError
from swc_zoning.gui.chapter_dialog import DocumentsDialog, MapsDialog
from swc_zoning.gui.chapter_page import ChapterPage
from swc_zoning.gui.page import Level
from swc_zoning.gui.submission_page import SubmissionPage
from swc_zoning.qgis_bridge import chapters


@pytest.fixture
def page(zoned, qtbot):
    made = ChapterPage(zoned)
    qtbot.addWidget(made)
    made.show()
    wait(made, qtbot)
    return made


@pytest.fixture
def ready(page):
    """The page with everything a draft needs."""
    page.texts["compiler"].setText("示范单位")
    page.desk.session.folder.mkdir(exist_ok=True)
    order = page.desk.session.folder / "order.json"
    order.write_text(
        json.dumps({"compiler": "示范单位", "name": "澄中市", "code": "990100"}), encoding="utf-8"
    )
    page.activate()
    return page


@pytest.fixture(scope="module")
def chapter(city_result):
    """A chapter of the result of the demo city. Tests must not change it."""
    engine("chapter", city_result, "--output", city_result.parent / "chapter", "--only", "tables", "charts")
    return city_result.parent / "chapter"


def wait(page, qtbot):
    """Wait until what runs is over and shown."""
    runner = page.desk.runner
    qtbot.waitUntil(lambda: not runner.busy and not runner._works, timeout=180_000)


def words(page):
    return {matter.title: matter for matter in page._checklist.matters}


def parts(page):
    return {row["part"] for row in page.made.rows_model.rows}


def test_without_a_result_it_says_so_and_leads_to_the_zoning(page):
    page.desk.session.set_result(None)
    assert page.state().level == Level.BLOCKED
    for button in (page._write, page._tabulate, page._draw):
        assert not button.isEnabled()
        assert "not zoned yet" in button.toolTip()
    assert words(page)["Result"].blocks


def test_it_says_what_the_chapter_will_lack(page):
    told = words(page)
    pending = sum(
        row["area_m2"] for row in page.desk.session.result.summary["by_zone"] if row["status"] == "pending"
    )
    assert pending > 0
    assert f"{pending / 1e4:,.2f} ha" in told["Pending"].words
    assert "未提供，待补充" in told["Check"].words
    assert not told["Check"].blocks
    assert not told["Pending"].blocks


def test_a_missing_layer_is_named_as_it_will_be_printed(page, city_result, tmp_path):
    result = shutil.copytree(city_result, tmp_path / "lacking")
    summary = json.loads((result / "summary.json").read_text(encoding="utf-8"))
    summary["missing_roles"] = [
        {"role": "nature_reserve", "name_zh": "自然保护区", "name_en": "Nature reserve"}
    ]
    (result / "summary.json").write_text(json.dumps(summary), encoding="utf-8")
    page.desk.session.set_result(result)
    assert words(page)["Layers"].level == Level.OPEN
    assert "未提供，待补充: Nature reserve" in words(page)["Layers"].words


def test_changed_rules_make_the_result_outdated_but_the_chapter_can_be_written(ready):
    session = ready.desk.session
    session.set_job({**session.job, "title": "another"})
    assert words(ready)["Result"].level == Level.OPEN
    assert "old ones" in words(ready)["Result"].words
    assert ready._write.isEnabled(), ready._write.toolTip()


def test_what_the_submission_asked_is_not_asked_again(page, qtbot):
    submission = SubmissionPage(page.desk)
    qtbot.addWidget(submission)
    submission.form.texts["plan_name"].setText("澄中市国土空间规划")
    submission.form.stage.setCurrentIndex(submission.form.stage.findData("consultation"))
    submission.form.texts["review_no"].setText("审〔1〕号")
    page.activate()
    assert page.texts["plan_name"].text() == "澄中市国土空间规划"
    assert page.stage.currentData() == "consultation"
    page.texts["compiler"].setText("示范单位")
    submission.activate()
    assert submission.form.texts["compiler"].text() == "示范单位"
    assert submission.form.texts["review_no"].text() == "审〔1〕号"
    submission.unload()


def test_what_the_stage_requires_blocks_until_it_is_filled_in(page):
    assert not page._write.isEnabled()
    assert "compiler" in words(page)["Required"].words
    page.texts["compiler"].setText("示范单位")
    assert page._write.isEnabled(), page._write.toolTip()


def test_a_chapter_is_written_shown_and_goes_into_the_package(ready, qtbot):
    page, folder = ready, ready.desk.session.folder
    dialog = DocumentsDialog("", page._place(), "", page)
    qtbot.addWidget(dialog)
    page.write(dialog.parameters())
    wait(page, qtbot)
    assert (page.state().level, page.state().words) == (Level.DONE, "documents, no maps")
    assert parts(page) == {"Document", "Tables", "Chart"}
    assert {row["result"] for row in page.made.rows_model.rows} == {"this one"}
    document = json.loads((folder / "chapter/figures.json").read_text(encoding="utf-8"))
    assert "示范单位" in {said["text"] for said in document["said"]}
    submission = SubmissionPage(page.desk)
    qtbot.addWidget(submission)
    assert submission._parameters()["CHAPTER"] == str(folder / "chapter")
    submission.unload()


def test_maps_are_made_beside_the_documents(ready, qtbot):
    page = ready
    dialog = MapsDialog("", page._place() / "maps", "", page)
    qtbot.addWidget(dialog)
    for row in range(1, dialog.sheets.count()):
        dialog.sheets.item(row).setCheckState(dialog.sheets.item(row).checkState().__class__(0))
    page.draw({**dialog.parameters(), "FORMATS": [2], "DPI": 72})
    wait(page, qtbot)
    assert parts(page) == {"Map"}
    assert chapters.is_of(page._place(), page.desk.session.result.summary)


def test_maps_ask_for_something_to_draw(page, qtbot, tmp_path):
    dialog = MapsDialog("", tmp_path, "", page)
    qtbot.addWidget(dialog)
    unchecked = dialog.sheets.item(0).checkState().__class__(0)
    for row in range(dialog.sheets.count()):
        dialog.sheets.item(row).setCheckState(unchecked)
    assert not dialog.ok.isEnabled()
    dialog.districts.setChecked(True)
    assert dialog.ok.isEnabled()
    assert (dialog.parameters()["SHEETS"], dialog.parameters()["DISTRICTS"]) == ([], True)
    for box in dialog.formats:
        box.setChecked(False)
    assert "format" in dialog.ok.toolTip()


def test_a_chapter_of_another_result_is_told_apart_and_left_out_of_the_package(ready, chapter, qtbot):
    page, folder = ready, ready.desk.session.folder
    shutil.copytree(chapter, folder / "chapter")
    document = json.loads((folder / "chapter/figures.json").read_text(encoding="utf-8"))
    document["content_sha256"] = "0" * 64
    (folder / "chapter/figures.json").write_text(json.dumps(document), encoding="utf-8")
    page.activate()
    wait(page, qtbot)
    assert page.state().level == Level.OPEN
    assert {row["result"] for row in page.made.rows_model.rows} == {"another one"}
    submission = SubmissionPage(page.desk)
    qtbot.addWidget(submission)
    assert "CHAPTER" not in submission._parameters()
    submission.unload()


def test_the_check_of_a_package_of_this_result_goes_into_the_chapter(ready, qtbot):
    page, digest = ready, ready.desk.session.result.summary["content_sha256"]
    for name, of in (("one", "0" * 64), ("two", digest)):
        package = page.desk.session.folder / "submission" / name
        (package / "06_元数据").mkdir(parents=True)
        (package / "07_质检").mkdir()
        run = {"what": "package", "meta": {"content_sha256": of}}
        (package / "06_元数据/run.json").write_text(json.dumps(run), encoding="utf-8")
        (package / "07_质检/质检问题.jsonl").write_text('{"ran": []}', encoding="utf-8")
        page.activate()
        wait(page, qtbot)
        assert words(page)["Check"].level == (Level.DONE if of == digest else Level.OPEN)
    assert page._checked()["QUALITY"].endswith("two/07_质检/质检问题.jsonl".replace("/", "/"))


def test_an_order_that_cannot_be_read_is_said_and_not_written_over(ready, qgis_iface):
    path = ready.desk.session.folder / "order.json"
    path.write_text("{", encoding="utf-8")
    ready.texts["compiler"].setText("另一单位")
    assert path.read_text(encoding="utf-8") == "{"
    with pytest.raises(SwcError):
        chapters_order(path)


def chapters_order(path):
    from swc_zoning.qgis_bridge import orders

    return orders.read(path)
