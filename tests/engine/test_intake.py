# SPDX-License-Identifier: GPL-2.0-or-later
from __future__ import annotations

import csv
import hashlib
import json
import struct
from pathlib import Path

import numpy as np
import pytest
import shapely
from pyogrio import raw
from pyproj import Transformer

from swc_zoning.engine import curves, formats, georef, intake
from swc_zoning.engine.job import Accepted, Extent, Job, LayerInput, Options
from swc_zoning.engine.messages import Blocked
from swc_zoning.engine.progress import Progress

SHARED = Path(__file__).resolve().parents[2].parent / "shared" / "data"
SWELLENDAM = SHARED / "swellendam_qgis_training"
real_data = pytest.mark.skipif(not SHARED.is_dir(), reason="no shared data here")

#: A free role and a role with tiers.
FREE, WATER = "parcels", "drinking_water_source"


def layer(source, role=FREE, **values):
    return LayerInput(role=role, source=str(source), **values)


def job(*layers, extent=None, crs="EPSG:4549", **options):
    return Job("", extent, crs, None, None, tuple(layers), Options(**options))


def read(*layers, **values):
    return intake.read(job(*layers, **values), Progress())


def codes(findings):
    return [finding.code for finding in findings]


def blocked(*layers, **values):
    with pytest.raises(Blocked) as caught:
        read(*layers, **values)
    return caught.value.findings


def write(path, geometry, crs="EPSG:4549", kind="Unknown", driver=None, encoding=None, **columns):
    wkb = [one if one is None or isinstance(one, bytes) else shapely.to_wkb(one) for one in geometry]
    values = np.empty(len(wkb), dtype=object)
    values[:] = wkb
    fields = {name: np.array(column) for name, column in columns.items()}
    raw.write(
        str(path),
        geometry=values,
        field_data=list(fields.values()),
        fields=np.array(list(fields), dtype=object),
        geometry_type=kind,
        crs=crs,
        driver=driver,
        encoding=encoding,
    )
    return path


def box(x=0.0, y=0.0, size=10.0):
    return shapely.box(500000 + x, 3450000 + y, 500000 + x + size, 3450000 + y + size)


def ring(*points):
    return shapely.Polygon([(500000 + x, 3450000 + y) for x, y in points])


def folder_state(folder):
    parts = sorted(part for part in folder.rglob("*") if part.is_file())
    return {str(part): hashlib.sha256(part.read_bytes()).hexdigest() for part in parts}


# --- real data -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def swellendam():
    names = ["farms_33S", "urban_33S", "water_33S", "protected_areas"]
    before = folder_state(SWELLENDAM)
    result = read(*[layer(SWELLENDAM / f"{name}.shp") for name in names], crs="EPSG:32733")
    assert folder_state(SWELLENDAM) == before
    return result


@real_data
@pytest.mark.parametrize("row", range(4))
def test_repaired_layers_have_the_areas_and_repairs_of_the_oracle(swellendam, row):
    with (SWELLENDAM / "oracle" / "swe4_layers.csv").open() as stream:
        expected = list(csv.DictReader(stream))[row]
    record = swellendam.layers[row]
    here = swellendam.features.layer == row
    assert record.layer == expected["layer"]
    assert (record.count, record.used, here.sum()) == (int(expected["features"]),) * 3
    assert swellendam.features.area_m2[here].sum() == pytest.approx(float(expected["sum_area"]), rel=1e-12)
    assert sum(repair.layer == row for repair in swellendam.repairs) == int(expected["invalid"])


@real_data
@pytest.mark.parametrize("backend", ["pyogrio", "fiona"])
def test_the_reader_that_is_installed_makes_no_difference(swellendam, monkeypatch, backend):
    monkeypatch.setattr(formats, "backend", lambda: backend)
    names = ["farms_33S", "urban_33S", "water_33S", "protected_areas"]
    other = read(*[layer(SWELLENDAM / f"{name}.shp") for name in names], crs="EPSG:32733")
    assert other.features.source_id == swellendam.features.source_id
    assert np.array_equal(other.features.area_m2, swellendam.features.area_m2)
    assert other.layers == swellendam.layers


