# SPDX-License-Identifier: GPL-2.0-or-later
"""One statutory line goes in once, and every output says from which papers it is."""

from __future__ import annotations

import hashlib
import json

import numpy as np
import pyogrio
import pytest
import shapely
from pyogrio import raw

from swc_zoning.engine import intake, versions
from swc_zoning.engine import job as jobs
from swc_zoning.engine import run as runs
from swc_zoning.engine.job import Job, LayerInput, Options
from swc_zoning.engine.messages import Blocked
from swc_zoning.engine.progress import Progress

REDLINE, WATER = "ecological_redline", "drinking_water_source"
PAPERS = {"data_date": "2023-05-01", "approval_no": "国函〔2023〕1号"}


def box(x=0.0, y=0.0, size=10.0):
    return shapely.box(500000 + x, 3450000 + y, 500000 + x + size, 3450000 + y + size)


def write(path, geometry, **columns):
    columns = columns or {"k": ["a"] * len(geometry)}
    wkb = np.empty(len(geometry), dtype=object)
    wkb[:] = [shapely.to_wkb(one) for one in geometry]
    raw.write(
        str(path),
        geometry=wkb,
        field_data=[np.array(values, dtype=object) for values in columns.values()],
        fields=np.array(list(columns), dtype=object),
        geometry_type="Polygon",
        crs="EPSG:4549",
    )
    return path


def layer(source, role=REDLINE, **values):
    tier = {"tier": {"value": "biodiversity"}} if role == REDLINE else {}
    return LayerInput(role=role, source=str(source), **{**tier, **values})


def job(*layers, **options):
    return Job("", None, "EPSG:4549", None, None, tuple(layers), Options(**options))


def look(*layers, **options):
    return intake.inspect(job(*layers, **options))


def told(findings, code):
    return [finding for finding in findings if finding.code == code]


def of_versions(findings):
    return {finding.code for finding in findings if finding.code.startswith("versions.")}


@pytest.fixture
def old(tmp_path):
    return write(tmp_path / "old.gpkg", [box(0), box(20), box(40)])


@pytest.fixture
def new(tmp_path):
    """Nearly the same line as `old`."""
    return write(tmp_path / "new.gpkg", [box(1), box(20), box(40, size=11)])


@pytest.fixture
def apart(tmp_path):
    return write(tmp_path / "apart.gpkg", [box(500)])


# --- two layers ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("first", "second", "differs"),
    [
        ({"data_date": "2021"}, {"data_date": "2023"}, "data_date"),
        ({"approval_no": "1号"}, {"approval_no": "2号"}, "approval_no"),
        ({"data_date": "２０２１年"}, {"data_date": "2023-05-01"}, "data_date"),
    ],
)
def test_two_layers_on_the_same_ground_with_other_papers_are_two_versions(old, new, first, second, differs):
    with pytest.raises(Blocked) as caught:
        intake.read(job(layer(old, **first), layer(new, provider="规划局", **second)), Progress())
    finding = told(caught.value.findings, "versions.two")[0]
    facts = finding.facts
    assert (facts["role"], facts["differs"]) == (REDLINE, differs)
    assert facts["first_papers"] == {
        "version": "",
        "approval_no": "",
        "data_date": "",
        "provider": "",
        **first,
    }
    assert facts["second_papers"]["provider"] == "规划局"
    assert (facts["first_m2"], facts["second_m2"], facts["difference_m2"]) == (300, 321, 21)
    assert facts["share"] == pytest.approx(290 / 300 * 100, abs=2)
    assert [(fix.entry, fix.change, fix.sure) for fix in finding.fixes] == [
        (0, {"use": False}, False),
        (1, {"use": False}, False),
    ]


def test_leaving_one_version_out_settles_it_and_is_told(old, new):
    findings = look(layer(old, data_date="2021", use=False), layer(new, data_date="2023"))
    assert of_versions(findings) == {"versions.left_out", "versions.undated"}
    result = intake.read(job(layer(old, use=False), layer(new)), Progress())
    assert [record.layer for record in result.layers] == ["new"]
    assert set(result.features.layer.tolist()) == {0}


def test_two_versions_may_be_accepted(old, new):
    given = job(layer(old, data_date="2021"), layer(new, data_date="2023"), accept=())
    accepted = jobs.load({**given.as_json(), "options": {"accept": ["versions.two"]}})
    findings = intake.read(accepted, Progress()).findings
    assert told(findings, "intake.accepted")[0].facts["accepted"] == "versions.two"


def test_papers_that_say_the_same_less_exactly_do_not_differ(old, apart):
    findings = look(layer(old, data_date="2023"), layer(apart, data_date="2023-05-01"))
    assert "versions.apart" not in of_versions(findings)


