# SPDX-License-Identifier: GPL-2.0-or-later
"""Values of stations put onto a grid by inverse distance; how far this misses stations left out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from swc_zoning.engine.evaluation.rasters import Block, Floats, Grid

#: Cells of a side of the squares that the stations near enough are chosen for.
_SIDE = 128
_SLACK = 1e-9


@dataclass(frozen=True)
class Points:
    """Places (n, 2) in metres with values (n); `power` and `neighbours` say how they are weighed."""

    places: NDArray[np.float64]
    values: NDArray[np.float64]
    power: float
    neighbours: int

    def at(self, x: Floats, y: Floats) -> Floats:
        """Return values at places (m), arrays of two dimensions: nearest stations weighed by distance^-power.

        Stations as far as the last of them count too, so that no order decides. At a station it is the
        value of that station. Each place is computed on its own, whatever is computed beside it.
        """
        made = np.empty(x.shape)
        for top in range(0, x.shape[0], _SIDE):
            for left in range(0, x.shape[1], _SIDE):
                part = slice(top, top + _SIDE), slice(left, left + _SIDE)
                made[part] = self._some(x[part], y[part])
        return made

    def _some(self, x: Floats, y: Floats) -> Floats:
        near = self._near(x, y)
        places, values = self.places[near], self.values[near]
        squared = (x - places[:, 0, None, None]) ** 2 + (y - places[:, 1, None, None]) ** 2
        hit = squared == 0
        weights = np.where(hit, 1.0, squared) ** (-self.power / 2)
        if self.neighbours < len(near):
            last = np.partition(squared, self.neighbours - 1, axis=0)[self.neighbours - 1]
            weights[squared > last] = 0.0
        # One station after the other: those that weigh nothing change no sum, whichever are at hand.
        above, below = np.zeros(x.shape), np.zeros(x.shape)
        for weight, value in zip(weights, values):
            above += weight * value
            below += weight
        made = above / below
        if hit.any():
            there = np.maximum(hit.sum(axis=0), 1)
            made = np.where(hit.any(axis=0), (hit * values[:, None, None]).sum(axis=0) / there, made)
        return made

    def _near(self, x: Floats, y: Floats) -> NDArray[np.intp]:
        """Return the stations that may be among the nearest of any of these places."""
        if self.neighbours >= len(self.values):
            return np.arange(len(self.values))
        low, high = np.array([x.min(), y.min()]), np.array([x.max(), y.max()])
        outside = np.maximum(np.maximum(low - self.places, self.places - high), 0)
        across = np.maximum(np.abs(self.places - low), np.abs(self.places - high))
        nearest, furthest = np.hypot(*outside.T), np.hypot(*across.T)
        bound = np.partition(furthest, self.neighbours - 1)[self.neighbours - 1]
        return np.flatnonzero(nearest <= bound * (1 + _SLACK))

    def left_out(self) -> Floats:
        """Return for each station what the others give at its place."""
        found = np.empty(len(self.values))
        for number, (x, y) in enumerate(self.places):
            others = np.arange(len(self.values)) != number
            rest = Points(self.places[others], self.values[others], self.power, self.neighbours)
            found[number] = rest.at(np.array([[x]]), np.array([[y]])).item()
        return found


def centres(block: Block, grid: Grid) -> tuple[Floats, Floats]:
    """Return x and y of the centres of the cells of a block, each of its shape."""
    a, _, c, _, e, f = grid.transform
    x = c + a * (np.arange(block.left, block.right) + 0.5)
    y = f + e * (np.arange(block.top, block.bottom) + 0.5)
    return tuple(np.meshgrid(x, y))


def errors(values: Sequence[float], predicted: Sequence[float]) -> dict[str, float]:
    """Return bias, mean absolute error, root mean square error, and that in percent of the mean value."""
    values, missed = np.asarray(values, float), np.asarray(predicted, float) - np.asarray(values, float)
    rmse, mean = float(np.sqrt(np.mean(missed**2))), float(values.mean())
    found = {"bias": float(missed.mean()), "mae": float(np.abs(missed).mean()), "rmse": rmse}
    return {**found, "percent": 100 * rmse / mean if mean else 0.0}
