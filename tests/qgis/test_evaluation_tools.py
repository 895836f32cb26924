# SPDX-License-Identifier: GPL-2.0-or-later
"""The tools of the evaluation: made from their declarations, run on rasters of 12 x 10 cells."""

from __future__ import annotations

import importlib.util
import json
import re
import time
import zipfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import layers
import pytest
from grids import CELL, COLS, flat_delta, raster
from osgeo import gdal, osr
from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsProcessingContext,
    QgsProcessingFeatureSourceDefinition,
    QgsProcessingFeedback,
    QgsProcessingOutputLayerDefinition,
    QgsProcessingParameterDefinition,
    QgsProject,
    QgsRasterLayer,
    QgsRenderContext,
    QgsVectorFileWriter,
    QgsVectorLayer,
)

from swc_zoning.engine.evaluation import chains, declared


@pytest.fixture(scope="module")
def ground(tmp_path_factory):
    """Inputs by name: rasters on one grid, polygons, a table. Tests must not change them."""
    folder = tmp_path_factory.mktemp("评价 数据")
    byte = gdal.GDT_Byte
    paths = {
        "dem": raster(folder / "dem.tif", lambda r, c: 100 + 12 * r + (c % 3)),
        "ndvi": raster(folder / "ndvi.tif", lambda r, c: 0.1 + 0.06 * r),
        "cover": raster(folder / "cover.tif", lambda r, c: 0.09 * r),
        "slope": raster(folder / "slope.tif", lambda r, c: 3.2 * r),
        "relief": raster(folder / "relief.tif", lambda r, c: 10.0 * r),
        "rain": raster(folder / "rain.tif", lambda r, c: 100.0 + r),
        "value": raster(folder / "value.tif", lambda r, c: 1.0 + r * COLS + c),
        "ls": raster(folder / "ls.tif", lambda r, c: 0.5 + 0.1 * c),
        "classes": raster(folder / "classes.tif", lambda r, c: 1 + (c > 3) + (c > 7), byte),
        "other": raster(folder / "other.tif", lambda r, c: 1 + (r > 4), byte),
        "kinds": raster(folder / "kinds.tif", lambda r, c: 1 + 2 * (c % 2), byte),
        "intensity": raster(folder / "intensity.tif", lambda r, c: c % 6, byte),
        "sand": raster(folder / "sand.tif", lambda r, c: 40.0),
        "degrees": raster(folder / "degrees.tif", lambda r, c: 1.0 * r, crs=4490),
    }
    districts, waters = [(0, 0, 150), (150, 0, 150)], [(30, 30, 60)]
    named = [{"name": "甲"}, {"name": "乙"}]
    paths["districts"] = layers.geojson(folder / "XZQ.geojson", districts, named)
    measured = [{"name": "甲", "eroded_percent": 1.0, "sources_percent": 40.0}, {"name": "乙"}]
    paths["statistics"] = layers.geojson(folder / "统计.geojson", districts, measured)
    paths["waters"] = layers.geojson(folder / "水.geojson", waters, [{"class": "河"}])
    return paths


class Case(NamedTuple):
    """What a tool is given, and which of its outputs must be there (all of them where none is named)."""

    given: dict[str, Any]
    lacking: tuple[str, ...] = ()


