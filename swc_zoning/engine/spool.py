# SPDX-License-Identifier: GPL-2.0-or-later
"""Bytes set aside while a city is worked on: in memory as long as they are few, else in a file.

The file has no name where the system allows that, so nothing is left of it however a run ends.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from swc_zoning.engine import scratch
from swc_zoning.engine.grid import Ints

#: Bytes kept in memory.
_IN_MEMORY = 1 << 27
#: Rows read together.
_AT_ONCE = 50_000


class Spool:
    """Records of bytes in the order they came.

    `directory`: where the file goes, None: to the temporary data of this process.
    """

    def __init__(self, directory: Path | None = None) -> None:
        self._place = directory or scratch.place()
        self._file = tempfile.SpooledTemporaryFile(_IN_MEMORY, dir=self._place, prefix="swc_zoning_")  # noqa: SIM115
        self._sizes: list[Ints] = []
        self._end = 0

    def add(self, records: bytes, sizes: Ints) -> None:
        """Add records that follow each other in `records`, `sizes` bytes each.

        Raises SwcError ``scratch.unwritable`` where they cannot be set aside.
        """
        with scratch.reported(self._place):
            self._file.seek(self._end)
            self._file.write(records)
        self._end += len(records)
        self._sizes.append(np.asarray(sizes, np.int32))

    def seal(self) -> None:
        """Say that all records are there; then they can be read."""
        self.sizes = np.concatenate([np.empty(0, np.int32), *self._sizes]).astype(np.int64)
        self._offsets = np.concatenate([[0], np.cumsum(self.sizes)])
        self._sizes.clear()

    def read(self, rows: Ints) -> list[bytes]:
        """Return the records with the given numbers, in that order."""
        found: list[bytes] = [b""] * len(rows)
        order = np.argsort(rows, kind="stable")
        for run in np.split(order, np.flatnonzero(np.diff(rows[order]) > 1) + 1):
            if len(run):
                self._read_run(rows, run, found)
        return found

    def _read_run(self, rows: Ints, run: Ints, found: list[bytes]) -> None:
        first, last = int(rows[run[0]]), int(rows[run[-1]])
        begin = int(self._offsets[first])
        self._file.seek(begin)
        block = self._file.read(int(self._offsets[last + 1]) - begin)
        starts = (self._offsets[rows[run]] - begin).tolist()
        ends = (self._offsets[rows[run] + 1] - begin).tolist()
        for place, start, end in zip(run.tolist(), starts, ends):
            found[place] = block[start:end]

    def batches(self, rows: Ints) -> Iterator[list[bytes]]:
        """Yield records as `read`, some ten thousand at a time."""
        for begin in range(0, len(rows), _AT_ONCE):
            yield self.read(rows[begin : begin + _AT_ONCE])

    def __len__(self) -> int:
        return len(self.sizes)
