# SPDX-License-Identifier: GPL-2.0-or-later
"""The page of targets."""

from __future__ import annotations

import pytest

from swc_zoning.engine import targets
from swc_zoning.gui.page import Level
from swc_zoning.gui.targets_page import TargetsPage


@pytest.fixture
def page(desk, qtbot):
    made = TargetsPage(desk)
    qtbot.addWidget(made)
    made.show()
    return made


def test_without_a_result_there_is_no_number(page):
    assert page.state().level == Level.BLOCKED
    assert page._targets.rows_model.rows == []
    assert not page._bar.isVisible()


def test_the_rate_stands_against_both_targets_and_by_district(page, desk, city_result, qtbot):
    desk.session.set_result(city_result)
    qtbot.waitUntil(lambda: len(page._targets.rows_model.rows) == 2, timeout=10_000)
    report = targets.report(city_result)
    assert f"{report.city.percent:.4f} %" in page._headline.text()
    assert page._bar.isVisible()
    rows = page._districts.rows_model.rows
    assert len(rows) == len(report.districts) + 1
    assert sum(row["rate"].land_m2 for row in rows[:-1]) == pytest.approx(rows[-1]["rate"].land_m2)
    baseline, latest = page._targets.rows_model.rows
    assert (baseline["required"], latest["required"]) == ("> 98.25 %", "> 98.45 %")
    assert page.state().level == (Level.DONE if report.city.meets(report.targets[-1]) else Level.PROBLEM)
    page.grab()


def test_a_rate_that_arrives_after_its_result_has_gone_is_not_shown(page, desk, city_result, qtbot):
    desk.session.set_result(city_result)
    desk.session.set_result(None)
    qtbot.waitUntil(lambda: not desk.runner._works, timeout=10_000)
    assert page._targets.rows_model.rows == []
    assert not page._bar.isVisible()
