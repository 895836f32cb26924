# SPDX-License-Identifier: GPL-2.0-or-later
"""Snap rounding: where segments must be split so that they meet only at points of the grid.

Hot pixels are the unit squares, half open to the upper right, that hold an end point or a
crossing of segments. A segment becomes the chain of the centres of the hot pixels it passes
through (Hobby, "Practical segment intersection with finite precision output", 1999). Every
test is exact, so a split depends on the segments alone: never on tiles or on order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from swc_zoning.engine.grid import FINE, Ints, group, nearest_unit, ragged
from swc_zoning.engine.tasks import Executor

#: Segments are registered in every cell within this distance (fine): a hot pixel reaches half a unit.
MARGIN = 2 * FINE
#: Pairs compared at a time, so that their columns stay in the processor's cache.
_CHUNK = 1 << 17
#: A crossing whose rounding is this near a tie (units) is rounded with unbounded integers.
_TIE = 1e-4
#: Differences below this (fine) keep twice the difference of two products inside int64.
_SAFE = 1 << 30

_NONE = np.empty(0, np.int64)

#: Half open: [x0, x1) x [y0, y1), fine coordinates, as (x0, y0, x1, y1).
Box = tuple[int, int, int, int]


@dataclass(frozen=True)
class Segments:
    """Distinct segments as columns: start (x1, y1) and end (x2, y2), fine coordinates."""

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
    """Where segments are split: `segment` index and node (x, y) in units, without repeats.

    The end nodes of a segment, nearest to its end points, are not among them.
    """

    segment: Ints
    x: Ints
    y: Ints


@dataclass(frozen=True)
class _Tile:
    """A task: the segments that come near the box [x0, x1) x [y0, y1), and their global indices."""

    segments: Segments
    index: Ints
    box: Box


def find_splits(
    segments: Segments,
    executor: Executor,
    advance: Callable[[float], None] = lambda fraction: None,
    per_tile: int = 60_000,
    box: Box | None = None,
) -> Splits:
    """Return every split of `segments`, the same for any `per_tile` and `executor`.

    With a `box`, only those at hot pixels whose centre lies in it. The plane is cut into square
    tiles of about `per_tile` segments. A tile finds the splits at the hot pixels whose centre lies
    in it, from all whole segments that come near it.
    """
    if len(segments) == 0:
        return Splits(_NONE, _NONE, _NONE)
    tiles = list(_tiles(segments, per_tile, box or _around(segments)))
    found = []
    for done, splits in enumerate(executor.map(_split_tile, tiles), start=1):
        found.append(splits)
        advance(done / len(tiles))
    if not found:
        return Splits(_NONE, _NONE, _NONE)
    return Splits(*(np.concatenate([getattr(f, name) for f in found]) for name in ("segment", "x", "y")))


def _around(segments: Segments) -> Box:
    # The centre of a hot pixel may lie half a unit outside what it holds.
    x0 = int(min(segments.x1.min(), segments.x2.min())) - FINE
    y0 = int(min(segments.y1.min(), segments.y2.min())) - FINE
    x1 = int(max(segments.x1.max(), segments.x2.max())) + FINE
    y1 = int(max(segments.y1.max(), segments.y2.max())) + FINE
    return x0, y0, x1, y1


def _tiles(segments: Segments, per_tile: int, box: Box) -> Iterator[_Tile]:
    x0, y0, x1, y1 = box
    wanted = max(1, len(segments) // per_tile)
    size = max(int(np.sqrt((x1 - x0) * (y1 - y0) / wanted)), (max(x1 - x0, y1 - y0) // 2048) + 1, FINE)
    cell, index = register(segments, box, size)
    order, starts = group(cell)
    across = _columns(box, size)
    for begin, end in zip(starts, [*starts[1:], len(order)]):
        members = index[order[begin:end]]
        row, column = divmod(int(cell[order[begin]]), across)
        left, low = x0 + column * size, y0 + row * size
        # The last column and row may reach beyond the box, where other boxes find the splits.
        yield _Tile(segments.take(members), members, (left, low, min(left + size, x1), min(low + size, y1)))


def _columns(box: Box, size: int) -> int:
    return (box[2] - box[0] - 1) // size + 1


def register(segments: Segments, box: Box, size: int) -> tuple[Ints, Ints]:
    """Return (cell, segment index) for every cell of the box a segment comes near.

    Cells are squares of `size` fine steps, numbered row by row.
    """
    x0, y0, _, y1 = box
    across, up = _columns(box, size), (y1 - y0 - 1) // size + 1
    west = (np.minimum(segments.x1, segments.x2) - (MARGIN + x0)) // size
    east = (np.maximum(segments.x1, segments.x2) + (MARGIN - x0)) // size
    south = (np.minimum(segments.y1, segments.y2) - (MARGIN + y0)) // size
    north = (np.maximum(segments.y1, segments.y2) + (MARGIN - y0)) // size
    within = (east >= 0) & (west < across) & (north >= 0) & (south < up)
    single = (west == east) & (south == north)
    plain, wide = np.flatnonzero(within & single), np.flatnonzero(within & ~single)
    cell, index = _register_wide(segments.take(wide), box, size, across, up)
    return np.concatenate([south[plain] * across + west[plain], cell]), np.concatenate([plain, wide[index]])


def _register_wide(segments: Segments, box: Box, size: int, across: int, up: int) -> tuple[Ints, Ints]:
    """Do `register` for segments of several cells, column by column, in the rows they span there.

    So a long segment costs its length and not its box.
    """
    x0, y0, _, _ = box
    swap = segments.x1 > segments.x2
    ax, ay = np.where(swap, segments.x2, segments.x1), np.where(swap, segments.y2, segments.y1)
    bx, by = np.where(swap, segments.x1, segments.x2), np.where(swap, segments.y1, segments.y2)
    first = np.maximum((ax - (MARGIN + x0)) // size, 0)
    last = np.minimum((bx + (MARGIN - x0)) // size, across - 1)
    counts = np.maximum(last - first + 1, 0)
    index = np.repeat(np.arange(len(ax)), counts)
    column = ragged(first, counts)

    low, high = np.minimum(ay, by)[index], np.maximum(ay, by)[index]
    sloped = ((counts > 1) & (bx > ax))[index]
    if sloped.any():
        low[sloped], high[sloped] = _span(ax, ay, bx, by, index[sloped], x0 + column[sloped] * size, size)
    first = np.maximum((low - (MARGIN + y0)) // size, 0)
    last = np.minimum((high + (MARGIN - y0)) // size, up - 1)
    counts = np.maximum(last - first + 1, 0)
    cell = ragged(first, counts) * across + np.repeat(column, counts)
    return cell, np.repeat(index, counts)


def _span(ax: Ints, ay: Ints, bx: Ints, by: Ints, index: Ints, left: Ints, size: int) -> tuple[Ints, Ints]:
    """Return the lowest and highest y a segment can have near a column, rounded outward."""
    sx, sy = ax[index].astype(float), ay[index].astype(float)
    run, rise = (bx - ax)[index].astype(float), (by - ay)[index].astype(float)
    t0 = np.clip((left - MARGIN - sx) / run, 0, 1)
    t1 = np.clip((left + size + MARGIN - sx) / run, 0, 1)
    y0, y1 = sy + t0 * rise, sy + t1 * rise
    # Doubles hold coordinates below 1e15 to a fraction of the one step added here.
    return np.floor(np.minimum(y0, y1)).astype(np.int64) - 1, np.ceil(np.maximum(y0, y1)).astype(np.int64) + 1


def _split_tile(tile: _Tile) -> Splits:
    """Find the splits at hot pixels centred in one tile."""
    cells = _Cells(tile)
    rows: list[tuple[Ints, Ints, Ints]] = []
    for first, second, cell in cells.pairs():
        pairs = _Pairs(cells, first, second, cell)
        rows += pairs.end_nodes()
        rows.append(cells.near(*pairs.crossings()))
    if not rows:
        return Splits(_NONE, _NONE, _NONE)
    segment, x, y = (np.concatenate(column) for column in zip(*rows))
    order = np.lexsort((y, x, segment))
    segment, x, y = segment[order], x[order], y[order]
    new = np.ones(len(segment), bool)
    new[1:] = (np.diff(segment) != 0) | (np.diff(x) != 0) | (np.diff(y) != 0)
    return Splits(tile.index[segment[new]], x[new], y[new])


class _Cells:
    """A tile's segments sorted into square cells."""

    def __init__(self, tile: _Tile) -> None:
        self.segments = tile.segments
        ends = (tile.segments.x1, tile.segments.y1, tile.segments.x2, tile.segments.y2)
        self.end_nodes = Segments(*(nearest_unit(column) for column in ends))
        self.box = tile.box
        x0, y0, x1, y1 = tile.box
        self.size = max(FINE, int(np.sqrt((x1 - x0) * (y1 - y0) / max(1, len(tile.segments)))))
        cell, index = register(tile.segments, tile.box, self.size)
        # Crowded corners of a tile get smaller cells, until the pairs are few or the entries many.
        while self.size > 4 * MARGIN and _pair_count(cell) > 12 * len(cell):
            finer = register(tile.segments, tile.box, self.size // 2)
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
        """Return the cell that holds the centre of each hot pixel (units), -1 outside the tile."""
        x0, y0, x1, y1 = self.box
        x, y = x * FINE, y * FINE
        inside = (x >= x0) & (x < x1) & (y >= y0) & (y < y1)
        return np.where(inside, (y - y0) // self.size * self.across + (x - x0) // self.size, -1)

    def near(self, x: Ints, y: Ints) -> tuple[Ints, Ints, Ints]:
        """Return (segment, x, y) for every segment that passes through the hot pixels (x, y)."""
        cell = self.of(x, y)
        begin = np.searchsorted(self.cell, cell, side="left")
        counts = np.searchsorted(self.cell, cell, side="right") - begin
        return self.passing(self.index[ragged(begin, counts)], np.repeat(x, counts), np.repeat(y, counts))

    def passing(self, segment: Ints, x: Ints, y: Ints) -> tuple[Ints, Ints, Ints]:
        """Return the rows in which the segment passes through the hot pixel (x, y) between its end nodes."""
        at = np.flatnonzero(_boxed(self.segments.take(segment), x * FINE, y * FINE))
        segment, x, y = segment[at], x[at], y[at]
        ends = self.end_nodes.take(segment)
        inner = ((ends.x1 != x) | (ends.y1 != y)) & ((ends.x2 != x) | (ends.y2 != y))
        segment, x, y = segment[inner], x[inner], y[inner]
        hit = _meets_line(self.segments.take(segment), x * FINE, y * FINE)
        return segment[hit], x[hit], y[hit]


def _pair_count(cell: Ints) -> int:
    sizes = np.diff(np.append(group(cell)[1], len(cell)))
    return int((sizes * (sizes - 1) // 2).sum())


class _Pairs:
    """Pairs of segments that share a cell, and the hot pixels they make on each other there."""

    def __init__(self, cells: _Cells, first: Ints, second: Ints, cell: Ints) -> None:
        self.cells = cells
        a, b = cells.segments.take(first), cells.segments.take(second)
        near = (
            (np.maximum(np.minimum(a.x1, a.x2), np.minimum(b.x1, b.x2)) - FINE)
            <= np.minimum(np.maximum(a.x1, a.x2), np.maximum(b.x1, b.x2))
        ) & (
            (np.maximum(np.minimum(a.y1, a.y2), np.minimum(b.y1, b.y2)) - FINE)
            <= np.minimum(np.maximum(a.y1, a.y2), np.maximum(b.y1, b.y2))
        )
        keep = np.flatnonzero(near)
        self.first, self.second, self.cell = first[keep], second[keep], cell[keep]
        self.a, self.b = a.take(keep), b.take(keep)

    def end_nodes(self) -> Iterator[tuple[Ints, Ints, Ints]]:
        """Yield rows (segment, x, y) where one passes through the hot pixel of an end of the other."""
        for segments, on, other in ((self.a, self.first, self.second), (self.b, self.second, self.first)):
            ends = self.cells.end_nodes.take(other)
            for x, y in ((ends.x1, ends.y1), (ends.x2, ends.y2)):
                at = np.flatnonzero(_boxed(segments, x * FINE, y * FINE))
                at = at[self.cells.of(x[at], y[at]) == self.cell[at]]
                yield self.cells.passing(on[at], x[at], y[at])

    def crossings(self) -> tuple[Ints, Ints]:
        """Return the hot pixels (x, y) of crossings; both segments pass through them."""
        at = np.flatnonzero(_boxes_meet(self.a, self.b) & ~_share_an_end(self.a, self.b))
        a, b = self.a.take(at), self.b.take(at)
        cross = (_side(a, b.x1, b.y1) * _side(a, b.x2, b.y2) < 0) & (
            _side(b, a.x1, a.y1) * _side(b, a.x2, a.y2) < 0
        )
        at, crossing = at[cross], np.flatnonzero(cross)
        x, y = _crossing(a.take(crossing), b.take(crossing))
        here = self.cells.of(x, y) == self.cell[at]
        return x[here], y[here]


def _boxes_meet(a: Segments, b: Segments) -> NDArray[np.bool_]:
    return (
        np.maximum(np.minimum(a.x1, a.x2), np.minimum(b.x1, b.x2))
        <= np.minimum(np.maximum(a.x1, a.x2), np.maximum(b.x1, b.x2))
    ) & (
        np.maximum(np.minimum(a.y1, a.y2), np.minimum(b.y1, b.y2))
        <= np.minimum(np.maximum(a.y1, a.y2), np.maximum(b.y1, b.y2))
    )


def _share_an_end(a: Segments, b: Segments) -> NDArray[np.bool_]:
    return (
        ((a.x1 == b.x1) & (a.y1 == b.y1))
        | ((a.x1 == b.x2) & (a.y1 == b.y2))
        | ((a.x2 == b.x1) & (a.y2 == b.y1))
        | ((a.x2 == b.x2) & (a.y2 == b.y2))
    )


def _boxed(on: Segments, x: Ints, y: Ints) -> NDArray[np.bool_]:
    """Tell whether the box of a segment meets the half-open hot pixel centred on (x, y), fine."""
    half = FINE // 2
    return (
        (np.minimum(on.x1, on.x2) < x + half)
        & (np.maximum(on.x1, on.x2) >= x - half)
        & (np.minimum(on.y1, on.y2) < y + half)
        & (np.maximum(on.y1, on.y2) >= y - half)
    )


def _meets_line(on: Segments, x: Ints, y: Ints) -> NDArray[np.bool_]:
    """Tell whether the line of a segment meets the half-open hot pixel centred on (x, y), fine.

    It does if two corners lie strictly on both sides of it, or if it passes through a corner
    that belongs to the pixel: of the two extreme corners, that depends on the direction alone.
    """
    dx, dy, wx, wy = on.x2 - on.x1, on.y2 - on.y1, x - on.x1, y - on.y1
    reach = FINE * (np.abs(dx) + np.abs(dy))
    highest, lowest = _sign(dx, dy, wx, wy, reach), _sign(dx, dy, wx, wy, -reach)
    return (
        ((highest > 0) & (lowest < 0))
        | ((lowest == 0) & (dx >= 0) & (dy <= 0))
        | ((highest == 0) & (dx <= 0) & (dy >= 0))
    )


def _side(on: Segments, x: Ints, y: Ints) -> NDArray[np.int8]:
    """Return 1 where (x, y) lies left of a segment, -1 right of it, 0 on its line."""
    return _sign(on.x2 - on.x1, on.y2 - on.y1, x - on.x1, y - on.y1, np.zeros_like(x))


def _sign(ax: Ints, ay: Ints, bx: Ints, by: Ints, shift: Ints) -> NDArray[np.int8]:
    """Return the exact sign of ``2 (ax by - ay bx) + shift``.

    In int64 where differences are short, else in doubles where these are certain, else unbounded.
    """
    largest = np.maximum(np.maximum(np.abs(ax), np.abs(ay)), np.maximum(np.abs(bx), np.abs(by)))
    signs = np.sign(2 * (ax * by - ay * bx) + shift).astype(np.int8)
    far = np.flatnonzero(largest >= _SAFE)
    if len(far) == 0:
        return signs
    columns = [c[far] for c in (ax, ay, bx, by, shift)]
    px, py, qx, qy, move = (c.astype(float) for c in columns)
    left, right = px * qy, py * qx
    value = 2 * (left - right) + move
    doubtful = np.abs(value) <= (np.abs(left) + np.abs(right) + np.abs(move)) * 2.0**-49
    signs[far] = np.sign(value)
    for i in np.flatnonzero(doubtful):
        ux, uy, vx, vy, extra = (int(c[i]) for c in columns)
        exact = 2 * (ux * vy - uy * vx) + extra
        signs[far[i]] = (exact > 0) - (exact < 0)
    return signs


def _crossing(a: Segments, b: Segments) -> tuple[Ints, Ints]:
    """Return the units whose hot pixels hold the crossings of segments that do cross."""
    dx, dy, ex, ey = a.x2 - a.x1, a.y2 - a.y1, b.x2 - b.x1, b.y2 - b.y1
    wx, wy = b.x1 - a.x1, b.y1 - a.y1
    fdx, fdy, fex, fey, fwx, fwy = (c.astype(float) for c in (dx, dy, ex, ey, wx, wy))
    den, num = fdx * fey - fdy * fex, fwx * fey - fwy * fex
    t = num / den
    size = np.abs(fdx * fey) + np.abs(fdy * fex) + np.abs(fwx * fey) + np.abs(fwy * fex)
    # Doubles may lose the crossing of nearly parallel or very long segments.
    poor = size * np.maximum(np.abs(fdx), np.abs(fdy)) * 2.0**-50 > np.abs(den) * (_TIE * FINE / 10)
    out = []
    for start, d in ((a.x1, dx), (a.y1, dy)):
        steps = t * d.astype(float)
        estimate = (start % FINE + steps) / FINE + 0.5
        node = np.floor(np.where(poor, 0, estimate)).astype(np.int64) + start // FINE
        tied = poor | (np.abs(estimate - np.rint(estimate)) < _TIE)
        for i in np.flatnonzero(tied):
            along = int(wx[i]) * int(ey[i]) - int(wy[i]) * int(ex[i])
            bottom = int(dx[i]) * int(ey[i]) - int(dy[i]) * int(ex[i])
            top = 2 * (int(start[i]) * bottom + along * int(d[i])) + FINE * bottom
            node[i] = top // (2 * FINE * bottom)
        out.append(node)
    return out[0], out[1]
