# SPDX-License-Identifier: GPL-2.0-or-later
"""Profiles: what layers and fields are called in a database, and which role, tiers and names that gives.

Shipped ones are in ``resources/profiles``; a user's own are files of the same form. Only the standard
library is imported, so that QGIS can use them.
"""

from __future__ import annotations

import json
import os
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from swc_zoning.engine import roles
from swc_zoning.engine.messages import SwcError
from swc_zoning.paths import resource

SCHEMA = 1
SHIPPED = ("national", "one_map", "shanghai2035")

_SHAPEFILE_NAME = 10
_UNFIT = re.compile(r"[^\w-]+")


@dataclass(frozen=True)
class Row:
    """One kind of layer: `names` are patterns (``*`` stands for anything), fields in order of preference.

    `status` is "verified" where the source was read, else "proposed".
    """

    names: tuple[str, ...]
    role: str
    tier: Mapping[str, Any] | None
    id_field: tuple[str, ...]
    name_field: tuple[str, ...]
    source: str
    status: str


@dataclass(frozen=True)
class Profile:
    """A profile; `path` is the file it came from."""

    id: str
    name_zh: str
    name_en: str
    about_zh: str
    about_en: str
    rows: tuple[Row, ...]
    path: Path

    def name(self, lang: str) -> str:
        """Return its name in "zh" or "en"."""
        return self.name_zh if lang == "zh" else self.name_en


@dataclass(frozen=True)
class Match:
    """What a profile says of a layer: `change` are keys of a layer of a job, fields as the layer spells them.

    `row` is what matched. Keys whose fields the layer lacks are not in `change`.
    """

    row: Row
    change: Mapping[str, Any]


def shipped() -> list[Profile]:
    """Return the shipped profiles."""
    return [load(resource("profiles", f"{name}.json")) for name in SHIPPED]


def own(folder: Path) -> list[Profile]:
    """Return the profiles in a folder of the user, by name; files that are none are left out."""
    found = []
    for path in sorted(folder.glob("*.json")) if folder.is_dir() else []:
        try:
            found.append(load(path))
        except SwcError:
            continue
    return found


