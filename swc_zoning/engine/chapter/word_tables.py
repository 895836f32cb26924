# SPDX-License-Identifier: GPL-2.0-or-later
"""Tables of a chapter in WordprocessingML (ECMA-376): three lines, heads repeated, rows not broken.

Styles are named, not set: ``ChapterCaption``, ``ChapterUnit``, ``ChapterCell``, ``ChapterHead`` and
``ChapterNote`` of the template, so that a planner's template decides how they look. Only the standard
library is imported.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from xml.sax.saxutils import escape  # nosec B406 - writes XML only

from swc_zoning.engine.chapter.plans import BREAK
from swc_zoning.engine.chapter.tables import Column, Table

_NUMERIC = frozenset({"area", "area4", "percent", "count"})
#: Font sizes in half points, the largest that fits is taken.
_SIZES = (21, 18, 16, 15, 13)
_THICK, _THIN = 12, 6
#: White space at both sides of a cell, twentieths of a point.
_PADDING, _LIFT = 100, 30
#: Rows that stay with the head, and with the last row.
_TOGETHER = 2
#: Fewest signs of Chinese in a line of a column of text, and what of a head may stand in a line.
_LEAST, _HEAD = 4, 4
#: Width of a narrow sign in ems: that of digits in the wider of the fonts that replace one another.
_NARROW, _BOLD = 0.64, 1.1
#: No control signs in XML 1.0.
ILLEGAL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def xml(table: Table, caption: str, unit: str, note: str, width: int) -> str:
    """Return the paragraphs and the table, as XML with the prefix ``w``; `width` in twentieths of a point.

    A table without rows is its caption and what is said instead.
    """
    parts = [paragraph(caption, "ChapterCaption", keep=True)]
    if not table.rows:
        return "".join([*parts, paragraph(table.absence, "ChapterAbsence"), *_noted(table, note)])
    if unit:
        parts.append(paragraph(unit, "ChapterUnit", keep=True))
    size, widths = fitted(table, width)
    rows = [_row([column.title for column in table.columns], table, widths, size, head=True)]
    rows += [
        _row(
            [cell.text for cell in row],
            table,
            widths,
            size,
            bold=number in table.sums,
            keep=number < _TOGETHER - 1 or len(table.rows) - _TOGETHER <= number < len(table.rows) - 1,
        )
        for number, row in enumerate(table.rows)
    ]
    grid = "".join(f'<w:gridCol w:w="{one}"/>' for one in widths)
    parts.append(f"<w:tbl>{_properties(sum(widths))}<w:tblGrid>{grid}</w:tblGrid>{''.join(rows)}</w:tbl>")
    # Two tables that touch would be one.
    return "".join([*parts, *(_noted(table, note) or [paragraph("", "ChapterNote")])])


def _noted(table: Table, note: str) -> list[str]:
    return [paragraph(note + table.note, "ChapterNote")] if table.note else []


def paragraph(text: str, style: str, keep: bool = False) -> str:
    """Return a paragraph of a style; `keep`: on the page of the next one."""
    kept = "<w:keepNext/>" if keep else ""
    return (
        f'<w:p><w:pPr><w:pStyle w:val="{style}"/>{kept}</w:pPr>'
        f'<w:r><w:t xml:space="preserve">{plain(text)}</w:t></w:r></w:p>'
    )


def plain(text: str) -> str:
    """Return a text as XML, in one line and without signs that XML does not take."""
    return escape(re.sub(r"[ \t\r\n]+", " ", ILLEGAL.sub("", text)).strip(" "))


# --- rows ------------------------------------------------------------------------------------------


def _properties(width: int) -> str:
    lines = "".join(
        f'<w:{side} w:val="single" w:sz="{_THICK}" w:space="0" w:color="auto"/>' for side in ("top", "bottom")
    )
    sides = {"top": _LIFT, "left": _PADDING // 2, "bottom": _LIFT, "right": _PADDING // 2}
    margins = "".join(f'<w:{side} w:w="{wide}" w:type="dxa"/>' for side, wide in sides.items())
    return (
        f'<w:tblPr><w:tblW w:w="{width}" w:type="dxa"/><w:jc w:val="center"/><w:tblBorders>{lines}'
        f'</w:tblBorders><w:tblLayout w:type="fixed"/><w:tblCellMar>{margins}</w:tblCellMar></w:tblPr>'
    )


def _row(
    texts: Sequence[str],
    table: Table,
    widths: Sequence[int],
    size: int,
    head: bool = False,
    bold: bool = False,
    keep: bool = False,
) -> str:
    cells = "".join(
        _cell(text, column, width, size, head, bold, keep or head)
        for text, column, width in zip(texts, table.columns, widths)
    )
    repeated = "<w:tblHeader/>" if head else ""
    return f"<w:tr><w:trPr><w:cantSplit/>{repeated}</w:trPr>{cells}</w:tr>"


def _cell(text: str, column: Column, width: int, size: int, head: bool, bold: bool, keep: bool) -> str:
    line = f'<w:tcBorders><w:bottom w:val="single" w:sz="{_THIN}" w:space="0" w:color="auto"/></w:tcBorders>'
    centred = head or column.kind == "ordinal" or (column.kind == "mixed" and not text[:1].isalpha())
    side = "center" if centred else ("right" if column.kind in _NUMERIC else "left")
    style = "ChapterHead" if head else "ChapterCell"
    strong = "<w:b/>" if bold else ""
    return (
        f'<w:tc><w:tcPr><w:tcW w:w="{width}" w:type="dxa"/>{line if head else ""}'
        f'<w:vAlign w:val="center"/></w:tcPr><w:p><w:pPr><w:pStyle w:val="{style}"/>'
        f'{"<w:keepNext/>" if keep else ""}<w:jc w:val="{side}"/></w:pPr>'
        f'<w:r><w:rPr>{strong}<w:sz w:val="{size}"/><w:szCs w:val="{size}"/></w:rPr>'
        f'<w:t xml:space="preserve">{plain(text).replace("、", "、" + BREAK)}</w:t></w:r></w:p></w:tc>'
    )


# --- widths ----------------------------------------------------------------------------------------


def em(text: str) -> float:
    """Return the width of a text in signs of Chinese."""
    return sum(1.0 if unicodedata.east_asian_width(sign) in "WFA" else _NARROW for sign in text)


def fitted(table: Table, width: int) -> tuple[int, list[int]]:
    """Return the font size (half points) and the widths of the columns that fill `width`.

    Numbers are never broken; texts share what they leave by the square root of their length.
    """
    least = [_least(column, texts, table.lang) for column, texts in _columns(table)]
    wanted = [max(low, _wanted(column, texts)) for (column, texts), low in zip(_columns(table), least)]
    for size in _SIZES:
        step = size * 10
        room = width - _PADDING * len(least)
        if sum(least) * step <= room:
            break
    scale = min(1.0, room / (sum(least) * step))
    widths = [low * step * scale for low in least]
    spare = room - sum(widths)
    hunger = [max(want - low, 0.0) for want, low in zip(wanted, least)]
    if spare > 0:
        total = sum(hunger)
        takes = min(1.0, spare / (total * step)) if total else 0.0
        widths = [one + more * step * takes for one, more in zip(widths, hunger)]
        even = (room - sum(widths)) / len(widths)
        widths = [one + even for one in widths]
    return size, _whole([one + _PADDING for one in widths], width)


def _columns(table: Table) -> list[tuple[Column, list[str]]]:
    return [(column, [row[place].text for row in table.rows]) for place, column in enumerate(table.columns)]


def _least(column: Column, texts: Iterable[str], lang: str) -> float:
    """Return the fewest signs a column can do with."""
    head = max(map(em, column.title.split())) if lang == "en" else min(em(column.title), _HEAD)
    if column.kind in _NUMERIC or column.kind == "ordinal":
        return max(head, *(em(text) * _BOLD for text in texts)) + 0.2
    words = max((em(word) for text in texts for word in _unbroken(text)), default=0.0)
    longest = max((em(text) for text in texts), default=0.0)
    return max(head, min(longest, _LEAST), min(words, 12.0)) + 0.2


def _unbroken(text: str) -> list[str]:
    """Return the parts of a text that a line does not break: runs of Latin signs."""
    return re.findall(r"[!-~\u00c0-\u024f]+", text)


def _wanted(column: Column, texts: Sequence[str]) -> float:
    head = min(em(column.title), 8.0) + 0.2
    longest = max((em(text) for text in texts), default=0.0)
    return max(head, longest if longest <= 10 else 10 + 4 * (longest - 10) ** 0.5)


def _whole(widths: Sequence[float], total: int) -> list[int]:
    made = [int(one) for one in widths]
    made[-1] += total - sum(made)
    return made
