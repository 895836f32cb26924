# SPDX-License-Identifier: GPL-2.0-or-later
"""The path of a flat delta: rules of cells and of legal areas, regions, patches, strips, land use."""

import json
from pathlib import Path

import numpy as np
import pytest
import shapely

rasterio = pytest.importorskip("rasterio")

from swc_zoning.engine import formats  # noqa: E402
from swc_zoning.engine.evaluation import (  # noqa: E402
    declared,
    function_rules,
    rasters,
    regions,
    running,
    scanning,
)
from swc_zoning.engine.messages import Blocked, SwcError  # noqa: E402

WEST, NORTH, CELL = 500000.0, 3450000.0, 10.0
FOREST, SHRUB, GRASS, PADDY, URBAN, WATER = "forest", "shrub", "grass", "paddy", "urban", "water"
NAN = float("nan")


def code(kind):
    from swc_zoning.engine.evaluation import sets

    return sets.default("ecosystems")["kinds"][kind]["code"]


def box(left, top, right, bottom):
    """Return the box of columns and rows of cells."""
    return shapely.box(WEST + CELL * left, NORTH - CELL * bottom, WEST + CELL * right, NORTH - CELL * top)


@pytest.fixture
def save(tmp_path):
    """Return a maker of rasters on cells of 10 m: save(name, array, nodata, dtype) -> path."""

    def make(name, values, nodata=NAN, dtype="float32", cell=CELL, crs="EPSG:4549"):
        values = np.atleast_2d(np.asarray(values, float))
        path = tmp_path / f"{name}.tif"
        profile = {"driver": "GTiff", "count": 1, "dtype": dtype, "nodata": nodata, "crs": crs}
        shape = {"height": values.shape[0], "width": values.shape[1]}
        place = rasterio.Affine(cell, 0, WEST, 0, -cell, NORTH)
        with rasterio.open(path, "w", transform=place, **profile, **shape) as target:
            target.write(values.astype(dtype), 1)
        return path

    return make


@pytest.fixture
def layer(tmp_path):
    """Return a maker of layers: layer(name, [(geometry, text), ...], field) -> path."""

    def make(name, rows, field="name", crs="EPSG:4549", **more):
        path = tmp_path / f"{name}.gpkg"
        wkb = shapely.to_wkb(np.array([one for one, _ in rows], object))
        columns = {field: np.array([text for _, text in rows], object)}
        columns.update({key: _column(values) for key, values in more.items()})
        kind = rows[0][0].geom_type
        formats.write_table(path, name, [formats.Batch(wkb, columns)], crs, kind)
        return path

    return make


def _column(values):
    return np.array(values, object if isinstance(values[0], str) else None)


def run(name, tmp_path, folder="made", **parameters):
    def plain(value):
        listed = [plain(one) for one in value] if isinstance(value, list) else value
        return str(listed) if isinstance(listed, Path) else listed

    document = {key: plain(value) for key, value in parameters.items()}
    return running.run(name, document, tmp_path / f"{folder}-{name}", tmp_path)


def refused(name, tmp_path, **parameters):
    with pytest.raises(SwcError) as caught:
        run(name, tmp_path, **parameters)
    return caught.value


def values(path):
    with rasterio.open(path) as source:
        return source.read(1)


def codes(result):
    return {finding.code for finding in result.findings}


def said(result, code):
    return [finding.facts for finding in result.findings if finding.code == code]


def facts(result):
    return json.loads(result.record.read_text(encoding="utf-8"))["facts"]


def in_strips(monkeypatch, rows):
    """Let strips have so many rows."""
    monkeypatch.setattr(rasters, "STRIP_CELLS", 1)
    monkeypatch.setattr(rasters, "STRIP_ROWS", rows)


# --- polygons on cells -----------------------------------------------------------------------------


def grid(rows, cols):
    return rasters.Grid("EPSG:4549", (CELL, 0, WEST, 0, -CELL, NORTH), rows, cols)


def blobs(count, seed, width=4000, height=3000):
    rng = np.random.default_rng(seed)
    at = np.column_stack((WEST + rng.random(count) * width, NORTH - rng.random(count) * height))
    outer = shapely.buffer(shapely.points(at), rng.random(count) * 500 + 3)
    return shapely.difference(outer, shapely.buffer(shapely.points(at), rng.random(count) * 40))


def test_a_cell_is_in_the_polygons_its_centre_lies_in():
    polygons = blobs(60, 3)
    found = scanning.Scan(polygons, grid(300, 400)).layers(rasters.Block(0, 300, 0, 400))
    east, north = np.meshgrid(WEST + CELL * (np.arange(400) + 0.5), NORTH - CELL * (np.arange(300) + 0.5))
    wanted = sum(shapely.contains_xy(one, east, north).astype(int) for one in polygons)
    np.testing.assert_array_equal(found, wanted)
    assert wanted.max() > 3


def test_a_scan_does_not_depend_on_blocks():
    scan = scanning.Scan(blobs(40, 4), grid(300, 400))
    whole = scan.layers(rasters.Block(0, 300, 0, 400))
    for rows, cols in ((37, 53), (300, 7), (1, 400)):
        parts = [
            [
                scan.layers(rasters.Block(r, min(r + rows, 300), c, min(c + cols, 400)))
                for c in range(0, 400, cols)
            ]
            for r in range(0, 300, rows)
        ]
        np.testing.assert_array_equal(np.block(parts), whole)


def test_of_neighbours_each_centre_has_exactly_one():
    rng = np.random.default_rng(8)
    points = shapely.MultiPoint(np.column_stack((WEST + rng.random(80) * 900, NORTH - rng.random(80) * 900)))
    cells = np.array(shapely.get_parts(shapely.voronoi_polygons(points, extend_to=box(-5, -5, 95, 95))))
    on_centres = [box(0.5, 0.5, 10.5, 90.5), box(10.5, 0.5, 90.5, 45.5), box(10.5, 45.5, 90.5, 90.5)]
    for polygons, count in ((cells, 90 * 90), (np.array(on_centres), None)):
        found = scanning.Scan(polygons, grid(90, 90)).layers(rasters.Block(0, 90, 0, 90))
        assert found.max() == 1
        assert count is None or found.sum() == count


