# SPDX-License-Identifier: GPL-2.0-or-later
"""Profiles and stages of a submission in the language of the user."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from swc_zoning.engine import reports
from swc_zoning.engine.submission import order, schemas
from swc_zoning.qgis_bridge.i18n import language

#: The order of a working folder; every page that asks for a part of it reads and writes this file.
FILE = "order.json"
#: Keys of an order that are no field of a form, and those that are paths.
UNSHOWN = ("schema", "accept")
_PATHS = ("register", "consultation")


@lru_cache(maxsize=8)
def schema(profile: str) -> schemas.Schema:
    """Return the schema of a profile, read once. Raises SwcError ``submission.profile_unknown``."""
    return schemas.load(profile)


def profiles() -> dict[str, str]:
    """Return the shipped profiles, id -> title."""
    return {name: getattr(schema(name), f"title_{language()}") for name in schemas.shipped()}


def stages(profile: str = "national") -> dict[str, str]:
    """Return the stages of a plan, id -> name, in their order."""
    return {stage.id: stage.name(language()) for stage in schema(profile).stages.values()}


def read(path: Path) -> dict[str, Any]:
    """Return the order in a file as a document, its paths absolute. Raises SwcError ``cli.unreadable``."""
    document = reports.read_object(path)
    paths = {key: str(path.parent / document[key]) for key in _PATHS if document.get(key)}
    return {**document, **paths}


def of_folder(folder: Path | None) -> dict[str, Any]:
    """Return the order of a working folder, {} where it has none. Raises SwcError ``cli.unreadable``."""
    path = None if folder is None else folder / FILE
    return read(path) if path is not None and path.is_file() else {}


def keep(folder: Path, changes: Mapping[str, Any]) -> None:
    """Change keys of the order of a working folder; empty ones go. Raises SwcError ``cli.*``."""
    whole = {**of_folder(folder), **changes}
    reports.write({key: value for key, value in whole.items() if value != ""}, folder / FILE)


def check(document: Mapping[str, Any]) -> None:
    """Raise Blocked with everything the engine would refuse of an order."""
    order.load(document)
