# SPDX-License-Identifier: GPL-2.0-or-later
"""Decision tables as workbooks: there and back exactly, words of planners, cells that are wrong."""

from __future__ import annotations

import copy
import json
import zipfile

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from swc_zoning import cli
from swc_zoning.engine import rule_sheets, rule_words, rules
from swc_zoning.engine.messages import Blocked, SwcError
from swc_zoning.paths import resource

TABLES = ("shanghai.json", "hilly-example.json")


def table(name="shanghai.json"):
    return json.loads(resource("rules", name).read_text(encoding="utf-8"))


def edited(path, sheet, cell, value):
    book = openpyxl.load_workbook(path)
    book[sheet][cell] = value
    book.save(path)


def problems(path):
    with pytest.raises(Blocked) as caught:
        rule_sheets.read(path)
    return {
        (f.code, f.facts.get("sheet"), f.facts.get("row"), f.facts.get("column"))
        for f in caught.value.findings
    }


@pytest.fixture
def workbook(tmp_path):
    path = tmp_path / "表.xlsx"
    rule_sheets.write(table(), path)
    return path


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("name", TABLES)
def test_a_shipped_table_comes_back_the_same_in_either_language(tmp_path, name, lang):
    rule_sheets.write(table(name), tmp_path / "t.xlsx", lang)
    assert rule_words.canonical(rule_sheets.read(tmp_path / "t.xlsx")) == rule_words.canonical(table(name))


TEXT = st.text(max_size=12) | st.sampled_from(
    ["", " a ", '"', "=1+1", "不限", "[1]", "a\r\nb", "\x07", "_x0041_", "'"]
)
DATE = st.sampled_from([None, "2020-01-01"])
TIERS = st.none() | st.lists(st.sampled_from(["level1", "unknown", "no_such", "class1"]), max_size=3)
ROLES = st.sampled_from(["drinking_water_source", "eco_control_line", "geohazard_area", "no_such_role"])
CONDITIONS = st.lists(st.fixed_dictionaries({"role": ROLES, "tiers": TIERS}), max_size=3)
ENTRY = st.fixed_dictionaries(
    {"act": st.sampled_from(["swc_law", "eco_code", "nobody"]), "article": TEXT},
    optional={"valid_from": DATE, "analogy": st.booleans(), "status": st.just("proposed")},
)
BASIS = TEXT | st.lists(ENTRY, max_size=2)
RULE = st.fixed_dictionaries(
    {
        "id": st.from_regex(r"\A[A-Z][A-Z0-9]{0,4}\Z"),
        "zone": st.sampled_from([None, "PROHIBIT", "NOWHERE", ""]),
        "any_of": CONDITIONS,
        "all_of": CONDITIONS,
        "unless": CONDITIONS,
        "measures": st.lists(TEXT, unique=True, max_size=2),
        "basis": BASIS,
    },
    optional={
        "note_zh": TEXT,
        "valid_to": DATE,
        "fallback": st.booleans(),
        "to_check": st.fixed_dictionaries({"role": ROLES, "text_zh": TEXT, "text_en": TEXT}),
    },
)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(RULE, min_size=1, max_size=3),
    st.sampled_from(["zh", "en"]),
    st.sampled_from([{}, {"aliases": {}}, {"aliases": {"a": {}}}]),
)
def test_whatever_the_schema_allows_comes_back_the_same(tmp_path_factory, made, lang, tiers):
    document = {**table(), "rules": made, "tiers": tiers}
    path = tmp_path_factory.mktemp("sheet") / "t.xlsx"
    rule_sheets.write(document, path, lang)
    assert rule_words.canonical(rule_sheets.read(path)) == rule_words.canonical(document)


def test_conditions_are_words_a_planner_reads(workbook):
    page = openpyxl.load_workbook(workbook)["规则"]
    headings = [cell.value for cell in page[1]]
    assert page.cell(3, headings.index("任一成立") + 1).value == "饮用水水源地:一级保护区"
    assert page.cell(2, headings.index("依据") + 1).value.startswith("自然保护区条例(2026) 26；法典 861")


@pytest.mark.parametrize(
    "text",
    [
        "饮用水水源地:一级保护区,二级保护区；生态保护红线",
        "drinking_water_source：level1，level2\necological_redline",
        "Drinking-water source zones: Level-1 protection zone, 二级保护区 ; 生态保护红线",
    ],
)
def test_names_and_ids_mean_the_same(text):
    assert rule_words.read_conditions(text) == [
        {"role": "drinking_water_source", "tiers": ["level1", "level2"]},
        {"role": "ecological_redline", "tiers": None},
    ]


def test_every_role_and_tier_can_be_named_in_both_languages():
    from swc_zoning.engine import roles

    for role in roles.all_roles():
        every = [{"role": role.id, "tiers": [*role.tier_ids, "unknown"]}]
        for lang in ("zh", "en"):
            text = rule_words.write_conditions(every, lang)
            assert not rule_words.is_json(text) or text.startswith('"'), text
            assert rule_words.read_conditions(text) == every


