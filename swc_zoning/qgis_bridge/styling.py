# SPDX-License-Identifier: GPL-2.0-or-later
"""How results look in QGIS: the styles of the engine, and the group in which a result is kept.

A group belongs to one place of results and is found again by a custom property, as users rename and
move groups. A re-run into the same place takes away the layers that the last run put there, and
nothing else: layers of the user in the group, and layers moved out of it, stay.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from qgis.core import (
    QgsLayerTreeGroup,
    QgsLayerTreeLayer,
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
from swc_zoning.engine.messages import SwcError, sentence
from swc_zoning.qgis_bridge import results
from swc_zoning.qgis_bridge.compat import set_sort_key

#: On a group: the key of its results. On the node of a layer: which output it is.
RUN_PROPERTY = "swc_zoning/run"
#: On the node of a layer: the run that put it there.
STAMP_PROPERTY = "swc_zoning/stamp"
#: On a group: the name it was given, so that one given by the user is left alone.
TITLE_PROPERTY = "swc_zoning/title"

ZONING, SUMMARY = "zoning.gpkg", "summary.json"


@dataclass(frozen=True)
class _Look:
    """An output of a run: its layer in the result file, its style, whether it is seen at first."""

    layer: str
    qml: Callable[[Mapping[str, str], str], str]
    seen: bool = True


#: By output, in the order of the legend; a style takes zone names (code -> name) and the language.
_LOOKS: Mapping[str, _Look] = {
    "FINDINGS": _Look("findings", lambda names, lang: styles.findings_qml(lang)),
    "SLIVERS": _Look("slivers", lambda names, lang: styles.slivers_qml(lang), seen=False),
    "CONFLICTS": _Look("conflicts", lambda names, lang: styles.conflicts_qml()),
    "ZONES": _Look("zones", lambda names, lang: styles.zones_qml(names, "zones")),
    "PIECES": _Look("pieces", lambda names, lang: styles.zones_qml(names, "pieces"), seen=False),
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


def key_of(folder: str | Path) -> str:
    """Return the key of the group for results in `folder`."""
    return Path(folder).absolute().as_posix()


def show_result(
    project: QgsProject, folder: Path, lang: str, key: str = "", title: str = ""
) -> QgsLayerTreeGroup:
    """Load the layers of the result in `folder`, styled, into the group of `key`; return the group.

    The layers read ``zoning.gpkg`` itself; those of an earlier result in the group go, slivers and
    pieces come hidden. `key` is the folder where it is "", `title` the name of the group where it is
    new. Call it in the main thread. Raises SwcError host.result_layer, host.style_failed.
    """
    folder, key = Path(folder), key or key_of(folder)
    names = zone_names(folder / SUMMARY, lang)
    layers = {output: _opened(folder, output, names, lang) for output in _LOOKS}
    root, stamp = project.layerTreeRoot(), uuid.uuid4().hex
    group = group_of(root, key, title or folder.name)
    _clear(project, group, stamp)
    for output, layer in layers.items():
        project.addMapLayer(layer, False)
        node = QgsLayerTreeLayer(layer)
        _mark(node, output, stamp)
        group.insertChildNode(_place(group, output), node)
    return group


def _opened(folder: Path, output: str, names: Mapping[str, str], lang: str) -> QgsVectorLayer:
    look = _LOOKS[output]
    layer = results.open_layer(folder / ZONING, look.layer)
    layer.setName(sentence(f"inputs.{look.layer}", {}, lang))
    apply(layer, look.qml(names, lang))
    return layer


# --- results of Processing -------------------------------------------------------------------------

#: Stylers that QGIS has still to call.
_waiting: list[ResultStyler] = []


class ResultStyler(QgsProcessingLayerPostProcessorInterface):
    """Styles one result layer and puts it in the group of its run; runs in the main thread.

    `run` is the key of the group ("": in none), `stamp` tells one run into it from another. QGIS keeps
    no reference to a styler; `attach` does, one for each output.
    """

    def __init__(
        self, output: str, names: Mapping[str, str], lang: str, run: str, group: str, stamp: str = ""
    ) -> None:
        super().__init__()
        self._output = output
        self._qml = _LOOKS[output].qml(names, lang)
        self._run, self._group, self._stamp = run, group, stamp

    @property
    def rank(self) -> int:
        """Return the place of its output in the legend."""
        return _rank(self._output)

    def postProcessLayer(  # noqa: N802 (QGIS calls this name)
        self, layer: QgsMapLayer, context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> None:
        """Style the layer; move it to the group of the run where it is in the layer tree."""
        if self in _waiting:
            _waiting.remove(self)
        apply(layer, self._qml)
        layer.setCustomProperty(RUN_PROPERTY, self._run)
        layer.triggerRepaint()
        if self._run and context.project() is not None:
            self._move(context.project(), layer)

    def _move(self, project: QgsProject, layer: QgsMapLayer) -> None:
        root = project.layerTreeRoot()
        node = root.findLayer(layer.id())
        if node is None:
            return
        group = group_of(root, self._run, self._group)
        _clear(project, group, self._stamp)
        moved = node.clone()
        _mark(moved, self._output, self._stamp)
        group.insertChildNode(_place(group, self._output), moved)
        # Only now: a layer whose last node is removed leaves the project.
        node.parent().removeChildNode(node)


def attach(context: QgsProcessingContext, layer_id: str, styler: ResultStyler) -> None:
    """Have `styler` called for a result layer that will be loaded, and keep it alive until then."""
    _waiting.append(styler)
    details = context.layerToLoadOnCompletionDetails(layer_id)
    details.setPostProcessor(styler)
    set_sort_key(details, len(_LOOKS) - styler.rank)


# --- groups ----------------------------------------------------------------------------------------


def group_of(root: QgsLayerTreeGroup, key: str, title: str) -> QgsLayerTreeGroup:
    """Return the group of `key`, made where there is none; a name of the user's own stays."""
    groups = (group for group in root.findGroups(True) if group.customProperty(RUN_PROPERTY) == key)
    group = next(groups, None)
    if group is None:
        group = root.insertGroup(0, title)
        group.setCustomProperty(RUN_PROPERTY, key)
    elif group.name() == group.customProperty(TITLE_PROPERTY):
        group.setName(title)
    else:
        return group
    group.setCustomProperty(TITLE_PROPERTY, title)
    return group


