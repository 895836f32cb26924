# SPDX-License-Identifier: GPL-2.0-or-later
"""Layers handed to the engine: in place or as a copy of what QGIS shows (bad-input cases B62, B63)."""

from __future__ import annotations

import layers
import pytest
from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsField,
    QgsProcessingFeatureSourceDefinition,
    QgsProcessingFeedback,
    QgsProject,
    QgsVectorFileWriter,
    QgsVectorLayer,
    QgsVectorLayerJoinInfo,
)
from qgis.PyQt.QtCore import QVariant

from swc_zoning.engine.messages import Cancelled, SwcError
from swc_zoning.qgis_bridge import sources

pytestmark = pytest.mark.usefixtures("qgis_app")

SQUARES = [(0, 0, 100), (100, 0, 100)]


@pytest.fixture
def file_layer(tmp_path):
    path = layers.geojson(tmp_path / "红线.geojson", SQUARES, [{"HXBM": "1"}, {"HXBM": "2"}])
    return QgsVectorLayer(path, "红线", "ogr")


def copied(layer, path, feedback=None):
    return sources.copy(sources.snapshot(layer.id(), layer), path, feedback or QgsProcessingFeedback())


def read(copy):
    layer = QgsVectorLayer(f"{copy.source}|layername={copy.layer}", "copy", "ogr")
    assert layer.isValid()
    return layer


def test_a_plain_file_is_read_where_it_lies(file_layer, tmp_path):
    path = str(tmp_path / "红线.geojson")
    assert sources.in_place(path, file_layer) == {"source": path}


def test_a_virtual_data_set_is_not_read_in_place(file_layer, tmp_path):
    inner = f"<SrcDataSource>{tmp_path / '红线.geojson'}</SrcDataSource>"
    path = tmp_path / "a.vrt"
    path.write_text(f'<OGRVRTDataSource><OGRVRTLayer name="红线">{inner}</OGRVRTLayer></OGRVRTDataSource>')
    layer = QgsVectorLayer(str(path), "a", "ogr")
    assert layer.featureCount() == 2
    assert sources.in_place(str(path), layer) is None


def test_a_layer_of_a_geopackage_is_named(file_layer, tmp_path):
    path = str(tmp_path / "all.gpkg")
    options = QgsVectorFileWriter.SaveVectorOptions()
    options.layerName = "STBHHX"
    QgsVectorFileWriter.writeAsVectorFormatV3(file_layer, path, file_layer.transformContext(), options)
    layer = QgsVectorLayer(f"{path}|layername=STBHHX", "x", "ogr")
    assert sources.in_place(layer.id(), layer) == {"source": path, "layer": "STBHHX"}


def test_a_crs_set_in_qgis_goes_along(file_layer):
    file_layer.setCrs(QgsCoordinateReferenceSystem("EPSG:4528"))
    assert sources.in_place("x", file_layer)["crs"] == "EPSG:4528"


def test_a_filtered_file_is_not_read_in_place(file_layer):
    file_layer.setSubsetString("\"HXBM\" = '1'")
    assert sources.in_place("x", file_layer) is None


def test_a_file_with_edits_or_computed_fields_is_not_read_in_place(file_layer):
    file_layer.addExpressionField("1", QgsField("computed", QVariant.Int))
    assert sources.in_place("x", file_layer) is None


def test_a_layer_being_edited_is_not_read_in_place(tmp_path, file_layer):
    path = str(tmp_path / "edited.gpkg")
    QgsVectorFileWriter.writeAsVectorFormatV3(
        file_layer, path, file_layer.transformContext(), QgsVectorFileWriter.SaveVectorOptions()
    )
    layer = QgsVectorLayer(path, "edited", "ogr")
    layer.startEditing()
    assert sources.in_place("x", layer) is not None
    layer.deleteFeature(next(layer.getFeatures()).id())
    assert sources.in_place("x", layer) is None
    layer.rollBack()


def test_selected_features_only_is_not_read_in_place(file_layer):
    chosen = QgsProcessingFeatureSourceDefinition(file_layer.id(), selectedFeaturesOnly=True)
    assert sources.in_place(chosen, file_layer) is None


def test_a_memory_layer_has_no_place():
    assert sources.in_place("x", layers.memory("m", SQUARES)) is None


def test_a_copy_holds_what_the_layer_shows(tmp_path):
    layer = layers.memory("m", SQUARES, "&field=名称:string&field=n:integer", [["甲", 1], ["乙", 2]])
    copy = copied(layer, tmp_path / "copy.gpkg")
    assert (copy.count, copy.fields) == (2, ("名称", "n"))
    back = read(copy)
    assert sorted((f["名称"], f["n"], f.geometry().area()) for f in back.getFeatures()) == [
        ("乙", 2, 10000.0),
        ("甲", 1, 10000.0),
    ]
    assert back.crs().authid() == "EPSG:4549"


