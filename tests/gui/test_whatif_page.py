# SPDX-License-Identifier: GPL-2.0-or-later
"""The page What-if: an edited table recolours the map and says what it wins and loses."""

from __future__ import annotations

import json
import time

import pytest

from swc_zoning.engine import redecide, rules
from swc_zoning.gui.map_preview import STYLE
from swc_zoning.gui.page import Level
from swc_zoning.gui.whatif_page import WhatIfPage
from swc_zoning.paths import resource


def edited_table():
    """The shipped table with strict prevention before prohibition, and a rule with other measures."""
    document = json.loads(resource("rules", "shanghai.json").read_text(encoding="utf-8"))
    ranks = {"PROHIBIT": 2, "PREV_STRICT": 1}
    for zone in document["zones"]:
        zone["rank"] = ranks.get(zone["code"], zone["rank"])
    for rule in document["rules"]:
        if rule["id"] == "R14":
            rule["zone"], rule["measures"] = "GENPREV", ["M23"]
        if rule["id"] == "R05":
            rule["zone"] = "PREV_GENERAL"
    return document


@pytest.fixture
def page(zoned, qtbot):
    made = WhatIfPage(zoned)
    qtbot.addWidget(made)
    made.show()
    qtbot.waitUntil(lambda: made._found is not None, timeout=10_000)
    yield made
    made.unload()


@pytest.fixture
def edited(page, qtbot):
    """The page with an edited table of the project, its result on the map."""
    page.desk.show_result(page.desk.session.result.folder)
    edit(page, edited_table(), qtbot)
    return page


def edit(page, document, qtbot):
    before = page._found
    page.desk.session.set_rules(document)
    qtbot.waitUntil(lambda: page._found is not before and page._found is not None, timeout=10_000)


def looks(page):
    """All that a preview could leave behind on the map."""
    found = []
    for node in page.desk.session.project.layerTreeRoot().findLayers():
        layer, manager = node.layer(), node.layer().styleManager()
        renderer = layer.renderer().dump()
        found.append((node.name(), layer.name(), node.itemVisibilityChecked(), renderer, manager.styles()))
        found.append(
            (manager.currentStyle(), sorted(node.customProperties()), sorted(layer.customPropertyKeys()))
        )
    return found


def test_without_a_result_the_page_says_what_comes_first(desk, qtbot):
    page = WhatIfPage(desk)
    qtbot.addWidget(page)
    assert page.state().level == Level.BLOCKED
    assert page._show_button.toolTip() == page._adopt_button.toolTip() == "Zone the city first"
    page.unload()


def test_the_table_of_the_result_changes_nothing(page):
    assert page.state().level == Level.OFFERED
    assert not page._show_button.isEnabled()
    assert page._show_button.toolTip() == "The table changes nothing in this result"
    rows = page._zones.rows_model.rows
    assert all(row["lost_m2"] == row["gained_m2"] == 0 for row in rows)
    total = page.desk.session.result.summary["total"]["area_m2"]
    assert rows[-1]["before_m2"] == pytest.approx(total, abs=0.001)


def test_gains_and_losses_are_those_of_the_engine_and_close(edited):
    session = edited.desk.session
    meant = redecide.preview(redecide.read(session.result.folder), rules.load(session.rules))
    rows = edited._zones.rows_model.rows
    assert [(r["zone"], r["lost_m2"], r["gained_m2"]) for r in rows[:-1]] == [
        (r["zone"], r["lost_m2"], r["gained_m2"]) for r in meant.gains()
    ]
    assert rows[-1]["lost_m2"] == pytest.approx(rows[-1]["gained_m2"])
    assert rows[-1]["lost_m2"] > 0
    for row in edited._districts.rows_model.rows:
        assert row["balance"] == 0
    shown = [[c.shown(r) for c in edited._zones.rows_model.columns] for r in rows]
    assert any(text.startswith("+") for row in shown for text in row)
    assert any(text.startswith("-") for row in shown for text in row)
    edited._district.setCurrentIndex(1)
    assert edited._zones.rows_model.rows[-1]["before_m2"] < rows[-1]["before_m2"]


def test_pieces_take_the_colours_of_their_new_zones_and_changed_ones_are_marked(edited, qtbot):
    from qgis.core import QgsExpressionContext, QgsFeatureRequest, QgsRenderContext

    layer = edited.desk.result_layer("pieces")
    former = layer.name()
    edited._show_button.click()
    assert (layer.name(), edited._banner.isVisible()) == (f"{former} (preview)", True)
    assert (
        not edited.desk.session.project.layerTreeRoot()
        .findLayer(edited.desk.result_layer("zones").id())
        .isVisible()
    )
    preview, context = edited._found.preview, QgsRenderContext()
    context.setExpressionContext(QgsExpressionContext())
    renderer = layer.renderer()
    renderer.startRender(context, layer.fields())
    labels = {}
    for feature in layer.getFeatures(QgsFeatureRequest().setFlags(QgsFeatureRequest.NoGeometry)):
        [key] = renderer.legendKeysForFeature(feature, context)
        labels[feature["members"]] = (
            feature["zone"],
            feature["status"],
            key,
            renderer.symbolForFeature(feature, context).color().name(),
        )
    renderer.stopRender(context)
    by_key = {item.ruleKey(): item.label() for item in renderer.legendSymbolItems()}
    from swc_zoning.engine.styles import palette

    seen = set()
    for members, (zone, status, key, colour) in labels.items():
        new = preview.zone_of[members]
        assert colour == palette()["zones"][new[0]]["fill"]
        assert by_key[key].endswith("changed") == ((zone, status) != new)
        seen.add((zone, status) != new)
    assert seen == {True, False}


