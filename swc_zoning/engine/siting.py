# SPDX-License-Identifier: GPL-2.0-or-later
"""What measures ask of a project that chooses a site: grades of the duty to avoid, in words.

The grade of each measure stands with it in the decision table (``siting``, ``bans``); the words for
each grade and kind of project are in ``resources/screening.json``.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from swc_zoning.engine.rules import RuleTable
from swc_zoning.paths import resource

PROJECT, BANNED, FREE = "project", "banned", "free"


@lru_cache(maxsize=1)
def words() -> dict[str, Any]:
    """Return ``resources/screening.json``."""
    return json.loads(resource("screening.json").read_text(encoding="utf-8"))


def kinds() -> dict[str, dict[str, Any]]:
    """Return the kinds of projects by id."""
    return {kind["id"]: kind for kind in words()["kinds"]}


def kind_of(word: str | None) -> str | None:
    """Return the kind a word of the data names, None where it names none; "" is a project."""
    plain = (word or "").strip().lower()
    if not plain:
        return PROJECT
    return next((id_ for id_, kind in kinds().items() if plain in (id_, *kind["words"])), None)


def level_of(measure: Mapping[str, Any], kind: str) -> str:
    """Return the grade of the duty a measure of the table lays on a kind of project."""
    if any(ban["kind"] == kind for ban in measure.get("bans", ())):
        return BANNED
    return measure.get("siting", FREE)


def advice(table: RuleTable, kind: str, areas: Mapping[str, int]) -> list[dict[str, Any]]:
    """Return what is asked of a project of `kind`, the strictest first; never empty.

    `areas`: 0.01 m2 of the project by the measures that hold there. Each answer has the grade, its
    name and text in both languages, the measures that ask it, their basis and the status of the words.
    """
    asked: dict[str, list[str]] = {}
    for measure in areas:
        asked.setdefault(level_of(table.measures[measure], kind), []).append(measure)
    told = [
        _told(table, level, kind, sorted(asked[level["id"]]))
        for level in words()["siting"]
        if level["id"] in asked and level["id"] != FREE
    ]
    free = next(level for level in words()["siting"] if level["id"] == FREE)
    return told or [_told(table, free, kind, [])]


def _told(table: RuleTable, level: Mapping[str, Any], kind: str, measures: list[str]) -> dict[str, Any]:
    text = level["text"].get(kind, level["text"]["*"])
    return {
        "siting": level["id"],
        "name_zh": level["name_zh"],
        "name_en": level["name_en"],
        "text_zh": text["zh"],
        "text_en": text["en"],
        "measures": measures,
        "basis": articles(table, measures),
        "status": level["status"],
    }


def articles(table: RuleTable, measures: Iterable[str]) -> list[str]:
    """Return the articles in force that measures rest on."""
    return sorted({text for measure in measures for text in table.basis(table.measures[measure])})


def banning(table: RuleTable, kind: str, measures: Iterable[str]) -> dict[str, str]:
    """Return status by measure of those that keep sites of `kind` out."""
    return {
        measure: ban["status"]
        for measure in measures
        if measure in table.measures
        for ban in table.measures[measure].get("bans", ())
        if ban["kind"] == kind
    }
