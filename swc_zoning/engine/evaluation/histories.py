# SPDX-License-Identifier: GPL-2.0-or-later
"""What came before: every file an algorithm makes carries its record, with those of the files it was made of.

So algorithms that are run one by one, or as children of a model, tell in the end what a chain tells.
GeoPackages carry it in a table (`records`), GeoTIFFs in a tag.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import rasterio
from rasterio.errors import RasterioError

from swc_zoning.engine.evaluation import records
from swc_zoning.engine.messages import SwcError

#: Where in the metadata of a GeoTIFF the record is.
_SPACE, _ITEM = "SWC_EVALUATION", "RECORD"


def write(path: Path, record: str) -> None:
    """Put a record (JSON) into a GeoPackage or a GeoTIFF; other files carry none.

    Raises SwcError ``evaluation.unwritable``.
    """
    if path.suffix == ".gpkg":
        records.write(path, json.loads(record))
    elif path.suffix == ".tif":
        try:
            with rasterio.open(path, "r+") as dataset:
                dataset.update_tags(ns=_SPACE, **{_ITEM: json.dumps(json.loads(record), ensure_ascii=False)})
        except RasterioError as error:
            raise SwcError("evaluation.unwritable", path=path.name, reason=str(error)) from error


def read(path: Path) -> dict[str, Any] | None:
    """Return the record that a file carries, None where it carries none that can be read."""
    try:
        if path.suffix == ".gpkg":
            return records.read(path)
        if path.suffix == ".tif":
            with rasterio.open(path) as dataset:
                found = json.loads(dataset.tags(ns=_SPACE).get(_ITEM, "null"))
                return found if isinstance(found, dict) else None
    except (SwcError, RasterioError, ValueError):
        return None
    return None


def steps(paths: Iterable[Path]) -> list[dict[str, Any]]:
    """Return the shortened records of files and of what these were made of, each once, in order."""
    found: dict[str, dict[str, Any]] = {}
    for path in paths:
        record = read(path)
        for one in [] if record is None else _flat(records.trimmed(record)):
            found.setdefault(json.dumps(one, sort_keys=True, ensure_ascii=False), one)
    return list(found.values())


def _flat(record: dict[str, Any]) -> list[dict[str, Any]]:
    """Return a shortened record after its steps, none of them with steps of its own."""
    before = [one for step in record["steps"] for one in _flat(step)]
    return [*before, {**record, "steps": []}]
