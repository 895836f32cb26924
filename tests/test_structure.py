# SPDX-License-Identifier: GPL-2.0-or-later
"""What holds for the whole project: who may import what, messages, palette, metadata, the package."""

from __future__ import annotations

import ast
import configparser
import importlib.util
import itertools
import json
import re
import string
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from importlib.metadata import version as metadata_version
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[1]
SHIPPED = ("swc_zoning", "processing_algs")
HEAVY = {"shapely", "geopandas", "pyogrio", "fiona", "pyproj", "numpy", "pandas", "rasterio"}
LIGHT_ENGINE = (
    *(
        "accepting",
        "admission",
        "casting",
        "claim",
        "explain",
        "geopackage",
        "job",
        "messages",
        "profiles",
        "progress",
        "redecide",
        "reports",
        "roles",
        "rule_changes",
        "rule_sheets",
    ),
    *(
        "rule_words",
        "rules",
        "schema",
        "scratch",
        "siting",
        "styles",
        "submission.consultation_record",
        "submission.order",
        "submission.quality",
    ),
    *("submission.schemas", "targets"),
    *("chapter.delivery", "chapter.figures", "chapter.folder", "chapter.plans"),
    *("evaluation.chains", "evaluation.declared", "evaluation.key_rules"),
    *("evaluation.legends", "evaluation.records", "evaluation.sets"),
)
OF_QGIS = {"qgis", "PyQt5", "PyQt6", "processing", "sip"}


def sources(*folders: str) -> list[Path]:
    return [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def imports(nodes: Iterator[ast.AST]) -> set[str]:
    """Return the top-level names of all imports among `nodes`."""
    found = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            found.add((node.module or "").partition(".")[0])
    return found


def module_level(module: ast.Module) -> Iterator[ast.AST]:
    """Yield the nodes that run on import: everything outside functions."""
    waiting: list[ast.AST] = list(module.body)
    while waiting:
        node = waiting.pop()
        yield node
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            waiting.extend(ast.iter_child_nodes(node))


# --- imports ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", sources("swc_zoning/engine"), ids=lambda path: path.stem)
def test_the_engine_knows_neither_qgis_nor_qt(path):
    assert not imports(ast.walk(tree(path))) & OF_QGIS


@pytest.mark.parametrize("name", LIGHT_ENGINE)
def test_what_qgis_imports_of_the_engine_is_light(name):
    code = f"import sys, swc_zoning.engine.{name}; print(sorted({HEAVY!r} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    "path",
    [*sources("swc_zoning/qgis_bridge", "swc_zoning/gui", "processing_algs"), ROOT / "swc_zoning/plugin.py"],
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_code_inside_qgis_has_no_geometry_library_and_no_bare_qt(path):
    assert not imports(ast.walk(tree(path))) & (HEAVY | {"PyQt5", "PyQt6", "sip"})


def test_the_host_needs_only_the_standard_library():
    found = imports(ast.walk(tree(ROOT / "swc_zoning/qgis_bridge/host.py")))
    assert not found & (OF_QGIS | HEAVY)


def test_floors_of_the_host_are_those_the_project_declares():
    from swc_zoning.qgis_bridge import host

    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    declared = dict(re.findall(r'"([a-z]+)>=([\d.]+)"', text.split("[project.optional")[0]))
    for name, floor in host.FLOORS.items():
        assert declared[name] == ".".join(map(str, floor))
    assert f'requires-python = ">={".".join(map(str, host.PYTHON_FLOOR))}"' in text


# --- code ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", sources(*SHIPPED), ids=lambda path: str(path.relative_to(ROOT)))
def test_shipped_code_has_no_eval_assert_or_broad_except(path):
    for node in ast.walk(tree(path)):
        assert not isinstance(node, ast.Assert), node.lineno
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id not in {"eval", "exec", "__import__"}, node.lineno
        if isinstance(node, ast.ExceptHandler):
            assert node.type is not None, node.lineno
            assert not all(isinstance(one, ast.Pass) for one in node.body), node.lineno
            assert narrow(node) or passes_on(node), node.lineno


def narrow(handler: ast.ExceptHandler) -> bool:
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return not {getattr(kind, "id", "") for kind in kinds} & {"Exception", "BaseException"}


def passes_on(handler: ast.ExceptHandler) -> bool:
    """Return whether a handler only cleans up: it raises again what it caught."""
    last = handler.body[-1]
    return isinstance(last, ast.Raise) and last.exc is None


@pytest.mark.parametrize(
    "path", sources(*SHIPPED, "tools", "tests", "test_data", "benchmarks"), ids=lambda p: str(p.name)
)
def test_every_file_starts_with_its_licence(path):
    first = path.read_text(encoding="utf-8").partition("\n")[0]
    assert first == "# SPDX-License-Identifier: GPL-2.0-or-later"


@pytest.mark.parametrize("path", sources(*SHIPPED, "tools"), ids=lambda path: str(path.relative_to(ROOT)))
def test_no_function_is_longer_than_fifty_lines(path):
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.FunctionDef):
            assert node.end_lineno - node.lineno < 50, f"{node.name} in {path.name}"


