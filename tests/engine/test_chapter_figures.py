# SPDX-License-Identifier: GPL-2.0-or-later
"""The figures of a chapter: one query behind every number, and printed columns that add up."""

import hashlib
import json
import random
from fractions import Fraction

import pytest
from shapely import box

from swc_zoning.engine import areas, run, targets
from swc_zoning.engine.chapter import display, figures, proof
from swc_zoning.engine.chapter.figures import Figures
from swc_zoning.engine.geopackage import opened
from swc_zoning.engine.messages import SwcError

WEST, EAST = box(600000, 3450000, 600100, 3450100), box(600100, 3450000, 600200, 3450100)
DISTRICTS = [(WEST, {"code": "310101", "name": "西区"}), (EAST, {"code": "310102", "name": "东区"})]


@pytest.fixture(scope="module")
def told(zoned_city):
    return Figures.of(zoned_city)


@pytest.fixture
def figures_of(make_job, tmp_path):
    """Return a maker of figures from small layers: figures_of(extent=..., role=rows...)."""

    def make(**layers):
        path = make_job(**layers)
        document = json.loads(path.read_text(encoding="utf-8"))
        for entry in document["layers"]:
            if any("name" in attributes for _, attributes in layers[entry["role"]]):
                entry["name_field"] = "name"
        path.write_text(json.dumps(document), encoding="utf-8")
        run.run(path).write(tmp_path / "result")
        return Figures.of(tmp_path / "result")

    return make


# --- queries ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("query", figures.queries().values(), ids=list(figures.queries()))
def test_a_query_runs_as_it_stands_on_the_geopackage_and_its_keys_name_one_row(told, query):
    with opened(told.result / "zoning.gpkg") as connection:
        rows = [dict(row) for row in connection.execute(query.sql)]
    keys = [tuple(row[name] for name in query.keys) for row in rows]
    assert len(set(keys)) == len(keys)
    assert all({*query.keys, *query.values, *query.facts} <= set(row) for row in rows)
    assert sorted(map(repr, rows)) == sorted(map(repr, told.rows(query.id)))


def test_asking_for_figures_leaves_the_result_as_it_is(zoned_city):
    before = hashlib.sha256((zoned_city / "zoning.gpkg").read_bytes()).hexdigest()
    Figures.of(zoned_city).say("whole", (), "area_m2", "km2")
    assert hashlib.sha256((zoned_city / "zoning.gpkg").read_bytes()).hexdigest() == before
    assert {path.name for path in zoned_city.iterdir()} == {"zoning.gpkg", "summary.json"}


def test_areas_are_those_of_the_summary(told):
    summary = json.loads((told.result / "summary.json").read_text(encoding="utf-8"))
    assert told.value("whole", (), "area_m2") == summary["total"]["area_m2"]
    for row in summary["by_zone"]:
        found = told.value("zones", (row["zone"], row["status"], None), "area_m2")
        assert found == pytest.approx(row["area_m2"], abs=0.001)
    for row in summary["adjustments"]:
        assert told.value("adjustment", (row["district_code"],), "raw_m2") == row["raw_m2"]


def test_what_lies_at_sea_and_what_is_pending_are_parts_of_an_area(told):
    role = "nature_reserve"
    with opened(told.result / "zoning.gpkg") as connection:
        ask = (
            "SELECT p.piece_id, p.land, p.status, p.area_m2 FROM pieces p WHERE p.piece_id IN"
            " (SELECT piece_id FROM piece_sources WHERE role = ?)"
        )
        rows = connection.execute(ask, (role,)).fetchall()
    expected = {
        "area_m2": sum(row["area_m2"] for row in rows),
        "sea_m2": sum(row["area_m2"] for row in rows if row["land"] == 0),
        "pending_m2": sum(row["area_m2"] for row in rows if row["status"] == "pending"),
    }
    assert min(expected.values()) > 0
    for query, key in (("roles", (role,)), ("role_tiers", (role, None)), ("named", (role, None, None, None))):
        for column, area in expected.items():
            assert told.value(query, key, column) == pytest.approx(area, abs=0.001), (query, column)


def test_features_of_one_layer_that_overlap_count_once_in_its_area(told):
    for row in told.rows("inputs"):
        if row["role"] == "drinking_water_source":
            area = told.value("roles", (row["role"],), "area_m2")
            assert row["area_m2"] == pytest.approx(area, abs=0.001)
            assert told.value("named", (row["role"], None, None, None), "area_m2") > area


def test_the_rate_is_that_of_the_targets(told):
    report = targets.report(told.result)
    row = told.rows("rate")[0]
    assert (row["land_m2"], row["eroded_m2"]) == pytest.approx((report.city.land_m2, report.city.eroded_m2))
    assert row["percent"] == pytest.approx(report.city.percent)
    for rate in report.districts:
        assert told.value("district_rate", (rate.code,), "percent") == pytest.approx(rate.percent)


