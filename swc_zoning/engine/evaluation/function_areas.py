# SPDX-License-Identifier: GPL-2.0-or-later
"""Function-important areas by ordered rules (the path of a flat delta): classes, rules and hits of cells.

What legal layers decide alone stays exact polygons. Cells are judged everywhere, also below those, so that
no gap opens along a legal boundary. Of rules the highest class wins, of one class the first rule.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import rasterio
from numpy.typing import NDArray

from swc_zoning.engine.evaluation import (
    function_rules,
    ground,
    intensities,
    protected,
    sets,
    treatment,
    units,
)
from swc_zoning.engine.evaluation.function_rules import Book, Rule
from swc_zoning.engine.evaluation.ground import Ground, Look
from swc_zoning.engine.evaluation.protected import Protected
from swc_zoning.engine.evaluation.rasters import (
    Grid,
    Output,
    Stack,
    View,
    compute,
    grid_of,
    require_metres,
    stacked,
)
from swc_zoning.engine.evaluation.regions import Regions
from swc_zoning.engine.evaluation.scanning import Scan
from swc_zoning.engine.evaluation.treatment import by_bit

if TYPE_CHECKING:
    from pathlib import Path

    from swc_zoning.engine.evaluation.running import Run

#: Marks cells with data among the bits of rules.
_KNOWN = 1 << 15
_RASTERS = ("cover", "ecosystem", "slope", "relief", "erosion")
#: Parameters that are layers of a role; the one that is of none.
LAYERS = {
    "drinking_water_source": "drinking_water_source",
    "nature_reserve": "nature_reserve",
    "nature_park": "nature_park",
    "important_wetland": "important_wetland",
    "wetland_core": "",
}


@dataclass(frozen=True)
class Judged:
    """A run of the rules: the book, legal layers, their scans by rule, ground, cell area, least patch."""

    book: Book
    layers: Mapping[str, Protected]
    scans: Mapping[int, Scan]
    ground: Ground
    cell_m2: float
    patch_m2: float | None


def function_areas(run: Run) -> None:
    """Write classes, deciding rules and hits of cells, polygons of legal areas, candidates of treatment."""
    book = function_rules.load(run["rule_file"] or run["rule_book"])
    with stacked(run.given(*_RASTERS)) as stack:
        require_metres(stack.grid, run["cover"].name)
        judged = _judged(run, stack, book)
        _tell_lacking(run, judged, stack)
        found = list(protected.areas(book, judged.layers))
        run.facts["areas_m2"] = protected.write_areas(run.path("areas"), found, stack.grid.crs)
        bits = run.folder / "bits.tif"
        _look(run, stack, judged, bits)
    regions = _regions(run, judged, bits)
    grid = _decide(run, judged, bits, regions)
    bits.unlink()
    treatment.write(run, judged.book, grid)


def _judged(run: Run, stack: Stack, book: Book) -> Judged:
    layers = {}
    for parameter, role in LAYERS.items():
        if run[parameter]:
            layers[parameter] = protected.read(run, role, parameter, stack.grid.crs)
    polygons = {rule.number: protected.of_rule(rule, layers) for rule in book.rules if rule.areas}
    scans = {number: Scan(found, stack.grid) for number, found in polygons.items() if len(found)}
    made = ground.prepared(run, stack, run["kinds"])
    width, height = stack.grid.cell
    return Judged(book, layers, scans, made, width * height, run["patch_m2"])


def _tell_lacking(run: Run, judged: Judged, stack: Stack) -> None:
    """Say which rules are not evaluated, wholly or for a layer, because an input is not given."""
    given = judged.ground.given(name for name in _RASTERS if stack.is_raster(name))
    lacking: dict[str, list[str]] = {}
    for rule in (*judged.book.rules, *judged.book.treatment):
        missing = sorted(set(rule.areas) - set(judged.layers)) or sorted(ground.lacking(rule.cells, given))
        if missing:
            lacking[rule.id] = missing
            partly = bool(set(rule.areas) & set(judged.layers))
            if not rule.optional:
                code = "function_rules.partly" if partly else "function_rules.not_evaluable"
                run.find(code, rule=rule.id, rule_zh=rule.zh, rule_en=rule.en, lacking=", ".join(missing))
    run.facts["not_evaluated"] = lacking
    run.facts["rules"] = dict(judged.book.document)
    if judged.book.document["status"] == "proposed":
        keys = ("name_zh", "name_en", "status_zh", "status_en")
        run.find("function_rules.proposed", **{key: judged.book.document[key] for key in keys})


def _look(run: Run, stack: Stack, judged: Judged, bits: Path) -> None:
    """Write the bits of rules that hold on each cell, of regions whether a cell may be of one."""
    flatness, reach = units.Flatness(), intensities.Reach(sets.default("sensitivity"))

    def make(view: View) -> dict[str, Any]:
        look = Look(judged.ground, view)
        found = np.where(look.known, _KNOWN, 0).astype(np.uint16)
        for rule in judged.book.rules:
            scan = judged.scans.get(rule.number)
            if rule.cells:
                found[look.holds(rule.cells)] |= rule.bit
            elif scan is not None:
                found[scan.inside(view.block)] |= rule.bit
        treated = np.zeros(view.block.shape, np.uint8)
        for rule in judged.book.treatment:
            treated[look.holds(rule.cells)] |= rule.bit
        if look.slope is not None:
            flatness.add(look.slope)
        if stack.is_raster("relief"):
            reach.add(view["relief"])
        return {"bits": found, "treatment": treated}

    outputs = {"bits": Output(bits, "uint16", 0), "treatment": Output(run.path("treatment"), "uint8", 0)}
    compute(stack, outputs, make, lambda done: run.progress.advance(done * 0.6), blocks=stack.strips())
    judged.ground.kinds.check()
    if judged.ground.degrees is not None:
        flatness.tell(run)
    reach.tell(run)


def _regions(run: Run, judged: Judged, path: Path) -> dict[int, Regions]:
    """Return for each rule of regions which are of the least area and touch what they have to."""
    rules = [rule for rule in judged.book.rules if rule.touching]
    made = {rule.number: Regions(_decision(rule, judged)) for rule in rules}
    if not rules:
        return made
    with rasterio.open(path) as dataset:
        stack = Stack({}, grid_of(dataset), {})
        strips = stack.strips()
        for number, strip in enumerate(strips):
            outer = strip.grown(1, stack.grid)
            bits = dataset.read(1, window=outer.window)
            for rule in rules:
                wanted = sum(judged.book.find(one).bit for one in rule.touching)
                near = _beside((bits & wanted) > 0)
                inner = strip.cut_from(outer)
                made[rule.number].add((bits[inner] & rule.bit) > 0, near[inner])
            run.progress.advance(0.6 + 0.1 * (number + 1) / len(strips))
    for regions in made.values():
        regions.close()
    return made


def _decision(rule: Rule, judged: Judged) -> Any:
    least = rule.patch_least_m2 if judged.patch_m2 is None else judged.patch_m2
    return lambda cells, flags: flags & (cells * judged.cell_m2 >= least)


def _beside(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the cells of a mask and those that touch them along an edge."""
    found = mask.copy()
    found[1:] |= mask[:-1]
    found[:-1] |= mask[1:]
    found[:, 1:] |= mask[:, :-1]
    found[:, :-1] |= mask[:, 1:]
    return found


