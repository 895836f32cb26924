# SPDX-License-Identifier: GPL-2.0-or-later
"""The layers of the demo city, role by role, with the fields such layers have in practice."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import shapely

from swc_zoning.test_data import delta
from swc_zoning.test_data.ground import CLASSES, Ground, Parcels

Array = np.ndarray
Rows = list[dict[str, Any]]
NOTE = "合成数据 synthetic"


@dataclass
class Layer:
    """One layer: where it is written, what it means in the job, and its rows (geometry and fields)."""

    role: str
    path: str
    code: str
    title: str
    rows: Rows
    id_field: str = "BSM"
    name_field: str = ""
    tier: dict[str, Any] | None = None
    crs: str = "EPSG:4549"
    encoding: str = ""
    approval: str = ""

    def tier_of(self, row: dict[str, Any]) -> str:
        """Return the canonical tier of a row: "" where the layer has none, "unknown" where it is missing."""
        if self.tier is None:
            return ""
        if "value" in self.tier:
            return self.tier["value"]
        return self.tier["map"].get(row[self.tier["field"]], "unknown")


@dataclass
class City:
    """The ground, its parcels, and the approved lines drawn over them."""

    ground: Ground
    parcels: Parcels
    reserves: dict[str, list[tuple[str | None, Any]]] = field(default_factory=dict)
    parks: dict[str, Any] = field(default_factory=dict)
    sources: dict[str, list[tuple[str, Any]]] = field(default_factory=dict)
    redline: list[tuple[str, str, Any]] = field(default_factory=list)
    spots: dict[str, list[int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.tree = shapely.STRtree(self.parcels.geometry)

    def shape(self, item: dict[str, Any]) -> Any:
        """Return the patch of a config item, along parcel edges where it says ``snap``."""
        drawn = self.ground.patch(item["name"], item["shape"])
        return self.parcels.snapped(drawn) if item.get("snap") else self.inside(drawn)

    def inside(self, shape: Any) -> Any:
        """Return the polygonal part of `shape` within the city, on the grid."""
        return areal(shapely.intersection(shape, self.ground.boundary))

    def districts(self, shapes: Array) -> Array:
        """Return the index of the district of each shape."""
        nearest = self.tree.nearest(shapely.point_on_surface(shapes))
        return self.parcels.district[nearest]


def areal(shape: Any) -> Any:
    """Return the polygonal part of a geometry on the grid; crumbs below 1 m2 left by cutting are dropped."""
    parts = shapely.get_parts(delta.on_grid(shape))
    return shapely.MultiPolygon([part for part in parts if part.geom_type == "Polygon" and part.area > 1.0])


def rows_of(shapes: Iterable[Any], **fields: Any) -> Rows:
    """Return one row per polygon of `shapes` with the same `fields`."""
    parts = shapely.get_parts(np.array(list(shapes), dtype=object))
    kept = [part for part in parts if part.geom_type == "Polygon" and part.area > 1.0]
    return [{**fields, "geometry": part} for part in kept]


def whole(shape: Any, **fields: Any) -> Rows:
    """Return one row for `shape`, none if it is empty."""
    return [] if shape.is_empty else [{**fields, "geometry": shape}]


def build(city: City) -> list[Layer]:
    """Return every layer in the order of the job, the districts first."""
    _approve(city)
    _plant(city)
    made = [Layer(**spec, rows=BUILDERS[spec["role"]](city)) for spec in city.ground.config["layers"]]
    for layer in made:
        label(city, layer)
    return made


def _approve(city: City) -> None:
    """Draw the lines that others build on: reserves, parks, water sources, red line."""
    for item in city.ground.config["reserves"]:
        outer = city.inside(city.ground.patch(item["code"], item["outer"]))
        if item["core"] is None:
            city.reserves[item["code"]] = [(item["words"][0], outer)]
            continue
        core = areal(shapely.intersection(city.ground.patch(item["code"] + "c", item["core"]), outer))
        rest = areal(shapely.difference(outer, core))
        city.reserves[item["code"]] = [(item["words"][0], core), (item["words"][1], rest)]
    city.parks = {item["name"]: city.shape(item) for item in city.ground.config["parks"]}
    for item in city.ground.config["water_sources"]:
        city.sources[item["code"]] = _river_source(city, item) if "river" in item else _reservoir(city, item)
    city.redline = _red_parts(city)


def _reservoir(city: City, item: dict[str, Any]) -> list[tuple[str, Any]]:
    level1 = city.inside(city.ground.patch(item["name"], item["level1"]))
    full = city.inside(shapely.buffer(level1, item["ring"] * 1000.0, quad_segs=6))
    return [
        ("一级", level1),
        ("二级", full if item.get("nested") else areal(shapely.difference(full, level1))),
    ]


def _river_source(city: City, item: dict[str, Any]) -> list[tuple[str, Any]]:
    """Return the tiers of a river source as rings: each level takes what the stricter ones left."""
    river = city.ground.shapes["river"][item["river"]]
    intake = shapely.Point(city.ground.metres(item["intake"]))
    tiers, taken = [], shapely.Point()
    for word, reach, land in zip(("一级", "二级", "缓冲区"), item["reach"], item["land"]):
        band = shapely.buffer(river, land * 1000.0, quad_segs=4)
        full = shapely.intersection(band, shapely.buffer(intake, reach * 1000.0))
        tiers.append((word, city.inside(shapely.difference(full, taken))))
        taken = shapely.union(taken, full)
    lake = shapely.buffer(city.ground.shapes["lake"][item["quasi_lake"]], 700.0, quad_segs=6)
    quasi = shapely.difference(shapely.intersection(lake, shapely.buffer(intake, 17000.0)), taken)
    tiers[2] = ("缓冲区", areal(shapely.difference(tiers[2][1], lake)))
    return [*tiers, ("准", city.inside(quasi))]


def _red_parts(city: City) -> list[tuple[str, str, Any]]:
    """Return (name, type, shape) of red-line parts; none overlaps another."""
    wanted: list[tuple[str, str, Any]] = []
    names = {item["code"]: item["name"] for item in city.ground.config["reserves"]}
    for code in ("BH01", "BH02"):
        kind = "生物多样性维护"
        for word, shape in city.reserves[code]:
            wanted.append((names[code] + ("核心" if word == "核心保护区" else "其他"), kind, shape))
    islets = shapely.buffer(city.reserves["BH03"][0][1], 350.0, quad_segs=6)
    wanted.append(("三屿特别保护海岛", "特别保护海岛", city.inside(islets)))
    for item in city.ground.config["water_sources"]:
        wanted.append((item["name"] + "红线", "水源涵养", city.sources[item["code"]][0][1]))
    wanted += [(item["name"], item["type"], city.shape(item)) for item in city.ground.config["redline_extra"]]
    flats = city.parcels.geometry[city.parcels.kind == "flat"]
    wanted.append(("沿海滩涂及浅海", "重要滩涂及浅海水域", shapely.coverage_union_all(flats)))
    return _without_overlap(wanted)


def _without_overlap(wanted: list[tuple[str, str, Any]]) -> list[tuple[str, str, Any]]:
    taken, parts = shapely.Point(), []
    for name, kind, shape in wanted:
        parts.append((name, kind, areal(shapely.difference(shape, taken))))
        taken = shapely.union(taken, shape)
    return [part for part in parts if not part[2].is_empty]


def _plant(city: City) -> None:
    """Choose the parcels where conflicts are planted and set their land use."""
    use = {"farmland": "0101", "boundary": "0601", "construction": "0701"}
    free = city.parcels.kind == "land"
    for purpose, spots in city.ground.config["spots"].items():
        chosen = [city.parcels.at(city.ground.metres(place), free) for place in spots.values()]
        city.parcels.use[chosen] = use[purpose]
        city.spots[purpose] = chosen
        free[chosen] = False


def _extent(city: City) -> Rows:
    rows = []
    for index, district in enumerate(city.ground.config["districts"]):
        shape = shapely.coverage_union_all(city.parcels.geometry[city.parcels.district == index])
        rows += whole(shape, XZQDM=district["code"], XZQMC=district["name"])
    return rows


def _land_mask(city: City) -> Rows:
    dry = ~np.isin(city.parcels.kind, ["sea", "flat"]) & city.parcels.within(city.ground.land)
    shape = shapely.coverage_union_all(city.parcels.geometry[dry])
    return rows_of([shape], MC="陆域")


def _land_use(city: City) -> Rows:
    chosen = np.flatnonzero(city.parcels.use != "")
    return [
        {
            "DLBM": code,
            "DLMC": CLASSES[code],
            "TBBH": f"{number + 1:06d}",
            "geometry": city.parcels.geometry[index],
        }
        for number, (index, code) in enumerate(zip(chosen, city.parcels.use[chosen]))
    ]


def _redline(city: City) -> Rows:
    rows = []
    for number, (name, kind, shape) in enumerate(city.redline):
        core = "是" if name.endswith("核心") else "否"
        general = "是" if name.endswith("其他") else "否"
        rows += whole(
            shape, HXBM=f"9901{number + 1:04d}", HXMC=name, HXLX=kind, SFZRBHDHXQ=core, SFZRBHDYBKZQ=general
        )
    return rows


def protected(city: City) -> Any:
    """Return everything that ordinary farmland and development stay out of."""
    shapes = [shape for parts in city.reserves.values() for _, shape in parts]
    shapes += [shape for _, _, shape in city.redline]
    shapes += [parts[0][1] for parts in city.sources.values()]
    shapes += [shape for name, shape in city.parks.items() if name != city.ground.config["exemption"]["park"]]
    return shapely.union_all(shapes)


def _farmland(city: City) -> Rows:
    """Return basic farmland: parcels of cropland, three districts of it traced anew and 0.05-2 m off."""
    parcels = city.parcels
    crops = np.isin(parcels.use, ["0101", "0103"]) & (parcels.urban < 0.3)
    crops &= delta.noise(city.ground.seed, "farmland", 9000.0)(parcels.inner) > 0.05
    crops &= ~parcels.within(protected(city))
    crops[city.spots["farmland"]] = True
    chosen = np.flatnonzero(crops)
    codes = [city.ground.config["districts"][index]["code"] for index in parcels.district[chosen]]
    anew = np.isin(codes, ["990114", "990116", "990151"])
    shapes = delta.redigitised(parcels.geometry[chosen], anew, 0.05, 2.0, city.ground.seed)
    rows = []
    for number, (index, code, shape) in enumerate(zip(chosen, codes, shapes)):
        use = parcels.use[index]
        rows.append({"YJJBNTTBBH": f"{code}{number + 1:06d}", "TBBH": f"{number + 1:06d}", "DLBM": use})
        rows[-1].update({"DLMC": CLASSES[use], "WDGD": "1" if use == "0101" else "0", "geometry": shape})
    return rows


def _development(city: City) -> Rows:
    parcels, park = city.parcels, city.parks[city.ground.config["exemption"]["park"]]
    wide = (parcels.kind == "river") & (parcels.name == "澄江")
    built = (parcels.urban > 0.36) & ~np.isin(parcels.kind, ["sea", "flat", "lake"]) & ~wide
    built &= parcels.within(city.ground.land) & ~parcels.within(protected(city))
    spots = city.spots["boundary"]
    built[spots] = True
    green = delta.noise(city.ground.seed, "green", 3500.0)(parcels.inner) > 1.25
    special = built & (green | parcels.within(park) | np.isin(parcels.use, ["0810"]) & (parcels.urban < 0.6))
    flexible = built & ~special & (parcels.urban <= 0.42)
    special[spots] = flexible[spots] = False
    kinds = {
        "城镇集中建设区": built & ~special & ~flexible,
        "城镇弹性发展区": flexible,
        "特别用途区": special,
    }
    rows = []
    for number, (word, chosen) in enumerate(kinds.items()):
        for district in np.unique(parcels.district[chosen]):
            shape = shapely.coverage_union_all(parcels.geometry[chosen & (parcels.district == district)])
            rows += rows_of([shape], GHFQDM=f"{number + 1:02d}", GHFQMC=word)
    return rows


def _sources(city: City) -> Rows:
    rows = []
    for item in city.ground.config["water_sources"]:
        for word, shape in city.sources[item["code"]]:
            named = {"SYDBM": item["code"], "SYDMC": item["name"], "SYDLX": item["type"]}
            rows += whole(shape, **named, BHQJB=word, SYDZT="在用")
    return rows


def _reserves(city: City) -> Rows:
    rows = []
    for item in city.ground.config["reserves"]:
        for word, shape in city.reserves[item["code"]]:
            named = {"BHDBM": item["code"], "BHDMC": item["name"], "JB": item["grade"]}
            rows += whole(shape, **named, BHLX="自然保护区", BHFQ=word)
    return rows


def _parks(city: City) -> Rows:
    rows = []
    for item in city.ground.config["parks"]:
        rows += whole(city.parks[item["name"]], BHDMC=item["name"], BHLX=item["type"], JB=item["grade"])
    return rows


def _wetlands(city: City) -> Rows:
    rows = []
    for item in city.ground.config["wetlands"]:
        rows += whole(city.shape(item), SDMC=item["name"], SDJB=item["word"])
    return rows


def _declared(items: list[tuple[str, Any]]) -> Rows:
    return [row for name, shape in items for row in whole(shape, MC=name, JB="市级")]


def _prevention(city: City) -> Rows:
    items = [(item["name"], city.shape(item)) for item in city.ground.config["prevention"]]
    return _declared(items)


def _treatment(city: City) -> Rows:
    """Return river strips of 150 m on either bank, in a zone-prefixed CRS."""
    items, taken = [], shapely.Point()
    for name in city.ground.config["treatment"]:
        strip = shapely.buffer(city.ground.shapes["river"][name], 150.0, quad_segs=2)
        strip = shapely.intersection(shapely.difference(strip, taken), city.ground.land)
        items.append((name + "沿线重点治理区", city.inside(strip)))
        taken = shapely.union(taken, strip)
    return _declared(items)


def _prone(city: City) -> Rows:
    """Return other erosion-prone areas: river belts of 700 m, prevention areas and the new coastal town."""
    config = city.ground.config
    belts = shapely.buffer(np.array(list(city.ground.shapes["river"].values())), 700.0, quad_segs=3)
    drawn = [city.ground.patch(i["name"], i["shape"]) for i in config["prevention"] + config["planned"][:1]]
    whole_area = shapely.intersection(shapely.union_all([*belts, *drawn]), city.ground.land)
    return rows_of([city.inside(whole_area)], MC="其他易发区", LX="其他易发区")


def _erosion(city: City) -> Rows:
    """Return erosion patches as vectorised from a 30 m raster: along banks, on the hill, here and there."""
    rng = city.ground.rng("erosion")
    centres = _erosion_places(city, rng, int(320 * min(1.0, city.ground.scale)) + 24)
    sizes = rng.integers(6, 110, len(centres))
    words = np.array(["轻度", "中度", "微度"], dtype=object)[rng.choice(3, len(centres), p=[0.6, 0.17, 0.23])]
    words[0] = "中度"
    patches = np.array([delta.pixels(c, int(n), 30.0, rng) for c, n in zip(centres, sizes)], dtype=object)
    first, second = shapely.STRtree(patches).query(patches, predicate="intersects")
    later = np.unique(second[first < second])
    rows = []
    for index in np.setdiff1d(np.arange(len(patches)), later):
        rows += whole(patches[index], QSQD=words[index], LYDM=f"XLY{index % 37 + 1:03d}")
    return rows


def _erosion_places(city: City, rng: np.random.Generator, count: int) -> Array:
    rivers = np.array([shapely.boundary(r) for r in city.ground.shapes["river"].values()], dtype=object)
    along = shapely.line_interpolate_point(
        rng.choice(rivers, count), rng.uniform(0, 1, count), normalized=True
    )
    banks = shapely.get_coordinates(along) + rng.normal(0.0, 220.0, (count, 2))
    hill = city.ground.metres([21.3, 47.0]) + rng.normal(0.0, 1500.0, (count // 4, 2))
    hill[0] = city.ground.metres([21.3, 47.0])
    places = np.vstack([hill, banks])
    inland = shapely.buffer(city.ground.land, -700.0, quad_segs=2)
    shapely.prepare(inland)
    return places[shapely.contains_xy(inland, places[:, 0], places[:, 1])]


def _function(city: City) -> Rows:
    rows, taken = [], shapely.Point()
    for item in city.ground.config["function"]:
        shape = shapely.difference(city.shape(item), taken)
        rows += whole(areal(shape), MC=item["name"], ZYX=item["word"])
        taken = shapely.union(taken, shape)
    return rows


def _river_management(city: City) -> Rows:
    """Return management strips of rivers, lakes, reservoirs and the sea dyke, none over another."""
    shapes, wanted = city.ground.shapes, []
    strips = (("lake", "湖泊", 60.0), ("reservoir", "水库", 50.0), ("river", "河道", 30.0))
    for kind, word, width in strips:
        for name, shape in shapes[kind].items():
            inside = city.ground.boundary if kind == "reservoir" else city.ground.land
            strip = shapely.buffer(shape, width, quad_segs=2)
            wanted.append((name, word, city.inside(shapely.intersection(strip, inside))))
    dyke = shapely.buffer(shapely.boundary(city.ground.land), 45.0, quad_segs=2)
    inner = shapely.buffer(city.ground.boundary, -300.0)
    dyke = shapely.intersection(shapely.intersection(dyke, city.ground.land), inner)
    wanted.append(("海塘", "堤防", areal(dyke)))
    rows = []
    for name, word, shape in _without_overlap(wanted):
        rows += rows_of([shape], MC=name, LX=word)
    return rows


def _forest(city: City) -> Rows:
    """Return shelter forest: a belt 60-240 m behind the dyke, with gaps."""
    land, rng = city.ground.land, city.ground.rng("forest")
    belt = shapely.difference(
        shapely.buffer(land, -60.0, quad_segs=2), shapely.buffer(land, -240.0, quad_segs=2)
    )
    belt = shapely.intersection(belt, shapely.buffer(city.ground.boundary, -900.0))
    rows = []
    for number, part in enumerate(shapely.get_parts(land)):
        for start in np.arange(0.0, part.exterior.length - 9000.0, 9000.0):
            stretch = shapely.LineString(
                part.exterior.interpolate(start + np.linspace(0, rng.uniform(2500, 6500), 12))
            )
            shape = areal(shapely.intersection(belt, shapely.buffer(stretch, 700.0, cap_style="flat")))
            grade = ("国家一级", "国家二级", "地方公益林")[int(rng.integers(3))]
            rows += whole(shape, MC=f"海防林{number + 1}-{int(start / 9000) + 1:02d}", GYLJB=grade)
    return _apart(rows)


def _apart(rows: Rows) -> Rows:
    """Return the rows without those that overlap an earlier one."""
    shapes = np.array([row["geometry"] for row in rows], dtype=object)
    first, second = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    later = set(second[first < second].tolist())
    return [row for index, row in enumerate(rows) if index not in later]


def _planned(city: City) -> Rows:
    rows = []
    for item in city.ground.config["planned"]:
        rows += whole(city.shape(item), XMMC=item["name"], XMLX=item["word"])
    return rows


def _control_line(city: City) -> Rows:
    """Return the four classes of ecological control line, each without the stricter ones."""
    cores = [s for parts in city.reserves.values() for word, s in parts if word == "核心保护区"]
    classes = [
        ("一类生态空间", shapely.union_all(cores)),
        ("二类生态空间", shapely.union_all([shape for _, _, shape in city.redline])),
        ("三类生态空间", shapely.union_all([city.shape(i) for i in city.ground.config["function"]])),
        ("四类生态空间", shapely.union_all(list(city.parks.values()))),
    ]
    rows = []
    for number, (word, _, shape) in enumerate(_without_overlap([(w, "", s) for w, s in classes])):
        rows += rows_of([shape], GKDJDM=f"{number + 1:02d}", GKDJMC=word)
    return rows


def _exemption(city: City) -> Rows:
    item = city.ground.config["exemption"]
    drawn = city.ground.patch("exemption", item["shape"])
    shape = areal(shapely.intersection(drawn, city.parks[item["park"]]))
    return whole(shape, PZWH=item["number"], MC=item["park"] + "开天窗")


def label(city: City, layer: Layer) -> None:
    """Give each row its district, identifier and the mark of synthetic data, in front of its own fields."""
    districts = city.ground.config["districts"]
    where = city.districts(np.array([row["geometry"] for row in layer.rows], dtype=object))
    for number, (row, index) in enumerate(zip(layer.rows, where)):
        own = dict(row)
        row.clear()
        code = own.get("XZQDM", districts[index]["code"])
        row["BSM"] = f"{code}0000{number + 1:08d}"
        row.update({"XZQDM": code, "XZQMC": own.get("XZQMC", districts[index]["name"]), **own, "BZ": NOTE})


BUILDERS: dict[str, Callable[[City], Rows]] = {
    "admin_extent": _extent,
    "land_mask": _land_mask,
    "landuse_status": _land_use,
    "ecological_redline": _redline,
    "permanent_basic_farmland": _farmland,
    "urban_development_boundary": _development,
    "drinking_water_source": _sources,
    "nature_reserve": _reserves,
    "nature_park": _parks,
    "important_wetland": _wetlands,
    "key_prevention_zone": _prevention,
    "key_treatment_zone": _treatment,
    "erosion_prone_area": _prone,
    "soil_erosion": _erosion,
    "swc_function_important": _function,
    "river_lake_management": _river_management,
    "protection_forest": _forest,
    "planned_construction": _planned,
    "eco_control_line": _control_line,
    "registered_exemption": _exemption,
}
