# SPDX-License-Identifier: GPL-2.0-or-later
"""Make the Word templates that are shipped, of ``resources/chapter/outline.json``.

``make_templates.py [--output DIR]`` writes ``text_zh.docx``, ``text_en.docx``, ``notes_zh.docx`` and
``notes_en.docx``; the same outline gives the same bytes. Fonts and sizes follow the practice of official
documents (GB/T 9704): A4, body in 仿宋 16 pt, heads in 黑体; fonts that are missing are replaced by Word.
"""

from __future__ import annotations

import argparse
import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from docx import Document
from docx.enum.section import WD_ORIENT, WD_SECTION
from docx.enum.style import WD_STYLE_TYPE
from docx.enum.text import WD_ALIGN_PARAGRAPH, WD_BREAK
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Mm, Pt

ROOT = Path(__file__).resolve().parent.parent
OUTLINE = ROOT / "resources/chapter/outline.json"
TEMPLATES = ROOT / "resources/chapter/templates"
LANGUAGES = ("zh", "en")
LATIN = "Times New Roman"
SONG, HEI, FANG, TITLE = "宋体", "黑体", "仿宋", "方正小标宋简体"
ALIGN = WD_ALIGN_PARAGRAPH


@dataclass(frozen=True)
class Look:
    """How a style looks: sizes in points, `indent` in signs of the first line."""

    font: str
    size: float
    align: int = ALIGN.JUSTIFY
    indent: float = 0
    line: float = 1.0
    before: float = 0
    after: float = 0
    bold: bool = False
    together: bool = False


def looks(kind: str, lang: str) -> dict[str, Look]:
    """Return the styles of a document by name."""
    size, line = (16, 28) if kind == "text" else (12, 22)
    if lang == "en":
        size, line = (12, 18) if kind == "text" else (11, 16)
    side = ALIGN.JUSTIFY if lang == "zh" else ALIGN.LEFT
    indent = 2 if lang == "zh" else 0
    body = FANG if kind == "text" else SONG
    gap = 0 if lang == "zh" else 4
    return {
        "ChapterTitle": Look(TITLE, 26, ALIGN.CENTER, line=40, before=12, after=12, bold=lang == "en"),
        "ChapterCover": Look(FANG, 16, ALIGN.CENTER, line=30),
        "ChapterMark": Look(HEI, 22, ALIGN.CENTER, line=36, before=12, after=12),
        "ChapterContents": Look(body, size, ALIGN.LEFT, line=line),
        "ChapterBody": Look(body, size, side, indent, line, after=gap),
        "ChapterItem": Look(body, size, side, indent, line, after=gap / 2),
        "ChapterCaption": Look(
            HEI, 12 if kind == "text" else 10.5, ALIGN.CENTER, line=18, before=8, together=True
        ),
        "ChapterUnit": Look(SONG, 9, ALIGN.RIGHT, line=14, together=True),
        "ChapterHead": Look(HEI, 9, ALIGN.CENTER),
        "ChapterCell": Look(SONG, 9, ALIGN.LEFT),
        "ChapterNote": Look(SONG, 9, ALIGN.LEFT, line=14, after=10),
        "ChapterAbsence": Look(SONG, 10.5, ALIGN.CENTER, line=18, after=8),
        "ChapterPicture": Look(SONG, 10.5, ALIGN.CENTER, before=8, together=True),
        "ChapterFigure": Look(HEI, 10.5, ALIGN.CENTER, line=18, after=10),
    }


def headings(kind: str, lang: str) -> dict[str, Look]:
    """Return the looks of the headings: chapters, and articles or sections."""
    big, small = (16, 16) if kind == "text" else (15, 12)
    if lang == "en":
        big, small = (15, 12)
    centred = ALIGN.CENTER if kind == "text" else ALIGN.LEFT
    indent = 2 if kind == "text" and lang == "zh" else 0
    return {
        "Heading 1": Look(HEI, big, centred, line=30, before=18, after=10, bold=True, together=True),
        "Heading 2": Look(HEI, small, ALIGN.LEFT, indent, line=24, before=6, bold=True, together=True),
    }


