# SPDX-License-Identifier: GPL-2.0-or-later
"""What pages work with: session, runner, map, messages; one for the whole workbench."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from qgis.core import (
    Qgis,
    QgsCoordinateReferenceSystem,
    QgsCoordinateTransform,
    QgsGeometry,
    QgsPointXY,
    QgsProject,
    QgsRectangle,
    QgsVectorLayer,
)

from swc_zoning.engine.messages import SwcError
from swc_zoning.gui.runner import Runner
from swc_zoning.gui.session import Session
from swc_zoning.qgis_bridge import styling
from swc_zoning.qgis_bridge.i18n import language, text

_SECONDS = {Qgis.MessageLevel.Info: 5, Qgis.MessageLevel.Success: 5, Qgis.MessageLevel.Warning: 10}
#: Half the width of what is shown round a point, in metres.
_AROUND_M = 150.0


class Desk:
    """Session, runner and the windows of QGIS that pages need. `iface` is that of QGIS."""

    def __init__(self, iface: Any, project: QgsProject) -> None:
        self.iface = iface
        self.canvas = iface.mapCanvas()
        self.runner = Runner()
        # Before the session hears of it: a run of this project must not end in the next one.
        project.cleared.connect(self.runner.give_up)
        self.session = Session(project)

    def close(self) -> None:
        """Stop everything that runs, and follow nothing any more."""
        self.session.project.cleared.disconnect(self.runner.give_up)
        self.runner.close()
        self.session.close()

    def say(self, level: Qgis.MessageLevel, sentence: str) -> None:
        """Show a sentence in the message bar; errors stay until they are closed."""
        self.iface.messageBar().pushMessage(text("provider.name"), sentence, level, _SECONDS.get(level, 0))

    def say_error(self, error: Exception) -> None:
        """Show why something could not be done."""
        sentence = error.sentence(language()) if isinstance(error, SwcError) else str(error)
        self.say(Qgis.MessageLevel.Critical, sentence)

    def zoom_to(self, place: QgsRectangle | QgsPointXY, crs: str) -> None:
        """Show a rectangle, or what lies round a point, given in `crs` (EPSG:code or WKT)."""
        if isinstance(place, QgsPointXY):
            half = QgsPointXY(_AROUND_M, _AROUND_M)
            box = QgsRectangle(
                place.x() - half.x(), place.y() - half.y(), place.x() + half.x(), place.y() + half.y()
            )
        else:
            box = QgsRectangle(place)
            box.scale(1.1)
        self.canvas.setExtent(self._to_canvas(crs).transformBoundingBox(box))
        self.canvas.refresh()

    def flash(self, geometry: QgsGeometry, crs: str) -> None:
        """Let a geometry blink on the map."""
        self.canvas.flashGeometries([geometry], QgsCoordinateReferenceSystem(crs))

    def show_result(self, folder: Path) -> None:
        """Load the layers of a result, styled, into the group of its scenario in place of older ones."""
        name = self.session.scenario
        key, title = f"scenario/{name}", name or text("provider.name")
        styling.show_result(self.session.project, folder, language(), key=key, title=title)

    def result_layer(self, name: str) -> QgsVectorLayer | None:
        """Return the loaded layer ("pieces", "zones" ...) of the current result, None where it is not."""
        if self.session.result is None:
            return None
        wanted = f"{self.session.result.zoning.as_posix()}|layername={name}"
        layers = self.session.project.mapLayers().values()
        return next((one for one in layers if one.source().replace("\\", "/").startswith(wanted)), None)

    def from_canvas(self, point: QgsPointXY, crs: str) -> QgsPointXY:
        """Return a point of the map in `crs`."""
        shown, wanted = self.canvas.mapSettings().destinationCrs(), QgsCoordinateReferenceSystem(crs)
        return QgsCoordinateTransform(shown, wanted, self.session.project).transform(point)

    def _to_canvas(self, crs: str) -> QgsCoordinateTransform:
        target = self.canvas.mapSettings().destinationCrs()
        return QgsCoordinateTransform(QgsCoordinateReferenceSystem(crs), target, self.session.project)
