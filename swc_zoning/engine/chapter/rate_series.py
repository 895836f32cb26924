# SPDX-License-Identifier: GPL-2.0-or-later
"""The conservation rate by district and year as the evaluation has it: a series, allowances and gaps.

From ``rate.csv`` of the algorithm conservationrate, or from the record of an evaluation that made one.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from swc_zoning.engine.evaluation import records
from swc_zoning.engine.messages import SwcError, sentence

if TYPE_CHECKING:
    from swc_zoning.engine.chapter.figures import Figures
    from swc_zoning.engine.chapter.tables import Cell, Table, _Sheet

_ALL, _ALLOWED, _GAP = "*", "allowed_", "gap_"
#: Columns of the table that are printed, beside those of targets, with their decimals.
_NUMBERS = {"total_km2": 4, "eroded_km2": 4, "unknown_km2": 4, "percent": 2}
_NEEDED = ("unit", "year", "denominator", *_NUMBERS)


@dataclass(frozen=True)
class Series:
    """Rows of a table of rates as text or numbers by column, and the name of the file they are from."""

    source: str
    rows: Sequence[Mapping[str, Any]]


def of_file(path: Path) -> Series:
    """Return the series of a ``rate.csv``. Raises SwcError ``targets.table``."""
    try:
        rows = list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8-sig"))))
        lacking = [name for name in _NEEDED if not rows or name not in rows[0]]
        if lacking:
            raise ValueError(", ".join(lacking))
        for row in rows:
            _number(row["total_km2"]), _number(row["percent"])
    except (OSError, ValueError) as error:
        raise SwcError("targets.table", path=path.name, reason=str(error)) from error
    return Series(path.name, rows)


def of_figures(figures: Figures) -> Series | None:
    """Return the series that an evaluated layer of the result brings along, None where none does."""
    for row in figures.evaluations():
        for part in records.parts(row["record"]):
            found = part.get("facts", {}).get("rates")
            if isinstance(found, list) and found and all(name in found[0] for name in _NEEDED):
                return Series(row["layer"], found)
    return None


def table(sheet: _Sheet, given: Series | None) -> Table:
    """Make the table: units by year with their rate, what each target allows and by how much it is missed."""
    series = given or of_figures(sheet.figures)
    if series is None:
        sheet.absence = sentence("figures.missing", {}, sheet.lang)
        return sheet.table()
    targets = [name[len(_ALLOWED) :] for name in series.rows[0] if name.startswith(_ALLOWED)]
    _add_columns(sheet, [target.replace("_km2", "") for target in targets])
    rows = sorted(enumerate(series.rows), key=lambda pair: (pair[1]["unit"] == _ALL, pair[0]))
    for number, row in rows:
        cells = {name: _cell(sheet, series, number, name, places) for name, places in _NUMBERS.items()}
        for target in targets:
            for kind in (_ALLOWED, _GAP):
                cells[f"{kind}{target}"] = _cell(sheet, series, number, f"{kind}{target}", 4)
        names = {name: _cited(sheet, series, number, name) for name in ("year", "denominator")}
        whole = row["unit"] == _ALL
        names["unit"] = sheet.word("total") if whole else _cited(sheet, series, number, "unit")
        sheet.add({**names, **cells}, is_sum=whole)
    return sheet.table()


def _add_columns(sheet: _Sheet, targets: Sequence[str]) -> None:
    for target in targets:
        shown = sheet.figures.cite("conservationrate", (), "target", target)
        for kind in (_ALLOWED, _GAP):
            title = sheet.word(f"rate_{kind.rstrip('_')}", target=shown)
            sheet.append(f"{kind}{target}_km2", title, "area4", 13)


def _cited(sheet: _Sheet, series: Series, number: int, name: str) -> str:
    text = str(series.rows[number].get(name) or "")
    return sheet.figures.cite("conservationrate", (series.source, number), name, text)


def _cell(sheet: _Sheet, series: Series, number: int, name: str, places: int) -> Cell | str:
    value = _number(series.rows[number].get(name))
    if value is None:
        return sheet.word("none")
    text = f"{value:,.{places}f}"
    return sheet.cited("conservationrate", (series.source, number), name, text, float(text.replace(",", "")))


def _number(value: Any) -> float | None:
    """Return a number, None for an empty cell. Raises ValueError for what is none."""
    if value is None or value == "":
        return None
    found = float(value)
    if not math.isfinite(found):
        raise ValueError(str(value))
    return found
