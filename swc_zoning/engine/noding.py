# SPDX-License-Identifier: GPL-2.0-or-later
"""Snap rounding: where segments of the integer grid must be split so that they meet only at grid points.

Hot pixels are the unit squares, half open to the upper right, centred on every end point and
on every rounded crossing. A segment is split at each hot pixel it passes through (Hobby,
"Practical segment intersection with finite precision output", 1999). All tests are exact
integer arithmetic, so a split depends on the segments alone: never on tiles or on order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from swc_zoning.engine.grid import SAFE, Ints, group, ragged
from swc_zoning.engine.tasks import Executor

#: Segments are registered in every cell within this distance (units): a hot pixel reaches half a unit.
_MARGIN = 2
#: Pairs compared at a time, so that their columns stay in the processor's cache.
_CHUNK = 1 << 17
#: A crossing whose rounding is this near a tie (units) is rounded with unbounded integers.
_TIE = 1e-4


@dataclass(frozen=True)
class Segments:
    """Distinct segments as columns: start (x1, y1) and end (x2, y2) in grid units."""

    x1: Ints
    y1: Ints
    x2: Ints
    y2: Ints

    def __len__(self) -> int:
        return len(self.x1)

    def take(self, index: Ints) -> Segments:
        """Return the segments at `index`."""
        return Segments(self.x1[index], self.y1[index], self.x2[index], self.y2[index])


@dataclass(frozen=True)
class Splits:
    """Where segments are split: `segment` index and grid point (x, y), without repeats."""

    segment: Ints
    x: Ints
    y: Ints


@dataclass(frozen=True)
class _Tile:
    """A task: the segments that come near the box [x0, x1) x [y0, y1), and their global indices."""

    segments: Segments
    index: Ints
    box: tuple[int, int, int, int]


def find_splits(
    segments: Segments,
    executor: Executor,
    advance: Callable[[float], None] = lambda fraction: None,
    per_tile: int = 60_000,
) -> Splits:
    """Return every split of `segments`, the same for any `per_tile` and `executor`.

    The plane is cut into square tiles of about `per_tile` segments. A tile finds the splits at
    the hot pixels whose centre lies in it, from all whole segments that come near it.
    """
    if len(segments) == 0:
        return Splits(*(np.empty(0, np.int64) for _ in range(3)))
    tiles = list(_tiles(segments, per_tile))
    found = []
    for done, splits in enumerate(executor.map(_split_tile, tiles), start=1):
        found.append(splits)
        advance(done / len(tiles))
    return Splits(*(np.concatenate([getattr(f, name) for f in found]) for name in ("segment", "x", "y")))


def _tiles(segments: Segments, per_tile: int) -> Iterator[_Tile]:
    x0 = int(min(segments.x1.min(), segments.x2.min()))
    y0 = int(min(segments.y1.min(), segments.y2.min()))
    x1 = int(max(segments.x1.max(), segments.x2.max())) + 1
    y1 = int(max(segments.y1.max(), segments.y2.max())) + 1
    wanted = max(1, len(segments) // per_tile)
    size = max(int(np.sqrt((x1 - x0) * (y1 - y0) / wanted)), (max(x1 - x0, y1 - y0) // 2048) + 1, 1)
    cell, index = _register(segments, (x0, y0, x1, y1), size)
    order, starts = group(cell)
    across = _columns((x0, y0, x1, y1), size)
    for begin, end in zip(starts, [*starts[1:], len(order)]):
        members = index[order[begin:end]]
        row, column = divmod(int(cell[order[begin]]), across)
        left, low = x0 + column * size, y0 + row * size
        yield _Tile(segments.take(members), members, (left, low, left + size, low + size))


def _columns(box: tuple[int, int, int, int], size: int) -> int:
    return (box[2] - box[0] - 1) // size + 1


def _register(segments: Segments, box: tuple[int, int, int, int], size: int) -> tuple[Ints, Ints]:
    """Return (cell, segment index) for every cell of the box a segment comes near.

    Cells are squares of `size` units, numbered row by row. A segment is entered column by
    column, in the rows it spans there, so that a long one costs its length and not its box.
    """
    x0, y0, _, y1 = box
    across, up = _columns(box, size), (y1 - y0 - 1) // size + 1
    swap = segments.x1 > segments.x2
    ax, ay = np.where(swap, segments.x2, segments.x1), np.where(swap, segments.y2, segments.y1)
    bx, by = np.where(swap, segments.x1, segments.x2), np.where(swap, segments.y1, segments.y2)
    first = np.maximum((ax - _MARGIN - x0) // size, 0)
    last = np.minimum((bx + _MARGIN - x0) // size, across - 1)
    counts = np.maximum(last - first + 1, 0)
    index = np.repeat(np.arange(len(ax)), counts)
    column = ragged(first, counts)

    low, high = np.minimum(ay, by)[index], np.maximum(ay, by)[index]
    wide = ((counts > 1) & (bx > ax))[index]
    if wide.any():
        low[wide], high[wide] = _span(ax, ay, bx, by, index[wide], x0 + column[wide] * size, size)
    first = np.maximum((low - _MARGIN - y0) // size, 0)
    last = np.minimum((high + _MARGIN - y0) // size, up - 1)
    counts = np.maximum(last - first + 1, 0)
    index, column = np.repeat(index, counts), np.repeat(column, counts)
    return ragged(first, counts) * across + column, index


def _span(ax: Ints, ay: Ints, bx: Ints, by: Ints, index: Ints, left: Ints, size: int) -> tuple[Ints, Ints]:
    """Return the lowest and highest y a segment can have near a column, rounded outward."""
    sx, sy = ax[index].astype(float), ay[index].astype(float)
    run, rise = (bx - ax)[index].astype(float), (by - ay)[index].astype(float)
    t0 = np.clip((left - _MARGIN - sx) / run, 0, 1)
    t1 = np.clip((left + size + _MARGIN - sx) / run, 0, 1)
    y0, y1 = sy + t0 * rise, sy + t1 * rise
    # Doubles carry 53 bits: below 1e12 units they err by far less than the one unit added here.
    return np.floor(np.minimum(y0, y1)).astype(np.int64) - 1, np.ceil(np.maximum(y0, y1)).astype(np.int64) + 1


def _split_tile(tile: _Tile) -> Splits:
    """Find the splits at hot pixels centred in one tile."""
    cells = _Cells(tile)
    hits = [_meetings(cells, *pairs) for pairs in cells.pairs()]
    segment, x, y, crossed = (np.concatenate(column) for column in zip(*hits)) if hits else (_NONE,) * 4
    crossed = crossed.astype(bool)
    near = cells.near(x[crossed], y[crossed])
    segment, x, y = (
        np.concatenate([segment, near[0]]),
        np.concatenate([x, near[1]]),
        np.concatenate([y, near[2]]),
    )
    keep = _not_an_end(tile.segments, segment, x, y)
    segment, x, y = segment[keep], x[keep], y[keep]
    order = np.lexsort((y, x, segment))
    segment, x, y = segment[order], x[order], y[order]
    new = np.ones(len(segment), bool)
    new[1:] = (np.diff(segment) != 0) | (np.diff(x) != 0) | (np.diff(y) != 0)
    return Splits(tile.index[segment[new]], x[new], y[new])


_NONE = np.empty(0, np.int64)


class _Cells:
    """A tile's segments sorted into square cells."""

    def __init__(self, tile: _Tile) -> None:
        self.segments = tile.segments
        self.box = tile.box
        x0, y0, x1, y1 = tile.box
        self.size = max(1, int(np.sqrt((x1 - x0) * (y1 - y0) / max(1, len(tile.segments)))))
        cell, index = _register(tile.segments, tile.box, self.size)
        # Crowded corners of a tile get smaller cells, until the pairs are few or the entries many.
        while self.size > 4 * _MARGIN and _pair_count(cell) > 12 * len(cell):
            finer = _register(tile.segments, tile.box, self.size // 2)
            if len(finer[0]) > 8 * len(tile.segments) + 1000:
                break
            self.size //= 2
            cell, index = finer
        self.across = _columns(tile.box, self.size)
        order, self.starts = group(cell)
        self.cell, self.index = cell[order], index[order]

    def pairs(self) -> Iterator[tuple[Ints, Ints, Ints]]:
        """Yield (first, second, cell) columns: every pair of segments that share a cell."""
        if len(self.cell) == 0:
            return
        sizes = np.diff(np.append(self.starts, len(self.cell)))
        start = np.repeat(self.starts, sizes)
        rank = np.arange(len(self.cell)) - start
        upto = np.cumsum(rank)
        cuts = np.searchsorted(upto, np.arange(0, upto[-1] + _CHUNK, _CHUNK), side="right")
        for begin, end in zip(cuts[:-1], cuts[1:]):
            counts = rank[begin:end]
            second = np.repeat(np.arange(begin, end), counts)
            if len(second):
                first = ragged(start[begin:end], counts)
                yield self.index[first], self.index[second], self.cell[second]

    def of(self, x: Ints, y: Ints) -> Ints:
        """Return the cell each point lies in, -1 outside the tile."""
        x0, y0, x1, y1 = self.box
        inside = (x >= x0) & (x < x1) & (y >= y0) & (y < y1)
        return np.where(inside, (y - y0) // self.size * self.across + (x - x0) // self.size, -1)

    def near(self, x: Ints, y: Ints) -> tuple[Ints, Ints, Ints]:
        """Return (segment, x, y) for every segment that passes through the hot pixels (x, y)."""
        cell = self.of(x, y)
        begin = np.searchsorted(self.cell, cell, side="left")
        counts = np.searchsorted(self.cell, cell, side="right") - begin
        segment = self.index[ragged(begin, counts)]
        x, y = np.repeat(x, counts), np.repeat(y, counts)
        hit = _passes_any(self.segments, segment, x, y)
        return segment[hit], x[hit], y[hit]


def _pair_count(cell: Ints) -> int:
    sizes = np.diff(np.append(group(cell)[1], len(cell)))
    return int((sizes * (sizes - 1) // 2).sum())


def _meetings(cells: _Cells, first: Ints, second: Ints, cell: Ints) -> tuple[Ints, Ints, Ints, Ints]:
    """Return (segment, x, y, is crossing) where pairs meet at a hot pixel centred in their cell."""
    a, b = cells.segments.take(first), cells.segments.take(second)
    left = np.maximum(np.minimum(a.x1, a.x2), np.minimum(b.x1, b.x2))
    right = np.minimum(np.maximum(a.x1, a.x2), np.maximum(b.x1, b.x2))
    low = np.maximum(np.minimum(a.y1, a.y2), np.minimum(b.y1, b.y2))
    high = np.minimum(np.maximum(a.y1, a.y2), np.maximum(b.y1, b.y2))
    # Neighbours of a chain share one end and a box of a single point: nothing else can meet.
    shared = (left == right) & (low == high) & _share_an_end(a, b)
    keep = np.flatnonzero((left <= right) & (low <= high) & ~shared)
    a, b, first, second, cell = a.take(keep), b.take(keep), first[keep], second[keep], cell[keep]
    spread = np.maximum(_reach(a, b), _reach(b, a))
    columns: list[tuple[Any, ...]] = []
    for rows, kind in ((spread < SAFE, np.int64), (spread >= SAFE, object)):
        if rows.any():
            columns.append(
                _meet(_cast(a, rows, kind), _cast(b, rows, kind), first[rows], second[rows], cell[rows])
            )
    if not columns:
        return _NONE, _NONE, _NONE, _NONE
    segment, x, y, crossing, where = (np.concatenate(column) for column in zip(*columns))
    here = cells.of(x, y) == where
    return segment[here], x[here], y[here], crossing[here]


def _share_an_end(a: Segments, b: Segments) -> Any:
    return (
        ((a.x1 == b.x1) & (a.y1 == b.y1))
        | ((a.x1 == b.x2) & (a.y1 == b.y2))
        | ((a.x2 == b.x1) & (a.y2 == b.y1))
        | ((a.x2 == b.x2) & (a.y2 == b.y2))
    )


def _reach(a: Segments, b: Segments) -> Ints:
    """Return the largest coordinate difference the products of a pair are made of."""
    reach = np.maximum(np.abs(a.x2 - a.x1), np.abs(a.y2 - a.y1))
    for x, y in ((b.x1, b.y1), (b.x2, b.y2)):
        reach = np.maximum(reach, np.maximum(np.abs(x - a.x1), np.abs(y - a.y1)))
    return reach


def _cast(segments: Segments, rows: Any, kind: Any) -> Segments:
    return Segments(*(c[rows].astype(kind) for c in (segments.x1, segments.y1, segments.x2, segments.y2)))


def _meet(a: Segments, b: Segments, first: Ints, second: Ints, cell: Ints) -> tuple[Ints, ...]:
    """Return columns (segment, x, y, is crossing, cell) of all hot pixels a pair makes on each other.

    Works on int64 columns and, for very long segments, on columns of unbounded integers.
    """
    dax, day, dbx, dby = a.x2 - a.x1, a.y2 - a.y1, b.x2 - b.x1, b.y2 - b.y1
    a_b1 = dax * (b.y1 - a.y1) - day * (b.x1 - a.x1)
    a_b2 = dax * (b.y2 - a.y1) - day * (b.x2 - a.x1)
    b_a1 = dbx * (a.y1 - b.y1) - dby * (a.x1 - b.x1)
    b_a2 = dbx * (a.y2 - b.y1) - dby * (a.x2 - b.x1)
    out = []
    for on, side, x, y, segment in (
        (a, a_b1, b.x1, b.y1, first),
        (a, a_b2, b.x2, b.y2, first),
        (b, b_a1, a.x1, a.y1, second),
        (b, b_a2, a.x2, a.y2, second),
    ):
        hit = _passes(on, side, x, y)
        out.append((segment[hit], _int(x[hit]), _int(y[hit]), np.zeros(hit.sum(), np.int64), cell[hit]))
    crossing = (np.sign(a_b1) * np.sign(a_b2) < 0) & (np.sign(b_a1) * np.sign(b_a2) < 0)
    crossing = np.flatnonzero(crossing)
    x, y = _crossing(*(c[crossing] for c in (a.x1, a.y1, dax, day, dbx, dby, b.x1, b.y1)))
    mark = np.ones(len(crossing), np.int64)
    out.append((first[crossing], x, y, mark, cell[crossing]))
    out.append((second[crossing], x, y, 0 * mark, cell[crossing]))
    return tuple(np.concatenate(column) for column in zip(*out))


def _int(values: Any) -> Ints:
    return np.asarray(values, np.int64)


def _passes(on: Segments, side: Any, x: Any, y: Any) -> Any:
    """Tell whether segments pass through the hot pixels (x, y).

    `side` is the cross product of the segment and the way from its start to the pixel centre.
    Ends being grid points, the pixel must lie in the segment's box; then the line meets the
    half-open square if its lowest and highest corner lie on both sides of it. Two of the
    corners do not belong to the square, which decides the cases of equality.
    """
    dx, dy = on.x2 - on.x1, on.y2 - on.y1
    boxed = (
        (np.minimum(on.x1, on.x2) <= x)
        & (x <= np.maximum(on.x1, on.x2))
        & (np.minimum(on.y1, on.y2) <= y)
        & (y <= np.maximum(on.y1, on.y2))
    )
    spread = np.abs(dx) + np.abs(dy)
    twice = 2 * side
    line = (
        (np.abs(twice) < spread)
        | ((twice == spread) & (dx >= 0) & (dy <= 0))
        | ((twice == -spread) & (dx <= 0) & (dy >= 0))
    )
    return np.asarray(boxed & line, bool)


def _passes_any(segments: Segments, index: Ints, x: Ints, y: Ints) -> Any:
    """Tell whether ``segments[index]`` pass through the hot pixels (x, y), at any length."""
    on = segments.take(index)
    point = Segments(x, y, x, y)
    spread = _reach(on, point)
    result = np.zeros(len(index), bool)
    for rows, kind in ((spread < SAFE, np.int64), (spread >= SAFE, object)):
        if rows.any():
            part, px, py = _cast(on, rows, kind), x[rows].astype(kind), y[rows].astype(kind)
            side = (part.x2 - part.x1) * (py - part.y1) - (part.y2 - part.y1) * (px - part.x1)
            result[rows] = _passes(part, side, px, py)
    return result


def _not_an_end(segments: Segments, index: Ints, x: Ints, y: Ints) -> Any:
    on = segments.take(index)
    return ~(((on.x1 == x) & (on.y1 == y)) | ((on.x2 == x) & (on.y2 == y)))


def _crossing(x: Any, y: Any, dx: Any, dy: Any, ex: Any, ey: Any, bx: Any, by: Any) -> tuple[Ints, Ints]:
    """Return where (x, y) + t (dx, dy) crosses the line from (bx, by) along (ex, ey), halves rounded up."""
    num = (bx - x) * ey - (by - y) * ex
    den = dx * ey - dy * ex
    t = num.astype(float) / den.astype(float)
    return _int(x) + _round(t, num, den, dx), _int(y) + _round(t, num, den, dy)


def _round(t: Any, num: Any, den: Any, d: Any) -> Ints:
    """Return floor(num * d / den + 1/2) exactly."""
    estimate = t * d.astype(float) + 0.5
    rounded = np.floor(estimate).astype(np.int64)
    for i in np.flatnonzero(np.abs(estimate - np.rint(estimate)) < _TIE):
        top, bottom = 2 * int(num[i]) * int(d[i]) + int(den[i]), 2 * int(den[i])
        rounded[i] = top // bottom
    return rounded
