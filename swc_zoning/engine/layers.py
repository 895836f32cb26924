# SPDX-License-Identifier: GPL-2.0-or-later
"""The layers and tables of ``zoning.gpkg``: what a run found, as columns with geometry and style."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from swc_zoning.engine import formats, slivers, styles
from swc_zoning.engine.conflicts import Conflict
from swc_zoning.engine.evaluation import records
from swc_zoning.engine.formats import Batch, Coded, Column
from swc_zoning.engine.grid import Ints
from swc_zoning.engine.intake import Intake, Repair
from swc_zoning.engine.ledger import Entry, Row, prove_dissolved
from swc_zoning.engine.messages import Finding
from swc_zoning.engine.pieces import Pieces
from swc_zoning.engine.rules import RuleTable
from swc_zoning.engine.slivers import Court

Columns = dict[str, Column]

#: Rows that are in memory at once.
BATCH = 10_000


@dataclass(frozen=True)
class Layer:
    """A table of ``zoning.gpkg``: geometry type ("" for a plain table), number of rows, QGIS style.

    `batches` makes the rows, at least one batch; asked again it makes the same rows again.
    """

    name: str
    kind: str
    count: int
    batches: Callable[[], Iterable[Batch]]
    qml: str = ""


def whole(name: str, kind: str, wkb: NDArray[Any] | None, columns: Columns, qml: str = "") -> Layer:
    """Return a layer small enough to be one batch."""
    batch = Batch(wkb, columns)
    return Layer(name, kind, len(batch), lambda: [batch], qml)


def ranges(count: int) -> Iterator[tuple[int, int]]:
    """Yield (start, stop) of batches; one is empty where there are no rows at all."""
    for start in range(0, max(count, 1), BATCH):
        yield start, min(start + BATCH, count)


def layers_of(
    court: Court,
    table: RuleTable,
    conflicts: list[Conflict],
    findings: list[Finding],
    entries: list[Entry],
    head: Mapping[str, Any],
    lang: str,
) -> list[Layer]:
    """Return everything ``zoning.gpkg`` holds."""
    pieces = court.pieces
    names = {code: row[f"name_{lang}"] for code, row in table.zones.items()}
    present = {combo.decision["zone"] for combo in pieces.combos}
    legend = {code: name for code, name in names.items() if code in present}
    return [
        _zones(pieces, names, styles.zones_qml(legend)),
        pieces_layer(pieces, names, styles.zones_qml(legend, "pieces")),
        _conflicts(pieces, table, conflicts, lang),
        _findings(findings, lang),
        _slivers(court, lang),
        piece_sources_layer(pieces),
        inputs_layer(pieces.intake),
        evaluated_layer(pieces.intake),
        _ledger(court, entries, lang),
        _run(head),
    ]


def text_column(values: Sequence[Any]) -> NDArray[Any]:
    """Return a column of text (or None), whatever the lengths."""
    column = np.empty(len(values), object)
    column[:] = values
    return column


def _joined(values: Sequence[Any]) -> str:
    return ";".join(str(value) for value in values)


def pieces_layer(pieces: Pieces, names: Mapping[str, str], qml: str) -> Layer:
    """Return the layer of all pieces with what was decided of them; `names`: zone code -> name."""
    decided = _decided(pieces, names)
    grade = np.array([c.decision["grade"] for c in pieces.combos], np.int32)

    def batches() -> Iterator[Batch]:
        for start, stop in ranges(len(pieces)):
            rows = slice(start, stop)
            combo, land = pieces.combo[rows], pieces.land
            columns: Columns = {
                "piece_id": pieces.piece_id[rows],
                **_district_columns(pieces, pieces.district[rows]),
                "land": text_column([None] * len(combo)) if land is None else land[rows].astype(np.int32),
                **{name: Coded(values, combo) for name, values in decided.items()},
                "sliver": pieces.sliver[rows].astype(np.int32),
                **_areas(pieces.plane_m2[rows], pieces.ellipsoidal_m2[rows], pieces.area_centi[rows]),
            }
            columns["grade"] = grade[combo]
            yield Batch(pieces.wkb(start, stop), {name: columns[name] for name in _PIECE_COLUMNS})

    return Layer("pieces", "Polygon", len(pieces), batches, qml)


#: In the order they are written.
_PIECE_COLUMNS = (
    *("piece_id", "district_code", "district_name", "land", "zone", "zone_name", "status", "decisive"),
    *("rules", "measures", "basis", "grade", "force", "members", "combo", "conflicts", "sliver"),
    *("plane_m2", "ellipsoidal_m2", "area_m2"),
)


def _decided(pieces: Pieces, names: Mapping[str, str]) -> dict[str, NDArray[Any]]:
    """Return the texts that follow from the label combination, one for each combination."""
    combos = pieces.combos
    decisions = [combo.decision for combo in combos]
    lists = ("decisive", "rules", "measures", "basis", "conflicts")
    texts: dict[str, Sequence[str]] = {
        "zone": [d["zone"] for d in decisions],
        "zone_name": [names[d["zone"]] for d in decisions],
        "status": [d["status"] for d in decisions],
        "force": [d["force"] for d in decisions],
        "members": [json.dumps(c.members, ensure_ascii=False) for c in combos],
        "combo": [_joined(c.roles) for c in combos],
        **{key: [_joined(d[key]) for d in decisions] for key in lists},
    }
    return {name: text_column(values) for name, values in texts.items()}


def _district_columns(pieces: Pieces, district: Ints) -> Columns:
    return {
        "district_code": Coded(text_column([d.code for d in pieces.districts]), district),
        "district_name": Coded(text_column([d.name for d in pieces.districts]), district),
    }


def _areas(plane: NDArray[Any], ellipsoidal: NDArray[Any], centi: NDArray[Any]) -> Columns:
    return {"plane_m2": plane, "ellipsoidal_m2": ellipsoidal, "area_m2": centi / 100}


def _zones(pieces: Pieces, names: Mapping[str, str], qml: str) -> Layer:
    """Dissolve pieces by zone, status and district."""
    keys = [(c.decision["zone"], c.decision["status"]) for c in pieces.combos]
    known = sorted(set(keys), key=lambda key: (list(names).index(key[0]), key[1]))
    number = np.array([known.index(key) for key in keys], np.int64)[pieces.combo] if keys else pieces.combo
    key = number * len(pieces.districts) + pieces.district
    polygons, polygon_key, _ = pieces.partition.dissolve(np.append(key, -1)[pieces.piece_of_face])
    prove_dissolved(pieces, key, polygons, polygon_key)
    order = np.argsort(polygon_key, kind="stable")
    present, index = np.unique(polygon_key[order], return_inverse=True)
    merged = shapely.multipolygons(polygons[order], indices=index) if len(present) else np.empty(0, object)

    def sums(values: NDArray[Any]) -> NDArray[Any]:
        return np.bincount(np.searchsorted(present, key), values, minlength=len(present))

    zone = [known[k // len(pieces.districts)] for k in present.tolist()]
    columns: Columns = {
        "zone": text_column([z for z, _ in zone]),
        "zone_name": text_column([names[z] for z, _ in zone]),
        "status": text_column([status for _, status in zone]),
        **_district_columns(pieces, present % len(pieces.districts)),
        "pieces": sums(np.ones(len(pieces))).astype(np.int64),
        **_areas(
            sums(pieces.plane_m2), sums(pieces.ellipsoidal_m2), sums(pieces.area_centi).astype(np.int64)
        ),
    }
    return whole("zones", "MultiPolygon", shapely.to_wkb(merged), columns, qml)


def _conflicts(pieces: Pieces, table: RuleTable, conflicts: list[Conflict], lang: str) -> Layer:
    rows = [table.conflicts[c.kind] for c in conflicts]
    settling = "settling_rule" if lang == "zh" else "settling_rule_en"
    codes = [district.code for district in pieces.districts]
    points = shapely.point_on_surface(np.array([c.geometry for c in conflicts], object))
    columns: Columns = {
        "conflict_id": text_column([c.id for c in conflicts]),
        "kind": text_column([c.kind for c in conflicts]),
        "severity": text_column([row["severity"] for row in rows]),
        "name": text_column([row[f"name_{lang}"] for row in rows]),
        **_side(pieces, "a", [c.first for c in conflicts]),
        **_side(pieces, "b", [c.second for c in conflicts]),
        "districts": text_column(
            [_joined(sorted({codes[d] for d in pieces.district[list(c.pieces)].tolist()})) for c in conflicts]
        ),
        "settling_rule": text_column([row.get(settling) or row["settling_rule"] for row in rows]),
        "basis": text_column([_joined(table.basis(row)) for row in rows]),
        "pieces": np.array([len(c.pieces) for c in conflicts], np.int64),
        "plane_m2": np.array([c.plane_m2 for c in conflicts], float),
        "ellipsoidal_m2": np.array([c.ellipsoidal_m2 for c in conflicts], float),
        "area_m2": np.array([int(pieces.area_centi[list(c.pieces)].sum()) / 100 for c in conflicts], float),
        "mean_width_m": np.array([c.mean_width_m for c in conflicts], float),
        "east": shapely.get_x(points),
        "north": shapely.get_y(points),
    }
    regions = [
        c.geometry if c.geometry.geom_type == "MultiPolygon" else shapely.MultiPolygon([c.geometry])
        for c in conflicts
    ]
    wkb = shapely.to_wkb(np.array(regions, object)) if regions else np.empty(0, object)
    return whole("conflicts", "MultiPolygon", wkb, columns, styles.conflicts_qml())


def _side(pieces: Pieces, side: str, numbers: Sequence[int | None]) -> Columns:
    """Return the columns that name one of the two source features of each conflict."""
    features, layers = pieces.intake.features, pieces.intake.layers

    def of(value: Any) -> NDArray[Any]:
        return text_column([None if number is None else value(number) for number in numbers])

    return {
        f"role_{side}": of(lambda n: layers[features.layer[n]].role),
        f"layer_{side}": of(lambda n: layers[features.layer[n]].layer),
        f"source_{side}": of(lambda n: features.source_id[n]),
        f"name_{side}": of(lambda n: features.name[n]),
        f"tier_{side}": of(lambda n: features.tier[n]),
    }


def _findings(findings: list[Finding], lang: str) -> Layer:
    points = [shapely.Point(f.place) if f.place else None for f in findings]
    columns: Columns = {
        "code": text_column([f.code for f in findings]),
        "severity": text_column([f.severity for f in findings]),
        "layer": text_column([f.layer for f in findings]),
        "text": text_column([f.sentence(lang) for f in findings]),
        "measure_m2": np.array([np.nan if f.measure_m2 is None else f.measure_m2 for f in findings], float),
    }
    return whole(
        "findings", "Point", shapely.to_wkb(np.array(points, object)), columns, styles.findings_qml(lang)
    )


def piece_sources_layer(pieces: Pieces) -> Layer:
    """Return the table of source features by piece."""
    features, layers = pieces.intake.features, pieces.intake.layers
    role = text_column([record.role for record in layers])
    title = text_column([record.layer for record in layers])
    source_id, name = text_column(features.source_id), text_column(features.name)
    tiers = sorted(set(features.tier))
    place = {tier: number for number, tier in enumerate(tiers)}
    tier = np.array([place[tier] for tier in features.tier], np.int32)

    def batches() -> Iterator[Batch]:
        for start, stop in ranges(len(pieces.label_piece)):
            feature = pieces.label_feature[start:stop]
            columns: Columns = {
                "piece_id": pieces.piece_id[pieces.label_piece[start:stop]],
                "input": features.layer[feature],
                "role": Coded(role, features.layer[feature]),
                "layer": Coded(title, features.layer[feature]),
                "source_id": source_id[feature],
                "name": name[feature],
                "tier": Coded(text_column(tiers), tier[feature]),
            }
            yield Batch(None, columns)

    return Layer("piece_sources", "", len(pieces.label_piece), batches)


#: What the table `inputs` tells of each layer, beside its number and the name of its source.
_OF_INPUTS = ("version", "approval_no", "data_date", "provider", "secrecy", "crs", "encoding")


def inputs_layer(intake: Intake) -> Layer:
    """Return the papers of every input layer; `input` is the number by which `piece_sources` names it."""
    records = intake.layers
    columns: Columns = {
        "input": np.array([record.index for record in records], np.int32),
        "role": text_column([record.role for record in records]),
        "layer": text_column([record.layer for record in records]),
        "source": text_column([formats.name_of(record.source) for record in records]),
        # A NUL ends text in the file: what follows would be lost in silence.
        **{key: text_column([getattr(one, key).replace("\0", " ") for one in records]) for key in _OF_INPUTS},
        "count": np.array([record.count for record in records], np.int64),
        "used": np.array([record.used for record in records], np.int64),
        "sha256": text_column([record.sha256 for record in records]),
    }
    return whole("inputs", "", None, columns)


def evaluated_layer(intake: Intake) -> Layer:
    """Return what evaluations say of source features: class, method and rule that decided, areas (km2).

    `input` and `source_id` are those of `piece_sources`.
    """
    rows = [(one.index, row) for one in intake.evaluated for row in one.rows]
    columns: Columns = {
        "input": np.array([index for index, _ in rows], np.int32),
        "source_id": text_column([row["source_id"] for _, row in rows]),
        **{name: text_column([_text(row.get(name)) for _, row in rows]) for name in records.SAID},
        **{name: np.array([_number(row.get(name)) for _, row in rows], float) for name in records.MEASURED},
    }
    return whole(records.EVALUATED, "", None, columns)


def _text(value: Any) -> str:
    return "" if value is None else str(value).replace("\0", " ")


def _number(value: Any) -> float:
    known = isinstance(value, (int, float, np.number)) and not isinstance(value, bool)
    return float(value) if known else float("nan")


def _slivers(court: Court, lang: str) -> Layer:
    def batches() -> Iterator[Batch]:
        for start, stop in ranges(len(court)):
            yield Batch(*slivers.columns(slivers.part(court, start, stop), lang))

    return Layer("slivers", "Point", len(court), batches, styles.slivers_qml(lang))


def _ledger(court: Court, entries: list[Entry], lang: str) -> Layer:
    pieces = court.pieces
    rows = [Row("checked", e.item, after=float(e.value), note=e.note) for e in entries]
    rows += [_repaired(pieces.intake, repair) for repair in pieces.intake.repairs]
    for one in pieces.adjustments:
        code, note = pieces.districts[one.district].code, f"factor {one.factor!r}"
        rows.append(Row("closed", code, "", one.raw_m2, one.control_m2, note))
    rows += slivers.rows(court, lang)
    kinds = {"before": float, "after": float, "east": float, "north": float, "leftovers": np.int32}
    columns: Columns = {}
    for name in Row._fields:
        values = [getattr(row, name) for row in rows]
        columns[name] = np.array(values, kinds[name]) if name in kinds else text_column(values)
    return whole("ledger", "", None, columns)


def _repaired(intake: Intake, repair: Repair) -> Row:
    east, north = repair.place or (np.nan, np.nan)
    areas = (repair.area_before_m2, repair.area_after_m2)
    layer = intake.layers[repair.layer].layer
    return Row("repaired", layer, repair.source_id, *areas, repair.reason, east, north, repair.leftovers)


def _run(head: Mapping[str, Any]) -> Layer:
    values = [v if isinstance(v, str) else json.dumps(v, ensure_ascii=False) for v in head.values()]
    return whole("run", "", None, {"item": text_column(list(head)), "value": text_column(values)})
