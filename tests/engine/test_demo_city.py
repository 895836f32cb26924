# SPDX-License-Identifier: GPL-2.0-or-later
"""The demo city: same seed, same city; its habits are as promised; its list of planted faults is true."""

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import pyogrio
import pytest
import shapely

from swc_zoning.engine import roles
from swc_zoning.engine.job import check

ROOT = Path(__file__).resolve().parents[2]
SCALE = "0.04"
KINDS = [f"K{n:02d}" for n in (*range(1, 14), *range(17, 24))]


def made(output, seed="7", scale=SCALE, cell="100"):
    asked = ["--output", str(output), "--seed", seed, "--scale", scale, "--cell", cell]
    command = [sys.executable, "-m", "swc_zoning", "demo", *asked]
    subprocess.run(command, check=True, capture_output=True, cwd=ROOT)
    return output


def document(folder, name):
    return json.loads((folder / name).read_text(encoding="utf-8"))


def entries(folder):
    job = document(folder, "job.json")
    return [{"role": "admin_extent", **job["extent"]}, *job["layers"]]


def opened(folder, entry):
    encoding = "GBK" if entry["source"].endswith("YJJBNTTB.shp") else None
    return pyogrio.read_dataframe(folder / entry["source"], layer=entry["layer"], encoding=encoding)


def fingerprint(folder):
    digest = hashlib.sha256()
    for entry in entries(folder):
        table = opened(folder, entry)
        digest.update(b"".join(shapely.to_wkb(shapely.normalize(g)) for g in table.geometry if g is not None))
        digest.update(table.drop(columns="geometry").to_csv().encode())
    return digest.hexdigest()


@pytest.fixture(scope="module")
def city(tmp_path_factory):
    return made(tmp_path_factory.mktemp("city"))


@pytest.fixture(scope="module")
def tables(city):
    return {entry["role"]: opened(city, entry) for entry in entries(city)}


@pytest.fixture(scope="module")
def covers(city, tables):
    """Return, in the working CRS, the union of each role and of each tier of it."""
    groups = {}
    for entry in entries(city)[1:]:
        tier = entry.get("tier", {})
        table = tables[entry["role"]].to_crs("EPSG:4549")
        for _, row in table[table.geometry.notna()].iterrows():
            word = tier.get("value") or tier["map"].get(row[tier["field"]], "unknown")
            shape = shapely.make_valid(row.geometry)
            groups.setdefault(entry["role"], []).append(shape)
            groups.setdefault(f"{entry['role']}:{word}", []).append(shape)
    return {key: shapely.union_all(shapes) for key, shapes in groups.items()}


def region(covers, planted):
    groups = [shapely.union_all([covers[k] for k in group if k in covers]) for group in planted["all"]]
    found = groups[0]
    for group in groups[1:]:
        found = found.intersection(group)
    return found.difference(shapely.union_all([covers[k] for k in planted["none"] if k in covers]))


def test_the_same_seed_makes_the_same_city_and_another_seed_another(city, tmp_path):
    again, other = made(tmp_path / "again"), made(tmp_path / "other", seed="8")
    assert fingerprint(again) == fingerprint(city)
    assert document(again, "planted.json") == document(city, "planted.json")
    assert fingerprint(other) != fingerprint(city)


def test_the_job_names_only_files_that_exist_and_roles_and_tiers_that_are_known(city):
    job = document(city, "job.json")
    for entry in job["layers"]:
        role = roles.find(entry["role"])
        assert role is not None, entry["role"]
        assert (city / entry["source"]).exists()
        words = [entry["tier"]["value"]] if "value" in entry["tier"] else entry["tier"]["map"].values()
        for word in words:
            assert roles.canonical_tier(entry["role"], word) == word
    assert not [f for f in check(job) if f.code != "job.source_missing"]


def test_everything_is_labelled_synthetic(city, tables):
    assert "合成数据" in (city / "README.txt").read_text(encoding="utf-8")
    assert "合成数据" in document(city, "job.json")["title"]
    for role, table in tables.items():
        assert set(table["BZ"]) == {"合成数据 synthetic"}, role


def test_the_districts_tile_the_city_exactly(tables):
    districts = tables["admin_extent"]
    assert len(districts) == 16
    assert not shapely.is_empty(districts.geometry.array).any()
    assert shapely.is_empty(shapely.coverage_invalid_edges(districts.geometry.array)).all()
    whole = shapely.union_all(districts.geometry.array)
    assert whole.geom_type == "Polygon"
    assert not whole.interiors
    assert districts.area.sum() == pytest.approx(whole.area, rel=1e-12)


def test_land_use_is_an_exact_coverage_of_the_land_inside_the_districts(tables):
    use, mask = tables["landuse_status"], tables["land_mask"]
    assert shapely.is_empty(shapely.coverage_invalid_edges(use.geometry.array)).all()
    missing = shapely.difference(
        shapely.union_all(mask.geometry.array), shapely.union_all(use.geometry.array)
    )
    assert missing.area == 0.0


