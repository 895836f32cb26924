# SPDX-License-Identifier: GPL-2.0-or-later
"""A role with tiers whose job names none: what could tell them is offered with its proof."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from pyogrio import raw

from swc_zoning.engine import intake, tiers
from swc_zoning.engine import job as jobs
from swc_zoning.engine.job import Job, LayerInput, Options
from swc_zoning.engine.progress import Progress

WATER, FARMLAND = "drinking_water_source", "permanent_basic_farmland"


def box(x=0.0, y=0.0, size=10.0):
    return shapely.box(500000 + x, 3450000 + y, 500000 + x + size, 3450000 + y + size)


def write(path, geometry=None, **columns):
    rows = len(next(iter(columns.values())))
    wkb = np.empty(rows, dtype=object)
    wkb[:] = [shapely.to_wkb(one) for one in geometry or [box(20 * i) for i in range(rows)]]
    raw.write(
        str(path),
        geometry=wkb,
        field_data=[np.array(values, dtype=object) for values in columns.values()],
        fields=np.array(list(columns), dtype=object),
        geometry_type="Polygon",
        crs="EPSG:4549",
    )
    return path


def job(source, role=WATER, **values):
    return Job("", None, "EPSG:4549", None, None, (LayerInput(role, str(source), **values),), Options())


def offer(source, role=WATER, **values):
    findings = intake.inspect(job(source, role, **values))
    return next((one for one in findings if one.code == "tiers.unchosen"), None)


def tiers_with(fix, source, role=WATER, **values):
    return intake.read(job(source, role, **{**values, **fix.change}), Progress()).features.tier


def test_until_a_tier_is_chosen_it_is_unknown(tmp_path):
    path = write(tmp_path / "a.gpkg", JB=["一级", "二级"])
    assert intake.read(job(path), Progress()).features.tier == ["unknown", "unknown"]
    assert offer(path).severity == "warning"


def test_the_name_of_the_layer_or_file_may_say_the_tier_of_all(tmp_path):
    path = write(tmp_path / "饮用水水源一级保护区.gpkg", k=["a", "b"])
    finding = offer(path)
    candidate = finding.facts["candidates"][0]
    assert (candidate["by"], candidate["value"]) == ("name", "level1")
    assert candidate["word"] in path.stem
    assert [(fix.change, fix.sure) for fix in finding.fixes] == [({"tier": {"value": "level1"}}, False)]
    assert tiers_with(finding.fixes[0], path) == ["level1", "level1"]


def test_a_word_within_a_longer_word_of_another_tier_does_not_count(tmp_path):
    path = write(tmp_path / "直辖市级重点预防区.gpkg", k=["a", "b"])
    finding = offer(path, "key_prevention_zone")
    assert finding.fixes[0].change == {"tier": {"value": "provincial"}}


@pytest.mark.parametrize("name", ["水源保护区", "一级二级保护区", "sheet1"])
def test_a_name_that_tells_no_tier_or_several_offers_none(tmp_path, name):
    assert offer(write(tmp_path / f"{name}.gpkg", k=["a", "b"])) is None


def test_the_one_field_that_knows_every_feature_is_sure(tmp_path):
    path = write(
        tmp_path / "a.gpkg", 属性=["一级", "二级", "一级"], MC=["甲", "乙", "丙"], mj=[1.5, 2.5, 99.0]
    )
    finding = offer(path)
    assert [(fix.change, fix.sure) for fix in finding.fixes] == [({"tier": {"field": "属性"}}, True)]
    candidate = finding.facts["candidates"][0]
    assert (candidate["field"], candidate["share"]) == ("属性", 1.0)
    assert candidate["words"] == [
        {"word": "一级", "count": 2, "tier": "level1", "nearest": "", "alias": ""},
        {"word": "二级", "count": 1, "tier": "level2", "nearest": "", "alias": ""},
    ]
    given = job(path)
    settled = jobs.load(jobs.fixed(given, intake.inspect(given)))
    result = intake.read(settled, Progress())
    assert result.features.tier == ["level1", "level2", "level1"]
    assert not [one for one in result.findings if one.code.startswith("tiers.")]


def test_a_tier_field_in_garbled_text_is_found_in_two_steps(tmp_path):
    words = ["一级保护区", "二级保护区"]
    path = write(tmp_path / "a.gpkg", JB=[word.encode().decode("latin-1") for word in words])
    given = job(path)
    for _ in range(2):
        given = jobs.load(jobs.fixed(given, intake.inspect(given)))
    assert (given.layers[0].undo_encoding, given.layers[0].tier) == ("cp1252", {"field": "JB"})
    assert intake.read(given, Progress()).features.tier == ["level1", "level2"]


def test_two_fields_that_disagree_are_choices_and_two_that_agree_are_sure(tmp_path):
    path = write(tmp_path / "a.gpkg", JB=["一级", "二级"], n=["2", "1"])
    assert [(fix.change["tier"]["field"], fix.sure) for fix in offer(path).fixes] == [
        ("JB", False),
        ("n", False),
    ]
    path = write(tmp_path / "b.gpkg", 级别代码=["1", "2"], BHQJB=["一级", "二级"])
    assert [(fix.change["tier"]["field"], fix.sure) for fix in offer(path).fixes] == [
        ("BHQJB", True),
        ("级别代码", False),
    ]


def test_a_name_that_disagrees_with_a_field_leaves_the_choice(tmp_path):
    path = write(tmp_path / "一级保护区.gpkg", JB=["二级", "二级"])
    assert [fix.sure for fix in offer(path).fixes] == [False, False]
    path = write(tmp_path / "二级保护区.gpkg", JB=["二级", "二级"])
    assert [fix.sure for fix in offer(path).fixes] == [False, True]


def test_a_field_that_knows_most_features_is_offered_with_a_map_of_the_rest(tmp_path):
    path = write(tmp_path / "a.gpkg", JB=["一级", "二级", "一级保护圈", None])
    finding = offer(path)
    candidate = finding.facts["candidates"][0]
    assert (candidate["by"], candidate["share"]) == ("field", 0.5)
    assert [fix.sure for fix in finding.fixes] == [False]
    assert finding.fixes[0].change == {"tier": {"field": "JB", "map": {"一级保护圈": "level1"}}}
    assert tiers_with(finding.fixes[0], path) == ["level1", "level2", "level1", "unknown"]


def test_words_nobody_knows_are_offered_as_a_map_by_hand(tmp_path):
    path = write(tmp_path / "a.gpkg", JB=["甲类", "核心圈", "甲类", "二级水源圈"])
    finding = offer(path)
    candidate = finding.facts["candidates"][0]
    assert candidate["by"] == "hand"
    counts = {one["word"]: (one["count"], one["nearest"], one["alias"]) for one in candidate["words"]}
    assert counts == {"甲类": (2, "", ""), "核心圈": (1, "", ""), "二级水源圈": (1, "level2", "二级")}
    assert finding.fixes[0].change["tier"] == {"field": "JB", "map": {"二级水源圈": "level2"}}
    assert not finding.fixes[0].sure


RINGS = [
    pytest.param([box(10, 10, 10), box(5, 5, 20), box(0, 0, 30)], id="nested"),
    pytest.param(
        [box(10, 10, 10), box(5, 5, 20) - box(10, 10, 10), box(0, 0, 30) - box(5, 5, 20)], id="rings"
    ),
]


@pytest.mark.parametrize("rings", RINGS)
def test_rings_of_one_name_suggest_tiers_from_the_inside_out(tmp_path, rings):
    path = write(tmp_path / "a.gpkg", rings[::-1], BSM=["c", "b", "a"], MC=["青草沙"] * 3)
    finding = offer(path, id_field="BSM", name_field="MC")
    candidate = finding.facts["candidates"][0]
    assert (candidate["by"], candidate["features"]) == ("nesting", 3)
    assert candidate["groups"][0]["ids"] == ["a", "b", "c"]
    assert candidate["groups"][0]["areas_m2"] == [round(one.area, 2) for one in rings]
    assert [fix.sure for fix in finding.fixes] == [False]
    assert tiers_with(finding.fixes[0], path, id_field="BSM") == ["quasi", "level2", "level1"]
    unnamed = offer(path, name_field="MC")
    assert unnamed.facts["candidates"][0]["groups"][0]["ids"] == ["#3", "#2", "#1"]
    assert unnamed.fixes == ()


def test_zones_side_by_side_suggest_nothing(tmp_path):
    path = write(tmp_path / "a.gpkg", BSM=["a", "b"], MC=["青草沙"] * 2)
    assert offer(path, id_field="BSM", name_field="MC") is None


def test_names_and_ids_are_no_tiers(tmp_path):
    path = write(tmp_path / "a.gpkg", BSM=["1", "2"], MC=["一级", "二级"])
    assert offer(path, id_field="BSM", name_field="MC") is None


def test_a_role_that_has_a_tier_for_missing_values_is_not_asked(tmp_path):
    path = write(tmp_path / "a.gpkg", LB=["永久基本农田储备区", "x"])
    assert offer(path, FARMLAND) is None
    assert intake.read(job(path, FARMLAND), Progress()).features.tier == ["pbf", "pbf"]


def test_words_that_mean_no_tier_and_missing_ones_are_both_told(tmp_path):
    path = write(tmp_path / "a.gpkg", JB=["圈", None, "一级"])
    codes = [one.code for one in intake.inspect(job(path, tier={"field": "JB"}))]
    assert {"intake.tier_unknown", "intake.tier_absent", "tiers.words_unknown"} <= set(codes)
    assert "tiers.unchosen" not in codes


def test_of_a_large_layer_only_fields_known_for_tiers_are_read():
    fields = ["DLBM", "a", "b", "dlmc"]
    assert tiers.fields_to_try("landuse_status", fields, 1000) == fields
    assert tiers.fields_to_try("landuse_status", fields, 1_000_000) == ["DLBM", "dlmc"]


def test_the_sentence_names_every_way_in_both_languages(tmp_path):
    path = write(tmp_path / "一级保护区.gpkg", JB=["二级", "圈"])
    for lang in ("zh", "en"):
        text = offer(path).sentence(lang)
        assert "一级保护区" in text
        assert "JB" in text
        assert "圈 (1) → ?" in text
