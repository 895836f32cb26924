# SPDX-License-Identifier: GPL-2.0-or-later
"""Algorithms on vegetation: cover from NDVI, the cover factor."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from swc_zoning.engine.evaluation import factors, units
from swc_zoning.engine.evaluation.rasters import Floats, Output, Stack, View, compute, extremes, stacked
from swc_zoning.engine.messages import SwcError

if TYPE_CHECKING:
    from swc_zoning.engine.evaluation.running import Run
    from swc_zoning.engine.evaluation.sets import ParameterSet

#: Bins of NDVI from -1 to 1 that percentiles are found in; so fine that half of one does not matter.
_BINS = 200_000
_CODES_SHOWN = 20


def vegetation_cover(run: Run) -> None:
    """Write the cover (0-1) of a raster of NDVI by the dimidiate pixel model."""
    with stacked({"ndvi": run["ndvi"]}) as stack:
        found = extremes(stack, "ndvi", run["ndvi"].name)
        if found.least < -1 or found.most > 1:
            raise SwcError("evaluation.ndvi_range", least=found.least, most=found.most)
        soil, plants = _ends(run, stack)
        if plants <= soil:
            raise SwcError("evaluation.ndvi_flat", value=soil)
        run.facts.update({"ndvi_soil": soil, "ndvi_plants": plants})

        def make(view: View) -> dict[str, Floats]:
            return {"cover": factors.vegetation_cover(view["ndvi"], soil, plants)}

        compute(stack, {"cover": Output(run.path("cover"))}, make, run.progress.advance)


def _ends(run: Run, stack: Stack) -> tuple[float, float]:
    """Return NDVI of bare soil and of full vegetation: as given, else the percentiles of all cells."""
    if run["soil"] is not None and run["plants"] is not None:
        return run["soil"], run["plants"]
    counts = np.zeros(_BINS + 1, np.int64)
    for block in stack.blocks():
        values = stack.read(block)["ndvi"]
        bins = np.rint((values[~np.isnan(values)] + 1) / 2 * _BINS).astype(np.int64)
        counts += np.bincount(bins, minlength=_BINS + 1)
    reached = np.cumsum(counts) / counts.sum()
    low, high = (
        float(np.argmax(reached >= run[f"{end}_percent"] / 100)) / _BINS * 2 - 1 for end in ("low", "high")
    )
    return (low if run["soil"] is None else run["soil"]), (high if run["plants"] is None else run["plants"])


def cover_factor(run: Run) -> None:
    """Write C of a raster of ecosystem codes and one of cover."""
    table, kinds = run.set("table"), run["kinds"]
    _check_kinds(kinds, table)
    means = _Means()
    with stacked(run.given("ecosystem", "cover")) as stack:
        check_codes(stack, kinds)
        fraction = units.cover_conversion(run, stack)

        def make(view: View) -> dict[str, Floats]:
            made = np.full(view.block.shape, np.nan)
            covers = fraction(view["cover"])
            for kind, inside in by_kind(view["ecosystem"], kinds):
                if kind != "water":
                    made[inside] = factors.cover_factor(kind, covers[inside], table)
                    means.add(kind, made[inside])
            return {"c": made}

        compute(stack, {"c": Output(run.path("c"))}, make, run.progress.advance)
    means.tell(run)


def _check_kinds(kinds: Mapping[str, str], table: ParameterSet) -> None:
    known = factors.cover_kinds(table)
    lacking = sorted(set(kinds.values()) - {*known, "water"})
    if lacking:
        raise SwcError("evaluation.no_factor", kinds=", ".join(lacking), known=", ".join(known))


def check_codes(stack: Stack, kinds: Mapping[str, str]) -> None:
    """Refuse a raster with codes that `kinds` does not know; raises SwcError ``evaluation.unmapped``."""
    unknown: Counter[float] = Counter()
    known = np.array([float(code) for code in kinds])
    for block in stack.blocks():
        codes, counts = np.unique(stack.read(block, ("ecosystem",))["ecosystem"], return_counts=True)
        lacking = ~np.isnan(codes) & ~np.isin(codes, known)
        unknown.update(dict(zip(codes[lacking].tolist(), counts[lacking].tolist())))
    if unknown:
        shown = ", ".join(f"{code:g} ({count})" for code, count in unknown.most_common(_CODES_SHOWN))
        raise SwcError("evaluation.unmapped", count=sum(unknown.values()), codes=shown)


def by_kind(codes: Floats, kinds: Mapping[str, str]) -> Iterable[tuple[str, NDArray[np.bool_]]]:
    """Yield each kind with the cells it is at."""
    for kind in sorted(set(kinds.values())):
        yield kind, np.isin(codes, [float(code) for code, one in kinds.items() if one == kind])


def natural(codes: Floats, kinds: Mapping[str, str]) -> NDArray[np.bool_]:
    """Return which cells are natural ecosystems."""
    known = factors.ecosystems()
    return np.isin(codes, [float(code) for code, kind in kinds.items() if known[kind]["natural"]])


class _Means:
    """Mean C of each kind, to tell where built-up land would come out above vegetation."""

    def __init__(self) -> None:
        self._sums: Counter[str] = Counter()
        self._counts: Counter[str] = Counter()

    def add(self, kind: str, values: Floats) -> None:
        known = values[~np.isnan(values)]
        self._counts[kind] += known.size
        self._sums[kind] += float(known.sum())

    def tell(self, run: Run) -> None:
        means = {kind: self._sums[kind] / count for kind, count in self._counts.items() if count}
        run.facts["mean_c"] = means
        for kind in ("forest", "shrub", "grass"):
            if "urban" in means and means.get(kind, 0.0) > means["urban"]:
                named = factors.ecosystems()[kind]
                facts = {"urban": means["urban"], "other": means[kind]}
                facts |= {"kind_zh": named["zh"], "kind_en": named["en"].lower()}
                run.find("evaluation.builtup_above", **facts)
