# SPDX-License-Identifier: GPL-2.0-or-later
"""Two results held against each other: matrix, changed ground, causes."""

import csv
import json
import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import shapely

from swc_zoning.engine import comparison, formats, run
from swc_zoning.engine.comparison import CLOSING, OTHER_DISTRICT, OUTSIDE
from swc_zoning.engine.messages import SwcError
from swc_zoning.paths import resource

ROOT = Path(__file__).resolve().parents[2]
SPECIAL = {OUTSIDE, OTHER_DISTRICT, CLOSING}


def box(x0, y0, x1, y1):
    return shapely.box(500000 + x0, 3450000 + y0, 500000 + x1, 3450000 + y1)


DISTRICTS = [
    (box(0, 0, 500, 1000), {"code": "1", "name": "甲"}),
    (box(500, 0, 1000, 1000), {"code": "2", "name": "乙"}),
]
PARK = [(box(700, 700, 900, 900), {"id": "P1", "name": "森林公园", "tier": "forest_park"})]


def farm(x0, y0, x1, y1, name="T1"):
    return (box(x0, y0, x1, y1), {"id": name, "name": name, "tier": "pbf"})


@pytest.fixture
def result(make_job, tmp_path):
    """Return a maker of results: result(name, extent, rules?, options?, edit?, **layers) -> folder."""

    def make(name, extent=DISTRICTS, rules=None, options=None, edit=None, **layers):
        path = make_job(extent=extent, options=options, **layers)
        document = json.loads(path.read_text(encoding="utf-8"))
        if rules is not None:
            (tmp_path / f"{name}_rules.json").write_text(json.dumps(rules), encoding="utf-8")
            document["rules"] = f"{name}_rules.json"
        if edit:
            edit(document)
        path.write_text(json.dumps(document), encoding="utf-8")
        run.run(path).write(tmp_path / name)
        return tmp_path / name

    return make


def totals(folder, district=None):
    """Return 0.01 m2 by (zone, status) as the summary of a result has it."""
    summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    rows = summary["by_zone"]
    if district is not None:
        rows = [
            zone
            for row in summary["by_district"]
            if row["district_code"] == district
            for zone in row["zones"]
        ]
    found = {}
    for row in rows:
        key = (row["zone"], row["status"])
        found[key] = found.get(key, 0) + round(row["area_m2"] * 100)
    return {key: centi for key, centi in found.items() if centi}


def margins(cells, side):
    sums = {}
    for cell, centi in cells.items():
        if cell[side][0] not in SPECIAL:
            sums[cell[side]] = sums.get(cell[side], 0) + centi
    return {key: centi for key, centi in sums.items() if centi}


def hold_margins(made, old, new):
    for district in (None, "1", "2"):
        cells = comparison.matrix(made, district)
        assert margins(cells, 0) == totals(old, district)
        assert margins(cells, 1) == totals(new, district)


def causes_of(made):
    return {cause.kind for cause in made.causes}


# --- the matrix ------------------------------------------------------------------------------------


def test_a_result_compared_with_itself_has_changed_nowhere(result):
    old = result("old", permanent_basic_farmland=[farm(100, 100, 300, 300)])
    made = comparison.compare(old, old)
    cells = comparison.matrix(made)
    assert len(made.changed) == 0
    assert all(before == after for before, after in cells)
    hold_margins(made, old, old)


@pytest.mark.parametrize("seed", range(6))
def test_rows_sum_to_the_older_totals_and_columns_to_the_newer_to_the_last_hundredth(result, seed):
    dice = random.Random(seed)

    def layer(count):
        corners = [(dice.uniform(-50, 900), dice.uniform(-50, 900)) for _ in range(count)]
        return [
            farm(x, y, x + dice.uniform(5, 200), y + dice.uniform(5, 200), f"T{i}")
            for i, (x, y) in enumerate(corners)
        ]

    def parks(count):
        return [(one[0], {**one[1], "tier": "forest_park"}) for one in layer(count)]

    moved = [
        (box(0, 0, 523.37, 1000), {"code": "1", "name": "甲"}),
        (box(523.37, 0, 1003.1, 990), {"code": "2", "name": "乙"}),
    ]
    controls = {"control_areas": {"1": 523_312.34}} if seed % 2 else {}
    old = result("old", permanent_basic_farmland=layer(8), nature_park=parks(3))
    new = result(
        "new", extent=moved, options=controls, permanent_basic_farmland=layer(8), nature_park=parks(3)
    )
    made = comparison.compare(old, new)
    hold_margins(made, old, new)
    ground = made.ground
    for side, folder in (("before", old), ("after", new)):
        there = getattr(ground, side) >= 0
        assert getattr(ground, f"{side}_centi")[there].sum() == sum(totals(folder).values())
        assert getattr(ground, f"{side}_centi")[~there].sum() == 0


