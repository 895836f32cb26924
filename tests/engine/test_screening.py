# SPDX-License-Identifier: GPL-2.0-or-later
"""What a result says of projects: zones, measures, siting; and where spoil and borrow sites are banned."""

import json
import random
import subprocess
import sys
from pathlib import Path

import geopandas
import numpy as np
import pytest
import shapely

from swc_zoning.engine import formats, rules, run, screening, siting, written
from swc_zoning.engine.messages import Blocked, SwcError
from swc_zoning.paths import resource

ROOT = Path(__file__).resolve().parents[2]
SHANGHAI = rules.load()


def box(x0, y0, x1, y1):
    return shapely.box(500000 + x0, 3450000 + y0, 500000 + x1, 3450000 + y1)


@pytest.fixture
def result(make_job, tmp_path):
    """A square of one kilometre: farmland in the west, a park, a river, hazard ground, a key area."""
    job = make_job(
        extent=[(box(0, 0, 1000, 1000), {"code": "1", "name": "甲"})],
        permanent_basic_farmland=[(box(0, 0, 300, 1000), {"id": "T", "tier": "pbf"})],
        nature_park=[(box(600, 600, 1000, 1000), {"id": "P", "tier": "forest_park"})],
        river_lake_management=[(box(300, 0, 350, 1000), {"id": "R", "tier": "river"})],
        geohazard_area=[(box(400, 0, 500, 100), {"id": "G", "tier": "landslide"})],
        key_prevention_zone=[(box(400, 300, 600, 500), {"id": "K", "tier": "municipal"})],
    )
    run.run(job).write(tmp_path / "result")
    return tmp_path / "result"


@pytest.fixture
def layer(tmp_path):
    """Return a maker of project layers: layer([(geometry, {field: value}), ...]) -> path."""

    def make(rows, crs="EPSG:4549"):
        path = tmp_path / f"projects{len(list(tmp_path.iterdir()))}.gpkg"
        frame = geopandas.GeoDataFrame(
            [values for _, values in rows], geometry=[shape for shape, _ in rows], crs="EPSG:4549"
        )
        frame.to_crs(crs).to_file(path)
        return path

    return make


def told(result, path, **options):
    source = screening.Source(str(path), id_field="no", name_field="xm", **options)
    return screening.document(screening.screen(result, source))["projects"]


def project(shape, number="1", **values):
    return (shape, {"no": number, "xm": "甲项目", **values})


def test_a_project_crosses_the_zones_it_lies_in_with_their_share(result, layer):
    [row] = told(result, layer([project(box(200, 200, 400, 300))]))
    zones = {zone["zone"]: zone["share"] for zone in row["zones"]}
    assert zones == {
        "FARM_CONS": pytest.approx(0.5),
        "GENPREV": pytest.approx(0.25),
        "GENERAL": pytest.approx(0.25),
    }
    assert (row["id"], row["name"], row["outside_m2"]) == ("1", "甲项目", 0)
    assert {"M18", "M24", "M21"} <= {measure["id"] for measure in row["measures"]}
    assert {"土地管理法35", "GB50433-2018 3.2.6(1)"} <= set(row["articles"])


@pytest.mark.parametrize("seed", range(4))
def test_parts_sum_to_the_official_area_of_the_project_to_the_last_hundredth(result, layer, seed):
    dice = random.Random(seed)
    shapes = []
    for _ in range(12):
        x, y = dice.uniform(-200, 1000), dice.uniform(-200, 1000)
        shapes.append(
            shapely.affinity.rotate(
                box(x, y, x + dice.uniform(1, 300), y + dice.uniform(1, 300)), dice.uniform(0, 90)
            )
        )
    rows = told(result, layer([project(shape, str(number)) for number, shape in enumerate(shapes)]))
    for row, shape in zip(rows, shapes):
        parts = sum(round(zone["area_m2"] * 100) for zone in row["zones"]) + round(row["outside_m2"] * 100)
        assert parts == round(row["area_m2"] * 100)
        assert row["area_m2"] == pytest.approx(shape.area, rel=1e-3)


def test_ground_outside_the_zoning_is_told_apart(result, layer):
    [row] = told(result, layer([project(box(900, 0, 1100, 100))]))
    assert row["outside_m2"] == pytest.approx(row["area_m2"] / 2, rel=1e-6)
    [far] = told(result, layer([project(box(5000, 5000, 5100, 5100))]))
    assert far["outside_m2"] == far["area_m2"]
    assert (far["zones"], far["grade"], far["siting"]) == ([], None, "free")


