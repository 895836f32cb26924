# SPDX-License-Identifier: GPL-2.0-or-later
"""Read, check and apply decision tables; the law is in ``resources/rules``, none of it is here.

A piece of land has a membership: the roles that cover it, each with all its tiers. The zone is that
of the matching zone rule of lowest rank; the measures are those of all matching rules, less what the
table withholds. A role and tier is one bit, a condition a mask, a membership an integer.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from itertools import combinations, product
from pathlib import Path
from typing import Any, NamedTuple, Union

from swc_zoning.engine import roles
from swc_zoning.engine.messages import Blocked, Finding, SwcError
from swc_zoning.engine.schema import check_document
from swc_zoning.paths import resource

Row = Mapping[str, Any]
Membership = Mapping[str, Any]
Source = Union[str, Path, Mapping[str, Any], None]

_SHIPPED = "shanghai.json"
#: Plan date of a table that names none: the latest text of every row.
_LATEST = "9999-12-31"
_KINDS = ("measures", "rules", "conflicts")
_STATUTORY, _PROPOSED = "statutory", "proposed"
_CONFIRMED, _PENDING = "confirmed", "pending"
#: Chinese texts whose key has no language, with the key of their translation.
_TRANSLATED = {"settling_rule": "settling_rule_en", "department": "department_en"}


@dataclass(frozen=True)
class RuleTable:
    """A checked decision table as it stands at `plan_date` (ISO date).

    `zones` is by code in rank order, the other tables by id; they hold the rows in force, as the
    document has them. `document` is the whole document.
    """

    document: Mapping[str, Any]
    plan_date: str
    zones: Mapping[str, Row]
    measures: Mapping[str, Row]
    rules: Mapping[str, Row]
    conflicts: Mapping[str, Row]
    acts: Mapping[str, Row]
    machine: _Machine

    def basis(self, row: Row) -> tuple[str, ...]:
        """Return the articles in force that `row` (measure, rule, conflict, grade) rests on."""
        return _citations(row["basis"], self.acts, self.plan_date)


def load(source: Source = None, plan_date: str | None = None) -> RuleTable:
    """Return the decision table of a file or document, by default the shipped one.

    `plan_date` (ISO) picks the versions of rows and articles; default is the table's own ``as_of``.
    Raises SwcError ``rules.unreadable`` or ``rules.plan_date``, and Blocked where `check` finds errors.
    """
    document = read(source)
    findings = check(document, plan_date)
    if any(finding.severity == "error" for finding in findings):
        raise Blocked(findings)
    return _table(document, _plan_date(document, plan_date))


def read(source: Source = None) -> Mapping[str, Any]:
    """Return the document of a decision table, by default the shipped one, as it is: not checked.

    Raises SwcError ``rules.unreadable``.
    """
    if isinstance(source, Mapping):
        return source
    path = resource("rules", _SHIPPED) if source is None else Path(source)
    try:
        return json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:
        raise SwcError("rules.unreadable", path=str(path), reason=str(error)) from error


def _plan_date(document: Mapping[str, Any], given: str | None) -> str:
    day = given or document.get("as_of") or _LATEST
    if not _is_date(day):
        raise SwcError("rules.plan_date", value=day)
    return day


def _is_date(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _table(document: Mapping[str, Any], day: str) -> RuleTable:
    zones = sorted(document["zones"], key=lambda zone: zone["rank"])
    kept = {kind: {row["id"]: row for row in document[kind] if _in_force(row, day)} for kind in _KINDS}
    acts = {act["id"]: act for act in document.get("acts", [])}
    machine = _machine(document, kept, acts, day)
    return RuleTable(
        document, day, {zone["code"]: zone for zone in zones}, **kept, acts=acts, machine=machine
    )


def _in_force(row: Row, day: str) -> bool:
    return (row.get("valid_from") or "") <= day <= (row.get("valid_to") or _LATEST)


# Basis


class _Citation(NamedTuple):
    text: str
    act: str
    in_force: bool


def _cited(basis: str | Sequence[Row], acts: Mapping[str, Row], day: str) -> list[_Citation]:
    if isinstance(basis, str):
        return [_Citation(part.strip(), "", True) for part in basis.split("；") if part.strip()]
    return [_citation(entry, acts[entry["act"]], day) for entry in basis if entry["act"] in acts]


def _citation(entry: Row, act: Row, day: str) -> _Citation:
    name, article = act["short_zh"], entry["article"]
    # A number after a number needs a blank (GB50433-2018 3.2.1); after a Chinese word it has none.
    text = f"{name} {article}".rstrip() if name[-1].isascii() and name[-1].isalnum() else name + article
    if entry.get("analogy"):
        text += "(参照)"
    dates = {key: entry.get(key) or act[key] for key in ("valid_from", "valid_to")}
    return _Citation(text, entry["act"], _in_force(dates, day))


def _citations(basis: str | Sequence[Row], acts: Mapping[str, Row], day: str) -> tuple[str, ...]:
    return tuple(sorted({cited.text for cited in _cited(basis, acts, day) if cited.in_force}))


# Bits and masks


@lru_cache(maxsize=1)
def _bits() -> dict[tuple[str, str], int]:
    """Return the bit of every (role, tier); a role without tiers has the tier ""."""
    pairs = (
        (role.id, tier)
        for role in roles.all_roles()
        for tier in ((*role.tier_ids, roles.UNKNOWN) if role.tiers else ("",))
    )
    return {pair: 1 << place for place, pair in enumerate(pairs)}


@lru_cache(maxsize=1)
def _role_masks() -> dict[str, int]:
    masks: dict[str, int] = defaultdict(int)
    for (role, _), bit in _bits().items():
        masks[role] |= bit
    return dict(masks)


def _mask(condition: Row) -> int:
    role, tiers = condition["role"], condition["tiers"]
    if tiers is None:
        return _role_masks().get(role, 0)
    return sum(_bits().get((role, tier), 0) for tier in set(tiers))


def _any_mask(conditions: Iterable[Row]) -> int:
    mask = 0
    for condition in conditions:
        mask |= _mask(condition)
    return mask


class _Test(NamedTuple):
    any_of: int
    all_of: tuple[int, ...]
    none_of: int
    #: (masks, how many of them at least): counted on tiers as the data have them
    counts: tuple[tuple[tuple[int, ...], int], ...] = ()


def _test(row: Row, refused: str, counts: tuple[tuple[tuple[int, ...], int], ...] = ()) -> _Test:
    all_of = tuple(_mask(condition) for condition in row["all_of"])
    return _Test(_any_mask(row["any_of"]), all_of, _any_mask(row[refused]), counts)


def _counts(conflict: Row) -> tuple[tuple[tuple[int, ...], int], ...]:
    counts = []
    if "roles_at_least" in conflict:
        wanted = conflict["roles_at_least"]
        counts.append((tuple(_role_masks().get(role, 0) for role in wanted["of"]), wanted["at_least"]))
    if "distinct_tiers_at_least" in conflict:
        wanted = conflict["distinct_tiers_at_least"]
        tiers = tuple(bit for (role, _), bit in _bits().items() if role == wanted["role"])
        counts.append((tiers, wanted["at_least"]))
    return tuple(counts)


def _holds(test: _Test, seen: int, literal: int) -> bool:
    if (test.any_of and not seen & test.any_of) or seen & test.none_of:
        return False
    # A plain loop: this is asked some fifty times for every label combination of a city.
    for mask in test.all_of:
        if not seen & mask:
            return False
    return not test.counts or all(
        sum(1 for mask in masks if literal & mask) >= least for masks, least in test.counts
    )


# The compiled table


class _Rule(NamedTuple):
    id: str
    test: _Test
    rank: int
    zone: str
    measures: tuple[str, ...]
    basis: tuple[str, ...]
    statutory: bool


@dataclass(frozen=True)
class _Machine:
    rules: tuple[_Rule, ...]
    fallback: _Rule
    conflicts: tuple[tuple[str, _Test], ...]
    #: conflict id -> roles whose absence it is about
    absences: Mapping[str, frozenset[str]]
    withheld: Mapping[str, int]
    #: (bit of unknown, bit that stands for it)
    provisional: tuple[tuple[int, int], ...]
    #: (bit of unknown, bits of the tiers it may turn out to be), where that may change the zone
    questions: tuple[tuple[int, tuple[int, ...]], ...]
    grade_one: int
    grade_otherwise: int
    aliases: Mapping[str, Mapping[str, str]]
    #: bits of (role, raw tier) met so far
    read: dict[tuple[str, Any], int]

    def see(self, literal: int) -> int:
        """Return the bits as rules read them: an unknown tier as the one that stands for it."""
        for unknown, stand_in in self.provisional:
            if literal & unknown:
                literal = literal & ~unknown | stand_in
        return literal

    def rank(self, seen: int) -> int:
        """Return the rank of the zone."""
        ranks = [rule.rank for rule in self.rules if rule.rank and _holds(rule.test, seen, seen)]
        return min(ranks, default=self.fallback.rank)

    def is_open(self, literal: int, rank: int) -> bool:
        """Return whether knowing the unknown tiers could change the zone from that of `rank`."""
        questions = [(unknown, tiers) for unknown, tiers in self.questions if literal & unknown]
        known = literal & ~sum(unknown for unknown, _ in questions)
        answers = product(*(tiers for _, tiers in questions)) if questions else ()
        return any(self.rank(self.see(known | _union(answer))) != rank for answer in answers)


def _union(bits: Iterable[int]) -> int:
    union = 0
    for bit in bits:
        union |= bit
    return union


def _machine(
    document: Row, kept: Mapping[str, Mapping[str, Row]], acts: Mapping[str, Row], day: str
) -> _Machine:
    ranks = {zone["code"]: zone["rank"] for zone in document["zones"]}
    [fallback] = _fallbacks(kept["rules"].values())
    compiled = [_rule(row, ranks, acts, day) for row in kept["rules"].values()]
    tiers, grade = document.get("tiers", {}), document["grade"]
    conflicts = kept["conflicts"].values()
    return _Machine(
        rules=tuple(rule for rule in compiled if rule.id != fallback["id"]),
        fallback=next(rule for rule in compiled if rule.id == fallback["id"]),
        conflicts=tuple((row["id"], _test(row, "none_of", _counts(row))) for row in conflicts),
        absences={row["id"]: _absent_roles(row) for row in conflicts if row.get("absence")},
        withheld={id_: _any_mask(row["withheld_where"]) for id_, row in kept["measures"].items()},
        provisional=_stand_ins(tiers),
        questions=_questions(kept["rules"].values()),
        grade_one=_any_mask(grade["grade_one_where"]),
        grade_otherwise=grade["otherwise"],
        aliases=tiers.get("aliases", {}),
        read={},
    )


def _rule(row: Row, ranks: Mapping[str, int], acts: Mapping[str, Row], day: str) -> _Rule:
    zone = row["zone"] or ""
    statutory = row.get("force", _STATUTORY) == _STATUTORY
    basis = _citations(row["basis"], acts, day)
    return _Rule(
        row["id"], _test(row, "unless"), ranks.get(zone, 0), zone, tuple(row["measures"]), basis, statutory
    )


def _absent_roles(conflict: Row) -> frozenset[str]:
    return frozenset(condition["role"] for condition in conflict["none_of"])


def _stand_ins(tiers: Row) -> tuple[tuple[int, int], ...]:
    stand_ins = tiers.get("unknown_counts_as", {})
    return tuple((_bits()[role, roles.UNKNOWN], _bits()[role, tier]) for role, tier in stand_ins.items())


def _questions(rules: Iterable[Row]) -> tuple[tuple[int, tuple[int, ...]], ...]:
    told_apart = {
        condition["role"]
        for rule in rules
        if rule["zone"]
        for condition in _conditions(rule)
        if condition["tiers"] is not None
    }
    return tuple(
        (_bits()[role, roles.UNKNOWN], tuple(_bits()[role, tier] for tier in roles.find(role).tier_ids))
        for role in sorted(told_apart)
    )


def _conditions(row: Row) -> Iterator[Row]:
    for key in ("any_of", "all_of", "unless", "none_of", "withheld_where", "grade_one_where"):
        yield from row.get(key, ())


def _fallbacks(rules: Iterable[Row]) -> list[Row]:
    """Return the rules marked as fallback, or where none is, the zone rules without conditions."""
    zone_rules = [rule for rule in rules if rule["zone"]]
    marked = [rule for rule in zone_rules if rule.get("fallback")]
    return marked or [rule for rule in zone_rules if not any(_conditions(rule))]


# Decision


def decide(table: RuleTable, membership: Membership, supplied: Iterable[str] | None = None) -> dict[str, Any]:
    """Return what the table says of a piece of land.

    `membership` is {role: tier | [tiers] | {"tier": ..} | [{"tier": ..}]}; an empty list means that
    the role does not cover the piece. `supplied` names the roles that had a layer (None: all).
    The answer has zone, status ("pending" where an unknown tier could change the zone), decisive and
    rules (ids), measures, conflicts, grade (1, 2 or 3), force and basis; lists are sorted.
    Raises SwcError ``rules.membership`` for a value that is none of these.
    """
    machine = table.machine
    literal = _literal(machine, membership)
    seen = machine.see(literal)
    hits = [rule for rule in machine.rules if _holds(rule.test, seen, seen)]
    if not any(rule.rank for rule in hits):
        hits.append(machine.fallback)
    rank = min(rule.rank for rule in hits if rule.rank)
    decisive = [rule for rule in hits if rule.rank == rank]
    return {
        "zone": decisive[0].zone,
        "status": _PENDING if machine.is_open(literal, rank) else _CONFIRMED,
        "decisive": sorted(rule.id for rule in decisive),
        "rules": sorted(rule.id for rule in hits),
        "measures": _owed(machine, hits, seen),
        "conflicts": _met(machine, literal | seen, literal, supplied),
        "grade": 1 if seen & machine.grade_one else machine.grade_otherwise,
        "force": _STATUTORY if all(rule.statutory for rule in decisive) else _PROPOSED,
        "basis": sorted({text for rule in hits for text in rule.basis}),
    }


def decide_many(
    table: RuleTable, memberships: Iterable[Membership], supplied: Iterable[str] | None = None
) -> list[dict[str, Any]]:
    """Return `decide` for each membership, in order."""
    given = None if supplied is None else frozenset(supplied)
    return [decide(table, membership, given) for membership in memberships]


def not_evaluable(table: RuleTable, supplied: Iterable[str]) -> list[str]:
    """Return the conflicts about an absence that nobody can see, since a role they miss has no layer."""
    given = frozenset(supplied)
    return sorted(id_ for id_, missed in table.machine.absences.items() if not missed <= given)


def to_check(table: RuleTable, supplied: Iterable[str]) -> list[Finding]:
    """Return what the table asks to say where a role a rule rests on has no layer."""
    given = frozenset(supplied)
    asked = [(id_, row["to_check"]) for id_, row in table.rules.items() if "to_check" in row]
    return [Finding("rules.to_check", {"row": id_, **ask}) for id_, ask in asked if ask["role"] not in given]


def _owed(machine: _Machine, hits: Iterable[_Rule], seen: int) -> list[str]:
    measures = {measure for rule in hits for measure in rule.measures}
    withheld = machine.withheld
    return sorted(measure for measure in measures if measure in withheld and not seen & withheld[measure])


def _met(machine: _Machine, seen: int, literal: int, supplied: Iterable[str] | None) -> list[str]:
    met = [id_ for id_, test in machine.conflicts if _holds(test, seen, literal)]
    if supplied is None:
        return sorted(met)
    given, nothing = frozenset(supplied), frozenset()
    return sorted(id_ for id_ in met if machine.absences.get(id_, nothing) <= given)


def _literal(machine: _Machine, membership: Membership) -> int:
    if not isinstance(membership, Mapping):
        raise SwcError("rules.membership", role="", value=repr(membership))
    bits = 0
    for role, value in membership.items():
        for tier in value if isinstance(value, (list, tuple, set, frozenset)) else (value,):
            raw = tier.get("tier") if isinstance(tier, Mapping) else tier
            try:
                bits |= machine.read[role, raw]
            except KeyError:
                bits |= _read_tier(machine, role, raw)
            except TypeError as error:
                raise SwcError("rules.membership", role=str(role), value=repr(value)) from error
    return bits


def _read_tier(machine: _Machine, role: str, raw: Any) -> int:
    if not isinstance(role, str) or not roles.is_valid_id(role):
        raise SwcError("rules.membership", role=str(role), value=repr(raw))
    if raw is not None and not isinstance(raw, (str, int, float)):
        raise SwcError("rules.membership", role=role, value=repr(raw))
    tier = roles.canonical_tier(role, raw, machine.aliases.get(role))
    # A free role and the extent have no bit: they decide nothing.
    return machine.read.setdefault((role, raw), _bits().get((role, tier), 0))


# Checks before use


def check(table: RuleTable | Mapping[str, Any], plan_date: str | None = None) -> list[Finding]:
    """Return what is wrong (error), out of date (warning) or merely proposed (info) in a table.

    Takes a table or a document. Raises SwcError ``rules.plan_date`` for a date that is none.
    """
    document = table.document if isinstance(table, RuleTable) else table
    findings = check_document(document, "rules") or [*_bad_dates(document), *_bad_references(document)]
    if findings:
        return findings
    day = _plan_date(document, plan_date)
    force = {kind: [row for row in document[kind] if _in_force(row, day)] for kind in _KINDS}
    return [
        *_bad_identity(document),
        *_bad_texts(document),
        *_bad_zones(document, force["rules"]),
        *_unreachable(document, force),
        *_outdated(document, force, day),
        *_unproven(force),
    ]


def _rows(document: Row) -> Iterator[tuple[str, Row]]:
    for kind in _KINDS:
        for row in document[kind]:
            yield kind, row


def _bad_dates(document: Row) -> Iterator[Finding]:
    rows = [(row["id"], row) for row in document.get("acts", [])]
    for _, row in _rows(document):
        rows.append((row["id"], row))
        rows += [(row["id"], entry) for entry in row["basis"] if isinstance(entry, Mapping)]
    for id_, row in [*rows, (document["profile"], {"valid_from": document.get("as_of")})]:
        dates = [row[key] for key in ("valid_from", "valid_to") if row.get(key)]
        yield from (Finding("rules.date", {"row": id_, "value": day}) for day in dates if not _is_date(day))
        if len(dates) == 2 and dates[0] > dates[1]:
            yield Finding("rules.dates_reversed", {"row": id_, "first": dates[0], "last": dates[1]})


def _bad_references(document: Row) -> Iterator[Finding]:
    zones = {zone["code"] for zone in document["zones"]}
    measures = {measure["id"] for measure in document["measures"]}
    for rule in document["rules"]:
        if rule["zone"] is not None and rule["zone"] not in zones:
            yield Finding("rules.unknown_zone", {"row": rule["id"], "zone": rule["zone"]})
        for measure in rule["measures"]:
            if measure not in measures:
                yield Finding("rules.unknown_measure", {"row": rule["id"], "measure": measure})
    grade = ("grade", {**document["grade"], "id": "grade"})
    for _, row in [*_rows(document), grade]:
        yield from _bad_acts(row["id"], row["basis"], document)
        for role, tiers in _named_roles(row):
            yield from _bad_role(row["id"], role, tiers)
    yield from _bad_tier_words(document)
    levels = {level["code"] for level in document.get("control_levels", [])}
    for zone in document["zones"]:
        if levels and zone.get("gkdj") not in levels:
            yield Finding("rules.unknown_level", {"row": zone["code"], "level": zone.get("gkdj") or "-"})


def _named_roles(row: Row) -> Iterator[tuple[str, Sequence[str]]]:
    for condition in _conditions(row):
        yield condition["role"], condition["tiers"] or ()
    yield from ((role, ()) for role in row.get("roles_at_least", {}).get("of", ()))
    if "distinct_tiers_at_least" in row:
        yield row["distinct_tiers_at_least"]["role"], ()


def _bad_role(row: str, role_id: str, tiers: Sequence[str]) -> Iterator[Finding]:
    role = roles.find(role_id)
    if role_id not in _role_masks() or role is None:
        yield Finding("rules.unknown_role", {"row": row, "role": role_id, "nearest": roles.nearest(role_id)})
        return
    for tier in tiers:
        if (role_id, tier) not in _bits():
            known = ", ".join(role.tier_ids) or "-"
            yield Finding("rules.unknown_tier", {"row": row, "role": role_id, "tier": tier, "known": known})


def _bad_tier_words(document: Row) -> Iterator[Finding]:
    tiers = document.get("tiers", {})
    for role, words in tiers.get("aliases", {}).items():
        yield from _bad_role("tiers.aliases", role, list(words.values()))
    for role, tier in tiers.get("unknown_counts_as", {}).items():
        yield from _bad_role("tiers.unknown_counts_as", role, [tier])


def _bad_acts(row: str, basis: str | Sequence[Row], document: Row) -> Iterator[Finding]:
    acts = {act["id"] for act in document.get("acts", [])}
    for entry in basis if not isinstance(basis, str) else ():
        if entry["act"] not in acts:
            yield Finding("rules.unknown_act", {"row": row, "act": entry["act"]})


def _bad_identity(document: Row) -> Iterator[Finding]:
    lists = [("zones", "code"), ("zones", "fqdm"), ("acts", "id"), ("control_levels", "code")]
    for kind, key in lists:
        names = [row[key] for row in document.get(kind, []) if key in row]
        for name in sorted({name for name in names if names.count(name) > 1}):
            yield Finding("rules.duplicate", {"row": name})
    versions = defaultdict(list)
    for kind, row in _rows(document):
        versions[kind, row["id"]].append(row)
    for (_, id_), rows in versions.items():
        yield from (_clash(id_, pair) for pair in combinations(rows, 2) if _overlap(*pair))


def _overlap(one: Row, other: Row) -> bool:
    begin = max(one.get("valid_from") or "", other.get("valid_from") or "")
    return begin <= min(one.get("valid_to") or _LATEST, other.get("valid_to") or _LATEST)


def _clash(id_: str, pair: Iterable[Row]) -> Finding:
    dated = any(row.get(key) for row in pair for key in ("valid_from", "valid_to"))
    return Finding("rules.overlap" if dated else "rules.duplicate", {"row": id_})


def _bad_texts(document: Row) -> Iterator[Finding]:
    yield from _untranslated(document, document["profile"])
    grade = {**document["grade"], "id": "grade"}
    for row in [*(row for _, row in _rows(document)), grade]:
        if not row["basis"] or (isinstance(row["basis"], str) and not row["basis"].strip()):
            yield Finding("rules.missing_basis", {"row": row["id"]})


def _untranslated(value: Any, row: str) -> Iterator[Finding]:
    """Yield blank texts, and texts that stand in one language only."""
    if isinstance(value, list):
        for item in value:
            yield from _untranslated(item, row)
    if not isinstance(value, Mapping):
        return
    row = value.get("id") or value.get("code") or row
    for key, text in value.items():
        twin = _twin(key)
        if twin and not text.strip():
            yield Finding("rules.missing_text", {"row": row, "key": key})
        elif twin and twin not in value:
            code = "rules.missing_translation" if key in _TRANSLATED else "rules.missing_text"
            yield Finding(code, {"row": row, "key": twin})
        yield from _untranslated(text, row)


def _twin(key: str) -> str:
    if key in _TRANSLATED:
        return _TRANSLATED[key]
    if key in _TRANSLATED.values():
        return key[: -len("_en")]
    if key.endswith("_zh") and key != "short_zh":
        return key[: -len("zh")] + "en"
    return key[: -len("en")] + "zh" if key.endswith("_en") else ""


def _bad_zones(document: Row, rules: Sequence[Row]) -> Iterator[Finding]:
    zones = document["zones"]
    for one, other in combinations(zones, 2):
        if one["rank"] == other["rank"]:
            yield Finding(
                "rules.rank_shared", {"row": one["code"], "other": other["code"], "rank": one["rank"]}
            )
    used = {rule["zone"] for rule in rules}
    yield from (Finding("rules.zone_unused", {"row": z["code"]}) for z in zones if z["code"] not in used)
    fallbacks = _fallbacks(rules)
    if not fallbacks:
        yield Finding("rules.no_fallback")
    if len(fallbacks) > 1:
        yield Finding("rules.many_fallbacks", {"rows": ", ".join(rule["id"] for rule in fallbacks)})
    for rule in rules:
        if rule["zone"] and not any(_conditions(rule)) and rule not in fallbacks:
            yield Finding("rules.unconditional", {"row": rule["id"]})
    for rule in rules:
        if rule.get("fallback") and (any(_conditions(rule)) or not rule["zone"]):
            yield Finding("rules.fallback_conditions", {"row": rule["id"]})


def _unreachable(document: Row, force: Mapping[str, Sequence[Row]]) -> Iterator[Finding]:
    stand_ins = document.get("tiers", {}).get("unknown_counts_as", {})
    # Rules never see an unknown tier for which another stands in.
    hidden = _union(_bits()[role, roles.UNKNOWN] for role in stand_ins)
    for rule in force["rules"]:
        if not _can_hold(rule, hidden | _any_mask(rule["unless"])):
            yield Finding("rules.never", {"row": rule["id"]})
    for conflict in force["conflicts"]:
        if not _can_hold(conflict, _any_mask(conflict["none_of"])) or not _can_count(conflict):
            yield Finding("rules.never", {"row": conflict["id"]})
    for measure in force["measures"]:
        withheld = hidden | _any_mask(measure["withheld_where"])
        giving = [rule for rule in force["rules"] if measure["id"] in rule["measures"]]
        if not any(_can_hold(rule, withheld | _any_mask(rule["unless"])) for rule in giving):
            yield Finding("rules.measure_unreachable", {"row": measure["id"]})


def _can_hold(row: Row, forbidden: int) -> bool:
    """Return whether some membership meets the conditions with no bit of `forbidden`.

    A piece may have several tiers of a role, so each condition can be met on its own.
    """
    open_any = [condition for condition in row["any_of"] if _mask(condition) & ~forbidden]
    open_all = [condition for condition in row["all_of"] if _mask(condition) & ~forbidden]
    return len(open_all) == len(row["all_of"]) and (bool(open_any) or not row["any_of"])


def _can_count(conflict: Row) -> bool:
    return all(len(set(masks)) >= least for masks, least in _counts(conflict))


def _outdated(document: Row, force: Mapping[str, Sequence[Row]], day: str) -> Iterator[Finding]:
    acts = {act["id"]: act for act in document.get("acts", [])}
    stale: dict[str, list[str]] = defaultdict(list)
    for row in [*(row for rows in force.values() for row in rows), {**document["grade"], "id": "grade"}]:
        cited = _cited(row["basis"], acts, day)
        valid = {one.act for one in cited if one.in_force}
        for act in sorted({one.act for one in cited if not one.in_force}):
            if not any(_succeed(acts, act, other) for other in valid):
                stale[act].append(row["id"])
    for act, rows in stale.items():
        facts = {"act": act, "title": acts[act]["short_zh"], "date": day, "rows": ", ".join(rows)}
        yield Finding("rules.basis_out_of_date", facts)


def _succeed(acts: Mapping[str, Row], one: str, other: str) -> bool:
    """Return whether one of two acts took the other's place (or they are the same act)."""
    return one == other or acts[one].get("replaced_by") == other or acts[other].get("replaced_by") == one


def _unproven(force: Mapping[str, Sequence[Row]]) -> Iterator[Finding]:
    rows = [row["id"] for rows in force.values() for row in rows if row.get("status") == _PROPOSED]
    if rows:
        yield Finding("rules.proposed", {"count": len(rows), "rows": ", ".join(rows)})
