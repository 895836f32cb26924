# SPDX-License-Identifier: GPL-2.0-or-later
"""Decision tables: the shipped law decides as worked out by hand, and a bad table is refused."""

import json
import random
import re
import time
from copy import deepcopy
from itertools import permutations
from pathlib import Path

import jsonschema
import pytest

from swc_zoning.engine import roles, rules
from swc_zoning.engine.messages import Blocked, SwcError
from swc_zoning.paths import resource

DEFAULT = Path(__file__).resolve().parents[2].parent / "shared" / "rules" / "shanghai-default.json"
TABLES = ["shanghai.json", "hilly-example.json"]
SHANGHAI = rules.load()
HILLY = rules.load(resource("rules", "hilly-example.json"))
CORE, LEVEL1, LEVEL2 = "core_protection", "level1", "level2"


def document(name="shanghai.json"):
    return json.loads(resource("rules", name).read_text(encoding="utf-8"))


def random_memberships(count, seed, unknown=False):
    chance = random.Random(seed)
    known = [role for role in roles.all_roles() if role.tiers]
    for _ in range(count):
        yield {
            role.id: chance.sample(choices, min(len(choices), chance.choice((1, 1, 1, 2))))
            for role in chance.sample(known, chance.randint(0, 8))
            for choices in [role.tier_ids + (("unknown",) if unknown else ())]
        }


# Worked cases

WORKED = [
    ("T01", {"nature_reserve": CORE, "ecological_redline": "biodiversity", "important_wetland": "national"},
     "PROHIBIT", "R01", "", 1, "M01 M09 M12 M21 M27 M28"),
    ("T02", {"nature_reserve": CORE, "ecological_redline": "biodiversity", "permanent_basic_farmland": "pbf"},
     "PROHIBIT", "R01", "K01", 1, "M01 M12 M21 M27 M28"),
    ("T03", {"drinking_water_source": LEVEL1, "ecological_redline": "water_conservation"},
     "PROHIBIT", "R02", "", 1, "M02 M05 M06 M12 M21 M27 M28 M29"),
    ("T04", {"drinking_water_source": LEVEL2, "permanent_basic_farmland": "pbf"},
     "PREV_STRICT", "R06", "", 1, "M03 M05 M18 M19 M21 M27 M28"),
    ("T05", {"drinking_water_source": LEVEL2, "urban_development_boundary": "concentrated"},
     "PREV_STRICT", "R06", "K08", 1, "M03 M05 M21 M23 M28 M29"),
    ("T06", {"nature_park": "forest_park", "urban_development_boundary": "special_use"},
     "PREV_STRICT", "R05", "K06 K12", 1, "M08 M12 M21 M23 M28"),
    ("T07", {"nature_park": "wetland_park", "nature_reserve": "general_control",
             "ecological_redline": "biodiversity"},
     "PREV_STRICT", "R03 R04 R05", "K09", 1, "M06 M07 M08 M12 M21 M27 M28"),
    ("T08", {"ecological_redline": "water_conservation", "soil_erosion": "moderate",
             "river_lake_management": "river"},
     "PREV_STRICT", "R03", "K17", 2, "M06 M12 M21 M22 M24 M27"),
    ("T09", {"urban_development_boundary": "concentrated", "ecological_redline": "biodiversity"},
     "PREV_STRICT", "R03", "K04", 1, "M06 M12 M21 M23 M27"),
    ("T10", {"drinking_water_source": "quasi", "key_prevention_zone": "municipal",
             "permanent_basic_farmland": "pbf"},
     "PREV_GENERAL", "R09 R10", "", 1, "M04 M05 M10 M11 M12 M18 M19 M20 M21 M27"),
]  # fmt: skip


@pytest.mark.parametrize(("case", "membership", "zone", "decisive", "conflicts", "grade", "measures"), WORKED)
def test_worked_cases_are_decided_as_worked_out(case, membership, zone, decisive, conflicts, grade, measures):
    answer = rules.decide(SHANGHAI, membership)
    assert answer["zone"] == zone
    assert answer["status"] == "confirmed"
    assert answer["decisive"] == decisive.split()
    assert answer["conflicts"] == conflicts.split()
    assert answer["grade"] == grade
    assert answer["measures"] == measures.split()


