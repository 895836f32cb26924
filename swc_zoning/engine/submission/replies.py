# SPDX-License-Identifier: GPL-2.0-or-later
"""Replies of departments: read from filled lists, matched to the conflicts of a result by place.

The id of a conflict is believed where its place agrees; else the place decides, so that replies outlive a
re-run with shuffled features or slightly changed pieces. What was adopted, and why, is held against what
may be said, and kept as the record of the consultation.
"""

from __future__ import annotations

import re
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from swc_zoning.engine import georef
from swc_zoning.engine.messages import Blocked, Finding, SwcError
from swc_zoning.engine.progress import Progress
from swc_zoning.engine.submission import consultation_book, letter
from swc_zoning.engine.submission.conflict_groups import (
    Case,
    Facts,
    Group,
    as_json,
    case_of,
    cells_of,
    words,
)
from swc_zoning.engine.submission.consultation import check_target, head_of, placed, write_document
from swc_zoning.engine.submission.consultation_book import Filled
from swc_zoning.engine.submission.consultation_record import NAME

#: Findings of one code told one by one; the rest are counted.
TOLD_ONE_BY_ONE = 20
_DATE = re.compile(
    r"(\d{4})(?:\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})\s*日?|(\d{2})(\d{2}))(?:\s+00:00:00)?"
)
_FIRST_NAMED = 3


@dataclass(frozen=True)
class Reply:
    """What one department said of one group, and what became of it.

    `date` YYYY-MM-DD; `verdict` adopted, partly, rejected or "" where it is not stated yet.
    """

    opinion: str
    unit: str
    number: str
    date: str
    verdict: str = ""
    reason: str = ""

    @property
    def is_comment(self) -> bool:
        """Return whether there is something to adopt: "no comment" is an answer, but no opinion."""
        return self.opinion.strip(" 。.").casefold() not in words()["no_opinion"]

    @property
    def is_undecided(self) -> bool:
        """Return whether it still has to be said what became of it."""
        return self.is_comment and not self.verdict


@dataclass(frozen=True)
class Answered:
    """A group with the replies to it."""

    group: Group
    replies: tuple[Reply, ...]


@dataclass(frozen=True)
class Adoption:
    """All groups of a case with their replies; `unmatched` rows that fit none."""

    case: Case
    rows: tuple[Answered, ...]
    unmatched: tuple[Filled, ...]
    findings: tuple[Finding, ...]

    def counts(self) -> dict[str, int]:
        """Return how many groups were answered, how many replies there are, and how they were adopted."""
        answered = sum(bool(row.replies) for row in self.rows)
        replies = [reply for row in self.rows for reply in row.replies]
        verdicts = Counter(reply.verdict for reply in replies)
        return {
            "groups": len(self.rows),
            "answered": answered,
            "unanswered": len(self.rows) - answered,
            "replies": len(replies),
            "no_comment": sum(not reply.is_comment and not reply.verdict for reply in replies),
            **{name: verdicts[name] for name in words()["verdicts"]},
            "undecided": sum(reply.is_undecided for reply in replies),
        }


def adoption_of(case: Case, files: Iterable[Path]) -> Adoption:
    """Return the replies in filled lists, matched to the groups of `case`.

    Raises Blocked with everything that may not be said as it is, and what `consultation_book.read` raises.
    """
    filled = [row for path in files for row in consultation_book.read(path)]
    findings: list[Finding] = []
    matcher = _Matcher(case, findings)
    by_group: dict[str, list[Filled]] = {}
    unmatched = []
    for row in filled:
        if not _says_anything(row):
            continue
        group = matcher.group_of(row)
        if group is None:
            unmatched.append(row)
        else:
            by_group.setdefault(group.id, []).append(row)
    rows = tuple(_answered(group, by_group.get(group.id, []), findings) for group in case.groups)
    findings += _open_ends(rows)
    findings = _few(findings)
    if any(finding.severity == "error" for finding in findings):
        raise Blocked(findings)
    return Adoption(case, rows, tuple(unmatched), tuple(findings))


def _says_anything(row: Filled) -> bool:
    return any(row.cells.get(key) for key in ("opinion", "verdict", "reason"))


# --- matching --------------------------------------------------------------------------------------


