# SPDX-License-Identifier: GPL-2.0-or-later
"""Results of tiles kept between runs, by the content of what lies in the tile.

A run after a small change traces the tiles that changed and takes the others from here. What is kept
are plain columns of numbers: nothing in the folder is ever executed, and a file that is not as it was
written is not there.
"""

from __future__ import annotations

import hashlib
import json
import os
import pickle  # nosec B403 - only dumps, to fingerprint the model; nothing is ever loaded
import zlib
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import pyproj
import shapely

from swc_zoning import paths
from swc_zoning.engine import scratch
from swc_zoning.engine.areas import AreaModel
from swc_zoning.engine.messages import SwcError
from swc_zoning.engine.tasks import Executor, in_turn
from swc_zoning.engine.tiles import Draft, Tile
from swc_zoning.engine.traced import Chains, Loose, Shapes, Traced, trace_tile

_SUFFIX = ".tile"
_READ_AHEAD = 4
#: Bytes of the check sum before each file.
_CHECK = 4
_PARTS = {"shapes": Shapes, "loose": Loose, "chains": Chains}


def trace(
    drafts: Iterable[Draft], model: AreaModel | None, executor: Executor, folder: Path | None
) -> Iterator[Traced]:
    """Yield the result of each tile in order, those known in `folder` from there.

    Raises SwcError ``cache.unwritable`` where results cannot be kept.
    """
    if folder is None:
        yield from executor.map(trace_tile, ((draft.tile(), model) for draft in drafts))
        return
    kept = _Kept(folder, model)
    # Whether a result is there is asked once: another run may bring or take files at any time.
    order: deque[tuple[Draft, Path, bool]] = deque()

    def unknown() -> Iterator[tuple[Tile, AreaModel | None]]:
        for draft in drafts:
            path = kept.path(draft)
            order.append((draft, path, path.is_file()))
            if not order[-1][2]:
                yield draft.tile(), model

    def known(readers: ThreadPoolExecutor) -> Iterator[Traced]:
        first = []
        while order and order[0][2]:
            first.append(order.popleft())
        found = in_turn(lambda one: readers.submit(kept.read, one[1]), first, _READ_AHEAD)
        for (draft, path, _), traced in zip(first, found):
            yield traced or kept.keep(path, trace_tile((draft.tile(), model)))

    # Files are read and checked beside the work on those read before: neither needs the interpreter.
    with ThreadPoolExecutor(2) as readers:
        for traced in executor.map(trace_tile, unknown()):
            yield from known(readers)
            yield kept.keep(order.popleft()[1], traced)
        yield from known(readers)
    kept.sweep()


class _Kept:
    """The folder of results: one file a tile, named by what lies in the tile."""

    def __init__(self, folder: Path, model: AreaModel | None) -> None:
        self.folder = Path(folder)
        self.used: set[str] = set()
        # Whoever traces otherwise, or measures otherwise, gets other results of the same tile. All that
        # the model measures by is what goes to a worker.
        versions = (paths.version(), np.__version__, shapely.geos_version_string, pyproj.proj_version_str)
        self._method = repr(versions).encode() + pickle.dumps(model)
        with _reported(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)

    def path(self, draft: Draft) -> Path:
        """Return the file of a tile, there or not."""
        name = hashlib.blake2b(self._method + draft.digest(), digest_size=20).hexdigest() + _SUFFIX
        self.used.add(name)
        return self.folder / name

    def read(self, path: Path) -> Traced | None:
        """Return the result of a tile, None where the file is damaged, another tile's or gone."""
        with _reported(self.folder):
            try:
                content = path.read_bytes()
            except FileNotFoundError:
                return None
        body = memoryview(content)[_CHECK:]
        if _check(body, path) != content[:_CHECK]:
            return None
        return _made(_unpacked(body))

    def keep(self, path: Path, traced: Traced) -> Traced:
        """Write the result of a tile aside, then put it in place; return the result."""
        columns = {"label_face": traced.label_face, "label_feature": traced.label_feature}
        for name in _PARTS:
            part = getattr(traced, name)
            columns.update((f"{name}.{f.name}", _column(getattr(part, f.name))) for f in fields(part))
        aside = path.with_name(f".{path.name}.{os.getpid()}-{uuid4().hex[:8]}")
        with _reported(self.folder):
            try:
                body = _packed(columns)
                aside.write_bytes(_check(body, path) + body)
                aside.replace(path)
            finally:
                aside.unlink(missing_ok=True)
        return traced

    def sweep(self) -> None:
        """Remove what this run had no use for: the folder holds one city as it was last.

        And what killed runs left unfinished.
        """
        with _reported(self.folder):
            for path in self.folder.glob(f".*{_SUFFIX}.*"):
                writer = path.name.rpartition(".")[2].partition("-")[0]
                if writer.isdigit() and scratch.has_ended(int(writer)):
                    path.unlink(missing_ok=True)
            for path in self.folder.glob(f"*{_SUFFIX}"):
                if path.name not in self.used:
                    path.unlink(missing_ok=True)


def _column(value: Any) -> np.ndarray:
    return np.frombuffer(value, np.uint8) if isinstance(value, bytes) else np.asarray(value)


def _check(body: bytes | memoryview, path: Path) -> bytes:
    """Return the check sum of a file of that name: damage and mix-ups are told, at the speed of reading."""
    return zlib.crc32(body, zlib.crc32(path.name.encode())).to_bytes(_CHECK, "little")


def _packed(columns: dict[str, np.ndarray]) -> bytes:
    """Return columns as bytes: the length of a head, the head in JSON, the numbers."""
    head = json.dumps([[name, values.dtype.str, values.shape] for name, values in columns.items()]).encode(
        "ascii"
    )
    numbers = [np.ascontiguousarray(values).tobytes() for values in columns.values()]
    return b"".join([len(head).to_bytes(8, "little"), head, *numbers])


def _unpacked(body: memoryview) -> dict[str, np.ndarray]:
    at = 8 + int.from_bytes(body[:8], "little")
    columns = {}
    for name, kind, shape in json.loads(bytes(body[8:at])):
        count = int(np.prod(shape, dtype=np.int64))
        # A view would keep the whole file in memory for as long as the smallest column is needed.
        columns[name] = np.frombuffer(body, kind, count, at).reshape(shape).copy()
        at += columns[name].nbytes
    return columns


def _made(columns: dict[str, np.ndarray]) -> Traced:
    parts = {}
    for name, kind in _PARTS.items():
        values = {f.name: columns[f"{name}.{f.name}"] for f in fields(kind)}
        parts[name] = kind(**{key: _plain(kind, key, value) for key, value in values.items()})
    labels = columns["label_face"], columns["label_feature"]
    return Traced(parts["shapes"], *labels, parts["loose"], parts["chains"])


def _plain(kind: type, name: str, value: np.ndarray) -> Any:
    if kind is Shapes and name == "wkb":
        return value.tobytes()
    return int(value) if value.ndim == 0 else value


@contextmanager
def _reported(folder: Path) -> Iterator[None]:
    """Turn what the file system refuses into ``cache.unwritable``."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise SwcError("cache.unwritable", path=str(folder), reason=reason) from error
