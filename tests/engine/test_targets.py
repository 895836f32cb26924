# SPDX-License-Identifier: GPL-2.0-or-later
"""The soil and water conservation rate, on made ground and on published figures."""

import json

import pytest
from shapely import box

from swc_zoning.engine import run, targets
from swc_zoning.engine.targets import Rate, Target

#: Two districts of 100 x 100 m; all of the second one's right half is sea.
WEST, EAST = box(600000, 3450000, 600100, 3450100), box(600100, 3450000, 600200, 3450100)
LAND = box(600000, 3450000, 600150, 3450100)
DISTRICTS = [(WEST, {"code": "01", "name": "西区"}), (EAST, {"code": "02", "name": "东区"})]


@pytest.fixture
def result(make_job, tmp_path):
    """Return a maker of results: result(extent=..., role=rows...)."""

    def make(**layers):
        folder = tmp_path / "result"
        run.run(make_job(**layers)).write(folder)
        return folder

    return make


def patches(*tiers):
    """Return erosion patches of 10 x 10 m side by side, one a tier."""
    return [
        (box(600000 + 10 * n, 3450000, 600010 + 10 * n, 3450010), {"tier": tier})
        for n, tier in enumerate(tiers)
    ]


def test_the_rate_is_the_share_of_land_that_is_not_eroded(result):
    rows = patches("微度", "轻度", "剧烈")
    made = targets.report(result(extent=DISTRICTS, soil_erosion=rows, land_mask=[(LAND, {})]))
    west, east = made.districts
    assert made.city.land_m2 == pytest.approx(15_000, rel=1e-3)
    assert made.city.sea_m2 == pytest.approx(5_000, rel=1e-3)
    assert (west.eroded_by_tier["light"], west.eroded_by_tier["severe"]) == pytest.approx(
        (100, 100), rel=1e-3
    )
    assert west.percent == pytest.approx(98.0, abs=1e-3)
    assert east.percent == 100.0
    assert made.city.percent == pytest.approx(100 * (1 - 200 / 15_000), abs=1e-4)
    assert [finding.code for finding in made.findings] == []


def test_where_patches_overlap_the_worst_counts_once(result):
    rows = [*patches("轻度"), *patches("剧烈")]
    made = targets.report(result(extent=DISTRICTS, soil_erosion=rows))
    assert made.city.eroded_m2 == pytest.approx(100, rel=1e-3)
    assert made.city.eroded_by_tier["light"] == 0
    assert [finding.code for finding in made.findings] == ["targets.no_land_mask"]


def test_an_unknown_intensity_is_counted_apart_and_leaves_the_answer_open(result):
    made = targets.report(result(extent=DISTRICTS, soil_erosion=patches(*["?"] * 4)))
    assert made.city.eroded_m2 == 0
    assert made.city.unknown_m2 == pytest.approx(400, rel=1e-3)
    assert made.city.percent == 100
    assert made.city.lowest_percent == pytest.approx(98, abs=1e-3)
    assert made.city.meets(made.targets[-1]) is None
    assert "targets.unknown_tier" in [finding.code for finding in made.findings]


@pytest.mark.parametrize(
    ("layers", "code"),
    [
        ({"soil_erosion": patches("轻度")}, "targets.no_extent"),
        ({"extent": DISTRICTS, "wetland": patches("轻度")}, "targets.no_erosion"),
    ],
)
def test_without_its_data_there_is_no_number_but_words(result, layers, code):
    made = targets.report(result(**layers))
    assert made.city is None
    assert made.districts == ()
    assert code in [finding.code for finding in made.findings]
    assert made.as_json("zh")["city"] is None


def test_the_targets_of_shanghai_are_those_of_its_plan():
    assert [(one.year, one.above_percent) for one in targets.targets_of("shanghai")] == [
        (2025, 98.25),
        (2035, 98.45),
    ]
    assert targets.targets_of("elsewhere") == []


def test_a_target_must_be_exceeded_not_reached():
    target = Target(2035, 98.45, False, {})
    assert Rate("", "", 10_000, 0, {"light": 155.0}).meets(target) is False
    assert Rate("", "", 10_000, 0, {"light": 154.9}).meets(target) is True
    assert Rate("", "", 0, 0, {}).meets(target) is None


def test_published_figures_come_out():
    """Suzhou 2015: 38.09 km2 eroded, 0.43 %; Shanghai: 207.2 km2 of 6297.9 km2 leave 96.71 %."""
    shanghai = Rate("", "", 6297.9e6, 0, {"light": 207.2e6})
    assert round(shanghai.percent, 2) == 96.71
    allowed = [one.allowed_m2(6297.9e6) / 1e6 for one in targets.targets_of("shanghai")]
    assert allowed == pytest.approx([110.2, 97.6], abs=0.05)
    suzhou = Rate("", "", 38.09e6 / 0.0043, 0, {"light": 31.72e6, "moderate": 6.37e6})
    assert round(suzhou.percent, 2) == 99.57
    assert suzhou.eroded_m2 == pytest.approx(38.09e6)


def test_every_row_of_the_targets_names_its_document_and_validity():
    document = json.loads(targets.resource("targets.json").read_text(encoding="utf-8"))
    keys = {
        "profile",
        "year",
        "above_percent",
        "document_zh",
        "document_en",
        "article",
        "valid_from",
        "status",
    }
    for row in document["targets"]:
        assert keys <= set(row)
        assert row["status"] in ("verified", "proposed")
