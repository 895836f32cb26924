# SPDX-License-Identifier: GPL-2.0-or-later
"""How the areas important for soil and water conservation were evaluated: tables and sentences of a chapter.

Areas are those of the zoning, by method and rule of the patch that they lie in; what methods and parameter
sets are worth is as the record of the evaluation has it, which travels with the layer.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from swc_zoning.engine.evaluation import records
from swc_zoning.engine.messages import sentence

if TYPE_CHECKING:
    from swc_zoning.engine.chapter.figures import Figures
    from swc_zoning.engine.chapter.tables import Table, _Sheet

ROLE = "swc_function_important"
#: Tier of the role by class of the evaluation.
TIERS = {"3": "extremely_important", "2": "important"}
_CLASSES = ("3", "2", "1")
_SQUARE_METRES = {"class_m2": 1e6, "km2_by_class": 1.0}


@dataclass(frozen=True)
class Evaluation:
    """A layer that an evaluation made: what was run on what, and what is open in it, in words.

    `compared`: published methods were run beside the one that decides.
    """

    role: str
    layer: str
    method: str
    inputs: list[str]
    steps: list[str]
    open_sets: list[str]
    weak: list[str]
    notes: list[str]
    compared: bool


def of_figures(figures: Figures, role: str = ROLE) -> list[Mapping[str, Any]]:
    """Return the evaluated layers of a role: {role, layer, record}; none of an older result."""
    return [row for row in figures.evaluations() if row.get("role") == role]


def told(figures: Figures) -> list[Evaluation]:
    """Return what the documents say of each evaluated layer."""
    return [_told(figures, row["layer"], row["record"]) for row in of_figures(figures)]


def _told(figures: Figures, layer: str, record: records.Record) -> Evaluation:
    def cited(name: str, text: str) -> str:
        return figures.cite("evaluation", (layer, name), "text", text)

    return Evaluation(
        role=figures.role(ROLE),
        layer=cited("layer", layer),
        method=cited("method", records.title(record, figures.lang)),
        inputs=[cited("input", one) for one in _inputs(record)],
        steps=[cited("step", one) for one in _steps(record, figures.lang)],
        open_sets=[cited("set", records.set_name(one, figures.lang)) for one in records.unverified(record)],
        weak=[cited("finding", records.sentence_of(one, figures.lang)) for one in records.weak(record)],
        notes=[cited("finding", records.sentence_of(one, figures.lang)) for one in records.others(record)],
        compared=any(_is_published(one) for one in records.parts(record)),
    )


def _is_published(step: records.Record) -> bool:
    return step.get("algorithm") in records.PUBLISHED and bool(areas_by_class(step))


def _inputs(record: records.Record) -> list[str]:
    """Return the files that were read, by the layer and by what came before it."""
    rows = [one for part in records.parts(record) for one in part.get("inputs", ())]
    return list(dict.fromkeys(str(one.get("file", "")) for one in rows))


def _steps(record: records.Record, lang: str) -> list[str]:
    named = [str(one.get(lang) or records.title(one, lang)) for one in record.get("steps", ())]
    return named or [records.title(record, lang)]


# --- tables ----------------------------------------------------------------------------------------


def absence(figures: Figures) -> str:
    """Return what is said where no evaluation is known: the layer is lacking, or was supplied as it is."""
    lacking = figures.absence(ROLE)
    return lacking or ("" if of_figures(figures) else sentence("figures.supplied", {}, figures.lang))


def by_rule(sheet: _Sheet) -> Table:
    """Make the table of important areas by class, method and rule."""
    figures = sheet.figures
    sheet.absence = absence(figures)
    rows = [] if sheet.absence else figures.rows("evaluated")
    for row in sorted(rows, key=lambda row: (row["class"] == "", -int(row["class"] or 0), -row["area_m2"])):
        key = (row["class"], row["method"], row["rule"])
        names = {
            what: figures.quote("evaluated", key, f"{what}_{figures.lang}")
            or figures.quote("evaluated", key, what)
            or sheet.word("none")
            for what in ("method", "rule")
        }
        level = _level(figures, row["class"]) or sheet.word("none")
        sheet.add({"no": "+", "class": level, **names, **_measured(sheet, "evaluated", key)})
    if rows:
        cells = _measured(sheet, "evaluated_whole", ())
        sheet.add({"class": sheet.word("total"), "method": sheet.word("without"), **cells}, is_sum=True)
    return sheet.table()


def _level(figures: Figures, level: str) -> str:
    return (
        figures.tier(ROLE, TIERS[level]) if level in TIERS else figures.cite("evaluated", (), "class", level)
    )


def _measured(sheet: _Sheet, query: str, key: tuple[Any, ...]) -> dict[str, Any]:
    return {
        "patches": sheet.count(query, key, "patches"),
        "area": sheet.figure(query, key, "area_m2", "km2", 4),
        "share": sheet.figure(query, key, "percent", "%"),
    }


def parameter_sets(sheet: _Sheet) -> Table:
    """Make the table of parameter sets: source, article, and whether their text was seen."""
    figures = sheet.figures
    sheet.absence = absence(figures)
    for row in of_figures(figures):
        for one in records.sets(row["record"]):
            texts = {"name": records.set_name(one, sheet.lang)}
            texts |= {key: str(one.get(key) or "") for key in ("source", "article")}
            cells = {
                key: figures.cite("evaluation", (row["layer"], one.get("kind"), one.get("id")), key, text)
                for key, text in texts.items()
            }
            status = "unverified" if one.get("status") == records.UNVERIFIED else "verified"
            sheet.add({"no": "+", **cells, "status": sheet.word(status)})
    return sheet.table()


def methods(sheet: _Sheet) -> Table:
    """Make the table of what each step with classes gives on its own, and why it does or does not decide."""
    figures = sheet.figures
    sheet.absence = absence(figures)
    for row in of_figures(figures):
        for step in (one for one in records.parts(row["record"]) if areas_by_class(one)):
            _add_step(sheet, row["layer"], step, row["record"])
    sheet.absence = sheet.absence or sentence("figures.empty", {}, sheet.lang)
    return sheet.table()


def _add_step(sheet: _Sheet, layer: str, step: records.Record, record: records.Record) -> None:
    figures, place = sheet.figures, (layer, str(step.get("id") or step.get("algorithm")))
    found = areas_by_class(step)
    cells = {
        f"class_{level}": figures.cite("evaluation", (*place, level), "km2", f"{found[level]:,.4f}")
        if level in found
        else sheet.word("none")
        for level in _CLASSES
    }
    name = figures.cite(
        "evaluation", place, "name", str(step.get(sheet.lang) or records.title(step, sheet.lang))
    )
    said = [
        figures.cite("evaluation", place, "finding", records.sentence_of(one, sheet.lang))
        for one in _weak_of(step, record)
    ]
    sheet.add({"name": name, **cells, "verdict": " ".join(said) or sheet.word("discriminates")})


def _weak_of(step: records.Record, record: records.Record) -> Iterator[Mapping[str, Any]]:
    """Yield the findings of a step that it does not discriminate; a chain keeps them for all its steps."""
    for one in records.weak(record):
        if step.get("algorithm") in records.WEAK[str(one.get("code"))]:
            yield one


def areas_by_class(step: records.Record) -> dict[str, float]:
    """Return the areas (km2) by class that a step noted; {} where it made no classes."""
    facts = step.get("facts", {})
    for name, per in _SQUARE_METRES.items():
        found = facts.get(name)
        if isinstance(found, Mapping):
            return {level: float(found[level]) / per for level in _CLASSES if _is_number(found.get(level))}
    return {}


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
