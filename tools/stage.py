# SPDX-License-Identifier: GPL-2.0-or-later
"""Stage the plugin as QGIS installs it, and pack it.

``stage.py --output build/stage`` makes ``build/stage/swc_zoning/``; ``--zip dist`` packs that into
``dist/swc_zoning.<version>.zip``, byte for byte the same each time; ``--link`` makes links instead of
copies, for work on the sources with QGIS running. Only the standard library is needed. The libraries
of ``tools/vendored.json`` are copied from .venv into ``_vendor``.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import Distribution, DistributionFinder, MetadataPathFinder
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
NAME = "swc_zoning"

#: Folder of the sources -> folder in the plugin.
FOLDERS = {
    "swc_zoning": "",
    "processing_algs": "processing_algs",
    "resources": "resources",
    "test_data": "test_data",
}
FILES = ("metadata.txt", "LICENSE")

#: What may be shipped, by folder: anything else there is an error, not silently left out.
SUFFIXES = {
    "swc_zoning": {".py", ".ui"},
    "processing_algs": {".py"},
    "test_data": {".py", ".json", ".md"},
    "resources": {".json", ".svg", ".qml", ".qpt", ".docx", ".html", ".model3", ".csv", ".xml"},
}
_CACHES = {"__pycache__", ".pytest_cache", ".ruff_cache"}
_LRELEASE = ("/usr/lib/qt5/bin/lrelease", "lrelease", "lrelease-qt5")
_LIMIT_BYTES = 25_000_000
_EPOCH = (1980, 1, 1, 0, 0, 0)


class StageError(Exception):
    """The plugin cannot be staged as it is."""


def shipped(folder: str) -> Iterator[Path]:
    """Yield the files of a source folder that belong into the plugin, sorted."""
    for path in sorted((ROOT / folder).rglob("*")):
        inside = path.relative_to(ROOT / folder)
        if path.is_dir() or _CACHES & set(inside.parts):
            continue
        if path.suffix not in SUFFIXES[folder] or path.name.startswith("."):
            raise StageError(f"{path.relative_to(ROOT)} is of no kind that is shipped")
        yield path


def stage(output: Path, link: bool = False) -> Path:
    """Make the plugin folder anew under `output` and return it. Raises StageError."""
    target = output / NAME
    files = {folder: list(shipped(folder)) for folder in FOLDERS}
    _remove(target)
    target.mkdir(parents=True)
    if link:
        _link(target)
    else:
        for folder, paths in files.items():
            _copy(paths, ROOT / folder, target / FOLDERS[folder])
        _copy([ROOT / name for name in FILES], ROOT, target)
    vendor(target / "_vendor")
    translations = target / "i18n"
    translations.mkdir(exist_ok=True)
    _compile_translations(translations)
    return target


def vendor(target: Path) -> None:
    """Copy the libraries that are carried along, with their licences. Raises StageError."""
    declared = json.loads((ROOT / "tools" / "vendored.json").read_text(encoding="utf-8"))["libraries"]
    target.mkdir(parents=True)
    for library in declared:
        found = _installed(library)
        _copy_library(library, found, target)
        for name in library["licence_files"]:
            licence = target / f"{library['name']}.{name.removesuffix('.txt')}.txt"
            _write(licence, _licence(found, name))
    lines = [f"{one['name']} {one['version']} ({one['licence']})" for one in declared]
    head = "Libraries carried along, unchanged but for comments that begin with nosec; licences beside."
    _write(target / "README.txt", "\n".join([head, "", *lines, ""]))


def _installed(library: Mapping[str, Any]) -> Distribution:
    """Return an installed library of just the declared version: of .venv, else of this Python."""
    sites = [*map(str, sorted(ROOT.glob(".venv/[Ll]ib/python3*/site-packages"))), *sys.path]
    sites.insert(0, str(ROOT / ".venv" / "Lib" / "site-packages"))
    context = DistributionFinder.Context(name=library["name"], path=sites)
    for found in MetadataPathFinder.find_distributions(context):
        if found.version == library["version"]:
            return found
    raise StageError(f"{library['name']} {library['version']} is not installed: run make setup")


def _copy_library(library: Mapping[str, Any], found: Distribution, target: Path) -> None:
    """Copy the modules of a library; anything compiled stops the staging."""
    for file in sorted(found.files or (), key=str):
        if file.parts[0] != library["package"] or "__pycache__" in file.parts:
            continue
        if file.suffix != ".py":
            raise StageError(f"{library['name']} is not pure Python: {file}")
        copy = target / str(file)
        copy.parent.mkdir(parents=True, exist_ok=True)
        text = Path(found.locate_file(file)).read_text(encoding="utf-8")
        _write(copy, _noted(text, str(file), library["notes"]))


def _write(path: Path, text: str) -> None:
    # The same bytes on every system.
    path.write_bytes(text.encode("utf-8"))


def _noted(text: str, file: str, notes: Sequence[Mapping[str, str]]) -> str:
    """Return a module with the notes on it at the ends of their lines; a note without a line is an error."""
    lines = text.splitlines()
    for note in notes:
        if Path(note["file"]) != Path(file):
            continue
        hits = [number for number, line in enumerate(lines) if line.lstrip().startswith(note["line"])]
        if not hits:
            raise StageError(f"{file} has no line that begins with {note['line']!r}")
        for number in hits:
            lines[number] += f"  # {note['note']}"
    return "\n".join(lines) + "\n"


def _licence(found: Distribution, name: str) -> str:
    path = next((file for file in found.files or () if file.name == name), None)
    if path is None:
        raise StageError(f"{found.metadata['Name']} comes without {name}")
    return Path(found.locate_file(path)).read_text(encoding="utf-8")


def pack(plugin: Path, folder: Path) -> Path:
    """Write the staged plugin into a zip in `folder` and return it. Raises StageError if too large."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{NAME}.{version()}.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for file in _packed(plugin):
            entry = zipfile.ZipInfo(f"{NAME}/{file.relative_to(plugin).as_posix()}", _EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, file.read_bytes())
    if path.stat().st_size > _LIMIT_BYTES:
        raise StageError(f"{path.name} has {path.stat().st_size} bytes, the limit is {_LIMIT_BYTES}")
    return path


