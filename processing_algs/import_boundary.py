# SPDX-License-Identifier: GPL-2.0-or-later
"""The algorithm that makes polygons of survey lists, point tables and CAD lines."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from qgis.core import (
    QgsProcessing,
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingFeedback,
    QgsProcessingParameterBoolean,
    QgsProcessingParameterCrs,
    QgsProcessingParameterEnum,
    QgsProcessingParameterFeatureSink,
    QgsProcessingParameterFile,
    QgsProcessingParameterNumber,
    QgsProcessingParameterString,
)

from swc_zoning.processing_algs.base import (
    SwcAlgorithm,
    call_engine,
    errors_as_sentences,
    temporary_folder,
)
from swc_zoning.qgis_bridge import results

SOURCE, CRS, AXES, ENCODING, SHEET = "SOURCE", "CRS", "AXES", "ENCODING", "SHEET"
MERGE, HOLES, TOLERANCE, OUTPUT = "MERGE", "HOLES", "TOLERANCE", "OUTPUT"

_AXES = ("auto", "north_east", "east_north")


class ImportBoundary(SwcAlgorithm):
    """Imports a boundary from a file that is no layer."""

    ID = "importboundary"
    GROUP = "preparation"
    ROOM = "boundary_import"
    TAGS = ("boundary", "survey", "coordinates", "dxf", "界址点", "勘测定界", "坐标", "红线")

    def initAlgorithm(self, configuration: dict[str, Any] | None = None) -> None:  # noqa: N802
        """Declare the parameters."""
        file = QgsProcessingParameterFile.Behavior.File
        pattern = self.words("source_filter")
        self.declare(QgsProcessingParameterFile(SOURCE, "", file, "", None, False, pattern))
        self.declare(QgsProcessingParameterCrs(CRS, "", None, True))
        axes = [self.words(name) for name in ("axes_auto", "axes_north", "axes_east")]
        self.declare(QgsProcessingParameterEnum(AXES, "", axes, False, 0))
        self.declare(QgsProcessingParameterString(ENCODING, "", None, False, True), advanced=True)
        self.declare(QgsProcessingParameterString(SHEET, "", None, False, True), advanced=True)
        self.declare(QgsProcessingParameterBoolean(MERGE, "", False), advanced=True)
        self.declare(QgsProcessingParameterBoolean(HOLES, "", False), advanced=True)
        number = QgsProcessingParameterNumber.Type.Double
        tolerance = QgsProcessingParameterNumber(TOLERANCE, "", number, 0.001, False, 0.0, 10.0)
        self.declare(tolerance, advanced=True)
        kind = QgsProcessing.SourceType.TypeVectorPolygon
        self.declare(QgsProcessingParameterFeatureSink(OUTPUT, "", kind))

    def processAlgorithm(  # noqa: N802
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> dict[str, Any]:
        """Import in the child and copy the polygons."""
        with errors_as_sentences(), temporary_folder() as folder:
            arguments = self._arguments(folder / "boundary.gpkg", parameters, context)
            boundary = call_engine(arguments, feedback)["boundary"]
            layer = results.open_only_layer(boundary)
            fields = results.shown_fields(layer)
            sink, layer_id = self.parameterAsSink(
                parameters, OUTPUT, context, fields, layer.wkbType(), layer.crs()
            )
            if sink is None:
                raise QgsProcessingException(self.invalidSinkError(parameters, OUTPUT))
            results.copy(layer, fields, sink, OUTPUT, feedback)
        return {OUTPUT: layer_id}

    def _arguments(
        self, output: Path, parameters: dict[str, Any], context: QgsProcessingContext
    ) -> list[str]:
        source = self.parameterAsFile(parameters, SOURCE, context)
        arguments = ["import", source, "--output", str(output)]
        arguments += ["--axes", _AXES[self.parameterAsEnum(parameters, AXES, context)]]
        arguments += ["--tolerance", repr(self.parameterAsDouble(parameters, TOLERANCE, context))]
        crs = self.parameterAsCrs(parameters, CRS, context) if parameters.get(CRS) else None
        said = {
            "--crs": "" if crs is None else crs.authid() or crs.toWkt(),
            "--encoding": self.parameterAsString(parameters, ENCODING, context),
            "--sheet": self.parameterAsString(parameters, SHEET, context),
        }
        arguments += [word for name, value in said.items() if value for word in (name, value)]
        flags = {"--merge": MERGE, "--holes": HOLES}
        return arguments + [
            flag for flag, name in flags.items() if self.parameterAsBool(parameters, name, context)
        ]
