# SPDX-License-Identifier: GPL-2.0-or-later
"""The folder of a chapter: written aside, then put in place; ``figures.json`` says what in it is ours.

A document that somebody edited after it was written is never replaced.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from swc_zoning.engine import claim
from swc_zoning.engine.messages import SwcError

LEDGER, WHAT = "figures.json", "chapter"
#: What a chapter consists of, each made by itself or with the others.
PARTS = ("documents", "tables", "charts")


@contextmanager
def renewed(output: Path, parts: Collection[str] = PARTS) -> Iterator[Path]:
    """Yield a folder to write `parts` of a chapter into; then they stand in `output`, older ones gone.

    Write ``figures.json`` into it by `seal`. Raises SwcError ``chapter.not_ours`` where a file of one of
    these names is there that no chapter wrote, ``chapter.edited`` where one was changed since,
    ``chapter.would_remove`` where the older ones are more than `parts`, and ``result.unwritable``; the
    older files are then as they were.
    """
    target = Path(output).absolute()
    try:
        with claim.claimed(target), claim.aside(target, target) as aside:
            ours = _checked(target, parts)
            yield aside
            _exchange(aside, target, ours)
    except OSError as error:
        reason = error.strerror or str(error)
        raise SwcError("result.unwritable", path=str(output), reason=reason) from error


def seal(folder: Path, document: Mapping[str, Any]) -> None:
    """Write ``figures.json``: a ledger, and the digests of all files written so far."""
    files = {name: _sha256(folder / name) for name in _names(folder)}
    text = json.dumps({"what": WHAT, **document, "files": files}, ensure_ascii=False, indent=1)
    (folder / LEDGER).write_text(text, encoding="utf-8")


def check_target(output: Path, parts: Collection[str] = PARTS) -> None:
    """Prove that parts of a chapter may be written into a folder. Raises ``chapter.*`` as `renewed` does."""
    _checked(Path(output).absolute(), parts)


def part_of(name: str) -> str:
    """Return the part that a file of a chapter belongs to, by its name in the folder."""
    if name.endswith(".docx"):
        return "documents"
    return "charts" if name.startswith("charts/") else "tables"


def _names(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _checked(target: Path, parts: Collection[str]) -> dict[str, str]:
    """Return the files an earlier chapter wrote, each as it wrote it."""
    path = target / LEDGER
    if not os.path.lexists(path):
        return {}
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        document = None
    if not isinstance(document, dict) or document.get("what") != WHAT:
        raise SwcError("chapter.not_ours", path=str(path))
    files = document.get("files", {})
    for name, digest in files.items():
        there = target / name
        if there.is_file() and _sha256(there) != digest:
            raise SwcError("chapter.edited", path=str(there))
        if there.is_file() and part_of(name) not in parts:
            # One ledger holds for all files, so those of another run cannot stay beside new ones.
            raise SwcError("chapter.would_remove", path=str(there))
    return files


def _exchange(aside: Path, target: Path, ours: Mapping[str, str]) -> None:
    names = _names(aside)
    for name in names:
        if name not in ours and name != LEDGER and os.path.lexists(target / name):
            raise SwcError("chapter.not_ours", path=str(target / name))
    (target / LEDGER).unlink(missing_ok=True)
    for name in set(ours) - set(names):
        (target / name).unlink(missing_ok=True)
    # The ledger says whose the folder is: it goes first and comes last.
    for name in sorted(names, key=lambda name: name == LEDGER):
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        os.replace(aside / name, target / name)
