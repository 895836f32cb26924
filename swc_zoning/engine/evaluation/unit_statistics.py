# SPDX-License-Identifier: GPL-2.0-or-later
"""Statistics of townships, streets or small watersheds: what key areas are judged by.

Every indicator comes from a layer that was given; of what was not given there is no value, never 0.
Areas in km2, shares in percent of the unit (of a raster: of its cells in the unit).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Callable

import numpy as np
from numpy.typing import NDArray

from swc_zoning.engine import roles
from swc_zoning.engine.evaluation import cover, districts, grades, sheets, vectors
from swc_zoning.engine.evaluation import units as measures
from swc_zoning.engine.evaluation.districts import Units
from swc_zoning.engine.evaluation.rasters import Floats, stacked
from swc_zoning.engine.messages import SwcError

if TYPE_CHECKING:
    from swc_zoning.engine.evaluation.running import Run

LAYER = "unit_statistics"
#: Indicators by what they come from, in the order of the table.
INDICATORS: Mapping[str, tuple[str, ...]] = {
    "erosion": (
        *(f"{name}_km2" for name in grades.GRADES),
        *("erosion_unknown_km2", "eroded_km2", "eroded_percent", "intense_percent"),
    ),
    "forest_grass": ("forest_grass_km2", "forest_grass_percent"),
    "cover": ("cover_mean",),
    "patches": ("important_km2", "important_percent", "extremely_km2", "extremely_percent"),
    "sources": ("sources_km2", "sources_percent"),
    "reserves": ("reserves_km2", "reserves_percent"),
    "population": ("population", "density"),
    "slope": ("steep_km2", "steep_percent"),
}
#: Kinds of ecosystems that are forest or grass; tiers of land use that are.
_FOREST_GRASS = ("forest", "shrub", "grass")
_FOREST_GRASS_TIERS = ("forest", "grass")
#: Data on less than this share of a unit are said.
_COVERED = 0.99
_KM2 = 1e6

Columns = dict[str, Floats]
Advance = Callable[[float], None]


def unit_statistics(run: Run) -> None:
    """Write the statistics of each unit as a layer and as a table."""
    units = districts.read_units(run)
    run.facts.update({"units": len(units), "crs": units.crs, "km2": float(units.areas.sum()) / _KM2})
    makers = _makers(run)
    found: Columns = {}
    for number, make in enumerate(makers):
        found.update(make(run, units, _part(run, number, len(makers))))
    given = [name for name, columns in INDICATORS.items() if columns[0] in found]
    missing = [name for name in INDICATORS if name not in given]
    run.facts["indicators"] = {"given": given, "not_given": missing}
    if missing:
        run.find("units.not_given", names=", ".join(missing))
    _write(run, units, found)


def _makers(run: Run) -> list[Callable[[Run, Units, Advance], Columns]]:
    pairs = {
        "erosion": _erosion_polygons,
        "intensity": _erosion_cells,
        "landuse": _forest_grass_polygons,
        "ecosystem": _forest_grass_cells,
        "cover": _cover,
        "patches": _patches,
        "sources": _covered("sources"),
        "reserves": _covered("reserves"),
        "population": _population,
        "slope": _steep,
    }
    for one, other in (("erosion", "intensity"), ("landuse", "ecosystem")):
        if run[one] and run[other]:
            raise SwcError("units.one_of", names=f"{one} | {other}")
    return [make for name, make in pairs.items() if run[name]]


def _part(run: Run, number: int, count: int) -> Advance:
    return lambda done: run.progress.advance((number + done) / count)


def _write(run: Run, units: Units, found: Columns) -> None:
    head = {"code": units.codes, "name": units.names, "unit_km2": units.areas / _KM2}
    columns: dict[str, Any] = dict(head)
    for names in INDICATORS.values():
        columns.update({name: found.get(name, np.full(len(units), np.nan)) for name in names})
    vectors.write(run.path("units"), LAYER, units.geometry, columns, units.crs, "MultiPolygon")
    values = {name: np.asarray(one).tolist() for name, one in columns.items()}
    sheets.write_csv(run.path("table"), [dict(zip(values, row)) for row in zip(*values.values())])


# --- erosion ---------------------------------------------------------------------------------------


def _erosion_polygons(run: Run, units: Units, advance: Advance) -> Columns:
    """Return the areas by intensity; ground outside the polygons is slight."""
    parts = districts.read_parts(run, run["erosion"], units.crs)
    kinds = grades.of(parts, run["intensity_field"], run["intensity_coding"])
    shares = districts.areas_by_grade(units, parts.geometry, kinds, advance)
    tell_doubled(run, shares.doubled_m2, parts.name)
    sums = shares.sums
    sums[:, 0] = np.maximum(units.areas - sums[:, 1:].sum(axis=1), 0)
    return _erosion_columns(sums, units.areas)


def _erosion_cells(run: Run, units: Units, advance: Advance) -> Columns:
    with stacked({"intensity": run["intensity"]}) as stack:
        path = run["intensity"].name
        sums = districts.sums_by_kind(
            units, stack, "intensity", lambda values: cell_grades(values, path), 7, advance
        )
    whole = sums.sum(axis=1)
    _tell_gaps(run, units, whole - sums[:, 6], "intensity")
    return _erosion_columns(sums, whole)


def cell_grades(values: Floats, path: str) -> NDArray[np.int64]:
    """Return the grades of cells, no data as UNKNOWN; SwcError ``evaluation.intensity_range``."""
    wrong = int((~np.isnan(values) & ~np.isin(values, range(6))).sum())
    if wrong:
        raise SwcError("evaluation.intensity_range", path=path, count=wrong)
    return np.where(np.isnan(values), grades.UNKNOWN, np.nan_to_num(values)).astype(np.int64)


def _erosion_columns(sums: Floats, whole: Floats) -> Columns:
    """Return indicators from areas (m2) by grade and unknown; nothing where no intensity is known."""
    none = sums[:, 6] >= whole
    sums = np.where(none[:, None], np.nan, sums) / _KM2
    made = {f"{name}_km2": sums[:, place] for place, name in enumerate(grades.GRADES)}
    made["erosion_unknown_km2"] = sums[:, 6]
    made["eroded_km2"] = sums[:, 1:6].sum(axis=1)
    made["eroded_percent"] = _percent(made["eroded_km2"], whole)
    made["intense_percent"] = _percent(sums[:, 3:6].sum(axis=1), whole)
    return made


# --- what covers units -----------------------------------------------------------------------------


def _forest_grass_polygons(run: Run, units: Units, advance: Advance) -> Columns:
    parts = districts.read_parts(run, run["landuse"], units.crs)
    role = roles.find("landuse_status")
    known = roles.fields_for(role.id, parts.columns)[0] or role.tier_fields[0]
    texts = parts.column(run["landuse_field"] or known)
    tiers = {text: roles.canonical_tier("landuse_status", text) for text in set(texts)}
    strange = sorted(text for text, tier in tiers.items() if tier == roles.UNKNOWN)
    if strange:
        count = sum(text in set(strange) for text in texts)
        run.find("units.landuse_unknown", path=parts.name, words=", ".join(strange[:12]), count=count)
    wanted = np.array([tiers[text] in _FOREST_GRASS_TIERS for text in texts])
    shares = districts.areas_within(
        units, parts.geometry[wanted], np.zeros(int(wanted.sum()), np.int64), 1, advance
    )
    return _area_columns("forest_grass", shares.sums[:, 0], units.areas)


def _forest_grass_cells(run: Run, units: Units, advance: Advance) -> Columns:
    kinds = run["kinds"]
    with stacked({"ecosystem": run["ecosystem"]}) as stack:
        cover.check_codes(stack, kinds)
        wanted = [float(code) for code, kind in kinds.items() if kind in _FOREST_GRASS]

        def kind(values: Floats) -> NDArray[np.int64]:
            return np.where(np.isnan(values), 2, np.isin(values, wanted)).astype(np.int64)

        sums = districts.sums_by_kind(units, stack, "ecosystem", kind, 3, advance)
    known = sums[:, 0] + sums[:, 1]
    _tell_gaps(run, units, known, "ecosystem")
    return _area_columns("forest_grass", np.where(known > 0, sums[:, 1], np.nan), sums.sum(axis=1))


def _cover(run: Run, units: Units, advance: Advance) -> Columns:
    weighted, known = np.zeros(len(units)), np.zeros(len(units))
    with stacked({"cover": run["cover"]}) as stack:
        fraction = measures.cover_conversion(run, stack)
        for cells in districts.cells_within(units, stack, "cover", advance):
            good = ~np.isnan(cells.values)
            places, weights = cells.units[good], cells.weights[good]
            known += np.bincount(places, weights, len(units))
            weighted += np.bincount(places, weights * fraction(cells.values[good]), len(units))
    _tell_gaps(run, units, known, "cover")
    return {"cover_mean": _ratio(weighted, known)}


def _patches(run: Run, units: Units, advance: Advance) -> Columns:
    """Return areas of all important patches, and of those that are extremely important by their tier."""
    parts = districts.read_parts(run, run["patches"], units.crs)
    field = run["patches_field"] or roles.fields_for("swc_function_important", parts.columns)[0]
    texts = parts.column(field) if field else [""] * len(parts)
    tiers = [roles.canonical_tier("swc_function_important", text) for text in texts]
    kinds = np.array([tier == "extremely_important" for tier in tiers], np.int64)
    shares = districts.areas_within(units, parts.geometry, kinds, 2, advance)
    made = _area_columns("important", shares.sums.sum(axis=1), units.areas)
    if roles.UNKNOWN in tiers:
        run.find("units.patches_untold", path=parts.name, count=tiers.count(roles.UNKNOWN))
        return made
    return {**made, **_area_columns("extremely", shares.sums[:, 1], units.areas)}


def _covered(name: str) -> Callable[[Run, Units, Advance], Columns]:
    """Return a maker of area and share of a layer, ground that is covered twice counted once."""

    def make(run: Run, units: Units, advance: Advance) -> Columns:
        parts = districts.read_parts(run, run[name], units.crs)
        kinds = np.zeros(len(parts), np.int64)
        shares = districts.areas_within(units, parts.geometry, kinds, 1, advance)
        return _area_columns(name, shares.sums[:, 0], units.areas)

    return make


def _steep(run: Run, units: Units, advance: Advance) -> Columns:
    with stacked({"slope": run["slope"]}) as stack:
        degrees = measures.slope_conversion(run, stack)

        def kind(values: Floats) -> NDArray[np.int64]:
            return np.where(np.isnan(values), 2, degrees(values) >= run["least_slope"]).astype(np.int64)

        sums = districts.sums_by_kind(units, stack, "slope", kind, 3, advance)
    known = sums[:, 0] + sums[:, 1]
    _tell_gaps(run, units, known, "slope")
    return _area_columns("steep", np.where(known > 0, sums[:, 1], np.nan), sums.sum(axis=1))


# --- people ----------------------------------------------------------------------------------------


def _population(run: Run, units: Units, advance: Advance) -> Columns:
    """Return people and their density by the code of a unit, else by its name."""
    path, rows = run["population"], sheets.read_csv(run["population"])
    by_code = "code" in rows[0] and any(units.codes)
    key = "code" if by_code else "name"
    people: dict[str, float] = {}
    for line, row in enumerate(rows, 2):
        try:
            unit, count = row[key], float(row["population"])
        except (KeyError, ValueError) as error:
            raise SwcError("evaluation.table", path=path.name, line=line, reason=str(error)) from error
        if unit in people or not count >= 0:
            raise SwcError("evaluation.table", path=path.name, line=line, reason=f"{unit}: {count:g}")
        people[unit] = count
    keys = units.codes if by_code else units.names
    tell_strangers(run, people, keys, path.name)
    counts = np.array([people.get(one, np.nan) for one in keys])
    advance(1.0)
    return {"population": counts, "density": counts / (units.areas / _KM2)}


def tell_strangers(run: Run, rows: Iterable[str], keys: Iterable[str], path: str) -> None:
    """Say which rows of a table are of no unit, and which units have no row."""
    rows, keys = list(rows), list(keys)
    for code, lacking in (
        ("units.rows_unknown", sorted(set(rows) - set(keys))),
        ("units.rows_missing", sorted(set(keys) - set(rows))),
    ):
        if lacking:
            run.find(code, path=path, count=len(lacking), names=", ".join(lacking[:12]))


# --- common ----------------------------------------------------------------------------------------


def tell_doubled(run: Run, doubled_m2: float, path: str) -> None:
    """Say how much ground polygons of a layer cover more than once."""
    if doubled_m2 > 0:
        run.find("units.doubled", path=path, km2=doubled_m2 / _KM2)


def _tell_gaps(run: Run, units: Units, known: Floats, name: str) -> None:
    """Say in which units a raster has no data on a good part."""
    short = np.flatnonzero(known < _COVERED * units.areas).tolist()
    if short:
        shown = ", ".join(units.called(number) for number in short[:12])
        least = float((known[short] / units.areas[short]).min())
        run.find("units.gaps", name=name, count=len(short), units=shown, percent=100 * least)


def _area_columns(name: str, found: Floats, whole: Floats) -> Columns:
    return {f"{name}_km2": found / _KM2, f"{name}_percent": _percent(found / _KM2, whole)}


def _percent(km2: Floats, whole_m2: Floats) -> Floats:
    return 100 * _ratio(km2, np.where(np.isnan(km2), 0, whole_m2) / _KM2)


def _ratio(one: Floats, other: Floats) -> Floats:
    return np.divide(one, other, out=np.full(len(one), np.nan), where=other > 0)
