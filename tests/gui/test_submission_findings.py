# SPDX-License-Identifier: GPL-2.0-or-later
"""Findings of the check of a package: filtered, seen on the map, accepted with a reason."""

from __future__ import annotations

import json

import pytest
from qgis.core import QgsCoordinateReferenceSystem
from qgis.PyQt.QtWidgets import QDialogButtonBox

from swc_zoning.gui.accept_dialog import AcceptDialog
from swc_zoning.gui.submission_findings import FindingsPanel

BSM = ("990101000000000001", "990101000000000002")


def finding(code, severity, layer="SBGKFQ", **said):
    return {"code": code, "severity": severity, "layer": layer, "text": f"{code} is wrong", "fix": "", **said}


FOUND = [
    finding("4102", "error", bsm=BSM[0], place=[120.5, 31.0]),
    finding("6502", "warning", "CTB", key="K04"),
    finding("6502", "warning", "CTB", key="K05"),
    finding("4301", "warning", bsm=BSM[0], key="HX|YN"),
    finding("4301", "warning", bsm=BSM[1], key="HX|YN"),
    finding("4301", "warning", bsm=BSM[1], key="HX|KF"),
    finding("4302", "info", bsm=BSM[0]),
]


@pytest.fixture
def panel(desk, tmp_path, qtbot):
    desk.session.set_folder(tmp_path)
    made = FindingsPanel(desk)
    qtbot.addWidget(made)
    made.show()
    made.show_findings(FOUND)
    made._grouped.setChecked(False)
    return made


def dialog(panel, number, qtbot):
    made = AcceptDialog(FOUND[number], FOUND, "示范单位", panel)
    qtbot.addWidget(made)
    return made


def choose(panel, number):
    panel.table.selectRow(number)


def test_an_error_cannot_be_accepted_and_a_note_need_not_be(panel):
    assert "Choose" in panel._accept.toolTip()
    choose(panel, 0)
    assert not panel._accept.isEnabled()
    assert "mended" in panel._accept.toolTip()
    choose(panel, 6)
    assert not panel._accept.isEnabled()
    choose(panel, 1)
    assert panel._accept.isEnabled(), panel._accept.toolTip()


def test_a_group_is_accepted_as_one_and_the_rest_stays_open(panel, qtbot):
    asked = dialog(panel, 3, qtbot)
    labels = [button.text() for button in asked.group.buttons()]
    assert [label.rpartition(" ")[2] for label in labels] == ["(2)", "(1)", "(3)"]
    asked.reason.setPlainText("界线以批准为准，\n不予调整")
    panel.accept(asked.acceptance())
    assert panel.counts() == {"error": 1, "warning": 3, "accepted": 2, "info": 1}
    rows = {(row["code"], row.get("bsm"), row.get("key")): row for row in panel.table.rows_model.rows}
    assert rows["4301", BSM[0], "HX|YN"]["reason"] == "界线以批准为准， 不予调整"
    assert rows["4301", BSM[1], "HX|KF"]["reason"] == ""


def test_one_can_be_accepted_alone_or_all_of_a_rule(panel, qtbot):
    asked = dialog(panel, 3, qtbot)
    asked.reason.setPlainText("reason")
    asked.group.button(1).setChecked(True)
    assert (asked.acceptance().layer, asked.acceptance().key) == ("SBGKFQ", BSM[0])
    panel.accept(asked.acceptance())
    assert panel.counts()["accepted"] == 1
    asked.group.button(2).setChecked(True)
    panel.accept(asked.acceptance())
    assert panel.counts()["accepted"] == 3


def test_nothing_is_accepted_without_a_reason(panel, qtbot):
    asked = dialog(panel, 1, qtbot)
    ok = asked.buttons.button(QDialogButtonBox.StandardButton.Ok)
    asked.reason.setPlainText("  ")
    assert not ok.isEnabled()
    assert "reason" in ok.toolTip()
    asked.reason.setPlainText("listed")
    assert ok.isEnabled()


def test_what_is_accepted_is_kept_for_the_engine_and_for_the_next_day(panel, desk, tmp_path, qtbot):
    from swc_zoning.engine.submission import order

    asked = dialog(panel, 1, qtbot)
    asked.reason.setPlainText("listed with its settling rule")
    panel.accept(asked.acceptance())
    kept = json.loads((tmp_path / "acceptances.json").read_text(encoding="utf-8"))["accepted"]
    assert order.load({"compiler": "示范单位", "accept": kept}).accept[0].key == "K04"
    again = FindingsPanel(desk)
    qtbot.addWidget(again)
    again.take_folder()
    again.show_findings(FOUND)
    assert again.counts()["accepted"] == 1


def test_what_was_accepted_can_be_taken_back(panel, qtbot):
    asked = dialog(panel, 3, qtbot)
    asked.reason.setPlainText("reason")
    panel.accept(asked.acceptance())
    choose(panel, 4)
    assert panel._undo.isEnabled()
    panel._undo.click()
    assert panel.counts()["accepted"] == 0


def test_findings_are_filtered_by_standing_and_by_words(panel):
    panel._which.setCurrentIndex(panel._which.findData("error"))
    assert [row["code"] for row in panel.table.rows_model.rows] == ["4102"]
    panel._which.setCurrentIndex(0)
    panel._words.setText(BSM[1])
    assert len(panel.table.rows_model.rows) == 2


def test_a_double_click_shows_the_place_in_degrees_on_a_map_in_metres(panel):
    canvas = panel.desk.canvas
    canvas.setDestinationCrs(QgsCoordinateReferenceSystem("EPSG:4549"))
    choose(panel, 0)
    panel.table.doubleClicked.emit(panel.table.currentIndex())
    centre = canvas.extent().center()
    assert (round(centre.x(), -2), round(centre.y(), -3)) == (547800, 3431000)
    assert 100 < canvas.extent().width() < 3000


def test_thousands_of_findings_do_not_hold_the_window_up(panel, longest_gap):
    many = [finding("4201", "warning", bsm=f"9901010000{n:08}", place=[120.5, 31.0]) for n in range(5000)]
    with longest_gap() as gap:
        panel.show_findings(many)
    assert gap.seconds < 0.1


def test_what_is_accepted_together_is_one_row_with_its_number(panel):
    assert panel.groups() == 4
    panel._grouped.setChecked(True)
    rows = {(row["code"], row.get("key")): row["count"] for row in panel.table.rows_model.rows}
    assert rows["4301", "HX|YN"] == 2
    assert rows["6502", "K04"] == 1
    assert sum(rows.values()) == len(FOUND)
