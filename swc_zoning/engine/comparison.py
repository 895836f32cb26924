# SPDX-License-Identifier: GPL-2.0-or-later
"""What changed between two results: which ground, from which zone to which, how much, and why.

Pieces of the same id are the same ground; only the others are laid over each other, by the engine
of the partition. Areas are the official ones, in whole 0.01 m2: the area of a piece is shared out
among its parts by their ellipsoidal areas (largest remainder), so that whatever is summed fits the
result it comes from.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray

from swc_zoning.engine import areas, causes, derived, partition, styles, written
from swc_zoning.engine.grid import Floats, Ints, group
from swc_zoning.engine.layers import Layer, whole
from swc_zoning.engine.messages import SwcError, sentence
from swc_zoning.engine.pieces import id_digits
from swc_zoning.engine.progress import Progress
from swc_zoning.engine.written import Written

NAME = "comparison"
SCHEMA = 1
#: Rows and columns of a matrix beside the zones: ground that only one of the results has; ground of
#: another district; what the same ground counts differently, since its district was closed anew.
OUTSIDE, OTHER_DISTRICT, CLOSING = "outside", "other_district", "closing"

_READ = ("district_code", "district_name", "zone", "status", "members", "ellipsoidal_m2")


class Key(NamedTuple):
    """What ground is counted under."""

    district: str
    zone: str
    status: str


@dataclass(frozen=True)
class Ground:
    """The common parts of two results (n): number of the older and of the newer piece, -1 for none.

    `before_centi`, `after_centi`: official area in 0.01 m2 as the older and the newer result have it;
    `face`: number in `overlay`, -1 where a piece is the same in both.
    """

    before: Ints
    after: Ints
    before_centi: Ints
    after_centi: Ints
    face: Ints
    overlay: partition.Partition | None

    def __len__(self) -> int:
        return len(self.before)


@dataclass(frozen=True)
class Comparison:
    """Two results held against each other; `changed`: rows of `ground` whose zone or status differ.

    `transfers`: 0.01 m2 as the older and as the newer result have it, by key before and after; `lost`,
    `unmet`: those of older and newer pieces that are thinner than the grid of the overlay.
    """

    before: Written
    after: Written
    ground: Ground
    changed: Ints
    causes: list[causes.Cause]
    transfers: dict[tuple[Key | None, Key | None], tuple[int, int]]
    lost: dict[Key, int]
    unmet: dict[Key, int]


def compare(before: Path, after: Path, progress: Progress | None = None) -> Comparison:
    """Return what changed from the result in the folder `before` to that in `after`.

    Raises SwcError ``comparison.other_crs`` where they are not in one CRS, and what `written.read`
    raises.
    """
    progress = progress or Progress()
    with progress.step("reading", 0.2):
        old, new = written.read(before, _READ), written.read(after, _READ)
    if old.summary["crs"] != new.summary["crs"]:
        crs = (old.summary["crs"], new.summary["crs"])
        raise SwcError("comparison.other_crs", before=crs[0], after=crs[1])
    ground = _ground(old, new, progress)
    with progress.step("comparing", 0.15):
        keys = [_keys(result) for result in (old, new)]
        changed = _changed(ground, *keys)
        why = causes.of(old, new, ground.before[changed], ground.after[changed])
        transfers = _transfers(ground, *keys)
    lost = [_lost(old, ground.before, keys[0]), _lost(new, ground.after, keys[1])]
    return Comparison(old, new, ground, changed, why, transfers, *lost)


# --- the ground ------------------------------------------------------------------------------------


def _ground(old: Written, new: Written, progress: Progress) -> Ground:
    """Return the parts that both, or one, of two results are made of."""
    ids = [result.columns["piece_id"].astype("S16") for result in (old, new)]
    _, same_old, same_new = np.intersect1d(*ids, assume_unique=True, return_indices=True)
    rest = [np.setdiff1d(np.arange(len(result)), same) for result, same in ((old, same_old), (new, same_new))]
    centi = [old.area_centi, new.area_centi]
    nowhere = np.full(len(same_old), -1, np.int64)
    plain = Ground(same_old, same_new, centi[0][same_old], centi[1][same_new], nowhere, None)
    if not len(rest[0]) and not len(rest[1]):
        return plain
    geometry = np.concatenate([old.polygons(rest[0]), new.polygons(rest[1])])
    model = areas.area_model(old.summary["crs"])
    built = partition.build(geometry, progress=progress, model=model)
    return _joined(plain, _laid_over(built, rest, centi))


def _laid_over(built: partition.Partition, rest: Sequence[Ints], centi: Sequence[Ints]) -> Ground:
    """Return the faces of an overlay of pieces, with the area of each piece shared out among its own."""
    faces = np.flatnonzero(built.inside)
    place = np.full(len(built), -1, np.int64)
    place[faces] = np.arange(len(faces))
    older = built.labels.feature < len(rest[0])
    owners, shares = [], []
    for number, chosen in enumerate((older, ~older)):
        owner = np.full(len(faces), -1, np.int64)
        feature = built.labels.feature[chosen] - (0 if number == 0 else len(rest[0]))
        owner[place[built.labels.face[chosen]]] = rest[number][feature]
        owners.append(owner)
        shares.append(share_out(centi[number], owner, np.maximum(built.ellipsoidal_m2[faces], 0.0)))
    return Ground(*owners, *shares, faces, built)


def _joined(same: Ground, other: Ground) -> Ground:
    names = ("before", "after", "before_centi", "after_centi", "face")
    columns = [np.concatenate([getattr(same, name), getattr(other, name)]) for name in names]
    return Ground(*columns, other.overlay)


def share_out(centi: Ints, owner: Ints, weight: Floats) -> Ints:
    """Return the area of each part: that of its owner, shared by weight with the largest remainder.

    centi int[m] whole units of each owner; owner int[n], -1 for none (0 units); weight float[n], not
    negative. The parts of an owner sum to it exactly; among equal remainders the first part wins.
    """
    shared = np.zeros(len(owner), np.int64)
    rows = np.flatnonzero(owner >= 0)
    order = rows[np.argsort(owner[rows], kind="stable")]
    if not len(order):
        return shared
    starts = np.flatnonzero(np.diff(owner[order], prepend=-1))
    counts = np.diff(np.append(starts, len(order)))
    total = np.repeat(np.add.reduceat(weight[order], starts), counts)
    # An owner whose parts have no area gives it to the first of them.
    fraction = np.where(total > 0, weight[order] / np.where(total > 0, total, 1.0), 0.0)
    exact = centi[owner[order]] * fraction
    floors = np.floor(exact).astype(np.int64)
    missing = centi[owner[order[starts]]] - np.add.reduceat(floors, starts)
    piece = np.repeat(np.arange(len(starts)), counts)
    by_remainder = np.lexsort((np.arange(len(order)), floors - exact, piece))
    rank = np.empty(len(order), np.int64)
    rank[by_remainder] = np.arange(len(order)) - np.repeat(starts, counts)
    floors += np.repeat(missing // counts, counts) + (rank < np.repeat(missing % counts, counts))
    shared[order] = floors
    return shared


# --- what it is counted under ----------------------------------------------------------------------


def _keys(result: Written) -> tuple[list[Key], Ints]:
    """Return the distinct keys of the pieces of a result, sorted, and the number of each piece's."""
    columns = [result.columns[name].astype(str) for name in ("district_code", "zone", "status")]
    codes = np.zeros(len(result), np.int64)
    for column in columns:
        known, number = np.unique(column, return_inverse=True)
        codes = codes * max(1, len(known)) + number
    _, first, number = np.unique(codes, return_index=True, return_inverse=True)
    return [Key(*(str(column[row]) for column in columns)) for row in first.tolist()], number


