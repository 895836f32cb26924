# SPDX-License-Identifier: GPL-2.0-or-later
"""The command ``chapter``: its folder, its charts, and what it never replaces."""

import io
import json
from xml.etree import ElementTree

import pytest
from PIL import Image

from swc_zoning import cli
from swc_zoning.engine import comparison
from swc_zoning.engine.chapter import canvas, charts, proof
from swc_zoning.engine.chapter.figures import Figures
from swc_zoning.engine.messages import SwcError
from swc_zoning.paths import resource

TABLES = json.loads(resource("chapter", "tables.json").read_text(encoding="utf-8"))["tables"]
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def compared(zoned_city, tmp_path_factory):
    """A comparison of the result of the demo city with itself."""
    folder = tmp_path_factory.mktemp("compared")
    return comparison.write(comparison.compare(zoned_city, zoned_city), folder)["json"]


@pytest.fixture(scope="module", params=["zh", "en"])
def drawn(request, zoned_city, compared):
    made = Figures.of(zoned_city, lang=request.param)
    return made, {chart.id: chart for chart in charts.made(made, compared)}


def chapter(*arguments):
    return cli.main(["chapter", *map(str, arguments)])


def texts(chart):
    return [mark.text for mark in ElementTree.fromstring(chart.canvas.svg()).iter(f"{SVG}text")]


# --- charts ----------------------------------------------------------------------------------------


def test_every_number_on_a_chart_resolves_to_the_ledger(drawn):
    made, shown = drawn
    assert set(shown) == {"zones", "districts_land", "districts_sea", "flows"}
    everything = [text for chart in shown.values() for text in texts(chart)]
    assert sum(len(proof.runs(text)) for text in everything) > 40
    assert list(proof.unresolved(everything, made.as_json()["said"])) == []
    assert list(proof.differing(made.as_json()["said"], made.result / "zoning.gpkg")) == []


def test_a_bar_is_as_long_as_its_area(drawn):
    made, shown = drawn
    boxes = [mark for mark in shown["districts_land"].canvas.marks if isinstance(mark, canvas._Shape)]
    lengths = {}
    for mark in boxes:
        left, top = mark.points[0]
        if mark.points[2][1] - top == charts._BAR:
            lengths[top] = lengths.get(top, 0) + mark.points[1][0] - left
    rows = [row for row in made.rows("districts") if row["land"] == 1]
    longest = max(lengths.values()) / max(row["area_m2"] for row in rows)
    measured = [length for _, length in sorted(lengths.items())]
    assert measured == pytest.approx([row["area_m2"] * longest for row in rows], rel=1e-6)


def test_flows_say_the_areas_of_this_result_as_the_tables_do(drawn):
    made, shown = drawn
    said = texts(shown["flows"])
    for zone in {row["zone"] for row in made.rows("zones")}:
        assert said.count(made.say("zones", (zone, "confirmed", None), "area_m2", "ha")) >= 1


def test_flows_of_another_result_are_refused(drawn, compared, tmp_path):
    document = json.loads(compared.read_text(encoding="utf-8"))
    document["after"]["content_sha256"] = "0" * 64
    (tmp_path / "comparison.json").write_text(json.dumps(document), encoding="utf-8")
    with pytest.raises(SwcError) as caught:
        charts.made(drawn[0], tmp_path / "comparison.json")
    assert caught.value.code == "charts.other_result"


def test_a_chart_is_the_same_size_as_vector_and_as_picture(drawn):
    for chart in drawn[1].values():
        picture = Image.open(io.BytesIO(chart.canvas.png()))
        assert picture.size == (round(chart.canvas.width * 200 / 72), round(chart.canvas.height * 200 / 72))
        assert len(picture.getcolors(1 << 24)) > 3


def test_names_of_charts_are_cut_to_their_room():
    assert canvas.fitted("长江口青草沙水库第十二号街道", 9, 60) == "长江口…街道"
    assert canvas.text_width(canvas.fitted("Qingcaosha reservoir" * 9, 9, 60), 9) <= 60
    assert canvas.fitted("水土", 9, 1) == "…"
    assert canvas.fitted("short", 9, 60) == "short"


