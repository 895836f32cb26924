# SPDX-License-Identifier: GPL-2.0-or-later
"""Parameters of the evaluation as Processing has them, made from their declarations and read back.

One maker and one reader for each kind of `declared`. Layers are read by `evaluation_layers`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import PurePath
from typing import Any, Callable

from qgis.core import (
    QgsProcessing,
    QgsProcessingAlgorithm,
    QgsProcessingContext,
    QgsProcessingParameterBoolean,
    QgsProcessingParameterCrs,
    QgsProcessingParameterDefinition,
    QgsProcessingParameterEnum,
    QgsProcessingParameterFeatureSource,
    QgsProcessingParameterField,
    QgsProcessingParameterFile,
    QgsProcessingParameterFileDestination,
    QgsProcessingParameterFolderDestination,
    QgsProcessingParameterMatrix,
    QgsProcessingParameterMultipleLayers,
    QgsProcessingParameterNumber,
    QgsProcessingParameterRasterDestination,
    QgsProcessingParameterRasterLayer,
    QgsProcessingParameterString,
    QgsProcessingParameterVectorDestination,
)

from swc_zoning.engine.evaluation import sets
from swc_zoning.engine.evaluation.declared import Algorithm, Made, Parameter
from swc_zoning.engine.messages import SwcError, catalogue
from swc_zoning.qgis_bridge import sources
from swc_zoning.qgis_bridge.i18n import language, text

#: Kinds whose value is a layer, or several.
LAYERS = frozenset({"raster", "raster_or_number", "rasters", "vector", "vectors"})
RECORD = "RECORD"
#: Whether outputs nobody asked for are kept in temporary files: later steps of a model may take them.
KEEP = "KEEP"

_Definitions = list[QgsProcessingParameterDefinition]
_SOURCES = {
    "polygon": QgsProcessing.SourceType.TypeVectorPolygon,
    "line": QgsProcessing.SourceType.TypeVectorLine,
    "point": QgsProcessing.SourceType.TypeVectorPoint,
    "any": QgsProcessing.SourceType.TypeVectorAnyGeometry,
}
_BETWEEN = re.compile(r"[,;，；、\s]+")


def name_of(parameter: Parameter) -> str:
    """Return the name of a parameter in Processing."""
    return parameter.name.upper()


def value_name(parameter: Parameter) -> str:
    """Return the name of the number that a raster may be instead."""
    return f"{name_of(parameter)}_VALUE"


def output_name(algorithm: Algorithm, output: Made) -> str:
    """Return the name of an output in Processing: that of a parameter is taken already."""
    name = output.name.upper()
    taken = {name_of(one) for one in algorithm.parameters}
    return f"{name}_OUTPUT" if name in taken else name


def ending_of(output: Made) -> str:
    """Return how the file of an output ends, "" for several files."""
    return "" if output.kind == "rasters" else PurePath(output.file).suffix


def file_filter(ending: str) -> str:
    """Return the filter of a dialog for files of an ending."""
    return text("evaluation_tools.files", kind=ending[1:].upper(), ending=ending)


def said(thing: Any) -> str:
    """Return the words of a parameter or an output, with its unit."""
    words = getattr(thing, language())
    return f"{words} [{thing.unit}]" if thing.unit else words


# --- making ----------------------------------------------------------------------------------------


def inputs(algorithm: Algorithm) -> _Definitions:
    """Return the definitions of all parameters of an algorithm, in their order."""
    made = []
    for parameter in algorithm.parameters:
        for definition in _MAKERS[parameter.kind](parameter):
            if parameter.facts.get("advanced"):
                flag = QgsProcessingParameterDefinition.Flag.FlagAdvanced
                definition.setFlags(definition.flags() | flag)
            definition.setHelp(_help(parameter))
            made.append(definition)
    return made


def outputs(algorithm: Algorithm) -> _Definitions:
    """Return the definitions of all outputs, each of which may be left out, and what models need of them."""
    made = [_output(algorithm, one) for one in algorithm.outputs]
    pattern = file_filter(".json")
    record = QgsProcessingParameterFileDestination(
        RECORD, text("evaluation_tools.record"), pattern, None, True, False
    )
    record.setHelp(text("evaluation_tools.record_help"))
    kept = QgsProcessingParameterBoolean(KEEP, text("evaluation_tools.keep"), False)
    kept.setHelp(text("evaluation_tools.keep"))
    kept.setFlags(kept.flags() | QgsProcessingParameterDefinition.Flag.FlagHidden)
    return [*made, record, kept]


def _output(algorithm: Algorithm, output: Made) -> QgsProcessingParameterDefinition:
    ending = ending_of(output)
    definition = _DESTINATIONS[output.kind](output_name(algorithm, output), said(output), True, ending)
    code = "evaluation_tools.output_help" if ending else "evaluation_tools.folder_help"
    definition.setHelp(text(code, words=said(output), ending=ending))
    return definition


def _optional(parameter: Parameter) -> bool:
    return not parameter.required and parameter.default is None


def _raster(parameter: Parameter) -> _Definitions:
    optional = not parameter.required
    return [QgsProcessingParameterRasterLayer(name_of(parameter), said(parameter), None, optional)]


def _raster_or_number(parameter: Parameter) -> _Definitions:
    label = text("evaluation_tools.one_value", words=said(parameter))
    raster = QgsProcessingParameterRasterLayer(name_of(parameter), said(parameter), None, True)
    return [raster, _plain_number(parameter, value_name(parameter), label, True)]


def _rasters(parameter: Parameter) -> _Definitions:
    kind = QgsProcessing.SourceType.TypeRaster
    optional = not parameter.required
    return [QgsProcessingParameterMultipleLayers(name_of(parameter), said(parameter), kind, None, optional)]


def _vector(parameter: Parameter) -> _Definitions:
    kinds = [_SOURCES[parameter.facts.get("geometry", "any")]]
    optional = not parameter.required
    return [QgsProcessingParameterFeatureSource(name_of(parameter), said(parameter), kinds, None, optional)]


def _vectors(parameter: Parameter) -> _Definitions:
    kind = _SOURCES[parameter.facts.get("geometry", "any")]
    optional = not parameter.required
    return [QgsProcessingParameterMultipleLayers(name_of(parameter), said(parameter), kind, None, optional)]


def _field(parameter: Parameter) -> _Definitions:
    name, label, default = name_of(parameter), said(parameter), parameter.default
    parent, kind = parameter.facts["of"].upper(), QgsProcessingParameterField.DataType.Any
    optional = not parameter.required
    return [QgsProcessingParameterField(name, label, default, parent, kind, False, optional)]


def _number(parameter: Parameter) -> _Definitions:
    return [_plain_number(parameter, name_of(parameter), said(parameter), _optional(parameter))]


def _plain_number(
    parameter: Parameter, name: str, label: str, optional: bool
) -> QgsProcessingParameterNumber:
    kinds = QgsProcessingParameterNumber.Type
    kind = kinds.Integer if parameter.kind == "integer" else kinds.Double
    made = QgsProcessingParameterNumber(name, label, kind, parameter.default, optional)
    facts = parameter.facts
    least = facts.get("minimum", facts.get("exclusive_minimum"))
    if least is not None:
        made.setMinimum(least)
    if "maximum" in facts:
        made.setMaximum(facts["maximum"])
    return made


def _boolean(parameter: Parameter) -> _Definitions:
    return [
        QgsProcessingParameterBoolean(
            name_of(parameter), said(parameter), parameter.default, _optional(parameter)
        )
    ]


def _text(parameter: Parameter) -> _Definitions:
    default, optional = parameter.default, not parameter.required
    return [QgsProcessingParameterString(name_of(parameter), said(parameter), default, False, optional)]


def _numbers(parameter: Parameter) -> _Definitions:
    default = ", ".join(f"{number:g}" for number in parameter.default or ()) or None
    optional = _optional(parameter)
    return [QgsProcessingParameterString(name_of(parameter), said(parameter), default, False, optional)]


def _map(parameter: Parameter) -> _Definitions:
    of_numbers = parameter.facts["values"] == "number"
    heads = [
        text("evaluation_tools.key"),
        text("evaluation_tools.width" if of_numbers else "evaluation_tools.kind"),
    ]
    default = [cell for key, value in _map_default(parameter).items() for cell in (key, value)]
    name, optional = name_of(parameter), not parameter.required
    matrix = QgsProcessingParameterMatrix(name, said(parameter), 3, False, heads, default, optional)
    return [matrix]


def _file(parameter: Parameter) -> _Definitions:
    extension = parameter.facts.get("extension", "csv" if parameter.kind == "table" else "")
    behaviour, optional = QgsProcessingParameterFile.Behavior.File, not parameter.required
    name, label, default = name_of(parameter), said(parameter), parameter.default
    return [QgsProcessingParameterFile(name, label, behaviour, extension, default, optional)]


def _crs(parameter: Parameter) -> _Definitions:
    optional = not parameter.required
    return [QgsProcessingParameterCrs(name_of(parameter), said(parameter), parameter.default, optional)]


def _enum(parameter: Parameter) -> _Definitions:
    labels = [label for _, label in labelled(parameter)]
    first = 0 if parameter.kind == "set" else None
    default = first if parameter.default is None else parameter.choices.index(parameter.default)
    optional = default is None and not parameter.required
    return [QgsProcessingParameterEnum(name_of(parameter), said(parameter), labels, False, default, optional)]


_MAKERS: Mapping[str, Callable[[Parameter], _Definitions]] = {
    "raster": _raster,
    "raster_or_number": _raster_or_number,
    "rasters": _rasters,
    "vector": _vector,
    "vectors": _vectors,
    "field": _field,
    "number": _number,
    "integer": _number,
    "boolean": _boolean,
    "text": _text,
    "numbers": _numbers,
    "map": _map,
    "file": _file,
    "table": _file,
    "crs": _crs,
    "choice": _enum,
    "set": _enum,
}


def _raster_destination(
    name: str, label: str, optional: bool, ending: str
) -> QgsProcessingParameterDefinition:
    return QgsProcessingParameterRasterDestination(name, label, None, optional)


def _vector_destination(
    name: str, label: str, optional: bool, ending: str
) -> QgsProcessingParameterDefinition:
    return QgsProcessingParameterVectorDestination(name, label, _SOURCES["any"], None, optional)


def _file_destination(name: str, label: str, optional: bool, ending: str) -> QgsProcessingParameterDefinition:
    return QgsProcessingParameterFileDestination(name, label, file_filter(ending), None, optional)


def _folder_destination(
    name: str, label: str, optional: bool, ending: str
) -> QgsProcessingParameterDefinition:
    return QgsProcessingParameterFolderDestination(name, label, None, optional)


_DESTINATIONS: Mapping[str, Callable[[str, str, bool, str], QgsProcessingParameterDefinition]] = {
    "raster": _raster_destination,
    "vector": _vector_destination,
    "table": _file_destination,
    "document": _file_destination,
    "workbook": _file_destination,
    "rasters": _folder_destination,
}


# --- words -----------------------------------------------------------------------------------------


def labelled(parameter: Parameter) -> list[tuple[str, str]]:
    """Return (value, words) of all that can be chosen; sets whose text was not seen are shown as such."""
    if parameter.kind == "set":
        return [(name, _set_label(sets.load(parameter.facts["set"], name))) for name in parameter.choices]
    return [(name, _choice_label(name)) for name in parameter.choices]


def _set_label(one: sets.ParameterSet) -> str:
    name = one.name_zh if language() == "zh" else one.name_en
    return name if one.verified else text("evaluation_tools.unverified", name=name)


def _choice_label(name: str) -> str:
    code = f"evaluation_tools.choice_{name.replace('-', '_')}"
    return text(code) if code in catalogue() else name


def _help(parameter: Parameter) -> str:
    """Return where the values of sets are from; of others what they are."""
    lines = [said(parameter)]
    if parameter.kind == "set":
        loaded = [sets.load(parameter.facts["set"], name) for name in parameter.choices]
        lines += [
            text("evaluation_tools.source", name=_set_label(one), source=one.source, article=one.article)
            for one in loaded
        ]
        if not all(one.verified for one in loaded):
            lines.append(text("evaluation_tools.unverified_help"))
    elif parameter.kind == "raster_or_number":
        lines.append(text("evaluation_tools.raster_first"))
    elif parameter.kind == "map" and not parameter.required:
        lines.append(text("evaluation_tools.map_help"))
    return "\n".join(lines)


def _kinds(parameter: Parameter) -> dict[str, Mapping[str, Any]]:
    """Return the kinds that a map may lead to, with their facts, in their order."""
    return sets.default(parameter.facts["values"])["kinds"]


def _map_default(parameter: Parameter) -> dict[str, Any]:
    """Return what a map says at first: its default, else the numbers that the kinds have."""
    if parameter.default:
        return dict(parameter.default)
    if parameter.facts["values"] == "number":
        return {}
    rows = _kinds(parameter).items()
    return {str(fact["code"]): _kind_label(name, fact) for name, fact in rows if "code" in fact}


def _kind_label(name: str, fact: Mapping[str, Any]) -> str:
    return fact.get(language()) or name


def written(parameter: Parameter, value: Any) -> Any:
    """Return a value of the engine as Processing takes it: the reverse of `read`."""
    if parameter.kind in ("set", "choice"):
        return parameter.choices.index(value)
    if parameter.kind == "map":
        return [cell for pair in value.items() for cell in pair]
    return ", ".join(f"{one:g}" for one in value) if parameter.kind == "numbers" else value


# --- reading ---------------------------------------------------------------------------------------


def is_given(value: Any) -> bool:
    """Return whether a parameter says anything."""
    return sources.value_or_none(value) not in (None, "", [])


def read(
    algorithm: QgsProcessingAlgorithm,
    parameters: Mapping[str, Any],
    parameter: Parameter,
    context: QgsProcessingContext,
) -> Any:
    """Return the value of a parameter that is no layer, as the engine takes it; None where there is none.

    Raises SwcError ``evaluation_tools.not_numbers``, ``evaluation_tools.not_kind``.
    """
    name = name_of(parameter)
    if not is_given(parameters.get(name)):
        return None
    if parameter.kind == "map":
        return _read_map(parameter, algorithm.parameterAsMatrix(dict(parameters), name, context))
    if parameter.kind == "numbers":
        return _read_numbers(parameter, parameters[name])
    return _READERS[parameter.kind](algorithm, dict(parameters), name, context, parameter)


def read_value(
    algorithm: QgsProcessingAlgorithm,
    parameters: Mapping[str, Any],
    parameter: Parameter,
    context: QgsProcessingContext,
) -> float | None:
    """Return the number that holds where there is no raster."""
    name = value_name(parameter)
    if not is_given(parameters.get(name)):
        return None
    return algorithm.parameterAsDouble(dict(parameters), name, context)


def _choose(
    algorithm: QgsProcessingAlgorithm,
    parameters: dict[str, Any],
    name: str,
    context: QgsProcessingContext,
    parameter: Parameter,
) -> str:
    return parameter.choices[algorithm.parameterAsEnum(parameters, name, context)]


def _named_crs(
    algorithm: QgsProcessingAlgorithm,
    parameters: dict[str, Any],
    name: str,
    context: QgsProcessingContext,
    parameter: Parameter,
) -> str | None:
    crs = algorithm.parameterAsCrs(parameters, name, context)
    return (crs.authid() or crs.toWkt()) if crs.isValid() else None


_READERS: Mapping[str, Callable[..., Any]] = {
    "number": lambda algorithm, given, name, context, _: algorithm.parameterAsDouble(given, name, context),
    "integer": lambda algorithm, given, name, context, _: algorithm.parameterAsInt(given, name, context),
    "boolean": lambda algorithm, given, name, context, _: algorithm.parameterAsBool(given, name, context),
    "text": lambda algorithm, given, name, context, _: algorithm.parameterAsString(given, name, context),
    "field": lambda algorithm, given, name, context, _: algorithm.parameterAsString(given, name, context),
    "file": lambda algorithm, given, name, context, _: algorithm.parameterAsFile(given, name, context),
    "table": lambda algorithm, given, name, context, _: algorithm.parameterAsFile(given, name, context),
    "crs": _named_crs,
    "choice": _choose,
    "set": _choose,
}


def _read_numbers(parameter: Parameter, value: Any) -> list[float]:
    words = value if isinstance(value, (list, tuple)) else _BETWEEN.split(str(value).strip())
    try:
        return [float(word) for word in words if word != ""]
    except ValueError as error:
        raise SwcError("evaluation_tools.not_numbers", name=said(parameter), value=str(value)) from error


def _read_map(parameter: Parameter, cells: Sequence[Any]) -> dict[str, Any] | None:
    """Return {key: kind or number} of the cells of a matrix, row by row; rows left empty say nothing."""
    texts = ["" if cell is None else str(cell).strip() for cell in cells]
    pairs = [(key, value) for key, value in zip(texts[::2], texts[1::2]) if key or value]
    return dict(_rows(parameter, pairs)) or None


def _rows(parameter: Parameter, pairs: Iterable[tuple[str, str]]) -> Iterable[tuple[str, Any]]:
    if parameter.facts["values"] == "number":
        for key, value in pairs:
            yield key, _read_numbers(parameter, [value or "-"])[0]
        return
    known = {word: name for name, fact in _kinds(parameter).items() for word in _spellings(name, fact)}
    for key, value in pairs:
        if value.lower() not in known:
            kinds = ", ".join(_kind_label(name, fact) for name, fact in _kinds(parameter).items())
            raise SwcError("evaluation_tools.not_kind", key=key, value=value, known=kinds)
        yield key, known[value.lower()]


def _spellings(name: str, fact: Mapping[str, Any]) -> set[str]:
    return {word.lower() for word in (name, fact.get("zh", name), fact.get("en", name))}
