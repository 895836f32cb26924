# SPDX-License-Identifier: GPL-2.0-or-later
"""What the algorithms share that start the command ``chapter``: its settings, its language, its files."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from qgis.core import (
    QgsProcessingContext,
    QgsProcessingFeedback,
    QgsProcessingOutputFile,
    QgsProcessingParameterEnum,
    QgsProcessingParameterFile,
)

from swc_zoning.engine.messages import LANGUAGES
from swc_zoning.processing_algs.base import call_engine, errors_as_sentences
from swc_zoning.processing_algs.derived import OUTPUT, DerivedAlgorithm
from swc_zoning.processing_algs.submission import options
from swc_zoning.qgis_bridge.i18n import language

RESULT, SETTINGS, QUALITY, LANG = "RESULT", "SETTINGS", "QUALITY", "LANG"


class ChapterAlgorithm(DerivedAlgorithm):
    """Base of algorithms that write parts of a chapter. `PARTS`: which, none for all.

    `FILES`: optional files and folders, {parameter: option of the command}; `MADE`: what is written, as
    the command tells it, each an output of that name.
    """

    GROUP = "chapter"
    PARTS: tuple[str, ...] = ()
    FILES: tuple[tuple[str, str], ...] = ()
    MADE: tuple[str, ...] = ()

    def initAlgorithm(self, configuration: dict[str, Any] | None = None) -> None:  # noqa: N802
        """Declare the parameters."""
        self.add_folder(RESULT)
        behaviour = QgsProcessingParameterFile.Behavior
        for name, _ in self.FILES:
            kind = behaviour.Folder if name == "TEMPLATES" else behaviour.File
            pattern = "" if name == "TEMPLATES" else self.words(f"{name}_filter")
            file = QgsProcessingParameterFile(name, "", kind, "", None, True, pattern)
            self.declare(file, advanced=name != SETTINGS)
        spoken = [self.words(f"lang_{lang}") for lang in LANGUAGES]
        self.declare(QgsProcessingParameterEnum(LANG, "", spoken, False, LANGUAGES.index(language())))
        self.add_output()
        for name in self.MADE:
            self.addOutput(QgsProcessingOutputFile(name.upper(), self.words(name)))

    def processAlgorithm(  # noqa: N802
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> dict[str, Any]:
        """Have the child write."""
        output = self.output_folder(parameters, context)
        with errors_as_sentences():
            files = call_engine(self._command(output, parameters, context), feedback)
        return {OUTPUT: str(output), **{name.upper(): str(files[name]) for name in self.MADE}}

    def _command(
        self, output: Any, parameters: dict[str, Any], context: QgsProcessingContext
    ) -> Sequence[str]:
        named = [(option, self.parameterAsFile(parameters, name, context)) for name, option in self.FILES]
        lang = LANGUAGES[self.parameterAsEnum(parameters, LANG, context)]
        result = self.parameterAsFile(parameters, RESULT, context)
        only = ["--only", *self.PARTS] if self.PARTS else []
        return ["chapter", result, "--output", str(output), *options([*named, ("--language", lang)]), *only]