CASES = {
    "rainfallerosivity": Case(
        {"METHOD": 1, "MONTHLY": ["{rain}"] * 12, "TEMPLATE": "{dem}"}, lacking=("STATIONS",)
    ),
    "biologicalfactor": Case({"ECOSYSTEM": "{kinds}", "COVERS": ["{cover}"]}),
    "soilretention": Case(
        {"EROSIVITY_VALUE": 4000, "ERODIBILITY_VALUE": 0.035, "LS": "{ls}", "C_VALUE": 0.1}
    ),
    "nppindex": Case(
        {
            "NPP": "{value}",
            "ERODIBILITY_VALUE": 0.03,
            "SLOPE": "{slope}",
            "SLOPE_UNIT": 1,
            "ONLY_NATURAL": False,
        }
    ),
    "importance": Case({"SLOPE": "{slope}", "SLOPE_UNIT": 1, "COVER": "{cover}", "ECOSYSTEM": "{kinds}"}),
    "vulnerability": Case({"INTENSITY": "{intensity}"}, lacking=("VULNERABLE",)),
    "unitstatistics": Case({"UNITS": "{districts}", "NAME_FIELD": "name", "INTENSITY": "{intensity}"}),
    "keyareas": Case(
        {"UNITS": "{unitstatistics.UNITS_OUTPUT}", "NAME_FIELD": "name", "RULES": 1},
        lacking=("PREVENTION", "TREATMENT"),
    ),
    "landuseraster": Case(
        {
            "LANDUSE": "{districts}",
            "FIELD": "name",
            "TEMPLATE": "{dem}",
            "MORE": ["甲", "forest", "乙", "paddy"],
        }
    ),
    "alignraster": Case({"RASTER": "{dem}", "CRS": "EPSG:4549"}),
    "functionrules": Case({"COVER": "{cover}", "ECOSYSTEM": "{kinds}"}),
    "alignrasters": Case({"CONTINUOUS": ["{dem}"], "CLASSES": ["{classes}"], "CRS": "EPSG:4549"}),
    "vegetationcover": Case({"NDVI": "{ndvi}"}),
    "slopeandrelief": Case({"DEM": "{dem}"}),
    "soilerodibility": Case({"SAND": "{sand}", "SILT_VALUE": 40, "CLAY_VALUE": 20, "CARBON_VALUE": 1.2}),
    "slopelength": Case({"DEM": "{dem}"}),
    "coverfactor": Case({"ECOSYSTEM": "{kinds}", "KINDS": ["1", "forest", "3", "草地"], "COVER": "{cover}"}),
    "soilloss": Case({"EROSIVITY_VALUE": 4000, "ERODIBILITY_VALUE": 0.035, "LS": "{ls}"}),
    "erosionmatrix": Case({"SLOPE": "{slope}", "COVER": "{cover}", "SLOPE_UNIT": 1}),
    "classifycumulative": Case({"VALUE": "{value}", "ONLY_NATURAL": False}),
    "sensitivity": Case({"EROSIVITY_VALUE": 4000, "SOIL_VALUE": 3, "RELIEF": "{relief}", "COVER": "{cover}"}),
    "integrate": Case({"CLASSES": ["{classes}", "{other}"]}),
    "conservationrate": Case({"INTENSITY": "{intensity}", "UNITS": "{districts}", "NAME_FIELD": "name"}),
    "delineatepatches": Case({"CLASSES": "{classes}", "LEAST_M2": 0}),
    "bankstrips": Case({"WATERS": "{waters}", "CLASS_FIELD": "class", "WIDTHS": ["河", "10"]}),
}


def filled(value, ground):
    if isinstance(value, list):
        return [filled(one, ground) for one in value]
    return value.format(**ground) if isinstance(value, str) else value


def given_to(provider, ground, name):
    """Return what a tool is given; what another one made is made once."""
    given = CASES[name].given
    for other, _ in re.findall(r"\{(\w+)\.(\w+)\}", json.dumps(given)):
        if other not in ground:
            results, ok, told = run(provider, other, given_to(provider, ground, other))
            assert ok, told.errors
            ground[other] = SimpleNamespace(**results)
    return {key: filled(value, ground) for key, value in given.items()}


class Told(QgsProcessingFeedback):
    """Keeps what was said."""

    def __init__(self):
        super().__init__(False)
        self.warnings, self.errors = [], []

    def pushWarning(self, warning):
        self.warnings.append(warning)

    def reportError(self, error, fatalError=False):  # noqa: N803
        self.errors.append(error)