def test_awkward_field_names_survive(tmp_path):
    fields = "&field=fid:integer&field=geom:string&field=ID:string&field=id:string"
    layer = layers.memory("m", SQUARES, fields, [[7, "a", "b", "c"], [7, "a", "b", "c"]])
    copy = copied(layer, tmp_path / "copy.gpkg")
    assert copy.fields == ("fid", "geom", "ID", "id_2")
    feature = next(read(copy).getFeatures())
    assert [feature[name] for name in copy.fields] == [7, "a", "b", "c"]


def test_invalid_geometry_is_copied_as_it_is(tmp_path):
    layer = layers.memory("m", [])
    bow_tie = "Polygon((0 0, 10 10, 10 0, 0 10, 0 0))"
    from qgis.core import QgsFeature, QgsGeometry

    feature = QgsFeature(layer.fields())
    feature.setGeometry(QgsGeometry.fromWkt(bow_tie))
    layer.dataProvider().addFeature(feature)
    back = next(read(copied(layer, tmp_path / "copy.gpkg")).getFeatures())
    assert not back.geometry().isGeosValid()


def test_a_copy_that_cannot_be_written_says_why(tmp_path):
    with pytest.raises(SwcError) as caught:
        copied(layers.memory("三线", SQUARES), tmp_path / "none" / "copy.gpkg")
    assert caught.value.code == "host.copy_failed"
    assert caught.value.facts["layer"] == "三线"


def test_copying_stops_when_cancelled(tmp_path):
    feedback = QgsProcessingFeedback()
    feedback.cancel()
    with pytest.raises(Cancelled):
        copied(layers.memory("m", SQUARES), tmp_path / "copy.gpkg", feedback)


# --- B62, B63: layers that are more, or soon less, than their file ----------------------------------


def held(layer, value=None):
    return sources.snapshot(value or layer.id(), layer)


def test_b62_the_notice_of_a_copy_tells_filter_selection_and_unsaved_edits(tmp_path, file_layer):
    path = str(tmp_path / "edited.gpkg")
    QgsVectorFileWriter.writeAsVectorFormatV3(
        file_layer, path, file_layer.transformContext(), QgsVectorFileWriter.SaveVectorOptions()
    )
    layer = QgsVectorLayer(path, "edited", "ogr")
    layer.setSubsetString("\"HXBM\" IN ('1', '2')")
    layer.startEditing()
    one, other = (feature.id() for feature in layer.getFeatures())
    layer.deleteFeature(one)
    layer.changeAttributeValue(other, layer.fields().indexOf("HXBM"), "9")
    layer.selectByIds([other])
    chosen = QgsProcessingFeatureSourceDefinition(layer.id(), selectedFeaturesOnly=True)
    snapshot = held(layer, chosen)
    assert snapshot.state == {"filter": "\"HXBM\" IN ('1', '2')", "selected": 1, "edited": 2}
    copy = sources.copy(snapshot, tmp_path / "copy.gpkg", QgsProcessingFeedback())
    assert [feature["HXBM"] for feature in read(copy).getFeatures()] == ["9"]
    layer.rollBack()


def test_b62_joined_fields_and_virtual_layers_are_copied(tmp_path, file_layer, qgis_new_project):
    words = layers.memory("words", SQUARES, "&field=code:string&field=DJ:string", [["1", "甲"], ["2", "乙"]])
    QgsProject.instance().addMapLayers([file_layer, words])
    join = QgsVectorLayerJoinInfo()
    join.setJoinLayer(words)
    join.setJoinFieldName("code")
    join.setTargetFieldName("HXBM")
    join.setUsingMemoryCache(True)
    file_layer.addJoin(join)
    assert sources.in_place("x", file_layer) is None
    back = read(copied(file_layer, tmp_path / "joined.gpkg"))
    assert sorted(feature["words_DJ"] for feature in back.getFeatures()) == sorted("甲乙")
    query = QgsVectorLayer(f'?query=SELECT * FROM "{file_layer.id()}" LIMIT 1', "virtual", "virtual")
    assert query.isValid()
    assert sources.in_place("x", query) is None
    assert copied(query, tmp_path / "virtual.gpkg").count == 1


def test_b63_a_layer_removed_changed_or_filtered_after_the_start_is_copied_as_it_was(
    tmp_path, file_layer, qgis_new_project
):
    memory = layers.memory("m", SQUARES, "&field=n:integer", [[1], [2]])
    QgsProject.instance().addMapLayers([file_layer, memory])
    file_layer.setSubsetString("\"HXBM\" = '1'")
    snapshots = [held(file_layer), held(memory)]
    file_layer.setSubsetString("")
    memory.dataProvider().truncate()
    QgsProject.instance().removeAllMapLayers()
    feedback = QgsProcessingFeedback()
    copies = [sources.copy(s, tmp_path / f"{s.name}.gpkg", feedback) for s in snapshots]
    assert [copy.count for copy in copies] == [1, 2]
    assert [feature["HXBM"] for feature in read(copies[0]).getFeatures()] == ["1"]
