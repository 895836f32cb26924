# SPDX-License-Identifier: GPL-2.0-or-later
"""One run at a time in a folder: a lock file that says who holds it, and folders to write aside in.

All of it is gone when the run ends. What a killed process left is known by its number.
"""

from __future__ import annotations

import glob
import json
import os
import platform
import re
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from swc_zoning.engine import scratch
from swc_zoning.engine.messages import SwcError

LOCK = ".swc_zoning.lock"
#: In a folder aside: what is being replaced. While it is there the exchange is neither complete nor undone.
EARLIER = "earlier"

#: A lock without content is being written; after this many seconds nobody writes it any more.
_WRITTEN_WITHIN_S = 10
_held: set[Path] = set()
_aside: set[Path] = set()


@contextmanager
def claimed(folder: Path) -> Iterator[None]:
    """Hold `folder` for this process; it is made if need be, and gone again if it is left empty.

    A process may claim twice what it holds. Raises SwcError ``claim.held`` where another process
    holds the folder, OSError where it cannot be written to.
    """
    lock = Path(folder).resolve() / LOCK
    if lock in _held:
        yield
        return
    owner: dict[str, Any] = {"pid": os.getpid(), "host": platform.node(), "token": uuid4().hex}
    try:
        owner["made"] = sum(not one.exists() for one in (lock.parent, *lock.parent.parents))
        lock.parent.mkdir(parents=True, exist_ok=True)
        _held.add(lock)
        _take(lock, {**owner, "started": datetime.now().astimezone().isoformat(timespec="seconds")})
        yield
    finally:
        if _read(lock).get("token") == owner["token"]:
            # One that cannot be removed is stale as soon as this process has ended.
            with suppress(OSError):
                lock.unlink()
        _unmake(lock.parent, owner.get("made", 0))
        _held.discard(lock)


@contextmanager
def aside(parent: Path, target: Path) -> Iterator[Path]:
    """Yield a new folder in `parent` to write a result for `target` in; it is gone afterwards.

    Unless an exchange is under way that could not even be undone: then it holds what is to go back.
    """
    folder = parent / f".{target.name}.{os.getpid()}-{uuid4().hex[:8]}"
    _aside.add(folder)
    try:
        folder.mkdir()
        yield folder
    finally:
        if not is_under_way(folder):
            shutil.rmtree(folder, ignore_errors=True)
        _aside.discard(folder)


def is_under_way(folder: Path) -> bool:
    """Return whether an exchange from `folder` has begun and is neither complete nor undone."""
    return (folder / EARLIER).is_dir()


def undone_on_error(action: Callable[[], None], undo: Callable[[], None]) -> None:
    """Run `action`; whatever stops it, `undo` is run before that goes on."""
    try:
        action()
    except BaseException:
        undo()
        raise


def left_aside(target: Path) -> list[Path]:
    """Return the folders aside that processes which are no more left in or beside `target`."""
    name = re.compile(rf"\.{re.escape(target.name)}\.(\d{{1,9}})-[0-9a-f]{{8}}")
    found = [(path, name.fullmatch(path.name)) for path in _asides(target, "*")]
    return [path for path, match in found if match and scratch.has_ended(int(match[1]))]


def clear(folder: Path, process: int) -> None:
    """Remove what a process that was stopped left in `folder`: what it wrote aside and its lock.

    An exchange it was in the middle of stays for the next run, which undoes it.
    """
    target = Path(folder).resolve()
    _remove(_asides(target, f"{process}-*"))
    owner = _read(target / LOCK)
    if owner.get("pid") == process and owner.get("host") == platform.node():
        (target / LOCK).unlink(missing_ok=True)
        _unmake(target, owner["made"])


def clear_mine() -> None:
    """Remove all that this process has aside and holds: it was stopped, maybe while it cleared up."""
    _remove(list(_aside))
    for lock in list(_held):
        clear(lock.parent, os.getpid())


def _remove(asides: list[Path]) -> None:
    for path in asides:
        if not is_under_way(path):
            shutil.rmtree(path, ignore_errors=True)


def _asides(target: Path, which: str) -> list[Path]:
    pattern = f".{glob.escape(target.name)}.{which}"
    return [path for place in (target, target.parent) for path in place.glob(pattern)]


def _unmake(folder: Path, made: int) -> None:
    """Remove the folders that were made, inmost first, as far as they are there and empty."""
    for one in (folder, *folder.parents)[:made]:
        with suppress(OSError):
            one.rmdir()


def _take(lock: Path, owner: dict[str, Any]) -> None:
    _set_stale_aside(lock)
    try:
        with lock.open("x", encoding="utf-8") as stream:
            json.dump(owner, stream, ensure_ascii=False)
    except FileExistsError as error:
        raise _held_by(lock) from error


def _set_stale_aside(lock: Path) -> None:
    """Remove a lock nobody holds; of two processes that find it only one takes it away."""
    try:
        found = lock.stat()
    except FileNotFoundError:
        return
    if _is_held(lock, found.st_mtime):
        raise _held_by(lock)
    aside = lock.with_name(f"{LOCK}.{uuid4().hex[:8]}")
    with suppress(FileNotFoundError):
        os.rename(lock, aside)
        taken = aside.stat()
        # By the file, not by what it says: one that was just begun says as little as one left unfinished.
        if (taken.st_ino, taken.st_mtime_ns) != (found.st_ino, found.st_mtime_ns):
            # Another process was quicker, and this is its lock.
            os.rename(aside, lock)
            raise _held_by(lock)
        aside.unlink()


def _is_held(lock: Path, written: float) -> bool:
    """Return whether a lock, last `written` to at that time, is that of a process at work."""
    owner = _read(lock)
    if not owner:
        return abs(time.time() - written) < _WRITTEN_WITHIN_S
    if owner.get("host") != platform.node():
        return True  # nothing is known of the processes of another computer
    return not scratch.has_ended(owner["pid"])


def _held_by(lock: Path) -> SwcError:
    owner = _read(lock)
    facts = {key: owner.get(key, "?") for key in ("pid", "host", "started")}
    return SwcError("claim.held", path=str(lock.parent), lock=LOCK, **facts)


def _read(lock: Path) -> dict[str, Any]:
    """Return what a lock says, nothing where there is none or it says nothing."""
    try:
        owner = json.loads(lock.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    sound = isinstance(owner, dict) and all(isinstance(owner.get(key), int) for key in ("pid", "made"))
    return owner if sound else {}
