# SPDX-License-Identifier: GPL-2.0-or-later
"""Conditions of the rules of function-important areas, evaluated on cells.

No data meets no condition: of unknown cover is neither much nor little.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Callable

import numpy as np
from numpy.typing import NDArray

from swc_zoning.engine import roles
from swc_zoning.engine.evaluation import factors, protected, sets, units, vectors
from swc_zoning.engine.evaluation.function_rules import Condition
from swc_zoning.engine.evaluation.rasters import Floats, Stack, View
from swc_zoning.engine.evaluation.scanning import Scan
from swc_zoning.engine.messages import SwcError

if TYPE_CHECKING:
    from swc_zoning.engine.evaluation.running import Run

Cells = NDArray[np.bool_]

#: Parameter that a condition needs, where it is not one of those always given; any of several.
NEEDS: Mapping[str, tuple[str, ...]] = {
    "strips": ("strips",),
    "slope_least": ("slope",),
    "relief_least": ("relief",),
    "erosion_least": ("erosion", "monitoring"),
    "hills": ("hills",),
}
_CODES_SHOWN = 20


def lacking(condition: Condition, given: set[str]) -> set[str]:
    """Return the parameters without which a condition cannot be evaluated; none where it can."""
    found = {NEEDS[key][0] for key in condition if key in NEEDS and not given & set(NEEDS[key])}
    alternatives = [lacking(one, given) for one in condition.get("any", ())]
    if alternatives and all(alternatives):
        found |= set.union(*alternatives)
    return found


class Kinds:
    """Kinds of ecosystems of raster codes, by a table; codes it does not know are counted."""

    def __init__(self, kinds: Mapping[str, str]) -> None:
        self._names = sorted(set(kinds.values()))
        codes = {int(float(code)): self._names.index(kind) + 1 for code, kind in kinds.items()}
        self._table = np.zeros(max(codes) + 2, np.uint8)
        self._table[list(codes)] = list(codes.values())
        self.unknown: Counter[float] = Counter()

    def numbers(self, codes: Floats) -> NDArray[np.uint8]:
        """Return the number of the kind of each cell, 0 for none."""
        known = ~np.isnan(codes)
        places = np.where(known, np.clip(codes, -1, len(self._table) - 1), -1).astype(np.int64)
        found = np.where(places == codes, self._table[places], 0).astype(np.uint8)
        wrong = codes[known & (found == 0)]
        if wrong.size:
            self.unknown.update(dict(zip(*(one.tolist() for one in np.unique(wrong, return_counts=True)))))
        return found

    def among(self, numbers: NDArray[np.uint8], wanted: list[str] | None = None) -> Cells:
        """Return which cells are of wanted kinds; by default of natural ones."""
        if wanted is None:
            known = factors.ecosystems()
            wanted = [name for name in self._names if known[name]["natural"]]
        chosen = np.array([False, *(name in wanted for name in self._names)])
        return chosen[numbers]

    def check(self) -> None:
        """Refuse codes that were met and are not in the table; raises SwcError ``evaluation.unmapped``."""
        if self.unknown:
            listed = self.unknown.most_common(_CODES_SHOWN)
            shown = ", ".join(f"{code:g} ({count})" for code, count in listed)
            raise SwcError("evaluation.unmapped", count=sum(self.unknown.values()), codes=shown)


@dataclass(frozen=True)
class Ground:
    """What conditions are evaluated on: conversions of rasters, polygons as scans.

    `strips` with the kind of bank of each, `monitored` with the intensity of each; None where not given.
    """

    fraction: Callable[[Floats], Floats]
    degrees: Callable[[Floats], Floats] | None
    kinds: Kinds
    strips: tuple[Scan, NDArray[Any]] | None
    hills: Scan | None
    monitored: tuple[Scan, NDArray[np.int64]] | None

    def given(self, arrays: Iterable[str]) -> set[str]:
        """Return the names of what is there, of rasters and of polygons."""
        scans = {"strips": self.strips, "hills": self.hills, "monitoring": self.monitored}
        return {*arrays, *(name for name, scan in scans.items() if scan is not None)}


class Look:
    """Conditions on the cells of one view; what several rules need is made once."""

    def __init__(self, ground: Ground, view: View) -> None:
        self._ground, self._view = ground, view
        self._cover = ground.fraction(view["cover"])
        self._numbers = ground.kinds.numbers(view["ecosystem"])
        self.slope = ground.degrees(view["slope"]) if ground.degrees else None
        self._given = ground.given(view.arrays)
        self.known: Cells = ~np.isnan(self._cover) & (self._numbers > 0)

    def holds(self, condition: Condition) -> Cells:
        """Return where all of a condition holds; nowhere, where it cannot be evaluated."""
        found = np.full(self.known.shape, not lacking(condition, self._given))
        if found.any():
            for key, value in condition.items():
                found &= _TESTS[key](self, value)
        return found

    def any_of(self, conditions: list[Condition]) -> Cells:
        """Return where one of several conditions holds."""
        return np.logical_or.reduce([self.holds(one) for one in conditions])

    def strips(self, wanted: list[str]) -> Cells:
        """Return the cells in strips of kinds of banks."""
        found = np.zeros(self.known.shape, bool)
        if self._ground.strips is not None:
            scan, kinds = self._ground.strips
            found = scan.inside(self._view.block, np.isin(kinds, wanted))
        return found

    def hills(self) -> Cells:
        """Return the cells in the mask of hills."""
        scan = self._ground.hills
        return np.zeros(self.known.shape, bool) if scan is None else scan.inside(self._view.block)

    def erosion(self, least: int) -> Cells:
        """Return the cells of an intensity, in the raster or in polygons of monitoring."""
        found = np.zeros(self.known.shape, bool)
        if "erosion" in self._given:
            found |= self._view["erosion"] >= least
        if self._ground.monitored is not None:
            scan, intensity = self._ground.monitored
            found |= scan.inside(self._view.block, intensity >= least)
        return found


_TESTS: Mapping[str, Callable[[Look, Any], Cells]] = {
    "strips": Look.strips,
    "natural": lambda look, _: look._ground.kinds.among(look._numbers),
    "kinds": lambda look, wanted: look._ground.kinds.among(look._numbers, wanted),
    "cover_least": lambda look, least: look._cover >= least,
    "cover_below": lambda look, limit: look._cover < limit,
    "slope_least": lambda look, least: look.slope >= least,
    "relief_least": lambda look, least: look._view["relief"] >= least,
    "erosion_least": Look.erosion,
    "hills": lambda look, _: look.hills(),
    "any": Look.any_of,
}


def prepared(run: Run, stack: Stack, kinds: Mapping[str, str]) -> Ground:
    """Return what the rules are evaluated on; raises SwcError for inputs that do not fit."""
    crs = stack.grid.crs
    fraction = units.cover_conversion(run, stack)
    degrees = units.slope_conversion(run, stack) if stack.is_raster("slope") else None
    hills = Scan(vectors.read_onto(run["hills"], crs).geometry, stack.grid) if run["hills"] else None
    return Ground(fraction, degrees, Kinds(kinds), _strips(run, stack), hills, _monitored(run, stack))


def _strips(run: Run, stack: Stack) -> tuple[Scan, NDArray[Any]] | None:
    if not run["strips"]:
        return None
    shapes = vectors.read_onto(run["strips"], stack.grid.crs)
    kinds = _bank_kinds(run, shapes.column(run["strip_field"]))
    return Scan(shapes.geometry, stack.grid), np.array(kinds, object)


def _bank_kinds(run: Run, classes: list[str]) -> list[str]:
    """Return what waters strips are of: as told, else by the words of their class."""
    table = run.take(sets.default("bank_kinds"))["kinds"]
    told = dict(run["strip_kinds"] or {})
    for name in set(classes) - set(told):
        matching = [kind for kind, one in table.items() if kind == name or _says(name, one["words"])]
        told.update(dict.fromkeys([name] if matching else [], *matching[:1]))
    unclear = sorted(set(classes) - set(told))
    if unclear:
        facts = {"classes": ", ".join(unclear), "known": ", ".join(table)}
        raise SwcError("function_rules.banks", **facts)
    run.facts["strip_kinds"] = dict(sorted(told.items()))
    return [told[name] for name in classes]


def _says(name: str, words: list[str]) -> bool:
    return any(word in name.casefold() for word in words)


def _monitored(run: Run, stack: Stack) -> tuple[Scan, NDArray[np.int64]] | None:
    if not run["monitoring"]:
        return None
    found = protected.read(run, "soil_erosion", "monitoring", stack.grid.crs)
    role = roles.find("soil_erosion")
    order = {tier: number for number, tier in enumerate(role.tier_ids if role else ())}
    intensity = np.array([order.get(tier, -1) for tier in found.tiers], np.int64)
    return Scan(found.geometry, stack.grid), intensity
