# SPDX-License-Identifier: GPL-2.0-or-later
"""The algorithm of the dual evaluation 2020: importance by slope, cover and ecosystem."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from swc_zoning.engine.evaluation import cover, judging, units
from swc_zoning.engine.evaluation.rasters import Output, View, compute, stacked
from swc_zoning.engine.evaluation.sets import ParameterSet
from swc_zoning.engine.evaluation.tallies import Tally
from swc_zoning.engine.messages import SwcError

if TYPE_CHECKING:
    from swc_zoning.engine.evaluation.running import Run

_KEYS = ("highest", "high")


def importance(run: Run) -> None:
    """Write classes: 3 and 2 by least slope and cover (inclusive) in the ecosystems of the set, else 1."""
    table, kinds = thresholds(run), run["kinds"]
    flatness = units.Flatness()
    codes = [float(code) for code, kind in kinds.items() if kind in table["ecosystems"]]
    with stacked(run.given("slope", "cover", "ecosystem")) as stack:
        cover.check_codes(stack, kinds)
        fraction, degrees = units.cover_conversion(run, stack), units.slope_conversion(run, stack)
        tally = Tally(stack.grid)

        def make(view: View) -> dict[str, Any]:
            ecosystem = view["ecosystem"]
            slope = np.where(np.isnan(ecosystem), np.nan, degrees(view["slope"]))
            flatness.add(slope)
            found = judging.importance(slope, fraction(view["cover"]), np.isin(ecosystem, codes), table)
            tally.add(view.block, found)
            return {"class": found}

        compute(stack, {"class": Output(run.path("class"), "uint8", 0)}, make, run.progress.advance)
    run.facts.update({key: table[key] for key in _KEYS})
    tally.tell(run)
    flatness.tell(run)
    if tally.cells[1:].any() and not tally.cells[2:].any():
        run.find("evaluation.all_general")


def thresholds(run: Run) -> ParameterSet:
    """Return the set with the thresholds that were given instead; each of them is said.

    Raises SwcError ``evaluation.thresholds`` where the lower class would ask for more than the higher one.
    """
    table = run.set("table")
    values = dict(table.values)
    for key in _KEYS:
        given = [run[f"{key}_slope"], run[f"{key}_cover"]]
        for name, value, default in zip(("slope", "cover"), given, table[key]):
            if value is not None:
                run.override(f"{key}_{name}", value, default)
        values[key] = [default if value is None else value for value, default in zip(given, table[key])]
    for name, top, low in zip(("slope", "cover"), values["highest"], values["high"]):
        if low > top:
            raise SwcError("evaluation.thresholds", name=name, highest=top, high=low)
    return replace(table, values=values)
