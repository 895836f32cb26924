# SPDX-License-Identifier: GPL-2.0-or-later
"""Polygons and lines for the evaluation: read in the CRS of a grid, put onto its cells, written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import CRS, Transformer
from pyproj.exceptions import CRSError
from rasterio import Affine
from rasterio.features import rasterize

from swc_zoning.engine import formats
from swc_zoning.engine.evaluation.rasters import Block, Grid
from swc_zoning.engine.messages import SwcError


@dataclass(frozen=True)
class Shapes:
    """Features: geometries (n), columns by name, their CRS as WKT, the name of the file."""

    geometry: NDArray[Any]
    columns: Mapping[str, NDArray[Any]]
    crs: str
    name: str

    def __len__(self) -> int:
        return len(self.geometry)

    def raw(self, field: str) -> list[Any]:
        """Return the values of a field; raises SwcError ``evaluation.field``."""
        if field not in self.columns:
            raise SwcError("evaluation.field", path=self.name, field=field)
        return self.columns[field].tolist()

    def column(self, field: str) -> list[str]:
        """Return a field as text; raises SwcError ``evaluation.field``."""
        return ["" if value is None else str(value) for value in self.raw(field)]


def read(source: str, columns: Sequence[str] | None = None) -> Shapes:
    """Read ``path`` or ``path|layername=NAME``; geometries are made valid, empty ones are left out.

    `columns` are the fields to read (default: all). Raises what `formats.read_vector` raises, and SwcError
    ``evaluation.no_crs``.
    """
    path, _, layer = source.partition("|layername=")
    table = formats.read_vector(path, layer or None, columns=columns)
    if table.layer.crs is None:
        raise SwcError("evaluation.no_crs", path=Path(path).name)
    found = shapely.force_2d(shapely.from_wkb(np.asarray(table.wkb)))
    # To look is much cheaper than to mend, and most are valid.
    wrong = (shapely.get_dimensions(found) == 2) & ~shapely.is_valid(found)
    found[wrong] = shapely.make_valid(found[wrong])
    some = ~(shapely.is_missing(found) | shapely.is_empty(found))
    columns = {name: values[some] for name, values in table.columns.items()}
    return Shapes(found[some], columns, table.layer.crs, Path(path).name)


def read_onto(source: str, crs: str, columns: Sequence[str] | None = None) -> Shapes:
    """Read features with their vertices transformed to `crs`; `columns` as in `read`."""
    shapes = read(source, columns)
    one, other = CRS.from_user_input(shapes.crs), CRS.from_user_input(crs)
    if one == other:
        return shapes
    try:
        step = Transformer.from_crs(one, other, always_xy=True)
    except CRSError as error:
        raise SwcError("evaluation.crs_differs", path=shapes.name, other=other.name) from error
    moved = shapely.transform(shapes.geometry, lambda points: np.column_stack(step.transform(*points.T)))
    return Shapes(moved, shapes.columns, crs, shapes.name)


def geometry_onto(sources: Iterable[str], crs: str) -> NDArray[Any]:
    """Read the geometries of several sources, transformed to `crs`."""
    read_in = [read_onto(source, crs, []).geometry for source in sources]
    return np.concatenate(read_in) if read_in else np.empty(0, object)


def require_metres(shapes: Shapes) -> None:
    """Refuse features in degrees or feet: raises SwcError ``evaluation.degrees`` or ``evaluation.unit``."""
    crs = CRS.from_user_input(shapes.crs)
    if not crs.is_projected:
        raise SwcError("evaluation.degrees", path=shapes.name, crs=crs.name)
    if abs(crs.axis_info[0].unit_conversion_factor - 1) > 1e-9:
        raise SwcError("evaluation.unit", path=shapes.name, unit=crs.axis_info[0].unit_name)


class Burnt:
    """Polygons on cells: a cell has the number of the polygon its centre lies in."""

    def __init__(self, geometry: NDArray[Any], grid: Grid) -> None:
        self._geometry = geometry
        self._grid = grid
        self._tree = shapely.STRtree(geometry)

    def numbers(self, block: Block) -> NDArray[np.int32]:
        """Return the number of the polygon for each cell of a block, -1 outside; later ones go first."""
        a, _, c, _, e, f = self._grid.transform
        west, north = c + a * block.left, f + e * block.top
        place = Affine(a, 0, west, 0, e, north)
        box = shapely.box(west, f + e * block.bottom, c + a * block.right, north)
        hits = np.sort(self._tree.query(box))
        if not len(hits):
            return np.full(block.shape, -1, np.int32)
        pairs = [(self._geometry[hit], int(hit)) for hit in hits]
        return rasterize(pairs, block.shape, fill=-1, transform=place, dtype="int32")


def write(
    path: Path, layer: str, geometry: NDArray[Any], columns: Mapping[str, Any], crs: str, kind: str
) -> None:
    """Write features to a GeoPackage and read them back; raises ``intake.unwritable``."""
    made = {name: _column(values) for name, values in columns.items()}
    batch = formats.Batch(shapely.to_wkb(geometry), made)
    formats.write_table(path, layer, [batch], crs, kind, append=False)
    field = formats.difference(path, layer, [batch])
    if field is not None:
        raise SwcError("evaluation.unwritable", path=path.name, reason=field)


def _column(values: Any) -> NDArray[Any]:
    if len(values) and isinstance(values[0], (int, float, np.number)):
        return np.asarray(values)
    return np.array(list(values), object)
