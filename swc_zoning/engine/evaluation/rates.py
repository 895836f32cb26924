# SPDX-License-Identifier: GPL-2.0-or-later
"""The soil and water conservation rate by district, from a table or from a raster of intensity.

Rate = (total - eroded)/total; eroded is light or worse (SL 190-2007). Cells without data count in the total
as not eroded, and are said. Areas in km2.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from swc_zoning.engine.evaluation import vectors
from swc_zoning.engine.evaluation.rasters import Stack, row_areas, stacked
from swc_zoning.engine.messages import SwcError

if TYPE_CHECKING:
    from swc_zoning.engine.evaluation.running import Run

INTENSITIES = ("light", "moderate", "intense", "very_intense", "severe")
#: Districts may overlap by this share of the smaller one: rounding of their borders.
_OVERLAP = 1e-6


@dataclass(frozen=True)
class Row:
    """Areas (km2) of a unit in a year: total, eroded by the five intensities, and without data."""

    unit: str
    year: str
    total: float
    eroded: tuple[float, float, float, float, float]
    unknown: float = 0.0

    @property
    def eroded_km2(self) -> float:
        """Return the area eroded lightly or worse."""
        return sum(self.eroded)

    @property
    def percent(self) -> float:
        """Return the rate in percent."""
        return 100.0 * (self.total - self.eroded_km2) / self.total

    def allowed(self, target: float) -> float:
        """Return the eroded area (km2) that a target (percent) leaves."""
        return self.total * (100.0 - target) / 100.0


def conservation_rate(run: Run) -> None:
    """Write the table of rates; the last rows are those of all units together."""
    if run["table"] is not None:
        rows = list(_of_table(run["table"]))
    elif run["intensity"] is not None and run["units"] is not None:
        rows = _of_raster(run)
    else:
        raise SwcError("evaluation.needs", names="table | intensity, units")
    together = [_together(rows, year) for year in dict.fromkeys(row.year for row in rows)]
    for row in together:
        run.find("evaluation.denominator", name=run["denominator"], km2=row.total)
    for row in rows:
        if row.unknown > 0:
            run.find("evaluation.no_intensity", unit=row.unit, km2=row.unknown)
    shown = [_shown(row, run["targets"], run["denominator"]) for row in (*rows, *together)]
    run.facts["rates"] = shown
    run.path("rate").write_bytes(_csv(shown).encode("utf-8-sig"))


def _together(rows: list[Row], year: str) -> Row:
    of_year = [row for row in rows if row.year == year]
    eroded = tuple(sum(row.eroded[place] for row in of_year) for place in range(len(INTENSITIES)))
    return Row("*", year, sum(row.total for row in of_year), eroded, sum(row.unknown for row in of_year))


def _shown(row: Row, targets: list[float], denominator: str) -> dict[str, Any]:
    made = {"unit": row.unit, "year": row.year, "denominator": denominator, "total_km2": row.total}
    made.update({f"{name}_km2": value for name, value in zip(INTENSITIES, row.eroded)})
    made.update({"eroded_km2": row.eroded_km2, "unknown_km2": row.unknown, "percent": row.percent})
    for target in targets:
        made[f"allowed_{target:g}_km2"] = row.allowed(target)
        # Positive: so much too much is eroded; negative: so much room is left.
        made[f"gap_{target:g}_km2"] = row.eroded_km2 - row.allowed(target)
    return made


def _csv(rows: list[dict[str, Any]]) -> str:
    stream = io.StringIO()
    writer = csv.DictWriter(stream, list(rows[0]), lineterminator="\r\n")
    writer.writeheader()
    writer.writerows({key: _cell(value) for key, value in row.items()} for row in rows)
    return stream.getvalue()


def _cell(value: Any) -> Any:
    """Return a value of the table: numbers to 1e-6; a text that a spreadsheet would compute gets a quote."""
    if isinstance(value, float):
        return f"{value:.6f}".rstrip("0").rstrip(".")
    return f"'{value}" if str(value).startswith(("=", "+", "-", "@")) else value


# --- from a table ------------------------------------------------------------------------------------


def _of_table(path: Path) -> Iterator[Row]:
    """Yield the rows of a table; raises SwcError ``evaluation.table`` for one that cannot be."""
    try:
        rows = list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8-sig"))))
    except UnicodeDecodeError as error:
        raise SwcError("evaluation.table", path=path.name, line=1, reason="UTF-8") from error
    if not rows:
        raise SwcError("evaluation.table", path=path.name, line=1, reason="0")
    for number, row in enumerate(rows, 2):
        try:
            yield _row(row)
        except (KeyError, TypeError, ValueError) as error:
            raise SwcError("evaluation.table", path=path.name, line=number, reason=str(error)) from error


def _row(row: dict[str, str]) -> Row:
    total = float(row["total_km2"])
    eroded = tuple(float(row.get(f"{name}_km2") or 0) for name in INTENSITIES)
    if not (np.isfinite([total, *eroded]).all() and total > 0 and min(eroded) >= 0 and sum(eroded) <= total):
        raise ValueError(f"total_km2 {total:g}, eroded {sum(eroded):g}")
    return Row(row["unit"].strip(), (row.get("year") or "").strip(), total, eroded)


# --- from a raster -----------------------------------------------------------------------------------


def _of_raster(run: Run) -> list[Row]:
    with stacked({"intensity": run["intensity"]}) as stack:
        grid = stack.grid
        units = vectors.read_onto(run["units"], grid.crs)
        names = units.column(run["name_field"])
        _check_apart(units, names)
        land = None
        if run["land"]:
            land = vectors.Burnt(vectors.read_onto(run["land"], grid.crs).geometry, grid)
        sums = _sums(run, stack, vectors.Burnt(units.geometry, grid), len(names), land)
    known = sorted(set(names))
    each = [sums[[place for place, one in enumerate(names) if one == name]].sum(axis=0) for name in known]
    return [_row_of_sums(name, found / 1e6) for name, found in zip(known, each) if found.sum() > 0]


def _row_of_sums(name: str, km2: Any) -> Row:
    """Return a row from areas by intensity 0..5 and, last, without data."""
    return Row(name, "", float(km2.sum()), tuple(map(float, km2[1:6])), float(km2[6]))


def _check_apart(units: vectors.Shapes, names: list[str]) -> None:
    """Refuse districts that overlap: their sum would not be the whole."""
    one, other = shapely.STRtree(units.geometry).query(units.geometry, predicate="intersects")
    for first, second in zip(one[one < other].tolist(), other[one < other].tolist()):
        pair = units.geometry[[first, second]]
        share = float(shapely.area(shapely.intersection(*pair)) / shapely.area(pair).min())
        if share > _OVERLAP:
            facts = {"one": names[first], "other": names[second], "percent": share * 100}
            raise SwcError("evaluation.units_overlap", **facts)


def _sums(run: Run, stack: Stack, burnt: vectors.Burnt, count: int, land: vectors.Burnt | None) -> Any:
    """Return the areas (m2) of each unit by intensity 0..5 and without data, shape (count, 7)."""
    sums, areas = np.zeros((count, 7)), row_areas(stack.grid)
    blocks = stack.blocks()
    for number, block in enumerate(blocks):
        values = stack.read(block)["intensity"]
        wrong = int((~np.isnan(values) & ~np.isin(values, range(6))).sum())
        if wrong:
            raise SwcError("evaluation.intensity_range", path=run["intensity"].name, count=wrong)
        units = burnt.numbers(block)
        if land is not None:
            units = np.where(land.numbers(block) < 0, -1, units)
        inside = units >= 0
        kind = np.where(np.isnan(values), 6, np.nan_to_num(values)).astype(np.int64)
        weights = np.broadcast_to(areas[block.top : block.bottom, None], units.shape)[inside]
        sums += np.bincount(units[inside] * 7 + kind[inside], weights, count * 7).reshape(count, 7)
        run.progress.advance((number + 1) / len(blocks))
    return sums
