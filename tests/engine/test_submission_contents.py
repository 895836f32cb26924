# SPDX-License-Identifier: GPL-2.0-or-later
"""What is handed in of a result: fields, areas that close, identifiers that stay, proposals with reasons."""

import json
import random
import shutil
from collections import Counter
from pathlib import Path

import numpy as np
import pyproj
import pytest
import shapely

from swc_zoning.engine import areas, run, written
from swc_zoning.engine.messages import SwcError
from swc_zoning.engine.submission import (
    about,
    candidates,
    contents,
    control_zones,
    datasets,
    lonlat,
    order,
    references,
    register,
    schemas,
)

ROOT = Path(__file__).resolve().parents[2]
CITY = {"name": "演示市", "code": "310000", "date": "20261201", "compiler": "演示单位"}
PLANE = "EPSG:4549"


def box(x0, y0, x1, y1):
    return shapely.box(640000 + x0, 3460000 + y0, 640000 + x1, 3460000 + y1)


DISTRICT = [(box(0, 0, 4000, 2000), {"code": "310101", "name": "甲区"})]


def handed_in(folder, **changes):
    document = written.summary_of(folder)
    schema = schemas.load("shanghai", written.table_of(folder, document))
    return contents.of_result(folder, order.load({**CITY, **changes}, folder), schema)


@pytest.fixture(scope="module")
def demo(zoned_city):
    """The contents of the demo city, with its result folder."""
    return zoned_city, handed_in(zoned_city)


@pytest.fixture
def zone(make_job, tmp_path):
    """Return a maker of result folders: zone("name", role=[(geometry, {field: value}), ...])."""

    def make(name, extent=DISTRICT, **layers):
        run.run(make_job(extent=extent, **layers)).write(tmp_path / name)
        return tmp_path / name

    return make


def rows(sheet, *names):
    return [tuple(row[name] for name in names) for row in sheet.rows()]


def centi(sheet, name="MJ", **only):
    chosen = [row for row in sheet.rows() if all(row[key] == value for key, value in only.items())]
    return sum(round(row[name] * 100) for row in chosen)


# --- fields and codes --------------------------------------------------------------------------------


def test_every_sheet_has_the_fields_of_the_schema_in_their_order(demo):
    _, found = demo
    schema = schemas.load("shanghai")
    assert list(found.sheets) == list(schema.layers)
    for name, sheet in found.sheets.items():
        own = [field.name for field in schema.layers[name].fields]
        assert list(sheet.columns)[: len(own)] == own
        assert schema.layers[name].open or len(sheet.columns) == len(own)
        assert (sheet.geometry is not None) == (schema.layers[name].kind == "polygon")
        assert {len(values) for values in sheet.columns.values()} == {len(sheet)}


def test_every_value_fits_its_field_and_is_of_its_code_set(demo):
    _, found = demo
    domains = schemas.load("shanghai").domains
    for name, sheet in found.sheets.items():
        for field in sheet.layer.fields:
            values = [value for value in sheet.columns[field.name].tolist() if value is not None]
            place = (name, field.name)
            assert not field.required or len(values) == len(sheet), place
            if field.kind == "text":
                assert max(map(len, values), default=0) <= field.length, place
                sizes = [len(value.encode("gb18030")) for value in values]
                assert sheet.geometry is None or max(sizes, default=0) <= min(field.length, 254), place
            if field.domain:
                codes = {code for value in values for code in (value.split(";") if field.listed else [value])}
                assert codes <= set(domains[field.domain]), place
            if field.positive and name != "SBGKFQ":
                assert min((value for value in values if value == value), default=1) > 0, place


def test_identifiers_are_of_their_district_and_unique_in_the_whole_package(demo):
    _, found = demo
    polygons = [sheet for sheet in found.sheets.values() if sheet.geometry is not None]
    given = [bsm for sheet in polygons for bsm in sheet.columns["BSM"].tolist()]
    assert len(given) == len(set(given))
    zones = found.sheets["SBGKFQ"]
    for bsm, district, number, code in rows(zones, "BSM", "XZQDM", "TBBH", "FQDM"):
        assert (len(bsm), bsm[:10]) == (18, f"{district}0000")
        assert (len(number), number[:4]) == (11, code)
    assert len(set(zones.columns["TBBH"])) == len(zones)
    assert len(set(found.sheets["BSMDJ"].columns["BSM"])) == len(found.sheets["BSMDJ"])
    in_use = [row["BSM"] for row in found.sheets["BSMDJ"].rows() if row["ZT"] == "1"]
    assert sorted(in_use) == sorted(given)


