# SPDX-License-Identifier: GPL-2.0-or-later
"""Layers handed to the engine: plain files as they lie, all others as a copy of what QGIS shows.

A layer that is selected, filtered, edited, joined, computed, in memory or in a database means more
than its file says. What it shows is held the moment the algorithm starts, and written to a temporary
GeoPackage; what becomes of the layer in the meantime does not matter.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from qgis.core import (
    NULL,
    QgsCoordinateReferenceSystem,
    QgsCoordinateTransformContext,
    QgsFeature,
    QgsFeatureRequest,
    QgsFeatureSink,
    QgsField,
    QgsFields,
    QgsProcessingAlgorithm,
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingFeatureSourceDefinition,
    QgsProcessingFeedback,
    QgsProviderRegistry,
    QgsVectorFileWriter,
    QgsVectorLayer,
    QgsVectorLayerFeatureSource,
)

from swc_zoning.engine import admission
from swc_zoning.engine.messages import Cancelled, SwcError
from swc_zoning.qgis_bridge.compat import kind_of, number_field, string_field

_LAYER = "layer"
_READS = {"path", "layerName", "layerId"}
_PLAIN_TYPES = ("bool", "int", "uint", "qlonglong", "qulonglong", "double", "QString", "QDate", "QDateTime")


@dataclass(frozen=True)
class Copied:
    """A layer written to a file: its place, its field names there, how many features it has."""

    source: str
    layer: str
    fields: tuple[str, ...]
    count: int


@dataclass(frozen=True)
class Snapshot:
    """What a layer shows at one moment; `state`: its filter, how many features are selected and edited."""

    name: str
    fields: QgsFields
    kind: Any
    crs: QgsCoordinateReferenceSystem
    shown: QgsVectorLayerFeatureSource
    request: QgsFeatureRequest
    state: dict[str, Any]


def in_place(value: Any, layer: QgsVectorLayer | None) -> dict[str, str] | None:
    """Return {source, layer?, encoding?, crs?} of a plain file that can be read as it lies, else None.

    `value` is the parameter as given, `layer` what it resolves to. Call it in the main thread.
    """
    if layer is None or _narrowed(value) or not _untouched(layer):
        return None
    uri = QgsProviderRegistry.instance().decodeUri("ogr", layer.source())
    path = str(uri.get("path") or "")
    asked = {key for key, said in uri.items() if said not in (None, "", NULL, [])}
    if not os.path.exists(path) or asked - _READS or _by_number_only(uri) or not _admitted(path):
        return None
    return {"source": os.path.abspath(path), **_named(uri), **_overruled(layer)}


def snapshot(value: Any, layer: QgsVectorLayer) -> Snapshot:
    """Return what `layer` shows now, of which the parameter `value` may ask for a part only.

    Call it in the main thread: afterwards the layer may be edited, filtered or removed.
    """
    request, selected = QgsFeatureRequest(), None
    if isinstance(value, QgsProcessingFeatureSourceDefinition):
        if value.selectedFeaturesOnly:
            selected = layer.selectedFeatureCount()
            request.setFilterFids(layer.selectedFeatureIds())
        expression = getattr(value, "filterExpression", "")  # 3.32 and later
        if expression:
            request.combineFilterExpression(expression)
        request.setLimit(value.featureLimit)
    words = [layer.subsetString(), getattr(value, "filterExpression", "")]
    state = {"filter": " AND ".join(filter(None, words)) or "-", "edited": _edits(layer)}
    state["selected"] = "-" if selected is None else selected
    shown = QgsVectorLayerFeatureSource(layer)
    return Snapshot(layer.name(), layer.fields(), layer.wkbType(), layer.crs(), shown, request, state)


def shown(
    algorithm: QgsProcessingAlgorithm, parameters: dict[str, Any], name: str, context: QgsProcessingContext
) -> Snapshot:
    """Return what the layer of a parameter shows now. Raises QgsProcessingException where there is none.

    Call it in the main thread, in ``prepareAlgorithm``.
    """
    return snapshot(parameters[name], layer_of(algorithm, parameters, name, context))


def layer_of(
    algorithm: QgsProcessingAlgorithm, parameters: dict[str, Any], name: str, context: QgsProcessingContext
) -> QgsVectorLayer:
    """Return the layer a parameter names, or names a part of. Raises QgsProcessingException."""
    value = parameters[name]
    # A part of a layer is no layer to QGIS: ask for the one it is a part of.
    named = value.source if isinstance(value, QgsProcessingFeatureSourceDefinition) else value
    layer = algorithm.parameterAsVectorLayer({**parameters, name: named}, name, context)
    if layer is None:
        raise QgsProcessingException(algorithm.invalidSourceError(parameters, name))
    return layer


def extended(fields: QgsFields, names: Iterable[str]) -> QgsFields:
    """Return `fields` and number fields of these names; those of the same name before them get a number."""
    made, taken = QgsFields(), {name.lower() for name in names}
    for field in fields:
        kept = QgsField(field)
        kept.setName(_free_name(field.name(), taken))
        taken.add(kept.name().lower())
        made.append(kept)
    for name in names:
        made.append(number_field(name))
    return made


def write_extended(
    source: Snapshot,
    values: Iterable[Sequence[Any]],
    fields: QgsFields,
    sink: QgsFeatureSink,
    output: str,
    feedback: QgsProcessingFeedback,
) -> None:
    """Write the features of `source` with more `values` after their own, in order, to a sink of `fields`.

    Raises SwcError host.sink_failed, Cancelled.
    """
    for feature, more in zip(source.shown.getFeatures(source.request), values):
        if feedback.isCanceled():
            raise Cancelled
        made = QgsFeature(fields)
        made.setGeometry(feature.geometry())
        made.setAttributes([*feature.attributes(), *more])
        if not sink.addFeature(made, QgsFeatureSink.Flag.FastInsert):
            raise SwcError("host.sink_failed", output=output, reason=sink.lastError())
    sink.flushBuffer()


def value_or_none(value: Any) -> Any:
    """Return a value of a feature, None for the null of QGIS."""
    return None if value is None or value == NULL else value


def copy(source: Snapshot, path: Path, feedback: QgsProcessingFeedback) -> Copied:
    """Write the features of `source` into a new GeoPackage at `path`.

    Invalid geometry goes in as it is: the engine repairs and records it. Fields whose names differ
    only in case get a number. Raises SwcError host.copy_failed, Cancelled.
    """
    fields = _stored_fields(source.fields)
    writer = _writer(path, fields, source)
    count = 0
    for feature in source.shown.getFeatures(source.request):
        if feedback.isCanceled():
            raise Cancelled
        if not writer.addFeature(_stored(feature, fields), QgsFeatureSink.Flag.FastInsert):
            _must_work(writer, source)
        count += 1
    writer.flushBuffer()
    _must_work(writer, source)
    del writer
    return Copied(str(path), _LAYER, tuple(fields.names()), count)


def _edits(layer: QgsVectorLayer) -> int:
    """Return how many features are added, changed or deleted and not saved."""
    buffer = layer.editBuffer()
    if buffer is None:
        return 0
    changed = {*buffer.changedGeometries(), *buffer.changedAttributeValues()}
    return len(buffer.addedFeatures()) + len(changed) + len(buffer.deletedFeatureIds())


# --- plain or not ----------------------------------------------------------------------------------


def _narrowed(value: Any) -> bool:
    """Return whether the parameter asks for less than the whole layer."""
    if not isinstance(value, QgsProcessingFeatureSourceDefinition):
        return False
    expression = getattr(value, "filterExpression", "")  # 3.32 and later
    return value.selectedFeaturesOnly or value.featureLimit >= 0 or bool(expression)


def _untouched(layer: QgsVectorLayer) -> bool:
    """Return whether the layer shows just what its file holds."""
    provider = layer.dataProvider()
    # Joined and computed fields are in the layer, not in its provider.
    same_fields = layer.fields().count() == provider.fields().count()
    edited = layer.isEditable() and layer.isModified()
    return layer.providerType() == "ogr" and same_fields and not layer.subsetString() and not edited


def _admitted(path: str) -> bool:
    """Return whether the engine would open the file itself: QGIS shows more than it reads."""
    try:
        admission.admit(Path(path))
    except SwcError:
        return False
    return True


def _by_number_only(uri: dict[str, Any]) -> bool:
    return uri.get("layerId") not in (None, "", NULL, 0) and not uri.get("layerName")


def _named(uri: dict[str, Any]) -> dict[str, str]:
    name = uri.get("layerName")
    return {"layer": str(name)} if name else {}


def _overruled(layer: QgsVectorLayer) -> dict[str, str]:
    """Return what the user set in QGIS against the file: CRS, and the text encoding of a Shapefile."""
    said = {}
    if layer.crs().isValid() and layer.crs() != layer.dataProvider().crs():
        said["crs"] = layer.crs().authid() or layer.crs().toWkt()
    encoding = layer.dataProvider().encoding()
    if "shapefile" in layer.storageType().lower() and encoding not in ("", "UTF-8"):
        said["encoding"] = encoding
    return said


# --- copying ---------------------------------------------------------------------------------------


def _options() -> QgsVectorFileWriter.SaveVectorOptions:
    options = QgsVectorFileWriter.SaveVectorOptions()
    options.driverName = "GPKG"
    options.layerName = _LAYER
    options.fileEncoding = "UTF-8"
    # Names of our own, so that fields called fid or geom keep theirs.
    options.layerOptions = ["FID=swc_fid", "GEOMETRY_NAME=swc_geometry", "SPATIAL_INDEX=NO"]
    return options


def _writer(path: Path, fields: QgsFields, source: Snapshot) -> QgsVectorFileWriter:
    context = QgsCoordinateTransformContext()
    writer = QgsVectorFileWriter.create(str(path), fields, source.kind, source.crs, context, _options())
    _must_work(writer, source)
    return writer


def _must_work(writer: QgsVectorFileWriter, source: Snapshot) -> None:
    if writer.hasError() != QgsVectorFileWriter.WriterError.NoError:
        raise SwcError("host.copy_failed", layer=source.name, reason=writer.errorMessage())


def _stored_fields(fields: QgsFields) -> QgsFields:
    """Return the fields as GeoPackage can store them: one name each whatever the case, plain types."""
    stored, taken = QgsFields(), {"swc_fid", "swc_geometry"}
    for field in fields:
        name = _free_name(field.name(), taken)
        taken.add(name.lower())
        stored.append(_plain_field(field, name))
    return stored


def _free_name(name: str, taken: set[str]) -> str:
    tries = [name] + [f"{name}_{number}" for number in range(2, len(taken) + 2)]
    return next(one for one in tries if one.lower() not in taken)


def _plain_field(field: QgsField, name: str) -> QgsField:
    if kind_of(field) not in _PLAIN_TYPES:
        return string_field(name)
    plain = QgsField(field)
    plain.setName(name)
    # Widths of the source bind the source only; a computed value may be longer.
    plain.setLength(0)
    plain.setPrecision(0)
    return plain


def _stored(feature: QgsFeature, fields: QgsFields) -> QgsFeature:
    stored = QgsFeature(fields)
    stored.setGeometry(feature.geometry())
    values = [_plain(value) for value in feature.attributes()]
    stored.setAttributes(values)
    return stored


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, (list, dict, tuple)) else value