# --- QGIS 4 and Qt 6 --------------------------------------------------------------------------------

IN_QGIS = [
    *sources("swc_zoning/qgis_bridge", "swc_zoning/gui", "processing_algs"),
    ROOT / "swc_zoning/plugin.py",
]


def annotations(module: ast.Module) -> set[ast.AST]:
    """Return every node of an annotation: a type there is no value."""
    found: set[ast.AST] = set()
    for node in ast.walk(module):
        for part in (getattr(node, "annotation", None), getattr(node, "returns", None)):
            if isinstance(part, ast.AST):
                found |= set(ast.walk(part))
    return found


def unscoped(module: ast.Module) -> list[tuple[int, str]]:
    """Return where a value such as Qt.AlignLeft is named without its enumeration."""
    inner = {id(node.value) for node in ast.walk(module) if isinstance(node, ast.Attribute)}
    called = {id(node.func) for node in ast.walk(module) if isinstance(node, ast.Call)}
    typed = {id(node) for node in annotations(module)}
    hits = []
    for node in ast.walk(module):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            name, free = node.value.id, not {id(node)} & (inner | called | typed)
            if (
                free
                and re.fullmatch(r"Qt|Q[A-Z]\w+|Qgis|Qgs\w+", name)
                and re.match(r"[A-Z][a-z]", node.attr)
            ):
                hits.append((node.lineno, f"{name}.{node.attr}"))
    return hits


@pytest.mark.parametrize("path", IN_QGIS, ids=lambda path: str(path.relative_to(ROOT)))
def test_code_inside_qgis_runs_on_qt_6(path):
    module, of_qt = tree(path), {"QStandardKey", "QEvent"}
    # A class taken out of another, to be asked for its values, is no value.
    aliases = {id(node.value) for node in ast.walk(module) if isinstance(node, ast.Assign)}
    for node in ast.walk(module):
        if isinstance(node, ast.Attribute):
            assert node.attr not in {"exec_", "print_"}, node.lineno
        if isinstance(node, ast.ImportFrom):
            assert not {alias.name for alias in node.names} & {"qApp", "QRegExp", "QDesktopWidget"}, (
                node.lineno
            )
    if path.name != "compat.py":
        lines = {node.lineno for node in ast.walk(module) if id(node) in aliases}
        found = [hit for hit in unscoped(module) if hit[0] not in lines and hit[1].split(".")[0] not in of_qt]
        assert found == []


def test_a_value_without_its_enumeration_would_be_found():
    module = ast.parse(
        "x(Qt.AlignLeft)\ny: Qt.Orientation = f(Qt.AlignmentFlag.AlignLeft, QColor.fromRgb(1))"
    )
    assert unscoped(module) == [(1, "Qt.AlignLeft")]


# --- messages --------------------------------------------------------------------------------------


def catalogue() -> dict[str, dict[str, str]]:
    files = sorted((ROOT / "resources/messages").glob("*.json"))
    rows = [item for file in files for item in json.loads(file.read_text(encoding="utf-8")).items()]
    assert len(rows) == len(dict(rows)), "a code stands in two files"
    return dict(rows)


