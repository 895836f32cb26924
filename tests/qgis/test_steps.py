# SPDX-License-Identifier: GPL-2.0-or-later
"""The steps of a zoning as tools: prepared layers, a partition, zones; and that they come to the same."""

from __future__ import annotations

import json
import subprocess
from collections import defaultdict
from pathlib import Path

import layers
import pytest
from qgis.core import (
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingFeatureSourceDefinition,
    QgsProcessingFeedback,
    QgsProcessingOutputLayerDefinition,
    QgsProject,
    QgsVectorLayer,
)

from swc_zoning.engine import rules

ROOT = Path(__file__).resolve().parents[2]


def run(algorithm, **parameters):
    import processing

    return processing.run(f"swc_zoning:{algorithm}", parameters)


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """Return the job file of a small demo city."""
    from swc_zoning.qgis_bridge import host

    folder = tmp_path_factory.mktemp("city") / "demo"
    words = ["-m", "swc_zoning", "demo", "--output", str(folder), "--scale", "0.05"]
    subprocess.run([host.search("").child.python, *words], check=True, capture_output=True, cwd=ROOT)
    return str(folder / "job.json")


@pytest.fixture
def city(tmp_path):
    """Return the layers of a city of one square kilometre with two districts."""
    extent = layers.geojson(
        tmp_path / "xzq.geojson",
        [(0, 0, 500), (500, 0, 500)],
        [{"XZQDM": "990101", "XZQMC": "甲区"}, {"XZQDM": "990102", "XZQMC": "乙区"}],
    )
    line = layers.geojson(tmp_path / "STBHHX.geojson", [(250, 0, 500)], [{"HXBM": "1", "HXLX": "水源涵养"}])
    farm = layers.geojson(tmp_path / "YJJBNTTB.geojson", [(0, 0, 300)], [{"YJJBNTTBBH": "1"}])
    return {"EXTENT": extent, "LAYERS": [line, farm]}


def test_prepared_layers_are_one_file_with_a_layer_for_each_role(provider, city, tmp_path):
    made = run("preparelayers", **city, OUTPUT=str(tmp_path / "整理.gpkg"))["OUTPUT"]
    for role, tier in (("ecological_redline", "water_conservation"), ("permanent_basic_farmland", "pbf")):
        layer = QgsVectorLayer(f"{made}|layername={role}", role, "ogr")
        assert [(one["role"], one["tier"]) for one in layer.getFeatures()] == [(role, tier)]
    extent = QgsVectorLayer(f"{made}|layername=admin_extent", "extent", "ogr")
    assert sorted(one["source_id"] for one in extent.getFeatures()) == ["990101", "990102"]


def test_a_partition_knows_what_lies_on_each_piece(provider, city):
    pieces = run("partition", **city, PIECES="memory:")["PIECES"]
    assert sum(one.geometry().area() for one in pieces.getFeatures()) == pytest.approx(500_000, abs=1e-3)
    assert "zone" not in pieces.fields().names()
    found = {one["combo"] for one in pieces.getFeatures()}
    both = "ecological_redline;permanent_basic_farmland"
    assert found == {"ecological_redline", both, "permanent_basic_farmland", ""}
    (one,) = [one for one in pieces.getFeatures() if one["combo"] == both]
    assert json.loads(one["members"])["ecological_redline"] == ["water_conservation"]


def test_a_layer_of_no_known_role_is_carried_through_as_a_free_one(provider, city):
    free = layers.memory("我的图层", [(100, 100, 100)])
    pieces = run("partition", EXTENT=city["EXTENT"], LAYERS=[free], PIECES="memory:")["PIECES"]
    assert "layer" in {one["combo"] for one in pieces.getFeatures()}


def prepared(*rows):
    fields = "".join(f"&field={name}:string" for name in ("role", "tier", "source_id", "name", "layer"))
    squares = [(100 * number, 0, 100) for number in range(len(rows))]
    return layers.memory("我的改名图层", squares, fields, [[*row, "", "", ""] for row in rows])


def test_a_prepared_layer_keeps_its_role_under_another_name_and_its_filter_counts(provider, city):
    layer = prepared(("nature_park", "forest_park"), ("nature_park", "geopark"))
    layer.setSubsetString("tier = 'geopark'")
    pieces = run("partition", EXTENT=city["EXTENT"], LAYERS=[layer], PIECES="memory:")["PIECES"]
    found = [json.loads(one["members"]) for one in pieces.getFeatures() if one["combo"]]
    assert found == [{"nature_park": ["geopark"]}]


