# SPDX-License-Identifier: GPL-2.0-or-later
"""Consultation: what goes out is complete and true to the result, what comes back finds its conflict."""

import io
import json
import os
import random
import zipfile
from contextlib import nullcontext
from dataclasses import replace

import docx
import geopandas
import openpyxl
import pytest
import shapely
from PIL import Image

from swc_zoning import cli
from swc_zoning.engine import formats, job, run, written
from swc_zoning.engine.messages import Blocked, SwcError
from swc_zoning.engine.submission import (
    clips,
    conflict_groups,
    consultation,
    consultation_record,
    letter,
    order,
    replies,
)
from swc_zoning.engine.submission.conflict_groups import Facts, case_of, words
from swc_zoning.paths import resource

BOOK, LETTER = "冲突清单及答复表.xlsx", "征求意见函.docx"
TABLE = "意见采纳情况表.xlsx"
EAST, NORTH = 640000.0, 3455000.0
HEADINGS = {one["zh"]: one["id"] for one in [*words()["columns"], *words()["adoption_columns"]]}


def box(west, south, east, north):
    return shapely.box(EAST + west, NORTH + south, EAST + east, NORTH + north)


@pytest.fixture(scope="module")
def result(zoned_city):
    """A zoning of the demo city."""
    return zoned_city


@pytest.fixture(scope="module")
def case(result):
    return case_of(result)


@pytest.fixture(scope="module")
def sent(result, tmp_path_factory):
    """A consultation as it goes out."""
    folder = tmp_path_factory.mktemp("sent")
    consultation.prepare(result, folder, Facts(compiler="某局", letter_date="20261124"))
    return folder


def sheet_of(path):
    return openpyxl.load_workbook(path).active


def heading_row(page):
    return next(row for row in page.iter_rows() if any(cell.value == "冲突标识" for cell in row))


def places(page):
    return {HEADINGS[cell.value]: cell.column for cell in heading_row(page) if cell.value in HEADINGS}


def table_of(path):
    page = sheet_of(path)
    at = places(page)
    first = heading_row(page)[0].row + 1
    rows = [
        {name: page.cell(row, place).value for name, place in at.items()}
        for row in range(first, page.max_row + 1)
    ]
    return [row for row in rows if row["group"] or row["lon"]]


def filled(source, target, answers, change=None):
    """Write `source` with `answers` {group: {column: text}} filled in, then `change`d, to `target`."""
    book = openpyxl.load_workbook(source)
    page = book.active
    at = places(page)
    for row in range(heading_row(page)[0].row + 1, page.max_row + 1):
        for column, text in answers.get(page.cell(row, at["group"]).value, {}).items():
            page.cell(row, at[column]).value = text
    if change:
        change(book, page)
    book.save(target)
    return target


def answer(text="同意", **more):
    return {
        "opinion": text,
        "unit": "某局",
        "reply_no": "某函〔2026〕1号",
        "reply_date": "2026-11-20",
        **more,
    }


# --- groups ----------------------------------------------------------------------------------------


def test_every_conflict_is_in_one_group_and_areas_are_those_of_the_result(result, case):
    rows = formats.read_vector(result / "zoning.gpkg", "conflicts").columns
    assert sum(group.regions for group in case.groups) == len(rows["kind"])
    assert sum(group.area_centi for group in case.groups) == round(sum(rows["area_m2"]) * 100)
    pairs = {
        tuple(rows[key][at] for key in ("kind", "role_a", "layer_a", "source_a", "role_b", "source_b"))
        for at in range(len(rows["kind"]))
    }
    assert len(case.groups) == len(pairs)
    assert len({group.id for group in case.groups}) == len(case.groups)


def test_the_place_of_a_group_is_inside_it(case):
    for group in case.groups:
        assert shapely.distance(group.geometry, shapely.Point(group.place)) == 0