def test_a_planner_changes_a_rule_in_the_sheet(workbook):
    edited(workbook, "规则", "C3", "饮用水水源地:一级保护区、准保护区".replace("、", "，"))
    [rule] = [row for row in rule_sheets.read(workbook)["rules"] if row["id"] == "R02"]
    assert rule["any_of"] == [{"role": "drinking_water_source", "tiers": ["level1", "quasi"]}]


@pytest.mark.parametrize(
    ("sheet", "cell", "value", "code", "row", "column"),
    [
        ("规则", "C3", "饮用水水源:一级", "rule_sheets.cell", 3, "任一成立"),
        ("规则", "C3", "饮用水水源地:九级", "rule_sheets.cell", 3, "任一成立"),
        ("规则", "B2", "无此分区", "rule_sheets.cell", 2, "分区"),
        ("规则", "A4", "小写", "rule_sheets.cell", 4, "编号"),
        ("规则", "A4", None, "rule_sheets.cell", 4, "编号"),
        ("规则", "I2", "无此法 3", "rule_sheets.cell", 2, "依据"),
        ("分区", "D2", "第一", "rule_sheets.cell", 2, "位次"),
        ("措施", "B5", "建议禁止", "rule_sheets.cell", 5, "类别"),
        ("措施", "C5", "=1+1", "rule_sheets.formula", 5, "内容（中文）"),
        ("措施", "C1", "内容", "rule_sheets.column_unknown", None, "内容"),
        ("表头", "A2", "什么", "rule_sheets.item_unknown", 2, None),
    ],
)
def test_a_wrong_cell_is_named_by_sheet_row_and_column(workbook, sheet, cell, value, code, row, column):
    edited(workbook, sheet, cell, value)
    assert (code, sheet, row, column) in problems(workbook)


def test_a_missing_sheet_and_a_foreign_one_are_named(workbook):
    book = openpyxl.load_workbook(workbook)
    del book["规则"]
    book.create_sheet("草稿")
    book.save(workbook)
    assert {code for code, *_ in problems(workbook)} >= {
        "rule_sheets.sheet_missing",
        "rule_sheets.sheet_unknown",
    }


@pytest.mark.parametrize("text", ['=HYPERLINK("http://x")', "+1+2", "@SUM(A1)", "-2+3|cmd", "\t=1"])
def test_text_that_looks_like_a_formula_stays_text(tmp_path, text):
    document = table()
    document["measures"][0]["text_zh"] = text
    rule_sheets.write(document, tmp_path / "t.xlsx")
    with zipfile.ZipFile(tmp_path / "t.xlsx") as archive:
        assert not any(b"<f>" in archive.read(name) for name in archive.namelist() if "sheet" in name)
    cell = openpyxl.load_workbook(tmp_path / "t.xlsx")["措施"]["C2"]
    assert cell.data_type == "s"
    assert cell.quotePrefix or not text.startswith(tuple("=+-@"))
    assert rule_sheets.read(tmp_path / "t.xlsx") == document


def test_a_text_too_long_for_a_cell_is_refused_not_cut(tmp_path):
    document = table()
    document["measures"][0]["text_zh"] = "水" * 40000
    with pytest.raises(SwcError, match=r"rule_sheets\.too_long"):
        rule_sheets.write(document, tmp_path / "t.xlsx")
    assert list(tmp_path.iterdir()) == []


def test_no_workbook_at_all_is_said(tmp_path):
    (tmp_path / "t.xlsx").write_text("no", encoding="utf-8")
    with pytest.raises(SwcError, match=r"rule_sheets\.no_workbook"):
        rule_sheets.read(tmp_path / "t.xlsx")


def test_a_workbook_that_declares_entities_is_refused(workbook, tmp_path):
    evil = tmp_path / "evil.xlsx"
    with zipfile.ZipFile(workbook) as old, zipfile.ZipFile(evil, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            if name == "xl/worksheets/sheet3.xml":
                content = b'<!DOCTYPE x [<!ENTITY a "b">]>' + content
            new.writestr(name, content)
    with pytest.raises(SwcError, match=r"intake\.xml_entities"):
        rule_sheets.read(evil)


def test_the_command_goes_both_ways(tmp_path, capsys):
    xlsx, back = tmp_path / "t.xlsx", tmp_path / "t.json"
    assert cli.main(["sheet", "--output", str(xlsx)]) == 0
    assert cli.main(["sheet", str(xlsx), "--output", str(back)]) == 0
    assert json.loads(back.read_text(encoding="utf-8")) == table()
    assert rules.load(back).rules.keys() == rules.load().rules.keys()


def test_the_command_writes_no_table_that_the_check_refuses(workbook, tmp_path, capsys):
    document = copy.deepcopy(table())
    document["zones"][1]["rank"] = 1
    rule_sheets.write(document, workbook)
    assert cli.main(["sheet", str(workbook), "--output", str(tmp_path / "t.json")]) == 1
    assert not (tmp_path / "t.json").exists()
    assert "PREV_STRICT" in capsys.readouterr().err
