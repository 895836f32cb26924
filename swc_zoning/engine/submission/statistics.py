# SPDX-License-Identifier: GPL-2.0-or-later
"""The tables: what lies on what, measures, conflicts, sums that close, and code sets.

All sums are of whole 0.01 m2, so they equal the layer and each other to the last digit.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from swc_zoning.engine import formats
from swc_zoning.engine.grid import Ints
from swc_zoning.engine.result import ZONING
from swc_zoning.engine.submission.material import Material, coded, cut, groups, sheet, texts
from swc_zoning.engine.submission.references import LANDUSE, tier_name
from swc_zoning.engine.submission.sheets import Sheet
from swc_zoning.paths import resource

_CONFLICTS = (
    *("conflict_id", "kind", "severity", "name", "layer_a", "source_a", "name_a", "layer_b", "source_b"),
    *("name_b", "districts", "basis", "area_m2", "east", "north"),
)


def relations(material: Material, identifiers: NDArray[Any]) -> Sheet:
    """Return GXB: which source feature lies on which piece; a piece lies in it as a whole."""
    layer = material.schema.layers["GXB"]
    features, row = material.features, material.row_feature
    columns = {
        "LYDM": texts(material.schema.source_code(one.role, one.tier) for one in features),
        "JS": texts(one.role for one in features),
        "TC": texts(one.layer for one in features),
        "LYBH": texts(one.source_id for one in features),
        "LYMC": texts(cut(layer, "LYMC", one.name) for one in features),
        "DJ": texts(one.tier for one in features),
    }
    taken = {name: values[row] for name, values in columns.items()}
    area = material.area_centi[material.row_piece] / 100
    return sheet(layer, len(row), {"BSM": identifiers[material.row_piece], **taken, "FGMJ": area})


def measures(material: Material) -> Sheet:
    """Return CSQD: every measure of the decision table that is in force."""
    layer, kinds = material.schema.layers["CSQD"], _kinds()
    rows = [
        {
            "CSDM": code,
            "CSMC": cut(layer, "CSMC", row["text_zh"]),
            "LB": kinds.get(row["kind"], row["kind"]),
            "SM": cut(layer, "SM", row["text_zh"]),
            "BM": cut(layer, "BM", row["department"]),
            "YJ": cut(layer, "YJ", "；".join(material.table.basis(row))),
        }
        for code, row in material.table.measures.items()
    ]
    return Sheet.of(layer, rows)


@lru_cache(maxsize=1)
def _kinds() -> dict[str, str]:
    """Return the Chinese word for each kind of measure."""
    words = json.loads(resource("rule_sheets.json").read_text(encoding="utf-8"))["words"]["kind"]
    return {kind: both[0] for kind, both in words.items()}


def conflicts(material: Material) -> Sheet:
    """Return CTB: the conflicts the result lists, with their settling rule and a place."""
    layer, table = material.schema.layers["CTB"], material.table
    parts = formats.read_columns(material.folder / ZONING, "conflicts", _CONFLICTS)
    rows = [
        dict(zip(_CONFLICTS, row)) for part in parts for row in zip(*(part[n].tolist() for n in _CONFLICTS))
    ]
    points = np.array([(row["east"], row["north"]) for row in rows], np.float64).reshape(-1, 2)
    places = material.move(points).tolist()
    made = [
        {
            "CTBH": row["conflict_id"],
            "CTLX": row["kind"],
            "MC": table.conflicts[row["kind"]]["name_zh"],
            "YZCD": row["severity"],
            **{"TC1": row["layer_a"], "YS1": row["source_a"], "YSMC1": row["name_a"]},
            **{"TC2": row["layer_b"], "YS2": row["source_b"], "YSMC2": row["name_b"]},
            "XZQDM": cut(layer, "XZQDM", row["districts"] or material.order.code),
            "MJ": row["area_m2"],
            "CLGZ": cut(layer, "CLGZ", table.conflicts[row["kind"]]["settling_rule"]),
            "YJ": cut(layer, "YJ", row["basis"]),
            **{"X": place[0], "Y": place[1]},
        }
        for row, place in zip(rows, places)
    ]
    return Sheet.of(layer, made)


def sums(material: Material, zones: Sheet) -> dict[str, Sheet]:
    """Return TJ_QF, TJ_SX and TJ_TD from the control zones."""
    return {
        "TJ_QF": _by_district(material, zones),
        **_by_lines(material, zones),
        **_by_landuse(material, zones),
    }


def _summed(material: Material, keys: Mapping[str, Any], pieces: Ints | None = None) -> list[dict[str, Any]]:
    """Return rows of the distinct `keys` (a column each), sorted, with the number and area of pieces."""
    number, listed = coded(zip(*(values.tolist() for values in keys.values())), len(material))
    return [
        {**dict(zip(keys, listed[code])), "TBS": len(rows), "MJ": int(material.area_centi[rows].sum()) / 100}
        for code, rows in groups(number)
    ]


def _by_district(material: Material, zones: Sheet) -> Sheet:
    names = ("XZQDM", "XZQMC", "FQDM", "FQMC", "ZT", "LH")
    rows = _summed(material, {name: zones.columns[name] for name in names})
    whole: dict[str, float] = {}
    for row in rows:
        whole[row["XZQDM"]] = whole.get(row["XZQDM"], 0.0) + row["MJ"]
    shares = [
        {**row, "BL": 100 * row["MJ"] / whole[row["XZQDM"]] if whole[row["XZQDM"]] else 0.0} for row in rows
    ]
    return Sheet.of(material.schema.layers["TJ_QF"], shares)


def _by_lines(material: Material, zones: Sheet) -> dict[str, Sheet]:
    names = ("FQDM", "FQMC", "SFHX", "SFYN", "SFKF")
    rows = _summed(material, {name: zones.columns[name] for name in names})
    return {"TJ_SX": Sheet.of(material.schema.layers["TJ_SX"], rows)}


def _by_landuse(material: Material, zones: Sheet) -> dict[str, Sheet]:
    """Return areas by present land use, mutually exclusive; nothing where no land use was supplied."""
    layer = material.schema.layers["TJ_TD"]
    if LANDUSE not in material.supplied:
        return {"TJ_TD": Sheet.of(layer, [])}
    used = [tuple(sorted(one.members.get(LANDUSE, ()))) for one in material.decisions]
    codes = [";".join(tiers) or "-" for tiers in used]
    names = ["、".join(tier_name(LANDUSE, tier) for tier in tiers) or "现状地类未覆盖" for tiers in used]
    columns = {name: zones.columns[name] for name in ("FQDM", "FQMC")}
    columns |= {"DL": material.of_decisions(codes), "DLMC": material.of_decisions(names)}
    return {"TJ_TD": Sheet.of(layer, _summed(material, columns))}


def code_table(material: Material) -> Sheet:
    """Return DMB: every code set, so that a package explains itself."""
    layer = material.schema.layers["DMB"]
    rows: Iterable[dict[str, Any]] = (
        {"ZDMC": name, "DM": code, "MC": cut(layer, "MC", said)}
        for name, codes in sorted(material.schema.domains.items())
        for code, said in codes.items()
    )
    return Sheet.of(layer, rows)
