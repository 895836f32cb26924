# SPDX-License-Identifier: GPL-2.0-or-later
"""The plugin object, with and without windows; the language users are spoken to in."""

from __future__ import annotations

import pytest
from qgis.core import QgsApplication, QgsSettings
from qgis.PyQt.QtCore import QCoreApplication, QEvent, QObject
from qgis.PyQt.QtWidgets import QMainWindow

from swc_zoning import classFactory
from swc_zoning.qgis_bridge import i18n

#: Qt 5 takes the number, Qt 6 the value of the enumeration.
_DEFERRED = getattr(QEvent.Type.DeferredDelete, "value", QEvent.Type.DeferredDelete)


def provider():
    return QgsApplication.processingRegistry().providerById("swc_zoning")


def test_without_windows_the_provider_is_registered_once_and_taken_away(qgis_processing):
    plugin = classFactory(None)
    plugin.initProcessing()
    plugin.initProcessing()
    assert provider().name() == "SWC Zoning"
    plugin.unload()
    assert provider() is None


class Interface:
    """The part of the interface of QGIS that a plugin hangs things on, with a real main window and canvas."""

    def __init__(self, iface):
        self.window = QMainWindow()
        self._iface = iface
        self.menu = []
        self.bar = []
        self.options = []

    def mainWindow(self):
        return self.window

    def mapCanvas(self):
        return self._iface.mapCanvas()

    def messageBar(self):
        return self._iface.messageBar()

    def addDockWidget(self, area, dock):
        self.window.addDockWidget(area, dock)

    def removeDockWidget(self, dock):
        self.window.removeDockWidget(dock)

    def addPluginToVectorMenu(self, menu, action):
        self.menu.append(action.objectName())

    def removePluginVectorMenu(self, menu, action):
        self.menu.remove(action.objectName())

    def registerOptionsWidgetFactory(self, factory):
        self.options.append(factory.title())

    def unregisterOptionsWidgetFactory(self, factory):
        self.options.remove(factory.title())

    def addToolBarIcon(self, action):
        self.bar.append(action.objectName())

    def removeToolBarIcon(self, action):
        if action.objectName() in self.bar:
            self.bar.remove(action.objectName())


def hung(window):
    """Return what hangs on a window once everything that was to be deleted is gone."""
    QCoreApplication.sendPostedEvents(None, _DEFERRED)
    return sorted(f"{type(one).__name__} {one.objectName()}" for one in window.findChildren(QObject))


def test_loaded_and_unloaded_twenty_times_nothing_stays(qgis_processing, qgis_iface, qgis_new_project):
    interface = Interface(qgis_iface)
    before = hung(interface.window)
    tasks = QgsApplication.taskManager().count()
    for _ in range(20):
        plugin = classFactory(interface)
        plugin.initGui()
        assert provider() is not None
        assert interface.options == ["SWC Zoning"]
        assert interface.menu == ["swcZoningWorkbenchAction", "swcZoningDelineateZones"]
        plugin.unload()
        assert provider() is None
    assert interface.menu == interface.bar == interface.options == []
    assert hung(interface.window) == before
    assert QgsApplication.taskManager().count() == tasks


@pytest.mark.parametrize(("locale", "lang"), [("zh_CN", "zh"), ("zh-Hans", "zh"), ("de_DE", "en")])
def test_the_language_is_that_of_qgis(qgis_app, monkeypatch, locale, lang):
    monkeypatch.delenv(i18n.VARIABLE)
    settings = QgsSettings()
    settings.setValue("locale/overrideFlag", True)
    settings.setValue("locale/userLocale", locale)
    try:
        assert i18n.language() == lang
    finally:
        settings.remove("locale/overrideFlag")
        settings.remove("locale/userLocale")


def test_without_a_locale_of_qgis_the_environment_decides(qgis_app, monkeypatch):
    monkeypatch.delenv(i18n.VARIABLE)
    monkeypatch.setattr(i18n.QgsApplication, "locale", staticmethod(lambda: "C"))
    monkeypatch.delenv("LC_ALL", raising=False)
    monkeypatch.delenv("LC_MESSAGES", raising=False)
    monkeypatch.setenv("LANG", "zh_CN.UTF-8")
    assert i18n.language() == "zh"
