# SPDX-License-Identifier: GPL-2.0-or-later
"""Algorithms on elevations: slope and relief, length and slope factor."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from swc_zoning.engine.evaluation import factors, terrain, units
from swc_zoning.engine.evaluation.rasters import (
    Extremes,
    Floats,
    Grid,
    Output,
    Stack,
    View,
    compute,
    require_metres,
    stacked,
)

if TYPE_CHECKING:
    from swc_zoning.engine.evaluation.running import Run

#: No ground measured in cells is steeper: there elevations stand beside unmarked no data.
_CLIFF_DEG = 80.0
#: A window this many times as wide as asked for is said: relief grows with it.
_FAR_WINDOW = 1.5
#: Sides of a square cell may differ by this share of it.
_ROUNDED = 1e-9


def slope_and_relief(run: Run) -> None:
    """Write slope (degrees) and relief (m) of a raster of elevations in a metric CRS."""
    with stacked({"dem": run["dem"]}) as stack:
        require_metres(stack.grid, run["dem"].name)
        width, height = _sides(stack.grid)
        cells = terrain.reach(run["window_m"], max(width, height))
        window = (2 * cells + 1) * max(width, height)
        run.facts.update({"window_cells": 2 * cells + 1, "window_m": window})
        if window > _FAR_WINDOW * run["window_m"]:
            run.find("evaluation.wide_window", asked=run["window_m"], window=window, cell=max(width, height))
        flatness = units.Flatness()

        def make(view: View) -> dict[str, Floats]:
            slope = terrain.slope(view["dem"], width, height)
            return {"slope": slope, "relief": terrain.relief(view["dem"], cells)}

        outputs = {name: Output(run.path(name), unit=run.unit(name)) for name in ("slope", "relief")}
        compute(stack, outputs, make, run.progress.advance, overlap=cells + 1)
    _tell(run, flatness)


def _tell(run: Run, flatness: units.Flatness) -> None:
    """Say where slopes are too gentle for methods that go by them, or too steep to be true."""
    cliffs = Extremes()
    with stacked({"slope": run.path("slope")}) as made:
        for block in made.blocks():
            slope = made.read(block)["slope"]
            flatness.add(slope)
            cliffs.add(slope[slope > _CLIFF_DEG])
    flatness.tell(run)
    if cliffs.count:
        run.find("evaluation.cliffs", count=cliffs.count, most=cliffs.most)


def slope_length(run: Run) -> None:
    """Write slope length (m), L, S and LS of a raster of elevations in a metric CRS."""
    pieces, exponent = run.set("slope_factor"), run.set("length_exponent")
    with stacked(run.given("dem", "barriers")) as stack:
        require_metres(stack.grid, run["dem"].name)
        width, height = _sides(stack.grid)
        if run["length_m"] is None and min(width, height) >= run["cap_m"]:
            run.find("evaluation.cap_below_cell", cell=min(width, height), cap=run["cap_m"])

        def make(view: View) -> dict[str, Floats]:
            slope = terrain.slope(view["dem"], width, height)
            begin, end = _lengths(run, stack, view)
            m = factors.length_exponent(slope, exponent)
            length = factors.length_factor(end, m)
            if run["form"] == "segment":
                length = factors.segment_factor(begin, end, m)
            steepness = factors.slope_factor(slope, pieces)
            return {"length": end, "l": length, "s": steepness, "ls": length * steepness}

        overlap = terrain.length_overlap(run["cap_m"], width, height)
        run.facts["overlap_cells"] = overlap
        outputs = {one.name: Output(run.folder / one.file, unit=one.unit) for one in run.algorithm.outputs}
        compute(stack, outputs, make, run.progress.advance, overlap=overlap)


def _sides(grid: Grid) -> tuple[float, float]:
    """Return width and height of a cell; of a square one that was rounded, the width twice.

    Else falls that are the same to two sides would not be a tie, and rounding would say where water runs.
    """
    width, height = grid.cell
    return width, width if abs(width - height) <= _ROUNDED * width else height


def _lengths(run: Run, stack: Stack, view: View) -> tuple[Floats, Floats]:
    """Return where slopes begin and end (m): one given length for all, or as water runs."""
    dem = view["dem"]
    if run["length_m"] is not None:
        end = np.where(np.isnan(dem), np.nan, run["length_m"])
        return np.zeros(dem.shape), end
    barriers = None
    if stack.is_raster("barriers"):
        barriers = np.nan_to_num(view["barriers"]) != 0
    cuts = run["steep_cut"], run["gentle_cut"]
    return terrain.slope_lengths(dem, *_sides(stack.grid), run["cap_m"], view.ends, barriers, *cuts)
