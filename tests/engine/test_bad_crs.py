# SPDX-License-Identifier: GPL-2.0-or-later
"""Layers whose coordinates are not where their CRS says: what is found, how it is proved and settled."""

from __future__ import annotations

import hashlib
import json
import time
from dataclasses import replace

import geopandas
import numpy as np
import pytest
import shapely
from pyproj import CRS, Transformer

from swc_zoning.engine import boundary_shift, corrections, crs_doctor, formats, georef, intake
from swc_zoning.engine import job as jobs
from swc_zoning.engine.crs import templates
from swc_zoning.engine.messages import Blocked, SwcError
from swc_zoning.engine.progress import Progress
from swc_zoning.engine.run import run

DISTRICTS = "shanghai_districts"
LOCAL_PLANE = (
    'PROJCS["SH_LOCAL",GEOGCS["GCS_Beijing_1954",DATUM["D_Beijing_1954",'
    'SPHEROID["Krasovsky_1940",6378245.0,298.3]],PRIMEM["Greenwich",0.0],'
    'UNIT["Degree",0.0174532925199433]],PROJECTION["Gauss_Kruger"],PARAMETER["False_Easting",0.0],'
    'PARAMETER["False_Northing",-3400000.0],PARAMETER["Central_Meridian",121.4666666667],'
    'PARAMETER["Scale_Factor",1.0],PARAMETER["Latitude_Of_Origin",0.0],UNIT["Meter",1.0]]'
)


def town(steps=12, seed=3, west=600_000.0, south=3_440_000.0, size=30_000.0):
    """Return districts with crooked boundaries, an outline nobody takes for a box (EPSG:4549)."""
    rng = np.random.default_rng(seed)
    angle = np.linspace(0, 2 * np.pi, 20 * steps, endpoint=False)
    radius = size / 2 * (0.8 + 0.2 * np.sin(5 * angle + 1) * rng.uniform(0.5, 1, len(angle)))
    rim = np.column_stack(
        [west + size / 2 + radius * np.cos(angle), south + size / 2 + radius * np.sin(angle)]
    )
    whole = shapely.Polygon(rim)
    middle = west + size / 2
    halves = [
        shapely.box(west - size, south - size, middle, south + 2 * size),
        shapely.box(middle, south - size, west + 2 * size, south + 2 * size),
    ]
    return [shapely.intersection(whole, half) for half in halves]


def parcels(count=5):
    """Return small squares within the town (EPSG:4549)."""
    return [shapely.box(x, 3_450_000, x + 500, 3_450_500) for x in 610_000 + 1500.0 * np.arange(count)]


def moved(geometry, change):
    return [shapely.transform(one, change) for one in geometry]


def by(east, north):
    return lambda points: points + np.array([east, north])


def to(crs, geometry, source="EPSG:4549"):
    way = Transformer.from_crs(source, crs, always_xy=True)
    return moved(geometry, lambda points: np.column_stack(way.transform(*points.T)))


def swapped(geometry):
    return moved(geometry, lambda points: points[:, ::-1])


class City:
    """A folder with a job: the town as extent, and layers with numbers and a label of the test's choice."""

    def __init__(self, folder):
        self.folder = folder
        self.document = {"schema": 1, "layers": [], "options": {}}

    def put(self, name, geometry, label, driver="GPKG"):
        path = self.folder / name
        frame = geopandas.GeoDataFrame({"code": [str(i) for i in range(len(geometry))]}, geometry=geometry)
        (frame if label is None else frame.set_crs(label)).to_file(path, driver=driver)
        return name

    def extent(self, geometry=None, label="EPSG:4549", name="town.gpkg"):
        source = self.put(name, geometry or town(), label)
        self.document["extent"] = {"source": source, "code_field": "code"}
        return self

    def layer(self, geometry, label, name="layer.gpkg", role="parcels", **entry):
        source = self.put(name, geometry, label)
        self.document["layers"].append({"role": role, "source": source, **entry})
        return self

    def job(self, **keys):
        return jobs.load({**self.document, **keys}, self.folder)

    def findings(self, **keys):
        return intake.inspect(self.job(**keys))

    def read(self, **keys):
        return intake.read(self.job(**keys), Progress())

    def found(self, **keys):
        """Return the one finding of errors and warnings."""
        (one,) = [f for f in self.findings(**keys) if f.severity != "info"]
        return one

    def settled(self, finding, number=0):
        """Return what is read once a fix is in the job, checked as a job of its own."""
        fix = finding.fixes[number]
        entry = self.document["extent"] if fix.entry is None else self.document["layers"][fix.entry]
        entry.update(fix.change)
        return self.read()


@pytest.fixture
def city(tmp_path):
    return City(tmp_path)


def layers_geometry(taken):
    extents = np.array([record.extent for record in taken.layers])
    return taken.features.geometry[~extents[taken.features.layer]]


def assert_true_place(taken, within=0.01):
    """Assert that the parcels lie where they are in truth (EPSG:4549, metres)."""
    assert taken.crs.to_epsg() == 4549
    got = shapely.get_coordinates(shapely.centroid(layers_geometry(taken)))
    truth = shapely.get_coordinates(shapely.centroid(np.array(parcels())))
    assert np.abs(got - truth).max() < within


def sole_fix(finding):
    (fix,) = finding.fixes
    return fix.change, fix.sure


# --- B28 to B31, B36: which CRS, which axes --------------------------------------------------------


