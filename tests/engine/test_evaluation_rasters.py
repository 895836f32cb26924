# SPDX-License-Identifier: GPL-2.0-or-later
"""Algorithms of the evaluation on files: planes and flats with known answers, refusals, real elevations."""

import csv
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import shapely

rasterio = pytest.importorskip("rasterio")

from swc_zoning.engine import formats  # noqa: E402
from swc_zoning.engine.evaluation import declared, judging, ranking, rasters, running, sets, terrain  # noqa: E402
from swc_zoning.engine.messages import Blocked, SwcError, catalogue  # noqa: E402

NAN = float("nan")


@pytest.fixture
def save(tmp_path):
    """Return a maker of rasters: save(name, array, ...) -> path; north-west corner at (500000, 3450000)."""

    def make(name, values, cell=10.0, crs="EPSG:4549", nodata=NAN, dtype="float32", corner=(500000, 3450000)):
        values = np.atleast_2d(np.asarray(values, float))
        path = tmp_path / f"{name}.tif"
        profile = {"driver": "GTiff", "count": 1, "dtype": dtype, "nodata": nodata, "crs": crs}
        shape = {"height": values.shape[0], "width": values.shape[1]}
        place = rasterio.Affine(cell, 0, corner[0], 0, -cell, corner[1])
        with rasterio.open(path, "w", transform=place, **profile, **shape) as target:
            target.write(values.astype(dtype), 1)
        return path

    return make


@pytest.fixture
def polygons(tmp_path):
    """Return a maker of layers: polygons(name, [(geometry, text), ...], field) -> path."""

    def make(name, rows, field="name", crs="EPSG:4549"):
        path = tmp_path / f"{name}.gpkg"
        wkb = shapely.to_wkb(np.array([one for one, _ in rows], object))
        kind = rows[0][0].geom_type
        texts = np.array([text for _, text in rows], object)
        formats.write_table(path, name, [formats.Batch(wkb, {field: texts})], crs, kind)
        return path

    return make


def run(name, tmp_path, **parameters):
    document = {key: str(value) if isinstance(value, Path) else value for key, value in parameters.items()}
    for key, value in document.items():
        if isinstance(value, list):
            document[key] = [str(one) if isinstance(one, Path) else one for one in value]
    return running.run(name, document, tmp_path / f"made-{name}", tmp_path)


def values(path):
    with rasterio.open(path) as source:
        return source.read(1)


def codes(result):
    return {finding.code.partition(".")[2] for finding in result.findings}


def facts(result):
    return json.loads(result.record.read_text(encoding="utf-8"))["facts"]


def refused(name, tmp_path, **parameters):
    with pytest.raises(SwcError) as caught:
        run(name, tmp_path, **parameters)
    return caught.value.code.partition(".")[2]


def plane(rows, cols, degrees, cell):
    return 500 - np.tan(np.radians(degrees)) * cell * np.arange(rows)[:, None] + np.zeros(cols)


def hills(rows, cols, seed=1):
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:rows, 0:cols]
    ground = 80 + 40 * np.sin(x / 17) + 35 * np.cos(y / 23) + 10 * np.sin((x + y) / 5)
    return ground + rng.normal(0, 1.5, (rows, cols))


# --- terrain ---------------------------------------------------------------------------------------


def test_a_plane_has_its_slope_up_to_the_edge():
    np.testing.assert_allclose(terrain.slope(plane(8, 6, 8, 30), 30, 30), 8.0, rtol=1e-12)
    slanted = plane(8, 6, 8, 30)
    slanted[3, 3] = slanted[0, 0] = slanted[7, 2] = NAN
    found = terrain.slope(slanted, 30, 30)
    assert np.isnan(found[[3, 0, 7], [3, 0, 2]]).all()
    np.testing.assert_allclose(found[~np.isnan(found)], 8.0, rtol=1e-9)


def test_relief_is_that_of_the_window():
    ground = np.zeros((7, 7))
    ground[3, 3] = 20
    found = terrain.relief(ground, 1)
    assert found.sum() == 9 * 20
    assert found[2:5, 2:5].min() == 20


