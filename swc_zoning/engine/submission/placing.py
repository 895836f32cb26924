# SPDX-License-Identifier: GPL-2.0-or-later
"""Folders built aside and put in place together: at any moment the old ones are whole, or the new ones are.

What is replaced must be ours and as it was sealed; another folder, or one that was worked in,
stays.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from swc_zoning.engine import claim, scratch
from swc_zoning.engine.messages import SwcError
from swc_zoning.engine.submission import seals

#: By this document a folder is known as ours: its path in one of them, and what it says.
RECORD, WHAT = "run.json", "swc_zoning.submission"

_EXCHANGED, _REPLACED, _NEW = "exchange.json", "replaced", "new"
_NAMED = 5
_LEAST_BYTES = 1 << 24
#: What SQLite can name, in bytes (``os_unix.c``: MAX_PATHNAME), and Windows without more ado, in characters.
_LONGEST_BYTES, _LONGEST_WINDOWS = 512, 259


@contextmanager
def place(target: Path, needed: int = 0) -> Iterator[Path]:
    """Hold the folder `target` and yield a folder aside, on the same file system, to build new folders in.

    What a killed process left is undone and cleared first; the folder aside is gone afterwards. Raises
    SwcError ``claim.held``, ``package.unwritable``, and ``scratch.no_space`` where there is no room for
    `needed` bytes.
    """
    target = Path(target).resolve()
    with _reported(target), claim.claimed(target):
        _sweep(target)
        with claim.aside(target, target) as aside:
            scratch.ensure_space(aside, max(needed, _LEAST_BYTES))
            (aside / _NEW).mkdir()
            yield aside / _NEW


@contextmanager
def _reported(target: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise SwcError("package.unwritable", path=str(target), reason=reason) from error


def check(target: Path, names: Sequence[str]) -> None:
    """Prove that the folders `names` in `target` may be made or replaced.

    Raises SwcError ``package.not_ours`` where one is not of this program, ``package.changed_since`` where
    files in it were added, changed or removed since it was sealed.
    """
    for name in names:
        folder = Path(target) / name
        if os.path.lexists(folder):
            if not is_ours(folder):
                raise SwcError("package.not_ours", path=str(folder))
            _refuse_changed(folder)


def check_length(target: Path, file: str) -> None:
    """Refuse a folder in which `file`, the longest path of a package, could not be opened while it is built.

    Raises SwcError ``package.path_too_long``.
    """
    target = Path(target).resolve()
    path = f"{target}/.{target.name}.{os.getpid()}-01234567/{_NEW}/{file}"
    if os.name == "nt":
        excess = len(path) - _LONGEST_WINDOWS
    else:
        excess = len(path.encode("utf-8", "surrogatepass")) - _LONGEST_BYTES + 1
    if excess > 0:
        raise SwcError("package.path_too_long", path=str(target), excess=excess)


def is_ours(folder: Path) -> bool:
    """Return whether a folder, itself no link, was made by an export."""
    if folder.is_symlink() or not folder.is_dir():
        return False
    return any(_says_so(path) for path in (folder / RECORD, *folder.glob(f"*/{RECORD}")))


def _says_so(path: Path) -> bool:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(document, dict) and document.get("what") == WHAT


def _refuse_changed(folder: Path) -> None:
    found = seals.differences(folder)
    if found is None:
        raise SwcError("package.not_ours", path=str(folder))
    if found:
        names = found.all()
        facts = {"count": len(names), "files": ", ".join(names[:_NAMED])}
        raise SwcError("package.changed_since", path=str(folder), **facts)


# --- exchanging ------------------------------------------------------------------------------------


def put(new: Path, target: Path, gone: Sequence[str] = ()) -> None:
    """Put the folders in `new` (as `place` yields it) into `target` in place of those of the same names.

    Folders named `gone` are taken away with them. All or nothing: an error undoes what was done, and what
    a killed process left half done is undone by the next `place`.
    """
    aside, target = new.parent, Path(target).resolve()
    placed = sorted(path.name for path in new.iterdir())
    plan = {"placed": placed, "gone": sorted(set(gone).difference(placed))}
    _write_plan(aside / _EXCHANGED, plan)
    (aside / claim.EARLIER).mkdir()
    claim.undone_on_error(lambda: _exchange(aside, target, plan), lambda: _put_back(aside, target, plan))


def _write_plan(path: Path, plan: Mapping[str, Sequence[str]]) -> None:
    with path.open("w", encoding="utf-8") as stream:
        json.dump(plan, stream, ensure_ascii=False)
        stream.flush()
        os.fsync(stream.fileno())


def _exchange(aside: Path, target: Path, plan: Mapping[str, Sequence[str]]) -> None:
    for name in (*plan["placed"], *plan["gone"]):
        _move(name, target, aside / claim.EARLIER)
    for name in plan["placed"]:
        _move(name, aside / _NEW, target)
    # From here on the exchange is complete: what was replaced goes with the folder aside.
    os.rename(aside / claim.EARLIER, aside / _REPLACED)


def _put_back(aside: Path, target: Path, plan: Mapping[str, Sequence[str]]) -> None:
    """Undo an exchange, however far it, or an earlier undoing, got: what is not aside is in place."""
    for name in plan["placed"]:
        if not (aside / _NEW / name).exists():
            _move(name, target, aside / _NEW)
    for name in (*plan["placed"], *plan["gone"]):
        _move(name, aside / claim.EARLIER, target)
    (aside / claim.EARLIER).rmdir()


def _move(name: str, source: Path, target: Path) -> None:
    if os.path.lexists(source / name):
        os.rename(source / name, target / name)


def _sweep(target: Path) -> None:
    """Remove what exports killed while writing left; an exchange they were in is undone first."""
    for folder in claim.left_aside(target):
        plan = folder / _EXCHANGED
        if claim.is_under_way(folder):
            if not plan.exists():
                continue  # an exchange of something else
            _put_back(folder, target, json.loads(plan.read_text(encoding="utf-8")))
        shutil.rmtree(folder, ignore_errors=True)
