# SPDX-License-Identifier: GPL-2.0-or-later
"""Regions of cells that touch along edges, found strip by strip; the same as in an uncut raster.

A strip is all columns of some rows. Runs of cells are joined to those below them; a region that reaches
the seam of two strips goes on in the next one. In memory is a byte for each region of a strip, and what is
known of those at seams.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Callable

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.int64]
#: Takes cells and flags (or-ed) of regions, returns which are kept.
Decision = Callable[[Numbers, NDArray[np.bool_]], NDArray[np.bool_]]


def joined(count: int, one: Numbers, other: Numbers) -> Numbers:
    """Return for each of `count` things the least thing it is linked to, directly or not."""
    parent = np.arange(count)
    while len(one):
        first, second = parent[one], parent[other]
        open_ = first != second
        one, other, first, second = one[open_], other[open_], first[open_], second[open_]
        np.minimum.at(parent, np.maximum(first, second), np.minimum(first, second))
        parent = _flat(parent)
    return parent


def _flat(parent: Numbers) -> Numbers:
    while True:
        higher = parent[parent]
        if np.array_equal(higher, parent):
            return parent
        parent = higher


def numbered(roots: Numbers) -> tuple[Numbers, int]:
    """Return roots as numbers from 0 on without gaps, and how many there are."""
    chosen = roots == np.arange(len(roots))
    return (np.cumsum(chosen) - 1)[roots], int(chosen.sum())


def overlaps(starts: Numbers, ends: Numbers, begin: Numbers, stop: Numbers) -> tuple[Numbers, Numbers]:
    """Return the pairs of intervals of two lists that overlap; those of a list are apart and in order.

    The first list is (`starts`, `ends`), the second (`begin`, `stop`), ends not included.
    """
    low = np.searchsorted(stop, starts, side="right")
    counts = np.maximum(np.searchsorted(begin, ends, side="left") - low, 0)
    first = np.repeat(np.arange(len(starts)), counts)
    return first, np.repeat(low - np.cumsum(counts) + counts, counts) + np.arange(len(first))


@dataclass(frozen=True)
class Runs:
    """Runs of cells of a mask in order: start and end in an array with one more column, and the region."""

    starts: Numbers
    ends: Numbers
    region: Numbers
    count: int
    shape: tuple[int, int]

    def flagged(self, flags: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Return which regions have a flagged cell."""
        rows, cols = self.shape
        wide = np.zeros((rows, cols + 1), np.int32)
        wide[:, :cols] = flags
        total = np.r_[0, np.cumsum(wide.reshape(-1), dtype=np.int64)]
        found = np.zeros(self.count, bool)
        found[self.region[total[self.ends] > total[self.starts]]] = True
        return found

    def cells(self) -> Numbers:
        """Return how many cells each region has."""
        lengths = (self.ends - self.starts).astype(np.float64)
        return np.bincount(self.region, weights=lengths, minlength=self.count).astype(np.int64)

    def drawn(self, kept: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Return the cells of the regions that are kept."""
        rows, cols = self.shape
        steps = np.zeros(rows * (cols + 1) + 1, np.int8)
        chosen = kept[self.region]
        steps[self.starts[chosen]] += 1
        steps[self.ends[chosen]] -= 1
        return np.cumsum(steps[:-1], dtype=np.int8).reshape(rows, cols + 1)[:, :cols].astype(bool)


def runs(mask: NDArray[np.bool_]) -> Runs:
    """Return the runs of a mask with their regions."""
    rows, cols = mask.shape
    wide = np.zeros((rows, cols + 1), np.int8)
    wide[:, :cols] = mask
    steps = np.diff(wide.reshape(-1), prepend=np.int8(0))
    starts, ends = np.flatnonzero(steps == 1), np.flatnonzero(steps == -1)
    one, other = overlaps(starts + cols + 1, ends + cols + 1, starts, ends)
    region, count = numbered(joined(len(starts), one, other))
    return Runs(starts, ends, region, count, (rows, cols))


class Regions:
    """Which regions of a mask are kept: strips are added in order, then decided on, then drawn again."""

    def __init__(self, decide: Decision) -> None:
        self._decide = decide
        self._kept: list[NDArray[np.bool_]] = []
        self._open: list[tuple[Numbers, int]] = []
        self._cells: list[Numbers] = []
        self._flags: list[NDArray[np.bool_]] = []
        self._pairs: list[tuple[Numbers, Numbers]] = []
        self._seam: tuple[Numbers, Numbers, Numbers] | None = None
        self._known = 0
        #: What is not kept: how many regions of how many cells.
        self.dropped = self.dropped_cells = 0

    def add(self, mask: NDArray[np.bool_], flags: NDArray[np.bool_]) -> None:
        """Take the next strip, from the top down."""
        found = runs(mask)
        cells, flagged = found.cells(), found.flagged(flags)
        rows, cols = mask.shape
        top, bottom = found.starts < cols + 1, found.starts >= (rows - 1) * (cols + 1)
        reaching = np.unique(found.region[top | bottom])
        number = np.full(found.count, -1, np.int64)
        number[reaching] = self._known + np.arange(len(reaching))
        self._kept.append(self._decide(cells, flagged))
        self._count(~self._kept[-1] & (number < 0), cells)
        self._open.append((reaching, self._known))
        self._cells.append(cells[reaching])
        self._flags.append(flagged[reaching])
        self._known += len(reaching)
        if self._seam is not None:
            above, below = overlaps(*self._seam[:2], found.starts[top], found.ends[top])
            self._pairs.append((self._seam[2][above], number[found.region[top]][below]))
        skipped = (rows - 1) * (cols + 1)
        last = found.starts[bottom] - skipped, found.ends[bottom] - skipped
        self._seam = (*last, number[found.region[bottom]])

    def close(self) -> None:
        """Decide on the regions that cross seams."""
        pairs = [np.concatenate(column) for column in zip(*self._pairs)] or [np.zeros(0, np.int64)] * 2
        region, count = numbered(joined(self._known, *pairs))
        cells = np.bincount(region, weights=_all(self._cells, float), minlength=count).astype(np.int64)
        flags = np.bincount(region, weights=_all(self._flags, float), minlength=count) > 0
        chosen = self._decide(cells, flags)
        self._count(~chosen, cells)
        kept = chosen[region]
        for strip, (reaching, start) in zip(self._kept, self._open):
            strip[reaching] = kept[start : start + len(reaching)]

    def _count(self, dropped: NDArray[np.bool_], cells: Numbers) -> None:
        self.dropped += int(dropped.sum())
        self.dropped_cells += int(cells[dropped].sum())

    def drawn(self, strip: int, mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Return the cells of kept regions of a strip that was added as `mask`."""
        return runs(mask).drawn(self._kept[strip])


def _all(parts: list[Any], dtype: Any) -> NDArray[Any]:
    return np.concatenate(parts).astype(dtype) if parts else np.zeros(0, dtype)