def test_segments_of_a_plane_are_those_of_the_formula(save, tmp_path):
    dem = save("dem", plane(8, 6, 8, 30), 30, dtype="float64")
    made = run("slopelength", tmp_path, dem=dem, form="segment", length_exponent="csle", slope_factor="csle")
    wanted = [1.164313, 2.128862, 2.756774, 3.107508, 3.188604, 3.188604, 3.188604, 3.188604]
    for column in values(made.files["l"]).T:
        np.testing.assert_allclose(column, wanted, rtol=1e-6)
    uncapped = run("slopelength", tmp_path, dem=dem, form="segment", length_exponent="csle", cap_m=1000)
    np.testing.assert_allclose(
        values(uncapped.files["l"])[:4, 2], [1.164313, 2.128862, 2.756774, 3.264557], rtol=1e-6
    )
    assert "unverified" in codes(made)


def test_flat_ground_has_lengths_of_one_cell():
    begin, end = terrain.slope_lengths(np.zeros((5, 5)), 30, 30, 100)
    assert (begin == 0).all()
    assert (end == 30).all()


def test_a_length_starts_anew_where_the_ground_becomes_gentle():
    steps = np.r_[0, np.repeat(np.tan(np.radians(20)) * 10, 5), np.repeat(np.tan(np.radians(2)) * 10, 5)]
    concave = 200 - np.cumsum(steps)[:, None] + np.zeros(3)
    begin, _ = terrain.slope_lengths(concave, 10, 10, 1000)
    assert begin[:, 1].tolist() == [0, 10, 20, 30, 40, 0, 10, 20, 30, 40, 50]


def test_barriers_end_a_slope():
    stop = np.zeros((6, 3), bool)
    stop[2] = True
    begin, _ = terrain.slope_lengths(plane(6, 3, 8, 10), 10, 10, 100, barriers=stop)
    assert begin[:, 1].tolist() == [0, 10, 0, 0, 10, 20]


@pytest.mark.parametrize("size", [37, 64, 80])
def test_blocks_give_exactly_what_the_whole_does(save, tmp_path, monkeypatch, size):
    dem = hills(190, 230)
    dem[50:60, 100:130] = NAN
    path = save("dem", dem, dtype="float64")
    made = {}
    for block in (10_000, size):
        monkeypatch.setattr(rasters.Stack.blocks, "__defaults__", (block,))
        monkeypatch.setattr(rasters.compute, "__defaults__", (*rasters.compute.__defaults__[:2], block))
        for name in ("slopeandrelief", "slopelength"):
            for file in run(name, tmp_path, dem=path).files.values():
                made[block, file.stem] = values(file)
    for (block, name), found in made.items():
        np.testing.assert_array_equal(found, made[10_000, name], err_msg=f"{name} {block}")


def test_degrees_have_no_slope(save, tmp_path):
    dem = save("dem", hills(9, 9), 0.0001, crs="EPSG:4490", corner=(121, 31))
    assert refused("slopeandrelief", tmp_path, dem=dem) == "degrees"
    assert refused("slopelength", tmp_path, dem=dem) == "degrees"


def test_flat_country_is_said_to_be_flat(save, tmp_path):
    assert "flat" in codes(run("slopeandrelief", tmp_path, dem=save("flat", plane(20, 20, 1, 10))))
    assert "flat" not in codes(run("slopeandrelief", tmp_path, dem=save("steep", plane(20, 20, 20, 10))))


# --- factors ---------------------------------------------------------------------------------------


def test_erodibility_of_files(save, tmp_path):
    given = {"sand": [15, 30, NAN], "silt": [60, 30, 50], "clay": [25, 40, 30], "carbon": [1.2, 1.5, 1]}
    paths = {name: save(name, row) for name, row in given.items()}
    found = values(run("soilerodibility", tmp_path, **paths).files["erodibility"])
    np.testing.assert_allclose(found, [[0.022656, 0.014228, NAN]], rtol=3e-5)
    matter = {**paths, "carbon": save("matter", np.array([1.2, 1.5, 1]) / 0.58), "is_matter": True}
    np.testing.assert_allclose(
        values(run("soilerodibility", tmp_path, **matter).files["erodibility"]), found, rtol=1e-5
    )
    wrong = {**paths, "clay": save("clay2", [27, 40, 30])}
    assert refused("soilerodibility", tmp_path, **wrong) == "fractions"


