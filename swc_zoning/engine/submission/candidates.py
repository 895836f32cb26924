# SPDX-License-Identifier: GPL-2.0-or-later
"""Candidates for the ecological red line: the pieces of conflicts that are absences from it, as patches.

``redline_screening.json`` says which conflicts these are, and what is taken out of or speaks against a patch.
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

from swc_zoning.engine.grid import Ints, components, same_points, to_units
from swc_zoning.engine.messages import Finding
from swc_zoning.engine.submission.material import Material, groups, union
from swc_zoning.paths import resource

#: Verdicts of the screening, the gravest last.
GRAVITY = ("keep", "note", "deduct", "withdraw")


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


@lru_cache(maxsize=1)
def screening() -> Mapping[str, Any]:
    """Return how candidates are screened."""
    return json.loads(resource("submission", "redline_screening.json").read_text(encoding="utf-8"))


def meets(members: Mapping[str, Sequence[str]], condition: Mapping[str, Any]) -> bool:
    """Return whether what lies on a piece has the role of a condition, with one of its tiers (None: any)."""
    tiers = members.get(condition["role"])
    return tiers is not None and (condition["tiers"] is None or bool(set(tiers) & set(condition["tiers"])))


def conditions(material: Material, kind: str) -> list[Mapping[str, Any]]:
    """Return what makes a piece a candidate of a kind, the red line aside."""
    row = material.table.conflicts[kind]
    return [*row["all_of"], *row["any_of"]]


class Candidates:
    """The candidates of a result; `hits` are the numbers of the screening rows that meet each decision."""

    def __init__(self, material: Material) -> None:
        self._material = material
        self.rows: Sequence[Mapping[str, Any]] = screening()["screening"]
        self.hits = [
            tuple(number for number, row in enumerate(self.rows) if meets(decision.members, row))
            for decision in material.decisions
        ]

    def _gravity(self, hits: Sequence[int]) -> int:
        return max((GRAVITY.index(self.rows[number]["verdict"]) for number in hits), default=0)

    def patches(self) -> tuple[list[Patch], list[Finding]]:
        """Return the patches in order of place, and a finding about what is only boundary mismatch."""
        material, kinds = self._material, screening()["kinds"]
        first = [next((k for k in kinds if k in one.conflicts), "") for one in material.decisions]
        kind = np.array([kinds.index(one) if one else -1 for one in first], np.int64)[material.decision]
        gravity = np.array([self._gravity(hits) for hits in self.hits], np.int64)[material.decision]
        label = kind * len(material.districts) + material.district
        made: list[Patch] = []
        small: list[Ints] = []
        for members in self._connected(np.flatnonzero(kind >= 0), label):
            deducted = members[gravity[members] == GRAVITY.index("deduct")]
            if self._is_mismatch(members):
                small.append(members)
                continue
            parts = self._connected(np.setdiff1d(members, deducted), label)
            thin = [self._is_mismatch(part) for part in parts]
            small += [part for part, is_thin in zip(parts, thin) if is_thin]
            kept = [part for part, is_thin in zip(parts, thin) if not is_thin]
            made += self._parted(kinds[kind[members[0]]], kept, deducted)
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
        first = next((pieces[0] for pieces in (*parts, deducted) if len(pieces)), None)
        district = 0 if first is None else int(self._material.district[first])
        if not parts and len(deducted):
            yield Patch(kind, district, np.empty(0, np.int64), deducted, ())
        parts = sorted(parts, key=lambda one: (-self._material.area_centi[one].sum(), one[0]))
        for number, part in enumerate(parts):
            yield Patch(kind, district, part, deducted if number == 0 else deducted[:0], self._against(part))

    def _against(self, pieces: Ints) -> tuple[int, ...]:
        """Return the screening rows for which a patch is withdrawn as a whole."""
        hits = {hit for one in np.unique(self._material.decision[pieces]).tolist() for hit in self.hits[one]}
        return tuple(sorted(hit for hit in hits if self.rows[hit]["verdict"] == "withdraw"))


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
