# SPDX-License-Identifier: GPL-2.0-or-later
"""A preview on the map: the pieces of a result in other colours, marked as such, and all of it undone.

The preview is a style of its own beside those of the layer, so that the former one is kept whole, in
a project saved meanwhile too. What else is altered is noted on the nodes of the layer tree.
"""

from __future__ import annotations

from typing import Any

from qgis.core import QgsLayerTreeLayer, QgsProject, QgsVectorLayer

from swc_zoning.qgis_bridge import styling

#: Name of the style; on nodes: the former name of the layer, and whether it was shown.
STYLE = "swc_zoning preview"
_NAME, _SHOWN = "swc_zoning/preview_name", "swc_zoning/preview_shown"
#: On the layer: the style it had.
_FORMER = "swc_zoning/preview_former"


class MapPreview:
    """Shows a preview on one layer at a time. For the main thread."""

    def __init__(self, project: QgsProject) -> None:
        self._project = project
        self._layer_id = ""

    @property
    def is_shown(self) -> bool:
        """Return whether a preview is on the map."""
        return self._layer() is not None

    def show(self, layer: QgsVectorLayer, covering: QgsVectorLayer | None, qml: str, suffix: str) -> None:
        """Give `layer` the look of `qml`, its name the `suffix`, and hide what is `covering` it.

        Shown again, only the look changes. Raises SwcError host.style_failed.
        """
        if self._layer() is not layer:
            self.drop()
            manager = layer.styleManager()
            former = manager.currentStyle()
            manager.addStyleFromLayer(STYLE)
            manager.setCurrentStyle(STYLE)
            # In the preview style alone: it goes with it.
            layer.setCustomProperty(_FORMER, former)
            self._layer_id = layer.id()
            self._alter(layer, True, f"{layer.name()}{suffix}")
            if covering is not None:
                self._alter(covering, False)
        styling.apply(layer, qml)
        layer.triggerRepaint()

    def drop(self) -> None:
        """Restore the layer and the layer tree as they were."""
        if self._layer_id:
            layer, self._layer_id = self._layer(), ""
            restore(self._project, layer)

    def _layer(self) -> QgsVectorLayer | None:
        layer = self._project.mapLayer(self._layer_id) if self._layer_id else None
        return layer if isinstance(layer, QgsVectorLayer) else None

    def _alter(self, layer: QgsVectorLayer, shown: bool, name: str = "") -> None:
        node = self._project.layerTreeRoot().findLayer(layer.id())
        if node is None:
            return
        node.setCustomProperty(_SHOWN, node.itemVisibilityChecked())
        node.setItemVisibilityChecked(shown)
        if name:
            node.setCustomProperty(_NAME, layer.name())
            node.setName(name)


def restore(project: QgsProject, layer: QgsVectorLayer | None) -> None:
    """Take a preview off `layer` and off the layer tree, one that was saved with the project too."""
    if layer is not None:
        _restore_style(layer)
    for node in project.layerTreeRoot().findLayers():
        _restore_node(node)


def _restore_style(layer: QgsVectorLayer) -> None:
    manager = layer.styleManager()
    former = [name for name in manager.styles() if name != STYLE]
    if STYLE not in manager.styles() or not former:
        return
    if manager.currentStyle() == STYLE:
        manager.setCurrentStyle(layer.customProperty(_FORMER) or former[0])
    manager.removeStyle(STYLE)
    layer.triggerRepaint()


def _restore_node(node: QgsLayerTreeLayer) -> None:
    shown, name = node.customProperty(_SHOWN), node.customProperty(_NAME)
    if shown is not None:
        node.setItemVisibilityChecked(_is_true(shown))
        node.removeCustomProperty(_SHOWN)
    if name:
        node.setName(name)
        node.removeCustomProperty(_NAME)


def _is_true(value: Any) -> bool:
    """Return a truth that may have been through a project file, as text."""
    return str(value).lower() in ("true", "1")
