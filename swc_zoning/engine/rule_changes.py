# SPDX-License-Identifier: GPL-2.0-or-later
"""What a decision table changes against the shipped one, and where it weakens what follows from law.

A row is statutory where its ``force`` says so (a conflict always is). Such a row may be changed, since
law changes, but never in silence: every way of weakening it is a finding.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from swc_zoning.engine import roles
from swc_zoning.engine.messages import Finding
from swc_zoning.paths import resource

Row = Mapping[str, Any]

TABLES = ("zones", "rules", "measures", "conflicts")
_STATUTORY = "statutory"
_NEW = "*"


@lru_cache(maxsize=4)
def shipped(profile: str) -> Mapping[str, Any] | None:
    """Return the shipped table of a profile ("shanghai"), None where there is none. Not to be changed."""
    for path in sorted(resource("rules").glob("*.json")):
        document = json.loads(path.read_text(encoding="utf-8"))
        if document["profile"] == profile:
            return document
    return None


def row_id(table: str, row: Row) -> str:
    """Return what a row of a table ("zones", "rules" ...) is called."""
    return str(row.get("code" if table == "zones" else "id", ""))


def changed_keys(table: str, row: Row, base: Row | None) -> frozenset[str]:
    """Return the keys in which a row differs from the row of the same id in `base`; {"*"} for a new row."""
    if base is None:
        return frozenset()
    before = _by_id(table, base).get(row_id(table, row))
    if before is None:
        return frozenset({_NEW})
    return frozenset(key for key in {*row, *before} if row.get(key, ...) != before.get(key, ...))


def _by_id(table: str, document: Row) -> dict[str, Row]:
    return {row_id(table, row): row for row in document.get(table, ())}


def is_locked(table: str, row: Row) -> bool:
    """Return whether a row follows from law, so that weakening it is told."""
    return table in ("rules", "measures") and row.get("force") == _STATUTORY


def weakened(document: Row, base: Row | None) -> list[Finding]:
    """Return each way in which `document` weakens a statutory row of `base` (``rule_changes.*``).

    Both are documents that `rules.check` finds no fault of form in.
    """
    if base is None:
        return []
    return [
        *_removed(document, base),
        *_zones_lowered(document, base),
        *_rules_weakened(document, base),
        *_measures_weakened(document, base),
        *_conflicts_weakened(document, base),
    ]


def _removed(document: Row, base: Row) -> Iterator[Finding]:
    for table in ("rules", "measures"):
        kept = _by_id(table, document)
        for id_, row in _by_id(table, base).items():
            if is_locked(table, row) and id_ not in kept:
                yield Finding("rule_changes.removed", {"row": id_, "basis": _basis(row)})
    kept = _by_id("conflicts", document)
    for id_, row in _by_id("conflicts", base).items():
        if id_ not in kept:
            yield Finding("rule_changes.conflict_removed", {"row": id_, "basis": _basis(row)})


def _basis(row: Row) -> str:
    basis = row.get("basis_text") or row["basis"]
    return basis if isinstance(basis, str) else "; ".join(f"{e['act']} {e['article']}".strip() for e in basis)


def _pairs(table: str, document: Row, base: Row) -> Iterator[tuple[str, Row, Row]]:
    """Yield (id, row before, row now) of the statutory rows that are in both tables."""
    now = _by_id(table, document)
    for id_, before in _by_id(table, base).items():
        if is_locked(table, before) and id_ in now:
            yield id_, before, now[id_]


# --- zones -----------------------------------------------------------------------------------------


def _zones_lowered(document: Row, base: Row) -> Iterator[Finding]:
    """Yield the zones of statutory rules that came to lie below zones they lay above."""
    statutory = {row["zone"] for row in base["rules"] if is_locked("rules", row) and not row.get("fallback")}
    before, now = _ranks(base), _ranks(document)
    both = [zone for zone in before if zone in now]
    for zone in both:
        above = [one for one in both if before[one] > before[zone] and now[one] < now[zone]]
        if zone in statutory and above:
            yield Finding("rule_changes.zone_lowered", {"row": zone, "above": ", ".join(above)})


def _ranks(document: Row) -> dict[str, int]:
    return {zone["code"]: zone["rank"] for zone in document["zones"]}


# --- rules -----------------------------------------------------------------------------------------


def _rules_weakened(document: Row, base: Row) -> Iterator[Finding]:
    ranks, old_ranks = _ranks(document), _ranks(base)
    for id_, before, now in _pairs("rules", document, base):
        yield from _force_lowered(id_, before, now)
        if now["zone"] != before["zone"] and _is_lower(before["zone"], now["zone"], ranks, old_ranks):
            facts = {
                **_zone_names("before", before["zone"], base),
                **_zone_names("now", now["zone"], document),
            }
            yield Finding("rule_changes.zone_weaker", {"row": id_, **facts})
        lost = _narrowed(before, now)
        if lost:
            yield Finding("rule_changes.narrowed", {"row": id_, "lost": ", ".join(lost)})
        dropped = [measure for measure in before["measures"] if measure not in now["measures"]]
        if dropped:
            yield Finding("rule_changes.measures_dropped", {"row": id_, "measures": ", ".join(dropped)})


def _zone_names(role: str, code: str | None, document: Row) -> dict[str, str]:
    zone = next((zone for zone in document["zones"] if zone["code"] == code), {})
    return {f"{role}_{lang}": zone.get(f"name_{lang}") or code or "-" for lang in ("zh", "en")}


def _is_lower(before: str | None, now: str | None, ranks: Mapping[str, int], old: Mapping[str, int]) -> bool:
    if before is None:
        return False
    if now is None or before not in ranks:
        return True
    return ranks.get(now, old.get(now, 0)) > ranks[before]


def _force_lowered(id_: str, before: Row, now: Row) -> Iterator[Finding]:
    if now.get("force") != _STATUTORY:
        yield Finding("rule_changes.force_lowered", {"row": id_})
    for key, sooner in (("valid_to", True), ("valid_from", False)):
        old, new = before.get(key) or "", now.get(key) or ""
        if new and (not old or (new < old) == sooner) and new != old:
            yield Finding("rule_changes.period_shorter", {"row": id_, "key": key, "date": new})


def _narrowed(before: Row, now: Row) -> list[str]:
    """Return the conditions by which a rule holds on less land than before."""
    any_before, any_now = _pairs_of(before["any_of"]), _pairs_of(now["any_of"])
    lost = [f"any_of - {one}" for one in sorted(any_before - any_now)] if any_now else []
    if any_now and not any_before:
        lost += [f"any_of + {one}" for one in sorted(any_now)]
    lost += [f"all_of + {_told(one)}" for one in now["all_of"] if not _covered(one, before["all_of"])]
    lost += [f"unless + {one}" for one in sorted(_pairs_of(now["unless"]) - _pairs_of(before["unless"]))]
    return lost


def _covered(condition: Row, others: list[Row]) -> bool:
    """Return whether one of `others` already asks at least as much as `condition`."""
    wide = _pairs_of([condition])
    return any(_pairs_of([other]) <= wide for other in others)


def _pairs_of(conditions: list[Row]) -> frozenset[str]:
    return frozenset(
        f"{condition['role']}:{tier}" for condition in conditions for tier in _tiers_of(condition)
    )


def _tiers_of(condition: Row) -> tuple[str, ...]:
    if condition["tiers"] is not None:
        return tuple(condition["tiers"])
    role = roles.find(condition["role"])
    return (*role.tier_ids, roles.UNKNOWN) if role and role.tiers else ("",)


def _told(condition: Row) -> str:
    return f"{condition['role']}:{','.join(condition['tiers'])}" if condition["tiers"] else condition["role"]


# --- measures and conflicts ------------------------------------------------------------------------

_SITING = {"banned": 4, "exception": 3, "avoid": 2, "conditional": 1}
_STRENGTH = {"prohibit": 3, "approve": 2, "restrict": 2, "require": 1}


def _measures_weakened(document: Row, base: Row) -> Iterator[Finding]:
    for id_, before, now in _pairs("measures", document, base):
        yield from _force_lowered(id_, before, now)
        if _STRENGTH[now["kind"]] < _STRENGTH[before["kind"]]:
            facts = {"row": id_, "before": before["kind"], "now": now["kind"]}
            yield Finding("rule_changes.kind_weaker", facts)
        if _SITING.get(now.get("siting", ""), 0) < _SITING.get(before.get("siting", ""), 0):
            facts = {"row": id_, "before": before["siting"], "now": now.get("siting", "-")}
            yield Finding("rule_changes.siting_weaker", facts)
        bans = {ban["kind"] for ban in before.get("bans", ())} - {ban["kind"] for ban in now.get("bans", ())}
        if bans:
            yield Finding("rule_changes.bans_dropped", {"row": id_, "sites": ", ".join(sorted(bans))})
        more = _pairs_of(now["withheld_where"]) - _pairs_of(before["withheld_where"])
        if more:
            yield Finding("rule_changes.withheld", {"row": id_, "where": ", ".join(sorted(more))})


def _conflicts_weakened(document: Row, base: Row) -> Iterator[Finding]:
    order = ("info", "warn", "error")
    now = _by_id("conflicts", document)
    for id_, before in _by_id("conflicts", base).items():
        row = now.get(id_)
        if row is not None and order.index(row["severity"]) < order.index(before["severity"]):
            facts = {"row": id_, "before": before["severity"], "now": row["severity"]}
            yield Finding("rule_changes.severity_lowered", facts)