def test_flags_levels_and_codes_of_a_piece_follow_from_what_lies_on_it(demo):
    folder, found = demo
    members = written.read(folder, ["members", "decisive", "conflicts", "land"]).columns
    marked = Counter()
    for row, lying, decisive, met in zip(
        found.sheets["SBGKFQ"].rows(), members["members"], members["decisive"], members["conflicts"]
    ):
        on = json.loads(lying)
        flags = (row["SFHX"], row["SFYN"], row["SFKF"])
        three = ("ecological_redline", "permanent_basic_farmland", "urban_development_boundary")
        assert flags == tuple("1" if role in on else "0" for role in three)
        codes = (row["LYDM"] or "").split(";")
        assert codes == sorted(codes)
        assert ("HX" in codes, "YN" in codes, "KF" in codes) == tuple(flag == "1" for flag in flags)
        assert (row["GZBH"], row["CTLX"] or "") == (decisive.split(";")[0], met)
        assert (row["ZT"] == "2") == bool(row["BZ"])
        marked.update([row["SYJB"], row["SFBHD"] + "b", row["FZLX"] + "f", row["LH"] + "l"])
    assert {"0", "1", "2", "3", "4", "0b", "1b", "2b", "3b", "9b", "0f", "1f", "2f", "3f", "0l", "1l"} <= set(
        marked
    )


@pytest.mark.parametrize(
    ("tiers", "code"),
    [
        ([], "0"),
        (["level2"], "2"),
        (["buffer", "quasi"], "3"),
        (["level2", "level1"], "1"),
        (["level2", "unknown"], "9"),
        (["unknown", "level1"], "1"),
    ],
)
def test_an_unknown_level_counts_unless_the_strictest_is_there_anyway(tiers, code):
    levels = {"level1": "1", "level2": "2", "quasi": "3", "buffer": "4"}
    assert control_zones.strictest(tiers, levels) == code


def test_the_year_is_that_of_the_newest_data_on_a_piece(zone, make_job, tmp_path):
    job = json.loads(
        make_job(
            extent=DISTRICT,
            river_lake_management=[(box(0, 0, 1000, 2000), {"tier": "river"})],
            nature_park=[(box(500, 0, 1500, 2000), {"tier": "forest_park"})],
        ).read_text()
    )
    job["layers"][0]["data_date"], job["layers"][1]["data_date"] = "2023-05-01", "2021"
    (tmp_path / "dated.json").write_text(json.dumps(job))
    run.run(tmp_path / "dated.json").write(tmp_path / "dated")
    zones = handed_in(tmp_path / "dated").sheets["SBGKFQ"]
    assert dict(rows(zones, "LYDM", "SJNF")) == {"HG": "2023", "HG;ZG": "2023", "ZG": "2021", None: "2023"}


# --- shapes ------------------------------------------------------------------------------------------


def test_the_control_zones_still_cover_every_district_once_in_degrees(demo):
    _, found = demo
    zones, districts = found.sheets["SBGKFQ"].geometry, found.sheets["XZQ"]
    assert shapely.is_valid(zones).all()
    assert set(shapely.get_type_id(zones)) == {shapely.GeometryType.POLYGON}
    assert shapely.coverage_is_valid(zones)
    whole = shapely.coverage_union_all(zones)
    assert shapely.area(shapely.symmetric_difference(whole, shapely.union_all(districts.geometry))) < 1e-12
    points = shapely.get_coordinates(zones)
    assert np.array_equal(points, np.round(points, 10))


def test_a_recomputed_official_area_is_that_of_the_table(demo):
    folder, found = demo
    zones = found.sheets["SBGKFQ"]
    crs = written.summary_of(folder)["crs"]
    back = pyproj.Transformer.from_crs("EPSG:4490", crs, always_xy=True)
    metres = shapely.transform(zones.geometry, lambda p: np.column_stack(back.transform(p[:, 0], p[:, 1])))
    recomputed = areas.area_model(pyproj.CRS(crs)).areas(metres)
    assert np.abs(recomputed - zones.columns["TBMJ"]).max() < 0.02


def test_a_piece_thinner_than_edges_bend_stays_whole():
    first, last = (640000.0, 3460000.0), (640700.0, 3460000.0)
    between = (640350.0, 3459999.9998)
    thin = shapely.Polygon([first, between, last])
    above = shapely.Polygon([first, last, (640350.0, 3460500.0)])
    below = shapely.Polygon([first, between, last, (640350.0, 3459500.0)])
    to_degrees = pyproj.Transformer.from_crs(PLANE, "EPSG:4490", always_xy=True)

    def move(points):
        return np.column_stack(to_degrees.transform(points[:, 0], points[:, 1]))

    pieces = np.array([thin, above, below], object)
    only_moved = shapely.transform(pieces, move)
    assert shapely.is_ccw(shapely.get_exterior_ring(only_moved[0])) != shapely.is_ccw(
        shapely.get_exterior_ring(thin)
    )
    whole, left = lonlat.moved(pieces, move)
    assert left == 0
    assert shapely.is_valid(whole).all()
    assert shapely.coverage_is_valid(whole)
    assert shapely.get_num_coordinates(whole).tolist() == [5, 5, 5]


