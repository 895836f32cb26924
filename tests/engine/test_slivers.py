# SPDX-License-Identifier: GPL-2.0-or-later
"""The sliver court: what makes slivers, what is merged and what never is, verdicts kept by place."""

import json
import random
from dataclasses import replace

import geopandas
import numpy as np
import pyogrio
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from shapely import affinity, box

from swc_zoning import cli
from swc_zoning.engine import run as runs
from swc_zoning.engine import slivers, verdicts
from swc_zoning.engine.messages import Blocked, InvariantViolated, SwcError

EAST, NORTH = 600_000, 3_450_000
ALL = {"slivers": {"merge": "all"}}


def square(x0, y0, x1, y1):
    """A box in metres from a corner inside Shanghai, EPSG:4549."""
    return affinity.translate(box(x0, y0, x1, y1), EAST, NORTH)


def drawn(pieces):
    return pieces.drawn(np.arange(len(pieces)))


def local(geometry):
    return affinity.translate(geometry, -EAST, -NORTH)


def by_bounds(zoning):
    """Pieces by their boxes from the corner, rounded to 1 cm: plane areas."""
    boxes = [tuple(np.round(local(p).bounds, 2).tolist()) for p in drawn(zoning.pieces)]
    return dict(zip(boxes, zoning.pieces.plane_m2.round(4).tolist()))


def table(zoning, lang="en"):
    return geopandas.pd.DataFrame(slivers.columns(zoning.court, lang)[1])


def codes(zoning):
    return [finding.code for finding in zoning.findings]


#: Two parcels; the farmland misses the line between them by 5 cm, so that a strip of B is farmland.
PARCELS = [(square(0, 0, 100, 100), {"id": "A"}), (square(100, 0, 200, 100), {"id": "B"})]
FARMLAND = [(square(0, 0, 100.05, 100), {"id": "F"})]
DISTRICTS = [
    (square(0, 0, 100, 100), {"code": "1", "name": "a"}),
    (square(100, 0, 200, 100), {"code": "2", "name": "b"}),
]


class TestWhatMakesASliver:
    @pytest.fixture
    def court(self, make_job):
        return runs.run(make_job(parcel=PARCELS, permanent_basic_farmland=FARMLAND))

    def test_its_size_and_the_lines_along_it_are_told(self, court):
        [row] = table(court).to_dict("records")
        assert (row["area_m2"], row["length_m"]) == pytest.approx((5.0, 100.05))
        assert row["width_m"] == pytest.approx(0.05, rel=1e-3)
        assert row["lines"] == "parcel × permanent_basic_farmland"
        first, second = ((row[f"layer_{n}"], row[f"source_{n}"], row[f"along_{n}_m"]) for n in "12")
        assert {first[:2], second[:2]} == {("permanent_basic_farmland", "F"), ("parcel", "B")}
        assert first[2] == pytest.approx(100.1)
        assert second[2] == pytest.approx(100.0, abs=0.11)

    def test_its_neighbours_are_told_with_their_borders_and_what_is_best(self, court):
        [row] = table(court).to_dict("records")
        ids = {round(a, 2): i for i, a in zip(court.pieces.piece_id.astype(str), court.pieces.plane_m2)}
        assert row["receiver"] == ids[10_000.0]
        assert row["receiver_m"] == pytest.approx(100)
        assert sorted(row["partners"].split(";")) == sorted(
            f"{ids[area]}:100.0000" for area in (10_000.0, 9995.0)
        )
        assert (row["advice"], row["state"], row["into"]) == ("merge", "flagged", None)

    def test_its_point_is_in_it_and_on_the_grid(self, court):
        [point] = court.court.place
        assert drawn(court.pieces)[court.court.piece[0]].contains(shapely.Point(point))
        assert np.allclose(point * 10_000, np.rint(point * 10_000), atol=1e-4, rtol=0)

    def test_nothing_is_merged_unless_asked(self, court):
        assert court.court.pieces is court.court.before
        assert court.pieces.sliver.sum() == 1
        assert court.summary["slivers"]["merged"] == 0

    def test_two_features_of_one_layer_may_make_it(self, make_job):
        over = [(square(0, 0, 100.05, 100), {"id": "A"}), (square(100, 0, 200, 100), {"id": "B"})]
        cap = [(square(-10, -10, 210, 50), {"id": "Z"})]
        zoning = runs.run(make_job(parcel=over, zone=cap))
        rows = table(zoning)
        assert set(rows.lines) == {"parcel × parcel"}
        assert {*rows.source_1, *rows.source_2} == {"A", "B"}

    def test_of_lines_that_coincide_the_other_one_is_named(self, make_job):
        district = DISTRICTS
        zoning = runs.run(make_job(district, parcel=PARCELS, permanent_basic_farmland=FARMLAND))
        [row] = table(zoning).to_dict("records")
        assert "permanent_basic_farmland" in {row["role_1"], row["role_2"]}
        assert row["role_1"] != row["role_2"]

    def test_slivers_are_grouped_by_pair_of_layers(self, make_job):
        steps = [(square(0, 10 * i, 100 + 0.01 * (i + 1), 10 * i + 10), {"id": f"F{i}"}) for i in range(9)]
        zoning = runs.run(make_job(parcel=PARCELS, permanent_basic_farmland=steps))
        [group] = zoning.summary["slivers"]["groups"]
        assert [side["layer"] for side in group["lines"]] == ["parcel", "permanent_basic_farmland"]
        assert (group["count"], group["can_merge"]) == (9, 9)
        assert group["plane_m2"] == pytest.approx(4.5)
        assert group["median_m2"] == pytest.approx(0.5)


