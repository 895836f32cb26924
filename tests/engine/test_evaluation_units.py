# SPDX-License-Identifier: GPL-2.0-or-later
"""Statistics by unit, key areas, the conservation rate: known areas, refusals, published tables, a city."""

import csv
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import shapely

rasterio = pytest.importorskip("rasterio")

from swc_zoning.engine import areas, formats, roles, schema, targets  # noqa: E402
from swc_zoning.engine.evaluation import grades, key_rules, running, sets  # noqa: E402
from swc_zoning.engine.messages import SwcError  # noqa: E402
from swc_zoning.paths import resource  # noqa: E402

CRS = "EPSG:4549"
EAST, NORTH = 500000, 3450000


def box(west, south, east, north):
    """Return a rectangle in kilometres from the corner."""
    return shapely.box(*(EAST + 1000 * west, NORTH + 1000 * south, EAST + 1000 * east, NORTH + 1000 * north))


@pytest.fixture
def layer(tmp_path):
    """Return a maker of layers: layer(name, [(geometry, value, ...)], fields, crs) -> path."""

    def make(name, rows, fields=("name",), crs=CRS):
        path = tmp_path / f"{name}.gpkg"
        geometry, *values = zip(*rows)
        columns = {}
        for field, column in zip(fields, values):
            texts = any(isinstance(one, str) or one is None for one in column)
            columns[field] = np.array(column, object) if texts else np.array(column)
        wkb = shapely.to_wkb(np.array(geometry, object))
        formats.write_table(path, name, [formats.Batch(wkb, columns)], crs, geometry[0].geom_type)
        return path

    return make


@pytest.fixture
def raster(tmp_path):
    """Return a maker of rasters of 100 m cells with their south-west corner at the corner."""

    def make(name, values, cell=100.0, nodata=-1.0):
        path, values = tmp_path / f"{name}.tif", np.asarray(values, np.float32)
        rows, cols = values.shape
        place = rasterio.Affine(cell, 0, EAST, 0, -cell, NORTH + rows * cell)
        profile = {"driver": "GTiff", "count": 1, "dtype": "float32", "nodata": nodata, "crs": CRS}
        with rasterio.open(path, "w", transform=place, width=cols, height=rows, **profile) as target:
            target.write(values, 1)
        return path

    return make


@pytest.fixture
def table(tmp_path):
    def make(name, text, encoding="utf-8"):
        path = tmp_path / f"{name}.csv"
        path.write_bytes(text.encode(encoding))
        return path

    return make


def run(name, tmp_path, folder=None, **parameters):
    def plain(value):
        return [plain(one) for one in value] if isinstance(value, list) else _text(value)

    document = {key: plain(value) for key, value in parameters.items()}
    return running.run(name, document, tmp_path / (folder or f"made-{name}"), tmp_path)


def _text(value):
    return str(value) if isinstance(value, Path) else value


def refused(name, tmp_path, **parameters):
    with pytest.raises(SwcError) as caught:
        run(name, tmp_path, **parameters)
    return caught.value.code


def codes(result):
    return [finding.code for finding in result.findings]


def facts_of(result, code):
    return next(finding.facts for finding in result.findings if finding.code == code)


def rows_of(path, key):
    rows = list(csv.DictReader(path.read_text(encoding="utf-8-sig").splitlines()))
    return {row[key]: row for row in rows}


def official(*shapes):
    return areas.area_model(CRS).areas(np.array(shapes, object)) / 1e6


# --- intensities -----------------------------------------------------------------------------------


def test_intensities_are_read_from_words_and_from_both_codings():
    assert grades.read(["微度", "轻度侵蚀", "剧烈", "", "强烈"], "auto", "x").tolist() == [0, 1, 5, 6, 3]
    assert grades.read(["0", "5", "1.0"], "auto", "x").tolist() == [0, 5, 1]
    assert grades.read(["6", "2"], "auto", "x").tolist() == [5, 1]
    assert grades.read(["2", "3"], "1-6", "x").tolist() == [1, 2]


@pytest.mark.parametrize(
    ("texts", "code"),
    [(["2", "3"], "intensity_coding"), (["0", "6"], "intensity_coding"), (["0", "2.5"], "intensity_words"),
     (["0", "很强"], "intensity_words")],
)  # fmt: skip
def test_an_intensity_that_is_not_clear_is_refused(texts, code):
    with pytest.raises(SwcError) as caught:
        grades.read(texts, "auto", "x")
    assert caught.value.code == f"units.{code}"


# --- statistics ------------------------------------------------------------------------------------

WEST, EASTERN = box(0, 0, 10, 10), box(10, 0, 20, 10)
UNITS = [(WEST, "甲镇", "01"), (EASTERN, "乙镇", "02")]