def test_hatches_keep_zones_apart_in_black_and_white(drawn):
    fills = charts._fills(drawn[0])
    hatched = [(fill.hatch, fill.colour) for fill in fills.values()]
    assert len(set(hatched)) == len(hatched)
    assert {fill.hatch for fill in fills.values()} >= {"both", "grid", "rising", "falling", "down", "across"}


# --- the folder ------------------------------------------------------------------------------------


def test_the_command_writes_tables_charts_and_the_ledger_and_says_that_maps_need_qgis(
    zoned_city, tmp_path, capsys
):
    assert chapter(zoned_city, "--output", tmp_path / "out", "--progress", "json") == 0
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert "chapter.maps_need_qgis" in [event.get("code") for event in events]
    assert events[-1]["event"] == "result"
    document = json.loads((tmp_path / "out/figures.json").read_text(encoding="utf-8"))
    written = {
        p.relative_to(tmp_path / "out").as_posix() for p in (tmp_path / "out").rglob("*") if p.is_file()
    }
    assert written == {*document["files"], "figures.json"}
    assert {"text.docx", "notes.docx", "tables.xlsx", "charts/zones.svg", "charts/zones.png"} <= written
    assert len([name for name in written if name.endswith(".csv")]) == len(TABLES)
    assert list(proof.differing(document["said"], zoned_city / "zoning.gpkg")) == []


def test_a_second_chapter_replaces_the_first_whole(zoned_city, tmp_path):
    assert chapter(zoned_city, "--output", tmp_path / "out") == 0
    (tmp_path / "out/notes.txt").write_text("mine", encoding="utf-8")
    assert chapter(zoned_city, "--output", tmp_path / "out", "--lang", "en") == 0
    names = [path.name for path in (tmp_path / "out/tables").iterdir()]
    assert "T3_Zones_by_district.csv" in names
    assert all(name.isascii() for name in names)
    assert (tmp_path / "out/notes.txt").read_text(encoding="utf-8") == "mine"


def test_a_file_edited_since_is_never_replaced(zoned_city, tmp_path, capsys):
    assert chapter(zoned_city, "--output", tmp_path / "out") == 0
    (tmp_path / "out/charts/zones.svg").write_text("<svg/>", encoding="utf-8")
    assert chapter(zoned_city, "--output", tmp_path / "out") == 2
    assert "chapter.edited" in capsys.readouterr().err
    assert (tmp_path / "out/charts/zones.svg").read_text(encoding="utf-8") == "<svg/>"
    assert (tmp_path / "out/figures.json").exists()


@pytest.mark.parametrize("name", ["tables.xlsx", "figures.json"])
def test_a_file_of_somebody_else_is_never_replaced(zoned_city, tmp_path, name):
    (tmp_path / name).write_text("{}", encoding="utf-8")
    assert chapter(zoned_city, "--output", tmp_path) == 2
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert (tmp_path / name).read_text(encoding="utf-8") == "{}"


def test_a_folder_without_a_result_is_wrong_use(tmp_path):
    assert chapter(tmp_path, "--output", tmp_path / "out") == 2
    assert not (tmp_path / "out").exists()


def test_many_districts_go_on_several_pages_to_one_scale(drawn):
    made, _ = drawn
    rows = [
        {**row, "district_code": f"{row['district_code']}-{n}"}
        for n in range(5)
        for row in made.rows("districts")
    ]
    many = Figures(
        made.result, None, made.lang, {**made._rows, "districts": rows, "district_zone": []}, made.table
    )
    pages = [chart for chart in charts.made(many) if chart.id.startswith("districts_land")]
    assert [chart.id for chart in pages] == [f"districts_land_{n}" for n in (1, 2, 3)]
    assert all(chart.canvas.height < 760 for chart in pages)
    names = [mark.text for chart in pages for mark in chart.canvas.marks if mark.__class__ is canvas._Text]
    assert sum(name == rows[0]["district_name"] for name in names) == 5