def test_a_kind_with_too_many_pairs_is_grouped_by_district_on_ground_counted_once(result, monkeypatch):
    monkeypatch.setitem(words(), "most_rows_a_kind", 10)
    case = case_of(result)
    assert {f.facts["kind"] for f in case.findings if f.code == "consultation.by_district"} >= {"K03"}
    by_kind = [group for group in case.groups if group.kind == "K03"]
    assert len(by_kind) < 24
    summary = next(row for row in case.summary["conflicts"] if row["kind"] == "K03")
    assert sum(group.area_centi for group in by_kind) / 100 == pytest.approx(summary["ground_m2"], abs=0.05)


@pytest.mark.parametrize("kind", sorted(words()["kinds"]))
def test_every_kind_of_the_shipped_table_has_a_question_and_a_department(kind):
    entry = words()["kinds"][kind]
    assert entry["department"] in words()["departments"]
    assert set(entry["with"]) <= set(words()["departments"])
    assert entry["question_zh"].endswith("。")
    assert entry["question_en"].endswith(".")
    assert entry["status"] in {"verified", "proposed"}


def test_no_kind_of_the_shipped_tables_is_without_a_question():
    table = json.loads(resource("rules", "shanghai.json").read_text(encoding="utf-8"))
    assert {row["id"] for row in table["conflicts"]} == set(words()["kinds"])


def test_a_missing_tier_is_asked_of_whoever_keeps_the_layer(case):
    (group,) = [group for group in case.groups if group.kind == "K19"]
    assert (
        group.department
        == {"nature_reserve": "forestry", "drinking_water_source": "ecology"}[group.first.role]
    )


# --- going out -------------------------------------------------------------------------------------


def test_the_list_has_a_row_for_each_group_with_its_numbers(sent, case):
    rows = table_of(sent / BOOK)
    assert [row["group"] for row in rows] == [group.id for group in case.groups]
    for row, group in zip(rows, case.groups):
        assert row["area_ha"] == pytest.approx(group.area_centi / 1e6, abs=5e-5)
        assert row["question"].startswith(group.district_text("zh"))
        assert row["settling_rule"]
        assert row["basis"]
        assert (row["opinion"], row["reply_no"]) == (None, None)


def test_each_row_has_its_own_map(sent, case):
    page = sheet_of(sent / BOOK)
    assert len(page._images) == len(case.groups)
    with zipfile.ZipFile(sent / BOOK) as archive:
        pictures = [archive.read(name) for name in archive.namelist() if name.startswith("xl/media/")]
    assert {Image.open(io.BytesIO(one)).size for one in pictures} == {(360, 270)}
    rows = sorted(image.anchor._from.row for image in page._images)
    first = heading_row(page)[0].row
    assert rows == list(range(first, first + len(case.groups)))


def test_a_list_has_no_more_maps_than_can_be_taken_in_again(result, tmp_path, monkeypatch):
    monkeypatch.setitem(words(), "most_clips", 5)
    made = consultation.prepare(result, tmp_path)
    assert [f.code for f in made.findings] == ["consultation.few_clips"]
    assert len(sheet_of(tmp_path / BOOK)._images) == 5


def test_a_map_shows_the_region_in_red_and_both_sides(result, case):
    group = next(group for group in case.groups if group.kind == "K04")
    ground = clips.Ground(case, written.read(result, []), [clips.window_of(group.main)])
    picture = Image.open(io.BytesIO(clips.drawn(group, ground))).convert("RGB")
    colours = {colour for count, colour in picture.getcolors(100_000) if count > 20}
    assert any(red > 180 and green < 60 and blue < 60 for red, green, blue in colours)
    assert any(blue > 150 and red < 60 for red, _, blue in colours)
    assert any(red > 180 and 90 < green < 130 and blue < 30 for red, green, blue in colours)
    assert (255, 255, 255) in colours


def test_a_thin_region_stays_visible_under_the_lines_of_its_sides(result, case):
    thin = min(case.groups, key=lambda group: group.main.area / group.main.length)
    ground = clips.Ground(case, written.read(result, []), [clips.window_of(thin.main)])
    picture = Image.open(io.BytesIO(clips.drawn(thin, ground))).convert("RGB")
    red = sum(count for count, (r, g, b) in picture.getcolors(100_000) if r > 180 and g < 80 and b < 80)
    assert red > 30


