# SPDX-License-Identifier: GPL-2.0-or-later
"""Coordinate lists, point tables and CAD lines: what becomes of them, and what is told."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyogrio
import pytest
import shapely

from swc_zoning.engine import areas, boundaries, formats, intake, job
from swc_zoning.engine.boundaries import Options, import_boundary
from swc_zoning.engine.messages import SwcError

ROOT = Path(__file__).resolve().parents[2]

#: Corners (north, east without zone number): a field with a pond, and a triangle.
FIELD = [(3455000.125, 512000.25), (3455000.125, 512300.5), (3455200.75, 512300.5), (3455200.75, 512000.25)]
POND = [(3455050.0, 512050.0), (3455090.0, 512050.0), (3455090.0, 512080.0), (3455050.0, 512080.0)]
TRIANGLE = [(3456000.0, 513000.0), (3456000.0, 513100.0), (3456080.0, 513050.0)]
HEADER = {
    "格式版本号": "1.01",
    "数据产生单位": "某测绘队",
    "数据产生日期": "2024-5-6",
    "坐标系": "2000国家大地坐标系",
    "几度分带": "3",
    "投影类型": "高斯克吕格",
    "计量单位": "米",
    "带号": "40",
    "精度": "0.001",
    "转换参数": ",,,,,,",
}


def ring(points, number=1, start=1, zone=40, closed=True):
    """Return the lines of one ring; a closed one repeats its first point by name."""
    listed = [*points, points[0]] if closed else points
    names = [f"J{start + i % len(points)}" for i in range(len(listed))]
    return [f"{name},{number},{x:.3f},{zone * 1e6 + y:.3f}" for name, (x, y) in zip(names, listed)]


def parcel(rings, no="1", name="水库", hectares="", count=None, tail="图幅,水利,1103,"):
    lines = [line for one in rings for line in one]
    return [f"{len(lines) if count is None else count},{hectares},{no},{name},面,{tail}@", *lines]


def text(*parcels, **changes):
    header = {**HEADER, **changes}
    lines = ["[属性描述]", *(f"{key}={value}" for key, value in header.items()), "[地块坐标]"]
    return "\r\n".join([*lines, *(line for one in parcels for line in one)]) + "\r\n"


def listed(path, content, encoding="GBK"):
    path.write_bytes(content.encode(encoding))
    return path


def codes(boundary):
    return sorted(finding.code for finding in boundary.findings)


def facts(boundary, code):
    return next(finding.facts for finding in boundary.findings if finding.code == code)


def polygon(shell, *holes, zone=40):
    def turned(points):
        return [(zone * 1e6 + y, x) for x, y in points]

    return shapely.Polygon(turned(shell), [turned(hole) for hole in holes])


@pytest.fixture
def sample(tmp_path):
    """Two parcels, one with a hole, as a Chinese Windows program writes them."""
    one = parcel([ring(FIELD), ring(POND, 2, 5)], "K-1", "水库")
    return listed(tmp_path / "勘界.txt", text(one, parcel([ring(TRIANGLE)], "K-2", "渣场")))


# --- coordinate lists ------------------------------------------------------------------------------


def test_a_coordinate_list_becomes_polygons_in_the_crs_it_names(sample):
    boundary = import_boundary(sample)
    assert codes(boundary) == []
    assert boundary.crs.to_epsg() == 4528
    assert shapely.equals(boundary.geometry[0], polygon(FIELD, POND))
    assert shapely.equals(boundary.geometry[1], polygon(TRIANGLE))
    assert boundary.columns["parcel_no"].tolist() == ["K-1", "K-2"]
    assert boundary.columns["parcel_name"].tolist() == ["水库", "渣场"]
    assert boundary.columns["use"].tolist() == ["水利", "水利"]
    assert boundary.columns["land_class"].tolist() == ["1103", "1103"]
    assert boundary.columns["source_line"].tolist() == [13, 24]
    official = areas.area_model("EPSG:4528").areas(boundary.geometry)
    assert boundary.columns["area_m2"].tolist() == official.tolist()
    assert boundary.sha256 == formats.source_sha256(sample)


@pytest.mark.parametrize("encoding", ["GBK", "UTF-8", "UTF-8-SIG", "UTF-16"])
@pytest.mark.parametrize("ends", ["\r\n", "\n"])
def test_encodings_and_line_ends_make_no_difference(tmp_path, encoding, ends):
    content = text(parcel([ring(FIELD)])).replace("\r\n", ends)
    path = tmp_path / "a.txt"
    path.write_bytes(content.encode(encoding))
    boundary = import_boundary(path)
    assert (codes(boundary), boundary.columns["parcel_name"].tolist()) == ([], ["水库"])


def test_a_text_in_no_encoding_is_refused_by_name(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes("[地块坐标]".encode("GBK") + b"\r\n\xff\xff\xff")
    with pytest.raises(SwcError, match=r"boundary\.encoding_unknown"):
        import_boundary(path)


@pytest.mark.parametrize("tail", ["图幅,水利,1103,", "图幅,水利,", ",,"])
def test_the_older_parcel_line_without_land_class_is_understood(tmp_path, tail):
    boundary = import_boundary(listed(tmp_path / "a.txt", text(parcel([ring(FIELD)], tail=tail))))
    assert codes(boundary) == []
    given = tail.split(",")
    assert boundary.columns["use"].tolist() == [given[1] or None]
    assert boundary.columns["land_class"].tolist() == [(given[2] or None) if len(given) > 3 else None]


@pytest.mark.parametrize("count", [5, 4])
def test_the_count_may_or_may_not_include_the_closing_point(tmp_path, count):
    boundary = import_boundary(listed(tmp_path / "a.txt", text(parcel([ring(FIELD)], count=count))))
    assert codes(boundary) == []


@pytest.mark.parametrize("count", [3, 6, 50])
def test_another_count_is_told_with_its_line(tmp_path, count):
    boundary = import_boundary(listed(tmp_path / "a.txt", text(parcel([ring(FIELD)], count=count))))
    assert codes(boundary) == ["boundary.point_count"]
    told = facts(boundary, "boundary.point_count")
    assert (told["line"], told["declared"], told["found"]) == (13, count, 5)


def test_a_list_that_ends_too_early_is_an_error(tmp_path):
    good = parcel([ring(FIELD)], "1")
    cut = parcel([ring(FIELD)], "2")[:-2]
    boundary = import_boundary(listed(tmp_path / "a.txt", text(good, cut)))
    assert "boundary.points_missing" in codes(boundary)


def test_rings_that_never_repeat_their_first_point_are_a_habit_not_a_fault(tmp_path):
    rings = [ring(FIELD, closed=False), ring(POND, 2, closed=False)]
    boundary = import_boundary(listed(tmp_path / "a.txt", text(parcel(rings))))
    assert codes(boundary) == ["boundary.rings_open"]
    assert shapely.equals(boundary.geometry[0], polygon(FIELD, POND))


def test_one_ring_that_does_not_close_among_others_is_told_with_its_gap(tmp_path):
    rings = [ring(FIELD), ring(POND, 2, closed=False)]
    boundary = import_boundary(listed(tmp_path / "a.txt", text(parcel(rings))))
    assert codes(boundary) == ["boundary.ring_not_closed"]
    assert facts(boundary, "boundary.ring_not_closed")["gap"] == 30.0
    assert facts(boundary, "boundary.ring_not_closed")["line"] == 22


def test_a_closing_point_a_little_off_does_not_become_a_vertex(tmp_path):
    content = text(parcel([ring(FIELD)])).rstrip().rpartition("\r\n")[0]
    boundary = import_boundary(listed(tmp_path / "a.txt", content + "\r\nJ1,1,3455000.130,40512000.250\r\n"))
    assert codes(boundary) == ["boundary.closing_differs"]
    assert shapely.get_num_coordinates(boundary.geometry[0]) == 5


def test_a_hectare_figure_that_is_the_plane_area_is_recognised_as_such(tmp_path):
    # Near the edge of its zone a plane area is some hundred millionths too large.
    field = [(x, y + 120_000) for x, y in FIELD]
    plane = polygon(field).area / 1e4
    official = areas.area_model("EPSG:4528").areas(polygon(field))[0] / 1e4
    for hectares, expected in (
        (f"{official:.6f}", []),
        (f"{official:.2f}公顷", []),
        (f"{plane:.6f}", ["boundary.area_plane"]),
        (f"{plane * 15:.6f}", ["boundary.area_differs"]),
    ):
        content = text(parcel([ring(field)], hectares=hectares))
        assert codes(import_boundary(listed(tmp_path / "a.txt", content))) == expected, hectares


@pytest.mark.parametrize(
    ("changes", "zone", "expected"),
    [
        ({}, 40, 4528),
        ({}, 0, 4549),
        ({"坐标系": "CGCS2000"}, 40, 4528),
        ({"坐标系": "1980西安坐标系"}, 40, 2364),
        ({"坐标系": "1980西安坐标系"}, 0, 2385),
        ({"坐标系": "1954北京坐标系"}, 0, 2437),
        ({"带号": ""}, 40, 4528),
        ({"带号": "20", "几度分带": "6"}, 20, 4498),
        ({"带号": "20", "几度分带": "6"}, 0, 4509),
        ({"带号": "39", "几度分带": "3度带"}, 0, 4548),
    ],
)
def test_the_crs_follows_from_name_zone_and_prefix(tmp_path, changes, zone, expected):
    boundary = import_boundary(listed(tmp_path / "a.txt", text(parcel([ring(FIELD, zone=zone)]), **changes)))
    assert boundary.crs.to_epsg() == expected
    assert codes(boundary) == []


@pytest.mark.parametrize(
    ("changes", "zone", "code"),
    [
        ({"带号": "39"}, 40, "boundary.zone_contradicts"),
        ({"几度分带": "6"}, 40, "boundary.zone_width"),
        ({"坐标系": "城市独立坐标系"}, 40, "boundary.crs_name_unknown"),
        ({"坐标系": ""}, 40, "boundary.crs_missing"),
        ({"带号": ""}, 0, "boundary.crs_missing"),
        ({"投影类型": "兰伯特"}, 40, "boundary.projection_unknown"),
        ({"计量单位": "千米"}, 40, "boundary.unit_unknown"),
    ],
)
def test_a_crs_that_is_not_sure_is_an_error_until_it_is_given(tmp_path, changes, zone, code):
    path = listed(tmp_path / "a.txt", text(parcel([ring(FIELD, zone=zone)]), **changes))
    boundary = import_boundary(path)
    assert (codes(boundary), boundary.crs) == ([code], None)
    assert np.isnan(boundary.columns["area_m2"]).all()
    if zone:
        assert "EPSG:4528" in facts(boundary, code)["proposal"]
    given = import_boundary(path, Options(crs="EPSG:4528" if zone else "EPSG:4549"))
    assert [finding for finding in given.findings if finding.severity == "error"] == []
    assert given.columns["area_m2"][0] > 0


def test_a_given_crs_against_the_file_is_told(sample):
    boundary = import_boundary(sample, Options(crs="EPSG:2364"))
    assert (codes(boundary), boundary.crs.to_epsg()) == (["boundary.crs_overrides"], 2364)
    assert "boundary.crs_zone" in codes(import_boundary(sample, Options(crs="EPSG:4549")))
    with pytest.raises(SwcError, match=r"boundary\.crs_unknown"):
        import_boundary(sample, Options(crs="EPSG:nonsense"))


def test_points_of_two_zones_are_an_error(tmp_path):
    content = text(parcel([ring(FIELD)]), parcel([ring(TRIANGLE, zone=39)], "2"))
    assert "boundary.zone_mixed" in codes(import_boundary(listed(tmp_path / "a.txt", content)))


@pytest.mark.parametrize("zone", [40, 0])
def test_east_before_north_is_seen_and_put_right(tmp_path, zone):
    flipped = [(y + zone * 1e6, x) for x, y in FIELD]
    boundary = import_boundary(listed(tmp_path / "a.txt", text(parcel([ring(flipped, zone=0)]))))
    assert codes(boundary) == ["boundary.axes_swapped"]
    assert shapely.equals(boundary.geometry[0], polygon(FIELD, zone=zone))


def test_some_points_the_other_way_round_are_an_error(tmp_path):
    lines = ring(FIELD, zone=0)
    lines[1] = "J2,1,512300.500,3455000.125"
    boundary = import_boundary(listed(tmp_path / "a.txt", text(parcel([lines]))))
    assert facts(boundary, "boundary.axes_mixed")["line"] == 15


def test_local_coordinates_are_doubted_and_the_order_can_be_given(tmp_path):
    path = listed(tmp_path / "a.txt", text(parcel([ring([(3, -8), (1, 8), (2, 10)], zone=0)])))
    told = codes(import_boundary(path))
    assert "boundary.coordinates_odd" in told
    assert "boundary.zone_mixed" not in told
    one, other = (import_boundary(path, Options(axes=axes)) for axes in ("north_east", "east_north"))
    assert shapely.bounds(one.geometry[0]).tolist() == [-8, 1, 10, 3]
    assert shapely.bounds(other.geometry[0]).tolist() == [1, -8, 3, 10]


def test_full_width_signs_are_read_and_told_but_names_keep_theirs(tmp_path):
    content = text(parcel([ring(FIELD)], name="水库（一期），北区"))
    first = "J1,1,3455000.125,40512000.250"
    wide = first.translate({ord(c): ord(c) + 0xFEE0 for c in "0123456789.,J"})
    path = listed(tmp_path / "a.txt", content.replace(first, "\u3000" + wide, 1), "UTF-8")
    boundary = import_boundary(path)
    assert codes(boundary) == ["boundary.full_width"]
    assert facts(boundary, "boundary.full_width")["line"] == 14
    assert shapely.equals(boundary.geometry[0], polygon(FIELD))
    assert boundary.columns["parcel_name"].tolist() == ["水库（一期），北区"]


@pytest.mark.parametrize("bad", ["nan", "inf", "1e7", "9" * 40, "三百", "3,455,000.1", "3455000.1.2", ""])
def test_a_bad_number_is_an_error_with_its_line(tmp_path, bad):
    content = text(parcel([ring(FIELD)])).replace("3455000.125", bad, 1)
    boundary = import_boundary(listed(tmp_path / "a.txt", content))
    told = [finding for finding in boundary.findings if finding.severity == "error"]
    assert [(finding.code.rpartition("_")[2], finding.facts["line"]) for finding in told] == [("bad", 14)]


def test_a_missing_sign_at_the_end_of_a_parcel_line_is_forgiven(tmp_path):
    content = text(parcel([ring(FIELD)], "1"), parcel([ring(TRIANGLE)], "2")).replace(",@", "", 1)
    boundary = import_boundary(listed(tmp_path / "a.txt", content))
    assert codes(boundary) == ["boundary.at_sign_missing"]
    assert boundary.columns["parcel_no"].tolist() == ["1", "2"]


def test_records_of_lines_are_left_out_and_told(tmp_path):
    lines = [line.replace(",面,", ",线,") for line in parcel([ring(FIELD)], "1")]
    boundary = import_boundary(listed(tmp_path / "a.txt", text(lines, parcel([ring(TRIANGLE)], "2"))))
    assert codes(boundary) == ["boundary.not_polygon"]
    assert boundary.columns["parcel_no"].tolist() == ["2"]


def test_a_ring_that_crosses_itself_is_kept_and_told_with_the_place(tmp_path):
    bow = [FIELD[0], FIELD[2], FIELD[1], FIELD[3]]
    boundary = import_boundary(listed(tmp_path / "a.txt", text(parcel([ring(bow)]))))
    assert codes(boundary) == ["boundary.self_crossing"]
    east, north = boundary.findings[0].place
    assert (round(east), round(north)) == (40512150, 3455100)
    assert np.isnan(boundary.columns["area_m2"]).all()


def test_a_second_ring_outside_the_first_is_another_part_and_told(tmp_path):
    boundary = import_boundary(listed(tmp_path / "a.txt", text(parcel([ring(FIELD), ring(TRIANGLE, 2)]))))
    assert codes(boundary) == ["boundary.hole_outside"]
    assert shapely.get_num_geometries(boundary.geometry[0]) == 2


def test_a_closed_ring_is_followed_by_another_even_of_the_same_number(tmp_path):
    content = text(parcel([ring(FIELD), ring(TRIANGLE, 1, 5)]))
    boundary = import_boundary(listed(tmp_path / "a.txt", content))
    assert codes(boundary) == []
    expected = polygon(FIELD).area + polygon(TRIANGLE).area
    assert shapely.area(boundary.geometry[0]) == pytest.approx(expected)


def test_an_island_in_a_hole_is_land(tmp_path):
    island = [(x + 10, y + 10) for x, y in [(3455050, 512050), (3455060, 512050), (3455060, 512060)]]
    rings = [ring(FIELD), ring(POND, 2), ring(island, 3)]
    boundary = import_boundary(listed(tmp_path / "a.txt", text(parcel(rings))))
    expected = polygon(FIELD).area - polygon(POND).area + polygon(island).area
    assert shapely.area(boundary.geometry[0]) == pytest.approx(expected)


@pytest.mark.parametrize("second", [[(x + 100, y + 150) for x, y in FIELD], FIELD])
def test_rings_that_cross_or_coincide_are_an_error(tmp_path, second):
    content = text(parcel([ring(FIELD), ring(second, 2)]), parcel([ring(TRIANGLE)], "2"))
    boundary = import_boundary(listed(tmp_path / "a.txt", content))
    assert codes(boundary) == ["boundary.rings_cross"]
    assert boundary.columns["parcel_no"].tolist() == ["2"]


def test_blocks_of_one_number_stay_apart_unless_they_are_merged(tmp_path):
    content = text(
        parcel([ring(FIELD)], "7", hectares="6.0234"), parcel([ring(TRIANGLE)], "7", hectares="0.4")
    )
    path = listed(tmp_path / "a.txt", content)
    apart = import_boundary(path)
    assert facts(apart, "boundary.number_doubled")["lines"] == "13, 19"
    assert len(apart.geometry) == 2
    merged = import_boundary(path, Options(merge=True))
    assert shapely.area(merged.geometry).tolist() == [pytest.approx(shapely.area(apart.geometry).sum())]
    assert merged.columns["declared_ha"].tolist() == [pytest.approx(6.4234)]
    assert "boundary.number_doubled" not in codes(merged)


def test_degrees_minutes_and_seconds_are_read(tmp_path):
    corners = [
        ("31°12′28.20″", "121°30′00.00″"),
        ("31°12′28.20″", "121°30′10.5″"),
        ("31°12′38″", "121°30′10.5″"),
    ]
    lines = [f"J{i},1,{lat},{lon}" for i, (lat, lon) in enumerate([*corners, corners[0]], start=1)]
    content = text(["4,,1,点,面,,,,@", *lines], 计量单位="度分秒", 带号="", 几度分带="")
    boundary = import_boundary(listed(tmp_path / "a.txt", content, "UTF-8"))
    assert codes(boundary) == []
    assert boundary.crs.to_epsg() == 4490
    west, south = shapely.bounds(boundary.geometry[0])[:2].tolist()
    assert (west, south) == (121.5, pytest.approx(31 + 12 / 60 + 28.2 / 3600))
    assert boundary.columns["area_m2"][0] == pytest.approx(0.5 * 278 * 302, rel=0.01)


@pytest.mark.parametrize("bad", ["31°72′28.20″", "31°12′61″", "31°12′28.2″56"])
def test_minutes_and_seconds_that_cannot_be_are_errors(tmp_path, bad):
    lines = ["4,,1,点,面,,,,@", f"J1,1,{bad},121°30′00″"]
    boundary = import_boundary(listed(tmp_path / "a.txt", text(lines), "UTF-8"))
    assert "boundary.number_bad" in codes(boundary)


def test_degrees_and_metres_in_one_file_are_an_error(tmp_path):
    lines = ring(FIELD)
    lines[2] = "J3,1,31°12′28.20″,121°30′00.00″"
    boundary = import_boundary(listed(tmp_path / "a.txt", text(parcel([lines])), "UTF-8"))
    assert "boundary.units_mixed" in codes(boundary)


def test_a_list_without_a_parcel_is_an_error(tmp_path):
    assert codes(import_boundary(listed(tmp_path / "a.txt", text()))) == ["boundary.empty"]


def test_a_fault_on_every_line_is_not_told_a_thousand_times(tmp_path):
    content = text(parcel([ring(FIELD)]), [f"J{i},1,x,y" for i in range(1000)])
    boundary = import_boundary(listed(tmp_path / "a.txt", content))
    assert len(boundary.findings) < 30
    assert facts(boundary, "boundary.more")["count"] == 980


def star(random, centre, radius, corners):
    """Return corners of a polygon that does not cross itself, to the millimetre."""
    turn = np.sort(random.random(corners)) * 2 * np.pi
    far = radius * (0.5 + 0.5 * random.random(corners))
    points = np.column_stack([centre[0] + far * np.cos(turn), centre[1] + far * np.sin(turn)])
    return [tuple(point) for point in points.round(3).tolist()]


@pytest.mark.parametrize("seed", range(25))
def test_what_is_listed_comes_back_to_the_millimetre(tmp_path, seed):
    random = np.random.default_rng(seed)
    parcels, expected = [], []
    for number in range(int(random.integers(1, 6))):
        centre = (3455000.0 + 2000 * number, 512000.0 + float(random.integers(0, 9000)))
        shell = star(random, centre, 900, int(random.integers(20, 60)))
        holes = [star(random, centre, 10, int(random.integers(10, 30)))] * bool(random.integers(0, 2))
        drawn = polygon(shell, *holes)
        if not drawn.is_valid:
            continue
        closed = bool(seed % 2)
        rings = [ring(one, level, closed=closed) for level, one in enumerate([shell, *holes], start=1)]
        hectares = areas.area_model("EPSG:4528").areas(drawn)[0] / 1e4
        parcels.append(parcel(rings, str(number), hectares=f"{hectares:.4f}"))
        expected.append(drawn)
    boundary = import_boundary(listed(tmp_path / "a.txt", text(*parcels)))
    assert codes(boundary) == ([] if seed % 2 else ["boundary.rings_open"])
    assert len(boundary.geometry) == len(expected) > 0
    assert shapely.equals(boundary.geometry, expected).all()


# --- point tables ----------------------------------------------------------------------------------

TABLE = [
    ("点号", "圈号", "地块编号", "地块名称", "X坐标(北)", "Y坐标(东)"),
    *((f"J{i}", 1, "1", "水库", x, 40e6 + y) for i, (x, y) in enumerate([*FIELD, FIELD[0]], start=1)),
    *((f"J{i}", 2, "", "", x, 40e6 + y) for i, (x, y) in enumerate([*POND, POND[0]], start=5)),
    *((f"J{i}", 1, "2", "渣场", x, 40e6 + y) for i, (x, y) in enumerate(TRIANGLE, start=1)),
]


def csv_of(rows, delimiter=","):
    return "\n".join(delimiter.join(str(cell) for cell in row) for row in rows) + "\n"


def workbook(path, **sheets):
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(list(row))
    book.save(path)
    return path


@pytest.mark.parametrize("delimiter", [",", "\t", ";"])
@pytest.mark.parametrize("encoding", ["UTF-8-SIG", "GBK"])
def test_a_csv_of_points_becomes_polygons(tmp_path, delimiter, encoding):
    path = listed(tmp_path / "点.csv", csv_of([("项目界址点成果表",), *TABLE], delimiter), encoding)
    boundary = import_boundary(path, Options(crs="EPSG:4528"))
    assert [f.severity for f in boundary.findings if f.severity != "warning"] == []
    assert shapely.equals(boundary.geometry[0], polygon(FIELD, POND))
    assert shapely.equals(boundary.geometry[1], polygon(TRIANGLE))
    assert boundary.columns["parcel_name"].tolist() == ["水库", "渣场"]


def test_a_workbook_of_points_becomes_polygons(tmp_path):
    path = workbook(tmp_path / "点.xlsx", 说明=[("备注",)], 坐标=TABLE)
    boundary = import_boundary(path, Options(crs="EPSG:4528"))
    assert shapely.equals(boundary.geometry[0], polygon(FIELD, POND))
    assert boundary.columns["source_line"].tolist() == [2, 12]


def test_two_sheets_of_points_want_a_name(tmp_path):
    path = workbook(tmp_path / "a.xlsx", 一=TABLE[:6], 二=TABLE)
    with pytest.raises(SwcError, match=r"boundary\.sheet_unnamed"):
        import_boundary(path)
    with pytest.raises(SwcError, match=r"boundary\.sheet_missing"):
        import_boundary(path, Options(sheet="三"))
    assert len(import_boundary(path, Options(sheet="二", crs="EPSG:4528")).geometry) == 2


def test_formulas_are_not_evaluated(tmp_path):
    rows = [TABLE[0], ("J1", 1, "1", "", "=3455000+0.125", 40512000.25), *TABLE[2:6]]
    boundary = import_boundary(workbook(tmp_path / "a.xlsx", a=rows), Options(crs="EPSG:4528"))
    assert facts(boundary, "boundary.number_bad")["line"] == 2


def test_a_table_without_a_crs_proposes_and_does_not_guess(tmp_path):
    boundary = import_boundary(listed(tmp_path / "a.csv", csv_of(TABLE)))
    assert facts(boundary, "boundary.crs_missing")["proposal"] == "EPSG:4528"
    assert boundary.crs is None


@pytest.mark.parametrize(
    ("heads", "swapped"),
    [
        (("点号", "纵坐标(m)", "横坐标(m)"), False),
        (("点号", "横坐标", "纵坐标"), True),
        (("Point", "Northing", "Easting"), False),
        (("vertex", "POINT_X", "POINT_Y"), True),
        (("点号", "X", "Y"), False),
    ],
)
def test_headings_say_which_number_is_north(tmp_path, heads, swapped):
    rows = [heads, *((f"J{i}", *((y, x) if swapped else (x, y))) for i, (x, y) in enumerate(FIELD))]
    boundary = import_boundary(listed(tmp_path / "a.csv", csv_of(rows)), Options(crs="EPSG:4549"))
    assert codes(boundary) == ["boundary.rings_open"]
    assert shapely.equals(boundary.geometry[0], polygon(FIELD, zone=0))


def test_headings_that_the_numbers_contradict_are_told(tmp_path):
    rows = [("点号", "北坐标", "东坐标"), *((f"J{i}", y, x) for i, (x, y) in enumerate(FIELD))]
    boundary = import_boundary(listed(tmp_path / "a.csv", csv_of(rows)), Options(crs="EPSG:4549"))
    assert "boundary.axes_swapped" in codes(boundary)
    assert shapely.equals(boundary.geometry[0], polygon(FIELD, zone=0))


def test_longitudes_and_latitudes_are_read_in_both_notations(tmp_path):
    corners = [(121.5, 31.2), (121.51, 31.2), (121.51, 31.21)]
    decimal = [("拐点", "经度", "纬度"), *((i, *corner) for i, corner in enumerate(corners))]
    dms = [("拐点", "经度", "纬度"), ("1", "121°30′", "31°12′"), ("2", "121°30′36″", "31°12′")]
    dms.append(("3", '121°30′36"', "31°12′36″"))
    drawn = [
        import_boundary(listed(tmp_path / f"{i}.csv", csv_of(rows, "\t"), "UTF-8"), Options(crs="EPSG:4490"))
        for i, rows in enumerate((decimal, dms))
    ]
    assert shapely.equals_exact(drawn[0].geometry[0], shapely.Polygon(corners), 1e-12)
    assert shapely.equals_exact(drawn[1].geometry[0], shapely.Polygon(corners), 1e-12)


def test_a_csv_of_other_things_is_no_boundary(tmp_path):
    samples = listed(tmp_path / "s.csv", "id,lon,lat,pH\n1,121.5,31.2,7\n")
    drawn = listed(tmp_path / "d.csv", 'BSM,WKT\n1,"POLYGON ((0 0,1 0,1 1,0 0))"\n')
    assert [boundaries.kind_of(path) for path in (samples, drawn)] == [None, None]
    with pytest.raises(SwcError, match=r"boundary\.not_recognised"):
        import_boundary(samples)


# --- drawings --------------------------------------------------------------------------------------


def entity(*pairs):
    return "".join(f"{code}\n{value}\n" for code, value in pairs)


def drawing(path, *entities, encoding="UTF-8"):
    content = entity((0, "SECTION"), (2, "ENTITIES")) + "".join(entities) + entity((0, "ENDSEC"), (0, "EOF"))
    return listed(path, content, encoding)


def polyline(layer, points, closed=True, handle="A1"):
    head = [(0, "LWPOLYLINE"), (5, handle), (100, "AcDbEntity"), (8, layer), (100, "AcDbPolyline")]
    head += [(90, len(points)), (70, int(closed))]
    for x, y, *bulge in points:
        head += [(10, x), (20, y), *((42, value) for value in bulge)]
    return entity(*head)


def line(layer, start, end):
    return entity((0, "LINE"), (8, layer), (10, start[0]), (20, start[1]), (11, end[0]), (21, end[1]))


def arc(layer, centre, radius, first, last):
    place = [(10, centre[0]), (20, centre[1]), (40, radius), (50, first), (51, last)]
    return entity((0, "ARC"), (8, layer), *place)


def label(layer, place, said):
    return entity((0, "TEXT"), (8, layer), (10, place[0]), (20, place[1]), (40, 2), (1, said))


def square(west, south, size):
    return [(west, south), (west + size, south), (west + size, south + size), (west, south + size)]


CRS = Options(crs="EPSG:4549")


@pytest.mark.parametrize("encoding", ["UTF-8", "GBK"])
def test_closed_polylines_become_polygons_with_layer_and_name(tmp_path, encoding):
    path = drawing(
        tmp_path / "图.dxf",
        polyline("红线", square(512000, 3455000, 100), handle="7F"),
        label("注记", (512050, 3455050), "取土场"),
        encoding=encoding,
    )
    before = path.read_bytes()
    boundary = import_boundary(path, CRS)
    assert codes(boundary) == []
    assert shapely.equals(boundary.geometry[0], shapely.box(512000, 3455000, 512100, 3455100))
    said = {name: values.tolist() for name, values in boundary.columns.items() if name != "area_m2"}
    assert said == {"parcel_name": ["取土场"], "cad_layer": ["红线"], "cad_handle": ["7F"]}
    assert boundary.columns["area_m2"][0] == pytest.approx(1e4, rel=1e-3)
    assert path.read_bytes() == before
    assert boundary.sha256 == formats.source_sha256(path)


def test_a_bulge_is_an_arc(tmp_path):
    points = [(512000.0, 3455000.0, 1.0), (512000.0, 3455100.0)]
    boundary = import_boundary(drawing(tmp_path / "a.dxf", polyline("A", points)), CRS)
    half_disc = np.pi * 50**2 / 2
    assert shapely.area(boundary.geometry[0]) == pytest.approx(half_disc, rel=1e-4)


def test_lines_and_arcs_that_meet_within_the_tolerance_are_joined(tmp_path):
    east, north = 512000.0, 3455000.0
    path = drawing(
        tmp_path / "a.dxf",
        line("L", (east, north), (east + 50, north)),
        arc("L", (east, north), 50, 0, 90),
        line("L", (east, north + 50.0006), (east, north)),
    )
    boundary = import_boundary(path, CRS)
    assert codes(boundary) == ["boundary.gap_closed"]
    assert shapely.area(boundary.geometry[0]) == pytest.approx(np.pi * 50**2 / 4, rel=1e-4)


def test_a_larger_gap_stays_open_and_is_told_with_its_ends(tmp_path):
    corners = square(512000.0, 3455000.0, 10.0)
    sides = [line("L", one, other) for one, other in zip(corners, corners[1:])]
    path = drawing(tmp_path / "a.dxf", *sides, line("L", corners[3], (512000.0, 3455000.5)))
    boundary = import_boundary(path, CRS)
    assert codes(boundary) == ["boundary.empty", "boundary.line_open"]
    told = facts(boundary, "boundary.line_open")
    assert {told["start"], told["end"]} == {"512000.000 3455000.000", "512000.000 3455000.500"}
    assert (told["gap"], told["cad_layer"]) == (0.5, "L")
    closed = import_boundary(path, Options(crs="EPSG:4549", tolerance_m=0.6))
    assert codes(closed) == ["boundary.gap_closed"]
    assert shapely.area(closed.geometry).tolist() == [100.0]


def test_a_polyline_that_almost_closes_keeps_its_entity(tmp_path):
    points = [*square(512000.0, 3455000.0, 10.0), (512000.0004, 3455000.0)]
    boundary = import_boundary(drawing(tmp_path / "a.dxf", polyline("A", points, False, "7F")), CRS)
    assert codes(boundary) == ["boundary.gap_closed"]
    assert boundary.columns["cad_handle"].tolist() == ["7F"]
    assert shapely.area(boundary.geometry).tolist() == [100.0]


def test_lines_of_different_layers_do_not_close_each_other(tmp_path):
    corners = square(512000.0, 3455000.0, 10.0)
    sides = [line("AB"[i % 2], corners[i - 1], corners[i]) for i in range(4)]
    boundary = import_boundary(drawing(tmp_path / "a.dxf", *sides), CRS)
    assert "boundary.empty" in codes(boundary)


def test_a_ring_in_a_ring_is_a_hole_only_when_asked(tmp_path):
    outer, inner = square(512000, 3455000, 100), square(512040, 3455040, 20)
    other = square(512045, 3455045, 5)
    path = drawing(tmp_path / "a.dxf", *(polyline("A", one) for one in (outer, inner)), polyline("B", other))
    assert sorted(shapely.area(import_boundary(path, CRS).geometry).tolist()) == [25, 400, 10000]
    holes = import_boundary(path, Options(crs="EPSG:4549", even_odd=True))
    assert sorted(shapely.area(holes.geometry).tolist()) == [25, 9600]


def test_a_text_names_the_smallest_polygon_around_it(tmp_path):
    rings = [
        polyline("A", square(512000, 3455000, 100), handle="1"),
        polyline("A", square(512040, 3455040, 20), handle="2"),
    ]
    texts = [label("T", (512050, 3455050), "内"), label("T", (512010, 3455010), "外")]
    boundary = import_boundary(drawing(tmp_path / "a.dxf", *rings, *texts), CRS)
    named = dict(zip(boundary.columns["cad_handle"], boundary.columns["parcel_name"]))
    assert named == {"1": "外", "2": "内"}


def test_what_does_not_lie_on_earth_is_left_out(tmp_path):
    path = drawing(
        tmp_path / "a.dxf", polyline("A", square(1e30, 0, 1e29)), polyline("A", square(512000, 3455000, 9))
    )
    boundary = import_boundary(path, CRS)
    assert codes(boundary) == ["boundary.drawn_absurd"]
    assert shapely.area(boundary.geometry).tolist() == [81.0]


def test_blocks_come_as_they_are_inserted(tmp_path):
    named = [(0, "SECTION"), (2, "BLOCKS"), (0, "BLOCK"), (8, "0"), (2, "桩"), (70, 0), (10, 0), (20, 0)]
    block = entity(*named) + polyline("A", square(0, 0, 10)) + entity((0, "ENDBLK"), (8, "0"), (0, "ENDSEC"))
    insert = entity((0, "INSERT"), (8, "A"), (2, "桩"), (10, 512000), (20, 3455000), (41, 2), (42, 2))
    head = entity((0, "SECTION"), (2, "HEADER"), (0, "ENDSEC"))
    content = (
        head + block + entity((0, "SECTION"), (2, "ENTITIES")) + insert + entity((0, "ENDSEC"), (0, "EOF"))
    )
    boundary = import_boundary(listed(tmp_path / "a.dxf", content, "UTF-8"), CRS)
    assert shapely.equals(boundary.geometry[0], shapely.box(512000, 3455000, 512020, 3455020))


def test_many_open_lines_are_counted_the_longest_told(tmp_path):
    lines = [line("A", (512000, 3455000 + 10 * i), (512000 + i, 3455000 + 10 * i)) for i in range(1, 3001)]
    boundary = import_boundary(drawing(tmp_path / "a.dxf", *lines), CRS)
    assert facts(boundary, "boundary.line_open")["length"] == 3000
    assert facts(boundary, "boundary.more")["count"] == 2980


def test_a_line_drawn_twice_counts_once_and_the_paper_is_left_out(tmp_path):
    lines = [polyline("A", square(512000, 3455000, 100), handle=handle) for handle in "12"]
    frame = polyline("A", square(0, 0, 400)).replace("  8\n", "").replace("8\nA\n", "67\n1\n8\nA\n")
    boundary = import_boundary(drawing(tmp_path / "a.dxf", *lines, frame), CRS)
    assert codes(boundary) == ["boundary.paper_space", "boundary.rings_doubled"]
    assert boundary.columns["cad_handle"].tolist() == ["1"]


def test_a_drawing_without_a_crs_is_an_error_with_proposals(tmp_path):
    path = drawing(tmp_path / "a.dxf", polyline("A", square(40512000, 3455000, 100)))
    boundary = import_boundary(path)
    assert facts(boundary, "boundary.crs_missing")["proposal"] == "EPSG:4528"


# --- writing, the command, and jobs ----------------------------------------------------------------


def run(*arguments):
    command = [sys.executable, "-m", "swc_zoning", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, encoding="utf-8")


def test_what_is_written_reads_back_as_it_was(tmp_path, sample):
    boundary = import_boundary(sample)
    (tmp_path / "out").mkdir()
    boundaries.write(boundary, tmp_path / "out" / "a.gpkg", sample)
    table = formats.read_vector(tmp_path / "out" / "a.gpkg")
    assert table.layer.name == "勘界"
    assert set(table.columns["source_sha256"]) == {formats.source_sha256(sample)}
    assert shapely.equals(shapely.from_wkb(table.wkb), boundary.geometry).all()
    assert pyogrio.read_info(tmp_path / "out" / "a.gpkg")["crs"] == "EPSG:4528"
    assert [part.name for part in (tmp_path / "out").iterdir()] == ["a.gpkg"]
    with pytest.raises(SwcError, match=r"boundary\.output_beside"):
        boundaries.write(boundary, tmp_path / "a.gpkg", sample)


def test_an_output_that_does_not_read_back_is_not_kept(tmp_path, sample, monkeypatch):
    (tmp_path / "out").mkdir()
    output = tmp_path / "out" / "a.gpkg"
    boundaries.write(import_boundary(sample), output, sample)
    older = output.read_bytes()
    true = formats.write_table

    def reversed_rows(path, name, rows, *rest):
        true(path, name, [replace(one, wkb=one.wkb[::-1]) for one in rows], *rest)

    monkeypatch.setattr(formats, "write_table", reversed_rows)
    with pytest.raises(SwcError, match=r"boundary\.not_as_written"):
        boundaries.write(import_boundary(sample), output, sample)
    assert output.read_bytes() == older
    assert [part.name for part in output.parent.iterdir()] == ["a.gpkg"]


def test_only_what_an_import_wrote_is_replaced(tmp_path, sample):
    output = tmp_path / "out" / "a.gpkg"
    output.parent.mkdir()
    for _ in range(2):
        boundaries.write(import_boundary(sample), output, sample)
    formats.write_table(output, "mine", [formats.Batch(None, {"n": np.arange(3)})], None)
    kept = output.read_bytes()
    with pytest.raises(SwcError, match=r"boundary\.output_not_ours"):
        boundaries.write(import_boundary(sample), output, sample)
    assert output.read_bytes() == kept


def test_the_command_imports_tells_and_leaves_the_source_alone(tmp_path, sample):
    (tmp_path / "out").mkdir()
    before = {part: hashlib.sha256(part.read_bytes()).hexdigest() for part in tmp_path.glob("*.txt")}
    done = run(
        "import", sample, "--output", tmp_path / "out" / "b.gpkg", "--lang", "en", "--crs", "EPSG:2364"
    )
    assert (done.returncode, done.stdout.strip()) == (0, str(tmp_path / "out" / "b.gpkg"))
    assert "is read in EPSG:2364 as asked" in done.stderr
    assert len(formats.read_vector(tmp_path / "out" / "b.gpkg")) == 2
    assert {part: hashlib.sha256(part.read_bytes()).hexdigest() for part in tmp_path.glob("*.txt")} == before
    assert run("import", sample, "--output", tmp_path / "b.gpkg").returncode == 2
    nowhere = run("import", sample, "--output", tmp_path / "no" / "b.gpkg")
    assert (nowhere.returncode, "“b.gpkg”" in nowhere.stderr, "/.b." in nowhere.stderr) == (1, True, False)
    assert run("import", tmp_path / "no.txt", "--output", tmp_path / "out" / "b.gpkg").returncode == 2


def test_the_command_writes_nothing_where_something_must_be_settled(tmp_path):
    (tmp_path / "out").mkdir()
    path = listed(tmp_path / "a.txt", text(parcel([ring(FIELD)]), 带号="39"))
    done = run("import", path, "--output", tmp_path / "out" / "a.gpkg")
    assert done.returncode == 1
    assert "声明带号 39，坐标却带有带号 40" in done.stderr
    assert list((tmp_path / "out").iterdir()) == []


def asked(tmp_path, source, **entry):
    entry = {"role": "admin_park", "source": str(source), **entry}
    return job.load({"schema": 1, "crs": "EPSG:4549", "layers": [entry]}, tmp_path)


def test_a_job_may_name_a_coordinate_list_as_a_layer(tmp_path, sample):
    found = intake.read(asked(tmp_path, sample, name_field="parcel_name"), intake.Progress())
    assert found.features.name == ["水库", "渣场"]
    assert found.features.area_m2.sum() == pytest.approx(
        polygon(FIELD, POND).area + polygon(TRIANGLE).area, abs=0.01
    )
    assert found.layers[0].sha256 == formats.source_sha256(sample)


def test_a_job_tells_what_its_coordinate_list_holds_and_offers_the_crs(tmp_path):
    path = listed(tmp_path / "a.txt", text(parcel([ring(FIELD)], count=9), 带号="39"))
    found = intake.inspect(asked(tmp_path, path))
    by_code = {finding.code: finding for finding in found}
    assert {"boundary.point_count", "boundary.zone_contradicts"} <= set(by_code)
    changes = [fix.change for fix in by_code["boundary.zone_contradicts"].fixes]
    assert {"crs": "EPSG:4528"} in changes
    assert not any(fix.sure for finding in found for fix in finding.fixes)
    settled = intake.inspect(asked(tmp_path, path, crs="EPSG:4528"))
    assert [finding.code for finding in settled if finding.severity == "error"] == []


def test_places_in_another_crs_than_the_working_one_are_left_out(tmp_path):
    bow = [FIELD[0], FIELD[2], FIELD[1], FIELD[3]]
    found = intake.inspect(asked(tmp_path, listed(tmp_path / "a.txt", text(parcel([ring(bow)])))))
    assert [(f.code, f.place) for f in found if f.code.startswith("boundary")] == [
        ("boundary.self_crossing", None)
    ]


def test_a_crs_that_is_none_is_a_finding_of_the_job(tmp_path, sample):
    assert [f.code for f in intake.inspect(asked(tmp_path, sample, crs="EPSG:none"))] == [
        "boundary.crs_unknown"
    ]


def test_an_open_crs_is_told_once(tmp_path):
    plan = drawing(tmp_path / "b.dxf", polyline("A", square(512000, 3455000, 100)))
    assert [f.code for f in intake.inspect(asked(tmp_path, plan))] == ["intake.crs_missing"]


def test_a_job_may_name_tables_drawings_and_zips_of_them(tmp_path):
    table = listed(tmp_path / "a.csv", csv_of(TABLE))
    plan = drawing(tmp_path / "b.dxf", polyline("A", square(40512000, 3455000, 100)))
    with zipfile.ZipFile(tmp_path / "c.zip", "w") as archive:
        archive.write(plan, "图/平面.dxf")
    for source, count in ((table, 2), (plan, 1), (tmp_path / "c.zip", 1)):
        assert formats.describe(source).count == count
        found = intake.read(asked(tmp_path, source, crs="EPSG:4528"), intake.Progress())
        assert found.layers[0].used == count


def test_the_sheets_of_a_workbook_are_its_layers(tmp_path):
    path = workbook(tmp_path / "a.xlsx", 一期=TABLE[:6], 二期=TABLE, 说明=[("备注",)])
    assert [name for name, _ in formats.list_layers(path)] == ["一期", "二期"]
    found = intake.inspect(asked(tmp_path, path, crs="EPSG:4528"))
    assert [(f.code, f.facts["layers"]) for f in found] == [("intake.layer_unnamed", "一期, 二期")]
    read = intake.read(asked(tmp_path, path, layer="二期", crs="EPSG:4528"), intake.Progress())
    assert read.layers[0].used == 2


@pytest.mark.parametrize("backend", ["arrow", "pyogrio", "fiona"])
def test_every_reader_takes_a_coordinate_list_whatever_encoding_is_given(sample, backend, monkeypatch):
    pytest.importorskip({"arrow": "pyarrow"}.get(backend, backend))
    monkeypatch.setattr(formats, "backend", lambda: backend)
    for encoding in (None, "GBK"):
        table = formats.read_vector(sample, encoding=encoding)
        assert table.columns["parcel_name"].tolist() == ["水库", "渣场"]
        assert table.columns["declared_ha"].tolist() == [None, None]


def test_every_finding_has_both_sentences(tmp_path):
    content = text(parcel([ring(FIELD)], count=9, hectares="99"), 带号="39")
    for finding in import_boundary(listed(tmp_path / "a.txt", content)).findings:
        for lang in ("zh", "en"):
            assert "{" not in json.dumps(finding.as_json(lang)["text"])
