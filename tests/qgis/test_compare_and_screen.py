# SPDX-License-Identifier: GPL-2.0-or-later
"""The algorithms on finished results, in QGIS, with the real engine in its child interpreter."""

from __future__ import annotations

import json
import re
from pathlib import Path

import layers
import pytest
from qgis.core import (
    QgsFeature,
    QgsGeometry,
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingFeatureSourceDefinition,
    QgsProcessingFeedback,
    QgsProcessingModelAlgorithm,
    QgsProcessingModelChildAlgorithm,
    QgsProcessingModelChildParameterSource,
    QgsProject,
    QgsVectorLayer,
)

from swc_zoning.qgis_bridge import derived_layers, styling


@pytest.fixture(scope="module")
def zoned(tmp_path_factory, qgis_app):
    """Two results of a city of one square kilometre: farmland moved, a park came."""
    import processing

    from swc_zoning.plugin import SwcZoningPlugin

    folder = tmp_path_factory.mktemp("比较 two")
    plugin = SwcZoningPlugin(None)
    plugin.initProcessing()
    extent = layers.geojson(folder / "xzq.geojson", [(0, 0, 1000)], [{"XZQDM": "990101", "XZQMC": "甲区"}])
    found = []
    for number, east in enumerate((100, 150)):
        farm = layers.geojson(folder / f"nt{number}.geojson", [(east, 100, 200)], [{"TBBH": "1"}])
        parameters = {
            "EXTENT": extent,
            "PERMANENT_BASIC_FARMLAND": farm,
            "OUTPUT": str(folder / f"r{number}"),
        }
        processing.run("swc_zoning:delineatezones", parameters)
        found.append(str(folder / f"r{number}"))
    plugin.unload()
    return found


def projects(*boxes):
    """Return a memory layer of projects with an id, a name and a kind."""
    fields = "&field=no:string&field=xm:string&field=lx:string"
    rows = [[str(number), f"项目{number}", box[3]] for number, box in enumerate(boxes)]
    layer = layers.memory("xm", [box[:3] for box in boxes], fields, rows)
    QgsProject.instance().addMapLayer(layer)
    return layer


def run(name, parameters, context=None):
    import processing

    return processing.run(
        f"swc_zoning:{name}", parameters, context=context, feedback=QgsProcessingFeedback(False)
    )


def test_changes_and_matrix_come_as_layers(provider, zoned):
    made = run(
        "comparezonings", {"BEFORE": zoned[0], "AFTER": zoned[1], "CHANGES": "memory:", "MATRIX": "memory:"}
    )
    changes = made["CHANGES"]
    assert {f["cause"] for f in changes.getFeatures()} == {"source"}
    assert sum(f.geometry().area() for f in changes.getFeatures()) == pytest.approx(2 * 50 * 200, abs=1e-3)
    cells = {
        (f["zone_before"], f["zone_after"]): f["area_ha"]
        for f in made["MATRIX"].getFeatures()
        if not f["district_code"]
    }
    assert cells["FARM_CONS", "GENERAL"] == pytest.approx(1.0, rel=1e-3)
    assert (Path(made["OUTPUT"]) / "comparison.json").is_file()


def test_what_is_no_result_is_said_in_a_sentence(provider, zoned, tmp_path):
    with pytest.raises(QgsProcessingException, match="no complete result"):
        run("comparezonings", {"BEFORE": zoned[0], "AFTER": str(tmp_path)})


def test_only_selected_projects_are_screened_under_their_own_field_names(provider, zoned):
    layer = projects((120, 120, 20, "弃渣场"), (800, 800, 20, "园区"))
    layer.selectByExpression("no = '0'")
    selected = QgsProcessingFeatureSourceDefinition(layer.id(), True)
    made = run(
        "screenprojects",
        {
            "RESULT": zoned[0],
            "PROJECTS": selected,
            "ID_FIELD": "no",
            "NAME_FIELD": "xm",
            "KIND_FIELD": "lx",
            "CROSSINGS": "memory:",
        },
    )
    document = json.loads((Path(made["OUTPUT"]) / "screening.json").read_text(encoding="utf-8"))
    [row] = document["projects"]
    assert (row["id"], row["name"], row["kind"], row["siting"]) == ("0", "项目0", "spoil_site", "banned")
    [crossing] = made["CROSSINGS"].getFeatures()
    assert crossing["zone"] == "FARM_CONS"
    assert crossing["area_ha"] == pytest.approx(0.04, rel=1e-3)


def test_the_kind_of_all_projects_can_be_chosen(provider, zoned):
    layer = projects((120, 120, 20, ""))
    made = run(
        "screenprojects", {"RESULT": zoned[0], "PROJECTS": layer, "KIND": 4, "PROJECTS_OUT": "memory:"}
    )
    [feature] = made["PROJECTS_OUT"].getFeatures()
    assert (feature["kind"], feature["siting"]) == ("borrow_site", "banned")


def test_lines_are_refused_in_words(provider, zoned, tmp_path):
    line = QgsVectorLayer("LineString?crs=EPSG:4549", "line", "memory")
    QgsProject.instance().addMapLayer(line)
    line.dataProvider().addFeature(_line())
    with pytest.raises(QgsProcessingException):
        run("screenprojects", {"RESULT": zoned[0], "PROJECTS": line})


