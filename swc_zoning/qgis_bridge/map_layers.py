# SPDX-License-Identifier: GPL-2.0-or-later
"""Layers of map sheets, from the GeoPackage of the command ``mapdata``, with styles and labels."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from qgis.core import (
    QgsFeatureRequest,
    QgsPalLayerSettings,
    QgsProject,
    QgsProperty,
    QgsRectangle,
    QgsRuleBasedLabeling,
    QgsSimpleLineCallout,
    QgsTextBufferSettings,
    QgsTextFormat,
    QgsUnitTypes,
    QgsVectorLayer,
    QgsVectorLayerSimpleLabeling,
    QgsVectorSimplifyMethod,
)
from qgis.PyQt.QtGui import QColor, QFont

from swc_zoning.engine.chapter import plans
from swc_zoning.engine.chapter.plans import District, Papers, Sheet, Theme
from swc_zoning.engine.styles import (
    Swatch,
    line_qml,
    palette,
    places_qml,
    sheet_qml,
    theme_entry,
    zone_entries,
)
from swc_zoning.qgis_bridge import compat, results, styling

#: Lines of a name are so many times its size apart.
_LEADING, _MM_OF_POINT = 1.3, 25.4 / 72
#: Bends smaller than so many dots cannot be seen.
_DOTS = 1.0
#: A longer name of a district is none for a legend.
_LONG = 16
#: By layer: the columns that say what a patch is.
_WHAT = {
    plans.ZONES: ("zone",),
    plans.MEASURES: ("look",),
    plans.PROPOSALS: ("look",),
    plans.FEATURES: ("role", "tier"),
    plans.OUTLINES: ("role",),
}


@dataclass
class Drawn:
    """What a sheet draws: layers from the top down, those of the legend in its order, and where to look.

    `dots`: what is too small has a dot on the map. `small`: layers (of the GeoPackage) and filters whose
    patches may be too small; `absent`: roles that were given, but have nothing here; `withheld`: roles that
    a public edition may not show.
    """

    district: District | None = None
    layers: list[QgsVectorLayer] = field(default_factory=list)
    legend: list[QgsVectorLayer] = field(default_factory=list)
    dots: bool = False
    small: list[tuple[str, str]] = field(default_factory=list)
    absent: list[str] = field(default_factory=list)
    withheld: list[str] = field(default_factory=list)


class Stock:
    """Opens layers of one GeoPackage for the sheets of one result; all of them belong to `project`."""

    def __init__(
        self, path: Path, paper: Papers, project: QgsProject, numbers: Mapping[str, Any] | None = None
    ) -> None:
        self._path, self._paper, self._project = path, paper, project
        self._numbers = numbers or {"zones": {}, "tiers": {}, "sensitive": []}
        self._sensitive = frozenset(self._numbers["sensitive"] if paper.public else ())
        self._around: QgsVectorLayer | None = None
        self._kept: dict[tuple[str, ...], QgsVectorLayer] = {}
        self._rows: dict[tuple[str, str], QgsVectorLayer] = {}

    def surround(self, layer: QgsVectorLayer, name: str) -> None:
        """Show the districts of a layer of the user's around the plan, with the names in a field."""
        copied = layer.materialize(QgsFeatureRequest())
        copied.setName(self._paper.text("neighbour"))
        self._as_neighbours(copied, name)
        self._project.addMapLayer(copied, False)
        self._around = copied

    def _as_neighbours(self, layer: QgsVectorLayer, name: str) -> None:
        """Draw a layer as what does not belong to a sheet, named by a field ("": by none)."""
        entry = {"fill": palette()["paper"]["neighbour"], "line": "#9a9a9a", "width": "0.2"}
        styling.apply(layer, sheet_qml("", [Swatch("", layer.name(), entry)]))
        if not name:
            return
        settings = QgsPalLayerSettings()
        settings.fieldName = name
        # What is to be seen of a neighbour is little: its name goes there.
        settings.placement = QgsPalLayerSettings.Placement.Horizontal
        settings.setFormat(self.text_format(9, palette()["paper"]["soft"], bold=False))
        layer.setLabeling(QgsVectorLayerSimpleLabeling(settings))
        layer.setLabelsEnabled(True)

    # --- reading ---

    def layer(self, name: str, title: str, where: str, qml: str) -> QgsVectorLayer:
        """Return a styled layer, the same for the same words. Raises SwcError ``host.result_layer``."""
        key = (name, title, where, qml)
        if key not in self._kept:
            layer = self._read(name, where).clone()
            layer.setName(title)
            styling.apply(layer, qml)
            layer.setSimplifyMethod(_simplified())
            self._project.addMapLayer(layer, False)
            self._kept[key] = layer
        return self._kept[key]

    def _read(self, name: str, where: str) -> QgsVectorLayer:
        """Return rows as a layer in memory: every sheet draws from it, and no file stays open."""
        if (name, where) not in self._rows:
            request = QgsFeatureRequest()
            if where:
                request.setFilterExpression(where)
                source = self._read(name, "")
            else:
                source = results.open_layer(self._path, name)
            self._rows[name, where] = source.materialize(request)
        return self._rows[name, where]

    def values(self, name: str, column: str, where: str) -> list[str]:
        """Return the distinct values of a column of the rows of a filter, sorted."""
        layer = self._read(name, where)
        place = layer.fields().indexOf(column)
        found = layer.uniqueValues(place) if place >= 0 else set()
        return sorted({value if isinstance(value, str) else "" for value in found})

    def has_rows(self, name: str, where: str) -> bool:
        """Return whether a layer has rows of a filter."""
        return self._read(name, where).featureCount() > 0

    def extent(self, district: District | None) -> QgsRectangle:
        """Return the box of all districts or of one."""
        return self._read(plans.DISTRICTS, _of_district(district)).extent()

    def patches_below(self, name: str, where: str, limit: float) -> list[list[Any]]:
        """Return [what, district, piece, m2] of each patch of a filter smaller than `limit` (m2)."""
        rows, fields = [], self._read(name, "").fields().names()
        for patch in self._read(name, _and(where, f'"area_m2" < {limit}')).getFeatures():
            what = self._name_of(name, *(str(patch[one]) for one in _WHAT[name]))
            district = str(patch["district_name"] or "") if "district_name" in fields else ""
            rows.append([what, district, patch["piece_id"], patch["area_m2"]])
        return sorted(rows, key=lambda row: (-row[-1], row[2]))

    def _name_of(self, layer: str, look: str, tier: str = "") -> str:
        paper = self._paper
        if layer == plans.ZONES:
            return self._zones_by_code().get(look, look)
        if layer == plans.MEASURES:
            return self._measure_name(look)
        if layer == plans.PROPOSALS:
            return self._conflict_names().get(look, look)
        role = plans.role_name(look, paper.lang)
        return f"{role} {plans.tier_name(look, tier, paper.lang)}" if layer == plans.FEATURES else role

    def _zones_by_code(self) -> dict[str, str]:
        return {row["zone"]: row[f"name_{self._paper.lang}"] for row in self._paper.summary["by_zone"]}

    def _conflict_names(self) -> dict[str, str]:
        rows = self._paper.summary["conflicts"]
        return {row["kind"]: plans.full_width(row[f"name_{self._paper.lang}"]) for row in rows}

    # --- sheets ---

    def drawn(self, sheet: Sheet, district: District | None = None) -> Drawn:
        """Return what a sheet draws, of one district only where one is given."""
        made = Drawn(district, dots=bool(sheet.themes) and all(theme.dots for theme in sheet.themes))
        own = _of_district(district)
        labels, themes = [], []
        for theme in sheet.themes:
            found = list(self._theme(theme, own, made))
            themes += found
            labels += self._labels(theme, own) if found else []
            made.legend = [*found, *made.legend]
        names = [self._district_names()] if district is None else []
        above = [*names, *self._top(district), *reversed(labels)]
        made.layers = [*above, *reversed(themes), *self._ground(sheet, district)]
        made.legend += self._legend_of_ground(sheet, district, made)
        return made

    def _theme(self, theme: Theme, own: str, made: Drawn) -> Iterator[QgsVectorLayer]:
        makers = {
            plans.ZONES: self._zones,
            plans.MEASURES: self._measures,
            plans.PROPOSALS: self._proposals,
            plans.FEATURES: self._features,
        }
        withheld = self._sensitive.intersection((theme.role, *theme.needs))
        if withheld:
            made.withheld += sorted(withheld.difference(made.withheld))
            return
        yield from makers[theme.kind](theme, own, made)

    def _zones(self, theme: Theme, own: str, made: Drawn) -> Iterator[QgsVectorLayer]:
        """Yield the zones, with hectares in the legend where they are what the sheet is about."""
        made.small.append((plans.ZONES, own))
        areas = {} if theme.pale else self._areas(made.district)
        title = self._paper.text("zones")
        if areas:
            title = self._paper.text("heading_closing", name=title)
        swatches = self._zone_swatches(own, areas)
        yield self.layer(plans.ZONES, title, own, sheet_qml("look", swatches, pale=theme.pale))
        pending = _and(own, "\"status\" = 'pending'")
        if self.values(plans.ZONES, "zone", pending):
            entry = palette()["pending"]
            look = {"line": entry["line"], "width": "0.2", "hatch": entry["hatch"]}
            label = self._with_area(self._paper.text("pending"), areas.get("pending", ""), "hectares_alone")
            yield self.layer(plans.ZONES, label, pending, sheet_qml("zone", [Swatch("", label, look)]))

    def _areas(self, district: District | None) -> Mapping[str, str]:
        return self._numbers["zones"].get(district.code if district else "", {})

    def _with_area(self, name: str, area: str, words: str = "with_hectares") -> str:
        return self._paper.text(words, name=name, area=area) if area else name

    def _zone_swatches(self, own: str, areas: Mapping[str, str]) -> list[Swatch]:
        """Return the zones that occur in their order; one that goes on at sea has a second row for that."""
        present, names = self.values(plans.ZONES, "look", own), self._zones_by_code()
        entries = [(code, entry["label"], _thin(entry)) for code, entry in zone_entries(names)]
        paper = palette()["paper"]
        at_sea = {"fill": paper["sea"], "line": paper["water_line"], "width": "0"}
        entries += [
            (f"{code}:sea", self._paper.text("sea", name=name), at_sea) for code, name in names.items()
        ]
        return [
            Swatch(look, self._with_area(label, areas.get(look, "")), entry)
            for look, label, entry in entries
            if look in present
        ]

    def _measures(self, theme: Theme, own: str, made: Drawn) -> Iterator[QgsVectorLayer]:
        present = self.values(plans.MEASURES, "look", own)
        swatches = [
            Swatch(look, self._measure_name(look), _thin(entry))
            for look, entry in palette()["measures"].items()
            if look in present
        ]
        if swatches:
            made.small.append((plans.MEASURES, own))
            yield self.layer(plans.MEASURES, self._paper.text("measures"), own, sheet_qml("look", swatches))

    def _measure_name(self, look: str) -> str:
        orientation, kind = look.split(":")
        words = (self._paper.text(f"orientation_{orientation}"), self._paper.text(f"kind_{kind}"))
        return self._paper.text("measure", orientation=words[0], kind=words[1])

    def _proposals(self, theme: Theme, own: str, made: Drawn) -> Iterator[QgsVectorLayer]:
        present = self.values(plans.PROPOSALS, "look", own)
        names, looks = self._conflict_names(), palette()["proposals"]
        swatches = [
            Swatch(kind, names.get(kind, kind), looks[min(number, len(looks) - 1)])
            for number, kind in enumerate(present)
        ]
        if swatches:
            made.small.append((plans.PROPOSALS, own))
            title = self._paper.text("proposals")
            yield self.layer(plans.PROPOSALS, title, own, sheet_qml("look", swatches, dots=theme.dots))

    def _features(self, theme: Theme, own: str, made: Drawn) -> Iterator[QgsVectorLayer]:
        where = f"\"role\" = '{theme.role}'"
        tiers = self.values(plans.FEATURES, "tier", where)
        if not tiers:
            made.absent += [theme.role] if theme.role in self._paper.given else []
            return
        over = theme.look == "over"
        source = plans.OUTLINES if over else plans.FEATURES
        made.small.append((source, where))
        swatches, title = self._swatches(theme, tiers), plans.role_name(theme.role, self._paper.lang)
        if len(swatches) == 1:
            title = swatches[0].label
        elif self._numbers["tiers"].get(theme.role):
            title = self._paper.text("heading_overlapping", name=title)
        yield self.layer(source, title, where, sheet_qml("tier", swatches, not over, dots=theme.dots))

    def _swatches(self, theme: Theme, tiers: Sequence[str]) -> list[Swatch]:
        """Return the rows of a role: one for all where it looks alike, else one a tier in their order."""
        lang, areas = self._paper.lang, self._numbers["tiers"].get(theme.role, {})
        name = plans.role_name(theme.role, lang)
        if theme.look == "over":
            return [Swatch("", name, theme_entry("over", theme.role))]
        looks = {tier: theme_entry("themes", theme.role, tier) for tier in plans.in_order(theme.role, tiers)}
        if all(look == theme_entry("themes", theme.role) for look in looks.values()):
            label = self._with_area(name, areas.get("", ""), "hectares_alone")
            return [Swatch("", label, theme_entry("themes", theme.role))]
        if len(looks) == 1:
            [(tier, look)] = looks.items()
            label = self._paper.text("one_tier", role=name, tier=plans.tier_name(theme.role, tier, lang))
            return [Swatch("", self._with_area(label, areas.get(tier, ""), "hectares_alone"), look)]
        return [
            Swatch(tier, self._with_area(plans.tier_name(theme.role, tier, lang), areas.get(tier, "")), look)
            for tier, look in looks.items()
        ]

    # --- ground ---

    def _ground(self, sheet: Sheet, district: District | None) -> Iterator[QgsVectorLayer]:
        """Yield what lies below: sea, then the districts."""
        paper, words = palette()["paper"], self._paper
        sea = {"fill": paper["sea"], "line": paper["sea"], "width": "0"}
        own = _of_district(district)
        if self.has_rows(plans.SEA, own):
            label = words.text("sea_only")
            look = [Swatch("", label, sea)]
            yield self.layer(plans.SEA, label, own, sheet_qml("district_code", look))
        if sheet.filled:
            yield self._filled_districts()
            yield from [self._around] if self._around is not None else []
            return
        land = {"fill": paper["land"], "line": paper["land"], "width": "0"}
        label = words.text("district")
        yield self.layer(plans.DISTRICTS, label, own, sheet_qml("shade", [Swatch("", label, land)]))
        if district is not None:
            yield self._neighbours(district)
        if self._around is not None:
            yield self._around

    def _filled_districts(self) -> QgsVectorLayer:
        shades = palette()["districts"]["shades"]
        title = self._paper.text("districts")
        swatches = [
            Swatch(str(number), title, {"fill": shade, "line": shade, "width": "0"})
            for number, shade in enumerate(shades)
        ]
        return self.layer(plans.DISTRICTS, title, "", sheet_qml("to_string(shade)", swatches))

    def _neighbours(self, district: District) -> QgsVectorLayer:
        layer = self.layer(plans.DISTRICTS, self._paper.text("neighbour"), _others(district), places_qml())
        self._as_neighbours(layer, "label")
        return layer

    def _top(self, district: District | None) -> Iterator[QgsVectorLayer]:
        """Yield the boundaries of districts and, on a sheet of all, their names."""
        entry, words = palette()["districts"], self._paper
        outer = {**entry, "width": entry["outer"]}
        if district is not None:
            name = district.name or district.code
            label = words.text("district_own", name=name) if len(name) <= _LONG else words.text("district")
            look = [Swatch("", label, outer)]
            yield self.layer(plans.DISTRICTS, label, _of_district(district), sheet_qml("shade", look, False))
            return
        yield self.layer(plans.BORDERS, words.text("outer"), "\"kind\" = 'outer'", line_qml(outer))
        if len(words.districts) > 1:
            yield self.layer(plans.BORDERS, words.text("district"), "\"kind\" = 'inner'", line_qml(entry))

    def _legend_of_ground(
        self, sheet: Sheet, district: District | None, made: Drawn
    ) -> Iterator[QgsVectorLayer]:
        yield from self._top(district)
        if district is not None:
            yield self._neighbours(district)
        elif self._around is not None:
            yield self._around
        kinds = {theme.kind for theme in sheet.themes}
        if not kinds & {plans.ZONES, plans.MEASURES}:
            sea = self._paper.text("sea_only")
            yield from (layer for layer in made.layers if layer.name() == sea)

    # --- names ---

    def _labels(self, theme: Theme, own: str) -> Iterator[QgsVectorLayer]:
        """Yield the names of the features of a theme, as a layer of places."""
        where = f"\"role\" = '{theme.role}'"
        if theme.named and self.values(plans.NAMES, "name", where):
            title = plans.role_name(theme.role, self._paper.lang)
            colour = theme_entry("themes", theme.role)["line"]
            yield self._names(plans.NAMES, title, where, _Lettering(8, 7, colour, False))

    def _district_names(self) -> QgsVectorLayer:
        lettering = _Lettering(10, 5, palette()["paper"]["ink"], True)
        return self._names(plans.DISTRICT_NAMES, self._paper.text("district"), "", lettering)

    def _names(self, name: str, title: str, where: str, lettering: _Lettering) -> QgsVectorLayer:
        """Return places as names alone: in the middle where there is room, else beside with a line."""
        layer = self.layer(name, title, where, places_qml())
        inside, beside = (
            self._name_settings(lettering, True),
            self._name_settings(lettering, False),
        )
        fits, root = _fits(lettering), QgsRuleBasedLabeling.Rule(None)
        root.appendChild(QgsRuleBasedLabeling.Rule(inside, 0, 0, fits))
        root.appendChild(QgsRuleBasedLabeling.Rule(beside, 0, 0, f"NOT ({fits})"))
        layer.setLabeling(QgsRuleBasedLabeling(root))
        layer.setLabelsEnabled(True)
        return layer

    def _name_settings(self, lettering: _Lettering, inside: bool) -> QgsPalLayerSettings:
        settings = QgsPalLayerSettings()
        settings.fieldName = "label"
        size = lettering.size if inside else lettering.smallest
        settings.setFormat(self.text_format(size, lettering.colour, lettering.bold))
        compat.always_label(settings)
        settings.priority = 8 if lettering.bold else 6
        around = QgsPalLayerSettings.Placement.AroundPoint
        if inside:
            # A district has its name in the middle, features near it: they may share one.
            settings.placement = QgsPalLayerSettings.Placement.OverPoint if lettering.bold else around
            rows = settings.dataDefinedProperties()
            rows.setProperty(QgsPalLayerSettings.Property.Size, QgsProperty.fromExpression(_size(lettering)))
            settings.setDataDefinedProperties(rows)
        else:
            settings.placement = around
            settings.dist = 2.5
            settings.setCallout(_callout())
        return settings

    def text_format(self, size: float, colour: str, bold: bool) -> QgsTextFormat:
        """Return text of a map with a halo."""
        text, halo = QgsTextFormat(), QgsTextBufferSettings()
        font = compat.unshaped(QFont(compat.chinese_font()))
        font.setBold(bold)
        text.setFont(font)
        text.setSize(size)
        text.setSizeUnit(QgsUnitTypes.RenderUnit.RenderPoints)
        text.setColor(QColor(colour))
        halo.setEnabled(True)
        halo.setSize(0.7)
        halo.setColor(QColor(255, 255, 255, 225))
        text.setBuffer(halo)
        return text


