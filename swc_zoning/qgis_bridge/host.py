# SPDX-License-Identifier: GPL-2.0-or-later
"""The child interpreter: found once per session, it runs the engine outside the QGIS process.

QGIS links its own GEOS, PROJ and GDAL; a second copy of them in one process crashes it. So geometry
runs in a Python of its own, which says how far it is as JSON lines and leaves files behind. Only the
standard library is needed here, and nothing of QGIS.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess  # nosec B404 - the one module that starts processes: list arguments, absolute paths
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any, BinaryIO, Protocol

import swc_zoning
from swc_zoning.engine import claim, scratch
from swc_zoning.engine.messages import Cancelled, Finding, SwcError

VARIABLE = "SWC_ZONING_PYTHON"

#: The folder that holds the package: a plugins folder, or the source checkout.
_HOME = Path(swc_zoning.__file__).resolve().parent.parent

#: Oldest Python and packages the engine runs with; the same as in ``pyproject.toml``.
PYTHON_FLOOR = (3, 9)
FLOORS = {"numpy": (1, 24), "shapely": (2, 0), "pyproj": (3, 6), "pyogrio": (0, 10), "geopandas": (1, 0)}
#: What only the evaluation needs: zoning does without.
RASTERS = {"rasterio": (1, 3)}

Files = dict[str, Path]

_OF_QGIS = re.compile(r"PYTHON|PROJ_|GDAL_|__PYVENV_LAUNCHER__$")
_CHECK_LIMIT_S = 60.0
_POLL_S = 0.1
_GRACE_S = 1.0
_TAIL_BYTES = 2000
_WINDOWS = os.name == "nt"

_CHECK = """
import importlib, importlib.metadata, importlib.util, json, sys
found = {}
for name in sys.argv[1].split():
    try:
        importlib.import_module(name)
        found[name] = importlib.metadata.version(name)
    except ImportError:
        pass
for name in sys.argv[2].split():
    # Only looked for: what is broken in it must not stop what does without.
    try:
        if importlib.util.find_spec(name) is not None:
            found[name] = importlib.metadata.version(name)
    except ImportError:
        pass
print(json.dumps({"python": list(sys.version_info[:3]), "packages": found}))
"""


@dataclass(frozen=True)
class Child:
    """A Python that can run the engine; `own` where it is the one of QGIS, `versions` by package."""

    python: str
    own: bool
    versions: Mapping[str, str] = field(default_factory=dict)

    def environment(self) -> dict[str, str]:
        """Return the environment to start it in: cleaned of what QGIS set for its own Python."""
        return _environment(self.own)


@dataclass(frozen=True)
class Search:
    """What came of looking for a child: `child` is None where no candidate will do."""

    child: Child | None
    refusals: tuple[Finding, ...]


@dataclass(frozen=True)
class Outcome:
    """The files of a finished run."""

    summary: Path
    zoning: Path


class EngineFailed(SwcError):
    """The child reported an error: `code` of the catalogue and the `text` it gave."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(code)
        self.text = text

    def sentence(self, lang: str = "zh") -> str:
        """Return the sentence as the child gave it, which is in the language of the run."""
        return self.text


class Listener(Protocol):
    """Who follows a run. All methods are called in the thread that called `run`."""

    def cancelled(self) -> bool:
        """Return whether the run is to stop."""

    def progress(self, step: str, fraction: float, left_s: float | None) -> None:
        """Take the id of the current step, the share done (0..1) and the seconds left if known."""

    def finding(self, finding: Mapping[str, Any]) -> None:
        """Take a finding with at least severity and text."""

    def note(self, line: str) -> None:
        """Take a line that is not part of the protocol."""


# --- finding it ------------------------------------------------------------------------------------