def run(provider, name, given, outputs=None, feedback=None, context=None):
    """Run a tool and return (results, whether it did, what was said)."""
    algorithm = provider.algorithm(name).create()
    feedback = feedback or Told()
    wanted = {one.name(): "TEMPORARY_OUTPUT" for one in algorithm.destinationParameterDefinitions()}
    context = context or QgsProcessingContext()
    fits, reason = algorithm.checkParameterValues({**given, **(outputs or wanted)}, context)
    if not fits:
        feedback.errors.append(reason)
        return {}, False, feedback
    results, ok = algorithm.run({**given, **(outputs or wanted)}, context, feedback)
    return results, ok, feedback


# --- made from the declarations --------------------------------------------------------------------


def test_every_declared_algorithm_is_a_tool_with_all_its_parameters_and_outputs(provider):
    for name, algorithm in declared.algorithms().items():
        tool = provider.algorithm(name)
        names = {one.name() for one in tool.parameterDefinitions()}
        assert {one.name.upper() for one in algorithm.parameters} <= names, name
        several = {
            f"{one.name.upper()}_VALUE" for one in algorithm.parameters if one.kind == "raster_or_number"
        }
        assert several <= names, name
        destinations = tool.destinationParameterDefinitions()
        optional = QgsProcessingParameterDefinition.Flag.FlagOptional
        assert all(one.flags() & optional for one in destinations), name
        assert len(destinations) == len(algorithm.outputs) + 1, name
        assert len(names) == len(tool.parameterDefinitions())
        assert tool.groupId().startswith("evaluation_")


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_words_are_those_of_the_declaration_in_the_language_of_the_user(provider, monkeypatch, lang):
    monkeypatch.setenv("SWC_ZONING_LANG", lang)
    for name, algorithm in declared.algorithms().items():
        tool = provider.algorithm(name).create()
        assert tool.displayName() == getattr(algorithm, f"name_{lang}")
        assert getattr(algorithm, f"help_{lang}") in tool.shortHelpString()
        for one in algorithm.parameters:
            definition = tool.parameterDefinition(one.name.upper())
            assert definition.description().startswith(getattr(one, lang))
            assert one.unit in definition.description()
            assert definition.help()


@pytest.mark.parametrize(("lang", "word"), [("zh", "未核实"), ("en", "unverified")])
def test_sets_whose_text_was_not_seen_say_so_where_they_are_chosen(provider, monkeypatch, lang, word):
    from swc_zoning.engine.evaluation import sets

    monkeypatch.setenv("SWC_ZONING_LANG", lang)
    seen = set()
    for name, algorithm in declared.algorithms().items():
        tool = provider.algorithm(name).create()
        for one in (one for one in algorithm.parameters if one.kind == "set"):
            definition = tool.parameterDefinition(one.name.upper())
            for chosen, label in zip(one.choices, definition.options()):
                loaded = sets.load(one.facts["set"], chosen)
                assert (word in label) == (not loaded.verified), label
                assert loaded.source in definition.help()
                seen.add(loaded.verified)
    assert seen == {True, False}


def test_every_choice_has_words():
    from swc_zoning.engine.messages import catalogue

    parameters = [one for each in declared.algorithms().values() for one in each.parameters]
    choices = {value for one in parameters if one.kind == "choice" for value in one.choices}
    lacking = [
        one for one in choices if f"evaluation_tools.choice_{one.replace('-', '_')}" not in catalogue()
    ]
    assert lacking == []


def test_choices_are_shown_in_words(provider):
    options = provider.algorithm("bankstrips").parameterDefinition("SIDE").options()
    assert options == ["Left", "Right", "Both", "North", "South", "East", "West"]


def test_what_is_optional_may_be_left_out_and_defaults_are_those_declared(provider):
    tool = provider.algorithm("soilloss")
    assert tool.parameterDefinition("BIOLOGICAL_VALUE").defaultValue() == 1
    assert tool.parameterDefinition("TOLERANCE").defaultValue() == 500
    optional = QgsProcessingParameterDefinition.Flag.FlagOptional
    assert tool.parameterDefinition("WATER").flags() & optional
    assert not provider.algorithm("slopelength").parameterDefinition("DEM").flags() & optional


