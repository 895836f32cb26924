# SPDX-License-Identifier: GPL-2.0-or-later
"""Folders of what is derived from results: a GeoPackage, a JSON document and a CSV of one name.

Written aside, read back, and only then put in place; files that are not ours are never replaced.
"""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from swc_zoning.engine import cells, claim, formats, result
from swc_zoning.engine.layers import Layer
from swc_zoning.engine.messages import SwcError


def check_target(folder: Path, name: str) -> None:
    """Prove that files called `name` may be put into `folder`. Raises SwcError ``derived.not_ours``."""
    paths = {kind: Path(folder) / f"{name}.{kind}" for kind in ("gpkg", "json", "csv")}
    there = [path for path in paths.values() if os.path.lexists(path)]
    if there and not _is_ours(paths["json"], name):
        raise SwcError("derived.not_ours", path=str(there[0]))


def write(
    folder: Path,
    name: str,
    layers: Sequence[Layer],
    crs: str,
    document: Mapping[str, Any],
    rows: Iterable[Sequence[Any]],
) -> dict[str, Path]:
    """Write ``name.gpkg``, ``name.json`` and ``name.csv`` into `folder` and return them by kind.

    `document` gets the key ``what``, by which its folder is known as ours; text of the CSV that a
    spreadsheet would run is guarded. Raises what `check_target` raises, SwcError
    ``result.unwritable`` and ``result.not_as_written``; older files are then as they were.
    """
    check_target(folder, name)
    target = Path(folder).absolute()
    made = {kind: target / f"{name}.{kind}" for kind in ("gpkg", "csv", "json")}
    try:
        with claim.claimed(target), claim.aside(target, target) as aside:
            write_layers(aside / f"{name}.gpkg", layers, crs)
            (aside / f"{name}.csv").write_bytes(csv_text(rows).encode("utf-8-sig"))
            text = json.dumps({"what": name, **document}, ensure_ascii=False, indent=1, default=_plain)
            (aside / f"{name}.json").write_text(text, encoding="utf-8")
            # The document says whose the folder is: it goes last.
            for path in made.values():
                (aside / path.name).replace(path)
    except OSError as error:
        reason = error.strerror or str(error)
        raise SwcError("result.unwritable", path=str(folder), reason=reason) from error
    return made


def csv_text(rows: Iterable[Sequence[Any]]) -> str:
    """Return rows as CSV, each cell guarded against being run as a formula."""
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, lineterminator="\r\n")
    for row in rows:
        writer.writerow([cells.guarded("" if value is None else value) for value in row])
    return stream.getvalue()


def write_layers(path: Path, layers: Sequence[Layer], crs: str) -> None:
    """Write layers into a GeoPackage and read them back. Raises SwcError ``result.not_as_written``."""
    for layer in layers:
        formats.write_table(path, layer.name, layer.batches(), crs, layer.kind)
    result.embed_styles(path, layers)
    for layer in layers:
        field = formats.difference(path, layer.name, layer.batches())
        if field:
            raise SwcError("result.not_as_written", layer=layer.name, field=field, found="", meant="")


def _is_ours(path: Path, name: str) -> bool:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(document, dict) and document.get("what") == name


def _plain(value: Any) -> Any:
    """Return numpy scalars as Python ones, for JSON."""
    return value.item()
