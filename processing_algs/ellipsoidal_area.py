# SPDX-License-Identifier: GPL-2.0-or-later
"""The algorithm that measures official ellipsoidal areas."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from qgis.core import (
    QgsProcessing,
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingFeedback,
    QgsProcessingParameterFeatureSink,
    QgsProcessingParameterFeatureSource,
)

from swc_zoning.engine.messages import SwcError
from swc_zoning.processing_algs.base import (
    SwcAlgorithm,
    call_engine,
    errors_as_sentences,
    temporary_folder,
)
from swc_zoning.qgis_bridge import sources

INPUT, OUTPUT = "INPUT", "OUTPUT"
ELLIPSOIDAL, PLANE = "ellips_m2", "plane_m2"


class EllipsoidalArea(SwcAlgorithm):
    """Adds official ellipsoidal and plane areas to polygons."""

    ID = "ellipsoidalarea"
    GROUP = "areas"
    ROOM = "ellipsoidal"
    TAGS = ("area", "ellipsoid", "CGCS2000", "面积", "椭球")

    def __init__(self) -> None:
        super().__init__()
        self._shown: sources.Snapshot | None = None

    def initAlgorithm(self, configuration: dict[str, Any] | None = None) -> None:  # noqa: N802
        """Declare the parameters."""
        kinds = [QgsProcessing.SourceType.TypeVectorPolygon]
        self.declare(QgsProcessingParameterFeatureSource(INPUT, "", kinds))
        self.declare(QgsProcessingParameterFeatureSink(OUTPUT, "", kinds[0]))

    def prepareAlgorithm(  # noqa: N802
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> bool:
        """Hold what the layer shows; runs in the main thread, where layers live."""
        self._shown = sources.shown(self, parameters, INPUT, context)
        return True

    def processAlgorithm(  # noqa: N802
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> dict[str, Any]:
        """Measure a copy in the child and write the features with their areas."""
        shown, fields = self._shown, sources.extended(self._shown.fields, (ELLIPSOIDAL, PLANE))
        sink, layer_id = self.parameterAsSink(parameters, OUTPUT, context, fields, shown.kind, shown.crs)
        if sink is None:
            raise QgsProcessingException(self.invalidSinkError(parameters, OUTPUT))
        with errors_as_sentences(), temporary_folder() as folder:
            measured = _measured(shown, folder, feedback)
            rows = [(row["ellipsoidal_m2"], row["plane_m2"]) for row in measured]
            sources.write_extended(shown, rows, fields, sink, OUTPUT, feedback)
        return {OUTPUT: layer_id}


def _measured(
    shown: sources.Snapshot, folder: Path, feedback: QgsProcessingFeedback
) -> list[dict[str, float]]:
    copied = sources.copy(shown, folder / "polygons.gpkg", feedback)
    arguments = ["area", copied.source, "--layer", copied.layer, "--output", str(folder / "areas.json")]
    rows = json.loads(call_engine(arguments, feedback)["areas"].read_text(encoding="utf-8"))
    if len(rows) != copied.count:
        raise SwcError("ellipsoidal.lost", measured=len(rows), count=copied.count)
    # A copy numbers its features as they came.
    return sorted(rows, key=lambda row: row["feature"])
