# SPDX-License-Identifier: GPL-2.0-or-later
"""Results stand in the order of the legend, however QGIS delivers them."""

from __future__ import annotations

from itertools import permutations

import pytest
from qgis.core import QgsProcessingContext, QgsProcessingFeedback, QgsProject, QgsVectorLayer

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