class TestMerging:
    def test_it_goes_into_the_piece_of_the_same_membership(self, make_job):
        zoning = runs.run(make_job(options=ALL, parcel=PARCELS, permanent_basic_farmland=FARMLAND))
        assert by_bounds(zoning) == {(0, 0, 100.05, 100): 10_005.0, (100.05, 0, 200, 100): 9995.0}
        assert not zoning.pieces.sliver.any()
        assert "slivers.merged" in codes(zoning)

    def test_a_piece_keeps_its_features_and_the_change_of_every_feature_is_told(self, make_job, tmp_path):
        zoning = runs.run(make_job(options=ALL, parcel=PARCELS, permanent_basic_farmland=FARMLAND))
        features, layers = zoning.pieces.intake.features, zoning.pieces.intake.layers
        big = int(np.argmax(zoning.pieces.plane_m2))
        there = zoning.pieces.label_feature[zoning.pieces.label_piece == big]
        assert sorted((layers[features.layer[f]].role, features.source_id[f]) for f in there.tolist()) == [
            ("parcel", "A"),
            ("permanent_basic_farmland", "F"),
        ]
        zoning.write(tmp_path / "result")
        rows = pyogrio.read_dataframe(tmp_path / "result" / "zoning.gpkg", layer="ledger")
        changed = rows[rows.entry == "area_changed"].set_index("source_id")
        assert changed.loc["A", ["before", "after"]].tolist() == pytest.approx([10_000, 10_005])
        assert changed.loc["B", ["before", "after"]].tolist() == pytest.approx([10_000, 9995])
        assert "F" not in changed.index
        [role] = zoning.summary["slivers"]["changed"]
        assert (role["role"], role["features"]) == ("parcel", 2)
        assert role["plane_m2_before"] == pytest.approx(role["plane_m2_after"])

    def test_every_merge_is_in_the_ledger_with_both_pieces_place_and_reason(self, make_job, tmp_path):
        zoning = runs.run(make_job(options=ALL, parcel=PARCELS, permanent_basic_farmland=FARMLAND), lang="en")
        zoning.write(tmp_path / "result")
        path = tmp_path / "result" / "zoning.gpkg"
        rows = pyogrio.read_dataframe(path, layer="ledger")
        [merge] = rows[rows.entry == "merged"].to_dict("records")
        pieces = geopandas.read_file(path, layer="pieces").set_index("piece_id")
        sliver = geopandas.read_file(path, layer="slivers").iloc[0]
        assert (merge["subject"], merge["into"]) == (sliver.sliver_id, sliver.into)
        assert merge["before"] == pytest.approx(5)
        assert merge["after"] == pytest.approx(pieces.loc[merge["into"], "plane_m2"])
        assert pieces.geometry[merge["into"]].contains(shapely.Point(merge["east"], merge["north"]))
        assert "100.0000" in merge["note"]
        assert sliver.state == "merged"
        assert sliver.geometry.equals(shapely.Point(merge["east"], merge["north"]))

    def test_the_id_of_a_merged_piece_is_that_of_its_place(self, make_job):
        merged = runs.run(make_job(options=ALL, parcel=PARCELS, permanent_basic_farmland=FARMLAND))
        # A corner of the other layer stands on the shared line: nodes are the same, drawn in one piece.
        whole = shapely.Polygon([(0, 0), (100, 0), (100.05, 0), (100.05, 100), (100, 100), (0, 100)])
        alone = runs.run(make_job(parcel=[(affinity.translate(whole, EAST, NORTH), {"id": "W"})]))
        assert alone.pieces.piece_id[0] in merged.pieces.piece_id

    def test_sums_stay_and_areas_close_as_before(self, make_job):
        extent = [(square(-50, -50, 250, 150), {"code": "1", "name": "a"})]
        layers = {"parcel": PARCELS, "permanent_basic_farmland": FARMLAND}
        one, other = (runs.run(make_job(extent, options, **layers)) for options in ({}, ALL))
        assert len(other.pieces) == len(one.pieces) - 1
        for column in ("plane_m2", "ellipsoidal_m2"):
            mine, theirs = (getattr(zoning.pieces, column).sum() for zoning in (one, other))
            assert mine == pytest.approx(theirs, rel=1e-14)
        assert one.summary["total"]["area_m2"] == other.summary["total"]["area_m2"]
        assert int(other.pieces.area_centi.sum()) == round(other.summary["total"]["control_m2"] * 100)
        off = np.abs(other.pieces.area_centi / 100 - other.pieces.ellipsoidal_m2)
        assert off.max() < 0.011
        assert other.pieces.perimeter_m == pytest.approx(shapely.length(drawn(other.pieces)), abs=1e-4)
        zones = [(row["zone"], row["status"], row["area_m2"]) for row in one.summary["by_zone"]]
        assert zones == [(row["zone"], row["status"], row["area_m2"]) for row in other.summary["by_zone"]]

    def test_the_longest_border_decides_then_the_larger_piece(self, make_job):
        # A strip between three parcels: 60 m beside A, 40 m beside B, on the other side C and D by 50 m.
        strip = (square(100, 0, 100.05, 100), {"id": "S"})
        west = [(square(0, 0, 100, 60), {"id": "A"}), (square(0, 60, 100, 100), {"id": "B"})]
        east = [(square(100.05, 0, 180, 50), {"id": "C"}), (square(100.05, 50, 190, 100), {"id": "D"})]
        longest = runs.run(make_job(options=ALL, parcel=[strip, *west, *east]))
        assert (0, 0, 100.05, 60) not in by_bounds(longest)
        assert (0, 0, 100.05, 100) in by_bounds(longest)
        small = [(square(20, 0, 100, 50), {"id": "A"}), (square(0, 50, 100, 100), {"id": "B"})]
        larger = runs.run(make_job(options=ALL, parcel=[strip, *small]))
        assert by_bounds(larger)[20, 0, 100, 50] == 4000

    def test_slivers_in_a_row_all_arrive_in_the_piece_at_its_end(self, make_job):
        strips = [(square(100 + 0.05 * i, 0, 100.05 + 0.05 * i, 100 - i), {"id": f"S{i}"}) for i in range(12)]
        zoning = runs.run(make_job(options=ALL, parcel=[PARCELS[0], *strips]))
        assert len(zoning.pieces) == 1
        assert zoning.court.state.tolist() == [slivers.STATES.index("merged")] * 12
        ids = [zoning.pieces.intake.features.source_id[f] for f in zoning.pieces.label_feature]
        assert ids == ["A"]

    def test_slivers_alone_come_together_in_the_largest(self, make_job):
        strips = [(square(0.04 * i, 0, 0.04 * i + 0.04, 100 + i), {"id": f"S{i}"}) for i in range(2)]
        zoning = runs.run(make_job(options=ALL, parcel=strips))
        assert len(zoning.pieces) == 1
        assert sorted(slivers.STATES[s] for s in zoning.court.state) == ["merged", "received"]
        ids = [zoning.pieces.intake.features.source_id[f] for f in zoning.pieces.label_feature]
        assert ids == ["S1"]

    def test_slivers_that_together_are_none_any_more_stay_where_they_are(self, make_job):
        def merged(width):
            strips = [
                (square(100 + width * i, 0, 100 + width * (i + 1), 100), {"id": f"S{i}"}) for i in range(2)
            ]
            beside = [(square(0, 0, 100, 50), {"id": "A"})]
            return by_bounds(runs.run(make_job(options=ALL, parcel=[*strips, *beside])))

        # They share more with each other than with A; 12 cm are no sliver, 8 cm are one that goes on.
        assert merged(0.06) == {(0, 0, 100, 50): 5000.0, (100, 0, 100.12, 100): 12.0}
        assert merged(0.04) == {(0, 0, 100.08, 100): 5008.0}

    def test_conflicts_are_regions_of_the_merged_pieces(self, make_job):
        boundary = [(square(5, 5, 52, 44), {"id": "u", "tier": "concentrated"})]
        zoning = runs.run(make_job(EXTENT, ALL, urban_development_boundary=boundary, **random_layers(8)))
        several = np.flatnonzero(np.bincount(zoning.court.into) > 1)
        there = {piece for conflict in zoning.conflicts for piece in conflict.pieces}
        assert there & set(several.tolist())
        for conflict in zoning.conflicts:
            region = shapely.union_all(drawn(zoning.pieces)[list(conflict.pieces)])
            assert (region.geom_type, conflict.geometry.geom_type) == ("Polygon", "Polygon")
            assert conflict.plane_m2 == pytest.approx(region.area, abs=1e-6)

    def test_what_is_written_fits_edge_to_edge_with_its_zones(self, make_job, tmp_path):
        zoning = random_run(make_job, 3, ALL)
        zoning.write(tmp_path / "result")
        path = tmp_path / "result" / "zoning.gpkg"
        pieces, zones = (geopandas.read_file(path, layer=name) for name in ("pieces", "zones"))
        assert zoning.court.is_in("merged").sum() > 10
        assert shapely.coverage_is_valid(pieces.geometry.values)
        assert shapely.coverage_is_valid(shapely.get_parts(zones.geometry.values))
        assert pieces.piece_id.is_unique
        assert zones.area_m2.sum() == pytest.approx(pieces.area_m2.sum())
        assert len(geopandas.read_file(path, layer="slivers")) == len(zoning.court)


