# SPDX-License-Identifier: GPL-2.0-or-later
"""A whole run: validate a job, or carry it out from layers to decided and measured pieces."""

from __future__ import annotations

import platform
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyproj
import shapely

from swc_zoning import paths
from swc_zoning.engine import (
    areas,
    conflicts,
    consistency,
    formats,
    intake,
    layers,
    ledger,
    memory,
    partition,
    pieces,
    result,
    roles,
    rule_changes,
    rules,
    slivers,
    summary,
)
from swc_zoning.engine import (
    job as jobs,
)
from swc_zoning.engine.accepting import BLOCK_ALWAYS, BLOCK_SUBMISSION
from swc_zoning.engine.conflicts import Conflict
from swc_zoning.engine.intake import Intake
from swc_zoning.engine.job import Job
from swc_zoning.engine.ledger import Entry
from swc_zoning.engine.messages import Blocked, Finding, InvariantViolated, SwcError
from swc_zoning.engine.pieces import Pieces
from swc_zoning.engine.progress import Progress
from swc_zoning.engine.rules import RuleTable
from swc_zoning.engine.slivers import Court
from swc_zoning.engine.tasks import Executor


@dataclass(frozen=True)
class Zoning:
    """What a run found; `write` makes files of it."""

    court: Court
    table: RuleTable
    conflicts: list[Conflict]
    findings: list[Finding]
    entries: list[Entry]
    summary: dict[str, Any]
    crs: str
    lang: str

    @property
    def pieces(self) -> Pieces:
        """Return the final pieces."""
        return self.court.pieces

    def write(self, output: Path) -> result.Files:
        """Write the result into the folder `output`; raises what `result.write` raises."""
        head = {key: self.summary[key] for key in _HEAD if key in self.summary}
        # The file the job names may be edited later: what decided this result stays with it.
        head["decision_table"] = self.table.document
        tables = layers.layers_of(
            self.court, self.table, self.conflicts, self.findings, self.entries, head, self.lang
        )
        return result.write(tables, self.summary, self.crs, output)


#: Share of the whole that is left for writing.
WRITING = 0.1

#: Mistakes of the job itself, and losses nobody may submit unseen. Other errors block a submission only.
_HEAD = (
    "title",
    "mark",
    "crs",
    "mode",
    "plan_date",
    "rules",
    "area_model",
    "job",
    "versions",
    "content_sha256",
    "secrecy",
    "evaluations",
)


def validate(document: str | Path | Mapping[str, Any], base: Path | None = None) -> list[Finding]:
    """Return everything that can be said of a job (file or document) before it runs, data included."""
    return examine(document, base).findings


@dataclass(frozen=True)
class Examined:
    """What can be said of a job before it runs; places are in `crs` (EPSG:code or WKT, None if not known)."""

    findings: list[Finding]
    crs: str | None


def examine(
    document: str | Path | Mapping[str, Any], base: Path | None = None, progress: Progress | None = None
) -> Examined:
    """Return what `validate` does, with the working CRS that the data would have."""
    findings = jobs.check(document, base)
    if _blocks(findings):
        return Examined(findings, None)
    job = jobs.load(document, base)
    findings += _of_rules(job)
    progress = progress or Progress()
    with progress.step("examining", 1.0):
        surveyed = intake.survey(job, progress)
    crs = None if surveyed.crs is None else crs_text(surveyed.crs)
    repairs = [] if surveyed.intake is None else list(_repaired(surveyed.intake))
    return Examined([*findings, *surveyed.findings, *repairs], crs)


def _repaired(taken: Intake) -> Iterator[Finding]:
    """Yield each repair on its own, with its place: what a run does is seen before it."""
    for one in taken.repairs:
        facts = {"source_id": one.source_id, "reason": one.reason}
        facts |= {"before": one.area_before_m2, "after": one.area_after_m2}
        layer = taken.layers[one.layer].layer
        yield Finding("run.repaired", {"layer": layer, **facts}, layer=layer, place=one.place)


def _of_rules(job: Job) -> list[Finding]:
    try:
        return _said_of(rules.load(job.rules, job.plan_date), job.plan_date)
    except Blocked as blocked:
        return blocked.findings
    except SwcError as error:
        return [Finding(error.code, error.facts)]


def _said_of(table: RuleTable, plan_date: str | None) -> list[Finding]:
    base = rule_changes.shipped(table.document["profile"])
    return [*rules.check(table, plan_date), *rule_changes.weakened(table.document, base)]


def crs_text(crs: pyproj.CRS) -> str:
    """Return EPSG:code where a CRS has one, else its WKT."""
    authority = crs.to_authority()
    return ":".join(authority) if authority else crs.to_wkt()


def run(
    document: str | Path | Mapping[str, Any] | Job,
    progress: Progress | None = None,
    executor: Executor | None = None,
    lang: str = "zh",
    per_tile: int = partition.PER_TILE,
    cache: Path | None = None,
) -> Zoning:
    """Carry out a job. Pure: reads the layers it names and writes nothing but results of tiles to `cache`.

    Raises Blocked with all findings where one of them is an error, InvariantViolated where the
    result would not be what it must be. `executor`, `per_tile` and `cache` change the time, not the result.
    """
    progress = progress or Progress()
    job = document if isinstance(document, Job) else jobs.load(document)
    table = rules.load(job.rules, job.plan_date)
    decided, entries = divide(job, table, progress, executor, per_tile, cache)
    taken = decided.intake
    model = areas.area_model(taken.crs)
    with progress.step("slivers", 0.03):
        head = _head(job, table, taken, model)
        court = slivers.settle(decided, job, head["crs"])
        entries += slivers.entries(court)
    with progress.step("conflicts", 0.03):
        found, mismatches = conflicts.find(court.pieces, table, job.options)
    findings = _findings(job, table, taken, court)
    prove_inputs_unchanged(taken)
    document = summary.summarise(court, table, found, mismatches, findings, entries, head, lang)
    document["timings"] = progress.timings
    return Zoning(court, table, found, findings, entries, document, head["crs"], lang)


