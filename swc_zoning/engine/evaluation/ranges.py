# SPDX-License-Identifier: GPL-2.0-or-later
"""Factors that cannot be: values outside of what a factor can have are refused, never computed with."""

from __future__ import annotations

from collections import Counter

import numpy as np

from swc_zoning.engine.evaluation.rasters import Extremes, Stack
from swc_zoning.engine.messages import SwcError

#: Least and greatest value of a factor.
RANGES = {
    **dict.fromkeys(("erosivity", "erodibility", "ls", "npp"), (0.0, np.inf)),
    **dict.fromkeys(("c", "biological", "engineering", "tillage"), (0.0, 1.0)),
}


def require(stack: Stack, names: tuple[str, ...]) -> None:
    """Refuse factors with values that cannot be; raises SwcError ``evaluation.value_range``."""
    found = {name: Extremes() for name in names}
    wrong: Counter[str] = Counter()
    for block in stack.blocks():
        for name, values in stack.read(block, names).items():
            found[name].add(values)
            low, high = RANGES[name]
            wrong[name] += int(((values < low) | (values > high)).sum())
    for name in names:
        if wrong[name]:
            low, high = RANGES[name]
            facts = {"least": found[name].least, "most": found[name].most, "low": low, "high": high}
            raise SwcError("evaluation.value_range", name=name, count=wrong[name], **facts)
