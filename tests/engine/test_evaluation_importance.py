# SPDX-License-Identifier: GPL-2.0-or-later
"""Retention, index of NPP, importance, vulnerability, biological factor, agreement: published numbers,
properties that must hold, refusals; the same by blocks as in whole."""

import csv
import shutil
import subprocess

import numpy as np
import pytest
import shapely

rasterio = pytest.importorskip("rasterio")

from evaluating import (  # noqa: E402
    NAN,
    NORTH,
    WEST,
    blocks_of,
    check_blocks,
    codes,
    facts,
    found,
    layer,
    refusal,
    refused,
    run,
    save,
    values,
)

from swc_zoning.engine.evaluation import agreeing, declared, factors, rasters, sets, terrain  # noqa: E402

FOREST, SHRUB, GRASS, PADDY, DRYLAND, URBAN, WATER = 1, 2, 3, 6, 7, 9, 11
SHAPE = (97, 131)


@pytest.fixture(scope="module")
def land(tmp_path_factory):
    """A hilly land as files by name, no data in some, and the folder they are in as "folder"."""
    folder, rng = tmp_path_factory.mktemp("land"), np.random.default_rng(5)
    y, x = np.mgrid[0 : SHAPE[0], 0 : SHAPE[1]]
    made = {
        "dem": 300 + 90 * np.sin(x / 9) + 70 * np.cos(y / 11) + rng.normal(0, 1, SHAPE),
        "slope": np.clip(25 + 20 * np.sin(x / 9) + rng.normal(0, 3, SHAPE), 0, 60),
        "cover": np.clip(0.6 + 0.3 * np.cos(y / 8) + rng.normal(0, 0.1, SHAPE), 0, 1),
        "erosivity": 5000 + 10.0 * x,
        "erodibility": 0.02 + 0.01 * np.sin(y / 20),
        "ls": np.abs(rng.normal(5, 3, SHAPE)),
        "c": np.clip(rng.normal(0.2, 0.2, SHAPE), 0, 1),
        "npp": 300 + 200 * np.sin(x / 7) * np.cos(y / 9),
        "ecosystem": rng.choice([FOREST, SHRUB, GRASS, PADDY, DRYLAND, URBAN, WATER], SHAPE).astype(float),
    }
    for number, name in enumerate(("slope", "cover", "ls", "c", "npp", "ecosystem")):
        made[name][5 * number : 5 * number + 4, 40:60] = NAN
    files = {
        name: save(folder, name, cells, unit="degrees" if name == "slope" else "")
        for name, cells in made.items()
    }
    return {**files, "folder": folder}


def given(land, *names):
    return {name: land[name] for name in names}


# --- retention -------------------------------------------------------------------------------------


def test_retention_of_the_published_cases(tmp_path):
    k = factors.k_guide([15, 15, 30, 30], [60, 60, 30, 30], [25, 25, 40, 40], [1.2, 1.2, 1.5, 1.5])
    ls = np.array([0.074301, 0.074301, 8.979610, 11.951607])
    made = run(
        "soilretention",
        tmp_path,
        erosivity=save(tmp_path, "r", [5200, 5200, 6500, 6500]),
        erodibility=save(tmp_path, "k", k),
        ls=save(tmp_path, "ls", ls),
        c=save(tmp_path, "c", [0.043, 0.01, 0.492280, 0.45]),
        ecosystem=save(tmp_path, "e", [GRASS, URBAN, DRYLAND, GRASS]),
    )
    np.testing.assert_allclose(
        values(made.files["potential"])[0], [8.753556, 8.753556, 830.471055, 1105.333557], rtol=1e-5
    )
    np.testing.assert_allclose(
        values(made.files["retained"])[0], [8.377153, 8.666021, 421.647168, 607.933456], rtol=1e-5
    )


def flat_city(folder, urban_c):
    cells = {"erosivity": 5200.0, "erodibility": 0.022656, "ls": save(folder, "ls", np.full((2, 4), 0.0743))}
    cells["c"] = save(folder, "c", [[0.043] * 2 + [urban_c] * 2] * 2)
    return {**cells, "ecosystem": save(folder, "e", [[GRASS] * 2 + [URBAN] * 2] * 2)}


