# SPDX-License-Identifier: GPL-2.0-or-later
"""Checks of shapes: grid, validity, cover of the districts, parts, vertices, angles, narrow pieces, slivers.

All is judged in the working CRS on its 0.0001 m grid, where the edges of a result are straight; a package
in degrees goes back onto that grid, vertex by vertex.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from swc_zoning.engine.grid import PER_METRE, Floats, Ints, to_metres
from swc_zoning.engine.messages import catalogue, sentence
from swc_zoning.engine.submission import coverage
from swc_zoning.engine.submission.covered import (
    DISTRICTS,
    PIECES,
    drawn,
    memberships,
    pieces,
    place_of,
    polygons,
    soundness,
    surface,
    vertex,
)
from swc_zoning.engine.submission.memberships import pair_names, texts
from swc_zoning.engine.submission.opening import Package
from swc_zoning.engine.submission.quality import Flaw, Rule, Said, Unchecked, checker
from swc_zoning.engine.submission.surface import Mask, Plane, Rings

#: How far (m) two vertices may come together by the rounding of degrees to 1e-10.
_ROUNDING = 1.5e-5
_REASON = re.compile(r"^(.*?)(?:\[(\S+) (\S+)\])?$")
#: So many neighbours of a gap, or pairs of borders, are named.
_NAMED = 3


# --- the grid --------------------------------------------------------------------------------------


@checker("2204")
def check_grid(package: Package, rule: Rule) -> Iterator[Said]:
    """Vertices of the working copy, the GeoPackage, are on the grid of the working CRS."""
    copy = next((one for one in package.data_sets if one.format == "gpkg" and one.found(PIECES)), None)
    if "work_crs" not in package.meta:
        yield Unchecked("no_meta", {"item": "work_crs"})
        return
    sheet = package.sheet(PIECES, copy) if copy else None
    if copy is None or sheet is None or sheet.geometry is None:
        yield Unchecked("no_working_copy")
        return
    plane = Plane(package.work_crs)
    same = copy is package.main
    found = surface(package).rings if same else Rings.of(sheet.geometry, plane)
    off = np.abs(found.xy - to_metres(found.units)).max(axis=1)
    once = np.append(found.inner, False) & (found.owner[found.ring] < len(sheet))
    bad = np.flatnonzero((off > rule.number("off_m")) & once)
    bad = bad[~_on_straight(found, bad)]
    if len(bad):
        worst = bad[np.argmax(off[bad])]
        bsm = texts(sheet, "BSM")[found.owner[found.ring[worst]]]
        where = {"place": vertex(plane, found, worst), "measure": float(off[worst]) * 1e3, "unit": "mm"}
        yield rule.flaw(layer=PIECES, bsm=bsm, file=copy.name, count=len(bad), **where)
    if not same:
        package.forget(copy)


def _on_straight(rings: Rings, numbers: Ints) -> Mask:
    """Return which vertices are on the straight line between those beside them.

    Such are put into long edges so that degrees keep them straight; they need not be on the grid.
    """
    first = np.searchsorted(rings.ring, rings.ring[numbers])
    last = np.searchsorted(rings.ring, rings.ring[numbers], side="right") - 1
    before = rings.xy[np.where(numbers == first, last - 1, numbers - 1)]
    here, after = rings.xy[numbers], rings.xy[numbers + 1]
    way, to = after - before, here - before
    cross = np.abs(way[:, 0] * to[:, 1] - way[:, 1] * to[:, 0])
    return cross <= 1.5 / PER_METRE * np.hypot(*way.T)


# --- validity --------------------------------------------------------------------------------------


@checker("4101")
def check_valid(package: Package, rule: Rule) -> Iterator[Said]:
    """Polygons of all layers are there, valid and simple."""
    plane = Plane(package.work_crs)
    for name, sheet, _ in drawn(package):
        shapes, bsm = polygons(package, name, sheet), texts(sheet, "BSM")
        empty, bad, bent = soundness(package, name, sheet)
        for row in np.flatnonzero(empty).tolist():
            yield rule.flaw(layer=name, bsm=bsm[row], case="empty")
        for row in np.flatnonzero(bad).tolist():
            yield _invalid(rule, name, bsm[row], shapes[row], plane)
        if bent.any():
            yield _bent(rule, name, bsm, sheet.geometry, np.flatnonzero(bent))


def _invalid(rule: Rule, name: str, bsm: str, shape: Any, plane: Plane) -> Flaw:
    reason, x, y = _REASON.match(shapely.is_valid_reason(shape)).groups()
    place = plane.degrees(float(x), float(y)) if x else place_of(plane, shape)
    place = place if place and np.isfinite(place).all() else None
    code = "quality_shapes.kind_" + re.sub(r"[^a-z]+", "_", (reason or "").lower()).strip("_")
    code = code if code in catalogue() else "quality_shapes.kind_other"
    kinds = {f"kind_{lang}": sentence(code, {}, lang) for lang in ("zh", "en")}
    return rule.flaw(layer=name, bsm=bsm, place=place, **kinds)


def _bent(rule: Rule, name: str, bsm: Sequence[str], shapes: NDArray[Any], rows: Ints) -> Flaw:
    """Return the warning that polygons cross themselves only where their edges are straight in degrees."""
    row = int(rows[0])
    _, x, y = _REASON.match(shapely.is_valid_reason(shapes[row])).groups()
    place = (float(x), float(y)) if x else None
    facts = {"bsm": bsm[row], "place": place, "key": "degrees", "count": len(rows)}
    return rule.flaw(layer=name, case="degrees", severity="W", **facts)


# --- the cover of the districts --------------------------------------------------------------------


@checker("4102")
def check_overlaps(package: Package, rule: Rule) -> Iterator[Said]:
    """No two pieces overlap."""
    bsm, whole = texts(pieces(package), "BSM"), surface(package)
    for found in coverage.overlaps(whole):
        one, other = found.rows
        case = "same" if whole.fingerprints[one] == whole.fingerprints[other] else ""
        yield _uncovered(rule, found, case=case, bsm=bsm[one], other=bsm[other])


@checker("4103")
def check_gaps(package: Package, rule: Rule) -> Iterator[Said]:
    """Pieces leave nothing of a district uncovered."""
    bsm, code = texts(pieces(package), "BSM"), texts(package.sheet(DISTRICTS), "XZQDM")
    for found in coverage.gaps(surface(package)):
        beside = ", ".join(bsm[row] for row in found.rows[:_NAMED]) or "-"
        yield _uncovered(rule, found, district=code[found.district], beside=beside)


def _uncovered(rule: Rule, found: coverage.Defect, **said: Any) -> Flaw:
    small = found.m2 <= rule.number("error_m2")
    group = {"severity": "W", "key": "tolerance"} if small else {}
    return rule.flaw(layer=PIECES, place=found.place, measure=found.m2, unit="m2", **group, **said)


@checker("4401")
def check_districts(package: Package, rule: Rule) -> Iterator[Said]:
    """Pieces lie in the district they name, and districts beside each other."""
    whole, bsm = surface(package), texts(pieces(package), "BSM")
    known = set(whole.codes.tolist())
    lost: dict[str, list[int]] = {}
    for row, code in enumerate(whole.district.tolist()):
        if code not in known:
            lost.setdefault(code, []).append(row)
    for code, rows in sorted(lost.items()):
        place = place_of(whole.plane, whole.polygons[rows[0]])
        facts = {"bsm": bsm[rows[0]], "field": "XZQDM", "place": place, "district": code, "count": len(rows)}
        yield rule.flaw(layer=PIECES, case="unknown", **facts)
    for found in coverage.outside(whole):
        row = found.rows[0]
        where = {"place": found.place, "measure": found.m2, "unit": "m2"}
        yield rule.flaw(layer=PIECES, bsm=bsm[row], district=whole.district[row], **where)
    names = texts(package.sheet(DISTRICTS), "BSM")
    for found in coverage.doubled_districts(whole):
        one, other = (whole.codes[row] for row in found.rows)
        where = {"place": found.place, "measure": found.m2, "unit": "m2", "case": "doubled"}
        yield rule.flaw(layer=DISTRICTS, bsm=names[found.rows[0]], district=one, other=other, **where)


# --- parts and vertices ----------------------------------------------------------------------------


@checker("4104")
def check_parts(package: Package, rule: Rule) -> Iterator[Said]:
    """Pieces have a single part, whatever type the file says."""
    whole, bsm = surface(package), texts(pieces(package), "BSM")
    rings = whole.rings
    parts = np.bincount(rings.owner[rings.outer], minlength=len(whole))[: len(whole)]
    for row in np.flatnonzero(parts > 1).tolist():
        inside = shapely.get_parts(whole.polygons[row])
        place = place_of(whole.plane, inside[np.argmin(shapely.area(inside))])
        yield rule.flaw(layer=PIECES, bsm=bsm[row], place=place, measure=float(parts[row]))


@checker("4105")
def check_near_vertices(package: Package, rule: Rule) -> Iterator[Said]:
    """Vertices that follow each other are not the same and not nearer than the grid."""
    whole, bsm = surface(package), texts(pieces(package), "BSM")
    rings = whole.rings
    length = np.hypot(*np.diff(rings.xy, axis=0).T)
    near = np.flatnonzero(rings.inner & (length < rule.number("near_m") - _ROUNDING))
    owner = rings.owner[rings.ring[near]]
    for row in np.unique(owner[owner < len(whole)]).tolist():
        at = near[owner == row]
        nearest = at[np.argmin(length[at])]
        where = {"place": vertex(whole.plane, rings, nearest), "measure": float(length[nearest]) * 1e3}
        yield rule.flaw(layer=PIECES, bsm=bsm[row], unit="mm", count=len(at), **where)


# --- groups by what makes them ---------------------------------------------------------------------

#: Groups of pieces whose border is a statutory one, and one between lands that the law treats alike.
_STATUTORY, _ALIKE = "statutory", "alike"


@dataclass(frozen=True)
class _Found:
    """Pieces `rows` found by a rule: `worth` (the least is worst), `place`, the pair that makes each.

    `own`: has edges there that no neighbour has, so it is told on its own.
    """

    rows: list[int]
    worth: Floats
    place: list[tuple[float, float] | None]
    pairs: list[tuple[str, ...]]
    own: list[bool]


def _grouped(package: Package, rule: Rule, found: _Found, unit: str, **said: Any) -> Iterator[Flaw]:
    """Yield one flaw for each group, at its worst piece, and one for each piece that is told on its own."""
    bsm = texts(pieces(package), "BSM")
    groups: dict[str, list[int]] = {}
    for number, pair in enumerate(found.pairs):
        key = str(number) if found.own[number] else _STATUTORY if pair else _ALIKE
        groups.setdefault(key, []).append(number)
    for key, members in sorted(groups.items()):
        worst = min(members, key=lambda one: found.worth[one])
        case = {} if found.own[worst] else {"case": key, "key": key}
        where = {"place": found.place[worst], "measure": float(found.worth[worst]), "unit": unit}
        names = _most_named(package, [found.pairs[one] for one in members])
        facts = {"bsm": bsm[found.rows[worst]], "count": len(members), **names, **case, **where, **said}
        yield rule.flaw(layer=PIECES, **facts)


def _most_named(package: Package, pairs: Sequence[tuple[str, ...]]) -> dict[str, str]:
    """Return the pairs there are most of, in words, as facts."""
    most = [pair for pair, _ in Counter(pair for pair in pairs if pair).most_common(_NAMED)]
    texts_ = {lang: [pair_names(pair, package.schema, lang) for pair in most] for lang in ("zh", "en")}
    return {"pairs_zh": "、".join(texts_["zh"]), "pairs_en": ", ".join(texts_["en"])}


@checker("4201")
def check_angles(package: Package, rule: Rule) -> Iterator[Said]:
    """Pieces have no angle below the limit; those where statutory borders meet are told together."""
    whole = surface(package)
    edges, rings = whole.edges, whole.rings
    one, other, angle = _acute(whole, rule.number("degrees"))
    rows = edges.owner[one].tolist()
    # One part of a split edge stands for it.
    one, other = whole.noded.first[one], whole.noded.first[other]
    sides, item = np.concatenate([one, other]), np.tile(np.arange(len(one)), 2)
    shared = (whole.across >= 0) | whole.outer
    columns = (item, whole.noded.owner[sides], whole.across[sides], whole.noded.length_m[sides])
    pairs = memberships(package).pairs(len(rows), *(column[shared[sides]] for column in columns))
    # A spike has edges that no neighbour has.
    own = ~(shared[one] & shared[other])
    place = [vertex(whole.plane, rings, number) for number in whole.noded.vertex[other].tolist()]
    limit = f"{rule.number('degrees'):g}"
    yield from _grouped(package, rule, _Found(rows, angle, place, pairs, own.tolist()), "degree", limit=limit)


def _acute(whole: Any, limit: float) -> tuple[Ints, Ints, Floats]:
    """Return the edges before and after the most acute vertex of each piece, and the angle (degrees)."""
    edges, rings = whole.edges, whole.rings
    ring = rings.ring[edges.vertex]
    first = np.flatnonzero(np.diff(ring, prepend=-1))
    after = np.arange(1, len(edges) + 1)
    after[np.append(first[1:] - 1, len(edges) - 1)[: len(first)]] = first
    at = rings.units[edges.vertex]
    go = rings.units[edges.vertex + 1] - at
    dx, dy = go[:, 0].astype(float), go[:, 1].astype(float)
    dot = -(dx * dx[after] + dy * dy[after])
    cross = dx * dy[after] - dy * dx[after]
    cosine = dot / np.maximum(np.hypot(dx, dy) * np.hypot(dx[after], dy[after]), 1e-9)
    acute = np.flatnonzero((cosine > np.cos(np.radians(limit))) & (edges.owner < len(whole)))
    angle = np.degrees(np.arctan2(np.abs(cross[acute]), dot[acute]))
    order = np.lexsort((angle, edges.owner[acute]))
    once = order[np.diff(edges.owner[acute][order], prepend=-1) != 0]
    return acute[once], after[acute[once]], angle[once]


@checker("4202")
def check_narrow(package: Package, rule: Rule) -> Iterator[Said]:
    """No piece is narrow: the short side of its smallest rectangle, and little ground for its border."""
    whole = surface(package)
    limit = rule.number("short_side_m")
    round_ = 4 * np.pi * whole.plane_m2 / np.maximum(whole.perimeter_m, 1e-9) ** 2
    # A smallest rectangle is at least as wide as the piece is on average.
    chosen = np.flatnonzero(
        (round_ < rule.number("roundness")) & (whole.width_m < limit) & (whole.plane_m2 > 0)
    )
    side = _short_side(whole.polygons[chosen])
    chosen, side = chosen[side < limit], side[side < limit]
    place = [place_of(whole.plane, whole.polygons[row]) for row in chosen.tolist()]
    own = (~_free(package, chosen)).tolist()
    found = _Found(chosen.tolist(), side, place, _pairs(package, chosen), own)
    yield from _grouped(package, rule, found, "m", limit=f"{limit:g}")


def _short_side(shapes: NDArray[Any]) -> Floats:
    if len(shapes) == 0:
        return np.empty(0)
    boxes = shapely.minimum_rotated_rectangle(shapes)
    sides = np.zeros(len(boxes))
    for number in np.flatnonzero(shapely.get_type_id(boxes) == 3).tolist():
        xy = shapely.get_coordinates(boxes[number])
        sides[number] = min(np.hypot(*(xy[1] - xy[0])), np.hypot(*(xy[2] - xy[1])))
    return sides


def _pairs(package: Package, rows: Ints) -> list[tuple[str, ...]]:
    """Return the pair of boundaries that makes each of the pieces `rows`."""
    item, beside, length = surface(package).borders(rows)
    return memberships(package).pairs(len(rows), item, rows[item], beside, length)


# --- small pieces ----------------------------------------------------------------------------------


@checker("4301")
def check_slivers(package: Package, rule: Rule) -> Iterator[Said]:
    """Slivers that may be merged are; others are told by the pair of statutory borders between them."""
    whole, member = surface(package), memberships(package)
    areas, bsm = whole.areas, texts(pieces(package), "BSM")
    small = np.flatnonzero((areas < rule.number("warning_m2")) & (whole.plane_m2 > 0))
    columns = whole.borders(small)
    item, beside, length = (column[columns[1] >= 0] for column in columns)
    open_ = member.law[small[item]] == member.law[beside]
    receiver, border = _receivers(len(small), item[open_], beside[open_], length[open_])
    left = (receiver >= 0) & (areas[small] < rule.number("error_m2"))
    for number in np.flatnonzero(left).tolist():
        row = int(small[number])
        place = place_of(whole.plane, whole.polygons[row])
        where = {"place": place, "measure": float(areas[row]), "unit": "m2", "case": "merge", "severity": "E"}
        into = {"other": bsm[receiver[number]], "border": f"{border[number]:.2f}"}
        yield rule.flaw(layer=PIECES, bsm=bsm[row], **into, **where)
    rest = ~left & ~_exempt(package, rule, small, item, beside)
    same = rest & (receiver >= 0)
    yield from _told(package, rule, small[same], ["same"] * int(same.sum()))
    other = small[rest & ~same]
    pairs = _pairs(package, other)
    yield from _told(package, rule, other, ["×".join(pair) for pair in pairs], pairs)


def _receivers(count: int, item: Ints, beside: Ints, length: Floats) -> tuple[Ints, Floats]:
    """Return for each of `count` pieces the neighbour with the longest border, -1 for none, and that (m)."""
    best = np.lexsort((beside, -length, item))
    best = best[np.diff(item[best], prepend=-1) != 0]
    receiver, border = np.full(count, -1, np.int64), np.zeros(count)
    receiver[item[best]], border[item[best]] = beside[best], length[best]
    return receiver, border


def _exempt(package: Package, rule: Rule, rows: Ints, item: Ints, beside: Ints) -> Mask:
    """Return which of the pieces `rows` are islands, or rivers that are narrow but no slivers."""
    whole, member = surface(package), memberships(package)
    land_beside = np.bincount(item, ~member.sea[beside], minlength=len(rows)) > 0
    alone = _free(package, rows)
    island = ~member.sea[rows] & ~land_beside & alone
    river = member.rivers()[rows] & (whole.width_m[rows] >= rule.number("river_m"))
    return island | river


def _free(package: Package, rows: Ints) -> Mask:
    """Return which pieces have no edge that is left over: what is beside them is known."""
    whole = surface(package)
    doubtful = np.zeros(whole.count + whole.districts, bool)
    if whole.districts:
        doubtful[whole.noded.owner[whole.left_over]] = True
    return ~doubtful[rows]


def _told(
    package: Package, rule: Rule, rows: Ints, keys: Sequence[str], pairs: Sequence[tuple[str, ...]] = ()
) -> Iterator[Flaw]:
    """Yield one flaw for each key, at the largest of its pieces."""
    whole, bsm = surface(package), texts(pieces(package), "BSM")
    groups: dict[str, list[int]] = {}
    for number, key in enumerate(keys):
        groups.setdefault(key, []).append(number)
    for key, members in sorted(groups.items()):
        areas = whole.areas[rows[members]]
        row = int(rows[members[int(np.argmax(areas))]])
        pair = pairs[members[0]] if pairs else ()
        names = {f"pair_{lang}": pair_names(pair, package.schema, lang) for lang in ("zh", "en")}
        case = {"case": "pair", **names} if pair else {"case": "same" if key == "same" else ""}
        told = {
            "count": len(members),
            "total": f"{areas.sum():.2f}",
            "limit": f"{rule.number('warning_m2'):g}",
        }
        where = {
            "place": place_of(whole.plane, whole.polygons[row]),
            "measure": float(areas.max()),
            "unit": "m2",
        }
        yield rule.flaw(layer=PIECES, bsm=bsm[row], key=key or "other", **case, **told, **where)


@checker("4302")
def check_map_size(package: Package, rule: Rule) -> Iterator[Said]:
    """Pieces are large enough to be seen on the map."""
    whole, bsm = surface(package), texts(pieces(package), "BSM")
    ground = rule.number("map_mm2") * 1e-6 * package.scale**2
    small = np.flatnonzero((whole.areas < ground) & (whole.plane_m2 > 0))
    if len(small):
        row = int(small[np.argmin(whole.areas[small])])
        place = place_of(whole.plane, whole.polygons[row])
        where = {"place": place, "measure": float(whole.areas[row]), "unit": "m2"}
        facts = {"scale": package.scale, "limit": f"{rule.number('map_mm2'):g}", "ground": f"{ground:g}"}
        yield rule.flaw(layer=PIECES, bsm=bsm[row], count=len(small), **facts, **where)
