# SPDX-License-Identifier: GPL-2.0-or-later
"""Packages made, checked and looked at in QGIS, with the real engine in its child interpreter."""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path

import layers
import pytest
from qgis.core import (
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingFeatureSourceDefinition,
    QgsProcessingFeedback,
    QgsProject,
    QgsVectorLayer,
)

from swc_zoning.qgis_bridge import packages, styling

ORDER = {"COMPILER": "示范单位", "CODE": "990100", "AREA_NAME": "甲市", "DATE": "2026-01-01", "PUBLIC": False}


def run(name, parameters, context=None):
    import processing

    return processing.run(
        f"swc_zoning:{name}", parameters, context=context, feedback=QgsProcessingFeedback(False)
    )


@pytest.fixture(scope="module")
def made(tmp_path_factory, qgis_app):
    """What came of an export of a city of one square kilometre: a red line, farmland, a boundary."""
    from swc_zoning.plugin import SwcZoningPlugin

    folder = tmp_path_factory.mktemp("报送 out")
    plugin = SwcZoningPlugin(None)
    plugin.initProcessing()
    names = {"EXTENT": ({"XZQDM": "990101", "XZQMC": "甲区"}, (0, 0, 1000))}
    names["ECOLOGICAL_REDLINE"] = ({"HXBM": "1", "HXMC": "北线"}, (0, 500, 500))
    names["PERMANENT_BASIC_FARMLAND"] = ({"TBBH": "7"}, (300, 300, 300))
    inputs = {
        name: layers.geojson(folder / f"{name}.geojson", [box], [row]) for name, (row, box) in names.items()
    }
    run("delineatezones", {**inputs, "OUTPUT": str(folder / "result")})
    given = {**ORDER, "RESULT": str(folder / "result"), "OUTPUT": str(folder / "packages")}
    found = run("exportsubmission", {**given, "FINDINGS": str(folder / "found.gpkg")})
    plugin.unload()
    return found


@pytest.fixture
def archive(made, tmp_path):
    """The package as a zip."""
    package = Path(made["PACKAGE"])
    whole = shutil.make_archive(str(tmp_path / "成果 one"), "zip", package.parent, package.name)
    return Path(whole)


@pytest.fixture
def broken(made, tmp_path):
    """The package with the projection of one shapefile taken away."""
    package = shutil.copytree(made["PACKAGE"], tmp_path / Path(made["PACKAGE"]).name)
    next(package.rglob("SBGKFQ.prj")).unlink()
    return package


def shown_group(project):
    groups = [g for g in project.layerTreeRoot().findGroups(True) if g.name().startswith("Submission")]
    assert len(groups) == 1
    return groups[0]


def test_an_export_tells_its_package_and_the_counts_of_its_check(made):
    package = Path(made["PACKAGE"])
    assert package.name == "990100甲市水土保持空间管控成果_20260101"
    assert (made["ERRORS"], made["ACCEPTED"]) == (0, 0)
    assert made["WARNINGS"] > 0
    assert Path(made["REPORT"]).is_file()
    lines = Path(made["LINES"]).read_text(encoding="utf-8").splitlines()
    told = [json.loads(line) for line in lines]
    assert sum(row.get("severity") == "W" for row in told) == made["WARNINGS"]


