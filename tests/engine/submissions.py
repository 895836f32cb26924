# SPDX-License-Identifier: GPL-2.0-or-later
"""A small submission made by hand: two districts of two patches each, with every layer and table."""

from __future__ import annotations

import json
from types import SimpleNamespace

import numpy as np
import shapely

from swc_zoning.engine.submission import order, schemas
from swc_zoning.engine.submission.sheets import Sheet, to_degrees

SCHEMA = schemas.load("national")
ORDER = order.Order(
    profile="national",
    code="990100",
    name="演示市",
    date="20260930",
    compiler="演示市水务局",
    plan_name="演示市国土空间总体规划",
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


def contents(**changes: Sheet) -> SimpleNamespace:
    """Return contents as the package takes them, single sheets changed."""
    return SimpleNamespace(sheets={**sheets(), **changes}, findings=(), facts={})
