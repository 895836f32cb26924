# SPDX-License-Identifier: GPL-2.0-or-later
"""Levelling of a table of areas: what planners measured elsewhere, closed to its control areas."""

from __future__ import annotations

import csv
import math
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from swc_zoning.engine import areas
from swc_zoning.engine.areas import Adjustment
from swc_zoning.engine.cells import guarded
from swc_zoning.engine.messages import Finding, SwcError

#: A factor this far from 1 is an error of the data rather than of rounding.
_FAR = 0.01


def close_table(source: Path, output: Path, controls: Path | None = None) -> list[Finding]:
    """Write `source` (columns key, group, area_m2) with a column ``closed_m2`` to `output`; say the factors.

    `controls` (columns group, area_m2) has the control area of groups; a group without one closes to
    the sum of its own areas, all groups together to the sum of all. Areas in m2; ``closed_m2`` is on
    0.01 m2 and adds up exactly (`areas.close_districts`). Raises SwcError ``cli.unreadable``,
    ``cli.unwritable``, ``closing.columns``, ``closing.number``, ``closing.group_unknown``,
    ``closing.group_twice`` and what `areas` raises.
    """
    rows = _rows(source, ("key", "group", "area_m2"))
    groups = sorted({row["group"] for row in rows})
    typed = _controls(controls, groups)
    place = {group: number for number, group in enumerate(groups)}
    values = np.array([_number(source, row["area_m2"]) for row in rows], float)
    district = np.array([place[row["group"]] for row in rows], np.int64)
    keys = np.array([row["key"] for row in rows])
    closed, made = areas.close_districts(values, district, [typed.get(group) for group in groups], keys)
    _write(output, rows, closed)
    return list(_findings(made, groups))


def _rows(path: Path, columns: tuple[str, ...]) -> list[dict[str, str]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            missing = [name for name in columns if name not in (reader.fieldnames or ())]
            if missing:
                raise SwcError("closing.columns", path=str(path), columns=", ".join(missing))
            return [{name: row[name] or "" for name in columns} for row in reader]
    except (OSError, ValueError, csv.Error) as error:
        raise SwcError("cli.unreadable", path=str(path), reason=str(error)) from error


def _controls(path: Path | None, groups: list[str]) -> dict[str, float]:
    rows = [] if path is None else _rows(path, ("group", "area_m2"))
    strange = [row["group"] for row in rows if row["group"] not in groups]
    if strange:
        raise SwcError("closing.group_unknown", groups=", ".join(strange), known=", ".join(groups))
    typed = {row["group"]: _number(path, row["area_m2"]) for row in rows}
    if len(typed) < len(rows):
        raise SwcError("closing.group_twice", path=str(path))
    return typed


def _number(path: Path, text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number) or number < 0:
        raise SwcError("closing.number", path=str(path), value=text)
    return number


def _write(output: Path, rows: list[dict[str, str]], closed: np.ndarray) -> None:
    aside = output.with_name(f".{output.name}.{os.getpid()}")
    try:
        with aside.open("w", encoding="utf-8-sig", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["key", "group", "area_m2", "closed_m2"])
            for row, centi in zip(rows, closed.tolist()):
                cells = [row["key"], row["group"], row["area_m2"], f"{centi // 100}.{centi % 100:02d}"]
                writer.writerow([guarded(cell) for cell in cells])
        aside.replace(output)
    except OSError as error:
        raise SwcError("cli.unwritable", path=str(output), reason=error.strerror) from error
    finally:
        aside.unlink(missing_ok=True)


def _findings(made: list[Adjustment], groups: list[str]) -> Iterator[Finding]:
    for one in made:
        factor = one.control_m2 / one.raw_m2 if one.raw_m2 else math.nan
        facts = {
            "group": groups[one.district],
            "raw": one.raw_m2,
            "control": one.control_m2,
            "factor": factor,
        }
        yield Finding("closing.far" if abs(factor - 1) > _FAR else "closing.factor", facts)
