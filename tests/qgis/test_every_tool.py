# SPDX-License-Identifier: GPL-2.0-or-later
"""Every tool in the real qgis_process, on small inputs, below a folder with Chinese and a blank in its name.

A case says which tool runs with which parameters, and what must come of it. `{name}` in a value stands
for an input, `{case.OUTPUT}` for what another case wrote, which then runs first. Models are in
`test_models`, all tools of the evaluation but one in `test_evaluation_tools`.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import layers
import pytest
from qgis.core import QgsFeatureRequest, QgsVectorLayer

from swc_zoning.engine.evaluation import declared

ROOT = Path(__file__).resolve().parents[2]


class Case(NamedTuple):
    """Outputs are {parameter: file name}; what must come of it: `rows` {parameter: how many features},
    `sums` {parameter: (field or $area, sum)}, `holds` {parameter or a file below it: {path in the JSON:
    value}}, `blocked` words of a failure.
    """

    tool: str
    given: dict[str, Any]
    outputs: dict[str, str]
    rows: dict[str, int] = {}  # noqa: RUF012
    sums: dict[str, tuple[str, float]] = {}  # noqa: RUF012
    holds: dict[str, dict[str, Any]] = {}  # noqa: RUF012
    blocked: str = ""


CITY = {"EXTENT": "{extent}", "ECOLOGICAL_REDLINE": "{line}", "PERMANENT_BASIC_FARMLAND": "{farm}"}
LAYERS = {"EXTENT": "{extent}", "LAYERS": ["{line}", "{farm}"]}
SITE = {"RESULT": "{zoned.OUTPUT}", "PROJECTS": "{works}", "ID_FIELD": "no", "KIND": 3}
CLOSING = {"INPUT": "{measured.OUTPUT}", "AREA": "ellips_m2", "GROUP": "part"}
ORDER = {"COMPILER": "示范单位", "CODE": "990100", "AREA_NAME": "甲市", "DATE": "2026-01-01"}
PACKAGE = "990100甲市水土保持空间管控成果_20260101"
CONTROLS = {"CONTROLS": "{controls}", "CONTROL_GROUP": "part", "CONTROL_AREA": "approved"}

#: The city is 1 km2; 300 m wide farmland reaches 100 m into a red line of 500 m, beside it lies more
#: farmland, 5 cm into the first.
CASES = {
    "demo": Case("democity", {"SCALE": 0.02}, {"OUTPUT": "demo"}),
    "check": Case(
        "checkinputs",
        {"JOB": "{job}"},
        {"FINDINGS": "found.gpkg", "REPORT": "check.json", "FIXED": "fixed.json"},
        holds={"REPORT": {"crs": "EPSG:4549", "counts.error": 0}, "FIXED": {"schema": 1}},
    ),
    "check_layers": Case(
        "checkinputs",
        {**CITY, "NATURE_PARK": "{bow}"},
        {"FINDINGS": "bow.gpkg", "REPORT": "bow.json"},
        holds={"REPORT": {"crs": "EPSG:4549", "counts.error": 0}},
    ),
    "maps": Case(
        "makemaps",
        {"RESULT": "{zoned.OUTPUT}", "SHEETS": "1,5", "DISTRICTS": True, "FORMATS": "0,2", "DPI": 72},
        {"OUTPUT": "sheets"},
    ),
    "maps_nothing": Case(
        "makemaps", {"RESULT": "{folder}"}, {"OUTPUT": "no_sheets"}, blocked="no complete result"
    ),
    "chapter": Case(
        "writechapter",
        {"RESULT": "{merged.OUTPUT}", "LANG": 0},
        {"OUTPUT": "chapter"},
        holds={"OUTPUT/figures.json": {"what": "chapter", "lang": "zh"}},
    ),
    "chapter_nothing": Case(
        "writechapter", {"RESULT": "{folder}"}, {"OUTPUT": "no_chapter"}, blocked="no complete result"
    ),
    "tables": Case(
        "maketables",
        {"RESULT": "{zoned.OUTPUT}", "LANG": 1},
        {"OUTPUT": "tables"},
        holds={"OUTPUT/figures.json": {"what": "chapter", "lang": "en"}},
    ),
    "check_nothing": Case("checkinputs", {}, {"REPORT": "none.json"}, blocked="job file"),
    "imported": Case(
        "importboundary",
        {"SOURCE": "{points}", "CRS": "EPSG:4528"},
        {"OUTPUT": "boundary.gpkg"},
        rows={"OUTPUT": 1},
        sums={"OUTPUT": ("$area", 1e6)},
    ),
    "prepared": Case("preparelayers", LAYERS, {"OUTPUT": "prepared.gpkg"}),
    "divided": Case("partition", LAYERS, {"PIECES": "pieces.gpkg"}, sums={"PIECES": ("plane_m2", 1e6)}),
    "divided_prepared": Case(
        "partition",
        {"PREPARED": "{prepared.OUTPUT}"},
        {"PIECES": "pieces2.gpkg"},
        sums={"PIECES": ("plane_m2", 1e6)},
    ),
    "assigned": Case(
        "assignzones",
        {"PIECES": "{divided.PIECES}"},
        {"OUTPUT": "decided.gpkg"},
        rows={"OUTPUT": 6},
    ),
    "assigned_nothing": Case(
        "assignzones", {"PIECES": "{farm}"}, {"OUTPUT": "undecided.gpkg"}, blocked="members"
    ),
    "zoned": Case(
        "delineatezones",
        CITY,
        {
            "OUTPUT": "zoned",
            "PIECES": "p.gpkg",
            "ZONES": "z.gpkg",
            "CONFLICTS": "c.gpkg",
            "SLIVERS": "s.gpkg",
        },
        rows={"CONFLICTS": 1, "SLIVERS": 1, "PIECES": 6},
        sums={"PIECES": ("plane_m2", 1e6), "ZONES": ("plane_m2", 1e6)},
    ),
    "merged": Case(
        "mergeslivers",
        {"RESULT": "{zoned.OUTPUT}"},
        {"OUTPUT": "merged", "PIECES": "merged.gpkg"},
        rows={"PIECES": 5},
        sums={"PIECES": ("plane_m2", 1e6)},
    ),
    "merged_nothing": Case(
        "mergeslivers", {"RESULT": "{folder}"}, {"OUTPUT": "none"}, blocked="no complete result"
    ),
    "conflicts": Case(
        "findconflicts",
        {**CITY, "MIN_AREA": 100.0},
        {"OUTPUT": "conflicts", "CONFLICTS": "conflicts.gpkg", "FINDINGS": "f.gpkg"},
        rows={"CONFLICTS": 1},
        sums={"CONFLICTS": ("plane_m2", 1e4)},
    ),
    "compared": Case(
        "comparezonings",
        {"BEFORE": "{zoned.OUTPUT}", "AFTER": "{merged.OUTPUT}"},
        {"OUTPUT": "compared", "CHANGES": "changes.gpkg", "MATRIX": "matrix.csv"},
        rows={"CHANGES": 0},
        holds={"OUTPUT/comparison.json": {"changed.by_cause": []}},
    ),
    "screened": Case(
        "screenprojects",
        SITE,
        {
            "OUTPUT": "screened",
            "PROJECTS_OUT": "projects.gpkg",
            "CROSSINGS": "crossings.gpkg",
            "CARDS": "cards",
        },
        rows={"PROJECTS_OUT": 1, "CROSSINGS": 1},
        holds={"OUTPUT/screening.json": {"projects.0.kind": "spoil_site", "projects.0.siting": "banned"}},
    ),
    "exported": Case(
        "exportsubmission",
        {"RESULT": "{merged.OUTPUT}", "CHAPTER": "{chapter.OUTPUT}", **ORDER},
        {"OUTPUT": "packages", "FINDINGS": "exported.gpkg"},
        holds={
            f"OUTPUT/{PACKAGE}/06_元数据/run.json": {"order.compiler": "示范单位"},
            f"OUTPUT/{PACKAGE}/03_文本/figures.json": {"what": "chapter"},
        },
    ),
    "exported_unsigned": Case(
        "exportsubmission",
        {"RESULT": "{merged.OUTPUT}", "AREA_NAME": "甲市"},
        {"OUTPUT": "unsigned"},
        blocked="compiler",
    ),
    "validated": Case(
        "validatesubmission",
        {"PACKAGE": f"{{exported.OUTPUT}}/{PACKAGE}"},
        {"OUTPUT": "checked", "FINDINGS": "checked.gpkg"},
    ),
    "validated_nothing": Case("validatesubmission", {}, {"OUTPUT": "none"}, blocked="Name one package"),
    "listed": Case(
        "coordinatelist",
        {"INPUT": "{parts}", "NAME_FIELD": "part", "ENCODING": 1, "ATTRIBUTES": 1},
        {"OUTPUT": "coordinates.txt"},
    ),
    "consulted": Case(
        "consultation",
        {"RESULT": "{merged.OUTPUT}", "COMPILER": "示范单位"},
        {"OUTPUT": "consulted"},
        holds={"OUTPUT/consultation.json": {"what": "consultation"}},
    ),
    "measured": Case(
        "ellipsoidalarea",
        {"INPUT": "{parts}"},
        {"OUTPUT": "measured.gpkg"},
        rows={"OUTPUT": 2},
        sums={"OUTPUT": ("plane_m2", 2e4)},
    ),
    "closed": Case(
        "closeareas",
        {**CLOSING, **CONTROLS},
        {"OUTPUT": "closed.gpkg"},
        rows={"OUTPUT": 2},
        sums={"OUTPUT": ("closed_m2", 20001.5)},
    ),
    "strips": Case(
        "bankstrips",
        {"WATERS": "{works}", "CLASS_FIELD": "no", "WIDTHS": ["1", "10"]},
        {"STRIPS": "strips.gpkg", "RECORD": "strips.json"},
        rows={"STRIPS": 1},
        holds={"RECORD": {"algorithm": "bankstrips", "inputs.0.file": "works.geojson"}},
    ),
    "table": Case("checkruletable", {}, {"OUTPUT": "table.csv"}),
    "table_missing": Case("checkruletable", {"RULES": "{job}"}, {"OUTPUT": "wrong.csv"}),
}


# --- running ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def stage(tmp_path_factory):
    """Return a folder with the plugin staged from the sources as they are."""
    folder = tmp_path_factory.mktemp("stage")
    subprocess.run([sys.executable, str(ROOT / "tools/stage.py"), "--output", str(folder)], check=True)
    return folder


@pytest.fixture(scope="module")
def workshop(stage, tmp_path_factory):
    return Workshop(stage, tmp_path_factory.mktemp("工作 目录"))


class Workshop:
    """Inputs, and what the cases made of them; each runs once."""

    def __init__(self, stage: Path, folder: Path) -> None:
        self.stage, self.folder = stage, folder
        self.inputs = inputs(folder)
        self.done: dict[str, subprocess.CompletedProcess] = {}

    def run(self, name: str) -> subprocess.CompletedProcess:
        """Return how a case ended, after the cases whose outputs it takes."""
        if name not in self.done:
            case = CASES[name]
            words = [
                f"--{key}={self.filled(one)}" for key, value in case.given.items() for one in many(value)
            ]
            words += [f"--{key}={self.folder / file}" for key, file in case.outputs.items()]
            self.done[name] = self.call("run", f"swc_zoning:{case.tool}", *words)
        return self.done[name]

    def filled(self, value: Any) -> str:
        return re.sub(r"\{([\w.]+)\}", lambda found: self.named(found[1]), str(value))

    def named(self, word: str) -> str:
        name, _, output = word.partition(".")
        if not output:
            return self.inputs[name]
        done = self.run(name)
        assert done.returncode == 0, f"{name}: {done.stdout}{done.stderr}"
        return str(self.folder / CASES[name].outputs[output])

    def call(self, *words: str) -> subprocess.CompletedProcess:
        return subprocess.run(
            [str(ROOT / "tools/qgis_process.sh"), *words],
            env={**os.environ, "SWC_ZONING_STAGE": str(self.stage), "SWC_ZONING_LANG": "en"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=180,
        )


def many(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def inputs(folder: Path) -> dict[str, str]:
    """Write the inputs and return their paths by name."""
    farmland = [(400, 400, 300), (400, 699.95, 100)]
    drawn = {
        "extent": ("XZQ", [(0, 0, 1000)], [{"XZQDM": "990101", "XZQMC": "甲区"}]),
        "line": ("STBHHX", [(0, 0, 500)], [{"HXBM": "1", "HXLX": "水源涵养"}]),
        "farm": ("YJJBNTTB", farmland, [{"YJJBNTTBBH": "1"}, {"YJJBNTTBBH": "2"}]),
        "works": ("works", [(600, 600, 50)], [{"no": "1"}]),
        "parts": ("parts", [(0, 0, 100), (100, 0, 100)], [{"part": "A"}, {"part": "A"}]),
    }
    paths = {"folder": str(folder)}
    paths |= {
        name: layers.geojson(folder / f"{file}.geojson", squares, rows)
        for name, (file, squares, rows) in drawn.items()
    }
    job = {
        "schema": 1,
        "extent": {"source": "XZQ.geojson", "code_field": "XZQDM"},
        "layers": [{"role": "ecological_redline", "source": "STBHHX.geojson", "tier": {"field": "HXLX"}}],
    }
    texts = {
        "job": ("job.json", json.dumps(job)),
        "bow": ("bow.geojson", bow()),
        "points": ("界址点.csv", boundary_points()),
        "controls": ("controls.csv", "part,approved\nA,20001.5\n"),
        "controls_types": ("controls.csvt", "String,Real\n"),
    }
    for name, (file, text) in texts.items():
        (folder / file).write_text(text, encoding="utf-8")
        paths[name] = str(folder / file)
    return paths


def bow() -> str:
    """Return a polygon that crosses itself at (600050, 3450050)."""
    ring = [[600000, 3450000], [600100, 3450100], [600100, 3450000], [600000, 3450100], [600000, 3450000]]
    geometry = {"type": "Polygon", "coordinates": [ring]}
    crs = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::4549"}}
    feature = {"type": "Feature", "properties": {"BSM": "7"}, "geometry": geometry}
    return json.dumps({"type": "FeatureCollection", "crs": crs, "features": [feature]})


def boundary_points() -> str:
    corners = [(3450000, 40600000), (3451000, 40600000), (3451000, 40601000), (3450000, 40601000)]
    rows = [f"P1,J{n},{x},{y}" for n, (x, y) in enumerate([*corners, corners[0]], 1)]
    return "\n".join(["parcel,point,x,y", *rows])


def opened(path: Path) -> QgsVectorLayer:
    layer = QgsVectorLayer(str(path), path.stem, "ogr")
    assert layer.isValid(), path
    return layer


def summed(layer: QgsVectorLayer, field: str) -> float:
    features = layer.getFeatures(QgsFeatureRequest())
    return sum(one.geometry().area() if field == "$area" else one[field] for one in features)


def at(document: Any, path: str) -> Any:
    """Return what stands at a path of keys and, in lists, of numbers."""
    for step in path.split("."):
        document = document[int(step)] if isinstance(document, list) else document[step]
    return document


# --- what must hold --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", CASES)
def test_a_tool_does_in_qgis_process_what_it_says(workshop, name):
    case, done = CASES[name], workshop.run(name)
    if case.blocked:
        assert done.returncode != 0
        assert case.blocked in done.stdout + done.stderr
        return
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    paths = {output: workshop.folder / file for output, file in case.outputs.items()}
    assert [output for output, path in paths.items() if not path.exists()] == []
    for path in paths.values():
        if path.suffix in (".gpkg", ".csv"):
            opened(path)
    for output, count in case.rows.items():
        assert opened(paths[output]).featureCount() == count, output
    for output, (field, total) in case.sums.items():
        assert summed(opened(paths[output]), field) == pytest.approx(total, abs=1e-3), output
    for output, wanted in case.holds.items():
        parameter, _, file = output.partition("/")
        document = json.loads((paths[parameter] / file).read_text(encoding="utf-8"))
        assert {path: at(document, path) for path in wanted} == wanted


def test_steps_taken_one_by_one_come_to_the_zones_of_a_whole_run(workshop):
    found = []
    for name in ("{assigned.OUTPUT}", "{zoned.PIECES}"):
        pieces = opened(Path(workshop.filled(name))).getFeatures()
        found.append({(one["piece_id"], one["zone"], one["status"], one["area_m2"]) for one in pieces})
    assert len(found[0]) == 6
    assert found[0] == found[1]


def test_a_prepared_file_has_the_layers_by_role(workshop):
    path = workshop.filled("{prepared.OUTPUT}")
    for role, count in {"admin_extent": 1, "ecological_redline": 1, "permanent_basic_farmland": 2}.items():
        layer = QgsVectorLayer(f"{path}|layername={role}", role, "ogr")
        assert (layer.featureCount(), layer.crs().authid()) == (count, "EPSG:4549")


def test_a_check_tells_a_mended_polygon_and_what_has_no_place_lies_nowhere(workshop):
    findings = opened(Path(workshop.filled("{check_layers.FINDINGS}"))).getFeatures()
    told = [(one["code"], one["layer"], one.geometry().isEmpty()) for one in findings]
    assert ("intake.repaired", "bow", True) in told, told


def test_a_mended_job_is_a_job(workshop):
    from swc_zoning.engine import job as jobs

    assert [layer.role for layer in jobs.load(Path(workshop.filled("{check.FIXED}"))).layers] == [
        "ecological_redline"
    ]


def test_what_is_no_table_is_told_in_rows(workshop):
    rows = opened(Path(workshop.filled("{table_missing.OUTPUT}")))
    assert "error" in {one["severity"] for one in rows.getFeatures()}


def test_the_demo_city_can_be_zoned(workshop):
    [job] = Path(workshop.filled("{demo.OUTPUT}")).glob("*/job.json")
    done = workshop.call("run", "swc_zoning:checkinputs", f"--JOB={job}", f"--REPORT={job.parent}/check.json")
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads((job.parent / "check.json").read_text(encoding="utf-8"))
    assert report["findings"]
    assert report["counts"]["error"] == 0


def test_cases_name_only_parameters_there_are(provider):
    for name, case in CASES.items():
        known = {one.name() for one in provider.algorithm(case.tool).parameterDefinitions()}
        # qgis_process says nothing of a parameter that it does not know.
        assert {*case.given, *case.outputs} <= known, name


def test_there_is_a_case_for_every_tool(provider):
    own = {one.name() for one in provider.algorithms() if not hasattr(one, "childAlgorithms")}
    covered = {case.tool for case in CASES.values()}
    assert covered & set(declared.algorithms())
    assert covered | set(declared.algorithms()) == own