def test_built_up_land_above_grass_is_said(tmp_path):
    made = run("soilretention", tmp_path, **flat_city(tmp_path, 0.01))
    told = found(made, "builtup_retains")
    assert told["urban"] == pytest.approx(8.666, abs=2e-3)
    assert told["other"] == pytest.approx(8.377, abs=2e-3)
    assert told["urban_percent"] == pytest.approx(99)
    assert told["other_percent"] == pytest.approx(95.7)
    below = run("soilretention", tmp_path, **flat_city(tmp_path, 0.2))
    assert "builtup_retains" not in codes(below)


@pytest.mark.parametrize(("c", "ls"), [(0.2, [1, 1, 5, 5]), (0.01, [5, 5, 1, 1])])
def test_built_up_land_above_grass_by_its_ground_or_by_its_cover_is_said(tmp_path, c, ls):
    city = {**flat_city(tmp_path, c), "ls": save(tmp_path, "steps", [ls, ls])}
    told = found(run("soilretention", tmp_path, **city), "builtup_retains")
    assert (told["urban"] > told["other"]) != (told["urban_percent"] > told["other_percent"])


def test_without_ecosystems_it_is_said_that_nothing_was_compared(tmp_path):
    city = {**flat_city(tmp_path, 0.01), "ecosystem": None}
    del city["ecosystem"]
    assert "not_compared" in codes(run("soilretention", tmp_path, **city))


def test_retention_lies_between_nothing_and_the_potential(land, tmp_path):
    made = check_blocks(
        "soilretention", tmp_path, **given(land, "erosivity", "erodibility", "ls", "c", "ecosystem")
    )
    potential, retained = (values(made.files[name]) for name in ("potential", "retained"))
    known = ~np.isnan(retained)
    assert (retained[known] >= 0).all()
    assert (retained[known] <= potential[known]).all()
    np.testing.assert_array_equal(known, ~np.isnan(potential))
    inputs = [values(land[name]) for name in ("erosivity", "erodibility", "ls", "c")]
    np.testing.assert_array_equal(known, np.logical_and.reduce([~np.isnan(one) for one in inputs]))
    r, k, ls, c = inputs
    np.testing.assert_array_equal(retained, (r * k * ls * (1 - c)).astype(np.float32))


@pytest.mark.parametrize(("name", "value"), [("c", 1.2), ("c", -0.1), ("erosivity", -1), ("ls", -3)])
def test_factors_that_cannot_be_are_refused(land, tmp_path, name, value):
    cells = values(land[name])
    cells[50, 3] = value
    wrong = {**given(land, "erosivity", "erodibility", "ls", "c"), name: save(tmp_path, name, cells)}
    error = refusal("soilretention", tmp_path, **wrong)
    assert (error.code, error.facts["name"], error.facts["count"]) == ("evaluation.value_range", name, 1)


# --- index of NPP ----------------------------------------------------------------------------------

NPP = [0, 120, 300, 480, 600, NAN]
K = [0.010, 0.030, 0.040, 0.0416, 0.020, 0.03]
SLOPE = [0, 0.3, 8, 25, 40, 2]
S_PRO = [0, 0.07286709, 0.02025316, 0, 0, NAN]


def npp_case(folder, npp=NPP, **more):
    cells = {"npp": save(folder, "npp", npp), "erodibility": save(folder, "k", K)}
    cells["slope"] = save(folder, "slope", SLOPE, unit="degrees")
    return {**cells, "only_natural": False, **more}


def test_the_index_of_npp_of_the_published_cells(tmp_path):
    made = run("nppindex", tmp_path, **npp_case(tmp_path))
    np.testing.assert_allclose(values(made.files["index"])[0], S_PRO, rtol=1e-6, atol=1e-9)
    assert "unmasked" in codes(made)
    assert not {"flat", "flat_rewarded"} & codes(made)
    assert facts(made)["extremes"]["slope"] == [0, 40]