def test_a_new_vertex_near_an_end_stays_apart_on_the_working_grid_too():
    first, near, last = (665311.5008, 3483343.335), (665311.501, 3483343.335), (665327.265, 3483343.521)
    shapes = [
        shapely.Polygon([first, near, last]),
        shapely.Polygon([first, last, (665319.0, 3483353.0)]),
        shapely.Polygon([first, (665319.0, 3483333.0), last, near]),
    ]
    there, back = (
        pyproj.Transformer.from_crs(*pair, always_xy=True) for pair in ((PLANE, 4490), (4490, PLANE))
    )
    whole, left = lonlat.moved(
        np.array(shapes, object), lambda points: np.column_stack(there.transform(*points.T))
    )
    assert left == 0
    assert shapely.coverage_is_valid(whole)
    metres = shapely.transform(whole, lambda points: np.round(np.column_stack(back.transform(*points.T)), 4))
    assert shapely.is_valid(metres).all()


@pytest.mark.parametrize("seed", [3, 6, 7])
def test_lines_that_hardly_differ_leave_no_piece_turned_inside_out(zone, seed):
    dice = np.random.default_rng(seed)
    spots = [
        (dice.uniform(500, 3500, 2), np.sort(dice.uniform(0, 6.28, 6)), dice.uniform(300, 1500))
        for _ in range(8)
    ]

    def drawn(by):
        made = []
        for centre, angles, radius in spots:
            ring = centre + radius * np.column_stack([np.cos(angles), np.sin(angles)]) + [640000, 3460000]
            made.append(shapely.Polygon(np.round(ring + dice.uniform(-by, by, ring.shape), 4)))
        return [(shape, {"tier": "unknown"}) for shape in made if shape.is_valid]

    result = zone(
        f"fuzz{seed}",
        extent=None,
        nature_park=drawn(0.0),
        ecological_redline=drawn(0.0006),
        permanent_basic_farmland=drawn(0.0006),
        river_lake_management=drawn(0.002),
    )
    found = written.read(result, [])
    plane = found.polygons(np.arange(len(found)))
    to_degrees = pyproj.Transformer.from_crs(PLANE, "EPSG:4490", always_xy=True)

    def move(points):
        return np.column_stack(to_degrees.transform(points[:, 0], points[:, 1]))

    only_moved = shapely.transform(plane, lambda points: np.round(move(points), 10))
    assert not shapely.coverage_is_valid(only_moved) or not shapely.is_valid(only_moved).all()
    whole, left = lonlat.moved(plane, move)
    assert left == 0
    assert shapely.coverage_is_valid(whole)


@pytest.mark.parametrize("form", ["gdb", "gpkg"])
def test_what_is_written_still_covers_without_gap_or_overlap(demo, tmp_path, form):
    _, found = demo
    path = tmp_path / f"t.{form}"
    datasets.write(path, form, [found.sheets["SBGKFQ"]])
    read = shapely.get_parts(datasets.read(path, form, "SBGKFQ").polygons())
    assert shapely.coverage_is_valid(read)
    assert shapely.is_valid(read).all()


# --- areas -------------------------------------------------------------------------------------------


def test_all_tables_add_up_to_the_control_area_to_the_last_hundredth(demo):
    folder, found = demo
    whole = round(written.summary_of(folder)["total"]["control_m2"] * 100)
    assert centi(found.sheets["SBGKFQ"], "TBMJ") == whole
    for name in ("TJ_QF", "TJ_SX", "TJ_TD", "XZQ"):
        assert centi(found.sheets[name]) == whole, name
        if name != "XZQ":
            assert sum(found.sheets[name].columns["TBS"]) == len(found.sheets["SBGKFQ"])
    for code, control in rows(found.sheets["XZQ"], "XZQDM", "KZMJ"):
        assert centi(found.sheets["SBGKFQ"], "TBMJ", XZQDM=code) == round(control * 100)
        assert centi(found.sheets["TJ_QF"], XZQDM=code) == round(control * 100)
    shares = Counter()
    for code, share in rows(found.sheets["TJ_QF"], "XZQDM", "BL"):
        shares[code] += share
    assert all(share == pytest.approx(100, abs=0.01) for share in shares.values())


