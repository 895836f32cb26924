# SPDX-License-Identifier: GPL-2.0-or-later
"""From files to clean polygons in one working CRS, with a word for everything that did not go in.

Every layer is looked at before anything stops the run: all problems are told at once. Inputs are
never changed; repairs are made on copies and recorded feature by feature.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from pyproj import CRS

from swc_zoning.engine import (
    archives,
    attributes,
    boundaries,
    characters,
    corrections,
    crs_doctor,
    curves,
    encodings,
    formats,
    georef,
    roles,
    shapefile,
    tiers,
    versions,
)
from swc_zoning.engine.accepting import ACCEPTABLE
from swc_zoning.engine.crs import choose_crs
from swc_zoning.engine.evaluation import records
from swc_zoning.engine.messages import Blocked, Finding, Fix, SwcError, sentence
from swc_zoning.engine.progress import Progress
from swc_zoning.paths import resource

if TYPE_CHECKING:
    from swc_zoning.engine.job import Accepted, Job

EXTENT_ROLE = "admin_extent"
REFERENCE_ROLE = "reference"
#: Largest distance between an arc and its chords, metres.
CHORD_TOLERANCE_M = 0.01
#: No coordinate of a place on Earth is larger, in degrees or metres, zone number included.
_LARGEST_COORDINATE = 1e8
_METADATA = ("version", "approval_no", "data_date", "provider", "secrecy")
_KINDS = {0: "Point", 1: "LineString", 2: "LinearRing", 4: "MultiPoint", 5: "MultiLineString"}
#: Findings of a layer whose CRS is not known, told when it is opened and proved when all are.
_CRS_ASKED = ("intake.crs_missing", "intake.crs_unknown", "intake.crs_local")
#: Features whose vertices are in memory at once, beside the geometry itself.
_BLOCK = 50_000
_POLYGON, _MULTIPOLYGON, _COLLECTION = 3, 6, 7


@dataclass(frozen=True)
class LayerRecord:
    """What a result must tell of an input layer; `count` features read, `used` features that went in.

    `corrections` is what the job had done to the coordinates, `mark` what results must carry for it.
    """

    index: int
    role: str
    source: str
    layer: str
    encoding: str
    crs: str
    count: int
    used: int
    extent: bool
    version: str
    approval_no: str
    data_date: str
    provider: str
    secrecy: str
    sha256: str
    corrections: dict[str, Any] = field(default_factory=dict)
    mark: str = ""


@dataclass(frozen=True)
class Features:
    """Columns of equal length n, features in layer order.

    `layer` int32 index of the record; `geometry` object, valid 2-D (Multi)Polygon in the working
    CRS, None once it is in the partition; `tier` canonical, "unknown" or ""; `area_m2` float64 plane
    area; `attributes` {code, name} for the extent, else {} (read only).
    """

    layer: np.ndarray
    geometry: np.ndarray
    source_id: list[str]
    name: list[str]
    tier: list[str]
    area_m2: np.ndarray
    attributes: list[dict[str, str]]


@dataclass(frozen=True)
class Repair:
    """A polygon made valid: `layer` index, `place` (east, north) of the fault, areas in the working CRS.

    `area_before_m2` is what the rings enclose by the shoelace formula, holes taken off; `leftovers`
    counts points and lines that a repair sheds.
    """

    layer: int
    source_id: str
    reason: str
    place: tuple[float, float] | None
    area_before_m2: float
    area_after_m2: float
    leftovers: int = 0


@dataclass(frozen=True)
class Evaluated:
    """A layer that carries the record of its evaluation, shortened, and what it says of its features.

    `rows`: {source_id, and those of `records.SAID` and `records.MEASURED` that the layer has}.
    """

    index: int
    role: str
    layer: str
    record: dict[str, Any]
    rows: list[dict[str, Any]]


@dataclass(frozen=True)
class Intake:
    """Everything the partition needs, and what the report must say of the inputs."""

    crs: CRS
    layers: list[LayerRecord]
    features: Features
    repairs: list[Repair]
    findings: list[Finding]
    evaluated: list[Evaluated] = field(default_factory=list)

    def without_geometry(self, numbers: np.ndarray) -> Intake:
        """Return this intake without the geometry of the features `numbers`: the largest thing in memory."""
        geometry = self.features.geometry.copy()
        geometry[numbers] = None
        return replace(self, features=replace(self.features, geometry=geometry))


def read(job: Job, progress: Progress) -> Intake:
    """Read, georeference, repair and name the features of all layers of `job`.

    Raises Blocked with all findings if one of them is an error the job does not accept.
    """
    surveyed = survey(job, progress)
    if surveyed.intake is None or any(finding.severity == "error" for finding in surveyed.findings):
        raise Blocked(surveyed.findings)
    return surveyed.intake


def inspect(job: Job) -> list[Finding]:
    """Return all that :func:`read` would find, without raising."""
    return survey(job, Progress()).findings


@dataclass(frozen=True)
class Survey:
    """What came of looking at all layers: `intake` None where something blocks, `crs` None where even
    the working CRS could not be told. Places of findings are in `crs`."""

    intake: Intake | None
    crs: CRS | None
    findings: list[Finding]


# --- the way through -------------------------------------------------------------------------------


class _Notes:
    """Collects findings; errors the job accepts, everywhere or in one layer, become warnings."""

    def __init__(self, accepted: Iterable[Accepted]) -> None:
        self.findings: list[Finding] = []
        self._accepted = {(one.code, one.layer or "") for one in accepted if one.code in ACCEPTABLE}

    def add(
        self,
        code: str,
        layer: str = "",
        place: tuple[float, float] | None = None,
        measure_m2: float | None = None,
        fixes: Sequence[Fix] = (),
        **facts: Any,
    ) -> None:
        facts = {"layer": layer, **facts}
        finding = Finding(code, facts, layer, place, measure_m2, tuple(fixes))
        if (code, "") in self._accepted or (code, layer) in self._accepted:
            told = {**facts, "accepted": code}
            finding = Finding("intake.accepted", told, layer, place, measure_m2)
        self.findings.append(finding)

    def tell(self, findings: Iterable[Finding], layer: str) -> None:
        for one in findings:
            self.add(one.code, layer, one.place, one.measure_m2, one.fixes, **one.facts)

    def prove(self, layer: str, facts: dict[str, Any], fixes: Sequence[Fix]) -> None:
        """Give what the layer's CRS is not known for the evidence and the choices that were found."""
        for number, one in enumerate(self.findings):
            if one.layer == layer and one.code in _CRS_ASKED:
                self.findings[number] = replace(one, facts={**one.facts, **facts}, fixes=tuple(fixes))

    def error(self, error: SwcError, layer: str) -> None:
        self.add(error.code, layer, **{k: v for k, v in error.facts.items() if k != "layer"})

    def blocked(self) -> bool:
        return any(finding.severity == "error" for finding in self.findings)


