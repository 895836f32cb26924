# SPDX-License-Identifier: GPL-2.0-or-later
"""The encoding doctor for text as it was read, of any format.

UTF-8 that was read as another encoding and written again (shown, and undone value by value where a
job asks), characters that cannot be seen, that stand for loss, or that GBK does not have. Nothing is
removed in silence: what is found is told with its field, its count and an example.
"""

from __future__ import annotations

import codecs
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from swc_zoning.engine.encodings import COMMON, common_share, known_data, short, whole_part
from swc_zoning.engine.messages import Finding, Fix

#: Encodings through which UTF-8 is found read and written again, as a job names them; all of them.
THROUGH, ANY = ("cp1252", "gbk"), "any"
#: Longer values are told: they are no names.
_LONG = 10_000
_SOME = 5

#: What plain text has none of: control, invisible and directing characters, loss, GBK's missing planes,
#: and the pairs that a character of two to four bytes in UTF-8 gives when it is read as Western text.
_INVISIBLE = "\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff"
#: Rare Chinese characters that GBK lacks, private ones, and all beyond the first plane.
_RARE = "\u3400-\u4dbf\u9fa6-\u9fff\ue000-\uf8ff\U00010000-\U0010ffff"
_WESTERN = "".join(bytes([code]).decode("cp1252", "ignore") for code in range(0x80, 0xC0)) + "\u0080-\u009f"
_SUSPECT = re.compile(f"[\x00-\x1f\x7f-\x9f{_INVISIBLE}\ufffd锟{_RARE}]|[\u00c2-\u00f4][{_WESTERN}]")
_PLAIN_ASCII = bytes([0x0A, *range(0x20, 0x7F)])
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")
_UNSEEN = re.compile(f"[{_INVISIBLE}]")
_BEYOND = re.compile(f"[{_RARE}]")


def _first_letters() -> str:
    """Return the characters GBK makes of the first two bytes of a Chinese character in UTF-8."""
    pairs = [bytes([lead, trail]) for lead in range(0xE3, 0xF0) for trail in range(0x80, 0xC0)]
    return "".join(pair.decode("gb18030", errors="ignore") for pair in pairs)


#: A text whose first character beyond ASCII may be half of one in UTF-8, read as GBK.
_MISREAD_GBK = re.compile(f"[ -~]*[{_first_letters()}]")
_AFTER_LINE_END = re.compile(f"\n{_MISREAD_GBK.pattern}")


def seen(text: str) -> str:
    """Return `text` without what cannot be seen: for comparing codes, never for keeping them."""
    return _UNSEEN.sub("", _CONTROL.sub("", text))


def _western(error: UnicodeError) -> tuple[bytes, int]:
    """Let the five codes Windows-1252 leaves open stand for themselves, as its readers do."""
    if isinstance(error, UnicodeEncodeError) and 0x80 <= ord(error.object[error.start]) < 0xA0:
        return bytes([ord(error.object[error.start])]), error.start + 1
    raise error


