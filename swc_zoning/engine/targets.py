# SPDX-License-Identifier: GPL-2.0-or-later
"""The soil and water conservation rate (水土保持率) of a result, against the targets of its region.

Rate = (land area - area eroded lightly or worse) / land area; intensities after SL 190-2007. Targets,
formula and tiers are in ``resources/targets.json``. What the data do not say is said, never assumed.
"""

from __future__ import annotations

import csv
import io
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from swc_zoning.engine.geopackage import read_sums
from swc_zoning.engine.messages import Finding, SwcError
from swc_zoning.paths import resource


@dataclass(frozen=True)
class Target:
    """A target: the rate in `year` has to be above `above_percent`."""

    year: int
    above_percent: float
    baseline: bool
    row: Mapping[str, Any]

    def allowed_m2(self, land_m2: float) -> float:
        """Return the eroded area (m2) that must not be reached on so much land."""
        return land_m2 * (100.0 - self.above_percent) / 100.0


@dataclass(frozen=True)
class Rate:
    """Areas in m2 of one district, or of all: land, sea, eroded by tier, and erosion of unknown tier."""

    code: str
    name: str
    land_m2: float
    sea_m2: float
    eroded_by_tier: Mapping[str, float] = field(default_factory=dict)
    unknown_m2: float = 0.0

    @property
    def eroded_m2(self) -> float:
        """Return the area eroded lightly or worse, as far as known."""
        return sum(self.eroded_by_tier.values())

    @property
    def percent(self) -> float | None:
        """Return the rate in percent, None where there is no land."""
        return 100.0 * (self.land_m2 - self.eroded_m2) / self.land_m2 if self.land_m2 > 0 else None

    @property
    def lowest_percent(self) -> float | None:
        """Return the rate in percent if all erosion of unknown tier turned out to count."""
        eroded = self.eroded_m2 + self.unknown_m2
        return 100.0 * (self.land_m2 - eroded) / self.land_m2 if self.land_m2 > 0 else None

    def excess_m2(self, target: Target) -> float:
        """Return by how much the eroded area (m2) is over what `target` allows; negative: room left."""
        return self.eroded_m2 - target.allowed_m2(self.land_m2)

    def meets(self, target: Target) -> bool | None:
        """Return whether the rate is above the target; None where unknown tiers could decide it."""
        if self.percent is None or self.lowest_percent is None:
            return None
        sure, possible = (value > target.above_percent for value in (self.lowest_percent, self.percent))
        return sure if sure == possible else None


@dataclass(frozen=True)
class Report:
    """The rates of a result; `city` is None where `findings` say what was not provided."""

    city: Rate | None
    districts: tuple[Rate, ...]
    targets: tuple[Target, ...]
    findings: tuple[Finding, ...]

    def as_json(self, lang: str = "zh") -> dict[str, Any]:
        """Return the report as a document; areas in m2, rates in percent."""
        return {
            "formula": formula(lang),
            "city": None if self.city is None else _rate_json(self.city, self.targets),
            "districts": [_rate_json(rate, self.targets) for rate in self.districts],
            "targets": [dict(target.row) for target in self.targets],
            "findings": [finding.as_json(lang) for finding in self.findings],
        }


def report(folder: Path, profile: str | None = None) -> Report:
    """Return the rates of the result in `folder`, with the targets of `profile` (default: of its table).

    Raises SwcError ``redecide.no_result`` and ``geopackage.unreadable``.
    """
    summary = _summary(folder)
    chosen = tuple(targets_of(profile or summary["rules"]["profile"]))
    missing = list(_missing(summary))
    if missing:
        return Report(None, (), chosen, (*missing, *_without_targets(chosen)))
    keys = ("members", "district_code", "district_name", "land")
    districts = _rates(read_sums(folder / "zoning.gpkg", "pieces", keys, ("area_m2",)))
    city = _together(districts)
    return Report(city, tuple(districts), chosen, tuple(_notes(summary, city, chosen)))


def profile_of(folder: Path) -> str:
    """Return the profile of the decision table of a result; raises SwcError ``redecide.no_result``."""
    return _summary(folder)["rules"]["profile"]


def report_of_table(path: Path, profile: str, year: str | None = None) -> Report:
    """Return the rates of a table ``rate.csv`` (algorithm conservationrate) in `year` (default: the last).

    Columns unit, year, denominator, total_km2, light_km2 .. severe_km2, eroded_km2, unknown_km2; the unit
    "*" is all together. The land of a rate is the denominator of the table, which a finding names.
    Raises SwcError ``targets.table``.
    """
    try:
        rows = list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8-sig"))))
        years = [row["year"] for row in rows]
        wanted = max(years, default="") if year is None else year
        chosen = [row for row in rows if row["year"] == wanted]
        rates = [_rate_of_row(row) for row in chosen]
        city = next((rate for rate in rates if rate.code == "*"), None)
        if city is None:
            raise ValueError(f"* {wanted}")
        name = chosen[0]["denominator"]
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise SwcError("targets.table", path=path.name, reason=str(error)) from error
    goals = tuple(targets_of(profile))
    facts = {"name": name, "km2": city.land_m2 / 1e6, "year": wanted or "-"}
    notes = [Finding("targets.of_table", facts), *_notes_of_rates(city, goals)]
    whole = Rate("", "", city.land_m2, 0.0, city.eroded_by_tier, city.unknown_m2)
    return Report(whole, tuple(rate for rate in rates if rate.code != "*"), goals, tuple(notes))


