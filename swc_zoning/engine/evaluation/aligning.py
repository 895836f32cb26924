# SPDX-License-Identifier: GPL-2.0-or-later
"""Bring rasters onto one grid, and say of each what was done to it."""

from __future__ import annotations

import math
from collections.abc import Iterable
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import rasterio
from rasterio.enums import Resampling
from rasterio.errors import RasterioError
from rasterio.vrt import WarpedVRT
from rasterio.warp import transform_bounds

from swc_zoning.engine.evaluation import vectors
from swc_zoning.engine.evaluation.rasters import (
    Grid,
    Output,
    Stack,
    View,
    compute,
    grid_of,
    opened,
    require_metres,
)
from swc_zoning.engine.messages import SwcError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from swc_zoning.engine.evaluation.running import Run

Bounds = tuple[float, float, float, float]

#: Share of a source cell by which places may be approximate; rasterio 1.4 takes no 0 with a given grid.
_TOLERANCE = 1e-6
#: How cells are resampled by what they hold.
_METHODS = {"continuous": Resampling.bilinear, "classes": Resampling.nearest}


def align(run: Run) -> None:
    """Write every raster on one grid whose cell corners are whole multiples of the cell size.

    It covers the polygons of `boundary`, cells outside them without data; else what all rasters cover.
    """
    given = [(path, _METHODS["continuous"]) for path in run["continuous"]]
    given += [(path, _METHODS["classes"]) for path in run["classes"]]
    if not given:
        raise SwcError("evaluation.needs", names="continuous, classes")
    _check_names([path for path, _ in given])
    grid, burnt = _asked([path for path, _ in given], run)
    for number, (path, method) in enumerate(given):
        place = (number, len(given))
        _align_one(run, path, method, grid, burnt, place, run.folder / f"{path.stem}.tif")


def align_one(run: Run) -> None:
    """Write a raster on the grid of another one, or on one that a CRS and a size of cells give."""
    path, method = run["raster"], _METHODS[run["content"]]
    if run["template"] is not None:
        with opened(run["template"]) as dataset:
            grid, burnt = grid_of(dataset), None
    elif run["crs"] is not None:
        grid, burnt = _asked([path], run)
    else:
        raise SwcError("evaluation.needs", names="template | crs")
    _align_one(run, path, method, grid, burnt, (0, 1), run.path("aligned"))


def _asked(given: list[Path], run: Run) -> tuple[Grid, vectors.Burnt | None]:
    """Return the grid that `crs`, `cell_m` and `boundary` ask for, and the boundary on it."""
    crs = rasterio.CRS.from_user_input(run["crs"])
    require_metres(Grid(crs.to_wkt(), (1, 0, 0, 0, -1, 0), 1, 1), run["crs"])
    area = vectors.read_onto(run["boundary"], crs.to_wkt()) if run["boundary"] else None
    grid = _grid(_bounds(given, crs, area), run["cell_m"], crs.to_wkt())
    run.facts["grid"] = {"rows": grid.rows, "cols": grid.cols, "transform": list(grid.transform)}
    return grid, None if area is None else vectors.Burnt(area.geometry, grid)


def _check_names(given: list[Path]) -> None:
    stems = [path.stem for path in given]
    for stem in stems:
        if stems.count(stem) > 1:
            raise SwcError("evaluation.same_name", name=stem)


def _bounds(given: Iterable[Path], crs: Any, area: vectors.Shapes | None) -> Bounds:
    """Return what all rasters cover, or what the area does, in `crs`."""
    if area is not None and len(area):
        import shapely

        return tuple(shapely.total_bounds(area.geometry))
    each = []
    for path in given:
        with opened(path) as dataset:
            if dataset.crs is None:
                raise SwcError("evaluation.no_crs", path=path.name)
            each.append(transform_bounds(dataset.crs, crs, *dataset.bounds, densify_pts=41))
    west, south, east, north = zip(*each)
    return max(west), max(south), min(east), min(north)


def _grid(bounds: Bounds, cell: float, crs: str) -> Grid:
    """Return the grid of cells that covers bounds; raises ``evaluation.no_overlap``."""
    if not all(map(math.isfinite, bounds)) or bounds[0] >= bounds[2] or bounds[1] >= bounds[3]:
        raise SwcError("evaluation.no_overlap")
    west, south = math.floor(bounds[0] / cell), math.floor(bounds[1] / cell)
    east, north = math.ceil(bounds[2] / cell), math.ceil(bounds[3] / cell)
    return Grid(crs, (cell, 0.0, west * cell, 0.0, -cell, north * cell), north - south, east - west)


def _align_one(
    run: Run,
    path: Path,
    method: Resampling,
    grid: Grid,
    burnt: vectors.Burnt | None,
    place: tuple[int, int],
    target: Path,
) -> None:
    with _warped(path, method, grid) as (dataset, warped):
        kind, nodata = _kind(dataset, method)
        stack = Stack({"cells": warped}, grid, {})

        def make(view: View) -> dict[str, Any]:
            cells = view["cells"]
            return {
                "cells": cells if burnt is None else np.where(burnt.numbers(view.block) < 0, np.nan, cells)
            }

        def advance(fraction: float) -> None:
            run.progress.advance((place[0] + fraction) / place[1])

        output = Output(target, kind, nodata, dataset.units[0] or "")
        compute(stack, {"cells": output}, make, advance)
        if dataset.count > 1:
            run.find("evaluation.many_bands", path=path.name, count=dataset.count)
        cell = " x ".join(f"{one:.6g}" for one in dataset.res)
        run.find(
            "evaluation.aligned",
            path=path.name,
            crs=dataset.crs.to_string()[:40],
            cell=cell,
            method=method.name,
        )


@contextmanager
def _warped(path: Path, method: Resampling, grid: Grid) -> Iterator[tuple[Any, Any]]:
    """Open a raster as seen on a grid; it is warped in blocks of its own, so those read do not matter."""
    with ExitStack() as stack:
        dataset = stack.enter_context(opened(path))
        if dataset.crs is None:
            raise SwcError("evaluation.no_crs", path=path.name)
        asked = {"crs": grid.crs, "transform": grid.affine, "width": grid.cols, "height": grid.rows}
        edge = {"add_alpha": False, "nodata": _nodata(dataset), "src_nodata": dataset.nodata}
        try:
            yield (
                dataset,
                stack.enter_context(
                    WarpedVRT(
                        dataset, resampling=method, tolerance=_TOLERANCE, dtype="float64", **asked, **edge
                    )
                ),
            )
        except RasterioError as error:
            raise SwcError("evaluation.unreadable", path=path.name, reason=str(error)) from error


def _nodata(dataset: Any) -> float:
    """Return what marks cells outside a raster: its own mark, else a number it cannot have."""
    return dataset.nodata if dataset.nodata is not None else math.nan


def _kind(dataset: Any, method: Resampling) -> tuple[str, float]:
    """Return type and mark of no data of an aligned raster; classes keep their type where it has room."""
    kind = dataset.dtypes[0]
    if method is Resampling.nearest and kind.startswith(("uint", "int")) and dataset.nodata is not None:
        return kind, dataset.nodata
    return "float32", math.nan
