# SPDX-License-Identifier: GPL-2.0-or-later
"""Rasters by windows: inputs on one grid, outputs on it, no more in memory than a block of each.

No data is NaN in memory, whatever a file marks it with. What is computed cell by cell, or with an
overlap that covers its neighbourhood, does not depend on the size of blocks.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, Union

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.errors import RasterioError
from rasterio.windows import Window

from swc_zoning.engine.messages import SwcError

Floats = NDArray[np.float64]
#: A raster file, or one value for all cells.
Input = Union[Path, float]

BLOCK = 1024
#: About so many cells are in a strip, and so many rows at a time.
STRIP_CELLS, STRIP_ROWS = 2_000_000, 256
#: Cells may lie apart by this share of a cell and still be the same.
_SAME = 1e-6


@dataclass(frozen=True)
class Grid:
    """Where the cells of a raster are; `transform` as six numbers (a, b, c, d, e, f), `crs` as WKT."""

    crs: str
    transform: tuple[float, float, float, float, float, float]
    rows: int
    cols: int

    @property
    def affine(self) -> rasterio.Affine:
        """Return the transform from (column, row) to coordinates."""
        return rasterio.Affine(*self.transform)

    @property
    def cell(self) -> tuple[float, float]:
        """Return width and height of a cell in units of the CRS."""
        return abs(self.transform[0]), abs(self.transform[4])

    def is_like(self, other: Grid) -> bool:
        """Return whether the cells of both are the same."""
        if (self.rows, self.cols) != (other.rows, other.cols) or not same_crs(self.crs, other.crs):
            return False
        slack = _SAME * min(self.cell) / max(self.rows, self.cols)
        return all(
            abs(one - two) <= max(slack, abs(one) * 1e-12)
            for one, two in zip(self.transform, other.transform)
        )


@dataclass(frozen=True)
class Block:
    """Rows and columns of a grid, the end not included."""

    top: int
    bottom: int
    left: int
    right: int

    @property
    def window(self) -> Window:
        """Return the block as rasterio wants it."""
        return Window(self.left, self.top, self.right - self.left, self.bottom - self.top)

    @property
    def shape(self) -> tuple[int, int]:
        """Return (rows, columns)."""
        return self.bottom - self.top, self.right - self.left

    def grown(self, by: int, grid: Grid) -> Block:
        """Return this block with `by` more cells on each side, as far as the grid goes."""
        top, left = max(0, self.top - by), max(0, self.left - by)
        return Block(top, min(grid.rows, self.bottom + by), left, min(grid.cols, self.right + by))

    def cut_from(self, outer: Block) -> tuple[slice, slice]:
        """Return where this block lies in an array of `outer`."""
        rows = slice(self.top - outer.top, self.bottom - outer.top)
        return rows, slice(self.left - outer.left, self.right - outer.left)


@dataclass(frozen=True)
class View:
    """What a function of cells sees: arrays by name, of `block` grown by the overlap, and the grid."""

    arrays: Mapping[str, Floats]
    block: Block
    grid: Grid

    def __getitem__(self, name: str) -> Floats:
        return self.arrays[name]

    @property
    def ends(self) -> tuple[bool, bool, bool, bool]:
        """Return whether top, bottom, left and right are ends of the raster, not of a block."""
        block, grid = self.block, self.grid
        return block.top == 0, block.bottom == grid.rows, block.left == 0, block.right == grid.cols


@dataclass(frozen=True)
class Output:
    """A raster to write: path, type, value of no data, unit of the values ("" for none)."""

    path: Path
    dtype: str = "float32"
    nodata: float = math.nan
    unit: str = ""


def same_crs(one: str, other: str) -> bool:
    """Return whether two CRS (WKT or code) are the same."""
    return one == other or rasterio.CRS.from_user_input(one) == rasterio.CRS.from_user_input(other)


@contextmanager
def opened(path: Path) -> Iterator[Any]:
    """Open a raster for reading; raises SwcError ``evaluation.unreadable`` for what fails in it."""
    try:
        with rasterio.open(path) as dataset:
            yield dataset
    except RasterioError as error:
        raise SwcError("evaluation.unreadable", path=Path(path).name, reason=str(error)) from error


def grid_of(dataset: Any) -> Grid:
    """Return the grid of an open raster; raises ``evaluation.no_crs`` and ``evaluation.rotated``."""
    name = Path(dataset.name).name
    if dataset.crs is None:
        raise SwcError("evaluation.no_crs", path=name)
    transform = dataset.transform
    if transform.b or transform.d or transform.a <= 0 or transform.e >= 0:
        raise SwcError("evaluation.rotated", path=name)
    return Grid(dataset.crs.to_wkt(), tuple(transform)[:6], dataset.height, dataset.width)


def require_metres(grid: Grid, path: str) -> None:
    """Refuse a grid in degrees or feet: raises SwcError ``evaluation.degrees`` or ``evaluation.unit``."""
    crs = rasterio.CRS.from_user_input(grid.crs)
    if not crs.is_projected:
        raise SwcError("evaluation.degrees", path=path, crs=crs.to_string()[:60])
    name, factor = crs.linear_units_factor
    if abs(factor - 1) > 1e-9:
        raise SwcError("evaluation.unit", path=path, unit=name)


class Stack:
    """Rasters on one grid, and values that hold everywhere, by name."""

    def __init__(self, sources: Mapping[str, Any], grid: Grid, values: Mapping[str, float]) -> None:
        self._sources = sources
        self._values = values
        self.grid = grid

    def read(self, block: Block, names: tuple[str, ...] | None = None) -> dict[str, Floats]:
        """Return the cells of a block as float64 arrays (rows, columns), NaN where there is no data."""
        wanted = (*self._sources, *self._values) if names is None else names
        return {name: self._one(name, block) for name in wanted}

    def _one(self, name: str, block: Block) -> Floats:
        if name in self._values:
            return np.full(block.shape, self._values[name])
        source = self._sources[name]
        found = source.read(1, window=block.window, masked=True)
        values = found.astype(np.float64).filled(np.nan)
        scale, offset = source.scales[0], source.offsets[0]
        values = values if (scale, offset) == (1.0, 0.0) else values * scale + offset
        return np.where(np.isinf(values), np.nan, values)

    def unit(self, name: str) -> str:
        """Return the unit the file states for its values, "" where it does not."""
        return (self._sources[name].units[0] or "").lower() if name in self._sources else ""

    def is_raster(self, name: str) -> bool:
        """Return whether `name` is a raster of this stack, not a value."""
        return name in self._sources

    def blocks(self, size: int = BLOCK) -> list[Block]:
        """Return blocks that cover the grid, row by row."""
        rows, cols = range(0, self.grid.rows, size), range(0, self.grid.cols, size)
        ends = self.grid.rows, self.grid.cols
        return [Block(r, min(r + size, ends[0]), c, min(c + size, ends[1])) for r in rows for c in cols]

    def strips(self) -> list[Block]:
        """Return blocks of whole rows that cover the grid, from the top down."""
        rows = max(1, round(STRIP_CELLS / self.grid.cols / STRIP_ROWS)) * STRIP_ROWS
        tops = range(0, self.grid.rows, rows)
        return [Block(top, min(top + rows, self.grid.rows), 0, self.grid.cols) for top in tops]


@contextmanager
def stacked(inputs: Mapping[str, Input]) -> Iterator[Stack]:
    """Open rasters that lie on one grid; raises ``evaluation.grid_differs`` and ``evaluation.no_raster``."""
    paths = {name: one for name, one in inputs.items() if not isinstance(one, (int, float))}
    values = {name: float(one) for name, one in inputs.items() if name not in paths}
    if not paths:
        raise SwcError("evaluation.no_raster", names=", ".join(values))
    with ExitStack() as stack:
        sources = {name: stack.enter_context(opened(path)) for name, path in paths.items()}
        grids = {name: grid_of(source) for name, source in sources.items()}
        first = next(iter(grids))
        for name, grid in grids.items():
            if not grid.is_like(grids[first]):
                facts = {"path": Path(paths[name]).name, "other": Path(paths[first]).name}
                raise SwcError("evaluation.grid_differs", **facts)
        yield Stack(sources, grids[first], values)


#: Takes a view, returns arrays by output, of the shape of the view.
Function = Callable[[View], Mapping[str, NDArray[Any]]]


def compute(
    stack: Stack,
    outputs: Mapping[str, Output],
    function: Function,
    advance: Callable[[float], None] = lambda fraction: None,
    overlap: int = 0,
    size: int = BLOCK,
    *,
    blocks: Sequence[Block] | None = None,
) -> None:
    """Write `outputs` block by block as `function` makes them; `overlap` in cells is cut off again.

    `blocks` in the order given (default: squares of `size`). Each file is written aside and takes its
    place when all are whole.
    """
    blocks = stack.blocks(size) if blocks is None else blocks
    with ExitStack() as opened_outputs:
        targets = {
            name: opened_outputs.enter_context(_written(one, stack.grid)) for name, one in outputs.items()
        }
        for number, block in enumerate(blocks):
            outer = block.grown(overlap, stack.grid)
            made = function(View(stack.read(outer), outer, stack.grid))
            for name, target in targets.items():
                cut = made[name][block.cut_from(outer)]
                target.write(_marked(cut, outputs[name]), 1, window=block.window)
            advance((number + 1) / len(blocks))
    for one in outputs.values():
        os.replace(_aside(one.path), one.path)


def _aside(path: Path) -> Path:
    return path.with_name(f"{path.name}.part")


def _marked(values: NDArray[Any], output: Output) -> NDArray[Any]:
    """Return values in the type of a file, no data as it marks them."""
    if values.dtype.kind == "f" and not math.isnan(output.nodata):
        values = np.where(np.isnan(values), output.nodata, values)
    return values.astype(output.dtype)


@contextmanager
def _written(output: Output, grid: Grid) -> Iterator[Any]:
    layout = {"tiled": True, "blockxsize": 256, "blockysize": 256, "compress": "deflate", "zlevel": 1}
    kind = {"driver": "GTiff", "count": 1, "dtype": output.dtype, "nodata": output.nodata}
    place = {"crs": grid.crs, "transform": grid.affine, "width": grid.cols, "height": grid.rows}
    try:
        with rasterio.open(_aside(output.path), "w", BIGTIFF="IF_SAFER", **kind, **place, **layout) as target:
            if output.unit:
                target.units = (output.unit,)
            yield target
    except RasterioError as error:
        raise SwcError("evaluation.unwritable", path=output.path.name, reason=str(error)) from error


@dataclass
class Extremes:
    """Least and greatest value and number of the cells with data, of a raster read through once."""

    least: float = math.inf
    most: float = -math.inf
    count: int = 0

    def add(self, values: Floats) -> None:
        """Take more cells."""
        known = values[~np.isnan(values)]
        if known.size:
            self.least, self.most = min(self.least, float(known.min())), max(self.most, float(known.max()))
            self.count += known.size


def extremes(stack: Stack, name: str, path: str, size: int = BLOCK) -> Extremes:
    """Return the extremes of a raster; raises ``evaluation.empty`` where no cell has data."""
    found = Extremes()
    for block in stack.blocks(size):
        found.add(stack.read(block, (name,))[name])
    if not found.count:
        raise SwcError("evaluation.empty", path=path)
    return found


def row_areas(grid: Grid) -> Floats:
    """Return the area (m2) of a cell of each row; in degrees on the ellipsoid, closed authalic formula.

    q(p) = b^2/2 [sin p/(1 - e^2 sin^2 p) + artanh(e sin p)/e] for each radian of longitude.
    """
    crs = rasterio.CRS.from_user_input(grid.crs)
    if crs.is_projected:
        return np.full(grid.rows, grid.cell[0] * grid.cell[1] * crs.linear_units_factor[1] ** 2)
    edges = grid.transform[5] + grid.transform[4] * np.arange(grid.rows + 1)
    zone = authalic(edges, *ellipsoid(crs))
    return np.abs(np.diff(zone)) * math.radians(grid.cell[0])


def ellipsoid(crs: Any) -> tuple[float, float]:
    """Return the greater half axis (m) and the flattening of the ellipsoid of a CRS."""
    from pyproj import CRS

    found = CRS.from_wkt(crs.to_wkt()).ellipsoid
    return found.semi_major_metre, 1 / found.inverse_flattening if found.inverse_flattening else 0.0


def authalic(latitude: Any, a: float, f: float) -> Floats:
    """Return the area (m2) between equator and latitudes (degrees) for each radian of longitude."""
    e = math.sqrt(f * (2 - f))
    sine = np.sin(np.radians(np.asarray(latitude, float)))
    tail = np.arctanh(e * sine) / e if e else sine
    return (a * (1 - f)) ** 2 / 2 * (sine / (1 - e * e * sine * sine) + tail)
