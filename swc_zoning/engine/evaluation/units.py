# SPDX-License-Identifier: GPL-2.0-or-later
"""In which unit a raster of cover or of slope is: as its file says, as it was told, or as its values show."""

from __future__ import annotations

from typing import TYPE_CHECKING, Callable

import numpy as np

from swc_zoning.engine.evaluation.rasters import Extremes, Floats, Stack, extremes

if TYPE_CHECKING:
    from swc_zoning.engine.evaluation.running import Run

from swc_zoning.engine.messages import SwcError

Conversion = Callable[[Floats], Floats]

#: Rounding may take a fraction over 1 by this much.
_OVER = 1e-3
_HALF_TURN = np.pi / 2


def cover_conversion(run: Run, stack: Stack, name: str = "cover") -> Conversion:
    """Return what makes fractions of a raster of cover; percent is said, anything else refused."""
    return conversion(run, stack, name, run[name].name)


def conversion(run: Run, stack: Stack, name: str, path: str) -> Conversion:
    """Return what makes fractions of the raster `name` of a stack, whose file is called `path`."""
    found = extremes(stack, name, path)
    if found.least >= 0 and found.most <= 1 + _OVER:
        return lambda values: np.minimum(values, 1.0)
    if found.least >= 0 and 1.5 < found.most <= 100 + _OVER:
        run.find("evaluation.percent", most=found.most)
        return lambda values: np.minimum(values / 100, 1.0)
    raise SwcError("evaluation.cover_range", least=found.least, most=found.most)


def slope_conversion(run: Run, stack: Stack) -> Conversion:
    """Return what makes degrees of a raster of slope; raises SwcError where its unit is not clear."""
    found = extremes(stack, "slope", run["slope"].name)
    unit = _slope_unit(run, stack, found)
    limit = {"degrees": 90.0, "radians": _HALF_TURN, "percent": np.inf}[unit]
    if found.least < 0 or found.most > limit:
        raise SwcError("evaluation.slope_range", least=found.least, most=found.most, unit=unit)
    run.facts["slope_unit"] = unit
    if unit == "percent":
        return lambda values: np.degrees(np.arctan(values / 100))
    return np.degrees if unit == "radians" else lambda values: values


def _slope_unit(run: Run, stack: Stack, found: Extremes) -> str:
    if run["slope_unit"] != "auto":
        return run["slope_unit"]
    if stack.unit("slope") in ("degrees", "percent", "radians"):
        return stack.unit("slope")
    if found.most > 90:
        run.find("evaluation.slope_percent", most=found.most)
        return "percent"
    if found.most <= _HALF_TURN:
        raise SwcError("evaluation.slope_unclear", most=found.most)
    return "degrees"


class Flatness:
    """Counts how much of the ground is steep enough for methods that go by slope."""

    STEEP_DEG, LEAST_SHARE = 15.0, 0.01

    def __init__(self) -> None:
        self.steep = self.known = 0

    def add(self, slope: Floats) -> None:
        """Take slopes in degrees."""
        self.known += int((~np.isnan(slope)).sum())
        self.steep += int((slope >= self.STEEP_DEG).sum())

    @property
    def share(self) -> float:
        """Return which share of the known ground is steep."""
        return self.steep / self.known if self.known else 0.0

    def tell(self, run: Run) -> None:
        """Note the share of steep ground; say so where it is too little."""
        run.facts["steep_share"] = self.share
        if self.known and self.share < self.LEAST_SHARE:
            run.find("evaluation.flat", percent=self.share * 100)
