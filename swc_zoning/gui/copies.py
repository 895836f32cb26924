# SPDX-License-Identifier: GPL-2.0-or-later
"""Copies of layers that are no plain files, in the working folder, with notes of their origin."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from qgis.core import QgsProcessingFeedback, QgsVectorLayer

from swc_zoning.engine import reports
from swc_zoning.qgis_bridge import sources

NOTES = "copies.json"
_UNFIT = re.compile(r'[\\/:*?"<>|\s]+')


@dataclass(frozen=True)
class Order:
    """A layer to be copied: what it shows now, where to, and what to note about it."""

    path: Path
    shown: sources.Snapshot
    note: Mapping[str, Any]


def order(layer: QgsVectorLayer, inputs: Path, path: Path | None = None, taken: Sequence[Path] = ()) -> Order:
    """Return the order to copy what `layer` shows now, to `path` or a free name. In the main thread."""
    shown = sources.snapshot(None, layer)
    note = {"layer_id": layer.id(), "name": layer.name(), "filter": layer.subsetString(), **_counts(shown)}
    note["count"] = int(layer.featureCount())
    return Order(path or _free(inputs, layer.name(), taken), shown, note)


def carry_out(orders: Sequence[Order], feedback: QgsProcessingFeedback) -> list[sources.Copied]:
    """Copy the layers one after the other. In a worker. Raises SwcError as `sources.copy`, OSError."""
    done = []
    for one in orders:
        one.path.parent.mkdir(parents=True, exist_ok=True)
        aside = one.path.with_name(f"part-{os.getpid()}-{one.path.name}")
        try:
            copied = sources.copy(one.shown, aside, feedback)
            aside.replace(one.path)
        finally:
            aside.unlink(missing_ok=True)
        _note(one, copied.count)
        done.append(copied)
    return done


def notes(inputs: Path) -> dict[str, dict[str, Any]]:
    """Return the notes of all copies in a folder by file name; {} where there are none."""
    try:
        found = json.loads((inputs / NOTES).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def is_changed(note: Mapping[str, Any], layer: QgsVectorLayer) -> bool:
    """Return whether a layer shows something else than when it was copied: filter, count, unsaved edits."""
    edited = layer.isEditable() and layer.isModified()
    return edited or note["filter"] != layer.subsetString() or note["count"] != layer.featureCount()


def _note(one: Order, count: int) -> None:
    known = notes(one.path.parent)
    copied = {"copied": count, "time": datetime.now().isoformat(timespec="seconds")}
    known[one.path.name] = {**one.note, **copied}
    reports.write(known, one.path.parent / NOTES)


def _counts(shown: sources.Snapshot) -> dict[str, Any]:
    return {"edited": shown.state["edited"]}


def _free(inputs: Path, name: str, taken: Sequence[Path]) -> Path:
    base = _UNFIT.sub("_", name).strip("_.") or "layer"
    names = (base if number == 1 else f"{base}_{number}" for number in range(1, 1000))
    paths = (inputs / f"{one}.gpkg" for one in names)
    return next(path for path in paths if path not in taken and not path.exists())
