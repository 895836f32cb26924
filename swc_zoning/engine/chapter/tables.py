# SPDX-License-Identifier: GPL-2.0-or-later
"""The tables of a chapter, from figures: titles, columns, rows of cells that know where they are from.

Titles and words are data (``resources/chapter/tables.json``). A table is of one family: areas that exclude
one another and close, areas of features that may overlap and are not totalled, or controls. What was not
given is said instead of a table (`Table.absence`) or in the cells of its row.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from swc_zoning.engine import roles, rule_words, rules, siting
from swc_zoning.engine.chapter import evaluated, rate_series
from swc_zoning.engine.chapter.figures import MISSING, UNUSED, Figures, Key, Said
from swc_zoning.engine.chapter.rate_series import Series
from swc_zoning.engine.messages import sentence
from swc_zoning.engine.submission import proposals
from swc_zoning.engine.submission.material import Feature
from swc_zoning.paths import resource

PENDING = "pending"
LAND, SEA = 1, 0

_LINES = (
    ("redline", "ecological_redline"),
    ("farmland", "permanent_basic_farmland"),
    ("boundary", "urban_development_boundary"),
)
PROTECTED = (
    *("drinking_water_source", "national_park", "nature_reserve", "nature_park", "scenic_heritage"),
    "important_wetland",
)
DECLARED = ("key_prevention_zone", "key_treatment_zone")
_INDICATORS = (
    *("ecological_redline", "permanent_basic_farmland", "urban_development_boundary"),
    *("drinking_water_source", "national_park", "nature_reserve", "nature_park", "important_wetland"),
    *DECLARED,
)
#: Tier of planned construction -> kind of project that siting words know.
PROJECT_KINDS = {"development_zone": "park"}


@dataclass(frozen=True)
class Column:
    """A column: `kind` is text, ordinal, area, area4, percent, count or mixed; `width` in characters."""

    id: str
    title: str
    kind: str
    width: int


@dataclass(frozen=True)
class Cell:
    """A cell: what is printed, the number behind it in the unit of the table, and where it is from."""

    text: str
    value: float | None = None
    said: Said | None = None


@dataclass(frozen=True)
class Table:
    """A table. `sums` are the rows that total others; `absence` is said where there is nothing to show.

    `family`: exclusive, features, control or text. `unit`: ha, m2 or "". `long`: only for workbooks and
    annexes. `queries`: those behind its numbers.
    """

    id: str
    title_zh: str
    title_en: str
    family: str
    unit: str
    columns: tuple[Column, ...]
    rows: list[list[Cell]]
    note: str = ""
    sums: frozenset[int] = frozenset()
    absence: str = ""
    long: bool = False
    lang: str = "zh"

    @property
    def title(self) -> str:
        """Return the title in the language of the figures."""
        return self.title_zh if self.lang == "zh" else self.title_en

    @property
    def queries(self) -> list[str]:
        """Return the ids of the queries behind the cells, in the order they are met."""
        said = (cell.said for row in self.rows for cell in row if cell.said)
        return list(dict.fromkeys(one.query for one in said))


#: What a quality check found by rule: code, title_zh, title_en, severity (E, W, I), count, accepted, and
#: checked (False: the rule could not be judged).
Quality = Sequence[Mapping[str, Any]]


def made(
    figures: Figures,
    quality: Quality | None = None,
    only: Iterable[str] | None = None,
    rates: Series | None = None,
) -> dict[str, Table]:
    """Return the tables by id, T1 .. T18, in order.

    `quality`: what a quality check found, by rule; `rates`: the conservation rate by district and year.
    """
    wanted = {*_MAKERS, "T11", "T18"} if only is None else set(only)
    sheets = {id_: make(_Sheet(figures, id_)) for id_, make in _MAKERS.items() if id_ in wanted}
    if "T11" in wanted:
        sheets["T11"] = _quality(_Sheet(figures, "T11"), quality)
    if "T18" in wanted:
        sheets["T18"] = rate_series.table(_Sheet(figures, "T18"), rates)
    order = list(_document()["tables"])
    return dict(sorted(sheets.items(), key=lambda pair: order.index(pair[0])))


@lru_cache(maxsize=1)
def _document() -> dict[str, Any]:
    return json.loads(resource("chapter", "tables.json").read_text(encoding="utf-8"))


def word(name: str, lang: str, **facts: str) -> str:
    """Return a word of the tables in a language."""
    return _document()["words"][name][0 if lang == "zh" else 1].format(**facts)


# --- a table in the making -------------------------------------------------------------------------


@dataclass
class _Sheet:
    """A table in the making, with the figures it is made of."""

    figures: Figures
    id: str
    rows: list[list[Cell]] = field(default_factory=list)
    sums: set[int] = field(default_factory=set)
    notes: list[str] = field(default_factory=list)
    absence: str = ""
    counted: int = 0

    def __post_init__(self) -> None:
        self._about = _document()["tables"][self.id]
        self.columns = [self._column(id_, *row) for id_, row in self._about["columns"].items()]

    @property
    def lang(self) -> str:
        return self.figures.lang

    def word(self, name: str, **facts: str) -> str:
        return word(name, self.lang, **facts)

    def _column(self, id_: str, zh: str, en: str, kind: str, width: int) -> Column:
        return Column(id_, zh if self.figures.lang == "zh" else en, kind, width)

    def insert(self, before: str, columns: Iterable[Column]) -> None:
        """Put columns before the one called `before`, or last where there is none of that name."""
        ids = [column.id for column in self.columns]
        place = ids.index(before) if before in ids else len(ids)
        self.columns[place:place] = columns

    def append(self, id_: str, title: str, kind: str, width: int) -> None:
        """Put a column last."""
        self.columns.append(Column(id_, title, kind, width))

    def cited(self, source: str, key: Key, column: str, text: str, value: float) -> Cell:
        """Return the cell of a number that is of no query, and note where it is from."""
        return Cell(self.figures.cite(source, key, column, text), value)

    def drop(self, *ids: str) -> None:
        """Take columns out."""
        self.columns = [column for column in self.columns if column.id not in ids]

    def add(self, cells: Mapping[str, Cell | str], is_sum: bool = False) -> None:
        """Add a row of cells by column; what is not named is empty. Ordinals count by themselves."""
        row = [self._cell(column, cells.get(column.id, "")) for column in self.columns]
        if is_sum:
            self.sums.add(len(self.rows))
        self.rows.append(row)

    def _cell(self, column: Column, given: Cell | str) -> Cell:
        if column.kind == "ordinal" and given == "+":
            self.counted += 1
            text = self.figures.cite("tables", (self.id,), "no", str(self.counted))
            return Cell(text, self.counted)
        return given if isinstance(given, Cell) else Cell(given)

    def figure(
        self,
        query: str,
        key: Key,
        column: str = "area_m2",
        unit: str = "ha",
        decimals: int = 2,
        within: Sequence[str] | None = None,
    ) -> Cell:
        """Return the cell of a figure; a dash where no row has its key."""
        if not self.figures.matching(query, key):
            return Cell(self.word("none"))
        said = self.figures.said(query, key, column, unit, decimals, within)
        return Cell(said.text, said.number, said)

    def count(self, query: str, key: Key, column: str) -> Cell:
        return self.figure(query, key, column, "个", 0)

    def quote(self, query: str, key: Key, column: str) -> Cell:
        """Return the cell of a text of the result."""
        return Cell(self.figures.quote(query, key, column))

    def zone(self, code: str, status: str) -> str:
        return zone_title(self.figures, code, status)

    def joined(self, texts: Iterable[str]) -> str:
        return self.word("separator").join(dict.fromkeys(text for text in texts if text))

    def table(self, *notes: str) -> Table:
        """Return the table, with the note of its family and `notes`."""
        about = self._about
        said = [self.word(name) for name in about["notes"]] + [*self.notes, *notes]
        return Table(
            *(self.id, about["title_zh"], about["title_en"], about["family"], about["unit"]),
            columns=tuple(self.columns),
            rows=self.rows,
            note="".join(said) if self.lang == "zh" else " ".join(said),
            sums=frozenset(self.sums),
            absence=self.absence if not self.rows else "",
            long=about["long"],
            lang=self.lang,
        )


def zone_keys(figures: Figures) -> list[tuple[str, str]]:
    """Return (zone, status) that occur, by rank, the confirmed before the pending."""
    found = {(row["zone"], row["status"]) for row in figures.rows("zones")}
    order = {code: number for number, code in enumerate(figures.table.zones)}
    return sorted(found, key=lambda key: (order.get(key[0], len(order)), key[0], key[1] == PENDING))


def zone_title(figures: Figures, code: str, status: str) -> str:
    """Return the name of a zone, marked where it is pending."""
    return figures.zone(code) + (word("pending", figures.lang) if status == PENDING else "")


def _zone_columns(sheet: _Sheet) -> list[Column]:
    return [
        Column(f"{zone}:{status}", sheet.zone(zone, status), "area", 14)
        for zone, status in zone_keys(sheet.figures)
    ]


def _has_mask(sheet: _Sheet) -> bool:
    return sheet.figures.provided("land_mask")


def _district_names(sheet: _Sheet, query: str, key: Key) -> str:
    """Return the names of the districts of the rows of a query."""
    found = {row["district_code"]: row["district_name"] for row in sheet.figures.matching(query, key)}
    return sheet.joined(_district(sheet, code, found[code]) for code in sorted(found))


def _district(sheet: _Sheet, code: str, name: str | None) -> str:
    if not code:
        return sheet.word("outside")
    return sheet.figures.cite("districts", (code, None), "district_name", name or code)


# --- T1, T2: what was given, and the indicators ----------------------------------------------------


def _inputs(sheet: _Sheet) -> Table:
    for row in sheet.figures.rows("inputs"):
        key = (row["input"],)
        texts = {"layer": "layer", "version": "version", "approval": "approval_no", "date": "data_date"}
        cells: dict[str, Cell | str] = {
            name: sheet.quote("inputs", key, column) for name, column in {**texts, "crs": "crs"}.items()
        }
        numbers = {name: sheet.count("inputs", key, name) for name in ("count", "used")}
        area = sheet.figure("inputs", key)
        sheet.add({"no": "+", "role": sheet.figures.role(row["role"]), **cells, **numbers, "area": area})
    for role in sheet.figures.missing_roles():
        sheet.add({"no": "+", "role": sheet.figures.role(role), "layer": sheet.figures.absence(role)})
    return sheet.table()


def _indicators(sheet: _Sheet) -> Table:
    targets = sheet.figures.targets()
    for target in targets:
        year = sheet.figures.cite("targets", (target.year,), "year", str(target.year))
        title = f"{year}年目标" if sheet.lang == "zh" else f"Target {year}"
        sheet.columns.append(Column(f"target:{target.year}", title, "mixed", 12))
    goals = {f"target:{one.year}": Cell(_target(sheet, one.year, one.above_percent)) for one in targets}
    rate = "水土保持率" if sheet.lang == "zh" else "Soil and water conservation rate"
    sheet.add({"name": rate, "unit": sheet.figures.unit("%"), "now": _rate(sheet, "rate", ()), **goals})
    if not _has_mask(sheet) and not _no_rate(sheet):
        sheet.notes.append(sheet.word("rate_of_all"))
    for role in _INDICATORS:
        if role not in {one.id for one in roles.all_roles() if one.expected} and not sheet.figures.provided(
            role
        ):
            continue
        absence = sheet.figures.absence(role)
        now = Cell(absence) if absence else sheet.figure("roles", (role,))
        sheet.add({"name": sheet.figures.role(role), "unit": sheet.figures.unit("ha"), "now": now})
    return sheet.table()


def _target(sheet: _Sheet, year: int, percent: float) -> str:
    text = sheet.figures.cite("targets", (year,), "above_percent", f"{percent:.2f}")
    return sheet.word("above", value=text)


def _rate(sheet: _Sheet, query: str, key: Key) -> Cell:
    """Return the rate; where erosion of unknown tier counts, the lowest it can be as well."""
    absence = _no_rate(sheet)
    if absence:
        return Cell(absence)
    rate = sheet.figure(query, key, "percent", "%")
    if not sheet.figures.value(query, key, "unknown_m2"):
        return rate
    lowest = sheet.figures.say(query, key, "lowest_percent", "%")
    return Cell(sheet.word("lowest", value=rate.text, lowest=lowest))


def _no_rate(sheet: _Sheet) -> str:
    """Return what is missing for a rate: an extent that it is of, or the erosion on it.

    Erosion that was given and does not reach into the extent is no gap: the rate is then 100 %.
    """
    known = sheet.figures.absence("admin_extent")
    erosion = sheet.figures.state("soil_erosion")
    return known or (sheet.figures.absence("soil_erosion") if erosion in (MISSING, UNUSED) else "")


def _district_rates(sheet: _Sheet) -> Table:
    sheet.absence = _no_rate(sheet)
    rows = [] if sheet.absence else sheet.figures.rows("district_rate")
    for row in rows:
        key = (row["district_code"],)
        areas = {
            name: sheet.figure("district_rate", key, f"{name}_m2") for name in ("land", "eroded", "unknown")
        }
        rate = sheet.figure("district_rate", key, "percent", "%")
        sheet.add({"district": _district(sheet, key[0], row["district_name"]), **areas, "rate": rate})
    if rows:
        areas = {name: sheet.figure("rate", (), f"{name}_m2") for name in ("land", "eroded", "unknown")}
        rate = sheet.figure("rate", (), "percent", "%")
        sheet.add({"district": sheet.word("total"), **areas, "rate": rate}, is_sum=True)
    return sheet.table()


# --- T3, T4, T14 .. T16: areas that exclude one another ---------------------------------------------


def _district_zones(sheet: _Sheet) -> Table:
    sheet.insert("total", _zone_columns(sheet))
    split = _has_mask(sheet)
    if not split:
        sheet.drop("ground")
        sheet.notes.append(sheet.word("land_not_told"))
    for land in sheet.figures.keys("ground", "land"):
        _districts_of(sheet, land)
    if len(sheet.figures.rows("ground")) > 1:
        key = (None, None)
        sheet.add({"ground": sheet.word("total"), **_across(sheet, key, "zones")}, is_sum=True)
    return sheet.table()


def _districts_of(sheet: _Sheet, land: int) -> None:
    ground = sheet.word("land" if land else "sea")
    rows = [row for row in sheet.figures.rows("districts") if row["land"] == land]
    for row in rows:
        key = (row["district_code"], land)
        name = _district(sheet, row["district_code"], row["district_name"])
        sheet.add({"ground": ground, "district": name, **_across(sheet, key, "district_zone")})
    head = {"ground": ground, "district": sheet.word("subtotal" if _has_mask(sheet) else "total")}
    sheet.add({**head, **_across(sheet, (None, land), "zones")}, is_sum=True)
    shares = {
        f"{zone}:{status}": sheet.figure("zones", (zone, status, land), unit="%", within=("land",))
        for zone, status in zone_keys(sheet.figures)
    }
    whole = sheet.figure("zones", (None, None, land), unit="%", within=("land",))
    sheet.add({"ground": ground, "district": sheet.word("share"), **shares, "total": whole}, is_sum=True)


def _across(sheet: _Sheet, key: tuple[Any, Any], query: str) -> dict[str, Cell]:
    """Return the cells by zone, and their total, of (district, land)."""
    district, land = key
    cells = {}
    for zone, status in zone_keys(sheet.figures):
        place = (zone, status, land) if query == "zones" else (district, land, zone, status)
        cells[f"{zone}:{status}"] = sheet.figure(query, place)
    whole = (None, None, land) if query == "zones" else (district, land, None, None)
    return {**cells, "total": sheet.figure(query, whole)}


def _zone_sums(sheet: _Sheet) -> Table:
    if not _has_mask(sheet):
        sheet.drop("land", "sea")
        sheet.notes.append(sheet.word("land_not_told"))
    levels = {row["code"]: row for row in sheet.figures.table.document.get("control_levels", ())}
    for zone, status in zone_keys(sheet.figures):
        row = sheet.figures.table.zones.get(zone, {})
        level = sheet.figures.named(levels.get(row.get("gkdj"), {}))
        cells = _zone_cells(sheet, zone, status)
        sheet.add({"zone": sheet.zone(zone, status), "level": level, **cells})
    sheet.add({"zone": sheet.word("total"), **_zone_cells(sheet, None, None)}, is_sum=True)
    return sheet.table()


def _zone_cells(sheet: _Sheet, zone: str | None, status: str | None) -> dict[str, Cell]:
    return {
        "land": sheet.figure("zones", (zone, status, LAND)),
        "sea": sheet.figure("zones", (zone, status, SEA)),
        "total": sheet.figure("zones", (zone, status, None)),
        "share": sheet.figure("zones", (zone, status, None), unit="%"),
        "statutory": sheet.figure("zone_force", (zone, status, None, "statutory")),
        "proposed": sheet.figure("zone_force", (zone, status, None, "proposed")),
    }


def _three_lines(sheet: _Sheet) -> Table:
    combinations = {tuple(row[name] for name, _ in _LINES) for row in sheet.figures.rows("three_lines")}
    ordered = sorted(combinations, key=lambda bits: (sum(bits) or 9, [-bit for bit in bits]))
    columns = [Column("".join(map(str, bits)), _combined(sheet, bits), "area", 14) for bits in ordered]
    sheet.insert("total", columns)
    sheet.notes += _lines_missing(sheet)
    for zone, status in [*zone_keys(sheet.figures), (None, None)]:
        cells = {
            "".join(map(str, bits)): sheet.figure("three_lines", (zone, status, None, *bits))
            for bits in ordered
        }
        total = sheet.figure("three_lines", (zone, status, None, None, None, None))
        name = sheet.zone(zone, status) if zone else sheet.word("total")
        sheet.add({"zone": name, **cells, "total": total}, is_sum=zone is None)
    return sheet.table()


def _combined(sheet: _Sheet, bits: Sequence[int]) -> str:
    names = [sheet.word(name) for (name, _), bit in zip(_LINES, bits) if bit]
    if not names:
        return sheet.word("lines_none")
    return sheet.word("only", lines=names[0]) if len(names) == 1 else sheet.word("and").join(names)


def _lines_missing(sheet: _Sheet) -> list[str]:
    end = "。" if sheet.lang == "zh" else "."
    colon = "：" if sheet.lang == "zh" else ": "
    states = [(role, sheet.figures.absence(role)) for _, role in _LINES]
    return [f"{sheet.figures.role(role)}{colon}{absence}{end}" for role, absence in states if absence]


def _line_types(sheet: _Sheet) -> Table:
    sheet.insert("area", _zone_columns(sheet))
    for _, role in _LINES:
        absence = sheet.figures.absence(role)
        if absence:
            sheet.add({"line": sheet.figures.role(role), "tier": absence})
            continue
        known = roles.find(role)
        present = {row["tier"] for row in sheet.figures.matching("line_tiers", (role, None, None, None))}
        for tier in [tier for tier in (*known.tier_ids, roles.UNKNOWN) if tier in present]:
            cells = {
                f"{zone}:{status}": sheet.figure("line_tiers", (role, tier, zone, status))
                for zone, status in zone_keys(sheet.figures)
            }
            names = {"line": sheet.figures.role(role), "tier": sheet.figures.tier(role, tier)}
            sheet.add({**names, **cells, "area": sheet.figure("role_tiers", (role, tier))})
    return sheet.table()


def _land_use(sheet: _Sheet) -> Table:
    sheet.absence = sheet.figures.absence("landuse_status")
    if sheet.absence:
        return sheet.table()
    known = roles.find("landuse_status")
    present = set(sheet.figures.keys("landuse", "class"))
    classes = [one for one in (*known.tier_ids, roles.UNKNOWN, "several", "") if one in present]
    names = {"several": sheet.word("several"), "": sheet.word("unclassed")}
    titles = [names.get(one) or sheet.figures.tier("landuse_status", one) for one in classes]
    sheet.insert("total", [Column(f"use:{one}", title, "area", 13) for one, title in zip(classes, titles)])
    for zone, status in [*zone_keys(sheet.figures), (None, None)]:
        cells = {f"use:{one}": sheet.figure("landuse", (zone, status, None, one)) for one in classes}
        name = sheet.zone(zone, status) if zone else sheet.word("total")
        total = sheet.figure("landuse", (zone, status, None, None))
        sheet.add({"zone": name, **cells, "total": total}, is_sum=zone is None)
    return sheet.table()


def _by_unit(query: str, role: str) -> Callable[[_Sheet], Table]:
    """Return what makes the table of zones by the areas of a role (townships, small watersheds)."""

    def make(sheet: _Sheet) -> Table:
        sheet.absence = sheet.figures.absence(role)
        if sheet.absence:
            return sheet.table()
        sheet.insert("total", _zone_columns(sheet))
        units = sorted(sheet.figures.keys(query, "class"), key=lambda name: (name in ("", "several"), name))
        names = {"several": sheet.word("several"), "": sheet.word("unclassed")}
        for unit in [*units, None]:
            cells = {
                f"{zone}:{status}": sheet.figure(query, (zone, status, None, unit))
                for zone, status in zone_keys(sheet.figures)
            }
            name = sheet.word("total") if unit is None else names.get(unit)
            name = name or sheet.figures.cite(query, (None, None, None, unit), "class", unit)
            total = sheet.figure(query, (None, None, None, unit))
            sheet.add({"unit": name, **cells, "total": total}, is_sum=unit is None)
        return sheet.table()

    return make


# --- T5, T6, T10: areas by name --------------------------------------------------------------------


def _wanted(sheet: _Sheet, among: Sequence[str]) -> list[str]:
    """Return the roles of a table: those given, and those that a zoning expects."""
    expected = {role.id for role in roles.all_roles() if role.expected}
    return [role for role in among if sheet.figures.provided(role) or role in expected]


def _named_areas(sheet: _Sheet) -> Table:
    for role in _wanted(sheet, PROTECTED):
        _named_of(sheet, role)
    return sheet.table()


def _declared_areas(sheet: _Sheet) -> Table:
    for role in _wanted(sheet, DECLARED):
        _named_of(sheet, role)
    return sheet.table()


def _named_of(sheet: _Sheet, role: str) -> None:
    """Add the areas of a role by name and tier, and what they cover together."""
    kind = sheet.figures.role(role)
    absence = sheet.figures.absence(role)
    if absence:
        sheet.add({"no": "+", "kind": kind, "name": absence})
        return
    found = sheet.figures.matching("named", (role, None, None, None))
    for name in dict.fromkeys(row["name"] for row in found):
        _tiers_of(sheet, role, name, [row["tier"] for row in found if row["name"] == name])
    areas = {id_: sheet.figure("roles", (role,), f"{id_}_m2") for id_ in ("area", "sea", "pending")}
    head = {"kind": kind, "name": sheet.word("subtotal"), "tier": sheet.word("without")}
    sheet.add({**head, **areas}, is_sum=True)


def _tiers_of(sheet: _Sheet, role: str, name: str, present: Sequence[str]) -> None:
    known = roles.find(role)
    tiers = [tier for tier in (*known.tier_ids, roles.UNKNOWN) if tier in present]
    for tier in [*tiers, *sorted(set(present) - set(tiers))]:
        key = (role, name, tier, None)
        areas = {id_: sheet.figure("named", key, f"{id_}_m2") for id_ in ("area", "sea", "pending")}
        sheet.add(
            {
                "no": "+",
                "kind": sheet.figures.role(role),
                "name": sheet.figures.cite("named", key, "name", name),
                "tier": sheet.figures.tier(role, tier),
                "district": _district_names(sheet, "named", key),
                "approval": _approval(sheet, role),
                "measures": _cited_measures(sheet, measures_of(sheet.figures, role, tier)),
                **areas,
            }
        )


def _approval(sheet: _Sheet, role: str) -> str:
    rows = [row for row in sheet.figures.rows("inputs") if row["role"] == role]
    numbers = [sheet.figures.quote("inputs", (row["input"],), "approval_no") for row in rows]
    return sheet.joined(numbers) or sentence(f"figures.{MISSING}", {}, sheet.lang)


def measures_of(figures: Figures, role: str, tier: str) -> list[str]:
    """Return the measures that rules lay on a tier of a role by itself, whatever else lies there."""
    counts = figures.table.document.get("tiers", {}).get("unknown_counts_as", {})
    held = counts.get(role, tier) if tier == roles.UNKNOWN else tier
    found: set[str] = set()
    for row in figures.table.rules.values():
        conditions = [*row.get("any_of", ()), *row.get("all_of", ())]
        alone = not row.get("all_of") or {one["role"] for one in conditions} == {role}
        if alone and any(_holds(one, role, held) for one in conditions):
            found.update(row["measures"])
    return sorted(found & set(figures.table.measures))


def _holds(condition: Mapping[str, Any], role: str, tier: str) -> bool:
    return condition["role"] == role and (condition["tiers"] is None or tier in condition["tiers"])


def _cited_measures(sheet: _Sheet, ids: Iterable[str]) -> str:
    return sheet.joined(sheet.figures.cite("decision_table", ("measures", id_), "id", id_) for id_ in ids)


def _coverage(sheet: _Sheet) -> Table:
    for role in _wanted(sheet, PROTECTED):
        kind, absence = sheet.figures.role(role), sheet.figures.absence(role)
        if absence:
            sheet.add({"kind": kind, "name": absence})
        for row in sheet.figures.matching("coverage", (role, None)):
            key = (role, row["name"])
            cells = {"kind": kind, "name": sheet.figures.cite("coverage", key, "name", row["name"])}
            sheet.add({**cells, "area": sheet.figure("coverage", key), **_covered(sheet, key)})
    return sheet.table()


def _covered(sheet: _Sheet, key: Key) -> dict[str, Cell]:
    cells = {}
    for line, role in _LINES:
        absence = sheet.figures.absence(role)
        cells[line] = Cell(absence) if absence else sheet.figure("coverage", key, f"{line}_m2")
        share = Cell(sheet.word("none")) if absence else sheet.figure("coverage", key, f"{line}_percent", "%")
        cells[f"{line}_share"] = share
    return cells


# --- T7, T8: conflicts and proposals ---------------------------------------------------------------


def absences(figures: Figures) -> list[str]:
    """Return the kinds of conflict that are an absence from the red line: what is proposed for it."""
    kinds = figures.table.conflicts.items()
    lacking = {id_: {one["role"] for one in row.get("none_of", ())} for id_, row in kinds}
    return sorted(id_ for id_, names in lacking.items() if "ecological_redline" in names)


def _proposed(sheet: _Sheet) -> Table:
    """Make the list of candidates as HXJY and HXLZ have it: proposed ones first, then those withdrawn."""
    sheet.absence = sheet.figures.absence("ecological_redline")
    if sheet.absence and sheet.figures.state("ecological_redline") == MISSING:
        return sheet.table()
    kinds = set(absences(sheet.figures))
    for one in sorted(screened(sheet.figures), key=lambda one: not one.proposed):
        sheet.add({"no": "+", **_candidate(sheet, one)})
    if not kinds & set(unseen(sheet.figures)):
        sheet.absence = sheet.absence or sentence("figures.empty", {}, sheet.lang)
    return sheet.table(*_unseen(sheet, kinds))


def screened(figures: Figures) -> list[proposals.Proposal]:
    """Return the candidates for the red line; the polygons of a result are read only where there are any."""
    kinds = set(absences(figures))
    if not any(kinds & set((row["conflicts"] or "").split(";")) for row in figures.rows("conflict_ground")):
        return []
    return proposals.of_result(figures.result, figures.order)


def _candidate(sheet: _Sheet, one: proposals.Proposal) -> dict[str, Cell | str]:
    figures, ids = sheet.figures, one.kept | one.deducted
    law = figures.law("conflicts", one.kind, "name")
    said = (law, one.methods[sheet.lang], one.reasons[sheet.lang])
    end = "；" if sheet.lang == "zh" else "; "
    what = one.behind
    place = ("proposals", min(ids))
    return {
        "name": figures.cite("screening", place, "name", _called(what) or law),
        "kind": _role_and_tier(sheet, what.role, what.tier) if what else "",
        "district": _district(sheet, one.district_code, one.district_name),
        "whole": sheet.figure("conflict_pieces", (ids,)),
        "area": sheet.figure("conflict_pieces", (one.kept,)) if one.proposed else Cell(sheet.word("none")),
        "verdict": sheet.word(f"verdict_{one.verdict}"),
        "reason": figures.cite("screening", place, "reason", end.join(filter(None, said))),
    }


def _called(feature: Feature | None) -> str:
    return "" if feature is None else feature.name or feature.source_id


def _feature(sheet: _Sheet, key: Key, side: str) -> str:
    """Return the name of one side of a conflict, its identifier where it has none."""
    return sheet.figures.quote("conflict_list", key, f"name_{side}") or sheet.figures.quote(
        "conflict_list", key, f"source_{side}"
    )


def _what(sheet: _Sheet, row: Mapping[str, Any], side: str) -> str:
    """Return role and tier of one side of a conflict; "" where it has no such side."""
    role, tier = row[f"role_{side}"], row[f"tier_{side}"]
    return _role_and_tier(sheet, role, tier) if role else ""


def _role_and_tier(sheet: _Sheet, role: str, tier: str) -> str:
    known = roles.find(role)
    several = known is not None and len(known.tiers) > 1 and tier
    name = sheet.figures.role(role)
    return sheet.word("detailed", what=name, detail=sheet.figures.tier(role, tier)) if several else name


def _districts_in(sheet: _Sheet, row: Mapping[str, Any]) -> str:
    names = {one["district_code"]: one["district_name"] for one in sheet.figures.rows("districts")}
    codes = (row["districts"] or "").split(";")
    return sheet.joined(_district(sheet, code, names.get(code)) for code in codes if code)


def _conflict_kinds(sheet: _Sheet) -> Table:
    for row in sheet.figures.rows("conflict_kinds"):
        key = (row["kind"],)
        law = {name: sheet.figures.law("conflicts", row["kind"], name) for name in ("name", "basis")}
        sheet.add(
            {
                "kind": sheet.quote("conflict_kinds", key, "kind"),
                "severity": sheet.word(f"conflict_{row['severity']}"),
                "regions": sheet.count("conflict_kinds", key, "regions"),
                "area": sheet.figure("conflict_kinds", key),
                "settling": sheet.figures.law("conflicts", row["kind"], "settling_rule"),
                **law,
            }
        )
    return sheet.table(*_unseen(sheet, sheet.figures.table.conflicts))


def _unseen(sheet: _Sheet, among: Iterable[str]) -> list[str]:
    """Return what to say of conflicts that could not be looked for; nothing found is no clearance then."""
    lacking, asked = unseen(sheet.figures), sorted(among)
    kinds = [
        sheet.figures.cite("decision_table", ("conflicts", id_), "id", id_) for id_ in asked if id_ in lacking
    ]
    nothing = (
        sentence(f"figures.{MISSING}", {}, sheet.lang)
        if len(kinds) == len(asked)
        else sheet.word("none_found")
    )
    sheet.absence = sheet.absence or nothing
    return [sheet.word("not_evaluable", kinds=sheet.joined(kinds))] if kinds else []


def unseen(figures: Figures) -> list[str]:
    """Return the kinds of conflict that cannot be looked for with the layers given."""
    given = [row["role"] for row in figures.rows("inputs")]
    return sorted({*rules.not_evaluable(figures.table, given), *_without_roles(figures, given)})


def _without_roles(figures: Figures, given: Sequence[str]) -> list[str]:
    """Return the conflicts one side of which has no layer at all."""
    rows = figures.table.conflicts.items()
    return [id_ for id_, row in rows if not _can_be_seen(row, set(given))]


def _can_be_seen(row: Mapping[str, Any], given: set[str]) -> bool:
    """Return whether the layers given can show a conflict of this kind."""
    all_of = {one["role"] for one in row.get("all_of", ())}
    any_of = {one["role"] for one in row.get("any_of", ())}
    several = row.get("roles_at_least", {"of": (), "at_least": 0})
    tiers = row.get("distinct_tiers_at_least")
    return (
        all_of <= given
        and (not any_of or bool(any_of & given))
        and len(given.intersection(several["of"])) >= several["at_least"]
        and (tiers is None or tiers["role"] in given)
    )


def _conflict_list(sheet: _Sheet) -> Table:
    for row in sheet.figures.rows("conflict_list"):
        key = (row["conflict_id"],)
        sides = {side: _side(sheet, row, key, side) for side in ("a", "b")}
        sheet.add(
            {
                "no": "+",
                "id": sheet.quote("conflict_list", key, "conflict_id"),
                "name": sheet.figures.law("conflicts", row["kind"], "name"),
                **sides,
                "district": _districts_in(sheet, row),
                "area": sheet.figure("conflict_list", key),
                "settling": sheet.figures.law("conflicts", row["kind"], "settling_rule"),
            }
        )
    return sheet.table(*_unseen(sheet, sheet.figures.table.conflicts))


def _side(sheet: _Sheet, row: Mapping[str, Any], key: Key, side: str) -> str:
    what = _what(sheet, row, side)
    return f"{what} {_feature(sheet, key, side)}".strip() if what else ""


# --- T9, T13: measures and projects ----------------------------------------------------------------


def _measures(sheet: _Sheet) -> Table:
    for zone in dict.fromkeys(zone for zone, _ in zone_keys(sheet.figures)):
        sets = [row["measures"] for row in sheet.figures.matching("zone_measures", (zone, None))]
        for id_ in sorted({one for joined in sets for one in joined.split(";") if one}):
            key = (zone, frozenset(joined for joined in sets if id_ in joined.split(";")))
            sheet.add(
                {
                    "zone": sheet.figures.zone(zone),
                    **_measure(sheet, id_),
                    "area": sheet.figure("zone_measures", key),
                }
            )
    return sheet.table()


def _measure(sheet: _Sheet, id_: str) -> dict[str, str]:
    row = sheet.figures.table.measures.get(id_, {})
    said = {name: sheet.figures.law("measures", id_, name) for name in ("text", "department", "basis")}
    kind = rule_words.write_word("kind", row["kind"], sheet.lang) if row else ""
    return {"id": sheet.figures.cite("decision_table", ("measures", id_), "id", id_), "kind": kind, **said}


def _projects(sheet: _Sheet) -> Table:
    sheet.absence = sheet.figures.absence("planned_construction")
    found = sheet.figures.rows("projects")
    order = {key: number for number, key in enumerate(zone_keys(sheet.figures))}
    groups: dict[tuple[Any, ...], list[Mapping[str, Any]]] = {}
    for row in sorted(
        found, key=lambda row: (row["project"], order[row["zone"], row["status"]], row["grade"])
    ):
        groups.setdefault((row["project"], row["zone"], row["status"], row["grade"]), []).append(row)
    for (project, zone, status, grade), rows in groups.items():
        key = (project, zone, status, grade, None)
        tier = rows[0]["tier"]
        sheet.add(
            {
                "no": "+",
                "project": sheet.figures.cite("projects", key, "project", project),
                "kind": sheet.figures.tier("planned_construction", tier),
                "zone": sheet.zone(zone, status),
                "area": sheet.figure("projects", key),
                "grade": sheet.word(f"grade_{grade}"),
                **_asked(sheet, tier, rows),
            }
        )
    return sheet.table()


def _asked(sheet: _Sheet, tier: str, rows: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Return what is asked of a project on this ground: to avoid it or not, and by what measures."""
    areas: dict[str, int] = {}
    for row in rows:
        for id_ in filter(sheet.figures.table.measures.__contains__, row["measures"].split(";")):
            areas[id_] = areas.get(id_, 0) + round(row["area_m2"] * 100)
    told = siting.advice(sheet.figures.table, PROJECT_KINDS.get(tier, siting.PROJECT), areas)
    return {"siting": sheet.figures.named(told[0]), "measures": _cited_measures(sheet, sorted(areas))}


