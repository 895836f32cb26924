# SPDX-License-Identifier: GPL-2.0-or-later
"""The figures of a chapter: every number of text, tables and legends from one query on ``zoning.gpkg``.

Queries are data (``resources/chapter/queries.json``) and run as they stand on the GeoPackage of a result.
What is said of a figure is kept in a ledger: the text, the query, the key, the value. Areas of queries
that exclude one another are printed so that columns add up; those of features are rounded one by one.
Only the standard library is imported, so that legends inside QGIS can say figures too.
"""

from __future__ import annotations

import json
import math
import re
import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from swc_zoning.engine import explain, reports, roles, rule_words, targets
from swc_zoning.engine.chapter import display
from swc_zoning.engine.evaluation import records
from swc_zoning.engine.geopackage import opened
from swc_zoning.engine.messages import SwcError, sentence
from swc_zoning.engine.rules import RuleTable
from swc_zoning.engine.submission.order import Order
from swc_zoning.paths import resource

SCHEMA = 1
EXCLUSIVE, FEATURES = "exclusive", "features"
GIVEN, EMPTY, UNUSED, MISSING = "given", "empty", "unused", "missing"

#: Copies of the columns that queries ask for, without geometry. They stand in the temporary schema, in
#: memory, where SQLite looks first: the queries stay as they are, and the result is not written to.
_COPIES = (
    "CREATE TEMP TABLE pieces AS SELECT piece_id, district_code, district_name, land, zone, status, measures,"
    " grade, force, conflicts, area_m2 FROM main.pieces",
    "CREATE INDEX temp.piece_by_id ON pieces (piece_id, area_m2, land, status)",
    "CREATE TEMP TABLE piece_sources AS SELECT piece_id, input, role, source_id, name, tier"
    " FROM main.piece_sources",
    "CREATE INDEX temp.source_by_role ON piece_sources (role, tier, piece_id)",
    "CREATE INDEX temp.source_by_input ON piece_sources (input, piece_id)",
)

#: What evaluations say of source features; results from before they were kept have no such table.
_EVALUATED = "input, source_id, class, method, method_zh, method_en, rule, rule_zh, rule_en"

_BRACKETS = re.compile(r"(?<=[\u4e00-\u9fff])\(([^()]*[\u4e00-\u9fff][^()]*)\)")

#: One value of a key: itself, any of a set, or None for all.
Part = Any
Key = tuple[Part, ...]


@dataclass(frozen=True)
class Query:
    """A query: `keys` name a row of it, `values` are columns with their kind, `facts` columns of text.

    `kind` of a value: m2, raw_m2 (before levelling), m, count, percent. `closes_to`: queries whose
    printed areas these add up to.
    """

    id: str
    title_zh: str
    title_en: str
    family: str
    keys: tuple[str, ...]
    values: Mapping[str, str]
    facts: tuple[str, ...]
    closes_to: tuple[str, ...]
    sql: str


@dataclass(frozen=True)
class Said:
    """What was printed of a figure: `text`, where it is from, its raw `value` and the `number` shown.

    `query` is the id of a query, or of another source of facts: decision_table, words, targets, order,
    quality, evaluation, screening. `key` as asked (None: all rows, a list: any of them). `value` is as the
    query has it (m2, %, a count, a text); `number` is in `unit`, levelled; both are sums where `key` takes
    in several rows.
    `within`: the keys whose rows a share is of ("*": all).
    """

    text: str
    query: str
    key: tuple[Any, ...]
    column: str
    value: Any
    unit: str = ""
    decimals: int = 0
    number: float | None = None
    within: tuple[str, ...] | None = None

    def as_json(self) -> dict[str, Any]:
        """Return this entry of the ledger as plain data."""
        key = [sorted(part) if isinstance(part, frozenset) else part for part in self.key]
        named = {"text": self.text, "query": self.query, "key": key, "column": self.column}
        more = {} if self.within is None else {"within": list(self.within)}
        return {**named, "value": self.value, "unit": self.unit, "decimals": self.decimals, **more}


