# SPDX-License-Identifier: GPL-2.0-or-later
"""Strips along banks: on the land side of waters, or on one side of lines, each of a width.

Width and side are those of a feature, else of its class. A side of the compass of a line is the side it
faces on the whole; of a water or a closed line it is the stretches of the outer bank whose outward normal
leans to that side, with the ground within the width of them on that side.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from numpy.typing import NDArray

from swc_zoning.engine.evaluation import vectors
from swc_zoning.engine.messages import SwcError
from swc_zoning.paths import resource

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
#: Where a side of the compass points to.
_TOWARDS = {"north": (0, 1), "south": (0, -1), "west": (-1, 0), "east": (1, 0)}


@dataclass(frozen=True)
class Asked:
    """A strip that is asked for: class, width (m), side, and the number of its feature from 1 on."""

    name: str
    width: float
    side: str
    fid: int


def bank_strips(run: Run) -> None:
    """Write the strips, without the waters; earlier classes of `widths` go first, so none overlap."""
    shapes = vectors.read(run["waters"])
    vectors.require_metres(shapes)
    asked = _asked(run, shapes)
    taken = _left_out(run, shapes)
    found: dict[Asked, Any] = {}
    groups = _groups(asked, list(run["widths"] or {}))
    for number, members in enumerate(groups):
        parts = [_strip(shapes.geometry[one.fid - 1], one) for one in members]
        whole = shapely.union_all(parts)
        strip = shapely.difference(whole, taken)
        # What overlaps is joined many times faster than what only touches.
        taken = shapely.union(taken, whole)
        if not strip.is_empty:
            found[members[0]] = strip
        run.progress.advance((number + 1) / len(groups))
    _write(run, found, shapes.crs)


def _asked(run: Run, shapes: Shapes) -> list[Asked]:
    """Return what is asked for each feature; raises SwcError for widths and sides that are not told."""
    classes, widths = shapes.column(run["class_field"]), run["widths"] or {}
    own = _widths(run, shapes)
    lacking = sorted({name for name, width in zip(classes, own) if width is None} - set(widths))
    if lacking:
        raise SwcError("evaluation.widths", classes=", ".join(lacking))
    sides = _sides(run, shapes)
    rows = zip(classes, own, sides)
    return [
        Asked(name, float(widths[name] if width is None else width), side, place + 1)
        for place, (name, width, side) in enumerate(rows)
    ]


def _widths(run: Run, shapes: Shapes) -> list[float | None]:
    """Return the width that each feature states, None for none; raises ``evaluation.width_odd``."""
    if not run["width_field"]:
        return [None] * len(shapes)
    return [_number(value, place + 1) for place, value in enumerate(shapes.raw(run["width_field"]))]


def _number(value: Any, fid: int) -> float | None:
    if value is None or str(value).strip() in ("", "nan"):
        return None
    try:
        width = float(value)
    except ValueError:
        width = -1.0
    if not (width > 0 and math.isfinite(width)):
        raise SwcError("evaluation.width_odd", fid=fid, width=str(value))
    return width


def _sides(run: Run, shapes: Shapes) -> list[str]:
    """Return the side of each feature; raises ``evaluation.side_word`` for words that are none."""
    if not run["side_field"]:
        return [run["side"]] * len(shapes)
    words = [word.strip().casefold() for word in shapes.column(run["side_field"])]
    known = {word: side for side, spelt in _words().items() for word in spelt}
    lacking = sorted({word for word in words if word and word not in known})
    if lacking:
        raise SwcError("evaluation.side_word", words=", ".join(lacking), known=", ".join(known))
    return [known[word] if word else run["side"] for word in words]


@lru_cache(maxsize=1)
def _words() -> dict[str, list[str]]:
    return json.loads(resource("evaluation", "sides.json").read_text(encoding="utf-8"))["sides"]


def _groups(asked: list[Asked], order: list[str]) -> list[list[Asked]]:
    """Return features of one class, width and side: in the order of classes, then the widest first."""
    found: dict[tuple[Any, ...], list[Asked]] = {}
    for one in asked:
        place = order.index(one.name) if one.name in order else len(order)
        found.setdefault((place, one.name, -one.width, one.side), []).append(one)
    return [found[key] for key in sorted(found)]


def _left_out(run: Run, shapes: Shapes) -> Any:
    """Return what no strip takes: all waters that are polygons, and what is to be left out."""
    polygons = shapes.geometry[shapely.get_dimensions(shapes.geometry) == 2]
    return shapely.union_all([*polygons, *vectors.geometry_onto(run["exclude"] or (), shapes.crs)])


# --- one strip -------------------------------------------------------------------------------------


def _strip(geometry: Any, asked: Asked) -> Any:
    """Return the strip of a water (all around or facing a side), or of a line (on the side asked for)."""
    if shapely.get_dimensions(geometry) == 2:
        return _round_water(geometry, asked)
    lines = shapely.get_parts(shapely.line_merge(geometry))
    return shapely.union_all([_beside(line, asked) for line in lines])


def _round_water(geometry: Any, asked: Asked) -> Any:
    if asked.side == "both":
        return shapely.buffer(geometry, asked.width, quad_segs=_QUARTER)
    if asked.side not in _TOWARDS:
        raise SwcError("evaluation.no_flow", fid=asked.fid, side=asked.side)
    shells = shapely.get_exterior_ring(_polygons(geometry))
    return shapely.union_all([_facing(shell, asked) for shell in shells])


def _facing(ring: Any, asked: Asked) -> Any:
    """Return the ground outside a ring within the width of its stretches that face a side."""
    points = shapely.get_coordinates(ring)[:-1]
    points = points if shapely.is_ccw(ring) else points[::-1]
    east, north = _TOWARDS[asked.side]
    step = np.roll(points, -1, axis=0) - points
    # Outward is on the right of a ring that runs against the clock.
    faces = step[:, 1] * east - step[:, 0] * north > 0
    parts = [_stretch(line, asked) for line in _stretches(points, faces)]
    return shapely.difference(shapely.union_all(parts), shapely.polygons(ring))


def _stretches(points: NDArray[np.float64], faces: NDArray[np.bool_]) -> list[NDArray[np.float64]]:
    """Return the runs of edges of a ring that face a side, each as its points."""
    starts = np.flatnonzero(faces & ~np.roll(faces, 1))
    found = []
    for start in starts.tolist():
        length = int(np.argmin(np.roll(faces, -start)))
        found.append(points[(start + np.arange(length + 1)) % len(points)])
    return found


def _stretch(points: NDArray[np.float64], asked: Asked) -> Any:
    """Return the strip on the right of a stretch; at its ends it goes round as far as the side allows."""
    side = shapely.buffer(
        shapely.linestrings(points), -asked.width, cap_style="flat", single_sided=True, quad_segs=_QUARTER
    )
    return shapely.union_all([side, *(_end(point, asked) for point in points[[0, -1]])])


def _end(point: NDArray[np.float64], asked: Asked) -> Any:
    """Return the half of the disc round an end that lies to the side."""
    width, (east, north) = asked.width, _TOWARDS[asked.side]
    disc = shapely.buffer(shapely.points(point), width, quad_segs=_QUARTER)
    low, high = point - width, point + width
    low, high = np.where([east > 0, north > 0], point, low), np.where([east < 0, north < 0], point, high)
    return shapely.intersection(disc, shapely.box(*low, *high))


def _beside(line: Any, asked: Asked) -> Any:
    width, side = asked.width, asked.side
    if side == "both":
        return shapely.buffer(line, width, cap_style="flat", quad_segs=_QUARTER)
    if line.is_closed and side in _TOWARDS:
        return _facing(shapely.linearrings(shapely.get_coordinates(line)), asked)
    left = side == "left" if side in ("left", "right") else _is_left(line, asked)
    signed = width if left else -width
    return shapely.buffer(line, signed, cap_style="flat", single_sided=True, quad_segs=_QUARTER)


def _is_left(line: Any, asked: Asked) -> bool:
    """Return whether a side of the compass lies left of a line; raises where its run does not tell."""
    axis, when_along = _SIDES[asked.side]
    points = shapely.get_coordinates(line)
    run = points[-1] - points[0]
    if abs(run[axis]) < _CLEAR * line.length:
        raise SwcError("evaluation.side_unclear", fid=asked.fid, side=asked.side)
    return bool(when_along == (run[axis] > 0))


# --- the layer -------------------------------------------------------------------------------------


def _write(run: Run, found: dict[Asked, Any], crs: str) -> None:
    geometry = np.empty(len(found), object)
    geometry[:] = [shapely.multipolygons(_polygons(strip)) for strip in found.values()]
    areas: NDArray[np.float64] = shapely.area(geometry)
    columns = {
        "class": np.array([one.name for one in found], object),
        "width_m": np.array([one.width for one in found]),
        "side": np.array([one.side for one in found], object),
        "plane_m2": areas,
    }
    by_class: dict[str, float] = {}
    for one, area in zip(found, areas.tolist()):
        by_class[one.name] = by_class.get(one.name, 0.0) + area
    run.facts["plane_m2"] = by_class
    vectors.write(run.path("strips"), LAYER, geometry, columns, crs, "MultiPolygon")


def _polygons(geometry: Any) -> list[Any]:
    return [part for part in shapely.get_parts(geometry) if part.geom_type == "Polygon"]