# --- run -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", list(declared.algorithms()))
def test_a_tool_makes_what_it_declares(provider, ground, name):
    case = CASES[name]
    results, ok, told = run(provider, name, given_to(provider, ground, name))
    assert ok, told.errors
    record = json.loads(Path(results["RECORD"]).read_text(encoding="utf-8"))
    assert record["algorithm"] == name
    for output, value in results.items():
        if output not in case.lacking:
            assert Path(value).exists(), output
    assert set(results) == {
        one.name() for one in provider.algorithm(name).destinationParameterDefinitions()
    } - set(case.lacking)


def test_the_whole_module_is_a_case_for_every_declared_algorithm():
    assert set(CASES) == set(declared.algorithms())


def memory_waters():
    return layers.memory("河 道", [(30, 30, 60), (200, 30, 60)], "&field=class:string", [["河"], ["湖"]])


def of_project(layer):
    """Return a context whose project has a layer."""
    QgsProject.instance().addMapLayer(layer)
    context = QgsProcessingContext()
    context.setProject(QgsProject.instance())
    return context


def rows(path, name=""):
    layer = QgsVectorLayer(f"{path}|layername={name}" if name else str(path), "rows", "ogr")
    assert layer.isValid()
    return list(layer.getFeatures())


def test_a_layer_in_memory_is_taken_as_it_is_shown_and_named_in_the_record(provider):
    layer = memory_waters()
    layer.setSubsetString("\"class\" = '湖'")
    given = {"WATERS": layer.id(), "CLASS_FIELD": "class", "WIDTHS": ["湖", 10]}
    results, ok, told = run(provider, "bankstrips", given, context=of_project(layer))
    assert ok, told.errors
    assert len(rows(results["STRIPS"])) == 1
    record = json.loads(Path(results["RECORD"]).read_text(encoding="utf-8"))
    assert [one["file"] for one in record["inputs"]] == ["河_道.gpkg"]


def test_only_selected_features_are_taken_where_that_is_asked_for(provider):
    layer = memory_waters()
    layer.selectByExpression("\"class\" = '河'")
    part = QgsProcessingFeatureSourceDefinition(layer.id(), True)
    given = {"WATERS": part, "CLASS_FIELD": "class", "WIDTHS": ["河", "10", "湖", "5"]}
    results, ok, told = run(provider, "bankstrips", given, context=of_project(layer))
    assert ok, told.errors
    assert len(rows(results["STRIPS"])) == 1


# --- refused in words ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "given", "words"),
    [
        ("slopeandrelief", {"DEM": "{dem}", "WINDOW_M": 0}, "window_m"),
        ("soilloss", {"LS": "{ls}", "ERODIBILITY_VALUE": 0.03}, "erosivity"),
        ("conservationrate", {"TARGETS": "98.25, viele"}, "viele"),
        ("coverfactor", {"ECOSYSTEM": "{kinds}", "COVER": "{cover}", "KINDS": ["1", "moon"]}, "moon"),
        ("bankstrips", {"WATERS": "{waters}", "CLASS_FIELD": "class", "WIDTHS": ["河", "0"]}, "widths"),
    ],
)
def test_what_does_not_fit_is_refused_before_the_engine_is_started(provider, ground, name, given, words):
    algorithm = provider.algorithm(name).create()
    wanted = {one.name(): "TEMPORARY_OUTPUT" for one in algorithm.destinationParameterDefinitions()}
    filled_in = {key: filled(value, ground) for key, value in given.items()}
    fits, reason = algorithm.checkParameterValues({**filled_in, **wanted}, QgsProcessingContext())
    assert not fits
    assert words in reason


def test_a_run_that_would_leave_nothing_is_refused(provider, ground):
    algorithm, context = provider.algorithm("slopeandrelief").create(), QgsProcessingContext()
    fits, reason = algorithm.checkParameterValues({"DEM": ground["dem"]}, context)
    assert not fits
    assert "at least one" in reason
    assert algorithm.checkParameterValues({"DEM": ground["dem"], "KEEP": True}, context)[0]


