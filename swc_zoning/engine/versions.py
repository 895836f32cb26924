# SPDX-License-Identifier: GPL-2.0-or-later
"""The version doctor: one statutory line goes in once, and a result says from which papers it is.

Two layers of one role are held against each other where they share ground, and so are the features of
one layer that carry a year or a version. How much ground two layers share is estimated at points drawn
evenly over their area; the areas that are named beside it are exact.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from itertools import combinations
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from swc_zoning.engine import roles
from swc_zoning.engine.messages import Finding, Fix
from swc_zoning.paths import resource

#: Points by which shared ground is estimated: within 1 % in 95 of 100 cases.
_POINTS, _TRIES = 4096, 8
#: Share of the smaller layer at which two layers that say they differ are two versions; our choice.
_TOUCHING = 0.05
#: Share of their common ground at which two layers that say nothing are the same line; our choice.
_SAME = 0.5
_MOST_CHOICES = 5
_SAID = ("version", "approval_no", "data_date")
_PAPERS = ("approval_no", "data_date")
#: A year, with or without month and day, however they are set apart.
_DATE = re.compile(r"(\d{4})(?:[-/.年]?(\d{1,2})(?:[-/.月]?(\d{1,2}))?)?[日号月年]?(?:[T ].*)?")


@dataclass(frozen=True)
class Given:
    """A layer as it goes in: `papers` its version, numbers and dates, `geometry` valid polygons [n]."""

    entry: int | None
    role: str
    label: str
    papers: Mapping[str, str]
    geometry: NDArray[Any]
    tier: Sequence[str]


@lru_cache(maxsize=1)
def _document() -> dict[str, Any]:
    return json.loads(resource("versions.json").read_text(encoding="utf-8"))


def is_statutory(role: str) -> bool:
    """Return whether an authority approves the line of `role`, so that papers must name it."""
    return role in {row["role"] for row in _document()["statutory"]}


def version_fields(fields: Iterable[str]) -> list[str]:
    """Return the fields that carry a year, a date or a version, as the layer spells them."""
    known = {row["field"].casefold() for row in _document()["fields"]}
    return [name for name in fields if unicodedata.normalize("NFKC", name).strip().casefold() in known]


def moment(value: Any) -> str:
    """Return a year, month or day as YYYY, YYYY-MM or YYYY-MM-DD; "" where there is none.

    Full-width digits, Chinese and Western ways of writing it and dates without marks are read.
    """
    text = unicodedata.normalize("NFKC", "" if value is None else str(value)).strip()
    match = _DATE.fullmatch(text.removesuffix(".0"))
    if match is None:
        return ""
    year, month, day = match.groups()
    try:
        whole = date(int(year), int(month or "1"), int(day or "1"))
    except ValueError:
        return ""
    return whole.isoformat()[: 10 if day else 7 if month else 4] if year[:2] in ("19", "20") else ""


def _version(value: Any) -> str:
    """Return what makes a version the same version: its date, else its text without width and case."""
    text = unicodedata.normalize("NFKC", "" if value is None or value != value else str(value)).strip()
    return moment(text) or text.casefold()


# --- papers ----------------------------------------------------------------------------------------


def tell_papers(given: Given, columns: Mapping[str, NDArray[Any]], submission: bool) -> Iterator[Finding]:
    """Yield what the papers of a statutory layer lack, and dates that are none.

    Where all features carry one date in a field of `columns`, it is offered as that of the data.
    """
    missing = [key for key in _PAPERS if not given.papers.get(key)]
    if missing and is_statutory(given.role):
        facts = {"role": given.role, "count": len(given.geometry), "missing": ", ".join(missing)}
        days = _only_days(columns) if "data_date" in missing else {}
        fixes = tuple(Fix(given.entry, {"data_date": day}) for day in sorted(days))
        facts["found"] = ", ".join(f"{field}: {day}" for day, field in sorted(days.items())) or "—"
        code = "versions.undated_submission" if submission else "versions.undated"
        yield Finding(code, facts, fixes=fixes)
    day = unicodedata.normalize("NFKC", given.papers.get("data_date", "")).strip()
    if day and not moment(day) and (_DATE.fullmatch(day) or not re.search(r"\d{4}", day)):
        yield Finding("versions.date_odd", {"value": given.papers["data_date"]})
    for field, values in columns.items():
        odd = Counter(str(value) for value in values.tolist() if _is_odd_date(field, value))
        if odd:
            some = ", ".join(f"{word} ({count})" for word, count in sorted(odd.items())[:_MOST_CHOICES])
            yield Finding("versions.dates_odd", {"field": field, "count": sum(odd.values()), "some": some})


def _is_odd_date(field: str, value: Any) -> bool:
    return _is_date_field(field) and bool(_version(value)) and not moment(value)


def _is_date_field(field: str) -> bool:
    plain = unicodedata.normalize("NFKC", field).strip().casefold()
    return any(row["holds"] == "date" and row["field"].casefold() == plain for row in _document()["fields"])


def _only_days(columns: Mapping[str, NDArray[Any]]) -> dict[str, str]:
    """Return the one date all features carry, by each date field that has one: {date: field}."""
    found = {}
    for field, values in columns.items():
        days = {moment(value) for value in set(values.tolist())} if _is_date_field(field) else set()
        if len(days) == 1 and "" not in days:
            found[days.pop()] = field
    return found


def secrecy(inputs: Iterable[Mapping[str, str]]) -> dict[str, Any]:
    """Return the highest secrecy the inputs state: {highest, words not ranked, layers that say none}.

    None is invented: `highest` is "" where no input states one, and words that are no known level are
    listed, never ranked.
    """
    rank = {word.casefold(): i for i, row in enumerate(_document()["secrecy"]) for word in row["words"]}
    stated = [(str(one["layer"]), str(one["secrecy"]).strip()) for one in inputs]
    known = [rank[_level(word)] for _, word in stated if _level(word) in rank]
    return {
        "highest": _document()["secrecy"][max(known)]["level"] if known else "",
        "not_ranked": sorted({word for _, word in stated if word and _level(word) not in rank}),
        "not_stated": [layer for layer, word in stated if not word],
    }


def _level(word: str) -> str:
    """Return a level without its mark and term, as in 秘密★10年."""
    return re.split(r"[★*]", unicodedata.normalize("NFKC", word).strip().casefold())[0].strip()


# --- two layers ------------------------------------------------------------------------------------


def compare(layers: Sequence[Given]) -> Iterator[tuple[str, Finding]]:
    """Yield (label, finding) for every two layers of one role that are, or may be, versions of a line."""
    for first, second in combinations([one for one in layers if _counts(one)], 2):
        if first.role == second.role:
            finding = _compared(first, second)
            if finding:
                yield first.label, finding


def _counts(layer: Given) -> bool:
    role = roles.find(layer.role)
    return role is not None and role.kind in ("control", "context") and len(layer.geometry) > 0


def _compared(first: Given, second: Given) -> Finding | None:
    in_second, place = _covered(first, second)
    in_first, _ = _covered(second, first)
    areas = [float(shapely.area(one.geometry).sum()) for one in (first, second)]
    common = max(in_second * areas[0], in_first * areas[1])
    same = common / (sum(areas) - common) >= _SAME if sum(areas) > common else True
    differs = [key for key in _SAID if _differ(first.papers.get(key, ""), second.papers.get(key, ""))]
    touching = same if _untold(first) or _untold(second) else max(in_first, in_second) >= _TOUCHING
    code = _code(bool(differs), touching, same)
    if not code:
        return None
    facts = {
        **_named("first", first, areas[0]),
        **_named("second", second, areas[1]),
        "role": first.role,
        "count": len(first.geometry) + len(second.geometry),
        "differs": ", ".join(differs),
        "difference_m2": round(abs(areas[0] - areas[1]), 2),
        "share": round(100 * max(in_first, in_second)),
    }
    older_first = sorted((first, second), key=lambda one: moment(one.papers.get("data_date")))
    choices = tuple(Fix(one.entry, {"use": False}) for one in older_first)
    fixes = choices if code != "versions.apart" else ()
    return Finding(code, facts, place=place, measure_m2=round(common, 2), fixes=fixes)


def _code(differs: bool, touching: bool, same: bool) -> str:
    if differs:
        return "versions.two" if touching else "versions.apart"
    return "versions.same_ground" if same else ""


def _untold(layer: Given) -> bool:
    """Return whether tiers are not known: a core within its buffer then looks like the same ground."""
    return roles.UNKNOWN in layer.tier


def _differ(one: str, other: str) -> bool:
    if not one or not other:
        return False
    first, second = sorted((_version(one), _version(other)), key=len)
    return first != second and not (moment(first) and second.startswith(first + "-"))


def _named(which: str, layer: Given, area: float) -> dict[str, Any]:
    papers = {key: layer.papers.get(key, "") for key in (*_SAID, "provider")}
    said = ", ".join(value for value in papers.values() if value)
    named = f"{layer.label} ({said})" if said else layer.label
    return {which: named, f"{which}_papers": papers, f"{which}_m2": round(area, 2)}


def points_in(geometry: NDArray[Any], count: int = _POINTS) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return points (float64[k, 2]) spread evenly over the area of polygons, and the polygon of each."""
    area = np.cumsum(shapely.area(geometry))
    pick = np.searchsorted(area, (np.arange(count) + 0.5) / count * area[-1])
    low, high = shapely.bounds(geometry[pick])[:, None, :2], shapely.bounds(geometry[pick])[:, None, 2:]
    shapely.prepare(geometry[np.unique(pick)])
    points = low + np.random.default_rng(0).random((count, _TRIES, 2)) * (high - low)
    within = shapely.contains_xy(geometry[pick][:, None], points[..., 0], points[..., 1])
    hit, first = within.any(axis=1), within.argmax(axis=1)
    return points[np.flatnonzero(hit), first[hit]], pick[hit]