class Maker:
    """A template in the making."""

    def __init__(self, kind: str, lang: str, outline: Mapping[str, Any]) -> None:
        self.kind, self.lang, self.outline = kind, lang, outline
        self.document = Document()
        self._clean()
        for name, look in {**headings(kind, lang), **looks(kind, lang)}.items():
            self._style(name, look)
        self._page()

    def _clean(self) -> None:
        properties = self.document.core_properties
        properties.author = properties.comments = properties.keywords = ""
        properties.title = "{{ plan.name }}"
        properties.last_modified_by, properties.revision = "", 1
        properties.created = properties.modified = datetime(2026, 1, 1)
        self._font(self.document.styles["Normal"], FANG, 16)

    def _font(self, style: Any, name: str, size: float) -> None:
        style.font.name, style.font.size = LATIN, Pt(size)
        fonts = style.element.get_or_add_rPr().get_or_add_rFonts()
        for theme in ("asciiTheme", "hAnsiTheme", "eastAsiaTheme", "cstheme"):
            fonts.attrib.pop(qn(f"w:{theme}"), None)
        fonts.set(qn("w:eastAsia"), name)

    def _style(self, name: str, look: Look) -> None:
        styles = self.document.styles
        known = name in [style.name for style in styles]
        style = styles[name] if known else styles.add_style(name, WD_STYLE_TYPE.PARAGRAPH)
        if not known:
            style.base_style = styles["Normal"]
        self._font(style, look.font, look.size)
        style.font.bold, style.font.italic = look.bold, False
        colour = style.element.rPr.find(qn("w:color"))
        if colour is not None:
            style.element.rPr.remove(colour)
        shape = style.paragraph_format
        shape.alignment, shape.keep_with_next = look.align, look.together
        shape.space_before, shape.space_after = Pt(look.before), Pt(look.after)
        shape.first_line_indent = Pt(look.indent * look.size)
        shape.line_spacing = Pt(look.line) if look.line > 3 else look.line
        shape.widow_control = True

    def _page(self) -> None:
        section = self.document.sections[0]
        section.page_width, section.page_height = Mm(210), Mm(297)
        section.top_margin, section.bottom_margin = Mm(37), Mm(35)
        section.left_margin, section.right_margin = Mm(28), Mm(26)
        section.header_distance, section.footer_distance = Mm(20), Mm(20)
        section.different_first_page_header_footer = True
        head = section.header.paragraphs[0]
        head.text = "{{ plan.name }}　{{ plan.kind }}{% if plan.mark %}　【{{ plan.mark }}】{% endif %}"
        if self.lang == "en":
            head.text = "{{ plan.name }} – {{ plan.kind }}{% if plan.mark %} – {{ plan.mark }}{% endif %}"
        head.alignment = ALIGN.CENTER
        self._small(head)
        foot = section.footer.paragraphs[0]
        foot.alignment = ALIGN.CENTER
        foot.add_run("— ")
        _field(foot, "PAGE")
        foot.add_run(" —")
        self._small(foot)

    def _small(self, paragraph: Any) -> None:
        for run in paragraph.runs:
            run.font.size, run.font.name = Pt(9), LATIN
            run._r.get_or_add_rPr().get_or_add_rFonts().set(qn("w:eastAsia"), SONG)

    # --- pieces ------------------------------------------------------------------------------------

    def _said(self, pair: Sequence[str]) -> str:
        return pair[LANGUAGES.index(self.lang)]

    def put(self, text: str, style: str = "ChapterBody") -> Any:
        """Add a paragraph."""
        return self.document.add_paragraph(text, style=style)

    def blocks(self, blocks: Sequence[Any]) -> None:
        """Add blocks of the outline."""
        for block in blocks:
            if isinstance(block, list):
                self.put(self._said(block))
            else:
                name = next(iter(block))
                getattr(self, f"_put_{name}")(block)

    def _put_item(self, block: Mapping[str, Any]) -> None:
        self.put(self._said(block["item"]), "ChapterItem")

    def _put_small(self, block: Mapping[str, Any]) -> None:
        self.put(self._said(block["small"]), "ChapterNote")

    def _put_if(self, block: Mapping[str, Any]) -> None:
        self.put(f"{{%p if {block['if']} %}}")
        self.blocks(block["then"])
        if "else" in block:
            self.put("{%p else %}")
            self.blocks(block["else"])
        self.put("{%p endif %}")

    def _put_for(self, block: Mapping[str, Any]) -> None:
        self.put(f"{{%p for {block['for']} %}}")
        self.blocks(block["do"])
        self.put("{%p endfor %}")

    def _put_table(self, block: Mapping[str, Any]) -> None:
        self.put(f'{{{{p table("{block["table"]}") }}}}')

    def _put_annex(self, block: Mapping[str, Any]) -> None:
        self.put(f'{{{{p annex("{block["annex"]}") }}}}')

    def _put_chart(self, block: Mapping[str, Any]) -> None:
        self.put(f'{{{{ picture("{block["chart"]}") }}}}', "ChapterPicture")
        title = self._said(block["title"])
        self.put(f'{{{{ chart("{block["chart"]}", "{title}") }}}}', "ChapterFigure")

    def _put_article(self, block: Mapping[str, Any]) -> None:
        title = self._said(block["article"])
        number = "第{{ article() }}条　" if self.lang == "zh" else "Article {{ article() }}. "
        self.put(number + title, "Heading 2")

    def _put_section(self, block: Mapping[str, Any]) -> None:
        number = "{{ section() | ordinal }}" + ("" if self.lang == "zh" else " ")
        self.put(number + self._said(block["section"]), "Heading 2")

    # --- the document ------------------------------------------------------------------------------

    def make(self) -> bytes:
        """Return the template as a file."""
        titles = self._titles()
        self._cover()
        self._contents(titles)
        for number, part in enumerate(self.outline["parts"]):
            self.put("{{p chapter() }}")
            paragraph = self.put("", "Heading 1")
            paragraph.paragraph_format.page_break_before = number == 0
            _bookmark(paragraph, f"chapter_{number + 1}", number + 1, titles[number])
            self.blocks(part["blocks"])
        self._annexes(titles[-1], len(titles))
        return _file(self.document)

    def _titles(self) -> list[str]:
        made = []
        for number, part in enumerate(self.outline["parts"], start=1):
            title = self._said(part["chapter"])
            made.append(_numbered(self.kind, self.lang, number) + title)
        return [*made, self._said(["附表", "Annexed tables"])]

    def _cover(self) -> None:
        zh = self.lang == "zh"
        secret = self.put("{% if plan.secrecy %}{{ plan.secrecy }}{% endif %}", "ChapterCover")
        secret.alignment = ALIGN.LEFT
        first = self.put("{{ plan.name }}", "ChapterTitle")
        first.paragraph_format.space_before = Pt(130)
        self.put("{{ plan.kind }}", "ChapterTitle")
        self.put("{%p if plan.mark %}")
        self.put("（{{ plan.mark }}）" if zh else "({{ plan.mark }})", "ChapterMark")
        self.put("{%p endif %}")
        self.put("{%p if plan.approved %}")
        approval = "批准文号：{{ plan.approval_no }}　{{ plan.approval_date }}"
        self.put(
            approval if zh else "Approved by {{ plan.approval_no }}, {{ plan.approval_date }}", "ChapterCover"
        )
        self.put("{%p endif %}")
        words = "编制单位：{{ plan.compiler }}" if zh else "Compiled by {{ plan.compiler }}"
        compiler = self.put(words, "ChapterCover")
        compiler.paragraph_format.space_before = Pt(160)
        self.put("{{ plan.date }}", "ChapterCover").add_run().add_break(WD_BREAK.PAGE)

    def _contents(self, titles: Sequence[str]) -> None:
        heading = self.put(self._said(["目　录", "Contents"]), "ChapterMark")
        heading.paragraph_format.space_after = Pt(18)
        for number, title in enumerate(titles, start=1):
            paragraph = self.put("", "ChapterContents")
            section = self.document.sections[0]
            width = section.page_width - section.left_margin - section.right_margin
            paragraph.paragraph_format.tab_stops.add_tab_stop(width, 2, 1)
            paragraph.add_run(title)
            paragraph.add_run("\t")
            _field(paragraph, f"PAGEREF chapter_{number} \\h", dirty=True)

    def _annexes(self, title: str, number: int) -> None:
        section = self.document.add_section(WD_SECTION.NEW_PAGE)
        section.orientation = WD_ORIENT.LANDSCAPE
        section.page_width, section.page_height = Mm(297), Mm(210)
        section.top_margin, section.bottom_margin = Mm(28), Mm(25)
        section.left_margin = section.right_margin = Mm(25)
        section.header_distance = section.footer_distance = Mm(15)
        section.different_first_page_header_footer = False
        paragraph = self.put("", "Heading 1")
        paragraph.alignment = ALIGN.CENTER
        paragraph.paragraph_format.space_before = Pt(0)
        _bookmark(paragraph, f"chapter_{number}", number, title)
        self.blocks(self.outline["annexes"])


