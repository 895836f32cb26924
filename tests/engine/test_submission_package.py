# SPDX-License-Identifier: GPL-2.0-or-later
"""A package holds what it was to hold, is refused rather than cut, and comes into place whole or not."""

from __future__ import annotations

import csv
import dataclasses
import html
import io
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import openpyxl
import pyogrio
import pytest
import shapely
import submissions

from swc_zoning.engine.messages import Blocked, SwcError
from swc_zoning.engine.submission import (
    datasets,
    metadata,
    opening,
    package,
    placing,
    public,
    quality,
    rereading,
    seals,
    texts,
    workbook,
)
from swc_zoning.engine.submission.order import Acceptance
from swc_zoning.engine.submission.sheets import Sheet, items_of

SCHEMA, ORDER = submissions.SCHEMA, submissions.ORDER
FOLDER = "990100演示市水土保持空间管控成果_20260930"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """What is handed in of a small result."""
    return submissions.of_result(submissions.result(tmp_path_factory.mktemp("result")))


@pytest.fixture(scope="module")
def written(made, tmp_path_factory):
    """A package with its public edition."""
    return package.write(made, ORDER, SCHEMA, tmp_path_factory.mktemp("packages"))


def with_value(sheet, name, row, value):
    """Return a sheet with one value changed."""
    columns = {key: values.copy() for key, values in sheet.columns.items()}
    columns[name][row] = value
    return Sheet(sheet.layer, columns, sheet.geometry)


def changed(**values):
    """Return sheets made by hand with values of SBGKFQ, row 1, changed."""
    sheet = submissions.sheets()["SBGKFQ"]
    for name, value in values.items():
        sheet = with_value(sheet, name, 1, value)
    return {**submissions.sheets(), "SBGKFQ": sheet}


def everything(folder):
    """Yield (file, bytes) of everything in a folder, workbooks as what is in them."""
    for path in sorted(Path(folder).rglob("*")):
        if path.suffix == ".xlsx":
            archive = zipfile.ZipFile(path)
            for name in archive.namelist():
                yield f"{path.name}/{name}", html.unescape(archive.read(name).decode("utf-8")).encode()
        elif path.is_file():
            yield path.name, path.read_bytes()


# --- seals -----------------------------------------------------------------------------------------


def test_a_seal_is_what_sha256sum_reads_and_tells_what_was_changed_added_and_removed(tmp_path):
    (tmp_path / "甲").mkdir()
    for name, text in (("甲/乙.txt", "1"), ("a b.txt", "2"), ("c", "3")):
        (tmp_path / name).write_text(text)
    seals.write(tmp_path)
    assert (tmp_path / "SHA256SUMS").read_text().splitlines()[2].endswith("  甲/乙.txt")
    assert seals.read(tmp_path)["c"] == "4e07408562bedb8b60ce05c1decfe3ad16b72230967de01f640b7e4729b49fce"
    assert not seals.differences(tmp_path)
    (tmp_path / "甲/乙.txt").write_text("9")
    (tmp_path / "c").unlink()
    (tmp_path / "new").touch()
    (tmp_path / "Thumbs.db").touch()
    found = seals.differences(tmp_path)
    assert (found.changed, found.missing, found.added) == (("甲/乙.txt",), ("c",), ("new",))


@pytest.mark.parametrize("line", ["0" * 64 + "  ../x", "0" * 64 + "  /etc/x", "nonsense", "0" * 63 + "  x"])
def test_a_seal_that_names_a_place_outside_or_is_none_is_refused(tmp_path, line):
    (tmp_path / "SHA256SUMS").write_text(line + "\n")
    with pytest.raises(SwcError, match=r"seals\.unreadable"):
        seals.read(tmp_path)


# --- what files can hold ---------------------------------------------------------------------------


def refusal(formats=("shp", "gpkg"), **values):
    with pytest.raises(Blocked) as caught:
        texts.check(changed(**values), formats)
    (finding,) = caught.value.findings
    return finding


def test_a_character_a_shapefile_loses_is_refused_by_layer_identifier_field_and_character():
    found = refusal(XZQMC="𠮷野")
    assert (found.code, found.layer, found.facts["field"]) == ("datasets.rare", "SBGKFQ", "XZQMC")
    assert found.facts["bsm"] == "990102000000000002"
    assert (found.facts["sign"], found.facts["point"]) == ("𠮷", "U+20BB7")


