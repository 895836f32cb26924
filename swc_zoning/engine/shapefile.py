# SPDX-License-Identifier: GPL-2.0-or-later
"""Whether the parts of a Shapefile are there, whole and of one another; readers let half a file pass.

Layout: ESRI Shapefile Technical Description (1998), "Organization of the Main File" and "of the
Index File"; the header of a dBASE III table.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from swc_zoning.engine.messages import SwcError

#: Suffix of a .prj nobody can read in a copy, where no reader trips over it.
DAMAGED_PRJ = ".damaged_prj"
_HEADER, _RECORD, _DBF_HEADER = 100, 8, 32
_WORD = 2  # offsets and lengths count 16-bit words


def part(shp: Path, suffix: str) -> Path | None:
    """Return the part of `shp` with `suffix` in small or capital letters, None where there is none."""
    beside = (shp.with_suffix(case) for case in (suffix, suffix.upper()))
    return next((one for one in beside if one.exists()), None)


def prove_whole(shp: Path) -> None:
    """Prove that no shape and no row of attributes is missing; a table that is no table is left to others.

    Raises SwcError ``intake.part_missing`` or ``intake.damaged``.
    """
    index = part(shp, ".shx")
    if index is None:
        raise SwcError("intake.part_missing", part=f"{shp.stem}.shx")
    ends = _ends(index)
    shapes, rows = int((ends <= shp.stat().st_size).sum()), _rows(shp)
    whole = shapes if rows is None else min(shapes, rows)
    if whole < len(ends):
        raise SwcError("intake.damaged", read=whole, count=len(ends))


def rows_without_shape(shp: Path) -> int | None:
    """Return how many rows of attributes have no shape, None where there are no attributes at all."""
    rows, index = _rows(shp), part(shp, ".shx")
    return None if rows is None or index is None else rows - len(_ends(index))


def _rows(shp: Path) -> int | None:
    """Return how many rows of the dBASE table are there, None where there is no table."""
    table = part(shp, ".dbf")
    size = table.stat().st_size if table else 0
    if table is None or size < _DBF_HEADER:
        return None
    with table.open("rb") as stream:
        head = stream.read(_DBF_HEADER)
    count, start, width = (int.from_bytes(head[i:j], "little") for i, j in ((4, 8), (8, 10), (10, 12)))
    return min(count, max(0, size - start) // width) if width else count


def _ends(index: Path) -> np.ndarray:
    """Return where each record of the main file ends, in bytes."""
    raw = np.fromfile(index, ">i4", offset=min(_HEADER, index.stat().st_size))
    records = raw[: len(raw) // 2 * 2].reshape(-1, 2).astype(np.int64)
    return records.sum(axis=1) * _WORD + _RECORD