class TestWhatIsNeverMerged:
    @pytest.mark.parametrize("options", [{}, ALL])
    def test_a_narrow_river_and_a_small_protected_island_survive(self, make_job, options):
        land = [(square(0, 0, 20_000, 2000), {"id": "L"})]
        river = [(square(0, 1000, 20_000, 1003), {"id": "R", "tier": "river"})]
        island = [(square(500, 500, 506, 505), {"id": "I", "tier": "special_island"})]
        zoning = runs.run(
            make_job(options=options, parcel=land, vegetation_belt=river, ecological_redline=island)
        )
        found = by_bounds(zoning)
        assert found[0, 1000, 20_000, 1003] == 60_000
        assert found[500, 500, 506, 505] == 30
        assert len(zoning.court) == 0

    def test_a_statutory_strip_of_five_centimetres_stays(self, make_job):
        strip = [(square(100, 0, 100.05, 100), {"id": "R", "tier": "biodiversity"})]
        zoning = runs.run(make_job(options=ALL, parcel=PARCELS, ecological_redline=strip))
        assert by_bounds(zoning)[100, 0, 100.05, 100] == 5
        [row] = table(zoning).to_dict("records")
        assert (row["advice"], row["state"]) == ("keep", "stuck")
        assert slivers.ADVICE[zoning.court.advice[0]] == "slivers.keep_membership"
        assert zoning.summary["slivers"]["stuck"] == 1
        assert "slivers.stuck" in codes(zoning)

    def test_a_tier_alone_keeps_it(self, make_job):
        tiers = [
            (square(0, 0, 100, 100), {"id": "1", "tier": "level1"}),
            (square(100, 0, 100.05, 100), {"id": "q", "tier": "quasi"}),
        ]
        zoning = runs.run(make_job(options=ALL, drinking_water_source=tiers))
        assert len(zoning.pieces) == 2

    def test_a_role_that_decides_no_zone_keeps_it_too(self, make_job):
        used = [
            (square(0, 0, 100, 100), {"id": "1", "tier": "forest"}),
            (square(100, 0, 100.05, 100), {"id": "q", "tier": "grass"}),
        ]
        assert len(runs.run(make_job(options=ALL, landuse_status=used)).pieces) == 2

    def test_it_does_not_cross_a_district_or_the_coast(self, make_job):
        district = DISTRICTS
        strip = [(square(0, 0, 99.95, 100), {"id": "A"}), (square(99.95, 0, 200, 100), {"id": "B"})]
        zoning = runs.run(make_job(district, ALL, parcel=strip, other=[(square(99, 0, 99.95, 100), {})]))
        assert zoning.court.state.tolist() == [slivers.STATES.index("merged")]
        assert {tuple(np.round(local(p).bounds, 2)) for p in drawn(zoning.pieces)} >= {(100, 0, 200, 100)}
        alone = [(square(0, 0, 99.95, 100), {"id": "A", "tier": "river"})]
        zoning = runs.run(make_job(district, ALL, vegetation_belt=alone))
        assert slivers.ADVICE[zoning.court.advice[0]] == "slivers.keep_district"
        assert (99.95, 0, 100, 100) in by_bounds(zoning)
        land = [(square(0, 0, 99.95, 100), {"tier": "land"})]
        assert len(runs.run(make_job(district[:1], ALL, land_mask=land)).pieces) == 2

    def test_a_single_sliver_with_no_neighbour_stays(self, make_job):
        zoning = runs.run(make_job(options=ALL, parcel=[(square(0, 0, 0.05, 100), {"id": "A"})]))
        assert slivers.ADVICE[zoning.court.advice[0]] == "slivers.keep_alone"
        assert len(zoning.pieces) == 1


