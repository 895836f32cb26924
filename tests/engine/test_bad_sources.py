# SPDX-License-Identifier: GPL-2.0-or-later
"""Sources that cannot or must not be read: named with their remedy, quickly, and without the network."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import socket
import sqlite3
import stat
import tempfile
import threading
import time
import zipfile

import numpy as np
import pytest
import shapely

from swc_zoning.engine import admission, archives, formats, intake, job
from swc_zoning.engine.messages import SwcError, catalogue
from swc_zoning.paths import resource

BOXES = shapely.to_wkb(np.array([shapely.box(x, 0, x + 10, 10) for x in (500000, 500010, 500020)]))


def geopackage(path, layer="图斑"):
    formats.write_table(path, layer, [formats.Batch(BOXES, {"n": np.arange(3)})], "EPSG:4549")
    return path


def code_of(action, *arguments):
    with pytest.raises(SwcError) as caught:
        action(*arguments)
    return caught.value.code


def refused(source):
    """Return the code with which every door refuses `source`."""
    codes = {code_of(door, source) for door in (formats.describe, formats.list_layers, formats.read_vector)}
    assert len(codes) == 1
    return codes.pop()


@pytest.fixture
def web():
    """A server on this machine: its address, and what was asked of it."""
    heard = []
    server = socket.create_server(("127.0.0.1", 0))

    def answer():
        while True:
            try:
                link, _ = server.accept()
            except OSError:
                return
            heard.append(link.recv(200))
            link.close()

    threading.Thread(target=answer, daemon=True).start()
    yield f"http://127.0.0.1:{server.getsockname()[1]}", heard
    server.close()


# --- formats nobody here reads ---------------------------------------------------------------------

OLE = bytes.fromhex("d0cf11e0a1b11ae1") + bytes(504)
FOREIGN = [
    ("规划.mdb", b"\0\1\0\0Standard Jet DB\0" + bytes(100), "mdb"),
    ("规划.accdb", b"\0\1\0\0Standard ACE DB\0" + bytes(100), "mdb"),
    ("renamed.shp", b"\0\1\0\0Standard Jet DB\0" + bytes(100), "mdb"),
    ("城区.vct", "HeadBegin\nDataMark:LANDUSE-VCT\nSpheroid:椭球\n".encode("GBK"), "vct"),
    ("城区.txt", "HeadBegin\r\nDataMark:LANDUSE-VCT\r\n地类\r\n".encode(), "vct"),
    ("a.udb", b"\1\2\3", "supermap"),
    ("a.udbx", b"SQLite format 3\0" + bytes(100), "supermap"),
    ("a.wp", b"WMAP`D23" + bytes(50), "mapgis"),
    ("a.wl", b"WMAP`D21" + bytes(50), "mapgis"),
    ("a.dat", b"WMAP`D22" + bytes(50), "mapgis"),
    ("a.lyr", OLE, "arcgis"),
    ("a.mxd", OLE, "arcgis"),
    ("a.aprx", b"PK\3\4" + bytes(50), "arcgis"),
    ("a.mpk", bytes.fromhex("377abcaf271c") + bytes(50), "arcgis"),
    ("a.lpk", b"PK\3\4" + bytes(50), "arcgis"),
    ("a.qlr", b"<!DOCTYPE qgis-layer-definition>\n<qlr/>", "style"),
    ("a.qgz", b"PK\3\4" + bytes(50), "style"),
    ("a.rar", b"Rar!\x1a\7\1\0" + bytes(50), "archive"),
    ("a.7z", bytes.fromhex("377abcaf271c") + bytes(50), "archive"),
    ("a.tar.gz", bytes.fromhex("1f8b08") + bytes(50), "archive"),
    ("a.dwg", b"AC1032" + bytes(50), "dwg"),
    ("a.dxf", b"AutoCAD Binary DXF\r\n\x1a\0" + bytes(50), "dwg"),
    ("a.xls", OLE, "xls"),
    ("a.pdf", b"%PDF-1.7\n", "pdf"),
    ("a.tif", b"II*\0" + bytes(50), "raster"),
    ("a.gpx", b'<?xml version="1.0"?><gpx version="1.1"></gpx>', "xml"),
]


@pytest.mark.parametrize(("name", "content", "kind"), FOREIGN, ids=[name for name, _, _ in FOREIGN])
def test_a_format_that_is_not_read_is_named_with_its_remedy(tmp_path, name, content, kind):
    path = tmp_path / name
    path.write_bytes(content)
    assert refused(path) == f"intake.format_{kind}"
    assert [part.name for part in tmp_path.iterdir()] == [name]


def test_a_geopackage_with_styles_in_it_is_read(tmp_path, monkeypatch):
    path = geopackage(tmp_path / "a.gpkg")
    with contextlib.closing(sqlite3.connect(path)) as database:
        database.execute("create table layer_styles as select '<!DOCTYPE qgis PUBLIC><qgis/>' as style")
        database.commit()
    assert b"<!DOCTYPE qgis" in path.read_bytes()
    monkeypatch.setattr(admission, "_HEAD_BYTES", 1 << 20)  # a table may lie anywhere in the file
    assert formats.describe(path, "图斑").count == 3


def test_check_says_the_remedy_and_the_file(tmp_path):
    (tmp_path / "规划.mdb").write_bytes(b"\0\1\0\0Standard Jet DB\0" + bytes(100))
    document = {"schema": 1, "layers": [{"role": "landuse_status", "source": "规划.mdb"}]}
    (finding,) = intake.inspect(job.load(document, tmp_path))
    assert finding.code == "intake.format_mdb"
    assert "规划.mdb" in finding.sentence("zh")
    assert "GeoPackage" in finding.sentence("zh")


def test_each_format_refused_has_a_sentence():
    table = json.loads(resource("formats.json").read_text(encoding="utf-8"))
    named = {mark["format"] for mark in table["marks"]} | set(table["suffixes"].values()) | {"xml"}
    assert {f"intake.format_{name}" for name in named} <= set(catalogue())
    assert set(table["drivers"].values()) == {"yes", "plain", "no"}


# --- what a reader would do on its own -------------------------------------------------------------


def vrt(target):
    layer = f'<OGRVRTLayer name="a"><SrcDataSource>{target}</SrcDataSource></OGRVRTLayer>'
    return f"<OGRVRTDataSource>{layer}</OGRVRTDataSource>"


def geojson(crs):
    ring = [[500000, 0], [500010, 0], [500010, 10], [500000, 0]]
    drawn = {"type": "Polygon", "coordinates": [ring]}
    features = [{"type": "Feature", "properties": {"text": "x" * 9000}, "geometry": drawn}]
    return json.dumps({"type": "FeatureCollection", "features": features, "crs": crs})


LAUGHS = "<!DOCTYPE l [<!ENTITY a0 'ha'>" + "".join(
    f"<!ENTITY a{i} '{f'&a{i - 1};' * 10}'>" for i in range(1, 10)
)
KML = '<kml xmlns="http://www.opengis.net/kml/2.2"><Placemark><name>{}</name></Placemark></kml>'
GML = '<gml:FeatureCollection xmlns:gml="http://www.opengis.net/gml">{}</gml:FeatureCollection>'
#: Content by name of file, with the address of a server, and the code of the refusal.
SLY = {
    "a.vrt": (lambda web: vrt(f"/vsicurl/{web}/a.geojson"), "intake.format_remote"),
    "a.geojson": (lambda web: vrt(f"/vsicurl/{web}/a.geojson"), "intake.format_remote"),
    "b.kml": (lambda web: "\n \n" + vrt(f"/vsicurl/{web}/a.geojson"), "intake.format_remote"),
    "c.vrt": (lambda web: vrt("/etc/passwd"), "intake.format_remote"),
    "a.xml": (lambda web: f"<OGRWFSDataSource><URL>{web}</URL></OGRWFSDataSource>", "intake.format_remote"),
    "a.json": (
        lambda web: json.dumps(
            {
                "type": "gdal_streamed_alg",
                "command_line": f"gdal vector pipeline ! read /vsicurl/{web}/a.json",
            }
        ),
        "intake.format_remote",
    ),
    "url.geojson": (
        lambda web: geojson({"type": "url", "properties": {"url": f"{web}/crs"}}),
        "intake.crs_linked",
    ),
    "link.geojson": (
        lambda web: geojson({"properties": {"href": f"{web}/crs", "type": "ogcwkt"}, "type": "Link"}),
        "intake.crs_linked",
    ),
    "a.kml": (
        lambda web: f'<!DOCTYPE l [<!ENTITY e SYSTEM "{web}/e">]>' + KML.format("&e;"),
        "intake.xml_entities",
    ),
    "laughs.kml": (lambda web: LAUGHS + "]>" + KML.format("&a9;"), "intake.xml_entities"),
    "a.gml": (lambda web: f'<!DOCTYPE l SYSTEM "{web}/l.dtd">' + GML.format("&e;"), "intake.xml_entities"),
    "laughs.gml": (lambda web: LAUGHS + "]>" + GML.format("&a9;"), "intake.xml_entities"),
    "broken.gml": (lambda web: "<<<", "intake.xml_unreadable"),
}


@pytest.mark.parametrize(
    ("name", "encoding"),
    [(name, "utf-8") for name in SLY] + [(name, "utf-16") for name in SLY if not name.endswith("json")],
)
def test_files_that_reach_out_are_refused_quickly_and_reach_nothing(tmp_path, web, name, encoding):
    address, heard = web
    content, code = SLY[name]
    path = tmp_path / name
    path.write_bytes(content(address).encode(encoding))
    started = time.monotonic()
    assert refused(path) == code
    assert time.monotonic() - started < 1
    assert heard == []
    assert [part.name for part in tmp_path.iterdir()] == [name]


def test_the_server_of_these_tests_would_have_heard(tmp_path, web):
    address, heard = web
    import pyogrio

    path = tmp_path / "a.vrt"
    path.write_text(vrt(f"/vsicurl/{address}/a.geojson"))
    with contextlib.suppress(pyogrio.errors.DataSourceError):
        pyogrio.read_info(path)
    assert heard


def test_what_slips_past_the_look_finds_no_network(tmp_path, web):
    address, heard = web
    sly = geojson({"type": "url", "properties": {"url": f"{address}/crs"}})
    path = tmp_path / "a.geojson"
    path.write_text(sly.replace('"crs"', '"\\u0063rs"'))
    assert formats.describe(path).count == 1
    assert heard == []


def test_a_crs_by_name_is_read(tmp_path):
    path = tmp_path / "a.geojson"
    said = geojson({"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::4549"}})
    # A field named so links nothing.
    path.write_text(said[:-1] + ', "more": {"url": "https://example.org"}}')
    assert formats.describe(path).crs == "EPSG:4549"


def test_an_entity_after_a_long_comment_is_still_found(tmp_path):
    path = tmp_path / "a.kml"
    path.write_text(f"<!--{'x' * 300_000}-->{LAUGHS}]>{KML.format('&a9;')}")
    assert refused(path) == "intake.xml_entities"


@pytest.mark.parametrize("depth", [300_000])
def test_xml_of_great_depth_harms_nobody(tmp_path, depth):
    path = tmp_path / "a.kml"
    path.write_text(KML.format("x").replace("<Placemark>", "<Folder>" * depth + "<Placemark>"))
    assert refused(path) in ("intake.unreadable", "intake.driver_off")


def test_plain_kml_and_gml_are_read(tmp_path):
    ring = "121.5,31.2 121.6,31.2 121.6,31.3 121.5,31.2"
    outer = f"<LinearRing><coordinates>{ring}</coordinates></LinearRing>"
    drawn = f"<Polygon><outerBoundaryIs>{outer}</outerBoundaryIs></Polygon>"
    path = tmp_path / "a.kml"
    # A description may hold HTML with a type of its own: it declares nothing.
    said = "<description><![CDATA[<!DOCTYPE html><p>水库</p>]]></description>"
    path.write_text(KML.format("水库").replace("</name>", "</name>" + said + drawn), encoding="utf-8")
    if formats.backend() == "fiona":
        pytest.skip("its wheel has no KML")
    assert formats.describe(path).count == 1


@pytest.mark.parametrize(
    "source",
    ["/vsicurl/http://127.0.0.1/a.geojson", "/vsizip//tmp/a.zip/a.shp", "/vsistdin/", "/vsimem/a.gpkg"],
)
def test_virtual_paths_are_refused(source):
    assert refused(source) == "intake.path_virtual"


@pytest.mark.parametrize(
    "source", ["WFS:http://127.0.0.1/", "http://127.0.0.1/a.geojson", "GPSBabel:nmea:a", "CSV:/etc/passwd"]
)
def test_addresses_other_than_databases_are_refused(source):
    assert refused(source) == "intake.address_off"


def test_addresses_of_databases_are_let_through():
    for address in ("PG:dbname=a", "postgresql://user@host/a", "MSSQL:server=a"):
        admission.admit_address(address)


def test_a_reader_that_is_not_listed_is_not_used(tmp_path):
    path = tmp_path / "a.osm"
    path.write_bytes(b"\x0a\x09OSMHeader")
    for driver in ("OGR_VRT", "WFS", "GPX", "Something new"):
        assert code_of(admission.admit_driver, driver) == "intake.driver_off"
    for driver in ("GPKG", "ESRI Shapefile", "OpenFileGDB", "GeoJSON", "LIBKML", "PostgreSQL"):
        admission.admit_driver(driver)


def test_the_reader_gdal_chose_is_looked_at(tmp_path, monkeypatch):
    path = geopackage(tmp_path / "a.gpkg")
    table = {**admission._table(), "drivers": {}}
    monkeypatch.setattr(admission, "_table", lambda: table)
    assert code_of(formats.describe, path) == "intake.driver_off"


# --- zips ------------------------------------------------------------------------------------------


def zipped(path, members, **options):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, **options) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return path


@pytest.fixture
def temporary(tmp_path_factory, monkeypatch):
    """The folder for temporary files, of this test alone."""
    folder = tmp_path_factory.mktemp("temporary")
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.fixture
def data(tmp_path):
    """The bytes of a GeoPackage and of the parts of a Shapefile."""
    folder = tmp_path / "data"
    folder.mkdir()
    from pyogrio import raw

    raw.write(
        str(folder / "a.shp"),
        geometry=BOXES,
        field_data=[np.array(["一级", "二级", "三级"], dtype=object)],
        fields=np.array(["DJ"], dtype=object),
        geometry_type="Polygon",
        crs="EPSG:4549",
        encoding="GBK",
    )
    geopackage(folder / "a.gpkg")
    return {part.suffix: part.read_bytes() for part in folder.iterdir()}


def test_a_zip_with_one_data_set_is_read_like_the_data_set(tmp_path, data, temporary):
    parts = [(f"水源地/一级{suffix}", data[suffix]) for suffix in (".shp", ".shx", ".dbf", ".prj", ".cpg")]
    path = zipped(tmp_path / "a.zip", [("水源地/", b""), *parts, ("水源地/说明.txt", b"read me")])
    table = formats.read_vector(path)
    assert table.columns["DJ"].tolist() == ["一级", "二级", "三级"]
    assert table.layer.name == "一级"
    assert formats.list_layers(zipped(tmp_path / "b.zip", [("a.gpkg", data[".gpkg"])])) == [
        ("图斑", "Polygon")
    ]
    assert list(temporary.iterdir()) == []
    digest = hashlib.sha256(b"a.zip\0" + path.read_bytes()).hexdigest()
    assert formats.source_sha256(path) == digest


def test_a_geodatabase_in_a_zip_is_one_data_set(tmp_path):
    from pyogrio import raw

    raw.write(
        str(tmp_path / "规划.gdb"),
        geometry=BOXES,
        field_data=[np.arange(3)],
        fields=np.array(["n"], dtype=object),
        geometry_type="Polygon",
        crs="EPSG:4549",
        driver="OpenFileGDB",
        layer="STBHHX",
    )
    parts = [(f"规划.gdb/{part.name}", part.read_bytes()) for part in (tmp_path / "规划.gdb").iterdir()]
    assert formats.list_layers(zipped(tmp_path / "a.zip", parts))[0][0] == "STBHHX"


def test_zips_as_they_are_published_are_read(shared):
    assert formats.describe(shared / "geopandas_overlay" / "nybb_16a.zip").count == 5
    assert formats.describe(shared / "geofileops_tests" / "poly_shp.zip").name == "poly"


def test_chinese_names_of_chinese_windows_are_decoded(tmp_path, data):
    path = zipped(tmp_path / "a.zip", [("AAAA.gpkg", data[".gpkg"]), ("BBBB.md", b"")])
    raw = path.read_bytes().replace(b"AAAA", "红线".encode("GBK")).replace(b"BBBB", "说明".encode("GBK"))
    path.write_bytes(raw)
    with zipfile.ZipFile(path) as archive:
        assert [archives.name_of(entry) for entry in archive.infolist()] == ["红线.gpkg", "说明.md"]
    assert formats.describe(path).count == 3


def test_folders_divided_by_backslashes_are_folders(tmp_path, data):
    path = zipped(tmp_path / "a.zip", [("AA?BB.gpkg", data[".gpkg"])])
    raw = path.read_bytes().replace(b"AA?BB", "图".encode("GBK") + b"\\" + "红".encode("GBK"))
    path.write_bytes(raw)
    with zipfile.ZipFile(path) as archive:
        assert archives.name_of(archive.infolist()[0]) == "图/红.gpkg"
    assert formats.describe(path).count == 3


def test_several_data_sets_are_named_and_none_is_chosen(tmp_path, data):
    path = zipped(tmp_path / "a.zip", [("甲.gpkg", data[".gpkg"]), ("子/乙.gpkg", data[".gpkg"])])
    with pytest.raises(SwcError) as caught:
        formats.describe(path)
    assert (caught.value.code, caught.value.facts["inside"]) == ("intake.zip_several", "子/乙.gpkg, 甲.gpkg")


def test_a_zip_without_data_says_what_it_holds(tmp_path):
    path = zipped(tmp_path / "a.zip", [("说明.docx", b"x"), ("图.jpg", b"x")])
    with pytest.raises(SwcError) as caught:
        formats.describe(path)
    assert (caught.value.code, caught.value.facts["inside"]) == ("intake.zip_nothing", "图.jpg, 说明.docx")


def test_what_is_in_a_zip_is_judged_like_what_lies_open(tmp_path):
    inside = b"\0\1\0\0Standard Jet DB\0" + bytes(100)
    assert refused(zipped(tmp_path / "a.zip", [("规划.mdb", inside)])) == "intake.format_mdb"
    assert refused(zipped(tmp_path / "b.zip", [("a.kml", LAUGHS + "]>" + KML)])) == "intake.xml_entities"
    nested = zipped(tmp_path / "c.zip", [("a.gpkg", b"")]).read_bytes()
    assert refused(zipped(tmp_path / "d.zip", [("inner.zip", nested)])).startswith("intake.")


def link(name, target):
    entry = zipfile.ZipInfo(name)
    entry.create_system = 3
    entry.external_attr = (stat.S_IFLNK | 0o777) << 16
    return entry, target


@pytest.mark.parametrize(
    "name",
    [
        "../a.gpkg",
        "a/../../a.gpkg",
        "/tmp/a.gpkg",
        "..\\a.gpkg",
        "C:\\a.gpkg",
        "c:a.gpkg",
        "\\\\host\\a.gpkg",
        "a/./../../b.gpkg",
    ],
)
def test_names_that_lead_out_of_the_folder_are_refused(tmp_path, data, temporary, name):
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        entry = zipfile.ZipInfo("x")
        entry.filename = name
        archive.writestr(entry, data[".gpkg"])
    assert refused(path) == "intake.zip_unsafe"
    assert list(temporary.iterdir()) == []
    assert sorted(part.name for part in tmp_path.iterdir()) == ["a.zip", "data"]


def test_links_in_a_zip_are_refused(tmp_path):
    assert refused(zipped(tmp_path / "a.zip", [link("a.gpkg", "/etc/passwd")])) == "intake.zip_unsafe"


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("names", [("a.gpkg", "a.gpkg"), ("a.gpkg", "A.GPKG"), ("a", "a/")])
def test_doubled_names_are_refused(tmp_path, data, names):
    path = zipped(
        tmp_path / "a.zip", [(name, b"" if name.endswith("/") else data[".gpkg"]) for name in names]
    )
    assert refused(path) == "intake.zip_doubled"


def test_a_zip_with_a_password_is_refused(tmp_path, data):
    path = zipped(tmp_path / "a.zip", [("a.gpkg", data[".gpkg"])])
    raw = bytearray(path.read_bytes())
    for mark, at in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        raw[raw.index(mark) + at] |= 1
    path.write_bytes(raw)
    assert refused(path) == "intake.zip_encrypted"


def test_a_bomb_is_refused_before_it_goes_off(tmp_path, temporary):
    path = zipped(tmp_path / "a.zip", [("a.gpkg", bytes(50 << 20))])
    assert path.stat().st_size < 100_000
    started = time.monotonic()
    assert refused(path) == "intake.zip_bomb"
    assert time.monotonic() - started < 1
    assert list(temporary.iterdir()) == []


def test_too_large_or_too_many_is_refused(tmp_path, data, monkeypatch):
    path = zipped(tmp_path / "a.zip", [("a.gpkg", data[".gpkg"])])
    monkeypatch.setattr(archives, "MOST_BYTES", len(data[".gpkg"]) - 1)
    assert refused(path) == "intake.zip_bomb"
    many = zipped(tmp_path / "b.zip", [(f"{i}", b"") for i in range(2001)])
    assert refused(many) == "intake.zip_entries"


def test_a_hundred_thousand_entries_are_refused_quickly(tmp_path):
    path = zipped(tmp_path / "a.zip", ((f"{i}", b"") for i in range(100_000)))
    started = time.monotonic()
    assert code_of(formats.describe, path) == "intake.zip_entries"
    assert time.monotonic() - started < 10


def test_sizes_that_lie_are_damage(tmp_path, data):
    path = zipped(tmp_path / "a.zip", [("a.gpkg", data[".gpkg"])])
    raw = bytearray(path.read_bytes())
    at = raw.index(b"PK\1\2") + 24
    raw[at : at + 4] = (100).to_bytes(4, "little")
    path.write_bytes(raw)
    assert refused(path) == "intake.zip_damaged"


@pytest.mark.parametrize("keep", [30, 200, -40])
def test_a_damaged_zip_is_said_to_be_damaged(tmp_path, data, keep):
    path = zipped(tmp_path / "a.zip", [("a.gpkg", data[".gpkg"])])
    path.write_bytes(path.read_bytes()[:keep])
    assert refused(path) == "intake.zip_damaged"


def test_a_workbook_with_entities_is_refused(tmp_path):
    openpyxl = pytest.importorskip("openpyxl")
    book, kept = openpyxl.Workbook(), io.BytesIO()
    book.active.append(["点号", "X", "Y"])
    book.save(kept)
    path = tmp_path / "a.xlsx"
    with zipfile.ZipFile(kept) as made, zipfile.ZipFile(path, "w") as archive:
        for entry in made.infolist():
            content = made.read(entry)
            if entry.filename.endswith("sheet1.xml"):
                content = LAUGHS.encode() + b"]>" + content.partition(b"?>")[2]
            archive.writestr(entry.filename, content)
    assert refused(path) == "intake.xml_entities"


def test_a_damaged_workbook_is_said_to_be_damaged(tmp_path):
    openpyxl = pytest.importorskip("openpyxl")
    openpyxl.Workbook().save(tmp_path / "a.xlsx")
    raw = bytearray((tmp_path / "a.xlsx").read_bytes())
    raw[60:90] = bytes(30)
    (tmp_path / "a.xlsx").write_bytes(raw)
    assert refused(tmp_path / "a.xlsx") == "intake.zip_damaged"


def test_a_workbook_without_points_says_what_it_lacks(tmp_path):
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    book.active.append(["名称", "面积"])
    book.save(tmp_path / "a.xlsx")
    assert refused(tmp_path / "a.xlsx") == "boundary.no_columns"