def test_a_file_whose_name_says_something_else_is_refused(provider, ground, tmp_path):
    outputs = {"SLOPE": str(tmp_path / "slope.asc")}
    _, ok, told = run(provider, "slopeandrelief", {"DEM": ground["dem"]}, outputs)
    assert not ok
    assert ".tif" in told.errors[0]


def test_what_the_engine_refuses_is_said_in_its_words(provider, ground):
    _, ok, told = run(provider, "slopeandrelief", {"DEM": ground["degrees"]})
    assert not ok
    assert "degrees" in " ".join(told.errors)


def test_a_raster_that_is_in_no_plain_file_is_refused(provider, ground, tmp_path):
    with zipfile.ZipFile(tmp_path / "dem.zip", "w") as archive:
        archive.write(ground["dem"], "dem.tif")
    layer = QgsRasterLayer(f"/vsizip/{tmp_path}/dem.zip/dem.tif", "dem")
    assert layer.isValid()
    _, ok, told = run(provider, "slopeandrelief", {"DEM": layer.id()}, context=of_project(layer))
    assert not ok
    assert "no plain file" in " ".join(told.errors)


def test_a_raster_whose_crs_only_qgis_knows_is_refused(provider, ground):
    layer = QgsRasterLayer(ground["dem"], "dem")
    layer.setCrs(QgsCoordinateReferenceSystem("EPSG:4528"))
    _, ok, told = run(provider, "slopeandrelief", {"DEM": layer.id()}, context=of_project(layer))
    assert not ok
    assert "EPSG:4528" in " ".join(told.errors)


def test_warnings_of_the_engine_are_shown(provider, ground):
    _, ok, told = run(provider, "classifycumulative", {"VALUE": ground["value"], "ONLY_NATURAL": False})
    assert ok
    assert any("natural" in one.lower() for one in told.warnings)


def test_without_rasterio_the_tools_say_what_to_install_and_zoning_stays(provider, fake_python, monkeypatch):
    from swc_zoning.qgis_bridge import host

    packages = dict.fromkeys(host.FLOORS, "9.9")
    answer = json.dumps({"python": [3, 11, 2], "packages": packages})
    host.search.cache_clear()
    monkeypatch.setenv(host.VARIABLE, fake_python(f"print({answer!r})"))
    try:
        possible, reason = provider.algorithm("slopeandrelief").canExecute()
        assert not possible
        assert "rasterio>=1.3" in reason
        possible, _ = pair(provider.algorithm("delineatezones").canExecute())
        assert possible
    finally:
        host.search.cache_clear()


def pair(answer):
    return answer if isinstance(answer, tuple) else (answer, "")


def test_a_cancelled_run_ends_within_two_seconds_and_leaves_nothing(provider, tmp_path, monkeypatch):
    from swc_zoning.engine import scratch

    monkeypatch.setenv(scratch.VARIABLE, str(tmp_path))
    steep = tmp_path / "dem.tif"
    big = gdal.GetDriverByName("GTiff").Create(str(steep), 6000, 6000, 1, gdal.GDT_Float32, ["SPARSE_OK=YES"])
    big.SetGeoTransform((layers.EAST, 10, 0, layers.NORTH + 60000, 0, -10))
    place = osr.SpatialReference()
    place.ImportFromEPSG(4549)
    big.SetProjection(place.ExportToWkt())
    big = None

    class Impatient(Told):
        """Cancels as soon as the engine is at work."""

        cancelled_at = 0.0

        def setProgressText(self, words):
            if not self.cancelled_at:
                self.cancelled_at = time.monotonic()
                self.cancel()

    feedback, target = Impatient(), tmp_path / "out" / "slope.tif"
    _, ok, _ = run(provider, "slopeandrelief", {"DEM": str(steep)}, {"SLOPE": str(target)}, feedback)
    assert feedback.cancelled_at
    assert time.monotonic() - feedback.cancelled_at < 2
    assert not ok
    assert not target.exists()


