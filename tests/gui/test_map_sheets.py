# SPDX-License-Identifier: GPL-2.0-or-later
"""Map sheets made from a window: they are drawn in the main thread, which goes on living meanwhile."""

from __future__ import annotations

import pytest
from qgis.PyQt.QtCore import QThread, QTimer

from swc_zoning.gui.runner import Runner

MAPS = "swc_zoning:makemaps"


@pytest.fixture
def runner(provider):
    made = Runner()
    yield made
    made.close()


def asked(city_result, folder, sheets):
    chosen = {"SHEETS": sheets, "FORMATS": [2], "DPI": 72}
    return {"RESULT": str(city_result), "OUTPUT": str(folder), **chosen}


def test_sheets_are_made_from_a_window_that_stays_alive(runner, city_result, tmp_path, qtbot):
    ended, told, beats, threads = [], [], [], set()
    runner.progressed.connect(lambda share, name, left: told.append((share, name)))
    runner.progressed.connect(lambda *_: threads.add(QThread.currentThread()))
    timer = QTimer()
    timer.timeout.connect(lambda: beats.append(runner.busy))
    timer.start(20)
    parameters = asked(city_result, tmp_path / "图", [0, 4, 5])
    runner.run(MAPS, parameters, lambda ok, results: ended.append((ok, results)), "maps")
    qtbot.waitUntil(lambda: bool(ended), timeout=120_000)
    timer.stop()
    assert ended[0][0], told
    assert len(list((tmp_path / "图").glob("*.png"))) == 3
    assert [name for _, name in told if name.startswith("0")] == sorted(
        name for _, name in told if name.startswith("0")
    )
    assert [share for share, _ in told] == sorted(share for share, _ in told)
    assert beats.count(True) > 5
    assert threads == {QThread.currentThread()}


@pytest.mark.parametrize("after", ["Reading layers", "01"])
def test_sheets_can_be_cancelled_at_any_time_and_leave_nothing(runner, city_result, tmp_path, qtbot, after):
    ended = []

    def cancel(share, name, left):
        if name.startswith(after):
            QTimer.singleShot(0, runner.cancel)

    runner.progressed.connect(cancel)
    runner.run(
        MAPS, asked(city_result, tmp_path / "图", [0, 1, 2, 3]), lambda *told: ended.append(told), "maps"
    )
    qtbot.waitUntil(lambda: bool(ended), timeout=120_000)
    assert not ended[0][0]
    assert runner.cancelled
    assert not (tmp_path / "图").exists()