def test_a_copy_has_the_area_of_the_pieces_related_to_its_feature(demo):
    _, found = demo
    covered = Counter()
    for layer, source, area in rows(found.sheets["GXB"], "TC", "LYBH", "FGMJ"):
        covered[layer, source] += round(area * 100)
    for name, layer in (("STBHHX", "STBHHX"), ("CZKFBJ", "CZKFBJ"), ("SYDBHQ", "SYDBHQ")):
        copies = found.sheets[name]
        assert len(copies) > 5
        for source, area in rows(copies, "YBSM", "MJ"):
            assert covered[layer, source] == round(area * 100)


# --- key areas ---------------------------------------------------------------------------------------


def test_key_areas_are_the_declared_layers_by_district_not_the_zones(zone, make_job, tmp_path):
    job = json.loads(
        make_job(
            extent=[*DISTRICT, (box(4000, 0, 8000, 2000), {"code": "310104", "name": "乙区"})],
            ecological_redline=[(box(0, 0, 2000, 2000), {"tier": "biodiversity"})],
            key_prevention_zone=[(box(1000, 0, 6000, 1000), {"id": "P1", "tier": "provincial"})],
            key_treatment_zone=[(box(6500, 0, 7000, 1000), {"id": "T1", "tier": "county"})],
        ).read_text()
    )
    job["layers"][1]["approval_no"] = "沪府〔2020〕1号"
    (tmp_path / "named.json").write_text(json.dumps(job))
    run.run(tmp_path / "named.json").write(tmp_path / "named")
    found = handed_in(tmp_path / "named").sheets
    told = rows(found["ZDYFQ"], "XZQDM", "MC", "JB", "SX", "PZWH")
    assert told == [
        ("310101", "P1", "2", "1", "沪府〔2020〕1号"),
        ("310104", "P1", "2", "1", "沪府〔2020〕1号"),
    ]
    assert rows(found["ZDZLQ"], "XZQDM", "JB", "SX", "PZWH") == [("310104", "4", "2", None)]
    # Half of what lies in the first district is red line, of a stricter zone: declared it stays.
    assert found["ZDYFQ"].columns["MJ"] == pytest.approx([3e6, 2e6], rel=1e-3)
    assert shapely.get_num_geometries(found["ZDYFQ"].geometry).tolist() == [1, 1]


# --- proposals for the red line ----------------------------------------------------------------------


def wetland(x0, y0, x1, y1, name="湿地"):
    return (box(x0, y0, x1, y1), {"tier": "provincial", "id": f"{name}{x0}-{y0}"})


REDLINE = [(box(3000, 0, 4000, 2000), {"tier": "biodiversity"})]


def test_small_patches_are_withdrawn_unless_neighbours_or_the_red_line_hold_them(zone):
    found = handed_in(
        zone(
            "small",
            ecological_redline=REDLINE,
            important_wetland=[
                wetland(0, 0, 90, 90),  # alone and small
                wetland(500, 0, 580, 80),  # small, with a neighbour 40 m off
                wetland(620, 0, 700, 80),
                wetland(2950, 500, 3000, 550),  # small, at the red line
                wetland(1500, 1000, 1700, 1200),  # large
            ],
        ),
        min_patch_m2=10_000,
        neighbour_m=50,
    ).sheets
    told = sorted((round(row["YSMJ"], -2), row["JL"]) for row in found["HXLZ"].rows())
    assert told == [(2500, "保留"), (6400, "保留"), (6400, "保留"), (8100, "退出"), (40000, "保留")]
    assert len(found["HXJY"]) == 4
    assert {row["JYLX"] for row in found["HXJY"].rows()} == {"K11"}
    pair = [row for row in found["HXLZ"].rows() if round(row["YSMJ"], -2) == 6400]
    assert pair[0]["ZBH"] == pair[1]["ZBH"]
    assert pair[0]["ZMJ"] == pytest.approx(pair[0]["YSMJ"] + pair[1]["YSMJ"])
    [alone] = [row for row in found["HXLZ"].rows() if row["JL"] == "退出"]
    assert (alone["BSM"], alone["JYMJ"]) == (None, 0)
    assert "小于最小图斑" in alone["LY"]
    assert {(row["WYHC"], row["HCR"], row["HCRQ"]) for row in found["HXLZ"].rows()} == {(None, None, None)}


