# SPDX-License-Identifier: GPL-2.0-or-later
"""How what the evaluation made looks in QGIS: rasters of classes, ramps of values, patches.

What a look needs of a file (values, extremes) is read in the thread of the run; the main thread only
sets the renderer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from qgis.core import (
    QgsColorRampShader,
    QgsFeatureRequest,
    QgsGradientColorRamp,
    QgsGradientStop,
    QgsMapLayer,
    QgsPalettedRasterRenderer,
    QgsProcessingContext,
    QgsProcessingFeedback,
    QgsProcessingLayerPostProcessorInterface,
    QgsRasterBandStats,
    QgsRasterLayer,
    QgsRasterShader,
    QgsRectangle,
    QgsSingleBandPseudoColorRenderer,
    QgsVectorLayer,
)
from qgis.PyQt.QtGui import QColor

from swc_zoning.engine.evaluation import legends
from swc_zoning.qgis_bridge import styling
from swc_zoning.qgis_bridge.sources import value_or_none

#: Gives a layer its look; to be called in the main thread.
Look = Callable[[QgsMapLayer], None]

#: Cells looked at for the extremes of a ramp.
_SAMPLE = 250_000
#: Most patches that are looked at for rules that occur.
_MOST = 100_000

#: Stylers that QGIS has still to call.
_waiting: list[_Styler] = []


def look_of(path: Path, legend: str, lang: str, record: Path | None = None) -> Look | None:
    """Return the look of a file of the evaluation, None where that of QGIS will do.

    `legend` is an id of `legends`, "" for none; `record` names the rules that decided. Reads the file:
    not for the main thread.
    """
    if path.suffix == ".tif":
        layer = QgsRasterLayer(str(path), path.stem, "gdal")
        names = legends.rule_names(record, lang) if record is not None else {}
        entries = legends.classes(legend, lang) or _entries_found(layer, legend, names, lang)
        return _paletted(entries) if entries else _ramp(layer)
    if legends.is_of_patches(legend):
        return _patches(path, legend, lang)
    return None


def attach(context: QgsProcessingContext, layer_id: str, look: Look | None) -> None:
    """Have a layer that will be loaded take its look."""
    if look is None or not context.willLoadLayerOnCompletion(layer_id):
        return
    styler = _Styler(look)
    _waiting.append(styler)
    context.layerToLoadOnCompletionDetails(layer_id).setPostProcessor(styler)


def rename(context: QgsProcessingContext, layer_id: str, new_id: str) -> None:
    """Have another file loaded in place of one that was announced."""
    waiting = context.layersToLoadOnCompletion()
    if layer_id in waiting:
        waiting[new_id] = waiting.pop(layer_id)
        context.setLayersToLoadOnCompletion(waiting)


class _Styler(QgsProcessingLayerPostProcessorInterface):
    """Gives one result layer its look. QGIS keeps no reference to it, `_waiting` does."""

    def __init__(self, look: Look) -> None:
        super().__init__()
        self._look = look

    def postProcessLayer(  # noqa: N802 (QGIS calls this name)
        self, layer: QgsMapLayer, context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> None:
        """Style the layer."""
        if self in _waiting:
            _waiting.remove(self)
        self._look(layer)
        layer.triggerRepaint()


# --- rasters ---------------------------------------------------------------------------------------


def _entries_found(
    layer: QgsRasterLayer, legend: str, names: Mapping[int, str], lang: str
) -> list[legends.Entry]:
    """Return an entry for each rule, else for each number up to the greatest, where the data say them."""
    if not layer.isValid() or not legends.of_values(legend, {1: ""}, lang):
        return []
    known = names or dict.fromkeys(range(1, int(_extremes(layer)[1]) + 1), "")
    return legends.of_values(legend, known, lang)


def _paletted(entries: Sequence[legends.Entry]) -> Look:
    def show(layer: QgsMapLayer) -> None:
        made = QgsPalettedRasterRenderer.Class
        rows = [made(one.value, QColor(one.fill), one.label) for one in entries]
        layer.setRenderer(QgsPalettedRasterRenderer(layer.dataProvider(), 1, rows))

    return show


def _ramp(layer: QgsRasterLayer) -> Look | None:
    """Return a ramp over the values of a raster, of which a sample is looked at."""
    if not layer.isValid():
        return None
    least, most = _extremes(layer)
    if not least < most:
        return None

    def show(shown: QgsMapLayer) -> None:
        function = QgsColorRampShader(least, most, _gradient())
        function.classifyColorRamp(len(legends.ramp()))
        shader = QgsRasterShader(least, most)
        shader.setRasterShaderFunction(function)
        renderer = QgsSingleBandPseudoColorRenderer(shown.dataProvider(), 1, shader)
        renderer.setClassificationMin(least)
        renderer.setClassificationMax(most)
        shown.setRenderer(renderer)

    return show


def _extremes(layer: QgsRasterLayer) -> tuple[float, float]:
    wanted = QgsRasterBandStats.Stats.Min | QgsRasterBandStats.Stats.Max
    found = layer.dataProvider().bandStatistics(1, wanted, QgsRectangle(), _SAMPLE)
    return found.minimumValue, found.maximumValue


def _gradient() -> QgsGradientColorRamp:
    first, *middle, last = [QColor(colour) for colour in legends.ramp()]
    stops = [
        QgsGradientStop(number / (len(middle) + 1), colour) for number, colour in enumerate(middle, start=1)
    ]
    return QgsGradientColorRamp(first, last, False, stops)


# --- patches ---------------------------------------------------------------------------------------


def _patches(path: Path, legend: str, lang: str) -> Look | None:
    layer = QgsVectorLayer(str(path), path.stem, "ogr")
    fields = legends.patch_fields(legend, lang)
    if not set(fields[:2]) <= set(layer.fields().names()):
        return None
    request = QgsFeatureRequest()
    request.setFlags(QgsFeatureRequest.Flag.NoGeometry)
    request.setLimit(_MOST)
    named = [name for name in fields if name in layer.fields().names()]
    found = set()
    for feature in layer.getFeatures(request):
        said = [str(value_or_none(feature[name]) or "") for name in named]
        found.add((*said, *[""] * (len(fields) - len(said))))
    qml = legends.patches_qml(legend, found, lang)
    return lambda shown: styling.apply(shown, qml)
