# SPDX-License-Identifier: GPL-2.0-or-later
"""The one module that reads and writes vector files; nothing is ever written beside an input.

pyogrio does the work, with Arrow where pyarrow is there; fiona stands in where pyogrio is missing.
Problems are raised as :class:`SwcError` with codes ``intake.*`` so that a caller can list them.
"""

from __future__ import annotations

import hashlib
import importlib.util
import logging
import re
import shutil
import sqlite3
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any, Union

import numpy as np

from swc_zoning.engine import admission, archives, encodings, scratch, shapefile
from swc_zoning.engine.job import is_address
from swc_zoning.engine.messages import SwcError

#: Degrees per chord where the reader itself must straighten curves: 0.01 m up to a radius of 4 km.
_ARC_STEP_DEGREES = "0.25"
#: A scheme no proxy has: the library gives up before it looks up any name.
_NO_PROXY_THERE_IS = "none://none"
_SHAPE_PARTS = ("shp", "shx", "dbf", "prj", "cpg")
_HASH_BLOCK = 1 << 20
#: Rows that are in memory at once where a layer is read row by row or back.
_BATCH_READ = 10_000
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


class Geometries:
    """The geometries of a table as WKB, left as the reader made them: the largest thing in memory.

    To be had in parts, as object arrays of bytes or None; ``numpy.asarray`` makes one of all.
    """

    def __init__(self, parts: Iterable[Any] = ()) -> None:
        self._parts = list(parts)

    def __len__(self) -> int:
        return sum(len(part) for part in self._parts)

    def __iter__(self) -> Iterator[bytes | None]:
        for part in self._parts:
            yield from _blobs(part)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        parts = [_blobs(part) for part in self._parts]
        return np.concatenate(parts) if parts else np.empty(0, object)

    def drain(self) -> Iterator[np.ndarray]:
        """Yield the parts in order, letting go of each before the next."""
        while self._parts:
            yield _blobs(self._parts.pop(0))


def _blobs(part: Any) -> np.ndarray:
    return part if isinstance(part, np.ndarray) else part.to_numpy(zero_copy_only=False)


@dataclass(frozen=True)
class Table:
    """Rows of a layer: `columns` object arrays by name, `fids` int64."""

    layer: Layer
    columns: dict[str, np.ndarray]
    wkb: Geometries
    fids: np.ndarray

    def __len__(self) -> int:
        return len(self.fids)


@dataclass(frozen=True)
class Coded:
    """A text column that repeats itself: row i holds ``values[codes[i]]``, text or None."""

    values: np.ndarray
    codes: np.ndarray

    def __len__(self) -> int:
        return len(self.codes)


Column = Union[np.ndarray, Coded]


@dataclass(frozen=True)
class Batch:
    """Some rows of a table to write: `wkb` object array of bytes or None, None for a plain table.

    `columns` of equal length: numbers, booleans, objects holding text or None, ASCII bytes (dtype S),
    or :class:`Coded`.
    """

    wkb: np.ndarray | None
    columns: dict[str, Column]

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))


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


def name_of(source: str | Path) -> str:
    """Return a name fit for messages: of a file without its folder, of a database only what kind it is."""
    text = str(source)
    return re.split(r"[\\/]", text.rstrip("\\/"))[-1] if is_file_source(source) else text.partition(":")[0]


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
    with _reported(source), _readable(source) as opened, encodings.whole(opened, encoding) as path:
        return _describe(path, layer, encoding)