@real_data
def test_features_are_valid_flat_polygons(swellendam):
    geometry = swellendam.features.geometry
    assert shapely.is_valid(geometry).all()
    assert set(shapely.get_type_id(geometry)) <= {3, 6}
    assert not shapely.has_z(geometry).any()
    assert len(set(map(len, vars(swellendam.features).values()))) == 1


@real_data
def test_identical_farms_are_told_and_stay(swellendam):
    told = [finding for finding in swellendam.findings if finding.code == "intake.duplicate_geometry"]
    assert told
    assert all(finding.place and finding.measure_m2 > 0 for finding in told)
    assert len(set(swellendam.features.source_id)) == len(swellendam.features.source_id)


@real_data
def test_repairs_say_why_where_and_how_much(swellendam):
    for repair in swellendam.repairs:
        assert "elf-intersection" in repair.reason
        bounds = shapely.total_bounds(swellendam.features.geometry)
        assert bounds[0] <= repair.place[0] <= bounds[2]
        assert bounds[1] <= repair.place[1] <= bounds[3]
        assert repair.area_after_m2 > 0
    assert len({(repair.layer, repair.source_id) for repair in swellendam.repairs}) == 17


@real_data
def test_the_districts_of_shanghai_come_with_codes_and_names_in_the_right_zone():
    source = SHARED / "shanghai_districts" / "ecnu_shanghai_boundary_4490.geojson"
    result = read(extent=Extent(str(source)), crs=None)
    assert result.crs.to_epsg() == 4549
    assert {"code": "310107", "name": "普陀区"} in result.features.attributes
    assert result.features.area_m2.sum() / 1e6 == pytest.approx(7210.5, abs=0.1)
    assert result.layers[0].extent
    assert result.layers[0].role == "admin_extent"


@real_data
def test_another_datum_is_told_with_the_operation():
    source = SHARED / "shanghai_districts" / "shanghai_district_amap.gpkg"
    told = [f for f in read(layer(source)).findings if f.code == "intake.datum_differs"]
    assert "Gauss-Kruger CM 120E" in told[0].facts["operation"]


@real_data
def test_a_crs_without_code_and_an_old_datum_are_read():
    result = read(layer(SHARED / "sf_nc" / "olinda1.shp"), crs="EPSG:31985")
    assert result.layers[0].used == 470
    result = read(layer(SHARED / "sf_nc" / "nc.shp"), crs="EPSG:32119")
    assert codes(result.findings)[0] == "intake.datum_differs"
    assert result.features.area_m2.sum() / 1e6 == pytest.approx(127_000, rel=0.01)


@real_data
def test_a_damaged_file_is_one_clear_finding():
    findings = blocked(layer(SWELLENDAM / "water_CORRUPT.shp"), crs="EPSG:32733")
    assert codes(findings) == ["intake.damaged"]
    assert "water_CORRUPT.shp" in findings[0].sentence("zh")


@real_data
def test_lines_in_a_polygon_role_stop_the_run():
    findings = blocked(layer(SWELLENDAM / "rivers.shp"), crs="EPSG:32733")
    told = [finding for finding in findings if finding.severity == "error"]
    assert (codes(told), told[0].facts["kinds"]) == (["intake.layer_not_polygon"], "LineString")


@real_data
def test_curves_become_chords_within_a_centimetre():
    source = SHARED / "qgis_processing_tests" / "geometry_checker" / "curved_polys.gpkg"
    result = read(layer(source), crs="EPSG:3857")
    told = ["intake.curves_straightened"] if formats.backend() == "arrow" else []
    assert codes(result.findings) == told
    assert result.layers[0].used == 4