def test_b28_a_layer_without_crs_stops_with_choices_and_none_is_taken(city):
    """B28"""
    finding = city.extent().layer(parcels(), None).found()
    assert finding.code == "intake.crs_missing"
    assert sole_fix(finding) == ({"crs": "EPSG:4549"}, False)
    assert finding.facts["frame"] == "town"
    assert finding.facts["candidates"][0]["share"] == 1.0
    assert jobs.fixed(city.job(), [finding])["layers"][0].get("crs") is None
    assert_true_place(city.settled(finding))


def test_b28_without_anything_to_hold_it_against_nothing_is_offered(city):
    """B28"""
    finding = city.layer(parcels(), None).found()
    assert (finding.code, finding.fixes, finding.facts["proposal"]) == ("intake.crs_missing", (), "—")


@pytest.mark.parametrize(
    ("truth", "label", "code"),
    [
        pytest.param("EPSG:4549", "EPSG:4490", "intake.crs_units", id="B29-metres-labelled-degrees"),
        pytest.param("EPSG:4490", "EPSG:4549", "intake.crs_units", id="B29-degrees-labelled-metres"),
        pytest.param("EPSG:4549", "EPSG:4550", "intake.crs_elsewhere", id="B29-wrong-meridian"),
        pytest.param("EPSG:4550", "EPSG:4549", "intake.crs_elsewhere", id="B29-wrong-meridian-back"),
        pytest.param("EPSG:4549", "EPSG:4509", "intake.crs_elsewhere", id="B29-3-degrees-labelled-6"),
        pytest.param("EPSG:4510", "EPSG:4549", "intake.crs_elsewhere", id="B29-6-degrees-labelled-3"),
        pytest.param("EPSG:4528", "EPSG:4549", "intake.crs_zone", id="B30-4528-labelled-4549"),
        pytest.param("EPSG:4549", "EPSG:4528", "intake.crs_zone", id="B30-4549-labelled-4528"),
        pytest.param("EPSG:4499", "EPSG:4549", "intake.crs_zone", id="B30-zone-21-labelled-4549"),
    ],
)
@pytest.mark.parametrize("framed", [True, False], ids=["extent", "others"])
def test_a_wrong_label_is_proved_by_numbers_and_settled_by_one_fix(city, truth, label, code, framed):
    """B29, B30"""
    city.layer(to(truth, parcels()), label)
    if framed:
        city.extent()
    else:
        for name in ("one", "two"):
            city.layer(parcels(), "EPSG:4549", f"{name}.gpkg", name)
    finding = city.found()
    assert (finding.code, finding.layer) == (code, "layer")
    # 4550 and 4510 are one projection; the meridian is what counts.
    change, sure = sole_fix(finding)
    assert sure
    assert (
        georef.gauss_krueger(CRS(change["crs"])) == georef.gauss_krueger(CRS(truth)) or truth == "EPSG:4490"
    )
    assert finding.facts["candidates"][0]["offset_m"] == 0.0
    if code == "intake.crs_elsewhere":
        assert 100 < finding.facts["offset_km"] < 700
    fixed = jobs.fixed(city.job(), [finding])
    city.document = fixed
    taken = city.read()
    got = layers_geometry(taken)[:5]
    assert np.abs(shapely.bounds(got) - shapely.bounds(np.array(parcels()))).max() < 0.01


@pytest.mark.parametrize(
    ("numbers", "label", "proposal"),
    [
        ("EPSG:4528", "EPSG:4549", "EPSG:4528"),
        ("EPSG:4549", "EPSG:4528", "EPSG:4549"),
        ("EPSG:4499", "EPSG:4549", "EPSG:4499"),
    ],
)
def test_b30_a_zone_number_is_proof_enough_with_no_other_layer(city, numbers, label, proposal):
    """B30"""
    finding = city.layer(to(numbers, parcels()), label).found()
    assert finding.code == "intake.crs_zone"
    assert sole_fix(finding) == ({"crs": proposal}, True)


@pytest.mark.parametrize(
    ("label", "geometry", "change"),
    [
        ("EPSG:4549", swapped(parcels()), {"axis_order": "swap"}),
        ("EPSG:4490", swapped(to("EPSG:4490", parcels())), {"axis_order": "swap"}),
        ("EPSG:4549", swapped(to("EPSG:4528", parcels())), {"crs": "EPSG:4528", "axis_order": "swap"}),
        ("EPSG:4549", swapped(to("EPSG:4490", parcels())), {"crs": "EPSG:4490", "axis_order": "swap"}),
    ],
    ids=["B31-northing-first", "B31-latitude-first", "B31-and-zone-number", "B31-degrees-as-metres"],
)
def test_b31_swapped_axes_are_proved_and_swapped_on_a_copy(city, label, geometry, change):
    """B31"""
    city.extent().layer(geometry, label)
    before = hashlib.sha256((city.folder / "layer.gpkg").read_bytes()).hexdigest()
    finding = city.found()
    assert sole_fix(finding) == (change, True)
    if "crs" not in change:
        assert finding.code == "intake.crs_axes"
    taken = city.settled(finding)
    assert_true_place(taken)
    assert taken.layers[1].corrections == {"axis_order": "swap"}
    assert "intake.axes_swapped" in [f.code for f in taken.findings]
    assert hashlib.sha256((city.folder / "layer.gpkg").read_bytes()).hexdigest() == before


def test_b31_axes_swapped_by_the_job_without_need_are_swapped_back(city):
    """B31"""
    city.extent().layer(parcels(), "EPSG:4549", axis_order="swap")
    finding = city.found()
    assert sole_fix(finding) == ({"axis_order": "as_is"}, True)
    assert_true_place(city.settled(finding))


