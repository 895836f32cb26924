# SPDX-License-Identifier: GPL-2.0-or-later
"""Algorithms that grade cells: erosion intensity by table, sensitivity."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from swc_zoning.engine.evaluation import judging, units
from swc_zoning.engine.evaluation.judging import Values
from swc_zoning.engine.evaluation.rasters import Extremes, Floats, Output, Stack, View, compute, stacked
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
        tally, reach = Tally(stack.grid), Reach(table)

        def make(view: View) -> dict[str, Any]:
            given = (view["erosivity"], view["soil"], view["relief"], fraction(view["cover"]))
            found = judging.sensitivity(*given, table)
            classes = judging.sensitivity_class(found, table)
            tally.add(view.block, classes)
            reach.add(view["relief"])
            return {"sensitivity": found, "class": classes}

        outputs = {
            "sensitivity": Output(run.path("sensitivity")),
            "class": Output(run.path("class"), "uint8", 0),
        }
        compute(stack, outputs, make, run.progress.advance)
    reach.tell(run)
    tally.tell(run)


def _check_grades(stack: Stack, table: ParameterSet) -> None:
    wrong = 0
    for block in stack.blocks():
        soil = stack.read(block, ("soil",))["soil"]
        wrong += int((~np.isnan(soil) & ~np.isin(soil, table["grades"])).sum())
    if wrong:
        grades = ", ".join(map(str, table["grades"]))
        raise SwcError("evaluation.soil_grades", grades=grades, count=wrong)


class Reach:
    """Counts on how much ground the relief lets the highest class of sensitivity be reached at all."""

    LEAST_SHARE = 0.01

    def __init__(self, table: ParameterSet) -> None:
        self._table = table
        self._relief = Extremes()
        self._reaching = 0

    def add(self, relief: Floats) -> None:
        """Take relief (m)."""
        self._relief.add(relief)
        self._reaching += int((self._highest(relief) > self._table["cuts"][1]).sum())

    def _highest(self, relief: Values) -> Floats:
        """Return the index where every other factor is of the highest grade."""
        worst = float(self._table["grades"][-1])
        return (worst**3 * judging.relief_grades(relief, self._table)) ** 0.25

    def tell(self, run: Run) -> None:
        """Note what can be reached; say so where that is nothing, or on too little ground."""
        found = self._relief
        if not found.count:
            return
        reachable, share = float(self._highest(found.most)), self._reaching / found.count
        run.facts.update({"greatest_relief_m": found.most, "reachable": reachable, "reaching_share": share})
        cut = self._table["cuts"][1]
        if not self._reaching:
            run.find("evaluation.unreachable", relief=found.most, reachable=reachable, cut=cut)
        elif share < self.LEAST_SHARE:
            run.find("evaluation.hardly_reachable", percent=share * 100, cut=cut)