@real_data
@pytest.mark.parametrize(
    ("file", "used", "code"),
    [
        ("invalidgeometries.gml", 1, "intake.repaired"),
        ("multipolys.gml", 3, "intake.geometry_null"),
        ("geometry_checker/polygon_layer_empty_geometries.geojson", 1, "intake.geometry_empty"),
    ],
)
def test_odd_layers_go_in_as_far_as_they_can(file, used, code):
    result = read(layer(SHARED / "qgis_processing_tests" / file), crs="EPSG:3857")
    assert result.layers[0].used == used
    left_out = [f for f in result.findings if "feature" in f.facts]
    assert len(left_out) == result.layers[0].count - used
    assert code in codes(result.findings)


# --- what does not go in ---------------------------------------------------------------------------

UNCLOSED = struct.pack("<BIII", 1, 3, 1, 4) + struct.pack(
    "<8d", 500000, 3450000, 500009, 3450000, 500009, 3450009, 500000, 3450009
)
NAN = shapely.Polygon([(500000, 3450000), (500010, np.nan), (500010, 3450010)])
FAR = shapely.Polygon([(500000, 3450000), (1e30, 3450000), (500010, 3450010)])
FLAT = ring((0, 0), (5, 5), (10, 10), (0, 0))
POINT = shapely.Point(500000, 3450000)


@pytest.mark.parametrize(
    ("bad", "code"),
    [
        (None, "intake.geometry_null"),
        (shapely.Polygon(), "intake.geometry_empty"),
        (UNCLOSED, "intake.geometry_unreadable"),
        (NAN, "intake.coordinates_absurd"),
        (FAR, "intake.coordinates_absurd"),
        (FLAT, "intake.no_area"),
        (POINT, "intake.not_polygon"),
        (shapely.GeometryCollection([POINT]), "intake.not_polygon"),
    ],
)
def test_a_feature_that_cannot_go_in_is_named_and_the_rest_goes_on(tmp_path, bad, code):
    path = write(tmp_path / "a.gpkg", [box(), bad, box(20)], BSM=["甲", "乙", "丙"])
    result = read(layer(path, id_field="BSM"))
    assert result.features.source_id == ["甲", "丙"]
    told = [finding for finding in result.findings if finding.code == code]
    assert [finding.facts["feature"] for finding in told] == ["乙"]
    assert (result.layers[0].count, result.layers[0].used) == (3, 2)


def test_a_submission_refuses_what_a_draft_leaves_out_unless_accepted(tmp_path):
    path = write(tmp_path / "a.gpkg", [box(), None])
    findings = blocked(layer(path), mode="submission")
    assert {"intake.geometry_null", "intake.left_out_submission"} == set(codes(findings))
    accepted = Accepted("intake.left_out_submission", layer="a")
    result = read(layer(path), mode="submission", accept=(accepted,))
    assert codes(result.findings) == ["intake.geometry_null", "intake.accepted"]
    elsewhere = Accepted("intake.left_out_submission", layer="b")
    assert blocked(layer(path), mode="submission", accept=(elsewhere,))


def test_the_polygons_of_a_collection_are_used_and_the_rest_is_told(tmp_path):
    nested = shapely.GeometryCollection([shapely.GeometryCollection([box(20)]), POINT, box()])
    result = read(layer(write(tmp_path / "a.gpkg", [nested])))
    assert result.features.area_m2.tolist() == [200.0]
    assert [(f.code, f.facts["count"]) for f in result.findings] == [("intake.collection_rest", 1)]


@pytest.mark.parametrize("flag", ["Z", "M", "ZM"])
def test_heights_and_measures_are_dropped_and_told(tmp_path, flag):
    corners = ["500000 3450000", "500010 3450000", "500010 3450010", "500000 3450000"]
    text = ", ".join(corner + " 7" * len(flag) for corner in corners)
    path = tmp_path / "a.csv"
    path.write_text(f'BSM,WKT\n1,"POLYGON {flag} (({text}))"\n')
    result = read(layer(path, crs="EPSG:4549"))
    assert result.features.area_m2.tolist() == [50.0]
    assert shapely.get_coordinate_dimension(result.features.geometry).tolist() == [2]
    # Without Arrow the reader itself drops measures and cannot say so.
    told = flag != "M" or formats.backend() == "arrow"
    assert codes(result.findings) == ["intake.dimensions_dropped"] * told


