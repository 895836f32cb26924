# SPDX-License-Identifier: GPL-2.0-or-later
"""The summary of a run: every number a report needs, unrounded, in one document.

Two families of tables, never mixed: mutually exclusive areas of zones, which close
(互斥分区面积), and areas of features, which may overlap and do not (要素面积).
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from swc_zoning.engine import roles, rules, slivers, versions
from swc_zoning.engine.conflicts import Conflict, Mismatch
from swc_zoning.engine.grid import Ints, group
from swc_zoning.engine.intake import Intake
from swc_zoning.engine.ledger import Entry
from swc_zoning.engine.messages import Finding
from swc_zoning.engine.pieces import Pieces, supplied_roles
from swc_zoning.engine.slivers import Court

SCHEMA = 1

Digests = NDArray[np.uint8]
#: Pieces whose content is in memory at once.
_BLOCK = 50_000


def summarise(
    court: Court,
    table: rules.RuleTable,
    conflicts: list[Conflict],
    mismatches: list[Mismatch],
    findings: list[Finding],
    entries: list[Entry],
    head: Mapping[str, Any],
    lang: str,
) -> dict[str, Any]:
    """Return the document of ``summary.json``; areas in m2, `area_m2` closed to 0.01."""
    pieces = court.pieces
    supplied = supplied_roles(pieces.intake)
    return {
        "schema": SCHEMA,
        **head,
        "content_sha256": content_sha256(pieces),
        **zone_areas(pieces, table),
        "by_feature_role": _by_feature_role(pieces),
        "missing_roles": _missing_roles(supplied),
        "conflicts": _by_kind(pieces, table, conflicts, mismatches, rules.not_evaluable(table, supplied)),
        "slivers": slivers.summary(court),
        "findings": [finding.as_json(lang) for finding in findings],
        "ledger": [asdict(entry) for entry in entries],
        "adjustments": [
            {"district_code": pieces.districts[a.district].code, **asdict(a)} for a in pieces.adjustments
        ],
        "inputs": [asdict(record) for record in pieces.intake.layers],
        "evaluations": evaluations(pieces.intake),
        "secrecy": versions.secrecy([asdict(record) for record in pieces.intake.layers]),
    }


def evaluations(intake: Intake) -> list[dict[str, Any]]:
    """Return the layers that carry the record of an evaluation, each with it, shortened."""
    return [
        {"role": one.role, "layer": one.layer, "input": one.index, "record": one.record}
        for one in intake.evaluated
    ]


def zone_areas(pieces: Pieces, table: rules.RuleTable) -> dict[str, Any]:
    """Return the mutually exclusive areas: total, by zone, district, land and sea, role set."""
    return {
        "total": _total(pieces),
        "by_zone": _by_zone(pieces, table),
        "by_district": _by_district(pieces, table),
        "by_land": _by_land(pieces, table),
        "crosstab": _crosstab(pieces),
    }


def content_sha256(pieces: Pieces) -> str:
    """Return the hash of geometry, labels, decisions and areas: equal for equal results.

    It does not depend on tiles, workers, or the order of layers and features: it is `content_of`
    the SHA-256 of each piece's own content.
    """
    return content_of(np.concatenate(list(piece_digests(pieces))))


def content_of(digests: Digests) -> str:
    """Return the SHA-256 of the digests of pieces (uint8[n, 32]) in ascending order.

    In that order they stand for the pieces as a whole, whatever order they came in: two different
    sets of pieces share it only if two different texts share a SHA-256. A run that makes some
    pieces anew replaces their digests, 32 bytes a piece, and asks again.
    """
    words = np.ascontiguousarray(digests).view(">u8")
    order = np.argsort(words[:, 0])
    head = words[order, 0]
    if np.any(head[1:] == head[:-1]):
        order = np.lexsort(words.T[::-1])
    return hashlib.sha256(digests[order].tobytes()).hexdigest()


def piece_digests(pieces: Pieces) -> Iterator[Digests]:
    """Yield the digests of the pieces in order, uint8[k, 32], some at a time."""
    decided = _digests_of(
        json.dumps([c.members, c.decision], sort_keys=True, ensure_ascii=False) for c in pieces.combos
    )
    districts = _digests_of(district.code for district in pieces.districts)
    sources = _source_digests(pieces.intake)
    rank = np.empty(len(sources), np.int64)
    rank[np.lexsort(np.ascontiguousarray(sources).view(">u8").T[::-1])] = np.arange(len(sources))
    for start in range(0, max(len(pieces), 1), _BLOCK):
        stop = min(start + _BLOCK, len(pieces))
        rows = slice(start, stop)
        ids = pieces.piece_id[rows].view(np.uint8).reshape(stop - start, -1)
        area = pieces.area_centi[rows].astype("<i8").view(np.uint8).reshape(-1, 8)
        head = np.hstack([ids, area, districts[pieces.district[rows]], decided[pieces.combo[rows]]])
        first, last = np.searchsorted(pieces.label_piece, (start, stop))
        piece, feature = pieces.label_piece[first:last], pieces.label_feature[first:last]
        order = np.lexsort((rank[feature], piece))
        ends = np.searchsorted(piece, np.arange(start, stop), side="right")
        yield _digests_of_rows(head, sources[feature[order]], ends)


def _digests_of_rows(head: Digests, sources: Digests, ends: Ints) -> Digests:
    """Return the digest of each row of `head` with its sources, those before its end."""
    fixed, tail = memoryview(head.tobytes()), memoryview(sources.tobytes())
    width, size = head.shape[1], sources.shape[1]
    made, begin = bytearray(), 0
    for number, end in enumerate((ends * size).tolist()):
        digest = hashlib.sha256(fixed[number * width : (number + 1) * width])
        digest.update(tail[begin:end])
        made += digest.digest()
        begin = end
    return np.frombuffer(bytes(made), np.uint8).reshape(-1, 32)


def _source_digests(intake: Intake) -> Digests:
    """Return the digest of what names each feature: role, layer, tier and id, however long."""
    layers, features = intake.layers, intake.features
    known: dict[tuple[int, str], Any] = {}
    made = bytearray()
    for layer, tier, source_id in zip(features.layer.tolist(), features.tier, features.source_id):
        lead = known.get((layer, tier))
        if lead is None:
            text = json.dumps([layers[layer].role, layers[layer].layer, tier])
            lead = known[layer, tier] = hashlib.sha256(text.encode("ascii"))
        digest = lead.copy()
        digest.update(source_id.encode("utf-8", "surrogatepass"))
        made += digest.digest()
    return np.frombuffer(bytes(made), np.uint8).reshape(-1, 32)


def _digests_of(texts: Iterable[str]) -> Digests:
    made = b"".join(hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest() for text in texts)
    return np.frombuffer(made, np.uint8).reshape(-1, 32)


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
