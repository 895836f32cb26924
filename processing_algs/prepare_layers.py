# SPDX-License-Identifier: GPL-2.0-or-later
"""The algorithm that mends layers on a copy and puts them into one coordinate system, one layer a role."""

from __future__ import annotations

from typing import Any

from qgis.core import (
    QgsProcessingContext,
    QgsProcessingFeedback,
    QgsProcessingParameterFileDestination,
)

from swc_zoning.processing_algs.base import call_engine, errors_as_sentences, temporary_folder
from swc_zoning.processing_algs.step import StepAlgorithm

OUTPUT = "OUTPUT"


class PrepareLayers(StepAlgorithm):
    """Writes the layers of a job as the partition takes them."""

    ID = "preparelayers"
    GROUP = "preparation"
    ROOM = "preparing"
    TAGS = ("prepare", "repair", "reproject", "roles", "整理", "修复", "坐标系", "角色")

    def initAlgorithm(self, configuration: dict[str, Any] | None = None) -> None:  # noqa: N802
        """Declare the parameters."""
        self.declare_inputs()
        pattern = self.words("output_filter")
        self.declare(QgsProcessingParameterFileDestination(OUTPUT, "", pattern))

    def processAlgorithm(  # noqa: N802
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> dict[str, Any]:
        """Prepare in the child, which writes the file."""
        output = self.parameterAsFileOutput(parameters, OUTPUT, context)
        with errors_as_sentences(), temporary_folder() as folder:
            job = self.job(folder, parameters, context, feedback)
            made = call_engine(["prepare", str(job), "--output", output], feedback)
        return {OUTPUT: str(made["prepared"])}
