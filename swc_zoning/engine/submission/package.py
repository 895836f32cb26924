# SPDX-License-Identifier: GPL-2.0-or-later
"""The package of a submission: built aside, opened again, compared, checked, sealed, then put in place.

::

    310000上海市水土保持空间管控成果_20260101/
      01_矢量数据/  .gdb  .gpkg  shp/ (GBK, with 字段名对照表.csv)
      02_规划表格/  .xlsx
      03_文本/ 04_图件/ 05_坐标成果/   what `extras` hold
      06_元数据/    metadata.xml  run.json
      07_质检/      质检报告  接受记录.json  数据说明.txt
      SHA256SUMS

Names are those of `Schema.naming`. A package whose check finds errors is not put in place: the report of the
check is, beside it, and an earlier package stays as it was.
"""

from __future__ import annotations

import json
import os
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from swc_zoning import paths
from swc_zoning.engine import rule_words
from swc_zoning.engine.derived import csv_text
from swc_zoning.engine.messages import Blocked, Finding, SwcError, sentence
from swc_zoning.engine.progress import Progress
from swc_zoning.engine.submission import (
    accepted,
    coordinates,
    datasets,
    metadata,
    opening,
    placing,
    public,
    quality,
    quality_reports,
    rereading,
    seals,
    texts,
    workbook,
)
from swc_zoning.engine.submission.order import Acceptance, Order
from swc_zoning.engine.submission.schemas import Schema
from swc_zoning.engine.submission.sheets import Sheet

if TYPE_CHECKING:
    from swc_zoning.engine.submission.contents import Contents

#: Parts of a package that others fill: keys of `Schema.naming`.
PARTS = ("part_text", "part_maps", "part_points")
NOTES = "数据说明.txt"
FIELD_NAMES = "字段名对照表.csv"
RESULTS, PROPOSED = "ZJJG", "HXJY"

_METADATA = "metadata.xml"
_SHAPEFILES = "shp"
_REFUSED = "_质检未通过"
#: So many errors of a rule are told one by one; the report has them all.
_NAMED = 20


@dataclass(frozen=True)
class Files:
    """What an export put in place; `public` is None where none was asked for.

    `reports` are the files of the quality check in the package, by kind: xlsx, gpkg, jsonl.
    """

    package: Path
    public: Path | None
    reports: Mapping[str, Path]
    report: quality.Report
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True)
class _Work:
    """What is being packed: sheets by name, their schema, items of META, inputs, and what is asked."""

    sheets: Mapping[str, Sheet]
    schema: Schema
    order: Order
    meta: Mapping[str, str]
    inputs: Sequence[Mapping[str, Any]]
    lang: str
    extras: Mapping[str, Sequence[Path]] = field(default_factory=dict)
    mark: str = ""

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


def write(
    contents: Contents,
    order: Order,
    schema: Schema,
    target: Path,
    progress: Progress | None = None,
    lang: str = "zh",
    extras: Mapping[str, Sequence[Path]] | None = None,
) -> Files:
    """Write the package of `contents` as a folder in the folder `target`, beside it its public edition.

    `extras`: further files and folders for the parts `PARTS` (texts, maps, coordinate lists), copied under
    their own names before the package is sealed. An older package of the same name is replaced as a whole.

    Raises Blocked with ``texts.*`` where a value would be cut or lost, with ``package.flaw`` where the check
    of the written files finds errors (its reports are then in ``…_质检未通过``, next to an earlier package
    that stays as it was), and SwcError ``package.*`` of `placing`, ``package.not_as_written``,
    ``package.extra_missing``.
    """
    progress = progress or Progress()
    work = _work(contents.sheets, order, schema, lang, extras or {})
    texts.check(work.sheets, order.formats)
    names = _folders(work)
    with placing.place(target) as new:
        placing.check(target, names)
        full = new / names[0]
        report = _full_edition(full, work, progress)
        if report.errors():
            _refuse(full, report, target, work)
        findings = _public_edition(new / names[1], work, progress) if order.public else ()
        with progress.step("placing", 0.01):
            placing.put(new, target, gone=names)
    folder = Path(target).absolute()
    quality_part = folder / names[0] / work.named("part_quality")
    reports = {kind: quality_part / name for kind, name in quality_reports.FILES.items()}
    shown = folder / names[1] if order.public else None
    return Files(folder / names[0], shown, reports, report, tuple(findings))


def check_target(order: Order, schema: Schema, target: Path) -> None:
    """Prove, before anything is computed, that a package named by `order` may be put into `target`.

    Raises what `placing.check` raises.
    """
    placing.check(target, _folders(_Work({}, schema, order, {}, (), "zh")))


