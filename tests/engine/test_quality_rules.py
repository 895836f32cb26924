# SPDX-License-Identifier: GPL-2.0-or-later
"""Every rule passes on a package that is right and fails on a defect planted in it, at the right place.

A defect raises exactly the rules that are true of it. A rule without checker, sentence or defect fails here.
"""

from __future__ import annotations

import shutil
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import packages
import pyogrio
import pytest
import shapely
from packages import degrees

from swc_zoning.engine.messages import catalogue
from swc_zoning.engine.submission import accepted, datasets, opening, order, public, quality, sheets

#: What the package that is right has: one legal conflict, listed with its rule.
KNOWN = ("6502", "W", "K05")
FIRST, SECOND = "990101000000000001", "990101000000000002"
AREA, PROPOSAL, RED = "990102000000000101", "990102000000000201", "990101000000000301"


def checked(root: Path, only=None) -> quality.Report:
    with opening.opened(root) as package:
        return quality.check(package, only=only)


def new(report: quality.Report) -> list[quality.Flaw]:
    """Return the flaws beyond the one the right package has."""
    return [flaw for flaw in report.flaws if (flaw.code, flaw.severity, flaw.key) != KNOWN]


@dataclass
class Defect:
    """What is wrong: `rules` it raises; `before` changes the draft, `after` the files (database, root).

    `seen` is what the flaw of the first rule must say; `near` where it must be, metres from the south-west
    corner of the city.
    """

    rules: tuple[str, ...]
    before: Callable[[Any], None] | None = None
    after: Callable[[Any, Path], None] | None = None
    seen: dict[str, Any] = field(default_factory=dict)
    near: tuple[float, float] | None = None
    forms: tuple[str, ...] = ("gpkg",)
    seal: bool = True


def sql(text: str, *values: Any) -> Callable[[Any, Path], None]:
    return lambda database, root: database.execute(text, values)


def shape(layer: str, bsm: str, change: Callable[[Any], Any]) -> Callable[[Any, Path], None]:
    return lambda database, root: packages.redraw(database, layer, bsm, change)


def vertex(at: tuple[float, float], to: tuple[float, float]) -> Callable[[Any], Any]:
    """Return what moves the vertex nearest to a place, metres from the corner of the city, to another one."""
    start, end = np.array(degrees(*at)), np.array(degrees(*to))

    def change(polygon: Any) -> Any:
        def moved(points: Any) -> Any:
            points = points.copy()
            points[np.abs(points - start).max(axis=1) < 1e-8] = end
            return points

        return shapely.transform(polygon, moved)

    return change


def everywhere(at, to) -> Callable[[Any], None]:
    """Move a vertex in every layer of the draft."""

    def change(draft: Any) -> None:
        for layer, shapes in draft.shapes.items():
            moving = vertex(at, to)
            draft.shapes[layer] = np.array([moving(one) for one in shapes], object)

    return change


def meta(**items: str | None) -> Callable[[Any], None]:
    def change(draft: Any) -> None:
        for item, value in items.items():
            name = item.replace("__", ":")
            if value is None:
                del draft.meta[name]
            else:
                draft.meta[name] = value

    return change


def rows(layer: str, **values: Any) -> Callable[[Any], None]:
    """Change the first row of a layer in the draft."""
    return lambda draft: draft.rows[layer][0].update(values)


def drop(layer: str) -> Callable[[Any], None]:
    def change(draft: Any) -> None:
        draft.dropped = (layer,)

    return change


def without_part(part: str) -> Callable[[Any, Path], None]:
    return lambda database, root: (packages.data_set(root, "shp") / f"SBGKFQ{part}").unlink()


def cut_names(draft: Any) -> None:
    draft.rows["SBGKFQ"][0]["LYMC"] = "红" * 127
    draft.rows["GXB"][0]["LYMC"] = "红" * 127 + "线"


