# SPDX-License-Identifier: GPL-2.0-or-later
"""The card of a screened project: one page with all that ``screening.json`` says of it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from itertools import islice
from pathlib import Path
from typing import Any

from qgis.core import QgsGeometry, QgsVectorLayer

from swc_zoning.engine import styles
from swc_zoning.qgis_bridge import results
from swc_zoning.qgis_bridge.cards import Card, CardMap, Section, write_card
from swc_zoning.qgis_bridge.i18n import language, text

Row = Mapping[str, Any]

#: What no file system of the three takes in a name.
_NOT_IN_NAMES = re.compile(r'[\x00-\x1f<>:"/\\|?*]')
_NAME_CHARACTERS = 60


def write_all(document: Row, screening: Path, result: Path, folder: Path) -> Iterator[Path]:
    """Write one card for each project of a screening into `folder`, and yield each when it is there.

    `screening`: its GeoPackage; `result`: folder of the result. Layers are opened in the thread that
    calls. Raises SwcError cards.unwritable, host.result_layer.
    """
    zones = results.open_layer(result / "zoning.gpkg", "zones")
    drawn = results.open_layer(screening, "projects")
    taken: set[str] = set()
    for row, feature in zip(document["projects"], drawn.getFeatures()):
        path = folder / f"{_file_name(row, taken)}.pdf"
        write_card(path, card_of(row, document, [zones], feature.geometry(), drawn))
        yield path


def write_one(document: Row, number: int, screening: Path, result: Path, path: Path) -> Path:
    """Write the card of one project as the PDF `path` and return it; otherwise as `write_all`."""
    zones = results.open_layer(result / "zoning.gpkg", "zones")
    drawn = results.open_layer(screening, "projects")
    outline = next(islice(drawn.getFeatures(), number, None)).geometry()
    write_card(path, card_of(document["projects"][number], document, [zones], outline, drawn))
    return path


def card_of(
    row: Row, document: Row, layers: Sequence[QgsVectorLayer], outline: QgsGeometry, drawn: QgsVectorLayer
) -> Card:
    """Return the card of one project; `layers` are drawn under its outline, in the CRS of `drawn`."""
    lang = language()
    sections = [_facts(row), _advice(row, lang), _zones(row, lang), _measures(row, lang)]
    if row["conflicts"]:
        sections.append(_conflicts(row, lang))
    sections.append(Section(text("screen.card_articles"), lines=["；".join(row["articles"]) or "-"]))
    title = text("screen.card_title", name=row["name"] or row["id"])
    picture = CardMap(layers, outline, drawn.crs())
    subtitle = str(document["result"].get("title") or "")
    return Card(title, sections, picture, subtitle, _foot(document), text("screen.card_more"), 2)


def hectares(area_m2: float) -> str:
    """Return an area in hectares as cards and pages show it."""
    return f"{area_m2 / 10_000:,.4f}"


def file_name(row: Row) -> str:
    """Return a name for the file of a project that every system takes."""
    words = "_".join(dict.fromkeys(part for part in (row["id"], row["name"]) if part))
    return _NOT_IN_NAMES.sub("_", words)[:_NAME_CHARACTERS].strip(" .") or "project"


def _file_name(row: Row, taken: set[str]) -> str:
    """Return a name that no other project has, whatever the case."""
    base = file_name(row)
    tries = (base if number == 1 else f"{base}_{number}" for number in range(1, len(taken) + 2))
    name = next(one for one in tries if one.lower() not in taken)
    taken.add(name.lower())
    return name


def _facts(row: Row) -> Section:
    lang = language()
    rows = [
        [text("screen.card_id"), row["id"]],
        [text("screen.card_kind"), row[f"kind_{lang}"]],
        [text("screen.card_area"), f"{hectares(row['area_m2'])} ha"],
        [text("screen.card_siting"), row["advice"][0][f"name_{lang}"]],
        [text("screen.card_grade"), _grade(row)],
    ]
    for key, code in (("outside_m2", "screen.card_outside"), ("pending_m2", "screen.card_pending")):
        if row[key]:
            rows.append([text(code), f"{hectares(row[key])} ha"])
    return Section(text("screen.card_facts"), rows, widths=(38, 62))


def _grade(row: Row) -> str:
    if row["grade"] is None:
        return "-"
    return text("screen.card_grade_of", grade=row["grade"], basis="；".join(row["grade_basis"]))


def _advice(row: Row, lang: str) -> Section:
    lines = []
    for one in row["advice"]:
        asked = f" ({', '.join(one['measures'])})" if one["measures"] else ""
        note = text("screen.card_proposed") if one["status"] == "proposed" else ""
        lines.append(f"{one[f'name_{lang}']}{asked}{note}　{one[f'text_{lang}']}")
    if row["outside_m2"]:
        lines.append(text("screen.card_partly_outside"))
    return Section(text("screen.card_advice"), lines=lines)


def _zones(row: Row, lang: str) -> Section:
    rows = [
        [
            zone[f"name_{lang}"] + (text("comparison.pending") if zone["status"] == "pending" else ""),
            hectares(zone["area_m2"]),
            f"{100 * zone['share']:.2f} %",
            str(zone["grade"]),
        ]
        for zone in row["zones"]
    ]
    names = {zone["zone"]: zone["name_zh"] for zone in row["zones"]}
    fills = {code: entry["fill"] for code, entry in styles.zone_entries(names)}
    colours = [fills[zone["zone"]] for zone in row["zones"]]
    if row["outside_m2"]:
        share = f"{100 * row['outside_m2'] / row['area_m2']:.2f} %"
        rows.append([text("screen.card_outside"), hectares(row["outside_m2"]), share, "-"])
    heads = [text(f"screen.card_{name}") for name in ("zone", "hectares", "share", "zone_grade")]
    return Section(text("screen.card_zones"), rows, heads, widths=(46, 20, 16, 18), colours=colours)


def _measures(row: Row, lang: str) -> Section:
    """Return the measures by department, each department once."""
    ordered = sorted(row["measures"], key=lambda one: (one[f"department_{lang}"], one["id"]))
    rows, before = [], None
    for one in ordered:
        department = one[f"department_{lang}"]
        shown = department if department != before else ""
        kind = text(f"screen.kind_{one['kind']}")
        rows.append([shown, f"{one['id']} {kind}　{one[f'text_{lang}']}", "；".join(one["basis"])])
        before = department
    heads = [text(f"screen.card_{name}") for name in ("department", "measure", "basis")]
    return Section(text("screen.card_measures"), rows, heads, widths=(16, 56, 28))


def _conflicts(row: Row, lang: str) -> Section:
    rows = [
        [f"{one['id']} {one[f'name_{lang}']}", hectares(one["area_m2"]), one[f"settling_rule_{lang}"]]
        for one in row["conflicts"]
    ]
    heads = [text(f"screen.card_{name}") for name in ("conflict", "hectares", "settling")]
    return Section(text("screen.card_conflicts"), rows, heads, widths=(38, 14, 48))


def _foot(document: Row) -> str:
    papers = document["result"]
    facts = {
        "profile": papers["rules"]["profile"],
        "version": papers["rules"]["version"],
        "plan_date": papers["plan_date"],
        "today": date.today().isoformat(),
    }
    mark = f"{papers['mark']}　" if papers.get("mark") else ""
    return mark + text("screen.card_foot", **facts)