def test_what_is_built_or_farmed_is_deducted_and_the_rest_stays_a_patch_each(zone):
    found = handed_in(
        zone(
            "deducted",
            ecological_redline=REDLINE,
            important_wetland=[wetland(0, 0, 1000, 1000), wetland(2000, 0, 2200, 200)],
            landuse_status=[
                (box(400, 0, 500, 1000), {"tier": "transport"}),
                (box(500, 0, 1000, 1000), {"tier": "cropland"}),
                (box(2000, 0, 2200, 200), {"tier": "construction"}),
            ],
        )
    ).sheets
    by_area = sorted(found["HXLZ"].rows(), key=lambda row: -row["YSMJ"])
    assert [(row["JL"], round(row["KCMJ"], -3), round(row["JYMJ"], -3)) for row in by_area] == [
        ("扣除", 100_000, 500_000),
        ("保留", 0, 400_000),
        ("退出", 40_000, 0),
    ]
    assert "现状耕地" in by_area[0]["CTQK"]
    assert "（注明）" in by_area[0]["CTQK"]
    assert by_area[0]["DLGC"].startswith("耕地")
    assert "未提供" in by_area[0]["WTG"]
    assert "矿业权" in by_area[0]["WTG"]
    assert "永久基本农田" in by_area[0]["WTG"]
    proposed = found["HXJY"]
    assert len(proposed) == 2
    assert set(shapely.get_type_id(proposed.geometry)) == {shapely.GeometryType.POLYGON}
    own = {row["BSM"]: row["MJ"] for row in proposed.rows()}
    assert own == {row["BSM"]: row["JYMJ"] for row in by_area if row["BSM"]}


def test_land_use_that_was_not_supplied_is_said_and_nothing_inferred(zone):
    result = zone("unsaid", ecological_redline=REDLINE, important_wetland=[wetland(0, 0, 1000, 1000)])
    found = handed_in(result)
    [row] = found.sheets["HXLZ"].rows()
    assert (row["JL"], row["KCMJ"]) == ("保留", 0)
    assert row["DLGC"] == "未提供：土地利用现状"
    assert "contents.redline_not_screened" in {finding.code for finding in found.findings}
    # Of the kinds that ask for layers nobody supplied nothing can be proposed, which is said as well.
    assert {f.facts["kind"] for f in found.findings if f.code.endswith("not_evaluable")} == {"K12", "K13"}


def test_a_piece_of_several_kinds_is_proposed_once_and_mismatch_not_at_all(zone):
    found = handed_in(
        zone(
            "kinds",
            ecological_redline=REDLINE,
            important_wetland=[
                wetland(0, 0, 1000, 1000),
                (box(2999.9, 1500, 3500, 2000), {"tier": "national", "id": "N"}),
            ],
            nature_park=[(box(500, 0, 1500, 1000), {"tier": "forest_park", "id": "公园"})],
            nature_reserve=[(box(3100, 0, 3200, 100), {"tier": "core_protection"})],
            national_park=[(box(3100, 0, 3200, 100), {"tier": "core_protection"})],
            drinking_water_source=[(box(3100, 0, 3200, 100), {"tier": "level1"})],
        )
    )
    kinds = sorted((row["JYLX"], round(row["MJ"], -4)) for row in found.sheets["HXJY"].rows())
    assert kinds == [("K11", 1_000_000), ("K12", 500_000)]
    [mismatch] = [f for f in found.findings if f.code == "contents.redline_mismatch"]
    assert mismatch.facts["count"] == 1
    assert mismatch.facts["area"] == pytest.approx(50, rel=0.01)


def test_a_screening_row_that_withdraws_takes_the_whole_patch(zone, monkeypatch):
    strict = json.loads(json.dumps(candidates.screening()))
    for row in strict["screening"]:
        if row["role"] == "mining_right":
            row["verdict"] = "withdraw"
    monkeypatch.setattr(candidates, "screening", lambda: strict)
    found = handed_in(
        zone(
            "withdrawn",
            ecological_redline=REDLINE,
            important_wetland=[wetland(0, 0, 1000, 1000)],
            mining_right=[(box(0, 0, 10, 10), {"tier": "mining"})],
        )
    ).sheets
    [row] = found["HXLZ"].rows()
    assert (row["JL"], row["JYMJ"], len(found["HXJY"])) == ("退出", 0, 0)
    assert "采矿权" in row["LY"]


def test_the_screening_names_known_roles_and_tiers_and_says_that_it_is_proposed():
    from swc_zoning.engine import roles, rules

    shown = candidates.screening()
    assert set(shown["kinds"]) <= set(rules.load().conflicts)
    assert shown["status"] == "proposed"
    for row in [*shown["screening"], *shown["types"]]:
        known = roles.find(row["role"])
        assert set(row["tiers"] or ()) <= {*known.tier_ids, roles.UNKNOWN}
    for row in shown["screening"]:
        assert row["verdict"] in {"keep", "note", "deduct", "withdraw"}
        assert row["status"] == "proposed"
        assert row["reason_zh"]
        assert row["reason_en"]


