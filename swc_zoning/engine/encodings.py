# SPDX-License-Identifier: GPL-2.0-or-later
"""The encoding doctor: what the bytes of a text say, and what became of text on its way to us.

Two rooms of one house. The first reads the bytes of a dBASE table (Shapefile): which encoding they
are in, whether the declared one can be true, what the width of a field cut off. The second looks at
text as it was read, of any format: UTF-8 that was read as another encoding and written again,
characters that cannot be seen, that stand for loss, or that GBK does not have. Inputs are never
changed: :func:`whole` reads a mended copy, :func:`restored` works on what was read.
"""

from __future__ import annotations

import codecs
import json
import os
import re
import shutil
import tempfile
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from swc_zoning.engine.messages import Finding, Fix, SwcError
from swc_zoning.paths import resource

#: Encodings through which UTF-8 is found read and written again, as a job names them; all of them.
THROUGH, ANY = ("cp1252", "gbk"), "any"
#: Text encoding of a Shapefile: how it came to be known.
ORIGINS = ("native", "given", "declared", "detected", "contradicted", "assumed")
#: Share of the values one encoding must fit to be taken where none fits all: our choice.
_MOSTLY = 0.5
#: Share of the characters that must be among the 3755 common ones (GB 2312 level 1): our choice.
_COMMON = 0.5
_LONGEST_SAMPLE, _SOME = 40, 5
#: Longer values are told: they are no names.
_LONG = 10_000
_LDID_BYTE, _NAME_BYTES, _NAME_LENGTH = 29, 11, 10
#: So many of the distinct values are read in every encoding to tell what they look like.
_LOOKED_AT = 2000
_CHINESE = ("gbk", "gb18030", "gb2312", "cp936", "hz")


@dataclass(frozen=True)
class Candidate:
    """One encoding the text may be in: how many of the values it can read, and how they look then."""

    encoding: str
    reads: int
    count: int
    sample: str


@dataclass(frozen=True)
class Cut:
    """Half a character at the end of field names (`rows` empty) or of values of a field."""

    field: str
    width: int
    rows: tuple[int, ...]


@dataclass(frozen=True)
class Text:
    """What the bytes of a dBASE table say: `count` distinct texts beyond ASCII, `unfit` of them unreadable.

    `declared` is what the .cpg or, without one, the language byte says, None where it is nothing;
    `contradicting` are texts it cannot read and `candidates` counts, both of some 2000 texts;
    `doubled` are names that stand twice and what the second is called on the copy; `ended` are values
    in which a NUL ends what readers see.
    """

    encoding: str
    origin: str
    declared: str | None
    declared_by: str
    count: int
    contradicting: tuple[bytes, ...]
    unfit: tuple[bytes, ...]
    candidates: tuple[Candidate, ...]
    cuts: tuple[Cut, ...]
    doubled: tuple[tuple[str, str], ...]
    ended: tuple[Cut, ...]


@lru_cache(maxsize=1)
def _document() -> dict[str, Any]:
    return json.loads(resource("encodings.json").read_text(encoding="utf-8"))


# --- bytes: the encoding of a Shapefile -------------------------------------------------------------


def encoding_of(path: str, given: str | None) -> tuple[str | None, str]:
    """Return (encoding, origin of ORIGINS) for the text of `path`; (None, "native") where a format says.

    Raises SwcError ``intake.encoding_unknown`` where `given` is no encoding.
    """
    if Path(path).suffix.lower() != ".shp":
        return (given, "given") if given else (None, "native")
    if given:
        return _known_encoding(given), "given"
    table = _sibling(Path(path), ".dbf")
    return detect_encoding(table, declared_by(Path(path))[0]) if table else ("UTF-8", "native")


def detect_encoding(dbf: Path, declared: str | None = None) -> tuple[str, str]:
    """Return (encoding, origin) of the text in a dBASE table by its bytes.

    Bytes that are valid UTF-8 are UTF-8; else bytes that are valid GB 18030 and give more Chinese
    characters than Latin letters are GB18030; else what fits most of them, "assumed", ISO-8859-1 at
    last. A declaration is believed unless the bytes contradict it: they cannot be read so, or they
    are whole UTF-8 Chinese, which text of another encoding is by no accident of several characters.
    Plain ASCII is "native": every reader has it right.
    """
    values = _scan(dbf).distinct
    if not values:
        return declared or "UTF-8", "native"
    if declared and _decodes(values, declared) and not _denied(values, declared):
        return declared, "declared"
    if _decodes(values, "UTF-8"):
        return "UTF-8", "contradicted" if declared else "detected"
    if _decodes(values, "GB18030") and _reads_chinese(values):
        return "GB18030", "contradicted" if declared else "detected"
    return _best_of(values), "assumed"


