# SPDX-License-Identifier: GPL-2.0-or-later
"""Files with an exact schema: FileGDB, GeoPackage and Shapefile with widths, aliases and code sets.

Neither pyogrio nor fiona can write aliases and code sets. So layers are defined through the C interface of
the very GDAL that pyogrio has loaded (never a second copy), and then filled by pyogrio.
"""

from __future__ import annotations

import ctypes
import importlib.util
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pyogrio
import shapely
from numpy.typing import NDArray

from swc_zoning.engine import geopackage
from swc_zoning.engine.messages import SwcError
from swc_zoning.engine.submission.schemas import DBF_TEXT, Field, Layer
from swc_zoning.engine.submission.sheets import Sheet

FORMATS = {"gdb": "OpenFileGDB", "gpkg": "GPKG", "shp": "ESRI Shapefile"}
CRS = "EPSG:4490"
#: Of a FileGDB in degrees, all four together: with the default grid points move by up to 0.09 mm and more.
_GRID = ("XORIGIN=-400", "YORIGIN=-400", "XYSCALE=1e10", "XYTOLERANCE=1e-9")
#: What a text field of a Shapefile is written in.
SHP_ENCODING = "GBK"

_OGR_TYPES = {"integer": 0, "real": 2, "text": 4}
_KINDS = {0: "integer", 2: "real", 4: "text", 9: "date", 10: "time", 11: "datetime", 12: "integer"}
_POLYGON, _MULTIPOLYGON, _NO_GEOMETRY = 3, 6, 100
_READ_VECTOR = 0x04
_CREATE_APPROXIMATELY = 1


@dataclass(frozen=True)
class DescribedField:
    """A field as a file has it; `length` 0: not limited."""

    name: str
    kind: str
    length: int
    decimals: int
    alias: str
    domain: str


@dataclass(frozen=True)
class Described:
    """A layer as a file has it; `crs` like "EPSG:4490", None where it has none or it is a table."""

    name: str
    fields: tuple[DescribedField, ...]
    geometry_type: str
    crs: str | None
    count: int
    encoding: str


@dataclass(frozen=True)
class Raw:
    """Rows as a file has them: `columns` by name, `wkb` bytes or None for each, `fids` int64."""

    columns: dict[str, NDArray[Any]]
    wkb: NDArray[Any] | None
    fids: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.fids)

    def polygons(self) -> NDArray[Any] | None:
        """Return the geometries, None for a table."""
        return None if self.wkb is None else shapely.from_wkb(self.wkb)


def write(
    path: Path,
    form: str,
    sheets: Sequence[Sheet],
    domains: Mapping[str, Mapping[str, str]] | None = None,
    lang: str = "zh",
) -> None:
    """Write `sheets` to a new data set: a .gdb folder, a .gpkg file, or for "shp" a folder of Shapefiles.

    A folder of Shapefiles gets the polygon layers only, names as `Field.short`, text in GBK. `domains` are
    the code sets of gdb and gpkg. Raises SwcError ``datasets.rare``, ``datasets.too_long``,
    ``datasets.unwritable`` and ``datasets.no_gdal``.
    """
    if form == "shp":
        path.mkdir(parents=True, exist_ok=True)
        for sheet in sheets:
            if sheet.geometry is not None:
                _refuse_unfit(sheet)
                _define(shapefile(path, sheet.layer.name), form, [sheet], {}, lang)
                append(path, form, sheet)
        return
    _define(path, form, sheets, domains or {}, lang)
    for sheet in sheets:
        append(path, form, sheet)


