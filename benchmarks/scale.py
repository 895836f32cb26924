# SPDX-License-Identifier: GPL-2.0-or-later
"""Measure whole runs (``python -m swc_zoning run``) from 10,000 to 1,000,000 parcels on the seeded city.

For each size: wall, CPU and the peak memory of all processes together, against the floor: only reading
the inputs and writing identical tables. Then, at one size, whether tiles, workers, a cluster and shuffled
inputs give the same content, what a dirty city does, what a small change costs with kept results of tiles,
and how fast an edited decision table decides anew.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

#: Runs shorter than this (s) are done three times, and their median is told.
_LONG_S = 180.0
_SAMPLE_S = 0.25


@dataclass(frozen=True)
class Cost:
    """Seconds, and the largest memory (PSS, MB) of a command and all its children together."""

    wall_s: float
    cpu_s: float
    pss_mb: float


def main() -> None:
    """Print what whole runs cost, size by size, and what they hold to."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--parcels", type=int, nargs="*", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--checks-at", type=int, default=100_000, help="size of the checks; 0: none")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--output", type=Path, help="write the figures here as JSON")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        figures: dict[str, Any] = {"sizes": sizes(options.parcels, options.workers, Path(folder))}
        if options.checks_at:
            figures["checks"] = checks(options.checks_at, Path(folder))
    if options.output:
        options.output.write_text(json.dumps(figures, indent=1), encoding="utf-8")


# --- cost of whole runs ----------------------------------------------------------------------------


def sizes(parcels: list[int], workers: int, folder: Path) -> list[dict[str, Any]]:
    """Return the figures of each size; prints them as they come."""
    heads = ("parcels", "workers", "wall s", "CPU s", "PSS MB", "floor s", "ratio", "exponent")
    print("".join(f"{head:>10}" for head in heads))
    rows: list[dict[str, Any]] = []
    for count in parcels:
        city = made(count, folder)
        for number in sorted({1, workers}):
            row = {"parcels": features_of(city), "workers": number, **_run_cost(city, number)}
            row["exponent"] = _exponent(rows, row)
            rows.append(row)
            print("".join(f"{figure:>10}" for figure in _figures(row)), flush=True)
    return rows


def _figures(row: dict[str, Any]) -> list[str]:
    exponent = "" if row["exponent"] is None else f"{row['exponent']:.2f}"
    seconds = [f"{row[name]:.1f}" for name in ("wall_s", "cpu_s")]
    counts = [str(row["parcels"]), str(row["workers"])]
    floor = [f"{row['floor_s']:.1f}", f"{row['wall_s'] / row['floor_s']:.1f}"]
    return [*counts, *seconds, f"{row['pss_mb']:.0f}", *floor, exponent]


def _run_cost(city: Path, workers: int) -> dict[str, Any]:
    output = city / "result"
    command = ["-m", "swc_zoning", "run", city / "job.json", "--output", output, "--workers", workers]
    costs = repeated([*command, "--progress", "json"])
    floor = [HERE / "floor.py", city, output / "zoning.gpkg", city / "floor.gpkg"]
    floors = [float(subprocess.run(python(floor), check=True, capture_output=True).stdout) for _ in range(3)]
    summary = json.loads((output / "summary.json").read_text(encoding="utf-8"))
    return {
        "wall_s": costs.wall_s,
        "cpu_s": costs.cpu_s,
        "pss_mb": costs.pss_mb,
        "floor_s": statistics.median(floors),
        "pieces": summary["total"]["pieces"],
        "timings": summary["timings"],
    }


def _exponent(rows: list[dict[str, Any]], row: dict[str, Any]) -> float | None:
    """Return the exponent of growth of CPU since the smaller size with as many workers."""
    before = [one for one in rows if one["workers"] == row["workers"]]
    if not before:
        return None
    growth = row["parcels"] / before[-1]["parcels"]
    return math.log(row["cpu_s"] / before[-1]["cpu_s"]) / math.log(growth)


def made(parcels: int, folder: Path, *more: str) -> Path:
    """Make the benchmark city once."""
    city = folder / "_".join([str(parcels), *(word.strip("-") for word in more)])
    if not city.exists():
        maker = [HERE / "city.py", "--parcels", parcels, "--output", city, *more]
        subprocess.run(python(maker), check=True, stdout=subprocess.DEVNULL)
    return city


