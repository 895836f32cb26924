# SPDX-License-Identifier: GPL-2.0-or-later
"""The algorithm that holds projects against a result."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from qgis.core import (
    QgsProcessing,
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingFeatureSourceDefinition,
    QgsProcessingFeedback,
    QgsProcessingParameterEnum,
    QgsProcessingParameterFeatureSource,
    QgsProcessingParameterField,
    QgsProcessingParameterFile,
)

from swc_zoning.engine import siting
from swc_zoning.engine.messages import Cancelled, Finding
from swc_zoning.processing_algs.base import call_engine, errors_as_sentences, temporary_folder
from swc_zoning.processing_algs.derived import OUTPUT, DerivedAlgorithm
from swc_zoning.qgis_bridge import derived_layers, screening_card, sources
from swc_zoning.qgis_bridge.feedback import say_finding
from swc_zoning.qgis_bridge.i18n import language, text
from swc_zoning.qgis_bridge.styling import zone_names

RESULT, PROJECTS, KIND, RULES = "RESULT", "PROJECTS", "KIND", "RULES"
ID_FIELD, NAME_FIELD, KIND_FIELD = "ID_FIELD", "NAME_FIELD", "KIND_FIELD"
PROJECTS_OUT, CROSSINGS, BANNED, CARDS = "PROJECTS_OUT", "CROSSINGS", "BANNED", "CARDS"

#: Parameter of a field, option of the command.
_FIELDS = {ID_FIELD: "--id-field", NAME_FIELD: "--name-field", KIND_FIELD: "--kind-field"}


class ScreenProjects(DerivedAlgorithm):
    """Says what a result means for projects, parks, disturbance patches, spoil and borrow sites."""

    ID = "screenprojects"
    ROOM = "screen"
    ICON = "screen_projects.svg"
    TAGS = (
        "zoning",
        "project",
        "site",
        "spoil",
        "borrow",
        "项目",
        "园区",
        "弃渣场",
        "取土场",
        "扰动图斑",
        "选址避让",
    )

    def __init__(self) -> None:
        super().__init__()
        self._entry: dict[str, str] | None = None
        self._shown: sources.Snapshot | None = None

    def initAlgorithm(self, configuration: dict[str, Any] | None = None) -> None:  # noqa: N802
        """Declare the parameters."""
        polygons = QgsProcessing.SourceType.TypeVectorPolygon
        self.add_folder(RESULT)
        self.declare(QgsProcessingParameterFeatureSource(PROJECTS, "", [polygons]))
        names = [kind[f"name_{language()}"] for kind in siting.kinds().values()]
        self.declare(QgsProcessingParameterEnum(KIND, "", names, False, 0))
        for name in _FIELDS:
            self.declare(QgsProcessingParameterField(name, "", None, PROJECTS, optional=True))
        behaviour, pattern = QgsProcessingParameterFile.Behavior.File, self.words("rules_filter")
        rules = QgsProcessingParameterFile(RULES, "", behaviour, "", None, True, pattern)
        self.declare(rules, advanced=True)
        self.add_sink(PROJECTS_OUT, polygons)
        self.add_sink(CROSSINGS, polygons)
        self.add_sink(BANNED, polygons, ticked=False)
        self.add_output(CARDS, ticked=False)
        self.add_output()

    def prepareAlgorithm(  # noqa: N802
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> bool:
        """Hold what the layer of projects shows. Runs in the main thread, where layers live."""
        value = parameters[PROJECTS]
        named = value.source if isinstance(value, QgsProcessingFeatureSourceDefinition) else value
        layer = self.parameterAsVectorLayer({**parameters, PROJECTS: named}, PROJECTS, context)
        if layer is None:
            raise QgsProcessingException(self.invalidSourceError(parameters, PROJECTS))
        self._shown = sources.snapshot(value, layer)
        # Selected features come in any order, and another one each time.
        self._shown.request.addOrderBy("$id")
        self._entry = sources.in_place(value, layer)
        return True

    def processAlgorithm(  # noqa: N802
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> dict[str, Any]:
        """Screen in the child, copy what was asked for, write the cards."""
        output = self.output_folder(parameters, context)
        result = Path(self.parameterAsFile(parameters, RESULT, context))
        found: dict[str, str] = {}
        with errors_as_sentences(), temporary_folder() as folder:
            arguments = self._arguments(folder, result, output, parameters, context, feedback)
            files = call_engine(arguments, feedback)
            names = zone_names(result / "summary.json", language())
            home = derived_layers.Home.of(output, text("screen.group"), names)
            for name in (PROJECTS_OUT, CROSSINGS, BANNED):
                found |= self.copy_out(files["screening"], name, home, parameters, context, feedback)
            cards = self._cards(files, result, parameters, context, feedback)
        return {OUTPUT: str(output), **found, **cards}

    def _arguments(
        self,
        folder: Path,
        result: Path,
        output: Path,
        parameters: dict[str, Any],
        context: QgsProcessingContext,
        feedback: QgsProcessingFeedback,
    ) -> list[str]:
        path, layer, fields = self._projects(folder, feedback)
        kind = list(siting.kinds())[self.parameterAsEnum(parameters, KIND, context)]
        arguments = ["screen", str(result), path, "--output", str(output), "--kind", kind]
        arguments += ["--layer", layer] if layer else []
        arguments += [] if parameters.get(BANNED) is not None else ["--without-banned"]
        for name, option in _FIELDS.items():
            given = self.parameterAsString(parameters, name, context)
            arguments += [option, fields[given]] if given else []
        rules = self.parameterAsFile(parameters, RULES, context)
        return [*arguments, "--rules", rules] if rules else arguments

    def _projects(self, folder: Path, feedback: QgsProcessingFeedback) -> tuple[str, str, dict[str, str]]:
        """Return file and layer of the projects, and the names their fields have there."""
        names = list(self._shown.fields.names())
        if self._entry is not None and not set(self._entry) - {"source", "layer"}:
            return self._entry["source"], self._entry.get("layer", ""), dict(zip(names, names))
        copied = sources.copy(self._shown, folder / "projects.gpkg", feedback)
        facts = {"layer": self._shown.name, "count": copied.count, **self._shown.state}
        say_finding(feedback, Finding("delineate.copied", facts))
        return copied.source, copied.layer, dict(zip(names, copied.fields))

    def _cards(
        self,
        files: dict[str, Path],
        result: Path,
        parameters: dict[str, Any],
        context: QgsProcessingContext,
        feedback: QgsProcessingFeedback,
    ) -> dict[str, str]:
        """Write one card for each project where a folder for them was asked for."""
        folder = self.parameterAsFileOutput(parameters, CARDS, context) if parameters.get(CARDS) else ""
        if not folder:
            return {}
        document = json.loads(files["document"].read_text(encoding="utf-8"))
        Path(folder).mkdir(parents=True, exist_ok=True)
        count = 0
        for _ in screening_card.write_all(document, files["screening"], result, Path(folder)):
            count += 1
            if feedback.isCanceled():
                raise Cancelled
        say_finding(feedback, Finding("screen.cards_written", {"count": count, "path": folder}))
        return {CARDS: folder}
