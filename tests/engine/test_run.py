# SPDX-License-Identifier: GPL-2.0-or-later
"""A run from layers to zones: decisions, districts, areas, conflicts, findings, and equal results."""

import json
from dataclasses import replace

import numpy as np
import pytest
from shapely import Polygon, affinity, box

from swc_zoning.engine import ledger
from swc_zoning.engine import run as runs
from swc_zoning.engine.messages import Blocked, InvariantViolated
from swc_zoning.engine.tasks import executor

EAST, NORTH = 600_000, 3_450_000


def square(x0, y0, x1, y1):
    """A box in metres from a corner inside Shanghai, EPSG:4549."""
    return affinity.translate(box(x0, y0, x1, y1), EAST, NORTH)


TWO_DISTRICTS = [
    (square(0, 0, 1000, 1000), {"code": "990101", "name": "东区"}),
    (square(1000, 0, 2000, 1000), {"code": "990102", "name": "西区"}),
]
PARK = [(square(0, 0, 9, 9), {"tier": "geopark"})]


def rows(zoning):
    """Pieces as (zone, status, district, plane area), by area."""
    pieces = zoning.pieces
    decisions = [pieces.combos[c].decision for c in pieces.combo]
    districts = [pieces.districts[d].code for d in pieces.district]
    areas = pieces.plane_m2.round(3).tolist()
    return sorted((d["zone"], d["status"], code, a) for d, code, a in zip(decisions, districts, areas))


def codes(zoning):
    return [finding.code for finding in zoning.findings]


def test_uncovered_land_inside_the_extent_is_general_and_districts_split_pieces(make_job):
    job = make_job(TWO_DISTRICTS, ecological_redline=[(square(500, 0, 1500, 500), {"tier": "biodiversity"})])
    zoning = runs.run(job)
    assert rows(zoning) == [
        ("GENERAL", "confirmed", "990101", 750_000.0),
        ("GENERAL", "confirmed", "990102", 750_000.0),
        ("PREV_STRICT", "confirmed", "990101", 250_000.0),
        ("PREV_STRICT", "confirmed", "990102", 250_000.0),
    ]
    assert {row["role"] for row in zoning.summary["missing_roles"]} >= {"permanent_basic_farmland"}


def test_without_extent_gaps_are_findings_and_no_pieces(make_job):
    frame = Polygon(square(0, 0, 100, 100).exterior, [square(40, 40, 60, 60).exterior])
    zoning = runs.run(make_job(nature_park=[(frame, {"tier": "forest_park"})]))
    assert rows(zoning) == [("PREV_STRICT", "confirmed", "", 9600.0)]
    gap = next(finding for finding in zoning.findings if finding.code == "consistency.gap")
    assert gap.measure_m2 == pytest.approx(400)
    assert gap.place is not None


def test_areas_close_to_the_official_area_of_each_district(make_job):
    rng = np.random.default_rng(1)
    parks = [(square(*c, *(c + 90)), {"tier": "wetland_park"}) for c in rng.random((40, 2)) * [1900, 900]]
    zoning = runs.run(make_job(TWO_DISTRICTS, nature_park=parks))
    summary = zoning.summary
    for district in summary["by_district"]:
        assert sum(round(zone["area_m2"] * 100) for zone in district["zones"]) == round(
            district["area_m2"] * 100
        )
        assert district["area_m2"] == district["control_m2"]
        assert district["area_m2"] == pytest.approx(district["ellipsoidal_m2"], abs=0.01)
    total = sum(round(zone["area_m2"] * 100) for zone in summary["by_zone"])
    assert total == round(summary["total"]["area_m2"] * 100) == int(zoning.pieces.area_centi.sum())


def test_approved_district_area_is_met_exactly_and_its_factor_reported(make_job):
    options = {"control_areas": {"990101": 999_000.0}}
    zoning = runs.run(make_job(TWO_DISTRICTS, options, nature_park=PARK))
    first = zoning.summary["adjustments"][0]
    assert zoning.summary["by_district"][0]["area_m2"] == 999_000.0
    assert first["typed"]
    assert first["factor"] != 1.0


def test_unknown_tier_is_strictest_and_stands_in_pending_rows(make_job):
    reserve = [(square(0, 0, 300, 300), {"tier": None, "id": "r1"})]
    zoning = runs.run(make_job(TWO_DISTRICTS, nature_reserve=reserve))
    assert ("PROHIBIT", "pending", "990101", 90_000.0) in rows(zoning)
    assert [c.kind for c in zoning.conflicts] == ["K19"]


