# SPDX-License-Identifier: GPL-2.0-or-later
"""What files hold, told without loading them into QGIS: layers, fields, words of a field.

All but `of_layer` is for worker threads. Files are opened for reading only, after `admission`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from osgeo import gdal, ogr
from qgis.core import QgsVectorLayer, QgsWkbTypes

from swc_zoning.engine import admission, job
from swc_zoning.engine.messages import SwcError

MISSING, UNREADABLE = "missing", "unreadable"
SUFFIXES = (".gpkg", ".shp", ".geojson", ".json", ".gdb", ".kml", ".fgb", ".tab", ".mif")

_LDID = 29
_SAMPLE_BYTES = 1 << 20
_MOST_VALUES = 500


@dataclass(frozen=True)
class Found:
    """A layer of a file: `geometry` as OGR names it, `count` -1 if unknown, `problem` why it is unusable."""

    source: str
    layer: str
    fields: tuple[str, ...] = ()
    geometry: str = ""
    count: int = -1
    problem: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """Return the words that name the layer: its own name and that of its file."""
        stem = "" if job.is_address(self.source) else Path(self.source).stem
        return tuple(dict.fromkeys(name for name in (self.layer, stem) if name))

    @property
    def may_be_polygons(self) -> bool:
        """Return whether the layer holds polygons or does not say what it holds."""
        return "polygon" in self.geometry.lower() or "unknown" in self.geometry.lower()


@dataclass(frozen=True)
class Values:
    """Distinct words of a field with counts, the most frequent first; `complete` if there are no more."""

    counts: tuple[tuple[str, int], ...]
    complete: bool
    encoding: str = ""


def of_layer(layer: QgsVectorLayer) -> Found:
    """Return what a layer of the project holds. For the main thread."""
    kind = QgsWkbTypes.displayString(layer.wkbType())
    names = tuple(layer.fields().names())
    return Found(layer.source(), layer.name(), names, kind, int(layer.featureCount()))


def of_file(path: Path) -> list[Found]:
    """Return the layers of a file or a folder such as ``.gdb``; one with a problem where it has none."""
    data, problem = _opened(str(path), "")
    if data is None:
        return [Found(str(path), path.stem, problem=problem)]
    return [_found(str(path), data.GetLayer(number)) for number in range(data.GetLayerCount())]


def of_folder(folder: Path) -> list[Found]:
    """Return the layers of all files below `folder` whose endings are known."""
    return [found for path in sorted(_files(folder)) for found in of_file(path)]


def of_entry(entry: Mapping[str, Any]) -> Found:
    """Return what the layer of a job holds, with its problem where it cannot be read."""
    source, name = entry["source"], entry.get("layer") or ""
    if not job.is_address(source) and not Path(source).exists():
        return Found(source, name, problem=MISSING)
    layer, data, problem = _layer(entry)
    if layer is None:
        return Found(source, name, problem=problem)
    found = _found(source, layer)
    del data
    return found


def values(entry: Mapping[str, Any], field: str) -> Values:
    """Return the words of a field. Raises SwcError surveys.unreadable, surveys.no_field."""
    layer, data, problem = _layer(entry)
    if layer is None:
        raise SwcError("surveys.unreadable", path=entry["source"], reason=problem)
    names = [definition.GetName() for definition in layer.schema]
    if field not in names:
        raise SwcError("surveys.no_field", field=field, path=entry["source"])
    layer.SetIgnoredFields([*(name for name in names if name != field), "OGR_GEOMETRY"])
    if entry.get("filter"):
        layer.SetIgnoredFields([])
        layer.SetAttributeFilter(entry["filter"])
    at = names.index(field)
    counts = Counter(_text(feature.GetField(at)) for feature in layer)
    del data
    most = counts.most_common(_MOST_VALUES)
    return Values(tuple(most), len(most) == len(counts), _encoding(entry))


def _files(folder: Path) -> Iterator[Path]:
    for path in folder.iterdir():
        # A folder is full of JSON that is no map; such a file is looked into where it is named.
        if path.suffix.lower() in SUFFIXES and path.suffix.lower() != ".json":
            yield path
        elif path.is_dir() and not path.name.startswith("."):
            yield from _files(path)


def _layer(entry: Mapping[str, Any]) -> tuple[Any, Any, str]:
    """Return (layer, what holds it, problem): the layer lives no longer than what holds it."""
    data, problem = _opened(entry["source"], _encoding(entry))
    if data is None:
        return None, None, problem
    name = entry.get("layer")
    layer = data.GetLayerByName(name) if name else data.GetLayer(0)
    return layer, data, "" if layer is not None else UNREADABLE


def _opened(source: str, encoding: str) -> tuple[Any, str]:
    # What a file lacks is told in words; GDAL need not print it too.
    gdal.PushErrorHandler("CPLQuietErrorHandler")
    try:
        if not job.is_address(source):
            admission.admit(Path(source))
        options = [f"ENCODING={encoding}"] if encoding else []
        data = gdal.OpenEx(source, gdal.OF_VECTOR | gdal.OF_READONLY, open_options=options)
    except (SwcError, RuntimeError, OSError):
        return None, UNREADABLE
    finally:
        gdal.PopErrorHandler()
    return data, "" if data is not None else UNREADABLE


def _found(source: str, layer: Any) -> Found:
    names = tuple(definition.GetName() for definition in layer.schema)
    kind = ogr.GeometryTypeToName(layer.GetGeomType())
    return Found(source, layer.GetName(), names, kind, layer.GetFeatureCount(0))


def _encoding(entry: Mapping[str, Any]) -> str:
    """Return how to read a Shapefile that declares no encoding: UTF-8 if its bytes are that, else GB18030."""
    path = Path(entry["source"])
    if entry.get("encoding") or path.suffix.lower() != ".shp":
        return entry.get("encoding") or ""
    table = path.with_suffix(".dbf")
    if path.with_suffix(".cpg").exists() or not table.exists():
        return ""
    with table.open("rb") as stream:
        sample = stream.read(_SAMPLE_BYTES)
    if len(sample) <= _LDID or sample[_LDID]:
        return ""
    body = sample[int.from_bytes(sample[8:10], "little") :]
    try:
        # The last letter of the sample may be cut.
        body[:-4].decode("utf-8")
    except UnicodeDecodeError:
        return "GB18030"
    return "UTF-8"


def _text(value: Any) -> str:
    if value is None:
        return ""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
