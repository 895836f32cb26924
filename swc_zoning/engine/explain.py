# SPDX-License-Identifier: GPL-2.0-or-later
"""Why a piece of a result is in its zone: rules, source features, measures, conflicts, in words.

The piece is told as it was written; the decision table only gives words. Where a table is not the one
of the result, that is said. 1 亩 (mu) is 2000/3 m2.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from swc_zoning.engine import roles, rule_words, rules
from swc_zoning.engine.evaluation import records
from swc_zoning.engine.geopackage import opened
from swc_zoning.engine.messages import Finding, SwcError, sentence
from swc_zoning.engine.rules import RuleTable

Row = Mapping[str, Any]

_MU_M2 = 2000 / 3
_CONDITIONS = ("any_of", "all_of", "unless")


@dataclass(frozen=True)
class Section:
    """A titled part of an explanation: lines of text, under a heading each where there is one."""

    title: str
    lines: Sequence[str]


@dataclass(frozen=True)
class Explanation:
    """All that a result says of one piece.

    `piece`: its row of ``pieces``; `sources`: rows of ``piece_sources`` with the papers of ``inputs``;
    `conflicts`: rows of ``conflicts`` on it; `box`: (west, south, east, north) in `crs`, metres;
    `table`: what gives words to ids, and `findings` what is to be known of it; `evaluations`: the records of
    the layers among the sources that an evaluation made, by number of the input.
    """

    piece: Row
    sources: Sequence[Row]
    conflicts: Sequence[Row]
    box: tuple[float, float, float, float]
    crs: str
    title: str
    table: RuleTable
    findings: Sequence[Finding]
    evaluations: Mapping[int, Row] = field(default_factory=dict)

    @property
    def piece_id(self) -> str:
        """Return the id of the piece."""
        return self.piece["piece_id"]

    def zone_name(self, lang: str = "zh") -> str:
        """Return the name of the zone, with a mark where it is pending."""
        zone = self.table.zones.get(self.piece["zone"])
        name = zone[f"name_{lang}"] if zone else self.piece["zone_name"]
        pending = self.piece["status"] == "pending"
        return name + (sentence("explain.pending", {}, lang) if pending else "")

    def sections(self, lang: str = "zh") -> list[Section]:
        """Return the explanation in parts; none is empty."""
        parts = (
            ("notes", [finding.sentence(lang) for finding in self.findings]),
            ("facts", [f"{name}: {value}" for name, value in self.facts(lang)]),
            ("why_pending", list(_answers(self, lang))),
            ("decisive", list(_rules(self, _ids(self.piece["decisive"]), lang))),
            ("rules", list(_rules(self, _ids(self.piece["rules"]), lang))),
            ("sources", [_source(row, lang) for row in self.sources]),
            ("evaluated", list(_evaluated(self, lang))),
            ("measures", [f"{dep}: {words}" for dep, words in self.measures(lang)]),
            ("conflicts", list(_conflicts(self, lang))),
            ("stricter", list(_stricter(self, lang))),
            ("articles", ["；".join(_ids(self.piece["basis"]))] if self.piece["basis"] else []),
        )
        return [Section(sentence(f"explain.{key}", {}, lang), lines) for key, lines in parts if lines]

    def facts(self, lang: str = "zh") -> list[tuple[str, str]]:
        """Return (name, value) of what the piece is: district, areas, grade and so on."""
        row = self.piece
        area = row["area_m2"]
        land = {0: "sea", 1: "land"}.get(row["land"], "land_unknown")
        force = rule_words.write_word("force", row["force"], lang)
        official = {"m2": f"{area:,.2f}", "ha": f"{area / 1e4:,.4f}", "mu": f"{area / _MU_M2:,.3f}"}
        known = {
            "piece": row["piece_id"],
            "district": f"{row['district_code'] or ''} {row['district_name'] or ''}".strip() or "-",
            "ground": sentence(f"explain.{land}", {}, lang),
            "force": force,
            "grade": str(row["grade"]),
            "area": sentence("explain.official", official, lang),
            "plane": f"{row['plane_m2']:,.2f} m²",
        }
        if row["sliver"]:
            known["sliver"] = sentence("explain.is_sliver", {}, lang)
        return [(sentence(f"explain.{key}", {}, lang), value) for key, value in known.items()]

    def measures(self, lang: str = "zh") -> list[tuple[str, str]]:
        """Return (department, measure with kind and articles), by department."""
        told = defaultdict(list)
        for one in _ids(self.piece["measures"]):
            measure = self.table.measures.get(one)
            if measure is None:
                told[""].append(one)
                continue
            department = measure["department"]
            name = department if lang == "zh" else measure.get("department_en", department)
            kind = rule_words.write_word("kind", measure["kind"], lang)
            basis = "；".join(self.table.basis(measure))
            told[name].append(f"{one} [{kind}] {measure[f'text_{lang}']} ({basis})")
        return [(name, line) for name in sorted(told) for line in told[name]]

    def as_text(self, lang: str = "zh") -> str:
        """Return the explanation as plain text."""
        parts = [self.zone_name(lang)]
        for section in self.sections(lang):
            parts += ["", section.title, *(f"- {line}" for line in section.lines)]
        return "\n".join(parts)


def explain(folder: Path, piece_id: str, table: RuleTable | None = None) -> Explanation:
    """Return why a piece of the result in `folder` is what it is.

    `table` gives words to rules and measures, by default the table that the result was made with.
    Raises SwcError ``redecide.no_result``, ``explain.no_piece`` and ``geopackage.unreadable``.
    """
    summary = _summary(folder)
    table = table or table_of(folder)
    same = document_sha256(table.document) == summary["rules"]["sha256"]
    facts = {"version": summary["rules"]["version"], "profile": summary["rules"]["profile"]}
    findings = [] if same else [Finding("explain.other_table", facts)]
    with opened(folder / "zoning.gpkg") as connection:
        found = connection.execute("SELECT * FROM pieces WHERE piece_id = ?", (piece_id,)).fetchone()
        if found is None:
            raise SwcError("explain.no_piece", piece=piece_id, path=str(folder))
        piece = {key: found[key] for key in found.keys() if key != "geom"}  # noqa: SIM118
        box = _box(connection, piece["fid"])
        sources = _sources(connection, piece_id)
        conflicts = _touching(connection, piece, sources, box)
    title = str(summary.get("title") or "")
    told = (piece, sources, conflicts, box, summary["crs"], title, table, findings)
    known = {row["input"]: row["record"] for row in records.of_result(summary)}
    return Explanation(*told, {row["input"]: known[row["input"]] for row in sources if row["input"] in known})


def candidates(folder: Path, east: float, north: float) -> list[int]:
    """Return the feature ids of the pieces whose box holds a point in the working CRS."""
    ask = "SELECT id FROM rtree_pieces_geom WHERE minx <= ? AND maxx >= ? AND miny <= ? AND maxy >= ?"
    with opened(folder / "zoning.gpkg") as connection:
        return [row[0] for row in connection.execute(ask, (east, east, north, north))]


def table_of(folder: Path) -> RuleTable:
    """Return the decision table a result was made with; that its job names, or the shipped one, where
    it keeps none. Raises what `explain` and `rules.load` raise."""
    summary = _summary(folder)
    with opened(folder / "zoning.gpkg") as connection:
        kept = connection.execute("SELECT value FROM run WHERE item = 'decision_table'").fetchone()
    source = json.loads(kept["value"]) if kept else summary["job"].get("rules")
    return rules.load(source, summary["plan_date"])


def document_sha256(document: Row) -> str:
    """Return the digest by which ``summary.json`` names a decision table."""
    text = json.dumps(document, ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def _summary(folder: Path) -> Row:
    try:
        return json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SwcError("redecide.no_result", path=str(folder)) from error


def _ids(joined: str | None) -> list[str]:
    return [part for part in (joined or "").split(";") if part]


def _box(connection: sqlite3.Connection, fid: int) -> tuple[float, float, float, float]:
    ask = "SELECT minx, miny, maxx, maxy FROM rtree_pieces_geom WHERE id = ?"
    return tuple(connection.execute(ask, (fid,)).fetchone())


def _sources(connection: sqlite3.Connection, piece_id: str) -> list[dict[str, Any]]:
    ask = (
        "SELECT s.*, i.version, i.approval_no, i.data_date FROM piece_sources s"
        " LEFT JOIN inputs i ON i.input = s.input WHERE s.piece_id = ? ORDER BY s.input, s.source_id"
    )
    return [
        {**dict(row), **records.said_of(connection, row["input"], row["source_id"])}
        for row in connection.execute(ask, (piece_id,))
    ]


def _touching(
    connection: sqlite3.Connection, piece: Row, sources: Sequence[Row], box: Sequence[float]
) -> list[dict[str, Any]]:
    """Return the conflicts between features of the piece whose box meets that of the piece."""
    ask = (
        "SELECT c.* FROM conflicts c JOIN rtree_conflicts_geom r ON r.id = c.fid"
        " WHERE r.minx <= ? AND r.maxx >= ? AND r.miny <= ? AND r.maxy >= ? ORDER BY c.conflict_id"
    )
    west, south, east, north = box
    kinds = set(_ids(piece["conflicts"]))
    known = {(row["role"], row["layer"], row["source_id"]) for row in sources}
    rows = connection.execute(ask, (east, west, north, south))
    here = [
        row
        for row in rows
        if row["kind"] in kinds
        and _side(row, "a") in known
        and (row["role_b"] is None or _side(row, "b") in known)
    ]
    return [{key: row[key] for key in row.keys() if key != "geom"} for row in here]  # noqa: SIM118


def _side(row: Any, side: str) -> tuple[str, str, str]:
    return row[f"role_{side}"], row[f"layer_{side}"], row[f"source_{side}"]


# --- in words --------------------------------------------------------------------------------------


def _role(role: str, tier: str, lang: str) -> str:
    name = rule_words.role_name(role, lang)
    return f"{name}: {rule_words.tier_name(role, tier, lang)}" if tier else name


def _source(row: Row, lang: str) -> str:
    what = _role(row["role"], row["tier"], lang)
    papers = [
        sentence(f"explain.{key}", {"value": row[key]}, lang)
        for key in ("version", "approval_no", "data_date")
        if row[key]
    ]
    named = " ".join(part for part in (row["layer"], row["source_id"], row["name"]) if part)
    return "; ".join([f"{what} - {named}", *papers])


def _evaluated(told: Explanation, lang: str) -> Iterator[str]:
    """Yield by which method and rule ground of the piece is important, and what is open in that."""
    for row in told.sources:
        if row.get("method") or row.get("rule"):
            facts = {key: records.worded(row, key, lang) or "-" for key in ("method", "rule")}
            facts["what"] = _role(row["role"], row["tier"], lang)
            facts["feature"] = row["name"] or row["source_id"]
            yield sentence("explain.by_method", facts, lang)
    for record in told.evaluations.values():
        yield sentence("explain.evaluation", {"method": records.title(record, lang)}, lang)
        yield from records.in_words(record, lang)


def _rules(told: Explanation, ids: Sequence[str], lang: str) -> Iterator[str]:
    for one in ids:
        row = told.table.rules.get(one)
        if row is None:
            yield sentence("explain.unknown_rule", {"rule": one}, lang)
            continue
        parts = [_needs(row, lang), "；".join(told.table.basis(row))]
        yield " - ".join([one, *(part for part in parts if part)])


def _needs(row: Row, lang: str) -> str:
    said = []
    for key in _CONDITIONS:
        conditions = row.get(key)
        if conditions:
            words = rule_words.write_conditions(conditions, lang)
            said.append(sentence(f"explain.{key}", {"conditions": words}, lang))
    return " ".join(said)


def _answers(told: Explanation, lang: str) -> Iterator[str]:
    """Yield for each unknown tier what zone each answer would give, the others staying unknown."""
    if told.piece["status"] != "pending":
        return
    members = json.loads(told.piece["members"])
    for role, tiers in members.items():
        known = roles.find(role)
        if roles.UNKNOWN not in tiers or known is None:
            continue
        others = [tier for tier in tiers if tier != roles.UNKNOWN]
        for tier in known.tier_ids:
            decision = rules.decide(told.table, {**members, role: [*others, tier]})
            zone = told.table.zones[decision["zone"]][f"name_{lang}"]
            yield sentence("explain.answer", {"tier": _role(role, tier, lang), "zone": zone}, lang)


def _conflicts(told: Explanation, lang: str) -> Iterator[str]:
    for row in told.conflicts:
        yield f"{row['conflict_id']} {_conflict_kind(told, row['kind'], lang)} ({_parties(row, lang)})"
    listed = {row["kind"] for row in told.conflicts}
    for kind in _ids(told.piece["conflicts"]):
        if kind not in listed:
            words = _conflict_kind(told, kind, lang)
            yield sentence("explain.too_small", {"kind": f"{kind} {words}"}, lang)


def _conflict_kind(told: Explanation, kind: str, lang: str) -> str:
    row = told.table.conflicts.get(kind)
    if row is None:
        return kind
    settling = row["settling_rule"]
    words = settling if lang == "zh" else row.get("settling_rule_en", settling)
    severity = rule_words.write_word("severity", row["severity"], lang)
    return f"[{severity}] {row[f'name_{lang}']}: {words}"


def _parties(row: Row, lang: str) -> str:
    sides = [
        f"{_role(row[f'role_{side}'], row[f'tier_{side}'], lang)} {row[f'name_{side}'] or ''}".strip()
        for side in ("a", "b")
        if row[f"role_{side}"]
    ]
    return " × ".join(sides)


def _stricter(told: Explanation, lang: str) -> Iterator[str]:
    """Yield the rules of the zone that goes just before this one: any of them would bring it about."""
    zone = told.table.zones.get(told.piece["zone"])
    before = [one for one in told.table.zones.values() if zone and one["rank"] < zone["rank"]]
    if not before:
        return
    nearest = max(before, key=lambda one: one["rank"])
    for row in told.table.rules.values():
        if row["zone"] == nearest["code"]:
            facts = {"zone": nearest[f"name_{lang}"], "rule": row["id"], "needs": _needs(row, lang)}
            yield sentence("explain.would_need", facts, lang)