@pytest.fixture
def units(layer):
    return layer("towns", UNITS, ("name", "code"))


def statistics(tmp_path, units, **given):
    return run("unitstatistics", tmp_path, units=units, name_field="name", code_field="code", **given)


def test_polygons_are_measured_by_unit_on_the_ellipsoid(units, layer, tmp_path):
    worn = [(box(8, 0, 12, 1), "轻度"), (box(0, 5, 1, 6), "剧烈"), (box(15, 5, 16, 6), "微度")]
    made = statistics(tmp_path, units, erosion=layer("worn", worn, ("QSQDMC",)))
    rows = rows_of(made.files["table"], "code")
    light, severe, unit = official(box(8, 0, 10, 1), box(0, 5, 1, 6), WEST)
    assert float(rows["01"]["light_km2"]) == pytest.approx(light, abs=1e-6)
    assert float(rows["01"]["severe_km2"]) == pytest.approx(severe, abs=1e-6)
    assert float(rows["01"]["slight_km2"]) == pytest.approx(unit - light - severe, abs=2e-6)
    assert float(rows["01"]["eroded_percent"]) == pytest.approx(100 * (light + severe) / unit, abs=1e-5)
    assert float(rows["02"]["severe_km2"]) == 0
    both = sum(float(row["light_km2"]) for row in rows.values())
    assert both == pytest.approx(float(official(box(8, 0, 12, 1))[0]), abs=2e-6)


def test_what_was_not_given_is_empty_and_said(units, layer, tmp_path):
    made = statistics(tmp_path, units, reserves=layer("park", [(box(0, 0, 1, 1), "园")]))
    row = rows_of(made.files["table"], "code")["01"]
    assert row["eroded_km2"] == row["density"] == row["cover_mean"] == ""
    assert float(row["reserves_percent"]) == pytest.approx(1, rel=1e-3)
    assert facts_of(made, "units.not_given")["names"].split(", ")[:2] == ["erosion", "forest_grass"]
    back = formats.read_back(made.files["units"], "unit_statistics").columns
    assert all(value is None or np.isnan(value) for value in back["eroded_km2"])
    assert back["reserves_km2"][1] == 0


def test_ground_that_is_covered_twice_counts_once_for_the_worse(units, layer, tmp_path):
    worn = [(box(0, 0, 2, 1), "轻度"), (box(1, 0, 3, 1), "中度"), (box(2, 0, 3, 1), "")]
    made = statistics(tmp_path, units, erosion=layer("worn", worn, ("QSQDMC",)))
    row = rows_of(made.files["table"], "code")["01"]
    assert float(row["light_km2"]) == pytest.approx(1, rel=1e-3)
    assert float(row["moderate_km2"]) == pytest.approx(2, rel=1e-3)
    assert float(row["erosion_unknown_km2"]) == 0
    assert facts_of(made, "units.doubled")["km2"] == pytest.approx(2, rel=1e-3)


def test_a_layer_of_lines_is_refused_and_one_without_features_said(units, layer, tmp_path):
    lines = layer("lines", [(shapely.LineString(box(0, 0, 1, 1).exterior), "线")])
    assert refused("unitstatistics", tmp_path, units=units, name_field="name", sources=lines) == (
        "units.no_polygons"
    )
    nothing = layer("nothing", [(shapely.Polygon(), "空")])
    made = statistics(tmp_path, units, sources=nothing)
    assert facts_of(made, "units.empty_layer")["path"] == "nothing.gpkg"
    assert float(rows_of(made.files["table"], "code")["01"]["sources_km2"]) == 0


def test_land_use_and_patches_make_shares(units, layer, tmp_path):
    use = [(box(0, 0, 5, 10), "0301"), (box(5, 0, 6, 10), "0404"), (box(6, 0, 10, 10), "0101"),
           (box(10, 0, 20, 10), "0303")]  # fmt: skip
    patches = [(box(0, 0, 1, 10), "极重要"), (box(1, 0, 3, 10), "重要")]
    given = {"landuse": layer("use", use, ("DLBM",)), "patches": layer("patches", patches, ("ZYXDJ",))}
    rows = rows_of(statistics(tmp_path, units, **given).files["table"], "code")
    assert float(rows["01"]["forest_grass_percent"]) == pytest.approx(60, rel=1e-3)
    assert float(rows["02"]["forest_grass_percent"]) == 0
    assert float(rows["01"]["important_percent"]) == pytest.approx(30, rel=1e-3)
    assert float(rows["01"]["extremely_percent"]) == pytest.approx(10, rel=1e-3)


