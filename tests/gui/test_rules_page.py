# SPDX-License-Identifier: GPL-2.0-or-later
"""The page Rules as a planner uses it: edit, see at once what it does, undo, exchange, be warned."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest
from qgis.PyQt.QtCore import Qt
from qgis.PyQt.QtGui import QGuiApplication
from qgis.PyQt.QtWidgets import QComboBox, QDialogButtonBox, QLineEdit, QSpinBox, QStyleOptionViewItem

from swc_zoning import vendored
from swc_zoning.engine import rule_sheets, rules
from swc_zoning.gui.page import Level
from swc_zoning.gui.rule_model import KEYS
from swc_zoning.gui.rules_page import RulesPage

ROOT = Path(__file__).resolve().parents[2]
CTRL = Qt.KeyboardModifier.ControlModifier


@pytest.fixture
def page(desk, qtbot, tmp_path):
    desk.session.set_folder(tmp_path / "work")
    made = RulesPage(desk)
    qtbot.addWidget(made)
    made.resize(900, 900)
    made.show()
    return made


@pytest.fixture(scope="session")
def carried(tmp_path_factory):
    """The folder of the libraries that the package carries along."""
    folder = tmp_path_factory.mktemp("stage")
    command = [sys.executable, str(ROOT / "tools/stage.py"), "--output", str(folder)]
    subprocess.run(command, check=True, capture_output=True)
    return folder / "swc_zoning" / "_vendor"


def index(page, table, name, key):
    page.show_table(table)
    rows = page.document.rows(table)
    row = next(n for n, one in enumerate(rows) if one.get("id", one.get("code")) == name)
    return page._proxy.mapFromSource(page.model.index(row, page.model.column_of(key)))


def edit(page, table, name, key, value):
    """Edit a cell with the editor its column has, as the view does it."""
    cell = index(page, table, name, key)
    editor = page.delegate.createEditor(page.view.viewport(), QStyleOptionViewItem(), cell)
    page.delegate.setEditorData(editor, cell)
    if isinstance(editor, QComboBox):
        editor.setCurrentIndex(editor.findData(value))
    elif isinstance(editor, QSpinBox):
        editor.setValue(value)
    else:
        editor.setText(value)
    page.delegate.setModelData(editor, page._proxy, cell)
    editor.deleteLater()


def row(page, table, name):
    return next(one for one in page.document.rows(table) if one.get("id", one.get("code")) == name)


def codes(page):
    return {finding.code for finding in page.findings}


def checked(page, qtbot):
    qtbot.waitUntil(lambda: not page._timer.isActive(), timeout=3000)


def test_the_shipped_table_is_shown_without_errors(page):
    assert page.model.rowCount() == 28
    assert page.state().level is Level.DONE
    assert "shanghai" in page.state().words
    assert page.desk.session.rules is None
    shown = index(page, "rules", "R02", "any_of").data()
    assert shown == "Drinking-water source zones:Level-1 protection zone"


def test_a_zone_chosen_in_the_box_reaches_session_and_file(page, qtbot):
    edit(page, "rules", "R11", "zone", "PREV_STRICT")
    checked(page, qtbot)
    session = page.desk.session
    assert next(one for one in session.rules["rules"] if one["id"] == "R11")["zone"] == "PREV_STRICT"
    written = json.loads((session.folder / "rules.json").read_text(encoding="utf-8"))
    assert written == session.rules
    assert session.table().rules["R11"]["zone"] == "PREV_STRICT"
    assert page.state().level is Level.DONE


def test_the_shipped_table_itself_is_never_changed(page, qtbot):
    before = json.dumps(rules.read(), sort_keys=True)
    edit(page, "rules", "R02", "zone", "GENERAL")
    edit(page, "zones", "PROHIBIT", "rank", 5)
    page.remove()
    checked(page, qtbot)
    assert json.dumps(rules.read(), sort_keys=True) == before


def test_ctrl_z_undoes_and_ctrl_y_does_again(page, qtbot):
    edit(page, "rules", "R11", "zone", "PREV_STRICT")
    checked(page, qtbot)
    page.activateWindow()
    page.view.setFocus()
    qtbot.waitUntil(page.view.hasFocus, timeout=3000)
    qtbot.keyClick(page.view, Qt.Key.Key_Z, CTRL)
    qtbot.waitUntil(lambda: row(page, "rules", "R11")["zone"] == "PREV_GENERAL")
    checked(page, qtbot)
    assert page.desk.session.rules is None
    assert not (page.desk.session.folder / "rules.json").exists()
    qtbot.keyClick(page.view, Qt.Key.Key_Y, CTRL)
    qtbot.waitUntil(lambda: row(page, "rules", "R11")["zone"] == "PREV_STRICT")


def test_an_error_is_found_at_once_marked_with_a_sign_and_leads_to_its_row(page, qtbot):
    edit(page, "zones", "PREV_STRICT", "rank", 1)
    checked(page, qtbot)
    assert "rules.rank_shared" in codes(page)
    assert page.state().level is Level.PROBLEM
    cell = index(page, "zones", "PROHIBIT", "rank")
    assert cell.data().startswith("✖")
    assert cell.data(Qt.ItemDataRole.BackgroundRole) is not None
    assert index(page, "zones", "PREV_STRICT", "rank").data().startswith("✖")
    page.show_table("rules")
    item = next(i for i in (page._list.item(n) for n in range(page._list.count())) if "rank" in i.text())
    page._list.itemClicked.emit(item)
    assert page.model.table == "zones"
    assert page._current() == 0
    assert "errors" in page.bench.answer.toPlainText()


def test_a_condition_is_picked_from_roles_and_tiers(page, qtbot):
    source = page._proxy.mapToSource(index(page, "rules", "R02", "any_of"))
    dialog = page.picker(source)
    qtbot.addWidget(dialog)
    dialog.tree.tick("drinking_water_source", "quasi")
    dialog.tree.tick("nature_park")
    assert dialog._line.text() == (
        "Drinking-water source zones:Level-1 protection zone, Quasi-protection zone; Nature park"
    )
    page.model.setData(source, dialog.conditions)
    assert row(page, "rules", "R02")["any_of"] == [
        {"role": "drinking_water_source", "tiers": ["level1", "quasi"]},
        {"role": "nature_park", "tiers": None},
    ]


def test_a_condition_can_be_written_and_a_wrong_one_says_why(page, qtbot):
    dialog = page.picker(page._proxy.mapToSource(index(page, "rules", "R02", "any_of")))
    qtbot.addWidget(dialog)
    dialog._line.clear()
    qtbot.keyClicks(dialog._line, "nature_parc")
    ok = dialog.buttons.button(QDialogButtonBox.StandardButton.Ok)
    assert not ok.isEnabled()
    assert "nature_park" in ok.toolTip()
    dialog._line.clear()
    qtbot.keyClicks(dialog._line, "nature_park:geopark")
    assert ok.isEnabled()
    assert dialog.conditions == [{"role": "nature_park", "tiers": ["geopark"]}]
    assert dialog.tree.conditions() == dialog.conditions


def test_two_conditions_of_one_role_stay_two_when_another_role_is_ticked(page, qtbot):
    source = page._proxy.mapToSource(index(page, "conflicts", "K01", "all_of"))
    twice = [{"role": "nature_park", "tiers": ["geopark"]}, {"role": "nature_park", "tiers": None}]
    page.model.setData(source, twice)
    dialog = page.picker(source)
    qtbot.addWidget(dialog)
    dialog.tree.tick("soil_erosion")
    assert dialog.conditions == [*twice, {"role": "soil_erosion", "tiers": None}]


def test_measures_are_picked_from_their_texts(page, qtbot):
    source = page._proxy.mapToSource(index(page, "rules", "R19", "measures"))
    dialog = page.picker(source)
    qtbot.addWidget(dialog)
    dialog.list.item(0).setCheckState(Qt.CheckState.Checked)
    page.model.setData(source, dialog.measures)
    assert row(page, "rules", "R19")["measures"] == ["M01", "M26"]


def test_rows_are_added_duplicated_removed_and_moved(page, qtbot):
    page.select("rules", 1)
    page.duplicate()
    assert [one["id"] for one in page.document.rows("rules")][:4] == ["R01", "R02", "R29", "R03"]
    assert page._current() == 2
    page.add()
    assert row(page, "rules", "R30")["any_of"] == []
    page.select("zones", 1)
    page.move_by(-1)
    assert [(z["code"], z["rank"]) for z in page.document.rows("zones")][:2] == [
        ("PREV_STRICT", 1),
        ("PROHIBIT", 2),
    ]
    page.select("measures", 0)
    page.remove()
    assert page.document.rows("measures")[0]["id"] == "M02"
    for _ in range(4):
        page.document.undo_stack.undo()
    assert page.document.is_shipped()


def test_removing_a_statutory_rule_is_told_and_never_silent(page, qtbot):
    page.select("rules", 1)
    page.remove()
    checked(page, qtbot)
    assert "rule_changes.removed" in codes(page)
    assert page.state().level is Level.PROBLEM
    assert "Weakens what follows from law: 1" in page.state().words
    assert any("R02" in page._list.item(n).text() for n in range(page._list.count()))


def test_lowering_a_statutory_rule_marks_its_zone_and_is_kept_as_changed(page, qtbot):
    edit(page, "rules", "R02", "zone", "GENERAL")
    checked(page, qtbot)
    cell = index(page, "rules", "R02", "zone")
    assert cell.data().startswith("⚠")
    head = page.model.headerData(1, Qt.Orientation.Vertical)
    assert "✎" in head
    assert "§" in head
    assert "PROHIBIT" in cell.data(Qt.ItemDataRole.ToolTipRole)


def test_the_bench_answers_what_is_ticked_at_once(page, qtbot):
    page.bench.tree.tick("drinking_water_source", "level1")
    page.bench.tree.tick("permanent_basic_farmland", "pbf")
    said = page.bench.answer.toPlainText()
    decision = rules.decide(
        page.desk.session.table(), {"drinking_water_source": "level1", "permanent_basic_farmland": "pbf"}
    )
    assert "Prohibited-activity control zone" in said
    for one in (*decision["measures"], *decision["basis"], *decision["conflicts"], *decision["rules"]):
        assert one in said
    assert "Ecology and environment" in said
    assert "confirmed" in said


def test_the_bench_follows_an_edited_rule(page, qtbot):
    page.bench.tree.tick("drinking_water_source", "level1")
    edit(page, "rules", "R02", "zone", "GENERAL")
    checked(page, qtbot)
    assert "PROHIBIT" not in page.bench.answer.toPlainText().split("\n")[0]


def test_a_role_alone_on_the_bench_is_of_an_unknown_tier(page):
    page.bench.tree.tick("drinking_water_source")
    assert page.bench.membership() == {"drinking_water_source": ["unknown"]}
    assert "pending" in page.bench.answer.toPlainText()


def test_the_search_narrows_the_rows(page, qtbot):
    page.search.setText("Nature park")
    shown = [page._proxy.index(n, 0).data() for n in range(page._proxy.rowCount())]
    assert "R05" in shown
    assert "R03" not in shown


def test_typing_into_a_search_that_hides_rows_edits_the_row_that_is_shown(page, qtbot):
    page.search.setText("vegetation")
    cell = page._proxy.index(0, page.model.column_of("note_en"))
    page._proxy.setData(cell, "seen")
    assert row(page, "rules", "R17")["note_en"] == "seen"


def test_json_and_a_workbook_go_out_and_come_back(page, qtbot, tmp_path, carried, monkeypatch):
    monkeypatch.setattr(vendored, "FOLDER", carried)
    edit(page, "rules", "R11", "note_en", "=changed")
    wanted = page.document.document
    for name in ("表.xlsx", "table.json"):
        page.export_table(tmp_path / name)
        qtbot.waitUntil((tmp_path / name).exists, timeout=20000)
        page.back_to_shipped()
        assert page.document.is_shipped()
        page.import_table(tmp_path / name)
        qtbot.waitUntil(lambda: page.document.document == wanted, timeout=20000)
        page.document.undo_stack.undo()
        assert page.document.is_shipped()
        page.document.undo_stack.undo()
        assert page.document.document == wanted


def test_a_wrong_workbook_is_listed_by_cell_and_nothing_is_taken(page, qtbot, tmp_path, carried, monkeypatch):
    monkeypatch.setattr(vendored, "FOLDER", carried)
    path = tmp_path / "t.xlsx"
    page.export_table(path)
    qtbot.waitUntil(path.exists, timeout=20000)
    book = vendored.load("openpyxl").load_workbook(path)
    book["Rules"]["C3"] = "no such role"
    book.save(path)
    page.import_table(path)
    qtbot.waitUntil(lambda: "not imported" in page._why.text(), timeout=20000)
    assert "row 3" in page._list.item(0).text()
    assert page.document.is_shipped()


def test_back_to_the_shipped_table_clears_session_and_can_be_undone(page, qtbot):
    edit(page, "rules", "R11", "zone", "PREV_STRICT")
    checked(page, qtbot)
    page.back_to_shipped()
    checked(page, qtbot)
    assert page.desk.session.rules is None
    page.document.undo_stack.undo()
    assert row(page, "rules", "R11")["zone"] == "PREV_STRICT"


def test_another_page_that_sets_rules_is_followed(page):
    document = {**rules.read(), "version": "other"}
    page.desk.session.set_rules(document)
    assert page.document.document["version"] == "other"
    assert not page.document.undo_stack.canUndo()


def test_what_was_typed_last_is_handed_over_when_the_page_is_left(page):
    edit(page, "rules", "R11", "zone", "PREV_STRICT")
    page.deactivate()
    assert page.desk.session.table().rules["R11"]["zone"] == "PREV_STRICT"


def test_a_refused_text_leaves_the_cell_as_it_was(page):
    before = row(page, "rules", "R02")
    cell = page._proxy.mapToSource(index(page, "rules", "R02", "basis"))
    with_refusal = []
    page.model.refused.connect(with_refusal.append)
    assert not page.model.setData(cell, "no such act 12")
    assert with_refusal
    assert row(page, "rules", "R02") == before


def test_a_button_that_cannot_be_used_says_why(page):
    page.view.selectionModel().clear()
    assert not page._remove.isEnabled()
    assert page._remove.toolTip() == "Select a row first"
    assert not page._undo.isEnabled()
    assert page._undo.toolTip()


def test_an_edit_and_its_check_block_the_window_for_less_than_a_tenth_of_a_second(page, qtbot):
    started = time.perf_counter()
    edit(page, "rules", "R11", "note_en", "x")
    page.check()
    assert time.perf_counter() - started < 0.1


def test_pieces_of_law_are_shown_in_chinese_to_a_chinese_user(desk, qtbot, monkeypatch):
    monkeypatch.setenv("SWC_ZONING_LANG", "zh")
    made = RulesPage(desk)
    qtbot.addWidget(made)
    assert index(made, "rules", "R02", "any_of").data() == "饮用水水源地:一级保护区"
    made.bench.tree.tick("drinking_water_source", "level1")
    assert "禁止管控区" in made.bench.answer.toPlainText()


def test_cells_are_copied_pasted_and_cleared_as_in_a_spreadsheet_and_undone_as_one(page, qtbot):
    page.activateWindow()
    page.view.setFocus()
    qtbot.waitUntil(page.view.hasFocus, timeout=3000)
    page.select("rules", 0, "any_of")
    qtbot.keyClick(page.view, Qt.Key.Key_C, CTRL)
    assert QGuiApplication.clipboard().text() == (
        "Nature reserve:Core protection area; National park:Core protection area"
    )
    page.select("rules", 2, "any_of")
    qtbot.keyClick(page.view, Qt.Key.Key_V, CTRL)
    assert row(page, "rules", "R03")["any_of"] == row(page, "rules", "R01")["any_of"]
    QGuiApplication.clipboard().setText("GENERAL\tNature park\nPROHIBIT\tno such role")
    page.select("rules", 4, "zone")
    page.paste()
    assert (row(page, "rules", "R05")["zone"], row(page, "rules", "R06")["zone"]) == ("GENERAL", "PROHIBIT")
    assert row(page, "rules", "R06")["any_of"] == rules.read()["rules"][5]["any_of"]
    page.document.undo_stack.undo()
    assert row(page, "rules", "R06")["zone"] == "PREV_STRICT"
    page.select("rules", 2, "any_of")
    qtbot.keyClick(page.view, Qt.Key.Key_Delete)
    assert row(page, "rules", "R03")["any_of"] == []


def test_a_damaged_table_of_the_project_is_told_and_an_edit_replaces_it(page, qtbot):
    session = page.desk.session
    session.set_rules({"schema": 1, "rules": 7})
    assert page.state().level is Level.PROBLEM
    assert "damaged" in page._why.text()
    assert page.document.is_shipped()
    assert session.rules == {"schema": 1, "rules": 7}
    edit(page, "rules", "R11", "zone", "PREV_STRICT")
    checked(page, qtbot)
    assert session.table().rules["R11"]["zone"] == "PREV_STRICT"
    assert page.state().level is Level.DONE


def test_a_damaged_table_of_the_project_gives_way_to_the_shipped_one(page, qtbot):
    page.desk.session.set_rules({})
    page.back_to_shipped()
    checked(page, qtbot)
    assert page.desk.session.rules is None
    assert page.state().level is Level.DONE


def test_a_row_that_is_not_filled_in_yet_is_an_error_and_does_not_break_the_page(page, qtbot):
    for table in ("zones", "rules", "measures", "conflicts", "acts"):
        page.show_table(table)
        page.add()
        checked(page, qtbot)
        assert page.state().level is Level.PROBLEM
    edit(page, "rules", "R29", "id", "lower case")
    checked(page, qtbot)
    assert "schema.pattern" in codes(page)
    page.desk.session.set_rules(dict(page.desk.session.rules))
    assert page.document.rows("rules")[-1]["id"] == "lower case"


def test_a_new_act_is_registered_and_cited(page, qtbot):
    page.show_table("acts")
    page.add()
    for key, text in (("short_zh", "新办法"), ("title_zh", "新办法"), ("title_en", "New measures")):
        edit(page, "acts", "act_01", key, text)
    edit(page, "acts", "act_01", "valid_from", "2026-01-01")
    edit(page, "rules", "R11", "basis", "法典 60; 新办法 7(2)")
    checked(page, qtbot)
    assert page.state().level is Level.DONE
    page.bench.tree.tick("swc_function_important")
    assert "新办法7(2)" in page.bench.answer.toPlainText()


def test_every_key_of_a_row_has_a_column_but_words_that_repeat_others():
    for table, keys in KEYS.items():
        known = {column.key for column in rule_sheets.columns(table)}
        assert known - set(keys) <= {"basis_text", "note", "note_zh", "note_en"}, table
        assert set(keys) <= known


def test_a_line_is_the_editor_of_a_text(page):
    cell = index(page, "rules", "R02", "note_en")
    editor = page.delegate.createEditor(page.view.viewport(), QStyleOptionViewItem(), cell)
    assert isinstance(editor, QLineEdit)
    editor.deleteLater()
