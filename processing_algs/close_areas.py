# SPDX-License-Identifier: GPL-2.0-or-later
"""The algorithm that levels areas to control areas."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from qgis.core import (
    QgsFeature,
    QgsProcessing,
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingFeedback,
    QgsProcessingParameterFeatureSink,
    QgsProcessingParameterFeatureSource,
    QgsProcessingParameterField,
)

from swc_zoning.processing_algs.base import (
    SwcAlgorithm,
    call_engine,
    errors_as_sentences,
    temporary_folder,
)
from swc_zoning.qgis_bridge import sources

INPUT, AREA, GROUP, OUTPUT = "INPUT", "AREA", "GROUP", "OUTPUT"
CONTROLS, CONTROL_GROUP, CONTROL_AREA = "CONTROLS", "CONTROL_GROUP", "CONTROL_AREA"
CLOSED = "closed_m2"


class CloseAreas(SwcAlgorithm):
    """Adds areas that add up to a control area on 0.01 m2."""

    ID = "closeareas"
    GROUP = "areas"
    ROOM = "closing"
    TAGS = ("area", "control", "rounding", "面积", "平差", "调平", "闭合")

    def __init__(self) -> None:
        super().__init__()
        self._shown: sources.Snapshot | None = None
        self._controls: sources.Snapshot | None = None

    def initAlgorithm(self, configuration: dict[str, Any] | None = None) -> None:  # noqa: N802
        """Declare the parameters."""
        any_table, number = QgsProcessing.SourceType.TypeVector, QgsProcessingParameterField.DataType.Numeric
        any_field = QgsProcessingParameterField.DataType.Any
        self.declare(QgsProcessingParameterFeatureSource(INPUT, "", [any_table]))
        self.declare(QgsProcessingParameterField(AREA, "", None, INPUT, number))
        self.declare(QgsProcessingParameterField(GROUP, "", None, INPUT, any_field, False, True))
        self.declare(QgsProcessingParameterFeatureSource(CONTROLS, "", [any_table], None, True))
        self.declare(QgsProcessingParameterField(CONTROL_GROUP, "", None, CONTROLS, any_field, False, True))
        self.declare(QgsProcessingParameterField(CONTROL_AREA, "", None, CONTROLS, number, False, True))
        self.declare(QgsProcessingParameterFeatureSink(OUTPUT, "", any_table))

    def checkParameterValues(  # noqa: N802
        self, parameters: dict[str, Any], context: QgsProcessingContext
    ) -> tuple[bool, str]:
        """Refuse control areas without the fields that say whose and how much."""
        needed = [CONTROL_AREA, *([CONTROL_GROUP] if parameters.get(GROUP) else [])]
        if parameters.get(CONTROLS) and not all(parameters.get(name) for name in needed):
            return False, self.words("control_fields")
        return super().checkParameterValues(parameters, context)

    def prepareAlgorithm(  # noqa: N802
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> bool:
        """Hold what the layers show; runs in the main thread, where layers live."""
        self._shown = sources.shown(self, parameters, INPUT, context)
        if parameters.get(CONTROLS):
            self._controls = sources.shown(self, parameters, CONTROLS, context)
        return True

    def processAlgorithm(  # noqa: N802
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> dict[str, Any]:
        """Level the table in the child and write the features with their closed areas."""
        shown, fields = self._shown, sources.extended(self._shown.fields, (CLOSED,))
        sink, layer_id = self.parameterAsSink(parameters, OUTPUT, context, fields, shown.kind, shown.crs)
        if sink is None:
            raise QgsProcessingException(self.invalidSinkError(parameters, OUTPUT))
        with errors_as_sentences(), temporary_folder() as folder:
            closed = self._closed(folder, parameters, context, feedback)
            rows = [(area,) for area in closed]
            sources.write_extended(shown, rows, fields, sink, OUTPUT, feedback)
        return {OUTPUT: layer_id}

    def _closed(
        self,
        folder: Path,
        parameters: dict[str, Any],
        context: QgsProcessingContext,
        feedback: QgsProcessingFeedback,
    ) -> list[float]:
        names = {name: self._field(parameters, name, context) for name in (AREA, GROUP)}
        rows = _rows(self._shown, names[GROUP], names[AREA])
        _table(folder / "areas.csv", ("key", "group", "area_m2"), ((n, *row) for n, row in enumerate(rows)))
        arguments = ["close", str(folder / "areas.csv"), "--output", str(folder / "closed.csv")]
        if self._controls is not None:
            names = {name: self._field(parameters, name, context) for name in (CONTROL_AREA, CONTROL_GROUP)}
            rows = _rows(self._controls, names[CONTROL_GROUP], names[CONTROL_AREA])
            _table(folder / "controls.csv", ("group", "area_m2"), rows)
            arguments += ["--controls", str(folder / "controls.csv")]
        path = call_engine(arguments, feedback)["closed"]
        with path.open(encoding="utf-8-sig", newline="") as file:
            return [float(row["closed_m2"]) for row in csv.DictReader(file)]

    def _field(self, parameters: dict[str, Any], name: str, context: QgsProcessingContext) -> str:
        # A list where several fields may be chosen, and in QGIS 3.22 always.
        return next(iter(self.parameterAsFields(parameters, name, context)), "")


def _rows(shown: sources.Snapshot, group: str, area: str) -> list[tuple[str, str]]:
    places = [shown.fields.indexOf(name) if name else -1 for name in (group, area)]
    return [_row(feature, *places) for feature in shown.shown.getFeatures(shown.request)]


def _row(feature: QgsFeature, group: int, area: int) -> tuple[str, str]:
    value = sources.value_or_none(feature.attribute(area))
    name = "" if group < 0 else sources.value_or_none(feature.attribute(group))
    return ("" if name is None else str(name)), ("" if value is None else repr(float(value)))


def _table(path: Path, head: tuple[str, ...], rows: Iterable[tuple[Any, ...]]) -> None:
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(head)
        writer.writerows(rows)