def test_farmland_is_a_gbk_shapefile_without_a_code_page_file(city, tables):
    path = city / "三线" / "YJJBNTTB.shp"
    assert not path.with_suffix(".cpg").exists()
    assert "合成数据".encode("gbk") in path.with_suffix(".dbf").read_bytes()
    assert "合成数据".encode() not in path.with_suffix(".dbf").read_bytes()
    assert tables["permanent_basic_farmland"]["XZQMC"].str.endswith("区").all()


def test_farmland_meets_land_use_partly_edge_for_edge_and_partly_up_to_two_metres_off(tables):
    farmland, use = tables["permanent_basic_farmland"], tables["landuse_status"]
    exact = farmland.geometry.normalize().isin(set(use.geometry.normalize()))
    assert 0.2 < exact.mean() < 0.95
    off = farmland[~exact].geometry.array
    nearest = use.geometry.array[use.sindex.nearest(shapely.point_on_surface(off))[1]]
    assert 0.05 < shapely.hausdorff_distance(off, nearest).max() <= 2.01


def test_layers_come_in_the_formats_and_reference_systems_promised(city, tables):
    codes = {role: table.crs.to_epsg() for role, table in tables.items()}
    assert codes["nature_reserve"] == 4490
    assert codes["key_treatment_zone"] == 4528
    assert tables["key_treatment_zone"].total_bounds[0] > 40_000_000
    assert {code for role, code in codes.items() if role not in ("nature_reserve", "key_treatment_zone")} == {
        4549
    }
    suffixes = {Path(entry["source"]).suffix for entry in entries(city)}
    assert suffixes == {".gpkg", ".shp", ".gdb", ".geojson"}


def test_the_development_boundary_keeps_its_alias_and_every_vertex(city, tables):
    boundary = tables["urban_development_boundary"]
    assert set(boundary["GHFQMC"]) == {"城镇集中建设区", "城镇弹性发展区", "特别用途区"}
    points = shapely.get_coordinates(boundary.geometry.array)
    assert abs(points - points.round(3)).max() < 1e-9
    catalogue = b"".join(f.read_bytes() for f in (city / "三线" / "CZKFBJ.gdb").glob("*.gdbtable"))
    assert "<AliasName>城镇开发边界（合成数据".encode() in catalogue


def test_the_flaws_are_where_the_list_says(city, tables):
    flaws = document(city, "planted.json")["flaws"]
    ids = {entry["role"]: entry["id_field"] for entry in entries(city)[1:]}
    rows = {}
    for flaw in flaws:
        table = tables[flaw["role"]]
        rows.setdefault(flaw["flaw"], []).append(table[table[ids[flaw["role"]]] == flaw["id"]])
    assert all(not row.geometry.iloc[0].is_valid for row in rows["self_intersection"])
    assert rows["null_geometry"][0].geometry.iloc[0] is None
    assert len(rows["repeated_feature"][0]) == 2
    assert (
        rows["repeated_feature"][0]
        .geometry.iloc[0]
        .equals_exact(rows["repeated_feature"][0].geometry.iloc[1])
    )
    for row in rows["repeated_vertices"]:
        points = shapely.get_coordinates(row.geometry.iloc[0])
        assert (points[1:] == points[:-1]).all(axis=1).sum() > len(points) / 2
    planned = tables["planned_construction"]
    overlap = shapely.Point(next(f["place"] for f in flaws if f["flaw"] == "overlap_inside_layer"))
    assert planned.geometry.contains(overlap).sum() == 2


def test_every_main_kind_of_conflict_is_planted(city):
    assert [fact["conflict"] for fact in document(city, "planted.json")["conflicts"]] == KINDS


@pytest.mark.parametrize("kind", KINDS)
def test_a_planted_conflict_is_true(city, covers, kind):
    planted = next(f for f in document(city, "planted.json")["conflicts"] if f["conflict"] == kind)
    found = region(covers, planted)
    assert planted["hectares"] > 0.1
    assert found.area / 1e4 == pytest.approx(planted["total_hectares"], abs=1e-3)
    part = next(
        p for p in shapely.get_parts(found) if p.buffer(0.1).contains(shapely.Point(planted["place"]))
    )
    assert part.area / 1e4 == pytest.approx(planted["hectares"], abs=1e-3)


def test_one_exemption_with_an_approval_number_lies_over_a_park_inside_the_boundary(tables):
    exemption = tables["registered_exemption"]
    assert len(exemption) == 1
    assert "号" in exemption["PZWH"].iloc[0]
    park = shapely.union_all(tables["nature_park"].geometry.array)
    assert park.buffer(0.01).contains(exemption.geometry.iloc[0])


def test_a_scale_out_of_range_is_refused(tmp_path):
    with pytest.raises(subprocess.CalledProcessError) as refused:
        made(tmp_path, scale="9")
    assert "不在 0.02 至 4".encode() in refused.value.stderr


def test_cells_out_of_range_are_refused(tmp_path):
    with pytest.raises(subprocess.CalledProcessError) as refused:
        made(tmp_path, cell="5")
    assert refused.value.returncode == 2
    assert "不在 10 至 1000".encode() in refused.value.stderr