def test_the_shipped_table_keeps_every_decision_of_the_agreed_default():
    if not DEFAULT.exists():
        pytest.skip("agreed default not at hand")
    agreed = json.loads(DEFAULT.read_text(encoding="utf-8"))
    shipped = document()
    assert shipped["tiers"] == agreed["tiers"]
    assert shipped["grade"]["grade_one_where"] == agreed["grade"]["grade_one_where"]
    for kind in ("zones", "measures", "rules", "conflicts"):
        for ours, theirs in zip(shipped[kind], agreed[kind]):
            assert {key: ours[key] for key in theirs if key not in ("basis", "note")} == {
                key: value for key, value in theirs.items() if key not in ("basis", "note")
            }
            assert ours.get("basis_text") == theirs.get("basis")
        assert len(shipped[kind]) == len(agreed[kind])


def test_a_table_with_plain_texts_for_basis_decides_alike():
    if not DEFAULT.exists():
        pytest.skip("agreed default not at hand")
    plain = rules.load(DEFAULT)
    keys = ("zone", "status", "decisive", "rules", "measures", "conflicts", "grade")
    for membership in random_memberships(500, seed=5, unknown=True):
        ours, theirs = rules.decide(SHANGHAI, membership), rules.decide(plain, membership)
        assert {key: ours[key] for key in keys} == {key: theirs[key] for key in keys}


# An independent reading of a table, slow and plain


def naive(doc, membership):
    stand_in = doc["tiers"]["unknown_counts_as"]
    literal = {role: set(tiers) for role, tiers in membership.items()}
    seen = {
        role: {stand_in.get(role, t) if t == "unknown" else t for t in ts} for role, ts in literal.items()
    }
    both = {role: literal[role] | seen[role] for role in literal}

    def has(facts, condition):
        tiers = facts.get(condition["role"], set())
        return bool(tiers) if condition["tiers"] is None else bool(tiers & set(condition["tiers"]))

    def meets(facts, row, refused):
        return (
            (not row["any_of"] or any(has(facts, c) for c in row["any_of"]))
            and all(has(facts, c) for c in row["all_of"])
            and not any(has(facts, c) for c in row[refused])
        )

    hits = [r for r in doc["rules"] if not r.get("fallback") and meets(seen, r, "unless")]
    if not any(r["zone"] for r in hits):
        hits += [r for r in doc["rules"] if r.get("fallback")]
    rank = {zone["code"]: zone["rank"] for zone in doc["zones"]}
    zone = min((r["zone"] for r in hits if r["zone"]), key=rank.get)
    withheld = {m["id"] for m in doc["measures"] if any(has(seen, c) for c in m["withheld_where"])}

    def conflict(row):
        enough = row.get("roles_at_least", {"of": [], "at_least": 0})
        many = row.get("distinct_tiers_at_least", {"role": "", "at_least": 0})
        return (
            meets(both, row, "none_of")
            and sum(role in literal for role in enough["of"]) >= enough["at_least"]
            and len(literal.get(many["role"], ())) >= many["at_least"]
        )

    return {
        "zone": zone,
        "decisive": sorted(r["id"] for r in hits if r["zone"] == zone),
        "rules": sorted(r["id"] for r in hits),
        "measures": sorted({m for r in hits for m in r["measures"]} - withheld),
        "conflicts": sorted(row["id"] for row in doc["conflicts"] if conflict(row)),
        "grade": 1
        if any(has(seen, c) for c in doc["grade"]["grade_one_where"])
        else doc["grade"]["otherwise"],
    }


def leads_elsewhere(doc, membership, zone):
    """Return whether some completion of the unknown tiers leads to another zone than `zone`."""
    for role, tiers in membership.items():
        if "unknown" in tiers:
            known = [tier for tier in tiers if tier != "unknown"]
            completions = ({**membership, role: [*known, tier]} for tier in roles.find(role).tier_ids)
            return any(leads_elsewhere(doc, completion, zone) for completion in completions)
    return naive(doc, membership)["zone"] != zone


@pytest.mark.parametrize("name", TABLES)
def test_decisions_agree_with_a_plain_reading_of_the_table(name):
    doc, table = document(name), rules.load(resource("rules", name))
    for membership in random_memberships(1500, seed=1, unknown=True):
        expected = naive(doc, membership)
        answer = rules.decide(table, membership)
        assert {key: answer[key] for key in expected} == expected, membership


