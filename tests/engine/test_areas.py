# SPDX-License-Identifier: GPL-2.0-or-later
"""Official area, edge terms and closing, against published vectors, geodesics and their own laws."""

from __future__ import annotations

import json
import math
import time

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import CRS, Geod, Transformer

from swc_zoning.engine import areas
from swc_zoning.engine.areas import (
    area_model,
    close,
    close_displayed,
    close_districts,
    control_factor,
    round_area,
)
from swc_zoning.engine.messages import SwcError
from swc_zoning.paths import resource

STEPPED = [
    (652816.2153, 3432073.4471),
    (653816.2153, 3432173.4471),
    (653816.2153, 3433073.4471),
    (653216.2153, 3433073.4471),
    (653216.2153, 3432573.4471),
    (652816.2153, 3432573.4471),
]
TRIANGLE = [(600000, 3400000), (603000, 3400000), (600000, 3404000)]


@pytest.fixture(scope="module")
def shanghai():
    return area_model("EPSG:4549")


def square(x, y, size):
    return shapely.box(x, y, x + size, y + size)


def moved(geometries, east, north):
    return shapely.transform(geometries, lambda xy: np.add(xy, (east, north)))


def geodesic(polygon, crs, ellipsoid):
    """The area of the ring densified to 5 m, walked as geodesics."""
    ring = shapely.get_coordinates(shapely.segmentize(polygon.exterior, 5.0))
    to_lonlat = Transformer.from_crs(crs, CRS(crs).geodetic_crs, always_xy=True)
    lon, lat = to_lonlat.transform(ring[:, 0], ring[:, 1])
    return abs(Geod(ellps=ellipsoid).polygon_area_perimeter(lon, lat)[0])


# --- the official area -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("polygon", "raw", "within", "rounded"),
    [
        (square(640000, 3455000, 100), 9995.165728, 1e-6, 9995.17),
        (shapely.Polygon(STEPPED), 749565.045389, 2e-6, 749565.05),
        (shapely.Polygon(TRIANGLE), 5998490.621300, 2e-6, 5998490.62),
        # one of its 572 inserted points may round B or L the other way: 4e-4 of 1e8 m2
        (square(630000, 3450000, 10000), 99955052.860474, 5e-4, 99955052.86),
    ],
)
def test_regression_vectors_come_out(shanghai, polygon, raw, within, rounded):
    value = shanghai.areas([polygon])
    assert value[0] == pytest.approx(raw, rel=0, abs=within)
    assert round_area(value)[0] == pytest.approx(rounded, abs=1e-9)


@pytest.mark.parametrize(
    ("polygon", "relative"),
    [
        (square(640000, 3455000, 20), 1e-6),
        (square(640000, 3455000, 1000), 5e-9),
        (square(630000, 3450000, 10000), 2e-10),
        (shapely.Polygon(STEPPED), 5e-9),
        (shapely.Polygon(TRIANGLE), 5e-8),
    ],
)
def test_official_area_agrees_with_geodesics(shanghai, polygon, relative):
    expected = geodesic(polygon, "EPSG:4549", "GRS80")
    assert shanghai.areas([polygon])[0] == pytest.approx(expected, rel=relative)


def test_the_second_eccentricity_would_be_seen(shanghai):
    constants = json.loads(resource("ellipsoids.json").read_text(encoding="utf-8"))["cgcs2000"]
    wrong = areas._Trapezoid(constants["b"], constants["second_e2"])
    edge = [np.array([v]) for v in (1.124e11, 4e9, 1.1240001e11, 4e9)]
    assert wrong(*edge)[0] / shanghai._trapezoid(*edge)[0] - 1 == pytest.approx(2.43e-5, abs=5e-6)
    polygon = square(630000, 3450000, 1000)
    assert abs(shanghai.areas([polygon])[0] / geodesic(polygon, "EPSG:4549", "GRS80") - 1) < 5e-8


def test_edge_term_is_the_published_formula(shanghai):
    constants = json.loads(resource("ellipsoids.json").read_text(encoding="utf-8"))["cgcs2000"]
    series = areas.series_coefficients(constants["e2"])
    rng = np.random.default_rng(7)
    b1 = 1.12e11 + rng.uniform(0, 1e9)
    b2 = b1 + rng.uniform(-2e6, 2e6, 50)
    lon = rng.uniform(-5e9, 5e9, (2, 50))
    rad = math.pi / 180 / 3600e6
    half, middle = (b2 - b1) * rad / 2, (b1 + b2) * rad / 2
    terms = [c * np.sin(k * half) * np.cos(k * middle) for c, k in zip(series, (1, 3, 5, 7, 9))]
    inner = terms[0] - terms[1] + terms[2] - terms[3] + terms[4]
    expected = 2 * constants["b"] ** 2 * (lon[0] + lon[1]) / 2 * rad * inner
    got = shanghai._trapezoid(np.full(50, b1), lon[0], b2, lon[1])
    np.testing.assert_allclose(got, expected, rtol=1e-12, atol=0)