# --- regions ---------------------------------------------------------------------------------------


def flooded(mask):
    """Return the region of each cell, found one by one."""
    region, count = np.zeros(mask.shape, int), 0
    for start in zip(*np.nonzero(mask)):
        if not region[start]:
            count += 1
            waiting, region[start] = [start], count
            while waiting:
                row, col = waiting.pop()
                for one in ((row + 1, col), (row - 1, col), (row, col + 1), (row, col - 1)):
                    inside = 0 <= one[0] < mask.shape[0] and 0 <= one[1] < mask.shape[1]
                    if inside and mask[one] and not region[one]:
                        region[one] = count
                        waiting.append(one)
    return region


@pytest.mark.parametrize("rows", [1, 2, 7, 64, 120])
@pytest.mark.parametrize("density", [0.3, 0.58, 0.9])
def test_regions_of_strips_are_those_of_the_whole(rows, density):
    rng = np.random.default_rng(11)
    mask, flags = rng.random((120, 150)) < density, rng.random((120, 150)) < 0.004
    region = flooded(mask)
    cells = np.bincount(region.ravel())
    touched = np.bincount(region.ravel(), weights=(flags & mask).ravel()) > 0
    wanted = (touched & (cells >= 12))[region] & mask
    found = regions.Regions(lambda size, flagged: flagged & (size >= 12))
    starts = range(0, 120, rows)
    for row in starts:
        found.add(mask[row : row + rows], flags[row : row + rows])
    found.close()
    made = np.vstack([found.drawn(n, mask[row : row + rows]) for n, row in enumerate(starts)])
    np.testing.assert_array_equal(made, wanted)


# --- rules -----------------------------------------------------------------------------------------


def test_the_shipped_rules_are_those_of_the_plan():
    book = function_rules.load("delta")
    assert [(rule.id, rule.level) for rule in book.rules][:5] == [
        ("a", 3), ("b", 3), ("c", 2), ("c_patch", 2), ("d", 2),
    ]  # fmt: skip
    assert book.document["status_zh"] == "本规划采用"
    assert {rule.id for rule in book.treatment} == {"t_bank", "t_erosion", "t_slope"}


def changed(tmp_path, change):
    document = json.loads(json.dumps(function_rules.load("delta").document))
    change(document)
    path = tmp_path / "rules.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (lambda d: d["rules"][0]["areas"].update(nature_reserve=["core"]), "core"),
        (lambda d: d["rules"][3].update(touching=["z"]), "z"),
        (lambda d: d["rules"][1]["cells"].update(kinds=["lawn"]), "lawn"),
        (lambda d: d["rules"][1].update(id="a"), "a"),
        (lambda d: d["rules"][1].update(areas={"nature_park": []}), "areas/cells"),
    ],
)
def test_rules_that_name_what_there_is_not_are_refused(tmp_path, change, word):
    with pytest.raises(SwcError) as caught:
        function_rules.load(changed(tmp_path, change))
    assert caught.value.code == "function_rules.rule"
    assert caught.value.facts["word"] == word


def test_rules_are_data_and_nothing_else(tmp_path):
    with pytest.raises(Blocked):
        function_rules.load(changed(tmp_path, lambda d: d["rules"][1]["cells"].update(code="1+1")))
    (tmp_path / "broken.json").write_text("{", encoding="utf-8")
    with pytest.raises(SwcError, match="unreadable"):
        function_rules.load(tmp_path / "broken.json")


@pytest.fixture
def town(save, layer):
    """Return parameters of a small town: 60 rows, 100 columns of cells.

    A lake bank in columns 0-9, a trunk bank in 10-19, another bank in 20-29; a source zone (level 1) in
    columns 50-54 of rows 0-19, level 2 round it to column 60; woods from column 54 to 69.
    """
    land, cover = np.full((60, 100), code(PADDY)), np.full((60, 100), 0.5)
    land[:, :30] = code(GRASS)
    cover[:30, :30] = 0.7
    land[10:30, 54:70], cover[10:30, 54:70] = code(FOREST), 0.8
    land[40:50, 80:90], cover[40:50, 80:90] = code(FOREST), 0.9
    land[59, 99], cover[59, 98] = 0, NAN
    strips = [(box(0, 0, 10, 60), "湖泊"), (box(10, 0, 20, 60), "主干航道"), (box(20, 0, 30, 60), "其他")]
    zones = [(box(50, 0, 54.3, 20), "一级保护区"), (box(50, 0, 60.7, 25), "二级保护区")]
    return {
        "cover": save("cover", cover),
        "ecosystem": save("land", land, 0, "uint8"),
        "strips": layer("strips", strips, "class"),
        "drinking_water_source": layer("zones", zones, "BHQJB"),
    }


def test_rules_decide_cells_in_their_order_and_keep_all_hits(town, tmp_path):
    made = run("functionrules", tmp_path, **town)
    found, rule, hits = (values(made.files[name]) for name in ("class", "rule", "hits"))
    assert (found[:30, :10] == 3).all()
    assert (rule[:30, :10] == 2).all()
    # Grass with little cover on a lake bank is of rule d alone; on the banks of the others too.
    assert (rule[30:, :10] == 5).all()
    assert (found[:, 10:30] == 2).all()
    assert (hits[:30, :10] == 0b11010).all()
    assert (hits[30:, :10] == 0b10000).all()
    # Woods that touch the source zone are a patch of c; those far away are general.
    assert (rule[10:30, 54:70] == 4).all()
    assert (found[40:50, 80:90] == 1).all()
    # The source zone decides no cell, though its hits are kept.
    assert (found[0:10, 50:60] == 1).all()
    assert (hits[0:10, 50:54] == 0b101).all()
    assert found[59, 98] == found[59, 99] == 0


