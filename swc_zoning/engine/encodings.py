# SPDX-License-Identifier: GPL-2.0-or-later
"""The encoding doctor for the bytes of a dBASE table (Shapefile): what they say, and what they lost.

Which encoding they are in, whether the declared one can be true, what the width of a field cut off
and what stands in another encoding than the rest. Inputs are never changed: :func:`whole` gives
readers a mended copy. What became of text before it reached a file of any format is told by
:mod:`characters`.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from swc_zoning.engine import scratch, shapefile
from swc_zoning.engine.messages import Finding, Fix, SwcError
from swc_zoning.paths import resource

#: Text encoding of a Shapefile: how it came to be known.
ORIGINS = ("native", "given", "declared", "detected", "contradicted", "assumed")
#: Share of the values one encoding must fit to be taken where none fits all: our choice.
_MOSTLY = 0.5
#: Share of the characters that must be among the 3755 common ones (GB 2312 level 1): our choice.
COMMON = 0.5
#: The same, and so many characters at most, where bytes are valid UTF-8 too but give no Chinese.
_SURELY, _FEW = 0.95, 6
_LONGEST_SAMPLE, _SOME = 40, 5
_LDID_BYTE, _NAME_BYTES, _NAME_LENGTH = 29, 11, 10
#: Fields at least this wide hold free text: a value that fills one is hardly whole by chance; our choice.
_FREE_TEXT = 50
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
    in which a NUL ends what readers see; `full` are values that leave no room for another character.
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
    full: tuple[Cut, ...]


@lru_cache(maxsize=1)
def known_data() -> dict[str, Any]:
    """Return what is known of encodings: the document of ``resources/encodings.json``."""
    return json.loads(resource("encodings.json").read_text(encoding="utf-8"))


# --- which encoding -------------------------------------------------------------


def encoding_of(path: str, given: str | None) -> tuple[str | None, str]:
    """Return (encoding, origin of ORIGINS) for the text of `path`; (None, "native") where a format says.

    Raises SwcError ``intake.encoding_unknown`` where `given` is no encoding.
    """
    if given:
        _known_encoding(given)
    if _is_text_file(Path(path)):
        return None, "native"  # read from a copy in UTF-8 where it is in another encoding
    if Path(path).suffix.lower() == ".gpkg":
        return None, "native"  # UTF-8 by its standard, whatever the source it was made from is in
    if Path(path).suffix.lower() != ".shp":
        return (given, "given") if given else (None, "native")
    if given:
        return given, "given"
    table = shapefile.part(Path(path), ".dbf")
    return detect_encoding(table, declared_by(Path(path))[0]) if table else ("UTF-8", "native")


def detect_encoding(dbf: Path, declared: str | None = None) -> tuple[str, str]:
    """Return (encoding, origin) of the text in a dBASE table by its bytes.

    Bytes that are valid UTF-8 are UTF-8; else bytes that are valid GB 18030 and give more Chinese
    characters than Latin letters are GB18030; else what fits most of them, "assumed", ISO-8859-1 at
    last. A declaration is believed unless the bytes contradict it: they cannot be read so, or they
    are whole UTF-8 Chinese, which text of another encoding is by no accident of several characters.
    Plain ASCII is "native": every reader has it right.
    """
    return _detected(_scan(dbf).distinct, declared)


def _detected(values: Sequence[bytes], declared: str | None) -> tuple[str, str]:
    if not values:
        return declared or "UTF-8", "native"
    if declared and _decodes(values, declared) and not _denied(values, declared):
        return declared, "declared"
    if _decodes(values, "UTF-8"):
        if not declared and _is_doubtful(values):
            return "GB18030", "assumed"
        return "UTF-8", "contradicted" if declared else "detected"
    if _decodes(values, "GB18030") and _reads_chinese(values):
        return "GB18030", "contradicted" if declared else "detected"
    return _best_of(values), "assumed"


def examine(source: str | Path, given: str | None = None) -> Text | None:
    """Return what the bytes of a Shapefile's table, or of a file that is text, say.

    None for another format, for plain ASCII, and for text files in UTF-8.

    Raises SwcError ``intake.encoding_unknown`` as :func:`encoding_of`.
    """
    path = Path(source)
    if _is_text_file(path):
        return _examine_file(path, given)
    dbf = shapefile.part(path, ".dbf") if path.suffix.lower() == ".shp" else None
    scan = _scan(dbf) if dbf else None
    if scan is None or not (scan.distinct or scan.ended or _has_twins(scan)):
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
        full=tuple(_full(scan, str(encoding))),
    )


def declared_by(path: Path) -> tuple[str | None, str]:
    """Return (encoding, "cpg" or "ldid") a Shapefile declares; (None, "") where it says none we know."""
    page, table = shapefile.part(path, ".cpg"), shapefile.part(path, ".dbf")
    if page is not None:
        name = _page_name(page.read_text(encoding="ascii", errors="replace").strip())
        if name:
            return name, "cpg"
    if table is None:
        return None, ""
    with table.open("rb") as stream:
        head = stream.read(_LDID_BYTE + 1)
    row = known_data()["ldid"].get(f"0x{head[_LDID_BYTE]:02x}") if len(head) > _LDID_BYTE else None
    return (row["encoding"], "ldid") if row else (None, "")


def _page_name(text: str) -> str | None:
    name = f"cp{text}" if text.isdigit() and text != "65001" else text.replace("65001", "utf-8")
    try:
        return None if name.lower() in known_data()["nothing_said"] else codecs.lookup(name).name
    except LookupError:
        return None


def _known_encoding(name: str) -> None:
    try:
        codecs.lookup(name)
    except LookupError as error:
        raise SwcError("intake.encoding_unknown", encoding=name) from error


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
        # Chinese text in GBK passes for UTF-8 now and then, but gives Greek or Latin letters then.
        return _reads_utf8(values) or not (_is_chinese(declared) or _is_wide(declared))
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


def _reads_common(values: Sequence[bytes], share: float = COMMON) -> bool:
    return common_share("".join(_loosely(value, "GB18030") for value in _some_of(values))) > share


def _is_doubtful(values: Sequence[bytes]) -> bool:
    """Return whether a few characters are valid UTF-8 but no Chinese, and all common Chinese in GB 18030.

    Of the common characters one in six is valid UTF-8 in GBK: more than a few in a row are no accident.
    """
    if sum(map(len, values)) > 2 * _FEW or _reads_utf8(values):
        return False
    return _reads_common(values, _SURELY) and _reads_chinese(values)


def _reads_utf8(values: Sequence[bytes]) -> bool:
    """Return whether valid UTF-8 gives Chinese too."""
    return common_share("".join(_loosely(value, "UTF-8") for value in _some_of(values))) > COMMON


def common_share(text: str) -> float:
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
    return short(whole_part(value, encoding).decode(encoding, errors="replace"))


def short(text: str) -> str:
    """Return a text fit for a sentence: not long, and with nothing that cannot be seen."""
    shown = "".join(one if one.isprintable() else f"<U+{ord(one):04X}>" for one in text[:_LONGEST_SAMPLE])
    return shown + "…" if len(text) > _LONGEST_SAMPLE else shown


# --- what is in a table ----------------------------------------------------------------


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

    def rows_of(self, field: _Field, values: Sequence[bytes]) -> dict[bytes, list[int]]:
        """Return the rows (from 0) of each of some values of a text field, blanks and NULs after them off."""
        column = np.ascontiguousarray(self.records()[:, field.start : field.start + field.size])
        found: dict[bytes, list[int]] = {value: [] for value in values}
        for row, value in enumerate(column.view(f"S{field.size}").ravel().tolist()):
            plain = value.rstrip(b" \0")
            if plain in found:
                found[plain].append(row)
        return found


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
        if field.text and field.size and field.start + field.size <= width:
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


def whole_part(value: bytes, encoding: str) -> bytes:
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
    return [value for value in values if len(whole_part(value, encoding)) < len(value)]


def _cuts(scan: _Scan, encoding: str) -> Iterator[Cut]:
    for number, field in enumerate(scan.fields):
        if _cut_values([field.name], encoding):
            yield Cut(_shown(field.name, encoding), len(field.name), ())
        cut = _cut_values(scan.by_field.get(number, ()), encoding)
        if cut:
            yield _cut(scan, field, cut, encoding)


def _cut(scan: _Scan, field: _Field, values: Sequence[bytes], encoding: str) -> Cut:
    rows = sorted(row + 1 for found in scan.rows_of(field, values).values() for row in found)
    return Cut(_shown(field.name, encoding), field.size, tuple(rows))


def _full(scan: _Scan, encoding: str) -> Iterator[Cut]:
    """Yield the long values that end where their field does: writers that cut at whole characters do so."""
    one_more = len("水".encode(encoding, "replace"))
    for number, field in enumerate(scan.fields):
        if field.size >= _FREE_TEXT:
            full = [v for v in scan.by_field.get(number, ()) if len(v) > field.size - one_more]
            full = [value for value in full if len(whole_part(value, encoding)) == len(value)]
            if full:
                yield _cut(scan, field, full, encoding)


def _has_twins(scan: _Scan) -> bool:
    return len({field.name.lower() for field in scan.fields}) < len(scan.fields)


def _names(scan: _Scan, encoding: str) -> list[tuple[bytes, bytes]]:
    """Return for each field its name in whole characters and the name it has on the copy, unlike any other.

    What 10 bytes leave of two names may be the same; readers then give either of the two.
    """
    plain = [_readable(field.name, encoding, _NAME_LENGTH) for field in scan.fields]
    taken: set[bytes] = set()
    made = []
    for name in plain:
        new, count = name, 1
        while new.lower() in taken or (new != name and new in plain):
            count += 1
            tail = f"_{count}".encode("ascii")
            new = whole_part(name[: _NAME_LENGTH - len(tail)], encoding) + tail
        taken.add(new.lower())
        made.append((name, new))
    return made


def _doubled(scan: _Scan, encoding: str) -> Iterator[tuple[str, str]]:
    for name, new in _names(scan, encoding):
        if name != new:
            yield _shown(name, encoding), _shown(new, encoding)


def _ended(scan: _Scan, encoding: str) -> Iterator[Cut]:
    for number, rows in scan.ended.items():
        field = scan.fields[number]
        yield Cut(_shown(field.name, encoding), field.size, rows)


@contextmanager
def whole(path: str, given: str | None) -> Iterator[str]:
    """Yield `path`, or a copy whose text every reader can read.

    A field of fixed width may end within a character, and a table may hold values in two encodings;
    readers then refuse it or drop the value. On the copy the half is blank, and bytes the encoding
    does not have are "?". GeoJSON and CSV in another encoding than UTF-8 are UTF-8 on the copy.
    """
    source = Path(path)
    if source.suffix.lower() not in (".shp", *_TEXT_FILES):
        yield path
        return
    with scratch.folder("mended") as folder:
        yield _mended_table(source, given, folder) or _in_utf8(source, given, folder) or path


def _mended_table(source: Path, given: str | None, folder: Path) -> str | None:
    """Write a mended copy of a Shapefile to `folder` if it needs one; return its path."""
    dbf = shapefile.part(source, ".dbf") if source.suffix.lower() == ".shp" else None
    encoding = encoding_of(str(source), given)[0] if dbf else None
    mended = _mended(_scan(dbf), encoding) if dbf and encoding else None
    if dbf is None or mended is None:
        return None
    for suffix in (".shp", ".shx", ".prj", shapefile.DAMAGED_PRJ, ".cpg"):
        part = shapefile.part(source, suffix)
        if part is not None:
            scratch.bring(part, folder / part.name)
    (folder / dbf.name).write_bytes(mended)
    return str(folder / source.name)


def _mended(scan: _Scan, encoding: str) -> bytes | None:
    """Return the table with what `encoding` cannot read taken out; None where all is well."""
    names = [new for _, new in _names(scan, encoding)]
    if names == [field.name for field in scan.fields] and _is_whole(scan.distinct, encoding):
        return None
    table = np.fromfile(scan.path, dtype=np.uint8)
    for name, field in zip(names, scan.fields):
        table[field.at : field.at + _NAME_BYTES] = np.frombuffer(name.ljust(_NAME_BYTES, b"\0"), np.uint8)
    count = (len(table) - scan.header) // scan.width if scan.width else 0
    records = table[scan.header : scan.header + count * scan.width].reshape(count, max(scan.width, 1))
    for number, field in enumerate(scan.fields):
        values = scan.by_field.get(number, frozenset())
        better = (
            {} if _is_whole(values, encoding) else {v: _readable(v, encoding, field.size) for v in values}
        )
        bad = [value for value, other in better.items() if other != value]
        for value, rows in scan.rows_of(field, bad).items() if bad else ():
            cells = np.frombuffer(better[value].ljust(field.size), np.uint8)
            records[rows, field.start : field.start + field.size] = cells
    return table.tobytes()


def _readable(value: bytes, encoding: str, room: int) -> bytes:
    """Return `value` as `encoding` reads it, in `room` bytes: whole, from another encoding, or with "?"."""
    kept = whole_part(value, encoding)
    if _is_whole([kept], encoding):
        return kept
    other = _from_another(value, encoding)
    if other is not None and len(other) <= room:
        return other
    return kept.decode(encoding, errors="replace").replace("\ufffd", "?").encode(encoding)[: len(value)]


def _from_another(value: bytes, encoding: str) -> bytes | None:
    """Return a value that is plainly Chinese in another encoding than its table, in that of the table."""
    for name in ("UTF-8", "GB18030"):
        if _is_whole([value], name) and common_share(value.decode(name)) > COMMON:
            try:
                return value.decode(name).encode(encoding)
            except UnicodeEncodeError:
                return None
    return None


# --- files that are text ----------------------------------------------------------------------------

_TEXT_FILES = (".geojson", ".json", ".geojsonl", ".csv")
_BLOCK = 1 << 20
#: Runs of text beyond ASCII between the marks of JSON and CSV.
_RUN = re.compile(rb"[^\x00-\x1f\",:{}\[\]]*[\x80-\xff][^\x00-\x1f\",:{}\[\]]*")
_MARKED = ((codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


def _is_text_file(path: Path) -> bool:
    return path.suffix.lower() in _TEXT_FILES and path.is_file()


def _in_utf8(source: Path, given: str | None, folder: Path) -> str | None:
    """Write a text file to `folder` in UTF-8 if it is in another encoding; return its path."""
    encoding = _file_encoding(source, given)[0] if _is_text_file(source) else None
    if not encoding:
        return None
    target = folder / source.name
    opened = source.open(encoding=encoding, errors="replace", newline="")
    with opened as old, target.open("w", encoding="utf-8", newline="") as new:
        for block in iter(lambda: old.read(_BLOCK), ""):
            new.write(block)
    return str(target)


def _file_encoding(path: Path, given: str | None) -> tuple[str | None, str]:
    """Return (encoding, origin) of a text file; (None, "native") where it is UTF-8."""
    about = path.stat()
    return _read_encoding(path, given, about.st_size, about.st_mtime_ns)


@lru_cache(maxsize=8)
def _read_encoding(path: Path, given: str | None, size: int, changed: int) -> tuple[str | None, str]:
    if is_utf8(path):
        return None, "native"
    with path.open("rb") as stream:
        head = stream.read(4)
    marked = next((name for mark, name in _MARKED if head.startswith(mark)), None)
    if marked:
        return marked, "declared"
    return (given, "given") if given else _detected(_runs(path), None)


def is_utf8(path: Path) -> bool:
    """Return whether all bytes of a file are UTF-8."""
    decoder = codecs.getincrementaldecoder("utf-8")("strict")
    try:
        with path.open("rb") as stream:
            for block in iter(lambda: stream.read(_BLOCK), b""):
                decoder.decode(block)
            decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _runs(path: Path) -> tuple[bytes, ...]:
    """Return distinct runs of text beyond ASCII of a text file, some 2000 at most, sorted."""
    found: set[bytes] = set()
    with path.open("rb") as stream:
        for line in stream:
            found.update(_RUN.findall(line))
            if len(found) > _LOOKED_AT:
                break
    return tuple(sorted(found))


def _examine_file(path: Path, given: str | None) -> Text | None:
    encoding, origin = _file_encoding(path, given)
    if encoding is None or origin == "declared":
        return None
    runs = _runs(path)
    candidates = _candidates(runs, encoding, given)
    unfit = _unfit(runs, encoding)
    return Text(encoding, origin, None, "", len(runs), (), unfit, candidates, (), (), (), ())


# --- what is told ----------------------------------------------------------------------------


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
    for cut in text.full:
        yield Finding("encodings.values_full", _cut_facts(cut))


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
        "as_declared": _as_declared(text),
        "candidates": [vars(one) for one in text.candidates],
    }


def _as_declared(text: Text) -> str:
    """Return the sample as it reads in the declared encoding; "" where none is declared."""
    if text.declared is None:
        return ""
    same = codecs.lookup(text.declared).name
    return next((one.sample for one in text.candidates if codecs.lookup(one.encoding).name == same), "")


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
