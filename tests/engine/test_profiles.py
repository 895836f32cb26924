# SPDX-License-Identifier: GPL-2.0-or-later
"""Profiles: names of a database give roles, tiers and fields."""

from __future__ import annotations

import json

import pytest

from swc_zoning.engine import profiles, roles
from swc_zoning.engine.messages import SwcError


def profile(name):
    return next(one for one in profiles.shipped() if one.id == name)


@pytest.mark.parametrize("one", profiles.shipped(), ids=lambda one: one.id)
def test_a_shipped_profile_names_known_roles_and_tiers_and_says_where_it_is_from(one):
    assert one.name_zh
    assert one.name_en
    for row in one.rows:
        role = roles.find(row.role)
        assert role is not None
        assert row.source
        assert row.status in ("verified", "proposed")
        words = [*(row.tier or {}).get("map", {}).values(), *filter(None, [(row.tier or {}).get("value")])]
        assert set(words) <= set(role.tier_ids)


def test_a_layer_is_told_by_its_name_and_fields_are_spelt_as_it_has_them():
    found = profiles.match(profile("national"), "310000STBHHX2023", ["hxbm", "HXMC", "HXLX", "MJ"])
    assert found.change == {
        "role": "ecological_redline",
        "tier": {"field": "HXLX"},
        "id_field": "hxbm",
        "name_field": "HXMC",
    }


def test_fields_that_a_layer_lacks_are_not_chosen():
    assert profiles.match(profile("national"), "STBHHX", ["ID"]).change == {"role": "ecological_redline"}


def test_a_longer_name_goes_before_a_shorter_one():
    reserve = profiles.match(profile("national"), "YJJBNTCBQ", [])
    assert reserve.change["tier"] == {"value": "pbf_reserve"}
    assert profiles.match(profile("national"), "YJJBNTTB", []).change["tier"] == {"value": "pbf"}


def test_an_extent_has_a_code_field_and_no_tier():
    found = profiles.match(profile("national"), "XZQ", ["XZQDM", "XZQMC"])
    assert found.change == {"role": "admin_extent", "code_field": "XZQDM", "name_field": "XZQMC"}


def test_the_same_name_means_what_the_profile_says():
    found = profiles.match(profile("shanghai2035"), "STBHKZX", ["GKDJDM", "GKDJMC", "BSM"])
    assert found.change["role"] == "eco_control_line"
    assert found.change["tier"]["map"]["02"] == "class2"
    assert profiles.match(profile("national"), "STBHKZX", ["GKDJDM"]) is None


def test_what_the_planner_chose_stays_unless_it_is_to_be_replaced():
    found = profiles.match(profile("national"), "STBHHX", ["HXBM", "HXMC", "HXLX"])
    entry = {"role": "ecological_redline", "source": "a.gpkg", "id_field": "OWN"}
    assert profiles.apply(entry, found)["id_field"] == "OWN"
    assert profiles.apply(entry, found)["name_field"] == "HXMC"
    assert profiles.apply(entry, found, replace=True)["id_field"] == "HXBM"
    other = {"role": "nature_reserve", "source": "a.gpkg", "tier": {"field": "X"}}
    assert profiles.apply(other, found) == other
    assert profiles.apply(other, found, replace=True)["tier"] == {"field": "HXLX"}


def test_a_role_that_is_replaced_takes_its_tiers_along():
    found = profiles.match(profile("national"), "STBHHX", ["HXBM"])
    other = {"role": "nature_reserve", "source": "a.gpkg", "tier": {"field": "X"}}
    assert "tier" not in profiles.apply(other, found, replace=True)


def test_an_own_profile_gives_back_what_the_job_had(tmp_path):
    layer = {
        "role": "nature_reserve",
        "source": "/d/保护地.gpkg",
        "tier": {"field": "FQ", "map": {"甲": "core_protection"}},
    }
    unused = {"role": "slope", "source": "/d/s.gpkg", "use": False}
    job = {"extent": {"source": "/d/q.shp", "code_field": "DM"}, "layers": [layer, unused]}
    path = profiles.write(profiles.from_job(job, "我的 方案"), tmp_path / "profiles")
    (again,) = profiles.own(path.parent)
    assert again.name("zh") == "我的 方案"
    assert len(again.rows) == 2
    found = profiles.match(again, "保护地", ["FQ"])
    assert found.change == {"role": "nature_reserve", "tier": layer["tier"]}
    assert profiles.match(again, "q", ["DM"]).change == {"role": "admin_extent", "code_field": "DM"}


@pytest.mark.parametrize(
    ("document", "code"),
    [
        ("{", "profiles.unreadable"),
        ("[]", "profiles.wrong"),
        (json.dumps({"schema": 9}), "profiles.wrong"),
        (
            json.dumps(
                {
                    "schema": 1,
                    "id": "a",
                    "name_zh": "a",
                    "name_en": "a",
                    "layers": [{"names": "a", "role": "A b"}],
                }
            ),
            "profiles.wrong",
        ),
    ],
)
def test_a_file_that_is_no_profile_is_named(tmp_path, document, code):
    path = tmp_path / "p.json"
    path.write_text(document, encoding="utf-8")
    with pytest.raises(SwcError) as caught:
        profiles.load(path)
    assert caught.value.code == code
    assert profiles.own(tmp_path) == []