def test_overlapping_districts_go_to_the_lower_code_with_an_error(make_job):
    extent = [*TWO_DISTRICTS[:1], (square(900, 0, 2000, 1000), {"code": "990102", "name": "西区"})]
    zoning = runs.run(make_job(extent, nature_park=PARK))
    overlap = next(f for f in zoning.findings if f.code == "consistency.districts_overlap")
    assert overlap.measure_m2 == pytest.approx(100_000)
    assert zoning.summary["by_district"][0]["plane_m2"] == pytest.approx(1_000_000)
    with pytest.raises(Blocked):
        runs.run(make_job(extent, {"mode": "submission"}, nature_park=PARK))


def test_land_mask_tells_land_from_sea(make_job):
    zoning = runs.run(make_job(TWO_DISTRICTS, land_mask=[(square(0, 0, 1500, 1000), {"tier": "land"})]))
    assert zoning.summary["total"]["land_m2"] == pytest.approx(1_500_000, rel=1e-3)
    assert zoning.summary["total"]["sea_m2"] == pytest.approx(500_000, rel=1e-3)


class TestConflicts:
    def test_one_row_a_kind_pair_and_connected_region(self, make_job):
        boundary = [(square(0, 0, 1000, 1000), {"tier": "concentrated", "id": "u"})]
        comb = square(100, 100, 900, 200).union(square(100, 200, 150, 400))
        farmland = [(comb, {"id": "f1"}), (square(100, 600, 200, 700), {"id": "f2"})]
        zoning = runs.run(
            make_job(TWO_DISTRICTS, urban_development_boundary=boundary, permanent_basic_farmland=farmland)
        )
        found = [(c.kind, round(c.plane_m2)) for c in zoning.conflicts]
        assert sorted(found) == [("K05", 10_000), ("K05", 90_000)]

    def test_region_cut_by_another_layer_stays_one_region(self, make_job):
        boundary = [(square(0, 0, 1000, 1000), {"tier": "concentrated", "id": "u"})]
        farmland = [(square(100, 100, 900, 200), {"id": "f1"})]
        park = [(square(400, 0, 500, 1000), {"tier": "forest_park", "id": "p"})]
        zoning = runs.run(
            make_job(
                TWO_DISTRICTS,
                urban_development_boundary=boundary,
                permanent_basic_farmland=farmland,
                nature_park=park,
            )
        )
        [farm] = [c for c in zoning.conflicts if c.kind == "K05"]
        assert farm.plane_m2 == pytest.approx(80_000)
        assert len(farm.pieces) == 3

    def test_slivers_along_a_border_are_mismatch_and_not_conflicts(self, make_job):
        boundary = [(square(0, 0, 500, 1000), {"tier": "concentrated", "id": "u"})]
        farmland = [(square(499.9, 0, 900, 1000), {"id": "f1"})]
        zoning = runs.run(
            make_job(TWO_DISTRICTS, urban_development_boundary=boundary, permanent_basic_farmland=farmland)
        )
        assert zoning.conflicts == []
        row = next(r for r in zoning.summary["conflicts"] if r["kind"] == "K05")
        assert (row["regions"], row["mismatch_regions"]) == (0, 1)
        assert row["mismatch_plane_m2"] == pytest.approx(100, rel=1e-3)

    def test_absence_is_not_evaluable_without_the_red_line(self, make_job):
        park = [(square(0, 0, 300, 300), {"tier": "geopark", "id": "p"})]
        zoning = runs.run(make_job(TWO_DISTRICTS, nature_park=park))
        kinds = {r["kind"]: r["evaluable"] for r in zoning.summary["conflicts"]}
        assert not kinds["K12"]
        assert zoning.conflicts == []


class TestDemoCity:
    def test_finds_every_planted_conflict_with_its_area(self, city, city_zoning):
        planted = json.loads((city / "planted.json").read_text(encoding="utf-8"))["conflicts"]
        summary = city_zoning.summary
        found = {row["kind"]: row for row in summary["conflicts"]}
        assert len(planted) >= 20
        for one in planted:
            row = found[one["conflict"]]
            assert row["regions"] >= 1, one
            # Pairs of features may share ground (K09, K18, K12 ...): never less than the planted ground.
            area = row["plane_m2"] + row["mismatch_plane_m2"]
            assert area >= one["total_hectares"] * 10_000 * 0.999, one

    def test_same_result_over_tiles_workers_and_orders(self, city, city_zoning):
        job = json.loads((city / "job.json").read_text(encoding="utf-8"))
        for entry in [job["extent"], *job["layers"]]:
            entry["source"] = str(city / entry["source"])
        plain = city_zoning.summary["content_sha256"]
        shuffled = {**job, "layers": job["layers"][::-1]}
        with executor(2) as pool:
            again = runs.run(shuffled, executor=pool, per_tile=3_000).summary["content_sha256"]
        assert runs.run(job, per_tile=500).summary["content_sha256"] == plain == again

    def test_every_finding_has_a_sentence_in_both_languages(self, city_zoning):
        for finding in city_zoning.findings:
            assert finding.sentence("zh")
            assert finding.sentence("en")


