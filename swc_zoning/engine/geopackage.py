# SPDX-License-Identifier: GPL-2.0-or-later
"""Tables of a GeoPackage read with the standard library alone: it is an SQLite file.

For columns and sums, inside QGIS too; polygons are read by `formats`.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

from swc_zoning.engine.messages import SwcError


@contextmanager
def opened(path: Path, still: bool = False) -> Iterator[sqlite3.Connection]:
    """Yield a read-only connection whose rows are mappings. Raises SwcError ``geopackage.unreadable``.

    `still`: nobody is writing to it; then nothing is put beside the file, whatever its journal is.
    """
    # The name is a URI here: what has a meaning in one is escaped.
    address = f"file:{quote(Path(path).absolute().as_posix())}?mode=ro{'&immutable=1' if still else ''}"
    try:
        with closing(sqlite3.connect(address, uri=True)) as connection:
            connection.row_factory = sqlite3.Row
            yield connection
    except sqlite3.Error as error:
        raise SwcError("geopackage.unreadable", path=str(path), reason=str(error)) from error


def read_table(path: Path, name: str) -> list[dict[str, Any]]:
    """Return all rows of a table, without geometry. For small tables; raises what `opened` raises."""
    with opened(path) as connection:
        rows = connection.execute(f"SELECT * FROM {_quoted(name)}")  # nosec B608 - the name is quoted
        return [{key: row[key] for key in row.keys() if key != "geom"} for row in rows]  # noqa: SIM118


def read_sums(path: Path, name: str, keys: Sequence[str], values: Sequence[str]) -> list[dict[str, Any]]:
    """Return for each distinct `keys` of a table the number of its ``rows`` and the sums of `values`.

    Raises what `opened` raises.
    """
    groups = ", ".join(map(_quoted, keys))
    sums = "".join(f", SUM({_quoted(value)}) AS {_quoted(value)}" for value in values)
    ask = f"SELECT {groups}, COUNT(*) AS rows{sums} FROM {_quoted(name)} GROUP BY {groups}"  # nosec B608 - quoted
    with opened(path) as connection:
        return [dict(row) for row in connection.execute(ask)]


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