def divide(
    job: Job,
    table: RuleTable,
    progress: Progress,
    executor: Executor | None = None,
    per_tile: int = partition.PER_TILE,
    cache: Path | None = None,
) -> tuple[Pieces, list[Entry]]:
    """Return the pieces as the layers of a job make them, decided by `table`, and what was proved of them.

    Raises what `run` raises.
    """
    with progress.step("reading", 0.15):
        taken = intake.read(job, progress)
    model = areas.area_model(taken.crs)
    built, entries = _overlay(taken, model, progress, executor, per_tile, cache)
    taken = taken.without_geometry(built.labels.feature)
    memory.give_back()
    with progress.step("deciding", 0.07):
        decided = pieces.assemble(built, taken, job, table)
        return decided, [*entries, *ledger.prove_pieces(decided)]


def _blocks(findings: Iterable[Finding]) -> bool:
    return any(finding.severity == "error" for finding in findings)


def _overlay(
    taken: Intake,
    model: areas.AreaModel,
    progress: Progress,
    executor: Executor | None,
    per_tile: int,
    cache: Path | None,
) -> tuple[partition.Partition, list[Entry]]:
    """Return the partition of all features, proved, and what the ledger says of it."""
    features = taken.features
    frames = np.array([record.extent for record in taken.layers], bool)[features.layer]
    perimeter = shapely.length(features.geometry)
    built = partition.build(features.geometry, frames, progress, executor, per_tile, model, keep=cache)
    lead = [record.layer for record in taken.layers]
    names = list(zip([lead[layer] for layer in features.layer.tolist()], features.source_id))
    with progress.step("proving", 0.02):
        return built, ledger.prove(built, features.area_m2, perimeter, names)


def _findings(job: Job, table: RuleTable, taken: Intake, court: Court) -> list[Finding]:
    """Return all findings; those that block and are not accepted stop the run."""
    findings = [
        *job.findings,
        *_said_of(table, job.plan_date),
        *taken.findings,
        *consistency.check(court.before, job.options),
        *slivers.findings(court),
        *_missing(table, taken),
    ]
    accepted = {(one.code, one.layer) for one in job.options.accept}
    submission = job.options.mode == "submission"
    for finding in findings:
        strict = submission and (finding.severity == "error" or finding.code in BLOCK_SUBMISSION)
        if (strict or finding.code in BLOCK_ALWAYS) and not accepted & {
            (finding.code, None),
            (finding.code, finding.layer),
        }:
            raise Blocked(findings)
    return findings


def _missing(table: RuleTable, taken: Intake) -> Iterator[Finding]:
    """Yield what is not known because no layer says it."""
    supplied = pieces.supplied_roles(taken)
    yield from rules.to_check(table, supplied)
    missing = [role for role in roles.all_roles() if role.expected and role.id not in supplied]
    if missing:
        names = {
            f"names_{lang}": sep.join(getattr(role, f"name_{lang}") for role in missing)
            for lang, sep in (("zh", "、"), ("en", ", "))
        }
        yield Finding("run.roles_missing", {"count": len(missing), **names})


def prove_inputs_unchanged(taken: Intake) -> None:
    """Prove that no input file changed while a run was on it; raises InvariantViolated."""
    for record in taken.layers:
        if record.sha256 and formats.is_file_source(record.source) and Path(record.source).exists():
            now = formats.source_sha256(record.source)
            if now != record.sha256:
                raise InvariantViolated("input_changed", None, layer=record.layer, source=record.source)


def _head(job: Job, table: RuleTable, taken: Intake, model: areas.AreaModel) -> dict[str, Any]:
    marked = [record for record in taken.layers if record.mark]
    return {
        "title": job.title,
        **({"mark": f"{marked[0].mark}: {', '.join(one.layer for one in marked)}"} if marked else {}),
        "crs": crs_text(taken.crs),
        "mode": job.options.mode,
        "plan_date": table.plan_date,
        "rules": {
            "profile": table.document["profile"],
            "version": table.document["version"],
            "status": table.document.get("status", ""),
            "sha256": summary.document_sha256(table.document),
        },
        "area_model": model.as_json(),
        "job": _without_passwords(job.as_json()),
        "versions": _versions(),
    }


def _without_passwords(document: dict[str, Any]) -> dict[str, Any]:
    """Return a job document as it may be shown."""
    entries = [*document["layers"], *(document[key] for key in ("extent", "reference") if key in document)]
    for entry in entries:
        entry["source"] = formats.without_password(entry["source"])
    return document


def _versions() -> dict[str, str]:
    return {
        "swc_zoning": paths.version(),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "shapely": shapely.__version__,
        "geos": ".".join(str(part) for part in shapely.geos_version),
        "pyproj": pyproj.__version__,
        "proj": pyproj.proj_version_str,
    }