# --- any layers in any order -----------------------------------------------------------------------


def random_layers(seed, count=7):
    """Parcels, blocks of them redrawn some centimetres off as farmland and red line, strips, patches."""
    rng = np.random.default_rng(seed)
    cells = [(i, j) for i in range(count) for j in range(count)]
    parcels = [(square(10 * i, 10 * j, 10 * i + 10, 10 * j + 10), {"id": f"p{i}-{j}"}) for i, j in cells]

    def off(i, j, wide, high):
        x0, y0, x1, y1 = np.array([10 * i, 10 * j, 10 * (i + wide), 10 * (j + high)]) + rng.choice(
            [0, 0.0003, 0.02, 0.05, 0.3, -0.04, -0.0001], 4
        )
        return square(x0, y0, x1, y1)

    def some(name, chance, **values):
        chosen = [cell for cell in cells if rng.random() < chance]
        return [
            (off(*cell, *rng.integers(1, 3, 2)), {"id": f"{name}{k}", **values})
            for k, cell in enumerate(chosen)
        ]

    return {
        "parcel": parcels,
        "permanent_basic_farmland": some("f", 0.2, tier="pbf"),
        "ecological_redline": some("r", 0.1, tier="biodiversity"),
        "landuse_status": some("u", 0.3, tier="forest"),
    }


