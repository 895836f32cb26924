# SPDX-License-Identifier: GPL-2.0-or-later
"""A package opens as a folder, a zip or a bare data set, and never reaches outside itself."""

from __future__ import annotations

import os
import shutil
import zipfile

import packages
import pytest

from swc_zoning.engine.messages import SwcError
from swc_zoning.engine.submission import datasets, opening, seals


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return packages.make(tmp_path_factory.mktemp("package"), forms=("gdb", "gpkg", "shp"))


def zipped(root, target, rename=str):
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(root.rglob("*")):
            if path.is_file():
                archive.write(path, rename(path.relative_to(root.parent).as_posix()))
    return target


def test_a_folder_opens_with_its_filegdb_as_main_and_the_others_as_copies(root):
    with opening.opened(root) as package:
        assert [one.format for one in package.data_sets] == ["gdb", "gpkg", "shp"]
        assert package.main.format == "gdb"
        assert [one.format for one in package.copies] == ["gpkg", "shp"]
        assert (package.profile, package.code, package.work_crs) == ("shanghai", "990100", "EPSG:4549")
        assert seals.NAME in package.files
        sheet = package.sheet("SBGKFQ")
        assert len(sheet) == len(packages.PIECES)
        assert list(sheet.columns) == [field.name for field in sheet.layer.fields]
        lon, lat = package.place("SBGKFQ", 0)
        assert sheet.geometry[0].contains(opening.shapely.Point(lon, lat))


def test_a_zip_opens_like_its_folder_and_leaves_nothing(root, tmp_path):
    archive = zipped(root, tmp_path / "x.zip")
    with opening.opened(archive) as package:
        unpacked = package.root
        assert unpacked.name == root.name
        assert package.sheet("SBGKFQ").columns["BSM"].tolist()[0] == "990101000000000001"
    assert not unpacked.exists()


@pytest.mark.parametrize("form", ["gdb", "gpkg"])
def test_a_bare_data_set_is_a_package_without_anything_else(root, form):
    with opening.opened(packages.data_set(root, form)) as package:
        assert package.main.format == form
        assert len(package.data_sets) == 1
        assert not package.has_sums


def test_short_names_of_shapefiles_are_the_fields_of_the_schema(root, tmp_path):
    shutil.copytree(packages.data_set(root, "shp"), tmp_path / "elsewhere" / "deep" / "shapes")
    with opening.opened(tmp_path / "elsewhere") as package:
        assert package.main.format == "shp"
        assert package.sheet("HXJY").columns["SFZRBHDYBKZQ"].tolist() == ["否"]
        assert package.meta == {}
        assert package.profile == "national"


def test_a_package_without_meta_takes_the_zone_of_its_centre(tmp_path):
    def change(draft):
        draft.dropped = ("META",)

    with opening.opened(packages.make(tmp_path, change)) as package:
        assert package.meta == {}
        assert package.work_crs == "EPSG:4549"
        assert package.scale == 50_000


def test_a_long_value_of_meta_is_put_together_from_its_rows(tmp_path):
    def change(draft):
        draft.stated["plan_name"] = "规划" * 300

    with opening.opened(packages.make(tmp_path, change)) as package:
        assert package.meta["plan_name"] == "规划" * 300


def test_a_link_that_leads_out_is_refused_and_one_within_is_not(root, tmp_path):
    copy = shutil.copytree(root, tmp_path / "copy")
    (copy / "inside").symlink_to(copy / seals.NAME)
    with opening.opened(copy) as package:
        assert "inside" in package.files
    for target in (os.devnull, tmp_path, tmp_path / "nothing"):
        (copy / "out").symlink_to(target)
        with pytest.raises(SwcError, match=r"opening\.link_out"), opening.opened(copy):
            pass
        (copy / "out").unlink()


def test_what_is_no_file_is_refused_before_it_is_read(root, tmp_path):
    copy = shutil.copytree(root, tmp_path / "copy")
    os.mkfifo(copy / "pipe")
    with pytest.raises(SwcError, match=r"opening\.no_file"), opening.opened(copy):
        pass


@pytest.mark.parametrize(
    ("name", "code"),
    [("../out.txt", "intake.zip_unsafe"), ("/etc/out", "intake.zip_unsafe"), ("A.TXT", "intake.zip_doubled")],
)
def test_a_zip_that_leads_out_or_doubles_a_name_is_refused(tmp_path, name, code):
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr("a.txt", "a")
        archive.writestr(name, "b")
    with pytest.raises(SwcError, match=code), opening.opened(tmp_path / "x.zip"):
        pass


def test_a_zip_that_unpacks_to_far_more_than_it_holds_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "x.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.txt", bytes(50_000_000))
    with pytest.raises(SwcError, match=r"intake\.zip_bomb"), opening.opened(tmp_path / "x.zip"):
        pass


def test_another_file_and_nothing_at_all_are_no_package(tmp_path):
    (tmp_path / "x.txt").write_text("x")
    for name, code in (("x.txt", "opening.no_package"), ("y", "opening.missing")):
        with pytest.raises(SwcError, match=code), opening.opened(tmp_path / name):
            pass


def test_a_data_set_that_cannot_be_read_stays_with_its_reason(root, tmp_path):
    copy = shutil.copytree(root, tmp_path / "copy")
    path = packages.data_set(copy, "gpkg")
    path.write_bytes(path.read_bytes()[:1000])
    with opening.opened(copy) as package:
        broken = [one for one in package.data_sets if one.reason]
        assert [one.format for one in broken] == ["gpkg"]
        assert package.main.format == "gdb"


def test_projected_coordinates_are_taken_to_degrees_and_a_wrong_name_of_degrees_is_not(root):
    described = datasets.describe(packages.data_set(root), "gpkg")["SBGKFQ"]
    assert described.crs == "EPSG:4490"
    with opening.opened(root) as package:
        degrees = package.sheet("SBGKFQ").geometry
    assert opening.in_degrees(degrees, "EPSG:4549") is degrees
    moved = opening.in_degrees(packages.squares(), "EPSG:4549")
    assert opening.shapely.hausdorff_distance(moved[0], degrees[0]) < 1e-9
    assert opening.in_degrees(packages.squares(), None) is None


def test_json_nested_too_deep_is_no_document_and_stops_nothing(root, tmp_path):
    copy = shutil.copytree(root, tmp_path / "copy")
    (copy / "deep.json").write_text("[" * 200_000, encoding="utf-8")
    with opening.opened(copy) as package:
        assert package.json_named("deep.json") is None
        package.meta["input:9"] = "[" * 200_000
        assert package.inputs[-1] == {}


def test_what_a_file_manager_leaves_is_sealed_and_missed_nowhere_whatever_its_case(tmp_path):
    for name in ("a.txt", "Desktop.ini", "THUMBS.DB"):
        (tmp_path / name).write_text(name, encoding="utf-8")
    seals.write(tmp_path)
    assert list(seals.read(tmp_path)) == ["a.txt"]
    with opening.opened(tmp_path) as package:
        assert sorted(package.files) == ["SHA256SUMS", "a.txt"]


def test_a_name_with_a_sign_that_ends_lines_elsewhere_is_one_name(tmp_path):
    name = "说明\u2028续\x85页.txt"
    (tmp_path / name).write_text("a", encoding="utf-8")
    seals.write(tmp_path)
    assert list(seals.read(tmp_path)) == [name]
    assert not seals.differences(tmp_path)
