# SPDX-License-Identifier: GPL-2.0-or-later
"""Zones of key areas: units that touch along an edge are one zone, and zones have names."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from swc_zoning.engine.evaluation import sheets
from swc_zoning.engine.evaluation.districts import Units
from swc_zoning.engine.evaluation.key_rules import Rule
from swc_zoning.engine.messages import SwcError

#: Borders of neighbours may lie apart by this much (m), and touch where they run together this far (m):
#: corners are no edge. Our choice, of no standard.
_APART, _EDGE = 0.5, 10.0


def zones(
    units: Units, found: Mapping[int, Rule], contiguous: bool, least_km2: float
) -> tuple[list[list[int]], dict[int, str]]:
    """Return the zones (numbers of units) and why other units are dropped: "alone" or "small".

    `found` is the rule of each unit. A zone has one kind and one level. With `contiguous` a unit
    without a neighbour in its zone is dropped; a zone smaller than `least_km2` always is.
    """
    kept: list[list[int]] = []
    dropped: dict[int, str] = {}
    for group in _groups(found):
        for zone in _connected(group, units.geometry):
            reason = _reason(zone, units, contiguous, least_km2)
            if reason:
                dropped.update(dict.fromkeys(zone, reason))
            else:
                kept.append(zone)
    return kept, dropped


def _reason(zone: Sequence[int], units: Units, contiguous: bool, least_km2: float) -> str:
    if float(units.areas[list(zone)].sum()) / 1e6 < least_km2:
        return "small"
    return "alone" if contiguous and len(zone) == 1 else ""


def _groups(found: Mapping[int, Rule]) -> Iterable[list[int]]:
    groups: dict[tuple[str, str], list[int]] = defaultdict(list)
    for number, rule in found.items():
        groups[rule.kind, rule.level].append(number)
    return groups.values()


def _connected(group: Sequence[int], geometry: NDArray[Any]) -> list[list[int]]:
    """Return the units of a group by what touches along an edge."""
    root = {number: number for number in group}

    def top(number: int) -> int:
        while root[number] != number:
            number = root[number]
        return number

    for one, other in _neighbours(geometry[list(group)]):
        first, second = sorted((top(group[one]), top(group[other])))
        root[second] = first
    made: dict[int, list[int]] = defaultdict(list)
    for number in group:
        made[top(number)].append(number)
    return list(made.values())


def _neighbours(geometry: NDArray[Any]) -> list[tuple[int, int]]:
    """Return pairs of polygons whose borders run together."""
    one, other = shapely.STRtree(geometry).query(geometry, predicate="dwithin", distance=_APART)
    one, other = one[one < other], other[one < other]
    near = shapely.buffer(geometry, _APART, quad_segs=2)
    together = shapely.intersection(shapely.boundary(geometry[one]), near[other])
    long = np.asarray(shapely.length(together)) > _EDGE
    return list(zip(one[long].tolist(), other[long].tolist()))


# --- names -----------------------------------------------------------------------------------------


def given_names(path: Path, units: Units) -> dict[int, str]:
    """Return the zone that a table (unit: code or name; zone) names for units, by their numbers.

    Raises SwcError ``evaluation.table`` for rows of no unit.
    """
    numbers: dict[str, list[int]] = defaultdict(list)
    for number, (code, name) in enumerate(zip(units.codes, units.names)):
        for key in {code, name} - {""}:
            numbers[key].append(number)
    made: dict[int, str] = {}
    for line, row in enumerate(sheets.read_csv(path), 2):
        unit, zone = row.get("unit", ""), row.get("zone", "")
        if len(numbers[unit]) != 1 or not zone:
            raise SwcError("evaluation.table", path=path.name, line=line, reason=f"{unit} -> {zone}")
        made[numbers[unit][0]] = zone
    return made


def name_of(zone: Sequence[int], given: Mapping[int, str], units: Units) -> str:
    """Return the name given to units of a zone, "" for none; SwcError ``keyareas.names_differ``."""
    names = sorted({given[number] for number in zone if number in given})
    if len(names) > 1:
        shown = ", ".join(units.called(number) for number in zone[:12])
        raise SwcError("keyareas.names_differ", names=", ".join(names), units=shown)
    return names[0] if names else ""
