# SPDX-License-Identifier: GPL-2.0-or-later
"""What a user may ask to be done to the coordinates of a layer before it is placed, on a copy.

Order: the axes are put right, then an offset of web maps is taken off, then the user's own
transformation is applied. Nothing here is ever applied unasked. GCJ-02 and BD-09 are no official
transformations: their formulas are publicly known (from code that circulates since 2010) and
unconfirmed, so what they correct serves for show only (`MARK`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pyproj import CRS, Transformer

from swc_zoning.engine import georef
from swc_zoning.engine.messages import SwcError

#: float64[n, 2]: (east, north) in metres or (longitude, latitude) in degrees.
Points = NDArray[np.float64]

#: The message every result that rests on a corrected web map carries.
MARK = "intake.for_show"
_NAMES = {"gcj02": "GCJ-02", "bd09": "BD-09"}

# Krasovsky 1940, which the public formula of GCJ-02 takes metres to degrees with.
_A, _E2 = 6378245.0, 0.00669342162296594323
#: (west, south, east, north) in degrees: outside the formula leaves coordinates as they are.
_SHIFTED_WITHIN = (72.004, 0.8293, 137.8347, 55.8271)
_BD_WAVE = np.pi * 3000.0 / 180.0
_BD_LONGITUDE, _BD_LATITUDE = 0.0065, 0.006
#: The inverse stops below this (degrees, 1e-7 m) or after so many rounds; each gains two digits.
_INVERSE_STEP, _INVERSE_ROUNDS = 1e-12, 30
_SECOND = np.pi / 180.0 / 3600.0


def asked(spec: Any) -> dict[str, Any]:
    """Return the corrections a layer entry of the job asks for, by key; empty where it asks for none."""
    given = {key: getattr(spec, key, None) for key in ("axis_order", "shift", "transform")}
    return {key: value for key, value in given.items() if value not in (None, "as_is")}


def corrected(points: Points, crs: CRS | None, wanted: Mapping[str, Any]) -> tuple[Points, CRS | None]:
    """Return points of CRS `crs` with the corrections of :func:`asked`, and the CRS they are in then.

    inf where a point cannot be taken there. Raises SwcError intake.crs_unknown.
    """
    if wanted.get("axis_order") == "swap":
        points = points[:, ::-1]
    if "shift" in wanted and crs is not None:
        points = _unshifted(points, crs, TRUE_PLACES[wanted["shift"]])
    if "transform" not in wanted:
        return points, crs
    target = _named(wanted["transform"]["target"])
    way = four_parameter if wanted["transform"]["kind"] == "4" else seven_parameter
    return way(points, wanted["transform"]), target


def _unshifted(points: Points, crs: CRS, true_places: Callable[[Points], Points]) -> Points:
    if crs.is_geographic:
        return true_places(points)
    there = Transformer.from_crs(crs, crs.geodetic_crs, always_xy=True)
    lonlat = true_places(_through(there, points))
    return np.column_stack(there.transform(lonlat[:, 0], lonlat[:, 1], direction="INVERSE", errcheck=False))


def _through(transformer: Transformer, points: Points) -> Points:
    return np.column_stack(transformer.transform(points[:, 0], points[:, 1], errcheck=False))


# --- GCJ-02 and BD-09 ------------------------------------------------------------------------------


def gcj02(lonlat: Points) -> Points:
    """Return true places (longitude, latitude, degrees) as GCJ-02 shows them: 100 to 700 m off."""
    x, y = lonlat[:, 0] - 105.0, lonlat[:, 1] - 35.0
    east, north = _gcj_offsets(x, y)
    latitude = np.radians(lonlat[:, 1])
    w2 = 1.0 - _E2 * np.sin(latitude) ** 2
    meridional, transverse = _A * (1.0 - _E2) / w2**1.5, _A / np.sqrt(w2) * np.cos(latitude)
    moved = lonlat + np.degrees(np.column_stack([east / transverse, north / meridional]))
    west, south, far_east, far_north = _SHIFTED_WITHIN
    inside = (lonlat > (west, south)) & (lonlat < (far_east, far_north))
    return np.where(inside.all(axis=1, keepdims=True), moved, lonlat)


def _gcj_offsets(x: NDArray[np.float64], y: NDArray[np.float64]) -> tuple[Any, Any]:
    """Return the offsets in metres (east, north) at `x`, `y` degrees from 105 E, 35 N."""

    def waves(angle: NDArray[np.float64], terms: tuple[tuple[float, float], ...]) -> NDArray[np.float64]:
        return sum(size * np.sin(angle * np.pi * rate) for size, rate in terms) * 2.0 / 3.0

    common = waves(x, ((20.0, 6.0), (20.0, 2.0)))
    root = np.sqrt(np.abs(x))
    east = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root + common
    east = east + waves(x, ((20.0, 1.0), (40.0, 1 / 3), (150.0, 1 / 12), (300.0, 1 / 30)))
    north = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root + common
    north = north + waves(y, ((20.0, 1.0), (40.0, 1 / 3), (160.0, 1 / 12), (320.0, 1 / 30)))
    return east, north


def bd09(lonlat: Points) -> Points:
    """Return true places (longitude, latitude, degrees) as BD-09 shows them: GCJ-02 and a turn more."""
    x, y = gcj02(lonlat).T
    radius = np.hypot(x, y) + 2e-5 * np.sin(y * _BD_WAVE)
    angle = np.arctan2(y, x) + 3e-6 * np.cos(x * _BD_WAVE)
    return np.column_stack([radius * np.cos(angle) + _BD_LONGITUDE, radius * np.sin(angle) + _BD_LATITUDE])


def _inverse(forward: Callable[[Points], Points]) -> Callable[[Points], Points]:
    """Return the inverse of a shift that is nearly the identity, by fixed-point iteration."""

    def true_places(shifted: Points) -> Points:
        guess = np.array(shifted, dtype=np.float64)
        for _ in range(_INVERSE_ROUNDS):
            step = shifted - forward(guess)
            guess += step
            if not len(step) or not np.nanmax(np.abs(step)) > _INVERSE_STEP:
                break
        return guess

    return true_places


#: Shown places from true ones, by name of the shift.
SHOWN_PLACES: dict[str, Callable[[Points], Points]] = {"gcj02": gcj02, "bd09": bd09}
#: True places from shown ones (longitude, latitude, degrees), within 1e-6 m of the formula's inverse.
TRUE_PLACES = {name: _inverse(forward) for name, forward in SHOWN_PLACES.items()}


# --- the user's own parameters ---------------------------------------------------------------------


def _named(text: str) -> CRS:
    crs = georef.parse(text)
    if crs is None:
        raise SwcError("intake.crs_unknown", crs=text[:80], frame="—", proposal="—", readings="—")
    return crs


def told(wanted: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield code and facts of what must be said of corrections that were made."""
    if wanted.get("axis_order") == "swap":
        yield "intake.axes_swapped", {}
    if "shift" in wanted:
        yield "intake.shift_corrected", {"kind": _NAMES[wanted["shift"]]}
    if "transform" in wanted:
        given = {key: value for key, value in wanted["transform"].items() if key not in ("kind", "target")}
        parameters = ", ".join(f"{key}={value}" for key, value in given.items())
        facts = {"kind": wanted["transform"]["kind"], "target": wanted["transform"]["target"][:80]}
        yield "intake.transformed", {**facts, "parameters": parameters[:300]}