def _line():
    feature = QgsFeature()
    feature.setGeometry(QgsGeometry.fromWkt("LineString(600000 3450000, 600100 3450000)"))
    return feature


def test_layers_that_are_loaded_are_styled_and_a_new_run_replaces_its_own(
    provider, zoned, tmp_path, load_results
):
    """Loaded as by the toolbox: post-processors and all."""
    project = QgsProject.instance()
    project.clear()
    layer = projects((120, 120, 20, ""))
    own = QgsVectorLayer("Point?crs=EPSG:4549", "own", "memory")
    for _ in range(2):
        parameters = {"RESULT": zoned[0], "PROJECTS": layer, "OUTPUT": str(tmp_path / "out")}
        parameters |= {name: f"{tmp_path}/{name}{_}.gpkg" for name in ("PROJECTS_OUT", "CROSSINGS", "BANNED")}
        load(parameters, project, load_results)
        groups = [g for g in project.layerTreeRoot().findGroups() if g.customProperty(styling.RUN_PROPERTY)]
        assert len(groups) == 1
        outputs = [child.customProperty(styling.RUN_PROPERTY) for child in groups[0].findLayers()]
        kept = [output for output in outputs if output]
        assert kept == ["PROJECTS_OUT", "CROSSINGS", "BANNED"]
        project.addMapLayer(own.clone(), False)
        groups[0].addLayer(list(project.mapLayersByName("own"))[-1])
    assert len(project.mapLayersByName("own")) == 2
    renderers = {
        node.layer().renderer().classAttribute()
        for node in groups[0].findLayers()
        if node.customProperty(styling.RUN_PROPERTY)
    }
    assert renderers == {"siting", "zone", "kind"}
    assert derived_layers._waiting == []


def load(parameters, project, load_results):
    from qgis.core import QgsApplication, QgsProcessingOutputLayerDefinition

    context = QgsProcessingContext()
    context.setProject(project)
    for name in ("PROJECTS_OUT", "CROSSINGS", "BANNED"):
        parameters[name] = QgsProcessingOutputLayerDefinition(parameters[name], project)
    algorithm = QgsApplication.processingRegistry().createAlgorithmById("swc_zoning:screenprojects")
    feedback = QgsProcessingFeedback(False)
    _, ok = algorithm.run(parameters, context, feedback)
    assert ok
    load_results(algorithm, context, feedback, parameters)


def test_each_project_gets_a_card_of_one_page(provider, zoned, tmp_path):
    layer = projects((120, 120, 20, ""), (800, 800, 300, ""))
    run(
        "screenprojects",
        {
            "RESULT": zoned[0],
            "PROJECTS": layer,
            "ID_FIELD": "no",
            "NAME_FIELD": "xm",
            "CARDS": str(tmp_path / "卡"),
        },
    )
    cards = sorted((tmp_path / "卡").iterdir())
    assert [card.name for card in cards] == ["0_项目0.pdf", "1_项目1.pdf"]
    for card in cards:
        assert re.findall(rb"/Count (\d+)", card.read_bytes()) == [b"1"]


def child(algorithm, **parameters):
    """Return a step of a model; a pair stands for the output of another step."""
    step = QgsProcessingModelChildAlgorithm(f"swc_zoning:{algorithm}")
    for name, value in parameters.items():
        source = QgsProcessingModelChildParameterSource
        made = source.fromChildOutput(*value) if isinstance(value, tuple) else source.fromStaticValue(value)
        step.addParameterSources(name, [made])
    return step


def test_both_chain_behind_the_zoning_in_a_model(provider, zoned, tmp_path):
    extent = layers.geojson(tmp_path / "xzq.geojson", [(0, 0, 1000)], [{"XZQDM": "990101", "XZQMC": "甲区"}])
    farm = layers.geojson(tmp_path / "nt.geojson", [(600, 600, 200)], [{"TBBH": "1"}])
    works = layers.geojson(tmp_path / "works.geojson", [(610, 610, 50)], [{"no": "1"}])
    model = QgsProcessingModelAlgorithm("chain", "chain")
    zoning = child("delineatezones", EXTENT=extent, PERMANENT_BASIC_FARMLAND=farm, OUTPUT=str(tmp_path / "z"))
    zoning.setChildId("zoning")
    model.addChildAlgorithm(zoning)
    made = ("zoning", "OUTPUT")
    steps = {
        "compared": child("comparezonings", BEFORE=zoned[0], AFTER=made, OUTPUT=str(tmp_path / "c")),
        "screened": child("screenprojects", RESULT=made, PROJECTS=works, KIND=0, OUTPUT=str(tmp_path / "s")),
    }
    for name, step in steps.items():
        step.setChildId(name)
        model.addChildAlgorithm(step)
    model.initAlgorithm()
    feedback = QgsProcessingFeedback(False)
    _, ok = model.run({}, QgsProcessingContext(), feedback)
    assert ok, feedback.textLog()
    told = json.loads((tmp_path / "c/comparison.json").read_text(encoding="utf-8"))
    assert told["changed"]["area_m2"] == pytest.approx(8e4, rel=1e-3)
    [row] = json.loads((tmp_path / "s/screening.json").read_text(encoding="utf-8"))["projects"]
    assert [zone["zone"] for zone in row["zones"]] == ["FARM_CONS"]