def test_legal_areas_are_polygons_with_their_own_boundaries(town, tmp_path):
    made = run("functionrules", tmp_path, **town)
    table = formats.read_back(made.files["areas"], "function_areas")
    drawn = dict(zip(table.columns["rule_id"], shapely.from_wkb(np.asarray(table.wkb))))
    assert dict(zip(table.columns["rule_id"], table.columns["class"])) == {"a": 3, "c": 2}
    assert drawn["a"].equals(box(50, 0, 54.3, 20))
    assert drawn["c"].equals(box(50, 0, 60.7, 25).difference(box(50, 0, 54.3, 20)))
    assert facts(made)["areas_m2"]["a"] == pytest.approx(4.3 * 20 * 100)


def test_what_was_not_given_is_said_of_each_rule(town, tmp_path):
    made = run("functionrules", tmp_path, **town)
    assert {one["rule"]: one["lacking"] for one in said(made, "function_rules.partly")} == {
        "a": "nature_reserve, wetland_core",
        "c": "important_wetland, nature_park, nature_reserve",
    }
    assert {one["rule"] for one in said(made, "function_rules.not_evaluable")} == {"t_erosion", "t_slope"}
    assert facts(made)["not_evaluated"]["hill_3"] == ["hills", "slope"]
    assert "function_rules.proposed" in codes(made)
    assert facts(made)["rule_m2"]["b"] == 30 * 10 * 100
    del town["strips"], town["drinking_water_source"]
    bare = run("functionrules", tmp_path, folder="bare", **town)
    lacking = {one["rule"] for one in said(bare, "function_rules.not_evaluable")}
    assert {"a", "b", "c", "d", "t_bank"} <= lacking
    assert (values(bare.files["class"]) <= 1).all()


def test_treatment_is_an_output_of_its_own(town, save, layer, tmp_path):
    town["monitoring"] = layer(
        "eroded", [(box(70, 0, 80, 10), "轻度"), (box(80, 0, 90, 10), "微度")], "QSQDMC"
    )
    slope = np.full((60, 100), 1.0)
    slope[50:60, 90:99] = 8
    before = values(run("functionrules", tmp_path, folder="plain", **town).files["class"])
    made = run("functionrules", tmp_path, slope=save("slope", slope), slope_unit="degrees", **town)
    bits = values(made.files["treatment"])
    assert (bits[30:, 10:20] == 1).all()
    assert (bits[:30, 10:20] == 0).all()
    assert (bits[:10, 70:80] == 2).all()
    assert (bits[:10, 80:90] == 0).all()
    assert (bits[50:, 90:99] == 4).all()
    np.testing.assert_array_equal(values(made.files["class"]), before)
    table = formats.read_back(made.files["treated"], "treatment_candidates")
    areas = dict(zip(table.columns["rules"], table.columns["plane_m2"].astype(float)))
    assert areas == {"t_bank": 30000.0, "t_erosion": 10000.0}
    small = run(
        "functionrules", tmp_path, treatment_m2=0, slope=save("s", slope), slope_unit="degrees", **town
    )
    assert len(formats.read_back(small.files["treated"], "treatment_candidates")) == 3
    assert "evaluation.flat" in codes(made)


def test_hill_remnants_count_only_inside_their_mask(town, save, layer, tmp_path):
    slope = np.full((60, 100), 1.0)
    slope[40:50, 80:90] = 20
    given = {**town, "slope": save("slope", slope), "slope_unit": "degrees"}
    assert (values(run("functionrules", tmp_path, **given).files["class"])[40:50, 80:90] == 1).all()
    hills = layer("hills", [(box(80, 40, 85, 60), "h")])
    found = values(run("functionrules", tmp_path, hills=hills, **given).files["rule"])
    assert (found[40:50, 80:85] == 6).all()
    assert (found[40:50, 85:90] == 0).all()


def test_a_patch_below_the_least_area_is_general(town, tmp_path):
    made = run("functionrules", tmp_path, patch_m2=32_001, **town)
    assert (values(made.files["class"])[10:30, 54:70] == 1).all()
    none = run("functionrules", tmp_path, patch_m2=90_001, **town)
    assert [one["rule"] for one in said(none, "function_rules.no_hit")] == ["c_patch"]


@pytest.mark.parametrize("rows", [1, 7, 32])
def test_the_rules_do_not_depend_on_strips(save, layer, tmp_path, monkeypatch, rows):
    rng = np.random.default_rng(5)
    kinds = [code(one) for one in (FOREST, GRASS, PADDY, URBAN)]
    strips = [(one, "湖泊" if n % 2 else "支河") for n, one in enumerate(blobs(12, 1, 900, 700))]
    zones = [(one, ("一级", "二级", "准")[n % 3]) for n, one in enumerate(blobs(9, 2, 900, 700))]
    given = {
        "cover": save("cover", np.where(rng.random((70, 90)) < 0.02, NAN, rng.random((70, 90)) ** 0.3)),
        "ecosystem": save("land", rng.choice(kinds, (70, 90), p=[0.5, 0.2, 0.2, 0.1]), 0, "uint8"),
        "strips": layer("strips", strips, "class"),
        "drinking_water_source": layer("zones", zones, "BHQJB"),
        "patch_m2": 1500,
    }
    whole = run("functionrules", tmp_path, **given)
    in_strips(monkeypatch, rows)
    parts = run("functionrules", tmp_path, folder="parts", **given)
    for name in ("class", "rule", "hits", "treatment"):
        np.testing.assert_array_equal(values(parts.files[name]), values(whole.files[name]), err_msg=name)
    assert facts(parts) == facts(whole)
    assert set(np.unique(values(whole.files["rule"]))) >= {0, 2, 4, 5}


