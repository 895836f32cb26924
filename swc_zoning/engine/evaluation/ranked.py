# SPDX-License-Identifier: GPL-2.0-or-later
"""Algorithms that make classes of importance: by cumulated value, the highest of several."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from swc_zoning.engine.evaluation import cover, judging, ranking, sheets
from swc_zoning.engine.evaluation.agreeing import Agreement
from swc_zoning.engine.evaluation.judging import Thresholds
from swc_zoning.engine.evaluation.rasters import (
    Block,
    Floats,
    Grid,
    Output,
    Stack,
    View,
    compute,
    extremes,
    require_metres,
    stacked,
)
from swc_zoning.engine.evaluation.tallies import Tally
from swc_zoning.engine.messages import SwcError

if TYPE_CHECKING:
    from swc_zoning.engine.evaluation.running import Run

#: Actual shares further than this from those asked for are said.
_FAR = 0.1


def classify_cumulative(run: Run) -> None:
    """Write classes of a raster of values by their cumulated value, in natural ecosystems only."""
    shares = run.set("shares")
    masked = run["only_natural"]
    if masked and run["ecosystem"] is None:
        raise SwcError("evaluation.needs", names="ecosystem (only_natural)")
    if not masked:
        run.find("evaluation.unmasked")
    with stacked(run.given("value", *(("ecosystem",) if masked else ()))) as stack:
        require_metres(stack.grid, run["value"].name)
        found = extremes(stack, "value", run["value"].name)
        if masked:
            cover.check_codes(stack, run["kinds"])

        def parts() -> Iterator[Floats]:
            for block in stack.blocks():
                yield _values(run, stack.read(block), masked)

        limits = ranking.thresholds(parts, shares)
        counted = _Counted(stack.grid)

        def make(view: View) -> dict[str, Any]:
            values = _values(run, view.arrays, masked)
            classes = judging.by_thresholds(values, limits)
            counted.add(view.block, values, classes)
            return {"class": classes}

        compute(stack, {"class": Output(run.path("class"), "uint8", 0)}, make, run.progress.advance)
    if found.least == found.most:
        run.find("evaluation.constant", value=found.least)
    counted.tell(run, limits, shares["shares"])


def _values(run: Run, arrays: Any, masked: bool) -> Floats:
    """Return values in single precision, as they are ranked; none outside natural ecosystems."""
    values = arrays["value"].astype(np.float32).astype(np.float64)
    return np.where(cover.natural(arrays["ecosystem"], run["kinds"]), values, np.nan) if masked else values


class _Counted:
    """What the classes have of the value and of the cells."""

    def __init__(self, grid: Grid) -> None:
        self.sums, self.tally = np.zeros(4), Tally(grid)

    def add(self, block: Block, values: Floats, classes: Any) -> None:
        self.tally.add(block, classes)
        worth = np.where(values > 0, values, 0.0)
        self.sums += np.bincount(classes.ravel(), weights=worth.ravel(), minlength=4)

    def tell(self, run: Run, limits: Thresholds, wanted: list[float]) -> None:
        total = float(self.sums.sum())
        self.tally.tell(run)
        if not total:
            run.find("evaluation.nothing_counts")
            return
        actual = self.sums[3] / total, (self.sums[3] + self.sums[2]) / total
        run.facts.update({"limits": [limits.highest, limits.high], "shares": list(actual)})
        facts = {"highest": actual[0] * 100, "high": actual[1] * 100}
        run.find("evaluation.shares", **facts, t50=limits.highest, t80=limits.high)
        if any(abs(one - share) > _FAR for one, share in zip(actual, wanted)):
            run.find("evaluation.ties", **facts, shares=" / ".join(f"{share:.0%}" for share in wanted))


def integrate(run: Run) -> None:
    """Write the highest class of several rasters, which of them decided, and how far they agree."""
    names = [f"layer {number}" for number in range(len(run["classes"]))]
    files = [path.name for path in run["classes"]]
    with stacked(dict(zip(names, run["classes"]))) as stack:
        for name, file in zip(names, files):
            check_classes(stack, name, file)
        tally, agreement = Tally(stack.grid), Agreement(_told_apart(run["classes"]), stack.grid)

        def make(view: View) -> dict[str, Any]:
            layers = [np.nan_to_num(view[name]).astype(np.uint8) for name in names]
            highest, bits = judging.integrate(layers)
            tally.add(view.block, highest)
            agreement.add(view.block, layers)
            return {"class": highest, "deciding": bits}

        outputs = {"class": Output(run.path("class"), "uint8", 0)}
        outputs["deciding"] = Output(run.path("deciding"), "uint16", 0)
        compute(stack, outputs, make, run.progress.advance)
    run.facts["layers"] = files
    tally.tell(run)
    _tell_agreement(run, agreement)


def _told_apart(paths: Sequence[Path]) -> list[str]:
    """Return names of rasters; those of one file name have that of their folder before it."""
    names = [path.name for path in paths]
    return [
        name if names.count(name) == 1 else f"{path.parent.name}/{name}" for path, name in zip(paths, names)
    ]


def _tell_agreement(run: Run, agreement: Agreement) -> None:
    rows = list(agreement.rows())
    if rows:
        sheets.write_csv(run.path("agreement"), rows)
    run.facts["agreement"] = list(agreement.summary())
    for pair in agreement.summary():
        run.find("evaluation.agreement", **pair)


def check_classes(stack: Stack, name: str, file: str) -> None:
    """Refuse a raster that has other values than the classes 0-3; ``evaluation.class_range``."""
    wrong = sum(_other_than_classes(stack, name, block) for block in stack.blocks())
    if wrong:
        raise SwcError("evaluation.class_range", path=file, count=wrong)


def _other_than_classes(stack: Stack, name: str, block: Block) -> int:
    values = stack.read(block, (name,))[name]
    return int((~np.isnan(values) & ~np.isin(values, (0, 1, 2, 3))).sum())