def test_order_of_features_does_not_change_the_result(make_job):
    rng = np.random.default_rng(3)
    parks = [
        (affinity.rotate(square(*c, *(c + 80)), a), {"tier": "geopark", "id": str(i)})
        for i, (c, a) in enumerate(zip(rng.random((30, 2)) * 900, rng.random(30) * 90))
    ]
    plain = runs.run(make_job(TWO_DISTRICTS, nature_park=parks)).summary["content_sha256"]
    assert runs.run(make_job(TWO_DISTRICTS[::-1], nature_park=parks[::-1])).summary["content_sha256"] == plain
    moved = [*parks[:-1], (affinity.translate(parks[-1][0], 0.01, 0), parks[-1][1])]
    assert runs.run(make_job(TWO_DISTRICTS, nature_park=moved)).summary["content_sha256"] != plain


def test_input_changed_during_the_run_is_noticed(make_job, monkeypatch):
    job = make_job(TWO_DISTRICTS, nature_park=PARK)
    find = runs.conflicts.find

    def find_and_touch(*arguments):
        make_job(TWO_DISTRICTS, nature_park=[(square(0, 0, 8, 8), {"tier": "geopark"})])
        return find(*arguments)

    monkeypatch.setattr(runs.conflicts, "find", find_and_touch)
    with pytest.raises(InvariantViolated, match="input_changed"):
        runs.run(job)


def test_validate_tells_everything_at_once(make_job, tmp_path):
    job = json.loads(make_job(TWO_DISTRICTS, nature_park=PARK).read_text())
    assert [f for f in runs.validate(job, tmp_path) if f.severity == "error"] == []
    job["layers"].append({"role": "nature_reserve", "source": "nowhere.gpkg"})
    job["colour"] = "red"
    found = {f.code for f in runs.validate(job, tmp_path) if f.severity == "error"}
    assert found == {"job.source_missing", "schema.unknown_key"}


def test_a_run_with_kept_results_gives_what_a_fresh_run_gives(make_job, tmp_path):
    rng = np.random.default_rng(4)
    parks = [(square(*c, *(c + 150)), {"id": str(i)}) for i, c in enumerate(rng.random((60, 2)) * 1800)]
    first = runs.run(make_job(TWO_DISTRICTS, forest_park=parks), per_tile=60, cache=tmp_path / "kept")
    parks[7] = (square(100, 100, 222.5, 180), {"id": "7"})
    job = make_job(TWO_DISTRICTS, forest_park=parks)
    again = runs.run(job, per_tile=60, cache=tmp_path / "kept").summary["content_sha256"]
    assert again == runs.run(job).summary["content_sha256"]
    assert again != first.summary["content_sha256"]


class TestFaultsPlantedInARun:
    """What goes wrong between the partition and the files is stopped too."""

    @pytest.fixture
    def pieces(self, make_job):
        rng = np.random.default_rng(2)
        parks = [(square(*c, *(c + 200)), {"tier": t}) for c, t in zip(rng.random((9, 2)) * 900, TIERS * 3)]
        return runs.run(make_job(TWO_DISTRICTS, nature_park=parks)).pieces

    def test_piece_left_out(self, pieces):
        short = replace(pieces, face=pieces.face[1:])
        with pytest.raises(InvariantViolated, match=r"invariant\.pieces"):
            ledger.prove_pieces(short)

    def test_piece_with_members_of_another(self, pieces):
        combo = pieces.combo.copy()
        combo[0] = (combo[0] + 1) % len(pieces.combos)
        with pytest.raises(InvariantViolated, match=r"invariant\.members"):
            ledger.prove_pieces(replace(pieces, combo=combo))

    def test_piece_without_its_feature(self, pieces):
        cut = {"label_piece": pieces.label_piece[1:], "label_feature": pieces.label_feature[1:]}
        with pytest.raises(InvariantViolated, match=r"invariant\.feature_pieces"):
            ledger.prove_pieces(replace(pieces, **cut))

    def test_dissolved_zone_of_another_shape(self, pieces):
        key = pieces.district
        faces = np.full(len(pieces.partition), -1)
        faces[pieces.face] = key
        polygons, of, _ = pieces.partition.dissolve(faces)
        ledger.prove_dissolved(pieces, key, polygons, of)
        polygons[0] = square(0, 0, 999, 1000)
        with pytest.raises(InvariantViolated, match=r"invariant\.zones"):
            ledger.prove_dissolved(pieces, key, polygons, of)