def test_moved_farmland_is_exactly_the_changed_ground(result):
    old = result("old", permanent_basic_farmland=[farm(100, 100, 300, 300)])
    new = result("new", permanent_basic_farmland=[farm(150, 100, 350, 300)])
    made = comparison.compare(old, new)
    table = comparison._changes(made, "en").batches()
    rows = table[0]
    by = {}
    for wkb, before, after in zip(rows.wkb, rows.columns["zone_before"], rows.columns["zone_after"]):
        by[before, after] = by.get((before, after), 0) + shapely.from_wkb(wkb).area
    assert by == {
        ("FARM_CONS", "GENERAL"): pytest.approx(50 * 200),
        ("GENERAL", "FARM_CONS"): pytest.approx(50 * 200),
    }
    cells = comparison.matrix(made)
    assert cells[("FARM_CONS", "confirmed"), ("GENERAL", "confirmed")] == pytest.approx(1e6, rel=1e-3)


def test_ground_of_one_result_only_has_its_own_row_and_column(result):
    smaller = [(box(0, 0, 500, 900), {"code": "1", "name": "甲"}), DISTRICTS[1]]
    old, new = result("old", landuse_status=[(box(0, 0, 10, 10), {"tier": "forest"})]), None
    new = result("new", extent=smaller, landuse_status=[(box(0, 0, 10, 10), {"tier": "forest"})])
    made = comparison.compare(old, new)
    cells = comparison.matrix(made)
    assert cells[("GENERAL", "confirmed"), (OUTSIDE, "")] == pytest.approx(500 * 100 * 100, rel=1e-3)
    assert causes_of(made) == {"source"}
    back = comparison.matrix(comparison.compare(new, old))
    assert back[(OUTSIDE, ""), ("GENERAL", "confirmed")] == pytest.approx(500 * 100 * 100, rel=1e-3)


def test_ground_that_went_to_another_district_is_told_in_both(result):
    moved = [
        (box(0, 0, 400, 1000), {"code": "1", "name": "甲"}),
        (box(400, 0, 1000, 1000), {"code": "2", "name": "乙"}),
    ]
    land = [(box(0, 0, 10, 10), {"tier": "forest"})]
    old, new = result("old", landuse_status=land), result("new", extent=moved, landuse_status=land)
    made = comparison.compare(old, new)
    general = ("GENERAL", "confirmed")
    assert comparison.matrix(made, "1")[general, (OTHER_DISTRICT, "")] == pytest.approx(1e7, rel=1e-3)
    assert comparison.matrix(made, "2")[(OTHER_DISTRICT, ""), general] == pytest.approx(1e7, rel=1e-3)
    assert not [cell for cell in comparison.matrix(made) if OTHER_DISTRICT in (cell[0][0], cell[1][0])]
    assert len(made.changed) == 0


def test_a_new_control_area_stands_in_the_row_of_closing_and_nowhere_else(result):
    land = [(box(0, 0, 10, 10), {"tier": "forest"})]
    old = result("old", landuse_status=land)
    new = result("new", options={"control_areas": {"1": 499_000.0}}, landuse_status=land)
    made = comparison.compare(old, new)
    general = ("GENERAL", "confirmed")
    difference = totals(new)[general] - totals(old)[general]
    assert difference != 0
    assert comparison.matrix(made)[(CLOSING, ""), general] == difference
    assert len(made.changed) == 0


def test_shares_sum_to_their_owner_whatever_the_weights():
    centi = np.array([100, 7, 1], np.int64)
    owner = np.array([0, 1, 0, -1, 0, 1, 2], np.int64)
    weight = np.array([1.0, 0.0, 1.0, 5.0, 1.0, 0.0, 3.0])
    shared = comparison.share_out(centi, owner, weight)
    assert shared.tolist() == [34, 4, 33, 0, 33, 3, 1]


# --- causes ----------------------------------------------------------------------------------------


def edited_rules():
    document = json.loads(resource("rules", "shanghai.json").read_text(encoding="utf-8"))
    zones = {"R14": "GENPREV", "R05": "PREV_GENERAL"}
    for rule in document["rules"]:
        rule["zone"] = zones.get(rule["id"], rule["zone"])
    return document


def test_another_table_on_the_same_layers_is_a_change_of_rules(result):
    old = result("old", nature_park=PARK)
    new = result("new", rules=edited_rules(), nature_park=PARK)
    made = comparison.compare(old, new)
    assert made.ground.overlay is None
    assert causes_of(made) == {"rule"}
    assert comparison.document(made)["rules_changed"]


def test_other_layers_under_the_same_table_are_a_change_of_sources(result):
    old = result("old", permanent_basic_farmland=[farm(100, 100, 300, 300)])
    new = result("new", permanent_basic_farmland=[farm(100, 100, 300, 300), farm(600, 100, 700, 200, "新增")])
    made = comparison.compare(old, new)
    [cause] = made.causes
    assert cause == ("source", "+permanent_basic_farmland:pbf", "", "新增")