def test_rasters_are_counted_by_unit_and_gaps_are_said(units, raster, tmp_path):
    worn, cover = np.zeros((100, 200)), np.full((100, 200), 50.0)
    worn[0, :100] = 3
    worn[:, 100:150] = -1
    cover[:, :50] = 100
    slope = np.where(np.arange(200) < 20, 15.0, 3.0) + np.zeros((100, 1))
    given = {"intensity": raster("i", worn), "cover": raster("c", cover), "slope": raster("s", slope)}
    made = statistics(tmp_path, units, **given)
    rows = rows_of(made.files["table"], "code")
    assert (float(rows["01"]["intense_km2"]), float(rows["01"]["eroded_percent"])) == (1, 1)
    assert float(rows["02"]["erosion_unknown_km2"]) == 50
    assert float(rows["01"]["cover_mean"]) == 0.75
    assert float(rows["01"]["steep_percent"]) == 20
    gaps = [finding.facts for finding in made.findings if finding.code == "units.gaps"]
    assert [(one["name"], one["units"]) for one in gaps] == [("intensity", "02 乙镇")]


def test_a_unit_without_any_data_has_no_value(units, raster, tmp_path):
    worn, kinds = np.zeros((100, 200)), np.ones((100, 200))
    worn[:, 100:] = kinds[:, 100:] = -1
    made = statistics(tmp_path, units, intensity=raster("i", worn), ecosystem=raster("e", kinds))
    rows = rows_of(made.files["table"], "code")
    assert rows["02"]["eroded_km2"] == rows["02"]["forest_grass_percent"] == ""
    assert float(rows["01"]["forest_grass_percent"]) == 100


def test_people_are_found_by_code_in_a_table_as_spreadsheets_write_it(units, table, tmp_path):
    people = table("people", "code,population,镇\n01,20000,甲\n09,5,丙\n", "gb18030")
    made = statistics(tmp_path, units, population=people)
    rows = rows_of(made.files["table"], "code")
    assert float(rows["01"]["density"]) == pytest.approx(200, rel=1e-3)
    assert rows["02"]["density"] == ""
    assert facts_of(made, "units.rows_unknown")["names"] == "09"
    assert facts_of(made, "units.rows_missing")["names"] == "02"


def test_units_that_overlap_are_refused_and_parts_of_one_code_are_one(layer, tmp_path):
    lapping = layer("lapping", [(WEST, "甲", "1"), (box(9, 0, 12, 10), "乙", "2")], ("name", "code"))
    assert refused("unitstatistics", tmp_path, units=lapping, name_field="name") == "evaluation.units_overlap"
    split = layer("split", [(WEST, "甲", "1"), (box(30, 0, 31, 1), "甲", "1")], ("name", "code"))
    made = statistics(tmp_path, split)
    assert list(rows_of(made.files["table"], "code")) == ["1"]


def test_districts_of_a_real_city_in_degrees_sum_to_what_lies_in_them(layer, shared, tmp_path):
    strips = [(shapely.box(120.5 + 0.5 * n, 30, 121 + 0.5 * n, 32.5), "轻度") for n in range(5)]
    worn = layer("strips", strips, ("QSQDMC",), "EPSG:4490")
    given = {
        "units": shared / "shanghai_districts/shanghai_district_tianditu.gpkg",
        "name_field": "district_name",
        "erosion": worn,
    }
    made = run("unitstatistics", tmp_path, **given)
    rows = rows_of(made.files["table"], "name")
    assert len(rows) == 16
    for row in rows.values():
        assert float(row["light_km2"]) == pytest.approx(float(row["unit_km2"]), abs=1e-4)
    # The source of the data states 7207 km2.
    assert sum(float(row["unit_km2"]) for row in rows.values()) == pytest.approx(7207, abs=5)


# --- key areas -------------------------------------------------------------------------------------

#: Six townships, three by two: place of the corner, eroded and source areas in percent.
TOWNS = {"A": (0, 0, 1, 40), "B": (10, 0, 2, 35), "C": (20, 0, 20, 0), "D": (0, 10, 1, 5),
         "E": (10, 10, 12, 0), "F": (20, 10, 1, 45)}  # fmt: skip


@pytest.fixture
def towns(layer):
    """Return statistics of the six townships; A and B touch, F touches A and B at no edge."""
    rows = [
        (box(x, y, x + 10, y + 10), name, name.lower(), float(eroded), float(sources))
        for name, (x, y, eroded, sources) in TOWNS.items()
    ]
    return layer("towns", rows, ("name", "code", "eroded_percent", "sources_percent"))


def rule(kind, level, indicator, op, value, rule_id=None):
    made = {"id": rule_id or f"{kind}_{level}", "kind": kind, "level": level, "zh": "规则", "en": "rule"}
    return {**made, "all": [{"indicator": indicator, "op": op, "value": value}]}


