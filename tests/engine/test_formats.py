# SPDX-License-Identifier: GPL-2.0-or-later
from __future__ import annotations

import hashlib
import sqlite3
from pathlib import Path

import numpy as np
import pyogrio
import pytest
import shapely
from pyogrio import raw

from swc_zoning.engine import encodings, formats
from swc_zoning.engine.formats import Batch
from swc_zoning.engine.messages import SwcError

SHARED = Path(__file__).resolve().parents[2].parent / "shared" / "data"
real_data = pytest.mark.skipif(not SHARED.is_dir(), reason="no shared data here")

NEEDS = {"arrow": "pyarrow", "pyogrio": "pyogrio", "fiona": "fiona"}
BOXES = shapely.to_wkb(np.array([shapely.box(x, 0, x + 10, 10) for x in (500000, 500010, 500020)]))
CHINESE = np.array(["一级保护区", "二级保护区", "准保护区"], dtype=object)


def write(path, columns, wkb=BOXES, crs="EPSG:4549", kind="Polygon", **options):
    raw.write(
        str(path),
        geometry=wkb,
        field_data=list(columns.values()),
        fields=np.array(list(columns), dtype=object),
        geometry_type=kind,
        crs=crs,
        **options,
    )
    return path


def folder_state(folder):
    parts = sorted(part for part in folder.rglob("*") if part.is_file())
    return {str(part): hashlib.sha256(part.read_bytes()).hexdigest() for part in parts}


@pytest.fixture(params=sorted(NEEDS))
def backend(request, monkeypatch):
    pytest.importorskip(NEEDS[request.param])
    monkeypatch.setattr(formats, "backend", lambda: request.param)
    return request.param


@pytest.mark.parametrize("name", ["层.gpkg", "a b'c#d%&.gpkg", "parcels.shp", "parcels.geojson", "库.gdb"])
def test_every_reader_gives_the_same_rows_of_every_format(tmp_path, backend, name):
    driver = {"gdb": "OpenFileGDB", "gpkg": "GPKG"}.get(name.rpartition(".")[2])
    path = write(tmp_path / name, {"DJ": CHINESE, "n": np.array([1, 2, 3])}, driver=driver, encoding="UTF-8")
    before = folder_state(tmp_path)
    table = formats.read_vector(path)
    assert table.columns["DJ"].tolist() == CHINESE.tolist()
    assert table.columns["n"].tolist() == [1, 2, 3]
    assert shapely.area(shapely.from_wkb(table.wkb)).tolist() == [100.0, 100.0, 100.0]
    assert len(table.fids) == len(table) == 3
    assert folder_state(tmp_path) == before


def test_a_filter_and_a_choice_of_fields_reach_the_file(tmp_path, backend):
    path = write(tmp_path / "a.gpkg", {"DJ": CHINESE, "n": np.array([1, 2, 3])})
    table = formats.read_vector(path, where="DJ = '准保护区'", columns=["n"])
    assert (list(table.columns), table.columns["n"].tolist()) == (["n"], [3])


def test_a_filter_on_a_field_that_is_not_there_is_named(tmp_path, backend):
    path = write(tmp_path / "a.gpkg", {"n": np.array([1, 2, 3])})
    with pytest.raises(SwcError) as caught:
        formats.read_vector(path, where="level = 3")
    assert (caught.value.code, caught.value.facts["filter"]) == ("intake.filter_failed", "level = 3")


def test_missing_numbers_come_as_none(tmp_path, backend):
    path = write(tmp_path / "a.gpkg", {"v": np.array([1.5, np.nan, 2.0])})
    assert formats.read_vector(path).columns["v"].tolist() == [1.5, None, 2.0]


