# SPDX-License-Identifier: GPL-2.0-or-later
"""The layers of a job as rows of a table, each with its state in colour and words, and why."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, Union

from qgis.PyQt.QtCore import QCoreApplication, QModelIndex, Qt

from swc_zoning.engine import roles
from swc_zoning.engine.job import EXTENT_ROLE, REFERENCE_ROLE
from swc_zoning.gui.marks import mark
from swc_zoning.gui.page import Level
from swc_zoning.gui.role_combo import role_name, tier_name
from swc_zoning.gui.tables import RowsModel
from swc_zoning.paths import resource
from swc_zoning.qgis_bridge.i18n import language
from swc_zoning.qgis_bridge.surveys import MISSING, Found

#: Where a layer of a job is: its number, or one of these two.
At = Union[int, str]
EXTENT, REFERENCE = "extent", "reference"

_SURE = 0.5
_TIE = 0.05
_DAY = re.compile(r"\d{4}(-\d{2}(-\d{2})?)?")
_ORDER = (Level.PROBLEM, Level.OPEN, Level.OFFERED, Level.DONE)
_NOT_OF_EXTENTS = ("role", "tier", "use", "id_field")
_PAPERS = ("version", "approval_no", "data_date", "provider", "secrecy")
_OF_REFERENCES = ("source", "layer", "filter", "crs", "encoding")


class LayerModel(RowsModel):
    """Rows of layers; the first column has the mark of the row's level and its reasons as tooltip."""

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return what a cell shows."""
        row = self.rows[index.row()]
        if index.column() == 0 and role == Qt.ItemDataRole.DecorationRole:
            return mark(row["level"])
        if role == Qt.ItemDataRole.ToolTipRole:
            return row["why"] if index.column() == 0 else super().data(index, role)
        return super().data(index, role)


def entries(job: Mapping[str, Any]) -> Iterator[tuple[At, dict[str, Any]]]:
    """Yield every layer of a job with where it is: extent and reference with their roles, then the others."""
    for at, role in ((EXTENT, EXTENT_ROLE), (REFERENCE, REFERENCE_ROLE)):
        if job.get(at):
            yield at, {**job[at], "role": role}
    yield from enumerate(dict(entry) for entry in job.get("layers", []))


def placed(job: Mapping[str, Any], added: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the job with more layers; those in the role of extent or reference take the old one's place."""
    document = {**job, "layers": list(job.get("layers", []))}
    for entry in added:
        if entry["role"] == EXTENT_ROLE:
            document[EXTENT] = as_extent(entry)
        elif entry["role"] == REFERENCE_ROLE:
            document[REFERENCE] = {key: entry[key] for key in _OF_REFERENCES if entry.get(key)}
        else:
            document["layers"].append(as_layer(entry))
    return document


def without(job: Mapping[str, Any], gone: Iterable[At]) -> dict[str, Any]:
    """Return the job without some of its layers; the data stay where they are."""
    left = set(gone)
    document = {key: value for key, value in job.items() if key not in left}
    document["layers"] = [one for number, one in enumerate(job.get("layers", [])) if number not in left]
    return document


def edited(job: Mapping[str, Any], at: At, change: Mapping[str, Any]) -> dict[str, Any]:
    """Return the job with keys of one layer set; an empty value takes the key away."""
    document = {**job, "layers": list(job.get("layers", []))}
    old = document[at] if isinstance(at, str) else document["layers"][at]
    new = {key: value for key, value in {**old, **change}.items() if value not in (None, "")}
    if isinstance(at, str):
        document[at] = new
    else:
        document["layers"][at] = new
    return document