def test_the_index_does_not_depend_on_the_unit_of_npp(tmp_path):
    one = run("nppindex", tmp_path, **npp_case(tmp_path))
    other = run("nppindex", tmp_path, "scaled", **npp_case(tmp_path, np.array(NPP) * 0.5))
    np.testing.assert_array_equal(*(values(result.files["index"]) for result in (one, other)))


def test_only_natural_cells_have_an_index_and_its_extremes(tmp_path):
    case = npp_case(tmp_path, only_natural=True)
    assert refused("nppindex", tmp_path, **case) == "needs"
    ecosystem = save(tmp_path, "e", [FOREST, GRASS, FOREST, SHRUB, PADDY, FOREST])
    made = run("nppindex", tmp_path, ecosystem=ecosystem, **case)
    index = values(made.files["index"])[0]
    assert np.isnan(index[4:]).all()
    assert facts(made)["extremes"]["npp"] == [0, 480]
    assert index[1] == pytest.approx(120 / 480 * (1 - 0.020 / 0.0316) * (1 - 0.3 / 25), rel=1e-6)
    assert "unmasked" not in codes(made)
    none = save(tmp_path, "none", [PADDY] * 6)
    assert refused("nppindex", tmp_path, ecosystem=none, **case) == "no_cells"
    unknown = save(tmp_path, "unknown", [77] * 6)
    assert refused("nppindex", tmp_path, ecosystem=unknown, **case) == "unmapped"


def test_a_factor_that_is_the_same_everywhere_counts_as_nothing_and_is_said(tmp_path):
    made = run("nppindex", tmp_path, **{**npp_case(tmp_path), "erodibility": 0.03})
    assert found(made, "constant_factor") == {"name": "erodibility", "value": 0.03}
    assert values(made.files["index"])[0, 3] == pytest.approx(0.8 * (1 - 0.625), rel=1e-6)


def test_flat_land_that_is_rewarded_is_said(tmp_path):
    flat = save(tmp_path, "flat", [0, 1, 2, 3, 4, 5], unit="degrees")
    made = run("nppindex", tmp_path, **{**npp_case(tmp_path), "slope": flat})
    assert {"flat", "flat_rewarded"} <= codes(made)


def test_the_index_by_blocks_and_within_its_bounds(land, tmp_path):
    names = ("npp", "erodibility", "slope", "ecosystem")
    made = check_blocks("nppindex", tmp_path, **given(land, *names))
    index = values(made.files["index"])
    assert 0 <= np.nanmin(index) < np.nanmax(index) <= 1
    natural = np.isin(values(land["ecosystem"]), (FOREST, SHRUB, GRASS))
    npp, k, slope = (np.where(natural, values(land[name]), NAN) for name in names[:3])
    np.testing.assert_allclose(index, factors.conservation_index(npp, k, slope), rtol=1e-6)


# --- importance ------------------------------------------------------------------------------------

CASES = ((25, 0.80, FOREST, 3), (24.99, 0.80, FOREST, 2), (25, 0.79, FOREST, 2), (30, 0.60, GRASS, 2),
         (15, 0.60, SHRUB, 2), (14.9, 0.90, FOREST, 1), (40, 0.95, DRYLAND, 1), (25, 0.59, FOREST, 1),
         (NAN, 0.9, FOREST, 0), (30, NAN, FOREST, 0), (30, 0.9, NAN, 0))  # fmt: skip


def importance_case(folder, percent=False):
    slope, cover, ecosystem, wanted = np.array(CASES).T
    files = {"slope": save(folder, "slope", slope, unit="degrees"), "ecosystem": save(folder, "e", ecosystem)}
    return {**files, "cover": save(folder, "cover", cover * (100 if percent else 1))}, wanted


@pytest.mark.parametrize("percent", [False, True])
def test_importance_of_the_published_cells(tmp_path, percent):
    case, wanted = importance_case(tmp_path, percent)
    made = run("importance", tmp_path, **case)
    assert values(made.files["class"])[0].tolist() == wanted.tolist()
    assert facts(made)["cells_by_class"] == [3, 3, 4, 1]
    assert ("percent" in codes(made)) == percent
    assert "overridden" not in codes(made)