@pytest.mark.parametrize(
    ("page", "written", "expected"),
    [
        (None, "GBK", ("GB18030", "detected")),
        (None, "UTF-8", ("UTF-8", "detected")),
        ("UTF-8", "UTF-8", ("utf-8", "declared")),
        ("GBK", "GBK", ("gbk", "declared")),
        ("936", "GBK", ("cp936", "declared")),
        ("UTF-8", "GBK", ("GB18030", "contradicted")),
        ("system", "GBK", ("GB18030", "detected")),
    ],
)
def test_the_encoding_of_a_shapefile_follows_its_bytes(tmp_path, backend, page, written, expected):
    path = write(tmp_path / "a.shp", {"等级": CHINESE}, encoding=written)
    path.with_suffix(".cpg").unlink()
    if page:
        path.with_suffix(".cpg").write_text(page)
    layer = formats.describe(path)
    expected_name = "gbk" if expected[0] == "cp936" else expected[0]
    assert (layer.encoding, layer.encoding_origin) == (expected_name, expected[1])
    assert layer.fields == ("等级",)
    assert formats.read_vector(path).columns["等级"].tolist() == CHINESE.tolist()
    assert path.with_suffix(".cpg").exists() == bool(page)


def test_half_a_character_at_the_end_of_a_field_does_not_mislead(tmp_path):
    text = np.array(["水土保持" * 30], dtype=object)
    path = write(tmp_path / "a.shp", {"t": text}, wkb=BOXES[:1], encoding="UTF-8")
    path.with_suffix(".cpg").unlink()
    assert formats.describe(path).encoding == "UTF-8"


def test_accented_latin_text_is_not_taken_for_chinese(tmp_path):
    path = write(
        tmp_path / "a.shp",
        {"t": np.array(["Conceição", "São João", "Olinda"], dtype=object)},
        encoding="ISO-8859-1",
    )
    path.with_suffix(".cpg").unlink()
    assert encodings.detect_encoding(path.with_suffix(".dbf")) == ("ISO-8859-1", "assumed")


def test_an_encoding_given_is_used_and_an_unknown_one_refused(tmp_path):
    path = write(tmp_path / "a.shp", {"t": CHINESE}, encoding="GBK")
    path.with_suffix(".cpg").write_text("UTF-8")
    assert formats.read_vector(path, encoding="GBK").columns["t"].tolist() == CHINESE.tolist()
    with pytest.raises(SwcError, match=r"intake\.encoding_unknown"):
        formats.read_vector(path, encoding="GB-nonsense")


def test_several_layers_want_a_name(tmp_path):
    path = tmp_path / "a.gpkg"
    formats.write_table(path, "one", [Batch(BOXES, {"n": np.arange(3)})], "EPSG:4549")
    formats.write_table(path, "two", [Batch(BOXES, {"n": np.arange(3)})], "EPSG:4549")
    formats.write_table(path, "notes", [Batch(None, {"n": np.arange(3)})], None)
    with pytest.raises(SwcError) as caught:
        formats.read_vector(path)
    assert (caught.value.code, caught.value.facts["layers"]) == ("intake.layer_unnamed", "one, two")
    with pytest.raises(SwcError, match=r"intake\.layer_not_found"):
        formats.read_vector(path, layer="three")


def test_a_table_without_geometry_beside_one_layer_needs_no_name(tmp_path):
    path = tmp_path / "a.gpkg"
    formats.write_table(path, "one", [Batch(BOXES, {"n": np.arange(3)})], "EPSG:4549")
    formats.write_table(path, "notes", [Batch(None, {"n": np.arange(3)})], None)
    assert formats.describe(path).name == "one"


def test_what_is_written_is_read_back_in_batches(tmp_path, backend):
    path = tmp_path / "成果.gpkg"
    columns = {
        "名称": np.array(["甲", None, "乙"], dtype=object),
        "n": np.array([1, 2, 2**40]),
        "v": np.array([0.1, 1 / 3, 2.0]),
        "ok": np.array([True, False, True]),
    }
    for _ in range(2):
        formats.write_table(path, "pieces", [Batch(BOXES, columns)], "EPSG:4549")
    formats.write_table(path, "ledger", [Batch(None, {"n": np.arange(4)})], None)
    table = formats.read_back(path, "pieces")
    for name, values in columns.items():
        assert table.columns[name].tolist() == values.tolist() * 2
    assert shapely.equals(*shapely.from_wkb([np.asarray(table.wkb)[4], BOXES[1]]))
    assert table.layer.crs is not None
    assert formats.read_back(path, "ledger").columns["n"].tolist() == [0, 1, 2, 3]
    with sqlite3.connect(path) as database:
        assert database.execute("pragma user_version").fetchone()[0] == 10200