@pytest.fixture
def book(tmp_path):
    def make(*rules):
        head = {
            "id": "own",
            "name_zh": "自定",
            "name_en": "Own",
            "source": "市",
            "article": "",
            "status": "verified",
        }
        path = tmp_path / "rules.json"
        path.write_text(json.dumps({**head, "rules": rules}), encoding="utf-8")
        return path

    return make


PREVENTION = rule("prevention", "county", "sources_percent", ">=", 10)
TREATMENT = rule("treatment", "county", "eroded_percent", ">=", 5)


def units_of(made):
    columns = formats.read_back(made.files["units"], "key_units").columns
    names = columns["name"]
    return {name: {key: values[place] for key, values in columns.items()} for place, name in enumerate(names)}


def listed(made):
    return list(csv.DictReader(made.files["list"].read_text(encoding="utf-8-sig").splitlines()))


def test_empty_thresholds_decide_nothing_and_say_so(towns, tmp_path):
    made = run("keyareas", tmp_path, units=towns)
    assert {"keyareas.nothing_decided", "keyareas.open", "evaluation.unverified"} <= set(codes(made))
    assert {row["kind"] for row in units_of(made).values()} == {""}
    assert set(made.files) == {"units", "list", "rules_used"}


def test_units_that_touch_are_one_zone_and_others_are_dropped(towns, layer, book, tmp_path):
    patches = layer("p", [(box(0, 0, 3, 10), "极重要"), (box(8, 0, 12, 5), "重要")], ("ZYXDJ",))
    made = run("keyareas", tmp_path, units=towns, rule_file=book(PREVENTION), patches=patches)
    found = units_of(made)
    assert [found[name]["kind"] for name in "ABF"] == ["prevention", "prevention", ""]
    assert found["A"]["zone"] == found["B"]["zone"] != ""
    assert (found["F"]["reason"], facts_of(made, "keyareas.alone")["units"]) == ("alone", "f F")
    part = official(box(0, 0, 3, 10), box(8, 0, 10, 5), box(10, 0, 12, 5))
    assert found["A"]["key_km2"] == pytest.approx(float(part[:2].sum()), abs=2e-8)
    assert found["B"]["key_km2"] == pytest.approx(float(part[2]), abs=2e-8)
    assert found["A"]["unit_km2"] == pytest.approx(100, rel=1e-4)
    row = listed(made)[0]
    assert list(row)[:5] == ["序号", "分区名称", "空间面积(km2)", "占国土面积比例(%)", "涉及范围"]
    assert float(row["空间面积(km2)"]) == pytest.approx(200, rel=1e-4)
    assert float(row["占国土面积比例(%)"]) == pytest.approx(100 / 3, rel=1e-4)
    assert float(row["其中重点面积(km2)"]) == pytest.approx(float(part.sum()), abs=1e-6)
    assert sorted(row["涉及范围"].split("、")) == ["A", "B"]


def test_single_units_stay_where_that_is_asked_for_and_small_zones_go(towns, book, tmp_path):
    rules = book(PREVENTION)
    made = run("keyareas", tmp_path, units=towns, rule_file=rules, contiguous=False)
    assert units_of(made)["F"]["kind"] == "prevention"
    small = run("keyareas", tmp_path, "s", units=towns, rule_file=rules, contiguous=False, least_zone_km2=150)
    assert units_of(small)["F"]["reason"] == "small"
    assert units_of(small)["A"]["kind"] == "prevention"


def test_a_corner_is_no_edge(layer, book, tmp_path):
    rows = [(box(0, 0, 5, 5), "A", 20.0), (box(5, 5, 9, 9), "B", 20.0)]
    units = layer("corner", rows, ("name", "sources_percent"))
    made = run("keyareas", tmp_path, units=units, rule_file=book(PREVENTION))
    assert facts_of(made, "keyareas.alone")["count"] == 2


@pytest.mark.parametrize(
    ("conflict", "wanted"), [("treatment", "treatment"), ("prevention", "prevention"), ("neither", "")]
)
def test_no_unit_is_of_both_kinds(conflict, wanted, layer, book, tmp_path):
    units = layer("both", [(box(0, 0, 5, 5), "A", 20.0, 20.0)], ("name", "sources_percent", "eroded_percent"))
    given = {"units": units, "rule_file": book(PREVENTION, TREATMENT), "contiguous": False}
    made = run("keyareas", tmp_path, **given, conflict=conflict)
    assert units_of(made)["A"]["kind"] == wanted
    assert facts_of(made, "keyareas.conflict") == {"count": 1, "units": "A", "conflict": conflict}