def test_without_shapefiles_a_rare_character_goes_through_every_other_format(tmp_path):
    rare = submissions.of_result(submissions.result(tmp_path, "𠮷野㙍塘区"))
    with pytest.raises(Blocked):
        package.write(rare, ORDER, SCHEMA, tmp_path / "out")
    asked = replace(ORDER, formats=("gdb", "gpkg"), public=False)
    written = package.write(rare, asked, SCHEMA, tmp_path / "out")
    for form in ("gdb", "gpkg"):
        (path,) = (written.package / "01_矢量数据").glob(f"*.{form}")
        assert "𠮷野㙍塘区" in datasets.read(path, form, "SBGKFQ").columns["XZQMC"].tolist()
    with closing(openpyxl.load_workbook(next(written.package.glob("02*/*.xlsx")))) as book:
        assert "𠮷野㙍塘区" in {cell.value for cell in book["各行政区管控分区面积统计表"]["B"]}


def test_tables_are_in_no_shapefile_and_may_hold_any_character():
    sheet = with_value(submissions.sheets()["CSQD"], "SM", 0, "𠮷")
    texts.check({"CSQD": sheet}, ("shp",))


def test_a_value_longer_than_its_field_is_an_error_and_never_cut():
    found = refusal(("gpkg",), FQMC="长" * 51)
    assert (found.code, found.facts["size"], found.facts["length"]) == ("texts.too_long", 51, 50)
    texts.check(changed(FQMC="长" * 50), ("gpkg",))


def test_a_shapefile_counts_bytes():
    found = refusal(BZ="长" * 128)
    assert (found.code, found.facts["size"], found.facts["length"]) == ("texts.too_long_shp", 256, 254)
    texts.check(changed(BZ="长" * 127), ("shp",))
    texts.check(changed(BZ="长" * 128), ("gdb", "gpkg"))


def test_control_characters_and_numbers_with_too_many_digits_are_refused():
    assert refusal(BZ="a\x07b").facts["point"] == "U+0007"
    assert refusal(TBMJ=1e13).code == "texts.number_too_wide"


# --- reading back ----------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["gdb", "gpkg", "shp"])
@pytest.mark.parametrize(
    ("name", "value"), [("XZQMC", "丙区"), ("TBMJ", 9_000_000.15), ("BZ", "x"), ("geometry", None)]
)
def test_a_file_that_differs_in_one_value_or_one_vertex_does_not_pass(tmp_path, form, name, value):
    meant = submissions.sheets()["SBGKFQ"]
    datasets.write(tmp_path / f"a.{form}", form, [meant], {})
    rereading.compare(tmp_path / f"a.{form}", form, [meant])
    if name == "geometry":
        moved = meant.geometry.copy()
        points = shapely.get_coordinates(moved[2])
        points[1, 0] += 3e-10
        moved[2] = shapely.Polygon(points)
        other = Sheet(meant.layer, meant.columns, moved)
    else:
        other = with_value(meant, name, 2, value)
    with pytest.raises(SwcError, match=r"package\.not_as_written") as caught:
        rereading.compare(tmp_path / f"a.{form}", form, [other])
    assert (caught.value.facts["field"], caught.value.facts["bsm"]) == (name, "990101000000000003")


def test_a_file_with_a_row_more_does_not_pass(tmp_path):
    meant = submissions.sheets()["SBGKFQ"]
    datasets.write(tmp_path / "a.gpkg", "gpkg", [meant], {})
    with pytest.raises(SwcError, match=r"package\.not_as_written"):
        rereading.compare(tmp_path / "a.gpkg", "gpkg", [meant.only(np.arange(3))])


# --- workbook --------------------------------------------------------------------------------------


def test_the_workbook_has_a_sheet_a_table_with_frozen_headings_and_numbers_that_are_numbers(tmp_path):
    path = tmp_path / "t.xlsx"
    workbook.write(path, submissions.sheets(), [("演示市", "")])
    with closing(openpyxl.load_workbook(path)) as book:
        page = book["各行政区管控分区面积统计表"]
        assert [cell.value for cell in page[1]][:3] == ["行政区代码", "行政区名称", "管控分区代码"]
        assert page.freeze_panes == "A2"
        assert (page["A2"].value, page["A2"].data_type) == ("990101", "s")
        assert (page["H2"].value, page["H2"].data_type) == (9_000_000.12, "n")
        assert page["H2"].number_format == "#,##0.00"
        assert page["G2"].number_format == "#,##0"