def _clear(project: QgsProject, group: QgsLayerTreeGroup, stamp: str) -> None:
    """Take out of `group` the layers that other runs put there; the user's own stay."""
    for node in list(_ours(group)):
        if node.customProperty(STAMP_PROPERTY, "") != stamp:
            layer = node.layerId()
            group.removeChildNode(node)
            # Shown elsewhere too, it is the user's now.
            if project.layerTreeRoot().findLayer(layer) is None:
                project.removeMapLayer(layer)


def _ours(group: QgsLayerTreeGroup) -> Iterator[QgsLayerTreeLayer]:
    for node in group.children():
        if isinstance(node, QgsLayerTreeLayer) and node.customProperty(RUN_PROPERTY) in _LOOKS:
            yield node


def _mark(node: QgsLayerTreeLayer, output: str, stamp: str) -> None:
    node.setCustomProperty(RUN_PROPERTY, output)
    node.setCustomProperty(STAMP_PROPERTY, stamp)
    node.setExpanded(output == "ZONES")
    if not _LOOKS[output].seen:
        node.setItemVisibilityChecked(False)


def _place(group: QgsLayerTreeGroup, output: str) -> int:
    """Return where an output belongs: below the last one that stands above it in the legend.

    Results arrive in any order, and QGIS may have put this one among its fellows already.
    """
    ranks = [_rank(_output_of(child)) for child in group.children()]
    above = [place for place, rank in enumerate(ranks) if rank <= _rank(output)]
    return above[-1] + 1 if above else 0


def _output_of(node: QgsLayerTreeNode) -> str:
    return node.customProperty(RUN_PROPERTY) or ""


def _rank(output: str) -> int:
    return {name: number for number, name in enumerate(_LOOKS)}.get(output, len(_LOOKS))
