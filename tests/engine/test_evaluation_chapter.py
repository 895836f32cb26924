# SPDX-License-Identifier: GPL-2.0-or-later
"""What a chapter says of important areas that an evaluation made, and of those that were supplied."""

import json
import shutil
import sqlite3
from contextlib import closing

import pytest
from evaluations import METHOD, RULES, record
from shapely.geometry import box
from test_chapter_documents import ORDER, lines, written

from swc_zoning import cli
from swc_zoning.engine import run
from swc_zoning.engine.chapter import proof, rate_series, tables
from swc_zoning.engine.chapter.figures import Figures
from swc_zoning.engine.evaluation import records
from swc_zoning.engine.submission import order


@pytest.fixture(scope="module", params=["zh", "en"])
def both(request, evaluated_city, tmp_path_factory):
    """Figures, tables and the paragraphs of both documents of an evaluated city."""
    folder = tmp_path_factory.mktemp("documents")
    figures, paths = written(evaluated_city, folder, request.param, order.load(ORDER))
    return figures, tables.made(figures), {kind: lines(path) for kind, path in paths.items()}


def column(sheet, name):
    place = [one.id for one in sheet.columns].index(name)
    return [row[place] for row in sheet.rows]


def area_of(result, level):
    ask = (
        "SELECT SUM(area_m2) FROM pieces WHERE piece_id IN (SELECT s.piece_id FROM piece_sources s"
        " JOIN evaluated e ON e.input = s.input AND e.source_id = s.source_id WHERE e.class = ?)"
    )
    with closing(sqlite3.connect(result / "zoning.gpkg")) as connection:
        return connection.execute(ask, (str(level),)).fetchone()[0]


def test_important_areas_stand_by_class_method_and_rule(both):
    figures, sheets, _ = both
    sheet = sheets["T17"]
    assert [cell.text for cell in column(sheet, "rule")][:-1] == [
        RULES[level][f"rule_{figures.lang}"] for level in (3, 2)
    ]
    assert {cell.text for cell in column(sheet, "method")[:-1]} == {METHOD[f"method_{figures.lang}"]}
    for cell, level in zip(column(sheet, "area"), (3, 2)):
        assert cell.value == pytest.approx(area_of(figures.result, level) / 1e6, abs=5e-5)
    whole = figures.value("whole", (), "area_m2")
    for area, share in zip(column(sheet, "area"), column(sheet, "share")):
        assert share.value == pytest.approx(100 * area.value * 1e6 / whole, abs=0.01)
    assert column(sheet, "patches")[-1].value == sum(one.value for one in column(sheet, "patches")[:-1])


def test_every_parameter_set_says_whether_it_was_verified(both):
    figures, sheets, _ = both
    names = [cell.text for cell in column(sheets["T17b"], "name")]
    assert names == [one[f"name_{figures.lang}"] for one in record()["parameter_sets"]]
    words = [cell.text for cell in column(sheets["T17b"], "status")]
    meant = [one["status"] for one in record()["parameter_sets"]]
    assert words == [tables.word(status, figures.lang) for status in meant]


def test_methods_that_do_not_discriminate_stand_beside_the_result_with_their_numbers(both):
    figures, sheets, _ = both
    first = [cell.text for cell in sheets["T17c"].rows[0]]
    assert first[1:4] == ["0.0000", "0.3700", "211.5000"]
    flat = records.sentence_of(record()["findings"][0], figures.lang)
    assert first[4] == flat, "only what is of this method"


def test_the_notes_say_why_a_national_method_does_not_decide(both):
    figures, _, texts = both
    notes = "\n".join(texts["notes"])
    for said in records.in_words(record(), figures.lang)[-2:]:
        assert said in notes
    for one in records.unverified(record()):
        assert one[f"name_{figures.lang}"] in notes
        assert one[f"name_{figures.lang}"] in "\n".join(texts["text"])
    assert "3.344" in notes, "what the sensitivity can reach"
    assert "cover.tif" in notes
    beside = {"zh": "只与划定结果并列", "en": "it stands beside the result"}[figures.lang]
    assert beside in notes, "published methods were run as well"


def test_every_number_of_an_evaluated_chapter_resolves(both):
    figures, sheets, texts = both
    said = figures.as_json()["said"]
    for one in texts.values():
        assert list(proof.unresolved(one, said)) == []
    cells = [cell.text for sheet in sheets.values() for row in sheet.rows for cell in row]
    assert list(proof.unresolved(cells, said)) == []
    assert list(proof.differing(said, figures.result / "zoning.gpkg")) == []


def test_a_layer_without_a_record_is_said_to_be_supplied(zoned_city, tmp_path):
    figures, paths = written(zoned_city, tmp_path, "zh", order.load(ORDER))
    assert "未附评价记录" in tables.made(figures)["T17"].absence
    for path in paths.values():
        assert "未附评价记录" in "\n".join(lines(path))


