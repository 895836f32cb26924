# SPDX-License-Identifier: GPL-2.0-or-later
"""The letter of a consultation (征求意见函) and the adoption table (意见采纳情况表) as docx.

Layout after the practice of official documents (GB/T 9704): A4, title, document number, addressees flush
left, body in 16 pt, list of annexes, signature and date at the right. Numbers come from the result; what no
data hold stays an open place, never a guess. Sentences are in ``resources/messages/consultation.json``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from swc_zoning import vendored
from swc_zoning.engine import georef, roles
from swc_zoning.engine.messages import SwcError, sentence
from swc_zoning.engine.submission.conflict_groups import Case, Facts, department_name, words

_FONTS = {
    "zh": {"title": "方正小标宋简体", "body": "仿宋", "head": "黑体"},
    "en": {"title": "Times New Roman", "body": "Times New Roman", "head": "Times New Roman"},
}
_LATIN = "Times New Roman"
_BODY_PT, _TITLE_PT, _TABLE_PT = 16, 22, 10.5
#: No control signs in XML 1.0.
_ILLEGAL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


def load(name: str) -> Any:
    """Return a module of python-docx. Raises SwcError ``consultation.needs_docx``."""
    try:
        return vendored.load(name)
    except ImportError as error:
        raise SwcError("consultation.needs_docx") from error


def say(key: str, lang: str, **facts: Any) -> str:
    """Return a sentence of the letter."""
    return sentence(f"consultation.{key}", facts, lang)


def plan_name(case: Case, facts: Facts) -> str:
    """Return the name of the plan, the title of the result where none is given."""
    return facts.plan_name or case.summary["title"]


def date_text(text: str, lang: str) -> str:
    """Return YYYYMMDD as a letter writes it, "" for none."""
    if not re.fullmatch(r"\d{8}", text):
        return text
    year, month, day = text[:4], int(text[4:6]), int(text[6:])
    return f"{year}年{month}月{day}日" if lang == "zh" else f"{year}-{month:02d}-{day:02d}"


def crs_text(name: str, lang: str) -> str:
    """Return a working CRS as a letter names it: datum and central meridian where it is Gauss-Krueger."""
    crs = georef.parse(name)
    origin = None if crs is None else georef.gauss_krueger(crs)
    if crs is None or origin is None:
        return name if crs is None else georef.name_of(crs)
    facts = {"meridian": f"{origin[0]:g}", "code": georef.name_of(crs)}
    if georef.name_of(crs.geodetic_crs) == "EPSG:4490":
        return say("crs_national", lang, **facts)
    return say("crs_other", lang, datum=crs.geodetic_crs.name, **facts)


class Page:
    """A docx being written."""

    def __init__(self, lang: str, title: str, landscape: bool = False) -> None:
        self.lang = lang
        self.document = load("docx").Document()
        self._length = load("docx.shared")
        self._align = load("docx.enum.text").WD_ALIGN_PARAGRAPH
        properties = self.document.core_properties
        properties.title, properties.author, properties.comments = _plain(title), "", ""
        self._set_page(landscape)
        self._set_font(self.document.styles["Normal"], "body", _BODY_PT)

    def _set_page(self, landscape: bool) -> None:
        section, mm = self.document.sections[0], self._length.Mm
        size = (mm(297), mm(210)) if landscape else (mm(210), mm(297))
        section.page_width, section.page_height = size
        if landscape:
            section.orientation = load("docx.enum.section").WD_ORIENT.LANDSCAPE
        section.top_margin, section.bottom_margin = mm(20 if landscape else 37), mm(20 if landscape else 35)
        section.left_margin, section.right_margin = mm(20 if landscape else 28), mm(20 if landscape else 26)
        self._number_pages(section.footer.paragraphs[0])

    def _number_pages(self, paragraph: Any) -> None:
        paragraph.alignment = self._align.CENTER
        element, named = load("docx.oxml").OxmlElement, load("docx.oxml.ns").qn
        field = element("w:fldSimple")
        field.set(named("w:instr"), "PAGE")
        paragraph._p.append(field)

    def _set_font(self, styled: Any, use: str, points: float) -> None:
        """Set the font of a run or style: East Asian text takes its own."""
        named = load("docx.oxml.ns").qn
        styled.font.name, styled.font.size = _LATIN, self._length.Pt(points)
        styled.element.get_or_add_rPr().get_or_add_rFonts().set(named("w:eastAsia"), _FONTS[self.lang][use])

    def put(
        self,
        text: str,
        use: str = "body",
        align: str = "LEFT",
        points: float = _BODY_PT,
        indent: bool = False,
    ) -> Any:
        """Add a paragraph; `indent`: its first line by two characters."""
        paragraph = self.document.add_paragraph()
        paragraph.alignment = getattr(self._align, align)
        style = paragraph.paragraph_format
        style.line_spacing, style.space_after = self._length.Pt(28), self._length.Pt(0)
        if indent:
            style.first_line_indent = self._length.Pt(2 * points)
        run = paragraph.add_run(_plain(text))
        self._set_font(run, use, points)
        return paragraph

    def title(self, text: str) -> None:
        """Add the title."""
        self.put(text, "title", "CENTER", _TITLE_PT).paragraph_format.line_spacing = self._length.Pt(32)

    def heading(self, text: str) -> None:
        """Add the heading of a part."""
        self.put(text, "head", indent=True)

    def body(self, text: str) -> None:
        """Add a paragraph of the body."""
        self.put(text, align="JUSTIFY" if self.lang == "zh" else "LEFT", indent=True)

    def table(self, head: Sequence[str], rows: Iterable[Sequence[str]], widths_mm: Sequence[float]) -> None:
        """Add a table with a head that is repeated on each page."""
        table = self.document.add_table(rows=1, cols=len(head))
        table.style = "Table Grid"
        table.autofit = False
        self._fill(table.rows[0], head, "head")
        element, named = load("docx.oxml").OxmlElement, load("docx.oxml.ns").qn
        repeated = element("w:tblHeader")
        repeated.set(named("w:val"), "true")
        table.rows[0]._tr.get_or_add_trPr().append(repeated)
        for row in rows:
            self._fill(table.add_row(), row, "body")
        for column, width in zip(table.columns, widths_mm):
            column.width = self._length.Mm(width)
            for cell in column.cells:
                cell.width = self._length.Mm(width)
        self.put("", points=8).paragraph_format.line_spacing = self._length.Pt(10)

    def _fill(self, row: Any, texts: Sequence[str], use: str) -> None:
        for cell, text in zip(row.cells, texts):
            paragraph = cell.paragraphs[0]
            paragraph.paragraph_format.space_after = self._length.Pt(0)
            numeric = bool(re.fullmatch(r"-?[\d,]+(\.\d+)?", text))
            paragraph.alignment = self._align.RIGHT if numeric else self._align.LEFT
            self._set_font(paragraph.add_run(_plain(text)), use, _TABLE_PT)

    def save(self, path: Path) -> None:
        """Write the document."""
        self.document.save(str(path))


def _plain(text: str) -> str:
    return _ILLEGAL.sub("", text)


# --- the letter ------------------------------------------------------------------------------------


def write_letter(
    path: Path, case: Case, facts: Facts, lang: str, annexes: Sequence[str], to: Sequence[str] = ()
) -> None:
    """Write the letter, `to` departments, or to all that the conflicts concern.

    Raises SwcError ``consultation.needs_docx``.
    """
    plan = plan_name(case, facts)
    title = say("letter_title", lang, plan=plan)
    page = Page(lang, title)
    if facts.secrecy:
        page.put(facts.secrecy, "head")
    page.title(title)
    page.put(facts.letter_no or say("open_number", lang), align="CENTER")
    page.put("")
    page.put(_addressees(case, facts, lang, to))
    _put_opening(page, case, plan)
    _put_kinds(page, case, facts)
    _put_principles(page, case)
    _put_requests(page, facts)
    _put_data(page, case)
    _put_close(page, facts, annexes)
    page.save(path)


def _addressees(case: Case, facts: Facts, lang: str, to: Sequence[str]) -> str:
    asked = to or [*case.departments(), *(one for group in case.groups for one in group.concerned)]
    names = [department_name(one, facts, lang) for one in dict.fromkeys(asked)]
    if not names:
        return say("open_addressees", lang)
    if lang == "zh":
        return "、".join(names) + "："
    first = names[0][:1].upper() + names[0][1:]
    return ", ".join([first, *names[1:]]) + ":"


def _put_opening(page: Page, case: Case, plan: str) -> None:
    total = case.summary["total"]
    counts = {
        "plan": plan,
        "pieces": f"{total['pieces']:,}",
        "kinds": len({group.kind for group in case.groups}),
        "groups": len(case.groups),
        "regions": sum(group.regions for group in case.groups),
    }
    page.body(say("letter_opening" if case.groups else "letter_nothing", page.lang, **counts))


def _put_kinds(page: Page, case: Case, facts: Facts) -> None:
    if not case.groups:
        return
    lang = page.lang
    page.heading(say("letter_kinds_head", lang))
    page.body(say("letter_kinds", lang))
    found = {row["kind"]: row for row in case.summary["conflicts"]}
    of_kind: dict[tuple[str, str], list[Any]] = {}
    for group in case.groups:
        of_kind.setdefault((group.kind, group.department), []).append(group)
    rows = []
    for (kind, department), groups in of_kind.items():
        regions = sum(group.regions for group in groups)
        # Ground that pairs share counts once in the result, but of a part of them no such sum is known.
        whole = regions == found[kind]["regions"]
        hectares = found[kind]["ground_m2"] / 1e4 if whole else sum(group.hectares for group in groups)
        addressed = department_name(department, facts, lang)
        rows.append(
            (kind, groups[0].name(lang), str(len(groups)), str(regions), f"{hectares:,.4f}", addressed)
        )
    head = [
        say(f"letter_column_{one}", lang) for one in ("kind", "name", "groups", "regions", "area", "asked")
    ]
    page.table(head, rows, (14, 52, 14, 14, 26, 36))
    _put_mismatch(page, case)


def _put_mismatch(page: Page, case: Case) -> None:
    """Say what was too small to be listed, so that nobody takes the list for all there is."""
    options = case.summary["job"]["options"]
    count = sum(row["mismatch_regions"] for row in case.summary["conflicts"])
    area = sum(row["mismatch_plane_m2"] for row in case.summary["conflicts"])
    if count:
        least = (options["conflict_min_m2"], options["conflict_min_width_m"])
        facts = dict(zip(("area", "width"), (f"{value:g}" for value in least)))
        page.body(say("letter_mismatch", page.lang, count=count, sum=f"{area:,.2f}", **facts))


def _put_principles(page: Page, case: Case) -> None:
    lang, rules = page.lang, case.summary["rules"]
    page.heading(say("letter_principles_head", lang))
    status = words()["statuses"].get(rules["status"], {}).get(lang, rules["status"])
    page.body(
        say(
            "letter_principles", lang, profile=case.rules_title[lang], version=rules["version"], status=status
        )
    )


def _put_requests(page: Page, facts: Facts) -> None:
    lang = page.lang
    page.heading(say("letter_requests_head", lang))
    for one in ("first", "second", "third"):
        page.body(say(f"letter_request_{one}", lang))
    deadline = date_text(facts.deadline, lang) or say("open_deadline", lang)
    page.body(say("letter_deadline", lang, deadline=deadline))


def _put_data(page: Page, case: Case) -> None:
    lang = page.lang
    page.heading(say("letter_data_head", lang))
    page.body(say("letter_data", lang, crs=crs_text(case.crs, lang), date=case.summary["plan_date"]))
    used = {(one.role, one.layer) for group in case.groups for one in (group.first, group.second) if one}
    listed = [row for row in case.summary["inputs"] if (row["role"], row["layer"]) in used]
    head = [
        say(f"letter_column_{one}", lang) for one in ("layer", "version", "approval", "dated", "provider")
    ]
    keys = ("version", "approval_no", "data_date", "provider")
    rows = [
        (_role_text(row, lang), *(str(row.get(key) or say("not_given", lang)) for key in keys))
        for row in listed
    ]
    if rows:
        page.table(head, rows, (46, 26, 36, 22, 26))
    missing = [row[f"name_{lang}"] for row in case.summary["missing_roles"]]
    if missing:
        page.body(say("letter_missing", lang, roles=("、" if lang == "zh" else ", ").join(missing)))


def _role_text(row: Mapping[str, Any], lang: str) -> str:
    role = roles.find(row["role"])
    name = row["role"] if role is None else (role.name_zh if lang == "zh" else role.name_en)
    return f"{name}（{row['layer']}）" if lang == "zh" else f"{name} ({row['layer']})"


def _put_close(page: Page, facts: Facts, annexes: Sequence[str]) -> None:
    lang = page.lang
    page.put("")
    for number, name in enumerate(annexes, start=1):
        key = "letter_annex" if number == 1 else "letter_annex_more"
        page.put(say(key, lang, number=number, name=name), indent=True)
    page.put("")
    page.put(facts.compiler or say("open_compiler", lang), align="RIGHT")
    page.put(date_text(facts.letter_date, lang) or say("open_date", lang), align="RIGHT")
    page.put("")
    contact, phone = (value or say("to_fill", lang) for value in (facts.contact, facts.phone))
    page.put(say("letter_contact", lang, contact=contact, phone=phone), indent=True)


# --- the adoption table ----------------------------------------------------------------------------


def write_adoption(
    path: Path, title: str, summary: str, rows: Iterable[Mapping[str, Any]], facts: Facts, lang: str
) -> None:
    """Write the adoption table as docx, `rows` cells by column id. Raises ``consultation.needs_docx``."""
    page = Page(lang, title, landscape=True)
    page.title(title)
    page.put(summary, points=12)
    keys = ("number", "conflict", "opinion", "reply", "verdict", "reason")
    head = [say(f"adoption_column_{key}", lang) for key in keys]
    page.table(head, [_adoption_row(row, lang) for row in rows], (12, 78, 62, 40, 20, 45))
    page.put(facts.compiler or say("open_compiler", lang), align="RIGHT", points=12)
    page.put(date_text(facts.letter_date, lang) or say("open_date", lang), align="RIGHT", points=12)
    page.save(path)


def _adoption_row(row: Mapping[str, Any], lang: str) -> tuple[str, ...]:
    sides = " / ".join(filter(None, (row["feature_a"], row["feature_b"])))
    area = f"{row['area_ha']:,.4f} {'公顷' if lang == 'zh' else 'ha'}"
    conflict = f"{row['kind']} {row['name']}\n{sides}\n{row['districts']}  {area}"
    reply = "\n".join(filter(None, (row.get(key, "") for key in ("unit", "reply_no", "reply_date"))))
    opinion = row.get("opinion") or say("no_reply", lang)
    return (str(row["number"]), conflict, opinion, reply, row.get("verdict", ""), row.get("reason", ""))
