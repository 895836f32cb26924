# SPDX-License-Identifier: GPL-2.0-or-later
"""The page of the layers, used as a planner would."""

from __future__ import annotations

import json
import os
import shutil

import pytest
from child import engine
from qgis.core import QgsFeature, QgsGeometry, QgsMimeDataUtils, QgsVectorLayer
from qgis.PyQt.QtCore import QMimeData, QPoint, Qt, QTimer, QUrl
from qgis.PyQt.QtGui import QDropEvent
from qgis.PyQt.QtWidgets import QApplication, QDialogButtonBox

from swc_zoning.gui import copies, layer_rows
from swc_zoning.gui.layers_page import LayersPage
from swc_zoning.gui.page import Level
from swc_zoning.gui.proposal_dialog import Candidate, ProposalDialog
from swc_zoning.gui.role_combo import role_name
from swc_zoning.gui.tier_dialog import TierDialog
from swc_zoning.qgis_bridge import surveys


@pytest.fixture
def page(desk, tmp_path, qtbot):
    desk.session.set_folder(tmp_path / "work")
    made = LayersPage(desk)
    qtbot.addWidget(made)
    made.show()
    return made


@pytest.fixture
def filled(page, desk, city, qtbot):
    """The page with the job of the demo city, looked through."""
    desk.session.open_job(city / "job.json")
    qtbot.waitUntil(lambda: all(row["state"] != "being looked at" for row in rows(page)), timeout=20_000)
    return page


def rows(page):
    return page.form.view.rows_model.rows


def row(page, role):
    return next(one for one in rows(page) if one["role"] == role_name(role))


def click(qtbot, button):
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def entry(desk, role):
    return next(one for one in desk.session.job["layers"] if one["role"] == role)


def place(desk, role):
    return next(n for n, one in enumerate(desk.session.job["layers"]) if one["role"] == role)


def in_dialog(kind, act):
    """Do something in the next dialog of this kind, and press OK."""

    def look():
        dialog = QApplication.activeModalWidget()
        if not isinstance(dialog, kind):
            QTimer.singleShot(20, look)
            return
        act(dialog)
        dialog.findChild(QDialogButtonBox).button(QDialogButtonBox.StandardButton.Ok).click()
        if dialog.isVisible():
            dialog.reject()

    QTimer.singleShot(20, look)


def settle(dialog):
    """Choose the reserve where reserve and park are alike."""
    for combo in dialog.combos:
        if combo.role() == "?":
            combo.set_role("nature_reserve")
            combo.chosen.emit("nature_reserve")


def polygons(name, *fields, features=1):
    layer = QgsVectorLayer(
        "Polygon?crs=EPSG:4549&" + "&".join(f"field={one}:string" for one in fields), name, "memory"
    )
    for number in range(features):
        feature = QgsFeature(layer.fields())
        wkt = f"POLYGON(({number} 0, {number} 1, {number + 1} 1, {number + 1} 0, {number} 0))"
        feature.setGeometry(QgsGeometry.fromWkt(wkt))
        feature.setAttributes([f"{one}{number}" for one in fields])
        layer.dataProvider().addFeature(feature)
    return layer


# --- the table -------------------------------------------------------------------------------------


def test_every_layer_has_a_state_in_words_and_its_reasons(filled):
    assert len(rows(filled)) == 20
    redline = row(filled, "ecological_redline")
    assert redline["level"] == Level.DONE
    assert redline["state"] == "complete"
    assert "Recognised with a confidence of" in redline["why"]
    assert "STBHHX" in redline["why"]
    assert redline["share"] == "97 %"
    wetland = row(filled, "important_wetland")
    assert wetland["level"] == Level.OPEN
    assert wetland["state"] == "approval number missing"


def test_a_missing_file_and_a_missing_field_are_problems(page, desk, city, qtbot, tmp_path):
    copy = shutil.copytree(city, tmp_path / "city")
    desk.session.open_job(copy / "job.json")
    job = layer_rows.edited(desk.session.job, 2, {"id_field": "NONE"})
    desk.session.set_job(job)
    os.remove(copy / "绿化" / "FHL.gpkg")
    page.activate()
    qtbot.waitUntil(lambda: sum(one["level"] == Level.PROBLEM for one in rows(page)) == 2, timeout=20_000)
    assert {one["state"] for one in rows(page) if one["level"] == Level.PROBLEM} == {
        "file missing",
        "fields missing: NONE",
    }
    assert page.state().words == "Layers with a problem: 2"


def test_expected_layers_that_are_not_there_are_named(filled, desk):
    assert filled.form.missing.isHidden()
    filled.form.choose([place(desk, "ecological_redline")])
    filled.remove()
    assert role_name("ecological_redline") in filled.form.missing.text()
    assert "not known" in filled.form.missing.text()
    assert filled.state().level == Level.OPEN