def test_text_that_a_spreadsheet_would_run_stays_text(tmp_path):
    workbook.write(tmp_path / "t.xlsx", submissions.sheets(), [("=cmd|' /C calc'!A0", "+1")])
    with closing(openpyxl.load_workbook(tmp_path / "t.xlsx")) as book:
        cells = [cell for page in book for row in page.iter_rows() for cell in row]
        assert not [cell.coordinate for cell in cells if cell.data_type == "f"]
        assert {"=1+1", "-措施", "=cmd|' /C calc'!A0"} <= {cell.value for cell in cells}


def test_a_table_too_long_to_be_read_is_left_out_and_said(tmp_path, monkeypatch):
    monkeypatch.setattr(workbook, "TOO_MANY_ROWS", 4)
    left = workbook.write(tmp_path / "t.xlsx", submissions.sheets(), [])
    assert left == ["TJ_QF", "DMB"]
    with closing(openpyxl.load_workbook(tmp_path / "t.xlsx")) as book:
        assert "图斑要素关系表" in book.sheetnames
        said = " ".join(str(cell.value) for row in book.worksheets[0].iter_rows() for cell in row)
        assert "各行政区管控分区面积统计表：4 行" in said


def test_a_workbook_that_lost_a_value_is_not_taken(tmp_path, monkeypatch):
    real = workbook._cell

    def losing(page, value, field=None):
        return None if value == "甲区" else real(page, value, field)

    monkeypatch.setattr(workbook, "_cell", losing)
    with pytest.raises(SwcError, match=r"workbook\.not_as_written") as caught:
        workbook.write(tmp_path / "t.xlsx", submissions.sheets(), [])
    assert (caught.value.facts["table"], caught.value.facts["row"]) == ("TJ_QF", 2)


# --- metadata --------------------------------------------------------------------------------------

NAMES = {"gmd": metadata.GMD, "gco": metadata.GCO}


def said(path, *steps):
    found = ElementTree.fromstring(path.read_bytes())
    return [
        one.text for one in found.iterfind(".//" + "/".join(f"gmd:{step}" for step in steps) + "/", NAMES)
    ]


def test_metadata_say_title_extent_crs_compiler_inputs_and_the_outcome_of_the_check(written):
    path = written.package / "06_元数据" / "metadata.xml"
    assert said(path, "identificationInfo", "MD_DataIdentification", "citation", "CI_Citation", "title") == [
        "演示市水土保持空间管控成果（草案）"
    ]
    assert said(path, "EX_GeographicBoundingBox", "westBoundLongitude") == ["121.043969"]
    assert said(path, "RS_Identifier", "code") == ["4490"]
    assert set(said(path, "CI_ResponsibleParty", "organisationName")) == {"演示市水务局"}
    assert said(path, "MD_SecurityConstraints", "userNote") == ["内部"]
    assert said(path, "LI_Source", "sourceCitation", "CI_Citation", "title") == [
        "XZQ",
        "机密预防区划",
        "DLTB",
    ]
    assert said(path, "DQ_ConformanceResult", "pass") == ["true"]
    assert said(path, "equivalentScale", "MD_RepresentativeFraction", "denominator") == ["50000"]


def test_metadata_never_invent_a_secrecy_and_leave_out_what_is_not_known():
    plain = metadata.xml(metadata.Statement("x", "题", "", "摘要"))
    root = ElementTree.fromstring(plain)
    assert root.find(".//gmd:resourceConstraints", NAMES) is None
    assert root.find(".//gmd:dateStamp", NAMES).get(f"{{{metadata.GCO}}}nilReason") == "missing"
    own = metadata.xml(metadata.Statement("x", "<题&>\x00", "20260101", "摘", secrecy="仅供会审"))
    root = ElementTree.fromstring(own)
    assert root.find(".//gmd:classification", NAMES) is None
    assert root.find(".//gmd:MD_Constraints/gmd:useLimitation/", NAMES).text == "仅供会审"
    assert root.find(".//gmd:citation//gmd:title/", NAMES).text == "<题&>"