# --- T11, T12: quality and adjustment --------------------------------------------------------------


def _quality(sheet: _Sheet, quality: Quality | None) -> Table:
    sheet.absence = sheet.word("quality_none")
    for row in quality or ():
        code = str(row["code"])
        counts: dict[str, Cell | str] = {
            name: _given(sheet, code, name, int(row[name])) for name in ("count", "accepted")
        }
        if not row.get("checked", True):
            counts = {"count": sheet.word("unchecked"), "accepted": sheet.word("none")}
        name = sheet.figures.cite("quality", (code,), "title", sheet.figures.named(row, "title"))
        severity = sheet.word(_SEVERITIES.get(str(row["severity"]), "info"))
        sheet.add(
            {
                "code": sheet.figures.cite("quality", (code,), "code", code),
                "name": name,
                "severity": severity,
                **counts,
            }
        )
    return sheet.table()


_SEVERITIES = {"E": "error", "W": "warning", "I": "info", "error": "error", "warning": "warning"}


def _given(sheet: _Sheet, code: str, name: str, count: int) -> Cell:
    return Cell(sheet.figures.cite("quality", (code,), name, str(count)), count)


def _adjustment(sheet: _Sheet) -> Table:
    empty = sentence("figures.empty", {}, sheet.lang)
    sheet.absence = sheet.figures.absence("admin_extent") or empty
    for row in sheet.figures.rows("adjustment"):
        key = (row["district_code"],)
        name = _district(sheet, row["district_code"], row["district_name"])
        code = sheet.quote("adjustment", key, "district_code")
        sheet.add({"district": name, "code": code, **_adjusted(sheet, key)})
    if sheet.rows:
        sheet.add({"district": sheet.word("total"), **_adjusted(sheet, (None,))}, is_sum=True)
    return sheet.table()


def _adjusted(sheet: _Sheet, key: Key) -> dict[str, Cell]:
    return {
        "control": sheet.figure("adjustment", key, "area_m2", "m2", 2),
        "raw": sheet.figure("adjustment", key, "raw_m2", "m2", 4),
        "change": sheet.figure("adjustment", key, "change_m2", "m2", 4),
    }


_MAKERS: dict[str, Callable[[_Sheet], Table]] = {
    "T1": _inputs,
    "T2": _indicators,
    "T2b": _district_rates,
    "T3": _district_zones,
    "T3b": _zone_sums,
    "T4": _three_lines,
    "T4b": _line_types,
    "T5": _named_areas,
    "T6": _declared_areas,
    "T7": _proposed,
    "T8": _conflict_kinds,
    "T8b": _conflict_list,
    "T9": _measures,
    "T10": _coverage,
    "T12": _adjustment,
    "T13": _projects,
    "T14": _land_use,
    "T15": _by_unit("townships", "township"),
    "T16": _by_unit("watersheds", "small_watershed"),
    "T17": evaluated.by_rule,
    "T17b": evaluated.parameter_sets,
    "T17c": evaluated.methods,
}
