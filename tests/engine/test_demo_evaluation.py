# SPDX-License-Identifier: GPL-2.0-or-later
"""The evaluation of the demo city: its rasters and layers, the flat findings, the delta path, the zoning."""

import csv
import hashlib
import json
import shutil
from collections import defaultdict

import numpy as np
import pyogrio
import pytest
import rasterio
import shapely

from swc_zoning import cli
from swc_zoning.engine import run as zoning
from swc_zoning.engine.evaluation import running, terrain
from swc_zoning.test_data import assess, make_city

NAMES = ("dem", "ndvi", "sand", "silt", "clay", "carbon")


@pytest.fixture(scope="module")
def demo(city, tmp_path_factory):
    """The small demo city, in a folder that may be written to."""
    return shutil.copytree(city, tmp_path_factory.mktemp("evaluated") / "city")


@pytest.fixture(scope="module")
def results(demo):
    """Return what each step of the evaluation found, by its name, in their order."""
    return {name: evaluated(demo, name) for name in assess.ORDER}


def evaluated(demo, name):
    folder = demo / assess.FOLDER
    document = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
    return running.run(name, document, folder / name, folder)


def raster(demo, name):
    with rasterio.open(demo / "rasters" / f"{name}.tif") as dataset:
        return dataset.read(1, masked=True).astype(float).filled(np.nan), dataset.transform


def layer(demo, path):
    return pyogrio.read_dataframe(demo / path)


def patches(demo, name="flatdelta"):
    path = demo / assess.FOLDER / name / "patches.gpkg"
    return pyogrio.read_dataframe(path, layer="swc_function_important")


def codes(result):
    return {finding.code for finding in result.findings}


# --- the data --------------------------------------------------------------------------------------


def test_all_rasters_lie_on_one_grid_over_the_extent(demo):
    west, south, east, north = layer(demo, "基础/XZQ.gpkg").total_bounds
    grids = set()
    for name in NAMES:
        with rasterio.open(demo / "rasters" / f"{name}.tif") as dataset:
            assert dataset.crs.to_epsg() == 4549
            grids.add((dataset.transform, dataset.shape))
            bounds = dataset.bounds
    assert len(grids) == 1
    assert bounds.left <= west < bounds.left + 100
    assert bounds.right - 100 < east <= bounds.right
    assert bounds.bottom <= south < bounds.bottom + 100
    assert bounds.top - 100 < north <= bounds.top


def test_the_same_seed_makes_the_same_files_and_another_seed_others(tmp_path):
    def hashes(name, seed):
        folder = tmp_path / name
        make_city.make(folder, seed, scale=0.02, cell=500.0)
        files = [*(folder / "rasters").iterdir(), *(folder / assess.FOLDER).iterdir()]
        return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}

    first, again, other = hashes("first", 7), hashes("again", 7), hashes("other", 8)
    assert first == again
    assert all(other[name] != first[name] for name in [*(f"{name}.tif" for name in NAMES), "rain.csv"])


def test_elevation_is_that_of_a_delta_with_one_steep_hill(demo):
    dem, transform = raster(demo, "dem")
    known = dem[~np.isnan(dem)]
    assert known.min() > -1
    assert 90 < known.max() < 110
    assert np.percentile(known, [5, 50, 99]) == pytest.approx([0.9, 3.6, 5.6], abs=0.7)
    slope = terrain.slope(dem, transform.a, -transform.e)
    steep = slope >= 15
    share = steep.sum() / (~np.isnan(slope)).sum()
    assert 0.0001 < share < 0.001
    hill = layer(demo, "调查/CQFW.gpkg").union_all()
    rows, columns = np.nonzero(steep)
    east, north = transform @ (columns + 0.5, rows + 0.5)
    assert shapely.contains_xy(hill, east, north).all()


