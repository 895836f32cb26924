# SPDX-License-Identifier: GPL-2.0-or-later
"""Layer styles as QGIS reads them (QML), made from ``resources/styles/palette.json``.

The same text goes into result files and onto layers in QGIS. Only the standard library is needed.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from html import escape
from typing import Any

from swc_zoning.paths import resource

_DATA_DEFINED = (
    '<data_defined_properties><Option type="Map"><Option name="name" type="QString" value=""/>'
    '<Option name="properties" type="Map"><Option name="{name}" type="Map">'
    '<Option name="active" type="bool" value="true"/>'
    '<Option name="expression" type="QString" value="{expression}"/>'
    '<Option name="type" type="int" value="3"/></Option></Option>'
    '<Option name="type" type="QString" value="collection"/></Option></data_defined_properties>'
)
_LINE_MM = {"pieces": "0.05", "zones": "0.15"}
_FINDING_MM = {"error": "2.6", "warning": "2.0", "info": "1.6"}
_SLIVER_MM = "1.2"
#: On a map sheet a hatch is for patches of more than 4 mm2 on paper; in the legend for all.
_DOT_MM = "1.5"
_SMALL = '"area_m2" / (@map_scale * @map_scale) * 1000000 < 4'
_HATCHED = '"area_m2" / (@map_scale * @map_scale) * 1000000 > 4'


@lru_cache(maxsize=1)
def palette() -> dict[str, Any]:
    """Return ``resources/styles/palette.json``."""
    return json.loads(resource("styles", "palette.json").read_text(encoding="utf-8"))


def zone_entries(zones: Mapping[str, str]) -> list[tuple[str, dict[str, str]]]:
    """Return (code, palette entry with its ``label``) for zones given as code -> name, in their order.

    A zone that only a rule table of the user has takes a spare colour.
    """
    known, spare = palette()["zones"], iter(_spares())
    entries = []
    for code, name in zones.items():
        entry = dict(known[code]) if code in known else next(spare)
        entries.append((code, {**entry, "label": name}))
    return entries


def _spares() -> Iterable[dict[str, str]]:
    while True:
        for fill in palette()["spare"]:
            yield {"fill": fill, "line": "#555555", "hatch": "none"}


def zones_qml(zones: Mapping[str, str], kind: str = "zones", hatched: bool = False) -> str:
    """Return the style of the ``zones`` or ``pieces`` layer, by field "zone"; pending ones are hatched red.

    `zones`: code -> name in the order of the legend; `hatched` adds each zone's own hatch, for
    black-and-white prints.
    """
    symbols, categories = [], []
    for number, (code, entry) in enumerate(zone_entries(zones)):
        layers = [_fill(entry["fill"], "solid", entry["line"], _LINE_MM[kind])]
        if hatched and entry["hatch"] != "none":
            layers.append(_hatch(entry["hatch"], entry["line"]))
        pending = palette()["pending"]
        layers.append(_hatch_where("\"status\" = 'pending'", pending["hatch"], pending["line"]))
        symbols.append(_symbol("fill", number, layers))
        categories.append((code, entry["label"]))
    return _categorised("zone", categories, symbols)


@dataclass(frozen=True)
class Shade:
    """Pieces of a preview that look alike: those of the label combinations `members` (their texts)."""

    zone: str
    pending: bool
    changed: bool
    label: str
    members: Sequence[str]


def preview_qml(zones: Mapping[str, str], shades: Iterable[Shade]) -> str:
    """Return a style of the ``pieces`` layer by field "members": what other rules would make of them.

    `zones`: code -> name, as for `zones_qml`. Pending pieces are hatched red, changed ones outlined and
    hatched the other way. A renderer looks members up by their hash: their number does not slow it.
    """
    entries = dict(zone_entries(zones))
    symbols, categories = [], []
    for number, shade in enumerate(shades):
        symbols.append(_symbol("fill", number, _shaded(entries[shade.zone], shade)))
        categories.append((shade.members, shade.label))
    return _categorised("members", categories, symbols)


def _shaded(entry: Mapping[str, str], shade: Shade) -> list[str]:
    pending, changed = palette()["pending"], palette()["preview"]
    # In the colour of the fill: outlines of thousands of pieces would hide what changed.
    layers = [_fill(entry["fill"], "solid", entry["fill"], "0")]
    if shade.pending:
        layers.append(_hatch(pending["hatch"], pending["line"]))
    if shade.changed:
        layers.append(_fill(changed["line"], _brush(changed["hatch"]), changed["line"], "0.12"))
    return layers


def conflicts_qml() -> str:
    """Return the style of the ``conflicts`` layer: red hatch, so that the zones below stay readable."""
    entry = palette()["conflicts"]
    layer = _fill(entry["fill"], "diagonal_x", entry["line"], "0.3")
    return _single(_symbol("fill", 0, [layer]))


def findings_qml(lang: str = "zh") -> str:
    """Return the style of the ``findings`` layer: points by field "severity"."""
    return _points_qml("severity", "findings", _FINDING_MM, lang)


def quality_qml(lang: str = "zh") -> str:
    """Return the style of the points of a quality check, by severity; accepted warnings apart."""
    sizes = {**_FINDING_MM, "accepted": _FINDING_MM["warning"]}
    told = "if(coalesce(\"accepted\", '') <> '', 'accepted', \"severity\")"
    return _points_qml(told, "quality", sizes, lang)


def submitted_qml(zones: Mapping[str, str]) -> str:
    """Return the style of layer SBGKFQ by field "FQDM"; pending pieces ("ZT" 2) are hatched red.

    `zones`: code of the package -> name, in the order of the legend. A zone with the name of a shipped
    one has its colour.
    """
    shipped = {entry["label_zh"]: code for code, entry in palette()["zones"].items()}
    named = {shipped.get(name, code): name for code, name in zones.items()}
    pending, symbols, categories = palette()["pending"], [], []
    for number, (code, (_, entry)) in enumerate(zip(zones, zone_entries(named))):
        fill = _fill(entry["fill"], "solid", entry["line"], _LINE_MM["pieces"])
        hatch = _hatch_where("\"ZT\" = '2'", pending["hatch"], pending["line"])
        symbols.append(_symbol("fill", number, [fill, hatch]))
        categories.append((code, entry["label"]))
    return _categorised("FQDM", categories, symbols)


def proposal_qml(layer: str) -> str:
    """Return the style of a layer of a package that lies over the zones: HXJY, ZDYFQ, ZDZLQ."""
    entry = palette()["submission"][layer]
    body = _symbol("fill", 0, [_fill(entry["fill"], _brush(entry["hatch"]), entry["line"], "0.5")])
    return _single(body)


def slivers_qml(lang: str = "zh") -> str:
    """Return the style of the ``slivers`` layer: points by field "state"."""
    return _points_qml("state", "slivers", dict.fromkeys(palette()["slivers"], _SLIVER_MM), lang)


def changes_qml(lang: str = "zh") -> str:
    """Return the style of the ``changes`` layer of a comparison, by field "cause"."""
    return _fills_qml("cause", "changes", lang)


def banned_qml(lang: str = "zh") -> str:
    """Return the style of the ``banned`` layer of a screening, by field "kind": hatches that may cross."""
    symbols, categories = [], []
    for number, (value, entry) in enumerate(palette()["banned"].items()):
        layers = [_fill(entry["fill"], _brush(entry["hatch"]), entry["line"], "0.2")]
        symbols.append(_symbol("fill", number, layers))
        categories.append((value, entry[f"label_{lang}"]))
    return _categorised("kind", categories, symbols)


def projects_qml(lang: str = "zh") -> str:
    """Return the style of the ``projects`` layer of a screening, by field "siting"."""
    return _fills_qml("siting", "siting", lang)


# --- map sheets ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Swatch:
    """A row of the legend of a map sheet: the `value` that has it, its label, its entry of the palette."""

    value: str
    label: str
    entry: Mapping[str, str]


def theme_entry(part: str, role: str, tier: str = "") -> Mapping[str, str]:
    """Return the palette entry of a tier of a role in `part` ("themes" or "over"), else of the role.

    A role that the palette does not know has a grey one.
    """
    known = palette()[part]
    plain = {"fill": "#c8c8c8", "line": "#555555", "width": "0.2", "hatch": "none"}
    return known.get(f"{role}:{tier}") or known.get(role) or plain


def line_qml(entry: Mapping[str, str]) -> str:
    """Return the style of a layer of lines on a map sheet."""
    line = _outline(entry["line"], entry["width"], entry.get("dash", "solid"))
    body = f"<symbols>{_symbol('line', 0, [line])}</symbols>"
    return _document(
        f'<renderer-v2 type="singleSymbol" symbollevels="0" enableorderby="0">{body}</renderer-v2>'
    )


def places_qml() -> str:
    """Return the style of a layer of points of which only the names are seen."""
    return _document('<renderer-v2 type="nullSymbol" symbollevels="0" enableorderby="0"/>')


def sheet_qml(
    field: str, swatches: Sequence[Swatch], filled: bool = True, pale: bool = False, dots: bool = False
) -> str:
    """Return the style of a layer on a map sheet, by the values of `field` (a field or an expression).

    Hatches are lines in millimetres, so that a sheet reads in black and white at any resolution. `filled`
    False leaves the ground visible, `pale` lightens faces for what lies above them, `dots` marks patches
    that are too small to be seen. One swatch with the
    value "" is a symbol for all.
    """
    symbols = [_sheet_symbol(number, one.entry, filled, pale, dots) for number, one in enumerate(swatches)]
    if [one.value for one in swatches] == [""]:
        body = f"<symbols>{symbols[0]}</symbols>"
        return _document(
            f'<renderer-v2 type="singleSymbol" symbollevels="0" enableorderby="0">{body}</renderer-v2>'
        )
    return _categorised(field, [(one.value, one.label) for one in swatches], symbols)


def _sheet_symbol(number: int, entry: Mapping[str, str], filled: bool, pale: bool, dots: bool) -> str:
    width, dash = entry.get("width", "0.08"), entry.get("dash", "solid")
    layers = []
    if filled and "fill" in entry:
        layers.append(_face(_lightened(entry["fill"]) if pale else entry["fill"]))
    if entry.get("hatch", "none") != "none" and not pale:
        layers.append(_printed_hatch(entry["hatch"], entry.get("hatch_line", entry["line"])))
    if float(width) > 0:
        layers.append(_outline(_lightened(entry["line"]) if pale else entry["line"], width, dash))
    if dots:
        layers.append(_dot_where_small(entry))
    # A symbol without layers would be drawn in a colour of chance.
    nothing = _layer("SimpleFill", {"style": "no", "outline_style": "no"})
    return _symbol("fill", number, layers or [nothing])


def _lightened(colour: str, share: float = 0.4) -> str:
    parts = [int(colour[i : i + 2], 16) for i in (1, 3, 5)]
    return "#" + "".join(f"{round(part + (255 - part) * share):02x}" for part in parts)


def _face(colour: str) -> str:
    return _layer("SimpleFill", {"color": _rgba(colour), "style": "solid", "outline_style": "no"})


def _outline(colour: str, width: str, dash: str) -> str:
    options = {"line_color": _rgba(colour), "line_style": dash, "line_width": width, "line_width_unit": "MM"}
    return _layer("SimpleLine", {**options, "joinstyle": "round", "capstyle": "flat"})


def _dot_where_small(entry: Mapping[str, str]) -> str:
    dot = {"name": "circle", "color": _rgba(entry["fill"]), "outline_color": _rgba(entry["line"])}
    marker = _layer("SimpleMarker", {**dot, "outline_width": "0.15", "size": _DOT_MM, "size_unit": "MM"})
    symbol = f'<symbol type="marker" name="d" alpha="1" clip_to_extent="1">{marker}</symbol>'
    return _patterned("CentroidFill", {"point_on_surface": "1"}, symbol, _SMALL)


def _printed_hatch(name: str, colour: str) -> str:
    """Return a hatch as lines or dots whose spacing is in millimetres."""
    hatch = palette()["printed_hatches"][name]
    if "angles" not in hatch:
        return _dots(hatch, colour)
    return "".join(_lines(angle, hatch, colour) for angle in hatch["angles"])


def _lines(angle: float, hatch: Mapping[str, Any], colour: str) -> str:
    line = {"line_color": _rgba(colour), "line_width": str(hatch["width"]), "line_width_unit": "MM"}
    symbol = (
        f'<symbol type="line" name="h" alpha="1" clip_to_extent="1">{_layer("SimpleLine", line)}</symbol>'
    )
    options = {"angle": str(angle), "distance": str(hatch["distance"]), "distance_unit": "MM"}
    return _patterned("LinePatternFill", options, symbol)


def _dots(hatch: Mapping[str, Any], colour: str) -> str:
    dot = {"name": "circle", "color": _rgba(colour), "outline_style": "no", "size": str(hatch["width"])}
    marker = _layer("SimpleMarker", {**dot, "size_unit": "MM"})
    symbol = f'<symbol type="marker" name="h" alpha="1" clip_to_extent="1">{marker}</symbol>'
    step = {"distance_x": str(hatch["distance"]), "distance_y": str(hatch["distance"])}
    units = {"distance_x_unit": "MM", "distance_y_unit": "MM", "displacement_x_unit": "MM"}
    options = {**step, **units, "displacement_x": str(hatch["distance"] / 2)}
    return _patterned("PointPatternFill", options, symbol)


def _patterned(class_: str, options: Mapping[str, str], symbol: str, where: str = "") -> str:
    rule = _DATA_DEFINED.format(name="enabled", expression=escape(where or _HATCHED, quote=True))
    return _layer(class_, options).replace("</layer>", f"{rule}{symbol}</layer>")


def _fills_qml(field: str, part: str, lang: str) -> str:
    symbols, categories = [], []
    for number, (value, entry) in enumerate(palette()[part].items()):
        symbols.append(_symbol("fill", number, [_fill(entry["fill"], "solid", entry["line"], "0.3")]))
        categories.append((value, entry[f"label_{lang}"]))
    return _categorised(field, categories, symbols)


def _points_qml(field: str, part: str, sizes: Mapping[str, str], lang: str) -> str:
    symbols, categories = [], []
    for number, (value, entry) in enumerate(palette()[part].items()):
        symbols.append(_symbol("marker", number, [_marker(entry["fill"], sizes[value])]))
        categories.append((value, entry[f"label_{lang}"]))
    return _categorised(field, categories, symbols)


def _single(symbol: str) -> str:
    kind = 'type="singleSymbol" symbollevels="0" enableorderby="0"'
    return _document(f"<renderer-v2 {kind}><symbols>{symbol}</symbols></renderer-v2>")


def _categorised(
    field: str, categories: Sequence[tuple[str | Sequence[str], str]], symbols: Sequence[str]
) -> str:
    rows = "".join(_category(*category, number) for number, category in enumerate(categories))
    return _document(
        f'<renderer-v2 type="categorizedSymbol" attr="{escape(field)}" symbollevels="0" enableorderby="0">'
        f"<categories>{rows}</categories><symbols>{''.join(symbols)}</symbols></renderer-v2>"
    )


def _category(value: str | Sequence[str], label: str, symbol: int) -> str:
    """Return a category of one value or of several."""
    rest = f'symbol="{symbol}" label="{escape(label)}" render="true"'
    if isinstance(value, str):
        return f'<category type="string" value="{escape(value)}" {rest}/>'
    values = "".join(f'<val type="string" value="{escape(one)}"/>' for one in value)
    return f"<category {rest}>{values}</category>"


def _document(renderer: str) -> str:
    return (
        "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>"
        f'<qgis version="3.22.0" styleCategories="Symbology">{renderer}<blendMode>0</blendMode></qgis>'
    )


def _symbol(kind: str, number: int, layers: Sequence[str]) -> str:
    body = "".join(layers)
    return f'<symbol type="{kind}" name="{number}" alpha="1" clip_to_extent="1" force_rhr="0">{body}</symbol>'


def _layer(class_: str, options: Mapping[str, str], fill_colour: str = "") -> str:
    rows = "".join(f'<Option name="{k}" type="QString" value="{escape(v)}"/>' for k, v in options.items())
    rule = _DATA_DEFINED.format(name="fillColor", expression=escape(fill_colour)) if fill_colour else ""
    head = f'<layer class="{class_}" enabled="1" locked="0" pass="0">'
    return f'{head}<Option type="Map">{rows}</Option>{rule}</layer>'


def _fill(colour: str, style: str, line: str, width: str) -> str:
    return _layer(
        "SimpleFill",
        {
            "color": _rgba(colour),
            "style": style,
            "outline_color": _rgba(line),
            "outline_style": "solid",
            "outline_width": width,
            "outline_width_unit": "MM",
        },
    )


def _hatch(name: str, colour: str) -> str:
    return _layer("SimpleFill", {"color": _rgba(colour), "style": _brush(name), "outline_style": "no"})


def _hatch_where(condition: str, name: str, colour: str) -> str:
    """Return a hatch that only features of `condition` have; the swatch of the legend stays without."""
    options = {"color": "0,0,0,0", "style": _brush(name), "outline_style": "no"}
    return _layer("SimpleFill", options, f"if({condition}, '{_rgba(colour)}', '0,0,0,0')")


def _brush(name: str) -> str:
    return palette()["hatches"][name]


def _marker(colour: str, size: str) -> str:
    return _layer(
        "SimpleMarker",
        {
            "name": "circle",
            "color": _rgba(colour),
            "outline_color": "255,255,255,255",
            "size": size,
            "size_unit": "MM",
        },
    )


def _rgba(colour: str) -> str:
    """Return "#rrggbb" as QGIS writes colours."""
    return ",".join(str(int(colour[i : i + 2], 16)) for i in (1, 3, 5)) + ",255"