@pytest.mark.parametrize("label", ["EPSG:3857", "EPSG:4326", "EPSG:4490"])
def test_b36_web_mercator_and_degrees_are_reprojected(city, label):
    """B36"""
    taken = city.extent().layer(to(label, parcels()), label).read()
    assert_true_place(taken)
    assert not [f for f in taken.findings if f.severity == "error"]


def test_b36_no_tolerance_in_degrees(city):
    """B36"""
    city.extent().layer(parcels(), "EPSG:4549")
    assert city.found(crs="EPSG:4490").code == "intake.working_crs_not_metric"


def test_web_mercator_without_a_label_is_offered(city):
    finding = city.extent().layer(to("EPSG:3857", parcels()), None).found()
    assert sole_fix(finding) == ({"crs": "EPSG:3857"}, False)


# --- B32 to B34: offsets ---------------------------------------------------------------------------


def by_lonlat(change):
    """Return a change of EPSG:4549 points that is one of longitude and latitude."""
    way = Transformer.from_crs("EPSG:4549", "EPSG:4490", always_xy=True)

    def changed(points):
        there = change(np.column_stack(way.transform(*points.T)))
        return np.column_stack(way.transform(*there.T, direction="INVERSE"))

    return changed


@pytest.mark.parametrize("kind", [pytest.param("gcj02", id="B32"), pytest.param("bd09", id="B33")])
@pytest.mark.parametrize("frame", ["extent", "reference"])
def test_the_offset_of_a_web_map_is_measured_told_and_never_corrected(city, kind, frame):
    """B32, B33"""
    shown = moved(town(), by_lonlat(corrections.SHOWN_PLACES[kind]))
    city.layer(shown, "EPSG:4549", role="townships")
    if frame == "extent":
        city.extent()
    else:
        city.put("right.gpkg", town(), "EPSG:4549")
        city.document["reference"] = {"source": "right.gpkg"}
    finding = city.found()
    assert (finding.code, finding.severity) == (f"intake.shift_{kind}", "warning")
    facts = finding.facts
    assert facts[f"{kind}_m"] < 1.0 < 100.0 < facts["none_m"]
    assert 300 < facts["offset_m"] < 1500
    assert sole_fix(finding) == ({"shift": kind}, False)
    assert "shift" not in jobs.fixed(city.job(), [finding])["layers"][0]


@pytest.mark.parametrize("kind", ["gcj02", "bd09"])
def test_an_extent_from_a_web_map_is_told_itself(city, kind):
    shown = moved(town(), by_lonlat(corrections.SHOWN_PLACES[kind]))
    finding = city.extent(shown).layer(town(), "EPSG:4549", role="townships").found()
    assert (finding.code, finding.layer) == (f"intake.shift_{kind}", "town")
    assert finding.fixes[0].entry is None


@pytest.mark.parametrize("kind", ["gcj02", "bd09"])
def test_what_is_corrected_for_show_is_marked_and_cannot_be_submitted(city, kind):
    shown = moved(town(), by_lonlat(corrections.SHOWN_PLACES[kind]))
    city.extent().layer(shown, "EPSG:4549", role="townships", shift=kind)
    taken = city.read()
    got, truth = (shapely.get_coordinates(g) for g in (layers_geometry(taken), np.array(town())))
    assert np.abs(got - truth).max() < 1e-3
    record = taken.layers[1]
    assert (record.mark, record.corrections) == ("示意，不得汇交", {"shift": kind})
    assert taken.layers[0].mark == ""
    assert [f.code for f in taken.findings if f.severity == "warning"] == ["intake.shift_corrected"]
    for accepted in ([], ["intake.show_only"]):
        with pytest.raises(Blocked) as caught:
            city.read(options={"mode": "submission", "accept": accepted})
        assert "intake.show_only" in [f.code for f in caught.value.findings]


def test_the_mark_reaches_summary_and_tables(city, tmp_path):
    shown = moved(town(), by_lonlat(corrections.gcj02))
    city.extent().layer(shown, "EPSG:4549", role="townships", shift="gcj02")
    files = run(city.job()).write(tmp_path / "out")
    summary = json.loads((tmp_path / "out" / "summary.json").read_text(encoding="utf-8"))
    assert [record["mark"] for record in summary["inputs"]] == ["", "示意，不得汇交"]
    assert summary["inputs"][1]["corrections"] == {"shift": "gcj02"}
    table = formats.read_back(tmp_path / "out" / "zoning.gpkg", "run").columns
    rows = dict(zip(table["item"], table["value"]))
    assert rows["mark"] == "示意，不得汇交: layer"
    assert files


@pytest.mark.parametrize(("old", "offset"), [("EPSG:2437", 50.0), ("EPSG:2382", 5.0)])
def test_b34_an_old_datum_under_a_new_label_is_an_offset_without_parameters(city, old, offset):
    """B34: numbers on the old ellipsoid, and 40 m east, 25 m south as a datum shifts them"""
    ball = CRS(old).ellipsoid
    shape = f"+a={ball.semi_major_metre} +rf={ball.inverse_flattening}"
    numbers = to(f"+proj=tmerc +lon_0=120 +x_0=500000 {shape}", to("EPSG:4490", town()), "EPSG:4490")
    numbers = moved(numbers, by(40.0, -25.0))
    finding = city.extent().layer(numbers, "EPSG:4549", role="townships").found()
    assert finding.code == "intake.shift_datum"
    assert finding.fixes == ()
    true = np.median(shapely.get_coordinates(numbers) - shapely.get_coordinates(town()), axis=0)
    assert finding.facts["east_m"] == pytest.approx(true[0], abs=3)
    assert finding.facts["north_m"] == pytest.approx(true[1], abs=3)
    assert np.hypot(*true) > offset
    assert finding.facts["constant_m"] < 0.2 * finding.facts["none_m"]