@pytest.mark.parametrize("name", TABLES)
def test_pending_means_that_some_completion_leads_to_another_zone(name):
    doc, table = document(name), rules.load(resource("rules", name))
    seen = set()
    for membership in random_memberships(120, seed=2, unknown=True):
        zone = naive(doc, membership)["zone"]
        status = rules.decide(table, membership)["status"]
        assert status == ("pending" if leads_elsewhere(doc, membership, zone) else "confirmed"), membership
        seen.add(status)
    assert seen == {"pending", "confirmed"}


# Properties


def test_the_order_of_roles_and_tiers_does_not_matter():
    membership = {
        "drinking_water_source": [LEVEL2, LEVEL1],
        "ecological_redline": "other",
        "soil_erosion": "light",
    }
    answers = [
        rules.decide(SHANGHAI, {role: membership[role] for role in order})
        for order in permutations(membership)
    ]
    answers.append(rules.decide(SHANGHAI, {**membership, "drinking_water_source": [LEVEL1, LEVEL2]}))
    assert all(answer == answers[0] for answer in answers)


def test_the_order_of_rows_does_not_matter():
    doc = document()
    for kind in ("zones", "measures", "rules", "conflicts", "acts"):
        random.Random(3).shuffle(doc[kind])
    shuffled = rules.load(doc)
    for membership in random_memberships(300, seed=4, unknown=True):
        assert rules.decide(shuffled, membership) == rules.decide(SHANGHAI, membership)


def test_another_layer_never_makes_a_piece_laxer_but_where_a_rule_says_unless():
    ranks = {zone["code"]: zone["rank"] for zone in document()["zones"]}
    yielded = 0
    for membership in random_memberships(500, seed=6):
        before = rules.decide(SHANGHAI, membership)
        for role in roles.all_roles():
            for tier in role.tier_ids:
                more = {**membership, role.id: [*membership.get(role.id, []), tier]}
                after = rules.decide(SHANGHAI, more)
                if ranks[after["zone"]] > ranks[before["zone"]]:
                    yielded += 1
                    assert set(before["rules"]) - set(after["rules"]) == {"R22"}
                    assert before["decisive"] == ["R22"]
    assert yielded > 0


def test_every_piece_owes_the_measure_for_small_works_and_none_that_is_withheld():
    withheld = {m["id"]: m["withheld_where"] for m in document()["measures"]}
    for membership in random_memberships(1500, seed=7):
        owed = rules.decide(SHANGHAI, membership)["measures"]
        assert "M21" in owed
        for measure in owed:
            for condition in withheld[measure]:
                tiers = membership.get(condition["role"], [])
                assert not (set(tiers) & set(condition["tiers"] or tiers)), (measure, membership)


@pytest.mark.parametrize("table", [SHANGHAI, HILLY], ids=TABLES)
def test_every_rule_and_every_zone_can_decide(table):
    reached = set()
    for rule in table.rules.values():
        for first in rule["any_of"] or [None]:
            conditions = [*rule["all_of"], *([first] if first else [])]
            membership = {c["role"]: (c["tiers"] or roles.find(c["role"]).tier_ids)[0] for c in conditions}
            answer = rules.decide(table, membership)
            assert rule["id"] in answer["rules"]
            reached.add(answer["zone"])
    assert reached == set(table.zones)


def test_the_engine_holds_no_law():
    source = Path(rules.__file__).read_text(encoding="utf-8")
    words = {role.id for role in roles.all_roles()}
    for name in TABLES:
        doc = document(name)
        words |= {
            row[key]
            for kind, key in (("zones", "code"), ("measures", "id"), ("rules", "id"))
            for row in doc[kind]
        }
        words |= {row["id"] for row in doc["conflicts"] + doc["acts"]}
    assert [word for word in words if re.search(rf"\b{word}\b", source)] == []


def test_a_decision_takes_microseconds():
    memberships = list(random_memberships(2000, seed=8, unknown=True))
    rules.decide_many(SHANGHAI, memberships)
    begin = time.process_time()
    rules.decide_many(SHANGHAI, memberships)
    assert (time.process_time() - begin) / len(memberships) < 250e-6


# Membership


