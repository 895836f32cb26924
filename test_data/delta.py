# SPDX-License-Identifier: GPL-2.0-or-later
"""Shapes of an invented river delta: smooth noise, wiggly lines, blobs, ribbons, a shared-edge mesh.

Lengths are metres, coordinates (east, north) of the working CRS. Every random draw comes from a stream
named after the thing it shapes, so that the same seed gives the same shapes in any order of drawing.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import Any

import numpy as np
import shapely

Array = np.ndarray
#: Coordinates lie on this grid (m).
GRID = 0.001


def stream(seed: int, name: str) -> np.random.Generator:
    """Return the random stream of the thing called `name`."""
    return np.random.default_rng([seed, zlib.crc32(name.encode("utf-8"))])


def on_grid(geometry: Any) -> Any:
    """Return a geometry, or an array of them, on the 1 mm grid and valid."""
    return shapely.set_precision(geometry, GRID)


def spline(control: Array, closed: bool, pieces: int = 8) -> Array:
    """Return points of the Catmull-Rom curve through `control` ([n, 2]), `pieces` to a span."""
    if closed:
        padded = np.vstack([control[-1:], control, control[:2]])
    else:
        padded = np.vstack([2 * control[0] - control[1], control, 2 * control[-1] - control[-2]])
    t = (np.arange(pieces) / pieces)[None, :, None]
    a, b, c, d = (padded[i : len(padded) - 3 + i, None, :] for i in range(4))
    curve = 0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3)
    return np.vstack([curve.reshape(-1, 2), padded[-2]])


def wiggle(line: Array, step: float, rough: float, rng: np.random.Generator) -> Array:
    """Return `line` with midpoints pushed sideways until no segment is longer than `step`."""
    while True:
        delta = np.diff(line, axis=0)
        length = np.hypot(delta[:, 0], delta[:, 1])
        long = np.flatnonzero(length > step)
        if long.size == 0:
            return line
        side = np.column_stack([-delta[long, 1], delta[long, 0]])
        push = np.clip(rng.normal(0.0, rough, long.size), -2.5 * rough, 2.5 * rough)
        middle = (line[long] + line[long + 1]) / 2 + side * push[:, None]
        line = np.insert(line, long + 1, middle, axis=0)


def polygon(ring: Array) -> Any:
    """Return the ring as a valid polygonal geometry on the grid; loops crossed by accident are cut off."""
    shape = shapely.make_valid(shapely.Polygon(ring), method="structure", keep_collapsed=False)
    return on_grid(largest(shape))


def largest(shape: Any) -> Any:
    """Return the largest part of a polygonal geometry."""
    parts = shapely.get_parts(shape)
    return parts[int(np.argmax(shapely.area(parts)))]


def shore(control: Array, step: float, rough: float, rng: np.random.Generator) -> Any:
    """Return the polygon within a smooth closed line through `control`, made wiggly."""
    return polygon(wiggle(spline(control, closed=True, pieces=4), step, rough, rng))


def blob(centre: Array, axes: tuple[float, float], turn: float, step: float, rng: np.random.Generator) -> Any:
    """Return a rounded irregular patch with half axes `axes`, turned by `turn` degrees."""
    angle = np.linspace(0.0, 2 * np.pi, 24, endpoint=False)
    radius = np.ones_like(angle)
    for order in (2, 3, 5):
        radius += rng.normal(0.0, 0.16 / order) * np.cos(order * angle + rng.uniform(0, 2 * np.pi))
    points = np.column_stack([axes[0] * radius * np.cos(angle), axes[1] * radius * np.sin(angle)])
    cos, sin = np.cos(np.radians(turn)), np.sin(np.radians(turn))
    turned = points @ np.array([[cos, sin], [-sin, cos]]) + centre
    return shore(turned, step, 0.09, rng)


def course(control: Array, step: float, rng: np.random.Generator) -> Array:
    """Return the meandering centre line of a river through `control`."""
    return spline(wiggle(spline(control, closed=False, pieces=2), 2500.0, 0.09, rng)[::1], False, 6)


def ribbon(centre: Array, first: float, last: float, rng: np.random.Generator) -> Any:
    """Return the river polygon along `centre`, its width going from `first` to `last`."""
    tangent = np.gradient(centre, axis=0)
    normal = np.column_stack([-tangent[:, 1], tangent[:, 0]])
    normal /= np.maximum(np.hypot(normal[:, 0], normal[:, 1]), 1e-9)[:, None]
    half = np.linspace(first, last, len(centre)) / 2
    left = half * rng.uniform(0.8, 1.2, len(centre))
    right = half * rng.uniform(0.8, 1.2, len(centre))
    return polygon(np.vstack([centre + normal * left[:, None], (centre - normal * right[:, None])[::-1]]))


def noise(seed: int, name: str, wavelength: float) -> Callable[[Array], Array]:
    """Return a smooth random function of coordinates ([n, 2]) with values of about -1..1."""
    wave, phase = waves(seed, name, wavelength)

    def value(points: Array) -> Array:
        return np.cos(points @ wave + phase).sum(axis=1) / np.sqrt(12.0)

    return value


def waves(seed: int, name: str, wavelength: float) -> tuple[Array, Array]:
    """Return twelve plane waves of about `wavelength` metres: wave numbers ([2, 12]) and phases."""
    rng = stream(seed, name)
    angle, phase = rng.uniform(0, 2 * np.pi, 12), rng.uniform(0, 2 * np.pi, 12)
    size = 2 * np.pi / (wavelength * rng.uniform(0.6, 1.8, 12))
    return np.vstack([np.cos(angle) * size, np.sin(angle) * size]), phase


def lattice(box: tuple[float, ...], spacing: float, turn: float, rng: np.random.Generator) -> Array:
    """Return a shaken brick lattice over `box` (minx, miny, maxx, maxy): sites of field-like cells."""
    centre = np.array([(box[0] + box[2]) / 2, (box[1] + box[3]) / 2])
    reach = np.hypot(box[2] - box[0], box[3] - box[1]) / 2
    wide, high = spacing * 1.25, spacing * 0.8
    column, row = np.meshgrid(np.arange(-reach, reach, wide), np.arange(-reach, reach, high))
    column[1::2] += wide / 2
    points = np.column_stack([column.ravel(), row.ravel()])
    points += rng.normal(0.0, 0.13 * spacing, points.shape)
    cos, sin = np.cos(np.radians(turn)), np.sin(np.radians(turn))
    points = points @ np.array([[cos, sin], [-sin, cos]]) + centre
    inside = (points >= box[:2]) & (points <= box[2:])
    return points[inside.all(axis=1)]


def cell_edges(sites: Array, levels: int, rough: float, rng: np.random.Generator) -> Array:
    """Return the edges between the cells of `sites` as wiggly lines of 2**`levels` segments each."""
    web = shapely.voronoi_polygons(shapely.MultiPoint(sites), only_edges=True)
    ends = shapely.get_coordinates(shapely.get_parts(web)).reshape(-1, 2, 2)
    order = np.lexsort((ends[:, 1, 1], ends[:, 1, 0], ends[:, 0, 1], ends[:, 0, 0]))
    lines = ends[order]
    for _ in range(levels):
        delta = np.diff(lines, axis=1)
        push = np.clip(rng.normal(0.0, rough, delta.shape[:2]), -2 * rough, 2 * rough)[:, :, None]
        middle = (lines[:, :-1] + lines[:, 1:]) / 2 + np.stack([-delta[:, :, 1], delta[:, :, 0]], 2) * push
        woven = np.empty((len(lines), 2 * lines.shape[1] - 1, 2))
        woven[:, 0::2], woven[:, 1::2] = lines, middle
        lines = woven
    return shapely.linestrings(lines)


def faces(lines: Array) -> Array:
    """Return every face of the arrangement of `lines`; neighbours share each vertex of their edge."""
    noded = shapely.union_all(lines, grid_size=GRID)
    found = shapely.get_parts(shapely.polygonize(shapely.get_parts(noded)))
    centre = shapely.get_coordinates(shapely.point_on_surface(found))
    return found[np.lexsort((centre[:, 1], centre[:, 0]))]


def pixels(centre: Array, count: int, size: float, rng: np.random.Generator) -> Any:
    """Return a patch of `count` square pixels grown from `centre`, as vectorised from a raster."""
    grown = {(0, 0)}
    while len(grown) < count:
        column, row = sorted(grown)[rng.integers(len(grown))]
        move = ((1, 0), (-1, 0), (0, 1), (0, -1))[rng.integers(4)]
        grown.add((column + move[0], row + move[1]))
    cell = np.array(sorted(grown)) * size + np.round(centre / size) * size
    return shapely.union_all(shapely.box(cell[:, 0], cell[:, 1], cell[:, 0] + size, cell[:, 1] + size))


def redigitised(polygons: Array, redrawn: Array, low: float, high: float, seed: int) -> Array:
    """Return `polygons` with those where `redrawn` moved vertex by vertex by `low`..`high` metres.

    A vertex that a polygon keeps as it was stays; a shared vertex moves the same way in all of them,
    so the layer stays free of overlaps of its own and misfits only against the layer it was traced from.
    """
    points, owner = shapely.get_coordinates(polygons, return_index=True)
    _, vertex = np.unique(np.round(points / GRID).astype(np.int64), axis=0, return_inverse=True)
    vertex = vertex.ravel()
    held = np.zeros(int(vertex.max()) + 1, dtype=bool)
    held[vertex[~redrawn[owner]]] = True
    rng = stream(seed, "redigitised")
    distance, angle = rng.uniform(low, high, held.size), rng.uniform(0, 2 * np.pi, held.size)
    moves = np.round(np.column_stack([np.cos(angle), np.sin(angle)]) * distance[:, None], 3)
    while True:
        shift = np.where(held[:, None], 0.0, moves)[vertex]
        moved = shapely.set_coordinates(polygons.copy(), np.round(points + shift, 3))
        broken = ~shapely.is_valid(moved)
        if not broken.any():
            return moved
        held[vertex[broken[owner]]] = True