def test_every_layer_is_looked_at_before_the_run_stops(tmp_path):
    good = write(tmp_path / "a.gpkg", [box()])
    bare = write(tmp_path / "b.gpkg", [box()], crs=None)
    findings = blocked(layer(tmp_path / "no.gpkg"), layer(bare), layer(good, id_field="BSM"))
    assert codes(findings) == ["intake.source_missing", "intake.crs_missing", "intake.field_missing"]
    assert findings == intake.inspect(
        job(layer(tmp_path / "no.gpkg"), layer(bare), layer(good, id_field="BSM"))
    )


def test_an_empty_layer_is_a_warning_but_an_empty_extent_an_error(tmp_path):
    empty = write(tmp_path / "a.gpkg", [], kind="Polygon", n=np.array([], dtype=np.int64))
    full = write(tmp_path / "b.gpkg", [box()])
    assert codes(read(layer(empty), layer(full)).findings) == ["intake.layer_empty"]
    assert codes(blocked(layer(full), extent=Extent(str(empty)))) == ["intake.extent_empty"]


# --- repair ----------------------------------------------------------------------------------------


def test_a_bow_tie_keeps_both_its_sides(tmp_path):
    tie = ring((0, 0), (10, 10), (10, 0), (0, 10))
    result = read(layer(write(tmp_path / "a.gpkg", [tie], BSM=["甲"]), id_field="BSM"))
    assert result.features.area_m2.tolist() == [50.0]
    repair = result.repairs[0]
    assert (repair.source_id, repair.place) == ("甲", (500005.0, 3450005.0))
    assert (repair.area_before_m2, repair.area_after_m2) == (0.0, 50.0)


def test_ground_that_two_parts_of_one_feature_claim_is_not_lost(tmp_path):
    twice = shapely.MultiPolygon([box(), box(5)])
    result = read(layer(write(tmp_path / "a.gpkg", [twice])))
    assert result.features.area_m2.tolist() == [150.0]
    assert result.repairs[0].area_before_m2 == 200.0


def test_what_a_repair_sheds_is_counted(tmp_path):
    spike = ring((0, 0), (10, 0), (20, 0), (10, 0), (10, 10), (0, 10))
    repair = read(layer(write(tmp_path / "a.gpkg", [spike]))).repairs[0]
    assert (repair.area_after_m2, repair.leftovers) == (100.0, 1)


def test_a_hole_outside_its_shell_is_recorded_with_both_areas(tmp_path):
    shell = shapely.Polygon(box().exterior, [box(20, 0, 2).exterior])
    repair = read(layer(write(tmp_path / "a.gpkg", [shell]))).repairs[0]
    assert repair.area_before_m2 == 96.0
    assert "Hole lies outside shell" in repair.reason


# --- where it lies ---------------------------------------------------------------------------------


def prefixed(zone=40):
    return shapely.transform(box(), lambda points: points + np.array([zone * 1e6, 0]))


@pytest.mark.parametrize(
    ("geometry", "labelled", "found", "proposal"),
    [
        (prefixed(40), "EPSG:4549", 40, "EPSG:4528"),
        (prefixed(41), "EPSG:4549", 41, "EPSG:4529"),
        (prefixed(41), "EPSG:4528", 41, "EPSG:4529"),
        (box(), "EPSG:4528", 0, "EPSG:4549"),
        (prefixed(21), "EPSG:4549", 21, "EPSG:4499"),
        (prefixed(40), "EPSG:2382", 40, "EPSG:2364"),
    ],
)
def test_zone_numbers_that_belie_the_crs_stop_with_a_proposal(tmp_path, geometry, labelled, found, proposal):
    path = write(tmp_path / "a.gpkg", [geometry], crs=labelled)
    findings = blocked(layer(path))
    assert codes(findings) == ["intake.crs_zone"]
    assert (findings[0].facts["found"], findings[0].facts["proposal"]) == (found, proposal)


