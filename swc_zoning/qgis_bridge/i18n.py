# SPDX-License-Identifier: GPL-2.0-or-later
"""Language of what users read: sentences of the message catalogue, and translators for windows."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from qgis.core import QgsApplication
from qgis.PyQt.QtCore import QCoreApplication, QTranslator

import swc_zoning
from swc_zoning.engine.messages import LANGUAGES, sentence
from swc_zoning.qgis_bridge.settings import Settings

VARIABLE = "SWC_ZONING_LANG"

_SUFFIXES = {"zh": "zh_CN", "en": "en"}
_NO_LOCALE = ("", "C", "POSIX")


def language() -> str:
    """Return "zh" or "en": SWC_ZONING_LANG, else the setting, else the locale of QGIS or the environment."""
    for named in (os.environ.get(VARIABLE, ""), Settings().language):
        if named in LANGUAGES:
            return named
    return "zh" if _locale().lower().startswith("zh") else "en"


def _locale() -> str:
    locale = QgsApplication.locale().partition(".")[0]
    if locale not in _NO_LOCALE:
        return locale
    names = (os.environ.get(name, "") for name in ("LC_ALL", "LC_MESSAGES", "LANG"))
    return next((name for name in names if name), "")


def text(code: str, **facts: Any) -> str:
    """Return the sentence of a code of the catalogue in the language of the user."""
    return sentence(code, facts, language())


def install_translator() -> QTranslator | None:
    """Install the translations of windows and return the translator; None where there are none."""
    folder = Path(swc_zoning.__file__).parent / "i18n"
    translator = QTranslator()
    if not translator.load(f"swc_zoning_{_SUFFIXES[language()]}.qm", str(folder)):
        return None
    QCoreApplication.installTranslator(translator)
    return translator
