# SPDX-License-Identifier: GPL-2.0-or-later
"""The files of a result: written aside, read back, compared, and only then put in place.

``summary.json`` is what makes a folder a result: it comes last and goes first, so that a run
killed at any moment leaves the old result or none.
"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from swc_zoning.engine import claim, formats, scratch
from swc_zoning.engine.job import is_address
from swc_zoning.engine.layers import Layer
from swc_zoning.engine.messages import SwcError

ZONING, SUMMARY = "zoning.gpkg", "summary.json"

#: What SQLite keeps beside a database; beside another database of that name it would be replayed onto it.
_BESIDE = tuple(f"{ZONING}-{kind}" for kind in ("wal", "shm", "journal"))
_REPLACED = "replaced"
_LONGEST_BYTES = 512


@dataclass(frozen=True)
class Files:
    """Where a result was put."""

    zoning: Path
    summary: Path


def check_target(output: Path, sources: Iterable[str]) -> None:
    """Prove, before a run, that its result may be put into the folder `output`.

    `sources` is what the run reads: absolute paths or database addresses. Raises SwcError
    ``result.would_overwrite_input`` where one of them is a file of the result, ``result.not_ours``
    where a file of that name is there that no run wrote, ``result.path_too_long``, and
    ``result.unwritable`` where the folder cannot be written to.
    """
    with _reported(output):
        target = Path(output).resolve()
        _refuse_long(target)
        for source in sources:
            if any(_same_file(source, target / name) for name in (ZONING, SUMMARY)):
                raise SwcError("result.would_overwrite_input", source=source, path=str(target))
        for path, ours in ((target / ZONING, _is_our_zoning), (target / SUMMARY, _is_our_summary)):
            if os.path.lexists(path) and not ours(path):
                raise SwcError("result.not_ours", path=str(path))
        # Making a folder and taking it away leaves no doubt; permissions alone do not say it.
        with claim.aside(next(one for one in (target, *target.parents) if one.exists()), target) as probe:
            scratch.ensure_space(probe)


def _refuse_long(target: Path) -> None:
    """Refuse a folder whose files SQLite cannot name (``os_unix.c``: MAX_PATHNAME 512 bytes)."""
    spare = len(f"/.{target.name}.{os.getpid()}-01234567/{ZONING}-journal".encode("utf-8", "surrogatepass"))
    size = len(os.fsencode(target)) + spare
    if os.name == "posix" and size >= _LONGEST_BYTES:
        raise SwcError("result.path_too_long", path=str(target), excess=size - _LONGEST_BYTES + 1)


@contextmanager
def claimed(output: Path, sources: Iterable[str]) -> Iterator[None]:
    """Hold the folder `output` for this process while a run is on, after proving that it may be.

    Raises what `check_target` raises, and ``claim.held`` where another run is on it.
    """
    check_target(output, sources)
    with ExitStack() as held:
        with _reported(output):
            held.enter_context(claim.claimed(output))
            _sweep(Path(output).resolve())
        yield


def write(layers: Sequence[Layer], summary: Mapping[str, Any], crs: str, output: Path) -> Files:
    """Write a result into the folder `output`, replacing an older one as a whole.

    Raises SwcError ``result.not_as_written`` where a file does not read back as it was meant, and
    what `check_target` raises; an older result is then as it was.
    """
    target = Path(output).resolve()
    # In the folder itself: what is beside it may lie on another file system, from which nothing can be moved.
    with claimed(output, ()), _reported(output), claim.aside(target, target) as aside:
        zoning = aside / ZONING
        for layer in layers:
            formats.write_table(zoning, layer.name, layer.batches(), crs, layer.kind)
        embed_styles(zoning, layers)
        _count_rows(zoning, layers)
        for layer in layers:
            _compare(zoning, layer)
        document = {**summary, "files": {ZONING: formats.source_sha256(zoning)}}
        text = json.dumps(document, ensure_ascii=False, indent=1, default=_plain)
        (aside / SUMMARY).write_text(text, encoding="utf-8")
        _put_in_place(aside, target, layers)
    folder = Path(output).absolute()
    return Files(folder / ZONING, folder / SUMMARY)


@contextmanager
def _reported(output: Path) -> Iterator[None]:
    """Turn what the file system or SQLite refuses into ``result.unwritable``."""
    try:
        yield
    except (OSError, sqlite3.Error) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise SwcError("result.unwritable", path=str(output), reason=reason) from error


# --- whose files are there -------------------------------------------------------------------------


def _same_file(source: str, path: Path) -> bool:
    if is_address(source):
        return False
    if os.path.exists(source) and path.exists():
        return os.path.samefile(source, path)
    return os.path.realpath(source) == os.path.realpath(path)


def _is_our_zoning(path: Path) -> bool:
    """Return whether a file has the table `run` of a result, without touching it or what is beside it."""
    try:
        with closing(_connect(path, "immutable=1")) as connection:
            connection.execute("SELECT item, value FROM run LIMIT 1")
    except sqlite3.Error:
        return False
    return True


def _is_our_summary(path: Path) -> bool:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(document, dict) and "content_sha256" in document


def _connect(path: Path, parameters: str) -> sqlite3.Connection:
    """Open a database with parameters of SQLite's own file addresses."""
    # The empty authority keeps drives (C:/) and network shares (//server) paths.
    text = path.as_posix()
    address = "file://" + quote(text if text.startswith("/") else "/" + text, safe="/:")
    return sqlite3.connect(f"{address}?{parameters}", uri=True)


