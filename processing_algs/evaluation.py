# SPDX-License-Identifier: GPL-2.0-or-later
"""The tools of the evaluation: one class, one object for each algorithm that the engine declares."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from qgis.core import QgsProcessingContext, QgsProcessingFeedback, QgsProcessingUtils

from swc_zoning.engine import reports, schema
from swc_zoning.engine.evaluation import declared
from swc_zoning.engine.evaluation.declared import Made
from swc_zoning.engine.messages import SwcError
from swc_zoning.processing_algs import evaluation_parameters as given
from swc_zoning.processing_algs.base import (
    SwcAlgorithm,
    call_engine,
    can_evaluate,
    errors_as_sentences,
    temporary_folder,
)
from swc_zoning.processing_algs.evaluation_layers import HeldLayers
from swc_zoning.qgis_bridge import evaluation_looks
from swc_zoning.qgis_bridge.i18n import language, text

_RECORD_KEY = "record"
#: What QGIS or SQLite keep beside a file, of no use to the one that takes its place.
_LEFT_BESIDE = (".aux.xml", ".ovr", "-wal", "-shm", "-journal")


class Evaluation(SwcAlgorithm):
    """Runs ``evaluate NAME`` in the child; its words and parameters are those of the declaration."""

    ROOM = "evaluation_tools"

    def __init__(self, name: str) -> None:
        super().__init__()
        self.declared = declared.find(name)
        self._layers = HeldLayers(self.declared)

    def createInstance(self) -> Evaluation:  # noqa: N802 (QGIS calls these names)
        """Return a new object of the same algorithm."""
        return Evaluation(self.declared.name)

    # --- words -------------------------------------------------------------------------------------

    def name(self) -> str:
        """Return the id, which never changes: the name of the algorithm."""
        return self.declared.name

    def displayName(self) -> str:  # noqa: N802
        """Return the name shown in the toolbox."""
        return self._told("name")

    def shortDescription(self) -> str:  # noqa: N802
        """Return the one-line description."""
        return re.split(r"(?<=[。；])|(?<=[.;:]) ", self._told("help"))[0]

    def shortHelpString(self) -> str:  # noqa: N802
        """Return the help beside the dialog."""
        lines = [self._told("help"), *(f"• {given.said(one)}" for one in self.declared.outputs)]
        return "<br>".join(lines)

    def tags(self) -> list[str]:
        """Return words the search finds it by: its name in both languages."""
        return [self.declared.name, self.declared.name_zh, self.declared.name_en]

    def group(self) -> str:
        """Return the name of the group."""
        return text("group.evaluation", group=getattr(self._group(), language()))

    def groupId(self) -> str:  # noqa: N802
        """Return the id of the group, which never changes."""
        return f"evaluation_{self._group().id}"

    def _group(self) -> declared.Group:
        return next(one for one in declared.groups() if self.declared.name in one.algorithms)

    def _told(self, what: str) -> str:
        return getattr(self.declared, f"{what}_{language()}")

    def canExecute(self) -> tuple[bool, str]:  # noqa: N802
        """Return whether the Python of the engine can read rasters, and else what to install."""
        return can_evaluate(super().canExecute())

    # --- parameters --------------------------------------------------------------------------------

    def initAlgorithm(self, configuration: dict[str, Any] | None = None) -> None:  # noqa: N802
        """Declare the parameters and outputs."""
        for definition in (*given.inputs(self.declared), *given.outputs(self.declared)):
            self.addParameter(definition)

    def checkParameterValues(  # noqa: N802
        self, parameters: dict[str, Any], context: QgsProcessingContext
    ) -> tuple[bool, str]:
        """Refuse what the engine would refuse, before it is started."""
        fits, reason = super().checkParameterValues(parameters, context)
        if not fits:
            return fits, reason
        try:
            document = {**self._named_layers(parameters), **self._values(parameters, context)}
            self._check_endings(parameters, context)
        except SwcError as error:
            return False, error.sentence(language())
        if not any(self._wanted(parameters)) and not self._keeps(parameters, context):
            return False, text("evaluation_tools.nothing_wanted")
        findings = schema.check_document(document, self.declared.schema(language()))
        return not findings, "\n".join(finding.sentence(language()) for finding in findings)

    def _named_layers(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """Return words in place of the layers that are given, to be held against the schema."""
        words = {}
        for one in self.declared.parameters:
            value = parameters.get(given.name_of(one))
            if one.kind in given.LAYERS and given.is_given(value):
                count = len(value) if isinstance(value, list) else 1
                words[one.name] = [one.name] * count if one.kind in ("rasters", "vectors") else one.name
        return words

    def _values(self, parameters: dict[str, Any], context: QgsProcessingContext) -> dict[str, Any]:
        """Return what is no layer, by the name of the engine; numbers in place of rasters not given."""
        found = {}
        for one in self.declared.parameters:
            if one.kind not in given.LAYERS:
                found[one.name] = given.read(self, parameters, one, context)
            elif one.kind == "raster_or_number" and not given.is_given(parameters.get(given.name_of(one))):
                found[one.name] = given.read_value(self, parameters, one, context)
        return {name: value for name, value in found.items() if value is not None}

    def _check_endings(self, parameters: dict[str, Any], context: QgsProcessingContext) -> None:
        """Refuse a file that cannot be what its name says."""
        for name, output in self._wanted(parameters):
            ending, value = given.ending_of(output), _destination(parameters[name])
            if ending and not value.startswith("TEMPORARY_OUTPUT") and Path(value).suffix.lower() != ending:
                raise SwcError("evaluation_tools.ending", name=given.said(output), ending=ending)

    def _wanted(self, parameters: Mapping[str, Any]) -> Iterator[tuple[str, Made]]:
        """Yield the outputs that were asked for, by their names."""
        for output in self.declared.outputs:
            name = given.output_name(self.declared, output)
            if given.is_given(parameters.get(name)):
                yield name, output

    # --- running -----------------------------------------------------------------------------------

    def prepareAlgorithm(  # noqa: N802
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> bool:
        """Hold what the layers show; runs in the main thread, where layers live."""
        with errors_as_sentences():
            self._layers.take(self, parameters, context)
        return True

    def processAlgorithm(  # noqa: N802
        self, parameters: dict[str, Any], context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> dict[str, Any]:
        """Run it in the child, then put its files where they were asked for."""
        with errors_as_sentences(), temporary_folder() as folder:
            document = {**self._values(parameters, context), **self._layers.files(folder, feedback)}
            asked = folder / "parameters.json"
            reports.write(document, asked)
            command = ["evaluate", self.declared.name, str(asked), "--output", str(folder / "made")]
            made = call_engine(command, feedback)
            results = {
                name: self._put(name, output, made, parameters, context)
                for name, output in self._wanted(parameters)
                if output.kind == "rasters" or output.name in made
            }
            if self._keeps(parameters, context):
                results = {**self._keep(made, results), **results}
            return {**results, **self._put_record(made[_RECORD_KEY], parameters, context)}

    def _keeps(self, parameters: dict[str, Any], context: QgsProcessingContext) -> bool:
        return self.parameterAsBool(parameters, given.KEEP, context)

    def _keep(self, made: Mapping[str, Path], asked: Mapping[str, str]) -> dict[str, str]:
        """Put the outputs nobody asked for into temporary files of QGIS."""
        kept = {}
        for output in self.declared.outputs:
            name = given.output_name(self.declared, output)
            if name not in asked and output.name in made:
                target = QgsProcessingUtils.generateTempFilename(f"{name}{given.ending_of(output)}")
                _put(made[output.name], Path(target))
                kept[name] = target
        return kept

    def _put(
        self,
        name: str,
        output: Made,
        made: Mapping[str, Path],
        parameters: dict[str, Any],
        context: QgsProcessingContext,
    ) -> str:
        """Put an output where it was asked for, with its look where it will be loaded; return the place."""
        if output.kind == "rasters":
            return self._put_all(name, made, parameters, context)
        target = self._target(name, output, parameters, context)
        _put(made[output.name], target)
        if context.willLoadLayerOnCompletion(str(target)):
            record = made[_RECORD_KEY]
            look = evaluation_looks.look_of(target, output.legend, language(), record)
            evaluation_looks.attach(context, str(target), look)
        return str(target)

    def _target(
        self, name: str, output: Made, parameters: dict[str, Any], context: QgsProcessingContext
    ) -> Path:
        """Return where an output goes; a temporary file has the ending of what it is."""
        if output.kind not in ("raster", "vector"):
            return Path(self.parameterAsFileOutput(parameters, name, context))
        said = self.parameterAsOutputLayer(parameters, name, context)
        target = Path(said).with_suffix(given.ending_of(output))
        if str(target) != said:
            evaluation_looks.rename(context, said, str(target))
        return target

    def _put_all(
        self,
        name: str,
        made: Mapping[str, Path],
        parameters: dict[str, Any],
        context: QgsProcessingContext,
    ) -> str:
        folder = Path(self.parameterAsFileOutput(parameters, name, context))
        for path in made.values():
            if path.suffix == ".tif":
                _put(path, folder / path.name)
        return str(folder)

    def _put_record(
        self, record: Path, parameters: dict[str, Any], context: QgsProcessingContext
    ) -> dict[str, str]:
        if not given.is_given(parameters.get(given.RECORD)):
            return {}
        target = Path(self.parameterAsFileOutput(parameters, given.RECORD, context))
        _put(record, target)
        return {given.RECORD: str(target)}


def _destination(value: Any) -> str:
    """Return the words of a destination, which may be a definition of QGIS around them."""
    sink = getattr(value, "sink", value)
    return str(getattr(sink, "staticValue", lambda: sink)())


def _put(made: Path, target: Path) -> None:
    """Copy a file to where it was asked for: aside, then in its place with what is known of the old one gone.

    Raises SwcError ``evaluation_tools.unwritable``.
    """
    aside = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(made, aside)
        aside.replace(target)
        for left in _LEFT_BESIDE:
            target.with_name(f"{target.name}{left}").unlink(missing_ok=True)
    except OSError as error:
        reason = error.strerror or str(error)
        raise SwcError("evaluation_tools.unwritable", path=str(target), reason=reason) from error
    finally:
        aside.unlink(missing_ok=True)


def shipped() -> Iterator[Evaluation]:
    """Yield the tools, in the order of the declarations."""
    for name in declared.algorithms():
        yield Evaluation(name)
