# SPDX-License-Identifier: GPL-2.0-or-later
"""The documents of a chapter: their numbers, what they say where data are missing, templates of users."""

import importlib.util
import json
import re
import sys
import zipfile
from pathlib import Path
from xml.etree import ElementTree

import pytest
from docx import Document
from docx.oxml.ns import qn
from shapely.geometry import box

from swc_zoning import cli, vendored
from swc_zoning.engine import run
from swc_zoning.engine.chapter import documents, proof, tables, vocabulary, word_tables
from swc_zoning.engine.chapter.figures import Figures
from swc_zoning.engine.messages import SwcError
from swc_zoning.engine.submission import order

ROOT = Path(__file__).resolve().parents[2]
ORDER = {"schema": 1, "stage": "consultation", "compiler": "某规划院", "plan_name": "某市总体规划"}


def maker():
    specification = importlib.util.spec_from_file_location("make_templates", ROOT / "tools/make_templates.py")
    module = importlib.util.module_from_spec(specification)
    sys.modules[specification.name] = module  # dataclasses look their module up
    specification.loader.exec_module(module)
    return module


def written(result, folder, lang="zh", asked=None, **more):
    """Return the figures of a result and the documents written of them."""
    figures = Figures.of(result, asked, lang)
    return figures, documents.write(figures, tables.made(figures), folder, **more)


def lines(path):
    """Return the text of a document by paragraphs: body, heads and feet."""
    document = Document(str(path))
    parts = [document.element.body]
    parts += [part._element for one in document.sections for part in (one.header, one.footer)]
    return [
        "".join(node.text or "" for node in paragraph.iter(qn("w:t")))
        for part in parts
        for paragraph in part.iter(qn("w:p"))
    ]


def zoned(make_job, tmp_path, **layers):
    run.run(make_job(**layers)).write(tmp_path / "result")
    return tmp_path / "result"


@pytest.fixture(scope="module", params=["zh", "en"])
def both(request, zoned_city, tmp_path_factory):
    folder = tmp_path_factory.mktemp("documents")
    return written(zoned_city, folder, request.param, order.load(ORDER))


# --- honesty -----------------------------------------------------------------------------------------


def test_every_number_of_both_documents_resolves_to_the_ledger(both):
    figures, paths = both
    said = figures.as_json()["said"]
    for path in paths.values():
        texts = lines(path)
        assert sum(len(proof.runs(text)) for text in texts) > 500
        assert list(proof.unresolved(texts, said)) == []
        assert not [text for text in texts if "{{" in text or "{%" in text]
    assert list(proof.differing(said, figures.result / "zoning.gpkg")) == []


def test_the_sentences_of_the_shipped_outline_hold_no_number_of_their_own():
    document = json.loads((ROOT / "resources/chapter/outline.json").read_text(encoding="utf-8"))
    texts = [re.sub(r"{{.*?}}|{%.*?%}", "", text) for text in strings(document["documents"])]
    texts = [text for text in texts if not re.fullmatch(r"T\d+b?|[\w.()\"\[\]:, |=!]+", text)]
    assert len(texts) > 100
    assert [text for text in texts if proof.runs(text)] == []


def strings(value):
    if isinstance(value, str):
        yield value
    for one in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from strings(one)


def test_shipped_templates_are_those_of_the_outline():
    made = maker()
    for kind in documents.KINDS:
        for lang in ("zh", "en"):
            shipped = documents.template_path(kind, lang)
            assert shipped.read_bytes() == made.made(kind, lang), "run make templates"


# --- form --------------------------------------------------------------------------------------------


def test_articles_are_numbered_through_and_tables_referred_to_by_their_number(both):
    figures, paths = both
    if figures.lang == "en":
        pytest.skip("of the Chinese edition")
    texts = lines(paths["text"])
    articles = [
        found[1] for text in texts if (found := re.match(r"第([一二三四五六七八九十百零]+)条　", text))
    ]
    assert articles == [vocabulary.numeral(number) for number in range(1, len(articles) + 1)]
    captions = [text for text in texts if re.match(r"附?表\d+　", text)]
    assert len(captions) == len(set(captions)) == 10
    referred = {found for text in texts for found in re.findall(r"见(附?表\d+)", text)}
    assert referred <= {caption.partition("　")[0] for caption in captions}


