# SPDX-License-Identifier: GPL-2.0-or-later
"""Curved WKB to straight 2-D geometry, the same for the two neighbours of an arc.

Reads the ISO 19125 / SQL-MM types that GEOS does not draw (CircularString, CompoundCurve,
CurvePolygon, MultiCurve, MultiSurface), with Z and M, ISO or extended flags.
"""

from __future__ import annotations

import math
import struct

import numpy as np
import shapely

#: WKB type codes (without dimension): curved ones.
CURVED = frozenset({8, 9, 10, 11, 12, 13, 14})
#: PolyhedralSurface, TIN, Triangle: not supported.
SURFACES = frozenset({15, 16, 17})
_MULTI = frozenset({4, 5, 6, 7, 11, 12})
_NO_HEAD = b"\xff" * 5
_PLAIN = 0x0FFFFFFF
_Z, _M, _SRID = 0x80000000, 0x40000000, 0x20000000


def base_types(wkb: np.ndarray) -> np.ndarray:
    """Return int64[n, 3]: type code without dimension, Z flag, M flag; -1 where there is no geometry."""
    heads = b"".join([_NO_HEAD if value is None or len(value) < 5 else bytes(value[:5]) for value in wkb])
    table = np.frombuffer(heads, np.uint8).reshape(-1, 5)
    little = np.ascontiguousarray(table[:, 1:]).view("<u4").ravel().astype(np.int64)
    big = np.ascontiguousarray(table[:, 1:]).view(">u4").ravel().astype(np.int64)
    codes = np.where(table[:, 0] == 1, little, big)
    known = table[:, 0] != _NO_HEAD[0]
    iso = (codes & _PLAIN) // 1000
    has_z = known & ((codes & _Z > 0) | np.isin(iso, (1, 3)))
    has_m = known & ((codes & _M > 0) | np.isin(iso, (2, 3)))
    return np.column_stack([np.where(known, (codes & _PLAIN) % 1000, -1), has_z, has_m])


def straighten(wkb: bytes, tolerance: float) -> shapely.Geometry:
    """Return the geometry of `wkb` in two dimensions with arcs as chords.

    `tolerance`: largest distance between chord and arc, in units of the coordinates. The vertices
    of an arc do not depend on its direction. Raises ValueError for bytes that are no such geometry.
    """
    if not tolerance > 0:
        raise ValueError("tolerance must be positive")
    try:
        return _Reader(wkb, tolerance).geometry()
    except (struct.error, shapely.errors.GEOSException, IndexError) as error:
        raise ValueError(str(error)) from error


class _Reader:
    """A cursor over WKB."""

    def __init__(self, wkb: bytes, tolerance: float) -> None:
        self._wkb = wkb
        self._at = 0
        self._tolerance = tolerance

    def geometry(self) -> shapely.Geometry:
        kind, order, width = self._head()
        if kind == 1:
            return shapely.Point(self._points(order, width, 1)[0])
        if kind in (2, 8, 9):
            return shapely.LineString(self._line(kind, order, width))
        if kind in (3, 10):
            return self._polygon(kind, order, width)
        if kind in _MULTI:
            return _collected(kind, [self.geometry() for _ in range(self._count(order))])
        raise ValueError(f"WKB type {kind}")

    def _head(self) -> tuple[int, str, int]:
        order = "<" if self._wkb[self._at] else ">"
        (code,) = struct.unpack_from(order + "I", self._wkb, self._at + 1)
        self._at += 9 if code & _SRID else 5
        iso = (code & _PLAIN) // 1000
        width = 2 + bool(code & _Z or iso in (1, 3)) + bool(code & _M or iso in (2, 3))
        return (code & _PLAIN) % 1000, order, width

    def _count(self, order: str) -> int:
        (count,) = struct.unpack_from(order + "I", self._wkb, self._at)
        self._at += 4
        if count > len(self._wkb):
            raise ValueError("count exceeds the data")
        return count

    def _points(self, order: str, width: int, count: int) -> np.ndarray:
        flat = struct.unpack_from(f"{order}{count * width}d", self._wkb, self._at)
        self._at += 8 * count * width
        return np.array(flat).reshape(count, width)[:, :2]

    def _line(self, kind: int, order: str, width: int) -> np.ndarray:
        if kind == 9:
            parts = [self._line(*self._head()) for _ in range(self._count(order))]
            return (
                np.concatenate([part[i > 0 :] for i, part in enumerate(parts)]) if parts else np.empty((0, 2))
            )
        points = self._points(order, width, self._count(order))
        return points if kind == 2 else _arcs(points, self._tolerance)

    def _polygon(self, kind: int, order: str, width: int) -> shapely.Polygon:
        count = self._count(order)
        if kind == 3:
            rings = [self._line(2, order, width) for _ in range(count)]
        else:
            rings = [self._line(*self._head()) for _ in range(count)]
        if any(len(ring) and (ring[0] != ring[-1]).any() for ring in rings):
            raise ValueError("ring is not closed")
        rings = [shapely.linearrings(ring) for ring in rings if len(ring)]
        return shapely.polygons(rings[0], holes=rings[1:] or None) if rings else shapely.Polygon()


def _collected(kind: int, parts: list[shapely.Geometry]) -> shapely.Geometry:
    if kind in (6, 12):
        return shapely.multipolygons(np.array(parts, dtype=object))
    return shapely.geometrycollections(np.array(parts, dtype=object))


def _arcs(points: np.ndarray, tolerance: float) -> np.ndarray:
    """Return the chords of a CircularString float64[2k+1, 2]."""
    if len(points) < 3:
        return points
    parts = [points[:1]]
    for at in range(0, len(points) - 2, 2):
        parts.append(_arc(points[at], points[at + 1], points[at + 2], tolerance)[1:])
    return np.concatenate(parts)


def _arc(start: np.ndarray, middle: np.ndarray, end: np.ndarray, tolerance: float) -> np.ndarray:
    if tuple(start) > tuple(end):
        return _arc(end, middle, start, tolerance)[::-1]
    centre = (start + middle) / 2 if (start == end).all() else _centre(start, middle, end)
    if centre is None:
        return np.array([start, middle, end])
    radius = float(np.hypot(*(start - centre)))
    first, between, last = (math.atan2(p[1] - centre[1], p[0] - centre[0]) for p in (start, middle, end))
    sweep = (last - first) % math.tau or math.tau
    if (between - first) % math.tau > sweep:
        sweep -= math.tau
    step = 2 * math.acos(max(1 - tolerance / radius, -1.0)) if radius > tolerance else math.pi / 2
    angles = first + sweep * np.linspace(0, 1, max(2, math.ceil(abs(sweep) / step)) + 1)
    chords = centre + radius * np.column_stack([np.cos(angles), np.sin(angles)])
    chords[0], chords[-1] = start, end
    return chords


def _centre(start: np.ndarray, middle: np.ndarray, end: np.ndarray) -> np.ndarray | None:
    """Return the centre of the circle through three points, None where they lie on a line."""
    a, b = middle - start, end - start
    twice = 2 * (a[0] * b[1] - a[1] * b[0])
    if abs(twice) <= 1e-12 * max(a @ a, b @ b):
        return None
    aa, bb = a @ a, b @ b
    return start + np.array([b[1] * aa - a[1] * bb, a[0] * bb - b[0] * aa]) / twice