def more_red(draft: Any) -> None:
    """Let the red line reach 10 m into a piece that says it is outside; META knows it so."""
    wider = shapely.union(draft.work[0], shapely.box(*draft.work[1].bounds[:2], *corner(draft, 10)))
    draft.shapes["STBHHX"] = sheets.to_degrees(np.array([wider], object), packages.WORK)
    area = packages.areas.area_model(packages.WORK).areas([wider])[0]
    draft.meta["reference_m2:STBHHX"] = f"{area:.2f}"
    draft.rows["STBHHX"][0]["MJ"] = round(float(area), 2)


def corner(draft: Any, east: float) -> tuple[float, float]:
    west, _, _, north = draft.work[1].bounds
    return west + east, north


def control_line(reach: float) -> Callable[[Any, Path], None]:
    """Write the ecological control line of Shanghai: class 01 is the red line, `reach` metres wider."""

    def change(database: Any, root: Path) -> None:
        database.commit()
        draft = packages.Draft()
        west, south, east, north = draft.work[0].bounds
        drawn = shapely.segmentize(shapely.box(west, south, east + reach, north), packages.SIDE / 2)
        drawn = sheets.to_degrees(np.array([drawn], object), packages.WORK)
        table = [np.array([1]), np.array(["01"], object)]
        pyogrio.raw.write(
            *(str(packages.data_set(root)), shapely.to_wkb(drawn), table, ["BSM", "GKDJDM"]),
            **{"layer": "STBHKZX", "driver": "GPKG", "geometry_type": "Polygon", "crs": "EPSG:4490"},
            append=True,
        )

    return change


def doubled_piece(database: Any, root: Path) -> None:
    names = [row[1] for row in database.execute("PRAGMA table_info(SBGKFQ)") if row[1] != "fid"]
    listed = ", ".join(names)
    database.execute(f"INSERT INTO SBGKFQ ({listed}) SELECT {listed} FROM SBGKFQ WHERE fid = 1")


def moved_in_shapefile(database: Any, root: Path) -> None:
    """Change the last byte but one of the first coordinate of the first polygon: by some metres."""
    path = packages.data_set(root, "shp") / "STBHHX.shp"
    content = bytearray(path.read_bytes())
    # Header of the file, of the record and of the polygon with its one part.
    at = 100 + 8 + 44 + 4
    east, north = struct.unpack_from("<2d", content, at)
    struct.pack_into("<2d", content, at, east + 1e-6, north)
    path.write_bytes(content)