# --- identifiers through time ------------------------------------------------------------------------


def parts(seed=0, shift=0):
    layers = {
        "ecological_redline": [(box(0, 0, 1000, 1000), {"id": "H", "tier": "biodiversity"})],
        "nature_park": [(box(800 + shift, 0, 1800, 1500), {"id": "G", "tier": "forest_park"})],
        "permanent_basic_farmland": [
            (box(2000 + i * 100, 0, 2080 + i * 100, 500), {"id": f"Y{i}", "tier": "pbf"}) for i in range(15)
        ],
    }
    if seed:
        dice = random.Random(seed)
        for features in layers.values():
            dice.shuffle(features)
        names = list(layers)
        dice.shuffle(names)
        layers = {name: layers[name] for name in names}
    return layers


def same(one, other):
    for name, sheet in one.items():
        if name in ("META", "BSMDJ"):
            continue
        for field, values in sheet.columns.items():
            assert values.tolist() == pytest.approx(other[name].columns[field].tolist(), nan_ok=True), (
                name,
                field,
            )
        if sheet.geometry is not None:
            assert shapely.equals_exact(
                shapely.normalize(sheet.geometry), shapely.normalize(other[name].geometry)
            ).all()


def test_the_order_of_layers_and_features_changes_nothing(zone):
    first = handed_in(zone("first", **parts())).sheets
    again = handed_in(zone("shuffled", **parts(seed=7))).sheets
    same(first, again)


def keep(found, path):
    datasets.write(path, "gpkg", [found.sheets["BSMDJ"], found.sheets["META"]])
    return path


def by_piece(found, name):
    return dict(rows(found.sheets["SBGKFQ"], "TBYBH", name))


def test_unchanged_pieces_keep_their_identifiers_and_none_is_given_twice(zone, tmp_path):
    first = handed_in(zone("before", **parts()))
    package = keep(first, tmp_path / "before.gpkg")
    second = handed_in(zone("after", **parts(seed=3, shift=50)), register=str(package), date="20270101")
    old, new = by_piece(first, "BSM"), by_piece(second, "BSM")
    kept = set(old) & set(new)
    assert 15 <= len(kept) < len(new)
    assert all(old[piece] == new[piece] for piece in kept)
    assert not {new[piece] for piece in set(new) - kept} & set(old.values())
    numbers = by_piece(first, "TBBH"), by_piece(second, "TBBH")
    assert all(numbers[0][piece] == numbers[1][piece] for piece in kept)
    assert not {numbers[1][piece] for piece in set(new) - kept} & set(numbers[0].values())
    farmland = [dict(rows(found.sheets["YJJBNTBHTB"], "YBSM", "BSM")) for found in (first, second)]
    assert farmland[0] == farmland[1]
    gone = {old[piece] for piece in set(old) - kept}
    states = {row["BSM"]: (row["ZT"], row["QYRQ"], row["ZXRQ"]) for row in second.sheets["BSMDJ"].rows()}
    assert {states[bsm] for bsm in gone} == {("2", "20261201", "20270101")}
    assert {states[old[piece]] for piece in kept} == {("1", "20261201", None)}
    # What comes back is what it was, and what was given in between stays apart.
    third = handed_in(
        zone("back", **parts()), register=str(keep(second, tmp_path / "after.gpkg")), date="20270201"
    )
    assert by_piece(third, "BSM") == old
    assert by_piece(third, "TBBH") == numbers[0]


def test_a_piece_of_another_zone_keeps_its_identifier_and_gets_a_number_of_that_zone(zone, tmp_path):
    here = box(0, 0, 1000, 1000)
    first = handed_in(zone("farm", permanent_basic_farmland=[(here, {"id": "A", "tier": "pbf"})]))
    package = keep(first, tmp_path / "farm.gpkg")
    second = handed_in(
        zone("park", nature_park=[(here, {"id": "A", "tier": "forest_park"})]), register=str(package)
    )
    assert by_piece(first, "BSM") == by_piece(second, "BSM")
    [changed] = [p for p, number in by_piece(first, "TBBH").items() if by_piece(second, "TBBH")[p] != number]
    was, now = by_piece(first, "TBBH")[changed], by_piece(second, "TBBH")[changed]
    assert (was[:4], now[:4]) == ("0303", "0201")
    # The number it had stays taken.
    third = handed_in(
        zone("both", permanent_basic_farmland=[(box(0, 0, 500, 1000), {"id": "A", "tier": "pbf"})]),
        register=str(keep(second, tmp_path / "park.gpkg")),
    )
    assert was not in by_piece(third, "TBBH").values()