def features_of(city: Path) -> int:
    """Return the number of parcels."""
    import pyogrio

    return pyogrio.read_info(city / "parcels.gpkg")["features"]


def python(arguments: list[Any]) -> list[str]:
    """Return a command for this interpreter."""
    return [sys.executable, *map(str, arguments)]


def repeated(arguments: list[Any]) -> Cost:
    """Return the medians of three runs, or the one run where it is long."""
    costs = [cost(arguments)]
    while len(costs) < 3 and costs[0].wall_s < _LONG_S:
        costs.append(cost(arguments))
    medians = (statistics.median(getattr(one, name) for one in costs) for name in ("wall_s", "cpu_s"))
    return Cost(*medians, max(one.pss_mb for one in costs))


def cost(arguments: list[Any]) -> Cost:
    """Run a command of this interpreter to its end; raises RuntimeError where it fails."""
    began = time.monotonic()
    # What a run finds in the city is not told here.
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    process = subprocess.Popen(python(arguments), cwd=HERE.parent, **quiet)
    peak = _Peak(process.pid)
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.monotonic() - began
    peak.stop()
    if status:
        raise RuntimeError(f"{arguments} ended with {os.waitstatus_to_exitcode(status)}")
    return Cost(wall, usage.ru_utime + usage.ru_stime, peak.mb)


