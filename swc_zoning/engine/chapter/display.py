# SPDX-License-Identifier: GPL-2.0-or-later
"""Numbers as they are printed: rounded so that what is printed adds up, in integers all the way.

Levelling of displayed values as 《第二次全国土地调查数据库面积汇总统计规定》 demands (强制调平). The same
answers as `areas.close_displayed`, which needs numpy, give one column; `two_way` also keeps both margins.
Only the standard library is imported.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Hashable, Mapping, Sequence
from functools import lru_cache

from swc_zoning.paths import resource

Cell = tuple[Hashable, Hashable]


@lru_cache(maxsize=1)
def _sizes() -> dict[str, tuple[int, int]]:
    """Return the size of each unit of area as a fraction (n, d): n/d times 0.01 m2."""
    document = json.loads(resource("ellipsoids.json").read_text(encoding="utf-8"))
    return {unit: tuple(row["centi_m2"]) for unit, row in document["units"].items()}


def is_area_unit(unit: str) -> bool:
    """Return whether `unit` is one of m2, ha, km2, mu."""
    return unit in _sizes()


def step_of(unit: str, decimals: int) -> tuple[int, int]:
    """Return what a printed last digit of `unit` stands for, as a fraction (n, d) of 0.01 m2."""
    size, per = _sizes()[unit]
    return size, per * 10**decimals


def rounded(centi: int, step: tuple[int, int]) -> int:
    """Return 0.01 m2 in whole printed steps, half up."""
    size, per = step
    return (2 * centi * per + size) // (2 * size)


def closed(centi: Sequence[int], step: tuple[int, int], total: int | None = None) -> list[int]:
    """Return whole printed steps of each value that add up to `total`, by default the rounded sum.

    `centi`: values in 0.01 m2, not negative. Largest remainder; equal ones by position.
    """
    size, per = step
    parts = [divmod(value * per, size) for value in centi]
    units = [floor for floor, _ in parts]
    missing = (rounded(sum(centi), step) if total is None else total) - sum(units)
    filled = [number for number, value in enumerate(centi) if value] or list(range(len(centi)))
    order = sorted(filled, key=lambda number: -parts[number][1])
    while missing > 0 and order:
        for number in order[:missing]:
            units[number] += 1
        missing -= min(missing, len(order))
    for number in reversed(order):
        taken = min(-missing, units[number]) if missing < 0 else 0
        units[number] -= taken
        missing += taken
    return units


def shares(centi: Sequence[int], decimals: int) -> list[int]:
    """Return the percentages of values in their sum, in whole 10**-decimals %, that add up to 100 %."""
    total = sum(centi)
    if total == 0:
        return [0] * len(centi)
    return closed(centi, (total, 100 * 10**decimals), 100 * 10**decimals)


def two_way(
    centi: Mapping[Cell, int],
    rows: Mapping[Hashable, int],
    columns: Mapping[Hashable, int],
    step: tuple[int, int],
) -> dict[Cell, int] | None:
    """Return printed steps of each cell (row, column) that add up to both margins, None if none do.

    `centi`: cells in 0.01 m2; `rows`, `columns`: their printed totals in steps. A cell is its value
    rounded down or up wherever the margins allow it (zero-restricted controlled rounding: Cox, L.H. and
    Ernst, L.R., Controlled rounding, INFOR 20, 1982), else one step further.
    """
    size, per = step
    floors = {cell: value * per // size for cell, value in centi.items()}
    remainders = {cell: value * per % size for cell, value in centi.items()}
    need = _Need(dict(rows), dict(columns))
    for (row, column), floor in floors.items():
        need.rows[row] -= floor
        need.columns[column] -= floor
    added = dict.fromkeys(centi, 0)
    for cell in sorted((cell for cell in centi if remainders[cell]), key=lambda cell: -remainders[cell]):
        if need.rows[cell[0]] > 0 and need.columns[cell[1]] > 0:
            need.take(cell[0], cell[1])
            added[cell] = 1
    strict = {cell: (0, 1 if remainders[cell] else 0) for cell in centi}
    loose = {cell: (-1 if floors[cell] else 0, 2) for cell in centi if centi[cell]}
    for bounds in (strict, loose):
        _augment(added, need, bounds)
    if any(need.rows.values()) or any(need.columns.values()):
        return None
    return {cell: floors[cell] + added[cell] for cell in centi}


class _Need:
    """How many steps rows and columns still lack."""

    def __init__(self, rows: dict[Hashable, int], columns: dict[Hashable, int]) -> None:
        self.rows, self.columns = rows, columns

    def take(self, row: Hashable, column: Hashable) -> None:
        """Note that a step was given to a row and a column."""
        self.rows[row] -= 1
        self.columns[column] -= 1


def _augment(added: dict[Cell, int], need: _Need, bounds: Mapping[Cell, tuple[int, int]]) -> None:
    """Give steps to rows that lack some along alternating paths, as long as there are any."""
    for row in need.rows:
        while need.rows[row] > 0:
            path = _path(row, added, need, bounds)
            if not path:
                break
            for number, cell in enumerate(path):
                added[cell] += 1 if number % 2 == 0 else -1
            need.take(row, path[-1][1])


def _path(
    start: Hashable, added: Mapping[Cell, int], need: _Need, bounds: Mapping[Cell, tuple[int, int]]
) -> list[Cell]:
    """Return the cells of a shortest path from a row to a column that lacks a step; [] for none."""
    waiting: deque[tuple[str, Hashable]] = deque([("row", start)])
    came: dict[tuple[str, Hashable], Cell | None] = {("row", start): None}
    while waiting:
        kind, name = waiting.popleft()
        if kind == "column" and need.columns[name] > 0:
            return _walked(("column", name), came)
        place = 0 if kind == "row" else 1
        for cell, (low, high) in bounds.items():
            after = ("column", cell[1]) if kind == "row" else ("row", cell[0])
            free = added[cell] < high if kind == "row" else added[cell] > low
            if cell[place] == name and free and after not in came:
                came[after] = cell
                waiting.append(after)
    return []


def _walked(end: tuple[str, Hashable], came: Mapping[tuple[str, Hashable], Cell | None]) -> list[Cell]:
    path: list[Cell] = []
    kind = end[0]
    node: tuple[str, Hashable] = end
    while (cell := came[node]) is not None:
        path.append(cell)
        kind = "row" if kind == "column" else "column"
        node = (kind, cell[0] if kind == "row" else cell[1])
    return path[::-1]


def written(units: int, decimals: int, lang: str = "zh") -> str:
    """Return whole printed steps as text: 12345, 2 -> "123.45"; English groups thousands by commas."""
    sign, digits = ("-", -units) if units < 0 else ("", units)
    whole, part = divmod(digits, 10**decimals)
    head = f"{whole:,}" if lang == "en" else str(whole)
    return f"{sign}{head}.{part:0{decimals}d}" if decimals else f"{sign}{head}"
