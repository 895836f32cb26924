# SPDX-License-Identifier: GPL-2.0-or-later
"""Verdicts on slivers, remembered by place from run to run: keep or merge, why, by whom, when.

Contract: ``resources/schemas/slivers.schema.json``. A verdict is about the sliver that holds its
place, however layers, features and pieces are numbered in a later run.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from swc_zoning.engine import formats
from swc_zoning.engine.grid import Floats, Ints, to_metres, to_units
from swc_zoning.engine.job import JobError
from swc_zoning.engine.messages import Finding, SwcError
from swc_zoning.engine.schema import check_document

SCHEMA = 1
KEEP, MERGE = "keep", "merge"
#: A verdict is of the sliver that holds its place or comes within this of it (m): lines that are drawn
#: anew move by more, and the grid by less.
NEAR_M = 0.01
#: It is of that sliver still if the area is at most so many times larger or smaller than it was.
SIZE_FACTOR = 2.0


@dataclass(frozen=True)
class Verdict:
    """What was decided of one sliver: `place` (east, north) m, `area_m2` and `members` as they were then.

    `members` are the tiers by known role, None where the verdict does not say.
    """

    place: tuple[float, float]
    area_m2: float
    decision: str
    members: Mapping[str, Sequence[str]] | None = None
    reason: str = ""
    who: str = ""
    date: str = ""


@dataclass(frozen=True)
class Verdicts:
    """The verdicts of a file; those still open (decision null) are left out. `sha256` is the file's."""

    rows: tuple[Verdict, ...] = ()
    path: str = ""
    sha256: str = ""


@dataclass(frozen=True)
class Match:
    """For each sliver the number of its verdict or -1; numbers of verdicts that are of none, and of
    those that another one on the same sliver overrules."""

    of_sliver: Ints
    unmatched: Ints
    overruled: Ints


def load(path: str, crs: str) -> Verdicts:
    """Return the verdicts of a file; `crs` is the working CRS of the run, in which places must be.

    Raises JobError with what is wrong with the document, SwcError ``slivers.unreadable`` and
    ``slivers.other_crs``.
    """
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
        document = json.loads(text, parse_constant=_no_constant)
    except (OSError, ValueError) as error:
        raise SwcError("slivers.unreadable", path=path, reason=str(error)) from error
    findings = check_document(document, "slivers")
    if findings:
        raise JobError(findings)
    if document["crs"] != crs:
        raise SwcError("slivers.other_crs", path=path, found=document["crs"], wanted=crs)
    rows = tuple(_verdict(row) for row in document["decisions"] if row["decision"] is not None)
    return Verdicts(rows, path, formats.source_sha256(path))


def _no_constant(value: str) -> Any:
    raise ValueError(f"{value} is no number of JSON")


def _verdict(row: Mapping[str, Any]) -> Verdict:
    said = {key: row[key] for key in ("members", "reason", "who", "date") if row.get(key) is not None}
    east, north = row["place"]
    return Verdict((float(east), float(north)), float(row["area_m2"]), row["decision"], **said)


def match(rows: Sequence[Verdict], polygons: NDArray[Any], area_m2: Floats) -> Match:
    """Return which verdict is of which sliver; polygons and areas of slivers (n,).

    The sliver that holds the place, else the nearest within `NEAR_M`, of areas that fit; of several
    verdicts on one sliver the one to keep counts, then the latest.
    """
    of_sliver = np.full(len(polygons), -1, np.int64)
    if not rows or len(polygons) == 0:
        return Match(of_sliver, np.arange(len(rows)), np.empty(0, np.int64))
    points = shapely.points(np.array([row.place for row in rows]))
    number, sliver = shapely.STRtree(polygons).query(points, predicate="dwithin", distance=NEAR_M)
    ratio = np.abs(np.log2(area_m2[sliver] / np.array([row.area_m2 for row in rows])[number]))
    fits = ratio <= np.log2(SIZE_FACTOR)
    number, sliver, ratio = number[fits], sliver[fits], ratio[fits]
    away = shapely.distance(points[number], polygons[sliver])
    order = np.lexsort((sliver, ratio, away, number))
    number, sliver = number[order], sliver[order]
    first = np.diff(number, prepend=-1) != 0
    number, sliver = number[first], sliver[first]
    date = np.array([row.date for row in rows])
    keep = np.array([row.decision == KEEP for row in rows])
    # The last one written onto a sliver stays.
    order = np.lexsort((number, date[number], keep[number]))
    of_sliver[sliver[order]] = number[order]
    unmatched = np.setdiff1d(np.arange(len(rows)), number)
    return Match(of_sliver, unmatched, np.setdiff1d(number, of_sliver))


def places(polygons: NDArray[Any]) -> Floats:
    """Return the representative point of each polygon on the grid (n, 2), metres."""
    points = shapely.point_on_surface(polygons)
    return to_metres(to_units(np.column_stack([shapely.get_x(points), shapely.get_y(points)])))


def of_result(folder: str | Path) -> dict[str, Any]:
    """Return the document of verdicts for the slivers of a result, to be filled in and given to a job.

    Verdicts the run knew are in it; the others are open (decision null). Raises SwcError
    ``slivers.no_result`` where the folder holds no result with slivers.
    """
    path = Path(folder)
    try:
        crs = json.loads((path / "summary.json").read_text(encoding="utf-8"))["crs"]
        table = formats.read_back(path / "zoning.gpkg", "slivers")
    except (OSError, ValueError, KeyError, SwcError) as error:
        raise SwcError("slivers.no_result", path=str(path)) from error
    names = ("east", "north", "area_m2", "width_m", "lines", "advice", "members", "decision", *_SAID)
    rows = zip(*(table.columns[name].tolist() for name in names))
    return {
        "schema": SCHEMA,
        "crs": crs,
        "near_m": NEAR_M,
        "size_factor": SIZE_FACTOR,
        "decisions": list(_rows(names, rows)),
    }


_SAID = ("reason", "who", "date")


def _rows(names: Sequence[str], rows: Iterator[tuple[Any, ...]]) -> Iterator[dict[str, Any]]:
    for values in rows:
        row = dict(zip(names, values))
        place = [row.pop("east"), row.pop("north")]
        members = json.loads(row.pop("members"))
        said = {key: row.pop(key) or "" for key in _SAID}
        yield {"place": place, **row, "members": members, "decision": row.pop("decision") or None, **said}


def outdated(verdict: Verdict, members: Mapping[str, Sequence[str]]) -> bool:
    """Return whether the sliver's `members` are no longer those the verdict was made for."""
    return verdict.members is not None and dict(verdict.members) != dict(members)


def told(code: str, rows: Sequence[Verdict], numbers: Ints) -> Iterator[Finding]:
    """Yield one finding for all verdicts of these numbers, at the largest of them."""
    if len(numbers):
        worst = max(numbers.tolist(), key=lambda number: (rows[number].area_m2, rows[number].place))
        area = sum(rows[number].area_m2 for number in sorted(numbers.tolist()))
        facts = {"count": len(numbers), "area_m2": round(area, 4), "near_m": NEAR_M, "factor": SIZE_FACTOR}
        yield Finding(code, facts, place=rows[worst].place, measure_m2=area)
