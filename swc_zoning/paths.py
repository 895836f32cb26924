# SPDX-License-Identifier: GPL-2.0-or-later
"""Where shipped files are: the only module that knows folders."""

from __future__ import annotations

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
    """Return the version of this plugin as written in ``metadata.txt``."""
    for root in (_PACKAGE, _PACKAGE.parent):
        metadata = root / "metadata.txt"
        if metadata.is_file():
            for line in metadata.read_text(encoding="utf-8").splitlines():
                if line.startswith("version="):
                    return line.partition("=")[2].strip()
    raise FileNotFoundError("metadata.txt")