def test_zone_prefix_changes_nothing(shanghai):
    prefixed = area_model("EPSG:4528")
    polygons = np.array([shapely.Polygon(STEPPED), square(640000.1234, 3455000.4321, 812.3)])
    shifted = moved(polygons, 40_000_000, 0)
    assert prefixed.areas(shifted).tolist() == shanghai.areas(polygons).tolist()


def test_utm_is_computed_on_its_own_ellipsoid():
    model = area_model("EPSG:32733")
    polygon = square(430000, 6230000, 2000)
    assert model.kind == "proj"
    assert model.areas([polygon])[0] == pytest.approx(geodesic(polygon, "EPSG:32733", "WGS84"), rel=1e-7)


def test_a_polygon_across_the_date_line_has_its_area():
    model = area_model("+proj=tmerc +lat_0=0 +lon_0=180 +k=1 +x_0=0 +y_0=0 +ellps=WGS84 +units=m")
    left, both = square(-2000, 6000000, 2000), shapely.box(-2000, 6000000, 2000, 6002000)
    assert model.areas([both])[0] == pytest.approx(2 * model.areas([left])[0], rel=1e-9)


@pytest.mark.parametrize(
    ("crs", "kind"),
    [
        ("EPSG:4549", "official"),
        ("EPSG:4528", "official"),
        ("EPSG:4510", "official"),
        ("EPSG:4499", "official"),
        (CRS("EPSG:4549").to_wkt("WKT1_ESRI"), "official"),
        ("EPSG:4549+5737", "official"),
        ("EPSG:32651", "proj"),
        ("EPSG:2437", "proj"),
    ],
)
def test_kind_is_read_from_the_crs_itself(crs, kind):
    assert area_model(crs).kind == kind


def test_six_degree_zone_agrees_with_its_three_degree_twin():
    polygon = square(440000, 3455000, 500)
    assert area_model("EPSG:4510").areas([polygon])[0] == area_model("EPSG:4550").areas([polygon])[0]


@pytest.mark.parametrize("crs", ["EPSG:4490", "EPSG:2225", "no such system"])
def test_degrees_feet_and_unreadable_text_are_refused(crs):
    with pytest.raises(SwcError, match=r"areas\.crs_not_metric"):
        area_model(crs)


# --- edges -----------------------------------------------------------------------------------------


def random_edges(count, reach, seed=3):
    rng = np.random.default_rng(seed)
    first = np.round(rng.uniform((600000, 3400000), (700000, 3500000), (count, 2)), 4)
    return first, np.round(first + rng.uniform(-reach, reach, (count, 2)), 4)


@pytest.mark.parametrize("crs", ["EPSG:4549", "EPSG:32651"])
@pytest.mark.parametrize("reach", [0.001, 30, 5000])
def test_swapping_the_ends_turns_the_sign_and_no_other_bit(crs, reach):
    p, q = random_edges(2000, reach)
    model = area_model(crs)
    there = model.edge_terms(p[:, 0], p[:, 1], q[:, 0], q[:, 1])
    back = model.edge_terms(q[:, 0], q[:, 1], p[:, 0], p[:, 1])
    assert np.array_equal(there, -back)
    assert np.count_nonzero(there) > 1900


def test_a_term_does_not_depend_on_its_batch(shanghai, monkeypatch):
    p, q = random_edges(700, 900)
    whole = shanghai.edge_terms(p[:, 0], p[:, 1], q[:, 0], q[:, 1])
    alone = [shanghai.edge_terms(a[:1], a[1:], b[:1], b[1:])[0] for a, b in zip(p, q)]
    assert whole.tolist() == alone
    monkeypatch.setattr(areas, "_POINTS_AT_ONCE", 40)
    monkeypatch.setattr(areas, "_NODES_AT_ONCE", 37)
    assert shanghai.edge_terms(p[:, 0], p[:, 1], q[:, 0], q[:, 1]).tolist() == alone


