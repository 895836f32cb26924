# SPDX-License-Identifier: GPL-2.0-or-later
"""Tables of rain by station: read, proved whole, summed to the erosivity of each station.

A table has the columns station, x, y, date (YYYY-MM-DD; YYYY-MM for sums of months) and mm. Which half
months have no row is known before anything is summed: nobody can tell a dry half month from a lost one.
"""

from __future__ import annotations

import math
from calendar import isleap
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Callable

import numpy as np
from numpy.typing import NDArray

from swc_zoning.engine.evaluation import factors, sheets
from swc_zoning.engine.evaluation.sets import ParameterSet
from swc_zoning.engine.messages import SwcError

HALVES = range(1, 25)
#: More than was ever measured in a day, in a month (mm): a mark of missing data that was not taken out.
MOST_DAY_MM, MOST_MONTH_MM = 2000.0, 10000.0
_GAPS_SHOWN = 12

#: A day, or the first of a month whose sum is given.
Rain = dict[date, float]


@dataclass
class Station:
    """A station: its place in the CRS of the table, rain (mm) by day, or by month."""

    name: str
    x: float
    y: float
    rain: Rain = field(default_factory=dict)

    @property
    def years(self) -> tuple[int, ...]:
        """Return the years with rows."""
        return tuple(sorted({day.year for day in self.rain}))


@dataclass(frozen=True)
class Erosivity:
    """Mean erosivity of a station, MJ.mm/(hm2.h.a); `halves` by half month, none from monthly rain."""

    station: Station
    total: float
    halves: tuple[float, ...] = ()

    @property
    def shares(self) -> tuple[float, ...]:
        """Return WR, the share of each half month in the whole; all 0 where nothing erodes."""
        return tuple(one / self.total if self.total else 0.0 for one in self.halves)


def read_days(path: Path) -> list[Station]:
    """Return the stations of a daily table; raises SwcError ``evaluation.table``."""
    return _stations(path, date.fromisoformat, MOST_DAY_MM)


def read_months(path: Path) -> list[Station]:
    """Return the stations of a table of months, or of days, which are summed; raises ``evaluation.table``."""
    monthly = all(len(row.get("date", "")) == len("2020-01") for row in sheets.read_csv(path))
    if monthly:
        return _stations(path, lambda text: date.fromisoformat(f"{text}-01"), MOST_MONTH_MM)
    stations = read_days(path)
    for one in stations:
        sums: Rain = defaultdict(float)
        for day, mm in one.rain.items():
            sums[day.replace(day=1)] += mm
        one.rain = dict(sums)
    return stations


def _stations(path: Path, day_of: Callable[[str], date], most: float) -> list[Station]:
    found: dict[str, Station] = {}
    for number, row in enumerate(sheets.read_csv(path), 2):
        try:
            _take(found, row, day_of, most)
        except (KeyError, ValueError) as error:
            raise SwcError("evaluation.table", path=path.name, line=number, reason=str(error)) from error
    return list(found.values())


def _take(
    found: dict[str, Station], row: Mapping[str, str], day_of: Callable[[str], date], most: float
) -> None:
    name, place = row["station"], (float(row["x"]), float(row["y"]))
    day, mm = day_of(row["date"]), float(row["mm"])
    station = found.setdefault(name, Station(name, *place))
    if not all(map(math.isfinite, place)) or place != (station.x, station.y):
        raise ValueError(f"x, y: {name} {place[0]:g} {place[1]:g}")
    if not 0 <= mm <= most:
        raise ValueError(f"mm {mm:g}")
    if day in station.rain:
        raise ValueError(f"date: {name} {row['date']} (2)")
    station.rain[day] = mm


def require_halves(stations: Iterable[Station], path: str) -> None:
    """Refuse stations without a row in a half month of a year: ``evaluation.half_months``."""
    gaps = {}
    for one in stations:
        there = {(day.year, factors.half_month(day)) for day in one.rain}
        asked = [(year, half) for year in one.years for half in HALVES]
        gaps[one.name] = [f"{year}/{half}" for year, half in asked if (year, half) not in there]
    _refuse("evaluation.half_months", gaps, path)


