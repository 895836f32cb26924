# SPDX-License-Identifier: GPL-2.0-or-later
"""Roles, their tiers, and recognition of layers as planners name them."""

from collections import Counter

import pytest

from swc_zoning.engine import roles
from swc_zoning.engine.roles import canonical_tier, recognise

CONTROL_AND_CONTEXT = [
    "ecological_redline",
    "permanent_basic_farmland",
    "urban_development_boundary",
    "territorial_space",
    "drinking_water_source",
    "national_park",
    "nature_reserve",
    "nature_park",
    "scenic_heritage",
    "important_wetland",
    "key_prevention_zone",
    "key_treatment_zone",
    "erosion_prone_area",
    "swc_function_important",
    "severe_fragile_area",
    "geohazard_area",
    "steep_slope_ban",
    "vegetation_belt",
    "river_lake_management",
    "water_function_zone_1",
    "protection_forest",
    "soil_erosion",
    "landuse_status",
    "planned_construction",
    "mining_right",
    "approved_not_supplied",
    "eco_control_line",
    "registered_exemption",
    "land_mask",
]


def test_all_roles_of_the_reference_are_known():
    ids = [role.id for role in roles.all_roles()]
    assert ids[: len(CONTROL_AND_CONTEXT)] == CONTROL_AND_CONTEXT
    assert {role.kind for role in roles.all_roles()} == {"control", "context", "supporting"}


def test_the_extent_is_apart_and_can_be_found():
    assert roles.extent_role().param == "EXTENT"
    assert roles.find("admin_extent") is roles.extent_role()
    assert roles.extent_role() not in roles.all_roles()


def test_parameters_are_the_ids_in_capitals():
    assert all(role.param == role.id.upper() for role in roles.all_roles())


def test_roles_with_tiers_are_those_that_are_not_mere_support():
    for role in roles.all_roles():
        assert bool(role.tiers) is (role.kind != "supporting"), role.id
        assert roles.UNKNOWN not in role.tier_ids


def test_no_word_of_a_role_stands_for_two_tiers():
    for role in roles.all_roles():
        words = Counter()
        for tier in role.tiers:
            words.update({roles._key(w) for w in (tier.id, tier.name_zh, tier.name_en, *tier.aliases)})
        assert [word for word, count in words.items() if count > 1] == [], role.id


def test_every_word_of_every_tier_leads_to_that_tier():
    for role in roles.all_roles():
        for tier in role.tiers:
            for word in (tier.id, tier.name_zh, tier.name_en, *tier.aliases):
                assert canonical_tier(role.id, word) == tier.id, (role.id, word)
        assert set(role.prefixes.values()) <= set(role.tier_ids)
        assert role.when_missing in ("", *role.tier_ids)


@pytest.mark.parametrize(
    ("role", "value", "tier"),
    [
        ("nature_reserve", "核心区", "core_protection"),
        ("nature_reserve", "缓冲区", "core_protection"),
        ("nature_reserve", "实验区", "general_control"),
        ("nature_reserve", " 核心 保护区 ", "core_protection"),
        ("nature_reserve", "Core_Protection", "core_protection"),
        ("drinking_water_source", "一级", "level1"),
        ("drinking_water_source", "1", "level1"),
        ("drinking_water_source", "２", "level2"),
        ("drinking_water_source", 1, "level1"),
        ("drinking_water_source", 2.0, "level2"),
        ("drinking_water_source", "准保护区", "quasi"),
        ("drinking_water_source", "缓冲区", "buffer"),
        ("urban_development_boundary", "城镇集中建设区", "concentrated"),
        ("urban_development_boundary", "城镇弹性发展区", "flexible"),
        ("urban_development_boundary", "特别用途区", "special_use"),
        ("urban_development_boundary", "03", "special_use"),
        ("eco_control_line", "02", "class2"),
        ("eco_control_line", "四类生态空间", "class4"),
        ("soil_erosion", "极强烈", "very_intense"),
        ("soil_erosion", "微度", "slight"),
        ("key_prevention_zone", "市级", "municipal"),
        ("important_wetland", "国家重要湿地", "national"),
        ("ecological_redline", "生物多样性维护", "biodiversity"),
        ("landuse_status", "0101", "cropland"),
        ("landuse_status", "0201K", "orchard"),
        ("landuse_status", "0301", "forest"),
        ("landuse_status", "0304", "wetland"),
        ("landuse_status", "0404", "grass"),
        ("landuse_status", "05H1", "construction"),
        ("landuse_status", "0702", "construction"),
        ("landuse_status", "1003", "transport"),
        ("landuse_status", "1101", "water"),
        ("landuse_status", "1105", "tidal_flat"),
        ("landuse_status", "1106", "tidal_flat"),
        ("landuse_status", "0011", "wetland"),
        ("landuse_status", "1206", "bare"),
        ("landuse_status", "1207", "bare"),
        ("landuse_status", "1202", "other"),
    ],
)
def test_values_as_data_carry_them_become_canonical(role, value, tier):
    assert canonical_tier(role, value) == tier


