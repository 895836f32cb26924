# SPDX-License-Identifier: GPL-2.0-or-later
"""The one module that reads and writes vector files; nothing is ever written beside an input.

pyogrio does the work, with Arrow where pyarrow is there; fiona stands in where pyogrio is missing.
Problems are raised as :class:`SwcError` with codes ``intake.*`` so that a caller can list them.
"""

from __future__ import annotations

import codecs
import hashlib
import importlib.util
import logging
import re
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from swc_zoning.engine.job import is_address
from swc_zoning.engine.messages import SwcError

#: Text encoding of a Shapefile: how it came to be known.
ORIGINS = ("native", "given", "declared", "detected", "contradicted", "assumed")
#: Degrees per chord where the reader itself must straighten curves: 0.01 m up to a radius of 4 km.
_ARC_STEP_DEGREES = "0.25"
_SHAPE_PARTS = ("shp", "shx", "dbf", "prj", "cpg")
#: Suffix of a .prj in a copy, where no reader trips over it.
_DAMAGED_PRJ = ".damaged_prj"
_HASH_BLOCK = 1 << 20
_SQLITE_WRITE_VERSION_BYTE = 18
_SQLITE_WAL = 2


@dataclass(frozen=True)
class Layer:
    """What is known of a layer before its rows are read."""

    name: str
    fields: tuple[str, ...]
    geometry_type: str
    count: int
    driver: str
    crs: str | None
    encoding: str
    encoding_origin: str


@dataclass(frozen=True)
class Table:
    """Rows of a layer: `columns` object arrays by name, `wkb` object array of bytes or None, `fids` int64."""

    layer: Layer
    columns: dict[str, np.ndarray]
    wkb: np.ndarray
    fids: np.ndarray

    def __len__(self) -> int:
        return len(self.wkb)


def backend() -> str:
    """Return "arrow" (pyogrio with pyarrow), "pyogrio" or "fiona": the best that is installed.

    Raises SwcError ``intake.no_reader`` where there is none.
    """
    if importlib.util.find_spec("pyogrio"):
        return "arrow" if importlib.util.find_spec("pyarrow") else "pyogrio"
    if importlib.util.find_spec("fiona"):
        return "fiona"
    raise SwcError("intake.no_reader")


def is_file_source(source: str | Path) -> bool:
    """Return whether `source` is a path, not a database or service address such as ``PG:...``."""
    return not is_address(str(source))


def without_password(source: str | Path) -> str:
    """Return `source` as it may be shown: paths as they are, addresses without their password."""
    text = str(source)
    if is_file_source(source):
        return text
    text = re.sub(r"(?i)(password\s*=\s*)('[^']*'|\S+)", r"\1***", text)
    return re.sub(r"(://[^/:@]*):[^/@]*@", r"\1:***@", text)


def list_layers(source: str | Path) -> list[tuple[str, str]]:
    """Return (name, geometry type) of every layer of `source`; "" is the type of a plain table.

    Raises SwcError ``intake.source_missing`` or ``intake.unreadable``.
    """
    with _reported(source), _readable(source) as path:
        return _layers_of(path)


def describe(source: str | Path, layer: str | None = None, encoding: str | None = None) -> Layer:
    """Return what is known of `layer` (may be None where `source` has only one) without its rows.

    Raises SwcError ``intake.source_missing``, ``intake.unreadable``, ``intake.layer_unnamed``
    or ``intake.layer_not_found``.
    """
    with _reported(source), _readable(source) as path:
        return _describe(path, layer, encoding)


def read_vector(
    source: str | Path,
    layer: str | None = None,
    where: str | None = None,
    encoding: str | None = None,
    columns: Sequence[str] | None = None,
) -> Table:
    """Read a layer: `where` is an OGR filter, `columns` the fields wanted (None: all).

    Curves stay curves in the WKB where the reader allows it, else they come as chords.
    Raises SwcError as :func:`describe`, and ``intake.filter_failed`` or ``intake.damaged``.
    """
    with _reported(source), _readable(source) as path:
        known = _describe(path, layer, encoding)
        wanted = list(known.fields) if columns is None else [c for c in known.fields if c in set(columns)]
        reader = {"arrow": _read_arrow, "pyogrio": _read_raw, "fiona": _read_fiona}[backend()]
        try:
            return reader(path, known, where or None, wanted)
        except _library_errors() as error:
            if not where:
                raise
            raise SwcError("intake.filter_failed", filter=where, reason=str(error)) from error