def test_dropping_the_preview_leaves_no_trace(edited):
    before = looks(edited)
    edited._show_button.click()
    assert looks(edited) != before
    assert edited.state().words == "Preview on the map, not adopted"
    edited._drop_button.click()
    assert looks(edited) == before
    assert not edited._banner.isVisible()
    edited._show_button.click()
    edited.unload()
    assert looks(edited) == before
    edited.desk.iface.messageBar().widgetRemoved.connect(edited._forget_note)
    project = edited.desk.session.project
    for signal in (project.layersAdded, project.layersRemoved):
        signal.connect(edited._notice_layers)


def test_the_map_follows_the_edits_and_goes_back_where_nothing_would_change(edited, qtbot):
    before = looks(edited)
    edited.activate()
    assert edited._map.is_shown
    first = edited.desk.result_layer("pieces").renderer().dump()
    second = edited_table()
    next(rule for rule in second["rules"] if rule["id"] == "R14")["zone"] = "GENERAL"
    edit(edited, second, qtbot)
    assert edited.desk.result_layer("pieces").renderer().dump() != first
    edit(edited, None, qtbot)
    assert looks(edited) == before


def test_a_preview_saved_with_the_project_is_taken_off_when_it_is_opened_again(edited, qtbot, tmp_path):
    project, before = edited.desk.session.project, looks(edited)
    edited._show_button.click()
    path = str(tmp_path / "with preview.qgz")
    assert project.write(path)
    assert project.read(path)
    layer = edited.desk.result_layer("pieces")
    assert STYLE not in layer.styleManager().styles()
    assert not layer.name().endswith("(preview)")
    assert [row[:3] for row in looks(edited)[::2]] == [row[:3] for row in before[::2]]


def test_a_combination_tells_its_rules_and_measures_in_words(edited):
    rows = edited._combinations.rows_model.rows
    lost = next(n for n, row in enumerate(rows) if row["measures_lost"])
    edited._tabs.setCurrentIndex(3)
    edited._combinations.selectRow(lost)
    told = edited._reasons.toPlainText()
    table = edited._found.preview.table
    assert "Measures lost" in told
    assert all(table.measures[one]["text_en"] in told for one in rows[lost]["measures_lost"])
    assert rows[lost]["words"] in told


def test_a_wrong_table_is_no_preview(edited, qtbot):
    edited._show_button.click()
    document = edited_table()
    document["rules"][0]["zone"] = "NOWHERE"
    edited.desk.session.set_rules(document)
    qtbot.waitUntil(lambda: edited.state().level == Level.PROBLEM, timeout=10_000)
    assert not edited._map.is_shown
    assert "has errors" in edited._adopt_button.toolTip()


def test_an_answer_that_a_later_edit_overtook_is_not_shown(page, qtbot):
    page._work(lambda: time.sleep(0.5) or "an old answer", lambda found: setattr(page, "_found", found))
    edit(page, edited_table(), qtbot)
    found = page._found
    qtbot.wait(800)
    assert page._found is found


def test_adopting_another_table_marks_the_result_as_outdated(page, qtbot, tmp_path):
    path = tmp_path / "另一张 表.json"
    path.write_text(json.dumps(edited_table()), encoding="utf-8")
    page.open_table(path)
    qtbot.waitUntil(lambda: bool(page._found and page._found.combinations), timeout=10_000)
    assert page._tables.currentText() == path.name
    assert not page.desk.session.is_outdated()
    page._adopt_button.click()
    assert page.desk.session.rules == edited_table()
    assert page.desk.session.is_outdated()
    assert page._tables.currentIndex() == 0


def test_a_city_of_200_000_pieces_is_previewed_within_two_seconds(desk, big_result, qtbot, longest_gap):
    desk.session.set_result(big_result)
    desk.show_result(big_result)
    desk.session.set_rules(edited_table())
    page = WhatIfPage(desk)
    qtbot.addWidget(page)
    page.show()
    page.desk.runner.work(lambda: None, lambda _: None)
    page._read()
    began = time.perf_counter()
    with longest_gap() as gap:
        page.activate()
        qtbot.waitUntil(lambda: page._map.is_shown, timeout=10_000)
        took = time.perf_counter() - began
        qtbot.wait(200)
    again = time.perf_counter()
    document = edited_table()
    next(rule for rule in document["rules"] if rule["id"] == "R22")["zone"] = "GENERAL"
    with longest_gap() as edit_gap:
        edit(page, document, qtbot)
        edit_took = time.perf_counter() - again
    print(
        f"read and shown {took:.2f} s, edit {edit_took:.3f} s, gaps {gap.seconds:.3f}, {edit_gap.seconds:.3f}"
    )
    assert sum(part.pieces for part in page._ground.parts) > 200_000
    assert page._found.combinations
    assert took < 2.0
    assert edit_took < 0.2
    assert max(gap.seconds, edit_gap.seconds) < 0.1
    page.unload()
