# SPDX-License-Identifier: GPL-2.0-or-later
"""Measure the submission of the seeded city: exporting and validating, each in a process of its own.

Prints wall and CPU seconds and the peak memory of each phase, then what each rule of shapes and areas costs
on the written package. ``--checks-only`` writes no package but the layers those rules read.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.scale import cost, made


def main() -> None:
    """Print what the submission of a city of about so many pieces costs."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--parcels", type=int, default=50_000, help="pieces are about twice as many")
    parser.add_argument("--result", type=Path, help="a result that is there, instead of the seeded city")
    parser.add_argument("--checks-only", action="store_true")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--rules", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.rules:
        rule_costs(options.rules)
        return
    with tempfile.TemporaryDirectory() as folder:
        result = options.result or _result(options.parcels, options.workers, Path(folder))
        measure(result, Path(folder) / "package", options.checks_only)


def measure(result: Path, package: Path, checks_only: bool) -> None:
    """Print the phases, wall and CPU seconds and PSS in MB of each."""
    print(f"{'phase':<12}{'wall s':>10}{'CPU s':>10}{'PSS MB':>10}")
    if checks_only:
        began = time.monotonic()
        plain(result, package)
        print(f"{'layers':<12}{time.monotonic() - began:>10.1f}", flush=True)
    else:
        order = package.with_suffix(".json")
        order.write_text(json.dumps(_order(result)), encoding="utf-8")
        export = ["export", result, "--output", package, "--settings", order]
        _phase("export", ["-m", "swc_zoning", *export])
        package = next(one for one in package.iterdir() if one.is_dir() and not one.name.endswith("_公开版"))
        _phase("validate", ["-m", "swc_zoning", "validate", package])
    _phase("shapes", [__file__, "--rules", package])
    rule_costs(package)


def _order(result: Path) -> dict[str, Any]:
    """Return what a draft of the city is asked to be."""
    summary = json.loads((result / "summary.json").read_text(encoding="utf-8"))
    code = summary["by_district"][0]["district_code"][:2] + "0000"
    named = {"code": code, "name": "基准市", "date": "20261124", "compiler": "基准测试"}
    return {"schema": 1, "profile": "national", "stage": "draft", **named}


def _phase(name: str, command: list[Any]) -> None:
    spent = cost(command)
    print(f"{name:<12}{spent.wall_s:>10.1f}{spent.cpu_s:>10.1f}{spent.pss_mb:>10.0f}", flush=True)


def _result(parcels: int, workers: int, folder: Path) -> Path:
    """Make the city and zone it, slivers merged as a submission wants."""
    city = made(parcels, folder)
    job = json.loads((city / "job.json").read_text(encoding="utf-8"))
    job.setdefault("options", {})["slivers"] = {"merge": "all"}
    (city / "job.json").write_text(json.dumps(job), encoding="utf-8")
    cost(["-m", "swc_zoning", "run", city / "job.json", "--output", city / "result", "--workers", workers])
    return city / "result"


def rule_costs(package: Path) -> None:
    """Run the rules of shapes and areas one by one; print seconds and flaws of each."""
    from swc_zoning.engine.submission import opening, quality

    with opening.opened(package) as opened:
        for rule in (one for one in quality.rules() if one[0] in "45" or one == "2204"):
            began = time.monotonic()
            report = quality.check(opened, only=[rule])
            found = Counter(flaw.severity for flaw in report.flaws)
            why = " ".join(one.sentence("en") for one in report.not_checked)
            print(f"  {rule}{time.monotonic() - began:>8.2f} s  {dict(found)} {why}", flush=True)


def plain(result: Path, package: Path) -> None:
    """Write the pieces of a result, its districts and relations as a package: what those rules read."""
    import numpy as np
    import shapely

    from swc_zoning.engine import formats, written
    from swc_zoning.engine.submission import datasets, schemas
    from swc_zoning.engine.submission.sheets import Sheet, to_degrees

    schema = schemas.load("national")
    names = ("district_code", "zone", "measures", "land", "status", "ellipsoidal_m2")
    pieces = written.read(result, names)
    shapes = pieces.polygons(np.arange(len(pieces)))
    told, crs = pieces.columns, pieces.summary["crs"]
    bsm = {
        piece: f"{code}0000{row:08d}"
        for row, (piece, code) in enumerate(zip(told["piece_id"], told["district_code"]))
    }
    zones = sorted(set(told["zone"].tolist()))
    own = {
        "BSM": list(bsm.values()),
        "XZQDM": told["district_code"],
        "FQDM": [f"{zones.index(zone):04d}" for zone in told["zone"]],
        "CSDM": told["measures"],
        "LH": ["9" if land is None or land != land else str(int(land)) for land in told["land"].tolist()],
        "ZT": ["1" if status == "confirmed" else "2" for status in told["status"]],
        "TQMJ": told["ellipsoidal_m2"],
        "TBMJ": told["area_m2"],
    }
    codes = np.unique(told["district_code"].astype(str))
    frame = [shapely.coverage_union_all(shapes[told["district_code"].astype(str) == code]) for code in codes]
    centi = [int(pieces.area_centi[told["district_code"].astype(str) == code].sum()) for code in codes]
    controls = {f"control:{code}": f"{value / 100:.2f}" for code, value in zip(codes, centi)}
    meta = {"work_crs": crs, "scale": "50000", **controls, "control:": f"{sum(centi) / 100:.2f}"}
    parts = list(formats.read_columns(result / "zoning.gpkg", "piece_sources", ("piece_id", "role", "tier")))
    relations = [
        {"BSM": bsm[piece], "JS": role, "DJ": tier}
        for part in parts
        for piece, role, tier in zip(part["piece_id"], part["role"], part["tier"])
    ]
    districts = [{"BSM": code, "XZQDM": code, "MJ": value / 100} for code, value in zip(codes, centi)]
    layers = schema.layers
    sheets = [
        Sheet.of(layers["SBGKFQ"], _rows(own), to_degrees(shapes, crs)),
        Sheet.of(layers["XZQ"], districts, to_degrees(np.array(frame, object), crs)),
        Sheet.of(layers["GXB"], relations),
        Sheet.of(layers["META"], [{"ITEM": item, "XH": 1, "VALUE": value} for item, value in meta.items()]),
    ]
    package.mkdir(parents=True, exist_ok=True)
    for form in ("gdb", "gpkg"):
        datasets.write(package / f"city.{form}", form, sheets)


def _rows(columns: dict[str, Any]) -> list[dict[str, Any]]:
    return [dict(zip(columns, values)) for values in zip(*columns.values())]


if __name__ == "__main__":
    main()
