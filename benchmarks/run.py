# SPDX-License-Identifier: GPL-2.0-or-later
"""Measure the engine beside the geopandas chain and the QGIS union chain on the seeded city.

CPU seconds (user and system, with all children) are compared: they hold on a busy machine. A
contender is run three times if it takes less than three minutes, and its median is printed.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import pyogrio
import shapely

HERE = Path(__file__).resolve().parent
CONTENDERS = ("ours", "geopandas", "qgis")
_LONG_S = 180


def main() -> None:
    """Print a table of CPU, wall, memory and correctness for each contender and size."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--parcels", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--contenders", nargs="+", choices=CONTENDERS, default=list(CONTENDERS))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--output", type=Path, help="write the figures here as JSON")
    options = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for parcels in options.parcels:
            city = Path(folder) / str(parcels)
            maker = [sys.executable, str(HERE / "city.py"), "--parcels", str(parcels), "--output", str(city)]
            subprocess.run([*maker, "--seed", str(options.seed)], check=True, stdout=subprocess.DEVNULL)
            rows += [measure(name, parcels, city) for name in options.contenders]
            _print(rows[-len(options.contenders) :])
    if options.output:
        options.output.write_text(json.dumps(rows, indent=1), encoding="utf-8")


def measure(name: str, parcels: int, city: Path) -> dict[str, Any]:
    """Return the medians of one contender and what its output is worth."""
    output = city / f"out_{name}" / "pieces.gpkg"
    runs: list[tuple[float, float, float]] = []
    while len(runs) < 3 and (not runs or runs[0][0] < _LONG_S):
        shutil.rmtree(output.parent, ignore_errors=True)
        output.parent.mkdir()
        runs.append(_run([sys.executable, str(HERE / "contenders.py"), name, str(city), str(output)]))
    wall, cpu, memory = (statistics.median(column) for column in zip(*runs))
    figures = {"wall_s": round(wall, 1), "cpu_s": round(cpu, 2), "peak_mb": round(memory), "runs": len(runs)}
    return {"parcels": parcels, "contender": name, **figures, **_worth(output, city)}


def _run(command: list[str]) -> tuple[float, float, float]:
    """Return wall seconds, CPU seconds and the peak memory (MB) of the largest process."""
    began = time.monotonic()
    process = subprocess.Popen(command, cwd=HERE.parent)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise RuntimeError(f"{' '.join(command)} ended with {os.waitstatus_to_exitcode(status)}")
    return time.monotonic() - began, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def _worth(output: Path, city: Path) -> dict[str, Any]:
    """Return piece count and what is wrong: area against the parcels, invalid, mismatched edges, overlaps."""
    pieces = shapely.get_parts(_polygons(output))
    pieces = pieces[shapely.get_type_id(pieces) == 3]
    parcels = _polygons(city / "parcels.gpkg")
    total, wanted = shapely.area(pieces).sum(), shapely.area(parcels).sum()
    mismatched = ~shapely.is_empty(shapely.coverage_invalid_edges(pieces))
    return {
        "pieces": len(pieces),
        "area_rel": float(total / wanted - 1),
        "invalid": int((~shapely.is_valid(pieces)).sum()),
        "mismatched": int(mismatched.sum()),
        "overlaps": _overlaps(pieces[mismatched], pieces),
    }


def _polygons(path: Path) -> Any:
    layer = pyogrio.list_layers(path)[0][0]
    return pyogrio.read_dataframe(path, layer=layer, columns=[]).geometry.values


def _overlaps(suspects: Any, pieces: Any) -> int:
    """Return the pairs that share more than 0.01 m2; pieces without mismatched edges overlap nothing."""
    if len(suspects) == 0:
        return 0
    tree = shapely.STRtree(pieces)
    one, other = tree.query(suspects, predicate="overlaps")
    shared = shapely.area(shapely.intersection(suspects[one], pieces[other], grid_size=1e-6))
    return int((shared > 0.01).sum()) // 2


def _print(rows: list[dict[str, Any]]) -> None:
    base = next((row["cpu_s"] for row in rows if row["contender"] == "ours"), None)
    print(
        f"\n{rows[0]['parcels']:>9} parcels {'CPU s':>9} {'ratio':>7} {'wall s':>8} {'MB':>6} "
        f"{'pieces':>9} {'area-1':>9} {'invalid':>8} {'edges':>7} {'overlaps':>9}"
    )
    for row in rows:
        ratio = f"{row['cpu_s'] / base:.1f}" if base else "-"
        figures = f"{row['cpu_s']:>9.2f} {ratio:>7} {row['wall_s']:>8.1f} {row['peak_mb']:>6}"
        worth = f"{row['pieces']:>9} {row['area_rel']:>9.1e} {row['invalid']:>8} {row['mismatched']:>7}"
        print(f"{row['contender']:>17} {figures} {worth} {row['overlaps']:>9}", flush=True)


if __name__ == "__main__":
    main()