def test_cover_from_ndvi(save, tmp_path):
    ndvi = save("ndvi", [-0.1, 0.05, 0.2, 0.4, 0.65, 0.8, NAN])
    made = run("vegetationcover", tmp_path, ndvi=ndvi, soil=0.05, plants=0.8)
    np.testing.assert_allclose(values(made.files["cover"]), [[0, 0, 0.2, 0.4666667, 0.8, 1, NAN]], atol=1e-6)
    spread = save("spread", np.linspace(0, 0.999, 1000).reshape(10, 100))
    found = facts(run("vegetationcover", tmp_path, ndvi=spread))
    assert found["ndvi_soil"] == pytest.approx(0.049, abs=2e-5)
    assert found["ndvi_plants"] == pytest.approx(0.949, abs=2e-5)
    assert refused("vegetationcover", tmp_path, ndvi=save("scaled", [2000, 8000])) == "ndvi_range"
    assert refused("vegetationcover", tmp_path, ndvi=save("same", [0.3, 0.3])) == "ndvi_flat"


KINDS = {"1": "grass", "2": "urban", "3": "paddy", "4": "water"}


def test_cover_factor_of_files_and_built_up_land_above_grass(save, tmp_path):
    land, cover = save("land", [1, 1, 2, 3, 4]), save("cover", [75, 5, 0, 50, 0])
    made = run("coverfactor", tmp_path, ecosystem=land, kinds=KINDS, cover=cover)
    np.testing.assert_allclose(values(made.files["c"]), [[0.043, 0.45, 0.01, 0, NAN]], rtol=1e-6)
    assert {"percent", "builtup_above", "unverified"} == codes(made)


def test_codes_without_a_kind_are_listed_and_stop(save, tmp_path):
    land, cover = save("land", [1, 9, 9, 7]), save("cover", [0.5] * 4)
    with pytest.raises(SwcError) as caught:
        run("coverfactor", tmp_path, ecosystem=land, kinds=KINDS, cover=cover)
    assert caught.value.facts == {"count": 3, "codes": "9 (2), 7 (1)"}
    assert not (tmp_path / "made-coverfactor").exists()


@pytest.mark.parametrize("wrong", [[0.5, 1.2], [-0.1, 0.5], [50, 250]])
def test_a_cover_that_is_neither_fraction_nor_percent_is_refused(save, tmp_path, wrong):
    parameters = {"ecosystem": save("land", [1, 1]), "kinds": KINDS, "cover": save("cover", wrong)}
    assert refused("coverfactor", tmp_path, **parameters) == "cover_range"


def test_soil_loss_and_its_intensity(save, tmp_path):
    ls = save("ls", [0.1, 1, 10, 50, NAN, 1])
    water = save("water", [0, 0, 0, 0, 0, 1])
    made = run("soilloss", tmp_path, erosivity=5000, erodibility=0.02, ls=ls, biological=0.1, water=water)
    np.testing.assert_allclose(values(made.files["loss"]), [[100, 1000, 10000, 50000, NAN, NAN]], rtol=1e-6)
    assert values(made.files["intensity"]).tolist() == [[0, 1, 4, 5, 255, 255]]
    assert facts(made)["cells_without"] == 2


def test_grids_that_differ_are_refused(save, tmp_path):
    one, other = save("one", [1, 2]), save("other", [1, 2], corner=(500000.01, 3450000))
    assert refused("soilloss", tmp_path, erosivity=one, erodibility=other, ls=1) == "grid_differs"


# --- classes ---------------------------------------------------------------------------------------


def test_the_unit_of_slope_is_detected_or_asked_for(save, tmp_path):
    cover = save("cover", [0.5, 0.5])
    percent = run("erosionmatrix", tmp_path, slope=save("a", [10, 100]), cover=cover)
    assert values(percent.files["intensity"]).tolist() == [[1, 3]]
    assert "slope_percent" in codes(percent)
    assert refused("erosionmatrix", tmp_path, slope=save("b", [0.2, 0.7]), cover=cover) == "slope_unclear"
    radians = run("erosionmatrix", tmp_path, slope=save("b", [0.12, 0.7]), cover=cover, slope_unit="radians")
    assert values(radians.files["intensity"]).tolist() == [[1, 3]]
    degrees = run("erosionmatrix", tmp_path, slope=save("b", [0.2, 0.7]), cover=cover, slope_unit="degrees")
    assert values(degrees.files["intensity"]).tolist() == [[0, 0]]
    assert "flat" in codes(degrees)