class _Matcher:
    """Finds the group a row is about."""

    def __init__(self, case: Case, findings: list[Finding]) -> None:
        self._case, self._findings = case, findings
        self._by_id = {group.id: group for group in case.groups}
        self._tree = shapely.STRtree([group.geometry for group in case.groups])
        self._near, self._touch = (words()["match"][key] for key in ("near_m", "touch_m"))
        self._move = _from_degrees(case.crs)

    def group_of(self, row: Filled) -> Group | None:
        """Return the group of a row, None where none or several fit, which is told."""
        named, place = self._by_id.get(row.cells.get("group", "")), self._place(row)
        if place is None:
            return named if named is not None else self._tell("unmatched", row)
        if named is not None and shapely.distance(named.geometry, place) <= self._near:
            return self._same_area(named, row)
        fitting = self._at(place, row)
        if len(fitting) == 1:
            facts = {"before": row.cells.get("group") or "-"}
            self._tell("by_place", row, **{**facts, "group": fitting[0].id})
            return self._same_area(fitting[0], row)
        if named is not None and self._same_names(named, row) == 2:
            distance = round(float(shapely.distance(named.geometry, place)))
            self._tell("moved", row, distance=distance)
            return self._same_area(named, row)
        return self._tell("ambiguous", row, count=len(fitting)) if fitting else self._tell("unmatched", row)

    def _place(self, row: Filled) -> Any:
        """Return where a row says it is, in the working CRS: degrees hold in any, metres in the same one."""
        lon, lat = row.number("lon"), row.number("lat")
        if lon is not None and lat is not None and abs(lon) <= 180 and abs(lat) <= 90:
            (east, north), *_ = self._move(np.array([[lon, lat]])).tolist()
            return shapely.Point(east, north) if np.isfinite([east, north]).all() else None
        east, north = row.number("east"), row.number("north")
        return shapely.Point(east, north) if east is not None and north is not None else None

    def _at(self, place: Any, row: Filled) -> list[Group]:
        """Return the groups of the row's kind at a place; of several those whose sides have its names."""
        cells = row.cells
        said = {cells.get("kind") or cells.get("group", "").partition("-")[0], cells.get("name")} - {"", None}
        near = [self._case.groups[at] for at in self._tree.query(place, "dwithin", self._touch).tolist()]
        fitting = [group for group in near if said & {group.kind, group.name("zh"), group.name("en")}]
        best = max((self._same_names(group, row) for group in fitting), default=0)
        return [group for group in fitting if self._same_names(group, row) == best]

    def _same_names(self, group: Group, row: Filled) -> int:
        """Return on how many sides a row has the layer and names of a group, in either language."""
        same = 0
        for name, side in (("a", group.first), ("b", group.second)):
            layer, feature = row.cells.get(f"layer_{name}", ""), row.cells.get(f"feature_{name}", "")
            if side is None:
                same += not feature
                continue
            names = [one for _, one in side.features if one] or [one for one, _ in side.features]
            same += side.layer in layer and any(one in feature for one in names)
        return same

    def _same_area(self, group: Group, row: Filled) -> Group:
        """Tell where a group is no longer of the area that was answered."""
        before, match = row.number("area_ha"), words()["match"]
        if before is not None:
            off = abs(before - group.hectares)
            if off > match["area_ha"] and off > match["area_share"] * max(before, group.hectares):
                facts = {"group": group.id, "before": f"{before:.4f}", "now": f"{group.hectares:.4f}"}
                self._findings.append(Finding("consultation.area_changed", facts, place=group.place))
        return group

    def _tell(self, code: str, row: Filled, **facts: Any) -> None:
        where = {"source": row.source, "sheet": row.sheet, "line": row.line}
        told = {"group": row.cells.get("group") or row.cells.get("name") or "-", **where, **facts}
        self._findings.append(Finding(f"consultation.{code}", told))


def _from_degrees(crs: str) -> georef.Move:
    target = georef.parse(crs)
    if target is None:
        raise SwcError("boundary.crs_unknown", crs=crs)
    return georef.Move(georef.parse("EPSG:4490"), target, (-180.0, -90.0, 180.0, 90.0))


# --- what was said ---------------------------------------------------------------------------------


