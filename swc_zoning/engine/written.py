# SPDX-License-Identifier: GPL-2.0-or-later
"""A result as it was written: its summary, the columns and polygons of its pieces, its decision table."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from swc_zoning.engine import formats, rules, summary
from swc_zoning.engine.grid import Ints
from swc_zoning.engine.messages import SwcError
from swc_zoning.engine.result import SUMMARY, ZONING

Columns = dict[str, NDArray[Any]]

#: Up to so many pieces are asked for by number; more are read with all others.
_BY_NUMBER = 500


@dataclass(frozen=True)
class Written:
    """A result folder: `summary` is its document, `columns` those asked for, one value a piece.

    `area_centi`: official areas in 0.01 m2.
    """

    folder: Path
    summary: Mapping[str, Any]
    columns: Columns

    def __len__(self) -> int:
        return len(self.columns["piece_id"])

    @property
    def area_centi(self) -> Ints:
        """Return the official area of each piece in 0.01 m2."""
        return np.rint(self.columns["area_m2"].astype(float) * 100).astype(np.int64)

    def polygons(self, rows: Ints) -> NDArray[Any]:
        """Return the polygons of the pieces `rows` (ascending), metres of the working CRS."""
        if len(rows) == 0:
            return np.empty(0, object)
        if len(rows) <= _BY_NUMBER:
            return shapely.from_wkb(self._few(rows))
        table = formats.read_vector(self.folder / ZONING, "pieces", columns=[])
        return shapely.from_wkb(np.asarray(table.wkb)[rows])

    def _few(self, rows: Ints) -> NDArray[Any]:
        # The file is written once, in order: row i has the number i + 1.
        where = f"fid IN ({','.join(str(row + 1) for row in rows.tolist())})"
        table = formats.read_vector(self.folder / ZONING, "pieces", where, columns=["piece_id"])
        order = np.argsort(table.fids, kind="stable")
        found = table.columns["piece_id"][order]
        if found.tolist() != self.columns["piece_id"][rows].tolist():
            raise SwcError("written.not_together", path=str(self.folder))
        return np.asarray(table.wkb)[order]

    def near(self, boxes: NDArray[np.float64]) -> Ints:
        """Return the pieces whose bounds meet one of `boxes` (n, 4: west, south, east, north), ascending."""
        if len(boxes) > _BY_NUMBER:
            west, south = boxes[:, :2].min(axis=0)
            east, north = boxes[:, 2:].max(axis=0)
            boxes = np.array([[west, south, east, north]])
        ask = "SELECT id FROM rtree_pieces_geom WHERE maxx >= ? AND maxy >= ? AND minx <= ? AND miny <= ?"
        found: set[int] = set()
        path = (self.folder / ZONING).absolute()
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as connection:
            for box in boxes.tolist():
                found.update(row - 1 for (row,) in connection.execute(ask, box))
        return np.array(sorted(found), np.int64)

    def zone_names(self, lang: str) -> dict[str, str]:
        """Return code -> name of the zones that occur, in the order of the table."""
        return {row["zone"]: row[f"name_{lang}"] for row in self.summary["by_zone"]}

    def sources(self, piece_ids: Iterable[str]) -> dict[str, list[dict[str, str]]]:
        """Return for each of the pieces the features that lie on it: role, layer, source_id, name, tier."""
        wanted = {piece: [] for piece in piece_ids}
        ids = np.array(sorted(wanted), dtype=object)
        names = ("role", "layer", "source_id", "name", "tier")
        found: dict[str, list[dict[str, str]]] = wanted
        if not wanted:
            return found
        for part in formats.read_columns(self.folder / ZONING, "piece_sources", ("piece_id", *names)):
            keep = np.flatnonzero(np.isin(part["piece_id"].astype(str), ids.astype(str)))
            rows = zip(part["piece_id"][keep], *(part[name][keep] for name in names))
            for piece, *values in rows:
                found[piece].append({name: value or "" for name, value in zip(names, values)})
        return found


def read(folder: Path, columns: Sequence[str]) -> Written:
    """Return the result in `folder` with `columns` of its pieces (piece_id and area_m2 always).

    Raises SwcError ``written.no_result`` where there is none, ``written.not_together`` where its two
    files are not of one run, and what `formats.read_columns` raises.
    """
    document = summary_of(folder)
    wanted = ["piece_id", "area_m2", *(name for name in columns if name not in ("piece_id", "area_m2"))]
    parts = list(formats.read_columns(folder / ZONING, "pieces", wanted))
    joined = {name: np.concatenate([part[name] for part in parts]) for name in wanted}
    if len(joined["piece_id"]) != document["total"]["pieces"]:
        raise SwcError("written.not_together", path=str(folder))
    return Written(Path(folder), document, joined)


def summary_of(folder: Path) -> Mapping[str, Any]:
    """Return ``summary.json`` of a result. Raises SwcError ``written.no_result``."""
    try:
        document = json.loads((Path(folder) / SUMMARY).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SwcError("written.no_result", path=str(folder)) from error
    whole = isinstance(document, dict) and "content_sha256" in document
    if not whole or not (Path(folder) / ZONING).exists():
        raise SwcError("written.no_result", path=str(folder))
    return document


def table_of(folder: Path, document: Mapping[str, Any], given: Path | None = None) -> rules.RuleTable | None:
    """Return the decision table the result in `folder` was made with, None where it is not to be had.

    `document` is its summary. Newer results hold their table; that of others is known by its hash among
    `given`, the one their job names and the shipped one.
    """
    named = document["job"].get("rules")
    for source in (_kept_table(folder), given, Path(named) if named else None, None):
        try:
            table = rules.load(source, document["plan_date"])
        except SwcError:
            continue
        if summary.document_sha256(table.document) == document["rules"]["sha256"]:
            return table
    return None


def _kept_table(folder: Path) -> Mapping[str, Any] | None:
    items = formats.read_columns(Path(folder) / ZONING, "run", ("item", "value"))
    rows = [pair for part in items for pair in zip(part["item"].tolist(), part["value"].tolist())]
    text = dict(rows).get("decision_table")
    return json.loads(text) if text else None
