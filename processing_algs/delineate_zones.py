# SPDX-License-Identifier: GPL-2.0-or-later
"""The algorithm that zones a city: layers by role, or a job file, in; pieces and zones out."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

from qgis.core import (
    QgsProcessing,
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingFeatureSourceDefinition,
    QgsProcessingFeedback,
    QgsProcessingParameterDefinition,
    QgsProcessingParameterFeatureSink,
    QgsProcessingParameterFeatureSource,
    QgsProcessingParameterFile,
    QgsProcessingParameterFolderDestination,
    QgsProcessingUtils,
)

from swc_zoning.engine import roles
from swc_zoning.engine.messages import Finding
from swc_zoning.processing_algs import job_file
from swc_zoning.processing_algs.base import SwcAlgorithm, errors_as_sentences, run_engine, temporary_folder
from swc_zoning.qgis_bridge import results, sources
from swc_zoning.qgis_bridge.feedback import say_finding
from swc_zoning.qgis_bridge.host import Outcome
from swc_zoning.qgis_bridge.i18n import language, text
from swc_zoning.qgis_bridge.styling import ResultStyler, attach, zone_names

JOB, RULES, EXTENT, OUTPUT = "JOB", "RULES", "EXTENT", "OUTPUT"
PIECES, ZONES, CONFLICTS, FINDINGS = "PIECES", "ZONES", "CONFLICTS", "FINDINGS"

#: Output, layer of the result file, geometry, whether the dialog ticks it. A city has a million
#: pieces; they are in the results folder anyway.
_SINKS = (
    (PIECES, "pieces", QgsProcessing.SourceType.TypeVectorPolygon, False),
    (ZONES, "zones", QgsProcessing.SourceType.TypeVectorPolygon, True),
    (CONFLICTS, "conflicts", QgsProcessing.SourceType.TypeVectorPolygon, True),
    (FINDINGS, "findings", QgsProcessing.SourceType.TypeVectorPoint, True),
)


class DelineateZones(SwcAlgorithm):
    """Zones a city from its layers and a decision table."""

    ICON = "delineate_zones.svg"

    def __init__(self) -> None:
        super().__init__()
        self._in_place: dict[str, dict[str, str]] = {}
        self._shown: dict[str, sources.Snapshot] = {}

    def name(self) -> str:
        """Return the id, which never changes."""
        return "delineatezones"

    def displayName(self) -> str:  # noqa: N802 (QGIS calls these names)
        """Return the name shown in the toolbox."""
        return text("delineate.name")

    def shortDescription(self) -> str:  # noqa: N802
        """Return the one-line description."""
        return text("delineate.summary")

    def shortHelpString(self) -> str:  # noqa: N802
        """Return the help beside the dialog."""
        return text("delineate.help").replace("\n", "<br>")

    def helpUrl(self) -> str:  # noqa: N802
        """Return the address of the manual page."""
        return text("delineate.url")

    def tags(self) -> list[str]:
        """Return words the toolbox search finds this by, in both languages."""
        return ["zoning", "overlay", "partition", "union", "水土保持", "管控", "分区", "叠加", "三区三线"]

    def initAlgorithm(self, configuration: dict[str, Any] | None = None) -> None:  # noqa: N802
        """Declare the parameters: one source for each role, none of them mandatory."""
        self._add_file(JOB, text("delineate.job"), text("delineate.job_help"), text("delineate.job_filter"))
        self._add_source(EXTENT, text("delineate.extent"), text("delineate.extent_help"))
        for role in roles.all_roles():
            self._add_source(role.param, _role_name(role), _role_help(role), advanced=not role.expected)
        self._add_file(
            RULES, text("delineate.rules"), text("delineate.rules_help"), text("delineate.rules_filter")
        )
        labels = _output_labels()
        for output, _, kind, ticked in _SINKS:
            sink = QgsProcessingParameterFeatureSink(output, labels[output], kind, None, True, ticked)
            self.addParameter(sink)
        folder = QgsProcessingParameterFolderDestination(OUTPUT, text("delineate.output"), None, True, True)
        self.addParameter(folder)

    def checkParameterValues(  # noqa: N802
        self, parameters: dict[str, Any], context: QgsProcessingContext
    ) -> tuple[bool, str]:
        """Refuse a run with neither a job nor a layer."""
        given = (JOB, *(role.param for role in roles.all_roles()))
        if not any(parameters.get(name) for name in given):
            return False, text("delineate.nothing_given")
        return super().checkParameterValues(parameters, context)

    def prepareAlgorithm(  # noqa: N802
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> bool:
        """Find the layers that can be read as they lie, and hold what the others show.

        Runs in the main thread, where layers live.
        """
        for role in _all_sources():
            if parameters.get(role.param):
                self._hold(role.param, parameters, context)
        return True

    def processAlgorithm(  # noqa: N802
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> dict[str, Any]:
        """Write the job, run it in the child, copy what was asked for."""
        output = Path(self._output_folder(parameters, context))
        with errors_as_sentences(), temporary_folder() as folder:
            job = self._job(folder, parameters, context, feedback)
            outcome = run_engine(job, output, feedback)
            say_finding(feedback, Finding("delineate.result", {"path": str(output)}))
            copied = self._copy_results(outcome, parameters, context, feedback)
        return {OUTPUT: str(output), **copied}

    # --- parameters --------------------------------------------------------------------------------

    def _add_file(self, name: str, label: str, help_text: str, pattern: str) -> None:
        behaviour = QgsProcessingParameterFile.Behavior.File
        parameter = QgsProcessingParameterFile(name, label, behaviour, "", None, True, pattern)
        parameter.setHelp(help_text)
        self.addParameter(parameter)

    def _add_source(self, name: str, label: str, help_text: str, advanced: bool = False) -> None:
        kinds = [QgsProcessing.SourceType.TypeVectorPolygon]
        parameter = QgsProcessingParameterFeatureSource(name, label, kinds, None, True)
        if advanced:
            flag = QgsProcessingParameterDefinition.Flag.FlagAdvanced
            parameter.setFlags(parameter.flags() | flag)
        parameter.setHelp(help_text)
        self.addParameter(parameter)

    def _hold(self, name: str, parameters: dict[str, Any], context: QgsProcessingContext) -> None:
        value = parameters[name]
        # A part of a layer is no layer to QGIS: ask for the one it is a part of.
        named = value.source if isinstance(value, QgsProcessingFeatureSourceDefinition) else value
        layer = self.parameterAsVectorLayer({**parameters, name: named}, name, context)
        if layer is None:
            raise QgsProcessingException(self.invalidSourceError(parameters, name))
        self._shown[name] = sources.snapshot(value, layer)
        entry = sources.in_place(value, layer)
        if entry:
            self._in_place[name] = entry

    # --- input -------------------------------------------------------------------------------------

    def _job(
        self,
        folder: Path,
        parameters: dict[str, Any],
        context: QgsProcessingContext,
        feedback: QgsProcessingFeedback,
    ) -> Path:
        chosen = job_file.Chosen(rules=self.parameterAsFile(parameters, RULES, context))
        for role in _all_sources():
            if parameters.get(role.param):
                copy = folder / f"{role.id}.gpkg"
                chosen.entries[role.id] = self._entry(role, copy, feedback)
        given = self.parameterAsFile(parameters, JOB, context)
        path = job_file.write(folder / "job.json", given, chosen)
        for finding in chosen.findings:
            say_finding(feedback, finding)
        return path

    def _entry(self, role: roles.Role, copy: Path, feedback: QgsProcessingFeedback) -> dict[str, Any]:
        """Return the layer entry of one role: read in place, or copied to the file `copy`."""
        source = self._shown[role.param]
        entry: dict[str, Any] = dict(self._in_place.get(role.param, {}))
        fields = tuple(source.fields.names())
        if not entry:
            copied = sources.copy(source, copy, feedback)
            entry, fields = {"source": copied.source, "layer": copied.layer}, copied.fields
            facts = {"layer": source.name, "count": copied.count, **source.state}
            say_finding(feedback, Finding("delineate.copied", facts))
        name = str(self._in_place.get(role.param, {}).get("layer") or source.name)
        described, said = job_file.describe(role, name, fields, language())
        say_finding(feedback, said)
        return {**entry, **described}

    # --- output ------------------------------------------------------------------------------------

    def _output_folder(self, parameters: dict[str, Any], context: QgsProcessingContext) -> str:
        folder = self.parameterAsFileOutput(parameters, OUTPUT, context)
        return folder or QgsProcessingUtils.generateTempFilename("swc_zoning")

    def _copy_results(
        self,
        outcome: Outcome,
        parameters: dict[str, Any],
        context: QgsProcessingContext,
        feedback: QgsProcessingFeedback,
    ) -> dict[str, str]:
        run, names = datetime.now().astimezone(), zone_names(outcome.summary, language())
        group = text("delineate.run_group", time=run.strftime("%Y-%m-%d %H:%M"))
        copied = {}
        for output, name, _, _ in _SINKS:
            if parameters.get(output) is None:
                continue
            layer_id = self._copy_layer(outcome.zoning, name, output, parameters, context, feedback)
            copied[output] = layer_id
            if context.willLoadLayerOnCompletion(layer_id):
                styler = ResultStyler(output, names, language(), run.isoformat(), group)
                attach(context, layer_id, styler)
        return copied

    def _copy_layer(
        self,
        zoning: Path,
        name: str,
        output: str,
        parameters: dict[str, Any],
        context: QgsProcessingContext,
        feedback: QgsProcessingFeedback,
    ) -> str:
        layer = results.open_layer(zoning, name)
        fields = results.shown_fields(layer)
        sink, layer_id = self.parameterAsSink(
            parameters, output, context, fields, layer.wkbType(), layer.crs()
        )
        if sink is None:
            raise QgsProcessingException(self.invalidSinkError(parameters, output))
        results.copy(layer, fields, sink, output, feedback)
        return layer_id


def _all_sources() -> tuple[roles.Role, ...]:
    """Return every role that has a parameter, the extent first."""
    return (roles.extent_role(), *roles.all_roles())


def _output_labels() -> dict[str, str]:
    return {
        PIECES: text("delineate.pieces"),
        ZONES: text("delineate.zones"),
        CONFLICTS: text("delineate.conflicts"),
        FINDINGS: text("delineate.findings"),
    }


def _role_name(role: roles.Role) -> str:
    return role.name_zh if language() == "zh" else role.name_en


def _role_help(role: roles.Role) -> str:
    names = [tier.name_zh if language() == "zh" else tier.name_en for tier in role.tiers]
    if not names:
        return text("delineate.role_help_plain", role=role.id)
    return text("delineate.role_help", role=role.id, tiers=", ".join(names))