def test_an_earlier_package_without_a_register_is_refused(zone, tmp_path):
    result = zone("result", **parts())
    found = handed_in(result)
    datasets.write(tmp_path / "public.gpkg", "gpkg", [found.sheets["TJ_QF"]])
    with pytest.raises(SwcError) as raised:
        handed_in(result, register=str(tmp_path / "public.gpkg"))
    assert raised.value.code == "contents.no_register"


def test_serials_go_on_after_the_highest_ever_given():
    old = [register.Entry("SBGKFQ", "gone", "310101000000000041", "02010000007", "20250101", "20260101", "2")]
    book = register.Register(old, "20270101")
    bsm, number = book.give("SBGKFQ", ["new"], ["310101"], ["0201"])
    assert (bsm[0], number[0]) == ("310101000000000042", "02010000008")
    assert [entry.state for entry in book.entries()] == ["1", "2"]


# --- copies ------------------------------------------------------------------------------------------


def test_copies_carry_the_fields_of_their_sources_under_names_of_their_own(demo):
    _, found = demo
    red = found.sheets["STBHHX"]
    assert {"HXBM", "HXMC", "SFZRBHDHXQ", "Y_MJ"} <= set(red.columns)
    assert red.columns["HXBM"].tolist() == red.columns["YBSM"].tolist()
    # Text of a source in another encoding comes as it was read in the run.
    assert "合成数据 synthetic" in found.sheets["YJJBNTBHTB"].columns["Y_BZ"].tolist()


def test_long_texts_fit_and_numbers_stay_numbers(zone):
    words = "很长的名称" * 60
    here = box(0, 0, 1000, 1000)
    result = zone(
        "long",
        permanent_basic_farmland=[
            (
                here,
                {
                    "id": "1",
                    "tier": "pbf",
                    "note": words,
                    "rank": 7,
                    "size": 1.5,
                    "Shape_Area": 9.0,
                    "no": 3101010000000001,
                },
            ),
            (
                box(2000, 0, 2500, 500),
                {"id": "2", "tier": "pbf", "note": None, "rank": 8, "size": None, "no": 5},
            ),
        ],
    )
    copy = handed_in(result).sheets["YJJBNTBHTB"]
    note, other = copy.columns["note"].tolist()
    assert (note[:250].rstrip("…") in words, note[-1], other) == (True, "…", None)
    assert len(note.encode("gb18030")) <= 254
    assert copy.columns["rank"].dtype == np.int64
    # Names a file geodatabase keeps for itself stay out.
    assert "Shape_Area" not in copy.columns
    assert copy.columns["no"].tolist() == ["3101010000000001", "5"]
    assert copy.columns["size"].tolist() == pytest.approx([1.5, np.nan], nan_ok=True)


def test_a_source_that_changed_since_the_run_lends_no_fields(zone, tmp_path):
    result = zone("sources", **parts())
    fields = set(handed_in(result).sheets["YJJBNTBHTB"].columns)
    assert {"id", "tier"} <= fields
    with (tmp_path / "permanent_basic_farmland.gpkg").open("ab") as stream:
        stream.write(b"\0")
    (tmp_path / "ecological_redline.gpkg").unlink()
    found = handed_in(result)
    assert not {"id", "tier"} & set(found.sheets["YJJBNTBHTB"].columns)
    told = {(f.code, f.facts["layer"]) for f in found.findings if f.code.startswith("contents.attributes")}
    assert ("contents.attributes_changed", "permanent_basic_farmland") in told
    assert ("contents.attributes_gone", "ecological_redline") in told
    assert len(found.sheets["STBHHX"]) == 1


def test_the_hash_of_the_extent_does_not_depend_on_order_and_sees_a_moved_vertex():
    one, other = shapely.box(121, 31, 121.1, 31.1), shapely.box(121.1, 31, 121.2, 31.1)
    both = np.array([one, other], object)
    said = references.extent_sha(both)
    assert (
        references.extent_sha(np.array([shapely.reverse(other), shapely.MultiPolygon([one])], object)) == said
    )
    assert references.extent_sha(np.array([shapely.box(121, 31, 121.1, 31.1000001), other], object)) != said


# --- what a package says of itself -------------------------------------------------------------------


