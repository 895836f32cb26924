# SPDX-License-Identifier: GPL-2.0-or-later
"""What of a chapter goes into the package of a submission: its documents and tables, and its map sheets.

A chapter folder holds what the command ``chapter`` wrote, and in a folder of their own the map sheets with
``maps.json``, which says of what result they are. Only the standard library is imported, so that QGIS can
tell what there is.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from swc_zoning.engine import reports
from swc_zoning.engine.chapter.folder import LEDGER, WHAT
from swc_zoning.engine.messages import SwcError

#: The folder of maps in a chapter, and the record in it.
MAPS, RECORD, WHAT_MAPS = "maps", "maps.json", "maps"


@dataclass(frozen=True)
class Made:
    """What a folder of a chapter or of maps holds: `names` of files, and the result they were made of."""

    folder: Path
    names: tuple[str, ...]
    content_sha256: str

    def paths(self) -> list[Path]:
        """Return the files that are there."""
        return [path for path in (self.folder / name for name in self.names) if path.is_file()]

    def entries(self) -> list[Path]:
        """Return files and folders that stand in the folder itself."""
        tops = dict.fromkeys(self.folder / Path(name).parts[0] for name in self.names)
        return [path for path in tops if path.exists()]


def documents_in(chapter: Path) -> Made | None:
    """Return the documents, tables and charts of a chapter and the sources of its numbers, None without."""
    made = _made(chapter, LEDGER, WHAT)
    return None if made is None else replace(made, names=(*made.names, LEDGER))


def maps_in(chapter: Path) -> Made | None:
    """Return the map sheets of a chapter, None where there are none."""
    return _made(chapter / MAPS, RECORD, WHAT_MAPS)


def note_maps(folder: Path, files: Sequence[Path], content_sha256: str) -> Path:
    """Write beside map sheets of what result they are, and return the record.

    Sheets made before of the same result stay in it. Raises SwcError ``cli.unwritable``.
    """
    earlier = _made(folder, RECORD, WHAT_MAPS)
    kept = earlier.names if earlier is not None and earlier.content_sha256 == content_sha256 else ()
    names = sorted({path.relative_to(folder).as_posix() for path in files}.union(kept))
    document = {"what": WHAT_MAPS, "content_sha256": content_sha256, "files": names}
    reports.write(document, folder / RECORD)
    return folder / RECORD


def extras(chapter: Path, content_sha256: str) -> dict[str, list[Path]]:
    """Return what a package of the result with this digest takes of a chapter, by part of the package.

    Raises SwcError ``delivery.nothing`` where the folder holds neither documents nor maps, and
    ``delivery.other_result`` where they are of another result.
    """
    found = {"part_text": documents_in(chapter), "part_maps": maps_in(chapter)}
    there = {part: made for part, made in found.items() if made is not None}
    if not there:
        raise SwcError("delivery.nothing", path=str(chapter))
    for made in there.values():
        if made.content_sha256 != content_sha256:
            raise SwcError("delivery.other_result", path=str(made.folder))
    chosen = {"part_text": Made.entries, "part_maps": Made.paths}
    return {part: chosen[part](made) for part, made in there.items()}


def _made(folder: Path, record: str, what: str) -> Made | None:
    document = _document(folder / record)
    if document.get("what") != what:
        return None
    names = tuple(_inside(document.get("files")))
    return Made(folder, names, str(document.get("content_sha256", "")))


def _document(path: Path) -> Mapping[str, Any]:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return document if isinstance(document, dict) else {}


def _inside(names: Any) -> Iterator[str]:
    """Yield names of files that lie in the folder; a record may have been edited by anybody."""
    for name in names or ():
        if isinstance(name, str) and name and not Path(name).is_absolute() and ".." not in Path(name).parts:
            yield name
