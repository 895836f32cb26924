# SPDX-License-Identifier: GPL-2.0-or-later
"""What sheets hold against what files can hold: nothing is cut and nothing lost, it is refused by name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from swc_zoning.engine.messages import Blocked, Finding
from swc_zoning.engine.submission.datasets import SHP_ENCODING
from swc_zoning.engine.submission.schemas import DBF_TEXT, Field
from swc_zoning.engine.submission.sheets import Sheet

#: So many values of a field are named; the finding says how many there are.
_NAMED = 5
#: Control characters that no XML, and so no workbook, can hold.
_CONTROL = frozenset(chr(code) for code in range(32)) - {"\t", "\n", "\r"}


def check(sheets: Mapping[str, Sheet], formats: Iterable[str]) -> None:
    """Refuse sheets whose text or numbers would not come through into `formats`.

    Raises Blocked with ``texts.too_long`` (a value is longer than its field, in a Shapefile in bytes),
    ``datasets.rare`` (a Shapefile would lose characters; not where `formats` leave out "shp"),
    ``texts.control`` and ``texts.number_too_wide``, each by layer, field, BSM and value.
    """
    shp = "shp" in set(formats)
    findings = [finding for sheet in sheets.values() for finding in _of_sheet(sheet, shp)]
    if findings:
        raise Blocked(findings)


def _of_sheet(sheet: Sheet, shp: bool) -> Iterator[Finding]:
    shp = shp and sheet.geometry is not None
    for name, values in sheet.columns.items():
        field = sheet.layer.field(name)
        if values.dtype == object:
            yield from _of_text(sheet, name, field.length if field else 0, shp)
        elif field and values.dtype.kind == "f":
            yield from _of_number(sheet, field)


def _of_text(sheet: Sheet, field: str, length: int, shp: bool) -> Iterator[Finding]:
    """Say which texts of a column are longer than `length` characters (0: not limited) or cannot be kept."""
    texts = sheet.columns[field]
    # Few values are distinct: each is looked at once.
    distinct = {text for text in texts.tolist() if text}
    for row in _rows_with(texts, {text for text in distinct if 0 < length < len(text)}):
        facts = {"length": length, "size": len(texts[row]), "value": texts[row][:40]}
        yield _finding("texts.too_long", sheet, field, row, **facts)
    odd = {text: "".join(sorted(_CONTROL.intersection(text))) for text in distinct}
    for row in _rows_with(texts, {text for text, found in odd.items() if found}):
        point = f"U+{ord(odd[texts[row]][0]):04X}"
        yield _finding("texts.control", sheet, field, row, point=point, value=texts[row][:40])
    if shp:
        yield from _of_shapefile(sheet, field, length, distinct)


def _of_shapefile(sheet: Sheet, field: str, length: int, distinct: set[str]) -> Iterator[Finding]:
    texts, room = sheet.columns[field], min(length or DBF_TEXT, DBF_TEXT)
    lost = {text: _lost(text) for text in distinct if not text.isascii()}
    for row in _rows_with(texts, {text for text, found in lost.items() if found}):
        sign = lost[texts[row]]
        facts = {"layer": sheet.layer.name, "sign": sign, "point": f"U+{ord(sign):04X}"}
        yield _finding("datasets.rare", sheet, field, row, value=texts[row][:60], **facts)
    sizes = {text: len(text.encode(SHP_ENCODING, errors="replace")) for text in distinct}
    for row in _rows_with(texts, {text for text, size in sizes.items() if size > room >= len(text)}):
        facts = {"length": room, "size": sizes[texts[row]], "value": texts[row][:40]}
        yield _finding("texts.too_long_shp", sheet, field, row, **facts)


def _of_number(sheet: Sheet, field: Field) -> Iterator[Finding]:
    """Say which numbers need more digits than their field has."""
    values = sheet.columns[field.name]
    room = field.length - field.decimals - (1 if field.decimals else 0)
    wide = np.flatnonzero(np.abs(np.nan_to_num(values)) >= 10.0**room)
    for row in wide[:_NAMED].tolist():
        facts = {"value": repr(float(values[row])), "length": field.length, "decimals": field.decimals}
        yield _finding("texts.number_too_wide", sheet, field.name, row, **facts)


def _rows_with(texts: NDArray[Any], wanted: Iterable[str]) -> Sequence[int]:
    """Return the first rows that hold one of the texts `wanted`."""
    wanted = set(wanted)
    if not wanted:
        return ()
    found = np.fromiter((text in wanted for text in texts.tolist()), bool, len(texts))
    return np.flatnonzero(found)[:_NAMED].tolist()


def _finding(code: str, sheet: Sheet, field: str, row: int, **facts: Any) -> Finding:
    return Finding(code, {"field": field, "bsm": key(sheet, row), **facts}, sheet.layer.name)


def key(sheet: Sheet, row: int) -> str:
    """Return what names a row to a reader: its BSM, else its first field and its number."""
    if sheet.columns.get("BSM") is not None and sheet.columns["BSM"][row]:
        return str(sheet.columns["BSM"][row])
    return f"{next(iter(sheet.columns.values()))[row]} (#{row + 1})"


def _lost(text: str) -> str:
    """Return the first character of a text that a Shapefile in GBK cannot hold, "" where it holds all."""
    try:
        text.encode(SHP_ENCODING)
    except UnicodeEncodeError as error:
        return text[error.start]
    return ""
