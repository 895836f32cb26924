# SPDX-License-Identifier: GPL-2.0-or-later
"""The executor seam: where tile tasks run. Results never depend on it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from typing import Any, Protocol


class Executor(Protocol):
    """Maps a module-level function over payloads; results come in payload order."""

    workers: int

    def map(self, function: Callable[[Any], Any], payloads: Sequence[Any]) -> Iterator[Any]:
        """Yield ``function(payload)`` for each payload, in order."""


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
        return self._pool.map(function, payloads)


class Cluster:
    """Runs tasks on a dask.distributed cluster that already exists."""

    def __init__(self, client: Any, workers: int) -> None:
        self._client = client
        self.workers = workers

    def map(self, function: Callable[[Any], Any], payloads: Sequence[Any]) -> Iterator[Any]:
        """Yield ``function(payload)`` for each payload, in order."""
        futures = self._client.map(function, payloads, pure=False)
        for future in futures:
            yield future.result()


@contextmanager
def executor(workers: int = 1, scheduler: str | None = None) -> Iterator[Executor]:
    """Open the place where tasks run: a cluster at `scheduler`, `workers` processes, or here."""
    if scheduler:
        from distributed import Client

        with Client(scheduler) as client:
            yield Cluster(client, max(1, len(client.scheduler_info()["workers"])))
    elif workers > 1:
        with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
            try:
                yield Processes(pool, workers)
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise
    else:
        yield Serial()