# --- the folder ------------------------------------------------------------------------------------


def test_a_package_has_the_folders_and_names_of_the_standard(written):
    assert written.package.name == FOLDER
    names = sorted(path.name for path in written.package.iterdir())
    assert names == ["01_矢量数据", "02_规划表格", "06_元数据", "07_质检", "SHA256SUMS"]
    vectors = {path.name for path in (written.package / "01_矢量数据").iterdir()}
    stem = "990100演示市水土保持空间管控矢量数据"
    assert vectors == {f"{stem}.gdb", f"{stem}.gpkg", "shp"}
    assert (written.package / "02_规划表格/990100演示市水土保持空间管控表格.xlsx").is_file()
    papers = {path.name for path in (written.package / "06_元数据").iterdir()}
    assert papers == {"run.json", "metadata.xml", "管控分区规则表.json"}
    assert {"接受记录.json", "数据说明.txt"} <= {
        path.name for path in (written.package / "07_质检").iterdir()
    }


def test_every_file_is_sealed_and_nothing_is_left_beside(written):
    assert not seals.differences(written.package)
    assert not seals.differences(written.public)
    assert len(seals.read(written.package)) == len(seals.files(written.package)) > 50
    beside = {path.name for path in written.package.parent.iterdir()}
    assert beside == {FOLDER, f"{FOLDER}_公开版"}


def test_shapefiles_come_with_a_table_of_the_names_of_their_fields(written):
    folder = written.package / "01_矢量数据" / "shp"
    rows = list(csv.reader(io.StringIO((folder / "字段名对照表.csv").read_text("utf-8-sig"))))
    assert ["HXJY", SCHEMA.layers["HXJY"].title_zh, "SFZRBHDYBK", "SFZRBHDYBKZQ"] in [row[:4] for row in rows]
    for row in rows[1:]:
        assert row[2] in pyogrio.read_info(folder / f"{row[0]}.shp", encoding="GBK")["fields"]


def test_the_notes_say_that_there_is_no_mdb_what_is_missing_and_what_was_not_checked(written):
    told = (written.package / "07_质检" / "数据说明.txt").read_text("utf-8-sig")
    assert "未提供 mdb" in told
    assert "GBK" in told
    assert "土壤侵蚀" in told or "水土流失" in told


def test_no_file_of_a_package_holds_a_path_of_this_machine(written):
    here = [str(written.package.parent), str(Path.home()), str(Path(__file__).parents[2])]
    sought = [form for text in here if len(text) > 5 for form in (text.encode(), text.encode("utf-16-le"))]
    pattern = re.compile(rb"/(root|home|work|tmp)/|[A-Za-z]:\\\\?Users")
    for folder in (written.package, written.public):
        for name, data in everything(folder):
            assert not [word for word in sought if word in data], name
            assert not pattern.search(data), name


def test_further_files_go_into_their_parts_and_are_sealed(made, tmp_path):
    chapter, map_ = tmp_path / "990100演示市水土保持专章.docx", tmp_path / "图"
    chapter.write_text("x")
    map_.mkdir()
    (map_ / "01.jpg").write_text("y")
    extras = {"part_text": [chapter], "part_maps": [map_]}
    plain = replace(ORDER, formats=("gpkg",), public=False)
    written = package.write(made, plain, SCHEMA, tmp_path / "out", extras=extras)
    assert {"03_文本/990100演示市水土保持专章.docx", "04_图件/图/01.jpg"} <= set(seals.read(written.package))
    with pytest.raises(SwcError, match=r"package\.extra_twice"):
        package.write(made, plain, SCHEMA, tmp_path / "b", extras={"part_text": [chapter, chapter]})
    with pytest.raises(SwcError, match=r"package\.extra_missing"):
        package.write(made, plain, SCHEMA, tmp_path, extras={"part_text": [tmp_path / "no"]})


def test_what_the_check_found_is_in_the_data_sets(written):
    for form in ("gdb", "gpkg"):
        (path,) = (written.package / "01_矢量数据").glob(f"*.{form}")
        assert datasets.describe(path, form)["ZJJG"].count == len(written.report.flaws)


# --- replacing -------------------------------------------------------------------------------------

PLAIN = replace(ORDER, formats=("gpkg",), public=False)


