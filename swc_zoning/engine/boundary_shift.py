# SPDX-License-Identifier: GPL-2.0-or-later
"""By how much, and in what pattern, the outline of a layer is off a boundary it should follow.

Sample points spaced evenly along one outline are held against the nearest segments of the other,
under each hypothesis: no offset, GCJ-02, BD-09, one constant offset (as data of another datum show).
The median distance that is left tells them apart; it does not mind parts that differ by right.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import Transformer

from swc_zoning.engine.corrections import SHOWN_PLACES, TRUE_PLACES

#: float64[n, 2], longitude and latitude in degrees, or metres about the centre of a boundary.
Points = NDArray[np.float64]

SAMPLES = 1500
#: Of layers beyond this only some places of the rim are measured.
_MOST_FEATURES, _MOST_SEGMENTS = 20_000, 200_000
#: Lines across a layer, each way, on which its rim is sought.
_STRIPS = 40
#: A hypothesis must take away so much of the distance; a fitted one more.
_PROOF, _FITTED_PROOF = 0.5, 0.2
#: Offsets below are not told, nor those larger than any datum gives (m).
_LEAST_M, _MOST_M = 5.0, 2000.0
#: So near (m) nothing is off: the rest need not be tried.
_SAME_M = 1.0
_ROUNDS = 20


@dataclass(frozen=True)
class Shift:
    """What was measured: `kind` none, gcj02, bd09 or constant; `of_frame`: it is the boundary that has it.

    `residuals` median distances in metres by hypothesis; `east_m`, `north_m` the offset of what is
    off from where it should be.
    """

    kind: str
    of_frame: bool
    residuals: dict[str, float]
    east_m: float
    north_m: float

    def facts(self) -> dict[str, Any]:
        """Return the numbers as facts of a finding."""
        told = {f"{name}_m": round(value, 1) for name, value in self.residuals.items()}
        offset = round(float(np.hypot(self.east_m, self.north_m)), 1)
        return {
            **told,
            "east_m": round(self.east_m, 1),
            "north_m": round(self.north_m, 1),
            "offset_m": offset,
        }


class Outline:
    """The boundaries of polygons as segments in longitude and latitude."""

    def __init__(self, starts: Points, ends: Points) -> None:
        self._starts, self._ends = starts, ends
        centre = (starts.min(axis=0) + starts.max(axis=0)) / 2
        plane = f"+proj=laea +lon_0={centre[0]} +lat_0={centre[1]} +ellps=GRS80"
        self._plane = Transformer.from_crs("EPSG:4490", plane, always_xy=True)

    @classmethod
    def of(cls, geometry: NDArray[Any], lonlat: Callable[[Points], Points]) -> Outline | None:
        """Return the outline of polygons whose vertices `lonlat` takes to degrees, None where too large."""
        if len(geometry) > _MOST_FEATURES or shapely.get_num_coordinates(geometry).sum() > _MOST_SEGMENTS:
            return None
        rings = shapely.get_rings(shapely.get_parts(geometry))
        points, ring = shapely.get_coordinates(rings, return_index=True)
        points = lonlat(points)
        joined = (ring[1:] == ring[:-1]) & np.isfinite(points[1:] + points[:-1]).all(axis=1)
        return cls(points[:-1][joined], points[1:][joined]) if joined.any() else None

    def metres(self, lonlat: Points) -> Points:
        """Return points in metres about the centre of this outline."""
        return np.column_stack(self._plane.transform(lonlat[:, 0], lonlat[:, 1], errcheck=False))

    @cached_property
    def samples(self) -> Points:
        """Return SAMPLES points evenly spaced along the outline, in degrees."""
        starts, ends = self._starts, self._ends
        length = np.hypot(*(self._segments[1] - self._segments[0]).T)
        reached = np.cumsum(length)
        at = (np.arange(SAMPLES) + 0.5) / SAMPLES * reached[-1]
        row = np.minimum(np.searchsorted(reached, at), len(starts) - 1)
        part = 1.0 - (reached[row] - at) / np.maximum(length[row], 1e-9)
        return starts[row] + (ends[row] - starts[row]) * part[:, None]

    @cached_property
    def _segments(self) -> tuple[Points, Points]:
        return self.metres(self._starts), self.metres(self._ends)

    @cached_property
    def _tree(self) -> shapely.STRtree:
        return shapely.STRtree(shapely.linestrings(np.stack(self._segments, axis=1)))

    def distance(self, lonlat: Points) -> float:
        """Return the median distance of points (degrees) from this outline in metres."""
        points = shapely.points(self.metres(lonlat))
        return float(np.median(self._tree.query_nearest(points, all_matches=False, return_distance=True)[1]))

    def feet(self, points: Points) -> Points:
        """Return the nearest places on this outline of points, both in its metres."""
        row = self._tree.query_nearest(shapely.points(points), all_matches=False)[1]
        start, end = (side[row] for side in self._segments)
        along = end - start
        part = ((points - start) * along).sum(axis=1) / np.maximum((along**2).sum(axis=1), 1e-12)
        return start + along * np.clip(part, 0.0, 1.0)[:, None]


def rim(geometry: NDArray[Any], boxes: NDArray[np.float64]) -> Points:
    """Return vertices on the rim of a layer of many features, whose `boxes` are float64[n, 4].

    On lines across the layer, evenly spaced both ways, the outermost feature gives its outermost vertex.
    """
    found = []
    for axis in (0, 1):
        low, high = boxes[:, 1 - axis].copy(), boxes[:, 3 - axis].copy()
        start, step = low.min(), max((high.max() - low.min()) / (_STRIPS + 1), 1e-9)
        first, last = np.ceil((low - start) / step), np.floor((high - start) / step)
        crossed = np.flatnonzero(first <= last)
        for line in range(1, _STRIPS + 1):
            rows = crossed[(first[crossed] <= line) & (last[crossed] >= line)]
            if len(rows):
                found += _ends(geometry, boxes, rows, axis)
    return np.array(found).reshape(-1, 2)


def _ends(geometry: NDArray[Any], boxes: NDArray[np.float64], rows: NDArray[Any], axis: int) -> list[Points]:
    """Return the first and the last vertex along an axis of some features."""
    least = shapely.get_coordinates(geometry[rows[np.argmin(boxes[rows, axis])]])
    most = shapely.get_coordinates(geometry[rows[np.argmax(boxes[rows, axis + 2])]])
    return [least[np.argmin(least[:, axis])], most[np.argmax(most[:, axis])]]


def measure(layer: Outline | Points, frame: Outline, frame_is_right: bool) -> Shift:
    """Return how `layer` is off `frame`; the offset may be the frame's own unless that is known right.

    Of a layer too large for an outline, points of its rim in degrees (see :func:`rim`) will do.
    """
    others = {} if frame_is_right else SHOWN_PLACES
    samples = layer.samples if isinstance(layer, Outline) else layer
    apart = frame.distance(samples)
    if apart < _SAME_M:
        return Shift("none", False, {"none": apart}, 0.0, 0.0)
    found = _residuals(samples, frame, {"none": _same, **TRUE_PLACES}, others)
    sign, outline = 1.0, frame
    if isinstance(layer, Outline):
        # Lines inside the layer hide its rim, but the frame still lies on lines of it.
        others = {} if frame_is_right else TRUE_PLACES
        back = _residuals(frame.samples, layer, {"none": _same, **SHOWN_PLACES}, others)
        if min(back.values()) < min(found.values()):
            found, samples, sign, outline = back, frame.samples, -1.0, layer
    east, north, found["constant"] = _constant(samples, outline)
    return _judged(found, frame, samples, (-sign * east, -sign * north))


def _same(points: Points) -> Points:
    return points


def _residuals(
    points: Points, outline: Outline, ways: dict[str, Any], others: dict[str, Any]
) -> dict[str, float]:
    """Return what is left by hypothesis; "frame_gcj02": the frame has the offset."""
    named = {**ways, **{f"frame_{name}": way for name, way in others.items()}}
    return {name: outline.distance(way(points)) for name, way in named.items()}


def _constant(lonlat: Points, outline: Outline) -> tuple[float, float, float]:
    """Return the move (east, north) that brings points nearest to an outline and the median that is left.

    Points are drawn to the lines they are nearest to, again and again, far ones weighing less.
    """
    points, move = outline.metres(lonlat), np.zeros(2)
    best = (0.0, 0.0, np.inf)
    for _ in range(_ROUNDS):
        gap = outline.feet(points + move) - points - move
        size = np.hypot(*gap.T)
        middle = float(np.median(size))
        if middle < best[2]:
            best = (float(move[0]), float(move[1]), middle)
        normal = gap / np.maximum(size, 1e-9)[:, None]
        weight = 1.0 / (1.0 + (size / max(middle, 1e-3)) ** 2)
        step = np.linalg.lstsq(normal * weight[:, None], size * weight, rcond=None)[0]
        move = move + step
        if np.hypot(*step) < 1e-3:
            break
    return best


def _judged(
    found: dict[str, float], outline: Outline, samples: Points, constant: tuple[float, float]
) -> Shift:
    known = {name: value for name, value in found.items() if name not in ("none", "constant")}
    best = min(known, key=lambda name: known[name])
    kind = best.rpartition("_")[2]
    told = {name: value for name, value in found.items() if not name.startswith("frame_")}
    if known[best] < _PROOF * found["none"] and known[best] < 2.0 * found["constant"] + _LEAST_M:
        shown = SHOWN_PLACES[kind](TRUE_PLACES[kind](samples))
        offset = outline.metres(shown) - outline.metres(TRUE_PLACES[kind](samples))
        east, north = np.median(offset, axis=0).tolist()
        return Shift(kind, best.startswith("frame_"), {**told, kind: known[best]}, east, north)
    size = float(np.hypot(*constant))
    if found["constant"] < _FITTED_PROOF * found["none"] and _LEAST_M < size < _MOST_M:
        return Shift("constant", False, told, *constant)
    return Shift("none", False, told, 0.0, 0.0)