@dataclass
class _Source:
    """A layer under way: `geometry` 2-D in its own CRS, `alive` what is still in."""

    index: int
    entry: int | None  # of the job: a number of its layers, None for the extent
    spec: Any
    role: str
    extent: bool
    label: str
    table: formats.Table
    fields: dict[str, str]
    crs: CRS | None  # None until someone says
    geometry: np.ndarray
    alive: np.ndarray
    sha256: str
    notes: _Notes
    evaluation: dict[str, Any] | None = None

    def feature(self, row: int) -> str:
        """Return how to name a row to a user: its id, else its number in the file."""
        if "id" in self.fields:
            text = as_text(self.table.columns[self.fields["id"]][row])
            if text:
                return text
        return f"FID {self.table.fids[row]}"

    def column(self, what: str) -> np.ndarray | None:
        """Return the values of the field used as `what` of the rows still in."""
        return self.table.columns[self.fields[what]][self.alive] if what in self.fields else None

    def columns(self, fields: Iterable[str]) -> dict[str, np.ndarray]:
        """Return the values of `fields` of the rows still in."""
        return {name: self.table.columns[name][self.alive] for name in fields}

    def reject(self, rows: np.ndarray, code: str, **facts: Any) -> None:
        """Take rows (int64[k]) out, with a finding each."""
        self.alive[rows] = False
        for row in rows.tolist():
            self.notes.add(code, self.label, feature=self.feature(row), **facts)


@dataclass
class _Part:
    """The finished features of one layer and its record."""

    record: LayerRecord
    geometry: np.ndarray
    source_id: list[str]
    name: list[str]
    tier: list[str]
    attributes: list[dict[str, str]]
    repairs: list[Repair]
    given: versions.Given
    evaluated: Evaluated | None = None


def survey(job: Job, progress: Progress) -> Survey:
    """Return all layers of `job` as they are, without raising where one of them blocks a run."""
    notes = _Notes(job.options.accept)
    specs = list(_specs(job, notes))
    sources: list[_Source] = []
    hashed = lru_cache(maxsize=None)(formats.source_sha256)
    for index, (entry, role, spec) in enumerate(specs):
        source = _open(index, entry, role, spec, hashed, notes)
        sources += [source] if source else []
        progress.advance(0.5 * (index + 1) / len(specs))
    sources = _placed(sources, job, hashed, notes)
    working = _working_crs(job, sources, notes)
    if working is None:
        return Survey(None, None, notes.findings)
    parts = _settle_all(sources, working, job, progress)
    for label, finding in versions.compare([part.given for part in parts]):
        notes.tell([finding], label)
    if notes.blocked():
        return Survey(None, working, notes.findings)
    return Survey(_join(working, parts, notes.findings), working, notes.findings)


def _specs(job: Job, notes: _Notes) -> Iterator[tuple[int | None, str, Any]]:
    if job.extent is not None:
        yield None, EXTENT_ROLE, job.extent
    for entry, spec in enumerate(job.layers):
        if spec.use is False:
            notes.add("versions.left_out", _label(spec), role=spec.role)
        else:
            yield entry, spec.role, spec


def _settle_all(sources: list[_Source], working: CRS, job: Job, progress: Progress) -> list[_Part]:
    area = _area_of(sources)
    moves: dict[str, georef.Move] = {}
    parts = []
    for done, source in enumerate(sources, start=1):
        key = source.crs.to_wkt()
        if key not in moves:
            moves[key] = georef.Move(source.crs, working, area)
        move = moves[key]
        if not move.possible:
            source.notes.add("intake.crs_no_way", source.label, crs=georef.name_of(source.crs))
            continue
        parts.append(_settle(source, move, job.options.mode == "submission"))
        progress.advance(0.5 + 0.5 * done / len(sources))
    return parts


def _join(working: CRS, parts: list[_Part], findings: list[Finding]) -> Intake:
    geometry = np.concatenate([part.geometry for part in parts]) if parts else np.empty(0, object)
    counts = [len(part.geometry) for part in parts]
    features = Features(
        layer=np.repeat(np.array([part.record.index for part in parts], np.int32), counts),
        geometry=geometry,
        source_id=[text for part in parts for text in part.source_id],
        name=[text for part in parts for text in part.name],
        tier=[text for part in parts for text in part.tier],
        area_m2=shapely.area(geometry),
        attributes=[entry for part in parts for entry in part.attributes],
    )
    repairs = [repair for part in parts for repair in part.repairs]
    evaluated = [part.evaluated for part in parts if part.evaluated is not None]
    return Intake(working, [part.record for part in parts], features, repairs, findings, evaluated)


