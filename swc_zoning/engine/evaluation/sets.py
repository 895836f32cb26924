# SPDX-License-Identifier: GPL-2.0-or-later
"""Parameter sets of the published methods: data with a source and a status (verified or unverified)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from swc_zoning.engine.messages import Finding, SwcError
from swc_zoning.paths import resource


@dataclass(frozen=True)
class ParameterSet:
    """Values of a method as one document states them; `verified` where its text was seen."""

    kind: str
    id: str
    name_zh: str
    name_en: str
    source: str
    article: str
    verified: bool
    values: Mapping[str, Any]

    def __getitem__(self, key: str) -> Any:
        return self.values[key]

    def finding(self) -> Finding:
        """Return the finding that these values were not seen in the text of the standard."""
        facts = {"name_zh": self.name_zh, "name_en": self.name_en, "source": self.source}
        return Finding("evaluation.unverified", {**facts, "kind": self.kind})

    def as_json(self) -> dict[str, Any]:
        """Return what a record of a run says of this set, all values included."""
        status = "verified" if self.verified else "unverified"
        head = {"kind": self.kind, "id": self.id, "name_zh": self.name_zh, "name_en": self.name_en}
        head |= {"source": self.source, "article": self.article}
        return {**head, "status": status, "values": dict(self.values)}


def load(kind: str, name: str) -> ParameterSet:
    """Return a parameter set; raises SwcError ``evaluation.set_unknown``."""
    known = _sets(kind)
    if name not in known:
        raise SwcError("evaluation.set_unknown", kind=kind, name=name, known=", ".join(known))
    return known[name]


def default(kind: str) -> ParameterSet:
    """Return the first set of a kind."""
    return load(kind, names(kind)[0])


def names(kind: str) -> tuple[str, ...]:
    """Return the ids of the sets of a kind, the default first."""
    return tuple(_sets(kind))


@cache
def _sets(kind: str) -> dict[str, ParameterSet]:
    document = json.loads(resource("evaluation", "sets", f"{kind}.json").read_text(encoding="utf-8"))
    return {row["id"]: _made(kind, row) for row in document["sets"]}


def _made(kind: str, row: Mapping[str, Any]) -> ParameterSet:
    head = ("id", "name_zh", "name_en", "source", "article")
    values = {key: value for key, value in row.items() if key not in (*head, "status")}
    return ParameterSet(kind, *(row[key] for key in head), row["status"] == "verified", values)
