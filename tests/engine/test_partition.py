# SPDX-License-Identifier: GPL-2.0-or-later
"""The partition is exact: properties over random and adversarial layers, and planted faults are stopped."""

from dataclasses import replace

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import Polygon, affinity, box

from swc_zoning.engine import ledger, tiles
from swc_zoning.engine.areas import area_model
from swc_zoning.engine.labels import Labels
from swc_zoning.engine.messages import InvariantViolated, SwcError
from swc_zoning.engine.partition import build
from swc_zoning.engine.stitching import stitch
from swc_zoning.engine.tasks import Serial, executor
from swc_zoning.engine.tiles import Tiling
from swc_zoning.engine.traced import trace_tile


def valid(polygon):
    """The polygonal part of a made-valid polygon, or None."""
    parts = [p for p in shapely.get_parts(shapely.make_valid(polygon)) if p.geom_type == "Polygon"]
    return shapely.MultiPolygon(parts) if parts else None


def prove(partition, geometry, polygons=None):
    polygons = partition.polygons() if polygons is None else polygons
    ledger.prove_polygons(polygons, partition.key)
    names = [("layer", str(i)) for i in range(len(geometry))]
    return ledger.prove(partition, shapely.area(geometry), shapely.length(geometry), names)


def assert_partition(geometry, tolerance=None):
    """Assert that the pieces of `geometry` are a partition, by the ledger and by GEOS; return it."""
    geometry = np.asarray(geometry, object)
    partition = build(geometry)
    prove(partition, geometry)
    pieces = partition.polygons()[partition.inside]
    # With a grid: without one GEOS 3.14 loses parts of nearly collinear unions now and then.
    union = shapely.union_all(geometry, grid_size=1e-6)
    slack = tolerance or 1e-4 * shapely.length(geometry).sum() + 1e-6
    assert abs(shapely.area(pieces).sum() - union.area) <= slack
    assert shapely.coverage_is_valid(pieces)
    assert np.allclose(partition.plane_m2, shapely.area(partition.polygons()), rtol=1e-9, atol=1e-9)
    return partition


def as_set(partition):
    """Pieces with their labels, whatever their order."""
    labels = {}
    for face, feature in zip(partition.labels.face.tolist(), partition.labels.feature.tolist()):
        labels.setdefault(face, set()).add(feature)
    wkb = shapely.to_wkb(partition.polygons())
    return {(wkb[i], frozenset(labels.get(i, ()))) for i in range(len(wkb))}


coordinate = st.integers(-60, 60).map(lambda v: v / 4)
rings = st.lists(st.tuples(coordinate, coordinate), min_size=3, max_size=7)


@settings(max_examples=120, deadline=None)
@given(st.lists(rings, min_size=1, max_size=6))
def test_any_polygons_make_an_exact_partition(shapes):
    geometry = [g for g in (valid(Polygon(s)) for s in shapes) if g is not None]
    if geometry:
        assert_partition(geometry)


@settings(max_examples=60, deadline=None)
@given(st.lists(rings, min_size=1, max_size=5), st.sampled_from([1e-4, 2e-4, 1e-3]))
def test_polygons_of_a_few_grid_units_make_an_exact_partition(shapes, unit):
    geometry = [
        g for g in (valid(affinity.scale(Polygon(s), unit, unit, origin=(0, 0))) for s in shapes) if g
    ]
    if geometry:
        geometry = np.array(geometry, object)
        partition = build(geometry)
        prove(partition, geometry)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([0, 1e-9, 1e-6, 1e-4, 1e-3, 0.5]))
def test_nearly_matching_borders_make_an_exact_partition(seed, shift):
    rng = np.random.default_rng(seed)
    cells = shapely.get_parts(shapely.voronoi_polygons(shapely.multipoints(rng.random((20, 2)) * 100)))
    frame = box(0, 0, 100, 100)
    cells = shapely.intersection(cells, frame)
    corners = [shapely.get_coordinates(cell)[:-1] for cell in cells]
    moved = [valid(Polygon(xy + rng.normal(size=xy.shape) * shift)) for xy in corners]
    partition = assert_partition([frame, *cells, *(g for g in moved if g)])
    assert partition.inside.sum() >= 20


