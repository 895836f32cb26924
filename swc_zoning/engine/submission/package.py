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

import shutil
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from swc_zoning.engine.messages import Blocked, Finding
from swc_zoning.engine.progress import Progress
from swc_zoning.engine.submission import (
    accepted,
    datasets,
    opening,
    packing,
    papers,
    placing,
    public,
    quality,
    quality_reports,
    rereading,
    seals,
    texts,
)
from swc_zoning.engine.submission.order import Acceptance, Order
from swc_zoning.engine.submission.packing import RESULTS, Work
from swc_zoning.engine.submission.schemas import Schema
from swc_zoning.engine.submission.sheets import Sheet, items_of

if TYPE_CHECKING:
    from swc_zoning.engine.submission.contents import Contents

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

    `extras`: further files and folders for the parts `packing.PARTS` (texts, maps, coordinate lists),
    copied under their own names before the package is checked and sealed. An older package of the same
    name is replaced as a whole.

    Raises Blocked with ``texts.*`` where a value would be cut or lost, with ``package.flaw`` where the check
    of the written files finds errors (its reports are then in ``…_质检未通过``, next to an earlier package
    that stays as it was), and SwcError ``package.*`` of `placing`, ``package.not_as_written``,
    ``package.extra_missing``.
    """
    progress = progress or Progress()
    table = contents.facts.get("decision_table")
    work = packing.work_of(contents.sheets, order, schema, lang, extras or {}, table)
    texts.check(work.sheets, order.formats)
    names = _folders(work)
    _check_length(work, target)
    findings: list[Finding] = []
    with placing.place(target, packing.bytes_needed(work)) as new:
        placing.check(target, names)
        full = new / names[0]
        report = _full_edition(full, work, progress, findings)
        if report.errors():
            _refuse(full, report, target, work)
        if order.public:
            findings += _public_edition(new / names[1], work, progress)
        with progress.step("placing", 0.01):
            placing.put(new, target, gone=names)
    folder = Path(target).absolute()
    quality_part = folder / names[0] / work.named("part_quality")
    reports = {kind: quality_part / name for kind, name in quality_reports.FILES.items()}
    shown = folder / names[1] if order.public else None
    return Files(folder / names[0], shown, reports, report, tuple(findings))


def check_target(order: Order, schema: Schema, target: Path) -> None:
    """Prove, before anything is computed, that a package named by `order` may be put into `target`.

    Raises what `placing.check` and `placing.check_length` raise.
    """
    work = Work({}, schema, order, {}, (), "zh")
    _check_length(work, target)
    placing.check(target, _folders(work))


def _check_length(work: Work, target: Path) -> None:
    longest = (
        f"{max(_folders(work), key=len)}/{work.named('part_vectors')}/{work.named('vectors')}.gpkg-journal"
    )
    placing.check_length(target, longest)


def _folders(work: Work) -> list[str]:
    return [work.named("folder"), work.named("public"), work.named("folder") + _REFUSED]


# --- editions --------------------------------------------------------------------------------------


def _full_edition(folder: Path, work: Work, progress: Progress, findings: list[Finding]) -> quality.Report:
    """Build the package in `folder` and return what its check found; with errors it is not finished.

    What the user should know beside that is added to `findings`.
    """
    written = packing.write_data(folder, work, progress)
    findings += packing.write_points(folder, written, work)
    packing.add_extras(folder, work)
    papers.write_decision_table(folder, work)
    seals.write(folder)
    accept = [*work.order.accept, *_taken_over(work.order)]
    with progress.step("checking", 0.25), opening.opened(folder) as package:
        report = quality.check(package, accept, progress)
    if not report.errors():
        with progress.step("sealing", 0.05):
            _append_results(written, work, report)
            _write_quality(folder, work, report, accept)
            papers.write_metadata(folder, work, report)
            seals.write(folder)
    return report


def _public_edition(folder: Path, work: Work, progress: Progress) -> list[Finding]:
    with progress.step("public_edition", 0.06):
        edition = public.of(work.sheets, work.meta, work.inputs)
        meta = items_of(edition.sheets["META"]) if "META" in edition.sheets else {}
        shown = Work(
            edition.sheets,
            work.schema,
            work.order,
            meta,
            edition.inputs,
            work.lang,
            {},
            public.policy()["edition"],
        )
        with warnings.catch_warnings():
            # A dissolved zone may have many parts; that takes GDAL longer, and nobody needs to know.
            warnings.filterwarnings("ignore", message="organizePolygons")
            packing.write_data(folder, shown, None)
        papers.write_metadata(folder, shown, None)
        papers.write_notes(folder / shown.named("part_metadata"), shown, None)
        public.prove(folder, public.secrets(work.inputs))
        seals.write(folder)
    return list(edition.findings)


# --- quality ---------------------------------------------------------------------------------------


def _taken_over(order: Order) -> list[Acceptance]:
    """Return the acceptances that the earlier package named as register keeps."""
    if order.register is None:
        return []
    with opening.opened(order.register) as earlier:
        return accepted.of_package(earlier)


def _append_results(written: Mapping[str, Path], work: Work, report: quality.Report) -> None:
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


def _write_quality(folder: Path, work: Work, report: quality.Report, accept: Iterable[Acceptance]) -> None:
    part = folder / work.named("part_quality")
    part.mkdir()
    quality_reports.write(report, part, work.lang)
    used = [one for one in accept if any(_covers(one, flaw) for flaw in report.accepted())]
    rows = [
        {key: getattr(one, key) for key in Acceptance.__dataclass_fields__} for one in dict.fromkeys(used)
    ]
    packing.write_json(part / accepted.RECORD, {"accepted": rows})
    papers.write_notes(part, work, report)


def _covers(one: Acceptance, flaw: quality.Flaw) -> bool:
    where = one.layer in ("", flaw.layer) and one.key in ("", flaw.key, flaw.bsm)
    return one.code == flaw.code and where and one.reason == flaw.accepted


def _refuse(full: Path, report: quality.Report, target: Path, work: Work) -> None:
    """Put the reports of a check that found errors beside where the package would be, and say the errors.

    The package itself is not kept: a folder with errors in it must not be taken for one without.
    """
    new = full.parent
    shutil.rmtree(full)
    refused = new / (full.name + _REFUSED)
    refused.mkdir()
    quality_reports.write(report, refused, work.lang)
    packing.write_json(
        refused / placing.RECORD, {"what": placing.WHAT, "edition": "refused", "counts": report.counts()}
    )
    seals.write(refused)
    placing.put(new, target)
    told = Finding("package.report_in", {"path": str(Path(target).absolute() / refused.name)})
    raise Blocked([*_told(report.errors()), told])


def _told(errors: Sequence[quality.Flaw]) -> Iterator[Finding]:
    """Yield errors as findings, the first of each rule one by one, and what to do about them."""
    for rule, count in Counter(flaw.code for flaw in errors).items():
        for flaw in [flaw for flaw in errors if flaw.code == rule][:_NAMED]:
            words = {f"text_{lang}": flaw.sentence(lang) for lang in ("zh", "en")}
            # Places of findings are in the working CRS; those of flaws are in the report.
            yield Finding("package.flaw", {"rule": rule, **words}, flaw.layer)
        if count > _NAMED:
            yield Finding("package.flaws_more", {"rule": rule, "count": count - _NAMED})
        fixes = {f"fix_{lang}": flaw.fix(lang) for lang in ("zh", "en")}
        yield Finding("package.flaw_fix", {"rule": rule, **fixes})