def test_each_threshold_can_be_another_which_is_said(tmp_path):
    case, _ = importance_case(tmp_path)
    base = run("importance", tmp_path, **case)
    others = {
        "highest_slope": (20, [3, 3, 2, 2, 2, 1, 1, 1]),
        "high_slope": (14, [3, 2, 2, 2, 2, 2, 1, 1]),
        "highest_cover": (0.6, [3, 2, 3, 3, 2, 1, 1, 1]),
        "high_cover": (0.59, [3, 2, 2, 2, 2, 1, 1, 2]),
    }
    for name, (value, wanted) in others.items():
        made = run("importance", tmp_path, name, **case, **{name: value})
        assert values(made.files["class"])[0, :8].tolist() == wanted, name
        assert found(made, "overridden")["name"] == name
        # Lower thresholds never lower a class.
        assert (values(made.files["class"]) >= values(base.files["class"])).all()
    assert refused("importance", tmp_path, **case, high_slope=30) == "thresholds"
    assert refused("importance", tmp_path, **case, high_cover=0.9) == "thresholds"


def test_flat_country_has_no_importance_and_it_is_said(tmp_path):
    case, _ = importance_case(tmp_path)
    flat = save(tmp_path, "flat", np.linspace(0, 4, len(CASES)), unit="degrees")
    made = run("importance", tmp_path, **{**case, "slope": flat})
    assert {"flat", "all_general"} <= codes(made)
    assert "all_general" not in codes(run("importance", tmp_path, **case))


def test_importance_by_blocks(land, tmp_path):
    made = check_blocks("importance", tmp_path, **given(land, "slope", "cover", "ecosystem"))
    slope, cover, ecosystem = (values(land[name]) for name in ("slope", "cover", "ecosystem"))
    kinds = np.isin(ecosystem, (FOREST, SHRUB, GRASS))
    wanted = np.where(
        kinds & (slope >= 25) & (cover >= 0.8), 3, np.where(kinds & (slope >= 15) & (cover >= 0.6), 2, 1)
    )
    wanted[np.isnan(slope) | np.isnan(cover) | np.isnan(ecosystem)] = 0
    np.testing.assert_array_equal(values(made.files["class"]), wanted)


# --- vulnerability ---------------------------------------------------------------------------------

WORDS = ("微度", "轻度", "中度", "强烈", "极强烈", "剧烈")


def strip(number):
    return shapely.box(WEST + 20 * number, NORTH - 20, WEST + 20 * number + 20, NORTH)


def polygon_rows(path):
    from swc_zoning.engine import formats

    table = formats.read_vector(str(path), "vulnerable")
    return list(
        zip(table.columns["class"].tolist(), table.columns["intensity"].tolist(), table.columns["area_m2"])
    )


@pytest.mark.parametrize(
    "words", [WORDS, ("微度侵蚀", "轻", "中度侵蚀", "强度", "极强度", "剧"), tuple("012345"), tuple("123456")]
)
def test_monitored_words_and_codes_have_their_class(tmp_path, words):
    polygons = layer(
        tmp_path, "erosion", [(strip(number), word) for number, word in enumerate(words)], "QSQD"
    )
    made = run("vulnerability", tmp_path, polygons=polygons, field="QSQD")
    rows = polygon_rows(made.files["vulnerable"])
    assert [row[:2] for row in rows] == [(3, "very_intense"), (3, "severe"), (2, "moderate"), (2, "intense")]
    assert rows[0][2] == pytest.approx(400, rel=1e-3)
    assert facts(made)["km2_by_class"]["3"] == pytest.approx(8e-4, rel=1e-3)
    assert "not_declared" in codes(made)
    assert "class" not in made.files


def test_numbers_that_can_be_read_two_ways_are_refused(tmp_path):
    polygons = layer(tmp_path, "erosion", [(strip(0), "3"), (strip(1), "5")])
    case = {"polygons": polygons, "field": "name"}
    assert refused("vulnerability", tmp_path, **case) == "intensity_coding"
    wanted = {"0-5": [3, 2], "1-6": [3, 2]}
    for coding, classes in wanted.items():
        made = run("vulnerability", tmp_path, coding=coding, **case)
        assert [row[0] for row in polygon_rows(made.files["vulnerable"])] == classes
        assert facts(made)["km2_by_class"]["2"] == pytest.approx(4e-4, rel=1e-3)
    odd = layer(tmp_path, "odd", [(strip(0), "很强")])
    assert refused("vulnerability", tmp_path, polygons=odd, field="name") == "intensity_words"
    assert refused("vulnerability", tmp_path, polygons=odd, field="none") == "field"


