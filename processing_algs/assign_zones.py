# SPDX-License-Identifier: GPL-2.0-or-later
"""The algorithm that decides the zone of pieces that are there already."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from qgis.core import (
    QgsFeature,
    QgsFeatureRequest,
    QgsFeatureSink,
    QgsField,
    QgsFields,
    QgsProcessing,
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingFeedback,
    QgsProcessingParameterFeatureSink,
    QgsProcessingParameterFeatureSource,
    QgsProcessingParameterFile,
    QgsProcessingParameterString,
)

from swc_zoning.engine import rules
from swc_zoning.engine.messages import Cancelled, SwcError
from swc_zoning.processing_algs.base import SwcAlgorithm, errors_as_sentences
from swc_zoning.qgis_bridge import sources
from swc_zoning.qgis_bridge.compat import string_field, whole_field
from swc_zoning.qgis_bridge.i18n import language
from swc_zoning.qgis_bridge.styling import ResultStyler, attach

PIECES, RULES, PLAN_DATE, OUTPUT = "PIECES", "RULES", "PLAN_DATE", "OUTPUT"
MEMBERS, GRADE = "members", "grade"

_BEFORE_GRADE = ("zone", "zone_name", "status", "decisive", "rules", "measures", "basis")
_AFTER_GRADE = ("force", "conflicts")

Members = dict[str, Any]
Decision = Mapping[str, Any]


class AssignZones(SwcAlgorithm):
    """Decides the zone of each piece by what lies on it."""

    ID = "assignzones"
    GROUP = "zoning"
    ROOM = "assigning"
    TAGS = ("zones", "rules", "decide", "判定", "分区", "决策表")
    NEEDS_ENGINE = False

    def __init__(self) -> None:
        super().__init__()
        self._shown: sources.Snapshot | None = None

    def initAlgorithm(self, configuration: dict[str, Any] | None = None) -> None:  # noqa: N802
        """Declare the parameters."""
        polygons = QgsProcessing.SourceType.TypeVectorPolygon
        file, pattern = QgsProcessingParameterFile.Behavior.File, self.words("rules_filter")
        self.declare(QgsProcessingParameterFeatureSource(PIECES, "", [polygons]))
        self.declare(QgsProcessingParameterFile(RULES, "", file, "", None, True, pattern))
        self.declare(QgsProcessingParameterString(PLAN_DATE, "", None, False, True))
        self.declare(QgsProcessingParameterFeatureSink(OUTPUT, "", polygons))

    def prepareAlgorithm(  # noqa: N802
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> bool:
        """Hold what the layer shows; runs in the main thread, where layers live."""
        self._shown = sources.shown(self, parameters, PIECES, context)
        return True

    def processAlgorithm(  # noqa: N802
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> dict[str, Any]:
        """Ask the table once for each distinct membership and write the pieces with its answers."""
        shown = self._shown
        with errors_as_sentences():
            path = self.parameterAsFile(parameters, RULES, context) or None
            day = self.parameterAsString(parameters, PLAN_DATE, context) or None
            table = rules.load(path, day)
            decided = _decided(shown, table, feedback)
        fields = _fields(shown.fields)
        sink, layer_id = self.parameterAsSink(parameters, OUTPUT, context, fields, shown.kind, shown.crs)
        if sink is None:
            raise QgsProcessingException(self.invalidSinkError(parameters, OUTPUT))
        names = {code: str(row[f"name_{language()}"]) for code, row in table.zones.items()}
        with errors_as_sentences():
            _write(shown, decided, names, fields, sink, feedback)
        if context.willLoadLayerOnCompletion(layer_id):
            met = {decision["zone"] for decision in decided.values()}
            legend = {code: name for code, name in names.items() if code in met}
            attach(context, layer_id, ResultStyler(PIECES, legend, language(), "", ""))
        return {OUTPUT: layer_id}


def _decided(
    shown: sources.Snapshot, table: rules.RuleTable, feedback: QgsProcessingFeedback
) -> dict[str, Decision]:
    """Return what the table says, by the text of the membership.

    A conflict that lies in a role being absent is told where some of the pieces has that role.
    """
    memberships = _memberships(shown, feedback)
    supplied = {role for members in memberships.values() for role in members}
    decisions = rules.decide_many(table, memberships.values(), supplied)
    return dict(zip(memberships, decisions))


def _memberships(shown: sources.Snapshot, feedback: QgsProcessingFeedback) -> dict[str, Members]:
    """Return the distinct memberships. Raises SwcError ``assigning.no_members``, ``assigning.unreadable``."""
    if shown.fields.indexOf(MEMBERS) < 0:
        raise SwcError("assigning.no_members", layer=shown.name)
    request = QgsFeatureRequest(shown.request)
    request.setFlags(QgsFeatureRequest.Flag.NoGeometry)
    found: dict[str, Members] = {}
    for feature in shown.shown.getFeatures(request):
        if feedback.isCanceled():
            raise Cancelled
        text = _text(feature)
        if text not in found:
            found[text] = _parsed(text, feature.id())
    return found


def _text(feature: QgsFeature) -> str:
    value = sources.value_or_none(feature[MEMBERS])
    # Some formats know that a text is JSON, and QGIS then reads it.
    return json.dumps(value, ensure_ascii=False) if isinstance(value, (dict, list)) else str(value)


def _parsed(text: str, number: int) -> Members:
    try:
        members = json.loads(text)
    except ValueError:
        members = None
    if not isinstance(members, dict) or not all(_is_tiers(tiers) for tiers in members.values()):
        raise SwcError("assigning.unreadable", feature=number, text=text[:80])
    return members


def _is_tiers(tiers: Any) -> bool:
    return isinstance(tiers, list) and all(isinstance(tier, str) for tier in tiers)


def _fields(before: Iterable[QgsField]) -> QgsFields:
    """Return the fields of the pieces with those of the decision in place of older ones."""
    made, new = QgsFields(), {*_BEFORE_GRADE, GRADE, *_AFTER_GRADE}
    for field in before:
        if field.name() not in new:
            made.append(field)
    for name in _BEFORE_GRADE:
        made.append(string_field(name))
    made.append(whole_field(GRADE))
    for name in _AFTER_GRADE:
        made.append(string_field(name))
    return made


def _write(
    shown: sources.Snapshot,
    decided: Mapping[str, Decision],
    names: Mapping[str, str],
    fields: QgsFields,
    sink: QgsFeatureSink,
    feedback: QgsProcessingFeedback,
) -> None:
    answers = {text: _values(decision, names) for text, decision in decided.items()}
    kept = [shown.fields.indexOf(name) for name in fields.names()]
    kept = kept[: len(kept) - len(_BEFORE_GRADE) - 1 - len(_AFTER_GRADE)]
    for feature in shown.shown.getFeatures(shown.request):
        if feedback.isCanceled():
            raise Cancelled
        made = QgsFeature(fields)
        made.setGeometry(feature.geometry())
        made.setAttributes([*(feature.attribute(place) for place in kept), *answers[_text(feature)]])
        if not sink.addFeature(made, QgsFeatureSink.Flag.FastInsert):
            raise SwcError("host.sink_failed", output=OUTPUT, reason=sink.lastError())
    sink.flushBuffer()


def _values(decision: Decision, names: Mapping[str, str]) -> list[Any]:
    """Return the values of the new fields; lists as in the pieces of a result."""
    said = {**decision, "zone_name": names[decision["zone"]]}
    return [_shown_value(said[name]) for name in (*_BEFORE_GRADE, GRADE, *_AFTER_GRADE)]


def _shown_value(value: Any) -> Any:
    return ";".join(map(str, value)) if isinstance(value, list) else value
