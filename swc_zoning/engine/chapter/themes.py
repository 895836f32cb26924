# SPDX-License-Identifier: GPL-2.0-or-later
"""What map sheets draw, made once from a result: patches of zones, features, districts, proposals.

Pieces are too fine for a map: neighbours that look alike are joined to patches, each with the closed area
of its pieces, so that whatever a sheet says of patches adds up to what the result says.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from swc_zoning.engine import derived, formats, written
from swc_zoning.engine.chapter.plans import (
    BORDERS,
    DISTRICT_NAMES,
    DISTRICTS,
    FEATURES,
    MEASURES,
    NAMES,
    OUTLINES,
    PROPOSALS,
    SEA,
    ZONES,
    lettered,
    roles_named,
    roles_over,
    roles_shown,
)
from swc_zoning.engine.grid import Ints
from swc_zoning.engine.layers import Layer, text_column, whole
from swc_zoning.engine.progress import Progress
from swc_zoning.engine.result import ZONING
from swc_zoning.engine.rules import RuleTable
from swc_zoning.engine.submission import proposals
from swc_zoning.engine.submission.order import Order
from swc_zoning.engine.submission.proposals import Proposal

#: Shades of the map of districts, so that neighbours differ.
SHADES = 6
_COLUMNS = ("district_code", "district_name", "land", "zone", "status", "measures", "conflicts")
_KINDS = ("prohibit", "restrict", "approve", "require")


@dataclass(frozen=True)
class Patches:
    """Single polygons (metres of the working CRS), each with its `key` and the area of its pieces in m2.

    `piece` is the id of its largest piece: the same place has the same one in every run.
    """

    polygons: NDArray[Any]
    key: Ints
    area_m2: NDArray[np.float64]
    piece: NDArray[Any]


def write(result: Path, target: Path, progress: Progress | None = None, order: Order | None = None) -> Path:
    """Write the layers of map sheets of the result in the folder `result` into the GeoPackage `target`.

    `order` says how patches proposed for the red line are screened, as in the submission.

    Raises what `written.read` raises, and SwcError ``result.not_as_written``.
    """
    progress = progress or Progress()
    with progress.step("reading", 0.15):
        made = written.read(result, _COLUMNS)
        polygons = made.polygons(np.arange(len(made)))
    with progress.step("dissolving", 0.6):
        layers = list(_layers(made, polygons, progress, order))
    with progress.step("writing", 0.15):
        target.unlink(missing_ok=True)
        derived.write_layers(target, layers, made.summary["crs"])
    return target


def _layers(
    made: written.Written, polygons: NDArray[Any], progress: Progress, order: Order | None
) -> Iterator[Layer]:
    table = written.table_of(made.folder, made.summary)
    makers = (_zones, _sea, _measures, _features, _outlines, _names)
    for number, make in enumerate(makers):
        yield make(made, polygons, table)
        progress.advance((number + 1) / (len(makers) + 1))
    yield _proposals(made, polygons, _screened(made, table, order))
    keys, number = _numbered([made.columns["district_code"], made.columns["district_name"]])
    shapes = np.array([_union(polygons[number == one]) for one in range(len(keys))], object)
    yield _districts(made, keys, number, shapes)
    yield _borders(shapes)
    yield _district_names(made, polygons, keys, number)


def _screened(made: written.Written, table: RuleTable | None, order: Order | None) -> list[Proposal]:
    """Return the candidates for the red line; none without the decision table that says what they are."""
    absences = (
        set() if table is None else {code for code, row in table.conflicts.items() if row.get("absence")}
    )
    said = set(made.columns["conflicts"].tolist())
    if not any(absences & set((text or "").split(";")) for text in said):
        return []
    return proposals.of_result(made.folder, order)


# --- patches ---------------------------------------------------------------------------------------


def patches(made: written.Written, polygons: NDArray[Any], rows: Ints, key: Ints) -> Patches:
    """Join pieces of equal keys where they share edges.

    rows int[n]: numbers of pieces, one may come several times; key int[n] 0 and up. In the order of keys.
    """
    order = np.argsort(key, kind="stable")
    rows, key = rows[order], key[order]
    if not len(rows):
        none = np.empty(0, object)
        return Patches(none, np.empty(0, np.int64), np.empty(0), none)
    starts = np.flatnonzero(np.diff(key, prepend=-1))
    shapes = [_union(polygons[part]) for part in np.split(rows, starts[1:])]
    parts, owner = shapely.get_parts(np.array(shapes, object), return_index=True)
    return _measured(made, polygons, (rows, key), (parts, key[starts][owner]))


def _union(polygons: NDArray[Any]) -> Any:
    """Return the union of polygons of the partition: they share edges, and overlap nowhere."""
    if len(polygons) == 1:
        return polygons[0]
    try:
        return shapely.coverage_union_all(polygons)
    except shapely.errors.GEOSException:
        return shapely.union_all(polygons)


def _measured(
    made: written.Written, polygons: NDArray[Any], pieces: tuple[Ints, Ints], drawn: tuple[NDArray[Any], Ints]
) -> Patches:
    """Give each patch the area of the pieces of its key that lie in it, and the id of the largest."""
    rows, key = pieces
    parts, part_key = drawn
    inner = shapely.point_on_surface(polygons[rows])
    # This way round: what is asked for, here the large shapes, is prepared for many answers.
    part, point = shapely.STRtree(inner).query(parts, "intersects")
    own = part_key[part] == key[point]
    point, part = point[own], part[own]
    centi = made.area_centi[rows[point]]
    sums = np.bincount(part, centi, minlength=len(parts)).astype(np.int64)
    # The last of equal indices wins: the largest piece.
    by_size = np.argsort(centi, kind="stable")
    largest = np.zeros(len(parts), np.int64)
    largest[part[by_size]] = rows[point[by_size]]
    return Patches(parts, part_key, sums / 100, made.columns["piece_id"][largest])


def _numbered(columns: Sequence[NDArray[Any]]) -> tuple[list[tuple[Any, ...]], Ints]:
    """Return the distinct rows of columns, in order of their first, and the number of each row's."""
    known: dict[tuple[Any, ...], int] = {}
    rows = zip(*(column.tolist() for column in columns))
    number = [known.setdefault(row, len(known)) for row in rows]
    return list(known), np.array(number, np.int64)


