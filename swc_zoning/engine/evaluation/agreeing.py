# SPDX-License-Identifier: GPL-2.0-or-later
"""How far rasters of classes agree: for every pair the cross table of their cells and areas."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from swc_zoning.engine.evaluation.rasters import Block, Grid, row_areas

#: Classes 0 (no data) to 3.
_CLASSES = 4
Codes = NDArray[np.uint8]


class Agreement:
    """Counts cells of every pair of layers by the classes of both, block after block."""

    def __init__(self, names: Sequence[str], grid: Grid) -> None:
        self.names = names
        self.cells = {pair: np.zeros((_CLASSES, _CLASSES), np.int64) for pair in _pairs(names)}
        self._m2 = {pair: np.zeros((_CLASSES, _CLASSES)) for pair in self.cells}
        self._areas = row_areas(grid)
        # Cells of one size need no weights, and their areas are exact.
        self._alike = bool((self._areas == self._areas[0]).all())

    def add(self, block: Block, layers: Sequence[Codes]) -> None:
        """Take the classes of a block."""
        for one, other in self.cells:
            both = (layers[one] * np.uint8(_CLASSES) + layers[other]).astype(np.intp)
            self.cells[one, other] += _counted(both)
            if not self._alike:
                areas = np.broadcast_to(self._areas[block.top : block.bottom, None], both.shape)
                self._m2[one, other] += _counted(both, areas)

    def rows(self) -> Iterator[dict[str, Any]]:
        """Yield a row for each pair of layers and of classes that occurs."""
        for (one, other), counts in self.cells.items():
            m2 = counts * self._areas[0] if self._alike else self._m2[one, other]
            for first, second in zip(*np.nonzero(counts)):
                made = {"layer_1": self.names[one], "layer_2": self.names[other]}
                made |= {"class_1": int(first), "class_2": int(second)}
                yield {**made, "cells": int(counts[first, second]), "km2": float(m2[first, second]) / 1e6}

    def summary(self) -> Iterator[dict[str, Any]]:
        """Yield for each pair what share of the cells both have a class for has the same one, and kappa."""
        for (one, other), counts in self.cells.items():
            known = counts[1:, 1:]
            facts = {"one": self.names[one], "other": self.names[other], "cells": int(known.sum())}
            yield {**facts, "percent": 100 * _same(known), "kappa": kappa(known)}


def _pairs(names: Sequence[str]) -> Iterator[tuple[int, int]]:
    return combinations(range(len(names)), 2)


def _counted(codes: NDArray[np.intp], weights: Any = None) -> NDArray[Any]:
    flat = None if weights is None else weights.ravel()
    return np.bincount(codes.ravel(), flat, _CLASSES * _CLASSES).reshape(_CLASSES, _CLASSES)


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