def other(n, asked=PLAIN):
    """Return an order whose package differs from others."""
    return replace(asked, plan_name=f"规划{n}")


def test_an_older_package_is_replaced_as_a_whole(made, tmp_path):
    first = package.write(made, replace(ORDER, formats=("gpkg",)), SCHEMA, tmp_path)
    before = (first.package / "SHA256SUMS").read_text()
    package.write(made, other(2), SCHEMA, tmp_path)
    assert (first.package / "SHA256SUMS").read_text() != before
    assert not seals.differences(first.package)
    # The public edition of what was replaced would tell of another package.
    assert [path.name for path in tmp_path.iterdir()] == [FOLDER]


def test_a_folder_of_somebody_else_is_never_replaced(made, tmp_path):
    (tmp_path / FOLDER).mkdir()
    (tmp_path / FOLDER / "mine.txt").write_text("mine")
    with pytest.raises(SwcError, match=r"package\.not_ours"):
        package.check_target(PLAIN, SCHEMA, tmp_path)
    with pytest.raises(SwcError, match=r"package\.not_ours"):
        package.write(made, PLAIN, SCHEMA, tmp_path)
    assert [path.name for path in tmp_path.rglob("*")] == [FOLDER, "mine.txt"]


@pytest.mark.parametrize("change", ["add", "edit", "remove"])
def test_a_package_somebody_worked_in_is_not_replaced(made, tmp_path, change):
    written = package.write(made, PLAIN, SCHEMA, tmp_path)
    file = written.package / "07_质检" / ("我的意见.docx" if change == "add" else "数据说明.txt")
    file.unlink() if change == "remove" else file.write_text("x")
    with pytest.raises(SwcError, match=r"package\.changed_since") as caught:
        package.write(made, PLAIN, SCHEMA, tmp_path)
    assert caught.value.facts["files"] == f"07_质检/{file.name}"


def test_a_path_too_long_for_a_database_is_refused_before_anything_is_written(made, tmp_path):
    deep = tmp_path.joinpath(*["一层又一层的文件夹名称"] * 10)
    with pytest.raises(SwcError, match=r"package\.path_too_long"):
        package.write(made, PLAIN, SCHEMA, deep)
    assert list(tmp_path.iterdir()) == []


def test_a_disk_without_room_is_told_before_anything_is_written(made, tmp_path, monkeypatch):
    monkeypatch.setattr(
        shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(1 << 40, 1 << 40, 1 << 10)
    )
    with pytest.raises(SwcError, match=r"scratch\.no_space"):
        package.write(made, PLAIN, SCHEMA, tmp_path)
    assert list(tmp_path.iterdir()) == []


# --- the check -------------------------------------------------------------------------------------


