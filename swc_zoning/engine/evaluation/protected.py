# SPDX-License-Identifier: GPL-2.0-or-later
"""Layers of roles as the evaluation takes them: polygons on the CRS of a grid, a tier for each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from numpy.typing import NDArray

from swc_zoning.engine import attributes, roles, tiers
from swc_zoning.engine.evaluation import vectors
from swc_zoning.engine.evaluation.function_rules import Book, Rule
from swc_zoning.engine.messages import SwcError

if TYPE_CHECKING:
    from swc_zoning.engine.evaluation.running import Run
    from swc_zoning.engine.evaluation.vectors import Shapes

LAYER = "function_areas"
_WORDS_SHOWN = 12


@dataclass(frozen=True)
class Protected:
    """Polygons of a role with their tiers ("" where the role has none)."""

    role: str
    geometry: NDArray[Any]
    tiers: NDArray[Any]

    def of(self, wanted: list[str]) -> NDArray[Any]:
        """Return the polygons of some tiers; of all where none is named."""
        return self.geometry[np.isin(self.tiers, wanted)] if wanted else self.geometry


def read(run: Run, role: str, parameter: str, crs: str) -> Protected:
    """Read the layer a parameter names, its tiers by the field in ``PARAMETER_tier`` or as they show.

    Raises SwcError ``function_rules.tiers_unclear`` where nothing tells the tiers for sure; words that are
    no tier are said.
    """
    shapes = vectors.read_onto(run[parameter], crs)
    areal = shapely.get_dimensions(shapes.geometry) == 2
    known = roles.find(role)
    if known is None or not known.tiers:
        return Protected(role, shapes.geometry[areal], np.full(int(areal.sum()), "", object))
    words, given = _words(run, role, parameter, shapes)
    counts = Counter(words)
    meaning = {word: tiers.meaning_of(role, word, given) for word in counts}
    unknown = [word for word in counts if meaning[word] == roles.UNKNOWN]
    if unknown:
        shown = ", ".join(f"{word or 'NULL'} ({counts[word]})" for word in unknown[:_WORDS_SHOWN])
        count = sum(counts[word] for word in unknown)
        run.find("function_rules.tier_unknown", path=shapes.name, role=role, count=count, words=shown)
    found = np.array([meaning[word] for word in words], object)
    return Protected(role, shapes.geometry[areal], found[areal])


def _words(run: Run, role: str, parameter: str, shapes: Shapes) -> tuple[list[str], Mapping[str, str] | None]:
    """Return the word of each feature that tells its tier, and the map of words that goes with it."""
    field = run[f"{parameter}_tier"]
    if field:
        name, _ = attributes.find_field(list(shapes.columns), field)
        return [tiers.as_word(value) for value in shapes.raw(name or field)], None
    if not tiers.is_open(role, {}):
        return [""] * len(shapes), None
    change = _change(run, role, parameter, shapes)
    if "value" in change:
        return [change["value"]] * len(shapes), None
    return [tiers.as_word(value) for value in shapes.raw(change["field"])], change.get("map")


def _change(run: Run, role: str, parameter: str, shapes: Shapes) -> Mapping[str, Any]:
    """Return the change of a job that would tell the tiers: the sure one, or the only one."""
    path, _, layer = str(run[parameter]).partition("|layername=")
    ids = "", [""] * len(shapes)
    called = [layer, Path(path).stem]
    told = list(tiers.tell(None, role, called, shapes.columns, shapes.geometry, ids, [""] * len(shapes)))
    fixes = [fix for finding in told for fix in finding.fixes]
    sure = [fix for fix in fixes if fix.sure] or (fixes if len(fixes) == 1 else [])
    known = roles.find(role)
    if not sure or not known:
        ways = [told[0].facts[f"ways_{lang}"] if told else "-" for lang in ("zh", "en")]
        facts = {"path": shapes.name, "parameter": f"{parameter}_tier"}
        raise SwcError("function_rules.tiers_unclear", **facts, ways_zh=ways[0], ways_en=ways[1])
    return sure[0].change["tier"]


def areas(book: Book, layers: Mapping[str, Protected]) -> Iterator[tuple[Rule, Any]]:
    """Yield what each rule of legal areas has and no higher or earlier one: exact polygons, none overlap."""
    taken = shapely.Polygon()
    for rule in sorted(book.rules, key=lambda one: (-one.level, one.number)):
        polygons = of_rule(rule, layers)
        if len(polygons):
            whole = shapely.union_all(polygons)
            yield rule, shapely.difference(whole, taken)
            taken = shapely.union(taken, whole)


def of_rule(rule: Rule, layers: Mapping[str, Protected]) -> NDArray[Any]:
    """Return the polygons that a rule of legal areas names."""
    parts = [layers[role].of(wanted) for role, wanted in rule.areas.items() if role in layers]
    return np.concatenate(parts) if parts else np.empty(0, object)


def write_areas(path: Path, found: list[tuple[Rule, Any]], crs: str) -> dict[str, float]:
    """Write the polygons of legal areas; return the plane area (m2) of each rule."""
    parts = [(rule, part) for rule, whole in found for part in shapely.get_parts(whole)]
    parts = [(rule, part) for rule, part in parts if part.geom_type == "Polygon"]
    geometry = np.empty(len(parts), object)
    geometry[:] = [part for _, part in parts]
    texts = {
        name: np.array([getattr(rule, attribute) for rule, _ in parts], object)
        for name, attribute in (("rule_id", "id"), ("rule_zh", "zh"), ("rule_en", "en"))
    }
    columns = {
        "class": np.array([rule.level for rule, _ in parts], np.int32),
        "rule": np.array([rule.number for rule, _ in parts], np.int32),
        **texts,
        "plane_m2": shapely.area(geometry).astype(float),
    }
    vectors.write(path, LAYER, geometry, columns, crs, "Polygon")
    return {rule.id: float(shapely.area(whole)) for rule, whole in found}