def _answered(group: Group, rows: Sequence[Filled], findings: list[Finding]) -> Answered:
    """Return the replies to a group; the same one read twice (list and adoption table) is one."""
    said: dict[Reply, Reply] = {}
    for row in rows:
        reply = _reply_of(row, findings)
        if not reply.opinion:
            continue
        plain = replace(reply, verdict="", reason="")
        before = said.get(plain, plain)
        if before.verdict and reply.verdict and before.verdict != reply.verdict:
            told = "、".join(words()["verdicts"][one]["zh"] for one in (before.verdict, reply.verdict))
            findings.append(Finding("consultation.verdicts_differ", {"group": group.id, "verdicts": told}))
        said[plain] = reply if reply.verdict else before
    if len(said) > 1:
        findings.append(Finding("consultation.several", {"group": group.id, "count": len(said)}))
    return Answered(group, tuple(said.values()))


def _reply_of(row: Filled, findings: list[Finding]) -> Reply:
    cells = row.cells
    if cells.get("opinion") and not cells.get("reply_no"):
        findings.append(Finding("consultation.number_missing", _where(row)))
    said = [cells.get(key, "") for key in ("opinion", "unit", "reply_no")]
    return Reply(*said, _date_of(row, findings), _verdict_of(row, findings), cells.get("reason", ""))


def _where(row: Filled) -> dict[str, Any]:
    return {"source": row.source, "sheet": row.sheet, "line": row.line}


def _date_of(row: Filled, findings: list[Finding]) -> str:
    text = row.cells.get("reply_date", "")
    if not text:
        return ""
    match = _DATE.fullmatch(text)
    if match:
        with suppress(ValueError):
            return date(int(match[1]), int(match[2] or match[4]), int(match[3] or match[5])).isoformat()
    findings.append(Finding("consultation.date_bad", {**_where(row), "text": text}))
    return ""


def _verdict_of(row: Filled, findings: list[Finding]) -> str:
    """Return the verdict of a row; one that is none, or lacks what it needs, is told."""
    text = row.cells.get("verdict", "")
    if not text:
        return ""
    known = words()["verdicts"]
    verdict = next((name for name, one in known.items() if text.casefold() in _words_of(one)), "")
    if not verdict:
        allowed = "、".join(one["zh"] for one in known.values())
        findings.append(
            Finding("consultation.verdict_unknown", {**_where(row), "text": text, "known": allowed})
        )
    elif not row.cells.get("opinion"):
        findings.append(Finding("consultation.verdict_without_reply", _where(row)))
    elif known[verdict]["reason"] and not row.cells.get("reason"):
        findings.append(Finding("consultation.reason_missing", {**_where(row), "verdict": text}))
    return verdict


def _words_of(verdict: Mapping[str, Any]) -> set[str]:
    return {text.casefold() for text in (verdict["zh"], verdict["en"], *verdict["words"])}


def _open_ends(rows: Sequence[Answered]) -> Iterator[Finding]:
    ends = {
        "unanswered": [row for row in rows if not row.replies],
        "undecided": [row for row in rows if any(reply.is_undecided for reply in row.replies)],
    }
    for code, found in ends.items():
        if found:
            named = "、".join(row.group.id for row in found[:_FIRST_NAMED])
            yield Finding(f"consultation.{code}", {"count": len(found), "groups": named})


def _few(findings: Sequence[Finding]) -> list[Finding]:
    """Return findings, of a code that repeats only the first ones and how many more there are."""
    counts: Counter[str] = Counter()
    kept = []
    for finding in findings:
        counts[finding.code] += 1
        if counts[finding.code] <= TOLD_ONE_BY_ONE or finding.severity == "error":
            kept.append(finding)
    for code, count in counts.items():
        more = count - TOLD_ONE_BY_ONE
        if more > 0 and not any(one.code == code and one.severity == "error" for one in kept):
            kept.append(Finding("consultation.more", {"repeated": code, "count": more}))
    return kept


# --- files -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Recorded:
    """What was written, by what it is: adoption, adoption_letter (where it could be), record."""

    files: Mapping[str, Path]
    adoption: Adoption
    findings: tuple[Finding, ...]