@lru_cache(maxsize=1)
def queries() -> dict[str, Query]:
    """Return the queries by id."""
    document = json.loads(resource("chapter", "queries.json").read_text(encoding="utf-8"))
    return {row["id"]: _query(row) for row in document["queries"]}


def _query(row: Mapping[str, Any]) -> Query:
    lists = {name: tuple(row[name]) for name in ("keys", "facts", "closes_to")}
    return Query(**{**row, **lists, "sql": "\n".join(row["sql"])})


class Figures:
    """The figures of one result; made by `of`.

    `table` is the decision table of the result, `order` what a submission says of it (or None),
    `ledger` everything said so far.
    """

    def __init__(
        self,
        result: Path,
        order: Order | None,
        lang: str,
        rows: Mapping[str, list[dict[str, Any]]],
        table: RuleTable,
    ) -> None:
        self.result, self.order, self.lang, self.table = Path(result), order, lang, table
        self._rows = rows
        self._by_key: dict[str, dict[Key, dict[str, Any]]] = {}
        self._printed: dict[tuple[Any, ...], dict[Key, int]] = {}
        self._ledger: dict[tuple[Any, ...], Said] = {}

    @classmethod
    def of(
        cls,
        result: Path,
        order: Order | None = None,
        lang: str = "zh",
        told: Callable[[float], None] | None = None,
    ) -> Figures:
        """Return the figures of the result in a folder; `told` hears the fraction done.

        Raises SwcError ``redecide.no_result``, ``geopackage.unreadable``, and what `rules.load` raises.
        """
        table = explain.table_of(Path(result))
        return cls(result, order, lang, answers(Path(result) / "zoning.gpkg", told), table)

    # --- rows --------------------------------------------------------------------------------------

    def rows(self, query: str) -> list[dict[str, Any]]:
        """Return the rows of a query, as SQLite gives them."""
        return self._rows[query]

    def keys(self, query: str, name: str) -> list[Any]:
        """Return the distinct values of a key of a query, in the order of its rows."""
        return list(dict.fromkeys(row[name] for row in self.rows(query)))

    def matching(self, query: str, key: Key) -> list[dict[str, Any]]:
        """Return the rows of a query that a key names."""
        names = queries()[query].keys
        if len(key) != len(names):
            raise SwcError("figures.key", query=query, key=str(key), keys=", ".join(names))
        if len(key) == 1 and isinstance(key[0], (frozenset, set)):
            known = self._indexed(query)
            return [known[part,] for part in sorted(key[0]) if (part,) in known]
        if not any(part is None or isinstance(part, (frozenset, set, list)) for part in key):
            found = self._indexed(query).get(tuple(key))
            return [found] if found is not None else []
        return [
            row for row in self.rows(query) if all(_fits(row[name], part) for name, part in zip(names, key))
        ]

    def value(self, query: str, key: Key, column: str) -> Any:
        """Return the raw value, a sum where the key names several rows, 0 where it names none."""
        return _value(queries()[query], self.matching(query, key), column)

    # --- saying ------------------------------------------------------------------------------------

    def say(
        self,
        query: str,
        key: Key,
        column: str,
        unit: str,
        decimals: int = 2,
        within: Sequence[str] | None = None,
    ) -> str:
        """Return a figure as text, and note it in the ledger; see `said`."""
        return self.said(query, key, column, unit, decimals, within).text

    def said(
        self,
        query: str,
        key: Key,
        column: str,
        unit: str,
        decimals: int = 2,
        within: Sequence[str] | None = None,
    ) -> Said:
        """Return a figure as it is printed, and note it in the ledger.

        `unit`: m2, ha, km2, mu, m, 个 (a count), or %. Areas of exclusive queries are levelled to their
        column; their "%" is the share in it, or among the rows that are alike in the keys `within`.
        Raises SwcError ``figures.key`` and ``figures.unit``.
        """
        asked = queries()[query]
        value = self.value(query, key, column)
        if value is None:
            raise SwcError("figures.no_value", query=query, key=str(key), column=column)
        shared = tuple(within or ()) if unit == "%" and asked.values[column] == "m2" else None
        places = 0 if unit == "个" else decimals
        if asked.values[column] == "m2" and (asked.family == EXCLUSIVE or shared is not None):
            units = self._units(asked, column, unit, places, shared or ())
            number = sum(units[_key(asked, row)] for row in self.matching(query, key))
        else:
            number = _plain(value, asked.values[column], unit, places)
        text = display.written(number, places, self.lang)
        return self._noted(Said(text, query, key, column, value, unit, places, number / 10**places, shared))

    def quote(self, query: str, key: Key, column: str) -> str:
        """Return a text of one row of a query, and note it in the ledger; "" where there is none."""
        found = self.matching(query, key)
        text = str(found[0][column] or "") if found else ""
        return self.cite(query, key, column, text)

    def cite(self, source: str, key: Key, column: str, text: str) -> str:
        """Note in the ledger where a text with digits is from, and return it."""
        if text:
            self._noted(Said(text, source, key, column, text))
        return text

    def unit(self, unit: str) -> str:
        """Return the name of a unit."""
        return sentence(f"figures.unit_{_UNITS[unit]}", {}, self.lang)

    def evaluations(self) -> list[dict[str, Any]]:
        """Return the layers that an evaluation made, with the record of each; none of an older result."""
        found = next((row["value"] for row in self.rows("papers") if row["item"] == "evaluations"), "[]")
        return [dict(one) for one in json.loads(found)]

    # --- what is given -----------------------------------------------------------------------------

    def provided(self, role: str) -> bool:
        """Return whether a layer of this role was given."""
        return self.state(role) != MISSING

    def state(self, role: str) -> str:
        """Return given; empty (given, and nothing of it in the extent); unused (none of it could be
        used); missing."""
        layers = [row for row in self.rows("inputs") if row["role"] == role]
        if not layers:
            return MISSING
        if any(row["area_m2"] > 0 for row in layers):
            return GIVEN
        return UNUSED if all(row["count"] and not row["used"] for row in layers) else EMPTY

    def absence(self, role: str) -> str:
        """Return what is to be printed instead of a figure of a role, "" where it is given."""
        state = self.state(role)
        return "" if state == GIVEN else sentence(f"figures.{state}", {}, self.lang)

    def missing_roles(self) -> list[str]:
        """Return the roles that a zoning expects and that were not given."""
        expected = [roles.extent_role(), *(role for role in roles.all_roles() if role.expected)]
        return [role.id for role in expected if not self.provided(role.id)]

    # --- words -------------------------------------------------------------------------------------

    def named(self, row: Mapping[str, Any], name: str = "name") -> str:
        """Return a name in the language, of a row of the decision table or of an act."""
        return row.get(f"{name}_{self.lang}") or row.get(f"{name}_zh") or row.get(name) or ""

    def role(self, role: str) -> str:
        """Return the name of a role."""
        return self.cite("words", (role,), "name", full_width(rule_words.role_name(role, self.lang)))

    def tier(self, role: str, tier: str) -> str:
        """Return the name of a tier of a role."""
        return self.cite(
            "words", (role, tier), "name", full_width(rule_words.tier_name(role, tier, self.lang))
        )

    def zone(self, code: str) -> str:
        """Return the name of a zone."""
        row = self.table.zones.get(code)
        return self.cite("decision_table", ("zones", code), "name", self.named(row) if row else code)

    def law(self, kind: str, id_: str, name: str) -> str:
        """Return a text of a row of the decision table: `kind` measures, conflicts, rules or acts.

        Its articles are asked for as ``basis``; a row that is not in force gives "".
        """
        row = getattr(self.table, kind).get(id_)
        if row is None:
            return ""
        joint = "；" if self.lang == "zh" else "; "
        text = joint.join(self.table.basis(row)) if name == "basis" else self._told(row, name)
        return self.cite("decision_table", (kind, id_), name, full_width(text))

    def targets(self) -> list[targets.Target]:
        """Return the targets of the conservation rate in the region, the earliest first."""
        return targets.targets_of(self.table.document["profile"])

    # --- the ledger --------------------------------------------------------------------------------

    @property
    def ledger(self) -> list[Said]:
        """Return everything said so far, in the order it was first said."""
        return list(self._ledger.values())

    def as_json(self) -> dict[str, Any]:
        """Return the ledger as a document: the result, the queries used, and what was said."""
        papers = {row["item"]: row["value"] for row in self.rows("papers")}
        used = {said.query for said in self.ledger}
        asked = [query for query in queries().values() if query.id in used]
        return {
            "schema": SCHEMA,
            "content_sha256": papers.get("content_sha256", ""),
            "lang": self.lang,
            "queries": {
                query.id: {"title": self.named(vars(query), "title"), "sql": query.sql} for query in asked
            },
            "said": [said.as_json() for said in self.ledger],
        }

    def write(self, path: Path) -> None:
        """Write the ledger as JSON. Raises SwcError ``cli.unwritable``."""
        reports.write(self.as_json(), path)

    # --- inside ------------------------------------------------------------------------------------

    def _indexed(self, query: str) -> dict[Key, dict[str, Any]]:
        if query not in self._by_key:
            self._by_key[query] = {_key(queries()[query], row): row for row in self.rows(query)}
        return self._by_key[query]

    def _noted(self, said: Said) -> Said:
        known = (said.text, said.query, said.key, said.column, said.unit, said.within)
        return self._ledger.setdefault(known, said)

    def _told(self, row: Mapping[str, Any], name: str) -> str:
        english = row.get(f"{name}_en") if self.lang == "en" else None
        return english or row.get(f"{name}_zh") or row.get(name) or ""

    def _units(
        self, query: Query, column: str, unit: str, decimals: int, within: tuple[str, ...]
    ) -> dict[Key, int]:
        """Return the printed steps of every row of a query, by its key."""
        known = (query.id, column, unit, decimals, within)
        if known not in self._printed:
            if unit == "%":
                made = self._shares(query, column, decimals, within)
            elif display.is_area_unit(unit):
                made = self._levelled(query, column, unit, decimals)
            else:
                raise SwcError("figures.unit", unit=unit, kind=query.values[column], query=query.id)
            self._printed[known] = made
        return self._printed[known]

    def _shares(self, query: Query, column: str, decimals: int, within: tuple[str, ...]) -> dict[Key, int]:
        made: dict[Key, int] = {}
        for group in _grouped(self.rows(query.id), within).values():
            units = display.shares([_centi(row[column]) for row in group], decimals)
            made.update(zip((_key(query, row) for row in group), units))
        return made

    def _levelled(self, query: Query, column: str, unit: str, decimals: int) -> dict[Key, int]:
        """Level the rows of a query to the printed rows of those it closes to, the first before all."""
        step = display.step_of(unit, decimals)
        parents = [queries()[name] for name in query.closes_to]
        above = [self._units(parent, column, unit, decimals, ()) for parent in parents]
        if len(parents) == 2:
            return self._two_way(query, column, parents, above, step)
        names = parents[0].keys if parents else ()
        made: dict[Key, int] = {}
        for head, group in _grouped(self.rows(query.id), names).items():
            total = above[0][head] if parents else None
            units = display.closed([_centi(row[column]) for row in group], step, total)
            made.update(zip((_key(query, row) for row in group), units))
        return made

    def _two_way(
        self,
        query: Query,
        column: str,
        parents: Sequence[Query],
        above: Sequence[Mapping[Key, int]],
        step: tuple[int, int],
    ) -> dict[Key, int]:
        """Level a cross table to both its margins, apart for each value of the keys these share."""
        shared = tuple(name for name in parents[0].keys if name in parents[1].keys)
        made: dict[Key, int] = {}
        for head, group in _grouped(self.rows(query.id), shared).items():
            margins = [_under(parent, units, shared, head) for parent, units in zip(parents, above)]
            places = {_key(query, row): tuple(_key(parent, row) for parent in parents) for row in group}
            centi = {places[_key(query, row)]: _centi(row[column]) for row in group}
            units = display.two_way(centi, margins[0], margins[1], step)
            made.update({key: (units or {}).get(place, 0) for key, place in places.items()})
            if units is None:
                # No table of whole steps keeps both: rows go first, columns are then what they add up to.
                made.update(_closed_rows(query, group, column, parents[0], margins[0], step))
        return made


