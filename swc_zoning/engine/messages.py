# SPDX-License-Identifier: GPL-2.0-or-later
"""Findings and errors: a code with facts; their sentence lives in ``resources/messages``.

Each file there belongs to one room and maps ``room.fact`` to ``{severity, zh, en}``;
both sentences use the same placeholders.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from swc_zoning.paths import resource

SEVERITIES = ("error", "warning", "info")
LANGUAGES = ("zh", "en")


@lru_cache(maxsize=1)
def catalogue() -> dict[str, dict[str, str]]:
    """Return every message by code, from all files of ``resources/messages``."""
    messages: dict[str, dict[str, str]] = {}
    for path in sorted(resource("messages").glob("*.json")):
        messages.update(json.loads(path.read_text(encoding="utf-8")))
    return messages


def sentence(code: str, facts: dict[str, Any], lang: str = "zh") -> str:
    """Return the sentence of `code` in `lang` ("zh" or "en") with `facts` filled in."""
    return catalogue()[code][lang].format(**facts)


@dataclass(frozen=True)
class Fix:
    """A change of the job that settles a finding: the data stay as they are, a copy is read otherwise.

    `entry` numbers the job's layers, None is the extent; `change` holds the keys of that entry to set.
    A `sure` fix has its proof in the facts of the finding; others are choices for the user.
    """

    entry: int | None
    change: dict[str, Any]
    sure: bool = False

    def sentence(self, lang: str = "zh") -> str:
        """Return what this fix does, in words."""
        said = [_change_in_words(key, value, lang) for key, value in _changes(self.change)]
        return ("；" if lang == "zh" else "; ").join(said)

    def as_json(self, lang: str = "zh") -> dict[str, Any]:
        """Return this fix as plain data, with its sentence."""
        told = {"entry": self.entry, "change": self.change, "sure": self.sure}
        return {**told, "sentence": self.sentence(lang)}


def _changes(change: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield (key, value) of a change of a job, the parts of a tier on their own."""
    for key, value in change.items():
        if key == "tier" and isinstance(value, dict):
            yield from ((f"tier_{part}", said) for part, said in value.items())
        else:
            yield key, value


def _change_in_words(key: str, value: Any, lang: str) -> str:
    shown = json.dumps(value, ensure_ascii=False) if isinstance(value, (dict, list)) else value
    code = f"fix.{key}" if f"fix.{key}" in catalogue() else "fix.other"
    return sentence(code, {"key": key, "value": shown}, lang)


@dataclass(frozen=True)
class Finding:
    """Something a user should know, with where and how much, and the ways to settle it.

    `place` is (east, north) in the working CRS; `measure_m2` an area where one applies.
    """

    code: str
    facts: dict[str, Any] = field(default_factory=dict)
    layer: str = ""
    place: tuple[float, float] | None = None
    measure_m2: float | None = None
    fixes: tuple[Fix, ...] = ()

    @property
    def severity(self) -> str:
        """Return "error", "warning" or "info" as the catalogue says."""
        return catalogue()[self.code]["severity"]

    def sentence(self, lang: str = "zh") -> str:
        """Return this finding as a sentence."""
        return sentence(self.code, self.facts, lang)

    def as_json(self, lang: str = "zh") -> dict[str, Any]:
        """Return this finding as plain data for ``summary.json`` and progress lines."""
        return {
            "code": self.code,
            "severity": self.severity,
            "layer": self.layer,
            "place": list(self.place) if self.place else None,
            "measure_m2": self.measure_m2,
            "facts": self.facts,
            "fixes": [fix.as_json(lang) for fix in self.fixes],
            "text": self.sentence(lang),
        }


class SwcError(Exception):
    """An error with a code of the catalogue and facts; prints as its sentence."""

    def __init__(self, code: str, **facts: Any) -> None:
        super().__init__(code, facts)
        self.code = code
        self.facts = facts

    def __reduce__(self) -> tuple[Any, ...]:
        """Return how to make this error again: one that a worker raises must reach its parent whole."""
        return _remade, (type(self), self.args, self.__dict__)

    def sentence(self, lang: str = "zh") -> str:
        """Return this error as a sentence."""
        return sentence(self.code, self.facts, lang)

    def __str__(self) -> str:
        return f"{self.code}: {self.sentence('en')}"


def _remade(kind: type[SwcError], arguments: tuple[Any, ...], state: dict[str, Any]) -> SwcError:
    error = kind.__new__(kind, *arguments)
    error.__dict__.update(state)
    return error


class Blocked(SwcError):
    """Findings of severity error stop the run; `findings` holds all findings."""

    def __init__(self, findings: list[Finding]) -> None:
        errors = [f for f in findings if f.severity == "error"]
        super().__init__("run.blocked", count=len(errors))
        self.findings = findings


class InvariantViolated(SwcError):
    """A result is not what it must be; `invariant` names the rule, `place` where (east, north)."""

    def __init__(self, invariant: str, place: tuple[float, float] | None, **facts: Any) -> None:
        super().__init__(f"invariant.{invariant}", place=place, **facts)
        self.invariant = invariant
        self.place = place


class Cancelled(SwcError):
    """The user stopped the run."""

    def __init__(self) -> None:
        super().__init__("run.cancelled")
