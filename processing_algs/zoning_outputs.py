# SPDX-License-Identifier: GPL-2.0-or-later
"""Algorithms whose outcome is a folder of results: its layers as sinks, styled, in one group."""

from __future__ import annotations

import uuid
from datetime import datetime
from pathlib import Path
from typing import Any

from qgis.core import (
    QgsProcessing,
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingFeedback,
    QgsProcessingParameterFeatureSink,
    QgsProcessingParameterFolderDestination,
    QgsProcessingUtils,
)

from swc_zoning.engine.messages import Finding
from swc_zoning.processing_algs.base import SwcAlgorithm, run_engine
from swc_zoning.qgis_bridge import results, styling
from swc_zoning.qgis_bridge.feedback import say_finding
from swc_zoning.qgis_bridge.host import Outcome
from swc_zoning.qgis_bridge.i18n import language, text

OUTPUT = "OUTPUT"
PIECES, ZONES, CONFLICTS, FINDINGS, SLIVERS = "PIECES", "ZONES", "CONFLICTS", "FINDINGS", "SLIVERS"

_POLYGON = QgsProcessing.SourceType.TypeVectorPolygon
_POINT = QgsProcessing.SourceType.TypeVectorPoint
#: Geometry of an output, and whether the dialog ticks it. A city has a million pieces; they are in
#: the results folder anyway.
_SINKS = {
    PIECES: (_POLYGON, False),
    ZONES: (_POLYGON, True),
    CONFLICTS: (_POLYGON, True),
    FINDINGS: (_POINT, True),
    SLIVERS: (_POINT, False),
}


class ZoningOutputs(SwcAlgorithm):
    """Declares the outputs it has of those of a zoning, and fills them from a finished run."""

    #: Outputs of this algorithm, in the order of the dialog.
    SINKS: tuple[str, ...] = (PIECES, ZONES, CONFLICTS, FINDINGS, SLIVERS)

    def declare_outputs(self) -> None:
        """Declare a sink for every output, and the folder."""
        for output in self.SINKS:
            kind, ticked = _SINKS[output]
            self.declare(QgsProcessingParameterFeatureSink(output, "", kind, None, True, ticked))
        self.declare(QgsProcessingParameterFolderDestination(OUTPUT, "", None, True, True))

    def run_job(
        self,
        job: Path,
        parameters: dict[str, Any],
        context: QgsProcessingContext,
        feedback: QgsProcessingFeedback,
    ) -> dict[str, Any]:
        """Run a job file in the child and fill the outputs; return what Processing is to be told."""
        folder = self.parameterAsFileOutput(parameters, OUTPUT, context)
        output = Path(folder or QgsProcessingUtils.generateTempFilename("swc_zoning"))
        outcome = run_engine(job, output, feedback)
        say_finding(feedback, Finding("delineate.result", {"path": str(output)}))
        return {OUTPUT: str(output), **self._copy_results(outcome, parameters, context, feedback)}

    def _copy_results(
        self,
        outcome: Outcome,
        parameters: dict[str, Any],
        context: QgsProcessingContext,
        feedback: QgsProcessingFeedback,
    ) -> dict[str, str]:
        names = styling.zone_names(outcome.summary, language())
        group = text("delineate.run_group", time=datetime.now().strftime("%Y-%m-%d %H:%M"))
        key, stamp = styling.key_of(outcome.zoning.parent), uuid.uuid4().hex
        copied = {}
        for output in self.SINKS:
            if parameters.get(output) is None:
                continue
            layer_id = self._copy_layer(outcome.zoning, output, parameters, context, feedback)
            copied[output] = layer_id
            if context.willLoadLayerOnCompletion(layer_id):
                styler = styling.ResultStyler(output, names, language(), key, group, stamp)
                styling.attach(context, layer_id, styler)
        return copied

    def _copy_layer(
        self,
        zoning: Path,
        output: str,
        parameters: dict[str, Any],
        context: QgsProcessingContext,
        feedback: QgsProcessingFeedback,
    ) -> str:
        layer = results.open_layer(zoning, output.lower())
        fields = results.shown_fields(layer)
        sink, layer_id = self.parameterAsSink(
            parameters, output, context, fields, layer.wkbType(), layer.crs()
        )
        if sink is None:
            raise QgsProcessingException(self.invalidSinkError(parameters, output))
        results.copy(layer, fields, sink, output, feedback)
        return layer_id
