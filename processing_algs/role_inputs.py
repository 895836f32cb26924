# SPDX-License-Identifier: GPL-2.0-or-later
"""Algorithms that take a city as it is planned: a job file, layers by role, or both."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from qgis.core import (
    QgsProcessing,
    QgsProcessingContext,
    QgsProcessingFeedback,
    QgsProcessingParameterDefinition,
    QgsProcessingParameterFeatureSource,
    QgsProcessingParameterFile,
)

from swc_zoning.engine import roles
from swc_zoning.engine.messages import Finding
from swc_zoning.processing_algs import job_file
from swc_zoning.processing_algs.base import SwcAlgorithm
from swc_zoning.qgis_bridge import sources
from swc_zoning.qgis_bridge.feedback import say_finding
from swc_zoning.qgis_bridge.i18n import language, text

JOB, RULES, EXTENT = "JOB", "RULES", "EXTENT"


class RoleInputs(SwcAlgorithm):
    """Declares job, extent, one source a role and the rules, and makes one job of what is given."""

    def __init__(self) -> None:
        super().__init__()
        self._in_place: dict[str, dict[str, str]] = {}
        self._shown: dict[str, sources.Snapshot] = {}

    def declare_inputs(self) -> None:
        """Declare the parameters: none of them is mandatory by itself."""
        self.declare_file(JOB)
        self._declare_source(EXTENT, self.words(EXTENT), self.words(f"{EXTENT}_help"))
        for role in roles.all_roles():
            self._declare_source(role.param, _role_name(role), _role_help(role), advanced=not role.expected)
        self.declare_file(RULES)

    def declare_file(self, name: str) -> None:
        """Declare an optional file; the room has its label, help and filter."""
        behaviour, pattern = QgsProcessingParameterFile.Behavior.File, self.words(f"{name}_filter")
        self.declare(QgsProcessingParameterFile(name, "", behaviour, "", None, True, pattern))

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

    def write_job(
        self,
        folder: Path,
        parameters: dict[str, Any],
        context: QgsProcessingContext,
        feedback: QgsProcessingFeedback,
        options: dict[str, Any] | None = None,
    ) -> Path:
        """Return the job file to run: the given one, or one written to `folder` with the layers chosen.

        `options` go into the options of the job. Raises what `sources.copy` raises.
        """
        chosen = job_file.Chosen(rules=self.parameterAsFile(parameters, RULES, context))
        chosen.options = options or {}
        for role in _all_sources():
            if parameters.get(role.param):
                copy = folder / f"{role.id}.gpkg"
                chosen.entries[role.id] = self._entry(role, copy, feedback)
        given = self.parameterAsFile(parameters, JOB, context)
        path = job_file.write(folder / "job.json", given, chosen)
        for finding in chosen.findings:
            say_finding(feedback, finding)
        return path

    def _declare_source(self, name: str, label: str, help_text: str, advanced: bool = False) -> None:
        kinds = [QgsProcessing.SourceType.TypeVectorPolygon]
        parameter = QgsProcessingParameterFeatureSource(name, label, kinds, None, True)
        if advanced:
            flag = QgsProcessingParameterDefinition.Flag.FlagAdvanced
            parameter.setFlags(parameter.flags() | flag)
        parameter.setHelp(help_text)
        self.addParameter(parameter)

    def _hold(self, name: str, parameters: dict[str, Any], context: QgsProcessingContext) -> None:
        self._shown[name] = sources.shown(self, parameters, name, context)
        entry = sources.in_place(parameters[name], sources.layer_of(self, parameters, name, context))
        if entry:
            self._in_place[name] = entry

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


def _all_sources() -> tuple[roles.Role, ...]:
    """Return every role that has a parameter, the extent first."""
    return (roles.extent_role(), *roles.all_roles())


def _role_name(role: roles.Role) -> str:
    return role.name_zh if language() == "zh" else role.name_en


def _role_help(role: roles.Role) -> str:
    names = [tier.name_zh if language() == "zh" else tier.name_en for tier in role.tiers]
    if not names:
        return text("inputs.role_help_plain", role=role.id)
    return text("inputs.role_help", role=role.id, tiers=", ".join(names))