def test_the_crs_of_the_job_goes_before_the_label_of_the_file(tmp_path):
    path = write(tmp_path / "a.gpkg", [prefixed()], crs="EPSG:4549")
    result = read(layer(path, crs="EPSG:4528"))
    assert result.layers[0].crs == "EPSG:4528"
    assert shapely.equals_exact(result.features.geometry[0], box(), 1e-6)


def test_a_better_operation_whose_grid_is_missing_is_named():
    around_carolina = (-84.3, 33.9, -75.5, 36.6)
    move = georef.Move(georef.parse("EPSG:4267"), georef.parse("EPSG:32119"), around_carolina)
    told = f"{move.better} {move.facts()['operation']}"
    assert move.possible
    assert not move.exact
    assert "NAD27 to NAD83" in told


def test_far_eastings_of_other_projections_are_no_zone_numbers():
    assert georef.zone_problem(georef.parse("EPSG:32733"), (1_040_000, 0, 1_050_000, 10)) is None
    assert georef.zone_problem(georef.parse("EPSG:3857"), (13_000_000, 0, 13_500_000, 10)) is None


@pytest.mark.parametrize(
    ("geometry", "labelled", "code"),
    [
        (box(), "EPSG:4490", "intake.crs_units"),
        (shapely.box(121, 31, 121.1, 31.1), "EPSG:4549", "intake.crs_units"),
        (box(), "EPSG:4978", "intake.crs_local"),
    ],
)
def test_coordinates_that_cannot_be_in_their_crs_stop_the_run(tmp_path, geometry, labelled, code):
    path = write(tmp_path / "a.gpkg", [geometry], crs="EPSG:4549")
    assert codes(blocked(layer(path, crs=labelled))) == [code]


def test_swapped_axes_are_told(tmp_path):
    swapped = shapely.transform(box(), lambda points: points[:, ::-1])
    path = write(tmp_path / "a.gpkg", [swapped], crs="EPSG:4549")
    told = intake.inspect(job(layer(path)))
    assert codes(told) == ["intake.crs_axes"]
    assert [(fix.change, fix.sure) for fix in told[0].fixes] == [({"axis_order": "swap"}, True)]


def test_a_working_crs_must_be_in_metres(tmp_path):
    path = write(tmp_path / "a.gpkg", [box()])
    assert codes(blocked(layer(path), crs="EPSG:4490")) == ["intake.working_crs_not_metric"]
    assert codes(blocked(layer(path), crs="EPSG:2263")) == ["intake.working_crs_not_metric"]


def test_the_same_vertex_of_two_layers_stays_the_same_vertex(tmp_path):
    shared = [(121.3, 31.2), (121.35, 31.25), (121.4, 31.2)]
    one = shapely.Polygon([*shared, (121.35, 31.1)])
    other = shapely.Polygon([*shared, (121.35, 31.3)])
    paths = [write(tmp_path / f"{n}.gpkg", [g], crs="EPSG:4490") for n, g in (("a", one), ("b", other))]
    moved = [
        {tuple(p) for p in shapely.get_coordinates(g)} for g in read(*map(layer, paths)).features.geometry
    ]
    assert len(moved[0] & moved[1]) == 3
    direct = Transformer.from_crs(4490, 4549, always_xy=True).transform(*shared[0])
    assert min(abs(x - direct[0]) + abs(y - direct[1]) for x, y in moved[0]) < 1e-6


# --- names, tiers, identities ----------------------------------------------------------------------


def test_a_gbk_shapefile_without_cpg_gives_its_names_and_says_so(tmp_path):
    path = write(
        tmp_path / "水源.shp", [box(), box(20)], kind="Polygon", encoding="GBK", MC=["青草沙", "陈行"]
    )
    path.with_suffix(".cpg").unlink()
    before = folder_state(tmp_path)
    result = read(layer(path, name_field="MC"))
    assert result.features.name == ["青草沙", "陈行"]
    assert result.layers[0].encoding == "GB18030"
    assert codes(result.findings) == ["intake.encoding_detected"]
    assert folder_state(tmp_path) == before


