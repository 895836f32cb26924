# SPDX-License-Identifier: GPL-2.0-or-later
"""What a fix or an acceptance does to a job, and the findings of a report as the window keeps them.

A fix changes how a layer is read, never the layer: the job gets a key, the data stay as they are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from swc_zoning.engine.accepting import can_accept

Job = Mapping[str, Any]
Fix = Mapping[str, Any]
Report = Mapping[str, Any]


@dataclass(frozen=True)
class Checked:
    """A report and the job it is about; `crs` is that of the places, "" where it is not known."""

    findings: tuple[Mapping[str, Any], ...]
    crs: str
    job: Job


def taken(report: Report | Sequence[Any], job: Job) -> Checked:
    """Return a report as it was written, about `job`."""
    if isinstance(report, Mapping):
        return Checked(tuple(report.get("findings", ())), report.get("crs") or job.get("crs") or "", job)
    return Checked(tuple(report), job.get("crs") or "", job)


def entry_of(job: Job, number: int | None) -> Mapping[str, Any] | None:
    """Return what a fix is about, the extent for None; None where the job has it no more."""
    if number is None:
        return job.get("extent")
    layers = job.get("layers", [])
    return layers[number] if 0 <= number < len(layers) else None


def fits(checked: Checked, fix: Fix, job: Job) -> bool:
    """Return whether the layer of a fix is still where it was when the job was checked."""
    was, now = entry_of(checked.job, fix["entry"]), entry_of(job, fix["entry"])
    same = ("source", "layer", "role")
    return was is not None and now is not None and all(was.get(key) == now.get(key) for key in same)


def is_done(job: Job, fix: Fix) -> bool:
    """Return whether the job says already what a fix would change."""
    entry = entry_of(job, fix["entry"])
    return entry is not None and all(entry.get(key) == value for key, value in fix["change"].items())


def fixed(job: Job, fixes: Sequence[Fix]) -> dict[str, Any]:
    """Return the job with the changes of `fixes`, as `engine.job.fixed` does it."""
    document = {**job, "layers": [dict(entry) for entry in job.get("layers", [])]}
    if job.get("extent"):
        document["extent"] = dict(job["extent"])
    for fix in fixes:
        entry = document["extent"] if fix["entry"] is None else document["layers"][fix["entry"]]
        entry.update(fix["change"])
    return document


def sure_fixes(checked: Checked, job: Job) -> list[Fix]:
    """Return the proved fixes that still can be done and are not."""
    return [
        fix
        for fix in _all_fixes(checked)
        if fix["sure"] and fits(checked, fix, job) and not is_done(job, fix)
    ]


def accepted(job: Job, finding: Mapping[str, Any], reason: str) -> dict[str, Any]:
    """Return the job with a finding accepted, in its layer where it has one."""
    options = dict(job.get("options") or {})
    known = list(options.get("accept", []))
    told = {"code": finding["code"], "reason": reason}
    if finding.get("layer"):
        told["layer"] = finding["layer"]
    return {**job, "options": {**options, "accept": [*known, told]}}


def is_accepted(job: Job, finding: Mapping[str, Any]) -> bool:
    """Return whether the job accepts a finding, everywhere or in its layer."""
    known = (job.get("options") or {}).get("accept", [])
    said = [(one, "") if isinstance(one, str) else (one["code"], one.get("layer") or "") for one in known]
    return bool({(finding["code"], ""), (finding["code"], finding.get("layer") or "")} & set(said))


def acceptable(finding: Mapping[str, Any]) -> bool:
    """Return whether accepting a finding lets a run go on."""
    return can_accept(finding["code"])


def _all_fixes(checked: Checked) -> Iterator[Fix]:
    for finding in checked.findings:
        yield from finding.get("fixes", ())