def read_vector(
    source: str | Path,
    layer: str | None = None,
    where: str | None = None,
    encoding: str | None = None,
    columns: Sequence[str] | None = None,
    geometry: bool = True,
) -> Table:
    """Read a layer: `where` is an OGR filter, `columns` the fields wanted (None: all).

    Without `geometry` there is None for each.

    Curves stay curves in the WKB where the reader allows it, else they come as chords.
    Raises SwcError as :func:`describe`, and ``intake.filter_failed`` or ``intake.damaged``.
    """
    with _reported(source), _readable(source) as opened, encodings.whole(opened, encoding) as path:
        known = _describe(path, layer, encoding)
        wanted = list(known.fields) if columns is None else [c for c in known.fields if c in set(columns)]
        reader = {"arrow": _read_arrow, "pyogrio": _read_raw, "fiona": _read_fiona}[backend()]
        try:
            return reader(path, known, where or None, wanted, geometry)
        except _library_errors() as error:
            if not where:
                raise
            raise SwcError("intake.filter_failed", filter=where, reason=str(error)) from error


def read_columns(path: str | Path, layer: str, columns: Sequence[str]) -> Iterator[dict[str, np.ndarray]]:
    """Yield `columns` of a layer without geometry, some rows at a time where the reader can.

    Object arrays as in :class:`Table`. Raises what `read_vector` raises.
    """
    if backend() != "arrow":
        yield read_vector(path, layer, columns=columns, geometry=False).columns
        return
    from pyogrio import raw

    with _reported(path), _readable(path) as readable:
        name, wanted = _describe(readable, layer, None).name, list(columns)
        options = {"columns": wanted, "read_geometry": False, "use_pyarrow": True}
        with raw.open_arrow(readable, layer=name, batch_size=_BATCH_READ, **options) as (_, rows):
            for part in rows:
                yield {column: _shared_chunk(part.column(column)) for column in wanted}


def write_table(
    path: str | Path,
    layer: str,
    batches: Iterable[Batch],
    crs: str | None,
    geometry_type: str = "Polygon",
    append: bool = True,
    spatial_index: bool = True,
) -> None:
    """Write rows to `layer` of the GeoPackage `path`, creating either as needed.

    `batches`, at least one and all of the same columns, are asked for one by one: what is to be
    written need never be in memory as a whole. With `append` rows are added to a layer that is
    there, else such a layer is replaced. Raises SwcError ``intake.unwritable``.
    """
    target = Path(path)
    there = target.exists() and layer in [name for name, _ in list_layers(target)]
    feed = _Feed(batches)
    drawn = feed.first.wkb is not None
    job = _Write(target, layer, crs, geometry_type, append and there, spatial_index and drawn)
    writer = {"arrow": _write_arrow, "pyogrio": _write_raw, "fiona": _write_fiona}[backend()]
    try:
        writer(job, feed)
    except _library_errors() as error:
        if feed.error is not None:
            raise feed.error from None
        raise SwcError("intake.unwritable", source=target.name, reason=str(error)) from error


def difference(path: str | Path, layer: str, batches: Iterable[Batch]) -> str | None:
    """Return the first field of `layer` that does not hold what `batches` say, None where all do.

    Rows are held against each other in the order they were written, geometry ("geometry") byte for
    byte, every value as it is, in as much memory as a batch takes.
    """
    with _reported(path):
        compare = _difference_arrow if backend() == "arrow" else _difference_plain
        return compare(str(path), layer, batches)


def read_back(path: str | Path, layer: str) -> Table:
    """Return all rows of a layer just written."""
    return read_vector(path, layer)


def read_drawing(path: Path) -> Table:
    """Return the entities of the DXF drawing `path`, arcs as chords of at most 0.25 degrees.

    Text comes byte for byte as ISO-8859-1: without a head, or with a wrong one, GDAL cannot know better.
    Raises SwcError ``intake.unreadable``, and ``intake.no_reader`` without pyogrio: fiona cannot.
    """
    if backend() == "fiona":
        raise SwcError("intake.no_reader")
    import pyogrio

    before = pyogrio.get_gdal_config_option("DXF_ENCODING")
    pyogrio.set_gdal_config_options({"DXF_ENCODING": "ISO-8859-1"})
    try:
        with _reported(path):
            known = _describe(str(path), None, None)
            return _read_raw(str(path), known, None, list(known.fields), True)
    finally:
        pyogrio.set_gdal_config_options({"DXF_ENCODING": before})


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