def rows_of(start, stop, **changed):
    """Batches of three rows each, with one value changed."""
    names = np.array(["甲", None, "乙"], dtype=object)
    for batch in range(start, stop):
        columns = {
            "id": np.array([b"0a", b"0b", b"0c"]),
            "role": formats.Coded(names, np.array([2, 1, 0])),
            "v": np.array([np.nan, batch / 3, 2.0]),
            "n": np.array([batch, -1, 2**40]),
        }
        wkb = BOXES.copy()
        if batch == changed.get("batch"):
            columns = {**columns, **{k: v for k, v in changed.items() if k in columns}}
            wkb = changed.get("wkb", wkb)
        yield Batch(wkb, columns)


MOVED = shapely.to_wkb(np.array([shapely.box(x, 0, x + 10, 10) for x in (500000, 500010, 500020.0001)]))
CHANGES = {
    "geometry": {"wkb": MOVED},
    "id": {"id": np.array([b"0a", b"0b", b"0d"])},
    "role": {"role": np.array(["乙", "", "甲"], dtype=object)},
    "v": {"v": np.array([0.0, 1.0, 2.0])},
    "n": {"n": np.array([2, -1, 2**40 + 1])},
}


def test_batches_are_written_one_by_one_and_read_back_as_one_layer(tmp_path, backend):
    path = tmp_path / "a.gpkg"
    formats.write_table(path, "pieces", rows_of(0, 4), "EPSG:4549")
    table = formats.read_back(path, "pieces")
    assert table.columns["id"].tolist() == ["0a", "0b", "0c"] * 4
    assert table.columns["role"].tolist() == ["乙", None, "甲"] * 4
    assert table.columns["n"].tolist()[::3] == [0, 1, 2, 3]
    with sqlite3.connect(path) as database:
        assert database.execute("select count(*) from rtree_pieces_geom").fetchone() == (12,)


@pytest.mark.parametrize("field", sorted(CHANGES))
def test_reading_back_finds_any_value_that_differs_in_any_batch(tmp_path, backend, monkeypatch, field):
    monkeypatch.setattr(formats, "_BATCH_READ", 5)  # not those of the writer
    path = tmp_path / "a.gpkg"
    formats.write_table(path, "pieces", rows_of(0, 4), "EPSG:4549")
    assert formats.difference(path, "pieces", rows_of(0, 4)) is None
    assert formats.difference(path, "pieces", rows_of(0, 4, batch=2, **CHANGES[field])) == field
    assert formats.difference(path, "pieces", rows_of(0, 5)) is not None


def test_what_stops_the_making_of_rows_is_not_called_a_fault_of_the_file(tmp_path, backend):
    def rows():
        yield from rows_of(0, 2)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        formats.write_table(tmp_path / "a.gpkg", "pieces", rows(), "EPSG:4549")


def test_writing_without_append_replaces_the_layer_and_only_it(tmp_path, backend):
    path = tmp_path / "a.gpkg"
    for layer in ("one", "two", "two"):
        formats.write_table(path, layer, [Batch(BOXES, {"n": np.arange(3)})], "EPSG:4549", append=False)
    assert [len(formats.read_back(path, layer)) for layer in ("one", "two")] == [3, 3]


def test_a_folder_that_is_not_there_cannot_be_written(tmp_path, backend):
    with pytest.raises(SwcError, match=r"intake\.unwritable"):
        formats.write_table(
            tmp_path / "no" / "a.gpkg", "one", [Batch(BOXES, {"n": np.arange(3)})], "EPSG:4549"
        )


def test_a_database_with_unsaved_log_is_read_without_touching_it(tmp_path):
    """Case B61 of the bad-input catalogue."""
    path = tmp_path / "a.gpkg"
    formats.write_table(path, "one", [Batch(BOXES, {"n": np.arange(3)})], "EPSG:4549", spatial_index=False)
    writer = sqlite3.connect(path)
    writer.execute("pragma journal_mode=wal")
    writer.execute("update one set n = 7 where n = 2")
    writer.commit()
    before = folder_state(tmp_path)
    assert path.with_name("a.gpkg-wal").exists()
    assert formats.read_vector(path).columns["n"].tolist() == [0, 1, 7]
    assert folder_state(tmp_path) == before
    writer.close()