def test_the_higher_level_goes_first_whatever_the_rule_for_conflicts(layer, book, tmp_path):
    units = layer("both", [(box(0, 0, 5, 5), "A", 50.0, 20.0)], ("name", "sources_percent", "eroded_percent"))
    provincial = rule("prevention", "provincial", "sources_percent", ">=", 40)
    rules = book(PREVENTION, provincial, TREATMENT)
    made = run("keyareas", tmp_path, units=units, rule_file=rules, contiguous=False, conflict="treatment")
    found = units_of(made)["A"]
    assert (found["kind"], found["level"], found["rule"]) == (
        "prevention",
        "provincial",
        "prevention_provincial",
    )


def test_an_indicator_without_value_decides_nothing_and_is_said(towns, book, tmp_path):
    rules = book(PREVENTION, rule("treatment", "county", "density", ">=", 500))
    made = run("keyareas", tmp_path, units=towns, rule_file=rules)
    assert facts_of(made, "keyareas.not_evaluable")["indicators"] == "density"
    assert units_of(made)["A"]["kind"] == "prevention"


def test_without_patches_the_key_area_is_unknown_and_no_layer_is_written(towns, book, tmp_path):
    made = run("keyareas", tmp_path, units=towns, rule_file=book(PREVENTION))
    assert "keyareas.no_key_layer" in codes(made)
    assert "prevention" not in made.files
    assert listed(made)[0]["其中重点面积(km2)"] == ""


def test_the_layers_are_read_as_their_roles(towns, layer, book, tmp_path):
    worn = layer("worn", [(box(20, 0, 22, 1), "中度"), (box(12, 12, 13, 13), "微度")], ("QSQDMC",))
    given = {"units": towns, "rule_file": book(TREATMENT), "contiguous": False, "erosion": worn}
    made = run("keyareas", tmp_path, **given)
    back = formats.read_back(made.files["treatment"], "key_treatment_zone")
    field, id_field, name_field = roles.fields_for("key_treatment_zone", back.columns)
    assert [roles.canonical_tier("key_treatment_zone", value) for value in back.columns[field]] == ["county"]
    assert back.columns[id_field].tolist() == ["c"]
    assert back.columns[name_field].tolist() == ["C县级水土流失重点治理区"]
    assert areas.area_model(CRS).areas(shapely.from_wkb(back.wkb))[0] == pytest.approx(
        back.columns["key_km2"][0] * 1e6, abs=0.006
    )
    assert facts_of(made, "keyareas.no_key_part")["units"] == "e E"


def test_names_of_zones_are_given_by_a_table(towns, book, table, tmp_path):
    rules = book(PREVENTION)
    names = table("names", "unit,zone\nb,淀山湖预防区\n", "gb18030")
    made = run("keyareas", tmp_path, units=towns, rule_file=rules, names=names)
    assert [row["分区名称"] for row in listed(made)] == ["淀山湖预防区"]
    two = table("two", "unit,zone\na,甲区\nb,乙区\n")
    assert refused("keyareas", tmp_path, units=towns, rule_file=rules, names=two) == "keyareas.names_differ"
    strange = table("strange", "unit,zone\nX,甲区\n")
    assert refused("keyareas", tmp_path, units=towns, rule_file=rules, names=strange) == "evaluation.table"


def test_the_workbook_has_the_columns_of_a_notice(towns, book, tmp_path):
    openpyxl = pytest.importorskip("openpyxl")
    made = run("keyareas", tmp_path, units=towns, rule_file=book(PREVENTION, TREATMENT), contiguous=False)
    pages = openpyxl.load_workbook(made.files["workbook"])
    assert pages.sheetnames == ["水土流失重点预防区", "水土流失重点治理区"]
    head, first = list(pages["水土流失重点预防区"].values)[:2]
    assert head[:5] == ("序号", "分区名称", "空间面积(km2)", "占国土面积比例(%)", "涉及范围")
    assert first[0] == 1
    assert first[2] == pytest.approx(200, rel=1e-4)


def test_the_rules_of_a_run_are_written_to_be_filled_in_and_given_back(towns, tmp_path):
    made = run("keyareas", tmp_path, units=towns)
    document = json.loads(made.files["rules_used"].read_text(encoding="utf-8"))
    rules = {one["id"]: one for one in document["rules"]}
    rules["treatment_county"]["all"][0]["value"] = 5
    rules["treatment_county"]["any"] = []
    (tmp_path / "own.json").write_text(json.dumps(document), encoding="utf-8")
    again = run("keyareas", tmp_path, "again", units=towns, rule_file="own.json", contiguous=False)
    assert [name for name, row in units_of(again).items() if row["kind"]] == ["C", "E"]
    assert "keyareas.nothing_decided" not in codes(again)


