# SPDX-License-Identifier: GPL-2.0-or-later
"""Rings of polygons on the fine grid: where vertices really are, to 0.1 micrometre, as integers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from swc_zoning.engine.grid import FINE, PER_METRE, Floats, Ints, from_fine, ragged, to_fine


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


def read_rings(geometry: NDArray[Any]) -> tuple[NDArray[Any], Rings]:
    """Return valid polygons with every vertex on the fine grid, and their rings.

    Rounding vertices one by one keeps a polygon valid unless parts of it are thinner than a
    step and cross or turn over; those polygons are snap-rounded as a whole, and may vanish.
    """
    ragged_rings = _Ragged.of(geometry)
    fine = to_fine(ragged_rings.xy)
    rounded_xy = from_fine(fine)
    rounded = shapely.set_coordinates(geometry.copy(), rounded_xy) if len(fine) else geometry
    before, after = ragged_rings.areas(ragged_rings.xy), ragged_rings.areas(rounded_xy)
    spoilt = ~shapely.is_valid(rounded)
    spoilt[ragged_rings.feature[np.sign(before) != np.sign(after)]] = True
    if not spoilt.any():
        return rounded, ragged_rings.walk(fine, after)
    mended = shapely.set_precision(geometry[spoilt], 1 / (PER_METRE * FINE))
    rounded[spoilt] = shapely.transform(mended, lambda xy: from_fine(to_fine(xy)))
    ragged_rings = _Ragged.of(rounded)
    return rounded, ragged_rings.walk(to_fine(ragged_rings.xy), ragged_rings.areas(ragged_rings.xy))


@dataclass(frozen=True)
class _Ragged:
    """Closed rings as coordinates (metres) and offsets; whether each is a shell, and its feature."""

    xy: Floats
    offsets: Ints
    shell: NDArray[np.bool_]
    feature: Ints

    @classmethod
    def of(cls, geometry: NDArray[Any]) -> _Ragged:
        """Return the rings of polygons and multipolygons."""
        if len(geometry) == 0:
            return cls(np.empty((0, 2)), np.zeros(1, np.int64), np.empty(0, bool), np.empty(0, np.int64))
        kind, xy, offsets = shapely.to_ragged_array(geometry, include_z=False)
        offsets = [np.asarray(o, np.int64) for o in offsets]
        if kind == shapely.GeometryType.POLYGON:
            offsets.append(np.arange(len(geometry) + 1))
        ring_offsets, polygon_offsets, feature_offsets = offsets
        shell = np.zeros(len(ring_offsets) - 1, bool)
        shell[polygon_offsets[:-1][np.diff(polygon_offsets) > 0]] = True
        polygon_feature = np.repeat(np.arange(len(geometry)), np.diff(feature_offsets))
        return cls(xy, ring_offsets, shell, np.repeat(polygon_feature, np.diff(polygon_offsets)))

    def areas(self, xy: Floats) -> Floats:
        """Return twice the signed area of each ring with its vertices at `xy`."""
        if len(self.offsets) < 2:
            return np.empty(0)
        base = np.repeat(self.offsets[:-1], np.diff(self.offsets))
        x, y = xy[:, 0] - xy[base, 0], xy[:, 1] - xy[base, 1]
        terms = np.zeros(len(x))
        np.subtract(x[:-1] * y[1:], x[1:] * y[:-1], out=terms[:-1])
        terms[self.offsets[1:] - 1] = 0.0
        return np.add.reduceat(terms, self.offsets[:-1])

    def walk(self, fine: Ints, areas: Floats) -> Rings:
        """Return the rings with vertices at `fine`, turned by the sign of `areas`."""
        sign = np.where((areas > 0) == self.shell, 1, -1)
        counts = np.diff(self.offsets) - 1
        keep = ragged(self.offsets[:-1], counts)
        ring = np.repeat(np.arange(len(counts)), counts)
        x, y = fine[keep, 0], fine[keep, 1]
        following = _following(ring)
        moved = (x != x[following]) | (y != y[following])
        if not moved.all():
            x, y, ring = x[moved], y[moved], ring[moved]
            following = _following(ring)
        return Rings(x, y, following, self.feature[ring], sign[ring])


def _following(ring: Ints) -> Ints:
    """Return the next position on the same ring, positions being in ring order."""
    following = np.arange(1, len(ring) + 1)
    if len(ring):
        last = np.flatnonzero(np.append(ring[1:] != ring[:-1], True))
        following[last] = np.concatenate([[0], last[:-1] + 1])
    return following