DEFECTS = {
    # files
    "a table is missing": Defect(("1101",), drop("TJ_SX"), seen={"layer": "TJ_SX"}),
    "a record fewer than stated": Defect(
        ("1102",), after=sql("DELETE FROM DMB WHERE fid = 1"), seen={"layer": "DMB", "case": "count"}
    ),
    "a copy says something else": Defect(
        ("1102",),
        after=sql("UPDATE SBGKFQ SET BZ = 'x' WHERE BSM = ?", SECOND),
        seen={"layer": "SBGKFQ", "bsm": SECOND, "field": "BZ", "case": "copy_value"},
        forms=("gdb", "gpkg"),
    ),
    "a vertex of a copy is moved by a millimetre": Defect(
        ("1102",),
        after=shape("SBGKFQ", FIRST, vertex((400, 400), (400, 400.001))),
        seen={"layer": "SBGKFQ", "bsm": FIRST, "field": "geometry", "case": "copy_moved"},
        near=(400, 400),
        forms=("gdb", "gpkg"),
    ),
    "a copy lacks a record": Defect(
        ("1102",),
        after=sql("DELETE FROM HXJY"),
        seen={"layer": "HXJY", "bsm": PROPOSAL, "case": "copy_less"},
        forms=("gdb", "gpkg"),
    ),
    "a file is named otherwise": Defect(
        ("1103",),
        after=lambda _, root: packages.data_set(root).rename(packages.data_set(root).with_name("x.gpkg")),
        seen={"severity": "W", "file": "01_矢量数据/x.gpkg"},
    ),
    "a .prj is missing": Defect(
        ("1104", "1105"),
        after=without_part(".prj"),
        seen={"layer": "SBGKFQ", "file": "01_矢量数据/shp/SBGKFQ.prj"},
        forms=("gpkg", "shp"),
        seal=False,
    ),
    "a .cpg is missing": Defect(
        ("1104",), after=without_part(".cpg"), seen={"layer": "SBGKFQ"}, forms=("gpkg", "shp")
    ),
    "a .shx is missing": Defect(
        ("1104",), after=without_part(".shx"), seen={"layer": "SBGKFQ"}, forms=("gpkg", "shp")
    ),
    "the table of names is missing": Defect(
        ("1104",),
        after=lambda _, root: (packages.data_set(root, "shp") / "字段名对照表.csv").unlink(),
        seen={"case": "names"},
        forms=("gpkg", "shp"),
    ),
    "a file was edited after it was sealed": Defect(
        ("1105",), after=sql("UPDATE SBGKFQ SET BZ = 'x' WHERE BSM = ?", FIRST), seal=False
    ),
    "a file nobody listed": Defect(
        ("1105",),
        after=lambda _, root: (root / "x.txt").write_text("x"),
        seen={"file": "x.txt", "case": "unlisted"},
        seal=False,
    ),
    # reference
    "a layer says another system": Defect(
        ("2201",),
        after=sql("UPDATE gpkg_geometry_columns SET srs_id = 4326 WHERE table_name = 'STBHHX'"),
        seen={"layer": "STBHHX"},
    ),
    "an input of no known system": Defect(
        ("2202",), meta(input__2='{"role": "ecological_redline", "crs": ""}'), seen={"severity": "W"}
    ),
    "a patch far away": Defect(
        ("2203",),
        after=shape("ZDYFQ", AREA, lambda one: shapely.transform(one, lambda xy: xy + np.array([0.1, 0]))),
        seen={"layer": "ZDYFQ", "bsm": AREA},
    ),
    "the working zone is not here": Defect(("2203",), meta(work_crs="EPSG:4542"), seen={"case": "zone"}),
    "a vertex off the grid": Defect(("2204",), everywhere((400, 400), (400.00004, 400)), near=(400, 400)),
    # fields
    "a field is called otherwise": Defect(
        ("3201",),
        after=sql("ALTER TABLE SBGKFQ RENAME COLUMN BZ TO BEIZHU"),
        seen={"layer": "SBGKFQ", "field": "BZ", "case": "missing"},
    ),
    "broken characters": Defect(
        ("3202",),
        after=sql("UPDATE ZDYFQ SET BZ = '重点\ufffd区'"),
        seen={"layer": "ZDYFQ", "bsm": AREA, "field": "BZ", "severity": "W"},
    ),
    "text cut in a copy": Defect(
        ("3202",),
        rows("ZDYFQ", BZ="区" * 127),
        after=sql("UPDATE ZDYFQ SET BZ = ?", "区" * 126),
        seen={"layer": "ZDYFQ", "bsm": AREA, "field": "BZ", "case": "cut"},
        forms=("gdb", "gpkg"),
    ),
    "names longer than their field": Defect(
        ("3202",), cut_names, seen={"layer": "SBGKFQ", "bsm": FIRST, "field": "LYMC", "case": "names"}
    ),
    "a code of no set": Defect(
        ("3301",), after=sql("UPDATE ZDYFQ SET SX = '9'"), seen={"layer": "ZDYFQ", "bsm": AREA, "field": "SX"}
    ),
    "a zone of no set": Defect(
        ("3301", "3701", "6402"),
        after=sql("UPDATE SBGKFQ SET FQDM = '9999' WHERE BSM = ?", SECOND),
        seen={"layer": "SBGKFQ", "bsm": SECOND, "field": "FQDM"},
        near=(600, 200),
    ),
    "a name that is not that of the code": Defect(
        ("3301",),
        after=sql("UPDATE SBGKFQ SET FQMC = '一般管控区' WHERE BSM = ?", FIRST),
        seen={"layer": "SBGKFQ", "bsm": FIRST, "field": "FQMC", "case": "name"},
    ),
    "a table of codes that was changed": Defect(
        ("3301",), after=sql("UPDATE DMB SET MC = '对' WHERE ZDMC = 'SF' AND DM = '1'"), seen={"layer": "DMB"}
    ),
    "a year in two digits": Defect(
        ("3401",),
        after=sql("UPDATE SBGKFQ SET SJNF = '26' WHERE BSM = ?", FIRST),
        seen={"bsm": FIRST, "field": "SJNF", "case": "year"},
    ),
    "a day that is none": Defect(
        ("3401",), after=sql("UPDATE HXLZ SET HCRQ = '20260231'"), seen={"layer": "HXLZ", "field": "HCRQ"}
    ),
    "an area below nothing": Defect(
        ("3401",), after=sql("UPDATE HXLZ SET YSMJ = -1"), seen={"field": "YSMJ"}
    ),
    "an identifier twice in the package": Defect(
        ("3501",), after=sql("UPDATE ZDYFQ SET BSM = ?", PROPOSAL), seen={"bsm": PROPOSAL, "field": "BSM"}
    ),
    "a piece with the identifier of another": Defect(
        ("3501", "3701"),
        after=sql("UPDATE SBGKFQ SET BSM = ? WHERE BSM = ?", FIRST, SECOND),
        seen={"layer": "SBGKFQ", "bsm": FIRST},
        near=(600, 200),
    ),
    "a number twice": Defect(
        ("3501",),
        after=sql("UPDATE SBGKFQ SET TBBH = (SELECT TBBH FROM SBGKFQ WHERE fid = 6) WHERE fid = 7"),
        seen={"case": "tbbh", "field": "TBBH", "bsm": "990102000000000007"},
    ),
    "a district that is none": Defect(
        ("3502",), after=sql("UPDATE HXLZ SET XZQDM = '990199'"), seen={"layer": "HXLZ", "field": "XZQDM"}
    ),
    "a district that is no more": Defect(
        ("3502",), after=sql("UPDATE HXLZ SET XZQDM = '310103'"), seen={"layer": "HXLZ", "case": "dead"}
    ),
    "an identifier of another district": Defect(
        ("3502",), after=sql("UPDATE ZDYFQ SET BSM = '990101000000000999'"), seen={"case": "prefix"}
    ),
    "a required value is missing": Defect(
        ("3601",), after=sql("UPDATE ZDYFQ SET MC = ' '"), seen={"layer": "ZDYFQ", "bsm": AREA, "field": "MC"}
    ),
    "what the stage requires is missing": Defect(
        ("3601",), meta(stage="review"), seen={"field": "consultation_date", "case": "stage"}
    ),
    "a flag without a source": Defect(
        ("3701",),
        after=sql("UPDATE SBGKFQ SET SFBHD = '1' WHERE BSM = ?", FIRST),
        seen={"bsm": FIRST, "field": "SFBHD"},
        near=(200, 200),
    ),
    "a zone that is not that of the rule": Defect(
        ("3701",),
        after=sql("UPDATE SBGKFQ SET GZBH = 'R23' WHERE BSM = ?", FIRST),
        seen={"bsm": FIRST, "field": "GZBH", "case": "decided"},
    ),
    "a measure of the rule is missing": Defect(
        ("3701",),
        after=sql("UPDATE SBGKFQ SET CSDM = 'M06;M12' WHERE BSM = ?", FIRST),
        seen={"bsm": FIRST, "field": "CSDM", "case": "decided"},
    ),
    "an identifier that is not in use": Defect(
        ("3701",),
        after=sql("UPDATE BSMDJ SET ZT = '2' WHERE BSM = ?", FIRST),
        seen={"bsm": FIRST, "case": "register"},
    ),
    # shapes, with everything that follows from them
    "a corner moved out of its piece": Defect(
        ("4102", "5101"), after=shape("SBGKFQ", FIRST, vertex((400, 400), (401, 401))), near=(400, 400)
    ),
    "a corner moved into its piece": Defect(
        ("4103", "5101"), after=shape("SBGKFQ", FIRST, vertex((400, 400), (399, 399))), near=(400, 400)
    ),
    "an overlap of one square metre": Defect(
        ("4102",),
        after=shape("SBGKFQ", FIRST, vertex((400, 200), (400.005, 200))),
        seen={"severity": "E", "unit": "m2"},
        near=(400, 200),
    ),
    "a piece that is not there": Defect(
        ("1102", "3701", "4103", "5102", "6401", "6402"),
        after=sql("DELETE FROM SBGKFQ WHERE BSM = ?", FIRST),
        seen={"layer": "SBGKFQ", "case": "count"},
    ),
    "a piece that is there twice": Defect(
        ("1102", "3501", "4102", "5102", "6402"), after=doubled_piece, seen={"layer": "SBGKFQ"}
    ),
    "a piece wrong by 0.01": Defect(
        ("5102", "6402"), after=sql("UPDATE SBGKFQ SET TBMJ = TBMJ + 0.01 WHERE BSM = ?", FIRST)
    ),
    "a polygon edited under its old hash": Defect(
        ("1105", "4103", "5101"),
        after=shape("SBGKFQ", FIRST, vertex((400, 400), (399, 399))),
        seen={"file": f"01_矢量数据/{packages.VECTORS}.gpkg"},
        seal=False,
    ),
    "a vertex moved off the grid of its neighbours in a Shapefile": Defect(
        ("1102",), after=moved_in_shapefile, seen={"file": "01_矢量数据/shp"}, forms=("gpkg", "shp")
    ),
    # tables and copies
    "a table wrong by 0.01": Defect(
        ("6402",),
        after=sql("UPDATE TJ_SX SET MJ = MJ + 0.01 WHERE fid = 1"),
        seen={"layer": "TJ_SX", "field": "MJ"},
    ),
    "a share that is not that of the area": Defect(
        ("6402",), after=sql("UPDATE TJ_QF SET BL = BL + 0.001 WHERE fid = 2"), seen={"field": "BL"}
    ),
    "a paper with another area than its patch": Defect(
        ("6402",), after=sql("UPDATE HXLZ SET JYMJ = JYMJ - 0.01"), seen={"layer": "HXLZ", "bsm": PROPOSAL}
    ),
    "a red line that was edited": Defect(
        ("6401",),
        after=shape("STBHHX", RED, vertex((0, 200), (1, 200))),
        seen={"layer": "STBHHX", "bsm": RED, "case": "copy_row"},
    ),
    "a border of a district that was edited": Defect(
        ("6401",),
        after=shape("XZQ", "990101000000000900", vertex((0, 200), (-0.0001, 200))),
        seen={"layer": "XZQ", "case": "edited"},
    ),
    "a copy whose hash is stated": Defect(
        ("6401",), meta(geometry__CZKFBJ="0123456789abcdef"), seen={"layer": "CZKFBJ"}
    ),
    "pieces under the red line that say no": Defect(
        ("6501", "6502"), more_red, seen={"layer": "SBGKFQ", "bsm": SECOND}, near=(405, 200)
    ),
    "a conflict nobody listed": Defect(
        ("6502",),
        lambda draft: draft.rows.update(CTB=[]),
        seen={"severity": "E", "case": "unlisted", "bsm": "990101000000000003"},
        near=(200, 600),
    ),
    "an input that was not supplied": Defect(
        ("6503",), meta(missing_role__soil_erosion="1"), seen={"severity": "W", "key": "soil_erosion"}
    ),
    "a control line that is not the red line": Defect(
        ("6504",), after=control_line(10.0), seen={"layer": "STBHKZX", "severity": "W"}, near=(405, 200)
    ),
    "a target that is missing": Defect(("7101",), meta(target__2035=None), seen={"field": "target:2035"}),
}