def source_bytes(source: str | Path) -> int:
    """Return the size of all files of a source; 0 for a database, and for what is not there."""
    if not is_file_source(source) or not Path(source).exists():
        return 0
    return sum(part.stat().st_size for part in _files_of(Path(source)))


# --- opening --------------------------------------------------------------------------------------


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
    logged = bool(_journals(path)) or header[_SQLITE_WRITE_VERSION_BYTE:] == bytes([_SQLITE_WAL])
    return logged or _is_locked(path)


def _is_locked(path: Path) -> bool:
    """Return whether another process keeps readers from a database; a copy of it can be read."""
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=0)) as database:
            database.execute("SELECT 1 FROM sqlite_master LIMIT 1")
    except sqlite3.OperationalError as error:
        return "locked" in str(error)
    except sqlite3.Error:
        return False  # no database: the reader says so
    return False


def _prj_is_damaged(path: Path) -> bool:
    """Return whether a Shapefile has a .prj nobody can read: some readers refuse the layer for it."""
    prj = shapefile.part(path, ".prj") if path.suffix.lower() == ".shp" else None
    if prj is None:
        return False
    from swc_zoning.engine import georef

    text = prj.read_text(encoding="utf-8", errors="replace").strip()
    return bool(text) and georef.parse(text) is None


def _damaged_prj(path: Path) -> str | None:
    """Return the words of a damaged .prj that was put aside."""
    aside = path.with_suffix(shapefile.DAMAGED_PRJ)
    return aside.read_text(encoding="utf-8", errors="replace").strip() if aside.exists() else None


@contextmanager
def _readable(source: str | Path) -> Iterator[str]:
    """Yield what may be opened without touching the folder of `source`: itself, a copy, or what is in it."""
    if not is_file_source(source):
        admission.admit_address(str(source))
        yield str(source)
        return
    path = Path(source)
    admission.admit(path)
    if not path.exists():
        raise SwcError("intake.source_missing", source=str(path.name))
    with (
        archives.unpacked(path) as inner,
        _plain_file(inner) as plain,
        _untouched(plain) as opened,
        _offline(),
    ):
        yield opened


def _plain_file(path: Path) -> AbstractContextManager[Path]:
    from swc_zoning.engine import boundaries  # it writes through this module

    return boundaries.as_plain(path)


@contextmanager
def _offline() -> Iterator[None]:
    """Leave GDAL no way to the network: a file that points there has nothing fetched for it."""
    if backend() == "fiona":
        import fiona

        with fiona.Env(GDAL_HTTP_PROXY=_NO_PROXY_THERE_IS):
            yield
        return
    import pyogrio

    before = pyogrio.get_gdal_config_option("GDAL_HTTP_PROXY")
    pyogrio.set_gdal_config_options({"GDAL_HTTP_PROXY": _NO_PROXY_THERE_IS})
    try:
        yield
    finally:
        pyogrio.set_gdal_config_options({"GDAL_HTTP_PROXY": before})


@contextmanager
def _untouched(path: Path) -> Iterator[str]:
    """Yield `path`, once it is found whole, or a copy where opening it could write beside it."""
    if path.suffix.lower() == ".shp":
        shapefile.prove_whole(path)
    if _prj_is_damaged(path):
        with scratch.folder("snapshot") as folder:
            for part in _files_of(path):
                suffix = shapefile.DAMAGED_PRJ if part.suffix.lower() == ".prj" else part.suffix
                scratch.bring(part, folder / f"{part.stem}{suffix}")
            yield str(folder / path.name)
        return
    if not _needs_snapshot(path):
        yield str(path)
        return
    beside = [path.with_suffix(suffix) for suffix in (".gfs", ".xsd")]
    parts = [path, *_journals(path), *(part for part in beside if part.exists())]
    with scratch.folder("snapshot") as folder:
        scratch.ensure_space(folder, sum(part.stat().st_size for part in parts))
        for part in parts:
            shutil.copy2(part, folder)
        yield str(folder / path.name)


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
        error.facts.setdefault("source", name_of(source))
        error.facts.setdefault("layer", name_of(source))
        raise
    except _library_errors() as error:
        reason = str(error).replace(str(source), name_of(source)).rstrip(".")
        facts = {"source": name_of(source), "layer": name_of(source)}
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
    text, origin = encodings.encoding_of(path, encoding)
    option = text if origin != "native" else None
    facts = _facts_fiona(path, name, option) if backend() == "fiona" else _facts_pyogrio(path, name, option)
    admission.admit_driver(facts["driver"])
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