def _layer(name: str, made: Patches, rows: Sequence[Mapping[str, Any]]) -> Layer:
    """Return patches as a layer; `rows` are the columns of each key."""
    names = list(rows[0]) if rows else ["district_code"]
    columns: dict[str, Any] = {
        column: text_column([rows[key][column] for key in made.key.tolist()]) for column in names
    }
    columns |= {"piece_id": text_column(made.piece.tolist()), "area_m2": made.area_m2}
    return whole(name, "Polygon", shapely.to_wkb(made.polygons), columns)


def _all(made: written.Written) -> Ints:
    return np.arange(len(made))


# --- layers ----------------------------------------------------------------------------------------


def _zones(made: written.Written, polygons: NDArray[Any], table: RuleTable | None) -> Layer:
    """Return the patches of zones; `look` is the zone, of the last one ":sea" where it lies in the sea."""
    last = made.summary["by_zone"][-1]["zone"] if table is None else list(table.zones)[-1]
    at_sea = (made.columns["zone"] == last) & (made.columns["land"] == 0)
    look = np.where(at_sea, f"{last}:sea", made.columns["zone"]).astype(object)
    names = ("district_code", "district_name", "zone", "status")
    keys, number = _numbered([*(made.columns[name] for name in names), look])
    rows = [dict(zip((*names, "look"), key)) for key in keys]
    return _layer(ZONES, patches(made, polygons, _all(made), number), rows)


def _sea(made: written.Written, polygons: NDArray[Any], table: RuleTable | None) -> Layer:
    """Return the sea of each district; none where no land mask was given."""
    rows = np.flatnonzero(made.columns["land"] == 0)
    keys, number = _numbered([made.columns["district_code"][rows]])
    told = [{"district_code": key[0]} for key in keys]
    return _layer(SEA, patches(made, polygons, rows, number), told)


