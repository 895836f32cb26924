# SPDX-License-Identifier: GPL-2.0-or-later
"""Fixtures for tests inside QGIS."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

import pytest

if "DISPLAY" not in os.environ:
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def _english(monkeypatch):
    monkeypatch.setenv("SWC_ZONING_LANG", "en")


@pytest.fixture
def fake_python(tmp_path):
    """Return a maker of executables that stand in for an interpreter: each runs the given Python body."""

    def make(body: str, name: str = "python3") -> str:
        path = tmp_path / name
        path.write_text(f"#!{sys.executable}\nimport json, os, sys, time\n{body}\n", encoding="utf-8")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        return str(path)

    return make


@pytest.fixture
def provider(qgis_processing):
    """Return our provider, registered as the plugin does it."""
    from qgis.core import QgsApplication

    from swc_zoning.plugin import SwcZoningPlugin

    plugin = SwcZoningPlugin(None)
    plugin.initProcessing()
    yield QgsApplication.processingRegistry().providerById("swc_zoning")
    plugin.unload()


@pytest.fixture
def load_results(monkeypatch):
    """A function that loads what an algorithm made, as its dialog does."""
    from processing.gui import Postprocessing

    # There is no window here, and QGIS 3.44 wants the real view of its layer tree.
    monkeypatch.setattr(Postprocessing, "iface", None, raising=False)

    def load(algorithm, context, feedback, parameters):
        Postprocessing.handleAlgorithmResults(algorithm, context, feedback, parameters=parameters)

    return load
