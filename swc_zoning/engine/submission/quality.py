# SPDX-License-Identifier: GPL-2.0-or-later
"""The quality check: rules declared as data, one small checker each, flaws with place, reason and fix.

``resources/quality.json`` declares id, severity, tolerances, titles, basis and what a rule needs; checkers in
the modules ``checks_*`` register themselves. A rule that lacks what it needs is *not checked*, never passed.
This module needs the standard library alone.
"""

from __future__ import annotations

import importlib
import json
import pkgutil
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from dataclasses import field as default
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Union

from swc_zoning.engine import submission
from swc_zoning.engine.messages import SwcError, catalogue, sentence
from swc_zoning.engine.progress import Progress
from swc_zoning.paths import resource

if TYPE_CHECKING:
    from swc_zoning.engine.submission.opening import Package

SEVERITIES = ("E", "W", "I")
#: Case of a flaw of any rule: its checker could not go on.
_FAILED = "failed"
#: Flaws of one rule that are kept one by one; further ones are counted.
MOST = 5000


@dataclass(frozen=True)
class Rule:
    """A declared rule; `severity` is that of a flaw that names none.

    `needs`: what must be there, else it is not checked: "full" (no public edition), "data" (any data
    set), "main" (one that can be read), "sums", "layer:NAME", "meta:ITEM" (an item that ends with a
    colon: any that begins so), "profile:ID". `room` holds its sentences.
    """

    id: str
    severity: str
    room: str
    title_zh: str
    title_en: str
    basis_zh: str
    basis_en: str
    grade: str
    tolerances: Mapping[str, float]
    needs: tuple[str, ...]

    def title(self, lang: str) -> str:
        """Return its title in "zh" or "en"."""
        return self.title_zh if lang == "zh" else self.title_en

    def basis(self, lang: str) -> str:
        """Return what it is based on in "zh" or "en"."""
        return self.basis_zh if lang == "zh" else self.basis_en

    def number(self, name: str) -> float:
        """Return a tolerance or threshold by name."""
        return self.tolerances[name]

    def flaw(self, **said: Any) -> Flaw:
        """Return a flaw of this rule: fields of `Flaw` by name, all else are facts of its sentence."""
        fields = {name: said.pop(name) for name in _SAYABLE if name in said}
        fields["severity"] = fields.get("severity") or self.severity
        return Flaw(code=self.id, room=self.room, facts=said, **fields)


@dataclass(frozen=True)
class Flaw:
    """Something wrong in a package.

    `place` is (longitude, latitude) in EPSG:4490 inside the flaw; `measure` a number in `unit`; `file` a path
    inside the package; `key` the group it is accepted with; `accepted` the reason if it is.
    """

    code: str
    severity: str
    room: str = "quality"
    case: str = ""
    layer: str = ""
    bsm: str = ""
    field: str = ""
    place: tuple[float, float] | None = None
    measure: float | None = None
    unit: str = ""
    facts: Mapping[str, Any] = default(default_factory=dict)
    file: str = ""
    key: str = ""
    accepted: str = ""

    def sentence(self, lang: str = "zh") -> str:
        """Return what is wrong and why, in "zh" or "en"."""
        return sentence(_code(self.room, self.code, self.case), self._told(), lang)

    def fix(self, lang: str = "zh") -> str:
        """Return what to do about it, in "zh" or "en"."""
        own = f"{_code(self.room, self.code, self.case)}_fix"
        code = own if own in catalogue() else f"{self.room}.{self.code}_fix"
        return sentence(code, self._told(), lang)

    def _told(self) -> dict[str, Any]:
        measure = "" if self.measure is None else f"{self.measure:,.4f}".rstrip("0").rstrip(".")
        own = {"layer": self.layer, "bsm": self.bsm, "field": self.field, "file": self.file}
        return {**own, "measure": measure, "unit": self.unit, **self.facts}

    def as_json(self, lang: str = "zh") -> dict[str, Any]:
        """Return this flaw as plain data."""
        names = ("code", "severity", "case", "layer", "bsm", "field", "measure", "unit", "file", "key")
        told = {name: getattr(self, name) for name in names}
        place = list(self.place) if self.place else None
        words = {"title": rules()[self.code].title(lang), "text": self.sentence(lang), "fix": self.fix(lang)}
        return {**told, "place": place, "facts": dict(self.facts), "accepted": self.accepted, **words}


