# SPDX-License-Identifier: GPL-2.0-or-later
"""Tables of areas closed to their control areas."""

import csv
from decimal import Decimal

import pytest

from swc_zoning.engine.closing import close_table
from swc_zoning.engine.messages import SwcError


def table(path, head, *rows):
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(head)
        writer.writerows(rows)
    return path


@pytest.fixture
def areas(tmp_path):
    rows = [("3", "A", 10.004), ("1", "A", 20.003), ("2", "B", 5.0), ("4", "A", 30.003)]
    return table(tmp_path / "areas.csv", ("key", "group", "area_m2"), *rows)


def closed(path):
    with path.open(encoding="utf-8-sig", newline="") as file:
        return [(row["key"], row["group"], Decimal(row["closed_m2"])) for row in csv.DictReader(file)]


def test_each_group_adds_up_to_its_control_area(areas, tmp_path):
    controls = table(tmp_path / "controls.csv", ("group", "area_m2"), ("A", 60.5))
    findings = close_table(areas, tmp_path / "closed.csv", controls)
    rows = closed(tmp_path / "closed.csv")
    assert [key for key, _, _ in rows] == ["3", "1", "2", "4"]
    assert sum(area for _, group, area in rows if group == "A") == Decimal("60.50")
    assert sum(area for _, group, area in rows if group == "B") == Decimal("5.00")
    assert [finding.code for finding in findings] == ["closing.factor", "closing.factor"]
    assert findings[0].facts["factor"] == pytest.approx(60.5 / 60.01)


def test_a_factor_far_from_one_is_a_warning(areas, tmp_path):
    controls = table(tmp_path / "controls.csv", ("group", "area_m2"), ("B", 6.0))
    findings = close_table(areas, tmp_path / "closed.csv", controls)
    assert [finding.severity for finding in findings] == ["info", "warning"]


@pytest.mark.parametrize(
    ("head", "rows", "code"),
    [
        (("group",), [("A",)], "closing.columns"),
        (("group", "area_m2"), [("A", "many")], "closing.number"),
        (("group", "area_m2"), [("A", "-1")], "closing.number"),
        (("group", "area_m2"), [("A", "nan")], "closing.number"),
        (("group", "area_m2"), [("Z", 1.0)], "closing.group_unknown"),
        (("group", "area_m2"), [("A", 1.0), ("A", 2.0)], "closing.group_twice"),
    ],
)
def test_control_areas_that_cannot_be_meant_are_refused_and_nothing_is_written(
    areas, tmp_path, head, rows, code
):
    controls = table(tmp_path / "controls.csv", head, *rows)
    with pytest.raises(SwcError) as refused:
        close_table(areas, tmp_path / "closed.csv", controls)
    assert refused.value.code == code
    assert not (tmp_path / "closed.csv").exists()


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(SwcError) as refused:
        close_table(tmp_path / "none.csv", tmp_path / "closed.csv")
    assert refused.value.code == "cli.unreadable"
