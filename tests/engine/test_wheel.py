# SPDX-License-Identifier: GPL-2.0-or-later
"""``pip install .`` gives the command line without QGIS and without the checkout."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from swc_zoning import paths

ROOT = Path(__file__).resolve().parents[2]
SHIPPED = (
    "swc_zoning",
    "processing_algs",
    "resources",
    "test_data",
    "metadata.txt",
    "pyproject.toml",
    "setup.py",
    "README.md",
)


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """A folder the project was installed into from a copy of its sources."""
    pytest.importorskip("setuptools", minversion="71")
    source, target = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("target")
    for name in SHIPPED:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, source / name)
    flags = ["--no-deps", "--no-build-isolation", "--no-index", "--target", str(target)]
    subprocess.run([sys.executable, "-m", "pip", "install", "-q", *flags, str(source)], check=True)
    return target


def call(installed, *arguments):
    environment = {**os.environ, "PYTHONPATH": str(installed)}
    command = [sys.executable, "-m", "swc_zoning", *map(str, arguments)]
    return subprocess.run(command, cwd=installed, env=environment, capture_output=True, text=True, check=True)


def test_the_wheel_knows_its_version(installed):
    assert call(installed, "--version").stdout.strip() == paths.version()


def test_the_wheel_zones_a_city(installed, city, tmp_path):
    call(installed, "run", city / "job.json", "--output", tmp_path / "result")
    assert json.loads((tmp_path / "result" / "summary.json").read_text(encoding="utf-8"))["total"]["pieces"]
