# SPDX-License-Identifier: GPL-2.0-or-later
"""Bad geometry, case by case of the bad-input catalogue (B01-B27), through a whole run.

What holds for every case: nothing crashes, inputs stay as they are byte for byte, what did not go in
is named with its layer and feature in both languages, and the pieces are proved by the run itself.
B18, B19 and B25-B27 are also proved on the bare partition, in `test_partition`.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
import struct
from contextlib import closing

import numpy as np
import pytest
import shapely
from pyogrio import raw
from shapely import MultiPolygon, Polygon, affinity

from swc_zoning.engine import formats, intake
from swc_zoning.engine import run as runs
from swc_zoning.engine.job import Extent, Job, LayerInput, Options
from swc_zoning.engine.messages import Blocked

EAST, NORTH = 600_000.0, 3_450_000.0


def box(x=0.0, y=0.0, width=10.0, height=None):
    east, north = EAST + x, NORTH + y
    return shapely.box(east, north, east + width, north + (width if height is None else height))


def ring(*points):
    return Polygon([(EAST + x, NORTH + y) for x, y in points])


def wkb(kind, *body):
    return struct.pack("<BI", 1, kind) + b"".join(body)


def chain(points, dimensions=2):
    flat = [value for x, y in points for value in (EAST + x, NORTH + y, 7.0, 9.0)[:dimensions]]
    return struct.pack("<I", len(points)) + struct.pack(f"<{len(flat)}d", *flat)


def write(path, geometry, names=None):
    """Write geometry (shapely, WKB or None) as features "甲0", "甲1" ... of a GeoPackage."""
    values = np.empty(len(geometry), dtype=object)
    values[:] = [g if g is None or isinstance(g, bytes) else shapely.to_wkb(g) for g in geometry]
    ids = np.array(names or [f"甲{number}" for number in range(len(geometry))], object)
    fields = np.array(["BSM"], object)
    options = {"geometry_type": "Unknown", "crs": "EPSG:4549", "driver": "GPKG"}
    raw.write(str(path), geometry=values, field_data=[ids], fields=fields, **options)
    return path


def job(*paths, extent=None, **options):
    layers = tuple(LayerInput("parcels", str(path), id_field="BSM") for path in paths)
    frame = Extent(str(extent)) if extent else None
    return Job("", frame, "EPSG:4549", None, None, layers, Options(**options))


def state(folder):
    return {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in folder.iterdir() if p.is_file()}


def intake_codes(findings):
    return sorted(finding.code for finding in findings if finding.code.startswith("intake."))


# --- features that are repaired, taken as they are, or left out -------------------------------------

SQUARE = [(0, 0), (10, 0), (10, 10), (0, 10), (0, 0)]
TIE = ring((0, 0), (10, 10), (10, 0), (0, 10))
HOLE_OUTSIDE = Polygon(box().exterior, [box(20, 0, 2).exterior])
NESTED = MultiPolygon([box(), box(2, 2, 3)])
SHELL_TWICE = Polygon(box().exterior, [box().exterior])
HOLE_TWICE = Polygon(box().exterior, [box(2, 2, 3).exterior] * 2)
FLAT = ring((0, 0), (5, 5), (10, 10), (0, 0))
SPIKE = ring((0, 0), (10, 0), (10, 5), (20, 5 + 1e-8), (10, 5 + 1e-8), (10, 10), (0, 10))
SPIKE_FLAT = ring((0, 0), (10, 0), (10, 5), (20, 5), (10, 5), (10, 10), (0, 10))
UNCLOSED = wkb(3, struct.pack("<I", 1), chain(SQUARE[:4]))
REPEATED = ring(*[(0, 0)] * 100_000, (10, 0), (10, 10), (0, 10))
HEIGHT, MEASURE, BOTH = (
    wkb(kind, struct.pack("<I", 1), chain(SQUARE, width)) for kind, width in ((1003, 3), (2003, 3), (3003, 4))
)
TRIANGLES = [wkb(17, struct.pack("<I", 1), chain([a, b, c, a])) for a, b, c in (SQUARE[:3], SQUARE[2:])]
SURFACE = wkb(15, struct.pack("<I", 1), wkb(3, struct.pack("<I", 1), chain(SQUARE)))
TIN = wkb(16, struct.pack("<I", 2), *TRIANGLES)
POINT = shapely.Point(EAST, NORTH)
LINE = shapely.LineString([(EAST, NORTH), (EAST + 9, NORTH)])
MIXED = shapely.GeometryCollection([POINT, shapely.GeometryCollection([box(), LINE])])


def far(value):
    return Polygon([(EAST, NORTH), (value, NORTH), (EAST + 10, NORTH + 10)])


CASES = {
    "B01 bow-tie": (TIE, ["intake.repaired"], 50.0),
    "B02 hole outside its shell": (HOLE_OUTSIDE, ["intake.repaired"], 104.0),
    "B03 shell in a shell": (NESTED, ["intake.repaired"], 100.0),
    "B03 hole that is its shell": (SHELL_TWICE, ["intake.repaired"], 100.0),
    "B03 hole given twice": (HOLE_TWICE, ["intake.repaired"], 91.0),
    "B04 ring not closed": (UNCLOSED, ["intake.geometry_unreadable"], 0.0),
    "B05 collinear": (FLAT, ["intake.no_area"], 0.0),
    "B06 spike of 1e-8 m": (SPIKE, [], 100.0),
    "B06 spike without width": (SPIKE_FLAT, ["intake.repaired"], 100.0),
    "B07 vertex a hundred thousand times": (REPEATED, [], 100.0),
    "B08 NULL": (None, ["intake.geometry_null"], 0.0),
    "B09 empty": (Polygon(), ["intake.geometry_empty"], 0.0),
    "B10 NaN": (far(np.nan), ["intake.coordinates_absurd"], 0.0),
    "B10 infinite": (far(np.inf), ["intake.coordinates_absurd"], 0.0),
    "B11 1e30": (far(1e30), ["intake.coordinates_absurd"], 0.0),
    "B12 Z": (HEIGHT, ["intake.dimensions_dropped"], 100.0),
    "B12 M": (MEASURE, ["intake.dimensions_dropped"], 100.0),
    "B12 ZM": (BOTH, ["intake.dimensions_dropped"], 100.0),
    "B14 collection": (MIXED, ["intake.collection_rest"], 100.0),
    "B14 point among polygons": (POINT, ["intake.not_polygon"], 0.0),
    "B14 line among polygons": (LINE, ["intake.not_polygon"], 0.0),
    "B16 TIN": (TIN, ["intake.surface_unsupported"], 0.0),
    "B16 polyhedral surface": (SURFACE, ["intake.surface_unsupported"], 0.0),
}
LEFT_OUT = [name for name, (_, _, area) in CASES.items() if area == 0]
REPAIRED = [name for name, (_, codes, _) in CASES.items() if codes == ["intake.repaired"]]
pytestmark = pytest.mark.filterwarnings("ignore:Registering non-standard", "ignore:invalid value")


@pytest.fixture
def with_neighbour(tmp_path):
    """Return a writer of a layer of the bad feature 甲0 and a sound one of 400 m2, 甲1."""
    return lambda name: write(tmp_path / "层.gpkg", [CASES[name][0], box(100, 100, 20)])


@pytest.mark.parametrize("name", CASES)
def test_a_bad_feature_is_repaired_or_left_out_and_told(with_neighbour, tmp_path, name):
    path = with_neighbour(name)
    before = state(tmp_path)
    zoning = runs.run(job(path))
    _, codes, area = CASES[name]
    assert intake_codes(zoning.findings) == codes
    assert zoning.summary["total"]["plane_m2"] == pytest.approx(400 + area, abs=1e-3)
    assert state(tmp_path) == before
    for finding in (f for f in zoning.findings if f.code.startswith("intake.")):
        assert all("层" in finding.sentence(lang) for lang in ("zh", "en"))


@pytest.mark.parametrize("name", LEFT_OUT)
def test_what_a_draft_leaves_out_is_named_and_blocks_a_submission(with_neighbour, name):
    path = with_neighbour(name)
    [told] = [f for f in runs.run(job(path)).findings if f.code == CASES[name][1][0]]
    assert told.facts["feature"] == "甲0"
    assert "甲0" in told.sentence("zh")
    with pytest.raises(Blocked) as caught:
        runs.run(job(path, mode="submission"))
    assert "intake.left_out_submission" in intake_codes(caught.value.findings)


@pytest.mark.parametrize("name", REPAIRED)
def test_a_repair_is_told_with_feature_place_and_areas(with_neighbour, name):
    [repair] = intake.read(job(with_neighbour(name)), runs.Progress()).repairs
    assert repair.source_id == "甲0"
    assert repair.reason
    assert EAST <= repair.place[0] <= EAST + 22
    assert NORTH <= repair.place[1] <= NORTH + 10
    assert repair.area_after_m2 == CASES[name][2]
    if name != "B06 spike without width":
        assert repair.area_before_m2 != repair.area_after_m2


@pytest.mark.parametrize("keep", [0, 5, 40, -8], ids="B04 {} bytes".format)
def test_bytes_that_break_off_are_left_out_by_name(tmp_path, keep):
    path = write(tmp_path / "层.gpkg", [box(), box(100)])
    cut = f"UPDATE 层 SET geom = substr(geom, 1, {40 + keep if keep >= 0 else 'length(geom) - 8'})"
    with closing(sqlite3.connect(path)) as database, database:
        for (trigger,) in database.execute(
            "SELECT name FROM sqlite_master WHERE type = 'trigger'"
        ).fetchall():
            database.execute(f'DROP TRIGGER "{trigger}"')
        database.execute(cut + " WHERE BSM = '甲0'")
    zoning = runs.run(job(path))
    [told] = [finding for finding in zoning.findings if finding.facts.get("feature") == "甲0"]
    assert told.code in ("intake.geometry_null", "intake.geometry_unreadable", "intake.geometry_empty")
    assert zoning.summary["total"]["plane_m2"] == pytest.approx(100)


# --- layers of other kinds ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("geometry", "kinds"),
    [
        pytest.param([LINE, LINE], "LineString", id="B15 lines"),
        pytest.param([POINT], "Point", id="B15 points"),
        pytest.param([shapely.MultiPoint([POINT]), LINE], "LineString, MultiPoint", id="B15 both"),
        pytest.param([TIN], "TIN / PolyhedralSurface", id="B16 TIN"),
        pytest.param([SURFACE, LINE], "LineString, TIN / PolyhedralSurface", id="B16 and lines"),
    ],
)
def test_a_layer_without_any_polygon_stops_the_run_once_and_plainly(tmp_path, geometry, kinds):
    path = write(tmp_path / "河流.gpkg", geometry)
    with pytest.raises(Blocked) as caught:
        runs.run(job(path))
    told = [f for f in caught.value.findings if f.code.startswith("intake.")]
    assert [(f.code, f.facts["kinds"]) for f in told] == [("intake.layer_not_polygon", kinds)]
    assert "河流" in told[0].sentence("zh")


def arc(*points):
    return wkb(8, chain(points))


@pytest.mark.skipif(formats.backend() != "arrow", reason="without Arrow the reader straightens")
@pytest.mark.parametrize("kind", ["B13 CurvePolygon", "B13 MultiSurface"])
def test_curves_become_chords_within_a_centimetre_and_neighbours_still_fit(tmp_path, kind):
    """Two halves of a disk of radius 500 m share the straight edge, a third feature the arc."""
    half = [(-500, 0), (0, 500), (500, 0)]
    base = wkb(2, chain([(500, 0), (-500, 0)]))
    upper = wkb(10, struct.pack("<I", 1), wkb(9, struct.pack("<I", 2), arc(*half), base))
    if kind.endswith("MultiSurface"):
        upper = wkb(12, struct.pack("<I", 1), upper)
    around = [(500, 0), (600, 0), (600, 600), (-600, 600), (-600, 0), (-500, 0)]
    outside = wkb(10, struct.pack("<I", 1), wkb(9, struct.pack("<I", 2), arc(*half), wkb(2, chain(around))))
    zoning = runs.run(job(write(tmp_path / "层.gpkg", [upper, outside])))
    areas = sorted(zoning.pieces.plane_m2.tolist())
    assert len(areas) == 2
    assert sum(areas) == pytest.approx(1200 * 600, abs=1e-3)
    # A chord that leaves its arc by a hundredth of a metre cuts off two thirds of that along it.
    assert 0 < np.pi * 500**2 / 2 - areas[1] < np.pi * 500 * 0.01
    assert intake_codes(zoning.findings) == ["intake.curves_straightened"]


# --- sizes -------------------------------------------------------------------------------------------


def shore(vertices, radius=2000.0):
    """A star-shaped polygon with `vertices` vertices on a ragged shore."""
    angle = np.linspace(0, 2 * np.pi, vertices, endpoint=False)
    ragged = radius + 50 * np.sin(40 * angle) + np.random.default_rng(1).random(vertices) * 0.3
    points = np.column_stack([ragged * np.cos(angle), ragged * np.sin(angle)])
    return shapely.polygons(points + np.array([EAST, NORTH]))


def crossed(tmp_path, vertices, halves=1):
    parts = [shore(vertices)]
    if halves == 2:
        west, east = box(-3000, -3000, 3000, 6000), box(0, -3000, 3000, 6000)
        parts = [shapely.intersection(parts[0], side) for side in (west, east)]
    grid = [box(x, y, 1000) for x in range(-3000, 3000, 1000) for y in range(-3000, 3000, 1000)]
    return job(write(tmp_path / "shore.gpkg", parts), write(tmp_path / "grid.gpkg", grid))


def test_b17_one_polygon_of_very_many_vertices_is_one_piece_wherever_tiles_cut_it(tmp_path):
    asked = crossed(tmp_path, 100_000)
    one, many = runs.run(asked), runs.run(asked, per_tile=5_000)
    assert one.summary["content_sha256"] == many.summary["content_sha256"]
    covered = one.pieces.plane_m2[one.pieces.label_piece[one.pieces.label_feature == 0]].sum()
    assert covered == pytest.approx(shore(100_000).area, rel=1e-9)


def test_b17_splitting_a_polygon_beforehand_changes_no_area(tmp_path):
    (tmp_path / "split").mkdir()
    whole = runs.run(crossed(tmp_path, 3_000))
    split = runs.run(crossed(tmp_path / "split", 3_000, halves=2))
    assert split.summary["total"]["plane_m2"] == pytest.approx(whole.summary["total"]["plane_m2"], abs=1e-6)
    assert split.pieces.plane_m2.sum() == pytest.approx(whole.pieces.plane_m2.sum(), abs=1e-6)


def test_b18_ten_thousand_holes_go_through_a_run(tmp_path):
    holes = [box(i, j, 0.5).exterior for i in range(100) for j in range(100)]
    sieve = Polygon(box(-1, -1, 102).exterior, holes)
    zoning = runs.run(job(write(tmp_path / "层.gpkg", [sieve])))
    assert len(zoning.pieces) == 1
    assert zoning.summary["total"]["plane_m2"] == pytest.approx(102**2 - 10_000 / 4, abs=1e-6)
    assert shapely.get_num_interior_rings(zoning.pieces.drawn(np.array([0]))[0]) == 10_000


def test_b19_five_hundred_identical_polygons_are_one_piece_that_names_them_all(tmp_path):
    zoning = runs.run(job(write(tmp_path / "层.gpkg", [box()] * 500)))
    assert len(zoning.pieces) == 1
    assert len(zoning.pieces.label_feature) == 500
    assert zoning.summary["total"]["plane_m2"] == pytest.approx(100)
    [told] = [f for f in zoning.findings if f.code == "intake.duplicate_geometry"]
    assert told.facts["count"] == 500


# --- features against each other ---------------------------------------------------------------------


def test_b20_identical_features_with_one_id_are_both_kept_and_told(tmp_path):
    zoning = runs.run(job(write(tmp_path / "层.gpkg", [box(), box()], names=["x", "x"])))
    assert intake_codes(zoning.findings) == ["intake.duplicate_geometry", "intake.ids_doubled"]
    assert zoning.pieces.intake.features.source_id == ["x", "x"]
    assert len(zoning.pieces.label_feature) == 2
    assert zoning.summary["total"]["plane_m2"] == pytest.approx(100)


def test_b21_ground_that_two_features_of_a_layer_claim_counts_once_and_is_told(tmp_path):
    zoning = runs.run(job(write(tmp_path / "层.gpkg", [box(), box(5)])))
    assert zoning.summary["total"]["plane_m2"] == pytest.approx(150)
    [told] = [f for f in zoning.findings if f.code == "consistency.layer_overlaps_itself"]
    assert told.facts["area_m2"] == pytest.approx(50, abs=0.01)


@pytest.mark.parametrize("gap", [0.0004, 0.004, 0.04, 4.0], ids="B22 {} m".format)
def test_a_gap_between_neighbours_is_land_of_its_own_and_flagged_where_it_is_a_sliver(tmp_path, gap):
    left, right = box(0, 0, 500, 1000), box(500 + gap, 0, 500 - gap, 1000)
    frame = write(tmp_path / "frame.gpkg", [box(0, 0, 1000)])
    zoning = runs.run(job(write(tmp_path / "层.gpkg", [left, right]), extent=frame))
    narrow = int(np.argmin(zoning.pieces.plane_m2))
    assert zoning.pieces.plane_m2[narrow] == pytest.approx(gap * 1000, abs=1e-3)
    assert zoning.summary["total"]["plane_m2"] == pytest.approx(1e6)
    assert bool(zoning.pieces.sliver[narrow]) == (gap < 0.1)


def test_b23_a_narrow_river_and_b24_a_small_island_are_pieces_of_full_area(tmp_path):
    bank = box(0, 0, 20_000, 500)
    river, island = box(0, 200, 20_000, 3), box(9_000, 300, 6, 5)
    zoning = runs.run(job(write(tmp_path / "层.gpkg", [bank]), write(tmp_path / "水.gpkg", [river, island])))
    areas = zoning.pieces.plane_m2.round(3).tolist()
    assert 60_000.0 in areas
    assert 30.0 in areas
    assert not zoning.pieces.sliver.any()


def test_b25_features_that_touch_at_a_point_or_an_edge_make_no_piece_between(tmp_path):
    zoning = runs.run(job(write(tmp_path / "层.gpkg", [box(), box(10, 10), box(10, 0)])))
    assert zoning.pieces.plane_m2.round(6).tolist() == [100.0] * 3


def test_b26_a_vertex_that_a_neighbour_does_not_have_takes_no_area(tmp_path):
    parts = [ring((1, 0), (1, 1), (1, 3), (4, 0)), ring((0, 4), (1, 3), (1, 0))]
    zoning = runs.run(job(write(tmp_path / "层.gpkg", parts)))
    assert sorted(zoning.pieces.plane_m2.round(6).tolist()) == [1.5, 4.5]


def test_b27_a_fine_grid_and_its_copy_turned_by_a_billionth_are_the_same_ground(tmp_path):
    grid = [box(i / 10, j / 10, 0.1) for i in range(12) for j in range(12)]
    turned = [affinity.rotate(cell, 1e-9, origin=(EAST, NORTH)) for cell in grid]
    zoning = runs.run(job(write(tmp_path / "层.gpkg", grid), write(tmp_path / "b.gpkg", turned)))
    assert zoning.summary["total"]["plane_m2"] == pytest.approx(1.44, abs=1e-3)
    assert len(zoning.pieces.label_feature) >= 288


# --- everything at once ------------------------------------------------------------------------------


def test_all_bad_features_in_one_layer_are_told_at_once_and_the_result_is_written(tmp_path):
    geometry = [bad for bad, _, _ in CASES.values()]
    path = write(tmp_path / "层.gpkg", [*geometry, box(100, 100, 20)])
    zoning = runs.run(job(path))
    files = zoning.write(tmp_path / "out")
    told = {f["code"] for f in json.loads(files.summary.read_text(encoding="utf-8"))["findings"]}
    assert told >= {code for _, codes, _ in CASES.values() for code in codes}
