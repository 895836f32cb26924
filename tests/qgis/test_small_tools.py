# SPDX-License-Identifier: GPL-2.0-or-later
"""The tools that need no job: areas, closing, boundaries, decision tables, the demo city."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from qgis.core import (
    QgsFeature,
    QgsGeometry,
    QgsProcessingException,
    QgsProcessingFeatureSourceDefinition,
    QgsVectorLayer,
)

from swc_zoning.engine import rules

RING = "POLYGON((600000 3450000, 601000 3450000, 601000 3451000, 600000 3451000, 600000 3450000))"


def memory(kind, fields, rows):
    layer = QgsVectorLayer(f"{kind}{fields}", "rows", "memory")
    made = []
    for wkt, *values in rows:
        feature = QgsFeature(layer.fields())
        if wkt:
            feature.setGeometry(QgsGeometry.fromWkt(wkt))
        feature.setAttributes(values)
        made.append(feature)
    assert layer.dataProvider().addFeatures(made)[0]
    layer.updateExtents()
    return layer


def values(layer, *names):
    return [tuple(feature[name] for name in names) for feature in layer.getFeatures()]


def run(algorithm, **parameters):
    import processing

    return processing.run(f"swc_zoning:{algorithm}", parameters)


def test_a_polygon_has_its_official_area_and_one_without_geometry_has_none(provider):
    layer = memory("Polygon?crs=EPSG:4549&", "field=name:string", [(RING, "a"), (None, "b")])
    made = run("ellipsoidalarea", INPUT=layer, OUTPUT="memory:")["OUTPUT"]
    (name, ellipsoidal, plane), (other, nothing, _) = values(made, "name", "ellips_m2", "plane_m2")
    assert (name, other) == ("a", "b")
    assert plane == pytest.approx(1e6, abs=1e-6)
    assert 999_000 < ellipsoidal < 1_000_000
    assert nothing is None or str(nothing) == "NULL"


def test_only_what_is_selected_is_measured(provider):
    moved = RING.replace("600000", "602000").replace("601000", "603000")
    layer = memory("Polygon?crs=EPSG:4549&", "field=name:string", [(RING, "a"), (moved, "b")])
    layer.selectByExpression("name = 'b'")
    from qgis.core import QgsProject

    QgsProject.instance().addMapLayer(layer)
    chosen = QgsProcessingFeatureSourceDefinition(layer.id(), True)
    made = run("ellipsoidalarea", INPUT=chosen, OUTPUT="memory:")["OUTPUT"]
    assert [name for (name,) in values(made, "name")] == ["b"]
    QgsProject.instance().clear()


def test_a_layer_without_a_coordinate_system_is_refused_in_words(provider):
    layer = memory("Polygon?", "field=name:string", [(RING, "a")])
    with pytest.raises(QgsProcessingException) as refused:
        run("ellipsoidalarea", INPUT=layer, OUTPUT="memory:")
    assert "coordinate" in str(refused.value)


AREAS = [(None, "A", 10.004), (None, "A", 20.003), (None, "B", 5.0), (None, "A", 30.003)]


def test_areas_add_up_to_the_control_area_of_their_group(provider):
    layer = memory("NoGeometry?", "field=code:string&field=area:double", AREAS)
    controls = memory("NoGeometry?", "field=code:string&field=approved:double", [(None, "A", 60.5)])
    made = run(
        "closeareas",
        **{"INPUT": layer, "AREA": "area", "GROUP": "code", "CONTROLS": controls},
        **{"CONTROL_GROUP": "code", "CONTROL_AREA": "approved", "OUTPUT": "memory:"},
    )["OUTPUT"]
    rows = values(made, "code", "closed_m2")
    assert round(sum(100 * area for code, area in rows if code == "A")) == 6050
    assert [area for code, area in rows if code == "B"] == [5.0]
    assert [code for code, _ in rows] == ["A", "A", "B", "A"]


def test_without_controls_areas_close_to_their_own_sum(provider):
    layer = memory("NoGeometry?", "field=code:string&field=area:double", AREAS)
    made = run("closeareas", INPUT=layer, AREA="area", OUTPUT="memory:")["OUTPUT"]
    assert round(sum(100 * area for (area,) in values(made, "closed_m2"))) == 6501


def test_control_areas_without_their_fields_are_refused_before_the_run(provider):
    from qgis.core import QgsProcessingContext

    layer = memory("NoGeometry?", "field=code:string&field=area:double", AREAS)
    algorithm = provider.algorithm("closeareas").create()
    given = {"INPUT": layer, "AREA": "area", "GROUP": "code", "CONTROLS": layer, "CONTROL_AREA": "area"}
    possible, reason = algorithm.checkParameterValues({**given, "OUTPUT": "memory:"}, QgsProcessingContext())
    assert not possible
    assert "groups" in reason


def test_a_list_of_boundary_points_becomes_polygons(provider, tmp_path):
    rows = ["parcel,point,x,y"]
    corners = [(3450000, 40600000), (3451000, 40600000), (3451000, 40601000), (3450000, 40601000)]
    rows += [f"P1,J{n},{x},{y}" for n, (x, y) in enumerate([*corners, corners[0]], 1)]
    source = tmp_path / "界址点.csv"
    source.write_text("\n".join(rows), encoding="utf-8")
    made = run("importboundary", SOURCE=str(source), CRS="EPSG:4528", OUTPUT="memory:")["OUTPUT"]
    (feature,) = made.getFeatures()
    assert feature.geometry().area() == pytest.approx(1e6)


def test_the_shipped_table_has_proposed_rows_and_no_errors(provider):
    answer = run("checkruletable", OUTPUT="memory:")
    assert answer["ERRORS"] == 0
    assert "rules.proposed" in [code for (code,) in values(answer["OUTPUT"], "code")]


def test_the_errors_of_a_table_are_rows_that_name_their_place(provider, tmp_path):
    document = json.loads(json.dumps(rules.load().document))
    document["rules"][0]["zone"] = "NOWHERE"
    path = tmp_path / "table.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    answer = run("checkruletable", RULES=str(path), OUTPUT="memory:")
    assert answer["ERRORS"] == 1
    rows = values(answer["OUTPUT"], "row", "severity", "code")
    assert (document["rules"][0]["id"], "error", "rules.unknown_zone") in rows


def test_the_demo_city_never_overwrites_another(provider, tmp_path):
    folders = [run("democity", OUTPUT=str(tmp_path), SCALE=0.03) for _ in range(2)]
    assert folders[0]["OUTPUT"] != folders[1]["OUTPUT"]
    jobs = [json.loads(Path(one["JOB"]).read_text(encoding="utf-8")) for one in folders]
    assert jobs[0] == jobs[1]