def test_a_grid_rotated_by_a_billionth_makes_an_exact_partition():
    """Case B27 of the bad-input catalogue."""
    grid = [box(i / 10, j / 10, (i + 1) / 10, (j + 1) / 10) for i in range(12) for j in range(12)]
    turned = [affinity.rotate(cell, 1e-9, origin=(500000, 3400000)) for cell in grid]
    assert_partition(grid + turned)


def test_t_junctions_without_matching_vertices_keep_their_areas():
    """Case B26 of the bad-input catalogue."""
    a, b = Polygon([(1, 0), (1, 1), (1, 3), (4, 0)]), Polygon([(0, 4), (1, 3), (1, 0)])
    partition = assert_partition([a, b])
    assert sorted(partition.plane_m2.round(9)) == [1.5, 4.5]


def test_near_parallel_edges_make_an_exact_partition():
    fans = [Polygon([(0, 0), (100_000, i * 1e-4), (100_000, i * 1e-4 + 3e-4)]) for i in range(12)]
    assert_partition(fans)


def test_crossings_beside_tile_seams_do_not_depend_on_tiles():
    rng = np.random.default_rng(5)
    geometry = np.array(
        [box(*c, *(c + s)) for c, s in zip(rng.random((150, 2)) * 50, rng.random((150, 2)) * 9)]
    )
    geometry = np.array([affinity.rotate(g, a) for g, a in zip(geometry, rng.random(150) * 90)])
    whole = as_set(build(geometry))
    assert whole == as_set(build(geometry, per_tile=7)) == as_set(build(geometry, per_tile=100))


def test_a_face_over_many_tiles_keeps_its_holes_and_what_lies_loose_in_it():
    frame = box(0, 0, 100, 100)
    holes = [box(i + 0.2, j + 0.2, i + 0.7, j + 0.7) for i in range(0, 100, 7) for j in range(0, 100, 7)]
    touching = shapely.MultiPolygon([box(40, 40, 45, 45), box(45, 45, 50, 50)])
    geometry = np.array([frame, *holes, touching], object)
    tiled = build(geometry, per_tile=20)
    assert len(Tiling(geometry, 20)) > 16
    prove(tiled, geometry)
    assert as_set(tiled) == as_set(build(geometry))
    land = tiled.polygons()[np.argmax(tiled.plane_m2)]
    assert len(land.interiors) > 200


def test_a_segment_over_many_tiles_is_split_alike_on_all_sides():
    rng = np.random.default_rng(9)
    long = [Polygon([(0, 0), (1000, 3.3333333), (1000, 3.4)]), box(-1, 1, 1001, 1.00005)]
    grains = [shapely.Point(x, x / 300 + y).buffer(0.3, 3) for x, y in rng.random((300, 2)) * [1000, 0.5]]
    geometry = np.array([*long, *grains], object)
    assert as_set(build(geometry, per_tile=40)) == as_set(build(geometry))


def test_tiles_of_centimetres_in_a_frame_round_the_earth_are_told_apart():
    earth = Polygon([(-3.8e7, -3.9e7), (3.6e7, -3.9e7), (3.6e7, 3.5e7), (-3.8e7, 3.5e7)])
    step = 2**17 / 1e7
    tiny = [
        box(i * step, j * step, (i + 1) * step, (j + 1) * step) for i in range(-16, 0) for j in range(-16, 0)
    ]
    across = Polygon([(-0.262244, -0.0524288), (-0.1573864, 0), (-0.1573864, -0.1)])
    geometry = np.array([earth, across, *tiny], object)
    tiling = Tiling(geometry, 3)
    corners = np.array([leaf.box[:2] for leaf in tiling.leaves])
    assert np.array_equal(tiling._leaf_at(*corners.T), np.arange(len(tiling)))
    assert as_set(build(geometry, per_tile=3)) == as_set(build(geometry))


