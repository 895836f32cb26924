# SPDX-License-Identifier: GPL-2.0-or-later
"""From listed points to polygons: which number is north, which CRS, which ring is a hole, what does not fit.

Nothing is guessed in silence: what a file leaves open is decided by what its numbers can only be, and told;
what they leave open too is an error with proposals.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import shapely
from pyproj import CRS

from swc_zoning.engine import georef
from swc_zoning.engine.coordinate_lists import Block, Listing, Point, Told
from swc_zoning.engine.messages import SwcError
from swc_zoning.paths import resource

AXES = ("auto", "north_east", "east_north")
#: A last point named like the first one and no farther from it closes the ring, metres.
_CLOSING_M = 1.0
_TITLE = re.compile(r"[\s\-_—－()（）年]+")


@lru_cache(maxsize=1)
def words() -> dict[str, Any]:
    """Return ``resources/boundaries.json``."""
    return json.loads(resource("boundaries.json").read_text(encoding="utf-8"))


@dataclass(frozen=True)
class Drawn:
    """Polygons of a listing, one row a parcel: `geometry` object[n] in (east, north), `block` as listed."""

    geometry: np.ndarray
    blocks: list[Block]
    crs: CRS | None


def draw(listing: Listing, crs: str | None = None, axes: str = "auto", merge: bool = False) -> Drawn:
    """Return the polygons of `listing`; all that is inconsistent goes to ``listing.told``.

    `crs` overrides what the file says; `axes` one of AXES, "auto" as the numbers can only be;
    `merge` makes blocks of one number the parts of one parcel. Raises SwcError ``boundary.crs_unknown``.
    """
    points = [point for block in listing.blocks for point in block.points]
    listing.degrees = listing.degrees or _are_degrees(points)
    north_first = _north_first(listing, points, axes)
    zone = _zone_of(listing, points, north_first)
    found = _crs(listing, zone, crs)
    told_closed = _Closings()
    rows = []
    for block in listing.blocks:
        rings = [_ring(listing, block, run, north_first, told_closed) for run in _runs(block.points)]
        polygons = _polygons(listing.told, block, [ring for ring in rings if ring is not None])
        if polygons:
            rows.append((block, polygons))
        _tell_count(listing.told, block, told_closed)
    told_closed.tell(listing.told)
    if merge:
        rows = _merged(rows)
    _tell_numbers(listing.told, [block for block, _ in rows])
    geometry = np.empty(len(rows), dtype=object)
    geometry[:] = [_one(polygons) for _, polygons in rows]
    if found is not None and len(rows):
        tell_misfit(listing.told, found, geometry)
    return Drawn(geometry, [block for block, _ in rows], found)


def even_odd(rings: Sequence[shapely.Geometry]) -> list[shapely.Geometry]:
    """Return polygons of valid, non-crossing rings (as Polygons): what an odd number of them hold."""
    depth, parent = _nesting(rings)
    holes: dict[int, list[Any]] = {}
    for row in np.flatnonzero(depth % 2 == 1).tolist():
        holes.setdefault(int(parent[row]), []).append(rings[row].exterior)
    return [
        shapely.Polygon(rings[row].exterior, holes.get(row))
        for row in np.flatnonzero(depth % 2 == 0).tolist()
    ]


# --- which number is north -------------------------------------------------------------------------


def _are_degrees(points: list[Point]) -> bool:
    """Return whether plain numbers can only be longitudes and latitudes."""
    pairs = np.array([(point.first, point.second) for point in points]).reshape(-1, 2)
    one, other = pairs[:, 0], pairs[:, 1]
    ways = [(one, other), (other, one)]
    return bool(points) and any(
        _within(lat, "latitude").all() and _within(lon, "longitude").all() for lat, lon in ways
    )


def _within(values: np.ndarray, name: str) -> np.ndarray:
    low, high = words()["ranges"][name]
    return (values >= low) & (values < high)


def _north_first(listing: Listing, points: list[Point], axes: str) -> bool:
    """Return whether the first number of a point is its northing (or latitude)."""
    expected = axes if axes != "auto" else listing.order or "north_east"
    if axes != "auto" or not points:
        return expected == "north_east"
    pairs = np.array([(point.first, point.second) for point in points])
    as_listed = _northing(pairs[:, 0], listing.degrees) & _easting(pairs[:, 1], listing.degrees)
    swapped = _northing(pairs[:, 1], listing.degrees) & _easting(pairs[:, 0], listing.degrees)
    if as_listed.all() or swapped.all():
        decided = "north_east" if as_listed.all() else "east_north"
        if listing.order and decided != listing.order:
            listing.told.add("boundary.axes_swapped", line=points[0].line)
        return decided == "north_east"
    odd = np.flatnonzero(~(as_listed if expected == "north_east" else swapped))
    code = "boundary.axes_mixed" if as_listed.any() and swapped.any() else "boundary.coordinates_odd"
    first = points[int(odd[0])]
    listing.told.add(code, line=first.line, x=f"{first.first:.10g}", y=f"{first.second:.10g}", count=len(odd))
    return expected == "north_east"


def _northing(values: np.ndarray, degrees: bool) -> np.ndarray:
    return _within(values, "latitude" if degrees else "north_m")


def _easting(values: np.ndarray, degrees: bool) -> np.ndarray:
    return (
        _within(values, "longitude")
        if degrees
        else _within(values, "east_m") | _within(values, "zone_east_m")
    )


# --- which CRS -------------------------------------------------------------------------------------


def _zone_of(listing: Listing, points: list[Point], north_first: bool) -> int:
    """Return the zone number the eastings carry, 0 for none; several are an error."""
    if listing.degrees:
        return 0
    # Local eastings may be negative: that is no zone.
    zones = [max(int((point.second if north_first else point.first) // 1e6), 0) for point in points]
    found = Counter(zones)
    if len(found) > 1:
        usual = found.most_common(1)[0][0]
        odd = next(point for point, zone in zip(points, zones) if zone != usual)
        listing.told.add("boundary.zone_mixed", line=odd.line, zones=", ".join(map(str, sorted(found))))
    return found.most_common(1)[0][0] if found else 0


def _crs(listing: Listing, zone: int, given: str | None) -> CRS | None:
    """Return the CRS given, else the one file and numbers agree on, else None with the reason told."""
    problems, proposals, certain = _proposed(listing, zone)
    if given:
        crs = georef.parse(given)
        if crs is None:
            raise SwcError("boundary.crs_unknown", crs=given)
        name = georef.name_of(crs)
        if (problems or certain) and proposals and name not in proposals:
            listing.told.add("boundary.crs_overrides", crs=name, proposal=", ".join(proposals))
        return crs
    for code, facts in problems:
        listing.told.add(code, proposal=", ".join(proposals) or "-", **facts)
    if problems:
        return None
    if not certain or len(proposals) != 1:
        listing.told.add("boundary.crs_missing", proposal=", ".join(proposals) or "-")
        return None
    return georef.parse(proposals[0])


def _proposed(listing: Listing, zone: int) -> tuple[list[tuple[str, dict[str, Any]]], list[str], bool]:
    """Return (contradictions, CRSs that would fit, whether the file names its datum)."""
    problems: list[tuple[str, dict[str, Any]]] = []
    system, line = listing.header.get("坐标系", ("", 0))
    datum = _datum(system)
    if system and not datum:
        problems.append(("boundary.crs_name_unknown", {"line": line, "name": system}))
    reference = georef.parse(datum or "EPSG:4490")
    if listing.degrees:
        return problems, [georef.name_of(reference)], bool(datum)
    problems += _projection_problems(listing)
    declared, line = _header_number(listing, "带号")
    if zone and declared and zone != declared:
        problems.append(("boundary.zone_contradicts", {"line": line, "declared": declared, "found": zone}))
    width, line = _header_number(listing, "几度分带")
    zones = sorted({number for number in (zone, declared) if 13 <= number <= 45 and number != 24})
    if width and any((number >= 25) != (width == 3) for number in zones):
        facts = {"line": line, "width": width, "zone": ", ".join(map(str, zones))}
        problems.append(("boundary.zone_width", facts))
    proposals = [name for number in zones for name in georef.zone_crs(reference, number, bool(zone))]
    return problems, proposals, bool(datum)


def _datum(system: str) -> str:
    folded = _TITLE.sub("", system).casefold()
    for datum in words()["datums"]:
        if folded and folded in {_TITLE.sub("", name).casefold() for name in datum["names"]}:
            return datum["geographic"]
    return ""


def _projection_problems(listing: Listing) -> list[tuple[str, dict[str, Any]]]:
    """Return what the file says of its projection and unit that is not Gauss-Krueger in metres."""
    told = {
        "投影类型": ("projections", "boundary.projection_unknown"),
        "计量单位": ("metre_units", "boundary.unit_unknown"),
    }
    problems = []
    for key, (known, code) in told.items():
        said, line = listing.header.get(key, ("", 0))
        if said and _TITLE.sub("", said).casefold() not in {
            _TITLE.sub("", w).casefold() for w in words()[known]
        }:
            problems.append((code, {"line": line, "name": said}))
    said, line = listing.header.get("转换参数", ("", 0))
    if re.search(r"[1-9]", said):
        listing.told.add("boundary.parameters_ignored", line=line, text=said)
    return problems


def _header_number(listing: Listing, key: str) -> tuple[int, int]:
    said, line = listing.header.get(key, ("", 0))
    number = re.search(r"\d+", said)
    return (int(number[0]) if number else 0), line


def tell_misfit(told: Told, crs: CRS, geometry: np.ndarray) -> None:
    """Tell where the coordinates cannot be true in `crs`."""
    bounds = tuple(shapely.total_bounds(geometry).tolist())
    where = " ".join(f"{value:.9g}" for value in bounds)
    name = georef.name_of(crs)
    zone = None if crs.is_geographic else georef.zone_problem(crs, bounds)
    if georef.degrees_problem(crs, bounds):
        told.add("boundary.crs_units", crs=name, bounds=where)
    elif zone:
        told.add("boundary.crs_zone", crs=name, **zone)
    elif georef.outside_area_of_use(crs, georef.lonlat_bounds(crs, bounds)):
        told.add("boundary.crs_area", crs=name, bounds=where)


# --- rings -----------------------------------------------------------------------------------------


class _Closings:
    """How rings end: never repeating the first point is a habit, doing so sometimes is not."""

    def __init__(self) -> None:
        self.closed = 0
        self.open: list[dict[str, Any]] = []
        self.of_block: dict[int, int] = {}

    def tell(self, told: Told) -> None:
        """Tell rings that do not end where they began."""
        if self.open and not self.closed:
            told.add("boundary.rings_open", count=len(self.open))
            return
        for facts in self.open:
            told.add("boundary.ring_not_closed", **facts)


def _runs(points: list[Point]) -> list[list[Point]]:
    """Return the points of each ring: a new number begins one, and so does what follows a closed one."""
    runs: list[list[Point]] = []
    for point in points:
        last = runs[-1] if runs else []
        closed = len(last) > 3 and (last[0].first, last[0].second) == (last[-1].first, last[-1].second)
        if not last or point.ring != last[-1].ring or closed:
            runs.append([])
        runs[-1].append(point)
    return runs


def _ring(
    listing: Listing, block: Block, run: list[Point], north_first: bool, closings: _Closings
) -> tuple[list[Point], np.ndarray] | None:
    """Return (points, float64[n, 2] of (east, north) without the closing one), None for what is no ring."""
    told, head, tail = listing.told, run[0], run[-1]
    unit = georef.METRES_PER_DEGREE if listing.degrees else 1.0
    gap = unit * float(np.hypot(head.first - tail.first, head.second - tail.second))
    closed = len(run) > 1 and (gap == 0 or (tail.name == head.name != "" and gap <= _CLOSING_M))
    if closed:
        closings.closed += 1
        closings.of_block[block.line] = closings.of_block.get(block.line, 0) + 1
        run = run[:-1]
        if gap:
            told.add("boundary.closing_differs", line=tail.line, gap=round(gap, 4), name=tail.name)
    else:
        closings.open.append(
            {"line": tail.line, "ring": tail.ring, "gap": round(gap, 3), "parcel": _named(block)}
        )
    pairs = np.array([(point.first, point.second) for point in run], dtype=np.float64)
    if len(np.unique(pairs, axis=0)) < 3:
        told.add("boundary.ring_short", line=head.line, ring=head.ring, parcel=_named(block))
        return None
    return run, pairs[:, ::-1] if north_first else pairs


def _named(block: Block) -> str:
    return block.no or block.name or f"@{block.line}"


def _tell_count(told: Told, block: Block, closings: _Closings) -> None:
    """Tell where the points are not as many as declared, with or without those that close a ring."""
    found, closing = len(block.points), closings.of_block.get(block.line, 0)
    if block.declared_points is None or block.declared_points in (
        found,
        found - closing,
        found - min(closing, 1),
    ):
        return
    facts = {"line": block.line, "declared": block.declared_points, "found": found, "parcel": _named(block)}
    cut = found < block.declared_points and not closing and bool(closings.closed)
    told.add("boundary.points_missing" if cut else "boundary.point_count", **facts)


def _polygons(
    told: Told, block: Block, rings: list[tuple[list[Point], np.ndarray]]
) -> list[shapely.Geometry]:
    """Return the polygons of a parcel: rings within others are holes, whatever their numbers say."""
    if not rings:
        if not block.points:
            told.add("boundary.parcel_empty", line=block.line, parcel=_named(block))
        return []
    drawn = [shapely.Polygon(pairs) for _, pairs in rings]
    if not _tell_crossing_selves(told, block, rings, drawn):
        # As listed: the intake mends copies and says so.
        return [shapely.Polygon(drawn[0].exterior, [ring.exterior for ring in drawn[1:]])]
    tree = shapely.STRtree(drawn)
    crossing = tree.query(drawn, predicate="overlaps")
    same = tree.query(drawn, predicate="covers")
    doubled = {tuple(sorted(pair)) for pair in same.T.tolist() if pair[0] != pair[1]}
    twice = [pair for pair in doubled if shapely.equals(drawn[pair[0]], drawn[pair[1]])]
    if crossing.size or twice:
        one, other = sorted(crossing.T.tolist()[0] if crossing.size else twice[0])
        facts = {"ring": rings[one][0][0].ring, "other": rings[other][0][0].ring}
        told.add("boundary.rings_cross", line=rings[other][0][0].line, parcel=_named(block), **facts)
        return []
    _tell_ring_roles(told, block, rings, drawn)
    return even_odd(drawn)


def _tell_crossing_selves(
    told: Told, block: Block, rings: list[tuple[list[Point], np.ndarray]], drawn: list[shapely.Geometry]
) -> bool:
    """Return whether no ring crosses or touches itself; the places go to `told`."""
    sound = True
    for (points, _), ring in zip(rings, drawn):
        if not shapely.is_valid(ring):
            sound = False
            reason = shapely.is_valid_reason(ring)
            x, y = re.findall(r"[-\d.e+]+", reason.partition("[")[2])[:2]
            facts = {"line": points[0].line, "ring": points[0].ring, "parcel": _named(block)}
            told.add("boundary.self_crossing", (float(x), float(y)), x=x, y=y, **facts)
    return sound


def _tell_ring_roles(
    told: Told, block: Block, rings: list[tuple[list[Point], np.ndarray]], drawn: list[shapely.Geometry]
) -> None:
    depth, _ = _nesting(drawn)
    first = rings[0][0][0].ring
    for (points, _), level in zip(rings, depth.tolist()):
        facts = {"line": points[0].line, "ring": points[0].ring, "parcel": _named(block)}
        if points[0].ring != first and level == 0:
            told.add("boundary.hole_outside", **facts)
        elif points[0].ring == first and level % 2:
            told.add("boundary.outer_inside", **facts)


def _nesting(rings: Sequence[shapely.Geometry]) -> tuple[np.ndarray, np.ndarray]:
    """Return int64[n]: how many other rings each lies in, and the innermost of them (-1: none)."""
    inside, around = shapely.STRtree(rings).query(rings, predicate="within")
    other = inside != around
    inside, around = inside[other], around[other]
    depth = np.bincount(inside, minlength=len(rings))
    parent = np.full(len(rings), -1)
    order = np.argsort(depth[around], kind="stable")
    parent[inside[order]] = around[order]
    return depth, parent


def _tell_numbers(told: Told, blocks: list[Block]) -> None:
    by_number: dict[str, list[int]] = {}
    for block in blocks:
        if block.no:
            by_number.setdefault(block.no, []).append(block.line)
    for number, lines in by_number.items():
        if len(lines) > 1:
            told.add("boundary.number_doubled", parcel=number, lines=", ".join(map(str, lines)))


def _merged(rows: list[tuple[Block, list[shapely.Geometry]]]) -> list[tuple[Block, list[shapely.Geometry]]]:
    """Return one row for each parcel number; hectares declared for all its parts are added up."""
    kept: dict[Any, tuple[Block, list[shapely.Geometry]]] = {}
    for block, polygons in rows:
        key = block.no or object()
        if key not in kept:
            kept[key] = (block, list(polygons))
            continue
        first, parts = kept[key]
        parts.extend(polygons)
        whole = None not in (first.declared_ha, block.declared_ha)
        first.declared_ha = first.declared_ha + block.declared_ha if whole else None
    return list(kept.values())


def _one(polygons: list[shapely.Geometry]) -> shapely.Geometry:
    return polygons[0] if len(polygons) == 1 else shapely.MultiPolygon(polygons)