def test_a_polygon_without_intensity_has_no_class_and_is_counted(tmp_path):
    polygons = layer(tmp_path, "erosion", [(strip(0), "剧烈"), (strip(1), "")])
    made = run("vulnerability", tmp_path, polygons=polygons, field="name")
    assert found(made, "intensity_missing")["count"] == 1
    assert len(polygon_rows(made.files["vulnerable"])) == 1


def test_polygons_on_a_grid_the_highest_wins_and_nothing_votes_outside(tmp_path):
    rows = [(strip(0), "剧烈"), (strip(0).union(strip(1)), "中度"), (strip(2), "微度")]
    template = save(tmp_path, "template", np.zeros((3, 8)))
    polygons = layer(tmp_path, "erosion", rows)
    made = check_blocks("vulnerability", tmp_path, (2, 3), polygons=polygons, field="name", template=template)
    assert values(made.files["class"]).tolist() == [[3, 3, 2, 2, 1, 1, 0, 0]] * 2 + [[0] * 8]


def test_intensities_of_a_raster_have_their_class(tmp_path):
    intensity = save(tmp_path, "intensity", [0, 1, 2, 3, 4, 5, NAN])
    made = run("vulnerability", tmp_path, intensity=intensity)
    assert values(made.files["class"])[0].tolist() == [1, 1, 2, 2, 3, 3, 0]
    assert facts(made)["cells_by_class"] == [1, 2, 2, 2]
    assert "vulnerable" not in made.files
    assert refused("vulnerability", tmp_path, intensity=save(tmp_path, "six", [6, 1])) == "intensity_range"
    assert refused("vulnerability", tmp_path) == "needs"
    polygons = layer(tmp_path, "erosion", [(strip(0), "剧烈")])
    both = {"intensity": intensity, "polygons": polygons}
    assert refused("vulnerability", tmp_path, field="name", **both) == "one_of"
    assert refused("vulnerability", tmp_path, polygons=polygons) == "needs"


def test_nothing_computed_is_offered_as_an_announced_area():
    assert [one.role for one in declared.find("vulnerability").outputs] == ["", ""]


# --- biological factor -----------------------------------------------------------------------------


def stations_file(folder, halves):
    heads = ["station", *(f"r_{half:02}" for half in range(1, 25))]
    path = folder / "stations.csv"
    lines = [heads, *([name, *row] for name, row in halves.items())]
    path.write_text("\n".join(",".join(map(str, line)) for line in lines), encoding="utf-8")
    return path


def test_b_of_one_cover_is_the_published_ratio(tmp_path):
    kinds = [SHRUB, SHRUB, SHRUB, GRASS, GRASS, GRASS, FOREST, FOREST, FOREST]
    covers = [0, 0.5, 0.9, 0.3, 0.5, 0.9, 0, 0.5, 1]
    wanted = [0.490463, 0.061103, 0.006583, 0.174288, 0.064285, 0.006820, 0.073746, 0.062104, 0.047155]
    case = {"ecosystem": save(tmp_path, "e", kinds), "covers": [save(tmp_path, "cover", covers)]}
    made = run("biologicalfactor", tmp_path, canopy=0.5, **case)
    np.testing.assert_allclose(values(made.files["b"])[0], wanted, atol=6e-7)
    assert "one_cover" in codes(made)
    assert "canopy_assumed" not in codes(made)
    without = run("biologicalfactor", tmp_path, **case)
    assert "canopy_assumed" in codes(without)
    assert values(without.files["b"])[0, 7] == pytest.approx(0.062104, abs=6e-7)


