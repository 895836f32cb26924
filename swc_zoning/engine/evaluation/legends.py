# SPDX-License-Identifier: GPL-2.0-or-later
"""Legends of what the evaluation makes: colours and words of classes, rules and patches, as data.

``resources/evaluation/legends.json``; needs the standard library alone.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from swc_zoning.engine import styles
from swc_zoning.paths import resource


@dataclass(frozen=True)
class Entry:
    """A value of a raster, its colour (#rrggbb) and what it is called."""

    value: int
    fill: str
    label: str


def ids() -> tuple[str, ...]:
    """Return the ids of all legends."""
    return tuple(_document()["legends"])


def ramp() -> list[str]:
    """Return the colours of values without classes, from the least to the greatest."""
    return list(_document()["ramp"]["colours"])


def is_of_patches(legend: str) -> bool:
    """Return whether a legend is one of polygons."""
    return "tiers" in _legend(legend)


def classes(legend: str, lang: str) -> list[Entry]:
    """Return the classes a legend has of its own, none where they depend on the data."""
    return [Entry(one["value"], one["fill"], one[lang]) for one in _legend(legend).get("classes", ())]


def of_values(legend: str, names: Mapping[int, str], lang: str) -> list[Entry]:
    """Return an entry for each number with a name ("" for none), where a legend depends on the data."""
    fills, label = _legend(legend).get("fills", ()), _legend(legend).get(f"label_{lang}", "")
    if not fills:
        return []
    return [
        Entry(number, fills[(number - 1) % len(fills)], name or label.format(number=number))
        for number, name in names.items()
    ]


def rule_names(record: Path, lang: str) -> dict[int, str]:
    """Return the sentence of each rule by its number, as the record of a run has them; {} for none."""
    facts = json.loads(record.read_text(encoding="utf-8")).get("facts", {})
    rules = facts.get("rules")
    listed = rules.get("rules", []) if isinstance(rules, dict) else []
    return {number: f"{one['id']}: {one[lang]}" for number, one in enumerate(listed, start=1)}


def patch_fields(legend: str, lang: str) -> tuple[str, str, str]:
    """Return the fields of tier, rule and name of the rule."""
    rule = _legend(legend)["rule_field"]
    return _legend(legend)["tier_field"], rule, f"{rule}_{lang}"


def patches_qml(legend: str, found: Iterable[tuple[str, str, str]], lang: str) -> str:
    """Return the style of patches: the colour is the tier, the hatch the rule that decided.

    `found`: (tier, rule, name of the rule) as they occur.
    """
    said, rules = _legend(legend), []
    swatches = []
    for tier, rule, name in sorted(set(found), key=lambda one: _order(said, one)):
        rules += [] if rule in rules else [rule]
        hatch = said["hatches"][rules.index(rule) % len(said["hatches"])]
        entry = said["tiers"].get(tier, {"fill": "#c8c8c8", "line": "#555555", "zh": tier, "en": tier})
        label = " · ".join(filter(None, (entry[lang], name or rule)))
        look = {"fill": entry["fill"], "line": entry["line"], "hatch": hatch, "width": "0.2"}
        swatches.append(styles.Swatch(f"{tier}|{rule}", label, look))
    tier_field, rule_field, _ = patch_fields(legend, lang)
    value = f"coalesce(\"{tier_field}\", '') || '|' || coalesce(\"{rule_field}\", '')"
    return styles.sheet_qml(value, swatches)


def _order(said: Mapping[str, Any], found: tuple[str, str, str]) -> tuple[int, str]:
    """Return where patches stand in the legend: by tier as it is listed, then by rule."""
    tiers = list(said["tiers"])
    return (tiers.index(found[0]) if found[0] in tiers else len(tiers)), found[1]


def _legend(legend: str) -> Mapping[str, Any]:
    return _document()["legends"].get(legend, {})


@lru_cache(maxsize=1)
def _document() -> dict[str, Any]:
    return json.loads(resource("evaluation", "legends.json").read_text(encoding="utf-8"))