def _folders(work: _Work) -> list[str]:
    return [work.named("folder"), work.named("public"), work.named("folder") + _REFUSED]


def _work(
    sheets: Mapping[str, Sheet], order: Order, schema: Schema, lang: str, extras: Mapping[str, Sequence[Path]]
) -> _Work:
    unknown = sorted(set(extras).difference(PARTS))
    if unknown:
        raise SwcError("package.part_unknown", part=unknown[0], known=", ".join(PARTS))
    for path in (path for group in extras.values() for path in group):
        if not Path(path).exists():
            raise SwcError("package.extra_missing", path=str(path))
    sheets = {name: _without_results(sheet) if name == "META" else sheet for name, sheet in sheets.items()}
    meta = meta_of(sheets.get("META"))
    inputs = [json.loads(value) for key, value in meta.items() if key.startswith("input:")]
    return _Work(sheets, schema, order, meta, inputs, lang, extras)


def _without_results(meta: Sheet) -> Sheet:
    """Return META without the number of results: they are added when everything else is written."""
    items = meta.columns["ITEM"].tolist()
    return meta.only(np.array([item != f"count:{RESULTS}" for item in items], bool))


def meta_of(sheet: Sheet | None) -> dict[str, str]:
    """Return the items of a META table; a value that takes several rows is joined in their order."""
    found: dict[str, str] = {}
    if sheet is not None:
        columns = (sheet.columns[name].tolist() for name in ("ITEM", "XH", "VALUE"))
        for item, _, value in sorted(zip(*columns), key=lambda row: (row[0], row[1])):
            found[item] = found.get(item, "") + (value or "")
    return found


# --- editions --------------------------------------------------------------------------------------


def _full_edition(folder: Path, work: _Work, progress: Progress) -> quality.Report:
    """Build the package in `folder` and return what its check found; with errors it is not finished."""
    written = _write_data(folder, work, progress)
    _write_points(folder, written, work)
    _add_extras(folder, work)
    accept = [*work.order.accept, *_taken_over(work.order)]
    with progress.step("checking", 0.25), opening.opened(folder) as package:
        report = quality.check(package, accept, progress)
    if not report.errors():
        with progress.step("sealing", 0.05):
            _append_results(written, work, report)
            _write_quality(folder, work, report, accept)
            _write_metadata(folder, work, report)
            seals.write(folder)
    return report


def _public_edition(folder: Path, work: _Work, progress: Progress) -> list[Finding]:
    with progress.step("public_edition", 0.06):
        edition = public.of(work.sheets, work.meta, work.inputs)
        meta = meta_of(edition.sheets.get("META"))
        shown = _Work(
            edition.sheets,
            work.schema,
            work.order,
            meta,
            edition.inputs,
            work.lang,
            {},
            public.policy()["edition"],
        )
        _write_data(folder, shown, None)
        _write_metadata(folder, shown, None)
        _write_notes(folder / shown.named("part_metadata"), shown, None)
        public.prove(folder, public.secrets(work.inputs))
        seals.write(folder)
    return list(edition.findings)


def _write_data(folder: Path, work: _Work, progress: Progress | None) -> dict[str, Path]:
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
        _write_field_names(written["shp"] / FIELD_NAMES, work)
    _write_workbook(folder / work.named("part_tables"), work)
    return written


def _write_field_names(path: Path, work: _Work) -> None:
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
    _write_bytes(path, csv_text(rows).encode("utf-8-sig"))


def _write_workbook(folder: Path, work: _Work) -> None:
    folder.mkdir()
    stage = work.schema.stages[work.order.stage]
    head = [(work.title, "")]
    head += [(work.text("package.head_stage"), stage.name(work.lang))]
    items = {item: work.meta.get(item, "") for item in ("code", "name", "date", "compiler", "secrecy")}
    head += [(work.text(f"package.head_{item}"), value) for item, value in items.items() if value]
    head += [(work.text("package.no_mdb"), "")]
    workbook.write(folder / f"{work.named('tables')}.xlsx", work.sheets, head, work.lang)


def _write_points(folder: Path, written: Mapping[str, Path], work: _Work) -> None:
    """Write the coordinate list of the proposed patches, from the file they were written to."""
    if not work.order.points or not len(work.sheets.get(PROPOSED, ())):
        return
    form, path = next(iter(written.items()))
    source, layer = (datasets.shapefile(path, PROPOSED), None) if form == "shp" else (path, PROPOSED)
    asked = coordinates.Options(
        unit=work.meta.get("compiler", ""), date=work.meta.get("date", ""), no_field="BSM", name_field="HXMC"
    )
    part = folder / work.named("part_points")
    part.mkdir()
    listing = coordinates.listed(coordinates.read(source, layer, asked), asked)
    coordinates.write(listing, part / f"{work.named('points')}.txt")


