# SPDX-License-Identifier: GPL-2.0-or-later
"""Daily rain of the stations of the demo city: plum rain in June and July, typhoons until September."""

from __future__ import annotations

import csv
import datetime
from pathlib import Path

import numpy as np

from swc_zoning.test_data.ground import Ground

Array = np.ndarray
YEARS = (2023, 2024, 2025)
#: Share of days with rain, and mean rain of such a day (mm), by month.
WET = (0.30, 0.33, 0.38, 0.36, 0.34, 0.44, 0.36, 0.36, 0.30, 0.22, 0.25, 0.24)
AMOUNT = (6.0, 7.0, 8.0, 8.0, 8.5, 14.0, 13.0, 13.0, 11.0, 7.5, 7.0, 5.5)
#: Rain of a year (mm): the least and the greatest of a station.
YEAR = (1120.0, 1270.0)


def write(ground: Ground, path: Path) -> None:
    """Write ``rain.csv``: station, x, y (m, working CRS), date, mm; every day of three years."""
    stations = ground.config["evaluation"]["stations"]
    days, rain = _rain(ground, len(stations))
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["station", "x", "y", "date", "mm"])
        for number, (name, place) in enumerate(stations.items()):
            east, north = (f"{value:.0f}" for value in ground.metres(place))
            rows = zip(days, rain[number])
            writer.writerows([name, east, north, day.isoformat(), f"{mm:.1f}"] for day, mm in rows)


def _rain(ground: Ground, stations: int) -> tuple[list[datetime.date], Array]:
    """Return the days and the rain of each station on each day (mm)."""
    rng = ground.rng("rain")
    first, last = datetime.date(YEARS[0], 1, 1), datetime.date(YEARS[-1], 12, 31)
    days = [first + datetime.timedelta(number) for number in range((last - first).days + 1)]
    month = np.array([day.month - 1 for day in days])
    wet = rng.uniform(size=len(days)) < np.array(WET)[month]
    shared = rng.gamma(0.8, np.array(AMOUNT)[month] / 0.8) * wet
    shared = np.maximum(shared, _typhoons(days, rng))
    rain = shared * rng.gamma(6.0, 1 / 6.0, (stations, len(days)))
    year = np.array([day.year for day in days])
    for one in YEARS:
        wanted = rng.uniform(*YEAR) + rng.normal(0.0, 25.0, stations)
        total = rain[:, year == one].sum(axis=1)
        rain[:, year == one] *= (np.clip(wanted, *YEAR) / total)[:, None]
    return days, np.round(rain, 1)


def _typhoons(days: list[datetime.date], rng: np.random.Generator) -> Array:
    """Return the rain of typhoons (mm): one or two a year, two days each."""
    rain = np.zeros(len(days))
    for year in YEARS:
        for _ in range(int(rng.integers(1, 3))):
            day = datetime.date(year, 7, 20) + datetime.timedelta(int(rng.integers(0, 65)))
            start = days.index(day)
            rain[start : start + 2] = rng.uniform(55.0, 110.0) * np.array([1.0, 0.4])
    return rain
