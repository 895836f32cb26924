# SPDX-License-Identifier: GPL-2.0-or-later
"""Factors and classes of the evaluation against the numbers of the reference (evaluation methods, 5)."""

from datetime import date

import numpy as np
import pytest

from swc_zoning.engine.evaluation import declared, factors, judging, sets

NAN = float("nan")
#: t, S guide, S CSLE, beta, m by beta, m CSLE.
SLOPES = (
    (0, 0.030000, 0.030000, 0, 0, 0.2),
    (0.5, 0.124247, 0.124247, 0.155191, 0.134342, 0.2),
    (1, 0.218486, 0.218486, 0.287435, 0.223262, 0.2),
    (2, 0.406915, 0.406915, 0.509273, 0.337429, 0.3),
    (3, 0.595228, 0.595228, 0.692690, 0.409224, 0.3),
    (5, 0.971282, 0.964216, 0.986582, 0.496623, 0.4),
    (5.13, 0.995691, 1.002186, 1.003198, 0.500798, 0.5),
    (5.14, 1.005106, 1.005106, 1.004466, 0.501114, 0.5),
    (10, 2.417289, 2.842895, 1.491530, 0.598640, 0.5),
    (10.20, 2.919927, 2.918156, 1.507493, 0.601195, 0.5),
    (15, 4.710725, 4.708137, 1.831173, 0.646789, 0.5),
    (28.80, 9.595223, 9.590405, 2.408320, 0.706600, 0.5),
    (28.81, 9.598800, 9.593755, 2.408626, 0.706627, 0.5),
    (35, 9.598800, 11.601324, 2.578071, 0.720520, 0.5),
)


def near(found, wanted):
    np.testing.assert_allclose(found, wanted, rtol=1e-6, atol=6e-7)


def test_erodibility_of_two_soils():
    near(factors.k_epic(15, 60, 25, 1.2), 0.360364)
    near(factors.k_guide([15, 30], [60, 30], [25, 40], [1.2, 1.5]), [0.022656, 0.014228])


def test_a_soil_without_silt_and_clay_has_no_erodibility():
    assert np.isnan(factors.k_guide(100.0, 0.0, 0.0, 1.0))


@pytest.mark.parametrize("row", SLOPES, ids=lambda row: str(row[0]))
def test_slope_factor_and_exponents(row):
    t, guide, csle, ratio, m_beta, m_csle = row
    near(factors.slope_factor(t, sets.load("slope_factor", "guide2017")), guide)
    near(factors.slope_factor(t, sets.load("slope_factor", "csle")), csle)
    near(factors.beta(t), ratio)
    near(factors.length_exponent(t, sets.load("length_exponent", "beta")), m_beta)
    near(factors.length_exponent(t, sets.load("length_exponent", "csle")), m_csle)


def test_a_capped_slope_factor_stops_growing():
    near(factors.slope_factor([30.0, 35.0], sets.load("slope_factor", "csle_cap30")), [9.99, 9.99])
    near(factors.slope_factor([30.0], sets.load("slope_factor", "csle")), [9.99 + 21.9 * 0.5 - 10.95])


def test_slope_factor_jumps_at_the_middle_break():
    below, at = factors.slope_factor([10.2 - 1e-9, 10.2], sets.load("slope_factor", "guide2017"))
    near([below, at], [16.8 * np.sin(np.radians(10.2)) - 0.5, 2.919927])
    assert round(below, 4) == 2.4750


LENGTHS = (
    (0.2, 100, 0.074301, 0.091535),
    (0.5, 100, 0.152153, 0.167992),
    (2, 100, 0.676902, 0.639748),
    (8, 100, 4.332013, 3.907332),
    (15, 100, 12.495306, 10.008256),
    (25, 100, 23.688861, 17.633701),
    (30, 100, 27.993587, 21.236101),
    (8, 30, 2.185147, 2.140134),
)


@pytest.mark.parametrize(("t", "length", "guide", "csle"), LENGTHS)
def test_length_and_slope_together(t, length, guide, csle):
    for method, exponent, wanted in (("guide2017", "beta", guide), ("csle", "csle", csle)):
        m = factors.length_exponent(t, sets.load("length_exponent", exponent))
        s = factors.slope_factor(t, sets.load("slope_factor", method))
        near(factors.length_factor(length, m) * s, wanted)


def test_segments_of_a_slope_and_the_cap_of_its_length():
    begin, end = np.array([0.0, 30, 60, 90, 90, 100]), np.array([30.0, 60, 90, 120, 100, 100])
    wanted = [1.164313, 2.128862, 2.756774, 3.264557, 3.107508, 3.188604]
    near(factors.segment_factor(begin, end, 0.5), wanted)


