# SPDX-License-Identifier: GPL-2.0-or-later
"""Rainfall erosivity: the published year of days, half months that lack, stations on a grid."""

import csv
from datetime import date, timedelta

import numpy as np
import pytest

pytest.importorskip("rasterio")

from evaluating import (
    CRS,
    NAN,
    NORTH,
    WEST,
    check_blocks,
    codes,
    facts,
    found,
    refusal,
    refused,
    run,
    save,
    values,
)

from swc_zoning.engine.evaluation import stations

DAYS = {(3, 9): 20, (5, 3): 25.4, (5, 9): 8, (5, 20): 60, (6, 18): 120.5, (7, 2): 33.3, (7, 28): 15,
        (8, 10): 210, (9, 5): 12, (10, 2): 45, (12, 22): 11.9}  # fmt: skip
MONTHS = (66, 60, 100, 84, 98, 190, 148, 180, 125, 62, 55, 42)
PLACE = (WEST + 45, NORTH - 45)


def year(days=DAYS, of=2021, by=1.0):
    """Return a row for every day of a year: dry days have 0 mm."""
    begin = date(of, 1, 1)
    every = [begin + timedelta(number) for number in range((date(of + 1, 1, 1) - begin).days)]
    return [(day.isoformat(), days.get((day.month, day.day), 0) * by) for day in every]


@pytest.fixture
def table(tmp_path):
    """Return a maker of tables of rain: table({(name, x, y): [(date, mm), ...]}) -> path."""

    def make(rain, name="rain"):
        path = tmp_path / f"{name}.csv"
        rows = [(*station, *row) for station, days in rain.items() for row in days]
        lines = ["station,x,y,date,mm", *(",".join(map(str, row)) for row in rows)]
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return path

    return make


@pytest.fixture
def template(tmp_path):
    """A grid of 9 by 12 cells of 10 m; one has no data."""
    cells = np.zeros((9, 12))
    cells[0, 0] = NAN
    return save(tmp_path, "template", cells)


def read_rows(path):
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def test_a_year_of_days_gives_the_published_half_months(table, template, tmp_path):
    rain = table({("A", *PLACE): year()})
    made = run("rainfallerosivity", tmp_path, rain=rain, crs=CRS, template=template)
    (row,) = read_rows(made.files["stations"])
    assert float(row["r"]) == pytest.approx(6668.3934, abs=6e-5)
    assert float(row["r_15"]) == pytest.approx(4022.3238, abs=6e-5)
    assert float(row["wr_15"]) == pytest.approx(4022.3238 / 6668.3934, abs=1e-6)
    assert sum(float(row[f"wr_{half:02}"]) for half in range(1, 25)) == pytest.approx(1, abs=2e-5)
    r = values(made.files["erosivity"])
    assert np.isnan(r[0, 0])
    np.testing.assert_array_equal(r.ravel()[1:], np.float32(6668.39337))
    assert found(made, "one_station")["value"] == pytest.approx(6668.3934, abs=6e-5)
    assert "cross_validation" not in codes(made)
    assert "rain_days" not in codes(made)


def test_the_least_rain_and_the_warm_months_can_be_others_and_are_said(table, template, tmp_path):
    given = {"rain": table({("A", *PLACE): year()}), "crs": CRS, "template": template}
    made = run("rainfallerosivity", tmp_path, least_mm=12, **given)
    assert facts(made)["stations"]["A"] == pytest.approx(6646.0868, abs=6e-5)
    assert found(made, "overridden") == {"name": "least_mm", "value": "12", "default": "10"}
    cold = run("rainfallerosivity", tmp_path, "cold", warm_months=[], **given)
    warm = run("rainfallerosivity", tmp_path, warm_months=list(range(1, 13)), **given)
    one, other = (facts(result)["stations"]["A"] for result in (cold, warm))
    assert one / other == pytest.approx(0.3101 / 0.3937, rel=1e-12)
    wrong = {"warm_months": [5, 13], **given}
    assert refused("rainfallerosivity", tmp_path, **wrong) == "value_range"
    same = run("rainfallerosivity", tmp_path, least_mm=10, **given)
    assert "overridden" not in codes(same)


def test_years_are_averaged(table, template, tmp_path):
    rain = table({("A", *PLACE): [*year(), *year({}, 2022)]})
    made = run("rainfallerosivity", tmp_path, rain=rain, crs=CRS, template=template)
    assert facts(made)["stations"]["A"] == pytest.approx(6668.3934 / 2, abs=6e-5)


def test_a_half_month_without_a_row_is_named_and_refused(table, template, tmp_path):
    rows = [row for row in year() if not "2021-02-16" <= row[0] <= "2021-02-28" and row[0][5:7] != "11"]
    rain = table({("A", *PLACE): year(), ("B", *PLACE): rows})
    given = {"rain": rain, "crs": CRS, "template": template}
    error = refusal("rainfallerosivity", tmp_path, **given)
    assert error.code == "evaluation.half_months"
    assert error.facts == {"path": "rain.csv", "station": "B", "gaps": "2021/4, 2021/21, 2021/22", "count": 3,
                           "stations": 1}  # fmt: skip
    wet = [row for row in year() if row[1]]
    sparse = table({("A", *PLACE): wet}, "wet")
    assert refused("rainfallerosivity", tmp_path, **{**given, "rain": sparse}) == "half_months"
    made = run("rainfallerosivity", tmp_path, **{**given, "rain": sparse}, absent_is_dry=True)
    assert facts(made)["stations"]["A"] == pytest.approx(6668.3934, abs=6e-5)
    assert found(made, "rain_days")["percent"] == pytest.approx(100 * 11 / 365)