def placeholders(sentence: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name is not None}


@pytest.mark.parametrize(("code", "message"), catalogue().items(), ids=list(catalogue()))
def test_a_message_says_the_same_in_both_languages(code, message):
    assert set(message) == {"severity", "zh", "en"}
    assert message["severity"] in {"error", "warning", "info"}
    said = [{name.removesuffix(f"_{lang}") for name in placeholders(message[lang])} for lang in ("zh", "en")]
    assert said[0] == said[1]
    assert re.fullmatch(r"[a-z_]+\.[a-z0-9_]+", code)


def used_codes() -> set[tuple[str, str]]:
    """Return (code, file) for each literal code handed to what takes one."""
    takers = {"Finding", "SwcError", "JobError", "sentence", "text", "EngineFailed", "_Refused"}
    found = set()
    for path in sources(*SHIPPED):
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.Call) and node.args and _name(node.func) in takers:
                first = node.args[0]
                if isinstance(first, ast.Constant) and re.fullmatch(r"[a-z_]+\.[a-z0-9_]+", str(first.value)):
                    found.add((first.value, path.name))
    return found


def _name(function: ast.expr) -> str:
    return getattr(function, "id", getattr(function, "attr", ""))


def test_every_code_used_has_a_sentence():
    used = used_codes()
    assert len(used) > 20
    assert sorted((code, file) for code, file in used if code not in catalogue()) == []


def test_every_step_of_a_run_has_a_name():
    text = "".join(path.read_text(encoding="utf-8") for path in sources("swc_zoning/engine"))
    steps = set(re.findall(r'progress\.step\("([a-z_]+)"', text))
    assert steps
    assert {f"step.{step}" for step in steps} <= set(catalogue())


def test_every_proof_of_a_run_has_a_name():
    text = "".join(path.read_text(encoding="utf-8") for path in sources("swc_zoning/engine"))
    proofs = set(re.findall(r'Entry\("([a-z_]+)"', text))
    assert len(proofs) > 5
    assert {f"proof.{proof}" for proof in proofs} <= set(catalogue())


# --- palette ---------------------------------------------------------------------------------------

#: Colour vision deficiencies as matrices on linear RGB: Machado, Oliveira, Fernandes (2009), severity 1.
VISION = {
    "full": (1, 0, 0, 0, 1, 0, 0, 0, 1),
    "protan": (0.152286, 1.052583, -0.204868, 0.114503, 0.786281, 0.099216, -0.003882, -0.048116, 1.051998),
    "deutan": (0.367322, 0.860646, -0.227968, 0.280085, 0.672501, 0.047413, -0.01182, 0.04294, 0.968881),
    "tritan": (1.255528, -0.076749, -0.178779, -0.078411, 0.930809, 0.147602, 0.004733, 0.691367, 0.3039),
}
#: Linear RGB to OKLab in two steps: Ottosson (2020).
LMS = (0.41222147, 0.53633254, 0.051446, 0.2119035, 0.68069955, 0.10739696, 0.0883025, 0.2817188, 0.6299787)
LAB = (0.21045426, 0.7936178, -0.0040721, 1.9779985, -2.4285922, 0.4505937, 0.025904, 0.7827718, -0.8086758)


def matrix(numbers: tuple[float, ...]) -> np.ndarray:
    return np.array(numbers, dtype=float).reshape(3, 3)


def palette() -> dict:
    return json.loads((ROOT / "resources/styles/palette.json").read_text(encoding="utf-8"))


def oklab(colour: str, vision: tuple[float, ...]) -> np.ndarray:
    coded = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    linear = np.where(coded <= 0.04045, coded / 12.92, ((coded + 0.055) / 1.055) ** 2.4)
    seen = np.clip(matrix(vision) @ linear, 0, 1)
    return matrix(LAB) @ np.cbrt(matrix(LMS) @ seen)


