# SPDX-License-Identifier: GPL-2.0-or-later
"""The lie of the land of the demo city: a plain of 2-5 m with levees, a low west, tidal flats, few hills."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import shapely

from swc_zoning.test_data import delta
from swc_zoning.test_data.ground import PLANTABLE, WATER
from swc_zoning.test_data.layers import City

Array = np.ndarray
#: Water levels and bands of height (m).
LEVELS = {"1101": 2.1, "1102": 2.3, "1103": 4.2, "1104": 1.9}
CREST, EMBANKMENT = 4.1, 1.6
#: Waters by class whose banks erode.
BANKS = {"bank": "主干航道", "sourcebank": "水源地河湖", "otherbank": "其他河道"}
#: What outlines of bands may be off (m).
COARSE = 15.0
#: Bands along rivers: name, width (m), how much higher the ground is there (m).
LEVEES = (("levee", 300.0, 0.55), ("slope", 900.0, 0.3))


def band(city: City, name: str) -> Any:
    """Return a strip by name: levee, slope, coast, dyke, beach, belt, feet, or one of `BANKS`.

    They are for cells: outlines are simplified by `COARSE` before they are widened.
    """
    if name in ("belt", "feet"):
        return belts(city) if name == "belt" else feet(city)
    if name in ("levee", "slope"):
        width = next(width for called, width, _ in LEVEES if called == name)
        return _widened(list(city.ground.shapes["river"].values()), width)
    if name in BANKS:
        classes = city.ground.config["evaluation"]["waters"]
        chosen = [
            shape for called, shape in _waters(city).items() if classes.get(called, "其他河道") == BANKS[name]
        ]
        return _widened(chosen, 170.0)
    land = shapely.simplify(city.ground.land, COARSE)
    if name == "dyke":
        inner = shapely.buffer(city.ground.boundary, -1200.0)
        return shapely.intersection(shapely.buffer(shapely.boundary(land), 70.0, quad_segs=2), inner)
    if name == "coast":
        return shapely.difference(land, shapely.buffer(land, -3500.0, quad_segs=2))
    return shapely.buffer(land, 700.0, quad_segs=2)


def _widened(shapes: list[Any], width: float) -> Any:
    return shapely.buffer(shapely.simplify(shapely.union_all(shapes), COARSE), width, quad_segs=2)


def _waters(city: City) -> Mapping[str, Any]:
    shapes = city.ground.shapes
    return {**shapes["river"], **shapes["lake"], **shapes["reservoir"]}


def belts(city: City) -> Any:
    """Return the planted banks: strips along source waters."""
    wanted, shapes = city.ground.config["evaluation"]["belts"], _waters(city)
    strips = [shapely.buffer(shapes[name], width, quad_segs=2) for name, width in wanted.items()]
    return shapely.difference(shapely.union_all(strips), shapely.union_all(list(shapes.values())))


def feet(city: City) -> Any:
    """Return the ground of the hills, with their feet."""
    hill = np.array(city.ground.config["evaluation"]["hills"])
    centres = shapely.points(city.ground.metres(hill[:, :2]))
    return shapely.union_all(shapely.buffer(centres, hill[:, 3] + 120.0, quad_segs=6))


def planted(city: City) -> Any:
    """Return where land use may be forest whatever the parcel is: banks of source waters, and hills."""
    return delta.on_grid(shapely.union(belts(city), feet(city)))


def wooded(city: City, use: Array, points: Array) -> Array:
    """Return at which `points` there is such forest, of parcels with land use `use`."""
    east, north = points.T
    bank = shapely.contains_xy(belts(city), east, north) & np.isin(use, PLANTABLE)
    return bank | shapely.contains_xy(feet(city), east, north) & ~np.isin(use, [*WATER, "1003"])


def elevation(scene: Any, block: Any, use: Array) -> Array:
    """Return the elevation (m) of cells with land use `use`; no data at sea."""
    ground = scene.city.ground
    place = scene.centres(block)
    away = np.hypot(*(place - ground.metres(ground.config["evaluation"]["low"][:2])).T)
    low = np.exp(-((away / (1000.0 * ground.config["evaluation"]["low"][2])) ** 2)).reshape(block.shape)
    height = 3.7 + 0.4 * scene.noise("plain", 22000.0, block) - 1.2 * low
    height += 0.12 * scene.noise("fields", 1500.0, block) + 0.5 * scene.within("coast", block)
    for name, _, rise in LEVEES:
        height += rise * scene.within(name, block)
    height += EMBANKMENT * (use == "1003") + hills(scene, block)
    flat = 0.5 + 0.35 * scene.noise("flat", 5000.0, block) + 0.9 * scene.within("beach", block)
    height = np.where(use == "1105", np.clip(flat, -0.3, 2.2), height)
    height += CREST * (scene.within("dyke", block) & ~np.isin(use, ["", "1101", "1102", "1103"]))
    for code, level in LEVELS.items():
        height = np.where(use == code, level, height)
    height += 0.04 * scene.speckle("dem", block) * ~np.isin(use, list(LEVELS))
    return np.where(use == "", np.nan, np.round(height, 2))


def hills(scene: Any, block: Any) -> Array:
    """Return how high hills stand over the plain (m): flat tops, flanks of one slope."""
    ground = scene.city.ground
    place = scene.centres(block) + 40.0 * np.column_stack(
        [scene.noise(f"hill{axis}", 700.0, block).ravel() for axis in "xy"]
    )
    rise = np.zeros(len(place))
    for east, north, height, radius, flank in ground.config["evaluation"]["hills"]:
        away = np.hypot(*(place - ground.metres([east, north])).T)
        rise = np.maximum(rise, height * np.clip((radius - away) / flank, 0.0, 1.0))
    return rise.reshape(block.shape)
