# SPDX-License-Identifier: GPL-2.0-or-later
"""A package opened to be read: a folder or a zip, looked through first, data sets found where they lie.

Packages made elsewhere open too: without META their profile is the one asked for, without known names of
folders their data sets are found by kind. Nothing in the package is changed.
"""

from __future__ import annotations

import json
import math
import os
import re
import stat
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import CRS, Transformer
from pyproj.exceptions import ProjError

from swc_zoning.engine import archives, crs, scratch
from swc_zoning.engine.messages import SwcError
from swc_zoning.engine.submission import datasets, public, schemas, seals
from swc_zoning.engine.submission.sheets import Sheet, column, items_of

#: The decision table a package was made with.
DECISION_TABLE = "管控分区规则表.json"
#: Files of a folder that no package has: somebody named another folder.
MOST_FILES = 20_000
#: The table of full and short names beside Shapefiles.
FIELD_NAMES = "字段名对照表.csv"
DEGREES = datasets.CRS
#: A 3-degree zone is used up to a zone beyond its own.
FARTHEST_DEGREES = 3.0
#: Formats, the one that is judged first.
_FORMATS = ("gdb", "gpkg", "shp")
_CODE = re.compile(r"\d{6}")


@dataclass(frozen=True)
class DataSet:
    """A data set of the package; `name` is its path in it, `layers` what it holds by their own names.

    `reason`: why it cannot be read, "" where it can.
    """

    path: Path
    format: str
    name: str
    layers: Mapping[str, datasets.Described] = field(default_factory=dict)
    reason: str = ""

    def found(self, layer: str) -> str | None:
        """Return what `layer` of the schema is called here, case aside; None where lacking."""
        if layer in self.layers:
            return layer
        return next((name for name in self.layers if name.upper() == layer.upper()), None)


@contextmanager
def opened(path: Path, profile: str | None = None, name: str = "") -> Iterator[Package]:
    """Yield the package at `path`: a folder, a zip of one, a FileGDB or a GeoPackage.

    `name` is what it will be called where it is still aside.

    `profile` goes before the one that META names; without both it is "national". Raises SwcError
    ``intake.zip_*`` and ``opening.*`` for what is unsafe to open, ``submission.profile_unknown``.
    """
    path = Path(path)
    if not path.exists():
        raise SwcError("opening.missing", path=path.name)
    if not archives.is_zip(path):
        yield _package(path, profile, name)
        return
    with scratch.folder("package") as folder:
        _unpack(path, folder)
        root = _only_folder(folder)
        yield _package(root, profile, name or (path.stem if root == folder else root.name))


def _unpack(path: Path, folder: Path) -> None:
    try:
        archives.unpack(path, folder)
    except SwcError as error:
        raise SwcError(error.code, **{"layer": path.stem, **error.facts}) from error


def _only_folder(folder: Path) -> Path:
    """Return the folder that is the whole of `folder`, as zips have one; else `folder` itself."""
    inside = [one for one in folder.iterdir() if one.name != "__MACOSX" and not seals.is_litter(one.name)]
    only = len(inside) == 1 and inside[0].is_dir() and inside[0].suffix.lower() != ".gdb"
    return inside[0] if only else folder


def _package(path: Path, profile: str | None, name: str = "") -> Package:
    single = path.is_file() or path.suffix.lower() == ".gdb"
    root = path.parent if single else path
    files = {path.name: path} if path.is_file() else _files(path, root)
    if single and not any(_format(Path(found)) for found in (path.name, *files)):
        raise SwcError("opening.no_package", path=path.name)
    return Package(root, files, _data_sets(root, files), profile, name or path.name)


def _files(folder: Path, root: Path) -> dict[str, Path]:
    """Return the files below `folder` by their path in `root`. Raises SwcError ``opening.*``."""
    found: dict[str, Path] = {}
    inside = root.resolve()
    for place, folders, names in os.walk(folder, followlinks=False):
        for name in sorted([*folders, *names]):
            path = Path(place) / name
            if path.is_symlink():
                _refuse_link_out(path, inside, root)
            if name in folders or seals.is_litter(name):
                continue
            if not stat.S_ISREG(path.stat().st_mode):
                raise SwcError("opening.no_file", name=path.relative_to(root).as_posix())
            found[path.relative_to(root).as_posix()] = path
        if len(found) > MOST_FILES:
            raise SwcError("opening.too_many", path=folder.name, most=MOST_FILES)
    return dict(sorted(found.items()))