def write_table(
    path: str | Path,
    layer: str,
    geometry_wkb: np.ndarray | None,
    columns: dict[str, np.ndarray],
    crs: str | None,
    geometry_type: str = "Polygon",
    append: bool = True,
    spatial_index: bool = True,
) -> None:
    """Write rows to `layer` of the GeoPackage `path`, creating either as needed.

    `geometry_wkb` is an object array of bytes or None (a plain table); `columns` arrays of equal
    length (numbers, booleans, or objects holding text or None). With `append` rows are added to a
    layer that is there, else such a layer is replaced. Raises SwcError ``intake.unwritable``.
    """
    target = Path(path)
    there = target.exists() and layer in [name for name, _ in list_layers(target)]
    job = _Write(
        target, layer, crs, geometry_type, append and there, spatial_index and geometry_wkb is not None
    )
    writer = {"arrow": _write_arrow, "pyogrio": _write_raw, "fiona": _write_fiona}[backend()]
    try:
        writer(job, geometry_wkb, columns)
    except _library_errors() as error:
        raise SwcError("intake.unwritable", source=target.name, reason=str(error)) from error


def read_back(path: str | Path, layer: str) -> Table:
    """Return all rows of a layer just written, for comparison."""
    return read_vector(path, layer)


def source_sha256(source: str | Path) -> str:
    """Return the SHA-256 of a source over all its files (name and content, sorted); "" for a database."""
    if not is_file_source(source):
        return ""
    digest = hashlib.sha256()
    root = Path(source)
    for part in _files_of(root):
        digest.update(part.relative_to(root.parent).as_posix().encode("utf-8") + b"\0")
        with part.open("rb") as stream:
            for block in iter(lambda: stream.read(_HASH_BLOCK), b""):
                digest.update(block)
    return digest.hexdigest()


# --- opening --------------------------------------------------------------------------------------


def _short(source: str | Path) -> str:
    """Return a name fit for messages: never the credentials of a database address."""
    return Path(source).name if is_file_source(source) else str(source).partition(":")[0]


def _files_of(path: Path) -> list[Path]:
    if path.is_dir():
        return sorted(part for part in path.rglob("*") if part.is_file() and part.suffix != ".lock")
    if path.suffix.lower() == ".shp":
        beside = (part for part in path.parent.iterdir() if part.stem == path.stem)
        return sorted(part for part in beside if part.suffix.lower().lstrip(".") in _SHAPE_PARTS)
    return [path, *_journals(path)]


def _journals(path: Path) -> list[Path]:
    logs = (path.with_name(path.name + suffix) for suffix in ("-journal", "-wal"))
    return [log for log in logs if log.exists()]


def _needs_snapshot(path: Path) -> bool:
    """Return whether merely opening `path` could write beside it (SQLite logs, GML templates)."""
    if path.suffix.lower() in (".gml", ".xml"):
        return True
    if path.is_dir() or path.suffix.lower() not in (".gpkg", ".sqlite", ".db"):
        return False
    with path.open("rb") as stream:
        header = stream.read(_SQLITE_WRITE_VERSION_BYTE + 1)
    return bool(_journals(path)) or header[_SQLITE_WRITE_VERSION_BYTE:] == bytes([_SQLITE_WAL])


def _prj_is_damaged(path: Path) -> bool:
    """Return whether a Shapefile has a .prj nobody can read: some readers refuse the layer for it."""
    prj = _sibling(path, ".prj") if path.suffix.lower() == ".shp" else None
    if prj is None:
        return False
    from swc_zoning.engine import georef

    text = prj.read_text(encoding="utf-8", errors="replace").strip()
    return bool(text) and georef.parse(text) is None


def _damaged_prj(path: Path) -> str | None:
    """Return the words of a damaged .prj that was put aside."""
    aside = path.with_suffix(_DAMAGED_PRJ)
    return aside.read_text(encoding="utf-8", errors="replace").strip() if aside.exists() else None


