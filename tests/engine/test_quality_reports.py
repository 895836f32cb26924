# SPDX-License-Identifier: GPL-2.0-or-later
"""Reports of a check say what was found and what was not checked; the command answers by its status."""

from __future__ import annotations

import json
import sqlite3
import zipfile
from contextlib import closing

import openpyxl
import packages
import pytest
import shapely

from swc_zoning import cli
from swc_zoning.engine import formats
from swc_zoning.engine.messages import SwcError
from swc_zoning.engine.submission import opening, order, quality, quality_reports

BSM = "990101000000000001"


@pytest.fixture(scope="module")
def flawed(tmp_path_factory):
    """Return a package with an error, a warning that may be accepted, and text a spreadsheet would run."""

    def change(draft):
        draft.rows["SBGKFQ"][0]["SJNF"] = "26"
        draft.rows["SBGKFQ"][1]["FQMC"] = "=1+1"

    return packages.make(tmp_path_factory.mktemp("flawed"), change)


@pytest.fixture(scope="module")
def report(flawed):
    with opening.opened(flawed) as package:
        return quality.check(package, [order.Acceptance(code="6502", key="K05", reason="已征求意见")])


def test_the_workbook_has_every_rule_flaw_and_reason_and_runs_nothing(report, tmp_path):
    made = quality_reports.write(report, tmp_path / "out", "zh")
    book = openpyxl.load_workbook(made["xlsx"])
    assert book.sheetnames == ["规则汇总", "问题", "已接受的警告", "未检查", "说明"]
    states = {row[0]: row[3] for row in book["规则汇总"].iter_rows(min_row=2, values_only=True)}
    assert list(states) == list(quality.rules())
    assert (states["3401"], states["1101"], states["6504"]) == ("有问题", "通过", "未检查")
    told = list(book["问题"].iter_rows(min_row=2, values_only=True))
    assert {row[0] for row in told} == {"3301", "3401"}
    assert any("=1+1" in row[5] for row in told)
    [accepted] = book["已接受的警告"].iter_rows(min_row=2, values_only=True)
    assert accepted[-1] == "已征求意见"
    assert {cell.data_type for page in book for row in page.iter_rows() for cell in row} <= {"s", "n"}
    notes = " ".join(str(row[0]) for row in book["说明"].iter_rows(values_only=True))
    assert "不代替审查" in notes
    assert all(row["zh"] in notes for row in quality.human_only())


def test_the_layer_has_a_point_inside_what_is_wrong(report, flawed, tmp_path):
    made = quality_reports.write(report, tmp_path, "en")
    table = formats.read_back(made["gpkg"], quality_reports.LAYER)
    assert len(table) == len(report.flaws)
    with closing(sqlite3.connect(made["gpkg"])) as database:
        ask = "SELECT code, severity, bsm, text, accepted FROM findings WHERE bsm = ?"
        [(code, severity, bsm, text, accepted)] = database.execute(ask, (BSM,)).fetchall()
        assert database.execute("SELECT srs_id FROM gpkg_geometry_columns").fetchall() == [(4490,)]
    assert (code, severity, bsm, accepted) == ("3401", "E", BSM, "")
    assert "26" in text
    [flaw] = [flaw for flaw in report.flaws if flaw.bsm == BSM]
    with opening.opened(flawed) as package:
        assert package.sheet("SBGKFQ").geometry[0].contains(shapely.Point(flaw.place))


def test_the_lines_are_json_with_the_head_first(report, tmp_path):
    made = quality_reports.write(report, tmp_path, "zh", {"name": "某包"})
    lines = [json.loads(line) for line in made["jsonl"].read_text(encoding="utf-8").splitlines()]
    assert lines[0]["kind"] == "head"
    assert (lines[0]["name"], lines[0]["counts"]["E"], lines[0]["clean"]) == ("某包", 2, False)
    kinds = [line["kind"] for line in lines]
    assert kinds.count("flaw") == len(report.flaws)
    assert kinds.count("not_checked") == len(report.not_checked)
    assert all(line["text"] and line["fix"] and line["title"] for line in lines if line["kind"] == "flaw")


def test_reports_replace_reports_and_nothing_else(report, tmp_path):
    quality_reports.write(report, tmp_path)
    made = quality_reports.write(report, tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {path.name for path in made.values()}
    made["jsonl"].write_text("mine")
    with pytest.raises(SwcError, match=r"quality_reports\.not_ours"):
        quality_reports.write(report, tmp_path)
    assert made["jsonl"].read_text() == "mine"


def test_the_command_answers_by_its_status(flawed, tmp_path, capsys):
    clean = packages.make(tmp_path)
    assert cli.main(["validate", str(clean), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["clean"]
    assert document["profile"] == "shanghai"
    assert cli.main(["validate", str(flawed), "--json", "--lang", "en"]) == 1
    document = json.loads(capsys.readouterr().out)
    assert {flaw["code"] for flaw in document["flaws"]} == {"3301", "3401", "6502"}
    assert cli.main(["validate", str(flawed)]) == 1
    assert "3401" in capsys.readouterr().err
    assert cli.main(["validate", str(tmp_path / "nothing")]) == 2


def test_the_command_takes_a_zip_and_tells_its_reports_to_programs(flawed, tmp_path, capsys):
    archive = tmp_path / "x.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        for path in sorted(flawed.rglob("*")):
            packed.write(path, path.relative_to(flawed.parent).as_posix())
    accept = tmp_path / "a.json"
    accept.write_text('{"accepted": [{"code": "6502", "reason": "r"}]}')
    asked = ["validate", str(archive), "--output", str(tmp_path / "out"), "--accept", str(accept)]
    assert cli.main([*asked, "--progress", "json"]) == 0
    last = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert last["event"] == "result"
    assert set(last) == {"event", "report", "findings", "lines"}
    assert quality_reports.read_head(last["lines"])["counts"] == {
        **{"E": 2, "W": 1, "I": 0},
        **{"accepted": 1, "more": 0},
    }
    accept.write_text('[{"code": "6502"}]')
    assert cli.main(asked) == 2