#: What `Rule.flaw` takes as fields of a flaw.
_SAYABLE = ("severity", "case", "layer", "bsm", "field", "place", "measure", "unit", "file", "key")


@dataclass(frozen=True)
class Unchecked:
    """What a rule could not judge: `why` is a code of ``quality.why_*``; `part`: the rest of the rule ran."""

    why: str
    facts: Mapping[str, Any] = default(default_factory=dict)
    part: bool = False
    rule: str = ""

    def sentence(self, lang: str = "zh") -> str:
        """Return why, in "zh" or "en"."""
        return sentence(f"quality.why_{self.why}", dict(self.facts), lang)

    def as_json(self, lang: str = "zh") -> dict[str, Any]:
        """Return this as plain data."""
        told = {"code": self.rule, "title": rules()[self.rule].title(lang)}
        return {
            **told,
            "why": self.why,
            "part": self.part,
            "facts": dict(self.facts),
            "text": self.sentence(lang),
        }


Said = Union[Flaw, Unchecked]
Checker = Callable[["Package", Rule], Iterator[Said]]
_CHECKERS: dict[str, Checker] = {}


@dataclass(frozen=True)
class Report:
    """What a check found. `more`: rule -> flaws beyond `MOST` that were only counted."""

    flaws: tuple[Flaw, ...]
    not_checked: tuple[Unchecked, ...]
    ran: tuple[str, ...]
    more: Mapping[str, int] = default(default_factory=dict)

    def errors(self) -> list[Flaw]:
        """Return what blocks a package."""
        return [flaw for flaw in self.flaws if flaw.severity == "E"]

    def warnings(self) -> list[Flaw]:
        """Return the warnings that nobody has accepted yet."""
        return [flaw for flaw in self.flaws if flaw.severity == "W" and not flaw.accepted]

    def accepted(self) -> list[Flaw]:
        """Return the warnings that are accepted with a reason."""
        return [flaw for flaw in self.flaws if flaw.accepted]

    def counts(self) -> dict[str, int]:
        """Return how many flaws of each severity there are, and how many are accepted."""
        found = {severity: sum(flaw.severity == severity for flaw in self.flaws) for severity in SEVERITIES}
        return {**found, "accepted": len(self.accepted()), "more": sum(self.more.values())}

    def as_json(self, lang: str = "zh") -> dict[str, Any]:
        """Return the report as plain data."""
        return {
            "clean": not self.errors(),
            "counts": self.counts(),
            "ran": list(self.ran),
            "flaws": [flaw.as_json(lang) for flaw in self.flaws],
            "more": dict(self.more),
            "not_checked": [one.as_json(lang) for one in self.not_checked],
            "human_only": [row[lang] for row in human_only()],
            "statement": sentence("quality.statement", {}, lang),
        }


@lru_cache(maxsize=1)
def _document() -> Mapping[str, Any]:
    return json.loads(resource("quality.json").read_text(encoding="utf-8"))


@lru_cache(maxsize=1)
def rules() -> Mapping[str, Rule]:
    """Return the declared rules by id, in their order."""
    return {row["id"]: _rule(row) for row in _document()["rules"]}


def human_only() -> list[Mapping[str, str]]:
    """Return what no rule checks and a person must, {zh, en} each."""
    return list(_document()["human_only"])


def _rule(row: Mapping[str, Any]) -> Rule:
    texts = {name: row[name] for name in ("title_zh", "title_en", "basis_zh", "basis_en", "grade")}
    room = row.get("room", "quality")
    tolerances, needs = row.get("tolerances", {}), tuple(row.get("needs", ("main",)))
    return Rule(row["id"], row["severity"], room, tolerances=tolerances, needs=needs, **texts)


def checker(id_: str) -> Callable[[Checker], Checker]:
    """Register a function as the checker of the rule `id_`."""

    def taken(function: Checker) -> Checker:
        _CHECKERS[id_] = function
        return function

    return taken


