# SPDX-License-Identifier: GPL-2.0-or-later
"""Progress of a run: named steps with shares of the whole, timed, reported as they advance."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

#: A listener takes (step id, fraction of the whole run 0..1, seconds left or None).
Listener = Callable[[str, float, "float | None"], None]


class Progress:
    """Collects step times in `timings` (seconds) and tells a listener how far the run is."""

    def __init__(self, listener: Listener | None = None) -> None:
        self.timings: dict[str, float] = {}
        self._listener = listener
        self._began = time.monotonic()
        self._step = ""
        self._start = 0.0
        self._share = 0.0

    @contextmanager
    def step(self, name: str, share: float) -> Iterator[Progress]:
        """Run a step that is `share` (0..1) of the whole."""
        self._step, self._share = name, share
        began = time.monotonic()
        self.advance(0.0)
        yield self
        self.timings[name] = self.timings.get(name, 0.0) + time.monotonic() - began
        self._start += share
        self._share = 0.0
        self.advance(0.0)

    def advance(self, fraction: float) -> None:
        """Say that `fraction` (0..1) of the current step is done."""
        if self._listener is None:
            return
        whole = min(1.0, self._start + self._share * fraction)
        elapsed = time.monotonic() - self._began
        left = elapsed * (1 - whole) / whole if whole > 0.02 else None
        self._listener(self._step, whole, left)

    def part(self, start: float, share: float) -> Progress:
        """Return the progress of a part of the current step that begins at `start` and has `share` (0..1)."""
        part = Progress(lambda step, done, left: self.advance(start + share * done))
        part._share = 1.0
        return part
