# SPDX-License-Identifier: GPL-2.0-or-later
"""Measure the evaluation of a flat delta: a city at 10 m from NDVI to function-important patches.

The city is seeded: 12,000 x 10,000 cells (120 million) by default, some two hundred rivers and lakes, source
zones, a reserve and parks, land-use parcels. Each algorithm runs as a user runs it (``python -m swc_zoning
evaluate``); told are wall time, CPU time and the peak of memory of each, and of all.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

import numpy as np  # noqa: E402
import rasterio  # noqa: E402
import shapely  # noqa: E402

from swc_zoning.engine import formats  # noqa: E402

CELL, WEST, NORTH, CRS = 10.0, 500000.0, 3500000.0, "EPSG:4549"
#: Land classes of parcels, how common each is, and the NDVI of full growth.
LAND = {
    "0101": (0.3, 0.6),
    "0301": (0.12, 0.85),
    "0404": (0.08, 0.6),
    "0701": (0.35, 0.2),
    "0103": (0.15, 0.5),
}
CLASSES = {"主干航道": 3, "湖泊": 2, "其他河道": 1}


@dataclass(frozen=True)
class Cost:
    """Seconds of wall and of CPU, and the peak of memory (MB)."""

    wall_s: float
    cpu_s: float
    peak_mb: float


@dataclass(frozen=True)
class City:
    """A city of so many rows and columns, in a folder."""

    folder: Path
    rows: int
    cols: int

    @property
    def size_m(self) -> tuple[float, float]:
        """Return width and height."""
        return self.cols * CELL, self.rows * CELL

    def layer(self, name: str, geometry: Any, field: str, words: list[str]) -> str:
        """Write a layer and return its file."""
        path = self.folder / f"{name}.gpkg"
        batch = formats.Batch(shapely.to_wkb(np.asarray(geometry, object)), {field: np.array(words, object)})
        formats.write_table(path, name, [batch], CRS, "Polygon", append=False)
        return str(path)


def main() -> None:
    """Print what the evaluation of a flat delta costs, step by step."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--cols", type=int, default=12_000)
    parser.add_argument("--parcels", type=int, default=200_000, help="land-use parcels")
    parser.add_argument("--by-parcels", action="store_true", help="patches by the majority of parcels")
    parser.add_argument("--folder", type=Path, help="keep the city and the results here")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        city = City(folder, options.rows, options.cols)
        # A child counts the memory of the process that started it: the city is made in another one.
        with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as maker:
            asked = maker.submit(steps, city, options.parcels, options.by_parcels).result()
        figures = measured(city, asked)
    print(json.dumps(figures, indent=1))


def measured(city: City, asked: list[tuple[str, dict[str, Any]]]) -> dict[str, Any]:
    """Run the steps; return what each cost, and what all did."""
    found: dict[str, Cost] = {}
    print(f"{'step':>20}{'wall s':>10}{'CPU s':>10}{'peak MB':>10}")
    for name, parameters in asked:
        found[name] = cost = evaluate(city, name, parameters)
        print(f"{name:>20}{cost.wall_s:>10.1f}{cost.cpu_s:>10.1f}{cost.peak_mb:>10.0f}", flush=True)
    rows = list(found.values())
    total = {"wall_s": sum(one.wall_s for one in rows), "cpu_s": sum(one.cpu_s for one in rows)}
    record = json.loads((city.folder / "delineatepatches" / "run.json").read_text(encoding="utf-8"))
    facts = {key: record["facts"][key] for key in ("count", "km2", "class_m2")}
    return {"cells": city.rows * city.cols, **total, "peak_mb": max(one.peak_mb for one in rows), **facts}