def _refuse_link_out(path: Path, inside: Path, root: Path) -> None:
    target = path.resolve()
    if inside not in (target, *target.parents) or not target.exists():
        raise SwcError("opening.link_out", name=path.relative_to(root).as_posix())


def _format(path: Path) -> str:
    """Return which kind of data set a path in the package is a file of, "" for none."""
    if any(part.lower().endswith(".gdb") for part in path.parts):
        return "gdb"
    return {".gpkg": "gpkg", ".shp": "shp"}.get(path.suffix.lower(), "")


def _data_sets(root: Path, files: Mapping[str, Path]) -> list[DataSet]:
    """Return the data sets, those of the first format first, shallow ones before deep ones."""
    found: dict[str, str] = {}
    for name in files:
        kind = _format(Path(name))
        if kind == "gdb":
            parts = Path(name).parts
            last = max(number for number, part in enumerate(parts) if part.lower().endswith(".gdb"))
            found[Path(*parts[: last + 1]).as_posix()] = kind
        elif kind:
            found[name if kind == "gpkg" else Path(name).parent.as_posix()] = kind
    order = sorted(found.items(), key=lambda item: (_FORMATS.index(item[1]), item[0].count("/"), item[0]))
    return [_data_set(root / name, kind, name) for name, kind in order]


def _data_set(path: Path, kind: str, name: str) -> DataSet:
    try:
        return DataSet(path, kind, name, datasets.describe(path, kind))
    except SwcError as error:
        return DataSet(path, kind, name, reason=error.sentence("en"))


