# SPDX-License-Identifier: GPL-2.0-or-later
"""The summary of a run: every number a report needs, unrounded, in one document.

Two families of tables, never mixed: mutually exclusive areas of zones, which close
(互斥分区面积), and areas of features, which may overlap and do not (要素面积).
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import asdict
from typing import Any

import numpy as np

from swc_zoning.engine import roles, rules, versions
from swc_zoning.engine.conflicts import Conflict, Mismatch
from swc_zoning.engine.grid import Ints, group
from swc_zoning.engine.ledger import Entry
from swc_zoning.engine.messages import Finding
from swc_zoning.engine.pieces import Pieces, supplied_roles

SCHEMA = 1


def summarise(
    pieces: Pieces,
    table: rules.RuleTable,
    conflicts: list[Conflict],
    mismatches: list[Mismatch],
    findings: list[Finding],
    entries: list[Entry],
    head: Mapping[str, Any],
    lang: str,
) -> dict[str, Any]:
    """Return the document of ``summary.json``; areas in m2, `area_m2` closed to 0.01."""
    supplied = supplied_roles(pieces.intake)
    return {
        "schema": SCHEMA,
        **head,
        "content_sha256": content_sha256(pieces),
        "total": _total(pieces),
        "by_zone": _by_zone(pieces, table),
        "by_district": _by_district(pieces, table),
        "by_land": _by_land(pieces, table),
        "crosstab": _crosstab(pieces),
        "by_feature_role": _by_feature_role(pieces),
        "missing_roles": _missing_roles(supplied),
        "conflicts": _by_kind(pieces, table, conflicts, mismatches, rules.not_evaluable(table, supplied)),
        "findings": [finding.as_json(lang) for finding in findings],
        "ledger": [asdict(entry) for entry in entries],
        "adjustments": [
            {"district_code": pieces.districts[a.district].code, **asdict(a)} for a in pieces.adjustments
        ],
        "inputs": [asdict(record) for record in pieces.intake.layers],
        "secrecy": versions.secrecy([asdict(record) for record in pieces.intake.layers]),
    }


def content_sha256(pieces: Pieces) -> str:
    """Return the hash of geometry, labels, decisions and areas: equal for equal results.

    It does not depend on tiles, workers, or the order of layers and features.
    """
    digest = hashlib.sha256()
    for row in sorted(_content_rows(pieces)):
        digest.update(row.encode("utf-8"))
    return digest.hexdigest()


def _content_rows(pieces: Pieces) -> Iterable[str]:
    decided = [json.dumps([c.members, c.decision], sort_keys=True, ensure_ascii=False) for c in pieces.combos]
    features, layers = pieces.intake.features, pieces.intake.layers
    lead = [(layers[layer].role, layers[layer].layer) for layer in features.layer.tolist()]
    source = [json.dumps([*lead[i], features.source_id[i], features.tier[i]]) for i in range(len(lead))]
    sources: list[list[str]] = [[] for _ in range(len(pieces))]
    for piece, feature in zip(pieces.label_piece.tolist(), pieces.label_feature.tolist()):
        sources[piece].append(source[feature])
    districts = [district.code for district in pieces.districts]
    columns = zip(
        pieces.piece_id, pieces.district.tolist(), pieces.combo.tolist(), pieces.area_centi.tolist()
    )
    for number, (piece, district, combo, area) in enumerate(columns):
        labels = "".join(sorted(sources[number]))
        yield f"{piece}|{districts[district]}|{decided[combo]}|{labels}|{area}\n"


def document_sha256(document: Mapping[str, Any]) -> str:
    """Return the SHA-256 of a JSON document, whatever the order of its keys."""
    text = json.dumps(document, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


# --- sums ------------------------------------------------------------------------------------------


def _sums(pieces: Pieces, members: Ints | slice) -> dict[str, Any]:
    closed = int(pieces.area_centi[members].sum())
    return {
        "pieces": len(pieces.plane_m2[members]),
        "plane_m2": float(pieces.plane_m2[members].sum()),
        "ellipsoidal_m2": float(pieces.ellipsoidal_m2[members].sum()),
        "area_m2": closed / 100,
    }


def _grouped(pieces: Pieces, key: Callable[[int], Hashable], of: Ints) -> dict[Any, Ints]:
    """Return the members of each key; `of` numbers something per piece and `key` names that number."""
    named: dict[Any, list[Ints]] = defaultdict(list)
    order, starts = group(of)
    for members in np.split(order, starts[1:]) if len(starts) else []:
        named[key(int(of[members[0]]))].append(members)
    return {name: np.sort(np.concatenate(parts)) for name, parts in named.items()}


def _total(pieces: Pieces) -> dict[str, Any]:
    total = _sums(pieces, slice(None))
    total["control_m2"] = sum(a.control_m2 for a in pieces.adjustments) if len(pieces) else 0.0
    if pieces.land is not None:
        total["land_m2"] = int(pieces.area_centi[pieces.land == 1].sum()) / 100
        total["sea_m2"] = int(pieces.area_centi[pieces.land == 0].sum()) / 100
    return total


def _zone_key(pieces: Pieces) -> Callable[[int], tuple[str, str]]:
    decisions = [combo.decision for combo in pieces.combos]
    return lambda combo: (decisions[combo]["zone"], decisions[combo]["status"])


def _zone_rows(pieces: Pieces, table: rules.RuleTable, chosen: Ints) -> list[dict[str, Any]]:
    """Return sums by zone and status, zones in rank order, confirmed first."""
    rank = {code: number for number, code in enumerate(table.zones)}
    groups = _grouped(pieces, _zone_key(pieces), pieces.combo[chosen])
    rows = []
    for zone, status in sorted(groups, key=lambda k: (rank[k[0]], k[1])):
        zone_row = table.zones[zone]
        names = {
            "zone": zone,
            "name_zh": zone_row["name_zh"],
            "name_en": zone_row["name_en"],
            "status": status,
        }
        rows.append({**names, **_sums(pieces, chosen[groups[zone, status]])})
    return rows


def _by_zone(pieces: Pieces, table: rules.RuleTable) -> list[dict[str, Any]]:
    return _zone_rows(pieces, table, np.arange(len(pieces)))


def _by_district(pieces: Pieces, table: rules.RuleTable) -> list[dict[str, Any]]:
    rows = []
    for number, district in enumerate(pieces.districts):
        members = np.flatnonzero(pieces.district == number)
        control = next((a.control_m2 for a in pieces.adjustments if a.district == number), 0.0)
        sums = {**_sums(pieces, members), "control_m2": control}
        zones = _zone_rows(pieces, table, members)
        rows.append({"district_code": district.code, "district_name": district.name, **sums, "zones": zones})
    return rows


def _by_land(pieces: Pieces, table: rules.RuleTable) -> list[dict[str, Any]]:
    """Return zone sums on land and at sea apart; nothing where no land mask was given."""
    if pieces.land is None:
        return []
    return [
        {"land": land, **row}
        for land in (1, 0)
        for row in _zone_rows(pieces, table, np.flatnonzero(pieces.land == land))
    ]


def _crosstab(pieces: Pieces) -> list[dict[str, Any]]:
    groups = _grouped(pieces, lambda combo: pieces.combos[combo].roles, pieces.combo)
    rows = []
    for names in sorted(groups):
        sums = _sums(pieces, groups[names])
        rows.append({"roles": list(names), **{k: sums[k] for k in ("pieces", "plane_m2", "ellipsoidal_m2")}})
    return rows


def _by_feature_role(pieces: Pieces) -> list[dict[str, Any]]:
    """Return areas of features by role and tier inside the extent; they may overlap and do not close."""
    features, layers = pieces.intake.features, pieces.intake.layers
    count = len(features.source_id)
    weights = {"plane_m2": pieces.plane_m2, "ellipsoidal_m2": pieces.ellipsoidal_m2}
    areas = {
        name: np.bincount(pieces.label_feature, values[pieces.label_piece], minlength=count)
        for name, values in weights.items()
    }
    groups: dict[tuple[str, str], list[int]] = defaultdict(list)
    for number, (layer, tier) in enumerate(zip(features.layer.tolist(), features.tier)):
        if not layers[layer].extent:
            groups[layers[layer].role, tier].append(number)
    return [
        {
            "role": role,
            "tier": tier,
            "features": len(members),
            **{name: float(values[members].sum()) for name, values in areas.items()},
        }
        for (role, tier), members in sorted(groups.items())
    ]


def _missing_roles(supplied: set[str]) -> list[dict[str, str]]:
    """Return the expected roles nobody supplied: what they would decide is not known, not cleared."""
    return [
        {"role": role.id, "name_zh": role.name_zh, "name_en": role.name_en}
        for role in roles.all_roles()
        if role.expected and role.id not in supplied
    ]


def _by_kind(
    pieces: Pieces,
    table: rules.RuleTable,
    conflicts: list[Conflict],
    mismatches: list[Mismatch],
    unseen: list[str],
) -> list[dict[str, Any]]:
    """Return one row a kind; regions of different pairs may share ground, which `ground_m2` counts once."""
    small = {mismatch.kind: mismatch for mismatch in mismatches}
    rows = []
    for kind, row in table.conflicts.items():
        found = [conflict for conflict in conflicts if conflict.kind == kind]
        mismatch = small.get(kind, Mismatch(kind, 0, 0.0))
        ground = sorted({piece for conflict in found for piece in conflict.pieces})
        rows.append(
            {
                "kind": kind,
                "severity": row["severity"],
                "name_zh": row["name_zh"],
                "name_en": row["name_en"],
                "evaluable": kind not in unseen,
                "regions": len(found),
                "ground_m2": int(pieces.area_centi[ground].sum()) / 100 if ground else 0.0,
                "plane_m2": sum(c.plane_m2 for c in found),
                "ellipsoidal_m2": sum(c.ellipsoidal_m2 for c in found),
                "mismatch_regions": mismatch.count,
                "mismatch_plane_m2": mismatch.plane_m2,
            }
        )
    return rows
