# SPDX-License-Identifier: GPL-2.0-or-later
"""What goes out to the departments: letter, list of conflicts with maps, regions as GeoPackage, a document.

Written aside and put in place together. A list that was filled in since it was written is never replaced.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from swc_zoning.engine import claim, derived, formats, layers, styles, written
from swc_zoning.engine.messages import Finding, SwcError
from swc_zoning.engine.progress import Progress
from swc_zoning.engine.submission import clips, consultation_book, letter
from swc_zoning.engine.submission.conflict_groups import (
    Case,
    Facts,
    as_json,
    case_of,
    cells_of,
    facts_of,
    words,
)

NAME = "consultation"
__all__ = ("NAME", "Facts", "Prepared", "facts_of", "prepare")


@dataclass(frozen=True)
class Prepared:
    """What was written, by what it is: book, letter (where it could be), regions, document."""

    files: Mapping[str, Path]
    case: Case
    findings: tuple[Finding, ...]


def prepare(
    result: Path,
    output: Path,
    facts: Facts | None = None,
    lang: str = "zh",
    grouping: str = "auto",
    department: str = "",
    progress: Progress | None = None,
) -> Prepared:
    """Write everything a consultation on the conflicts of `result` needs into the folder `output`.

    With `department` only what is addressed to it or concerns it, and a letter to it alone.
    What Pillow or python-docx would be needed for is left out and told. Raises SwcError
    ``consultation.edited``, ``derived.not_ours``, ``consultation.needs_openpyxl``, ``result.unwritable``
    and what `conflict_groups.case_of` raises.
    """
    facts, progress = facts or Facts(), progress or Progress()
    check_target(output, NAME, "book", "letter")
    with progress.step("reading", 0.1):
        case = case_of(result, grouping)
        case = case.only(department) if department else case
    findings = list(case.findings)
    with progress.step("clips", 0.7):
        pictures = _pictures(case, findings, progress)
    with progress.step("writing", 0.2), placed(output, NAME) as aside:
        _write_book(aside / words()["files"]["book"][lang], case, facts, lang, pictures)
        path = aside / words()["files"]["letter"][lang]
        _write_letter(path, case, facts, lang, findings, (department,) if department else ())
        derived.write_layers(aside / f"{NAME}.gpkg", [regions_layer(case, lang)], case.crs)
        write_document(aside, NAME, {**head_of(case, facts), "groups": [as_json(one) for one in case.groups]})
    target = Path(output).absolute()
    named = {"book": words()["files"]["book"][lang], "letter": words()["files"]["letter"][lang]}
    files = {key: target / name for key, name in named.items() if (target / name).exists()}
    files.update(regions=target / f"{NAME}.gpkg", document=target / f"{NAME}.json")
    return Prepared(files, case, tuple(findings))


def _pictures(case: Case, findings: list[Finding], progress: Progress) -> dict[str, bytes]:
    missing = clips.needs_pillow()
    if missing is not None:
        findings.append(Finding(missing.code, missing.facts))
        return {}
    most = words()["most_clips"]
    if len(case.groups) > most:
        # A workbook of more parts than an archive may have could not be taken in again.
        findings.append(Finding("consultation.few_clips", {"most": most, "count": len(case.groups)}))
    shown = replace(case, groups=case.groups[:most])
    return clips.all_of(shown, written.read(case.folder, []), progress)


def _write_book(path: Path, case: Case, facts: Facts, lang: str, pictures: Mapping[str, bytes]) -> None:
    rows = [cells_of(number, group, facts, lang) for number, group in enumerate(case.groups, 1)]
    title = letter.say("book_title", lang, plan=letter.plan_name(case, facts))
    notes = [letter.say("book_note", lang), letter.say("book_legend", lang)]
    consultation_book.write(path, rows, title, notes, lang, pictures)


def _write_letter(
    path: Path, case: Case, facts: Facts, lang: str, findings: list[Finding], to: tuple[str, ...]
) -> None:
    """Write the letter; where python-docx is missing that is told, and the rest is written all the same."""
    annexes = [Path(words()["files"]["book"][lang]).stem, letter.say("letter_regions", lang)]
    try:
        letter.write_letter(path, case, facts, lang, annexes, to)
    except SwcError as error:
        if error.code != "consultation.needs_docx":
            raise
        findings.append(Finding(error.code))


def head_of(case: Case, facts: Facts) -> dict[str, Any]:
    """Return what documents of a consultation say of their result; no path of a machine among it."""
    summary = case.summary
    head = {key: summary[key] for key in ("title", "crs", "plan_date", "rules", "content_sha256")}
    # Whom to ring up is for the letter alone: these documents travel with the plan.
    said = {key: value for key, value in asdict(facts).items() if key not in ("contact", "phone")}
    return {"schema": 1, **head, "facts": said, "counts": _counts(case)}


def _counts(case: Case) -> dict[str, Any]:
    return {
        "groups": len(case.groups),
        "regions": sum(group.regions for group in case.groups),
        "by_department": {name: len(groups) for name, groups in case.departments().items()},
    }


def regions_layer(case: Case, lang: str) -> layers.Layer:
    """Return the regions of all groups as a layer, one row a group, working CRS."""
    groups = case.groups
    plain = [cells_of(number, group, Facts(), lang) for number, group in enumerate(groups, 1)]
    texts = ("group", "kind", "name", "severity", "department", "layer_a", "feature_a", "tier_a", "layer_b")
    texts += ("feature_b", "tier_b", "districts", "question", "settling_rule", "status", "basis")
    columns: layers.Columns = {
        "number": np.array([row["number"] for row in plain], np.int32),
        **{name: layers.text_column([row[name] or None for row in plain]) for name in texts},
        "area_m2": np.array([group.area_centi / 100 for group in groups], float),
        "regions": np.array([group.regions for group in groups], np.int32),
        **{name: np.array([row[name] for row in plain], float) for name in ("east", "north", "lon", "lat")},
    }
    shapes = np.empty(len(groups), object)
    shapes[:] = [shapely.multipolygons(shapely.get_parts(group.geometry)) for group in groups]
    wkb = shapely.to_wkb(shapes) if len(groups) else np.empty(0, object)
    return layers.whole("regions", "MultiPolygon", wkb, columns, styles.conflicts_qml())


# --- files -----------------------------------------------------------------------------------------


def check_target(output: Path, name: str, *edited: str, unless: tuple[Path, ...] = ()) -> None:
    """Prove that the files of a consultation may be put into the folder `output`.

    Raises SwcError ``derived.not_ours`` where files of these names are not ours, ``consultation.edited``
    where one of the kinds `edited` is no longer what was written and is not among `unless`.
    """
    output = Path(output)
    derived.check_target(output, name)
    made = _made(output / f"{name}.json")
    for kind in edited:
        for path in (output / named for named in words()["files"][kind].values()):
            if not path.exists() or any(one.exists() and path.samefile(one) for one in unless):
                continue
            if path.name not in made:
                raise SwcError("derived.not_ours", path=str(path))
            if formats.source_sha256(path) != made[path.name]:
                raise SwcError("consultation.edited", path=str(path))


def _made(path: Path) -> dict[str, str]:
    """Return what a document says was written with it, by name."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    made = document.get("files") if isinstance(document, dict) else None
    return made if isinstance(made, dict) else {}


