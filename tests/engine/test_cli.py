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
import numpy as np
import pyogrio
import pytest
import shapely

from swc_zoning.engine import result

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
    assert styles.keys() == {"pieces", "zones", "conflicts", "findings"}
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
@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_stopped_run_leaves_nothing_within_two_seconds(city, tmp_path, stop):
    output = tmp_path / "stopped"
    process = subprocess.Popen(
        command("run", city / "job.json", "--output", output, "--progress", "json"),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        encoding="utf-8",
    )
    for line in process.stdout:
        if '"noding"' in line or '"writing"' in line:
            break
    began = time.monotonic()
    process.send_signal(stop)
    rest = process.stdout.read()
    assert process.wait() == 1
    assert time.monotonic() - began < 2
    assert "run.cancelled" in rest
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("fail_at", [1, 2, 3, 4])
def test_failing_at_any_write_leaves_the_old_result_or_none(tmp_path, monkeypatch, fail_at):
    table = {"item": np.array(["a"], object), "value": np.array(["b"], object)}
    layers, target = [result.Layer("run", "", None, table)], tmp_path / "result"
    result.write(layers, {"run": 1}, "EPSG:4549", target)
    old = (target / "summary.json").read_text(encoding="utf-8")
    calls = iter(range(1, 5))

    def failing(real):
        def call_or_fail(*arguments):
            if next(calls) == fail_at:
                raise OSError(28, "No space left on device")
            return real(*arguments)

        return call_or_fail

    for name in ("fsync", "replace"):
        monkeypatch.setattr(result.os, name, failing(getattr(os, name)))
    with pytest.raises(result.SwcError, match=r"result\.unwritable"):
        result.write(layers, {"run": 2}, "EPSG:4549", target)
    kept = target / "summary.json"
    assert not kept.exists() or kept.read_text(encoding="utf-8") == old
    assert [p.name for p in tmp_path.iterdir()] == ["result"]
    monkeypatch.undo()
    result.write(layers, {"run": 2}, "EPSG:4549", target)
    assert '"run": 2' in kept.read_text(encoding="utf-8")


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


@pytest.mark.parametrize(
    "arguments", [[], ["fly"], ["run"], ["run", "job.json", "--output", "x", "--workers", "0"]]
)
def test_wrong_use_exits_2(arguments):
    assert call(*arguments).returncode == 2


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