# --- looks -----------------------------------------------------------------------------------------


def loaded(provider, load_results, name, given, outputs):
    """Run a tool as its dialog does and return the layers it loads, by name."""
    project, algorithm = QgsProject.instance(), provider.algorithm(name).create()
    project.clear()
    context, feedback = QgsProcessingContext(), Told()
    context.setProject(project)
    asked = {key: QgsProcessingOutputLayerDefinition(value, project) for key, value in outputs.items()}
    assert algorithm.checkParameterValues({**given, **asked}, context)[0]
    _, ok = algorithm.run({**given, **asked}, context, feedback)
    assert ok, feedback.errors
    load_results(algorithm, context, feedback, {**given, **asked})
    return {layer.name(): layer for layer in project.mapLayers().values()}


def test_rasters_of_values_are_loaded_with_a_ramp(provider, load_results, ground, tmp_path):
    outputs = {"SLOPE": str(tmp_path / "坡度.tif"), "RELIEF": "TEMPORARY_OUTPUT"}
    found = loaded(provider, load_results, "slopeandrelief", {"DEM": ground["dem"]}, outputs)
    assert len(found) == 2
    for layer in found.values():
        renderer = layer.renderer()
        assert renderer.type() == "singlebandpseudocolor"
        assert renderer.classificationMin() < renderer.classificationMax()
        assert len(renderer.shader().rasterShaderFunction().colorRampItemList()) == 5


@pytest.mark.parametrize(("lang", "label"), [("en", "Extremely important"), ("zh", "极重要")])
def test_classes_are_loaded_with_their_colours_and_words(
    provider, load_results, ground, monkeypatch, lang, label
):
    monkeypatch.setenv("SWC_ZONING_LANG", lang)
    given = {"CLASSES": [ground["classes"], ground["other"]]}
    found = loaded(provider, load_results, "integrate", given, {"CLASS": "TEMPORARY_OUTPUT"})
    [layer] = found.values()
    rows = layer.renderer().classes()
    assert (rows[0].value, rows[0].color.name(), rows[0].label) == (3, "#00441b", label)
    assert len(rows) == 3


def test_a_result_over_an_older_one_shows_itself(provider, load_results, ground, tmp_path):
    """What QGIS kept beside the old file, such as its statistics, is not that of the new one."""
    target = tmp_path / "slope.tif"
    (tmp_path / "slope.tif.aux.xml").write_text("<PAMDataset/>", encoding="utf-8")
    for _ in range(2):
        _, ok, told = run(provider, "slopeandrelief", {"DEM": ground["dem"]}, {"SLOPE": str(target)})
        assert ok, told.errors
    assert sorted(path.name for path in tmp_path.iterdir()) == ["slope.tif"]


def test_patches_show_tier_by_colour_and_rule_by_hatch(provider, tmp_path):
    from swc_zoning.qgis_bridge import evaluation_looks

    fields = "&field=ZYXDJ:string&field=rule:string&field=rule_zh:string&field=rule_en:string"
    rows = [
        ["重要", "c", "植被", "Plants"],
        ["极重要", "a", "水源", "Sources"],
        ["重要", "a", "水源", "Sources"],
    ]
    layer = layers.memory("swc", [(0, 0, 100), (100, 0, 100), (200, 0, 100)], fields, rows)
    options = QgsVectorFileWriter.SaveVectorOptions()
    path = tmp_path / "patches.gpkg"
    QgsVectorFileWriter.writeAsVectorFormatV3(
        layer, str(path), QgsProject.instance().transformContext(), options
    )
    shown = QgsVectorLayer(str(path), "patches", "ogr")
    evaluation_looks.look_of(path, "patches", "en")(shown)
    said = [(one.label(), one.symbol().color().name()) for one in shown.renderer().categories()]
    assert [label for label, _ in said] == [
        "Extremely important · Sources",
        "Important · Sources",
        "Important · Plants",
    ]
    renderer, context = shown.renderer(), QgsRenderContext()
    context.expressionContext().appendScope(shown.createExpressionContextScope())
    renderer.startRender(context, shown.fields())
    for feature in shown.getFeatures():
        context.expressionContext().setFeature(feature)
        assert renderer.symbolForFeature(feature, context) is not None
    renderer.stopRender(context)