@pytest.mark.parametrize(
    ("metres", "bar"), [(999.0, 500.0), (1000.0, 1000.0), (2300.0, 2000.0), (60.0, 50.0)]
)
def test_scale_bars_have_round_lengths(metres, bar):
    assert clips.scale_length(metres) == bar


def paragraphs(path):
    document = docx.Document(path)
    return [one.text for one in document.paragraphs if one.text.strip()], document.tables


def test_the_letter_says_what_the_result_holds_and_leaves_open_what_it_does_not(sent, case):
    lines, tables = paragraphs(sent / LETTER)
    text = "\n".join(lines)
    assert lines[0] == f"关于征求《{case.summary['title']}》图层冲突处理意见的函"
    assert lines[2].endswith("：")
    assert "水行政主管部门" in lines[2]
    regions = sum(group.regions for group in case.groups)
    assert f"{len(case.groups)} 组、{regions} 处冲突" in text
    assert "（反馈期限待填）" in text
    assert "（发文字号待编）" in text
    assert lines[-3:-1] == ["某局", "2026年11月24日"]
    kinds, data = tables
    area = {row["kind"]: row["ground_m2"] for row in case.summary["conflicts"]}
    for row in kinds.rows[1:]:
        cells = [cell.text for cell in row.cells]
        assert cells[4] == f"{area[cells[0]] / 1e4:,.4f}"
    assert "未提供" in {cell.text for row in data.rows for cell in row.cells}


def test_the_english_edition_has_no_chinese_of_ours(result, tmp_path):
    consultation.prepare(result, tmp_path, lang="en")
    lines, tables = paragraphs(tmp_path / "Consultation letter.docx")
    ours = (
        "\n".join(lines)
        .replace(case_of(result).summary["title"], "")
        .replace(case_of(result).rules_title["zh"], "")
    )
    assert not any("\u4e00" <= sign <= "\u9fff" for sign in ours)
    assert [cell.text for cell in tables[0].rows[0].cells][:2] == ["Kind", "Conflict"]
    assert sheet_of(tmp_path / "Conflicts and replies.xlsx").cell(4, 2).value == "Conflict id"


def test_regions_lie_in_the_geopackage_with_the_same_numbers(sent, case):
    frame = geopandas.read_file(sent / "consultation.gpkg", layer="regions")
    assert frame["group"].tolist() == [group.id for group in case.groups]
    assert frame.crs.to_epsg() == 4549
    for shape, group in zip(frame.geometry, case.groups):
        assert shape.equals(group.geometry)


def test_a_department_gets_only_what_concerns_it(result, tmp_path, case):
    made = consultation.prepare(result, tmp_path, department="water")
    meant = [group.id for group in case.groups if "water" in (group.department, *group.concerned)]
    assert [group.id for group in made.case.groups] == meant
    lines, _ = paragraphs(tmp_path / LETTER)
    assert lines[2] == "水行政主管部门："


def test_a_letter_on_some_groups_of_a_kind_gives_their_area_and_not_that_of_the_kind(case, tmp_path):
    first = next(one for one in case.groups if sum(one.kind == other.kind for other in case.groups) > 1)
    letter.write_letter(tmp_path / LETTER, replace(case, groups=(first,)), Facts(), "zh", ())
    _, (kinds, *_) = paragraphs(tmp_path / LETTER)
    assert [cell.text for cell in kinds.rows[1].cells][3:5] == [str(first.regions), f"{first.hectares:,.4f}"]


def test_text_of_the_data_is_never_run_as_a_formula(make_job, tmp_path):
    folder = zoned(make_job, tmp_path, "a", names=('=HYPERLINK("http://x","y")', "@evil"))
    consultation.prepare(folder, tmp_path / "out")
    page = sheet_of(tmp_path / "out" / BOOK)
    cells = [cell for row in page.iter_rows() for cell in row if cell.value]
    assert {cell.data_type for cell in cells} <= {"s", "n"}
    assert any("HYPERLINK" in str(cell.value) for cell in cells)


