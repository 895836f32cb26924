# SPDX-License-Identifier: GPL-2.0-or-later
"""The job: one JSON document that names the layers, the rules and the extent of a zoning.

Contract: ``resources/schemas/job.schema.json``. Only the standard library is imported, so that
QGIS can write and check jobs; nothing here opens data or knows coordinate systems (`intake` does).
"""

from __future__ import annotations

import codecs
import json
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import date
from difflib import get_close_matches
from pathlib import Path, PureWindowsPath
from typing import Any

from swc_zoning.engine.messages import Blocked, Finding, Fix, catalogue

SCHEMA = 1
EXTENT_ROLE = "admin_extent"
#: Name of the reference in messages; no layer may take it.
REFERENCE_ROLE = "reference"

#: Steps to the next version by the version they start from; version 1 is the first.
_MIGRATIONS: dict[int, Callable[[dict[str, Any]], dict[str, Any]]] = {}
_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+]+:")
_EXTENT_NAMES = {"id_field": "code_field"}
_NOT_OF_EXTENTS = ("tier", "use")


class JobError(Blocked):
    """The job cannot run as it is; `findings` holds everything that was found."""


@dataclass(frozen=True)
class LayerInput:
    """One polygon layer in one role; `source` is an absolute path or a database address.

    `tier` is {"field", "map"?} or {"value"}; `use` False leaves the layer out; `undo_encoding` names the
    encoding through which UTF-8 text went twice; `axis_order`, `shift` and `transform` are done to a copy
    of the coordinates (`corrections`). What the job does not say is None.
    """

    role: str
    source: str
    layer: str | None = None
    filter: str | None = None
    crs: str | None = None
    encoding: str | None = None
    undo_encoding: str | None = None
    use: bool | None = None
    tier: dict[str, Any] | None = None
    id_field: str | None = None
    name_field: str | None = None
    version: str | None = None
    approval_no: str | None = None
    data_date: str | None = None
    provider: str | None = None
    secrecy: str | None = None
    axis_order: str | None = None
    shift: str | None = None
    transform: dict[str, Any] | None = None


@dataclass(frozen=True)
class Extent:
    """The frame of the plan: districts with codes and names, or one boundary."""

    source: str
    layer: str | None = None
    filter: str | None = None
    crs: str | None = None
    encoding: str | None = None
    undo_encoding: str | None = None
    code_field: str | None = None
    name_field: str | None = None
    version: str | None = None
    approval_no: str | None = None
    data_date: str | None = None
    provider: str | None = None
    secrecy: str | None = None
    axis_order: str | None = None
    shift: str | None = None
    transform: dict[str, Any] | None = None

    def as_layer(self) -> LayerInput:
        """Return the extent as a layer of role ``admin_extent``, the code field as its id field."""
        values = asdict(self)
        return LayerInput(role=EXTENT_ROLE, id_field=values.pop("code_field"), **values)


@dataclass(frozen=True)
class Reference:
    """A boundary known to be right, to hold layers against; it is no part of the zoning."""

    source: str
    layer: str | None = None
    filter: str | None = None
    crs: str | None = None
    encoding: str | None = None

    def as_layer(self) -> LayerInput:
        """Return the reference as a layer of role ``reference``."""
        return LayerInput(role=REFERENCE_ROLE, **asdict(self))


@dataclass(frozen=True)
class Slivers:
    """Pieces below either limit are flagged as slivers: area in m2, mean width in m.

    `merge`: "none", "all" or "decisions"; `decisions`: file of verdicts on slivers, an absolute path.
    """

    area_m2: float = 1.0
    mean_width_m: float = 0.1
    merge: str = "none"
    decisions: str | None = None


@dataclass(frozen=True)
class Accepted:
    """A finding code the user knows of and accepts, everywhere or in one layer."""

    code: str
    layer: str | None = None
    reason: str | None = None


@dataclass(frozen=True)
class Options:
    """How the job is run; areas in m2, widths in m, `control_areas` m2 by district code."""

    mode: str = "draft"
    min_patch_m2: float | None = None
    slivers: Slivers = Slivers()
    conflict_min_m2: float = 1.0
    conflict_min_width_m: float = 0.2
    control_areas: dict[str, float] = field(default_factory=dict)
    accept: tuple[Accepted, ...] = ()


