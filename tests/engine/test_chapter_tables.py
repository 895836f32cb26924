# SPDX-License-Identifier: GPL-2.0-or-later
"""The tables of a chapter: what stands in them is the result's, adds up, and says what is missing."""

import csv
import io
import json

import openpyxl
import pytest
from shapely import box

from swc_zoning.engine import run
from swc_zoning.engine.chapter import checked, figures, proof, tables, workbook
from swc_zoning.engine.chapter.figures import Figures
from swc_zoning.engine.messages import SwcError
from swc_zoning.engine.submission import contents, schemas
from swc_zoning.engine.submission.order import Order

WEST, EAST = box(600000, 3450000, 600100, 3450100), box(600100, 3450000, 600200, 3450100)
DISTRICTS = [(WEST, {"code": "310101", "name": "西区"}), (EAST, {"code": "310102", "name": "东区"})]
LONG = (
    "长江口青草沙水库饮用水水源一级保护区暨崇明岛国家地质公园及其毗邻海域生态保护与水土保持联合管控单元" * 3
)


@pytest.fixture(scope="module", params=["zh", "en"])
def told(request, zoned_city):
    """The figures of the demo city and its tables, in both languages."""
    made = Figures.of(zoned_city, lang=request.param)
    return made, tables.made(made)


@pytest.fixture
def tables_of(make_job, tmp_path):
    """Return a maker of figures and tables from small layers."""

    def make(order=None, quality=None, **layers):
        path = make_job(**layers)
        document = json.loads(path.read_text(encoding="utf-8"))
        for entry in document["layers"]:
            if any("name" in attributes for _, attributes in layers[entry["role"]]):
                entry["name_field"] = "name"
        path.write_text(json.dumps(document), encoding="utf-8")
        run.run(path).write(tmp_path / "result")
        made = Figures.of(tmp_path / "result", order)
        return made, tables.made(made, quality)

    return make


def texts(sheet):
    """Return every text of a table; ordinals count rows and are no figures."""
    heads = [column.title for column in sheet.columns]
    cells = [c.text for row in sheet.rows for c, k in zip(row, sheet.columns) if k.kind != "ordinal"]
    return [sheet.title, *heads, *cells, sheet.note, sheet.absence]


def column(sheet, name):
    place = [column.id for column in sheet.columns].index(name)
    return [row[place] for row in sheet.rows]


def said_of(made):
    return made.as_json()["said"]


# --- honesty ---------------------------------------------------------------------------------------


def test_every_number_in_every_table_resolves_to_the_ledger(told):
    made, sheets = told
    everything = [text for sheet in sheets.values() for text in texts(sheet)]
    assert sum(len(proof.runs(text)) for text in everything) > 3000
    assert list(proof.unresolved(everything, said_of(made))) == []


def test_every_figure_of_the_tables_is_what_the_geopackage_gives(told):
    made, _ = told
    assert list(proof.differing(said_of(made), made.result / "zoning.gpkg")) == []


def test_a_cell_shows_the_number_it_is_said_to_show(told):
    for sheet in told[1].values():
        for row in sheet.rows:
            for cell in row:
                if cell.said:
                    assert cell.text == cell.said.text
                    assert float(cell.text.replace(",", "")) == cell.value


def test_a_table_is_of_one_family_and_never_mixes_areas_that_close_with_those_that_do_not(told):
    for sheet in told[1].values():
        families = {figures.queries()[query].family for query in sheet.queries}
        assert not {"exclusive", "features"} <= families, sheet.id
        assert sheet.family in families | {"text"} or not families, sheet.id


# --- adding up -------------------------------------------------------------------------------------


def sums_of(cells):
    return round(sum(cell.value for cell in cells if cell.value is not None), 6)


def test_districts_and_zones_add_up_in_both_directions(told):
    sheet = told[1]["T3"]
    areas = [one.id for one in sheet.columns if one.kind == "area" and one.id != "total"]
    plain = [number for number in range(len(sheet.rows)) if number not in sheet.sums]
    for number in range(len(sheet.rows)):
        row = [column(sheet, name)[number] for name in areas]
        assert sums_of(row) == column(sheet, "total")[number].value
    for name in [*areas, "total"]:
        cells = column(sheet, name)
        assert sums_of(cells[number] for number in plain) == cells[-1].value


