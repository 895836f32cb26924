# SPDX-License-Identifier: GPL-2.0-or-later
"""Questions to the columns of a sheet, asked once for each distinct value."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from swc_zoning.engine import rules
from swc_zoning.engine.messages import SwcError
from swc_zoning.engine.submission.opening import DECISION_TABLE, Package
from swc_zoning.engine.submission.quality import Flaw, Rule
from swc_zoning.engine.submission.sheets import Sheet
from swc_zoning.engine.summary import document_sha256

Mask = NDArray[np.bool_]
#: Code sets that a decision table makes.
DECIDED = ("FQDM", "GKDJ", "CSDM", "CTLX")


def texts(sheet: Sheet, name: str) -> NDArray[Any] | None:
    """Return a column of text with "" for None, None where the sheet lacks it."""
    values = sheet.columns.get(name)
    if values is None:
        return None
    filled = np.array(values, dtype=object)
    filled[[value is None for value in values.tolist()]] = ""
    return filled.astype(str)


def where(values: NDArray[Any], holds: Callable[[str], bool]) -> Mask:
    """Return which of `values` (text) `holds` is true of, asking it once for each distinct one."""
    distinct, inverse = np.unique(values, return_inverse=True)
    return np.array([holds(str(value)) for value in distinct], bool)[inverse.ravel()]


def codes(text: str) -> list[str]:
    """Return the codes of a ;-list."""
    return [code.strip() for code in text.split(";") if code.strip()]


def has(values: NDArray[Any], *wanted: str) -> Mask:
    """Return where a ;-list has one of the codes `wanted`."""
    return where(values, lambda text: not set(wanted).isdisjoint(codes(text)))


def rows(mask: Mask) -> Iterator[int]:
    """Yield the numbers of the rows where a mask is true."""
    yield from np.flatnonzero(mask).tolist()


def alone(sheet: Sheet) -> Mask:
    """Return which rows have an identifier no other row has: only of those do relations say anything."""
    values = texts(sheet, "BSM")
    if values is None:
        return np.zeros(len(sheet), bool)
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    return (counts[inverse.ravel()] == 1) & (values != "")


def flaw(package: Package, rule: Rule, layer: str, row: int, **said: Any) -> Flaw:
    """Return a flaw of a row, with its identifier (its number where it has none) and place."""
    bsm = package.bsm(layer, row) or f"#{row + 1}"
    return rule.flaw(layer=layer, bsm=bsm, place=package.place(layer, row), **said)


@lru_cache(maxsize=1)
def shipped() -> rules.RuleTable:
    """Return the decision table of this version."""
    return rules.load()


@lru_cache(maxsize=1)
def _shipped_hash() -> str:
    return document_sha256(shipped().document)


def is_shipped(package: Package) -> bool:
    """Return whether a package says that it was made with the decision table of this version."""
    return package.meta.get("rules_sha256") == _shipped_hash()


def table_of(package: Package) -> rules.RuleTable | None:
    """Return the decision table a package was made with: its own, or the shipped one; None where neither is.

    A file of the package is believed only where META states its hash.
    """
    return package.once("decision_table", lambda: _table_of(package))


def _table_of(package: Package) -> rules.RuleTable | None:
    if is_shipped(package):
        source = shipped().document
    else:
        source = package.json_named(DECISION_TABLE)
        if not isinstance(source, dict) or package.meta.get("rules_sha256") != document_sha256(source):
            return None
    try:
        return rules.load(source, package.meta.get("plan_date") or None)
    except SwcError:
        return None


def domains(package: Package) -> dict[str, dict[str, str]]:
    """Return the code sets that hold in a package: those its own decision table made are taken from DMB."""
    return package.once("domains", lambda: _domains(package))


def _domains(package: Package) -> dict[str, dict[str, str]]:
    known = {name: dict(rows) for name, rows in package.schema.domains.items()}
    sheet = package.sheet("DMB")
    if sheet is None or is_shipped(package) or not {"ZDMC", "DM", "MC"} <= set(sheet.columns):
        return known
    own: dict[str, dict[str, str]] = {}
    for name, code, said in zip(*(sheet.columns[key].tolist() for key in ("ZDMC", "DM", "MC"))):
        own.setdefault(name or "", {})[code or ""] = said or ""
    return {**known, **{name: own[name] for name in DECIDED if name in own}}


def districts(package: Package) -> dict[str, str]:
    """Return code -> name of the districts of a package, as its layer XZQ says."""
    sheet = package.sheet("XZQ")
    if sheet is None or not {"XZQDM", "XZQMC"} <= set(sheet.columns):
        return {}
    return {code: name or "" for code, name in zip(sheet.columns["XZQDM"], sheet.columns["XZQMC"]) if code}
