# SPDX-License-Identifier: GPL-2.0-or-later
"""The public edition: what may be shown of a submission, coarser, without its sources.

Zones are dissolved by district and zone, and all their lines are rounded together: noded on the coarse
grid and made into areas again, so that neighbours still fit. What is left in, left out or depends on a
source is data, ``resources/submission/public.json``. A source is sensitive where its secrecy is stated and is
not public.
"""

from __future__ import annotations

import html
import json
import re
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from swc_zoning.engine import rule_words
from swc_zoning.engine.messages import Finding, SwcError
from swc_zoning.engine.submission.schemas import Layer
from swc_zoning.engine.submission.sheets import Sheet
from swc_zoning.paths import resource

ZONES, DISTRICTS = "SBGKFQ", "XZQ"
_BLOCK = 1 << 22
_TOO_SHORT_TO_TELL = 5
#: In identifiers of dissolved zones, where those of patches have 0000: they name other things.
_OWN = "9000"


@dataclass(frozen=True)
class Edition:
    """Sheets of the public edition, what was left out and why, and the inputs that may be named."""

    sheets: dict[str, Sheet]
    findings: tuple[Finding, ...]
    inputs: tuple[Mapping[str, Any], ...]


@lru_cache(maxsize=1)
def policy() -> dict[str, Any]:
    """Return what the public edition holds, see ``resources/submission/public.json``."""
    return json.loads(resource("submission", "public.json").read_text(encoding="utf-8"))


def is_public(secrecy: str) -> bool:
    """Return whether a stated secrecy is no obstacle: none stated, or a word that means public."""
    word = re.split(r"[（(★*,，；;\s]", secrecy.strip().casefold())[0]
    return not secrecy.strip() or word in policy()["public_words"]


def of(sheets: Mapping[str, Sheet], meta: Mapping[str, str], inputs: Sequence[Mapping[str, Any]]) -> Edition:
    """Return the public edition of `sheets`; `meta`: items of META, `inputs`: rows with role and secrecy.

    Raises SwcError ``public.not_valid`` where the rounded zones would not be.
    """
    sensitive = {one["role"] for one in inputs if not is_public(str(one.get("secrecy") or ""))}
    made, findings = _chosen(sheets, sensitive)
    if ZONES in made:
        made.update(_coarse(sheets[ZONES], made[ZONES].layer, made.get(DISTRICTS)))
        findings += [*_too_small(sheets[ZONES], made[ZONES]), *_telling(sensitive)]
    made |= {name: _rounded(sheet) for name, sheet in made.items() if _is_apart(name, sheet)}
    if "META" in made:
        made["META"] = _meta(made["META"].layer, meta)
    if "DMB" in made:
        made["DMB"] = _used_codes(made)
    told = tuple(one for one in inputs if one["role"] not in sensitive)
    return Edition(made, (*_not_stated(inputs), *findings), told)


def _chosen(sheets: Mapping[str, Sheet], sensitive: set[str]) -> tuple[dict[str, Sheet], list[Finding]]:
    """Return the sheets the edition holds, with their public fields, and which are left out for a source."""
    made: dict[str, Sheet] = {}
    findings = []
    for name, row in policy()["layers"].items():
        if name not in sheets or not sheets[name].layer.public:
            continue
        hidden = sorted(sensitive.intersection(row.get("roles", ())))
        if hidden:
            findings.append(_left_out(sheets[name].layer, hidden))
        else:
            made[name] = _shown(sheets[name], row.get("fields"))
    return made, findings


def _not_stated(inputs: Sequence[Mapping[str, Any]]) -> Iterator[Finding]:
    """Name the inputs whose secrecy nobody stated: they are taken for public, and the user should know."""
    names = sorted({str(one.get("layer") or one["role"]) for one in inputs if not one.get("secrecy")})
    if names:
        yield Finding("public.not_stated", {"layers": ", ".join(names)})


def _telling(sensitive: set[str]) -> Iterator[Finding]:
    """Say that lines of zones follow sensitive sources, if coarsely: others judge what may be shown."""
    if sensitive:
        yield Finding("public.zones_tell", {"degrees": grid(), **_role_names(sorted(sensitive))})


def _left_out(layer: Layer, hidden: Sequence[str]) -> Finding:
    titles = {"title_zh": layer.title_zh, "title_en": layer.title_en}
    return Finding("public.left_out", {"layer": layer.name, **titles, **_role_names(hidden)})


def _role_names(ids: Sequence[str]) -> dict[str, str]:
    names = {lang: [rule_words.role_name(role, lang) for role in ids] for lang in ("zh", "en")}
    return {"roles_zh": "、".join(names["zh"]), "roles_en": ", ".join(names["en"])}