def require_months(stations: Iterable[Station], path: str) -> None:
    """Refuse stations without a row in a month of a year: ``evaluation.months``."""
    gaps = {}
    for one in stations:
        there = {(day.year, day.month) for day in one.rain}
        asked = [(year, month) for year in one.years for month in range(1, 13)]
        gaps[one.name] = [f"{year}/{month}" for year, month in asked if (year, month) not in there]
    _refuse("evaluation.months", gaps, path)


def _refuse(code: str, gaps: Mapping[str, list[str]], path: str) -> None:
    lacking = {name: found for name, found in gaps.items() if found}
    if lacking:
        name, found = next(iter(lacking.items()))
        shown = ", ".join(found[:_GAPS_SHOWN]) + (" …" if len(found) > _GAPS_SHOWN else "")
        counts = {"count": sum(map(len, lacking.values())), "stations": len(lacking)}
        raise SwcError(code, path=path, station=name, gaps=shown, **counts)


def daily(station: Station, table: ParameterSet, least_mm: float) -> Erosivity:
    """Return erosivity by half month from days of at least `least_mm` (Zhang Wenbo et al. 2002)."""
    # Days in their order, so that a sum does not depend on the order of rows.
    days = sorted(station.rain.items())
    halves = factors.half_month_erosivity(days, len(station.years), table, least_mm)
    return Erosivity(station, math.fsum(halves.values()), tuple(halves.values()))


def of_months(station: Station, formula: Callable[[NDArray[np.float64]], float]) -> Erosivity:
    """Return erosivity by a formula of the mean rain of twelve months."""
    return Erosivity(station, formula(monthly_means(station)))


def by_fournier(station: Station) -> Erosivity:
    """Return 0.1833 F^1.9957 where F is the mean over years of sum p^2 / sum p; a dry year counts as 0."""
    index = np.mean([factors.fournier(months) for months in _by_year(station)])
    return Erosivity(station, float(factors.erosivity_of_index(index)))


def monthly_means(station: Station) -> NDArray[np.float64]:
    """Return the mean rain (mm) of each month over the years of a station."""
    return np.mean(_by_year(station), axis=0)


def _by_year(station: Station) -> list[NDArray[np.float64]]:
    rain = station.rain
    return [np.array([rain[date(year, month, 1)] for month in range(1, 13)]) for year in station.years]


def known_share(stations: Iterable[Station]) -> float:
    """Return which share of the days of their years the stations have rows for."""
    stations = list(stations)
    days = sum(366 if isleap(year) else 365 for one in stations for year in one.years)
    return sum(len(one.rain) for one in stations) / days


def table_rows(found: Iterable[Erosivity]) -> list[dict[str, object]]:
    """Return rows of stations: place, years, R, and where known its 24 half-month sums and shares WR."""
    return [
        {
            **{"station": one.station.name, "x": one.station.x, "y": one.station.y},
            **{"years": len(one.station.years), "r": one.total},
            **{f"r_{half:02}": value for half, value in zip(HALVES, one.halves)},
            **{f"wr_{half:02}": value for half, value in zip(HALVES, one.shares)},
        }
        for one in found
    ]


def shares_of_table(path: Path) -> NDArray[np.float64]:
    """Return WR of all stations of a ``stations.csv`` together, by half month; sums to 1.

    Stations count by their R. Raises SwcError ``evaluation.table`` for a table without half months.
    """
    sums = np.zeros(len(HALVES))
    for number, row in enumerate(sheets.read_csv(path), 2):
        try:
            sums += [float(row[f"r_{half:02}"]) for half in HALVES]
        except (KeyError, ValueError) as error:
            raise SwcError("evaluation.table", path=path.name, line=number, reason=str(error)) from error
    if not (np.isfinite(sums).all() and (sums >= 0).all() and sums.sum() > 0):
        raise SwcError("evaluation.table", path=path.name, line=2, reason="r_01 … r_24")
    return sums / sums.sum()
