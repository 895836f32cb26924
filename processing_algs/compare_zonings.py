# SPDX-License-Identifier: GPL-2.0-or-later
"""The algorithm that holds two results against each other."""

from __future__ import annotations

from typing import Any

from qgis.core import QgsProcessing, QgsProcessingContext, QgsProcessingFeedback

from swc_zoning.processing_algs.base import call_engine, errors_as_sentences
from swc_zoning.processing_algs.derived import OUTPUT, DerivedAlgorithm
from swc_zoning.qgis_bridge import derived_layers
from swc_zoning.qgis_bridge.i18n import text

BEFORE, AFTER, CHANGES, MATRIX = "BEFORE", "AFTER", "CHANGES", "MATRIX"


class CompareZonings(DerivedAlgorithm):
    """Says what changed from one result to another: ground, hectares, causes."""

    ID = "comparezonings"
    ROOM = "compare"
    ICON = "compare_zonings.svg"
    TAGS = (
        "zoning",
        "compare",
        "difference",
        "transfer matrix",
        "change",
        "比较",
        "对比",
        "转移矩阵",
        "变化",
    )

    def initAlgorithm(self, configuration: dict[str, Any] | None = None) -> None:  # noqa: N802
        """Declare the parameters."""
        self.add_folder(BEFORE)
        self.add_folder(AFTER)
        self.add_sink(CHANGES, QgsProcessing.SourceType.TypeVectorPolygon)
        self.add_sink(MATRIX, QgsProcessing.SourceType.TypeVector)
        self.add_output()

    def processAlgorithm(  # noqa: N802
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> dict[str, Any]:
        """Compare in the child, copy what was asked for."""
        output = self.output_folder(parameters, context)
        folders = [self.parameterAsFile(parameters, name, context) for name in (BEFORE, AFTER)]
        home = derived_layers.Home.of(output, text("compare.group"), {})
        found: dict[str, str] = {}
        with errors_as_sentences():
            files = call_engine(["compare", *folders, "--output", str(output)], feedback)
            for name in (CHANGES, MATRIX):
                found |= self.copy_out(files["comparison"], name, home, parameters, context, feedback)
        return {OUTPUT: str(output), **found}
