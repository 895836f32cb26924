# SPDX-License-Identifier: GPL-2.0-or-later
"""What the rooms of the submission draw on: a result read once, told apart by what repeats in it.

Pieces keep the order of the result, which is that of district and place. Source features and decisions are
sorted by what they are, so nothing depends on the order of the inputs.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import CRS, Transformer

from swc_zoning.engine import formats, written
from swc_zoning.engine.evaluation import records
from swc_zoning.engine.georef import Move
from swc_zoning.engine.grid import Ints
from swc_zoning.engine.messages import Finding, SwcError
from swc_zoning.engine.result import ZONING
from swc_zoning.engine.rules import RuleTable
from swc_zoning.engine.submission import lonlat
from swc_zoning.engine.submission.order import Order, named
from swc_zoning.engine.submission.schemas import DBF_TEXT, Layer, Schema
from swc_zoning.engine.submission.sheets import Sheet, fitted, objects

Texts = NDArray[Any]

_DECIDED = ("zone", "status", "decisive", "measures", "conflicts", "members")
_PIECES = ("district_code", "district_name", "land", *_DECIDED, "ellipsoidal_m2", "area_m2")
_SOURCES = ("input", "role", "layer", "source_id", "name", "tier")
_CODE = re.compile(r"\d{6}")
#: Digits of the longest code of a district or what is below it.
_LONGEST_CODE = 12


@dataclass(frozen=True)
class Decision:
    """What the decision table says of some pieces, and what they lie in (role -> tiers)."""

    zone: str
    status: str
    decisive: tuple[str, ...]
    measures: tuple[str, ...]
    conflicts: tuple[str, ...]
    members: Mapping[str, Sequence[str]]

    @classmethod
    def of(cls, texts: Sequence[str | None]) -> Decision:
        """Return the decision that the texts of a result tell, in the order of its columns."""
        zone, status, *lists, members = (text or "" for text in texts)
        decisive, measures, conflicts = (tuple(filter(None, text.split(";"))) for text in lists)
        return cls(zone, status, decisive, measures, conflicts, json.loads(members or "{}"))


@dataclass(frozen=True)
class Feature:
    """A feature of an input layer; `input` is the number of the layer."""

    input: int
    role: str
    layer: str
    source_id: str
    name: str
    tier: str

    @property
    def key(self) -> tuple[str, ...]:
        """Return what the feature is known by, whatever the order of the layers."""
        return self.role, self.layer, self.source_id, self.tier, self.name


@dataclass(frozen=True)
class District:
    """A district; `code` as its layer has it, `head` the six digits that identifiers start with."""

    code: str
    name: str
    head: str
    control_m2: float
    factor: float


@dataclass(frozen=True)
class Material:
    """A result and an order. Of n pieces: `piece_id`, `district`, `decision` (numbers), `land` (1, 0, -1).

    Areas are m2, `area_centi` the closed ones in 0.01 m2; `plane` are polygons in metres of the working
    CRS, `degrees` in longitude and latitude; `move` takes points from the former to the latter. Rows
    (`row_piece`, `row_feature`), sorted, say what lies where; `evaluated`: what an evaluation says of
    a feature, by the number of its layer and its id.
    """

    summary: Mapping[str, Any]
    order: Order
    schema: Schema
    table: RuleTable
    folder: Path
    piece_id: list[str]
    districts: list[District]
    district: Ints
    decisions: list[Decision]
    decision: Ints
    land: Ints
    area_centi: Ints
    ellipsoidal_m2: NDArray[np.float64]
    plane: NDArray[Any]
    degrees: NDArray[Any]
    features: list[Feature]
    row_piece: Ints
    row_feature: Ints
    findings: list[Finding]
    move: Callable[[NDArray[np.float64]], NDArray[np.float64]]
    evaluated: Mapping[tuple[int, str], Mapping[str, Any]]

    def __len__(self) -> int:
        return len(self.piece_id)

    @cached_property
    def supplied(self) -> frozenset[str]:
        """Return the roles that a layer with features plays."""
        rows = self.summary["inputs"]
        return frozenset(row["role"] for row in rows if row["used"] > 0 and not row["extent"])

    def of_decisions(self, values: Iterable[Any]) -> Texts:
        """Return a value for each piece from one for each decision."""
        return texts(values)[self.decision]

    def of_districts(self, values: Iterable[Any]) -> Texts:
        """Return a value for each piece from one for each district."""
        return texts(values)[self.district]

    def with_role(self, roles: Iterable[str]) -> tuple[Ints, Ints]:
        """Return the rows (piece, feature) of the features that play one of `roles`."""
        wanted = set(roles)
        chosen = np.array([feature.role in wanted for feature in self.features], bool)
        keep = chosen[self.row_feature] if len(self.row_feature) else np.empty(0, bool)
        return self.row_piece[keep], self.row_feature[keep]

    def area_m2(self, pieces: Ints) -> float:
        """Return the closed area of distinct pieces."""
        return int(self.area_centi[pieces].sum()) / 100


def read(result: Path, order: Order, schema: Schema, given: Path | None = None) -> Material:
    """Return the result in the folder `result` with what an order needs of it.

    Raises what `written.read` and `order.named` raise, and SwcError ``contents.no_table`` where the
    decision table of the result is not to be had.
    """
    found = written.read(result, _PIECES)
    table = written.table_of(result, found.summary, given)
    if table is None:
        raise SwcError("contents.no_table", path=result.name)
    order = named(order, schema, [row["district_code"] for row in found.summary["by_district"]])
    piece_id = _strings(found.columns["piece_id"])
    decision, decided = coded(zip(*(found.columns[name].tolist() for name in _DECIDED)), len(found))
    features, piece, feature = _sources(result, piece_id)
    plane = found.polygons(np.arange(len(found)))
    move = _way(found.summary["crs"], plane)
    degrees, unfit = lonlat.moved(plane, move)
    return Material(
        found.summary,
        order,
        schema,
        table,
        result,
        piece_id,
        *_districts(found, order),
        [Decision.of(row) for row in decided],
        decision,
        _land(found.columns["land"]),
        found.area_centi,
        np.maximum(found.columns["ellipsoidal_m2"].astype(float), 0.0),
        plane,
        degrees,
        features,
        piece,
        feature,
        [*_odd_codes(found), *([Finding("contents.unfit_shapes", {"count": unfit})] if unfit else [])],
        move,
        _evaluated(result, found.summary),
    )


def _evaluated(result: Path, summary: Mapping[str, Any]) -> dict[tuple[int, str], dict[str, Any]]:
    """Return what evaluations say of source features, by input and source id; {} where there are none."""
    if not records.of_result(summary):
        return {}
    names = ("input", "source_id", *records.SAID, *records.MEASURED)
    parts = formats.read_columns(result / ZONING, records.EVALUATED, names)
    rows = (dict(zip(names, row)) for part in parts for row in zip(*(part[one].tolist() for one in names)))
    return {(int(row["input"]), row["source_id"] or ""): row for row in rows}


def _way(work_crs: str, plane: NDArray[Any]) -> Move:
    """Return the operation that takes metres of the working CRS to longitude and latitude of CGCS2000.

    Raises SwcError ``contents.no_way`` where there is none.
    """
    source, target = CRS.from_user_input(work_crs), CRS.from_epsg(4490)
    to_own = Transformer.from_crs(source, source.geodetic_crs, always_xy=True)
    around = shapely.total_bounds(plane) if len(plane) else (500_000.0, 3_000_000.0, 500_001.0, 3_000_001.0)
    move = Move(source, target, to_own.transform_bounds(*around))
    if not move.possible:
        raise SwcError("contents.no_way", crs=work_crs)
    return move


def coded(values: Iterable[Any], count: int) -> tuple[Ints, list[Any]]:
    """Return the number of each of `count` values among the distinct ones, and these, sorted."""
    number: dict[Any, int] = {}
    codes = np.fromiter((number.setdefault(value, len(number)) for value in values), np.int64, count)
    return _ranked(codes, list(number), key=lambda value: json.dumps(value, ensure_ascii=False))


def _ranked(codes: Ints, values: list[Any], key: Any) -> tuple[Ints, list[Any]]:
    order = sorted(range(len(values)), key=lambda number: key(values[number]))
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    return rank[codes], [values[number] for number in order]


def texts(values: Iterable[Any]) -> Texts:
    """Return a column of text or None, empty text as None."""
    return objects([value or None for value in values])


def sheet(
    layer: Layer, count: int, columns: Mapping[str, NDArray[Any]], geometry: NDArray[Any] | None = None
) -> Sheet:
    """Return a sheet of `count` rows in the order of the schema; fields that `columns` lacks are empty."""
    filled = {
        field.name: columns[field.name] if field.name in columns else _empty(field.kind, count)
        for field in layer.fields
    }
    for field in layer.fields:
        if field.kind == "real":
            filled[field.name] = np.round(filled[field.name].astype(np.float64), field.decimals)
    further = {name: values for name, values in columns.items() if name not in filled}
    return Sheet(layer, {**filled, **further}, geometry)


def _empty(kind: str, count: int) -> NDArray[Any]:
    made = {"integer": lambda: np.zeros(count, np.int64), "real": lambda: np.full(count, np.nan)}
    return made[kind]() if kind in made else np.full(count, None, object)


def _strings(values: NDArray[Any]) -> list[str]:
    return [value.decode("ascii") if isinstance(value, bytes) else value for value in values.tolist()]


def _land(values: NDArray[Any]) -> Ints:
    """Return 1 on land, 0 at sea, -1 where no layer tells."""
    known = [-1 if value is None or value != value else int(value) for value in values.tolist()]
    return np.array(known, np.int64)


def _districts(found: written.Written, order: Order) -> tuple[list[District], Ints]:
    """Return the districts by code, and the number of each piece's."""
    codes = (code or "" for code in found.columns["district_code"].tolist())
    number, listed = coded(codes, len(found))
    rows = {row["district_code"]: row for row in found.summary["by_district"]}
    factors = {row["district_code"]: row["factor"] for row in found.summary["adjustments"]}
    made = [_district(code, rows.get(code, {}), factors.get(code, 1.0), order) for code in listed]
    return made, number