def test_fixed_values_tilled_land_and_water(tmp_path):
    kinds = [URBAN, PADDY, DRYLAND, WATER, 21, 22, 23, 24, 25, NAN, GRASS]
    cover = save(tmp_path, "cover", [0.5] * 10 + [NAN])
    made = run("biologicalfactor", tmp_path, ecosystem=save(tmp_path, "e", kinds), covers=[cover])
    b = values(made.files["b"])[0]
    np.testing.assert_allclose(b, [0.01, 1, 1, NAN, 0.025, 1, 0.1, 1, 0, NAN, NAN], rtol=1e-6)


def test_b_of_24_covers_is_weighed_by_the_shares_of_erosivity(tmp_path):
    rng = np.random.default_rng(2)
    covers = [rng.uniform(0, 1, (1, 3)) for _ in range(24)]
    files = [save(tmp_path, f"cover{half}", one) for half, one in enumerate(covers)]
    one, other = rng.uniform(0, 100, (2, 24))
    stations = stations_file(tmp_path, {"A": one, "B": other})
    case = {"ecosystem": save(tmp_path, "e", [GRASS, SHRUB, FOREST]), "covers": files}
    made = run("biologicalfactor", tmp_path, stations=stations, **case)
    weights = (one + other) / (one + other).sum()
    table = sets.default("biological")
    for place, kind in enumerate(("grass", "shrub", "forest")):
        ratios = [float(factors.soil_loss_ratio(kind, f[0, place], f[0, place], table)) for f in covers]
        assert values(made.files["b"])[0, place] == pytest.approx(np.dot(ratios, weights), rel=1e-6)
    assert sum(facts(made)["weights"]) == pytest.approx(1)
    assert refused("biologicalfactor", tmp_path, **case) == "needs"
    assert (
        refused("biologicalfactor", tmp_path, stations=stations, **{**case, "covers": files[:23]}) == "covers"
    )
    bare = tmp_path / "bare.csv"
    bare.write_text("station,r\nA,5\n", encoding="utf-8")
    assert refused("biologicalfactor", tmp_path, stations=bare, **case) == "table"


def test_kinds_of_land_without_b_are_refused(tmp_path):
    case = {"ecosystem": save(tmp_path, "e", [5, 8]), "covers": [save(tmp_path, "cover", [0.5, 0.5])]}
    made = run("biologicalfactor", tmp_path, **case, kinds={"5": "grass", "8": "bare_soil"})
    np.testing.assert_allclose(values(made.files["b"])[0], [0.064285, 1], atol=6e-7)
    assert refused("biologicalfactor", tmp_path, **case, kinds={"5": "grass"}) == "unmapped"
    wrong = {**case, "covers": [save(tmp_path, "percent", [1.4, 0.5])]}
    assert refused("biologicalfactor", tmp_path, **wrong) == "cover_range"


def test_b_by_blocks_lies_within_0_and_1_and_soil_loss_takes_it(land, tmp_path):
    made = check_blocks("biologicalfactor", tmp_path, ecosystem=land["ecosystem"], covers=[land["cover"]])
    b = values(made.files["b"])
    assert 0 <= np.nanmin(b) < np.nanmax(b) <= 1
    water = save(tmp_path, "water", values(land["ecosystem"]) == WATER)
    rkls = given(land, "erosivity", "erodibility", "ls")
    loss = check_blocks("soilloss", tmp_path, **rkls, biological=made.files["b"], water=water)
    a = values(loss.files["loss"])
    r, k, ls = (values(one) for one in rkls.values())
    np.testing.assert_allclose(a, 100 * r * k * ls * b, rtol=1e-6)
    wet = values(land["ecosystem"]) == WATER
    assert np.isnan(a[wet]).all()
    assert (values(loss.files["intensity"])[wet] == 255).all()
    told = facts(loss)
    assert sum(told["cells_by_intensity"].values()) + told["cells_without"] == a.size


def test_water_of_known_factors_is_left_out_of_soil_loss_only(tmp_path):
    ls = save(tmp_path, "ls", [1, 1, 1])
    water = save(tmp_path, "water", [0, 1, NAN])
    made = run("soilloss", tmp_path, erosivity=1000, erodibility=0.02, ls=ls, water=water)
    np.testing.assert_array_equal(values(made.files["loss"])[0], np.float32([2000, NAN, 2000]))
    assert values(made.files["intensity"])[0].tolist() == [1, 255, 1]
    assert facts(made)["cells_without"] == 1


