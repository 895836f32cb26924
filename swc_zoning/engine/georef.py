# SPDX-License-Identifier: GPL-2.0-or-later
"""Coordinate reference systems of inputs: which one, whether it can be true, how to leave it."""

from __future__ import annotations

import warnings
from functools import lru_cache
from typing import Any

import numpy as np
from pyproj import CRS, Transformer
from pyproj.aoi import AreaOfInterest
from pyproj.database import query_crs_info
from pyproj.enums import PJType
from pyproj.exceptions import ProjError
from pyproj.transformer import TransformerGroup

#: (west, south, east, north)
Bounds = tuple[float, float, float, float]

#: Metres of one degree of the meridian as of the equator: pi a / 180, a = 6,378,137 m (CGCS2000), rounded.
METRES_PER_DEGREE = 111_320.0
_ZONES = range(13, 46)
_FIRST_3_DEGREE_ZONE = 25
#: Beyond this many degrees from its area of use a CRS is doubtful.
_AREA_MARGIN = 3.0
#: An area of use wider than this many degrees says nothing about a place.
_WIDE_AREA = 60.0
#: Below this many percent a match of a definition with a registered CRS is a guess.
CONFIDENCE = 90
#: A zone with an area of use wider than this (degrees) is a 6-degree zone.
_WIDE_ZONE = 4.0


def parse(text: str) -> CRS | None:
    """Return the CRS of an EPSG code, WKT or PROJ text; None where it cannot be understood.

    A projection whose name means nothing (PROJECTION["Unknown"]) cannot be understood either.
    """
    try:
        crs = CRS.from_user_input(text)
        if crs.is_projected:
            Transformer.from_crs(crs, crs.geodetic_crs)
    except ProjError:
        return None
    return crs


def is_undefined(crs: CRS) -> bool:
    """Return whether `crs` is the placeholder some readers give for a GeoPackage layer without one."""
    return crs.name.lower().startswith("undefined")


def is_metric(crs: CRS) -> bool:
    """Return whether `crs` is projected with metres on its first two axes."""
    axes = crs.axis_info[:2]
    return crs.is_projected and len(axes) == 2 and all(axis.unit_conversion_factor == 1.0 for axis in axes)


def metres_per_unit(crs: CRS) -> float:
    """Return roughly how many metres one unit of `crs` is."""
    if crs.is_geographic:
        return METRES_PER_DEGREE
    return crs.axis_info[0].unit_conversion_factor if crs.axis_info else 1.0


def name_of(crs: CRS) -> str:
    """Return "EPSG:4549" where the CRS is one, else its name."""
    code = crs.to_epsg(min_confidence=CONFIDENCE)
    return f"EPSG:{code}" if code else crs.name


def text_of(crs: CRS) -> str:
    """Return what a job may name the CRS by: its code, else its definition (WKT)."""
    authority = crs.to_authority(min_confidence=CONFIDENCE)
    return ":".join(authority) if authority else crs.to_wkt()


def lonlat_bounds(crs: CRS, bounds: Bounds) -> Bounds:
    """Return `bounds` in longitude and latitude of the same datum."""
    to_degrees = Transformer.from_crs(crs, crs.geodetic_crs, always_xy=True)
    return to_degrees.transform_bounds(*bounds)


def outside_area_of_use(crs: CRS, lonlat: Bounds) -> bool:
    """Return whether `lonlat` lies wholly outside the area of use of `crs` and 3 degrees around."""
    area = crs.area_of_use
    if area is None or area.west > area.east:
        return False
    apart = (lonlat[0] - area.east, area.west - lonlat[2], lonlat[1] - area.north, area.south - lonlat[3])
    return max(apart) > _AREA_MARGIN


def degrees_problem(crs: CRS, bounds: Bounds) -> bool:
    """Return whether metres are labelled as degrees, or degrees as metres.

    Numbers that are degrees within the area of use of a projected CRS are taken for degrees.
    """
    west, south, east, north = bounds
    if crs.is_geographic:
        return max(abs(west), abs(east)) > 360.0 or max(abs(south), abs(north)) > 90.0
    area = crs.area_of_use
    if area is None or area.east - area.west > _WIDE_AREA:
        return False
    return west >= area.west and east <= area.east and south >= area.south and north <= area.north


