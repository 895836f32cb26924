# SPDX-License-Identifier: GPL-2.0-or-later
"""Regions of equal cells as polygons: four neighbours, in whole cells so that areas are exact."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Callable

import numpy as np
import rasterio
import shapely
from numpy.typing import NDArray
from rasterio.features import shapes as polygons_of

from swc_zoning.engine.evaluation.rasters import Block, Grid
from swc_zoning.engine.evaluation.regions import Regions
from swc_zoning.engine.messages import SwcError

Cells = NDArray[np.bool_]


def outlines(path: Path) -> tuple[NDArray[np.int64], NDArray[Any]]:
    """Return value and polygon of each region of equal cells above 0 of a byte raster, in cells."""
    values, drawn = [], []
    with rasterio.open(path) as dataset:
        back, band = ~dataset.transform, rasterio.band(dataset, 1)
        for shape, value in polygons_of(band, mask=band, connectivity=4):
            values.append(int(value))
            rings = [np.rint(_in_cells(ring, back)) for ring in shape["coordinates"]]
            drawn.append(shapely.Polygon(rings[0], rings[1:]))
    made = np.empty(len(drawn), object)
    made[:] = drawn
    return np.array(values, np.int64), made


def _in_cells(ring: Any, back: Any) -> NDArray[np.float64]:
    points = np.asarray(ring, float)
    return np.column_stack((back.a * points[:, 0] + back.c, back.e * points[:, 1] + back.f))


def check(drawn: NDArray[Any], cells: int) -> None:
    """Refuse polygons in cells that have not the area of so many; ``evaluation.patches_differ``."""
    patches = float(shapely.area(drawn).sum())
    if round(patches) != cells:
        raise SwcError("evaluation.patches_differ", cells=cells, patches=patches)


def placed(drawn: NDArray[Any], grid: Grid) -> NDArray[Any]:
    """Return polygons in cells where they are."""
    a, _, c, _, e, f = grid.transform
    return shapely.transform(drawn, lambda points: points * (a, e) + (c, f))


def large(read: Callable[[Block], Cells], strips: list[Block], least_cells: float) -> Regions:
    """Return the regions of a mask, read by strips, that have at least so many cells."""
    found = Regions(lambda cells, flags: cells >= least_cells)
    for strip in strips:
        mask = read(strip)
        found.add(mask, np.zeros(mask.shape, bool))
    found.close()
    return found
