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
from collections.abc import Mapping, Sequence
from pathlib import Path
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
    QgsProcessingParameterFeatureSource,
    QgsProcessingParameterField,
    QgsProcessingParameterFile,
    QgsProcessingParameterString,
)
from qgis.PyQt.QtCore import QPointF

from swc_zoning.engine import roles
from swc_zoning.engine.messages import sentence

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

    def __init__(self, room: str) -> None:
        self.model = QgsProcessingModelAlgorithm(both(f"{room}.name"), GROUP)
        self.help: dict[str, str] = {"ALG_DESC": both(f"{room}.help")}
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
        given: Mapping[str, Source],
        outputs: Sequence[str] = (),
    ) -> None:
        """Add a step, called `child`, and the outputs of it that are outputs of the model."""
        made = QgsProcessingModelChildAlgorithm(algorithm)
        made.setChildId(child)
        made.setDescription(title)
        made.setPosition(QPointF(460, 120 + 200 * self._steps))
        self._steps += 1
        for name, source in given.items():
            made.addParameterSources(name, [source])
        made.setModelOutputs({name: self._output(child, name, n) for n, name in enumerate(outputs)})
        self.model.addChildAlgorithm(made)

    def _output(self, child: str, name: str, number: int) -> QgsProcessingModelOutput:
        output = QgsProcessingModelOutput(name, both(f"inputs.{name.lower()}"))
        output.setChildId(child)
        output.setChildOutputName(name)
        output.setPosition(QPointF(800, 60 + 90 * number + 200 * (self._steps - 1)))
        self.help[f"{child}:{name}"] = both(f"inputs.{name.lower()}")
        return output


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
    outputs = ("ZONES", "CONFLICTS", "FINDINGS", "OUTPUT")
    drawing.step(ZONING, "swc_zoning:delineatezones", both("delineate.name"), given, outputs)


def whole_city() -> Drawing:
    """Return the model that checks the decision table and zones all there is."""
    drawing = Drawing("whole_city")
    given = {"JOB": take_file(drawing, "JOB", "inputs.job")}
    drawing.take(polygons("EXTENT", both("inputs.extent")), both("models.extent_help"))
    given["EXTENT"] = Source.fromModelParameter("EXTENT")
    given.update(take_layers(drawing, expected()))
    given["RULES"] = take_file(drawing, "RULES", "inputs.rules")
    table = {"RULES": Source.fromModelParameter("RULES")}
    drawing.step("table", "swc_zoning:checkruletable", both("rule_check.name"), table)
    zone(drawing, given)
    return drawing


def by_district() -> Drawing:
    """Return the model that zones one district of the extent; run as a batch it does all of them."""
    drawing = Drawing("by_district")
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
    drawing.step("district", "native:extractbyattribute", both("models.one_district"), chosen)
    zone(drawing, {**given, "EXTENT": Source.fromChildOutput("district", "OUTPUT")})
    return drawing


def three_lines() -> Drawing:
    """Return the model that zones by the three lines of territorial planning alone."""
    drawing = Drawing("three_lines")
    drawing.take(polygons("EXTENT", both("inputs.extent"), False), both("models.extent_help"))
    given = {"EXTENT": Source.fromModelParameter("EXTENT")}
    given.update(take_layers(drawing, [role for role in roles.all_roles() if role.id in THREE_LINES]))
    given["RULES"] = take_file(drawing, "RULES", "inputs.rules")
    zone(drawing, given)
    return drawing


MODELS = {"whole_city": whole_city, "by_district": by_district, "three_lines": three_lines}


def write(folder: Path) -> list[Path]:
    """Write all models into `folder` and return their files; the same bytes each time."""
    folder.mkdir(parents=True, exist_ok=True)
    made = []
    for name, make in MODELS.items():
        drawing = make()
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