@pytest.mark.parametrize("name", ["a.gdb", "a.geojson", "a.shp", "a.gpkg"])
def test_every_common_format_goes_in(tmp_path, name):
    driver = "OpenFileGDB" if name.endswith("gdb") else None
    lonlat = shapely.box(121.3, 31.2, 121.31, 31.21)
    path = write(tmp_path / name, [lonlat], crs="EPSG:4490", kind="Polygon", driver=driver, bsm=[7])
    before = folder_state(tmp_path)
    result = read(layer(path, id_field="BSM"))
    assert result.features.source_id == ["7"]
    assert result.features.area_m2[0] == pytest.approx(1_058_000, rel=0.01)
    assert folder_state(tmp_path) == before


def test_tiers_become_canonical_and_unknown_words_are_told_once(tmp_path):
    words = ["一级保护区", "二级保护区", "R3", "怪词", "怪词"]
    path = write(tmp_path / "a.gpkg", [box(20 * i) for i in range(5)], DJ=words)
    result = read(layer(path, WATER, tier={"field": "dj", "map": {"R3": "准保护区"}}))
    assert len(set(result.features.tier)) == 4
    assert result.features.tier[3:] == ["unknown", "unknown"]
    assert "unknown" not in result.features.tier[:3]
    told = [f for f in result.findings if f.code == "intake.tier_unknown"]
    assert [(f.facts["word"], f.facts["count"]) for f in told] == [("怪词", 2)]


def test_one_tier_for_a_whole_layer_and_none_for_a_free_role(tmp_path):
    path = write(tmp_path / "a.gpkg", [box(), box(20)])
    one = read(layer(path, WATER, tier={"value": "一级保护区"})).features.tier
    assert one[0] == one[1] != "unknown"
    assert read(layer(path)).features.tier == ["", ""]


def test_content_ids_do_not_depend_on_order_or_on_where_a_ring_starts(tmp_path):
    turned = ring((10, 10), (0, 10), (0, 0), (10, 0))
    first = read(layer(write(tmp_path / "a.gpkg", [box(), box(20), turned])))
    second = read(layer(write(tmp_path / "b.gpkg", [turned, box(), box(20)])))
    assert sorted(first.features.source_id) == sorted(second.features.source_id)
    same = first.features.source_id[0]
    assert len(same) == 13
    assert first.features.source_id[2] == f"{same}-2"
    assert codes(first.findings) == ["intake.duplicate_geometry"]


def test_ids_are_text_and_doubled_ones_are_told(tmp_path):
    path = write(tmp_path / "a.gpkg", [box(), box(20), box(40), box(60)], BSM=[12.0, 12.0, 3.5, np.nan])
    result = read(layer(path, id_field="BSM"))
    assert result.features.source_id[:3] == ["12", "12", "3.5"]
    assert result.features.source_id[3].startswith("h")
    assert codes(result.findings) == ["intake.ids_doubled"]


def test_districts_without_codes_count_from_west_whatever_their_order(tmp_path):
    boxes = [box(40), box(), box(20)]
    for order in ([0, 1, 2], [2, 1, 0]):
        path = write(
            tmp_path / f"{order[0]}.gpkg", [boxes[i] for i in order], XZQMC=[f"区{i}" for i in order]
        )
        result = read(extent=Extent(str(path)))
        found = {entry["name"]: entry["code"] for entry in result.features.attributes}
        assert found == {"区1": "1", "区2": "2", "区0": "3"}
        assert codes(result.findings) == ["intake.districts_numbered"]


def test_a_code_field_that_is_not_there_is_told_once(tmp_path):
    path = write(tmp_path / "a.gpkg", [box()], XZQDM=["310101"])
    findings = blocked(extent=Extent(str(path), code_field="DM"))
    told = [f.facts for f in findings if f.code == "intake.field_missing"]
    assert [(facts["field"], facts["fields"]) for facts in told] == [("DM", "XZQDM")]