EXTENT = [
    (square(0, 0, 33, 70), {"code": "1", "name": "a"}),
    (square(33, 0, 70, 70), {"code": "2", "name": "b"}),
]


def random_run(make_job, seed, options, **how):
    return runs.run(make_job(EXTENT, options, **random_layers(seed)), **how)


def law_areas(pieces):
    """Plane area by district, decision and statutory membership."""
    sums = {}
    for number in range(len(pieces)):
        combo = pieces.combos[pieces.combo[number]]
        key = json.dumps([int(pieces.district[number]), combo.decision, slivers.statutory(combo)])
        sums[key] = sums.get(key, 0.0) + pieces.plane_m2[number]
    return sums


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 10_000), wide=st.sampled_from([0.1, 0.5]))
def test_any_layers_merged_cover_the_same_ground_by_the_same_law(make_job, seed, wide):
    options = {"slivers": {"merge": "all", "mean_width_m": wide}}
    zoning = runs.run(make_job(EXTENT, options, **random_layers(seed, 4)))
    court, after = zoning.court, zoning.pieces
    assert shapely.coverage_is_valid(drawn(after))
    assert shapely.area(drawn(after)).sum() == pytest.approx(4900, abs=1e-6)
    assert law_areas(after) == pytest.approx(law_areas(court.before), abs=1e-6)
    for number in np.flatnonzero(np.bincount(court.into) > 1).tolist():
        whole = shapely.union_all(drawn(court.before)[court.into == number])
        assert shapely.area(shapely.symmetric_difference(drawn(after)[number], whole)) < 1e-7
    # No sliver that may still go somewhere is left; pieces that were none before do not move.
    again = slivers.judge(after, after.partition.borders, court.asked, court.known)
    others = np.unique(court.into[~court.before.sliver])
    assert np.all(np.isin(again.piece[again.receiver >= 0], others))


@pytest.mark.parametrize("seed", range(3))
def test_order_of_layers_features_and_tiles_does_not_matter(make_job, seed):
    layers = random_layers(seed)
    options = {"slivers": {"merge": "all", "mean_width_m": 0.5}}
    one = runs.run(make_job(EXTENT, options, **layers))
    shuffler = random.Random(seed)
    mixed = [(name, shuffler.sample(rows, len(rows))) for name, rows in layers.items()]
    shuffler.shuffle(mixed)
    other = runs.run(make_job(EXTENT[::-1], options, **dict(mixed)), per_tile=50)
    assert one.summary["content_sha256"] == other.summary["content_sha256"]
    assert one.court.is_in("merged").sum() > 20
    by = ["sliver_id"]
    tables = [table(zoning).sort_values(by).reset_index(drop=True) for zoning in (one, other)]
    geopandas.pd.testing.assert_frame_equal(*tables)
    assert set(slivers.rows(one.court, "en")) == set(slivers.rows(other.court, "en"))
    parts = [
        {k: v for k, v in zoning.summary["slivers"].items() if k != "changed"} for zoning in (one, other)
    ]
    assert parts[0] == parts[1]


class TestWhatIsAskedOfThePartition:
    """The contract of `borders` and `carriers`, whatever the partition is made of inside."""

    @pytest.fixture
    def partition(self, make_job):
        return random_run(make_job, 11, {}).pieces.partition

    def test_borders_round_a_face_add_up_to_its_perimeter(self, partition):
        border = partition.borders
        assert not np.any(border.left == border.right)
        sums = np.zeros(len(partition.plane_m2) + 1)
        np.add.at(sums, border.left, border.length_m)
        np.add.at(sums, border.right, border.length_m)
        assert sums[:-1].tolist() == partition.perimeter_m.tolist()
        assert sums[:-1] == pytest.approx(shapely.length(partition.polygons()), abs=1e-4)

    def test_carriers_of_an_arc_are_the_features_on_one_side_of_it(self, partition):
        border = partition.borders
        arcs = np.arange(len(border.left))[::-2]
        row, feature, side = border.carriers(arcs)
        on = {}
        for face, one in zip(partition.labels.face.tolist(), partition.labels.feature.tolist()):
            on.setdefault(face, set()).add(one)
        found = {}
        for number, one, sign in zip(row.tolist(), feature.tolist(), side.tolist()):
            found.setdefault(number, set()).add((one, sign))
        for number, arc in enumerate(arcs.tolist()):
            left, right = (on.get(int(faces[arc]), set()) for faces in (border.left, border.right))
            assert found[number] == {(f, 1) for f in left - right} | {(f, -1) for f in right - left}
        assert np.all(np.diff(row) >= 0)


