# SPDX-License-Identifier: GPL-2.0-or-later
"""The key prevention and key treatment areas (ZDYFQ, ZDZLQ): the layers that declare them, as used.

Each source feature is put together again from the pieces that carry it, district by district. An area is
declared (SX 1) where its layer has an approval number, else a proposal (SX 2): the zone label says neither.
What matters in a unit (MJ) and the unit it was declared by (DYMJ) are two areas, never one.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from swc_zoning.engine.grid import Ints
from swc_zoning.engine.submission.control_zones import LEVELS, PREVENTION, TREATMENT, strictest
from swc_zoning.engine.submission.material import Feature, Material, cut, groups, union
from swc_zoning.engine.submission.register import Register, key_of
from swc_zoning.engine.submission.sheets import Sheet, objects

LAYERS = {"ZDYFQ": PREVENTION, "ZDZLQ": TREATMENT}
_NAMES = {role: name for name, role in LAYERS.items()}
_DECLARED, _PROPOSED = "1", "2"


def sheets_of(material: Material, register: Register) -> dict[str, Sheet]:
    """Return both layers, by feature and district."""
    return {name: _sheet(material, register, name, role) for name, role in LAYERS.items()}


def _sheet(material: Material, register: Register, name: str, role: str) -> Sheet:
    layer = material.schema.layers[name]
    rows, shapes, keys, heads = [], [], [], []
    for feature, number, pieces in parts(material, role):
        district = material.districts[number]
        rows.append(_row(material, feature, number, pieces))
        shapes.append(union(material.degrees[pieces]))
        keys.append(key_of(*feature.key, district.code))
        heads.append(district.head)
    identifiers, _ = register.give(name, keys, heads)
    made = [{**row, "BSM": bsm} for row, bsm in zip(rows, identifiers)]
    return Sheet.of(layer, made, objects(shapes))


def parts(material: Material, role: str) -> list[tuple[Feature, int, Ints]]:
    """Return (feature, district, pieces) of the features of a role; none that closes to no area."""
    piece, feature = material.with_role([role])
    count = max(len(material.districts), 1)
    found = []
    for key, rows in groups(feature * count + material.district[piece]):
        pieces = piece[rows]
        if material.area_centi[pieces].sum() > 0:
            found.append((material.features[key // count], key % count, pieces))
    return found


def _row(material: Material, feature: Feature, number: int, pieces: Ints) -> dict[str, Any]:
    district = material.districts[number]
    layer = material.schema.layers[_NAMES[feature.role]]
    approval = next(
        (row["approval_no"] for row in material.summary["inputs"] if row["index"] == feature.input), ""
    )
    measures = [set(material.decisions[one].measures) for one in np.unique(material.decision[pieces])]
    return {
        "XZQDM": district.code,
        "XZQMC": district.name,
        "MC": cut(layer, "MC", feature.name or feature.source_id),
        "JB": strictest([feature.tier], LEVELS),
        "SX": _DECLARED if approval else _PROPOSED,
        "MJ": material.area_m2(pieces),
        "DYMJ": _of_unit(material, feature),
        # What is owed everywhere in it; pieces owe more by themselves.
        "GKCS": cut(layer, "GKCS", ";".join(sorted(set.intersection(*measures)))),
        "PZWH": approval,
    }


def _of_unit(material: Material, feature: Feature) -> float | None:
    """Return the area (m2) of the unit of a key area, None where its layer does not say it."""
    km2 = material.evaluated.get((feature.input, feature.source_id), {}).get("unit_km2")
    return round(km2 * 1e6, 2) if km2 is not None and km2 == km2 else None