@pytest.mark.parametrize("vision", VISION)
def test_zone_colours_stay_apart_for_every_kind_of_colour_vision(vision):
    seen = {code: oklab(entry["fill"], VISION[vision]) for code, entry in palette()["zones"].items()}
    for one, other in itertools.combinations(seen, 2):
        assert np.linalg.norm(seen[one] - seen[other]) > 0.1, (one, other)


def test_every_shipped_zone_has_a_colour_a_hatch_of_its_own_and_both_names():
    shown = palette()
    for file in ("shanghai.json",):
        table = json.loads((ROOT / "resources/rules" / file).read_text(encoding="utf-8"))
        assert {zone["code"] for zone in table["zones"]} == set(shown["zones"])
        for zone in table["zones"]:
            entry = shown["zones"][zone["code"]]
            assert (entry["label_zh"], entry["label_en"]) == (zone["name_zh"], zone["name_en"])
            assert entry["source"] == "design"
    hatches = [entry["hatch"] for entry in shown["zones"].values()]
    assert len(set(hatches)) == len(hatches)
    assert set(hatches) <= set(shown["hatches"])


def shown_together(sheet) -> dict[str, dict]:
    """Return the entries of the palette that may be faces on one sheet, by what they stand for."""
    from swc_zoning.engine import roles, styles

    entries: dict[str, dict] = {}
    for theme in sheet.themes:
        if theme.kind == "measures":
            entries |= palette()["measures"]
        elif theme.kind == "proposals":
            entries |= {f"proposal {number}": one for number, one in enumerate(palette()["proposals"])}
        elif theme.kind == "features" and theme.look != "over":
            for tier in ("", *(tier.id for tier in roles.find(theme.role).tiers)):
                entries[f"{theme.role}:{tier}"] = styles.theme_entry("themes", theme.role, tier)
    return entries


@pytest.mark.parametrize("vision", VISION)
def test_what_a_map_sheet_shows_is_told_apart_by_colour_or_by_hatch(vision):
    from swc_zoning.engine.chapter import plans

    for sheet in plans.sheets():
        for (one, first), (other, second) in itertools.combinations(shown_together(sheet).items(), 2):
            alike = first == second or first["hatch"] != second["hatch"]
            seen = [oklab(entry["fill"], VISION[vision]) for entry in (first, second)]
            assert alike or np.linalg.norm(seen[0] - seen[1]) > 0.05, (sheet.id, one, other)


def legends() -> dict[str, list[str]]:
    """Return the colours that are seen together in each legend of the evaluation."""
    document = json.loads((ROOT / "resources/evaluation/legends.json").read_text(encoding="utf-8"))
    colours = {"ramp": document["ramp"]["colours"]}
    for name, one in document["legends"].items():
        rows = [*one.get("classes", ()), *one.get("tiers", {}).values()]
        colours[name] = [*one.get("fills", ()), *(row["fill"] for row in rows)]
    return colours


@pytest.mark.parametrize("vision", VISION)
@pytest.mark.parametrize("name", legends())
def test_colours_of_a_legend_of_the_evaluation_stay_apart_for_every_kind_of_colour_vision(name, vision):
    seen = [oklab(colour, VISION[vision]) for colour in legends()[name]]
    assert len(seen) > 1
    least = 0.05 if name == "rules" else 0.1
    for (one, first), (other, second) in itertools.combinations(enumerate(seen), 2):
        assert np.linalg.norm(first - second) > least, (one, other)


@pytest.mark.parametrize("part", ["themes", "over", "measures"])
def test_every_colour_of_a_map_says_where_it_is_from_and_has_a_hatch_that_can_be_printed(part):
    for name, entry in palette()[part].items():
        assert entry["source"] in {"design", "standard"}, name
        assert entry["hatch"] in {"none", *palette()["printed_hatches"]}, name
    assert {one["hatch"] for one in palette()["zones"].values()} <= {"none", *palette()["printed_hatches"]}


# --- package ---------------------------------------------------------------------------------------