def test_inputs_that_do_not_fit_are_refused(town, save, layer, tmp_path):
    land = values(town["ecosystem"]).astype(float)
    land[0, :3] = 99
    odd = {**town, "ecosystem": save("odd", land, 0, "uint8")}
    assert refused("functionrules", tmp_path, **odd).facts == {"count": 3, "codes": "99 (3)"}
    unclear = layer("unclear", [(box(0, 0, 3, 3), "甲"), (box(3, 0, 6, 3), "乙")], "KIND")
    found = refused("functionrules", tmp_path, **{**town, "drinking_water_source": unclear})
    assert (found.code, found.facts["parameter"]) == (
        "function_rules.tiers_unclear",
        "drinking_water_source_tier",
    )
    banks = layer("banks", [(box(0, 0, 3, 3), "甲"), (box(3, 0, 6, 3), "湖泊")], "class")
    assert refused("functionrules", tmp_path, **{**town, "strips": banks}).facts["classes"] == "甲"
    told = run("functionrules", tmp_path, **{**town, "strips": banks, "strip_kinds": {"甲": "lake"}})
    assert (values(told.files["rule"])[:3, :6] == 2).all()
    assert not list(tmp_path.glob("made-*/*.part"))


def test_grids_units_and_numbers_that_do_not_fit_are_refused(town, save, tmp_path):
    town["cover"] = save("percent", values(town["cover"]) * 100)
    assert "evaluation.percent" in codes(run("functionrules", tmp_path, **town))
    wrong = {
        "grid_differs": {"cover": save("other", np.full((60, 99), 0.5))},
        "cover_range": {"cover": save("odd", np.full((60, 100), 250.0))},
        "degrees": {
            "cover": save("deg", np.full((60, 100), 0.5), cell=1e-4, crs="EPSG:4490"),
            "ecosystem": save("deg2", np.ones((60, 100)), 0, "uint8", cell=1e-4, crs="EPSG:4490"),
        },
    }
    for word, changed_ in wrong.items():
        assert refused("functionrules", tmp_path, **{**town, **changed_}).code == f"evaluation.{word}"


def test_a_flat_country_says_that_methods_by_slope_and_relief_do_not_tell(town, save, tmp_path):
    flat = {"slope": save("slope", np.full((60, 100), 0.2)), "slope_unit": "degrees"}
    made = run("functionrules", tmp_path, relief=save("relief", np.full((60, 100), 4.0)), **flat, **town)
    assert {"evaluation.flat", "evaluation.unreachable"} <= codes(made)
    assert facts(made)["steep_share"] == 0
    assert facts(made)["reachable"] == pytest.approx(3.343702, rel=1e-6)


def test_rules_of_a_file_go_before_the_shipped_ones(town, tmp_path):
    path = changed(tmp_path, lambda d: d["rules"][1]["cells"].update(cover_least=0.75))
    made = run("functionrules", tmp_path, rule_file="rules.json", **town)
    assert facts(made)["hits_m2"]["b"] == 0
    record = json.loads(made.record.read_text(encoding="utf-8"))
    assert path.name in [one["file"] for one in record["inputs"]]


def test_words_that_are_no_tier_decide_nothing_and_are_said(town, layer, tmp_path):
    zones = layer("z2", [(box(50, 0, 54, 20), "一级"), (box(60, 0, 64, 20), "某级")], "JB")
    made = run(
        "functionrules",
        tmp_path,
        **{**town, "drinking_water_source": zones, "drinking_water_source_tier": "JB"},
    )
    assert said(made, "function_rules.tier_unknown")[0]["words"] == "某级 (1)"
    assert len(formats.read_back(made.files["areas"], "function_areas")) == 1


# --- patches ---------------------------------------------------------------------------------------


def drawn(result):
    """Return the columns of the patches and their polygons."""
    table = formats.read_back(result.files["patches"], "swc_function_important")
    return table.columns, shapely.from_wkb(np.asarray(table.wkb))


def by_rule(result):
    columns, geometry = drawn(result)
    rules = set(columns["rule"])
    return {rule: shapely.normalize(shapely.union_all(geometry[columns["rule"] == rule])) for rule in rules}


def delineate(tmp_path, made, folder="p", **more):
    given = {"classes": made.files["class"], "rules": made.files["rule"], "areas": made.files["areas"]}
    return run("delineatepatches", tmp_path, folder=folder, **{**given, **more})


def test_patches_say_class_rule_and_method(town, tmp_path):
    made = delineate(tmp_path, run("functionrules", tmp_path, **town))
    columns, geometry = drawn(made)
    assert set(columns["rule"]) == {"a", "b", "c", "c_patch", "d"}
    assert dict(zip(columns["rule"], columns["ZYXDJ"]))["b"] == "极重要"
    assert dict(zip(columns["rule"], columns["method"]))["b"] == "delta"
    assert dict(zip(columns["rule"], columns["method_zh"]))["a"] == "法定范围"
    assert dict(zip(columns["rule"], columns["rule_en"]))["d"].startswith("Other banks")
    assert len(set(columns["BSM"])) == len(columns["BSM"])
    assert shapely.is_valid(geometry).all()
    assert columns["class"].tolist() == sorted(columns["class"].tolist(), reverse=True)
    assert shapely.area(shapely.union_all(geometry)) == pytest.approx(shapely.area(geometry).sum())
    assert sum(facts(made)["rule_m2"].values()) == pytest.approx(shapely.area(geometry).sum())