def test_units_in_a_declared_area_of_the_other_kind_are_said(towns, layer, book, tmp_path):
    declared = layer("declared", [(box(0, 0, 2, 10), "市级")], ("JB",))
    given = {"units": towns, "rule_file": book(PREVENTION)}
    made = run("keyareas", tmp_path, **given, declared_treatment=declared)
    facts = facts_of(made, "keyareas.contradicts")
    assert (facts["units"], facts["kind_en"], facts["km2"]) == ("a A", "Key prevention area", 20)
    same = run("keyareas", tmp_path, "same", **given, declared_prevention=declared)
    assert "keyareas.contradicts" not in codes(same)


def test_rules_that_are_wrong_are_refused(towns, book, tmp_path):
    strange = book(rule("prevention", "county", "sources_percent", "==", 10))
    assert refused("keyareas", tmp_path, units=towns, rule_file=strange) == "run.blocked"
    unknown = book(rule("prevention", "county", "sorcery", ">=", 10))
    assert refused("keyareas", tmp_path, units=towns, rule_file=unknown) == "run.blocked"
    twice = book(PREVENTION, PREVENTION)
    assert refused("keyareas", tmp_path, units=towns, rule_file=twice) == "keyareas.rules_unreadable"


def test_shipped_rules_fit_the_schema_of_own_ones_and_only_the_example_has_thresholds():
    document = json.loads(resource("evaluation", "sets", "key_rules.json").read_text(encoding="utf-8"))
    for row in document["sets"]:
        assert schema.check_document(row, "key_rules") == []
    open_rules = {name: len(key_rules.shipped(name).open_rules) for name in sets.names("key_rules")}
    assert open_rules == {"sl717": 8, "proposed": 0}


def test_the_example_is_said_to_be_one(towns, tmp_path):
    made = run("keyareas", tmp_path, units=towns, rules="proposed", contiguous=False)
    assert "keyareas.proposed" in codes(made)
    # Municipal prevention needs 30 % or more on little erosion; treatment 10 % or more eroded.
    found = units_of(made)
    assert [found[name]["level"] for name in "ABCDEF"] == ["municipal"] * 3 + ["", "municipal", "municipal"]


# --- conservation rate -----------------------------------------------------------------------------

#: 2015: gcs66.com/document_detail/50533.html, 38.09 km2 or 0.43 % of the city.
SUZHOU = {"吴中区": 31.62, "常熟市": 2.78, "昆山市": 1.76, "虎丘区": 0.91, "相城区": 0.53, "张家港市": 0.49}
SUZHOU_NONE = ("姑苏区", "工业园区", "吴江区", "太仓市")


def rates(made):
    return list(csv.DictReader(made.files["rate"].read_text(encoding="utf-8-sig").splitlines()))


def test_the_table_of_suzhou_as_it_was_published(table, tmp_path):
    share = 38.09 / 0.0043 / 10
    lines = [f"{unit},{share},{SUZHOU.get(unit, 0)}" for unit in (*SUZHOU, *SUZHOU_NONE)]
    made = run(
        "conservationrate", tmp_path, table=table("s", "\n".join(["unit,total_km2,eroded_km2", *lines]))
    )
    whole = rates(made)[-1]
    assert (whole["unit"], float(whole["eroded_km2"]), whole["light_km2"]) == ("*", 38.09, "")
    assert round(float(whole["percent"]), 2) == 99.57
    report = targets.report_of_table(made.files["rate"], "shanghai")
    assert round(report.city.percent, 2) == 99.57
    assert [rate.name for rate in report.districts] == [*SUZHOU, *SUZHOU_NONE]
    assert [report.city.meets(target) for target in report.targets] == [True, True]


def test_polygons_of_several_years_are_a_series_with_changes(units, layer, tmp_path):
    before = layer("y1", [(box(0, 0, 2, 5), "轻度"), (box(12, 0, 13, 1), "剧烈")], ("QSQDMC",))
    after = layer("y2", [(box(0, 0, 1, 5), "轻度")], ("QSQDMC",))
    given = {"units": units, "code_field": "code", "erosion": [before, after], "years": [2020, 2024]}
    made = run("conservationrate", tmp_path, **given)
    rows = {(row["unit"], row["year"]): row for row in rates(made)}
    assert len(rows) == 6
    assert rows["甲镇", "2020"]["percent_change"] == ""
    old, new = official(box(0, 0, 2, 5), box(0, 0, 1, 5))
    assert float(rows["甲镇", "2024"]["eroded_change_km2"]) == pytest.approx(new - old, abs=2e-6)
    assert float(rows["乙镇", "2020"]["severe_km2"]) == pytest.approx(1, rel=1e-3)
    assert float(rows["*", "2024"]["percent"]) == pytest.approx(
        100 * (1 - new / official(WEST, EASTERN).sum())
    )
    assert float(rows["*", "2024"]["percent_change"]) == pytest.approx(3, rel=1e-3)
    chart = list(csv.DictReader(made.files["chart"].read_text(encoding="utf-8-sig").splitlines()))
    picked = [row["value"] for row in chart if (row["unit"], row["series"]) == ("甲镇", "eroded_km2")]
    assert picked == [rows["甲镇", year]["eroded_km2"] for year in ("2020", "2024")]
    report = targets.report_of_table(made.files["rate"], "shanghai")
    assert report.findings[0].facts["year"] == "2024"
    assert report.city.eroded_m2 == pytest.approx(new * 1e6, abs=2)


