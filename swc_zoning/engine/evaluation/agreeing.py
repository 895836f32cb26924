# SPDX-License-Identifier: GPL-2.0-or-later
"""How far rasters of classes agree: for every pair the cross table of their cells and areas."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from swc_zoning.engine.evaluation.rasters import Block, Grid
from swc_zoning.engine.evaluation.tallies import CLASSES, Tally

Codes = NDArray[np.uint8]


class Agreement:
    """Counts cells of every pair of layers by the classes of both, block after block."""

    def __init__(self, names: Sequence[str], grid: Grid) -> None:
        self.names = names
        pairs = combinations(range(len(names)), 2)
        self._tallies = {pair: Tally(grid, CLASSES * CLASSES) for pair in pairs}

    def add(self, block: Block, layers: Sequence[Codes]) -> None:
        """Take the classes of a block."""
        for (one, other), tally in self._tallies.items():
            tally.add(block, layers[one] * np.uint8(CLASSES) + layers[other])

    def rows(self) -> Iterator[dict[str, Any]]:
        """Yield a row for each pair of layers and of classes that occurs."""
        for (one, other), tally in self._tallies.items():
            for both in np.flatnonzero(tally.cells).tolist():
                made = {"layer_1": self.names[one], "layer_2": self.names[other]}
                made |= {"class_1": both // CLASSES, "class_2": both % CLASSES}
                yield {**made, "cells": int(tally.cells[both]), "km2": float(tally.km2[both])}

    def summary(self) -> Iterator[dict[str, Any]]:
        """Yield for each pair what share of the cells both have a class for has the same one, and kappa."""
        for (one, other), tally in self._tallies.items():
            known = tally.cells.reshape(CLASSES, CLASSES)[1:, 1:]
            facts = {"one": self.names[one], "other": self.names[other], "cells": int(known.sum())}
            yield {**facts, "percent": 100 * _same(known), "kappa": kappa(known)}


def _same(known: NDArray[np.int64]) -> float:
    total = int(known.sum())
    return float(np.trace(known)) / total if total else 0.0


def kappa(known: NDArray[np.int64]) -> float:
    """Return Cohen's kappa of a cross table: agreement beyond chance; 0 where chance explains all."""
    total = float(known.sum())
    if not total:
        return 0.0
    chance = float((known.sum(axis=0) / total) @ (known.sum(axis=1) / total))
    return (_same(known) - chance) / (1 - chance) if chance < 1 else 0.0