def test_codes_of_patches_are_stable(town, tmp_path):
    made = run("functionrules", tmp_path, **town)
    first = drawn(delineate(tmp_path, made))[0]["BSM"].tolist()
    assert drawn(delineate(tmp_path, made, "again"))[0]["BSM"].tolist() == first
    fewer = drawn(delineate(tmp_path, made, "fewer", least_class=3))[0]["BSM"].tolist()
    assert set(fewer) < set(first)


def test_legal_areas_are_patches_as_they_are_and_taken_out_of_others(town, tmp_path):
    found = by_rule(delineate(tmp_path, run("functionrules", tmp_path, **town)))
    first, second = box(50, 0, 54.3, 20), box(50, 0, 60.7, 25)
    assert found["a"].equals(first)
    assert found["c"].equals(second.difference(first))
    woods = box(54, 10, 70, 30).difference(second)
    assert found["c_patch"].intersection(box(40, 0, 100, 60)).equals(woods)
    assert shapely.area(found["c_patch"].intersection(second)) == 0


def test_a_patch_of_the_highest_class_goes_before_a_legal_area_of_a_lower_one(save, layer, tmp_path):
    classes, rule = np.ones((20, 20)), np.zeros((20, 20))
    classes[5:10, 5:15], rule[5:10, 5:15] = 3, 2
    classes[12:15, 5:15], rule[12:15, 5:15] = 2, 5
    area = box(10.25, 0, 20, 20)
    areas = layer("areas", [(area, "c")], "rule_id", rule=[3], rule_zh=["c"], rule_en=["c"], **{"class": [2]})
    given = {"classes": save("c", classes, 0, "uint8"), "rules": save("r", rule, 0, "uint8")}
    made = run("delineatepatches", tmp_path, areas=areas, least_m2=0, **given)
    found = by_rule(made)
    assert found["b"].equals(box(5, 5, 15, 10))
    assert found["c"].equals(area.difference(box(5, 5, 15, 10)))
    assert found["d"].equals(box(5, 12, 10.25, 15))


def test_the_least_area_is_that_of_a_group_of_patches_that_touch(save, layer, tmp_path):
    classes = np.ones((20, 40))
    classes[0:2, 0:3], classes[0:2, 3:6] = 3, 2
    classes[5:7, 0:3], classes[7:9, 3:6] = 3, 2
    classes[15:17, 20:22] = 2
    area = box(22, 12, 32, 20)
    areas = layer("areas", [(area, "a")], "rule_id", rule=[1], **{"class": [3]})
    given = {"classes": save("c", classes, 0, "uint8"), "areas": areas, "least_m2": 1200}
    _, geometry = drawn(run("delineatepatches", tmp_path, **given))
    found = shapely.union_all(geometry)
    # Six and six cells side by side are a group; at a corner they are not. Next to an area four are one.
    assert found.equals(shapely.union_all([box(0, 0, 6, 2), box(20, 15, 22, 17), area]))


def test_bits_below_a_cell_beside_a_legal_area_are_no_patches(save, layer, tmp_path):
    classes = np.ones((10, 20))
    classes[5, 5:10] = 2
    areas = layer("areas", [(box(0, 0, 9.4, 10), "a")], "rule_id", **{"class": [3]})
    made = run("delineatepatches", tmp_path, classes=save("c", classes), areas=areas, least_m2=0)
    assert drawn(made)[0]["rule"].tolist() == ["a"]
    assert facts(made)["bits_m2"] == pytest.approx(60)


def test_small_holes_go_to_the_patch_west_of_them(save, layer, tmp_path):
    classes = np.full((20, 30), 2)
    classes[3:5, 3:5] = 1
    classes[8:12, 8:12] = 1
    classes[15, 15], classes[15, 0] = 0, 1
    given = {"classes": save("c", classes, 0, "uint8"), "least_m2": 0}
    made = run("delineatepatches", tmp_path, fill_holes_m2=500, **given)
    holes = [box(8, 8, 12, 12), box(15, 15, 16, 16), box(0, 15, 1, 16)]
    assert shapely.union_all(drawn(made)[1]).equals(box(0, 0, 30, 20).difference(shapely.union_all(holes)))
    assert facts(made)["filled_cells"] == 4
    assert facts(run("delineatepatches", tmp_path, folder="none", **given))["filled_cells"] == 0


def test_the_deciding_layers_name_the_method(save, tmp_path):
    classes, bits = [[3, 3, 2, 1]], [[1, 3, 2, 0]]
    given = {
        "classes": save("c", classes, 0, "uint8"),
        "deciding": save("d", bits, 0, "uint16"),
        "least_m2": 0,
    }
    columns, _ = drawn(run("delineatepatches", tmp_path, method="dual, sensitivity", **given))
    assert columns["method"].tolist() == ["dual", "dual+sensitivity", "sensitivity"]
    assert columns["method_en"].tolist()[1] == "Dual evaluation (slope and cover), Sensitivity to erosion"


@pytest.mark.parametrize("rows", [1, 7, 32])
def test_patches_do_not_depend_on_strips(save, layer, tmp_path, monkeypatch, rows):
    rng = np.random.default_rng(9)
    classes = rng.choice([0, 1, 2, 3], (70, 90), p=[0.02, 0.28, 0.4, 0.3])
    levels = np.where(np.arange(9) % 2, 3, 2)
    areas = layer("areas", [(one, "a") for one in blobs(9, 2, 900, 700)], "rule_id", **{"class": levels})
    built = layer("built", [(one, "b") for one in blobs(5, 7, 900, 700)])
    given = {
        "classes": save("c", classes, 0, "uint8"),
        "rules": save("r", rng.integers(1, 4, (70, 90)), 0, "uint8"),
        "fill_holes_m2": 500, "least_m2": 1500, "exclude": [built],
    }  # fmt: skip
    apart = layer("apart", [(one, "a") for one in apart_blobs(areas)], "rule_id", **{"class": [3]})
    whole = run("delineatepatches", tmp_path, areas=apart, **given)
    in_strips(monkeypatch, rows)
    parts = run("delineatepatches", tmp_path, folder="parts", areas=apart, **given)
    assert drawn(parts)[0]["BSM"].tolist() == drawn(whole)[0]["BSM"].tolist()
    assert facts(parts) == facts(whole)
    assert len(drawn(whole)[1]) > 50


