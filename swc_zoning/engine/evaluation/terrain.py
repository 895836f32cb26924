# SPDX-License-Identifier: GPL-2.0-or-later
"""Slope, relief and slope length from elevations.

Arrays are (rows, columns) in metres, NaN is no data, cells are metric.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from swc_zoning.engine.evaluation.rasters import Floats

#: Neighbours as (rows down, columns right), in the order that settles ties.
_NEIGHBOURS = ((-1, 0), (0, 1), (1, 0), (0, -1), (-1, 1), (1, 1), (1, -1), (-1, -1))


def _shifted(values: NDArray[np.generic], down: int, right: int, fill: float) -> NDArray[np.generic]:
    """Return for each cell the value of its neighbour, `fill` outside."""
    rows, cols = values.shape
    padded = np.pad(values, 1, constant_values=fill)
    return padded[1 + down : 1 + down + rows, 1 + right : 1 + right + cols]


def slope(dem: Floats, width: float, height: float) -> Floats:
    """Return the slope in degrees (Horn 1981).

    A neighbour that is missing, at the end of the raster or beside no data, is mirrored through the cell, so
    a plane has its slope up to its edge. A cell without any neighbour across has none.
    """
    north, south, west, east = (_shifted(dem, *step, np.nan) for step in ((-1, 0), (1, 0), (0, -1), (0, 1)))
    north, south = _mirrored(north, south, dem), _mirrored(south, north, dem)
    west, east = _mirrored(west, east, dem), _mirrored(east, west, dem)
    corners = {}
    for down, beside in ((-1, north), (1, south)):
        for right, other in ((-1, west), (1, east)):
            found = _shifted(dem, down, right, np.nan)
            corners[down, right] = np.where(np.isnan(found), beside + other - dem, found)
    rise_east = (corners[-1, 1] + 2 * east + corners[1, 1]) - (corners[-1, -1] + 2 * west + corners[1, -1])
    rise_south = (corners[1, -1] + 2 * south + corners[1, 1]) - (corners[-1, -1] + 2 * north + corners[-1, 1])
    steepness = np.hypot(rise_east / (8 * width), rise_south / (8 * height))
    # The cell itself is not in the formula.
    return np.where(np.isnan(dem), np.nan, np.degrees(np.arctan(steepness)))


def _mirrored(one: Floats, opposite: Floats, centre: Floats) -> Floats:
    return np.where(np.isnan(one), 2 * centre - opposite, one)


def reach(window_m: float, cell_m: float) -> int:
    """Return how many cells a window reaches to each side; at least one."""
    return max(1, round((window_m / cell_m - 1) / 2))


def relief(dem: Floats, cells: int) -> Floats:
    """Return highest less lowest elevation in the moving square that reaches `cells` to each side."""
    highest = _furthest(np.where(np.isnan(dem), -np.inf, dem), cells, np.maximum)
    lowest = _furthest(np.where(np.isnan(dem), np.inf, dem), cells, np.minimum)
    return np.where(np.isnan(dem), np.nan, highest - lowest)


def _furthest(values: Floats, cells: int, better: np.ufunc) -> Floats:
    fill = -np.inf if better is np.maximum else np.inf
    for axis in (0, 1):
        around = [(0, 0), (0, 0)]
        around[axis] = (cells, cells)
        padded = np.pad(values, around, constant_values=fill)
        windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * cells + 1, axis=axis)
        values = better.reduce(windows, axis=-1)
    return values


def length_overlap(cap_m: float, width: float, height: float) -> int:
    """Return the overlap (cells) with which slope lengths of blocks are those of the whole."""
    return math.ceil(cap_m / min(width, height)) + 2


def slope_lengths(
    dem: Floats,
    width: float,
    height: float,
    cap_m: float,
    ends: tuple[bool, bool, bool, bool] = (True, True, True, True),
    barriers: NDArray[np.bool_] | None = None,
    steep_cut: float = 0.5,
    gentle_cut: float = 0.7,
) -> tuple[Floats, Floats]:
    """Return where the slope of each cell begins and ends (m below its top), both at most `cap_m`.

    Water runs to the steepest of eight neighbours. A length starts anew where the ground becomes gentler
    than `steep_cut` (`gentle_cut` below 5 %) times the way down to it, in pits, on flats, at `barriers`
    (Van Remortel et al. 2004). Of several ways the longest counts. `ends` says which sides (top, bottom,
    left, right) end the raster: over the others cells are cut off, so the outermost ones send nothing.
    """
    tangent, receiver, step = _receivers(dem, width, height)
    sends = receiver >= 0
    _switch_off(sends, ends)
    if barriers is not None:
        sends &= ~barriers
    open_below = _reaches_outside(dem) & (receiver < 0)
    accepts = ~np.isnan(dem) if barriers is None else ~np.isnan(dem) & ~barriers
    begin = np.zeros(dem.shape)
    passing = []
    for number, (down, right) in enumerate(_NEIGHBOURS):
        # Seen from the receiver, the sender lies the other way.
        above = _shifted(np.where(sends & (receiver == number), tangent, np.nan), -down, -right, np.nan)
        cut = np.where(above < 0.05, gentle_cut, steep_cut)
        passing.append(accepts & ~np.isnan(above) & (open_below | (tangent >= cut * above)))
    for _ in range(math.ceil(cap_m / min(width, height)) + 1):
        end = np.minimum(begin + step, cap_m)
        begin = np.zeros(dem.shape)
        for (down, right), open_ in zip(_NEIGHBOURS, passing):
            begin = np.maximum(begin, np.where(open_, _shifted(end, -down, -right, 0.0), 0.0))
    missing = np.isnan(dem)
    end = np.minimum(begin + step, cap_m)
    return np.where(missing, np.nan, begin), np.where(missing, np.nan, end)


def _receivers(dem: Floats, width: float, height: float) -> tuple[Floats, NDArray[np.int8], Floats]:
    """Return tangent downhill (0 in pits), number of the neighbour it leads to (-1 none), way to it (m)."""
    tangent = np.zeros(dem.shape)
    receiver = np.full(dem.shape, -1, np.int8)
    step = np.full(dem.shape, min(width, height))
    for number, (down, right) in enumerate(_NEIGHBOURS):
        way = math.hypot(down * height, right * width)
        falls = (dem - _shifted(dem, down, right, np.nan)) / way
        steeper = falls > tangent
        tangent = np.where(steeper, falls, tangent)
        receiver = np.where(steeper, np.int8(number), receiver)
        step = np.where(steeper, way, step)
    return tangent, receiver, step


def _switch_off(sends: NDArray[np.bool_], ends: tuple[bool, bool, bool, bool]) -> None:
    """Let the outermost cells of a block send nothing where it does not end the raster."""
    top, bottom, left, right = ends
    for keeps, edge in ((top, sends[0]), (bottom, sends[-1]), (left, sends[:, 0]), (right, sends[:, -1])):
        if not keeps:
            edge[:] = False


def _reaches_outside(dem: Floats) -> NDArray[np.bool_]:
    """Return which cells have a neighbour without data: nobody knows where their water goes."""
    missing = np.isnan(dem)
    around = [_shifted(missing, down, right, True) for down, right in _NEIGHBOURS]
    return np.logical_or.reduce(around) & ~missing