@lru_cache(maxsize=8)
def search(preferred: str = "") -> Search:
    """Return the first Python that can run the engine, and why those before it cannot.

    Order: `preferred` (the setting), the environment variable SWC_ZONING_PYTHON, the Python of QGIS,
    the Pythons of the system. The answer is kept for the session.
    """
    refusals: list[Finding] = []
    for python, own in _candidates(preferred):
        checked = _check(python, own)
        if isinstance(checked, Child):
            return Search(checked, tuple(refusals))
        refusals.append(checked)
    return Search(None, tuple(refusals))


def missing(preferred: str = "", lang: str = "zh") -> str:
    """Return what to install, as a sentence; "" where a child was found."""
    found = search(preferred)
    if found.child:
        return ""
    return no_interpreter(found).sentence(lang)


def lacking_rasters(preferred: str = "", lang: str = "zh") -> str:
    """Return what to install for the evaluation of rasters, as a sentence; "" where it is there."""
    child = search(preferred).child
    lacking = [] if child is None else _lacking(child.versions, RASTERS)
    if child is None or not lacking:
        return ""
    facts = {"python": child.python, "packages": " ".join(f'"{one}"' for one in lacking)}
    return SwcError("host.no_rasters", **facts).sentence(lang)


def passed_over(preferred: str = "", lang: str = "zh") -> Finding | None:
    """Return the finding that the Python somebody named cannot be used, where another one is."""
    found = search(preferred)
    named = preferred or os.environ.get(VARIABLE, "")
    if not named or found.child is None or not found.refusals:
        return None
    facts = {"reason": found.refusals[0].sentence(lang), "python": found.child.python}
    return Finding("host.setting_refused", facts)


def no_interpreter(found: Search, lang: str = "zh") -> SwcError:
    """Return the error that says what to install, with the candidates and what each lacks."""
    packages = ", ".join(f"{name}>={dotted(floor)}" for name, floor in FLOORS.items())
    tried = "; ".join(refusal.sentence(lang) for refusal in found.refusals) or "-"
    return SwcError("host.no_interpreter", packages=packages, tried=tried)


def _candidates(preferred: str) -> Iterator[tuple[str, bool]]:
    """Yield (path, whether it is the Python of QGIS), each path once."""
    seen: set[str] = set()
    named = [preferred, os.environ.get(VARIABLE, "")]
    own = _own_python()
    on_path = [shutil.which(name) or "" for name in ("python3", "python")]
    for path in [*named, own, *on_path, "" if _WINDOWS else "/usr/bin/python3"]:
        # Not resolved: a virtual environment is known by the path of its link.
        absolute = os.path.abspath(os.path.expanduser(path)) if path else ""
        if absolute and absolute not in seen:
            seen.add(absolute)
            yield absolute, path == own and path not in named


def _own_python() -> str:
    """Return the interpreter of this process; inside QGIS `sys.executable` may be QGIS itself."""
    executable = Path(sys.executable or sys.prefix)
    places = [executable, executable.parent / "bin" / "python3"]
    if _WINDOWS:
        places += [folder / "python.exe" for folder in (executable.parent, Path(sys.prefix))]
    places.append(Path(sys.prefix) / "bin" / "python3")
    usable = (p for p in places if p.name.lower().startswith("python") and p.is_file())
    return str(next(usable, ""))


def _check(python: str, own: bool) -> Child | Finding:
    try:
        done = subprocess.run(  # nosec B603 - list arguments, absolute interpreter path
            [python, "-c", _CHECK, " ".join(FLOORS), " ".join(RASTERS)],
            env=_environment(own),
            cwd=_HOME,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_CHECK_LIMIT_S,
            check=True,
            **_no_window(),
        )
        answer = json.loads(done.stdout)
    except OSError as error:
        return Finding("host.refused_start", {"python": python, "reason": error.strerror})
    except (subprocess.SubprocessError, ValueError) as error:
        return Finding("host.refused_start", {"python": python, "reason": type(error).__name__})
    return _judge(python, own, tuple(answer["python"]), answer["packages"])


