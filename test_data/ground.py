# SPDX-License-Identifier: GPL-2.0-or-later
"""The ground of the demo city: coast, islands, water, roads, and land parcels sharing every edge."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import shapely

from swc_zoning.test_data import delta

Array = np.ndarray
CLASSES = {
    "0101": "水田",
    "0103": "旱地",
    "0201": "果园",
    "0301": "乔木林地",
    "0402": "沼泽草地",
    "0404": "其他草地",
    "05H1": "商业服务业设施用地",
    "0601": "工业用地",
    "0701": "城镇住宅用地",
    "0702": "农村宅基地",
    "0810": "公园与绿地",
    "08H1": "机关团体新闻出版用地",
    "1003": "公路用地",
    "1101": "河流水面",
    "1102": "湖泊水面",
    "1103": "水库水面",
    "1104": "坑塘水面",
    "1105": "沿海滩涂",
    "1202": "设施农用地",
}
#: Land uses that are no land, "" the sea.
WATER = ("1101", "1102", "1103", "1104", "1105", "")
#: Land uses that give way to forest on the banks of source waters.
PLANTABLE = ("0101", "0103", "0201", "0301", "0402", "0404", "1202")
#: Shares of land use inside towns, at their edge, and in the country.
TOWN = (("0701", 50), ("0601", 22), ("05H1", 10), ("08H1", 8), ("0810", 6), ("0301", 4))
EDGE = (("0101", 30), ("0702", 20), ("0601", 15), ("0103", 15), ("0201", 8), ("0301", 8), ("1104", 4))
COUNTRY = (
    ("0101", 52),
    ("0103", 20),
    ("0702", 8),
    ("0201", 7),
    ("0301", 5),
    ("1104", 5),
    ("0404", 2),
    ("1202", 1),
)
FIXED = {"river": "1101", "lake": "1102", "reservoir": "1103", "road": "1003", "flat": "1105"}


@dataclass
class Ground:
    """Shapes every layer is cut from; lengths in metres, working CRS."""

    config: dict[str, Any]
    seed: int
    scale: float
    shapes: dict[str, dict[str, Any]] = field(default_factory=dict)
    boundary: Any = None
    land: Any = None
    flats: Any = None

    @property
    def step(self) -> float:
        """Return the longest segment of drawn lines (m)."""
        return 90.0 / min(1.0, self.scale) ** 0.5

    def rng(self, name: str) -> np.random.Generator:
        """Return the random stream of `name`."""
        return delta.stream(self.seed, name)

    def metres(self, points: Any) -> Array:
        """Return positions given in km from the origin as coordinates."""
        return np.asarray(points, dtype=float) * 1000.0 + np.asarray(self.config["city"]["origin"])

    def patch(self, name: str, spec: list[float]) -> Any:
        """Return the blob called `name`; `spec` is east, north, half axes (km) and turn (degrees)."""
        axes = (spec[2] * 1000.0, spec[3] * 1000.0)
        return delta.blob(self.metres(spec[:2]), axes, spec[4], self.step, self.rng(name))

    def towns(self, points: Array) -> Array:
        """Return how urban `points` are, 0..1."""
        value = np.zeros(len(points))
        for east, north, reach, strength in self.config["towns"]:
            away = np.hypot(*(points - self.metres([east, north])).T) / (reach * 1000.0)
            value = np.maximum(value, strength * np.exp(-(away**2)))
        return value + 0.09 * delta.noise(self.seed, "towns", 4500.0)(points)


@dataclass
class Parcels:
    """Faces of the city with what they are; arrays of equal length."""

    geometry: Array
    inner: Array
    kind: Array
    name: Array
    district: Array
    urban: Array
    use: Array

    def within(self, shape: Any) -> Array:
        """Return which parcels have their inner point in `shape`."""
        shapely.prepare(shape)
        return shapely.contains_xy(shape, self.inner[:, 0], self.inner[:, 1])

    def snapped(self, shape: Any, land_only: bool = True) -> Any:
        """Return the union of the parcels that lie mostly in `shape`: their own edges, exactly."""
        chosen = self.within(shape) & ~((self.kind == "sea") if land_only else False)
        return shapely.coverage_union_all(self.geometry[chosen])

    def at(self, point: Array, allowed: Array) -> int:
        """Return the index of the parcel nearest to `point` among those `allowed`."""
        index = np.flatnonzero(allowed)
        return int(index[shapely.STRtree(self.geometry[index]).nearest(shapely.Point(point))])


def draw(config: dict[str, Any], seed: int, scale: float) -> Ground:
    """Return the drawn ground: coast, islands, rivers, lakes, reservoirs, roads, tidal flats."""
    ground = Ground(config, seed, scale)
    ground.boundary = delta.shore(
        ground.metres(config["boundary"]), ground.step, 0.03, ground.rng("boundary")
    )
    ground.land = _land(ground)
    rivers = {}
    for name, spec in config["rivers"].items():
        centre = delta.course(ground.metres(spec["line"]), ground.step, ground.rng(name))
        rivers[name] = delta.ribbon(centre, *spec["width"], ground.rng(name + "-width"))
    roads = {}
    for name, line in config["roads"].items():
        centre = delta.spline(ground.metres(line), closed=False, pieces=10)
        roads[name] = delta.ribbon(centre, 64.0, 64.0, ground.rng(name))
    ground.shapes = {
        "river": rivers,
        "lake": {name: ground.patch(name, spec) for name, spec in config["lakes"].items()},
        "reservoir": {
            source["name"]: ground.patch(source["name"], source["level1"])
            for source in config["water_sources"]
            if source["type"] == "K"
        },
        "road": roads,
    }
    ground.flats = _flats(ground)
    return ground


def _land(ground: Ground) -> Any:
    rings = {"mainland": ground.config["mainland"], **ground.config["islands"]}
    parts = [
        delta.shore(ground.metres(ring), ground.step, 0.11, ground.rng(name)) for name, ring in rings.items()
    ]
    for number, (east, north, size) in enumerate(ground.config["islets"]):
        parts.append(ground.patch(f"islet{number}", [east, north, size, size * 0.7, 30.0 * number]))
    return delta.on_grid(shapely.intersection(shapely.union_all(parts), ground.boundary))


def _flats(ground: Ground) -> Any:
    """Return tidal flats: patches strung along the coast, the outer shoal and the eastern shoals."""
    rng = ground.rng("flats")
    patches = [ground.patch("shoal", ground.config["shoal"])]
    east_shoals = list(ground.config["reserves"][0]["outer"])
    east_shoals[2], east_shoals[3] = east_shoals[2] * 0.86, east_shoals[3] * 0.8
    patches.append(ground.patch("east shoals", east_shoals))
    for part in shapely.get_parts(ground.land):
        length = part.exterior.length
        if length < 12000.0:
            continue
        for place in np.arange(0.0, length, 4600.0):
            start = place + rng.uniform(0, 2000.0)
            ends = shapely.get_coordinates(part.exterior.interpolate([start, (start + 3000.0) % length]))
            axes = (rng.uniform(2600.0, 5200.0), rng.uniform(500.0, 1500.0))
            turn = float(np.degrees(np.arctan2(*(ends[1] - ends[0])[::-1])))
            patches.append(delta.blob(ends.mean(axis=0), axes, turn, ground.step, rng))
    flats = shapely.intersection(shapely.union_all(patches), ground.boundary)
    inland = shapely.buffer(ground.boundary.boundary, 1500.0)
    return delta.on_grid(shapely.difference(shapely.difference(flats, inland), ground.land))


def divide(ground: Ground) -> Parcels:
    """Return the parcels: every face between coast, banks, road edges and a mesh of field-like cells."""
    raw = delta.faces(_lines(ground))
    inner = shapely.get_coordinates(shapely.point_on_surface(raw))
    keep = shapely.contains_xy(ground.boundary, inner[:, 0], inner[:, 1])
    raw, inner = raw[keep], inner[keep]
    kind, name = _kinds(ground, inner)
    district = _districts(ground, inner)
    raw, kind, name, district = _joined(raw, kind, name, district)
    inner = shapely.get_coordinates(shapely.point_on_surface(raw))
    parcels = Parcels(
        raw, inner, kind, name, district, ground.towns(inner), np.full(len(raw), "", dtype=object)
    )
    parcels.use = _uses(ground, parcels)
    return parcels


def _lines(ground: Ground) -> Array:
    """Return every line of the arrangement: banks, coast and roads, and the edges of the cells."""
    drawn = [ground.boundary, ground.land, ground.flats]
    for shapes in ground.shapes.values():
        drawn.extend(shapes.values())
    rings = shapely.get_parts(shapely.boundary(np.array(drawn, dtype=object)))
    sites = _sites(ground)
    edges = delta.cell_edges(sites, 3, 0.05, ground.rng("cells"))
    frame = shapely.buffer(ground.boundary, 50.0)
    shapely.prepare(frame)
    return np.concatenate([shapely.get_parts(rings), edges[shapely.intersects(frame, edges)]])


def _sites(ground: Ground) -> Array:
    """Return the sites of cells: small in towns, field-sized in the country, wide at sea."""
    box = shapely.bounds(shapely.buffer(ground.boundary, 4000.0))
    grain = ground.scale**-0.5
    levels = (("town", 480.0, 8.0), ("country", 800.0, 14.0), ("sea", 2600.0, -20.0))
    shapely.prepare(ground.land)
    chosen = []
    for name, spacing, turn in levels:
        points = delta.lattice(tuple(box), spacing * grain, turn, ground.rng(name))
        bend = np.column_stack([delta.noise(ground.seed, name + axis, 16000.0)(points) for axis in "xy"])
        points = points + bend * 900.0
        inland, urban = (
            shapely.contains_xy(ground.land, points[:, 0], points[:, 1]),
            ground.towns(points) > 0.33,
        )
        belongs = {"town": inland & urban, "country": inland & ~urban, "sea": ~inland}[name]
        chosen.append(points[belongs])
    return np.vstack(chosen)


def _kinds(ground: Ground, inner: Array) -> tuple[Array, Array]:
    """Return what each point is: sea, flat, land, road, reservoir, lake or river, and its name."""
    kind, name = np.full(len(inner), "sea", dtype=object), np.full(len(inner), "", dtype=object)

    def mark(shape: Any, word: str, called: str, only: Array | bool = True) -> None:
        shapely.prepare(shape)
        hit = shapely.contains_xy(shape, inner[:, 0], inner[:, 1]) & only
        kind[hit], name[hit] = word, called

    mark(ground.flats, "flat", "")
    mark(ground.land, "land", "")
    inland = kind == "land"
    for word in ("road", "reservoir", "lake", "river"):
        for called, shape in ground.shapes[word].items():
            mark(shape, word, called, True if word == "reservoir" else inland)
    return kind, name


def _districts(ground: Ground, inner: Array) -> Array:
    """Return the index of each point's district: nearest seed, larger weights reaching further."""
    best, which = np.full(len(inner), np.inf), np.zeros(len(inner), dtype=int)
    bend = np.column_stack([delta.noise(ground.seed, "district" + axis, 9000.0)(inner) for axis in "xy"])
    points = inner + bend * 450.0
    for index, district in enumerate(ground.config["districts"]):
        for seed in district["seeds"]:
            away = ((points - ground.metres(seed)) ** 2).sum(axis=1) / 1e6 - district["weight"]
            nearer = away < best
            best[nearer], which[nearer] = away[nearer], index
    return which