@pytest.fixture(scope="module")
def right(tmp_path_factory):
    """Return the report of the package that is right."""
    return checked(packages.make(tmp_path_factory.mktemp("right"), forms=("gdb", "gpkg", "shp")))


def test_the_right_package_passes_every_rule_and_has_its_conflict_as_one_warning(right):
    assert new(right) == []
    [known] = right.flaws
    assert known.measure == pytest.approx(packages.SIDE**2, rel=1e-3)
    assert "K05" in known.sentence()
    assert set(quality.rules()) - set(right.ran) == {"6504"}


def test_the_control_line_of_shanghai_that_is_the_red_line_passes(tmp_path):
    root = packages.make(tmp_path)
    with packages.edited(root) as database:
        control_line(0.0)(database, root)
    report = checked(root)
    assert new(report) == []
    assert "6504" in report.ran


@pytest.mark.parametrize("name", DEFECTS)
def test_a_defect_raises_exactly_the_rules_that_are_true_of_it(name, tmp_path):
    defect = DEFECTS[name]
    root = packages.make(tmp_path, defect.before, defect.forms)
    if defect.after:
        with packages.edited(root, defect.seal) as database:
            defect.after(database, root)
    found = new(checked(root))
    assert sorted({flaw.code for flaw in found}) == list(defect.rules), [
        flaw.sentence("en") for flaw in found
    ]
    alike = [
        flaw
        for flaw in found
        if flaw.code == defect.rules[0]
        and all(getattr(flaw, key) == value for key, value in defect.seen.items())
    ]
    assert alike, found
    if defect.near:
        assert any(flaw.place and metres(flaw.place, degrees(*defect.near)) < 300 for flaw in alike), alike


