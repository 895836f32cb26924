# SPDX-License-Identifier: GPL-2.0-or-later
"""The algorithm that zones a city: layers by role, or a job file, in; pieces and zones out."""

from __future__ import annotations

from typing import Any

from qgis.core import QgsProcessingContext, QgsProcessingFeedback

from swc_zoning.processing_algs.base import errors_as_sentences, temporary_folder
from swc_zoning.processing_algs.role_inputs import RoleInputs
from swc_zoning.processing_algs.zoning_outputs import ZoningOutputs
from swc_zoning.qgis_bridge.i18n import text


class DelineateZones(RoleInputs, ZoningOutputs):
    """Zones a city from its layers and a decision table."""

    ID = "delineatezones"
    ROOM = "delineate"
    ICON = "delineate_zones.svg"
    TAGS = ("zoning", "overlay", "partition", "union", "水土保持", "管控", "分区", "叠加", "三区三线")

    def helpUrl(self) -> str:  # noqa: N802 (QGIS calls these names)
        """Return the address of the manual page."""
        return text("delineate.url")

    def initAlgorithm(self, configuration: dict[str, Any] | None = None) -> None:  # noqa: N802
        """Declare the parameters: one source for each role, none of them mandatory."""
        self.declare_inputs()
        self.declare_outputs()

    def processAlgorithm(  # noqa: N802
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> dict[str, Any]:
        """Write the job, run it in the child, copy what was asked for."""
        with errors_as_sentences(), temporary_folder() as folder:
            job = self.write_job(folder, parameters, context, feedback)
            return self.run_job(job, parameters, context, feedback)
