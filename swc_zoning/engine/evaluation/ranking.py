# SPDX-License-Identifier: GPL-2.0-or-later
"""Limits of the cumulated value of a raster of any size, exactly the same however it is read.

Values count in single precision. Positive ones are ordered as their bit patterns are: a first reading counts
the upper halves, a second one the lower halves within the two that hold the limits; sums are whole numbers.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from typing import Callable

import numpy as np
from numpy.typing import NDArray

from swc_zoning.engine.evaluation.judging import Thresholds
from swc_zoning.engine.evaluation.sets import ParameterSet

_HALVES = 1 << 16

#: Yields the values of a raster, part by part, each time it is asked.
Parts = Callable[[], Iterable[NDArray[np.float64]]]


def thresholds(parts: Parts, shares: ParameterSet) -> Thresholds:
    """Return the limits of the classes (see `judging.cumulative_thresholds`; cells of equal area)."""
    counts, lows = _upper_halves(parts)
    sums = [_sum(high, int(counts[high]), int(lows[high])) for high in range(_HALVES)]
    total = sum(sums)
    if not total:
        return Thresholds(np.inf, np.inf)
    wanted = [(Fraction(share) - Fraction(shares["slack"])) * total for share in shares["shares"]]
    places = [_place(sums, one) for one in wanted]
    inside = _lower_halves(parts, {high for high, _ in places})
    found = [_value(high, inside[high], above, one) for (high, above), one in zip(places, wanted)]
    return Thresholds(*found)


def _bits(values: NDArray[np.float64]) -> NDArray[np.uint32]:
    single = values[np.isfinite(values)].astype(np.float32)
    return single[(single > 0) & np.isfinite(single)].view(np.uint32)


def _upper_halves(parts: Parts) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return by upper half the number of values and the sum of their lower halves."""
    counts, lows = np.zeros(_HALVES, np.int64), np.zeros(_HALVES, np.int64)
    for values in parts():
        bits = _bits(values)
        high = (bits >> 16).astype(np.int64)
        counts += np.bincount(high, minlength=_HALVES)
        # Sums of one part are far below 2^53, so they are exact in double precision.
        lows += np.bincount(high, weights=bits & 0xFFFF, minlength=_HALVES).astype(np.int64)
    return counts, lows


def _lower_halves(parts: Parts, wanted: set[int]) -> dict[int, NDArray[np.int64]]:
    inside = {high: np.zeros(_HALVES, np.int64) for high in wanted}
    for values in parts():
        bits = _bits(values)
        for high, counts in inside.items():
            counts += np.bincount(bits[(bits >> 16) == high] & 0xFFFF, minlength=_HALVES)
    return inside


def _sum(high: int, count: int, low: int) -> int:
    """Return the sum of `count` values with an upper half and a sum of lower halves, in units of 2^-149."""
    exponent, upper = high >> 7, (high & 0x7F) << 16
    hidden = 1 << 23 if exponent else 0
    return (count * (hidden + upper) + low) << (max(exponent, 1) - 1)


def _place(sums: list[int], wanted: Fraction) -> tuple[int, int]:
    """Return the upper half in which the sum from above reaches `wanted`, and the sum above it."""
    above = 0
    for high in range(_HALVES - 1, -1, -1):
        if sums[high] and above + sums[high] >= wanted:
            return high, above
        above += sums[high]
    raise ValueError("a share above the whole")


def _value(high: int, counts: NDArray[np.int64], above: int, wanted: Fraction) -> float:
    for low in np.flatnonzero(counts)[::-1]:
        above += _sum(high, int(counts[low]), int(counts[low]) * int(low))
        if above >= wanted:
            return float(np.uint32((high << 16) | int(low)).view(np.float32))
    raise ValueError("a share above the part")
