# SPDX-License-Identifier: GPL-2.0-or-later
"""Small layers for tests: squares in EPSG:4549, in metres from one corner."""

from __future__ import annotations

import json
from pathlib import Path

from qgis.core import QgsFeature, QgsGeometry, QgsVectorLayer

EAST, NORTH = 600000.0, 3450000.0


def square(east: float, north: float, side: float) -> list[list[float]]:
    """Return the closed ring of a square whose lower left corner is (east, north)."""
    e, n = EAST + east, NORTH + north
    return [[e, n], [e + side, n], [e + side, n + side], [e, n + side], [e, n]]


def geojson(path: Path, squares: list[tuple[float, float, float]], rows: list[dict]) -> str:
    """Write squares with their attributes and return the path."""
    features = [
        {"type": "Feature", "properties": row, "geometry": {"type": "Polygon", "coordinates": [square(*one)]}}
        for one, row in zip(squares, rows)
    ]
    crs = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::4549"}}
    document = {"type": "FeatureCollection", "crs": crs, "features": features}
    path.write_text(json.dumps(document, ensure_ascii=False), encoding="utf-8")
    return str(path)


def memory(
    name: str, squares: list[tuple[float, float, float]], fields: str = "", rows: list | None = None
) -> QgsVectorLayer:
    """Return a memory layer of squares; `fields` as in a memory URI, `rows` their values."""
    layer = QgsVectorLayer(f"Polygon?crs=EPSG:4549{fields}", name, "memory")
    for number, one in enumerate(squares):
        feature = QgsFeature(layer.fields())
        ring = ", ".join(f"{x} {y}" for x, y in square(*one))
        feature.setGeometry(QgsGeometry.fromWkt(f"Polygon(({ring}))"))
        if rows:
            feature.setAttributes(rows[number])
        layer.dataProvider().addFeature(feature)
    return layer
