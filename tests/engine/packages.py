# SPDX-License-Identifier: GPL-2.0-or-later
"""A small package of the submission, right in everything: two districts of four pieces, all tables.

A test changes one thing before it is written (`make(folder, change)`) or in the files.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import numpy as np
import shapely

from swc_zoning.engine import areas, rules
from swc_zoning.engine.submission import datasets, references, schemas, sheets
from swc_zoning.engine.submission.opening import FIELD_NAMES
from swc_zoning.engine.submission.seals import NAME as SUMS
from swc_zoning.engine.submission.sheets import Sheet
from swc_zoning.engine.summary import document_sha256

WORK = "EPSG:4549"
TABLE = rules.load()
SCHEMA = schemas.load("shanghai")
FOLDER = "990100演示市水土保持空间管控成果_20260630"
VECTORS = "990100演示市水土保持空间管控矢量数据"
DISTRICTS = {"990101": "东区", "990102": "西区"}
#: What may lie on a piece: code, role and tier.
LYING = (
    ("HX", "ecological_redline", "biodiversity"),
    ("YN", "permanent_basic_farmland", "pbf"),
    ("KF", "urban_development_boundary", "concentrated"),
    ("ZY", "key_prevention_zone", "municipal"),
)
#: West to east, south to north: district, which of `LYING` lie on the piece.
PIECES = (
    ("990101", "1000"),
    ("990101", "0100"),
    ("990101", "0110"),
    ("990101", "0010"),
    ("990102", "0010"),
    ("990102", "0001"),
    ("990102", "0001"),
    ("990102", "0100"),
)
#: Metres, of a piece.
SIDE = 400.0
_ORIGIN = (620_000.0, 3_450_000.0)


def squares():
    """Return the pieces in the working CRS: two columns a district, two rows."""
    at = np.arange(len(PIECES))
    column = at // 4 * 2 + at % 2
    row = at % 4 // 2
    west, south = _ORIGIN[0] + column * SIDE, _ORIGIN[1] + row * SIDE
    # Vertices in the middle of sides: those of neighbours, so that a copy of a border has them too.
    return shapely.segmentize(shapely.box(west, south, west + SIDE, south + SIDE), SIDE / 2)


class Draft:
    """Rows of every layer, before they are sheets: `rows` by layer, `shapes` by layer, `meta` by item."""

    def __init__(self):
        self.schema = SCHEMA
        self.work = squares()
        model = areas.area_model(WORK)
        self.raw = model.areas(self.work)
        district = np.array([piece[0] for piece in PIECES])
        self.closed = self.raw.copy()
        for code in DISTRICTS:
            mine = district == code
            self.closed[mine] = areas.close(self.raw[mine], round(float(self.raw[mine].sum()), 2)) / 100
        self.rows, self.shapes = {}, {}
        for make in (_pieces, _key_areas, _proposals, _copies, _tables, _register):
            make(self)
        self.meta = _meta(self)
        # Only what a test set by hand stays; all else is stated as it is when the package is written.
        self.stated = {}

    def add(self, layer, rows, shapes=None):
        self.rows[layer] = rows
        if shapes is not None:
            self.shapes[layer] = sheets.to_degrees(np.asarray(shapes, object), WORK)

    def middle(self, piece):
        """Return the middle of a piece, longitude and latitude."""
        point = self.shapes["SBGKFQ"][piece].centroid
        return round(point.x, 8), round(point.y, 8)

    def sheet(self, layer):
        shapes = self.shapes.get(layer)
        if SCHEMA.layers[layer].kind == "polygon" and shapes is None:
            shapes = np.empty(0, object)
        return Sheet.of(SCHEMA.layers[layer], self.rows.get(layer, []), shapes)

    def sheets(self):
        """Return every sheet; counts are stated as they are unless `stated` says otherwise."""
        layers = [name for name in SCHEMA.layers if name != "META" and name not in self.dropped]
        made = {name: self.sheet(name) for name in layers}
        counts = {f"count:{name}": str(len(sheet)) for name, sheet in made.items()}
        items = {**counts, **self.meta, **self.stated}
        if "META" not in self.dropped:
            rows = [
                {"ITEM": item, "XH": 1 + part, "VALUE": value[part * 254 : part * 254 + 254]}
                for item, value in items.items()
                for part in range(-(-len(value) // 254) or 1)
            ]
            made["META"] = Sheet.of(SCHEMA.layers["META"], rows)
        return list(made.values())

    dropped: tuple = ()


def _pieces(draft):
    rows, number = [], {}
    for at, (district, flags) in enumerate(PIECES):
        lying = [one for one, flag in zip(LYING, flags) if flag == "1"]
        row = rules.decide(TABLE, {role: tier for _, role, tier in lying}, {role for _, role, _ in LYING})
        zone, declared = TABLE.zones[row["zone"]], flags[3] == "1"
        number[zone["fqdm"]] = number.get(zone["fqdm"], 0) + 1
        rows.append(
            {
                "BSM": f"{district}0000{at + 1:08d}",
                "XZQDM": district,
                "XZQMC": DISTRICTS[district],
                "TBBH": f"{zone['fqdm']}{number[zone['fqdm']]:07d}",
                "TBYBH": f"{at:016x}",
                "FQDM": zone["fqdm"],
                "FQMC": zone["name_zh"],
                "GKDJ": zone["gkdj"],
                "ZT": "1",
                "LH": "1",
                "FZLX": "1" if declared else "0",
                "FZJB": "2" if declared else "0",
                "LYDM": ";".join(sorted(code for code, _, _ in lying)) or None,
                "LYMC": "某红线" if flags[0] == "1" else None,
                "SFHX": flags[0],
                "SFYN": flags[1],
                "SFKF": flags[2],
                "SYJB": "0",
                "SFBHD": "0",
                "CSDM": ";".join(row["measures"]),
                "CSMC": "；".join(TABLE.measures[code]["text_zh"] for code in row["measures"])[:100],
                "GZBH": row["decisive"][0],
                "CTLX": ";".join(row["conflicts"]) or None,
                "TQMJ": round(float(draft.raw[at]), 4),
                "TBMJ": round(float(draft.closed[at]), 2),
                "SJNF": "2026",
            }
        )
    draft.add("SBGKFQ", rows, draft.work)


def _key_areas(draft):
    rows = draft.rows["SBGKFQ"]
    mine = [at for at, row in enumerate(rows) if row["FZLX"] == "1"]
    area = sum(rows[at]["TBMJ"] for at in mine)
    one = {"BSM": "990102000000000101", "XZQDM": "990102", "XZQMC": "西区", "MC": "西区重点预防区"}
    row = {**one, "JB": "2", "SX": "1", "MJ": round(area, 2), "PZWH": "演府〔2020〕1号"}
    draft.add("ZDYFQ", [row], [shapely.union_all(draft.work[mine])])


def _proposals(draft):
    row = draft.rows["SBGKFQ"][5]
    proposal = {
        **{"BSM": "990102000000000201", "SZXJXZQDM": "990102", "SZXJXZQMC": "西区", "HXMC": "西区林地"},
        **{"MJ": row["TBMJ"], "SFZRBHDHXQ": "否", "SFZRBHDYBKZQ": "否", "GXLX": "2", "JYLX": "K13"},
        **{"ZBH": "Z0001", "LY": "水土保持功能极重要"},
    }
    draft.add("HXJY", [proposal], [draft.work[5]])
    paper = {
        **{"LZBH": "L0001", "BSM": proposal["BSM"], "XZQDM": "990102", "XZQMC": "西区", "JYLX": "K13"},
        **{"ZBH": "Z0001", "MC": "西区林地", "YSMJ": row["TBMJ"], "KCMJ": 0.0, "JYMJ": row["TBMJ"]},
        **{"ZMJ": row["TBMJ"], "JL": "保留", "LY": "无冲突"},
    }
    draft.add("HXLZ", [paper])


def _copies(draft):
    pieces = draft.rows["SBGKFQ"]
    wanted = {"STBHHX": "SFHX", "YJJBNTBHTB": "SFYN", "CZKFBJ": "SFKF"}
    for number, (layer, flag) in enumerate(wanted.items()):
        rows, shapes = [], []
        for code, name in DISTRICTS.items():
            mine = [at for at, row in enumerate(pieces) if row[flag] == "1" and row["XZQDM"] == code]
            if mine:
                area = round(sum(row["TBMJ"] for row in (pieces[at] for at in mine)), 2)
                bsm = f"{code}0000{(number + 3) * 100 + 1:08d}"
                rows.append({"BSM": bsm, "XZQDM": code, "XZQMC": name, "MC": f"{name}某处", "MJ": area})
                shapes.append(shapely.union_all(draft.work[mine]))
        draft.add(layer, rows, shapes)
    rows, shapes = [], []
    for code, name in DISTRICTS.items():
        mine = [at for at, row in enumerate(pieces) if row["XZQDM"] == code]
        area = round(sum(pieces[at]["TBMJ"] for at in mine), 2)
        rows.append({"BSM": f"{code}000000000900", "XZQDM": code, "XZQMC": name, "KZMJ": area, "MJ": area})
        shapes.append(shapely.union_all(draft.work[mine]))
    draft.add("XZQ", rows, shapes)


def _sums(pieces, *keys):
    found = {}
    for row in pieces:
        key = tuple(row[name] for name in keys)
        count, area = found.get(key, (0, 0.0))
        found[key] = (count + 1, round(area + row["TBMJ"], 2))
    rows = [{**dict(zip(keys, key)), "TBS": n, "MJ": area} for key, (n, area) in sorted(found.items())]
    return rows


def _tables(draft):
    pieces = draft.rows["SBGKFQ"]
    by_zone = _sums(pieces, "XZQDM", "XZQMC", "FQDM", "FQMC", "ZT", "LH")
    control = {row["XZQDM"]: row["MJ"] for row in draft.rows["XZQ"]}
    draft.add("TJ_QF", [{**row, "BL": round(100 * row["MJ"] / control[row["XZQDM"]], 4)} for row in by_zone])
    draft.add("TJ_SX", _sums(pieces, "FQDM", "FQMC", "SFHX", "SFYN", "SFKF"))
    draft.add("TJ_TD", [{**row, "DL": "other", "DLMC": "其他"} for row in _sums(pieces, "FQDM", "FQMC")])
    conflict = TABLE.conflicts["K05"]
    lying = next(row for row in pieces if row["CTLX"])
    draft.add(
        "CTB",
        [
            {
                **{
                    "CTBH": "K05-1",
                    "CTLX": "K05",
                    "MC": conflict["name_zh"],
                    "YZCD": "warn",
                    "TC1": "CZKFBJ",
                },
                **{"YS1": "1", "TC2": "YJJBNTBHTB", "YS2": "2", "XZQDM": "990101", "MJ": lying["TBMJ"]},
                **{"CLGZ": conflict["settling_rule"], "YJ": conflict["basis_text"]},
                **dict(zip("XY", draft.middle(pieces.index(lying)))),
            }
        ],
    )
    relations = [
        {
            **{"BSM": row["BSM"], "LYDM": code, "JS": role, "DJ": tier, "TC": role, "LYBH": "1"},
            **{"LYMC": "某红线" if code == "HX" else None, "FGMJ": row["TBMJ"]},
        }
        for row in pieces
        for code, role, tier in LYING
        if code in (row["LYDM"] or "").split(";")
    ]
    draft.add("GXB", relations)
    used = sorted({code for row in pieces for code in row["CSDM"].split(";")})
    draft.add(
        "CSQD",
        [
            {
                **{"CSDM": code, "CSMC": TABLE.measures[code]["text_zh"][:80], "LB": "预防"},
                "SM": TABLE.measures[code]["text_zh"],
            }
            for code in used
        ],
    )
    codes = [(name, code, said) for name, rows in SCHEMA.domains.items() for code, said in rows.items()]
    draft.add("DMB", [{"ZDMC": name, "DM": code, "MC": said[:120]} for name, code, said in codes])


def _register(draft):
    rows = [
        {
            **{"TCMC": layer, "YBH": row.get("TBYBH") or row["BSM"], "BSM": row["BSM"]},
            **{"TBBH": row.get("TBBH"), "QYRQ": "20260630", "ZT": "1"},
        }
        for layer in ("SBGKFQ", "ZDYFQ", "HXJY")
        for row in draft.rows[layer]
    ]
    draft.add("BSMDJ", rows)


def _meta(draft):
    control = {row["XZQDM"]: row["MJ"] for row in draft.rows["XZQ"]}
    model = areas.area_model(WORK)
    used = [("admin_extent", "XZQ"), *((role, code) for code, role, _ in LYING)]
    inputs = [{"role": role, "layer": layer, "crs": "EPSG:4490", "used": 2} for role, layer in used]
    meta = {
        **{"profile": "shanghai", "schema_version": SCHEMA.version, "stage": "draft", "code": "990100"},
        **{"name": "演示市", "date": "20260630", "compiler": "演示单位", "secrecy": "公开", "scale": "50000"},
        **{"work_crs": WORK, "rules_profile": "shanghai", "rules_sha256": document_sha256(TABLE.document)},
        **{"area_model": "official", "land_mask": "1", "plan_name": "演示", "rate": "98.30"},
        **{"target:2025": "98.25", "target:2035": "98.45", "consultation_no": "演水〔2026〕1号"},
        **{f"control:{code}": f"{area:.2f}" for code, area in control.items()},
        **{"control:": f"{sum(control.values()):.2f}"},
        **{f"factor:{code}": "1.000000000" for code in control},
        **{f"input:{n + 1}": json.dumps(one, ensure_ascii=False) for n, one in enumerate(inputs)},
    }
    meta["extent_sha"] = references.extent_sha(draft.shapes["XZQ"])
    for layer in ("XZQ", "STBHHX", "YJJBNTBHTB", "CZKFBJ"):
        pieces = draft.rows["SBGKFQ"]
        flag = {"STBHHX": "SFHX", "YJJBNTBHTB": "SFYN", "CZKFBJ": "SFKF"}.get(layer)
        mine = [at for at, row in enumerate(pieces) if flag is None or row[flag] == "1"]
        meta[f"reference_m2:{layer}"] = f"{model.areas(draft.work[mine]).sum():.2f}"
    return meta


def make(folder: Path, change=None, forms=("gpkg",), seal=True) -> Path:
    """Write the package into `folder` and return its folder; `change(draft)` alters it before."""
    draft = Draft()
    if change:
        change(draft)
    root = folder / FOLDER
    vectors = root / SCHEMA.naming["part_vectors"]
    vectors.mkdir(parents=True)
    made = draft.sheets()
    for form in forms:
        path = vectors / ("shp" if form == "shp" else f"{VECTORS}.{form}")
        datasets.write(path, form, made, SCHEMA.domains)
        if form == "shp":
            (path / FIELD_NAMES).write_text("图层,字段,短名\n", encoding="utf-8")
    if seal:
        sealed(root)
    return root


@contextmanager
def edited(root: Path, seal=True) -> Iterator[sqlite3.Connection]:
    """Yield the GeoPackage of a package as a plain database; sealed anew unless a hash is to be old."""
    with closing(sqlite3.connect(data_set(root))) as database:
        triggers = database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for (name,) in triggers:
            # They call functions that only GDAL has.
            database.execute(f'DROP TRIGGER "{name}"')
        yield database
        database.commit()
    if seal:
        sealed(root)


def redraw(database, layer, bsm, change) -> None:
    """Put `change(polygon)` in place of the polygon of a row, in the file."""
    ask = f"SELECT geom FROM {layer} WHERE BSM = ?"
    (blob,) = database.execute(ask, (bsm,)).fetchone()
    shape = change(shapely.from_wkb(blob[8 + (0, 32, 48, 48, 64)[blob[3] >> 1 & 7] :]))
    header = b"GP\0\1" + (4490).to_bytes(4, "little")
    drawn = None if shape is None else header + shapely.to_wkb(shape, byte_order=1)
    database.execute(f"UPDATE {layer} SET geom = ? WHERE BSM = ?", (drawn, bsm))


def degrees(east: float, north: float) -> tuple[float, float]:
    """Return where a place is that lies metres east and north of the south-west corner of the city."""
    point = shapely.points([[_ORIGIN[0] + east, _ORIGIN[1] + north]])
    [moved] = sheets.to_degrees(point, WORK)
    return moved.x, moved.y


def sealed(root: Path) -> None:
    """Write SHA256SUMS of everything in `root`."""
    files = sorted(path for path in root.rglob("*") if path.is_file() and path.name != SUMS)
    sums = [
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(root).as_posix()}"
        for path in files
    ]
    (root / SUMS).write_text("\n".join(sums) + "\n", encoding="utf-8")


def data_set(root: Path, form: str = "gpkg") -> Path:
    """Return a data set of a package."""
    return root / SCHEMA.naming["part_vectors"] / ("shp" if form == "shp" else f"{VECTORS}.{form}")
