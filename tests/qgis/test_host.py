# SPDX-License-Identifier: GPL-2.0-or-later
"""The child interpreter: found, followed, stopped."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest

from swc_zoning.engine.messages import Cancelled, SwcError
from swc_zoning.qgis_bridge import host

GOOD = {"numpy": "1.26.4", "shapely": "2.0.6", "pyproj": "3.6.1", "pyogrio": "0.10.0", "geopandas": "1.0.1"}


def answer(packages, python=(3, 11, 2)):
    return f"print({json.dumps(json.dumps({'python': list(python), 'packages': packages}))})"


class Recorder:
    """A listener that keeps what it hears and cancels once `cancel_on` was noted."""

    def __init__(self, cancel_on=None):
        self.heard, self.findings, self.notes = [], [], []
        self._cancel_on = cancel_on

    def cancelled(self):
        return self._cancel_on is not None and self._cancel_on in self.notes

    def progress(self, step, fraction, left_s):
        self.heard.append((step, fraction, left_s))

    def finding(self, finding):
        self.findings.append(finding)

    def note(self, line):
        self.notes.append(line)


@pytest.fixture
def fresh(monkeypatch):
    """Forget what earlier searches found, and hide the Pythons of this machine."""
    host.search.cache_clear()
    monkeypatch.delenv(host.VARIABLE, raising=False)
    monkeypatch.setattr(host, "_own_python", lambda: "")
    monkeypatch.setattr(host.shutil, "which", lambda name: None)
    yield monkeypatch
    host.search.cache_clear()


def run(python, tmp_path, listener=None):
    output = tmp_path / "result"
    return host.run(host.Child(python, False), tmp_path / "job.json", output, "en", listener or Recorder())


def test_the_setting_goes_before_the_variable(fresh, fake_python):
    setting, variable = fake_python(answer(GOOD), "a"), fake_python(answer(GOOD), "b")
    fresh.setenv(host.VARIABLE, variable)
    assert host.search(setting).child.python == setting
    assert host.search().child.python == variable


def test_a_python_with_old_packages_is_passed_over_and_said(fresh, fake_python):
    old, good = fake_python(answer({**GOOD, "shapely": "1.8.5"}), "old"), fake_python(answer(GOOD), "good")
    fresh.setenv(host.VARIABLE, good)
    found = host.search(old)
    assert found.child.python == good
    assert found.refusals[0].facts == {"python": old, "packages": "shapely>=2.0"}
    assert "shapely>=2.0" in host.passed_over(old, "en").sentence("en")


def test_a_build_without_a_version_number_is_accepted(fresh, fake_python):
    odd = fake_python(answer({**GOOD, "shapely": "0+unknown"}))
    assert host.search(odd).child is not None


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_what_to_install_is_said_where_no_python_will_do(fresh, fake_python, lang):
    fresh.setattr(host, "_candidates", lambda preferred: [(fake_python(answer({})), False)])
    sentence = host.missing("", lang)
    assert "geopandas>=1.0" in sentence
    assert "SWC_ZONING_PYTHON" in sentence


def test_a_python_that_is_too_old_or_does_not_start_is_refused(fresh, fake_python, tmp_path):
    old = fake_python(answer(GOOD, (3, 8, 10)))
    fresh.setattr(host, "_candidates", lambda p: [(old, False), (str(tmp_path / "none"), False)])
    codes = [refusal.code for refusal in host.search("x").refusals]
    assert codes == ["host.refused_python", "host.refused_start"]


def test_the_environment_of_qgis_is_kept_from_a_foreign_python_only(monkeypatch):
    for name in ("PYTHONHOME", "PYTHONPATH", "PROJ_LIB", "PROJ_DATA", "GDAL_DATA", "GDAL_DRIVER_PATH"):
        monkeypatch.setenv(name, "/of/qgis")
    foreign = host.Child("/x", False).environment()
    own = host.Child("/x", True).environment()
    assert not {"PYTHONHOME", "PROJ_LIB", "PROJ_DATA", "GDAL_DATA", "GDAL_DRIVER_PATH"} & set(foreign)
    assert foreign["PYTHONPATH"] == str(Path(host.swc_zoning.__file__).resolve().parents[1])
    assert own["PYTHONHOME"] == own["GDAL_DATA"] == "/of/qgis"
    assert own["PYTHONPATH"].split(os.pathsep)[1] == "/of/qgis"


def test_events_reach_the_listener_and_the_result_is_returned(fake_python, tmp_path):
    body = """
print("something a library says")
for fraction in (0.25, 1.0):
    print(json.dumps({"event": "progress", "step": "tracing", "fraction": fraction, "left_s": None}))