def test_no_path_of_this_machine_goes_out(sent, result):
    for path in sent.iterdir():
        parts = [path.read_bytes()]
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                parts += [archive.read(name) for name in archive.namelist()]
        assert not any(str(result).encode() in part or b"/tmp/" in part for part in parts)


def test_a_list_that_was_filled_in_is_not_replaced(result, tmp_path, case):
    consultation.prepare(result, tmp_path)
    consultation.prepare(result, tmp_path)  # as it was written: may be written anew
    filled(tmp_path / BOOK, tmp_path / BOOK, {case.groups[0].id: answer()})
    before = (tmp_path / BOOK).read_bytes()
    with pytest.raises(SwcError, match="edited"):
        consultation.prepare(result, tmp_path)
    assert (tmp_path / BOOK).read_bytes() == before


def test_a_file_of_somebody_else_is_not_replaced(result, tmp_path):
    (tmp_path / LETTER).write_text("mine")
    with pytest.raises(SwcError, match="not_ours"):
        consultation.prepare(result, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [LETTER]


@pytest.mark.parametrize("fails_at", range(1, 9))
def test_files_are_exchanged_all_or_none(tmp_path, monkeypatch, fails_at):
    names = ["a.docx", "b.xlsx", "c.gpkg", "consultation.json"]
    for name in names[1:]:
        (tmp_path / name).write_text("old")
    calls = []

    def replace(source, target, plain=os.replace):
        calls.append(source)
        if len(calls) == fails_at:
            raise OSError("no space")
        plain(source, target)

    monkeypatch.setattr(os, "replace", replace)
    whole = fails_at > 7
    told = nullcontext() if whole else pytest.raises(SwcError, match="unwritable")
    with told, consultation.placed(tmp_path, "consultation") as aside:
        for name in names:
            (aside / name).write_text("new")
    meant = dict.fromkeys(names, "new") if whole else dict.fromkeys(names[1:], "old")
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == meant


def test_without_python_docx_all_but_the_letter_is_written_and_it_is_said_what_to_install(
    result, tmp_path, monkeypatch
):
    monkeypatch.setitem(__import__("sys").modules, "docx", None)
    made = consultation.prepare(result, tmp_path)
    assert [f.code for f in made.findings] == ["consultation.needs_docx"]
    assert "pip install python-docx" in made.findings[0].sentence("zh")
    assert sorted(made.files) == ["book", "document", "regions"]


# --- coming back -----------------------------------------------------------------------------------


def answers_of(adoption):
    return {row.group.id: [reply.opinion for reply in row.replies] for row in adoption.rows if row.replies}


def test_replies_are_read_whatever_was_done_to_the_sheet(sent, case, tmp_path):
    chosen = [group.id for group in case.groups[::7]]
    given = {group: answer(f"意见 {at}") for at, group in enumerate(chosen)}

    def rearrange(book, page):
        first = heading_row(page)[0].row + 1
        rows = [[cell.value for cell in row] for row in page.iter_rows(min_row=first)]
        random.Random(3).shuffle(rows)
        for at, row in enumerate(rows[:-2], start=first):
            for place, value in enumerate(row, start=1):
                page.cell(at, place).value = value
        page.delete_rows(first + len(rows) - 2, 2)
        page.insert_cols(3)
        page.cell(heading_row(page)[0].row, 3).value = "内部备注"
        page.delete_rows(1)
        page.title = "答复"
        book.create_sheet("说明", 0).append(["请见后页"])

    path = filled(sent / BOOK, tmp_path / "back.xlsx", given, rearrange)
    kept = {row["group"]: row["opinion"] for row in table_of_sheet(path, "答复") if row["opinion"]}
    adoption = replies.adoption_of(case, [path])
    assert answers_of(adoption) == {group: [text] for group, text in kept.items()}
    assert len(kept) >= len(chosen) - 2


def table_of_sheet(path, name):
    page = openpyxl.load_workbook(path)[name]
    at = places(page)
    first = heading_row(page)[0].row + 1
    return [
        {column: page.cell(row, place).value for column, place in at.items()}
        for row in range(first, page.max_row + 1)
    ]


def zoned(
    make_job, tmp_path, name, names=("红线一", "红线二"), ids=None, shift=0.0, turned=False, gone=False
):
    """A small city with two red lines over one development boundary, without `ids` known by their shape."""
    red = [
        (box(100, 100, 400, 300 + shift), {"tier": "biodiversity"}),
        (box(600, 100, 900, 300), {"tier": "biodiversity"}),
    ]
    red = [(shape, {**values, "mc": text}) for (shape, values), text in zip(red, names)]
    if ids:
        red = [(shape, {**values, "id": one}) for (shape, values), one in zip(red, ids)]
    if gone:
        red = red[:1]
    made = make_job(
        extent=[(box(0, 0, 1000, 1000), {"code": "310115", "name": "东区"})],
        ecological_redline=red[::-1] if turned else red,
        urban_development_boundary=[(box(0, 0, 1000, 200), {"tier": "concentrated"})],
    )
    document = json.loads(made.read_text(encoding="utf-8"))
    for layer in document["layers"]:
        if layer["role"] == "ecological_redline":
            layer["name_field"] = "mc"
    made.write_text(json.dumps(document), encoding="utf-8")
    folder = tmp_path / name
    run.run(job.load(made)).write(folder)
    return folder


@pytest.mark.parametrize("ids", [None, ("1", "2")])
def test_replies_outlive_a_run_with_features_shuffled_and_renumbered_and_pieces_changed(
    make_job, tmp_path, ids
):
    first = zoned(make_job, tmp_path, "first", ids=ids)
    consultation.prepare(first, tmp_path / "sent")
    before = [group for group in case_of(first).groups if group.kind == "K04"]
    given = {group.id: answer(group.first.short("zh") + group.second.short("zh")) for group in before}
    path = filled(tmp_path / "sent" / BOOK, tmp_path / "back.xlsx", given)
    later = case_of(zoned(make_job, tmp_path, "second", ids=ids and ids[::-1], turned=True, shift=3.0))
    adoption = replies.adoption_of(later, [path])
    found = {
        row.group.second.short("zh"): row.replies[0].opinion
        for row in adoption.rows
        if row.group.kind == "K04"
    }
    assert len(found) == 2
    assert all(opinion.endswith(name) for name, opinion in found.items())
    assert not adoption.unmatched


def test_a_reply_to_a_conflict_that_is_gone_and_a_conflict_without_reply_are_told(make_job, tmp_path):
    first = zoned(make_job, tmp_path, "first")
    consultation.prepare(first, tmp_path / "sent")
    given = {group.id: answer() for group in case_of(first).groups if group.kind == "K04"}
    path = filled(tmp_path / "sent" / BOOK, tmp_path / "back.xlsx", given)
    adoption = replies.adoption_of(case_of(zoned(make_job, tmp_path, "second", gone=True)), [path])
    assert [row.cells["feature_b"].split("（")[0] for row in adoption.unmatched] == ["红线二"]
    assert [f.code for f in adoption.findings if f.code == "consultation.unmatched"] == [
        "consultation.unmatched"
    ]
    none = replies.adoption_of(case_of(first), [tmp_path / "sent" / BOOK])
    assert [f.code for f in none.findings] == ["consultation.unanswered"]


def test_rows_without_ids_are_matched_by_place_alone(sent, case, tmp_path):
    group = next(group for group in case.groups if group.kind == "K09")

    def without_ids(book, page):
        page.delete_cols(places(page)["group"])

    path = filled(sent / BOOK, tmp_path / "back.xlsx", {group.id: answer()}, without_ids)
    adoption = replies.adoption_of(case, [path])
    assert answers_of(adoption) == {group.id: ["同意"]}
    assert "consultation.by_place" in {f.code for f in adoption.findings}


def test_a_reply_given_on_another_area_is_told(sent, case, tmp_path):
    group = case.groups[0]
    path = filled(sent / BOOK, tmp_path / "back.xlsx", {group.id: answer(area_ha=group.hectares * 1.1)})
    codes = [f.code for f in replies.adoption_of(case, [path]).findings]
    assert "consultation.area_changed" in codes


def test_the_adoption_table_is_filled_imported_and_kept_as_the_record(sent, result, case, tmp_path):
    k10 = next(group for group in case.groups if group.kind == "K10")
    given = {case.groups[0].id: answer(), case.groups[1].id: answer("不同意"), k10.id: answer("归入预防区")}
    path = filled(sent / BOOK, tmp_path / "back.xlsx", given)
    replies.record(result, [path], tmp_path / "out")
    table = tmp_path / "out" / TABLE
    decided = {
        case.groups[0].id: {"verdict": "采纳"},
        case.groups[1].id: {"verdict": "不采纳", "reason": "界线已经批准"},
    }
    filled(table, table, decided)
    made = replies.record(result, [path, table], tmp_path / "out")
    assert (tmp_path / "out" / "意见采纳情况表.1.xlsx").is_file()
    document = json.loads(made.files["record"].read_text(encoding="utf-8"))
    counts = {
        "groups": len(case.groups),
        "answered": 3,
        "unanswered": len(case.groups) - 3,
        "replies": 3,
        "no_comment": 0,
    }
    assert document["summary"] == {**counts, "adopted": 1, "partly": 0, "rejected": 1, "undecided": 1}
    item = next(one for one in document["items"] if one["id"] == case.groups[1].id)
    (reply,) = item["replies"]
    assert (reply["verdict"], reply["reason"], reply["number"]) == (
        "rejected",
        "界线已经批准",
        "某函〔2026〕1号",
    )
    facts = consultation_record.order_facts(made.files["record"])
    assert facts == {"consultation_no": "某函〔2026〕1号", "consultation_date": "20261120"}
    asked = order.load(
        {"schema": 1, "compiler": "某局", "consultation": "consultation_record.json"}, tmp_path / "out"
    )
    assert (asked.consultation_no, asked.consultation_date) == ("某函〔2026〕1号", "20261120")
    lines, (rows,) = paragraphs(tmp_path / "out" / "意见采纳情况表.docx")
    assert "已答复 3 组" in lines[1]
    assert len(rows.rows) == len(case.groups) + 1


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({"verdict": "也许"}, "consultation.verdict_unknown"),
        ({"verdict": "不采纳"}, "consultation.reason_missing"),
        ({"verdict": "部分采纳"}, "consultation.reason_missing"),
        ({"verdict": "采纳", "opinion": None}, "consultation.verdict_without_reply"),
        ({"reply_date": "明天"}, "consultation.date_bad"),
        ({"reply_date": "2026-02-30"}, "consultation.date_bad"),
    ],
)
def test_what_may_not_be_said_stops_the_import_with_its_line(sent, result, case, tmp_path, said, code):
    group = case.groups[3]
    replies.record(result, [sent / BOOK], tmp_path / "out")
    path = filled(tmp_path / "out" / TABLE, tmp_path / "back.xlsx", {group.id: {**answer(), **said}})
    with pytest.raises(Blocked) as blocked:
        replies.record(result, [path], tmp_path / "again")
    errors = [f for f in blocked.value.findings if f.severity == "error"]
    assert [f.code for f in errors] == [code]
    rows = table_of(path)
    assert errors[0].facts["line"] == 5 + [row["group"] for row in rows].index(group.id)
    assert not (tmp_path / "again").exists()


