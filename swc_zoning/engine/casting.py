# SPDX-License-Identifier: GPL-2.0-or-later
"""A job made of layers alone: each takes the role it is prepared for or recognised as, else a free one.

Only the standard library is imported, so that QGIS casts layers as the command line does.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from swc_zoning.engine import job as jobs
from swc_zoning.engine import roles
from swc_zoning.engine.messages import Finding, SwcError

#: Columns of a prepared layer. Its tiers are canonical and its role is a column, whatever it is called.
PREPARED = ("role", "tier", "source_id", "name", "layer")

#: Below this a guess is no ground to decide on: the layer is carried through and decides nothing.
_SURE = 0.5


@dataclass(frozen=True)
class Candidate:
    """A layer to be cast: `entry` says where it lies ({source, layer?, crs?, encoding?}).

    `name`: what it is called; `said`: roles that its features name where it is prepared; `role`: one
    that is set, "" where it is to be found.
    """

    entry: Mapping[str, Any]
    name: str
    fields: tuple[str, ...]
    said: frozenset[str] = frozenset()
    role: str = ""


def is_prepared(fields: Iterable[str]) -> bool:
    """Return whether a layer has the columns of a prepared one."""
    return set(PREPARED) <= set(fields)


def cast(candidates: Sequence[Candidate]) -> tuple[dict[str, Any], list[Finding]]:
    """Return the job document of the layers, and what each was taken for.

    The first layer recognised as the plan extent is it. Raises SwcError ``casting.mixed`` for a
    prepared layer whose features are of several roles.
    """
    document: dict[str, Any] = {"schema": jobs.SCHEMA, "layers": []}
    findings = []
    for one in candidates:
        taken = {entry["role"] for entry in document["layers"]}
        role, fields, finding = _cast(one, "extent" in document, taken)
        if role == jobs.EXTENT_ROLE:
            document["extent"] = as_extent({**one.entry, **fields})
        else:
            document["layers"].append({"role": role, **one.entry, **fields})
        findings.append(finding)
    return document, findings


def as_extent(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return the entry of a layer as that of an extent."""
    extent = {key: value for key, value in entry.items() if key not in ("tier", "id_field")}
    return {**extent, "code_field": entry["id_field"]} if "id_field" in entry else extent


def _cast(one: Candidate, framed: bool, taken: set[str]) -> tuple[str, dict[str, Any], Finding]:
    """Return the role of a layer, its fields as a job names them, and what to say of it."""
    if one.role:
        facts = {"layer": one.name, "role": one.role}
        return one.role, _fields_in(one.role, one), Finding("casting.given", facts)
    if is_prepared(one.fields):
        role, fields = _prepared(one)
        if not (framed and role == jobs.EXTENT_ROLE):
            return role, fields, Finding("casting.prepared", {"layer": one.name, "role": role})
    guesses = [guess for guess in roles.recognise(one.name, one.fields) if guess.confidence >= _SURE]
    guesses = [guess for guess in guesses if not (framed and guess.role == jobs.EXTENT_ROLE)]
    if not guesses or (len(guesses) > 1 and guesses[0].confidence == guesses[1].confidence):
        role = _free(one.name, taken)
        return role, {}, Finding("casting.free", {"layer": one.name, "role": role})
    best = guesses[0]
    facts = {"layer": one.name, "role": best.role, "percent": round(100 * best.confidence)}
    return best.role, _fields(best), Finding("casting.recognised", facts)


def _prepared(one: Candidate) -> tuple[str, dict[str, Any]]:
    said = sorted(one.said)
    if len(said) > 1:
        raise SwcError("casting.mixed", layer=one.name, roles=", ".join(said))
    role = said[0] if said and roles.is_valid_id(said[0]) else _named(one.name)
    known = roles.find(role)
    fields: dict[str, Any] = {"id_field": "source_id", "name_field": "name"}
    return role, {**fields, "tier": {"field": "tier"}} if known and known.tiers else fields


def _fields_in(role_id: str, one: Candidate) -> dict[str, Any]:
    """Return the fields of a layer that plays a set role, whatever it is called."""
    if is_prepared(one.fields):
        return {"id_field": "source_id", "name_field": "name"}
    role = roles.find(role_id)
    for name in (one.name, *(role.codes[:1] + role.words[:1] if role else ())):
        for guess in roles.recognise(name, one.fields):
            if guess.role == role_id:
                return _fields(guess)
    return {}


def _named(name: str) -> str:
    """Return the role that a prepared layer without features is called by."""
    return name if roles.is_valid_id(name) else _free(name, set())


def _fields(guess: roles.Recognition) -> dict[str, Any]:
    role = roles.find(guess.role)
    said: dict[str, Any] = {"id_field": guess.id_field, "name_field": guess.name_field}
    if role and role.tiers and guess.tier_field:
        said["tier"] = {"field": guess.tier_field}
    return {key: value for key, value in said.items() if value}


def _free(name: str, taken: set[str]) -> str:
    """Return a role id of no meaning, made of a layer's name as far as that is ASCII, and not yet taken."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode("ascii").lower()
    base = re.sub(r"[^a-z0-9]+", "_", plain).strip("_") or "layer"
    base = base if base[0].isalpha() else f"layer_{base}"
    closed = {*taken, *(role.id for role in roles.all_roles()), jobs.EXTENT_ROLE, jobs.REFERENCE_ROLE}
    tries = [base, *(f"{base}_{number}" for number in range(2, len(closed) + 3))]
    return next(one for one in tries if one not in closed)