print(json.dumps({"event": "finding", "severity": "warning", "text": "开天窗", "code": "x.y"}))
folder = sys.argv[sys.argv.index("--output") + 1]
print(json.dumps({"event": "result", "summary": folder + "/summary.json", "zoning": folder + "/zoning.gpkg"}))
"""
    listener = Recorder()
    outcome = run(fake_python(body), tmp_path, listener)
    assert outcome == host.Outcome(tmp_path / "result/summary.json", tmp_path / "result/zoning.gpkg")
    assert [heard[1] for heard in listener.heard] == [0.25, 1.0]
    assert listener.findings[0]["text"] == "开天窗"
    assert listener.notes == ["something a library says"]


def test_the_child_is_called_as_agreed(fake_python, tmp_path):
    with pytest.raises(SwcError) as caught:
        run(fake_python("sys.stderr.write(' '.join(sys.argv[1:])); sys.exit(2)"), tmp_path)
    called = f"-m swc_zoning run {tmp_path}/job.json --output {tmp_path}/result --progress json --lang en"
    assert caught.value.facts == {"exit_code": 2, "tail": called}


def test_an_error_of_the_engine_is_raised_with_its_sentence(fake_python, tmp_path):
    body = 'print(json.dumps({"event": "error", "code": "run.blocked", "text": "2 errors"})); sys.exit(1)'
    with pytest.raises(host.EngineFailed) as caught:
        run(fake_python(body), tmp_path)
    assert caught.value.code == "run.blocked"
    assert caught.value.sentence("en") == "2 errors"


def test_a_child_that_dies_is_told_with_what_it_last_said(fake_python, tmp_path):
    with pytest.raises(SwcError) as caught:
        run(fake_python("sys.stderr.write('out of memory'); sys.stderr.flush(); os.abort()"), tmp_path)
    assert caught.value.code == "host.ended"
    assert caught.value.facts["tail"] == "out of memory"


def test_a_child_that_names_no_result_is_an_error(fake_python, tmp_path):
    with pytest.raises(SwcError) as caught:
        run(fake_python("pass"), tmp_path)
    assert caught.value.code == "host.no_result"


STUBBORN = """
import signal, subprocess
signal.signal(signal.SIGTERM, signal.SIG_IGN)
worker = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
folder = os.path.dirname(sys.argv[4])
os.mkdir(os.path.join(folder, ".result.%d-x" % os.getpid()))
open(os.path.join(folder, "worker"), "w").write(str(worker.pid))
print("working", flush=True)
time.sleep(60)
"""


def test_cancel_ends_a_stubborn_child_and_its_workers_within_two_seconds(fake_python, tmp_path):
    (tmp_path / ".result.of-the-user").mkdir()
    began = time.monotonic()
    with pytest.raises(Cancelled):
        run(fake_python(STUBBORN), tmp_path, Recorder(cancel_on="working"))
    assert time.monotonic() - began < 2.0
    worker = int((tmp_path / "worker").read_text())
    assert ended(worker)
    assert [path.name for path in tmp_path.glob(".result*")] == [".result.of-the-user"]


def test_cancel_removes_what_the_child_wrote_aside_in_an_older_result(fake_python, tmp_path):
    body = """
folder = sys.argv[sys.argv.index("--output") + 1]
os.mkdir(os.path.join(folder, ".result.%d-0a1b2c3d" % os.getpid()))
print("working", flush=True)
time.sleep(60)
"""
    (tmp_path / "result").mkdir()
    (tmp_path / "result" / ".result.1-0a1b2c3d").mkdir()
    (tmp_path / "result" / "summary.json").touch()
    with pytest.raises(Cancelled):
        run(fake_python(body), tmp_path, Recorder(cancel_on="working"))
    assert sorted(p.name for p in (tmp_path / "result").iterdir()) == [".result.1-0a1b2c3d", "summary.json"]


HOLDING = """
import signal
from pathlib import Path
from swc_zoning.engine import claim, scratch
signal.signal(signal.SIGTERM, signal.SIG_IGN)
scratch.use()
output = Path(sys.argv[sys.argv.index("--output") + 1])
with claim.claimed(output), claim.aside(output, output), scratch.folder("spill") as folder:
    print(folder.parent, flush=True)
    print("working", flush=True)
    time.sleep(60)
"""


def test_what_a_killed_child_held_and_had_in_the_chosen_temporary_folder_is_gone(fake_python, tmp_path):
    temp = tmp_path / "temp"
    temp.mkdir()
    listener = Recorder(cancel_on="working")
    child = host.Child(fake_python(HOLDING), False)
    with pytest.raises(Cancelled):
        host.run(child, tmp_path / "job.json", tmp_path / "result", "en", listener, str(temp))
    assert listener.notes == [str(temp), "working"]
    assert list(temp.iterdir()) == []
    assert not (tmp_path / "result").exists()


def ended(pid: int) -> bool:
    """Return whether a process is gone, or only waits for its parent to take note of it."""
    for _ in range(50):
        stat = Path(f"/proc/{pid}/stat")
        if not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] == "Z":
            return True
        time.sleep(0.02)
    return False


def test_a_run_uses_as_many_processes_as_it_is_told(fake_python, tmp_path):
    body = 'print(json.dumps({"event": "result", "summary": " ".join(sys.argv), "zoning": "z"}))'
    child = host.Child(fake_python(body), False)
    told = [
        str(host.run(child, tmp_path / "j.json", tmp_path / "out", "en", Recorder(), workers=number).summary)
        for number in (1, 3)
    ]
    assert "--workers" not in told[0]
    assert "--workers 3" in told[1]