# --- opening a layer -------------------------------------------------------------------------------


def _open(
    index: int, entry: int | None, role: str, spec: Any, hashed: Callable[[str], str], notes: _Notes
) -> _Source | None:
    """Return a layer read and georeferenced, or None with the reason in `notes`."""
    label = _label(spec)
    try:
        layer = formats.describe(spec.source, spec.layer, spec.encoding)
        fields = _fields(spec, layer, label, entry, role == EXTENT_ROLE, notes)
        evaluation = _evaluation(spec, layer, label, notes)
        said = [] if evaluation is None else records.fields(layer.fields)
        wanted = sorted({*fields.values(), *_looked_at(role, spec, layer), *said})
        table = formats.read_vector(spec.source, layer.name, spec.filter, spec.encoding, wanted)
        notes.findings += boundaries.told(spec.source, spec.layer, spec.crs, label, entry)
    except SwcError as error:
        notes.error(error, label)
        return None
    crs = _source_crs(spec, table.layer.crs, label, notes)
    _tell_file(spec, entry, layer, label, notes)
    table = _told_text(spec, entry, table, fields, label, notes)
    if not _has_rows(table, role, label, notes):
        return None
    alive = np.ones(len(table), dtype=bool)
    geometry = np.empty(len(table), dtype=object)
    extent = role == EXTENT_ROLE
    sha256 = hashed(spec.source) or content_sha256(table)
    told = (label, table, fields, crs, geometry, alive, sha256, notes, evaluation)
    source = _Source(index, entry, spec, role, extent, *told)
    _draw(source)
    return source if _is_polygonal(source) and _corrected(source) else None


def _evaluation(spec: Any, layer: formats.Layer, label: str, notes: _Notes) -> dict[str, Any] | None:
    """Return the record of the evaluation that made a layer, None where it carries none."""
    if layer.driver != "GPKG" or not formats.is_file_source(spec.source):
        return None
    try:
        with archives.unpacked(Path(spec.source)) as inner:
            # Lists of points and drawings become a GeoPackage on the way in; they carry no record.
            return records.read(inner) if inner.suffix.lower() == ".gpkg" else None
    except SwcError as error:
        notes.add("records.unreadable", label, path=formats.name_of(spec.source), reason=error.code)
        return None


def _label(spec: Any) -> str:
    name = spec.layer or formats.name_of(spec.source)
    is_file = not spec.layer and formats.is_file_source(spec.source)
    return (name.rpartition(".")[0] if is_file else "") or name


def _has_rows(table: formats.Table, role: str, label: str, notes: _Notes) -> bool:
    if len(table):
        return True
    notes.add("intake.extent_empty" if role == EXTENT_ROLE else "intake.layer_empty", label)
    return role != EXTENT_ROLE


def _tell_file(spec: Any, entry: int | None, layer: formats.Layer, label: str, notes: _Notes) -> None:
    """Tell what the files themselves say that a reader does not."""
    if not formats.is_file_source(spec.source):
        return
    with archives.unpacked(Path(spec.source)) as inner:
        if layer.driver == "ESRI Shapefile" and inner.suffix.lower() == ".shp":
            _tell_attributes(inner, label, notes)
        if boundaries.kind_of(inner) is None:
            notes.tell(encodings.tell(encodings.examine(inner, spec.encoding), entry), label)


def _tell_attributes(path: Path, label: str, notes: _Notes) -> None:
    rest = shapefile.rows_without_shape(path)
    if rest is None:
        notes.add("intake.attributes_missing", label)
    elif rest > 0:
        notes.add("intake.rows_without_shape", label, count=rest)


def _looked_at(role: str, spec: Any, layer: formats.Layer) -> list[str]:
    """Return the fields to read only because they may tell tiers or versions."""
    known = roles.find(role)
    if known is None or known.kind not in ("control", "context"):
        return []
    found = versions.version_fields(layer.fields)
    if tiers.is_open(role, spec.tier):
        found += tiers.fields_to_try(role, layer.fields, layer.count)
    return found


def _told_text(
    spec: Any, entry: int | None, table: formats.Table, fields: dict[str, str], label: str, notes: _Notes
) -> formats.Table:
    """Tell what the text of a layer is like; return the table, twice encoded text undone if the job asks."""
    notes.tell(attributes.tell_fields(table.layer.fields, fields.values()), label)
    if spec.undo_encoding:
        columns, count = characters.restored(table.columns, spec.undo_encoding)
        table = replace(table, columns=columns)
        notes.add("encodings.undone", label, count=count, through=spec.undo_encoding)
    used = {name: table.columns[name] for name in sorted(set(fields.values()))}
    odd = list(characters.tell_texts(table.columns, table.layer.fields, entry))
    # Of a field that is only looked at for tiers, no more matters than that its words are garbled.
    odd = [one for one in odd if one.code == "encodings.double" or one.facts["field"] in used]
    notes.tell(odd, label)
    garbled = {field for one in odd if one.code == "encodings.double" for field in one.facts["distinct"]}
    for name in sorted({fields[use] for use in ("id", "code", "tier") if use in fields} - garbled):
        notes.tell(attributes.tell_codes(name, used[name]), label)
    return table