def test_two_departments_may_answer_one_conflict(sent, case, tmp_path):
    group = case.groups[0]
    one = filled(sent / BOOK, tmp_path / "1.xlsx", {group.id: answer("同意")})
    other = filled(sent / BOOK, tmp_path / "2.xlsx", {group.id: answer("不同意", unit="另一局")})
    adoption = replies.adoption_of(case, [one, other, one])
    assert answers_of(adoption) == {group.id: ["同意", "不同意"]}


def test_no_comment_is_an_answer_that_nothing_has_to_be_said_about(sent, case, tmp_path):
    path = filled(sent / BOOK, tmp_path / "back.xlsx", {case.groups[0].id: answer("无意见。")})
    adoption = replies.adoption_of(case, [path])
    assert adoption.counts()["no_comment"] == adoption.counts()["answered"] == 1
    assert "consultation.undecided" not in {f.code for f in adoption.findings}


def test_an_adoption_table_that_was_filled_in_is_not_replaced_unless_it_is_read(sent, result, case, tmp_path):
    path = filled(sent / BOOK, tmp_path / "back.xlsx", {case.groups[0].id: answer()})
    replies.record(result, [path], tmp_path / "out")
    filled(tmp_path / "out" / TABLE, tmp_path / "out" / TABLE, {case.groups[0].id: {"verdict": "采纳"}})
    with pytest.raises(SwcError, match="edited"):
        replies.record(result, [path], tmp_path / "out")
    assert (
        replies.record(result, [tmp_path / "out" / TABLE], tmp_path / "out").adoption.counts()["adopted"] == 1
    )


