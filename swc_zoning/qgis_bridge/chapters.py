# SPDX-License-Identifier: GPL-2.0-or-later
"""What of a chapter is there: documents, tables, charts and maps, when they were made and of what result."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from swc_zoning.engine.chapter import delivery, folder

#: The lines of a check in a package, and its run record.
_LINES, _RECORD = "质检问题.jsonl", "run.json"
MAPS = "maps"
#: In which parts are listed.
_ORDER = (*folder.PARTS, MAPS)


@dataclass(frozen=True)
class There:
    """A file of a chapter: its part, when it was written, whether it is of the result asked for."""

    path: Path
    part: str
    written: datetime
    of_result: bool


def there(chapter: Path, summary: Mapping[str, Any]) -> list[There]:
    """Return the files of a chapter to open: documents, workbooks, charts, maps, without CSV copies."""
    digest = summary.get("content_sha256")
    found = [
        *_written(delivery.documents_in(chapter), digest),
        *_written(delivery.maps_in(chapter), digest, MAPS),
    ]
    return sorted(found, key=lambda one: (_ORDER.index(one.part), one.path.name))


def is_of(chapter: Path, summary: Mapping[str, Any]) -> bool:
    """Return whether a folder holds a chapter or maps, and all of it is of the result with this summary."""
    parts = (delivery.documents_in(chapter), delivery.maps_in(chapter))
    digests = {part.content_sha256 for part in parts if part is not None}
    return digests == {summary.get("content_sha256")}


def quality_of(packages: Path, summary: Mapping[str, Any]) -> Path | None:
    """Return the lines of the check of the newest package in a folder that holds this result, else None."""
    found = [path for path in packages.glob(f"*/*/{_LINES}") if _is_package_of(path.parents[1], summary)]
    return max(found, key=lambda path: path.stat().st_mtime, default=None)


def _is_package_of(package: Path, summary: Mapping[str, Any]) -> bool:
    for record in package.glob(f"*/{_RECORD}"):
        try:
            document = json.loads(record.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
        meta = document.get("meta") if isinstance(document, dict) else None
        if isinstance(meta, dict) and meta.get("content_sha256") == summary.get("content_sha256"):
            return True
    return False


def _written(made: delivery.Made | None, digest: str | None, part: str = "") -> Iterator[There]:
    if made is None:
        return
    for path in made.paths():
        if path.suffix in (".csv", ".json"):
            continue
        moment = datetime.fromtimestamp(path.stat().st_mtime)
        named = part or folder.part_of(path.relative_to(made.folder).as_posix())
        yield There(path, named, moment, made.content_sha256 == digest)