def test_buttons_that_cannot_be_used_say_why(page):
    assert page.state().level == Level.OPEN
    assert "layer" in page.form.tiers.toolTip()
    assert "project" in page.form.refresh.toolTip()
    assert not page.form.remove.isEnabled()


# --- adding ----------------------------------------------------------------------------------------


def test_layers_of_the_project_are_recognised_and_read_in_place(page, desk, city, project, qtbot):
    for file in ("三线/STBHHX.gpkg", "基础/XZQ.gpkg", "水务/SYDBHQ.gpkg"):
        project.addMapLayer(QgsVectorLayer(str(city / file), file.rpartition("/")[2][:-5], "ogr"))
    seen = {}
    in_dialog(ProposalDialog, lambda dialog: seen.update((c.found.layer, r) for c, r in dialog.choices()))
    click(qtbot, page.form.add_project)
    assert seen == {"STBHHX": "ecological_redline", "XZQ": "admin_extent", "SYDBHQ": "drinking_water_source"}
    assert desk.session.job["extent"]["code_field"] == "XZQDM"
    redline = entry(desk, "ecological_redline")
    assert redline["source"] == str(city / "三线" / "STBHHX.gpkg")
    assert redline["tier"] == {"field": "HXLX"}
    assert redline["id_field"] == "HXBM"
    assert not (desk.session.folder / "inputs").exists()


def test_all_layers_of_a_folder_are_proposed(page, desk, city, qtbot):
    counts = []

    def act(dialog):
        counts.append(len(dialog.combos))
        settle(dialog)

    in_dialog(ProposalDialog, act)
    page.add_files([city])
    qtbot.waitUntil(lambda: len(desk.session.job["layers"]) > 5, timeout=30_000)
    assert counts == [29]
    assert entry(desk, "permanent_basic_farmland")["source"].endswith("YJJBNTTB.shp")
    assert entry(desk, "urban_development_boundary")["source"].endswith("CZKFBJ.gdb")


def test_a_layer_in_the_job_is_not_proposed_again(filled, desk, city, qtbot):
    said = []
    filled.desk.say = lambda level, words: said.append(words)
    filled.add_files([city / "三线"])
    qtbot.waitUntil(lambda: bool(said), timeout=20_000)
    assert "already" in said[0]


def test_nothing_unlikely_is_chosen_and_equal_roles_are_asked(qtbot):
    shared = surveys.Found("/d/SHARED.gpkg", "ZRBHD", ("X",), "Polygon", 3)
    nothing = surveys.Found("/d/abc.gpkg", "abc", ("X",), "Polygon", 3)
    dialog = ProposalDialog(
        [Candidate(shared, None, {"source": "a"}), Candidate(nothing, None, {"source": "b"})]
    )
    qtbot.addWidget(dialog)
    ok = dialog.findChild(QDialogButtonBox).button(QDialogButtonBox.StandardButton.Ok)
    assert [combo.role() for combo in dialog.combos] == ["?", ""]
    assert not ok.isEnabled()
    assert "alike" in ok.toolTip()
    dialog.combos[0].set_role("nature_reserve")
    dialog.combos[0].chosen.emit("nature_reserve")
    assert ok.isEnabled()
    assert [role for _, role in dialog.choices()] == ["nature_reserve"]


def test_only_the_likeliest_layer_becomes_the_extent(city, qtbot):
    found = [surveys.of_file(city / name)[0] for name in ("水务/SBGN.gpkg", "基础/XZQ.gpkg")]
    dialog = ProposalDialog([Candidate(one, None, {"source": one.source}) for one in found])
    qtbot.addWidget(dialog)
    assert layer_rows.preferred(layer_rows.recognised(found[0])) == "admin_extent"
    assert [combo.role() for combo in dialog.combos] == ["", "admin_extent"]
    dialog.combos[0].set_role("admin_extent")
    dialog.combos[0].chosen.emit("admin_extent")
    assert "one layer" in dialog._why.text()


def test_a_filtered_layer_is_copied_as_shown_and_copied_anew_when_it_changes(
    page, desk, city, project, qtbot
):
    layer = QgsVectorLayer(str(city / "三线" / "STBHHX.gpkg"), "STBHHX", "ogr")
    layer.setSubsetString("HXLX = '水源涵养'")
    project.addMapLayer(layer)
    in_dialog(ProposalDialog, settle)
    click(qtbot, page.form.add_project)
    qtbot.waitUntil(lambda: len(desk.session.job["layers"]) == 1, timeout=20_000)
    path = desk.session.folder / "inputs" / "STBHHX.gpkg"
    assert entry(desk, "ecological_redline")["source"] == str(path)
    note = copies.notes(path.parent)["STBHHX.gpkg"]
    assert note["filter"] == "HXLX = '水源涵养'"
    assert note["copied"] == layer.featureCount() == surveys.of_file(path)[0].count
    layer.setSubsetString("")
    page.activate()
    qtbot.waitUntil(lambda: "refresh" in rows(page)[0]["why"], timeout=10_000)
    click(qtbot, page.form.refresh)
    qtbot.waitUntil(lambda: surveys.of_file(path)[0].count == layer.featureCount(), timeout=20_000)
    qtbot.waitUntil(lambda: "refresh" not in rows(page)[0]["why"], timeout=10_000)