def test_every_legend_that_is_declared_is_there():
    from swc_zoning.engine.evaluation import legends

    used = {made.legend for one in declared.algorithms().values() for made in one.outputs} - {""}
    assert used
    assert used <= set(legends.ids())


def test_a_raster_of_rules_is_shown_with_their_sentences(provider, ground, tmp_path):
    from swc_zoning.qgis_bridge import evaluation_looks

    rules = [{"id": "a", "zh": "水源", "en": "Sources"}, {"id": "b", "zh": "岸带", "en": "Banks"}]
    (tmp_path / "run.json").write_text(json.dumps({"facts": {"rules": {"rules": rules}}}), encoding="utf-8")
    for record, labels in ((tmp_path / "run.json", ["a: Sources", "b: Banks"]), (None, ["Rule 1", "Rule 2"])):
        layer = QgsRasterLayer(ground["other"], "rule")
        evaluation_looks.look_of(Path(ground["other"]), "rules", "en", record)(layer)
        assert [one.label for one in layer.renderer().classes()] == labels


# --- chains ----------------------------------------------------------------------------------------


#: Retention by class: cover from NDVI, its classes, patches of the highest; three steps.
CHAIN = {
    "name": "coverpatches",
    **{"name_zh": "盖度图斑", "name_en": "Patches of cover", "help_zh": "三步。", "help_en": "Three steps."},
    "parameters": [
        {"name": "ndvi", "like": ["cover", "ndvi"], "required": True},
        {"name": "soil", "like": ["cover", "soil"], "zh": "裸土", "en": "Bare soil"},
        {"name": "exclude", "like": ["patches", "exclude"]},
        {"name": "sand", "like": ["k", "sand"]},
    ],
    "steps": [
        {
            "id": "cover",
            "algorithm": "vegetationcover",
            "zh": "盖度",
            "en": "Cover",
            "given": {"ndvi": {"parameter": "ndvi"}, "soil": {"parameter": "soil"}},
        },
        {
            "id": "k",
            "algorithm": "soilerodibility",
            "zh": "K",
            "en": "K",
            "given": {
                "sand": {"parameter": "sand"},
                "silt": {"value": 40},
                "clay": {"value": 20},
                "carbon": {"value": 1},
                "method": {"value": "epic"},
            },
        },
        {
            "id": "classes",
            "algorithm": "classifycumulative",
            "zh": "分级",
            "en": "Classes",
            "given": {
                "value": {"step": "cover", "output": "cover"},
                "only_natural": {"value": False},
                "shares": {"value": "guide2017"},
            },
        },
        {
            "id": "patches",
            "algorithm": "delineatepatches",
            "zh": "图斑",
            "en": "Patches",
            "given": {
                "classes": {"step": "classes", "output": "class"},
                "least_m2": {"value": 0},
                "exclude": [{"parameter": "exclude"}],
            },
        },
    ],
    "outputs": [
        {"name": "patches", "step": "patches", "output": "patches"},
        {"name": "k", "step": "k", "output": "erodibility"},
    ],
}