def _changed(ground: Ground, old: tuple[list[Key], Ints], new: tuple[list[Key], Ints]) -> Ints:
    """Return the rows of `ground` whose zone or status differ, or that only one result has."""
    known = {pair: number for number, pair in enumerate({key[1:] for key in (*old[0], *new[0])})}
    sides = []
    for (keys, number), row in ((old, ground.before), (new, ground.after)):
        of_key = np.array([*(known[key[1:]] for key in keys), -1], np.int64)
        sides.append(of_key[np.where(row >= 0, np.append(number, -1)[row], -1)])
    return np.flatnonzero(sides[0] != sides[1])


def _transfers(
    ground: Ground, old: tuple[list[Key], Ints], new: tuple[list[Key], Ints]
) -> dict[tuple[Key | None, Key | None], tuple[int, int]]:
    """Return (0.01 m2 as the older result has it, as the newer has it) by key before and after."""
    before = np.where(ground.before >= 0, np.append(old[1], -1)[ground.before], -1)
    after = np.where(ground.after >= 0, np.append(new[1], -1)[ground.after], -1)
    order, starts = group((before + 1) * (len(new[0]) + 1) + after + 1)
    sums = [
        np.add.reduceat(centi[order], starts) if len(starts) else centi
        for centi in (ground.before_centi, ground.after_centi)
    ]
    found = {}
    for number, row in enumerate(order[starts].tolist()):
        pair = (
            None if before[row] < 0 else old[0][before[row]],
            None if after[row] < 0 else new[0][after[row]],
        )
        found[pair] = (int(sums[0][number]), int(sums[1][number]))
    return found


