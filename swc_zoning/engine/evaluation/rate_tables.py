# SPDX-License-Identifier: GPL-2.0-or-later
"""Tables of the conservation rate: for programs (CSV), for readers (workbook), and for a chart."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from swc_zoning.engine.evaluation.grades import INTENSITIES
from swc_zoning.engine.evaluation.rate_rows import ALL, Row

_HEADS = {
    "unit": "行政区",
    "year": "年份",
    "denominator": "分母",
    "total_km2": "分母面积(km2)",
    "light_km2": "轻度(km2)",
    "moderate_km2": "中度(km2)",
    "intense_km2": "强烈(km2)",
    "very_intense_km2": "极强烈(km2)",
    "severe_km2": "剧烈(km2)",
    "eroded_km2": "水土流失面积(km2)",
    "unknown_km2": "强度不明(km2)",
    "percent": "水土保持率(%)",
    "lowest_percent": "不明部分全计为流失时(%)",
    "eroded_change_km2": "流失面积较上期(km2)",
    "percent_change": "水土保持率较上期(百分点)",
}
_ALL_SHOWN = "合计"


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
    heads = {**_HEADS, **dict(_target_heads(targets))}
    table = [{heads[key]: _said(key, value) for key, value in row.items()} for row in rows]
    return {"水土保持率": table, "图表数据": [dict(row) for row in chart_rows]}


def _target_heads(targets: Sequence[float]) -> Iterator[tuple[str, str]]:
    for target in targets:
        yield f"allowed_{target:g}_km2", f"{target:g}%允许流失面积(km2)"
        yield f"gap_{target:g}_km2", f"{target:g}%需治理面积(km2，负为余量)"


def _said(key: str, value: Any) -> Any:
    return _ALL_SHOWN if key == "unit" and value == ALL else value


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
