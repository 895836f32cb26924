# SPDX-License-Identifier: GPL-2.0-or-later
"""Delineating from the page of the layers: offered where the layer lacks, filled in, put into its role."""

from __future__ import annotations

from pathlib import Path

import pytest
from qgis.core import QgsProcessingUtils, QgsProject, QgsVectorFileWriter, QgsVectorLayer

from swc_zoning.gui.delineation import CHAINS, ROLE
from swc_zoning.gui.layer_rows import entries
from swc_zoning.gui.layers_page import LayersPage


@pytest.fixture
def page(desk, city, tmp_path, qtbot):
    """The page with the job of the demo city, without a layer of the areas important for the function."""
    desk.session.set_folder(tmp_path / "工作 work")
    desk.session.open_job(city / "job.json")
    job = desk.session.job
    desk.session.set_job({**job, "layers": [one for one in job["layers"] if one["role"] != ROLE]})
    made = LayersPage(desk)
    qtbot.addWidget(made)
    made.show()
    yield made
    made.unload()


def in_role(desk):
    return [entry for _, entry in entries(desk.session.job) if entry["role"] == ROLE]


def patches(path: Path) -> Path:
    """Write a layer as `delineatepatches` names it."""
    fields = "field=BSM:string&field=MC:string&field=ZYXDJ:string"
    layer = QgsVectorLayer(f"Polygon?crs=EPSG:4549&{fields}", ROLE, "memory")
    options = QgsVectorFileWriter.SaveVectorOptions()
    options.layerName = ROLE
    context = QgsProject.instance().transformContext()
    QgsVectorFileWriter.writeAsVectorFormatV3(layer, str(path), context, options)
    return path


def test_the_offer_stands_where_the_layer_lacks_and_goes_with_it(page, desk, tmp_path, qtbot):
    button = page.delineation.button
    assert not button.isHidden()
    made = patches(tmp_path / "made.gpkg")
    page.delineation.take(True, {"patches:PATCHES": str(made)})
    qtbot.waitUntil(lambda: in_role(desk) != [], timeout=10_000)
    assert button.isHidden()
    [entry] = in_role(desk)
    assert (Path(entry["source"]), entry["layer"]) == (made, ROLE)
    assert entry["tier"] == {"field": "ZYXDJ"}
    assert (entry["id_field"], entry["name_field"]) == ("BSM", "MC")


def test_a_temporary_result_is_kept_with_the_inputs(page, desk, qtbot):
    made = patches(Path(QgsProcessingUtils.tempFolder()) / "swc_temporary.gpkg")
    page.delineation.take(True, {"PATCHES": str(made)})
    qtbot.waitUntil(lambda: in_role(desk) != [], timeout=10_000)
    kept = Path(in_role(desk)[0]["source"])
    assert kept.is_relative_to(desk.session.folder)
    assert kept.read_bytes() == made.read_bytes()


def test_a_run_that_failed_changes_nothing(page, desk, qtbot):
    page.delineation.take(False, {})
    page.delineation.take(True, {"OTHER": "x"})
    qtbot.wait(100)
    assert in_role(desk) == []


def test_why_it_cannot_be_used_is_said(desk, city, qtbot):
    desk.session.open_job(city / "job.json")
    made = LayersPage(desk)
    qtbot.addWidget(made)
    made.delineation.show_state()
    button = made.delineation.button
    assert not button.isEnabled()
    assert "folder" in button.toolTip()
    assert button.statusTip() == button.toolTip()


def test_the_dialog_is_filled_in_with_what_the_job_has(page, desk):
    assert [one.text() for one in page.delineation.button.menu().actions()]
    for chain in CHAINS:
        given = page.delineation.prefilled(chain)
        source = next(one for _, one in entries(desk.session.job) if one["role"] == "drinking_water_source")
        if "DRINKING_WATER_SOURCE" in given:
            assert given["DRINKING_WATER_SOURCE"].startswith(source["source"])
        target = [Path(value) for name, value in given.items() if name.endswith("PATCHES")]
        assert [path.name for path in target] == [f"{ROLE}.gpkg"]
        assert target[0].is_relative_to(desk.session.folder)
        assert given["BOUNDARY"].startswith(desk.session.job["extent"]["source"])
        assert given["CRS"] == desk.session.job["crs"]
    assert "DRINKING_WATER_SOURCE" in page.delineation.prefilled("flatdelta")
