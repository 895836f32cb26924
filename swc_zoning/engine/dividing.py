# SPDX-License-Identifier: GPL-2.0-or-later
"""The exact partition on its own: pieces with all that lies on them and their areas, no zone decided."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from swc_zoning.engine import rules, run, workfiles
from swc_zoning.engine.formats import Batch
from swc_zoning.engine.job import Job
from swc_zoning.engine.layers import Layer, inputs_layer, piece_sources_layer, pieces_layer, ranges
from swc_zoning.engine.pieces import Pieces
from swc_zoning.engine.progress import Progress
from swc_zoning.engine.tasks import Executor

WHAT = "partition"

#: In the order they are written; ``sources`` is how many features lie on a piece, the extent's left out.
COLUMNS = (
    *("piece_id", "district_code", "district_name", "land", "members", "combo", "sources"),
    *("plane_m2", "ellipsoidal_m2", "area_m2"),
)


def divide(job: Job, progress: Progress | None = None, executor: Executor | None = None) -> Pieces:
    """Return the pieces of a job as its layers make them, proved; its decision table is left aside.

    Raises what `run.run` raises.
    """
    # Combinations carry a decision of some table; nothing of it is written.
    pieces, _ = run.divide(job, rules.load(), progress or Progress(), executor)
    run.prove_inputs_unchanged(pieces.intake)
    return pieces


def write(pieces: Pieces, output: Path) -> Path:
    """Write pieces, their sources and the papers of the inputs; raises what `workfiles.write` raises."""
    crs = run.crs_text(pieces.intake.crs)
    return workfiles.write(output, WHAT, layers_of(pieces), crs, {"crs": crs})


def layers_of(pieces: Pieces) -> list[Layer]:
    """Return the layers of the file of a partition."""
    return [_undecided(pieces), piece_sources_layer(pieces), inputs_layer(pieces.intake)]


def _undecided(pieces: Pieces) -> Layer:
    names = {combo.decision["zone"]: "" for combo in pieces.combos}
    decided = pieces_layer(pieces, names, "")
    sources = np.bincount(pieces.label_piece, minlength=len(pieces)).astype(np.int32)

    def batches() -> Iterator[Batch]:
        for (start, stop), batch in zip(ranges(len(pieces)), decided.batches()):
            columns = {**batch.columns, "sources": sources[start:stop]}
            yield Batch(batch.wkb, {name: columns[name] for name in COLUMNS})

    return Layer(decided.name, decided.kind, decided.count, batches)