def test_a_membership_may_be_written_in_every_form_of_the_contract():
    forms = [
        LEVEL1,
        [LEVEL1],
        {"tier": LEVEL1, "id": 7, "name": "青草沙"},
        [{"tier": LEVEL1}],
        "一级",
        1,
        "1",
    ]
    answers = [rules.decide(SHANGHAI, {"drinking_water_source": form}) for form in forms]
    assert all(answer == answers[0] for answer in answers)
    assert answers[0]["decisive"] == ["R02"]


def test_legacy_reserve_tiers_are_read_through_the_table():
    for word, tier in (("core", CORE), ("buffer", CORE), ("实验区", "general_control")):
        assert rules.decide(SHANGHAI, {"nature_reserve": word}) == rules.decide(
            SHANGHAI, {"nature_reserve": tier}
        )


def test_nothing_free_roles_and_empty_lists_fall_back():
    bare = rules.decide(SHANGHAI, {})
    assert (bare["zone"], bare["decisive"], bare["rules"]) == ("GENERAL", ["R24"], ["R24", "R27"])
    assert (bare["force"], bare["grade"], bare["measures"]) == ("proposed", 2, ["M21"])
    for membership in ({"my_parcels": "A"}, {"ecological_redline": []}, {"admin_extent": None}):
        assert rules.decide(SHANGHAI, membership) == bare


def test_all_tiers_of_a_piece_count():
    answer = rules.decide(SHANGHAI, {"drinking_water_source": [LEVEL1, LEVEL2]})
    assert {"R02", "R06"} <= set(answer["rules"])
    assert {"M02", "M03"} <= set(answer["measures"])
    assert "K18" in answer["conflicts"]
    assert "K18" not in rules.decide(SHANGHAI, {"drinking_water_source": [LEVEL1, "一级"]})["conflicts"]


@pytest.mark.parametrize(
    "membership",
    [
        {"Bad Role": "x"},
        {"nature_park": [["x"]]},
        {"nature_park": [object()]},
        ["nature_park"],
        None,
        {3: "x"},
    ],
)
def test_a_malformed_membership_is_refused(membership):
    with pytest.raises(SwcError) as caught:
        rules.decide(SHANGHAI, membership)
    assert caught.value.code == "rules.membership"


def test_many_memberships_are_answered_in_order():
    answers = rules.decide_many(SHANGHAI, [{"nature_park": "geopark"}, {}])
    assert [answer["zone"] for answer in answers] == ["PREV_STRICT", "GENERAL"]


# Unknown tiers


@pytest.mark.parametrize(
    ("membership", "zone", "status", "reported"),
    [
        ({"drinking_water_source": None}, "PROHIBIT", "pending", True),
        ({"nature_reserve": "？"}, "PROHIBIT", "pending", True),
        ({"nature_reserve": CORE, "drinking_water_source": "unknown"}, "PROHIBIT", "confirmed", True),
        ({"urban_development_boundary": "unknown"}, "URBAN_SUPERV", "pending", False),
        (
            {"urban_development_boundary": "unknown", "nature_park": "geopark"},
            "PREV_STRICT",
            "confirmed",
            False,
        ),
        ({"important_wetland": "unknown"}, "GENERAL", "pending", False),
        ({"ecological_redline": "unknown"}, "PREV_STRICT", "confirmed", False),
        (
            {"erosion_prone_area": "hill", "urban_development_boundary": "unknown"},
            "URBAN_SUPERV",
            "pending",
            False,
        ),
    ],
)
def test_an_unknown_tier_counts_as_the_strictest_and_is_pending_where_it_matters(
    membership, zone, status, reported
):
    answer = rules.decide(SHANGHAI, membership)
    assert (answer["zone"], answer["status"]) == (zone, status)
    assert ("K19" in answer["conflicts"]) is reported


def test_an_unknown_tier_stands_in_for_measures_grade_and_conflicts():
    answer = rules.decide(SHANGHAI, {"nature_reserve": "unknown", "permanent_basic_farmland": "pbf"})
    assert {"K01", "K19"} <= set(answer["conflicts"])
    assert "M01" in answer["measures"]
    assert "M18" not in answer["measures"]
    assert "K18" not in rules.decide(SHANGHAI, {"drinking_water_source": "unknown"})["conflicts"]


# Absences


