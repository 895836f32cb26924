# SPDX-License-Identifier: GPL-2.0-or-later
"""The floor under a run: read all inputs of a city, and write the tables of its result once more.

``python benchmarks/floor.py CITY ZONING.gpkg OUTPUT.gpkg`` prints the seconds: whatever a run does, it
does that too. The tables are those that a run has written; getting them into memory is not counted.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import pyarrow
import pyogrio
import shapely
from pyogrio import raw


def main(city: Path, zoning: Path, output: Path) -> float:
    """Return how many seconds reading the inputs and writing the tables of `zoning` to `output` take."""
    tables = [
        _table(zoning, name, kind) for name, kind in pyogrio.list_layers(zoning) if name != "layer_styles"
    ]
    output.unlink(missing_ok=True)
    began = time.monotonic()
    document = json.loads((city / "job.json").read_text(encoding="utf-8"))
    for entry in [document["extent"], *document["layers"]]:
        meta, table = raw.read_arrow(city / entry["source"])
        shapely.from_wkb(table.column(meta["geometry_name"] or "wkb_geometry").to_numpy(zero_copy_only=False))
    for table, options in tables:
        raw.write_arrow(table, output, **options)
    return time.monotonic() - began


def _table(zoning: Path, name: str, kind: str | None) -> tuple[pyarrow.Table, dict[str, Any]]:
    options = {"driver": "GPKG", "layer": name, "append": False}
    if kind:
        options.update(geometry_type=kind, geometry_name="geom", crs="EPSG:4549")
    return raw.read_arrow(zoning, layer=name)[1], options


if __name__ == "__main__":
    print(main(*map(Path, sys.argv[1:4])))