def test_what_we_write_states_its_unit(save, tmp_path):
    slope = run("slopeandrelief", tmp_path, dem=save("dem", plane(5, 5, 1, 10))).files["slope"]
    made = run("erosionmatrix", tmp_path, slope=slope, cover=save("cover", np.full((5, 5), 0.1)))
    assert (values(made.files["intensity"]) == 0).all()


def test_limits_read_in_parts_are_exact_whatever_the_parts():
    shares = sets.load("classification", "guide2017")
    cells = np.random.default_rng(5).gamma(0.7, 9, 40_000).astype(np.float32).astype(float)
    cells[::7] = 3.25
    cells[::11] = NAN
    wanted = judging.cumulative_thresholds(cells, None, shares)
    for count in (1, 7, 400):
        parts = np.array_split(cells, count)
        assert ranking.thresholds(lambda parts=parts: parts, shares) == wanted


def test_classes_by_cumulated_value(save, tmp_path):
    value = save("value", [30, 25, 15, 10, 8, 5, 4, 2, 1, 0, NAN])
    made = run("classifycumulative", tmp_path, value=value, only_natural=False)
    assert values(made.files["class"]).tolist() == [[3, 3, 2, 2, 1, 1, 1, 1, 1, 1, 0]]
    assert {"unmasked", "shares", "unverified"} == codes(made)
    ties = save("ties", [10] * 4 + [5] * 8 + [1] * 20)
    tied = run("classifycumulative", tmp_path, value=ties, only_natural=False)
    assert facts(tied)["cells_by_class"] == [0, 20, 0, 12]
    assert facts(tied)["shares"] == [0.8, 0.8]
    assert "ties" in codes(tied)
    same = run("classifycumulative", tmp_path, value=save("same", [4, 4, 4]), only_natural=False)
    assert "constant" in codes(same)


def test_only_natural_ecosystems_are_classified(save, tmp_path):
    value, land = save("value", [90, 30, 20, 10]), save("land", [3, 1, 1, 2])
    made = run("classifycumulative", tmp_path, value=value, ecosystem=land, kinds=KINDS)
    assert values(made.files["class"]).tolist() == [[0, 3, 2, 0]]
    assert refused("classifycumulative", tmp_path, value=value) == "needs"


def test_one_hill_in_a_plain_does_not_make_sensitivity_a_measure(save, tmp_path):
    plain = np.full((20, 20), 3.0)
    plain[0, :3] = 120
    given = {
        "erosivity": 5200,
        "soil": 3,
        "relief": save("relief", plain),
        "cover": save("cover", plain / 10),
    }
    made = run("sensitivity", tmp_path, **given)
    assert facts(made)["reaching_share"] == 3 / 400
    assert "hardly_reachable" in codes(made)
    assert "unreachable" not in codes(made)
    plain[0, :4] = 120
    made = run("sensitivity", tmp_path, **{**given, "relief": save("relief2", plain)})
    assert not {"hardly_reachable", "unreachable"} & set(codes(made))


def test_sensitivity_of_files_and_what_cannot_be_reached(save, tmp_path):
    soil = save("soil", [3, 5, 3])
    given = {"erosivity": 5200, "soil": soil, "cover": save("cover", [0.75, 0.10, 0.45])}
    made = run("sensitivity", tmp_path, relief=save("relief", [3, 3, 120]), **given)
    np.testing.assert_allclose(values(made.files["sensitivity"]), [[1.967990, 3.343702, 3.408658]], rtol=1e-6)
    assert values(made.files["class"]).tolist() == [[1, 2, 2]]
    assert "unreachable" not in codes(made)
    flat = run("sensitivity", tmp_path, relief=save("flat", [3, 3, 30]), **given)
    assert "unreachable" in codes(flat)
    assert facts(flat)["reachable"] == pytest.approx(3.343702, rel=1e-6)
    assert "hardly_reachable" not in codes(flat)
    wrong = {**given, "soil": save("soil2", [3, 4, 3])}
    assert refused("sensitivity", tmp_path, relief=save("relief", [3, 3, 3]), **wrong) == "soil_grades"


