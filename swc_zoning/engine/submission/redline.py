# SPDX-License-Identifier: GPL-2.0-or-later
"""Patches proposed for the ecological red line (HXJY), each with a table that argues its case (HXLZ).

Patches within a distance of each other are a group, whatever their kind and district: as one they have to
reach the smallest patch, unless the group touches the red line. Only the natural-resources authority draws
that line: everything here is a proposal, and what was not supplied is said, not inferred.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from swc_zoning.engine import roles
from swc_zoning.engine.evaluation import records
from swc_zoning.engine.grid import Ints, components, ragged
from swc_zoning.engine.messages import Finding, sentence
from swc_zoning.engine.rule_words import role_name
from swc_zoning.engine.submission import candidates
from swc_zoning.engine.submission.candidates import Candidates, Patch, conditions, meets
from swc_zoning.engine.submission.control_zones import REDLINE
from swc_zoning.engine.submission.material import Feature, Material, cut, groups, union
from swc_zoning.engine.submission.order import Order
from swc_zoning.engine.submission.references import LANDUSE, tier_name
from swc_zoning.engine.submission.register import Register, key_of
from swc_zoning.engine.submission.sheets import Sheet, objects

LAYER, TABLE = "HXJY", "HXLZ"
KEEP, DEDUCT, WITHDRAW = "保留", "扣除", "退出"
_WORDS = {"keep": "保留", "note": "注明", "deduct": "扣除", "withdraw": "退出"}
_PROTECTED = ("nature_reserve", "national_park", "nature_park")
_NEW = "2"
_YES, _NO = "是", "否"
_JOINTS = (("zh", "、"), ("en", ", "))


@dataclass(frozen=True)
class Case:
    """A patch with the group it is judged in (number, closed area in m2), its verdict and why.

    `code` and `facts` are those of a sentence ``redline.*``; `against` the screening rows it meets.
    """

    patch: Patch
    group: int
    group_m2: float
    verdict: str
    code: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    against: Sequence[Mapping[str, Any]] = ()

    def reason(self, lang: str = "zh") -> str:
        """Return why it is proposed or withdrawn."""
        joint = dict(_JOINTS)[lang]
        said = joint.join(row[f"reason_{lang}"] for row in self.against)
        return sentence(f"redline.{self.code}", {**self.facts, "reason": said}, lang)


def screened(material: Material) -> tuple[Bench, list[Case], list[Finding]]:
    """Return the one list of candidates, each judged, in order of place, with what was left out of it."""
    found = Candidates(material)
    patches, dropped = found.patches()
    bench = Bench(material, found)
    return bench, bench.judged(patches), dropped


def sheets_of(material: Material, register: Register) -> tuple[dict[str, Sheet], list[Finding]]:
    """Return the proposals and their justification table, and what could not be said."""
    bench, cases, dropped = screened(material)
    kept = [case for case in cases if case.verdict != WITHDRAW]
    keys = [key_of(*(material.piece_id[piece] for piece in case.patch.kept.tolist())) for case in kept]
    heads = [material.districts[case.patch.district].head for case in kept]
    identifiers, _ = register.give(LAYER, keys, heads)
    rows = [{**bench.proposal(case), "BSM": bsm} for case, bsm in zip(kept, identifiers)]
    shapes = objects([union(material.degrees[case.patch.kept]) for case in kept])
    named = {id(case): bsm for case, bsm in zip(kept, identifiers)}
    argued = [bench.argument(case, number, named.get(id(case))) for number, case in enumerate(cases, 1)]
    layers = material.schema.layers
    made = {LAYER: Sheet.of(layers[LAYER], rows, shapes), TABLE: Sheet.of(layers[TABLE], argued)}
    return made, [*_unsaid(material), *dropped]


def _unsaid(material: Material) -> Iterator[Finding]:
    """Yield the kinds of candidates that could not be looked for, and the layers they lack."""
    kinds = [row for row in material.summary["conflicts"] if row["kind"] in candidates.screening()["kinds"]]
    for row in kinds:
        looked_for = {one["role"] for one in conditions(material, row["kind"])}
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


def _missing(material: Material) -> list[str]:
    asked = dict.fromkeys(row["role"] for row in candidates.screening()["screening"])
    return [role for role in asked if role not in material.supplied]


class Bench:
    """Patches on their way to proposals."""

    def __init__(self, material: Material, found: Candidates) -> None:
        self._material = material
        self._rows, self._hits = found.rows, found.hits

    def judged(self, patches: Sequence[Patch]) -> list[Case]:
        """Return each patch with its group and verdict, in order of place."""
        lying = [number for number, one in enumerate(patches) if len(one.kept) and not one.withdrawn]
        shapes = objects([union(self._material.plane[patches[number].kept]) for number in lying])
        root = np.arange(len(patches))
        where = np.array(lying, np.int64)
        root[where] = where[_near(shapes, self._material.order.neighbour_m)]
        touching = np.zeros(len(patches), bool)
        touching[where] = self._touching(shapes)
        number = {one: count for count, one in enumerate(dict.fromkeys(root.tolist()), 1)}
        judged = {}
        for one, members in groups(root):
            area = self._material.area_m2(np.concatenate([patches[m].kept for m in members]))
            judged[one] = number[one], area, bool(touching[members].any())
        return [self._case(patch, *judged[one]) for patch, one in zip(patches, root.tolist())]

    def _touching(self, shapes: NDArray[Any]) -> NDArray[np.bool_]:
        material = self._material
        inside = np.array([REDLINE in one.members for one in material.decisions], bool)[material.decision]
        touching = np.zeros(len(shapes), bool)
        if inside.any():
            tree = shapely.STRtree(material.plane[inside])
            touching[tree.query(shapes, "dwithin", candidates.screening()["touch_m"])[0]] = True
        return touching

    def _case(self, patch: Patch, group: int, area: float, touches: bool) -> Case:
        limit = self._material.order.min_patch_m2
        facts = {"area": area, "limit": limit}
        if patch.withdrawn:
            against = [self._rows[number] for number in patch.withdrawn]
            return Case(patch, group, area, WITHDRAW, "withdrawn", against=against)
        if len(patch.kept) == 0:
            return Case(patch, group, 0.0, WITHDRAW, "all_deducted")
        if area < limit and not touches:
            return Case(patch, group, area, WITHDRAW, "small", facts)
        code = "large" if area >= limit else "touching"
        verdict = DEDUCT if len(patch.deducted) else KEEP
        return Case(patch, group, area, verdict, code, facts)

    # --- rows ---

    def proposal(self, case: Case) -> dict[str, Any]:
        """Return the row of HXJY of a patch that is kept."""
        patch, material = case.patch, self._material
        layer = material.schema.layers[LAYER]
        district = material.districts[patch.district]
        behind = self.behind(patch)
        within = [
            self._features(patch.kept, _PROTECTED, tiers)
            for tiers in (None, ("core_protection",), ("general_control",))
        ]
        row = material.table.conflicts[patch.kind]
        basis = "、".join(material.table.basis(row))
        return {
            "SZXJXZQDM": district.head,
            "SZXJXZQMC": district.name,
            "SHENG": cut(layer, "SHENG", _province(material.order)),
            "SHI": cut(layer, "SHI", material.order.name),
            "XIAN": cut(layer, "XIAN", district.name),
            "HXMC": self._name(case, behind),
            "HXLX": cut(layer, "HXLX", "、".join(self._types(behind))),
            "MJ": material.area_m2(patch.kept),
            "ZRBHDMC": cut(layer, "ZRBHDMC", _names(within[0])),
            "SFZRBHDHXQ": _YES if within[1] else _NO,
            "SFZRBHDYBKZQ": _YES if within[2] else _NO,
            "GKCS": cut(layer, "GKCS", candidates.screening()["control_zh"]),
            "GXLX": _NEW,
            "JYLX": patch.kind,
            "ZBH": _group_name(case),
            "LY": cut(
                layer,
                "LY",
                "；".join(
                    filter(None, (row["name_zh"], f"依据：{basis}", self.method(behind), case.reason()))
                ),
            ),
            "BZ": cut(layer, "BZ", self._screened(patch)),
        }

    def argument(self, case: Case, number: int, bsm: str | None) -> dict[str, Any]:
        """Return the row of HXLZ of a patch."""
        patch, material = case.patch, self._material
        layer, district = material.schema.layers[TABLE], material.districts[patch.district]
        own, taken = material.area_m2(patch.kept), material.area_m2(patch.deducted)
        longitude, latitude = shapely.get_coordinates(
            shapely.point_on_surface(material.degrees[_largest(material, patch.pieces)])
        )[0].tolist()
        missing = "、".join(role_name(role, "zh") for role in _missing(material))
        behind = self.behind(patch)
        return {
            "LZBH": f"{patch.kind}-{district.head}-{number:05d}",
            "BSM": bsm,
            "XZQDM": district.code,
            "XZQMC": district.name,
            "JYLX": patch.kind,
            "ZBH": _group_name(case),
            "MC": self._name(case, behind),
            "YSMJ": own + taken,
            "KCMJ": taken,
            "JYMJ": 0.0 if case.verdict == WITHDRAW else own,
            "ZMJ": case.group_m2,
            "DLGC": cut(layer, "DLGC", self._landuse(patch)),
            "CTQK": cut(layer, "CTQK", self._screened(patch)),
            "JL": case.verdict,
            "LY": cut(layer, "LY", "；".join(filter(None, (case.reason(), self.method(behind))))),
            "WTG": cut(layer, "WTG", _said("not_supplied", names=missing) if missing else ""),
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

    def behind(self, patch: Patch) -> list[Feature]:
        """Return the features for which a patch is a candidate, the largest first."""
        asked = conditions(self._material, patch.kind)
        found = self._features(patch.pieces, [one["role"] for one in asked])
        return [one for one in found if any(meets({one.role: [one.tier]}, each) for each in asked)]

    def method(self, behind: Sequence[Feature], lang: str = "zh") -> str:
        """Return by what method and rule the features were evaluated, "" where no evaluation made them."""
        rows = [self._material.evaluated.get((one.input, one.source_id), {}) for one in behind]
        told = dict.fromkeys(
            (records.worded(row, "method", lang), records.worded(row, "rule", lang)) for row in rows if row
        )
        said = [
            sentence("redline.method", {"method": one, "rule": rule or "-"}, lang)
            for one, rule in told
            if one
        ]
        return dict(_JOINTS)[lang].join(said)

    def _name(self, case: Case, behind: Sequence[Feature]) -> str:
        named = next((one.name for one in behind if one.name), "")
        kind = self._material.table.conflicts[case.patch.kind]["name_zh"]
        return cut(self._material.schema.layers[LAYER], "HXMC", named or kind) or kind

    def _types(self, behind: Sequence[Feature]) -> list[str]:
        types = candidates.screening()["types"]
        fitting = (row["type_zh"] for row in types for one in behind if meets({one.role: [one.tier]}, row))
        return list(dict.fromkeys(fitting))

    def _landuse(self, patch: Patch) -> str:
        """Return what the ground of a patch is used for, as shares; what is not known is said."""
        parts: dict[tuple[str, ...], int] = {}
        if LANDUSE not in self._material.supplied:
            return _said("not_supplied", names=role_name(LANDUSE, "zh"))
        for decision, area in self._by_decision(patch.pieces):
            used = tuple(sorted(self._material.decisions[decision].members.get(LANDUSE, ())))
            parts[used] = parts.get(used, 0) + area
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
    return "、".join(tier_name(LANDUSE, tier) for tier in tiers) or _said("landuse_unknown")


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
