# SPDX-License-Identifier: GPL-2.0-or-later
"""The same job done three ways: read the city, partition it by all layers, attach ids, write a GeoPackage.

``python benchmarks/contenders.py NAME CITY OUTPUT.gpkg`` runs one of them in this process.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

CONSTRAINTS = ("pbf", "redline", "devbound", "water", "reserves", "parks", "districts")


def ours(city: Path, output: Path) -> None:
    """Read, partition, label and prove with this engine, in one process; write pieces and their sources."""
    import numpy as np
    import shapely

    from swc_zoning.engine import formats, intake, job, ledger, partition
    from swc_zoning.engine.progress import Progress

    taken = intake.read(job.load(city / "job.json"), Progress())
    features = taken.features
    frames = np.array([record.extent for record in taken.layers], bool)[features.layer]
    built = partition.build(features.geometry, frames)
    names = [("", source) for source in features.source_id]
    ledger.prove(built, features.area_m2, shapely.length(features.geometry), names)

    face = np.flatnonzero(built.inside)
    number = np.full(len(built), -1)
    number[face] = np.arange(len(face))
    rows = built.inside[built.labels.face]
    labelled = built.labels.feature[rows]

    def drawn() -> Iterator[formats.Batch]:
        for some in np.array_split(face, len(face) // 10_000 + 1):
            columns = {"piece": number[some], "area_m2": built.plane_m2[some]}
            yield formats.Batch(np.array(built.wkb(some), object), columns)

    formats.write_table(output, "pieces", drawn(), "EPSG:4549")
    sources = {
        "piece": number[built.labels.face[rows]],
        "layer": features.layer[labelled].astype(np.int64),
        "source_id": np.array(features.source_id, object)[labelled],
    }
    formats.write_table(output, "piece_sources", [formats.Batch(None, sources)], None)


def geopandas(city: Path, output: Path) -> None:
    """Chain ``geopandas.overlay(how="identity")`` over the layers, as its documentation shows."""
    import geopandas as gpd

    pieces = gpd.read_file(city / "parcels.gpkg")[["geometry"]]
    pieces["parcels"] = range(len(pieces))
    for name in CONSTRAINTS:
        layer = gpd.read_file(city / f"{name}.gpkg")[["geometry"]]
        layer[name] = range(len(layer))
        pieces = gpd.overlay(pieces, layer, how="identity", keep_geom_type=True)
    pieces["area_m2"] = pieces.geometry.area
    pieces.explode(index_parts=False).to_file(output, layer="pieces")


def qgis(city: Path, output: Path) -> None:
    """Chain ``native:union`` over the layers through qgis_process, each step to a file."""
    binary = next(
        p for p in ("/usr/bin/qgis_process.bin", shutil.which("qgis_process")) if p and Path(p).exists()
    )
    current = city / "parcels.gpkg"
    for name in CONSTRAINTS:
        step = output.with_name(f"{name}.gpkg")
        overlay = [f"--INPUT={current}", f"--OVERLAY={city / name}.gpkg", f"--OVERLAY_FIELDS_PREFIX={name}_"]
        _qgis(binary, "native:union", *overlay, f"--OUTPUT={step}")
        current = step
    # A union keeps what lies outside the parcels too; the job asks for pieces of parcels.
    wanted = ['--EXPRESSION="id" IS NOT NULL', f"--OUTPUT={output}"]
    _qgis(binary, "native:extractbyexpression", f"--INPUT={current}", *wanted)


def _qgis(binary: str, *arguments: str) -> None:
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
    subprocess.run([binary, "run", *arguments], check=True, env=environment, capture_output=True)


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    {"ours": ours, "geopandas": geopandas, "qgis": qgis}[sys.argv[1]](Path(sys.argv[2]), Path(sys.argv[3]))