def _measures(made: written.Written, polygons: NDArray[Any], table: RuleTable | None) -> Layer:
    """Return patches by what their zone is for and the strictest kind of their measures.

    `look` is "orientation:kind"; without the decision table there is nothing to tell it by.
    """
    if table is None:
        return _layer(MEASURES, patches(made, polygons, np.empty(0, np.int64), np.empty(0, np.int64)), [])
    names = ("district_code", "district_name", "zone", "measures")
    keys, number = _numbered([made.columns[name] for name in names])
    looks = [(*key[:2], _look(table, key[2], key[3] or "")) for key in keys]
    known = list(dict.fromkeys(looks))
    number = np.array([known.index(look) for look in looks], np.int64)[number]
    rows = [{"district_code": one[0], "district_name": one[1], "look": one[2]} for one in known]
    return _layer(MEASURES, patches(made, polygons, _all(made), number), rows)


def _look(table: RuleTable, zone: str, measures: str) -> str:
    kinds = {table.measures[code]["kind"] for code in measures.split(";") if code in table.measures}
    strictest = next((kind for kind in _KINDS if kind in kinds), "none")
    return f"{table.zones[zone]['orientation']}:{strictest}"


def _proposals(made: written.Written, polygons: NDArray[Any], found: Sequence[Proposal]) -> Layer:
    """Return the patches proposed for the red line, as screened; `look` is the kind that makes them one."""
    place = {piece: row for row, piece in enumerate(made.columns["piece_id"].tolist())}
    proposed = [one for one in found if one.proposed]
    rows = [place[piece] for one in proposed for piece in sorted(one.kept)]
    number = [count for count, one in enumerate(proposed) for _ in one.kept]
    told = [
        {"district_code": one.district_code, "district_name": one.district_name, "look": one.kind}
        for one in proposed
    ]
    drawn = patches(made, polygons, np.array(rows, np.int64), np.array(number, np.int64))
    return _layer(PROPOSALS, drawn, told)


def _features(made: written.Written, polygons: NDArray[Any], table: RuleTable | None) -> Layer:
    """Return the patches of the source features of the roles that sheets show."""
    names = ("role", "layer", "source_id", "name", "tier")
    rows, keys, number = _sourced(made, names, roles_shown())
    told = [{name: value or "" for name, value in zip(names, key)} for key in keys]
    return _layer(FEATURES, patches(made, polygons, rows, number), told)


def _outlines(made: written.Written, polygons: NDArray[Any], table: RuleTable | None) -> Layer:
    """Return the ground of whole roles, for those that a sheet draws as lines."""
    rows, keys, number = _sourced(made, ("role",), roles_over())
    told = [{"role": key[0], "tier": ""} for key in keys]
    return _layer(OUTLINES, patches(made, polygons, rows, number), told)


def _names(made: written.Written, polygons: NDArray[Any], table: RuleTable | None) -> Layer:
    """Return where the names of a role that sheets name go; what has one name there has one place."""
    rows, keys, number = _sourced(made, ("role", "name"), roles_named())
    drawn = [one for one in range(len(keys)) if keys[one][1]]
    shapes = [_union(polygons[rows[number == one]]) for one in drawn]
    columns = {
        "role": text_column([keys[one][0] for one in drawn]),
        "name": text_column([keys[one][1] for one in drawn]),
        "area_m2": np.array([made.area_centi[rows[number == one]].sum() for one in drawn], float) / 100,
    }
    return _places(NAMES, shapes, columns)


def _places(name: str, shapes: Sequence[Any], columns: dict[str, Any]) -> Layer:
    """Return the centres of the largest circles in shapes, with their `radius` in metres."""
    circles = [_circle(shape) for shape in shapes]
    points = np.array([shapely.get_point(circle, 0) for circle in circles], object)
    columns |= _lettered(columns["name" if name == NAMES else "district_name"].tolist())
    columns["radius"] = np.array([circle.length for circle in circles], float)
    return whole(name, "Point", shapely.to_wkb(points), columns)


def _lettered(names: Sequence[str]) -> dict[str, Any]:
    made = [lettered(name) for name in names]
    return {
        "label": text_column([one.label for one in made]),
        "ems": np.array([one.ems for one in made], float),
        "lines": np.array([one.lines for one in made], np.int32),
    }