@contextmanager
def _readable(source: str | Path) -> Iterator[str]:
    """Yield what may be opened without touching the folder of `source`: itself, or a copy."""
    if not is_file_source(source):
        yield str(source)
        return
    path = Path(source)
    if not path.exists():
        raise SwcError("intake.source_missing", source=str(path.name))
    if _prj_is_damaged(path):
        with tempfile.TemporaryDirectory(prefix="swc_zoning_") as folder:
            for part in _files_of(path):
                suffix = _DAMAGED_PRJ if part.suffix.lower() == ".prj" else part.suffix
                shutil.copy2(part, Path(folder) / f"{part.stem}{suffix}")
            yield str(Path(folder) / path.name)
        return
    if not _needs_snapshot(path):
        yield str(path)
        return
    with tempfile.TemporaryDirectory(prefix="swc_zoning_") as folder:
        beside = [path.with_suffix(suffix) for suffix in (".gfs", ".xsd")]
        for part in [path, *_journals(path), *(p for p in beside if p.exists())]:
            shutil.copy2(part, folder)
        yield str(Path(folder) / path.name)


def _library_errors() -> tuple[type[Exception], ...]:
    """Return what the installed reader may raise for a bad file or disk."""
    errors: list[type[Exception]] = [RuntimeError, ValueError, OSError]
    if backend() == "fiona":
        from fiona._err import CPLE_BaseError
        from fiona.errors import FionaError

        errors += [FionaError, CPLE_BaseError]
    if backend() == "arrow":
        from pyarrow.lib import ArrowException

        errors.append(ArrowException)
    return tuple(errors)


@contextmanager
def _reported(source: str | Path) -> Iterator[None]:
    """Turn what the reader raises for a bad source into one code with the reason."""
    try:
        yield
    except SwcError as error:
        error.facts.setdefault("source", _short(source))
        error.facts.setdefault("layer", _short(source))
        raise
    except _library_errors() as error:
        reason = str(error).replace(str(source), _short(source)).rstrip(".")
        facts = {"source": _short(source), "layer": _short(source)}
        raise SwcError("intake.unreadable", reason=reason, **facts) from error


def _layers_of(path: str) -> list[tuple[str, str]]:
    if backend() == "fiona":
        import fiona

        # Only geometry types are wanted: names of fields must not fail to decode on the way.
        option = {"encoding": "ISO-8859-1"} if Path(path).suffix.lower() == ".shp" else {}
        names = fiona.listlayers(path)
        return [(name, _closed_kind(fiona.open(path, layer=name, **option))) for name in names]
    import pyogrio

    return [(str(name), str(kind) if kind else "") for name, kind in pyogrio.list_layers(path)]


def _closed_kind(collection: Any) -> str:
    with collection:
        kind = collection.schema["geometry"]
    return "" if kind == "None" else kind


def _pick(path: str, layer: str | None) -> str:
    layers = _layers_of(path)
    if layer:
        if layer not in [name for name, _ in layers]:
            raise SwcError("intake.layer_not_found", name=layer, layers=_names(layers))
        return layer
    drawn = [(name, kind) for name, kind in layers if kind] or layers
    if len(drawn) != 1:
        raise SwcError("intake.layer_unnamed", layers=_names(drawn))
    return drawn[0][0]


def _names(layers: list[tuple[str, str]]) -> str:
    return ", ".join(name for name, _ in layers)


def _describe(path: str, layer: str | None, encoding: str | None) -> Layer:
    name = _pick(path, layer)
    text, origin = _encoding_of(path, encoding)
    option = text if origin != "native" else None
    facts = _facts_fiona(path, name, option) if backend() == "fiona" else _facts_pyogrio(path, name, option)
    facts["crs"] = facts["crs"] or _damaged_prj(Path(path))
    return Layer(name=name, encoding=text or "UTF-8", encoding_origin=origin, **facts)


def _facts_pyogrio(path: str, name: str, encoding: str | None) -> dict[str, Any]:
    import pyogrio

    info = pyogrio.read_info(path, layer=name, encoding=encoding, force_feature_count=True)
    return {
        "fields": tuple(str(field) for field in info["fields"]),
        "geometry_type": info["geometry_type"] or "",
        "count": int(info["features"]),
        "driver": info.get("driver") or "",
        "crs": info["crs"] or None,
    }


