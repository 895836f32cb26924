# SPDX-License-Identifier: GPL-2.0-or-later
"""Where shipped files are: the only module that knows folders."""

from __future__ import annotations

import importlib.metadata
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def resource(*parts: str) -> Path:
    """Return the path of a shipped file under ``resources/``.

    Raises FileNotFoundError if it is not shipped.
    """
    for root in (_PACKAGE, _PACKAGE.parent):
        path = root.joinpath("resources", *parts)
        if path.exists():
            return path
    raise FileNotFoundError("/".join(("resources", *parts)))


def version() -> str:
    """Return the version: as ``metadata.txt`` states it, or as the installed wheel was built from it."""
    for root in (_PACKAGE, _PACKAGE.parent):
        metadata = root / "metadata.txt"
        if metadata.is_file():
            lines = metadata.read_text(encoding="utf-8").splitlines()
            return next(line.partition("=")[2].strip() for line in lines if line.startswith("version="))
    return importlib.metadata.version("swc_zoning")
