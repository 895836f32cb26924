# SPDX-License-Identifier: GPL-2.0-or-later
"""Check JSON documents against a subset of JSON Schema, reporting every problem at once.

Pure Python, so that QGIS needs no package for it. Meaning of each keyword: JSON Schema
draft 2020-12. A keyword outside the subset is refused, never skipped, because a schema
that is only half read would let wrong documents pass.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from functools import lru_cache
from typing import Any, Callable, Union

from swc_zoning.engine.messages import Finding, SwcError
from swc_zoning.paths import resource

Schema = Union[Mapping[str, Any], bool]

_ANNOTATIONS = {"$schema", "$id", "$defs", "$comment", "title", "description", "default", "examples"}
_PROPERTY_KEYWORDS = {"properties", "patternProperties", "additionalProperties"}
_SHOWN = 60


def check_document(document: Any, schema: Schema | str) -> list[Finding]:
    """Return every way in which `document` departs from `schema`; an empty list means valid.

    `schema` is a schema, or the name of a file under ``resources/schemas`` with or without
    ``.schema.json``. Facts carry the JSON path (``$.rules[3].zone``).
    Raises SwcError ``schema.keyword`` where the schema itself uses an unknown keyword or reference.
    """
    known = shipped_schema(schema) if isinstance(schema, str) else schema
    return list(_check(document, known, "$", known))


@lru_cache(maxsize=8)
def shipped_schema(name: str) -> dict[str, Any]:
    """Return the schema of a name, as `check_document` takes it. Not to be changed."""
    file = name if name.endswith(".json") else f"{name}.schema.json"
    return json.loads(resource("schemas", file).read_text(encoding="utf-8"))


def _check(value: Any, schema: Schema, path: str, root: Schema) -> Iterator[Finding]:
    if isinstance(schema, bool):
        if not schema:
            yield Finding("schema.forbidden", {"path": path})
        return
    for keyword, wanted in schema.items():
        if keyword in _CHECKS:
            yield from _CHECKS[keyword](value, wanted, path, root)
        elif keyword not in _ANNOTATIONS and keyword not in _PROPERTY_KEYWORDS:
            raise SwcError("schema.keyword", path=path, keyword=keyword)
    if isinstance(value, Mapping):
        yield from _members(value, schema, path, root)


def _members(
    value: Mapping[str, Any], schema: Mapping[str, Any], path: str, root: Schema
) -> Iterator[Finding]:
    properties = schema.get("properties", {})
    patterns = schema.get("patternProperties", {})
    others = schema.get("additionalProperties", True)
    for key, member in value.items():
        matching = [properties[key]] if key in properties else []
        matching += [part for pattern, part in patterns.items() if re.search(pattern, key)]
        if not matching and others is False:
            yield _unknown_key(key, properties, path)
            continue
        for part in matching or [others]:
            yield from _check(member, part, _join(path, key), root)


def _unknown_key(key: str, properties: Mapping[str, Any], path: str) -> Finding:
    nearest = get_close_matches(key, list(properties), 1, 0.0)
    return Finding(
        "schema.unknown_key", {"path": path, "key": key, "nearest": nearest[0] if nearest else "-"}
    )


def _join(path: str, key: str) -> str:
    return f"{path}.{key}" if key.isidentifier() else f"{path}[{json.dumps(key, ensure_ascii=False)}]"


def _show(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=repr)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"


def _type_name(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    kinds = ((int, "integer"), (float, "number"), (str, "string"), (list, "array"), (Mapping, "object"))
    return next((name for kind, name in kinds if isinstance(value, kind)), type(value).__name__)


def _is_type(value: Any, name: str) -> bool:
    found = _type_name(value)
    if name == "number":
        return found in ("integer", "number")
    if name == "integer" and found == "number":
        return value.is_integer()
    return found == name


def _same(left: Any, right: Any) -> bool:
    # JSON tells true from 1; Python does not.
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(_same, left, right))
    if isinstance(left, Mapping) and isinstance(right, Mapping):
        return left.keys() == right.keys() and all(_same(left[key], right[key]) for key in left)
    return isinstance(left, bool) == isinstance(right, bool) and left == right


def _type(value: Any, wanted: str | Sequence[str], path: str, root: Schema) -> Iterator[Finding]:
    names = [wanted] if isinstance(wanted, str) else list(wanted)
    if not any(_is_type(value, name) for name in names):
        yield Finding(
            "schema.type", {"path": path, "expected": " | ".join(names), "found": _type_name(value)}
        )


def _enum(value: Any, wanted: Sequence[Any], path: str, root: Schema) -> Iterator[Finding]:
    if not any(_same(value, one) for one in wanted):
        allowed = " | ".join(_show(one) for one in wanted)
        yield Finding("schema.enum", {"path": path, "value": _show(value), "allowed": allowed})


def _const(value: Any, wanted: Any, path: str, root: Schema) -> Iterator[Finding]:
    return _enum(value, [wanted], path, root)


def _required(value: Any, wanted: Sequence[str], path: str, root: Schema) -> Iterator[Finding]:
    if isinstance(value, Mapping):
        for key in wanted:
            if key not in value:
                yield Finding("schema.missing", {"path": path, "key": key})


def _items(value: Any, wanted: Schema, path: str, root: Schema) -> Iterator[Finding]:
    if isinstance(value, list):
        for position, item in enumerate(value):
            yield from _check(item, wanted, f"{path}[{position}]", root)


def _unique_items(value: Any, wanted: bool, path: str, root: Schema) -> Iterator[Finding]:
    if wanted and isinstance(value, list):
        for position, item in enumerate(value):
            if any(_same(item, earlier) for earlier in value[:position]):
                yield Finding("schema.repeated", {"path": f"{path}[{position}]", "value": _show(item)})


def _pattern(value: Any, wanted: str, path: str, root: Schema) -> Iterator[Finding]:
    if isinstance(value, str) and not re.search(wanted, value):
        yield Finding("schema.pattern", {"path": path, "value": _show(value), "pattern": wanted})


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _minimum(value: Any, wanted: float, path: str, root: Schema) -> Iterator[Finding]:
    if _is_number(value) and value < wanted:
        yield Finding("schema.minimum", {"path": path, "value": value, "limit": wanted})


def _exclusive_minimum(value: Any, wanted: float, path: str, root: Schema) -> Iterator[Finding]:
    if _is_number(value) and value <= wanted:
        yield Finding("schema.not_above", {"path": path, "value": value, "limit": wanted})


def _maximum(value: Any, wanted: float, path: str, root: Schema) -> Iterator[Finding]:
    if _is_number(value) and value > wanted:
        yield Finding("schema.maximum", {"path": path, "value": value, "limit": wanted})


def _min_length(value: Any, wanted: int, path: str, root: Schema) -> Iterator[Finding]:
    if isinstance(value, str) and len(value) < wanted:
        yield Finding("schema.too_short", {"path": path, "limit": wanted})


def _max_length(value: Any, wanted: int, path: str, root: Schema) -> Iterator[Finding]:
    if isinstance(value, str) and len(value) > wanted:
        yield Finding("schema.too_long", {"path": path, "limit": wanted})


def _min_items(value: Any, wanted: int, path: str, root: Schema) -> Iterator[Finding]:
    if isinstance(value, list) and len(value) < wanted:
        yield Finding("schema.too_few", {"path": path, "count": len(value), "limit": wanted})


def _max_items(value: Any, wanted: int, path: str, root: Schema) -> Iterator[Finding]:
    if isinstance(value, list) and len(value) > wanted:
        yield Finding("schema.too_many", {"path": path, "count": len(value), "limit": wanted})


def _any_of(value: Any, wanted: Sequence[Schema], path: str, root: Schema) -> Iterator[Finding]:
    # Nobody is helped by the problems of every branch: those of the branch that comes closest are told.
    attempts = [list(_check(value, branch, path, root)) for branch in wanted]
    yield from min(attempts, key=lambda found: (_misses_type(found, path), len(found)))


def _misses_type(found: list[Finding], path: str) -> bool:
    return any(one.code == "schema.type" and one.facts["path"] == path for one in found)


def _all_of(value: Any, wanted: Sequence[Schema], path: str, root: Schema) -> Iterator[Finding]:
    for branch in wanted:
        yield from _check(value, branch, path, root)


def _ref(value: Any, wanted: str, path: str, root: Schema) -> Iterator[Finding]:
    name = wanted[len("#/$defs/") :] if wanted.startswith("#/$defs/") else ""
    definitions = root.get("$defs", {}) if isinstance(root, Mapping) else {}
    if name not in definitions:
        raise SwcError("schema.keyword", path=path, keyword=f"$ref {wanted}")
    return _check(value, definitions[name], path, root)


_CHECKS: dict[str, Callable[[Any, Any, str, Schema], Iterator[Finding]]] = {
    "type": _type,
    "enum": _enum,
    "const": _const,
    "required": _required,
    "items": _items,
    "uniqueItems": _unique_items,
    "pattern": _pattern,
    "minimum": _minimum,
    "exclusiveMinimum": _exclusive_minimum,
    "maximum": _maximum,
    "minLength": _min_length,
    "maxLength": _max_length,
    "minItems": _min_items,
    "maxItems": _max_items,
    "anyOf": _any_of,
    "allOf": _all_of,
    "$ref": _ref,
}