def test_an_absence_is_not_evaluable_where_the_missed_layer_was_not_given():
    membership, given = {"important_wetland": "national"}, {"important_wetland"}
    assert rules.not_evaluable(SHANGHAI, given) == ["K11", "K12", "K13"]
    assert rules.not_evaluable(SHANGHAI, given | {"ecological_redline"}) == []
    assert rules.decide(SHANGHAI, membership)["conflicts"] == ["K11"]
    assert rules.decide(SHANGHAI, membership, given)["conflicts"] == []
    assert rules.decide_many(SHANGHAI, [membership], given | {"ecological_redline"})[0]["conflicts"] == [
        "K11"
    ]


def test_other_conflicts_need_no_layer_of_exemptions():
    membership = {"urban_development_boundary": "flexible", "ecological_redline": "other"}
    assert rules.decide(SHANGHAI, membership, set(membership))["conflicts"] == ["K04"]


# Basis, force and dates


def test_the_answer_names_the_articles_of_all_matching_rules():
    answer = rules.decide(SHANGHAI, {"drinking_water_source": LEVEL1})
    assert answer["basis"] == sorted(["法典319", "上海饮水条例11", "法典897(3)", "法典904", "水保法38"])
    assert answer["force"] == "statutory"


def test_articles_of_standards_and_models_read_as_cited():
    assert "GB/T50434-2018 4.0.1(1)" in SHANGHAI.basis(SHANGHAI.rules["R13"])
    assert "重庆水保办法11(参照)" in SHANGHAI.basis(SHANGHAI.rules["R13"])


def test_an_earlier_plan_date_rests_on_the_law_of_its_day():
    earlier = rules.load(plan_date="2026-01-10")
    assert "水污染防治法65" in rules.decide(earlier, {"drinking_water_source": LEVEL1})["basis"]
    assert rules.decide(earlier, {"nature_reserve": CORE})["basis"][0] == "水保法38"
    assert earlier.basis(earlier.rules["R01"]) == ("自然保护区条例(2017)26-32",)
    stale = {f.facts["act"]: f for f in rules.check(earlier, "2026-01-10") if f.severity == "warning"}
    assert set(stale) == {"eco_code"}
    assert "R03" in stale["eco_code"].facts["rows"]
    assert "R02" not in stale["eco_code"].facts["rows"].split(", ")


def test_each_plan_date_gets_its_version_of_a_rule():
    doc = document("hilly-example.json")
    old = next(row for row in doc["rules"] if row["id"] == "H07")
    doc["rules"].append({**deepcopy(old), "measures": ["N02", "N07"], "valid_from": "2028-01-01"})
    old["valid_to"] = "2027-12-31"
    owed = {
        day: rules.decide(rules.load(doc, day), {"permanent_basic_farmland": "pbf"})["measures"]
        for day in (None, "2027-12-31", "2028-01-01", "2030-01-01")
    }
    assert owed[None] == owed["2027-12-31"] == ["N07", "N09"]
    assert owed["2028-01-01"] == owed["2030-01-01"] == ["N02", "N07", "N09"]


def test_an_article_that_another_of_its_act_replaced_is_no_stale_basis():
    doc = document("hilly-example.json")
    old = {"act": "eco_code", "article": "1", "valid_to": "2026-09-01"}
    change("H07", basis=[old, {"act": "eco_code", "article": "2"}])(doc)
    assert [f.code for f in rules.check(doc) if f.severity != "info"] == []
    assert rules.load(doc).basis(row(doc, "H07")) == ("法典2",)


def test_a_tier_that_another_stands_in_for_is_not_seen_by_the_grade():
    doc = document("hilly-example.json")
    doc["grade"]["grade_one_where"] = [condition("drinking_water_source", "unknown")]
    assert rules.decide(rules.load(doc), {"drinking_water_source": "unknown"})["grade"] == 2


def test_a_rule_of_the_tables_own_judgement_is_marked_as_proposed():
    assert rules.decide(SHANGHAI, {"steep_slope_ban": "ge25"})["force"] == "proposed"
    assert (
        rules.decide(SHANGHAI, {"steep_slope_ban": "ge25", "key_prevention_zone": "county"})["force"]
        == "proposed"
    )
    assert rules.decide(SHANGHAI, {"key_prevention_zone": "county"})["force"] == "statutory"


# Another city


