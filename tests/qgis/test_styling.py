# SPDX-License-Identifier: GPL-2.0-or-later
"""Results stand in the order of the legend, however QGIS delivers them."""

from __future__ import annotations

from itertools import permutations
from pathlib import Path

import layers
import pytest
from qgis.core import (
    QgsProcessingContext,
    QgsProcessingFeedback,
    QgsProject,
    QgsProviderRegistry,
    QgsVectorLayer,
)

from swc_zoning.qgis_bridge import styling
from swc_zoning.qgis_bridge.styling import RUN_PROPERTY, ResultStyler

KINDS = {"FINDINGS": "Point", "CONFLICTS": "Polygon", "ZONES": "Polygon", "PIECES": "Polygon"}


@pytest.mark.parametrize("arriving", list(permutations(KINDS)))
def test_findings_stand_above_conflicts_above_zones_whatever_arrives_first(arriving, qgis_new_project):
    project, context = QgsProject.instance(), QgsProcessingContext()
    context.setProject(project)
    root = project.layerTreeRoot()
    for output in arriving:
        layer = QgsVectorLayer(KINDS[output], output, "memory")
        project.addMapLayer(layer, False)
        groups = [group for group in root.findGroups() if group.customProperty(RUN_PROPERTY)]
        # QGIS puts a new layer above the current one: from the second on, that is in the group already.
        (groups[0] if groups else root).insertLayer(0, layer)
        styler = ResultStyler(output, {"GENERAL": "General"}, "en", "run 1", "Zoning")
        styler.postProcessLayer(layer, context, QgsProcessingFeedback())
    [group] = root.findGroups()
    assert [node.name() for node in group.findLayers()] == list(KINDS)


# --- a group for each place of results -------------------------------------------------------------


@pytest.fixture(scope="module")
def zoned(tmp_path_factory, qgis_app):
    """Return two folders of results of a small city."""
    import processing

    from swc_zoning.plugin import SwcZoningPlugin

    folder = tmp_path_factory.mktemp("成果 two")
    plugin = SwcZoningPlugin(None)
    plugin.initProcessing()
    extent = layers.geojson(folder / "xzq.geojson", [(0, 0, 1000)], [{"XZQDM": "990101", "XZQMC": "甲区"}])
    farm = layers.geojson(folder / "nt.geojson", [(100, 100, 200)], [{"TBBH": "1"}])
    given = {"EXTENT": extent, "PERMANENT_BASIC_FARMLAND": farm}
    found = [folder / "one", folder / "two"]
    for output in found:
        processing.run("swc_zoning:delineatezones", {**given, "OUTPUT": str(output)})
    plugin.unload()
    return found


def names(group):
    return [node.name() for node in group.findLayers()]


def own_groups(project):
    return [group for group in project.layerTreeRoot().findGroups() if group.customProperty(RUN_PROPERTY)]


LEGEND = ["Findings", "Slivers", "Conflicts", "Control zones", "Pieces"]


def test_a_result_is_shown_from_its_own_file_with_pieces_and_slivers_folded_away(zoned, qgis_new_project):
    group = styling.show_result(QgsProject.instance(), zoned[0], "en", title="Now")
    assert (group.name(), names(group)) == ("Now", LEGEND)
    shown = {node.name() for node in group.findLayers() if node.itemVisibilityChecked()}
    assert shown == {"Findings", "Conflicts", "Control zones"}
    for node in group.findLayers():
        path = QgsProviderRegistry.instance().decodeUri("ogr", node.layer().source())["path"]
        assert Path(path) == zoned[0] / "zoning.gpkg"
    [zones] = [node.layer() for node in group.findLayers() if node.name() == "Control zones"]
    assert zones.renderer().classAttribute() == "zone"


@pytest.mark.parametrize(("lang", "first"), [("zh", "问题清单"), ("en", "Findings")])
def test_layers_are_named_in_the_language_asked_for(zoned, qgis_new_project, lang, first):
    assert names(styling.show_result(QgsProject.instance(), zoned[0], lang))[0] == first


def test_a_rerun_replaces_its_own_layers_and_nothing_else(zoned, qgis_new_project):
    project = QgsProject.instance()
    mine, kept = layers.memory("mine", [(0, 0, 10)]), "other"
    group = styling.show_result(project, zoned[0], "en", title="Now")
    other = styling.show_result(project, zoned[1], "en", title=kept)
    before, beside = {n.layerId() for n in group.findLayers()}, {n.layerId() for n in other.findLayers()}
    project.addMapLayer(mine, False)
    group.insertLayer(2, mine)
    moved = group.findLayers()[0]
    taken = moved.layerId()
    project.layerTreeRoot().addChildNode(moved.clone())
    group.removeChildNode(moved)
    shared = group.findLayers()[0]
    doubled = shared.layerId()
    project.layerTreeRoot().addChildNode(shared.clone())
    again = styling.show_result(project, zoned[0], "en", title="Now")
    assert len(own_groups(project)) == 2
    after = {node.layerId() for node in again.findLayers()}
    assert mine.id() in after
    assert len(after) == len(LEGEND) + 1
    assert not after & before
    assert [name for name in names(again) if name != "mine"] == LEGEND
    assert {node.layerId() for node in other.findLayers()} == beside
    # What was moved out of the group, or is shown elsewhere too, is the user's.
    assert before & set(project.mapLayers()) == {taken, doubled}


def test_a_group_is_known_by_its_property_when_renamed_and_saved(zoned, tmp_path, qgis_new_project):
    project = QgsProject.instance()
    styling.show_result(project, zoned[0], "en", title="Now")
    styling.show_result(project, zoned[0], "en", title="Later")
    assert [group.name() for group in own_groups(project)] == ["Later"]
    own_groups(project)[0].setName("我的方案")
    assert project.write(str(tmp_path / "plan.qgz"))
    project.clear()
    assert project.read(str(tmp_path / "plan.qgz"))
    styling.show_result(project, zoned[0], "en", title="Last")
    [group] = own_groups(project)
    assert (group.name(), names(group)) == ("我的方案", LEGEND)
    assert len(project.mapLayers()) == len(LEGEND)


def test_results_of_processing_replace_those_of_the_run_before(qgis_new_project):
    project, context = QgsProject.instance(), QgsProcessingContext()
    context.setProject(project)
    for stamp in ("first", "second"):
        for output in ("ZONES", "FINDINGS"):
            layer = QgsVectorLayer(KINDS[output], f"{output} {stamp}", "memory")
            project.addMapLayer(layer)
            styler = ResultStyler(output, {"GENERAL": "General"}, "en", "/results", "Zoning", stamp)
            styler.postProcessLayer(layer, context, QgsProcessingFeedback())
    [group] = own_groups(project)
    assert names(group) == ["FINDINGS second", "ZONES second"]
    assert len(project.mapLayers()) == 2