def checkers() -> Mapping[str, Checker]:
    """Return the checkers by id, those of all modules ``checks_*``."""
    for found in pkgutil.iter_modules(submission.__path__):
        if found.name.startswith("checks_"):
            importlib.import_module(f"{submission.__name__}.{found.name}")
    return _CHECKERS


def check(
    package: Package,
    accept: Iterable[Any] = (),
    progress: Progress | None = None,
    only: Iterable[str] | None = None,
) -> Report:
    """Run the rules (`only` these ids, default all) on an opened package; `accept` are acceptances.

    An acceptance has code, layer, key and reason: layer "" is any, key "" all of the rule, else a BSM or
    the key of a group. Errors are never accepted. `progress` is advanced from 0 to 1 in its current step.
    """
    known, accept = checkers(), tuple(accept)
    wanted = [rule for rule in rules().values() if only is None or rule.id in set(only)]
    flaws: list[Flaw] = []
    unchecked: list[Unchecked] = []
    count: Counter[str] = Counter()
    for number, rule in enumerate(wanted):
        if progress:
            progress.advance(number / len(wanted))
        for said in _said(package, rule, known):
            if isinstance(said, Unchecked):
                unchecked.append(replace(said, rule=rule.id))
                continue
            count[rule.id] += 1
            if count[rule.id] <= MOST:
                flaws.append(_accepted(said, accept))
    skipped = {one.rule for one in unchecked if not one.part}
    ran = tuple(rule.id for rule in wanted if rule.id not in skipped)
    return Report(
        tuple(flaws), tuple(unchecked), ran, {id_: n - MOST for id_, n in count.items() if n > MOST}
    )


def _said(package: Package, rule: Rule, known: Mapping[str, Checker]) -> Iterator[Said]:
    """Yield what the checker of a rule says, or why it cannot say anything."""
    lacking = _lacking(package, rule)
    if rule.id not in known:
        yield Unchecked("no_checker")
    elif lacking:
        yield lacking
    else:
        yield from _tried(package, rule, known[rule.id])


def _tried(package: Package, rule: Rule, check_one: Checker) -> Iterator[Said]:
    """Yield what a checker says; data it fails on are an error, since what was not checked has not passed."""
    from shapely.errors import ShapelyError  # only where data are read

    try:
        yield from check_one(package, rule)
    except SwcError as error:
        yield _failed(rule, error.sentence("en"))
    except (ShapelyError, ArithmeticError, LookupError, TypeError, ValueError) as error:
        yield _failed(rule, f"{type(error).__name__}: {error}")


def _failed(rule: Rule, reason: str) -> Flaw:
    return replace(rule.flaw(case=_FAILED, severity="E", reason=reason[:300]), room="quality")


def _lacking(package: Package, rule: Rule) -> Unchecked | None:
    """Return the first thing a rule needs that the package has not."""
    for need in rule.needs:
        kind, _, name = need.partition(":")
        if kind == "full" and package.is_public:
            return Unchecked("public_edition")
        if kind == "data" and not package.data_sets:
            return Unchecked("no_data")
        if kind == "main" and package.main is None:
            return Unchecked("no_data")
        if kind == "sums" and not package.has_sums:
            return Unchecked("no_sums")
        if kind == "layer" and package.found(name) is None:
            return Unchecked("no_layer", {"layer": name})
        if kind == "meta" and not package.has_meta(name):
            return Unchecked("no_meta", {"item": name})
        if kind == "profile" and package.profile != name:
            return Unchecked("other_profile", {"profile": name})
    return None


def _accepted(flaw: Flaw, accept: tuple[Any, ...]) -> Flaw:
    """Return a flaw with the reason it is accepted for; only warnings can be."""
    if flaw.severity != "W":
        return flaw
    for one in accept:
        named = one.key in ("", flaw.key, flaw.bsm)
        if one.code == flaw.code and one.layer in ("", flaw.layer) and named:
            return replace(flaw, accepted=one.reason)
    return flaw


def _code(room: str, code: str, case: str) -> str:
    if case == _FAILED:
        return "quality.failed"
    return f"{room}.{code}_{case}" if case else f"{room}.{code}"
