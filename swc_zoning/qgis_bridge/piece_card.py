# SPDX-License-Identifier: GPL-2.0-or-later
"""A piece of a result found on the map, and its card (图斑说明卡)."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from qgis.core import QgsCoordinateReferenceSystem, QgsFeatureRequest, QgsGeometry, QgsPointXY

from swc_zoning.engine import explain
from swc_zoning.engine.explain import Explanation
from swc_zoning.qgis_bridge import results
from swc_zoning.qgis_bridge.cards import Card, CardMap, Section, write_card
from swc_zoning.qgis_bridge.i18n import language, text


def piece_at(folder: Path, east: float, north: float) -> str | None:
    """Return the id of the piece at a point in the working CRS, None outside all. For a worker thread.

    Raises SwcError geopackage.unreadable, host.result_layer.
    """
    layer = results.open_layer(folder / "zoning.gpkg", "pieces")
    point = QgsGeometry.fromPointXY(QgsPointXY(east, north))
    request = QgsFeatureRequest().setFilterFids(explain.candidates(folder, east, north))
    found = (feature for feature in layer.getFeatures(request) if feature.geometry().intersects(point))
    feature = next(found, None)
    return None if feature is None else str(feature["piece_id"])


def outline_of(folder: Path, told: Explanation) -> QgsGeometry:
    """Return the polygon of a piece in the working CRS. For a worker thread."""
    layer = results.open_layer(folder / "zoning.gpkg", "pieces")
    return next(layer.getFeatures(QgsFeatureRequest(told.piece["fid"]))).geometry()


def write(folder: Path, told: Explanation, path: Path) -> Path:
    """Write the card of a piece of the result in `folder` as the PDF `path`, and return it.

    Raises SwcError cards.unwritable, host.result_layer.
    """
    lang = language()
    zones = results.open_layer(folder / "zoning.gpkg", "zones")
    crs = QgsCoordinateReferenceSystem(told.crs)
    facts, *others = _sections(told, lang)
    picture = CardMap([zones], outline_of(folder, told), crs)
    today = date.today().isoformat()
    foot = text("explain.card_foot", plan_date=told.table.plan_date, today=today)
    title = text("explain.card_title", piece=told.piece_id)
    subtitle = " · ".join(filter(None, (told.zone_name(lang), told.title)))
    write_card(path, Card(title, [facts, *others], picture, subtitle, foot, text("explain.card_more")))
    return path


def _sections(told: Explanation, lang: str) -> list[Section]:
    """Return the sections of the explanation, the facts first as a table beside the map."""
    facts = Section(text("explain.facts"), rows=[list(row) for row in told.facts(lang)], widths=(35, 65))
    others = [one for one in told.sections(lang) if one.title != facts.title]
    return [facts, *(Section(one.title, lines=list(one.lines)) for one in others)]