def _lost(result: Written, rows: Ints, keys: tuple[list[Key], Ints]) -> dict[Key, int]:
    """Return the area by key of pieces that no part of the ground comes from."""
    missing = np.ones(len(result), bool)
    missing[rows[rows >= 0]] = False
    found: dict[Key, int] = {}
    centi = result.area_centi
    for row in np.flatnonzero(missing).tolist():
        key = keys[0][int(keys[1][row])]
        found[key] = found.get(key, 0) + int(centi[row])
    return found


# --- the matrix ------------------------------------------------------------------------------------

Cell = tuple[tuple[str, str], tuple[str, str]]


def matrix(made: Comparison, district: str | None = None) -> dict[Cell, int]:
    """Return 0.01 m2 by ((zone, status) before, (zone, status) after), of a district or of all.

    The ground is measured as the older result has it, so that rows sum to its totals; what the newer
    result counts more or less for it stands in the row `CLOSING`, so that columns sum to the newer
    totals. Ground that only one result has is in the row or column `OUTSIDE`, that of another
    district in `OTHER_DISTRICT`.
    """
    cells: dict[Cell, int] = {}

    def add(before: tuple[str, str], after: tuple[str, str], centi: int) -> None:
        if centi:
            cells[before, after] = cells.get((before, after), 0) + centi

    for (before, after), (old_centi, new_centi) in made.transfers.items():
        one, other = _side(before, district), _side(after, district)
        if one[1]:
            add(one, other, old_centi)
            if other[1]:
                add((CLOSING, ""), other, new_centi - old_centi)
        elif other[1]:
            add(one, other, new_centi)
    for key, centi in made.lost.items():
        if _side(key, district)[1]:
            add(_side(key, district), (CLOSING, ""), centi)
    for key, centi in made.unmet.items():
        if _side(key, district)[1]:
            add((CLOSING, ""), _side(key, district), centi)
    # Differences may cancel out.
    return {cell: centi for cell, centi in cells.items() if centi}


def _side(key: Key | None, district: str | None) -> tuple[str, str]:
    if key is None:
        return (OUTSIDE, "")
    return (key.zone, key.status) if district in (None, key.district) else (OTHER_DISTRICT, "")


# --- documents -------------------------------------------------------------------------------------


def document(made: Comparison) -> dict[str, Any]:
    """Return ``comparison.json``: areas in m2, two decimals, exact."""
    rows = made.changed
    by_cause: dict[str, dict[str, Any]] = {}
    for row, cause in zip(rows.tolist(), made.causes):
        sums = by_cause.setdefault(cause.kind, {"cause": cause.kind, "parts": 0, "area_m2": 0})
        sums["parts"] += 1
        sums["area_m2"] += _counted(made.ground, row)
    return {
        "schema": SCHEMA,
        "before": _papers(made.before),
        "after": _papers(made.after),
        "rules_changed": made.before.summary["rules"]["sha256"] != made.after.summary["rules"]["sha256"],
        "zones": _zones(made),
        "changed": {
            "parts": len(rows),
            "area_m2": sum(_counted(made.ground, row) for row in rows.tolist()) / 100,
            "by_cause": [{**one, "area_m2": one["area_m2"] / 100} for _, one in sorted(by_cause.items())],
        },
        "matrix": _matrix_document(made, None),
        "districts": [
            {"district_code": code, "district_name": name, **_matrix_document(made, code)}
            for code, name in _districts(made).items()
        ],
    }