def test_a_document_is_well_formed_and_its_tables_repeat_their_heads(both):
    _, paths = both
    for path in paths.values():
        with zipfile.ZipFile(path) as package:
            parts = [name for name in package.namelist() if name.endswith((".xml", ".rels"))]
            for name in parts:
                ElementTree.fromstring(package.read(name))
        document = Document(str(path))
        width = {section.page_width for section in document.sections}
        assert len(width) == 2
        for table in document.tables:
            assert table.rows[0]._tr.trPr.find(qn("w:tblHeader")) is not None
            assert all(row._tr.trPr.find(qn("w:cantSplit")) is not None for row in table.rows)
            assert len({len(row.cells) for row in table.rows}) == 1


def test_the_stage_marks_every_page_and_what_nobody_said_is_an_open_place(zoned_city, tmp_path):
    _, paths = written(zoned_city, tmp_path / "a", asked=order.load(ORDER))
    texts = lines(paths["text"])
    assert any("某市总体规划" in text and "【征求意见稿】" in text for text in texts)
    assert "编制单位：某规划院" in texts
    assert "（密级待填写）" in texts
    assert any("复函文号和日期：未提供，待补充" in text for text in texts)
    _, bare = written(zoned_city, tmp_path / "b")
    assert any("【草案】" in text for text in lines(bare["text"]))
    assert "编制单位：（编制单位待填写）" in lines(bare["text"])


def test_law_and_proposal_are_told_apart_and_pending_ground_is_not_confirmed(both):
    figures, paths = both
    if figures.lang == "en":
        pytest.skip("of the Chinese edition")
    texts = lines(paths["text"])
    confirmed = figures.say("zones", ("PROHIBIT", "confirmed", None), "area_m2", "ha")
    pending = figures.say("zones", ("PROHIBIT", "pending", None), "area_m2", "ha")
    found = next(text for text in texts if text.startswith("禁止管控区已确认面积"))
    assert f"已确认面积{confirmed}公顷" in found
    assert f"另有待核面积{pending}公顷" in found
    assert any(text.startswith("（一）永久基本农田（法定；") for text in texts)
    assert any("（建议；" in text for text in texts)


# --- cases -------------------------------------------------------------------------------------------


def test_missing_layers_are_said_in_text_and_tables_and_never_cleared(make_job, tmp_path):
    extent = [(box(0, 0, 1000, 1000), {"code": "110101", "name": "甲区"})]
    rows = [(box(0, 0, 300, 300), {"tier": "other", "id": "r1"})]
    result = zoned(make_job, tmp_path, extent=extent, ecological_redline=rows)
    figures, paths = written(result, tmp_path / "out")
    text, notes = ("\n".join(lines(paths[kind])) for kind in documents.KINDS)
    assert "饮用水水源地：未提供，待补充。" in text
    assert "规划建设项目：未提供，待补充。" in text
    assert "陆域范围未提供，待补充" in text
    assert "因资料未提供而未能核查的情形" in text
    assert "土壤侵蚀强度：未提供，待补充。" in notes
    assert "不涉及" not in text.replace("禁止", "")
    assert list(proof.unresolved(lines(paths["text"]), figures.as_json()["said"])) == []


def test_sixty_districts_and_very_long_names_stay_within_the_page(make_job, tmp_path):
    name = "某某" * 60 + "&<保护区>"
    extent = [
        (box(x * 100, 0, x * 100 + 100, 100), {"code": f"1101{x:02d}", "name": f"第{x}号" + "很长的区名" * 5})
        for x in range(60)
    ]
    rows = [(box(10, 10, 5900, 50), {"tier": "core_protection", "id": name})]
    result = zoned(make_job, tmp_path, extent=extent, nature_reserve=rows)
    figures, paths = written(result, tmp_path / "out")
    assert list(proof.unresolved(lines(paths["text"]), figures.as_json()["said"])) == []
    assert any(name in text.replace(word_tables.BREAK, "") for text in lines(paths["text"]))
    document = Document(str(paths["text"]))
    room = {documents._text_width(section) for section in document.sections}
    for table in document.tables:
        wide = sum(int(one.get(qn("w:w"))) for one in table._tbl.tblGrid.iter(qn("w:gridCol")))
        assert wide in room