def _judge(python: str, own: bool, version: tuple[int, ...], found: Mapping[str, str]) -> Child | Finding:
    if version[:2] < PYTHON_FLOOR:
        facts = {"python": python, "found": dotted(version), "needed": dotted(PYTHON_FLOOR)}
        return Finding("host.refused_python", facts)
    lacking = _lacking(found, FLOORS)
    if lacking:
        return Finding("host.refused_missing", {"python": python, "packages": ", ".join(lacking)})
    return Child(python, own, {"python": dotted(version), **found})


def _lacking(found: Mapping[str, str], floors: Mapping[str, tuple[int, ...]]) -> list[str]:
    """Return the packages that are not there or too old, with the version that is needed."""
    return [f"{name}>={dotted(floor)}" for name, floor in floors.items() if not _enough(found, name, floor)]


def _enough(found: Mapping[str, str], name: str, floor: tuple[int, ...]) -> bool:
    """Return whether a package is there and new enough; a build without a number (0+unknown) passes."""
    if name not in found:
        return False
    number = re.match(r"(\d+)\.(\d+)", found[name])
    return number is None or tuple(map(int, number.groups())) >= floor


def dotted(version: tuple[int, ...]) -> str:
    """Return a version as it is written."""
    return ".".join(map(str, version))


def _environment(own: bool) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if own or not _OF_QGIS.match(name)}
    # QGIS's own Python may need its PYTHONPATH to find its packages.
    inherited = [kept["PYTHONPATH"]] if own and kept.get("PYTHONPATH") else []
    kept["PYTHONPATH"] = os.pathsep.join([str(_HOME), *inherited])
    kept["PYTHONUTF8"] = "1"
    return kept


# --- running ---------------------------------------------------------------------------------------


def run(
    child: Child,
    job: Path,
    output: Path,
    lang: str,
    listener: Listener,
    temp: str = "",
    workers: int = 1,
) -> Outcome:
    """Run the job file in the child, in so many processes, and return its result files under `output`.

    Raises what `call` raises.
    """
    output = Path(output).absolute()
    arguments = ["run", str(Path(job).absolute()), "--output", str(output)]
    arguments += ["--workers", str(workers)] if workers > 1 else []
    files = call(child, arguments, lang, listener, temp, claimed=output)
    return Outcome(files["summary"], files["zoning"])


def call(
    child: Child,
    arguments: Sequence[str],
    lang: str,
    listener: Listener,
    temp: str = "",
    claimed: Path | None = None,
) -> Files:
    """Run a command of ``python -m swc_zoning`` in the child; return the files it wrote, by what they are.

    `temp` is the folder for temporary data, "" the one the child would take; `claimed` the folder of
    results that only this run may write to. Blocks; call it in a worker thread. Raises Cancelled when
    the listener says so (nothing is left behind), EngineFailed with what the child said, SwcError
    host.ended where it died, host.no_result where it named no file.
    """
    command = [child.python, "-m", "swc_zoning", *arguments, "--progress", "json", "--lang", lang]
    environment = {**child.environment(), **({scratch.VARIABLE: temp} if temp else {})}
    with tempfile.TemporaryFile(dir=temp or None) as errors:
        process = _start(command, environment, errors)
        try:
            outcome = _follow(process, listener)
        except Cancelled:
            _stop(process)
            if claimed is not None:
                claim.clear(claimed, process.pid)
            scratch.sweep(temp)
            raise
        finally:
            _stop(process)
            if process.stdout:
                process.stdout.close()
        return _settle(process.returncode, outcome, errors)


def _start(command: list[str], environment: dict[str, str], errors: BinaryIO) -> subprocess.Popen[bytes]:
    own_group = {} if _WINDOWS else {"start_new_session": True}
    return subprocess.Popen(  # nosec B603 - list arguments, absolute interpreter path
        command,
        env=environment,
        cwd=_HOME,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=errors,
        **own_group,
        **_no_window(),
    )


