# SPDX-License-Identifier: GPL-2.0-or-later
"""The algorithm of rainfall erosivity: R by station onto a grid, or from rasters of monthly rain."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Callable

import numpy as np
from pyproj import CRS, Transformer
from pyproj.exceptions import CRSError

from swc_zoning.engine.evaluation import factors, rain, sheets, stations
from swc_zoning.engine.evaluation.rasters import Floats, Output, View, compute, require_metres, stacked
from swc_zoning.engine.evaluation.sets import ParameterSet
from swc_zoning.engine.messages import SwcError

if TYPE_CHECKING:
    from swc_zoning.engine.evaluation.running import Run

_MONTHS = 12
#: With fewer stations an error of those left out says nothing.
_LEAST_CHECKED = 4


def rainfall_erosivity(run: Run) -> None:
    """Write R, MJ.mm/(hm2.h.a), of a table of rain or of twelve rasters of monthly rain (mm)."""
    _check(run)
    if run["monthly"]:
        _of_rasters(run)
        return
    found = _by_station(run)
    sheets.write_csv(run.path("stations"), rain.table_rows(found))
    run.facts["stations"] = {one.station.name: one.total for one in found}
    _onto_grid(run, found)


def _check(run: Run) -> None:
    """Refuse what does not go together; raises SwcError ``evaluation.needs``, ``evaluation.twelve``."""
    if run["monthly"]:
        if len(run["monthly"]) != _MONTHS:
            raise SwcError("evaluation.twelve", count=len(run["monthly"]))
        if run["method"] == "half_month":
            raise SwcError("evaluation.needs", names="rain (half_month)")
    elif any(run[name] is None for name in ("rain", "crs", "template")):
        raise SwcError("evaluation.needs", names="rain, crs, template | monthly")
    if run["method"] == "wischmeier" and run["wischmeier_unit"] is None:
        raise SwcError("evaluation.needs", names="wischmeier_unit")


def _formula(run: Run) -> Callable[[Floats], Floats]:
    """Return R as a function of monthly rain, shape (12, ...)."""
    if run["method"] == "monthly_mfi":
        return factors.monthly_erosivity
    by = factors.US_EROSIVITY_TO_SI if run["wischmeier_unit"] == "us" else 1.0
    return lambda months: by * factors.wischmeier_erosivity(months)


# --- stations ----------------------------------------------------------------------------------------


def _by_station(run: Run) -> list[rain.Erosivity]:
    name = run["rain"].name
    if run["method"] == "half_month":
        return _half_months(run, name)
    found = rain.read_months(run["rain"])
    rain.require_months(found, name)
    if run["method"] == "monthly_mfi":
        return [rain.by_fournier(one) for one in found]
    formula = _formula(run)
    return [rain.of_months(one, lambda months: float(formula(months))) for one in found]


def _half_months(run: Run, name: str) -> list[rain.Erosivity]:
    table = _overridden(run, run.set("table"))
    found = rain.read_days(run["rain"])
    if not run["absent_is_dry"]:
        rain.require_halves(found, name)
    share = rain.known_share(found)
    run.facts["days_with_rows"] = share
    if share < 1:
        run.find("evaluation.rain_days", percent=100 * share)
    return [rain.daily(one, table, table["least_mm"]) for one in found]


def _overridden(run: Run, table: ParameterSet) -> ParameterSet:
    """Return the set with what was given instead of its values; raises ``evaluation.value_range``."""
    given = run.given("least_mm", "warm_months")
    wrong = [month for month in given.get("warm_months", ()) if month not in range(1, _MONTHS + 1)]
    if wrong:
        facts = {"least": min(wrong), "most": max(wrong), "low": 1, "high": _MONTHS, "count": len(wrong)}
        raise SwcError("evaluation.value_range", name="warm_months", **facts)
    for key, value in given.items():
        run.override(key, value, table[key])
    return replace(table, values={**table.values, **given})


def _onto_grid(run: Run, found: list[rain.Erosivity]) -> None:
    with stacked({"template": run["template"]}) as stack:
        require_metres(stack.grid, run["template"].name)
        points = _points(run, found, stack.grid.crs)

        def make(view: View) -> dict[str, Floats]:
            made = points.at(*stations.centres(view.block, view.grid))
            return {"erosivity": np.where(np.isnan(view["template"]), np.nan, made)}

        output = Output(run.path("erosivity"), unit=run.unit("erosivity"))
        compute(stack, {"erosivity": output}, make, run.progress.advance)
    _tell(run, points)


def _points(run: Run, found: list[rain.Erosivity], crs: str) -> stations.Points:
    """Return the stations in the CRS of the grid; raises SwcError ``evaluation.station_place``."""
    try:
        step = Transformer.from_crs(CRS.from_user_input(run["crs"]), CRS.from_wkt(crs), always_xy=True)
    except CRSError as error:
        raise SwcError("evaluation.station_crs", crs=run["crs"], reason=str(error)) from error
    places = np.column_stack(step.transform(*np.array([(one.station.x, one.station.y) for one in found]).T))
    for one, place in zip(found, places):
        if not np.isfinite(place).all():
            facts = {"station": one.station.name, "x": one.station.x, "y": one.station.y, "crs": run["crs"]}
            raise SwcError("evaluation.station_place", **facts)
    values = np.array([one.total for one in found])
    return stations.Points(places, values, run["power"], run["neighbours"])


def _tell(run: Run, points: stations.Points) -> None:
    """Say how far stations bear: one alone makes a constant, others are left out in turn."""
    if len(points.values) == 1:
        run.find("evaluation.one_station", value=float(points.values[0]))
    if len(points.values) >= _LEAST_CHECKED:
        missed = stations.errors(points.values, points.left_out())
        run.facts["cross_validation"] = missed
        run.find("evaluation.cross_validation", count=len(points.values), **missed)


# --- rasters of months -------------------------------------------------------------------------------


def _of_rasters(run: Run) -> None:
    names = [f"month {number:02}" for number in range(1, _MONTHS + 1)]
    formula = _formula(run)
    with stacked(dict(zip(names, run["monthly"]))) as stack:

        def make(view: View) -> dict[str, Floats]:
            months = np.stack([view[name] for name in names])
            _check_rain(months)
            return {"erosivity": formula(months)}

        output = Output(run.path("erosivity"), unit=run.unit("erosivity"))
        compute(stack, {"erosivity": output}, make, run.progress.advance)


def _check_rain(months: Floats) -> None:
    """Refuse rain below 0 or beyond what a month can have; raises ``evaluation.value_range``."""
    wrong = (months < 0) | (months > rain.MOST_MONTH_MM)
    if wrong.any():
        least, most = float(np.nanmin(months)), float(np.nanmax(months))
        facts = {"low": 0.0, "high": rain.MOST_MONTH_MM, "count": int(wrong.sum())}
        raise SwcError("evaluation.value_range", name="monthly", least=least, most=most, **facts)