@dataclass(frozen=True)
class _Lettering:
    """How a kind of names is written; sizes in points."""

    size: float
    smallest: float
    colour: str
    bold: bool


def _simplified() -> QgsVectorSimplifyMethod:
    """Return how shapes are drawn: bends below a dot at the resolution of the sheet are left out."""
    method = QgsVectorSimplifyMethod()
    method.setSimplifyHints(QgsVectorSimplifyMethod.SimplifyHint.FullSimplification)
    method.setForceLocalOptimization(True)
    method.setThreshold(_DOTS)
    return method


def _callout() -> QgsSimpleLineCallout:
    callout = QgsSimpleLineCallout()
    callout.setEnabled(True)
    callout.setMinimumLength(1)
    return callout


def _size(lettering: _Lettering) -> str:
    """Return an expression for the size at which a name goes into its circle, at most the wanted one."""
    diagonal = f'sqrt("ems" ^ 2 + ({_LEADING} * "lines") ^ 2)'
    points = f'2.3 * "radius" / @map_scale * 1000 / {_MM_OF_POINT} / {diagonal}'
    return f"max({lettering.smallest}, min({lettering.size}, {points}))"


def _fits(lettering: _Lettering) -> str:
    """Return an expression whether a name goes into its circle at the smallest size."""
    return f"{_size(lettering)} > {lettering.smallest}"


def _thin(entry: dict[str, str]) -> dict[str, str]:
    """Return the entry of a zone as a sheet draws it: hair lines, light hatches that leave its colour."""
    return {
        **entry,
        "width": entry.get("width", "0.06"),
        "hatch_line": entry.get("hatch_line", entry["line"]),
    }


def _of_district(district: District | None) -> str:
    if district is None:
        return ""
    code = district.code.replace("'", "''")
    return f"coalesce(\"district_code\", '') = '{code}'"


def _others(district: District) -> str:
    return f"NOT ({_of_district(district)})"


def _and(*conditions: str) -> str:
    return " AND ".join(one for one in conditions if one)
