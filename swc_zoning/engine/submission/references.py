# SPDX-License-Identifier: GPL-2.0-or-later
"""The layers a result was made from, as used: districts, the three lines, protected areas, water sources.

Every feature is the union of the pieces that carry it, so copies and control zones share their edges. The
fields of its source follow where the source is still there and is the file that was read.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from swc_zoning.engine import formats, roles
from swc_zoning.engine.attributes import find_field
from swc_zoning.engine.grid import Ints
from swc_zoning.engine.intake import as_text
from swc_zoning.engine.messages import Finding, SwcError
from swc_zoning.engine.rule_words import role_name
from swc_zoning.engine.submission.material import Feature, Material, cut, groups, sheet, texts, union
from swc_zoning.engine.submission.register import Register, key_of
from swc_zoning.engine.submission.schemas import DBF_TEXT, Layer
from swc_zoning.engine.submission.sheets import Sheet, fitted, objects

DISTRICTS = "XZQ"
LANDUSE = "landuse_status"
#: Names a file geodatabase keeps for itself.
_KEPT_BY_FILES = {"objectid", "fid", "ogc_fid", "shape", "geom", "shape_length", "shape_area", "shape_leng"}
#: Whole numbers from here on do not fit a field of 32 bits: they are kept as text.
_LARGEST = 2**31
_CLASHING = "Y_"

Rows = dict[str, dict[str, Any]]


def sheets_of(material: Material, register: Register) -> tuple[dict[str, Sheet], list[Finding]]:
    """Return the reference copies by layer, and which of them lack the fields of their sources."""
    sources = _Sources(material)
    made = {DISTRICTS: _districts(material, register, sources)}
    for name, played in material.schema.references.items():
        if name != DISTRICTS and set(played) & material.supplied:
            made[name] = _copy(material, register, sources, name, played)
    return made, sources.findings


def extent_sha(geometry: NDArray[Any]) -> str:
    """Return the SHA-256 of polygons on 1e-10 degree, whatever their order and that of their rings."""
    whole = shapely.normalize(shapely.transform(geometry, lambda points: np.round(points, 10)))
    parts = sorted(shapely.to_wkb(shapely.multipolygons([*shapely.get_parts(one)])) for one in whole)
    return hashlib.sha256(b"".join(parts)).hexdigest()


def _districts(material: Material, register: Register, sources: _Sources) -> Sheet:
    layer = material.schema.layers[DISTRICTS]
    rows, shapes, keys, found = [], [], [], []
    index = next((row["index"] for row in material.summary["inputs"] if row["extent"]), -1)
    for number, pieces in groups(material.district):
        district = material.districts[number]
        own = {"YBSM": district.code, "XZQDM": district.code, "XZQMC": district.name}
        rows.append({**own, "KZMJ": district.control_m2, "MJ": material.area_m2(pieces)})
        shapes.append(union(material.degrees[pieces]))
        keys.append(district.code)
        found.append((index, district.code))
    heads = [material.districts[number].head for number in np.unique(material.district).tolist()]
    return _with_fields(layer, register, rows, shapes, keys, heads, sources.of(layer, found))


def _copy(
    material: Material, register: Register, sources: _Sources, name: str, played: Sequence[str]
) -> Sheet:
    layer = material.schema.layers[name]
    rows, shapes, keys, heads, found = [], [], [], [], []
    piece, feature = material.with_role(played)
    for number, members in groups(feature):
        one, pieces = material.features[number], piece[members]
        area = material.area_m2(pieces)
        if area > 0:
            district = material.districts[_main_district(material, pieces)]
            rows.append(_row(layer, one, area, district.code, district.name))
            shapes.append(union(material.degrees[pieces]))
            keys.append(key_of(*one.key))
            heads.append(district.head)
            found.append((one.input, one.source_id))
    return _with_fields(layer, register, rows, shapes, keys, heads, sources.of(layer, found))


def _main_district(material: Material, pieces: Ints) -> int:
    """Return the district most of the area is in, the first of equals."""
    return int(np.argmax(np.bincount(material.district[pieces], material.area_centi[pieces])))


def _row(layer: Layer, feature: Feature, area: float, code: str, name: str) -> dict[str, Any]:
    return {
        "YBSM": feature.source_id,
        "XZQDM": code,
        "XZQMC": name,
        "MC": cut(layer, "MC", feature.name),
        "DJ": tier_name(feature.role, feature.tier),
        "LX": role_name(feature.role, "zh"),
        "MJ": area,
    }


def tier_name(role: str, tier: str) -> str:
    """Return the Chinese name of a tier, its id where it has none."""
    known = roles.find(role)
    if tier == roles.UNKNOWN:
        return "级别不明"
    return next((one.name_zh for one in known.tiers if one.id == tier), tier) if known else tier


def _with_fields(
    layer: Layer,
    register: Register,
    rows: list[dict[str, Any]],
    shapes: list[Any],
    keys: Sequence[str],
    heads: Sequence[str],
    further: Mapping[str, NDArray[Any]],
) -> Sheet:
    identifiers, _ = register.give(layer.name, keys, heads)
    geometry = objects(shapes)
    made = Sheet.of(layer, [{**row, "BSM": bsm} for row, bsm in zip(rows, identifiers)], geometry)
    return sheet(layer, len(rows), {**made.columns, **further}, geometry)


class _Sources:
    """The attributes of source features, read once a layer; `findings` tell what could not be had."""

    def __init__(self, material: Material) -> None:
        self._inputs = {row["index"]: row for row in material.summary["inputs"]}
        self._entries = _entries(material.summary)
        self._read: dict[int, Rows] = {}
        self.findings: list[Finding] = []

    def of(self, layer: Layer, wanted: Sequence[tuple[int, str]]) -> dict[str, NDArray[Any]]:
        """Return further columns for the features `wanted` (number of the input, source id)."""
        rows = [self._rows(index).get(source_id, {}) for index, source_id in wanted]
        names = dict.fromkeys(name for row in rows for name in row)
        return {
            _free_name(layer, name): _typed([row.get(name) for row in rows])
            for name in names
            if name.lower() not in _KEPT_BY_FILES
        }

    def _rows(self, index: int) -> Rows:
        if index not in self._read:
            self._read[index] = dict(self._fetched(index)) if index in self._inputs else {}
        return self._read[index]

    def _fetched(self, index: int) -> Iterator[tuple[str, dict[str, Any]]]:
        record, entry = self._inputs[index], self._entries.get(index, {})
        named = entry.get("id_field") or entry.get("code_field")
        finding = _hindrance(record, named)
        if finding is None:
            try:
                yield from _attributes(record, entry, named)
            except SwcError:
                finding = Finding("contents.attributes_unreadable", {"layer": record["layer"]})
        if finding:
            self.findings.append(finding)


def _entries(summary: Mapping[str, Any]) -> dict[int, Mapping[str, Any]]:
    """Return what the job says of each input, by its number."""
    job = summary["job"]
    entries = ([job["extent"]] if "extent" in job else []) + job["layers"]
    return dict(enumerate(entries)) if len(entries) == len(summary["inputs"]) else {}


def _hindrance(record: Mapping[str, Any], named: str | None) -> Finding | None:
    """Return why the attributes of an input cannot be had, None where they can."""
    source, facts = record["source"], {"layer": record["layer"]}
    if not named:
        return Finding("contents.attributes_no_id", facts)
    if not record["sha256"] or not formats.is_file_source(source) or not Path(source).exists():
        return Finding("contents.attributes_gone", facts)
    if formats.source_sha256(source) != record["sha256"]:
        return Finding("contents.attributes_changed", facts)
    return None


def _attributes(
    record: Mapping[str, Any], entry: Mapping[str, Any], named: str
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the attributes of each source feature by its id, the first of several that share one."""
    encoding = entry.get("encoding") or (None if record["encoding"] == "UTF-8" else record["encoding"])
    table = formats.read_vector(
        record["source"], entry.get("layer"), entry.get("filter"), encoding or None, geometry=False
    )
    field, _ = find_field(table.layer.fields, named)
    ids = [as_text(value) for value in table.columns[field].tolist()]
    names = list(table.columns)
    seen: set[str] = set()
    for source_id, *values in zip(ids, *(table.columns[name].tolist() for name in names)):
        if source_id not in seen:
            seen.add(source_id)
            yield source_id, dict(zip(names, values))


def _free_name(layer: Layer, name: str) -> str:
    taken = {field.name.lower() for field in layer.fields}
    return f"{_CLASHING}{name}" if name.lower() in taken else name


def _typed(values: list[Any]) -> NDArray[Any]:
    """Return a column of whole numbers, numbers or text: what all values are, None aside."""
    known = [value for value in values if value is not None and value == value]
    numeric = [isinstance(value, (int, float)) and not isinstance(value, bool) for value in known]
    if known and all(numeric):
        if max(map(abs, known)) < _LARGEST:
            if len(known) == len(values) and all(float(value).is_integer() for value in known):
                return np.array(values, np.int64)
            return np.array([np.nan if value is None else value for value in values], np.float64)
        if any(isinstance(value, float) for value in known):
            return np.array([np.nan if value is None else value for value in values], np.float64)
    said = ("" if value is None or value != value else str(value).replace("\0", " ") for value in values)
    # A Shapefile would cut it in silence; the source has the whole of it.
    return texts(fitted(text, DBF_TEXT) for text in said)
