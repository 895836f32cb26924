# SPDX-License-Identifier: GPL-2.0-or-later
"""SHA256SUMS: what every file of a package is, in the form ``sha256sum -c`` reads."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from swc_zoning.engine.messages import SwcError

NAME = "SHA256SUMS"

#: What file managers put into folders they show, in lower case.
_OF_FILE_MANAGERS = frozenset({".ds_store", "thumbs.db", "desktop.ini"})
_LINE = re.compile(r"([0-9a-fA-F]{64}) [ *](.+)")
_BLOCK_BYTES = 1 << 20


@dataclass(frozen=True)
class Differences:
    """How a folder departs from its SHA256SUMS: relative paths with "/", sorted."""

    changed: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    added: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.changed or self.missing or self.added)

    def all(self) -> tuple[str, ...]:
        """Return every path that differs."""
        return tuple(sorted((*self.changed, *self.missing, *self.added)))


def is_litter(name: str) -> bool:
    """Return whether a file of that name is what a file manager left: no part of a package."""
    return name.lower() in _OF_FILE_MANAGERS


def files(folder: Path) -> list[str]:
    """Return the files below `folder` that a seal covers, relative with "/", sorted by code point."""
    return sorted(_files(Path(folder)))


def _files(folder: Path) -> Iterator[str]:
    for place, _, names in os.walk(folder):
        for name in names:
            path = Path(place, name).relative_to(folder).as_posix()
            if path != NAME and not is_litter(name):
                yield path


def write(folder: Path) -> Path:
    """Write SHA256SUMS over all files below `folder` and return its path; every file is on disk then."""
    folder = Path(folder)
    lines = [f"{_sealed(folder / name)}  {name}\n" for name in files(folder)]
    path = folder / NAME
    with path.open("w", encoding="utf-8", newline="\n") as stream:
        stream.writelines(lines)
        stream.flush()
        os.fsync(stream.fileno())
    return path


def _sealed(path: Path) -> str:
    with path.open("rb+") as stream:
        os.fsync(stream.fileno())
        return _digest(stream)


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file, hexadecimal."""
    with Path(path).open("rb") as stream:
        return _digest(stream)


def _digest(stream: object) -> str:
    digest = hashlib.sha256()
    while block := stream.read(_BLOCK_BYTES):
        digest.update(block)
    return digest.hexdigest()


def read(folder: Path) -> dict[str, str] | None:
    """Return relative path -> hash as SHA256SUMS says, None where there is none.

    Raises SwcError ``seals.unreadable`` where a line is not of that form or names a place outside.
    """
    path = Path(folder) / NAME
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise SwcError("seals.unreadable", line=0, text=str(error)) from error
    said: dict[str, str] = {}
    for number, name, digest in entries(text):
        if not name or PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts:
            raise SwcError("seals.unreadable", line=number, text=text.split("\n")[number - 1][:80])
        said[name] = digest
    return said


def entries(text: str) -> Iterator[tuple[int, str, str]]:
    """Yield (number of the line, relative path, hash) of a SHA256SUMS; path "" for a line of another form."""
    # Names may hold signs that `splitlines` takes for ends of lines.
    for number, line in enumerate(text.split("\n"), 1):
        match = _LINE.fullmatch(line.rstrip())
        if match:
            yield number, match[2].removeprefix("./"), match[1].lower()
        elif line.strip():
            yield number, "", ""


def differences(folder: Path) -> Differences | None:
    """Return how the files below `folder` depart from their SHA256SUMS, None where there is none.

    Raises what `read` raises, and OSError.
    """
    said = read(folder)
    if said is None:
        return None
    there = set(files(folder))
    both = sorted(there & set(said))
    changed = tuple(name for name in both if sha256(Path(folder) / name) != said[name])
    return Differences(changed, tuple(sorted(set(said) - there)), tuple(sorted(there - set(said))))