def test_land_and_sea_stand_apart_with_sums_of_their_own(told):
    sheet = told[1]["T3"]
    grounds = [cell.text for cell in column(sheet, "ground")]
    land, sea = grounds[0], grounds[-2]
    assert {land, sea} in ({"陆域", "海域"}, {"Land", "Sea"})
    for ground in (land, sea):
        rows = [number for number, name in enumerate(grounds) if name == ground]
        cells = [column(sheet, "total")[number] for number in rows]
        assert sums_of(cells[:-2]) == cells[-2].value
        assert cells[-1].text == "100.00"


@pytest.mark.parametrize("id_", ["T3b", "T4", "T14"])
def test_the_last_row_is_the_sum_of_the_others_and_the_zones_are_those_of_every_table(told, id_):
    _, sheets = told
    sheet = sheets[id_]
    for name in [one.id for one in sheet.columns if one.kind in ("area", "percent")]:
        cells = column(sheet, name)
        if cells[-1].value is not None:
            assert sums_of(cells[:-1]) == cells[-1].value
    totals = {row[0].text: cell.text for row, cell in zip(sheet.rows, column(sheet, "total"))}
    shown = {
        one.title: column(sheets["T3"], one.id)[-1].text for one in sheets["T3"].columns if ":" in one.id
    }
    assert {name: totals[name] for name in shown} == shown


def test_what_is_pending_stands_apart_from_what_is_confirmed(told):
    made, sheets = told
    mark = "（待核）" if made.lang == "zh" else " (pending)"
    zones = [cell.text for cell in column(sheets["T3b"], "zone")]
    pending = [name for name in zones if name.endswith(mark)]
    assert len(pending) == 1
    assert zones.index(pending[0]) == zones.index(pending[0].removesuffix(mark)) + 1
    assert pending[0] in [one.title for one in sheets["T3"].columns]
    cells = [cell for row, cell in zip(sheets["T5"].rows, column(sheets["T5"], "pending")) if row[0].value]
    assert any(cell.value for cell in cells)


def test_what_features_cover_together_is_not_the_sum_of_what_overlaps(told):
    _, sheets = told
    sheet = sheets["T5"]
    first = sheet.rows[0][1].text
    rows = [number for number, row in enumerate(sheet.rows) if row[1].text == first]
    cells = [column(sheet, "area")[number] for number in rows]
    assert rows[-1] in sheet.sums
    assert sums_of(cells[:-1]) > cells[-1].value
    assert cells[-1].said.query == "roles"


# --- contents --------------------------------------------------------------------------------------


def test_each_protected_area_stands_by_name_with_tier_district_and_measures(told):
    made, sheets = told
    sheet = sheets["T5"]
    rows = {(row[2].text, row[3].text): row for row in sheet.rows}
    tier = "一级保护区" if made.lang == "zh" else "Level-1 protection zone"
    row = rows["澄江上游水源地", tier]
    assert row[4].text == "泖田区"
    assert "M02" in row[-1].text
    names = {name for name, _ in rows}
    assert {"长屿东滩湿地自然保护区", "长屿森林公园", "东滩湿地公园"} <= names


def test_measures_of_a_tier_are_those_its_own_rules_ask_for(told):
    made, _ = told
    assert tables.measures_of(made, "drinking_water_source", "level1") == ["M02", "M05", "M28", "M29"]
    assert tables.measures_of(made, "nature_reserve", "unknown") == tables.measures_of(
        made, "nature_reserve", "core_protection"
    )


def test_declared_areas_carry_their_approval_and_proposals_are_called_proposals(told):
    made, sheets = told
    approvals = [row[7].text for row in sheets["T6"].rows if row[0].value]
    assert set(approvals) == {"演府〔2026〕预防区示例号（合成）", "演府〔2026〕治理区示例号（合成）"}
    assert ("建议" if made.lang == "zh" else "proposed") in sheets["T7"].title
    assert ("评估" if made.lang == "zh" else "assessment") in sheets["T7"].note


def test_candidates_for_the_red_line_are_those_that_are_handed_in(zoned_city):
    asked = Order(min_patch_m2=50_000_000)
    made = Figures.of(zoned_city, asked)
    sheet = tables.made(made, only=["T7"])["T7"]
    handed = contents.of_result(zoned_city, asked, schemas.load("shanghai")).sheets
    argued = sorted(
        (row["JL"], round(row["YSMJ"] / 1e4, 2), round(row["JYMJ"] / 1e4, 2)) for row in handed["HXLZ"].rows()
    )
    found = sorted((row[6].text, row[4].value, row[5].value or 0.0) for row in sheet.rows)
    assert [one for one, *_ in found] == [one for one, *_ in argued]
    for mine, theirs in zip(found, argued):
        assert mine[1:] == pytest.approx(theirs[1:], abs=0.011)
    verdicts = [row[6].text for row in sheet.rows]
    assert verdicts.count("退出") == len(verdicts) - len(handed["HXJY"]) > 2
    assert verdicts[-1] == "退出", "after those proposed"
    assert any("小于最小图斑" in row[7].text for row in sheet.rows)
    assert all(row[5].value is None for row in sheet.rows if row[6].text == "退出")
    assert list(proof.unresolved(texts(sheet), said_of(made))) == []
    assert list(proof.differing(said_of(made), zoned_city / "zoning.gpkg")) == []


