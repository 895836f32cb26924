# SPDX-License-Identifier: GPL-2.0-or-later
"""Work in the background: algorithms of the toolbox and small pure functions, one algorithm at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from qgis.core import (
    QgsApplication,
    QgsProcessingAlgorithm,
    QgsProcessingAlgRunnerTask,
    QgsProcessingContext,
    QgsProject,
    QgsTask,
)
from qgis.PyQt.QtCore import QObject, QTimer, pyqtSignal

from swc_zoning.engine.messages import Cancelled, SwcError
from swc_zoning.processing_algs.base import python_setting
from swc_zoning.qgis_bridge import host
from swc_zoning.qgis_bridge.feedback import RunFeedback
from swc_zoning.qgis_bridge.i18n import language

Done = Callable[[bool, dict], None]

#: What QGIS works with until a task is over, also when the window that began it is gone.
_held: set[tuple[Any, ...]] = set()


class Runner(QObject):
    """Runs our algorithms as the toolbox does, in a task, and tells how far they are."""

    started = pyqtSignal(str)
    #: share done (0..1), name of the step, seconds left (-1 where not known)
    progressed = pyqtSignal(float, str, float)
    #: severity, sentence
    said = pyqtSignal(str, str)
    finished = pyqtSignal(bool)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._feedback: RunFeedback | None = None
        self._context: QgsProcessingContext | None = None
        self._algorithm: Any = None
        self._task: QgsTask | None = None
        self._done: Done | None = None
        self._works: set[QgsTask] = set()
        self._closed = False
        #: How often everything asked so far was given up.
        self._given_up = 0

    @property
    def busy(self) -> bool:
        """Return whether an algorithm is running."""
        return self._done is not None

    @property
    def cancelled(self) -> bool:
        """Return whether the algorithm that runs, or ran last, was cancelled."""
        return self._feedback is not None and self._feedback.isCanceled()

    def run(self, algorithm: str, parameters: Mapping[str, Any], done: Done, title: str) -> None:
        """Run the algorithm with this id; `done(ok, results)` is called in the main thread.

        Raises SwcError ``session.busy`` while another one runs.
        """
        if self.busy:
            raise SwcError("session.busy")
        self._done = done
        self._feedback = RunFeedback()
        self._feedback.stepped.connect(self.progressed)
        self._feedback.told.connect(self.said)
        self.started.emit(title)

        def begin(found: Any) -> None:
            self._begin(algorithm, dict(parameters))

        # Looking for an interpreter starts processes: not in the main thread.
        setting = python_setting()
        self._start(lambda: host.search(setting), begin)

    def cancel(self) -> None:
        """Ask the running algorithm to stop; `done` is called when it has."""
        if self._feedback is not None and self.busy:
            self._feedback.cancel()

    def work(self, function: Callable[[], Any], done: Callable[[Any], None]) -> None:
        """Call a pure function in a task and `done` with what it returned, or the exception it raised.

        An answer to what was given up meanwhile is told to nobody.
        """
        asked = self._given_up

        def over(outcome: Any) -> None:
            if asked == self._given_up:
                done(outcome)

        self._start(function, over)

    def give_up(self) -> None:
        """Cancel what runs and forget what was asked: its answers are about another project."""
        self._given_up += 1
        self.cancel()
        if self.busy:
            self._done = _ignore

    def _start(self, function: Callable[[], Any], done: Callable[[Any], None]) -> None:
        task = _Work(function)
        self._works.add(task)

        def over() -> None:
            self._works.discard(task)
            if not self._closed:
                done(task.outcome)

        task.taskCompleted.connect(over)
        task.taskTerminated.connect(over)
        QgsApplication.taskManager().addTask(task)

    def close(self) -> None:
        """Cancel what runs and call nobody any more."""
        self._closed = True
        self.cancel()
        self._done = None

    def _begin(self, algorithm: str, parameters: dict[str, Any]) -> None:
        if self.cancelled:
            self._end(False, {})
            return
        self._algorithm = QgsApplication.processingRegistry().createAlgorithmById(algorithm)
        self._context = QgsProcessingContext()
        self._context.setProject(QgsProject.instance())
        self._context.setFeedback(self._feedback)
        reason = self._refusal(parameters)
        if reason:
            self.said.emit("error", reason)
            self._end(False, {})
            return
        if self._algorithm.flags() & QgsProcessingAlgorithm.Flag.FlagNoThreading:
            # It lets the window be seen itself; first whoever asked gets to the end of what they do.
            QTimer.singleShot(0, lambda: self._run_here(parameters))
            return
        self._task = QgsProcessingAlgRunnerTask(self._algorithm, parameters, self._context, self._feedback)
        held = (self._task, self._algorithm, self._context, self._feedback)
        _held.add(held)
        self._task.executed.connect(lambda *_: _held.discard(held))
        self._task.executed.connect(self._end)
        QgsApplication.taskManager().addTask(self._task)

    def _run_here(self, parameters: dict[str, Any]) -> None:
        """Run an algorithm that must run in the main thread."""
        held = (self._algorithm, self._context, self._feedback)
        _held.add(held)
        try:
            results, ok = self._algorithm.run(parameters, self._context, self._feedback)
        finally:
            _held.discard(held)
        self._end(ok, results)

    def _refusal(self, parameters: dict[str, Any]) -> str:
        """Return why the algorithm cannot run with these parameters, "" where it can."""
        if self._algorithm is None:
            return SwcError("session.no_algorithm").sentence(language())
        for answer in (
            self._algorithm.canExecute(),
            self._algorithm.checkParameterValues(parameters, self._context),
        ):
            possible, reason = answer if isinstance(answer, tuple) else (answer, "")
            if not possible:
                return reason
        return ""

    def _end(self, ok: bool, results: dict) -> None:
        done, self._done = self._done, None
        if self._closed or done is None:
            return
        self.finished.emit(ok)
        done(ok, dict(results))


class _Work(QgsTask):
    """A pure function as a task; `outcome` is what it returned or the exception it raised."""

    def __init__(self, function: Callable[[], Any]) -> None:
        super().__init__("", QgsTask.Flag.CanCancel)
        self._function = function
        # Where the task is cancelled before its turn, this is all there is to tell.
        self.outcome: Any = Cancelled()

    def run(self) -> bool:
        """Call the function, in the thread of the task."""
        try:
            self.outcome = self._function()
        except (SwcError, OSError, ValueError, KeyError) as error:
            self.outcome = error
        return True


def _ignore(ok: bool, results: dict) -> None:
    """Take the end of a run that nobody waits for."""
