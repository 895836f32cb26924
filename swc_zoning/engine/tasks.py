# SPDX-License-Identifier: GPL-2.0-or-later
"""The executor seam: where tile tasks run. Results never depend on it."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import get_context, parent_process
from threading import Thread
from typing import Any, Protocol

from swc_zoning.engine.messages import SwcError

_CONNECT_S = 10


class Executor(Protocol):
    """Maps a module-level function over payloads; results come in payload order."""

    workers: int

    def map(self, function: Callable[[Any], Any], payloads: Sequence[Any]) -> Iterator[Any]:
        """Yield ``function(payload)`` for each payload, in order.

        Raises what the function raises, and SwcError ``tasks.broken`` where a worker is lost.
        """


class Serial:
    """Runs every task in this process."""

    workers = 1

    def map(self, function: Callable[[Any], Any], payloads: Sequence[Any]) -> Iterator[Any]:
        """Yield ``function(payload)`` for each payload, in order."""
        return map(function, payloads)


class Processes:
    """Runs tasks in a pool of local processes."""

    def __init__(self, pool: ProcessPoolExecutor, workers: int) -> None:
        self._pool = pool
        self.workers = workers

    def map(self, function: Callable[[Any], Any], payloads: Sequence[Any]) -> Iterator[Any]:
        """Yield ``function(payload)`` for each payload, in order."""
        try:
            with _interrupts_held():
                answers = self._pool.map(function, payloads)
            yield from answers
        except BrokenProcessPool as error:
            raise SwcError("tasks.broken") from error


class Cluster:
    """Runs tasks on a dask.distributed cluster that already exists."""

    def __init__(self, client: Any, workers: int) -> None:
        self._client = client
        self.workers = workers

    def map(self, function: Callable[[Any], Any], payloads: Sequence[Any]) -> Iterator[Any]:
        """Yield ``function(payload)`` for each payload, in order."""
        from distributed import KilledWorker

        try:
            for future in self._client.map(function, payloads, pure=False):
                yield future.result()
        except (KilledWorker, CancelledError) as error:
            raise SwcError("tasks.broken") from error


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
            pool.shutdown(wait=False, cancel_futures=True)
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
