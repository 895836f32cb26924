# SPDX-License-Identifier: GPL-2.0-or-later
"""Rule 6402: tables are the sums of the layer."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from swc_zoning.engine import roles
from swc_zoning.engine.submission import columns
from swc_zoning.engine.submission.opening import Package
from swc_zoning.engine.submission.quality import Flaw, Rule, Said, Unchecked, checker
from swc_zoning.engine.submission.sheets import Sheet

ZONES = "SBGKFQ"


@checker("6402")
def check_6402(package: Package, rule: Rule) -> Iterator[Said]:
    """Tables are the sums of the layer, on whole 0.01 m2; proposals have the areas of their papers."""
    sheet = package.sheet(ZONES)
    if sheet is None or "TBMJ" not in sheet.columns:
        yield Unchecked("no_field", {"layer": ZONES, "field": "TBMJ"})
        return
    yield from _summed(package, rule, sheet, "TJ_QF", ("XZQDM", "FQDM", "ZT", "LH"))
    yield from _summed(package, rule, sheet, "TJ_SX", ("FQDM", "SFHX", "SFYN", "SFKF"))
    # Land use is no attribute of a piece: its zones have to add up.
    if _lacks(package, "landuse_status"):
        named = roles.find("landuse_status")
        facts = {"role_zh": named.name_zh, "role_en": named.name_en, "layer": "TJ_TD"}
        yield Unchecked("no_role", facts, part=True)
    else:
        yield from _summed(package, rule, sheet, "TJ_TD", ("FQDM",), counted=False)
    yield from _shares(package, rule)
    yield from _papers(package, rule)


def _lacks(package: Package, role: str) -> bool:
    """Return whether META lists the layers that went in, and none of them has the role."""
    return bool(package.inputs) and not any(one.get("role") == role for one in package.inputs)


def _summed(
    package: Package, rule: Rule, zones: Sheet, name: str, keys: tuple[str, ...], counted: bool = True
) -> Iterator[Said]:
    table = package.sheet(name)
    wanted = {"MJ", *keys} | ({"TBS"} if counted else set())
    lacking = [(ZONES, key) for key in keys if key not in zones.columns]
    lacking += [(name, key) for key in sorted(wanted) if table is not None and key not in table.columns]
    if table is None or lacking:
        layer, key = lacking[0] if lacking else (name, "")
        facts = {"layer": layer, "field": key} if lacking else {"layer": layer}
        yield Unchecked("no_field" if lacking else "no_layer", facts, part=True)
        return
    right, found = _sums(zones, keys, "TBMJ", None), _sums(table, keys, "MJ", "TBS" if counted else None)
    for key in sorted(right.keys() | found.keys()):
        shown = {"row": " ".join(f"{field}={value}" for field, value in zip(keys, key))}
        said = {"layer": name, "key": "", "field": "MJ", "unit": "m2"}
        if key not in right:
            yield rule.flaw(case="more", **said, **shown)
        elif key not in found:
            yield rule.flaw(case="less", wanted=_centi(right[key][1]), **said, **shown)
        elif found[key][1] != right[key][1]:
            off = (found[key][1] - right[key][1]) / 100
            facts = {"value": _centi(found[key][1]), "wanted": _centi(right[key][1]), "measure": off}
            yield rule.flaw(**facts, **said, **shown)
        elif counted and found[key][0] != right[key][0]:
            facts = {"value": found[key][0], "wanted": right[key][0], "field": "TBS", "layer": name}
            yield rule.flaw(**facts, **shown)


def _centi(whole: int) -> str:
    return f"{whole / 100:.2f}"


def _sums(
    sheet: Sheet, keys: tuple[str, ...], area: str, count: str | None
) -> dict[tuple[str, ...], tuple[int, int]]:
    """Return for each key the number (of rows, or the sum of `count`) and the area in whole 0.01 m2."""
    texts = [columns.texts(sheet, name) for name in keys]
    numbers, groups = np.zeros(len(sheet), np.int64), {}
    for values in texts:
        distinct, inverse = np.unique(values, return_inverse=True)
        numbers = numbers * (len(distinct) + 1) + inverse.ravel()
    _, first, inverse = np.unique(numbers, return_index=True, return_inverse=True)
    whole = np.rint(np.nan_to_num(sheet.columns[area].astype(float)) * 100).astype(np.int64)
    sizes = np.ones(len(sheet)) if count is None else np.nan_to_num(sheet.columns[count].astype(float))
    # Whole numbers below 2^53 add up exactly in doubles.
    added = [np.bincount(inverse.ravel(), weights=one).astype(np.int64).tolist() for one in (sizes, whole)]
    for row, size, area_of in zip(first.tolist(), *added):
        groups[tuple(str(values[row]) for values in texts)] = (size, area_of)
    return groups


def _shares(package: Package, rule: Rule) -> Iterator[Flaw]:
    """Yield shares of a district that are not those of the areas beside them."""
    table = package.sheet("TJ_QF")
    if table is None or not {"XZQDM", "MJ", "BL"} <= set(table.columns):
        return
    code, area = columns.texts(table, "XZQDM"), table.columns["MJ"].astype(float)
    for district in sorted(set(code.tolist())):
        mine = np.flatnonzero(code == district)
        whole = area[mine].sum()
        right = 100 * area[mine] / whole if whole else np.zeros(len(mine))
        wrong = np.abs(table.columns["BL"][mine] - right) > 1.01 * rule.number("percent")
        for row in mine[wrong].tolist():
            facts = {"value": f"{table.columns['BL'][row]:.4f}", "wanted": f"{100 * area[row] / whole:.4f}"}
            yield rule.flaw(layer="TJ_QF", field="BL", row=f"XZQDM={district} #{row + 1}", **facts)


def _papers(package: Package, rule: Rule) -> Iterator[Flaw]:
    layer, table = package.sheet("HXJY"), package.sheet("HXLZ")
    if layer is None or table is None or "JYMJ" not in table.columns or "MJ" not in layer.columns:
        return
    if "BSM" not in layer.columns or "BSM" not in table.columns:
        return
    drawn = dict(zip(layer.columns["BSM"].tolist(), layer.columns["MJ"].tolist()))
    for bsm, area in zip(table.columns["BSM"].tolist(), table.columns["JYMJ"].tolist()):
        # What is no number is for 3601.
        told = bsm in drawn and np.isfinite([drawn[bsm], area]).all()
        if told and round(drawn[bsm] * 100) != round(area * 100):
            facts = {"value": f"{area:.2f}", "wanted": f"{drawn[bsm]:.2f}", "measure": area - drawn[bsm]}
            yield rule.flaw(layer="HXLZ", bsm=bsm, field="JYMJ", row=bsm, unit="m2", **facts)