def test_indexed_terms_are_the_same_terms(shanghai):
    p, q = random_edges(500, 120)
    nodes = np.concatenate([p, q])
    indexed = shanghai.edge_terms_indexed(nodes[:, 0], nodes[:, 1], np.arange(500), np.arange(500, 1000))
    assert indexed.tolist() == shanghai.edge_terms(p[:, 0], p[:, 1], q[:, 0], q[:, 1]).tolist()


def test_counter_clockwise_rings_sum_positive_whichever_side_of_the_meridian(shanghai):
    for x in (450000.0, 550000.0):
        ring = np.array([(x, 3e6), (x + 50, 3e6), (x + 50, 3e6 + 50), (x, 3e6 + 50)])
        following = np.roll(ring, -1, axis=0)
        total = shanghai.edge_terms(ring[:, 0], ring[:, 1], following[:, 0], following[:, 1]).sum()
        assert total == pytest.approx(2500, rel=2e-3)


def test_parts_sharing_noded_edges_sum_to_the_whole(shanghai):
    steps = np.linspace(0, 1300, 14)
    cells = [shapely.box(x, y, x + 100, y + 100) for x in steps[:-1] for y in steps[:-1]]
    cells = moved(np.array(cells), 612345.6789, 3412345.6789)
    ring = shapely.segmentize(shapely.box(0, 0, 1300, 1300), 100)
    whole = moved(ring, 612345.6789, 3412345.6789)
    assert math.fsum(shanghai.areas(cells)) == pytest.approx(shanghai.areas([whole])[0], rel=0, abs=1e-6)


def test_two_and_a_half_million_short_edges_are_quick(shanghai):
    rng = np.random.default_rng(5)
    x, y = rng.uniform(600000, 650000, 250_000), rng.uniform(3400000, 3450000, 250_000)
    began = time.process_time()
    shanghai.edge_terms(x, y, x + 12.5, y - 7.25)
    assert time.process_time() - began < 0.3  # a tenth of the edges; 0.09 s measured


def test_columns_of_different_length_are_refused(shanghai):
    with pytest.raises(SwcError, match=r"areas\.lengths_differ"):
        shanghai.edge_terms([1.0, 2.0], [1.0], [1.0], [1.0])


# --- polygons --------------------------------------------------------------------------------------


def test_holes_count_against_and_ring_direction_does_not_matter(shanghai):
    outer, hole = square(640000, 3455000, 100), square(640020, 3455020, 30)
    holed = shapely.Polygon(outer.exterior.coords, [hole.exterior.coords])
    values = shanghai.areas([outer, hole, holed, shapely.reverse(holed)])
    assert values[2] == pytest.approx(values[0] - values[1], abs=1e-7)
    assert values[3] == pytest.approx(values[2], abs=1e-8)


def test_multipolygons_sum_their_parts_and_nothing_counts_nothing(shanghai):
    one, two = square(640000, 3455000, 100), square(641000, 3455000, 50)
    values = shanghai.areas([shapely.MultiPolygon([one, two]), one, None, shapely.Polygon(), two])
    assert values[0] == pytest.approx(values[1] + values[4], abs=1e-9)
    assert values[2] == values[3] == 0.0
    assert shanghai.areas([]).tolist() == []
    assert shanghai.areas([None]).tolist() == [0.0]


def test_lines_have_no_area(shanghai):
    with pytest.raises(SwcError, match=r"areas\.not_polygonal.*LineString"):
        shanghai.areas([square(0, 0, 1), shapely.LineString([(0, 0), (1, 1)])])


# --- closing ---------------------------------------------------------------------------------------

area_lists = st.lists(
    st.floats(min_value=0, max_value=1e7, allow_nan=False, allow_infinity=False), min_size=1, max_size=60
)


def half_up(value):
    return math.floor(value * 100 + 0.5)


@given(area_lists)
def test_closing_to_the_own_sum_moves_no_value_by_a_unit(values):
    control = math.fsum(values)
    closed = close(values, control)
    assert int(closed.sum()) == half_up(control)
    assert control_factor(values, control) == 1.0
    assert np.all(np.abs(closed - np.array(values) * 100) < 1)


@given(area_lists, st.floats(min_value=0.01, max_value=1e8))
def test_closing_to_a_typed_control_is_exact_and_never_negative(values, control):
    if sum(values) < 0.01:
        values = [*values, 1.0]
    closed = close(values, control)
    assert int(closed.sum()) == half_up(control)
    assert closed.min() >= 0


