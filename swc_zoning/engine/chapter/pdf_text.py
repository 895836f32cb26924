# SPDX-License-Identifier: GPL-2.0-or-later
"""Text of PDF files made findable: ideographs in place of the radicals that look like them.

A font has one glyph for a radical and its ideograph (U+2F54 and U+6C34), and the writer of a PDF takes the
first code it finds: who searches for the word does not find it. The tables that turn glyphs into text
are written anew, as an update after the end of the file. Only the standard library is needed.
"""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from swc_zoning.paths import resource

_STREAM = re.compile(rb"(?<![0-9])(\d+) 0 obj\s*<<([^>]*?)>>\s*stream\r?\n(.*?)\r?\nendstream", re.S)
_CODE = re.compile(rb"<([0-9A-Fa-f]{4})>")
_TRAILER = re.compile(rb"trailer\s*<<(.*?)>>\s*startxref\s*(\d+)\s*%%EOF\s*$", re.S)
_KEPT = re.compile(rb"/(?:Size \d+|Root \d+ \d+ R|Info \d+ \d+ R|ID\s*\[.*?\])", re.S)


@lru_cache(maxsize=1)
def radicals() -> dict[int, int]:
    """Return code of a radical -> code of its ideograph."""
    document = json.loads(resource("chapter", "radicals.json").read_text(encoding="utf-8"))
    return {ord(radical): ord(ideograph) for radical, ideograph in document["radicals"].items()}


def make_findable(path: Path) -> bool:
    """Write the tables of a PDF anew where they name radicals; return whether there was anything to do.

    A file of another build than expected (no plain cross-reference table) stays as it is.
    """
    data = path.read_bytes()
    trailer = _TRAILER.search(data)
    tables = list(_mended(data)) if trailer else []
    if not trailer or not tables:
        return False
    update, places = bytearray(), {}
    start = len(data) + 1
    for number, table in tables:
        places[number] = start + len(update)
        update += _object(number, table)
    rows = b"".join(b"%d 1\n%010d 00000 n \n" % (number, places[number]) for number in sorted(places))
    kept = b"\n".join(_KEPT.findall(trailer[1]))
    end = b"xref\n%strailer\n<<\n%s\n/Prev %s\n>>\nstartxref\n%d\n%%%%EOF\n"
    path.write_bytes(data + b"\n" + update + end % (rows, kept, trailer[2], start + len(update)))
    return True


def _object(number: int, table: bytes) -> bytes:
    packed = zlib.compress(table)
    head = b"%d 0 obj\n<<\n/Length %d\n/Filter /FlateDecode\n>>\nstream\n" % (number, len(packed))
    return head + packed + b"\nendstream\nendobj\n"


def _mended(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield (number of the object, new table) of each table from glyphs to text that names radicals."""
    for number, head, body in _STREAM.findall(data):
        table = _unpacked(head, body)
        if b"begincmap" in table:
            mended = _CODE.sub(_ideograph, table)
            if mended != table:
                yield int(number), mended


def _unpacked(head: bytes, body: bytes) -> bytes:
    if b"FlateDecode" not in head:
        return body
    try:
        return zlib.decompress(body)
    except zlib.error:
        return b""


def _ideograph(found: re.Match[bytes]) -> bytes:
    code = int(found[1], 16)
    return b"<%04X>" % radicals().get(code, code)