@pytest.mark.parametrize("name", ["biological", "engineering", "tillage", "erodibility"])
def test_soil_loss_refuses_factors_that_cannot_be(tmp_path, name):
    given = {"erosivity": 1000, "erodibility": 0.02, "ls": save(tmp_path, "ls", [1, 1])}
    wrong = save(tmp_path, "wrong", [0.5, -0.01 if name == "erodibility" else 1.01])
    error = refusal("soilloss", tmp_path, **{**given, name: wrong})
    assert (error.code, error.facts["name"]) == ("evaluation.value_range", name)


# --- agreement -------------------------------------------------------------------------------------


def test_agreement_of_classes_is_a_cross_table_of_every_pair(tmp_path):
    one = save(tmp_path, "retained", [3, 3, 2, 1, 1, 0])
    other = save(tmp_path, "dual", [3, 2, 2, 1, 3, 3])
    third = save(tmp_path, "third", [0, 0, 0, 0, 0, 1])
    made = run("integrate", tmp_path, classes=[one, other, third])
    with made.files["agreement"].open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    cells = {
        (row["layer_1"], row["layer_2"], int(row["class_1"]), int(row["class_2"])): int(row["cells"])
        for row in rows
    }
    pair = {key[2:]: count for key, count in cells.items() if key[:2] == ("retained.tif", "dual.tif")}
    assert pair == {(3, 3): 1, (3, 2): 1, (2, 2): 1, (1, 1): 1, (1, 3): 1, (0, 3): 1}
    assert len({key[:2] for key in cells}) == 3
    assert float(rows[0]["km2"]) == 1e-4
    first, second, _ = facts(made)["agreement"]
    assert (first["cells"], first["percent"]) == (5, 60)
    assert first["kappa"] == pytest.approx((0.6 - 8 / 25) / (1 - 8 / 25))
    assert (second["cells"], second["percent"]) == (0, 0)
    assert values(made.files["class"])[0].tolist() == [3, 3, 2, 1, 3, 3]


def test_agreement_by_blocks_counts_all_cells_once(land, tmp_path):
    dual = run("importance", tmp_path, **given(land, "slope", "cover", "ecosystem")).files["class"]
    keep = tmp_path / "other"
    keep.mkdir()
    low = run("importance", keep, **given(land, "slope", "cover", "ecosystem"), high_slope=5).files["class"]
    made = check_blocks("integrate", tmp_path, classes=[dual, low])
    one, other = values(dual), values(low)
    (told,) = facts(made)["agreement"]
    known = (one > 0) & (other > 0)
    assert told["cells"] == known.sum()
    assert told["percent"] == pytest.approx(100 * (one == other)[known].mean())
    assert (told["one"], told["other"]) == ("made-importance/class.tif", "made-importance/class.tif")


def test_areas_of_classes_in_degrees_are_those_of_their_rows(tmp_path):
    classes = np.random.default_rng(7).integers(0, 4, (50, 9))
    path = save(tmp_path, "classes", classes, 0.5, "EPSG:4490", (100, 50))
    with rasterio.open(path) as source:
        areas = rasters.row_areas(rasters.grid_of(source))
    made = check_blocks("integrate", tmp_path, (7, 16), classes=[path, path])
    told = facts(made)
    assert told["cells_by_class"] == [int((classes == number).sum()) for number in range(4)]
    for number in (1, 2, 3):
        wanted = (areas[:, None] * (classes == number)).sum() / 1e6
        assert told["km2_by_class"][str(number)] == pytest.approx(wanted, rel=1e-12)
    with blocks_of(7):
        again = run("integrate", tmp_path, "again", classes=[path])
    assert facts(again)["km2_by_class"] == told["km2_by_class"]


