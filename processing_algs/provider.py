# SPDX-License-Identifier: GPL-2.0-or-later
"""The Processing provider."""

from __future__ import annotations

from qgis.core import QgsApplication, QgsProcessingProvider
from qgis.PyQt.QtGui import QIcon

from swc_zoning.paths import resource, version
from swc_zoning.processing_algs import evaluation, models
from swc_zoning.processing_algs.assign_zones import AssignZones
from swc_zoning.processing_algs.check_inputs import CheckInputs
from swc_zoning.processing_algs.check_rule_table import CheckRuleTable
from swc_zoning.processing_algs.close_areas import CloseAreas
from swc_zoning.processing_algs.compare_zonings import CompareZonings
from swc_zoning.processing_algs.consultation import Consultation
from swc_zoning.processing_algs.coordinate_list import CoordinateList
from swc_zoning.processing_algs.delineate_zones import DelineateZones
from swc_zoning.processing_algs.demo_city import DemoCity
from swc_zoning.processing_algs.ellipsoidal_area import EllipsoidalArea
from swc_zoning.processing_algs.export_submission import ExportSubmission
from swc_zoning.processing_algs.find_conflicts import FindConflicts
from swc_zoning.processing_algs.import_boundary import ImportBoundary
from swc_zoning.processing_algs.make_maps import MakeMaps
from swc_zoning.processing_algs.make_tables import MakeTables
from swc_zoning.processing_algs.merge_slivers import MergeSlivers
from swc_zoning.processing_algs.partition_land import Partition
from swc_zoning.processing_algs.prepare_layers import PrepareLayers
from swc_zoning.processing_algs.screen_projects import ScreenProjects
from swc_zoning.processing_algs.validate_submission import ValidateSubmission
from swc_zoning.processing_algs.write_chapter import WriteChapter
from swc_zoning.qgis_bridge.i18n import text

PROVIDER_ID = "swc_zoning"

#: In the order of a run.
_ALGORITHMS = (
    DemoCity,
    ImportBoundary,
    CheckInputs,
    PrepareLayers,
    Partition,
    AssignZones,
    DelineateZones,
    MergeSlivers,
    FindConflicts,
    CompareZonings,
    ScreenProjects,
    WriteChapter,
    MakeTables,
    MakeMaps,
    EllipsoidalArea,
    CloseAreas,
    CheckRuleTable,
    Consultation,
    CoordinateList,
    ExportSubmission,
    ValidateSubmission,
)


class SwcZoningProvider(QgsProcessingProvider):
    """Offers the algorithms as ``swc_zoning:<name>``."""

    def id(self) -> str:
        """Return the id, which never changes."""
        return PROVIDER_ID

    def name(self) -> str:
        """Return the name shown in the toolbox."""
        return text("provider.name")

    def longName(self) -> str:  # noqa: N802
        """Return the name with the version."""
        return text("provider.about", version=version())

    def versionInfo(self) -> str:  # noqa: N802
        """Return the version."""
        return version()

    def icon(self) -> QIcon:
        """Return the icon."""
        return QIcon(self.svgIconPath())

    def svgIconPath(self) -> str:  # noqa: N802
        """Return the path of the icon."""
        return str(resource("icons", "swc_zoning.svg"))

    def loadAlgorithms(self) -> None:  # noqa: N802
        """Add the algorithms, then, once the provider is registered, the models that are made of them."""
        for algorithm in _ALGORITHMS:
            self.addAlgorithm(algorithm())
        for tool in evaluation.shipped():
            self.addAlgorithm(tool)
        if QgsApplication.processingRegistry().providerById(PROVIDER_ID) is not None:
            for model in models.shipped():
                self.addAlgorithm(model)