def test_projects_that_overlap_are_each_measured_whole(result, layer):
    rows = told(result, layer([project(box(0, 0, 100, 100), "1"), project(box(50, 0, 150, 100), "2")]))
    assert [row["area_m2"] for row in rows] == [pytest.approx(1e4, rel=1e-3)] * 2


def test_projects_in_degrees_are_placed_before_they_are_measured(result, layer):
    [row] = told(result, layer([project(box(0, 0, 100, 100))], "EPSG:4490"))
    assert [zone["zone"] for zone in row["zones"]] == ["FARM_CONS"]
    assert row["area_m2"] == pytest.approx(1e4, rel=1e-3)


def test_the_grade_is_the_strictest_of_the_ground_and_told_zone_by_zone(result, layer):
    [row] = told(result, layer([project(box(350, 350, 450, 450))]))
    assert row["grade"] == 1
    assert {zone["zone"]: zone["grade"] for zone in row["zones"]} == {"PREV_GENERAL": 1, "GENERAL": 2}


# --- siting ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("place", "kind", "level", "measures"),
    [
        ((10, 10, 50, 50), "project", "exception", ["M18"]),
        ((10, 10, 50, 50), "borrow_site", "banned", ["M18"]),
        ((700, 700, 750, 750), "project", "avoid", ["M28"]),
        ((700, 700, 750, 750), "spoil_site", "banned", ["M08"]),
        ((310, 310, 340, 340), "spoil_site", "banned", ["M24"]),
        ((310, 310, 340, 340), "borrow_site", "conditional", ["M24"]),
        ((410, 10, 450, 50), "borrow_site", "banned", ["M15"]),
        ((410, 10, 450, 50), "spoil_site", "free", []),
        ((450, 350, 480, 380), "project", "avoid", ["M10"]),
        ((800, 100, 850, 150), "park", "free", []),
    ],
)
def test_what_is_asked_of_a_site_depends_on_the_ground_and_on_the_kind(
    result, layer, place, kind, level, measures
):
    [row] = told(result, layer([project(box(*place))]), kind=kind)
    assert (row["siting"], row["advice"][0]["measures"]) == (level, measures)
    assert all(one["text_zh"] and one["text_en"] for one in row["advice"])


def test_kinds_come_from_a_field_in_the_words_of_the_data(result, layer):
    rows = [
        project(box(310, 310, 340, 340), "1", lx="弃渣场"),
        project(box(310, 310, 340, 340), "2", lx="产业园区"),
        project(box(310, 310, 340, 340), "3", lx=None),
        project(box(310, 310, 340, 340), "4", lx="it's odd"),
    ]
    source = screening.Source(str(layer(rows)), id_field="no", kind_field="lx")
    made = screening.screen(result, source)
    kinds = dict(zip(made.projects.id, made.projects.kind))
    assert kinds == {"1": "spoil_site", "2": "park", "3": "project", "4": "project"}
    [finding] = [one for one in made.projects.findings if one.code == "screening.kind_unknown"]
    assert finding.facts == {"words": "it's odd"}


def test_every_grade_has_words_for_every_kind_in_both_languages():
    levels = {level["id"]: level for level in siting.words()["siting"]}
    used = {measure.get("siting", "free") for measure in SHANGHAI.measures.values()}
    assert used <= set(levels)
    for level in levels.values():
        for kind in siting.kinds():
            text = level["text"].get(kind, level["text"]["*"])
            assert all(text[lang].strip() for lang in ("zh", "en"))


def test_a_ban_whose_text_names_the_site_is_verified_and_others_are_proposed():
    named = {"spoil_site": "渣", "borrow_site": "取土"}
    for measure in SHANGHAI.measures.values():
        for ban in measure.get("bans", ()):
            assert (ban["status"] == "verified") == (named[ban["kind"]] in measure["text_zh"]), measure["id"]


# --- refused ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "shape", [shapely.Point(500010, 3450010), shapely.LineString([(500000, 3450000), (500100, 3450000)])]
)
def test_points_and_lines_are_refused_in_words(result, layer, shape):
    with pytest.raises(Blocked) as refused:
        told(result, layer([project(shape)]))
    assert any("面" in finding.sentence("zh") for finding in refused.value.findings)


