# SPDX-License-Identifier: GPL-2.0-or-later
"""Rules 2201-2203: coordinate systems and places."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import CRS
from pyproj.exceptions import ProjError

from swc_zoning.engine import crs
from swc_zoning.engine.georef import METRES_PER_DEGREE
from swc_zoning.engine.submission import opening
from swc_zoning.engine.submission.checks_files import lacking_parts
from swc_zoning.engine.submission.opening import DEGREES, Package
from swc_zoning.engine.submission.quality import Flaw, Rule, Said, Unchecked, checker


@checker("2201")
def check_2201(package: Package, rule: Rule) -> Iterator[Said]:
    """Every layer of every data set is in EPSG:4490; a lacking .prj is for 1104."""
    without = {name[:-4] for name, _, part in lacking_parts(package) if part == ".prj"}
    for data_set in package.data_sets:
        found: dict[str, list[str]] = defaultdict(list)
        for name in package.schema.layers:
            own = data_set.found(name)
            described = data_set.layers[own] if own else None
            if described and described.geometry_type and f"{data_set.name}/{own}" not in without:
                found[described.crs or ""].append(name)
        for named, layers in found.items():
            if named != DEGREES:
                only = layers[0] if len(layers) == 1 else ""
                facts = {"layers": ", ".join(layers), "crs": named[:80]}
                yield rule.flaw(case="" if named else "undefined", layer=only, file=data_set.name, **facts)


@checker("2202")
def check_2202(package: Package, rule: Rule) -> Iterator[Said]:
    """The coordinate systems of the inputs are known ones."""
    said = [one for one in package.inputs if "crs" in one]
    if not said:
        yield Unchecked("no_crs_said")
    for one in said:
        named = str(one["crs"] or "")
        if not _is_known(named):
            layer = str(one.get("layer") or one.get("role") or "")
            yield rule.flaw(input=layer, crs=named[:80] or "-", key=layer)


def _is_known(named: str) -> bool:
    """Return whether a system is one of a register, not one drawn up by hand or of no known place."""
    try:
        return CRS.from_user_input(named).to_authority() is not None
    except ProjError:
        return False


@checker("2203")
def check_2203(package: Package, rule: Rule) -> Iterator[Said]:
    """Coordinates are degrees in China, within the districts and a margin; the working zone is near them."""
    named = [name for name, layer in package.schema.layers.items() if layer.kind == "polygon"]
    astray = [name for name in named if _is_astray(package, name)]
    for name in astray:
        yield rule.flaw(case="degrees", layer=name)
    city = None if "XZQ" in astray else package.bounds("XZQ")
    if city is None:
        yield Unchecked("no_layer", {"layer": "XZQ"}, part=True)
        return
    for name in named:
        if name not in astray and not package.schema.layers[name].open:
            yield from _outside(package, rule, name, city)
    yield from _zone(package, rule, city)


def _is_astray(package: Package, layer: str) -> bool:
    """Return whether a layer lies nowhere in China, or nobody knows where."""
    sheet, bounds = package.sheet(layer), package.bounds(layer)
    if sheet is None or not len(sheet):
        return False
    if sheet.geometry is None:
        return True
    west, south, east, north = crs.china()
    # One wild vertex is no other system: most of a layer says where it is.
    middle = np.nanmedian(shapely.bounds(sheet.geometry), axis=0) if bounds else [math.nan] * 4
    return bounds is not None and not (
        west <= middle[0] and middle[2] <= east and south <= middle[1] and middle[3] <= north
    )


def _outside(package: Package, rule: Rule, layer: str, city: tuple[float, ...]) -> Iterator[Flaw]:
    sheet = package.sheet(layer)
    if sheet is None or sheet.geometry is None:
        return
    away = _metres_outside(shapely.bounds(sheet.geometry), city)
    for row in np.flatnonzero(away > rule.number("margin_m")).tolist():
        points = shapely.get_coordinates(sheet.geometry[row])
        at = int(np.argmax(_metres_outside(np.hstack([points, points]), city)))
        place = (float(points[at, 0]), float(points[at, 1]))
        said = {"measure": round(float(away[row])), "unit": "m", "place": place}
        yield rule.flaw(layer=layer, bsm=package.bsm(layer, row), **said)


def _metres_outside(boxes: NDArray[np.float64], city: tuple[float, ...]) -> NDArray[np.float64]:
    """Return how far boxes (n, 4: west, south, east, north) reach beyond the city, in metres (about)."""
    scale = math.cos(math.radians((city[1] + city[3]) / 2))
    beyond = [(city[0] - boxes[:, 0]) * scale, city[1] - boxes[:, 1]]
    beyond += [(boxes[:, 2] - city[2]) * scale, boxes[:, 3] - city[3]]
    return np.nan_to_num(np.maximum.reduce(beyond)) * METRES_PER_DEGREE


def _zone(package: Package, rule: Rule, city: tuple[float, ...]) -> Iterator[Flaw]:
    named = package.meta.get("work_crs", "")
    away = opening.degrees_off(named, city) if named else 0.0
    if not away <= opening.FARTHEST_DEGREES:
        shown = "?" if math.isnan(away) else f"{away:.1f}"
        yield rule.flaw(case="zone", layer="META", field="work_crs", crs=named[:80], degrees=shown)