def as_extent(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return a layer as the extent of a job."""
    kept = {key: value for key, value in entry.items() if key not in _NOT_OF_EXTENTS}
    code = entry.get("code_field") or entry.get("id_field")
    return {**kept, "code_field": code} if code else kept


def as_layer(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return what was an extent as a layer of a job."""
    kept = {key: value for key, value in entry.items() if key != "code_field"}
    code = entry.get("id_field") or entry.get("code_field")
    return {**kept, "id_field": code} if code else kept


@lru_cache(maxsize=1024)
def recognised(found: Found) -> tuple[roles.Recognition, ...]:
    """Return the roles a layer may play, best first, by its own name or that of its file."""
    tries = [roles.recognise(name, found.fields, found.geometry) for name in found.names or ("",)]
    return tuple(max(tries, key=lambda one: one[0].confidence if one else 0.0))


def preferred(likely: Sequence[roles.Recognition]) -> str:
    """Return the role to choose beforehand, "" where none is likely, "?" where several are alike."""
    if not likely or likely[0].confidence < _SURE:
        return ""
    tied = len(likely) > 1 and likely[0].confidence - likely[1].confidence < _TIE
    return "?" if tied else likely[0].role


def reasons(one: roles.Recognition) -> str:
    """Return why a layer may play a role, one sentence a line."""
    return "\n".join(reason.sentence(language()) for reason in one.reasons)


def new_entry(role: str, place: Mapping[str, Any], fields: Iterable[str]) -> dict[str, Any]:
    """Return a layer of a job in a role, with the fields that the role is known to use."""
    tier, code, name = roles.fields_for(role, fields)
    entry = {"role": role, **place}
    known = roles.find(role)
    if known is not None and len(known.tiers) == 1:
        entry["tier"] = {"value": known.tiers[0].id}
    elif tier and known is not None and known.tiers:
        entry["tier"] = {"field": tier}
    if code:
        entry["id_field"] = code
    if name:
        entry["name_field"] = name
    return entry


def missing_roles(job: Mapping[str, Any]) -> list[str]:
    """Return the names of expected roles that no used layer plays."""
    used = {entry["role"] for _, entry in entries(job) if entry.get("use") is not False}
    expected = [roles.extent_role(), *(role for role in roles.all_roles() if role.expected)]
    return [role_name(role.id) for role in expected if role.id not in used]


@lru_cache(maxsize=1)
def statutory() -> frozenset[str]:
    """Return the roles whose line an authority approves, so that papers must name it."""
    document = json.loads(resource("versions.json").read_text(encoding="utf-8"))
    return frozenset(row["role"] for row in document["statutory"])


# --- rows ------------------------------------------------------------------------------------------


def row_of(at: At, entry: Mapping[str, Any], found: Found | None, note: str = "") -> dict[str, Any]:
    """Return a layer as a row: what the job says, `level`, `state` in words, and `why`."""
    said, guess = list(_states(entry, found)), _guess(entry, found)
    if note:
        said.append((Level.OPEN, note))
    level = min((level for level, _ in said), key=_ORDER.index, default=Level.DONE)
    words = (
        [word for one, word in said if one == level]
        if said
        else [QCoreApplication.translate("LayerRows", "complete")]
    )
    return {
        **{key: entry.get(key, "") for key in _PAPERS},
        "at": at,
        "level": level,
        "state": "; ".join(words),
        "why": "\n".join([*(word for _, word in said), *_recognition(entry, found)]),
        "role": role_name(entry["role"]),
        "name": _name(entry),
        "share": f"{100 * guess.confidence:.0f} %" if guess else "–",
        "tiers": tiers_in_words(entry),
        "id_field": entry.get("code_field") or entry.get("id_field") or "",
        "name_field": entry.get("name_field", ""),
    }


def tiers_in_words(entry: Mapping[str, Any]) -> str:
    """Return where the tiers of a layer come from."""
    tier, role = entry.get("tier"), roles.find(entry["role"])
    if role is None or not role.tiers:
        return "–"
    if not tier:
        return ""
    if "value" in tier:
        return tier_name(role.id, roles.canonical_tier(role.id, tier["value"]))
    mapped = tier.get("map") or {}
    return f"{tier['field']} ({len(mapped)})" if mapped else tier["field"]


def _states(entry: Mapping[str, Any], found: Found | None) -> Iterator[tuple[Level, str]]:
    if entry.get("use") is False:
        yield Level.OFFERED, QCoreApplication.translate("LayerRows", "not used")
        return
    role = roles.find(entry["role"])
    if found is None:
        yield Level.OFFERED, QCoreApplication.translate("LayerRows", "being looked at")
    elif found.problem:
        yield (
            Level.PROBLEM,
            QCoreApplication.translate("LayerRows", "file missing")
            if found.problem == MISSING
            else QCoreApplication.translate("LayerRows", "cannot be read"),
        )
    else:
        yield from _field_states(entry, found)
    if entry["role"] == REFERENCE_ROLE:
        return
    if role is None:
        yield (
            Level.OFFERED,
            QCoreApplication.translate("LayerRows", "free role: carried through, decides nothing"),
        )
    elif role.tiers and not entry.get("tier"):
        yield Level.OPEN, QCoreApplication.translate("LayerRows", "tiers not chosen")
    if entry["role"] in statutory():
        for key, word in (
            ("approval_no", QCoreApplication.translate("LayerRows", "approval number missing")),
            ("data_date", QCoreApplication.translate("LayerRows", "data date missing")),
        ):
            if not entry.get(key):
                yield Level.OPEN, word
    day = entry.get("data_date")
    if day and not _DAY.fullmatch(day):
        yield Level.OPEN, QCoreApplication.translate("LayerRows", "data date is no date")


def _field_states(entry: Mapping[str, Any], found: Found) -> Iterator[tuple[Level, str]]:
    named = [entry.get(key) for key in ("id_field", "code_field", "name_field")]
    named.append((entry.get("tier") or {}).get("field"))
    gone = [name for name in dict.fromkeys(named) if name and name not in found.fields]
    if gone:
        yield (
            Level.PROBLEM,
            QCoreApplication.translate("LayerRows", "fields missing: {names}").format(names=", ".join(gone)),
        )
    if not found.may_be_polygons:
        yield Level.PROBLEM, QCoreApplication.translate("LayerRows", "not a polygon layer")


def _guess(entry: Mapping[str, Any], found: Found | None) -> roles.Recognition | None:
    """Return how the role that a layer has was recognised, None where it was not."""
    likely = () if found is None or found.problem else recognised(found)
    return next((one for one in likely if one.role == entry["role"]), None)


def _recognition(entry: Mapping[str, Any], found: Found | None) -> Iterator[str]:
    guess = _guess(entry, found)
    if guess is not None:
        yield QCoreApplication.translate("LayerRows", "Recognised with a confidence of {share} %").format(
            share=round(100 * guess.confidence)
        )
        yield reasons(guess)
    elif found is not None and not found.problem:
        yield QCoreApplication.translate("LayerRows", "Not recognised by name or fields; chosen by hand")


def _name(entry: Mapping[str, Any]) -> str:
    file = entry["source"].replace("\\", "/").rstrip("/").rpartition("/")[2]
    layer = entry.get("layer")
    stem = file.rpartition(".")[0] or file
    return file if not layer or layer == stem else f"{layer} – {file}"