def test_layers_that_follow_no_boundary_say_nothing_of_an_offset(city):
    rng = np.random.default_rng(8)
    spots = [
        shapely.Point(x, y).buffer(300) for x, y in rng.uniform((602e3, 3442e3), (628e3, 3468e3), (60, 2))
    ]
    city.extent().layer(spots, "EPSG:4549")
    assert [f for f in city.findings() if f.code.startswith("intake.shift")] == []


@pytest.fixture
def districts(shared):
    """Return the outlines of three sources of the districts of Shanghai, their numbers as degrees."""
    files = {
        "amap": "shanghai_district_amap.gpkg",
        "tianditu": "shanghai_district_tianditu.gpkg",
        "ecnu": "ecnu_shanghai_boundary_4490.geojson",
        "datav": "datav_310000_full_GCJ02.json",
    }
    frames = {name: geopandas.read_file(shared / DISTRICTS / file) for name, file in files.items()}
    return {
        name: boundary_shift.Outline.of(frame.geometry.to_numpy(), lambda points: points)
        for name, frame in frames.items()
    }


@pytest.mark.parametrize("against", ["amap", "tianditu", "ecnu"])
def test_b32_of_the_real_districts_only_those_of_the_web_map_are_shifted(districts, against):
    """B32"""
    kinds = {
        name: boundary_shift.measure(districts[name], districts[against], True).kind
        for name in districts
        if name != against
    }
    assert kinds == {name: "gcj02" if name == "datav" else "none" for name in kinds}


def test_b32_undoing_gcj02_leaves_two_metres_of_481(districts):
    """B32"""
    shift = boundary_shift.measure(districts["datav"], districts["amap"], True)
    assert shift.residuals["gcj02"] < 3.0
    assert shift.residuals["none"] > 240.0
    assert shift.residuals["constant"] > 10.0
    assert (round(shift.east_m), round(shift.north_m)) == (426, -224)


def test_b32_a_real_web_map_in_a_job_is_told_against_the_real_extent(shared):
    """B32"""
    folder = shared / DISTRICTS
    document = {
        "schema": 1,
        "extent": {"source": str(folder / "shanghai_district_amap.gpkg")},
        "layers": [
            {"role": "web", "source": str(folder / "datav_310000_full_GCJ02.json")},
            {"role": "survey", "source": str(folder / "ecnu_shanghai_boundary_4490.geojson")},
        ],
    }
    told = [f for f in intake.inspect(jobs.load(document)) if f.code.startswith("intake.shift")]
    assert [(f.code, f.layer) for f in told] == [("intake.shift_gcj02", "datav_310000_full_GCJ02")]


# --- B35, B37 to B40: planes, zones, doubts --------------------------------------------------------


def with_prj(city, text, geometry=None, **entry):
    city.put("plane.shp", geometry or parcels(), None, driver="ESRI Shapefile")
    (city.folder / "plane.prj").write_text(text, encoding="utf-8")
    city.document["layers"].append({"role": "parcels", "source": "plane.shp", **entry})
    return city


def test_b35_a_local_plane_asks_and_shows_its_name_and_its_match(city):
    """B35"""
    numbers = to(LOCAL_PLANE, parcels())
    finding = with_prj(city.extent(), LOCAL_PLANE, numbers).found()
    assert finding.code == "intake.crs_match"
    assert (finding.facts["name"], finding.facts["confidence"]) == ("SH_LOCAL", 25)
    assert finding.facts["count"] > 50
    assert finding.facts["share"] == 100
    assert not any(fix.sure for fix in finding.fixes)
    assert "SH_LOCAL" in finding.fixes[0].change["crs"]
    # Once the job says so, the definition of the file is taken.
    assert_true_place(city.settled(finding), within=200)


def test_b35_the_plane_the_job_works_in_is_not_asked_again(city):
    """B35"""
    text = LOCAL_PLANE.replace("SH_LOCAL", "OURS")
    given = formats.describe(with_prj(city, text, to(text, parcels())).folder / "plane.shp").crs
    assert "intake.crs_match" not in [f.code for f in city.findings(crs=given)]
    assert "intake.crs_match" in [f.code for f in city.findings(crs="EPSG:4549")]


def test_b35_a_registered_plane_without_code_is_known(city):
    """B35"""
    text = CRS("EPSG:4549").to_wkt("WKT1_ESRI")
    assert "EPSG" not in text
    assert_true_place(with_prj(city.extent(), text).read())


def test_a_local_plane_in_the_job_serves_as_working_crs(city):
    text = "+proj=tmerc +lat_0=31.2352777778 +lon_0=121.4644444444 +k=1.0000025627 +x_0=-238.173 +ellps=GRS80"
    city.extent().layer(to(text, parcels()), None, crs=text)
    taken = city.read(crs=text)
    back = Transformer.from_crs(text, "EPSG:4549", always_xy=True)
    got = shapely.get_coordinates(shapely.centroid(layers_geometry(taken)))
    truth = shapely.get_coordinates(shapely.centroid(np.array(parcels())))
    assert np.abs(np.column_stack(back.transform(*got.T)) - truth).max() < 0.02


def test_b37_zones_are_unified_and_the_change_of_area_is_told(city):
    """B37"""
    city.extent().layer(to("EPSG:4550", parcels()), "EPSG:4550")
    taken = city.read()
    assert_true_place(taken)
    (told,) = [f for f in taken.findings if f.code == "intake.crs_unified"]
    before, after = told.facts["before"], told.facts["after"]
    assert before == pytest.approx(sum(shapely.area(to("EPSG:4550", parcels()))), abs=0.1)
    assert after == pytest.approx(5 * 500 * 500, abs=0.1)
    assert told.facts["change"] == pytest.approx(after - before, abs=0.11)


