# SPDX-License-Identifier: GPL-2.0-or-later
"""What a template of a document may say: the plan, zones, areas by name, measures, conflicts, projects.

A template is a user's file and runs in a sandbox: it sees public names of these classes only, none of
which reads or writes a file. Every number is a figure and stands in the ledger once it is said.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from swc_zoning.engine import roles, rule_words, siting
from swc_zoning.engine.chapter import evaluated, plans
from swc_zoning.engine.chapter import tables as chapter_tables
from swc_zoning.engine.chapter.figures import Figures, full_width
from swc_zoning.engine.messages import sentence
from swc_zoning.engine.submission import schemas

CONFIRMED, PENDING = "confirmed", "pending"
_STATUTORY, _PROPOSED = "statutory", "proposed"
#: Rows of the table of acts that are no published document.
_NO_DOCUMENT = frozenset({"precaution", "registration"})
_DIGITS = "零一二三四五六七八九"


def numeral(number: int) -> str:
    """Return a number from 1 to 9999 in Chinese."""
    text = ""
    for place, unit in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit = number // place % 10
        if digit:
            text += _DIGITS[digit] + unit
        elif text and not text.endswith("零") and number % place:
            text += "零"
    return text[1:] if text.startswith("一十") else text


def letter(number: int) -> str:
    """Return a, b, ... z, aa, ab ... for 1, 2, ..."""
    text = ""
    while number:
        number, rest = divmod(number - 1, 26)
        text = chr(ord("a") + rest) + text
    return text


def say(key: str, lang: str, **facts: str) -> str:
    """Return a sentence of the documents."""
    return sentence(f"documents.{key}", facts, lang)


def _bare(text: str) -> str:
    """Return a number of a paper without what its short form leaves out."""
    return text.replace(" ", "").replace("第", "")


@dataclass(frozen=True)
class Measure:
    """A measure of the decision table: what it asks, who sees to it, on what articles it rests."""

    id: str
    text: str
    kind: str
    department: str
    basis: str
    where: str = ""


@dataclass(frozen=True)
class Named:
    """An area by name: `tiers` are (name, hectares)."""

    name: str
    area: str
    pending: str
    districts: str
    tiers: list[tuple[str, str]]


@dataclass(frozen=True)
class Conflict:
    """A kind of conflict and how it is settled; `proposes` a patch for the red line."""

    id: str
    name: str
    severity: str
    word: str
    regions: str
    area: str
    settling: str
    basis: str
    proposes: bool


@dataclass(frozen=True)
class Target:
    """A target of the conservation rate; `met` is yes, no or open (nothing to judge it by)."""

    year: str
    percent: str
    met: str
    document: str


class Plan:
    """The plan as its order names it; what nobody said is an open place."""

    def __init__(self, figures: Figures, kind: str) -> None:
        self._figures = figures
        self._stage = schemas.load().stages[self._given("stage", "draft")]
        self.kind = say(f"kind_{kind}", figures.lang)

    def _given(self, name: str, default: str = "") -> str:
        return str(getattr(self._figures.order, name, "") or default)

    def _slot(self, name: str) -> str:
        text = self._given(name)
        return self._figures.cite("order", (), name, text) or say(f"open_{name}", self._figures.lang)

    def _day(self, name: str) -> str:
        text, lang = self._given(name), self._figures.lang
        if not re.fullmatch(r"\d{8}", text):
            return say(f"open_{name}", lang)
        year, month, day = text[:4], int(text[4:6]), int(text[6:])
        shown = f"{year}年{month}月{day}日" if lang == "zh" else f"{year}-{month:02d}-{day:02d}"
        return self._figures.cite("order", (), name, shown)

    @property
    def name(self) -> str:
        """The name of the plan, else the title of the result."""
        title = next((row["value"] for row in self._figures.rows("papers") if row["item"] == "title"), "")
        if self._given("plan_name") or not title:
            return self._slot("plan_name")
        return self._figures.quote("papers", ("title",), "value")

    @property
    def region(self) -> str:
        """The name of the city or district the plan is of."""
        return self._slot("name")

    @property
    def stage(self) -> str:
        """The name of the stage."""
        return self._figures.named(vars(self._stage))

    @property
    def mark(self) -> str:
        """The mark of the stage; none once it is approved."""
        return self._figures.named(vars(self._stage), "mark") if self._stage.mark_zh else ""

    @property
    def compiler(self) -> str:
        """Who made the plan."""
        return self._slot("compiler")

    @property
    def date(self) -> str:
        """When it was made."""
        return self._day("date")

    @property
    def secrecy(self) -> str:
        """How secret it is."""
        return self._slot("secrecy")

    @property
    def consulted(self) -> bool:
        """Whether the water authority answered, and by what paper."""
        return bool(self._given("consultation_no"))

    @property
    def consultation_no(self) -> str:
        """The number of the answer of the water authority."""
        return self._slot("consultation_no")

    @property
    def consultation_date(self) -> str:
        """The date of that answer."""
        return self._day("consultation_date")

    @property
    def approved(self) -> bool:
        """Whether an approval is named."""
        return bool(self._given("approval_no"))

    @property
    def approval_no(self) -> str:
        """The number of the approval."""
        return self._slot("approval_no")

    @property
    def approval_date(self) -> str:
        """The date of the approval."""
        return self._day("approval_date")


class Zone:
    """A control zone: its confirmed ground, and what is pending."""

    def __init__(self, words: Words, code: str) -> None:
        self._words, self.code = words, code
        figures = words._figures
        self._row: Mapping[str, Any] = figures.table.zones.get(code, {})
        self.name = figures.zone(code)

    @property
    def level(self) -> str:
        """The name of the level of control."""
        figures = self._words._figures
        levels = {row["code"]: row for row in figures.table.document.get("control_levels", ())}
        return figures.named(levels.get(self._row.get("gkdj"), {}))

    @property
    def is_pending(self) -> bool:
        """Whether ground of it is pending."""
        return bool(self._words._figures.value("zones", (self.code, PENDING, None), "area_m2"))

    @property
    def is_proposed(self) -> bool:
        """Whether ground of it is classed by proposal."""
        return bool(self._words._figures.value("zone_force", (self.code, None, None, _PROPOSED), "area_m2"))

    @property
    def criteria(self) -> list[str]:
        """What ground belongs to it, rule by rule, each with its force and basis."""
        rows = self._words._figures.table.rules.values()
        return [self._words._criterion(row) for row in rows if row["zone"] == self.code]

    def _ids(self) -> tuple[set[str], set[str]]:
        """Return the measures that occur in it: those of its own rules, and others."""
        figures = self._words._figures
        rows = figures.matching("zone_measures", (self.code, None))
        present = {id_ for row in rows for id_ in row["measures"].split(";") if id_}
        rules = [row for row in figures.table.rules.values() if row["zone"] == self.code]
        own = {id_ for row in rules for id_ in row["measures"]}
        return present & own, present - own

    @property
    def measures(self) -> list[Measure]:
        """The measures of its own rules that hold somewhere in it."""
        return self._words._measures(self._ids()[0])

    @property
    def others(self) -> list[str]:
        """The codes of further measures that hold somewhere in it."""
        return [measure.id for measure in self._words._measures(self._ids()[1])]


class Kind:
    """Areas of one role, by name."""

    def __init__(self, words: Words, role: str) -> None:
        self._words, self.role = words, role
        self.name = words._figures.role(role)
        self.absence = words._figures.absence(role)

    @property
    def area(self) -> str:
        """Hectares that they cover together, overlaps counted once."""
        return self._words.ha("roles", self.role)

    @property
    def approval(self) -> str:
        """The numbers by which they were declared or approved."""
        figures = self._words._figures
        rows = [row for row in figures.rows("inputs") if row["role"] == self.role]
        numbers = [figures.quote("inputs", (row["input"],), "approval_no") for row in rows]
        return self._words.join(numbers) or sentence("figures.missing", {}, figures.lang)

    @property
    def proposed(self) -> bool:
        """Whether an evaluation made them and nobody has declared them."""
        figures = self._words._figures
        rows = [row for row in figures.rows("inputs") if row["role"] == self.role]
        return bool(evaluated.of_figures(figures, self.role)) and not any(row["approval_no"] for row in rows)

    @cached_property
    def areas(self) -> list[Named]:
        """The areas, the largest first."""
        found = self._words._figures.matching("named_whole", (self.role, None))
        names = [row["name"] for row in sorted(found, key=lambda row: (-row["area_m2"], row["name"]))]
        return [self._named(name) for name in names]

    def _named(self, name: str) -> Named:
        figures = self._words._figures
        rows = figures.matching("named", (self.role, name, None, None))
        present = {row["tier"] for row in rows}
        districts = {row["district_code"]: row["district_name"] for row in rows}
        tiers = [
            (figures.tier(self.role, tier), self._words.ha("named", self.role, name, tier, None))
            for tier in _ordered(self.role, present)
        ]
        pending = figures.value("named_whole", (self.role, name), "pending_m2")
        return Named(
            name=figures.cite("named_whole", (self.role, name), "name", name),
            area=self._words.ha("named_whole", self.role, name),
            pending=figures.say("named_whole", (self.role, name), "pending_m2", "ha") if pending else "",
            districts=self._words.join(self._words._district(code, districts[code]) for code in districts),
            tiers=tiers,
        )

    @property
    def measures(self) -> list[Measure]:
        """The measures that rules set for them, each with the tiers it is for."""
        figures = self._words._figures
        present = {row["tier"] for row in figures.matching("named", (self.role, None, None, None))}
        where: dict[str, list[str]] = {}
        tiers = _ordered(self.role, present)
        for tier in tiers:
            for id_ in chapter_tables.measures_of(figures, self.role, tier):
                where.setdefault(id_, []).append(figures.tier(self.role, tier))
        shown = {
            id_: "" if len(names) == len(tiers) else self._words.join(names) for id_, names in where.items()
        }
        return self._words._measures(shown, shown)


def _ordered(role: str, present: Iterable[str]) -> list[str]:
    known = roles.find(role)
    order = (*known.tier_ids, roles.UNKNOWN) if known else ()
    return [tier for tier in order if tier in present] + sorted(set(present) - set(order))


class Words:
    """What a template may say beside the tables and charts; see `names`."""

    def __init__(self, figures: Figures, kind: str) -> None:
        self._figures, self._kind = figures, kind
        self._articles = self._sections = 0

    def names(self) -> dict[str, Any]:
        """Return what the names of a template stand for."""
        lists = ("zones", "unseen_zones", "protected", "declared", "conflicts", "targets", "acts", "maps")
        told = ("missing", "everywhere", "projects", "uncovered", "unknown_roles", "pressing")
        acts = ("ha", "km2", "share", "percent", "count", "join", "absence", "provided", "role", "tiers")
        told += ("evaluations",)
        more = ("article", "chapter", "section", "banned", "paper", "rules")
        return {
            "plan": Plan(self._figures, self._kind),
            **{name: getattr(self, name) for name in (*lists, *told, *acts, *more)},
        }

    # --- numbers -----------------------------------------------------------------------------------

    def ha(self, query: str, *key: Any, column: str = "area_m2") -> str:
        """Return hectares of a query."""
        return self._figures.say(query, key, column, "ha")

    def km2(self, query: str, *key: Any, column: str = "area_m2") -> str:
        """Return square kilometres of a query."""
        return self._figures.say(query, key, column, "km2")

    def share(self, query: str, *key: Any, within: Sequence[str] = ()) -> str:
        """Return the share of a query in the whole of it, or among rows alike in `within`, in percent."""
        return self._figures.say(query, key, "area_m2", "%", within=tuple(within))

    def percent(self, query: str, *key: Any, column: str = "percent") -> str:
        """Return a percentage of a query."""
        return self._figures.say(query, key, column, "%")

    def count(self, query: str, *key: Any, column: str = "count") -> str:
        """Return a count of a query."""
        return self._figures.say(query, key, column, "个")

    def article(self) -> str:
        """Return the number of the next article."""
        self._articles += 1
        return numeral(self._articles) if self._figures.lang == "zh" else str(self._articles)

    def chapter(self) -> str:
        """Begin a chapter: its sections count from one."""
        self._sections = 0
        return ""

    def section(self) -> int:
        """Return the number of the next section of a chapter."""
        self._sections += 1
        return self._sections

    def join(self, texts: Iterable[str]) -> str:
        """Return texts as a list in a sentence."""
        return chapter_tables.word("separator", self._figures.lang).join(text for text in texts if text)

    # --- what was given ----------------------------------------------------------------------------

    def provided(self, role: str) -> bool:
        """Return whether layers of a role were given."""
        return self._figures.provided(role)

    def absence(self, role: str) -> str:
        """Return what is said instead of a figure of a role, "" where it is given."""
        return self._figures.absence(role)

    def role(self, role: str) -> str:
        """Return the name of a role."""
        return self._figures.role(role)

    def tiers(self, role: str) -> list[tuple[str, str]]:
        """Return (id, name) of the tiers of a role that occur, in order."""
        present = {row["tier"] for row in self._figures.matching("role_tiers", (role, None))}
        return [(tier, self._figures.tier(role, tier)) for tier in _ordered(role, present)]

    @property
    def missing(self) -> list[str]:
        """The names of the roles that a zoning expects and that were not given."""
        return [self._figures.role(role) for role in self._figures.missing_roles()]

    @property
    def unknown_roles(self) -> list[str]:
        """The names of the roles whose layers could not be used."""
        given = dict.fromkeys(row["role"] for row in self._figures.rows("inputs"))
        return [self._figures.role(role) for role in given if self._figures.state(role) == "unused"]

    def paper(self, item: str) -> str:
        """Return a fact of the run: crs, plan_date, content_sha256 ..."""
        return self._figures.quote("papers", (item,), "value")

    @property
    def rules(self) -> dict[str, str]:
        """The decision table: title, version, status."""
        document = self._figures.table.document
        told = {"title": self._figures.named(document, "title"), "version": str(document["version"])}
        cited = {name: self._figures.cite("decision_table", (), name, text) for name, text in told.items()}
        return {**cited, "status": rule_words.write_word("status", document["status"], self._figures.lang)}

    # --- the decision table ------------------------------------------------------------------------

    @cached_property
    def zones(self) -> list[Zone]:
        """The zones that occur, by rank."""
        return [Zone(self, code) for code in dict.fromkeys(code for code, _ in self._zone_keys())]

    def _zone_keys(self) -> list[tuple[str, str]]:
        return chapter_tables.zone_keys(self._figures)

    @property
    def unseen_zones(self) -> list[dict[str, str]]:
        """The zones of the table that do not occur, each with what is lacking ("": nothing is)."""
        seen = {zone.code for zone in self.zones}
        return [
            {"name": self._figures.zone(code), "lacking": self.join(self._lacking(code))}
            for code in self._figures.table.zones
            if code not in seen
        ]

    def _lacking(self, code: str) -> list[str]:
        rows = [row for row in self._figures.table.rules.values() if row["zone"] == code]
        asked = {one["role"] for row in rows for part in ("any_of", "all_of") for one in row.get(part, ())}
        return [self._figures.role(role) for role in sorted(asked) if not self._figures.provided(role)]

    def _criterion(self, row: Mapping[str, Any]) -> str:
        """Return the condition of a rule in words."""
        lang, facts = self._figures.lang, {}
        for part in ("any_of", "all_of", "unless"):
            joint = "and" if part == "all_of" else "or"
            facts[part] = say(f"joint_{joint}", lang).join(map(self._condition, row.get(part, ())))
        held = say("joint_and", lang).join(filter(None, (facts["any_of"], facts["all_of"])))
        text = held or say("criterion_else", lang)
        text += say("criterion_unless", lang, what=facts["unless"]) if facts["unless"] else ""
        force = chapter_tables.word(row["force"], lang)
        basis = self._figures.law("rules", row["id"], "basis")
        return say("criterion", lang, text=text, force=force, basis=basis)

    def _condition(self, one: Mapping[str, Any]) -> str:
        name = self._figures.role(one["role"])
        if not one.get("tiers"):
            return name
        known = roles.find(one["role"])
        tiers = [tier for tier in one["tiers"] if tier != roles.UNKNOWN]
        if known and len(tiers) == len(known.tiers):
            return name
        told = self.join(self._figures.tier(one["role"], tier) for tier in tiers)
        return chapter_tables.word("detailed", self._figures.lang, what=name, detail=told)

    def _measures(self, ids: Iterable[str], where: Mapping[str, str] | None = None) -> list[Measure]:
        known = self._figures.table.measures
        return [self._measure(id_, (where or {}).get(id_, "")) for id_ in sorted(ids) if id_ in known]

    def _measure(self, id_: str, where: str) -> Measure:
        told = {name: self._figures.law("measures", id_, name) for name in ("text", "department", "basis")}
        kind = rule_words.write_word("kind", self._figures.table.measures[id_]["kind"], self._figures.lang)
        shown = self._figures.cite("decision_table", ("measures", id_), "id", id_)
        return Measure(id=shown, kind=kind, where=where, **{**told, "text": told["text"].rstrip("。.")})

    @property
    def everywhere(self) -> list[Measure]:
        """The measures of rules that hold on all ground."""
        rows = self._figures.table.rules.values()
        whole = [
            row
            for row in rows
            if row["zone"] is None and not any(row.get(part) for part in ("any_of", "all_of", "unless"))
        ]
        return self._measures({id_ for row in whole for id_ in row["measures"]})

    def banned(self, kind: str, status: str) -> list[Measure]:
        """Return the measures that occur and ban a kind of site; `status` verified or proposed."""
        present = {id_ for row in self._figures.rows("zone_measures") for id_ in row["measures"].split(";")}
        found = [
            id_
            for id_ in present & set(self._figures.table.measures)
            for ban in self._figures.table.measures[id_].get("bans", ())
            if ban["kind"] == kind and ban["status"] == status
        ]
        return self._measures(set(found))

    @property
    def acts(self) -> list[str]:
        """The papers that rows in force rest on, in the order of the table."""
        table = self._figures.table
        cited = {
            one["act"]
            for rows in (table.rules, table.measures, table.conflicts)
            for row in rows.values()
            for one in row["basis"]
            if not one.get("analogy")
        }
        cited |= {one["act"] for one in table.document.get("grade", {}).get("basis", ())}
        return [
            self._act(row)
            for id_, row in table.acts.items()
            if id_ in cited - _NO_DOCUMENT and self._in_force(row)
        ]

    def _in_force(self, row: Mapping[str, Any]) -> bool:
        day = self._figures.table.plan_date
        return (row.get("valid_from") or day) <= day <= (row.get("valid_to") or day)

    def _act(self, row: Mapping[str, Any]) -> str:
        """Return a paper with its number and the short name by which articles of it are cited."""
        figures, key = self._figures, ("acts", row["id"])
        told = {
            "title": figures.named(row, "title"),
            "number": row.get("number", ""),
            "short": row["short_zh"],
        }
        facts = {
            name: figures.cite("decision_table", key, name, full_width(text)) for name, text in told.items()
        }
        if _bare(facts["short"]) == _bare(facts["number"]):
            facts["number"] = ""
        if facts["short"] in (facts["title"], ""):
            return say("act_known", figures.lang, title=facts["title"])
        return say("act_numbered" if facts["number"] else "act", figures.lang, **facts)

    # --- areas by name -----------------------------------------------------------------------------

    def _kinds(self, among: Sequence[str]) -> list[Kind]:
        expected = {role.id for role in roles.all_roles() if role.expected}
        return [Kind(self, role) for role in among if self._figures.provided(role) or role in expected]

    @cached_property
    def protected(self) -> list[Kind]:
        """Water sources, reserves, parks, wetlands: those given, and those that a zoning expects."""
        return self._kinds(chapter_tables.PROTECTED)

    @cached_property
    def declared(self) -> list[Kind]:
        """The key prevention and treatment areas that were declared."""
        return self._kinds(chapter_tables.DECLARED)

    def _district(self, code: str, name: str | None) -> str:
        if not code:
            return chapter_tables.word("outside", self._figures.lang)
        return self._figures.cite("districts", (code, None), "district_name", name or code)

    # --- conflicts, projects, targets, maps -----------------------------------------------------------

    @cached_property
    def conflicts(self) -> list[Conflict]:
        """The kinds of conflict that occur, those to be changed first."""
        proposing = set(chapter_tables.absences(self._figures))
        order = ("error", "warn", "info")
        rows = sorted(
            self._figures.rows("conflict_kinds"), key=lambda row: (order.index(row["severity"]), row["kind"])
        )
        return [self._conflict(row, row["kind"] in proposing) for row in rows]

    @property
    def pressing(self) -> list[Conflict]:
        """The kinds of conflict that are to be changed."""
        return [one for one in self.conflicts if one.severity == "error"]

    def _conflict(self, row: Mapping[str, Any], proposes: bool) -> Conflict:
        figures, key = self._figures, (row["kind"],)
        law = {name: figures.law("conflicts", row["kind"], name) for name in ("name", "basis")}
        return Conflict(
            id=figures.quote("conflict_kinds", key, "kind"),
            severity=row["severity"],
            word=chapter_tables.word(f"conflict_{row['severity']}", figures.lang),
            regions=figures.say("conflict_kinds", key, "regions", "个"),
            area=figures.say("conflict_kinds", key, "area_m2", "ha"),
            settling=figures.law("conflicts", row["kind"], "settling_rule").rstrip("。."),
            proposes=proposes,
            **law,
        )

    @property
    def uncovered(self) -> list[str]:
        """The kinds of conflict that could not be looked for, for lack of layers."""
        figures = self._figures
        return [
            chapter_tables.word(
                "detailed",
                figures.lang,
                what=figures.law("conflicts", id_, "name"),
                detail=figures.cite("decision_table", ("conflicts", id_), "id", id_),
            )
            for id_ in chapter_tables.unseen(figures)
        ]

    @property
    def projects(self) -> list[dict[str, str]]:
        """The planned projects: name, hectares, and whether they are to be avoided (the strictest)."""
        return [self._project(row["project"]) for row in self._figures.rows("projects_whole")]

    def _project(self, name: str) -> dict[str, str]:
        figures = self._figures
        areas: dict[str, int] = {}
        rows = figures.matching("projects", (name, None, None, None, None))
        for row in rows:
            for id_ in filter(figures.table.measures.__contains__, row["measures"].split(";")):
                areas[id_] = areas.get(id_, 0) + round(row["area_m2"] * 100)
        kind = chapter_tables.PROJECT_KINDS.get(rows[0]["tier"], siting.PROJECT) if rows else siting.PROJECT
        told = siting.advice(figures.table, kind, areas)[0]
        return {
            "name": figures.cite("projects_whole", (name,), "project", name),
            "area": self.ha("projects_whole", name),
            "siting": figures.named(told),
        }

    @property
    def targets(self) -> list[Target]:
        """The targets of the conservation rate in the region."""
        return [self._target(one) for one in self._figures.targets()]

    def _target(self, one: Any) -> Target:
        figures = self._figures
        lacking = figures.absence("admin_extent") or not figures.provided("soil_erosion")
        met = "open"
        if not lacking and figures.state("soil_erosion") != "unused":
            rate = figures.rows("rate")[0]
            reached = {rate["percent"] > one.above_percent, rate["lowest_percent"] > one.above_percent}
            met = "open" if len(reached) == 2 else ("yes" if reached == {True} else "no")
        return Target(
            year=figures.cite("targets", (one.year,), "year", str(one.year)),
            percent=figures.cite("targets", (one.year,), "above_percent", f"{one.above_percent:.2f}"),
            met=met,
            document=figures.named(one.row, "document"),
        )

    @property
    def evaluations(self) -> list[evaluated.Evaluation]:
        """The layers of important areas that an evaluation made, and what is open in it."""
        return evaluated.told(self._figures)

    @property
    def maps(self) -> list[str]:
        """The titles of the map sheets."""
        return [self._figures.named(vars(sheet), "title") for sheet in plans.sheets()]
