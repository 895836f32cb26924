# SPDX-License-Identifier: GPL-2.0-or-later
"""What the steps before a zoning share: a job file, or layers that take the roles they are recognised as."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from qgis.core import (
    QgsFeatureRequest,
    QgsMapLayer,
    QgsProcessing,
    QgsProcessingContext,
    QgsProcessingFeedback,
    QgsProcessingParameterFeatureSource,
    QgsProcessingParameterFile,
    QgsProcessingParameterMultipleLayers,
    QgsVectorLayer,
)

from swc_zoning.engine import casting, roles
from swc_zoning.engine import job as jobs
from swc_zoning.engine.messages import catalogue
from swc_zoning.processing_algs import job_file
from swc_zoning.processing_algs.base import SwcAlgorithm
from swc_zoning.qgis_bridge import sources
from swc_zoning.qgis_bridge.feedback import say_finding
from swc_zoning.qgis_bridge.i18n import text

JOB, LAYERS, EXTENT = "JOB", "LAYERS", "EXTENT"


class StepAlgorithm(SwcAlgorithm):
    """Base of steps that take a job, layers, or both: layers go in place of those of their role."""

    def __init__(self) -> None:
        super().__init__()
        self._held: list[tuple[str, sources.Snapshot, dict[str, str] | None]] = []

    def declare_inputs(self) -> None:
        """Declare the parameters that all steps have."""
        polygons = QgsProcessing.SourceType.TypeVectorPolygon
        file = QgsProcessingParameterFile.Behavior.File
        pattern = self.words("job_filter")
        self.declare(QgsProcessingParameterFile(JOB, "", file, "", None, True, pattern))
        self.declare(QgsProcessingParameterMultipleLayers(LAYERS, "", polygons, None, True))
        self.declare(QgsProcessingParameterFeatureSource(EXTENT, "", [polygons], None, True))

    def checkParameterValues(  # noqa: N802
        self, parameters: dict[str, Any], context: QgsProcessingContext
    ) -> tuple[bool, str]:
        """Refuse a run with neither a job nor a layer."""
        if not self.is_given(parameters):
            return False, self.words("nothing_given")
        return super().checkParameterValues(parameters, context)

    def words(self, name: str) -> str:
        """Return the sentence `name` of the room of this step, else of the room of all steps, else of all."""
        own, shared = (f"{room}.{name.lower()}" for room in (self.ROOM, "steps"))
        return text(shared) if shared in catalogue() and own not in catalogue() else super().words(name)

    def is_given(self, parameters: dict[str, Any]) -> bool:
        """Return whether there is anything to work on."""
        return bool(parameters.get(JOB) or parameters.get(LAYERS))

    def prepareAlgorithm(  # noqa: N802
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> bool:
        """Hold what the layers show; runs in the main thread, where layers live."""
        if parameters.get(LAYERS):
            for layer in self.parameterAsLayerList(parameters, LAYERS, context):
                self._hold("", layer, layer)
        if parameters.get(EXTENT):
            layer = sources.layer_of(self, parameters, EXTENT, context)
            self._hold(jobs.EXTENT_ROLE, parameters[EXTENT], layer)
        return True

    def _hold(self, role: str, value: Any, layer: QgsMapLayer) -> None:
        if isinstance(layer, QgsVectorLayer):
            self._held.append((role, sources.snapshot(value, layer), sources.in_place(value, layer)))

    def job(
        self,
        folder: Path,
        parameters: dict[str, Any],
        context: QgsProcessingContext,
        feedback: QgsProcessingFeedback,
    ) -> Path:
        """Return the job file of what was given; one made of layers is written into `folder`."""
        given = self.parameterAsFile(parameters, JOB, context)
        if not self._held:
            return Path(given)
        candidates = [
            _candidate(one, folder / f"layer{number}.gpkg", feedback)
            for number, one in enumerate(sorted(self._held, key=lambda one: one[0] == ""))
        ]
        document, findings = casting.cast(candidates)
        path, replaced = job_file.merge(folder / "job.json", given, document)
        for finding in [*findings, *replaced]:
            say_finding(feedback, finding)
        return path


def _candidate(
    held: tuple[str, sources.Snapshot, dict[str, str] | None],
    copy: Path,
    feedback: QgsProcessingFeedback,
) -> casting.Candidate:
    """Return a layer to be cast, read in place or copied to the file `copy`."""
    role, shown, entry = held
    fields, name = tuple(shown.fields.names()), shown.name
    said = _roles(shown) if casting.is_prepared(fields) else frozenset()
    if entry is None:
        copied = sources.copy(shown, copy, feedback)
        entry, fields = {"source": copied.source, "layer": copied.layer}, copied.fields
    elif not roles.recognise(name, ()):
        # Renamed in the project, its file may still say what it is.
        name = entry.get("layer") or Path(entry["source"]).stem
    return casting.Candidate(entry, name, fields, said, role)


def _roles(shown: sources.Snapshot) -> frozenset[str]:
    request = QgsFeatureRequest(shown.request)
    request.setFlags(QgsFeatureRequest.Flag.NoGeometry)
    values = (sources.value_or_none(one["role"]) for one in shown.shown.getFeatures(request))
    return frozenset(str(value) for value in values if value)
