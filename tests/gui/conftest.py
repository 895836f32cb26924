# SPDX-License-Identifier: GPL-2.0-or-later
"""What tests of windows share: a QGIS with our provider, a demo city and its result, the workbench."""

from __future__ import annotations

import hashlib
import os
import shutil
import time
from contextlib import contextmanager
from dataclasses import dataclass

import pytest
from child import ROOT, engine, run_python

if "DISPLAY" not in os.environ:
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

SCALE = "0.05"


@pytest.fixture(autouse=True)
def _english(monkeypatch):
    monkeypatch.setenv("SWC_ZONING_LANG", "en")


@pytest.fixture(scope="session")
def city(tmp_path_factory):
    """The folder of a small demo city: layers and job.json. Tests must not change it."""
    folder = tmp_path_factory.mktemp("示范 city") / "city"
    engine("demo", "--output", folder, "--scale", SCALE)
    return folder


@pytest.fixture(scope="session")
def city_result(city):
    """The folder of the result of the demo city. Tests must not change it."""
    folder = city.parent / "result"
    engine("run", city / "job.json", "--output", folder)
    return folder


_PLANT = """
import pathlib, sys
sys.path.append("tests/engine")
import evaluations
evaluations.plant(pathlib.Path(sys.argv[1]))
"""


@pytest.fixture(scope="session")
def evaluated_result(city, tmp_path_factory):
    """The folder of the result of the demo city whose important areas come from an evaluation."""
    folder = tmp_path_factory.mktemp("evaluated")
    shutil.copytree(city, folder / "city")
    run_python("-c", _PLANT, folder / "city")
    engine("run", folder / "city" / "evaluated.json", "--output", folder / "result")
    return folder / "result"


#: Parcels of the benchmark city that make a little more than 200,000 pieces.
BIG_PARCELS = "100000"


@pytest.fixture(scope="session")
def big_result():
    """The folder of a result with more than 200,000 pieces; made once, and kept in build. Read it only."""
    files = ("benchmarks/city.py", "swc_zoning/engine/layers.py", "resources/rules/shanghai.json")
    made_of = hashlib.sha256(b"".join((ROOT / name).read_bytes() for name in files)).hexdigest()
    folder = ROOT / "build" / f"big-result-{made_of[:8]}"
    if not (folder / "result" / "summary.json").exists():
        run_python("benchmarks/city.py", "--parcels", BIG_PARCELS, "--output", folder / "city")
        engine("run", folder / "city" / "job.json", "--output", folder / "result")
    return folder / "result"


@dataclass
class Gap:
    """The longest time (s) in which the event loop did not come round."""

    seconds: float = 0.0


@pytest.fixture
def longest_gap(qapp):
    """A context manager that watches the event loop: ``with longest_gap() as gap: ...; gap.seconds``."""

    @contextmanager
    def watch():
        from qgis.PyQt.QtCore import Qt, QTimer

        gap, last = Gap(), time.perf_counter()

        def beat():
            nonlocal last
            now = time.perf_counter()
            gap.seconds, last = max(gap.seconds, now - last), now

        timer = QTimer()
        timer.setTimerType(Qt.TimerType.PreciseTimer)
        timer.setInterval(5)
        timer.timeout.connect(beat)
        timer.start()
        try:
            yield gap
        finally:
            qapp.processEvents()
            beat()
            timer.stop()

    return watch


@pytest.fixture
def provider(qgis_processing):
    """Our provider, registered as the plugin does it."""
    from qgis.core import QgsApplication

    from swc_zoning.plugin import SwcZoningPlugin

    plugin = SwcZoningPlugin(None)
    plugin.initProcessing()
    yield QgsApplication.processingRegistry().providerById("swc_zoning")
    plugin.unload()


@pytest.fixture
def project(qgis_new_project):
    """An empty QGIS project."""
    from qgis.core import QgsProject

    return QgsProject.instance()


@pytest.fixture
def desk(qgis_iface, project, provider):
    """A desk with an empty session."""
    from swc_zoning.gui.desk import Desk

    made = Desk(qgis_iface, project)
    yield made
    made.close()


@pytest.fixture
def zoned(desk, city, city_result, tmp_path):
    """A desk whose session has the demo city, its result, and a working folder."""
    desk.session.set_folder(tmp_path / "work")
    desk.session.open_job(city / "job.json")
    desk.session.set_result(city_result)
    return desk


@pytest.fixture
def workbench(qgis_iface, project, provider, qtbot):
    """The whole dock, shown."""
    from swc_zoning.gui.workbench import Workbench

    made = Workbench(qgis_iface, project)
    qtbot.addWidget(made)
    made.show()
    yield made
    made.unload()
