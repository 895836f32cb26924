# SPDX-License-Identifier: GPL-2.0-or-later
"""The algorithm that lists where layers contradict each other."""

from __future__ import annotations

from typing import Any

from qgis.core import QgsProcessingContext, QgsProcessingFeedback, QgsProcessingParameterNumber

from swc_zoning.processing_algs.base import errors_as_sentences, temporary_folder
from swc_zoning.processing_algs.role_inputs import RoleInputs
from swc_zoning.processing_algs.zoning_outputs import CONFLICTS, FINDINGS, ZoningOutputs

MIN_AREA, MIN_WIDTH = "MIN_AREA", "MIN_WIDTH"


class FindConflicts(RoleInputs, ZoningOutputs):
    """Lists the conflicts between layers, with their settling rules, down to a size of choice."""

    ID = "findconflicts"
    GROUP = "review"
    ROOM = "conflict_search"
    TAGS = ("conflict", "overlap", "contradiction", "冲突", "矛盾", "重叠", "三区三线")
    SINKS = (CONFLICTS, FINDINGS)

    def initAlgorithm(self, configuration: dict[str, Any] | None = None) -> None:  # noqa: N802
        """Declare the parameters."""
        self.declare_inputs()
        number = QgsProcessingParameterNumber.Type.Double
        self.declare(QgsProcessingParameterNumber(MIN_AREA, "", number, 1.0, False, 0.0))
        self.declare(QgsProcessingParameterNumber(MIN_WIDTH, "", number, 0.2, False, 0.0))
        self.declare_outputs()

    def processAlgorithm(  # noqa: N802
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> dict[str, Any]:
        """Run the job with the sizes asked for, and copy the conflicts."""
        sizes = {
            "conflict_min_m2": self.parameterAsDouble(parameters, MIN_AREA, context),
            "conflict_min_width_m": self.parameterAsDouble(parameters, MIN_WIDTH, context),
        }
        with errors_as_sentences(), temporary_folder() as folder:
            job = self.write_job(folder, parameters, context, feedback, options=sizes)
            return self.run_job(job, parameters, context, feedback)