def test_errors_leave_the_older_package_and_put_the_report_beside_it(made, tmp_path):
    written = package.write(made, PLAIN, SCHEMA, tmp_path)
    before = (written.package / "SHA256SUMS").read_text()
    zones = made.sheets["SBGKFQ"]
    twice = zones.columns["BSM"][0]
    wrong = replace(made, sheets={**made.sheets, "SBGKFQ": with_value(zones, "BSM", 1, twice)})
    with pytest.raises(Blocked) as caught:
        package.write(wrong, PLAIN, SCHEMA, tmp_path)
    assert "3501" in {finding.facts.get("rule") for finding in caught.value.findings}
    assert str(tmp_path / f"{FOLDER}_质检未通过") in caught.value.findings[-1].sentence()
    refused = tmp_path / f"{FOLDER}_质检未通过"
    assert {path.suffix for path in refused.iterdir()} >= {".xlsx", ".gpkg", ".jsonl"}
    assert (written.package / "SHA256SUMS").read_text() == before
    # What is made without errors takes the report of the one with errors away.
    package.write(made, other(2), SCHEMA, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [FOLDER]


def test_accepted_warnings_keep_their_reason_in_the_package_and_for_the_next_one(made, tmp_path):
    reason = Acceptance("6503", "已函询，无此数据", by="张三", date="20260930")
    first = package.write(made, replace(PLAIN, accept=(reason,)), SCHEMA, tmp_path / "a")
    kept = json.loads((first.package / "07_质检/接受记录.json").read_text("utf-8"))["accepted"]
    assert kept == [{**dataclasses.asdict(reason)}]
    results = sheet_of(first.package, "ZJJG").columns
    assert {"已函询，无此数据"} == {
        why for why, rule in zip(results["LWLY"], results["GZ"]) if rule == "6503"
    }
    second = package.write(made, replace(PLAIN, register=first.package), SCHEMA, tmp_path / "b")
    assert len(second.report.accepted()) == len(first.report.accepted()) > 0


def test_a_package_passes_its_own_check_when_it_is_opened_again(written):
    with opening.opened(written.package) as found:
        report = quality.check(found)
    assert report.errors() == []
    assert {"1102", "1105"} <= set(report.ran)
    assert {one.rule for one in report.not_checked} <= {one.rule for one in written.report.not_checked}


# --- the public edition ----------------------------------------------------------------------------


def sheet_of(folder, layer):
    (path,) = (folder / "01_矢量数据").glob("*.gpkg")
    return datasets.read(path, "gpkg", layer)


def test_the_public_edition_shows_zones_by_district_on_a_coarse_grid_that_still_fit(written):
    zones, districts = sheet_of(written.public, "SBGKFQ"), sheet_of(written.public, "XZQ")
    assert set(zones.columns) == {"BSM", "XZQDM", "XZQMC", "FQDM", "FQMC", "GKDJ", "TBMJ"}
    drawn = zones.polygons()
    points = shapely.get_coordinates(drawn)
    assert np.array_equal(points, np.round(points, 4))
    assert shapely.is_valid(drawn).all()
    assert shapely.coverage_is_valid(drawn)
    whole = shapely.union_all(districts.polygons())
    assert shapely.area(drawn).sum() == pytest.approx(whole.area, rel=1e-12)
    whole = {
        tuple(row[:3]): row[3] for row in zip(*(zones.columns[n] for n in ("XZQDM", "FQDM", "FQMC", "TBMJ")))
    }
    table = sheet_of(written.package, "TJ_QF").columns
    stated = {tuple(row[:3]): row[3] for row in zip(*(table[n] for n in ("XZQDM", "FQDM", "FQMC", "MJ")))}
    assert whole == stated


def test_the_public_edition_holds_nothing_of_sensitive_sources_no_hash_and_no_list_of_coordinates(
    made, written
):
    names = ("机密预防区划", "演水密", "机密水库名", "机密单位", "JM-77")
    hashes = [one["sha256"] for one in made.facts["inputs"]]
    hashes += [items_of(made.sheets["META"])["content_sha256"]]
    assert len(set(hashes)) == 4
    forms = [form for text in (*names, *hashes) for form in (text.encode(), text.encode("utf-16-le"))]
    forms += [name.encode("gbk") for name in names]
    for file, data in everything(written.public):
        assert not [form for form in forms if form in data], file
    full = b"".join(data for _, data in everything(written.package))
    assert all(name.encode() in full for name in names)
    layers = datasets.describe(next((written.public / "01_矢量数据").glob("*.gpkg")), "gpkg")
    assert not {"GXB", "BSMDJ", "ZDYFQ", "HXJY", "CTB", "ZJJG", "STBHHX"} & set(layers)


def test_the_public_edition_is_marked_everywhere_and_sealed_by_itself(written):
    meta = items_of(Sheet(SCHEMA.layers["META"], sheet_of(written.public, "META").columns))
    assert meta["edition"] == "公开版"
    assert not [item for item in meta if item.startswith(("input:", "content", "rules_sha"))]
    assert "公开版" in said(written.public / "06_元数据" / "metadata.xml", "CI_Citation", "title")[0]
    assert (written.public / "SHA256SUMS").is_file()
    told = " ".join(finding.sentence() for finding in written.findings)
    assert "未包含“水土流失重点预防区”" in told
    assert "公开前请由主管部门审核" in told
    assert "DLTB" in told


def test_coarse_faces_of_a_ragged_coverage_are_valid_and_cover_it(tmp_path):
    rng = np.random.default_rng(5)
    points = shapely.MultiPoint(rng.random((400, 2)) / 50 + [121, 31])
    frame = shapely.box(121.001, 31.001, 121.019, 31.019)
    cells = shapely.get_parts(shapely.voronoi_polygons(points))
    cells = shapely.intersection(cells[shapely.intersects(cells, frame)], frame)
    faces, owner = public.coarse_faces(cells, 1e-4)
    assert shapely.is_valid(faces).all()
    assert shapely.coverage_is_valid(faces)
    assert shapely.area(faces).sum() == pytest.approx(frame.area, rel=1e-9)
    assert len(set(owner.tolist())) > 300
    found = shapely.get_coordinates(faces)
    assert np.array_equal(found, np.round(found, 4))


@pytest.mark.parametrize(
    ("word", "is_open"),
    [("公开", True), ("公开（合成数据）", True), ("", True), ("Public", True)]
    + [(word, False) for word in ("依申请公开", "不公开", "内部", "秘密★10年", "公开前内部")],
)
def test_only_words_that_say_public_are_public(word, is_open):
    assert public.is_public(word) is is_open


def test_a_public_edition_that_would_tell_a_hash_is_not_put_in_place(made, tmp_path, monkeypatch):
    kept = {**public.policy(), "meta": [*public.policy()["meta"], "input:1"]}
    monkeypatch.setattr(public, "policy", lambda: kept)
    with pytest.raises(SwcError, match=r"public\.leaks"):
        package.write(made, replace(ORDER, formats=("gpkg",)), SCHEMA, tmp_path)
    assert list(tmp_path.iterdir()) == []


# --- the command -----------------------------------------------------------------------------------


def told(*arguments):
    """Run the command line; return its exit status and its events."""
    command = [sys.executable, "-m", "swc_zoning", *map(str, arguments), "--progress", "json"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=Path(__file__).parents[2])
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()]


