# SPDX-License-Identifier: GPL-2.0-or-later
"""Words and numbers for the intensity of erosion (SL 190-2007): read, never guessed.

Grades 0 slight .. 5 severe, UNKNOWN where a layer has no value. A number alone is unclear: rasters of this
engine have 0-5, layers of the territorial databases 1-6; 0 or 6 among the values tells which.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from swc_zoning.engine import roles
from swc_zoning.engine.evaluation.vectors import Shapes
from swc_zoning.engine.messages import SwcError

ROLE = "soil_erosion"
INTENSITIES = ("light", "moderate", "intense", "very_intense", "severe")
GRADES = ("slight", *INTENSITIES)
UNKNOWN = 6


def of(shapes: Shapes, field: str | None, coding: str) -> NDArray[np.int64]:
    """Return the grade of each feature of a layer, from `field`, else from what the role knows it by.

    Raises what `read` raises, and SwcError ``evaluation.field``.
    """
    found = field or roles.fields_for(ROLE, shapes.columns)[0] or roles.find(ROLE).tier_fields[0]
    return read(shapes.column(found), coding, shapes.name)


def read(texts: Sequence[str], coding: str, path: str) -> NDArray[np.int64]:
    """Return the grade of each text; `coding` is "0-5", "1-6" or "auto".

    Raises SwcError ``units.intensity_coding`` and ``units.intensity_words``.
    """
    distinct = dict.fromkeys(texts)
    numbers = {text: number for text in distinct if (number := _number(text)) is not None}
    first = _first(set(numbers.values()), coding, path) if numbers else 0
    meaning = {text: _grade(text, numbers.get(text), first) for text in distinct}
    wrong = sorted(text for text, grade in meaning.items() if grade is None)
    if wrong:
        count = sum(text in set(wrong) for text in texts)
        raise SwcError("units.intensity_words", path=path, words=", ".join(wrong[:12]), count=count)
    return np.array([meaning[text] for text in texts], np.int64)


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return None if np.isnan(number) else number


def _first(numbers: set[float], coding: str, path: str) -> int:
    """Return the number that stands for slight."""
    if coding != "auto":
        return int(coding[0])
    low, high = 0 in numbers, 6 in numbers
    if low == high:
        shown = ", ".join(f"{number:g}" for number in sorted(numbers)[:12])
        raise SwcError("units.intensity_coding", path=path, values=shown)
    return 0 if low else 1


def _grade(text: str, number: float | None, first: int) -> int | None:
    if number is not None:
        grade = number - first
        return int(grade) if grade in range(6) else None
    if text.strip().casefold() in ("", "nan", "none", *map(str.casefold, roles.missing_words())):
        return UNKNOWN
    tier = roles.canonical_tier(ROLE, text)
    return GRADES.index(tier) if tier in GRADES else None
