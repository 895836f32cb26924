# SPDX-License-Identifier: GPL-2.0-or-later
"""Small submissions: one made by hand, every layer and table of it, and one of a result of two districts."""

from __future__ import annotations

import json
from types import SimpleNamespace

import geopandas
import numpy as np
import shapely

from swc_zoning.engine import run
from swc_zoning.engine.submission import contents, order, schemas
from swc_zoning.engine.submission.sheets import Sheet, to_degrees

SCHEMA = schemas.load("national")
ORDER = order.Order(
    profile="national",
    code="990100",
    name="演示市",
    date="20260930",
    compiler="演示市水务局",
    plan_name="演示市国土空间总体规划",
    secrecy="内部",
)
SIDE_M = 3000.0
#: One input is open, one is not, one says nothing.
INPUTS = [
    {
        "role": "admin_extent",
        "layer": "XZQ",
        "version": "2026-06",
        "approval_no": "",
        "data_date": "2026-06-30",
        "sha256": "aa" * 32,
        "used": 2,
        "secrecy": "公开（合成数据）",
    },
    {
        "role": "key_prevention_zone",
        "layer": "机密预防区划",
        "version": "密版2026",
        "approval_no": "演水密〔2026〕7号",
        "data_date": "2026-01-01",
        "sha256": "5e" * 32,
        "used": 1,
        "secrecy": "秘密★10年",
    },
    {
        "role": "landuse_status",
        "layer": "DLTB",
        "version": "2025",
        "approval_no": "",
        "data_date": "2025-12-31",
        "sha256": "c3" * 32,
        "used": 4,
        "secrecy": "",
    },
]
DISTRICTS = {"990101": "甲区", "990102": "乙区"}


def squares() -> np.ndarray:
    """Return four squares, two rows of two, in degrees: shared edges stay shared."""
    west, south = 600_000 + SIDE_M * np.array([0, 1, 0, 1]), 3_400_000 + SIDE_M * np.array([0, 0, 1, 1])
    return to_degrees(shapely.box(west, south, west + SIDE_M, south + SIDE_M), "EPSG:4549")


def required(name: str, **values) -> dict:
    """Return a row of a layer that has something wherever that is required."""
    row = {}
    for field in SCHEMA.layers[name].fields:
        if field.required:
            row[field.name] = "0" if field.kind == "text" else 1
    return {**row, **values}


def patches() -> list[dict]:
    """Return the rows of SBGKFQ: in each district one patch of 0101 and one of 0201."""
    zones = list(SCHEMA.domains["FQDM"].items())[:2]
    rows = []
    for number, (district, zone) in enumerate([(0, 0), (1, 0), (0, 1), (1, 1)]):
        code, name = list(DISTRICTS.items())[district]
        fqdm, fqmc = zones[zone]
        rows.append(
            required(
                "SBGKFQ",
                BSM=f"{code}0000{number + 1:08d}",
                XZQDM=code,
                XZQMC=name,
                TBBH=f"{fqdm}{number + 1:07d}",
                TBYBH=f"{number:016x}",
                FQDM=fqdm,
                FQMC=fqmc,
                GKDJ="01",
                ZT="1",
                LH="9",
                LYMC="机密水库名" if number == 0 else None,
                TQMJ=9_000_000.1234,
                TBMJ=9_000_000.12 + number / 100,
                SJNF="2026",
            )
        )
    return rows


def meta(**changes: str) -> list[dict]:
    """Return the rows of META."""
    items = {
        "profile": "national",
        "schema_version": SCHEMA.version,
        "stage": "draft",
        "code": ORDER.code,
        "name": ORDER.name,
        "date": ORDER.date,
        "compiler": ORDER.compiler,
        "secrecy": "内部",
        "work_crs": "EPSG:4549",
        "rules_profile": "shanghai",
        "rules_version": "1",
        "rules_sha256": "bb" * 32,
        "content_sha256": "d0" * 32,
        "missing_role:soil_erosion": "1",
        **{f"input:{n}": json.dumps(one, ensure_ascii=False) for n, one in enumerate(INPUTS)},
        **changes,
    }
    return [
        {"ITEM": item, "XH": n, "VALUE": value[start : start + 120]}
        for item, value in items.items()
        for n, start in enumerate(range(0, max(len(value), 1), 120), 1)
    ]