def test_a_prepared_layer_of_several_roles_is_refused_in_words(provider, city):
    layer = prepared(("nature_park", "geopark"), ("ecological_redline", "water_conservation"))
    with pytest.raises(QgsProcessingException) as refused:
        run("partition", EXTENT=city["EXTENT"], LAYERS=[layer], PIECES="memory:")
    assert "ecological_redline, nature_park" in str(refused.value)


def test_layers_go_in_place_of_those_the_job_has_for_their_role(provider, demo, city):
    line = city["LAYERS"][0]
    pieces = run("partition", JOB=demo, LAYERS=[line], EXTENT=city["EXTENT"], PIECES="memory:")["PIECES"]
    found = sum(one.geometry().area() for one in pieces.getFeatures() if "redline" in one["combo"])
    assert found == pytest.approx(250_000, abs=1e-3)


@pytest.mark.parametrize("name", ["preparelayers", "partition"])
def test_a_step_without_inputs_is_refused_in_words(provider, name):
    possible, reason = provider.algorithm(name).create().checkParameterValues({}, QgsProcessingContext())
    assert not possible
    assert "job file" in reason


def test_a_prepared_file_stands_alone(provider, city):
    algorithm = provider.algorithm("partition").create()
    given = {"PREPARED": "/x.gpkg", **city, "PIECES": "memory:"}
    possible, reason = algorithm.checkParameterValues(given, QgsProcessingContext())
    assert not possible
    assert "prepared layers" in reason


# --- zones -----------------------------------------------------------------------------------------


def pieces_of(*memberships, fields="&field=no:integer&field=members:string"):
    squares = [(100 * number, 0, 100) for number in range(len(memberships))]
    return layers.memory("pieces", squares, fields, [[n, text] for n, text in enumerate(memberships)])


def test_pieces_get_the_zone_of_what_lies_on_them(provider):
    line = json.dumps({"ecological_redline": ["water_conservation"]})
    pieces = pieces_of(line, "{}", line)
    made = run("assignzones", PIECES=pieces, OUTPUT="memory:")["OUTPUT"]
    rows = {one["no"]: one for one in made.getFeatures()}
    table = rules.load()
    for number, members in ((0, {"ecological_redline": ["water_conservation"]}), (1, {})):
        decision = rules.decide(table, members, {"ecological_redline"})
        for name in ("zone", "status", "grade", "force"):
            assert rows[number][name] == decision[name]
        for name in ("decisive", "rules", "measures", "basis", "conflicts"):
            assert rows[number][name] == ";".join(decision[name])
        assert rows[number]["zone_name"] == table.zones[decision["zone"]]["name_en"]
    assert rows[2]["zone"] == rows[0]["zone"] != rows[1]["zone"]


def test_older_fields_of_a_decision_are_replaced_and_others_kept(provider):
    squares, fields = [(0, 0, 100)], "&field=zone:string&field=members:string&field=note:string"
    pieces = layers.memory("pieces", squares, fields, [["OLD", "{}", "kept"]])
    made = run("assignzones", PIECES=pieces, OUTPUT="memory:")["OUTPUT"]
    (one,) = made.getFeatures()
    assert made.fields().names().count("zone") == 1
    assert one["zone"] == rules.decide(rules.load(), {})["zone"]
    assert (one["note"], one["members"]) == ("kept", "{}")


def test_only_what_is_selected_is_decided(provider):
    pieces = pieces_of("{}", "no JSON")
    QgsProject.instance().addMapLayer(pieces)
    pieces.selectByExpression("no = 0")
    chosen = QgsProcessingFeatureSourceDefinition(pieces.id(), True)
    made = run("assignzones", PIECES=chosen, OUTPUT="memory:")["OUTPUT"]
    assert [one["no"] for one in made.getFeatures()] == [0]
    QgsProject.instance().clear()


@pytest.mark.parametrize("text", ["no JSON", "[]", '{"nature_park": "forest_park"}', None])
def test_a_membership_that_cannot_be_read_is_named(provider, text):
    with pytest.raises(QgsProcessingException) as refused:
        run("assignzones", PIECES=pieces_of("{}", text), OUTPUT="memory:")
    assert "members of feature 2" in str(refused.value)


def test_a_layer_without_members_is_refused_in_words(provider):
    with pytest.raises(QgsProcessingException) as refused:
        run("assignzones", PIECES=layers.memory("plain", [(0, 0, 1)]), OUTPUT="memory:")
    assert "no field members" in str(refused.value)


