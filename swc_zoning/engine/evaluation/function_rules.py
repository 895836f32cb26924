# SPDX-License-Identifier: GPL-2.0-or-later
"""The rules of function-important areas as data: read and checked, nothing evaluated.

Contract: ``resources/schemas/function_rules.schema.json``; shipped ones in
``resources/evaluation/function_rules``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from swc_zoning.engine import roles, schema
from swc_zoning.engine.evaluation import sets
from swc_zoning.engine.messages import Blocked, SwcError
from swc_zoning.paths import resource

Condition = Mapping[str, Any]


@dataclass(frozen=True)
class Rule:
    """A rule: `number` in rasters (1 is the first), `level` the class it gives (3 or 2; 0 treatment).

    It decides `areas` (role -> tiers, none for all), or cells by the condition `cells`, or regions of such
    cells of at least `patch_least_m2` that touch what the rules `touching` decide.
    """

    number: int
    id: str
    zh: str
    en: str
    level: int
    optional: bool
    areas: Mapping[str, list[str]]
    cells: Condition
    touching: tuple[str, ...]
    patch_least_m2: float

    @property
    def bit(self) -> int:
        """Return its bit in a raster of hits."""
        return 1 << (self.number - 1)


@dataclass(frozen=True)
class Book:
    """A document of rules, in order, with what it says of itself."""

    id: str
    rules: tuple[Rule, ...]
    treatment: tuple[Rule, ...]
    document: Mapping[str, Any]

    def find(self, rule_id: str) -> Rule:
        """Return a rule by its id."""
        return next(rule for rule in self.rules if rule.id == rule_id)

    def by_number(self) -> dict[int, tuple[str, str, str]]:
        """Return (id, zh, en) of each rule by its number; 0 is what no rule decided."""
        rest = self.document["otherwise"]
        named = {rule.number: (rule.id, rule.zh, rule.en) for rule in self.rules}
        return {0: (rest["id"], rest["zh"], rest["en"]), **named}


def names() -> tuple[str, ...]:
    """Return the ids of the shipped documents."""
    return tuple(sorted(path.stem for path in resource("evaluation", "function_rules").glob("*.json")))


def load(source: Path | str) -> Book:
    """Read a document: a file, or the id of a shipped one.

    Raises Blocked with findings ``schema.*``, SwcError ``function_rules.unreadable``,
    ``function_rules.rule``.
    """
    path = resource("evaluation", "function_rules", f"{source}.json") if source in names() else Path(source)
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SwcError("function_rules.unreadable", path=path.name, reason=str(error)) from error
    findings = schema.check_document(document, "function_rules")
    if findings:
        raise Blocked(findings)
    made = Book(document["id"], _rules(document["rules"]), _rules(document["treatment"]), document)
    for rule in (*made.rules, *made.treatment):
        _check(rule, made)
    return made


def _rules(rows: list[Mapping[str, Any]]) -> tuple[Rule, ...]:
    return tuple(_rule(number + 1, row) for number, row in enumerate(rows))


def _rule(number: int, row: Mapping[str, Any]) -> Rule:
    head = number, row["id"], row["zh"], row["en"], row.get("class", 0), row.get("optional", False)
    touching = tuple(row.get("touching", ()))
    return Rule(*head, row.get("areas", {}), row.get("cells", {}), touching, row.get("patch_least_m2", 0.0))


def _check(rule: Rule, book: Book) -> None:
    """Refuse what the schema cannot say; raises SwcError ``function_rules.rule``."""
    others = book.rules if rule.level else book.treatment
    if [one.id for one in others].count(rule.id) > 1:
        raise SwcError("function_rules.rule", rule=rule.id, word=rule.id, known="-")
    if bool(rule.areas) == bool(rule.cells):
        raise SwcError("function_rules.rule", rule=rule.id, word="areas/cells", known="areas | cells")
    known = [one.id for one in book.rules if not one.touching]
    _known(rule, rule.touching, known)
    _known(rule, _kinds(rule.cells), list(sets.default("ecosystems")["kinds"]))
    for role, tiers in rule.areas.items():
        found = roles.find(role)
        _known(rule, tiers, list(found.tier_ids) if found else [])


def _known(rule: Rule, words: Any, known: list[str]) -> None:
    lacking = [word for word in words if word not in known]
    if lacking:
        raise SwcError(
            "function_rules.rule", rule=rule.id, word=", ".join(lacking), known=", ".join(known) or "-"
        )


def _kinds(condition: Condition) -> list[str]:
    inner = [kind for one in condition.get("any", ()) for kind in _kinds(one)]
    return [*condition.get("kinds", ()), *inner]