def test_a_conflict_has_its_settling_rule_and_those_not_looked_for_are_named(told):
    made, sheets = told
    rows = {row[0].text: row for row in sheets["T8"].rows}
    kept = made.table.conflicts["K04"]
    assert rows["K04"][5].text == (kept["settling_rule"] if made.lang == "zh" else kept["settling_rule_en"])
    assert rows["K04"][3].value == sum(row["kind"] == "K04" for row in made.rows("conflict_list"))
    assert "K14" in sheets["T8"].note
    assert len(sheets["T8b"].rows) == len(made.rows("conflict_list"))


def test_a_project_is_told_by_zone_with_grade_duty_to_avoid_and_measures(told):
    made, sheets = told
    rows = [row for row in sheets["T13"].rows if row[1].text == "云山康养项目"]
    assert len(rows) == 2
    grade, siting = rows[0][5].text, rows[0][6].text
    assert (grade, siting) == (
        ("一级", "应当避让") if made.lang == "zh" else ("Grade I", "should be avoided")
    )
    assert "M06" in rows[0][7].text
    area = made.value("projects_whole", ("云山康养项目",), "area_m2") / 1e4
    assert sums_of(row[4] for row in rows) == pytest.approx(area, abs=0.02)


def test_the_findings_of_a_quality_check_are_shown_and_its_lack_is_said(zoned_city):
    made = Figures.of(zoned_city)
    found = {
        "code": "4301",
        "title_zh": "碎图斑",
        "title_en": "slivers",
        "severity": "W",
        "count": 12,
        "accepted": 3,
    }
    sheet = tables.made(made, [found], ["T11"])["T11"]
    assert [cell.text for cell in sheet.rows[0]] == ["4301", "碎图斑", "警告", "12", "3"]
    assert list(proof.unresolved(texts(sheet), said_of(made))) == []
    assert tables.made(made, None, ["T11"])["T11"].absence == "未作质量检查，待补充。"


# --- what is missing, one district, many, long names -------------------------------------------------


def test_missing_layers_are_said_in_every_table_and_nothing_is_cleared_by_them(tables_of):
    made, sheets = tables_of(extent=DISTRICTS, permanent_basic_farmland=[(WEST, {})])
    missing = "未提供，待补充"
    assert missing in [row[2].text for row in sheets["T1"].rows]
    assert sheets["T2"].rows[0][2].text == missing
    assert {row[2].text for row in sheets["T5"].rows} == {missing}
    assert {row[2].text for row in sheets["T6"].rows} == {missing}
    for id_ in ("T2b", "T7", "T13", "T14", "T15", "T16"):
        assert (sheets[id_].absence, sheets[id_].rows) == (missing, []), id_
    assert f"生态保护红线：{missing}。" in sheets["T4"].note
    assert "K01" in sheets["T8"].note
    everything = [text for sheet in sheets.values() for text in texts(sheet)]
    assert "不涉及" not in "".join(everything)
    assert list(proof.unresolved(everything, said_of(made))) == []


def test_no_conflict_is_found_is_told_from_none_looked_for(tables_of):
    _, sheets = tables_of(extent=DISTRICTS, soil_erosion=[(WEST, {"tier": "轻度"})])
    assert (sheets["T8"].rows, sheets["T8"].absence) == ([], "未提供，待补充")


def test_no_conflict_among_those_looked_for_is_said_so(tables_of):
    town = [(EAST, {"tier": "城镇集中建设区"})]
    _, sheets = tables_of(
        extent=DISTRICTS, permanent_basic_farmland=[(WEST, {})], urban_development_boundary=town
    )
    assert (sheets["T8"].rows, sheets["T8"].absence) == ([], "所核查的情形中未发现。")


