# SPDX-License-Identifier: GPL-2.0-or-later
"""Print the areas of the zones of a run, in km2, closed so that the printed numbers add up.

``zone_table.py SUMMARY [--csv FILE]`` reads ``summary.json``; confirmed and pending areas stand in
columns of their own.
"""

from __future__ import annotations

import argparse
import csv
import json
import unicodedata
from collections.abc import Sequence
from pathlib import Path

from swc_zoning.engine import cells
from swc_zoning.engine.areas import close, close_displayed

_HEAD = ("管控分区", "已定面积（km²）", "待核面积（km²）", "占比（%）")
_DECIMALS = 2

Row = tuple[str, str, str, str]


def rows_of(summary: dict) -> list[Row]:
    """Return (zone, confirmed, pending, share) for each zone and the total, as they are printed."""
    by_zone = summary["by_zone"]
    closed = close_displayed([round(row["area_m2"] * 100) for row in by_zone], "km2", _DECIMALS)
    names = {row["zone"]: row["name_zh"] for row in by_zone}
    sums = {code: {"confirmed": 0, "pending": 0} for code in names}
    for row, units in zip(by_zone, closed.tolist()):
        sums[row["zone"]][row["status"]] += units
    whole = sum(sum(one.values()) for one in sums.values())
    shares = close([sum(one.values()) / whole * 100 for one in sums.values()], 100, _DECIMALS)
    rows = [_row(names[code], one, share) for (code, one), share in zip(sums.items(), shares.tolist())]
    every = {status: sum(one[status] for one in sums.values()) for status in ("confirmed", "pending")}
    return [*rows, _row("合计", every, 100 * 10**_DECIMALS)]


def _row(name: str, units: dict[str, int], share: int) -> Row:
    scale = 10**_DECIMALS
    pending = f"{units['pending'] / scale:,.2f}" if units["pending"] else "—"
    return name, f"{units['confirmed'] / scale:,.2f}", pending, f"{share / scale:.2f}"


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)


def _printed(rows: Sequence[Sequence[str]]) -> str:
    widths = [max(_width(row[column]) for row in rows) for column in range(len(_HEAD))]
    lines = []
    for row in rows:
        pads = [" " * (width - _width(text)) for width, text in zip(widths, row)]
        lines.append("  ".join([row[0] + pads[0], *(pad + text for pad, text in zip(pads[1:], row[1:]))]))
    return "\n".join(lines)


def main() -> None:
    """Read the command line and print the table."""
    parser = argparse.ArgumentParser(description="Areas of the zones of a run.")
    parser.add_argument("summary", type=Path)
    parser.add_argument("--csv", type=Path, help="also write the table to this file")
    options = parser.parse_args()
    summary = json.loads(options.summary.read_text(encoding="utf-8"))
    table = [_HEAD, *rows_of(summary)]
    print(_printed(table))
    missing = "、".join(row["name_zh"] for row in summary["missing_roles"])
    print(f"未提供的图层：{missing or '无'}。“一般管控区”不等于经核实无管控要求。")
    if options.csv:
        with options.csv.open("w", encoding="utf-8-sig", newline="") as stream:
            csv.writer(stream).writerows([cells.guarded(cell) for cell in row] for row in table)


if __name__ == "__main__":
    main()
