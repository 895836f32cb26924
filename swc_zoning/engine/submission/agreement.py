# SPDX-License-Identifier: GPL-2.0-or-later
"""Whether two copies of a layer say the same: record by record, polygons by the hashes of their edges.

Where a ring starts and which way it runs differs between formats, and is no difference.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from swc_zoning.engine.georef import METRES_PER_DEGREE
from swc_zoning.engine.submission.schemas import Field
from swc_zoning.engine.submission.sheets import Sheet

Rows = NDArray[np.int64]
Hashes = NDArray[np.uint64]

#: Degrees: the grid that coordinates are written on, and how far a copy may lie from it.
GRID, APART = 1e-10, 2e-10
_MIXERS = (np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))
#: Bytes below the width of a field at which text counts as cut: a sign of Chinese takes up to four.
_A_SIGN = 3
#: Polygons whose vertices are in memory at once.
_AT_ONCE = 10_000
#: Share of rows that may differ in tables whose rows are taken to be in one order.
_SHUFFLED = 0.2


@dataclass(frozen=True)
class Difference:
    """A record that differs: `row` in the one sheet, `other` in the other one, -1 where it has none.

    `field` "" is the whole record, "geometry" the polygon; `cut`: one value is the other cut to its field.
    """

    row: int
    other: int
    field: str
    cut: bool = False
    place: tuple[float, float] | None = None
    metres: float | None = None


def differences(one: Sheet, other: Sheet) -> Iterator[Difference]:
    """Yield where two sheets of one layer differ; columns that one of them lacks are left out."""
    rows, others, lone = _matched(one, other)
    yield from lone
    for field in one.layer.fields:
        if field.name in one.columns and field.name in other.columns:
            mine, theirs = one.columns[field.name][rows], other.columns[field.name][others]
            for at in np.flatnonzero(_unequal(field, mine, theirs)).tolist():
                cut = field.kind == "text" and is_cut(mine[at], theirs[at], field.length)
                yield Difference(int(rows[at]), int(others[at]), field.name, cut)
    if one.geometry is not None and other.geometry is not None:
        yield from _moved(one.geometry, other.geometry, rows, others)


def _matched(one: Sheet, other: Sheet) -> tuple[Rows, Rows, list[Difference]]:
    """Return matching rows of both sheets, and the records only one of them has."""
    if _identified(one) and _identified(other):
        return _by_identifier(one.columns["BSM"].tolist(), other.columns["BSM"].tolist())
    if len(one) == len(other) and _same_order(one, other):
        rows = np.arange(len(one))
        return rows, rows, []
    return _by_content(_keys(one), _keys(other))


def _identified(sheet: Sheet) -> bool:
    values = sheet.columns.get("BSM")
    return sheet.geometry is not None and values is not None and len(set(values.tolist())) == len(values)


def _by_identifier(mine: list[str], theirs: list[str]) -> tuple[Rows, Rows, list[Difference]]:
    at = {value: row for row, value in enumerate(theirs)}
    pairs = [(row, at[value]) for row, value in enumerate(mine) if value in at]
    known = set(mine)
    lone = [Difference(row, -1, "") for row, value in enumerate(mine) if value not in at]
    lone += [Difference(-1, row, "") for row, value in enumerate(theirs) if value not in known]
    matched = np.array(pairs, np.int64).reshape(-1, 2)
    return matched[:, 0], matched[:, 1], lone


def _same_order(one: Sheet, other: Sheet) -> bool:
    """Return whether most rows of two tables of one length are the same in their order."""
    differ = np.zeros(len(one), bool)
    for field in _exact(one, other):
        differ |= one.columns[field.name] != other.columns[field.name]
    return bool(differ.sum() <= _SHUFFLED * len(one))


def _exact(one: Sheet, other: Sheet) -> list[Field]:
    shared = [
        field for field in one.layer.fields if field.name in one.columns and field.name in other.columns
    ]
    return [field for field in shared if field.kind == "text"]


def _keys(sheet: Sheet) -> list[tuple[str, ...]]:
    texts = [
        field.name for field in sheet.layer.fields if field.kind == "text" and field.name in sheet.columns
    ]
    return list(zip(*(map(str, sheet.columns[name].tolist()) for name in texts)))


def _by_content(
    mine: list[tuple[str, ...]], theirs: list[tuple[str, ...]]
) -> tuple[Rows, Rows, list[Difference]]:
    """Match rows that have the same text, each once."""
    waiting: dict[tuple[str, ...], list[int]] = {}
    for row in range(len(theirs) - 1, -1, -1):
        waiting.setdefault(theirs[row], []).append(row)
    pairs, lone = [], []
    for row, key in enumerate(mine):
        if waiting.get(key):
            pairs.append((row, waiting[key].pop()))
        else:
            lone.append(Difference(row, -1, ""))
    lone += [Difference(-1, row, "") for rows in waiting.values() for row in rows]
    matched = np.array(pairs, np.int64).reshape(-1, 2)
    return matched[:, 0], matched[:, 1], lone


def _unequal(field: Field, mine: NDArray[Any], theirs: NDArray[Any]) -> NDArray[np.bool_]:
    if field.kind == "text":
        return np.asarray(mine != theirs, bool)
    apart = np.abs(mine.astype(float) - theirs.astype(float))
    lacking = np.isnan(mine.astype(float)) != np.isnan(theirs.astype(float))
    return (apart > 0.5 * 10.0**-field.decimals) | lacking


def is_cut(mine: str | None, theirs: str | None, length: int) -> bool:
    """Return whether the shorter of two texts is the longer one cut to a field of `length`."""
    short, long = sorted((mine or "", theirs or ""), key=len)
    return short != long and bool(short) and long.startswith(short) and fills(short, length)


def fills(text: str, length: int) -> bool:
    """Return whether a text takes all of a field of `length`, counted in signs or in bytes."""
    sizes = (len(text), len(text.encode("gb18030", "replace")), len(text.encode("utf-8", "replace")))
    room = min(length, 254)
    return sizes[0] >= length or any(room - _A_SIGN <= size <= room for size in sizes[1:])


# --- polygons --------------------------------------------------------------------------------------


def _moved(one: NDArray[Any], other: NDArray[Any], rows: Rows, others: Rows) -> Iterator[Difference]:
    differ = np.flatnonzero(fingerprints(one)[rows] != fingerprints(other)[others])
    for at in differ.tolist():
        mine, theirs = one[rows[at]], other[others[at]]
        if mine is None or theirs is None:
            if mine is not theirs:
                yield Difference(int(rows[at]), int(others[at]), "geometry")
        elif not shapely.equals_exact(shapely.normalize(mine), shapely.normalize(theirs), APART):
            place, metres = _apart(mine, theirs)
            yield Difference(int(rows[at]), int(others[at]), "geometry", place=place, metres=metres)


def _apart(mine: Any, theirs: Any) -> tuple[tuple[float, float] | None, float]:
    """Return the vertex where two polygons differ most, and by how much in metres (about)."""
    points, known = shapely.get_coordinates(mine), shapely.get_coordinates(theirs)
    if not len(points) or not len(known):
        return None, float("nan")
    scale = np.array([np.cos(np.radians(points[0, 1])), 1.0]) * METRES_PER_DEGREE
    ways = [(points, theirs), (known, mine)]
    farthest: list[tuple[float, tuple[float, float]]] = []
    for ends, polygon in ways:
        boundary = shapely.transform(polygon, lambda part: part * scale).boundary
        away = shapely.distance(shapely.points(ends * scale), boundary)
        at = int(np.argmax(away))
        farthest.append((float(away[at]), (float(ends[at, 0]), float(ends[at, 1]))))
    metres, place = max(farthest)
    return place, metres


def fingerprints(geometry: NDArray[Any]) -> Hashes:
    """Return a 64-bit hash of each polygon: of its edges on the grid, wherever its rings start; None is 0."""
    made = [_hashes(geometry[start : start + _AT_ONCE]) for start in range(0, len(geometry), _AT_ONCE)]
    return np.concatenate([np.empty(0, np.uint64), *made])


def _hashes(geometry: NDArray[Any]) -> Hashes:
    parts, owner = shapely.get_parts(geometry, return_index=True)
    polygons = shapely.get_type_id(parts) == 3
    rings, part_of = shapely.get_rings(parts[polygons], return_index=True)
    points, ring_of = shapely.get_coordinates(rings, return_index=True)
    whole = np.rint(points / GRID).astype(np.int64).view(np.uint64)
    vertices = _mixed(whole[:, 0] + _mixed(whole[:, 1]))
    start = np.flatnonzero(ring_of[1:] == ring_of[:-1])
    edges = _mixed(vertices[start] + vertices[start + 1])
    of = owner[polygons][part_of][ring_of[start]]
    ends = np.cumsum(np.bincount(of, minlength=len(geometry)))
    sums = np.concatenate([np.zeros(1, np.uint64), np.cumsum(edges, dtype=np.uint64)])
    return sums[ends] - sums[np.concatenate([[0], ends[:-1]])]


def _mixed(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return values well mixed: the finaliser of SplitMix64."""
    mixed = values + _MIXERS[0]
    mixed = (mixed ^ (mixed >> np.uint64(30))) * _MIXERS[1]
    mixed = (mixed ^ (mixed >> np.uint64(27))) * _MIXERS[2]
    return mixed ^ (mixed >> np.uint64(31))


def layer_hash(geometry: NDArray[Any]) -> str:
    """Return 16 hexadecimal digits that say the same polygons again, in whatever order and format."""
    with np.errstate(over="ignore"):
        total = np.sum(_mixed(fingerprints(geometry)), dtype=np.uint64)
    return f"{int(total):016x}"
