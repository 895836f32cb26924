# SPDX-License-Identifier: GPL-2.0-or-later
"""What algorithms there are: names, parameters, outputs, texts; the schema of their parameters.

One declaration, ``resources/evaluation/algorithms.json``, serves the command line and the toolbox.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from swc_zoning.engine import schema
from swc_zoning.engine.evaluation import sets
from swc_zoning.engine.messages import Blocked, SwcError
from swc_zoning.paths import resource

#: JSON Schema of a value by the kind of its parameter.
_KINDS: Mapping[str, Mapping[str, Any]] = {
    "raster": {"type": "string", "minLength": 1},
    "vector": {"type": "string", "minLength": 1},
    "table": {"type": "string", "minLength": 1},
    "raster_or_number": {"type": ["string", "number"]},
    "rasters": {"type": "array", "items": {"type": "string", "minLength": 1}},
    "numbers": {"type": "array", "items": {"type": "number"}},
    "number": {"type": "number"},
    "integer": {"type": "integer"},
    "boolean": {"type": "boolean"},
    "text": {"type": "string"},
    "choice": {"type": "string"},
    "set": {"type": "string"},
    "map": {"type": "object"},
}
_BOUNDS = {"minimum": "minimum", "maximum": "maximum", "exclusive_minimum": "exclusiveMinimum"}
_FILES = frozenset({"raster", "vector", "table", "raster_or_number", "rasters"})


@dataclass(frozen=True)
class Parameter:
    """A parameter: `kind` of `_KINDS`, unit ("" none), default (None none), further facts of its kind."""

    name: str
    kind: str
    zh: str
    en: str
    required: bool
    default: Any
    unit: str
    facts: Mapping[str, Any]

    @property
    def choices(self) -> tuple[str, ...]:
        """Return the values that can be chosen, none where any can be given."""
        if self.kind == "set":
            return sets.names(self.facts["set"])
        return tuple(self.facts.get("choices", ()))

    def schema(self, lang: str) -> dict[str, Any]:
        """Return the JSON Schema of a value."""
        unit = f" ({self.unit})" if self.unit else ""
        made = {**_KINDS[self.kind], "description": f"{getattr(self, lang)}{unit}"}
        made.update({keyword: self.facts[key] for key, keyword in _BOUNDS.items() if key in self.facts})
        if self.choices:
            made["enum"] = list(self.choices)
        if self.kind == "map":
            made["additionalProperties"] = _values_of_map(self.facts["values"])
        if "most" in self.facts:
            made.update({"minItems": 1, "maxItems": self.facts["most"]})
        return made if self.default is None else {**made, "default": self.default}


@dataclass(frozen=True)
class Made:
    """An output: file in the folder of the result, kind, unit, what it is."""

    name: str
    file: str
    kind: str
    zh: str
    en: str
    unit: str


@dataclass(frozen=True)
class Algorithm:
    """An algorithm with its texts."""

    name: str
    name_zh: str
    name_en: str
    help_zh: str
    help_en: str
    parameters: tuple[Parameter, ...]
    outputs: tuple[Made, ...]

    def schema(self, lang: str = "zh") -> dict[str, Any]:
        """Return the JSON Schema of its parameters."""
        return {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "title": f"{self.name}: {self.name_zh if lang == 'zh' else self.name_en}",
            "description": self.help_zh if lang == "zh" else self.help_en,
            "type": "object",
            "properties": {one.name: one.schema(lang) for one in self.parameters},
            "required": [one.name for one in self.parameters if one.required],
            "additionalProperties": False,
        }

    def outputs_json(self, lang: str = "zh") -> list[dict[str, str]]:
        """Return what it makes."""
        rows = [(one.name, one.file, one.kind, one.unit, getattr(one, lang)) for one in self.outputs]
        return [dict(zip(("name", "file", "kind", "unit", "text"), row)) for row in rows]


def algorithms() -> dict[str, Algorithm]:
    """Return every algorithm by name."""
    return dict(_algorithms())


def find(name: str) -> Algorithm:
    """Return an algorithm; raises SwcError ``evaluation.algorithm_unknown``."""
    known = _algorithms()
    if name not in known:
        raise SwcError("evaluation.algorithm_unknown", name=name, known=", ".join(known))
    return known[name]


def checked(algorithm: Algorithm, document: Any, base: Path) -> dict[str, Any]:
    """Return the parameters of a document, defaults filled in, paths made absolute from `base`.

    Missing ones are None. Raises Blocked with findings ``schema.*``, SwcError ``evaluation.missing_file``.
    """
    findings = schema.check_document(document, algorithm.schema())
    if findings:
        raise Blocked(findings)
    return {one.name: _taken(one, document.get(one.name), base) for one in algorithm.parameters}


def _taken(parameter: Parameter, value: Any, base: Path) -> Any:
    if value is None:
        return parameter.choices[0] if parameter.kind == "set" else parameter.default
    if parameter.kind == "rasters":
        return [_file(parameter, one, base) for one in value]
    return _file(parameter, value, base) if parameter.kind in _FILES else value


def _file(parameter: Parameter, value: Any, base: Path) -> Any:
    """Return the path of a file (``path|layername=NAME`` for a layer), a number as it is."""
    if not isinstance(value, str):
        return value
    name, bar, layer = value.partition("|layername=")
    path = (base / name).resolve()
    if not path.exists():
        raise SwcError("evaluation.missing_file", name=parameter.name, path=name)
    return f"{path}{bar}{layer}" if parameter.kind == "vector" else path


@lru_cache(maxsize=1)
def _algorithms() -> dict[str, Algorithm]:
    document = json.loads(resource("evaluation", "algorithms.json").read_text(encoding="utf-8"))
    return {row["name"]: _algorithm(row) for row in document["algorithms"]}


def _algorithm(row: Mapping[str, Any]) -> Algorithm:
    heads = [row[key] for key in ("name", "name_zh", "name_en", "help_zh", "help_en")]
    keys = ("name", "file", "kind", "zh", "en")
    outputs = [Made(*(one[key] for key in keys), one.get("unit", "")) for one in row["outputs"]]
    return Algorithm(*heads, tuple(map(_parameter, row["parameters"])), tuple(outputs))


def _parameter(row: Mapping[str, Any]) -> Parameter:
    head = [row[key] for key in ("name", "kind", "zh", "en")]
    return Parameter(*head, row.get("required", False), row.get("default"), row.get("unit", ""), row)


def _values_of_map(kind: str) -> dict[str, Any]:
    if kind == "number":
        return {"type": "number", "exclusiveMinimum": 0}
    return {"type": "string", "enum": list(sets.load(kind, sets.names(kind)[0])["kinds"])}