def _joined(raw: Array, kind: Array, name: Array, district: Array) -> tuple[Array, Array, Array, Array]:
    """Join the faces of one river, lake or road within a district; leave fields as they are."""
    alone = (kind == "land") | (kind == "flat") | (kind == "sea")
    groups: dict[tuple[Any, ...], list[int]] = {}
    for index in np.flatnonzero(~alone):
        groups.setdefault((kind[index], name[index], int(district[index])), []).append(index)
    keys = sorted(groups)
    merged = [shapely.coverage_union_all(raw[groups[key]]) for key in keys]
    parts, owner = shapely.get_parts(np.array(merged, dtype=object), return_index=True)
    columns = [np.array([key[i] for key in keys], dtype=object)[owner] for i in range(3)]
    return (
        np.concatenate([raw[alone], parts]),
        np.concatenate([kind[alone], columns[0]]),
        np.concatenate([name[alone], columns[1]]),
        np.concatenate([district[alone], columns[2].astype(int)]),
    )


def _uses(ground: Ground, parcels: Parcels) -> Array:
    """Return the land-use code of each parcel ("" at sea); codes of the land survey classification."""
    use = np.full(len(parcels.kind), "", dtype=object)
    for word, code in FIXED.items():
        use[parcels.kind == word] = code
    draw = ground.rng("uses").uniform(0.0, 1.0, len(use))
    land = parcels.kind == "land"
    bands = ((TOWN, parcels.urban > 0.4), (EDGE, (parcels.urban > 0.27) & (parcels.urban <= 0.4)))
    use[land] = _picked(COUNTRY, draw[land])
    for shares, chosen in bands:
        use[chosen & land] = _picked(shares, draw[chosen & land])
    for park in ground.config["parks"]:
        code = "0301" if park["type"] == "森林公园" else "0402" if park["type"] == "湿地公园" else ""
        if code:
            use[land & parcels.within(ground.patch(park["name"], park["shape"]))] = code
    return use


def _picked(shares: tuple[tuple[str, int], ...], draw: Array) -> Array:
    """Return a code for each draw (0..1) by its share."""
    bounds = np.cumsum([share for _, share in shares]) / sum(share for _, share in shares)
    codes = np.array([code for code, _ in shares], dtype=object)
    return codes[np.minimum(np.searchsorted(bounds, draw), len(codes) - 1)]
