# SPDX-License-Identifier: GPL-2.0-or-later
"""What a package holds beside its papers: data sets, tables, coordinate lists, further files."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from swc_zoning.engine.derived import csv_text
from swc_zoning.engine.messages import Finding, SwcError, sentence
from swc_zoning.engine.progress import Progress
from swc_zoning.engine.submission import coordinates, datasets, opening, rereading, workbook
from swc_zoning.engine.submission.order import Order
from swc_zoning.engine.submission.schemas import Schema
from swc_zoning.engine.submission.sheets import Sheet, items_of

#: Parts of a package that others fill: keys of `Schema.naming`.
PARTS = ("part_text", "part_maps", "part_points")
RESULTS, PROPOSED = "ZJJG", "HXJY"
_SHAPEFILES = "shp"
#: Files of a chapter -> keys of `Schema.naming`: in a package they are called after the city.
_OF_CHAPTER = {"text.docx": "chapter_text", "notes.docx": "chapter_notes", "tables.xlsx": "chapter_tables"}


@dataclass(frozen=True)
class Work:
    """What is being packed: sheets by name, their schema, items of META, inputs, and what is asked."""

    sheets: Mapping[str, Sheet]
    schema: Schema
    order: Order
    meta: Mapping[str, str]
    inputs: Sequence[Mapping[str, Any]]
    lang: str
    extras: Mapping[str, Sequence[Path]] = field(default_factory=dict)
    mark: str = ""
    decision_table: Mapping[str, Any] | None = None

    def named(self, key: str) -> str:
        """Return a name of `Schema.naming` with code, name and date filled in."""
        facts = {item: self.meta.get(item) or getattr(self.order, item) for item in ("code", "name", "date")}
        return self.schema.naming[key].format(**facts)

    def text(self, code: str, **facts: Any) -> str:
        """Return a sentence of the catalogue in the language of the package."""
        return sentence(code, facts, self.lang)

    @property
    def title(self) -> str:
        """Return what the package is called, its mark after it."""
        stage = self.schema.stages[self.order.stage]
        marks = [mark for mark in (stage.mark_zh if self.lang == "zh" else stage.mark_en, self.mark) if mark]
        title = self.text("package.title", name=self.meta.get("name") or self.order.name)
        return title + "".join(f"（{mark}）" if self.lang == "zh" else f" ({mark})" for mark in marks)


def work_of(
    sheets: Mapping[str, Sheet],
    order: Order,
    schema: Schema,
    lang: str,
    extras: Mapping[str, Sequence[Path]],
    decision_table: Mapping[str, Any] | None = None,
) -> Work:
    """Return what is to be packed; the decision table goes along so that every zone can be decided anew.

    Raises SwcError ``package.part_unknown`` and ``package.extra_missing`` for what `extras` name.
    """
    unknown = sorted(set(extras).difference(PARTS))
    if unknown:
        raise SwcError("package.part_unknown", part=unknown[0], known=", ".join(PARTS))
    for path in (path for group in extras.values() for path in group):
        if not Path(path).exists():
            raise SwcError("package.extra_missing", path=str(path))
    sheets = {name: _without_results(sheet) if name == "META" else sheet for name, sheet in sheets.items()}
    meta = items_of(sheets["META"]) if "META" in sheets else {}
    inputs = [json.loads(value) for key, value in meta.items() if key.startswith("input:")]
    return Work(sheets, schema, order, meta, inputs, lang, extras, decision_table=decision_table)


def _without_results(meta: Sheet) -> Sheet:
    """Return META without the number of results: they are added when everything else is written."""
    items = meta.columns["ITEM"].tolist()
    return meta.only(np.array([item != f"count:{RESULTS}" for item in items], bool))


def bytes_needed(work: Work) -> int:
    """Return about how many bytes the data sets take: 16 a vertex, 12 a value, once for each format."""
    sheets = work.sheets.values()
    values = sum(len(sheet) * len(sheet.columns) for sheet in sheets)
    vertices = sum(
        int(shapely.get_num_coordinates(one.geometry).sum()) for one in sheets if one.geometry is not None
    )
    return (16 * vertices + 12 * values) * len(work.order.formats)


# --- writing ---------------------------------------------------------------------------------------


def write_data(folder: Path, work: Work, progress: Progress | None) -> dict[str, Path]:
    """Write data sets and tables into `folder`, read them back, and return the data sets by format."""
    vectors = folder / work.named("part_vectors")
    vectors.mkdir(parents=True)
    sheets = list(work.sheets.values())
    written = {}
    for form in work.order.formats:
        written[form] = vectors / (_SHAPEFILES if form == "shp" else f"{work.named('vectors')}.{form}")
        with (progress or Progress()).step("packing", 0.07):
            datasets.write(written[form], form, sheets, work.schema.domains, work.lang)
        with (progress or Progress()).step("rereading", 0.04):
            rereading.compare(written[form], form, sheets)
    if "shp" in written:
        _write_field_names(written["shp"] / opening.FIELD_NAMES, work)
    _write_workbook(folder / work.named("part_tables"), work)
    return written


def _write_field_names(path: Path, work: Work) -> None:
    """Say what the fields of the Shapefiles are called in the other formats, and what they mean."""
    headings = [work.text(f"package.column_{name}") for name in ("layer", "title", "short", "name", "alias")]
    rows: list[Sequence[Any]] = [headings]
    for sheet in work.sheets.values():
        if sheet.geometry is not None:
            title = sheet.layer.title(work.lang)
            for name in sheet.columns:
                known = sheet.layer.field(name)
                short = datasets.short_name(sheet.layer, name)
                alias = known.alias(work.lang) if known else name
                rows.append((sheet.layer.name, title, short, name, alias))
    write_bytes(path, csv_text(rows).encode("utf-8-sig"))


def _write_workbook(folder: Path, work: Work) -> None:
    folder.mkdir()
    stage = work.schema.stages[work.order.stage]
    head = [(work.title, "")]
    head += [(work.text("package.head_stage"), stage.name(work.lang))]
    items = {item: work.meta.get(item, "") for item in ("code", "name", "date", "compiler", "secrecy")}
    head += [(work.text(f"package.head_{item}"), value) for item, value in items.items() if value]
    head += [(work.text("package.no_mdb"), "")]
    workbook.write(folder / f"{work.named('tables')}.xlsx", work.sheets, head, work.lang)


def write_points(folder: Path, written: Mapping[str, Path], work: Work) -> Sequence[Finding]:
    """Write the coordinate list of the proposed patches, from the file they were written to."""
    if not work.order.points or not len(work.sheets.get(PROPOSED, ())):
        return ()
    form, path = next(iter(written.items()))
    source, layer = (datasets.shapefile(path, PROPOSED), None) if form == "shp" else (path, PROPOSED)
    asked = coordinates.Options(
        unit=work.meta.get("compiler", ""), date=work.meta.get("date", ""), no_field="BSM", name_field="HXMC"
    )
    part = folder / work.named("part_points")
    part.mkdir()
    listing = coordinates.listed(coordinates.read(source, layer, asked), asked)
    coordinates.write(listing, part / f"{work.named('points')}.txt")
    return listing.findings


def add_extras(folder: Path, work: Work) -> None:
    """Copy the further files into their parts; the record of the consultation is one of the texts."""
    record = work.order.consultation
    given = [*work.extras.items(), *([("part_text", [record])] if record else [])]
    for part, found in given:
        place = folder / work.named(part)
        for path in map(Path, found):
            place.mkdir(exist_ok=True)
            key = _OF_CHAPTER.get(path.name)
            target = place / (work.named(key) + path.suffix if key else path.name)
            if target.exists():
                raise SwcError("package.extra_twice", name=target.name)
            if path.is_dir():
                # Without its permissions: what is read-only could not be sealed or replaced.
                shutil.copytree(path, target, copy_function=shutil.copyfile)
            else:
                shutil.copyfile(path, target)


def write_json(path: Path, document: Mapping[str, Any]) -> None:
    """Write a JSON document and flush it."""
    write_bytes(path, json.dumps(document, ensure_ascii=False, indent=1).encode("utf-8"))


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file and flush it."""
    with path.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