def _chinese(error: UnicodeError) -> tuple[bytes, int]:
    """Give the byte of the euro sign in Windows' GBK, and the code of what only GB 18030 has."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    one = error.object[error.start]
    code = b"\x80" if one == "\u20ac" else one.encode("gb18030")
    if len(code) > 2:
        raise error
    return code, error.start + 1


codecs.register_error("swc_zoning.cp1252", _western)
codecs.register_error("swc_zoning.gbk", _chinese)


def undone(text: str, through: str) -> str | None:
    """Return what `text` was before its UTF-8 was read as `through`; None where it was not.

    The bytes must be whole UTF-8; through GBK they must also give Chinese that is more common than
    what stands there, because some Chinese words are valid UTF-8 by accident.
    """
    try:
        found = text.encode(through, f"swc_zoning.{through}").decode("utf-8")
    except UnicodeError:
        return None
    if found == text or (through == "gbk" and not _likelier(found, text)):
        return None
    return undone(found, through) or found


def _likelier(found: str, text: str) -> bool:
    common = common_share(found)
    return common > COMMON and common > common_share(text)


def is_lost(text: str) -> bool:
    """Return whether `text` is UTF-8 read as GBK of which an odd byte was lost for good."""
    rest = text.rstrip("?\ufffd")
    if rest == text or rest.isascii():
        return False
    try:
        raw = rest.encode("gbk", "swc_zoning.gbk")
    except UnicodeError:
        return False
    kept = whole_part(raw, "utf-8")
    return len(kept) < len(raw) and _likelier(kept.decode("utf-8"), rest)


@dataclass(frozen=True)
class Oddities:
    """The distinct texts of a column that are not plain, by what is odd about them."""

    double: Mapping[str, Mapping[str, str]]  # through -> text -> what it was
    lost: tuple[str, ...]
    control: tuple[str, ...]
    unseen: tuple[str, ...]
    beyond: tuple[str, ...]
    long: tuple[str, ...]

    def __bool__(self) -> bool:
        return any(vars(self).values())


_NOTHING_ODD = Oddities({}, (), (), (), (), ())


def oddities(texts: Sequence[str]) -> Oddities:
    """Return what is odd about the texts of a column; a pass over all of them at once settles most."""
    joined = "\n".join(texts)
    lines = set(texts) if not is_plain(joined, len(texts)) or len(joined) > _LONG * len(texts) else set()
    if not lines and len(joined) <= _LONG:
        return _NOTHING_ODD
    odd = [text for text in lines if _SUSPECT.search(text)]
    maybe = [text for text in lines if _MISREAD_GBK.match(text)]
    double = {"cp1252": _undoable(odd, "cp1252"), "gbk": _undoable(maybe, "gbk")}
    words = [row["word"] for row in known_data()["lost_words"]]
    gone = {text for text in odd if any(word in text for word in words)}
    gone.update(text for text in maybe if is_lost(text))
    plain = [text for text in odd if text not in double["cp1252"]]
    return Oddities(
        {through: found for through, found in double.items() if found},
        tuple(sorted(gone)),
        *(tuple(sorted(t for t in plain if kind.search(t))) for kind in (_CONTROL, _UNSEEN, _BEYOND)),
        tuple(sorted({text for text in texts if len(text) > _LONG})),
    )


def is_plain(joined: str, count: int) -> bool:
    """Return whether `count` texts joined by line ends hold nothing odd."""
    if joined.count("\n") != max(0, count - 1):
        return False
    if joined.isascii():
        return not joined.encode("ascii").translate(None, _PLAIN_ASCII)
    if _MISREAD_GBK.match(joined) or _AFTER_LINE_END.search(joined):
        return False
    return not _SUSPECT.search(joined.replace("\n", ""))


def _undoable(texts: Iterable[str], through: str) -> dict[str, str]:
    found = ((text, undone(text, through)) for text in texts)
    return {text: was for text, was in found if was is not None}


def restored(columns: Mapping[str, np.ndarray], through: str) -> tuple[dict[str, np.ndarray], int]:
    """Return the columns with every text that can be turned back turned back, and how many values were."""
    made, count = {}, 0
    ways = THROUGH if through == ANY else (through,)
    for name, values in columns.items():
        texts = set(texts_of(values))
        known = {text: was for way in ways for text, was in _undoable(texts, way).items()}
        made[name] = values
        if known:
            made[name] = values.copy()
            rows = [row for row, value in enumerate(values.tolist()) if value in known]
            for row in rows:
                made[name][row] = known[values[row]]
            count += len(rows)
    return made, count


def texts_of(values: np.ndarray) -> list[str]:
    """Return the values of a column that are text, in their order."""
    return [value for value in values.tolist() if isinstance(value, str)]


def tell_texts(
    columns: Mapping[str, np.ndarray], names: Sequence[str], entry: int | None
) -> Iterator[Finding]:
    """Yield what is odd about the texts of a layer as read, a field at a time; `names` are its fields."""
    double: dict[str, list[tuple[str, int, Mapping[str, str], str]]] = {}
    for field, values in columns.items():
        texts = texts_of(values)
        found = oddities(texts)
        if not found:
            continue
        wide = sum(not text.isascii() for text in set(texts))
        for through, texts in found.double.items():
            double.setdefault(through, []).append((field, _rows(values, texts), texts, str(wide)))
        yield from _tell_odd(field, values, found)
    bad_names = {name: was for name in names for was in [_name_undone(name)] if was}
    for through, fields in double.items():
        undo = through if len(double) == 1 else ANY
        yield _double(through, undo, fields, bad_names, entry)


def _rows(values: np.ndarray, texts: Iterable[str]) -> int:
    wanted = set(texts)
    return sum(value in wanted for value in values.tolist() if isinstance(value, str))


def _double(
    through: str,
    undo: str,
    fields: list[tuple[str, int, Mapping[str, str], str]],
    names: Mapping[str, str],
    entry: int | None,
) -> Finding:
    before, after = min(fields[0][2].items(), key=lambda pair: (len(pair[0]), pair[0]))
    facts = {
        "through": through,
        "fields": ", ".join(field for field, *_ in fields),
        "count": sum(count for _, count, *_ in fields),
        "before": short(before),
        "after": short(after),
        "names": dict(names),
        "distinct": {field: f"{len(texts)}/{wide}" for field, _, texts, wide in fields},
    }
    # Western letters that happen to be whole UTF-8, or all text of a field turning into Chinese: no accident.
    proved = all(through == "cp1252" or str(len(texts)) == wide for _, _, texts, wide in fields)
    return Finding("encodings.double", facts, fixes=(Fix(entry, {"undo_encoding": undo}, sure=proved),))


def _name_undone(name: str) -> str | None:
    if name.isascii():
        return None
    return undone(name, "cp1252") or undone(name, "gbk")


def true_name(name: str) -> str:
    """Return the name of a field as it was before its UTF-8 was read as something else."""
    return _name_undone(name) or name


def _tell_odd(field: str, values: np.ndarray, found: Oddities) -> Iterator[Finding]:
    for kind in ("lost", "control", "unseen", "beyond"):
        texts = getattr(found, kind)
        if texts:
            facts = {"field": field, "count": _rows(values, texts), "example": short(min(texts, key=len))}
            pattern = {"control": _CONTROL, "unseen": _UNSEEN, "beyond": _BEYOND}.get(kind)
            if pattern:
                facts["characters"] = _named(texts, pattern)
            yield Finding(f"encodings.{kind}", facts)
    if found.long:
        longest = max(map(len, found.long))
        count = _rows(values, found.long)
        yield Finding("attributes.text_long", {"field": field, "count": count, "length": longest})


def _named(texts: Sequence[str], pattern: re.Pattern[str]) -> str:
    """Return the characters found by code and name, the seen ones themselves too."""
    found = sorted({one for text in texts for one in pattern.findall(text)})
    named = [f"{one if one.isprintable() else ''}U+{ord(one):04X} {_name_of(one)}".strip() for one in found]
    return ", ".join(named[:_SOME]) + (" …" if len(named) > _SOME else "")


def _name_of(character: str) -> str:
    known = {"Co": "PRIVATE USE", "Cc": "CONTROL", "Cn": "UNASSIGNED"}
    return unicodedata.name(character, known.get(unicodedata.category(character), ""))
