# SPDX-License-Identifier: GPL-2.0-or-later
"""What the algorithms on the submission share: profiles and stages, counts of findings, layers to load."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from qgis.core import (
    QgsProcessing,
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingFeedback,
    QgsProcessingOutputFile,
    QgsProcessingOutputNumber,
    QgsProcessingParameterBoolean,
    QgsProcessingParameterEnum,
    QgsProcessingParameterFile,
)

from swc_zoning.engine.messages import Finding
from swc_zoning.processing_algs.derived import DerivedAlgorithm
from swc_zoning.qgis_bridge import orders, packages, results
from swc_zoning.qgis_bridge.feedback import say_finding

PROFILE, ACCEPT, LOAD, FINDINGS = "PROFILE", "ACCEPT", "LOAD", "FINDINGS"
REPORT, LINES, PLACES = "REPORT", "LINES", "PLACES"
ERRORS, WARNINGS, ACCEPTED = "ERRORS", "WARNINGS", "ACCEPTED"


class SubmissionAlgorithm(DerivedAlgorithm):
    """Base of algorithms that make or check a package: what both declare and tell."""

    GROUP = "submission"
    ICON = "submission.svg"

    def add_profile(self, default: str | None) -> None:
        """Declare the profile of the schema; without a default it may be left open."""
        shipped = orders.profiles()
        first = None if default is None else list(shipped).index(default)
        named = list(shipped.values())
        self.declare(QgsProcessingParameterEnum(PROFILE, "", named, False, first, default is None))

    def profile(self, parameters: dict[str, Any], context: QgsProcessingContext) -> str:
        """Return the id of the chosen profile, "" where it was left open."""
        if parameters.get(PROFILE) is None and self.parameterDefinition(PROFILE).defaultValue() is None:
            return ""
        return list(orders.profiles())[self.parameterAsEnum(parameters, PROFILE, context)]

    def add_accept(self) -> None:
        """Declare the file of accepted warnings."""
        behaviour, pattern = QgsProcessingParameterFile.Behavior.File, self.words("accept_filter")
        accept = QgsProcessingParameterFile(ACCEPT, "", behaviour, "", None, True, pattern)
        self.declare(accept, advanced=True)

    def add_check_outputs(self) -> None:
        """Declare what a check leaves: findings as a layer, layers to look at, report and counts."""
        self.add_sink(FINDINGS, QgsProcessing.SourceType.TypeVectorPoint)
        self.declare(QgsProcessingParameterBoolean(LOAD, "", True))
        for name in (REPORT, LINES, PLACES):
            self.addOutput(QgsProcessingOutputFile(name, self.words(name)))
        for name in (ERRORS, WARNINGS, ACCEPTED):
            self.addOutput(QgsProcessingOutputNumber(name, self.words(name)))

    def told(self, files: packages.CheckFiles, feedback: QgsProcessingFeedback) -> dict[str, Any]:
        """Return the files of a check and how many findings there are; the numbers are said."""
        counts = packages.count(packages.read_findings(files.lines))
        say_finding(feedback, Finding("validating.counts", counts))
        paths = {REPORT: files.report, LINES: files.lines, PLACES: files.places}
        numbers = {ERRORS: counts["error"], WARNINGS: counts["warning"], ACCEPTED: counts["accepted"]}
        return {**{name: str(path) for name, path in paths.items()}, **numbers}

    def hand_out(
        self,
        package: Path,
        checked: packages.CheckFiles,
        parameters: dict[str, Any],
        context: QgsProcessingContext,
        feedback: QgsProcessingFeedback,
    ) -> dict[str, str]:
        """Copy the findings where they were asked for and have the layers of the package loaded."""
        loading = context.project() is not None and self.parameterAsBool(parameters, LOAD, context)
        shown, stamp = packages.Shown(package.stem, {}, {}), uuid.uuid4().hex
        if loading:
            shown = packages.survey(package, checked.folder)
        if loading and not shown.sources:
            say_finding(feedback, Finding("validating.no_layers", {"path": str(package)}))
        if loading:
            packages.load_on_completion(context, shown, stamp)
        if parameters.get(FINDINGS) is None:
            return {}
        layer = results.open_layer(checked.places, "findings")
        fields = results.shown_fields(layer)
        sink, layer_id = self.parameterAsSink(
            parameters, FINDINGS, context, fields, layer.wkbType(), layer.crs()
        )
        if sink is None:
            raise QgsProcessingException(self.invalidSinkError(parameters, FINDINGS))
        results.copy(layer, fields, sink, FINDINGS, feedback)
        if context.willLoadLayerOnCompletion(layer_id):
            packages.attach(context, layer_id, packages.PackageStyler(shown, FINDINGS, stamp))
        return {FINDINGS: layer_id}


def options(pairs: Iterable[tuple[str, Any]]) -> list[str]:
    """Return the words of a command line for options that have a value."""
    return [word for name, value in pairs if value not in ("", None) for word in (name, str(value))]