def append(path: Path, form: str, sheet: Sheet) -> None:
    """Add the rows of `sheet` to its layer, which is there. Raises SwcError ``datasets.unwritable``."""
    if len(sheet) == 0:
        return
    names = {name: short_name(sheet.layer, name) if form == "shp" else name for name in sheet.columns}
    target = shapefile(path, sheet.layer.name) if form == "shp" else path
    multi = sheet.geometry is not None and _is_multi(form, sheet)
    drawn = (
        None
        if sheet.geometry is None
        else shapely.to_wkb(_promoted(sheet.geometry) if multi else sheet.geometry)
    )
    try:
        pyogrio.raw.write(
            str(target),
            drawn,
            list(sheet.columns.values()),
            list(names.values()),
            layer=sheet.layer.name,
            driver=FORMATS[form],
            geometry_type=None if drawn is None else "MultiPolygon" if multi else "Polygon",
            crs=None if drawn is None else CRS,
            encoding=SHP_ENCODING if form == "shp" else None,
            append=True,
        )
    except (RuntimeError, ValueError, OSError) as error:
        raise SwcError(
            "datasets.unwritable", path=path.name, layer=sheet.layer.name, reason=str(error)
        ) from error


def describe(path: Path, form: str) -> dict[str, Described]:
    """Return what a data set has, by layer. Raises SwcError ``datasets.unreadable``."""
    if form == "shp":
        parts = [_described(file, form) for file in sorted(Path(path).glob("*.shp"))]
        return {name: layer for part in parts for name, layer in part.items()}
    return _described(path, form)


def read(path: Path, form: str, layer: str) -> Raw:
    """Return all rows of a layer as they are. Raises SwcError ``datasets.unreadable``."""
    source = shapefile(path, layer) if form == "shp" else path
    # A GeoPackage keeps a count of its rows that may be older than they are; a filter has them counted.
    where = "1 = 1" if form == "gpkg" else None
    with _readable(source):
        meta, fids, wkb, columns = pyogrio.raw.read(
            str(source), layer=layer, where=where, return_fids=True, force_2d=False
        )
    wkb = None if meta["geometry_type"] is None else wkb
    return Raw(dict(zip(map(str, meta["fields"]), columns)), wkb, np.asarray(fids, np.int64))


def domains(path: Path, form: str) -> dict[str, dict[str, str]]:
    """Return the code sets a data set holds: name -> code -> name; Shapefiles have none."""
    if form == "shp":
        return {}
    library = _library()
    with _opened(path, form) as data_set:
        names = library.names(library.GDALDatasetGetFieldDomainNames(data_set, None))
        return {name: library.codes(data_set, name) for name in names}


def shapefile(folder: Path, layer: str) -> Path:
    """Return the .shp of a layer in a folder of Shapefiles."""
    return Path(folder) / f"{layer}.shp"


def short_name(layer: Layer, name: str) -> str:
    """Return what a field is called in a Shapefile: as the schema says, else its first ten bytes."""
    field = layer.field(name)
    return field.short if field else name.encode("utf-8")[:10].decode("utf-8", errors="ignore")


def shp_length(field: Field) -> int:
    """Return the width of a text field in a Shapefile, which counts bytes and ends at 254."""
    return min(field.length, DBF_TEXT)


# --- defining --------------------------------------------------------------------------------------


def _define(
    path: Path, form: str, sheets: Sequence[Sheet], domains: Mapping[str, Mapping[str, str]], lang: str
) -> None:
    """Make the empty layers."""
    library = _library()
    with _created(path, form) as data_set:
        if form != "shp":
            for name, codes in _used(sheets, domains).items():
                library.add_codes(data_set, name, codes)
        for sheet in sheets:
            _define_layer(data_set, path, form, sheet, lang)


def _used(sheets: Sequence[Sheet], domains: Mapping[str, Mapping[str, str]]) -> dict[str, Mapping[str, str]]:
    """Return the code sets that fields hold one code of; a list of codes is of no set a file knows."""
    fields = [field for sheet in sheets for field in sheet.layer.fields]
    names = {field.domain for field in fields if field.domain and not field.listed}
    return {name: domains[name] for name in sorted(names) if name in domains}


