# SPDX-License-Identifier: GPL-2.0-or-later
"""The tools that take a job or layers by role: checking, conflicts, slivers; and what all tools share."""

from __future__ import annotations

import json

import layers
import pytest
from qgis.core import QgsProcessingContext

from swc_zoning.engine import reports


@pytest.fixture
def city(tmp_path):
    """Parameters of a city of 1 km2: farmland 300 m wide lies 100 m into the red line."""
    extent = layers.geojson(tmp_path / "xzq.geojson", [(0, 0, 1000)], [{"XZQDM": "990101", "XZQMC": "甲区"}])
    line = layers.geojson(tmp_path / "hx.geojson", [(0, 0, 500)], [{"HXBM": "1", "HXLX": "水源涵养"}])
    farm = layers.geojson(tmp_path / "nt.geojson", [(400, 400, 300)], [{"TBBH": "1"}])
    return {"EXTENT": extent, "ECOLOGICAL_REDLINE": line, "PERMANENT_BASIC_FARMLAND": farm}


def run(algorithm, **parameters):
    import processing

    return processing.run(f"swc_zoning:{algorithm}", parameters)


def rows(layer, *names):
    return [tuple(feature[name] for name in names) for feature in layer.getFeatures()]


# --- checking --------------------------------------------------------------------------------------


def test_a_check_is_a_layer_and_a_report_and_changes_nothing(provider, city, tmp_path):
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    answer = run("checkinputs", **city, FINDINGS="memory:", REPORT=str(tmp_path / "report.json"))
    report = reports.read(tmp_path / "report.json")
    assert [row["code"] for row in report["findings"]] == [
        code for (code,) in rows(answer["FINDINGS"], "code")
    ]
    assert answer["ERRORS"] == report["counts"]["error"]
    assert report["crs"] == answer["FINDINGS"].crs().authid()
    assert all(path.read_bytes() == data for path, data in before.items())


def test_what_blocks_a_run_is_an_answer_of_a_check_not_its_failure(provider, tmp_path):
    (tmp_path / "job.json").write_text(
        json.dumps({"schema": 1, "layers": [{"role": "wetland", "source": "gone.gpkg"}]}), encoding="utf-8"
    )
    answer = run("checkinputs", JOB=str(tmp_path / "job.json"), FINDINGS="memory:")
    assert answer["ERRORS"] >= 1
    assert ("job.source_missing", "error") in rows(answer["FINDINGS"], "code", "severity")


def test_a_finding_with_a_place_is_a_point(provider, city, tmp_path):
    bow = tmp_path / "bow.geojson"
    ring = [[600000, 3450000], [600100, 3450100], [600100, 3450000], [600000, 3450100], [600000, 3450000]]
    feature = {
        "type": "Feature",
        "properties": {"BSM": "7"},
        "geometry": {"type": "Polygon", "coordinates": [ring]},
    }
    crs = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::4549"}}
    bow.write_text(json.dumps({"type": "FeatureCollection", "crs": crs, "features": [feature]}))
    answer = run("checkinputs", **{**city, "NATURE_PARK": str(bow)}, FINDINGS="memory:")
    places = [one.geometry().asPoint() for one in answer["FINDINGS"].getFeatures() if one.hasGeometry()]
    assert any(abs(place.x() - 600050) < 60 and abs(place.y() - 3450050) < 60 for place in places)


# --- conflicts -------------------------------------------------------------------------------------


def test_conflicts_are_listed_down_to_the_size_asked_for(provider, city, tmp_path):
    found = run("findconflicts", **city, CONFLICTS="memory:", OUTPUT=str(tmp_path / "a"))["CONFLICTS"]
    assert [area for (area,) in rows(found, "plane_m2")] == [pytest.approx(1e4, abs=1e-3)]
    assert all(rule for (rule,) in rows(found, "settling_rule"))
    none = run("findconflicts", **city, MIN_AREA=20000.0, CONFLICTS="memory:", OUTPUT=str(tmp_path / "b"))
    assert none["CONFLICTS"].featureCount() == 0


# --- slivers ---------------------------------------------------------------------------------------


@pytest.fixture
def with_sliver(tmp_path):
    """The folder of a result in which two parcels of one layer leave a sliver 5 cm wide."""
    extent = layers.geojson(tmp_path / "xzq.geojson", [(0, 0, 1000)], [{"XZQDM": "990101", "XZQMC": "甲区"}])
    parcels = layers.geojson(
        tmp_path / "nt.geojson", [(0, 0, 500), (0, 499.95, 400)], [{"TBBH": "1"}, {"TBBH": "2"}]
    )
    run("delineatezones", EXTENT=extent, PERMANENT_BASIC_FARMLAND=parcels, OUTPUT=str(tmp_path / "first"))
    return tmp_path / "first"


def summary(folder):
    return json.loads((folder / "summary.json").read_text(encoding="utf-8"))


def test_slivers_are_merged_without_a_change_of_any_zone(provider, with_sliver, tmp_path):
    before = (with_sliver / "summary.json").read_bytes()
    run("mergeslivers", RESULT=str(with_sliver), MEAN_WIDTH=0.1, OUTPUT=str(tmp_path / "second"))
    first, second = summary(with_sliver), summary(tmp_path / "second")
    assert second["total"]["pieces"] == first["total"]["pieces"] - 1
    zones = [{row["zone"]: row["area_m2"] for row in one["by_zone"]} for one in (first, second)]
    assert zones[0] == zones[1]
    assert (with_sliver / "summary.json").read_bytes() == before


def test_merging_by_verdicts_needs_verdicts(provider, with_sliver):
    algorithm = provider.algorithm("mergeslivers").create()
    parameters = {"RESULT": str(with_sliver), "MERGE": 1}
    possible, reason = algorithm.checkParameterValues(parameters, QgsProcessingContext())
    assert not possible
    assert "verdicts" in reason


def test_a_folder_without_a_result_is_refused_in_words(provider, tmp_path):
    from qgis.core import QgsProcessingException

    with pytest.raises(QgsProcessingException, match="result"):
        run("mergeslivers", RESULT=str(tmp_path), OUTPUT=str(tmp_path / "out"))


# --- what all tools share --------------------------------------------------------------------------


def own(provider):
    return [algorithm for algorithm in provider.algorithms() if type(algorithm).__module__.startswith("swc_")]


IDS = {
    *("democity", "checkinputs", "importboundary", "delineatezones", "mergeslivers", "findconflicts"),
    *("ellipsoidalarea", "closeareas", "checkruletable", "comparezonings", "screenprojects"),
}


def test_the_ids_never_change(provider):
    assert {algorithm.name() for algorithm in own(provider)} >= IDS


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_every_tool_and_every_parameter_explains_itself(provider, lang, monkeypatch):
    monkeypatch.setenv("SWC_ZONING_LANG", lang)
    for algorithm in (one.create() for one in own(provider)):
        name = algorithm.name()
        assert algorithm.displayName(), name
        assert len(algorithm.shortHelpString()) > 40, name
        assert algorithm.group(), name
        for parameter in algorithm.parameterDefinitions():
            assert parameter.description(), f"{name} {parameter.name()}"
            assert parameter.help(), f"{name} {parameter.name()}"
            # Help may name a Chinese word that data use.
            said = parameter.description() + algorithm.displayName()
            assert any("一" <= letter <= "鿿" for letter in said) == (lang == "zh"), said


def test_a_tool_makes_new_tools_of_its_own_kind(provider):
    for algorithm in own(provider):
        again = algorithm.createInstance()
        assert type(again) is type(algorithm)
        assert again is not algorithm
        assert algorithm.flags() is not None
