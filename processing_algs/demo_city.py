# SPDX-License-Identifier: GPL-2.0-or-later
"""The algorithm that writes the demo city, to try everything on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from qgis.core import (
    QgsProcessingContext,
    QgsProcessingFeedback,
    QgsProcessingOutputFile,
    QgsProcessingParameterFolderDestination,
    QgsProcessingParameterNumber,
)

from swc_zoning.processing_algs.base import SwcAlgorithm, call_engine, errors_as_sentences
from swc_zoning.qgis_bridge.i18n import text

OUTPUT, SCALE, JOB = "OUTPUT", "SCALE", "JOB"


class DemoCity(SwcAlgorithm):
    """Writes the layers and the job of an invented city into a new folder."""

    ID = "democity"
    GROUP = "preparation"
    ROOM = "demo"
    TAGS = ("demo", "example", "示范", "演示")

    def initAlgorithm(self, configuration: dict[str, Any] | None = None) -> None:  # noqa: N802
        """Declare the parameters."""
        self.declare(QgsProcessingParameterFolderDestination(OUTPUT, ""))
        kind = QgsProcessingParameterNumber.Type.Double
        scale = QgsProcessingParameterNumber(SCALE, "", kind, 1.0, False, 0.02, 4.0)
        self.declare(scale, advanced=True)
        self.addOutput(QgsProcessingOutputFile(JOB, self.words("job")))

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
