# SPDX-License-Identifier: GPL-2.0-or-later
"""Coordinate list texts of land surveys (勘测定界 / 电子报盘): what is written in them, line by line.

``[属性描述]`` holds ``key=value`` lines; ``[地块坐标]`` holds, for each parcel, one attribute line ending in
``@`` and its points ``name,ring,X,Y`` (X north, Y east). Nothing here judges geometry: see `parcels`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from swc_zoning.engine.messages import Finding, SwcError

_SECTION = "地块坐标"
_HEAD_BYTES = 1 << 16
_KINDS = ("点", "线", "面")
#: Full-width ASCII, its blank, and the brackets used in its stead.
_HALF_WIDTH = {
    **{code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)},
    **{ord(sign): " " for sign in "\u3000\u00a0\t"},
    **{ord(sign): None for sign in "\ufeff\u200b"},
    **dict(zip(map(ord, "【】〔〕"), "[][]")),
}
_NUMBER = re.compile(r"[+-]?\d+(?:\.\d*)?")
_DEGREES = re.compile(
    r"(?P<d>\d{1,3})\s*[°º度]\s*(?:(?P<m>\d{1,2})\s*[′'’‘分]\s*)?(?:(?P<s>\d{1,2}(?:\.\d*)?)\s*(?:″|\"|”|“|秒|''|′′))?\s*[NE]?",
    re.IGNORECASE,
)
#: No coordinate of a place on Earth is larger, in degrees or metres, zone number included.
LARGEST_COORDINATE = 1e8
#: Findings of one code told one by one; the rest are counted.
TOLD_ONE_BY_ONE = 20


@dataclass(frozen=True)
class Point:
    """A point as listed: `first` and `second` in file order, degrees already decimal."""

    name: str
    ring: int
    first: float
    second: float
    line: int


@dataclass
class Block:
    """A parcel as listed; `declared_ha` with `decimals` written digits, both counts None where not given."""

    line: int
    no: str = ""
    name: str = ""
    use: str = ""
    land_class: str = ""
    declared_points: int | None = None
    declared_ha: float | None = None
    decimals: int = 0
    points: list[Point] = field(default_factory=list)


@dataclass
class Listing:
    """Everything a file lists. `header` maps keys to (value, line).

    `order` is what the file says the two coordinates are: "north_east", "east_north" or "".
    """

    blocks: list[Block]
    header: dict[str, tuple[str, int]]
    degrees: bool
    order: str
    told: Told


class Told:
    """Findings of one file; of a code that repeats, only the first are told one by one."""

    def __init__(self, label: str) -> None:
        self._label = label
        self._findings: list[Finding] = []
        self._counts: dict[str, int] = {}

    def add(self, code: str, place: tuple[float, float] | None = None, **facts: object) -> None:
        """Tell a finding about this file."""
        self._counts[code] = self._counts.get(code, 0) + 1
        if self._counts[code] <= TOLD_ONE_BY_ONE:
            self._findings.append(Finding(code, {"layer": self._label, **facts}, self._label, place))

    def count(self, code: str, more: int) -> None:
        """Count findings of `code` beyond those told one by one."""
        self._counts[code] = self._counts.get(code, 0) + more

    def findings(self) -> list[Finding]:
        """Return all findings, those left out counted by code."""
        more = []
        for code, count in self._counts.items():
            if count > TOLD_ONE_BY_ONE:
                facts = {"layer": self._label, "count": count - TOLD_ONE_BY_ONE, "repeated": code}
                more.append(Finding("boundary.more", facts, self._label))
        return self._findings + more


def is_coordinate_list(path: Path) -> bool:
    """Return whether the text file `path` has the section ``[地块坐标]`` near its beginning."""
    with path.open("rb") as stream:
        head = stream.read(_HEAD_BYTES)
    return any(
        _SECTION.encode(encoding) in head for encoding in ("utf-8", "gb18030", "utf-16-le", "utf-16-be")
    )


def decoded(path: Path, encoding: str | None = None) -> str:
    """Return the text of `path`: as given, by its byte order mark, as UTF-8, as GB 18030.

    Raises SwcError ``boundary.encoding_unknown``.
    """
    raw = path.read_bytes()
    marked = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
    known = next((name for mark, name in marked.items() if raw.startswith(mark)), None)
    for name in [encoding] if encoding else [known] if known else ["utf-8", "gb18030"]:
        try:
            return raw.decode(name)
        except (UnicodeDecodeError, LookupError):
            continue
    raise SwcError("boundary.encoding_unknown", source=path.name, encoding=encoding or "UTF-8, GB18030")


def parse_number(text: str) -> tuple[float, bool] | None:
    """Return (value, written in degrees) of a plain number or ``110°00′28.20″``, None for anything else."""
    text = text.strip()
    if _NUMBER.fullmatch(text):
        value = float(text)
        return (value, False) if abs(value) < LARGEST_COORDINATE else None
    match = _DEGREES.fullmatch(text)
    if match is None:
        return None
    minutes, seconds = float(match["m"] or 0), float(match["s"] or 0)
    if minutes >= 60 or seconds >= 60:
        return None
    return float(match["d"]) + minutes / 60 + seconds / 3600, True


def read(path: Path, label: str, encoding: str | None = None) -> Listing:
    """Return what a coordinate list says; whatever cannot be understood is a finding with its line.

    Raises SwcError ``boundary.encoding_unknown``.
    """
    reader = _Reader(Told(label))
    for number, line in enumerate(decoded(path, encoding).splitlines(), start=1):
        reader.take(number, line)
    return reader.listing()


class _Reader:
    """Takes a coordinate list line by line."""

    def __init__(self, told: Told) -> None:
        self._told = told
        self._section = ""
        self._header: dict[str, tuple[str, int]] = {}
        self._blocks: list[Block] = []
        self._skipping = False
        self._wide: list[int] = []
        self._degrees: set[bool] = set()

    def take(self, number: int, line: str) -> None:
        text = line.translate(_HALF_WIDTH).strip()
        if not text:
            return
        if text.startswith("[") and text.endswith("]"):
            self._section = text[1:-1].strip()
        elif self._section != _SECTION:
            key, _, value = text.partition("=")
            self._header[key.strip()] = (value.strip(), number)
        elif text.endswith("@"):
            self._attributes(number, _fields(line.strip(), text))
        else:
            self._coordinates(number, text, line)

    def listing(self) -> Listing:
        if self._wide:
            self._told.add("boundary.full_width", count=len(self._wide), line=self._wide[0])
        if len(self._degrees) > 1:
            self._told.add("boundary.units_mixed")
        return Listing(self._blocks, self._header, self._degrees == {True}, "north_east", self._told)

    def _coordinates(self, number: int, text: str, line: str) -> None:
        fields = [part.strip() for part in text.split(",")]
        if len(fields) >= 6 and set(fields[3:6]) & set(_KINDS):
            self._told.add("boundary.at_sign_missing", line=number)
            self._attributes(number, fields)
        elif not self._skipping:
            if not line.isascii() and any(ord(sign) in _HALF_WIDTH for sign in line):
                self._wide.append(number)
            self._point(number, fields, line.strip())

    def _attributes(self, number: int, fields: list[str]) -> None:
        """Take the line of a parcel: points, hectares, number, name, kind, sheet, use, class of land."""
        fields = [*fields, *[""] * (8 - len(fields))]
        kind = fields[4]
        self._skipping = kind in _KINDS and kind != "面"
        if self._skipping:
            self._told.add("boundary.not_polygon", line=number, kind=kind)
            return
        hectares = re.fullmatch(r"(\d+(?:\.(\d*))?)\s*(?:公顷|hm2|hm²|ha)?", fields[1], re.IGNORECASE)
        if (fields[1] and not hectares) or (fields[0] and not fields[0].isdigit()):
            self._told.add("boundary.attributes_bad", line=number, text=",".join(fields[:4]))
        self._blocks.append(
            Block(
                number,
                *(fields[2], fields[3], fields[6], fields[7]),
                declared_points=int(fields[0]) if fields[0].isdigit() else None,
                declared_ha=float(hectares[1]) if hectares else None,
                decimals=len(hectares[2] or "") if hectares else 0,
            )
        )

    def _point(self, number: int, fields: list[str], line: str) -> None:
        while len(fields) > 4 and not fields[-1]:
            fields.pop()
        if len(fields) != 4 or not fields[1].isdigit():
            self._told.add("boundary.line_bad", line=number, text=line[:60])
            return
        values = [parse_number(text) for text in fields[2:]]
        if None in values:
            self._told.add("boundary.number_bad", line=number, text=line[:60])
            return
        if not self._blocks:
            self._told.add("boundary.no_attributes", line=number)
            self._blocks.append(Block(number))
        (first, one), (second, other) = values
        self._degrees |= {one, other}
        self._blocks[-1].points.append(Point(fields[0], int(fields[1]), first, second, number))


def _fields(line: str, text: str) -> list[str]:
    """Return the fields of an attribute line; full-width signs in a name stay where the commas suffice."""
    written: Sequence[str] = line.rstrip("@＠ \t\u3000").split(",")
    if len(written) < 7:
        written = text.rstrip("@ ").split(",")
    fields = [part.strip() for part in written]
    # The comma before the sign leaves one empty field.
    return fields[:-1] if len(fields) in (8, 9) and not fields[-1] else fields