def test_layers_of_one_name_get_copies_of_their_own(page, desk, project, qtbot):
    for features in (1, 2):
        project.addMapLayer(polygons("生态保护红线/a", "HXLX", features=features))
    in_dialog(ProposalDialog, settle)
    click(qtbot, page.form.add_project)
    qtbot.waitUntil(lambda: len(desk.session.job["layers"]) == 2, timeout=20_000)
    files = {one["source"] for one in desk.session.job["layers"]}
    assert {surveys.of_file(page._inputs() / os.path.basename(one))[0].count for one in files} == {1, 2}


def test_without_a_working_folder_a_copy_is_refused_in_words(desk, project, qtbot):
    page = LayersPage(desk)
    qtbot.addWidget(page)
    project.addMapLayer(polygons("生态保护红线", "HXLX"))
    candidate = page._candidate(next(iter(project.mapLayers().values())))
    assert candidate.place is None
    assert "working folder" in candidate.hindered


def test_files_are_dropped_onto_the_page(page, desk, city, qtbot):
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(city / "三线" / "STBHHX.gpkg"))])
    buttons, keys = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    event = QDropEvent(QPoint(5, 5), Qt.DropAction.CopyAction, data, buttons, keys)
    in_dialog(ProposalDialog, settle)
    page.dropEvent(event)
    qtbot.waitUntil(lambda: len(desk.session.job["layers"]) == 1, timeout=20_000)


def test_layers_of_the_layer_tree_are_dropped_onto_the_page(page, desk, city, project, qtbot):
    layer = QgsVectorLayer(str(city / "三线" / "STBHHX.gpkg"), "STBHHX", "ogr")
    project.addMapLayer(layer)
    data = QgsMimeDataUtils.encodeUriList([QgsMimeDataUtils.Uri(layer)])
    in_dialog(ProposalDialog, settle)
    buttons, keys = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    page.dropEvent(QDropEvent(QPoint(5, 5), Qt.DropAction.CopyAction, data, buttons, keys))
    assert entry(desk, "ecological_redline")["source"] == str(city / "三线" / "STBHHX.gpkg")


def test_a_result_on_the_map_is_no_input(page, desk, city_result, project, qtbot):
    desk.session.set_result(city_result)
    desk.show_result(city_result)
    said = []
    desk.say = lambda level, words: said.append(words)
    click(qtbot, page.form.add_project)
    assert project.mapLayers()
    assert "no polygon layer" in said[0]


# --- papers, roles, tiers --------------------------------------------------------------------------


def test_papers_of_several_layers_are_set_at_once(filled, desk, qtbot):
    chosen = [place(desk, "important_wetland"), place(desk, "river_lake_management")]
    filled.form.choose(chosen)
    edit = filled.form.papers.texts["approval_no"]
    edit.clear()
    qtbot.keyClicks(edit, "A-1")
    qtbot.keyClick(edit, Qt.Key.Key_Return)
    assert [desk.session.job["layers"][at]["approval_no"] for at in chosen] == ["A-1", "A-1"]
    assert "approval_no" not in entry(desk, "soil_erosion")
    assert filled.form.chosen() == chosen


def test_values_that_differ_are_kept_until_one_is_typed(filled, desk, qtbot):
    filled.form.choose([place(desk, "ecological_redline"), place(desk, "nature_park")])
    edit = filled.form.papers.texts["approval_no"]
    assert edit.text() == ""
    assert edit.placeholderText() == "several values"
    before = desk.session.job
    qtbot.keyClick(edit, Qt.Key.Key_Return)
    assert desk.session.job == before


def test_the_code_field_of_the_extent_is_chosen_in_the_form(filled, desk):
    filled.form.choose(["extent"])
    combo = filled.form.papers.choices["id_field"]
    assert combo.currentText() == "XZQDM"
    index = combo.findText("XZQMC")
    assert index > 0
    combo.setCurrentIndex(index)
    combo.activated.emit(index)
    assert desk.session.job["extent"]["code_field"] == "XZQMC"
    assert "id_field" not in desk.session.job["extent"]


def test_a_new_role_takes_its_own_tiers(filled, desk):
    at = place(desk, "nature_park")
    filled.form.choose([at])
    filled.form.papers.role.chosen.emit("nature_reserve")
    changed = desk.session.job["layers"][at]
    assert changed["role"] == "nature_reserve"
    assert changed.get("tier", {}).get("field") != "BHLX"
    assert changed["approval_no"]