@dataclass(frozen=True)
class Job:
    """A job that may run. `crs` None: to be chosen; `rules` None: the shipped table.

    `plan_date` is YYYY-MM-DD or None, `path` the job file where there is one, `findings` what
    `check` said of it (no errors).
    """

    title: str
    extent: Extent | None
    crs: str | None
    rules: Path | None
    plan_date: str | None
    layers: tuple[LayerInput, ...]
    options: Options
    path: Path | None = None
    findings: tuple[Finding, ...] = field(default=(), compare=False)
    reference: Reference | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the job as a document of the current schema, paths absolute; `load` gives it back."""
        document = {
            "schema": SCHEMA,
            "title": self.title,
            "extent": _said(self.extent) if self.extent else None,
            "reference": _said(self.reference) if self.reference else None,
            "crs": self.crs,
            "rules": None if self.rules is None else str(self.rules),
            "plan_date": self.plan_date,
            "layers": [_said(layer) for layer in self.layers],
            "options": {
                **_said(self.options),
                "slivers": _said(self.options.slivers),
                "accept": [_said(one) for one in self.options.accept],
            },
        }
        return {key: value for key, value in document.items() if value is not None}


def load(path: str | Path | Mapping[str, Any], base: Path | None = None) -> Job:
    """Return the job of a file or of a document; relative paths resolve against `base`.

    `base` is the folder of the file, or the current folder for a document, where it is not given.
    Raises JobError with all findings if one of them is an error.
    """
    document, folder = _opened(path, base)
    findings = _problems(document, folder)
    if any(finding.severity == "error" for finding in findings):
        raise JobError(findings)
    file = None if isinstance(path, Mapping) else Path(path).absolute()
    return _build(migrate(document), folder, file, tuple(findings))


def check(document: str | Path | Mapping[str, Any], base: Path | None = None) -> list[Finding]:
    """Return everything that can be said of a job (file or document) without opening its data."""
    try:
        opened, folder = _opened(document, base)
    except JobError as error:
        return error.findings
    return _problems(opened, folder)


def fixed(job: Job, findings: Iterable[Finding]) -> dict[str, Any]:
    """Return `job` as a document with the sure fixes of `findings` in it; inputs are never touched."""
    document = job.as_json()
    for fix in (fix for finding in findings for fix in finding.fixes if fix.sure):
        entry = document["extent"] if fix.entry is None else document["layers"][fix.entry]
        entry.update(fix.change)
    return document


def migrate(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return `document` in the current schema; the argument is left as it is.

    Raises JobError job.schema_newer or job.schema_unknown.
    """
    current = dict(document)
    version = _version(current)
    if version > SCHEMA:
        raise JobError([Finding("job.schema_newer", {"version": version, "known": SCHEMA})])
    while version < SCHEMA:
        if version not in _MIGRATIONS:
            raise JobError([Finding("job.schema_unknown", {"version": version})])
        current = _MIGRATIONS[version](current)
        version += 1
        current["schema"] = version
    return current


def resolve(source: str, base: Path) -> str:
    """Return `source` as an absolute path; addresses (``PG:...``) and Windows paths stay as they are.

    Relative paths may be written with either slash on any system.
    """
    if is_address(source) or PureWindowsPath(source).is_absolute():
        return source
    return os.path.normpath(os.path.join(os.path.abspath(base), source.replace("\\", "/")))


def is_address(source: str) -> bool:
    """Return whether `source` is an address such as ``PG:...``; one letter and a colon is a drive."""
    return _ADDRESS.match(source) is not None


# --- reading ---------------------------------------------------------------------------------------


def _opened(job: str | Path | Mapping[str, Any], base: Path | None) -> tuple[Any, Path]:
    if isinstance(job, Mapping):
        return job, Path.cwd() if base is None else Path(base)
    path = Path(job)
    return _parsed(path), path.absolute().parent if base is None else Path(base)


def _parsed(path: Path) -> Any:
    name = str(path)
    try:
        text = path.read_text(encoding="utf-8-sig")
        return json.loads(text, object_pairs_hook=_unique_keys, parse_constant=_no_constant)
    except FileNotFoundError as error:
        raise JobError([Finding("job.missing", {"path": name})]) from error
    except OSError as error:
        raise JobError([Finding("job.unusable", {"path": name, "reason": error.strerror})]) from error
    except UnicodeDecodeError as error:
        raise JobError([Finding("job.not_utf8", {"path": name})]) from error
    except json.JSONDecodeError as error:
        facts = {"path": name, "line": error.lineno, "column": error.colno, "reason": error.msg}
        raise JobError([Finding("job.unreadable", facts)]) from error
    except _Refused as error:
        raise JobError([Finding(error.code, {"path": name, **error.facts})]) from error


class _Refused(ValueError):
    """JSON that parses elsewhere but must not here."""

    def __init__(self, code: str, **facts: Any) -> None:
        super().__init__(code, facts)
        self.code = code
        self.facts = facts


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for key, value in pairs:
        if key in result:
            raise _Refused("job.key_twice", key=key)
        result[key] = value
    return result


