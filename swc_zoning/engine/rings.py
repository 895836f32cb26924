# SPDX-License-Identifier: GPL-2.0-or-later
"""Rings of polygons on the fine grid: where vertices really are, to 0.1 micrometre, as integers."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from swc_zoning.engine.grid import FINE, PER_METRE, Floats, Ints, from_fine, mix, ragged, to_fine

#: Features looked at together: enough for numpy, few enough for the memory.
_AT_ONCE = 20_000


@dataclass(frozen=True)
class Rings:
    """All rings as one walk: from each position to the next one, interior on the left if sign is 1.

    x, y in fine coordinates; rings have no closing point and no repeated points.
    """

    x: Ints
    y: Ints
    following: Ints
    feature: Ints
    sign: Ints


@dataclass(frozen=True)
class Ragged:
    """Closed rings of polygons as columns.

    `xy` float64[n, 2] metres; ring r is ``xy[rings[r]:rings[r + 1]]``, polygon p the rings
    ``polygons[p] .. polygons[p + 1] - 1``, shell first; `owner` is the feature of each polygon.
    """

    xy: Floats
    rings: Ints
    polygons: Ints
    owner: Ints

    @classmethod
    def of(cls, geometry: NDArray[Any]) -> Ragged:
        """Return the rings of polygons and multipolygons; owners count from 0."""
        none = np.zeros(1, np.int64)
        if len(geometry) == 0:
            return cls(np.empty((0, 2)), none, none, none[:0])
        kind, xy, offsets = shapely.to_ragged_array(geometry, include_z=False)
        offsets = [np.asarray(o, np.int64) for o in offsets]
        if kind == shapely.GeometryType.POLYGON:
            offsets.append(np.arange(len(geometry) + 1))
        rings, polygons, features = offsets
        return cls(xy, rings, polygons, np.repeat(np.arange(len(geometry)), np.diff(features)))

    def parts(self) -> NDArray[Any]:
        """Return the polygons, one for each entry of `owner`."""
        if len(self.owner) == 0:
            return np.empty(0, object)
        offsets = (self.rings, self.polygons)
        return shapely.from_ragged_array(shapely.GeometryType.POLYGON, self.xy, offsets)

    def areas(self, xy: Floats) -> Floats:
        """Return twice the signed area of each ring with its vertices at `xy`."""
        if len(self.rings) < 2:
            return np.empty(0)
        base = np.repeat(self.rings[:-1], np.diff(self.rings))
        x, y = xy[:, 0] - xy[base, 0], xy[:, 1] - xy[base, 1]
        terms = np.zeros(len(x))
        np.subtract(x[:-1] * y[1:], x[1:] * y[:-1], out=terms[:-1])
        terms[self.rings[1:] - 1] = 0.0
        return np.add.reduceat(terms, self.rings[:-1])

    def feature_of_ring(self) -> Ints:
        """Return the feature of each ring."""
        return np.repeat(self.owner, np.diff(self.polygons))

    def walk(self) -> Rings:
        """Return the rings as one walk over the fine grid."""
        fine = to_fine(self.xy)
        shell = np.zeros(len(self.rings) - 1, bool)
        shell[self.polygons[:-1][np.diff(self.polygons) > 0]] = True
        sign = np.where((self.areas(self.xy) > 0) == shell, 1, -1)
        counts = np.diff(self.rings) - 1
        keep = ragged(self.rings[:-1], counts)
        ring = np.repeat(np.arange(len(counts)), counts)
        x, y = fine[keep, 0], fine[keep, 1]
        following = _following(ring)
        moved = (x != x[following]) | (y != y[following])
        if not moved.all():
            x, y, ring = x[moved], y[moved], ring[moved]
            following = _following(ring)
        return Rings(x, y, following, self.feature_of_ring()[ring], sign[ring])


def on_fine_grid(geometry: NDArray[Any]) -> tuple[NDArray[Any], NDArray[np.uint64]]:
    """Return valid polygons (n,), metres, with every vertex on the fine grid, and a hash of each one's.

    Rounding vertices one by one keeps a polygon valid unless parts of it are thinner than a
    step and cross or turn over; those polygons are snap-rounded as a whole, and may vanish.
    """
    made, content = geometry.copy(), np.zeros(len(geometry), np.uint64)

    def settle(begin: int) -> None:
        rows = slice(begin, begin + _AT_ONCE)
        content[rows] = _settled(made[rows])

    # numpy and GEOS let other threads go on while they work on columns.
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(settle, range(0, len(geometry), _AT_ONCE)))
    return made, content


def _settled(geometry: NDArray[Any]) -> NDArray[np.uint64]:
    """Put polygons onto the fine grid in place; return a hash of the vertices of each."""
    xy, owner = shapely.get_coordinates(geometry, return_index=True)
    fine = to_fine(xy)
    # Most data come in whole millimetres or tenths of them: nothing moves, nothing to check.
    moved = np.unique(owner[(from_fine(fine) != xy).any(axis=1)])
    if len(moved):
        geometry[moved] = _rounded(geometry[moved])
        xy, owner = shapely.get_coordinates(geometry, return_index=True)
        fine = to_fine(xy)
    content = np.zeros(len(geometry), np.uint64)
    starts = np.flatnonzero(np.diff(owner, prepend=-1))
    if len(starts):
        content[owner[starts]] = _content(fine, owner, starts)
    return content


def _content(fine: Ints, owner: Ints, starts: Ints) -> NDArray[np.uint64]:
    """Return a hash of the vertices of each feature in their order."""
    order = (np.arange(len(owner)) - np.repeat(starts, np.diff(np.append(starts, len(owner))))).astype(
        np.uint64
    )
    x, y = fine[:, 0].astype(np.uint64), fine[:, 1].astype(np.uint64)
    return np.add.reduceat(mix(x + mix(y + mix(order))), starts)


def _rounded(geometry: NDArray[Any]) -> NDArray[Any]:
    rings = Ragged.of(geometry)
    xy = from_fine(to_fine(rings.xy))
    rounded = shapely.set_coordinates(geometry.copy(), xy)
    spoilt = ~shapely.is_valid(rounded)
    turned = np.sign(rings.areas(rings.xy)) != np.sign(rings.areas(xy))
    spoilt[rings.feature_of_ring()[turned]] = True
    if spoilt.any():
        mended = shapely.set_precision(geometry[spoilt], 1 / (PER_METRE * FINE))
        rounded[spoilt] = shapely.transform(mended, lambda xy: from_fine(to_fine(xy)))
    return rounded


def _following(ring: Ints) -> Ints:
    """Return the next position on the same ring, positions being in ring order."""
    following = np.arange(1, len(ring) + 1)
    if len(ring):
        last = np.flatnonzero(np.append(ring[1:] != ring[:-1], True))
        following[last] = np.concatenate([[0], last[:-1] + 1])
    return following
