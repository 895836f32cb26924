# SPDX-License-Identifier: GPL-2.0-or-later
"""The order of a submission: what a user asks an export to be; checked before anything is made.

Contract: ``resources/schemas/order.schema.json``. Only the standard library is imported, so that QGIS can
write and check orders.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from swc_zoning.engine.messages import Blocked, Finding, SwcError
from swc_zoning.engine.schema import check_document
from swc_zoning.engine.submission import consultation_record, schemas

SCHEMA = 1
FORMATS = ("gdb", "gpkg", "shp")
_DATES = ("date", "approval_date", "consultation_date")
_PATHS = ("register", "consultation")


@dataclass(frozen=True)
class Acceptance:
    """A warning of the quality check that is accepted, with its reason.

    `layer` "" is every layer; `key` "" everything the rule finds, else an identifier or a group.
    """

    code: str
    reason: str
    layer: str = ""
    key: str = ""
    by: str = ""
    date: str = ""


@dataclass(frozen=True)
class Order:
    """What is asked; areas in m2, distances in metres, dates YYYYMMDD. Empty text: not given.

    `min_patch_m2` and `neighbour_m` hold for patches proposed for the red line; `scale` is the
    denominator of the maps; `register` an earlier package.
    """

    profile: str = "shanghai"
    stage: str = "draft"
    code: str = ""
    name: str = ""
    date: str = ""
    compiler: str = ""
    plan_name: str = ""
    secrecy: str = ""
    review_no: str = ""
    approval_no: str = ""
    approval_date: str = ""
    consultation_no: str = ""
    consultation_date: str = ""
    consultation: Path | None = None
    formats: tuple[str, ...] = FORMATS
    register: Path | None = None
    accept: tuple[Acceptance, ...] = ()
    min_patch_m2: float = 10_000.0
    neighbour_m: float = 50.0
    scale: int = 50_000
    public: bool = True
    points: bool = False

    def as_json(self) -> dict[str, Any]:
        """Return the order as a document without paths, as the run record keeps it."""
        document = {key: value for key, value in asdict(self).items() if key not in _PATHS}
        return {"schema": SCHEMA, **document, "accept": [asdict(one) for one in self.accept]}


def load(source: Path | Mapping[str, Any] | None = None, base: Path | None = None, **changes: Any) -> Order:
    """Return the order of a file or document (None: an empty one), with `changes` of single keys.

    Keys that are None are not given. Raises SwcError ``order.unreadable`` and Blocked with everything
    that is wrong, which includes what its stage requires and it does not say.
    """
    document, folder = _opened(source, base)
    said = {key: value for key, value in changes.items() if value is not None}
    given = {key: value for key, value in {**document, **said}.items() if value is not None}
    given = {**given, **_from_record(given, folder)}
    findings = [*check_document(given, "order"), *_odd_dates(given)]
    if not findings:
        order = _built(given, folder)
        findings = list(_problems(order))
    if any(finding.severity == "error" for finding in findings):
        raise Blocked(findings)
    return order


def named(order: Order, schema: schemas.Schema, district_codes: list[str]) -> Order:
    """Return the order with the code and name of the city, of the profile where it does not say them.

    Without either the code is the common head of the districts' codes. Raises SwcError
    ``order.no_name`` and ``order.no_code``.
    """
    code = order.code or schema.code or _common_code(district_codes)
    name = order.name or schema.name
    if not name:
        raise SwcError("order.no_name", profile=schema.profile)
    if not code:
        raise SwcError("order.no_code", profile=schema.profile)
    return replace(order, code=code, name=name, date=order.date or date.today().strftime("%Y%m%d"))


def missing(order: Order) -> list[str]:
    """Return what the stage of the order requires and the order does not say."""
    return [key for key in _stage(order).requires if not getattr(order, key)]


def _opened(source: Path | Mapping[str, Any] | None, base: Path | None) -> tuple[Mapping[str, Any], Path]:
    if source is None or isinstance(source, Mapping):
        return source or {}, base or Path.cwd()
    try:
        document = json.loads(Path(source).read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:
        raise SwcError("order.unreadable", path=str(source), reason=str(error)) from error
    if not isinstance(document, dict):
        raise SwcError("order.unreadable", path=str(source), reason="no JSON object")
    return document, base or Path(source).absolute().parent


def _from_record(given: Mapping[str, Any], folder: Path) -> dict[str, str]:
    """Return number and date of the consultation from its record, as far as they are not given."""
    path = given.get("consultation")
    if not isinstance(path, str) or not (folder / path).is_file():
        return {}
    facts = consultation_record.order_facts(folder / path)
    return {key: value for key, value in facts.items() if value and not given.get(key)}


def _odd_dates(given: Mapping[str, Any]) -> Iterator[Finding]:
    for key in _DATES:
        value = given.get(key)
        if isinstance(value, str) and len(value) == 8 and not _is_date(value):
            yield Finding("order.date_odd", {"key": key, "value": value})


def _is_date(value: str) -> bool:
    try:
        datetime.strptime(value, "%Y%m%d")
    except ValueError:
        return False
    return True


def _built(given: Mapping[str, Any], folder: Path) -> Order:
    values = {key: value for key, value in given.items() if key != "schema"}
    for key in _PATHS:
        if key in values:
            values[key] = folder / values[key]
    if "formats" in values:
        values["formats"] = tuple(name for name in FORMATS if name in values["formats"])
    values["accept"] = tuple(Acceptance(**one) for one in values.get("accept", ()))
    return Order(**values)


def _problems(order: Order) -> Iterator[Finding]:
    if order.profile not in schemas.shipped():
        known = ", ".join(schemas.shipped())
        yield Finding("submission.profile_unknown", {"profile": order.profile, "known": known})
        return
    for key in missing(order):
        yield Finding(
            "order.stage_requires",
            {"key": key, "stage": _stage(order).name_zh, "stage_en": _stage(order).name_en},
        )
    for key in _PATHS:
        path = getattr(order, key)
        if path is not None and not path.exists():
            yield Finding("order.path_missing", {"key": key, "path": str(path)})


def _stage(order: Order) -> schemas.Stage:
    return _stages(order.profile)[order.stage]


@lru_cache(maxsize=8)
def _stages(profile: str) -> Mapping[str, schemas.Stage]:
    """Return the stages of a profile; a form asks for them at every letter that is typed."""
    return schemas.load(profile).stages


def _common_code(codes: list[str]) -> str:
    """Return the code of what the districts have in common: a city (4 digits) or a province (2)."""
    for digits in (4, 2):
        heads = {code[:digits] for code in codes if len(code) >= 6 and code[:6].isdigit()}
        if len(heads) == 1 and len(codes):
            return heads.pop().ljust(6, "0")
    return ""
