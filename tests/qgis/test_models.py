# SPDX-License-Identifier: GPL-2.0-or-later
"""The shipped models: in the toolbox, in the real qgis_process, and made again by their tool."""

from __future__ import annotations

import json
import os
import re
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from grids import flat_delta
from qgis.core import Qgis, QgsProcessingContext, QgsProcessingFeedback, QgsProcessingModelAlgorithm

from swc_zoning.engine.evaluation import chains

ROOT = Path(__file__).resolve().parents[2]
IDS = ("wholecity", "bydistrict", "threelines")
#: The version the files are made with.
MADE_WITH = (32200, 32299)


@pytest.fixture(scope="module")
def stage(tmp_path_factory):
    """Return a folder with the plugin staged from the sources as they are."""
    folder = tmp_path_factory.mktemp("stage")
    subprocess.run([sys.executable, str(ROOT / "tools/stage.py"), "--output", str(folder)], check=True)
    return folder


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """Return the folder of a small demo city."""
    from swc_zoning.qgis_bridge import host

    folder = tmp_path_factory.mktemp("city") / "demo"
    words = ["-m", "swc_zoning", "demo", "--output", str(folder), "--scale", "0.05"]
    subprocess.run([host.search("").child.python, *words], check=True, capture_output=True, cwd=ROOT)
    return folder