def test_integration_of_files(save, tmp_path):
    layers = [
        save(f"l{n}", row, nodata=0, dtype="uint8") for n, row in enumerate(([3, 1, 0, 0], [1, 1, 2, 0]))
    ]
    made = run("integrate", tmp_path, classes=layers)
    assert values(made.files["class"]).tolist() == [[3, 1, 2, 0]]
    assert values(made.files["deciding"]).tolist() == [[1, 3, 2, 0]]
    assert refused("integrate", tmp_path, classes=[save("bad", [1, 7])]) == "class_range"


# --- areas -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("latitude", "wanted"), [(0, 949.774080), (31, 817.014383), (31.2, 815.329570), (45, 676.110257)]
)
def test_cells_in_degrees_have_their_area_on_the_ellipsoid(latitude, wanted):
    second = 1 / 3600
    crs = rasterio.CRS.from_epsg(4490).to_wkt()
    grid = rasters.Grid(crs, (second, 0, 121, 0, -second, latitude + second / 2), 1, 1)
    assert rasters.row_areas(grid)[0] == pytest.approx(wanted, rel=2e-9)


SUZHOU = {"Wuzhong": (25.25, 6.37), "Changshu": (2.78, 0), "Kunshan": (1.76, 0), "Huqiu": (0.91, 0),
          "Xiangcheng": (0.53, 0), "Zhangjiagang": (0.49, 0), "Gusu": (0, 0), "Taicang": (0, 0)}  # fmt: skip


def rate_rows(result):
    return list(csv.DictReader(result.files["rate"].read_text(encoding="utf-8-sig").splitlines()))


def test_the_published_table_of_suzhou(tmp_path):
    lines = [f"{unit},{38.09 / 0.0043 / 8},{light},{moderate}" for unit, (light, moderate) in SUZHOU.items()]
    (tmp_path / "suzhou.csv").write_text(
        "\n".join(["unit,total_km2,light_km2,moderate_km2", *lines]), encoding="utf-8"
    )
    whole = rate_rows(run("conservationrate", tmp_path, table="suzhou.csv"))[-1]
    assert (whole["unit"], float(whole["eroded_km2"])) == ("*", 38.09)
    assert float(whole["light_km2"]) == pytest.approx(31.72)
    assert round(float(whole["percent"]), 2) == 99.57


def test_what_the_targets_of_shanghai_leave(tmp_path):
    total = 207.2 / 0.0329
    text = f"unit,year,total_km2,light_km2\nShanghai,2015,{total},207.2\nShanghai,2020,6340.5,110\n"
    (tmp_path / "s.csv").write_text(text, encoding="utf-8")
    rows = rate_rows(run("conservationrate", tmp_path, table="s.csv"))
    first, second = rows[2:]
    assert (first["unit"], first["year"], second["year"]) == ("*", "2015", "2020")
    assert round(float(first["percent"]), 2) == 96.71
    assert [round(float(first[f"allowed_{one}_km2"]), 1) for one in ("98.25", "98.45")] == [110.2, 97.6]
    assert [round(float(second[f"allowed_{one}_km2"]), 2) for one in ("98.25", "98.45")] == [110.96, 98.28]
    assert float(second["gap_98.25_km2"]) < 0 < float(second["gap_98.45_km2"])


def test_a_table_that_does_not_add_up_is_refused(tmp_path):
    (tmp_path / "t.csv").write_text("unit,total_km2,light_km2\nA,10,11\n", encoding="utf-8")
    assert refused("conservationrate", tmp_path, table="t.csv") == "table"


