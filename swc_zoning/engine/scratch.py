# SPDX-License-Identifier: GPL-2.0-or-later
"""Temporary data: in the folder the user chose, gone when its work is done, however that ends.

Results never depend on where it is, so the job does not say it: the command line (``--temp``) or the
environment does. Each folder is named after the computer and the process it belongs to, so that
what a killed process left is known and swept by the next one that comes by.
"""

from __future__ import annotations

import hashlib
import os
import platform
import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

from swc_zoning.engine.messages import Finding, SwcError

#: Names the folder for this process and those it starts.
VARIABLE = "SWC_ZONING_TEMP"
#: Where SQLite and GDAL are told to put theirs.
_OF_LIBRARIES = ("SQLITE_TMPDIR", "CPL_TMPDIR")
#: With less than this nothing can be done.
_LEAST_FREE = 16 << 20
#: This computer in a name that any file system takes.
HOST = hashlib.sha256(platform.node().encode("utf-8", "surrogatepass")).hexdigest()[:8]

_NAME = re.compile(r"swc_zoning-[a-z]+-([0-9a-f]{8})-(\d{1,9})-[0-9a-f]{8}")
_mine: set[Path] = set()


def use(directory: str | Path | None = None) -> None:
    """Put the temporary data of this process, and of those it starts, into `directory`.

    None: into what the environment variable SWC_ZONING_TEMP names, else the folder of the system.
    Sweeps what killed processes of this computer left there. Raises SwcError ``scratch.unwritable``
    and ``scratch.no_space``.
    """
    if directory:
        os.environ[VARIABLE] = os.path.abspath(directory)
    if os.environ.get(VARIABLE):
        os.environ.update(dict.fromkeys(_OF_LIBRARIES, os.environ[VARIABLE]))
    sweep()
    ensure_space(place())
    with folder("probe") as made, reported(made):
        (made / "probe").write_bytes(b"0" * 4096)


def place() -> Path:
    """Return the folder all temporary data of this process goes to; raises ``scratch.unwritable``."""
    chosen = os.environ.get(VARIABLE)
    if chosen:
        return Path(chosen)
    with reported(Path("TMPDIR")):
        return Path(tempfile.gettempdir())


@contextmanager
def folder(prefix: str, within: str | Path | None = None) -> Iterator[Path]:
    """Yield a new folder for temporary data that is gone afterwards whatever happens.

    `prefix`: lower-case letters, what it is for; `within`: another place than that of the process.
    Raises SwcError ``scratch.unwritable``.
    """
    parent = Path(within) if within else place()
    made = parent / f"swc_zoning-{prefix}-{HOST}-{os.getpid()}-{uuid4().hex[:8]}"
    _mine.add(made)
    try:
        with reported(parent):
            made.mkdir(mode=0o700)
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)
        _mine.discard(made)


def bring(source: Path, target: Path) -> None:
    """Link a file into a folder for temporary data, or copy it where links are not to be had."""
    try:
        os.symlink(source.absolute(), target)
    except OSError:
        ensure_space(target.parent, source.stat().st_size)
        shutil.copyfile(source, target)


def sweep(within: str | Path | None = None) -> None:
    """Remove the folders that killed processes of this computer left among the temporary data."""
    parent = Path(within) if within else place()
    with reported(parent):
        names = os.listdir(parent)
    for name in names:
        match = _NAME.fullmatch(name)
        if match and parent / name not in _mine and match[1] == HOST and has_ended(int(match[2])):
            shutil.rmtree(parent / name, ignore_errors=True)


def wipe() -> None:
    """Remove all temporary data of this process: it was stopped, maybe while it cleared up."""
    for made in list(_mine):
        shutil.rmtree(made, ignore_errors=True)


def ensure_space(path: Path, needed: int = _LEAST_FREE) -> None:
    """Raise SwcError ``scratch.no_space`` where less than `needed` bytes can be written in `path`.

    And ``scratch.unwritable`` where there is no such folder.
    """
    facts = _shortage(path, needed)
    if facts:
        raise SwcError("scratch.no_space", **facts)


def little_space(places: Iterable[Path], needed: int) -> list[Finding]:
    """Return a warning for each folder in which less than `needed` bytes can be written."""
    shortages = [_shortage(path, needed) for path in places]
    return [Finding("scratch.little_space", facts) for facts in shortages if facts]


def _shortage(path: Path, needed: int) -> dict[str, Any]:
    with reported(path):
        free = shutil.disk_usage(path).free
    if free >= needed:
        return {}
    return {"path": str(path), "free_mb": free >> 20, "needed_mb": -(-needed >> 20)}


@contextmanager
def reported(path: Path) -> Iterator[None]:
    """Turn what the file system refuses into ``scratch.unwritable``."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise SwcError("scratch.unwritable", path=str(path), reason=reason) from error


# --- whose it is -----------------------------------------------------------------------------------


def has_ended(process: int) -> bool:
    """Return whether a process of this computer is no more.

    What bears the number of this very process and is not known to it is of an earlier one.
    """
    if process == os.getpid():
        return True
    if os.name != "posix":
        return _has_ended_windows(process)
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return True
    except PermissionError:
        return False
    return False


def _has_ended_windows(process: int) -> bool:
    """Ask Windows: there os.kill would end the process instead of asking for it."""
    import ctypes

    query, denied, active = 0x1000, 5, 259  # limited information; access denied; still active
    kernel = ctypes.WinDLL("kernel32", use_last_error=True)  # type: ignore[attr-defined]
    kernel.OpenProcess.restype = ctypes.c_void_p
    handle = kernel.OpenProcess(query, False, process)
    if not handle:
        return ctypes.get_last_error() != denied  # type: ignore[attr-defined]
    code = ctypes.c_ulong()
    kernel.GetExitCodeProcess(ctypes.c_void_p(handle), ctypes.byref(code))
    kernel.CloseHandle(ctypes.c_void_p(handle))
    return code.value != active