def test_what_cannot_be_asked_is_said(result, layer, tmp_path):
    path = layer([project(box(0, 0, 10, 10))])
    with pytest.raises(SwcError, match=r"screening\.kind"):
        told(result, path, kind="castle")
    with pytest.raises(SwcError, match=r"screening\.no_field"):
        told(result, path, kind_field="nowhere")
    document = json.loads((result / "summary.json").read_text(encoding="utf-8"))
    document["rules"]["sha256"] = "0"
    (result / "summary.json").write_text(json.dumps(document), encoding="utf-8")
    with pytest.raises(SwcError, match=r"screening\.no_table"):
        told(result, path)


def test_the_table_of_a_result_is_found_after_the_file_it_came_from_was_edited(make_job, layer, tmp_path):
    table = json.loads(resource("rules", "shanghai.json").read_text(encoding="utf-8"))
    table["version"] = "own"
    path = make_job(permanent_basic_farmland=[(box(0, 0, 300, 1000), {"id": "T", "tier": "pbf"})])
    job = {**json.loads(path.read_text(encoding="utf-8")), "rules": "own.json"}
    path.write_text(json.dumps(job), encoding="utf-8")
    (tmp_path / "own.json").write_text(json.dumps(table), encoding="utf-8")
    run.run(path).write(tmp_path / "result")
    (tmp_path / "own.json").write_text(json.dumps({**table, "version": "edited"}), encoding="utf-8")
    made = screening.screen(tmp_path / "result", screening.Source(str(layer([project(box(0, 0, 9, 9))]))))
    assert made.table.document["version"] == "own"


# --- files -----------------------------------------------------------------------------------------


def test_the_command_line_writes_crossings_projects_and_banned_ground(result, layer, tmp_path):
    path = layer([project(box(200, 200, 400, 300)), project(box(900, 0, 1100, 100), "2")])
    command = [sys.executable, "-m", "swc_zoning", "screen", str(result), str(path), "--id-field", "no"]
    command += ["--kind", "弃渣场", "--output", str(tmp_path / "made"), "--progress", "json", "--lang", "en"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    files = json.loads(done.stdout.splitlines()[-1])
    told = json.loads(Path(files["document"]).read_text(encoding="utf-8"))
    crossings = formats.read_back(files["screening"], "crossings")
    by_project = {}
    for number, area in zip(crossings.columns["project_id"], crossings.columns["area_m2"]):
        by_project[number] = by_project.get(number, 0) + round(area * 100)
    assert by_project == {row["id"]: round(row["area_m2"] * 100) for row in told["projects"]}
    assert [row["kind"] for row in told["projects"]] == ["spoil_site"] * 2
    drawn = shapely.from_wkb(np.asarray(crossings.wkb))
    assert shapely.is_valid(drawn).all()
    assert shapely.area(drawn).sum() == pytest.approx(4e4, abs=0.1)


def test_banned_ground_is_the_ground_of_the_measures_that_ban(result, layer):
    made = written.read(result, ("measures",))
    batch = screening.banned(made, SHANGHAI, "en").batches()[0]
    shapes = shapely.from_wkb(batch.wkb)
    assert shapely.is_valid(shapes).all()
    ground = {
        kind: shapely.union_all(shapes[batch.columns["kind"] == kind])
        for kind in ("spoil_site", "borrow_site")
    }
    spoil = shapely.union_all([box(0, 0, 350, 1000), box(600, 600, 1000, 1000)])
    borrow = shapely.union_all([box(0, 0, 300, 1000), box(400, 0, 500, 100)])
    assert ground["spoil_site"].symmetric_difference(spoil).area == pytest.approx(0, abs=1e-6)
    assert ground["borrow_site"].symmetric_difference(borrow).area == pytest.approx(0, abs=1e-6)
    for kind, shape in ground.items():
        area = batch.columns["area_m2"][batch.columns["kind"] == kind].sum()
        assert area == pytest.approx(shape.area, rel=1e-3)
    said = dict(zip(batch.columns["measures"], batch.columns["status"]))
    assert said == {"M08": "verified", "M24": "verified", "M15": "verified", "M18": "verified"}
    first = batch.columns["measures"].tolist().index("M18")
    assert (batch.columns["kind"][first], batch.columns["status"][first]) == ("spoil_site", "proposed")