def _is_apart(name: str, sheet: Sheet) -> bool:
    return sheet.geometry is not None and name not in (ZONES, DISTRICTS)


def _shown(sheet: Sheet, fields: Sequence[str] | None) -> Sheet:
    """Return a sheet with its public fields only, those of `fields` where listed; an open one is closed."""
    kept = [
        field for field in sheet.layer.fields if field.public and (fields is None or field.name in fields)
    ]
    mark = policy()
    titles = {"title_zh": f"{sheet.layer.title_zh}（{mark['edition']}）"}
    titles["title_en"] = f"{sheet.layer.title_en} ({mark['edition_en']})"
    layer = replace(sheet.layer, fields=tuple(kept), open=False, **titles)
    return Sheet(layer, {field.name: sheet.columns[field.name] for field in kept}, sheet.geometry)


def _meta(layer: Layer, meta: Mapping[str, str]) -> Sheet:
    kept = {item: meta[item] for item in policy()["meta"] if item in meta}
    kept |= {"edition": policy()["edition"], "precision_degrees": str(grid())}
    return Sheet.of(layer, [{"ITEM": item, "XH": 1, "VALUE": value} for item, value in kept.items()])


def _used_codes(sheets: Mapping[str, Sheet]) -> Sheet:
    """Return the rows of the code table whose code set a field of the edition has."""
    used = {field.domain for sheet in sheets.values() for field in sheet.layer.fields if field.domain}
    table = sheets["DMB"]
    return table.only(np.array([name in used for name in table.columns["ZDMC"].tolist()], bool))


# --- coarser lines ---------------------------------------------------------------------------------


def grid() -> float:
    """Return the size of the coarse grid in degrees."""
    return 10.0 ** -policy()["decimals"]


def _coarse(zones: Sheet, layer: Layer, districts: Sheet | None) -> dict[str, Sheet]:
    """Return the zones dissolved by district and zone on the coarse grid, and the districts they make up."""
    keys = list(zip(zones.columns["XZQDM"].tolist(), zones.columns["FQDM"].tolist()))
    groups = sorted(set(keys))
    number = {key: i for i, key in enumerate(groups)}
    of = np.fromiter((number[key] for key in keys), np.int64, len(keys))
    faces, owner = coarse_faces(_dissolved(zones.geometry, of, len(groups)), grid())
    drawn = _dissolved(faces, owner, len(groups))
    kept = np.flatnonzero(~shapely.is_empty(drawn))
    _refuse_invalid(drawn[kept])
    rows = [_row(zones, np.flatnonzero(of == i), serial) for serial, i in enumerate(kept.tolist(), 1)]
    made = {ZONES: Sheet.of(layer, rows, drawn[kept])}
    if districts is not None:
        codes = np.array([code for code, _ in groups], object)[owner]
        made[DISTRICTS] = _districts(districts, faces, codes)
    return made


def _too_small(zones: Sheet, shown: Sheet) -> Iterator[Finding]:
    """Say how much is in zones of districts that the coarse grid has no room for."""
    lost = sum(_centi(zones)) - sum(_centi(shown))
    if lost:
        yield Finding("public.too_small", {"area": f"{lost / 100:.2f}"})


def _centi(sheet: Sheet) -> list[int]:
    return np.rint(sheet.columns["TBMJ"] * 100).astype(np.int64).tolist()


def _row(zones: Sheet, rows: NDArray[np.int64], serial: int) -> dict[str, Any]:
    """Return the attributes of a dissolved zone: those all its pieces share, and its area."""
    told: dict[str, Any] = {}
    for name, values in zones.columns.items():
        distinct = set(values[rows].tolist()) if values.dtype == object else set()
        told[name] = distinct.pop() if len(distinct) == 1 else None
    centi = int(np.rint(zones.columns["TBMJ"][rows] * 100).astype(np.int64).sum())
    district = str(told["XZQDM"] or "")[:6]
    # Numbers of its own: those of the full edition go on in the other layers.
    return {**told, "BSM": f"{district}{_OWN}{serial:08d}", "TBMJ": centi / 100}


def _districts(districts: Sheet, faces: NDArray[Any], codes: NDArray[Any]) -> Sheet:
    """Return the districts, each the faces of its zones; one that has none at this scale is left out."""
    names = districts.columns["XZQDM"].tolist()
    of = np.array([names.index(code) if code in names else -1 for code in codes.tolist()], np.int64)
    drawn = _dissolved(faces[of >= 0], of[of >= 0], len(names))
    kept = ~shapely.is_empty(drawn)
    _refuse_invalid(drawn[kept])
    return Sheet(
        districts.layer, {name: values[kept] for name, values in districts.columns.items()}, drawn[kept]
    )


