# SPDX-License-Identifier: GPL-2.0-or-later
"""Differences between QGIS 3.22 and later, in one place."""

from __future__ import annotations

from qgis.core import Qgis, QgsField, QgsProcessingContext
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