def _counted(ground: Ground, row: int) -> int:
    """Return the area of changed ground: as the newer result has it, the older where only that has it."""
    return int((ground.after_centi if ground.after[row] >= 0 else ground.before_centi)[row])


def _papers(result: Written) -> dict[str, Any]:
    names = ("title", "mark", "plan_date", "rules", "crs", "content_sha256", "mode")
    papers = {name: result.summary[name] for name in names if name in result.summary}
    return {"folder": result.folder.name, **papers}


def _zones(made: Comparison) -> list[dict[str, str]]:
    """Return the zones of both results, those of the newer table first, in the order of the tables."""
    rows = [*made.after.summary["by_zone"], *made.before.summary["by_zone"]]
    names = ("zone", "name_zh", "name_en")
    known = {row["zone"]: {name: row[name] for name in names} for row in rows[::-1]}
    return [known[code] for code in dict.fromkeys(row["zone"] for row in rows)]


def _districts(made: Comparison) -> dict[str, str]:
    rows = [*made.after.summary["by_district"], *made.before.summary["by_district"]]
    names = {row["district_code"]: row["district_name"] for row in rows[::-1]}
    return dict(sorted(names.items()))


def _matrix_document(made: Comparison, district: str | None) -> dict[str, Any]:
    cells = matrix(made, district)
    order = [row["zone"] for row in _zones(made)] + [OTHER_DISTRICT, OUTSIDE, CLOSING]

    def total(side: int) -> list[dict[str, Any]]:
        keys = sorted({cell[side] for cell in cells}, key=lambda key: (order.index(key[0]), key[1]))
        sums = [sum(centi for cell, centi in cells.items() if cell[side] == key) for key in keys]
        return [
            {"zone": zone, "status": status, "area_m2": centi / 100}
            for (zone, status), centi in zip(keys, sums)
        ]

    rows = sorted(cells, key=lambda cell: [(order.index(key[0]), key[1]) for key in cell])
    return {
        "before": total(0),
        "after": total(1),
        "cells": [{**_named_cell(cell), "area_m2": cells[cell] / 100} for cell in rows],
    }


def _named_cell(cell: Cell) -> dict[str, str]:
    names = ("zone_before", "status_before", "zone_after", "status_after")
    return dict(zip(names, (*cell[0], *cell[1])))


# --- files -----------------------------------------------------------------------------------------


def write(made: Comparison, output: Path, lang: str = "zh") -> dict[str, Path]:
    """Write ``comparison.gpkg`` (layer changes, table matrix), ``.json`` and ``.csv`` into a folder.

    Returns the files by kind. Raises what `derived.write` raises.
    """
    told = document(made)
    layers = [_changes(made, lang), _matrix_layer(told)]
    return derived.write(output, NAME, layers, made.after.summary["crs"], told, _csv_rows(told, lang))


def _changes(made: Comparison, lang: str) -> Layer:
    rows = made.changed
    sides = (("before", made.before, made.ground.before), ("after", made.after, made.ground.after))
    columns: dict[str, Any] = {"change_id": _ids(made)}
    for name in ("zone", "status", "district_code", "district_name", "piece_id"):
        for side, result, number in sides:
            columns[f"{name}_{side}"] = _picked(result.columns[name], number[rows])
    for side, result, _ in sides:
        names = result.zone_names(lang)
        texts = [names.get(code, "") if code else None for code in columns[f"zone_{side}"].tolist()]
        columns[f"zone_name_{side}"] = _texts(texts)
    for name in causes.Cause._fields:
        column = "cause" if name == "kind" else name
        columns[column] = _texts([getattr(cause, name) for cause in made.causes])
    for side, _, _ in sides:
        columns[f"area_m2_{side}"] = getattr(made.ground, f"{side}_centi")[rows] / 100
    columns["area_m2"] = np.array([_counted(made.ground, row) for row in rows.tolist()], float) / 100
    wkb = shapely.to_wkb(_drawn(made, rows)) if len(rows) else np.empty(0, object)
    return whole("changes", "Polygon", wkb, columns, styles.changes_qml(lang))


