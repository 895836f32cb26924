# SPDX-License-Identifier: GPL-2.0-or-later
"""The page of the submission, used as a planner would."""

from __future__ import annotations

import json

import pytest

from swc_zoning.gui.page import Level
from swc_zoning.gui.submission_page import SubmissionPage


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
    assert json.loads((folder / "submission.json").read_text(encoding="utf-8"))["secrecy"] == "内部"
    again = SubmissionPage(page.desk)
    qtbot.addWidget(again)
    assert again.form.document() == page.form.document()
    again.unload()


def test_slivers_that_may_be_merged_block_and_lead_to_a_run_that_merges_them(page, qtbot):
    assert words(page)["Slivers"].blocks
    wanted = []
    page.page_wanted.connect(wanted.append)
    page._go(words(page)["Slivers"].goal)
    assert page.desk.session.job["options"]["slivers"]["merge"] == "all"
    assert [kind.__name__ for kind in wanted] == ["ZoningPage"]
    assert page.desk.session.is_outdated()