def test_b38_a_layer_that_reaches_beyond_its_zone_is_told_with_the_distortion(city):
    """B38"""
    beyond = [shapely.box(680_000, 3_450_000, 720_000, 3_460_000)]
    told = [f for f in city.layer(beyond, "EPSG:4549").findings() if f.code == "intake.crs_across_zones"]
    assert told[0].facts["width"] == 3
    assert told[0].facts["reach"] == pytest.approx(2.3, abs=0.05)
    assert told[0].facts["ppm"] == pytest.approx((220_000 / 6_371_000) ** 2 / 2 * 1e6, rel=0.05)
    inside = City(city.folder).layer(parcels(), "EPSG:4549", "inside.gpkg")
    assert not [f for f in inside.findings() if f.code == "intake.crs_across_zones"]


def test_b38_two_zone_numbers_in_one_layer_stop_the_run(city):
    """B38"""
    both = [*to("EPSG:4528", parcels()), *to("EPSG:4529", parcels())]
    finding = city.extent().layer(both, "EPSG:4528").found()
    assert finding.code == "intake.crs_zones_mixed"
    assert (finding.facts["first"], finding.facts["last"]) == (40, 41)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(LOCAL_PLANE.replace("Gauss_Kruger", "Unknown"), id="B39-unknown-projection"),
        pytest.param(LOCAL_PLANE[:150], id="B39-torn"),
        pytest.param("hello world", id="B39-no-wkt"),
    ],
)
@pytest.mark.parametrize("backend", ["pyogrio", "fiona"])
def test_b39_a_damaged_prj_is_shown_and_the_layer_still_read(city, monkeypatch, text, backend):
    """B39"""
    monkeypatch.setattr(formats, "backend", lambda: backend)
    finding = with_prj(city.extent(), text).found()
    assert finding.code == "intake.crs_unknown"
    assert finding.facts["crs"] == text[:80]
    assert sole_fix(finding) == ({"crs": "EPSG:4549"}, False)
    assert_true_place(city.settled(finding))
    assert (city.folder / "plane.prj").read_text() == text


def test_b39_a_plane_with_no_tie_to_the_earth_asks(city):
    """B39"""
    finding = with_prj(city.extent(), 'LOCAL_CS["Mine",UNIT["Meter",1.0]]').found()
    assert finding.code == "intake.crs_local"
    assert sole_fix(finding) == ({"crs": "EPSG:4549"}, False)


def test_b40_numbers_that_fit_in_two_crs_stop_and_ask(city):
    """B40: Beijing 1954 by its label, but CGCS2000 is as likely: 61 m apart and both within the extent"""
    city.extent().layer(parcels(), "EPSG:2437")
    finding = city.found()
    assert finding.code == "intake.crs_ambiguous"
    assert [(fix.change, fix.sure) for fix in finding.fixes] == [
        ({"crs": "EPSG:2437"}, False),
        ({"crs": "EPSG:4549"}, False),
    ]
    assert 50 < finding.facts["apart_m"] < 80
    assert all(one["share"] == 1.0 for one in finding.facts["candidates"])
    assert_true_place(city.settled(finding, 1))


def test_b40_what_the_job_confirms_is_not_asked_again(city):
    """B40"""
    city.extent().layer(parcels(), "EPSG:2437", crs="EPSG:2437")
    assert "intake.crs_ambiguous" not in [f.code for f in city.findings()]


def template():
    return templates()[0]["definition"]


def test_the_shipped_local_plane_is_offered_unsurely_and_what_uses_it_is_marked(city):
    finding = city.extent().layer(to(template(), parcels()), None).found()
    assert sole_fix(finding) == ({"crs": template()}, False)
    taken = city.settled(finding)
    assert_true_place(taken)
    assert [f.code for f in taken.findings if f.severity == "warning"] == ["intake.crs_template"]
    assert [record.mark for record in taken.layers] == ["", "示意，不得汇交"]
    with pytest.raises(Blocked) as caught:
        city.read(options={"mode": "submission"})
    assert "intake.show_only" in [f.code for f in caught.value.findings]


def test_a_shipped_local_plane_is_marked_as_a_proposal_and_edited_ones_are_the_users_own(city):
    for row in templates():
        assert row["status"] == "proposed"
        assert "不得汇交" in row["name_zh"]
        assert "not for submission" in row["name_en"]
    own = template().replace("+x_0=-238.173", "+x_0=-238.2")
    taken = city.extent().layer(to(own, parcels()), None, crs=own).read()
    assert [record.mark for record in taken.layers] == ["", ""]


# --- who is believed -------------------------------------------------------------------------------


def test_an_extent_that_all_layers_contradict_is_asked_about(city):
    """Whether three layers or the extent were labelled wrongly, only a reference can prove."""
    city.extent(town(), "EPSG:4550")
    for name in ("one", "two", "three"):
        city.layer(parcels(), "EPSG:4549", f"{name}.gpkg", name)
    finding = city.found()
    assert (finding.code, finding.layer) == ("intake.crs_elsewhere", "town")
    (fix,) = finding.fixes
    assert (fix.entry, fix.change, fix.sure) == (None, {"crs": "EPSG:4549"}, False)


def test_a_layer_outside_the_extent_by_right_is_left_alone(city):
    neighbour = moved(parcels(), by(0.0, 60_000.0))
    assert [f for f in city.extent().layer(neighbour, "EPSG:4549").findings() if f.severity != "info"] == []


