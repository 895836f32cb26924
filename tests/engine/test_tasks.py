# SPDX-License-Identifier: GPL-2.0-or-later
"""Where tasks run: local processes that end with their parent, clusters, what is said of a lost one."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import shapely

from swc_zoning.engine import run, tasks
from swc_zoning.engine.messages import SwcError

ROOT = Path(__file__).resolve().parents[2]

#: Workers share a pipe: one write each, so that their lines never mix.
WORKING = """
import os, time
from swc_zoning.engine.tasks import executor

def work(number):
    os.write(1, b"%d\\n" % os.getpid())
    time.sleep(0.4)

if __name__ == "__main__":
    try:
        with executor(2) as pool:
            for _ in pool.map(work, range(200)):
                pass
    except KeyboardInterrupt:
        print("stopped", flush=True)
"""


def begun(script):
    """Start a program in a group of its own."""
    return subprocess.Popen(
        [sys.executable, str(script)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


@pytest.fixture
def working(tmp_path):
    """A program with two workers at work, and their process ids."""
    script = tmp_path / "working.py"
    script.write_text(WORKING, encoding="utf-8")
    process = begun(script)
    workers = set()
    while len(workers) < 2:
        workers.add(int(process.stdout.readline()))
    yield process, workers
    process.kill()
    for worker in workers:
        if not has_ended(worker):
            os.kill(worker, signal.SIGKILL)
    process.communicate(timeout=20)


def has_ended(pid):
    """Return whether a process is gone, or only waits for somebody to take note of it."""
    stat = Path(f"/proc/{pid}/stat")
    return not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] == "Z"


def fits_within(seconds, condition):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.02)
    return False


needs_proc = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="asks /proc for processes")


@needs_proc
def test_workers_end_with_a_parent_that_was_killed(working):
    process, workers = working
    process.kill()
    assert fits_within(2, lambda: all(map(has_ended, workers)))


@needs_proc
def test_an_interrupt_of_the_group_is_answered_by_the_parent_alone(working):
    process, workers = working
    began = time.monotonic()
    os.killpg(process.pid, signal.SIGINT)
    told, errors = process.communicate(timeout=20)
    assert time.monotonic() - began < 2
    assert "stopped" in told
    assert errors == ""
    assert all(map(has_ended, workers))


@pytest.mark.skipif(os.name == "nt", reason="signals of another kind")
def test_workers_that_are_still_starting_stay_silent_too(tmp_path):
    script = tmp_path / "working.py"
    script.write_text(WORKING.replace("for _ in", 'print("begun", flush=True)\n            for _ in'))
    process = begun(script)
    assert process.stdout.readline() == "begun\n"
    time.sleep(0.05)
    os.killpg(process.pid, signal.SIGINT)
    told, errors = process.communicate(timeout=10)
    assert "stopped" in told
    assert errors == ""


@pytest.mark.skipif(os.name == "nt", reason="signals of another kind")
def test_a_stop_does_not_wait_for_large_payloads_that_are_under_way(tmp_path):
    large = WORKING.replace('os.write(1, b"%d\\n" % os.getpid())', "").replace(
        "range(200)", "iter(payload, None)"
    )
    large = large.replace("if __name__", "def payload():\n    return bytes(30_000_000)\n\nif __name__")
    script = tmp_path / "working.py"
    script.write_text(large.replace("pass\n", 'print("done", flush=True)\n', 1), encoding="utf-8")
    process = begun(script)
    assert process.stdout.readline() == "done\n"
    began = time.monotonic()
    os.killpg(process.pid, signal.SIGINT)
    told, errors = process.communicate(timeout=20)
    assert time.monotonic() - began < 2
    assert "stopped" in told
    assert errors == ""


def test_a_lost_worker_is_an_error_with_a_code():
    with pytest.raises(SwcError) as caught, tasks.executor(2) as pool:
        list(pool.map(os._exit, [3]))
    assert caught.value.code == "tasks.broken"


def test_results_of_processes_come_in_order():
    with tasks.executor(2) as pool:
        assert list(pool.map(abs, range(-9, 0))) == list(range(9, 0, -1))


def test_a_cluster_without_its_package_is_said(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(SwcError) as caught, tasks.executor(scheduler="tcp://127.0.0.1:9"):
        pass
    assert caught.value.code == "tasks.no_distributed"


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:9", "nowhere://x"])
def test_a_scheduler_that_does_not_answer_is_said(monkeypatch, address):
    pytest.importorskip("distributed")
    monkeypatch.setattr(tasks, "_CONNECT_S", 0.5)
    with pytest.raises(SwcError) as caught, tasks.executor(scheduler=address):
        pass
    assert caught.value.code == "tasks.no_cluster"
    assert caught.value.facts["address"] == address


@pytest.fixture(scope="module")
def cluster():
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=1, processes=True, dashboard_address=None
    ) as local:
        yield local.scheduler_address


def test_a_cluster_gives_the_same_content_as_one_process(make_job, cluster):
    x, y = 640000, 3455000
    parks = [(shapely.Point(x + 40 * i, y + 25 * i).buffer(60, 8), {"id": str(i)}) for i in range(12)]
    water = [(shapely.box(x, y, x + 300, y + 200), {"tier": "一级", "id": "w"})]
    job = make_job(forest_park=parks, drinking_water_source=water)
    with tasks.executor(scheduler=cluster) as pool:
        there = run.run(job, executor=pool, per_tile=60)
    here = run.run(job)
    assert len(here.pieces) > 12
    assert there.summary["content_sha256"] == here.summary["content_sha256"]


def test_a_task_that_ends_the_workers_of_a_cluster_is_an_error_with_a_code(cluster):
    import distributed

    with distributed.Client(cluster) as client:
        client.run_on_scheduler(lambda dask_scheduler: setattr(dask_scheduler, "allowed_failures", 0))
    with pytest.raises(SwcError) as caught, tasks.executor(scheduler=cluster) as pool:
        list(pool.map(os._exit, [3]))
    assert caught.value.code == "tasks.broken"
