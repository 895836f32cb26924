# SPDX-License-Identifier: GPL-2.0-or-later
"""The options page: settings kept as typed, the environment looked at in the background."""

from __future__ import annotations

import os
import threading
import time

import pytest
from qgis.core import QgsSettings
from qgis.PyQt.QtWidgets import QApplication

from swc_zoning.gui.options_page import OptionsFactory, OptionsPage
from swc_zoning.qgis_bridge import environment, host, i18n
from swc_zoning.qgis_bridge.settings import Settings, most_workers


@pytest.fixture(autouse=True)
def _as_before(qgis_app):
    yield
    QgsSettings().remove("swc_zoning")
    host.search.cache_clear()


@pytest.fixture
def page(qtbot):
    made = OptionsPage()
    qtbot.addWidget(made)
    made.show()
    qtbot.waitUntil(lambda: made.found is not None, timeout=60000)
    return made


def test_settings_come_back_as_their_types_whatever_is_stored():
    settings = Settings()
    assert (settings.python, settings.workers, settings.language) == ("", 1, "auto")
    settings.workers = 2
    assert Settings().workers == min(2, most_workers())
    for nonsense in ("many", "-3", "0", None, "1e9"):
        QgsSettings().setValue("swc_zoning/workers", nonsense)
        assert Settings().workers == 1
    QgsSettings().setValue("swc_zoning/workers", "9999")
    assert Settings().workers == most_workers()
    QgsSettings().setValue("swc_zoning/language", "fr")
    assert Settings().language == "auto"


def test_the_temporary_folder_is_ours_before_that_of_processing():
    QgsSettings().setValue("Processing/Configuration/TEMP_PATH2", "/of/processing")
    try:
        assert Settings().temp_folder == "/of/processing"
        Settings().own_temp_folder = "/ours"
        assert Settings().temp_folder == "/ours"
    finally:
        QgsSettings().remove("Processing/Configuration/TEMP_PATH2")


def test_the_language_of_the_setting_is_spoken(monkeypatch):
    monkeypatch.delenv(i18n.VARIABLE)
    Settings().language = "zh"
    assert i18n.language() == "zh"
    Settings().language = "en"
    assert i18n.language() == "en"


def test_the_report_names_the_interpreter_and_its_versions(page):
    said = page.report.toPlainText()
    assert os.environ["SWC_ZONING_PYTHON"] in said
    for name in (*host.FLOORS, "python"):
        assert name in said
    assert page.again.isEnabled()


@pytest.mark.parametrize(
    ("system", "words"),
    [("windows", "OSGeo4W Shell"), ("macos", "-m venv"), ("linux", "sudo apt install python3-geopandas")],
)
def test_each_platform_has_its_commands(page, system, words):
    page.system.setCurrentIndex(page.system.findData(system))
    said = page.report.toPlainText()
    assert words in said
    assert '"shapely>=2.0"' in said
    assert "--no-index" in said


def test_the_commands_are_told_in_chinese_too():
    for system in environment.PLATFORMS:
        for step in environment.remedies(system, "zh"):
            assert any("一" <= letter <= "鿿" for letter in step.words)


def test_a_chosen_interpreter_that_lacks_packages_is_refused_by_name(page, qtbot, tmp_path):
    empty = tmp_path / "python3"
    empty.write_text('#!/bin/sh\necho \'{"python": [3, 11, 2], "packages": {}}\'\n', encoding="utf-8")
    empty.chmod(0o755)
    page.found = None
    page.take_interpreter(str(empty))
    qtbot.waitUntil(lambda: page.found is not None, timeout=60000)
    said = page.report.toPlainText()
    assert str(empty) in said
    assert "lacks" in said
    assert os.environ["SWC_ZONING_PYTHON"] in said


def test_applying_keeps_what_was_entered_and_nothing_before(page, tmp_path):
    page.language.setCurrentIndex(page.language.findData("zh"))
    page.folder.setFilePath(str(tmp_path))
    assert Settings().working_folder == ""
    page.apply()
    assert Settings().working_folder == str(tmp_path)
    assert Settings().language == "zh"
    assert QgsSettings().value("swc_zoning/language") == "zh"


def test_the_check_runs_in_another_thread_and_the_window_stays_awake(qtbot, monkeypatch):
    threads = []

    def slow(preferred, lang, again=False):
        threads.append(threading.current_thread())
        time.sleep(0.5)
        return environment.Environment("/a/python", False, {}, ())

    monkeypatch.setattr(environment, "examine", slow)
    started = time.perf_counter()
    made = OptionsPage()
    qtbot.addWidget(made)
    assert time.perf_counter() - started < 0.4
    assert not made.again.isEnabled()
    assert made.again.toolTip()
    qtbot.waitUntil(lambda: made.found is not None, timeout=5000)
    assert threads[0] is not threading.main_thread()


def test_a_page_closed_during_the_check_is_left_alone(qtbot):
    factory = OptionsFactory()
    page = factory.createWidget(None)
    host.search.cache_clear()
    page.check(again=True)
    page.deleteLater()
    for _ in range(20):
        QApplication.processEvents()
        time.sleep(0.05)
