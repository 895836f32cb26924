# SPDX-License-Identifier: GPL-2.0-or-later
"""Factors of soil loss as functions of arrays: K, S, L, C, B, R.

Arrays have any shape, float64; NaN is no data and stays it. Slopes are in degrees, covers are fractions.
Values come from parameter sets (`sets`), which name their source.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any, Union

import numpy as np
from numpy.typing import NDArray

from swc_zoning.engine.evaluation import sets
from swc_zoning.engine.evaluation.sets import ParameterSet
from swc_zoning.engine.messages import SwcError

Floats = NDArray[np.float64]
Values = Union[Floats, float]

#: Length of the unit plot (m): Wischmeier and Smith 1978.
UNIT_PLOT_M = 22.13
#: From K in US units to t.hm2.h/(hm2.MJ.mm).
US_TO_SI = 0.1317
#: From R in US units (100 ft.tonf.in/(ac.h.a)) to MJ.mm/(hm2.h.a).
US_EROSIVITY_TO_SI = 17.02
#: Share of carbon in organic matter: van Bemmelen.
CARBON_OF_MATTER = 0.58


def k_epic(sand: Values, silt: Values, clay: Values, carbon: Values) -> Floats:
    """Return K of EPIC in US units from shares of sand, silt, clay and organic carbon in percent.

    Sharpley and Williams 1990. Where silt and clay are both 0 there is no K (NaN).
    """
    sand, silt, clay, carbon = (np.asarray(one, float) for one in (sand, silt, clay, carbon))
    rest = 1 - sand / 100
    fine = silt + clay
    f1 = 0.2 + 0.3 * np.exp(-0.0256 * sand * (1 - silt / 100))
    f2 = np.power(np.divide(silt, fine, out=np.full(np.shape(fine + 0.0), np.nan), where=fine > 0), 0.3)
    f3 = 1 - 0.25 * carbon / (carbon + np.exp(3.72 - 2.95 * carbon))
    f4 = 1 - 0.7 * rest / (rest + np.exp(-5.51 + 22.9 * rest))
    return f1 * f2 * f3 * f4


def k_guide(sand: Values, silt: Values, clay: Values, carbon: Values) -> Floats:
    """Return K in t.hm2.h/(hm2.MJ.mm), corrected for China: (-0.01383 + 0.51575 K_EPIC) 0.1317.

    Soils almost without silt would come out below 0; there it is 0.
    """
    corrected = (-0.01383 + 0.51575 * k_epic(sand, silt, clay, carbon)) * US_TO_SI
    return np.maximum(corrected, 0.0)


def slope_factor(slope: Values, pieces: ParameterSet) -> Floats:
    """Return S of slopes in degrees, by the pieces of a set of kind slope_factor."""
    slope = np.asarray(slope, float)
    angle = slope if pieces["cap_deg"] is None else np.minimum(slope, pieces["cap_deg"])
    sine = np.sin(np.radians(angle))
    factor = np.full(slope.shape, np.nan)
    for upper, by, plus in reversed(pieces["rows"]):
        inside = ~np.isnan(angle) if upper is None else angle < upper
        factor = np.where(inside, by * sine + plus, factor)
    return factor


def beta(slope: Values) -> Floats:
    """Return the ratio of rill to interrill erosion: (sin t/0.0896)/(3 sin(t)^0.8 + 0.56)."""
    sine = np.sin(np.radians(np.asarray(slope, float)))
    return (sine / 0.0896) / (3 * np.power(sine, 0.8) + 0.56)


def length_exponent(slope: Values, classes: ParameterSet) -> Floats:
    """Return the exponent m of slope length for slopes in degrees."""
    slope = np.asarray(slope, float)
    ratio = beta(slope)
    by_beta = ratio / (1 + ratio)
    exponent = by_beta
    for upper, m in reversed(classes["rows"]):
        inside = ~np.isnan(slope) if upper is None else slope <= upper
        exponent = np.where(inside, by_beta if m is None else m, exponent)
    return exponent


def length_factor(length_m: Values, m: Values) -> Floats:
    """Return L of a uniform slope of horizontal length (m): (length/22.13)^m."""
    return np.power(np.asarray(length_m, float) / UNIT_PLOT_M, m)


def segment_factor(begin_m: Values, end_m: Values, m: Values) -> Floats:
    """Return L of the segment of a slope from `begin_m` to `end_m` below its top (Foster 1974).

    Where both are the same, as beyond the cap of the length, it is the limit (m+1)(length/22.13)^m.
    """
    begin, end, m = (np.asarray(one, float) for one in (begin_m, end_m, m))
    some = end > begin
    span = np.where(some, end - begin, 1.0)
    segment = (np.power(end, m + 1) - np.power(begin, m + 1)) / (span * np.power(UNIT_PLOT_M, m))
    return np.where(some, segment, (m + 1) * np.power(end / UNIT_PLOT_M, m))


def cover_factor(kind: str, cover: Values, table: ParameterSet) -> Floats:
    """Return C of one kind of ecosystem for covers (fractions); raises ``evaluation.ecosystem``."""
    cover = np.asarray(cover, float)
    if kind in table["fixed"]:
        # A fixed value does not depend on cover, so it is known without it.
        return np.full(cover.shape, table["fixed"][kind])
    if kind == "dryland":
        a, b = table["dryland"]
        with np.errstate(divide="ignore"):
            return np.clip(a - b * np.log10(cover), 0.0, 1.0)
    if kind not in table["rows"]:
        raise SwcError("evaluation.ecosystem", name=kind, known=", ".join(cover_kinds(table)))
    row = np.array([*table["rows"][kind], np.nan])
    place = np.searchsorted(np.array(table["breaks"]), cover, side="right")
    return row[np.where(np.isnan(cover), len(row) - 1, place)]


def cover_kinds(table: ParameterSet) -> tuple[str, ...]:
    """Return the ecosystems a table has a C for."""
    return (*table["rows"], *table["fixed"], "dryland")


def soil_loss_ratio(kind: str, cover: Values, canopy: Values, table: ParameterSet) -> Floats:
    """Return SLR of "shrub", "grass" or "forest"; `canopy` (fraction) matters to forest only."""
    cover = np.asarray(cover, float)
    if kind == "forest":
        a, b, c, d = table["forest"]
        canopy = np.asarray(canopy, float)
        return a * np.exp(b * canopy) - c * np.exp(cover - cover * canopy) + d
    a, b, c = table[kind]
    return 1 / (a + b * np.power(c, 100 * cover))


def vegetation_cover(ndvi: Values, soil: float, plants: float) -> Floats:
    """Return the cover (fraction) by the dimidiate pixel model, clipped to 0..1."""
    return np.clip((np.asarray(ndvi, float) - soil) / (plants - soil), 0.0, 1.0)


def half_month(day: date) -> int:
    """Return the half month 1..24 of a day; day 15 belongs to the first half."""
    return 2 * day.month - (1 if day.day <= 15 else 0)


def half_month_erosivity(
    rain: Iterable[tuple[date, float]], years: int, table: ParameterSet, least_mm: float | None = None
) -> dict[int, float]:
    """Return mean R by half month (1..24), MJ.mm/(hm2.h.a), from days with their rain (mm) of `years` years.

    Only days with at least `least_mm` (default: of the table) count.
    """
    least = table["least_mm"] if least_mm is None else least_mm
    sums = dict.fromkeys(range(1, 25), 0.0)
    for day, mm in rain:
        if mm >= least:
            by = table["warm"] if day.month in table["warm_months"] else table["cold"]
            sums[half_month(day)] += by * mm ** table["exponent"]
    return {half: total / years for half, total in sums.items()}


def fournier(monthly_mm: Values) -> Floats:
    """Return the modified Fournier index of monthly sums of rain (mm), shape (12, ...); 0 without rain."""
    rain = np.asarray(monthly_mm, float)
    total = rain.sum(axis=0)
    # Without rain it is 0/1.
    return (rain**2).sum(axis=0) / np.where(total == 0, 1.0, total)


def erosivity_of_index(index: Values) -> Floats:
    """Return R = 0.1833 F^1.9957 of the modified Fournier index; ChinaXiv-201911.00021."""
    return 0.1833 * np.power(np.asarray(index, float), 1.9957)


def monthly_erosivity(monthly_mm: Values) -> Floats:
    """Return R = 0.1833 F^1.9957 of monthly sums of rain (mm), shape (12, ...)."""
    return erosivity_of_index(fournier(monthly_mm))


def wischmeier_erosivity(monthly_mm: Values) -> Floats:
    """Return R = sum 1.735 10^(1.5 lg(p^2/P) - 0.8188) in US units (times 17.02: SI), shape (12, ...)."""
    rain = np.asarray(monthly_mm, float)
    total = rain.sum(axis=0)
    share = rain**2 / np.where(total == 0, 1.0, total)
    # 10^(1.5 lg x) is x^1.5, which a month without rain has too.
    return (1.735 * np.power(share, 1.5) * 10**-0.8188).sum(axis=0)


def retention(r: Values, k: Values, ls: Values, c: Values) -> tuple[Floats, Floats]:
    """Return (A_p, A_c) in t/hm2.a: potential loss RKLS and what cover retains of it, RKLS(1 - C)."""
    potential = np.asarray(r, float) * k * ls
    return potential, potential * (1 - np.asarray(c, float))


def conservation_index(npp: Values, k: Values, slope: Values) -> Floats:
    """Return S_pro = N (1 - K)(1 - F), each scaled to 0..1 over the valid cells (whole arrays)."""
    given = [np.asarray(one, float) for one in (npp, k, slope)]
    valid = np.logical_and.reduce([np.isfinite(one) for one in given])
    n, k01, f = (scaled(one, *_extremes(one[valid])) for one in given)
    return np.where(valid, n * (1 - k01) * (1 - f), np.nan)


def _extremes(values: Floats) -> tuple[float, float]:
    return (float(values.min()), float(values.max())) if values.size else (0.0, 0.0)


def scaled(values: Values, least: float, most: float) -> Floats:
    """Return values between `least` and `most` scaled to 0..1; 0 everywhere where both are the same."""
    values = np.asarray(values, float)
    if most == least:
        return np.where(np.isnan(values), np.nan, 0.0)
    return (values - least) / (most - least)


def ecosystems() -> Mapping[str, Any]:
    """Return id -> {code, zh, en, natural} of the kinds of ecosystems."""
    return sets.default("ecosystems")["kinds"]