def examine(source: str | Path, given: str | None = None) -> Text | None:
    """Return what the bytes of a Shapefile's table say; None for another format or plain ASCII.

    Raises SwcError ``intake.encoding_unknown`` as :func:`encoding_of`.
    """
    path = Path(source)
    dbf = _sibling(path, ".dbf") if path.suffix.lower() == ".shp" else None
    scan = _scan(dbf) if dbf else None
    if scan is None or not (scan.distinct or scan.ended or _twice(scan)):
        return None
    encoding, origin = encoding_of(str(path), given)
    declared, by = declared_by(path)
    said = given or declared
    return Text(
        encoding=str(encoding),
        origin=origin,
        declared=declared,
        declared_by=by,
        count=len(scan.distinct),
        contradicting=_unfit(_some_of(scan.distinct), said) if said else (),
        unfit=_unfit(scan.distinct, str(encoding)),
        candidates=_candidates(_some_of(scan.distinct), str(encoding), said),
        cuts=tuple(_cuts(scan, str(encoding))),
        doubled=tuple(_doubled(scan, str(encoding))),
        ended=tuple(_ended(scan, str(encoding))),
    )


def declared_by(path: Path) -> tuple[str | None, str]:
    """Return (encoding, "cpg" or "ldid") a Shapefile declares; (None, "") where it says none we know."""
    page, table = _sibling(path, ".cpg"), _sibling(path, ".dbf")
    if page is not None:
        name = _page_name(page.read_text(encoding="ascii", errors="replace").strip())
        if name:
            return name, "cpg"
    if table is None:
        return None, ""
    with table.open("rb") as stream:
        head = stream.read(_LDID_BYTE + 1)
    row = _document()["ldid"].get(f"0x{head[_LDID_BYTE]:02x}") if len(head) > _LDID_BYTE else None
    return (row["encoding"], "ldid") if row else (None, "")


def _page_name(text: str) -> str | None:
    name = f"cp{text}" if text.isdigit() and text != "65001" else text.replace("65001", "utf-8")
    try:
        return None if name.lower() in _document()["nothing_said"] else codecs.lookup(name).name
    except LookupError:
        return None


def _sibling(path: Path, suffix: str) -> Path | None:
    beside = (path.with_suffix(case) for case in (suffix, suffix.upper()))
    return next((part for part in beside if part.exists()), None)


def _known_encoding(name: str) -> str:
    try:
        codecs.lookup(name)
    except LookupError as error:
        raise SwcError("intake.encoding_unknown", encoding=name) from error
    return name


def _decodes(values: Sequence[bytes], encoding: str) -> bool:
    """Return whether all `values` decode; half a character cut off by the field width is allowed."""
    return _is_whole(values, encoding) or not _unfit(values, encoding, most=1)


