# SPDX-License-Identifier: GPL-2.0-or-later
"""Another decision table on a written result says what a fresh run with that table says."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from swc_zoning.engine import redecide, rules, run
from swc_zoning.engine.messages import SwcError
from swc_zoning.paths import resource

ROOT = Path(__file__).resolve().parents[2]
TABLES = ("total", "by_zone", "by_district", "by_land", "crosstab")


def edited_table():
    """The shipped table with strict prevention before prohibition, and two rules that lead elsewhere."""
    document = json.loads(resource("rules", "shanghai.json").read_text(encoding="utf-8"))
    ranks = {"PROHIBIT": 2, "PREV_STRICT": 1}
    for zone in document["zones"]:
        zone["rank"] = ranks.get(zone["code"], zone["rank"])
    zones = {"R14": "GENPREV", "R05": "PREV_GENERAL"}
    for rule in document["rules"]:
        rule["zone"] = zones.get(rule["id"], rule["zone"])
    return document


@pytest.fixture(scope="module")
def edited(tmp_path_factory):
    path = tmp_path_factory.mktemp("rules") / "edited.json"
    path.write_text(json.dumps(edited_table()), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def zoning(city_zoning):
    return city_zoning


@pytest.fixture(scope="module")
def written(zoned_city):
    return zoned_city


@pytest.fixture(scope="module")
def fresh(city, edited):
    """A fresh run of the same layers with the edited table."""
    document = json.loads((city / "job.json").read_text(encoding="utf-8"))
    path = city / "edited_job.json"
    path.write_text(json.dumps({**document, "rules": str(edited)}), encoding="utf-8")
    return run.run(path)


def table_of(zoning, edited):
    return rules.load(edited, zoning.table.plan_date)


def same(found, meant):
    """Compare rows: plane and ellipsoidal areas are summed in another order, all else is exact."""
    if isinstance(meant, dict):
        return found.keys() == meant.keys() and all(same(found[key], meant[key]) for key in meant)
    if isinstance(meant, list):
        return len(found) == len(meant) and all(map(same, found, meant))
    return found == (pytest.approx(meant, rel=1e-12) if isinstance(meant, float) else meant)


def official(rows):
    return [row["area_m2"] for row in rows]


def test_a_written_result_is_decided_anew_as_by_a_fresh_run(zoning, written, fresh, edited):
    made = redecide.preview(redecide.read(written), table_of(zoning, edited)).as_json()
    for name in TABLES:
        assert same(made[name], fresh.summary[name]), name
    for name in ("by_zone", "by_district", "by_land"):
        assert official(made[name]) == official(fresh.summary[name]), name
    assert official(made["by_zone"]) != official(zoning.summary["by_zone"])


def test_every_combination_is_decided_as_by_a_fresh_run(zoning, written, fresh, edited):
    decisions = redecide.preview(redecide.read(written), table_of(zoning, edited)).decisions
    meant = {json.dumps(c.members, ensure_ascii=False): c.decision for c in fresh.pieces.combos}
    assert decisions == meant


def test_changes_say_what_ground_goes_from_which_zone_to_which(zoning, written, edited):
    ground = redecide.read(written)
    unchanged = redecide.preview(ground, zoning.table)
    assert (unchanged.changes(), unchanged.combinations(), unchanged.moved) == ([], [], ())
    made = redecide.preview(ground, table_of(zoning, edited)).as_json()
    gain = {}
    for row in made["changes"]:
        assert (row["from_zone"], row["from_status"]) != (row["zone"], row["status"])
        for zone, sign in ((row["from_zone"], -1), (row["zone"], 1)):
            gain[zone] = gain.get(zone, 0) + sign * round(row["area_m2"] * 100)
    areas = [
        {zone: sum(round(r["area_m2"] * 100) for r in rows if r["zone"] == zone) for zone in gain}
        for rows in (zoning.summary["by_zone"], made["by_zone"])
    ]
    assert gain == {zone: areas[1][zone] - areas[0][zone] for zone in gain}
    assert any(gain.values())


def test_combinations_say_which_rules_and_measures_were_won_and_lost(zoning, written, edited):
    table = table_of(zoning, edited)
    made = redecide.preview(redecide.read(written), table)
    shipped = {
        key: rules.decide(zoning.table, made.members[key], made.ground.supplied) for key in made.members
    }
    rows = made.combinations()
    assert rows
    for row in rows:
        text = json.dumps(row["members"], ensure_ascii=False)
        for kind in ("rules", "measures"):
            won, lost = set(row[f"{kind}_won"]), set(row[f"{kind}_lost"])
            before, after = set(shipped[text][kind]), set(made.decisions[text][kind])
            assert (won, lost) == (after - before, before - after)
        assert (row["zone"], row["status"]) == made.zone_of[text]
    document = edited_table()
    next(rule for rule in document["rules"] if rule["id"] == "R14")["measures"] = []
    told = redecide.preview(made.ground, rules.load(document, zoning.table.plan_date)).combinations()
    assert any(row["measures_lost"] for row in told)


def test_gains_and_losses_close_in_every_district(zoning, written, edited):
    made = redecide.preview(redecide.read(written), table_of(zoning, edited))
    cents = dict.fromkeys(("before_m2", "lost_m2", "gained_m2", "after_m2"), 0)
    for district in [row["district_code"] for row in made.ground.districts]:
        rows = made.gains(district)
        sums = {key: sum(round(row[key] * 100) for row in rows) for key in cents}
        assert sums["lost_m2"] == sums["gained_m2"]
        assert sums["before_m2"] == sums["after_m2"]
        cents = {key: cents[key] + sums[key] for key in cents}
    whole = made.gains()
    assert cents == {key: sum(round(row[key] * 100) for row in whole) for key in cents}
    assert cents["lost_m2"] == sum(round(row["area_m2"] * 100) for row in made.changes()) > 0
    assert cents["after_m2"] == round(zoning.summary["total"]["area_m2"] * 100)


def test_a_zone_the_new_table_no_longer_has_keeps_its_name_and_its_losses(zoning, written):
    document = json.loads(resource("rules", "shanghai.json").read_text(encoding="utf-8"))
    document["zones"] = [zone for zone in document["zones"] if zone["code"] != "TREATMENT"]
    for rule in document["rules"]:
        rule["zone"] = "GENPREV" if rule["zone"] == "TREATMENT" else rule["zone"]
    made = redecide.preview(redecide.read(written), rules.load(document, zoning.table.plan_date))
    gone = [row for row in made.gains() if row["zone"] == "TREATMENT"]
    assert gone
    assert all(row["name_zh"] == "综合治理管控区" and row["after_m2"] == 0 for row in gone)


def test_a_district_whose_ground_all_went_to_another_keeps_its_row(make_job, tmp_path):
    def square(x0, y0, x1, y1):
        import shapely

        return shapely.box(500000 + x0, 3450000 + y0, 500000 + x1, 3450000 + y1)

    job = make_job(
        extent=[
            (square(0, 0, 100, 100), {"code": "1", "name": "甲"}),
            (square(0, 0, 50, 100), {"code": "2", "name": "乙"}),
            (square(100, 0, 200, 100), {"code": "3", "name": "丙"}),
        ],
        land_mask=[(square(0, 0, 150, 100), {})],
        landuse_status=[(square(20, 20, 60, 60), {"tier": "forest"})],
    )
    zoning = run.run(job)
    zoning.write(tmp_path / "result")
    made = redecide.preview(redecide.read(tmp_path / "result"), zoning.table).as_json()
    for name in TABLES:
        assert same(made[name], zoning.summary[name]), name


def test_a_result_without_an_extent_has_one_nameless_district(make_job, tmp_path):
    import shapely

    land = shapely.box(500000, 3450000, 500100, 3450100)
    zoning = run.run(make_job(landuse_status=[(land, {"tier": "forest"})]))
    zoning.write(tmp_path / "result")
    made = redecide.preview(redecide.read(tmp_path / "result"), zoning.table).as_json()
    for name in TABLES:
        assert same(made[name], zoning.summary[name]), name


def test_what_is_no_whole_result_is_refused(written, tmp_path):
    with pytest.raises(SwcError, match=r"redecide\.no_result"):
        redecide.read(tmp_path)
    document = json.loads((written / "summary.json").read_text(encoding="utf-8"))
    document["total"]["pieces"] += 1
    (tmp_path / "summary.json").write_text(json.dumps(document), encoding="utf-8")
    (tmp_path / "zoning.gpkg").write_bytes((written / "zoning.gpkg").read_bytes())
    with pytest.raises(SwcError, match=r"redecide\.not_together"):
        redecide.read(tmp_path)
    document["total"]["pieces"] -= 1
    document["by_district"][0]["district_code"] = "changed"
    (tmp_path / "summary.json").write_text(json.dumps(document), encoding="utf-8")
    with pytest.raises(SwcError, match=r"redecide\.not_together"):
        redecide.read(tmp_path)


def test_what_an_absent_layer_would_say_stays_unsaid(make_job, tmp_path):
    import shapely

    land = shapely.box(500000, 3450000, 500100, 3450100)
    zoning = run.run(make_job(nature_reserve=[(land, {"tier": "core_protection"})]))
    zoning.write(tmp_path / "result")
    [combo] = zoning.pieces.combos
    assert rules.decide(zoning.table, combo.members)["conflicts"] != combo.decision["conflicts"]
    made = redecide.preview(redecide.read(tmp_path / "result"), zoning.table)
    assert list(made.decisions.values()) == [combo.decision]


def test_a_folder_may_have_any_name_and_is_only_read(zoning, written, tmp_path):
    folder = tmp_path / "成果 #1 100% ?a=b"
    shutil.copytree(written, folder)
    before = {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}
    assert redecide.preview(redecide.read(folder), zoning.table).changes() == []
    assert {path.name: path.stat().st_mtime_ns for path in folder.iterdir()} == before


def test_the_command_line_prints_the_areas(zoning, written, edited):
    command = [sys.executable, "-m", "swc_zoning", "redecide", str(written), "--rules", str(edited)]
    command += ["--plan-date", zoning.table.plan_date]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, check=True)
    made = json.loads(done.stdout)
    assert sum(row["pieces"] for row in made["by_zone"]) == len(zoning.pieces)
    command[4] = str(written / "nowhere")
    assert subprocess.run(command, cwd=ROOT, capture_output=True, check=False).returncode == 2