def test_cover_factor_by_class_and_formula():
    table = sets.load("cover_factor", "guide2017")
    near(factors.cover_factor("forest", [0.0, 0.1, 0.3, 0.5, 0.7, 0.9, 1], table),
         [0.10, 0.08, 0.06, 0.02, 0.004, 0.001, 0.001])  # fmt: skip
    near(factors.cover_factor("grass", [0.0999, 0.75, NAN], table), [0.45, 0.043, NAN])
    near(factors.cover_factor("dryland", [0.0, 0.04906, 0.35, 1], table), [1, 1, 0.492280, 0.221])
    near(factors.cover_factor("urban", [NAN], table), [0.01])
    near([factors.cover_factor(kind, 0.5, table) for kind in ("paddy", "wetland", "desert")], [0, 0, 0.7])


def test_erosivity_of_a_year_of_days():
    days = ((3, 9, 20), (5, 3, 25.4), (5, 9, 8), (5, 20, 60), (6, 18, 120.5), (7, 2, 33.3), (7, 28, 15),
            (8, 10, 210), (9, 5, 12), (10, 2, 45), (12, 22, 11.9))  # fmt: skip
    rain = [(date(2021, month, day), mm) for month, day, mm in days]
    table = sets.load("erosivity", "zhang")
    halves = factors.half_month_erosivity(rain, 1, table)
    wanted = {5: 54.6676, 9: 104.8602, 10: 462.5339, 12: 1541.6634, 13: 167.3653, 14: 42.2364,
              15: 4022.3238, 17: 28.7324, 19: 221.7038, 24: 22.3066}  # fmt: skip
    assert {half: round(r, 4) for half, r in halves.items() if r} == wanted
    assert round(sum(halves.values()), 4) == 6668.3934
    assert round(sum(factors.half_month_erosivity(rain, 1, table, 12.0).values()), 4) == 6646.0868


def test_erosivity_of_monthly_rain():
    months = [66, 60, 100, 84, 98, 190, 148, 180, 125, 62, 55, 42]
    near(factors.fournier(months), 123.370248)
    near(factors.monthly_erosivity(months), 2732.6948)
    assert round(factors.wischmeier_erosivity(months), 4) == 133.8991


SHARES = sets.load("classification", "guide2017")


def test_cumulative_classes_and_their_limits():
    values = np.array([30, 25, 15, 10, 8, 5, 4, 2, 1, 0, NAN])
    limits = judging.cumulative_thresholds(values, None, SHARES)
    assert (limits.highest, limits.high) == (25, 10)
    assert judging.by_thresholds(values, limits).tolist() == [3, 3, 2, 2, 1, 1, 1, 1, 1, 1, 0]


def test_cells_tied_on_a_limit_belong_above():
    values = np.array([10.0] * 4 + [5] * 8 + [1] * 20)
    limits = judging.cumulative_thresholds(values, None, SHARES)
    classes = judging.by_thresholds(values, limits)
    assert (limits.highest, limits.high, (classes == 3).sum(), (classes == 2).sum()) == (5, 5, 12, 0)


def test_limits_do_not_depend_on_the_order_of_cells():
    values = np.random.default_rng(3).gamma(2, 5, 5000)
    mixed = np.random.default_rng(4).permutation(values)
    assert judging.cumulative_thresholds(values, None, SHARES) == judging.cumulative_thresholds(
        mixed, None, SHARES
    )


def test_the_index_of_npp_with_its_flat_bias():
    npp, k = [0, 120, 300, 480, 600, NAN], [0.010, 0.030, 0.040, 0.0416, 0.020, 0.03]
    slope = [0, 0.3, 8, 25, 40, 2]
    near(factors.conservation_index(npp, k, slope), [0, 0.07286709, 0.02025316, 0, 0, NAN])
    near(factors.conservation_index(np.array(npp) * 7, k, slope), [0, 0.07286709, 0.02025316, 0, 0, NAN])


RETENTION = (
    (5200, (15, 60, 25, 1.2), 100, 0.2, "grass", 0.75, 8.753556, 8.377153),
    (5200, (15, 60, 25, 1.2), 100, 0.2, "urban", 0.0, 8.753556, 8.666021),
    (6500, (30, 30, 40, 1.5), 60, 15, "dryland", 0.35, 830.471055, 421.647168),
    (6500, (30, 30, 40, 1.5), 30, 35, "grass", 0.05, 1105.333557, 607.933456),
)


@pytest.mark.parametrize(("r", "soil", "length", "t", "kind", "f", "potential", "kept"), RETENTION)
def test_what_cover_retains(r, soil, length, t, kind, f, potential, kept):
    m = factors.length_exponent(t, sets.load("length_exponent", "beta"))
    ls = factors.length_factor(length, m) * factors.slope_factor(t, sets.load("slope_factor", "guide2017"))
    c = factors.cover_factor(kind, f, sets.load("cover_factor", "guide2017"))
    near(factors.retention(r, factors.k_guide(*soil), ls, c), (potential, kept))