def star(points, x, y):
    """A polygon of many spikes: large beside a tile of few vertices."""
    turn = np.linspace(0, 2 * np.pi, 2 * points, endpoint=False)
    reach = np.where(np.arange(2 * points) % 2, 20.0, 45.0)
    return Polygon(np.column_stack([x + reach * np.cos(turn), y + reach * np.sin(turn)]))


def test_what_a_tile_was_told_wrong_of_a_large_feature_is_asked_of_the_feature(monkeypatch):
    grains = [box(i + 0.2, j + 0.2, i + 0.7, j + 0.7) for i in range(0, 100, 3) for j in range(0, 100, 3)]
    geometry = np.array([box(0, 0, 100, 100), star(30, 50, 50), *grains], object)
    whole = as_set(build(geometry))

    def spoilt(polygons, bounds):
        x0, y0, x1, y1 = np.array(bounds) / 1e7
        return np.array([box(x0 - 1, y0 - 1, x1 + 1, y1 + 1)] * len(polygons), object), np.arange(
            len(polygons)
        )

    monkeypatch.setattr(tiles, "_clipped", spoilt)
    assert as_set(build(geometry, per_tile=40)) == whole


def test_a_notch_that_touches_a_cut_is_kept():
    # Cuts for points run a sixteenth of a tile beside it, here at 0.8388608 m.
    ring = [(0.2098151, 1.2584913), (-0.2934189, 0.4194478), (-0.3494768, 0.4194428), (-0.2099152, 0.8388608)]
    notched = Polygon([*ring, (-0.9089839, 0.4193928), (-1.048576, 0.4193803)])
    cut = np.array([notched], object)
    for size in (2**27, 2**26):
        cut, _ = tiles._clipped(cut, (-size, -size, 0, 0))
    assert shapely.area(cut).sum() == pytest.approx(
        shapely.intersection(notched, box(-9, -9, 0.4194304, 0.4194304)).area, abs=1e-6
    )


def test_a_cut_that_leaves_next_to_nothing_of_a_ring_is_no_reason_to_stop():
    x, y = 112589990.6843, 28147497.7758731
    ring = [(x + 1.206e-5, y + 0.10490775), (x + 1.634e-5, y + 0.10490775), (x + 1.83e-5, y)]
    shard = np.array([Polygon(ring)], object)
    corner = np.array([2**50, 2**48])
    clipped, kept = tiles._clipped(shard, (*(corner - 2**24).tolist(), *corner.tolist()))
    assert len(clipped) == len(kept) <= 1


def test_stacked_features_do_not_make_ever_smaller_tiles():
    geometry = np.array([Polygon([(0, 0), (10, 1), (9, 8), (1, 9)])] * 500, object)
    assert len(Tiling(geometry, 100)) < 20


def test_tiles_stay_where_they_are_when_data_elsewhere_change():
    rng = np.random.default_rng(10)
    cells = np.array([box(*c, *(c + 1)) for c in rng.random((400, 2)) * 100], object)
    boxes = {leaf.box for leaf in Tiling(cells, 200).leaves}
    changed = np.append(cells[1:], box(50, 50, 50.5, 50.5))
    assert len(boxes & {leaf.box for leaf in Tiling(changed, 200).leaves}) > 0.9 * len(boxes)


def test_processes_give_the_result_of_one_process():
    rng = np.random.default_rng(6)
    geometry = np.array(
        [shapely.Point(c).buffer(r) for c, r in zip(rng.random((80, 2)) * 50, rng.random(80) * 9)]
    )
    with executor(2) as pool:
        assert as_set(build(geometry, executor=pool, per_tile=300)) == as_set(build(geometry))


def test_order_of_features_does_not_matter():
    rng = np.random.default_rng(7)
    geometry = np.array(
        [shapely.Point(c).buffer(r, 5) for c, r in zip(rng.random((40, 2)) * 30, rng.random(40) * 9)]
    )
    shuffled = rng.permutation(40)
    back = {
        (wkb, frozenset(int(shuffled[f]) for f in features))
        for wkb, features in as_set(build(geometry[shuffled]))
    }
    assert as_set(build(geometry)) == back