def test_two_layers_that_lie_apart_and_fit_no_other_way_are_left_alone(city):
    far = moved(parcels(), by(0.0, 300_000.0))
    city.layer(parcels(), "EPSG:4549", "a.gpkg", "one").layer(far, "EPSG:4549", "b.gpkg", "two")
    assert [f for f in city.findings() if f.severity != "info"] == []


def test_of_two_layers_a_zone_apart_nothing_proves_which_is_wrong(city):
    city.layer(parcels(), "EPSG:4549", "a.gpkg", "one").layer(parcels(), "EPSG:4550", "b.gpkg", "two")
    told = [f for f in city.findings() if f.severity != "info"]
    assert [(f.code, f.layer) for f in told] == [("intake.crs_elsewhere", "a"), ("intake.crs_elsewhere", "b")]
    assert [fix.sure for f in told for fix in f.fixes] == [False, False]
    assert [f.severity for f in city.settled(told[1]).findings if f.severity != "info"] == []


def test_two_readings_that_fit_are_a_choice(city):
    """Another layer is on Beijing 1954 by the word of the job: both datums are then possible."""
    city.extent().layer(parcels(), "EPSG:2437", "old.gpkg", "old", crs="EPSG:2437")
    finding = city.layer(parcels(), "EPSG:4550").found()
    assert finding.code == "intake.crs_elsewhere"
    assert [fix.change["crs"] for fix in finding.fixes] == ["EPSG:2437", "EPSG:4549"]
    assert not any(fix.sure for fix in finding.fixes)


def test_a_label_that_is_right_once_the_axes_are_is_not_in_question(city):
    """B31: even where another layer is on another datum"""
    city.extent().layer(parcels(), "EPSG:2437", "old.gpkg", "old", crs="EPSG:2437")
    finding = city.layer(swapped(parcels()), "EPSG:4549").found()
    assert (finding.code, sole_fix(finding)) == ("intake.crs_axes", ({"axis_order": "swap"}, True))


@pytest.mark.parametrize(("west", "proposal"), [(600_000.0, "EPSG:4510"), (690_000.0, "EPSG:4550")])
def test_the_narrower_zone_is_proposed_where_it_reaches(city, west, proposal):
    """One projection, two names: 6-degree zone 21 and 3-degree zone 41 share the meridian 123 E."""
    squares = to("EPSG:4550", moved(parcels(), by(west - 600_000.0, 0.0)))
    finding = city.extent(town(west=west)).layer(squares, "EPSG:4549").found()
    assert sole_fix(finding) == ({"crs": proposal}, True)


def test_a_river_along_the_boundary_is_no_offset(city):
    """A strip 60 m beside the rim could be moved onto it, but it does not fill the town."""
    rim = shapely.union_all(town()).exterior
    strip = shapely.intersection(rim.buffer(5), shapely.box(600_000, 3_440_000, 609_000, 3_458_000))
    river = moved(list(shapely.get_parts(strip)), by(60.0, 10.0))
    assert [f.code for f in city.extent().layer(river, "EPSG:4549").findings()] == []


def test_parcels_show_the_offset_of_their_rim_though_inner_lines_hide_it():
    """B34: the boundary is held against the lines of the layer where the reverse says nothing"""
    whole = shapely.union_all(town())
    cut = shapely.intersection(grid(60, 500.0, whole), whole)
    off = boundary_shift.Outline.of(np.array(moved(cut, by(60.0, 0.0))), by_degrees)
    shift = boundary_shift.measure(off, boundary_shift.Outline.of(np.array(town()), by_degrees), True)
    assert shift.kind == "constant"
    assert (shift.east_m, shift.north_m) == (pytest.approx(60, abs=2), pytest.approx(0, abs=2))


def by_degrees(points):
    return np.column_stack(
        Transformer.from_crs("EPSG:4549", "EPSG:4490", always_xy=True).transform(*points.T)
    )


def test_a_label_on_another_datum_is_no_sure_fix(city):
    """Metres under WGS 84: the place says EPSG:4549, but the label claims another datum."""
    finding = city.extent().layer(parcels(), "EPSG:4326").found()
    assert finding.code == "intake.crs_units"
    assert all(not fix.sure for fix in finding.fixes)
    assert {"crs": "EPSG:4549"} in [fix.change for fix in finding.fixes]


def test_a_stray_feature_does_not_hide_where_the_layer_lies(city):
    strays = [shapely.box(100_000, 3e6, 100_010, 3e6 + 10), shapely.box(9e5, 4e6, 9e5 + 10, 4e6 + 10)]
    finding = city.extent().layer([*parcels(200), *strays], "EPSG:4550").found()
    assert finding.code == "intake.crs_elsewhere"


def test_a_reference_goes_before_the_extent_and_is_no_part_of_the_result(city):
    city.extent(town(), "EPSG:4550").layer(parcels(), "EPSG:4549")
    city.put("right.gpkg", town(), "EPSG:4549")
    city.document["reference"] = {"source": "right.gpkg"}
    finding = city.found()
    assert (finding.layer, finding.facts["frame"], finding.fixes[0].sure) == ("town", "right", True)
    taken = city.settled(finding)
    assert [record.role for record in taken.layers] == ["admin_extent", "parcels"]


def test_a_reference_that_cannot_be_true_is_told_itself(city):
    city.extent().layer(parcels(), "EPSG:4549")
    city.put("right.gpkg", to("EPSG:4528", town()), "EPSG:4549")
    city.document["reference"] = {"source": "right.gpkg"}
    finding = city.found()
    assert (finding.code, finding.layer, finding.fixes) == ("intake.crs_zone", "right", ())