def test_numbers_are_never_broken_into_lines(zoned_city):
    figures = Figures.of(zoned_city)
    for table in tables.made(figures).values():
        size, widths = word_tables.fitted(table, 13000)
        for row in table.rows:
            for cell, column, width in zip(row, table.columns, widths):
                if column.kind in ("area", "percent", "count"):
                    assert word_tables.em(cell.text) * size * 10 < width - 90, (table.id, column.id)


# --- templates of users --------------------------------------------------------------------------------


def edited(folder, text):
    """Write a template with one paragraph more into a folder."""
    folder.mkdir()
    document = Document(str(documents.template_path("text", "zh")))
    document.add_paragraph(text)
    document.save(str(folder / "text_zh.docx"))
    return folder


def test_an_edited_template_is_used_and_its_numbers_are_figures_too(zoned_city, tmp_path):
    own = edited(tmp_path / "own", "本院补充：湿地{{ ha('roles', 'important_wetland') }}公顷。")
    figures, paths = written(zoned_city, tmp_path / "out", templates=own)
    area = figures.say("roles", ("important_wetland",), "area_m2", "ha")
    assert f"本院补充：湿地{area}公顷。" in lines(paths["text"])
    assert paths["notes"].is_file()


@pytest.mark.parametrize(
    "text",
    [
        "{{ nothing }}",
        "{{ zones",
        "{{ ha('no_query') }}",
        "{{ table('T99') }}",
        "{{ ''.__class__.__mro__ }}",
        "{{ zones[0]._words._figures.write('x') }}",
        "{{ ha.__globals__ }}",
    ],
)
def test_a_template_that_is_wrong_or_reaches_out_is_refused_by_name(zoned_city, tmp_path, text):
    own = edited(tmp_path / "own", text)
    with pytest.raises(SwcError) as caught:
        written(zoned_city, tmp_path / "out", templates=own)
    assert caught.value.code == "documents.template"
    assert str(own) in caught.value.facts["path"]


def test_a_folder_without_templates_is_refused(zoned_city, tmp_path):
    with pytest.raises(SwcError, match=r"text_zh\.docx") as caught:
        written(zoned_city, tmp_path / "out", templates=tmp_path)
    assert caught.value.code == "documents.no_template"


def test_without_docxtpl_the_command_says_what_to_install_and_makes_the_rest_if_asked(
    zoned_city, tmp_path, monkeypatch, capsys
):
    def without(name):
        if name == "docxtpl":
            raise ImportError(name)
        return loaded(name)

    loaded = vendored.load
    monkeypatch.setattr(vendored, "load", without)
    asked = ["chapter", str(zoned_city), "--output", str(tmp_path / "out")]
    assert cli.main(asked) != 0
    assert "pip install" in capsys.readouterr().err
    assert cli.main([*asked, "--only", "tables"]) == 0
    assert (tmp_path / "out/tables.xlsx").is_file()
    assert not (tmp_path / "out/text.docx").exists()


def test_the_command_writes_both_documents(zoned_city, tmp_path):
    assert cli.main(["chapter", str(zoned_city), "--output", str(tmp_path / "out")]) == 0
    document = json.loads((tmp_path / "out/figures.json").read_text(encoding="utf-8"))
    assert {"text.docx", "notes.docx"} <= set(document["files"])
    texts = lines(tmp_path / "out/notes.docx")
    assert list(proof.unresolved(texts, document["said"])) == []
    assert len(Document(str(tmp_path / "out/notes.docx")).inline_shapes) == 3


@pytest.mark.parametrize(
    ("number", "shown"),
    [(1, "一"), (10, "十"), (11, "十一"), (20, "二十"), (101, "一百零一"), (110, "一百一十")],
)
def test_articles_count_in_chinese(number, shown):
    assert vocabulary.numeral(number) == shown