def test_meta_holds_what_checks_rely_on(demo):
    folder, found = demo
    summary = written.summary_of(folder)
    said = {}
    for row in sorted(found.sheets["META"].rows(), key=lambda row: row["XH"]):
        said[row["ITEM"]] = said.get(row["ITEM"], "") + (row["VALUE"] or "")
    assert said["content_sha256"] == summary["content_sha256"]
    assert (said["profile"], said["stage"], said["name"], said["land_mask"]) == (
        "shanghai",
        "draft",
        "演示市",
        "1",
    )
    assert said["control:990101"] == "22359966.40"
    assert float(said["control:"]) == pytest.approx(summary["total"]["control_m2"], abs=0.005)
    assert said["count:SBGKFQ"] == str(len(found.sheets["SBGKFQ"]))
    assert json.loads(said["input:3"])["role"] == "ecological_redline"
    assert json.loads(said["input:3"])["sha256"] == summary["inputs"][3]["sha256"]
    assert said["extent_sha"] == references.extent_sha(found.sheets["XZQ"].geometry)
    assert round(float(said["reference_m2:STBHHX"]) * 100) == centi(found.sheets["STBHHX"])
    assert (said["target:2025"], said["target:2035"]) == ("98.25", "98.45")
    assert 0 < float(said["rate"]) < 100
    assert {"crs", "secrecy", "provider"} <= set(json.loads(said["input:3"]))
    assert "count:ZJJG" not in said
    assert not any("/" in value and ".gpkg" in value for value in said.values())


def test_a_long_value_goes_on_in_further_rows():
    layer = schemas.load().layers["META"]
    text = "水土保持" * 100
    made = list(about.rows_of(layer, "input:1", text))
    assert [row["XH"] for row in made] == list(range(len(made)))
    assert len(made) > 1
    assert "".join(row["VALUE"] for row in made) == text
    assert max(len(row["VALUE"].encode("gb18030")) for row in made) <= 254


def test_missing_roles_are_named(zone):
    found = handed_in(zone("missing", **parts()))
    items = {row["ITEM"] for row in found.sheets["META"].rows()}
    assert {"missing_role:drinking_water_source", "missing_role:key_prevention_zone"} <= items
    assert len(found.sheets["TJ_TD"]) == 0
    assert "SYDBHQ" not in found.sheets


# --- odd cities --------------------------------------------------------------------------------------


def test_a_city_without_districts_is_one_of_its_own_code(zone):
    found = handed_in(zone("whole", extent=None, **parts())).sheets
    assert rows(found["XZQ"], "XZQDM", "XZQMC") == [("310000", "演示市")]
    assert {bsm[:10] for bsm in found["SBGKFQ"].columns["BSM"]} == {"3100000000"}


def test_a_district_whose_code_is_none_is_told_and_named_by_the_city(zone):
    found = handed_in(
        zone("odd", extent=[(box(0, 0, 4000, 2000), {"code": "东", "name": "东区"})], **parts())
    )
    assert {bsm[:10] for bsm in found.sheets["SBGKFQ"].columns["BSM"]} == {"3100000000"}
    assert [f.facts["codes"] for f in found.findings if f.code == "contents.district_codes"] == ["东"]


def test_a_result_whose_decision_table_is_lost_is_refused(zone, tmp_path):
    import sqlite3

    result = zone("lost", **parts())
    shutil.copytree(result, tmp_path / "copy")
    with sqlite3.connect(tmp_path / "copy" / "zoning.gpkg") as connection:
        connection.execute("DELETE FROM run WHERE item = 'decision_table'")
    summary = json.loads((tmp_path / "copy" / "summary.json").read_text())
    summary["rules"]["sha256"] = "0" * 64
    (tmp_path / "copy" / "summary.json").write_text(json.dumps(summary))
    with pytest.raises(SwcError) as raised:
        handed_in(tmp_path / "copy")
    assert raised.value.code == "contents.no_table"


def test_another_working_plane_comes_out_in_the_same_degrees(zone, make_job, tmp_path):
    job = json.loads(make_job(extent=DISTRICT, **parts()).read_text())
    job["crs"] = "EPSG:4550"
    (tmp_path / "other.json").write_text(json.dumps(job))
    run.run(tmp_path / "other.json").write(tmp_path / "other")
    there = handed_in(tmp_path / "other").sheets["XZQ"].geometry[0]
    to_degrees = pyproj.Transformer.from_crs(PLANE, "EPSG:4490", always_xy=True)
    corners = shapely.points(np.column_stack(to_degrees.transform(*DISTRICT[0][0].exterior.xy)))
    # Corners are vertices in every plane; what lies between them bends.
    assert shapely.distance(corners, shapely.multipoints(shapely.get_coordinates(there))).max() < 2e-9
