# SPDX-License-Identifier: GPL-2.0-or-later
"""The integer grid of results, 0.0001 m in the working CRS, and the finer one inputs are read on.

Input vertices are kept to 0.1 micrometre (*fine* coordinates), so that what they make of the
grid follows from where they really are; every node of a result is a grid point (*units*).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

#: Units per metre (submission practice and FileGDB grid: 0.0001 m).
PER_METRE = 10_000

#: Fine steps per unit; even, so that the edges of a hot pixel are fine coordinates too.
FINE = 1_000


def to_units(metres: Floats) -> Ints:
    """Return coordinates in grid units, halves rounded up."""
    return np.floor(metres * PER_METRE + 0.5).astype(np.int64)


def to_metres(units: Ints) -> Floats:
    """Return coordinates in metres; `to_units` gives the same units back."""
    return units / PER_METRE


def to_fine(metres: Floats) -> Ints:
    """Return coordinates in fine steps, halves rounded up."""
    return np.floor(metres * (PER_METRE * FINE) + 0.5).astype(np.int64)


def from_fine(fine: Ints) -> Floats:
    """Return fine coordinates in metres; `to_fine` gives the same steps back."""
    return fine / (PER_METRE * FINE)


def nearest_unit(fine: Ints) -> Ints:
    """Return the grid unit whose hot pixel, half open to the right, holds a fine coordinate."""
    return (fine + FINE // 2) // FINE


def unique_points(x: Ints, y: Ints) -> tuple[Ints, Ints, Ints]:
    """Return distinct points in order of (x, y), and for each given point its index among them."""
    if len(x) == 0:
        return x, y, np.empty(0, np.int64)
    x0, y0 = x.min(), y.min()
    bits = int(y.max() - y0).bit_length()
    if bits + int(x.max() - x0).bit_length() <= 63:
        order = np.argsort(((x - x0) << bits) | (y - y0))
    else:
        order = np.lexsort((y, x))
    new = _starts(x[order]) | _starts(y[order])
    ranks = np.empty(len(order), np.int64)
    ranks[order] = np.cumsum(new) - 1
    return x[order[new]], y[order[new]], ranks


def same_points(x: Ints, y: Ints) -> tuple[Ints, Ints, Ints]:
    """Return distinct points in order of appearance, and for each given point its index among them."""
    if len(x) == 0:
        return x, y, np.empty(0, np.int64)
    key = mix(x.view(np.uint64) + mix(y.view(np.uint64)))
    order = np.argsort(key)
    new = _starts(x[order]) | _starts(y[order])
    if np.any(new & ~_starts(key[order])):
        return unique_points(x, y)  # two points share a hash
    starts = np.flatnonzero(new)
    first = np.minimum.reduceat(order, starts)
    seen = np.zeros(len(x), bool)
    seen[first] = True
    rank = np.cumsum(seen) - 1
    inverse = np.empty(len(x), np.int64)
    inverse[order] = np.repeat(rank[first], np.diff(np.append(starts, len(order))))
    at = np.flatnonzero(seen)
    return x[at], y[at], inverse


def _starts(values: Ints) -> NDArray[np.bool_]:
    """Mark where a sorted array changes value."""
    starts = np.empty(len(values), bool)
    starts[0] = True
    np.not_equal(values[1:], values[:-1], out=starts[1:])
    return starts


def group(keys: Ints) -> tuple[Ints, Ints]:
    """Return (order, starts): `order` sorts `keys`; `starts` opens each run of equal keys in it.

    Within a run the order is not that of the input.
    """
    order = np.argsort(keys)
    return order, np.flatnonzero(_starts(keys[order])) if len(keys) else order


def ragged(starts: Ints, counts: Ints) -> Ints:
    """Return the concatenated ranges ``starts[i] .. starts[i] + counts[i] - 1``."""
    ends = np.cumsum(counts)
    if len(ends) == 0:
        return np.empty(0, np.int64)
    shift = starts - (ends - counts)
    return np.arange(ends[-1], dtype=np.int64) + np.repeat(shift, counts)


def components(count: int, one: Ints, other: Ints) -> Ints:
    """Return for each of `count` nodes the smallest node it is linked with.

    `one` and `other` are the ends of the links.
    """
    root = np.arange(count)
    while True:
        lower = root.copy()
        np.minimum.at(lower, root[one], root[other])
        np.minimum.at(lower, root[other], root[one])
        while not np.array_equal(lower, lower[lower]):
            lower = lower[lower]
        if np.array_equal(lower, root):
            return root
        root = lower[root]


def mix(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return well-spread 64-bit hashes (splitmix64 finaliser, public domain constants)."""
    z = values + np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))