@pytest.mark.parametrize(
    ("day", "mm", "x"),
    [("2021-13-01", 3, 0), ("2021/3/1", 3, 0), ("2021-03-09", 3, 0), ("2022-01-01", -1, 0),
     ("2022-01-01", 32766, 0), ("2022-01-01", "nan", 0), ("2022-01-01", "", 0), ("2022-01-01", 3, 1)],
)  # fmt: skip
def test_rows_of_rain_that_cannot_be_are_refused(table, template, tmp_path, day, mm, x):
    path = table({("A", *PLACE): year()})
    with path.open("a", encoding="utf-8") as file:
        file.write(f"A,{PLACE[0] + x},{PLACE[1]},{day},{mm}\n")
    error = refusal("rainfallerosivity", tmp_path, rain=path, crs=CRS, template=template)
    assert (error.code, error.facts["line"]) == ("evaluation.table", 367)


def test_what_the_methods_need_is_asked_for(table, template, tmp_path):
    rain = table({("A", *PLACE): year()})
    whole = {"rain": rain, "crs": CRS, "template": template}
    for name in whole:
        given = {key: value for key, value in whole.items() if key != name}
        assert refused("rainfallerosivity", tmp_path, **given) == "needs"
    assert refused("rainfallerosivity", tmp_path, method="wischmeier", **whole) == "needs"
    assert refused("rainfallerosivity", tmp_path, monthly=[template] * 12) == "needs"
    assert refused("rainfallerosivity", tmp_path, monthly=[template] * 11, method="monthly_mfi") == "twelve"
    assert refused("rainfallerosivity", tmp_path, **{**whole, "crs": "EPSG:0"}) == "station_crs"
    degrees = save(tmp_path, "degrees", np.zeros((3, 3)), 0.001, "EPSG:4490", (121, 31))
    assert refused("rainfallerosivity", tmp_path, **{**whole, "template": degrees}) == "degrees"


def test_stations_in_degrees_are_brought_to_the_grid(table, tmp_path):
    from pyproj import Transformer

    back = Transformer.from_crs(CRS, "EPSG:4490", always_xy=True).transform
    template = save(tmp_path, "template", np.zeros((9, 12)))
    near, far = (back(WEST + 5, NORTH - 5), back(WEST + 95, NORTH - 5))
    rain = table({("A", *near): year(), ("B", *far): year(by=0)})
    made = run("rainfallerosivity", tmp_path, rain=rain, crs="EPSG:4490", template=template)
    r = values(made.files["erosivity"])
    assert r[0, 0] == pytest.approx(6668.3934, rel=1e-6)
    assert r[0, 9] == pytest.approx(0, abs=1e-3)
    assert (np.diff(r[0, :10]) < 0).all()


def test_monthly_rain_from_a_table_of_months_or_of_days(table, template, tmp_path):
    months = [(f"2021-{number:02}", mm) for number, mm in enumerate(MONTHS, 1)]
    spread = {(month, day): mm / 2 for month, mm in enumerate(MONTHS, 1) for day in (3, 20)}
    for rows in (months, year(spread)):
        given = {"rain": table({("A", *PLACE): rows}), "crs": CRS, "template": template}
        made = run("rainfallerosivity", tmp_path, method="monthly_mfi", **given)
        assert facts(made)["stations"]["A"] == pytest.approx(2732.6948, abs=6e-5)
        us = run("rainfallerosivity", tmp_path, method="wischmeier", wischmeier_unit="us", **given)
        assert facts(us)["stations"]["A"] == pytest.approx(2278.9635, abs=6e-4)
        si = run("rainfallerosivity", tmp_path, method="wischmeier", wischmeier_unit="si", **given)
        assert facts(si)["stations"]["A"] == pytest.approx(133.8991, abs=6e-5)
    lacking = table({("A", *PLACE): months[:-1]})
    error = refusal("rainfallerosivity", tmp_path, method="monthly_mfi", **{**given, "rain": lacking})
    assert (error.code, error.facts["gaps"]) == ("evaluation.months", "2021/12")


def test_monthly_rain_from_twelve_rasters(tmp_path):
    cells = [np.array([[mm, mm / 2, 0, NAN if month == 7 else mm]]) for month, mm in enumerate(MONTHS)]
    rain = [save(tmp_path, f"m{month}", one) for month, one in enumerate(cells)]
    made = run("rainfallerosivity", tmp_path, monthly=rain, method="monthly_mfi")
    r = values(made.files["erosivity"])[0]
    np.testing.assert_allclose(r, [2732.6948, 0.1833 * (123.370248 / 2) ** 1.9957, 0, NAN], rtol=1e-7)
    assert "stations" not in made.files
    us = run("rainfallerosivity", tmp_path, monthly=rain, method="wischmeier", wischmeier_unit="us")
    np.testing.assert_allclose(values(us.files["erosivity"])[0, 0], 2278.9635, rtol=1e-6)
    rain[3] = save(tmp_path, "wrong", [[-9999, 1, 1, 1]])
    assert refused("rainfallerosivity", tmp_path, monthly=rain, method="monthly_mfi") == "value_range"


