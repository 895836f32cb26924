# SPDX-License-Identifier: GPL-2.0-or-later
"""Chains of algorithms: what one of them makes is what the next one takes.

One declaration, ``resources/evaluation/chains.json``, serves the command line and the models of the toolbox.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from swc_zoning.engine.evaluation import declared
from swc_zoning.engine.evaluation.declared import Algorithm, Made, Parameter
from swc_zoning.paths import resource


@dataclass(frozen=True)
class Source:
    """Where a step takes a value from: a parameter of the chain, an output of a step before, or `value`."""

    parameter: str = ""
    step: str = ""
    output: str = ""
    value: Any = None


@dataclass(frozen=True)
class Step:
    """One algorithm of a chain; `given` by parameter of the algorithm, several sources make a list."""

    id: str
    algorithm: str
    zh: str
    en: str
    given: Mapping[str, tuple[Source, ...]]


@dataclass(frozen=True)
class Chain:
    """A chain: to the user an algorithm; `kept` says of each of its outputs which step makes it as what."""

    algorithm: Algorithm
    steps: tuple[Step, ...]
    kept: Mapping[str, tuple[str, str]]


def chains() -> dict[str, Chain]:
    """Return every chain by name."""
    return dict(_chains())


def find(name: str) -> Algorithm:
    """Return an algorithm or a chain; raises SwcError ``evaluation.algorithm_unknown``."""
    found = _chains().get(name)
    return declared.find(name) if found is None else found.algorithm


@lru_cache(maxsize=1)
def _chains() -> dict[str, Chain]:
    rows = json.loads(resource("evaluation", "chains.json").read_text(encoding="utf-8"))["chains"]
    return {row["name"]: chain(row) for row in rows}


def chain(row: Mapping[str, Any]) -> Chain:
    """Return the chain of a declaration."""
    steps = tuple(map(_step, row["steps"]))
    algorithms = {step.id: declared.algorithms()[step.algorithm] for step in steps}
    heads = [row[key] for key in ("name", "name_zh", "name_en", "help_zh", "help_en")]
    parameters = tuple(_parameter(one, algorithms) for one in row["parameters"])
    outputs = tuple(_output(one, algorithms) for one in row["outputs"])
    kept = {one["name"]: (one["step"], one["output"]) for one in row["outputs"]}
    return Chain(Algorithm(*heads, parameters, outputs), steps, kept)


def _step(row: Mapping[str, Any]) -> Step:
    given = {name: tuple(map(_source, _listed(one))) for name, one in row["given"].items()}
    return Step(row["id"], row["algorithm"], row["zh"], row["en"], given)


def _listed(given: Any) -> list[Any]:
    return given if isinstance(given, list) else [given]


def _source(row: Mapping[str, Any]) -> Source:
    if "parameter" in row:
        return Source(parameter=row["parameter"])
    if "step" in row:
        return Source(step=row["step"], output=row["output"])
    return Source(value=row["value"])


def _parameter(row: Mapping[str, Any], algorithms: Mapping[str, Algorithm]) -> Parameter:
    """Return a parameter of a chain: that of a step it goes to, with what the chain says otherwise."""
    step, name = row["like"]
    facts = next(one.facts for one in algorithms[step].parameters if one.name == name)
    own = {key: value for key, value in row.items() if key != "like"}
    return declared.parameter({**facts, "required": False, **own})


def _output(row: Mapping[str, Any], algorithms: Mapping[str, Algorithm]) -> Made:
    made = next(one for one in algorithms[row["step"]].outputs if one.name == row["output"])
    own = {key: row.get(key, getattr(made, key)) for key in ("file", "zh", "en")}
    return Made(row["name"], own["file"], made.kind, own["zh"], own["en"], made.unit, made.role, made.legend)
