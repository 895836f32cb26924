# SPDX-License-Identifier: GPL-2.0-or-later
"""The soil and water conservation rate by district and year: from a table, polygons or rasters of erosion.

Rate = (total - eroded)/total; eroded is light or worse (SL 190-2007). The total is the territory with its
waters or the land alone, and is said by name and value. Ground without data counts in the total as not
eroded, and is said. Areas in km2.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import shapely

from swc_zoning.engine import areas
from swc_zoning.engine.evaluation import districts, grades, rate_tables, sheets, vectors
from swc_zoning.engine.evaluation.districts import Units
from swc_zoning.engine.evaluation.rasters import Floats, stacked
from swc_zoning.engine.evaluation.rate_rows import ALL, Row, changes, of_table, together
from swc_zoning.engine.evaluation.unit_statistics import cell_grades, tell_doubled, tell_strangers
from swc_zoning.engine.messages import SwcError, sentence

if TYPE_CHECKING:
    from swc_zoning.engine.evaluation.running import Run

_KM2 = 1e6
#: Totals that differ from their control by less than the second decimal of km2 are the same.
_SAME_KM2 = 0.005
#: A raster may lack this share of a district at its edge.
_SHORT = 0.001


def conservation_rate(run: Run) -> None:
    """Write the table of rates, a workbook and the data of a chart; the last rows are those of all units."""
    rows = _rows(run)
    years = list(dict.fromkeys(row.year for row in rows))
    whole = [together([row for row in rows if row.year == year]) for year in years]
    names = {f"name_{lang}": sentence(f"rates.{run['denominator']}", {}, lang) for lang in ("zh", "en")}
    for row in whole:
        run.find("evaluation.denominator", **names, km2=row.total)
    for row in rows:
        if row.unknown > 0:
            run.find("evaluation.no_intensity", unit=row.unit, km2=row.unknown)
    _tell_controls(run, [*rows, *whole], names)
    _tell_years(run, rows, years)
    shown = rate_tables.shown([*rows, *whole], changes(rows, whole), run["targets"], names["name_zh"])
    run.facts["rates"] = shown
    sheets.write_csv(run.path("rate"), shown)
    chart = rate_tables.chart(shown, run["targets"])
    sheets.write_csv(run.path("chart"), chart)
    sheets.write_xlsx(run.path("workbook"), rate_tables.pages(shown, chart, run["targets"]))


def _rows(run: Run) -> list[Row]:
    given = [name for name in ("table", "erosion", "intensity") if run[name]]
    if len(given) > 1:
        raise SwcError("units.one_of", names=" | ".join(given))
    if not given or (given != ["table"] and run["units"] is None):
        raise SwcError("evaluation.needs", names="table | erosion, units | intensity, units")
    if given == ["table"]:
        return list(of_table(run["table"]))
    return list(_of_layers(run, given[0]))


# --- what is said ----------------------------------------------------------------------------------


def _tell_controls(run: Run, rows: Iterable[Row], names: dict[str, str]) -> None:
    """Say where a total is not the control area of its unit, and by how much that moves the allowance."""
    if run["controls"] is None:
        return
    controls, rows = _controls(run["controls"]), list(rows)
    tell_strangers(run, controls, {ALL, *(row.unit for row in rows)}, run["controls"].name)
    target = min(run["targets"], default=100.0)
    for row in rows:
        control = controls.get(row.unit)
        if control is None or abs(row.total - control) <= _SAME_KM2:
            continue
        facts = {"unit": row.unit, "year": row.year, "km2": row.total, "control": control, "target": target}
        differs = row.total - control
        shift = {"percent": 100 * differs / control, "shift": differs * (100 - target) / 100}
        run.find("rates.control_differs", **names, **facts, differs=differs, **shift)


def _controls(path: Path) -> dict[str, float]:
    """Return the control areas (km2) of a table (group, area_m2); that of all is their sum unless given."""
    found = {}
    for line, row in enumerate(sheets.read_csv(path), 2):
        try:
            found[row["group"]] = float(row["area_m2"]) / _KM2
        except (KeyError, ValueError) as error:
            raise SwcError("evaluation.table", path=path.name, line=line, reason=str(error)) from error
    return {ALL: sum(found.values()), **found}


def _tell_years(run: Run, rows: Sequence[Row], years: Sequence[str]) -> None:
    """Say where a unit has no row in a year: then the sums of years are of different ground."""
    known = {row.unit for row in rows}
    for year in years:
        lacking = sorted(known - {row.unit for row in rows if row.year == year})
        if lacking:
            run.find("rates.year_lacks", year=year, count=len(lacking), units=", ".join(lacking[:12]))


# --- from polygons and rasters ---------------------------------------------------------------------


def _of_layers(run: Run, name: str) -> Iterator[Row]:
    units = districts.read_units(run)
    land = _land(run, units)
    total = land.areas if run["denominator"] == "land" else units.areas
    sources = run[name] if name == "erosion" else [run[name]]
    years = _years(run, len(sources))
    for number, (year, source) in enumerate(zip(years, sources)):

        def advance(done: float, number: int = number) -> None:
            run.progress.advance((number + done) / len(years))

        if name == "erosion":
            sums = _of_polygons(run, land, source, advance)
        else:
            sums, total = _of_cells(run, units, land, source, advance)
        for place in np.flatnonzero(total > 0).tolist():
            grown = tuple(float(one) / _KM2 for one in sums[place, 1:6])
            unknown = float(sums[place, 6]) / _KM2
            yield Row(_called(units, place), year, float(total[place]) / _KM2, sum(grown), grown, unknown)


def _called(units: Units, place: int) -> str:
    return units.names[place] or units.codes[place]


def _years(run: Run, count: int) -> list[str]:
    years = [f"{year:g}" for year in run["years"] or []]
    if not years and count == 1:
        return [""]
    if len(years) != count or len(set(years)) != count:
        raise SwcError("rates.years", layers=count, years=", ".join(years))
    return years


def _land(run: Run, units: Units) -> Units:
    """Return the units without what is not land; as they are where no land was given."""
    if run["land"] is None:
        if run["denominator"] == "land":
            raise SwcError("evaluation.needs", names="land")
        return units
    parts = districts.read_parts(run, run["land"], units.crs).geometry
    tree = shapely.STRtree(parts)
    geometry = np.empty(len(units), object)
    geometry[:] = [
        districts.polygonal(shapely.union_all(districts.cut(unit, tree, parts)[1])) for unit in units.geometry
    ]
    official = areas.round_area(areas.area_model(units.crs).areas(geometry))
    run.facts["land_km2"] = float(official.sum()) / _KM2
    return Units(geometry, units.codes, units.names, official, units.crs, units.columns)


def _of_polygons(run: Run, land: Units, source: str, advance: districts.Advance) -> Floats:
    """Return the areas (m2) on land by intensity and, last, of unknown intensity."""
    parts = districts.read_parts(run, source, land.crs)
    kinds = grades.of(parts, run["intensity_field"], run["intensity_coding"])
    shares = districts.areas_by_grade(land, parts.geometry, kinds, advance)
    tell_doubled(run, shares.doubled_m2, parts.name)
    return shares.sums


def _of_cells(
    run: Run, units: Units, land: Units, source: Path, advance: districts.Advance
) -> tuple[Floats, Floats]:
    """Return the areas (m2) of cells on land by intensity and without data, and the totals."""
    sums, off = np.zeros((len(units), 7)), np.zeros(len(units))
    with stacked({"intensity": source}) as stack:
        dry = vectors.Burnt(land.onto(stack.grid.crs), stack.grid)
        for cells in districts.cells_within(units, stack, "intensity", advance):
            kinds = cell_grades(cells.values, source.name)
            on_land = dry.numbers(cells.block)[cells.inside] >= 0
            here = np.where(on_land, cells.weights, 0)
            sums += np.bincount(cells.units * 7 + kinds, here, sums.size).reshape(sums.shape)
            off += np.bincount(cells.units, cells.weights - here, len(units))
    _tell_short(run, units, sums.sum(axis=1) + off, source.name)
    total = sums.sum(axis=1) + (0 if run["denominator"] == "land" else off)
    return sums, total


def _tell_short(run: Run, units: Units, cells: Floats, path: str) -> None:
    """Say where a raster does not reach over a whole unit."""
    for place in np.flatnonzero(cells < (1 - _SHORT) * units.areas).tolist():
        facts = {"cells": float(cells[place]) / _KM2, "km2": float(units.areas[place]) / _KM2}
        run.find("rates.raster_short", path=path, unit=_called(units, place), **facts)
