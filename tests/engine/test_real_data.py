# SPDX-License-Identifier: GPL-2.0-or-later
"""Real layers nobody here drew: farms and parks of Swellendam, districts of Shanghai."""

import csv

import pytest

from swc_zoning.engine import run as runs

SWELLENDAM = ("farms_33S", "urban_33S", "water_33S", "protected_areas")


def free_role(name):
    return name.lower()


def test_swellendam_reproduces_the_independent_overlay(shared):
    folder = shared / "swellendam_qgis_training"
    layers = [{"role": free_role(name), "source": str(folder / f"{name}.shp")} for name in SWELLENDAM]
    summary = runs.run({"schema": 1, "layers": layers}).summary
    assert summary["crs"] == "EPSG:32733"
    found = {frozenset(row["roles"]): row for row in summary["crosstab"]}
    with (folder / "oracle" / "swe4_crosstab.csv").open(encoding="utf-8") as stream:
        expected = {frozenset(map(free_role, row["combo"].split("+"))): row for row in csv.DictReader(stream)}
    assert found.keys() == expected.keys()
    for roles, row in expected.items():
        plane, ellipsoidal = float(row["planar_m2"]), float(row["ellipsoidal_m2"])
        assert found[roles]["plane_m2"] == pytest.approx(plane, abs=max(0.01, 1e-6 * plane)), roles
        # The oracle joins the ends of long edges by geodesics, which both sides of a sliver do apart.
        assert found[roles]["ellipsoidal_m2"] == pytest.approx(ellipsoidal, abs=max(0.1, 5e-6 * plane)), roles
    assert summary["total"]["plane_m2"] == pytest.approx(3319083676.86452, rel=1e-9)


def test_shanghai_districts_of_two_providers_disagree_by_what_is_reported(shared):
    folder = shared / "shanghai_districts"
    names = ("amap", "tianditu")
    sources = [str(folder / f"shanghai_district_{name}.gpkg") for name in names]
    layers = [{"role": "district", "source": source, "id_field": "district_adcode"} for source in sources]
    summary = runs.run({"schema": 1, "layers": layers}).summary
    assert summary["crs"] == "EPSG:4549"
    assert summary["area_model"]["kind"] == "official"
    [finding] = [f for f in summary["findings"] if f["code"] == "consistency.layers_disagree"]
    assert finding["facts"]["by_feature_m2"] / 1e6 == pytest.approx(1028, abs=1)
    assert finding["facts"]["area_m2"] < finding["facts"]["by_feature_m2"]
    assert finding["place"]