def test_rates_of_a_raster_by_district_on_land_only(save, polygons, tmp_path):
    cells = np.zeros((10, 20))
    cells[0, :5] = [1, 2, 3, 4, 5]
    cells[1, 0] = NAN
    intensity = save("intensity", cells, 1000)
    west, east = shapely.box(500000, 3440000, 510000, 3450000), shapely.box(510000, 3440000, 520000, 3450000)
    units = polygons("units", [(west, "W"), (east, "E")])
    land = polygons("land", [(shapely.box(500000, 3440000, 515000, 3450000), "land")])
    given = {"intensity": intensity, "units": units, "land": land}
    made = run("conservationrate", tmp_path, **given, denominator="land")
    rows = {row["unit"]: row for row in rate_rows(made)}
    assert [float(rows[unit]["total_km2"]) for unit in ("W", "E", "*")] == [100, 50, 150]
    assert [float(rows["W"][f"{name}_km2"]) for name in ("light", "severe", "eroded", "unknown")] == [
        1,
        1,
        5,
        1,
    ]
    assert float(rows["*"]["percent"]) == pytest.approx(100 * 145 / 150)
    territory = {row["unit"]: row for row in rate_rows(run("conservationrate", tmp_path, **given))}
    assert [float(territory["*"][name]) for name in ("total_km2", "eroded_km2")] == [200, 5]
    assert "no_intensity" in codes(made)


def test_districts_that_overlap_are_refused(save, polygons, tmp_path):
    rows = [
        (shapely.box(500000, 3449900, 500060, 3450000), "A"),
        (shapely.box(500050, 3449900, 500100, 3450000), "B"),
    ]
    given = {"intensity": save("i", np.zeros((10, 10))), "units": polygons("units", rows)}
    assert refused("conservationrate", tmp_path, **given) == "units_overlap"
    twice = polygons("twice", [(rows[0][0], "A"), (rows[0][0], "B")])
    assert refused("conservationrate", tmp_path, **{**given, "units": twice}) == "units_overlap"


def patches(result):
    return formats.read_back(result.files["patches"], "swc_function_important")


def test_patches_touch_along_edges_and_have_the_area_of_their_cells(save, tmp_path):
    classes = save("c", np.random.default_rng(2).integers(0, 4, (120, 150)), nodata=0, dtype="uint8")
    made = run("delineatepatches", tmp_path, classes=classes, least_m2=0, method="dual")
    table = patches(made)
    drawn = shapely.from_wkb(np.asarray(table.wkb))
    assert shapely.is_valid(drawn).all()
    assert table.columns["plane_m2"].astype(float).sum() == (values(classes) >= 2).sum() * 100
    assert set(table.columns["ZYXDJ"]) == {"极重要", "重要"}
    assert set(table.columns["method"]) == {"dual"}
    assert shapely.area(shapely.union_all(drawn)) == pytest.approx(shapely.area(drawn).sum())


def test_tiers_of_patches_are_those_of_the_role():
    from swc_zoning.engine import roles
    from swc_zoning.engine.evaluation import patches

    known = {tier.id for tier in roles.find(patches.LAYER).tiers}
    assert set(patches.TIERS.values()) <= known


def test_cells_that_meet_at_a_corner_are_two_patches(save, tmp_path):
    made = run("delineatepatches", tmp_path, classes=save("c", [[3, 1], [1, 3]]), least_m2=0)
    assert len(patches(made)) == 2


def test_small_patches_and_what_is_excluded_are_left_out(save, polygons, tmp_path):
    cells = np.ones((10, 30))
    cells[:, :10], cells[0, 20] = 3, 2
    away = polygons("built", [(shapely.box(500050, 3449000, 500100, 3450000), "b")])
    made = run("delineatepatches", tmp_path, classes=save("c", cells), least_m2=200, exclude=[away])
    assert patches(made).columns["plane_m2"].tolist() == [5000.0]
    assert facts(made)["dropped"] == 1
    none = run("delineatepatches", tmp_path, classes=save("n", np.ones((3, 3))))
    assert "no_patches" in codes(none)
    assert len(patches(none)) == 0


