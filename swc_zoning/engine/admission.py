# SPDX-License-Identifier: GPL-2.0-or-later
"""Which sources may be opened at all, and what to do about the others.

A file is judged by its content before any reader sees it: readers exist that fetch addresses, open
other files or expand entities as soon as they open one. What nobody here can read is named, with the
way out. The lists are data: ``resources/formats.json``.
"""

from __future__ import annotations

import json
import re
from functools import lru_cache
from pathlib import Path
from typing import Any, BinaryIO
from xml.parsers import expat

from swc_zoning.engine.messages import SwcError
from swc_zoning.paths import resource

_HEAD_BYTES = 8192
_XML_BYTES = 1 << 16
_JSON_BYTES = 1 << 24
#: Beginnings of data that may hold any text: SQLite, zip, FlatGeobuf, Parquet, Shapefile.
_BINARY = (b"SQLite format 3\0", b"PK\3\4", b"fgb\3", b"PAR1", b"\0\0\x27\x0a")
_BLANKS = b"\xef\xbb\xbf\xff\xfe \t\r\n"
#: The CRS object of an old GeoJSON (2008) that is a link: GDAL would fetch it, or take WGS 84 in silence.
_CRS = re.compile(rb'"crs"\s*:\s*\{(?:[^{}]|\{[^{}]*\})*\}')
_LINK = re.compile(rb'"(?:href|url|link)"', re.IGNORECASE)


def admit(path: Path) -> None:
    """Prove that the file or folder `path` may be given to a reader.

    Raises SwcError ``intake.format_<format>`` (what it is, and the remedy), ``intake.path_virtual``
    for a path only GDAL understands, ``intake.xml_entities``, ``intake.xml_unreadable`` or
    ``intake.crs_linked``.
    """
    if path.as_posix().startswith("/vsi") and not path.exists():
        raise SwcError("intake.path_virtual", source=path.as_posix())
    if path.is_dir():
        for part in path.glob("doc.kml"):
            admit(part)
        return
    if not path.is_file():
        return
    with path.open("rb") as stream:
        head = stream.read(_HEAD_BYTES)
    found = _marked(head, path.suffix.lower())
    if found:
        raise SwcError(f"intake.format_{found}", source=path.name)
    if _is_xml(head):
        _admit_xml(path)
    elif head.replace(b"\0", b"").lstrip(_BLANKS).startswith(b"{"):
        _admit_json(path)


def admit_address(address: str) -> None:
    """Prove that an address such as ``PG:...`` names a database; raises SwcError ``intake.address_off``."""
    kind = address.partition(":")[0]
    if kind.lower() not in {known.lower() for known in _table()["addresses"]}:
        raise SwcError("intake.address_off", kind=kind)


def admit_driver(driver: str) -> None:
    """Prove that GDAL chose a reader that is allowed; raises SwcError ``intake.driver_off``."""
    if _table()["drivers"].get(driver, "no") == "no":
        raise SwcError("intake.driver_off", driver=driver)


def prove_plain_xml(stream: BinaryIO, source: str) -> str:
    """Return the name of the root element of an XML text that declares no document type.

    `source` names it in errors: SwcError ``intake.xml_entities`` or ``intake.xml_unreadable``.
    """
    try:
        return _root_of(stream)
    except (expat.ExpatError, LookupError, ValueError) as error:
        raise SwcError("intake.xml_unreadable", source=source, reason=str(error)) from error
    except _DocumentTypeFound as error:
        raise SwcError("intake.xml_entities", source=source) from error


# --- by content ------------------------------------------------------------------------------------


@lru_cache(maxsize=1)
def _table() -> dict[str, Any]:
    return json.loads(resource("formats.json").read_text(encoding="utf-8"))


def _marked(head: bytes, suffix: str) -> str | None:
    """Return the format of the first mark `head` bears, else what the suffix says, else None."""
    for mark in _table()["marks"]:
        if suffix in mark.get("suffixes", [suffix]) and suffix not in mark.get("not_suffixes", []):
            pattern = bytes.fromhex(mark["hex"]) if "hex" in mark else _text(mark).encode("ascii")
            if "within" in mark:
                # The NULs of UTF-16 hide nothing.
                if not head.startswith(_BINARY) and pattern in head.replace(b"\0", b""):
                    return mark["format"]
            elif head.startswith(pattern, mark["offset"]):
                return mark["format"]
    return _table()["suffixes"].get(suffix)


def _text(mark: dict[str, Any]) -> str:
    return mark.get("within") or mark["text"]


def _is_xml(head: bytes) -> bool:
    return head.replace(b"\0", b"").lstrip(_BLANKS).startswith(b"<")


def _admit_xml(path: Path) -> None:
    with path.open("rb") as stream:
        root = prove_plain_xml(stream, path.name)
    driver = _table()["xml_roots"].get(root.rpartition(":")[2])
    if driver is None:
        raise SwcError("intake.format_xml", source=path.name, root=root)


def _admit_json(path: Path) -> None:
    """Refuse a CRS that is only a link; raises SwcError ``intake.crs_linked``."""
    kept = b""
    with path.open("rb") as stream:
        for block in iter(lambda: stream.read(_JSON_BYTES), b""):
            kept = kept[-4096:] + block
            if any(_LINK.search(found[0]) for found in _CRS.finditer(kept)):
                raise SwcError("intake.crs_linked", source=path.name)


class _DocumentTypeFound(Exception):
    """A document type declaration stands before the root element."""


class _RootFound(Exception):
    """The root element has come: nothing can be declared any more."""


def _root_of(stream: BinaryIO) -> str:
    parser = expat.ParserCreate()
    found: list[str] = []

    def started(name: str, attributes: dict[str, str]) -> None:
        found.append(name)
        raise _RootFound

    def declared(*_: Any) -> None:
        raise _DocumentTypeFound

    parser.StartElementHandler = started
    parser.StartDoctypeDeclHandler = declared
    try:
        for block in iter(lambda: stream.read(_XML_BYTES), b""):
            parser.Parse(block, False)
        parser.Parse(b"", True)
    except _RootFound:
        return found[0]
    raise ValueError("no root element")
