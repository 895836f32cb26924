# SPDX-License-Identifier: GPL-2.0-or-later
"""Layers of the evaluation as files: rasters where they lie, vector layers where they lie or as a copy."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Union

from qgis.core import (
    QgsMapLayer,
    QgsProcessingAlgorithm,
    QgsProcessingContext,
    QgsProcessingFeedback,
    QgsRasterLayer,
    QgsVectorLayer,
)

from swc_zoning.engine.evaluation.declared import Algorithm, Parameter
from swc_zoning.engine.messages import SwcError
from swc_zoning.processing_algs.evaluation_parameters import LAYERS, is_given, name_of
from swc_zoning.qgis_bridge import sources

#: A file that can be read as it lies, or a layer to be copied.
_Held = Union[str, sources.Snapshot]
_SEVERAL = ("rasters", "vectors")
_ODD = re.compile(r"[^\w.-]+")


class HeldLayers:
    """The layers of one run, held in the main thread and written in that of the run."""

    def __init__(self, algorithm: Algorithm) -> None:
        self._algorithm = algorithm
        self._held: dict[str, list[_Held]] = {}

    def take(
        self, asking: QgsProcessingAlgorithm, parameters: dict[str, Any], context: QgsProcessingContext
    ) -> None:
        """Hold what the layers show now; call it in the main thread.

        Raises SwcError ``evaluation_tools.not_a_file``, ``evaluation_tools.other_crs``, and
        QgsProcessingException where a layer is not there.
        """
        for one in self._algorithm.parameters:
            if one.kind in LAYERS and is_given(parameters.get(name_of(one))):
                held = list(_layers(asking, parameters, one, context))
                self._held.update({one.name: held} if held else {})

    def files(self, folder: Path, feedback: QgsProcessingFeedback) -> dict[str, Any]:
        """Return the files by parameter, as the engine takes them; copies go below `folder`.

        Raises what `sources.copy` raises.
        """
        several = {one.name for one in self._algorithm.parameters if one.kind in _SEVERAL}
        made = {}
        for name, held in self._held.items():
            paths = [_file(one, folder / f"{name}{number}", feedback) for number, one in enumerate(held)]
            made[name] = paths if name in several else paths[0]
        return made


def _layers(
    asking: QgsProcessingAlgorithm,
    parameters: dict[str, Any],
    one: Parameter,
    context: QgsProcessingContext,
) -> Iterator[_Held]:
    name = name_of(one)
    if one.kind in _SEVERAL:
        for layer in asking.parameterAsLayerList(parameters, name, context):
            yield _held(None, layer)
    elif one.kind == "vector":
        yield _held(parameters[name], sources.layer_of(asking, parameters, name, context))
    else:
        layer = asking.parameterAsRasterLayer(parameters, name, context)
        if layer is None:
            raise SwcError("evaluation_tools.no_layer", name=one.name, value=str(parameters[name]))
        yield raster_file(layer)


def _held(value: Any, layer: QgsMapLayer) -> _Held:
    if isinstance(layer, QgsRasterLayer):
        return raster_file(layer)
    if not isinstance(layer, QgsVectorLayer):
        raise SwcError("evaluation_tools.not_a_file", layer=layer.name())
    place = sources.in_place(value, layer)
    if place is None or {"crs", "encoding"} & place.keys():
        return sources.snapshot(value, layer)
    return _source(place)


def _source(place: Mapping[str, str]) -> str:
    return f"{place['source']}|layername={place['layer']}" if "layer" in place else place["source"]


def raster_file(layer: QgsRasterLayer) -> str:
    """Return the file of a raster layer.

    Raises SwcError ``evaluation_tools.not_a_file`` for one that is in no plain file, and
    ``evaluation_tools.other_crs`` where QGIS was told another CRS than the file has.
    """
    path = layer.source().partition("|")[0]
    if layer.providerType() != "gdal" or not os.path.isfile(path):
        raise SwcError("evaluation_tools.not_a_file", layer=layer.name())
    provider = layer.dataProvider()
    if layer.crs() != provider.crs():
        raise SwcError("evaluation_tools.other_crs", layer=layer.name(), crs=layer.crs().authid() or "-")
    return os.path.abspath(path)


def _file(held: _Held, folder: Path, feedback: QgsProcessingFeedback) -> str:
    if isinstance(held, str):
        return held
    folder.mkdir()
    # The record of a run names its files.
    path = folder / f"{_ODD.sub('_', held.name) or 'layer'}.gpkg"
    copied = sources.copy(held, path, feedback)
    return f"{copied.source}|layername={copied.layer}"
