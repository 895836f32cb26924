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


def test_a_table_of_rates_is_shown_in_place_of_the_zoning_and_back(
    page, desk, city_result, qtbot, tmp_path, monkeypatch
):
    from qgis.PyQt.QtWidgets import QFileDialog

    assert not page._open.isEnabled()
    desk.session.set_result(city_result)
    qtbot.waitUntil(lambda: page._report is not None, timeout=10_000)
    zoned = page._report.city.percent
    heads = "unit,year,denominator,total_km2,light_km2,moderate_km2,intense_km2,very_intense_km2,severe_km2,"
    rows = ["甲区,2024,国土面积,100,1,,,,,1,0", "*,2024,国土面积,100,1,,,,,1,0"]
    table = tmp_path / "rate.csv"
    table.write_text("\n".join([heads + "eroded_km2,unknown_km2", *rows]), encoding="utf-8-sig")
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(table), ""))
    page._open.click()
    qtbot.waitUntil(lambda: page._report is not None and page._report.city.percent == 99, timeout=10_000)
    assert [row["rate"].name for row in page._districts.rows_model.rows][:1] == ["甲区"]
    assert "100.00" in page._notes.text()
    page._back.click()
    qtbot.waitUntil(lambda: page._report is not None, timeout=10_000)
    assert page._report.city.percent == zoned