def load(path: Path) -> Profile:
    """Return the profile of a file. Raises SwcError profiles.unreadable or profiles.wrong."""
    try:
        document = json.loads(Path(path).read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:
        raise SwcError("profiles.unreadable", path=str(path), reason=str(error)) from error
    try:
        return _profile(document, Path(path))
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise SwcError("profiles.wrong", path=str(path), reason=str(error)) from error


def match(profile: Profile, layer_name: str, fields: Sequence[str]) -> Match | None:
    """Return what `profile` says of a layer with this name and these fields, None where nothing.

    A name without ``*`` goes before patterns; else the longest pattern that fits.
    """
    name = _plain(layer_name)
    fits = [
        (("*" not in pattern, len(pattern)), -number, row)
        for number, row in enumerate(profile.rows)
        for pattern in map(_plain, row.names)
        if fnmatchcase(name, pattern)
    ]
    if not fits:
        return None
    row = max(fits, key=lambda fit: fit[:2])[2]
    return Match(row, _change(row, fields))


def apply(entry: Mapping[str, Any], found: Match, replace: bool = False) -> dict[str, Any]:
    """Return the layer of a job with what a profile says of it; what is set stays unless `replace`."""
    changed = {**entry}
    for key, value in found.change.items():
        if key == "role" or replace or not entry.get(key):
            changed[key] = value
    if "role" in entry and entry["role"] != changed["role"]:
        if roles.find(entry["role"]) is not None and not replace:
            return dict(entry)
        if "tier" not in found.change:
            changed.pop("tier", None)
    return changed


def from_job(document: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return a document of a profile from the layers of a job, under the names they have there."""
    entries = [one for one in document.get("layers", []) if one.get("use") is not False]
    if document.get("extent"):
        extent = dict(document["extent"])
        entries.insert(0, {**extent, "role": "admin_extent", "id_field": extent.get("code_field")})
    return {
        "schema": SCHEMA,
        "id": _UNFIT.sub("_", name).strip("_") or "own",
        **dict.fromkeys(("name_zh", "name_en"), name),
        **dict.fromkeys(("about_zh", "about_en"), ""),
        "layers": [_row_of(entry) for entry in entries],
    }


def write(document: Mapping[str, Any], folder: Path) -> Path:
    """Write a profile into `folder`, named by its id, and return the file. Raises SwcError."""
    path = folder / f"{document['id']}.json"
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        aside.write_text(json.dumps(document, ensure_ascii=False, indent=1), encoding="utf-8")
        aside.replace(path)
    except OSError as error:
        aside.unlink(missing_ok=True)
        raise SwcError("profiles.unwritable", path=str(path), reason=str(error.strerror)) from error
    return path


# --- reading ---------------------------------------------------------------------------------------


def _profile(document: Mapping[str, Any], path: Path) -> Profile:
    if document["schema"] != SCHEMA:
        raise ValueError(f"schema {document['schema']}")
    texts = {key: str(document[key]) for key in ("id", "name_zh", "name_en")}
    about = {key: str(document.get(key, "")) for key in ("about_zh", "about_en")}
    return Profile(**texts, **about, rows=tuple(map(_row, document["layers"])), path=path)


def _row(entry: Mapping[str, Any]) -> Row:
    role = entry["role"]
    if not roles.is_valid_id(role):
        raise ValueError(f"role {role}")
    tier = entry.get("tier")
    if tier is not None and not {"field", "value"} & set(tier):
        raise ValueError("tier")
    return Row(
        names=_texts(entry["names"]),
        role=role,
        tier=tier,
        id_field=_texts(entry.get("id_field")),
        name_field=_texts(entry.get("name_field")),
        source=str(entry.get("source", "")),
        status=str(entry.get("status", "proposed")),
    )


def _texts(value: Any) -> tuple[str, ...]:
    if value is None:
        return ()
    return (value,) if isinstance(value, str) else tuple(map(str, value))


def _row_of(entry: Mapping[str, Any]) -> dict[str, Any]:
    kept = {key: entry[key] for key in ("tier", "id_field", "name_field") if entry.get(key)}
    name = entry.get("layer") or Path(str(entry["source"])).stem
    return {"names": [name], "role": entry["role"], **kept, "source": "", "status": "proposed"}


# --- matching --------------------------------------------------------------------------------------


def _plain(name: str) -> str:
    return unicodedata.normalize("NFKC", name).casefold()


def _change(row: Row, fields: Sequence[str]) -> dict[str, Any]:
    change: dict[str, Any] = {"role": row.role}
    tier = _tier(row.tier, fields)
    if tier and row.role != roles.extent_role().id:
        change["tier"] = tier
    code = "code_field" if row.role == roles.extent_role().id else "id_field"
    for key, names in ((code, row.id_field), ("name_field", row.name_field)):
        field = _present(names, fields)
        if field:
            change[key] = field
    return change


def _tier(tier: Mapping[str, Any] | None, fields: Sequence[str]) -> dict[str, Any] | None:
    if tier is None or "value" in tier:
        return None if tier is None else dict(tier)
    field = _present(_texts(tier["field"]), fields)
    if not field:
        return None
    return {"field": field, "map": dict(tier["map"])} if tier.get("map") else {"field": field}


def _present(names: Iterable[str], fields: Sequence[str]) -> str:
    """Return the first of `names` that the layer has, as it spells it; Shapefile cuts names to 10."""
    spelt = {_plain(field): field for field in reversed(fields)}
    for name in names:
        for spelling in (_plain(name), _plain(name[:_SHAPEFILE_NAME])):
            if spelling in spelt:
                return spelt[spelling]
    return ""
