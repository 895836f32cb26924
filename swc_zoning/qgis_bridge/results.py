# SPDX-License-Identifier: GPL-2.0-or-later
"""Layers of a finished run, copied to where Processing wants them."""

from __future__ import annotations

from pathlib import Path

from qgis.core import QgsFeature, QgsFeatureSink, QgsFields, QgsProcessingFeedback, QgsVectorLayer

from swc_zoning.engine.messages import Cancelled, SwcError


def open_layer(zoning: Path, name: str) -> QgsVectorLayer:
    """Return a layer of the result file, readable in the thread that calls.

    Raises SwcError host.result_layer.
    """
    layer = QgsVectorLayer(f"{zoning}|layername={name}", name, "ogr")
    if not layer.isValid():
        raise SwcError("host.result_layer", path=str(zoning), layer=name)
    return layer


def open_only_layer(file: Path) -> QgsVectorLayer:
    """Return the one layer of a file of results. Raises SwcError host.result_layer."""
    layer = QgsVectorLayer(str(file), file.stem, "ogr")
    if not layer.isValid():
        raise SwcError("host.result_layer", path=str(file), layer=file.stem)
    return layer


def shown_fields(layer: QgsVectorLayer) -> QgsFields:
    """Return the fields without the row number, which the target numbers itself."""
    fields, hidden = QgsFields(), set(layer.primaryKeyAttributes())
    for index, field in enumerate(layer.fields()):
        if index not in hidden:
            fields.append(field)
    return fields


def copy(
    layer: QgsVectorLayer,
    fields: QgsFields,
    sink: QgsFeatureSink,
    output: str,
    feedback: QgsProcessingFeedback,
) -> None:
    """Copy every feature of `layer` into `sink`. Raises SwcError host.sink_failed, Cancelled."""
    places = [layer.fields().indexOf(name) for name in fields.names()]
    for feature in layer.getFeatures():
        if feedback.isCanceled():
            raise Cancelled
        copied = QgsFeature(fields)
        copied.setGeometry(feature.geometry())
        copied.setAttributes([feature.attribute(place) for place in places])
        if not sink.addFeature(copied, QgsFeatureSink.Flag.FastInsert):
            raise SwcError("host.sink_failed", output=output, reason=sink.lastError())
    sink.flushBuffer()
