# SPDX-License-Identifier: GPL-2.0-or-later
"""Patches proposed for the ecological red line (HXJY), each with a table that argues its case (HXLZ).

Candidates are the pieces of conflicts that are absences from the red line; ``redline_screening.json``
says which, and what is taken out of them. Only the natural-resources authority draws the line.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from swc_zoning.engine import roles
from swc_zoning.engine.grid import Ints, components, ragged, same_points, to_units
from swc_zoning.engine.messages import Finding, sentence
from swc_zoning.engine.submission.control_zones import REDLINE, role_name
from swc_zoning.engine.submission.material import Decision, Feature, Material, groups, union
from swc_zoning.engine.submission.order import Order
from swc_zoning.engine.submission.references import tier_name
from swc_zoning.engine.submission.register import Register, key_of
from swc_zoning.engine.submission.sheets import Sheet, fitted
from swc_zoning.paths import resource

LAYER, TABLE = "HXJY", "HXLZ"
KEEP, DEDUCT, WITHDRAW = "保留", "扣除", "退出"
_GRAVITY = ("keep", "note", "deduct", "withdraw")
_WORDS = {"keep": "保留", "note": "注明", "deduct": "扣除", "withdraw": "退出"}
_PROTECTED = ("nature_reserve", "national_park", "nature_park")
_NEW = "2"
_YES, _NO = "是", "否"
_JOINTS = (("zh", "、"), ("en", ", "))


@dataclass(frozen=True)
class Patch:
    """An edge-connected patch of one kind in one district.

    `kept` and `deducted` are its pieces; of several parts that a deduction leaves the largest carries what
    was deducted. `withdrawn` are the numbers of the screening rows that speak against all of it.
    """

    kind: str
    district: int
    kept: Ints
    deducted: Ints
    withdrawn: tuple[int, ...]

    @property
    def pieces(self) -> Ints:
        """Return all its pieces."""
        return np.union1d(self.kept, self.deducted)


@dataclass(frozen=True)
class Case:
    """A patch with the group it is judged in: number, closed area (m2), whether it touches the red line."""

    patch: Patch
    group: int
    group_m2: float
    touches: bool
    verdict: str
    reason: str


@lru_cache(maxsize=1)
def screening() -> Mapping[str, Any]:
    """Return how candidates are screened."""
    return json.loads(resource("submission", "redline_screening.json").read_text(encoding="utf-8"))


def sheets_of(material: Material, register: Register) -> tuple[dict[str, Sheet], list[Finding]]:
    """Return the proposals and their justification table, and what could not be said."""
    bench = _Bench(material)
    patches, dropped = bench.patches()
    cases = bench.judged(patches)
    kept = [case for case in cases if case.verdict != WITHDRAW]
    keys = [key_of(*(material.piece_id[piece] for piece in case.patch.kept.tolist())) for case in kept]
    heads = [material.districts[case.patch.district].head for case in kept]
    identifiers, _ = register.give(LAYER, keys, heads)
    rows = [{**bench.proposal(case), "BSM": bsm} for case, bsm in zip(kept, identifiers)]
    shapes = np.empty(len(kept), object)
    shapes[:] = [union(material.degrees[case.patch.kept]) for case in kept]
    named = {id(case): bsm for case, bsm in zip(kept, identifiers)}
    argued = [bench.argument(case, number, named.get(id(case))) for number, case in enumerate(cases, 1)]
    layers = material.schema.layers
    made = {LAYER: Sheet.of(layers[LAYER], rows, shapes), TABLE: Sheet.of(layers[TABLE], argued)}
    return made, [*_unsaid(material), *dropped]


def _unsaid(material: Material) -> Iterator[Finding]:
    """Yield the kinds of candidates that could not be looked for, and the layers they lack."""
    kinds = [row for row in material.summary["conflicts"] if row["kind"] in screening()["kinds"]]
    for row in kinds:
        looked_for = {one["role"] for one in _conditions(material, row["kind"])}
        if not (row["evaluable"] and looked_for & material.supplied):
            names = {"name_zh": row["name_zh"], "name_en": row["name_en"]}
            yield Finding("contents.redline_not_evaluable", {"kind": row["kind"], **names})
    missing = _missing(material)
    if missing:
        named = [roles.find(role) for role in missing]
        names = {
            f"names_{lang}": mark.join(getattr(one, f"name_{lang}") for one in named)
            for lang, mark in _JOINTS
        }
        yield Finding("contents.redline_not_screened", {**names, "count": len(missing)})


def _conditions(material: Material, kind: str) -> list[Mapping[str, Any]]:
    """Return what makes a piece a candidate of a kind, the red line aside."""
    row = material.table.conflicts[kind]
    return [*row["all_of"], *row["any_of"]]


def _missing(material: Material) -> list[str]:
    asked = dict.fromkeys(row["role"] for row in screening()["screening"])
    return [role for role in asked if role not in material.supplied]


def meets(members: Mapping[str, Sequence[str]], condition: Mapping[str, Any]) -> bool:
    """Return whether what lies on a piece has the role of a condition, with one of its tiers (None: any)."""
    tiers = members.get(condition["role"])
    return tiers is not None and (condition["tiers"] is None or bool(set(tiers) & set(condition["tiers"])))


class _Bench:
    """Candidates on their way to proposals."""

    def __init__(self, material: Material) -> None:
        self._material = material
        self._rows = screening()["screening"]
        self._hits = [self._hit_by(decision) for decision in material.decisions]

    def _hit_by(self, decision: Decision) -> tuple[int, ...]:
        return tuple(number for number, row in enumerate(self._rows) if meets(decision.members, row))

    def _verdict(self, hits: Sequence[int]) -> str:
        return max((self._rows[number]["verdict"] for number in hits), key=_GRAVITY.index, default="keep")

    # --- patches ---

    def patches(self) -> tuple[list[Patch], list[Finding]]:
        """Return the patches in order of place, and a finding about what is only boundary mismatch."""
        material, kinds = self._material, screening()["kinds"]
        first = [next((k for k in kinds if k in one.conflicts), "") for one in material.decisions]
        kind = np.array([kinds.index(one) if one else -1 for one in first], np.int64)[material.decision]
        verdicts = [_GRAVITY.index(self._verdict(hits)) for hits in self._hits]
        gravity = np.array(verdicts, np.int64)[material.decision]
        candidates = np.flatnonzero(kind >= 0)
        label = kind * len(material.districts) + material.district
        made: list[Patch] = []
        small: list[Ints] = []
        out = _GRAVITY.index("deduct")
        for members in self._connected(candidates, label):
            if self._is_mismatch(members):
                small.append(members)
            else:
                deducted = members[gravity[members] == out]
                parts = self._connected(np.setdiff1d(members, deducted), label)
                small += [part for part in parts if self._is_mismatch(part)]
                parts = [part for part in parts if not self._is_mismatch(part)]
                made += self._parted(kinds[kind[members[0]]], parts, deducted)
        return made, self._dropped(small)

    def _dropped(self, small: list[Ints]) -> list[Finding]:
        if not small:
            return []
        area = self._material.area_m2(np.concatenate(small))
        return [Finding("contents.redline_mismatch", {"count": len(small), "area": area}, measure_m2=area)]

    def _connected(self, pieces: Ints, label: Ints) -> list[Ints]:
        """Return the edge-connected groups of pieces with equal labels, in order of their first piece."""
        if len(pieces) == 0:
            return []
        one, other = self._beside
        place = np.full(len(self._material), -1, np.int64)
        place[pieces] = np.arange(len(pieces))
        linked = (place[one] >= 0) & (place[other] >= 0) & (label[one] == label[other])
        root = components(len(pieces), place[one[linked]], place[other[linked]])
        return [pieces[rows] for _, rows in groups(root)]

    @cached_property
    def _beside(self) -> tuple[Ints, Ints]:
        """Return the pairs of candidates that share an edge."""
        kinds = set(screening()["kinds"])
        chosen = np.array([bool(kinds & set(one.conflicts)) for one in self._material.decisions], bool)
        pieces = np.flatnonzero(chosen[self._material.decision])
        one, other = sharing(self._material.plane[pieces])
        return pieces[one], pieces[other]

    def _is_mismatch(self, pieces: Ints) -> bool:
        """Return whether a patch is too small or thin to be a conflict, as the run had it."""
        limits = self._material.summary["job"]["options"]
        shape = union(self._material.plane[pieces])
        width = 2 * shape.area / shape.length if shape.length else 0.0
        return shape.area < limits["conflict_min_m2"] or width < limits["conflict_min_width_m"]

    def _parted(self, kind: str, parts: list[Ints], deducted: Ints) -> Iterator[Patch]:
        """Yield the patches that a deduction leaves, the largest first; one where it leaves nothing."""
        district = (
            int(self._material.district[parts[0][0] if parts else deducted[0]])
            if parts or len(deducted)
            else 0
        )
        if not parts and len(deducted):
            yield Patch(kind, district, np.empty(0, np.int64), deducted, ())
        parts = sorted(parts, key=lambda one: (-self._material.area_centi[one].sum(), one[0]))
        for number, part in enumerate(parts):
            yield Patch(kind, district, part, deducted if number == 0 else deducted[:0], self._against(part))

    def _against(self, pieces: Ints) -> tuple[int, ...]:
        """Return the screening rows for which a patch is withdrawn as a whole."""
        hits = {hit for one in np.unique(self._material.decision[pieces]).tolist() for hit in self._hits[one]}
        return tuple(sorted(hit for hit in hits if self._rows[hit]["verdict"] == "withdraw"))

    # --- verdicts ---

    def judged(self, patches: Sequence[Patch]) -> list[Case]:
        """Return each patch with its group and verdict, in order of place."""
        lying = [number for number, one in enumerate(patches) if len(one.kept) and not one.withdrawn]
        shapes = np.empty(len(lying), object)
        shapes[:] = [union(self._material.plane[patches[number].kept]) for number in lying]
        root = np.arange(len(patches))
        where = np.array(lying, np.int64)
        root[where] = where[_near(shapes, self._material.order.neighbour_m)]
        touching = np.zeros(len(patches), bool)
        touching[where] = self._touching(shapes)
        number = {one: count for count, one in enumerate(dict.fromkeys(root.tolist()), 1)}
        cases = []
        for patch, one in zip(patches, root.tolist()):
            members = np.flatnonzero(root == one)
            area = self._material.area_m2(np.concatenate([patches[m].kept for m in members]))
            cases.append(self._case(patch, number[one], area, bool(touching[members].any())))
        return cases

    def _touching(self, shapes: NDArray[Any]) -> NDArray[np.bool_]:
        material = self._material
        inside = np.array([REDLINE in one.members for one in material.decisions], bool)[material.decision]
        touching = np.zeros(len(shapes), bool)
        if inside.any():
            tree = shapely.STRtree(material.plane[inside])
            touching[tree.query(shapes, "dwithin", screening()["touch_m"])[0]] = True
        return touching

    def _case(self, patch: Patch, group: int, area: float, touches: bool) -> Case:
        limit = self._material.order.min_patch_m2
        facts = {"area": area, "limit": limit}
        if patch.withdrawn:
            said = "、".join(self._rows[number]["reason_zh"] for number in patch.withdrawn)
            return Case(patch, group, area, touches, WITHDRAW, _said("withdrawn", reason=said))
        if len(patch.kept) == 0:
            return Case(patch, group, 0.0, False, WITHDRAW, _said("all_deducted"))
        if area < limit and not touches:
            return Case(patch, group, area, touches, WITHDRAW, _said("small", **facts))
        code = "large" if area >= limit else "touching"
        verdict = DEDUCT if len(patch.deducted) else KEEP
        return Case(patch, group, area, touches, verdict, _said(code, **facts))

    # --- rows ---

    def proposal(self, case: Case) -> dict[str, Any]:
        """Return the row of HXJY of a patch that is kept."""
        patch, material = case.patch, self._material
        layer = material.schema.layers[LAYER]
        district = material.districts[patch.district]
        behind = self._behind(patch)
        within = [
            self._features(patch.kept, _PROTECTED, tiers)
            for tiers in (None, ("core_protection",), ("general_control",))
        ]
        row = material.table.conflicts[patch.kind]
        basis = "、".join(material.table.basis(row))
        return {
            "SZXJXZQDM": district.head,
            "SZXJXZQMC": district.name,
            "SHENG": fitted(_province(material.order), layer.field("SHENG").length),
            "SHI": fitted(material.order.name, layer.field("SHI").length),
            "XIAN": fitted(district.name, layer.field("XIAN").length),
            "HXMC": self._name(case, behind),
            "HXLX": fitted("、".join(self._types(behind)), layer.field("HXLX").length),
            "MJ": material.area_m2(patch.kept),
            "ZRBHDMC": fitted(_names(within[0]), layer.field("ZRBHDMC").length),
            "SFZRBHDHXQ": _YES if within[1] else _NO,
            "SFZRBHDYBKZQ": _YES if within[2] else _NO,
            "GKCS": fitted(screening()["control_zh"], layer.field("GKCS").length),
            "GXLX": _NEW,
            "JYLX": patch.kind,
            "ZBH": _group_name(case),
            "LY": fitted(f"{row['name_zh']}；依据：{basis}；{case.reason}", layer.field("LY").length),
            "BZ": fitted(self._screened(patch), layer.field("BZ").length),
        }

    def argument(self, case: Case, number: int, bsm: str | None) -> dict[str, Any]:
        """Return the row of HXLZ of a patch."""
        patch, material = case.patch, self._material
        layer, district = material.schema.layers[TABLE], material.districts[patch.district]
        own, taken = material.area_m2(patch.kept), material.area_m2(patch.deducted)
        longitude, latitude = shapely.get_coordinates(
            shapely.point_on_surface(material.degrees[_largest(material, patch.pieces)])
        )[0].tolist()
        missing = "、".join(map(role_name, _missing(material)))
        return {
            "LZBH": f"{patch.kind}-{district.head}-{number:05d}",
            "BSM": bsm,
            "XZQDM": district.code,
            "XZQMC": district.name,
            "JYLX": patch.kind,
            "ZBH": _group_name(case),
            "MC": self._name(case, self._behind(patch)),
            "YSMJ": own + taken,
            "KCMJ": taken,
            "JYMJ": 0.0 if case.verdict == WITHDRAW else own,
            "ZMJ": case.group_m2,
            "DLGC": fitted(self._landuse(patch), layer.field("DLGC").length),
            "CTQK": fitted(self._screened(patch), layer.field("CTQK").length),
            "JL": case.verdict,
            "LY": fitted(case.reason, layer.field("LY").length),
            "WTG": fitted(_said("not_supplied", names=missing) if missing else "", layer.field("WTG").length),
            "X": longitude,
            "Y": latitude,
        }

    def _features(
        self, pieces: Ints, played: Sequence[str], tiers: Sequence[str] | None = None
    ) -> dict[Feature, float]:
        """Return the features of roles (and tiers) on pieces with their area there, largest first."""
        material, found = self._material, {}
        first, last = (np.searchsorted(material.row_piece, pieces, side) for side in ("left", "right"))
        rows = ragged(first, last - first)
        for number, members in groups(material.row_feature[rows]):
            feature = material.features[number]
            if feature.role in played and (tiers is None or feature.tier in tiers):
                found[feature] = material.area_m2(material.row_piece[rows[members]])
        return dict(sorted(found.items(), key=lambda item: (-item[1], item[0].key)))

    def _behind(self, patch: Patch) -> list[Feature]:
        """Return the features for which a patch is a candidate, the largest first."""
        conditions = _conditions(self._material, patch.kind)
        found = self._features(patch.pieces, [one["role"] for one in conditions])
        return [one for one in found if any(meets({one.role: [one.tier]}, each) for each in conditions)]

    def _name(self, case: Case, behind: Sequence[Feature]) -> str:
        named = next((one.name for one in behind if one.name), "")
        kind = self._material.table.conflicts[case.patch.kind]["name_zh"]
        return fitted(named or kind, self._material.schema.layers[LAYER].field("HXMC").length) or kind

    def _types(self, behind: Sequence[Feature]) -> list[str]:
        types = screening()["types"]
        fitting = (row["type_zh"] for row in types for one in behind if meets({one.role: [one.tier]}, row))
        return list(dict.fromkeys(fitting))

    def _landuse(self, patch: Patch) -> str:
        """Return what the ground of a patch is used for, as shares; what is not known is said."""
        used = [tuple(sorted(one.members.get("landuse_status", ()))) for one in self._material.decisions]
        parts: dict[tuple[str, ...], int] = {}
        for decision, area in self._by_decision(patch.pieces):
            parts[used[decision]] = parts.get(used[decision], 0) + area
        if "landuse_status" not in self._material.supplied:
            return _said("not_supplied", names=role_name("landuse_status"))
        whole = max(sum(parts.values()), 1)
        shown = sorted(parts.items(), key=lambda item: (-item[1], item[0]))
        return "；".join(
            f"{_uses(tiers)}{_hectares(area)}({100 * area / whole:.1f}%)" for tiers, area in shown
        )

    def _screened(self, patch: Patch) -> str:
        """Return what the screening met on a patch, with areas and what follows of it."""
        met: dict[int, int] = {}
        for decision, area in self._by_decision(patch.pieces):
            for hit in self._hits[decision]:
                met[hit] = met.get(hit, 0) + area
        rows = ((self._rows[hit], area) for hit, area in sorted(met.items()))
        return "；".join(
            f"{row['reason_zh']}{_hectares(area)}（{_WORDS[row['verdict']]}）" for row, area in rows
        )

    def _by_decision(self, pieces: Ints) -> list[tuple[int, int]]:
        """Return (decision, closed area in 0.01 m2) of pieces."""
        material = self._material
        return [
            (number, int(material.area_centi[pieces[rows]].sum()))
            for number, rows in groups(material.decision[pieces])
        ]


def _province(order: Order) -> str:
    """Return the name of the province where the city is one, as its code says (GB/T 2260)."""
    return order.name if order.code.endswith("0000") else ""


def _said(code: str, **facts: Any) -> str:
    return sentence(f"redline.{code}", facts, "zh")


def _uses(tiers: Sequence[str]) -> str:
    return "、".join(tier_name("landuse_status", tier) for tier in tiers) or _said("landuse_unknown")


def _hectares(centi: int) -> str:
    return f"{centi / 1e6:.4f}公顷"


def _names(features: Mapping[Feature, float]) -> str:
    return "、".join(dict.fromkeys(one.name for one in features if one.name))


def _group_name(case: Case) -> str:
    return f"Z{case.group:05d}"


def _largest(material: Material, pieces: Ints) -> int:
    return int(pieces[np.argmax(material.area_centi[pieces])])


def _near(shapes: NDArray[Any], distance: float) -> Ints:
    """Return for each shape the first of those it is linked with by steps of at most `distance` metres."""
    if len(shapes) == 0:
        return np.empty(0, np.int64)
    one, other = shapely.STRtree(shapes).query(shapes, "dwithin", distance)
    return components(len(shapes), one, other)


def sharing(polygons: NDArray[Any]) -> tuple[Ints, Ints]:
    """Return the pairs of polygons of a coverage (metres, on the grid) that have an edge in common."""
    rings, owner = shapely.get_rings(polygons, return_index=True)
    points, ring = shapely.get_coordinates(rings, return_index=True)
    units = to_units(points)
    _, _, number = same_points(units[:, 0].copy(), units[:, 1].copy())
    inner = np.flatnonzero(ring[1:] == ring[:-1])
    low, high = np.minimum(number[inner], number[inner + 1]), np.maximum(number[inner], number[inner + 1])
    key = low * (len(points) + 1) + high
    order = np.argsort(key, kind="stable")
    twin = np.flatnonzero(key[order][1:] == key[order][:-1])
    piece = owner[ring[inner[order]]]
    return piece[twin], piece[twin + 1]