_UNITS = {"m2": "m2", "ha": "ha", "km2": "km2", "mu": "mu", "m": "m", "%": "percent", "个": "count"}


def full_width(text: str) -> str:
    """Return a text with full-width brackets round Chinese words, as official documents print them."""
    return _BRACKETS.sub(r"（\1）", text)


def answers(path: Path, told: Callable[[float], None] | None = None) -> dict[str, list[dict[str, Any]]]:
    """Return the rows of every query on a ``zoning.gpkg``. Raises SwcError ``geopackage.unreadable``."""
    found: dict[str, list[dict[str, Any]]] = {}
    with opened(path) as connection:
        _copy(connection)
        for number, query in enumerate(queries().values()):
            if told:
                told(number / len(queries()))
            found[query.id] = [dict(row) for row in connection.execute(query.sql)]
    return found


def _copy(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA temp_store = MEMORY")
    for statement in (*_COPIES, *_evaluated(connection)):
        connection.execute(statement)
    connection.execute("ANALYZE temp")


def _evaluated(connection: sqlite3.Connection) -> tuple[str, ...]:
    known = connection.execute(
        "SELECT 1 FROM main.sqlite_master WHERE name = ?", (records.EVALUATED,)
    ).fetchone()
    made = f"AS SELECT {_EVALUATED} FROM main.evaluated" if known else f"({_EVALUATED})"  # nosec B608 - our own
    index = "CREATE INDEX temp.evaluated_by_source ON evaluated (input, source_id)"
    return f"CREATE TEMP TABLE evaluated {made}", index


def _fits(value: Any, part: Part) -> bool:
    if part is None:
        return True
    return value in part if isinstance(part, (frozenset, set, list)) else value == part


def _key(query: Query, row: Mapping[str, Any]) -> Key:
    return tuple(row[name] for name in query.keys)


def _value(query: Query, found: Sequence[Mapping[str, Any]], column: str) -> Any:
    kind = query.values.get(column)
    if kind == "m2":
        # In whole 0.01 m2: binary fractions do not add up.
        return sum(_centi(row[column]) for row in found) / 100 if len(found) != 1 else found[0][column]
    if kind == "count":
        return sum(row[column] for row in found)
    if kind == "raw_m2":
        return math.fsum(row[column] for row in found)
    return found[0][column] if len(found) == 1 else None


def _centi(value: float) -> int:
    return round(value * 100)


def _plain(value: float, kind: str, unit: str, decimals: int) -> int:
    """Return a value that closes to nothing in printed steps, half up."""
    if kind in ("m2", "raw_m2") and display.is_area_unit(unit):
        size, per = display.step_of(unit, decimals)
        return _half_up(value * 100 * per / size)
    if {"m": "m", "count": "个", "percent": "%"}.get(kind) != unit:
        raise SwcError("figures.unit", unit=unit, kind=kind, query="")
    return _half_up(value * 10**decimals)


def _half_up(value: float) -> int:
    whole = int(abs(value) + 0.5 + 1e-9)
    return whole if value >= 0 else -whole


def _grouped(rows: Iterable[Mapping[str, Any]], names: Sequence[str]) -> dict[Key, list[Mapping[str, Any]]]:
    groups: dict[Key, list[Mapping[str, Any]]] = {}
    for row in rows:
        groups.setdefault(tuple(row[name] for name in names), []).append(row)
    return groups


def _under(parent: Query, units: Mapping[Key, int], names: Sequence[str], head: Key) -> dict[Key, int]:
    """Return the printed rows of a parent that have the values `head` of its keys `names`."""
    places = [parent.keys.index(name) for name in names]
    return {key: number for key, number in units.items() if tuple(key[place] for place in places) == head}


def _closed_rows(
    query: Query,
    group: Sequence[Mapping[str, Any]],
    column: str,
    parent: Query,
    margin: Mapping[Key, int],
    step: tuple[int, int],
) -> dict[Key, int]:
    made: dict[Key, int] = {}
    for head, rows in _grouped(group, parent.keys).items():
        units = display.closed([_centi(row[column]) for row in rows], step, margin[head])
        made.update(zip((_key(query, row) for row in rows), units))
    return made