def test_the_command_packs_a_result_as_the_order_and_the_arguments_say(tmp_path):
    result = submissions.result(tmp_path)
    order, accept = tmp_path / "order.json", tmp_path / "accept.json"
    said = {"schema": 1, "profile": "national", "code": "990100", "name": "演示市", "date": "20260930"}
    said |= {"compiler": "演示市水务局", "plan_name": "规划", "formats": ["gpkg"]}
    said["accept"] = [{"code": "7101", "reason": "尚在征求意见"}]
    order.write_text(json.dumps(said, ensure_ascii=False), encoding="utf-8")
    accept.write_text(json.dumps({"accepted": [{"code": "6503", "reason": "已函询"}]}), encoding="utf-8")
    base = ("export", result, "--output", tmp_path / "out", "--settings", order)
    status, events = told(*base, "--accept", accept, "--stage", "consultation")
    assert status == 0, events
    last = events[-1]
    assert last["event"] == "result"
    assert set(last) == {"event", "package", "public", "report", "findings", "lines"}
    assert all(Path(path).exists() for key, path in last.items() if key != "event")
    assert "征求意见稿" in (Path(last["package"]) / "06_元数据" / "metadata.xml").read_text("utf-8")
    kept = json.loads((Path(last["package"]) / "07_质检/接受记录.json").read_text("utf-8"))["accepted"]
    assert {one["code"] for one in kept} == {"6503", "7101"}
    steps = {event["step"] for event in events if event["event"] == "progress"}
    assert {"packing", "checking", "sealing", "public_edition"} <= steps
    fractions = [event["fraction"] for event in events if event["event"] == "progress"]
    assert fractions == sorted(fractions)
    status, events = told(*base, "--register", last["package"], "--no-public", "--profile", "shanghai")
    assert status == 0, events
    assert "public" not in events[-1]


def test_what_cannot_be_taken_is_wrong_use(tmp_path):
    status, events = told("export", tmp_path, "--output", tmp_path / "out")
    assert (status, events[-1]["code"]) == (2, "written.no_result")
    assert not (tmp_path / "out").exists()


# --- faults ----------------------------------------------------------------------------------------


class Faults:
    """Lets the n-th write of any kind fail, or end the process as by a power cut, or counts them."""

    def __init__(self) -> None:
        self.at, self.seen, self.deadly = 0, 0, False

    def count(self):
        """Count a write and fail where it is the one."""
        self.seen += 1
        if self.seen == self.at:
            if self.deadly:
                os._exit(9)
            raise OSError(28, "No space left on device")


FAULTS: list[Faults] = []


def _audit(event, arguments):
    writes = event in ("os.mkdir", "os.rename")
    if event == "open" and isinstance(arguments[1], str):
        writes = bool(set("wax+") & set(arguments[1]))
    if writes and FAULTS:
        FAULTS[-1].count()