def _define_layer(data_set: int, path: Path, form: str, sheet: Sheet, lang: str) -> None:
    library, layer = _library(), sheet.layer
    title = layer.title(lang)
    options = {
        "gdb": (f"LAYER_ALIAS={title}", *(_GRID if sheet.geometry is not None else ())),
        "gpkg": (f"IDENTIFIER={layer.name} {title}", f"DESCRIPTION={title}"),
        "shp": (f"ENCODING={SHP_ENCODING}",),
    }[form]
    kind, reference = _NO_GEOMETRY, None
    if sheet.geometry is not None:
        kind, reference = (_MULTIPOLYGON if _is_multi(form, sheet) else _POLYGON), library.reference(4490)
    made = library.GDALDatasetCreateLayer(
        data_set, layer.name.encode(), reference, kind, library.list_of(options)
    )
    if not made:
        raise SwcError("datasets.unwritable", path=path.name, layer=layer.name, reason=library.last_error())
    for name, values in sheet.columns.items():
        _define_field(made, path, form, layer, name, values, lang)


def _define_field(
    made: int, path: Path, form: str, layer: Layer, name: str, values: NDArray[Any], lang: str
) -> None:
    library, field = _library(), layer.field(name)
    kind = field.kind if field else _kind_of(values)
    definition = library.OGR_Fld_Create(
        short_name(layer, name).encode() if form == "shp" else name.encode(), _OGR_TYPES[kind]
    )
    try:
        if field:
            length = shp_length(field) if form == "shp" and kind == "text" else field.length
            # A FileGDB keeps no digits of numbers; a GeoPackage neither.
            if kind == "text" or form == "shp":
                library.OGR_Fld_SetWidth(definition, length)
                library.OGR_Fld_SetPrecision(definition, field.decimals)
            library.OGR_Fld_SetAlternativeName(definition, field.alias(lang).encode())
            if field.domain and not field.listed and form != "shp":
                library.OGR_Fld_SetDomainName(definition, field.domain.encode())
        elif form == "shp" and kind == "text":
            library.OGR_Fld_SetWidth(definition, DBF_TEXT)
        if library.OGR_L_CreateField(made, definition, _CREATE_APPROXIMATELY):
            raise SwcError(
                "datasets.unwritable", path=path.name, layer=layer.name, reason=library.last_error()
            )
    finally:
        library.OGR_Fld_Destroy(definition)


def _kind_of(values: NDArray[Any]) -> str:
    return {"i": "integer", "f": "real"}.get(values.dtype.kind, "text")


def _is_multi(form: str, sheet: Sheet) -> bool:
    """Return whether a layer is one of MultiPolygons: always in a FileGDB, never in a Shapefile."""
    kinds = shapely.get_type_id(sheet.geometry) if form == "gpkg" else ()
    return form == "gdb" or bool(np.any(np.asarray(kinds) == _MULTIPOLYGON))


def _promoted(geometry: NDArray[Any]) -> NDArray[Any]:
    single = shapely.get_type_id(geometry) == _POLYGON
    promoted = geometry.copy()
    promoted[single] = shapely.multipolygons(geometry[single][:, None])
    return promoted


def _refuse_unfit(sheet: Sheet) -> None:
    """Refuse text a Shapefile would cut or could not hold: it would do so without a word."""
    bsm = sheet.columns.get("BSM")
    for name, values in sheet.columns.items():
        field = sheet.layer.field(name)
        if values.dtype != object:
            continue
        length = shp_length(field) if field else DBF_TEXT
        for number, value in enumerate(values.tolist()):
            if value is None or (value.isascii() and len(value) <= length):
                continue
            where = {"layer": sheet.layer.name, "field": name, "value": value[:60]}
            try:
                size = len(value.encode(SHP_ENCODING))
            except UnicodeEncodeError as error:
                sign = value[error.start]
                who = "" if bsm is None else bsm[number]
                raise SwcError(
                    "datasets.rare", **where, bsm=who, sign=sign, point=f"U+{ord(sign):04X}"
                ) from error
            if size > length:
                raise SwcError("datasets.too_long", **where, length=length)


# --- describing ------------------------------------------------------------------------------------