def _facts_fiona(path: str, name: str, encoding: str | None) -> dict[str, Any]:
    import fiona

    with fiona.open(path, layer=name, encoding=encoding) as source:
        kind = source.schema["geometry"]
        return {
            "fields": tuple(source.schema["properties"]),
            "geometry_type": "" if kind == "None" else kind,
            "count": len(source),
            "driver": source.driver,
            "crs": source.crs_wkt or None,
        }


# --- reading --------------------------------------------------------------------------------------


def _option(layer: Layer) -> str | None:
    return None if layer.encoding_origin == "native" else layer.encoding


def _read_arrow(path: str, layer: Layer, where: str | None, columns: list[str]) -> Table:
    from pyogrio import raw

    meta, rows = raw.read_arrow(
        path, layer=layer.name, where=where, encoding=_option(layer), columns=columns, return_fids=True
    )
    # The Arrow stream of a damaged file ends early without a word; the row-wise reader says why.
    if _falls_short(path, layer, where, rows.num_rows):
        return _read_raw(path, layer, where, columns)
    geometry = meta["geometry_name"] or "wkb_geometry"
    fids = rows.column(meta["fid_column"] or "OGC_FID").to_numpy()
    # By position: a file may name two fields alike.
    values = {name: _objects(rows.column(rows.column_names.index(name)).to_pylist()) for name in columns}
    wkb = rows.column(geometry).to_pylist() if geometry in rows.column_names else [None] * len(fids)
    return Table(layer, values, _objects(wkb), fids.astype(np.int64))


def _falls_short(path: str, layer: Layer, where: str | None, count: int) -> bool:
    if where is None:
        return count < layer.count
    if layer.driver != "ESRI Shapefile":
        return False
    from pyogrio import raw

    return raw.read_arrow(path, layer=layer.name, columns=[])[1].num_rows < layer.count


def _read_raw(path: str, layer: Layer, where: str | None, columns: list[str]) -> Table:
    import pyogrio
    from pyogrio import raw

    before = pyogrio.get_gdal_config_option("OGR_ARC_STEPSIZE")
    pyogrio.set_gdal_config_options({"OGR_ARC_STEPSIZE": _ARC_STEP_DEGREES})
    try:
        meta, fids, wkb, values = raw.read(
            path, layer=layer.name, where=where, encoding=_option(layer), columns=columns, return_fids=True
        )
    finally:
        pyogrio.set_gdal_config_options({"OGR_ARC_STEPSIZE": before})
    named = dict(zip((str(field) for field in meta["fields"]), values))
    wkb = _objects([None] * len(fids)) if wkb is None else wkb
    return Table(layer, {name: _plain(named[name]) for name in columns}, wkb, fids.astype(np.int64))


def _read_fiona(path: str, layer: Layer, where: str | None, columns: list[str]) -> Table:
    import fiona
    import shapely
    from shapely.geometry import shape

    fids, wkb, rows = [], [], []
    opened = fiona.open(path, layer=layer.name, encoding=_option(layer))
    with fiona.Env(OGR_ARC_STEPSIZE=_ARC_STEP_DEGREES), opened as source, _fiona_errors(where):
        readable = _countable(source, layer, where)
        for feature in source.filter(where=where) if where else source:
            fids.append(int(feature["id"]))
            drawn = feature["geometry"]
            wkb.append(None if drawn is None else shapely.to_wkb(shape(drawn)))
            rows.append([feature["properties"][name] for name in columns])
    readable = len(rows) if where is None else readable
    if readable < layer.count:
        raise SwcError("intake.damaged", read=readable, count=layer.count)
    values = {name: _objects([row[i] for row in rows]) for i, name in enumerate(columns)}
    return Table(layer, values, _objects(wkb), np.array(fids, np.int64))


