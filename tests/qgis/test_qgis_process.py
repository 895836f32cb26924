# SPDX-License-Identifier: GPL-2.0-or-later
"""The staged plugin in the real qgis_process: another program than pytest, with other failures."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import layers
import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def stage(tmp_path_factory):
    """Return a folder with the plugin staged from the sources as they are."""
    folder = tmp_path_factory.mktemp("stage")
    subprocess.run([sys.executable, str(ROOT / "tools/stage.py"), "--output", str(folder)], check=True)
    return folder


def qgis_process(stage, *arguments, **variables):
    return subprocess.run(
        [str(ROOT / "tools/qgis_process.sh"), *arguments],
        env={**os.environ, "SWC_ZONING_STAGE": str(stage), "SWC_ZONING_LANG": "en", **variables},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=180,
    )


def city(folder):
    extent = layers.geojson(folder / "xzq.geojson", [(0, 0, 1000)], [{"XZQDM": "990101", "XZQMC": "甲区"}])
    line = layers.geojson(folder / "hx.geojson", [(0, 0, 500)], [{"HXBM": "1", "HXLX": "水源涵养"}])
    farm = layers.geojson(folder / "nt.geojson", [(400, 400, 300)], [{"TBBH": "1"}])
    return [f"--EXTENT={extent}", f"--ECOLOGICAL_REDLINE={line}", f"--PERMANENT_BASIC_FARMLAND={farm}"]


def test_it_is_listed(stage):
    done = qgis_process(stage, "list")
    assert done.returncode == 0, done.stderr
    assert "swc_zoning:delineatezones" in done.stdout


def test_it_zones_a_city_and_ends_cleanly(stage, tmp_path):
    output = tmp_path / "out"
    arguments = [*city(tmp_path), f"--ZONES={tmp_path}/zones.gpkg", f"--OUTPUT={output}"]
    done = qgis_process(stage, "run", "swc_zoning:delineatezones", *arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    summary = json.loads((output / "summary.json").read_text(encoding="utf-8"))
    assert summary["total"]["plane_m2"] == pytest.approx(1e6, abs=1e-3)
    rows = {tuple(row["roles"]): row["plane_m2"] for row in summary["crosstab"]}
    assert rows[("ecological_redline", "permanent_basic_farmland")] == pytest.approx(1e4, abs=1e-3)
    assert (tmp_path / "zones.gpkg").is_file()


def test_two_runs_give_the_same_content(stage, tmp_path):
    for number in range(2):
        arguments = [*city(tmp_path), f"--OUTPUT={tmp_path}/out{number}"]
        done = qgis_process(stage, "run", "swc_zoning:delineatezones", *arguments)
        assert done.returncode == 0, done.stderr
    first, second = (
        json.loads((tmp_path / f"out{number}" / "summary.json").read_text(encoding="utf-8"))
        for number in range(2)
    )
    assert first["content_sha256"] == second["content_sha256"]


def test_a_refused_job_ends_with_an_error_and_no_result(stage, tmp_path):
    (tmp_path / "job.json").write_text('{"schema": 1, "layer": []}', encoding="utf-8")
    job, output = tmp_path / "job.json", tmp_path / "out"
    done = qgis_process(stage, "run", "swc_zoning:delineatezones", f"--JOB={job}", f"--OUTPUT={output}")
    assert done.returncode == 1
    assert "unknown key" in done.stdout + done.stderr
    assert not output.exists()


def test_without_a_python_for_the_engine_it_says_what_to_install(stage, tmp_path):
    empty = tmp_path / "python3"
    empty.write_text('#!/bin/sh\necho \'{"python": [3, 11, 2], "packages": {}}\'\n', encoding="utf-8")
    empty.chmod(0o755)
    arguments = [*city(tmp_path), f"--OUTPUT={tmp_path}/out"]
    done = qgis_process(stage, "run", "swc_zoning:delineatezones", *arguments, SWC_ZONING_PYTHON=str(empty))
    said = done.stdout + done.stderr
    # Where the system's own Python has all that is needed, it is used and that is said.
    assert (done.returncode == 1 and "SWC_ZONING_PYTHON" in said) or "cannot be used" in said