def test_five_hundred_identical_polygons_are_one_piece_with_all_labels():
    """Case B19 of the bad-input catalogue."""
    partition = assert_partition([Polygon([(0, 0), (10, 1), (9, 8), (1, 9)])] * 500, tolerance=1)
    assert len(partition) == 1
    assert len(partition.labels.feature) == 500


def test_ten_thousand_holes_are_kept():
    """Case B18 of the bad-input catalogue."""
    holes = [box(i, j, i + 0.5, j + 0.5).exterior for i in range(100) for j in range(100)]
    polygon = Polygon(box(-1, -1, 101, 101).exterior, holes)
    partition = assert_partition([polygon])
    assert partition.inside.sum() == 1
    assert partition.plane_m2[partition.inside][0] == pytest.approx(polygon.area, abs=1e-6)


def test_touching_at_a_point_does_not_connect_and_makes_no_piece():
    """Case B25 of the bad-input catalogue."""
    partition = assert_partition([box(0, 0, 1, 1), box(1, 1, 2, 2)])
    assert len(partition) == 2
    bow = assert_partition([shapely.MultiPolygon([box(0, 0, 1, 1), box(1, 1, 2, 2)])])
    assert len(bow) == 2


def test_parts_of_one_feature_that_share_an_edge_become_one_piece():
    left, right = box(0, 0, 1, 1), box(1, 0, 2, 1)
    overlapping_edge = shapely.MultiPolygon([left, right])
    partition = build(np.array([overlapping_edge]))
    assert len(partition) == 1
    assert partition.plane_m2[0] == 2


def test_ring_that_touches_itself_becomes_shell_and_hole():
    shell = Polygon([(0, 0), (10, 0), (10, 10), (5, 10), (3, 6), (7, 6), (5, 10), (0, 10)])
    partition = assert_partition([valid(shell), box(-5, -5, 15, 15)])
    assert sorted(partition.plane_m2.round(6)) == [8.0, 92.0, 300.0]


def test_narrow_river_and_small_island_survive():
    """Cases B23 and B24 of the bad-input catalogue."""
    river = shapely.LineString([(0, 0), (10_000, 500), (20_000, 0)]).buffer(1.5)
    island = shapely.Point(10_000, 502).buffer(3.1)
    partition = assert_partition([box(-10, -1000, 20_010, 1000), river, island])
    carried = np.bincount(partition.labels.feature, partition.plane_m2[partition.labels.face])
    assert carried[1] == pytest.approx(river.area, rel=1e-4)
    assert carried[2] == pytest.approx(island.area, rel=1e-4)


def test_coordinates_with_zone_prefix_stay_exact():
    geometry = [
        affinity.translate(shapely.Point(0, 0).buffer(50), 40_600_000.1234 + i * 31, 3_456_789.1)
        for i in range(5)
    ]
    assert_partition(geometry)


def test_country_wide_frame_is_exact():
    frame = Polygon([(0, 0), (3_000_000.7, 10.3), (2_999_000.1, 2_500_000.9), (-20.3, 2_400_000)])
    assert_partition(
        [frame, box(1_000_000, 1_000_000, 1_000_001, 1_000_001), shapely.Point(5e5, 5e5).buffer(300_000)]
    )


ALBERS = "+proj=aea +lat_1=25 +lat_2=47 +lon_0=105 +ellps=GRS80 +units=m"


def test_ellipsoidal_areas_of_edges_that_hold_more_than_their_face_are_right():
    far = box(3.0e6, 1.0e6, 3.4e6, 2.3e6)
    model = area_model(ALBERS)
    assert build(np.array([far]), model=model).ellipsoidal_m2 == pytest.approx(model.areas([far]), rel=1e-9)


@pytest.mark.parametrize(
    ("face", "code"),
    [
        (box(-1e6, 1e6, 2.4e6, 2.3e6), "areas.face_too_large"),
        (box(9e7, 9e7, 9e7 + 1, 9e7 + 1), "areas.beyond_projection"),
    ],
)
def test_areas_that_cannot_be_computed_stop_the_run(face, code):
    with pytest.raises(SwcError) as stop:
        build(np.array([face]), model=area_model(ALBERS))
    assert stop.value.code == code
    assert "east" in stop.value.facts