class _Heard(logging.Handler):
    """Keeps what fiona only logs: some of its releases end early instead of raising."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.messages.append(record.getMessage())


@contextmanager
def _fiona_errors(where: str | None) -> Iterator[None]:
    """Raise what fiona logs as an error while rows are read."""
    logger, heard = logging.getLogger("fiona"), _Heard()
    logger.addHandler(heard)
    try:
        yield
    finally:
        logger.removeHandler(heard)
    if heard.messages:
        reason = heard.messages[-1]
        facts = {"filter": where} if where else {}
        raise SwcError("intake.filter_failed" if where else "intake.unreadable", reason=reason, **facts)


def _countable(source: Any, layer: Layer, where: str | None) -> int:
    """Return how many rows can be read in all: a filter would hide that a Shapefile ends early."""
    if where is None or layer.driver != "ESRI Shapefile":
        return layer.count
    return sum(1 for _ in source)


def _objects(values: Sequence[Any]) -> np.ndarray:
    return np.fromiter(values, dtype=object, count=len(values))


def _plain(values: np.ndarray) -> np.ndarray:
    """Return Python values; a number that is missing is None, as Arrow gives it."""
    if values.dtype.kind == "f":
        return _objects([None if number != number else number for number in values.tolist()])
    return _objects(values.tolist())


# --- text encoding of Shapefiles -------------------------------------------------------------------


def _encoding_of(path: str, given: str | None) -> tuple[str | None, str]:
    """Return (encoding, origin of ORIGINS) for the text of `path`."""
    if Path(path).suffix.lower() != ".shp":
        return (given, "given") if given else (None, "native")
    if given:
        return _known_encoding(given), "given"
    table = _sibling(Path(path), ".dbf")
    return detect_encoding(table, _declared(Path(path))) if table else ("UTF-8", "native")


def _sibling(path: Path, suffix: str) -> Path | None:
    beside = (path.with_suffix(case) for case in (suffix, suffix.upper()))
    return next((part for part in beside if part.exists()), None)


def _known_encoding(name: str) -> str:
    try:
        codecs.lookup(name)
    except LookupError as error:
        raise SwcError("intake.encoding_unknown", encoding=name) from error
    return name


def _declared(path: Path) -> str | None:
    """Return the encoding the .cpg names, None where it names none we know ("system", "OEM")."""
    page = _sibling(path, ".cpg")
    if page is None:
        return None
    name = page.read_text(encoding="ascii", errors="replace").strip()
    name = f"cp{name}" if name.isdigit() and name != "65001" else name.replace("65001", "utf-8")
    try:
        return codecs.lookup(name).name if name.lower() not in ("", "system", "oem", "ansi") else None
    except LookupError:
        return None


def detect_encoding(dbf: Path, declared: str | None = None) -> tuple[str, str]:
    """Return (encoding, origin) of the text in a dBASE table by its bytes.

    Bytes that are valid UTF-8 are UTF-8; else bytes that are valid GB 18030 and give more Chinese
    characters than Latin letters are GB18030; else ISO-8859-1, "assumed". A declaration is believed
    unless the bytes contradict it. Plain ASCII is "native": every reader has it right.
    """
    values = _text_bytes(dbf)
    if not values:
        return declared or "UTF-8", "native"
    if declared and _decodes(values, declared):
        return declared, "declared"
    if _decodes(values, "UTF-8"):
        return "UTF-8", "contradicted" if declared else "detected"
    if _decodes(values, "GB18030") and _reads_chinese(values):
        return "GB18030", "contradicted" if declared else "detected"
    return "ISO-8859-1", "assumed"


def _decodes(values: list[bytes], encoding: str) -> bool:
    """Return whether all `values` decode; half a character cut off by the field width is allowed."""
    try:
        for value in values:
            codecs.getincrementaldecoder(encoding)("strict").decode(value)
    except UnicodeDecodeError:
        return False
    return True


def _reads_chinese(values: list[bytes]) -> bool:
    """Tell GB 18030 from Latin text, whose accented letters also pass as half of a character."""
    text = "".join(value.decode("GB18030", errors="ignore") for value in values)
    letters = sum(character.isascii() and character.isalpha() for character in text)
    return sum(not character.isascii() for character in text) > letters


def _text_bytes(dbf: Path) -> list[bytes]:
    """Return the distinct field names and text values that are not plain ASCII."""
    raw = np.memmap(dbf, dtype=np.uint8, mode="r") if dbf.stat().st_size else np.empty(0, np.uint8)
    header, width = (int.from_bytes(raw[i : i + 2].tobytes(), "little") for i in (8, 10))
    names, spans = _dbf_fields(raw[:header].tobytes())
    count = (len(raw) - header) // width if width else 0
    records = raw[header : header + count * width].reshape(count, width) if count > 0 else None
    found = {name for name in names if not name.isascii()}
    for start, size in spans if records is not None else ():
        column = np.ascontiguousarray(records[:, start : start + size])
        wide = column[(column >= 0x80).any(axis=1)]
        found.update(value.rstrip(b" \0") for value in wide.view(f"S{size}").ravel().tolist())
    return sorted(found)


def _dbf_fields(header: bytes) -> tuple[list[bytes], list[tuple[int, int]]]:
    """Return the field names and the (start, size) of the text fields of a dBASE header."""
    names, spans, start = [], [], 1
    for at in range(32, len(header) - 31, 32):
        if header[at] == 0x0D:
            break
        names.append(header[at : at + 11].split(b"\0")[0])
        if header[at + 11 : at + 12] == b"C":
            spans.append((start, header[at + 16]))
        start += header[at + 16]
    return names, spans


# --- writing --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Write:
    path: Path
    layer: str
    crs: str | None
    geometry_type: str
    append: bool
    spatial_index: bool

    def options(self) -> dict[str, Any]:
        """Return pyogrio's options; version 1.2 keeps GDAL 3.6 quiet."""
        made = {"driver": "GPKG", "layer": self.layer, "crs": self.crs, "append": self.append}
        if not self.path.exists():
            made["dataset_options"] = {"VERSION": "1.2"}
        if not self.append:
            made["layer_options"] = {"SPATIAL_INDEX": "YES" if self.spatial_index else "NO"}
        return made