def zone_problem(crs: CRS, bounds: Bounds) -> dict[str, Any] | None:
    """Return facts where eastings carry a zone number and `crs` does not, the reverse, or another.

    Gauss-Krueger eastings with the zone in front exceed 1,000,000 m; the zone is then their
    millions: 25 to 45 for 3-degree, 13 to 23 for 6-degree zones (GB/T 17798 practice).
    Facts: `found` and `declared` zone (0: none), `proposal` the CRS names that fit, or "".
    """
    origin = gauss_krueger(crs)
    if origin is None:
        return None
    meridian, false_easting = origin
    declared = int(false_easting // 1e6)
    found = int(max((bounds[0] + bounds[2]) / 2, 0.0) // 1e6)
    if found == declared or not _is_zone(found) or not _is_zone(declared):
        return None
    if found:
        (meridian,) = zone_meridians(found)
    fitting = zone_names(crs.geodetic_crs.name, meridian, found * 1e6 + 500_000.0)
    return {"found": found, "declared": declared, "proposal": ", ".join(fitting)}


def zone_meridians(zone: int) -> list[float]:
    """Return the central meridians (degrees) of eastings with zone number `zone`; 0: they carry none."""
    if zone == 0:
        return [float(meridian) for meridian in range(75, 136, 3)]
    if zone not in _ZONES:
        return []
    return [3.0 * zone if zone >= _FIRST_3_DEGREE_ZONE else 6.0 * zone - 3.0]


def mixed_zones(crs: CRS, bounds: Bounds) -> dict[str, int] | None:
    """Return the first and last zone number where eastings of one layer carry several, else None."""
    first, last = (int(max(east, 0.0) // 1e6) for east in (bounds[0], bounds[2]))
    both = first in _ZONES and last in _ZONES and first != last
    return {"first": first, "last": last} if both and gauss_krueger(crs) is not None else None


def is_six_degree(crs: CRS) -> bool:
    """Return whether a Gauss-Krueger CRS is that of a 6-degree zone."""
    area = crs.area_of_use
    return area is not None and area.east - area.west > _WIDE_ZONE


def _is_zone(zone: int) -> bool:
    return zone == 0 or zone in _ZONES


def gauss_krueger(crs: CRS) -> tuple[float, float] | None:
    """Return (central meridian in degrees, false easting in metres) of a transverse Mercator CRS.

    Only the false eastings of Gauss-Krueger zones count: 500,000 m, with or without a zone number.
    """
    operation = crs.coordinate_operation
    if not crs.is_projected or operation is None or "Transverse Mercator" not in operation.method_name:
        return None
    values = {parameter.name.lower(): parameter.value for parameter in operation.params}
    meridian, easting = values.get("longitude of natural origin"), values.get("false easting")
    if meridian is None or easting is None or easting % 1e6 != 500_000.0:
        return None
    # UTM also starts at 500,000 m, but its scale is 0.9996 and its far eastings are no zone numbers.
    if values.get("scale factor at natural origin", 1.0) != 1.0:
        return None
    return meridian, easting


@lru_cache(maxsize=256)
def zone_names(datum: str, meridian: float, false_easting: float) -> list[str]:
    """Return names of the registered CRSs on a datum (by name) with this meridian and false easting."""
    around = AreaOfInterest(meridian - 0.1, 29.9, meridian + 0.1, 30.1)
    names = []
    for info in query_crs_info(auth_name="EPSG", pj_types=PJType.PROJECTED_CRS, area_of_interest=around):
        other = CRS.from_epsg(info.code)
        if other.geodetic_crs.name == datum and gauss_krueger(other) == (meridian, false_easting):
            names.append(f"EPSG:{info.code}")
    return names


def zone_crs(datum: CRS, zone: int, prefixed: bool) -> list[str]:
    """Return names of the Gauss-Krueger CRSs of a numbered zone on the datum of `datum`.

    `zone` 13 to 23 is 6 degrees wide, 25 to 45 is 3; `prefixed`: eastings carry the number in front.
    """
    narrow = zone >= _FIRST_3_DEGREE_ZONE
    easting = (zone * 1e6 if prefixed else 0.0) + 500_000.0
    named = datum.geodetic_crs.name
    fitting = [name for meridian in zone_meridians(zone) for name in zone_names(named, meridian, easting)]
    # One meridian may be that of both kinds of zone; only the names tell them apart.
    return [name for name in fitting if ("3-degree" in CRS.from_user_input(name).name) == narrow]


class Move:
    """One operation that takes all vertices of all layers of a CRS to the working CRS.

    A single operation for the whole job: choosing one by place would tear neighbours apart.
    """

    def __init__(self, source: CRS, target: CRS, area: Bounds) -> None:
        self.same, self.target = source == target, target
        self.exact = self.same or source.geodetic_crs == target.geodetic_crs
        with warnings.catch_warnings():
            # A missing grid is told by `better`, as a finding.
            warnings.simplefilter("ignore", UserWarning)
            group = TransformerGroup(source, target, always_xy=True, area_of_interest=AreaOfInterest(*area))
        self._transformer = group.transformers[0] if group.transformers else None
        #: Name of a better operation that lacks its grid file here, or "".
        self.better = "" if group.best_available else group.unavailable_operations[0].name

    @property
    def possible(self) -> bool:
        """Return whether there is a way at all."""
        return self.same or self._transformer is not None

    def facts(self) -> dict[str, Any]:
        """Return `operation` (its name) and `accuracy` in metres ("?" where unknown)."""
        known = self._transformer.accuracy >= 0
        return {
            "operation": self._transformer.description,
            "accuracy": self._transformer.accuracy if known else "?",
        }

    def __call__(self, points: np.ndarray) -> np.ndarray:
        """Return float64[n, 2] in the target CRS; inf where a point cannot be taken there."""
        if self.same:
            return points
        return np.column_stack(self._transformer.transform(points[:, 0], points[:, 1], errcheck=False))
