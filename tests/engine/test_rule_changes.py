# SPDX-License-Identifier: GPL-2.0-or-later
"""Weakening what follows from law is told, each way of it; what strengthens is not."""

from __future__ import annotations

import copy
import json

import pytest

from swc_zoning.engine import rule_changes, run


@pytest.fixture
def table():
    return copy.deepcopy(dict(rule_changes.shipped("shanghai")))


def told(document):
    return [
        (f.code, f.facts["row"]) for f in rule_changes.weakened(document, rule_changes.shipped("shanghai"))
    ]


def rule(document, id_):
    return next(row for row in document["rules"] if row["id"] == id_)


def test_the_shipped_table_weakens_nothing(table):
    assert told(table) == []
    assert rule_changes.shipped("no such city") is None
    assert rule_changes.weakened(table, None) == []


def test_a_removed_statutory_rule_measure_and_conflict_are_told(table):
    for key, id_ in (("rules", "R01"), ("measures", "M01"), ("conflicts", "K01"), ("rules", "R11")):
        table[key] = [row for row in table[key] if row["id"] != id_]
    # R11 is a proposal of the table.
    assert told(table) == [
        ("rule_changes.removed", "R01"),
        ("rule_changes.removed", "M01"),
        ("rule_changes.conflict_removed", "K01"),
    ]


@pytest.mark.parametrize(
    ("id_", "change", "code"),
    [
        ("R02", {"zone": "GENERAL"}, "zone_weaker"),
        ("R02", {"zone": None}, "zone_weaker"),
        ("R02", {"measures": ["M02", "M05", "M28"]}, "measures_dropped"),
        ("R02", {"force": "proposed"}, "force_lowered"),
        ("R02", {"valid_to": "2026-12-31"}, "period_shorter"),
        ("R02", {"unless": [{"role": "nature_park", "tiers": None}]}, "narrowed"),
        ("R02", {"all_of": [{"role": "nature_park", "tiers": None}]}, "narrowed"),
        ("R03", {"any_of": [{"role": "ecological_redline", "tiers": ["other"]}]}, "narrowed"),
    ],
)
def test_a_weakened_statutory_rule_is_told(table, id_, change, code):
    rule(table, id_).update(change)
    assert told(table) == [(f"rule_changes.{code}", id_)]


@pytest.mark.parametrize(
    ("id_", "change"),
    [
        ("R06", {"zone": "PROHIBIT"}),
        ("R02", {"measures": ["M01", "M02", "M05", "M28", "M29"]}),
        ("R02", {"any_of": [{"role": "drinking_water_source", "tiers": None}]}),
        ("R02", {"any_of": []}),
        ("R11", {"zone": "GENERAL"}),
    ],
)
def test_what_strengthens_a_rule_or_concerns_a_proposal_is_not_told(table, id_, change):
    rule(table, id_).update(change)
    assert told(table) == []


def test_a_zone_put_below_another_is_told_and_a_new_zone_above_all_is_not(table):
    zones = {zone["code"]: zone for zone in table["zones"]}
    for zone in table["zones"]:
        zone["rank"] += 1
    table["zones"].append({**zones["GENERAL"], "code": "NEW", "rank": 1})
    assert told(table) == []
    zones["PROHIBIT"]["rank"], zones["PREV_STRICT"]["rank"] = (
        zones["PREV_STRICT"]["rank"],
        zones["PROHIBIT"]["rank"],
    )
    assert told(table) == [("rule_changes.zone_lowered", "PROHIBIT")]


def test_a_weakened_measure_and_conflict_are_told(table):
    measure = next(row for row in table["measures"] if row["id"] == "M01")
    measure.update(kind="restrict", withheld_where=[{"role": "nature_park", "tiers": None}])
    next(row for row in table["conflicts"] if row["id"] == "K01")["severity"] = "info"
    assert [code for code, _ in told(table)] == [
        "rule_changes.kind_weaker",
        "rule_changes.withheld",
        "rule_changes.severity_lowered",
    ]


def test_a_weaker_siting_and_a_dropped_ban_of_a_statutory_measure_are_told(table):
    measure = next(row for row in table["measures"] if row.get("bans") and row.get("siting") == "banned")
    id_ = measure["id"]
    measure["siting"] = "avoid"
    assert told(table) == [("rule_changes.siting_weaker", id_)]
    measure.update(siting="banned", bans=[])
    assert told(table) == [("rule_changes.bans_dropped", id_)]


def test_changed_keys_name_what_differs(table):
    base = rule_changes.shipped("shanghai")
    row = rule(table, "R02")
    assert rule_changes.changed_keys("rules", row, base) == frozenset()
    row["zone"] = "GENERAL"
    row["note_zh"] = "x"
    assert rule_changes.changed_keys("rules", row, base) == {"zone", "note_zh"}
    assert rule_changes.changed_keys("rules", {**row, "id": "X1"}, base) == {"*"}


def test_a_job_whose_table_weakens_the_law_says_so_before_and_in_its_result(table, make_job):
    from shapely.geometry import box

    rule(table, "R02")["zone"] = "GENERAL"
    extent = [(box(0, 0, 100, 100), {"code": "1", "name": "a"})]
    path = make_job(extent=extent, drinking_water_source=[(box(0, 0, 50, 50), {"tier": "level1", "id": "1"})])
    job = json.loads(path.read_text(encoding="utf-8"))
    path.with_name("rules.json").write_text(json.dumps(table), encoding="utf-8")
    path.write_text(json.dumps({**job, "rules": "rules.json"}), encoding="utf-8")
    assert "rule_changes.zone_weaker" in {finding.code for finding in run.validate(path)}
    assert "rule_changes.zone_weaker" in {finding.code for finding in run.run(path).findings}