def test_a_layer_that_is_elsewhere_by_right_can_be_accepted(city):
    """Numbers of zone 123 that by chance fit the extent as numbers of zone 120."""
    city.extent().layer(parcels(), "EPSG:4550")
    assert city.found().code == "intake.crs_elsewhere"
    accept = [{"code": "intake.crs_elsewhere", "layer": "layer", "reason": "an island of the city"}]
    taken = city.read(options={"accept": accept})
    assert taken.layers[1].used == 5
    assert "intake.accepted" in [f.code for f in taken.findings]


def test_a_submission_with_an_offset_stops_until_it_is_accepted(city):
    shown = moved(town(), by_lonlat(corrections.gcj02))
    city.extent().layer(shown, "EPSG:4549", role="townships", id_field="code")
    strict = {"mode": "submission"}
    with pytest.raises(Blocked) as caught:
        run(city.job(options=strict))
    assert "intake.shift_gcj02" in [f.code for f in caught.value.findings]
    run(city.job(options={**strict, "accept": ["intake.shift_gcj02"]}))


def test_a_reference_that_is_not_there_is_told(city):
    city.extent().layer(parcels(), "EPSG:4549")
    city.document["reference"] = {"source": "nowhere.gpkg"}
    assert "job.source_missing" in [f.code for f in jobs.check(city.document, city.folder)]


# --- formulas --------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["gcj02", "bd09"])
def test_the_inverse_of_a_web_offset_is_exact_to_a_thousandth_of_a_millimetre(kind):
    places = np.random.default_rng(1).uniform((74, 5), (135, 53), (100_000, 2))
    shown = corrections.SHOWN_PLACES[kind](places)
    back = corrections.TRUE_PLACES[kind](shown)
    assert np.abs(back - places).max() * georef.METRES_PER_DEGREE < 1e-6
    assert 0.0 < np.abs(shown - places).max() * georef.METRES_PER_DEGREE < 2500


def test_known_places_of_the_public_formulas():
    """Values many published programs give for 116.404 E, 39.915 N."""
    place = np.array([[116.404, 39.915]])
    assert corrections.gcj02(place)[0] == pytest.approx([116.41024449916938, 39.91640428150164], abs=1e-12)
    assert corrections.bd09(place)[0] == pytest.approx([116.41662724378733, 39.922699552216216], abs=1e-9)


def test_places_abroad_are_not_shifted():
    abroad = np.array([[2.35, 48.85], [139.7, 35.7]])
    assert (corrections.gcj02(abroad) == abroad).all()


FOUR = {"kind": "4", "target": "EPSG:4549", "dx": 100.0, "dy": -50.0}


def test_four_parameters_by_hand():
    """A quarter turn, twice the size: x' = dx - 2 y, y' = dy + 2 x, whichever axis is called x."""
    points = np.array([[10.0, 3.0]])
    turn = {**FOUR, "rotation_seconds": 90 * 3600.0, "scale": 2.0}
    east_first = corrections.four_parameter(points, {**turn, "convention": "east_north"})
    assert east_first[0] == pytest.approx([100 - 2 * 3, -50 + 2 * 10])
    north_first = corrections.four_parameter(points, {**turn, "convention": "north_east"})
    assert north_first[0] == pytest.approx([-50 + 2 * 3, 100 - 2 * 10])


def test_four_parameters_and_their_inverse_give_the_layer_back(city):
    """The inverse of (d, m, t) is (-R(-t) d / m, 1 / m, -t)."""
    t, m = np.radians(30 / 3600), 1 + 12e-6
    given = {**FOUR, "convention": "east_north", "rotation_seconds": 30.0, "scale_ppm": 12.0}
    back = np.array([[np.cos(t), np.sin(t)], [-np.sin(t), np.cos(t)]]) / m
    local = moved(parcels(), lambda points: (points - (100.0, -50.0)) @ back.T)
    city.extent().layer(local, None, transform=given)
    taken = city.read()
    assert_true_place(taken, within=1e-4)
    assert taken.layers[1].corrections["transform"] == given
    (told,) = [f for f in taken.findings if f.code == "intake.transformed"]
    assert "scale_ppm=12.0" in told.facts["parameters"]


def geocentric(lon, lat, ellipsoid):
    """Return X, Y, Z at height zero (EPSG Guidance Note 7-2, method 9602)."""
    a, e2 = ellipsoid.semi_major_metre, 1 - (ellipsoid.semi_minor_metre / ellipsoid.semi_major_metre) ** 2
    lon, lat = np.radians(lon), np.radians(lat)
    n = a / np.sqrt(1 - e2 * np.sin(lat) ** 2)
    return np.array(
        [n * np.cos(lat) * np.cos(lon), n * np.cos(lat) * np.sin(lon), n * (1 - e2) * np.sin(lat)]
    )


def geographic(xyz, ellipsoid):
    a, e2 = ellipsoid.semi_major_metre, 1 - (ellipsoid.semi_minor_metre / ellipsoid.semi_major_metre) ** 2
    p = np.hypot(xyz[0], xyz[1])
    lat = np.arctan2(xyz[2], p * (1 - e2))
    for _ in range(10):
        n = a / np.sqrt(1 - e2 * np.sin(lat) ** 2)
        lat = np.arctan2(xyz[2] + e2 * n * np.sin(lat), p)
    return np.degrees(np.arctan2(xyz[1], xyz[0])), np.degrees(lat)


