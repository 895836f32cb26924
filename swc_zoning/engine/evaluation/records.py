# SPDX-License-Identifier: GPL-2.0-or-later
"""The record of an evaluation travels with the layer it made: table ``swc_evaluation`` of its GeoPackage.

The zoning keeps it, shortened, so that chapter, submission and the card of a piece can say by what method and
rule ground is important. Needs the standard library alone.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from swc_zoning.engine.evaluation import chains
from swc_zoning.engine.geopackage import opened
from swc_zoning.engine.messages import LANGUAGES, Finding, SwcError, sentence

#: Table of a ``zoning.gpkg`` with what evaluations say of source features.
EVALUATED = "evaluated"
TABLE, RECORD = "swc_evaluation", "record"
#: Fields by which a patch says what decided it, and a unit how much of it is key.
SAID = ("class", "method", "method_zh", "method_en", "rule", "rule_zh", "rule_en")
MEASURED = ("unit_km2", "key_km2")
#: Findings that a method does not tell more important ground from less, by the algorithms they are of.
WEAK = {
    "evaluation.flat": frozenset({"importance", "erosionmatrix", "slopeandrelief"}),
    "evaluation.flat_rewarded": frozenset({"nppindex"}),
    "evaluation.unreachable": frozenset({"sensitivity"}),
    "evaluation.builtup_above": frozenset({"coverfactor", "soilretention", "classifycumulative"}),
    "evaluation.builtup_retains": frozenset({"soilretention", "classifycumulative"}),
    "evaluation.constant": frozenset({"classifycumulative", "nppindex"}),
    "evaluation.constant_factor": frozenset({"nppindex"}),
    "evaluation.one_station": frozenset({"rainfallerosivity"}),
    "evaluation.ties": frozenset({"classifycumulative"}),
    "evaluation.unmasked": frozenset({"classifycumulative"}),
    "evaluation.nothing_counts": frozenset({"classifycumulative"}),
    "evaluation.all_general": frozenset({"importance"}),
}
#: Algorithms whose classes stand by themselves: published methods, not the rules of a plan.
PUBLISHED = frozenset({"importance", "sensitivity", "vulnerability", "classifycumulative"})
UNVERIFIED = "unverified"

Record = Mapping[str, Any]

_CREATE = f"CREATE TABLE {TABLE} (fid INTEGER PRIMARY KEY NOT NULL, ITEM TEXT NOT NULL, VALUE TEXT)"
_REGISTER = (
    "INSERT INTO gpkg_contents (table_name, data_type, identifier, description, last_change)"
    " VALUES (?, 'attributes', ?, '', '2000-01-01T00:00:00.000Z')"
)
_THERE = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?"


def write(path: Path, record: Record) -> None:
    """Put the record of an evaluation into a GeoPackage, in place of one that is there, and read it back.

    Raises SwcError ``evaluation.unwritable``.
    """
    text = json.dumps(record, ensure_ascii=False)
    try:
        with closing(sqlite3.connect(path)) as connection, connection:
            if not connection.execute(_THERE, (TABLE,)).fetchone():
                connection.execute(_CREATE)
                connection.execute(_REGISTER, (TABLE, TABLE))
            connection.execute(f"DELETE FROM {TABLE}")  # nosec B608 - the name is our own
            insert = f"INSERT INTO {TABLE} (fid, ITEM, VALUE) VALUES (1, ?, ?)"  # nosec B608 - our own
            connection.execute(insert, (RECORD, text))
    except sqlite3.Error as error:
        raise SwcError("evaluation.unwritable", path=path.name, reason=str(error)) from error
    if read(path) != json.loads(text):
        raise SwcError("evaluation.unwritable", path=path.name, reason=TABLE)


def read(path: Path) -> dict[str, Any] | None:
    """Return the record that a GeoPackage carries, None where it carries none.

    Nothing is written beside the file. Raises SwcError ``geopackage.unreadable``, and
    ``records.unreadable`` for a record that is none.
    """
    with opened(path, still=True) as connection:
        if not connection.execute(_THERE, (TABLE,)).fetchone():
            return None
        ask = f"SELECT VALUE FROM {TABLE} WHERE ITEM = ?"  # nosec B608 - the name is our own
        found = connection.execute(ask, (RECORD,)).fetchone()
    try:
        document = json.loads(found["VALUE"]) if found else None
    except (TypeError, ValueError):
        document = None
    if not isinstance(document, dict):
        raise SwcError("records.unreadable", path=Path(path).name)
    return document


def fields(known: Iterable[str]) -> list[str]:
    """Return the fields of a layer by which it says how its features were evaluated."""
    return [one for one in (*SAID, *MEASURED) if one in set(known)]


# --- what is kept of a record ------------------------------------------------------------------------


def trimmed(record: Record) -> dict[str, Any]:
    """Return what a result keeps: what was run with which sets, facts, findings, and its steps alike."""
    kept = {key: record[key] for key in ("algorithm", "id", "zh", "en", "version") if key in record}
    kept["parameters"] = {
        key: value for key, value in _mapping(record, "parameters").items() if _is_short(value)
    }
    kept["inputs"] = [dict(one) for one in _rows(record, "inputs")]
    kept["parameter_sets"] = [
        {key: value for key, value in one.items() if key != "values"}
        for one in _rows(record, "parameter_sets")
    ]
    facts = _mapping(record, "facts")
    kept["facts"] = {key: value for key, value in facts.items() if key != "steps"}
    kept["findings"] = [
        {key: one[key] for key in ("code", "severity", "facts", "text") if key in one}
        for one in _rows(record, "findings")
    ]
    kept["steps"] = [trimmed(one) for one in (*_rows(record, "steps"), *_rows(facts, "steps"))]
    return kept


def _mapping(record: Record, key: str) -> Mapping[str, Any]:
    found = record.get(key)
    return found if isinstance(found, Mapping) else {}


def _rows(record: Record, key: str) -> list[Mapping[str, Any]]:
    found = record.get(key)
    return [one for one in found if isinstance(one, Mapping)] if isinstance(found, list) else []


def _is_short(value: Any) -> bool:
    return value is not None and not (isinstance(value, (list, dict)) and not value)


# --- what a record says ------------------------------------------------------------------------------


def name(record: Record) -> str:
    """Return the id of the chain or algorithm."""
    return str(record.get("algorithm") or "")


def others(record: Record) -> list[Mapping[str, Any]]:
    """Return the further findings of a record and its steps, warnings first: what is neither of a method
    that does not discriminate, nor of a set, nor of how rasters were brought onto a grid."""
    left_out = {*WEAK, "evaluation.unverified", "evaluation.aligned"}
    found: dict[str, Mapping[str, Any]] = {}
    for part in parts(record):
        for one in _rows(part, "findings"):
            if one.get("code") not in left_out:
                found.setdefault(_key(one), one)
    return sorted(found.values(), key=lambda one: one.get("severity") != "warning")


def _key(finding: Mapping[str, Any]) -> str:
    return json.dumps([finding.get("code"), finding.get("facts")], sort_keys=True, default=str)


def title(record: Record, lang: str) -> str:
    """Return the name of the chain or algorithm, its id where it is not known here."""
    try:
        known = chains.find(name(record))
    except SwcError:
        return name(record)
    return known.name_zh if lang == "zh" else known.name_en


def parts(record: Record) -> Iterator[Record]:
    """Yield the record itself and its steps, in order."""
    yield record
    for step in _rows(record, "steps"):
        yield from parts(step)


def sets(record: Record) -> list[Mapping[str, Any]]:
    """Return the parameter sets of a record and its steps, each once."""
    found: dict[tuple[Any, Any], Mapping[str, Any]] = {}
    for part in parts(record):
        for one in _rows(part, "parameter_sets"):
            found.setdefault((one.get("kind"), one.get("id")), one)
    return list(found.values())


def set_name(one: Mapping[str, Any], lang: str) -> str:
    """Return the name of a parameter set, its id where it has none."""
    return str(one.get(f"name_{lang}") or one.get("name_zh") or one.get("id") or "")


def unverified(record: Record) -> list[Mapping[str, Any]]:
    """Return the sets whose values were not seen in the text of their source."""
    return [one for one in sets(record) if one.get("status") == UNVERIFIED]


def weak(record: Record) -> list[Mapping[str, Any]]:
    """Return the findings that a method does not discriminate, each once."""
    found: dict[str, Mapping[str, Any]] = {}
    for part in parts(record):
        for one in _rows(part, "findings"):
            if one.get("code") in WEAK:
                found.setdefault(_key(one), one)
    return list(found.values())


def said_of(connection: sqlite3.Connection, input_: int, source_id: str) -> dict[str, Any]:
    """Return what an evaluation says of a source feature of a ``zoning.gpkg``; {} where none does.

    Results from before evaluations were kept have no such table.
    """
    if not connection.execute(_THERE, (EVALUATED,)).fetchone():
        return {}
    ask = f"SELECT * FROM {EVALUATED} WHERE input = ? AND source_id = ?"  # nosec B608 - the name is our own
    found = connection.execute(ask, (input_, source_id)).fetchone()
    return {key: found[key] for key in (*SAID, *MEASURED)} if found else {}


def worded(row: Mapping[str, Any], what: str, lang: str) -> str:
    """Return the name of the `what` ("method" or "rule") of a feature, its id where it has no name."""
    return str(row.get(f"{what}_{lang}") or row.get(f"{what}_zh") or row.get(what) or "")


def in_words(record: Record, lang: str) -> list[str]:
    """Return what is open in a record, in sentences: sets not verified, methods that do not discriminate."""
    words = ("name_zh", "name_en", "source", "kind")
    sets_open = [
        sentence("evaluation.unverified", {key: one.get(key, "") for key in words}, lang)
        for one in unverified(record)
    ]
    return [*sets_open, *(sentence_of(one, lang) for one in weak(record))]


def sentence_of(finding: Mapping[str, Any], lang: str) -> str:
    """Return a finding of a record as a sentence; as it was written where its code is not known here."""
    try:
        return sentence(str(finding.get("code")), dict(_mapping(finding, "facts")), lang)
    except (KeyError, ValueError):
        return str(finding.get("text") or finding.get("code") or "")


def of_result(summary: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the evaluated layers of a result: {role, layer, input, record}; none of an older one."""
    return _rows(summary, "evaluations")


def told(layer: str, record: Record) -> Finding | None:
    """Return the finding that not all of an evaluation is settled, None where it is."""
    sets_open, weak_methods = unverified(record), weak(record)
    if not (sets_open or weak_methods):
        return None
    named = {f"method_{lang}": title(record, lang) for lang in LANGUAGES}
    facts = {**named, "unverified": len(sets_open), "weak": len(weak_methods)}
    return Finding("records.not_settled", {"layer": layer, **facts}, layer)
