# SPDX-License-Identifier: GPL-2.0-or-later
"""The polygons of a layer as vertices of the 0.0001 m grid, their edges, and what is on both sides of them.

Parts that cover a district exactly have every inner edge twice, once each way, and every edge of the
district once, as the district has it. So the edges of the parts less those of the districts leave nothing,
and where something is left is where to look: nowhere else polygons are laid over each other.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import Transformer

from swc_zoning.engine.areas import area_model
from swc_zoning.engine.grid import Floats, Ints, group, mix, to_metres, to_units, unique_points

Mask = NDArray[np.bool_]

#: CRS of the vectors of a submission.
DEGREES = "EPSG:4490"
_POLYGON = 3


@dataclass(frozen=True)
class Plane:
    """The way between the degrees of a package and the plane `work_crs` (metres) it is checked in."""

    work_crs: str

    @cached_property
    def _there(self) -> Transformer:
        return Transformer.from_crs(DEGREES, self.work_crs, always_xy=True)

    @cached_property
    def _back(self) -> Transformer:
        return Transformer.from_crs(self.work_crs, DEGREES, always_xy=True)

    def metres(self, degrees: Floats) -> Floats:
        """Return points (n, 2) longitude and latitude as east and north."""
        return np.column_stack(self._there.transform(degrees[:, 0], degrees[:, 1]))

    def degrees(self, east: float, north: float) -> tuple[float, float]:
        """Return a place as longitude and latitude."""
        lon, lat = self._back.transform(east, north)
        return float(lon), float(lat)


@dataclass(frozen=True)
class Rings:
    """The rings of polygons, ring after ring, each closed by its first vertex again.

    v vertices: `xy` (v, 2) metres as they were read, `units` (v, 2) on the grid, `ring` of each.
    r rings: `owner` (row of the polygon), `part` (number of the single part), `outer`.
    """

    xy: Floats
    units: Ints
    ring: Ints
    owner: Ints
    part: Ints
    outer: Mask

    @classmethod
    def of(cls, geometry: NDArray[Any], plane: Plane | None) -> Rings:
        """Return the rings of Polygons and MultiPolygons, in degrees, or in metres without a `plane`."""
        parts, of_part = shapely.get_parts(geometry, return_index=True)
        polygonal = (shapely.get_type_id(parts) == _POLYGON) & ~shapely.is_empty(parts)
        parts, of_part = parts[polygonal], of_part[polygonal]
        rings, part = shapely.get_rings(parts, return_index=True)
        xy, ring = shapely.get_coordinates(rings, return_index=True)
        xy = xy if plane is None else plane.metres(xy)
        outer = np.diff(part, prepend=-1) != 0
        finite = np.where(np.isfinite(xy), xy, 0.0)
        return cls(xy, to_units(finite), ring.astype(np.int64), of_part[part].astype(np.int64), part, outer)

    def __len__(self) -> int:
        return len(self.owner)

    @cached_property
    def inner(self) -> Mask:
        """Return which vertices begin an edge: all but the last of each ring (v - 1)."""
        return self.ring[1:] == self.ring[:-1]

    @cached_property
    def twice_area(self) -> Ints:
        """Return twice the signed area of each ring in square units, counter-clockwise positive.

        Exact: sums may run over 64 bits, their end does not, for rings of up to 200 km.
        """
        first = np.flatnonzero(np.diff(self.ring, prepend=-1))
        at = self.units - self.units[first][self.ring]
        cross = at[:-1, 0] * at[1:, 1] - at[1:, 0] * at[:-1, 1]
        cross = np.append(np.where(self.inner, cross, 0), 0)
        return np.add.reduceat(cross, first) if len(first) else np.empty(0, np.int64)

    def polygons(self, count: int) -> NDArray[Any]:
        """Return `count` polygons on the grid in metres; None where there are no rings."""
        made = np.full(count, None, object)
        if len(self) == 0:
            return made
        metres, sizes = to_metres(self.units), np.bincount(self.ring)
        offsets = np.concatenate([[0], np.cumsum(sizes)])
        holes = np.append(np.flatnonzero(self.outer), len(self))
        of_part = self.owner[self.outer]
        parts = np.append(np.flatnonzero(np.diff(of_part, prepend=-1)), len(of_part))
        kind = shapely.GeometryType.MULTIPOLYGON
        several = shapely.from_ragged_array(kind, metres, (offsets, holes, parts))
        owners = of_part[parts[:-1]]
        made[owners] = np.where(np.diff(parts) == 1, shapely.get_geometry(several, 0), several)
        return made


@dataclass(frozen=True)
class Edges:
    """Directed edges, the ground of their owner on their left; n edges, m nodes.

    `x`, `y`: nodes in grid units; `start`, `end`: nodes of each edge; `owner`: row of its polygon;
    `vertex`: where in the rings it begins; `flip`: walked against the ring it is of.
    """

    x: Ints
    y: Ints
    start: Ints
    end: Ints
    owner: Ints
    vertex: Ints
    flip: Mask

    @classmethod
    def of(cls, rings: Rings) -> Edges:
        """Return the edges of rings, those of no length left out."""
        x, y, node = unique_points(rings.units[:, 0], rings.units[:, 1])
        one, other = node[:-1], node[1:]
        vertex = np.flatnonzero(rings.inner & (one != other))
        one, other, ring = one[vertex], other[vertex], rings.ring[vertex]
        flip = (rings.twice_area < 0) == rings.outer
        flip = (flip & (rings.twice_area != 0))[ring]
        start, end = np.where(flip, other, one), np.where(flip, one, other)
        return cls(x, y, start, end, rings.owner[ring], vertex, flip)

    def __len__(self) -> int:
        return len(self.start)

    @cached_property
    def rising(self) -> Mask:
        """Return which edges run to their larger node."""
        return self.start < self.end

    @cached_property
    def sign(self) -> NDArray[np.int8]:
        """Return 1 for edges that run to their larger node, -1 for the others."""
        return np.where(self.rising, np.int8(1), np.int8(-1))

    @cached_property
    def sorted(self) -> tuple[Ints, Ints]:
        """Return (order, starts): runs of edges between the same two nodes."""
        low, high = np.minimum(self.start, self.end), np.maximum(self.start, self.end)
        return group(low * max(1, len(self.x)) + high)

    @cached_property
    def line(self) -> Ints:
        """Return the number of the line between two nodes that each edge runs along."""
        order, starts = self.sorted
        lines = np.empty(len(self), np.int64)
        lines[order] = np.repeat(np.arange(len(starts)), np.diff(np.append(starts, len(order))))
        return lines

    @cached_property
    def length_m(self) -> Floats:
        """Return the length of each edge on the plane."""
        dx, dy = self.x[self.end] - self.x[self.start], self.y[self.end] - self.y[self.start]
        return to_metres(np.hypot(dx.astype(float), dy.astype(float)))

    def net(self, weight: Ints) -> Ints:
        """Return for each line the edges up less the edges down, each times its `weight`."""
        order, starts = self.sorted
        return np.add.reduceat((self.sign * weight)[order], starts) if len(starts) else starts

    def drawn(self, chosen: Ints) -> NDArray[Any]:
        """Return edges as lines in metres."""
        ends = np.stack([self.start[chosen], self.end[chosen]], axis=1)
        return shapely.linestrings(np.stack([to_metres(self.x[ends]), to_metres(self.y[ends])], axis=2))


@dataclass(frozen=True)
class Surface:
    """The polygons of a layer (n) and, after them, those of the districts (d) on one grid.

    `district` (n): the code of the district each polygon says it lies in; `codes` (d): those of the
    districts, which may have several polygons each.
    """

    plane: Plane
    rings: Rings
    edges: Edges
    district: NDArray[Any]
    codes: NDArray[Any]

    @classmethod
    def of(
        cls,
        plane: Plane,
        geometry: NDArray[Any],
        district: NDArray[Any],
        districts: NDArray[Any],
        codes: NDArray[Any],
    ) -> Surface:
        """Return the surface of polygons in degrees. Raises what pyproj does for an unknown CRS."""
        rings = Rings.of(np.concatenate([geometry, districts]), plane)
        return cls(plane, rings, Edges.of(rings), district, codes)

    @property
    def count(self) -> int:
        """Return the number of polygons, districts left out."""
        return len(self.district)

    @property
    def districts(self) -> int:
        """Return the number of polygons of districts."""
        return len(self.codes)

    def __len__(self) -> int:
        return self.count

    @cached_property
    def _drawn(self) -> NDArray[Any]:
        return self.rings.polygons(self.count + self.districts)

    @property
    def polygons(self) -> NDArray[Any]:
        """Return the polygons on the grid, metres; None for those that have no ground."""
        return self._drawn[: self.count]

    @property
    def district_polygons(self) -> NDArray[Any]:
        """Return the districts on the grid, metres."""
        return self._drawn[self.count :]

    @cached_property
    def of_part(self) -> Mask:
        """Return which edges are of the polygons, not of the districts."""
        return self.edges.owner < self.count

    @cached_property
    def _areas(self) -> Floats:
        order, starts = self.edges.sorted
        one = order[starts]
        low = np.minimum(self.edges.start[one], self.edges.end[one])
        high = np.maximum(self.edges.start[one], self.edges.end[one])
        x, y = to_metres(self.edges.x), to_metres(self.edges.y)
        terms = area_model(self.plane.work_crs).edge_terms_indexed(x, y, low, high)
        signed = terms[self.edges.line] * self.edges.sign
        return np.abs(np.bincount(self.edges.owner, signed, minlength=self.count + self.districts))

    @property
    def areas(self) -> Floats:
        """Return the official ellipsoidal area of each polygon, m2, raw.

        The terms of `areas.AreaModel`, each taken once: an edge has the same for both its sides.
        """
        return self._areas[: self.count]

    @property
    def district_areas(self) -> Floats:
        """Return the official ellipsoidal area of each district, m2, raw."""
        return self._areas[self.count :]

    @cached_property
    def plane_m2(self) -> Floats:
        """Return the plane area of each polygon."""
        ring = np.abs(self.rings.twice_area) * np.where(self.rings.outer, 0.5, -0.5) / 1e8
        return np.bincount(self.rings.owner, ring, minlength=self.count + self.districts)[: self.count]

    @cached_property
    def perimeter_m(self) -> Floats:
        """Return the length of all rings of each polygon."""
        owner = self.edges.owner
        return np.bincount(owner, self.edges.length_m, minlength=self.count + self.districts)[: self.count]

    @cached_property
    def width_m(self) -> Floats:
        """Return the mean width of each polygon: 2 A / P; 0 for those without ground."""
        return 2 * self.plane_m2 / np.maximum(self.perimeter_m, 1e-9)

    @cached_property
    def across(self) -> Ints:
        """Return for each edge the polygon on its other side, -1 where not exactly one is there."""
        part = np.flatnonzero(self.of_part)
        order, starts = group(self.edges.line[part])
        rows = part[order]
        two = starts[np.diff(np.append(starts, len(rows))) == 2]
        a, b = rows[two], rows[two + 1]
        a, b = (side[self.edges.sign[a] != self.edges.sign[b]] for side in (a, b))
        beside = np.full(len(self.edges), -1, np.int64)
        beside[a], beside[b] = self.edges.owner[b], self.edges.owner[a]
        return beside

    @cached_property
    def outer(self) -> Mask:
        """Return which edges of polygons are on the border of a district with nothing on its other side."""
        shared = np.ones(len(self.edges), bool)
        shared[self.left_over] = False
        return shared & self.of_part & (self.across < 0) if self.districts else np.zeros(len(shared), bool)

    def borders(self, chosen: Ints) -> tuple[Ints, Ints, Floats]:
        """Return rows (index into `chosen`, polygon beside it, length of their border in m).

        -1 stands for what is outside the districts.
        """
        index = np.full(self.count + self.districts, -1, np.int64)
        index[chosen] = np.arange(len(chosen))
        at = np.flatnonzero((index[self.edges.owner] >= 0) & ((self.across >= 0) | self.outer))
        width = self.count + 1
        keys = index[self.edges.owner[at]] * width + self.across[at] + 1
        order, starts = group(keys)
        if len(starts) == 0:
            return order, order, np.empty(0)
        pairs = keys[order[starts]]
        length = np.add.reduceat(self.edges.length_m[at][order], starts)
        return pairs // width, pairs % width - 1, length

    @cached_property
    def number(self) -> Ints:
        """Return a number for each polygon and each district: the same for the same code."""
        codes = [str(code) for code in (*self.district, *self.codes)]
        known = {code: number for number, code in enumerate(dict.fromkeys(codes))}
        return np.array([known[code] for code in codes], np.int64)

    @cached_property
    def left_over(self) -> Ints:
        """Return edges whose line the polygons and the districts do not share out as a partition does.

        Empty if and only if the polygons, none crossing itself, cover the districts once everywhere.
        """
        return np.flatnonzero((self.edges.net(np.where(self.of_part, 1, -1)) != 0)[self.edges.line])

    @cached_property
    def strangers(self) -> Ints:
        """Return edges that do not cancel among the polygons of a district and that district itself."""
        own = self.number[self.edges.owner]
        order, starts = self.edges.sorted
        if len(starts) == 0:
            return order
        several = np.minimum.reduceat(own[order], starts) != np.maximum.reduceat(own[order], starts)
        several |= self.edges.net(np.where(self.of_part, 1, -1)) != 0
        at = np.flatnonzero(several[self.edges.line])
        keys = self.edges.line[at] * (int(own.max()) + 1) + own[at]
        order, starts = group(keys)
        if len(starts) == 0:
            return order
        weight = self.edges.sign[at] * np.where(self.of_part[at], 1, -1)
        left = np.repeat(np.add.reduceat(weight[order], starts), np.diff(np.append(starts, len(order)))) != 0
        return at[order[left]]

    @cached_property
    def fingerprints(self) -> NDArray[np.uint64]:
        """Return for each polygon the sum of hashes of its edges: the same ground has the same."""
        keys = mix(mix(self.edges.start.astype(np.uint64)) + np.uint64(3) * self.edges.end.astype(np.uint64))
        sums = np.zeros(self.count + self.districts, np.uint64)
        starts = np.flatnonzero(np.diff(self.edges.owner, prepend=-1))
        if len(starts):
            sums[self.edges.owner[starts]] = np.add.reduceat(keys, starts)
        return sums[: self.count]