def _write_arrow(job: _Write, wkb: np.ndarray | None, columns: dict[str, np.ndarray]) -> None:
    import pyarrow as pa
    from pyogrio import raw

    arrays = {
        name: pa.array(values, from_pandas=values.dtype.kind == "f") for name, values in columns.items()
    }
    # A column of only None has no type of its own; text is what such a column holds elsewhere.
    arrays = {n: a.cast(pa.string()) if pa.types.is_null(a.type) else a for n, a in arrays.items()}
    options = job.options()
    if wkb is None:
        options.update(crs=None)
        options.pop("layer_options", None)
    else:
        arrays["geom"] = pa.array(wkb, type=pa.binary())
        options.update(geometry_name="geom", geometry_type=job.geometry_type)
    raw.write_arrow(pa.table(arrays), str(job.path), **options)


def _write_raw(job: _Write, wkb: np.ndarray | None, columns: dict[str, np.ndarray]) -> None:
    from pyogrio import raw

    options = job.options()
    if wkb is None:
        options.update(crs=None)
        options.pop("layer_options", None)
    raw.write(
        str(job.path),
        geometry=wkb,
        field_data=list(columns.values()),
        fields=np.array(list(columns), dtype=object),
        geometry_type=None if wkb is None else job.geometry_type,
        **options,
    )


_FIONA_TYPES = {"i": "int", "u": "int", "f": "float", "b": "bool", "O": "str", "U": "str"}


def _write_fiona(job: _Write, wkb: np.ndarray | None, columns: dict[str, np.ndarray]) -> None:
    import fiona

    fields = {name: _FIONA_TYPES[values.dtype.kind] for name, values in columns.items()}
    schema = {"geometry": "None" if wkb is None else job.geometry_type, "properties": fields}
    made = {} if job.append else {"SPATIAL_INDEX": "YES" if job.spatial_index else "NO"}
    made.update({} if job.path.exists() else {"VERSION": "1.2"})
    # A layer written without a CRS is a table: fiona wants none named at all.
    crs = {"crs": job.crs} if job.crs and wkb is not None else {}
    target = fiona.open(
        str(job.path),
        "a" if job.append else "w",
        driver="GPKG",
        layer=job.layer,
        schema=schema,
        **crs,
        **made,
    )
    with target:
        target.writerecords(_records(wkb, columns))


def _records(wkb: np.ndarray | None, columns: dict[str, np.ndarray]) -> Iterator[dict[str, Any]]:
    import shapely
    from shapely.geometry import mapping

    rows = zip(*(values.tolist() for values in columns.values()))
    drawn = [None] * len(next(iter(columns.values()))) if wkb is None else shapely.from_wkb(wkb)
    for geometry, row in zip(drawn, rows):
        shape = None if geometry is None else mapping(geometry)
        yield {"type": "Feature", "geometry": shape, "properties": dict(zip(columns, row))}
