# SPDX-License-Identifier: GPL-2.0-or-later
"""The job file written from what was chosen in QGIS, on its own or over a job of the user."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from swc_zoning.engine import job as jobs
from swc_zoning.engine import roles
from swc_zoning.engine.messages import Finding, SwcError


@dataclass
class Chosen:
    """What was chosen: layer entries by role id (the extent under its role), rule table, options, notes."""

    entries: dict[str, dict[str, Any]] = field(default_factory=dict)
    rules: str = ""
    findings: list[Finding] = field(default_factory=list)
    options: dict[str, Any] = field(default_factory=dict)


def describe(role: roles.Role, layer_name: str, fields: tuple[str, ...], lang: str) -> tuple[dict, Finding]:
    """Return {tier?, id_field?, name_field?} as recognised for a layer in `role`, and what to say of it."""
    tier, id_field, name_field = _fields(role, layer_name, fields)
    entry: dict[str, Any] = {}
    if tier and role.tiers:
        entry["tier"] = {"field": tier}
    if id_field:
        entry["id_field"] = id_field
    if name_field:
        entry["name_field"] = name_field
    name = role.name_zh if lang == "zh" else role.name_en
    if not tier and len(role.tiers) > 1 and not role.when_missing:
        return entry, Finding("delineate.not_recognised", {"role": name, "layer": layer_name})
    shown = {"tier": tier or "-", "id": id_field or "-", "name": name_field or "-"}
    return entry, Finding("delineate.recognised", {"role": name, "layer": layer_name, **shown})


def write(path: Path, given: str, chosen: Chosen) -> Path:
    """Return the job file to run: `given` where nothing is chosen over it, else one written to `path`.

    A given job that cannot be read is returned as it is: the engine says what is wrong with it.
    """
    if given and not chosen.entries and not chosen.rules and not chosen.options:
        return Path(given)
    document = _opened(Path(given)) if given else {"schema": jobs.SCHEMA, "layers": []}
    if document is None:
        return Path(given)
    for role_id, entry in chosen.entries.items():
        chosen.findings.extend(_put(document, role_id, entry))
    if chosen.rules:
        document["rules"] = chosen.rules
    if chosen.options:
        document["options"] = {**document.get("options", {}), **chosen.options}
    path.write_text(json.dumps(document, ensure_ascii=False, indent=1), encoding="utf-8")
    return path


def _fields(role: roles.Role, layer_name: str, fields: tuple[str, ...]) -> tuple[str, str, str]:
    """Return the fields recognised for a role that the user chose, whatever the layer is called."""
    for name in (layer_name, *role.codes[:1], *role.words[:1]):
        for guess in roles.recognise(name, fields):
            if guess.role == role.id:
                return guess.tier_field, guess.id_field, guess.name_field
    return "", "", ""


def _opened(path: Path) -> dict[str, Any] | None:
    """Return the job with absolute paths, None where it cannot be understood."""
    try:
        opened = json.loads(path.read_text(encoding="utf-8-sig"))
        document = jobs.migrate(opened) if isinstance(opened, dict) else {"layers": None}
    except (OSError, ValueError, TypeError, SwcError):
        return None
    inputs = document.get("layers", [])
    if not isinstance(inputs, list) or not all(isinstance(one, dict) for one in inputs):
        return None
    folder = path.absolute().parent
    document["layers"] = [_absolute(one, "source", folder) for one in inputs]
    if isinstance(document.get("extent"), dict):
        document["extent"] = _absolute(document["extent"], "source", folder)
    return _absolute(document, "rules", folder)


def _absolute(entry: Mapping[str, Any], key: str, folder: Path) -> dict[str, Any]:
    said = entry.get(key)
    return {**entry, key: jobs.resolve(said, folder)} if isinstance(said, str) and said else dict(entry)


def _put(document: dict[str, Any], role_id: str, entry: dict[str, Any]) -> list[Finding]:
    """Put a layer into the job in place of those of its role; say how many it replaces."""
    layers = document.setdefault("layers", [])
    kept = [one for one in layers if one.get("role") != role_id]
    replaced = len(layers) - len(kept)
    document["layers"] = kept
    if role_id == jobs.EXTENT_ROLE:
        replaced += document.pop("extent", None) is not None
        document["extent"] = _as_extent(entry)
    else:
        kept.append({"role": role_id, **entry})
    return [Finding("delineate.replaced", {"role": role_id, "count": replaced})] if replaced else []


def _as_extent(entry: Mapping[str, Any]) -> dict[str, Any]:
    extent = {key: value for key, value in entry.items() if key not in ("tier", "id_field")}
    if "id_field" in entry:
        extent["code_field"] = entry["id_field"]
    return extent