# --- quality ---------------------------------------------------------------------------------------


def _taken_over(order: Order) -> list[Acceptance]:
    """Return the acceptances that the earlier package named as register keeps."""
    if order.register is None:
        return []
    with opening.opened(order.register) as earlier:
        return accepted.of_package(earlier)


def _append_results(written: Mapping[str, Path], work: _Work, report: quality.Report) -> None:
    """Add what the check found to the data sets, as their table of results, and read it back."""
    if RESULTS not in work.sheets:
        return
    layer = work.sheets[RESULTS].layer
    results = Sheet.of(
        layer, [_result(number, flaw, work.lang) for number, flaw in enumerate(report.flaws, 1)]
    )
    for form, path in written.items():
        if form != "shp":
            datasets.append(path, form, results)
            rereading.compare(path, form, [results])


def _result(number: int, flaw: quality.Flaw, lang: str) -> dict[str, Any]:
    east, north = flaw.place or (None, None)
    return {
        "XH": number,
        "GZ": flaw.code,
        "DJ": flaw.severity,
        "TC": flaw.layer,
        "BSM": flaw.bsm,
        "ZD": flaw.field,
        "MS": flaw.sentence(lang)[:2000],
        "JY": flaw.fix(lang)[:1000],
        "ZB": flaw.measure,
        "DW": flaw.unit,
        "X": east,
        "Y": north,
        "LW": "1" if flaw.accepted else "0",
        "LWLY": flaw.accepted,
    }


def _write_quality(folder: Path, work: _Work, report: quality.Report, accept: Iterable[Acceptance]) -> None:
    part = folder / work.named("part_quality")
    part.mkdir()
    quality_reports.write(report, part, work.lang)
    used = [one for one in accept if any(_covers(one, flaw) for flaw in report.accepted())]
    rows = [
        {key: getattr(one, key) for key in Acceptance.__dataclass_fields__} for one in dict.fromkeys(used)
    ]
    _write_json(part / accepted.RECORD, {"accepted": rows})
    _write_notes(part, work, report)


def _covers(one: Acceptance, flaw: quality.Flaw) -> bool:
    where = one.layer in ("", flaw.layer) and one.key in ("", flaw.key, flaw.bsm)
    return one.code == flaw.code and where and one.reason == flaw.accepted


def _refuse(full: Path, report: quality.Report, target: Path, work: _Work) -> None:
    """Put the reports of a check that found errors beside where the package would be, and say the errors.

    The package itself is not kept: a folder with errors in it must not be taken for one without.
    """
    new = full.parent
    shutil.rmtree(full)
    refused = new / (full.name + _REFUSED)
    refused.mkdir()
    quality_reports.write(report, refused, work.lang)
    _write_json(
        refused / placing.RECORD, {"what": placing.WHAT, "edition": "refused", "counts": report.counts()}
    )
    seals.write(refused)
    placing.put(new, target)
    told = Finding("package.report_in", {"path": str(Path(target).absolute() / refused.name)})
    raise Blocked([*_told(report.errors()), told])


def _told(errors: Sequence[quality.Flaw]) -> Iterator[Finding]:
    """Yield errors as findings, the first of each rule one by one."""
    for rule, count in Counter(flaw.code for flaw in errors).items():
        for flaw in [flaw for flaw in errors if flaw.code == rule][:_NAMED]:
            words = {f"text_{lang}": flaw.sentence(lang) for lang in ("zh", "en")}
            # Places of findings are in the working CRS; those of flaws are in the report.
            yield Finding("package.flaw", {"rule": rule, **words}, flaw.layer)
        if count > _NAMED:
            yield Finding("package.flaws_more", {"rule": rule, "count": count - _NAMED})


# --- documents -------------------------------------------------------------------------------------


def _write_metadata(folder: Path, work: _Work, report: quality.Report | None) -> None:
    part = folder / work.named("part_metadata")
    part.mkdir()
    _write_bytes(part / _METADATA, metadata.xml(_statement(work, report), work.lang))
    _write_json(part / placing.RECORD, _record(work, report))