def _numbered(kind: str, lang: str, number: int) -> str:
    """Return the number of a chapter as it stands before its title."""
    if lang == "en":
        return f"Chapter {number}. " if kind == "text" else f"Part {number}. "
    digits = "一二三四五六七八九十"
    chinese = digits[number - 1] if number <= 10 else f"十{digits[number - 11]}"
    return f"第{chinese}章　" if kind == "text" else f"{chinese}、"


def _field(paragraph: Any, instruction: str, dirty: bool = False) -> None:
    field = OxmlElement("w:fldSimple")
    field.set(qn("w:instr"), instruction)
    if dirty:
        field.set(qn("w:dirty"), "true")
    paragraph._p.append(field)


def _bookmark(paragraph: Any, name: str, number: int, text: str) -> None:
    start, end = OxmlElement("w:bookmarkStart"), OxmlElement("w:bookmarkEnd")
    start.set(qn("w:id"), str(number))
    start.set(qn("w:name"), name)
    end.set(qn("w:id"), str(number))
    paragraph._p.append(start)
    paragraph.add_run(text)
    paragraph._p.append(end)


def _file(document: Any) -> bytes:
    """Return the document as a file whose bytes depend on what is in it only."""
    raw, made = io.BytesIO(), io.BytesIO()
    document.save(raw)
    with zipfile.ZipFile(raw) as old, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0)), old.read(name), zipfile.ZIP_DEFLATED)
    return made.getvalue()


def made(kind: str, lang: str) -> bytes:
    """Return a template of the outline."""
    outline = json.loads(OUTLINE.read_text(encoding="utf-8"))["documents"][kind]
    return Maker(kind, lang, outline).make()


def main() -> None:
    """Write the templates."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, default=TEMPLATES)
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    for kind in ("text", "notes"):
        for lang in LANGUAGES:
            path = options.output / f"{kind}_{lang}.docx"
            path.write_bytes(made(kind, lang))
            print(path)


if __name__ == "__main__":
    main()
