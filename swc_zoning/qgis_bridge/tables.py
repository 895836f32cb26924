# SPDX-License-Identifier: GPL-2.0-or-later
"""Tables of a result file, read without opening a layer: a GeoPackage is an SQLite file."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

from swc_zoning.engine.messages import SwcError


@contextmanager
def opened(zoning: Path) -> Iterator[sqlite3.Connection]:
    """Yield a read-only connection; rows come as mappings. Raises SwcError host.result_layer."""
    # The name is a URI here: what has a meaning in one is escaped.
    address = f"file:{quote(Path(zoning).absolute().as_posix())}?mode=ro"
    try:
        with closing(sqlite3.connect(address, uri=True)) as connection:
            connection.row_factory = sqlite3.Row
            yield connection
    except sqlite3.Error as error:
        raise SwcError("host.result_table", path=str(zoning), reason=str(error)) from error


def read_table(zoning: Path, name: str) -> list[dict[str, Any]]:
    """Return all rows of a table of a result, without geometry. For small tables, in a worker thread."""
    with opened(zoning) as connection:
        quoted = name.replace('"', '""')
        rows = connection.execute(f'SELECT * FROM "{quoted}"')  # nosec B608 - names of our own tables
        hidden = {"geom", "geometry", "wkb_geometry"}
        return [{key: row[key] for key in row.keys() if key not in hidden} for row in rows]  # noqa: SIM118