def test_codes_of_merged_districts_become_those_of_today(tmp_path):
    path = write(
        tmp_path / "a.gpkg", [box(), box(20)], XZQDM=["310230", "310151"], XZQMC=["崇明县", "崇明区"]
    )
    result = read(extent=Extent(str(path)))
    assert [entry["code"] for entry in result.features.attributes] == ["310151", "310151"]
    assert codes(result.findings) == ["intake.district_merged"]


def test_the_extent_comes_first_and_records_carry_the_metadata(tmp_path):
    path = write(tmp_path / "a.gpkg", [box()], XZQDM=["310101"])
    meta = {"version": "2024", "approval_no": "沪府〔2024〕1号", "data_date": "2024-01-01", "provider": "局"}
    result = read(layer(path, **meta), extent=Extent(str(path)))
    assert [(r.index, r.role, r.extent) for r in result.layers] == [
        (0, "admin_extent", True),
        (1, FREE, False),
    ]
    assert {name: getattr(result.layers[1], name) for name in meta} == meta
    assert result.layers[0].sha256 == formats.source_sha256(path)
    assert result.features.layer.tolist() == [0, 1]
    assert result.features.attributes[1] == {}


# --- curves ----------------------------------------------------------------------------------------


def circular(points, z=False):
    flat = [value for point in points for value in (*point, *((5.0,) if z else ()))]
    code = 1008 if z else 8
    return struct.pack("<BII", 1, code, len(points)) + struct.pack(f"<{len(flat)}d", *flat)


def curve_polygon(*rings, code=10):
    return struct.pack("<BII", 1, code, len(rings)) + b"".join(rings)


def test_a_circle_keeps_its_area_within_its_tolerance():
    circle = curves.straighten(curve_polygon(circular([(0, 0), (200, 0), (0, 0)])), 0.01)
    assert shapely.area(circle) == pytest.approx(np.pi * 1e4, rel=2e-4)
    distance = np.hypot(*(shapely.get_coordinates(circle) - [100, 0]).T)
    assert np.allclose(distance, 100)
    middles = shapely.get_coordinates(circle)
    assert (100 - np.hypot(*((middles[1:] + middles[:-1]) / 2 - [100, 0]).T)).max() <= 0.01


def test_an_arc_has_the_same_vertices_from_either_end():
    there = curves.straighten(circular([(0, 0), (30, 17), (90, 0)]), 0.01)
    back = curves.straighten(circular([(90, 0), (30, 17), (0, 0)], z=True), 0.01)
    assert np.array_equal(shapely.get_coordinates(there), shapely.get_coordinates(back)[::-1])


def test_lines_and_arcs_join_and_surfaces_of_several_parts_are_read():
    line = shapely.to_wkb(shapely.LineString([(10, 0), (-10, 0)]))
    compound = struct.pack("<BII", 1, 9, 2) + line + circular([(-10, 0), (0, 10), (10, 0)])
    half = curve_polygon(compound)
    both = struct.pack("<BII", 1, 12, 2) + half + shapely.to_wkb(shapely.box(50, 0, 60, 10))
    assert shapely.area(curves.straighten(both, 0.001)) == pytest.approx(np.pi * 50 + 100, abs=0.05)


@pytest.mark.parametrize(
    "wkb",
    [
        b"\x01",
        curve_polygon(circular([(0, 0), (5, 5), (9, 0)])),
        curve_polygon(code=17),
        b"\x01\x0a\0\0\0\xff\xff\xff\x7f",
    ],
)
def test_bytes_that_are_no_surface_are_refused(wkb):
    with pytest.raises(ValueError, match=r".+"):
        curves.straighten(wkb, 0.01)


# --- words -----------------------------------------------------------------------------------------


def test_every_code_of_this_room_has_a_sentence_in_both_languages_with_the_same_facts():
    file = Path(intake.__file__).parents[2] / "resources" / "messages" / "intake.json"
    for code, entry in json.loads(file.read_text(encoding="utf-8")).items():
        facts = [sorted({part.split("}")[0] for part in entry[lang].split("{")[1:]}) for lang in ("zh", "en")]
        assert facts[0] == facts[1], code
        assert entry["severity"] in ("error", "warning", "info")
