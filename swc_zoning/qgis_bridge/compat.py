# SPDX-License-Identifier: GPL-2.0-or-later
"""Differences between QGIS 3.22 and later, in one place."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from qgis.core import (
    Qgis,
    QgsField,
    QgsLayoutItemLabel,
    QgsLayoutItemLegend,
    QgsLegendStyle,
    QgsPalLayerSettings,
    QgsProcessingContext,
    QgsRenderContext,
    QgsTextFormat,
    QgsUnitTypes,
)
from qgis.PyQt import QtCore, QtGui, QtWidgets

_META_TYPES_FROM = 33800

#: Classes that Qt 6 moved from QtWidgets to QtGui.
_MOVED = QtGui if hasattr(QtGui, "QUndoStack") else QtWidgets
QShortcut, QUndoCommand, QUndoStack = _MOVED.QShortcut, _MOVED.QUndoCommand, _MOVED.QUndoStack


def string_field(name: str) -> QgsField:
    """Return a text field; the type enumeration changed in 3.38."""
    if Qgis.versionInt() >= _META_TYPES_FROM:
        return QgsField(name, QtCore.QMetaType.Type.QString)
    return QgsField(name, QtCore.QVariant.String)


def number_field(name: str) -> QgsField:
    """Return a field of floating-point numbers."""
    if Qgis.versionInt() >= _META_TYPES_FROM:
        return QgsField(name, QtCore.QMetaType.Type.Double)
    return QgsField(name, QtCore.QVariant.Double)


def whole_field(name: str) -> QgsField:
    """Return a field of whole numbers."""
    if Qgis.versionInt() >= _META_TYPES_FROM:
        return QgsField(name, QtCore.QMetaType.Type.Int)
    return QgsField(name, QtCore.QVariant.Int)


def kind_of(field: QgsField) -> str:
    """Return the Qt name of a field's type, such as "QString"; Qt 6 asks the type itself."""
    if hasattr(QtCore.QMetaType, "typeName"):
        return QtCore.QMetaType.typeName(field.type())
    return QtCore.QMetaType(field.type()).name()


def set_sort_key(details: QgsProcessingContext.LayerDetails, key: int) -> None:
    """Set the place of a result among its siblings where QGIS knows of it (3.32 and later)."""
    if hasattr(details, "layerSortKey"):
        details.layerSortKey = key


# --- layouts ---------------------------------------------------------------------------------------

if hasattr(Qgis, "DistanceUnit"):  # 3.30 and later
    METRES, KILOMETRES = Qgis.DistanceUnit.Meters, Qgis.DistanceUnit.Kilometers
else:
    METRES = QgsUnitTypes.DistanceUnit.DistanceMeters
    KILOMETRES = QgsUnitTypes.DistanceUnit.DistanceKilometers

if hasattr(Qgis, "TextRenderFormat"):
    ALWAYS_TEXT = Qgis.TextRenderFormat.AlwaysText
else:
    ALWAYS_TEXT = QgsRenderContext.TextFormatAlwaysText

_LEGEND_PARTS = (
    QgsLegendStyle.Style.Title,
    QgsLegendStyle.Style.Group,
    QgsLegendStyle.Style.Subgroup,
    QgsLegendStyle.Style.SymbolLabel,
)


#: Fonts with Chinese, the first that is there is taken: Linux, Windows, macOS.
_CHINESE = ("Noto Sans CJK SC", "Source Han Sans SC", "Microsoft YaHei", "PingFang SC", "SimHei")


@lru_cache(maxsize=1)
def _families() -> frozenset[str]:
    """Return the fonts that are installed; Qt 6 asks the class itself."""
    database = QtGui.QFontDatabase
    return frozenset(database.families() if hasattr(QtGui, "QUndoStack") else database().families())


def chinese_font() -> str:
    """Return the first font with Chinese that is installed, "" where there is none that is known."""
    return next((name for name in _CHINESE if name in _families()), "")


def unshaped(font: QtGui.QFont) -> QtGui.QFont:
    """Return a font that is installed and takes the plain glyph of each sign.

    Fonts with Chinese have others for digits after Latin letters, which no text of a PDF knows.
    """
    plain = QtGui.QFont(font)
    if plain.family() not in _families() and chinese_font():
        plain.setFamily(chinese_font())
    plain.setStyleStrategy(QtGui.QFont.StyleStrategy.PreferNoShaping)
    return plain


def searchable(text: QgsTextFormat, size: float | None = None) -> QgsTextFormat:
    """Return a format of text whose signs can be found in a PDF, in a size (points) of its own."""
    plain = QgsTextFormat(text)
    plain.setFont(unshaped(text.font()))
    if size is not None:
        plain.setSize(size)
    return plain


def label_font(label: QgsLayoutItemLabel) -> QtGui.QFont:
    """Return a copy of the font of a label, as it is drawn; it has a text format from 3.24 on."""
    return unshaped(label.textFormat().font() if hasattr(label, "textFormat") else label.font())


def label_size(label: QgsLayoutItemLabel) -> float:
    """Return the size of the text of a label in points."""
    if hasattr(label, "textFormat"):
        return label.textFormat().size()
    return label.font().pointSizeF()


def set_label_size(label: QgsLayoutItemLabel, size: float) -> None:
    """Set the size of the text of a label in points."""
    if hasattr(label, "setTextFormat"):
        label.setTextFormat(searchable(label.textFormat(), size))
        return
    font = unshaped(label.font())
    font.setPointSizeF(size)
    label.setFont(font)


def fade(label: QgsLayoutItemLabel, opacity: float) -> None:
    """Make the text of a label light (0..1), where that is not in the colour of its font."""
    if hasattr(label, "setTextFormat"):
        text = label.textFormat()
        text.setOpacity(opacity)
        label.setTextFormat(text)


def legend_size(legend: QgsLayoutItemLegend) -> dict[QgsLegendStyle.Style, float]:
    """Return the sizes of the texts of a legend in points; they have text formats from 3.30 on."""
    sizes = {}
    for part in _LEGEND_PARTS:
        style = legend.style(part)
        new = hasattr(style, "setTextFormat")
        sizes[part] = style.textFormat().size() if new else style.font().pointSizeF()
    return sizes


def set_legend_size(
    legend: QgsLayoutItemLegend, sizes: Mapping[QgsLegendStyle.Style, float], share: float
) -> None:
    """Set the sizes of the texts of a legend to a share of `sizes`."""
    for part, size in sizes.items():
        style = legend.style(part)
        if hasattr(style, "setTextFormat"):
            style.setTextFormat(searchable(style.textFormat(), size * share))
        else:
            font = unshaped(style.font())
            font.setPointSizeF(size * share)
            style.setFont(font)
        legend.setStyle(part, style)


def always_label(settings: QgsPalLayerSettings) -> None:
    """Have a name shown where others are in its way, if there is no better place."""
    if hasattr(settings, "placementSettings"):  # 3.26 and later
        settings.placementSettings().setOverlapHandling(Qgis.LabelOverlapHandling.AllowOverlapIfRequired)
    else:
        settings.displayAll = True