def _statement(work: _Work, report: quality.Report | None) -> metadata.Statement:
    rows = {"layers": sum(sheet.geometry is not None for sheet in work.sheets.values())}
    rows["patches"] = len(work.sheets["SBGKFQ"]) if "SBGKFQ" in work.sheets else 0
    names = {"name": work.meta.get("name", ""), "plan": work.order.plan_name or "-"}
    sources = [_source(one, work.lang) for one in work.inputs]
    rules = [work.meta[item] for item in ("rules_profile", "rules_version") if work.meta.get(item)]
    counts = report.counts() if report else {}
    return metadata.Statement(
        identifier=_identifier(work),
        title=work.title,
        date=work.meta.get("date", ""),
        abstract=work.text("package.abstract", **names, **rows),
        edition=" ".join([work.schema.stages[work.order.stage].name(work.lang), work.mark]).strip(),
        compiler=work.meta.get("compiler", ""),
        secrecy="" if work.mark else work.meta.get("secrecy", ""),
        constraints=work.text("package.public_use") if work.mark else "",
        crs=work.schema.crs,
        scale=0 if work.mark else work.order.scale,
        bounds=_bounds(work.sheets),
        formats=tuple(datasets.FORMATS[form] for form in work.order.formats),
        lineage=work.text("package.lineage", rules=" ".join(rules) or "-", inputs=len(sources)),
        sources=tuple(sources),
        quality=work.text("package.quality", **{key: counts.get(key, 0) for key in "EWI"}) if report else "",
        passed=None if report is None else not report.errors(),
        keywords=tuple(work.text("package.keywords").split(";")),
    )


def _identifier(work: _Work) -> str:
    told = [work.named("public" if work.mark else "folder"), work.order.stage]
    return "-".join([*told, *([] if work.mark else [work.meta.get("content_sha256", "")[:16]])]).strip("-")


def _source(one: Mapping[str, Any], lang: str) -> metadata.Source:
    names = ("version", "approval_no", "data_date", "provider")
    told = {name: str(one.get(name) or "") for name in names}
    role = str(one.get("role") or "")
    return metadata.Source(str(one.get("layer") or role or "-"), rule_words.role_name(role, lang), **told)


def _bounds(sheets: Mapping[str, Sheet]) -> tuple[float, float, float, float] | None:
    drawn = [sheet.geometry for sheet in sheets.values() if sheet.geometry is not None and len(sheet)]
    return tuple(shapely.total_bounds(np.concatenate(drawn)).tolist()) if drawn else None


def _record(work: _Work, report: quality.Report | None) -> dict[str, Any]:
    """Return the run record: how the package was made, without a path."""
    counts = {name: len(sheet) for name, sheet in work.sheets.items() if name != RESULTS}
    said = {"what": placing.WHAT, "edition": "public" if work.mark else "full", "software": paths.version()}
    said |= {"profile": work.schema.profile, "schema_version": work.schema.version, "rows": counts}
    if work.mark:
        return said
    told = {"order": work.order.as_json(), "meta": dict(work.meta)}
    return {**said, **told, "quality": report.counts() if report else None}


def _write_notes(folder: Path, work: _Work, report: quality.Report | None) -> None:
    """Write what a reader of the data must know; lines that do not apply are left out."""
    codes = ["package.note_formats", "package.note_crs", "package.no_mdb", "package.note_rare"]
    codes += ["package.note_shp"] if "shp" in work.order.formats else []
    codes += ["package.note_public"] if work.mark else ["package.note_area", "package.note_register"]
    codes += ["package.note_seals"]
    facts = {
        "formats": ", ".join(work.order.formats),
        "crs": work.schema.crs,
        "decimals": public.policy()["decimals"],
    }
    lines = [work.title, "", *(work.text(code, **facts) for code in codes)]
    absent = [item.partition(":")[2] for item in work.meta if item.startswith("missing_role:")]
    missing = [rule_words.role_name(role, work.lang) for role in absent]
    if missing:
        lines.append(work.text("package.note_missing", roles=", ".join(missing)))
    if report:
        lines.append(work.text("package.quality", **{key: report.counts()[key] for key in "EWI"}))
        lines += [f"{one.rule}: {one.sentence(work.lang)}" for one in report.not_checked]
    _write_bytes(folder / NOTES, "\r\n".join([*lines, ""]).encode("utf-8-sig"))


def _add_extras(folder: Path, work: _Work) -> None:
    record = work.order.consultation
    given = [*work.extras.items(), *([("part_text", [record])] if record else [])]
    for part, found in given:
        place = folder / work.named(part)
        for path in map(Path, found):
            place.mkdir(exist_ok=True)
            if path.is_dir():
                shutil.copytree(path, place / path.name)
            else:
                shutil.copyfile(path, place / path.name)


def _write_json(path: Path, document: Mapping[str, Any]) -> None:
    _write_bytes(path, json.dumps(document, ensure_ascii=False, indent=1).encode("utf-8"))


def _write_bytes(path: Path, content: bytes) -> None:
    with path.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
