# SPDX-License-Identifier: GPL-2.0-or-later
"""Defects planted in the written files of a package each raise exactly their rules, at the right place."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass

import numpy as np
import pytest
import shapely
from planting import Planter

from swc_zoning import cli
from swc_zoning.engine.submission import opening, quality


@dataclass
class Planted:
    """What a defect must raise: rules, and of which identifier, field or place (a point in metres)."""

    codes: set[str]
    bsm: str = ""
    field: str = ""
    place: object = None
    within_m: float = 1.0
    reseal: bool = True
    kept: frozenset | set = frozenset()


@pytest.fixture(scope="module")
def exported(city, tmp_path_factory):
    """Return how to export the demo city, slivers merged, in some formats."""
    folder = tmp_path_factory.mktemp("submission")
    job = json.loads((city / "job.json").read_text(encoding="utf-8"))
    job["options"]["slivers"] = {"merge": "all"}
    (city / "merged.json").write_text(json.dumps(job), encoding="utf-8")
    assert cli.main(["run", str(city / "merged.json"), "--output", str(folder / "result")]) == 0

    def export(*formats):
        order = json.loads((city / "order.json").read_text(encoding="utf-8"))
        order.update(formats=list(formats), public=False)
        path, target = folder / f"{'_'.join(formats)}.json", folder / "_".join(formats)
        path.write_text(json.dumps(order), encoding="utf-8")
        asked = ["export", str(folder / "result"), "--settings", str(path), "--output", str(target)]
        assert cli.main(asked) == 0
        (package,) = target.iterdir()
        return package

    return export


@pytest.fixture(scope="module")
def sound(exported):
    """The package as a GeoPackage, and the flaws it has: warnings."""
    package = exported("gpkg")
    found = flaws_of(package)
    assert not [flaw for flaw in found if flaw.severity == "E"]
    return package, found


@pytest.fixture
def planter(sound, tmp_path):
    """A copy of the package to damage."""
    return Planter(shutil.copytree(sound[0], tmp_path / sound[0].name))


def flaws_of(package):
    with opening.opened(package) as opened:
        return quality.check(opened).flaws


def told(flaw):
    """Return what a flaw is known by: a group by its key, whichever piece stands for it."""
    return (flaw.code, flaw.case, flaw.layer, flaw.key or flaw.bsm, flaw.field, flaw.file)


def pieces(planter, where, count=1):
    """Return the largest pieces of a condition, by identifier."""
    rows = planter.sql(f"SELECT BSM FROM SBGKFQ WHERE {where} ORDER BY TBMJ DESC LIMIT ?", count)
    assert len(rows) == count, where
    return [bsm for (bsm,) in rows]


INNER = "FQDM = '0303' AND LH = '1' AND SFYN = '1' AND TBMJ > 20000"
#: Where a square metre is more than areas may be off.
SMALL = "FQDM = '0303' AND LH = '1' AND SFYN = '1' AND TBMJ BETWEEN 20000 AND 60000"


# --- attributes ------------------------------------------------------------------------------------


def wrong_code(p):
    (bsm,) = pieces(p, INNER)
    p.set("SBGKFQ", bsm, GKDJ="77")
    return Planted({"3301", "3701"}, bsm, "GKDJ")


def name_that_is_not_of_its_code(p):
    (bsm,) = pieces(p, INNER)
    p.set("SBGKFQ", bsm, FQMC="一般管控区")
    return Planted({"3301"}, bsm, "FQMC")


def blank_required_value(p):
    (bsm,) = pieces(p, INNER)
    p.set("SBGKFQ", bsm, XZQMC="")
    return Planted({"3601"}, bsm, "XZQMC")


def truncated_text(p):
    (bsm,) = pieces(p, "length(LYMC) > 20 AND LYMC NOT LIKE '%…'")
    p.set("SBGKFQ", bsm, LYMC=p.row("SBGKFQ", bsm)["LYMC"][:7])
    return Planted({"3202"}, bsm, "LYMC")


def broken_character(p):
    (bsm,) = pieces(p, INNER)
    p.set("SBGKFQ", bsm, BZ="一二\ufffd")
    return Planted({"3202"}, bsm, "BZ")


def year_of_two_digits(p):
    (bsm,) = pieces(p, INNER)
    p.set("SBGKFQ", bsm, SJNF="26")
    return Planted({"3401"}, bsm, "SJNF")


def area_of_nothing(p):
    (bsm,) = pieces(p, INNER)
    p.set("SBGKFQ", bsm, TBMJ=0.0)
    return Planted({"3401", "5101", "5102", "6402"}, bsm)


def duplicate_identifier(p):
    one, other = pieces(p, f"{INNER} AND XZQDM = '990151'", 2)
    p.set("SBGKFQ", other, BSM=one)
    return Planted({"3501", "3701"}, one)


def duplicate_number(p):
    one, other = pieces(p, f"{INNER} AND XZQDM = '990151'", 2)
    p.set("SBGKFQ", other, TBBH=p.row("SBGKFQ", one)["TBBH"])
    return Planted({"3501"}, field="TBBH")


def district_code_that_is_no_more(p):
    p.sql("UPDATE ZDYFQ SET XZQDM = '310119' WHERE BSM = (SELECT BSM FROM ZDYFQ LIMIT 1)")
    ((bsm,),) = p.sql("SELECT BSM FROM ZDYFQ LIMIT 1")
    return Planted({"3502"}, bsm)


def flag_against_its_sources(p):
    (bsm,) = pieces(p, "SFHX = '1' AND ZT = '1'")
    p.set("SBGKFQ", bsm, SFHX="0")
    return Planted({"3701", "6402", "6501"}, bsm)


def measure_left_out(p):
    (bsm,) = pieces(p, "CSDM LIKE '%;%;%' AND TBMJ > 20000")
    codes = p.row("SBGKFQ", bsm)["CSDM"].split(";")
    p.set("SBGKFQ", bsm, CSDM=";".join(codes[1:]))
    return Planted({"3701"}, bsm, "CSDM")


def sum_wrong_by_a_hundredth(p):
    (bsm,) = pieces(p, INNER)
    p.set("SBGKFQ", bsm, TBMJ=round(p.row("SBGKFQ", bsm)["TBMJ"] + 0.01, 2))
    return Planted({"5102", "6402"})


def two_areas_against_each_other(p):
    one, other = pieces(p, f"{INNER} AND XZQDM = '990151' AND CTLX IS NULL AND SFKF = '0'", 2)
    for bsm, sign in ((one, 1), (other, -1)):
        p.set("SBGKFQ", bsm, TBMJ=round(p.row("SBGKFQ", bsm)["TBMJ"] + sign * 4000, 2))
    return Planted({"5101"}, one, "TBMJ")


def table_off_by_a_hundredth(p):
    p.sql("UPDATE TJ_QF SET MJ = round(MJ + 0.01, 2) WHERE fid = 3")
    return Planted({"6402"})


def area_in_hectares(p):
    p.sql("UPDATE STBHHX SET MJ = round(MJ / 10000, 2)")
    return Planted({"5104"})


def conflict_left_out(p):
    p.sql("DELETE FROM CTB WHERE CTLX = 'K04'")
    p.sql("UPDATE META SET VALUE = (SELECT COUNT(*) FROM CTB) WHERE ITEM = 'count:CTB'")
    return Planted({"6502"})


def layer_that_was_not_supplied(p):
    p.sql("INSERT INTO META (ITEM, XH, VALUE) VALUES ('missing_role:nature_reserve', 0, '自然保护区')")
    return Planted({"6503"})


def target_left_out(p):
    p.sql("DELETE FROM META WHERE ITEM = 'target:2035'")
    return Planted({"7101"})


def factor_away_from_one(p):
    p.sql("UPDATE META SET VALUE = '1.0002' WHERE ITEM = 'factor:990101'")
    p.sql(
        "INSERT INTO META (ITEM, XH, VALUE) SELECT 'factor:990101', 0, '1.0002' WHERE NOT EXISTS "
        "(SELECT 1 FROM META WHERE ITEM = 'factor:990101')"
    )
    return Planted({"5101", "5103"})  # the areas of the district are not those of such a factor


def input_in_an_unknown_system(p):
    ((item,),) = p.sql("SELECT ITEM FROM META WHERE ITEM LIKE 'input:%' AND XH = 0 LIMIT 1")
    rows = p.sql("SELECT VALUE FROM META WHERE ITEM = ? ORDER BY XH", item)
    document = json.loads("".join(value for (value,) in rows))
    p.sql("DELETE FROM META WHERE ITEM = ?", item)
    document = {"role": document["role"], "layer": document["layer"], "crs": 'LOCAL_CS["x"]'}
    p.sql("INSERT INTO META (ITEM, XH, VALUE) VALUES (?, 0, ?)", item, json.dumps(document))
    return Planted({"2202"})


ATTRIBUTES = [
    wrong_code,
    name_that_is_not_of_its_code,
    blank_required_value,
    truncated_text,
    broken_character,
    year_of_two_digits,
    area_of_nothing,
    duplicate_identifier,
    duplicate_number,
    district_code_that_is_no_more,
    flag_against_its_sources,
    measure_left_out,
    sum_wrong_by_a_hundredth,
    two_areas_against_each_other,
    table_off_by_a_hundredth,
    area_in_hectares,
    conflict_left_out,
    layer_that_was_not_supplied,
    target_left_out,
    factor_away_from_one,
    input_in_an_unknown_system,
]


# --- geometry --------------------------------------------------------------------------------------


def _corner(polygon):
    """Return (number, point) of the vertex of the outer ring that stands out most."""
    points = np.array(polygon.exterior.coords)[:-1]
    before, after = np.roll(points, 1, axis=0), np.roll(points, -1, axis=0)
    legs = np.minimum(np.hypot(*(points - before).T), np.hypot(*(points - after).T))
    number = int(np.argmax(legs))
    return number, points[number]


def shifted_vertex(p):
    (bsm,) = pieces(p, SMALL)
    polygon = p.plane("SBGKFQ", bsm)
    number, point = _corner(polygon)
    points = np.array(polygon.exterior.coords)[:-1]
    middle = np.array(shapely.point_on_surface(polygon).coords[0])
    points[number] = np.round(point + (middle - point) / np.hypot(*(middle - point)) * 2, 4)
    p.draw("SBGKFQ", bsm, shapely.Polygon(points, [ring.coords for ring in polygon.interiors]))
    return Planted({"4103", "5101"}, place=shapely.Point(point), within_m=400, kept={"4102", "4201"})


def _bulged(p, bsm, *steps):
    """Put vertices into the longest edge of a piece: `steps` are metres along from its middle and outward."""
    polygon = p.plane("SBGKFQ", bsm)
    start, end = _longest_edge(polygon)
    along = (end - start) / np.hypot(*(end - start))
    outward = np.array([-along[1], along[0]])
    if shapely.contains_xy(polygon, *((start + end) / 2 + outward * 0.01)):
        outward = -outward
    new = [np.round((start + end) / 2 + along * far + outward * out, 4) for far, out in steps]
    points = np.array(polygon.exterior.coords)
    number = int(np.flatnonzero((points[:-1] == start).all(axis=1) & (points[1:] == end).all(axis=1))[0])
    drawn = np.insert(points, [number + 1] * len(new), new, axis=0)
    p.draw("SBGKFQ", bsm, shapely.Polygon(drawn, [ring.coords for ring in polygon.interiors]))
    return shapely.Point(np.mean(new, axis=0))


def overlap_of_a_square_metre(p):
    (bsm,) = pieces(p, SMALL)
    place = _bulged(p, bsm, (0, 0), (0, 1), (1, 1), (1, 0))
    return Planted({"4102", "5101"}, place=place, kept={"4401"})


def _longest_edge(polygon):
    points = np.array(polygon.exterior.coords)
    number = int(np.argmax(np.hypot(*np.diff(points, axis=0).T)))
    return points[number], points[number + 1]


def hole_of_a_square_metre(p):
    (bsm,) = pieces(p, SMALL)
    polygon = p.plane("SBGKFQ", bsm)
    x, y = shapely.point_on_surface(polygon).coords[0]
    square = shapely.box(round(x), round(y), round(x) + 1, round(y) + 1)
    p.draw("SBGKFQ", bsm, shapely.difference(polygon, square))
    return Planted({"4103", "5101"}, place=square.centroid)


def piece_left_out(p):
    (bsm,) = pieces(p, INNER)
    inside = shapely.point_on_surface(p.plane("SBGKFQ", bsm))
    p.sql("DELETE FROM SBGKFQ WHERE BSM = ?", bsm)
    return Planted({"1102", "3701", "4103", "5102", "6402"}, place=inside, within_m=5000)


def piece_drawn_twice(p):
    (bsm,) = pieces(p, INNER)
    inside = shapely.point_on_surface(p.plane("SBGKFQ", bsm))
    p.copy_row("SBGKFQ", bsm)
    return Planted({"1102", "3501", "4102", "5102", "6402"}, place=inside, within_m=5000)


def self_intersection(p):
    (bsm,) = pieces(p, SMALL)
    place = _bulged(p, bsm, (0, 0), (4, -4), (0, -4), (4, 0))
    return Planted({"4101"}, bsm, place=place, within_m=5, kept={"4102", "4103", "4105", "4201", "5101"})


def two_parts(p):
    (bsm,) = pieces(p, SMALL)
    polygon = p.plane("SBGKFQ", bsm)
    west, south, east, north = polygon.bounds
    cut = shapely.box(west - 1, round((south + north) / 2), east + 1, round((south + north) / 2) + 1)
    parts = shapely.set_precision(shapely.difference(polygon, cut), 0.0001)
    p.draw("SBGKFQ", bsm, parts)
    return Planted({"4103", "4104", "5101"}, bsm, kept={"4201"})


def doubled_vertex(p):
    (bsm,) = pieces(p, INNER)
    polygon = p.plane("SBGKFQ", bsm)
    points = list(polygon.exterior.coords)
    x, y = points[0]
    points.insert(1, (x + 0.00005, y))
    p.draw("SBGKFQ", bsm, shapely.Polygon(points, [ring.coords for ring in polygon.interiors]))
    return Planted({"4105"}, bsm, kept={"2204"})


def piece_of_another_district(p):
    (bsm,) = pieces(p, f"{INNER} AND XZQDM = '990151'")
    p.sql(
        "UPDATE SBGKFQ SET XZQDM = '990120', XZQMC = (SELECT XZQMC FROM XZQ WHERE XZQDM = '990120') "
        "WHERE BSM = ?",
        bsm,
    )
    return Planted({"3502", "4401", "5102", "6402"}, bsm, kept={"4103"})


def far_away(p):
    (bsm,) = pieces(p, INNER)
    polygon = p.plane("SBGKFQ", bsm)
    p.draw("SBGKFQ", bsm, shapely.transform(polygon, lambda points: points + np.array([0, 400_000])))
    return Planted({"2203", "4103", "4401", "6401"}, kept={"2204", "5101"})


def red_line_left_out(p):
    ((bsm,),) = p.sql("SELECT BSM FROM STBHHX ORDER BY MJ DESC LIMIT 1")
    p.sql("DELETE FROM STBHHX WHERE BSM = ?", bsm)
    p.sql("UPDATE META SET VALUE = (SELECT COUNT(*) FROM STBHHX) WHERE ITEM = 'count:STBHHX'")
    return Planted({"6401"}, kept={"3701"})


GEOMETRY = [
    shifted_vertex,
    overlap_of_a_square_metre,
    hole_of_a_square_metre,
    piece_left_out,
    piece_drawn_twice,
    self_intersection,
    two_parts,
    doubled_vertex,
    piece_of_another_district,
    far_away,
    red_line_left_out,
]


# --- files -----------------------------------------------------------------------------------------


def table_gone(p):
    p.sql("DROP TABLE TJ_SX")
    p.sql("DELETE FROM gpkg_contents WHERE table_name = 'TJ_SX'")
    return Planted({"1101"})


def other_system(p):
    p.sql("INSERT OR IGNORE INTO gpkg_spatial_ref_sys VALUES ('WGS 84', 4326, 'EPSG', 4326, 'x', '')")
    for table in ("gpkg_contents", "gpkg_geometry_columns"):
        p.sql(f"UPDATE {table} SET srs_id = 4326 WHERE table_name = 'SBGKFQ'")
    return Planted({"2201"})


def field_gone(p):
    p.sql("ALTER TABLE SBGKFQ DROP COLUMN BZ")
    return Planted({"3201"}, field="BZ")


def edited_after_sealing(p):
    (bsm,) = pieces(p, INNER)
    p.set("SBGKFQ", bsm, BZ="改过")
    return Planted({"1105"}, reseal=False)


def unsealed_file(p):
    (p.folder / "07_质检/附.txt").write_text("x", encoding="utf-8")
    return Planted({"1105"}, reseal=False)


def file_gone(p):
    next(p.folder.rglob("metadata.xml")).unlink()
    return Planted({"1105"}, reseal=False)


def no_database(p):
    p.gpkg.write_bytes(p.gpkg.read_bytes()[:5000])
    return Planted({"1101", "1102"})


def folder_renamed(p):
    p.folder = p.folder.rename(p.folder.with_name("成果"))
    return Planted({"1103"})


FILES = [
    table_gone,
    other_system,
    field_gone,
    edited_after_sealing,
    unsealed_file,
    file_gone,
    no_database,
    folder_renamed,
]


@pytest.mark.parametrize("plant", [*ATTRIBUTES, *GEOMETRY, *FILES], ids=lambda plant: plant.__name__)
def test_a_planted_defect_raises_exactly_its_rules_at_its_place(planter, sound, plant):
    wanted = plant(planter)
    if wanted.reseal:
        planter.reseal()
    before = {told(flaw) for flaw in sound[1]}
    found = [flaw for flaw in flaws_of(planter.folder) if told(flaw) not in before]
    codes = {flaw.code for flaw in found}
    assert wanted.codes <= codes <= wanted.codes | wanted.kept, [
        (*told(f), f.severity, f.sentence("en")) for f in found
    ]
    if wanted.bsm:
        assert wanted.bsm in {flaw.bsm for flaw in found}
    if wanted.field:
        assert wanted.field in {flaw.field for flaw in found}
    if wanted.place is not None:
        near = [shapely.Point(planter.metres(flaw.place)) for flaw in found if flaw.place]
        assert min(point.distance(wanted.place) for point in near) <= wanted.within_m


# --- Shapefiles ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def sound_copies(exported):
    """The package in all formats."""
    return exported("gdb", "gpkg", "shp")


@pytest.mark.parametrize(("part", "codes"), [(".prj", {"1104"}), (".cpg", {"1104"}), (".shx", {"1104"})])
def test_a_part_of_a_shapefile_that_is_gone_is_told(sound_copies, tmp_path, part, codes):
    folder = shutil.copytree(sound_copies, tmp_path / sound_copies.name)
    next(folder.rglob(f"shp/SBGKFQ{part}")).unlink()
    Planter(folder).reseal()
    found = {flaw.code for flaw in flaws_of(folder) if flaw.severity == "E"}
    assert found == codes


def test_a_copy_that_says_something_else_is_told_with_identifier_and_field(sound_copies, tmp_path):
    planter = Planter(shutil.copytree(sound_copies, tmp_path / sound_copies.name))
    (bsm,) = pieces(planter, INNER)
    planter.set("SBGKFQ", bsm, BZ="改过")
    planter.reseal()
    (flaw,) = [flaw for flaw in flaws_of(planter.folder) if flaw.severity == "E"]
    assert (flaw.code, flaw.bsm, flaw.field) == ("1102", bsm, "BZ")
    assert flaw.file.endswith(".gpkg")