def test_a_result_without_conflicts_gives_a_letter_that_says_so(make_job, tmp_path):
    made = make_job(
        extent=[(box(0, 0, 1000, 1000), {"code": "310115", "name": "东区"})],
        ecological_redline=[(box(100, 100, 400, 300), {"tier": "biodiversity"})],
    )
    run.run(job.load(made)).write(tmp_path / "result")
    consultation.prepare(tmp_path / "result", tmp_path / "out")
    lines, _ = paragraphs(tmp_path / "out" / LETTER)
    assert any("未发现达到列出标准的冲突" in line for line in lines)
    assert any("未作核对" in line and "永久基本农田" in line for line in lines)


def test_a_formula_or_a_foreign_workbook_is_refused(sent, case, tmp_path):
    def formula(book, page):
        page.cell(heading_row(page)[0].row + 1, places(page)["opinion"]).value = "=1+1"

    path = filled(sent / BOOK, tmp_path / "formula.xlsx", {}, formula)
    with pytest.raises(SwcError, match="formula"):
        replies.adoption_of(case, [path])
    book = openpyxl.Workbook()
    book.active.append(["a", "b"])
    book.save(tmp_path / "other.xlsx")
    with pytest.raises(SwcError, match="no_columns"):
        replies.adoption_of(case, [tmp_path / "other.xlsx"])


