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
from swc_zoning.engine.grid import (
    PER_METRE,
    Floats,
    Ints,
    group,
    mix,
    ragged,
    to_metres,
    to_units,
    unique_points,
)
from swc_zoning.engine.submission.datasets import CRS

Mask = NDArray[np.bool_]

#: How far (m) a vertex may be from a line it was on before all of them were rounded to the grid.
_ON_LINE = 1.5 / PER_METRE
#: The same in degrees.
_ON_LINE_DEGREES = 1.5e-9
#: Straight lines of the plane and in degrees are no farther apart than this times their length squared (1/m).
_BEND = 5e-8
_POLYGON = 3


@dataclass(frozen=True)
class Plane:
    """The way between the degrees of a package and the plane `work_crs` (metres) it is checked in."""

    work_crs: str

    @cached_property
    def _there(self) -> Transformer:
        return Transformer.from_crs(CRS, self.work_crs, always_xy=True)

    @cached_property
    def _back(self) -> Transformer:
        return Transformer.from_crs(self.work_crs, CRS, always_xy=True)

    def metres(self, degrees: Floats) -> Floats:
        """Return points (n, 2) longitude and latitude as east and north."""
        return np.column_stack(self._there.transform(degrees[:, 0], degrees[:, 1]))

    def many_degrees(self, metres: Floats) -> tuple[Floats, Floats]:
        """Return the longitudes and latitudes of points (n, 2)."""
        return self._back.transform(metres[:, 0], metres[:, 1])

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
    `vertex`: where in the rings it begins, or ends where the ring runs the other way. Edges that were split
    keep the `vertex` of the whole; `first` is the number of the first part of each whole edge.
    """

    x: Ints
    y: Ints
    start: Ints
    end: Ints
    owner: Ints
    vertex: Ints
    first: Ints

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
        return cls(x, y, start, end, rings.owner[ring], vertex, np.arange(len(start)))

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

    @cached_property
    def ends(self) -> tuple[Ints, Ints]:
        """Return the smaller and the larger node of each line."""
        order, starts = self.sorted
        one = order[starts]
        return np.minimum(self.start[one], self.end[one]), np.maximum(self.start[one], self.end[one])

    def split(self, lines: Ints, nodes: Ints) -> Edges:
        """Return the edges with lines split at nodes on them; the pairs are in order along the line."""
        low, high = self.ends
        counts = np.bincount(lines, minlength=len(low))
        begin = np.cumsum(counts + 2) - (counts + 2)
        chain = np.empty(int((counts + 2).sum()), np.int64)
        chain[begin], chain[begin + counts + 1] = low, high
        chain[ragged(begin + 1, counts)] = nodes
        parts = counts[self.line] + 1
        whole = np.repeat(np.arange(len(self)), parts)
        first = np.cumsum(parts) - parts
        step = np.arange(len(whole)) - first[whole]
        up = self.rising[whole]
        at = begin[self.line[whole]] + np.where(up, step, parts[whole] - 1 - step)
        one, other = chain[at], chain[at + 1]
        start, end = np.where(up, one, other), np.where(up, other, one)
        owner, vertex = self.owner[whole], self.vertex[whole]
        return Edges(self.x, self.y, start, end, owner, vertex, first)

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
    def tree(self) -> shapely.STRtree:
        """Return an index of the polygons."""
        return shapely.STRtree(self.polygons)

    @cached_property
    def _areas(self) -> Floats:
        low, high = self.edges.ends
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

    @cached_property
    def plane_m2(self) -> Floats:
        """Return the plane area of each polygon."""
        ring = np.abs(self.rings.twice_area) * np.where(self.rings.outer, 0.5, -0.5) / PER_METRE**2
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

    # --- sides -----------------------------------------------------------------------------------------

    @cached_property
    def number(self) -> Ints:
        """Return a number for each polygon and each district: the same for the same code."""
        codes = [str(code) for code in (*self.district, *self.codes)]
        known = {code: number for number, code in enumerate(dict.fromkeys(codes))}
        return np.array([known[code] for code in codes], np.int64)

    @cached_property
    def noded(self) -> Edges:
        """Return the edges, split where neighbours have vertices on them that they have not."""
        edges = self.edges
        odd = np.union1d(self._left_over(edges), self._strangers(edges))
        if len(odd) == 0:
            return edges
        lines, nodes = _on_lines(self.plane, edges, odd)
        return edges.split(lines, nodes) if len(lines) else edges

    @cached_property
    def copies(self) -> Mask:
        """Return which polygons (n + d) are another one of those before them once more."""
        ground = np.append(self.plane_m2 > 0, np.zeros(self.districts, bool))
        which = np.flatnonzero(ground)
        first = np.unique(self.fingerprints[which], return_index=True)[1]
        copies = ground.copy()
        copies[which[first]] = False
        return copies

    def _weight(self, edges: Edges) -> Ints:
        """Return 1 for edges of polygons, -1 for those of districts, 0 for those of copies."""
        weight = np.where(edges.owner < self.count, 1, -1)
        weight[self.copies[edges.owner]] = 0
        return weight

    def _left_over(self, edges: Edges) -> Ints:
        return np.flatnonzero((edges.net(self._weight(edges)) != 0)[edges.line])

    def _strangers(self, edges: Edges) -> Ints:
        own, weight = self.number[edges.owner], self._weight(edges)
        order, starts = edges.sorted
        if len(starts) == 0:
            return order
        several = np.minimum.reduceat(own[order], starts) != np.maximum.reduceat(own[order], starts)
        several |= edges.net(weight) != 0
        at = np.flatnonzero(several[edges.line])
        keys = edges.line[at] * (int(own.max()) + 1) + own[at]
        order, starts = group(keys)
        if len(starts) == 0:
            return order
        net = np.add.reduceat((edges.sign * weight)[at][order], starts)
        left = np.repeat(net, np.diff(np.append(starts, len(order)))) != 0
        return at[order[left]]

    @cached_property
    def left_over(self) -> Ints:
        """Return noded edges whose line polygons and districts do not share out as a partition does.

        Empty if and only if the polygons, copies apart and none crossing itself, cover the districts once
        everywhere.
        """
        return self._left_over(self.noded)

    @cached_property
    def strangers(self) -> Ints:
        """Return noded edges that do not cancel among the polygons of a district and that district itself."""
        return self._strangers(self.noded)

    @cached_property
    def faces(self) -> NDArray[Any]:
        """Return the ground between left-over edges, metres."""
        lines = self.noded.drawn(self.left_over)
        if len(lines) == 0:
            return np.empty(0, object)
        return shapely.get_parts(shapely.polygonize([shapely.union_all(lines)]))

    @cached_property
    def across(self) -> Ints:
        """Return for each noded edge the polygon on its other side, -1 where not exactly one is there."""
        edges = self.noded
        part = np.flatnonzero(self._weight(edges) > 0)
        order, starts = group(edges.line[part])
        rows = part[order]
        two = starts[np.diff(np.append(starts, len(rows))) == 2]
        a, b = rows[two], rows[two + 1]
        a, b = (side[edges.sign[a] != edges.sign[b]] for side in (a, b))
        beside = np.full(len(edges), -1, np.int64)
        beside[a], beside[b] = edges.owner[b], edges.owner[a]
        return beside

    @cached_property
    def outer(self) -> Mask:
        """Return which noded edges of polygons are on the border of a district with nothing beyond it."""
        shared = np.ones(len(self.noded), bool)
        shared[self.left_over] = False
        shared &= (self._weight(self.noded) > 0) & (self.across < 0)
        return shared if self.districts else np.zeros(len(shared), bool)

    def borders(self, chosen: Ints) -> tuple[Ints, Ints, Floats]:
        """Return rows (index into `chosen`, polygon beside it, length of their border in m).

        -1 stands for what is outside the districts.
        """
        edges = self.noded
        index = np.full(self.count + self.districts, -1, np.int64)
        index[chosen] = np.arange(len(chosen))
        at = np.flatnonzero((index[edges.owner] >= 0) & ((self.across >= 0) | self.outer))
        width = self.count + 1
        keys = index[edges.owner[at]] * width + self.across[at] + 1
        order, starts = group(keys)
        if len(starts) == 0:
            return order, order, np.empty(0)
        pairs = keys[order[starts]]
        length = np.add.reduceat(edges.length_m[at][order], starts)
        return pairs // width, pairs % width - 1, length

    @cached_property
    def fingerprints(self) -> NDArray[np.uint64]:
        """Return for each polygon (n + d) the sum of hashes of its edges: the same ground has the same."""
        keys = mix(mix(self.edges.start.astype(np.uint64)) + np.uint64(3) * self.edges.end.astype(np.uint64))
        sums = np.zeros(self.count + self.districts, np.uint64)
        starts = np.flatnonzero(np.diff(self.edges.owner, prepend=-1))
        if len(starts):
            sums[self.edges.owner[starts]] = np.add.reduceat(keys, starts)
        return sums


def _on_lines(plane: Plane, edges: Edges, chosen: Ints) -> tuple[Ints, Ints]:
    """Return (line, node) of ends of the `chosen` edges that are on the line of another, in order along it.

    On it on the plane, or in degrees, where neighbours may have been drawn.
    """
    lines = np.unique(edges.line[chosen])
    low, high = (ends[lines] for ends in edges.ends)
    nodes = np.unique(np.concatenate([low, high]))
    xy = np.column_stack([to_metres(edges.x), to_metres(edges.y)])
    drawn = shapely.linestrings(np.stack([xy[low], xy[high]], axis=1))
    reach = np.maximum(_ON_LINE, _BEND * shapely.length(drawn) ** 2)
    row, near = shapely.STRtree(shapely.points(xy[nodes])).query(drawn, predicate="dwithin", distance=reach)
    node, a, b = nodes[near], low[row], high[row]
    inner = (node != a) & (node != b)
    row, node, a, b = (column[inner] for column in (row, node, a, b))
    along, off = _along(xy[node], xy[a], xy[b])
    used, at = np.unique(np.concatenate([node, a, b]), return_inverse=True)
    degrees = np.column_stack(plane.many_degrees(xy[used]))[at].reshape(3, -1, 2)
    _, off_degrees = _along(*degrees)
    on = ((off <= _ON_LINE) | (off_degrees <= _ON_LINE_DEGREES)) & (along > 0) & (along < 1)
    row, node, along = row[on], node[on], along[on]
    order = np.lexsort((along, row))
    return lines[row[order]], node[order]


def _along(points: Floats, first: Floats, last: Floats) -> tuple[Floats, Floats]:
    """Return how far along the way from `first` to `last` points are, 0 to 1, and how far off it."""
    way, to = last - first, points - first
    squared = np.maximum((way**2).sum(axis=1), 1e-30)
    along = (way * to).sum(axis=1) / squared
    off = np.abs(way[:, 0] * to[:, 1] - way[:, 1] * to[:, 0]) / np.sqrt(squared)
    return along, off
