# SPDX-License-Identifier: GPL-2.0-or-later
"""Layers of comparisons and screenings in QGIS: their styles, and the group they are put in."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from qgis.core import (
    QgsLayerTreeGroup,
    QgsLayerTreeLayer,
    QgsMapLayer,
    QgsProcessingContext,
    QgsProcessingFeedback,
    QgsProcessingLayerPostProcessorInterface,
    QgsProject,
    QgsVectorLayer,
)

from swc_zoning.engine import styles
from swc_zoning.qgis_bridge import results, styling
from swc_zoning.qgis_bridge.i18n import language, text


@dataclass(frozen=True)
class Look:
    """A layer of a derived file: its name there, the code of its title, its style (None: a table)."""

    layer: str
    title: str
    qml: Callable[[Mapping[str, str]], str] | None = None


#: By output, in the order of the legend; a style takes zone names (code -> name).
LOOKS: Mapping[str, Look] = {
    "CHANGES": Look("changes", "compare.changes", lambda names: styles.changes_qml(language())),
    "MATRIX": Look("matrix", "compare.matrix"),
    "PROJECTS_OUT": Look("projects", "screen.projects_out", lambda names: styles.projects_qml(language())),
    "CROSSINGS": Look("crossings", "screen.crossings", styles.zones_qml),
    "BANNED": Look("banned", "screen.banned", lambda names: styles.banned_qml(language())),
}

#: Stylers that QGIS has still to call.
_waiting: list[DerivedStyler] = []


@dataclass(frozen=True)
class Home:
    """Where layers of one run go: key and title of the group, the run, names of zones."""

    key: str
    title: str
    names: Mapping[str, str]
    stamp: str

    @classmethod
    def of(cls, folder: Path, title: str, names: Mapping[str, str], key: str = "") -> Home:
        """Return the home of a run that writes into `folder`: the same folder (or `key`), the same group."""
        return cls(key or folder.absolute().as_posix(), title, names, uuid.uuid4().hex)


class DerivedStyler(QgsProcessingLayerPostProcessorInterface):
    """Styles one layer and puts it in the group of its run; runs in the main thread."""

    def __init__(self, output: str, home: Home) -> None:
        super().__init__()
        self._output, self._home = output, home

    def postProcessLayer(  # noqa: N802 (QGIS calls this name)
        self, layer: QgsMapLayer, context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> None:
        """Style the layer; move it to its group where it is in the layer tree."""
        if self in _waiting:
            _waiting.remove(self)
        _style(layer, self._output, self._home)
        if context.project() is None:
            return
        root = context.project().layerTreeRoot()
        node = root.findLayer(layer.id())
        if node is not None:
            moved = node.clone()
            _insert(context.project(), moved, self._output, self._home)
            # Only now: a layer whose last node is removed leaves the project.
            node.parent().removeChildNode(node)


def attach(context: QgsProcessingContext, layer_id: str, output: str, home: Home) -> None:
    """Have a layer that will be loaded styled and put in its group."""
    styler = DerivedStyler(output, home)
    _waiting.append(styler)
    context.layerToLoadOnCompletionDetails(layer_id).setPostProcessor(styler)


def show(project: QgsProject, path: Path, outputs: Sequence[str], home: Home) -> list[QgsVectorLayer]:
    """Load layers of a derived file, styled, into their group; those of an earlier run there go.

    Call it in the main thread. Raises SwcError host.result_layer, host.style_failed.
    """
    layers = []
    for output in outputs:
        layer = results.open_layer(path, LOOKS[output].layer)
        layer.setName(text(LOOKS[output].title))
        _style(layer, output, home)
        project.addMapLayer(layer, False)
        _insert(project, QgsLayerTreeLayer(layer), output, home)
        layers.append(layer)
    return layers


def _style(layer: QgsVectorLayer, output: str, home: Home) -> None:
    qml = LOOKS[output].qml
    if qml is not None:
        styling.apply(layer, qml(home.names))
        layer.triggerRepaint()


def _insert(project: QgsProject, node: Any, output: str, home: Home) -> None:
    group = styling.group_of(project.layerTreeRoot(), home.key, home.title)
    _clear(project, group, home.stamp)
    node.setCustomProperty(styling.RUN_PROPERTY, output)
    node.setCustomProperty(styling.STAMP_PROPERTY, home.stamp)
    node.setExpanded(output in ("CHANGES", "PROJECTS_OUT"))
    rank = list(LOOKS).index(output)
    group.insertChildNode(sum(_rank(child) < rank for child in group.children()), node)


def _clear(project: QgsProject, group: QgsLayerTreeGroup, stamp: str) -> None:
    """Take out of `group` what other runs put there; the user's own layers stay."""
    for node in group.findLayers():
        ours = node.customProperty(styling.RUN_PROPERTY) in LOOKS
        if ours and node.customProperty(styling.STAMP_PROPERTY, "") != stamp:
            layer = node.layerId()
            node.parent().removeChildNode(node)
            # Shown elsewhere too, it is the user's now.
            if project.layerTreeRoot().findLayer(layer) is None:
                project.removeMapLayer(layer)


def _rank(child: Any) -> int:
    output = child.customProperty(styling.RUN_PROPERTY)
    return list(LOOKS).index(output) if output in LOOKS else len(LOOKS)