def test_layers_that_share_no_ground_are_parts_and_the_difference_is_told(old, apart):
    finding = told(look(layer(old, data_date="2021"), layer(apart, data_date="2023")), "versions.apart")[0]
    assert finding.severity == "warning"
    assert (finding.facts["share"], finding.facts["difference_m2"]) == (0, 200)


def test_two_layers_of_much_the_same_ground_that_say_nothing_ask_to_choose(old, new, apart):
    finding = told(look(layer(old), layer(new)), "versions.same_ground")[0]
    assert finding.severity == "error"
    assert {fix.entry for fix in finding.fixes} == {0, 1}
    assert of_versions(look(layer(old), layer(apart))) == {"versions.undated"}
    assert of_versions(look(layer(old), layer(new, role="parcels"))) == {"versions.undated"}


def test_a_core_within_its_outer_zone_is_no_second_version(tmp_path):
    core = write(tmp_path / "core.gpkg", [box(10, 10, 10)])
    outer = write(tmp_path / "outer.gpkg", [box(0, 0, 30)])
    for core_tier, outer_tier in (({"value": "level1"}, {"value": "level2"}), (None, None)):
        findings = look(
            layer(core, WATER, tier=core_tier, data_date="2020"),
            layer(outer, WATER, tier=outer_tier, data_date="2023"),
        )
        assert of_versions(findings) == {"versions.apart", "versions.undated"}


@pytest.mark.parametrize("rows", [3, 2000])
def test_shared_ground_is_estimated_within_two_percent(tmp_path, rows):
    rng = np.random.default_rng(7)
    size = rng.uniform(1, 9, rows)
    geometry = [box(20 * i, size=s) for i, s in enumerate(size)]
    share = rng.uniform(0.3, 0.7, rows)
    other = [shapely.box(*np.array(one.bounds) * 1.0) for one in geometry]
    other = [
        shapely.box(o.bounds[0], o.bounds[1], o.bounds[0] + s * p, o.bounds[3])
        for o, s, p in zip(other, size, share)
    ]
    exact = sum(one.area for one in other) / sum(one.area for one in geometry)
    first = layer(write(tmp_path / "a.gpkg", geometry), data_date="2020")
    second = layer(write(tmp_path / "b.gpkg", other), data_date="2023")
    facts = told(look(first, second), "versions.two")[0].facts
    assert facts["share"] == 100  # all of the smaller one lies in the larger one
    given = [
        versions.Given(i, REDLINE, "", {}, np.array(g, object), ["x"] * rows)
        for i, g in enumerate((geometry, other))
    ]
    assert versions._covered(given[0], given[1])[0] == pytest.approx(exact, abs=0.02)


def test_versions_named_in_the_job_are_refused_before_any_data_and_one_may_be_left_out(old, new):
    document = job(layer(old, version="2021"), layer(new, version="2023")).as_json()
    finding = told(jobs.check(document), "job.two_versions")[0]
    assert [(fix.entry, fix.change) for fix in finding.fixes] == [(0, {"use": False}), (1, {"use": False})]
    document["layers"][0]["use"] = False
    assert not told(jobs.check(document), "job.two_versions")
    document["layers"][1]["use"] = False
    assert told(jobs.check(document), "job.no_layers")


# --- one layer -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("SJNF", ["2020", "２０２３年", "2023"]),
        ("BGRQ", ["20200101", "2023-05-01", "2023/5/1"]),
        ("年度", [2020, 2023, 2023]),
        ("版本", ["初稿", "批复稿", "批复稿"]),
        ("Version", ["v1", "V2", "ｖ2"]),
    ],
)
def test_a_field_of_several_versions_that_overlap_offers_a_filter_to_each(tmp_path, field, values):
    geometry = [box(0), box(1), box(40)]
    path = write(tmp_path / "a.gpkg", geometry, **{field: values}, 名=["甲", "乙", "丙"])
    given = layer(path, filter="名 <> '丁'")
    finding = told(look(given), "versions.within")[0]
    assert finding.severity == "error"
    assert finding.facts["share"] == pytest.approx(60, abs=2)
    assert [(one["count"], one["area_m2"]) for one in finding.facts["by_version"]] == [(2, 200), (1, 100)]
    assert not any(fix.sure for fix in finding.fixes)
    for fix, count in zip(finding.fixes, (2, 1)):
        result = intake.read(job(layer(path, **fix.change)), Progress())
        assert result.layers[0].used == count
        assert "versions.within" not in of_versions(result.findings)


