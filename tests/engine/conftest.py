# SPDX-License-Identifier: GPL-2.0-or-later
"""What engine tests share: a small demo city, a maker of small jobs, and the folder of real data."""

import hashlib
import json
import signal
import subprocess
import sys
from pathlib import Path

import geopandas
import pytest

ROOT = Path(__file__).resolve().parents[2]

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # Started in the background: what tests start would not hear an interrupt either.
    signal.signal(signal.SIGINT, signal.default_int_handler)

SHARED = ROOT.parent / "shared" / "data"


@pytest.fixture(scope="session")
def city(tmp_path_factory):
    """A small demo city: the folder with its layers and job.json."""
    folder = tmp_path_factory.mktemp("city")
    command = [sys.executable, "-m", "swc_zoning", "demo", "--output", str(folder), "--scale", "0.05"]
    subprocess.run(command, check=True, capture_output=True, cwd=ROOT)
    return folder


@pytest.fixture(scope="session")
def city_zoning(city):
    """The zoning of the small demo city, in memory. Tests must not change it."""
    from swc_zoning.engine import run

    return run.run(city / "job.json")


@pytest.fixture(scope="session")
def zoned_city(city_zoning, tmp_path_factory):
    """The folder of the result of the small demo city; that no test changes it is held at the end."""
    folder = tmp_path_factory.mktemp("zoned")
    city_zoning.write(folder)
    before = _content_of(folder)
    yield folder
    assert _content_of(folder) == before


def _content_of(folder):
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.fixture(scope="session")
def evaluated_city(city, tmp_path_factory):
    """The folder of the result of the small demo city with important areas from an evaluation."""
    from evaluations import plant

    from swc_zoning.engine import run

    folder = tmp_path_factory.mktemp("evaluated")
    run.run(plant(city)).write(folder)
    return folder


@pytest.fixture(scope="session")
def shared():
    """The folder of real data; the test is skipped where there is none."""
    if not SHARED.is_dir():
        pytest.skip("real data are not here")
    return SHARED


@pytest.fixture
def make_job(tmp_path):
    """Return a maker of job files from polygons: make(role=[(geometry, {field: value}), ...], ...)."""

    def make(extent=None, options=None, **layers):
        document = {"schema": 1, "crs": "EPSG:4549", "layers": [], "options": options or {}}
        if extent is not None:
            write(tmp_path / "extent.gpkg", extent)
            document["extent"] = {"source": "extent.gpkg", "code_field": "code", "name_field": "name"}
        for role, rows in layers.items():
            write(tmp_path / f"{role}.gpkg", rows)
            fields = set().union(*(attributes for _, attributes in rows))
            entry = {"role": role, "source": f"{role}.gpkg"}
            if "tier" in fields:
                entry["tier"] = {"field": "tier"}
            if "id" in fields:
                entry["id_field"] = "id"
            document["layers"].append(entry)
        path = tmp_path / "job.json"
        path.write_text(json.dumps(document), encoding="utf-8")
        return path

    def write(path, rows):
        geometry = [geometry for geometry, _ in rows]
        frame = geopandas.GeoDataFrame([values for _, values in rows], geometry=geometry, crs="EPSG:4549")
        frame.to_file(path)

    return make