# --- aside, then in place --------------------------------------------------------------------------


def _sweep(target: Path) -> None:
    """Remove what runs killed while writing left; what they had set aside goes back to its place first."""
    for folder in claim.left_aside(target):
        if claim.is_under_way(folder):
            _put_back(folder, target)
        shutil.rmtree(folder, ignore_errors=True)


def _put_in_place(aside: Path, target: Path, layers: Sequence[Layer]) -> None:
    """Move the files of `aside` to `target`; a folder of the user keeps what else is in it."""
    for name in (ZONING, SUMMARY):
        _flush(aside / name)
    (aside / claim.EARLIER).mkdir()
    claim.undone_on_error(lambda: _exchange(aside, target, layers), lambda: _put_back(aside, target))


def _exchange(aside: Path, target: Path, layers: Sequence[Layer]) -> None:
    for name in (SUMMARY, *_BESIDE, ZONING):
        _move(name, target, aside / claim.EARLIER)
    _move(ZONING, aside, target)
    _count_rows(target / ZONING, layers)
    _move(SUMMARY, aside, target)
    os.rename(aside / claim.EARLIER, aside / _REPLACED)


def _put_back(aside: Path, target: Path) -> None:
    """Undo an exchange, however far it, or an earlier undoing, got: what is no longer aside is in place."""
    for name in (SUMMARY, ZONING):
        if not (aside / name).exists():
            _move(name, target, aside)
    for name in (ZONING, *_BESIDE, SUMMARY):
        _move(name, aside / claim.EARLIER, target)
    (aside / claim.EARLIER).rmdir()


def _move(name: str, source: Path, target: Path) -> None:
    if os.path.lexists(source / name):
        os.replace(source / name, target / name)


def _count_rows(path: Path, layers: Sequence[Layer]) -> None:
    """Open the file where it now is, as others will, and hold the number of rows against what was meant."""
    with closing(_connect(path, "mode=ro")) as connection:
        for layer in layers:
            count = f'SELECT count(*) FROM "{layer.name}"'  # nosec B608 - the names are our own
            (found,) = connection.execute(count).fetchone()
            _hold_count(layer, found)


def _hold_count(layer: Layer, found: int) -> None:
    if found != layer.count:
        raise SwcError("result.not_as_written", layer=layer.name, field="", found=found, meant=layer.count)


def _flush(path: Path) -> None:
    with path.open("rb+") as stream:
        os.fsync(stream.fileno())


def _plain(value: Any) -> Any:
    """Return numpy scalars as Python ones, for JSON."""
    return value.item()


# --- styles ----------------------------------------------------------------------------------------


def embed_styles(path: Path, layers: Sequence[Layer]) -> None:
    """Add the ``layer_styles`` table from which QGIS takes the default style of a layer."""
    # Its columns are those QGIS itself creates.
    create = (
        "CREATE TABLE layer_styles (id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, f_table_catalog TEXT, "
        "f_table_schema TEXT, f_table_name TEXT, f_geometry_column TEXT, styleName TEXT, styleQML TEXT, "
        "styleSLD TEXT, useAsDefault BOOLEAN, description TEXT, owner TEXT, ui TEXT, "
        "update_time DATETIME DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now')))"
    )
    insert = (
        "INSERT INTO layer_styles (f_table_catalog, f_table_schema, f_table_name, f_geometry_column, "
        "styleName, styleQML, styleSLD, useAsDefault, description, owner) "
        "VALUES ('', '', ?, ?, ?, ?, '', 1, '', '')"
    )
    register = (
        "INSERT INTO gpkg_contents (table_name, data_type, identifier, description) "
        "VALUES ('layer_styles', 'attributes', 'layer_styles', '')"
    )
    connection = sqlite3.connect(path)
    try:
        with connection:
            connection.execute(create)
            connection.execute(register)
            for layer in layers:
                if layer.qml:
                    columns = "SELECT column_name FROM gpkg_geometry_columns WHERE table_name = ?"
                    (geometry,) = connection.execute(columns, (layer.name,)).fetchone()
                    connection.execute(insert, (layer.name, geometry, layer.name, layer.qml))
    finally:
        connection.close()


# --- reading back ----------------------------------------------------------------------------------


def _compare(path: Path, layer: Layer) -> None:
    """Hold what was written against what was meant, made once more: geometry byte for byte, every value."""
    field = formats.difference(path, layer.name, layer.batches())
    if field:
        raise SwcError("result.not_as_written", layer=layer.name, field=field, found="", meant="")
