# SPDX-License-Identifier: GPL-2.0-or-later
"""Why a piece is in its zone, as a result and its decision table say it."""

import copy

import pytest
from shapely import box

from swc_zoning.engine import explain, formats, rules, run, summary
from swc_zoning.engine.messages import SwcError

SQUARE = box(600000, 3450000, 600100, 3450100)


@pytest.fixture
def result(make_job, tmp_path):
    """Return a maker of results: result(role=rows...)."""

    def make(**layers):
        folder = tmp_path / "result"
        extent = [(SQUARE, {"code": "01", "name": "西区"})]
        run.run(make_job(extent=extent, **layers)).write(folder)
        return folder

    return make


def ids(folder):
    return formats.read_back(folder / "zoning.gpkg", "pieces").columns["piece_id"].tolist()


def test_a_piece_is_told_with_rules_sources_measures_and_areas(result):
    folder = result(drinking_water_source=[(SQUARE, {"tier": "一级"})])
    [piece] = ids(folder)
    told = explain.explain(folder, piece)
    text = told.as_text("zh")
    decision = rules.decide(rules.load(), {"drinking_water_source": "level1"})
    for one in (*decision["decisive"], *decision["measures"], *decision["basis"]):
        assert one in text
    assert "一级保护区" in text
    assert f"{told.piece['area_m2'] * 3 / 2000:,.3f} 亩" in text
    assert f"{told.piece['area_m2'] / 1e4:,.4f} 公顷" in text
    assert "西区" in text
    assert told.findings == []
    assert told.box == pytest.approx(SQUARE.bounds)
    assert "Source features" in told.as_text("en")


def test_a_pending_piece_says_what_each_answer_would_give(result):
    folder = result(drinking_water_source=[(SQUARE, {"tier": "?"})])
    told = explain.explain(folder, ids(folder)[0])
    assert told.piece["status"] == "pending"
    [section] = [one for one in told.sections("en") if one.title.startswith("Why it is pending")]
    strict = rules.decide(rules.load(), {"drinking_water_source": "level1"})["zone"]
    name = rules.load().zones[strict]["name_en"]
    assert any(line.endswith(name) for line in section.lines)


def test_a_conflict_comes_with_its_settling_rule_and_parties(result):
    folder = result(
        permanent_basic_farmland=[(SQUARE, {"tier": "pbf"})],
        nature_reserve=[(SQUARE, {"tier": "core_protection"})],
    )
    told = explain.explain(folder, ids(folder)[0])
    assert "K01" in [row["kind"] for row in told.conflicts]
    assert rules.load().conflicts["K01"]["settling_rule"] in told.as_text("zh")


def test_a_piece_that_is_not_there_is_an_error_in_words(result):
    folder = result(wetland=[(SQUARE, {"tier": "?"})])
    with pytest.raises(SwcError) as caught:
        explain.explain(folder, "nowhere")
    assert caught.value.code == "explain.no_piece"
    with pytest.raises(SwcError) as caught:
        explain.explain(folder / "none", "nowhere")
    assert caught.value.code == "redecide.no_result"


def test_another_table_than_that_of_the_result_is_said(result):
    folder = result(drinking_water_source=[(SQUARE, {"tier": "一级"})])
    document = copy.deepcopy(dict(rules.read()))
    document["version"] = "other"
    told = explain.explain(folder, ids(folder)[0], rules.load(document))
    assert [finding.code for finding in told.findings] == ["explain.other_table"]


def test_the_digest_of_a_table_is_the_one_a_summary_has():
    document = rules.read()
    assert explain.document_sha256(document) == summary.document_sha256(document)


def test_candidates_hold_the_point(result):
    folder = result(drinking_water_source=[(SQUARE, {"tier": "一级"})])
    assert len(explain.candidates(folder, 600050, 3450050)) == 1
    assert explain.candidates(folder, 500000, 3450050) == []
