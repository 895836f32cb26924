# SPDX-License-Identifier: GPL-2.0-or-later
"""The numbers of legends: hectares of zones and of features, each said by `figures` and in its ledger."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from swc_zoning.engine import geopackage, reports
from swc_zoning.engine.chapter.figures import Figures
from swc_zoning.engine.chapter.plans import roles_shown
from swc_zoning.engine.result import ZONING
from swc_zoning.engine.submission.public import is_public

CONFIRMED, PENDING = "confirmed", "pending"


def write(result: Path, lang: str, target: Path) -> Path:
    """Write the numbers of legends of a result as JSON; see `of`. Raises what `figures` raises."""
    reports.write(of(result, lang), target)
    return target


def of(result: Path, lang: str) -> dict[str, Any]:
    """Return hectares as legends print them, and the ledger of all.

    ``zones``: district code ("": all) -> look of a patch, or "pending" -> text. Zones are what is
    confirmed; they and the pending rest add up to the district. ``tiers``: role -> tier ("": all) -> text;
    features may overlap. ``sensitive``: the roles of which a layer is not public.
    """
    figures = Figures.of(result, None, lang)
    places = ["", *(code for code in figures.keys("districts", "district_code") if code)]
    zones = {place: dict(_zones(figures, place)) for place in places}
    tiers = {role: dict(_tiers(figures, role)) for role in sorted(roles_shown())}
    told = {"zones": zones, "tiers": tiers, "sensitive": _sensitive(result)}
    return {**told, "figures": figures.as_json()}


def _sensitive(result: Path) -> list[str]:
    rows = geopackage.read_table(result / ZONING, "inputs")
    return sorted({row["role"] for row in rows if not is_public(row["secrecy"] or "")})


def _zones(figures: Figures, place: str) -> Iterator[tuple[str, str]]:
    query = "district_zone" if place else "zones"
    last = list(figures.table.zones)[-1]
    for zone in figures.table.zones:
        for land in (1, 0) if zone == last else (None,):
            key = (place, land, zone, CONFIRMED) if place else (zone, CONFIRMED, land)
            if figures.matching(query, key):
                look = f"{zone}:sea" if land == 0 else zone
                yield look, figures.say(query, key, "area_m2", "ha")
    key = (place, None, None, PENDING) if place else (None, PENDING, None)
    if figures.matching(query, key):
        yield PENDING, figures.say(query, key, "area_m2", "ha")


def _tiers(figures: Figures, role: str) -> Iterator[tuple[str, str]]:
    if figures.matching("roles", (role,)):
        yield "", figures.say("roles", (role,), "area_m2", "ha")
    for row in figures.matching("role_tiers", (role, None)):
        yield row["tier"] or "", figures.say("role_tiers", (role, row["tier"]), "area_m2", "ha")
