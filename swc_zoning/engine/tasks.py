# SPDX-License-Identifier: GPL-2.0-or-later
"""The executor seam: where tile tasks run. Results never depend on it."""

from __future__ import annotations

import os
import signal
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import CancelledError, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import get_context, parent_process
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
    """Runs tasks in a pool of local processes."""

    def __init__(self, pool: ProcessPoolExecutor, workers: int) -> None:
        self._pool = pool
        self.workers = workers

    def map(self, function: Callable[[Any], Any], payloads: Iterable[Any]) -> Iterator[Any]:
        """Yield ``function(payload)`` for each payload, in order."""

        def submit(payload: Any) -> Any:
            with _interrupts_held():
                return self._pool.submit(function, payload)

        try:
            yield from in_turn(submit, payloads, _AHEAD * self.workers)
        except BrokenProcessPool as error:
            raise SwcError("tasks.broken") from error


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
        with _pool(workers) as pool:
            yield Processes(pool, workers)
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


@contextmanager
def _pool(workers: int) -> Iterator[ProcessPoolExecutor]:
    with ProcessPoolExecutor(workers, get_context("spawn"), _begin_worker) as pool:
        try:
            yield pool
        except BaseException:
            # Nobody waits for what is under way: a task may take longer than a user who cancels should.
            workers = list((pool._processes or {}).values())
            pool.shutdown(wait=False, cancel_futures=True)
            for worker in workers:
                worker.terminate()
            raise


@contextmanager
def _interrupts_held() -> Iterator[None]:
    """Hold Ctrl-C back while workers start: they inherit it, so that only this process answers to it."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


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
