# SPDX-License-Identifier: GPL-2.0-or-later
"""Fields and codes as they come: found under the name that was left of them, compared by what they mean.

What a file says stays as it is in every result; width, blanks, case and marks are left aside only
where codes are compared.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from difflib import get_close_matches
from functools import lru_cache
from typing import Any

import numpy as np

from swc_zoning.engine import characters, encodings, roles
from swc_zoning.engine.messages import Finding, Fix

_SHAPEFILE_NAME = 10
_SOME = 5
_MARKED_NUMBER = re.compile(r"[+]?\d{1,3}(?:,\d{3})+(?:\.0+)?|\d+\.0+")

#: Key of a job's entry by what the field is used for.
_KEYS = {"name": "name_field", "id": "id_field", "code": "code_field"}


def find_field(fields: Sequence[str], name: str) -> tuple[str, str]:
    """Return (field, how it was found) for the field a job calls `name`; ("", "") where there is none.

    It is found as written, without regard to case ("as_is"), without regard to width and blanks
    ("width"), under the name that UTF-8 read as another encoding gave it ("double"), or under the
    10 bytes a Shapefile leaves of it ("cut").
    """
    if name in fields:
        return name, "as_is"
    ways = (
        ("as_is", str.lower),
        ("width", _plain),
        ("double", lambda one: _plain(characters.true_name(one))),
    )
    for how, key in ways:
        spelt = {key(field): field for field in reversed(fields)}
        if key(name) in spelt:
            return spelt[key(name)], how
    cut = _cut_names(name)
    return next(((field, "cut") for field in fields if _plain(field) in cut), ("", ""))


def _plain(name: str) -> str:
    return unicodedata.normalize("NFKC", name).strip().casefold()


def _cut_names(name: str) -> set[str]:
    """Return what 10 bytes or 10 characters leave of a longer name."""
    left = {name[:_SHAPEFILE_NAME]}
    for encoding in ("utf-8", "gb18030"):
        left.add(name.encode(encoding, "ignore")[:_SHAPEFILE_NAME].decode(encoding, "ignore"))
    return {_plain(one) for one in left if one and one != name}


def tell_field(name: str, use: str, fields: Sequence[str], entry: int | None, tier: Any) -> Finding:
    """Return the finding that a field is missing, with the fields most like it as choices."""
    near = get_close_matches(_plain(name), [_plain(field) for field in fields], 3, 0.5)
    alike = [field for one in near for field in fields if _plain(field) == one]
    facts = {"field": name, "use": use, "fields": ", ".join(fields[:50]), "nearest": ", ".join(alike)}
    return Finding(
        "intake.field_missing", facts, fixes=tuple(_renamed(entry, use, one, tier) for one in alike)
    )


def _renamed(entry: int | None, use: str, field: str, tier: Any) -> Fix:
    return Fix(entry, {"tier": {**tier, "field": field}} if use == "tier" else {_KEYS[use]: field})


def tell_fields(fields: Sequence[str], used: Iterable[str]) -> Iterator[Finding]:
    """Yield a finding for each used field whose name another field of the layer shares."""
    names = [_plain(field) for field in fields]
    for name in sorted(set(used)):
        count = names.count(_plain(name))
        if count > 1:
            yield Finding("attributes.fields_doubled", {"field": name, "count": count})


# --- codes -----------------------------------------------------------------------------------------


def same_code(text: str) -> str:
    """Return what a code is compared by: no width, no blanks, nothing unseen, no marks of a number."""
    plain = characters.seen(unicodedata.normalize("NFKC", text)).strip()
    if _MARKED_NUMBER.fullmatch(plain):
        plain = re.sub(r"\.0+$", "", plain).replace(",", "").lstrip("+")
    return plain


def missing(texts: Iterable[str]) -> set[str]:
    """Return the texts that stand for no value ("NULL", "空", "-" ...) in an id or a code."""
    spelt = _missing_spellings()
    return set() if spelt.isdisjoint(texts) else set(spelt.intersection(texts))


@lru_cache(maxsize=1)
def _missing_spellings() -> frozenset[str]:
    words = [word for word in roles.missing_words() if word]
    wide = {ord(" ") + i: 0xFEE0 + ord(" ") + i for i in range(1, 95)}
    cases = {case(word) for word in words for case in (str.lower, str.upper, str.title)}
    return frozenset(cases | {word.translate(wide) for word in cases})


def tell_codes(field: str, values: np.ndarray) -> Iterator[Finding]:
    """Yield what is odd about the codes of a column: values for nothing, marks, codes that are alike."""
    texts = characters.texts_of(values)
    joined = "\n".join(["", *texts, ""])
    nothing = missing(texts)
    marked = not _is_plain(joined, len(texts))
    if marked or "\n\n" in joined:
        nothing |= {text for text in set(texts) if not text.strip()}
    if nothing:
        yield _nothing(field, values, texts, nothing)
    distinct = set(texts) - nothing if marked or _has_both_cases(joined) else set()
    changed = {text for text in distinct if _is_odd(text)} if marked else set()
    if changed:
        count = sum(text in changed for text in texts)
        some = ", ".join(f"“{encodings.short(one)}” = {same_code(one)}" for one in sorted(changed)[:_SOME])
        yield Finding("attributes.codes_odd", {"field": field, "count": count, "some": some})
    if distinct and len(_folded(distinct, marked)) < len(distinct):
        yield _alike(field, distinct)


#: What a code that is compared by something else holds: blanks at its ends, marks of a number.
_MARKS = (" \n", "\n ", ",", ".0")


def _is_plain(joined: str, count: int) -> bool:
    """Return whether each of `count` codes, each between line ends, is what it is compared by."""
    if any(mark in joined for mark in _MARKS) or not characters.is_plain(joined, count + 2):
        return False
    return joined.isascii() or unicodedata.is_normalized("NFKC", joined)


def _is_odd(text: str) -> bool:
    """Return whether a code is not written plainly; full-width brackets in Chinese words are plain."""
    if text != text.strip() or characters.seen(text) != text or _MARKED_NUMBER.fullmatch(text):
        return True
    wide = (one for one in text if unicodedata.normalize("NFKC", one) != one)
    return any(unicodedata.normalize("NFKC", one).isalnum() for one in wide)


def _has_both_cases(joined: str) -> bool:
    return joined != joined.upper() and joined != joined.lower()


def _folded(distinct: Iterable[str], marked: bool) -> set[str]:
    return {same_code(text).casefold() for text in distinct} if marked else set(map(str.casefold, distinct))


def _nothing(field: str, values: np.ndarray, texts: list[str], nothing: set[str]) -> Finding:
    counts = {word: texts.count(word) for word in sorted(nothing)}
    null = len(values) - len(texts)
    some = ", ".join(f"“{encodings.short(word)}” {count}" for word, count in list(counts.items())[:_SOME])
    told = f"NULL {null}, {some}" if null else some
    return Finding("attributes.missing_words", {"field": field, "count": sum(counts.values()), "some": told})


def _alike(field: str, distinct: set[str]) -> Finding:
    groups: dict[str, list[str]] = {}
    for text in distinct:
        groups.setdefault(same_code(text).casefold(), []).append(text)
    alike = sorted(sorted(group) for group in groups.values() if len(group) > 1)
    shown = ["/".join(encodings.short(one) for one in group) for group in alike[:_SOME]]
    return Finding("attributes.codes_alike", {"field": field, "count": len(alike), "some": ", ".join(shown)})
