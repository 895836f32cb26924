# SPDX-License-Identifier: GPL-2.0-or-later
"""Borders between faces: the arcs of the whole city, what lies on their sides and who carries them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from swc_zoning.engine.grid import Floats, Ints, ragged, to_metres

Hashes = NDArray[np.uint64]


@dataclass(frozen=True)
class Borders:
    """Columns of equal length k, one row an arc.

    left, right: the face on each side, -1 outside; x, y: where it begins (units); length_m: plane.
    Arc a is carried by ``feature[offsets[a]:offsets[a + 1]]``, which lie on its left (`side` 1) or
    right (-1); a feature that lies on both sides carries nothing.
    """

    left: Ints
    right: Ints
    x: Ints
    y: Ints
    length_m: Floats
    offsets: Ints
    feature: Ints
    side: NDArray[np.int8]

    def __len__(self) -> int:
        return len(self.left)

    def carriers(self, arcs: Ints) -> tuple[Ints, Ints, Ints]:
        """Return rows (index into `arcs`, feature, 1 left or -1 right)."""
        counts = self.offsets[arcs + 1] - self.offsets[arcs]
        at = ragged(self.offsets[arcs], counts)
        return np.repeat(np.arange(len(arcs)), counts), self.feature[at], self.side[at].astype(np.int64)

    def flow(self, hashes: Hashes) -> Hashes:
        """Return for each arc the hashes of the features on its left less those on its right, summed."""
        if len(self) == 0:
            return np.empty(0, np.uint64)
        carrier = hashes[self.feature]
        # Every arc is carried by something: one without flow separates nothing and is no arc.
        return np.add.reduceat(np.where(self.side > 0, carrier, -carrier), self.offsets[:-1])

    def place(self, arc: int) -> tuple[float, float]:
        """Return where an arc begins (east, north), metres."""
        return float(to_metres(self.x[arc])), float(to_metres(self.y[arc]))
