# SPDX-License-Identifier: GPL-2.0-or-later
"""The command line as people and programs use it: files, events, exit status, and what a stop leaves."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import geopandas
import pyogrio
import pytest
import shapely

from swc_zoning import cli

ROOT = Path(__file__).resolve().parents[2]


def command(*arguments):
    return [sys.executable, "-m", "swc_zoning", *map(str, arguments)]


def call(*arguments):
    return subprocess.run(command(*arguments), cwd=ROOT, capture_output=True, text=True, encoding="utf-8")


@pytest.fixture(scope="module")
def finished(city, tmp_path_factory):
    output = tmp_path_factory.mktemp("runs") / "result"
    done = call("run", city / "job.json", "--output", output, "--progress", "json")
    assert done.returncode == 0, done.stderr
    return output, [json.loads(line) for line in done.stdout.splitlines()]


def test_run_writes_the_result_and_nothing_else(finished):
    output, _ = finished
    assert sorted(p.name for p in output.iterdir()) == ["summary.json", "zoning.gpkg"]
    assert [p.name for p in output.parent.iterdir()] == ["result"]


def test_run_tells_programs_progress_findings_and_files(finished):
    output, events = finished
    fractions = [e["fraction"] for e in events if e["event"] == "progress"]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0
    assert any(e["event"] == "finding" and e["severity"] == "warning" for e in events)
    assert events[-1]["event"] == "progress" or events[-1]["event"] == "result"
    [files] = [e for e in events if e["event"] == "result"]
    assert Path(files["zoning"]) == output / "zoning.gpkg"


def test_layers_open_and_agree_with_the_summary(finished):
    output, _ = finished
    summary = json.loads((output / "summary.json").read_text(encoding="utf-8"))
    names = {name for name, _ in pyogrio.list_layers(output / "zoning.gpkg")}
    assert names >= {"pieces", "zones", "conflicts", "findings", "piece_sources", "ledger", "run"}
    pieces = geopandas.read_file(output / "zoning.gpkg", layer="pieces")
    zones = geopandas.read_file(output / "zoning.gpkg", layer="zones")
    assert len(pieces) == summary["total"]["pieces"]
    assert round(pieces.area_m2.sum(), 2) == summary["total"]["area_m2"] == round(zones.area_m2.sum(), 2)
    assert zones.geometry.area.sum() == pytest.approx(pieces.geometry.area.sum(), rel=1e-12)
    assert shapely.coverage_is_valid(pieces.geometry.values)
    assert zones.is_valid.all()
    assert not zones.duplicated(["zone", "status", "district_code"]).any()
    assert pieces.piece_id.is_unique
    for zone in summary["by_zone"]:
        rows = pieces[(pieces.zone == zone["zone"]) & (pieces.status == zone["status"])]
        assert len(rows) == zone["pieces"]


def test_piece_sources_name_the_features_on_each_piece(finished):
    output, _ = finished
    sources = pyogrio.read_dataframe(output / "zoning.gpkg", layer="piece_sources")
    pieces = pyogrio.read_dataframe(output / "zoning.gpkg", layer="pieces", read_geometry=False)
    by_piece = sources.groupby("piece_id").role.agg(lambda roles: ";".join(sorted(set(roles))))
    combos = pieces.set_index("piece_id").combo
    assert by_piece.to_dict() == combos[combos != ""].to_dict()


def test_layers_carry_their_style(finished):
    output, _ = finished
    connection = sqlite3.connect(output / "zoning.gpkg")
    styles = dict(
        connection.execute("SELECT f_table_name, styleQML FROM layer_styles WHERE useAsDefault = 1")
    )
    connection.close()
    assert styles.keys() == {"pieces", "zones", "conflicts", "findings", "slivers"}
    assert "禁止管控区" in styles["zones"]


def test_run_again_replaces_the_result_and_keeps_other_files(finished, city):
    output, _ = finished
    note = output / "note.txt"
    note.write_text("mine", encoding="utf-8")
    before = json.loads((output / "summary.json").read_text(encoding="utf-8"))
    assert call("run", city / "job.json", "--output", output).returncode == 0
    after = json.loads((output / "summary.json").read_text(encoding="utf-8"))
    assert after["content_sha256"] == before["content_sha256"]
    assert note.read_text(encoding="utf-8") == "mine"
    note.unlink()


def test_two_workers_give_the_same_content(finished, city, tmp_path):
    output, _ = finished
    assert call("run", city / "job.json", "--output", tmp_path / "two", "--workers", 2).returncode == 0
    one = json.loads((output / "summary.json").read_text(encoding="utf-8"))
    two = json.loads((tmp_path / "two" / "summary.json").read_text(encoding="utf-8"))
    assert one["content_sha256"] == two["content_sha256"]


@pytest.mark.skipif(os.name == "nt", reason="signals of another kind")
def test_interrupt_of_the_group_stops_a_run_with_workers_and_leaves_nothing(city, tmp_path):
    """Case B59 of the bad-input catalogue, with workers."""
    process = subprocess.Popen(
        command("run", city / "job.json", "--output", tmp_path / "out", "--progress", "json", "--workers", 2),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        start_new_session=True,
    )
    for line in process.stdout:
        if '"tracing"' in line:
            break
    began = time.monotonic()
    os.killpg(process.pid, signal.SIGINT)
    told, errors = process.communicate(timeout=20)
    assert time.monotonic() - began < 2
    assert process.returncode == 1
    assert "run.cancelled" in told
    assert errors == ""
    assert list(tmp_path.iterdir()) == []


def test_check_lists_findings_and_exits_by_their_severity(city, tmp_path):
    done = call("check", city / "job.json")
    assert done.returncode == 0
    assert all(f["severity"] != "error" for f in json.loads(done.stdout))
    (tmp_path / "job.json").write_text('{"schema": 1, "layers": []}', encoding="utf-8")
    done = call("check", tmp_path / "job.json", "--lang", "en")
    assert done.returncode == 1
    assert "job.no_layers" in {f["code"] for f in json.loads(done.stdout)}


def test_blocked_run_says_why_and_exits_1(tmp_path):
    (tmp_path / "job.json").write_text('{"schema": 99, "layers": []}', encoding="utf-8")
    done = call("run", tmp_path / "job.json", "--output", tmp_path / "out", "--lang", "en")
    assert done.returncode == 1
    assert "99" in done.stderr
    assert not (tmp_path / "out").exists()


WRONG = {
    "missing.json": None,
    "torn.json": b'{"schema": 1,',
    "gbk.json": '[{"名称": 1}]'.encode("gbk"),
    "object.json": b"{}",
    "list.json": b"[{}]",
}


@pytest.fixture
def wrong(tmp_path):
    """A folder with files that are not what a command asks for."""
    for name, content in WRONG.items():
        if content is not None:
            (tmp_path / name).write_bytes(content)
    return tmp_path


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["fly"],
        ["run"],
        ["run", "job.json", "--output", "x", "--workers", "0"],
        ["run", "list.json", "--output", ""],
        ["run", "missing.json", "--output", "x"],
        ["run", "torn.json", "--output", "x"],
        ["run", "gbk.json", "--output", "x"],
        ["run", ".", "--output", "x"],
        ["check", "missing.json"],
        ["check", "torn.json"],
        ["decide", "missing.json"],
        ["decide", "torn.json"],
        ["decide", "object.json"],
        ["decide", "--rules", "missing.json", "list.json"],
        ["decide", "--rules", "torn.json", "list.json"],
        ["decide", "--plan-date", "2026-02-30", "list.json"],
    ],
    ids=" ".join,
)
def test_wrong_use_exits_2(wrong, arguments):
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command(*arguments), cwd=wrong, env=environment, capture_output=True, check=False)
    assert done.returncode == 2
    assert b"Traceback" not in done.stderr
    assert not (wrong / "x").exists()


def test_a_bad_table_named_inside_a_job_is_its_content_and_exits_1(make_job, wrong):
    path = make_job(forest_park=[(shapely.box(640000, 3455000, 640100, 3455100), {})])
    job = {**json.loads(path.read_text(encoding="utf-8")), "rules": "torn.json"}
    path.write_text(json.dumps(job), encoding="utf-8")
    assert call("check", path).returncode == 1
    assert call("run", path, "--output", wrong / "out").returncode == 1


@pytest.mark.parametrize("name", ["zoning.gpkg", "summary.json"])
def test_a_run_is_refused_before_it_begins_where_it_would_overwrite_a_file_of_the_user(
    make_job, tmp_path, name
):
    job = make_job(forest_park=[(shapely.box(640000, 3455000, 640100, 3455100), {})])
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / name).write_text("mine", encoding="utf-8")
    done = call("run", job, "--output", tmp_path / "out", "--progress", "json")
    assert done.returncode == 1
    assert [json.loads(line)["code"] for line in done.stdout.splitlines()] == ["result.not_ours"]
    assert (tmp_path / "out" / name).read_text(encoding="utf-8") == "mine"


def test_a_run_does_not_overwrite_what_it_reads(make_job, tmp_path):
    frame = [(shapely.box(640000, 3455000, 640900, 3455900), {"code": "1", "name": "A"})]
    park = [(shapely.box(640000, 3455000, 640100, 3455100), {})]
    path = make_job(frame, forest_park=park)
    (tmp_path / "extent.gpkg").rename(tmp_path / "zoning.gpkg")
    job = json.loads(path.read_text(encoding="utf-8"))
    job["extent"]["source"] = "zoning.gpkg"
    path.write_text(json.dumps(job), encoding="utf-8")
    before = (tmp_path / "zoning.gpkg").read_bytes()
    done = call("run", path, "--output", tmp_path, "--progress", "json")
    [event] = [json.loads(line) for line in done.stdout.splitlines()]
    assert event["code"] == "result.would_overwrite_input"
    assert str(tmp_path / "zoning.gpkg") in event["text"]
    assert (tmp_path / "zoning.gpkg").read_bytes() == before
    assert sorted(p.name for p in tmp_path.iterdir()) == ["forest_park.gpkg", "job.json", "zoning.gpkg"]


@pytest.mark.parametrize("locale", [{"PYTHONIOENCODING": "latin-1"}, {"LC_ALL": "C", "PYTHONUTF8": "0"}])
def test_events_are_utf8_in_any_locale(tmp_path, locale):
    arguments = command("run", tmp_path / "none.json", "--output", tmp_path / "x", "--progress", "json")
    environment = {**os.environ, "PYTHONCOERCECLOCALE": "0", **locale}
    done = subprocess.run(arguments, cwd=ROOT, env=environment, capture_output=True, check=False)
    assert done.returncode == 2
    events = [json.loads(line) for line in done.stdout.decode("utf-8").splitlines()]
    assert "作业文件" in events[0]["text"]


@pytest.fixture
def failing(monkeypatch, capsys, make_job, tmp_path):
    """Return a runner of a job in this process whose run raises what it is given."""

    def run_failing(error):
        def fail(*arguments, **options):
            raise error

        monkeypatch.setattr("swc_zoning.engine.run.run", fail)
        job = make_job(forest_park=[(shapely.box(640000, 3455000, 640100, 3455100), {})])
        return cli.main(["run", str(job), "--output", str(tmp_path / "out"), "--progress", "json"])

    before = signal.getsignal(signal.SIGTERM)
    yield run_failing
    signal.signal(signal.SIGTERM, before)


def test_want_of_memory_is_told_as_an_event(failing, capsys):
    assert failing(MemoryError()) == 1
    [event] = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert (event["event"], event["code"]) == ("error", "run.memory")


def test_what_nobody_foresaw_is_told_as_an_event_and_still_raised(failing, capsys):
    with pytest.raises(ZeroDivisionError):
        failing(ZeroDivisionError("a {strange} case"))
    [event] = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert (event["event"], event["code"]) == ("error", "cli.unexpected")
    assert "ZeroDivisionError" in event["text"]
    assert "a {strange} case" in event["text"]


def test_decide_answers_each_membership_with_the_function_of_the_run(tmp_path):
    path = tmp_path / "memberships.json"
    path.write_text('[{"drinking_water_source": "一级"}, {}]', encoding="utf-8")
    done = call("decide", path)
    assert [answer["zone"] for answer in json.loads(done.stdout)] == ["PROHIBIT", "GENERAL"]


def test_decide_takes_another_table(tmp_path):
    path = tmp_path / "memberships.json"
    path.write_text('[{"steep_slope_ban": "ge25"}]', encoding="utf-8")
    hilly = ROOT / "resources" / "rules" / "hilly-example.json"
    ours, theirs = call("decide", path), call("decide", path, "--rules", hilly)
    assert json.loads(ours.stdout) != json.loads(theirs.stdout)


def test_area_measures_features_in_file_order(tmp_path):
    squares = [shapely.box(640000, 3455000, 640100, 3455100), shapely.box(630000, 3450000, 640000, 3460000)]
    geopandas.GeoDataFrame(geometry=squares, crs="EPSG:4549").to_file(tmp_path / "a.gpkg")
    rows = json.loads(call("area", tmp_path / "a.gpkg").stdout)
    assert [round(row["ellipsoidal_m2"], 2) for row in rows] == [9995.17, 99955052.86]
    assert [row["plane_m2"] for row in rows] == [10_000, 1e8]


def test_area_of_degrees_is_measured_in_the_zone_that_fits(tmp_path):
    square = geopandas.GeoSeries([shapely.box(640000, 3455000, 641000, 3456000)], crs="EPSG:4549")
    square.to_crs("EPSG:4490").to_file(tmp_path / "a.geojson")
    [row] = json.loads(call("area", tmp_path / "a.geojson").stdout)
    [exact] = json.loads(call("area", _written(square, tmp_path)).stdout)
    assert row["ellipsoidal_m2"] == pytest.approx(exact["ellipsoidal_m2"], rel=1e-6)


def _written(series, folder):
    series.to_file(folder / "plane.gpkg")
    return folder / "plane.gpkg"


def test_schema_is_a_json_schema_that_takes_the_demo_job(city):
    import jsonschema

    schema = json.loads(call("schema").stdout)
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(json.loads((city / "job.json").read_text(encoding="utf-8")), schema)