def _circle(shape: Any) -> Any:
    """Return a line from the centre of the largest circle in the largest part of a shape to its edge."""
    parts = shapely.get_parts(shape)
    largest = parts[int(np.argmax(shapely.area(parts)))]
    return shapely.maximum_inscribed_circle(largest, tolerance=max(np.sqrt(largest.area) / 100, 1e-3))


def _district_names(
    made: written.Written, polygons: NDArray[Any], keys: Sequence[tuple[Any, ...]], number: Ints
) -> Layer:
    """Return where the names of districts go: on land where there is some."""
    land = made.columns["land"] == 1
    own = [np.flatnonzero(number == one) for one in range(len(keys))]
    shapes = [_union(polygons[rows[land[rows]] if land[rows].any() else rows]) for rows in own]
    columns = {
        "district_code": text_column([code or "" for code, _ in keys]),
        "district_name": text_column([name or "" for _, name in keys]),
    }
    return _places(DISTRICT_NAMES, shapes, columns)


def _sourced(
    made: written.Written, names: Sequence[str], roles: set[str]
) -> tuple[Ints, list[tuple[Any, ...]], Ints]:
    """Return pieces under features of `roles`, the distinct `names` of these, and which each piece has.

    A piece comes once for each of them.
    """
    parts = list(formats.read_columns(made.folder / ZONING, "piece_sources", ("piece_id", "role", *names)))
    columns = {name: np.concatenate([part[name] for part in parts]) for name in ("piece_id", "role", *names)}
    shown = np.flatnonzero(np.isin(columns["role"].astype(str), sorted(roles)))
    place = {piece: row for row, piece in enumerate(made.columns["piece_id"].tolist())}
    rows = np.array([place[piece] for piece in columns["piece_id"][shown].tolist()], np.int64)
    keys, number = _numbered([columns[name][shown] for name in names])
    once = np.unique(np.stack([number, rows]), axis=1) if len(rows) else np.empty((2, 0), np.int64)
    return once[1], keys, once[0]


def _districts(
    made: written.Written, keys: Sequence[tuple[Any, ...]], number: Ints, shapes: NDArray[Any]
) -> Layer:
    """Return the districts, each one multipolygon, with a shade that no neighbour has."""
    columns = {
        "district_code": text_column([code or "" for code, _ in keys]),
        "district_name": text_column([name or "" for _, name in keys]),
        **_lettered([name or "" for _, name in keys]),
        "shade": np.array(_shades(shapes), np.int32),
        "area_m2": np.bincount(number, made.area_centi, minlength=len(keys)).astype(np.int64) / 100,
    }
    multi = np.array([shapely.multipolygons(shapely.get_parts(shape)) for shape in shapes], object)
    return whole(DISTRICTS, "MultiPolygon", shapely.to_wkb(multi), columns)


def _borders(shapes: NDArray[Any]) -> Layer:
    """Return the boundaries of districts, each line once: those between two ("inner") and the rest."""
    outer = shapely.boundary(_union(shapes))
    inner = shapely.difference(shapely.union_all(shapely.boundary(shapes)), outer)
    kinds = [(kind, lines) for kind, lines in (("outer", outer), ("inner", inner)) if not lines.is_empty]
    parts = [shapely.get_parts(shapely.line_merge(lines)) for _, lines in kinds]
    # What only touches at a point is no boundary.
    drawn = [shapely.multilinestrings(one[shapely.get_type_id(one) == 1]) for one in parts]
    columns = {"kind": text_column([kind for kind, _ in kinds])}
    return whole(BORDERS, "MultiLineString", shapely.to_wkb(np.array(drawn, object)), columns)


def _shades(shapes: NDArray[Any]) -> list[int]:
    """Return a shade for each district: the least used one that no neighbour has."""
    near = [set() for _ in shapes]
    for one, other in zip(*shapely.STRtree(shapes).query(shapes, "intersects").tolist()):
        if one != other:
            near[one].add(other)
    given: dict[int, int] = {}
    for one in sorted(range(len(shapes)), key=lambda number: -len(near[number])):
        taken = [given[other] for other in near[one] if other in given]
        used = list(given.values())
        given[one] = min(range(SHADES), key=lambda shade: (taken.count(shade), used.count(shade), shade))
    return [given[number] for number in range(len(shapes))]