def test_a_rate_with_erosion_of_unknown_tier_has_a_lowest_value(figures_of):
    rows = [
        (box(600000, 3450000, 600010, 3450010), {"tier": "轻度"}),
        (box(600020, 3450000, 600030, 3450010), {"tier": "?"}),
    ]
    made = figures_of(extent=DISTRICTS, soil_erosion=rows)
    report = targets.report(made.result)
    assert made.value("rate", (), "percent") == pytest.approx(report.city.percent)
    assert made.value("rate", (), "lowest_percent") == pytest.approx(report.city.lowest_percent)
    assert made.value("rate", (), "unknown_m2") > 0


def test_features_of_one_name_that_overlap_count_once(figures_of):
    square = box(600000, 3450000, 600050, 3450050)
    rows = [
        (square, {"tier": "一级", "name": "甲水源"}),
        (box(600025, 3450000, 600075, 3450050), {"tier": "一级", "name": "甲水源"}),
    ]
    made = figures_of(extent=DISTRICTS, drinking_water_source=rows)
    found = made.value("named_whole", ("drinking_water_source", "甲水源"), "area_m2")
    assert found == pytest.approx(75 * 50, rel=1e-3)
    assert made.value("named", ("drinking_water_source", "甲水源", "level1", None), "area_m2") == found


# --- printing --------------------------------------------------------------------------------------


@pytest.mark.parametrize("unit", ["ha", "km2", "mu", "m2"])
def test_a_printed_column_is_levelled_as_areas_are(unit):
    chance = random.Random(7)
    for _ in range(40):
        centi = [
            chance.choice([0, 1, 50, 499_999, chance.randrange(10**9)])
            for _ in range(chance.randrange(1, 30))
        ]
        mine = display.closed(centi, display.step_of(unit, 2))
        theirs = areas.close_displayed(centi, unit, 2).tolist()
        assert sum(mine) == sum(theirs)
        assert all(abs(one - other) <= 1 for one, other in zip(mine, theirs))


def test_a_cross_table_keeps_both_margins_and_every_cell_its_value():
    chance, step = random.Random(3), display.step_of("ha", 2)
    for _ in range(60):
        rows, columns = chance.randrange(1, 25), chance.randrange(1, 12)
        centi = {
            (row, column): chance.randrange(1, 10**8)
            for row in range(rows)
            for column in range(columns)
            if chance.random() < 0.5 or column == row % columns or row == 0
        }
        by_row = [sum(v for (r, _), v in centi.items() if r == row) for row in range(rows)]
        by_column = [sum(v for (_, c), v in centi.items() if c == column) for column in range(columns)]
        margins = (
            dict(enumerate(display.closed(by_row, step))),
            dict(enumerate(display.closed(by_column, step))),
        )
        printed = display.two_way(centi, *margins, step)
        assert printed is not None
        for place, margin in enumerate(margins):
            for name, units in margin.items():
                assert sum(v for cell, v in printed.items() if cell[place] == name) == units
        for cell, value in centi.items():
            assert abs(printed[cell] - Fraction(value * step[1], step[0])) < 2
        assert min(printed.values()) >= 0


