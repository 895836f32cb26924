# SPDX-License-Identifier: GPL-2.0-or-later
"""Coordinate list texts: what is written is what our own reader takes, whatever a region asks for."""

import itertools

import geopandas
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from swc_zoning import cli
from swc_zoning.engine import areas, boundaries, georef
from swc_zoning.engine.messages import SwcError
from swc_zoning.engine.submission import coordinates
from swc_zoning.engine.submission.coordinates import Options, Patches

EAST, NORTH = 640000.0, 3455000.0
CHOICES = list(
    itertools.product(
        ("GBK", "UTF-8"),
        ("CRLF", "LF"),
        ("with_closing", "without_closing"),
        ("patch", "ring"),
        ("crs", "with", "without"),
        ("J", ""),
        (8, 7),
        (3, 4, 2),
    )
)
NAMES = (
    "encoding",
    "line_end",
    "count",
    "numbering",
    "zone_prefix",
    "point_prefix",
    "attributes",
    "decimals",
)


def box(east, north, side):
    return shapely.box(EAST + east, NORTH + north, EAST + east + side, NORTH + north + side)


def patches(*geometry, crs="EPSG:4549", names=None):
    count = len(geometry)
    texts = {use: [""] * count for use in ("use", "land_class", "sheet")}
    columns = {"no": [f"P{row}" for row in range(count)], "name": names or ["北滩"] * count, **texts}
    array = np.empty(count, object)
    array[:] = geometry
    return Patches("patches", array, georef.parse(crs), columns)


def read_again(folder, made, options):
    listing = coordinates.listed(made, options)
    (path,) = coordinates.write(listing, folder / "list.txt", replace=True)
    return listing, boundaries.import_boundary(path, boundaries.Options(merge=True))


@st.composite
def drawn(draw):
    """Polygons of up to three parts, each with up to two holes, at odd fractions of a millimetre."""
    parts = []
    for number in range(draw(st.integers(1, 3))):
        shift = draw(st.floats(0, 40))
        centre = (EAST + 900 * number + shift, NORTH + shift / 3)
        angles = np.sort(draw(st.lists(st.integers(0, 359), min_size=5, max_size=12, unique=True)))
        if np.diff([*angles, angles[0] + 360]).max() > 150:
            angles = np.array([0, 70, 150, 220, 290])
        radius = 200 + draw(st.floats(0, 90))
        ring = [(centre[0] + radius * np.cos(a), centre[1] + radius * np.sin(a)) for a in np.deg2rad(angles)]
        holes = [
            shapely.Point(centre[0] - 10 + 20 * at, centre[1]).buffer(4 + shift / 20, quad_segs=2).exterior
            for at in range(draw(st.integers(0, 2)))
        ]
        parts.append(shapely.Polygon(ring, holes))
    return parts[0] if len(parts) == 1 else shapely.MultiPolygon(parts)


@settings(max_examples=150, deadline=None)
@given(geometry=drawn(), chosen=st.sampled_from(CHOICES))
def test_our_reader_takes_back_what_was_written_to_half_a_last_digit(geometry, chosen, tmp_path_factory):
    options = Options(**dict(zip(NAMES, chosen)))
    folder = tmp_path_factory.getbasetemp() / "property"
    listing, found = read_again(folder, patches(geometry), options)
    shift = 40e6 if chosen[4] == "with" else 0
    assert georef.name_of(found.crs) == ("EPSG:4528" if shift else "EPSG:4549")
    # Our reader takes coordinates for rounded to the millimetre when it holds areas against them.
    coarse = {"boundary.area_differs"} if options.decimals < 3 else set()
    assert {one.code for one in found.findings if one.severity != "info"} <= coarse
    meant = shapely.normalize(shapely.transform(geometry, lambda xy: xy + np.array([shift, 0])))
    half = 0.5000001 * 10.0**-options.decimals + 1e-8
    back = found.geometry[0]
    assert len(shapely.get_parts(back)) == len(shapely.get_parts(meant))
    assert shapely.get_num_coordinates(back) == shapely.get_num_coordinates(meant)
    far = shapely.hausdorff_distance(back.boundary, meant.boundary)
    assert far <= half * np.sqrt(2)
    official = areas.area_model(listing.crs).areas(np.array([meant]))[0] / 1e4
    assert found.columns["declared_ha"][0] == pytest.approx(official, abs=0.5e-4 * len(listing.blocks) + 1e-9)


