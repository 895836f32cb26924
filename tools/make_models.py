# SPDX-License-Identifier: GPL-2.0-or-later
"""Make the models that are shipped: ``resources/models/*.model3``, for every QGIS from 3.22.

``make_models.py [--output DIR]`` runs in a Python with QGIS 3.22, where files are written that later
versions read too; from another version the same models come out in other words.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from qgis.core import (
    QgsApplication,
    QgsProcessing,
    QgsProcessingModelAlgorithm,
    QgsProcessingModelChildAlgorithm,
    QgsProcessingModelChildParameterSource,
    QgsProcessingModelOutput,
    QgsProcessingModelParameter,
    QgsProcessingParameterDefinition,
    QgsProcessingParameterEnum,
    QgsProcessingParameterFeatureSource,
    QgsProcessingParameterField,
    QgsProcessingParameterFile,
    QgsProcessingParameterString,
)
from qgis.PyQt.QtCore import QPointF

from swc_zoning.engine import roles
from swc_zoning.engine.evaluation import chains, declared
from swc_zoning.engine.messages import sentence
from swc_zoning.processing_algs import evaluation_parameters
from swc_zoning.qgis_bridge.i18n import VARIABLE

ROOT = Path(__file__).resolve().parent.parent
GROUP = "水土保持空间管控分区 SWC zoning"
THREE_LINES = ("ecological_redline", "permanent_basic_farmland", "urban_development_boundary")
ZONING = "zoning"

Source = QgsProcessingModelChildParameterSource


def both(code: str) -> str:
    """Return a sentence in both languages, Chinese first."""
    return " ".join(sentence(code, {}, lang) for lang in ("zh", "en"))


class Drawing:
    """A model under way: inputs in a column, steps beside them."""

    def __init__(self, name: str, help_text: str) -> None:
        self.model = QgsProcessingModelAlgorithm(name, GROUP)
        self.help: dict[str, str] = {"ALG_DESC": help_text}
        self._inputs = self._steps = 0

    def take(self, parameter: QgsProcessingParameterDefinition, help_text: str) -> None:
        """Add an input of the model."""
        component = QgsProcessingModelParameter(parameter.name())
        component.setPosition(QPointF(120, 80 + 90 * self._inputs))
        self._inputs += 1
        self.help[parameter.name()] = help_text
        self.model.addModelParameter(parameter, component)

    def step(
        self,
        child: str,
        algorithm: str,
        title: str,
        given: Mapping[str, Source | Sequence[Source]],
        outputs: Mapping[str, tuple[Any, ...]],
    ) -> None:
        """Add a step, called `child`.

        `outputs`: of each output of the model the name, which output of the step it is, its words, and
        whether it must be asked for.
        """
        made = QgsProcessingModelChildAlgorithm(algorithm)
        made.setChildId(child)
        made.setDescription(title)
        made.setPosition(QPointF(460, 120 + 200 * self._steps))
        self._steps += 1
        for name, source in given.items():
            made.addParameterSources(name, [source] if isinstance(source, Source) else list(source))
        made.setModelOutputs(
            {name: self._output(child, name, n, *outputs[name]) for n, name in enumerate(outputs)}
        )
        self.model.addChildAlgorithm(made)

    def _output(
        self, child: str, name: str, number: int, of_child: str, words: str, must: bool = False
    ) -> QgsProcessingModelOutput:
        output = QgsProcessingModelOutput(name, words)
        output.setChildId(child)
        output.setChildOutputName(of_child)
        output.setPosition(QPointF(800, 60 + 90 * number + 200 * (self._steps - 1)))
        output.setMandatory(must)
        self.help[f"{child}:{name}"] = words
        return output


def drawing_of(room: str) -> Drawing:
    """Return a model without steps, with the words of a room."""
    return Drawing(both(f"{room}.name"), both(f"{room}.help"))


def polygons(name: str, label: str, optional: bool = True) -> QgsProcessingParameterFeatureSource:
    """Return an input of polygons."""
    kinds = [QgsProcessing.SourceType.TypeVectorPolygon]
    return QgsProcessingParameterFeatureSource(name, label, kinds, None, optional)


def take_layers(drawing: Drawing, wanted: Sequence[roles.Role]) -> dict[str, Source]:
    """Add an input for each role, and return where the zoning takes them from."""
    for role in wanted:
        drawing.take(polygons(role.param, f"{role.name_zh} {role.name_en}"), both("models.role_help"))
    return {role.param: Source.fromModelParameter(role.param) for role in wanted}


def take_file(drawing: Drawing, name: str, code: str) -> Source:
    """Add an optional file as an input."""
    behaviour = QgsProcessingParameterFile.Behavior.File
    file = QgsProcessingParameterFile(name, both(f"{code}"), behaviour, "json", None, True)
    drawing.take(file, both(f"{code}_help"))
    return Source.fromModelParameter(name)


def expected() -> list[roles.Role]:
    """Return the roles that a city is expected to have layers of."""
    return [role for role in roles.all_roles() if role.expected]


def zone(drawing: Drawing, given: Mapping[str, Source]) -> None:
    """Add the step that zones, with all that is shown of it."""
    names = ("ZONES", "CONFLICTS", "FINDINGS", "OUTPUT")
    outputs = {name: (name, both(f"inputs.{name.lower()}")) for name in names}
    drawing.step(ZONING, "swc_zoning:delineatezones", both("delineate.name"), given, outputs)


def whole_city() -> Drawing:
    """Return the model that checks the decision table and zones all there is."""
    drawing = drawing_of("whole_city")
    given = {"JOB": take_file(drawing, "JOB", "inputs.job")}
    drawing.take(polygons("EXTENT", both("inputs.extent")), both("models.extent_help"))
    given["EXTENT"] = Source.fromModelParameter("EXTENT")
    given.update(take_layers(drawing, expected()))
    given["RULES"] = take_file(drawing, "RULES", "inputs.rules")
    table = {"RULES": Source.fromModelParameter("RULES")}
    drawing.step("table", "swc_zoning:checkruletable", both("rule_check.name"), table, {})
    zone(drawing, given)
    return drawing


def by_district() -> Drawing:
    """Return the model that zones one district of the extent; run as a batch it does all of them."""
    drawing = drawing_of("by_district")
    drawing.take(polygons("EXTENT", both("inputs.extent"), False), both("models.extent_help"))
    field = QgsProcessingParameterField("CODE_FIELD", both("models.code_field"), "XZQDM", "EXTENT")
    drawing.take(field, both("models.code_field_help"))
    drawing.take(QgsProcessingParameterString("CODE", both("models.code")), both("models.code_help"))
    given = {"JOB": take_file(drawing, "JOB", "inputs.job")}
    given.update(take_layers(drawing, expected()))
    given["RULES"] = take_file(drawing, "RULES", "inputs.rules")
    chosen = {
        "INPUT": Source.fromModelParameter("EXTENT"),
        "FIELD": Source.fromModelParameter("CODE_FIELD"),
        "OPERATOR": Source.fromStaticValue(0),
        "VALUE": Source.fromModelParameter("CODE"),
    }
    drawing.step("district", "native:extractbyattribute", both("models.one_district"), chosen, {})
    zone(drawing, {**given, "EXTENT": Source.fromChildOutput("district", "OUTPUT")})
    return drawing


def three_lines() -> Drawing:
    """Return the model that zones by the three lines of territorial planning alone."""
    drawing = drawing_of("three_lines")
    drawing.take(polygons("EXTENT", both("inputs.extent"), False), both("models.extent_help"))
    given = {"EXTENT": Source.fromModelParameter("EXTENT")}
    given.update(take_layers(drawing, [role for role in roles.all_roles() if role.id in THREE_LINES]))
    given["RULES"] = take_file(drawing, "RULES", "inputs.rules")
    zone(drawing, given)
    return drawing


# --- chains of the evaluation ----------------------------------------------------------------------


@contextmanager
def spoken(lang: str) -> Iterator[None]:
    """Have the words of the toolbox in a language."""
    kept = os.environ.get(VARIABLE)
    os.environ[VARIABLE] = lang
    try:
        yield
    finally:
        os.environ.pop(VARIABLE)
        os.environ.update({} if kept is None else {VARIABLE: kept})


def in_both(algorithm: declared.Algorithm) -> Iterator[tuple[QgsProcessingParameterDefinition, str]]:
    """Yield the inputs of an algorithm with their help, in both languages."""
    with spoken("en"):
        english = evaluation_parameters.inputs(algorithm)
    with spoken("zh"):
        chinese = evaluation_parameters.inputs(algorithm)
    for one, other in zip(chinese, english):
        one.setDescription(f"{one.description()} {other.description()}")
        if isinstance(one, QgsProcessingParameterEnum):
            one.setOptions([f"{zh} {en}" for zh, en in zip(one.options(), other.options())])
        yield one, f"{one.help()}\n{other.help()}"


def of_chain(chain: chains.Chain) -> Drawing:
    """Return the model of a chain: its parameters, its steps as children, what it keeps as outputs."""
    said = chain.algorithm
    drawing = Drawing(f"{said.name_zh} {said.name_en}", f"{said.help_zh} {said.help_en}")
    for definition, help_text in in_both(said):
        drawing.take(definition, help_text)
    drawing.model.setParameterOrder([one.name() for one in drawing.model.parameterDefinitions()])
    for step in chain.steps:
        algorithm = declared.find(step.algorithm)
        given: dict[str, list[Source]] = {}
        for parameter in algorithm.parameters:
            for name, source in sources_of(chain, parameter, step.given.get(parameter.name, ())):
                given.setdefault(name, []).append(source)
        outputs = {
            evaluation_parameters.output_name(said, one): (
                output_of(step.algorithm, chain.kept[one.name][1]),
                f"{one.zh} {one.en}",
                bool(one.role),
            )
            for one in said.outputs
            if chain.kept[one.name][0] == step.id
        }
        if needed(chain, step.id):
            # An output of the model that is left out may still be what a later step takes.
            given[evaluation_parameters.KEEP] = [Source.fromStaticValue(True)]
        title = f"{step.zh} {step.en}"
        drawing.step(step.id, f"swc_zoning:{step.algorithm}", title, given, outputs)
    return drawing


def needed(chain: chains.Chain, step: str) -> bool:
    """Return whether a later step takes an output of a step that is an output of the model too."""
    shown = {output for id_, output in chain.kept.values() if id_ == step}
    given = (source for one in chain.steps for sources in one.given.values() for source in sources)
    return any(source.step == step and source.output in shown for source in given)


def output_of(algorithm: str, output: str) -> str:
    """Return the name of an output of an algorithm in Processing."""
    found = declared.find(algorithm)
    return evaluation_parameters.output_name(found, next(one for one in found.outputs if one.name == output))


def sources_of(
    chain: chains.Chain, parameter: declared.Parameter, given: Sequence[chains.Source]
) -> Iterator[tuple[str, Source]]:
    """Yield (name in Processing, source) of all that a parameter of a step is given."""
    name, either = parameter.name.upper(), parameter.kind == "raster_or_number"
    algorithms = {step.id: step.algorithm for step in chain.steps}
    kinds = {one.name: one.kind for one in chain.algorithm.parameters}
    for source in given:
        if source.step:
            yield name, Source.fromChildOutput(source.step, output_of(algorithms[source.step], source.output))
        elif source.parameter:
            yield name, Source.fromModelParameter(source.parameter.upper())
            if either and kinds[source.parameter] == "raster_or_number":
                yield f"{name}_VALUE", Source.fromModelParameter(f"{source.parameter.upper()}_VALUE")
        else:
            target = f"{name}_VALUE" if either else name
            yield target, Source.fromStaticValue(evaluation_parameters.written(parameter, source.value))


MODELS = {"whole_city": whole_city, "by_district": by_district, "three_lines": three_lines}


def write(folder: Path) -> list[Path]:
    """Write all models into `folder` and return their files; the same bytes each time."""
    folder.mkdir(parents=True, exist_ok=True)
    made = []
    drawn = {name: make() for name, make in MODELS.items()}
    drawn |= {name: of_chain(chain) for name, chain in chains.chains().items()}
    for name, drawing in drawn.items():
        drawing.model.setHelpContent(drawing.help)
        with tempfile.TemporaryDirectory() as aside:
            raw = Path(aside) / "raw.model3"
            if not drawing.model.toFile(str(raw)):
                raise SystemExit(f"{name} cannot be written")
            # QGIS writes attributes in no order.
            text = ElementTree.canonicalize(raw.read_text(encoding="utf-8"))
        path = folder / f"{name}.model3"
        path.write_bytes((text + "\n").encode("utf-8"))
        made.append(path)
    return made


def _start() -> QgsApplication:
    """Start QGIS with its own algorithms and ours: a model keeps no step it does not know."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    application = QgsApplication([], False)
    application.initQgis()
    sys.path.append(os.path.join(QgsApplication.pkgDataPath(), "python", "plugins"))
    from qgis.analysis import QgsNativeAlgorithms

    from swc_zoning.processing_algs.provider import SwcZoningProvider

    for provider in (QgsNativeAlgorithms(), SwcZoningProvider()):
        QgsApplication.processingRegistry().addProvider(provider)
    return application


def main() -> None:
    """Write the models."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--output", type=Path, default=ROOT / "resources" / "models")
    folder = parser.parse_args().output
    application = _start()
    print(*write(folder), sep="\n")
    application.exitQgis()


if __name__ == "__main__":
    main()
