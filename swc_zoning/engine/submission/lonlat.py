# SPDX-License-Identifier: GPL-2.0-or-later
"""Pieces from the working CRS to longitude and latitude, none of them turned inside out.

Only vertices are moved, so an edge that two pieces share stays shared. A straight edge of the plane is
bent in degrees, by 1.5 mm over 350 m at 31 degrees: a piece thinner than that may be crossed by its own
edge. Such an edge gets a vertex beside the one that it would pass, in both pieces it belongs to.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from swc_zoning.engine.submission.sheets import DEGREE_DECIMALS

Polygons = NDArray[Any]
Points = NDArray[np.float64]
Move = Callable[[Points], Points]

#: Steps in a metre in which sides are told exactly: every vertex of a result is a whole number of them.
_FINE = 10_000_000
#: A new vertex is at least this far (metres) from the one beside it: two steps of the grid of degrees.
_APART_M = 2.5e-5
#: Near an end it is a step of the working grid away, where that changes no area by half of `_CHANGE_M2`.
_GRID_M, _CHANGE_M2 = 1.1e-4, 0.01
#: No two vertices of an edge are nearer than this (metres): below 0.0001 m they would count as one.
_STEP_M = 1.2e-4
#: Turn by turn: nearer to its ends than this (metres) an edge is not split, for sides that meet bend alike.
_MARGINS_M = (5e-3, 5e-3, 5e-3, 5e-3, _STEP_M, _STEP_M)
#: Bend of an edge (metres) by the square of its length: tan(latitude) / 8 radii, with room to spare.
_BEND = 4e-8

Point = tuple[float, float]
Edge = tuple[Point, Point]


def moved(polygons: Polygons, move: Move) -> tuple[Polygons, int]:
    """Return `polygons` (metres, a coverage) in rounded degrees, and how many could not be kept whole.

    `move` takes float64[n, 2] metres to degrees. Equal vertices stay equal.
    """
    shapes = polygons.copy()
    degrees = _degrees(shapes, move)
    broken = _broken(shapes, degrees)
    for margin in _MARGINS_M:
        touched = _split(shapes, broken, margin)
        if len(touched):
            degrees[touched] = _degrees(shapes[touched], move)
            affected = np.union1d(touched, broken)
            broken = affected[_broken(shapes[affected], degrees[affected])]
    return degrees, len(broken)


def _degrees(shapes: Polygons, move: Move) -> Polygons:
    points = np.round(move(shapely.get_coordinates(shapes)), DEGREE_DECIMALS)
    return shapely.set_coordinates(shapes.copy(), points)


def _broken(shapes: Polygons, degrees: Polygons) -> NDArray[np.int64]:
    """Return the numbers of the polygons that are not valid, or have a ring that runs the other way."""
    wrong = ~shapely.is_valid(degrees)
    rings, owner = shapely.get_rings(shapes, return_index=True)
    turned = shapely.is_ccw(rings) != shapely.is_ccw(shapely.get_rings(degrees))
    wrong[owner[turned]] = True
    return np.flatnonzero(wrong)


def _split(shapes: Polygons, broken: NDArray[np.int64], margin: float) -> NDArray[np.int64]:
    """Put vertices into edges of the `broken` polygons where another vertex is close, in place.

    Returns the numbers of all polygons that got one: those beside them have the same edges.
    """
    wanted: dict[Edge, list[Point]] = {}
    for number in broken.tolist():
        wanted.update(_wanted(shapes[number], margin))
    if not wanted:
        return np.empty(0, np.int64)
    ends = np.array(list(wanted))
    middle = shapely.points(ends.mean(axis=1))
    near = shapely.STRtree(shapes).query(middle, "dwithin", 0.001)[1]
    near = np.unique(near)
    for number in near.tolist():
        shapes[number] = _with_vertices(shapes[number], wanted)
    return near


def _wanted(polygon: Any, margin: float) -> dict[Edge, list[Point]]:
    """Return for edges of a polygon (ends in order) the vertices they need, from the first end on."""
    rings = [shapely.get_coordinates(ring) for ring in shapely.get_rings(polygon)]
    vertices = np.concatenate([ring[:-1] for ring in rings])
    found: dict[Edge, list[Point]] = {}
    for ring in rings:
        for start, end in zip(ring[:-1], ring[1:]):
            first, last = sorted([tuple(start.tolist()), tuple(end.tolist())])
            points = list(_beside(first, last, vertices, margin))
            if points:
                found[first, last] = points
    return found


def _beside(first: Point, last: Point, vertices: Points, margin: float) -> Iterator[Point]:
    """Yield the points of an edge at which it passes close to one of `vertices`, none twice."""
    along = np.subtract(last, first)
    length = float(np.hypot(*along))
    offset = vertices - first
    share = offset @ along / length**2
    across = np.abs(along[0] * offset[:, 1] - along[1] * offset[:, 0]) / length
    close = across < _BEND * length**2 + 2 * _APART_M
    inner = (share * length > margin) & ((1 - share) * length > margin)
    chosen = np.flatnonzero(close & inner)
    before = -np.inf
    for number in chosen[np.argsort(share[chosen])].tolist():
        if (share[number] - before) * length > _STEP_M:
            before = share[number]
            yield _opposite(first, last, tuple(vertices[number].tolist()), float(before))


def _opposite(first: Point, last: Point, vertex: Point, share: float) -> Point:
    """Return the point of an edge next to `vertex`, moved off it where it is too close to tell."""
    foot = tuple(a + (b - a) * share for a, b in zip(first, last))
    length = float(np.hypot(last[0] - first[0], last[1] - first[1]))
    left = ((first[1] - last[1]) / length, (last[0] - first[0]) / length)
    side = 1 if _cross(first, last, vertex) > 0 else -1
    gap = side * sum((v - f) * n for v, f, n in zip(vertex, foot, left))
    near_end = min(share, 1 - share) * length < _MARGINS_M[0]
    apart = min(max(_CHANGE_M2 / length, _APART_M), _GRID_M) if near_end else _APART_M
    away = max(apart - gap, 0.0)
    return foot[0] - side * left[0] * away, foot[1] - side * left[1] * away


def _cross(first: Point, last: Point, vertex: Point) -> int:
    """Return twice the area of the triangle in squares of fine steps: exact for vertices of a result."""
    (x0, y0), (x1, y1), (x2, y2) = ([round(c * _FINE) for c in point] for point in (first, last, vertex))
    return (x1 - x0) * (y2 - y0) - (y1 - y0) * (x2 - x0)


def _with_vertices(polygon: Any, wanted: dict[Edge, list[Point]]) -> Any:
    """Return a polygon whose edges have the vertices `wanted` of them."""
    shell, *holes = (_longer(ring, wanted) for ring in shapely.get_rings(polygon))
    return shapely.Polygon(shell, holes)


def _longer(ring: Any, wanted: dict[Edge, list[Point]]) -> list[Point]:
    points = [tuple(point) for point in shapely.get_coordinates(ring).tolist()]
    made: list[Point] = []
    for start, end in zip(points[:-1], points[1:]):
        made.append(start)
        if start < end:
            made += wanted.get((start, end), [])
        else:
            made += reversed(wanted.get((end, start), []))
    return [*made, points[-1]]