def test_a_cell_moves_a_step_further_where_the_margins_leave_no_other_way():
    step, whole = display.step_of("ha", 0), 1_000_000
    centi = {("a", "x"): whole, ("a", "y"): whole * 3 // 2, ("b", "x"): whole * 3 // 2, ("b", "y"): whole}
    printed = display.two_way(centi, {"a": 3, "b": 2}, {"x": 3, "y": 2}, step)
    assert printed == {("a", "x"): 2, ("a", "y"): 1, ("b", "x"): 1, ("b", "y"): 1}


def test_a_cross_table_whose_margins_disagree_is_refused():
    step = display.step_of("ha", 0)
    assert display.two_way({("a", "x"): 500_000}, {"a": 1}, {"x": 0}, step) is None


@pytest.mark.parametrize(
    ("query", "margin"),
    [
        *(
            ("districts", "ground"),
            ("zones", "ground"),
            ("district_zone", "districts"),
            ("district_zone", "zones"),
        ),
        *(("three_lines", "zones"), ("landuse", "zones"), ("zone_force", "zones"), ("erosion", "districts")),
    ],
)
@pytest.mark.parametrize(("unit", "decimals"), [("ha", 2), ("km2", 2), ("ha", 0)])
def test_printed_parts_add_up_to_what_is_printed_of_the_whole(told, query, margin, unit, decimals):
    part, whole = figures.queries()[query], figures.queries()[margin]
    for row in told.rows(margin):
        key = tuple(row[name] for name in whole.keys)
        inner = tuple(row[name] if name in whole.keys else None for name in part.keys)
        printed = told.say(query, inner, "area_m2", unit, decimals)
        assert printed == told.say(margin, key, "area_m2", unit, decimals)


def test_shares_add_up_to_a_hundred(told):
    for land in (0, 1):
        rows = told.matching("zones", (None, None, land))
        shown = [
            told.said("zones", (r["zone"], r["status"], land), "area_m2", "%", 2, ["land"]) for r in rows
        ]
        assert round(sum(one.number for one in shown), 6) == 100
    assert told.say("zones", (None, None, None), "area_m2", "%") == "100.00"


def test_english_groups_digits_and_chinese_does_not(zoned_city, told):
    assert told.say("whole", (), "area_m2", "ha") == "863182.28"
    assert Figures.of(zoned_city, lang="en").say("whole", (), "area_m2", "ha") == "863,182.28"
    assert (told.unit("ha"), told.unit("%"), told.unit("个")) == ("公顷", "%", "个")


def test_an_area_of_which_there_is_none_is_nought_and_one_below_nought_keeps_its_sign(told):
    assert told.say("zones", ("SEVERE_FRAGILE", "confirmed", 1), "area_m2", "ha") == "0.00"
    assert display.written(-40, 4) == "-0.0040"


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        (("zones", ("GENERAL",), "area_m2", "ha"), "figures.key"),
        (("zones", ("GENERAL", None, None), "area_m2", "个"), "figures.unit"),
        (("rate", (), "percent", "ha"), "figures.unit"),
        (("district_rate", (None,), "percent", "%"), "figures.no_value"),
    ],
)
def test_what_cannot_be_said_is_refused(told, asked, code):
    with pytest.raises(SwcError) as caught:
        told.say(*asked)
    assert caught.value.code == code


# --- what was given --------------------------------------------------------------------------------


def test_what_was_not_given_is_told_from_what_was_given_and_empty(figures_of):
    far = box(700000, 3500000, 700010, 3500010)
    rows = {"nature_reserve": [(far, {"tier": "核心保护区"})], "land_mask": [(WEST.union(EAST), {})]}
    made = figures_of(extent=DISTRICTS, **rows)
    assert made.state("nature_reserve") == "empty"
    assert made.absence("nature_reserve") == "不涉及"
    assert made.state("ecological_redline") == "missing"
    assert made.absence("ecological_redline") == "未提供，待补充"
    assert made.absence("land_mask") == ""
    assert "soil_erosion" in made.missing_roles()
    assert "nature_reserve" not in made.missing_roles()


# --- ledger and proof ------------------------------------------------------------------------------


def test_the_ledger_says_where_each_text_is_from_and_agrees_with_the_geopackage(zoned_city, tmp_path):
    made = Figures.of(zoned_city)
    made.say("zones", ("GENERAL", None, None), "area_m2", "km2")
    made.say("zones", ("GENERAL", None, None), "area_m2", "%", 1)
    made.say("zone_measures", ("GENERAL", frozenset(made.keys("zone_measures", "measures"))), "area_m2", "ha")
    made.say("whole", (), "pieces", "个")
    made.quote("inputs", (3,), "data_date")
    made.write(tmp_path / "figures.json")
    told = json.loads((tmp_path / "figures.json").read_text(encoding="utf-8"))
    assert [entry["query"] for entry in told["said"]] == [
        "zones",
        "zones",
        "zone_measures",
        "whole",
        "inputs",
    ]
    assert told["queries"]["whole"]["sql"] == figures.queries()["whole"].sql
    assert list(proof.differing(told["said"], zoned_city / "zoning.gpkg")) == []


@pytest.mark.parametrize("change", [{"text": "863182.30"}, {"value": 1.0}, {"key": [1]}, {"column": "gone"}])
def test_an_entry_that_is_not_what_the_query_gives_is_found(zoned_city, change):
    made = Figures.of(zoned_city)
    made.say("whole", (), "area_m2", "ha")
    entry = {**made.as_json()["said"][0], **change}
    assert [one for one, _ in proof.differing([entry], zoned_city / "zoning.gpkg")] == [entry]


def test_a_quoted_text_that_was_changed_is_found(zoned_city):
    made = Figures.of(zoned_city)
    made.quote("inputs", (3,), "approval_no")
    entry = {**made.as_json()["said"][0], "text": "沪府〔1999〕1号"}
    assert len(list(proof.differing([entry], zoned_city / "zoning.gpkg"))) == 1


def test_a_number_nobody_said_is_found_in_a_text():
    said = [{"text": "1,234.50"}, {"text": "长江保护法61(1)"}]
    assert list(proof.unresolved(["面积1,234.50公顷，依据第61条第1款"], said)) == []
    assert list(proof.unresolved(["面积１２３４．５１公顷"], said)) == [("1234.51", "面积１２３４．５１公顷")]
    assert proof.runs("3.2.2(4)") == ["3.2.2", "4"]
