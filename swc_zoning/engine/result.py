# SPDX-License-Identifier: GPL-2.0-or-later
"""The files of a result: written aside, read back, compared, and only then put in place.

``summary.json`` is what makes a folder a result: it comes last and goes first, so that a run
killed at any moment leaves the old result or none.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import shapely
from numpy.typing import NDArray

from swc_zoning.engine import formats, styles
from swc_zoning.engine.conflicts import Conflict
from swc_zoning.engine.grid import Ints
from swc_zoning.engine.ledger import Entry
from swc_zoning.engine.messages import Finding, SwcError
from swc_zoning.engine.pieces import Pieces
from swc_zoning.engine.rules import RuleTable

ZONING, SUMMARY = "zoning.gpkg", "summary.json"

Columns = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class Layer:
    """A table of ``zoning.gpkg``: geometry as WKB (None for a plain table), columns, QGIS style."""

    name: str
    kind: str
    wkb: NDArray[Any] | None
    columns: Columns
    qml: str = ""


@dataclass(frozen=True)
class Files:
    """Where a result was put."""

    zoning: Path
    summary: Path


def write(layers: Sequence[Layer], summary: Mapping[str, Any], crs: str, output: Path) -> Files:
    """Write a result into the folder `output`, replacing an older one as a whole.

    Raises SwcError ``result.not_as_written`` where a file does not read back as it was meant, and
    ``result.unwritable`` where the folder cannot be written to.
    """
    output = Path(output).absolute()
    with _aside(output) as aside:
        zoning = aside / ZONING
        for layer in layers:
            formats.write_table(zoning, layer.name, layer.wkb, layer.columns, crs, layer.kind)
        _embed_styles(zoning, layers)
        for layer in layers:
            _compare(zoning, layer)
        document = {**summary, "files": {ZONING: formats.source_sha256(zoning)}}
        text = json.dumps(document, ensure_ascii=False, indent=1, default=_plain)
        (aside / SUMMARY).write_text(text, encoding="utf-8")
        _put_in_place(aside, output)
    return Files(output / ZONING, output / SUMMARY)


@contextmanager
def _aside(output: Path) -> Iterator[Path]:
    """Yield a fresh folder beside `output`, gone afterwards whatever happens.

    Its name starts with a point, the name of `output` and the number of this process.
    """
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        aside = output.parent / f".{output.name}.{os.getpid()}-{uuid4().hex[:8]}"
        aside.mkdir()
    except OSError as error:
        raise SwcError("result.unwritable", path=str(output), reason=str(error.strerror)) from error
    try:
        yield aside
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _put_in_place(aside: Path, output: Path) -> None:
    """Move the files of `aside` to `output`; a folder of the user keeps what else is in it."""
    try:
        for path in aside.iterdir():
            _flush(path)
        if not output.exists():
            os.rename(aside, output)
            return
        (output / SUMMARY).unlink(missing_ok=True)
        os.replace(aside / ZONING, output / ZONING)
        os.replace(aside / SUMMARY, output / SUMMARY)
    except OSError as error:
        raise SwcError("result.unwritable", path=str(output), reason=str(error.strerror)) from error


def _flush(path: Path) -> None:
    with path.open("rb+") as stream:
        os.fsync(stream.fileno())


def _plain(value: Any) -> Any:
    """Return numpy scalars as Python ones, for JSON."""
    return value.item()


# --- styles ----------------------------------------------------------------------------------------


def _embed_styles(path: Path, layers: Sequence[Layer]) -> None:
    """Add the ``layer_styles`` table from which QGIS takes the default style of a layer."""
    # Its columns are those QGIS itself creates.
    create = (
        "CREATE TABLE layer_styles (id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, f_table_catalog TEXT, "
        "f_table_schema TEXT, f_table_name TEXT, f_geometry_column TEXT, styleName TEXT, styleQML TEXT, "
        "styleSLD TEXT, useAsDefault BOOLEAN, description TEXT, owner TEXT, ui TEXT, "
        "update_time DATETIME DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now')))"
    )
    insert = (
        "INSERT INTO layer_styles (f_table_catalog, f_table_schema, f_table_name, f_geometry_column, "
        "styleName, styleQML, styleSLD, useAsDefault, description, owner) "
        "VALUES ('', '', ?, ?, ?, ?, '', 1, '', '')"
    )
    register = (
        "INSERT INTO gpkg_contents (table_name, data_type, identifier, description) "
        "VALUES ('layer_styles', 'attributes', 'layer_styles', '')"
    )
    connection = sqlite3.connect(path)
    try:
        with connection:
            connection.execute(create)
            connection.execute(register)
            for layer in layers:
                if layer.qml:
                    columns = "SELECT column_name FROM gpkg_geometry_columns WHERE table_name = ?"
                    (geometry,) = connection.execute(columns, (layer.name,)).fetchone()
                    connection.execute(insert, (layer.name, geometry, layer.name, layer.qml))
    finally:
        connection.close()


# --- reading back ----------------------------------------------------------------------------------


def _compare(path: Path, layer: Layer) -> None:
    """Hold what was written against what was meant: rows, geometry byte for byte, every value."""
    back = formats.read_back(path, layer.name)
    count = len(next(iter(layer.columns.values())))
    if len(back) != count:
        raise SwcError("result.not_as_written", layer=layer.name, field="", found=len(back), meant=count)
    if layer.wkb is not None and not np.array_equal(_bytes(back.wkb), _bytes(layer.wkb)):
        raise SwcError("result.not_as_written", layer=layer.name, field="geometry", found="", meant="")
    for name, meant in layer.columns.items():
        found = back.columns[name]
        if not _equal(found, meant):
            raise SwcError("result.not_as_written", layer=layer.name, field=name, found="", meant="")


def _equal(found: NDArray[Any], meant: NDArray[Any]) -> bool:
    if meant.dtype == object:
        return _texts(found) == _texts(meant)
    return np.array_equal(found.astype(float), meant.astype(float), equal_nan=True)


def _bytes(wkb: NDArray[Any]) -> NDArray[Any]:
    return np.array([bytes(value) if value is not None else b"" for value in wkb], dtype=object)


def _texts(values: NDArray[Any]) -> list[Any]:
    """Return values with every kind of nothing as None."""
    return [None if value is None or value != value else value for value in values.tolist()]


# --- the layers ------------------------------------------------------------------------------------


def layers_of(
    pieces: Pieces,
    table: RuleTable,
    conflicts: list[Conflict],
    findings: list[Finding],
    entries: list[Entry],
    head: Mapping[str, Any],
    lang: str,
) -> list[Layer]:
    """Return everything ``zoning.gpkg`` holds."""
    names = {code: row[f"name_{lang}"] for code, row in table.zones.items()}
    present = {combo.decision["zone"] for combo in pieces.combos}
    legend = {code: name for code, name in names.items() if code in present}
    return [
        _zones(pieces, names, styles.zones_qml(legend)),
        _pieces(pieces, names, styles.zones_qml(legend, "pieces")),
        _conflicts(pieces, table, conflicts, lang),
        _findings(findings, lang),
        _piece_sources(pieces),
        _ledger(pieces, entries),
        _run(head),
    ]


def _text(values: Sequence[Any]) -> NDArray[Any]:
    column = np.empty(len(values), object)
    column[:] = values
    return column


def _joined(values: Sequence[Any]) -> str:
    return ";".join(str(value) for value in values)


def _pieces(pieces: Pieces, names: Mapping[str, str], qml: str) -> Layer:
    decisions = [combo.decision for combo in pieces.combos]

    def decided(values: Sequence[Any]) -> NDArray[Any]:
        return _text(values)[pieces.combo]

    columns: Columns = {
        "piece_id": _text(pieces.piece_id),
        **_district_columns(pieces, pieces.district),
        **({} if pieces.land is None else {"land": pieces.land.astype(np.int32)}),
        "zone": decided([d["zone"] for d in decisions]),
        "zone_name": decided([names[d["zone"]] for d in decisions]),
        "status": decided([d["status"] for d in decisions]),
        **{
            key: decided([_joined(d[key]) for d in decisions])
            for key in ("decisive", "rules", "measures", "basis")
        },
        "grade": np.array([d["grade"] for d in decisions], np.int32)[pieces.combo],
        "force": decided([d["force"] for d in decisions]),
        "members": decided([json.dumps(c.members, ensure_ascii=False) for c in pieces.combos]),
        "combo": decided([_joined(c.roles) for c in pieces.combos]),
        "conflicts": decided([_joined(d["conflicts"]) for d in decisions]),
        "sliver": pieces.sliver.astype(np.int32),
        **_areas(pieces.plane_m2, pieces.ellipsoidal_m2, pieces.area_centi),
    }
    if pieces.land is None:
        columns["land"] = _text([None] * len(pieces))
    return Layer("pieces", "Polygon", shapely.to_wkb(pieces.polygons), columns, qml)


def _district_columns(pieces: Pieces, district: Ints) -> Columns:
    return {
        "district_code": _text([d.code for d in pieces.districts])[district],
        "district_name": _text([d.name for d in pieces.districts])[district],
    }


def _areas(plane: NDArray[Any], ellipsoidal: NDArray[Any], centi: NDArray[Any]) -> Columns:
    return {"plane_m2": plane, "ellipsoidal_m2": ellipsoidal, "area_m2": centi / 100}


def _zones(pieces: Pieces, names: Mapping[str, str], qml: str) -> Layer:
    """Dissolve pieces by zone, status and district."""
    keys = [(c.decision["zone"], c.decision["status"]) for c in pieces.combos]
    known = sorted(set(keys), key=lambda key: (list(names).index(key[0]), key[1]))
    number = np.array([known.index(key) for key in keys], np.int64)[pieces.combo] if keys else pieces.combo
    key = number * len(pieces.districts) + pieces.district
    face_key = np.full(len(pieces.partition.faces), -1, np.int64)
    face_key[pieces.face] = key
    polygons, polygon_key = pieces.partition.dissolve(face_key)
    order = np.argsort(polygon_key, kind="stable")
    present, index = np.unique(polygon_key[order], return_inverse=True)
    merged = shapely.multipolygons(polygons[order], indices=index) if len(present) else np.empty(0, object)

    def sums(values: NDArray[Any]) -> NDArray[Any]:
        return np.bincount(np.searchsorted(present, key), values, minlength=len(present))

    zone = [known[k // len(pieces.districts)] for k in present.tolist()]
    columns: Columns = {
        "zone": _text([z for z, _ in zone]),
        "zone_name": _text([names[z] for z, _ in zone]),
        "status": _text([status for _, status in zone]),
        **_district_columns(pieces, present % len(pieces.districts)),
        "pieces": sums(np.ones(len(pieces))).astype(np.int64),
        **_areas(
            sums(pieces.plane_m2), sums(pieces.ellipsoidal_m2), sums(pieces.area_centi).astype(np.int64)
        ),
    }
    return Layer("zones", "MultiPolygon", shapely.to_wkb(merged), columns, qml)


def _conflicts(pieces: Pieces, table: RuleTable, conflicts: list[Conflict], lang: str) -> Layer:
    rows = [table.conflicts[c.kind] for c in conflicts]
    settling = "settling_rule" if lang == "zh" else "settling_rule_en"
    codes = [pieces.districts[d].code for d in pieces.district.tolist()]
    points = shapely.point_on_surface(np.array([c.geometry for c in conflicts], object))
    columns: Columns = {
        "conflict_id": _text([c.id for c in conflicts]),
        "kind": _text([c.kind for c in conflicts]),
        "severity": _text([row["severity"] for row in rows]),
        "name": _text([row[f"name_{lang}"] for row in rows]),
        **_side(pieces, "a", [c.first for c in conflicts]),
        **_side(pieces, "b", [c.second for c in conflicts]),
        "districts": _text([_joined(sorted({codes[i] for i in c.pieces})) for c in conflicts]),
        "settling_rule": _text([row.get(settling) or row["settling_rule"] for row in rows]),
        "basis": _text([_joined(table.basis(row)) for row in rows]),
        "pieces": np.array([len(c.pieces) for c in conflicts], np.int64),
        "plane_m2": np.array([c.plane_m2 for c in conflicts], float),
        "ellipsoidal_m2": np.array([c.ellipsoidal_m2 for c in conflicts], float),
        "area_m2": np.array(
            [sum(int(pieces.area_centi[i]) for i in c.pieces) / 100 for c in conflicts], float
        ),
        "mean_width_m": np.array([c.mean_width_m for c in conflicts], float),
        "east": shapely.get_x(points),
        "north": shapely.get_y(points),
    }
    regions = [
        c.geometry if c.geometry.geom_type == "MultiPolygon" else shapely.MultiPolygon([c.geometry])
        for c in conflicts
    ]
    wkb = shapely.to_wkb(np.array(regions, object)) if regions else np.empty(0, object)
    return Layer("conflicts", "MultiPolygon", wkb, columns, styles.conflicts_qml())


def _side(pieces: Pieces, side: str, numbers: Sequence[int | None]) -> Columns:
    """Return the columns that name one of the two source features of each conflict."""
    features, layers = pieces.intake.features, pieces.intake.layers

    def of(value: Any) -> NDArray[Any]:
        return _text([None if number is None else value(number) for number in numbers])

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
        "code": _text([f.code for f in findings]),
        "severity": _text([f.severity for f in findings]),
        "layer": _text([f.layer for f in findings]),
        "text": _text([f.sentence(lang) for f in findings]),
        "measure_m2": np.array([np.nan if f.measure_m2 is None else f.measure_m2 for f in findings], float),
    }
    return Layer(
        "findings", "Point", shapely.to_wkb(np.array(points, object)), columns, styles.findings_qml(lang)
    )


def _piece_sources(pieces: Pieces) -> Layer:
    features, layers = pieces.intake.features, pieces.intake.layers
    layer = features.layer[pieces.label_feature]
    columns: Columns = {
        "piece_id": _text(pieces.piece_id)[pieces.label_piece],
        "role": _text([record.role for record in layers])[layer],
        "layer": _text([record.layer for record in layers])[layer],
        "source_id": _text(features.source_id)[pieces.label_feature],
        "name": _text(features.name)[pieces.label_feature],
        "tier": _text(features.tier)[pieces.label_feature],
    }
    return Layer("piece_sources", "", None, columns)


def _ledger(pieces: Pieces, entries: list[Entry]) -> Layer:
    layers = pieces.intake.layers
    rows: list[tuple[str, str, str, float | None, float | None, str]] = [
        ("checked", entry.item, "", None, float(entry.value), entry.note) for entry in entries
    ]
    rows += [
        ("repaired", layers[r.layer].layer, r.source_id, r.area_before_m2, r.area_after_m2, r.reason)
        for r in pieces.intake.repairs
    ]
    rows += [
        ("closed", pieces.districts[a.district].code, "", a.raw_m2, a.control_m2, f"factor {a.factor!r}")
        for a in pieces.adjustments
    ]
    kind, subject, source, before, after, note = zip(*rows)
    columns: Columns = {
        "entry": _text(kind),
        "subject": _text(subject),
        "source_id": _text(source),
        "before": np.array([np.nan if v is None else v for v in before], float),
        "after": np.array([np.nan if v is None else v for v in after], float),
        "note": _text(note),
    }
    return Layer("ledger", "", None, columns)


def _run(head: Mapping[str, Any]) -> Layer:
    values = [
        v if isinstance(v, str) else json.dumps(v, ensure_ascii=False, default=_plain) for v in head.values()
    ]
    return Layer("run", "", None, {"item": _text(list(head)), "value": _text(values)})


def document_sha256(document: Mapping[str, Any]) -> str:
    """Return the SHA-256 of a JSON document, whatever the order of its keys."""
    text = json.dumps(document, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()