SEVEN = {
    "kind": "7",
    "source": "EPSG:4214",
    "target": "EPSG:4490",
    **{"dx": 12.5, "dy": -130.25, "dz": -80.0, "rx": 1.5, "ry": -0.7, "rz": 2.25, "scale_ppm": -3.4},
}


@pytest.mark.parametrize(("convention", "sign"), [("position_vector", 1), ("coordinate_frame", -1)])
def test_seven_parameters_agree_with_the_formula_worked_by_hand(convention, sign):
    place = np.array([[121.4, 31.2], [120.9, 30.8]])
    got = corrections.seven_parameter(place, {**SEVEN, "convention": convention})
    second = sign * np.pi / 180 / 3600
    rx, ry, rz = (SEVEN[key] * second for key in ("rx", "ry", "rz"))
    turn = np.array([[1, -rz, ry], [rz, 1, -rx], [-ry, rx, 1]])
    move = np.array([SEVEN["dx"], SEVEN["dy"], SEVEN["dz"]])[:, None]
    there = move + (1 + SEVEN["scale_ppm"] * 1e-6) * turn @ geocentric(*place.T, CRS("EPSG:4214").ellipsoid)
    assert np.abs(got - np.column_stack(geographic(there, CRS("EPSG:4490").ellipsoid))).max() < 1e-11
    assert np.abs(got - place).max() > 1e-4


def test_seven_parameters_of_a_layer_go_there_and_back(city):
    """Parameters one way make the numbers, the reversed ones in the job bring them home.

    Turning the signs is the inverse to first order only: some millimetres stay.
    """
    small = {**SEVEN, "rx": 0.05, "ry": -0.07, "rz": 0.02, "convention": "coordinate_frame"}
    out = {**small, "source": "EPSG:4549", "target": "EPSG:2437"}
    keys = ("dx", "dy", "dz", "rx", "ry", "rz", "scale_ppm")
    home = {**out, "source": "EPSG:2437", "target": "EPSG:4549", **{key: -out[key] for key in keys}}
    old = moved(parcels(), lambda points: corrections.seven_parameter(points, out))
    assert np.abs(shapely.get_coordinates(old) - shapely.get_coordinates(parcels())).max() > 20
    taken = city.extent().layer(old, None, transform=home).read()
    assert_true_place(taken, within=5e-3)
    assert taken.layers[1].crs == "EPSG:4549"


@pytest.mark.parametrize(
    "transform",
    [
        {"kind": "4", "target": "EPSG:4549", "dx": 1, "dy": 2},
        {"kind": "7", "source": "EPSG:4214", "target": "EPSG:4490", "dx": 1, "dy": 2, "dz": 3},
        {**FOUR, "convention": "east_north", "scale": 1.0, "scale_ppm": 0.0},
        {**FOUR, "convention": "east_north", "dz": 1.0},
    ],
    ids=["no-convention-4", "no-convention-7", "two-scales", "of-the-other-kind"],
)
def test_a_transformation_that_could_be_misread_is_refused(city, transform):
    city.extent().layer(parcels(), "EPSG:4549", transform=transform)
    assert any(f.severity == "error" for f in jobs.check(city.document, city.folder))


def test_a_target_that_cannot_be_understood_is_told(city):
    wrong = {**FOUR, "convention": "east_north", "target": "EPSG:999999"}
    assert city.extent().layer(parcels(), None, transform=wrong).found().code == "intake.crs_unknown"
    with pytest.raises(SwcError):
        corrections.seven_parameter(
            np.zeros((1, 2)), {**SEVEN, "source": "?", "convention": "position_vector"}
        )


# --- speed -----------------------------------------------------------------------------------------


def grid(side, size, of):
    """Return side x side squares over the town, those within `of`."""
    east, north = np.meshgrid(600_000 + size * np.arange(side), 3_440_000 + size * np.arange(side))
    many = shapely.box(east.ravel(), north.ravel(), east.ravel() + size, north.ravel() + size)
    return many[shapely.intersects(of, many)] if of is not None else many


def test_the_rim_of_too_many_parcels_for_an_outline_shows_the_offset():
    """B34: parcels of 100 m that fill the town, 60 m off"""
    whole = shapely.union_all(town())
    shapely.prepare(whole)
    cut = shapely.intersection(grid(300, 100.0, whole), whole)
    assert len(cut) > 20_000
    crs = CRS("EPSG:4549")
    extent = crs_doctor.Subject(None, "town", crs, np.array(town()), extent=True)
    for offset, expected in ((0.0, []), (60.0, ["intake.shift_datum"])):
        off = np.array(moved(cut, by(offset, 0.0)))
        found = crs_doctor.examine([extent, crs_doctor.Subject(0, "parcels", crs, off)])[1]
        assert [one.code for one in found] == expected
        if found:
            assert found[0].facts["east_m"] == pytest.approx(60.0, abs=1.0)
            assert found[0].facts["north_m"] == pytest.approx(0.0, abs=1.0)


def test_a_million_parcels_hardly_cost_the_doctor_anything():
    crs = CRS("EPSG:4549")
    subjects = [
        crs_doctor.Subject(None, "town", crs, np.array(town()), extent=True),
        crs_doctor.Subject(0, "parcels", crs, grid(1000, 30.0, None)),
    ]
    start = time.process_time()
    assert crs_doctor.examine(subjects) == [[], []]
    seconds = time.process_time() - start
    # 0.12 s; more than a second would mean that vertices are walked.
    assert seconds < 1.0
    elsewhere = replace(subjects[1], crs=CRS("EPSG:4550"))
    assert [one.code for one in crs_doctor.examine([subjects[0], elsewhere])[1]] == ["intake.crs_elsewhere"]
