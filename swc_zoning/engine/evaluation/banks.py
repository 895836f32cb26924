# SPDX-License-Identifier: GPL-2.0-or-later
"""Strips along banks: on the land side of waters, or on one side of lines, of a width for each class."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from numpy.typing import NDArray

from swc_zoning.engine.evaluation import vectors
from swc_zoning.engine.messages import SwcError

if TYPE_CHECKING:
    from swc_zoning.engine.evaluation.running import Run
    from swc_zoning.engine.evaluation.vectors import Shapes

LAYER = "bank_strips"
#: Segments of a quarter circle where a strip goes round a corner.
_QUARTER = 16
#: A line has a north side where it runs at least this share of its way east or west, and so on.
_CLEAR = 0.2
#: Axis that tells (0 east, 1 north), and whether the side is on the left of a line that runs along it.
_SIDES = {"north": (0, True), "south": (0, False), "west": (1, True), "east": (1, False)}


def bank_strips(run: Run) -> None:
    """Write the strips, without the waters; earlier classes of `widths` go first, so none overlap."""
    shapes = vectors.read(run["waters"])
    vectors.require_metres(shapes)
    classes, widths = shapes.column(run["class_field"]), run["widths"]
    lacking = sorted(set(classes) - set(widths))
    if lacking:
        raise SwcError("evaluation.widths", classes=", ".join(lacking))
    taken = _left_out(run, shapes)
    found: dict[str, Any] = {}
    for number, (name, width) in enumerate(widths.items()):
        chosen = [place for place, one in enumerate(classes) if one == name]
        parts = [_strip(shapes.geometry[place], width, run["side"], place + 1) for place in chosen]
        strip = shapely.difference(shapely.union_all(parts), taken)
        taken = shapely.union_all([taken, strip])
        found[name] = strip
        run.progress.advance((number + 1) / len(widths))
    _write(run, {name: strip for name, strip in found.items() if not strip.is_empty}, shapes.crs)


def _left_out(run: Run, shapes: Shapes) -> Any:
    """Return what no strip takes: all waters that are polygons, and what is to be left out."""
    polygons = shapes.geometry[shapely.get_dimensions(shapes.geometry) == 2]
    return shapely.union_all([*polygons, *vectors.geometry_onto(run["exclude"] or (), shapes.crs)])


def _strip(geometry: Any, width: float, side: str, number: int) -> Any:
    """Return the strip of a water (all around) or of a line (on the side asked for)."""
    if shapely.get_dimensions(geometry) == 2:
        return shapely.buffer(geometry, width, quad_segs=_QUARTER)
    lines = shapely.get_parts(shapely.line_merge(geometry))
    return shapely.union_all([_beside(line, width, side, number) for line in lines])


def _beside(line: Any, width: float, side: str, number: int) -> Any:
    if side == "both":
        return shapely.buffer(line, width, cap_style="flat", quad_segs=_QUARTER)
    left = side == "left" if side in ("left", "right") else _is_left(line, side, number)
    signed = width if left else -width
    return shapely.buffer(line, signed, cap_style="flat", single_sided=True, quad_segs=_QUARTER)


def _is_left(line: Any, side: str, number: int) -> bool:
    """Return whether a side of the compass lies left of a line; raises where its run does not tell."""
    axis, when_along = _SIDES[side]
    if line.is_closed:
        raise SwcError("evaluation.closed_side", fid=number, side=side)
    points = shapely.get_coordinates(line)
    run = points[-1] - points[0]
    if abs(run[axis]) < _CLEAR * line.length:
        raise SwcError("evaluation.side_unclear", fid=number, side=side)
    return bool(when_along == (run[axis] > 0))


def _write(run: Run, found: dict[str, Any], crs: str) -> None:
    geometry = np.empty(len(found), object)
    geometry[:] = [shapely.multipolygons(_polygons(strip)) for strip in found.values()]
    areas: NDArray[np.float64] = shapely.area(geometry)
    columns = {
        "class": np.array(list(found), object),
        "width_m": np.array([float(run["widths"][name]) for name in found]),
        "plane_m2": areas,
    }
    run.facts["plane_m2"] = dict(zip(found, areas.tolist()))
    vectors.write(run.path("strips"), LAYER, geometry, columns, crs, "MultiPolygon")


def _polygons(geometry: Any) -> list[Any]:
    return [part for part in shapely.get_parts(geometry) if part.geom_type == "Polygon"]