def _ids(made: Comparison) -> NDArray[Any]:
    """Return the id of each changed part: that of its face or its piece."""
    face = made.ground.face[made.changed]
    same = _picked(made.after.columns["piece_id"], np.where(face < 0, made.ground.after[made.changed], -1))
    if made.ground.overlay is not None:
        drawn = np.flatnonzero(face >= 0)
        same[drawn] = id_digits(made.ground.overlay.id[face[drawn]]).astype(str)
    return same


def _drawn(made: Comparison, rows: Ints) -> NDArray[Any]:
    """Return the polygons of rows of the ground."""
    polygons = np.empty(len(rows), object)
    face = made.ground.face[rows]
    plain = np.flatnonzero(face < 0)
    order = plain[np.argsort(made.ground.after[rows[plain]], kind="stable")]
    polygons[order] = made.after.polygons(made.ground.after[rows[order]])
    if made.ground.overlay is not None:
        laid = np.flatnonzero(face >= 0)
        polygons[laid] = made.ground.overlay.polygons(face[laid])
    return polygons


def _picked(values: NDArray[Any], rows: Ints) -> NDArray[Any]:
    """Return the texts of rows, None for -1."""
    return np.append(values.astype(object), None)[rows]


def _texts(values: Sequence[Any]) -> NDArray[Any]:
    column = np.empty(len(values), object)
    column[:] = values
    return column


def _matrix_layer(told: Mapping[str, Any]) -> Layer:
    rows = list(_long_rows(told))
    names = ("district_code", "district_name", "zone_before", "status_before", "zone_after", "status_after")
    columns: dict[str, Any] = {name: _texts([row[name] for row in rows]) for name in names}
    columns["area_m2"] = np.array([row["area_m2"] for row in rows], float)
    columns["area_ha"] = np.array([row["area_m2"] for row in rows], float) / 10_000
    return whole("matrix", "", None, columns)


def _long_rows(told: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield every cell of every matrix; the district of the overall one is empty."""
    for scope in ({"district_code": "", "district_name": "", **told["matrix"]}, *told["districts"]):
        for cell in scope["cells"]:
            yield {"district_code": scope["district_code"], "district_name": scope["district_name"], **cell}


def _csv_rows(told: Mapping[str, Any], lang: str) -> Iterator[list[Any]]:
    """Yield each matrix as a block: zones before down, zones after across, hectares, sums at the ends."""

    def word(code: str) -> str:
        return sentence(code, {}, lang)

    names = {row["zone"]: row[f"name_{lang}"] for row in told["zones"]}
    names |= {code: word(f"comparison.{code}") for code in (OUTSIDE, OTHER_DISTRICT, CLOSING)}
    corner = [word(f"comparison.{code}") for code in ("district_code", "district", "corner")]
    overall = {"district_code": "", "district_name": word("comparison.whole"), **told["matrix"]}
    for scope in (overall, *told["districts"]):
        place = [scope["district_code"], scope["district_name"]]
        yield [*corner, *(_title(row, names, lang) for row in scope["after"]), word("comparison.sum")]
        for before in scope["before"]:
            row = [_cell(scope, before, after) for after in scope["after"]]
            yield [*place, _title(before, names, lang), *row, hectares(before["area_m2"])]
        sums = [after["area_m2"] for after in scope["after"]]
        yield [*place, word("comparison.sum"), *map(hectares, [*sums, sum(sums)])]
        yield []


def _cell(scope: Mapping[str, Any], before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    wanted = (before["zone"], before["status"], after["zone"], after["status"])
    for cell in scope["cells"]:
        found = (cell["zone_before"], cell["status_before"], cell["zone_after"], cell["status_after"])
        if found == wanted:
            return hectares(cell["area_m2"])
    return ""


def hectares(area_m2: float) -> str:
    """Return an area of whole 0.01 m2 in hectares, exact: six decimals."""
    return f"{round(area_m2 * 100) / 1_000_000:.6f}"


def _title(row: Mapping[str, Any], names: Mapping[str, str], lang: str) -> str:
    pending = sentence("comparison.pending", {}, lang) if row["status"] == "pending" else ""
    return names.get(row["zone"], row["zone"]) + pending
