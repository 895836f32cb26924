# SPDX-License-Identifier: GPL-2.0-or-later
"""GeoPackages between two steps of a zoning: prepared layers, pieces without a decision.

Written aside, read back, and only then put in place; files that are not ours are never replaced.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from swc_zoning.engine import casting, claim, derived, formats, geopackage
from swc_zoning.engine import job as jobs
from swc_zoning.engine.job import Job
from swc_zoning.engine.layers import Layer, text_column, whole
from swc_zoning.engine.messages import Finding, SwcError

#: Table that says what a file is.
_ABOUT = "about"


def job_of(sources: Sequence[str | Path]) -> tuple[Job, list[Finding]]:
    """Return the job of a job file, or of layers in files as they are recognised, and what was recognised.

    Raises what `job.load`, `formats.list_layers` and `casting.cast` raise, and SwcError
    ``workfiles.job_and_layers`` for a job file among others.
    """
    is_job = [Path(source).suffix.lower() == ".json" for source in sources]
    if is_job == [True]:
        return jobs.load(sources[0]), []
    if any(is_job):
        raise SwcError("workfiles.job_and_layers")
    document, findings = casting.cast([one for source in sources for one in _candidates(Path(source))])
    return jobs.load(document, Path.cwd()), findings


def _candidates(source: Path) -> Iterator[casting.Candidate]:
    path = source.absolute()
    for layer, kind in formats.list_layers(path):
        if kind:
            fields = formats.describe(path, layer).fields
            said = _roles(path, layer) if casting.is_prepared(fields) else frozenset()
            yield casting.Candidate({"source": str(path), "layer": layer}, layer, fields, said)


def _roles(path: Path, layer: str) -> frozenset[str]:
    found: set[str] = set()
    for rows in formats.read_columns(path, layer, ["role"]):
        found.update(str(role) for role in rows["role"] if role)
    return frozenset(found)


def check_target(output: Path, what: str, sources: Iterable[str] = ()) -> None:
    """Prove that a file of the kind `what` may be put at `output`.

    Raises SwcError ``workfiles.not_gpkg``, ``workfiles.is_input`` (a source of the job) and
    ``workfiles.not_ours`` (a file that holds something else).
    """
    path = Path(output)
    if path.suffix.lower() != ".gpkg":
        raise SwcError("workfiles.not_gpkg", path=str(path))
    if not os.path.lexists(path):
        return
    if any(formats.is_file_source(one) and os.path.exists(one) and path.samefile(one) for one in sources):
        raise SwcError("workfiles.is_input", path=str(path))
    if not _is(path, what):
        raise SwcError("workfiles.not_ours", path=str(path))


def write(output: Path, what: str, layers: Sequence[Layer], crs: str, about: Mapping[str, str]) -> Path:
    """Write `layers` and the table that says what they are into `output`; return its absolute path.

    Raises what `check_target` raises, SwcError ``result.not_as_written`` and ``result.unwritable``;
    an older file is then as it was.
    """
    check_target(output, what)
    target = Path(output).absolute()
    said = {"what": what, **about}
    columns = {"item": text_column(list(said)), "value": text_column(list(said.values()))}
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with claim.aside(target.parent, target) as aside:
            derived.write_layers(aside / target.name, [*layers, whole(_ABOUT, "", None, columns)], crs)
            (aside / target.name).replace(target)
    except OSError as error:
        reason = error.strerror or str(error)
        raise SwcError("result.unwritable", path=str(target), reason=reason) from error
    return target


def _is(path: Path, what: str) -> bool:
    try:
        rows = geopackage.read_table(path, _ABOUT)
    except SwcError:
        return False
    return {"item": "what", "value": what} in [{k: row.get(k) for k in ("item", "value")} for row in rows]