def test_a_layer_becomes_the_extent_and_stays_checkable(filled, desk):
    at = place(desk, "land_mask")
    filled.form.choose([at])
    filled.form.papers.role.chosen.emit("admin_extent")
    assert desk.session.job["extent"]["source"].endswith("LYFW.gpkg")
    assert not {"tier", "role", "use"} & set(desk.session.job["extent"])


def test_a_layer_that_is_not_used_stays_in_the_job(filled, desk, qtbot):
    at = place(desk, "soil_erosion")
    filled.form.choose([at])
    filled.form.papers.used.click()
    assert desk.session.job["layers"][at]["use"] is False
    assert row(filled, "soil_erosion")["state"] == "not used"
    filled.form.papers.used.click()
    assert "use" not in desk.session.job["layers"][at]


def test_words_of_a_field_are_mapped_to_tiers(filled, desk, qtbot):
    at = place(desk, "permanent_basic_farmland")
    redline = place(desk, "ecological_redline")
    desk.session.set_job(layer_rows.edited(desk.session.job, redline, {"tier": None}))
    filled.form.choose([redline])
    dialog = TierDialog(desk.runner, desk.session.job["layers"][redline], ("HXBM", "HXLX"))
    qtbot.addWidget(dialog)
    qtbot.waitUntil(lambda: dialog.values is not None, timeout=10_000)
    assert dialog.field.currentText() == "HXLX"
    assert dialog.tier()["map"]["水源涵养"] == "water_conservation"
    words = [dialog.table.item(number, 0).text() for number in range(dialog.table.rowCount())]
    combo = dialog.combos[words.index("水源涵养")]
    combo.setCurrentIndex(combo.findData("unknown"))
    assert "水源涵养" not in dialog.tier()["map"]
    assert "pending" in dialog._why.text()
    dialog.by_value.click()
    assert set(dialog.tier()) == {"value"}
    assert at >= 0


def test_chinese_words_of_an_undeclared_shapefile_are_read(city):
    found = surveys.values({"source": str(city / "三线" / "YJJBNTTB.shp")}, "BZ")
    assert found.encoding == "GB18030"
    assert any("合成" in word for word, _ in found.counts)


def test_the_tier_button_edits_the_job(filled, desk, qtbot):
    at = place(desk, "drinking_water_source")
    filled.form.choose([at])

    def choose(dialog):
        dialog.by_value.click()
        dialog.value.setCurrentIndex(dialog.value.findData("level2"))

    in_dialog(TierDialog, choose)
    click(qtbot, filled.form.tiers)
    assert desk.session.job["layers"][at]["tier"] == {"value": "level2"}


# --- profiles, head, files -------------------------------------------------------------------------


def test_a_profile_fills_what_is_empty(filled, desk, qtbot):
    at = place(desk, "ecological_redline")
    job = layer_rows.edited(desk.session.job, at, {"tier": None, "id_field": None})
    desk.session.set_job(job)
    combo = filled.form.profile_combo
    combo.setCurrentIndex(1)
    assert combo.currentText() == "National database"
    click(qtbot, filled.form.apply)
    changed = desk.session.job["layers"][at]
    assert changed["tier"] == {"field": "HXLX"}
    assert changed["id_field"] == "HXBM"
    assert entry(desk, "drinking_water_source")["tier"]["map"]


def test_an_own_profile_is_kept_with_the_working_folder(filled, desk, monkeypatch, qtbot):
    monkeypatch.setattr("qgis.PyQt.QtWidgets.QInputDialog.getText", lambda *_: ("ours", True))
    click(qtbot, filled.form.save_profile)
    assert (desk.session.folder / "profiles" / "ours.json").exists()
    assert filled.form.profile().name_en == "ours"


def test_title_date_and_crs_are_edited(filled, desk, qtbot):
    edit = filled.form.title
    edit.clear()
    qtbot.keyClicks(edit, "T")
    qtbot.keyClick(edit, Qt.Key.Key_Return)
    assert desk.session.job["title"] == "T"
    assert filled.form.crs.crs().authid() == "EPSG:4549"
    filled.form.plan_date.clear()
    assert "plan_date" not in desk.session.job


def test_a_job_that_is_saved_elsewhere_runs_there(filled, desk, tmp_path):
    target = tmp_path / "other.json"
    filled.save_job(target)
    assert json.loads(target.read_text(encoding="utf-8")) == desk.session.job
    engine("check", target)


def test_what_the_page_writes_is_a_job_that_can_be_checked(page, desk, city, qtbot):
    in_dialog(ProposalDialog, settle)
    page.add_files([city])
    qtbot.waitUntil(lambda: len(desk.session.job["layers"]) > 5, timeout=30_000)
    engine("check", desk.session.write_job())
