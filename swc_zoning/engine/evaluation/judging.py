# SPDX-License-Identifier: GPL-2.0-or-later
"""From values to classes: importance, sensitivity, erosion intensity, integration.

Classes of importance and sensitivity: 3 highest (极), 2 high, 1 general, 0 no data. Intensities: 0 slight
.. 5 severe, 255 no data. NaN is no data.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Union

import numpy as np
from numpy.typing import NDArray

from swc_zoning.engine.evaluation.sets import ParameterSet

Floats = NDArray[np.float64]
Codes = NDArray[np.uint8]
Values = Union[Floats, float]

NO_INTENSITY = 255


@dataclass(frozen=True)
class Thresholds:
    """Least values of class 3 and of class 2; infinite where no cell has a value above 0."""

    highest: float
    high: float


def cumulative_thresholds(values: Values, areas: Values | None, shares: ParameterSet) -> Thresholds:
    """Return the values at which the cumulated value, from the highest down, reaches the shares.

    Cells count with value times area (default: all alike); only finite values above 0 count. The limit is
    the value of the first cell whose cumulated share is at least the share, so all ties belong above.
    """
    values = np.asarray(values, float).ravel()
    weights = np.ones_like(values) if areas is None else np.broadcast_to(areas, values.shape).astype(float)
    counted = np.isfinite(values) & (values > 0)
    order = np.argsort(-values[counted], kind="stable")
    ranked = values[counted][order]
    if ranked.size == 0:
        return Thresholds(np.inf, np.inf)
    sums = np.cumsum(ranked * weights[counted][order])
    reached = sums / sums[-1]
    places = [int(np.argmax(reached >= share - shares["slack"])) for share in shares["shares"]]
    return Thresholds(*(float(ranked[place]) for place in places))


def by_thresholds(values: Values, limits: Thresholds) -> Codes:
    """Return classes 3, 2, 1 of values, 0 where there is none; values of 0 and less are general."""
    values = np.asarray(values, float)
    classes = np.where(values >= limits.highest, 3, np.where(values >= limits.high, 2, 1))
    classes = np.where(values > 0, classes, 1)
    return np.where(np.isnan(values), 0, classes).astype(np.uint8)


def factor_grades(values: Values, breaks: Sequence[float], grades: Sequence[float], falling: bool) -> Floats:
    """Return the grade of values between breaks; `falling`: the least values have the highest grade.

    Rising (R, relief): below the first break is the first grade, above the last one the last, a value on a
    break is of the middle. Falling (cover): up to the first break the last grade, from the second the first.
    """
    values = np.asarray(values, float)
    low, top = breaks
    if falling:
        found = np.where(values <= low, grades[2], np.where(values < top, grades[1], grades[0]))
    else:
        found = np.where(values > top, grades[2], np.where(values < low, grades[0], grades[1]))
    return np.where(np.isnan(values), np.nan, found.astype(float))


def sensitivity(r: Values, soil: Values, relief: Values, cover: Values, table: ParameterSet) -> Floats:
    """Return SS, the geometric mean of four grades; `soil` is the grade of the texture already."""
    grades = table["grades"]
    product = factor_grades(r, table["erosivity"], grades, falling=False) * np.asarray(soil, float)
    product = product * relief_grades(relief, table)
    product = product * factor_grades(cover, table["cover"], grades, falling=True)
    return np.power(product, 0.25)


def relief_grades(relief: Values, table: ParameterSet) -> Floats:
    """Return grades of relief (m); the lowest class reaches up to its break and includes it."""
    relief = np.asarray(relief, float)
    low, top = table["relief"]
    first, middle, last = table["grades"]
    found = np.where(relief <= low, first, np.where(relief <= top, middle, last)).astype(float)
    return np.where(np.isnan(relief), np.nan, found)


def sensitivity_class(ss: Values, table: ParameterSet) -> Codes:
    """Return classes of SS: above the second cut 3, above the first 2, else 1; 0 no data."""
    ss = np.asarray(ss, float)
    low, top = table["cuts"]
    classes = np.where(ss > top, 3, np.where(ss > low, 2, 1))
    return np.where(np.isnan(ss), 0, classes).astype(np.uint8)


def intensity(loss: Values, tolerance: float, table: ParameterSet) -> Codes:
    """Return the intensity of soil loss in t/km2.a (SL 190-2007), lower bounds inclusive."""
    loss = np.asarray(loss, float)
    bounds = np.array([tolerance, *table["bounds"]])
    return np.where(np.isnan(loss), NO_INTENSITY, np.searchsorted(bounds, loss, side="right")).astype(
        np.uint8
    )


def intensity_by_matrix(slope: Values, cover: Values, cropland: Values, table: ParameterSet) -> Codes:
    """Return the intensity by slope (degrees) and cover (fraction); `cropland` where slopes are tilled.

    Below the first slope, and above the last cover off cropland, it is slight. Lower bounds of slope and
    of cover are inclusive, the last cover class includes 75 %.
    """
    slope, cover = np.asarray(slope, float), np.asarray(cover, float)
    tilled = np.asarray(cropland, bool)
    column = np.searchsorted(np.array(table["slope"], float), slope, side="right")
    row = np.searchsorted(np.array(table["cover"][:3], float), cover, side="right")
    steep = np.clip(column - 1, 0, len(table["slope"]) - 1)
    found = np.array(table["rows"])[np.clip(row, 0, 3), steep]
    found = np.where(cover > table["cover"][-1], 0, found)
    found = np.where(tilled, np.array(table["cropland"])[steep], found)
    found = np.where(column == 0, 0, found)
    missing = np.isnan(slope) | (np.isnan(cover) & ~tilled & (column > 0))
    return np.where(missing, NO_INTENSITY, found).astype(np.uint8)


def importance(slope: Values, cover: Values, counts: Values, table: ParameterSet) -> Codes:
    """Return classes by least slope and cover where `counts` says that the ecosystem is one of the rule's."""
    slope, cover = np.asarray(slope, float), np.asarray(cover, float)
    kinds = np.asarray(counts, bool)
    top, high = (kinds & (slope >= table[key][0]) & (cover >= table[key][1]) for key in ("highest", "high"))
    classes = np.where(top, 3, np.where(high, 2, 1))
    return np.where(np.isnan(slope) | np.isnan(cover), 0, classes).astype(np.uint8)


def integrate(layers: Sequence[Codes]) -> tuple[Codes, NDArray[np.uint32]]:
    """Return the highest class of several layers and which of them have it, bit n for layer n.

    A layer without data (0) has no vote; where none has data the class is 0 and no bit is set.
    """
    highest = np.maximum.reduce([np.asarray(layer) for layer in layers])
    bits = np.zeros(highest.shape, np.uint32)
    for number, layer in enumerate(layers):
        bits |= np.where((layer == highest) & (highest > 0), np.uint32(1 << number), np.uint32(0))
    return highest, bits