class Package:
    """A package that is open; see `opened`.

    `root` its folder, `name` what it was opened as, `files` path in it -> file; `data_sets` those that hold
    layers of the schema or cannot be read; `main` the one that is judged; `meta` the items of table META.
    """

    def __init__(
        self, root: Path, files: dict[str, Path], found: list[DataSet], profile: str | None, name: str
    ) -> None:
        self.root, self.files, self.name = root, files, name
        self._made: dict[str, Any] = {}
        self._sheets: dict[tuple[str, str], Sheet | None] = {}
        self.schema = schemas.load(profile or "national")
        self.data_sets = self._of_the_schema(found)
        whole = [one for one in self.data_sets if not one.reason]
        self.main = next((one for one in whole if one.found("SBGKFQ")), next(iter(whole), None))
        self.meta = self._read_meta()
        self.profile = profile or self.meta.get("profile") or "national"
        if self.profile != self.schema.profile:
            self.schema = schemas.load(self.profile)
        self.is_public = self.meta.get("edition") == public.policy()["edition"]
        if self.is_public:
            self.schema = _as_public(self.schema)

    def _of_the_schema(self, found: list[DataSet]) -> list[DataSet]:
        """Return the data sets with a layer of the schema: a list of flaws beside them is none of them."""
        known = [one for one in found if one.reason or any(map(one.found, self.schema.layers))]
        return known or found

    def _read_meta(self) -> dict[str, str]:
        sheet = self.sheet("META")
        return items_of(sheet) if sheet is not None and {"ITEM", "XH", "VALUE"} <= set(sheet.columns) else {}

    # --- what it holds ---------------------------------------------------------------------------------

    @property
    def copies(self) -> list[DataSet]:
        """Return the data sets that say the same as `main` in other formats."""
        return [one for one in self.data_sets if one is not self.main and not one.reason]

    @property
    def has_sums(self) -> bool:
        """Return whether the package has a list of hashes."""
        return seals.NAME in self.files

    def has_meta(self, item: str) -> bool:
        """Return whether META has an item; one that ends with a colon: any that begins so."""
        return any(name.startswith(item) for name in self.meta) if item.endswith(":") else item in self.meta

    def found(self, layer: str) -> str | None:
        """Return what a layer of the schema is called in the main data set, None where there is none."""
        return self.main.found(layer) if self.main else None

    def once(self, name: str, make: Callable[[], Any]) -> Any:
        """Return what `make` gives, made once for all rules that share it."""
        if name not in self._made:
            self._made[name] = make()
        return self._made[name]

    @property
    def code(self) -> str:
        """Return the 6-digit code of the area: that of META, else the one the name begins with, else ""."""
        match = _CODE.match(self.meta.get("code") or self.name)
        return match.group() if match else ""

    @property
    def scale(self) -> int:
        """Return the denominator of the map scale: that of META, else 50,000."""
        digits = re.sub(r"\D", "", self.meta.get("scale", "").rpartition(":")[2])
        return int(digits or 0) or 50_000

    @property
    def work_crs(self) -> str:
        """Return the working CRS: that of META, else the CGCS2000 zone of the centre."""
        return self.once("work_crs", self._work_crs)

    def _work_crs(self) -> str:
        named = self.meta.get("work_crs", "")
        bounds = self.bounds("SBGKFQ") or self.bounds("XZQ")
        if bounds is None and not _is_plane(named):
            raise SwcError("opening.no_place", name=self.name)
        # One that is far off is judged by 2203, and for nothing that would follow.
        if _is_plane(named) and (bounds is None or not degrees_off(named, bounds) > FARTHEST_DEGREES):
            return named
        return crs.choose_crs(bounds or ())

    # --- rows ------------------------------------------------------------------------------------------

    def sheet(self, layer: str, data_set: DataSet | None = None) -> Sheet | None:
        """Return the rows of a layer of the schema (default: of the main data set), read once.

        Only columns that are there and of the right kind; geometry in EPSG:4490, None where it cannot be
        told where the coordinates are. None where there is no such layer.
        """
        data_set = data_set or self.main
        name = data_set.found(layer) if data_set else None
        if data_set is None or name is None or layer not in self.schema.layers:
            return None
        key = (data_set.name, layer)
        if key not in self._sheets:
            self._sheets[key] = _sheet(self.schema.layers[layer], data_set, name)
        return self._sheets[key]

    def forget(self, data_set: DataSet) -> None:
        """Let go of what was read of a data set that is not needed any more."""
        self._sheets = {key: sheet for key, sheet in self._sheets.items() if key[0] != data_set.name}

    def bounds(self, layer: str) -> tuple[float, float, float, float] | None:
        """Return west, south, east, north of a layer in degrees, None where it has no polygon."""
        sheet = self.sheet(layer)
        return None if sheet is None or sheet.geometry is None else _bounds(sheet.geometry)

    def bsm(self, layer: str, row: int) -> str:
        """Return the BSM of a row, "" where it has none."""
        sheet = self.sheet(layer)
        values = sheet.columns.get("BSM") if sheet is not None else None
        return str(values[row] or "") if values is not None else ""

    def place(self, layer: str, row: int) -> tuple[float, float] | None:
        """Return a point inside a row's polygon (longitude, latitude), None for a table."""
        sheet = self.sheet(layer)
        polygon = sheet.geometry[row] if sheet is not None and sheet.geometry is not None else None
        if polygon is None or polygon.is_empty:
            return None
        point = shapely.point_on_surface(polygon) if polygon.is_valid else shapely.Point(polygon.bounds[:2])
        return None if point.is_empty else (point.x, point.y)

    def text(self, name: str) -> str | None:
        """Return a text file of the package, None where it is not there or no UTF-8."""
        try:
            return self.files[name].read_text(encoding="utf-8-sig") if name in self.files else None
        except UnicodeDecodeError:
            return None

    def json_named(self, name: str) -> Any:
        """Return the JSON document of the file so named in whatever folder, None where there is none."""
        for path in (found for found in self.files if found.rpartition("/")[2] == name):
            return _parsed(self.text(path) or "null")
        return None

    @property
    def inputs(self) -> list[dict[str, Any]]:
        """Return what META says of each input, {} where that cannot be read."""
        said = [_parsed(text) for item, text in sorted(self.meta.items()) if item.startswith("input:")]
        return [one if isinstance(one, dict) else {} for one in said]