def _follow(process: subprocess.Popen[bytes], listener: Listener) -> Files | SwcError | None:
    """Pass events on until the child closes its output; return what it said last."""
    lines: SimpleQueue[bytes | None] = SimpleQueue()
    Thread(target=_read, args=(process.stdout, lines), daemon=True).start()
    outcome: Files | SwcError | None = None
    while True:
        if listener.cancelled():
            raise Cancelled
        try:
            line = lines.get(timeout=_POLL_S)
        except Empty:
            if process.poll() is not None and lines.empty():
                return outcome
            continue
        if line is None:
            return _ended(process, listener, outcome)
        outcome = _hear(line, listener) or outcome


def _ended(
    process: subprocess.Popen[bytes], listener: Listener, outcome: Files | SwcError | None
) -> Files | SwcError | None:
    while process.poll() is None:
        if listener.cancelled():
            raise Cancelled
        try:
            process.wait(_POLL_S)
        except subprocess.TimeoutExpired:
            continue
    return outcome


def _read(stream: BinaryIO, lines: SimpleQueue[bytes | None]) -> None:
    try:
        for line in stream:
            lines.put(line)
    except ValueError:
        # The stream was closed while reading: the run was stopped, nobody listens any more.
        return
    finally:
        lines.put(None)


def _hear(line: bytes, listener: Listener) -> Files | SwcError | None:
    text = line.decode("utf-8", "replace").strip()
    event = _event(text)
    kind = event.get("event")
    if kind == "progress":
        listener.progress(str(event["step"]), float(event["fraction"]), event.get("left_s"))
    elif kind == "finding":
        listener.finding(event)
    elif kind == "result":
        return {name: Path(path) for name, path in event.items() if name != "event"}
    elif kind == "error":
        return EngineFailed(str(event["code"]), str(event["text"]))
    elif text:
        listener.note(text)
    return None


def _event(text: str) -> dict[str, Any]:
    if not text.startswith("{"):
        return {}
    try:
        return json.loads(text)
    except ValueError:
        return {}


def _settle(code: int, outcome: Files | SwcError | None, errors: BinaryIO) -> Files:
    if isinstance(outcome, SwcError):
        raise outcome
    if code != 0:
        raise SwcError("host.ended", exit_code=code, tail=_tail(errors))
    if outcome is None:
        raise SwcError("host.no_result", tail=_tail(errors))
    return outcome


def _tail(errors: BinaryIO) -> str:
    size = errors.seek(0, os.SEEK_END)
    errors.seek(max(0, size - _TAIL_BYTES))
    return errors.read().decode("utf-8", "replace").strip()


# --- stopping --------------------------------------------------------------------------------------


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End the child and all it started: asked first, killed after a second. Ended ones stay as they are."""
    if process.poll() is not None:
        return
    _signal(process, signal.SIGTERM)
    try:
        process.wait(_GRACE_S)
    except subprocess.TimeoutExpired:
        process.poll()
    # Again for the whole group: its workers may outlive the first process.
    _signal(process, getattr(signal, "SIGKILL", signal.SIGTERM))
    process.wait()


def _signal(process: subprocess.Popen[bytes], number: int) -> None:
    if _WINDOWS:
        _end_tree(process)
        return
    try:
        os.killpg(process.pid, number)
    except ProcessLookupError:
        process.poll()


def _end_tree(process: subprocess.Popen[bytes]) -> None:
    taskkill = Path(os.environ.get("SYSTEMROOT", "C:\\Windows")) / "System32" / "taskkill.exe"
    subprocess.run(  # nosec B603 - list arguments, absolute path
        [str(taskkill), "/F", "/T", "/PID", str(process.pid)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        **_no_window(),
    )


def _no_window() -> dict[str, Any]:
    return {"creationflags": subprocess.CREATE_NO_WINDOW} if _WINDOWS else {}