@contextmanager
def placed(output: Path, name: str) -> Iterator[Path]:
    """Yield a folder aside; what is in it at the end goes into `output`, the document `name` last.

    Raises SwcError ``result.unwritable``.
    """
    target = Path(output).absolute()
    try:
        with claim.claimed(target), claim.aside(target, target) as aside:
            yield aside
            last = f"{name}.json"
            _exchange(aside, target, sorted((path.name for path in aside.iterdir()), key=last.__eq__))
    except OSError as error:
        reason = error.strerror or str(error)
        raise SwcError("result.unwritable", path=str(output), reason=reason) from error


def _exchange(aside: Path, target: Path, names: Sequence[str]) -> None:
    """Put the files `names` of `aside` into `target`, all or none of them."""
    earlier = aside / claim.EARLIER
    earlier.mkdir()

    def put() -> None:
        for name in names:
            if (target / name).exists():
                os.replace(target / name, earlier / name)
            os.replace(aside / name, target / name)

    def take_back() -> None:
        for name in names:
            if not (aside / name).exists():
                (target / name).unlink()
            if (earlier / name).exists():
                os.replace(earlier / name, target / name)
        earlier.rmdir()

    claim.undone_on_error(put, take_back)
    os.rename(earlier, aside / "replaced")


def write_document(aside: Path, name: str, document: Mapping[str, Any]) -> None:
    """Write the JSON document that says whose the folder is and what was written with it."""
    made = {path.name: formats.source_sha256(path) for path in sorted(aside.iterdir())}
    text = json.dumps({"what": name, **document, "files": made}, ensure_ascii=False, indent=1)
    (aside / f"{name}.json").write_text(text, encoding="utf-8")
