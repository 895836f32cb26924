# SPDX-License-Identifier: GPL-2.0-or-later
"""What tests of windows share: a QGIS with our provider, a demo city and its result, the workbench."""

from __future__ import annotations

import os

import pytest
from child import engine

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
