# SPDX-License-Identifier: GPL-2.0-or-later
"""Coordinate list texts of polygons (勘测定界 / 电子报盘), in the grammar `coordinate_lists` reads.

X is the northing and stands first, areas are hectares of the official ellipsoidal area. What regions do
differently is chosen in `Options`, from ``resources/coordinates.json``.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import CRS

from swc_zoning.engine import areas, boundaries, cells, claim, curves, formats, georef, parcels
from swc_zoning.engine.crs import choose_crs
from swc_zoning.engine.messages import Finding, SwcError
from swc_zoning.engine.result import SUMMARY, ZONING
from swc_zoning.paths import resource

_PREFIX = re.compile(r"[A-Za-z]{0,4}")
_DATE = re.compile(r"(\d{4})[-/.年]?(\d{1,2})[-/.月]?(\d{1,2})日?")
_FILE_SIGNS = re.compile(r'[\x00-\x1f<>:"/\\|?*]+')
_LONGEST_NAME = 60
#: Chords of arcs keep this close to them, metres: less than the last digit written.
_CHORD_M = 0.0005
_CURVES = (8, 9, 10, 11, 12, 13, 14)


@lru_cache(maxsize=1)
def words() -> dict[str, Any]:
    """Return ``resources/coordinates.json``."""
    return json.loads(resource("coordinates.json").read_text(encoding="utf-8"))


@dataclass(frozen=True)
class Options:
    """How a list is written; the choices are in ``resources/coordinates.json``.

    `crs` of the coordinates, "": that of the source where it is projected in metres, else the zone that
    fits. `zone_prefix` "crs": as that CRS has it, "with" or "without": the twin of that CRS on the same
    meridian. `count` of points with or without those that close rings; `numbering` runs through a patch or
    begins anew with each ring; `point_prefix` of point names; `attributes` 8, or 7 (no class of land);
    `names` that hold signs of the grammar are changed and told, or refused; `split`: a file a patch;
    `degrees`: a table with latitude and longitude beside it. `unit` and `date` stay empty where not given.
    The ``*_field`` name fields of the source; "": those known by name.
    """

    crs: str = ""
    zone_prefix: str = "crs"
    encoding: str = "GBK"
    line_end: str = "CRLF"
    count: str = "with_closing"
    numbering: str = "patch"
    point_prefix: str = "J"
    attributes: int = 8
    names: str = "replace"
    decimals: int = 3
    hectare_decimals: int = 4
    degree_decimals: int = 4
    split: bool = False
    degrees: bool = False
    unit: str = ""
    date: str = ""
    no_field: str = ""
    name_field: str = ""
    use_field: str = ""
    land_class_field: str = ""
    sheet_field: str = ""


@dataclass(frozen=True)
class Patches:
    """Polygons to list, n rows: `geometry` object[n] in `crs`; `columns` texts by what they say.

    The keys of `columns` are no, name, use, land_class and sheet; "" where a patch has none.
    """

    label: str
    geometry: NDArray[Any]
    crs: CRS
    columns: Mapping[str, Sequence[str]]

    def __len__(self) -> int:
        return len(self.geometry)


@dataclass(frozen=True)
class Ring:
    """A ring as listed: float64[n, 2] of (north, east), rounded, not closed; number 1 is the outer."""

    number: int
    points: NDArray[np.float64]
    first_name: int


@dataclass(frozen=True)
class Block:
    """A part of a patch as listed; `hectares` of its official area."""

    patch: int
    hectares: float
    rings: tuple[Ring, ...]


@dataclass(frozen=True)
class Listed:
    """What is to be written: blocks in order, the texts of their patches, the CRS and what is to be told."""

    patches: Patches
    blocks: tuple[Block, ...]
    crs: CRS
    options: Options
    findings: tuple[Finding, ...]


def checked(options: Options) -> Options:
    """Return `options` once each is one that can be chosen. Raises SwcError ``coordinates.option``."""
    for name, allowed in words()["choices"].items():
        if getattr(options, name) not in allowed:
            raise _option(name, getattr(options, name), ", ".join(map(str, allowed)))
    if not _PREFIX.fullmatch(options.point_prefix):
        raise _option("point_prefix", options.point_prefix, "A-Z, a-z")
    if options.date and not _DATE.fullmatch(options.date):
        raise _option("date", options.date, "YYYYMMDD, YYYY-M-D")
    return options


def _option(name: str, value: object, allowed: str) -> SwcError:
    return SwcError("coordinates.option", option=name, value=value, allowed=allowed)


# --- patches of a source ---------------------------------------------------------------------------


def read(source: str | Path, layer: str | None = None, options: Options | None = None) -> Patches:
    """Return the polygons of a file, a result folder (its pieces), or a package folder.

    Raises SwcError ``coordinates.no_crs``, ``coordinates.no_field``, ``coordinates.not_polygons``,
    ``intake.source_missing`` and what the readers raise.
    """
    options = checked(options or Options())
    path, layer = _vector_of(Path(source), layer)
    with boundaries.as_plain(path) as plain:
        table = formats.read_vector(plain, layer)
        crs = georef.parse(table.layer.crs) if table.layer.crs else None
        if crs is None or georef.is_undefined(crs):
            raise SwcError("coordinates.no_crs", source=path.name)
        columns = {use: _texts(table, use, options) for use in words()["fields"]}
        return Patches(table.layer.name, _polygons(table, crs), crs, columns)


def _vector_of(path: Path, layer: str | None) -> tuple[Path, str | None]:
    """Return the file that holds the layers of a folder: a result, or a package with its data sets."""
    if not path.is_dir() or path.suffix.lower() == ".gdb":
        return path, layer
    if (path / SUMMARY).is_file():
        return path / ZONING, layer or "pieces"
    held = [one for kind in ("gdb", "gpkg") for one in sorted(path.rglob(f"*.{kind}"))]
    if not held:
        raise SwcError("intake.source_missing", source=path.name)
    return held[0], layer


def _texts(table: formats.Table, use: str, options: Options) -> list[str]:
    named = getattr(options, f"{use}_field")
    there = {name.casefold(): name for name in table.columns}
    if named and named.casefold() not in there:
        raise SwcError("coordinates.no_field", field=named, layer=table.layer.name)
    known = [named] if named else words()["fields"][use]
    found = next((there[name.casefold()] for name in known if name.casefold() in there), None)
    if found is None:
        return [""] * len(table)
    return [_text(value) for value in table.columns[found].tolist()]


def _text(value: Any) -> str:
    if value is None or value != value:
        return ""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value).strip()


def _polygons(table: formats.Table, crs: CRS) -> NDArray[Any]:
    wkb = np.asarray(table.wkb)
    curved = np.isin(curves.base_types(wkb)[:, 0], _CURVES)
    geometry = shapely.from_wkb(np.where(curved, None, wkb))
    for row in np.flatnonzero(curved).tolist():
        geometry[row] = curves.straighten(wkb[row], _CHORD_M / georef.metres_per_unit(crs))
    geometry = shapely.force_2d(geometry)
    polygonal = np.isin(shapely.get_type_id(geometry), (-1, 3, 6))
    if not polygonal.all():
        raise SwcError("coordinates.not_polygons", layer=table.layer.name, row=int(np.argmin(polygonal)) + 1)
    return geometry


# --- from patches to blocks ------------------------------------------------------------------------


def listed(patches: Patches, options: Options | None = None) -> Listed:
    """Return `patches` as they will stand in a list: one block a part, rings rounded and numbered.

    Raises SwcError ``coordinates.option``, ``coordinates.crs``, ``coordinates.no_twin``,
    ``coordinates.not_moved``, ``coordinates.invalid``, ``coordinates.name_signs``,
    ``coordinates.unencodable`` and ``coordinates.nothing``.
    """
    options = checked(options or Options())
    target = _target(patches, options)
    moved = _moved(patches, target)
    told: list[Finding] = []
    patches = Patches(patches.label, moved, target, _written_texts(patches, options, told))
    parts, owner = shapely.get_parts(moved, return_index=True)
    filled = ~(shapely.is_empty(parts) | shapely.is_missing(parts))
    parts, owner = parts[filled], owner[filled]
    if not len(parts):
        raise SwcError("coordinates.nothing", layer=patches.label)
    blocks = tuple(_blocks(patches, parts, owner, options, told))
    told.extend(_told_of_patches(patches, owner, target))
    return Listed(patches, blocks, target, options, tuple(told))


def _target(patches: Patches, options: Options) -> CRS:
    """Return the CRS the coordinates are written in, projected in metres."""
    named = options.crs or (None if georef.is_metric(patches.crs) else _fitting(patches))
    crs = georef.parse(named) if named else patches.crs
    if crs is None or not georef.is_metric(crs):
        raise SwcError("coordinates.crs", crs=options.crs)
    if options.zone_prefix == "crs":
        return crs
    origin = georef.gauss_krueger(crs)
    if origin is None:
        raise SwcError("coordinates.no_twin", crs=georef.name_of(crs))
    prefixed = options.zone_prefix == "with"
    if (origin[1] > 1e6) == prefixed:
        return crs
    twins = georef.zone_crs(crs, zone_of(crs), prefixed)
    if len(twins) != 1:
        raise SwcError("coordinates.no_twin", crs=georef.name_of(crs))
    return georef.parse(twins[0])


def _fitting(patches: Patches) -> str:
    bounds = tuple(shapely.total_bounds(patches.geometry).tolist())
    if not np.isfinite(bounds).all():
        raise SwcError("coordinates.nothing", layer=patches.label)
    return choose_crs(georef.lonlat_bounds(patches.crs, bounds))


def zone_of(crs: CRS) -> int:
    """Return the number of the zone of a Gauss-Krueger CRS (13-23: 6 degrees, 25-45: 3), 0 for others."""
    origin = georef.gauss_krueger(crs)
    if origin is None:
        return 0
    meridian, easting = origin
    if easting > 1e6:
        return int(easting // 1e6)
    zone = (meridian + 3) / 6 if georef.is_six_degree(crs) else meridian / 3
    return int(zone) if zone == int(zone) and zone in range(13, 46) else 0


def _moved(patches: Patches, target: CRS) -> NDArray[Any]:
    if patches.crs == target or not len(patches):
        return patches.geometry
    bounds = tuple(shapely.total_bounds(patches.geometry).tolist())
    if not np.isfinite(bounds).all():
        return patches.geometry
    move = georef.Move(patches.crs, target, georef.lonlat_bounds(patches.crs, bounds))
    if move.possible:
        moved = shapely.transform(patches.geometry, move)
        if np.isfinite(shapely.total_bounds(moved)).all():
            return moved
    raise SwcError("coordinates.not_moved", source=georef.name_of(patches.crs), target=georef.name_of(target))


def _blocks(
    patches: Patches, parts: NDArray[Any], owner: NDArray[Any], options: Options, told: list[Finding]
) -> Iterator[Block]:
    _refuse_invalid(patches, parts, owner)
    rounded = shapely.transform(parts, lambda xy: np.round(xy, options.decimals))
    hectares = areas.area_model(patches.crs).areas(parts) / 1e4
    merged, last, name = 0, -1, 1
    vanished: list[int] = []
    for row, patch in enumerate(owner.tolist()):
        name = name if patch == last and options.numbering == "patch" else 1
        rings, lost = _rings(rounded[row], name, options)
        merged += lost
        if not rings:
            vanished.append(row)
            continue
        yield Block(patch, float(hectares[row]), tuple(rings))
        last, name = patch, rings[-1].first_name + len(rings[-1].points)
    told.extend(_told_of_rounding(patches, owner, rounded, hectares, merged, vanished, options.decimals))


def _told_of_rounding(
    patches: Patches,
    owner: NDArray[Any],
    rounded: NDArray[Any],
    hectares: NDArray[np.float64],
    merged: int,
    vanished: list[int],
    decimals: int,
) -> Iterator[Finding]:
    label = patches.label
    if merged:
        yield Finding(
            "coordinates.points_merged", {"layer": label, "count": merged, "decimals": decimals}, label
        )
    if vanished:
        area = float(hectares[vanished].sum() * 1e4)
        facts = {"layer": label, "count": len(vanished), "area": round(area, 4), "decimals": decimals}
        facts.update(_patch(patches, int(owner[vanished[0]])))
        yield Finding("coordinates.vanishes", facts, label, measure_m2=area)
    sound = shapely.is_valid(rounded)
    sound[vanished] = True
    crossing = owner[~sound]
    if len(crossing):
        facts = {"layer": label, "count": len(crossing), **_patch(patches, int(crossing[0]))}
        yield Finding("coordinates.crossing", facts, label)


def _refuse_invalid(patches: Patches, parts: NDArray[Any], owner: NDArray[Any]) -> None:
    valid = shapely.is_valid(parts)
    if not valid.all():
        row = int(np.argmin(valid))
        reason = shapely.is_valid_reason(parts[row])
        facts = {"layer": patches.label, "reason": reason, "count": int((~valid).sum())}
        raise SwcError("coordinates.invalid", **facts, **_patch(patches, int(owner[row])))


def _patch(patches: Patches, row: int) -> dict[str, str]:
    return {"patch": patches.columns["no"][row] or patches.columns["name"][row] or f"#{row + 1}"}


def _rings(polygon: shapely.Polygon, name: int, options: Options) -> tuple[list[Ring], int]:
    """Return the rings of a part and how many of their points fell together when rounded.

    Holes that vanish are left out; no rings at all where the outer one vanishes.
    """
    made: list[Ring] = []
    lost = 0
    for ring in shapely.get_rings(polygon):
        points = shapely.get_coordinates(ring)[:-1, ::-1]
        kept = points[(points != np.roll(points, 1, axis=0)).any(axis=1)]
        lost += len(points) - len(kept)
        if len(np.unique(kept, axis=0)) < 3:
            if not made:
                return [], 0
            continue
        made.append(Ring(len(made) + 1, _from_north_west(kept, not made), name))
        name = name + len(kept) if options.numbering == "patch" else 1
    return made, lost


def _from_north_west(points: NDArray[np.float64], outer: bool) -> NDArray[np.float64]:
    """Return a ring (north, east) from its north-west corner on: outer ones clockwise, holes not."""
    centred = points - points[0]
    north, east = centred[:, 0], centred[:, 1]
    # Twice the signed area, positive for clockwise with north up: which way a ring runs is habit, not law.
    clockwise = float((north * np.roll(east, -1) - east * np.roll(north, -1)).sum()) > 0
    if clockwise != outer:
        points = points[::-1]
    begin = int(np.argmax(points[:, 0] - points[:, 1]))
    return np.roll(points, -begin, axis=0)


def _told_of_patches(patches: Patches, owner: NDArray[Any], crs: CRS) -> Iterator[Finding]:
    label, counts = patches.label, np.bincount(owner, minlength=len(patches))
    several, none = int((counts > 1).sum()), np.flatnonzero(counts == 0)
    if several:
        yield Finding("coordinates.parts", {"layer": label, "count": several}, label)
    if len(none):
        yield Finding(
            "coordinates.empty", {"layer": label, "count": len(none), **_patch(patches, int(none[0]))}, label
        )
    if not zone_of(crs):
        yield Finding("coordinates.no_zone", {"layer": label, "crs": georef.name_of(crs)}, label)


# --- texts -----------------------------------------------------------------------------------------


def _written_texts(patches: Patches, options: Options, told: list[Finding]) -> dict[str, list[str]]:
    """Return the texts as they will stand in the file; what would break its grammar is changed or refused."""
    signs = {ord(sign): instead for sign, instead in words()["signs"].items()}
    made: dict[str, list[str]] = {}
    changed: list[tuple[str, str]] = []
    for use, texts in patches.columns.items():
        plain = [" ".join(text.translate(signs).split()) for text in texts]
        changed += [pair for pair in zip(texts, plain) if pair[0] != pair[1]]
        made[use] = plain
    if changed and options.names == "refuse":
        raise SwcError("coordinates.name_signs", layer=patches.label, text=changed[0][0], count=len(changed))
    if changed:
        facts = {"layer": patches.label, "count": len(changed), "text": changed[0][0], "to": changed[0][1]}
        told.append(Finding("coordinates.names_changed", facts, patches.label))
    made["no"] = [text or str(row) for row, text in enumerate(made["no"], start=1)]
    _refuse_unencodable(patches, made, options)
    return made


def _refuse_unencodable(patches: Patches, made: Mapping[str, Sequence[str]], options: Options) -> None:
    """Refuse text the encoding cannot hold, by name: a sign left out makes another name."""
    own = {"unit": [options.unit], "system": [_system(patches.crs)]}
    for use, texts in {**own, **made}.items():
        for row, text in enumerate(texts):
            try:
                text.encode(options.encoding)
            except UnicodeEncodeError as error:
                facts = {"sign": text[error.start], "text": text, "encoding": options.encoding, "use": use}
                facts.update({"patch": "-"} if use in own else {"patch": made["no"][row]})
                raise SwcError("coordinates.unencodable", layer=patches.label, **facts) from error


def text_of(listing: Listed, blocks: Sequence[Block] | None = None) -> str:
    """Return the text of a list of `blocks` (None: all), each line ended as chosen."""
    lines = ["[属性描述]", *(f"{key}={value}" for key, value in _head(listing)), "[地块坐标]"]
    for block in listing.blocks if blocks is None else blocks:
        lines += _block_lines(listing, block)
    end = "\r\n" if listing.options.line_end == "CRLF" else "\n"
    return "".join(line + end for line in lines)


def _head(listing: Listed) -> Iterator[tuple[str, str]]:
    crs, options = listing.crs, listing.options
    known = georef.gauss_krueger(crs) is not None and bool(zone_of(crs))
    facts = {
        "unit": options.unit,
        "date": _date(options.date),
        "system": _system(crs),
        "width": ("6" if zone_of(crs) < 25 else "3") if known else "",
        "projection": words()["projection"] if known else "",
        "zone": zone_of(crs) or "",
        "precision": _number(10.0**-options.decimals, options.decimals),
    }
    for key, value in words()["head"]:
        yield key, value.format(**facts)


def _system(crs: CRS) -> str:
    """Return the name of the datum as such lists write it, else that of the CRS."""
    datum = georef.name_of(crs.geodetic_crs)
    known = {one["geographic"]: one["names"][0] for one in parcels.words()["datums"]}
    return known[datum] if datum in known and zone_of(crs) else crs.name


def _date(text: str) -> str:
    match = _DATE.fullmatch(text)
    return "-".join([match[1], str(int(match[2])), str(int(match[3]))]) if match else ""


def _number(value: float, decimals: int) -> str:
    return f"{value:.{decimals}f}"


def _block_lines(listing: Listed, block: Block) -> Iterator[str]:
    options = listing.options
    said = {use: texts[block.patch] for use, texts in listing.patches.columns.items()}
    points = sum(len(ring.points) + (options.count == "with_closing") for ring in block.rings)
    hectares = _number(block.hectares, options.hectare_decimals)
    attributes = [str(points), hectares, said["no"], said["name"], "面", said["sheet"], said["use"]]
    yield ",".join([*attributes, *([said["land_class"]] if options.attributes == 8 else []), "@"])
    for name, ring, (north, east) in _point_rows(block, options):
        yield f"{name},{ring},{_number(north, options.decimals)},{_number(east, options.decimals)}"


def _point_rows(block: Block, options: Options) -> Iterator[tuple[str, int, tuple[float, float]]]:
    """Yield (name, ring, (north, east)) of the points of a block, the first of each ring once more."""
    for ring in block.rings:
        names = [f"{options.point_prefix}{ring.first_name + at}" for at in range(len(ring.points))]
        points = ring.points.tolist()
        for name, point in zip([*names, names[0]], [*points, points[0]]):
            yield name, ring.number, point


# --- files -----------------------------------------------------------------------------------------


def write(listing: Listed, output: Path, replace: bool = False) -> list[Path]:
    """Write a list to `output`, or with ``options.split`` into the folder `output`; return the files.

    Written aside and read back by our own reader first. Raises SwcError ``coordinates.exists`` for a file
    that is there unless `replace`, ``coordinates.not_as_written`` and ``intake.unwritable``.
    """
    output = Path(output).absolute()
    texts = _texts_by_file(listing, output)
    there = [path for path in texts if path.exists()]
    if there and not replace:
        raise SwcError("coordinates.exists", path=str(there[0]), count=len(there))
    folder = next(iter(texts)).parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with claim.aside(folder, output) as aside:
            for path, data in texts.items():
                (aside / path.name).write_bytes(data)
                _prove_written(listing, aside / path.name, data)
            for path in texts:
                (aside / path.name).replace(path)
    except OSError as error:
        reason = error.strerror or str(error)
        raise SwcError("intake.unwritable", source=output.name, reason=reason) from error
    return list(texts)


def _texts_by_file(listing: Listed, output: Path) -> dict[Path, bytes]:
    options = listing.options
    texts: dict[Path, bytes] = {}
    for path, blocks in _files(listing, output):
        texts[path] = text_of(listing, blocks).encode(options.encoding)
        if options.degrees:
            table = path.with_name(f"{path.stem}_度分秒.csv")
            texts[table] = degree_table(listing, blocks).encode("utf-8-sig")
    return texts


def _files(listing: Listed, output: Path) -> Iterator[tuple[Path, list[Block]]]:
    """Yield the files of a list with their blocks."""
    if not listing.options.split:
        yield (
            output if output.suffix.lower() == ".txt" else output.with_name(f"{output.name}.txt"),
            list(listing.blocks),
        )
        return
    taken: set[str] = set()
    of_patch: dict[int, list[Block]] = {}
    for block in listing.blocks:
        of_patch.setdefault(block.patch, []).append(block)
    for patch, blocks in of_patch.items():
        columns = listing.patches.columns
        name = _file_name(columns["no"][patch], columns["name"][patch], taken)
        yield output / f"{name}.txt", blocks


def _file_name(number: str, name: str, taken: set[str]) -> str:
    plain = _FILE_SIGNS.sub("_", f"{number}{name}").strip(" .")[:_LONGEST_NAME] or "_"
    made, serial = plain, 1
    while made.casefold() in taken:
        serial += 1
        made = f"{plain}_{serial}"
    taken.add(made.casefold())
    return made


def _prove_written(listing: Listed, path: Path, data: bytes) -> None:
    """Hold a file against what was meant: byte for byte, and its polygons as our own reader takes them."""
    if path.read_bytes() != data:
        raise SwcError("coordinates.not_as_written", path=path.name, reason="-")
    if path.suffix != ".txt":
        return
    asked = boundaries.Options(crs=georef.text_of(listing.crs), axes="north_east")
    errors = [one for one in boundaries.import_boundary(path, asked).findings if one.severity == "error"]
    if errors:
        raise SwcError("coordinates.not_as_written", path=path.name, reason=errors[0].sentence("zh"))


def degree_table(listing: Listed, blocks: Sequence[Block] | None = None) -> str:
    """Return a CSV of all points with X, Y and latitude, longitude in degrees, minutes and seconds."""
    options = listing.options
    head = ["地块编号", "地块名称", "圈号", "点号", "X坐标", "Y坐标", "纬度", "经度"]
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, lineterminator="\r\n")
    writer.writerow(head)
    to_degrees = georef.Move(listing.crs, listing.crs.geodetic_crs, _lonlat(listing))
    for block in listing.blocks if blocks is None else blocks:
        rows = list(_point_rows(block, options))
        lonlat = to_degrees(np.array([point[::-1] for _, _, point in rows]))
        columns = listing.patches.columns
        parcel = [cells.guarded(columns["no"][block.patch]), cells.guarded(columns["name"][block.patch])]
        for (name, ring, point), (lon, lat) in zip(rows, lonlat.tolist()):
            plane = [_number(value, options.decimals) for value in point]
            dms = [sexagesimal(value, options.degree_decimals) for value in (lat, lon)]
            writer.writerow([*parcel, ring, name, *plane, *dms])
    return stream.getvalue()


def _lonlat(listing: Listed) -> georef.Bounds:
    points = np.concatenate([ring.points for block in listing.blocks for ring in block.rings])
    (south, west), (north, east) = points.min(axis=0).tolist(), points.max(axis=0).tolist()
    return georef.lonlat_bounds(listing.crs, (west, south, east, north))


def sexagesimal(degrees: float, decimals: int) -> str:
    """Return degrees as ``121°28′16.5000″``, seconds with `decimals` digits, nothing ever 60."""
    scale = 10**decimals
    whole = round(abs(degrees) * 3600 * scale)
    seconds, rest = divmod(whole, scale)
    minutes, second = divmod(seconds, 60)
    degree, minute = divmod(minutes, 60)
    fraction = f".{rest:0{decimals}d}" if decimals else ""
    return f"{'-' if degrees < 0 else ''}{degree}°{minute:02d}′{second:02d}{fraction}″"


def options_of(settings: Mapping[str, Any]) -> Options:
    """Return options from a JSON document. Raises SwcError ``coordinates.option`` for a key that is none."""
    known = {one.name: type(one.default) for one in fields(Options)}
    for name, value in settings.items():
        if name not in known or not isinstance(value, known[name]):
            raise _option(name, value, known[name].__name__ if name in known else ", ".join(known))
    return checked(Options(**settings))
