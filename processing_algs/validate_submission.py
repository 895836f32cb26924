# SPDX-License-Identifier: GPL-2.0-or-later
"""The algorithm that checks a package made anywhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from qgis.core import QgsProcessingContext, QgsProcessingFeedback, QgsProcessingParameterFile

from swc_zoning.processing_algs.base import call_engine, errors_as_sentences
from swc_zoning.processing_algs.derived import OUTPUT
from swc_zoning.processing_algs.submission import ACCEPT, SubmissionAlgorithm, options
from swc_zoning.qgis_bridge import packages

PACKAGE, ARCHIVE = "PACKAGE", "ARCHIVE"


class ValidateSubmission(SubmissionAlgorithm):
    """Opens a folder or zip, checks hashes, data and areas, and tells what is wrong where."""

    ID = "validatesubmission"
    ROOM = "validating"
    TAGS = ("submission", "quality", "validate", "check", "成果", "质检", "质量检查", "验收", "校验")

    def initAlgorithm(self, configuration: dict[str, Any] | None = None) -> None:  # noqa: N802
        """Declare the parameters."""
        behaviour = QgsProcessingParameterFile.Behavior
        self.declare(QgsProcessingParameterFile(PACKAGE, "", behaviour.Folder, "", None, True))
        pattern = self.words("archive_filter")
        self.declare(QgsProcessingParameterFile(ARCHIVE, "", behaviour.File, "", None, True, pattern))
        self.add_profile(None)
        self.add_accept()
        self.add_check_outputs()
        self.add_output()

    def checkParameterValues(  # noqa: N802
        self, parameters: dict[str, Any], context: QgsProcessingContext
    ) -> tuple[bool, str]:
        """Return whether one package is named, and else that one must be."""
        given = [name for name in (PACKAGE, ARCHIVE) if self.parameterAsFile(parameters, name, context)]
        if len(given) != 1:
            return False, self.words("which")
        answer = super().checkParameterValues(parameters, context)
        return answer if isinstance(answer, tuple) else (answer, "")

    def processAlgorithm(  # noqa: N802
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> dict[str, Any]:
        """Check in the child; errors of quality are what was asked for, and no failure."""
        output = self.output_folder(parameters, context)
        named = [self.parameterAsFile(parameters, name, context) for name in (PACKAGE, ARCHIVE)]
        package = Path(next(one for one in named if one))
        with errors_as_sentences():
            arguments = ["validate", str(package), "--output", str(output)]
            said = [("--profile", self.profile(parameters, context))]
            said.append(("--accept", self.parameterAsFile(parameters, ACCEPT, context)))
            files = call_engine([*arguments, *options(said)], feedback)
            checked = packages.CheckFiles(output, files["report"], files["lines"], files["findings"])
            found: dict[str, Any] = self.told(checked, feedback)
            found |= self.hand_out(package, checked, parameters, context, feedback)
        return {OUTPUT: str(output), **found}