def test_zones_arrive_coloured(provider, load_results):
    pieces, context = pieces_of("{}"), QgsProcessingContext()
    context.setProject(QgsProject.instance())
    algorithm = provider.algorithm("assignzones").create()
    output = QgsProcessingOutputLayerDefinition("memory:", QgsProject.instance())
    given = {"PIECES": pieces, "OUTPUT": output}
    made, ok = algorithm.run(given, context, QgsProcessingFeedback(False))
    assert ok
    load_results(algorithm, context, QgsProcessingFeedback(False), given)
    layer = QgsProject.instance().mapLayer(made["OUTPUT"])
    assert layer.renderer().classAttribute() == "zone"
    QgsProject.instance().clear()


def test_what_a_model_makes_arrives_coloured_and_in_one_group(provider, city, tmp_path, load_results):
    from swc_zoning.qgis_bridge.styling import RUN_PROPERTY

    project, context = QgsProject.instance(), QgsProcessingContext()
    context.setProject(project)
    algorithm = provider.algorithm("threelines").create()
    outputs = {one.name().rpartition(":")[2]: one.name() for one in algorithm.parameterDefinitions()}
    given = {"EXTENT": city["EXTENT"], "ECOLOGICAL_REDLINE": city["LAYERS"][0]}
    given[outputs["OUTPUT"]] = str(tmp_path / "out")
    for name in ("ZONES", "FINDINGS"):
        given[outputs[name]] = QgsProcessingOutputLayerDefinition("memory:", project)
    feedback = QgsProcessingFeedback(False)
    _, ok = algorithm.run(given, context, feedback)
    assert ok, feedback.textLog()
    load_results(algorithm, context, feedback, given)
    (group,) = (one for one in project.layerTreeRoot().findGroups() if one.customProperty(RUN_PROPERTY))
    assert [one.layer().renderer().classAttribute() for one in group.findLayers()] == ["severity", "zone"]
    project.clear()


def test_the_steps_one_by_one_come_to_the_zones_of_a_run(provider, demo, tmp_path):
    prepared = run("preparelayers", JOB=demo, OUTPUT=str(tmp_path / "prepared.gpkg"))["OUTPUT"]
    pieces = run("partition", PREPARED=prepared, PIECES="memory:")["PIECES"]
    day = json.loads(Path(demo).read_text(encoding="utf-8"))["plan_date"]
    zoned = run("assignzones", PIECES=pieces, PLAN_DATE=day, OUTPUT="memory:")["OUTPUT"]
    folder = run("delineatezones", JOB=demo, OUTPUT=str(tmp_path / "result"))["OUTPUT"]
    whole = QgsVectorLayer(f"{folder}/zoning.gpkg|layername=pieces", "pieces", "ogr")
    assert areas(zoned) == areas(whole)
    assert len(areas(whole)) > 5


def areas(layer):
    """Return areas in 0.01 m2 by zone, status and district."""
    found = defaultdict(int)
    for one in layer.getFeatures():
        found[one["zone"], one["status"], one["district_code"]] += round(100 * one["area_m2"])
    return dict(found)


# --- in the background, and in the real qgis_process -----------------------------------------------


def test_a_model_runs_in_the_background(provider, demo, qtbot, tmp_path):
    from qgis.core import QgsApplication, QgsProcessingAlgRunnerTask

    folder = Path(demo).parent
    algorithm, context = provider.algorithm("bydistrict").create(), QgsProcessingContext()
    outputs = {one.name().rpartition(":")[2]: one.name() for one in algorithm.parameterDefinitions()}
    given = {
        "EXTENT": str(folder / "基础/XZQ.gpkg"),
        "CODE_FIELD": "XZQDM",
        "CODE": "990101",
        "ECOLOGICAL_REDLINE": str(folder / "三线/STBHHX.gpkg"),
        outputs["OUTPUT"]: str(tmp_path / "out"),
    }
    feedback = QgsProcessingFeedback(False)
    task, ended = QgsProcessingAlgRunnerTask(algorithm, given, context, feedback), []
    task.executed.connect(lambda ok, results: ended.append(ok))
    QgsApplication.taskManager().addTask(task)
    qtbot.waitUntil(lambda: bool(ended), timeout=120_000)
    assert ended == [True], feedback.textLog()
    assert (tmp_path / "out" / "summary.json").is_file()
