# SPDX-License-Identifier: GPL-2.0-or-later
"""Rows of the conservation rate: a unit in a year, their sums, what changed, and how a table gives them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from swc_zoning.engine.evaluation import sheets
from swc_zoning.engine.evaluation.grades import INTENSITIES
from swc_zoning.engine.messages import SwcError

#: The unit of the sum of all.
ALL = "*"
#: The five intensities of a published table may miss their sum by the rounding of each, 0.005 km2.
_ROUNDED = 0.035


@dataclass(frozen=True)
class Row:
    """Areas (km2) of a unit in a year: total, eroded, of it by the five intensities (None where a table
    has only their sum), and without data."""

    unit: str
    year: str
    total: float
    eroded: float
    grades: tuple[float, ...] | None
    unknown: float = 0.0

    @property
    def percent(self) -> float:
        """Return the rate in percent."""
        return 100.0 * (self.total - self.eroded) / self.total

    @property
    def lowest_percent(self) -> float:
        """Return the rate in percent if all ground without data were eroded."""
        return 100.0 * (self.total - self.eroded - self.unknown) / self.total

    def allowed(self, target: float) -> float:
        """Return the eroded area (km2) that a target (percent) leaves."""
        return self.total * (100.0 - target) / 100.0


def together(rows: Sequence[Row]) -> Row:
    """Return the sum of the rows of a year."""
    grades = None
    if all(row.grades is not None for row in rows):
        grades = tuple(math.fsum(values) for values in zip(*(row.grades for row in rows)))
    total, eroded, unknown = (
        math.fsum(getattr(row, name) for row in rows) for name in ("total", "eroded", "unknown")
    )
    return Row(ALL, rows[0].year, total, eroded, grades, unknown)


def changes(rows: Sequence[Row], whole: Sequence[Row]) -> dict[tuple[str, str], Row]:
    """Return the row of the year before, by unit and year; of all units only where the units are the same."""
    of_unit: dict[str, list[Row]] = {}
    for row in (*rows, *whole):
        of_unit.setdefault(row.unit, []).append(row)
    units = {row.year: {one.unit for one in rows if one.year == row.year} for row in whole}
    before = {}
    for unit, found in of_unit.items():
        ordered = sorted(found, key=lambda row: _order(row.year))
        for earlier, later in zip(ordered, ordered[1:]):
            if unit != ALL or units[earlier.year] == units[later.year]:
                before[unit, later.year] = earlier
    return before


def _order(year: str) -> tuple[float, str]:
    try:
        return float(year), year
    except ValueError:
        return math.inf, year


# --- from a table ----------------------------------------------------------------------------------


def of_table(path: Path) -> Iterator[Row]:
    """Yield the rows of a table; raises SwcError ``evaluation.table`` for one that cannot be.

    Columns: unit, total_km2, light_km2 .. severe_km2 and/or eroded_km2, year and unknown_km2 if there are.
    Rows of the unit "*" are sums of this engine and are made anew.
    """
    seen: set[tuple[str, str]] = set()
    for number, row in enumerate(sheets.read_csv(path), 2):
        if row.get("unit") == ALL:
            continue
        try:
            made = _row(row)
            if made.unit.casefold() in sheets.words("rate")["sums"] or (made.unit, made.year) in seen:
                raise ValueError(f"unit {made.unit} {made.year}")
        except (KeyError, TypeError, ValueError) as error:
            raise SwcError("evaluation.table", path=path.name, line=number, reason=str(error)) from error
        seen.add((made.unit, made.year))
        yield made


def _row(row: Mapping[str, str]) -> Row:
    total, unknown = float(row["total_km2"]), sheets.number(row, "unknown_km2")
    split = any(row.get(f"{name}_km2") for name in INTENSITIES)
    grades = tuple(sheets.number(row, f"{name}_km2") for name in INTENSITIES)
    known = {"eroded_km2", *(f"{name}_km2" for name in INTENSITIES)} & set(row)
    if not known:
        raise KeyError("eroded_km2")
    if row.get("eroded_km2"):
        eroded = float(row["eroded_km2"])
        if split and abs(eroded - sum(grades)) > _ROUNDED:
            raise ValueError(f"eroded_km2 {eroded:g}, by intensity {sum(grades):g}")
        split_known = grades if split or eroded == 0 else None
    else:
        eroded, split_known = math.fsum(grades), grades
    numbers = [total, eroded, unknown, *grades]
    if not (all(map(math.isfinite, numbers)) and total > 0 and min(numbers) >= 0 and eroded <= total):
        raise ValueError(f"total_km2 {total:g}, eroded {eroded:g}")
    return Row(row["unit"], row.get("year") or "", total, eroded, split_known, unknown)
