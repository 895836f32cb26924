# SPDX-License-Identifier: GPL-2.0-or-later
"""Rules 1101-1105: layers, files, copies, names, hashes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from swc_zoning.engine.messages import SwcError
from swc_zoning.engine.submission import agreement, seals
from swc_zoning.engine.submission.opening import FIELD_NAMES, DataSet, Package
from swc_zoning.engine.submission.quality import Flaw, Rule, Said, Unchecked, checker
from swc_zoning.engine.submission.schemas import Layer

#: What a Shapefile consists of besides .shp.
_PARTS = (".shx", ".dbf", ".prj", ".cpg")
_RESULTS = "ZJJG"
#: What is named after the area: kind of file -> part of the package it must be in ("" anywhere).
_NAMED = (".pdf", ".jpg", ".jpeg", ".tif", ".xlsx", ".docx", ".mdb")
_NAMED_PARTS = ("part_tables", "part_text", "part_maps")


@checker("1101")
def check_1101(package: Package, rule: Rule) -> Iterator[Said]:
    """Required layers and tables exist, under their names."""
    if package.main is None:
        yield rule.flaw(case="nothing", name=package.name)
        return
    for layer in package.schema.layers.values():
        found = package.found(layer.name)
        if found is None and layer.required:
            yield rule.flaw(layer=layer.name, file=package.main.name, **_titles(layer))
        elif found is not None and found != layer.name:
            yield rule.flaw(case="named", layer=layer.name, file=package.main.name, found=found)


def _titles(layer: Layer) -> dict[str, str]:
    return {"title_zh": layer.title_zh, "title_en": layer.title_en}


@checker("1102")
def check_1102(package: Package, rule: Rule) -> Iterator[Said]:
    """Files open, counts are as META states, and all formats agree."""
    incomplete = {name for name, _, _ in lacking_parts(package)}
    for data_set in package.data_sets:
        lame = any(PurePosixPath(shp).parent.as_posix() == data_set.name for shp in incomplete)
        if data_set.reason and not lame:
            yield rule.flaw(case="unreadable", file=data_set.name, reason=data_set.reason)
    if package.main is None:
        return
    if not package.has_meta("count:"):
        yield Unchecked("no_meta", {"item": "count:"}, part=True)
    for layer in package.schema.layers.values():
        yield from _counted(package, rule, layer)
    for copy in package.copies:
        yield from _compared(package, rule, copy)


def _counted(package: Package, rule: Rule, layer: Layer) -> Iterator[Flaw]:
    if package.found(layer.name) is None or package.main is None:
        return
    said = {"layer": layer.name, "file": package.main.name}
    try:
        sheet = package.sheet(layer.name)
    except SwcError as error:
        yield rule.flaw(case="unreadable", reason=error.sentence("en"), **said)
        return
    # What a file says of its count may be older than its rows. Results of the check are added after it.
    count, stated = len(sheet or ()), package.meta.get(f"count:{layer.name}", "")
    if layer.name != _RESULTS and stated.isdigit() and int(stated) != count:
        yield rule.flaw(case="count", count=count, stated=stated, **said)


def _compared(package: Package, rule: Rule, copy: DataSet) -> Iterator[Flaw]:
    """Yield where a copy says something else than the main data set; text that was cut is for 3202."""
    for layer in comparable(package, copy):
        if copy.found(layer.name) is None:
            yield rule.flaw(case="copy_lacks", layer=layer.name, file=copy.name, copy=copy.name)
            continue
        for one in copy_differences(package, copy, layer.name):
            if not one.cut:
                yield _difference(package, rule, copy, layer.name, one)
        package.forget(copy)


def comparable(package: Package, copy: DataSet) -> Iterator[Layer]:
    """Yield the layers a copy has to have: those of the main data set, in Shapefiles without tables."""
    lame = {PurePosixPath(name).stem for name, _, part in lacking_parts(package) if part in (".cpg", ".dbf")}
    for layer in package.schema.layers.values():
        drawn = copy.format != "shp" or (layer.kind == "polygon" and layer.name not in lame)
        if drawn and package.found(layer.name) is not None:
            yield layer


def copy_differences(package: Package, copy: DataSet, layer: str) -> list[agreement.Difference]:
    """Return where a layer of a copy differs from the main data set; compared once."""

    def compared() -> list[agreement.Difference]:
        one, other = package.sheet(layer), package.sheet(layer, copy)
        return [] if one is None or other is None else list(agreement.differences(one, other))

    return package.once(f"copy:{copy.name}:{layer}", compared)


def _difference(package: Package, rule: Rule, copy: DataSet, layer: str, one: agreement.Difference) -> Flaw:
    said = {"layer": layer, "file": copy.name, "copy": copy.name}
    if one.row < 0:
        other = package.sheet(layer, copy)
        values = other.columns.get("BSM") if other is not None else None
        bsm = str(values[one.other] or "") if values is not None else ""
        return rule.flaw(case="copy_more", bsm=bsm, row=one.other + 1, **said)
    said["bsm"] = package.bsm(layer, one.row)
    place = one.place or package.place(layer, one.row)
    if one.other < 0:
        return rule.flaw(case="copy_less", place=place, row=one.row + 1, **said)
    if one.field == "geometry":
        return rule.flaw(
            case="copy_moved", field="geometry", place=place, measure=one.metres, unit="m", **said
        )
    mine, theirs = package.sheet(layer), package.sheet(layer, copy)
    pair = (
        (mine.columns[one.field][one.row], theirs.columns[one.field][one.other])
        if mine is not None and theirs is not None
        else ("", "")
    )
    values = {"value": _shown(pair[0]), "other": _shown(pair[1]), "row": one.row + 1}
    return rule.flaw(case="copy_value", field=one.field, place=place, **values, **said)


def _shown(value: object) -> str:
    return "" if value is None else str(value)[:80]


@checker("1103")
def check_1103(package: Package, rule: Rule) -> Iterator[Said]:
    """Folder and files are named code + name."""
    code = package.code or r"\d{6}"
    pattern = re.compile(rf"{code}\D.*")
    for name in _to_be_named(package):
        if not pattern.fullmatch(PurePosixPath(name).name):
            yield rule.flaw(file=name, pattern=f"{package.code or '######'}…")


def _to_be_named(package: Package) -> Iterator[str]:
    yield package.name
    yield from (one.name for one in package.data_sets if one.format != "shp" and one.name != package.name)
    parts = {package.schema.naming.get(part, "") for part in _NAMED_PARTS} - {""}
    for name in package.files:
        path = PurePosixPath(name)
        if path.suffix.lower() in _NAMED and parts & set(path.parts[:-1]):
            yield name


@checker("1104")
def check_1104(package: Package, rule: Rule) -> Iterator[Said]:
    """Shapefiles are whole, names are short, and a table says which names were cut."""
    for shp, name, part in lacking_parts(package):
        yield rule.flaw(case="part", layer=PurePosixPath(shp).stem, file=name, part=part)
    for data_set in package.data_sets:
        if data_set.format != "shp":
            continue
        for layer in data_set.layers.values():
            for one in layer.fields:
                if len(one.name.encode()) > rule.number("name_length"):
                    yield rule.flaw(case="name", layer=layer.name, field=one.name, file=data_set.name)
        known = [package.schema.layers[name] for name in data_set.layers if name in package.schema.layers]
        cut = any(one.short != one.name for layer in known for one in layer.fields)
        if cut and f"{data_set.name}/{FIELD_NAMES}" not in package.files:
            yield rule.flaw(case="names", file=f"{data_set.name}/{FIELD_NAMES}")


def lacking_parts(package: Package) -> list[tuple[str, str, str]]:
    """Return (path of the .shp, path of the part that is not there, its suffix)."""
    lower = {name.lower() for name in package.files}
    shapes = [name for name in package.files if name.lower().endswith(".shp")]
    wanted = [(shp, shp[:-4] + part, part) for shp in shapes for part in _PARTS]
    return [(shp, name, part) for shp, name, part in wanted if name.lower() not in lower]


@checker("1105")
def check_1105(package: Package, rule: Rule) -> Iterator[Said]:
    """Every file is in SHA256SUMS and has its hash."""
    listed: dict[str, str] = {}
    for number, name, digest in seals.entries(package.text(seals.NAME) or ""):
        if name:
            listed[name.replace("\\", "/").removeprefix("./")] = digest
        else:
            yield rule.flaw(case="line", file=seals.NAME, line=number)
    for name in sorted(listed.keys() - package.files.keys()):
        yield rule.flaw(case="missing", file=name)
    for name, path in package.files.items():
        if name not in listed:
            if name != seals.NAME and not name.lower().endswith(".lock"):
                yield rule.flaw(case="unlisted", file=name)
        elif seals.sha256(path) != listed[name]:
            yield rule.flaw(file=name)