TIERS = ["geopark", "forest_park", "wetland_park"]


class TestJobsThatAskForTheImpossible:
    def test_control_area_of_no_district_blocks(self, make_job):
        with pytest.raises(Blocked) as stop:
            runs.run(make_job(TWO_DISTRICTS, {"control_areas": {"310115": 1.0}}, nature_park=PARK))
        assert "consistency.control_unknown" in {f.code for f in stop.value.findings}

    def test_control_area_far_from_the_measured_one_blocks(self, make_job):
        with pytest.raises(Blocked):
            runs.run(make_job(TWO_DISTRICTS, {"control_areas": {"990101": 5_000_000.0}}, nature_park=PARK))

    def test_features_thinner_than_the_grid_are_told_and_block_a_submission(self, make_job):
        thin = [
            *PARK,
            (Polygon([(EAST, NORTH), (EAST + 1e-5, NORTH), (EAST, NORTH + 1e-5)]), {"tier": "geopark"}),
        ]
        assert "consistency.vanished" in codes(runs.run(make_job(TWO_DISTRICTS, nature_park=thin)))
        undated = {"mode": "submission", "accept": ["versions.undated_submission"]}
        with pytest.raises(Blocked):
            runs.run(make_job(TWO_DISTRICTS, undated, nature_park=thin))
        accepted = {"mode": "submission", "accept": [*undated["accept"], "consistency.vanished"]}
        assert "consistency.vanished" in codes(runs.run(make_job(TWO_DISTRICTS, accepted, nature_park=thin)))

    def test_pieces_below_the_minimum_are_told(self, make_job):
        zoning = runs.run(make_job(TWO_DISTRICTS, {"min_patch_m2": 100.0}, nature_park=PARK))
        [small] = [f for f in zoning.findings if f.code == "consistency.below_minimum"]
        assert small.facts["count"] == 1


def test_three_overlapping_districts_are_told_pair_by_pair_once(make_job):
    extent = [(square(0, 0, 100, 100), {"code": c, "name": c}) for c in ("3", "1", "2", "1")]
    zoning = runs.run(make_job(extent, nature_park=PARK))
    found = [
        (f.facts["first"], f.facts["second"], f.measure_m2) for f in zoning.findings if "overlap" in f.code
    ]
    pairs = [("1", "2"), ("1", "3"), ("2", "3")]
    assert found == [(*pair, pytest.approx(10_000)) for pair in pairs]


def test_conflict_ids_are_unique_and_do_not_depend_on_layer_order(make_job):
    ground = square(0, 0, 300, 300)
    layers = {
        "nature_park": [(ground, {"tier": "geopark", "id": "x"})],
        "nature_reserve": [(ground, {"tier": "general_control", "id": "x"})],
        "national_park": [(ground, {"tier": "general_control", "id": "x"})],
    }
    one = runs.run(make_job(TWO_DISTRICTS, **layers)).conflicts
    other = runs.run(make_job(TWO_DISTRICTS, **dict(reversed(layers.items())))).conflicts
    assert len({c.id for c in one}) == len(one) == 3
    assert {c.id for c in one} == {c.id for c in other}


def test_empty_layer_does_not_count_as_supplied(make_job):
    job = json.loads(make_job(TWO_DISTRICTS, nature_park=PARK, ecological_redline=PARK).read_text())
    job["layers"][-1]["filter"] = "tier = 'nothing'"
    job["layers"][-1].pop("tier")
    zoning = runs.run(runs.jobs.load(job, make_job(TWO_DISTRICTS, nature_park=PARK).parent))
    assert "ecological_redline" in {row["role"] for row in zoning.summary["missing_roles"]}
    assert not next(r for r in zoning.summary["conflicts"] if r["kind"] == "K12")["evaluable"]


def test_what_missing_layers_leave_open_is_said(make_job, city_zoning):
    said = {f.code: f.sentence("zh") for f in runs.run(make_job(TWO_DISTRICTS, nature_park=PARK)).findings}
    assert "易发区待核" in said["rules.to_check"]
    assert "永久基本农田" in said["run.roles_missing"]
    full = codes(city_zoning)
    assert not {"rules.to_check", "run.roles_missing"} & set(full)