def test_an_export_without_its_compiler_says_what_lacks(provider, made, tmp_path):
    result = str(Path(made["PACKAGE"]).parents[1] / "result")
    with pytest.raises(QgsProcessingException) as refused:
        run("exportsubmission", {**ORDER, "COMPILER": "", "RESULT": result, "OUTPUT": str(tmp_path)})
    assert "blocked" in str(refused.value) or "settled" in str(refused.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", ["folder", "zip"])
def test_a_package_made_anywhere_is_checked_and_shown_styled(provider, made, archive, load_results, kind):
    from qgis.core import QgsApplication

    given = {"PACKAGE": made["PACKAGE"]} if kind == "folder" else {"ARCHIVE": str(archive)}
    project, context, feedback = QgsProject.instance(), QgsProcessingContext(), QgsProcessingFeedback(False)
    context.setProject(project)
    algorithm = QgsApplication.processingRegistry().createAlgorithmById("swc_zoning:validatesubmission")
    parameters = {**given, "OUTPUT": "TEMPORARY_OUTPUT", "FINDINGS": "TEMPORARY_OUTPUT"}
    import processing

    found = processing.runAndLoadResults(algorithm, parameters, context=context, feedback=feedback)
    assert found["ERRORS"] == 0
    group = shown_group(project)
    names = [node.name() for node in group.findLayers()]
    assert names[0] == "Findings of the check"
    assert names[-1] == "Control zones"
    zones = group.findLayers()[-1].layer()
    assert zones.renderer().classAttribute() == "FQDM"
    occurring = {str(one["FQDM"]) for one in zones.getFeatures()}
    assert {category.value() for category in zones.renderer().categories()} == occurring
    project.clear()


@pytest.mark.parametrize("suffix", [".gdb", ".gpkg", ".shp"])
def test_a_zip_with_one_kind_of_data_can_be_shown(made, tmp_path, suffix, qgis_app):
    package = shutil.copytree(made["PACKAGE"], tmp_path / "package")
    for path in sorted(package.glob("01_*/*")):
        if path.suffix != suffix and not (suffix == ".shp" and path.name == "shp"):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    archive = shutil.make_archive(str(tmp_path / "one"), "zip", package.parent, package.name)
    shown = packages.survey(Path(archive), tmp_path / "into")
    assert set(shown.sources) >= {"SBGKFQ", "HXJY"}
    assert shown.zones["0403"] == "一般管控区"
    assert all(str(tmp_path / "into") in source for source in shown.sources.values())


def test_a_package_with_errors_is_no_failure_of_the_check(provider, broken, tmp_path):
    found = run("validatesubmission", {"PACKAGE": str(broken), "OUTPUT": str(tmp_path / "check")})
    assert found["ERRORS"] > 0
    told = packages.read_findings(Path(found["LINES"]))
    assert "1104" in {one["code"] for one in told if one["severity"] == "error"}


def test_warnings_are_accepted_from_a_file(provider, made, tmp_path):
    told = packages.read_findings(Path(made["LINES"]))
    code = next(one["code"] for one in told if one["severity"] == "warning")
    accepted = tmp_path / "accepted.json"
    accepted.write_text(json.dumps({"accepted": [{"code": code, "reason": "as approved"}]}), encoding="utf-8")
    given = {"PACKAGE": made["PACKAGE"], "ACCEPT": str(accepted), "OUTPUT": str(tmp_path / "check")}
    found = run("validatesubmission", given)
    count = sum(one["code"] == code and one["severity"] == "warning" for one in told)
    assert (found["ACCEPTED"], found["WARNINGS"]) == (count, made["WARNINGS"] - count)


def test_looking_again_takes_the_layers_of_the_last_look_away_and_no_others(made, qgis_new_project):
    project, shown = QgsProject.instance(), packages.survey(Path(made["PACKAGE"]), Path(made["OUTPUT"]))
    group = packages.show(project, shown, Path(made["PLACES"]))
    first = {node.layerId() for node in group.findLayers()}
    own = QgsVectorLayer("Polygon?crs=EPSG:4490", "mine", "memory")
    project.addMapLayer(own, False)
    group.addLayer(own)
    group.setName("to the ministry")
    again = packages.show(project, shown)
    assert again.customProperty(styling.RUN_PROPERTY) == group.customProperty(styling.RUN_PROPERTY)
    left = {node.layerId() for node in again.findLayers()}
    assert own.id() in left
    assert not first & left
    assert "Findings of the check" not in [node.name() for node in again.findLayers()]
    assert again.name() == "to the ministry"


def test_only_selected_polygons_are_listed(provider, tmp_path, qgis_new_project):
    squares = [(0, 0, 100), (200, 0, 50)]
    parts = layers.memory("parts", squares, "&field=MC:string", [["甲地"], ["乙地"]])
    QgsProject.instance().addMapLayer(parts)
    parts.selectByExpression("MC = '乙地'")
    chosen = QgsProcessingFeatureSourceDefinition(parts.id(), True)
    given = {"INPUT": chosen, "NAME_FIELD": "MC", "DATE": "2026-01-01", "OUTPUT": str(tmp_path / "点.txt")}
    found = run("coordinatelist", given)
    text = Path(found["OUTPUT"]).read_bytes().decode("gbk")
    blocks = [line for line in text.splitlines() if line.endswith("@")]
    assert len(blocks) == 1
    points, hectares, _, name, kind, *_ = blocks[0].split(",")
    assert (points, name, kind) == ("5", "乙地", "面")
    assert float(hectares) == pytest.approx(0.2499, abs=2e-4)
    assert "J4,1,3450000.000,600200.000" in text


def test_each_patch_can_have_a_file_of_its_own(provider, tmp_path):
    parts = layers.geojson(tmp_path / "parts.geojson", [(0, 0, 100), (200, 0, 50)], [{}, {}])
    found = run("coordinatelist", {"INPUT": parts, "SPLIT": True, "OUTPUT": str(tmp_path / "points.txt")})
    assert len(list(Path(found["OUTPUT"]).glob("*.txt"))) == 2


def test_a_consultation_goes_out_and_comes_back(provider, made, tmp_path):
    result = str(Path(made["PACKAGE"]).parents[1] / "result")
    out = run("consultation", {"RESULT": result, "COMPILER": "示范单位", "OUTPUT": str(tmp_path / "out")})
    assert Path(out["BOOK"]).is_file()
    back = run("consultation", {"RESULT": result, "REPLIES": [out["BOOK"]], "OUTPUT": str(tmp_path / "back")})
    assert Path(back["RECORD"]).is_file()
    assert "BOOK" not in back


def test_a_cancelled_export_is_over_soon_and_leaves_nothing(provider, made, tmp_path):
    result = str(Path(made["PACKAGE"]).parents[1] / "result")
    feedback = QgsProcessingFeedback(False)
    cancelled: list[float] = []

    def cancel(percent):
        if percent > 30 and not cancelled:
            cancelled.append(time.monotonic())
            feedback.cancel()

    feedback.progressChanged.connect(cancel)
    import processing

    given = {**ORDER, "RESULT": result, "OUTPUT": str(tmp_path / "packages")}
    with pytest.raises(QgsProcessingException):
        processing.run("swc_zoning:exportsubmission", given, feedback=feedback)
    assert time.monotonic() - cancelled[0] < 4
    left = list((tmp_path / "packages").rglob("*")) if (tmp_path / "packages").exists() else []
    assert left == []