def test_the_greenness_of_land_use_is_as_in_late_summer(demo):
    ndvi, transform = raster(demo, "ndvi")
    use = layer(demo, "调查/DLXB.gpkg")
    from rasterio.features import rasterize

    pairs = zip(use.geometry, use["DLBM"].str.replace("H", "9").astype(int))
    code = rasterize(pairs, ndvi.shape, transform=transform, dtype="int32")
    mean = {one: np.nanmean(ndvi[code == one]) for one in (301, 101, 701, 601, 1101, 1102)}
    assert mean[301] == pytest.approx(0.75, abs=0.04)
    assert mean[101] == pytest.approx(0.61, abs=0.05)
    assert 0.1 < mean[601] < mean[701] < 0.32
    assert mean[1101] < 0
    assert mean[1102] < 0


def test_soil_fractions_add_up_and_coasts_are_sandier(demo):
    sand, silt, clay, carbon = (raster(demo, name)[0] for name in ("sand", "silt", "clay", "carbon"))
    known = ~np.isnan(sand)
    assert np.abs((sand + silt + clay)[known] - 100).max() < 0.05
    assert np.nanmin(carbon) > 0.2
    middle = sand.shape[1] // 2
    assert np.nanmean(sand[:, middle:]) > np.nanmean(sand[:, :middle]) + 3


