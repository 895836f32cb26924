# SPDX-License-Identifier: GPL-2.0-or-later
"""The executor seam: where tile tasks run. Results never depend on it."""

from __future__ import annotations

import os
import signal
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from itertools import count
from multiprocessing import get_context, parent_process
from multiprocessing.connection import wait
from pickle import PicklingError  # nosec B403 - the name of an error; nothing is unpickled here
from threading import Thread
from typing import Any, Protocol

from swc_zoning.engine.messages import SwcError

_CONNECT_S = 10
#: Payloads under way for each worker: one at work, one ready, and one to even out.
_AHEAD = 3


class Executor(Protocol):
    """Maps a module-level function over payloads; results come in payload order."""

    workers: int

    def map(self, function: Callable[[Any], Any], payloads: Iterable[Any]) -> Iterator[Any]:
        """Yield ``function(payload)`` for each payload, in order.

        Payloads are asked for as workers come free, so that few of them are in memory at a time.
        Raises what the function raises, and SwcError ``tasks.broken`` where a worker is lost.
        """


class Serial:
    """Runs every task in this process."""

    workers = 1

    def map(self, function: Callable[[Any], Any], payloads: Iterable[Any]) -> Iterator[Any]:
        """Yield ``function(payload)`` for each payload, in order."""
        return map(function, payloads)


class Processes:
    """Runs tasks in local processes, each at the other end of a pipe of its own.

    So nobody waits for a process that is no more: what is under way ends with the executor.
    """

    def __init__(self, workers: int) -> None:
        self.workers = workers
        self._processes: list[_Worker] = []
        self._answers: dict[int, tuple[BaseException | None, Any]] = {}
        self._number = count()

    def start(self) -> None:
        """Start the processes."""
        with _interrupts_held():
            for _ in range(self.workers):
                self._processes.append(_Worker())

    def map(self, function: Callable[[Any], Any], payloads: Iterable[Any]) -> Iterator[Any]:
        """Yield ``function(payload)`` for each payload, in order."""
        under_way: deque[int] = deque()
        for payload in payloads:
            under_way.append(self._hand_out(function, payload))
            while len(under_way) >= _AHEAD * self.workers or (under_way and under_way[0] in self._answers):
                yield self._answer(under_way.popleft())
        while under_way:
            yield self._answer(under_way.popleft())

    def _hand_out(self, function: Callable[[Any], Any], payload: Any) -> int:
        worker = min(self._processes, key=lambda one: one.busy)
        number = next(self._number)
        try:
            worker.connection.send((number, function, payload))
        except OSError as error:
            raise SwcError("tasks.broken") from error
        worker.busy += 1
        return number

    def _answer(self, number: int) -> Any:
        while number not in self._answers:
            self._take_answers()
        error, answer = self._answers.pop(number)
        if error is not None:
            raise error
        return answer

    def _take_answers(self) -> None:
        """Wait for answers of any worker; a pipe that ends has lost its worker."""
        by_pipe = {worker.connection: worker for worker in self._processes}
        for connection in wait(list(by_pipe)):
            try:
                number, error, answer = connection.recv()
            except (EOFError, OSError) as lost:
                raise SwcError("tasks.broken") from lost
            self._answers[number] = error, answer
            by_pipe[connection].busy -= 1

    def stop(self) -> None:
        """End the processes, whatever they are at."""
        for worker in self._processes:
            worker.connection.close()
            worker.process.terminate()
        for worker in self._processes:
            worker.process.join()


class Cluster:
    """Runs tasks on a dask.distributed cluster that already exists."""

    def __init__(self, client: Any, workers: int) -> None:
        self._client = client
        self.workers = workers

    def map(self, function: Callable[[Any], Any], payloads: Iterable[Any]) -> Iterator[Any]:
        """Yield ``function(payload)`` for each payload, in order."""
        from distributed import KilledWorker

        def submit(payload: Any) -> Any:
            # A payload goes to a worker as data: within a task it would pass through the scheduler.
            return self._client.submit(function, self._client.scatter(payload, hash=False), pure=False)

        try:
            yield from in_turn(submit, payloads, _AHEAD * self.workers)
        except (KilledWorker, CancelledError) as error:
            raise SwcError("tasks.broken") from error


def in_turn(submit: Callable[[Any], Any], payloads: Iterable[Any], ahead: int) -> Iterator[Any]:
    """Yield results in order, no more than `ahead` payloads under way at a time."""
    under_way: deque[Any] = deque()
    for payload in payloads:
        under_way.append(submit(payload))
        if len(under_way) >= ahead:
            yield under_way.popleft().result()
    while under_way:
        yield under_way.popleft().result()


@contextmanager
def executor(workers: int = 1, scheduler: str | None = None) -> Iterator[Executor]:
    """Open the place where tasks run: a cluster at `scheduler`, `workers` processes, or here.

    Raises SwcError ``tasks.no_distributed`` where the package is not installed and
    ``tasks.no_cluster`` where nothing answers at `scheduler`.
    """
    if scheduler:
        with _client(scheduler) as client:
            yield Cluster(client, max(1, len(client.nthreads())))
    elif workers > 1:
        pool = Processes(workers)
        try:
            pool.start()
            yield pool
        finally:
            pool.stop()
    else:
        yield Serial()


def _client(address: str) -> Any:
    try:
        from distributed import Client
    except ImportError as error:
        raise SwcError("tasks.no_distributed") from error
    from asyncio import TimeoutError as Late  # of its own kind before Python 3.11

    try:
        return Client(address, timeout=_CONNECT_S)
    except (OSError, TimeoutError, Late, ValueError) as error:
        raise SwcError("tasks.no_cluster", address=address, reason=str(error)) from error


# --- local processes -------------------------------------------------------------------------------


class _Worker:
    """A process and the pipe to it; `busy`: how many tasks it has been given and not answered."""

    def __init__(self) -> None:
        context = get_context("spawn")
        self.connection, theirs = context.Pipe()
        self.process = context.Process(target=_serve, args=(theirs,), daemon=True)
        self.process.start()
        theirs.close()  # so that the pipe ends with the worker
        self.busy = 0


@contextmanager
def _interrupts_held() -> Iterator[None]:
    """Hold Ctrl-C back while workers start: they inherit it, so that only this process answers to it."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    from multiprocessing import resource_tracker  # POSIX only, as the mask is

    # Once it runs, starting a process no longer lets interrupts through again.
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _serve(connection: Any) -> None:
    """Carry out tasks one after the other, taking the next in while one is at work."""
    _begin_worker()
    with ThreadPoolExecutor(1) as hand:
        while True:
            try:
                number, function, payload = connection.recv()
            except (EOFError, OSError):
                return
            task = hand.submit(function, payload)
            task.add_done_callback(partial(_send_answer, connection, number))
            del task, payload


def _send_answer(connection: Any, number: int, task: Future[Any]) -> None:
    error = task.exception()
    try:
        connection.send((number, error, None if error else task.result()))
    except (PicklingError, TypeError, AttributeError, OSError):
        # What cannot be told is as good as lost, and a lost worker is told.
        os._exit(1)


def _begin_worker() -> None:
    """Leave Ctrl-C to the parent, and end with it however it ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        # Nobody is left to answer to; sys.exit would only end this thread.
        os._exit(1)
