# SPDX-License-Identifier: GPL-2.0-or-later
"""Tables of the conservation rate: for programs (CSV), for readers (workbook), and for a chart."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from swc_zoning.engine.evaluation import sheets
from swc_zoning.engine.evaluation.grades import INTENSITIES
from swc_zoning.engine.evaluation.rate_rows import ALL, Row


def shown(
    rows: Sequence[Row],
    before: Mapping[tuple[str, str], Row],
    targets: Sequence[float],
    denominator: str,
) -> list[dict[str, Any]]:
    """Return the rows as a table; `before` has the row of the year before.

    Gaps above 0: so much too much is eroded; below 0: so much room is left.
    """
    return [_shown(row, before.get((row.unit, row.year)), targets, denominator) for row in rows]


def _shown(row: Row, before: Row | None, targets: Sequence[float], denominator: str) -> dict[str, Any]:
    made = {"unit": row.unit, "year": row.year, "denominator": denominator, "total_km2": row.total}
    grades = row.grades or (None,) * len(INTENSITIES)
    made.update({f"{name}_km2": value for name, value in zip(INTENSITIES, grades)})
    made.update({"eroded_km2": row.eroded, "unknown_km2": row.unknown})
    made.update({"percent": row.percent, "lowest_percent": row.lowest_percent})
    made["eroded_change_km2"] = None if before is None else row.eroded - before.eroded
    made["percent_change"] = None if before is None else row.percent - before.percent
    for target in targets:
        made[f"allowed_{target:g}_km2"] = row.allowed(target)
        made[f"gap_{target:g}_km2"] = row.eroded - row.allowed(target)
    return made


def pages(
    rows: Sequence[Mapping[str, Any]], chart_rows: Sequence[Mapping[str, Any]], targets: Sequence[float]
) -> dict[str, list[dict[str, Any]]]:
    """Return the sheets of the workbook."""
    words = sheets.words("rate")
    heads = {**words["heads"], **dict(_target_heads(targets, words))}
    table = [
        {heads[key]: words["all"] if (key, value) == ("unit", ALL) else value for key, value in row.items()}
        for row in rows
    ]
    return {words["sheet"]: table, words["chart"]: [dict(row) for row in chart_rows]}


def _target_heads(targets: Sequence[float], words: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for target in targets:
        for name in ("allowed", "gap"):
            yield f"{name}_{target:g}_km2", words[name].format(target=f"{target:g}")


def chart(rows: Sequence[Mapping[str, Any]], targets: Sequence[float]) -> list[dict[str, Any]]:
    """Return the data of a chart, a row for each value: unit, year, series, value, unit of the value."""
    made = []
    for row in rows:
        head = {"unit": row["unit"], "year": row["year"]}
        measures = ("percent", "eroded_km2", *(f"{name}_km2" for name in INTENSITIES))
        for name in measures:
            if row[name] is not None:
                measure = "%" if name == "percent" else "km2"
                made.append({**head, "series": name, "value": row[name], "measure": measure})
        for target in targets:
            made.append({**head, "series": f"target_{target:g}", "value": float(target), "measure": "%"})
    return made
