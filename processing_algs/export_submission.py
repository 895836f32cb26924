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
from swc_zoning.engine.submission import schemas
from swc_zoning.processing_algs.base import call_engine, errors_as_sentences, temporary_folder
from swc_zoning.processing_algs.derived import OUTPUT
from swc_zoning.processing_algs.submission import ACCEPT, FINDINGS, REPORT, SubmissionAlgorithm, options
from swc_zoning.qgis_bridge.i18n import language

RESULT, STAGE, FORMATS, REGISTER, PUBLIC = "RESULT", "STAGE", "FORMATS", "REGISTER", "PUBLIC"
DATE, CONSULTED, MIN_PATCH, NEIGHBOUR = "DATE", "CONSULTATION_DATE", "MIN_PATCH", "NEIGHBOUR"
SCALE, PACKAGE = "SCALE", "PACKAGE"

#: Parameter of a text, key of the order, whether it must be given.
_TEXTS = {
    "CODE": ("code", True),
    "AREA_NAME": ("name", True),
    "PLAN_NAME": ("plan_name", False),
    "COMPILER": ("compiler", True),
    "SECRECY": ("secrecy", True),
    "CONSULTATION_NO": ("consultation_no", False),
}
_FORMATS = ("gdb", "gpkg", "shp")


class ExportSubmission(SubmissionAlgorithm):
    """Makes a package, checks what was written, and puts it in place where there is no error."""

    ID = "exportsubmission"
    ROOM = "exporting"
    TAGS = ("submission", "export", "package", "GDB", "成果", "报送", "汇交", "导出", "数据库")

    def initAlgorithm(self, configuration: dict[str, Any] | None = None) -> None:  # noqa: N802
        """Declare the parameters."""
        self.add_folder(RESULT)
        self.add_profile()
        stages = [getattr(one, f"name_{language()}") for one in schemas.stages()]
        self.declare(QgsProcessingParameterEnum(STAGE, "", stages, False, 0))
        for name, (_, needed) in _TEXTS.items():
            text = QgsProcessingParameterString(name, "", None, False, not needed)
            self.declare(text, advanced=not needed)
            if name == "COMPILER":
                self._add_date(DATE, needed=True)
        self._add_date(CONSULTED, needed=False)
        labels = [self.words(f"format_{one}") for one in _FORMATS]
        self.declare(QgsProcessingParameterEnum(FORMATS, "", labels, True, [0, 1, 2]))
        folder = QgsProcessingParameterFile.Behavior.Folder
        self.declare(QgsProcessingParameterFile(REGISTER, "", folder, "", None, True), advanced=True)
        self.add_accept()
        self._add_sizes()
        self.declare(QgsProcessingParameterBoolean(PUBLIC, "", True))
        self.add_check_outputs()
        self.add_output()
        self.addOutput(QgsProcessingOutputFolder(PACKAGE, self.words("package")))

    def _add_date(self, name: str, needed: bool) -> None:
        kind = QgsProcessingParameterDateTime.Type.Date
        self.declare(QgsProcessingParameterDateTime(name, "", kind, None, not needed), advanced=not needed)

    def _add_sizes(self) -> None:
        kinds = QgsProcessingParameterNumber.Type
        for name, default in ((MIN_PATCH, order.MIN_PATCH_M2), (NEIGHBOUR, order.NEIGHBOUR_M)):
            number = QgsProcessingParameterNumber(name, "", kinds.Double, default, False, 0.0)
            self.declare(number, advanced=True)
        scale = QgsProcessingParameterNumber(SCALE, "", kinds.Integer, order.SCALE, False, 1)
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
            arguments += options([("--accept", self.parameterAsFile(parameters, ACCEPT, context))])
            files = call_engine(arguments, feedback)
            found: dict[str, Any] = self.tell_counts(files["lines"], feedback)
            found |= self.hand_out(files["package"], files["findings"], parameters, context, feedback)
        return {OUTPUT: str(output), PACKAGE: str(files["package"]), REPORT: str(files["report"]), **found}

    def _order(self, parameters: dict[str, Any], context: QgsProcessingContext) -> dict[str, Any]:
        """Return what is asked for as the document the engine reads."""
        texts = {
            key: self.parameterAsString(parameters, name, context).strip()
            for name, (key, _) in _TEXTS.items()
        }
        chosen = self.parameterAsEnums(parameters, FORMATS, context)
        numbers = {"min_patch_m2": MIN_PATCH, "neighbour_m": NEIGHBOUR}
        document = {
            **{key: text for key, text in texts.items() if text},
            "profile": self.profile(parameters, context),
            "stage": schemas.stages()[self.parameterAsEnum(parameters, STAGE, context)].id,
            "formats": [_FORMATS[number] for number in chosen],
            "public": self.parameterAsBool(parameters, PUBLIC, context),
            **{key: self.parameterAsDouble(parameters, name, context) for key, name in numbers.items()},
            "scale": self.parameterAsInt(parameters, SCALE, context),
        }
        for key, name in (("date", DATE), ("consultation_date", CONSULTED)):
            if parameters.get(name):
                day = self.parameterAsDateTime(parameters, name, context).date()
                document[key] = day.toString("yyyyMMdd")
        register = self.parameterAsFile(parameters, REGISTER, context)
        return {**document, "register": str(Path(register).absolute())} if register else document
