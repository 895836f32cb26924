# SPDX-License-Identifier: GPL-2.0-or-later
"""Bad surroundings and bad will, case by case of the bad-input catalogue (B54-B64, B67, B68).

What holds for every case: inputs stay as they are byte for byte, the folder of the result holds the
old result or the new one, nothing temporary is left, and the next run works. B57 at every step of an
exchange is also in `test_result`, B59 with workers in `test_cli`, B62 and B63 in `tests/qgis`.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import closing, suppress
from pathlib import Path

import numpy as np
import pytest
import shapely
from pyogrio import raw

from swc_zoning import cli
from swc_zoning.engine import cells, claim, formats, intake, rules, scratch
from swc_zoning.engine import job as jobs
from swc_zoning.engine.messages import SwcError
from swc_zoning.engine.progress import Progress

ROOT = Path(__file__).resolve().parents[2]
EAST, NORTH = 600_000.0, 3_450_000.0
posix = pytest.mark.skipif(os.name != "posix", reason="processes and permissions of another kind")
pytestmark = pytest.mark.filterwarnings("ignore:invalid value")


def write(path, columns=None, count=2, **options):
    boxes = [shapely.box(EAST + 20 * i, NORTH, EAST + 20 * i + 10, NORTH + 10) for i in range(count)]
    columns = columns or {"BSM": [f"甲{i}" for i in range(count)]}
    raw.write(
        str(path),
        geometry=shapely.to_wkb(np.array(boxes, object)),
        field_data=[np.array(values, object) for values in columns.values()],
        fields=np.array(list(columns), object),
        geometry_type="Polygon",
        **{"crs": "EPSG:4549", **options},
    )
    return path


def write_job(folder, source="地块.gpkg", **entry):
    layer = {"role": "parcels", "source": str(source), **entry}
    document = {"schema": 1, "crs": "EPSG:4549", "layers": [layer]}
    path = folder / "job.json"
    path.write_text(json.dumps(document, ensure_ascii=False), encoding="utf-8")
    return path


@pytest.fixture
def small(tmp_path):
    """A folder with a job of one layer of two squares."""
    folder = tmp_path / "in"
    folder.mkdir()
    write(folder / "地块.gpkg")
    write_job(folder)
    return folder


def state(folder):
    """Every file below `folder` by its content, and every folder."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
        for path in folder.rglob("*")
    }


def arguments_of(job, output, *more):
    return ["run", str(job), "--output", str(output), "--progress", "json", *map(str, more)]


