# SPDX-License-Identifier: GPL-2.0-or-later
"""Map sheets on paper: which there are, what each draws, and every word that stands on them.

Sheets are data, ``resources/chapter/sheets.json``. Only the standard library is imported; drawing is done
in QGIS. What nobody said stays an empty slot; a layer that was not given is named.
"""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from swc_zoning.engine import cells, geopackage, roles
from swc_zoning.engine.chapter.figures import full_width
from swc_zoning.engine.messages import SwcError, sentence
from swc_zoning.engine.submission import schemas
from swc_zoning.engine.submission.order import Order, named
from swc_zoning.paths import resource

#: Layers of the GeoPackage that `themes` makes for the sheets.
ZONES, MEASURES, PROPOSALS = "zones", "measures", "proposals"
FEATURES, NAMES, DISTRICTS, BORDERS = "features", "names", "districts", "borders"
DISTRICT_NAMES, OUTLINES, SEA = "district_names", "outlines", "sea"
#: A patch smaller than this on paper (mm2) cannot be told on a sheet.
SMALLEST_MM2 = 4.0
#: Where a title is to be broken if it is too long; nothing to be seen.
BREAK = "\u200b"
#: Signs of Chinese in a line of a name on a map, and of Latin.
_LINE_WIDE, _LINE_NARROW = 10, 20
#: From here on signs are Chinese: as wide as high, and lines may end between them.
WIDE = "\u2e80"
_NARROW_EM = 0.55
#: Signs that stand at no end and at no beginning of a line.
_NOT_LAST, _NOT_FIRST = "（《「『“‘(", "，。、；：！？）》」』”’％,.;:!?)%"
#: Longest name of a place in a name of a file.
_NAME_IN_FILE = 30
#: First digits of scales that can be read off a sheet.
_ROUND = (1, 1.2, 1.5, 2, 2.5, 3, 3.5, 4, 4.5, 5, 6, 7, 8, 9, 10)
_NEWS = "、"


@dataclass(frozen=True)
class Theme:
    """Something a sheet draws: features of `role`, or a `kind` the run made (zones, measures, proposals).

    `needed`: named where no layer of the role was given; `named`: features carry their names; `look` ""
    or "over" (lines and hatches only); `dots`: patches too small to be seen are dots; `needs`: roles that
    what is drawn is made from.
    """

    kind: str
    role: str
    needed: bool
    named: bool
    pale: bool
    dots: bool
    look: str
    needs: tuple[str, ...]


@dataclass(frozen=True)
class Sheet:
    """A sheet: `filled` draws districts as faces; `by_district` it can also be made of each district."""

    id: str
    title_zh: str
    title_en: str
    filled: bool
    by_district: bool
    themes: tuple[Theme, ...]

    def title(self, lang: str) -> str:
        """Return its title in "zh" or "en"."""
        return self.title_zh if lang == "zh" else self.title_en


@lru_cache(maxsize=1)
def sheets() -> tuple[Sheet, ...]:
    """Return the sheets of ``resources/chapter/sheets.json`` in their order."""
    document = json.loads(resource("chapter", "sheets.json").read_text(encoding="utf-8"))
    return tuple(_sheet(row) for row in document["sheets"])


def _sheet(row: Mapping[str, Any]) -> Sheet:
    drawn = tuple(_theme(one) for one in row["themes"])
    filled = row.get("districts") == "filled"
    return Sheet(row["id"], row["title_zh"], row["title_en"], filled, bool(row.get("by_district")), drawn)


def _theme(row: Mapping[str, Any]) -> Theme:
    return Theme(
        kind=row.get("kind", FEATURES),
        role=row.get("role", ""),
        needed=bool(row.get("needed")),
        named=bool(row.get("named")),
        pale=bool(row.get("pale")),
        dots=bool(row.get("dots")),
        look=row.get("look", ""),
        needs=tuple(row.get("needs", ())),
    )


def roles_shown() -> set[str]:
    """Return the roles whose features are drawn on some sheet."""
    return {theme.role for sheet in sheets() for theme in sheet.themes if theme.role}