def test_versions_that_share_no_ground_may_stand_in_one_layer(tmp_path):
    path = write(tmp_path / "a.gpkg", [box(0), box(20)], SJNF=["2020", "2023"])
    assert "versions.within" not in of_versions(look(layer(path)))
    path = write(tmp_path / "b.gpkg", [box(0), box(1)], SJNF=["2023", "2023年"])
    assert "versions.within" not in of_versions(look(layer(path)))
    path = write(tmp_path / "c.gpkg", [box(0), box(1), box(20)], SJNF=["2023", "2023", "2020"])
    assert "versions.within" not in of_versions(look(layer(path)))


def test_a_filter_quotes_what_it_names():
    assert versions.only('a"b', ["x'; DROP TABLE y", 7], None) == ("\"a\"\"b\" IN (7, 'x''; DROP TABLE y')")


# --- papers ----------------------------------------------------------------------------------------


def test_a_statutory_line_without_papers_blocks_a_submission_until_it_is_accepted(old):
    assert told(look(layer(old)), "versions.undated")[0].severity == "info"
    with pytest.raises(Blocked) as caught:
        intake.read(job(layer(old, data_date="2023"), mode="submission"), Progress())
    finding = told(caught.value.findings, "versions.undated_submission")[0]
    assert finding.facts["missing"] == "approval_no"
    assert not of_versions(look(layer(old, **PAPERS), mode="submission"))
    assert not of_versions(look(layer(old, role="parcels"), mode="submission"))
    document = job(layer(old)).as_json()
    document["options"] = {
        "mode": "submission",
        "accept": [{"code": "versions.undated_submission", "layer": "old"}],
    }
    assert told(intake.read(jobs.load(document), Progress()).findings, "intake.accepted")


def test_the_one_date_all_features_carry_is_offered_as_that_of_the_data(tmp_path):
    path = write(tmp_path / "a.gpkg", [box(0), box(20)], SJNF=["2023", "２０２３年"], BB=["甲", "甲"])
    finding = told(look(layer(path)), "versions.undated")[0]
    assert [(fix.change, fix.sure) for fix in finding.fixes] == [({"data_date": "2023"}, False)]
    assert finding.facts["found"] == "SJNF: 2023"
    path = write(tmp_path / "b.gpkg", [box(0), box(20)], SJNF=["2023", "2022"])
    assert told(look(layer(path)), "versions.undated")[0].fixes == ()


@pytest.mark.parametrize(
    ("words", "highest"),
    [
        (["公开", "秘密★10年", "机密"], "机密"),
        (["internal", ""], "内部"),
        (["", ""], ""),
        (["看情况", "公开"], "公开"),
        (["看情况"], ""),
    ],
)
def test_the_highest_secrecy_is_that_of_the_inputs_and_never_invented(words, highest):
    said = versions.secrecy([{"layer": f"l{i}", "secrecy": word} for i, word in enumerate(words)])
    assert said["highest"] == highest
    assert said["not_ranked"] == [word for word in words if word == "看情况"]
    assert said["not_stated"] == [f"l{i}" for i, word in enumerate(words) if not word]


def test_papers_reach_every_output_and_pieces_can_be_joined_to_them(tmp_path, old, apart):
    extent = write(tmp_path / "e.gpkg", [box(-50, -50, 900)], code=["310101"], name=["甲"])
    papers = {**PAPERS, "version": "批复稿", "provider": "规划局", "secrecy": "秘密"}
    given = {
        "schema": 1,
        "crs": "EPSG:4549",
        "extent": {"source": str(extent), "secrecy": "公开"},
        "layers": [
            jobs._said(layer(old, **papers)),
            jobs._said(layer(apart, WATER, tier={"value": "level1"}, data_date="2020")),
        ],
    }
    files = runs.run(given).write(tmp_path / "out")
    summary = json.loads(files.summary.read_text(encoding="utf-8"))
    entry = summary["inputs"][1]
    assert {key: entry[key] for key in papers} == papers
    assert summary["secrecy"] == {"highest": "秘密", "not_ranked": [], "not_stated": ["apart"]}
    inputs = pyogrio.read_dataframe(files.zoning, layer="inputs").set_index("input")
    row = inputs.loc[1]
    assert {key: row[key] for key in papers} == papers
    assert (row["role"], row["layer"], row["source"]) == (REDLINE, "old", "old.gpkg")
    assert (row["count"], row["used"], row["crs"], row["encoding"]) == (3, 3, "EPSG:4549", "UTF-8")
    assert row["sha256"] == entry["sha256"] != hashlib.sha256(b"").hexdigest()
    assert str(tmp_path) not in inputs.to_csv()
    sources = pyogrio.read_dataframe(files.zoning, layer="piece_sources").join(
        inputs, "input", rsuffix="_input"
    )
    assert (sources["role"] == sources["role_input"]).all()
    assert set(sources["data_date"]) == {"2023-05-01", "2020"}
