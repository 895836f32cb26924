# SPDX-License-Identifier: GPL-2.0-or-later
"""The algorithm that makes the package of a submission from a result."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from qgis.core import (
    QgsProcessingContext,
    QgsProcessingFeedback,
    QgsProcessingOutputFolder,
    QgsProcessingParameterBoolean,
    QgsProcessingParameterDateTime,
    QgsProcessingParameterEnum,
    QgsProcessingParameterFile,
    QgsProcessingParameterNumber,
    QgsProcessingParameterString,
)

from swc_zoning.engine import reports
from swc_zoning.engine.submission import order
from swc_zoning.processing_algs.base import call_engine, errors_as_sentences, temporary_folder
from swc_zoning.processing_algs.derived import OUTPUT
from swc_zoning.processing_algs.submission import ACCEPT, SubmissionAlgorithm, options
from swc_zoning.qgis_bridge import orders, packages

RESULT, STAGE, FORMATS, SCALE = "RESULT", "STAGE", "FORMATS", "SCALE"
PUBLIC, POINTS, PACKAGE = "PUBLIC", "POINTS", "PACKAGE"
CHAPTER = "CHAPTER"

#: Parameter of a text, key of the order. What a stage requires of them the engine says.
_TEXTS = {
    "COMPILER": "compiler",
    "SECRECY": "secrecy",
    "CODE": "code",
    "AREA_NAME": "name",
    "PLAN_NAME": "plan_name",
    "CONSULTATION_NO": "consultation_no",
    "REVIEW_NO": "review_no",
    "APPROVAL_NO": "approval_no",
}
_DATES = {"DATE": "date", "CONSULTATION_DATE": "consultation_date", "APPROVAL_DATE": "approval_date"}
_FILES = {"REGISTER": "register", "CONSULTATION": "consultation"}
_NUMBERS = {"MIN_PATCH": "min_patch_m2", "NEIGHBOUR": "neighbour_m"}
#: What most exports say.
_PLAIN = ("COMPILER", "SECRECY", "PLAN_NAME", "DATE")


class ExportSubmission(SubmissionAlgorithm):
    """Makes a package, checks what was written, and puts it in place where there is no error."""

    ID = "exportsubmission"
    ROOM = "exporting"
    TAGS = ("submission", "export", "package", "GDB", "成果", "报送", "汇交", "导出", "数据库")

    def initAlgorithm(self, configuration: dict[str, Any] | None = None) -> None:  # noqa: N802
        """Declare the parameters."""
        self.add_folder(RESULT)
        self.add_profile(order.Order().profile)
        stages = list(orders.stages().values())
        self.declare(QgsProcessingParameterEnum(STAGE, "", stages, False, 0))
        for name in _TEXTS:
            text = QgsProcessingParameterString(name, "", None, False, True)
            self.declare(text, advanced=name not in _PLAIN)
        kind = QgsProcessingParameterDateTime.Type.Date
        for name in _DATES:
            day = QgsProcessingParameterDateTime(name, "", kind, None, True)
            self.declare(day, advanced=name not in _PLAIN)
        labels = [self.words(f"format_{one}") for one in order.FORMATS]
        self.declare(QgsProcessingParameterEnum(FORMATS, "", labels, True, [0, 1, 2]))
        self._add_files()
        self._add_numbers()
        for name in (PUBLIC, POINTS):
            default = getattr(order.Order(), name.lower())
            self.declare(QgsProcessingParameterBoolean(name, "", default))
        self.add_check_outputs()
        self.add_output()
        self.addOutput(QgsProcessingOutputFolder(PACKAGE, self.words("package")))

    def _add_files(self) -> None:
        behaviour = QgsProcessingParameterFile.Behavior
        for name in _FILES:
            kind, pattern = behaviour.Folder, ""
            if name == "CONSULTATION":
                kind, pattern = behaviour.File, self.words("consultation_filter")
            file = QgsProcessingParameterFile(name, "", kind, "", None, True, pattern)
            self.declare(file, advanced=True)
        chapter = QgsProcessingParameterFile(CHAPTER, "", behaviour.Folder, "", None, True)
        self.declare(chapter, advanced=True)
        self.add_accept()

    def _add_numbers(self) -> None:
        kinds, plain = QgsProcessingParameterNumber.Type, order.Order()
        for name, key in _NUMBERS.items():
            number = QgsProcessingParameterNumber(name, "", kinds.Double, getattr(plain, key), False, 0.0)
            self.declare(number, advanced=True)
        scale = QgsProcessingParameterNumber(SCALE, "", kinds.Integer, plain.scale, False, 100)
        self.declare(scale, advanced=True)

    def processAlgorithm(  # noqa: N802
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> dict[str, Any]:
        """Export in the child; hand out the findings and the layers of the package."""
        output = self.output_folder(parameters, context)
        with errors_as_sentences(), temporary_folder() as folder:
            settings = folder / "order.json"
            reports.write(self._order(parameters, context), settings)
            result = self.parameterAsFile(parameters, RESULT, context)
            arguments = ["export", result, "--output", str(output), "--settings", str(settings)]
            named = [("--accept", ACCEPT), ("--chapter", CHAPTER)]
            arguments += options(
                (option, self.parameterAsFile(parameters, name, context)) for option, name in named
            )
            files = call_engine(arguments, feedback)
            package = files["package"]
            checked = packages.check_files(package)
            found: dict[str, Any] = self.told(checked, feedback)
            found |= self.hand_out(package, checked, parameters, context, feedback)
        return {OUTPUT: str(output), PACKAGE: str(package), **found}

    def _order(self, parameters: dict[str, Any], context: QgsProcessingContext) -> dict[str, Any]:
        """Return what is asked for as the document the engine reads."""
        document: dict[str, Any] = {
            "profile": self.profile(parameters, context),
            "stage": list(orders.stages())[self.parameterAsEnum(parameters, STAGE, context)],
            "formats": [order.FORMATS[one] for one in self.parameterAsEnums(parameters, FORMATS, context)],
            "scale": self.parameterAsInt(parameters, SCALE, context),
        }
        for name, key in _NUMBERS.items():
            document[key] = self.parameterAsDouble(parameters, name, context)
        for name in (PUBLIC, POINTS):
            document[name.lower()] = self.parameterAsBool(parameters, name, context)
        return document | self._said(parameters, context)

    def _said(self, parameters: dict[str, Any], context: QgsProcessingContext) -> dict[str, str]:
        """Return texts, days and files that were given."""
        said = {
            key: self.parameterAsString(parameters, name, context).strip() for name, key in _TEXTS.items()
        }
        for name, key in _DATES.items():
            if parameters.get(name):
                day = self.parameterAsDateTime(parameters, name, context).date()
                said[key] = day.toString("yyyyMMdd")
        for name, key in _FILES.items():
            path = self.parameterAsFile(parameters, name, context)
            said[key] = str(Path(path).absolute()) if path else ""
        return {key: text for key, text in said.items() if text}
