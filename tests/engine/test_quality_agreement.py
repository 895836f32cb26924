# SPDX-License-Identifier: GPL-2.0-or-later
"""Two copies agree whatever their rows, rings and formats; the hash of a polygon is that of its edges."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from swc_zoning.engine.submission import agreement, schemas
from swc_zoning.engine.submission.sheets import Sheet

LAYER = schemas.load("national").layers["ZDYFQ"]
RING = np.array([(121, 31), (121.1, 31), (121.1, 31.1), (121, 31.1)])


def polygon(points, holes=()):
    return shapely.polygons(
        shapely.linearrings(points), [shapely.linearrings(hole) for hole in holes] or None
    )


@given(st.integers(0, 3), st.booleans(), st.booleans())
def test_a_hash_does_not_know_where_a_ring_starts_which_way_it_runs_or_how_many_parts_the_file_says(
    start, turned, multi
):
    points = np.roll(RING, start, axis=0)
    drawn = polygon(points[::-1] if turned else points)
    made = shapely.multipolygons([drawn]) if multi else drawn
    [one, other] = agreement.fingerprints(np.array([polygon(RING), made], object))
    assert one == other


@pytest.mark.parametrize("part", range(4))
@pytest.mark.parametrize("axis", [0, 1])
def test_a_hash_changes_with_a_vertex_moved_by_one_step_of_the_grid(part, axis):
    moved = RING.copy()
    moved[part, axis] += 1e-10
    [one, other] = agreement.fingerprints(np.array([polygon(RING), polygon(moved)], object))
    assert one != other


def test_a_hole_an_empty_polygon_and_none_have_hashes_of_their_own():
    hole = RING * 0.5 + RING.mean(axis=0) * 0.5
    shapes = [polygon(RING), polygon(RING, [hole]), shapely.Polygon(), None, polygon(RING)]
    one, holed, empty, none, again = agreement.fingerprints(np.array(shapes, object)).tolist()
    assert one == again
    assert len({one, holed, 0}) == 3
    assert empty == none == 0


def test_the_hash_of_a_layer_does_not_know_the_order_of_its_rows():
    shapes = np.array([polygon(np.add(RING, (step, 0))) for step in range(3)], object)
    assert agreement.layer_hash(shapes) == agreement.layer_hash(shapes[::-1])
    assert agreement.layer_hash(shapes) != agreement.layer_hash(shapes[:2])
    assert agreement.layer_hash(shapes[:0]) == "0" * 16


def sheet(*names, shift=0.0):
    rows = [{"BSM": str(number), "MC": name, "MJ": 1.0} for number, name in enumerate(names)]
    return Sheet.of(
        LAYER, rows, np.array([polygon(np.add(RING, (number, shift))) for number in range(len(rows))], object)
    )


def test_differences_name_row_field_and_how_far_a_vertex_was_moved():
    assert list(agreement.differences(sheet("a", "b"), sheet("a", "b"))) == []
    [one] = agreement.differences(sheet("a", "b"), sheet("a", "c"))
    assert (one.row, one.other, one.field, one.cut) == (1, 1, "MC", False)
    found = list(agreement.differences(sheet("a"), sheet("a", shift=1e-5)))
    assert [(one.field, round(one.metres, 1)) for one in found] == [("geometry", 1.1)]
    [lone] = agreement.differences(sheet("a", "b"), sheet("a"))
    assert (lone.row, lone.other, lone.field) == (1, -1, "")


@pytest.mark.parametrize(
    ("one", "other", "length", "cut"),
    [
        ("区" * 127, "区" * 126, 254, True),
        ("区" * 100, "区" * 84, 254, True),
        ("区" * 9, "区" * 8, 254, False),
        ("abcd", "abc", 3, True),
        ("abcd", "", 3, False),
        ("abcd", "xbc", 3, False),
    ],
)
def test_text_counts_as_cut_where_the_shorter_fills_its_field(one, other, length, cut):
    assert agreement.is_cut(one, other, length) is cut
    assert agreement.is_cut(other, one, length) is cut
