# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs of the command line whose file system refuses, or whose process dies, at a given write.

A script for `test_bad_processes`: ``faults.py FOLDER HOW`` with HOW "refuse" (the n-th write of any
kind raises "no space left"), "die" (the process ends at it as by a power cut) or "full" (no file may
grow beyond n times 40,000 bytes). FOLDER holds job.json and old, a result. For n = 1, 2, ... until the
run gets by without a fault, prints one JSON line: the exit status, codes of errors, what is in the
folder of the result afterwards, and what once the next run has claimed it.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import resource
import shutil
import signal
import sys
from pathlib import Path

from swc_zoning import cli
from swc_zoning.engine import result, run, scratch

WRITES = {"os.mkdir", "os.rename", "os.remove", "os.rmdir"}
STEP_BYTES = 40_000
PASSED = 77
seen = 0


def is_write(event: str, arguments: tuple) -> bool:
    """Return whether an audit event (PEP 578) is about changing the file system."""
    if event == "open":
        return isinstance(arguments[2], int) and bool(arguments[2] & (os.O_WRONLY | os.O_RDWR))
    if event == "sqlite3.connect":
        return "immutable" not in str(arguments[0]) and "mode=ro" not in str(arguments[0])
    return event in WRITES


def arm(how: str, n: int) -> None:
    """Let this process fail at its n-th write, or at the size of n steps."""
    if how == "full":
        resource.setrlimit(resource.RLIMIT_FSIZE, (n * STEP_BYTES, n * STEP_BYTES))
        return
    global seen
    seen = 0

    def fail(event: str, arguments: tuple) -> None:
        global seen
        if is_write(event, arguments):
            seen += 1
            if seen == n and how == "die":
                os._exit(9)
            if seen == n:
                raise OSError(28, "No space left on device")

    sys.addaudithook(fail)


def forked(folder: Path, how: str, n: int) -> tuple[int, list[str]]:
    """Run the job in a child that fails at `n`; return its exit status and the codes it told.

    PASSED instead of 0 or 1 where the child never came to the n-th write.
    """
    heard, told = os.pipe()
    child = os.fork()
    if child == 0:
        os.dup2(told, 1)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        arm(how, n)
        status = 1
        with contextlib.suppress(Exception):
            arguments = [
                "--output",
                str(folder / "out"),
                "--temp",
                str(folder / "temp"),
                "--progress",
                "json",
            ]
            status = cli.main(["run", str(folder / "job.json"), *arguments])
        os._exit(PASSED if status == 0 and seen < n else status)
    os.close(told)
    with os.fdopen(heard, encoding="utf-8") as stream:
        events = [json.loads(line) for line in stream]
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return status, [event["code"] for event in events if event["event"] == "error"]


def verdict(folder: Path) -> str:
    """Return "old", "new" or "none" for the result in `folder`, "half" for anything else."""
    names = {path.name for path in folder.glob("*.*") if not path.name.startswith(".")}
    old = {path.name: path.read_bytes() for path in (folder.parent / "old").iterdir()}
    if names == set(old) and all((folder / name).read_bytes() == old[name] for name in names):
        return "old"
    if names == {"summary.json", "zoning.gpkg"}:
        summary = json.loads((folder / "summary.json").read_bytes())
        digest = hashlib.sha256(b"zoning.gpkg\0" + (folder / "zoning.gpkg").read_bytes()).hexdigest()
        return "new" if summary["files"]["zoning.gpkg"] == digest else "half"
    return "half" if "summary.json" in names else "none"


def others(folder: Path) -> list[str]:
    """Return what is there besides a result."""
    known = {"summary.json", "zoning.gpkg"}
    hidden = [path.name for path in folder.parent.glob(".*")]
    return sorted({path.name for path in folder.iterdir()} - known) + hidden


def main(folder: Path, how: str) -> None:
    """Fail at write 1, 2, ... and print what came of it."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    out, temp = folder / "out", folder / "temp"
    temp.mkdir(exist_ok=True)
    # What is computed is the same each time: only reading a job, holding a folder and writing are tried.
    zoning = run.run(folder / "job.json")
    run.run = lambda *arguments, **options: zoning
    for n in range(1, 200):
        shutil.rmtree(out, ignore_errors=True)
        shutil.copytree(folder / "old", out)
        status, codes = forked(folder, how, n)
        first = {"found": verdict(out), "beside": others(out), "temp": len(list(temp.iterdir()))}
        scratch.use(temp)
        with result.claimed(out, ()):
            pass
        then = {"found": verdict(out), "beside": others(out), "temp": len(list(temp.iterdir()))}
        print(
            json.dumps({"n": n, "status": status, "codes": codes, "first": first, "then": then}), flush=True
        )
        if status == PASSED:
            return


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