def test_a_record_that_is_none_is_refused(tmp_path):
    (tmp_path / "record.json").write_text('{"what": "comparison"}', encoding="utf-8")
    with pytest.raises(SwcError, match="record_bad"):
        order.load({"schema": 1, "consultation": "record.json"}, tmp_path)


def test_whom_to_ring_up_stands_in_the_letter_alone(result, tmp_path):
    consultation.prepare(result, tmp_path, Facts(contact="张三", phone="021-0000"))
    assert "张三" in paragraphs(tmp_path / LETTER)[0][-1]
    assert "张三" not in (tmp_path / "consultation.json").read_text(encoding="utf-8")


def test_departments_are_named_as_settings_say():
    facts = consultation.facts_of(
        {"departments": {"water": "某市水务局"}, "compiler": "某局", "stage": "draft"}
    )
    assert conflict_groups.department_name("water", facts, "zh") == "某市水务局"
    with pytest.raises(SwcError, match="setting"):
        consultation.facts_of({"departments": {"police": "x"}})
    with pytest.raises(SwcError, match="setting"):
        consultation.facts_of({"deadlin": "20261224"})


def test_the_command_asks_and_takes_in(result, tmp_path, case, capsys):
    assert cli.main(["consult", str(result), "--output", str(tmp_path / "sent")]) == 0
    path = filled(tmp_path / "sent" / BOOK, tmp_path / "back.xlsx", {case.groups[0].id: answer()})
    capsys.readouterr()
    arguments = ["consult", str(result), "--replies", str(path), "--output", str(tmp_path / "out")]
    assert cli.main([*arguments, "--progress", "json"]) == 0
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {event.get("code") for event in events} >= {"consultation.unanswered", "consultation.undecided"}
    assert set(events[-1]) == {"event", "adoption", "adoption_letter", "record"}
    assert cli.main(["consult", str(tmp_path), "--output", str(tmp_path / "x")]) == 2