SENSITIVITY = (
    (5200, 3, 3, 0.75, 1.967990, 1),
    (5200, 5, 3, 0.10, 3.343702, 2),
    (5200, 3, 120, 0.45, 3.408658, 2),
    (6500, 5, 350, 0.15, 5, 3),
    (90, 1, 20, 0.8, 1, 1),
    (5200, 5, 3, 0.45, 2.942831, 2),
)


@pytest.mark.parametrize(("r", "soil", "relief", "cover", "wanted", "level"), SENSITIVITY)
def test_sensitivity(r, soil, relief, cover, wanted, level):
    table = sets.load("sensitivity", "guide2017")
    found = judging.sensitivity(r, soil, relief, cover, table)
    near(found, wanted)
    assert judging.sensitivity_class(found, table) == level


def test_breaks_of_sensitivity_belong_where_the_table_says():
    table = sets.load("sensitivity", "guide2017")
    assert judging.factor_grades([99.9, 100, 600, 600.1], table["erosivity"], (1, 3, 5), False).tolist() == [
        1,
        3,
        3,
        5,
    ]
    assert judging.factor_grades([0.2, 0.21, 0.59, 0.6], table["cover"], (1, 3, 5), True).tolist() == [
        5,
        3,
        3,
        1,
    ]
    assert judging.relief_grades([50, 50.1, 300, 300.1], table).tolist() == [1, 3, 3, 5]


def test_soil_loss_ratios():
    table, covers = sets.load("biological", "csle"), [0, 0.3, 0.5, 0.9]
    near(factors.soil_loss_ratio("shrub", covers, 0, table), [0.490463, 0.166714, 0.061103, 0.006583])
    near(factors.soil_loss_ratio("grass", covers, 0, table), [0.490569, 0.174288, 0.064285, 0.006820])
    near(factors.soil_loss_ratio("forest", [0, 0.5, 1], 0.5, table), [0.073746, 0.062104, 0.047155])


def test_intensities_by_loss():
    loss = [0, 199.99, 499.99, 500, 2499.99, 2500, 5000, 8000, 14999, 15000, NAN]
    found = judging.intensity(loss, 500, sets.load("intensity", "sl190"))
    assert found.tolist() == [0, 0, 0, 1, 1, 2, 3, 4, 4, 5, 255]


def test_every_field_of_the_intensity_matrix():
    table, slopes = sets.load("intensity_matrix", "sl190"), np.array([6.0, 10, 20, 30, 40])
    wanted = {0.7: "11122", 0.5: "11223", 0.4: "12234", 0.1: "22345"}
    for cover, row in wanted.items():
        found = judging.intensity_by_matrix(slopes, np.full(5, cover), False, table)
        assert "".join(map(str, found)) == row
    assert judging.intensity_by_matrix(slopes, np.full(5, NAN), True, table).tolist() == [1, 2, 3, 4, 5]
    edges = judging.intensity_by_matrix([4.99, 5, 40, 40, 40], [0.1, 0.6, 0.75, 0.76, NAN], False, table)
    assert edges.tolist() == [0, 1, 2, 0, 255]


def test_importance_by_slope_cover_and_ecosystem():
    table = sets.load("importance", "dual2020")
    slope = [25, 24.99, 25, 30, 15, 14.9, 40, 25]
    cover = [0.80, 0.80, 0.79, 0.60, 0.60, 0.90, 0.95, 0.59]
    counts = [True] * 6 + [False, True]
    assert judging.importance(slope, cover, counts, table).tolist() == [3, 2, 2, 2, 2, 1, 1, 1]


def test_the_highest_class_wins_and_a_missing_layer_has_no_vote():
    layers = [np.array(row, np.uint8) for row in ([3, 1, 0, 0, 2], [1, 1, 2, 0, 0], [2, 0, 0, 0, 2])]
    highest, bits = judging.integrate(layers)
    assert highest.tolist() == [3, 1, 2, 0, 2]
    assert bits.tolist() == [1, 3, 2, 0, 5]


def test_cover_of_vegetation():
    found = factors.vegetation_cover([-0.1, 0.05, 0.2, 0.4, 0.65, 0.8], 0.05, 0.8)
    near(found, [0, 0, 0.2, 0.4666667, 0.8, 1])


def test_each_declaration_is_in_one_group_under_its_own_name():
    from swc_zoning.paths import resource

    listed = [name for group in declared.groups() for name in group.algorithms]
    files = sorted(path.stem for path in resource("evaluation", "algorithms").glob("*.json"))
    assert sorted(listed) == files == sorted(one.name for one in declared.algorithms().values())