def stager():
    specification = importlib.util.spec_from_file_location("stage", ROOT / "tools/stage.py")
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    """Return the zip, made anew from the sources."""
    folder, stage = tmp_path_factory.mktemp("package"), stager()
    return stage.pack(stage.stage(folder / "stage"), folder / "dist")


def test_the_package_has_one_folder_with_what_qgis_needs(package):
    names = zipfile.ZipFile(package).namelist()
    assert {name.partition("/")[0] for name in names} == {"swc_zoning"}
    wanted = ("__init__.py", "metadata.txt", "LICENSE", "plugin.py", "__main__.py", "engine/run.py")
    folders = ("processing_algs/provider.py", "resources/roles.json", "resources/icons/swc_zoning.svg")
    assert {f"swc_zoning/{name}" for name in (*wanted, *folders)} <= set(names)
    assert package.stat().st_size < 25_000_000


def test_the_package_has_nothing_hidden_compiled_or_of_the_workshop(package):
    for name in zipfile.ZipFile(package).namelist():
        parts = Path(name).parts
        assert not any(part.startswith(".") or part == "__pycache__" for part in parts), name
        assert Path(name).suffix not in {".pyc", ".so", ".dll", ".exe", ".ts", ".toml", ".sh"}, name
        assert not {"tests", "tools", "docs", "build", "benchmarks"} & set(parts), name


def test_the_same_sources_give_the_same_package(package, tmp_path):
    stage = stager()
    again = stage.pack(stage.stage(tmp_path / "stage"), tmp_path / "dist")
    assert again.read_bytes() == package.read_bytes()