def metres(one, other) -> float:
    return float(np.hypot((one[0] - other[0]) * 95_000, (one[1] - other[1]) * 111_000))


# --- structure -------------------------------------------------------------------------------------


@pytest.mark.parametrize("id_", quality.rules())
def test_a_rule_has_a_checker_sentences_and_a_defect_that_raises_it(id_):
    rule = quality.rules()[id_]
    assert id_ in quality.checkers()
    assert f"{rule.room}.{id_}" in catalogue()
    assert f"{rule.room}.{id_}_fix" in catalogue()
    shapes = Path(__file__).with_name("test_quality_shapes.py").read_text(encoding="utf-8")
    proven = {code for defect in DEFECTS.values() for code in defect.rules}
    assert id_ in proven or f'"{id_}"' in shapes


def test_every_sentence_is_one_of_a_rule_or_of_the_report():
    known = {code for code in catalogue() if code.startswith("quality.")}
    for code in known:
        head = code.partition(".")[2].partition("_")[0]
        assert head in quality.rules() or head in ("why", "statement", "failed"), code


# --- acceptance ------------------------------------------------------------------------------------


def test_a_warning_is_accepted_singly_as_a_group_or_not_at_all_and_an_error_never(tmp_path):
    def change(draft):
        draft.meta.update({"missing_role:soil_erosion": "1", "missing_role:slope": "1"})
        draft.rows["ZDYFQ"][0]["MC"] = None

    root = packages.make(tmp_path, change)

    def accepting(*rows):
        with opening.opened(root) as package:
            return quality.check(package, [order.Acceptance(**row) for row in rows])

    single = accepting({"code": "6503", "key": "slope", "reason": "尚未调查"})
    assert [(flaw.key, flaw.accepted) for flaw in single.flaws if flaw.code == "6503"] == [
        ("slope", "尚未调查"),
        ("soil_erosion", ""),
    ]
    group = accepting({"code": "6503", "reason": "尚未调查"})
    assert [flaw.accepted for flaw in group.flaws if flaw.code == "6503"] == ["尚未调查"] * 2
    elsewhere = accepting({"code": "6503", "layer": "SBGKFQ", "reason": "尚未调查"})
    assert elsewhere.accepted() == []
    error = accepting({"code": "3601", "reason": "尚未调查"})
    assert error.accepted() == []
    assert len(error.errors()) == 1