def test_parcels_take_the_class_that_covers_half_of_them(save, polygons, tmp_path):
    cells = np.ones((10, 30))
    cells[:, :5], cells[:, 5:12] = 3, 2
    boxes = [shapely.box(500000 + 100 * n, 3449900, 500100 + 100 * n, 3450000) for n in range(3)]
    parcels = polygons("parcels", [(box, str(n)) for n, box in enumerate(boxes)])
    made = run("delineatepatches", tmp_path, classes=save("c", cells), least_m2=0, parcels=parcels)
    assert patches(made).columns["ZYXDJ"].tolist() == ["极重要"]
    assert shapely.from_wkb(np.asarray(patches(made).wkb))[0].equals(boxes[0])


# --- strips ----------------------------------------------------------------------------------------


def strips(result):
    table = formats.read_back(result.files["strips"], "bank_strips")
    return dict(zip(table.columns["class"], shapely.from_wkb(np.asarray(table.wkb))))


def test_strips_lie_on_land_with_the_width_of_their_class(polygons, tmp_path):
    trunk, ditch = shapely.box(0, 0, 1000, 100), shapely.box(0, 140, 1000, 150)
    waters = polygons("waters", [(trunk, "trunk"), (ditch, "ditch")], "grade")
    widths = {"trunk": 50, "ditch": 20}
    made = strips(run("bankstrips", tmp_path, waters=waters, class_field="grade", widths=widths))
    assert not made["trunk"].intersects(shapely.Point(500, 145))
    assert made["trunk"].intersects(shapely.Point(500, -49))
    assert not made["trunk"].intersects(shapely.Point(500, -51))
    assert shapely.area(shapely.intersection(made["trunk"], made["ditch"])) == 0
    assert shapely.area(shapely.intersection(made["trunk"], trunk)) == 0


@pytest.mark.parametrize("points", [[(0, 0), (900, 90), (2000, 0)], [(2000, 0), (900, 90), (0, 0)]])
def test_a_north_bank_is_north_whichever_way_the_line_runs(polygons, tmp_path, points):
    bank = polygons("bank", [(shapely.LineString(points), "river")], "grade")
    given = {"waters": bank, "class_field": "grade", "widths": {"river": 1000}}
    north = strips(run("bankstrips", tmp_path, side="north", **given))["river"]
    south = strips(run("bankstrips", tmp_path, side="south", **given))["river"]
    assert north.intersects(shapely.Point(1000, 900))
    assert not north.intersects(shapely.Point(1000, -10))
    assert south.intersects(shapely.Point(1000, -900))
    assert shapely.area(shapely.intersection(north, south)) < 1e-6
    assert refused("bankstrips", tmp_path, side="east", **given) == "side_unclear"


def test_a_class_without_a_width_is_refused(polygons, tmp_path):
    waters = polygons("waters", [(shapely.box(0, 0, 9, 9), "lake")], "grade")
    assert (
        refused("bankstrips", tmp_path, waters=waters, class_field="grade", widths={"river": 5}) == "widths"
    )


# --- alignment -------------------------------------------------------------------------------------


def test_rasters_are_put_on_one_grid(save, polygons, tmp_path):
    dem = save("dem", plane(40, 40, 5, 30), 30)
    land = save(
        "land", np.arange(400).reshape(20, 20) % 5, 60, nodata=255, dtype="uint8", corner=(500007, 3450004)
    )
    area = polygons("area", [(shapely.box(500200, 3449300, 500900, 3449800), "a")])
    given = {"continuous": [dem], "classes": [land], "crs": "EPSG:4549", "cell_m": 20}
    made = run("alignrasters", tmp_path, boundary=area, **given)
    found = {name: values(path) for name, path in made.files.items()}
    assert found["dem.tif"].shape == found["land.tif"].shape == (25, 35)
    assert found["land.tif"].dtype == np.uint8
    assert set(np.unique(found["land.tif"])) == {0, 1, 2, 3, 4}
    np.testing.assert_allclose(np.diff(found["dem.tif"], axis=0), -20 * np.tan(np.radians(5)), atol=1e-3)
    assert [finding.code for finding in made.findings] == ["evaluation.aligned"] * 2
    assert refused("alignrasters", tmp_path, **{**given, "crs": "EPSG:4490"}) == "degrees"


