# SPDX-License-Identifier: GPL-2.0-or-later
"""The one list of patches proposed for the ecological red line, screened: for chapter and map sheets.

It is that of the layer HXJY and its justification table: what is withdrawn there is withdrawn here.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from swc_zoning.engine.submission import material, redline, schemas
from swc_zoning.engine.submission.material import Feature, Material
from swc_zoning.engine.submission.order import Order
from swc_zoning.engine.submission.redline import WITHDRAW, Bench, Case

_NOWHERE = "000000"
_VERDICTS = {redline.KEEP: "keep", redline.DEDUCT: "deduct", WITHDRAW: "withdraw"}


@dataclass(frozen=True)
class Proposal:
    """A candidate of a kind of conflict: pieces (ids) proposed and deducted, verdict and why, by language.

    `verdict` is keep, deduct (what is proposed is what was left) or withdraw (nothing is proposed). `behind`
    is the largest feature for which it is a candidate; `methods` by what evaluation, "" where by none.
    """

    kind: str
    district_code: str
    district_name: str
    behind: Feature | None
    kept: frozenset[str]
    deducted: frozenset[str]
    verdict: str
    reasons: dict[str, str]
    methods: dict[str, str]

    @property
    def proposed(self) -> bool:
        """Return whether something of it is proposed."""
        return self.verdict != "withdraw"


def of_result(result: Path, order: Order | None = None) -> list[Proposal]:
    """Return the candidates of the result in a folder, those proposed and those withdrawn, in order of place.

    Raises what `material.read` raises.
    """
    order = order or Order()
    schema = schemas.load(order.profile)
    # A chapter is written before anybody has said of what city it is.
    order = replace(order, code=order.code or schema.code or _NOWHERE, name=order.name or schema.name or "-")
    found = material.read(result, order, schema)
    bench, cases, _ = redline.screened(found)
    return [_proposal(found, bench, case) for case in cases]


def _proposal(found: Material, bench: Bench, case: Case) -> Proposal:
    district = found.districts[case.patch.district]
    known = any(row["district_code"] == district.code for row in found.summary["by_district"])
    behind = bench.behind(case.patch)
    ids = [
        frozenset(found.piece_id[piece] for piece in pieces.tolist())
        for pieces in (case.patch.kept, case.patch.deducted)
    ]
    return Proposal(
        case.patch.kind,
        *((district.code, district.name) if known else ("", "")),
        next((one for one in behind if one.name), behind[0] if behind else None),
        *ids,
        _VERDICTS[case.verdict],
        {lang: case.reason(lang) for lang in ("zh", "en")},
        {lang: bench.method(behind, lang) for lang in ("zh", "en")},
    )
