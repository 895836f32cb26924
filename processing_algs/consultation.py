# SPDX-License-Identifier: GPL-2.0-or-later
"""The algorithm that prepares the consultation of departments, and takes their replies."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from qgis.core import (
    QgsProcessing,
    QgsProcessingContext,
    QgsProcessingFeedback,
    QgsProcessingOutputFile,
    QgsProcessingParameterDateTime,
    QgsProcessingParameterFile,
    QgsProcessingParameterMultipleLayers,
    QgsProcessingParameterString,
)

from swc_zoning.engine import reports
from swc_zoning.processing_algs.base import call_engine, errors_as_sentences, temporary_folder
from swc_zoning.processing_algs.derived import OUTPUT
from swc_zoning.processing_algs.submission import SubmissionAlgorithm

RESULT, REPLIES, SETTINGS = "RESULT", "REPLIES", "SETTINGS"
#: Outputs by what the engine calls its files; which are written depends on whether there are replies.
FILES = {
    "LETTER": "letter",
    "BOOK": "book",
    "REGIONS": "regions",
    "ADOPTION": "adoption",
    "ADOPTION_LETTER": "adoption_letter",
    "RECORD": "record",
}
#: Parameter, what the letter says with it.
_TEXTS = {
    "COMPILER": "compiler",
    "PLAN_NAME": "plan_name",
    "LETTER_NO": "letter_no",
    "CONTACT": "contact",
    "PHONE": "phone",
}
_DATES = {"LETTER_DATE": "letter_date", "DEADLINE": "deadline"}


class Consultation(SubmissionAlgorithm):
    """Writes the letter and one row a conflict; with the replies, who answered what was adopted."""

    ID = "consultation"
    ROOM = "consulting"
    TAGS = ("consultation", "letter", "reply", "conflict", "征求意见", "函", "意见采纳", "冲突")

    def initAlgorithm(self, configuration: dict[str, Any] | None = None) -> None:  # noqa: N802
        """Declare the parameters."""
        self.add_folder(RESULT)
        files = QgsProcessing.SourceType.TypeFile
        self.declare(QgsProcessingParameterMultipleLayers(REPLIES, "", files, None, True))
        for name in _TEXTS:
            self.declare(QgsProcessingParameterString(name, "", None, False, True))
        day = QgsProcessingParameterDateTime.Type.Date
        for name in _DATES:
            self.declare(QgsProcessingParameterDateTime(name, "", day, None, True))
        file, pattern = QgsProcessingParameterFile.Behavior.File, self.words("settings_filter")
        settings = QgsProcessingParameterFile(SETTINGS, "", file, "", None, True, pattern)
        self.declare(settings, advanced=True)
        self.add_output()
        for name in FILES:
            self.addOutput(QgsProcessingOutputFile(name, self.words(name)))

    def processAlgorithm(  # noqa: N802
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> dict[str, Any]:
        """Prepare, or take the replies, in the child."""
        output = self.output_folder(parameters, context)
        with errors_as_sentences(), temporary_folder() as folder:
            settings = folder / "settings.json"
            reports.write(self._settings(parameters, context), settings)
            result = self.parameterAsFile(parameters, RESULT, context)
            arguments = ["consult", result, "--output", str(output), "--settings", str(settings)]
            replies = _paths(parameters.get(REPLIES))
            arguments += ["--replies", *replies] if replies else []
            files = call_engine(arguments, feedback)
        found = {name: str(files[what]) for name, what in FILES.items() if what in files}
        return {OUTPUT: str(output), **found}

    def _settings(self, parameters: dict[str, Any], context: QgsProcessingContext) -> dict[str, Any]:
        """Return what the letter says: what the file says, and in its place what was filled in."""
        path = self.parameterAsFile(parameters, SETTINGS, context)
        said = reports.read_object(Path(path)) if path else {}
        for name, key in _TEXTS.items():
            given = self.parameterAsString(parameters, name, context).strip()
            said |= {key: given} if given else {}
        for name, key in _DATES.items():
            if parameters.get(name):
                day = self.parameterAsDateTime(parameters, name, context).date()
                said[key] = day.toString("yyyyMMdd")
        return said


def _paths(value: Any) -> list[str]:
    """Return the files of a parameter that takes several: a list, or one text."""
    if isinstance(value, str):
        return [part for part in value.split(";") if part]
    return [str(one) for one in value or ()]