def _described(path: Path, form: str) -> dict[str, Described]:
    library = _library()
    with _opened(path, form) as data_set:
        layers = [
            library.GDALDatasetGetLayer(data_set, number)
            for number in range(library.GDALDatasetGetLayerCount(data_set))
        ]
        fields = {library.OGR_L_GetName(layer).decode(): _fields_of(layer) for layer in layers}
    if form == "gpkg":
        fields = _with_titles(path, fields)
    described = {}
    for name, known in fields.items():
        with _readable(path):
            info = pyogrio.read_info(str(path), layer=name, force_feature_count=True)
        kind = info["geometry_type"] or ""
        described[name] = Described(name, known, kind, info["crs"], info["features"], info["encoding"] or "")
    return described


def _fields_of(layer: int) -> tuple[DescribedField, ...]:
    library = _library()
    definition = library.OGR_L_GetLayerDefn(layer)
    fields = []
    for number in range(library.OGR_FD_GetFieldCount(definition)):
        field = library.OGR_FD_GetFieldDefn(definition, number)
        texts = (library.OGR_Fld_GetAlternativeNameRef(field), library.OGR_Fld_GetDomainName(field))
        alias, domain = ((text or b"").decode("utf-8", errors="replace") for text in texts)
        fields.append(
            DescribedField(
                library.OGR_Fld_GetNameRef(field).decode("utf-8", errors="replace"),
                _KINDS.get(library.OGR_Fld_GetType(field), "other"),
                library.OGR_Fld_GetWidth(field),
                library.OGR_Fld_GetPrecision(field),
                alias,
                domain,
            )
        )
    return tuple(fields)


def _with_titles(
    path: Path, fields: dict[str, tuple[DescribedField, ...]]
) -> dict[str, tuple[DescribedField, ...]]:
    """Return fields with the aliases, which a GeoPackage keeps in a table that GDAL does not read."""
    with geopackage.opened(path) as connection:
        tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master")}
        if "gpkg_data_columns" not in tables:
            return fields
        rows = connection.execute("SELECT table_name, column_name, name FROM gpkg_data_columns")
        titles = {(layer, column): name or "" for layer, column, name in rows}
    return {
        layer: tuple(replace(one, alias=titles.get((layer, one.name), one.alias)) for one in known)
        for layer, known in fields.items()
    }


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        yield
    except (RuntimeError, ValueError, OSError) as error:
        raise SwcError("datasets.unreadable", path=Path(path).name, reason=str(error)) from error


# --- the library -----------------------------------------------------------------------------------


class _Code(ctypes.Structure):
    """OGRCodedValue."""

    _fields_ = (("code", ctypes.c_char_p), ("value", ctypes.c_char_p))


