# SPDX-License-Identifier: GPL-2.0-or-later
"""The algorithm that says everything that is wrong with the inputs, before a run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsFeature,
    QgsFeatureSink,
    QgsFields,
    QgsGeometry,
    QgsPointXY,
    QgsProcessing,
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingFeedback,
    QgsProcessingOutputNumber,
    QgsProcessingParameterFeatureSink,
    QgsProcessingParameterFileDestination,
    QgsWkbTypes,
)

from swc_zoning.engine import reports
from swc_zoning.processing_algs.base import call_engine, errors_as_sentences, temporary_folder
from swc_zoning.processing_algs.role_inputs import RoleInputs
from swc_zoning.qgis_bridge import styling
from swc_zoning.qgis_bridge.compat import number_field, string_field
from swc_zoning.qgis_bridge.i18n import language

FINDINGS, REPORT, FIXED, ERRORS, WARNINGS = "FINDINGS", "REPORT", "FIXED", "ERRORS", "WARNINGS"

_TEXTS = ("code", "severity", "layer", "text")


class CheckInputs(RoleInputs):
    """Examines a job and its layers: coordinates, texts, tiers, versions, geometry; changes nothing."""

    ID = "checkinputs"
    GROUP = "preparation"
    ROOM = "input_check"
    TAGS = ("check", "validate", "quality", "检查", "体检", "质检", "坐标系", "编码")

    def initAlgorithm(self, configuration: dict[str, Any] | None = None) -> None:  # noqa: N802
        """Declare the parameters."""
        self.declare_inputs()
        point = QgsProcessing.SourceType.TypeVectorPoint
        self.declare(QgsProcessingParameterFeatureSink(FINDINGS, "", point, None, True))
        for name, ticked in ((REPORT, True), (FIXED, False)):
            self.declare(QgsProcessingParameterFileDestination(name, "", "JSON (*.json)", None, True, ticked))
        self.addOutput(QgsProcessingOutputNumber(ERRORS, self.words("errors")))
        self.addOutput(QgsProcessingOutputNumber(WARNINGS, self.words("warnings")))

    def processAlgorithm(  # noqa: N802
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> dict[str, Any]:
        """Examine in the child; write report, layer and mended job as asked for."""
        targets = {name: self.parameterAsFileOutput(parameters, name, context) for name in (REPORT, FIXED)}
        with errors_as_sentences(), temporary_folder() as folder:
            job = self.write_job(folder, parameters, context, feedback)
            path = Path(targets[REPORT] or folder / "report.json")
            arguments = ["check", str(job), "--report", str(path)]
            arguments += ["--fix", targets[FIXED]] if targets[FIXED] else []
            files = call_engine(arguments, feedback)
            report = reports.read(files["report"])
            counts = report["counts"]
            answer: dict[str, Any] = {ERRORS: counts["error"], WARNINGS: counts["warning"]}
            answer |= {name: path for name, path in targets.items() if path}
            if parameters.get(FINDINGS) is not None:
                answer[FINDINGS] = self._write(report, parameters, context)
        return answer

    def _write(
        self, report: dict[str, Any], parameters: dict[str, Any], context: QgsProcessingContext
    ) -> str:
        fields = QgsFields()
        for field in (*map(string_field, _TEXTS), number_field("measure_m2")):
            fields.append(field)
        crs = QgsCoordinateReferenceSystem(report.get("crs") or "")
        sink, layer_id = self.parameterAsSink(
            parameters, FINDINGS, context, fields, QgsWkbTypes.Type.Point, crs
        )
        if sink is None:
            raise QgsProcessingException(self.invalidSinkError(parameters, FINDINGS))
        for row in report["findings"]:
            sink.addFeature(_feature(row, fields), QgsFeatureSink.Flag.FastInsert)
        sink.flushBuffer()
        if context.willLoadLayerOnCompletion(layer_id):
            styling.attach(context, layer_id, styling.ResultStyler(FINDINGS, {}, language(), "", ""))
        return layer_id


def _feature(row: dict[str, Any], fields: QgsFields) -> QgsFeature:
    """Return a finding as a feature; one without a place has no geometry."""
    made = QgsFeature(fields)
    if row.get("place"):
        made.setGeometry(QgsGeometry.fromPointXY(QgsPointXY(*row["place"])))
    made.setAttributes([*(row.get(name) for name in _TEXTS), row.get("measure_m2")])
    return made