def _fields(
    spec: Any, layer: formats.Layer, label: str, entry: int | None, extent: bool, notes: _Notes
) -> dict[str, str]:
    """Return the fields to read by use ("id", "name", "tier", "code"); a missing one is an error."""
    tier = getattr(spec, "tier", None) or {}
    wanted = {"name": spec.name_field, "id": getattr(spec, "id_field", None), "tier": tier.get("field")}
    if extent:
        wanted["code"] = getattr(spec, "code_field", None)
        known = _district_words()
        wanted["code"] = wanted["code"] or _first_field(layer.fields, known["code_fields"])
        wanted["name"] = wanted["name"] or _first_field(layer.fields, known["name_fields"])
    found = {}
    for use, name in wanted.items():
        actual, how = attributes.find_field(layer.fields, name) if name else ("", "")
        if actual:
            found[use] = actual
        elif name:
            notes.tell([attributes.tell_field(name, use, layer.fields, entry, tier)], label)
        if how and how != "as_is":
            notes.add(f"attributes.field_{how}", label, field=name, actual=actual)
    if "code" in found:
        found["id"] = found["code"]
    return found


def _first_field(fields: tuple[str, ...], names: list[str]) -> str | None:
    """Return the first of `names` among `fields`: as written, else without regard to case."""
    folded = {name.lower(): name for name in reversed(fields)}
    for name in names:
        if name in fields or name.lower() in folded:
            return name if name in fields else folded[name.lower()]
    return None


@lru_cache(maxsize=1)
def _district_words() -> dict[str, Any]:
    return json.loads(resource("districts.json").read_text(encoding="utf-8"))


# --- geometry as it comes --------------------------------------------------------------------------


def _draw(source: _Source) -> None:
    """Fill `source.geometry` with 2-D polygons from the WKB; the rest is rejected or told."""
    tolerance = CHORD_TOLERANCE_M / (georef.metres_per_unit(source.crs) if source.crs else 1.0)
    found, start = [np.empty((0, 3), np.int64)], 0
    for wkb in source.table.wkb.drain():
        source.geometry[start : start + len(wkb)], types = _drawn(wkb, tolerance)
        found.append(types)
        start += len(wkb)
    types = np.concatenate(found)
    _tell_dimensions(source, types)
    _reject_undrawn(source, types[:, 0])
    _reject_absurd(source)
    _reject_other_kinds(source)


