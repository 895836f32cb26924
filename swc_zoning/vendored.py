# SPDX-License-Identifier: GPL-2.0-or-later
"""Pure-Python libraries that the package carries along, for a QGIS without administrator or internet.

An installed library always goes first. Else the copy in ``_vendor`` is imported under its own name
through a finder that stands in ``sys.meta_path`` only while it is at work: ``sys.path`` is never
changed, so no other plugin finds (or loses) a library because of this one.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType

FOLDER = Path(__file__).resolve().parent / "_vendor"


class _Carried(MetaPathFinder):
    """Finds the libraries of one folder, and nothing else."""

    def __init__(self, folder: Path) -> None:
        self._folder = str(folder)

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return where a top-level library of the folder is; parts of it are found from there."""
        return PathFinder.find_spec(fullname, [self._folder]) if path is None else None


def load(name: str) -> ModuleType:
    """Return the library `name`: the installed one, else the copy carried along.

    Raises ImportError where there is neither.
    """
    with _carried():
        return importlib.import_module(name)


@contextmanager
def _carried() -> Iterator[None]:
    # Last in the list: it is only asked for what nobody else has.
    finder = _Carried(FOLDER)
    sys.meta_path.append(finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
