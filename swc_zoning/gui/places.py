# SPDX-License-Identifier: GPL-2.0-or-later
"""Folders for what pages make: a new one each time, since layers of the last may still be shown."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

#: The chapter of a working folder, and its packages.
CHAPTER, PACKAGES = "chapter", "submission"


def free_folder(parent: Path) -> Path:
    """Return a folder in `parent`, called after the time, that does not exist yet."""
    base = parent / datetime.now().strftime("%Y%m%d-%H%M%S")
    tries = (base if number == 1 else base.with_name(f"{base.name}-{number}") for number in range(1, 1000))
    return next(folder for folder in tries if not folder.exists())
