# SPDX-License-Identifier: GPL-2.0-or-later
"""Rules by which units become key areas: data, read and judged. Pure Python.

A threshold may be empty and an indicator may lack a value: then a condition is neither met nor not met,
and a rule that hangs on it decides nothing (three-valued logic after Kleene).
"""

from __future__ import annotations

import json
import math
import operator
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from swc_zoning.engine import schema
from swc_zoning.engine.evaluation import sets
from swc_zoning.engine.evaluation.sets import ParameterSet
from swc_zoning.engine.messages import Blocked, SwcError

#: Levels of key areas, the highest first; they are the tiers of both roles.
LEVELS = ("national", "provincial", "municipal", "county")
KINDS = ("prevention", "treatment")
_COMPARE = {">=": operator.ge, ">": operator.gt, "<=": operator.le, "<": operator.lt}
_SCHEMA = "key_rules"


@dataclass(frozen=True)
class Condition:
    """An indicator against a threshold; `value` None where none was filled in."""

    indicator: str
    op: str
    value: float | None

    def holds(self, found: float | None) -> bool | None:
        """Return whether it is met, None where that cannot be told."""
        if self.value is None or found is None or math.isnan(found):
            return None
        return _COMPARE[self.op](found, self.value)


@dataclass(frozen=True)
class Rule:
    """A unit that meets all of `all` and one of `any` (where there are some) is of `kind` and `level`."""

    id: str
    kind: str
    level: str
    zh: str
    en: str
    all: tuple[Condition, ...]
    any: tuple[Condition, ...]

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """Return all conditions."""
        return (*self.all, *self.any)

    @property
    def is_open(self) -> bool:
        """Return whether a threshold is empty."""
        return any(one.value is None for one in self.conditions)

    def holds(self, values: Mapping[str, float | None]) -> bool | None:
        """Return whether a unit with these indicators meets the rule, None where that cannot be told."""
        one, other = (
            [condition.holds(values.get(condition.indicator)) for condition in part]
            for part in (self.all, self.any)
        )
        return _every([*one, _some(other)] if other else one)

    def lacking(self, values: Mapping[str, float | None]) -> set[str]:
        """Return the indicators that have no value."""
        return {one.indicator for one in self.conditions if _is_none(values.get(one.indicator))}


@dataclass(frozen=True)
class RuleBook:
    """Rules and where they are from."""

    source: ParameterSet
    rules: tuple[Rule, ...]

    def as_json(self) -> dict[str, Any]:
        """Return the document that `read` reads."""
        one = self.source
        head = {"id": one.id, "name_zh": one.name_zh, "name_en": one.name_en, "source": one.source}
        status = "verified" if one.verified else "unverified"
        return {**head, "article": one.article, "status": status, "rules": one["rules"]}

    @property
    def open_rules(self) -> tuple[Rule, ...]:
        """Return the rules with an empty threshold."""
        return tuple(rule for rule in self.rules if rule.is_open)


def shipped(name: str) -> RuleBook:
    """Return the rules of a parameter set ``key_rules``."""
    found = sets.load("key_rules", name)
    return RuleBook(found, _rules(found["rules"]))


def read(path: Path) -> RuleBook:
    """Read rules from a file; raises Blocked ``schema.*``, SwcError ``keyareas.rules_unreadable``."""
    try:
        document = json.loads(path.read_text(encoding="utf-8-sig"))
    except ValueError as error:
        raise SwcError("keyareas.rules_unreadable", path=path.name, reason=str(error)) from error
    findings = schema.check_document(document, _SCHEMA)
    if findings:
        raise Blocked(findings)
    rules = _rules(document["rules"])
    ids = [rule.id for rule in rules]
    twice = sorted({one for one in ids if ids.count(one) > 1})
    if twice:
        raise SwcError("keyareas.rules_unreadable", path=path.name, reason=", ".join(twice))
    head = [document[key] for key in ("id", "name_zh", "name_en", "source", "article")]
    verified = document["status"] == "verified"
    return RuleBook(ParameterSet("key_rules", *head, verified, {"rules": document["rules"]}), rules)


@dataclass(frozen=True)
class Verdict:
    """What the rules say of a unit: the rule that decided (None: none), the other side's, what is open.

    `other` is the rule of the other kind that was met too; `undecided` are filled-in rules of which it
    cannot be told whether they are met, as an indicator has no value.
    """

    rule: Rule | None
    other: Rule | None
    undecided: tuple[Rule, ...]


def judge(book: RuleBook, values: Mapping[str, float | None], conflict: str) -> Verdict:
    """Return the verdict on a unit: of each kind the highest level that is met, and one kind only.

    Of both kinds the higher level stays; at one level `conflict` decides: "treatment", "prevention" or
    "neither".
    """
    met = {kind: _highest(book.rules, kind, values) for kind in KINDS}
    undecided = tuple(rule for rule in book.rules if not rule.is_open and rule.holds(values) is None)
    found = [rule for rule in met.values() if rule is not None]
    if len(found) < 2:
        return Verdict(found[0] if found else None, None, undecided)
    chosen = _of_two(found, conflict)
    if chosen is None:
        return Verdict(None, found[0], undecided)
    return Verdict(chosen, next(rule for rule in found if rule is not chosen), undecided)


def _of_two(found: Sequence[Rule], conflict: str) -> Rule | None:
    first, second = sorted(found, key=lambda rule: LEVELS.index(rule.level))
    if first.level != second.level:
        return first
    return next((rule for rule in found if rule.kind == conflict), None)


def _highest(rules: Iterable[Rule], kind: str, values: Mapping[str, float | None]) -> Rule | None:
    met = [rule for rule in rules if rule.kind == kind and rule.holds(values)]
    return min(met, key=lambda rule: LEVELS.index(rule.level), default=None)


def _rules(rows: Iterable[Mapping[str, Any]]) -> tuple[Rule, ...]:
    return tuple(_rule(row) for row in rows)


def _rule(row: Mapping[str, Any]) -> Rule:
    parts = [tuple(map(_condition, row.get(part, ()))) for part in ("all", "any")]
    return Rule(*(row[key] for key in ("id", "kind", "level", "zh", "en")), *parts)


def _condition(row: Mapping[str, Any]) -> Condition:
    return Condition(row["indicator"], row["op"], row["value"])


def _every(found: Sequence[bool | None]) -> bool | None:
    if False in found:
        return False
    return None if None in found else True


def _some(found: Sequence[bool | None]) -> bool | None:
    if True in found:
        return True
    return None if None in found else False


def _is_none(value: float | None) -> bool:
    return value is None or math.isnan(value)