class _Peak(threading.Thread):
    """Watches the memory of a process and its children: PSS counts shared pages once."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.pid, self.mb, self._going = pid, 0.0, True
        self.start()

    def run(self) -> None:
        while self._going:
            self.mb = max(self.mb, sum(_pss_mb(pid) for pid in _family(self.pid)))
            time.sleep(_SAMPLE_S)

    def stop(self) -> None:
        self._going = False
        self.join()


def _family(pid: int) -> list[int]:
    """Return a process and those it started, all generations."""
    found = [pid]
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        found += [one for child in _text(children).split() for one in _family(int(child))]
    return found


def _pss_mb(pid: int) -> float:
    for line in _text(Path(f"/proc/{pid}/smaps_rollup")).splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1024
    return 0.0


def _text(path: Path) -> str:
    """Return what a file of a process says; nothing where the process has just ended."""
    try:
        return path.read_text(encoding="ascii")
    except OSError:
        return ""


# --- what runs hold to -----------------------------------------------------------------------------


def checks(parcels: int, folder: Path) -> dict[str, Any]:
    """Return what was checked at one size; prints it line by line."""
    city = made(parcels, folder)
    if not (city / "result").exists():
        cost(["-m", "swc_zoning", "run", city / "job.json", "--output", city / "result"])
    figures = {
        "same_content": same_content(city, folder),
        "dirty": dirty(made(parcels, folder, "--dirty")),
        "small_change": small_change(city, folder),
        "redecided": redecided(city),
    }
    for name, value in figures.items():
        print(f"{name}: {json.dumps(value)}", flush=True)
    return figures


def same_content(city: Path, folder: Path) -> dict[str, Any]:
    """Return the content hashes over tile sizes, workers, kinds of executor and order of inputs."""
    from swc_zoning.engine import run
    from swc_zoning.engine.tasks import executor

    job = city / "job.json"
    hashes = {"reference": run.run(job).summary["content_sha256"]}
    for per_tile in (60_000, 1_500_000):
        hashes[f"tiles of {per_tile}"] = run.run(job, per_tile=per_tile).summary["content_sha256"]
    with executor(2) as pool:
        hashes["two processes"] = run.run(job, executor=pool).summary["content_sha256"]
    hashes["shuffled"] = run.run(shuffled(city, folder / "shuffled")).summary["content_sha256"]
    with _cluster() as address:
        if address:
            with executor(scheduler=address) as pool:
                hashes["dask cluster"] = run.run(job, executor=pool).summary["content_sha256"]
    return {"equal": len(set(hashes.values())) == 1, **hashes}


class _cluster:  # noqa: N801 (used like a function)
    """The address of a dask LocalCluster of two processes; None where the package is not installed."""

    def __enter__(self) -> str | None:
        try:
            from distributed import LocalCluster
        except ImportError:
            self.local = None
            return None
        self.local = LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None)
        return self.local.scheduler_address

    def __exit__(self, *error: object) -> None:
        if self.local is not None:
            self.local.close()


def shuffled(city: Path, folder: Path) -> Path:
    """Write the city again with its layers and features in another order; return its job."""
    import numpy as np
    import pyogrio

    folder.mkdir(exist_ok=True)
    rng = np.random.default_rng(2)
    document = json.loads((city / "job.json").read_text(encoding="utf-8"))
    for entry in [*document["layers"], document["extent"]]:
        frame = pyogrio.read_dataframe(city / entry["source"])
        order = rng.permutation(len(frame))
        pyogrio.write_dataframe(frame.iloc[order], folder / entry["source"])
    document["layers"].reverse()
    (folder / "job.json").write_text(json.dumps(document), encoding="utf-8")
    return folder / "job.json"


def dirty(city: Path) -> dict[str, Any]:
    """Return what a run over dirty layers left: overlaps and invalid pieces, and repairs in the ledger."""
    import pyogrio
    import shapely

    output = city / "result"
    cost(["-m", "swc_zoning", "run", city / "job.json", "--output", output])
    pieces = pyogrio.read_dataframe(output / "zoning.gpkg", layer="pieces", columns=[]).geometry.values
    ledger = pyogrio.read_dataframe(output / "zoning.gpkg", layer="ledger", read_geometry=False)
    return {
        "pieces": len(pieces),
        "invalid": int((~shapely.is_valid(pieces)).sum()),
        "mismatched_edges": int((~shapely.is_empty(shapely.coverage_invalid_edges(pieces))).sum()),
        "repairs_in_ledger": int((ledger["entry"] == "repaired").sum()),
    }


def small_change(city: Path, folder: Path) -> dict[str, Any]:
    """Return what a run costs after one hundredth of the parcels changed, results of tiles being kept.

    `overlay`: from features in memory to a proved partition; `run`: the whole, with reading and writing.
    """
    keep, changed = folder / "kept", changed_city(city, folder / "changed")
    fresh = _timed(changed, folder / "fresh", None)
    _timed(city, folder / "first", keep)
    again = _timed(changed, folder / "again", keep)
    steps = ("tiling", "tracing", "stitching", "proving")
    overlay = [sum(one["timings"][step] for step in steps) for one in (fresh, again)]
    return {
        "same_content": fresh["content"] == again["content"],
        "overlay_s": [round(value, 2) for value in overlay],
        "overlay_share": round(overlay[1] / overlay[0], 3),
        "run_s": [round(one["wall_s"], 2) for one in (fresh, again)],
        "run_share": round(again["wall_s"] / fresh["wall_s"], 3),
    }


def _timed(city: Path, output: Path, keep: Path | None) -> dict[str, Any]:
    shutil.rmtree(output, ignore_errors=True)
    command = ["-m", "swc_zoning", "run", city / "job.json", "--output", output]
    spent = cost([*command, *(["--cache", keep] if keep else [])])
    summary = json.loads((output / "summary.json").read_text(encoding="utf-8"))
    return {"wall_s": spent.wall_s, "timings": summary["timings"], "content": summary["content_sha256"]}


def changed_city(city: Path, folder: Path) -> Path:
    """Copy the city with the hundredth of its parcels nearest the middle moved by some centimetres."""
    import numpy as np
    import pyogrio
    import shapely

    shutil.copytree(city, folder, ignore=shutil.ignore_patterns("result", "floor.gpkg"))
    frame = pyogrio.read_dataframe(city / "parcels.gpkg")
    centre = shapely.get_coordinates(shapely.centroid(frame.geometry.values))
    away = np.hypot(*(centre - np.median(centre, axis=0)).T)
    near = np.argsort(away)[: len(frame) // 100]
    moved = frame.geometry.values.copy()
    moved[near] = shapely.transform(moved[near], lambda xy: xy + np.array([0.05, 0.03]))
    (folder / "parcels.gpkg").unlink()
    pyogrio.write_dataframe(frame.set_geometry(moved), folder / "parcels.gpkg")
    return folder


def redecided(city: Path) -> dict[str, Any]:
    """Return how long an edited decision table takes on a written result, loading apart."""
    from swc_zoning.engine import redecide, rules

    began = time.monotonic()
    ground = redecide.read(city / "result")
    loaded = time.monotonic()
    redecide.preview(ground, rules.load(None, None)).as_json()
    return {
        "pieces": sum(part.pieces for part in ground.parts),
        "load_s": round(loaded - began, 2),
        "decide_s": round(time.monotonic() - loaded, 2),
    }


if __name__ == "__main__":
    main()