def record(
    result: Path,
    files: Sequence[Path],
    output: Path,
    facts: Facts | None = None,
    lang: str = "zh",
    grouping: str = "auto",
    progress: Progress | None = None,
) -> Recorded:
    """Read replies for `result` and write adoption table and record into the folder `output`.

    An adoption table that is itself among `files` is kept beside under another name. Raises Blocked and what
    `adoption_of` and `consultation.check_target` raise.
    """
    facts, progress = facts or Facts(), progress or Progress()
    check_target(output, NAME, "adoption", "adoption_letter", unless=tuple(map(Path, files)))
    with progress.step("matching", 0.6):
        adoption = adoption_of(case_of(result, grouping), map(Path, files))
    findings = [*adoption.case.findings, *adoption.findings]
    named = {key: words()["files"][key][lang] for key in ("adoption", "adoption_letter")}
    target = Path(output).absolute()
    with progress.step("writing", 0.4), placed(output, NAME) as aside:
        _keep_imported(aside, target / named["adoption"], files)
        _write_tables(aside, named, adoption, facts, lang, findings)
        write_document(aside, NAME, _document(adoption, facts))
    made = {key: target / name for key, name in named.items() if (target / name).exists()}
    return Recorded({**made, "record": target / f"{NAME}.json"}, adoption, tuple(findings))


def _keep_imported(aside: Path, table: Path, files: Sequence[Path]) -> None:
    """Keep a table that was filled in where it lies: its columns of the user are not in ours."""
    if any(Path(one).exists() and table.exists() and table.samefile(one) for one in files):
        number = 1
        while (kept := table.with_name(f"{table.stem}.{number}{table.suffix}")).exists():
            number += 1
        shutil.copyfile(table, aside / kept.name)


def _write_tables(
    aside: Path,
    named: Mapping[str, str],
    adoption: Adoption,
    facts: Facts,
    lang: str,
    findings: list[Finding],
) -> None:
    numbered = enumerate(adoption.rows, start=1)
    rows = [cells for number, row in numbered for cells in _cells(number, row, facts, lang)]
    title = letter.say("adoption_title", lang, plan=letter.plan_name(adoption.case, facts))
    summary = letter.say("adoption_summary", lang, **adoption.counts())
    notes = [letter.say("adoption_note", lang), summary]
    consultation_book.write(aside / named["adoption"], rows, title, notes, lang, adoption=True)
    try:
        letter.write_adoption(aside / named["adoption_letter"], title, summary, rows, facts, lang)
    except SwcError as error:
        if error.code != "consultation.needs_docx":
            raise
        findings.append(Finding(error.code))


def _cells(number: int, row: Answered, facts: Facts, lang: str) -> Iterator[dict[str, Any]]:
    """Yield the rows of a group in the adoption table: one a reply, one without any where there is none."""
    plain = cells_of(number, row.group, facts, lang)
    for reply in row.replies or (Reply("", "", "", ""),):
        verdict = words()["verdicts"][reply.verdict][lang] if reply.verdict else ""
        said = {"opinion": reply.opinion, "unit": reply.unit, "reply_no": reply.number}
        yield {**plain, **said, "reply_date": reply.date, "verdict": verdict, "reason": reply.reason}


def _document(adoption: Adoption, facts: Facts) -> dict[str, Any]:
    items = [
        {"number": number, **as_json(row.group), "replies": [asdict(one) for one in row.replies]}
        for number, row in enumerate(adoption.rows, 1)
    ]
    return {
        **head_of(adoption.case, facts),
        "summary": adoption.counts(),
        "replied": _replied(adoption),
        "items": items,
        "unmatched": [{**_where(row), "cells": dict(row.cells)} for row in adoption.unmatched],
    }


def _replied(adoption: Adoption) -> list[dict[str, Any]]:
    """Return each document that came back: body, number, date and how many groups it answers."""
    counts: Counter[tuple[str, str, str]] = Counter()
    leads: dict[tuple[str, str, str], set[str]] = {}
    for row in adoption.rows:
        for reply in row.replies:
            key = (reply.unit, reply.number, reply.date)
            counts[key] += 1
            leads.setdefault(key, set()).add(row.group.department)
    return [
        {
            "unit": unit,
            "number": number,
            "date": date,
            "groups": count,
            "departments": sorted(leads[unit, number, date]),
        }
        for (unit, number, date), count in sorted(counts.items())
    ]