def test_the_overlapping_farms_of_swellendam_lose_their_slivers_and_no_ground(shared):
    folder = shared / "swellendam_qgis_training"
    names = ("farms_33S", "urban_33S", "water_33S")
    layers = [{"role": name.lower(), "source": str(folder / f"{name}.shp")} for name in names]
    reserve = {"role": "nature_reserve", "tier": {"value": "general_control"}}
    layers.append({**reserve, "source": str(folder / "protected_areas.shp")})
    zoning = runs.run({"schema": 1, "layers": layers, "options": ALL})
    said = zoning.summary["slivers"]
    assert (said["count"], said["merged"]) == (3767, 3766)
    assert [side["layer"] for side in said["groups"][0]["lines"]] == ["farms_33S", "farms_33S"]
    assert zoning.pieces.plane_m2.sum() == pytest.approx(zoning.court.before.plane_m2.sum(), rel=1e-13)
    assert law_areas(zoning.pieces) == pytest.approx(law_areas(zoning.court.before), rel=1e-12)
    # GEOS doubts five edges beside gaps that no two pieces overlap at; merging adds none.
    doubts = [
        shapely.length(shapely.coverage_invalid_edges(drawn(pieces))).sum()
        for pieces in (zoning.court.before, zoning.pieces)
    ]
    assert doubts[0] == pytest.approx(doubts[1])


# --- verdicts --------------------------------------------------------------------------------------