def qgis_process(stage, *arguments):
    return subprocess.run(
        [str(ROOT / "tools/qgis_process.sh"), *map(str, arguments)],
        env={**os.environ, "SWC_ZONING_STAGE": str(stage), "SWC_ZONING_LANG": "en"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
    )


def output_names(stage, model):
    """Return the outputs of a model as this version of QGIS calls them, by their last part."""
    said = qgis_process(stage, "help", f"swc_zoning:{model}").stdout
    names = re.findall(r"^((?:\w+:)?[A-Z_]+):", said, re.MULTILINE)
    return {name.rpartition(":")[2]: name for name in names}


def run(stage, model, folder, *given):
    """Run a model in the real qgis_process and return the summary of its result."""
    names = output_names(stage, model)
    out, zones = folder / "out", folder / "zones.gpkg"
    outputs = [f"--{names['OUTPUT']}={out}", f"--{names['ZONES']}={zones}"]
    done = qgis_process(stage, "run", f"swc_zoning:{model}", *given, *outputs)
    assert done.returncode == 0, done.stdout + done.stderr
    assert zones.is_file()
    return json.loads((out / "summary.json").read_text(encoding="utf-8"))


def extent(demo):
    return f"{demo}/基础/XZQ.gpkg"


def lines(demo):
    return [
        f"--ECOLOGICAL_REDLINE={demo}/三线/STBHHX.gpkg",
        f"--PERMANENT_BASIC_FARMLAND={demo}/三线/YJJBNTTB.shp",
        f"--URBAN_DEVELOPMENT_BOUNDARY={demo}/三线/CZKFBJ.gdb",
    ]


def districts(summary):
    return {row["district_code"]: row["plane_m2"] for row in summary["by_district"]}


def roles_of(summary):
    return {role for row in summary["crosstab"] for role in row["roles"]}


def test_the_whole_city_comes_from_its_job(stage, demo, tmp_path):
    summary = run(stage, "wholecity", tmp_path, f"--JOB={demo}/job.json")
    assert len(districts(summary)) > 3
    assert {"ecological_redline", "drinking_water_source", "nature_park"} <= roles_of(summary)


def test_a_district_is_zoned_alone_and_has_the_area_it_has_in_the_city(stage, demo, tmp_path):
    job, field = f"--EXTENT={extent(demo)}", "--CODE_FIELD=XZQDM"
    whole = run(stage, "threelines", tmp_path, job, *lines(demo))
    assert roles_of(whole) == {
        "ecological_redline",
        "permanent_basic_farmland",
        "urban_development_boundary",
    }
    code = sorted(districts(whole))[1]
    one = run(stage, "bydistrict", tmp_path / "one", job, field, f"--CODE={code}", *lines(demo))
    assert districts(one) == {code: pytest.approx(districts(whole)[code], rel=1e-6)}


def test_the_steps_run_one_after_the_other_in_the_real_program(stage, demo, tmp_path):
    prepared, pieces, zones = (tmp_path / f"{name}.gpkg" for name in ("整理", "pieces", "zones"))
    frame = f"--EXTENT={extent(demo)}"
    layers = [line.replace(line.partition("=")[0], "--LAYERS") for line in lines(demo)]
    for algorithm, *given in (
        ("preparelayers", frame, *layers, f"--OUTPUT={prepared}"),
        ("partition", f"--PREPARED={prepared}", f"--PIECES={pieces}"),
        ("assignzones", f"--PIECES={pieces}", f"--OUTPUT={zones}"),
    ):
        done = qgis_process(stage, "run", f"swc_zoning:{algorithm}", *given)
        assert done.returncode == 0, done.stdout + done.stderr
    with closing(sqlite3.connect(zones)) as connection:
        rows = connection.execute("SELECT DISTINCT combo, status FROM zones").fetchall()
    assert {"ecological_redline", "urban_development_boundary"} <= {combo for combo, _ in rows}
    assert {status for _, status in rows} <= {"confirmed", "pending"}


def test_a_flat_delta_is_delineated_in_the_real_program(stage, tmp_path):
    target = tmp_path / "重要区.gpkg"
    names = output_names(stage, "flatdelta")
    given = [f"--{key}={one}" for key, value in flat_delta(tmp_path).items() for one in many(value)]
    done = qgis_process(stage, "run", "swc_zoning:flatdelta", *given, f"--{names['PATCHES']}={target}")
    assert done.returncode == 0, done.stdout + done.stderr
    with closing(sqlite3.connect(target)) as connection:
        rows = connection.execute("SELECT DISTINCT ZYXDJ FROM swc_function_important").fetchall()
    assert {tier for (tier,) in rows} == {"极重要", "重要"}


def many(value):
    return value if isinstance(value, list) else [value]


# --- in the toolbox --------------------------------------------------------------------------------


@pytest.mark.parametrize(("lang", "name"), [("zh", "整市分区"), ("en", "Zone a whole city")])
def test_models_have_lasting_ids_and_names_in_both_languages(provider, monkeypatch, lang, name):
    monkeypatch.setenv("SWC_ZONING_LANG", lang)
    for model in IDS:
        algorithm = provider.algorithm(model).create()
        assert isinstance(algorithm, QgsProcessingModelAlgorithm)
        assert algorithm.id() == f"swc_zoning:{model}"
        assert algorithm.groupId() == "models"
    assert provider.algorithm("wholecity").create().displayName() == name


def test_inputs_and_outputs_have_a_label_and_help_in_one_language(provider):
    for model in IDS:
        algorithm = provider.algorithm(model).create()
        names = {definition.name().rpartition(":")[2] for definition in algorithm.parameterDefinitions()}
        assert {"EXTENT", "ECOLOGICAL_REDLINE", "RULES", "ZONES", "OUTPUT"} <= names
        for definition in algorithm.parameterDefinitions():
            assert re.fullmatch(r"[^\u4e00-\u9fff]+", definition.description()), definition.name()
            assert not re.search(r"[\u4e00-\u9fff]", definition.help()), definition.name()


def test_a_model_whose_inputs_are_wrong_fails_in_words(provider, demo):
    algorithm = provider.algorithm("bydistrict").create()
    given = {"EXTENT": extent(demo), "CODE_FIELD": "XZQDM", "CODE": "no such code"}
    feedback = QgsProcessingFeedback(False)
    _, ok = algorithm.run(given, QgsProcessingContext(), feedback)
    assert not ok
    assert "extent" in feedback.textLog().lower()


@pytest.mark.skipif(
    not MADE_WITH[0] <= Qgis.versionInt() <= MADE_WITH[1], reason="another QGIS writes them in other words"
)
def test_the_files_are_what_their_tool_makes(stage, tmp_path):
    from swc_zoning.processing_algs import models

    words = [sys.executable, str(ROOT / "tools/make_models.py"), "--output", str(tmp_path)]
    environment = {**os.environ, "PYTHONPATH": str(stage), "QT_QPA_PLATFORM": "offscreen"}
    subprocess.run(words, check=True, env=environment, capture_output=True)
    made = {path.name: path.read_bytes() for path in tmp_path.glob("*.model3")}
    shipped = {path.name: path.read_bytes() for path in (ROOT / "resources/models").iterdir()}
    assert set(made) == {f"{name}.model3" for name in (*models.IDS, *chains.chains())}
    assert made == shipped
