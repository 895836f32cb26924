# SPDX-License-Identifier: GPL-2.0-or-later
"""The algorithm that prepares the consultation of departments, and takes their replies."""

from __future__ import annotations

from typing import Any

from qgis.core import (
    QgsProcessingContext,
    QgsProcessingFeedback,
    QgsProcessingOutputFile,
    QgsProcessingParameterFile,
)

from swc_zoning.processing_algs.base import call_engine, errors_as_sentences
from swc_zoning.processing_algs.derived import OUTPUT
from swc_zoning.processing_algs.submission import SubmissionAlgorithm, options

RESULT, REPLIES = "RESULT", "REPLIES"
#: Outputs by what the engine calls its files; which are written depends on whether there are replies.
FILES = {"LETTER": "letter", "ROWS": "rows", "ADOPTION": "adoption", "RECORD": "record"}


class Consultation(SubmissionAlgorithm):
    """Writes the letter and one row a conflict; with the replies, who answered what was adopted."""

    ID = "consultation"
    ROOM = "consulting"
    TAGS = ("consultation", "letter", "reply", "conflict", "征求意见", "函", "意见采纳", "冲突")

    def initAlgorithm(self, configuration: dict[str, Any] | None = None) -> None:  # noqa: N802
        """Declare the parameters."""
        self.add_folder(RESULT)
        file, pattern = QgsProcessingParameterFile.Behavior.File, self.words("replies_filter")
        self.declare(QgsProcessingParameterFile(REPLIES, "", file, "", None, True, pattern))
        self.add_output()
        for name in FILES:
            self.addOutput(QgsProcessingOutputFile(name, self.words(name)))

    def processAlgorithm(  # noqa: N802
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> dict[str, Any]:
        """Prepare, or take the replies, in the child."""
        output = self.output_folder(parameters, context)
        with errors_as_sentences():
            arguments = ["consult", self.parameterAsFile(parameters, RESULT, context)]
            arguments += ["--output", str(output)]
            arguments += options([("--replies", self.parameterAsFile(parameters, REPLIES, context))])
            files = call_engine(arguments, feedback)
        found = {name: str(files[what]) for name, what in FILES.items() if what in files}
        return {OUTPUT: str(output), **found}