class TestVerdicts:
    @pytest.fixture
    def decide(self, make_job, tmp_path):
        """Run with verdicts: decide(merge, {decision: ...}, ...); layers may be given."""

        def run(merge, *rows, crs="EPSG:4549", parcel=PARCELS, farmland=FARMLAND):
            document = {"schema": 1, "crs": crs, "decisions": [{**PLACE, **row} for row in rows]}
            (tmp_path / "verdicts.json").write_text(json.dumps(document), encoding="utf-8")
            options = {"slivers": {"merge": merge, "decisions": "verdicts.json"}}
            return runs.run(make_job(options=options, parcel=parcel, permanent_basic_farmland=farmland))

        return run

    def test_one_to_keep_goes_before_all(self, decide):
        zoning = decide(
            "all", {"decision": "keep", "reason": "real ditch", "who": "Li", "date": "2026-01-02"}
        )
        assert len(zoning.pieces) == 3
        [row] = table(zoning).to_dict("records")
        assert (row["state"], row["decision"], row["reason"], row["who"]) == (
            "kept",
            "keep",
            "real ditch",
            "Li",
        )
        assert slivers.ADVICE[zoning.court.advice[0]] == "slivers.keep_decided"

    def test_a_kept_sliver_takes_no_other_in(self, decide):
        strip = (square(100.05, 0, 100.1, 100), {"id": "T"})
        parcel = [
            PARCELS[0],
            (square(100, 0, 100.05, 100), {"id": "S"}),
            strip,
            (square(100.1, 0, 200, 100), {}),
        ]
        farmland = [(square(100.1, 0, 200, 100), {"id": "F"})]
        layers = {"parcel": parcel, "farmland": farmland}
        assert sorted(table(decide("all", **layers)).state) == ["merged", "merged"]
        zoning = decide("all", {"decision": "keep"}, **layers)
        told = table(zoning).sort_values("east")
        assert told.state.tolist() == ["kept", "stuck"]
        assert [slivers.ADVICE[a] for a in zoning.court.advice[told.index]] == [
            "slivers.keep_decided",
            "slivers.keep_partner",
        ]

    def test_the_sliver_that_holds_the_place_is_meant_then_the_one_of_the_size(self, decide):
        strips = [(square(100, 0, 100.02, 100), {"id": "S"}), (square(100.02, 0, 100.05, 100), {"id": "T"})]
        layers = {"parcel": [PARCELS[0], *strips], "farmland": [(square(0, 0, 200, 100), {"id": "F"})]}
        for east, area, width in ((100.024, 2.0, 0.03), (100.016, 3.0, 0.02), (100.02, 3.0, 0.03)):
            row = {"decision": "keep", "place": [EAST + east, NORTH + 50], "area_m2": area}
            told = table(decide("none", row, **layers))
            assert told.width_m[told.state == "kept"].tolist() == pytest.approx([width], rel=1e-2)

    def test_only_those_decided_are_merged(self, decide):
        two = [(square(0, 0, 100.05, 50), {"id": "F"}), (square(0, 50, 100.03, 100), {"id": "G"})]
        zoning = decide(
            "decisions", {"decision": "merge", "area_m2": 2.5, "reason": "digitising"}, farmland=two
        )
        assert sorted(table(zoning).state) == ["flagged", "merged"]
        [row] = [row for row in slivers.rows(zoning.court, "en") if row.entry == "merged"]
        assert row.before == pytest.approx(2.5)
        assert row.note.endswith("digitising")

    def test_open_ones_decide_nothing(self, decide):
        assert len(decide("decisions", {"decision": None}).pieces) == 3

    def test_they_hold_though_layers_are_drawn_a_little_otherwise(self, decide):
        moved = [(square(0, 0, 100.06, 99), {"id": "F2"})]
        assert table(decide("all", {"decision": "keep"}, farmland=moved)).state.tolist() == ["kept"]

    @pytest.mark.parametrize(
        "change", [{"place": [EAST + 100.07, NORTH + 50]}, {"area_m2": 12.0}, {"place": [EAST, NORTH - 100]}]
    )
    def test_those_of_another_place_or_size_are_told_and_not_used(self, decide, change):
        zoning = decide("none", {"decision": "keep", **change})
        [finding] = [f for f in zoning.findings if f.code == "slivers.unmatched"]
        assert finding.facts["count"] == 1
        assert table(zoning).state.tolist() == ["flagged"]
        assert [r.entry for r in slivers.rows(zoning.court, "en")] == ["verdict_unmatched"]

    def test_within_a_centimetre_of_the_sliver_is_its_place(self, decide):
        zoning = decide("none", {"decision": "keep", "place": [EAST + 100.055, NORTH + 50]})
        assert table(zoning).state.tolist() == ["kept"]

    @pytest.mark.parametrize("merge", ["all", "decisions"])
    def test_one_made_for_another_membership_is_told_and_not_carried_out(self, decide, merge):
        made_for = {"ecological_redline": ["biodiversity"]}
        zoning = decide(merge, {"decision": "merge", "members": made_for})
        assert len(zoning.pieces) == 3
        assert "slivers.outdated" in codes(zoning)
        now = {"permanent_basic_farmland": ["pbf"]}
        assert len(decide(merge, {"decision": "merge", "members": now}).pieces) == 2

    def test_one_that_no_piece_may_take_is_told(self, decide):
        alone = [(square(100, 0, 100.05, 100), {"id": "F"})]
        zoning = decide("decisions", {"decision": "merge"}, farmland=alone)
        assert "slivers.refused" in codes(zoning)
        assert "slivers.stuck" not in codes(zoning)
        assert [r.entry for r in slivers.rows(zoning.court, "en")] == ["verdict_refused"]

    def test_of_two_on_one_sliver_the_one_to_keep_counts_then_the_latest(self, decide):
        early, late = ({"decision": "merge", "date": f"202{y}-01-01", "who": str(y)} for y in (4, 5))
        zoning = decide("none", late, early)
        assert table(zoning).who.tolist() == ["5"]
        assert "slivers.overruled" in codes(zoning)
        zoning = decide("all", {"decision": "keep", "date": "2020-01-01"}, late)
        assert table(zoning).state.tolist() == ["kept"]

    def test_places_in_another_crs_stop_the_run(self, decide):
        with pytest.raises(SwcError, match=r"slivers\.other_crs"):
            decide("none", {"decision": "keep"}, crs="EPSG:4547")

    @pytest.mark.parametrize(
        "row", [{"decision": "eat"}, {"decision": "keep", "area_m2": -1}, {"decision": "keep", "x": 1}]
    )
    def test_a_document_that_breaks_the_contract_stops_the_run(self, decide, row):
        with pytest.raises(Blocked) as stop:
            decide("none", row)
        assert stop.value.findings[0].facts["path"].startswith("$.decisions[0]")

    def test_a_file_that_is_missing_or_no_json_is_told(self, make_job, tmp_path):
        options = {"slivers": {"decisions": "none.json"}}
        with pytest.raises(Blocked) as stop:
            runs.run(make_job(options=options, parcel=PARCELS))
        assert [f.code for f in stop.value.findings if f.severity == "error"] == ["job.decisions_missing"]
        (tmp_path / "none.json").write_text('{"schema": NaN}', encoding="utf-8")
        with pytest.raises(SwcError, match=r"slivers\.unreadable"):
            runs.run(make_job(options=options, parcel=PARCELS))

    def test_merging_by_decisions_needs_some(self, make_job):
        with pytest.raises(Blocked) as stop:
            runs.run(make_job(options={"slivers": {"merge": "decisions"}}, parcel=PARCELS))
        assert "job.merge_without_decisions" in [f.code for f in stop.value.findings]


