# SPDX-License-Identifier: GPL-2.0-or-later
"""The job file written from what was chosen in QGIS, on its own or over a job of the user."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from swc_zoning.engine import casting, roles
from swc_zoning.engine import job as jobs
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


def merge(path: Path, given: str, made: Mapping[str, Any]) -> tuple[Path, list[Finding]]:
    """Return the job file of `made`, a document of layers, laid over the job file `given` ("": none).

    Layers of a role go in place of those the job has for it. A given job that cannot be read is
    returned as it is: the engine says what is wrong with it.
    """
    document = _opened(Path(given)) if given else {"schema": jobs.SCHEMA, "layers": []}
    if document is None:
        return Path(given), []
    findings = []
    for role in dict.fromkeys(entry["role"] for entry in made["layers"]):
        findings += _taken_out(document, role)
    document["layers"] += made["layers"]
    if "extent" in made:
        findings += _taken_out(document, jobs.EXTENT_ROLE)
        document["extent"] = made["extent"]
    path.write_text(json.dumps(document, ensure_ascii=False, indent=1), encoding="utf-8")
    return path, findings


def _taken_out(document: dict[str, Any], role_id: str) -> list[Finding]:
    """Take the layers of a role out of the job; say how many they were."""
    layers = document.setdefault("layers", [])
    document["layers"] = [one for one in layers if one.get("role") != role_id]
    count = len(layers) - len(document["layers"])
    if role_id == jobs.EXTENT_ROLE:
        count += document.pop("extent", None) is not None
    return [Finding("delineate.replaced", {"role": role_id, "count": count})] if count else []


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
    findings = _taken_out(document, role_id)
    if role_id == jobs.EXTENT_ROLE:
        document["extent"] = casting.as_extent(entry)
    else:
        document["layers"].append({"role": role_id, **entry})
    return findings
