# SPDX-License-Identifier: GPL-2.0-or-later
"""The charts of a chapter: zones by district, zones of the whole, and what changed since an earlier result.

Every number on them is a figure; there are no axes to be read off. Colours and hatches are those of the
map (``resources/styles/palette.json``). Districts are told apart by land and sea as the tables are.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from swc_zoning.engine import styles
from swc_zoning.engine.chapter import display
from swc_zoning.engine.chapter.canvas import HATCHES, Canvas, Fill, fitted, text_width
from swc_zoning.engine.chapter.figures import Figures
from swc_zoning.engine.chapter.tables import LAND, PENDING, SEA, word, zone_keys, zone_title
from swc_zoning.engine.messages import Finding, SwcError, sentence

_WIDTH = 520.0
_MARGIN = 14.0
_ROW, _BAR = 17.0, 12.0
_TITLE, _SMALL, _PLAIN = 12.0, 8.0, 9.0
_LEGEND_ROW = 14.0
_LEAST = 0.5
_NARROWEST, _WIDEST, _ROWS_A_PAGE = 60.0, 200.0, 36
_FLOW_HEIGHT, _SIDE, _NODE, _LABEL = 380.0, 150.0, 12.0, 17.0


@dataclass(frozen=True)
class Chart:
    """A chart: `id` is its file name, `canvas` what is drawn."""

    id: str
    title: str
    canvas: Canvas


def made(figures: Figures, comparison: Path | None = None) -> list[Chart]:
    """Return the charts of a result, with the flows of a comparison (``comparison.json``) where given.

    Raises SwcError ``charts.no_comparison`` where that file is none, ``charts.other_result`` where it
    does not lead to this result.
    """
    charts = [_zone_chart(figures)]
    for land in figures.keys("ground", "land"):
        charts += _district_charts(figures, land)
    if comparison is not None:
        charts.append(_flow_chart(figures, _read(comparison, figures)))
    return charts


def write(charts: Sequence[Chart], folder: Path) -> list[Finding]:
    """Write each chart as SVG and PNG into a folder; say where there is no PNG, and why.

    Raises OSError.
    """
    findings: list[Finding] = []
    folder.mkdir(parents=True, exist_ok=True)
    for chart in charts:
        (folder / f"{chart.id}.svg").write_text(chart.canvas.svg(), encoding="utf-8")
        try:
            picture = chart.canvas.png()
        except ImportError:
            return [Finding("charts.needs_pillow")]
        if picture is None:
            findings = [Finding("charts.no_font")]
        else:
            (folder / f"{chart.id}.png").write_bytes(picture)
    return findings


def _words(figures: Figures, key: str, **facts: str) -> str:
    return sentence(f"charts.{key}", facts, figures.lang)


def _fills(figures: Figures) -> dict[tuple[str, str], Fill]:
    """Return the fill of each (zone, status); pending zones are hatched as the map hatches them."""
    keys = zone_keys(figures)
    names = {zone: figures.zone(zone) for zone, _ in keys}
    entries = dict(styles.zone_entries(names))
    pending = styles.palette()["pending"]
    fills = {}
    for zone, status in keys:
        entry = entries[zone]
        fill = Fill(entry["fill"], HATCHES.get(entry.get("hatch", ""), ""), entry["line"])
        fills[zone, status] = Fill(entry["fill"], "rising", pending["line"]) if status == PENDING else fill
    return fills


# --- bars ------------------------------------------------------------------------------------------


def _zone_chart(figures: Figures) -> Chart:
    """Draw a bar a zone, of its area; land and sea one after the other where they are told apart."""
    title = _words(figures, "zones_title")
    keys, fills = zone_keys(figures), _fills(figures)
    split = figures.provided("land_mask") and len(figures.keys("ground", "land")) > 1
    canvas = Canvas(
        _WIDTH, 3 * _MARGIN + _TITLE + len(keys) * _ROW * (2 if split else 1) + _LEGEND_ROW, title
    )
    y = _head(canvas, figures, title)
    lands = (LAND, SEA) if split else (None,)
    largest = max(
        (figures.value("zones", (*key, land), "area_m2") for key in keys for land in lands), default=1
    )
    names = [zone_title(figures, *key) for key in keys]
    left = min(_WIDEST, max([_NARROWEST, *(text_width(name, _SMALL) + 12 for name in names)]))
    room = _WIDTH - left - 100.0
    for key in keys:
        canvas.text(
            left - 6, y + _BAR - 2, fitted(zone_title(figures, *key), _SMALL, left - 10), _SMALL, "end"
        )
        for land in lands:
            _zone_bar(canvas, figures, (*key, land), (left, y), room / (largest or 1), fills[key])
            y += _ROW
    return Chart("zones", title, canvas)


def _zone_bar(
    canvas: Canvas,
    figures: Figures,
    key: tuple[Any, ...],
    place: tuple[float, float],
    per_m2: float,
    fill: Fill,
) -> None:
    x, y = place
    label = {LAND: _words(figures, "land"), SEA: _words(figures, "sea")}.get(key[2], "")
    if not figures.matching("zones", key):
        canvas.text(x + 4, y + _BAR - 2, f"{label} —".strip(), _SMALL)
        return
    width = max(figures.value("zones", key, "area_m2") * per_m2, _LEAST)
    canvas.box(x, y, width, _BAR, fill)
    text = figures.say("zones", key, "area_m2", "ha")
    canvas.text(x + width + 4, y + _BAR - 2, f"{label} {text}".strip(), _SMALL)


def _head(canvas: Canvas, figures: Figures, title: str) -> float:
    """Write title and unit; return where what follows begins."""
    canvas.text(_WIDTH / 2, _MARGIN + _TITLE, title, _TITLE, "middle", bold=True)
    unit = _words(figures, "unit", unit=figures.unit("ha"))
    canvas.text(_WIDTH - _MARGIN, _MARGIN + _TITLE + _LEGEND_ROW, unit, _SMALL, "end")
    return 2 * _MARGIN + _TITLE + _LEGEND_ROW / 2


def _district_charts(figures: Figures, land: int) -> Iterator[Chart]:
    """Yield charts of a bar a district, stacked by zones, all to one scale; so many as pages are needed."""
    name = ("land" if land else "sea") if figures.provided("land_mask") else "all"
    title = _words(figures, f"districts_{name}")
    rows = [row for row in figures.rows("districts") if row["land"] == land]
    largest = max((row["area_m2"] for row in rows), default=1) or 1
    names = [_district_name(figures, row) for row in rows]
    left = min(_WIDEST, max([_NARROWEST, *(text_width(name, _PLAIN) + 12 for name in names)]))
    pages = -(-len(rows) // _ROWS_A_PAGE)
    for page in range(pages):
        part = rows[page * len(rows) // pages : (page + 1) * len(rows) // pages]
        shown = title if page == 0 else _words(figures, "continued", title=title)
        canvas = _district_page(figures, part, (left, (_WIDTH - left - 90) / largest), shown)
        yield Chart(f"districts_{name}" + (f"_{page + 1}" if pages > 1 else ""), shown, canvas)


def _district_name(figures: Figures, row: Mapping[str, Any]) -> str:
    return row["district_name"] or row["district_code"] or _words(figures, "no_district")


def _district_page(
    figures: Figures, rows: Sequence[Mapping[str, Any]], scale: tuple[float, float], title: str
) -> Canvas:
    land = rows[0]["land"]
    fills = {key: fill for key, fill in _fills(figures).items() if figures.matching("zones", (*key, land))}
    legend = list(_legend_rows(figures, fills))
    height = 3 * _MARGIN + _TITLE + len(rows) * _ROW + (len(legend) + 1) * _LEGEND_ROW
    canvas = Canvas(_WIDTH, height, title)
    y = _head(canvas, figures, title)
    for row in rows:
        _district_bar(canvas, figures, row, y, scale, fills)
        y += _ROW
    _draw_legend(canvas, legend, y + _LEGEND_ROW)
    return canvas


def _district_bar(
    canvas: Canvas,
    figures: Figures,
    row: Mapping[str, Any],
    y: float,
    scale: tuple[float, float],
    fills: Mapping[tuple[str, str], Fill],
) -> None:
    place, (left, per_m2) = (row["district_code"], row["land"]), scale
    name = figures.cite("districts", place, "district_name", _district_name(figures, row))
    canvas.text(left - 6, y + _BAR - 2, fitted(name, _PLAIN, left - 10), _PLAIN, "end")
    x = left
    for key, fill in fills.items():
        width = figures.value("district_zone", (*place, *key), "area_m2") * per_m2
        if width > 0:
            canvas.box(x, y, width, _BAR, fill)
            x += width
    canvas.text(x + 4, y + _BAR - 2, figures.say("districts", place, "area_m2", "ha"), _SMALL)


Swatch = tuple[float, str, Fill]


def _legend_rows(figures: Figures, fills: Mapping[tuple[str, str], Fill]) -> Iterator[list[Swatch]]:
    """Yield rows of (x, label, fill), as many in each as it has room for."""
    row: list[Swatch] = []
    x = _MARGIN
    for key, fill in fills.items():
        label = fitted(zone_title(figures, *key), _SMALL, _WIDTH - 2 * _MARGIN - 20)
        width = 30 + text_width(label, _SMALL)
        if row and x + width > _WIDTH - _MARGIN:
            yield row
            row, x = [], _MARGIN
        row.append((x, label, fill))
        x += width
    if row:
        yield row


def _draw_legend(canvas: Canvas, rows: Sequence[Sequence[Swatch]], y: float) -> None:
    for row in rows:
        for x, label, fill in row:
            canvas.box(x, y, 14, 8, fill)
            canvas.text(x + 18, y + 7.5, label, _SMALL)
        y += _LEGEND_ROW


# --- flows -----------------------------------------------------------------------------------------


def _read(path: Path, figures: Figures) -> dict[str, Any]:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SwcError("charts.no_comparison", path=str(path)) from error
    if not isinstance(document, dict) or document.get("what") != "comparison":
        raise SwcError("charts.no_comparison", path=str(path))
    ours = figures.quote("papers", ("content_sha256",), "value")
    if document["after"].get("content_sha256", ours) != ours:
        raise SwcError("charts.other_result", path=str(path))
    return document


def _flow_chart(figures: Figures, told: Mapping[str, Any]) -> Chart:
    """Draw how the ground passed from the zones of one result to those of another."""
    title = _words(figures, "flows_title")
    canvas = Canvas(_WIDTH, _FLOW_HEIGHT + 3 * _MARGIN + _TITLE + 2 * _LEGEND_ROW, title)
    top = _head(canvas, figures, title) + _LEGEND_ROW
    canvas.text(_SIDE, top - 10, _words(figures, "before"), _PLAIN, "end", bold=True)
    canvas.text(_WIDTH - _SIDE, top - 10, _words(figures, "after"), _PLAIN, bold=True)
    nodes = {side: _nodes(figures, told, side) for side in ("before", "after")}
    _place(nodes, top)
    _draw_bands(canvas, told["matrix"]["cells"], nodes)
    for side, x in (("before", _SIDE), ("after", _WIDTH - _SIDE - _NODE)):
        for node in nodes[side].values():
            _draw_node(canvas, figures, (side, x), node)
    return Chart("flows", title, canvas)


@dataclass
class _Node:
    """A zone on one side of the flows: name, printed hectares, place and height in points."""

    name: str
    number: str
    area_m2: float
    fill: Fill
    top: float = 0.0
    height: float = 0.0
    used: float = 0.0


Nodes = dict[tuple[str, str], _Node]


def _nodes(figures: Figures, told: Mapping[str, Any], side: str) -> Nodes:
    """Return the zones of one side by (zone, status); what levelling left over is no ground, and left out."""
    rows = [row for row in told["matrix"][side] if row["zone"] != "closing" and row["area_m2"] > 0]
    names = {row["zone"]: row[f"name_{figures.lang}"] for row in told["zones"]}
    others = {row["zone"]: _other(row["zone"], figures.lang) for row in rows if row["zone"] not in names}
    fills = dict(styles.zone_entries({**names, **others}))
    nodes: Nodes = {}
    for row, number in zip(rows, _numbers(figures, rows, side)):
        pending = word("pending", figures.lang) if row["status"] == PENDING else ""
        name = {**names, **others}[row["zone"]] + pending
        fill = Fill(fills[row["zone"]]["fill"], line=fills[row["zone"]]["line"])
        nodes[row["zone"], row["status"]] = _Node(name, number, row["area_m2"], fill)
    return nodes


def _numbers(figures: Figures, rows: Sequence[Mapping[str, Any]], side: str) -> list[str]:
    """Return the printed areas of one side; those of this result as they are printed everywhere."""
    step = display.step_of("ha", 2)
    units = display.closed([round(row["area_m2"] * 100) for row in rows], step)
    numbers = []
    for row, number in zip(rows, units):
        key = (row["zone"], row["status"], None)
        if side == "after" and figures.matching("zones", key):
            numbers.append(figures.say("zones", key, "area_m2", "ha"))
        else:
            text = display.written(number, 2, figures.lang)
            numbers.append(figures.cite("comparison", (side, *key[:2]), "area_m2", text))
    return numbers


def _place(nodes: Mapping[str, Nodes], top: float) -> None:
    """Stack the zones of both sides to one scale; the names of small ones need room as well."""
    count = max(len(side) for side in nodes.values())
    total = max(sum(node.area_m2 for node in side.values()) for side in nodes.values()) or 1
    gap = min(_LABEL, _FLOW_HEIGHT / max(count, 1) * 0.6)
    per_m2 = (_FLOW_HEIGHT - gap * count) / total
    for side in nodes.values():
        y = top
        for node in side.values():
            node.top, node.height = y, node.area_m2 * per_m2
            y += node.height + gap


def _draw_bands(canvas: Canvas, cells: Sequence[Mapping[str, Any]], nodes: Mapping[str, Nodes]) -> None:
    for cell in cells:
        ends = [
            nodes[side].get((cell[f"zone_{side}"], cell[f"status_{side}"])) for side in ("before", "after")
        ]
        if None in ends or cell["area_m2"] <= 0:
            continue
        edges = []
        for node in ends:
            height = node.height * cell["area_m2"] / node.area_m2
            edges.append((node.top + node.used, node.top + node.used + height))
            node.used += height
        right = _WIDTH - _SIDE - _NODE
        canvas.band((_SIDE + _NODE, *edges[0]), (right, *edges[1]), ends[0].fill)


def _draw_node(canvas: Canvas, figures: Figures, place: tuple[str, float], node: _Node) -> None:
    side, x = place
    canvas.box(x, node.top, _NODE, max(node.height, _LEAST), node.fill)
    at, anchor = (x - 4, "end") if side == "before" else (x + _NODE + 4, "start")
    middle = node.top + max(node.height, _LEAST) / 2
    canvas.text(at, middle, fitted(node.name, 7, _SIDE - 10), 7, anchor)
    canvas.text(at, middle + 7.5, node.number, 6.5, anchor)


def _other(code: str, lang: str) -> str:
    known = ("outside", "other_district")
    return sentence(f"comparison.{code}", {}, lang) if code in known else code