PLACE = {"place": [EAST + 100.025, NORTH + 50], "area_m2": 5.0}


def test_the_command_line_lists_slivers_to_decide_on_and_a_run_takes_them_back(make_job, tmp_path):
    job = make_job(EXTENT, **random_layers(5))
    runs.run(job).write(tmp_path / "one")
    file = tmp_path / "verdicts.json"
    assert cli.main(["slivers", str(tmp_path / "one"), "--output", str(file)]) == 0
    document = json.loads(file.read_text(encoding="utf-8"))
    assert {row["decision"] for row in document["decisions"]} == {None}
    rng = np.random.default_rng(1)
    for row in document["decisions"]:
        row["decision"] = [None, "keep", "merge"][rng.integers(3)] if row["advice"] == "merge" else None
    wanted = sorted(tuple(row["place"]) for row in document["decisions"] if row["decision"] == "merge")
    file.write_text(json.dumps(document), encoding="utf-8")
    asked = {**json.loads(job.read_text(encoding="utf-8")), "options": {}}
    asked["options"]["slivers"] = {"merge": "decisions", "decisions": "verdicts.json"}
    job.write_text(json.dumps(asked), encoding="utf-8")
    zoning = runs.run(job)
    assert len(wanted) > 10
    told = {"slivers.unmatched", "slivers.overruled", "slivers.outdated"} & set(codes(zoning))
    assert told == set()
    assert sorted(map(tuple, zoning.court.place[zoning.court.decided("merge")].tolist())) == wanted
    zoning.write(tmp_path / "two")
    again = verdicts.of_result(tmp_path / "two")
    assert sorted(tuple(r["place"]) for r in again["decisions"] if r["decision"] == "merge") == wanted


def test_a_folder_without_a_result_is_told(tmp_path, capsys):
    assert cli.main(["slivers", str(tmp_path), "--output", str(tmp_path / "v.json")]) == 1
    assert "slivers.no_result" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


# --- faults ----------------------------------------------------------------------------------------


class TestPlantedFaults:
    @pytest.fixture
    def court(self, make_job):
        return random_run(make_job, 3, ALL).court

    def spoilt(self, court, invariant, **change):
        with pytest.raises(InvariantViolated, match=rf"invariant\.{invariant}"):
            slivers.prove_merged(court.before, replace(court.pieces, **change), court.into)

    def test_the_merged_pieces_are_proved(self, court):
        slivers.prove_merged(court.before, court.pieces, court.into)

    def test_a_run_that_draws_merged_pieces_wrong_is_stopped(self, make_job, monkeypatch):
        def as_before(pieces, lead, into, of_face):
            return pieces.redrawn[lead], pieces.piece_id[lead]

        monkeypatch.setattr(slivers, "_redrawn", as_before)
        with pytest.raises(InvariantViolated, match=r"invariant\.merged"):
            random_run(make_job, 3, ALL)

    def redrawn(self, court, number, polygon):
        made = court.pieces.redrawn.copy()
        made[number] = polygon.wkb
        return made

    def test_a_polygon_without_its_sliver(self, court):
        number = int(np.flatnonzero(np.bincount(court.into) > 1)[0])
        lead = drawn(court.before)[np.flatnonzero(court.into == number)[0]]
        self.spoilt(court, "merged", redrawn=self.redrawn(court, number, lead))

    def test_another_polygon_of_a_piece_nothing_was_joined_to(self, court):
        number = int(np.flatnonzero(np.bincount(court.into) == 1)[0])
        self.spoilt(court, "merged", redrawn=self.redrawn(court, number, square(0, 0, 1, 1)))

    def test_an_area_that_is_not_the_sum(self, court):
        area = court.pieces.plane_m2.copy()
        area[np.flatnonzero(np.bincount(court.into) > 1)[0]] += 0.01
        self.spoilt(court, "merged", plane_m2=area)

    def test_another_membership(self, court):
        combo = court.pieces.combo.copy()
        others = [i for i, c in enumerate(court.pieces.combos) if "ecological_redline" in c.members]
        combo[np.flatnonzero(combo != others[0])[0]] = others[0]
        self.spoilt(court, "merged_law", combo=combo)

    def test_labels_of_another_piece(self, court):
        rows = court.pieces.label_feature.copy()
        redline = [r.index for r in court.pieces.intake.layers if r.role == "ecological_redline"]
        feature = int(np.flatnonzero(court.pieces.intake.features.layer == redline[0])[0])
        rows[0] = feature
        self.spoilt(court, "members", label_feature=rows)