def _read_arrow(
    path: str, layer: Layer, where: str | None, columns: list[str], geometry: bool = True
) -> Table:
    from pyogrio import raw

    meta, rows = raw.read_arrow(
        path,
        layer=layer.name,
        where=where,
        encoding=_option(layer),
        columns=columns,
        read_geometry=geometry,
        return_fids=True,
    )
    # The Arrow stream of a damaged file ends early without a word; the row-wise reader says why.
    if _falls_short(path, layer, where, rows.num_rows):
        return _read_raw(path, layer, where, columns, geometry)
    drawn = meta["geometry_name"] or "wkb_geometry"
    fids = rows.column(meta["fid_column"] or "OGC_FID").to_numpy()
    # By position: a file may name two fields alike.
    values = {name: _shared(rows.column(rows.column_names.index(name))) for name in columns}
    wkb = (
        rows.column(drawn).chunks
        if geometry and drawn in rows.column_names
        else [_objects([None] * len(fids))]
    )
    return Table(layer, values, Geometries(wkb), fids.astype(np.int64))


def _shared(column: Any) -> np.ndarray:
    """Return the Python values of an Arrow column; text that repeats is there once."""
    return np.concatenate([np.empty(0, object), *(_shared_chunk(chunk) for chunk in column.chunks)])


def _shared_chunk(chunk: Any) -> np.ndarray:
    import pyarrow as pa

    coded = chunk.dictionary_encode() if pa.types.is_string(chunk.type) else None
    if coded is None or len(coded.dictionary) > len(chunk) / 2:
        return _objects(chunk.to_pylist())
    values = _objects([*map(sys.intern, coded.dictionary.to_pylist()), None])
    return values[coded.indices.fill_null(len(values) - 1).to_numpy(zero_copy_only=False)]


def _falls_short(path: str, layer: Layer, where: str | None, count: int) -> bool:
    if where is None:
        return count < layer.count
    if layer.driver != "ESRI Shapefile":
        return False
    from pyogrio import raw

    return raw.read_arrow(path, layer=layer.name, columns=[])[1].num_rows < layer.count


def _read_raw(path: str, layer: Layer, where: str | None, columns: list[str], geometry: bool = True) -> Table:
    import pyogrio
    from pyogrio import raw

    before = pyogrio.get_gdal_config_option("OGR_ARC_STEPSIZE")
    pyogrio.set_gdal_config_options({"OGR_ARC_STEPSIZE": _ARC_STEP_DEGREES})
    try:
        meta, fids, wkb, values = raw.read(
            path,
            layer=layer.name,
            where=where,
            encoding=_option(layer),
            columns=columns,
            read_geometry=geometry,
            return_fids=True,
        )
    finally:
        pyogrio.set_gdal_config_options({"OGR_ARC_STEPSIZE": before})
    named = dict(zip((str(field) for field in meta["fields"]), values))
    wkb = _objects([None] * len(fids)) if wkb is None else wkb
    values = {name: _plain(named[name]) for name in columns}
    return Table(layer, values, Geometries([wkb]), fids.astype(np.int64))