def test_a_hilly_city_ranks_treatment_first_without_any_change_of_code():
    membership = {"key_prevention_zone": "county", "key_treatment_zone": "county"}
    assert rules.decide(SHANGHAI, membership)["zone"] == "PREV_GENERAL"
    hilly = rules.decide(HILLY, membership)
    assert (hilly["zone"], hilly["decisive"], hilly["conflicts"]) == ("TREATMENT", ["H02"], ["C02"])


@pytest.mark.parametrize(
    ("membership", "zone", "measures", "conflicts"),
    [
        ({"geohazard_area": "滑坡", "steep_slope_ban": "25度以上"}, "TREATMENT", "N02 N03 N04 N09", ""),
        ({"steep_slope_ban": "ge25", "permanent_basic_farmland": None}, "PREV_GENERAL", "N04 N07 N09", "C01"),
        ({"steep_slope_ban": "lower"}, "GENERAL", "N09", ""),
        ({"soil_erosion": "剧烈"}, "TREATMENT", "N02 N09", ""),
        ({"soil_erosion": "剧烈", "ecological_redline": "其他"}, "PREV_GENERAL", "N05 N06 N09", ""),
        ({"nature_reserve": "核心区", "permanent_basic_farmland": "pbf"}, "PROHIBIT", "N01 N09", ""),
        ({"erosion_prone_area": "山区"}, "GENPREV", "N08 N09", ""),
        (
            {"nature_park": "geopark", "national_park": "general_control"},
            "PREV_GENERAL",
            "N05 N06 N09",
            "C03 C04",
        ),
    ],
)
def test_a_hilly_city_is_decided_by_its_own_table(membership, zone, measures, conflicts):
    answer = rules.decide(HILLY, membership)
    assert answer["zone"] == zone
    assert answer["measures"] == measures.split()
    assert answer["conflicts"] == conflicts.split()


# Checks before use