def test_alignment_does_not_depend_on_blocks(save, tmp_path, monkeypatch):
    dem = save("dem", hills(90, 90), 0.0003, crs="EPSG:4490", corner=(121, 31))
    found = []
    for block in (10_000, 41):
        monkeypatch.setattr(rasters.Stack.blocks, "__defaults__", (block,))
        monkeypatch.setattr(rasters.compute, "__defaults__", (*rasters.compute.__defaults__[:2], block))
        made = run("alignrasters", tmp_path, continuous=[dem], crs="EPSG:4549", cell_m=10)
        found.append(values(made.files["dem.tif"]))
    np.testing.assert_array_equal(*found)


# --- the whole -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", declared.algorithms())
def test_every_algorithm_is_declared_whole(name):
    algorithm = declared.find(name)
    assert name in running._FUNCTIONS
    for lang in ("zh", "en"):
        assert declared.schema.check_document({}, {"properties": algorithm.schema(lang)["properties"]}) == []
    for one in (*algorithm.parameters, *algorithm.outputs):
        assert one.zh
        assert one.en
    with pytest.raises(Blocked):
        declared.checked(algorithm, {"nonsense": 1}, Path())


def test_every_sentence_of_the_evaluation_is_used():
    folder = Path(running.__file__).parent
    files = [*folder.glob("*.py"), folder.parents[1] / "evaluation_commands.py"]
    text = "".join(path.read_text(encoding="utf-8") for path in files)
    sentences = [code for code in catalogue() if code.startswith("evaluation.")]
    assert [code for code in sentences if f'"{code}"' not in text] == []


def test_an_input_is_never_replaced(save, tmp_path):
    dem = save("dem", plane(9, 9, 8, 10))
    before = dem.read_bytes()
    with pytest.raises(SwcError, match="is_input"):
        running.run("alignrasters", {"continuous": [str(dem)], "crs": "EPSG:4549"}, tmp_path)
    assert dem.read_bytes() == before


def test_a_run_that_fails_leaves_what_was_there(save, tmp_path):
    dem = save("dem", plane(9, 9, 8, 10))
    layers = save("deg", plane(9, 9, 8, 10), 0.001, crs="EPSG:4490", corner=(121, 31))
    made = run("slopeandrelief", tmp_path, dem=dem)
    before = {path.name: path.read_bytes() for path in made.record.parent.iterdir()}
    assert refused("slopeandrelief", tmp_path, dem=layers) == "degrees"
    assert {path.name: path.read_bytes() for path in made.record.parent.iterdir()} == before


def test_the_command_line_runs_an_algorithm_and_prints_its_schema(save, tmp_path):
    save("dem", plane(9, 9, 8, 10))
    (tmp_path / "p.json").write_text(json.dumps({"dem": "dem.tif"}), encoding="utf-8")
    base = [sys.executable, "-m", "swc_zoning", "evaluate"]
    root = Path(__file__).resolve().parents[2]
    out = tmp_path / "made"
    done = subprocess.run(
        [*base, "slopeandrelief", str(tmp_path / "p.json"), "--output", str(out), "--progress", "json"],
        cwd=root, capture_output=True, text=True, check=True,
    )  # fmt: skip
    last = json.loads(done.stdout.splitlines()[-1])
    assert set(last) == {"event", "slope", "relief", "record"}
    assert str(tmp_path) not in Path(last["record"]).read_text(encoding="utf-8")
    told = subprocess.run(
        [*base, "soilloss", "--schema"], cwd=root, capture_output=True, text=True, check=True
    )
    assert json.loads(told.stdout)["properties"]["tolerance"]["default"] == 500
    missing = subprocess.run([*base, "nothing", "--schema"], cwd=root, capture_output=True, text=True)
    assert missing.returncode == 2


def test_real_elevations_of_swellendam(shared, tmp_path):
    dem = shared / "swellendam_qgis_training" / "srtm_41_19.tif"
    made = run("slopeandrelief", tmp_path, dem=dem)
    slope = values(made.files["slope"])
    assert 4 < np.nanmedian(slope[100:-100, 100:-100]) < 25
    assert "cliffs" in codes(made)
    assert "flat" not in codes(made)
    ls = values(run("slopelength", tmp_path, dem=dem).files["ls"])
    assert np.isfinite(ls[np.isfinite(slope)]).all()
    assert np.nanmin(ls) >= 0
