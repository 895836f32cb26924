# SPDX-License-Identifier: GPL-2.0-or-later
"""What all algorithms share: group, icon, language, the child interpreter, errors as sentences."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from qgis.core import (
    QgsProcessingAlgorithm,
    QgsProcessingException,
    QgsProcessingFeedback,
    QgsProcessingParameterDefinition,
)
from qgis.PyQt.QtGui import QIcon

from swc_zoning.engine import scratch
from swc_zoning.engine.messages import Finding, SwcError, catalogue
from swc_zoning.paths import resource
from swc_zoning.qgis_bridge import host
from swc_zoning.qgis_bridge.feedback import FeedbackListener, say_finding
from swc_zoning.qgis_bridge.i18n import language, text
from swc_zoning.qgis_bridge.settings import Settings


class SwcAlgorithm(QgsProcessingAlgorithm):
    """Base of all algorithms. One that has only `ID` and `ROOM` set takes all its words from there.

    Sentences of a room: ``name``, ``summary``, ``help``, and for each parameter X ``x`` (its label) and
    ``x_help``; what the room does not say is taken from the room ``inputs``.
    """

    #: What never changes; "swc_zoning:" and this is the id of the algorithm.
    ID = ""
    #: Id of the group, of those in `GROUPS`.
    GROUP = "zoning"
    #: Room of the message catalogue that has the words of this algorithm.
    ROOM = ""
    #: File name of the icon under ``resources/icons``.
    ICON = "swc_zoning.svg"
    #: Words the search of the toolbox finds it by, in both languages.
    TAGS: tuple[str, ...] = ()
    #: Whether geometry has to run in the child interpreter.
    NEEDS_ENGINE = True

    def name(self) -> str:
        """Return the id, which never changes."""
        return self.ID

    def displayName(self) -> str:  # noqa: N802 (QGIS calls these names)
        """Return the name shown in the toolbox."""
        return text(f"{self.ROOM}.name")

    def shortDescription(self) -> str:  # noqa: N802
        """Return the one-line description."""
        return text(f"{self.ROOM}.summary")

    def shortHelpString(self) -> str:  # noqa: N802
        """Return the help beside the dialog."""
        return text(f"{self.ROOM}.help").replace("\n", "<br>")

    def tags(self) -> list[str]:
        """Return words the search of the toolbox finds it by."""
        return list(self.TAGS)

    def createInstance(self) -> SwcAlgorithm:  # noqa: N802
        """Return a new object of the same algorithm."""
        return type(self)()

    def group(self) -> str:
        """Return the name of the group."""
        return text(f"group.{self.GROUP}")

    def groupId(self) -> str:  # noqa: N802
        """Return the id of the group, which never changes."""
        return self.GROUP

    def icon(self) -> QIcon:
        """Return the icon."""
        return QIcon(self.svgIconPath())

    def svgIconPath(self) -> str:  # noqa: N802
        """Return the path of the icon."""
        return str(resource("icons", self.ICON))

    def canExecute(self) -> tuple[bool, str]:  # noqa: N802
        """Return whether a Python for the engine was found where one is needed, and else what to install."""
        possible, reason = _pair(super().canExecute())
        if not possible or not self.NEEDS_ENGINE:
            return possible, reason
        sentence = host.missing(python_setting(), language())
        return not sentence, sentence

    def declare(self, parameter: QgsProcessingParameterDefinition, advanced: bool = False) -> None:
        """Add a parameter with the label and the help its room has for it."""
        parameter.setDescription(self.words(parameter.name()))
        parameter.setHelp(self.words(f"{parameter.name()}_help"))
        if advanced:
            parameter.setFlags(parameter.flags() | QgsProcessingParameterDefinition.Flag.FlagAdvanced)
        self.addParameter(parameter)

    def words(self, name: str) -> str:
        """Return the sentence `name` of the room of this algorithm, else of the room of all."""
        own = f"{self.ROOM}.{name.lower()}"
        return text(own if own in catalogue() else f"inputs.{name.lower()}")


def can_evaluate(answer: bool | tuple[bool, str]) -> tuple[bool, str]:
    """Return the answer of QGIS for a tool of the evaluation; "no" too where rasters cannot be read."""
    possible, reason = _pair(answer)
    sentence = host.lacking_rasters(python_setting(), language()) if possible else reason
    return not sentence and possible, sentence


def python_setting() -> str:
    """Return the interpreter named on the options page, or ""."""
    return Settings().python


def temp_setting() -> str:
    """Return the folder for temporary data that the user chose, here or for Processing, or ""."""
    return Settings().temp_folder


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """Yield a folder for copies of layers, gone afterwards; what a crash of QGIS left goes first."""
    scratch.sweep(temp_setting())
    with scratch.folder("layers", temp_setting()) as folder:
        yield folder


def run_engine(job: Path, output: Path, feedback: QgsProcessingFeedback) -> host.Outcome:
    """Run a job file in the child and return the result files; everything it says goes to `feedback`."""
    child = _child(feedback)
    return host.run(
        child, job, output, language(), FeedbackListener(feedback), temp_setting(), Settings().workers
    )


def call_engine(
    arguments: Sequence[str], feedback: QgsProcessingFeedback, listener: host.Listener | None = None
) -> host.Files:
    """Run another command of the engine in the child and return the files it wrote, by what they are.

    `listener` hears of it instead of `feedback` where it is a part of the work.
    """
    child = _child(feedback)
    return host.call(child, arguments, language(), listener or FeedbackListener(feedback), temp_setting())


def _child(feedback: QgsProcessingFeedback) -> host.Child:
    found = host.search(python_setting())
    if found.child is None:
        raise host.no_interpreter(found)
    _say_which(found.child, feedback)
    return found.child


def _say_which(child: host.Child, feedback: QgsProcessingFeedback) -> None:
    passed_over = host.passed_over(python_setting(), language())
    if passed_over:
        say_finding(feedback, passed_over)
    versions = ", ".join(f"{name} {number}" for name, number in child.versions.items())
    say_finding(feedback, Finding("host.uses", {"python": child.python, "versions": versions}))


@contextmanager
def errors_as_sentences() -> Iterator[None]:
    """Turn an error of ours into the exception Processing shows, as a sentence."""
    try:
        yield
    except SwcError as error:
        raise QgsProcessingException(error.sentence(language())) from error


def _pair(answer: bool | tuple[bool, str]) -> tuple[bool, str]:
    return answer if isinstance(answer, tuple) else (answer, "")