@pytest.mark.parametrize("value", [None, "", "  ", "<Null>", "NULL", float("nan"), "/"])
def test_a_missing_value_is_unknown_or_the_only_or_the_usual_tier(value):
    assert canonical_tier("nature_reserve", value) == "unknown"
    assert canonical_tier("land_mask", value) == "land"
    assert canonical_tier("registered_exemption", value) == "yes"
    assert canonical_tier("permanent_basic_farmland", value) == "pbf"


@pytest.mark.parametrize("value", ["五级", "待定", "13x", "unknown", 77])
def test_a_value_nobody_knows_is_unknown(value):
    assert canonical_tier("drinking_water_source", value) == "unknown"
    assert canonical_tier("landuse_status", "99") == "unknown"


def test_the_map_of_the_job_goes_first_and_may_speak_aliases():
    job_map = {"A": "level1", "1": "二级", "Ｃ": "nonsense"}
    assert canonical_tier("drinking_water_source", "a", job_map) == "level1"
    assert canonical_tier("drinking_water_source", 1.0, job_map) == "level2"
    assert canonical_tier("drinking_water_source", "C", job_map) == "unknown"
    assert canonical_tier("drinking_water_source", "准", job_map) == "quasi"


def test_free_and_supporting_roles_have_no_tier():
    assert canonical_tier("my_parcels", "一级") == ""
    assert canonical_tier("small_watershed", "x") == ""
    assert roles.find("my_parcels") is None
    assert roles.is_valid_id("my_parcels")
    assert not roles.is_valid_id("My parcels")


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("ecological_red_line", "ecological_redline"),
        ("Nature_Reserves", "nature_reserve"),
        ("landuse", "landuse_status"),
    ],
)
def test_a_misspelt_role_is_led_to_the_nearest(written, meant):
    assert roles.nearest(written) == meant


RED_LINE = ["SZXJXZQDM", "HXBM", "HXMC", "HXLX", "LXBM", "MJ", "SFZRBHDHXQ", "SFZRBHDYBK"]