def _parsed(text: str) -> Any:
    """Return a JSON document, None for one that is none, or too deep to be one of ours."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _as_public(schema: schemas.Schema) -> schemas.Schema:
    """Return the part of a schema that a public edition has; what is secret may be left out."""
    layers = {}
    for name, row in public.policy()["layers"].items():
        layer, kept = schema.layers[name], row.get("fields")
        fields = tuple(one for one in layer.fields if one.public and (kept is None or one.name in kept))
        required = layer.required and not row.get("roles")
        layers[name] = replace(layer, fields=fields, open=False, required=required)
    return replace(schema, layers=layers)


def _sheet(layer: schemas.Layer, data_set: DataSet, name: str) -> Sheet:
    raw = datasets.read(data_set.path, data_set.format, name)
    columns: dict[str, NDArray[Any]] = {}
    for one in layer.fields:
        values = _named(raw.columns, one, data_set.format)
        if values is not None:
            columns[one.name] = _as_kind(one, values)
    known = {one.short if data_set.format == "shp" else one.name for one in layer.fields}
    if layer.open:
        columns.update({key: values for key, values in raw.columns.items() if key not in known})
    geometry = None
    if raw.wkb is not None:
        shapes = shapely.from_wkb(raw.wkb, on_invalid="ignore")
        geometry = in_degrees(shapes, data_set.layers[name].crs)
    return Sheet(layer, columns, geometry)


def _named(columns: Mapping[str, NDArray[Any]], one: schemas.Field, kind: str) -> NDArray[Any] | None:
    """Return the column of a field, in a Shapefile under its short name."""
    wanted = one.short if kind == "shp" else one.name
    return columns.get(wanted, columns.get(one.name))


def _as_kind(one: schemas.Field, values: NDArray[Any]) -> NDArray[Any]:
    """Return values in the kind of a field, whatever kind they were written in; numbers are not rounded."""
    if one.kind == "text":
        return column(one, [None if _none(value) else _plain(value) for value in values.tolist()])
    numbers = values if values.dtype.kind in "if" else np.array([_number(value) for value in values.tolist()])
    whole = one.kind == "integer" and np.isfinite(numbers).all() and (numbers == np.round(numbers)).all()
    return numbers.astype(np.int64 if whole else np.float64)


def degrees_off(named: str, bounds: Sequence[float]) -> float:
    """Return how many degrees the middle of `bounds` is from the meridian of a CRS, NaN where it has none."""
    try:
        operation = CRS.from_user_input(named).coordinate_operation
    except ProjError:
        return math.nan
    wanted = ("Longitude of natural origin", "Longitude of false origin")
    found = [one for one in (operation.params if operation else ()) if one.name in wanted]
    meridian = math.degrees(found[0].value * found[0].unit_conversion_factor) if found else math.nan
    return abs(meridian - (bounds[0] + bounds[2]) / 2)


def _is_plane(named: str) -> bool:
    try:
        return CRS.from_user_input(named).is_projected
    except ProjError:
        return False


def _none(value: Any) -> bool:
    return value is None or (isinstance(value, float) and value != value)


def _plain(value: Any) -> str:
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _number(value: Any) -> float:
    try:
        return np.nan if _none(value) else float(value)
    except ValueError:
        return np.nan


def in_degrees(shapes: NDArray[Any], named: str | None) -> NDArray[Any] | None:
    """Return polygons in degrees of EPSG:4490: as they are where they look so, else out of the CRS named.

    A file that says a wrong CRS of degrees is judged for that (2201), and for nothing that would follow.
    """
    bounds = _bounds(shapes)
    if bounds is None or (max(map(abs, bounds[::2])) <= 180 and max(map(abs, bounds[1::2])) <= 90):
        return shapes
    try:
        transformer = Transformer.from_crs(CRS.from_user_input(named), DEGREES, always_xy=True)
    except (ProjError, TypeError):
        return None
    return shapely.transform(
        shapes, lambda points: np.column_stack(transformer.transform(points[:, 0], points[:, 1]))
    )


def _bounds(shapes: NDArray[Any]) -> tuple[float, float, float, float] | None:
    """Return west, south, east, north of what can be drawn, None where nothing can."""
    boxes = shapely.bounds(shapes)
    boxes = boxes[np.isfinite(boxes).all(axis=1)]
    if not len(boxes):
        return None
    return (*boxes[:, :2].min(axis=0).tolist(), *boxes[:, 2:].max(axis=0).tolist())