def test_a_tier_read_otherwise_from_the_same_file_is_a_decision_by_hand(make_job, tmp_path):
    water = [(box(100, 100, 300, 300), {"id": "1", "tier": "x"})]
    path = make_job(extent=DISTRICTS, drinking_water_source=water)
    document = json.loads(path.read_text(encoding="utf-8"))
    for name, tier in (("old", "level2"), ("new", "level1")):
        document["layers"][0]["tier"] = {"value": tier}
        path.write_text(json.dumps(document), encoding="utf-8")
        run.run(path).write(tmp_path / name)
    made = comparison.compare(tmp_path / "old", tmp_path / "new")
    assert causes_of(made) == {"manual"}
    assert made.causes[0].roles_changed == "+drinking_water_source:level1;-drinking_water_source:level2"


def test_where_neither_data_nor_rules_alone_do_it_the_cause_is_mixed(result):
    zone = [(PARK[0][0], {"id": "Z1", "tier": "municipal"})]
    made = comparison.compare(
        result("old", nature_park=PARK), result("new", rules=edited_rules(), key_treatment_zone=zone)
    )
    assert causes_of(made) == {"mixed"}


def test_data_that_change_ground_alike_under_both_tables_are_the_cause_though_the_table_changed(result):
    made = comparison.compare(
        result("old", nature_park=PARK),
        result("new", rules=edited_rules(), nature_park=PARK, permanent_basic_farmland=[farm(0, 0, 50, 50)]),
    )
    zones = made.after.columns["zone"][made.ground.after[made.changed]].tolist()
    kinds = [cause.kind for cause in made.causes]
    assert dict(zip(zones, kinds)) == {"FARM_CONS": "source", "PREV_GENERAL": "rule"}


# --- files -----------------------------------------------------------------------------------------


@pytest.fixture
def pair(result):
    old = result("old", permanent_basic_farmland=[farm(100, 100, 300, 300, "=cmd()")])
    new = result("new", nature_park=PARK, permanent_basic_farmland=[farm(150, 100, 350, 300, "=cmd()")])
    return old, new


def test_the_command_line_writes_what_it_says(pair, tmp_path):
    command = [
        sys.executable,
        "-m",
        "swc_zoning",
        "compare",
        *map(str, pair),
        "--output",
        str(tmp_path / "made"),
    ]
    done = subprocess.run(
        [*command, "--progress", "json"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    files = json.loads(done.stdout.splitlines()[-1])
    assert files["event"] == "result"
    told = json.loads(Path(files["document"]).read_text(encoding="utf-8"))
    assert told["changed"]["parts"] == len(formats.read_back(files["comparison"], "changes"))
    table = formats.read_back(files["comparison"], "matrix").columns
    assert round(sum(table["area_m2"][table["district_code"] == ""]) * 100) == sum(
        totals(pair[0]).values()
    ) + sum(
        round(cell["area_m2"] * 100) for cell in told["matrix"]["cells"] if cell["zone_before"] in SPECIAL
    )
    assert subprocess.run(command, cwd=ROOT, capture_output=True, check=False).returncode == 0
    command[4] = str(tmp_path)
    assert subprocess.run(command, cwd=ROOT, capture_output=True, check=False).returncode == 2


def test_the_csv_is_exact_and_opens_in_a_spreadsheet(pair, tmp_path):
    made = comparison.compare(*pair)
    files = comparison.write(made, tmp_path / "made", "zh")
    raw = files["csv"].read_bytes()
    assert raw.startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(raw.decode("utf-8-sig").splitlines()))
    heads = rows[0]
    assert heads[-1] == "合计"
    for row in rows[1 : rows.index([])]:
        cells = [round(float(cell) * 1e6) for cell in row[3:-1] if cell]
        assert sum(cells) == round(float(row[-1]) * 1e6)


def test_a_file_of_somebody_else_is_left_alone(pair, tmp_path):
    (tmp_path / "made").mkdir()
    (tmp_path / "made" / "comparison.csv").write_text("mine", encoding="utf-8")
    made = comparison.compare(*pair)
    with pytest.raises(SwcError, match=r"derived\.not_ours"):
        comparison.write(made, tmp_path / "made")
    assert (tmp_path / "made" / "comparison.csv").read_text(encoding="utf-8") == "mine"


def test_results_in_two_coordinate_systems_are_refused(pair):
    path = pair[1] / "summary.json"
    document = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**document, "crs": "EPSG:4528"}), encoding="utf-8")
    with pytest.raises(SwcError, match=r"comparison\.other_crs"):
        comparison.compare(*pair)


def test_what_is_no_result_is_refused(tmp_path):
    with pytest.raises(SwcError, match=r"written\.no_result"):
        comparison.compare(tmp_path, tmp_path)