def _read_fiona(
    path: str, layer: Layer, where: str | None, columns: list[str], geometry: bool = True
) -> Table:
    import fiona
    import shapely
    from shapely.geometry import shape

    fids, wkb, rows = [], [], []
    opened = fiona.open(path, layer=layer.name, encoding=_option(layer))
    with fiona.Env(OGR_ARC_STEPSIZE=_ARC_STEP_DEGREES), opened as source, _fiona_errors(where):
        readable = _countable(source, layer, where)
        for feature in source.filter(where=where) if where else source:
            fids.append(int(feature["id"]))
            drawn = feature["geometry"] if geometry else None
            wkb.append(None if drawn is None else shapely.to_wkb(shape(drawn)))
            rows.append([feature["properties"][name] for name in columns])
    readable = len(rows) if where is None else readable
    if readable < layer.count:
        raise SwcError("intake.damaged", read=readable, count=layer.count)
    values = {name: _objects([row[i] for row in rows]) for i, name in enumerate(columns)}
    return Table(layer, values, Geometries([_objects(wkb)]), np.array(fids, np.int64))


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


class _Feed:
    """Batches on their way to a writer; keeps what making one raised, which writers do not pass on."""

    def __init__(self, batches: Iterable[Batch]) -> None:
        self._rest = iter(batches)
        self.first = next(self._rest)
        self.error: BaseException | None = None

    def through(self, form: Callable[[Batch], Any]) -> Iterator[Any]:
        """Yield the batches as `form` makes them."""
        try:
            for batch in chain([self.first], self._rest):
                yield form(batch)
        except GeneratorExit:  # the writer gave up, for a reason of its own
            raise
        except BaseException as error:
            self.error = error
            raise


def _write_arrow(job: _Write, feed: _Feed) -> None:
    import pyarrow as pa
    from pyogrio import raw

    options = job.options()
    if feed.first.wkb is None:
        options.update(crs=None)
        options.pop("layer_options", None)
    else:
        options.update(geometry_name=_GEOMETRY, geometry_type=job.geometry_type)
    # One call, so that the spatial index is built once.
    rows = pa.RecordBatchReader.from_batches(_arrow(feed.first).schema, feed.through(_arrow))
    raw.write_arrow(rows, str(job.path), **options)


_GEOMETRY = "geom"


def _arrow(batch: Batch) -> Any:
    """Return a batch as a RecordBatch, its geometry as `_GEOMETRY`."""
    import pyarrow as pa

    arrays = {name: _arrow_column(column) for name, column in batch.columns.items()}
    if batch.wkb is not None:
        arrays[_GEOMETRY] = pa.array(batch.wkb, type=pa.binary())
    return pa.record_batch(arrays)


def _arrow_column(column: Column) -> Any:
    import pyarrow as pa

    if isinstance(column, Coded):
        return _arrow_column(column.values).take(pa.array(column.codes))
    if column.dtype.kind == "S":
        return pa.array(column, type=pa.binary()).cast(pa.string())
    if column.dtype.kind in "OU":
        return pa.array(column, type=pa.string(), from_pandas=True)
    return pa.array(column, from_pandas=column.dtype.kind == "f")


def _values(column: Column) -> np.ndarray:
    """Return a column as an array of numbers, or of objects holding text or None."""
    if isinstance(column, Coded):
        return column.values[column.codes]
    return column.astype(str).astype(object) if column.dtype.kind == "S" else column


def _plain_batch(batch: Batch) -> tuple[np.ndarray | None, dict[str, np.ndarray]]:
    return batch.wkb, {name: _values(column) for name, column in batch.columns.items()}


def _write_raw(job: _Write, feed: _Feed) -> None:
    from pyogrio import raw

    for number, (wkb, values) in enumerate(feed.through(_plain_batch)):
        options = (replace(job, append=True) if number else job).options()
        if wkb is None:
            options.update(crs=None)
            options.pop("layer_options", None)
        raw.write(
            str(job.path),
            geometry=wkb,
            field_data=list(values.values()),
            fields=np.array(list(values), dtype=object),
            geometry_type=None if wkb is None else job.geometry_type,
            **options,
        )


