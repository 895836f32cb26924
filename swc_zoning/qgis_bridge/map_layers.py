# SPDX-License-Identifier: GPL-2.0-or-later
"""Layers of map sheets, from the GeoPackage of the command ``mapdata``, with styles and labels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from qgis.core import (
    QgsPalLayerSettings,
    QgsProject,
    QgsRectangle,
    QgsSimpleLineCallout,
    QgsTextBufferSettings,
    QgsTextFormat,
    QgsUnitTypes,
    QgsVectorLayer,
    QgsVectorLayerSimpleLabeling,
)
from qgis.PyQt.QtGui import QColor, QFont, QFontDatabase

from swc_zoning.engine import geopackage
from swc_zoning.engine.chapter import plans
from swc_zoning.engine.chapter.plans import District, Papers, Sheet, Theme
from swc_zoning.engine.messages import SwcError
from swc_zoning.engine.styles import Swatch, palette, sheet_qml, theme_entry, zone_entries
from swc_zoning.qgis_bridge import styling

#: Fonts with Chinese, the first that is there is taken: Linux, Windows, macOS.
FAMILIES = ("Noto Sans CJK SC", "Source Han Sans SC", "Microsoft YaHei", "PingFang SC", "SimHei")
_SEA_LOOK = "CASE WHEN \"land\" = '0' AND \"zone\" = 'GENERAL' THEN 'GENERAL:sea' ELSE \"zone\" END"


@dataclass
class Drawn:
    """What a sheet draws: layers from the top down, those of the legend in its order, and where to look.

    `small`: layers (of the GeoPackage) and filters whose patches may be too small; `absent`: roles that
    were given, but have nothing here.
    """

    layers: list[QgsVectorLayer] = field(default_factory=list)
    legend: list[QgsVectorLayer] = field(default_factory=list)
    small: list[tuple[str, str]] = field(default_factory=list)
    absent: list[str] = field(default_factory=list)


def family() -> str:
    """Return the first font with Chinese that is installed, "" where there is none of them."""
    there = set(QFontDatabase().families())
    return next((name for name in FAMILIES if name in there), "")


class Stock:
    """Opens layers of one GeoPackage for the sheets of one result; all of them belong to `project`."""

    def __init__(self, path: Path, paper: Papers, project: QgsProject) -> None:
        self.path, self._paper, self._project = path, paper, project
        self._kept: dict[tuple[str, ...], QgsVectorLayer] = {}
        self._values: dict[tuple[str, str, str], list[str]] = {}
        self.family = family()

    # --- reading ---

    def layer(self, name: str, title: str, where: str, qml: str) -> QgsVectorLayer:
        """Return a styled layer, the same for the same words. Raises SwcError ``host.result_layer``."""
        key = (name, title, where, qml)
        if key not in self._kept:
            opened = QgsVectorLayer(f"{self.path}|layername={name}", title, "ogr")
            if not opened.isValid() or not opened.setSubsetString(where):
                raise SwcError("host.result_layer", path=str(self.path), layer=name)
            styling.apply(opened, qml)
            self._project.addMapLayer(opened, False)
            self._kept[key] = opened
        return self._kept[key]

    def values(self, name: str, column: str, where: str) -> list[str]:
        """Return the distinct values of a column (or an expression of SQL) of the rows of a filter."""
        key = (name, column, where)
        if key not in self._values:
            ask = f"SELECT DISTINCT {column} FROM {name} WHERE {where or '1'}"  # nosec B608 - our own words
            with geopackage.opened(self.path) as connection:
                self._values[key] = sorted(row[0] or "" for row in connection.execute(ask))
        return self._values[key]

    def extent(self, district: District | None) -> QgsRectangle:
        """Return the box of all districts or of one."""
        nothing = Swatch("", "", {"line": "#000000", "width": "0", "hatch": "none"})
        layer = self.layer(plans.DISTRICTS, "", _of_district(district), sheet_qml("shade", [nothing]))
        return layer.extent()

    def patches_below(self, layer: str, where: str, limit: float) -> list[list[Any]]:
        """Return [what, district, piece, m2] of each patch of a filter smaller than `limit` (m2)."""
        what = {plans.ZONES: "zone", plans.FEATURES: "role || ' ' || tier"}.get(layer, "look")
        district = "''" if layer == plans.FEATURES else "district_name"
        ask = (
            f"SELECT {what}, {district}, piece_id, area_m2 FROM {layer} "  # nosec B608 - our own words
            f"WHERE area_m2 < ? AND {where or '1'} ORDER BY area_m2 DESC, piece_id"
        )
        with geopackage.opened(self.path) as connection:
            rows = [list(row) for row in connection.execute(ask, (limit,))]
        return [[self._name_of(layer, row[0]), *row[1:]] for row in rows]

    def _name_of(self, layer: str, look: str) -> str:
        paper = self._paper
        if layer == plans.ZONES:
            return next(
                (row[f"name_{paper.lang}"] for row in paper.summary["by_zone"] if row["zone"] == look), look
            )
        if layer == plans.MEASURES:
            return self._measure_name(look)
        if layer == plans.PROPOSALS:
            names = {row["kind"]: row[f"name_{paper.lang}"] for row in paper.summary["conflicts"]}
            return names.get(look, look)
        role, _, tier = look.partition(" ")
        return f"{plans.role_name(role, paper.lang)} {plans.tier_name(role, tier, paper.lang)}"

    # --- sheets ---

    def drawn(self, sheet: Sheet, district: District | None = None) -> Drawn:
        """Return what a sheet draws, of one district only where one is given."""
        made = Drawn()
        own = _of_district(district)
        labels, themes = [], []
        for theme in sheet.themes:
            found = list(self._theme(theme, own, made))
            themes += found
            labels += self._labels(theme, own) if found else []
        made.layers = [*self._top(district), *reversed(labels), *reversed(themes), *self._ground(sheet, district)]
        made.legend = [*_in_order(themes), *self._legend_of_ground(sheet, district, made)]
        return made

    def _theme(self, theme: Theme, own: str, made: Drawn) -> Iterator[QgsVectorLayer]:
        makers = {
            plans.ZONES: self._zones,
            plans.MEASURES: self._measures,
            plans.PROPOSALS: self._proposals,
            plans.FEATURES: self._features,
        }
        yield from makers[theme.kind](theme, own, made)

    def _zones(self, theme: Theme, own: str, made: Drawn) -> Iterator[QgsVectorLayer]:
        present = self.values(plans.ZONES, _SEA_LOOK, own)
        names = {row["zone"]: row[f"name_{self._paper.lang}"] for row in self._paper.summary["by_zone"]}
        swatches = [
            Swatch(code, entry["label"], _thin(entry)) for code, entry in zone_entries(names) if code in present
        ]
        if "GENERAL:sea" in present:
            paper = palette()["paper"]
            label = self._paper.text("sea", name=names["GENERAL"])
            swatches.append(
                Swatch("GENERAL:sea", label, {"fill": paper["sea"], "line": paper["water_line"], "width": "0"})
            )
        made.small.append((plans.ZONES, own))
        title = self._paper.text("zones")
        yield self.layer(plans.ZONES, title, own, sheet_qml(_SEA_LOOK, swatches, pale=theme.pale))
        pending = _and(own, "\"status\" = 'pending'")
        if self.values(plans.ZONES, "status", pending):
            entry = palette()["pending"]
            look = {"line": entry["line"], "width": "0.2", "hatch": entry["hatch"]}
            label = self._paper.text("pending")
            yield self.layer(plans.ZONES, label, pending, sheet_qml("zone", [Swatch("", label, look)]))

    def _measures(self, theme: Theme, own: str, made: Drawn) -> Iterator[QgsVectorLayer]:
        present = self.values(plans.MEASURES, "look", own) if self._has_rows(plans.MEASURES) else []
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
        present = self.values(plans.PROPOSALS, "look", own) if self._has_rows(plans.PROPOSALS) else []
        names = {row["kind"]: row[f"name_{self._paper.lang}"] for row in self._paper.summary["conflicts"]}
        looks = palette()["proposals"]
        swatches = [
            Swatch(kind, names.get(kind, kind), looks[min(number, len(looks) - 1)])
            for number, kind in enumerate(present)
        ]
        if swatches:
            made.small.append((plans.PROPOSALS, own))
            yield self.layer(plans.PROPOSALS, self._paper.text("proposals"), own, sheet_qml("look", swatches))

    def _has_rows(self, name: str) -> bool:
        return bool(self.values(name, "COUNT(*) > 0", "") == [1])

    def _features(self, theme: Theme, own: str, made: Drawn) -> Iterator[QgsVectorLayer]:
        where = f"\"role\" = '{theme.role}'"
        tiers = self.values(plans.FEATURES, "tier", where)
        if not tiers:
            made.absent += [theme.role] if theme.role in self._paper.given else []
            return
        made.small.append((plans.FEATURES, where))
        swatches, title = self._swatches(theme, tiers), plans.role_name(theme.role, self._paper.lang)
        filled = theme.look != "over"
        yield self.layer(plans.FEATURES, title, where, sheet_qml("tier", swatches, filled))

    def _swatches(self, theme: Theme, tiers: Sequence[str]) -> list[Swatch]:
        """Return the rows of a role: one for all where it looks alike, else one a tier, as its role has them."""
        lang = self._paper.lang
        if theme.look == "over":
            return [Swatch("", plans.role_name(theme.role, lang), theme_entry("over", theme.role))]
        return [
            Swatch(tier, plans.tier_name(theme.role, tier, lang), theme_entry("themes", theme.role, tier))
            for tier in plans.in_order(theme.role, tiers)
        ]

    # --- ground ---

    def _ground(self, sheet: Sheet, district: District | None) -> Iterator[QgsVectorLayer]:
        """Yield what lies below: sea, then the districts."""
        paper, words = palette()["paper"], self._paper
        sea = {"fill": paper["sea"], "line": paper["sea"], "width": "0"}
        if sheet.filled:
            yield self._filled_districts()
            return
        at_sea = _and(_of_district(district), "\"land\" = '0'")
        if self.values(plans.ZONES, "land", at_sea):
            label = words.text("sea_only")
            yield self.layer(plans.ZONES, label, at_sea, sheet_qml("zone", [Swatch("", label, sea)]))
        land = {"fill": paper["land"], "line": paper["land"], "width": "0"}
        label = words.text("district")
        own = _of_district(district)
        yield self.layer(plans.DISTRICTS, label, own, sheet_qml("shade", [Swatch("", label, land)]))
        if district is not None:
            yield self._neighbours(district)

    def _filled_districts(self) -> QgsVectorLayer:
        shades = palette()["districts"]["shades"]
        title = self._paper.text("districts")
        swatches = [
            Swatch(str(number), title, {"fill": shade, "line": shade, "width": "0"})
            for number, shade in enumerate(shades)
        ]
        return self.layer(plans.DISTRICTS, title, "", sheet_qml("to_string(shade)", swatches))

    def _neighbours(self, district: District) -> QgsVectorLayer:
        label = self._paper.text("neighbour")
        entry = {"fill": palette()["paper"]["neighbour"], "line": "#9a9a9a", "width": "0.2"}
        others = f"NOT ({_of_district(district)})"
        layer = self.layer(plans.DISTRICTS, label, others, sheet_qml("shade", [Swatch("", label, entry)]))
        self._label(layer, "district_name", 9, palette()["paper"]["soft"], bold=False)
        return layer

    def _top(self, district: District | None) -> Iterator[QgsVectorLayer]:
        """Yield the boundaries of districts and, on a sheet of all, their names."""
        label, entry = self._paper.text("district"), palette()["districts"]
        look = {"line": entry["line"], "width": entry["width"] if district is None else "0.6", "dash": entry["dash"]}
        where = _of_district(district)
        layer = self.layer(plans.DISTRICTS, label, where, sheet_qml("shade", [Swatch("", label, look)], False))
        if district is None:
            self._label(layer, "district_name", 10, palette()["paper"]["ink"], bold=True)
        yield layer

    def _legend_of_ground(
        self, sheet: Sheet, district: District | None, made: Drawn
    ) -> Iterator[QgsVectorLayer]:
        yield next(self._top(district))
        if district is not None:
            yield self._neighbours(district)
        kinds = {theme.kind for theme in sheet.themes if not theme.pale}
        if not sheet.filled and not kinds & {plans.ZONES, plans.MEASURES}:
            sea = self._paper.text("sea_only")
            yield from (layer for layer in made.layers if layer.name() == sea)

    # --- labels ---

    def _labels(self, theme: Theme, own: str) -> Iterator[QgsVectorLayer]:
        """Yield the names of the features of a theme, as a layer without symbols."""
        if not theme.named:
            return
        title = plans.role_name(theme.role, self._paper.lang)
        nothing = {"line": "#000000", "width": "0", "hatch": "none"}
        where = f"\"role\" = '{theme.role}'"
        if self.values(plans.NAMES, "name", where):
            layer = self.layer(plans.NAMES, title, where, sheet_qml("role", [Swatch("", title, nothing)], False))
            self._label(layer, "name", 8, theme_entry("themes", theme.role)["line"], bold=False)
            yield layer

    def _label(self, layer: QgsVectorLayer, column: str, size: float, colour: str, bold: bool) -> None:
        settings = QgsPalLayerSettings()
        settings.fieldName = column
        settings.autoWrapLength = 0
        settings.isExpression = True
        # Ten signs a line: Chinese has no blanks to wrap at.
        settings.fieldName = f"regexp_replace(\"{column}\", '(.{{10}})(?=.)', '\\\\1\n')"
        settings.placement = QgsPalLayerSettings.Placement.Horizontal
        settings.centroidInside = True
        settings.setFormat(self.text_format(size, colour, bold))
        settings.setCallout(_callout())
        settings.callout().setEnabled(True)
        layer.setLabeling(QgsVectorLayerSimpleLabeling(settings))
        layer.setLabelsEnabled(True)

    def text_format(self, size: float, colour: str, bold: bool) -> QgsTextFormat:
        """Return text of a map with a halo."""
        text, halo = QgsTextFormat(), QgsTextBufferSettings()
        font = QFont(self.family) if self.family else QFont()
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


def _callout() -> QgsSimpleLineCallout:
    callout = QgsSimpleLineCallout()
    callout.setMinimumLength(2)
    return callout


def _thin(entry: dict[str, str]) -> dict[str, str]:
    """Return the entry of a zone as a sheet draws it: hair lines, light hatches that leave its colour."""
    return {**entry, "width": entry.get("width", "0.06"), "hatch_line": entry.get("hatch_line", entry["line"])}


def _in_order(themes: Sequence[QgsVectorLayer]) -> list[QgsVectorLayer]:
    return list(reversed(themes))


def _of_district(district: District | None) -> str:
    if district is None:
        return ""
    code = district.code.replace("'", "''")
    return f"coalesce(\"district_code\", '') = '{code}'"


def _and(*conditions: str) -> str:
    return " AND ".join(one for one in conditions if one)
