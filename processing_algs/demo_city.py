# SPDX-License-Identifier: GPL-2.0-or-later
"""The algorithm that writes the demo city, to try everything on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from qgis.core import (
    QgsProcessingContext,
    QgsProcessingFeedback,
    QgsProcessingOutputFile,
    QgsProcessingParameterDefinition,
    QgsProcessingParameterFolderDestination,
    QgsProcessingParameterNumber,
)

from swc_zoning.processing_algs.base import SwcAlgorithm, call_engine, errors_as_sentences
from swc_zoning.qgis_bridge.i18n import text

OUTPUT, SCALE, JOB = "OUTPUT", "SCALE", "JOB"


class DemoCity(SwcAlgorithm):
    """Writes the layers and the job of an invented city into a new folder."""

    def name(self) -> str:
        """Return the id, which never changes."""
        return "democity"

    def displayName(self) -> str:  # noqa: N802 (QGIS calls these names)
        """Return the name shown in the toolbox."""
        return text("demo.name")

    def shortHelpString(self) -> str:  # noqa: N802
        """Return the help beside the dialog."""
        return text("demo.help")

    def initAlgorithm(self, configuration: dict[str, Any] | None = None) -> None:  # noqa: N802
        """Declare the parameters."""
        folder = QgsProcessingParameterFolderDestination(OUTPUT, text("demo.output"))
        folder.setHelp(text("demo.output_help"))
        self.addParameter(folder)
        kind = QgsProcessingParameterNumber.Type.Double
        scale = QgsProcessingParameterNumber(SCALE, text("demo.scale"), kind, 1.0, False, 0.02, 4.0)
        scale.setHelp(text("demo.scale_help"))
        scale.setFlags(scale.flags() | QgsProcessingParameterDefinition.Flag.FlagAdvanced)
        self.addParameter(scale)
        self.addOutput(QgsProcessingOutputFile(JOB, text("demo.job")))

    def processAlgorithm(  # noqa: N802
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> dict[str, Any]:
        """Write the city into a new folder of its own below the chosen one."""
        chosen = Path(self.parameterAsFileOutput(parameters, OUTPUT, context))
        folder = _free(chosen / text("demo.folder"))
        scale = str(self.parameterAsDouble(parameters, SCALE, context))
        with errors_as_sentences():
            files = call_engine(["demo", "--output", str(folder), "--scale", scale], feedback)
        return {OUTPUT: str(folder), JOB: str(files["job"])}


def _free(folder: Path) -> Path:
    """Return `folder`, with a number where it is there: what somebody changed there stays."""
    tries = (folder if n == 1 else folder.with_name(f"{folder.name}-{n}") for n in range(1, 10_000))
    return next(one for one in tries if not one.exists())
