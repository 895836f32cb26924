# SPDX-License-Identifier: GPL-2.0-or-later
"""Where polygons that should cover their districts once do not: overlaps, gaps, ground outside the district.

Only what lies round left-over edges (`surface.Surface.left_over`) is measured. What is nowhere wider than
the grid, 0.0001 m on average, is how neighbours with other vertices look on a grid, and no defect.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from swc_zoning.engine.grid import PER_METRE, Ints
from swc_zoning.engine.submission.surface import Mask, Surface

#: Mean width (m) up to which a defect is an effect of the grid.
NARROWEST = 1 / PER_METRE


@dataclass(frozen=True)
class Defect:
    """A connected piece of ground where something is wrong: `m2` on the plane, `place` (lon, lat) in it.

    `rows`: the polygons that make it: two that overlap, one that lies outside, those round a gap;
    `district`: row of the district a gap is in, else -1.
    """

    rows: tuple[int, ...]
    m2: float
    place: tuple[float, float]
    district: int = -1


def overlaps(surface: Surface) -> Iterator[Defect]:
    """Yield each connected overlap of two polygons, once."""
    twins = _twins(surface)
    for one, other in twins:
        yield from _defects(surface, (one, other), surface.polygons[one])
    faces = _faces(surface)
    chosen = np.unique(_crossing(surface, faces)[1])
    ground = _ground(surface, chosen)
    one, other = shapely.STRtree(ground).query(ground, predicate="intersects")
    once = one < other
    one, other = one[once], other[once]
    common = shapely.intersection(ground[one], ground[other])
    known = set(twins)
    for row in np.flatnonzero(shapely.area(common) > 0).tolist():
        pair = int(chosen[one[row]]), int(chosen[other[row]])
        if pair not in known:
            yield from _defects(surface, pair, common[row])


def gaps(surface: Surface) -> Iterator[Defect]:
    """Yield each connected gap: ground of the districts that no polygon covers."""
    faces = _faces(surface)
    if len(faces) == 0:
        return
    inside = shapely.point_on_surface(faces)
    land = shapely.union_all(_districts(surface))
    shapely.prepare(land)
    free = shapely.intersects(land, inside)
    covered = np.unique(surface.tree.query(inside, predicate="intersects")[0])
    free[covered] = False
    for gap in shapely.get_parts(shapely.union_all(faces[free])):
        beside = np.sort(surface.tree.query(gap, predicate="intersects"))
        lands = shapely.intersects(surface.district_polygons, shapely.point_on_surface(gap))
        for defect in _defects(surface, tuple(beside.tolist()), gap):
            yield replace(defect, district=int(np.argmax(lands)))


def outside(surface: Surface) -> Iterator[Defect]:
    """Yield for each polygon the ground that is not of the district it says it lies in.

    Polygons that name a district that there is not are left out.
    """
    if surface.districts == 0:
        return
    numbers = surface.number[surface.count :]
    lands = {
        number: shapely.union_all(_districts(surface)[numbers == number]) for number in set(numbers.tolist())
    }
    doubtful = _doubtful(surface)
    for number, land in sorted(lands.items()):
        shapely.prepare(land)
        mine = (surface.number[: surface.count] == number) & ~shapely.is_missing(surface.polygons)
        near = np.flatnonzero(mine & doubtful)
        clear = np.flatnonzero(mine & ~doubtful)
        point = shapely.point_on_surface(surface.polygons[clear])
        away = clear[~shapely.intersects(land, point)]
        for row in np.sort(np.concatenate([near, away])).tolist():
            ground = _mended(surface.polygons[row])
            yield from _defects(surface, (row,), shapely.difference(ground, _clipped(land, ground)))


def doubled_districts(surface: Surface) -> Iterator[Defect]:
    """Yield each connected overlap of two districts; `rows` are those of the districts."""
    owner = surface.noded.owner[surface.strangers]
    if not (owner >= surface.count).any():
        return
    lands = np.array(
        [None if shape is None else _mended(shape) for shape in surface.district_polygons], object
    )
    one, other = shapely.STRtree(lands).query(lands, predicate="intersects")
    for a, b in zip(one[one < other].tolist(), other[one < other].tolist()):
        yield from _defects(surface, (a, b), shapely.intersection(lands[a], lands[b]))


# --- where to look ---------------------------------------------------------------------------------


def _twins(surface: Surface) -> list[tuple[int, int]]:
    """Return each polygon that is there once more, and its copy."""
    prints = surface.fingerprints
    copies = np.flatnonzero(surface.copies)
    if len(copies) == 0:
        return []
    rest = np.flatnonzero(~surface.copies[: surface.count])
    rest = rest[np.argsort(prints[rest], kind="stable")]
    first = rest[np.searchsorted(prints[rest], prints[copies])]
    return list(zip(first.tolist(), copies.tolist()))


def _faces(surface: Surface) -> NDArray[Any]:
    """Return the ground between left-over edges, wider than the grid."""
    return surface.faces[_wide(surface.faces)]


def _crossing(surface: Surface, faces: NDArray[Any]) -> tuple[Ints, Ints]:
    """Return rows (face, polygon) of polygons that lie on faces."""
    if len(faces) == 0:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    face, row = surface.tree.query(faces, predicate="intersects")
    return face, row


def _doubtful(surface: Surface) -> Mask:
    """Return which polygons have, or are crossed by, an edge that does not cancel in its district."""
    doubtful = np.zeros(surface.count + surface.districts, bool)
    strangers = surface.strangers
    doubtful[surface.noded.owner[strangers]] = True
    border = strangers[surface.noded.owner[strangers] >= surface.count]
    if len(border):
        doubtful[surface.tree.query(surface.noded.drawn(border), predicate="intersects")[1]] = True
    return doubtful[: surface.count]


def _ground(surface: Surface, rows: Ints) -> NDArray[Any]:
    polygons = surface.polygons[rows]
    bad = ~shapely.is_valid(polygons)
    if bad.any():
        polygons[bad] = shapely.make_valid(polygons[bad])
    return polygons


def _mended(polygon: Any) -> Any:
    return polygon if shapely.is_valid(polygon) else shapely.make_valid(polygon)


def _districts(surface: Surface) -> NDArray[Any]:
    polygons = surface.district_polygons
    polygons = polygons[~shapely.is_missing(polygons)]
    return np.array([_mended(polygon) for polygon in polygons], object)


def _clipped(land: Any, ground: Any) -> Any:
    """Return what of a district lies in the box of a polygon: less to compute with."""
    west, south, east, north = shapely.bounds(ground).tolist()
    return shapely.intersection(land, shapely.box(west - 1, south - 1, east + 1, north + 1))


# --- what is there ---------------------------------------------------------------------------------


def _wide(polygons: NDArray[Any]) -> Mask:
    length = np.maximum(shapely.length(polygons), 1e-9)
    return 2 * shapely.area(polygons) / length > NARROWEST


def _defects(surface: Surface, rows: tuple[int, ...], ground: Any) -> Iterator[Defect]:
    """Yield the connected parts of some ground that are wider than the grid."""
    parts = shapely.get_parts(shapely.get_parts(np.atleast_1d(ground)))
    parts = parts[shapely.get_dimensions(parts) == 2]
    for part in parts[_wide(parts)]:
        place = surface.plane.degrees(*_widest(part))
        yield Defect(rows, float(shapely.area(part)), place)


def _widest(part: Any) -> tuple[float, float]:
    """Return the middle of the widest place: beside it there may be threads of the width of the grid."""
    east, north = shapely.get_coordinates(shapely.maximum_inscribed_circle(part))[0].tolist()
    return east, north
