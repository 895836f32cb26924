# SPDX-License-Identifier: GPL-2.0-or-later
"""Make the benchmark city: N parcels and seven layers of planning lines, the same for the same seed.

``python benchmarks/city.py --parcels 100000 --output DIR [--seed 1] [--dirty]`` writes eight GeoPackages
and a ``job.json``. Region 120 x 100 km, EPSG:4549, coordinates on 1 mm. Parcels are six-sided cells of 30
vertices that share wiggly edges vertex by vertex, with thin roads between some rows. Synthetic data, no
real place.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import geopandas
import numpy as np
import pyogrio
import shapely

from swc_zoning.test_data import delta

Array = np.ndarray
CRS = "EPSG:4549"
CORNER, SIZE = np.array([560000.0, 3380000.0]), np.array([120000.0, 100000.0])
SEGMENTS = 5
#: A road runs under every 13th row of cells, cut into pieces of 40 columns: one piece per 600 parcels or so.
ROAD_ROWS, ROAD_COLUMNS = 13, 40
DISTRICTS = 15


@dataclass
class Mesh:
    """Cells and roads: geometry, row and column of each cell (row -1: a road), inner points."""

    geometry: Array
    row: Array
    column: Array
    centre: Array


def patch(rng: np.random.Generator, centre: Array, radius: float, vertices: int) -> Array:
    """Return a ring ([vertices, 2], m) of fractal outline around `centre`, never further than 1.5 radii."""
    angle = np.linspace(0.0, 2 * np.pi, vertices, endpoint=False)
    order = np.arange(2, max(3, min(48, vertices // 5)))
    size = rng.normal(0.0, 0.2, order.size) / order**1.2
    waves = np.cos(angle[:, None] * order + rng.uniform(0, 2 * np.pi, order.size))
    reach = radius * np.clip(1.0 + waves @ size, 0.45, 1.5)
    return np.column_stack([np.cos(angle) * reach, np.sin(angle) * reach]) + centre


def land(rng: np.random.Generator) -> Any:
    """Return the land: a coast east and north of a mainland, and four islands (about half of the region)."""
    islands = ((0.34, 0.9, 9000.0), (0.56, 0.84, 8000.0), (0.8, 0.7, 7000.0), (0.84, 0.3, 6000.0))
    shapes = [patch(rng, CORNER + SIZE * [0.34, 0.36], 43000.0, 4000)]
    for east, north, radius in islands:
        shapes.append(patch(rng, CORNER + SIZE * [east, north], radius, 1500))
    return shapely.union_all(shapely.make_valid(shapely.polygons(shapes_of(shapes))))


def shapes_of(rings: list[Array]) -> Array:
    """Return rings as an array of linear rings; they may differ in length."""
    return np.array([shapely.linearrings(ring) for ring in rings], dtype=object)


def _edges(start: Array, end: Array, rng: np.random.Generator) -> Array:
    """Return wiggly edges [..., SEGMENTS + 1, 2] on the grid between arrays of end points."""
    share = (np.arange(SEGMENTS + 1) / SEGMENTS)[:, None]
    along = (end - start)[..., None, :]
    push = np.clip(rng.normal(0.0, 0.045, (*start.shape[:-1], SEGMENTS + 1, 1)), -0.09, 0.09)
    push[..., [0, -1], :] = 0.0
    side = np.stack([-along[..., 1], along[..., 0]], axis=-1)
    return np.round(start[..., None, :] + along * share + side * push, 3)


def mesh(parcels: int, ground: Any, rng: np.random.Generator) -> Mesh:
    """Return about `parcels` x 0.88 cells on `ground` and the roads between them."""
    side = np.sqrt(ground.area / (0.88 * parcels) / (1.5 * np.sqrt(3.0)))
    wide = side * np.sqrt(3.0)
    columns, rows = int(SIZE[0] / wide), int(SIZE[1] / (1.5 * side))
    low = _seams(rows, columns, wide, side, rng)
    road = np.zeros(rows + 1, dtype=bool)
    road[ROAD_ROWS::ROAD_ROWS] = True
    high = (
        low + np.array([0.0, 1.0]) * np.where(road, np.round(min(30.0, side * 0.12), 3), 0.0)[:, None, None]
    )
    shape = _edges(low[:, :-1], low[:, 1:], rng)
    lift = (high - low)[:, :1, None, :]
    rings, row, column = _cells(rows, columns, shape, np.round(shape + lift, 3), rng)
    cells = shapely.polygons(shapely.linearrings(rings))
    strips, strip_columns = _roads(np.flatnonzero(road), columns, shape, np.round(shape + lift, 3))
    geometry = np.concatenate([cells, strips])
    row = np.concatenate([row, np.full(len(strips), -1)])
    column = np.concatenate([column, strip_columns])
    centre = shapely.get_coordinates(shapely.centroid(geometry))
    shapely.prepare(ground)
    keep = shapely.contains_xy(ground, centre[:, 0], centre[:, 1])
    return Mesh(geometry[keep], row[keep], column[keep], centre[keep])


def _seams(rows: int, columns: int, wide: float, side: float, rng: np.random.Generator) -> Array:
    """Return the corner points [rows + 1, 2 * columns + 2, 2] along the zigzag below each row of cells."""
    row, half = np.mgrid[0 : rows + 1, 0 : 2 * columns + 2]
    deep = (half - row) % 2 == 1
    north = row * 1.5 * side - np.where(deep, side, side / 2)
    points = np.stack([half * wide / 2, north], axis=-1) + rng.normal(0.0, 0.07 * side, (*row.shape, 2))
    return np.round(points + CORNER, 3)


def _cells(
    rows: int, columns: int, low: Array, high: Array, rng: np.random.Generator
) -> tuple[Array, Array, Array]:
    """Return rings [n, 30, 2] of the cells, and their rows and columns.

    `low` are the zigzag edges as the row below sees them, `high` as the row above does: apart where a road
    runs between.
    """
    rings, where = [], []
    for row in range(rows):
        first = row % 2 + 2 * np.arange(columns - 1)
        posts = row % 2 + 2 * np.arange(columns)
        upright = _edges(high[row, posts, 0], low[row + 1, posts, 0], rng)
        path = (
            high[row, first, :-1],
            high[row, first + 1, :-1],
            upright[1:, :-1],
            low[row + 1, first + 1, :0:-1],
            low[row + 1, first, :0:-1],
            upright[:-1, ::-1],
        )
        rings.append(np.concatenate(path, axis=1))
        where.append(np.column_stack([np.full(columns - 1, row), np.arange(columns - 1)]))
    place = np.concatenate(where)
    return np.concatenate(rings), place[:, 0], place[:, 1]


def _roads(rows: Array, columns: int, low: Array, high: Array) -> tuple[Array, Array]:
    """Return the thin road pieces between the two sides of the zigzags of `rows`, and their columns."""
    strips, places = [], []
    for row in rows:
        for start in range(0, 2 * columns - 2 * ROAD_COLUMNS, 2 * ROAD_COLUMNS):
            stop = start + 2 * ROAD_COLUMNS
            below, above = low[row, start:stop], high[row, start:stop]
            line = [np.concatenate([side[:, :-1].reshape(-1, 2), side[-1, -1:]]) for side in (below, above)]
            strips.append(np.concatenate([line[0], line[1][::-1]]))
            places.append(start // 2)
    return shapely.polygons(shapes_of(strips)), np.array(places, dtype=int)


def farmland(parts: Mesh, seed: int) -> Array:
    """Return about 30 % of the land as blocks of a dozen parcels; half of them 0.05-2 m off the parcels."""
    rng = delta.stream(seed, "farmland")
    cell = parts.row >= 0
    block = (parts.row // 3).astype(np.int64) * 100000 + parts.column // 4
    order = np.argsort(np.where(cell, block, -1), kind="stable")
    order = order[np.count_nonzero(~cell) :]
    starts = np.flatnonzero(np.r_[True, np.diff(block[order]) != 0])
    groups = np.split(order, starts[1:])
    chosen = np.flatnonzero(rng.uniform(size=len(groups)) < 0.3)
    shapes = np.array([shapely.coverage_union_all(parts.geometry[groups[i]]) for i in chosen], dtype=object)
    return delta.redigitised(shapes, rng.uniform(size=len(shapes)) < 0.5, 0.05, 2.0, seed)


def districts(parts: Mesh, seed: int) -> Array:
    """Return the districts: exact unions of parcels, small ones in the middle."""
    rng = delta.stream(seed, "districts")
    middle = CORNER + SIZE * np.array([0.34, 0.4])
    angle = np.arange(DISTRICTS) * 2.4
    seeds = (
        middle
        + np.column_stack([np.cos(angle), np.sin(angle)]) * (4000.0 + 2600.0 * np.arange(DISTRICTS))[:, None]
    )
    seeds += rng.normal(0.0, 1500.0, seeds.shape)
    away = ((parts.centre[:, None, :] - seeds[None, :, :]) ** 2).sum(axis=2)
    nearest = np.argmin(away, axis=1)
    shapes = [shapely.coverage_union_all(parts.geometry[nearest == i]) for i in range(DISTRICTS)]
    return np.array([shape for shape in shapes if not shape.is_empty], dtype=object)


def scattered(rng: np.random.Generator, ground: Any, count: int, radius: float) -> Array:
    """Return `count` places on `ground` more than 3.1 radii apart."""
    found: list[Array] = []
    while len(found) < count:
        point = CORNER + rng.uniform(0.0, 1.0, 2) * SIZE
        near = found and (np.hypot(*(np.array(found) - point).T) < 3.1 * radius).any()
        if not near and shapely.contains_xy(ground, *point):
            found.append(point)
    return np.array(found)


def redline(ground: Any, seed: int, detail: float) -> Array:
    """Return 150 red-line features of three patches each, one with a hole; about 1,165 km2."""
    rng, count = delta.stream(seed, "redline"), 150
    places = scattered(rng, ground, count * 3, 860.0)
    patches = []
    for index, place in enumerate(places):
        outer = patch(rng, place, 860.0 * 1.04, int(110 * detail**2))
        hole = [np.round((outer[::3] - place) * 0.35 + place, 3)] if index % 3 == 0 else []
        patches.append(shapely.Polygon(np.round(outer, 3), hole))
    return _grouped(patches, 3)


def _grouped(patches: list[Any], size: int) -> Array:
    groups = [patches[i : i + size] for i in range(0, len(patches), size)]
    return np.array([shapely.MultiPolygon(group) for group in groups], dtype=object)


def spots(ground: Any, seed: int, name: str, count: int, radius: float, vertices: int) -> Array:
    """Return `count` single patches apart from each other."""
    rng = delta.stream(seed, name)
    rings = [
        np.round(patch(rng, place, radius, vertices), 3) for place in scattered(rng, ground, count, radius)
    ]
    return shapely.polygons(shapes_of(rings))


def nested(
    ground: Any, seed: int, name: str, count: int, shares: list[float], vertices: int
) -> tuple[Array, Array]:
    """Return rings around `count` places, innermost first, sharing their edges; and the level of each.

    `shares` are the radii (m) of the levels, growing.
    """
    rng = delta.stream(seed, name)
    shapes, level = [], []
    for place in scattered(rng, ground, count, shares[-1]):
        outline = patch(rng, place, 1.0, vertices) - place
        rings = [np.round(outline * radius + place, 3) for radius in shares]
        for index, ring in enumerate(rings):
            shapes.append(shapely.Polygon(ring, [rings[index - 1]] if index else []))
            level.append(index)
    return np.array(shapes, dtype=object), np.array(level)


def spoil(shapes: Array, seed: int) -> Array:
    """Return parcels with 5 % flawed: bow-ties, doubled vertices, spikes, overlaps of 1 m, gaps of 5 cm."""
    rng, shapes = delta.stream(seed, "dirt"), shapes.copy()
    for index in rng.choice(len(shapes), len(shapes) // 20, replace=False):
        ring = shapely.get_coordinates(shapely.get_exterior_ring(shapes[index]))[:-1]
        centre = ring.mean(axis=0)
        reach = np.hypot(*(ring - centre).T).mean()
        flaw = int(rng.integers(5))
        if flaw == 0:
            ring[[4, 9]] = ring[[9, 4]]
        elif flaw == 1:
            ring = np.repeat(ring, 2, axis=0)
        elif flaw == 2:
            ring = np.insert(ring, 7, [ring[6] + (ring[6] - centre) * 0.2, ring[6]], axis=0)
        else:
            ring = (ring - centre) * (1.0 + (1.0 if flaw == 3 else -0.05) / reach) + centre
        shapes[index] = shapely.Polygon(np.round(ring, 3))
    return shapes


def layers(parcels: int, seed: int, dirty: bool) -> dict[str, tuple[str, dict[str, Any]]]:
    """Return file name -> (role, columns), the extent first; each with ``geometry``."""
    ground = land(delta.stream(seed, "land"))
    parts = mesh(parcels, ground, delta.stream(seed, "mesh"))
    detail = 2.0 ** np.log10(parcels / 10000.0)
    water, water_level = nested(ground, seed, "water", 4, [1800.0, 3600.0, 5500.0], int(1500 * detail))
    core, core_level = nested(ground, seed, "reserves", 4, [2400.0, 4200.0], int(1500 * detail))
    inner = np.array(["level1", "level2", "quasi"], dtype=object)
    outer = np.array(["core_protection", "general_control"], dtype=object)
    whole = spoil(parts.geometry, seed) if dirty else parts.geometry
    areas = districts(parts, seed)
    codes = np.array([f"9901{number:02d}" for number in range(1, len(areas) + 1)], dtype=object)
    return {
        "districts": ("admin_extent", {"geometry": areas, "code": codes}),
        "parcels": ("landuse_status", {"geometry": whole}),
        "pbf": ("permanent_basic_farmland", {"geometry": farmland(parts, seed)}),
        "redline": ("ecological_redline", {"geometry": redline(ground, seed, detail)}),
        "devbound": (
            "urban_development_boundary",
            {"geometry": spots(ground, seed, "devbound", 600, 590.0, int(188 * detail))},
        ),
        "water": ("drinking_water_source", {"geometry": water, "tier": inner[water_level]}),
        "reserves": ("nature_reserve", {"geometry": core, "tier": outer[core_level]}),
        "parks": ("nature_park", {"geometry": spots(ground, seed, "parks", 8, 1180.0, int(375 * detail))}),
    }


#: What the layers without a tier column are.
TIERS = {
    "parcels": "other",
    "pbf": "pbf",
    "redline": "biodiversity",
    "devbound": "concentrated",
    "parks": "forest_park",
}


def write(output: Path, parcels: int, seed: int = 1, dirty: bool = False) -> dict[str, int]:
    """Write the city and its job into `output`; return the number of features by layer.

    Raises ValueError for fewer than 1,000 parcels: cells would be larger than islands.
    """
    if parcels < 1000:
        raise ValueError(f"at least 1000 parcels, not {parcels}")
    output.mkdir(parents=True, exist_ok=True)
    made = layers(parcels, seed, dirty)
    for name, (_, columns) in made.items():
        ids = [f"{name}-{i + 1:07d}" for i in range(len(columns["geometry"]))]
        extra = {key: values for key, values in columns.items() if key != "geometry"}
        table = geopandas.GeoDataFrame({"id": ids, **extra}, geometry=columns["geometry"], crs=CRS)
        path = output / f"{name}.gpkg"
        path.unlink(missing_ok=True)
        pyogrio.write_dataframe(table, path, layer=name, driver="GPKG", use_arrow=True)
    (output / "job.json").write_text(json.dumps(job(made), indent=1) + "\n", encoding="utf-8")
    return {name: len(columns["geometry"]) for name, (_, columns) in made.items()}


def job(made: dict[str, tuple[str, dict[str, Any]]]) -> dict[str, Any]:
    """Return the job document of the layers."""
    entries = []
    for name, (role, _) in list(made.items())[1:]:
        tier = {"value": TIERS[name]} if name in TIERS else {"field": "tier"}
        entries.append(
            {"role": role, "source": f"{name}.gpkg", "layer": name, "tier": tier, "id_field": "id"}
        )
    extent = {"source": "districts.gpkg", "layer": "districts", "code_field": "code", "name_field": "id"}
    return {
        "schema": 1,
        "title": "Benchmark city (synthetic 合成数据)",
        "extent": extent,
        "crs": CRS,
        "layers": entries,
        "options": {"mode": "draft"},
    }


def main(arguments: list[str] | None = None) -> int:
    """Read the command line and write the city."""
    parser = argparse.ArgumentParser(description="Make the seeded benchmark city (synthetic).")
    parser.add_argument("--parcels", type=int, default=10000, help="nominal number; about 88 %% are on land")
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--dirty", action="store_true", help="put flaws into 5 %% of the parcels")
    options = parser.parse_args(arguments)
    if options.parcels < 1000:
        parser.error(f"at least 1000 parcels, not {options.parcels}")
    for name, count in write(options.output, options.parcels, options.seed, options.dirty).items():
        print(f"{name:10s} {count:8d}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
