# SPDX-License-Identifier: GPL-2.0-or-later
"""The plugin object, with and without windows; the language users are spoken to in."""

from __future__ import annotations

import pytest
from qgis.core import QgsApplication, QgsSettings

from swc_zoning import classFactory
from swc_zoning.qgis_bridge import i18n


def provider():
    return QgsApplication.processingRegistry().providerById("swc_zoning")


def test_without_windows_the_provider_is_registered_once_and_taken_away(qgis_processing):
    plugin = classFactory(None)
    plugin.initProcessing()
    plugin.initProcessing()
    assert provider().name() == "SWC Zoning"
    plugin.unload()
    assert provider() is None


def test_with_windows_there_is_a_menu_entry_until_it_is_unloaded(qgis_processing, qgis_iface):
    calls = []

    class Menus:
        def mainWindow(self):
            return qgis_iface.mainWindow()

        def addPluginToVectorMenu(self, menu, action):
            calls.append(("add", menu, action.objectName()))

        def removePluginVectorMenu(self, menu, action):
            calls.append(("remove", menu, action.objectName()))

    plugin = classFactory(Menus())
    plugin.initGui()
    assert provider() is not None
    plugin.unload()
    name = "swcZoningDelineateZones"
    menu = "Soil and Water Conservation Zoning"
    assert calls == [("add", menu, name), ("remove", menu, name)]
    assert provider() is None


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
