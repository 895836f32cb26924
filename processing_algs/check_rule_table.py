# SPDX-License-Identifier: GPL-2.0-or-later
"""The algorithm that checks a decision table; it needs no layers and no child interpreter."""

from __future__ import annotations

from typing import Any

from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsFeature,
    QgsFeatureSink,
    QgsFields,
    QgsProcessing,
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingFeedback,
    QgsProcessingOutputNumber,
    QgsProcessingParameterFeatureSink,
    QgsProcessingParameterFile,
    QgsProcessingParameterString,
    QgsWkbTypes,
)

from swc_zoning.engine import rules
from swc_zoning.engine.messages import Blocked, Finding
from swc_zoning.processing_algs.base import SwcAlgorithm, errors_as_sentences
from swc_zoning.qgis_bridge.compat import string_field
from swc_zoning.qgis_bridge.feedback import say_finding
from swc_zoning.qgis_bridge.i18n import language

RULES, PLAN_DATE, OUTPUT, ERRORS = "RULES", "PLAN_DATE", "OUTPUT", "ERRORS"

_FIELDS = ("row", "severity", "code", "text")


class CheckRuleTable(SwcAlgorithm):
    """Lists what is wrong, outdated or merely proposed in a decision table."""

    ID = "checkruletable"
    GROUP = "rules"
    ROOM = "rule_check"
    TAGS = ("rules", "decision table", "check", "决策表", "规则", "检查")
    NEEDS_ENGINE = False

    def initAlgorithm(self, configuration: dict[str, Any] | None = None) -> None:  # noqa: N802
        """Declare the parameters."""
        file = QgsProcessingParameterFile.Behavior.File
        pattern = self.words("rules_filter")
        self.declare(QgsProcessingParameterFile(RULES, "", file, "", None, True, pattern))
        self.declare(QgsProcessingParameterString(PLAN_DATE, "", None, False, True))
        table = QgsProcessing.SourceType.TypeVector
        self.declare(QgsProcessingParameterFeatureSink(OUTPUT, "", table, None, True))
        self.addOutput(QgsProcessingOutputNumber(ERRORS, self.words("errors")))

    def processAlgorithm(  # noqa: N802
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> dict[str, Any]:
        """Check the table, say what was found and write it as rows."""
        path = self.parameterAsFile(parameters, RULES, context) or None
        day = self.parameterAsString(parameters, PLAN_DATE, context) or None
        with errors_as_sentences():
            findings = _found(path, day)
        for finding in findings:
            say_finding(feedback, finding)
        errors = sum(finding.severity == "error" for finding in findings)
        answer = {ERRORS: errors}
        if parameters.get(OUTPUT) is not None:
            answer[OUTPUT] = self._write(findings, parameters, context)
        return answer

    def _write(
        self, findings: list[Finding], parameters: dict[str, Any], context: QgsProcessingContext
    ) -> str:
        fields = QgsFields()
        for name in _FIELDS:
            fields.append(string_field(name))
        nowhere = QgsCoordinateReferenceSystem()
        kind = QgsWkbTypes.Type.NoGeometry
        sink, layer_id = self.parameterAsSink(parameters, OUTPUT, context, fields, kind, nowhere)
        if sink is None:
            raise QgsProcessingException(self.invalidSinkError(parameters, OUTPUT))
        for finding in findings:
            made = QgsFeature(fields)
            row = str(finding.facts.get("row", ""))
            made.setAttributes([row, finding.severity, finding.code, finding.sentence(language())])
            sink.addFeature(made, QgsFeatureSink.Flag.FastInsert)
        sink.flushBuffer()
        return layer_id


def _found(path: str | None, day: str | None) -> list[Finding]:
    """Return everything to say of a table; what makes it unusable is a finding as well."""
    try:
        return rules.check(rules.load(path, day), day)
    except Blocked as blocked:
        return blocked.findings
