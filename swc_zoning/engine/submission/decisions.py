# SPDX-License-Identifier: GPL-2.0-or-later
"""Every piece of a package decided anew: with its own decision table, from what it says lies on the piece."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from swc_zoning.engine import rules
from swc_zoning.engine.submission import columns
from swc_zoning.engine.submission.control_zones import STATUS
from swc_zoning.engine.submission.memberships import Memberships
from swc_zoning.engine.submission.opening import Package
from swc_zoning.engine.submission.quality import Flaw, Rule
from swc_zoning.engine.submission.sheets import Sheet

_ZONES = "SBGKFQ"
#: Fields that follow from the decision; those that are lists in any order.
_FIELDS = ("FQDM", "GKDJ", "GZBH", "ZT", "CSDM", "CTLX")
_LISTS = frozenset({"CSDM", "CTLX"})


def decided_anew(package: Package, rule: Rule, sheet: Sheet, table: rules.RuleTable) -> Iterator[Flaw]:
    """Yield where zone, level, rule, status, measures or conflicts are not what `table` says of a piece.

    What lies on a piece is said by table GXB; which roles were supplied, by META.
    """
    found = Memberships.of(sheet, package.sheet("GXB"), package.schema)
    asked = [_membership(members) for members in found.members]
    decisions = rules.decide_many(table, asked, _supplied(package))
    wanted = [_fields(decision, table) for decision in decisions]
    alone = columns.alone(sheet)
    for field in _FIELDS:
        values = columns.texts(sheet, field)
        if values is None:
            continue
        right = np.array([one[field] for one in wanted], dtype=str)[found.combo]
        said = _sorted(values) if field in _LISTS else values
        for row in columns.rows((said != right) & alone):
            shown = {"value": str(values[row])[:60], "other": str(right[row])[:60]}
            bsm, place = package.bsm(_ZONES, row) or f"#{row + 1}", package.place(_ZONES, row)
            yield rule.flaw(case="decided", layer=_ZONES, bsm=bsm, field=field, place=place, **shown)


def _membership(members: frozenset[tuple[str, str]]) -> dict[str, list[str]]:
    asked: dict[str, list[str]] = {}
    for role, tier in sorted(members):
        asked.setdefault(role, []).append(tier)
    return asked


def _supplied(package: Package) -> set[str]:
    """Return the roles of the inputs that had features; a layer without any says nothing."""
    return {one["role"] for one in package.inputs if "role" in one and one.get("used", 1)}


def _fields(decision: Mapping[str, Any], table: rules.RuleTable) -> dict[str, str]:
    zone = table.zones[decision["zone"]]
    return {
        "FQDM": zone["fqdm"],
        "GKDJ": zone["gkdj"],
        "GZBH": next(iter(decision["decisive"]), ""),
        "ZT": STATUS[decision["status"]],
        "CSDM": ";".join(sorted(decision["measures"])),
        "CTLX": ";".join(sorted(decision["conflicts"])),
    }


def _sorted(values: Any) -> Any:
    distinct, inverse = np.unique(values, return_inverse=True)
    return np.array([";".join(sorted(columns.codes(str(text)))) for text in distinct], dtype=str)[
        inverse.ravel()
    ]
