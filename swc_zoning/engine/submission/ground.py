# SPDX-License-Identifier: GPL-2.0-or-later
"""Common ground of polygons in degrees: where, how much in square metres by way of the working CRS."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import Transformer

from swc_zoning.engine import areas
from swc_zoning.engine.submission.opening import DEGREES, Package

#: Degrees, about 1 mm: what only touches is drawn in by it.
_INWARD = 1e-8


def square_metres(package: Package, geometry: NDArray[Any]) -> NDArray[np.float64]:
    """Return the official areas of polygons in degrees, m2, by way of the working CRS."""
    transformer = Transformer.from_crs(DEGREES, package.work_crs, always_xy=True)

    def moved(points: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.column_stack(transformer.transform(points[:, 0], points[:, 1]))

    drawn = np.array([polygonal(one) for one in np.atleast_1d(geometry)], dtype=object)
    return areas.area_model(package.work_crs).areas(shapely.transform(drawn, moved))


def polygonal(shape: Any) -> Any:
    """Return the polygons of a geometry of any kind, None for None."""
    if shape is None or shape.geom_type in ("Polygon", "MultiPolygon"):
        return shape
    parts = shapely.get_parts(shape)
    drawn = parts[np.isin(shapely.get_type_id(parts), (3, 6))]
    return shapely.union_all(drawn) if len(drawn) else shapely.Polygon()


def inside(shape: Any) -> tuple[float, float] | None:
    """Return a point inside a polygon (longitude, latitude), None for an empty one."""
    point = shapely.point_on_surface(shape)
    return None if point.is_empty else (float(point.x), float(point.y))


def overlaps(one: NDArray[Any], other: NDArray[Any]) -> Iterator[tuple[int, Any]]:
    """Yield (number in `one`, common ground) of polygons that share ground; what only touches is left out."""
    pieces = usable(one)
    shapes = usable(other)
    shapely.prepare(shapes)
    tree = shapely.STRtree(pieces)
    large, small = tree.query(shapes, predicate="intersects")
    drawn_in = shapely.buffer(pieces[small], -_INWARD, quad_segs=1)
    thin = shapely.is_empty(drawn_in)
    drawn_in[thin] = shapely.point_on_surface(pieces[small][thin])
    hit = shapely.intersects(shapes[large], drawn_in)
    for at in np.flatnonzero(hit).tolist():
        common = polygonal(shapely.intersection(shapes[large[at]], pieces[small[at]]))
        if not common.is_empty:
            yield int(small[at]), common


def usable(shapes: NDArray[Any]) -> NDArray[Any]:
    """Return polygons that can be overlaid; 4101 tells of those that are not valid."""
    drawn = np.array(shapes, dtype=object)
    for at in np.flatnonzero(~shapely.is_valid(drawn)).tolist():
        drawn[at] = None if drawn[at] is None else polygonal(shapely.make_valid(drawn[at]))
    return drawn