def _no_constant(value: str) -> Any:
    raise _Refused("job.number_unusable", value=value)


def _version(document: Mapping[str, Any]) -> int:
    version = document.get("schema")
    # Anything but a whole number is left to the schema check, which names the place.
    return version if isinstance(version, int) and not isinstance(version, bool) else SCHEMA


# --- checking --------------------------------------------------------------------------------------


def _problems(document: Any, base: Path) -> list[Finding]:
    from swc_zoning.engine.schema import check_document

    if not isinstance(document, Mapping):
        return check_document(document, "job")
    try:
        document = migrate(document)
    except JobError as error:
        return error.findings
    findings = check_document(document, "job")
    parts = (_extent_findings, _layer_findings, _version_findings, _head_findings, _sliver_findings)
    for part in (*parts, _accept_findings):
        findings.extend(part(document, base))
    return findings


def _entries(document: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    layers = document.get("layers")
    return [one for one in layers if isinstance(one, Mapping)] if isinstance(layers, list) else []


def _inputs(document: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the layers, and the extent as one of them, as far as they are objects."""
    extent = document.get("extent")
    first = [{**extent, "role": EXTENT_ROLE}] if isinstance(extent, Mapping) else []
    return first + _entries(document)


def _is_used(entry: Mapping[str, Any]) -> bool:
    return entry.get("use") is not False


def _text(entry: Mapping[str, Any], key: str) -> str:
    value = entry.get(key)
    return value if isinstance(value, str) else ""


def _options(document: Mapping[str, Any]) -> Mapping[str, Any]:
    options = document.get("options")
    return options if isinstance(options, Mapping) else {}


def _extent_findings(document: Mapping[str, Any], base: Path) -> Iterator[Finding]:
    as_layers = [entry for entry in _entries(document) if entry.get("role") == EXTENT_ROLE]
    count = len(as_layers) + ("extent" in document)
    if count > 1:
        yield Finding("job.extent_twice", {"count": count})
    for entry in as_layers:
        for key in _NOT_OF_EXTENTS:
            if key in entry:
                yield Finding("job.extent_key", {"key": key}, layer=EXTENT_ROLE)
    codes = _options(document).get("control_areas")
    if not count and isinstance(codes, Mapping) and codes:
        yield Finding("job.control_without_extent", {"codes": ", ".join(codes)})


def _layer_findings(document: Mapping[str, Any], base: Path) -> Iterator[Finding]:
    if all(entry.get("role") == EXTENT_ROLE or not _is_used(entry) for entry in _entries(document)):
        yield Finding("job.no_layers")
    for entry in filter(_is_used, _inputs(document)):
        role = _text(entry, "role")
        yield from _role_findings(role, entry)
        yield from _source_findings(role, _text(entry, "source"), base)
        yield from _encoding_findings(role, _text(entry, "encoding"))
        transform = entry.get("transform")
        if isinstance(transform, Mapping) and {"scale", "scale_ppm"} <= set(transform):
            yield Finding("job.scale_twice", {"role": role}, layer=role)


def _role_findings(role: str, entry: Mapping[str, Any]) -> Iterator[Finding]:
    from swc_zoning.engine import roles

    if re.fullmatch(r"[a-z][a-z0-9_]*", role) is None:
        return
    if roles.find(role) is None:
        yield Finding("job.free_role", {"role": role, "nearest": roles.nearest(role)}, layer=role)
        return
    for value in _tier_words(entry.get("tier")):
        if value != "unknown" and roles.canonical_tier(role, value) == "unknown":
            yield Finding("job.tier_unknown", {"role": role, "value": value}, layer=role)


def _tier_words(tier: Any) -> list[str]:
    """Return the tiers a job itself names: those cannot be excused as dirty data."""
    if not isinstance(tier, Mapping):
        return []
    mapped = tier.get("map")
    words = list(mapped.values()) if isinstance(mapped, Mapping) else []
    return [word for word in [*words, tier.get("value")] if isinstance(word, str)]


def _source_findings(role: str, source: str, base: Path) -> Iterator[Finding]:
    if not source or is_address(source):
        return
    path = resolve(source, base)
    if not os.path.exists(path):
        yield Finding("job.source_missing", {"path": path, "role": role}, layer=role)


def _encoding_findings(role: str, encoding: str) -> Iterator[Finding]:
    if not encoding:
        return
    try:
        codecs.lookup(encoding)
    except LookupError:
        yield Finding("job.encoding_unknown", {"encoding": encoding, "role": role}, layer=role)


def _version_findings(document: Mapping[str, Any], base: Path) -> Iterator[Finding]:
    from swc_zoning.engine import roles

    versions: dict[str, dict[str, list[int]]] = {}
    layers = [entry for entry in _entries(document) if entry.get("role") != EXTENT_ROLE]
    for number, entry in enumerate(layers):
        role, version = _text(entry, "role"), _text(entry, "version")
        if version and _is_used(entry):
            versions.setdefault(role, {}).setdefault(version, []).append(number)
    for role, given in versions.items():
        if len(given) > 1 and roles.find(role) is not None:
            facts = {"role": role, "versions": ", ".join(given)}
            fixes = tuple(Fix(number, {"use": False}) for numbers in given.values() for number in numbers)
            yield Finding("job.two_versions", facts, layer=role, fixes=fixes)


def _head_findings(document: Mapping[str, Any], base: Path) -> Iterator[Finding]:
    reference = document.get("reference")
    if isinstance(reference, Mapping):
        yield from _source_findings(REFERENCE_ROLE, _text(reference, "source"), base)
        yield from _encoding_findings(REFERENCE_ROLE, _text(reference, "encoding"))
    rules, day = _text(document, "rules"), _text(document, "plan_date")
    if rules and not os.path.isfile(resolve(rules, base)):
        yield Finding("job.rules_missing", {"path": resolve(rules, base)})
    if re.fullmatch(r"\d{4}-\d{2}-\d{2}", day) and not _is_day(day):
        yield Finding("job.plan_date", {"value": day})


def _sliver_findings(document: Mapping[str, Any], base: Path) -> Iterator[Finding]:
    slivers = _options(document).get("slivers")
    if not isinstance(slivers, Mapping):
        return
    decisions = _text(slivers, "decisions")
    if decisions and not os.path.isfile(resolve(decisions, base)):
        yield Finding("job.decisions_missing", {"path": resolve(decisions, base)})
    if _text(slivers, "merge") == "decisions" and "decisions" not in slivers:
        yield Finding("job.merge_without_decisions")


def _is_day(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _accept_findings(document: Mapping[str, Any], base: Path) -> Iterator[Finding]:
    accepted = _options(document).get("accept")
    for one in accepted if isinstance(accepted, list) else []:
        code = _text(one, "code") if isinstance(one, Mapping) else one
        if isinstance(code, str) and code and code not in catalogue():
            nearest = get_close_matches(code, list(catalogue()), 1, 0.0)[0]
            yield Finding("job.accept_unknown", {"code": code, "nearest": nearest})


# --- building --------------------------------------------------------------------------------------


def _build(document: Mapping[str, Any], base: Path, path: Path | None, findings: tuple[Finding, ...]) -> Job:
    entries = document.get("layers", [])
    layers = [LayerInput(**_placed(entry, base)) for entry in entries if entry["role"] != EXTENT_ROLE]
    rules, reference = document.get("rules"), document.get("reference")
    return Job(
        title=document.get("title", ""),
        extent=_extent(document, base),
        crs=document.get("crs"),
        rules=None if rules is None else Path(resolve(rules, base)),
        plan_date=document.get("plan_date"),
        layers=tuple(layers),
        options=_made_options(document.get("options", {}), base),
        path=path,
        findings=findings,
        reference=None if reference is None else Reference(**_placed(reference, base)),
    )


def _placed(entry: Mapping[str, Any], base: Path) -> dict[str, Any]:
    return {**entry, "source": resolve(entry["source"], base)}


def _extent(document: Mapping[str, Any], base: Path) -> Extent | None:
    if "extent" in document:
        return Extent(**_placed(document["extent"], base))
    for entry in document.get("layers", []):
        if entry["role"] == EXTENT_ROLE:
            named = {_EXTENT_NAMES.get(key, key): value for key, value in entry.items() if key != "role"}
            return Extent(**_placed(named, base))
    return None


def _made_options(given: Mapping[str, Any], base: Path) -> Options:
    values = dict(given)
    slivers = dict(given.get("slivers", {}))
    if "decisions" in slivers:
        slivers["decisions"] = resolve(slivers["decisions"], base)
    values["slivers"] = Slivers(**slivers)
    values["control_areas"] = dict(given.get("control_areas", {}))
    accepted = given.get("accept", [])
    values["accept"] = tuple(Accepted(one) if isinstance(one, str) else Accepted(**one) for one in accepted)
    return Options(**values)


def _said(record: Any) -> dict[str, Any]:
    """Return a record as plain data without what was not given."""
    return {key: value for key, value in asdict(record).items() if value is not None}
