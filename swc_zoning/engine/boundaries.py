# SPDX-License-Identifier: GPL-2.0-or-later
"""Boundaries that come as lists, tables and drawings: read, judged, and written as an ordinary GeoPackage.

`import_boundary` changes nothing and writes nothing; `write` puts its result where the user wants it;
`as_plain` lets a job name such a file as the source of a layer.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import shapely
from pyproj import CRS

from swc_zoning.engine import (
    admission,
    archives,
    claim,
    coordinate_lists,
    drawings,
    formats,
    georef,
    measure,
    parcels,
    point_tables,
    scratch,
)
from swc_zoning.engine.coordinate_lists import Block, Told
from swc_zoning.engine.messages import Finding, Fix, SwcError

#: Coordinates are rounded to the millimetre, so an area is known no better than this for each metre of line.
_AREA_PER_METRE = 0.0005
_SUFFIXES = (".txt", ".csv", ".tsv", ".xlsx", ".xlsm", ".dxf", ".zip")


@dataclass(frozen=True)
class Options:
    """What a file leaves open, and where the user knows better.

    `crs` overrides the file's; `axes` one of `parcels.AXES`; `merge` makes one parcel of blocks with one
    number; `sheet` of a workbook; `tolerance_m` and `even_odd` are for drawings (see `drawings`).
    """

    crs: str | None = None
    encoding: str | None = None
    axes: str = "auto"
    merge: bool = False
    sheet: str | None = None
    tolerance_m: float = drawings.TOLERANCE_M
    even_odd: bool = False


@dataclass(frozen=True)
class Boundary:
    """Polygons of a boundary file in (east, north), n rows.

    `geometry` object[n]; `columns` arrays by name; `crs` None where it stays open; `findings` everything
    that does not fit; `sha256` of the source as it lies; `name` of the source without its suffix.
    """

    name: str
    geometry: np.ndarray
    columns: dict[str, np.ndarray]
    crs: CRS | None
    findings: list[Finding]
    sha256: str


def kind_of(path: Path) -> str | None:
    """Return "list", "table" or "drawing" for what is a boundary file, None for anything else."""
    suffix = path.suffix.lower()
    if not path.is_file():
        return None
    if suffix == ".dxf":
        return "drawing"
    if suffix == ".txt" and coordinate_lists.is_coordinate_list(path):
        return "list"
    return "table" if suffix in point_tables.SUFFIXES and point_tables.is_point_table(path) else None


def import_boundary(source: str | Path, options: Options | None = None) -> Boundary:
    """Return the polygons of a coordinate list, point table or drawing, alone or in a zip.

    Raises SwcError ``intake.source_missing``, ``boundary.not_recognised``, and what `admission`,
    `archives` and the readers raise for a file that cannot be read at all.
    """
    options, path = options or Options(), Path(source)
    try:
        return _imported(path, options)
    except SwcError as error:
        error.facts.setdefault("source", path.name)
        error.facts.setdefault("layer", path.stem)
        raise


def _imported(path: Path, options: Options) -> Boundary:
    admission.admit(path)
    if not path.exists():
        raise SwcError("intake.source_missing", source=path.name)
    with archives.unpacked(path) as inner:
        admission.admit(inner)
        kind = kind_of(inner)
        if kind is None:
            raise SwcError("boundary.not_recognised", source=inner.name)
        drawn = _drawing(inner, options) if kind == "drawing" else _listed(inner, kind, options)
    return replace(drawn, sha256=formats.source_sha256(path))


def _listed(path: Path, kind: str, options: Options) -> Boundary:
    if kind == "list":
        listing = coordinate_lists.read(path, path.stem, options.encoding)
    else:
        listing = point_tables.read(path, path.stem, options.encoding, options.sheet)
    drawn = parcels.draw(listing, options.crs, options.axes, options.merge)
    if not len(drawn.geometry):
        listing.told.add("boundary.empty")
    area, plane = _areas(drawn.geometry, drawn.crs)
    for block, geometry, official, flat in zip(drawn.blocks, drawn.geometry, area.tolist(), plane.tolist()):
        _tell_area(listing.told, block, geometry, official, flat)
    columns = {
        "parcel_no": _texts([block.no for block in drawn.blocks]),
        "parcel_name": _texts([block.name for block in drawn.blocks]),
        "use": _texts([block.use for block in drawn.blocks]),
        "land_class": _texts([block.land_class for block in drawn.blocks]),
        "declared_ha": np.array([block.declared_ha for block in drawn.blocks], dtype=np.float64),
        "area_m2": area,
        "source_line": np.array([block.line for block in drawn.blocks], dtype=np.int64),
    }
    return Boundary(path.stem, drawn.geometry, columns, drawn.crs, listing.told.findings(), "")


def _drawing(path: Path, options: Options) -> Boundary:
    told = Told(path.stem)
    drawn = drawings.read(path, told, options.tolerance_m, options.even_odd)
    crs = georef.parse(options.crs) if options.crs else None
    if options.crs and crs is None:
        raise SwcError("boundary.crs_unknown", crs=options.crs)
    if not len(drawn.geometry):
        told.add("boundary.empty")
    if crs is None:
        told.add("boundary.crs_missing", proposal=_proposal(drawn.geometry))
    elif len(drawn.geometry):
        parcels.tell_misfit(told, crs, drawn.geometry)
    columns = {
        "parcel_name": _texts(drawn.names),
        "cad_layer": _texts(drawn.layers),
        "cad_handle": _texts(drawn.handles),
        "area_m2": _areas(drawn.geometry, crs)[0],
    }
    return Boundary(path.stem, drawn.geometry, columns, crs, told.findings(), "")


def _proposal(geometry: np.ndarray) -> str:
    """Return the CRSs on CGCS2000 that the zone number in front of the eastings leaves, "-" for none."""
    east = shapely.total_bounds(geometry)[[0, 2]].mean() if len(geometry) else 0.0
    zone = int(east // 1e6) if np.isfinite(east) else 0
    return (
        ", ".join(georef.zone_crs(georef.parse("EPSG:4490"), zone, True)) if 13 <= zone <= 45 else ""
    ) or "-"


# --- areas -----------------------------------------------------------------------------------------


def _areas(geometry: np.ndarray, crs: CRS | None) -> tuple[np.ndarray, np.ndarray]:
    """Return (official ellipsoidal, plane) areas in m2; NaN where CRS or inside is open."""
    official, plane = np.full((2, len(geometry)), np.nan)
    sound = shapely.is_valid(geometry)
    if (
        crs is not None
        and sound.any()
        and not georef.degrees_problem(crs, tuple(shapely.total_bounds(geometry)))
    ):
        official[sound], plane[sound] = measure.official_areas(geometry[sound], crs)
    return official, plane


def _tell_area(told: Told, block: Block, geometry: shapely.Geometry, official: float, plane: float) -> None:
    """Hold the hectares declared against the official area, to half of their last digit."""
    if block.declared_ha is None or not np.isfinite(official):
        return
    declared = block.declared_ha * 1e4
    slack = 0.5 * 10.0 ** (4 - block.decimals) + _AREA_PER_METRE * max(geometry.length, 1.0)
    if abs(declared - official) <= slack:
        return
    facts = {
        "line": block.line,
        "parcel": block.no or block.name or f"@{block.line}",
        "declared": block.declared_ha,
        "computed": round(official / 1e4, max(block.decimals, 4)),
        "plane": round(plane / 1e4, max(block.decimals, 4)),
    }
    told.add("boundary.area_plane" if abs(declared - plane) <= slack else "boundary.area_differs", **facts)


def _texts(values: list[str]) -> np.ndarray:
    return np.fromiter((value or None for value in values), dtype=object, count=len(values))


# --- writing ---------------------------------------------------------------------------------------


def write(boundary: Boundary, output: Path, source: Path | None = None) -> None:
    """Write `boundary` as the only layer of the GeoPackage `output`, aside first, read back, then in place.

    The field ``source_sha256`` says what it was made from.

    Raises SwcError ``boundary.output_beside`` (in the folder of `source`), ``boundary.output_not_gpkg``,
    ``boundary.output_not_ours`` (a file no import wrote), ``boundary.not_as_written`` and
    ``intake.unwritable``; an older file is then as it was.
    """
    output = Path(output).absolute()
    _check_target(output, source)
    digest = np.full(len(boundary.geometry), boundary.sha256, dtype=object)
    boundary = replace(boundary, columns={**boundary.columns, "source_sha256": digest})
    try:
        with claim.aside(output.parent, output) as aside:
            _write(boundary, aside / output.name)
            (aside / output.name).replace(output)
    except OSError as error:
        reason = error.strerror or str(error)
        raise SwcError("intake.unwritable", source=output.name, reason=reason) from error


def _check_target(output: Path, source: Path | None) -> None:
    """Prove that a result may be put at `output`; raises SwcError ``boundary.output_*``."""
    if output.suffix.lower() != ".gpkg":
        raise SwcError("boundary.output_not_gpkg", path=str(output))
    if source is not None and output.parent.resolve() == Path(source).absolute().parent.resolve():
        raise SwcError("boundary.output_beside", path=str(output))
    if os.path.lexists(output) and not _is_ours(output):
        raise SwcError("boundary.output_not_ours", path=str(output))


def _is_ours(path: Path) -> bool:
    try:
        return len(formats.list_layers(path)) == 1 and "source_sha256" in formats.describe(path).fields
    except SwcError:
        return False


def _write(boundary: Boundary, path: Path) -> None:
    multi = bool((shapely.get_type_id(boundary.geometry) == 6).any())
    geometry = boundary.geometry
    if multi:
        geometry = np.array([shapely.multipolygons(shapely.get_parts(one)) for one in geometry], dtype=object)
    rows = [formats.Batch(shapely.to_wkb(geometry), boundary.columns)]
    crs = boundary.crs.to_wkt() if boundary.crs is not None else None
    kind = "MultiPolygon" if multi else "Polygon"
    with warnings.catch_warnings():
        # That the CRS is open is told as a finding.
        warnings.simplefilter("ignore", UserWarning)
        formats.write_table(path, boundary.name, rows, crs, kind)
    if formats.describe(path, boundary.name).count != len(geometry) or formats.difference(
        path, boundary.name, rows
    ):
        raise SwcError("boundary.not_as_written", path=path.name)


# --- as the source of a job's layer ----------------------------------------------------------------


@contextmanager
def as_plain(path: Path) -> Iterator[Path]:
    """Yield a temporary GeoPackage of the boundary file `path`; other files, once admitted, as they are.

    Raises SwcError as `import_boundary`, and the first error found where no polygon could be made.
    """
    admission.admit(path)
    if kind_of(path) is None:
        yield path
        return
    with scratch.folder("boundary") as folder:
        plain = folder / "boundary.gpkg"
        for sheet in _sheets(path):
            boundary = import_boundary(path, Options(sheet=sheet))
            if not len(boundary.geometry):
                errors = [finding for finding in boundary.findings if finding.severity == "error"]
                raise SwcError(errors[0].code, **errors[0].facts)
            _write(replace(boundary, name=sheet or boundary.name), plain)
        yield plain


def _sheets(path: Path) -> list[str | None]:
    """Return the sheets to read apart: each is a layer where a workbook has several with points."""
    named = point_tables.sheets_with_points(path) if kind_of(path) == "table" else []
    return list(named) if len(named) > 1 else [None]


def told(source: str, layer: str | None, crs: str | None, label: str, entry: int | None) -> list[Finding]:
    """Return what is to be told of the boundary file a job names, for its layer `label`, entry `entry`.

    CRSs that fit are offered as choices. Places are left out: they are not in the working CRS.
    """
    path = Path(source)
    if path.suffix.lower() not in _SUFFIXES or not formats.is_file_source(source):
        return []
    if archives.is_zip(path) and not archives.holds(path, _SUFFIXES):
        return []
    with archives.unpacked(path) as inner:
        if kind_of(inner) is None:
            return []
        sheet = layer if _sheets(inner) != [None] else None
        findings = import_boundary(inner, Options(crs=crs, sheet=sheet)).findings
    # A CRS that nothing points to is what the intake tells of every layer.
    open_crs = ("boundary.crs_missing", "-")
    told_here = [f for f in findings if (f.code, f.facts.get("proposal")) != open_crs]
    return [_for_layer(finding, label, entry) for finding in told_here]


def _for_layer(finding: Finding, label: str, entry: int | None) -> Finding:
    proposals = [name for name in finding.facts.get("proposal", "").split(", ") if name.startswith("EPSG:")]
    fixes = tuple(Fix(entry, {"crs": name}) for name in proposals)
    return replace(finding, facts={**finding.facts, "layer": label}, layer=label, place=None, fixes=fixes)
