# SPDX-License-Identifier: GPL-2.0-or-later
"""The proof that a chapter's numbers are those of the result: text against ledger, ledger against SQL.

A *digit run* is a number as printed (``1,234.50``, ``2035``, ``61`` of ``61(1)``). Each must stand in a text
of the ledger, or match the short whitelist (``resources/chapter/whitelist.json``), which says why.
"""

from __future__ import annotations

import json
import math
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from swc_zoning.engine.chapter.figures import queries
from swc_zoning.engine.geopackage import opened
from swc_zoning.paths import resource

_RUN = re.compile(r"\d+(?:[.,]\d+)*")
_PER_UNIT = {"m2": 1.0, "ha": 1e4, "km2": 1e6, "mu": 2000 / 3}


def runs(text: str) -> list[str]:
    """Return the digit runs of a text, full-width digits as plain ones."""
    return _RUN.findall(unicodedata.normalize("NFKC", text))


@lru_cache(maxsize=1)
def whitelist() -> list[tuple[re.Pattern[str], str]]:
    """Return (pattern, why) of what may stand in a text without being a figure."""
    document = json.loads(resource("chapter", "whitelist.json").read_text(encoding="utf-8"))
    return [(re.compile(row["pattern"]), row["why"]) for row in document["allowed"]]


def unresolved(texts: Iterable[str], said: Iterable[Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    """Yield (run, text) of the digit runs that neither the ledger `said` nor the whitelist knows."""
    known = {run for entry in said for run in runs(str(entry["text"]))}
    for text in texts:
        plain = unicodedata.normalize("NFKC", text)
        for pattern, _ in whitelist():
            plain = pattern.sub(" ", plain)
        for run in runs(plain):
            if run not in known:
                yield run, text


def differing(said: Iterable[Mapping[str, Any]], zoning: Path) -> Iterator[tuple[Mapping[str, Any], Any]]:
    """Yield the entries of a ledger that are not what their query gives on ``zoning.gpkg``, with that.

    A printed area may be one step of its last digit off its own rounding, as levelling made it, for
    each row that it is the sum of; nothing else may. Entries of other sources than queries are not
    asked for. Raises SwcError ``geopackage.unreadable``.
    """
    with opened(zoning) as connection:
        answers: dict[str, list[Any]] = {}
        for entry in said:
            query = queries().get(entry["query"])
            if query is None:
                continue
            if query.id not in answers:
                answers[query.id] = connection.execute(query.sql).fetchall()
            rows = [row for row in answers[query.id] if _named(row, query.keys, entry["key"])]
            found = _found(rows, entry, answers[query.id])
            if not _agrees(entry, found, len(rows)):
                yield entry, found


def _named(row: Any, names: Sequence[str], key: Sequence[Any]) -> bool:
    return len(names) == len(key) and all(
        part is None or (row[name] in part if isinstance(part, (list, frozenset)) else row[name] == part)
        for name, part in zip(names, key)
    )


def _found(rows: Sequence[Any], entry: Mapping[str, Any], everything: Sequence[Any]) -> Any:
    """Return what the query has for an entry: a text, a number, or a share in percent."""
    if rows and entry["column"] not in rows[0].keys():  # noqa: SIM118 - a row is no mapping
        return None
    values = [row[entry["column"]] for row in rows]
    if not entry["unit"]:
        return values[0] if values else None
    total = math.fsum(values)
    if "within" not in entry:
        return total
    names = entry["within"]
    alike = {tuple(row[name] for name in names) for row in rows}
    whole = [row[entry["column"]] for row in everything if tuple(row[name] for name in names) in alike]
    return 100.0 * total / math.fsum(whole) if whole else 0.0


def _agrees(entry: Mapping[str, Any], found: Any, rows: int) -> bool:
    if found is None:
        return False
    if not entry["unit"]:
        return str(entry["text"]) == str(found)
    shown = float(str(entry["text"]).replace(",", ""))
    value = found / _PER_UNIT.get(entry["unit"], 1.0)
    step = 10.0 ** -entry["decimals"]
    is_share = "within" in entry
    raw_agrees = is_share or math.isclose(entry["value"], found, rel_tol=1e-12, abs_tol=0.005)
    levelled = is_share or entry["unit"] in _PER_UNIT
    return raw_agrees and abs(shown - value) <= (step * max(rows, 1) if levelled else step * 0.5) * (1 + 1e-6)
