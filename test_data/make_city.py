# SPDX-License-Identifier: GPL-2.0-or-later
"""Make the demo city: an invented river delta with the layers and habits of real planning data.

``python -m swc_zoning demo --output DIR [--seed 7] [--scale 1.0]`` writes the layers, ``job.json``,
``planted.json`` (conflicts and flaws put in on purpose) and ``README.txt``, and beside them ``rasters/``
(elevation, NDVI, soil, rain) for the evaluation, where rasterio is there. Everything is synthetic
(合成数据): shapes, names, codes and document numbers are invented. The same seed makes the same city.
"""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

from swc_zoning.test_data import assess, layers, publish, rain, surveys
from swc_zoning.test_data import ground as terrain


def possible(scale: float) -> bool:
    """Return whether the city can be drawn at `scale`: below, parcels outgrow its islands."""
    return 0.02 <= scale <= 4.0


def fine_enough(cell: float) -> bool:
    """Return whether the rasters can have cells of `cell` metres."""
    return 10.0 <= cell <= 1000.0


def has_rasters() -> bool:
    """Return whether rasters can be written here."""
    return importlib.util.find_spec("rasterio") is not None


def make(
    output: Path,
    seed: int = 7,
    scale: float = 1.0,
    advance: Callable[[float], None] | None = None,
    cell: float = 100.0,
) -> dict[str, int]:
    """Write the city into the folder `output`; `scale` multiplies the number of parcels.

    `cell` is the size of a cell of its rasters (m); without rasterio it has none, and no monitoring.
    Return the number of features by role. `advance` is told how far it is (0..1). The folder is written
    aside and renamed when it is whole. Raises FileExistsError where `output` has something in it,
    ValueError for a scale outside 0.02..4 or cells outside 10..1000 m.
    """
    if not possible(scale):
        raise ValueError(f"scale must be within 0.02..4, not {scale}")
    if not fine_enough(cell):
        raise ValueError(f"cells must be of 10..1000 m, not {cell}")
    if output.exists() and any(output.iterdir()):
        raise FileExistsError(str(output))
    advance = advance or (lambda fraction: None)
    config = json.loads((Path(__file__).parent / "city.json").read_text(encoding="utf-8"))
    drawn = terrain.draw(config, seed, scale)
    advance(0.1)
    city = layers.City(drawn, terrain.divide(drawn))
    advance(0.3)
    made = layers.build(city)
    advance(0.7)
    flaws = publish.soil(city, made)
    surveyed = surveys.build(city, has_rasters())
    advance(0.75)
    aside = output.with_name(f".{output.name}.{os.getpid()}")
    aside.mkdir(parents=True)
    try:
        publish.write(aside, config, made + surveyed)
        publish.describe(aside, config, made, flaws, surveyed)
        _evaluation_inputs(aside, city, made, surveyed, cell, lambda done: advance(0.85 + 0.15 * done))
        if output.exists():
            output.rmdir()
        aside.replace(output)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return {layer.role: len(layer.rows) for layer in made}


def _evaluation_inputs(
    folder: Path,
    city: layers.City,
    made: list[layers.Layer],
    surveyed: list[layers.Layer],
    cell: float,
    advance: Callable[[float], None],
) -> None:
    """Write rain, and rasters with the parameters of the evaluation where they can be written."""
    target = folder / "rasters"
    target.mkdir()
    rain.write(city.ground, target / "rain.csv")
    if has_rasters():
        from swc_zoning.test_data import rasters

        rasters.write(city, target, cell, advance)
        assess.write(folder, publish.job(city.ground.config, made), made, surveyed, cell)
