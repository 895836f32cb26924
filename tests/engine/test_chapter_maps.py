# SPDX-License-Identifier: GPL-2.0-or-later
"""What map sheets are drawn from adds up to the result; what stands on them was said by somebody."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
import sys
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import pyogrio
import pytest
import shapely

from swc_zoning.engine.chapter import legends, plans, themes
from swc_zoning.engine.submission import contents, schemas
from swc_zoning.engine.submission import order as orders

ROOT = Path(__file__).resolve().parents[2]
SHEETS = {sheet.id: sheet for sheet in plans.sheets()}


@pytest.fixture(scope="module")
def result(zoned_city):
    """The result of the demo city."""
    return zoned_city


@pytest.fixture(scope="module")
def drawn(result, tmp_path_factory):
    """The GeoPackage that sheets are drawn from."""
    return themes.write(result, tmp_path_factory.mktemp("themes") / "maps.gpkg")


def rows(path, sql):
    with sqlite3.connect(path) as connection:
        return connection.execute(sql).fetchall()


def centi(path, sql):
    """Return sums in 0.01 m2 by key of (keys..., m2)."""
    sums = defaultdict(int)
    for *key, area in rows(path, sql):
        sums[tuple(key)] += round(area * 100)
    return dict(sums)


def paper(result, **said):
    order = orders.load({"stage": "draft", "compiler": "编制处", "name": "演示市", "code": "990100", **said})
    return plans.papers(result, order, "zh", False)


# --- what is drawn ---------------------------------------------------------------------------------


def test_patches_of_zones_add_up_to_the_pieces_of_each_district_to_a_hundredth(result, drawn):
    asked = "SELECT district_code, zone, status, area_m2 FROM {}"
    assert centi(drawn, asked.format("zones")) == centi(result / "zoning.gpkg", asked.format("pieces"))


def test_patches_of_features_add_up_to_the_pieces_they_cover(result, drawn):
    found = centi(drawn, "SELECT role, tier, source_id, area_m2 FROM features")
    shown = "', '".join(sorted(plans.roles_shown()))
    meant = centi(
        result / "zoning.gpkg",
        "SELECT role, coalesce(tier, ''), source_id, area_m2 FROM (SELECT DISTINCT s.role, s.tier, s.source_id,"  # noqa: E501
        " s.layer, s.name, s.piece_id, p.area_m2 FROM piece_sources s JOIN pieces p USING (piece_id))"
        f" WHERE role IN ('{shown}')",
    )
    assert found == meant


def test_the_proposals_of_the_sheet_are_those_that_are_handed_in(result, drawn):
    handed = contents.of_result(result, orders.Order(), schemas.load("shanghai")).sheets["HXJY"]
    meant = defaultdict(int)
    for row in handed.rows():
        meant[row["SZXJXZQDM"], row["JYLX"]] += round(row["MJ"] * 100)
    assert centi(drawn, "SELECT district_code, look, area_m2 FROM proposals") == dict(meant)
    assert rows(drawn, "SELECT count(*) FROM proposals")[0][0] >= len(handed)


def test_a_patch_is_one_polygon_and_touches_no_other_that_looks_alike(drawn):
    _, _, wkb, fields = pyogrio.raw.read(drawn, layer="zones", columns=["district_code", "look", "status"])
    polygons, keys = shapely.from_wkb(wkb), list(zip(*fields))
    assert set(shapely.get_type_id(polygons)) == {3}
    for one, other in zip(*shapely.STRtree(polygons).query(polygons, "touches")):
        if one < other and keys[one] == keys[other]:
            assert shapely.intersection(polygons[one], polygons[other]).length == 0


def test_a_boundary_between_districts_is_drawn_once(drawn):
    _, _, wkb, _ = pyogrio.raw.read(drawn, layer="districts")
    districts = shapely.from_wkb(wkb)
    _, _, lines, (kinds,) = pyogrio.raw.read(drawn, layer="borders", columns=["kind"])
    length = dict(zip(kinds, shapely.length(shapely.from_wkb(lines))))
    outer = shapely.union_all(districts).length
    assert length["outer"] == pytest.approx(outer, abs=0.01)
    assert length["inner"] == pytest.approx((shapely.length(districts).sum() - outer) / 2, abs=0.01)


def test_neighbouring_districts_have_different_tints(drawn):
    _, _, wkb, (shade,) = pyogrio.raw.read(drawn, layer="districts", columns=["shade"])
    districts = shapely.from_wkb(wkb)
    for one, other in zip(*shapely.STRtree(districts).query(districts, "touches")):
        if shapely.intersection(districts[one], districts[other]).length > 1:
            assert shade[one] != shade[other]


def test_a_name_stands_in_what_it_names(drawn):
    _, _, wkb, (codes,) = pyogrio.raw.read(drawn, layer="districts", columns=["district_code"])
    districts = dict(zip(codes, shapely.from_wkb(wkb)))
    _, _, points, (named, radius) = pyogrio.raw.read(
        drawn, layer="district_names", columns=["district_code", "radius"]
    )
    assert set(named) == set(districts)
    for code, point, size in zip(named, shapely.from_wkb(points), radius):
        assert districts[code].contains(point)
        assert size > 100


# --- numbers of legends ----------------------------------------------------------------------------


def hundredths(text):
    return round(float(text.replace(",", "")) * 100)


def test_hectares_of_a_legend_add_up_to_the_district_and_to_the_city(result):
    told = legends.of(result, "zh")["zones"]
    areas = centi(result / "zoning.gpkg", "SELECT coalesce(district_code, ''), area_m2 FROM pieces")
    assert set(told) == {"", *(code for (code,) in areas)}
    whole = sum(areas.values())
    assert sum(map(hundredths, told[""].values())) == pytest.approx(whole / 1e4, abs=0.51)
    for (code,), area in areas.items():
        # Districts are levelled to the city: a printed one may be off by a step or two.
        assert sum(map(hundredths, told[code].values())) == pytest.approx(area / 1e4, abs=2.51)


def test_every_number_of_a_legend_is_in_its_ledger(result):
    told = legends.of(result, "en")
    said = {entry["text"] for entry in told["figures"]["said"]}
    numbers = [text for part in ("zones", "tiers") for row in told[part].values() for text in row.values()]
    assert numbers
    assert set(numbers) <= said


def test_layers_whose_secrecy_is_stated_and_not_public_are_told(result, tmp_path):
    copy = tmp_path / "result"
    shutil.copytree(result, copy)
    assert legends.of(copy, "zh")["sensitive"] == []
    with sqlite3.connect(copy / "zoning.gpkg") as connection:
        connection.execute("UPDATE inputs SET secrecy = '秘密★10年' WHERE role = 'ecological_redline'")
    assert legends.of(copy, "zh")["sensitive"] == ["ecological_redline"]


# --- words -----------------------------------------------------------------------------------------


def test_what_nobody_said_is_an_empty_slot(result):
    words = plans.words(plans.papers(result, None, "zh", False), SHEETS["06"])
    slot = plans.papers(result, None, "zh", False).text("slot")
    for item in ("secrecy", "review", "compiler", "date"):
        assert words[item].endswith(slot), item
    assert words["plan"] == ""
    assert words["title"] == SHEETS["06"].title_zh


def test_what_was_said_stands_in_its_slot(result):
    said = {
        "secrecy": "内部",
        "review_no": "沪S（2026）001号",
        "plan_name": "国土空间总体规划（2021—2035年）",
    }
    words = plans.words(paper(result, **said, date="20261124"), SHEETS["06"])
    assert words["secrecy"] == "密级：内部"
    assert words["review"] == "审图号：沪S（2026）001号"
    assert words["compiler"] == "编制单位：编制处"
    assert words["plan"] == said["plan_name"]
    assert words["date"].endswith("2026-11-24")


@pytest.mark.parametrize(
    ("stage", "mark"), [("draft", "草案"), ("consultation", "征求意见稿"), ("review", "送审稿")]
)
def test_a_sheet_is_marked_until_the_plan_is_approved(result, stage, mark):
    given = plans.papers(result, None, "zh", False)
    assert plans.words(replace(given, order=replace(given.order, stage=stage)), SHEETS["01"])["mark"] == mark
    approved = replace(given, order=replace(given.order, stage="approved"))
    words = plans.words(approved, SHEETS["01"])
    assert (words["mark"], words["stage"]) == ("", "")


def without(given, *roles):
    inputs = [row for row in given.summary["inputs"] if row["role"] not in roles]
    return replace(given, summary={**given.summary, "inputs": inputs})


def test_layers_that_were_not_given_are_named(result):
    given = without(plans.papers(result, None, "zh", False), "soil_erosion", "permanent_basic_farmland")
    assert plans.words(given, SHEETS["05"])["missing"] == "未提供，待补充：土壤侵蚀强度"
    assert plans.words(given, SHEETS["05"])["absent"] == "未提供，待补充"
    words = plans.words(given, SHEETS["02"])
    assert (words["missing"], words["absent"]) == ("未提供，待补充：永久基本农田", "")
    assert plans.words(given, SHEETS["03"])["missing"] == ""


def test_data_dates_are_those_of_the_layers_a_sheet_draws(result):
    given = plans.papers(result, None, "zh", False)
    inputs = [
        {**row, "data_date": "2024-01-01" if row["role"] == "soil_erosion" else row["data_date"]}
        for row in given.summary["inputs"]
    ]
    given = replace(given, summary={**given.summary, "inputs": inputs})
    assert plans.words(given, SHEETS["05"])["data_date"] == "数据日期：2024-01-01"
    assert plans.words(given, SHEETS["03"])["data_date"] == "数据日期：2026-06-30"
    assert plans.words(given, SHEETS["06"])["data_date"] == "数据日期：2024-01-01 至 2026-06-30"


def test_files_are_named_after_the_pattern_of_the_submission(result):
    given = paper(result)
    assert plans.file_name(given, SHEETS["06"]) == "990100演示市06水土保持空间管控分区图"
    district = plans.District("990101", "甲/乙:区")
    assert plans.file_name(given, SHEETS["06"], district) == "990101甲_乙_区06水土保持空间管控分区图"
    long = plans.file_name(given, SHEETS["06"], plans.District("990101", "很" * 200))
    assert len(long.encode()) < 200


def test_a_public_edition_says_that_it_is_one(result):
    given = replace(paper(result), public=True)
    assert plans.words(given, SHEETS["06"])["secrecy"] == "公开版"


# --- names in lines, scales ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("甲区", "甲区"),
        ("长屿东滩湿地自然保护区", "长屿东滩湿地\n自然保护区"),
        ("经济技术开发区（含综合保税区）", "经济技术开发区\n（含综合保税区）"),
        ("Northern Harbour Development District", "Northern Harbour\nDevelopment District"),
    ],
)
def test_a_name_is_broken_into_lines_of_like_length(name, label):
    assert plans.lettered(name).label == label


def test_no_line_begins_with_a_closing_sign_or_ends_with_an_opening_one():
    for room in range(3, 15):
        for line in plans.broken("一二三（四五，六七）八、九十。", plans.ems, room):
            assert line[0] not in "，）、。"
            assert line[-1] != "（"


@pytest.mark.parametrize(
    ("asked", "given"), [(498_700, 500_000), (500_001, 600_000), (100_000, 100_000), (77_000, 80_000)]
)
def test_a_scale_can_be_read_off(asked, given):
    assert plans.round_scale(asked) == given


@pytest.mark.parametrize("scale", [5_000, 12_000, 80_000, 500_000, 600_000])
def test_a_scale_bar_has_whole_segments_and_fits(scale):
    length, count = plans.bar_length(scale, 60)
    assert 20 <= length * count / scale * 1000 <= 60
    assert float(f"{length:.1g}") == length


def test_too_small_means_four_square_millimetres():
    assert plans.smallest_m2(50_000) == pytest.approx(10_000)


# --- sheets as data --------------------------------------------------------------------------------


def test_sheets_are_those_of_the_list_and_every_one_has_both_titles():
    assert list(SHEETS) == [f"{number:02d}" for number in range(1, 11)]
    assert all(sheet.title_zh and sheet.title_en for sheet in SHEETS.values())
    stages = schemas.load("national").stages.values()
    assert [stage.id for stage in stages if not stage.mark_zh] == ["approved"]


def test_the_command_writes_layers_and_numbers(result, tmp_path):
    target = tmp_path / "maps.gpkg"
    command = [sys.executable, "-m", "swc_zoning", "mapdata", str(result), "--output", str(target)]
    done = subprocess.run(
        [*command, "--progress", "json"], check=True, capture_output=True, cwd=ROOT, encoding="utf-8"
    )
    last = json.loads(done.stdout.splitlines()[-1])
    assert last["event"] == "result"
    assert json.loads(Path(last["legends"]).read_text(encoding="utf-8"))["zones"][""]
    assert {name for name, _ in pyogrio.list_layers(target)} >= {"zones", "features", "districts", "borders"}
