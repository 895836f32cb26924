# SPDX-License-Identifier: GPL-2.0-or-later
"""Faces that several tiles share: their strands joined end to end, and what lies loose put in its place."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from swc_zoning.engine.faces import trace_rings
from swc_zoning.engine.grid import Ints, group, ragged, to_metres, unique_points
from swc_zoning.engine.messages import InvariantViolated
from swc_zoning.engine.traced import Loose, Shapes, draw

_COLUMNS = ("from_x", "from_y", "to_x", "to_y")


def stitch(parts: Sequence[Loose]) -> tuple[Shapes, Ints]:
    """Return the faces made of the strands of all tiles, and the face of each strand.

    Strands are numbered through `parts`; the face is -1 for those that bound the outside. Raises
    InvariantViolated("edges") where tiles do not agree on the edges between them.
    """
    strands = _Strands(parts)
    cycle, count = strands.cycles()
    order, starts = strands.in_walking_order(cycle)
    at = ragged(strands.offsets[order], np.diff(strands.offsets)[order])
    x, y, nodes = unique_points(strands.x[at], strands.y[at])
    lengths = np.add.reduceat(np.diff(strands.offsets)[order], starts) if count else np.empty(0, np.int64)
    faces, face_of_cycle = trace_rings(nodes, np.concatenate([[0], np.cumsum(lengths)]), x, y)
    face = face_of_cycle[cycle] if count else cycle
    sums = (
        _summed(face, column, len(faces)) for column in (strands.perimeter, strands.ellipsoidal, strands.key)
    )
    return draw(faces, x, y, *sums), face


def _summed(face: Ints, values: Ints, count: int) -> Ints:
    """Return the sum of the values of each face; every face has some."""
    inner = np.flatnonzero(face >= 0)
    order, starts = group(face[inner])
    return np.add.reduceat(values[inner][order], starts) if count else values[:0]


class _Strands:
    """The strands of all tiles as one set of columns."""

    def __init__(self, parts: Sequence[Loose]) -> None:
        self.x, self.y = (_joined([getattr(p, n) for p in parts], np.int64) for n in ("x", "y"))
        self.offsets = np.concatenate(
            [[0], np.cumsum(_joined([np.diff(p.offsets) for p in parts], np.int64))]
        )
        self.perimeter = _joined([p.perimeter for p in parts], np.int64)
        self.ellipsoidal = _joined([p.ellipsoidal for p in parts], np.int64)
        self.key = _joined([p.key for p in parts], np.uint64)
        begins = np.cumsum([0, *(len(p) for p in parts)])
        self.opened = _joined([b + np.arange(p.open) for b, p in zip(begins, parts)], np.int64)
        self.ends = [_joined([getattr(p, n) for p in parts], np.int64) for n in _COLUMNS]
        self.count = int(begins[-1])

    def cycles(self) -> tuple[Ints, int]:
        """Return the number of the closed walk each strand is part of, and how many there are."""
        self.following = np.arange(self.count)
        self.following[self.opened] = self.opened[self._next()]
        cycle = np.full(self.count, -1, np.int64)
        self.rank = np.zeros(self.count, np.int64)
        following, seen, ranks = self.following.tolist(), [-1] * self.count, [0] * self.count
        number = 0
        for begin in range(self.count):
            if seen[begin] >= 0:
                continue
            step, rank = begin, 0
            while seen[step] < 0:
                seen[step], ranks[step] = number, rank
                step, rank = following[step], rank + 1
            number += 1
        cycle[:], self.rank[:] = seen, ranks
        return cycle, number

    def _next(self) -> Ints:
        """Return for each open strand the one that goes on over the edge by which it leaves."""
        # The edge by which one leaves runs from its last node to a node of another tile; there
        # the strand that goes on begins with that node, having come from the last node here.
        first, last = self.offsets[self.opened], self.offsets[self.opened + 1] - 1
        from_x, from_y, to_x, to_y = self.ends
        leaving = np.stack([self.x[last], self.y[last], to_x, to_y])
        coming = np.stack([from_x, from_y, self.x[first], self.y[first]])
        goes, comes = np.lexsort(leaving), np.lexsort(coming)
        _prove_alike(leaving[:, goes], coming[:, comes])
        following = np.empty(len(first), np.int64)
        following[goes] = comes
        return following

    def in_walking_order(self, cycle: Ints) -> tuple[Ints, Ints]:
        """Return the strands cycle by cycle as they follow each other, and where each cycle begins."""
        order = np.lexsort((self.rank, cycle))
        return order, np.flatnonzero(np.diff(cycle[order], prepend=-1))


def _prove_alike(leaving: Ints, coming: Ints) -> None:
    """Prove that both tiles of each seam have the same edges across it, each once (rows x, y, x, y; sorted).

    Raises InvariantViolated("edges").
    """
    wrong = (leaving != coming).any(axis=0)
    wrong[1:] |= (leaving[:, 1:] == leaving[:, :-1]).all(axis=0)
    if wrong.any():
        x, y = to_metres(leaving[:2, np.argmax(wrong)]).tolist()
        raise InvariantViolated("edges", (x, y), count=int(wrong.sum()))


def _joined(columns: Sequence[Ints], kind: type) -> Ints:
    return np.concatenate([np.empty(0, kind), *columns]).astype(kind, copy=False)
