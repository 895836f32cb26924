# SPDX-License-Identifier: GPL-2.0-or-later
"""The job: what it accepts, what it refuses, and what it chooses where nothing is said."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
from pyproj import CRS

from swc_zoning.engine import job
from swc_zoning.engine.crs import choose_crs
from swc_zoning.engine.job import Accepted, JobError, Options, Slivers, check, load, migrate, resolve
from swc_zoning.engine.messages import Blocked, Finding, Fix, SwcError
from swc_zoning.paths import resource

ROOT = Path(__file__).resolve().parents[2]
SHARED = ROOT.parent / "shared"
SHANGHAI = (120.86, 30.69, 122.0, 31.87)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "data").mkdir()
    for name in ("redline.gpkg", "farmland.shp", "districts.geojson", "rules.json"):
        (tmp_path / "data" / name).write_text("{}", encoding="utf-8")
    (tmp_path / "data" / "water.gdb").mkdir()
    return tmp_path


def layer(role="ecological_redline", source="data/redline.gpkg", **more):
    return {"role": role, "source": source, **more}


def document(*layers, **more):
    return {"schema": 1, "layers": list(layers) or [layer()], **more}


def full():
    return document(
        layer(version="2022", approval_no="沪府〔2023〕1号", data_date="2022-12", provider="规划资源局"),
        layer("drinking_water_source", "data/water.gdb", layer="YYSSYD", tier={"field": "BHQJB"}),
        layer("permanent_basic_farmland", "data/farmland.shp", encoding="GBK", crs="EPSG:4490"),
        title="示范市水土保持空间管控分区",
        extent={"source": "data/districts.geojson", "code_field": "adcode", "name_field": "name"},
        crs="EPSG:4549",
        rules="data/rules.json",
        plan_date="2026-05-01",
        options={
            "mode": "submission",
            "control_areas": {"310101": 20460000.0},
            "accept": ["job.free_role", {"code": "job.no_layers", "layer": "x", "reason": "已核"}],
        },
    )


def codes(found):
    return [finding.code for finding in found]


# --- loading ---------------------------------------------------------------------------------------


def test_a_full_job_is_clean_and_loads(folder):
    assert check(full(), folder) == []
    made = load(full(), folder)
    assert made.rules == folder / "data" / "rules.json"
    assert made.extent.code_field == "adcode"
    assert [one.role for one in made.layers][1:] == ["drinking_water_source", "permanent_basic_farmland"]
    assert made.layers[1].tier == {"field": "BHQJB"}
    assert made.layers[0].source == str(folder / "data" / "redline.gpkg")
    assert made.options.mode == "submission"
    assert made.options.accept == (Accepted("job.free_role"), Accepted("job.no_layers", "x", "已核"))
    assert made.path is None


def test_only_schema_role_and_source_are_needed(folder):
    made = load(document(layer()), folder)
    assert (made.title, made.extent, made.crs, made.rules, made.plan_date) == ("", None, None, None, None)
    assert made.options == Options()


def test_defaults_are_those_the_schema_publishes(folder):
    schema = json.loads(resource("schemas", "job.schema.json").read_text(encoding="utf-8"))
    published = schema["$defs"]["options"]["properties"]
    made = load(document(), folder).as_json()["options"]
    for key in ("mode", "conflict_min_m2", "conflict_min_width_m"):
        assert made[key] == published[key]["default"]
    sliver = published["slivers"]["properties"]
    assert made["slivers"] == {key: rule["default"] for key, rule in sliver.items() if "default" in rule}


def test_a_part_of_the_sliver_limits_keeps_the_other(folder):
    made = load(document(options={"slivers": {"area_m2": 4}}), folder)
    assert made.options.slivers == Slivers(area_m2=4, mean_width_m=0.1)


def test_as_json_is_stable_and_loads_to_the_same_job_anywhere(folder, tmp_path_factory):
    first = load(full(), folder)
    written = json.loads(json.dumps(first.as_json(), ensure_ascii=False))
    again = load(written, tmp_path_factory.mktemp("elsewhere"))
    assert again == first
    assert again.as_json() == first.as_json() == written
    assert "min_patch_m2" not in written["options"]


def test_changing_the_written_document_leaves_the_job_alone(folder):
    made = load(full(), folder)
    made.as_json()["options"]["control_areas"]["310101"] = 1.0
    assert made.options.control_areas == {"310101": 20460000.0}


def test_paths_resolve_against_the_job_file_not_the_current_folder(folder, monkeypatch):
    below = folder / "jobs" / "draft"
    below.mkdir(parents=True)
    path = below / "任务.json"
    path.write_text(json.dumps(document(layer(source="../../data/redline.gpkg"))), encoding="utf-8-sig")
    monkeypatch.chdir(folder)
    made = load(Path("jobs/draft/任务.json"))
    assert made.layers[0].source == str(folder / "data" / "redline.gpkg")
    assert made.path == path


def test_backslashes_of_a_relative_path_work_everywhere(folder):
    assert load(document(layer(source="data\\redline.gpkg")), folder).layers[0].source == str(
        folder / "data" / "redline.gpkg"
    )


@pytest.mark.parametrize("path", [r"D:\成果\红线.gpkg", "D:/data/a.gpkg", r"\\server\share\a.gdb"])
def test_windows_paths_are_not_put_below_the_base(folder, path):
    assert resolve(path, folder) == path
    (found,) = check(document(layer(source=path)), folder)
    assert (found.code, found.facts["path"], found.layer) == (
        "job.source_missing",
        path,
        "ecological_redline",
    )


def test_database_addresses_stay_as_they_are(folder):
    address = "PG:host=db dbname=plan"
    assert load(document(layer(source=address)), folder).layers[0].source == address


def test_the_extent_may_be_a_layer(folder):
    as_layer = layer("admin_extent", "data/districts.geojson", id_field="adcode", name_field="name")
    made = load(document(layer(), as_layer), folder)
    as_object = {"source": "data/districts.geojson", "code_field": "adcode", "name_field": "name"}
    assert made == load(document(layer(), extent=as_object), folder)
    assert [one.role for one in made.layers] == ["ecological_redline"]
    assert made.extent.as_layer().id_field == "adcode"
    assert made.extent.as_layer().role == "admin_extent"


# --- what is refused -------------------------------------------------------------------------------


def one_code(doc, folder):
    (found,) = [finding for finding in check(doc, folder) if finding.severity == "error"]
    assert found.sentence("zh") != found.sentence("en")
    with pytest.raises(JobError) as caught:
        load(doc, folder)
    assert found in caught.value.findings
    return found.code


@pytest.mark.parametrize(
    ("doc", "code"),
    [
        ({"schema": 1}, "job.no_layers"),
        ({"schema": 1, "layers": []}, "job.no_layers"),
        (document(layer("admin_extent")), "job.no_layers"),
        (document(layer(source="data/none.gpkg")), "job.source_missing"),
        (document(extent={"source": "none.gpkg"}), "job.source_missing"),
        (document(rules="none.json"), "job.rules_missing"),
        (document(rules="data"), "job.rules_missing"),
        (document(layer(version="2021"), layer(version="2022")), "job.two_versions"),
        (document(layer(), layer("admin_extent"), extent={"source": "data/water.gdb"}), "job.extent_twice"),
        (document(layer(), layer("admin_extent"), layer("admin_extent")), "job.extent_twice"),
        (document(layer(), layer("admin_extent", tier={"value": "1"})), "job.extent_key"),
        (document(plan_date="2026-02-30"), "job.plan_date"),
        (document(plan_date="2026-2-3"), "schema.pattern"),
        (document(layer(encoding="GBX")), "job.encoding_unknown"),
        (document(layer("drinking_water_source", tier={"value": "特级"})), "job.tier_unknown"),
        (
            document(layer("drinking_water_source", tier={"field": "a", "map": {"x": "?"}})),
            "job.tier_unknown",
        ),
        (document(layer("drinking_water_source", tier={})), "schema.missing"),
        (document(layer("Red-Line")), "schema.pattern"),
        (document(layer("")), "schema.pattern"),
        ({"layers": [layer()]}, "schema.missing"),
        ({"schema": "1", "layers": [layer()]}, "schema.enum"),
        ({"schema": True, "layers": [layer()]}, "schema.enum"),
        ({"schema": 2, "layers": "?"}, "job.schema_newer"),
        ({"schema": 0, "layers": "?"}, "job.schema_unknown"),
        (document(options={"control_areas": {"310101": 5.0}}), "job.control_without_extent"),
        (document(options={"mode": "final"}), "schema.enum"),
        (document(options={"slivers": {"area_m2": -1}}), "schema.minimum"),
    ],
)
def test_each_fault_has_its_own_code(doc, code, folder):
    assert one_code(doc, folder) == code


@pytest.mark.parametrize(
    ("doc", "key", "nearest"),
    [
        (document(titel="x"), "titel", "title"),
        (document(layer(rolle="x")), "rolle", "role"),
        (document(extent={"source": "data/water.gdb", "codefield": "c"}), "codefield", "code_field"),
        (document(options={"min_patch": 5}), "min_patch", "min_patch_m2"),
        (document(layer("drinking_water_source", tier={"field": "a", "maps": {}})), "maps", "map"),
    ],
)
def test_an_unknown_key_names_the_nearest(doc, key, nearest, folder):
    (found,) = check(doc, folder)
    assert (found.code, found.facts["key"], found.facts["nearest"]) == ("schema.unknown_key", key, nearest)


@pytest.mark.parametrize("key", ["tile_size", "workers", "tiles"])
def test_how_the_machine_works_is_never_in_the_job(key, folder):
    assert one_code(document(options={key: 4}), folder) == "schema.unknown_key"
    assert one_code(document(**{key: 4}), folder) == "schema.unknown_key"


def test_every_problem_is_told_at_once(folder):
    doc = document(
        layer(source="no.gpkg", version="1"),
        layer(version="2", tier=5),
        "layer",
        {"source": "data/water.gdb"},
        rules="no.json",
        crs="EPSG:4490",
        workers=3,
    )
    wanted = {"job.source_missing", "job.two_versions", "job.rules_missing"}
    found = codes(check(doc, folder))
    assert wanted | {"schema.unknown_key", "schema.type", "schema.missing"} == set(found)


@pytest.mark.parametrize("doc", [[], "text", None, 5])
def test_a_document_that_is_no_object_is_refused(doc, tmp_path):
    path = tmp_path / "job.json"
    path.write_text(json.dumps(doc), encoding="utf-8")
    assert codes(check(path)) == ["schema.type"]


@pytest.mark.parametrize("junk", [{"layers": {}}, {"extent": []}, {"options": "x"}, {"layers": [[], 1]}])
def test_wrong_types_never_break_the_check(junk, folder):
    assert "schema.type" in codes(check({"schema": 1, **junk}, folder))


def test_a_free_role_is_told_with_the_nearest_known_one_and_runs(folder):
    made = load(document(layer("ecological_redlin")), folder)
    (found,) = made.findings
    assert (found.code, found.severity) == ("job.free_role", "info")
    assert found.facts["nearest"] == "ecological_redline"


def test_the_same_version_twice_and_versions_of_free_roles_are_fine(folder):
    assert check(document(layer(version="1"), layer(version="1")), folder) == []
    free = document(layer("old_lines", version="1"), layer("old_lines", version="2"))
    assert codes(check(free, folder)) == ["job.free_role", "job.free_role"]


def test_a_mistyped_code_in_accept_is_told(folder):
    (found,) = check(document(options={"accept": [{"code": "job.free_rol"}]}), folder)
    assert (found.severity, found.facts["nearest"]) == ("warning", "job.free_role")


def test_an_error_of_the_job_is_a_blocked_run(folder):
    with pytest.raises(Blocked) as caught:
        load(document(layer(source="none")), folder)
    assert "none" in caught.value.findings[0].sentence("zh")


# --- files -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b'{"schema": 1,', "job.unreadable"),
        ('{"title": "规划"}'.encode("gbk"), "job.not_utf8"),
        (b'{"schema": 1, "schema": 1}', "job.key_twice"),
        (b'{"schema": NaN}', "job.number_unusable"),
    ],
)
def test_a_file_that_is_no_job_is_refused_by_name(content, code, tmp_path):
    path = tmp_path / "job.json"
    path.write_bytes(content)
    with pytest.raises(JobError) as caught:
        load(path)
    assert codes(caught.value.findings) == codes(check(path)) == [code]
    assert str(path) in caught.value.findings[0].sentence("en")


def test_a_missing_file_and_a_folder_are_told(tmp_path):
    assert codes(check(tmp_path / "no.json")) == ["job.missing"]
    assert codes(check(tmp_path)) == ["job.unusable"]


# --- schema and versions ---------------------------------------------------------------------------


def test_the_published_schema_is_valid_and_agrees_with_our_reader(folder):
    schema = json.loads(resource("schemas", "job.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    assert list(validator.iter_errors(full())) == []
    made = load(full(), folder).as_json()
    assert list(validator.iter_errors(made)) == []
    assert list(validator.iter_errors({**full(), "workers": 2}))
    assert list(validator.iter_errors(document(layer(tier={"field": "a", "value": "b"}))))


def test_an_older_job_is_brought_to_the_present(folder, monkeypatch):
    def renamed(old):
        return {"title": old["name"], "layers": old["layers"]}

    monkeypatch.setitem(job._MIGRATIONS, 0, renamed)
    old = {"schema": 0, "name": "旧任务", "layers": [layer()]}
    assert migrate(old) == {"schema": 1, "title": "旧任务", "layers": [layer()]}
    assert load(old, folder).title == "旧任务"
    assert old["schema"] == 0


def test_the_job_room_imports_no_heavy_package():
    code = (
        "import sys, swc_zoning.engine.job; "
        "print([m for m in ('numpy','pyproj','shapely','pyogrio') if m in sys.modules])"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment
    )
    assert done.stdout.strip() == "[]"


def test_messages_of_the_rooms_speak_both_languages():
    for room in ("job", "areas"):
        for code, entry in json.loads(resource("messages", f"{room}.json").read_text("utf-8")).items():
            assert code.startswith(f"{room}.")
            named = [set(_placeholders(entry[lang])) for lang in ("zh", "en")]
            assert named[0] == named[1], code


def _placeholders(text):
    from string import Formatter

    return [name for _, name, _, _ in Formatter().parse(text) if name]


# --- the working CRS -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("bounds", "crs"),
    [
        (SHANGHAI, "EPSG:4549"),
        ((121.6, 31.0, 121.9, 31.3), "EPSG:4549"),  # east of the zone edge, still the city's CRS
        ((121.9, 37.0, 122.5, 37.4), "EPSG:4550"),
        ((106.3, 29.3, 106.8, 29.8), "EPSG:4545"),
        ((73.5, 39.0, 74.5, 40.0), "EPSG:4534"),
        ((133.9, 47.0, 135.0, 48.0), "EPSG:4554"),
        ((118.0, 27.0, 123.0, 35.0), "EPSG:4549"),
        ((119.0, 30.0, 128.0, 32.0), "EPSG:4550"),  # a wide strip whose centre is off Shanghai
    ],
)
def test_in_china_the_three_degree_zone_that_fits(bounds, crs):
    assert choose_crs(bounds, ["EPSG:32651"]) == crs


def test_the_three_degree_table_is_what_the_epsg_dataset_says():
    table = json.loads(resource("crs.json").read_text(encoding="utf-8"))["three_degree"]
    assert [zone["meridian"] for zone in table] == list(range(75, 136, 3))
    for zone in table:
        parameters = {p.name: p.value for p in CRS(zone["crs"]).coordinate_operation.params}
        assert parameters["Longitude of natural origin"] == zone["meridian"]
        assert parameters["False easting"] == 500000


def test_elsewhere_the_first_projected_layer_then_utm():
    swellendam = (20.3, -34.2, 20.6, -33.9)
    given = [None, CRS("EPSG:4326"), "EPSG:2225", "EPSG:32733", "EPSG:32734"]
    assert choose_crs(swellendam, given) == "EPSG:32733"
    assert choose_crs(swellendam, [CRS("EPSG:4326")]) == "EPSG:32734"
    assert choose_crs((-1.0, 50.0, -0.5, 51.0)) == "EPSG:32630"
    assert choose_crs((179.9, 10.0, 180.0, 10.1)) == "EPSG:32660"
    local = CRS("+proj=tmerc +lon_0=20.5 +k=1 +ellps=WGS84 +units=m")
    assert CRS(choose_crs(swellendam, [local])) == local


@pytest.mark.parametrize(
    "bounds", [(1, 2, 3), (float("nan"), 0, 1, 1), (5, 0, 4, 1), (500000, 3e6, 6e5, 4e6)]
)
def test_bounds_that_are_no_bounds_are_refused(bounds):
    with pytest.raises(SwcError, match=r"job\.bounds_unusable"):
        choose_crs(bounds)


def test_the_real_districts_of_shanghai_get_their_crs():
    source = SHARED / "data" / "shanghai_districts"
    if not source.is_dir():
        pytest.skip("the shared data are not here")
    import geopandas

    seen = 0
    for path in sorted(source.iterdir()):
        if path.suffix in (".geojson", ".gpkg", ".shp"):
            frame = geopandas.read_file(path)
            assert choose_crs(frame.to_crs(4326).total_bounds) == "EPSG:4549"
            seen += 1
    assert seen > 0


def test_sure_fixes_enter_a_copy_of_the_job_and_choices_do_not(tmp_path):
    (tmp_path / "a.gpkg").touch()
    document = {
        "schema": 1,
        "extent": {"source": "a.gpkg"},
        "layers": [{"role": "wetland", "source": "a.gpkg"}],
    }
    made = job.load(document, tmp_path)
    sure, choice, extent = (
        Fix(0, {"crs": "EPSG:4528"}, sure=True),
        Fix(0, {"crs": "EPSG:4529"}),
        Fix(None, {"encoding": "GB18030"}, sure=True),
    )
    found = (
        Finding("intake.crs_missing", {"layer": "a"}, fixes=(sure, choice)),
        Finding("intake.crs_missing", {"layer": "a"}, fixes=(extent,)),
    )
    fixed = job.fixed(made, found)
    assert fixed["layers"][0]["crs"] == "EPSG:4528"
    assert fixed["extent"]["encoding"] == "GB18030"
    assert made.layers[0].crs is None
