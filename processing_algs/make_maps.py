# SPDX-License-Identifier: GPL-2.0-or-later
"""The algorithm that draws the map sheets of the chapter."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from qgis.core import (
    QgsProcessing,
    QgsProcessingContext,
    QgsProcessingFeedback,
    QgsProcessingParameterBoolean,
    QgsProcessingParameterEnum,
    QgsProcessingParameterField,
    QgsProcessingParameterFile,
    QgsProcessingParameterNumber,
    QgsProcessingParameterVectorLayer,
)

from swc_zoning.engine.chapter import delivery, plans
from swc_zoning.engine.messages import LANGUAGES
from swc_zoning.engine.submission import order as orders
from swc_zoning.processing_algs.base import call_engine, errors_as_sentences, temporary_folder
from swc_zoning.processing_algs.derived import OUTPUT, DerivedAlgorithm
from swc_zoning.qgis_bridge import map_sheets
from swc_zoning.qgis_bridge.feedback import PartListener
from swc_zoning.qgis_bridge.i18n import language, text

RESULT, SHEETS, DISTRICTS, SETTINGS, LAYOUTS = "RESULT", "SHEETS", "DISTRICTS", "SETTINGS", "LAYOUTS"
NEIGHBOURS, NEIGHBOUR_FIELD = "NEIGHBOURS", "NEIGHBOUR_FIELD"
FORMATS, DPI, LANG, PUBLIC = "FORMATS", "DPI", "LANG", "PUBLIC"

#: Share of the work that the child does.
_OF_CHILD = 0.15


class MakeMaps(DerivedAlgorithm):
    """Draws sheets 01 to 10 of a result, and one sheet a district, from layout templates."""

    ID = "makemaps"
    GROUP = "chapter"
    ROOM = "make_maps"
    TAGS = ("map", "sheet", "atlas", "layout", "pdf", "图件", "图集", "制图", "专章", "附图")

    def flags(self) -> Any:
        """Return the flags: layouts are drawn in the main thread, as QGIS's own tools do."""
        return super().flags() | type(self).Flag.FlagNoThreading

    def initAlgorithm(self, configuration: dict[str, Any] | None = None) -> None:  # noqa: N802
        """Declare the parameters."""
        sheets = plans.sheets()
        titles = [f"{sheet.id} {sheet.title(language())}" for sheet in sheets]
        self.add_folder(RESULT)
        self.declare(QgsProcessingParameterEnum(SHEETS, "", titles, True, list(range(len(sheets))), True))
        self.declare(QgsProcessingParameterBoolean(DISTRICTS, "", False))
        self._add_file(SETTINGS, QgsProcessingParameterFile.Behavior.File, self.words("settings_filter"))
        self.declare(QgsProcessingParameterBoolean(PUBLIC, "", False))
        names = [name.upper() for name in map_sheets.FORMATS]
        self.declare(QgsProcessingParameterEnum(FORMATS, "", names, True, [0, 1]))
        kind = QgsProcessingParameterNumber.Type.Integer
        self.declare(QgsProcessingParameterNumber(DPI, "", kind, 300, False, 72, 1200), advanced=True)
        spoken = [self.words(f"lang_{lang}") for lang in LANGUAGES]
        chosen = LANGUAGES.index(language())
        self.declare(QgsProcessingParameterEnum(LANG, "", spoken, False, chosen), advanced=True)
        polygons = [QgsProcessing.SourceType.TypeVectorPolygon]
        self.declare(QgsProcessingParameterVectorLayer(NEIGHBOURS, "", polygons, None, True), advanced=True)
        field = QgsProcessingParameterField(NEIGHBOUR_FIELD, "", None, NEIGHBOURS, optional=True)
        self.declare(field, advanced=True)
        self._add_file(LAYOUTS, QgsProcessingParameterFile.Behavior.Folder, "", advanced=True)
        self.add_output()

    def _add_file(
        self, name: str, behaviour: QgsProcessingParameterFile.Behavior, pattern: str, advanced: bool = False
    ) -> None:
        self.declare(QgsProcessingParameterFile(name, "", behaviour, "", None, True, pattern), advanced)

    def processAlgorithm(  # noqa: N802
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> dict[str, Any]:
        """Have the child make what is drawn, then draw."""
        output = self.output_folder(parameters, context)
        result = Path(self.parameterAsFile(parameters, RESULT, context))
        with errors_as_sentences(), temporary_folder() as folder:
            paper = self._papers(result, parameters, context)
            wanted = self._wanted(paper, parameters, context)
            command = ["mapdata", str(result), "--output", str(folder / "maps.gpkg")]
            settings = self.parameterAsFile(parameters, SETTINGS, context)
            command += ["--settings", settings] if settings else []
            made = call_engine(command, feedback, PartListener(feedback, 0.0, _OF_CHILD))
            around = self.parameterAsVectorLayer(parameters, NEIGHBOURS, context)
            name = self.parameterAsString(parameters, NEIGHBOUR_FIELD, context)
            data = map_sheets.Data(made["mapdata"], made["legends"], around, name)
            drawing = PartListener(feedback, _OF_CHILD, 1 - _OF_CHILD)
            files = map_sheets.make(data, paper, wanted, output, drawing)
            delivery.note_maps(output.absolute(), files, paper.summary["content_sha256"])
        feedback.pushInfo(text("make_maps.done", count=len(files), folder=str(output)))
        return {OUTPUT: str(output)}

    def _papers(
        self, result: Path, parameters: dict[str, Any], context: QgsProcessingContext
    ) -> plans.Papers:
        named = self.parameterAsFile(parameters, SETTINGS, context)
        order = orders.load(Path(named)) if named else None
        lang = LANGUAGES[self.parameterAsEnum(parameters, LANG, context)]
        return plans.papers(result, order, lang, self.parameterAsBool(parameters, PUBLIC, context))

    def _wanted(
        self, paper: plans.Papers, parameters: dict[str, Any], context: QgsProcessingContext
    ) -> map_sheets.Wanted:
        sheets, layouts = plans.sheets(), self.parameterAsFile(parameters, LAYOUTS, context)
        districts = self.parameterAsBool(parameters, DISTRICTS, context)
        return map_sheets.Wanted(
            sheets=[sheets[number] for number in sorted(self.parameterAsEnums(parameters, SHEETS, context))],
            districts=paper.districts if districts else (),
            formats=[map_sheets.FORMATS[one] for one in self.parameterAsEnums(parameters, FORMATS, context)],
            dpi=self.parameterAsInt(parameters, DPI, context),
            layouts=Path(layouts) if layouts else None,
        )
