# SPDX-License-Identifier: GPL-2.0-or-later
"""Layers handed to the engine: in place or as a copy of what QGIS shows."""

from __future__ import annotations

import layers
import pytest
from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsField,
    QgsProcessingContext,
    QgsProcessingFeatureSource,
    QgsProcessingFeatureSourceDefinition,
    QgsProcessingFeedback,
    QgsVectorFileWriter,
    QgsVectorLayer,
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
    source = QgsProcessingFeatureSource(layer, QgsProcessingContext())
    return sources.copy(source, path, feedback or QgsProcessingFeedback())


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
