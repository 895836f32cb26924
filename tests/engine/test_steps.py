# SPDX-License-Identifier: GPL-2.0-or-later
"""The steps of a zoning on their own: layers cast into roles, prepared, partitioned."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from shapely.geometry import Polygon, box

from swc_zoning.engine import casting, dividing, formats, geopackage, job, prepare, roles, workfiles
from swc_zoning.engine.messages import SwcError

EAST, NORTH = 600000.0, 3450000.0
ROOT = Path(__file__).resolve().parents[2]


def square(east, north, side):
    return box(EAST + east, NORTH + north, EAST + east + side, NORTH + north + side)


def bow_tie():
    ring = [(100, 100), (300, 300), (300, 100), (100, 300), (100, 100)]
    return Polygon([(EAST + x, NORTH + y) for x, y in ring])


@pytest.fixture
def small(make_job):
    """A job of a city of 1 km2 with two districts, a red line and a free layer that needs mending."""
    extent = [
        (box(EAST, NORTH, EAST + 500, NORTH + 1000), {"code": "990101", "name": "甲区"}),
        (box(EAST + 500, NORTH, EAST + 1000, NORTH + 1000), {"code": "990102", "name": "乙区"}),
    ]
    line = [(square(250, 250, 500), {"tier": "水源涵养", "id": "A1"})]
    return make_job(extent, ecological_redline=line, my_layer=[(bow_tie(), {"id": "B1"})])


def columns_of(path, layer, *names):
    rows = geopackage.read_table(path, layer)
    return sorted(tuple(row[name] for name in names) for row in rows)


def test_prepared_layers_carry_canonical_columns_by_role(small, tmp_path):
    made = prepare.write(prepare.prepare(job.load(small)), tmp_path / "prepared.gpkg")
    told = columns_of(made, "ecological_redline", *casting.PREPARED)
    assert told == [("ecological_redline", "water_conservation", "A1", "", "ecological_redline")]
    extent = columns_of(made, "admin_extent", "role", "source_id", "name")
    assert extent == [("admin_extent", "990101", "甲区"), ("admin_extent", "990102", "乙区")]


def test_what_was_mended_is_valid_and_in_the_table_of_repairs(small, tmp_path):
    made = prepare.write(prepare.prepare(job.load(small)), tmp_path / "prepared.gpkg")
    (repair,) = geopackage.read_table(made, "repairs")
    assert (repair["role"], repair["source_id"]) == ("my_layer", "B1")
    assert repair["area_after_m2"] == pytest.approx(20000, abs=0.01)
    assert formats.describe(made, "my_layer").geometry_type == "MultiPolygon"


def test_a_partition_has_every_role_on_its_pieces_and_fills_the_extent(small, tmp_path):
    made = dividing.write(dividing.divide(job.load(small)), tmp_path / "pieces.gpkg")
    rows = geopackage.read_table(made, "pieces")
    assert set(rows[0]) >= set(dividing.COLUMNS)
    assert "zone" not in rows[0]
    assert sum(row["plane_m2"] for row in rows) == pytest.approx(1e6, abs=1e-3)
    both = [row for row in rows if row["combo"] == "ecological_redline;my_layer"]
    members = {"ecological_redline": ["water_conservation"], "my_layer": [""]}
    assert {json.dumps(json.loads(row["members"])) for row in both} == {json.dumps(members)}
    assert {row["sources"] for row in both} == {2}
    assert {row["district_code"] for row in rows} == {"990101", "990102"}


def test_a_partition_is_that_of_a_run_and_the_same_from_prepared_layers(city, zoned_city, tmp_path):
    asked = job.load(city / "job.json")
    prepared = prepare.write(prepare.prepare(asked), tmp_path / "prepared.gpkg")
    again, _ = workfiles.job_of([prepared])
    direct = dividing.write(dividing.divide(asked), tmp_path / "direct.gpkg")
    by_step = dividing.write(dividing.divide(again), tmp_path / "by_step.gpkg")
    names = dividing.COLUMNS
    assert columns_of(direct, "pieces", *names) == columns_of(by_step, "pieces", *names)
    same = [name for name in names if name != "sources"]
    assert columns_of(direct, "pieces", *same) == columns_of(zoned_city / "zoning.gpkg", "pieces", *same)


# --- casting ---------------------------------------------------------------------------------------


def cast(*layers):
    made = [casting.Candidate({"source": f"/{name}.gpkg"}, name, fields) for name, fields in layers]
    return casting.cast(made)


def test_layers_are_cast_by_name_and_fields():
    line = ("STBHHX", ("HXBM", "HXMC", "HXLX"))
    document, findings = cast(("XZQ", ("XZQDM", "XZQMC")), line)
    assert document["extent"]["code_field"] == "XZQDM"
    (entry,) = document["layers"]
    assert entry["role"] == "ecological_redline"
    assert entry["tier"] == {"field": "HXLX"}
    assert [finding.code for finding in findings] == ["casting.recognised"] * 2


def test_what_cannot_be_told_is_a_free_role_of_its_own_and_said():
    document, findings = cast(("我的图层", ()), ("别的图层", ()), ("2 Grün!", ()), ("unknown stuff", ()))
    given = [entry["role"] for entry in document["layers"]]
    assert given == ["layer", "layer_2", "layer_2_grun", "unknown_stuff"]
    assert all(roles.is_valid_id(role) and roles.find(role) is None for role in given)
    assert {finding.code for finding in findings} == {"casting.free"}


def test_a_second_extent_is_no_extent():
    document, _ = cast(("XZQ", ("XZQDM", "XZQMC")), ("XZQ", ("XZQDM", "XZQMC")))
    assert document["extent"]["source"] == "/XZQ.gpkg"
    assert [entry["role"] for entry in document["layers"]] == ["xzq"]


def test_a_prepared_layer_keeps_its_role_whatever_it_is_called():
    entry = {"source": "/x.gpkg", "layer": "Extracted"}
    layer = casting.Candidate(entry, "Extracted", casting.PREPARED, frozenset({"nature_park"}))
    document, _ = casting.cast([layer])
    fields = {"tier": {"field": "tier"}, "id_field": "source_id", "name_field": "name"}
    assert document["layers"] == [{"role": "nature_park", **entry, **fields}]


def test_a_prepared_layer_of_two_roles_is_refused():
    said = frozenset({"nature_park", "nature_reserve"})
    with pytest.raises(SwcError, match=r"casting\.mixed"):
        casting.cast([casting.Candidate({"source": "/x.gpkg"}, "merged", casting.PREPARED, said)])


# --- files -----------------------------------------------------------------------------------------


def command(*arguments):
    words = [sys.executable, "-m", "swc_zoning", *map(str, arguments), "--lang", "en", "--progress", "json"]
    return subprocess.run(words, cwd=ROOT, capture_output=True, text=True)


def test_commands_say_what_they_wrote_and_write_it_again(small, tmp_path):
    for name in ("prepare", "partition"):
        output = tmp_path / "步骤" / f"{name}.gpkg"
        for _ in range(2):
            done = command(name, small, "--output", output)
            assert done.returncode == 0, done.stdout + done.stderr
            assert str(output) in json.loads(done.stdout.splitlines()[-1]).values()
        assert [one.name for one in output.parent.iterdir() if one.name.startswith(".")] == []


def test_neither_inputs_nor_files_of_others_are_overwritten(small, tmp_path):
    line = tmp_path / "ecological_redline.gpkg"
    before = line.read_bytes()
    for output, code in ((line, "workfiles.is_input"), (tmp_path / "a.txt", "workfiles.not_gpkg")):
        done = command("prepare", small, "--output", output)
        assert done.returncode == 2
        assert json.loads(done.stdout.splitlines()[-1])["code"] == code
    done = command("partition", small, "--output", tmp_path / "made.gpkg")
    assert done.returncode == 0
    done = command("prepare", small, "--output", tmp_path / "made.gpkg")
    assert json.loads(done.stdout.splitlines()[-1])["code"] == "workfiles.not_ours"
    assert line.read_bytes() == before


def test_a_job_among_layers_is_refused(small, tmp_path):
    with pytest.raises(SwcError, match=r"workfiles\.job_and_layers"):
        workfiles.job_of([small, tmp_path / "ecological_redline.gpkg"])
