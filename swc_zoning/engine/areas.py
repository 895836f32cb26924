# SPDX-License-Identifier: GPL-2.0-or-later
"""Official ellipsoidal area, edge by edge, and the closing of areas to their control.

The area of a patch is a sum of signed trapezoids between its edges and a meridian
(国土调查办发〔2008〕32号, 图斑椭球面积计算公式). One term per edge, the same with the sign turned when the
edge is walked the other way: so the parts of a partition sum to the whole before anything is rounded.
Units: metres, square metres; angles inside are micro-arc-seconds (the official rounding of B and L).
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import shapely
from numpy.polynomial import chebyshev
from pyproj import CRS, Transformer
from pyproj.exceptions import CRSError

from swc_zoning.engine.messages import SwcError
from swc_zoning.paths import resource

_MICRO_PER_DEGREE = 3600e6
_RADIANS_PER_MICRO = math.pi / 180 / _MICRO_PER_DEGREE
_NODES_AT_ONCE = 1 << 14
_POINTS_AT_ONCE = 1 << 19
_POLYGON, _MULTIPOLYGON, _MISSING = 3, 6, -1


@lru_cache(maxsize=1)
def _rules() -> dict[str, Any]:
    return json.loads(resource("ellipsoids.json").read_text(encoding="utf-8"))


def _half_up(values: np.ndarray, decimals: int) -> np.ndarray:
    scale = 10.0**decimals
    return np.floor(values * scale + 0.5) / scale


def _slices(count: int, size: int) -> Iterator[slice]:
    for first in range(0, count, size):
        yield slice(first, min(first + size, count))


def round_area(values: Any) -> np.ndarray:
    """Return areas in m2, any shape, rounded half-up to the official 0.01 m2."""
    return _half_up(np.asarray(values, dtype=np.float64), 2)


# --- from the plane to the ellipsoid ---------------------------------------------------------------


class _GaussInverse:
    """The Gauss-Krueger inverse series with the CGCS2000 constants (submission rules of the surveys).

    Takes metres east of the central meridian and north of the equator; gives latitude and
    longitude from that meridian in micro-arc-seconds, rounded half-up as the rule wants.
    """

    def __init__(self, constants: dict[str, Any]) -> None:
        self._k = constants["gauss_inverse"]
        self._c = constants["c"]
        self._second_e2 = constants["second_e2"]

    def __call__(self, east: np.ndarray, north: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        foot = self._foot_latitude(north)
        cosine = np.cos(foot)
        t = np.sin(foot) / cosine
        n2 = self._second_e2 * cosine * cosine
        u = east * np.sqrt(1 + n2) / self._c
        latitude = foot - _latitude_drop(t, n2, u * u)
        longitude = _longitude_step(t * t, n2, u) / cosine
        return _whole_micro(latitude), _whole_micro(longitude)

    def _foot_latitude(self, north: np.ndarray) -> np.ndarray:
        k0, k1, k2, k3, k4 = self._k
        arc = k0 * north
        s = np.sin(arc)
        s2 = s * s
        return arc + np.cos(arc) * s * (k1 - s2 * (k2 - s2 * (k3 - s2 * k4)))


def _latitude_drop(t: np.ndarray, n2: np.ndarray, u2: np.ndarray) -> np.ndarray:
    # Horner form of: ½V²tu² − (1/24)(5+3t²+η²−9η²t²)V²tu⁴ + (1/720)(61+90t²+45t⁴)V²tu⁶
    t2 = t * t
    fourth = (5 + 3 * t2 + n2 - 9 * n2 * t2) / 24
    sixth = (61 + t2 * (90 + 45 * t2)) / 720
    return (1 + n2) * t * u2 * (0.5 - u2 * (fourth - u2 * sixth))


def _longitude_step(t2: np.ndarray, n2: np.ndarray, u: np.ndarray) -> np.ndarray:
    # Horner form of: u − (1/6)(1+2t²+η²)u³ + (1/120)(5+28t²+24t⁴+6η²+8η²t²)u⁵
    third = (1 + 2 * t2 + n2) / 6
    fifth = (5 + t2 * (28 + 24 * t2) + n2 * (6 + 8 * t2)) / 120
    u2 = u * u
    return u * (1 - u2 * (third - u2 * fifth))


def _whole_micro(radians: np.ndarray) -> np.ndarray:
    return np.floor(radians / _RADIANS_PER_MICRO + 0.5)


class _ProjInverse:
    """The inverse of PROJ to the geodetic CRS of `crs`; micro-arc-seconds, not rounded."""

    def __init__(self, crs: CRS, lon_0: float) -> None:
        self._transformer = Transformer.from_crs(crs, crs.geodetic_crs, always_xy=True)
        self._lon_0 = lon_0

    def __call__(self, east: np.ndarray, north: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        longitude, latitude = self._transformer.transform(east, north)
        from_meridian = np.remainder(longitude - self._lon_0 + 180, 360) - 180
        return latitude * _MICRO_PER_DEGREE, from_meridian * _MICRO_PER_DEGREE


# --- trapezoids ------------------------------------------------------------------------------------


def series_coefficients(e2: float) -> tuple[float, float, float, float, float]:
    """Return A..E of the official area formula for the square `e2` of the FIRST eccentricity.

    Source: 国土调查办发〔2008〕32号. Its pseudo-code feeds the second eccentricity, which makes
    areas 24 ppm too large; its text and tables use the first.
    """
    e4, e6, e8 = e2**2, e2**3, e2**4
    return (
        1 + 3 / 6 * e2 + 30 / 80 * e4 + 35 / 112 * e6 + 630 / 2304 * e8,
        1 / 6 * e2 + 15 / 80 * e4 + 21 / 112 * e6 + 420 / 2304 * e8,
        3 / 80 * e4 + 7 / 112 * e6 + 180 / 2304 * e8,
        1 / 112 * e6 + 45 / 2304 * e8,
        5 / 2304 * e8,
    )


class _Trapezoid:
    """Signed area between an edge and the meridian of origin, on one ellipsoid.

    S = 2b²ΔL Σ ±C_k sin(kΔB/2) cos(kBm), k = 1, 3 .. 9 (国土调查办发〔2008〕32号). With x = ΔB/2 of at
    most 70 m, sin kx = kx − (kx)³/6 is exact to 1e-20, and cos kBm is the Chebyshev polynomial of
    cos Bm: so one cosine per edge is enough. Every step is odd in ΔB and symmetric in the ends,
    which makes the term bit-exactly antisymmetric.
    """

    def __init__(self, b: float, e2: float) -> None:
        orders = (1, 3, 5, 7, 9)
        signed = [sign * c for sign, c in zip((1, -1, 1, -1, 1), series_coefficients(e2))]
        self._linear = _odd_cosine_sum(orders, [c * k for c, k in zip(signed, orders)])
        self._cubic = _odd_cosine_sum(orders, [c * k**3 / 6 for c, k in zip(signed, orders)])
        self._scale = 2 * b * b

    def __call__(self, b1: np.ndarray, l1: np.ndarray, b2: np.ndarray, l2: np.ndarray) -> np.ndarray:
        half = (b2 - b1) * (_RADIANS_PER_MICRO / 2)
        middle = (l1 + l2) * (_RADIANS_PER_MICRO / 2)
        cosine = np.cos((b1 + b2) * (_RADIANS_PER_MICRO / 2))
        squared = cosine * cosine
        inner = _horner(self._linear, squared) - half * half * _horner(self._cubic, squared)
        return self._scale * middle * (half * cosine * inner)


def _odd_cosine_sum(orders: Sequence[int], factors: Sequence[float]) -> list[float]:
    """Return p with Σ factor·cos(order·B) = cos B · p(cos² B), lowest power first."""
    series = np.zeros(max(orders) + 1)
    series[list(orders)] = factors
    return chebyshev.cheb2poly(series)[1::2].tolist()


def _horner(coefficients: list[float], x: np.ndarray) -> np.ndarray:
    total = coefficients[-1] * x
    for coefficient in coefficients[-2:0:-1]:
        total += coefficient
        total *= x
    return total + coefficients[0]


# --- the model -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class AreaModel:
    """Ellipsoidal area in one working CRS; `kind` is "official" or "proj".

    "official": CGCS2000 Gauss-Krueger inverse series, B and L rounded to 1e-6 second.
    "proj": inverse of PROJ on the CRS's own ellipsoid, angles not rounded.
    `false_easting` (m) is taken off first; `lon_0` (degrees) is the meridian areas count from.
    """

    kind: str
    ellipsoid: str
    lon_0: float
    false_easting: float
    _inverse: _GaussInverse | _ProjInverse
    _trapezoid: _Trapezoid

    def as_json(self) -> dict[str, Any]:
        """Return what a report says of the method."""
        return {"kind": self.kind, "ellipsoid": self.ellipsoid, "lon_0": self.lon_0}

    def edge_terms(self, x1: Any, y1: Any, x2: Any, y2: Any) -> np.ndarray:
        """Return the signed trapezoid term of each edge, float64[n] in m2.

        Ends are float[n] in metres (E, N) of the working CRS. Summed over a counter-clockwise ring
        the terms are its area. Swapping the ends of an edge turns the sign and changes no other bit.
        """
        ends = [np.asarray(v, dtype=np.float64).ravel() for v in (x1, y1, x2, y2)]
        if len({len(v) for v in ends}) != 1:
            raise SwcError("areas.lengths_differ", lengths=", ".join(str(len(v)) for v in ends))
        terms = np.empty(len(ends[0]))
        for part in _slices(len(terms), _NODES_AT_ONCE):
            x, y = (
                np.concatenate([ends[0][part], ends[2][part]]),
                np.concatenate([ends[1][part], ends[3][part]]),
            )
            count = len(x) // 2
            terms[part] = self.edge_terms_indexed(x, y, np.arange(count), np.arange(count, 2 * count))
        return terms

    def edge_terms_indexed(self, x: Any, y: Any, start: Any, end: Any) -> np.ndarray:
        """Return `edge_terms` of the edges ``start[i] -> end[i]`` of the nodes (x, y).

        Nodes are float64[m] in metres (E, N), `start` and `end` int[n]; a node is taken to the
        ellipsoid once, however many edges meet there.
        """
        east = _half_up(np.asarray(x, dtype=np.float64) - self.false_easting, _rules()["plane_decimals"])
        north = _half_up(np.asarray(y, dtype=np.float64), _rules()["plane_decimals"])
        latitude, longitude = self._to_ellipsoid(east, north)
        start, end = np.asarray(start), np.asarray(end)
        terms = np.empty(len(start))
        for part in _slices(len(terms), _NODES_AT_ONCE):
            i, j = start[part], end[part]
            terms[part] = self._trapezoid(latitude[i], longitude[i], latitude[j], longitude[j])
            length = np.hypot(east[j] - east[i], north[j] - north[i])
            long = np.flatnonzero(length > _rules()["densify_m"])
            if len(long):
                i, j = i[long], j[long]
                terms[part.start + long] = self._long_terms(east[i], north[i], east[j], north[j])
        return terms

    def areas(self, geometries: Any) -> np.ndarray:
        """Return the areas of Polygons and MultiPolygons in the working CRS, float64[n] in m2, raw.

        Each polygon counts |outer| − Σ|holes|, whatever way its rings run; None and empty give 0.
        Raises SwcError areas.not_polygonal for anything else.
        """
        geometries = np.atleast_1d(np.asarray(geometries, dtype=object))
        _refuse_other_types(geometries)
        parts, owner = shapely.get_parts(geometries, return_index=True)
        filled = ~shapely.is_empty(parts)
        parts, owner = parts[filled], owner[filled]
        rings, part_of = shapely.get_rings(parts, return_index=True)
        outer = np.diff(part_of, prepend=-1) != 0
        sizes = np.abs(self._ring_sums(rings))
        signed = np.where(outer, sizes, -sizes)
        return np.bincount(owner[part_of], signed, minlength=len(geometries))

    def _ring_sums(self, rings: np.ndarray) -> np.ndarray:
        if not len(rings):
            return np.zeros(0)
        points, ring_of = shapely.get_coordinates(rings, return_index=True)
        start = np.flatnonzero(ring_of[1:] == ring_of[:-1])
        terms = self.edge_terms_indexed(points[:, 0], points[:, 1], start, start + 1)
        first = np.flatnonzero(np.diff(ring_of[start], prepend=-1))
        return np.add.reduceat(terms, first)

    def _to_ellipsoid(self, east: np.ndarray, north: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        latitude, longitude = np.empty(len(east)), np.empty(len(east))
        for part in _slices(len(east), _NODES_AT_ONCE):
            latitude[part], longitude[part] = self._inverse(east[part], north[part])
        return latitude, longitude

    def _long_terms(self, x1: np.ndarray, y1: np.ndarray, x2: np.ndarray, y2: np.ndarray) -> np.ndarray:
        """Return the terms of edges above 70 m, walked from their lexicographically first end."""
        forward = (x1 < x2) | ((x1 == x2) & (y1 < y2))
        x1, x2 = np.where(forward, x1, x2), np.where(forward, x2, x1)
        y1, y2 = np.where(forward, y1, y2), np.where(forward, y2, y1)
        inserted = (np.hypot(x2 - x1, y2 - y1) / _rules()["densify_m"]).astype(np.int64)
        terms = np.empty(len(x1))
        for part in _bounded(inserted + 2):
            terms[part] = self._densified_terms(x1[part], y1[part], x2[part], y2[part], inserted[part])
        return np.where(forward, terms, -terms)

    def _densified_terms(
        self, x1: np.ndarray, y1: np.ndarray, x2: np.ndarray, y2: np.ndarray, inserted: np.ndarray
    ) -> np.ndarray:
        points = inserted + 2
        first = np.cumsum(points) - points
        step = np.arange(points.sum()) - np.repeat(first, points)
        share = step / np.repeat(inserted + 1, points)
        east, north = _between(x1, x2, points, share), _between(y1, y2, points, share)
        last = first + points - 1
        east[last], north[last] = x2, y2
        b, lon = self._to_ellipsoid(east, north)
        segment = np.zeros(len(b))
        segment[:-1] = self._trapezoid(b[:-1], lon[:-1], b[1:], lon[1:])
        segment[last] = 0.0  # leads from the end of an edge to the start of the next one
        return np.add.reduceat(segment, first)


def _between(first: np.ndarray, last: np.ndarray, points: np.ndarray, share: np.ndarray) -> np.ndarray:
    along = np.repeat(first, points) + np.repeat(last - first, points) * share
    return _half_up(along, _rules()["inserted_decimals"])


def _bounded(points: np.ndarray) -> Iterator[slice]:
    """Yield slices of edges with at most about _POINTS_AT_ONCE points each, one edge at least."""
    ends = np.cumsum(points)
    first = 0
    while first < len(points):
        done = ends[first - 1] if first else 0
        last = max(first + 1, int(np.searchsorted(ends, done + _POINTS_AT_ONCE, side="right")))
        yield slice(first, last)
        first = last


def _refuse_other_types(geometries: np.ndarray) -> None:
    kinds = shapely.get_type_id(geometries)
    wrong = np.flatnonzero(~np.isin(kinds, (_POLYGON, _MULTIPOLYGON, _MISSING)))
    if len(wrong):
        index = int(wrong[0])
        raise SwcError("areas.not_polygonal", index=index, kind=geometries[index].geom_type)


def area_model(crs: Any) -> AreaModel:
    """Return how areas are computed in `crs` (anything pyproj reads; projected, metres).

    Transverse Mercator on the datum CGCS2000 with scale 1 from the equator (3- or 6-degree zones,
    with or without prefix, or a local meridian) gets the official series; anything else PROJ.
    Raises SwcError areas.crs_not_metric for degrees, other units or unreadable text.
    """
    crs = _plane_crs(crs)
    parameters = _parameters(crs)
    lon_0 = parameters.get("Longitude of natural origin", 0.0)
    if _is_cgcs2000_gauss(crs, parameters):
        constants = _rules()["cgcs2000"]
        trapezoid = _Trapezoid(constants["b"], constants["e2"])
        easting = parameters["False easting"]
        return AreaModel("official", "CGCS2000", lon_0, easting, _GaussInverse(constants), trapezoid)
    a, b = crs.ellipsoid.semi_major_metre, crs.ellipsoid.semi_minor_metre
    trapezoid = _Trapezoid(b, (a * a - b * b) / (a * a))
    return AreaModel("proj", crs.ellipsoid.name, lon_0, 0.0, _ProjInverse(crs, lon_0), trapezoid)


def _plane_crs(crs: Any) -> CRS:
    try:
        plane = CRS.from_user_input(crs).to_2d()
    except CRSError as error:
        raise SwcError("areas.crs_not_metric", crs=str(crs)) from error
    while plane.is_bound or plane.is_compound:
        plane = plane.source_crs if plane.is_bound else plane.sub_crs_list[0]
    if not plane.is_projected or any(axis.unit_conversion_factor != 1 for axis in plane.axis_info[:2]):
        raise SwcError("areas.crs_not_metric", crs=plane.name)
    return plane


def _parameters(crs: CRS) -> dict[str, float]:
    """Return projection parameters by EPSG name, angles in degrees, lengths in metres."""
    values = {}
    for parameter in crs.coordinate_operation.params:
        factor = parameter.unit_conversion_factor
        angle = parameter.unit_name != "metre" and "itude" in parameter.name
        values[parameter.name] = parameter.value * (math.degrees(factor) if angle else factor)
    return values


def _is_cgcs2000_gauss(crs: CRS, parameters: dict[str, float]) -> bool:
    if crs.coordinate_operation.method_name != "Transverse Mercator":
        return False
    natural = {
        "Latitude of natural origin": 0.0,
        "Scale factor at natural origin": 1.0,
        "False northing": 0.0,
    }
    if any(parameters.get(name) != value for name, value in natural.items()):
        return False
    return crs.geodetic_crs.datum == _cgcs2000_datum()


@lru_cache(maxsize=1)
def _cgcs2000_datum() -> Any:
    return CRS.from_epsg(4490).datum


# --- closing ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Adjustment:
    """What closing changed in one district; areas in m2, `factor` 1.0 where nothing was scaled.

    `typed` says that the control is an approved value given by the user.
    """

    district: int
    pieces: int
    raw_m2: float
    control_m2: float
    typed: bool
    factor: float
    max_change_m2: float
    sum_change_m2: float


def control_factor(values: Any, control: float, decimals: int = 2) -> float:
    """Return the factor that takes `values` to `control` before closing (both m2).

    Exactly 1.0 when rounding alone can close the difference, every value moving by less than one
    unit of 10**-decimals; control / sum otherwise.
    Raises SwcError areas.values_unusable, areas.control_unusable, areas.control_without_area.
    """
    values = _checked_values(values)
    return _factor(values, _target(control, decimals), control, decimals)


def close(values: Any, control: float, decimals: int = 2, keys: Any = None) -> np.ndarray:
    """Return int64[n] units of 10**-decimals that sum exactly to `control` rounded half-up.

    `values` float[n] in m2, not negative. Largest remainder after `control_factor`; among equal
    remainders the smaller key (unique strings or numbers, [n]) comes first, so the answer does not
    depend on the order of the input; without keys equal ones go by position.
    Levelling as 《第二次全国土地调查数据库面积汇总统计规定》 demands (强制调平); the key is our design.
    Raises SwcError areas.values_unusable, areas.control_unusable, areas.control_without_area.
    """
    values = _checked_values(values)
    target = _target(control, decimals)
    scale = _factor(values, target, control, decimals) * 10.0**decimals
    floors, remainders = _split(values * scale)
    return _distribute(floors, remainders, target, _checked_keys(keys, len(values)))


def close_districts(
    values: Any, district: Any, controls: Sequence[float | None] | None = None, keys: Any = None
) -> tuple[np.ndarray, list[Adjustment]]:
    """Close pieces to their districts and the districts to the city, on whole 0.01 m2.

    `values` float[n] in m2, `district` int[n] 0..D-1, `controls` D typed areas in m2 or None where
    the sum of the pieces is the control, `keys` as in `close`. Typed areas stay as typed; the
    others are levelled so that the districts sum to the rounded city. Returns int64[n] in 0.01 m2
    and one Adjustment per district. The city is the sum of the districts.
    """
    values, district = _checked_values(values), np.asarray(district, dtype=np.int64)
    keys = _checked_keys(keys, len(values))
    typed = _checked_controls(controls, district, len(values))
    groups = _groups(district, len(typed))
    raw = [math.fsum(values[group]) for group in groups]
    targets = _district_targets(raw, typed)
    closed = np.zeros(len(values), dtype=np.int64)
    adjustments = []
    for number, group in enumerate(groups):
        control = targets[number] / 100
        closed[group] = close(values[group], control, 2, None if keys is None else keys[group])
        adjustments.append(_adjustment(number, values[group], closed[group], control, typed[number]))
    return closed, adjustments


def close_displayed(centi: Any, unit: str, decimals: int = 2, keys: Any = None) -> np.ndarray:
    """Return int64[n] display units (10**-decimals of `unit`) that sum to the rounded total.

    `centi` int[n] rows in 0.01 m2, `unit` one of m2, ha, km2, mu (亩, 2000/3 m2). All in integers.
    Raises SwcError areas.unit_unknown, areas.values_unusable.
    """
    units = _rules()["units"]
    if unit not in units:
        raise SwcError("areas.unit_unknown", unit=unit, known=", ".join(units))
    rows = np.asarray(centi, dtype=np.int64)
    if rows.size and rows.min() < 0:
        raise SwcError("areas.values_unusable", value=int(rows.min()))
    size, per = units[unit]["centi_m2"]
    multiplier = per * 10**decimals
    floors, remainders = np.divmod(rows * multiplier, size)
    total = int(rows.sum()) * multiplier
    return _distribute(floors, remainders, (2 * total + size) // (2 * size), _checked_keys(keys, len(rows)))


def _checked_values(values: Any) -> np.ndarray:
    values = np.asarray(values, dtype=np.float64)
    wrong = ~np.isfinite(values) | (values < 0)
    if wrong.any():
        raise SwcError("areas.values_unusable", value=float(values[wrong][0]))
    return values


def _checked_keys(keys: Any, count: int) -> np.ndarray | None:
    if keys is None:
        return None
    keys = np.asarray(keys)
    if len(keys) != count:
        raise SwcError("areas.lengths_differ", lengths=f"{count}, {len(keys)}")
    return keys


def _checked_controls(
    controls: Sequence[float | None] | None, district: np.ndarray, count: int
) -> list[float | None]:
    if len(district) != count:
        raise SwcError("areas.lengths_differ", lengths=f"{count}, {len(district)}")
    highest = int(district.max()) if count else -1
    typed = [None] * (highest + 1) if controls is None else list(controls)
    if highest >= len(typed) or (count and int(district.min()) < 0):
        raise SwcError(
            "areas.district_unknown", lowest=int(district.min()), highest=highest, count=len(typed)
        )
    return typed


def _target(control: float, decimals: int) -> int:
    if not math.isfinite(control) or control < 0:
        raise SwcError("areas.control_unusable", control=control)
    return math.floor(control * 10.0**decimals + 0.5)


def _split(units: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    floors = np.floor(units)
    return floors.astype(np.int64), units - floors


def _factor(values: np.ndarray, target: int, control: float, decimals: int) -> float:
    floors, remainders = _split(values * 10.0**decimals)
    missing = target - int(floors.sum())
    if 0 <= missing <= np.count_nonzero(remainders):
        return 1.0
    total = math.fsum(values)
    if total == 0:
        raise SwcError("areas.control_without_area", control=control)
    return control / total


def _distribute(
    floors: np.ndarray, remainders: np.ndarray, target: int, keys: np.ndarray | None
) -> np.ndarray:
    """Return `floors` raised by one where remainders are largest, so that they sum to `target`."""
    closed = floors.copy()
    missing = target - int(floors.sum())
    if not len(closed) or missing == 0:
        return closed
    closed += max(missing, 0) // len(closed)
    missing = target - int(closed.sum())
    if missing > 0:
        closed[_first_by_remainder(remainders, missing, keys)] += 1
    elif missing < 0:
        # Scaled values can miss by float noise: take back where least is lost, from what can give.
        able = np.flatnonzero(closed)
        kept = None if keys is None else keys[able]
        closed[able[_first_by_remainder(-remainders[able], -missing, kept)]] -= 1
    return closed


def _first_by_remainder(remainders: np.ndarray, count: int, keys: np.ndarray | None) -> np.ndarray:
    """Return the indices of the `count` largest remainders; only ties at the limit are sorted."""
    limit = np.partition(remainders, len(remainders) - count)[len(remainders) - count]
    above = np.flatnonzero(remainders > limit)
    tied = np.flatnonzero(remainders == limit)
    if keys is not None:
        tied = tied[np.argsort(keys[tied], kind="stable")]
    return np.concatenate([above, tied[: count - len(above)]])


def _groups(district: np.ndarray, count: int) -> list[np.ndarray]:
    order = np.argsort(district, kind="stable")
    return np.split(order, np.searchsorted(district[order], np.arange(1, count))) if count else []


def _district_targets(raw: list[float], typed: list[float | None]) -> list[int]:
    """Return each district's area in whole 0.01 m2: typed ones rounded, the others levelled."""
    targets = [0 if value is None else _target(value, 2) for value in typed]
    free = [number for number, value in enumerate(typed) if value is None]
    sums = [raw[number] for number in free]
    for number, units in zip(free, close(sums, math.fsum(sums), 2, free).tolist()):
        targets[number] = units
    return targets


def _adjustment(
    number: int, values: np.ndarray, closed: np.ndarray, control: float, typed: float | None
) -> Adjustment:
    changes = np.abs(closed / 100 - values)
    return Adjustment(
        district=number,
        pieces=len(values),
        raw_m2=math.fsum(values),
        control_m2=control,
        typed=typed is not None,
        factor=control_factor(values, control),
        max_change_m2=float(changes.max(initial=0.0)),
        sum_change_m2=math.fsum(changes),
    )