def test_a_development_zone_is_told_what_parks_are_told(zoned_city, monkeypatch):
    asked = []
    real = tables.siting.advice
    monkeypatch.setattr(tables.siting, "advice", lambda *given: asked.append(given[1]) or real(*given))
    sheet = tables.made(Figures.of(zoned_city), only=["T13"])["T13"]
    kinds = {row[2].text: kind for row, kind in zip(sheet.rows, asked)}
    assert kinds == {"建设项目": "project", "开发区": "park"}


def test_without_an_extent_there_are_no_districts_to_tell_of(tables_of):
    made, sheets = tables_of(permanent_basic_farmland=[(WEST, {})], soil_erosion=[(WEST, {"tier": "轻度"})])
    assert made.missing_roles()[0] == "admin_extent"
    assert [row[0].text for row in sheets["T3"].rows] == ["未划入行政区", "合计", "占比（%）"]
    assert [row[0].text for row in sheets["T12"].rows] == ["未划入行政区", "合计"]
    assert (sheets["T2b"].rows, sheets["T2b"].absence) == ([], "未提供，待补充")
    assert sheets["T2"].rows[0][2].text == "未提供，待补充"
    assert list(proof.differing(said_of(made), made.result / "zoning.gpkg")) == []


def test_without_a_land_area_nothing_is_called_land(tables_of):
    _, sheets = tables_of(extent=DISTRICTS, permanent_basic_farmland=[(WEST, {})])
    assert "ground" not in [one.id for one in sheets["T3"].columns]
    assert {"land", "sea"}.isdisjoint(one.id for one in sheets["T3b"].columns)
    assert "陆域范围未提供" in sheets["T3"].note
    assert [row[0].text for row in sheets["T3"].rows] == ["西区", "东区", "合计", "占比（%）"]


def test_a_layer_that_does_not_reach_the_extent_is_not_applicable(tables_of):
    far = box(700000, 3500000, 700010, 3500010)
    _, sheets = tables_of(extent=DISTRICTS, nature_reserve=[(far, {"tier": "核心保护区"})])
    rows = {row[1].text: row[2].text for row in sheets["T5"].rows}
    assert (rows["自然保护区"], rows["饮用水水源地"]) == ("不涉及", "未提供，待补充")


def test_an_erosion_layer_that_does_not_reach_the_extent_is_no_gap_of_the_rate(tables_of):
    far = box(700000, 3500000, 700010, 3500010)
    _, sheets = tables_of(extent=DISTRICTS, soil_erosion=[(far, {"tier": "轻度"})])
    assert sheets["T2"].rows[0][2].text == "100.00"


def test_one_district_and_no_feature_makes_clean_tables(tables_of):
    made, sheets = tables_of(extent=DISTRICTS[:1], permanent_basic_farmland=[(WEST, {})])
    assert [row[0].text for row in sheets["T3"].rows] == ["西区", "合计", "占比（%）"]
    assert sheets["T3"].rows[0][-1].text == sheets["T3"].rows[1][-1].text
    assert list(proof.differing(said_of(made), made.result / "zoning.gpkg")) == []


def test_sixty_districts_and_long_names_make_clean_tables(tables_of, tmp_path):
    strips = [box(600000 + 97.3 * n, 3450000, 600000 + 97.3 * (n + 1), 3450331.7) for n in range(60)]
    districts = [(strip, {"code": str(310001 + n), "name": f"{LONG}{n}"}) for n, strip in enumerate(strips)]
    across = box(600000, 3450100.3, 600000 + 97.3 * 60, 3450200.9)
    made, sheets = tables_of(
        extent=districts,
        permanent_basic_farmland=[(across, {})],
        drinking_water_source=[(across.buffer(-20), {"tier": "一级", "name": f"=SUM(A1)-{LONG}"})],
        township=[(strip.buffer(-1), {"name": f"=1+{n}"}) for n, strip in enumerate(strips)],
    )
    sheet = sheets["T3"]
    assert len(sheet.rows) == 62
    for name in [one.id for one in sheet.columns if one.kind == "area"]:
        assert sums_of(column(sheet, name)[:60]) == column(sheet, name)[60].value
    assert len(sheets["T15"].rows) == 62
    everything = [text for sheet in sheets.values() for text in texts(sheet)]
    assert list(proof.unresolved(everything, said_of(made))) == []
    assert list(proof.differing(said_of(made), made.result / "zoning.gpkg")) == []
    workbook.write(tmp_path / "t.xlsx", sheets, made)
    page = openpyxl.load_workbook(tmp_path / "t.xlsx")["T5"]
    assert page.cell(row=4, column=3).data_type == "s"
    assert page.cell(row=4, column=3).value == f"=SUM(A1)-{LONG}"
    assert f"'=SUM(A1)-{LONG}" in workbook.csv_text(sheets["T5"])