def test_rain_covers_every_day_of_three_years_at_eight_stations(demo):
    total, days = defaultdict(float), defaultdict(int)
    with (demo / "rasters" / "rain.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            total[row["station"], row["date"][:4]] += float(row["mm"])
            days[row["station"]] += 1
    assert len(days) == 8
    assert set(days.values()) == {365 + 366 + 365}
    assert all(1100 < mm < 1290 for mm in total.values())


def test_townships_tile_each_district_exactly(demo):
    districts, townships = layer(demo, "基础/XZQ.gpkg"), layer(demo, "基础/XZJD.gpkg")
    assert townships["XZDM"].is_unique
    assert townships["XZMC"].is_unique
    for _, district in districts.iterrows():
        mine = townships[townships["XZQDM"] == district["XZQDM"]]
        assert len(mine) <= 12
        joined = shapely.coverage_union_all(mine.geometry.array)
        assert shapely.symmetric_difference(joined, district.geometry).area == 0


def test_monitoring_improves_from_year_to_year_towards_the_target(demo):
    land = layer(demo, "基础/LYFW.gpkg").area.sum()
    rates = []
    for year in (2020, 2022, 2025):
        found = layer(demo, f"水务/STLS{year}.gpkg")
        assert set(found["QSQDMC"]) == {"轻度", "中度", "强烈", "极强烈", "剧烈"}
        rates.append(100 - 100 * found.area.sum() / land)
    assert 97 < rates[0] < rates[1] < rates[2] < 98.6


def test_most_erosion_is_on_banks_and_hills(demo):
    found = layer(demo, "水务/STLS2025.gpkg")
    banks = [layer(demo, "水务/HHSX.gpkg").buffer(400).union_all(), layer(demo, "调查/CQFW.gpkg").union_all()]
    there = shapely.intersection(found.geometry.array, shapely.union_all(banks))
    assert shapely.area(there).sum() > 0.6 * found.area.sum()


def test_land_use_with_planted_banks_is_still_a_coverage_of_the_same_ground(demo):
    fine, coarse = layer(demo, "调查/DLXB.gpkg"), layer(demo, "调查/DLTB.gpkg")
    assert shapely.is_empty(shapely.coverage_invalid_edges(fine.geometry.array)).all()
    assert fine.area.sum() == pytest.approx(coarse.area.sum(), rel=1e-9)
    assert fine[fine["DLBM"] == "0301"].area.sum() > coarse[coarse["DLBM"] == "0301"].area.sum()


def test_without_rasterio_the_city_has_no_rasters_and_says_so(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(make_city, "has_rasters", lambda: False)
    status = cli.main(["demo", "--output", str(tmp_path / "city"), "--scale", "0.02", "--lang", "en"])
    assert status == 0
    assert "rasterio is not installed" in capsys.readouterr().err
    assert not list((tmp_path / "city").rglob("*.tif"))
    assert not (tmp_path / "city" / assess.FOLDER).exists()
    assert "rasterio" in (tmp_path / "city" / "README.txt").read_text(encoding="utf-8")


# --- the result ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["flatdelta", "hillyprovince"])
def test_methods_by_slope_are_said_not_to_discriminate_here(results, name):
    flat = [one for one in results[name].findings if one.code == "evaluation.flat"]
    assert flat
    assert 0 < flat[0].facts["percent"] < 0.1


def test_the_delta_path_finds_banks_of_source_waters_and_legal_areas(demo, results):
    found = patches(demo)
    area = found.groupby("rule")["plane_m2"].sum() / 1e6
    assert area["a"] > 50
    assert area["c"] > 100
    assert area["b"] > 5
    waters = layer(demo, "水务/HHSX.gpkg")
    sources = waters[waters["HLLB"].isin(["水源地河湖", "湖泊"])].union_all()
    banks = found[found["rule"] == "b"]
    assert (banks.distance(sources) < 300).all()
    parks = layer(demo, "绿化/ZRGY.gpkg")
    forest = parks[parks["BHLX"] == "森林公园"].union_all()
    missed = forest.difference(shapely.union_all(shapely.make_valid(found.geometry.array)))
    assert missed.area < 1


def test_the_hills_are_what_the_national_thresholds_find(demo, results):
    with rasterio.open(demo / assess.FOLDER / "hillyprovince" / "importance.tif") as dataset:
        important = dataset.read(1) >= 2
        rows, columns = np.nonzero(important)
        east, north = dataset.transform @ (columns + 0.5, rows + 0.5)
    assert 0 < important.sum() < 500
    hill = layer(demo, "调查/CQFW.gpkg").union_all()
    assert shapely.contains_xy(hill, east, north).all()


def test_no_ground_is_extremely_sensitive(results):
    facts = json.loads(results["sensitivity"].record.read_text(encoding="utf-8"))["facts"]
    assert facts["km2_by_class"]["3"] == 0
    assert facts["km2_by_class"]["1"] > 2 * facts["km2_by_class"]["2"]


def test_the_rate_of_the_city_rises_past_the_first_target_but_not_the_second(results):
    with results["conservationrate"].files["rate"].open(encoding="utf-8-sig") as file:
        rows = [row for row in csv.DictReader(file) if row["unit"] == "*"]
    assert [row["year"] for row in rows] == ["2020", "2022", "2025"]
    percent = [float(row["percent"]) for row in rows]
    assert percent == sorted(percent)
    assert 98.25 <= percent[-1] < 98.45
    assert float(rows[-1]["gap_98.25_km2"]) <= 0 < float(rows[-1]["gap_98.45_km2"])


def test_key_areas_are_parts_of_their_units(demo, results):
    folder = demo / assess.FOLDER / "keyareas"
    townships = layer(demo, "基础/XZJD.gpkg").set_index("XZDM")
    for name in ("key_prevention_zone", "key_treatment_zone"):
        found = pyogrio.read_dataframe(folder / f"{name}.gpkg", layer=name)
        assert len(found)
        for _, row in found.iterrows():
            outside = row.geometry.difference(townships.loc[row["BSM"]].geometry)
            assert outside.area < 1e-3 * row.geometry.area + 1


def test_the_zoning_takes_the_evaluated_layers_almost_without_slivers(demo, results):
    summary = zoning.run(demo / assess.FOLDER / "job.json").summary
    assert {one["role"] for one in summary["evaluations"]} == set(assess.RESULTS)
    slivers, among = summary["slivers"], {"count": 0, "plane_m2": 0.0}
    for group in slivers["groups"]:
        if {line["role"] for line in group["lines"]} & set(assess.RESULTS):
            among = {key: among[key] + group[key] for key in among}
    assert among["count"] < 0.1 * slivers["count"]
    assert among["plane_m2"] < 10