@pytest.mark.parametrize(
    ("layer", "fields", "role", "tier_field", "id_field", "name_field"),
    [
        ("GCS330300G02_STBHHX_LD_PY", RED_LINE, "ecological_redline", "HXLX", "HXBM", "HXMC"),
        ("stbhhx2023", [], "ecological_redline", "", "", ""),
        ("生态保护红线_陆域", RED_LINE, "ecological_redline", "HXLX", "HXBM", "HXMC"),
        ("图层1", RED_LINE, "ecological_redline", "HXLX", "HXBM", "HXMC"),
        ("CZKFBJ", ["BSM", "GHFQDM", "GHFQMC", "MJ"], "urban_development_boundary", "GHFQMC", "BSM", ""),
        ("上海市CSKFBJ", ["BSM", "XZQMC"], "urban_development_boundary", "", "BSM", "XZQMC"),
        ("YJJBNTTB", ["BSM", "YJJBNTTBBH", "DLBM", "DLMC"], "permanent_basic_farmland", "", "YJJBNTTBBH", ""),
        (
            "新建图层",
            ["YJJBNTTBBH", "YJJBNTMJ", "DLBM", "DLMC", "TBBH"],
            "permanent_basic_farmland",
            "",
            "YJJBNTTBBH",
            "",
        ),
        ("DLTB", ["BSM", "DLBM", "DLMC", "TBBH"], "landuse_status", "DLBM", "BSM", "DLMC"),
        ("SYDBHQ_2018", ["SYDBM", "SYDMC", "BHQJB"], "drinking_water_source", "BHQJB", "SYDBM", "SYDMC"),
        ("黄浦江上游饮用水水源保护区", ["名称", "级别"], "drinking_water_source", "级别", "", "名称"),
        ("STBHKZX", ["BSM", "GKDJDM", "GKDJMC"], "eco_control_line", "GKDJDM", "BSM", ""),
        ("国家湿地公园", ["BHLX"], "nature_park", "BHLX", "", ""),
        ("重要湿地名录", ["SDMC", "SDJB"], "important_wetland", "SDJB", "", "SDMC"),
        ("水土流失重点预防区", ["级别"], "key_prevention_zone", "级别", "", ""),
        ("水源涵养林", [], "protection_forest", "", "", ""),
        ("XZQ", ["XZQDM", "XZQMC"], "admin_extent", "", "XZQDM", "XZQMC"),
        ("river_management", [], "river_lake_management", "", "", ""),
    ],
)
def test_layers_as_planners_name_them_are_recognised(layer, fields, role, tier_field, id_field, name_field):
    best = recognise(layer, fields, "MultiPolygon")[0]
    assert (best.role, best.tier_field, best.id_field, best.name_field) == (
        role,
        tier_field,
        id_field,
        name_field,
    )
    assert 0.3 < best.confidence <= 1


def test_a_layer_of_all_protected_areas_is_offered_as_each_kind_and_says_so():
    found = recognise("ZRBHD", ["BHDBM", "BHDMC", "BHLX", "BHFQ", "JB"], "Polygon")
    by_role = {one.role: one for one in found}
    assert {found[0].role, found[1].role} == {"nature_reserve", "nature_park"}
    assert by_role["nature_reserve"].tier_field == "BHFQ"
    assert by_role["nature_park"].tier_field == "BHLX"
    assert by_role["nature_park"].reasons[0].facts == {"word": "ZRBHD", "others": "nature_reserve"}


def test_every_guess_has_reasons_that_read_as_sentences():
    found = recognise("自然保护地 STBHHX 湿地", [*RED_LINE, "BHDBM"], "Polygon")
    assert len(found) >= 4
    for one in found:
        assert one.reasons
        assert all(reason.sentence("zh") and reason.sentence("en") for reason in one.reasons)


def test_lines_and_points_are_guessed_with_doubt():
    surface = recognise("STBHHX", RED_LINE, "Polygon")[0]
    line = recognise("STBHHX", RED_LINE, "MultiLineString")[0]
    assert line.confidence < surface.confidence / 2
    assert line.reasons[-1].code == "roles.not_polygon"


def test_an_unrelated_layer_is_not_guessed():
    assert recognise("layer_7", ["fid", "value"], "Polygon") == []


def test_guesses_do_not_depend_on_the_order_of_fields():
    assert recognise("ZRBHD", ["BHFQ", "BHLX"]) == recognise("ZRBHD", ["BHLX", "BHFQ"])


def test_fields_are_told_for_a_role_that_was_chosen_by_hand():
    fields = ["bsm", "HXLX", "备注"]
    assert roles.fields_for("ecological_redline", fields) == ("HXLX", "bsm", "")
    assert roles.fields_for("own_role", fields) == ("", "", "")