_FIONA_TYPES = {"i": "int", "u": "int", "f": "float", "b": "bool", "O": "str", "U": "str"}


def _write_fiona(job: _Write, feed: _Feed) -> None:
    import fiona

    drawn = feed.first.wkb is not None
    fields = {name: _FIONA_TYPES[_values(c).dtype.kind] for name, c in feed.first.columns.items()}
    schema = {"geometry": job.geometry_type if drawn else "None", "properties": fields}
    made = {} if job.append else {"SPATIAL_INDEX": "YES" if job.spatial_index else "NO"}
    made.update({} if job.path.exists() else {"VERSION": "1.2"})
    # A layer written without a CRS is a table: fiona wants none named at all.
    crs = {"crs": job.crs} if job.crs and drawn else {}
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
        for records in feed.through(_records):
            target.writerecords(records)


def _records(batch: Batch) -> list[dict[str, Any]]:
    import shapely
    from shapely.geometry import mapping

    rows = zip(*(_values(column).tolist() for column in batch.columns.values()))
    drawn = [None] * len(batch) if batch.wkb is None else shapely.from_wkb(batch.wkb)
    shapes = (None if geometry is None else mapping(geometry) for geometry in drawn)
    return [
        {"type": "Feature", "geometry": shape, "properties": dict(zip(batch.columns, row))}
        for shape, row in zip(shapes, rows)
    ]


# --- reading back ---------------------------------------------------------------------------------


def _difference_arrow(path: str, layer: str, batches: Iterable[Batch]) -> str | None:
    import pyarrow as pa
    from pyogrio import raw

    with raw.open_arrow(path, layer=layer, batch_size=_BATCH_READ, use_pyarrow=True) as (meta, rows):
        rest = rows.schema.empty_table()
        for batch in batches:
            meant = _arrow(batch)
            parts, short = [rest], len(batch) - len(rest)
            for part in rows if short > 0 else ():
                parts.append(pa.Table.from_batches([part]))
                short -= len(part)
                if short <= 0:
                    break
            found = pa.concat_tables(parts)
            found, rest = found.slice(0, len(batch)), found.slice(len(batch))
            name = _unlike_arrow(found, meant, meta["geometry_name"])
            if name:
                return name
    return None


def _unlike_arrow(found: Any, meant: Any, geometry: str) -> str | None:
    import pyarrow as pa

    for name in meant.schema.names:
        column = found.column((geometry or "geom") if name == _GEOMETRY else name)
        wanted = meant.column(name)
        if not column.cast(wanted.type).equals(pa.chunked_array([wanted])):
            return "geometry" if name == _GEOMETRY else name
    return None


def _difference_plain(path: str, layer: str, batches: Iterable[Batch]) -> str | None:
    known = _describe(path, layer, None)
    reader = _read_fiona if backend() == "fiona" else _read_raw
    done = 0
    for batch in batches:
        # A layer just written numbers its rows from 1.
        rows = f"fid > {done} AND fid <= {done + len(batch)}"
        name = _unlike_plain(reader(path, known, rows, list(batch.columns)), batch)
        if name:
            return name
        done += len(batch)
    return None


def _unlike_plain(found: Table, meant: Batch) -> str | None:
    if meant.wkb is not None and _bytes(found.wkb) != _bytes(meant.wkb):
        return "geometry"
    for name, column in meant.columns.items():
        wanted = _values(column)
        if wanted.dtype.kind in "OU":
            alike = _texts(found.columns[name]) == _texts(wanted)
        else:
            alike = np.array_equal(found.columns[name].astype(float), wanted.astype(float), equal_nan=True)
        if not alike:
            return name
    return None


def _bytes(wkb: Iterable[Any]) -> list[bytes | None]:
    return [None if value is None else bytes(value) for value in wkb]


def _texts(values: np.ndarray) -> list[Any]:
    """Return values with every kind of nothing as None."""
    return [None if value is None or value != value else value for value in values.tolist()]
