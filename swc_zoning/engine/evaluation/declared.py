# SPDX-License-Identifier: GPL-2.0-or-later
"""What algorithms there are: names, parameters, outputs, texts; the schema of their parameters.

One declaration of each, ``resources/evaluation/algorithms/NAME.json``, serves the command line and the
toolbox; ``resources/evaluation/algorithms.json`` has their groups and their order.
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
    "vectors": {"type": "array", "items": {"type": "string", "minLength": 1}},
    "file": {"type": "string", "minLength": 1},
    "numbers": {"type": "array", "items": {"type": "number"}},
    "number": {"type": "number"},
    "integer": {"type": "integer"},
    "boolean": {"type": "boolean"},
    "text": {"type": "string"},
    "field": {"type": "string", "minLength": 1},
    "crs": {"type": "string", "minLength": 1},
    "choice": {"type": "string"},
    "set": {"type": "string"},
    "map": {"type": "object"},
}
_BOUNDS = {"minimum": "minimum", "maximum": "maximum", "exclusive_minimum": "exclusiveMinimum"}
_FILES = frozenset({"raster", "vector", "table", "raster_or_number", "rasters", "vectors", "file"})
#: Kinds of parameters that take several values.
LISTS = frozenset({"rasters", "vectors"})


@dataclass(frozen=True)
class Parameter:
    """A parameter: `kind` of `_KINDS`, unit ("" none), default (None none), further facts of its kind.

    Facts: ``of`` the vector a field is of, ``geometry`` and ``role`` of a vector, ``set`` the kind of a
    parameter set, ``choices``, ``values`` of a map, ``extension`` of a file, ``most`` of a list, bounds,
    ``advanced`` for what few need.
    """

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
    """An output: file in the folder of the result, kind, what it is, unit; `role` of a layer of the zoning,
    `legend` of ``legends.json``; "" for none."""

    name: str
    file: str
    kind: str
    zh: str
    en: str
    unit: str = ""
    role: str = ""
    legend: str = ""


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


@dataclass(frozen=True)
class Group:
    """Algorithms that are shown together."""

    id: str
    zh: str
    en: str
    algorithms: tuple[str, ...]


def groups() -> tuple[Group, ...]:
    """Return the groups in their order."""
    return _groups()


def algorithms() -> dict[str, Algorithm]:
    """Return every algorithm by name, in the order of the groups."""
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
        return _default(parameter)
    if parameter.kind in LISTS:
        return [_file(parameter, one, base) for one in value]
    return _file(parameter, value, base) if parameter.kind in _FILES else value


def _default(parameter: Parameter) -> Any:
    if parameter.kind == "set":
        return parameter.choices[0]
    if parameter.facts.get("values") == "ecosystems" and parameter.default is None:
        return {str(kind["code"]): name for name, kind in sets.default("ecosystems")["kinds"].items()}
    return parameter.default


def _file(parameter: Parameter, value: Any, base: Path) -> Any:
    """Return the path of a file (``path|layername=NAME`` for a layer), a number as it is."""
    if not isinstance(value, str):
        return value
    name, bar, layer = value.partition("|layername=")
    path = (base / name).resolve()
    if not path.exists():
        raise SwcError("evaluation.missing_file", name=parameter.name, path=name)
    return f"{path}{bar}{layer}" if parameter.kind in ("vector", "vectors") else path


@lru_cache(maxsize=1)
def _groups() -> tuple[Group, ...]:
    rows = _document("algorithms.json")["groups"]
    return tuple(Group(row["id"], row["zh"], row["en"], tuple(row["algorithms"])) for row in rows)


@lru_cache(maxsize=1)
def _algorithms() -> dict[str, Algorithm]:
    names = [name for group in _groups() for name in group.algorithms]
    return {name: algorithm(_document("algorithms", f"{name}.json")) for name in names}


def _document(*names: str) -> Any:
    return json.loads(resource("evaluation", *names).read_text(encoding="utf-8"))


def algorithm(row: Mapping[str, Any]) -> Algorithm:
    """Return the algorithm of a declaration."""
    heads = [row[key] for key in ("name", "name_zh", "name_en", "help_zh", "help_en")]
    return Algorithm(*heads, tuple(map(parameter, row["parameters"])), tuple(map(_made, row["outputs"])))


def _made(row: Mapping[str, Any]) -> Made:
    keys = ("name", "file", "kind", "zh", "en")
    return Made(*(row[key] for key in keys), *(row.get(key, "") for key in ("unit", "role", "legend")))


def parameter(row: Mapping[str, Any]) -> Parameter:
    """Return the parameter of a declaration."""
    head = [row[key] for key in ("name", "kind", "zh", "en")]
    return Parameter(*head, row.get("required", False), row.get("default"), row.get("unit", ""), row)


def _values_of_map(kind: str) -> dict[str, Any]:
    if kind == "number":
        return {"type": "number", "exclusiveMinimum": 0}
    return {"type": "string", "enum": list(sets.default(kind)["kinds"])}
