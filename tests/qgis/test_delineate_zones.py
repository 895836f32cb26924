# SPDX-License-Identifier: GPL-2.0-or-later
"""The algorithm in QGIS, with the real engine in its child interpreter."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from threading import Timer

import layers
import pytest
from qgis.core import (
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingFeatureSourceDefinition,
    QgsProcessingFeedback,
    QgsProject,
    QgsSettings,
)

from swc_zoning.engine import roles, scratch
from swc_zoning.qgis_bridge import host
from swc_zoning.qgis_bridge.settings import PROCESSING_TEMP

ALGORITHM = "swc_zoning:delineatezones"


class Heard(QgsProcessingFeedback):
    """Feedback that keeps what it is told, by severity."""

    def __init__(self):
        super().__init__(False)
        self.said = {"error": [], "warning": [], "info": []}

    def reportError(self, error, fatalError=False):  # noqa: N803
        self.said["error"].append(error)

    def pushWarning(self, warning):
        self.said["warning"].append(warning)

    def pushInfo(self, info):
        self.said["info"].append(info)


@pytest.fixture
def algorithm(provider):
    return provider.algorithm("delineatezones")


@pytest.fixture
def city(tmp_path):
    """Return parameters of a city of one square kilometre with two layers in files."""
    extent = layers.geojson(tmp_path / "xzq.geojson", [(0, 0, 1000)], [{"XZQDM": "990101", "XZQMC": "甲区"}])
    line = layers.geojson(
        tmp_path / "hx.geojson", [(0, 0, 500)], [{"HXBM": "1", "HXMC": "湾", "HXLX": "水源涵养"}]
    )
    farm = layers.geojson(tmp_path / "nt.geojson", [(400, 400, 300)], [{"YJJBNTTBBH": "1", "DLMC": "水田"}])
    return {"EXTENT": extent, "ECOLOGICAL_REDLINE": line, "PERMANENT_BASIC_FARMLAND": farm}


def run(parameters, feedback=None, context=None):
    import processing

    return processing.run(ALGORITHM, parameters, feedback=feedback or Heard(), context=context)


def summary_of(result):
    return json.loads((Path(result["OUTPUT"]) / "summary.json").read_text(encoding="utf-8"))


# --- what it offers --------------------------------------------------------------------------------


def test_it_is_registered_under_its_lasting_id(algorithm):
    assert algorithm.id() == ALGORITHM
    assert algorithm.groupId() == "zoning"


def test_every_role_is_an_optional_parameter_with_help(algorithm):
    for role in (roles.extent_role(), *roles.all_roles()):
        definition = algorithm.parameterDefinition(role.param)
        assert definition is not None, role.param
        assert definition.help()
        assert definition.flags() & definition.Flag.FlagOptional
        # A city may lack what nobody expects of it: those layers are folded away.
        assert bool(definition.flags() & definition.Flag.FlagAdvanced) is not role.expected


@pytest.mark.parametrize(
    ("lang", "name", "role"),
    [("zh", "划定水土保持空间管控分区", "生态保护红线"), ("en", "Delineate control zones", "Eco")],
)
def test_it_speaks_both_languages(provider, monkeypatch, lang, name, role):
    monkeypatch.setenv("SWC_ZONING_LANG", lang)
    algorithm = provider.algorithm("delineatezones").create()
    assert algorithm.displayName() == name
    assert algorithm.parameterDefinition("ECOLOGICAL_REDLINE").description().startswith(role)
    assert lang in algorithm.helpUrl()


def test_neither_job_nor_layer_is_refused(algorithm):
    possible, reason = algorithm.checkParameterValues({}, QgsProcessingContext())
    assert not possible
    assert "job file" in reason


def test_without_a_python_for_the_engine_it_stays_visible_and_says_what_to_install(provider, monkeypatch):
    monkeypatch.setattr(host, "_candidates", lambda preferred: [])
    host.search.cache_clear()
    try:
        possible, reason = provider.algorithm("delineatezones").canExecute()
    finally:
        host.search.cache_clear()
    assert not possible
    assert "geopandas" in reason
    assert ALGORITHM in [one.id() for one in provider.algorithms()]


# --- what it does ----------------------------------------------------------------------------------


def test_layers_chosen_by_role_become_zones_that_fill_the_extent(provider, city, tmp_path):
    outputs = dict.fromkeys(("PIECES", "ZONES", "CONFLICTS", "FINDINGS"), "memory:")
    feedback, context = Heard(), QgsProcessingContext()
    result = run({**city, **outputs, "OUTPUT": str(tmp_path / "out")}, feedback, context)
    areas = {"PIECES": 0.0, "ZONES": 0.0}
    for name in areas:
        areas[name] = sum(feature.geometry().area() for feature in result[name].getFeatures())
    assert areas == pytest.approx({"PIECES": 1e6, "ZONES": 1e6}, abs=1e-3)
    assert result["CONFLICTS"].featureCount() >= 1
    assert {"zone", "status", "area_m2", "district_code"} <= set(result["ZONES"].fields().names())
    assert "fid" not in result["ZONES"].fields().names()
    assert any("HXLX" in line for line in feedback.said["info"])
    assert summary_of(result)["total"]["plane_m2"] == pytest.approx(1e6, abs=1e-3)


def test_the_selection_counts_and_not_the_file(provider, city, tmp_path):
    layer = layers.memory("红线", [(0, 0, 500), (500, 500, 500)], "&field=HXLX:string", [["其他"], ["其他"]])
    QgsProject.instance().addMapLayer(layer)
    layer.selectByIds([next(layer.getFeatures()).id()])
    chosen = QgsProcessingFeatureSourceDefinition(layer.id(), selectedFeaturesOnly=True)
    feedback = Heard()
    result = run(
        {"EXTENT": city["EXTENT"], "ECOLOGICAL_REDLINE": chosen, "OUTPUT": str(tmp_path / "out")}, feedback
    )
    rows = {tuple(row["roles"]): row["plane_m2"] for row in summary_of(result)["crosstab"]}
    assert rows[("ecological_redline",)] == pytest.approx(250000.0, abs=1e-3)
    assert any(line.startswith("1 features of layer") for line in feedback.said["info"])
    QgsProject.instance().removeMapLayer(layer.id())


def test_b63_a_layer_removed_after_the_start_is_zoned_and_temporary_data_go_where_the_user_said(
    provider, city, tmp_path, qgis_new_project
):
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    (temporary / f"swc_zoning-layers-{scratch.HOST}-{ended.pid}-0a1b2c3d").mkdir()
    layer = layers.memory("红线", [(0, 0, 500)], "&field=HXLX:string", [["其他"]])
    QgsProject.instance().addMapLayer(layer)
    context, feedback, seen = QgsProcessingContext(), Heard(), []
    context.setProject(QgsProject.instance())
    feedback.progressChanged.connect(lambda _: seen.append([path.name for path in temporary.iterdir()]))
    parameters = {
        "EXTENT": city["EXTENT"],
        "ECOLOGICAL_REDLINE": layer.id(),
        "OUTPUT": str(tmp_path / "out"),
    }
    settings = QgsSettings()
    settings.setValue(PROCESSING_TEMP, str(temporary))
    try:
        algorithm = provider.algorithm("delineatezones").create()
        assert algorithm.prepare(parameters, context, feedback)
        QgsProject.instance().removeMapLayer(layer.id())
        result = algorithm.runPrepared(parameters, context, feedback)
    finally:
        settings.remove(PROCESSING_TEMP)
    rows = {tuple(row["roles"]): row["plane_m2"] for row in summary_of(result)["crosstab"]}
    assert rows[("ecological_redline",)] == pytest.approx(250000.0, abs=1e-3)
    assert all(len([name for name in names if "-layers-" in name]) == 1 for names in seen)
    assert seen
    assert list(temporary.iterdir()) == []


def test_a_job_file_runs_and_a_chosen_layer_replaces_its_role(provider, city, tmp_path):
    job = {
        "schema": 1,
        "extent": {"source": "xzq.geojson", "code_field": "XZQDM", "name_field": "XZQMC"},
        "layers": [{"role": "ecological_redline", "source": "hx.geojson", "tier": {"field": "HXLX"}}],
    }
    (tmp_path / "job.json").write_text(json.dumps(job), encoding="utf-8")
    alone = run({"JOB": str(tmp_path / "job.json"), "OUTPUT": str(tmp_path / "alone")})
    smaller = layers.geojson(tmp_path / "small.geojson", [(0, 0, 100)], [{"HXLX": "水源涵养"}])
    over = run(
        {
            "JOB": str(tmp_path / "job.json"),
            "ECOLOGICAL_REDLINE": smaller,
            "OUTPUT": str(tmp_path / "over"),
        }
    )
    lines = [
        next(row["plane_m2"] for row in summary_of(one)["crosstab"] if row["roles"] == ["ecological_redline"])
        for one in (alone, over)
    ]
    assert lines == pytest.approx([250000.0, 10000.0], abs=1e-3)


def test_findings_that_block_stop_it_with_a_sentence(provider, city, tmp_path):
    (tmp_path / "job.json").write_text('{"schema": 1, "layer": []}', encoding="utf-8")
    feedback = Heard()
    with pytest.raises(QgsProcessingException):
        run({"JOB": str(tmp_path / "job.json"), "OUTPUT": str(tmp_path / "out")}, feedback)
    assert any("layer" in line for line in feedback.said["error"])
    assert not (tmp_path / "out").exists()


def test_cancel_stops_within_two_seconds_and_leaves_nothing(provider, city, tmp_path):
    many = [(10.0 * (n % 100), 10.0 * (n // 100), 11.0) for n in range(10000)]
    farm = layers.geojson(tmp_path / "many.geojson", many, [{"TBBH": str(n)} for n in range(len(many))])
    feedback = Heard()
    pressed = []

    def press():
        pressed.append(time.monotonic())
        feedback.cancel()

    Timer(1.5, press).start()
    with pytest.raises(QgsProcessingException):
        run({**city, "PERMANENT_BASIC_FARMLAND": farm, "OUTPUT": str(tmp_path / "out")}, feedback)
    assert time.monotonic() - pressed[0] < 2.0
    assert not [path for path in os.listdir(tmp_path) if "out" in path]


# --- how it looks ----------------------------------------------------------------------------------


def test_loaded_results_are_styled_and_grouped_by_run(
    provider, city, tmp_path, qgis_new_project, load_results
):
    project = QgsProject.instance()
    context = QgsProcessingContext()
    context.setProject(project)
    algorithm = provider.algorithm("delineatezones").create()
    parameters = {**city, "ZONES": "memory:", "FINDINGS": "memory:", "CONFLICTS": "memory:"}
    parameters["OUTPUT"] = str(tmp_path / "out")
    for name in ("ZONES", "FINDINGS", "CONFLICTS"):
        parameters[name] = definition_of(project)
    feedback = Heard()
    _, done = algorithm.run(parameters, context, feedback)
    assert done, feedback.said["error"]
    load_results(algorithm, context, feedback, parameters)
    root = project.layerTreeRoot()
    groups = [group for group in root.findGroups() if group.customProperty("swc_zoning/run")]
    assert len(groups) == 1
    names = [node.name() for node in groups[0].findLayers()]
    assert names == ["Findings", "Conflicts", "Control zones"]
    zones = groups[0].findLayers()[2].layer()
    labels = [category.label() for category in zones.renderer().categories()]
    assert zones.renderer().classAttribute() == "zone"
    assert "General control zone" in labels


def definition_of(project):
    from qgis.core import QgsProcessingOutputLayerDefinition

    return QgsProcessingOutputLayerDefinition("memory:", project)