@pytest.fixture
def faults(monkeypatch):
    """Count opening for writing, making and renaming, flushing, and what GDAL is asked to write."""
    if not getattr(_audit, "on", False):
        _audit.on = True
        sys.addaudithook(_audit)
    counting = Faults()

    def counted(real):
        def call(*arguments, **options):
            counting.count()
            return real(*arguments, **options)

        return call

    # Nothing is really flushed: it would take most of the time, and nobody cuts the power here.
    monkeypatch.setattr(os, "fsync", lambda descriptor: counting.count())
    pyogrio.set_gdal_config_options({"OGR_SQLITE_SYNCHRONOUS": "OFF"})
    monkeypatch.setattr(pyogrio.raw, "write", counted(pyogrio.raw.write))
    FAULTS.append(counting)
    yield counting
    FAULTS.remove(counting)
    pyogrio.set_gdal_config_options({"OGR_SQLITE_SYNCHRONOUS": None})


def states(folder):
    """Return the seal of each package in a folder, after proving that it holds."""
    found = {path.name: path for path in folder.iterdir()}
    assert not [name for name, path in found.items() if seals.differences(path)]
    return {name: (path / "SHA256SUMS").read_text() for name, path in found.items()}


def failing(faults, n, target, made, asked):
    """Write another package with a fault at write `n`; return what came of it, None where it came to none."""
    faults.at, faults.seen, code = n, 0, ""
    try:
        package.write(made, other(n, asked), SCHEMA, target)
    except SwcError as error:
        code = error.code
    faults.at = 0
    return code if faults.seen >= n else None


def test_whichever_write_fails_the_older_package_is_whole_or_there_is_none(made, tmp_path, faults):
    package.write(made, PLAIN, SCHEMA, tmp_path)
    old, failed = states(tmp_path), 0
    for n in range(1, 300):
        code = failing(faults, n, tmp_path, made, PLAIN)
        if code is None:
            break
        # A fault that stops nothing (the folder that is there cannot be made) leaves the new one.
        assert code in ("", "package.unwritable", "datasets.unwritable", "result.unwritable"), n
        assert (states(tmp_path) == old) is bool(code), n
        old, failed = states(tmp_path), failed + bool(code)
    assert failed > 30
    assert states(tmp_path) != old


def test_two_editions_are_exchanged_together_or_not_at_all(made, tmp_path, faults):
    asked = replace(ORDER, formats=("gpkg",))
    package.write(made, asked, SCHEMA, tmp_path)
    faults.seen = 0
    package.write(made, other(0, asked), SCHEMA, tmp_path)
    old, last = states(tmp_path), faults.seen
    assert set(old) == {FOLDER, f"{FOLDER}_公开版"}
    for n in range(last - 7, last + 1):
        assert failing(faults, n, tmp_path, made, asked) == "package.unwritable", n
        assert states(tmp_path) == old, n


def test_without_an_older_package_a_failing_write_leaves_nothing(made, tmp_path, faults):
    target = tmp_path / "new" / "packages"
    for n in (2, 5, 20, 40):
        faults.at, faults.seen = n, 0
        with pytest.raises(SwcError, match=r"unwritable"):
            package.write(made, PLAIN, SCHEMA, target)
        faults.at = 0
        assert list(tmp_path.iterdir()) == []


def killed(faults, n, target, made):
    """Write a package in a child that ends at its n-th write; return whether it came that far."""
    child = os.fork()
    if child == 0:
        os.close(2)
        faults.at, faults.seen, faults.deadly = n, 0, True
        package.write(made, other(n), SCHEMA, target)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9


@pytest.mark.skipif(not hasattr(os, "fork"), reason="a process is ended in a child")
def test_a_process_that_dies_while_packages_are_exchanged_leaves_one_that_is_whole(made, tmp_path, faults):
    package.write(made, PLAIN, SCHEMA, tmp_path)
    faults.seen = 0
    package.write(made, other(0), SCHEMA, tmp_path)
    old, last = states(tmp_path), faults.seen
    for n in range(last - 6, last + 1):
        assert killed(faults, n, tmp_path, made), n
        # The next export first undoes and clears what the dead one left.
        with placing.place(tmp_path):
            pass
        assert states(tmp_path) == old, n
