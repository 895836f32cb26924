# SPDX-License-Identifier: GPL-2.0-or-later
"""How results look in QGIS: the styles of the engine, and the group a run is put in."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

from qgis.core import (
    QgsLayerTreeGroup,
    QgsLayerTreeNode,
    QgsMapLayer,
    QgsProcessingContext,
    QgsProcessingFeedback,
    QgsProcessingLayerPostProcessorInterface,
    QgsProject,
    QgsVectorLayer,
)
from qgis.PyQt.QtXml import QDomDocument

from swc_zoning.engine import styles
from swc_zoning.engine.messages import SwcError
from swc_zoning.qgis_bridge.compat import set_sort_key

RUN_PROPERTY = "swc_zoning/run"

#: QML by output, in the order of the legend; each takes zone names (code -> name) and the language.
_QML: Mapping[str, Callable[[Mapping[str, str], str], str]] = {
    "FINDINGS": lambda names, lang: styles.findings_qml(lang),
    "CONFLICTS": lambda names, lang: styles.conflicts_qml(),
    "ZONES": lambda names, lang: styles.zones_qml(names, "zones"),
    "PIECES": lambda names, lang: styles.zones_qml(names, "pieces"),
}


def zone_names(summary: Path, lang: str) -> dict[str, str]:
    """Return code -> name of the zones that occur in a run, in the order of its rule table."""
    rows = json.loads(summary.read_text(encoding="utf-8"))["by_zone"]
    return {row["zone"]: row[f"name_{lang}"] for row in rows}


def apply(layer: QgsVectorLayer, qml: str) -> None:
    """Give `layer` the symbols of a style document. Raises SwcError host.style_failed."""
    document = QDomDocument()
    document.setContent(qml)
    done, reason = layer.importNamedStyle(document, QgsMapLayer.StyleCategory.Symbology)
    if not done:
        raise SwcError("host.style_failed", layer=layer.name(), reason=reason)


#: Stylers that QGIS has still to call.
_waiting: list[ResultStyler] = []


class ResultStyler(QgsProcessingLayerPostProcessorInterface):
    """Styles one result layer and puts it in the group of its run; runs in the main thread.

    QGIS keeps no reference to it; `attach` does, one for each output.
    """

    def __init__(self, output: str, names: Mapping[str, str], lang: str, run: str, group: str) -> None:
        super().__init__()
        self._output = output
        self._qml = _QML[output](names, lang)
        self._run, self._group = run, group

    @property
    def rank(self) -> int:
        """Return the place of its output in the legend."""
        return list(_QML).index(self._output)

    def postProcessLayer(  # noqa: N802 (QGIS calls this name)
        self, layer: QgsMapLayer, context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> None:
        """Style the layer; move it to the group of the run where it is in the layer tree."""
        if self in _waiting:
            _waiting.remove(self)
        apply(layer, self._qml)
        layer.setCustomProperty(RUN_PROPERTY, self._run)
        layer.triggerRepaint()
        if context.project() is not None:
            self._move(context.project(), layer)

    def _move(self, project: QgsProject, layer: QgsMapLayer) -> None:
        root = project.layerTreeRoot()
        node = root.findLayer(layer.id())
        if node is None:
            return
        group = _group_of_run(root, self._run) or _new_group(root, self._run, self._group)
        moved = node.clone()
        moved.setCustomProperty(RUN_PROPERTY, self._output)
        moved.setExpanded(self._output == "ZONES")
        group.insertChildNode(_place(group, self.rank), moved)
        # Only now: a layer whose last node is removed leaves the project.
        node.parent().removeChildNode(node)


def attach(context: QgsProcessingContext, layer_id: str, styler: ResultStyler) -> None:
    """Have `styler` called for a result layer that will be loaded, and keep it alive until then."""
    _waiting.append(styler)
    details = context.layerToLoadOnCompletionDetails(layer_id)
    details.setPostProcessor(styler)
    set_sort_key(details, len(_QML) - styler.rank)


def show_result(project: QgsProject, folder: Path, lang: str, key: str, title: str) -> QgsLayerTreeGroup:
    """Load the layers of a result as they lie, styled, in the group of `key` in place of what was there."""
    root = project.layerTreeRoot()
    group = _group_of_run(root, key) or _new_group(root, key, title)
    for node in group.findLayers():
        project.removeMapLayer(node.layerId())
    names = zone_names(folder / "summary.json", lang)
    for output, qml in _QML.items():
        layer = QgsVectorLayer(f"{folder / 'zoning.gpkg'}|layername={output.lower()}", output, "ogr")
        apply(layer, qml(names, lang))
        project.addMapLayer(layer, False)
        group.addLayer(layer)
    return group


# --- groups ----------------------------------------------------------------------------------------


def _group_of_run(root: QgsLayerTreeGroup, run: str) -> QgsLayerTreeGroup | None:
    """Return the group of a run; found by its property, as users rename groups."""
    groups = (group for group in root.findGroups(True) if group.customProperty(RUN_PROPERTY) == run)
    return next(groups, None)


def _new_group(root: QgsLayerTreeGroup, run: str, name: str) -> QgsLayerTreeGroup:
    group = root.insertGroup(0, name)
    group.setCustomProperty(RUN_PROPERTY, run)
    return group


def _place(group: QgsLayerTreeGroup, rank: int) -> int:
    """Return where a layer of `rank` belongs: below the last one that stands above it in the legend.

    Results arrive in any order, and QGIS may have put this one among its fellows already.
    """
    above = [place for place, child in enumerate(group.children()) if _rank(child) <= rank]
    return above[-1] + 1 if above else 0


def _rank(child: QgsLayerTreeNode) -> int:
    places = {output: number for number, output in enumerate(_QML)}
    return places.get(child.customProperty(RUN_PROPERTY), len(places))
