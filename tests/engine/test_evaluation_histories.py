# SPDX-License-Identifier: GPL-2.0-or-later
"""Algorithms run one by one tell in the end what a chain tells: what was run before, with which sets."""

from __future__ import annotations

import json

import numpy as np
import pytest

rasterio = pytest.importorskip("rasterio")

from swc_zoning.engine.evaluation import histories, records, running  # noqa: E402


def run(name, folder, **parameters):
    made = running.run(name, parameters, folder / name, folder, lang="en")
    return made, json.loads(made.record.read_text(encoding="utf-8"))


@pytest.fixture
def ndvi(tmp_path):
    """A raster of NDVI, 40 x 50 cells of 10 m, that nobody evaluated."""
    rows, cols = np.mgrid[0:40, 0:50]
    path = tmp_path / "ndvi.tif"
    place = rasterio.Affine(10, 0, 500000, 0, -10, 3450000)
    shape = {"height": 40, "width": 50, "count": 1, "dtype": "float32", "driver": "GTiff"}
    with rasterio.open(path, "w", crs="EPSG:4549", transform=place, **shape) as target:
        target.write((0.1 + 0.015 * rows + 0.002 * cols).astype("float32"), 1)
    return path


@pytest.fixture
def one_by_one(tmp_path, ndvi):
    """Patches made in steps; two of them were made of the same cover."""
    cover, _ = run("vegetationcover", tmp_path, ndvi=str(ndvi))
    given = {"value": str(cover.files["cover"]), "only_natural": False}
    classes, _ = run("classifycumulative", tmp_path, **given)
    both = [str(classes.files["class"]), str(classes.files["class"])]
    highest, _ = run("integrate", tmp_path, classes=both)
    return run("delineatepatches", tmp_path, classes=str(highest.files["class"]), least_m2=0)


def test_the_last_record_has_all_that_was_run_before_once_and_in_order(one_by_one):
    _, record = one_by_one
    assert [one["algorithm"] for one in record["steps"]] == [
        *("vegetationcover", "classifycumulative", "integrate")
    ]
    assert all(one["steps"] == [] for one in record["steps"])
    assert record["steps"][0]["inputs"][0]["file"] == "ndvi.tif"


def test_findings_and_sets_of_the_steps_travel_with_the_layer(one_by_one, tmp_path):
    made, _ = one_by_one
    carried = records.trimmed(records.read(made.files["patches"]))
    assert {one["kind"] for one in records.sets(carried)} >= {"classification"}
    assert "evaluation.unmasked" in {one["code"] for one in records.weak(carried)}
    assert str(tmp_path) not in json.dumps(carried, ensure_ascii=False)


def test_what_nobody_evaluated_has_no_history(ndvi, tmp_path):
    assert histories.read(ndvi) is None
    (tmp_path / "broken.tif").write_bytes(b"no raster")
    (tmp_path / "broken.gpkg").write_bytes(b"no database")
    assert histories.steps([ndvi, tmp_path / "broken.tif", tmp_path / "broken.gpkg"]) == []


def test_a_record_does_not_change_cells_and_the_same_run_makes_the_same_file(ndvi, tmp_path):
    files = []
    for number in range(2):
        made = running.run("vegetationcover", {"ndvi": str(ndvi)}, tmp_path / f"run{number}", tmp_path)
        files.append(made.files["cover"])
    assert files[0].read_bytes() == files[1].read_bytes()
    with rasterio.open(files[0]) as source:
        assert histories.read(files[0])["algorithm"] == "vegetationcover"
        assert source.read(1).min() == 0
        assert source.read(1).max() == 1