def evaluate(city: City, name: str, parameters: dict[str, Any]) -> Cost:
    """Run one algorithm in a process of its own."""
    document = city.folder / f"{name}.json"
    document.write_text(json.dumps(parameters), encoding="utf-8")
    command = [sys.executable, "-m", "swc_zoning", "evaluate", name, str(document)]
    start = time.perf_counter()
    child = subprocess.Popen(
        [*command, "--output", str(city.folder / name)],
        cwd=HERE.parent,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    _, status, used = os.wait4(child.pid, 0)
    if status:
        raise SystemExit(f"{name} failed")
    child.returncode = status
    return Cost(time.perf_counter() - start, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


def steps(city: City, parcels: int, by_parcels: bool) -> list[tuple[str, dict[str, Any]]]:
    """Return the algorithms with their parameters; makes the inputs that are not there yet."""
    land, words = parcels_of(city, parcels)
    landuse = city.layer("parcels", land, "DLBM", words)
    ndvi = ndvi_of(city, land, words)
    waters, classes = waters_of(city)
    zones, tiers = zones_of(city)
    made = {
        name: str(city.folder / name)
        for name in ("vegetationcover", "landuseraster", "bankstrips", "functionrules")
    }
    widths = dict(zip(CLASSES, (100, 100, 30)))
    rules = {
        "cover": f"{made['vegetationcover']}/cover.tif",
        "ecosystem": f"{made['landuseraster']}/ecosystem.tif",
        "strips": f"{made['bankstrips']}/strips.gpkg",
        "drinking_water_source": city.layer("zones", zones, "BHQJB", tiers),
    }
    patches = {
        "classes": f"{made['functionrules']}/class.tif",
        "rules": f"{made['functionrules']}/rule.tif",
        "areas": f"{made['functionrules']}/areas.gpkg",
        **({"parcels": landuse} if by_parcels else {}),
    }
    return [
        ("vegetationcover", {"ndvi": ndvi}),
        ("landuseraster", {"landuse": landuse, "template": ndvi}),
        (
            "bankstrips",
            {
                "waters": city.layer("waters", waters, "class", classes),
                "class_field": "class",
                "widths": widths,
            },
        ),
        ("functionrules", rules),
        ("delineatepatches", patches),
    ]


# --- the city --------------------------------------------------------------------------------------


def parcels_of(city: City, count: int) -> tuple[Any, list[str]]:
    """Return parcels without gaps, corners of a grid moved about, and their land classes in clusters."""
    rng = np.random.default_rng(1)
    width, height = city.size_m
    across = max(1, round((count * width / height) ** 0.5))
    down = max(1, round(count / across))
    x, y = np.meshgrid(np.arange(across + 1.0), np.arange(down + 1.0))
    inner = (x % across > 0) & (y % down > 0)
    x, y = (one + rng.uniform(-0.35, 0.35, one.shape) * inner for one in (x, y))
    corners = np.stack((WEST + x * width / across, NORTH - y * height / down), axis=2)
    ring = [corners[:-1, :-1], corners[1:, :-1], corners[1:, 1:], corners[:-1, 1:], corners[:-1, :-1]]
    parcels = shapely.polygons(np.stack(ring, axis=2).reshape(-1, 5, 2))
    smooth = np.kron(rng.random((down // 8 + 1, across // 8 + 1)), np.ones((8, 8)))[:down, :across]
    noise = smooth * 0.7 + rng.random((down, across)) * 0.3
    limits = np.quantile(noise, np.cumsum([share for share, _ in LAND.values()])[:-1])
    chosen = np.searchsorted(limits, noise.ravel())
    return parcels, [list(LAND)[number] for number in chosen.tolist()]


def ndvi_of(city: City, parcels: Any, words: list[str]) -> str:
    """Write NDVI: that of the land class with noise of cells, in rows of blocks."""
    from swc_zoning.engine.evaluation import rasters, scanning

    path = city.folder / "ndvi.tif"
    place = (CELL, 0.0, WEST, 0.0, -CELL, NORTH)
    grid = rasters.Grid(rasterio.CRS.from_user_input(CRS).to_wkt(), place, city.rows, city.cols)
    scan = scanning.Scan(parcels, grid)
    number = np.array([list(LAND).index(word) + 1 for word in words])
    growth = np.array([0.0, *(most for _, most in LAND.values())], np.float32)
    rng = np.random.default_rng(2)

    def make(view: rasters.View) -> dict[str, Any]:
        level = growth[np.clip(scan.layers(view.block, number), 0, len(LAND))]
        return {"ndvi": level * rng.uniform(0.6, 1.0, level.shape).astype(np.float32)}

    stack = rasters.Stack({}, grid, {})
    rasters.compute(stack, {"ndvi": rasters.Output(path)}, make, blocks=stack.strips())
    return str(path)


def waters_of(city: City, count: int = 200) -> tuple[Any, list[str]]:
    """Return rivers that wind through the city, and lakes, with their classes."""
    rng = np.random.default_rng(3)
    width, height = city.size_m
    shapes, classes = [], []
    for number in range(count):
        along = np.linspace(0, 1, 400)
        bends = np.cumsum(rng.normal(0, 0.004, 400))
        other = rng.random() + bends - bends.mean()
        x, y = (along, other) if number % 2 else (other, along)
        kind = "主干航道" if number % 10 == 0 else "湖泊" if number % 10 == 5 else "其他河道"
        line = shapely.linestrings(np.column_stack((WEST + x * width, NORTH - y * height)))
        water = shapely.buffer(line, 60.0 if kind == "主干航道" else rng.uniform(8, 25))
        if kind == "湖泊":
            at = WEST + rng.random() * width, NORTH - rng.random() * height
            water = shapely.buffer(shapely.points(at), rng.uniform(200, 2000), quad_segs=64)
        shapes.append(water)
        classes.append(kind)
    return shapes, classes


def zones_of(city: City) -> tuple[Any, list[str]]:
    """Return source zones: level 1 in level 2 in a quasi zone, turned against the grid."""
    rng = np.random.default_rng(4)
    width, height = city.size_m
    shapes, tiers = [], []
    for _ in range(8):
        at = WEST + rng.random() * width, NORTH - rng.random() * height
        core = shapely.buffer(shapely.points(at), rng.uniform(300, 1200), quad_segs=40)
        for tier, grown in (("一级", 0), ("二级", 900), ("准", 2500)):
            shapes.append(shapely.buffer(core, grown) if grown else core)
            tiers.append(tier)
    return shapes, tiers


if __name__ == "__main__":
    main()