_HANDLE, _TEXT, _INT = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int
_TEXTS = ctypes.POINTER(ctypes.c_char_p)
#: Function of GDAL's C interface -> (result, arguments).
_FUNCTIONS: dict[str, tuple[Any, tuple[Any, ...]]] = {
    "GDALAllRegister": (None, ()),
    "GDALGetDriverByName": (_HANDLE, (_TEXT,)),
    "GDALCreate": (_HANDLE, (_HANDLE, _TEXT, _INT, _INT, _INT, _INT, _TEXTS)),
    "GDALOpenEx": (_HANDLE, (_TEXT, ctypes.c_uint, _TEXTS, _TEXTS, _TEXTS)),
    "GDALClose": (None, (_HANDLE,)),
    "GDALDatasetCreateLayer": (_HANDLE, (_HANDLE, _TEXT, _HANDLE, _INT, _TEXTS)),
    "GDALDatasetGetLayerCount": (_INT, (_HANDLE,)),
    "GDALDatasetGetLayer": (_HANDLE, (_HANDLE, _INT)),
    "GDALDatasetAddFieldDomain": (ctypes.c_bool, (_HANDLE, _HANDLE, _TEXTS)),
    "GDALDatasetGetFieldDomainNames": (_HANDLE, (_HANDLE, _TEXTS)),
    "GDALDatasetGetFieldDomain": (_HANDLE, (_HANDLE, _TEXT)),
    "OGR_CodedFldDomain_Create": (_HANDLE, (_TEXT, _TEXT, _INT, _INT, ctypes.POINTER(_Code))),
    "OGR_CodedFldDomain_GetEnumeration": (ctypes.POINTER(_Code), (_HANDLE,)),
    "OGR_FldDomain_Destroy": (None, (_HANDLE,)),
    "OGR_FldDomain_GetDomainType": (_INT, (_HANDLE,)),
    "OGR_Fld_Create": (_HANDLE, (_TEXT, _INT)),
    "OGR_Fld_Destroy": (None, (_HANDLE,)),
    "OGR_Fld_SetWidth": (None, (_HANDLE, _INT)),
    "OGR_Fld_SetPrecision": (None, (_HANDLE, _INT)),
    "OGR_Fld_SetAlternativeName": (None, (_HANDLE, _TEXT)),
    "OGR_Fld_SetDomainName": (None, (_HANDLE, _TEXT)),
    "OGR_Fld_GetNameRef": (_TEXT, (_HANDLE,)),
    "OGR_Fld_GetAlternativeNameRef": (_TEXT, (_HANDLE,)),
    "OGR_Fld_GetDomainName": (_TEXT, (_HANDLE,)),
    "OGR_Fld_GetType": (_INT, (_HANDLE,)),
    "OGR_Fld_GetWidth": (_INT, (_HANDLE,)),
    "OGR_Fld_GetPrecision": (_INT, (_HANDLE,)),
    "OGR_L_CreateField": (_INT, (_HANDLE, _HANDLE, _INT)),
    "OGR_L_GetName": (_TEXT, (_HANDLE,)),
    "OGR_L_GetLayerDefn": (_HANDLE, (_HANDLE,)),
    "OGR_FD_GetFieldCount": (_INT, (_HANDLE,)),
    "OGR_FD_GetFieldDefn": (_HANDLE, (_HANDLE, _INT)),
    "OSRNewSpatialReference": (_HANDLE, (_TEXT,)),
    "OSRImportFromEPSG": (_INT, (_HANDLE, _INT)),
    "OSRDestroySpatialReference": (None, (_HANDLE,)),
    "CSLCount": (_INT, (_HANDLE,)),
    "CSLGetField": (_TEXT, (_HANDLE, _INT)),
    "CSLDestroy": (None, (_HANDLE,)),
    "CPLGetLastErrorMsg": (_TEXT, ()),
    "CPLErrorReset": (None, ()),
    "CPLPushErrorHandler": (None, (_HANDLE,)),
    "CPLPopErrorHandler": (None, ()),
}
_CODED = 0


