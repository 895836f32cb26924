# SPDX-License-Identifier: GPL-2.0-or-later
"""Values of stations put onto a grid by inverse distance; how far this misses stations left out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from swc_zoning.engine.evaluation.rasters import Block, Floats, Grid

#: Distances held at once; so many doubles are 32 MB.
_AT_ONCE = 1 << 22


@dataclass(frozen=True)
class Points:
    """Places (n, 2) in metres with values (n); `power` and `neighbours` say how they are weighed."""

    places: NDArray[np.float64]
    values: NDArray[np.float64]
    power: float
    neighbours: int

    def at(self, x: Floats, y: Floats) -> Floats:
        """Return values at places (m): the mean of the nearest stations weighed by distance^-power.

        At a station it is the value of that station. Each place is computed on its own.
        """
        step = max(1, _AT_ONCE // len(self.values))
        flat = x.ravel(), y.ravel()
        parts = [
            self._some(flat[0][at : at + step], flat[1][at : at + step]) for at in range(0, x.size, step)
        ]
        return np.concatenate(parts).reshape(x.shape) if parts else np.empty(x.shape)

    def _some(self, x: Floats, y: Floats) -> Floats:
        squared = (x[:, None] - self.places[:, 0]) ** 2 + (y[:, None] - self.places[:, 1]) ** 2
        values = np.broadcast_to(self.values, squared.shape)
        if self.neighbours < len(self.values):
            near = np.argpartition(squared, self.neighbours - 1, axis=1)[:, : self.neighbours]
            near.sort(axis=1)
            squared, values = np.take_along_axis(squared, near, 1), np.take_along_axis(values, near, 1)
        hit = squared == 0
        weights = np.power(np.where(hit, 1.0, squared), -self.power / 2)
        weights = np.where(hit.any(axis=1, keepdims=True), hit.astype(float), weights)
        return (weights * values).sum(axis=1) / weights.sum(axis=1)

    def left_out(self) -> Floats:
        """Return for each station what the others give at its place."""
        found = np.empty(len(self.values))
        for number, (x, y) in enumerate(self.places):
            others = np.arange(len(self.values)) != number
            rest = Points(self.places[others], self.values[others], self.power, self.neighbours)
            found[number] = rest.at(np.array([x]), np.array([y]))[0]
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