def apart_blobs(path):
    """Return one multipolygon of all polygons of a layer."""
    table = formats.read_back(path, "areas")
    return [shapely.union_all(shapely.from_wkb(np.asarray(table.wkb)))]


def test_patches_of_cells_have_the_area_of_their_cells(save, tmp_path):
    rng = np.random.default_rng(12)
    classes = rng.integers(0, 4, (90, 110))
    given = {
        "classes": save("c", classes, 0, "uint8"),
        "rules": save("r", rng.integers(0, 3, (90, 110)), 255),
    }
    _, geometry = drawn(run("delineatepatches", tmp_path, least_m2=0, **given))
    assert shapely.is_valid(geometry).all()
    assert shapely.area(geometry).sum() == (classes >= 2).sum() * 100
    from swc_zoning.engine.evaluation import contiguity

    cells = shapely.transform(
        np.array([one.geoms[0] for one in geometry]), lambda p: np.rint((p - (WEST, NORTH)) / (CELL, -CELL))
    )
    found = {tuple(sorted(pair)) for pair in zip(*contiguity.of_cells(cells))}
    assert found == {tuple(sorted(pair)) for pair in zip(*contiguity.of_polygons(cells))}


# --- parcels ---------------------------------------------------------------------------------------


def test_parcels_have_the_cells_whose_centre_they_hold():
    from swc_zoning.engine.evaluation import majority

    rng = np.random.default_rng(6)
    cells = rng.integers(0, 4, (300, 400)).astype(np.uint8)
    parcels = np.concatenate((blobs(50, 5), [box(3.6, 3.6, 3.9, 3.9), box(-9, -9, -5, -5)]))
    east, north = np.meshgrid(WEST + CELL * (np.arange(400) + 0.5), NORTH - CELL * (np.arange(300) + 0.5))
    wanted = [np.bincount(cells[shapely.contains_xy(one, east, north)], minlength=4) for one in parcels]
    wanted[50][cells[3, 3]] = 1
    for rows in (300, 37):
        strips = [rasters.Block(r, min(r + rows, 300), 0, 400) for r in range(0, 300, rows)]
        read = lambda strip: cells[strip.top : strip.bottom]  # noqa: E731
        found = majority.counted(parcels, grid(300, 400), strips, read, 3)
        np.testing.assert_array_equal(found, wanted)


def test_parcels_take_their_majority_less_legal_areas_and_are_joined(save, layer, tmp_path):
    classes, rule = np.ones((20, 50)), np.zeros((20, 50))
    classes[:, :14], rule[:, :14] = 2, 5
    classes[:, 30:36], rule[:, 30:36] = 3, 2
    classes[:, 36:40], rule[:, 36:40] = 2, 5
    parcels = layer("parcels", [(box(10 * n, 0, 10 * n + 10, 20), str(n)) for n in range(5)])
    areas = layer("areas", [(box(8.5, 0, 16.5, 20), "a")], "rule_id", rule=[1], **{"class": [3]})
    given = {
        "classes": save("c", classes, 0, "uint8"), "rules": save("r", rule, 0, "uint8"),
        "parcels": parcels, "least_m2": 0,
    }  # fmt: skip
    plain = by_rule(run("delineatepatches", tmp_path, **given))
    assert plain == {"d": box(0, 0, 10, 20).normalize(), "b": box(30, 0, 40, 20).normalize()}
    found = by_rule(run("delineatepatches", tmp_path, areas=areas, **given))
    # Of the second parcel 3.5 columns are left, none of them important.
    wanted = {"d": box(0, 0, 8.5, 20), "a": box(8.5, 0, 16.5, 20), "b": box(30, 0, 40, 20)}
    assert found == {rule: one.normalize() for rule, one in wanted.items()}
    classes[:, :] = 2
    rule[:, :] = 5
    given.update(classes=save("c2", classes, 0, "uint8"), rules=save("r2", rule, 0, "uint8"))
    assert len(drawn(run("delineatepatches", tmp_path, **given))[1]) == 1
    assert len(drawn(run("delineatepatches", tmp_path, dissolve=False, **given))[1]) == 5
    assert len(drawn(run("delineatepatches", tmp_path, **{**given, "least_m2": 100_001}))[1]) == 0


def test_parcels_that_overlap_are_joined_too(save, layer, tmp_path):
    classes = save("c", np.full((10, 30), 2), 0, "uint8")
    parcels = layer(
        "parcels", [(box(0, 0, 11, 10), "1"), (box(10, 0, 20, 10), "2"), (box(20, 0, 30, 10), "3")]
    )
    _, geometry = drawn(run("delineatepatches", tmp_path, classes=classes, parcels=parcels, least_m2=0))
    assert [one.equals(box(0, 0, 30, 10)) for one in geometry] == [True]


def test_a_parcel_whose_class_is_shared_out_takes_the_lower_one(save, layer, tmp_path):
    classes = np.ones((10, 10))
    classes[:, :3], classes[:, 3:6] = 3, 2
    parcels = layer("parcels", [(box(0, 0, 10, 10), "one")])
    made = run("delineatepatches", tmp_path, classes=save("c", classes), parcels=parcels, least_m2=0)
    assert drawn(made)[0]["class"].tolist() == [2]


# --- the zoning ------------------------------------------------------------------------------------