class _Library:
    """The functions of `_FUNCTIONS` as attributes, and what is made of them."""

    def __init__(self, loaded: ctypes.CDLL) -> None:
        for name, (result, arguments) in _FUNCTIONS.items():
            function = getattr(loaded, name)
            function.restype, function.argtypes = result, arguments
            setattr(self, name, function)
        self.quiet = ctypes.cast(loaded.CPLQuietErrorHandler, _HANDLE)
        self.GDALAllRegister()
        self._references: dict[int, int] = {}

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(name)

    def list_of(self, texts: Sequence[str]) -> Any:
        """Return texts as the list of strings that GDAL takes."""
        return (ctypes.c_char_p * (len(texts) + 1))(*[text.encode() for text in texts], None)

    def names(self, listed: int | None) -> list[str]:
        """Return a list of strings of GDAL as text, and let go of it."""
        if not listed:
            return []
        found = [self.CSLGetField(listed, number).decode() for number in range(self.CSLCount(listed))]
        self.CSLDestroy(listed)
        return found

    def reference(self, epsg: int) -> int:
        """Return the spatial reference of an EPSG code, kept for as long as the process lives."""
        if epsg not in self._references:
            self._references[epsg] = self.OSRNewSpatialReference(None)
            self.OSRImportFromEPSG(self._references[epsg], epsg)
        return self._references[epsg]

    def last_error(self) -> str:
        """Return what GDAL said last."""
        return (self.CPLGetLastErrorMsg() or b"").decode("utf-8", errors="replace")

    def add_codes(self, data_set: int, name: str, codes: Mapping[str, str]) -> None:
        """Add a code set to a data set. Raises SwcError ``datasets.unwritable``."""
        rows = [_Code(code.encode(), title.encode()) for code, title in codes.items()]
        listed = (_Code * (len(rows) + 1))(*rows, _Code(None, None))
        domain = self.OGR_CodedFldDomain_Create(name.encode(), name.encode(), _OGR_TYPES["text"], 0, listed)
        added = self.GDALDatasetAddFieldDomain(data_set, domain, None)
        self.OGR_FldDomain_Destroy(domain)
        if not added:
            raise SwcError("datasets.unwritable", path=name, layer=name, reason=self.last_error())

    def codes(self, data_set: int, name: str) -> dict[str, str]:
        """Return the codes of a code set, nothing where it is of another kind."""
        domain = self.GDALDatasetGetFieldDomain(data_set, name.encode())
        if not domain or self.OGR_FldDomain_GetDomainType(domain) != _CODED:
            return {}
        listed, found, number = self.OGR_CodedFldDomain_GetEnumeration(domain), {}, 0
        while listed[number].code is not None:
            found[listed[number].code.decode()] = (listed[number].value or b"").decode()
            number += 1
        return found


@lru_cache(maxsize=1)
def _library() -> _Library:
    """Return GDAL as pyogrio has loaded it. Raises SwcError ``datasets.no_gdal``."""
    reasons = []
    for file in _candidates():
        try:
            return _Library(ctypes.CDLL(str(file)))
        except (OSError, AttributeError) as error:
            reasons.append(f"{file.name}: {error}")
    raise SwcError("datasets.no_gdal", reason="; ".join(reasons) or "-")


def _candidates() -> Iterator[Path]:
    """Yield files that may hold GDAL: looking a name up in pyogrio's own module also looks in what it loads.

    That is so on Linux and macOS; on Windows the library beside the wheel, or the interpreter's, is named.
    """
    spec = importlib.util.find_spec("pyogrio._io")
    module = Path(spec.origin) if spec and spec.origin else None
    if module is None:
        return
    yield module
    packages = module.parent.parent
    for folder in (
        packages / "pyogrio.libs",
        packages.parent.parent / "Library/bin",
        packages.parents[3] / "bin",
    ):
        yield from sorted(folder.glob("gdal*.dll"))


@contextmanager
def _created(path: Path, form: str) -> Iterator[int]:
    library = _library()
    with _hushed(library):
        driver = library.GDALGetDriverByName(FORMATS[form].encode())
        data_set = library.GDALCreate(driver, str(path).encode(), 0, 0, 0, 0, None) if driver else None
        if not data_set:
            raise SwcError("datasets.unwritable", path=path.name, layer="", reason=library.last_error())
        try:
            yield data_set
        finally:
            library.GDALClose(data_set)


@contextmanager
def _opened(path: Path, form: str) -> Iterator[int]:
    library = _library()
    with _hushed(library):
        drivers = library.list_of([FORMATS[form]])
        data_set = library.GDALOpenEx(str(path).encode(), _READ_VECTOR, drivers, None, None)
        if not data_set:
            raise SwcError("datasets.unreadable", path=Path(path).name, reason=library.last_error())
        try:
            yield data_set
        finally:
            library.GDALClose(data_set)


@contextmanager
def _hushed(library: _Library) -> Iterator[None]:
    """Keep GDAL from printing; what it says is had from `last_error`."""
    library.CPLErrorReset()
    library.CPLPushErrorHandler(library.quiet)
    try:
        yield
    finally:
        library.CPLPopErrorHandler()