@pytest.fixture
def maker():
    """The tool that draws the models."""
    place = Path(__file__).resolve().parents[2] / "tools/make_models.py"
    specification = importlib.util.spec_from_file_location("make_models", place)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def test_a_chain_is_drawn_with_its_steps_and_runs_in_qgis(provider, maker, ground, tmp_path):
    model = maker.of_chain(chains.chain(CHAIN)).model
    assert [one.name() for one in model.parameterDefinitions()][:5] == [
        *("NDVI", "SOIL", "EXCLUDE", "SAND", "SAND_VALUE")
    ]
    # A model just drawn names its outputs by their steps, or by their words, as the QGIS at hand does.
    ends = model.destinationParameterDefinitions()
    names = {"PATCHES" if "swc_function_important" in one.description() else "K": one.name() for one in ends}
    assert set(names) == {"PATCHES", "K"}
    assert len(ends) == 2
    given = {
        "NDVI": ground["ndvi"],
        "SAND_VALUE": None,
        "SAND": ground["sand"],
        "EXCLUDE": [ground["waters"]],
    }
    targets = {names["PATCHES"]: str(tmp_path / "图斑.gpkg"), names["K"]: str(tmp_path / "k.tif")}
    feedback = Told()
    results, ok = model.run({**given, **targets}, QgsProcessingContext(), feedback)
    assert ok, feedback.errors
    assert results["CHILD_INPUTS"]["k"]["METHOD"] == 1
    assert Path(targets[names["K"]]).exists()
    area = sum(one.geometry().area() for one in rows(targets[names["PATCHES"]]))
    # The upper rows of cells, less the water of 60 m by 60 m where it lies among them.
    assert area > 0
    assert area % (CELL * CELL) == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_shipped_chains_are_models_with_the_words_of_their_declaration(provider, monkeypatch, lang):
    monkeypatch.setenv("SWC_ZONING_LANG", lang)
    for name, chain in chains.chains().items():
        model, said = provider.algorithm(name).create(), chain.algorithm
        assert model.displayName() == getattr(said, f"name_{lang}")
        assert model.groupId() == "models"
        names = {one.name().rpartition(":")[2]: one for one in model.parameterDefinitions()}
        ordered = [one for one in names if one in {each.name.upper() for each in said.parameters}]
        assert ordered == [one.name.upper() for one in said.parameters]
        for one in (*said.parameters, *said.outputs):
            assert names[one.name.upper()].description().startswith(getattr(one, lang))
        for definition in names.values():
            assert (lang == "zh") or not re.search(r"[\u4e00-\u9fff]", definition.description())


def run_model(provider, name, given, outputs):
    """Run a model and return its results by the last part of their names."""
    model = provider.algorithm(name).create()
    full = {one.name().rpartition(":")[2]: one.name() for one in model.destinationParameterDefinitions()}
    feedback = Told()
    targets = {full[key]: value for key, value in outputs.items()}
    results, ok = model.run({**given, **targets}, QgsProcessingContext(), feedback)
    assert ok, feedback.errors
    return {key: results[value] for key, value in full.items() if value in results}, feedback


def test_the_chain_of_a_flat_delta_makes_the_layer_of_its_role_with_all_that_was_run(provider, tmp_path):
    from swc_zoning.engine.evaluation import records

    target = tmp_path / "重要区.gpkg"
    results, feedback = run_model(provider, "flatdelta", flat_delta(tmp_path), {"PATCHES": str(target)})
    assert Path(results["PATCHES"]) == target
    found = rows(target, "swc_function_important")
    assert {one["ZYXDJ"] for one in found} == {"极重要", "重要"}
    assert len({one["BSM"] for one in found}) == len(found)
    record = records.trimmed(records.read(target))
    run_before = [one["algorithm"] for one in record["steps"]]
    assert set(run_before) == {step.algorithm for step in chains.chains()["flatdelta"].steps} - {
        "delineatepatches"
    }
    assert any("adopted by this plan" in one for one in feedback.textLog().splitlines())


def test_a_model_says_what_to_install_where_rasterio_lacks(provider, fake_python, monkeypatch):
    from swc_zoning.qgis_bridge import host

    answer = json.dumps({"python": [3, 11, 2], "packages": dict.fromkeys(host.FLOORS, "9.9")})
    host.search.cache_clear()
    monkeypatch.setenv(host.VARIABLE, fake_python(f"print({answer!r})"))
    try:
        possible, reason = provider.algorithm("flatdelta").canExecute()
        assert not possible
        assert "rasterio>=1.3" in reason
    finally:
        host.search.cache_clear()