def test_what_a_package_keeps_as_accepted_is_accepted_again(tmp_path):
    root = packages.make(tmp_path)
    part = root / packages.SCHEMA.naming["part_quality"]
    part.mkdir()
    (part / accepted.RECORD).write_text(
        '{"accepted": [{"code": "6502", "key": "K05", "reason": "已征求意见"}]}'
    )
    packages.sealed(root)
    with opening.opened(root) as package:
        report = quality.check(package, accepted.of_package(package))
    assert [flaw.accepted for flaw in report.flaws] == ["已征求意见"]
    assert report.warnings() == []


# --- packages made elsewhere -----------------------------------------------------------------------


def test_what_a_package_does_not_say_is_not_checked_and_never_passed(tmp_path):
    root = packages.make(tmp_path, drop("META"), seal=False)
    report = checked(root)
    assert {flaw.code for flaw in report.errors()} == {"1101"}
    skipped = {one.rule for one in report.not_checked if not one.part}
    assert {"1105", "2202", "5102", "5103", "6504"} <= skipped
    partly = {one.rule for one in report.not_checked if one.part}
    assert {"1102", "3601", "3701", "6401"} <= partly
    assert not skipped & set(report.ran)
    assert all(one.sentence("en") and one.sentence("zh") for one in report.not_checked)