def test_a_result_from_before_evaluations_were_kept_makes_the_same_chapter(zoned_city, tmp_path):
    for name in ("zoning.gpkg", "summary.json"):
        shutil.copy(zoned_city / name, tmp_path / name)
    with closing(sqlite3.connect(tmp_path / "zoning.gpkg")) as connection, connection:
        connection.execute("DROP TABLE evaluated")
        connection.execute("DELETE FROM gpkg_contents WHERE table_name = 'evaluated'")
        connection.execute("DELETE FROM run WHERE item = 'evaluations'")
    old, new = (tables.made(Figures.of(folder)) for folder in (tmp_path, zoned_city))
    assert old == new


# --- the conservation rate ---------------------------------------------------------------------------

STATISTICS = """unit,year,total_km2,light_km2,moderate_km2
甲区,2023,100,1.5,0.5
乙区,2023,300,5,1
甲区,2024,100,1,0.4
乙区,2024,300,4.2,1
"""


@pytest.fixture
def rates(tmp_path):
    """The rate.csv that the evaluation makes of a table of two years."""
    pytest.importorskip("rasterio")
    from swc_zoning.engine.evaluation import running

    (tmp_path / "statistics.csv").write_text(STATISTICS, encoding="utf-8")
    made = running.run("conservationrate", {"table": "statistics.csv"}, tmp_path / "rates", tmp_path)
    return made.files["rate"]


def test_the_rate_stands_by_district_and_year_with_allowances_and_gaps(zoned_city, rates, tmp_path):
    arguments = ["chapter", zoned_city, "--output", tmp_path / "out", "--rates", rates, "--language", "zh"]
    assert cli.main([*map(str, arguments)]) == 0
    series = rate_series.of_file(rates)
    figures = Figures.of(zoned_city)
    sheet = tables.made(figures, only=["T18"], rates=series)["T18"]
    assert len(sheet.rows) == 6
    assert [number in sheet.sums for number in range(6)] == [False] * 4 + [True] * 2
    total = {one.id: cell for one, cell in zip(sheet.columns, sheet.rows[-1])}
    assert (total["unit"].text, total["year"].text) == ("合计", "2024")
    assert total["percent"].value == pytest.approx(100 * (400 - 6.6) / 400, abs=0.005)
    assert total["allowed_98.25_km2"].value == pytest.approx(7.0)
    assert total["gap_98.25_km2"].value == pytest.approx(-0.4)
    assert total["gap_98.45_km2"].value == pytest.approx(0.4)
    said = figures.as_json()["said"]
    heads = [one.title for one in sheet.columns]
    assert list(proof.unresolved([*heads, *(c.text for row in sheet.rows for c in row)], said)) == []
    notes = lines(tmp_path / "out" / "notes.docx")
    ledger = json.loads((tmp_path / "out" / "figures.json").read_text(encoding="utf-8"))["said"]
    assert any("允许流失面积和差额" in text for text in notes)
    assert list(proof.unresolved(notes, ledger)) == []


def test_a_rate_in_the_record_of_an_evaluation_is_found_there(evaluated_city, rates):
    figures = Figures.of(evaluated_city)
    assert rate_series.of_figures(figures) is None
    rows = json.loads((rates.parent / "run.json").read_text(encoding="utf-8"))["facts"]["rates"]
    kept = [{"role": "r", "layer": "l", "input": 1, "record": {"steps": [{"facts": {"rates": rows}}]}}]
    figures.evaluations = lambda: kept
    assert len(tables.made(figures, only=["T18"])["T18"].rows) == 6


def test_a_table_that_is_no_table_of_rates_is_refused(zoned_city, tmp_path, capsys):
    (tmp_path / "other.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    arguments = ["chapter", zoned_city, "--output", tmp_path / "out", "--rates", tmp_path / "other.csv"]
    assert cli.main([*map(str, arguments)]) == 2
    assert "other.csv" in capsys.readouterr().err
    assert tables.made(Figures.of(zoned_city), only=["T18"])["T18"].absence == "未提供，待补充"


def test_key_areas_of_an_evaluation_are_called_proposals_until_they_are_declared(make_job, tmp_path):
    shape = box(600000, 3450000, 601000, 3451000)
    path = make_job(
        extent=[(shape, {"code": "310101", "name": "甲区"})],
        key_prevention_zone=[(shape, {"id": "甲镇", "tier": "county", "unit_km2": 2.5})],
    )
    records.write(tmp_path / "key_prevention_zone.gpkg", {"algorithm": "keyareas"})
    for number, declared in enumerate((False, True)):
        document = json.loads(path.read_text(encoding="utf-8"))
        document["layers"][0].update({"approval_no": "甲府〔2020〕1号"} if declared else {})
        path.write_text(json.dumps(document), encoding="utf-8")
        run.run(path).write(tmp_path / f"result{number}")
        _, paths = written(tmp_path / f"result{number}", tmp_path / f"out{number}", "zh", order.load(ORDER))
        for one in paths.values():
            assert ("尚未公告" in "\n".join(lines(one))) != declared
