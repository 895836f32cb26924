# SPDX-License-Identifier: GPL-2.0-or-later
"""What another decision table would make of a written result, without a new overlay of its layers.

Zones follow from which roles and tiers cover a piece, and the result keeps those; so an edited
table is a matter of its distinct label combinations and of sums.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from swc_zoning.engine import formats, pieces, summary
from swc_zoning.engine.areas import Adjustment
from swc_zoning.engine.grid import Ints
from swc_zoning.engine.messages import SwcError
from swc_zoning.engine.pieces import Combo, District, Ground
from swc_zoning.engine.result import SUMMARY, ZONING
from swc_zoning.engine.rules import RuleTable

_NUMBERS = ("plane_m2", "ellipsoidal_m2", "area_m2")
_TEXTS = ("members", "zone", "status", "district_code")


def read(folder: Path) -> Ground:
    """Return the pieces of the result in `folder`, decided as they were.

    Raises SwcError ``redecide.no_result`` where there is none, ``redecide.not_together`` where its
    two files are not of one run, and what `formats.read_vector` raises.
    """
    document = _summary(folder)
    wanted = [*_TEXTS, *_NUMBERS, "land"]
    table = formats.read_vector(folder / ZONING, "pieces", columns=wanted, geometry=False)
    meant = document["total"]["pieces"]
    if len(table) != meant:
        raise SwcError("redecide.not_together", path=str(folder), found=len(table), meant=meant)
    columns = table.columns
    plane, ellipsoidal, area = (columns[name].astype(np.float64) for name in _NUMBERS)
    combos, combo = _combos(columns)
    districts = [District(row["district_code"], row["district_name"]) for row in document["by_district"]]
    place = {district.code: number for number, district in enumerate(districts)}
    return Ground(
        districts,
        np.array([place[code] for code in columns["district_code"].tolist()], np.int64),
        combos,
        combo,
        columns["land"].astype(np.int64) if document["by_land"] else None,
        plane,
        ellipsoidal,
        np.rint(area * 100).astype(np.int64),
        [_adjustment(row) for row in document["adjustments"]],
        frozenset(r["role"] for r in document["inputs"] if not r["extent"] and r["used"] > 0),
    )


def preview(ground: Ground, table: RuleTable) -> dict[str, Any]:
    """Return the areas of ``summary.json`` as `table` has them, and `changes` from what `ground` has.

    Keys: total, by_zone, by_district, by_land, crosstab, changes; areas in m2.
    """
    after = pieces.redecided(ground, table)
    return {**summary.zone_areas(after, table), "changes": summary.changes(ground, after)}


def _summary(folder: Path) -> Mapping[str, Any]:
    try:
        document = json.loads((folder / SUMMARY).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SwcError("redecide.no_result", path=str(folder)) from error
    if not isinstance(document, dict) or "content_sha256" not in document or not (folder / ZONING).exists():
        raise SwcError("redecide.no_result", path=str(folder))
    return document


def _combos(columns: Mapping[str, NDArray[Any]]) -> tuple[list[Combo], Ints]:
    """Return the distinct label combinations with the zone and status they were given, and each piece's."""
    known: dict[str, int] = {}
    texts = columns["members"].tolist()
    combo = np.fromiter((known.setdefault(text, len(known)) for text in texts), np.int64, len(texts))
    _, first = np.unique(combo, return_index=True)
    decided = [{key: columns[key][row] for key in ("zone", "status")} for row in first.tolist()]
    return [Combo(json.loads(text), said) for text, said in zip(known, decided)], combo


def _adjustment(row: Mapping[str, Any]) -> Adjustment:
    return Adjustment(**{key: value for key, value in row.items() if key != "district_code"})
