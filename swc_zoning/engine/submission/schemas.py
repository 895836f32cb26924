# SPDX-License-Identifier: GPL-2.0-or-later
"""What is handed in: layers, tables, fields, code sets, stages and names, as data with profiles laid over.

``resources/schemas/submission/national.json`` is the base; a profile such as ``shanghai.json`` changes layers
and fields by name and other keys by key. Code sets of the decision table (zones, measures, conflicts, control
levels) are filled in from it. Only the standard library is imported, so that QGIS can use it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from swc_zoning.engine import rules
from swc_zoning.engine.messages import SwcError
from swc_zoning.paths import resource

SCHEMA = 1
#: The most bytes a text field of a Shapefile (dBASE) holds.
DBF_TEXT = 254


@dataclass(frozen=True)
class Field:
    """A field: `kind` is "text", "integer" or "real", `length` in characters or digits.

    `listed`: a ;-list of codes of `domain`. `short` is its name in a Shapefile. `grade` says where it is
    from: S official text, P public practice, M memory, D our design. Not `public`: left out of the public
    edition. `format` is "year", "date" or "". `positive`: a number above 0.
    """

    name: str
    alias_zh: str
    alias_en: str
    kind: str
    length: int
    decimals: int
    domain: str | None
    listed: bool
    required: bool
    grade: str
    public: bool
    format: str
    positive: bool
    short: str

    def alias(self, lang: str) -> str:
        """Return its title in "zh" or "en"."""
        return self.alias_zh if lang == "zh" else self.alias_en


@dataclass(frozen=True)
class Layer:
    """A layer ("polygon") or table ("table"); an `open` one may have further fields after its own."""

    name: str
    title_zh: str
    title_en: str
    kind: str
    required: bool
    open: bool
    public: bool
    fields: tuple[Field, ...]

    def title(self, lang: str) -> str:
        """Return its title in "zh" or "en"."""
        return self.title_zh if lang == "zh" else self.title_en

    def field(self, name: str) -> Field | None:
        """Return the field of that name, None where there is none."""
        return next((field for field in self.fields if field.name == name), None)


@dataclass(frozen=True)
class Stage:
    """A stage of the plan: the mark its sheets carry, and what of the order it requires."""

    id: str
    name_zh: str
    name_en: str
    mark_zh: str
    mark_en: str
    requires: tuple[str, ...]

    def name(self, lang: str) -> str:
        """Return its name in "zh" or "en"."""
        return self.name_zh if lang == "zh" else self.name_en


@dataclass(frozen=True)
class Source:
    """How a role (and tier) is called in LYDM, the codes of what covers a patch."""

    code: str
    name_zh: str


@dataclass(frozen=True)
class Schema:
    """Everything a profile says.

    `domains`: code set -> code -> name; `sources`: "role" or "role:tier" -> code;
    `references`: name of a reference copy -> roles; `naming`: patterns of names of files and folders.
    """

    profile: str
    version: str
    status: str
    title_zh: str
    title_en: str
    crs: str
    code: str
    name: str
    layers: Mapping[str, Layer]
    domains: Mapping[str, Mapping[str, str]]
    stages: Mapping[str, Stage]
    naming: Mapping[str, str]
    sources: Mapping[str, Source]
    references: Mapping[str, tuple[str, ...]]

    def source_code(self, role: str, tier: str = "") -> str:
        """Return the code of LYDM of a role and tier, "" where it has none."""
        found = self.sources.get(f"{role}:{tier}") or self.sources.get(role)
        return found.code if found else ""


def shipped() -> list[str]:
    """Return the ids of the shipped profiles, the base first."""
    names = sorted(path.stem for path in resource("schemas", "submission").glob("*.json"))
    return sorted(names, key=lambda name: (name != "national", name))


def load(profile: str = "national", table: rules.RuleTable | None = None) -> Schema:
    """Return the schema of a profile; `table` is the decision table (None: the shipped one).

    Raises SwcError ``submission.profile_unknown``.
    """
    document = _document(profile)
    decided = _decided(table or rules.load(None, None))
    sources = {key: Source(row["code"], row["name_zh"]) for key, row in document["sources"].items()}
    decided["sources"] = {source.code: source.name_zh for source in sources.values()}
    domains = {
        name: decided[rows["from"]] if "from" in rows else rows for name, rows in document["domains"].items()
    }
    layers = [_layer(row) for row in document["layers"]]
    stages = [Stage(**{**row, "requires": tuple(row["requires"])}) for row in document["stages"]]
    keys = ("profile", "version", "status", "title_zh", "title_en", "crs", "code", "name", "naming")
    return Schema(
        **{key: document[key] for key in keys},
        layers={layer.name: layer for layer in layers},
        domains=domains,
        stages={stage.id: stage for stage in stages},
        sources=sources,
        references={name: tuple(roles) for name, roles in document["references"].items()},
    )


def _document(profile: str) -> dict[str, Any]:
    if profile not in shipped():
        raise SwcError("submission.profile_unknown", profile=profile, known=", ".join(shipped()))
    document = json.loads(resource("schemas", "submission", f"{profile}.json").read_text(encoding="utf-8"))
    base = document.pop("base", None)
    return _overlaid(_document(base), document) if base else document


def _overlaid(base: Any, change: Any) -> Any:
    """Return `base` with `change` laid over: mappings by key, lists of named rows by name or id."""
    if isinstance(base, dict) and isinstance(change, dict):
        return {**base, **{key: _overlaid(base.get(key), value) for key, value in change.items()}}
    if _is_named(base) and _is_named(change):
        rows = {_name(row): row for row in base}
        for row in change:
            rows[_name(row)] = _overlaid(rows.get(_name(row)), row)
        return list(rows.values())
    return change


def _is_named(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(row, dict) and _name(row) for row in value)


def _name(row: Mapping[str, Any]) -> str:
    return row.get("name") or row.get("id") or ""


def _layer(row: Mapping[str, Any]) -> Layer:
    titles = (row["title_zh"], row["title_en"], row["kind"], row.get("required", True))
    edition = (row.get("open", False), row.get("public", True))
    return Layer(row["name"], *titles, *edition, tuple(map(_field, row["fields"])))


def _field(row: Mapping[str, Any]) -> Field:
    return Field(
        name=row["name"],
        alias_zh=row["alias_zh"],
        alias_en=row["alias_en"],
        kind=row["type"],
        length=row.get("length", 0),
        decimals=row.get("decimals", 0),
        domain=row.get("domain"),
        listed=row.get("listed", False),
        required=row.get("required", False),
        grade=row["grade"],
        public=row.get("public", True),
        format=row.get("format", ""),
        positive=row.get("positive", False),
        short=row.get("short", row["name"]),
    )


def _decided(table: rules.RuleTable) -> dict[str, Mapping[str, str]]:
    """Return the code sets that the decision table holds."""
    levels = {row["code"]: row["name_zh"] for row in table.document["control_levels"]}
    return {
        "zones": {row["fqdm"]: row["name_zh"] for row in table.zones.values()},
        "control_levels": levels,
        "measures": {code: row["text_zh"] for code, row in table.measures.items()},
        "conflicts": {code: row["name_zh"] for code, row in table.conflicts.items()},
    }