def _scale(transform: Mapping[str, Any]) -> float:
    return transform["scale"] if "scale" in transform else 1.0 + transform.get("scale_ppm", 0.0) * 1e-6


def four_parameter(points: Points, transform: Mapping[str, Any]) -> Points:
    """Return plane points (east, north) by four parameters, as surveyors publish them.

    With the scale m and the rotation t::

        x' = dx + m (x cos t - y sin t)
        y' = dy + m (x sin t + y cos t)

    `convention` says what x is: "east_north" (x east, y north; t turns the points anticlockwise)
    or "north_east" (x north, y east, as Chinese surveyors write; t turns them clockwise). `dx`, `dy` in
    metres, `rotation_seconds` in arc-seconds, `scale_ppm` as (m - 1) 10^6, or m itself as `scale`.
    """
    north_first = transform["convention"] == "north_east"
    x, y = (points[:, ::-1] if north_first else points).T
    turn, scale = transform.get("rotation_seconds", 0.0) * _SECOND, _scale(transform)
    moved = np.column_stack(
        [
            transform["dx"] + scale * (x * np.cos(turn) - y * np.sin(turn)),
            transform["dy"] + scale * (x * np.sin(turn) + y * np.cos(turn)),
        ]
    )
    return moved[:, ::-1] if north_first else moved


def seven_parameter(points: Points, transform: Mapping[str, Any]) -> Points:
    """Return points of CRS `source` in CRS `target` by the seven parameters of a Helmert transformation.

    Geocentric, small angles (EPSG methods 1032 and 1033)::

        X' = T + (1 + s 10^-6) R X,  R = [[1, -rz, ry], [rz, 1, -rx], [-ry, rx, 1]]

    for `convention` "position_vector"; the signs of rx, ry, rz are the other way for
    "coordinate_frame". `dx`, `dy`, `dz` in metres, `rx`, `ry`, `rz` in arc-seconds, `scale_ppm`.
    Heights above the ellipsoid are taken as zero. Raises SwcError intake.crs_unknown.
    """
    source, target = _named(transform["source"]), _named(transform["target"])
    start = Transformer.from_crs(source, source.geodetic_crs, always_xy=True)
    end = Transformer.from_crs(target.geodetic_crs, target, always_xy=True)
    helmert = Transformer.from_pipeline(_pipeline(transform, source, target))
    lonlat = _through(start, points)
    flat = np.zeros(len(lonlat))
    moved = helmert.transform(lonlat[:, 0], lonlat[:, 1], flat, errcheck=False)
    return _through(end, np.column_stack(moved[:2]))


def _pipeline(transform: Mapping[str, Any], source: CRS, target: CRS) -> str:
    names = {"dx": "x", "dy": "y", "dz": "z", "rx": "rx", "ry": "ry", "rz": "rz", "scale_ppm": "s"}
    parameters = " ".join(f"+{name}={transform.get(key, 0.0)!r}" for key, name in names.items())
    first, second = (
        f"+a={crs.ellipsoid.semi_major_metre!r} +rf={crs.ellipsoid.inverse_flattening!r}"
        for crs in (source, target)
    )
    return (
        "+proj=pipeline +step +proj=unitconvert +xy_in=deg +xy_out=rad "
        f"+step +proj=cart {first} +step +proj=helmert {parameters} +convention={transform['convention']} "
        f"+step +inv +proj=cart {second} +step +proj=unitconvert +xy_in=rad +xy_out=deg"
    )