def _decide(run: Run, judged: Judged, path: Path, regions: Mapping[int, Regions]) -> Grid:
    """Write class, deciding rule and hits of each cell; note the area of each rule. Return the grid."""
    levels, rules = _tables(judged.book)
    counts = np.zeros(_KNOWN * 2, np.int64)
    with rasterio.open(path) as dataset:
        stack = Stack({}, grid_of(dataset), {})
        strips = stack.strips()
        places = {strip: number for number, strip in enumerate(strips)}

        def make(view: View) -> dict[str, Any]:
            bits = dataset.read(1, window=view.block.window)
            for number, found in regions.items():
                bit = np.uint16(1 << (number - 1))
                mask = (bits & bit) > 0
                bits[mask & ~found.drawn(places[view.block], mask)] &= ~bit
            counts[:] += np.bincount(bits.ravel(), minlength=len(counts))
            return {"class": levels[bits], "rule": rules[bits], "hits": bits & np.uint16(_KNOWN - 1)}

        outputs = {name: Output(run.path(name), "uint8", 0) for name in ("class", "rule")}
        outputs["hits"] = Output(run.path("hits"), "uint16", 0)
        compute(stack, outputs, make, lambda done: run.progress.advance(0.7 + done * 0.3), blocks=strips)
    _tell(run, judged, counts, levels, rules)
    return stack.grid


def _tables(book: Book) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Return class and deciding rule by bits; rules of legal areas decide no cell."""
    bits = np.arange(_KNOWN * 2)
    levels = np.where(bits & _KNOWN, 1, 0).astype(np.uint8)
    deciding = np.zeros(len(bits), np.uint8)
    for rule in sorted(book.rules, key=lambda one: (one.level, -one.number)):
        if rule.cells:
            hit = (bits & rule.bit) > 0
            levels[hit], deciding[hit] = rule.level, rule.number
    return levels, deciding


def _tell(run: Run, judged: Judged, counts: NDArray[np.int64], levels: Any, rules: Any) -> None:
    """Note area by class, by deciding rule and by hit, in m2 of cells."""
    area, hits = judged.cell_m2, counts.reshape(2, -1).sum(axis=0)
    by_rule = np.bincount(rules, weights=counts, minlength=16) * area
    by_class = np.bincount(levels, weights=counts, minlength=4) * area
    by_rule[0] -= by_class[0]
    named = judged.book.by_number()
    run.facts["class_m2"] = {str(level): float(by_class[level]) for level in (3, 2, 1, 0)}
    of_cells = [0, *(rule.number for rule in judged.book.rules if rule.cells)]
    run.facts["rule_m2"] = {named[number][0]: float(by_rule[number]) for number in of_cells}
    run.facts["hits_m2"] = by_bit(judged.book.rules, hits, area)
    facts = {"highest": float(by_class[3]) / 1e6, "high": float(by_class[2]) / 1e6}
    run.find("function_rules.decided", **facts, areas=sum(run.facts["areas_m2"].values()) / 1e6)
    _tell_idle(run, judged)


def _tell_idle(run: Run, judged: Judged) -> None:
    """Say which rules were evaluated and hit nothing."""
    for rule in judged.book.rules:
        if rule.id not in run.facts["not_evaluated"]:
            area = run.facts["areas_m2"].get(rule.id, 0.0) + run.facts["hits_m2"][rule.id]
            if not area:
                run.find("function_rules.no_hit", rule=rule.id, rule_zh=rule.zh, rule_en=rule.en)
