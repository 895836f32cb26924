# SPDX-License-Identifier: GPL-2.0-or-later
"""What a submission says of how its layers were evaluated: items of META, papers of proposals, key areas."""

import json

import pyogrio
import pytest
from evaluations import METHOD, RULES, record
from shapely.geometry import box

from swc_zoning.engine import run
from swc_zoning.engine.evaluation import records
from swc_zoning.engine.submission import contents, schemas
from swc_zoning.engine.submission.order import Order

SCHEMA = schemas.load("shanghai")
CASE = METHOD["method_zh"], RULES[3]["rule_zh"]


@pytest.fixture(scope="module")
def handed(evaluated_city):
    """The sheets of the evaluated city, and of the one whose areas were supplied."""
    return contents.of_result(evaluated_city, Order(), SCHEMA).sheets


def meta(sheets):
    """Return the items of META, values that go on over several rows put together."""
    found = {}
    for row in sheets["META"].rows():
        found[row["ITEM"]] = found.get(row["ITEM"], "") + row["VALUE"]
    return found


def test_meta_names_what_was_run_with_the_status_of_its_sets(handed):
    items = {key: json.loads(text) for key, text in meta(handed).items() if key.startswith("evaluation:")}
    (told,) = items.values()
    assert (told["role"], told["algorithm"]) == ("swc_function_important", "flatdelta")
    assert told["not_discriminating"] == ["evaluation.flat", "evaluation.unreachable"]
    assert [one["status"] for one in told["parameter_sets"]] == [
        one["status"] for one in record()["parameter_sets"]
    ]


def test_a_proposal_cites_method_and_rule_of_the_patch_that_makes_it_one(handed):
    for name in ("HXJY", "HXLZ"):
        rows = [row for row in handed[name].rows() if row["JYLX"] == "K13"]
        assert rows
        for row in rows:
            assert all(word in row["LY"] for word in CASE), name
        others = [row for row in handed[name].rows() if row["JYLX"] == "K12"]
        assert others
        assert not any(METHOD["method_zh"] in row["LY"] for row in others)


def test_areas_that_were_supplied_are_cited_without_a_method(zoned_city):
    sheets = contents.of_result(zoned_city, Order(), SCHEMA).sheets
    assert not [item for item in meta(sheets) if item.startswith("evaluation:")]
    assert not any("评价方法" in row["LY"] for row in sheets["HXJY"].rows())


def test_a_key_area_and_its_unit_are_two_areas(make_job, tmp_path):
    path = make_job(
        extent=[(box(0, 0, 4000, 2000), {"code": "310101", "name": "甲区"})],
        key_prevention_zone=[
            (box(0, 0, 1000, 1000), {"id": "甲", "tier": "county", "unit_km2": 2.5, "key_km2": 1.0}),
            (box(2000, 0, 3000, 1000), {"id": "乙", "tier": "county", "unit_km2": None, "key_km2": 1.0}),
        ],
        key_treatment_zone=[(box(3000, 1000, 3500, 2000), {"id": "丙", "tier": "county", "unit_km2": 9.0})],
    )
    records.write(tmp_path / "key_prevention_zone.gpkg", {"algorithm": "keyareas"})
    assert len(pyogrio.list_layers(tmp_path / "key_prevention_zone.gpkg")) == 2
    run.run(path).write(tmp_path / "result")
    sheets = contents.of_result(tmp_path / "result", Order(), SCHEMA).sheets
    found = {row["MC"]: (row["MJ"], row["DYMJ"]) for row in sheets["ZDYFQ"].rows()}
    assert found["甲"] == (pytest.approx(1e6, rel=1e-2), 2.5e6)
    assert found["乙"][1] is None, "not known, not nought"
    (other,) = sheets["ZDZLQ"].rows()
    assert other["DYMJ"] is None, "a field of that name in a layer no evaluation made says nothing"
