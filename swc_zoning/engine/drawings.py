# SPDX-License-Identifier: GPL-2.0-or-later
"""Closed lines of a DXF drawing become polygons, layer by layer; what does not close is told.

A drawing does not say whether a ring inside another is a hole or a parcel of its own. By default every
closed ring is a polygon of its own: no area is lost in silence. `even_odd` makes holes of inner rings.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from swc_zoning.engine import encodings, formats, parcels
from swc_zoning.engine.coordinate_lists import LARGEST_COORDINATE, TOLD_ONE_BY_ONE, Told

#: Ends of lines no farther apart than this are one point, drawing units (metres).
TOLERANCE_M = 0.001
_LINE, _POLYGON, _MULTILINE, _MULTIPOLYGON = 1, 3, 5, 6


@dataclass(frozen=True)
class Drawing:
    """Polygons object[n] of a drawing, the CAD layer, entity ("" where assembled) and text of each."""

    geometry: np.ndarray
    layers: list[str]
    handles: list[str]
    names: list[str]


@dataclass
class _Ring:
    polygon: shapely.Geometry
    layer: str
    handle: str
    name: str = ""


def read(path: Path, told: Told, tolerance: float = TOLERANCE_M, even_odd: bool = False) -> Drawing:
    """Return the polygons that the lines of the drawing `path` close.

    `tolerance`: largest gap closed, in drawing units. Raises SwcError as `formats.read_drawing`.
    """
    table = formats.read_drawing(path)
    # By the bytes: what the head of a drawing declares is often not true.
    encoding = "utf-8" if encodings.is_utf8(path) else "gb18030"
    geometry = shapely.force_2d(shapely.from_wkb(table.wkb, on_invalid="ignore"))
    _drop_absurd(geometry, told)
    layers = np.array([_decoded(text, encoding) for text in table.columns["Layer"]], dtype=object)
    texts = [_decoded(text, encoding).strip() for text in table.columns["Text"]]
    handles = [text or "" for text in table.columns["EntityHandle"]]
    rings: list[_Ring] = []
    on_paper = np.array([bool(said) for said in table.columns["PaperSpace"]], dtype=bool)
    if on_paper.any():
        told.add("boundary.paper_space", count=int(on_paper.sum()))
    for layer in sorted(set(layers[~on_paper].tolist())):
        rows = np.flatnonzero((layers == layer) & ~on_paper).tolist()
        found = _rings_of_layer([(geometry[row], handles[row]) for row in rows], layer, tolerance, told)
        rings += _with_holes(found, told) if even_odd else found
    _tell_crossings(rings, told)
    _name(rings, geometry, texts, told)
    drawn = np.empty(len(rings), dtype=object)
    drawn[:] = [ring.polygon for ring in rings]
    return Drawing(drawn, *([getattr(ring, what) for ring in rings] for what in ("layer", "handle", "name")))


def _drop_absurd(geometry: np.ndarray, told: Told) -> None:
    """Take out, in place, what does not lie on Earth."""
    points, rows = shapely.get_coordinates(geometry, return_index=True)
    bad = np.unique(rows[~(np.abs(points) < LARGEST_COORDINATE).all(axis=1)])
    geometry[bad] = None
    if len(bad):
        told.add("boundary.drawn_absurd", count=len(bad))


def _decoded(text: str | None, encoding: str) -> str:
    """Return text whose bytes came as ISO-8859-1; what a drawing escapes (``\\U+6C34``) is there already."""
    return re.sub(
        r"[\x00-\xff]+", lambda run: run[0].encode("latin-1").decode(encoding, "replace"), text or ""
    )


# --- rings -----------------------------------------------------------------------------------------


def _rings_of_layer(
    entities: list[tuple[shapely.Geometry | None, str]], layer: str, tolerance: float, told: Told
) -> list[_Ring]:
    rings: list[_Ring] = []
    open_lines: list[shapely.Geometry] = []
    for entity, handle in entities:
        for part in _lines(entity):
            points = shapely.get_coordinates(part)
            gap = float(np.hypot(*(points[0] - points[-1]))) if len(points) > 3 else np.inf
            if gap <= tolerance:
                points[-1] = points[0]
                rings.append(_Ring(shapely.Polygon(points), layer, handle))
                if gap:
                    told.add("boundary.gap_closed", cad_layer=layer, gap=round(gap, 6), **_at(points[0]))
            elif len(points) > 1 and part.length > 0:
                open_lines.append(part)
    return _once(rings + _assembled(open_lines, layer, tolerance, told), layer, told)


def _once(rings: list[_Ring], layer: str, told: Told) -> list[_Ring]:
    """Return rings without those drawn twice, as a line and its filling often are."""
    first = {shapely.to_wkb(shapely.normalize(ring.polygon)): ring for ring in reversed(rings)}
    if len(first) < len(rings):
        told.add("boundary.rings_doubled", cad_layer=layer, count=len(rings) - len(first))
    return list(reversed(first.values()))


def _lines(entity: shapely.Geometry | None) -> list[shapely.Geometry]:
    """Return the lines an entity consists of; filled areas give their rings."""
    kind = -1 if entity is None else shapely.get_type_id(entity)
    if kind in (_POLYGON, _MULTIPOLYGON):
        return list(shapely.get_rings(entity))
    if kind in (_LINE, _MULTILINE) or kind == 7:
        parts = shapely.get_parts(entity)
        return [
            line
            for part in parts
            for line in ([part] if shapely.get_type_id(part) == _LINE else _lines(part))
        ]
    return []


def _assembled(lines: list[shapely.Geometry], layer: str, tolerance: float, told: Told) -> list[_Ring]:
    """Return the rings that open lines make together: ends within `tolerance` are one point."""
    if not lines:
        return []
    joined = _joined(lines, tolerance, layer, told)
    faces, cuts, dangles, crossed = shapely.polygonize_full(joined)
    rest = [line for group in (cuts, dangles, crossed) for line in shapely.get_parts(group)]
    _tell_open(
        shapely.get_parts(shapely.line_merge(shapely.MultiLineString(rest))).tolist() if rest else [],
        layer,
        told,
    )
    return [_Ring(shapely.Polygon(face.exterior), layer, "") for face in shapely.get_parts(faces)]


def _joined(
    lines: list[shapely.Geometry], tolerance: float, layer: str, told: Told
) -> list[shapely.Geometry]:
    """Return lines whose ends within `tolerance` of each other are the same point."""
    coordinates = [shapely.get_coordinates(line) for line in lines]
    ends = np.array([points[at] for points in coordinates for at in (0, -1)])
    first = _first_near(ends, tolerance)
    moved = np.hypot(*(ends - ends[first]).T)
    for row in np.flatnonzero(moved > 0).tolist():
        told.add("boundary.gap_closed", cad_layer=layer, gap=round(float(moved[row]), 6), **_at(ends[row]))
    for number, points in enumerate(coordinates):
        points[0], points[-1] = ends[first[2 * number]], ends[first[2 * number + 1]]
    return [shapely.LineString(points) for points in coordinates]


def _first_near(points: np.ndarray, tolerance: float) -> np.ndarray:
    """Return int64[n]: for each point the lowest number of those connected to it by steps <= `tolerance`."""
    drawn = shapely.points(points)
    one, other = shapely.STRtree(drawn).query(drawn, predicate="dwithin", distance=tolerance)
    first = np.arange(len(points))
    while True:
        lowered = first.copy()
        np.minimum.at(lowered, one, first[other])
        if (lowered == first).all():
            return first
        first = lowered


def _tell_open(lines: list[shapely.Geometry], layer: str, told: Told) -> None:
    """Tell each line that is no part of a ring, the longest first: its ends, and the nearest other end."""
    lines = sorted(lines, key=lambda line: -line.length)
    ends = np.array([shapely.get_coordinates(line)[at] for line in lines for at in (0, -1)])
    for number, line in enumerate(lines[:TOLD_ONE_BY_ONE]):
        start, end = ends[2 * number], ends[2 * number + 1]
        apart = np.hypot(*(np.delete(ends, 2 * number + 1, axis=0) - end).T)
        facts = {"start": _text(start), "end": _text(end), "gap": round(float(apart.min()), 4)}
        place = (float(end[0]), float(end[1]))
        told.add("boundary.line_open", place, cad_layer=layer, length=round(line.length, 3), **facts)
    told.count("boundary.line_open", max(len(lines) - TOLD_ONE_BY_ONE, 0))


def _text(point: np.ndarray) -> str:
    return f"{point[0]:.3f} {point[1]:.3f}"


def _at(point: np.ndarray) -> dict[str, Any]:
    return {"place": (float(point[0]), float(point[1])), "where": _text(point)}


def _with_holes(rings: list[_Ring], told: Told) -> list[_Ring]:
    """Return the rings of a layer by the even-odd rule; where they cross each other, as they are."""
    polygons = [ring.polygon for ring in rings]
    if not rings or not shapely.is_valid(polygons).all():
        return rings
    if shapely.STRtree(polygons).query(polygons, predicate="overlaps").size:
        told.add("boundary.even_odd_crossing", cad_layer=rings[0].layer)
        return rings
    by_shell = {shapely.to_wkb(ring.polygon.exterior): ring for ring in rings}
    found = []
    for polygon in parcels.even_odd(polygons):
        ring = by_shell[shapely.to_wkb(polygon.exterior)]
        found.append(_Ring(polygon, ring.layer, ring.handle))
    return found


def _tell_crossings(rings: list[_Ring], told: Told) -> None:
    for ring in rings:
        if not shapely.is_valid(ring.polygon):
            x, y = shapely.is_valid_reason(ring.polygon).partition("[")[2].rstrip("]").split()[:2]
            facts = {"cad_layer": ring.layer, "handle": ring.handle or "-", "where": f"{x} {y}"}
            told.add("boundary.drawn_crossing", (float(x), float(y)), **facts)


# --- names -----------------------------------------------------------------------------------------


def _name(rings: list[_Ring], geometry: np.ndarray, texts: list[str], told: Told) -> None:
    """Give each ring the text that stands in it; of nested rings the smallest has it."""
    written = [row for row, text in enumerate(texts) if text and geometry[row] is not None]
    if not written or not rings:
        return
    polygons = [ring.polygon for ring in rings]
    places = shapely.centroid(geometry[written])
    text_of, ring_of = shapely.STRtree(polygons).query(places, predicate="intersects")
    size = shapely.area(polygons)
    found: dict[int, list[str]] = {}
    for number in np.unique(text_of).tolist():
        around = ring_of[text_of == number]
        found.setdefault(int(around[np.argmin(size[around])]), []).append(texts[written[number]])
    for number, said in sorted(found.items()):
        rings[number].name = "; ".join(dict.fromkeys(said))
        if len(set(said)) > 1:
            facts = {"cad_layer": rings[number].layer, "names": rings[number].name[:60], "count": len(said)}
            told.add("boundary.texts_several", **facts)