def test_kappa_of_known_tables():
    assert agreeing.kappa(np.array([[20, 5], [10, 15]])) == pytest.approx(0.4)
    assert agreeing.kappa(np.diag([3, 4, 5])) == pytest.approx(1)
    assert agreeing.kappa(np.zeros((3, 3), int)) == 0


# --- other programs --------------------------------------------------------------------------------


def test_length_and_slope_of_another_program():
    """natcap/invest, tests/test_sdr.py, test_ls_factor: cells of 30 m, its length factor capped at 25."""
    percent, drained = np.array([1.5, 4, 8, 10, 15]), np.array([100, 100, 100, 100, 1e7])
    slope = np.degrees(np.arctan(percent / 100))
    m = factors.length_exponent(slope, sets.load("length_exponent", "invest"))
    np.testing.assert_allclose(m, [0.3, 0.4, 0.5, 0.517945, 0.577381], atol=6e-7)
    # Its own notion of the way water came and of the way through a cell.
    above = np.sqrt((drained - 1) * 900)
    way = np.abs(np.sin(np.radians(slope))) + np.abs(np.cos(np.radians(slope)))
    length = ((above + 900) ** (m + 1) - above ** (m + 1)) / (30 ** (m + 2) * way**m * factors.UNIT_PLOT_M**m)
    np.testing.assert_allclose(length, [1.323022, 1.423638, 1.510080, 1.516417, 25.771081], rtol=1e-6)
    ls = np.minimum(length, 25) * factors.slope_factor(slope, sets.load("slope_factor", "nine_percent"))
    np.testing.assert_allclose(ls, [0.253996, 0.657229, 1.345856, 1.776729, 49.802994], rtol=2e-6)


def test_segments_of_a_plane_are_those_by_drained_area(tmp_path):
    """Desmet and Govers 1996 with true areas: water that runs in parallel drains length times width."""
    fall = np.tan(np.radians(8)) * 30
    dem = save(tmp_path, "dem", 500 - fall * np.arange(8)[:, None] + np.zeros(6), 30)
    made = run("slopelength", tmp_path, dem=dem, form="segment", length_exponent="csle", cap_m=1000)
    above, m, cell = 900.0 * np.arange(8), 0.5, 30.0
    wanted = ((above + cell**2) ** (m + 1) - above ** (m + 1)) / (cell ** (m + 2) * factors.UNIT_PLOT_M**m)
    np.testing.assert_allclose(wanted[:2], [1.164313, 2.128862], rtol=1e-6)
    for column in values(made.files["l"]).T:
        np.testing.assert_allclose(column, wanted, rtol=1e-6)


@pytest.mark.skipif(shutil.which("gdaldem") is None, reason="gdaldem is not there")
def test_slope_is_that_of_gdaldem_inside(land, tmp_path):
    # It reads single precision: quarters of metres are exact in it.
    dem = save(tmp_path, "dem", np.rint(values(land["dem"]) * 4) / 4)
    slope = tmp_path / "theirs.tif"
    subprocess.run(["gdaldem", "slope", "-q", str(dem), str(slope)], check=True)
    ours = terrain.slope(values(dem), 10, 10)
    assert np.abs(values(slope) - ours)[1:-1, 1:-1].max() < 1e-5


def test_sandy_soils_without_silt_have_no_negative_erodibility(tmp_path):
    sand = save(tmp_path, "sand", [97, 98])
    made = run(
        "soilerodibility", tmp_path, sand=sand, silt=0, clay=save(tmp_path, "clay", [3, 2]), carbon=0.1
    )
    assert values(made.files["erodibility"]).min() == 0


def test_water_does_not_run_by_the_rounding_of_cells(tmp_path):
    # Whole metres: many neighbours lie equally deep.
    ground = np.random.default_rng(4).integers(0, 12, (40, 40))
    made = []
    for name, height in (("square", 30.85), ("rounded", 30.85 * (1 + 2e-13))):
        path = save(tmp_path, name, ground, 30.85)
        with rasterio.open(path, "r+") as target:
            target.transform = rasterio.Affine(30.85, 0, WEST, 0, -height, NORTH)
        made.append(values(run("slopelength", tmp_path, name, dem=path, cap_m=500).files["length"]))
    np.testing.assert_array_equal(*made)
