# SPDX-License-Identifier: GPL-2.0-or-later
"""What checks of shapes and areas share of an opened package: surface, memberships, rings of layers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from numpy.typing import NDArray

from swc_zoning.engine.grid import to_metres
from swc_zoning.engine.messages import SwcError
from swc_zoning.engine.submission.memberships import Memberships, texts
from swc_zoning.engine.submission.sheets import Sheet, objects
from swc_zoning.engine.submission.surface import Mask, Plane, Rings, Surface

if TYPE_CHECKING:
    from swc_zoning.engine.submission.opening import Package

PIECES, DISTRICTS, RELATIONS = "SBGKFQ", "XZQ", "GXB"
#: Digits of the code of a county-level district, which longer codes begin with.
_COUNTY = 6


def pieces(package: Package) -> Sheet:
    """Return the sheet of the pieces. Raises SwcError ``quality_shapes.no_geometry``."""
    sheet = package.sheet(PIECES)
    if sheet is None or sheet.geometry is None:
        raise SwcError("quality_shapes.no_geometry", layer=PIECES)
    return sheet


def surface(package: Package) -> Surface:
    """Return the pieces and districts of a package on the grid of its working CRS, made once."""
    return package.once("surface", lambda: _surface(package))


def _surface(package: Package) -> Surface:
    sheet, frame = pieces(package), package.sheet(DISTRICTS)
    given = frame is not None and frame.geometry is not None
    districts = frame.geometry if given else np.empty(0, object)
    codes = texts(frame, "XZQDM") if given else []
    known = set(codes)
    named = [code if code in known else code[:_COUNTY] for code in texts(sheet, "XZQDM")]
    return Surface.of(Plane(package.work_crs), sheet.geometry, objects(named), districts, objects(codes))


def memberships(package: Package) -> Memberships:
    """Return the memberships of the pieces, made once."""
    make = lambda: Memberships.of(pieces(package), package.sheet(RELATIONS), package.schema)  # noqa: E731
    return package.once("memberships", make)


def drawn(package: Package) -> Iterator[tuple[str, Sheet, Rings]]:
    """Yield (layer, sheet, rings) of each layer of polygons there is; those of pieces with districts."""
    for name, layer in package.schema.layers.items():
        sheet = package.sheet(name) if layer.kind == "polygon" else None
        if sheet is not None and sheet.geometry is not None:
            yield name, sheet, rings(package, name, sheet)


def rings(package: Package, name: str, sheet: Sheet) -> Rings:
    """Return the rings of a layer on the grid of the working CRS, made once."""
    if name == PIECES:
        return surface(package).rings
    return package.once(f"rings:{name}", lambda: Rings.of(sheet.geometry, Plane(package.work_crs)))


def polygons(package: Package, name: str, sheet: Sheet) -> NDArray[Any]:
    """Return the polygons of a layer on the grid, metres; None for those that have no ground."""
    if name == PIECES:
        return surface(package).polygons
    return package.once(f"drawn:{name}", lambda: rings(package, name, sheet).polygons(len(sheet)))


def soundness(package: Package, name: str, sheet: Sheet) -> tuple[Mask, Mask, Mask]:
    """Return which rows of a layer have no ground, are not valid, or are not valid in degrees only.

    Not valid: neither as it is written nor on the grid of the plane, where vertices nearer than that
    fall together; or of no area there.
    """
    return package.once(f"soundness:{name}", lambda: _soundness(package, name, sheet))


def _soundness(package: Package, name: str, sheet: Sheet) -> tuple[Mask, Mask, Mask]:
    shapes, found = polygons(package, name, sheet), rings(package, name, sheet)
    empty = shapely.is_missing(shapes)
    written, gridded = shapely.is_valid(sheet.geometry), shapely.is_valid(shapes)
    gridded &= shapely.area(shapes) > 0
    endless = found.owner[found.ring[~np.isfinite(found.xy).all(axis=1)]]
    gridded[endless[endless < len(sheet)]] = False
    flat = shapely.area(shapes) == 0
    bad = ~empty & ~gridded & (~written | flat)
    return empty, bad, ~empty & ~written & gridded


def place_of(plane: Plane, polygon: Any) -> tuple[float, float] | None:
    """Return a place (lon, lat) in a polygon on the plane, None for one without ground."""
    if polygon is None or shapely.is_empty(polygon):
        return None
    point = shapely.point_on_surface(polygon) if shapely.is_valid(polygon) else shapely.Point()
    if shapely.is_empty(point):
        point = shapely.get_point(shapely.get_exterior_ring(shapely.get_geometry(polygon, 0)), 0)
    return plane.degrees(float(shapely.get_x(point)), float(shapely.get_y(point)))


def vertex(plane: Plane, found: Rings, number: int) -> tuple[float, float]:
    """Return the place (lon, lat) of a vertex."""
    east, north = to_metres(found.units[number]).tolist()
    return plane.degrees(east, north)