def test_patches_go_into_the_zoning_without_slivers_along_a_legal_boundary(save, layer, tmp_path):
    from swc_zoning.engine import job as jobs
    from swc_zoning.engine import run as zonings

    land = np.full((60, 80), code(GRASS))
    turned = shapely.affinity.rotate(box(20, 15, 50, 40), 23)
    zones = layer("zones", [(turned, "一级保护区"), (shapely.buffer(turned, 97.3), "二级保护区")], "BHQJB")
    strips = layer("strips", [(box(0, 20, 80, 31), "湖泊")], "class")
    cover = save("cover", np.full((60, 80), 0.7))
    rules = run(
        "functionrules", tmp_path, cover=cover, ecosystem=save("land", land, 0, "uint8"),
        drinking_water_source=zones, strips=strips,
    )  # fmt: skip
    patches = delineate(tmp_path, rules).files["patches"]
    extent = layer("extent", [(box(-5, -5, 85, 65), "city")])
    document = {
        "schema": jobs.SCHEMA, "crs": "EPSG:4549",
        "extent": {"source": str(extent)},
        "layers": [
            {"role": "drinking_water_source", "source": str(zones), "tier": {"field": "BHQJB"}},
            {"role": "swc_function_important", "source": str(patches), "tier": {"field": "ZYXDJ"}},
        ],
    }  # fmt: skip
    (tmp_path / "job.json").write_text(json.dumps(document), encoding="utf-8")
    zoning = zonings.run(tmp_path / "job.json")
    assert zoning.summary["slivers"]["count"] == 0
    # Nothing of the source zones is without the class that their rules give.
    found = {tuple(row["roles"]): row["plane_m2"] for row in zoning.summary["crosstab"]}
    both = ("drinking_water_source", "swc_function_important")
    assert ("drinking_water_source",) not in found
    assert found[both] == pytest.approx(shapely.area(shapely.buffer(turned, 97.3)), abs=0.1)
    assert found[("swc_function_important",)] > 100


# --- land use --------------------------------------------------------------------------------------


def test_land_use_becomes_the_ecosystem_at_the_centre_of_each_cell(save, layer, tmp_path):
    rows = [
        (box(0, 0, 4, 10), "0101"), (box(4, 0, 8.4, 10), "0301K"), (box(8.4, 0, 9, 10), "1101"),
        (box(9, 0, 12, 5), "05H1"), (box(9, 5, 12, 9), "0404"), (box(9, 4, 12, 6), "0603"),
    ]  # fmt: skip
    given = {"landuse": layer("land", rows, "DLBM"), "template": save("t", np.zeros((10, 12)))}
    made = run("landuseraster", tmp_path, **given)
    found = values(made.files["ecosystem"])
    assert (found[:, :4] == code(PADDY)).all()
    assert (found[:, 4:8] == code(FOREST)).all()
    assert (found[:, 8] == code(WATER)).all()
    assert (found[:4, 9:] == code(URBAN)).all()
    # Where polygons overlap the lesser code is taken, whatever their order.
    assert (found[4, 9:] == min(code(URBAN), code(WATER))).all()
    assert (found[5, 9:] == min(code(GRASS), code(WATER))).all()
    assert (found[9, 9:] == 0).all()
    assert [one["count"] for one in said(made, "landuse.overlap")] == [6]
    assert [one["count"] for one in said(made, "landuse.uncovered")] == [3]
    assert facts(made)["kind_m2"]["paddy"] == 4000
    assert "evaluation.unverified" in codes(made)
    turned = run(
        "landuseraster", tmp_path, folder="t", **{**given, "landuse": layer("land2", rows[::-1], "DLBM")}
    )
    np.testing.assert_array_equal(values(turned.files["ecosystem"]), found)


def test_land_classes_without_an_ecosystem_are_listed_with_count_and_area(save, layer, tmp_path):
    rows = [
        (box(0, 0, 5, 10), "0101"),
        (box(5, 0, 7, 10), "1301"),
        (box(7, 0, 8, 10), "1301"),
        (box(8, 0, 9, 9), ""),
    ]
    given = {"landuse": layer("land", rows, "DLBM"), "template": save("t", np.zeros((10, 12)))}
    found = refused("landuseraster", tmp_path, **given)
    assert found.code == "landuse.unmapped"
    assert found.facts["codes"] == "1301 (2, 0.0030 km2), NULL (1, 0.0009 km2)"
    assert refused("landuseraster", tmp_path, field="DL", **given).code == "evaluation.field"
    rows[3] = (rows[3][0], "0305")
    told = {**given, "landuse": layer("land3", rows, "DLBM"), "more": {"13": "grass"}}
    assert (values(run("landuseraster", tmp_path, **told).files["ecosystem"])[:, 5:8] == code(GRASS)).all()


def test_every_land_class_of_the_survey_has_an_ecosystem():
    from swc_zoning.engine import roles
    from swc_zoning.engine.evaluation import landuse, sets

    table = sets.default("landuse_ecosystems")["prefixes"]
    assert set(table.values()) <= set(sets.default("ecosystems")["kinds"])
    numbers = {"01": 3, "02": 4, "03": 7, "04": 4, "10": 9, "11": 10, "12": 7}
    classes = [f"{head}{n:02d}" for head, count in numbers.items() for n in range(1, count + 1)]
    classes += ["05H1", "0508", "0601", "0602", "0603", "0701", "0702", "08H1", "08H2", "0809", "0810A", "09"]
    assert [one for one in classes if not landuse.kind_of(one, table)] == []
    assert landuse.kind_of("301", table) == landuse.kind_of("0301.0", table) == "forest"
    # What the survey counts as wetland is wetland in the zoning too, but for salt pans.
    wet = [one for one in classes if landuse.kind_of(one, table) == "wetland"]
    tiers = {one: roles.canonical_tier("landuse_status", one) for one in wet}
    assert set(tiers.values()) <= {"wetland", "tidal_flat"}


