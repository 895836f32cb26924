# SPDX-License-Identifier: GPL-2.0-or-later
"""Write the demo city with real-world habits: formats, encodings, CRSs, flaws; job, planted list, README."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import pyogrio
import pyproj
import shapely

from swc_zoning.test_data import delta
from swc_zoning.test_data.layers import NOTE, City, Layer

CRS = "EPSG:4549"
AREA_FIELD = {"permanent_basic_farmland": "YJJBNTMJ", "landuse_status": "TBMJ"}
CODES = {"permanent_basic_farmland": "2090020999", "urban_development_boundary": "2090020998"}


def soil(city: City, layers: list[Layer]) -> list[dict[str, Any]]:
    """Put the usual flaws into a few layers; return what was done where."""
    by_role = {layer.role: layer for layer in layers}
    return [
        _bow_tie(by_role["planned_construction"], city.ground.metres([50, 30])),
        _bow_tie(by_role["protection_forest"], city.ground.metres([46, 19])),
        _repeat_vertices(by_role["soil_erosion"]),
        _repeat_vertices(by_role["permanent_basic_farmland"]),
        _repeat_feature(by_role["permanent_basic_farmland"]),
        _null_geometry(by_role["protection_forest"]),
        _overlap(by_role["planned_construction"]),
    ]


def _flaw(kind: str, layer: Layer, row: dict[str, Any], place: Any) -> dict[str, Any]:
    east, north = (round(float(v), 1) for v in shapely.get_coordinates(place)[0])
    return {"flaw": kind, "role": layer.role, "id": row[layer.id_field], "place": [east, north]}


def _added(layer: Layer, like: dict[str, Any], geometry: Any) -> dict[str, Any]:
    row = {**like, "geometry": geometry, "BSM": f"{like['BSM'][:10]}{len(layer.rows) + 1:08d}"}
    layer.rows.append(row)
    return row


def _bow_tie(layer: Layer, corner: np.ndarray) -> dict[str, Any]:
    ring = np.array([[0, 0], [600, 400], [600, 0], [0, 400], [0, 0]]) + corner
    row = _added(layer, layer.rows[0], shapely.Polygon(ring))
    return _flaw("self_intersection", layer, row, shapely.Point(ring[:4].mean(axis=0)))


def _repeat_vertices(layer: Layer) -> dict[str, Any]:
    row = layer.rows[5]
    points = np.repeat(shapely.get_coordinates(row["geometry"].exterior), 3, axis=0)
    row["geometry"] = shapely.Polygon(points, [hole.coords for hole in row["geometry"].interiors])
    return _flaw("repeated_vertices", layer, row, row["geometry"].representative_point())


def _repeat_feature(layer: Layer) -> dict[str, Any]:
    row = dict(layer.rows[10])
    layer.rows.append(row)
    return _flaw("repeated_feature", layer, row, row["geometry"].representative_point())


def _null_geometry(layer: Layer) -> dict[str, Any]:
    place = layer.rows[0]["geometry"].representative_point()
    return _flaw("null_geometry", layer, _added(layer, layer.rows[0], None), place)


def _overlap(layer: Layer) -> dict[str, Any]:
    first = layer.rows[4]
    shifted = shapely.transform(first["geometry"], lambda xy: np.round(xy + np.array([1100.0, 300.0]), 3))
    row = _added(layer, first, shifted)
    row["XMMC"] = first["XMMC"] + "（二期）"
    return _flaw(
        "overlap_inside_layer", layer, row, shapely.intersection(shifted, first["geometry"]).centroid
    )


def frame(layer: Layer) -> geopandas.GeoDataFrame:
    """Return a layer as a table in the CRS it is written in, with ground areas (m2, 2 decimals)."""
    table = geopandas.GeoDataFrame(layer.rows, geometry="geometry", crs=CRS)
    # A layer of polygons and multipolygons mixed would be typed "unknown" in some formats.
    if (table.geom_type == "MultiPolygon").any():
        table["geometry"] = [_multi(g) for g in table.geometry]
    area = AREA_FIELD.get(layer.role, "MJ")
    table.insert(len(table.columns) - 2, area, _ground_areas(table))
    table.insert(1, "YSDM", CODES.get(layer.role, "2090020997"))
    return table if layer.crs == CRS else table.to_crs(layer.crs)


def _multi(shape: Any) -> Any:
    return shapely.multipolygons([shape]) if shape is not None and shape.geom_type == "Polygon" else shape


def _ground_areas(table: geopandas.GeoDataFrame) -> list[float | None]:
    geod = pyproj.Geod(a=6378137.0, rf=298.257222101)
    degrees = table.geometry.to_crs("EPSG:4490")
    return [None if g is None else round(abs(geod.geometry_area_perimeter(g)[0]), 2) for g in degrees]


def write(output: Path, config: dict[str, Any], layers: list[Layer]) -> None:
    """Write every layer into `output` in its format; an existing file of that name is replaced."""
    moment = config["city"]["plan_date"] + "T00:00:00.000Z"
    pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": moment})
    for layer in layers:
        path = output / layer.path
        path.parent.mkdir(parents=True, exist_ok=True)
        title = f"{layer.title}（{NOTE}）"
        _write_one(frame(layer), path, layer, title)
    pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": None})


def _write_one(table: geopandas.GeoDataFrame, path: Path, layer: Layer, title: str) -> None:
    options: dict[str, Any] = {"layer": layer.code}
    if path.suffix == ".gpkg":
        path.unlink(missing_ok=True)
        options.update(driver="GPKG", layer_options={"IDENTIFIER": title, "DESCRIPTION": NOTE})
    elif path.suffix == ".gdb":
        # Origin and scale together put the file's own grid on 0.0001 m.
        grid = {"XORIGIN": "0", "YORIGIN": "0", "XYSCALE": "10000", "XYTOLERANCE": "0.0001"}
        options.update(driver="OpenFileGDB", layer_options={"LAYER_ALIAS": title, **grid})
    elif path.suffix == ".geojson":
        options.update(driver="GeoJSON", layer_options={"COORDINATE_PRECISION": "11", "DESCRIPTION": title})
    else:
        options.update(driver="ESRI Shapefile", encoding=layer.encoding)
    pyogrio.write_dataframe(table, path, **options)
    if layer.encoding == "GBK":
        path.with_suffix(".cpg").unlink()


def describe(
    output: Path,
    config: dict[str, Any],
    layers: list[Layer],
    flaws: list[dict[str, Any]],
    surveyed: list[Layer],
) -> None:
    """Write ``job.json``, ``order.json``, ``planted.json`` and ``README.txt`` into `output`."""
    _dump(output / "job.json", job(config, layers))
    _dump(output / "order.json", order(config))
    found = planted(config, layers)
    _dump(output / "planted.json", {"about": NOTE, "crs": CRS, "conflicts": found, "flaws": flaws})
    (output / "README.txt").write_text(readme(config, layers, surveyed), encoding="utf-8")


def _dump(path: Path, document: dict[str, Any]) -> None:
    path.write_text(json.dumps(document, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


def job(config: dict[str, Any], layers: list[Layer]) -> dict[str, Any]:
    """Return the job document; sources are relative to its file."""
    city, extent = config["city"], layers[0]
    return {
        "schema": 1,
        "title": f"{city['name']}水土保持空间管控分区（{NOTE}）",
        "extent": {
            "source": extent.path,
            "layer": extent.code,
            "code_field": extent.id_field,
            "name_field": extent.name_field,
            **_provenance(extent),
        },
        "crs": city["crs"],
        "plan_date": city["plan_date"],
        "layers": [_entry(layer) for layer in layers[1:]],
        "options": {"mode": "draft"},
    }


def order(config: dict[str, Any]) -> dict[str, Any]:
    """Return the order of the submission of the city, as a draft."""
    city = config["city"]
    return {
        "schema": 1,
        "profile": "national",
        "stage": "draft",
        "code": city["code"],
        "name": city["name"],
        "compiler": f"{city['name']}水务局（{NOTE}）",
        "plan_name": f"{city['name']}国土空间总体规划（{NOTE}）",
    }


def _entry(layer: Layer) -> dict[str, Any]:
    entry: dict[str, Any] = {"role": layer.role, "source": layer.path, "layer": layer.code}
    if layer.tier is not None:
        entry["tier"] = layer.tier
    entry.update(id_field=layer.id_field, name_field=layer.name_field)
    return {**entry, **_provenance(layer)}


def _provenance(layer: Layer) -> dict[str, str]:
    facts = {
        "version": "2026-06（合成）",
        "data_date": "2026-06-30",
        "provider": "演示数据（合成）",
        "secrecy": "公开（合成数据）",
    }
    if layer.approval:
        facts["approval_no"] = f"演府〔2026〕{layer.approval}示例号（合成）"
    return facts


def planted(config: dict[str, Any], layers: list[Layer]) -> list[dict[str, Any]]:
    """Return each kind of conflict with its whole plane area (ha) and the largest place of it.

    Found by plain set operations on the layers as written, independent of the zoning engine. A kind that
    another seed or a coarse scale happens not to bring about is left out.
    """
    rules = config["conflicts"].values()
    covers = _covers(
        layers, {key for rule in rules for group in [*rule["all"], rule["none"]] for key in group}
    )
    nothing = shapely.MultiPolygon()
    found = []
    for kind, rule in config["conflicts"].items():
        groups = [shapely.union_all([covers.get(key, nothing) for key in group]) for group in rule["all"]]
        region = groups[0]
        for group in groups[1:]:
            region = shapely.intersection(region, group)
        without = shapely.union_all([covers.get(key, nothing) for key in rule["none"]])
        region = shapely.difference(region, without)
        if region.area == 0.0:
            continue
        main = delta.largest(region)
        east, north = shapely.get_coordinates(shapely.point_on_surface(main))[0]
        fact = {
            "conflict": kind,
            "about": rule["about"],
            "place": [round(float(east), 1), round(float(north), 1)],
        }
        fact.update(hectares=round(main.area / 1e4, 4), total_hectares=round(region.area / 1e4, 4))
        found.append({**fact, "all": rule["all"], "none": rule["none"]})
    return found


def _covers(layers: list[Layer], wanted: set[str]) -> dict[str, Any]:
    """Return the unions asked for: of a role, or of one tier of it as ``role:tier``, in the working CRS."""
    groups: dict[str, list[Any]] = {}
    for layer in layers[1:]:
        for row in layer.rows:
            shape = row["geometry"]
            if shape is None:
                continue
            shape = (
                shape
                if shape.is_valid
                else shapely.make_valid(shape, method="structure", keep_collapsed=False)
            )
            for key in wanted & {layer.role, f"{layer.role}:{layer.tier_of(row)}"}:
                groups.setdefault(key, []).append(shape)
    return {key: shapely.union_all(shapes) for key, shapes in groups.items()}


def _of_evaluation(with_rasters: bool) -> list[str]:
    """Return what the note says of rasters and the evaluation."""
    if not with_rasters:
        text = "没有 rasterio，未生成栅格、动态监测和评价参数；安装后重新生成"
        return [f"rasters/: {text} / no rasters, monitoring or parameters: rasterio is not installed"]
    return [
        "rasters/: 高程、NDVI、土壤、降雨，用于评价 / elevation, NDVI, soil and rain, for the evaluation",
        "evaluation/: 评价参数，以及采用评价结果的 job.json / parameters, and a job that takes the results",
    ]


def readme(config: dict[str, Any], layers: list[Layer], surveyed: list[Layer]) -> str:
    """Return the note beside the data: what it is, that it is invented, what each layer is."""
    lines = [
        f"{config['city']['name']} — 合成数据 / synthetic data",
        "",
        "本目录全部图层均由程序生成，边界、地名、代码、文号均为虚构，不代表任何真实地区，不得用于审批或出版。",
        "All layers here are generated by a program. Shapes, names, codes and document numbers are invented.",
        "",
        "运行 / run:  python -m swc_zoning run job.json --output OUT",
        "order.json: 成果报送设置 / order of the submission",
        "planted.json: 有意设置的矛盾与数据缺陷 / conflicts and flaws put in on purpose",
        "",
    ]
    lines[-1:-1] = _of_evaluation(any(layer.role == "monitoring" for layer in surveyed))
    for layer in layers + surveyed:
        encoding = f", {layer.encoding}" if layer.encoding else ""
        lines.append(
            f"{layer.path:24s} {layer.title} {layer.role}: {len(layer.rows)} ({layer.crs}{encoding})"
        )
    return "\n".join(lines) + "\n"
