# SPDX-License-Identifier: GPL-2.0-or-later
"""Settings of a user as typed values over those of QGIS, under one prefix.

QGIS gives texts back where numbers were stored, and anything where a user edited its file: what is
stored is read as its type, and what does not fit is the default.
"""

from __future__ import annotations

import os

from qgis.core import QgsSettings

from swc_zoning.engine.messages import LANGUAGES

_GROUP = "swc_zoning"
#: The temporary folder on the Processing page of the options of QGIS.
PROCESSING_TEMP = "Processing/Configuration/TEMP_PATH2"
AUTO = "auto"


class Settings:
    """Reads and writes one setting a property; safe to make in any thread."""

    @property
    def python(self) -> str:
        """Return the interpreter to try first, "" for none."""
        return _text("python")

    @python.setter
    def python(self, path: str) -> None:
        _set("python", path.strip())

    @property
    def workers(self) -> int:
        """Return how many processes a run may use, 1 or more."""
        text = _text("workers")
        number = int(text) if text.isascii() and text.isdigit() else 1
        return min(max(number, 1), most_workers())

    @workers.setter
    def workers(self, number: int) -> None:
        _set("workers", str(int(number)))

    @property
    def own_temp_folder(self) -> str:
        """Return the folder for temporary data that was set for this plugin, "" for none."""
        return _text("temp_folder")

    @own_temp_folder.setter
    def own_temp_folder(self, path: str) -> None:
        _set("temp_folder", path.strip())

    @property
    def temp_folder(self) -> str:
        """Return the folder for temporary data: ours, else that of Processing, "" for the system's."""
        return self.own_temp_folder or str(QgsSettings().value(PROCESSING_TEMP, "") or "")

    @property
    def working_folder(self) -> str:
        """Return where dialogs for working folders begin, "" for nowhere in particular."""
        return _text("working_folder")

    @working_folder.setter
    def working_folder(self, path: str) -> None:
        _set("working_folder", path.strip())

    @property
    def language(self) -> str:
        """Return "zh", "en", or "auto" for that of QGIS."""
        said = _text("language")
        return said if said in LANGUAGES else AUTO

    @language.setter
    def language(self, language: str) -> None:
        _set("language", language if language in LANGUAGES else "")


def most_workers() -> int:
    """Return how many processes make sense on this machine."""
    return max(1, os.cpu_count() or 1)


def _text(name: str) -> str:
    value = QgsSettings().value(f"{_GROUP}/{name}", "")
    return "" if value is None else str(value)


def _set(name: str, value: str) -> None:
    if value:
        QgsSettings().setValue(f"{_GROUP}/{name}", value)
    else:
        QgsSettings().remove(f"{_GROUP}/{name}")