@pytest.fixture
def run_here(capsys, monkeypatch):
    """Return a runner of the command line in this process: (exit status, events)."""
    for name in (scratch.VARIABLE, "SQLITE_TMPDIR", "CPL_TMPDIR"):
        monkeypatch.setenv(name, "")  # so that what a run sets is undone
        monkeypatch.delenv(name)

    def run(job, output, *more):
        status = cli.main(arguments_of(job, output, *more))
        return status, [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    return run


def start(job, output, *more, script=None, **options):
    command = [sys.executable, *(["-c", script] if script else ["-m", "swc_zoning"])]
    options = {"cwd": ROOT, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
    return subprocess.Popen(
        [*command, *arguments_of(job, output, *more)], text=True, encoding="utf-8", **options
    )


def run_apart(*arguments, **options):
    """Run the command line in a process of its own: (exit status, events)."""
    process = start(*arguments, **options)
    out, _ = process.communicate(timeout=60)
    return process.returncode, [json.loads(line) for line in out.splitlines()]


def errors(events):
    return [event["code"] for event in events if event["event"] == "error"]


def content(output):
    return json.loads((output / "summary.json").read_text(encoding="utf-8"))["content_sha256"]


def with_log(path):
    """Let SQLite write ahead to a log beside `path`, and leave a change in it; the writer stays open."""
    writer = sqlite3.connect(path)
    writer.execute("PRAGMA journal_mode=WAL")
    writer.execute("PRAGMA wal_autocheckpoint=0")
    return writer


# --- temporary data ----------------------------------------------------------------------------------


@pytest.mark.parametrize("chosen_by", ["argument", "environment"])
def test_temporary_data_go_where_the_user_said_and_nothing_is_left_anywhere(small, tmp_path, chosen_by):
    writer = with_log(small / "地块.gpkg")
    writer.execute("CREATE TABLE notes (n)")
    writer.commit()
    places = {name: tmp_path / name for name in ("temp", "home", "tmpdir", "cwd")}
    for place in places.values():
        place.mkdir()
    before = state(small)
    # The copy of the source is taken while temporary data are watched.
    script = f"""
import shutil, sys
from pathlib import Path
copy = shutil.copy2
def told(source, folder):
    print("{{" + f'"event": "copied", "to": "{{folder.parent}}"' + "}}")
    return copy(source, folder)
shutil.copy2 = told
sys.path.insert(0, {str(ROOT)!r})
from swc_zoning import cli
sys.exit(cli.main())
"""
    said = ["--temp", places["temp"]] if chosen_by == "argument" else []
    environment = {**os.environ, "HOME": str(places["home"]), "TMPDIR": str(places["tmpdir"])}
    if not said:
        environment[scratch.VARIABLE] = str(places["temp"])
    options = {"script": script, "env": environment, "cwd": places["cwd"]}
    status, events = run_apart(small / "job.json", tmp_path / "out", *said, **options)
    assert (status, errors(events)) == (0, [])
    assert {event["to"] for event in events if event["event"] == "copied"} == {str(places["temp"])}
    assert [path for place in places.values() for path in place.iterdir()] == []
    assert state(small) == before
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["summary.json", "zoning.gpkg"]
    writer.close()


def test_temporary_data_of_killed_processes_of_this_computer_are_swept_and_no_others(tmp_path, monkeypatch):
    monkeypatch.setenv(scratch.VARIABLE, str(tmp_path))
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    other = "0" * 8
    stale = [f"swc_zoning-snapshot-{scratch.HOST}-{pid}-0a1b2c3d" for pid in (ended.pid, os.getpid())]
    kept = [
        f"swc_zoning-snapshot-{scratch.HOST}-{os.getppid()}-0a1b2c3d",
        f"swc_zoning-snapshot-{other}-{ended.pid}-0a1b2c3d",
        f"swc_zoning-{ended.pid}",
        "of the user",
    ]
    for name in (*stale, *kept):
        (tmp_path / name).mkdir()
        (tmp_path / name / "data").touch()
    with scratch.folder("mine") as mine:
        scratch.use()
        assert {path.name for path in tmp_path.iterdir()} == {*kept, mine.name}
    assert {path.name for path in tmp_path.iterdir()} == set(kept)


def test_a_folder_for_temporary_data_that_cannot_be_used_is_told_before_the_run(small, tmp_path, run_here):
    status, events = run_here(small / "job.json", tmp_path / "out", "--temp", tmp_path / "none")
    assert (status, [event["event"] for event in events]) == (1, ["error"])
    assert errors(events) == ["scratch.unwritable"]
    assert "--temp" in events[0]["text"]
    assert not (tmp_path / "out").exists()


def test_a_disk_with_less_room_than_the_input_is_told_before_the_run(small, tmp_path, run_here, monkeypatch):
    monkeypatch.setattr(formats, "source_bytes", lambda source: 1 << 60)
    status, events = run_here(small / "job.json", tmp_path / "out", "--temp", tmp_path)
    assert status == 0
    first = [event for event in events if event["event"] == "finding"][:2]
    assert [event["code"] for event in first] == ["scratch.little_space"] * 2
    assert [event["facts"]["path"] for event in first] == [str(tmp_path / "out"), str(tmp_path)]


# --- B54 to B56: paths, permissions, locks of others --------------------------------------------------


@pytest.mark.parametrize(
    "name",
    ["水土保持 规划", 'it\'s "x"', "100% #1 & co?", "[a] {b} *", "末尾点.", "long/" * 50 + "长" * 15],
    ids=["B54 chinese", "B54 quotes", "B54 signs", "B54 brackets", "B54 dot", "B54 long"],
)
def test_a_path_of_any_characters_and_length_is_a_path(small, tmp_path, run_here, name):
    folder = tmp_path / "x" / name
    folder.parent.mkdir(parents=True)
    small.rename(folder)
    (folder / "temp").mkdir()
    before = state(folder)
    for _ in range(2):
        status, events = run_here(folder / "job.json", folder / "成果.", "--temp", folder / "temp")
        assert (status, errors(events)) == (0, [])
    assert sorted(path.name for path in (folder / "成果.").iterdir()) == ["summary.json", "zoning.gpkg"]
    shutil.rmtree(folder / "成果.")
    assert state(folder) == before


@posix
def test_b54_a_source_may_lie_deeper_than_a_result_and_that_is_told_before_the_run(small, tmp_path, run_here):
    folder = tmp_path.joinpath(*["长" * 60] * 5)
    folder.parent.mkdir(parents=True)
    small.rename(folder)
    status, events = run_here(folder / "job.json", folder / "out")
    assert (status, [event.get("code") for event in events]) == (1, ["result.path_too_long"])
    assert run_here(folder / "job.json", tmp_path / "out")[0] == 0


@pytest.fixture
def read_only(tmp_path):
    """Return a maker of read-only folders: by permission, for root by a mount."""
    if os.name != "posix":
        pytest.skip("permissions of another kind")
    mounted = []

    def make(folder):
        if os.getuid() != 0:
            folder.chmod(0o500)
            return
        for command in (["--bind", str(folder)], ["-o", "remount,ro,bind"]):
            done = subprocess.run(["mount", *command, str(folder)], capture_output=True, check=False)
            if done.returncode:
                pytest.skip("no read-only folder can be made here")
            mounted.append(folder)

    yield make
    for folder in dict.fromkeys(mounted):
        subprocess.run(["umount", str(folder)], check=True)
    for folder in tmp_path.iterdir():
        folder.chmod(0o700)


@pytest.mark.parametrize("log", [False, True])
def test_b55_inputs_in_a_read_only_folder_are_read(small, tmp_path, run_here, read_only, log):
    writer = with_log(small / "地块.gpkg") if log else None
    if writer:
        writer.execute("UPDATE rtree_地块_geom SET minx = minx")
        writer.commit()
    before = state(small)
    read_only(small)
    status, events = run_here(small / "job.json", tmp_path / "out")
    assert (status, errors(events)) == (0, [])
    assert state(small) == before
    if writer:
        # While one connection of a process holds locks, SQLite keeps files open that others closed.
        writer.close()


def test_b55_a_read_only_folder_for_the_result_is_told_before_the_run(small, tmp_path, run_here, read_only):
    (tmp_path / "out").mkdir()
    read_only(tmp_path / "out")
    status, events = run_here(small / "job.json", tmp_path / "out")
    assert (status, [event.get("code") for event in events]) == (1, ["result.unwritable"])


HOLDING = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN EXCLUSIVE")
if sys.argv[2] == "write":
    connection.execute("CREATE TABLE unfinished (n)")
print("held", flush=True)
sys.stdin.read()
print(connection.execute(sys.argv[3]).fetchone()[0], flush=True)
"""


@pytest.fixture
def hold():
    """Return a starter of processes that hold a database; each says at its end what it reads from it."""
    held = []

    def make(path, how, query="SELECT 1"):
        command = [sys.executable, "-c", HOLDING, str(path), how, query]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        held.append(process)
        assert process.stdout.readline() == "held\n"
        return process

    yield make
    for process in held:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("how", ["read", "write"])
def test_b56_a_source_that_another_process_holds_is_read_as_it_was_last_saved(small, hold, how):
    hold(small / "地块.gpkg", how)
    before = state(small)
    table = formats.read_vector(small / "地块.gpkg")
    assert table.columns["BSM"].tolist() == ["甲0", "甲1"]
    assert state(small) == before


@posix
def test_b56_a_result_that_another_process_holds_is_replaced_and_that_process_keeps_the_old(
    small, tmp_path, run_here, hold
):
    assert run_here(small / "job.json", tmp_path / "out")[0] == 0
    holder = hold(tmp_path / "out" / "zoning.gpkg", "read", "SELECT count(*) FROM pieces")
    write(small / "地块.gpkg", count=5, append=False)
    assert run_here(small / "job.json", tmp_path / "out")[0] == 0
    with closing(sqlite3.connect(tmp_path / "out" / "zoning.gpkg")) as database:
        assert database.execute("SELECT count(*) FROM pieces").fetchone() == (5,)
    assert holder.communicate("")[0] == "2\n"


# --- B57, B58: full disks, failing writes, sudden ends -------------------------------------------------


@pytest.fixture
def faulty(run_here):
    """Return a runner of the script `faults`, which yields what it found at each write."""
    # In memory where that can be: a disk takes its time to confirm each of the thousand writes.
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as name:
        folder = Path(name)
        write(folder / "地块.gpkg", count=1)
        assert run_here(write_job(folder), folder / "old")[0] == 0
        write(folder / "地块.gpkg", append=False)

        def run(how):
            command = [sys.executable, str(Path(__file__).with_name("faults.py")), str(folder), how]
            environment = {**os.environ, "PYTHONPATH": str(ROOT)}
            done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
            return [json.loads(line) for line in done.stdout.splitlines()]

        yield run


@posix
@pytest.mark.parametrize("how", ["refuse", "full"])
def test_b57_whatever_write_fails_the_result_is_the_old_or_the_new_one_and_it_is_said(faulty, how):
    tried = faulty(how)
    assert len(tried) > (3 if how == "full" else 20)
    for one in tried:
        # A failing run says so and changes nothing; one that gets through did not need the write.
        assert one["first"]["found"] == ("old" if one["status"] == 1 else "new"), one
        assert one["status"] != 1 or one["codes"][0].endswith((".unwritable", ".no_space")), one
        assert one["then"] == {**one["first"], "beside": [], "temp": 0}, one
    assert {one["status"] for one in tried} >= {1, tried[-1]["status"]}


@posix
def test_b58_a_power_cut_at_any_write_leaves_the_old_or_the_new_result_and_the_next_run_clears_up(faulty):
    tried = faulty("die")
    assert len(tried) > 20
    for one in tried:
        assert one["first"]["found"] in ("old", "none", "new"), one
        assert one["then"]["found"] in ("old", "new"), one
        assert (one["then"]["beside"], one["then"]["temp"]) == ([], 0), one
    found = [one["first"]["found"] for one in tried]
    assert found == sorted(found, key=["old", "none", "new"].index)


@pytest.fixture
def tiny_disk(tmp_path):
    """A file system of one megabyte; the test is skipped where none can be mounted."""
    place = tmp_path / "disk"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(place)]
    if not shutil.which("mount") or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("no file system can be mounted here")
    yield place
    subprocess.run(["umount", str(place)], check=True)


@pytest.mark.parametrize("full", ["result", "temp"])
def test_b57_a_disk_without_room_is_told_before_the_run(small, tmp_path, run_here, tiny_disk, full):
    output = tiny_disk / "out" if full == "result" else tmp_path / "out"
    more = ["--temp", tiny_disk] if full == "temp" else []
    status, events = run_here(small / "job.json", output, *more)
    assert (status, [event.get("code") for event in events]) == (1, ["scratch.no_space"])
    assert "16 MB" in events[0]["text"]
    assert list(tiny_disk.iterdir()) == []


def until(process, step):
    """Read events of a run until it is in `step`."""
    for line in process.stdout:
        if f'"step": "{step}"' in line:
            return


@posix
def test_b58_a_run_killed_in_any_step_is_cleared_up_by_the_next(city, tmp_path):
    temp = tmp_path / "temp"
    temp.mkdir()
    for step in ("reading", "tracing", "writing"):
        process = start(city / "job.json", tmp_path / "out", "--temp", temp)
        until(process, step)
        process.kill()
        process.communicate()
        assert (tmp_path / "out" / claim.LOCK).exists()
        assert not (tmp_path / "out" / "summary.json").exists()
    status, events = run_apart(city / "job.json", tmp_path / "out", "--temp", temp)
    assert (status, errors(events)) == (0, [])
    assert list(temp.iterdir()) == []
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["summary.json", "zoning.gpkg"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "temp"]


# --- B59: cancel ---------------------------------------------------------------------------------------

STEPS = (
    "reading",
    "tiling",
    "tracing",
    "stitching",
    "proving",
    "deciding",
    "slivers",
    "conflicts",
    "writing",
)


@posix
def test_b59_a_run_cancelled_in_any_step_ends_within_two_seconds_and_leaves_nothing(city, tmp_path):
    temp = tmp_path / "temp"
    temp.mkdir()
    for number, step in enumerate(STEPS):
        process = start(city / "job.json", tmp_path / "a" / "out", "--temp", temp)
        until(process, step)
        began = time.monotonic()
        process.send_signal((signal.SIGTERM, signal.SIGINT)[number % 2])
        told, complaints = process.communicate(timeout=20)
        assert time.monotonic() - began < 2
        assert (process.returncode, complaints) == (1, "")
        assert "run.cancelled" in told.splitlines()[-1]
        assert [path.name for path in tmp_path.iterdir()] == ["temp"]
        assert list(temp.iterdir()) == []


def test_b59_a_stop_while_a_layer_is_read_is_no_problem_of_the_layer(small, tmp_path, run_here, monkeypatch):
    """What reads a layer turns errors into findings; a stop among them must stop the run."""
    read = formats.read_vector

    def stopped(*arguments):
        signal.raise_signal(signal.SIGTERM)
        return read(*arguments)

    monkeypatch.setattr(formats, "read_vector", stopped)
    status, events = run_here(small / "job.json", tmp_path / "out")
    assert (status, errors(events)) == (1, ["run.cancelled"])
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("stops", [2, 5])
def test_b59_stops_that_follow_do_not_keep_the_first_from_clearing_up(
    small, tmp_path, run_here, monkeypatch, stops
):
    remove = shutil.rmtree

    def interrupted(*arguments, **options):
        for _ in range(stops):
            signal.raise_signal(signal.SIGINT)
        remove(*arguments, **options)

    monkeypatch.setattr(claim.shutil, "rmtree", interrupted)
    status, events = run_here(small / "job.json", tmp_path / "out", "--temp", tmp_path)
    assert (status, errors(events)) == (1, ["run.cancelled"])
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


DEAF = """
import hashlib, sys
from swc_zoning import cli
from swc_zoning.engine import claim, run, scratch
def long_call(*arguments, **options):
    with scratch.folder("deaf") as folder, claim.aside(OUT, OUT):
        (folder / "data").touch()
        print('{"event": "progress", "step": "tracing"}', flush=True)
        hashlib.pbkdf2_hmac("sha256", b"a", b"b", 100_000_000)
run.run = long_call
from pathlib import Path
OUT = Path(sys.argv[4]).resolve()
sys.exit(cli.main())
"""


@posix
def test_b59_a_call_into_a_library_that_does_not_come_back_is_ended_in_time(small, tmp_path):
    temp = tmp_path / "temp"
    temp.mkdir()
    process = start(small / "job.json", tmp_path / "out", "--temp", temp, script=DEAF)
    until(process, "tracing")
    assert len(list(temp.iterdir())) == 1
    time.sleep(0.3)  # it is in the call by then
    began = time.monotonic()
    process.terminate()
    told, _ = process.communicate(timeout=20)
    assert time.monotonic() - began < 2
    assert process.returncode == 1
    assert [json.loads(line)["code"] for line in told.splitlines()] == ["run.cancelled"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in", "temp"]
    assert list(temp.iterdir()) == []


# --- B60, B61: files that are not whole -----------------------------------------------------------------


def cut(path, size):
    path.write_bytes(path.read_bytes()[:size])


@pytest.mark.parametrize("backend", ["arrow", "pyogrio", "fiona"])
@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        pytest.param(lambda shp: shp.with_suffix(".shx").unlink(), "intake.part_missing", id="B60 no shx"),
        pytest.param(lambda shp: cut(shp, 3000), "intake.damaged", id="B60 shp cut"),
        pytest.param(lambda shp: cut(shp, 0), "intake.damaged", id="B60 shp empty"),
        pytest.param(lambda shp: cut(shp.with_suffix(".dbf"), 2000), "intake.damaged", id="B60 dbf cut"),
        pytest.param(lambda shp: cut(shp.with_suffix(".shx"), 200), "intake.unreadable", id="B60 shx cut"),
    ],
)
def test_half_a_shapefile_is_an_error_and_never_a_shorter_layer(tmp_path, monkeypatch, backend, spoil, code):
    if backend == "arrow" and formats.backend() != "arrow":
        pytest.skip("pyarrow is not here")
    monkeypatch.setattr(formats, "backend", lambda: backend)
    shp = write(tmp_path / "红线.shp", count=50, encoding="UTF-8")
    spoil(shp)
    before = state(tmp_path)
    findings = intake.inspect(jobs.load(write_job(tmp_path, "红线.shp")))
    assert [finding.code for finding in findings] == [code]
    assert "红线" in findings[0].sentence("zh")
    (tmp_path / "job.json").unlink()
    assert state(tmp_path) == before


@pytest.mark.parametrize(
    "spoil", [Path.unlink, lambda path: cut(path, 0)], ids=["B60 no dbf", "B60 dbf empty"]
)
def test_a_shapefile_without_attributes_is_read_for_its_shapes_and_told(tmp_path, spoil):
    spoil(write(tmp_path / "红线.shp", count=50).with_suffix(".dbf"))
    plain = intake.read(jobs.load(write_job(tmp_path, "红线.shp")), Progress())
    assert [finding.code for finding in plain.findings] == ["intake.attributes_missing"]
    assert len(plain.features.geometry) == 50
    wanting = intake.inspect(jobs.load(write_job(tmp_path, "红线.shp", id_field="BSM")))
    assert "intake.field_missing" in [finding.code for finding in wanting]


def test_b60_rows_without_a_shape_at_the_end_are_told(tmp_path):
    table = write(tmp_path / "红线.shp", count=3, encoding="UTF-8").with_suffix(".dbf")
    content = bytearray(table.read_bytes().rstrip(b"\x1a"))
    width = int.from_bytes(content[10:12], "little")
    content[4:8] = (4).to_bytes(4, "little")
    table.write_bytes(bytes(content) + b" " * width + b"\x1a")
    taken = intake.read(jobs.load(write_job(tmp_path, "红线.shp", id_field="BSM")), Progress())
    assert taken.features.source_id == ["甲0", "甲1", "甲2"]
    [told] = [finding for finding in taken.findings if finding.code == "intake.rows_without_shape"]
    assert told.facts["count"] == 1


def test_b61_data_not_yet_checkpointed_take_part_in_a_run(small, tmp_path, run_here):
    writer = with_log(small / "地块.gpkg")
    # Dropping a row by its number spares the triggers that need functions of GDAL.
    for (name,) in writer.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
        writer.execute(f'DROP TRIGGER "{name}"')
    writer.execute("DELETE FROM 地块 WHERE BSM = '甲1'")
    writer.commit()
    before = state(small)
    assert run_here(small / "job.json", tmp_path / "out")[0] == 0
    summary = json.loads((tmp_path / "out" / "summary.json").read_text(encoding="utf-8"))
    assert summary["total"]["plane_m2"] == pytest.approx(100)
    assert state(small) == before
    writer.close()


# --- B64: two runs, one folder ---------------------------------------------------------------------------


def lock(folder, **owner):
    folder.mkdir(exist_ok=True)
    (folder / claim.LOCK).write_text(json.dumps(owner) if owner else "", encoding="utf-8")
    return folder


HERE = claim.platform.node()


@posix
def test_b64_the_second_of_two_runs_is_refused_and_told_who_holds_the_folder(city, small, tmp_path, run_here):
    first = start(city / "job.json", tmp_path / "out")
    until(first, "reading")
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "out")
    for output in (tmp_path / "out", link):
        status, events = run_here(small / "job.json", output)
        assert (status, errors(events)) == (1, ["claim.held"])
        assert str(first.pid) in events[-1]["text"]
        assert HERE in events[-1]["text"]
    first.communicate(timeout=60)
    assert first.returncode == 0
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["summary.json", "zoning.gpkg"]
    assert run_here(small / "job.json", tmp_path / "out")[0] == 0


@posix
def test_b64_a_lock_of_a_process_that_is_no_more_is_swept(small, tmp_path, run_here):
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    for owner in ({"pid": ended.pid, "host": HERE, "made": 1}, {"pid": os.getpid(), "host": HERE, "made": 0}):
        output = lock(tmp_path / "out", **owner)
        assert run_here(small / "job.json", output)[0] == 0
        assert sorted(path.name for path in output.iterdir()) == ["summary.json", "zoning.gpkg"]


@pytest.mark.parametrize(
    "owner",
    [
        {"pid": 1, "host": "another-computer", "started": "2026-01-01T08:00:00+08:00", "made": 0},
        {"pid": os.getppid(), "host": HERE, "started": "2026-01-01T08:00:00+08:00", "made": 0},
        {},
    ],
    ids=["B64 another computer", "B64 alive", "B64 just being written"],
)
def test_a_lock_that_may_be_held_is_respected_and_left(small, tmp_path, run_here, owner):
    output = lock(tmp_path / "out", **owner)
    before = state(output)
    status, events = run_here(small / "job.json", output)
    assert (status, errors(events)) == (1, ["claim.held"])
    assert claim.LOCK in events[-1]["text"]
    assert state(output) == before


@pytest.mark.parametrize("age_s", [-3600, 3600], ids=["B64 from the future", "B64 old"])
def test_a_lock_that_nobody_finished_writing_is_swept_whatever_the_clock_says(tmp_path, age_s):
    output = lock(tmp_path / "out")
    then = time.time() - age_s
    os.utime(output / claim.LOCK, (then, then))
    with claim.claimed(output):
        assert json.loads((output / claim.LOCK).read_text(encoding="utf-8"))["pid"] == os.getpid()
    assert list(output.iterdir()) == []


def test_b64_of_many_processes_that_find_a_stale_lock_one_gets_the_folder(tmp_path):
    script = """
import sys, time
from pathlib import Path
from swc_zoning.engine import claim
from swc_zoning.engine.messages import SwcError
print("ready", flush=True)
sys.stdin.readline()
try:
    with claim.claimed(Path(sys.argv[1])):
        print("got it", flush=True)
        sys.stdin.read()
except SwcError as error:
    print(error.code, flush=True)
"""
    output = lock(tmp_path / "out")
    os.utime(output / claim.LOCK, (0, 0))
    command = [sys.executable, "-c", script, str(output)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "cwd": ROOT}
    processes = [subprocess.Popen(command, **pipes) for _ in range(4)]
    for process in processes:
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        process.stdin.write("\n")
        process.stdin.flush()
    told = sorted(process.stdout.readline() for process in processes)
    for process in processes:
        process.communicate()
    assert told == ["claim.held\n"] * 3 + ["got it\n"]
    assert list(output.iterdir()) == []


# --- B67, B68: text that would be more than text --------------------------------------------------------

FORMULAS = ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1+1", "  =1", "-"]
NOT_FORMULAS = ["水源", "a=b", "1-2", "—", "", "-12.5", "+3", "-1,234.50", "-1e-5", "-3%", -12.5, 7, None]


@pytest.mark.parametrize("text", FORMULAS, ids="B67 {!r}".format)
def test_text_that_a_spreadsheet_would_run_is_guarded(text):
    assert cells.guarded(text) == f"'{text}"


@pytest.mark.parametrize("value", NOT_FORMULAS, ids="B67 {!r}".format)
def test_plain_text_and_negative_numbers_are_left_as_they_are(value):
    assert cells.guarded(value) == value


def test_b67_a_name_of_the_rule_table_reaches_the_csv_as_text(tmp_path):
    names = {"name_zh": '=HYPERLINK("http://x")', "name_en": "x"}
    row = {"zone": "X", "status": "confirmed", "area_m2": 1e6, **names}
    (tmp_path / "summary.json").write_text(json.dumps({"by_zone": [row], "missing_roles": []}))
    tool = [sys.executable, str(ROOT / "tools" / "zone_table.py"), str(tmp_path / "summary.json")]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    subprocess.run(
        [*tool, "--csv", str(tmp_path / "a.csv")], check=True, env=environment, capture_output=True
    )
    lines = (tmp_path / "a.csv").read_text(encoding="utf-8-sig").splitlines()
    assert lines[1].startswith("\"'=HYPERLINK(")


CODE = "__import__('os').system('touch owned')"
SQL = 'x"; DROP TABLE pieces; --'


@pytest.mark.parametrize("text", [CODE, SQL, "${HOME}", "{0.__class__}", "%s%n", "'; --", "a\0b"])
def test_b68_names_fields_and_values_with_code_are_data_up_to_the_result(tmp_path, run_here, text):
    stored = text.replace("\0", "")
    columns = {stored: [stored, "甲"], "MC": [stored, stored]}
    name = stored if text in (CODE, SQL) else "a"  # GDAL itself writes no layer of the other names
    source = write(tmp_path / "a.gpkg", columns, layer=name)
    job = write_job(tmp_path, source.name, layer=name, id_field=stored, name_field="MC", provider=text)
    status, events = run_here(job, tmp_path / "out")
    assert (status, errors(events)) == (0, [])
    with closing(sqlite3.connect(tmp_path / "out" / "zoning.gpkg")) as database:
        ids = database.execute("SELECT source_id FROM piece_sources").fetchall()
    assert sorted(ids) == sorted([(stored,), ("甲",)])
    assert not list(Path.cwd().glob("owned"))


@pytest.mark.parametrize(
    "words", [CODE, "1=1; DROP TABLE 地块", "BSM = '甲0' UNION SELECT 1", "1=1) OR (1=1"]
)
def test_b68_a_filter_selects_rows_and_can_do_nothing_else(small, words):
    before = state(small)
    with suppress(SwcError):
        formats.read_vector(small / "地块.gpkg", where=words)
    assert state(small) == before
    assert len(formats.read_vector(small / "地块.gpkg")) == 2


@pytest.mark.parametrize("place", ["tier", "name", "zone", "unknown key"])
def test_b68_code_in_a_rule_table_is_text_or_an_error(tmp_path, place):
    table = json.loads((ROOT / "resources" / "rules" / "shanghai.json").read_text(encoding="utf-8"))
    if place == "name":
        table["zones"][0]["name_zh"] = CODE
    elif place == "zone":
        table["rules"][0]["zone"] = CODE
    elif place == "unknown key":
        table["rules"][0]["expression"] = CODE
    else:
        table["rules"][0]["when"] = CODE
    path = tmp_path / "table.json"
    path.write_text(json.dumps(table), encoding="utf-8")
    if place == "name":
        assert rules.load(path).document["zones"][0]["name_zh"] == CODE
    else:
        with pytest.raises(SwcError, match=r"rules\.|run\.blocked|schema\."):
            rules.load(path)
    assert not list(Path.cwd().glob("owned"))


# --- the machine around it ---------------------------------------------------------------------------------


@posix
def test_locale_time_zone_and_clock_change_neither_result_nor_text(small, tmp_path, run_here):
    assert run_here(small / "job.json", tmp_path / "here")[0] == 0
    bare = {"LC_ALL": "C", "TZ": "Asia/Kathmandu"}
    odd = {"LC_ALL": "zh_CN.GB18030", "LC_NUMERIC": "de_DE.UTF-8", "LANG": "de_DE.UTF-8", "TZ": "UTC-14"}
    for number, environment in enumerate((bare, odd)):
        output = tmp_path / str(number)
        status, events = run_apart(small / "job.json", output, env={**os.environ, **environment})
        assert (status, errors(events)) == (0, [])
        assert content(output) == content(tmp_path / "here")


@posix
def test_a_run_needs_no_network(small, tmp_path, run_here):
    import pyproj.network

    command = ["unshare", "--net", "--map-root-user", sys.executable, "-m", "swc_zoning"]
    if subprocess.run([*command[:3], "true"], capture_output=True, check=False).returncode:
        pytest.skip("no process can be cut off the network here")
    asked = arguments_of(small / "job.json", tmp_path / "out")
    done = subprocess.run([*command, *asked], cwd=ROOT, capture_output=True, check=False)
    assert done.returncode == 0
    assert not pyproj.network.is_network_enabled()


def test_a_clock_set_back_does_not_turn_progress_back(small, tmp_path, run_here, monkeypatch):
    now = iter(range(10**9, 0, -3600))
    monkeypatch.setattr(time, "time", lambda: float(next(now)))
    status, events = run_here(small / "job.json", tmp_path / "out")
    assert status == 0
    steps = [event for event in events if event["event"] == "progress"]
    assert [step["fraction"] for step in steps] == sorted(step["fraction"] for step in steps)
    assert all(step["left_s"] is None or step["left_s"] >= 0 for step in steps)


def test_every_case_of_this_part_of_the_catalogue_is_named_by_a_test():
    files = [*ROOT.glob("tests/engine/test_*.py"), *ROOT.glob("tests/qgis/test_*.py")]
    text = "\n".join(path.read_text(encoding="utf-8") for path in files)
    named = {int(number) for number in re.findall(r"(?<![A-Za-z0-9])[Bb](\d\d)(?![0-9])", text)}
    named |= {int(number) for number in re.findall(r"_b(\d\d)_", text)}
    assert {*range(1, 28), *range(54, 65), 67, 68} <= named
