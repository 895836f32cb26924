# SPDX-License-Identifier: GPL-2.0-or-later
"""Layers of the demo city that only the evaluation reads: waters by class, townships, erosion monitoring."""

from __future__ import annotations

from typing import Any

import numpy as np
import shapely

from swc_zoning.test_data import delta, relief
from swc_zoning.test_data.ground import CLASSES, WATER
from swc_zoning.test_data.layers import City, Layer, Rows, label, rows_of, whole

Array = np.ndarray
#: Intensities of the monitoring, the least first, and their shares of the eroded land.
INTENSITIES = ("轻度", "中度", "强烈", "极强烈", "剧烈")
SHARES = (0.865, 0.095, 0.028, 0.009, 0.003)
#: Cells of the monitoring (m).
CELL = 100.0
#: Syllables of the invented names of townships.
HEADS = "澄泖禾苇潮云鹤沙银芦柳梅竹荻菱雁鹭鸥石永安和平广泰明清"
TAILS = "泾塘渡湾溪堰荡圩墩滩洲林埭浦"


def build(city: City, with_rasters: bool) -> list[Layer]:
    """Return waters and townships, and the monitoring of each year where there are rasters."""
    made = []
    for spec in city.ground.config["evaluation"]["layers"]:
        if spec["role"] != "monitoring":
            made.append(Layer(**spec, rows=BUILDERS[spec["role"]](city)))
        elif with_rasters:
            made += _monitoring(city, spec)
    for layer in made:
        label(city, layer)
    return made


def _waters(city: City) -> Rows:
    """Return rivers, lakes and reservoirs with their class; no two overlap."""
    classes, shapes = city.ground.config["evaluation"]["waters"], city.ground.shapes
    rows, taken = [], shapely.Point()
    for kind in ("reservoir", "lake", "river"):
        for name, shape in shapes[kind].items():
            inside = city.ground.boundary if kind == "reservoir" else city.ground.land
            part = city.inside(shapely.difference(shapely.intersection(shape, inside), taken))
            rows += whole(part, HLMC=name, HLLB=classes.get(name, "其他河道"))
            taken = shapely.union(taken, shape)
    return rows


def _townships(city: City) -> Rows:
    """Return townships: each district divided among seeds on its land, along edges of parcels."""
    rng, names, rows = city.ground.rng("townships"), set[str](), []
    for index, district in enumerate(city.ground.config["districts"]):
        mine = np.flatnonzero(city.parcels.district == index)
        where = _nearest(city.parcels.inner[mine], _seeds(city, mine, rng))
        for number in np.unique(where):
            parts = mine[where == number]
            urban = city.parcels.urban[parts].mean() > 0.4
            code = f"{district['code']}{(0 if urban else 100) + int(number) + 1:03d}"
            name = _name(names, rng) + ("街道" if urban else "镇")
            shape = shapely.coverage_union_all(city.parcels.geometry[parts])
            people = _people(city, parts)
            rows += whole(shape, XZQDM=district["code"], XZDM=code, XZMC=name, RKS=people)
    return rows


def _people(city: City, parts: Array) -> int:
    """Return how many live on parcels: many in towns, few in villages, none elsewhere."""
    density = {"0701": 21000.0, "05H1": 2000.0, "0702": 2600.0, "0101": 90.0, "0103": 90.0}
    each = np.array([density.get(use, 0.0) for use in city.parcels.use[parts]])
    return int(round(float((each * shapely.area(city.parcels.geometry[parts])).sum()) / 1e6, -2))


