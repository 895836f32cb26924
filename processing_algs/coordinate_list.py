# SPDX-License-Identifier: GPL-2.0-or-later
"""The algorithm that writes coordinate lists of polygons."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

from qgis.core import (
    QgsProcessing,
    QgsProcessingContext,
    QgsProcessingFeedback,
    QgsProcessingParameterBoolean,
    QgsProcessingParameterCrs,
    QgsProcessingParameterDateTime,
    QgsProcessingParameterEnum,
    QgsProcessingParameterFeatureSource,
    QgsProcessingParameterField,
    QgsProcessingParameterFileDestination,
    QgsProcessingParameterNumber,
    QgsProcessingParameterString,
    QgsProcessingUtils,
)

from swc_zoning.paths import resource
from swc_zoning.processing_algs.base import (
    SwcAlgorithm,
    call_engine,
    errors_as_sentences,
    temporary_folder,
)
from swc_zoning.processing_algs.submission import options
from swc_zoning.qgis_bridge import sources

INPUT, CRS, OUTPUT, SPLIT, DEGREES = "INPUT", "CRS", "OUTPUT", "SPLIT", "DEGREES"
UNIT, DATE, POINT_PREFIX, DECIMALS = "UNIT", "DATE", "POINT_PREFIX", "DECIMALS"

#: Options with few choices, the first is the default: those of ``resources/coordinates.json``.
_CHOICES = ("zone_prefix", "encoding", "line_end", "count", "numbering", "attributes", "names")
_FIELDS = ("no", "name", "use", "land_class", "sheet")


@lru_cache(maxsize=1)
def choices() -> dict[str, list[Any]]:
    """Return what may be chosen for each option, the default first."""
    return json.loads(resource("coordinates.json").read_text(encoding="utf-8"))["choices"]


class CoordinateList(SwcAlgorithm):
    """Writes coordinate lists (X north first, hectares of the official area) as surveys exchange them."""

    ID = "coordinatelist"
    GROUP = "submission"
    ROOM = "coordinate_listing"
    ICON = "submission.svg"
    TAGS = ("coordinates", "survey", "txt", "界址点", "拐点坐标", "坐标串", "电子报盘", "勘测定界")

    def __init__(self) -> None:
        super().__init__()
        self._shown: sources.Snapshot | None = None

    def initAlgorithm(self, configuration: dict[str, Any] | None = None) -> None:  # noqa: N802
        """Declare the parameters."""
        kinds = [QgsProcessing.SourceType.TypeVectorPolygon]
        self.declare(QgsProcessingParameterFeatureSource(INPUT, "", kinds))
        self.declare(QgsProcessingParameterCrs(CRS, "", None, True))
        self.declare(QgsProcessingParameterString(UNIT, "", None, False, True))
        day = QgsProcessingParameterDateTime.Type.Date
        self.declare(QgsProcessingParameterDateTime(DATE, "", day, None, True))
        for name in _FIELDS[:2]:
            self._add_field(name, advanced=False)
        for name in (SPLIT, DEGREES):
            self.declare(QgsProcessingParameterBoolean(name, "", False))
        for name in _CHOICES:
            labels = [self.words(f"{name}_{one}".replace("-", "_")) for one in choices()[name]]
            self.declare(QgsProcessingParameterEnum(name.upper(), "", labels, False, 0), advanced=True)
        self.declare(QgsProcessingParameterString(POINT_PREFIX, "", "J", False, True), advanced=True)
        whole, allowed = QgsProcessingParameterNumber.Type.Integer, choices()["decimals"]
        decimals = (allowed[0], False, min(allowed), max(allowed))
        self.declare(QgsProcessingParameterNumber(DECIMALS, "", whole, *decimals), advanced=True)
        for name in _FIELDS[2:]:
            self._add_field(name, advanced=True)
        self.declare(QgsProcessingParameterFileDestination(OUTPUT, "", "TXT (*.txt)"))

    def _add_field(self, name: str, advanced: bool) -> None:
        parameter = QgsProcessingParameterField(f"{name.upper()}_FIELD", "", None, INPUT, optional=True)
        self.declare(parameter, advanced)

    def prepareAlgorithm(  # noqa: N802
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> bool:
        """Hold what the layer shows; runs in the main thread, where layers live."""
        self._shown = sources.shown(self, parameters, INPUT, context)
        return True

    def processAlgorithm(  # noqa: N802
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> dict[str, Any]:
        """Write the lists of a copy in the child."""
        given = self.parameterAsFileOutput(parameters, OUTPUT, context)
        output = Path(given or QgsProcessingUtils.generateTempFilename("coordinates.txt"))
        if self.parameterAsBool(parameters, SPLIT, context):
            output = output.with_suffix("")
        with errors_as_sentences(), temporary_folder() as folder:
            copied = sources.copy(self._shown, folder / "polygons.gpkg", feedback)
            arguments = ["coordinates", copied.source, "--layer", copied.layer, "--output", str(output)]
            call_engine([*arguments, *self._options(copied, parameters, context)], feedback)
        return {OUTPUT: str(output)}

    def _options(
        self, copied: sources.Copied, parameters: dict[str, Any], context: QgsProcessingContext
    ) -> list[str]:
        stored = dict(zip(self._shown.fields.names(), copied.fields))
        crs = self.parameterAsCrs(parameters, CRS, context) if parameters.get(CRS) else None
        pairs: list[tuple[str, Any]] = [
            ("--crs", "" if crs is None else crs.authid() or crs.toWkt()),
            ("--unit", self.parameterAsString(parameters, UNIT, context).strip()),
            ("--point-prefix", self.parameterAsString(parameters, POINT_PREFIX, context).strip()),
            ("--decimals", self.parameterAsInt(parameters, DECIMALS, context)),
        ]
        if parameters.get(DATE):
            day = self.parameterAsDateTime(parameters, DATE, context).date()
            pairs.append(("--date", day.toString("yyyyMMdd")))
        for name in _CHOICES:
            number = self.parameterAsEnum(parameters, name.upper(), context)
            pairs.append((f"--{name.replace('_', '-')}", choices()[name][number]))
        for name in _FIELDS:
            field = self.parameterAsString(parameters, f"{name.upper()}_FIELD", context)
            pairs.append((f"--{name.replace('_', '-')}-field", stored.get(field, "")))
        # The dialog has asked already whether a file may be written over.
        flags = [("--split", SPLIT), ("--degrees", DEGREES)]
        said = [flag for flag, name in flags if self.parameterAsBool(parameters, name, context)]
        return [*options(pairs), *said, "--replace"]
