# SPDX-License-Identifier: GPL-2.0-or-later
"""Files of the submission have exactly the schema and keep what they are given; orders say what is asked."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
import shapely

from swc_zoning.engine import rules
from swc_zoning.engine.messages import Blocked, SwcError
from swc_zoning.engine.submission import datasets, order, schemas, sheets
from swc_zoning.engine.submission.sheets import Sheet

SCHEMA = schemas.load("national")


def patch(**changes):
    """Return a row of SBGKFQ with everything that is required."""
    row = {
        field.name: "0" for field in SCHEMA.layers["SBGKFQ"].fields if field.required and field.kind == "text"
    }
    named = {
        "BSM": "990101000000000001",
        "FQDM": "0101",
        "FQMC": "禁止管控区",
        "TQMJ": 9995.1657,
        "TBMJ": 9995.17,
    }
    return {**row, **named, **changes}


def control_zones(*rows, geometry=None):
    drawn = shapely.box(121.1234567891, 31, 121.2, 31.1 + np.arange(len(rows)) / 100)
    return Sheet.of(SCHEMA.layers["SBGKFQ"], rows, drawn if geometry is None else geometry)


@pytest.mark.parametrize("form", ["gdb", "gpkg"])
def test_names_aliases_widths_and_code_sets_are_those_of_the_schema(tmp_path, form):
    path = tmp_path / f"990100演示市.{form}"
    datasets.write(path, form, [control_zones(patch())], SCHEMA.domains)
    described = datasets.describe(path, form)["SBGKFQ"]
    assert described.crs == "EPSG:4490"
    for found, field in zip(described.fields, SCHEMA.layers["SBGKFQ"].fields):
        assert (found.name, found.kind) == (field.name, field.kind)
        assert found.alias == field.alias_zh
        assert found.length == (field.length if field.kind == "text" else 0)
        assert found.domain == (field.domain if field.domain and not field.listed else "")
    assert datasets.domains(path, form)["FQDM"] == SCHEMA.domains["FQDM"]


def test_a_shapefile_is_gbk_with_exact_widths_and_the_short_names_of_the_schema(tmp_path):
    layer = SCHEMA.layers["HXJY"]
    row = {field.name: "0" for field in layer.fields if field.kind == "text" and field.required}
    row.update({"BSM": "990101000000000001", "MJ": 12.34, "HXMC": "汉" * 50})
    sheet = Sheet.of(layer, [row], np.array([shapely.box(121, 31, 121.1, 31.1)], object))
    datasets.write(tmp_path / "shp", "shp", [sheet])
    assert {path.suffix for path in (tmp_path / "shp").iterdir()} >= {".shp", ".shx", ".dbf", ".prj", ".cpg"}
    assert (tmp_path / "shp/HXJY.cpg").read_text() == "GBK"
    described = datasets.describe(tmp_path / "shp", "shp")["HXJY"]
    assert [(f.name, f.length, f.decimals) for f in described.fields] == [
        (field.short, datasets.shp_length(field) if field.kind == "text" else field.length, field.decimals)
        for field in layer.fields
    ]
    assert datasets.read(tmp_path / "shp", "shp", "HXJY").columns["HXMC"].tolist() == ["汉" * 50]


@pytest.mark.parametrize("form", ["gdb", "gpkg", "shp"])
def test_coordinates_and_values_come_back_as_they_were_given(tmp_path, form):
    rows = [patch(), patch(BSM="990101000000000002", BZ="一二", TQMJ=0.0001), patch(BSM="3", TBMJ=8e9 + 0.01)]
    sheet = control_zones(*rows)
    path = tmp_path / f"x.{form}"
    datasets.write(path, form, [sheet], SCHEMA.domains)
    raw = datasets.read(path, form, "SBGKFQ")
    assert raw.columns["BSM"].tolist() == [row["BSM"] for row in rows]
    assert raw.columns["TBMJ"].tolist() == [row["TBMJ"] for row in rows]
    assert raw.columns["BZ"].tolist() == [None, "一二", None]
    found = shapely.get_coordinates(shapely.normalize(raw.polygons()))
    assert np.abs(found - shapely.get_coordinates(shapely.normalize(sheet.geometry))).max() < 1e-10


def test_a_character_gbk_cannot_hold_is_refused_by_name(tmp_path):
    with pytest.raises(SwcError) as caught:
        datasets.write(tmp_path / "shp", "shp", [control_zones(patch(XZQMC="𠮷野区"))])
    assert caught.value.code == "datasets.rare"
    assert caught.value.facts["field"] == "XZQMC"
    assert caught.value.facts["point"] == "U+20BB7"


def test_a_value_a_shapefile_would_cut_is_refused(tmp_path):
    with pytest.raises(SwcError) as caught:
        datasets.write(tmp_path / "shp", "shp", [control_zones(patch(XZQMC="长" * 51))])
    assert caught.value.code == "datasets.too_long"


def test_rare_characters_survive_in_the_databases(tmp_path):
    for form in ("gdb", "gpkg"):
        path = tmp_path / f"x.{form}"
        datasets.write(path, form, [control_zones(patch(XZQMC="𠮷野区"))], SCHEMA.domains)
        assert datasets.read(path, form, "SBGKFQ").columns["XZQMC"].tolist() == ["𠮷野区"]


def test_rows_are_added_to_a_layer_that_is_there(tmp_path):
    layer = SCHEMA.layers["META"]
    for form in ("gdb", "gpkg"):
        path = tmp_path / f"x.{form}"
        datasets.write(path, form, [Sheet.of(layer, [{"ITEM": "a", "XH": 1}])])
        datasets.append(path, form, Sheet.of(layer, [{"ITEM": "b", "XH": 2, "VALUE": "值"}]))
        raw = datasets.read(path, form, "META")
        assert raw.wkb is None
        assert raw.columns["VALUE"].tolist() == [None, "值"]


def test_what_is_no_data_set_is_told(tmp_path):
    (tmp_path / "x.gpkg").write_text("no")
    with pytest.raises(SwcError) as caught:
        datasets.describe(tmp_path / "x.gpkg", "gpkg")
    assert caught.value.code == "datasets.unreadable"


# --- schema and order ------------------------------------------------------------------------------


@pytest.mark.parametrize("profile", schemas.shipped())
def test_every_field_can_be_written_in_every_format(profile):
    schema = schemas.load(profile)
    for layer in schema.layers.values():
        names = [field.short for field in layer.fields]
        assert len(set(names)) == len(names)
        assert all(re.fullmatch(r"[A-Z][A-Z0-9_]{0,9}", name) for name in [*names, layer.name]), layer.name
        for field in layer.fields:
            assert field.kind in ("text", "integer", "real")
            assert field.domain is None or field.domain in schema.domains
            assert field.grade in "SPTMD"


def test_the_profile_of_shanghai_lies_over_the_national_one():
    shanghai = schemas.load("shanghai")
    assert (shanghai.code, shanghai.name) == ("310000", "上海市")
    assert shanghai.layers == SCHEMA.layers


def test_code_sets_of_the_decision_table_are_filled_in():
    table = rules.load()
    assert set(SCHEMA.domains["CSDM"]) == set(table.measures)
    assert set(SCHEMA.domains["CTLX"]) == set(table.conflicts)


def test_explanatory_text_is_cut_by_bytes_and_says_so():
    assert sheets.fitted("汉字说明", 8) == "汉字说明"
    assert len(sheets.fitted("汉字说明文字", 8).encode("gb18030")) <= 8
    assert sheets.fitted("汉字说明文字", 8).endswith("…")


def test_an_order_says_everything_its_stage_requires(tmp_path):
    with pytest.raises(Blocked) as caught:
        order.load({"stage": "review", "compiler": "规划院"})
    missing = {finding.facts["key"] for finding in caught.value.findings}
    assert missing == {"plan_name", "secrecy", "consultation_no", "consultation_date"}
    assert order.load({"compiler": "规划院"}).stage == "draft"
    # What a command line leaves out does not undo what the document says.
    asked = {"compiler": "规划院", "profile": "national", "public": False}
    kept = order.load(asked, profile=None, public=None)
    assert (kept.profile, kept.public) == ("national", False)
    assert order.load(asked, profile="shanghai").profile == "shanghai"


def test_everything_wrong_with_an_order_is_told_at_once(tmp_path):
    document = {"stage": "draft", "compiler": "x", "date": "20261332", "formats": ["dwg"], "colour": "red"}
    with pytest.raises(Blocked) as caught:
        order.load(document)
    codes = {finding.code for finding in caught.value.findings}
    assert codes == {"order.date_odd", "schema.enum", "schema.unknown_key"}


def test_an_order_is_named_by_itself_its_profile_or_its_districts(tmp_path):
    plain = order.load({"compiler": "x", "profile": "national", "name": "演示市"})
    assert order.named(plain, SCHEMA, ["990101", "990151"]).code == "990100"
    assert order.named(order.Order(), schemas.load("shanghai"), []).name == "上海市"
    with pytest.raises(SwcError, match=r"order\.no_name"):
        order.named(order.Order(profile="national"), SCHEMA, ["990101"])


def test_an_order_file_names_paths_beside_itself(tmp_path):
    (tmp_path / "old").mkdir()
    (tmp_path / "order.json").write_text(json.dumps({"compiler": "x", "register": "old"}), encoding="utf-8")
    assert order.load(tmp_path / "order.json").register == tmp_path / "old"


def test_a_change_that_is_not_given_leaves_what_the_order_says():
    document = {"compiler": "x", "profile": "national", "name": "演示市"}
    assert order.load(document, profile=None, stage=None).profile == "national"
    assert order.load(document, profile="shanghai").profile == "shanghai"