def _drawn(wkb: np.ndarray, tolerance: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the geometries of WKB in two dimensions with curves as chords, and their `base_types`."""
    types = curves.base_types(wkb)
    curved = np.isin(types[:, 0], tuple(curves.CURVED))
    # GEOS before 3.12 cannot read measures; the reader of curves can.
    by_hand = curved | (types[:, 2].astype(bool) & (shapely.geos_version < (3, 12, 0)))
    geometry = shapely.from_wkb(np.where(by_hand, None, wkb), on_invalid="ignore")
    deep = types[:, 1:].any(axis=1)
    geometry[deep] = shapely.force_2d(geometry[deep])
    for row in np.flatnonzero(by_hand).tolist():
        geometry[row] = _straight(wkb[row], tolerance)
    return geometry, types


def _straight(wkb: bytes, tolerance: float) -> shapely.Geometry | None:
    """Return the straightened geometry, None for bytes that hold none (told as unreadable later)."""
    try:
        return curves.straighten(bytes(wkb), tolerance)
    except ValueError:
        return None


def _tell_dimensions(source: _Source, types: np.ndarray) -> None:
    curved = np.isin(types[:, 0], tuple(curves.CURVED))
    deep = int(types[:, 1:].any(axis=1).sum())
    if deep:
        source.notes.add("intake.dimensions_dropped", source.label, count=deep)
    if curved.any():
        count = int(curved.sum())
        source.notes.add("intake.curves_straightened", source.label, count=count, tolerance=CHORD_TOLERANCE_M)


def _reject_undrawn(source: _Source, kinds: np.ndarray) -> None:
    missing = source.geometry == None  # noqa: E711 (element-wise)
    surface = np.isin(kinds, tuple(curves.SURFACES))
    source.reject(np.flatnonzero(kinds < 0), "intake.geometry_null")
    source.reject(np.flatnonzero(surface), "intake.surface_unsupported")
    source.reject(np.flatnonzero(missing & (kinds >= 0) & ~surface), "intake.geometry_unreadable")
    empty = np.flatnonzero(source.alive & shapely.is_empty(source.geometry))
    source.reject(empty, "intake.geometry_empty")


def _reject_absurd(source: _Source) -> None:
    # A box does not show a vertex that is no number; the length of an outline does.
    within = (np.abs(shapely.bounds(source.geometry)) < _LARGEST_COORDINATE).all(axis=1)
    with np.errstate(over="ignore"):
        doubtful = np.flatnonzero(~within | ~np.isfinite(shapely.length(source.geometry)))
    points, rows = shapely.get_coordinates(source.geometry[doubtful], return_index=True)
    bad = ~(np.abs(points) < _LARGEST_COORDINATE).all(axis=1)
    _reject_at(source, points[bad], doubtful[rows[bad]], "intake.coordinates_absurd")


def _reject_at(source: _Source, points: np.ndarray, rows: np.ndarray, code: str) -> None:
    """Reject each of `rows` (sorted) once, naming its first point."""
    found, first = np.unique(rows, return_index=True)
    for row, (x, y) in zip(found.tolist(), points[first].tolist()):
        source.reject(np.array([row]), code, where=f"{x:.9g} {y:.9g}")


def _reject_other_kinds(source: _Source) -> None:
    kinds = shapely.get_type_id(source.geometry)
    for row in np.flatnonzero(source.alive & (kinds == _COLLECTION)).tolist():
        _unpack(source, row)
    kinds = shapely.get_type_id(source.geometry)
    for kind, name in _KINDS.items():
        source.reject(np.flatnonzero(source.alive & (kinds == kind)), "intake.not_polygon", kind=name)


def _unpack(source: _Source, row: int) -> None:
    """Use the polygons of a collection, list the rest."""
    polygons, rest = _polygons_of(source.geometry[row])
    if not polygons:
        source.reject(np.array([row]), "intake.not_polygon", kind="GeometryCollection")
        return
    source.geometry[row] = shapely.multipolygons(polygons)
    if rest:
        source.notes.add("intake.collection_rest", source.label, feature=source.feature(row), count=rest)


def _polygons_of(geometry: shapely.Geometry) -> tuple[list[shapely.Geometry], int]:
    """Return the polygons within `geometry`, however nested, and how many other parts there are."""
    kind = shapely.get_type_id(geometry)
    if kind == _POLYGON:
        return ([] if shapely.is_empty(geometry) else [geometry]), 0
    if kind not in (_MULTIPOLYGON, _COLLECTION):
        return [], 1
    parts = [_polygons_of(part) for part in shapely.get_parts(geometry)]
    return [polygon for polygons, _ in parts for polygon in polygons], sum(rest for _, rest in parts)


def _is_polygonal(source: _Source) -> bool:
    """Return whether a layer that holds geometry holds polygons; an error else."""
    drawn = source.geometry[source.geometry != None]  # noqa: E711 (element-wise)
    kinds = Counter(shapely.get_type_id(drawn).tolist())
    notes = source.notes
    codes = {finding.code for finding in notes.findings if finding.layer == source.label}
    surfaces = {"TIN / PolyhedralSurface"} if "intake.surface_unsupported" in codes else set()
    if kinds[_POLYGON] or kinds[_MULTIPOLYGON] or not (kinds or surfaces):
        return True
    names = ", ".join(sorted(surfaces | {_KINDS.get(kind, "GeometryCollection") for kind in kinds}))
    told_by_this = ("intake.not_polygon", "intake.surface_unsupported")
    notes.findings = [f for f in notes.findings if f.layer != source.label or f.code not in told_by_this]
    notes.add("intake.layer_not_polygon", source.label, kinds=names)
    return False


# --- where it lies ---------------------------------------------------------------------------------


def _source_crs(spec: Any, found: str | None, label: str, notes: _Notes) -> CRS | None:
    """Return the CRS the job names, else the file's; None with the reason in `notes`."""
    wanted = corrections.asked(spec)
    transform = wanted.get("transform", {})
    if transform.get("kind") == "4" and "shift" not in wanted:
        return None  # whatever plane it is, the parameters lead out of it
    text = transform.get("source") or spec.crs or found
    crs = georef.parse(text) if text else None
    unproved = {"proposal": "—", "readings": "—", "frame": "—"}
    if not text or (crs is not None and georef.is_undefined(crs)):
        notes.add("intake.crs_missing", label, **unproved)
    elif crs is None:
        notes.add("intake.crs_unknown", label, crs=str(text)[:80], **unproved)
    elif not (crs.is_geographic or crs.is_projected):
        notes.add("intake.crs_local", label, crs=crs.name, **unproved)
    else:
        return crs
    return None


def _corrected(source: _Source) -> bool:
    """Do to the coordinates what the job asks for, each with a word; False where that is impossible."""
    wanted = corrections.asked(source.spec)
    if not wanted:
        return True
    try:
        points = shapely.get_coordinates(source.geometry)
        moved, source.crs = corrections.corrected(points, source.crs, wanted)
    except SwcError as error:
        source.notes.error(error, source.label)
        return False
    source.geometry = shapely.set_coordinates(source.geometry, moved)
    _reject_absurd(source)
    for code, facts in corrections.told(wanted):
        source.notes.add(code, source.label, **facts)
    return True


def _placed(sources: list[_Source], job: Job, hashed: Callable[[str], str], notes: _Notes) -> list[_Source]:
    """Return the sources that may lie where their CRS says; the rest, and all doubts, go to the notes."""
    asked = [] if job.reference is None else [job.reference.as_layer()]
    opened = [_open(-1, None, REFERENCE_ROLE, spec, hashed, notes) for spec in asked]
    references = [source for source in opened if source is not None and source.crs is not None]
    reference = _subject(references[0]) if references else None
    ours = georef.parse(job.crs) if job.crs else None
    found = crs_doctor.examine([_subject(source) for source in sources], reference, ours)
    kept = [source for source, said in zip([*sources, *references], found) if _stands(source, said)]
    marked = [source for source in kept if _mark(source)]
    for source in marked if job.options.mode == "submission" else ():
        notes.add("intake.show_only", source.label)
    return [source for source in kept if source.role != REFERENCE_ROLE]


def _stands(source: _Source, diagnoses: list[crs_doctor.Diagnosis]) -> bool:
    """Tell what the doctor found; return whether the layer may go on."""
    before = len(source.notes.findings)
    for one in diagnoses:
        if one.code:
            facts = {"count": int(source.alive.sum()), **one.facts}
            source.notes.add(one.code, source.label, fixes=one.fixes, **facts)
        else:
            source.notes.prove(source.label, one.facts, one.fixes)
    if source.crs is not None and crs_doctor.is_template(source.crs):
        source.notes.add("intake.crs_template", source.label)
    told = source.notes.findings[before:]
    return source.crs is not None and not any(finding.severity == "error" for finding in told)


def _mark(source: _Source) -> str:
    """Return what results that rest on this layer must carry."""
    show_only = source.spec.shift or crs_doctor.is_template(source.crs)
    return sentence(corrections.MARK, {}) if show_only else ""


def _subject(source: _Source) -> crs_doctor.Subject:
    geometry = source.geometry if source.alive.all() else source.geometry[source.alive]
    wanted = corrections.asked(source.spec)
    return crs_doctor.Subject(
        entry=source.entry,
        label=source.label,
        crs=source.crs,
        geometry=geometry,
        confirmed=bool(source.spec.crs or "transform" in wanted),
        swapped=wanted.get("axis_order") == "swap",
        fixable="transform" not in wanted and source.role != REFERENCE_ROLE,
        extent=source.extent,
    )


def _bounds(source: _Source) -> georef.Bounds | None:
    if not source.alive.any():
        return None
    west, south, east, north = shapely.total_bounds(source.geometry[source.alive]).tolist()
    return west, south, east, north


def _area_of(sources: list[_Source]) -> georef.Bounds:
    """Return the longitudes and latitudes all layers lie in, the world if they tell nothing."""
    boxes = []
    for source in sources:
        bounds = _bounds(source)
        box = np.array(georef.lonlat_bounds(source.crs, bounds)) if bounds else np.full(4, np.inf)
        if np.isfinite(box).all() and box[0] <= box[2]:
            boxes.append(np.clip(box, [-180, -90, -180, -90], [180, 90, 180, 90]))
    if not boxes:
        return -180.0, -90.0, 180.0, 90.0
    table = np.array(boxes)
    west, south = table[:, :2].min(axis=0).tolist()
    east, north = table[:, 2:].max(axis=0).tolist()
    return west, south, east, north


def _working_crs(job: Job, sources: list[_Source], notes: _Notes) -> CRS | None:
    """Return the job's CRS or the one that fits; projected in metres, else an error."""
    if not sources:
        return None
    text = job.crs or choose_crs(_area_of(sources), [source.crs for source in sources])
    crs = georef.parse(text)
    if crs is None:
        notes.add("intake.working_crs_unknown", crs=text[:80])
    elif not georef.is_metric(crs):
        notes.add("intake.working_crs_not_metric", crs=georef.name_of(crs))
        return None
    return crs


# --- into the working CRS --------------------------------------------------------------------------


def _settle(source: _Source, move: georef.Move, submission: bool) -> _Part:
    """Return the finished features of a layer: moved, repaired, named."""
    _tell_datum(source, move)
    moved = _moved(source, move)
    _tell_unified(source, move, moved)
    repairs = _repair_all(source, moved)
    if submission and not source.alive.all():
        count = int((~source.alive).sum())
        source.notes.add("intake.left_out_submission", source.label, count=count)
    geometry = moved[source.alive]
    districts = _districts(source, geometry) if source.extent else [_NO_ATTRIBUTES] * len(geometry)
    names = _texts(source.column("name"), geometry)
    tier = _tiers(source, geometry, names)
    ids = _identities(source, tier, names)
    _tell_duplicates(source, geometry, ids)
    record = _record(source)
    given = _given(source, record, geometry, tier, submission)
    mended = _named(repairs, source, ids)
    return _Part(record, geometry, ids, names, tier, districts, mended, given, _evaluated(source, ids))


def _evaluated(source: _Source, ids: list[str]) -> Evaluated | None:
    """Return what a layer says of its evaluation, by feature; the run is told what is open in it."""
    if source.evaluation is None:
        return None
    found = records.told(source.label, source.evaluation)
    source.notes.findings += [found] if found else []
    columns = source.columns(records.fields(source.table.layer.fields))
    rows = [dict(zip(("source_id", *columns), row)) for row in zip(ids, *columns.values())]
    told = (source.index, source.role, source.label, records.trimmed(source.evaluation), rows)
    return Evaluated(*told)


def _given(
    source: _Source, record: LayerRecord, geometry: np.ndarray, tier: list[str], submission: bool
) -> versions.Given:
    """Return a layer as the version doctor wants it, and tell what its papers and dates say."""
    papers = {name: getattr(record, name) for name in _METADATA}
    given = versions.Given(source.entry, source.role, source.label, papers, geometry, tier)
    known = roles.find(source.role)
    lawful = known is not None and known.kind in ("control", "context")
    dated = source.columns(versions.version_fields(source.table.layer.fields)) if lawful else {}
    source.notes.tell(versions.tell_papers(given, dated, submission), source.label)
    source.notes.tell(versions.tell_within(given, dated, source.spec.filter), source.label)
    return given


def _tell_datum(source: _Source, move: georef.Move) -> None:
    if move.exact:
        return
    name = georef.name_of(source.crs)
    source.notes.add("intake.datum_differs", source.label, crs=name, **move.facts())
    if move.better:
        source.notes.add("intake.datum_better", source.label, crs=name, better=move.better)


def _tell_unified(source: _Source, move: georef.Move, moved: np.ndarray) -> None:
    """Tell a layer that comes from another zone, and what that does to its plane area."""
    if move.same or not crs_doctor.zones_differ(source.crs, move.target):
        return
    before, after = (float(shapely.area(one[source.alive]).sum()) for one in (source.geometry, moved))
    facts = {"crs": georef.name_of(source.crs), "working": georef.name_of(move.target)}
    change = {"before": round(before, 1), "after": round(after, 1), "change": round(after - before, 1)}
    source.notes.add("intake.crs_unified", source.label, **facts, **change)


#: Shared by all features that carry no attributes of their own.
_NO_ATTRIBUTES: dict[str, str] = {}


def _moved(source: _Source, move: georef.Move) -> np.ndarray:
    """Return the geometry in the working CRS, every vertex taken there once; None where rejected."""
    moved = np.where(source.alive, source.geometry, None)
    for start in range(0, 0 if move.same else len(moved), _BLOCK):
        block = moved[start : start + _BLOCK]
        points, rows = shapely.get_coordinates(block, return_index=True)
        there = move(points)
        lost = ~np.isfinite(there).all(axis=1)
        _reject_at(source, points[lost], start + rows[lost], "intake.not_transformable")
        alive = source.alive[start : start + _BLOCK]
        block[~alive] = None
        moved[start : start + _BLOCK] = shapely.set_coordinates(block, there[alive[rows]])
    return moved


@dataclass(frozen=True)
class _Fix:
    row: int
    reason: str
    place: tuple[float, float] | None
    before: float
    after: float
    leftovers: int


def _repair_all(source: _Source, moved: np.ndarray) -> list[_Fix]:
    """Make the invalid geometries of `moved` valid in place; what is left without area is rejected."""
    fixes = []
    for row in np.flatnonzero(source.alive & ~_are_valid(moved)).tolist():
        fixed, leftovers = repaired(moved[row])
        reason, place = _reason(moved[row])
        before = float(shapely.area(moved[row]))
        moved[row] = fixed
        fixes.append(_Fix(row, reason, place, before, float(shapely.area(fixed)), leftovers))
    flat = np.flatnonzero(source.alive & ~(shapely.area(moved) > 0))
    source.reject(flat, "intake.no_area")
    kept = [fix for fix in fixes if source.alive[fix.row]]
    if kept:
        change = sum(fix.after - fix.before for fix in kept)
        told = {"count": len(kept), "change": round(change, 4)}
        source.notes.add("intake.repaired", source.label, measure_m2=change, **told)
    return kept


def _are_valid(geometry: np.ndarray) -> np.ndarray:
    """Return bool[n]; the longest of all questions asked on the way in, so all cores answer it."""
    blocks = [geometry[start : start + _BLOCK] for start in range(0, len(geometry), _BLOCK)]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return np.concatenate([np.empty(0, bool), *pool.map(shapely.is_valid, blocks)])


def repaired(geometry: shapely.Geometry) -> tuple[shapely.Geometry, int]:
    """Return a valid (Multi)Polygon for an invalid one and the number of points and lines it shed.

    Rings of one polygon count even-odd (GEOS "linework": ground enclosed twice by the rings of one
    polygon is outside). Polygons of one feature are joined, so that ground two of them claim stays.
    """
    made = shapely.make_valid(shapely.get_parts(geometry))
    results = [_polygons_of(part) for part in made]
    polygons = [polygon for found, _ in results for polygon in found]
    leftovers = sum(rest for _, rest in results)
    if len(polygons) == 1:
        return polygons[0], leftovers
    whole = shapely.multipolygons(polygons) if polygons else shapely.Polygon()
    return (whole if shapely.is_valid(whole) else shapely.union_all(polygons)), leftovers


def _reason(geometry: shapely.Geometry) -> tuple[str, tuple[float, float] | None]:
    """Return why a geometry is invalid and where."""
    text = shapely.is_valid_reason(geometry)
    match = re.fullmatch(r"(.*?)\[(\S+) (\S+)\]", text)
    if match is None:
        return text, None
    return match[1].strip(), (float(match[2]), float(match[3]))


def _named(fixes: list[_Fix], source: _Source, ids: list[str]) -> list[Repair]:
    at = np.cumsum(source.alive) - 1
    return [
        Repair(source.index, ids[at[fix.row]], fix.reason, fix.place, fix.before, fix.after, fix.leftovers)
        for fix in fixes
    ]


def _record(source: _Source) -> LayerRecord:
    layer = source.table.layer
    metadata = {name: str(getattr(source.spec, name, None) or "") for name in _METADATA}
    return LayerRecord(
        index=source.index,
        role=source.role,
        source=formats.without_password(source.spec.source),
        layer=layer.name,
        encoding=layer.encoding,
        crs=georef.name_of(source.crs),
        count=len(source.alive),
        used=int(source.alive.sum()),
        extent=source.extent,
        sha256=source.sha256,
        corrections=corrections.asked(source.spec),
        mark=_mark(source),
        **metadata,
    )


def content_sha256(table: formats.Table) -> str:
    """Return a SHA-256 over the geometries of a table in any order: the hash of a database source."""
    digest = hashlib.sha256()
    for one in sorted(hashlib.sha256(bytes(wkb or b"")).digest() for wkb in table.wkb):
        digest.update(one)
    return digest.hexdigest()


# --- names, tiers, identities ----------------------------------------------------------------------


def as_text(value: Any) -> str:
    """Return a field value as text: nothing for NULL and NaN, whole numbers without decimals."""
    if value is None or value != value:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()


def _texts(values: np.ndarray | None, like: np.ndarray) -> list[str]:
    return [""] * len(like) if values is None else [as_text(value) for value in values]


def _tiers(source: _Source, geometry: np.ndarray, names: list[str]) -> list[str]:
    """Return the canonical tier of each feature; each word that means nothing is told once."""
    if source.extent:
        return [""] * len(geometry)
    tier = source.spec.tier or {}
    if "tier" in source.fields:
        words = [as_text(value) for value in source.column("tier")]
    else:
        words = [as_text(tier.get("value"))] * len(geometry)
    counts = Counter(words)
    known = {word: tiers.meaning_of(source.role, word, tier.get("map")) for word in counts}
    offered = _offer_tiers(source, geometry, names, counts)
    for word, number in sorted(counts.items()):
        if known[word] == "unknown" and (word or not offered):
            code = "intake.tier_unknown" if word else "intake.tier_absent"
            source.notes.add(code, source.label, word=word, count=number, role=source.role)
    return [known[word] for word in words]


def _offer_tiers(source: _Source, geometry: np.ndarray, names: list[str], counts: dict[str, int]) -> bool:
    """Tell what could settle tiers that are not chosen or not known; return whether none is chosen."""
    tier = source.spec.tier
    unchosen = tiers.is_open(source.role, tier) and len(geometry) > 0
    if unchosen:
        columns = source.columns(_looked_at(source.role, source.spec, source.table.layer))
        spoken = {name for use, name in source.fields.items() if use in ("id", "name")}
        ids = (source.fields.get("id", ""), _texts(source.column("id"), geometry))
        columns = {name: values for name, values in columns.items() if name not in spoken}
        called = [source.label, _label(replace(source.spec, layer=None))]
        found = list(tiers.tell(source.entry, source.role, called, columns, geometry, ids, names))
    else:
        found = list(tiers.tell_unknown(source.entry, source.role, tier or {}, counts))
    source.notes.tell(found, source.label)
    return unchosen and bool(found)


def _identities(source: _Source, tier: list[str], names: list[str]) -> list[str]:
    """Return the id of each feature: its field's text, else a hash of its content."""
    given = _texts(source.column("id"), source.geometry[source.alive])
    nothing = attributes.missing(given)
    given = ["" if text in nothing else text for text in given] if nothing else given
    missing = [i for i, text in enumerate(given) if not text]
    if missing:
        geometry = source.geometry[source.alive][missing]
        hashes = _content_ids(geometry, [(tier[i], names[i]) for i in missing])
        for i, text in zip(missing, hashes):
            given[i] = text
    # A district of several rows (islands) repeats its code by right.
    if not source.extent:
        _tell_doubled_ids(source, given)
    return given


def _content_ids(geometry: np.ndarray, words: list[tuple[str, str]]) -> list[str]:
    """Return "h" and 12 hex digits of SHA-256 over normalised WKB, tier and name.

    Features of identical content get -2, -3 ...: being identical, it does not matter which.
    """
    seen: Counter[str] = Counter()
    made = []
    for wkb, (tier, name) in zip(_normal_wkbs(geometry), words):
        digest = hashlib.sha256(wkb + b"\0" + tier.encode() + b"\0" + name.encode("utf-8", "surrogatepass"))
        text = "h" + digest.hexdigest()[:12]
        seen[text] += 1
        made.append(text if seen[text] == 1 else f"{text}-{seen[text]}")
    return made


def _normal_wkbs(geometry: np.ndarray) -> Iterator[bytes]:
    """Yield the WKB of each normalised geometry, a block of them in memory at once."""
    for start in range(0, len(geometry), _BLOCK):
        yield from _normal_wkb(geometry[start : start + _BLOCK])


def _normal_wkb(geometry: np.ndarray) -> np.ndarray:
    return shapely.to_wkb(shapely.normalize(geometry), byte_order=1)


def _tell_doubled_ids(source: _Source, ids: list[str]) -> None:
    doubled = sorted(text for text, number in Counter(ids).items() if number > 1)
    if doubled:
        some = ", ".join(doubled[:5]) + (" …" if len(doubled) > 5 else "")
        source.notes.add("intake.ids_doubled", source.label, count=len(doubled), some=some)


def _tell_duplicates(source: _Source, geometry: np.ndarray, ids: list[str]) -> None:
    """Tell each group of features with identical geometry; all of them stay in."""
    rows = _alike(geometry)
    groups: dict[bytes, list[int]] = {}
    for row, wkb in zip(rows.tolist(), _normal_wkb(geometry[rows])):
        groups.setdefault(wkb, []).append(row)
    for same in groups.values():
        if len(same) > 1:
            place = shapely.get_coordinates(shapely.point_on_surface(geometry[same[0]]))[0]
            named = sorted(ids[row] for row in same)
            some = ", ".join(named[:5]) + (" …" if len(named) > 5 else "")
            source.notes.add(
                "intake.duplicate_geometry",
                source.label,
                (float(place[0]), float(place[1])),
                float(shapely.area(geometry[same[0]])),
                count=len(same),
                some=some,
            )


def _alike(geometry: np.ndarray) -> np.ndarray:
    """Return the rows (int64) whose box and vertex count another row shares: few, so worth comparing."""
    box = np.ascontiguousarray(shapely.bounds(geometry)).view(np.uint64).reshape(-1, 4)
    key = shapely.get_num_coordinates(geometry).astype(np.uint64)
    for column in box.T:
        key = (key ^ (column >> np.uint64(29))) * np.uint64(0x9E3779B97F4A7C15) + column
    order = np.argsort(key, kind="stable")
    twin = key[order][1:] == key[order][:-1]
    shared = np.concatenate([twin, [False]]) | np.concatenate([[False], twin])
    return np.sort(order[shared[: len(order)]])


def _districts(source: _Source, geometry: np.ndarray) -> list[dict[str, str]]:
    """Return {code, name} of each extent row; without a code field rows count from west to east."""
    codes = [attributes.same_code(text) for text in _texts(source.column("code"), geometry)]
    nothing = attributes.missing(codes)
    codes = ["" if code in nothing else code for code in codes]
    names = _texts(source.column("name"), geometry)
    if not all(codes):
        codes = _numbered(codes, geometry)
        source.notes.add("intake.districts_numbered", source.label, count=len(geometry))
    merged = _district_words()["merged_codes"]
    for code in sorted(set(codes) & set(merged)):
        source.notes.add("intake.district_merged", source.label, former=code, to=merged[code]["code"])
    codes = [merged[code]["code"] if code in merged else code for code in codes]
    return [{"code": code, "name": name} for code, name in zip(codes, names)]


def _numbered(codes: list[str], geometry: np.ndarray) -> list[str]:
    """Return `codes` with running numbers where one is missing, west first, then south."""
    box = shapely.bounds(geometry)
    wkb = _normal_wkb(geometry)
    order = sorted(range(len(codes)), key=lambda row: (*box[row].tolist(), wkb[row]))
    filled = list(codes)
    for number, row in enumerate(order, start=1):
        filled[row] = codes[row] or str(number)
    return filled
