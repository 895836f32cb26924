# SPDX-License-Identifier: GPL-2.0-or-later
"""Zip files as sources: looked through before anything is unpacked, unpacked only into a temporary folder."""

from __future__ import annotations

import shutil
import stat
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from swc_zoning.engine import scratch
from swc_zoning.engine.messages import SwcError

MOST_ENTRIES = 2000
MOST_BYTES = 2 << 30
#: Unpacked bytes for each packed one, over the whole archive.
MOST_RATIO = 100
_BLOCK = 1 << 20
_ENCRYPTED, _UTF8_NAME = 0x1, 0x800
#: What reading a damaged archive may raise.
_DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError, UnicodeDecodeError)
#: Archives that are one document: what their members are called inside.
_DOCUMENTS = ("[Content_Types].xml", "mimetype")
#: What one data set is known by; a .gdb folder is the other kind.
_DATA = (
    *(".shp", ".gpkg", ".geojson", ".geojsonl", ".json", ".fgb", ".parquet", ".sqlite", ".tab", ".mif"),
    *(".dxf", ".kml", ".gml", ".csv", ".xlsx", ".txt", ".mdb", ".accdb", ".vct", ".dwg", ".udb", ".udbx"),
    *(".wp", ".rar", ".7z", ".zip", ".xls", ".vrt"),
)
#: Beside other data these are notes, not data sets.
_NOTES = (".txt", ".csv", ".xlsx", ".json", ".xls")


def is_zip(path: Path) -> bool:
    """Return whether `path` is a zip archive of files, not a document that happens to be one."""
    if not path.is_file() or path.suffix.lower() in (
        ".aprx",
        ".mpk",
        ".lpk",
        ".mpkx",
        ".lpkx",
        ".ppkx",
        ".qgz",
    ):
        return False
    with path.open("rb") as stream:
        if stream.read(4) not in (b"PK\3\4", b"PK\5\6"):
            return False
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, OSError, UnicodeDecodeError):
        return True
    return not any(document in names for document in _DOCUMENTS)


def holds(path: Path, suffixes: tuple[str, ...]) -> bool:
    """Return whether the zip `path` has a file with one of `suffixes`, without unpacking it."""
    with zipfile.ZipFile(path) as archive:
        return any(PurePosixPath(name_of(entry)).suffix.lower() in suffixes for entry in archive.infolist())


@contextmanager
def unpacked(path: Path) -> Iterator[Path]:
    """Yield the one data set inside the zip `path`, in a folder gone afterwards; other paths as they are.

    Raises SwcError ``intake.zip_*``: too many entries, too large, names that lead out of the folder,
    links, doubled names, a password, damage, or not exactly one data set.
    """
    if not is_zip(path):
        yield path
        return
    with scratch.folder("unpacked") as folder:
        unpack(path, folder)
        yield _only_data_set(path, folder)


def unpack(path: Path, folder: Path) -> None:
    """Unpack the zip `path` into `folder`; SwcError ``intake.zip_*`` before anything unsafe is written."""
    with damage_told(path.name), zipfile.ZipFile(path) as archive:
        entries = looked_through(archive, path.name)
        scratch.ensure_space(folder, sum(entry.file_size for entry, _ in entries))
        for entry, name in entries:
            target = folder.joinpath(*PurePosixPath(name).parts)
            if name.endswith("/"):
                target.mkdir(parents=True, exist_ok=True)
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            with archive.open(entry) as packed, target.open("wb") as written:
                shutil.copyfileobj(packed, written, _BLOCK)  # never more than declared


@contextmanager
def damage_told(source: str) -> Iterator[None]:
    """Turn what a damaged archive raises into SwcError ``intake.zip_damaged``."""
    try:
        yield
    except _DAMAGE as error:
        raise SwcError("intake.zip_damaged", source=source, reason=str(error)) from error


def looked_through(archive: zipfile.ZipFile, source: str) -> list[tuple[zipfile.ZipInfo, str]]:
    """Return (entry, name) of an archive that is safe to unpack, names decoded. Raises SwcError."""
    entries = archive.infolist()
    if len(entries) > MOST_ENTRIES:
        raise SwcError("intake.zip_entries", source=source, count=len(entries), most=MOST_ENTRIES)
    total, packed = sum(e.file_size for e in entries), sum(e.compress_size for e in entries)
    if total > MOST_BYTES or total > MOST_RATIO * max(packed, 1) + _BLOCK:
        raise SwcError("intake.zip_bomb", source=source, megabytes=total >> 20, packed=packed >> 20)
    named = [(entry, name_of(entry)) for entry in entries]
    seen: set[str] = set()
    for entry, name in named:
        if entry.flag_bits & _ENCRYPTED:
            raise SwcError("intake.zip_encrypted", source=source, name=name)
        if _leads_out(name) or _is_no_file(entry):
            raise SwcError("intake.zip_unsafe", source=source, name=name)
        folded = name.rstrip("/").casefold()
        if folded in seen:
            raise SwcError("intake.zip_doubled", source=source, name=name)
        seen.add(folded)
    return named


def name_of(entry: zipfile.ZipInfo) -> str:
    """Return the name of an entry, folders divided by slashes, as some programs on Windows do not."""
    return _decoded(entry).replace("\\", "/")


def _decoded(entry: zipfile.ZipInfo) -> str:
    """Return the name as meant: what is not marked as UTF-8 is UTF-8 or GB 18030 in practice, not CP437."""
    name = entry.orig_filename
    if entry.flag_bits & _UTF8_NAME:
        return name
    raw = name.encode("cp437", errors="surrogateescape")
    for encoding in ("utf-8", "gb18030"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return name


def _leads_out(name: str) -> bool:
    parts = PurePosixPath(name).parts
    # A colon is a drive or a stream elsewhere; a name of nothing is the folder itself.
    return not parts or name.startswith("/") or ".." in parts or any(sign in name for sign in ":\0")


def _is_no_file(entry: zipfile.ZipInfo) -> bool:
    """Return whether an entry is a link, a device or another thing that is neither file nor folder."""
    kind = stat.S_IFMT(entry.external_attr >> 16)
    return kind not in (0, stat.S_IFREG, stat.S_IFDIR)


def _only_data_set(path: Path, folder: Path) -> Path:
    found = _data_sets(folder)
    strong = [one for one in found if one.suffix.lower() not in _NOTES]
    # A readme beside a Shapefile is no second data set.
    found = strong or found
    if len(found) == 1:
        return found[0]
    inside = ", ".join(one.relative_to(folder).as_posix() for one in found[:8]) + (
        " …" if len(found) > 8 else ""
    )
    if found:
        raise SwcError("intake.zip_several", source=path.name, count=len(found), inside=inside)
    names = sorted(part.relative_to(folder).as_posix() for part in folder.rglob("*") if part.is_file())
    raise SwcError("intake.zip_nothing", source=path.name, inside=", ".join(names[:8]) or "-")


def _data_sets(folder: Path) -> list[Path]:
    found = []
    for part in sorted(folder.rglob("*")):
        inside = part.relative_to(folder).parts
        if any(name.lower().endswith(".gdb") for name in inside[:-1]) or "__MACOSX" in inside:
            continue
        if (part.is_dir() and part.suffix.lower() == ".gdb") or (
            part.is_file() and part.suffix.lower() in _DATA
        ):
            found.append(part)
    return found