@pytest.mark.parametrize("rows", [1, 13])
def test_land_use_does_not_depend_on_strips(save, layer, tmp_path, monkeypatch, rows):
    names = ["0101", "0301", "1101", "0701"] * 10
    given = {
        "landuse": layer("land", list(zip(blobs(40, 3, 900, 700), names)), "DLBM"),
        "template": save("t", np.zeros((70, 90))),
    }  # fmt: skip
    whole = run("landuseraster", tmp_path, **given)
    in_strips(monkeypatch, rows)
    parts = run("landuseraster", tmp_path, folder="parts", **given)
    np.testing.assert_array_equal(values(parts.files["ecosystem"]), values(whole.files["ecosystem"]))
    assert facts(parts) == facts(whole)


# --- bank strips -----------------------------------------------------------------------------------


def strips(result):
    table = formats.read_back(result.files["strips"], "bank_strips")
    keys = zip(table.columns["class"], table.columns["side"], table.columns["width_m"].astype(float))
    return dict(zip(keys, shapely.from_wkb(np.asarray(table.wkb))))


def test_each_feature_may_have_a_width_and_a_side_of_its_own(layer, tmp_path):
    rows = [(shapely.LineString([(0, y), (1000, y)]), "河") for y in (0, 5000, 10000, 15000)]
    lines = layer("lines", rows, "LB", YC=["北岸", "南岸", " 两岸 ", ""], KD=["1000", "500", None, "20"])
    given = {
        "waters": lines,
        "class_field": "LB",
        "widths": {"河": 50},
        "side_field": "YC",
        "width_field": "KD",
    }
    found = strips(run("bankstrips", tmp_path, side="left", **given))
    assert {key[1:]: one.bounds for key, one in found.items()} == {
        ("north", 1000.0): (0, 0, 1000, 1000), ("south", 500.0): (0, 4500, 1000, 5000),
        ("both", 50.0): (0, 9950, 1000, 10050), ("left", 20.0): (0, 15000, 1000, 15020),
    }  # fmt: skip
    assert next(iter(found)) == ("河", "north", 1000.0)
    wide = layer("wide", rows, "LB", YC=["北岸"] * 4, KD=[1000.0, 500.0, 10.0, 20.0])
    assert len(strips(run("bankstrips", tmp_path, **{**given, "waters": wide, "widths": {}}))) == 4


@pytest.mark.parametrize(
    ("side", "width", "code"),
    [
        ("北面", "10", "side_word"),
        ("北岸", "-3", "width_odd"),
        ("北岸", "宽", "width_odd"),
        ("左岸", "10", "no_flow"),
    ],
)
def test_sides_and_widths_that_are_none_are_refused(layer, tmp_path, side, width, code):
    waters = layer("w", [(box(0, 0, 5, 5), "湖")], "LB", YC=[side], KD=[width])
    found = refused(
        "bankstrips", tmp_path, waters=waters, class_field="LB", side_field="YC", width_field="KD"
    )
    assert found.code == f"evaluation.{code}"
    none = refused("bankstrips", tmp_path, waters=waters, class_field="LB")
    assert (none.code, none.facts["classes"]) == ("evaluation.widths", "湖")


def test_the_side_of_a_lake_is_what_its_banks_on_that_side_have(layer, tmp_path):
    lake = box(0, 0, 100, 50)
    waters = layer("lake", [(lake.difference(box(40, 20, 60, 30)), "湖")], "LB")
    given = {"waters": waters, "class_field": "LB", "widths": {"湖": 100}}
    whole = strips(run("bankstrips", tmp_path, **given))["湖", "both", 100.0]
    found = {
        side: strips(run("bankstrips", tmp_path, side=side, **given))["湖", side, 100.0]
        for side in ("north", "south", "east", "west")
    }
    corner = np.pi * 100**2 / 4
    assert shapely.area(found["north"]) == pytest.approx(1000 * 100 + 2 * corner, rel=2e-3)
    assert shapely.area(found["east"]) == pytest.approx(500 * 100 + 2 * corner, rel=2e-3)
    assert shapely.area(shapely.intersection(found["north"], found["south"])) == 0
    assert shapely.area(shapely.intersection(found["north"], lake)) == 0
    outside = whole.difference(box(0, 0, 100, 50))
    assert shapely.area(shapely.symmetric_difference(shapely.union_all(list(found.values())), outside)) < 1


@pytest.mark.parametrize("turn", [0, 17, 45, 122])
def test_opposite_sides_of_a_round_water_make_all_of_its_strip(layer, tmp_path, turn):
    oval = shapely.affinity.rotate(shapely.affinity.scale(shapely.Point(WEST, NORTH).buffer(300), 2, 1), turn)
    ring = shapely.LineString(oval.exterior.coords)
    for name, shape in (("water", oval), ("ring", ring)):
        waters = layer(f"{name}{turn}", [(shape, "湖")], "LB")
        given = {"waters": waters, "class_field": "LB", "widths": {"湖": 80}}
        halves = [
            strips(run("bankstrips", tmp_path, side=side, **given))["湖", side, 80.0]
            for side in ("north", "south")
        ]
        whole = oval.buffer(80, quad_segs=16).difference(oval)
        assert shapely.area(halves[0].intersection(halves[1])) < 1
        assert (
            shapely.area(shapely.symmetric_difference(shapely.union_all(halves), whole)) < 1e-4 * whole.area
        )
        assert halves[0].centroid.y > halves[1].centroid.y + 300


def test_every_sentence_of_the_rules_is_used():
    from swc_zoning.engine.messages import catalogue

    text = "".join(path.read_text(encoding="utf-8") for path in Path(running.__file__).parent.glob("*.py"))
    rooms = ("function_rules.", "landuse.")
    sentences = [one for one in catalogue() if one.startswith(rooms)]
    assert [one for one in sentences if f'"{one}"' not in text] == []
    assert "functionrules" in declared.algorithms()