def many(table, count=20, seed=3):
    """Return a table of stations about a grid of 80 by 110 cells, R rising to the east."""
    rng = np.random.default_rng(seed)
    places = rng.uniform((WEST, NORTH - 800), (WEST + 1100, NORTH), (count, 2)).round(1)
    return table(
        {(f"S{number}", *place): year(by=1 + (place[0] - WEST) / 2000) for number, place in enumerate(places)}
    )


def test_stations_on_a_grid_are_those_of_the_formula_and_blocks_do_not_matter(table, tmp_path):
    template = save(tmp_path, "template", np.zeros((80, 110)))
    rain = many(table)
    made = check_blocks("rainfallerosivity", tmp_path, rain=rain, crs=CRS, template=template)
    rows = read_rows(made.files["stations"])
    places = np.array([(float(row["x"]), float(row["y"])) for row in rows])
    r = np.array([float(row["r"]) for row in rows])
    grid = values(made.files["erosivity"])
    for row, col in ((0, 0), (40, 55), (79, 109), (17, 80)):
        away = np.hypot(*(places - (WEST + 10 * col + 5, NORTH - 10 * row - 5)).T)
        near = np.argsort(away)[:12]
        wanted = (r[near] / away[near] ** 2).sum() / (1 / away[near] ** 2).sum()
        assert grid[row, col] == pytest.approx(wanted, rel=1e-6)
    assert r.min() <= grid.min()
    assert grid.max() <= r.max()


def test_stations_left_out_in_turn_tell_the_error(table, tmp_path):
    template = save(tmp_path, "template", np.zeros((8, 11)))
    made = run("rainfallerosivity", tmp_path, rain=many(table, 6), crs=CRS, template=template)
    rows = read_rows(made.files["stations"])
    places = np.array([(float(row["x"]), float(row["y"])) for row in rows])
    r = np.array([float(row["r"]) for row in rows])
    missed = []
    for number in range(6):
        rest = np.arange(6) != number
        weights = 1 / np.hypot(*(places[rest] - places[number]).T) ** 2
        missed.append((r[rest] * weights).sum() / weights.sum() - r[number])
    told = facts(made)["cross_validation"]
    assert told["rmse"] == pytest.approx(np.sqrt(np.mean(np.square(missed))), rel=1e-6)
    assert told["bias"] == pytest.approx(np.mean(missed), rel=1e-6)
    assert told["mae"] == pytest.approx(np.mean(np.abs(missed)), rel=1e-6)
    assert found(made, "cross_validation")["count"] == 6


def test_a_place_at_a_station_has_its_value():
    points = stations.Points(np.array([[0.0, 0.0], [10.0, 0.0]]), np.array([3.0, 7.0]), 2.0, 12)
    at = points.at(np.array([[0.0, 5.0, 10.0]]), np.zeros((1, 3)))
    assert at.tolist() == [[3, 5, 7]]


def test_stations_on_a_lattice_give_the_same_by_squares_of_any_size(monkeypatch):
    """Cells of a lattice are as far from several stations: none of them is preferred to another."""
    x, y = np.meshgrid(np.arange(60.0), np.arange(40.0))
    places = np.array([(east, north) for east in range(-5, 70, 10) for north in range(-5, 50, 10)], float)
    values_there = np.random.default_rng(6).uniform(0, 10, len(places))
    points = stations.Points(places, values_there, 2.0, 5)
    made = points.at(x, y)
    for side in (1, 7, 1000):
        monkeypatch.setattr(stations, "_SIDE", side)
        np.testing.assert_array_equal(points.at(x, y), made)
    turned = stations.Points(places[::-1], values_there[::-1], 2.0, 5)
    np.testing.assert_allclose(turned.at(x, y), made, rtol=1e-12)
    away = (x[..., None] - places[:, 0]) ** 2 + (y[..., None] - places[:, 1]) ** 2
    last = np.sort(away, axis=-1)[..., 4:5]
    weights = np.where(away <= last, 1 / np.where(away == 0, 1, away), 0)
    wanted = (weights * values_there).sum(-1) / weights.sum(-1)
    hit = (away == 0).any(-1)
    np.testing.assert_allclose(made[~hit], wanted[~hit], rtol=1e-12)
    assert hit.any()


def test_a_crs_can_be_given_in_words(table, template, tmp_path):
    import pyproj

    words = pyproj.CRS.from_user_input(CRS).to_wkt()
    rain = table({("A", *PLACE): year()})
    made = run("rainfallerosivity", tmp_path, rain=rain, crs=words, template=template)
    assert facts(made)["stations"]["A"] == pytest.approx(6668.3934, abs=6e-5)
