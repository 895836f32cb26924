# SPDX-License-Identifier: GPL-2.0-or-later
"""The dock as a whole: pages and their states, the demo city from an empty project, what runs."""

from __future__ import annotations

import csv
import gc
import threading

from qgis.core import QgsApplication
from qgis.PyQt.QtCore import Qt
from qgis.PyQt.QtGui import QGuiApplication

from swc_zoning.engine.messages import Cancelled
from swc_zoning.gui.desk import Desk
from swc_zoning.gui.tables import Column, RowsModel, RowsView, as_text, write_csv
from swc_zoning.gui.workbench import PAGES
from swc_zoning.gui.zoning_page import ZoningPage


def shown(bench):
    return [bench._list.item(number).text() for number in range(bench._list.count())]


def test_every_page_is_listed_with_words_for_its_state(workbench):
    assert len(shown(workbench)) == len(PAGES)
    for page, text in zip(workbench.pages, shown(workbench)):
        title, _, words = text.partition("\n")
        assert title == page.title()
        assert words == page.state().words != ""


def test_any_page_can_be_opened_in_any_order_by_keyboard(workbench, qtbot):
    workbench._list.setFocus()
    for number in (len(PAGES) - 1, 0, len(PAGES) // 2):
        workbench._list.setCurrentRow(number)
        assert workbench._stack.currentIndex() == number
    qtbot.keyClick(workbench._list, Qt.Key.Key_Home)
    assert workbench._stack.currentIndex() == 0


def test_the_demo_city_goes_from_an_empty_project_to_a_coloured_zoning(workbench, qtbot, project, tmp_path):
    desk = workbench.desk
    with qtbot.waitSignal(desk.runner.started):
        workbench.make_demo(tmp_path)
    assert not workbench._demo.isEnabled()
    assert workbench._running.isVisible()
    qtbot.waitUntil(lambda: desk.session.result is not None and not desk.runner.busy, timeout=120_000)
    assert desk.session.folder.parent == tmp_path
    assert desk.session.job["layers"]
    legend = [category.label() for category in desk.result_layer("zones").renderer().categories()]
    assert "Prohibited-activity control zone" in legend
    assert not workbench._running.isVisible()
    assert isinstance(workbench.pages[workbench._stack.currentIndex()], ZoningPage)


def test_a_second_run_waits_for_the_first(desk, city, tmp_path, qtbot):
    from swc_zoning.engine.messages import SwcError

    done = []
    parameters = {"JOB": str(city / "job.json"), "OUTPUT": str(tmp_path / "result")}
    desk.runner.run("swc_zoning:delineatezones", parameters, lambda ok, results: done.append(ok), "first")
    try:
        desk.runner.run("swc_zoning:delineatezones", parameters, lambda ok, results: None, "second")
        refused = ""
    except SwcError as error:
        refused = error.code
    assert refused == "session.busy"
    qtbot.waitUntil(lambda: done == [True], timeout=60_000)


def test_what_goes_wrong_in_a_run_is_said(desk, tmp_path, qtbot):
    said, done = [], []
    desk.runner.said.connect(lambda severity, text: said.append((severity, text)))
    (tmp_path / "job.json").write_text('{"schema": 1, "layers": []}', encoding="utf-8")
    parameters = {"JOB": str(tmp_path / "job.json"), "OUTPUT": str(tmp_path / "result")}
    desk.runner.run("swc_zoning:delineatezones", parameters, lambda ok, results: done.append(ok), "run")
    qtbot.waitUntil(lambda: done == [False], timeout=30_000)
    assert any(severity == "error" and "layer" in text for severity, text in said)


def test_work_hands_over_results_and_errors(desk, qtbot):
    outcomes = []

    def fails():
        raise ValueError("no")

    desk.runner.work(lambda: 41 + 1, outcomes.append)
    desk.runner.work(fails, outcomes.append)
    qtbot.waitUntil(lambda: len(outcomes) == 2, timeout=5_000)
    assert 42 in outcomes
    assert any(isinstance(one, ValueError) for one in outcomes)


def test_a_run_does_not_end_in_the_next_project(desk, city, tmp_path, qtbot, project):
    ended, answers = [], []
    desk.session.set_folder(tmp_path)
    desk.session.open_job(city / "job.json")
    parameters = {"JOB": str(desk.session.write_job()), "OUTPUT": str(tmp_path / "result")}
    with qtbot.waitSignal(desk.runner.progressed, timeout=60_000):
        desk.runner.run("swc_zoning:delineatezones", parameters, lambda *end: ended.append(end), "Zoning")
    desk.runner.work(lambda: 1, answers.append)
    with qtbot.waitSignal(desk.runner.finished, timeout=10_000):
        project.clear()
    with qtbot.waitSignal(desk.runner.finished, timeout=60_000):
        desk.runner.run("swc_zoning:democity", {"OUTPUT": str(tmp_path / "x")}, lambda *end: None, "Demo")
    assert (ended, answers) == ([], [])


def test_a_window_that_goes_while_a_run_is_on_leaves_nothing_to_fall_over(
    qgis_iface, provider, project, city, tmp_path, qtbot
):
    desk = Desk(qgis_iface, project)
    parameters = {"JOB": str(city / "job.json"), "OUTPUT": str(tmp_path / "result")}
    with qtbot.waitSignal(desk.runner.progressed, timeout=60_000):
        desk.runner.run("swc_zoning:delineatezones", parameters, lambda *end: None, "Zoning")
    desk.close()
    del desk
    gc.collect()
    qtbot.waitUntil(lambda: QgsApplication.taskManager().countActiveTasks() == 0, timeout=10_000)
    assert not (tmp_path / "result").exists()


def test_work_cancelled_before_its_turn_says_so(desk, qtbot):
    answers = []
    manager = QgsApplication.taskManager()
    before = {id(task) for task in manager.tasks()}
    wait = threading.Event()
    for _ in range(64):
        desk.runner.work(lambda: wait.wait(20), lambda said: None)
    desk.runner.work(lambda: 1, answers.append)
    newest = [task for task in manager.tasks() if id(task) not in before]
    for task in newest:
        task.cancel()
    wait.set()
    qtbot.waitUntil(lambda: bool(answers), timeout=20_000)
    assert answers == [1] or isinstance(answers[0], Cancelled)


def test_a_table_sorts_by_number_and_copies_what_is_selected(qtbot):
    model = RowsModel([Column("Name", "name"), Column("Area", "area", 2)])
    view = RowsView(model)
    qtbot.addWidget(view)
    model.set_rows([{"name": "a", "area": 10.0}, {"name": "b", "area": 9.5}])
    view.sortByColumn(1, Qt.SortOrder.AscendingOrder)
    assert view.row_at(view.model().index(0, 0))["name"] == "b"
    view.selectRow(0)
    qtbot.keyClick(view, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert QGuiApplication.clipboard().text() == "Name\tArea\nb\t9.50"
    assert as_text(model).count("\n") == 2


def test_a_table_on_disk_runs_no_formula(tmp_path):
    model = RowsModel([Column("Name", "name"), Column("Area", "area", 2)])
    model.set_rows([{"name": "=1+1", "area": -1.5}])
    write_csv(model, tmp_path / "table.csv")
    with (tmp_path / "table.csv").open(encoding="utf-8-sig", newline="") as file:
        assert list(csv.reader(file)) == [["Name", "Area"], ["'=1+1", "-1.5"]]


def test_the_python_of_the_engine_is_found_before_it_is_asked_for(qgis_iface, project, provider, qtbot):
    from swc_zoning.gui.workbench import Workbench
    from swc_zoning.qgis_bridge import host

    host.search.cache_clear()
    made = Workbench(qgis_iface, project)
    qtbot.addWidget(made)
    assert host.search.cache_info().currsize == 0
    made.show()
    qtbot.waitUntil(lambda: host.search.cache_info().currsize == 1, timeout=20_000)
    made.unload()