def _is_whole(values: Iterable[bytes], encoding: str) -> bool:
    """Return whether `values` decode to their last character; no encoding here has a line end within one."""
    try:
        b"\n".join(values).decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _some_of(values: Sequence[bytes]) -> Sequence[bytes]:
    return values[:: max(1, len(values) // _LOOKED_AT)]


def _unfit(values: Sequence[bytes], encoding: str, most: int | None = None) -> tuple[bytes, ...]:
    """Return the first `most` of the values that `encoding` cannot read."""
    decoder, bad = codecs.getincrementaldecoder(encoding), list[bytes]()
    if most is None and _is_whole(values, encoding):
        return ()
    for value in values:
        try:
            decoder("strict").decode(value)
        except UnicodeDecodeError:
            bad.append(value)
            if len(bad) == most:
                break
    return tuple(bad)


def _is_chinese(encoding: str) -> bool:
    return codecs.lookup(encoding).name in _CHINESE


def _denied(values: Sequence[bytes], declared: str) -> bool:
    """Return whether bytes that `declared` can read are plainly something else."""
    if codecs.lookup(declared).name == "utf-8":
        return False
    if _decodes(values, "UTF-8"):
        text = "".join(_loosely(value, "UTF-8") for value in _some_of(values))
        # Chinese text in GBK passes for UTF-8 now and then, but gives Greek or Latin letters then.
        return _common(text) > _COMMON or not (_is_chinese(declared) or _is_wide(declared))
    single = not (_is_chinese(declared) or _is_wide(declared))
    return single and _decodes(values, "GB18030") and _reads_chinese(values) and _reads_common(values)


def _is_wide(encoding: str) -> bool:
    """Return whether some characters of `encoding` take two bytes."""
    return codecs.lookup(encoding).name in ("big5", "cp950", "big5hkscs", "cp932", "shift_jis", "cp949")


def _reads_chinese(values: Sequence[bytes]) -> bool:
    """Tell GB 18030 from Latin text, whose accented letters also pass as half of a character."""
    text = "".join(_loosely(value, "GB18030") for value in _some_of(values))
    letters = sum(character.isascii() and character.isalpha() for character in text)
    return sum(not character.isascii() for character in text) > letters


def _reads_common(values: Sequence[bytes]) -> bool:
    return _common("".join(_loosely(value, "GB18030") for value in _some_of(values))) > _COMMON


def _common(text: str) -> float:
    """Return the share of common Chinese characters (GB 2312 level 1 and signs) beyond ASCII."""
    wide = [character for character in text if not character.isascii()]
    if not wide:
        return 0.0
    leads = [character.encode("gb2312", "ignore")[:1] for character in wide]
    return sum(b"\xa1" <= lead <= b"\xa3" or b"\xb0" <= lead <= b"\xd7" for lead in leads) / len(wide)


def _best_of(values: Sequence[bytes]) -> str:
    """Return the encoding for bytes that none fits wholly: what fits most of them, Latin at last."""
    values = _some_of(values)
    fits = {name: 1 - len(_unfit(values, name)) / len(values) for name in ("UTF-8", "GB18030")}
    if fits["UTF-8"] > _MOSTLY:
        return "UTF-8"
    return "GB18030" if fits["GB18030"] > _MOSTLY and _reads_common(values) else "ISO-8859-1"


def _loosely(value: bytes, encoding: str) -> str:
    return value.decode(encoding, errors="ignore")


def _candidates(values: Sequence[bytes], encoding: str, declared: str | None) -> tuple[Candidate, ...]:
    """Return the encodings worth a look: the one taken, UTF-8, GB18030 and the declared one."""
    chosen: list[str] = []
    for name in (encoding, "UTF-8", "GB18030", declared or "ISO-8859-1"):
        if codecs.lookup(name).name not in [codecs.lookup(one).name for one in chosen]:
            chosen.append(name)
    shown = max(values, key=len, default=b"")
    return tuple(
        Candidate(name, len(values) - len(_unfit(values, name)), len(values), _shown(shown, name))
        for name in chosen
    )


def _shown(value: bytes, encoding: str) -> str:
    return short(_whole_part(value, encoding).decode(encoding, errors="replace"))


# --- bytes: what is in a dBASE table ----------------------------------------------------------------


@dataclass(frozen=True)
class _Field:
    name: bytes
    at: int  # of the name in the header
    start: int
    size: int
    text: bool


@dataclass(frozen=True)
class _Scan:
    """The fields of a table and its distinct names and values beyond ASCII, sorted."""

    path: Path
    header: int
    width: int
    fields: tuple[_Field, ...]
    distinct: tuple[bytes, ...]
    by_field: Mapping[int, frozenset[bytes]]
    ended: Mapping[int, tuple[int, ...]]

    def records(self) -> np.ndarray:
        """Return the bytes of the records, uint8[n, width]."""
        raw = np.memmap(self.path, dtype=np.uint8, mode="r")
        count = (len(raw) - self.header) // self.width if self.width else 0
        return raw[self.header : self.header + max(count, 0) * self.width].reshape(-1, max(self.width, 1))

    def column(self, field: _Field) -> np.ndarray:
        """Return the values of a text field as byte strings, trailing blanks on."""
        column = np.ascontiguousarray(self.records()[:, field.start : field.start + field.size])
        return column.view(f"S{field.size}").ravel()


def _scan(dbf: Path) -> _Scan:
    about = dbf.stat()
    return _scanned(dbf, about.st_size, about.st_mtime_ns)


@lru_cache(maxsize=4)
def _scanned(dbf: Path, size: int, changed: int) -> _Scan:
    """Read a table once, however often it is asked about; size and time tell another table."""
    with dbf.open("rb") as stream:
        head = stream.read(12)
        header, width = (int.from_bytes(head[at : at + 2], "little") for at in (8, 10))
        fields = tuple(_dbf_fields(head + stream.read(max(0, header - len(head)))))
    scan = _Scan(dbf, header, width, fields, (), {}, {})
    found: dict[int, frozenset[bytes]] = {}
    ended: dict[int, tuple[int, ...]] = {}
    for number, field in enumerate(fields if size > header and width else ()):
        if field.text and field.size:
            column = np.ascontiguousarray(scan.records()[:, field.start : field.start + field.size])
            found[number], ended[number] = _wide_values(column), _ended_rows(column)
    found = {number: values for number, values in found.items() if values}
    ended = {number: rows for number, rows in ended.items() if rows}
    names = {field.name for field in fields if not field.name.isascii()}
    return _Scan(dbf, header, width, fields, tuple(sorted(names.union(*found.values()))), found, ended)


def _wide_values(column: np.ndarray) -> frozenset[bytes]:
    wide = column[(column >= 0x80).any(axis=1)]
    return frozenset(value.rstrip(b" \0") for value in wide.view(f"S{column.shape[1]}").ravel().tolist())


def _ended_rows(column: np.ndarray) -> tuple[int, ...]:
    """Return the rows (from 1) in which text follows a NUL: readers stop there."""
    if column.all():
        return ()
    after = np.logical_or.accumulate(column == 0, axis=1) & (column > ord(" "))
    return tuple((np.flatnonzero(after.any(axis=1)) + 1).tolist())


def _dbf_fields(header: bytes) -> Iterator[_Field]:
    start = 1
    for at in range(32, len(header) - 31, 32):
        if header[at] == 0x0D:
            return
        name = header[at : at + _NAME_BYTES].split(b"\0")[0]
        size = header[at + 16]
        yield _Field(name, at, start, size, header[at + 11 : at + 12] == b"C")
        start += size


def _whole_part(value: bytes, encoding: str) -> bytes:
    """Return `value` without half a character at its end; as it is where that is not what ails it."""
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    try:
        decoder.decode(value)
    except UnicodeDecodeError:
        return value
    pending = decoder.getstate()[0]
    return value[: len(value) - len(pending)] if isinstance(pending, bytes) and pending else value


def _cut_values(values: Iterable[bytes], encoding: str) -> list[bytes]:
    if _is_whole(values, encoding):
        return []
    return [value for value in values if len(_whole_part(value, encoding)) < len(value)]


def _cuts(scan: _Scan, encoding: str) -> Iterator[Cut]:
    for number, field in enumerate(scan.fields):
        if _cut_values([field.name], encoding):
            yield Cut(_shown(field.name, encoding), len(field.name), ())
        cut = _cut_values(scan.by_field.get(number, ()), encoding)
        if cut:
            rows = np.flatnonzero(np.isin(scan.column(field), [_padded(v, field) for v in cut]))
            yield Cut(_shown(field.name, encoding), field.size, tuple((rows + 1).tolist()))


def _twice(scan: _Scan) -> dict[int, int]:
    """Return the number of each field whose name an earlier field has, and how often it stood before."""
    seen: dict[bytes, int] = {}
    later = {}
    for number, field in enumerate(scan.fields):
        name = field.name.lower()
        if name in seen:
            later[number] = seen[name]
        seen[name] = seen.get(name, 0) + 1
    return later


def _new_name(scan: _Scan, number: int, before: int, encoding: str) -> bytes:
    """Return a name of at most 10 bytes that no field has, for one that stands for the second time."""
    taken = {field.name.lower() for field in scan.fields}
    for suffix in range(before + 1, len(scan.fields) + 2):
        tail = f"_{suffix}".encode("ascii")
        whole = _readable(scan.fields[number].name, encoding, _NAME_LENGTH)
        name = _whole_part(whole[: _NAME_LENGTH - len(tail)], encoding) + tail
        if name.lower() not in taken:
            return name
    return scan.fields[number].name


def _doubled(scan: _Scan, encoding: str) -> Iterator[tuple[str, str]]:
    for number, before in _twice(scan).items():
        name = _new_name(scan, number, before, encoding)
        yield _shown(scan.fields[number].name, encoding), _shown(name, encoding)


def _ended(scan: _Scan, encoding: str) -> Iterator[Cut]:
    for number, rows in scan.ended.items():
        field = scan.fields[number]
        yield Cut(_shown(field.name, encoding), field.size, rows)


def _padded(value: bytes, field: _Field) -> bytes:
    return value if len(value) == field.size else value.ljust(field.size)


@contextmanager
def whole(path: str, given: str | None) -> Iterator[str]:
    """Yield `path`, or a copy of a Shapefile whose names and values have no half or alien characters.

    A field of fixed width may end within a character; readers then refuse the table or drop the
    value. On the copy the half is blank, and bytes the encoding does not have are "?".
    """
    source = Path(path)
    dbf = _sibling(source, ".dbf") if source.suffix.lower() == ".shp" else None
    encoding = encoding_of(path, given)[0] if dbf else None
    mended = _mended(_scan(dbf), encoding) if dbf and encoding else None
    if dbf is None or mended is None:
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="swc_zoning_") as folder:
        for suffix in (".shp", ".shx", ".prj", ".cpg"):
            part = _sibling(source, suffix)
            if part is not None:
                _bring(part, Path(folder) / part.name)
        (Path(folder) / dbf.name).write_bytes(mended)
        yield str(Path(folder) / source.name)


def _bring(part: Path, target: Path) -> None:
    """Link a file, or copy it where links are not to be had."""
    try:
        os.symlink(part.absolute(), target)
    except OSError:
        shutil.copyfile(part, target)


def _mended(scan: _Scan, encoding: str) -> bytes | None:
    """Return the table with what `encoding` cannot read taken out; None where all is well."""
    renamed = {n: _new_name(scan, n, before, encoding) for n, before in _twice(scan).items()}
    if not renamed and _is_whole(scan.distinct, encoding):
        return None
    table = np.fromfile(scan.path, dtype=np.uint8)
    for number, field in enumerate(scan.fields):
        name = renamed.get(number) or _readable(field.name, encoding, _NAME_LENGTH)
        table[field.at : field.at + _NAME_BYTES] = np.frombuffer(name.ljust(_NAME_BYTES, b"\0"), np.uint8)
    count = (len(table) - scan.header) // scan.width if scan.width else 0
    records = table[scan.header : scan.header + count * scan.width].reshape(count, -1)
    for number, field in enumerate(scan.fields):
        values = scan.by_field.get(number, frozenset())
        for value in () if _is_whole(values, encoding) else sorted(values):
            better = _readable(value, encoding, field.size)
            if better != value:
                cells = np.frombuffer(better.ljust(field.size), np.uint8)
                rows = scan.column(field) == _padded(value, field)
                records[rows, field.start : field.start + field.size] = cells
    return table.tobytes()


def _readable(value: bytes, encoding: str, room: int) -> bytes:
    """Return `value` as `encoding` reads it, in `room` bytes: whole, from another encoding, or with "?"."""
    kept = _whole_part(value, encoding)
    if _is_whole([kept], encoding):
        return kept
    other = _from_another(value, encoding)
    if other is not None and len(other) <= room:
        return other
    return kept.decode(encoding, errors="replace").replace("\ufffd", "?").encode(encoding)[: len(value)]


def _from_another(value: bytes, encoding: str) -> bytes | None:
    """Return a value that is plainly Chinese in another encoding than its table, in that of the table."""
    for name in ("UTF-8", "GB18030"):
        if _is_whole([value], name) and _common(value.decode(name)) > _COMMON:
            try:
                return value.decode(name).encode(encoding)
            except UnicodeEncodeError:
                return None
    return None


# --- bytes: what is told ----------------------------------------------------------------------------


def tell(text: Text | None, entry: int | None) -> Iterator[Finding]:
    """Yield what is to be said of the bytes of a table, with the encodings a user may choose."""
    if text is None:
        return
    if text.unfit:
        facts = {**_facts(text), "some": _hex(text.unfit), **_recovered(text)}
        yield Finding("encodings.unfit", facts, fixes=_choices(text, entry))
    elif text.origin in ("detected", "contradicted", "assumed"):
        yield Finding(f"intake.encoding_{text.origin}", _facts(text), fixes=_choices(text, entry))
    for name, renamed in text.doubled:
        yield Finding("encodings.names_doubled", {"field": name, "renamed": renamed})
    for cut in text.ended:
        yield Finding("encodings.ended", _cut_facts(cut))
    names = [cut.field for cut in text.cuts if not cut.rows]
    if names:
        yield Finding("encodings.names_cut", {"count": len(names), "fields": ", ".join(names)})
    for cut in text.cuts:
        if cut.rows:
            yield Finding("encodings.values_cut", _cut_facts(cut))


def _cut_facts(cut: Cut) -> dict[str, Any]:
    rows = ", ".join(map(str, cut.rows[:_SOME])) + (" …" if len(cut.rows) > _SOME else "")
    return {"field": cut.field, "width": cut.width, "count": len(cut.rows), "rows": rows}


def _recovered(text: Text) -> dict[str, Any]:
    """Return how many misfits are plainly of another encoding, and one of them."""
    others = {value: _from_another(value, text.encoding) for value in text.unfit}
    found = [other for other in others.values() if other is not None]
    return {"recovered": len(found), "example": short(found[0].decode(text.encoding)) if found else ""}


def _facts(text: Text) -> dict[str, Any]:
    return {
        "encoding": text.encoding,
        "declared": text.declared or "",
        "declared_by": text.declared_by,
        "count": text.count,
        "contradicting": len(text.contradicting),
        "unfit": len(text.unfit),
        "proof": _hex(text.contradicting),
        "sample": text.candidates[0].sample,
        "as_declared": next((one.sample for one in text.candidates if one.encoding == text.declared), ""),
        "candidates": [vars(one) for one in text.candidates],
    }


def _hex(values: Sequence[bytes]) -> str:
    return "; ".join(value[:12].hex(" ") for value in values[:3])


def _choices(text: Text, entry: int | None) -> tuple[Fix, ...]:
    """Return the encodings to choose from; one is sure where it reads all and the others do not."""
    if text.origin in ("detected", "contradicted") and not text.unfit:
        return (Fix(entry, {"encoding": text.encoding}, sure=True),)
    if text.origin == "given":
        ranked = sorted(text.candidates, key=lambda one: -one.reads)
        return tuple(
            Fix(entry, {"encoding": one.encoding}) for one in ranked if one.encoding != text.encoding
        )
    return tuple(Fix(entry, {"encoding": one.encoding}) for one in text.candidates)


# --- text of any format -----------------------------------------------------------------------------

#: What plain text has none of: control, invisible and directing characters, loss, GBK's missing planes,
#: and the pairs that a character of two to four bytes in UTF-8 gives when it is read as Western text.
_INVISIBLE = "\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff"
#: Rare Chinese characters that GBK lacks, private ones, and all beyond the first plane.
_RARE = "\u3400-\u4dbf\u9fa6-\u9fff\ue000-\uf8ff\U00010000-\U0010ffff"
_WESTERN = "".join(bytes([code]).decode("cp1252", "ignore") for code in range(0x80, 0xC0)) + "\u0080-\u009f"
_SUSPECT = re.compile(
    f"[\x00-\x1f\x7f-\x9f{_INVISIBLE}\ufffd锟\ue000-\uf8ff\U00010000-\U0010ffff]|[\u00c2-\u00f4][{_WESTERN}]"
)
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


def short(text: str) -> str:
    """Return a text fit for a sentence: not long, and with nothing that cannot be seen."""
    shown = "".join(one if one.isprintable() else f"<U+{ord(one):04X}>" for one in text[:_LONGEST_SAMPLE])
    return shown + "…" if len(text) > _LONGEST_SAMPLE else shown


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
    common = _common(found)
    return common > _COMMON and common > _common(text)


def is_lost(text: str) -> bool:
    """Return whether `text` is UTF-8 read as GBK of which an odd byte was lost for good."""
    rest = text.rstrip("?\ufffd")
    if rest == text or rest.isascii():
        return False
    try:
        raw = rest.encode("gbk", "swc_zoning.gbk")
    except UnicodeError:
        return False
    kept = _whole_part(raw, "utf-8")
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
    words = [row["word"] for row in _document()["lost_words"]]
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