def roles_over() -> set[str]:
    """Return the roles that some sheet draws as lines over something else."""
    return {theme.role for sheet in sheets() for theme in sheet.themes if theme.look == "over"}


def roles_named() -> set[str]:
    """Return the roles whose features carry their names on some sheet."""
    return {theme.role for sheet in sheets() for theme in sheet.themes if theme.named}


# --- the result on paper ---------------------------------------------------------------------------


@dataclass(frozen=True)
class District:
    """A district of a result."""

    code: str
    name: str


@dataclass(frozen=True)
class Papers:
    """What is known of a result and of the order, for the words on its sheets.

    `order` None: nobody said anything. `public`: neither graticule nor coordinates.
    """

    summary: Mapping[str, Any]
    districts: tuple[District, ...]
    order: Order
    schema: schemas.Schema
    lang: str
    public: bool

    @property
    def given(self) -> frozenset[str]:
        """Return the roles of which a layer was given."""
        return frozenset(row["role"] for row in self.summary["inputs"])

    @property
    def mark(self) -> str:
        """Return the mark across a sheet: that of the stage, "" once the plan is approved."""
        stage = self.schema.stages[self.order.stage]
        return stage.mark_zh if self.lang == "zh" else stage.mark_en

    def crs(self, description: str) -> str:
        """Return the words on the coordinate system; `description` is what QGIS calls it."""
        authority = str(self.summary["crs"])
        rows = json.loads(resource("crs.json").read_text(encoding="utf-8"))["three_degree"]
        zone = next((row for row in rows if row["crs"] == authority), None)
        if zone is None:
            return self.text("crs", name=f"{description} ({authority})")
        name = self.text("crs_meridian", meridian=zone["meridian"], authid=authority)
        return self.text("crs", name=name)

    def text(self, code: str, **facts: Any) -> str:
        """Return a sentence of the room ``maps`` in the language of the sheets."""
        return sentence(f"maps.{code}", facts, self.lang)


def papers(result: Path, order: Order | None, lang: str, public: bool) -> Papers:
    """Return what the words on the sheets of a result folder come from.

    Without an order all its slots stay empty. Raises SwcError ``written.no_result``, ``order.no_name``,
    ``order.no_code`` and what `geopackage.opened` raises.
    """
    summary = _summary(result)
    districts = tuple(_districts(result / "zoning.gpkg"))
    schema = schemas.load(order.profile if order else "national")
    whole = named(order, schema, [one.code for one in districts]) if order else Order()
    return Papers(summary, districts, whole, schema, lang, public)


