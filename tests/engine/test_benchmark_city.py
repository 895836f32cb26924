# SPDX-License-Identifier: GPL-2.0-or-later
"""The benchmark city: exact parcels, the same for the same seed, flawed only when asked."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyogrio
import pytest
import shapely

from swc_zoning.engine import job, roles

MAKER = Path(__file__).resolve().parents[2] / "benchmarks" / "city.py"


def made(output, *more):
    command = [sys.executable, str(MAKER), "--parcels", "2000", "--output", str(output), *more]
    subprocess.run(command, check=True, capture_output=True)
    return output


def shapes(folder, name):
    return np.asarray(pyogrio.read_dataframe(folder / f"{name}.gpkg").geometry)


@pytest.fixture(scope="module")
def city(tmp_path_factory):
    return made(tmp_path_factory.mktemp("benchmark"))


@pytest.mark.parametrize(
    "name", ["parcels", "districts", "redline", "devbound", "water", "reserves", "parks"]
)
def test_every_layer_is_valid_and_free_of_overlaps(city, name):
    found = shapes(city, name)
    assert shapely.is_valid(found).all()
    assert shapely.is_empty(shapely.coverage_invalid_edges(found)).all()


def test_parcels_have_thirty_vertices_and_fill_the_districts(city):
    parcels, districts = shapes(city, "parcels"), shapes(city, "districts")
    vertices = shapely.get_num_coordinates(parcels) - 1
    assert (vertices == 30).mean() > 0.95
    assert (vertices > 300).any()
    assert len(districts) == 15
    assert shapely.area(parcels).sum() == pytest.approx(shapely.area(districts).sum(), rel=1e-12)
    everything = np.concatenate([parcels, districts])
    assert shapely.union_all(everything).area == pytest.approx(shapely.area(parcels).sum(), rel=1e-9)


def test_coordinates_lie_on_one_millimetre(city):
    points = shapely.get_coordinates(shapes(city, "pbf"))
    assert (points == points.round(3)).all()


def test_the_same_seed_makes_the_same_parcels(city, tmp_path):
    again, other = made(tmp_path / "again"), made(tmp_path / "other", "--seed", "2")
    assert (shapely.to_wkb(shapes(again, "pbf")) == shapely.to_wkb(shapes(city, "pbf"))).all()
    assert len(shapes(other, "parcels")) != len(shapes(city, "parcels"))


def test_flaws_come_only_when_asked_for(city, tmp_path):
    dirty = shapes(made(tmp_path, "--dirty"), "parcels")
    clean = shapes(city, "parcels")
    changed = shapely.to_wkb(dirty) != shapely.to_wkb(clean)
    assert changed.sum() == len(clean) // 20
    assert (~shapely.is_valid(dirty)).any()


def test_the_job_can_be_loaded_and_its_roles_are_known(city):
    loaded = job.load(city / "job.json")
    assert len(loaded.layers) == 7
    assert all(roles.find(layer.role) for layer in loaded.layers)
    for entry in json.loads((city / "job.json").read_text(encoding="utf-8"))["layers"]:
        word = entry["tier"].get("value")
        assert word is None or roles.canonical_tier(entry["role"], word) == word
