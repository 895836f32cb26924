# SPDX-License-Identifier: GPL-2.0-or-later
"""The algorithm that zones again with slivers merged."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from qgis.core import (
    QgsProcessingContext,
    QgsProcessingFeedback,
    QgsProcessingParameterEnum,
    QgsProcessingParameterFile,
    QgsProcessingParameterNumber,
)

from swc_zoning.engine.messages import SwcError
from swc_zoning.processing_algs.base import errors_as_sentences, temporary_folder
from swc_zoning.processing_algs.zoning_outputs import ZoningOutputs

RESULT, MERGE, DECISIONS = "RESULT", "MERGE", "DECISIONS"
AREA, MEAN_WIDTH = "AREA", "MEAN_WIDTH"

_MERGE = ("all", "decisions")


class MergeSlivers(ZoningOutputs):
    """Runs the job of a result anew and merges slivers into neighbours decided alike."""

    ID = "mergeslivers"
    ROOM = "sliver_merging"
    TAGS = ("sliver", "eliminate", "merge", "细碎图斑", "碎面", "合并")

    def initAlgorithm(self, configuration: dict[str, Any] | None = None) -> None:  # noqa: N802
        """Declare the parameters."""
        folder, file = QgsProcessingParameterFile.Behavior.Folder, QgsProcessingParameterFile.Behavior.File
        self.declare(QgsProcessingParameterFile(RESULT, "", folder))
        names = [self.words(f"merge_{name}") for name in _MERGE]
        self.declare(QgsProcessingParameterEnum(MERGE, "", names, False, 0))
        pattern = self.words("decisions_filter")
        self.declare(QgsProcessingParameterFile(DECISIONS, "", file, "", None, True, pattern))
        number = QgsProcessingParameterNumber.Type.Double
        self.declare(QgsProcessingParameterNumber(AREA, "", number, 1.0, False, 0.0))
        self.declare(QgsProcessingParameterNumber(MEAN_WIDTH, "", number, 0.1, False, 0.0))
        self.declare_outputs()

    def checkParameterValues(  # noqa: N802
        self, parameters: dict[str, Any], context: QgsProcessingContext
    ) -> tuple[bool, str]:
        """Refuse merging by decisions without a file of them."""
        by_decisions = _MERGE[self.parameterAsEnum(parameters, MERGE, context)] == "decisions"
        if by_decisions and not self.parameterAsFile(parameters, DECISIONS, context):
            return False, self.words("no_decisions")
        return super().checkParameterValues(parameters, context)

    def processAlgorithm(  # noqa: N802
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> dict[str, Any]:
        """Run the job of the result with the slivers asked for merged."""
        result = Path(self.parameterAsFile(parameters, RESULT, context))
        with errors_as_sentences(), temporary_folder() as folder:
            document = _job_of(result)
            options = document.setdefault("options", {})
            options["slivers"] = {**options.get("slivers", {}), **self._slivers(parameters, context)}
            job = folder / "job.json"
            job.write_text(json.dumps(document, ensure_ascii=False, indent=1), encoding="utf-8")
            return self.run_job(job, parameters, context, feedback)

    def _slivers(self, parameters: dict[str, Any], context: QgsProcessingContext) -> dict[str, Any]:
        decisions = self.parameterAsFile(parameters, DECISIONS, context)
        return {
            "merge": _MERGE[self.parameterAsEnum(parameters, MERGE, context)],
            "area_m2": self.parameterAsDouble(parameters, AREA, context),
            "mean_width_m": self.parameterAsDouble(parameters, MEAN_WIDTH, context),
            **({"decisions": decisions} if decisions else {}),
        }


def _job_of(result: Path) -> dict[str, Any]:
    try:
        return json.loads((result / "summary.json").read_text(encoding="utf-8"))["job"]
    except (OSError, ValueError, KeyError) as error:
        raise SwcError("redecide.no_result", path=str(result)) from error