def _odd_codes(found: written.Written) -> Iterator[Finding]:
    """Yield the districts whose code is none of GB/T 2260: their identifiers start with that of the city."""
    codes = [row["district_code"] for row in found.summary["by_district"] if row["district_code"]]
    odd = [code for code in codes if not (code.isdecimal() and 6 <= len(code) <= _LONGEST_CODE)]
    if odd:
        yield Finding("contents.district_codes", {"codes": ", ".join(odd[:10]), "count": len(odd)})


def _district(code: str, row: Mapping[str, Any], factor: float, order: Order) -> District:
    # Without an extent there is one district without a code: the city.
    begun = _CODE.match(code)
    names = (code or order.code, row.get("district_name") or (code or order.name))
    return District(*names, begun.group() if begun else order.code, row.get("control_m2", 0.0), factor)


def _sources(result: Path, piece_id: Sequence[str]) -> tuple[list[Feature], Ints, Ints]:
    """Return the source features, and which lie on which piece, sorted and without repetitions."""
    place = {piece: number for number, piece in enumerate(piece_id)}
    number: dict[tuple[Any, ...], int] = {}
    pieces, codes = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    for part in formats.read_columns(result / ZONING, "piece_sources", ("piece_id", *_SOURCES)):
        ids = _strings(part["piece_id"])
        pieces.append(np.fromiter((place[one] for one in ids), np.int64, len(ids)))
        rows = zip(*(part[name].tolist() for name in _SOURCES))
        codes.append(np.fromiter((number.setdefault(row, len(number)) for row in rows), np.int64, len(ids)))
    features = [Feature(int(row[0]), *(value or "" for value in row[1:])) for row in number]
    feature, ranked = _ranked(np.concatenate(codes), features, key=lambda one: (*one.key, one.input))
    keys = np.unique(np.concatenate(pieces) * max(len(ranked), 1) + feature)
    return ranked, keys // max(len(ranked), 1), keys % max(len(ranked), 1)


def cut(layer: Layer, name: str, text: str | None) -> str | None:
    """Return explanatory text as it fits its field, in a Shapefile too where the layer has polygons."""
    length = layer.field(name).length
    return fitted(text, min(length, DBF_TEXT) if layer.kind == "polygon" else length)


def groups(keys: Ints) -> Iterator[tuple[int, Ints]]:
    """Yield each distinct key in order with the numbers of its rows, ascending."""
    order = np.argsort(keys, kind="stable")
    starts = np.flatnonzero(np.diff(keys[order], prepend=-1))
    for start, stop in zip(starts.tolist(), [*starts[1:].tolist(), len(order)]):
        yield int(keys[order[start]]), order[start:stop]


def union(polygons: NDArray[Any]) -> Any:
    """Return the union of polygons of the coverage: they share edges, and overlap nowhere."""
    if len(polygons) == 1:
        return polygons[0]
    try:
        return shapely.coverage_union_all(polygons)
    except shapely.errors.GEOSException:
        return shapely.union_all(polygons)