def _summary(result: Path) -> Mapping[str, Any]:
    try:
        document = json.loads((result / "summary.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SwcError("written.no_result", path=str(result)) from error
    if not isinstance(document, dict) or "content_sha256" not in document:
        raise SwcError("written.no_result", path=str(result))
    return document


def _districts(path: Path) -> Iterator[District]:
    rows = geopackage.read_sums(path, "zones", ("district_code", "district_name"), ())
    for row in sorted(rows, key=lambda one: (one["district_code"] or "", one["district_name"] or "")):
        yield District(row["district_code"] or "", row["district_name"] or "")


# --- words -----------------------------------------------------------------------------------------


def words(paper: Papers, sheet: Sheet, district: District | None = None) -> dict[str, str]:
    """Return the text of every label of a sheet by its item id, for the city or one district."""
    order = paper.order
    return {
        "title": _title(paper, sheet, district),
        "plan": order.plan_name,
        "sheet_no": paper.text("sheet_no", number=_number(sheet, district)),
        "stage": paper.mark,
        "mark": paper.mark,
        "secrecy": _secrecy(paper),
        "review": paper.text("review", number=order.review_no or paper.text("slot")),
        "compiler": paper.text("compiler", name=order.compiler or paper.text("slot")),
        "date": paper.text("date", date=_day(order.date) or paper.text("slot")),
        "legend_title": paper.text("legend_title"),
        "data_date": paper.text("data_date", dates=_data_dates(paper, sheet)),
        "basis": _basis(paper),
        "missing": _missing_words(paper, sheet),
        "absent": paper.text("missing_short") if _is_blank(paper, sheet) else "",
    }


def _title(paper: Papers, sheet: Sheet, district: District | None) -> str:
    name = (district.name or district.code) if district else paper.order.name
    if not name:
        return sheet.title(paper.lang)
    return paper.text("title", name=name + BREAK, title=sheet.title(paper.lang))


def _number(sheet: Sheet, district: District | None) -> str:
    return f"{sheet.id}-{district.code}" if district else sheet.id


def _secrecy(paper: Papers) -> str:
    if paper.public:
        return paper.text("public")
    return paper.text("secrecy", secrecy=paper.order.secrecy or paper.text("slot"))


def _basis(paper: Papers) -> str:
    """Return which decision table the zones come from; one that is only proposed says so."""
    table = paper.summary["rules"]
    status = paper.text("table_proposed") if table["status"] == "proposed" else ""
    day = paper.summary["plan_date"] or paper.text("not_said")
    return paper.text("basis", profile=table["profile"], version=table["version"], status=status, date=day)


def _day(digits: str) -> str:
    return f"{digits[:4]}-{digits[4:6]}-{digits[6:]}" if len(digits) == 8 else digits


def roles_of(paper: Papers, sheet: Sheet) -> list[str]:
    """Return the roles that a sheet draws; what the run made of zones and measures is drawn from all."""
    shown: list[str] = []
    for theme in sheet.themes:
        if theme.kind == FEATURES:
            shown.append(theme.role)
        elif theme.kind == PROPOSALS:
            shown += theme.needs
        else:
            shown += [row["role"] for row in paper.summary["inputs"]]
    return list(dict.fromkeys(shown or [roles.extent_role().id]))


def _data_dates(paper: Papers, sheet: Sheet) -> str:
    shown = set(roles_of(paper, sheet))
    rows = [row for row in paper.summary["inputs"] if row["role"] in shown]
    dates = sorted({row["data_date"] for row in rows if row["data_date"]})
    if not dates:
        return paper.text("not_said")
    said = dates[0] if len(dates) == 1 else paper.text("span", first=dates[0], last=dates[-1])
    unsaid = any(not row["data_date"] for row in rows)
    return paper.text("partly_said", dates=said) if unsaid else said


def missing(paper: Papers, sheet: Sheet) -> list[str]:
    """Return the roles a sheet needs of which no layer was given."""
    needed: list[str] = []
    for theme in sheet.themes:
        if theme.kind == FEATURES:
            needed += [theme.role] if theme.needed else []
        elif theme.kind == PROPOSALS:
            needed += theme.needs
        else:
            needed += [row["role"] for row in paper.summary["missing_roles"]]
    return [role for role in dict.fromkeys(needed) if role not in paper.given]


def _missing_words(paper: Papers, sheet: Sheet) -> str:
    lacking = missing(paper, sheet)
    if not lacking:
        return ""
    return paper.text("missing", names=joined(paper.lang, [role_name(role, paper.lang) for role in lacking]))


def _is_blank(paper: Papers, sheet: Sheet) -> bool:
    """Return whether a sheet has nothing to draw, as no layer of what it is about was given."""
    about = [theme for theme in sheet.themes if theme.needed or theme.kind != FEATURES]
    asked = [role for theme in about for role in (theme.needs or (theme.role,))]
    of_run = any(theme.kind in (ZONES, MEASURES) for theme in about)
    return bool(asked) and not of_run and not paper.given.intersection(asked)


def joined(lang: str, names: Sequence[str]) -> str:
    """Return names in a row."""
    return (_NEWS if lang == "zh" else ", ").join(names)


def role_name(role_id: str, lang: str) -> str:
    """Return the name of a role, of a free one its id."""
    role = roles.find(role_id)
    if role is None:
        return role_id
    return full_width(role.name_zh) if lang == "zh" else role.name_en


def tier_name(role_id: str, tier_id: str, lang: str) -> str:
    """Return the name of a tier; one that is not known is said to be so."""
    role = roles.find(role_id)
    tier = next((one for one in role.tiers if one.id == tier_id), None) if role else None
    if tier is None:
        return sentence("maps.tier_unknown", {}, lang) if tier_id in ("", "unknown") else tier_id
    return tier.name_zh if lang == "zh" else tier.name_en


def in_order(role_id: str, tiers: Sequence[str]) -> list[str]:
    """Return tiers in the order the role has them, others after."""
    role = roles.find(role_id)
    known = [tier.id for tier in role.tiers] if role else []
    return sorted(tiers, key=lambda tier: (known.index(tier) if tier in known else len(known), tier))


def file_name(paper: Papers, sheet: Sheet, district: District | None = None) -> str:
    """Return the name of the files of a sheet without ending, after the pattern of the submission."""
    order = paper.order
    head = (district.code, district.name) if district else (order.code, order.name)
    facts = {
        "code": head[0],
        "name": head[1][:_NAME_IN_FILE],
        "serial": sheet.id,
        "title": sheet.title(paper.lang),
    }
    made = paper.schema.naming["map"].format(**facts)
    return "".join("_" if char in '\\/:*?"<>|' or ord(char) < 32 else char for char in made).strip(" .")


# --- names on maps ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Lettered:
    """A name as a map has it: broken into lines; `ems` the width of the widest in its own size."""

    label: str
    ems: float
    lines: int


def lettered(name: str) -> Lettered:
    """Return a name in lines of like length: Chinese is broken anywhere, Latin at blanks."""
    wide = any(sign >= WIDE for sign in name)
    count = max(1, math.ceil(len(name) / (_LINE_WIDE if wide else _LINE_NARROW)))
    lines = broken(name, ems, max(ems(name) / count, 1.0) + (0.5 if wide else 3.0))
    return Lettered("\n".join(lines), max(map(ems, lines)), len(lines))


def ems(text: str) -> float:
    """Return about how wide a text is, in its own size."""
    return sum(1.0 if sign >= WIDE else _NARROW_EM for sign in text)


def broken(text: str, measure: Callable[[str], float], room: float) -> list[str]:
    """Return a text in lines that `measure` at most `room`, as far as its words allow."""
    lines = [""]
    for word in _breakable(text):
        if lines[-1] and measure((lines[-1] + word).rstrip()) > room:
            lines.append(word.lstrip())
        else:
            lines[-1] += word
    return [line.rstrip() for line in lines]


def _breakable(text: str) -> list[str]:
    """Return the parts of a text between which a line may end."""
    parts: list[str] = []
    for sign in text:
        if parts and _glued(parts[-1][-1], sign):
            parts[-1] += sign
        else:
            parts.append(sign)
    return parts


def _glued(last: str, sign: str) -> bool:
    if last in _NOT_LAST or sign in _NOT_FIRST or sign == " ":
        return True
    return last < WIDE and sign < WIDE and last != " "


# --- scale -----------------------------------------------------------------------------------------


def round_scale(denominator: float) -> int:
    """Return the next scale denominator that can be read off: two leading digits at most."""
    power = 10 ** math.floor(math.log10(denominator))
    return round(next(head for head in _ROUND if head * power >= denominator * (1 - 1e-9)) * power)


def smallest_m2(denominator: float) -> float:
    """Return the area of ground (m2) below which a patch is too small for a map of this scale."""
    return SMALLEST_MM2 * 1e-6 * denominator * denominator


def hectares(area_m2: float) -> str:
    """Return an area as a sheet prints it: hectares with two decimals."""
    return f"{area_m2 / 10_000:,.2f}"


def bar_length(denominator: float, width_mm: float) -> tuple[float, int]:
    """Return length in metres and number of the segments of a scale bar at most `width_mm` wide."""
    room = denominator * width_mm / 1000
    power = 10 ** math.floor(math.log10(room))
    head, count = next(pair for pair in ((5, 5), (2, 4), (1, 2)) if pair[0] * power <= room)
    return head * power / count, count


def csv_bytes(rows: Sequence[Sequence[Any]]) -> bytes:
    """Return rows as CSV in UTF-8 with its mark, each cell guarded against being run as a formula."""
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, lineterminator="\r\n")
    for row in rows:
        writer.writerow([cells.guarded(value) for value in row])
    return stream.getvalue().encode("utf-8-sig")