@pytest.mark.parametrize("name", TABLES)
def test_shipped_tables_pass_and_follow_the_published_schema(name):
    findings = rules.check(document(name))
    assert [f.code for f in findings] == ["rules.proposed"]
    schema = json.loads(resource("schemas", "rules.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.Draft202012Validator(schema).validate(document(name))


def test_every_text_of_the_shipped_tables_is_in_both_languages_and_every_row_is_graded():
    for name in TABLES:
        doc = document(name)
        for kind in ("measures", "rules", "conflicts"):
            assert all(row["status"] in ("verified", "proposed") and row["basis"] for row in doc[kind])
        assert all(row["settling_rule_en"] for row in doc["conflicts"])
        assert all(row["department_en"] for row in doc["measures"])
        assert all(zone["fqdm"][:2] == zone["gkdj"] for zone in doc["zones"])


def row(doc, id_):
    return next(
        row
        for kind in ("zones", "measures", "rules", "conflicts")
        for row in doc[kind]
        if id_ in row.values()
    )


def change(path, **values):
    def apply(doc):
        row(doc, path).update(values)

    return apply


def add(kind, source, **values):
    def apply(doc):
        doc[kind].append({**deepcopy(row(doc, source)), **values})

    return apply


def remove(kind, id_):
    def apply(doc):
        doc[kind].remove(row(doc, id_))

    return apply


def condition(role, *tiers):
    return {"role": role, "tiers": list(tiers) or None}


FARM = condition("permanent_basic_farmland")
BROKEN = {
    "schema.unknown_key": change("H01", prioritie=1),
    "schema.missing": lambda doc: row(doc, "N01").pop("text_en"),
    "rules.unknown_role": change("H02", any_of=[condition("key_treatment_zon")]),
    "rules.unknown_tier": change("H02", any_of=[condition("key_treatment_zone", "village")]),
    "rules.unknown_measure": change("H02", measures=["N99"]),
    "rules.unknown_zone": change("H02", zone="NOWHERE"),
    "rules.unknown_act": change("H02", basis=[{"act": "no_such_law", "article": "1"}]),
    "rules.unknown_level": change("GENERAL", gkdj="09"),
    "rules.date": change("H02", valid_from="2026-02-30"),
    "rules.dates_reversed": change("H02", valid_from="2026-02-02", valid_to="2026-02-01"),
    "rules.duplicate": add("rules", "H02"),
    "rules.overlap": add("rules", "H02", valid_from="2026-01-01"),
    "rules.missing_text": change("N01", text_en="  "),
    "rules.missing_translation": lambda doc: row(doc, "C01").pop("settling_rule_en"),
    "rules.missing_basis": change("C01", basis=[]),
    "rules.rank_shared": change("TREATMENT", rank=3),
    "rules.zone_unused": add("zones", "GENERAL", code="SPARE", rank=9, fqdm="0409"),
    "rules.no_fallback": change("H09", any_of=[FARM], fallback=False),
    "rules.many_fallbacks": add("rules", "H09", id="H12"),
    "rules.fallback_conditions": change("H09", any_of=[FARM]),
    "rules.unconditional": change("H08", any_of=[]),
    "rules.never": change("H08", unless=[condition("erosion_prone_area")]),
    "rules.measure_unreachable": add("measures", "N01", id="N99"),
    "rules.basis_out_of_date": change(
        "H07", basis=[{"act": "eco_code", "article": "1", "valid_to": "2026-09-01"}]
    ),
}


@pytest.mark.parametrize("code", BROKEN)
def test_each_fault_of_a_table_is_found_and_nothing_else(code):
    doc = document("hilly-example.json")
    BROKEN[code](doc)
    found = [f for f in rules.check(doc) if f.severity != "info"]
    assert {f.code for f in found} == {code}
    assert found[0].sentence("zh")
    assert found[0].sentence("en")
    if found[0].severity == "error":
        with pytest.raises(Blocked) as caught:
            rules.load(doc)
        assert found[0] in caught.value.findings


@pytest.mark.parametrize(
    "values",
    [
        {
            "any_of": [condition("nature_park", "geopark")],
            "unless": [condition("nature_park", "geopark", "forest_park")],
        },
        {"any_of": [], "all_of": [FARM, condition("nature_park")], "unless": [FARM]},
        {"any_of": [{"role": "nature_park", "tiers": []}]},
        {"any_of": [condition("drinking_water_source", "unknown")]},
    ],
)
def test_conditions_that_exclude_one_another_are_found(values):
    doc = document("hilly-example.json")
    change("H08", **values)(doc)
    assert [f.facts["row"] for f in rules.check(doc) if f.code == "rules.never"] == ["H08"]


def test_a_measure_withheld_wherever_its_rule_holds_is_found():
    doc = document("hilly-example.json")
    change("N07", withheld_where=[FARM])(doc)
    assert [(f.code, f.facts["row"]) for f in rules.check(doc) if f.severity == "error"] == [
        ("rules.measure_unreachable", "N07")
    ]


def test_a_conflict_that_cannot_occur_is_found():
    doc = document("hilly-example.json")
    change("C03", roles_at_least={"of": ["nature_park", "nature_park"], "at_least": 2})(doc)
    assert [(f.code, f.facts["row"]) for f in rules.check(doc) if f.severity == "error"] == [
        ("rules.never", "C03")
    ]


def test_all_faults_are_told_at_once():
    doc = document("hilly-example.json")
    for code in ("rules.rank_shared", "rules.missing_basis", "rules.measure_unreachable"):
        BROKEN[code](doc)
    assert {f.code for f in rules.check(doc) if f.severity == "error"} == {
        "rules.rank_shared", "rules.missing_basis", "rules.measure_unreachable",
    }  # fmt: skip


def test_a_broken_stand_in_for_unknown_tiers_is_found():
    doc = document()
    doc["tiers"]["unknown_counts_as"]["drinking_water_source"] = "level9"
    assert [f.code for f in rules.check(doc)] == ["rules.unknown_tier"]


@pytest.mark.parametrize("content", [None, "{", "[]"])
def test_a_file_that_is_no_table_is_refused(tmp_path, content):
    path = tmp_path / "table.json"
    if content is not None:
        path.write_text(content, encoding="utf-8")
    with pytest.raises(SwcError) as caught:
        rules.load(path)
    assert caught.value.code == ("run.blocked" if content == "[]" else "rules.unreadable")


@pytest.mark.parametrize("day", ["2026-13-01", "today", "20260101"])
def test_a_plan_date_that_is_none_is_refused(day):
    with pytest.raises(SwcError) as caught:
        rules.load(plan_date=day)
    assert caught.value.code == "rules.plan_date"
