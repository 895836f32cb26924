# SPDX-License-Identifier: GPL-2.0-or-later
"""Algorithms that grade cells: erosion intensity by table, sensitivity."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from swc_zoning.engine.evaluation import judging, units
from swc_zoning.engine.evaluation.rasters import Output, Stack, View, compute, extremes, stacked
from swc_zoning.engine.evaluation.tallies import Tally
from swc_zoning.engine.messages import SwcError

if TYPE_CHECKING:
    from swc_zoning.engine.evaluation.running import Run
    from swc_zoning.engine.evaluation.sets import ParameterSet


def erosion_matrix(run: Run) -> None:
    """Write the intensity of sheet erosion by slope, cover and tillage."""
    table, flatness = run.set("table"), units.Flatness()
    counts = np.zeros(256, np.int64)
    with stacked(run.given("slope", "cover", "cropland")) as stack:
        fraction, degrees = units.cover_conversion(run, stack), units.slope_conversion(run, stack)

        def make(view: View) -> dict[str, Any]:
            slope, tilled = degrees(view["slope"]), False
            if stack.is_raster("cropland"):
                tilled = np.nan_to_num(view["cropland"]) != 0
            flatness.add(slope)
            found = judging.intensity_by_matrix(slope, fraction(view["cover"]), tilled, table)
            counts[:] += np.bincount(found.ravel(), minlength=256)
            return {"intensity": found}

        output = Output(run.path("intensity"), "uint8", judging.NO_INTENSITY)
        compute(stack, {"intensity": output}, make, run.progress.advance)
    run.facts["cells_by_intensity"] = list(map(int, counts[:6]))
    flatness.tell(run)


def sensitivity(run: Run) -> None:
    """Write the index of sensitivity and its classes."""
    table = run.set("table")
    with stacked(run.given("erosivity", "soil", "relief", "cover")) as stack:
        fraction = units.cover_conversion(run, stack)
        _check_grades(stack, table)
        _tell_reachable(run, stack, table)
        tally = Tally(stack.grid)

        def make(view: View) -> dict[str, Any]:
            given = (view["erosivity"], view["soil"], view["relief"], fraction(view["cover"]))
            found = judging.sensitivity(*given, table)
            classes = judging.sensitivity_class(found, table)
            tally.add(view.block, classes)
            return {"sensitivity": found, "class": classes}

        outputs = {
            "sensitivity": Output(run.path("sensitivity")),
            "class": Output(run.path("class"), "uint8", 0),
        }
        compute(stack, outputs, make, run.progress.advance)
    tally.tell(run)


def _check_grades(stack: Stack, table: ParameterSet) -> None:
    wrong = 0
    for block in stack.blocks():
        soil = stack.read(block, ("soil",))["soil"]
        wrong += int((~np.isnan(soil) & ~np.isin(soil, table["grades"])).sum())
    if wrong:
        grades = ", ".join(map(str, table["grades"]))
        raise SwcError("evaluation.soil_grades", grades=grades, count=wrong)


def _tell_reachable(run: Run, stack: Stack, table: ParameterSet) -> None:
    tell_reachable(run, extremes(stack, "relief", run["relief"].name).most, table)


def tell_reachable(run: Run, relief: float, table: ParameterSet) -> None:
    """Say where relief (m) alone keeps every cell below the highest class, whatever the other factors are."""
    worst = float(table["grades"][-1])
    reachable = float((worst**3 * judging.relief_grades(relief, table)) ** 0.25)
    run.facts.update({"greatest_relief_m": relief, "reachable": reachable})
    if reachable <= table["cuts"][1]:
        facts = {"relief": relief, "reachable": reachable, "cut": table["cuts"][1]}
        run.find("evaluation.unreachable", **facts)