@pytest.mark.parametrize("chosen", CHOICES[:: len(CHOICES) // 24])
def test_every_value_of_an_option_is_read_back(chosen, tmp_path):
    options = Options(**dict(zip(NAMES, chosen)))
    _, found = read_again(tmp_path, patches(box(0, 0, 100), box(500, 0, 50)), options)
    assert found.columns["parcel_no"].tolist() == ["P0", "P1"]
    assert found.columns["parcel_name"].tolist() == ["北滩", "北滩"]


def test_the_grammar_is_that_of_coordinate_lists():
    square = shapely.Polygon(box(0, 0, 100).exterior, [box(20, 20, 10).exterior])
    made = patches(square)
    made.columns["use"][0], made.columns["land_class"][0] = "水源", "0301"
    text = coordinates.text_of(coordinates.listed(made, Options(unit="某局", date="20261124")))
    lines = text.split("\r\n")
    assert lines[:12] == [
        *("[属性描述]", "格式版本号=1.01", "数据产生单位=某局", "数据产生日期=2026-11-24"),
        *("坐标系=2000国家大地坐标系", "几度分带=3", "投影类型=高斯克吕格", "计量单位=米"),
        *("带号=40", "精度=0.001", "转换参数=,,,,,,", "[地块坐标]"),
    ]
    hectares = areas.area_model("EPSG:4549").areas([square])[0] / 1e4
    assert lines[12] == f"10,{hectares:.4f},P0,北滩,面,,水源,0301,@"
    assert lines[13] == "J1,1,3455100.000,640000.000"  # north-west first, X is the northing
    assert lines[14] == "J2,1,3455100.000,640100.000"  # clockwise
    assert lines[17].startswith("J1,1,")
    assert lines[17] == lines[13]
    assert [line.split(",")[:2] for line in lines[18:23]] == [
        ["J5", "2"],
        ["J6", "2"],
        ["J7", "2"],
        ["J8", "2"],
        ["J5", "2"],
    ]


def test_points_count_and_are_named_as_chosen():
    square = shapely.Polygon(box(0, 0, 100).exterior, [box(20, 20, 10).exterior])
    options = Options(count="without_closing", numbering="ring", point_prefix="", attributes=7)
    lines = coordinates.text_of(coordinates.listed(patches(square), options)).split("\r\n")[12:]
    assert lines[0].split(",")[0] == "8"
    assert lines[0].endswith(",面,,,@")
    assert [line.split(",")[0] for line in lines[1:11]] == ["1", "2", "3", "4", "1"] * 2


def test_numbers_run_on_through_the_parts_of_a_patch():
    two = shapely.MultiPolygon([box(0, 0, 10), box(50, 0, 10)])
    listing = coordinates.listed(patches(two, box(100, 0, 10)))
    assert [block.rings[0].first_name for block in listing.blocks] == [1, 5, 1]
    assert [f.code for f in listing.findings] == ["coordinates.parts"]


def test_degrees_are_brought_into_the_chosen_zone(tmp_path):
    square = shapely.box(121.0, 31.0, 121.01, 31.01)
    _, found = read_again(tmp_path, patches(square, crs="EPSG:4490"), Options(crs="EPSG:4528"))
    assert georef.name_of(found.crs) == "EPSG:4528"
    west = found.geometry[0].bounds[0]
    assert 40_595_000 < west < 40_596_000


def test_signs_of_the_grammar_in_names_are_replaced_and_told():
    listing = coordinates.listed(patches(box(0, 0, 10), names=["北滩,一号@（东）\n区"]))
    assert listing.patches.columns["name"] == ["北滩 一号 (东) 区"]
    (finding,) = listing.findings
    assert finding.code == "coordinates.names_changed"
    with pytest.raises(SwcError, match="name_signs"):
        coordinates.listed(patches(box(0, 0, 10), names=["北滩，一号"]), Options(names="refuse"))


def test_a_rare_character_is_refused_by_name_and_not_lost(tmp_path):
    rare = patches(box(0, 0, 10), names=["𠮷野"])
    with pytest.raises(SwcError) as refused:
        coordinates.listed(rare, Options())
    assert refused.value.code == "coordinates.unencodable"
    assert (refused.value.facts["patch"], refused.value.facts["sign"]) == ("P0", "𠮷")
    _, found = read_again(tmp_path, rare, Options(encoding="UTF-8"))
    assert found.columns["parcel_name"].tolist() == ["𠮷野"]


def test_what_is_thinner_than_the_last_digit_is_told_and_holes_of_it_left_out():
    thin = shapely.box(EAST + 0.0001, NORTH, EAST + 0.0004, NORTH + 50)
    holed = shapely.Polygon(
        box(0, 100, 10).exterior,
        [shapely.box(EAST + 5.0001, NORTH + 105, EAST + 5.0004, NORTH + 106).exterior],
    )
    listing = coordinates.listed(patches(thin, holed))
    assert [len(block.rings) for block in listing.blocks] == [1]
    gone = next(f for f in listing.findings if f.code == "coordinates.vanishes")
    assert gone.facts["patch"] == "P0"
    assert gone.measure_m2 == pytest.approx(0.015, rel=0.1)


def test_invalid_geometry_is_refused():
    bow = shapely.Polygon([(0, 0), (10, 10), (10, 0), (0, 10)])
    with pytest.raises(SwcError, match="invalid"):
        coordinates.listed(patches(shapely.transform(bow, lambda xy: xy + np.array([EAST, NORTH]))))


def test_a_file_that_is_there_stays_unless_replacing_is_asked_for(tmp_path):
    target = tmp_path / "list.txt"
    target.write_text("mine")
    listing = coordinates.listed(patches(box(0, 0, 10)))
    with pytest.raises(SwcError, match="exists"):
        coordinates.write(listing, target)
    assert target.read_text() == "mine"
    assert coordinates.write(listing, target, replace=True) == [target]
    assert [path.name for path in tmp_path.iterdir()] == ["list.txt"]


def test_one_file_a_patch_has_all_its_parts_and_a_name_a_file_may_have(tmp_path):
    two = shapely.MultiPolygon([box(0, 0, 10), box(50, 0, 10)])
    made = patches(two, box(100, 0, 10), names=["a/b", "a:b"])
    files = coordinates.write(coordinates.listed(made, Options(split=True)), tmp_path / "out")
    assert [path.name for path in files] == ["P0a_b.txt", "P1a_b.txt"]
    assert len(boundaries.import_boundary(files[0]).geometry) == 2


@pytest.mark.parametrize(
    ("degrees", "text"),
    [
        (121.4712508, "121°28′16.5029″"),
        (30.99999999999, "31°00′00.0000″"),
        (110 + 28.2 / 3600, "110°00′28.2000″"),
    ],
)
def test_degrees_never_show_sixty_seconds(degrees, text):
    assert coordinates.sexagesimal(degrees, 4) == text


def test_the_table_of_degrees_is_read_back(tmp_path):
    made = patches(shapely.Polygon(box(0, 0, 100).exterior, [box(20, 20, 10).exterior]))
    _, table = coordinates.write(coordinates.listed(made, Options(degrees=True)), tmp_path / "list.txt")
    found = boundaries.import_boundary(table, boundaries.Options(crs="EPSG:4490"))
    move = georef.Move(georef.parse("EPSG:4490"), georef.parse("EPSG:4549"), (120, 30, 122, 32))
    back = shapely.transform(found.geometry[0], move)
    assert shapely.hausdorff_distance(back.boundary, made.geometry[0].boundary) < 0.005


def test_a_wrong_option_is_said_with_those_that_are_possible():
    with pytest.raises(SwcError) as refused:
        coordinates.checked(Options(encoding="Big5"))
    assert "GBK" in refused.value.sentence("zh")
    with pytest.raises(SwcError, match="option"):
        coordinates.options_of({"decimals": "3"})


def test_the_command_lists_the_polygons_of_a_file(tmp_path, capsys):
    frame = geopandas.GeoDataFrame({"TBBH": ["0010000001"]}, geometry=[box(0, 0, 100)], crs="EPSG:4549")
    frame.to_file(tmp_path / "in.gpkg")
    arguments = ["coordinates", str(tmp_path / "in.gpkg"), "--output", str(tmp_path / "out.txt")]
    assert cli.main([*arguments, "--zone-prefix", "with", "--unit", "某局"]) == 0
    found = boundaries.import_boundary(tmp_path / "out.txt")
    assert found.columns["parcel_no"].tolist() == ["0010000001"]
    assert georef.name_of(found.crs) == "EPSG:4528"
    assert cli.main(arguments) == 2
    assert "coordinates.exists" in capsys.readouterr().err


def test_a_package_is_listed_from_the_data_set_in_it(tmp_path):
    frame = geopandas.GeoDataFrame({"HXBM": ["H1"]}, geometry=[box(0, 0, 100)], crs="EPSG:4549")
    folder = tmp_path / "package" / "01_矢量数据"
    folder.mkdir(parents=True)
    for layer in ("HXJY", "SBGKFQ"):
        frame.to_crs("EPSG:4490").to_file(folder / "成果.gpkg", layer=layer)
    made = coordinates.read(tmp_path / "package", "HXJY")
    assert made.columns["no"] == ["H1"]
    listing = coordinates.listed(made, Options(crs="EPSG:4549"))
    assert listing.blocks[0].hectares == pytest.approx(0.9995, abs=1e-4)
    assert listing.blocks[0].rings[0].points.tolist()[0] == [NORTH + 100, EAST]


def test_what_the_command_line_says_goes_before_the_settings(tmp_path):
    frame = geopandas.GeoDataFrame({"TBBH": ["1"]}, geometry=[box(0, 0, 100)], crs="EPSG:4549")
    frame.to_file(tmp_path / "in.gpkg")
    (tmp_path / "options.json").write_text('{"decimals": 2, "unit": "某局", "point_prefix": "K"}', "utf-8")
    arguments = ["coordinates", str(tmp_path / "in.gpkg"), "--settings", str(tmp_path / "options.json")]
    arguments += ["--decimals", "0", "--point-prefix", "", "--output", str(tmp_path / "out.txt")]
    assert cli.main(arguments) == 0
    text = (tmp_path / "out.txt").read_bytes().decode("gbk")
    assert "数据产生单位=某局" in text
    assert "\r\n1,1,3455100,640000\r\n" in text
