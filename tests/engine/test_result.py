# SPDX-License-Identifier: GPL-2.0-or-later
"""Putting a result in place: whose files it replaces, what a failure leaves, where it is written aside."""

import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
import shapely

from swc_zoning.engine import result, run
from swc_zoning.engine.layers import whole
from swc_zoning.engine.messages import SwcError

CRS = "EPSG:4549"
OTHER_FILE_SYSTEM = Path("/dev/shm")


def layers(rows=1):
    table = {
        "item": np.array(["a"] * rows, object),
        "value": np.array([f"{rows}:{i}" for i in range(rows)], object),
    }
    return [whole("run", "", None, table)]


def put(target, rows=1):
    return result.write(layers(rows), {"content_sha256": str(rows)}, CRS, target)


def rows_of(target):
    with closing(sqlite3.connect(target / "zoning.gpkg")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        return connection.execute("SELECT count(*) FROM run").fetchone()[0]


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


# --- what is beside the old file -------------------------------------------------------------------


CRASHING = """
import os, sqlite3, sys
connection = sqlite3.connect(sys.argv[1])
connection.execute("PRAGMA journal_mode=" + sys.argv[2])
connection.execute("PRAGMA cache_size=1")
connection.execute("BEGIN")
connection.execute("UPDATE run SET value = 'old'")
if sys.argv[2] == "wal":
    connection.commit()
os._exit(9)
"""


@pytest.mark.parametrize("mode", ["wal", "delete"])
def test_what_a_crashed_reader_left_beside_the_old_result_does_not_reach_the_new_one(tmp_path, mode):
    target = tmp_path / "result"
    put(target, 3000)
    subprocess.run([sys.executable, "-c", CRASHING, str(target / "zoning.gpkg"), mode], check=False)
    assert len(names(target)) > 2
    put(target, 4000)
    assert names(target) == ["summary.json", "zoning.gpkg"]
    assert rows_of(target) == 4000
    with closing(sqlite3.connect(target / "zoning.gpkg")) as connection:
        assert connection.execute("SELECT count(*) FROM run WHERE value = 'old'").fetchone() == (0,)


@pytest.mark.parametrize("earlier", [True, False])
def test_a_file_that_lost_rows_on_its_way_is_not_left_as_a_result(tmp_path, monkeypatch, earlier):
    target = tmp_path / "result"
    if earlier:
        put(target)
    before = contents(target) if earlier else None

    def losing(move):
        def moved(source, place):
            move(source, place)
            file = Path(place) / "zoning.gpkg" if Path(place).is_dir() else Path(place)
            if file == target / "zoning.gpkg":
                with closing(sqlite3.connect(file)) as connection, connection:
                    connection.execute("DELETE FROM run WHERE value = '2:1'")

        return moved

    for name in ("rename", "replace"):
        monkeypatch.setattr(result.os, name, losing(getattr(os, name)))
    with pytest.raises(SwcError) as caught:
        put(target, 2)
    monkeypatch.undo()
    assert caught.value.code == "result.not_as_written"
    assert (caught.value.facts["found"], caught.value.facts["meant"]) == (1, 2)
    assert names(tmp_path) == (["result"] if earlier else [])
    if earlier:
        assert names(target) == sorted(before)
        assert contents(target)["summary.json"] == before["summary.json"]


# --- failures --------------------------------------------------------------------------------------


#: Flush two files; set the earlier summary, its WAL and file aside; move two files; mark it complete.
STEPS_OF_AN_EXCHANGE = 8


@pytest.mark.parametrize("fail_at", range(1, STEPS_OF_AN_EXCHANGE + 1))
def test_failing_at_any_step_leaves_the_earlier_result_as_it_was(tmp_path, monkeypatch, fail_at):
    """Case B57 of the bad-input catalogue."""
    target = tmp_path / "result"
    put(target)
    (target / "note.txt").write_text("mine", encoding="utf-8")
    (target / "zoning.gpkg-wal").touch()
    before = contents(target)
    with monkeypatch.context() as patch:
        fail_once(patch, fail_at)
        with pytest.raises(SwcError, match=r"result\.unwritable"):
            put(target, 2)
    assert contents(target) == before
    assert names(tmp_path) == ["result"]
    put(target, 2)
    assert names(target) == ["note.txt", "summary.json", "zoning.gpkg"]
    assert rows_of(target) == 2


def test_an_exchange_has_as_many_steps_as_are_failed_above(tmp_path, monkeypatch):
    put(tmp_path / "result")
    (tmp_path / "result" / "zoning.gpkg-wal").touch()
    steps = fail_once(monkeypatch, None)
    put(tmp_path / "result", 2)
    assert len(steps) == STEPS_OF_AN_EXCHANGE


@pytest.mark.parametrize("fail_at", [1, 2, 3])
def test_a_first_result_that_cannot_be_put_in_place_leaves_nothing(tmp_path, monkeypatch, fail_at):
    fail_once(monkeypatch, fail_at)
    with pytest.raises(SwcError, match=r"result\.unwritable"):
        put(tmp_path / "result")
    assert names(tmp_path) == []


def fail_once(patch, fail_at):
    """Let the file system refuse step number `fail_at`; return the list that steps are added to."""
    steps = []

    def failing(real):
        def call_or_fail(*arguments):
            steps.append(real.__name__)
            if len(steps) == fail_at:
                raise OSError(28, "No space left on device")
            return real(*arguments)

        return call_or_fail

    for name in ("fsync", "replace", "rename"):
        patch.setattr(result.os, name, failing(getattr(os, name)))
    return steps


# --- where it is written aside ---------------------------------------------------------------------


@pytest.mark.skipif(not OTHER_FILE_SYSTEM.is_dir(), reason="no second file system here")
def test_a_folder_on_another_file_system_takes_results(tmp_path):
    there = OTHER_FILE_SYSTEM / f"swc-zoning-test-{os.getpid()}"
    there.mkdir()
    try:
        if there.stat().st_dev == tmp_path.stat().st_dev:
            pytest.skip("no second file system here")
        link = tmp_path / "link"
        link.symlink_to(there)
        assert put(link).zoning == link / "zoning.gpkg"
        put(link, 2)
        assert names(there) == ["summary.json", "zoning.gpkg"]
        assert rows_of(link) == 2
        assert link.is_symlink()
    finally:
        shutil.rmtree(there)


@pytest.mark.skipif(os.name != "posix", reason="processes of others cannot be asked for here")
def test_what_killed_runs_left_aside_is_swept_and_nothing_else(tmp_path):
    """Case B58 of the bad-input catalogue."""
    target = tmp_path / "result"
    put(target)
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    dead, alive = f".result.{ended.pid}-0a1b2c3d", f".result.{os.getppid()}-0a1b2c3d"
    kept = (alive, f".other.{ended.pid}-0a1b2c3d", f".result.{ended.pid}-mine", ".result.of-the-user")
    for place in (tmp_path, target):
        for name in (dead, *kept):
            (place / name).mkdir()
    put(target, 2)
    assert set(names(tmp_path)) == {"result", *kept}
    assert set(names(target)) == {"summary.json", "zoning.gpkg", *kept}


# --- whose files are there -------------------------------------------------------------------------


def refusal(target, sources=()):
    with pytest.raises(SwcError) as caught:
        result.check_target(target, sources)
    return caught.value


def test_a_result_of_an_earlier_run_may_be_replaced(tmp_path):
    put(tmp_path / "result")
    with closing(sqlite3.connect(tmp_path / "result" / "zoning.gpkg")) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
    before = contents(tmp_path / "result")
    result.check_target(tmp_path / "result", [str(tmp_path / "in.gpkg"), "PG:dbname=city"])
    assert contents(tmp_path / "result") == before


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("zoning.gpkg", b"mine"),
        ("zoning.gpkg", b""),
        ("summary.json", b"my notes"),
        ("summary.json", b'{"total": 1}'),
        ("summary.json", b"[]"),
        ("summary.json", b"\xff\xfe"),
    ],
)
def test_a_file_no_run_wrote_is_not_replaced(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    assert refusal(tmp_path).code == "result.not_ours"
    assert refusal(tmp_path).facts == {"path": str(tmp_path / name)}
    with pytest.raises(SwcError, match=r"result\.not_ours"):
        put(tmp_path)
    assert contents(tmp_path) == {name: content}


def test_a_geopackage_of_the_user_is_not_replaced(tmp_path):
    with closing(sqlite3.connect(tmp_path / "zoning.gpkg")) as connection, connection:
        connection.execute("CREATE TABLE parcels (id INTEGER)")
    assert refusal(tmp_path).code == "result.not_ours"


@pytest.mark.parametrize("name", ["zoning.gpkg", "summary.json"])
def test_an_input_is_not_replaced_by_whatever_name_it_goes(tmp_path, name):
    put(tmp_path / "result")
    (tmp_path / "link").symlink_to(tmp_path / "result")
    for source in (
        tmp_path / "result" / name,
        tmp_path / "link" / name,
        tmp_path / "link" / ".." / "result" / name,
    ):
        error = refusal(tmp_path / "result", ["PG:dbname=city", str(source)])
        assert error.code == "result.would_overwrite_input"
        assert error.facts["source"] == str(source)


def test_names_with_signs_of_addresses_are_names(tmp_path):
    """Case B54 of the bad-input catalogue."""
    target = tmp_path / "成果 100%?#1"
    put(target)
    put(target, 2)
    assert rows_of(target) == 2


def test_a_folder_that_cannot_be_written_to_is_found_before_the_run(tmp_path):
    (tmp_path / "file").write_text("mine", encoding="utf-8")
    assert refusal(tmp_path / "file").code == "result.unwritable"
    assert refusal(tmp_path / "file" / "below" / "deeper").code == "result.unwritable"


@pytest.mark.skipif(os.name != "posix" or os.getuid() == 0, reason="permissions do not bind this user")
def test_a_folder_without_permission_is_found_before_the_run(tmp_path):
    """Case B55 of the bad-input catalogue."""
    (tmp_path / "locked").mkdir(mode=0o500)
    assert refusal(tmp_path / "locked").code == "result.unwritable"


def test_asking_leaves_no_trace(tmp_path):
    result.check_target(tmp_path / "not" / "yet", ())
    assert names(tmp_path) == []


# --- the ledger ------------------------------------------------------------------------------------


def test_the_ledger_says_where_a_repair_was_and_what_it_shed(make_job, tmp_path):
    x, y = 640000, 3455000
    bow = shapely.Polygon([(x, y), (x + 10, y + 10), (x + 10, y), (x, y + 10)])
    spike = shapely.Polygon(
        [(x + 50, y), (x + 60, y), (x + 60, y + 10), (x + 60, y + 30), (x + 60, y + 10), (x + 50, y + 10)]
    )
    zoning = run.run(make_job(forest_park=[(bow, {"id": "bow"}), (spike, {"id": "spike"})]))
    zoning.write(tmp_path / "out")
    with closing(sqlite3.connect(tmp_path / "out" / "zoning.gpkg")) as connection:
        rows = connection.execute(
            "SELECT source_id, east, north, leftovers FROM ledger WHERE entry = 'repaired'"
        )
        repaired = {source: rest for source, *rest in rows}
        others = connection.execute(
            "SELECT DISTINCT east, north, leftovers FROM ledger WHERE entry <> 'repaired'"
        )
        assert others.fetchall() == [(None, None, 0)]
    assert repaired["bow"] == [x + 5, y + 5, 0]
    assert repaired["spike"][2] == 1
