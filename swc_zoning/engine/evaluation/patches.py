# SPDX-License-Identifier: GPL-2.0-or-later
"""Patches and legal areas side by side: taken out of each other exactly, grouped, named, written.

The highest class wins: a legal area of class 3 is taken out of all patches, one of class 2 out of patches of
class 2, and patches of class 3 out of it. The least area applies to groups of patches and areas that touch
along an edge; legal areas always stay.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from numpy.typing import NDArray

from swc_zoning.engine import areas as official
from swc_zoning.engine import roles
from swc_zoning.engine.evaluation import contiguity, function_rules, sheets, vectors
from swc_zoning.engine.evaluation.rasters import Grid
from swc_zoning.engine.evaluation.regions import Numbers
from swc_zoning.paths import resource

if TYPE_CHECKING:
    from swc_zoning.engine.evaluation.running import Run

LAYER = "swc_function_important"
#: Tier of the role by class.
TIERS = {3: "extremely_important", 2: "important"}
#: Method of what legal layers decide alone.
LEGAL = "legal"
#: Interiors meet.
_OVER = "2********"
#: Least area of a part of a legal area (m2).
_LEAST_PART = 0.01


@dataclass(frozen=True)
class Areas:
    """Legal areas as single polygons: class, rule (number, id, zh, en) of each."""

    geometry: NDArray[Any]
    level: Numbers
    rule: list[tuple[int, str, str, str]]


@dataclass(frozen=True)
class Patches:
    """Patches: (class, rule, deciding bits) of each, polygons, and its group of `groups`.

    `whole` are the cells or parcels before anything was taken out, which tell what a group (`whole_group`)
    touches.
    """

    keys: NDArray[np.int64]
    geometry: NDArray[Any]
    group: Numbers
    groups: int
    whole: NDArray[Any]
    whole_group: Numbers


# --- legal areas -----------------------------------------------------------------------------------


def read_areas(run: Run, crs: str) -> Areas:
    """Read the legal areas of at least the least class; none where they are not given."""
    if not run["areas"]:
        return Areas(np.empty(0, object), np.zeros(0, np.int64), [])
    shapes = vectors.read_onto(run["areas"], crs)
    level = np.array([int(value) for value in shapes.raw("class")], np.int64)
    parts, owner = shapely.get_parts(shapes.geometry, return_index=True)
    chosen = (shapely.get_type_id(parts) == 3) & (level[owner] >= run["least_class"])
    fields = ("rule", "rule_id", "rule_zh", "rule_en")
    columns = [shapes.raw(name) if name in shapes.columns else [""] * len(shapes) for name in fields]
    rules = [(int(number or 0), *map(str, texts)) for number, *texts in zip(*columns)]
    return Areas(parts[chosen], level[owner[chosen]], [rules[place] for place in owner[chosen].tolist()])


def minus(geometry: NDArray[Any], parts: NDArray[Any]) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """Return polygons without `parts`, and which were changed; the others are what they were."""
    made, changed = geometry.copy(), np.zeros(len(geometry), bool)
    if not len(parts) or not len(geometry):
        return made, changed
    one, other = shapely.STRtree(parts).query(geometry, predicate="intersects")
    over = shapely.relate_pattern(geometry[one], parts[other], _OVER)
    one, other = one[over], other[over]
    starts = np.flatnonzero(np.diff(one, prepend=-1))
    for hits in np.split(other, starts[1:]) if len(one) else ():
        number = one[starts[int(changed.sum())]]
        taken = parts[hits[0]] if len(hits) == 1 else shapely.union_all(parts[hits])
        made[number] = shapely.difference(geometry[number], taken)
        changed[number] = True
    return made, changed


# --- patches beside areas --------------------------------------------------------------------------


def settled(run: Run, found: Patches, areas: Areas, cell_m2: float) -> tuple[Patches, Areas]:
    """Return patches and areas cut out of each other; bits of patches below a cell are left out."""
    geometry, group = found.geometry.copy(), found.group
    cut = np.zeros(len(geometry), bool)
    for level in (3, 2):
        mine = found.keys[:, 0] == level
        geometry[mine], cut[mine] = minus(geometry[mine], areas.geometry[areas.level >= level])
    lower = areas.level == 2
    rest = areas.geometry.copy()
    rest[lower], _ = minus(rest[lower], found.geometry[found.keys[:, 0] == 3])
    pieces, owner = _polygons(geometry)
    bits = cut[owner] & (shapely.area(pieces) < cell_m2)
    run.facts.update({"bits": int(bits.sum()), "bits_m2": float(shapely.area(pieces[bits]).sum())})
    pieces, owner = pieces[~bits], owner[~bits]
    made = replace(found, keys=found.keys[owner], geometry=pieces, group=group[owner])
    parts, place = _polygons(rest)
    # What arithmetic leaves along a shared boundary is no area: thinner than the grid of the zoning.
    some = shapely.area(parts) >= _LEAST_PART
    parts, place = parts[some], place[some]
    return made, Areas(parts, areas.level[place], [areas.rule[number] for number in place.tolist()])


def _polygons(geometry: NDArray[Any]) -> tuple[NDArray[Any], Numbers]:
    """Return the polygons that geometries consist of, and of which each is."""
    parts, owner = shapely.get_parts(geometry, return_index=True)
    parts, inner = shapely.get_parts(parts, return_index=True)
    areal = shapely.get_type_id(parts) == 3
    return parts[areal], owner[inner[areal]].astype(np.int64)


def large_enough(run: Run, found: Patches, made: Patches, areas: Areas, rest: Areas) -> NDArray[np.bool_]:
    """Return which patches of `made` are of a group of the least area, legal areas that touch included."""
    total = found.groups + len(areas.geometry)
    pairs: list[contiguity.Pairs] = []
    if len(areas.geometry) and len(found.whole):
        one, other = contiguity.of_polygons(found.whole, areas.geometry)
        pairs.append((found.whole_group[one], other + found.groups))
        one, other = contiguity.of_polygons(areas.geometry)
        pairs.append((one + found.groups, other + found.groups))
    group, count = contiguity.groups(total, *pairs)
    mine = group[made.group]
    sizes = np.bincount(mine, shapely.area(made.geometry), count).astype(float)
    sizes += np.bincount(group[found.groups :], shapely.area(areas.geometry), count)
    return sizes[mine] >= run["least_m2"]


# --- parcels ---------------------------------------------------------------------------------------


def of_parcels(run: Run, keys: NDArray[np.int64], geometry: NDArray[Any], whole: NDArray[Any]) -> Patches:
    """Return parcels as patches: those of one class and rule that touch as one, if so asked."""
    links = contiguity.of_polygons(whole)
    group, groups = contiguity.groups(len(whole), links)
    if not run["dissolve"] or not len(whole):
        return Patches(keys, geometry, group, groups, whole, group)
    alike = (keys[links[0]] == keys[links[1]]).all(axis=1)
    patch, count = contiguity.groups(len(whole), (links[0][alike], links[1][alike]))
    order = np.argsort(patch, kind="stable")
    members = np.split(order, np.flatnonzero(np.diff(patch[order])) + 1)
    first = np.array([rows[0] for rows in members])
    joined = np.empty(count, object)
    joined[:] = [_joined(geometry[rows]) for rows in members]
    return Patches(keys[first], joined, group[first], groups, whole, group)


def _joined(parcels: NDArray[Any]) -> Any:
    """Return parcels as one; the outer edges of those that fit together stay as they are."""
    if len(parcels) == 1:
        return parcels[0]
    try:
        made = shapely.coverage_union_all(parcels)
    except shapely.GEOSException:
        # They overlap, or a legal boundary cut two neighbours a hair apart: no coverage.
        return shapely.union_all(parcels)
    wanted = float(shapely.area(parcels).sum())
    fits = abs(float(shapely.area(made)) - wanted) <= 1e-9 * wanted and shapely.is_valid(made)
    return made if fits else shapely.union_all(parcels)


# --- the layer -------------------------------------------------------------------------------------


def write(run: Run, found: Patches, areas: Areas, grid: Grid) -> None:
    """Write patches and legal areas as the layer of the role."""
    made, rest = settled(run, found, areas, grid.cell[0] * grid.cell[1])
    large = large_enough(run, found, made, areas, rest)
    small = float(shapely.area(made.geometry[~large]).sum())
    geometry = np.concatenate((made.geometry[large], rest.geometry))
    book = function_rules.load(run["rule_file"] or run["rule_book"]) if run["rules"] else None
    named = book.by_number() if book else {0: ("", "", "")}
    default = run["method"] or (book.id if book else "")
    rows = [
        (level, *named.get(rule, (str(rule), "", "")), _method(run, bits, default))
        for level, rule, bits in made.keys[large].tolist()
    ]
    rows += [(int(level), *rule[1:], LEGAL) for level, rule in zip(rest.level, rest.rule)]
    order = _in_order(geometry, np.array([row[0] for row in rows], np.int64))
    geometry, rows = geometry[order], [rows[place] for place in order]
    _tell(run, geometry, rows, int((~large).sum()), small)
    columns = _columns(geometry, rows, grid)
    shapes = np.empty(len(geometry), object)
    shapes[:] = [shapely.multipolygons([one]) for one in geometry]
    vectors.write(run.path("patches"), LAYER, shapes, columns, grid.crs, "MultiPolygon")


def _in_order(geometry: NDArray[Any], level: Numbers) -> Numbers:
    """Return the order of patches: class from the highest, then from north to south and west to east."""
    west, _, _, north = shapely.bounds(geometry).T if len(geometry) else np.empty((4, 0))
    return np.lexsort((shapely.area(geometry), west, -north, -level))


def _method(run: Run, bits: int, default: str) -> str:
    """Return the method of a patch: that of the layers that decided, else the default."""
    if not run["deciding"]:
        return default
    names = [name.strip() for name in run["method"].split(",")]
    layers = [place for place in range(16) if bits >> place & 1]
    return "+".join(
        names[place] if place < len(names) and names[place] else str(place + 1) for place in layers
    )


def _named(method: str, lang: str) -> str:
    known = _methods()
    return ("、" if lang == "zh" else ", ").join(
        known.get(name, {}).get(lang, name) for name in method.split("+")
    )


@lru_cache(maxsize=1)
def _methods() -> dict[str, dict[str, str]]:
    return json.loads(resource("evaluation", "methods.json").read_text(encoding="utf-8"))["methods"]


def _columns(geometry: NDArray[Any], rows: list[tuple[Any, ...]], grid: Grid) -> dict[str, NDArray[Any]]:
    role = roles.find(LAYER)
    tiers = {tier.id: tier.name_zh for tier in (role.tiers if role else ())}
    words = [tiers[TIERS[row[0]]] for row in rows]
    called = sheets.words("patch")["name"]
    texts = {
        "BSM": _codes(geometry, rows),
        "MC": [called.format(tier=word, number=f"{place:04d}") for place, word in enumerate(words, 1)],
        "ZYXDJ": words,
        "method": [row[4] for row in rows],
        "method_zh": [_named(row[4], "zh") for row in rows],
        "method_en": [_named(row[4], "en") for row in rows],
        **{
            name: [row[place] for row in rows]
            for place, name in ((1, "rule"), (2, "rule_zh"), (3, "rule_en"))
        },
    }
    return {
        "BSM": np.array(texts.pop("BSM"), object),
        **{name: np.array(column, object) for name, column in texts.items()},
        "class": np.array([row[0] for row in rows], np.int32),
        "plane_m2": shapely.area(geometry).astype(float),
        "area_m2": _official(geometry, grid),
    }


def _codes(geometry: NDArray[Any], rows: list[tuple[Any, ...]]) -> list[str]:
    """Return a code of each patch that is its own as long as its class, its rule and its polygon are."""
    seen: Counter[str] = Counter()
    made = []
    for wkb, row in zip(shapely.to_wkb(shapely.normalize(geometry)), rows):
        digest = hashlib.sha256(wkb + f"{row[0]}{row[1]}".encode()).hexdigest()[:16].upper()
        seen[digest] += 1
        made.append(f"GN{digest}" if seen[digest] == 1 else f"GN{digest}-{seen[digest]}")
    return made


def _official(geometry: NDArray[Any], grid: Grid) -> NDArray[np.float64]:
    """Return official ellipsoidal areas (m2, 0.01)."""
    if not len(geometry):
        return np.empty(0)
    return official.round_area(official.area_model(grid.crs).areas(geometry))


def _tell(run: Run, geometry: NDArray[Any], rows: list[tuple[Any, ...]], small: int, small_m2: float) -> None:
    """Note counts and areas, of all, by class and by rule; say what was left out."""
    plane = shapely.area(geometry)
    by_class, by_rule = Counter[str](), Counter[str]()
    for row, area in zip(rows, plane.tolist()):
        by_class[str(row[0])] += area
        by_rule[row[1]] += area
    small += int(run.facts.get("small_regions", 0))
    small_m2 += run.facts.get("small_m2", 0.0)
    facts = {"count": len(rows), "km2": float(plane.sum()) / 1e6, "dropped": small}
    facts["dropped_km2"] = small_m2 / 1e6
    run.facts.update({**facts, "class_m2": dict(by_class), "rule_m2": dict(by_rule)})
    run.find("evaluation.patches", **facts)
    if not rows:
        run.find("evaluation.no_patches")
