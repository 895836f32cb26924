# SPDX-License-Identifier: GPL-2.0-or-later
"""What the algorithms on finished results share: folders in, layers of a derived file out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from qgis.core import (
    QgsProcessing,
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingFeedback,
    QgsProcessingParameterFeatureSink,
    QgsProcessingParameterFile,
    QgsProcessingParameterFolderDestination,
    QgsProcessingUtils,
)

from swc_zoning.processing_algs.base import SwcAlgorithm
from swc_zoning.qgis_bridge import derived_layers, results

OUTPUT = "OUTPUT"


class DerivedAlgorithm(SwcAlgorithm):
    """Base of algorithms that read results and write a folder of their own."""

    GROUP = "review"

    def add_folder(self, name: str) -> None:
        """Declare a folder of a result, which must be given."""
        self.declare(QgsProcessingParameterFile(name, "", QgsProcessingParameterFile.Behavior.Folder))

    def add_sink(self, name: str, kind: QgsProcessing.SourceType, ticked: bool = True) -> None:
        """Declare a layer that may be asked for."""
        self.declare(QgsProcessingParameterFeatureSink(name, "", kind, None, True, ticked))

    def add_output(self, name: str = OUTPUT, ticked: bool = True) -> None:
        """Declare a folder to write into."""
        self.declare(QgsProcessingParameterFolderDestination(name, "", None, True, ticked))

    def output_folder(self, parameters: dict[str, Any], context: QgsProcessingContext) -> Path:
        """Return the folder to write into, a temporary one where none was asked for."""
        folder = self.parameterAsFileOutput(parameters, OUTPUT, context)
        return Path(folder or QgsProcessingUtils.generateTempFilename("swc_zoning"))

    def copy_out(
        self,
        path: Path,
        output: str,
        home: derived_layers.Home,
        parameters: dict[str, Any],
        context: QgsProcessingContext,
        feedback: QgsProcessingFeedback,
    ) -> dict[str, str]:
        """Copy the layer of an output from a derived file, where it was asked for; {output: layer id}."""
        if parameters.get(output) is None:
            return {}
        layer = results.open_layer(path, derived_layers.LOOKS[output].layer)
        fields = results.shown_fields(layer)
        sink, layer_id = self.parameterAsSink(
            parameters, output, context, fields, layer.wkbType(), layer.crs()
        )
        if sink is None:
            raise QgsProcessingException(self.invalidSinkError(parameters, output))
        results.copy(layer, fields, sink, output, feedback)
        if context.willLoadLayerOnCompletion(layer_id):
            derived_layers.attach(context, layer_id, output, home)
        return {output: layer_id}