def version() -> str:
    """Return the version of ``metadata.txt``."""
    lines = (ROOT / "metadata.txt").read_text(encoding="utf-8").splitlines()
    return next(line.partition("=")[2] for line in lines if line.startswith("version="))


def _packed(plugin: Path) -> list[Path]:
    """Return the files of a stage that has been used: what Python cached there stays out."""
    files = (path for path in sorted(plugin.rglob("*")) if path.is_file())
    return [path for path in files if not _CACHES & set(path.relative_to(plugin).parts)]


def _copy(paths: list[Path], base: Path, target: Path) -> None:
    for path in paths:
        copy = target / path.relative_to(base)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)


def _link(target: Path) -> None:
    for path in sorted((ROOT / "swc_zoning").iterdir()):
        if path.name not in _CACHES:
            (target / path.name).symlink_to(path)
    for name in ("processing_algs", "resources", "test_data", *FILES):
        (target / name).symlink_to(ROOT / name)


def _remove(target: Path) -> None:
    # Links in a linked stage are taken away, never followed.
    if target.is_symlink():
        target.unlink()
    elif target.exists():
        shutil.rmtree(target)


def _compile_translations(folder: Path) -> None:
    tool = next((found for name in _LRELEASE if (found := shutil.which(name))), None)
    if tool is None:
        print("stage: no lrelease here, menus stay English", file=sys.stderr)
        return
    for source in sorted((ROOT / "i18n").glob("*.ts")):
        compiled = folder / source.with_suffix(".qm").name
        subprocess.run([tool, "-silent", str(source), "-qm", str(compiled)], check=True)


def main(arguments: list[str] | None = None) -> int:
    """Read the command line, stage, pack where asked to."""
    parser = argparse.ArgumentParser(description="Stage and pack the plugin.")
    parser.add_argument("--output", type=Path, default=ROOT / "build" / "stage")
    parser.add_argument("--zip", type=Path, help="folder for the zip")
    parser.add_argument("--link", action="store_true", help="links instead of copies")
    options = parser.parse_args(arguments)
    try:
        plugin = stage(options.output, options.link)
        print(plugin)
        if options.zip:
            print(pack(plugin, options.zip))
    except StageError as error:
        print(f"stage: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
