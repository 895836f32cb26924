# SPDX-License-Identifier: GPL-2.0-or-later
"""What of a chapter goes into a package, and what is refused."""

import json
import shutil

import pytest

from swc_zoning import cli, submission_commands
from swc_zoning.engine.chapter import delivery, folder
from swc_zoning.engine.messages import SwcError

OURS, OTHER = "a" * 64, "b" * 64


def chapter(path, digest=OURS):
    with folder.renewed(path) as aside:
        (aside / "text.docx").write_bytes(b"PK")
        (aside / "tables").mkdir()
        (aside / "tables/T1.csv").write_text("1", encoding="utf-8")
        folder.seal(aside, {"content_sha256": digest})
    return path


def maps(path, *names, digest=OURS):
    path.mkdir(parents=True, exist_ok=True)
    files = [path / name for name in names]
    for file in files:
        file.write_bytes(b"%PDF")
    delivery.note_maps(path, files, digest)


def names(paths):
    return sorted(path.name for path in paths)


def test_documents_tables_sources_and_maps_go_along_and_nothing_else(tmp_path):
    chapter(tmp_path)
    maps(tmp_path / "maps", "01.pdf")
    (tmp_path / "notes.txt").write_text("mine", encoding="utf-8")
    (tmp_path / "maps/old.pdf").write_bytes(b"")
    found = delivery.extras(tmp_path, OURS)
    assert names(found["part_text"]) == ["figures.json", "tables", "text.docx"]
    assert names(found["part_maps"]) == ["01.pdf"]


def test_what_a_planner_edited_goes_along_and_what_is_gone_does_not(tmp_path):
    chapter(tmp_path)
    (tmp_path / "text.docx").write_bytes(b"PK edited")
    shutil.rmtree(tmp_path / "tables")
    assert names(delivery.extras(tmp_path, OURS)["part_text"]) == ["figures.json", "text.docx"]


@pytest.mark.parametrize("which", ["documents", "maps"])
def test_what_is_of_another_result_is_refused(tmp_path, which):
    chapter(tmp_path, OTHER if which == "documents" else OURS)
    maps(tmp_path / "maps", "01.pdf", digest=OTHER if which == "maps" else OURS)
    with pytest.raises(SwcError) as caught:
        delivery.extras(tmp_path, OURS)
    assert caught.value.code == "delivery.other_result"


def test_a_folder_without_a_chapter_is_refused(tmp_path):
    (tmp_path / "figures.json").write_text('{"what": "city"}', encoding="utf-8")
    with pytest.raises(SwcError) as caught:
        delivery.extras(tmp_path, OURS)
    assert caught.value.code == "delivery.nothing"


def test_sheets_of_the_same_result_are_kept_together_and_those_of_another_are_not(tmp_path):
    maps(tmp_path / "maps", "01.pdf")
    maps(tmp_path / "maps", "02.pdf")
    assert delivery.maps_in(tmp_path).names == ("01.pdf", "02.pdf")
    maps(tmp_path / "maps", "02.pdf", digest=OTHER)
    assert delivery.maps_in(tmp_path).names == ("02.pdf",)


@pytest.mark.parametrize("name", ["/etc/hosts", "../other/secret.txt", 7, ""])
def test_a_record_names_nothing_outside_its_folder(tmp_path, name):
    (tmp_path / "figures.json").write_text(
        json.dumps({"what": "chapter", "content_sha256": OURS, "files": {str(name): ""}}), encoding="utf-8"
    )
    (tmp_path / "maps").mkdir()
    record = {"what": "maps", "content_sha256": OURS, "files": [name]}
    (tmp_path / "maps/maps.json").write_text(json.dumps(record), encoding="utf-8")
    assert delivery.maps_in(tmp_path).names == ()
    assert names(delivery.extras(tmp_path, OURS)["part_text"]) in (["figures.json"], [])


def test_parts_do_not_remove_the_rest_of_a_chapter(tmp_path):
    chapter(tmp_path)
    with pytest.raises(SwcError) as caught:
        folder.check_target(tmp_path, ["tables"])
    assert caught.value.code == "chapter.would_remove"
    assert (tmp_path / "text.docx").exists()
    folder.check_target(tmp_path, ["tables", "documents"])


def test_an_export_with_a_chapter_of_another_result_is_wrong_use(zoned_city, tmp_path, capsys):
    chapter(tmp_path / "chapter")
    words = ["export", zoned_city, "--output", tmp_path / "out", "--settings", order(tmp_path)]
    assert cli.main([*map(str, words), "--chapter", str(tmp_path / "chapter")]) == 2
    assert "delivery.other_result" in capsys.readouterr().err
    assert "delivery.other_result" in submission_commands.MISUSE["export"]
    assert not list((tmp_path / "out").glob("*"))


def test_only_the_parts_asked_for_are_written_in_the_language_asked_for(zoned_city, tmp_path):
    words = ["chapter", zoned_city, "--output", tmp_path, "--only", "tables", "--language", "en"]
    assert cli.main([*map(str, words), "--lang", "zh"]) == 0
    assert names(tmp_path.iterdir()) == ["figures.json", "tables", "tables.xlsx"]
    assert json.loads((tmp_path / "figures.json").read_text(encoding="utf-8"))["lang"] == "en"


def test_without_docxtpl_it_says_what_to_install_before_anything_is_computed(
    zoned_city, tmp_path, monkeypatch, capsys
):
    monkeypatch.setitem(__import__("sys").modules, "docxtpl", None)
    assert cli.main(["chapter", str(zoned_city), "--output", str(tmp_path / "out")]) == 1
    assert "pip install" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def order(tmp_path):
    path = tmp_path / "order.json"
    document = {"compiler": "示范单位", "code": "990100", "name": "澄中市", "formats": ["gdb"]}
    path.write_text(json.dumps(document), encoding="utf-8")
    return path
