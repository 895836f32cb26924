# SPDX-License-Identifier: GPL-2.0-or-later
"""Units of statistics (townships, streets, small watersheds): read, told apart, and what lies in them.

Vectors by exact intersection with official ellipsoidal areas, rasters by the areas of their rows.
Areas in m2.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Callable

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import CRS, Transformer

from swc_zoning.engine import areas, crs
from swc_zoning.engine.evaluation import vectors
from swc_zoning.engine.evaluation.rasters import Block, Floats, Stack, row_areas
from swc_zoning.engine.evaluation.vectors import Shapes
from swc_zoning.engine.messages import SwcError

if TYPE_CHECKING:
    from swc_zoning.engine.evaluation.running import Run

#: Units may overlap by this share of the smaller one: rounding of their borders.
_OVERLAP = 1e-6
#: Parts of a layer may cover each other by this share before it is said: rounding of their edges.
_DOUBLED = 1e-9
Advance = Callable[[float], None]


@dataclass(frozen=True)
class Units:
    """Units: geometries (n) in a metric CRS (WKT), codes ("" for none), names, official areas (m2)."""

    geometry: NDArray[Any]
    codes: list[str]
    names: list[str]
    areas: Floats
    crs: str
    columns: dict[str, NDArray[Any]]

    def __len__(self) -> int:
        return len(self.geometry)

    def onto(self, wanted: str) -> NDArray[Any]:
        """Return the geometries with their vertices transformed to another CRS."""
        one, other = CRS.from_user_input(self.crs), CRS.from_user_input(wanted)
        if one == other:
            return self.geometry
        step = Transformer.from_crs(one, other, always_xy=True)
        return shapely.transform(self.geometry, lambda points: np.column_stack(step.transform(*points.T)))

    def called(self, number: int) -> str:
        """Return code and name of a unit."""
        return f"{self.codes[number]} {self.names[number]}".strip()


def read_units(run: Run, parameter: str = "units") -> Units:
    """Read polygons of units, those of one code (else of one name) as one unit, sorted by it.

    Units in degrees are taken to the metric CRS of their place. Raises SwcError ``evaluation.field``,
    ``evaluation.units_overlap``, ``units.no_polygons`` and ``units.unnamed``.
    """
    shapes = read_metric(run[parameter])
    names = shapes.column(run["name_field"])
    coded = run["code_field"] or ("code" if "code" in shapes.columns else None)
    codes = [_code(one) for one in shapes.column(coded)] if coded else [""] * len(shapes)
    keys = [code or name for code, name in zip(codes, names)]
    if not all(keys):
        raise SwcError("units.unnamed", path=shapes.name, count=keys.count(""))
    check_apart(shapes, [f"{code} {name}".strip() for code, name in zip(codes, names)])
    first = {key: number for number, key in reversed(list(enumerate(keys)))}
    together = {key: np.array([one == key for one in keys]) for key in sorted(first)}
    geometry = np.empty(len(together), object)
    geometry[:] = [polygonal(shapely.union_all(shapes.geometry[rows])) for rows in together.values()]
    if not coded and len(geometry) < len(shapes):
        run.find("units.same_name", features=len(shapes), units=len(geometry))
    places = [first[key] for key in together]
    official = areas.round_area(areas.area_model(shapes.crs).areas(geometry))
    columns = {name: values[places] for name, values in shapes.columns.items()}
    return Units(
        geometry,
        [codes[one] for one in places],
        [names[one] for one in places],
        official,
        shapes.crs,
        columns,
    )


def _code(text: str) -> str:
    """Return a code that was kept as a number with decimals as what it was."""
    whole, point, rest = text.partition(".")
    return whole if point and whole.isdigit() and not rest.strip("0") else text


def read_metric(source: str) -> Shapes:
    """Read polygons in their CRS, or in the metric CRS of their place where they are in degrees."""
    shapes = vectors.read(source)
    keep = shapely.get_dimensions(shapes.geometry) == 2
    if not keep.any():
        raise SwcError("units.no_polygons", path=shapes.name)
    columns = {name: values[keep] for name, values in shapes.columns.items()}
    shapes = Shapes(shapes.geometry[keep], columns, shapes.crs, shapes.name)
    found = CRS.from_user_input(shapes.crs)
    if found.is_projected:
        vectors.require_metres(shapes)
        return shapes
    west, south, east, north = shapely.total_bounds(shapes.geometry).tolist()
    wanted = CRS.from_user_input(crs.choose_crs((west, south, east, north))).to_wkt()
    step = Transformer.from_crs(found, CRS.from_user_input(wanted), always_xy=True)
    moved = shapely.transform(shapes.geometry, lambda points: np.column_stack(step.transform(*points.T)))
    return Shapes(shapely.make_valid(moved), columns, wanted, shapes.name)


def read_parts(run: Run, source: str, wanted: str) -> Shapes:
    """Read the polygons of a layer in the CRS `wanted`; a layer without any feature is said.

    Raises SwcError ``units.no_polygons`` for a layer of lines or points.
    """
    shapes = vectors.read_onto(source, wanted)
    keep = shapely.get_dimensions(shapes.geometry) == 2
    if not len(shapes):
        run.find("units.empty_layer", path=shapes.name)
    elif not keep.any():
        raise SwcError("units.no_polygons", path=shapes.name)
    geometry = shapes.geometry[keep]
    broken = ~shapely.is_valid(geometry)
    geometry[broken] = shapely.make_valid(geometry[broken])
    columns = {name: one[keep] for name, one in shapes.columns.items()}
    return Shapes(geometry, columns, shapes.crs, shapes.name)


def check_apart(units: Shapes, names: list[str]) -> None:
    """Refuse units that overlap: their sum would not be the whole. SwcError ``evaluation.units_overlap``."""
    one, other = shapely.STRtree(units.geometry).query(units.geometry, predicate="intersects")
    for first, second in zip(one[one < other].tolist(), other[one < other].tolist()):
        pair = units.geometry[[first, second]]
        share = float(shapely.area(shapely.intersection(*pair)) / shapely.area(pair).min())
        if share > _OVERLAP:
            facts = {"one": names[first], "other": names[second], "percent": share * 100}
            raise SwcError("evaluation.units_overlap", **facts)


def polygonal(geometry: Any) -> Any:
    """Return the polygons of a geometry as a MultiPolygon; lines and points, where it touches, go."""
    parts = [part for part in shapely.get_parts(shapely.get_parts(geometry)) if part.geom_type == "Polygon"]
    return shapely.MultiPolygon(parts)


# --- vectors ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Shares:
    """Official areas (m2) of a layer in units by kind, shape (units, kinds); what was covered twice."""

    sums: Floats
    doubled_m2: float


def cut(unit: Any, tree: shapely.STRtree, parts: NDArray[Any]) -> tuple[NDArray[np.int64], NDArray[Any]]:
    """Return numbers and shapes of what of `parts` lies in a unit; wholly inside they stay as they are."""
    hits = np.sort(tree.query(unit, predicate="intersects"))
    shapely.prepare(unit)
    found = parts[hits]
    across = ~shapely.contains(unit, found)
    found[across] = shapely.intersection(found[across], unit)
    mixed = ~np.isin(shapely.get_type_id(found), (3, 6))
    found[mixed] = [polygonal(one) for one in found[mixed]]
    some = shapely.area(found) > 0
    return hits[some], found[some]


def areas_within(
    units: Units, parts: NDArray[Any], kinds: NDArray[np.int64], count: int, advance: Advance
) -> Shares:
    """Return the areas of `parts` by their `kinds` (0 .. count-1) in each unit.

    Where parts cover each other the ground counts once, for the highest kind.
    """
    tree, model = shapely.STRtree(parts), areas.area_model(units.crs)
    sums, doubled = np.zeros((len(units), count)), 0.0
    for number, unit in enumerate(units.geometry):
        hits, found = cut(unit, tree, parts)
        sums[number], twice = _areas_by_kind(found, kinds[hits], count, model)
        doubled += twice
        advance((number + 1) / len(units))
    return Shares(sums, doubled)


def _areas_by_kind(
    found: NDArray[Any], kinds: NDArray[np.int64], count: int, model: areas.AreaModel
) -> tuple[Floats, float]:
    plane = float(shapely.area(found).sum())
    twice = plane - float(shapely.area(shapely.union_all(found)))
    if twice <= max(_DOUBLED * plane, 1e-3):
        return np.bincount(kinds, model.areas(found), count) if len(found) else np.zeros(count), 0.0
    sums, taken = np.zeros(count), shapely.Polygon()
    for kind in sorted(set(kinds.tolist()), reverse=True):
        here = shapely.union_all(found[kinds == kind])
        sums[kind] = model.areas(polygonal(shapely.difference(here, taken)))[0]
        taken = shapely.union_all([taken, here])
    return sums, twice


def areas_by_grade(units: Units, parts: NDArray[Any], found: NDArray[np.int64], advance: Advance) -> Shares:
    """Return the areas of `parts` by grade 0 .. 5 and, last, of unknown grade; a known one goes first."""
    shares = areas_within(units, parts, (found + 1) % 7, 7, advance)
    return Shares(shares.sums[:, [1, 2, 3, 4, 5, 6, 0]], shares.doubled_m2)


# --- rasters ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Cells:
    """Cells of a block that are inside units: unit, value (NaN no data) and area (m2) of each."""

    block: Block
    inside: NDArray[np.bool_]
    units: NDArray[np.int64]
    values: Floats
    weights: Floats


def cells_within(units: Units, stack: Stack, name: str, advance: Advance) -> Iterator[Cells]:
    """Yield the cells of a raster that are inside units, block by block."""
    burnt = vectors.Burnt(units.onto(stack.grid.crs), stack.grid)
    rows, blocks = row_areas(stack.grid), stack.blocks()
    for number, block in enumerate(blocks):
        places = burnt.numbers(block)
        inside = places >= 0
        if inside.any():
            weights = np.broadcast_to(rows[block.top : block.bottom, None], places.shape)[inside]
            values = stack.read(block, (name,))[name][inside]
            yield Cells(block, inside, places[inside].astype(np.int64), values, weights)
        advance((number + 1) / len(blocks))


def sums_by_kind(
    units: Units,
    stack: Stack,
    name: str,
    kind: Callable[[Floats], NDArray[np.int64]],
    count: int,
    advance: Advance,
) -> Floats:
    """Return the areas (m2) of cells by unit and kind (0 .. count-1), shape (units, count)."""
    sums = np.zeros(len(units) * count)
    for cells in cells_within(units, stack, name, advance):
        sums += np.bincount(cells.units * count + kind(cells.values), cells.weights, len(sums))
    return sums.reshape(len(units), count)
