# SPDX-License-Identifier: GPL-2.0-or-later
"""Algorithms of the red-line guide 2017 for the service of soil conservation: retention and index of NPP."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

from swc_zoning.engine.evaluation import cover, factors, ranges, units
from swc_zoning.engine.evaluation.rasters import Extremes, Floats, Output, Stack, View, compute, stacked
from swc_zoning.engine.messages import SwcError

if TYPE_CHECKING:
    from swc_zoning.engine.evaluation.running import Run

_VEGETATION = ("forest", "shrub", "grass")
_INDEXED = ("npp", "erodibility", "slope")


def soil_retention(run: Run) -> None:
    """Write A_p = RKLS and A_c = RKLS(1 - C), both in t/hm2.a."""
    names = ("erosivity", "erodibility", "ls", "c")
    kept = _Kept()
    with stacked(run.given(*names, "ecosystem")) as stack:
        ranges.require(stack, names)
        if stack.is_raster("ecosystem"):
            cover.check_codes(stack, run["kinds"])

        def make(view: View) -> dict[str, Floats]:
            potential, retained = factors.retention(*(view[name] for name in names))
            # What no cover is known for has no potential of its own in the comparison of both.
            potential = np.where(np.isnan(retained), np.nan, potential)
            if stack.is_raster("ecosystem"):
                kept.add(run, view["ecosystem"], potential, retained)
            return {"potential": potential, "retained": retained}

        outputs = {name: Output(run.path(name), unit=run.unit(name)) for name in ("potential", "retained")}
        compute(stack, outputs, make, run.progress.advance)
    if run["ecosystem"] is None:
        run.find("evaluation.not_compared")
    kept.tell(run)


class _Kept:
    """What each kind of ecosystem retains, to tell where built-up land comes out above vegetation."""

    def __init__(self) -> None:
        self._cells: Counter[str] = Counter()
        self._potential: Counter[str] = Counter()
        self._retained: Counter[str] = Counter()

    def add(self, run: Run, codes: Floats, potential: Floats, retained: Floats) -> None:
        known = ~np.isnan(retained)
        for kind, inside in cover.by_kind(codes, run["kinds"]):
            taken = inside & known
            self._cells[kind] += int(taken.sum())
            self._potential[kind] += float(potential[taken].sum())
            self._retained[kind] += float(retained[taken].sum())

    def tell(self, run: Run) -> None:
        means = {kind: self._retained[kind] / count for kind, count in self._cells.items() if count}
        shares = {kind: self._share(kind) for kind in means}
        if means:
            run.facts.update({"mean_retained": means, "retained_share": shares})
        for kind in _VEGETATION:
            if "urban" not in means or kind not in means:
                continue
            # On like ground the share decides; where built-up ground lies steeper, the mean does.
            if means["urban"] > means[kind] or shares["urban"] > shares[kind]:
                named = factors.ecosystems()[kind]
                facts = {"urban": means["urban"], "urban_percent": 100 * shares["urban"]}
                facts |= {"other": means[kind], "other_percent": 100 * shares[kind]}
                facts |= {"kind_zh": named["zh"], "kind_en": named["en"].lower()}
                run.find("evaluation.builtup_retains", **facts)

    def _share(self, kind: str) -> float:
        return self._retained[kind] / self._potential[kind] if self._potential[kind] else 0.0


def npp_index(run: Run) -> None:
    """Write S_pro = N (1 - K)(1 - F), each scaled to 0..1 over the cells that get an index."""
    masked = run["only_natural"]
    if masked and run["ecosystem"] is None:
        raise SwcError("evaluation.needs", names="ecosystem (only_natural)")
    if not masked:
        run.find("evaluation.unmasked")
    flatness = units.Flatness()
    with stacked(run.given(*_INDEXED, *(("ecosystem",) if masked else ()))) as stack:
        ranges.require(stack, ("npp", "erodibility"))
        if masked:
            cover.check_codes(stack, run["kinds"])
        degrees = units.slope_conversion(run, stack)

        def taken(arrays: dict[str, Floats]) -> dict[str, Floats]:
            return _taken(run, arrays, degrees(arrays["slope"]), masked)

        ends = _ends(stack, taken, flatness)
        _tell_ends(run, ends)

        def make(view: View) -> dict[str, Floats]:
            n, k, f = (
                factors.scaled(values, ends[name].least, ends[name].most)
                for name, values in taken(dict(view.arrays)).items()
            )
            return {"index": n * (1 - k) * (1 - f)}

        compute(stack, {"index": Output(run.path("index"))}, make, run.progress.advance)
    flatness.tell(run)
    if flatness.share < flatness.LEAST_SHARE:
        run.find("evaluation.flat_rewarded", percent=100 * flatness.share)


def _taken(run: Run, arrays: dict[str, Floats], slope: Floats, masked: bool) -> dict[str, Floats]:
    """Return NPP, K and slope of the cells that have all three (and are natural), NaN elsewhere."""
    given = {**{name: arrays[name] for name in ("npp", "erodibility")}, "slope": slope}
    inside = np.logical_and.reduce([~np.isnan(one) for one in given.values()])
    if masked:
        inside &= cover.natural(arrays["ecosystem"], run["kinds"])
    return {name: np.where(inside, one, np.nan) for name, one in given.items()}


def _ends(stack: Stack, taken: object, flatness: units.Flatness) -> dict[str, Extremes]:
    """Return the extremes of each factor, from a first reading; raises ``evaluation.no_cells``."""
    ends = {name: Extremes() for name in _INDEXED}
    for block in stack.blocks():
        given = taken(stack.read(block))
        flatness.add(given["slope"])
        for name, values in given.items():
            ends[name].add(values)
    if not ends["npp"].count:
        raise SwcError("evaluation.no_cells", names=", ".join(_INDEXED))
    return ends


def _tell_ends(run: Run, ends: dict[str, Extremes]) -> None:
    run.facts["extremes"] = {name: [found.least, found.most] for name, found in ends.items()}
    run.facts["cells"] = ends["npp"].count
    for name, found in ends.items():
        if found.least == found.most:
            run.find("evaluation.constant_factor", name=name, value=found.least)