def coarse_faces(areas: NDArray[Any], size: float) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """Return the areas of a coverage on a grid of `size`: (faces, number of the area each belongs to).

    All boundaries are rounded and noded together (snap rounding), so that faces are valid, do not
    overlap and leave no gap between each other; what is thinner than the grid is gone.
    """
    lines = shapely.get_parts(shapely.boundary(areas))
    decimals = round(-np.log10(size))
    lines = shapely.transform(lines, lambda points: np.round(points, decimals))
    lines = shapely.remove_repeated_points(lines)
    noded = shapely.union_all(lines[shapely.length(lines) > 0], grid_size=size)
    faces = shapely.get_parts(shapely.polygonize(shapely.get_parts(noded)))
    owner = _owners(faces, areas)
    return faces[owner >= 0], owner[owner >= 0]


def _owners(faces: NDArray[Any], areas: NDArray[Any]) -> NDArray[np.int64]:
    """Return the area that holds the inner point of each face, -1 where none does."""
    owner = np.full(len(faces), -1, np.int64)
    tree = shapely.STRtree(areas)
    asked, found = tree.query(shapely.point_on_surface(faces), predicate="intersects")
    # The last one written wins, so the lowest number is written last.
    order = np.argsort(-found, kind="stable")
    owner[asked[order]] = found[order]
    return owner


def _dissolved(polygons: NDArray[Any], of: NDArray[np.int64], count: int) -> NDArray[Any]:
    """Return for each of `count` groups the union of its polygons, empty where it has none."""
    made = np.full(count, shapely.Polygon(), object)
    order = np.argsort(of, kind="stable")
    for rows in np.split(order, np.flatnonzero(np.diff(of[order])) + 1) if len(order) else ():
        made[of[rows[0]]] = _polygonal(shapely.coverage_union_all(polygons[rows]))
    return made


def _polygonal(one: Any) -> Any:
    """Return the polygons of a geometry: a collection of one is that one."""
    parts = [part for part in shapely.get_parts(one) if part.geom_type == "Polygon"]
    return parts[0] if len(parts) == 1 else shapely.MultiPolygon(parts)


def _rounded(sheet: Sheet) -> Sheet:
    """Return a layer whose polygons do not share lines with others, each on the coarse grid by itself."""
    drawn = shapely.set_precision(sheet.geometry, grid(), mode="valid_output")
    kept = ~shapely.is_empty(drawn)
    drawn = np.array([_polygonal(one) for one in drawn[kept].tolist()], object)
    return Sheet(sheet.layer, {name: values[kept] for name, values in sheet.columns.items()}, drawn)


def _refuse_invalid(polygons: NDArray[Any]) -> None:
    for one in polygons[~shapely.is_valid(polygons)][:1]:
        raise SwcError("public.not_valid", reason=shapely.is_valid_reason(one))


# --- proof -----------------------------------------------------------------------------------------


def secrets(inputs: Iterable[Mapping[str, Any]]) -> set[str]:
    """Return what can be known by its text alone: hashes of all inputs, approvals of sensitive ones."""
    inputs = list(inputs)
    hidden = [one for one in inputs if not is_public(str(one.get("secrecy") or ""))]
    approvals = {str(one.get("approval_no") or "") for one in hidden}
    shown = {str(one.get("approval_no") or "") for one in inputs if one not in hidden}
    found = {str(one.get("sha256") or "") for one in inputs} | (approvals - shown)
    return {text for text in found if len(text) > _TOO_SHORT_TO_TELL}


def prove(folder: Path, words: Iterable[str]) -> None:
    """Search the bytes of every file below `folder` for `words`. Raises SwcError ``public.leaks``.

    Workbooks are searched by their content; text in a data set is UTF-8, UTF-16 or GBK.
    """
    sought = {word: _forms(word) for word in words if word}
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            for block in _blocks(path):
                for word, forms in sought.items():
                    if any(form in block for form in forms):
                        raise SwcError("public.leaks", file=path.name, word=word[:12])


def _forms(word: str) -> tuple[bytes, ...]:
    return tuple(word.encode(encoding, errors="ignore") for encoding in ("utf-8", "utf-16-le", "gbk"))


def _blocks(path: Path) -> Iterator[bytes]:
    if path.suffix == ".xlsx":
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                # Characters beyond ASCII are references there.
                yield html.unescape(archive.read(name).decode("utf-8", errors="replace")).encode("utf-8")
        return
    with path.open("rb") as stream:
        before = b""
        while block := stream.read(_BLOCK):
            yield before + block
            before = block[-1024:]
