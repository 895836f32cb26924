# SPDX-License-Identifier: GPL-2.0-or-later
"""Noding: splits are exactly the hot pixels a segment passes through, whatever the tiles."""

from fractions import Fraction
from math import floor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from swc_zoning.engine.grid import FINE
from swc_zoning.engine.noding import Segments, find_splits
from swc_zoning.engine.tasks import Serial

HALF = Fraction(1, 2)


def crossing(a, b):
    """The proper crossing of two segments as fractions, or None."""
    (ax, ay, cx, cy), (bx, by, ex, ey) = a, b
    den = (cx - ax) * (ey - by) - (cy - ay) * (ex - bx)
    if den == 0:
        return None
    t = Fraction((bx - ax) * (ey - by) - (by - ay) * (ex - bx), den)
    u = Fraction((bx - ax) * (cy - ay) - (by - ay) * (cx - ax), den)
    if not (0 < t < 1 and 0 < u < 1):
        return None
    return ax + t * (cx - ax), ay + t * (cy - ay)


def node(point):
    return tuple(floor(v + HALF) for v in point)


def passes(segment, px, py):
    """Whether a segment (units) meets the half-open pixel of (px, py), by clipping with fractions."""
    ax, ay, bx, by = segment
    low, high, low_open, high_open = Fraction(0), Fraction(1), False, False
    for start, step, centre in ((ax, bx - ax, px), (ay, by - ay, py)):
        if step == 0:
            if not centre - HALF <= start < centre + HALF:
                return False
            continue
        enter, leave = (centre - HALF - start) / step, (centre + HALF - start) / step
        enter_open, leave_open = False, True
        if step < 0:
            enter, leave, enter_open, leave_open = leave, enter, True, False
        if enter > low or (enter == low and enter_open):
            low, low_open = enter, enter_open
        if leave < high or (leave == high and leave_open):
            high, high_open = leave, leave_open
    return low < high or (low == high and not low_open and not high_open)


def expected(segments):
    """Splits of segments in fine coordinates, by comparing each with each."""
    exact = [tuple(Fraction(v, FINE) for v in s) for s in segments]
    pixels = {node(s[:2]) for s in exact} | {node(s[2:]) for s in exact}
    for i, a in enumerate(exact):
        for b in exact[:i]:
            point = crossing(a, b)
            if point:
                pixels.add(node(point))
    return {
        (i, x, y)
        for i, s in enumerate(exact)
        for x, y in pixels
        if (x, y) not in {node(s[:2]), node(s[2:])} and passes(s, x, y)
    }


def found(segments, per_tile):
    columns = Segments(*(np.array(c, np.int64) for c in zip(*segments)))
    splits = find_splits(columns, Serial(), per_tile=per_tile)
    triples = list(zip(splits.segment.tolist(), splits.x.tolist(), splits.y.tolist()))
    assert len(triples) == len(set(triples))
    return set(triples)


def distinct(segments):
    seen = {}
    for s in segments:
        if s[:2] != s[2:]:
            seen.setdefault(frozenset([s[:2], s[2:]]), s)
    return list(seen.values())


def units(*segments):
    return [tuple(v * FINE for v in s) for s in segments]


small = st.integers(-12, 12)
fine = st.integers(-24, 24).map(lambda v: v * FINE // 4) | st.integers(-6000, 6000)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(small, small, small, small), min_size=2, max_size=14))
def test_splits_of_crowded_segments_are_the_hot_pixels_they_pass(segments):
    segments = units(*distinct(segments))
    if len(segments) > 1:
        assert found(segments, per_tile=1000) == expected(segments)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(fine, fine, fine, fine), min_size=2, max_size=12))
def test_end_points_off_the_grid_are_split_where_they_really_pass(segments):
    segments = distinct(segments)
    if len(segments) > 1:
        assert found(segments, per_tile=1000) == expected(segments)


@pytest.mark.parametrize("per_tile", [1, 5, 1000])
@pytest.mark.parametrize("size", [40_000, 4_000_000, 10**9, 10**10, 10**14])
def test_splits_do_not_depend_on_tiles_or_on_coordinate_size(size, per_tile):
    rng = np.random.default_rng(size % 97)
    raw = rng.integers(-size, size, (40, 4))
    raw[::4, 2:] = raw[::4, :2] + rng.integers(1, 9000, (10, 2))
    segments = distinct([tuple(map(int, s)) for s in raw])
    assert found(segments, per_tile) == expected(segments)


def test_order_and_direction_of_segments_do_not_matter():
    rng = np.random.default_rng(4)
    segments = distinct([tuple(map(int, s)) for s in rng.integers(-60_000, 60_000, (60, 4))])
    swapped = [s[2:] + s[:2] for s in segments][::-1]
    last = len(segments) - 1
    assert found(segments, 7) == {(last - i, x, y) for i, x, y in found(swapped, 9)}


def test_near_parallel_long_segments_are_split_exactly():
    segments = units((0, 0, 900_000_007, 3), (0, 1, 900_000_001, 2), (450_000_000, -5, 450_000_001, 7))
    segments += [
        (0, 7, 4 * 10**11, 300_007),
        (0, 1007, 4 * 10**11 + 13, 298_004),
        (3, -1, 4 * 10**11, 301_000),
    ]
    assert found(segments, 1000) == expected(segments)


def test_crossings_at_exact_halves_go_up():
    segments = units((0, 0, 3, 3), (0, 3, 3, 0), (10, 0, 11, 1), (10, 1, 11, 0))
    assert found(segments, 1000) == expected(segments)
    assert (0, 2, 2) in found(segments, 1000)