def _seeds(city: City, mine: Array, rng: np.random.Generator) -> Array:
    """Return the middles of the townships of a district: 6 to 12, fewer where it has few parcels."""
    land = mine[city.parcels.kind[mine] == "land"]
    wanted = min(int(rng.integers(6, 13)), max(1, len(land) // 2))
    # Seeds far from each other: each is the furthest from those before it.
    chosen = [int(rng.choice(land))]
    while len(chosen) < wanted:
        away = _distances(city.parcels.inner[land], city.parcels.inner[chosen]).min(axis=1)
        chosen.append(int(land[np.argmax(away * rng.uniform(0.5, 1.0, len(land)))]))
    return city.parcels.inner[chosen]


def _distances(points: Array, others: Array) -> Array:
    return np.hypot(*(points[:, None, :] - others[None, :, :]).transpose(2, 0, 1))


def _nearest(points: Array, seeds: Array) -> Array:
    return np.argmin(_distances(points, seeds), axis=1)


def _name(taken: set[str], rng: np.random.Generator) -> str:
    """Return a name not in `taken`, and put it there."""
    while True:
        name = str(rng.choice(list(HEADS))) + str(rng.choice(list(TAILS)))
        if name not in taken:
            taken.add(name)
            return name


def _landuse_banks(city: City) -> Rows:
    """Return land use with planted banks and wooded hills as forest parcels of their own; edges shared."""
    parcels, planted = city.parcels, relief.planted(city)
    shapely.prepare(planted)
    used = parcels.use != ""
    cut = np.flatnonzero(used & shapely.intersects(planted, parcels.geometry))
    edges = [*shapely.boundary(parcels.geometry[cut]), shapely.boundary(planted)]
    faces = delta.faces(shapely.get_parts(np.array(edges, dtype=object)))
    inner = shapely.get_coordinates(shapely.point_on_surface(faces))
    face, hit = shapely.STRtree(parcels.geometry[cut]).query(shapely.points(inner), predicate="within")
    rest = np.setdiff1d(np.flatnonzero(used), cut)
    owner = np.concatenate([rest, cut[hit]])
    use = parcels.use[owner]
    use[len(rest) :][relief.wooded(city, parcels.use[cut[hit]], inner[face])] = "0301"
    shapes = np.concatenate([parcels.geometry[rest], faces[face]])
    return [
        {"DLBM": code, "DLMC": CLASSES[code], "TBBH": f"{number + 1:06d}", "geometry": shape}
        for number, (shape, code) in enumerate(zip(shapes, use))
    ]


def _hills(city: City) -> Rows:
    """Return the hill remnants: what rises from the plain, with its foot."""
    return rows_of([city.inside(relief.feet(city))], MC="云山残丘")


def _assessed(city: City) -> Rows:
    """Return what is evaluated: land and tidal flats without water."""
    dry = ~np.isin(city.parcels.use, ["1101", "1102", "1103", "1104", ""])
    return rows_of([shapely.coverage_union_all(city.parcels.geometry[dry])], MC="评价范围")


def _wetland_core(city: City) -> Rows:
    """Return the conservation area of each wetland park: its inner half."""
    rows = []
    for item in city.ground.config["parks"]:
        if item["type"] == "湿地公园":
            inner = shapely.buffer(city.parks[item["name"]], -450.0, quad_segs=4)
            rows += whole(city.inside(inner), MC=item["name"] + "保育区")
    return rows


def _monitoring(city: City, spec: dict[str, Any]) -> list[Layer]:
    """Return the eroded land by intensity, a layer for each year."""
    from swc_zoning.test_data import rasters

    scene = rasters.Scene(city, rasters.grid_over(city, CELL))
    risk, made = _risk(scene), []
    for year, share in city.ground.config["evaluation"]["eroded"].items():
        names = {key: spec[key].replace("YEAR", year) for key in ("path", "code", "title")}
        rows = _monitored(scene, risk + _weather(scene, year), share, int(year))
        made.append(Layer(**{**spec, **names}, rows=rows))
    return made


def _risk(scene: Any) -> Array:
    """Return how likely cells are eroded, by place: banks, hills, bare or tilled ground; NaN off the land."""
    block = scene.whole
    use = scene.uses[scene.parcel(block)]
    risk = 0.55 * scene.noise("erosion", 2500.0, block) + 0.45 * scene.noise("erosion spots", 700.0, block)
    for name, more in (("bank", 2.3), ("otherbank", 1.6), ("sourcebank", 0.9)):
        risk += more * scene.within(name, block)
    risk += 2.4 * np.clip(relief.hills(scene, block) / 20.0, 0.0, 1.0)
    risk += 0.4 * np.isin(use, ["0103", "0201"]) + 0.5 * np.isin(use, ["0601", "1202"])
    return np.where(np.isin(use, WATER), np.nan, risk)


def _weather(scene: Any, year: str) -> Array:
    """Return what a year adds to the risk of cells: works and rain of that year."""
    wide, fine = (
        scene.noise("erosion" + year, 3000.0, scene.whole),
        scene.speckle("erosion" + year, scene.whole),
    )
    return 0.4 * wide + 0.25 * fine


def _monitored(scene: Any, risk: Array, share: float, year: int) -> Rows:
    """Return the `share` of the land with the highest risk as polygons, as vectorised from a raster."""
    from rasterio.features import shapes

    land = np.isfinite(risk)
    edges = np.quantile(risk[land], 1 - share * np.cumsum(SHARES[::-1]))
    grade = (risk[..., None] >= edges).sum(axis=-1).astype(np.uint8)
    found = shapes(grade, mask=grade > 0, connectivity=4, transform=scene.grid.affine)
    rows: Rows = []
    for shape, value in found:
        rows += rows_of([shapely.geometry.shape(shape)], QSQDMC=INTENSITIES[int(value) - 1], NF=year)
    return rows


BUILDERS = {
    "waters": _waters,
    "townships": _townships,
    "landuse_banks": _landuse_banks,
    "hills": _hills,
    "assessed": _assessed,
    "wetland_core": _wetland_core,
}