def sheets() -> dict[str, Sheet]:
    """Return a sheet of every layer and table that must be there."""
    drawn = squares()
    rows: dict[str, tuple[list[dict], np.ndarray | None]] = {
        name: ([], np.empty(0, object) if layer.kind == "polygon" else None)
        for name, layer in SCHEMA.layers.items()
        if layer.required
    }
    rows["SBGKFQ"] = (patches(), drawn)
    rows["XZQ"] = (
        [
            required("XZQ", BSM=f"{code}00009000000{n}", XZQDM=code, XZQMC=name, KZMJ=18e6, MJ=18e6)
            for n, (code, name) in enumerate(DISTRICTS.items())
        ],
        np.array([shapely.union_all(drawn[[0, 2]]), shapely.union_all(drawn[[1, 3]])], object),
    )
    declared = required(
        "ZDYFQ", BSM="990101000070000001", XZQDM="990101", XZQMC="甲区", MC="某预防区", MJ=9e6
    )
    rows["ZDYFQ"] = ([{**declared, "JB": "3", "SX": "1", "PZWH": INPUTS[1]["approval_no"]}], drawn[:1])
    rows["GXB"] = (
        [required("GXB", BSM=patches()[0]["BSM"], TC="机密预防区划", LYMC="机密水库名", FGMJ=9e6)],
        None,
    )
    rows["TJ_QF"] = (
        [
            required("TJ_QF", **{key: row[key] for key in ("XZQDM", "XZQMC", "FQDM", "FQMC")}, MJ=row["TBMJ"])
            for row in patches()
        ],
        None,
    )
    rows["CSQD"] = ([required("CSQD", CSDM="M01", CSMC="=1+1", SM="-措施", LB="预防")], None)
    codes = [("FQDM", code, name) for code, name in SCHEMA.domains["FQDM"].items()]
    codes += [("JYLX", code, name) for code, name in SCHEMA.domains["JYLX"].items()]
    rows["DMB"] = ([{"ZDMC": kind, "DM": code, "MC": name} for kind, code, name in codes], None)
    rows["META"] = (meta(), None)
    return {name: Sheet.of(SCHEMA.layers[name], *found) for name, found in rows.items()}


def handmade(**changes: Sheet) -> SimpleNamespace:
    """Return contents made by hand, single sheets changed."""
    return SimpleNamespace(sheets={**sheets(), **changes}, findings=(), facts={})


# --- of a result -----------------------------------------------------------------------------------


def place(west: float, south: float, east: float, north: float) -> shapely.Polygon:
    """Return a rectangle of the working CRS, EPSG:4549, from metres east and north of a corner."""
    return shapely.box(600_000 + west, 3_400_000 + south, 600_000 + east, 3_400_000 + north)


def _layer(folder, name: str, rows: list[tuple[shapely.Polygon, dict[str, str]]], **said: str) -> dict:
    drawn = [geometry for geometry, _ in rows]
    frame = geopandas.GeoDataFrame([values for _, values in rows], geometry=drawn, crs="EPSG:4549")
    frame.to_file(folder / f"{name}.gpkg", layer=name)
    return {"source": f"{name}.gpkg", "version": "2026", "data_date": "2026-06-30", **said}


def result(folder, second: str = "乙区"):
    """Return the folder of a result: two districts, a secret key area, land use of which nothing is said."""
    districts = [(place(0, 0, 3000, 4000), "990101", "甲区"), (place(3000, 0, 6000, 4000), "990102", second)]
    rows = [(drawn, {"code": code, "name": name}) for drawn, code, name in districts]
    extent = _layer(folder, "XZQ", rows, code_field="code", name_field="name", secrecy="公开（合成数据）")
    secret = {"approval_no": "演水密〔2026〕7号", "secrecy": "秘密★10年", "provider": "机密单位"}
    area = [(place(500, 500, 4500, 2500), {"id": "JM-77", "name": "机密水库名"})]
    named = {"id_field": "id", "name_field": "name"}
    key = _layer(folder, "机密预防区划", area, **named, **secret)
    use = [(place(0, 2000, 6000, 4000), {"id": "1", "name": "耕地"})]
    job = {
        "schema": 1,
        "title": "演示",
        "crs": "EPSG:4549",
        "extent": extent,
        "layers": [
            {"role": "key_prevention_zone", **key, "tier": {"value": "municipal"}},
            {"role": "landuse_status", **_layer(folder, "DLTB", use, **named)},
        ],
        "options": {"mode": "draft"},
    }
    path = folder / "job.json"
    path.write_text(json.dumps(job, ensure_ascii=False), encoding="utf-8")
    run.run(path).write(folder / "result")
    return folder / "result"


def of_result(folder, asked: order.Order = ORDER):
    """Return the contents of a result."""
    return contents.of_result(folder, asked, SCHEMA)
