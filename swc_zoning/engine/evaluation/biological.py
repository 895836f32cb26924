# SPDX-License-Identifier: GPL-2.0-or-later
"""The biological factor B of CSLE: soil loss ratios weighed by the erosivity of half months."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from swc_zoning.engine.evaluation import cover, factors, rain, sets, units
from swc_zoning.engine.evaluation.rasters import Floats, Output, View, compute, stacked
from swc_zoning.engine.evaluation.sets import ParameterSet
from swc_zoning.engine.messages import SwcError

if TYPE_CHECKING:
    from swc_zoning.engine.evaluation.running import Run

#: Kind whose cells have no soil loss at all.
_WATER = "water"


def biological_factor(run: Run) -> None:
    """Write B = sum over half months of SLR WR, or the SLR of one cover; fixed values where land has one.

    Tilled land has B = 1: its measures are in T. Water has none.
    """
    table, kinds = run.set("table"), _kinds(run)
    _check_kinds(kinds, table)
    weights, names = _weights(run), [f"cover {number:02}" for number in range(1, len(run["covers"]) + 1)]
    given = {"ecosystem": run["ecosystem"], **dict(zip(names, run["covers"])), **run.given("canopy")}
    with stacked(given) as stack:
        cover.check_codes(stack, kinds)
        _tell_canopy(run, kinds, table)
        conversions = {
            name: units.conversion(run, stack, name, path.name) for name, path in zip(names, run["covers"])
        }
        canopy = _canopy(run, stack)

        def make(view: View) -> dict[str, Floats]:
            made = np.full(view.block.shape, np.nan)
            covers = [conversions[name](view[name]) for name in names]
            crowns = None if canopy is None else canopy(view["canopy"])
            for kind, inside in cover.by_kind(view["ecosystem"], kinds):
                made[inside] = _of_kind(kind, inside, covers, crowns, weights, table)
            return {"b": made}

        compute(stack, {"b": Output(run.path("b"))}, make, run.progress.advance)


def _kinds(run: Run) -> Mapping[str, str]:
    """Return code -> kind of land, by default the numbers of the set of kinds."""
    if run["kinds"] is not None:
        return run["kinds"]
    return {str(kind["code"]): name for name, kind in sets.default("land_kinds")["kinds"].items()}


def _check_kinds(kinds: Mapping[str, str], table: ParameterSet) -> None:
    lacking = sorted(set(kinds.values()) - {*table["formulas"], *table["fixed"], _WATER})
    if lacking:
        known = ", ".join((*table["formulas"], *table["fixed"]))
        raise SwcError("evaluation.no_biological", kinds=", ".join(lacking), known=known)


def _weights(run: Run) -> NDArray[np.float64]:
    """Return WR of each cover; raises SwcError ``evaluation.covers`` and ``evaluation.needs``."""
    count = len(run["covers"])
    if count == 1:
        run.find("evaluation.one_cover")
        return np.ones(1)
    if count != len(rain.HALVES):
        raise SwcError("evaluation.covers", count=count)
    if run["stations"] is None:
        raise SwcError("evaluation.needs", names="stations")
    weights = rain.shares_of_table(run["stations"])
    run.facts["weights"] = list(map(float, weights))
    return weights


def _tell_canopy(run: Run, kinds: Mapping[str, str], table: ParameterSet) -> None:
    wooded = any(table["formulas"].get(kind) == "forest" for kind in kinds.values())
    if run["canopy"] is None and wooded:
        run.find("evaluation.canopy_assumed")


def _canopy(run: Run, stack: Any) -> units.Conversion | None:
    if run["canopy"] is None:
        return None
    if not stack.is_raster("canopy"):
        return lambda values: values
    return units.conversion(run, stack, "canopy", run["canopy"].name)


def _of_kind(
    kind: str,
    inside: NDArray[np.bool_],
    covers: list[Floats],
    crowns: Floats | None,
    weights: NDArray[np.float64],
    table: ParameterSet,
) -> Floats:
    """Return B of the cells of one kind."""
    if kind == _WATER:
        return np.full(int(inside.sum()), np.nan)
    if kind in table["fixed"]:
        return np.full(int(inside.sum()), float(table["fixed"][kind]))
    total = np.zeros(int(inside.sum()))
    for values, weight in zip(covers, weights):
        here = values[inside]
        # Without canopy of its own a wood is as closed as its cover.
        closed = here if crowns is None else crowns[inside]
        total += weight * factors.soil_loss_ratio(table["formulas"][kind], here, closed, table)
    return np.clip(total, 0.0, 1.0)
