# SPDX-License-Identifier: GPL-2.0-or-later
"""Rasters of the demo city for the evaluation: elevation, NDVI and soil, on one grid, block by block."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from swc_zoning.engine.evaluation import rasters
from swc_zoning.engine.evaluation.rasters import Block, Grid, Output, Stack, View
from swc_zoning.engine.evaluation.vectors import Burnt
from swc_zoning.test_data import delta, relief
from swc_zoning.test_data.ground import PLANTABLE, WATER
from swc_zoning.test_data.layers import City

Array = np.ndarray
FOLDER = "rasters"
#: NDVI of land uses at the end of August: mean, and how much it differs from parcel to parcel.
GREEN = {
    "0101": (0.62, 0.05),
    "0103": (0.52, 0.07),
    "0201": (0.63, 0.05),
    "0301": (0.76, 0.03),
    "0402": (0.66, 0.05),
    "0404": (0.63, 0.06),
    "05H1": (0.16, 0.05),
    "0601": (0.15, 0.05),
    "0701": (0.23, 0.06),
    "0702": (0.30, 0.06),
    "0810": (0.55, 0.08),
    "08H1": (0.24, 0.06),
    "1003": (0.18, 0.04),
    "1101": (-0.12, 0.02),
    "1102": (-0.16, 0.02),
    "1103": (-0.18, 0.02),
    "1104": (-0.05, 0.04),
    "1105": (0.08, 0.02),
    "1202": (0.32, 0.08),
    "": (-0.20, 0.02),
}


@dataclass(frozen=True)
class Scene:
    """The city on cells: what lies on each, and smooth random surfaces over them."""

    city: City
    grid: Grid

    @cached_property
    def _parcels(self) -> Burnt:
        return Burnt(self.city.parcels.geometry, self.grid)

    @cached_property
    def _bands(self) -> dict[str, Burnt]:
        return {}

    @property
    def whole(self) -> Block:
        """Return all cells as one block."""
        return Block(0, self.grid.rows, 0, self.grid.cols)

    @cached_property
    def uses(self) -> Array:
        """Return the land-use code of each parcel, and "" last, for cells outside."""
        return np.append(self.city.parcels.use, "")

    def parcel(self, block: Block) -> Array:
        """Return the number of the parcel of each cell, -1 outside the city."""
        return self._parcels.numbers(block)

    def within(self, band: str, block: Block) -> Array:
        """Return which cells have their centre in a band of `relief.band`."""
        if band not in self._bands:
            shape = np.array([relief.band(self.city, band)], dtype=object)
            self._bands[band] = Burnt(shape, self.grid)
        return self._bands[band].numbers(block) >= 0

    def centres(self, block: Block) -> Array:
        """Return the centres of the cells of a block, [rows * columns, 2]."""
        east, north = self.axes(block)
        return np.stack(np.meshgrid(east, north), axis=-1).reshape(-1, 2)

    def noise(self, name: str, wavelength: float, block: Block) -> Array:
        """Return a smooth random surface (about -1..1) on the cells of a block."""
        waves, phase = delta.waves(self.city.ground.seed, name, wavelength)
        east, north = self.axes(block)
        # A wave over rows and columns is a sum of products: far less than a cosine for each cell.
        along = east[None, :] * waves[0][:, None] + phase[:, None]
        across = north[:, None] * waves[1][None, :]
        summed = np.cos(across) @ np.cos(along) - np.sin(across) @ np.sin(along)
        return summed / np.sqrt(len(phase))

    def axes(self, block: Block) -> tuple[Array, Array]:
        """Return the eastings of the columns and the northings of the rows of a block, at centres."""
        a, _, c, _, e, f = self.grid.transform
        columns, rows = np.arange(block.left, block.right), np.arange(block.top, block.bottom)
        return c + a * (columns + 0.5), f + e * (rows + 0.5)

    def speckle(self, name: str, block: Block) -> Array:
        """Return random values (normal, of unit spread) of cells; a cell has the same in any block."""
        made = np.empty(block.shape)
        for row in range(block.top, block.bottom):
            rng = delta.stream(self.city.ground.seed, f"{name}{row}")
            made[row - block.top] = rng.standard_normal(self.grid.cols)[block.left : block.right]
        return made


def grid_over(city: City, cell: float) -> Grid:
    """Return the grid over the city: cells of `cell` metres with edges at multiples of it, EPSG:4549."""
    import rasterio

    west, south, east, north = shapely.bounds(city.ground.boundary)
    left, top = np.floor(west / cell) * cell, np.ceil(north / cell) * cell
    rows, cols = int(np.ceil((top - south) / cell)), int(np.ceil((east - left) / cell))
    crs = rasterio.CRS.from_user_input(city.ground.config["city"]["crs"]).to_wkt()
    return Grid(crs, (cell, 0.0, float(left), 0.0, -cell, float(top)), rows, cols)


def write(city: City, folder: Path, cell: float, advance: Callable[[float], None]) -> None:
    """Write ``dem.tif`` (m), ``ndvi.tif``, and sand, silt, clay and organic ``carbon.tif`` (%)."""
    scene = Scene(city, grid_over(city, cell))
    folder.mkdir(parents=True, exist_ok=True)
    outputs = {"dem": Output(folder / "dem.tif", unit="m"), "ndvi": Output(folder / "ndvi.tif")}
    for name in ("sand", "silt", "clay", "carbon"):
        outputs[name] = Output(folder / f"{name}.tif", unit="%")
    rasters.compute(Stack({}, scene.grid, {}), outputs, lambda view: _cells(scene, view), advance)


def _cells(scene: Scene, view: View) -> Mapping[str, Array]:
    block = view.block
    parcel = scene.parcel(block)
    use = scene.uses[parcel]
    outside = parcel < 0
    made: dict[str, Any] = {"dem": relief.elevation(scene, block, use), "ndvi": _ndvi(scene, block, parcel)}
    made.update(_soil(scene, block, np.isin(use, WATER)))
    return {name: np.where(outside, np.nan, values) for name, values in made.items()}


def _ndvi(scene: Scene, block: Block, parcel: Array) -> Array:
    """Return NDVI: land use, its parcel, the state of growth around it, and the cell."""
    rng = scene.city.ground.rng("ndvi")
    mean, spread = (np.array([GREEN[use][i] for use in scene.uses]) for i in (0, 1))
    value = mean + spread * np.clip(rng.standard_normal(len(mean)), -2, 2)
    wet = np.isin(scene.uses, WATER)[parcel]
    ndvi = value[parcel] + np.where(wet, 0.0, 0.025 * scene.noise("growth", 12000.0, block))
    # Reed grows on the higher flats of the reserves and along the dyke.
    reed = (scene.uses[parcel] == "1105") & (scene.noise("reed", 2600.0, block) > 0.1)
    ndvi = np.where(reed, 0.58 + 0.06 * scene.noise("reeds", 900.0, block), ndvi)
    use = scene.uses[parcel]
    belt = scene.within("belt", block) & np.isin(use, PLANTABLE)
    belt |= scene.within("feet", block) & ~np.isin(use, [*WATER, "1003"])
    ndvi = np.where(belt, np.maximum(ndvi, 0.73), ndvi)
    ndvi = ndvi + np.where(wet & ~reed, 0.015, 0.03) * scene.speckle("ndvi", block)
    return np.round(np.clip(ndvi, -0.4, 0.93), 3)


def _soil(scene: Scene, block: Block, water: Array) -> Mapping[str, Array]:
    """Return sand, silt, clay and organic carbon (%): sandy silt at the coast, clay in the low west."""
    centres = scene.centres(block).reshape(*block.shape, 2)
    origin = scene.city.ground.metres([0, 0])
    seaward = np.clip((centres[..., 0] - origin[0]) / 75000.0, 0.0, 1.0)
    hill = np.clip(relief.hills(scene, block) / 15.0, 0.0, 1.0)
    sand = 12.0 + 16.0 * seaward**1.5 + 3.0 * scene.noise("sand", 15000.0, block) + 18.0 * hill
    clay = 34.0 - 18.0 * seaward + 3.0 * scene.noise("clay", 18000.0, block) - 9.0 * hill
    carbon = 1.75 - 0.85 * seaward + 0.18 * scene.noise("carbon", 9000.0, block) + 0.6 * hill
    sand, clay = np.round(np.clip(sand, 3, 70), 1), np.round(np.clip(clay, 5, 60), 1)
    made = {"sand": sand, "silt": np.round(100.0 - sand - clay, 1), "clay": clay}
    made["carbon"] = np.round(np.clip(carbon, 0.3, 4.0), 2)
    return {name: np.where(water, np.nan, values) for name, values in made.items()}
