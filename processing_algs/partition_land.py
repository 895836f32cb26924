# SPDX-License-Identifier: GPL-2.0-or-later
"""The algorithm that divides land into pieces by all layers at once, without deciding on zones."""

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
)

from swc_zoning.processing_algs.base import call_engine, errors_as_sentences, temporary_folder
from swc_zoning.processing_algs.step import StepAlgorithm
from swc_zoning.qgis_bridge import results

PREPARED, PIECES = "PREPARED", "PIECES"


class Partition(StepAlgorithm):
    """Divides land into the pieces on which no layer changes."""

    ID = "partition"
    GROUP = "zoning"
    ROOM = "dividing"
    TAGS = ("partition", "overlay", "union", "pieces", "叠加", "剖分", "图斑")

    def initAlgorithm(self, configuration: dict[str, Any] | None = None) -> None:  # noqa: N802
        """Declare the parameters."""
        self.declare_inputs()
        file = QgsProcessingParameterFile.Behavior.File
        pattern = self.words("prepared_filter")
        self.declare(QgsProcessingParameterFile(PREPARED, "", file, "", None, True, pattern))
        kind = QgsProcessing.SourceType.TypeVectorPolygon
        self.declare(QgsProcessingParameterFeatureSink(PIECES, "", kind))

    def is_given(self, parameters: dict[str, Any]) -> bool:
        """Return whether there is a prepared file, or what all steps take."""
        return bool(parameters.get(PREPARED)) or super().is_given(parameters)

    def checkParameterValues(  # noqa: N802
        self, parameters: dict[str, Any], context: QgsProcessingContext
    ) -> tuple[bool, str]:
        """Refuse a prepared file beside other inputs: it has them all."""
        if parameters.get(PREPARED) and (super().is_given(parameters) or parameters.get("EXTENT")):
            return False, self.words("prepared_alone")
        return super().checkParameterValues(parameters, context)

    def processAlgorithm(  # noqa: N802
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> dict[str, Any]:
        """Divide in the child and copy the pieces."""
        with errors_as_sentences(), temporary_folder() as folder:
            prepared = self.parameterAsFile(parameters, PREPARED, context)
            given = Path(prepared) if prepared else self.job(folder, parameters, context, feedback)
            arguments = ["partition", str(given), "--output", str(folder / "partition.gpkg")]
            made = call_engine(arguments, feedback)["partition"]
            return {PIECES: self._copied(made, parameters, context, feedback)}

    def _copied(
        self,
        made: Path,
        parameters: dict[str, Any],
        context: QgsProcessingContext,
        feedback: QgsProcessingFeedback,
    ) -> str:
        layer = results.open_layer(made, "pieces")
        fields = results.shown_fields(layer)
        sink, layer_id = self.parameterAsSink(
            parameters, PIECES, context, fields, layer.wkbType(), layer.crs()
        )
        if sink is None:
            raise QgsProcessingException(self.invalidSinkError(parameters, PIECES))
        results.copy(layer, fields, sink, PIECES, feedback)
        return layer_id