def test_the_hash_of_a_source_covers_all_its_files_and_no_others(tmp_path):
    path = write(tmp_path / "a.shp", {"t": CHINESE}, encoding="GBK")
    first = formats.source_sha256(path)
    (tmp_path / "b.dbf").write_bytes(b"other")
    (tmp_path / "a.qix").write_bytes(b"an index somebody made")
    assert formats.source_sha256(path) == first
    path.with_suffix(".dbf").write_bytes(
        path.with_suffix(".dbf").read_bytes().replace("准".encode("gbk"), b"ab")
    )
    assert formats.source_sha256(path) != first


def test_the_hash_of_a_file_geodatabase_covers_its_folder(tmp_path):
    path = write(tmp_path / "a.gdb", {"t": CHINESE}, driver="OpenFileGDB")
    first = formats.source_sha256(path)
    table = max(path.iterdir(), key=lambda part: part.stat().st_size)
    table.write_bytes(table.read_bytes() + b"x")
    assert formats.source_sha256(path) != first


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("PG:dbname=city password=secret", False),
        ("https://a/b", False),
        ("C:\\data\\a.shp", True),
        ("a/b.shp", True),
    ],
)
def test_addresses_are_told_from_paths(source, expected):
    assert formats.is_file_source(source) is expected


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ("PG:dbname=a password='x y' host=b", "PG:dbname=a password=*** host=b"),
        ("PG:password=x", "PG:password=***"),
        ("postgresql://me:x@host/db", "postgresql://me:***@host/db"),
        ("/data/password=x/a.shp", "/data/password=x/a.shp"),
    ],
)
def test_passwords_are_not_shown(source, shown):
    assert formats.without_password(source) == shown


def test_a_database_that_does_not_answer_is_named_without_its_password():
    with pytest.raises(SwcError) as caught:
        formats.read_vector("PG:host=127.0.0.1 port=1 dbname=x password=secret")
    assert caught.value.code == "intake.unreadable"
    assert "secret" not in caught.value.sentence("zh")


def test_a_file_that_is_not_there_or_is_no_data_is_named(tmp_path, backend):
    (tmp_path / "a.gpkg").write_bytes(b"not a database, not at all")
    with pytest.raises(SwcError, match=r"intake\.source_missing"):
        formats.read_vector(tmp_path / "b.gpkg")
    with pytest.raises(SwcError, match=r"intake\.unreadable"):
        formats.read_vector(tmp_path / "a.gpkg")


@real_data
def test_a_damaged_shapefile_is_an_error_not_a_short_layer(backend):
    with pytest.raises(SwcError) as caught:
        formats.read_vector(SHARED / "swellendam_qgis_training" / "water_CORRUPT.shp")
    assert caught.value.code in ("intake.unreadable", "intake.damaged")
    with pytest.raises(SwcError):
        formats.read_vector(SHARED / "swellendam_qgis_training" / "water_CORRUPT.shp", where="fid_1 > 0")


@real_data
def test_layers_are_listed_with_their_types(backend):
    layers = formats.list_layers(SHARED / "geofileops_tests" / "polygon-twolayers.gpkg")
    assert [name for name, _ in layers] == ["parcels", "zones"]
    assert {kind.replace("Multi", "") for _, kind in layers} == {"Polygon"}


@real_data
def test_nothing_is_written_beside_an_input_even_by_drivers_that_like_to(tmp_path):
    source = tmp_path / "polys.gml"
    source.write_bytes((SHARED / "qgis_processing_tests" / "polys.gml").read_bytes())
    assert len(formats.read_vector(source)) > 0
    assert [part.name for part in tmp_path.iterdir()] == ["polys.gml"]


@real_data
def test_curves_come_within_a_centimetre_whoever_reads(backend):
    table = formats.read_vector(SHARED / "qgis_processing_tests" / "geometry_checker" / "curved_polys.gpkg")
    kinds = {int.from_bytes(bytes(wkb[1:5]), "little") for wkb in table.wkb}
    assert kinds == ({10} if backend == "arrow" else {3})
    if backend != "arrow":
        assert all(shapely.get_num_coordinates(shapely.from_wkb(wkb)) > 300 for wkb in table.wkb)


def test_the_best_reader_installed_here_is_pyogrio():
    assert formats.backend() in ("arrow", "pyogrio")
    assert pyogrio.__version__
