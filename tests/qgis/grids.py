# SPDX-License-Identifier: GPL-2.0-or-later
"""Small rasters for tests: 10 x 12 cells of 30 m whose lower left corner is that of `layers`."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any, Callable

import layers
from osgeo import gdal, osr

ROWS, COLS, CELL = 10, 12, 30.0
gdal.UseExceptions()


def raster(
    path: Path, cell: Callable[[int, int], float], kind: int = gdal.GDT_Float32, crs: int = 4549
) -> str:
    """Write cell(row, column) as a GeoTIFF whose lower left corner is that of `layers`."""
    made = gdal.GetDriverByName("GTiff").Create(str(path), COLS, ROWS, 1, kind)
    made.SetGeoTransform((layers.EAST, CELL, 0, layers.NORTH + ROWS * CELL, 0, -CELL))
    place = osr.SpatialReference()
    place.ImportFromEPSG(crs)
    made.SetProjection(place.ExportToWkt())
    band = made.GetRasterBand(1)
    for row in range(ROWS):
        line = [cell(row, col) for col in range(COLS)]
        code = "B" * COLS if kind == gdal.GDT_Byte else "f" * COLS
        band.WriteRaster(0, row, COLS, 1, struct.pack("=" + code, *line))
    made.FlushCache()
    return str(path)


def flat_delta(folder: Path) -> dict[str, Any]:
    """Write what the chain of a flat delta is given, woods beside a lake, and return its parameters."""
    drawn = {
        "LANDUSE": ("DLTB", [(0, 0, 180), (180, 0, 120)], [{"DLBM": "0301"}, {"DLBM": "0103"}]),
        "WATERS": ("河湖", [(60, 60, 60)], [{"class": "湖泊"}]),
        "DRINKING_WATER_SOURCE": ("SYD", [(0, 0, 60)], [{"BHQJB": "一级保护区"}]),
    }
    paths = {
        name: layers.geojson(folder / f"{file}.geojson", squares, values)
        for name, (file, squares, values) in drawn.items()
    }
    ndvi = raster(folder / "ndvi.tif", lambda row, col: 0.1 + 0.06 * row)
    dem = raster(folder / "dem.tif", lambda row, col: 3 + 0.1 * row)
    grid = {"NDVI": ndvi, "DEM": dem, "CRS": "EPSG:4549", "CELL_M": 30}
    return {**grid, **paths, "CLASS_FIELD": "class", "WIDTHS": ["湖泊", "60"], "LEAST_M2": 0}