def test_data_a_checker_fails_on_are_an_error_and_not_passed(tmp_path, monkeypatch):
    def fails(package, rule):
        yield rule.flaw(layer="SBGKFQ")
        raise ValueError("odd data")

    known = {**quality.checkers(), "3401": fails}
    monkeypatch.setattr(quality, "checkers", lambda: known)
    report = checked(packages.make(tmp_path), only=["3401"])
    assert [(flaw.severity, flaw.case) for flaw in report.flaws] == [("E", ""), ("E", "failed")]
    assert "odd data" in report.flaws[-1].sentence("en")
    assert report.flaws[-1].fix("zh")


@pytest.mark.parametrize("layer", ["SBGKFQ", "XZQ", "STBHHX", "GXB", "CTB", "CSQD", "TJ_QF", "DMB"])
def test_a_layer_without_rows_is_judged_and_stops_nothing(layer, tmp_path):
    root = packages.make(tmp_path)
    with packages.edited(root) as database:
        database.execute(f"DELETE FROM {layer}")
    report = checked(root)
    assert report.errors()
    assert [flaw.sentence("en") for flaw in report.flaws if flaw.case == "failed"] == []


def test_a_folder_without_data_is_an_error_and_not_clean(tmp_path):
    (tmp_path / "x.txt").write_text("x")
    report = checked(tmp_path)
    assert [(flaw.code, flaw.case) for flaw in report.errors()] == [("1101", "nothing")]


def test_a_copy_of_other_row_order_and_ring_starts_says_the_same(tmp_path):
    def shuffled(database, root):
        for table in ("SBGKFQ", "GXB", "DMB"):
            names = [row[1] for row in database.execute(f"PRAGMA table_info({table})") if row[1] != "fid"]
            listed = ", ".join(names)
            database.execute(f"CREATE TABLE other AS SELECT {listed} FROM {table} ORDER BY fid DESC")
            database.execute(f"DELETE FROM {table}")
            database.execute(f"INSERT INTO {table} ({listed}) SELECT {listed} FROM other")
            database.execute("DROP TABLE other")
        packages.redraw(database, "SBGKFQ", FIRST, lambda one: shapely.normalize(one).reverse())

    root = packages.make(tmp_path, forms=("gdb", "gpkg"))
    with packages.edited(root) as database:
        shuffled(database, root)
    assert new(checked(root)) == []


def test_two_copies_of_a_filegdb_agree_after_a_copy_of_the_folder(tmp_path):
    root = packages.make(tmp_path / "one", forms=("gdb",))
    moved = shutil.copytree(root, tmp_path / "two" / root.name)
    assert new(checked(moved)) == []


def test_a_public_edition_is_checked_as_what_it_is(tmp_path):
    made = packages.Draft().sheets()
    edition = public.of({sheet.layer.name: sheet for sheet in made}, packages.Draft().meta, [])
    path = tmp_path / f"990100演示市_{public.policy()['edition']}.gpkg"
    datasets.write(path, "gpkg", list(edition.sheets.values()), packages.SCHEMA.domains)
    report = checked(path)
    assert report.flaws == ()
    assert {one.why for one in report.not_checked if not one.part} == {"public_edition", "no_sums"}
    assert {"1101", "2201", "3201", "3501", "4102", "4103"} <= set(report.ran)
