# SPDX-License-Identifier: GPL-2.0-or-later
"""A run's events shown through the feedback object of Processing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from qgis.core import QgsProcessingFeedback
from qgis.PyQt.QtCore import QCoreApplication, pyqtSignal

from swc_zoning.engine.messages import Finding, catalogue
from swc_zoning.qgis_bridge.i18n import language, text

_MANY = 200


class RunFeedback(QgsProcessingFeedback):
    """Feedback of a run that windows follow: signals instead of a log, with the seconds left."""

    #: share done (0..1), name of the step, seconds left (-1 where not known)
    stepped = pyqtSignal(float, str, float)
    #: severity, sentence
    told = pyqtSignal(str, str)

    def step(self, fraction: float, name: str, left_s: float | None) -> None:
        """Tell how far the run is."""
        self.stepped.emit(fraction, name, -1.0 if left_s is None else left_s)

    def reportError(self, error: str, fatalError: bool = False) -> None:  # noqa: N802, N803 (QGIS calls it)
        """Tell an error."""
        self.told.emit("error", error)

    def pushWarning(self, warning: str) -> None:  # noqa: N802
        """Tell a warning."""
        self.told.emit("warning", warning)

    def pushInfo(self, info: str) -> None:  # noqa: N802
        """Tell something."""
        self.told.emit("info", info)


class FeedbackListener:
    """Listener of `host.run` that writes to a QgsProcessingFeedback. At most 200 findings are printed."""

    def __init__(self, feedback: QgsProcessingFeedback) -> None:
        self._feedback = feedback
        self._shown = 0
        self._text = ""

    def cancelled(self) -> bool:
        """Return whether the user pressed cancel."""
        return self._feedback.isCanceled()

    def progress(self, step: str, fraction: float, left_s: float | None) -> None:
        """Show the share done and, where it changed, the step."""
        self._feedback.setProgress(100.0 * fraction)
        name = step_name(step)
        if isinstance(self._feedback, RunFeedback):
            self._feedback.step(fraction, name, left_s)
        if name != self._text:
            self._text = name
            known = left_s is not None
            shown = text("host.time_left", step=name, seconds=round(left_s)) if known else name
            self._feedback.setProgressText(shown)

    def finding(self, finding: Mapping[str, Any]) -> None:
        """Print a finding as error, warning or information; errors always."""
        severity = str(finding.get("severity", "info"))
        self._shown += 1
        if severity == "error" or self._shown <= _MANY:
            say(self._feedback, severity, str(finding["text"]))
        elif self._shown == _MANY + 1:
            say(self._feedback, "info", text("host.more_findings", count=_MANY))

    def note(self, line: str) -> None:
        """Print a line that is not part of the protocol as debugging information."""
        self._feedback.pushDebugInfo(line)


class PartListener(FeedbackListener):
    """Listener of a part of some work in the main thread: `share` of the whole from `start` on (0..1).

    As nobody else does, it lets the window be seen and cancel be pressed.
    """

    def __init__(self, feedback: QgsProcessingFeedback, start: float, share: float) -> None:
        super().__init__(feedback)
        self._start, self._share = start, share

    def cancelled(self) -> bool:
        """Return whether the user pressed cancel."""
        QCoreApplication.processEvents()
        return super().cancelled()

    def progress(self, step: str, fraction: float, left_s: float | None) -> None:
        """Show the share of the whole that is done."""
        super().progress(step, self._start + self._share * fraction, None)

    def tell(self, name: str, fraction: float) -> None:
        """Show the share of the whole that is done, and what is being done in words of its own."""
        whole = self._start + self._share * fraction
        self._feedback.setProgress(100.0 * whole)
        self._feedback.setProgressText(name)
        if isinstance(self._feedback, RunFeedback):
            self._feedback.step(whole, name, None)
        QCoreApplication.processEvents()


def step_name(step: str) -> str:
    """Return the name of a step of the run, its id where the catalogue has no name."""
    names = catalogue().get(f"step.{step}", {})
    return names.get(language(), step)


def say(feedback: QgsProcessingFeedback, severity: str, sentence: str) -> None:
    """Print `sentence` as its severity asks."""
    if severity == "error":
        feedback.reportError(sentence)
    elif severity == "warning":
        feedback.pushWarning(sentence)
    else:
        feedback.pushInfo(sentence)


def say_finding(feedback: QgsProcessingFeedback, finding: Finding) -> None:
    """Print a finding made on this side."""
    say(feedback, finding.severity, finding.sentence(language()))