def test_erosion_on_water_does_not_count_and_the_denominator_is_as_asked(units, layer, tmp_path):
    worn = layer("worn", [(box(4, 0, 6, 1), "中度")], ("QSQDMC",))
    land = layer("land", [(box(5, 0, 20, 10), "陆")])
    given = {"units": units, "erosion": [worn], "land": land}
    wide = {row["unit"]: row for row in rates(run("conservationrate", tmp_path, **given))}
    made = run("conservationrate", tmp_path, **given, denominator="land")
    dry = {row["unit"]: row for row in rates(made)}
    assert float(wide["甲镇"]["eroded_km2"]) == pytest.approx(1, rel=1e-3)
    assert float(wide["甲镇"]["total_km2"]) == pytest.approx(100, rel=1e-3)
    assert float(dry["甲镇"]["total_km2"]) == pytest.approx(50, rel=1e-3)
    assert (wide["*"]["denominator"], dry["*"]["denominator"]) == ("国土面积", "陆域面积")
    assert facts_of(made, "evaluation.denominator")["name_zh"] == "陆域面积"
    assert refused("conservationrate", tmp_path, units=units, erosion=[worn], denominator="land") == (
        "evaluation.needs"
    )


def test_unknown_intensities_lower_the_sure_rate_only(units, layer, tmp_path):
    worn = layer("worn", [(box(0, 0, 10, 1), None), (box(0, 1, 10, 2), "轻度")], ("QSQDMC",))
    made = run("conservationrate", tmp_path, units=units, erosion=[worn])
    row = rates(made)[0]
    assert float(row["percent"]) == pytest.approx(90, rel=1e-3)
    assert float(row["lowest_percent"]) == pytest.approx(80, rel=1e-3)
    assert "evaluation.no_intensity" in codes(made)


def test_a_denominator_that_is_not_the_control_area_is_said_with_what_it_moves(table, tmp_path):
    rows = table("r", "unit,total_km2,eroded_km2\n上海市,6297.9,207.2\n")
    controls = table("c", "group,area_m2\n上海市,6340500000\n")
    made = run("conservationrate", tmp_path, table=rows, controls=controls)
    facts = facts_of(made, "rates.control_differs")
    assert (facts["unit"], facts["target"]) == ("上海市", 98.25)
    assert facts["differs"] == pytest.approx(-42.6)
    assert facts["shift"] == pytest.approx(-0.7455)
    same = table("same", "group,area_m2\n上海市,6297900000\n")
    assert "rates.control_differs" not in codes(
        run("conservationrate", tmp_path, "same", table=rows, controls=same)
    )


def test_years_that_lack_a_unit_are_not_compared(table, tmp_path):
    rows = table("r", "unit,year,total_km2,light_km2\nA,2020,10,1\nB,2020,10,1\nA,2024,10,0\n")
    made = run("conservationrate", tmp_path, table=rows)
    last = rates(made)[-1]
    assert (last["unit"], last["year"], last["percent_change"]) == ("*", "2024", "")
    assert facts_of(made, "rates.year_lacks")["units"] == "B"


@pytest.mark.parametrize(
    "text",
    ["unit,total_km2\nA,10\n", "unit,total_km2,light_km2\nA,10,1\nA,10,1\n",
     "unit,total_km2,light_km2\nA,10,1\n合计,10,1\n", "unit,total_km2,light_km2,eroded_km2\nA,10,1,3\n",
     "unit,total_km2,light_km2\nA,0,0\n"],
)  # fmt: skip
def test_a_table_of_rates_that_cannot_be_is_refused(text, table, tmp_path):
    assert refused("conservationrate", tmp_path, table=table("t", text)) == "evaluation.table"


def test_layers_without_their_years_are_refused(units, layer, tmp_path):
    worn = layer("worn", [(box(0, 0, 1, 1), "轻度")], ("QSQDMC",))
    other = layer("other", [(box(0, 0, 1, 1), "轻度")], ("QSQDMC",))
    given = {"units": units, "erosion": [worn, other]}
    assert refused("conservationrate", tmp_path, **given) == "rates.years"
    assert refused("conservationrate", tmp_path, **given, years=[2020, 2020]) == "rates.years"
    assert refused("conservationrate", tmp_path, **given, table=worn) == "units.one_of"


