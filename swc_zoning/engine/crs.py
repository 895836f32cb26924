# SPDX-License-Identifier: GPL-2.0-or-later
"""The working CRS of a job that names none: the zone that fits, as ``resources/crs.json`` lists them."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from swc_zoning.engine.messages import SwcError
from swc_zoning.paths import resource

#: (west, south, east, north) in degrees.
Bounds = Sequence[float]

_UTM_NORTH, _UTM_SOUTH, _UTM_ZONES = 32600, 32700, 60


def choose_crs(bounds_lonlat: Bounds, layer_crs: Sequence[Any] = ()) -> str:
    """Return the working CRS for data within `bounds_lonlat` (west, south, east, north, degrees).

    In China the CRS kept for the city, else the CGCS2000 3-degree zone whose meridian is nearest
    the centre; elsewhere the first of `layer_crs` (CRS objects, texts or None, in job order) that is
    projected in metres; else the UTM zone of the centre on WGS 84.
    Raises SwcError job.bounds_unusable.
    """
    bounds = _checked(bounds_lonlat)
    if _inside(bounds, _table()["china"]["extent"]):
        return _city(bounds) or _three_degree(bounds)
    return _first_metric(layer_crs) or _utm(bounds)


def china() -> tuple[float, float, float, float]:
    """Return the extent of China: west, south, east, north in degrees."""
    west, south, east, north = _table()["china"]["extent"]
    return west, south, east, north


def templates() -> list[dict[str, str]]:
    """Return local planes whose official parameters are not public, as approximate, editable definitions."""
    return _table()["templates"]


@lru_cache(maxsize=1)
def _table() -> dict[str, Any]:
    return json.loads(resource("crs.json").read_text(encoding="utf-8"))


def _checked(bounds: Bounds) -> tuple[float, ...]:
    values = tuple(float(value) for value in bounds)
    usable = len(values) == 4 and all(map(math.isfinite, values))
    if not usable or not (values[0] <= values[2] and -90 <= values[1] <= values[3] <= 90):
        raise SwcError("job.bounds_unusable", bounds=", ".join(map(str, values)))
    return values


def _centre(bounds: Bounds) -> tuple[float, float]:
    return (bounds[0] + bounds[2]) / 2, (bounds[1] + bounds[3]) / 2


def _inside(bounds: Bounds, frame: Bounds, margin: float = 0.0) -> bool:
    least = bounds[0] >= frame[0] - margin and bounds[1] >= frame[1] - margin
    return least and bounds[2] <= frame[2] + margin and bounds[3] <= frame[3] + margin


def _city(bounds: Bounds) -> str | None:
    """Return the CRS of the city the data lie in: their centre inside it, and not much beyond it."""
    centre = _centre(bounds) * 2
    for city in _table()["cities"]:
        if _inside(centre, city["extent"]) and _inside(
            bounds, city["extent"], _table()["city_margin_degrees"]
        ):
            return city["crs"]
    return None


def _three_degree(bounds: Bounds) -> str:
    longitude = _centre(bounds)[0]
    return min(_table()["three_degree"], key=lambda zone: abs(zone["meridian"] - longitude))["crs"]


def _first_metric(layer_crs: Sequence[Any]) -> str | None:
    from swc_zoning.engine import georef  # pyproj: only where data are read

    for given in layer_crs:
        crs = georef.parse(given) if isinstance(given, str) else given
        if crs is not None and georef.is_metric(crs):
            code = crs.to_epsg()
            return f"EPSG:{code}" if code else crs.to_wkt()
    return None


def _utm(bounds: Bounds) -> str:
    longitude, latitude = _centre(bounds)
    zone = min(_UTM_ZONES, int((longitude + 180) // 6 % _UTM_ZONES) + 1)
    return f"EPSG:{(_UTM_NORTH if latitude >= 0 else _UTM_SOUTH) + zone}"