def test_the_package_carries_the_declared_libraries_whole_pure_and_with_their_licences(package, tmp_path):
    declared = json.loads((ROOT / "tools/vendored.json").read_text(encoding="utf-8"))["libraries"]
    archive = zipfile.ZipFile(package)
    carried = {name for name in archive.namelist() if name.startswith("swc_zoning/_vendor/")}
    assert {Path(name).suffix for name in carried} == {".py", ".txt"}
    told = archive.read("swc_zoning/_vendor/README.txt").decode("utf-8")
    for library in declared:
        assert f"{library['name']} {library['version']} ({library['licence']})" in told
        assert f"swc_zoning/_vendor/{library['package']}/__init__.py" in carried
        licences = [
            name for name in carried if name.startswith(f"swc_zoning/_vendor/{library['name']}.LICENCE")
        ]
        assert licences
        assert all(len(archive.read(name)) > 500 for name in licences)
    archive.extractall(tmp_path)
    code = (
        "import sys; sys.path[:] = [p for p in sys.path if 'site-packages' not in p]\n"
        "from swc_zoning import vendored\n"
        "before = list(sys.path), list(sys.meta_path)\n"
        "book = vendored.load('openpyxl').Workbook(); book.active['A1'] = 1; book.save('t.xlsx')\n"
        "print(vendored.load('openpyxl').__file__, (list(sys.path), list(sys.meta_path)) == before)"
    )
    command = [sys.executable, "-I", "-c", f"import sys; sys.path.insert(0, '.'); {code}"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert "_vendor" in done.stdout
    assert done.stdout.strip().endswith("True")


def test_an_installed_library_goes_before_the_one_carried_along(package, tmp_path):
    zipfile.ZipFile(package).extractall(tmp_path)
    code = "from swc_zoning import vendored; print(vendored.load('openpyxl').__file__)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert "_vendor" not in done.stdout


def test_a_library_that_is_compiled_or_of_another_version_stops_the_staging(tmp_path):
    stage = stager()
    library = {"name": "shapely", "version": metadata_version("shapely"), "package": "shapely", "notes": []}
    found = stage._installed(library)
    with pytest.raises(stage.StageError, match="not pure Python"):
        stage._copy_library(library, found, tmp_path)
    with pytest.raises(stage.StageError, match=r"9\.9 is not installed"):
        stage._installed({"name": "openpyxl", "version": "9.9"})


def test_a_file_of_an_unknown_kind_stops_the_staging(tmp_path, monkeypatch):
    stage = stager()
    (tmp_path / "resources").mkdir()
    (tmp_path / "resources" / "data.bin").touch()
    monkeypatch.setattr(stage, "ROOT", tmp_path)
    with pytest.raises(stage.StageError, match=r"data\.bin"):
        list(stage.shipped("resources"))


FORBIDDEN = re.compile(
    r"/(root|home|work|tmp)/|[A-Z]:\\Users|p[y]pi\.org|TODO|FIXME|XXX|BEGIN [A-Z ]*PRIVATE KEY"
)


def test_the_package_names_no_place_of_a_workshop_and_nothing_unfinished(package):
    archive = zipfile.ZipFile(package)
    for name in archive.namelist():
        # Libraries carried along are as their authors left them.
        if "_vendor" not in Path(name).parts and Path(name).suffix in {".py", ".json", ".txt", ".svg"}:
            found = FORBIDDEN.search(archive.read(name).decode("utf-8"))
            assert found is None, f"{name}: {found}"


# --- metadata --------------------------------------------------------------------------------------


def metadata() -> dict[str, str]:
    parser = configparser.ConfigParser(interpolation=None, strict=True)
    parser.read(ROOT / "metadata.txt", encoding="utf-8")
    return dict(parser["general"])


REQUIRED = "name description version qgisminimumversion author email about tracker repository homepage"


@pytest.mark.parametrize("key", [*REQUIRED.split(), "about[zh]", "changelog", "tags", "icon", "category"])
def test_metadata_has_every_key_the_repository_checks(key):
    assert metadata()[key].strip()


def test_metadata_keeps_the_rules_of_the_repository():
    said = metadata()
    assert re.fullmatch(r"\d+\.\d+\.\d+", said["version"])
    assert said["hasprocessingprovider"] == "yes"
    assert (said["qgisminimumversion"], said["qgismaximumversion"]) == ("3.22", "4.99")
    assert "supportsqt6" not in said
    assert "plugin" not in said["name"].lower()
    assert "/" not in said["author"]
    assert "<" not in said["about"] + said["description"]
    assert all(name in said["about"] for name in ("shapely", "geopandas", "pyogrio", "pyproj", "numpy"))
    assert (ROOT / said["icon"]).is_file()


# --- windows ---------------------------------------------------------------------------------------


def window_texts() -> Iterator[tuple[str, str, str]]:
    """Yield (context, text, place) of everything windows say."""
    for path in [*sources("swc_zoning/gui"), ROOT / "swc_zoning/plugin.py"]:
        classes = [node for node in ast.walk(tree(path)) if isinstance(node, ast.ClassDef)]
        for node in ast.walk(tree(path)):
            if not isinstance(node, ast.Call) or _name(node.func) not in ("tr", "translate"):
                continue
            place = f"{path.name}:{node.lineno}"
            words = [argument.value for argument in node.args if isinstance(argument, ast.Constant)]
            assert len(words) == len(node.args), f"{place}: only literals can be translated"
            inside = [one.name for one in classes if one.lineno <= node.lineno <= one.end_lineno]
            yield (words[0] if _name(node.func) == "translate" else inside[-1], words[-1], place)


def translations() -> dict[tuple[str, str], str]:
    root = ElementTree.parse(ROOT / "i18n/swc_zoning_zh_CN.ts").getroot()
    return {
        (context.findtext("name"), message.findtext("source")): message.findtext("translation") or ""
        for context in root.iter("context")
        for message in context.iter("message")
        if message.find("translation").get("type") is None
    }


def test_everything_windows_say_is_translated():
    known = translations()
    lacking = [(place, text) for context, text, place in window_texts() if not known.get((context, text))]
    assert lacking == []


def test_nothing_is_translated_that_no_window_says():
    said = {(context, text) for context, text, _ in window_texts()}
    assert [key for key in translations() if key not in said] == []


@pytest.mark.parametrize(("key", "chinese"), translations().items(), ids=lambda value: str(value)[:40])
def test_a_translation_keeps_placeholders_and_is_chinese(key, chinese):
    assert placeholders(chinese) == placeholders(key[1])
    assert chinese.count("&") == key[1].count("&") or "&" not in key[1]