def _hits(points: NDArray[Any], geometry: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return (point, polygon) numbers (int64[k] each) of every point in a polygon."""
    tree = shapely.STRtree(shapely.points(points))
    polygon, point = tree.query(geometry)
    shapely.prepare(geometry[np.unique(polygon)])
    inside = shapely.contains_xy(geometry[polygon], points[point, 0], points[point, 1])
    return point[inside], polygon[inside]


def _covered(layer: Given, by: Given) -> tuple[float, tuple[float, float] | None]:
    """Return the share of `layer` that features of its tier in `by` cover, and a place there."""
    box, other = shapely.total_bounds(layer.geometry), shapely.total_bounds(by.geometry)
    if (box[:2] > other[2:]).any() or (other[:2] > box[2:]).any():
        return 0.0, None
    points, of = points_in(layer.geometry)
    point, polygon = _hits(points, by.geometry)
    alike = np.array(layer.tier, object)[of[point]] == np.array(by.tier, object)[polygon]
    met = np.unique(point[alike])
    place = (float(points[met[0], 0]), float(points[met[0], 1])) if len(met) else None
    return len(met) / len(points) if len(points) else 0.0, place


# --- one layer -------------------------------------------------------------------------------------


def tell_within(
    given: Given, columns: Mapping[str, NDArray[Any]], earlier_filter: str | None
) -> Iterator[Finding]:
    """Yield a finding for each field (values aligned with the features) whose versions share ground."""
    for field, values in columns.items():
        found = _within(given, field, values, earlier_filter)
        if found:
            yield found


def _within(given: Given, field: str, values: NDArray[Any], earlier: str | None) -> Finding | None:
    raw = values.tolist()
    meaning = {value: _version(value) for value in set(raw)}
    if len(set(meaning.values()) - {""}) < 2:
        return None
    version = np.array([meaning[value] for value in raw], object)
    points, of = points_in(given.geometry)
    point, polygon = _hits(points, given.geometry)
    tier = np.array(given.tier, object)
    other = (version[of[point]] != version[polygon]) & (tier[of[point]] == tier[polygon])
    other &= (version[polygon] != "") & (version[of[point]] != "")
    met = np.unique(point[other])
    share = len(met) / len(points) if len(points) else 0.0
    if share < _TOUCHING:
        return None
    told = _told_versions(given, version, version[of[point[other]]])
    text = "; ".join(f"{one['version']}: {one['count']}, {one['area_m2']} m2" for one in told)
    facts = {"field": field, "role": given.role, "versions": text, "by_version": told}
    facts.update(count=len(raw), share=round(100 * share))
    originals = {one["version"]: [v for v in meaning if meaning[v] == one["version"]] for one in told}
    fixes = tuple(
        Fix(given.entry, {"filter": only(field, originals[one["version"]], earlier)}) for one in told
    )
    place = (float(points[met[0], 0]), float(points[met[0], 1]))
    return Finding("versions.within", facts, place=place, fixes=fixes)


def _told_versions(given: Given, version: NDArray[Any], meeting: NDArray[Any]) -> list[dict[str, Any]]:
    """Return count and area (m2) of the versions that share ground, the latest first."""
    area = shapely.area(given.geometry)
    told = []
    for one in sorted(set(meeting.tolist()), reverse=True)[:_MOST_CHOICES]:
        rows = version == one
        told.append({"version": one, "count": int(rows.sum()), "area_m2": round(float(area[rows].sum()), 2)})
    return told


def only(field: str, values: Sequence[Any], earlier: str | None) -> str:
    """Return the OGR filter that keeps the rows with one of `values`, and of those the earlier filter's."""
    name = '"' + field.replace('"', '""') + '"'
    listed = ", ".join(_literal(value) for value in sorted(values, key=str))
    kept = f"{name} IN ({listed})"
    return f"({earlier}) AND {kept}" if earlier else kept


def _literal(value: Any) -> str:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return repr(value)
    return "'" + str(value).replace("'", "''") + "'"