def _rate_of_row(row: Mapping[str, str]) -> Rate:
    """Return the rate of a row; what it does not split by intensity stands under "" alone."""
    split = {tier: float(row[f"{tier}_km2"]) * 1e6 for tier in _resource()["eroded"] if row[f"{tier}_km2"]}
    tiers = split or {"": float(row["eroded_km2"]) * 1e6}
    code = row["unit"] if row["unit"] == "*" else ""
    return Rate(code, row["unit"], float(row["total_km2"]) * 1e6, 0.0, tiers, float(row["unknown_km2"]) * 1e6)


def targets_of(profile: str) -> list[Target]:
    """Return the targets of a region by the profile of its decision table, the earliest first."""
    rows = [row for row in _resource()["targets"] if row["profile"] == profile]
    made = [Target(row["year"], row["above_percent"], row["baseline"], row) for row in rows]
    return sorted(made, key=lambda target: target.year)


def formula(lang: str = "zh") -> str:
    """Return the formula of the rate, in words, with its standard."""
    said = _resource()["formula"]
    return f"{said[lang]} ({said['standard']})"


@lru_cache(maxsize=1)
def _resource() -> dict[str, Any]:
    return json.loads(resource("targets.json").read_text(encoding="utf-8"))


def _summary(folder: Path) -> Mapping[str, Any]:
    try:
        return json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SwcError("redecide.no_result", path=str(folder)) from error


def _missing(summary: Mapping[str, Any]) -> Iterable[Finding]:
    """Yield what a rate cannot do without: an area it is of, and the erosion on it."""
    if not any(row["extent"] for row in summary["inputs"]):
        yield Finding("targets.no_extent")
    if not any(row["role"] == _resource()["role"] and row["used"] > 0 for row in summary["inputs"]):
        yield Finding("targets.no_erosion")


def _notes(summary: Mapping[str, Any], city: Rate, chosen: tuple[Target, ...]) -> Iterable[Finding]:
    if not summary["by_land"]:
        yield Finding("targets.no_land_mask")
    yield from _notes_of_rates(city, chosen)


def _notes_of_rates(city: Rate, chosen: tuple[Target, ...]) -> Iterable[Finding]:
    if city.unknown_m2 > 0:
        yield Finding("targets.unknown_tier", {"hectares": city.unknown_m2 / 1e4})
    yield from _without_targets(chosen)


def _without_targets(chosen: tuple[Target, ...]) -> Iterable[Finding]:
    return () if chosen else (Finding("targets.none"),)


def _rates(rows: Iterable[Mapping[str, Any]]) -> list[Rate]:
    """Return the rate of each district from the sums of its pieces by members and land."""
    names: dict[str, str] = {}
    sums: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    for row in rows:
        code = row["district_code"] or ""
        names[code] = row["district_name"] or ""
        if row["land"] == 0:
            sums[code]["sea"] += row["area_m2"]
            continue
        sums[code]["land"] += row["area_m2"]
        tier = _worst(json.loads(row["members"]))
        if tier is not None:
            sums[code][tier] += row["area_m2"]
    return [_rate(code, names[code], sums[code]) for code in sorted(sums)]


def _worst(members: Mapping[str, list[str]]) -> str | None:
    """Return the worst eroded tier on a piece, "unknown", or None where it is sound."""
    tiers = set(members.get(_resource()["role"], ()))
    eroded = [tier for tier in _resource()["eroded"] if tier in tiers]
    if eroded:
        return eroded[-1]
    return "unknown" if tiers - set(_resource()["sound"]) else None


def _rate(code: str, name: str, sums: Mapping[str, float]) -> Rate:
    tiers = {tier: sums.get(tier, 0.0) for tier in _resource()["eroded"]}
    return Rate(code, name, sums.get("land", 0.0), sums.get("sea", 0.0), tiers, sums.get("unknown", 0.0))


def _together(districts: list[Rate]) -> Rate:
    tiers = {tier: sum(one.eroded_by_tier[tier] for one in districts) for tier in _resource()["eroded"]}
    land, sea = sum(one.land_m2 for one in districts), sum(one.sea_m2 for one in districts)
    return Rate("", "", land, sea, tiers, sum(one.unknown_m2 for one in districts))


def _rate_json(rate: Rate, chosen: tuple[Target, ...]) -> dict[str, Any]:
    return {
        "district_code": rate.code,
        "district_name": rate.name,
        "land_m2": rate.land_m2,
        "sea_m2": rate.sea_m2,
        "eroded_m2": rate.eroded_m2,
        "eroded_by_tier": dict(rate.eroded_by_tier),
        "unknown_m2": rate.unknown_m2,
        "percent": rate.percent,
        "lowest_percent": rate.lowest_percent,
        "targets": [
            {
                "year": one.year,
                "above_percent": one.above_percent,
                "allowed_m2": one.allowed_m2(rate.land_m2),
                "excess_m2": rate.excess_m2(one),
                "met": rate.meets(one),
            }
            for one in chosen
        ],
    }