# --- workbook and CSV --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def book(told, tmp_path_factory):
    path = tmp_path_factory.mktemp("book") / "tables.xlsx"
    workbook.write(path, told[1], told[0])
    return openpyxl.load_workbook(path)


def test_the_workbook_has_a_sheet_a_table_with_frozen_heads_and_print_areas(told, book):
    assert book.sheetnames[:-1] == list(told[1])
    for sheet in told[1].values():
        page = book[sheet.id]
        assert page.freeze_panes.endswith("4")
        assert page.print_title_rows == "$3:$3"
        assert page.print_area
        assert page.page_setup.fitToWidth == 1
        assert [page.cell(row=3, column=n).value for n in range(1, len(sheet.columns) + 1)] == [
            one.title for one in sheet.columns
        ]


def test_numbers_of_the_workbook_are_numbers_as_printed(told, book):
    sheet, page = told[1]["T12"], book["T12"]
    for number, row in enumerate(sheet.rows, 4):
        for place, cell in enumerate(row, 1):
            found = page.cell(row=number, column=place)
            if cell.value is not None:
                assert (found.data_type, found.value) == ("n", cell.value)
    places = [one.id for one in sheet.columns].index("raw") + 1
    assert page.cell(row=4, column=places).number_format == "0.0000"


def test_the_sheet_of_definitions_has_the_query_behind_every_number(told, book):
    _, sheets = told
    rows = list(book[book.sheetnames[-1]].iter_rows(min_row=2, values_only=True))
    told_of = {(row[0], row[1], row[2], row[3]) for row in rows}
    for sheet in sheets.values():
        for row in sheet.rows:
            for cell, one in zip(row, sheet.columns):
                if cell.said:
                    assert (sheet.id, one.title, cell.said.query, cell.said.column) in told_of
    queries = {row[2]: row[7] for row in rows if row[7]}
    assert queries["zones"] == figures.queries()["zones"].sql
    assert {row[2] for row in rows} == set(queries)


def test_a_csv_holds_the_rows_with_plain_numbers(told):
    sheet = told[1]["T3b"]
    rows = list(csv.reader(io.StringIO(workbook.csv_text(sheet))))
    assert rows[1] == [one.title for one in sheet.columns]
    total = [one.id for one in sheet.columns].index("total")
    assert rows[1 + len(sheet.rows)][total] == "863182.28"
    assert rows[-1] == [sheet.note]


# --- quality ---------------------------------------------------------------------------------------


KINDS = {"flaw": "flaws", "not_checked": "not_checked"}


def flaw(code, severity, accepted=""):
    return {"code": code, "severity": severity, "accepted": accepted}


def test_a_report_of_a_quality_check_is_told_by_rule_and_what_was_not_checked_is_no_pass(
    zoned_city, tmp_path
):
    report = {
        "ran": ["1101", "4301"],
        "flaws": [flaw("4301", "W", "法定边界"), flaw("4301", "E")],
        "more": {"4301": 5},
        "not_checked": [{"code": "5102", "part": False}, {"code": "4301", "part": True}],
    }
    (tmp_path / "report.json").write_text(json.dumps(report), encoding="utf-8")
    head = {"kind": "head", **{name: report[name] for name in ("ran", "more")}}
    rest = [{"kind": kind, **one} for kind, key in KINDS.items() for one in report[key]]
    lines = "\n".join(json.dumps(one) for one in (head, *rest))
    (tmp_path / "report.jsonl").write_text(lines, encoding="utf-8")
    assert checked.of_file(tmp_path / "report.jsonl") == checked.of_file(tmp_path / "report.json")
    made = Figures.of(zoned_city)
    sheet = tables.made(made, checked.of_file(tmp_path / "report.json"), ["T11"])["T11"]
    rows = {row[0].text: [cell.text for cell in row[2:]] for row in sheet.rows}
    assert rows == {"1101": ["错误", "0", "0"], "4301": ["错误", "7", "1"], "5102": ["错误", "未检查", "—"]}
    assert list(proof.unresolved(texts(sheet), said_of(made))) == []


def test_a_file_that_is_no_report_is_refused(tmp_path):
    (tmp_path / "report.json").write_text("[]", encoding="utf-8")
    with pytest.raises(SwcError) as caught:
        checked.of_file(tmp_path / "report.json")
    assert caught.value.code == "chapter.no_report"
