# SPDX-License-Identifier: GPL-2.0-or-later
"""The documents of a chapter: 文本 (articles) and 说明 (analysis), from Word templates a planner can edit.

A template (``text_zh.docx``, ``notes_en.docx`` ...) is a Word file with sentences in it that ask for
figures (Jinja, through docxtpl); the shipped ones are made of ``resources/chapter/outline.json`` by
``tools/make_templates.py``. Templates run in a sandbox and see `vocabulary.Words` only.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from swc_zoning import vendored
from swc_zoning.engine.chapter import vocabulary, word_tables
from swc_zoning.engine.chapter.figures import Figures
from swc_zoning.engine.chapter.tables import Table
from swc_zoning.engine.messages import SwcError
from swc_zoning.paths import resource

KINDS = ("text", "notes")
_ASKED = {
    what: re.compile(rf"""\b{what}\(\s*["'“”]([A-Za-z0-9_]+)["'“”]""") for what in ("table", "annex", "chart")
}


def write(
    figures: Figures,
    tables: Mapping[str, Table],
    folder: Path,
    charts: Path | None = None,
    templates: Path | None = None,
) -> dict[str, Path]:
    """Write the documents to a folder: {text: path, notes: path}.

    `charts`: folder of PNG pictures by chart id; `templates`: folder of own templates, the shipped one
    is taken for those it lacks. Raises SwcError ``documents.needs_docxtpl``, ``documents.no_template``
    (the folder has none), ``documents.template`` (what is wrong in one), and OSError.
    """
    sources = {kind: template_path(kind, figures.lang, templates) for kind in KINDS}
    if templates is not None and not any(path.parent == Path(templates) for path in sources.values()):
        raise SwcError("documents.no_template", path=str(templates), names=", ".join(_names(figures.lang)))
    folder.mkdir(parents=True, exist_ok=True)
    written = {}
    for kind, source in sources.items():
        written[kind] = folder / f"{kind}.docx"
        _Document(figures, tables, kind, source, charts).write(written[kind])
    return written


def template_path(kind: str, lang: str, templates: Path | None = None) -> Path:
    """Return the template of a document: the own one of a folder, else the shipped one."""
    name = f"{kind}_{lang}.docx"
    own = Path(templates) / name if templates is not None else None
    return own if own is not None and own.is_file() else resource("chapter", "templates", name)


def _names(lang: str) -> list[str]:
    return [f"{kind}_{lang}.docx" for kind in KINDS]


def _library(name: str) -> Any:
    try:
        return vendored.load(name)
    except ImportError as error:
        raise SwcError("documents.needs_docxtpl") from error


class _Document:
    """A document in the making."""

    def __init__(
        self, figures: Figures, tables: Mapping[str, Table], kind: str, source: Path, charts: Path | None
    ) -> None:
        self.figures, self.tables, self.kind, self.source, self.charts = figures, tables, kind, source, charts
        self.word = _library("docxtpl")
        self.template = self.word.DocxTemplate(str(source))
        self.markup = _library("markupsafe").Markup

    def write(self, path: Path) -> None:
        jinja, sandbox = _library("jinja2"), _library("jinja2.sandbox")
        environment = sandbox.SandboxedEnvironment(
            autoescape=True, undefined=jinja.StrictUndefined, finalize=self._clean
        )
        environment.filters["ordinal"] = self._ordinal
        try:
            self.template.init_docx()
            self._number()
            self.template.render(self._context(), environment, autoescape=True)
        except (jinja.TemplateError, ValueError, TypeError, KeyError) as error:
            raise SwcError("documents.template", path=str(self.source), reason=_reason(error)) from error
        _drop_empty(self.template.docx)
        self.template.save(str(path))

    def _context(self) -> dict[str, Any]:
        words = vocabulary.Words(self.figures, self.kind)
        return {
            **words.names(),
            "table": self._placer("table", 0),
            "annex": self._placer("annex", -1),
            "ref": self._ref,
            "chart": self._chart,
            "picture": self._picture,
            "has": lambda id_: bool(self.tables[id_].rows),
        }

    def _number(self) -> None:
        """Number tables and charts as they stand in the template."""
        text = _text_of(self.template.docx)
        self.numbers: dict[str, str] = {}
        for what, pattern in _ASKED.items():
            for number, id_ in enumerate(dict.fromkeys(pattern.findall(text)), start=1):
                self.numbers[id_] = self._said(f"number_{what}", number=str(number))

    def _said(self, key: str, **facts: str) -> str:
        return vocabulary.say(key, self.figures.lang, **facts)

    def _ref(self, id_: str) -> str:
        return self.numbers.get(id_, "")

    def _placer(self, what: str, section: int) -> Callable[[str], Any]:
        """Return what places a table by its id, as wide as the section of the template lets it be."""
        width = _text_width(self.template.docx.sections[section])

        def place(id_: str) -> Any:
            table = self.tables[id_]
            caption = self._said("caption", number=self._ref(id_), title=table.title)
            unit = self._said("unit", unit=self.figures.unit(table.unit)) if table.unit else ""
            return self.markup(word_tables.xml(table, caption, unit, self._said("note"), width))

        return place

    def _picture(self, id_: str) -> Any:
        path = (self.charts or Path()) / f"{id_}.png"
        if self.charts is None or not path.is_file():
            return ""
        width = min(_text_width(self.template.docx.sections[0]), 9000)
        return self.word.InlineImage(self.template, str(path), width=_library("docx.shared").Twips(width))

    def _chart(self, id_: str, title: str) -> str:
        there = self.charts is not None and (self.charts / f"{id_}.png").is_file()
        return self._said("caption", number=self._ref(id_), title=title) if there else ""

    def _ordinal(self, number: int) -> str:
        """Return the number of an item: （一）, or (a)."""
        if self.figures.lang == "zh":
            return f"（{vocabulary.numeral(number)}）"
        return f"({vocabulary.letter(number)})"

    def _clean(self, value: Any) -> Any:
        """Return a text in one line and without signs that XML does not take."""
        if isinstance(value, str) and not hasattr(value, "__html__"):
            return re.sub(r"[\t\n\f\a]+", " ", word_tables.ILLEGAL.sub("", value))
        return value


def _reason(error: Exception) -> str:
    line = getattr(error, "docx_context", None)
    place = " | ".join(part.strip() for part in line if part.strip()) if line else ""
    return f"{error} ({place[:200]})" if place else str(error)


def _text_of(document: Any) -> str:
    """Return the text of the body, paragraph by paragraph."""
    names = _library("docx.oxml.ns")
    return "\n".join(
        "".join(node.text or "" for node in paragraph.iter(names.qn("w:t")))
        for paragraph in document.element.body.iter(names.qn("w:p"))
    )


def _text_width(section: Any) -> int:
    """Return the width of the text of a section in twentieths of a point."""
    return int((section.page_width - section.left_margin - section.right_margin) / 635)


def _drop_empty(document: Any) -> None:
    """Take out paragraphs of text that came out empty: a picture that is not there, its caption."""
    names = _library("docx.oxml.ns")
    for node in list(document.element.body.iterchildren(names.qn("w:p"))):
        style = node.find(f"{names.qn('w:pPr')}/{names.qn('w:pStyle')}")
        kept = {"drawing", "br", "sectPr", "fldSimple", "fldChar"}
        holds = any(one.tag.rpartition("}")[2] in kept for one in node.iter() if isinstance(one.tag, str))
        text = "".join(one.text or "" for one in node.iter(names.qn("w:t"))).strip()
        if style is not None and style.get(names.qn("w:val")) in _MAY_VANISH and not holds and not text:
            node.getparent().remove(node)


_MAY_VANISH = frozenset({"ChapterPicture", "ChapterCaption", "ChapterBody", "ChapterItem"})
