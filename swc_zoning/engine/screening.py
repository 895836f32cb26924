# SPDX-License-Identifier: GPL-2.0-or-later
"""What a result says of projects: zones crossed, measures, articles, grade, conflicts, siting.

Projects are laid over the pieces by the engine of the partition; the official area of a project is
shared out among its parts (largest remainder), so that the zones of a project sum to it to 0.01 m2.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from swc_zoning.engine import (
    areas,
    comparison,
    derived,
    formats,
    intake,
    job,
    partition,
    siting,
    styles,
    written,
)
from swc_zoning.engine.grid import Ints
from swc_zoning.engine.layers import Layer, whole
from swc_zoning.engine.messages import Blocked, Finding, SwcError
from swc_zoning.engine.progress import Progress
from swc_zoning.engine.rules import RuleTable
from swc_zoning.engine.written import Written

NAME = "screening"
SCHEMA = 1
#: A free role: it decides nothing.
_ROLE = "screened_project"
_READ = (
    *("district_code", "district_name", "zone", "status", "measures", "basis", "grade", "conflicts"),
    *("rules", "combo"),
)


@dataclass(frozen=True)
class Source:
    """The layer of projects: file, layer, fields. `kind`: one for all; `kind_field`: of each feature."""

    path: str
    layer: str | None = None
    id_field: str | None = None
    name_field: str | None = None
    kind: str = siting.PROJECT
    kind_field: str | None = None


@dataclass(frozen=True)
class Projects:
    """Projects (n): id, name, kind, polygon in the CRS of the result; and what reading them told."""

    id: list[str]
    name: list[str]
    kind: list[str]
    geometry: NDArray[Any]
    findings: list[Finding]

    def __len__(self) -> int:
        return len(self.id)


@dataclass(frozen=True)
class Crossing:
    """The part of a project in pieces alike: `row` is one of those pieces, -1 outside the zoning."""

    project: int
    row: int
    centi: int
    polygon: Any


@dataclass(frozen=True)
class Screening:
    """What a result says of projects; `crossings` by project, the largest part first."""

    result: Written
    table: RuleTable
    projects: Projects
    crossings: list[Crossing]
    with_bans: bool


def screen(
    folder: Path,
    source: Source,
    given: Path | None = None,
    with_bans: bool = True,
    progress: Progress | None = None,
) -> Screening:
    """Hold the projects of `source` against the result in `folder`.

    `given`: where the decision table of the result may be found; `with_bans`: whether the ground where
    spoil and borrow sites are banned will be drawn too. Raises SwcError ``screening.no_table`` where
    that table is not to be had, Blocked where a layer has no polygons, and what `written.read` raises.
    """
    progress = progress or Progress()
    with progress.step("reading", 0.25):
        result = written.read(folder, _READ)
        table = written.table_of(folder, result.summary, given)
        if table is None:
            raise SwcError("screening.no_table", profile=result.summary["rules"]["profile"])
        projects = read_projects(source, result.summary["crs"])
    crossings = _cross(result, projects, progress)
    return Screening(result, table, projects, crossings, with_bans)


# --- the projects ----------------------------------------------------------------------------------


def read_projects(source: Source, crs: str) -> Projects:
    """Return the projects of a layer in `crs`, mended on a copy as any input layer is.

    Raises Blocked where the layer holds lines or points, or cannot be placed.
    """
    parts = _by_kind(source)
    layer = {"role": _ROLE, "source": str(Path(source.path).resolve())}
    named = {"layer": source.layer, "id_field": source.id_field, "name_field": source.name_field}
    layer.update({key: value for key, value in named.items() if value})
    entries = [{**layer, **({"filter": where} if where else {})} for _, where in parts]
    taken = intake.read(job.load({"schema": 1, "crs": crs, "layers": entries}), Progress())
    if not len(taken.features.geometry):
        raise Blocked([*taken.findings, Finding("screening.nothing")])
    features = taken.features
    unknown = [Finding("screening.kind_unknown", {"words": _unknown_words(source)})]
    kinds = [parts[layer - taken.layers[0].index][0] for layer in features.layer.tolist()]
    findings = [one for one in taken.findings if one.code.partition(".")[0] not in ("versions", "roles")]
    findings += unknown if unknown[0].facts["words"] else []
    return Projects(features.source_id, features.name, kinds, features.geometry, findings)


def _words(source: Source) -> list[str | None]:
    table = formats.read_vector(source.path, source.layer, columns=[source.kind_field], geometry=False)
    if source.kind_field not in table.columns:
        raise SwcError("screening.no_field", field=source.kind_field)
    values = table.columns[source.kind_field].tolist()
    return sorted({None if value is None else str(value) for value in values}, key=lambda word: word or "")


def _by_kind(source: Source) -> list[tuple[str, str]]:
    """Return (kind, filter) for each kind there is, so that every feature is read once."""
    if not source.kind_field:
        kind = siting.kind_of(source.kind)
        if kind is None:
            raise SwcError("screening.kind", word=source.kind, known=", ".join(siting.kinds()))
        return [(kind, "")]
    by_kind: dict[str, list[str]] = {}
    column = _quoted(source.kind_field, '"')
    for word in _words(source):
        condition = f"{column} IS NULL" if word is None else f"{column} = {_quoted(word, chr(39))}"
        by_kind.setdefault(siting.kind_of(word) or siting.PROJECT, []).append(condition)
    return [(kind, " OR ".join(conditions)) for kind, conditions in sorted(by_kind.items())]


def _quoted(text: str, mark: str) -> str:
    return mark + text.replace(mark, mark * 2) + mark


def _unknown_words(source: Source) -> str:
    if not source.kind_field:
        return ""
    return ", ".join(word for word in _words(source) if word and siting.kind_of(word) is None)


# --- the overlay -----------------------------------------------------------------------------------


def _cross(result: Written, projects: Projects, progress: Progress) -> list[Crossing]:
    near = result.near(shapely.bounds(projects.geometry))
    geometry = np.concatenate([projects.geometry, result.polygons(near)])
    model = areas.area_model(result.summary["crs"])
    built = partition.build(geometry, progress=progress, model=model)
    count = len(projects)
    piece = np.full(len(built), -1, np.int64)
    of_piece = built.labels.feature >= count
    piece[built.labels.face[of_piece]] = near[built.labels.feature[of_piece] - count]
    face, project = built.labels.face[~of_piece], built.labels.feature[~of_piece].astype(np.int64)
    ellipsoidal = np.maximum(built.ellipsoidal_m2[face], 0.0)
    whole_centi = np.rint(np.bincount(project, ellipsoidal, count) * 100).astype(np.int64)
    centi = comparison.share_out(whole_centi, project, ellipsoidal)
    return list(_grouped(result, built, project, face, piece[face], centi))


def _grouped(
    result: Written, built: partition.Partition, project: Ints, face: Ints, piece: Ints, centi: Ints
) -> Iterator[Crossing]:
    """Yield the parts of each project that are decided alike, in one district."""
    alike = _alike(result)
    key = np.where(piece >= 0, alike[piece], -1)
    order = np.lexsort((face, key, project))
    same = (np.diff(project[order]) == 0) & (np.diff(key[order]) == 0)
    starts = np.flatnonzero(np.append(True, ~same)) if len(order) else order
    found = []
    for members in np.split(order, starts[1:]):
        polygon = _united(built.polygons(face[members]))
        first = int(members[0])
        found.append(Crossing(int(project[first]), int(piece[first]), int(centi[members].sum()), polygon))
    yield from sorted(found, key=lambda one: (one.project, -one.centi, one.row))


def _alike(result: Written) -> Ints:
    """Return a number for each piece, equal where pieces differ in nothing but their place."""
    columns = [result.columns[name].astype(str) for name in _READ]
    rows: dict[tuple[str, ...], int] = {}
    return np.array([rows.setdefault(row, len(rows)) for row in zip(*columns)], np.int64)


def _united(polygons: NDArray[Any]) -> Any:
    """Return polygons of a partition as one multipolygon; borders between them go, nothing moves."""
    merged = shapely.coverage_union_all(polygons)
    return shapely.multipolygons(shapely.get_parts(merged))


# --- what is said of a project ---------------------------------------------------------------------


def document(made: Screening) -> dict[str, Any]:
    """Return ``screening.json``: areas in m2, two decimals; texts in both languages."""
    summary = made.result.summary
    return {
        "schema": SCHEMA,
        "result": {
            name: summary[name] for name in ("title", "mark", "plan_date", "rules") if name in summary
        },
        "crs": summary["crs"],
        "missing_roles": summary["missing_roles"],
        "projects": [_project(made, number) for number in range(len(made.projects))],
    }


def _project(made: Screening, number: int) -> dict[str, Any]:
    crossings = [one for one in made.crossings if one.project == number]
    inside = [one for one in crossings if one.row >= 0]
    total = sum(one.centi for one in crossings)
    by_measure = _summed(made, inside, "measures")
    advice = siting.advice(made.table, made.projects.kind[number], by_measure)
    kind = siting.kinds()[made.projects.kind[number]]
    grades = [int(made.result.columns["grade"][one.row]) for one in inside]
    outside = total - sum(one.centi for one in inside)
    pending = sum(one.centi for one in inside if made.result.columns["status"][one.row] == "pending")
    return {
        "id": made.projects.id[number],
        "name": made.projects.name[number],
        "kind": kind["id"],
        **{f"kind_{lang}": kind[f"name_{lang}"] for lang in ("zh", "en")},
        "area_m2": total / 100,
        "outside_m2": outside / 100,
        "pending_m2": pending / 100,
        "siting": advice[0]["siting"],
        "advice": advice,
        "grade": min(grades, default=None),
        "grade_basis": list(made.table.basis(made.table.document["grade"])) if grades else [],
        "zones": _zones(made, inside, total),
        "measures": [_measure(made, id_, centi) for id_, centi in sorted(by_measure.items())],
        "conflicts": [
            _conflict(made, id_, centi) for id_, centi in _summed(made, inside, "conflicts").items()
        ],
        "articles": _articles(made, inside, by_measure),
    }


def _split(value: Any) -> list[str]:
    return [part for part in str(value or "").split(";") if part]


def _summed(made: Screening, crossings: Iterable[Crossing], column: str) -> dict[str, int]:
    """Return 0.01 m2 by the entries of a column of lists."""
    sums: dict[str, int] = {}
    for one in crossings:
        for entry in _split(made.result.columns[column][one.row]):
            sums[entry] = sums.get(entry, 0) + one.centi
    return dict(sorted(sums.items()))


def _zones(made: Screening, inside: Sequence[Crossing], total: int) -> list[dict[str, Any]]:
    """Return the zones a project crosses, the strictest first, with the grade that holds there."""
    columns = made.result.columns
    sums: dict[tuple[str, str, int], int] = {}
    for one in inside:
        key = (columns["zone"][one.row], columns["status"][one.row], int(columns["grade"][one.row]))
        sums[key] = sums.get(key, 0) + one.centi
    order = list(made.table.zones)
    return [
        {
            "zone": zone,
            **{name: made.table.zones[zone][name] for name in ("name_zh", "name_en")},
            "status": status,
            "grade": grade,
            "area_m2": sums[zone, status, grade] / 100,
            "share": sums[zone, status, grade] / total if total else 0.0,
        }
        for zone, status, grade in sorted(sums, key=lambda key: (order.index(key[0]), *key[1:]))
    ]


def _measure(made: Screening, id_: str, centi: int) -> dict[str, Any]:
    row = made.table.measures[id_]
    return {
        "id": id_,
        "kind": row["kind"],
        "department_zh": row["department"],
        "department_en": row.get("department_en") or row["department"],
        "text_zh": row["text_zh"],
        "text_en": row["text_en"],
        "basis": list(made.table.basis(row)),
        "force": row.get("force", "statutory"),
        "status": row.get("status", ""),
        "siting": row.get("siting", siting.FREE),
        "area_m2": centi / 100,
    }


def _conflict(made: Screening, id_: str, centi: int) -> dict[str, Any]:
    row = made.table.conflicts[id_]
    return {
        "id": id_,
        **{name: row[name] for name in ("severity", "name_zh", "name_en")},
        "settling_rule_zh": row["settling_rule"],
        "settling_rule_en": row.get("settling_rule_en") or row["settling_rule"],
        "area_m2": centi / 100,
    }


def _articles(made: Screening, inside: Iterable[Crossing], measures: Iterable[str]) -> list[str]:
    found = {text for one in inside for text in _split(made.result.columns["basis"][one.row])}
    return sorted(found | set(siting.articles(made.table, measures)))


# --- files -----------------------------------------------------------------------------------------


def write(made: Screening, output: Path, lang: str = "zh") -> dict[str, Path]:
    """Write ``screening.gpkg`` (crossings, projects, banned), ``.json`` and ``.csv`` into a folder.

    Returns the files by kind. Raises what `derived.write` raises.
    """
    told = document(made)
    layers = [_crossings(made, lang), _projects(made, told, lang)]
    layers += [banned(made.result, made.table, lang)] if made.with_bans else []
    return derived.write(output, NAME, layers, made.result.summary["crs"], told, _csv_rows(told, lang))


def _texts(values: Iterable[Any]) -> NDArray[Any]:
    values = list(values)
    column = np.empty(len(values), object)
    column[:] = values
    return column


def _crossings(made: Screening, lang: str) -> Layer:
    names = {code: row[f"name_{lang}"] for code, row in made.table.zones.items()}
    columns = made.result.columns
    rows = np.array([one.row for one in made.crossings], np.int64)
    project = [one.project for one in made.crossings]
    centi = np.array([one.centi for one in made.crossings], np.int64)
    total = np.bincount(project, centi, len(made.projects))[project]

    def of(name: str) -> NDArray[Any]:
        return np.append(columns[name].astype(object), None)[rows]

    told: dict[str, Any] = {
        "project_id": _texts(made.projects.id[number] for number in project),
        "project_name": _texts(made.projects.name[number] for number in project),
        "kind": _texts(made.projects.kind[number] for number in project),
        "zone": of("zone"),
        "zone_name": _texts(names.get(code) for code in of("zone")),
        **{name: of(name) for name in ("status", "district_code", "district_name", "combo", "rules")},
        **{name: of(name) for name in ("measures", "basis", "conflicts")},
        "grade": np.array([np.nan if row < 0 else columns["grade"][row] for row in rows.tolist()], float),
        "outside": (rows < 0).astype(np.int32),
        "area_m2": centi / 100,
        "area_ha": centi / 1_000_000,
        "share": centi / np.maximum(total, 1),
    }
    wkb = shapely.to_wkb(_texts(one.polygon for one in made.crossings))
    return whole("crossings", "MultiPolygon", wkb, told, styles.zones_qml(made.result.zone_names(lang)))


def _projects(made: Screening, told: Mapping[str, Any], lang: str) -> Layer:
    rows = told["projects"]
    columns: dict[str, Any] = {
        "project_id": _texts(row["id"] for row in rows),
        "project_name": _texts(row["name"] for row in rows),
        "kind": _texts(row["kind"] for row in rows),
        "kind_name": _texts(row[f"kind_{lang}"] for row in rows),
        "siting": _texts(row["siting"] for row in rows),
        "siting_name": _texts(row["advice"][0][f"name_{lang}"] for row in rows),
        "advice": _texts("\n".join(one[f"text_{lang}"] for one in row["advice"]) for row in rows),
        "zones": _texts(";".join(dict.fromkeys(zone["zone"] for zone in row["zones"])) for row in rows),
        "measures": _texts(";".join(one["id"] for one in row["measures"]) for row in rows),
        "articles": _texts(";".join(row["articles"]) for row in rows),
        "conflicts": _texts(";".join(one["id"] for one in row["conflicts"]) for row in rows),
        "grade": np.array([np.nan if row["grade"] is None else row["grade"] for row in rows], float),
        **{
            name: np.array([row[name] for row in rows], float)
            for name in ("area_m2", "outside_m2", "pending_m2")
        },
    }
    shapes = [shapely.multipolygons(shapely.get_parts(one)) for one in made.projects.geometry]
    return whole(
        "projects", "MultiPolygon", shapely.to_wkb(_texts(shapes)), columns, styles.projects_qml(lang)
    )


def banned(result: Written, table: RuleTable, lang: str) -> Layer:
    """Return the ground where spoil and borrow sites are banned, by kind and by the measures that ban."""
    texts, number = np.unique(result.columns["measures"].astype(str), return_inverse=True)
    rows: list[dict[str, Any]] = []
    shapes = []
    for kind, names in siting.words()["bans"].items():
        bans = [siting.banning(table, kind, _split(text)) for text in texts.tolist()]
        for measures in sorted({tuple(sorted(ban)) for ban in bans if ban}):
            alike = [place for place, ban in enumerate(bans) if tuple(sorted(ban)) == measures]
            pieces = np.flatnonzero(np.isin(number, alike))
            shapes.append(_united(result.polygons(pieces)))
            rows.append(_banned_row(result, table, kind, names[f"name_{lang}"], measures, pieces))
    columns: dict[str, Any] = {name: _texts(row[name] for row in rows) for name in _BANNED_TEXTS}
    columns["pieces"] = np.array([row["pieces"] for row in rows], np.int64)
    columns["area_m2"] = np.array([row["centi"] for row in rows], float) / 100
    columns["area_ha"] = np.array([row["centi"] for row in rows], float) / 1_000_000
    wkb = shapely.to_wkb(_texts(shapes)) if shapes else np.empty(0, object)
    return whole("banned", "MultiPolygon", wkb, columns, styles.banned_qml(lang))


_BANNED_TEXTS = ("kind", "kind_name", "measures", "basis", "status")


def _banned_row(
    result: Written, table: RuleTable, kind: str, name: str, measures: Sequence[str], pieces: Ints
) -> dict[str, Any]:
    statuses = siting.banning(table, kind, measures).values()
    return {
        "kind": kind,
        "kind_name": name,
        "measures": ";".join(measures),
        "basis": ";".join(siting.articles(table, measures)),
        # One measure whose text names such sites is enough.
        "status": "verified" if "verified" in statuses else "proposed",
        "pieces": len(pieces),
        "centi": int(result.area_centi[pieces].sum()),
    }


def _csv_rows(told: Mapping[str, Any], lang: str) -> Iterator[list[Any]]:
    yield [
        *("project_id", "project_name", "kind", "siting", "grade", "zone", "zone_name", "status"),
        *("zone_grade", "area_ha", "share_percent", "measures", "articles", "conflicts"),
    ]
    for row in told["projects"]:
        head = [row["id"], row["name"], row[f"kind_{lang}"], row["advice"][0][f"name_{lang}"], row["grade"]]
        tail = [
            ";".join(one["id"] for one in row["measures"]),
            ";".join(row["articles"]),
            ";".join(one["id"] for one in row["conflicts"]),
        ]
        for zone in row["zones"]:
            share = f"{100 * zone['share']:.4f}"
            area = comparison.hectares(zone["area_m2"])
            yield [
                *head,
                zone["zone"],
                zone[f"name_{lang}"],
                zone["status"],
                zone["grade"],
                area,
                share,
                *tail,
            ]
        if row["outside_m2"]:
            share = f"{100 * row['outside_m2'] / row['area_m2']:.4f}"
            yield [
                *head,
                comparison.OUTSIDE,
                "",
                "",
                "",
                comparison.hectares(row["outside_m2"]),
                share,
                *tail,
            ]