def test_the_workbook_of_rates_says_what_the_table_says(table, tmp_path):
    openpyxl = pytest.importorskip("openpyxl")
    made = run("conservationrate", tmp_path, table=table("r", "unit,total_km2,light_km2\n=A,100,2\n"))
    page = openpyxl.load_workbook(made.files["workbook"])["水土保持率"]
    head, first, whole = page.values
    found = dict(zip(head, first))
    assert (found["行政区"], found["水土保持率(%)"], found["98.25%允许流失面积(km2)"]) == ("=A", 98, 1.75)
    assert dict(zip(head, whole))["行政区"] == "合计"


def test_the_command_targets_reads_a_table_of_rates(table, tmp_path):
    made = run(
        "conservationrate", tmp_path, table=table("r", "unit,total_km2,light_km2\n上海市,6297.9,100\n")
    )
    command = [sys.executable, "-m", "swc_zoning", "targets", str(made.files["rate"])]
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=True)
    goals = json.loads(done.stdout)["city"]["targets"]
    assert [goal["met"] for goal in goals] == [True, False]
    assert round(goals[1]["allowed_m2"] / 1e6, 1) == 97.6


def test_the_rate_of_polygons_is_that_of_the_zoning_of_the_same_city(city, zoned_city, tmp_path):
    job = json.loads((city / "job.json").read_text(encoding="utf-8"))
    source = {row["role"]: city / row["source"] for row in job["layers"]}
    given = {"units": city / job["extent"]["source"], "name_field": "XZQMC", "code_field": "XZQDM"}
    given.update({"erosion": [source["soil_erosion"]], "land": source["land_mask"], "denominator": "land"})
    made = run("conservationrate", tmp_path, **given)
    one, other = targets.report_of_table(made.files["rate"], "shanghai"), targets.report(zoned_city)
    assert other.city.eroded_m2 > 0
    assert one.city.land_m2 == pytest.approx(other.city.land_m2, abs=20)
    assert one.city.eroded_m2 == pytest.approx(other.city.eroded_m2, abs=20)
    assert one.city.percent == pytest.approx(other.city.percent, abs=1e-6)
    by_name = {rate.name: rate for rate in other.districts}
    for rate in one.districts:
        assert rate.eroded_m2 == pytest.approx(by_name[rate.name].eroded_m2, abs=2)


def test_a_real_city_from_its_statistics_to_its_key_areas(layer, shared, book, tmp_path):
    sources = [
        (shapely.box(120.8, 30.7, 121.25, 31.3), "source"),
        (shapely.box(121.0, 31.6, 121.5, 32), "isle"),
    ]
    given = {"units": shared / "shanghai_districts/shanghai_district_tianditu.gpkg"}
    given["sources"] = layer("sources", sources, ("name",), "EPSG:4490")
    counted = run(
        "unitstatistics", tmp_path, **given, name_field="district_name", code_field="district_adcode"
    )
    rules = book(PREVENTION)
    made = run("keyareas", tmp_path, units=counted.files["units"], rule_file=rules, patches=given["sources"])
    found = {name for name, row in units_of(made).items() if row["kind"]}
    # Along the upper reach of the Huangpu districts touch; the island is alone.
    assert found == {"青浦区", "松江区", "金山区"}
    assert "崇明区" in facts_of(made, "keyareas.alone")["units"]
    for row in units_of(made).values():
        assert row["key_km2"] is None or not row["key_km2"] > row["unit_km2"]
    assert len(listed(made)) == 1


def test_a_raster_that_does_not_reach_over_a_district_is_said(units, raster, tmp_path):
    made = run("conservationrate", tmp_path, units=units, intensity=raster("i", np.ones((100, 150))))
    facts = facts_of(made, "rates.raster_short")
    assert (facts["unit"], facts["cells"]) == ("乙镇", 50)
    assert float(rates(made)[-1]["total_km2"]) == 150


def test_codes_kept_as_numbers_with_decimals_are_read_as_codes(layer, tmp_path):
    split = layer("split", [(WEST, "甲", 310101.0), (box(30, 0, 31, 1), "甲", 310101.0)], ("name", "code"))
    made = statistics(tmp_path, split)
    assert list(rows_of(made.files["table"], "code")) == ["310101"]


def test_fields_that_the_role_does_not_know_are_named(units, layer, tmp_path):
    worn = layer("worn", [(box(0, 0, 1, 1), "轻度")], ("degree",))
    assert (
        refused("unitstatistics", tmp_path, units=units, name_field="name", erosion=worn)
        == "evaluation.field"
    )
    made = statistics(tmp_path, units, erosion=worn, intensity_field="degree")
    assert float(rows_of(made.files["table"], "code")["01"]["light_km2"]) == pytest.approx(1, rel=1e-3)