@given(area_lists, st.randoms(use_true_random=False), st.floats(min_value=0.5, max_value=2))
def test_closing_does_not_depend_on_the_order(values, random, stretch):
    control = (math.fsum(values) + 1) * stretch
    values = [round(value, 1) + 0.005 for value in values]  # many equal remainders
    keys = [f"piece{number:03d}" for number in range(len(values))]
    order = list(range(len(values)))
    random.shuffle(order)
    straight = close(values, control, keys=keys)
    shuffled = close([values[i] for i in order], control, keys=[keys[i] for i in order])
    assert shuffled.tolist() == straight[order].tolist()


def test_the_smallest_key_wins_a_tie():
    assert close([0.005, 0.005, 0.005], 0.015, keys=["c", "a", "b"]).tolist() == [0, 1, 1]
    assert close([0.005, 0.005], 0.01, keys=[9, 4]).tolist() == [0, 1]


def test_a_typed_control_scales_in_proportion():
    assert control_factor([100.0, 300.0], 404.0) == pytest.approx(1.01)
    assert close([100.0, 300.0], 404.0).tolist() == [10100, 30300]
    assert close([1e-9, 1000.0], 1000.0).tolist() == [0, 100000]


@pytest.mark.parametrize(
    ("values", "control", "code"),
    [
        ([1.0, -1.0], 0.0, "areas.values_unusable"),
        ([math.nan], 0.0, "areas.values_unusable"),
        ([1.0], -1.0, "areas.control_unusable"),
        ([1.0], math.inf, "areas.control_unusable"),
        ([0.0, 0.0], 5.0, "areas.control_without_area"),
        ([], 5.0, "areas.control_without_area"),
    ],
)
def test_what_cannot_be_closed_is_refused(values, control, code):
    with pytest.raises(SwcError) as caught:
        close(values, control)
    assert caught.value.code == code
    assert caught.value.sentence("zh") != caught.value.sentence("en")


@settings(max_examples=60)
@given(area_lists, st.integers(min_value=1, max_value=5), st.randoms(use_true_random=False))
def test_districts_close_and_sum_to_the_city(values, count, random):
    district = [random.randrange(count) for _ in values]
    closed, adjustments = close_districts(values, district, [None] * count, keys=list(range(len(values))))
    assert int(closed.sum()) == half_up(math.fsum(adjustment.raw_m2 for adjustment in adjustments))
    for number, adjustment in enumerate(adjustments):
        mine = [i for i, d in enumerate(district) if d == number]
        assert int(closed[mine].sum()) == round(adjustment.control_m2 * 100)
        assert abs(adjustment.control_m2 - adjustment.raw_m2) < 0.01 + 1e-9
        assert not adjustment.typed
        assert adjustment.pieces == len(mine)


def test_a_typed_district_stays_as_typed_and_reports_its_factor():
    values = [100.004, 200.004, 50.0049, 50.0049]
    closed, (first, second) = close_districts(values, [0, 0, 1, 1], [330.01, None], keys=["a", "b", "c", "d"])
    assert closed[:2].sum() == 33001
    assert closed[2:].sum() == 10001
    assert (first.typed, second.typed) == (True, False)
    assert first.factor == pytest.approx(330.01 / 300.008)
    assert second.factor == 1.0
    assert second.max_change_m2 < 0.01
    assert first.sum_change_m2 == pytest.approx(330.01 - 300.008, abs=0.01)


def test_district_numbers_must_have_controls():
    with pytest.raises(SwcError, match=r"areas\.district_unknown"):
        close_districts([1.0, 2.0], [0, 2], [None, None])
    with pytest.raises(SwcError, match=r"areas\.district_unknown"):
        close_districts([1.0, 2.0], [0, -1])


@given(
    st.lists(st.integers(min_value=0, max_value=10**12), min_size=1, max_size=40),
    st.sampled_from([("ha", 2, 10**4), ("km2", 2, 10**6), ("m2", 0, 100), ("mu", 2, None)]),
)
def test_displayed_columns_add_up(rows, unit):
    name, decimals, centi = unit
    shown = close_displayed(rows, name, decimals)
    size, per = (centi, 1) if centi else (2000, 3)  # 0.01 mu = 2000/3 centi-m2
    assert int(shown.sum()) == (2 * sum(rows) * per + size) // (2 * size)
    assert all(abs(int(s) * size - r * per) < size for s, r in zip(shown, rows))


def test_an_unknown_unit_names_the_known_ones():
    with pytest.raises(SwcError, match="ha, km2, mu"):
        close_displayed([1], "acre")
