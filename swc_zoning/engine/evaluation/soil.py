# SPDX-License-Identifier: GPL-2.0-or-later
"""Algorithms on soil: erodibility, soil loss."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from swc_zoning.engine.evaluation import factors, judging, ranges
from swc_zoning.engine.evaluation.rasters import Extremes, Floats, Output, Stack, View, compute, stacked
from swc_zoning.engine.messages import SwcError

if TYPE_CHECKING:
    from swc_zoning.engine.evaluation.running import Run

#: The three shares of a soil sum to 100 % within this.
_SLACK = 1.0
#: t/hm2 to t/km2.
_PER_KM2 = 100.0


def erodibility(run: Run) -> None:
    """Write K of rasters (or values) of sand, silt, clay and organic carbon in percent."""
    formula = factors.k_guide if run["method"] == "guide" else factors.k_epic
    by = factors.CARBON_OF_MATTER if run["is_matter"] else 1.0
    with stacked(run.given("sand", "silt", "clay", "carbon")) as stack:
        _check_fractions(stack)

        def make(view: View) -> dict[str, Floats]:
            carbon = np.where(view["carbon"] < 0, np.nan, view["carbon"] * by)
            return {"erodibility": formula(view["sand"], view["silt"], view["clay"], carbon)}

        unit = run.unit("erodibility") if run["method"] == "guide" else "US"
        compute(
            stack, {"erodibility": Output(run.path("erodibility"), unit=unit)}, make, run.progress.advance
        )


def _check_fractions(stack: Stack) -> None:
    """Refuse soils whose shares are no shares; raises SwcError ``evaluation.fractions``."""
    wrong = Extremes()
    for block in stack.blocks():
        parts = stack.read(block, ("sand", "silt", "clay"))
        total = parts["sand"] + parts["silt"] + parts["clay"]
        negative = np.minimum(np.minimum(parts["sand"], parts["silt"]), parts["clay"]) < 0
        wrong.add(total[(np.abs(total - 100) > _SLACK) | (negative & ~np.isnan(total))])
    if wrong.count:
        raise SwcError("evaluation.fractions", count=wrong.count, least=wrong.least, most=wrong.most)


def soil_loss(run: Run) -> None:
    """Write soil loss A (t/km2.a) by CSLE and its intensity; water has neither."""
    table = run.set("intensity")
    names = ("erosivity", "erodibility", "ls", "biological", "engineering", "tillage")
    counts = np.zeros(256, np.int64)
    with stacked(run.given(*names, "water")) as stack:
        ranges.require(stack, names)

        def make(view: View) -> dict[str, Any]:
            loss = np.full(view.block.shape, _PER_KM2)
            for name in names:
                loss = loss * view[name]
            if stack.is_raster("water"):
                loss = np.where(np.nan_to_num(view["water"]) != 0, np.nan, loss)
            # Judged as it is written, so that the class agrees with the value in the file.
            loss = loss.astype(np.float32).astype(np.float64)
            found = judging.intensity(loss, run["tolerance"], table)
            counts[:] += np.bincount(found.ravel(), minlength=256)
            return {"loss": loss, "intensity": found}

        outputs = {"loss": Output(run.path("loss"), unit=run.unit("loss"))}
        outputs["intensity"] = Output(run.path("intensity"), "uint8", judging.NO_INTENSITY)
        compute(stack, outputs, make, run.progress.advance)
    run.facts["cells_by_intensity"] = dict(zip(table["codes"], map(int, counts[:6])))
    run.facts["cells_without"] = int(counts[judging.NO_INTENSITY])