def test_empty_input_has_no_pieces():
    partition = build(np.array([], object))
    assert len(partition) == 0


def test_extent_frames_the_pieces():
    geometry = np.array([box(0, 0, 10, 10), box(5, 5, 15, 15)])
    partition = build(geometry, np.array([True, False]))
    assert partition.plane_m2[partition.inside].sum() == 100
    assert partition.inside.sum() == 2


class TestPlantedFaults:
    """A fault planted in a good result is stopped by the invariant that names it."""

    @pytest.fixture
    def city(self):
        rng = np.random.default_rng(8)
        circles = [shapely.Point(c).buffer(6) for c in rng.random((30, 2)) * 50]
        geometry = np.array([box(-9, -9, 60, 60), *circles], object)
        partition = build(geometry)
        prove(partition, geometry)
        return partition, geometry

    def stopped_by(self, partition, geometry, polygons=None):
        with pytest.raises(InvariantViolated) as stop:
            prove(partition, geometry, polygons)
        assert "zh" not in stop.value.facts
        assert stop.value.place is not None
        assert str(stop.value)
        return stop.value.invariant

    def test_dropped_face(self, city):
        partition, geometry = city
        borders = partition.borders
        lost = replace(
            borders,
            left=np.where(borders.left == 5, -1, borders.left),
            right=np.where(borders.right == 5, -1, borders.right),
        )
        assert self.stopped_by(replace(partition, borders=lost), geometry) == "gap"

    def test_face_drawn_as_another(self, city):
        partition, geometry = city
        polygons = partition.polygons()
        polygons[5] = polygons[6]
        assert self.stopped_by(partition, geometry, polygons) == "edges"

    def test_hole_filled_in(self, city):
        partition, geometry = city
        polygons = partition.polygons()
        holed = int(np.argmax(shapely.get_num_interior_rings(polygons)))
        polygons[holed] = Polygon(polygons[holed].exterior)
        assert self.stopped_by(partition, geometry, polygons) == "edges"

    def test_swapped_label(self, city):
        partition, geometry = city
        labels = partition.labels
        feature = labels.feature.copy()
        row = np.flatnonzero((labels.face == 7) & (feature > 0))[0]
        feature[row] = 1 + feature[row] % 30
        assert self.stopped_by(replace(partition, labels=Labels(labels.face, feature)), geometry) == "labels"

    def test_shifted_vertex(self, city):
        partition, geometry = city
        polygons = partition.polygons()
        xy = shapely.get_coordinates(polygons[5])
        xy[2] += 1e-4
        polygons[5] = Polygon(xy)
        assert self.stopped_by(partition, geometry, polygons) == "edges"

    def test_lost_part_of_a_repaired_feature(self, city):
        partition, geometry = city
        before = geometry.copy()
        before[3] = shapely.MultiPolygon([*shapely.get_parts(geometry[3]), box(200, 200, 201, 201)])
        assert self.stopped_by(partition, before) == "feature_area"

    @pytest.mark.parametrize("column", ["to_x", "from_y"])
    def test_tiles_that_do_not_agree_on_an_edge_between_them(self, column):
        geometry = np.array([box(i, j, i + 1, j + 1) for i in range(20) for j in range(20)], object)
        parts = [trace_tile((draft.tile(), None)).loose for draft in Tiling(geometry, 40).drafts(Serial())]
        assert len(stitch(parts)[0])
        at = next(i for i, part in enumerate(parts) if part.open)
        spoilt = getattr(parts[at], column).copy()
        spoilt[0] += 1
        parts[at] = replace(parts[at], **{column: spoilt})
        with pytest.raises(InvariantViolated) as stop:
            stitch(parts)
        assert stop.value.invariant == "edges"
        assert stop.value.place is not None

    def test_invalid_piece(self, city):
        partition, geometry = city
        polygons = partition.polygons()
        polygons[4] = Polygon([(0, 0), (1, 1), (1, 0), (0, 1)])
        assert self.stopped_by(partition, geometry, polygons) == "valid"
