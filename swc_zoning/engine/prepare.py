# SPDX-License-Identifier: GPL-2.0-or-later
"""The layers of a job as the partition takes them: mended on a copy, in the working CRS, one a role."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from swc_zoning.engine import intake, run, workfiles
from swc_zoning.engine.formats import Batch
from swc_zoning.engine.grid import Ints
from swc_zoning.engine.intake import Intake
from swc_zoning.engine.job import Job
from swc_zoning.engine.layers import Columns, Layer, inputs_layer, ranges, text_column, whole
from swc_zoning.engine.progress import Progress

WHAT = "prepared"
_POLYGON = 3


def prepare(job: Job, progress: Progress | None = None) -> Intake:
    """Return the features of all layers of a job, mended and in the working CRS; inputs are not changed.

    Raises Blocked with all findings where one of them blocks, InvariantViolated where an input
    changed meanwhile.
    """
    progress = progress or Progress()
    with progress.step("reading", 0.8):
        taken = intake.read(job, progress)
    run.prove_inputs_unchanged(taken)
    return taken


def write(taken: Intake, output: Path) -> Path:
    """Write a layer for each role (role, tier, source_id, name, layer), the repairs and the papers of inputs.

    Of the extent, the source id is the code of the district. Raises what `workfiles.write` raises.
    """
    crs = run.crs_text(taken.crs)
    return workfiles.write(output, WHAT, layers_of(taken), crs, {"crs": crs})


def layers_of(taken: Intake) -> list[Layer]:
    """Return the layers of a prepared file."""
    index = [record.role for record in taken.layers]
    role_of = np.array(index, object)[taken.features.layer]
    drawn = [_role_layer(taken, role, np.flatnonzero(role_of == role)) for role in dict.fromkeys(index)]
    return [*drawn, _repairs(taken), inputs_layer(taken)]


def _role_layer(taken: Intake, role: str, members: Ints) -> Layer:
    def batches() -> Iterator[Batch]:
        for start, stop in ranges(len(members)):
            rows = members[start:stop]
            yield Batch(shapely.to_wkb(_multi(taken.features.geometry[rows])), _columns(taken, role, rows))

    return Layer(role, "MultiPolygon", len(members), batches)


def _multi(geometry: NDArray[Any]) -> NDArray[Any]:
    """Return polygons and multipolygons as multipolygons, ring for ring."""
    made = geometry.copy()
    single = np.flatnonzero(shapely.get_type_id(geometry) == _POLYGON)
    if len(single):
        made[single] = shapely.multipolygons(geometry[single], indices=np.arange(len(single)))
    return made


def _columns(taken: Intake, role: str, rows: Ints) -> Columns:
    features, titles = taken.features, [record.layer for record in taken.layers]
    numbers = rows.tolist()
    ids = [features.attributes[n].get("code", features.source_id[n]) for n in numbers]
    names = [features.attributes[n].get("name", features.name[n]) for n in numbers]
    return {
        "role": text_column([role] * len(numbers)),
        "tier": text_column([features.tier[n] for n in numbers]),
        "source_id": text_column(ids),
        "name": text_column(names),
        "layer": text_column([titles[features.layer[n]] for n in numbers]),
    }


def _repairs(taken: Intake) -> Layer:
    repairs = taken.repairs
    places = [one.place or (np.nan, np.nan) for one in repairs]
    columns: Columns = {
        "role": text_column([taken.layers[one.layer].role for one in repairs]),
        "layer": text_column([taken.layers[one.layer].layer for one in repairs]),
        "source_id": text_column([one.source_id for one in repairs]),
        "reason": text_column([one.reason for one in repairs]),
        "east": np.array([east for east, _ in places], float),
        "north": np.array([north for _, north in places], float),
        "area_before_m2": np.array([one.area_before_m2 for one in repairs], float),
        "area_after_m2": np.array([one.area_after_m2 for one in repairs], float),
        "leftovers": np.array([one.leftovers for one in repairs], np.int32),
    }
    return whole("repairs", "", None, columns)
