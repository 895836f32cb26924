# SPDX-License-Identifier: GPL-2.0-or-later
"""Bad text and attributes of the catalogue (B41 to B53), each with what must come of it."""

from __future__ import annotations

import hashlib
import json
import struct
from pathlib import Path

import numpy as np
import pyogrio
import pytest
import shapely
from pyogrio import raw

from swc_zoning.engine import characters, encodings, formats, intake
from swc_zoning.engine import job as jobs
from swc_zoning.engine import run as runs
from swc_zoning.engine.job import Extent, Job, LayerInput, Options
from swc_zoning.engine.messages import Blocked, SwcError
from swc_zoning.engine.progress import Progress

FREE, WATER = "parcels", "drinking_water_source"
NEEDS = {"arrow": "pyarrow", "pyogrio": "pyogrio", "fiona": "fiona"}


def gb(text):
    return text.encode("gb18030")


def utf8(text):
    return text.encode("utf-8")


def twice(text, through):
    """Return UTF-8 text as it is after being read as another encoding; open codes stand for themselves."""
    if through == "gbk":
        return utf8(text).decode("gbk")
    return "".join(bytes([b]).decode("cp1252", "ignore") or chr(b) for b in utf8(text))


def box(x=0.0, y=0.0, size=10.0):
    return shapely.box(500000 + x, 3450000 + y, 500000 + x + size, 3450000 + y + size)


def boxes(count):
    return [box(20 * i) for i in range(count)]


def write(path, geometry=None, driver=None, **columns):
    fields = {name: np.array(values, dtype=object) for name, values in columns.items()}
    rows = len(next(iter(fields.values())))
    wkb = np.empty(rows, dtype=object)
    wkb[:] = [shapely.to_wkb(one) for one in geometry or boxes(rows)]
    raw.write(
        str(path),
        geometry=wkb,
        field_data=list(fields.values()),
        fields=np.array(list(fields), dtype=object),
        geometry_type="Polygon",
        crs="EPSG:4549",
        driver=driver,
    )
    return path


def shapefile(path, names, rows, widths, page=None, language=0):
    """Write a Shapefile whose table holds exactly these bytes; `page` is its .cpg, None for no .cpg."""
    write(path, x=["a"] * len(rows))
    head = bytearray(32)
    head[0], head[1:4], head[29] = 3, bytes([126, 1, 1]), language
    struct.pack_into("<IHH", head, 4, len(rows), 32 + 32 * len(names) + 1, 1 + sum(widths))
    for name, width in zip(names, widths):
        field = bytearray(32)
        field[: len(name)], field[11:12], field[16] = name, b"C", width
        head += field
    data = b"".join(b" " + b"".join(v.ljust(w) for v, w in zip(row, widths)) for row in rows)
    path.with_suffix(".dbf").write_bytes(bytes(head) + b"\r" + data + b"\x1a")
    path.with_suffix(".cpg").unlink(missing_ok=True)
    if page is not None:
        path.with_suffix(".cpg").write_text(page)
    return path


def layer(source, role=FREE, **values):
    return LayerInput(role=role, source=str(source), **values)


def job(*layers, extent=None, **options):
    return Job("", extent, "EPSG:4549", None, None, tuple(layers), Options(**options))


def look(*layers, **values):
    return intake.inspect(job(*layers, **values))


def told(findings, code):
    return [finding for finding in findings if finding.code == code]


def read(*layers, **values):
    return intake.read(job(*layers, **values), Progress())


def names_of(*layers, **values):
    return read(*layers, **values).features.name


def fixed(given):
    """Return the job with the sure fixes of its findings, and what is then found."""
    document = jobs.fixed(given, intake.inspect(given))
    again = jobs.load(document)
    return again, intake.inspect(again)


def folder_state(folder):
    parts = sorted(part for part in folder.rglob("*") if part.is_file())
    return {str(part): hashlib.sha256(part.read_bytes()).hexdigest() for part in parts}


@pytest.fixture(params=sorted(NEEDS))
def backend(request, monkeypatch):
    pytest.importorskip(NEEDS[request.param])
    monkeypatch.setattr(formats, "backend", lambda: request.param)
    return request.param


# --- B41 to B43: which encoding a Shapefile is in ---------------------------------------------------

CASES = [
    pytest.param(None, 0, gb, "GB18030", "detected", id="B41-gbk-without-cpg"),
    pytest.param(None, 0, utf8, "UTF-8", "detected", id="B41-utf8-without-cpg"),
    pytest.param("UTF-8", 0, gb, "GB18030", "contradicted", id="B42-cpg-utf8-bytes-gbk"),
    pytest.param("GBK", 0, utf8, "UTF-8", "contradicted", id="B42-cpg-gbk-bytes-utf8"),
    pytest.param("ISO-8859-1", 0, gb, "GB18030", "contradicted", id="B42-cpg-latin-bytes-gbk"),
    pytest.param("1252", 0, utf8, "UTF-8", "contradicted", id="B42-cpg-1252-bytes-utf8"),
    pytest.param("system", 0, gb, "GB18030", "detected", id="B43-system"),
    pytest.param("OEM", 0, utf8, "UTF-8", "detected", id="B43-oem"),
    pytest.param("ANSI", 0, gb, "GB18030", "detected", id="B43-ansi"),
    pytest.param("nonsense", 0, gb, "GB18030", "detected", id="B43-no-encoding"),
    pytest.param(None, 0x4D, gb, "gbk", "declared", id="B43-language-byte-gbk"),
    pytest.param(None, 0x4D, utf8, "UTF-8", "contradicted", id="B43-language-byte-gbk-bytes-utf8"),
    pytest.param(None, 0x57, gb, "GB18030", "detected", id="B43-language-byte-ansi"),
    pytest.param("system", 0x4D, gb, "gbk", "declared", id="B43-system-and-language-byte"),
]


@pytest.mark.parametrize(("page", "language", "bytes_of", "encoding", "origin"), CASES)
def test_bytes_decide_what_a_declaration_claims(
    tmp_path, backend, page, language, bytes_of, encoding, origin
):
    words = ["水源名称", "一级保护区"]
    path = shapefile(tmp_path / "a.shp", [b"MC"], [[bytes_of(w)] for w in words], [30], page, language)
    before = folder_state(tmp_path)
    table = formats.read_vector(path)
    assert (table.layer.encoding, table.layer.encoding_origin) == (encoding, origin)
    assert table.columns["MC"].tolist() == words
    given = job(layer(path, name_field="MC"))
    if origin == "declared":
        assert not [f for f in intake.inspect(given) if f.code.startswith(("intake.enc", "encodings"))]
        return
    finding = told(intake.inspect(given), f"intake.encoding_{origin}")[0]
    shown = {one["encoding"]: one for one in finding.facts["candidates"]}
    assert {"UTF-8", "GB18030"} <= set(shown)
    assert shown[encoding]["sample"] == "一级保护区"
    assert shown[encoding]["reads"] == shown[encoding]["count"] == 2
    assert [(fix.change, fix.sure) for fix in finding.fixes] == [({"encoding": encoding}, True)]
    again, findings = fixed(given)
    assert not told(findings, f"intake.encoding_{origin}")
    assert intake.read(again, Progress()).features.name == words
    assert folder_state(tmp_path) == before


def test_a_contradiction_is_told_with_the_bytes_that_prove_it(tmp_path):
    """B42."""
    path = shapefile(tmp_path / "a.shp", [b"MC"], [[gb("水土保持")]], [30], "UTF-8")
    finding = told(look(layer(path)), "intake.encoding_contradicted")[0]
    assert finding.facts["proof"] == gb("水土保持").hex(" ")
    assert (finding.facts["declared"], finding.facts["declared_by"]) == ("utf-8", "cpg")
    assert "\ufffd" in finding.facts["as_declared"]
    assert finding.facts["as_declared"] in finding.sentence("en")
    assert (finding.facts["contradicting"], finding.facts["count"]) == (1, 1)


def test_chinese_that_happens_to_be_valid_utf8_stays_what_it_is_declared(tmp_path):
    """B42: the GBK bytes of 联通 are valid UTF-8."""
    path = shapefile(tmp_path / "a.shp", [b"MC"], [["联通".encode("gbk")]], [30], "GBK")
    assert names_of(layer(path, name_field="MC")) == ["联通"]


def test_a_table_of_two_encodings_is_told_and_both_are_read(tmp_path, backend):
    """B42: rows of another encoding, as after joining two files."""
    rows = [[utf8("水土保持区")], [utf8("一级保护区")], [gb("二级保护区")], [utf8("准保护区")]]
    path = shapefile(tmp_path / "a.shp", [b"MC"], rows, [30], "UTF-8")
    before = folder_state(tmp_path)
    assert names_of(layer(path, name_field="MC")) == ["水土保持区", "一级保护区", "二级保护区", "准保护区"]
    finding = told(look(layer(path)), "encodings.unfit")[0]
    assert (finding.facts["unfit"], finding.facts["recovered"]) == (1, 1)
    assert finding.facts["example"] == "二级保护区"
    assert {fix.change["encoding"] for fix in finding.fixes} >= {"UTF-8", "GB18030"}
    assert not any(fix.sure for fix in finding.fixes)
    assert folder_state(tmp_path) == before


@pytest.mark.parametrize("name", ["a.geojson", "a.csv"])
@pytest.mark.parametrize("encoding", ["GBK", "UTF-16"])
def test_a_text_file_in_another_encoding_is_read_from_a_copy(tmp_path, backend, name, encoding):
    """B41: a script on a Chinese Windows writes GeoJSON in its own code page."""
    source = write(tmp_path / f"utf8-{name}", MC=["水源名称", "一级保护区"]) if name != "a.csv" else None
    text = source.read_text(encoding="utf-8") if source else f'WKT,MC\n"{box().wkt}",水源名称\n'
    path = tmp_path / name
    path.write_bytes(text.encode(encoding))
    before = folder_state(tmp_path)
    given = job(layer(path, name_field="MC", crs="EPSG:4549"))
    assert intake.read(given, Progress()).features.name[0] == "水源名称"
    finding = told(intake.inspect(given), "intake.encoding_detected")
    assert [one.facts["encoding"] for one in finding] == ([] if encoding == "UTF-16" else ["GB18030"])
    again, findings = fixed(given)
    assert again.layers[0].encoding == (None if encoding == "UTF-16" else "GB18030")
    assert not told(findings, "intake.encoding_detected")
    assert folder_state(tmp_path) == before


def test_a_word_that_is_valid_in_two_encodings_is_a_choice(tmp_path):
    """B41: the GBK bytes of 水源 are valid UTF-8 too, but no Chinese."""
    path = shapefile(tmp_path / "a.shp", [b"MC"], [["水源".encode("gbk")]], [30])
    assert names_of(layer(path, name_field="MC")) == ["水源"]
    finding = told(look(layer(path)), "intake.encoding_assumed")[0]
    assert [fix.change["encoding"] for fix in finding.fixes][:2] == ["GB18030", "UTF-8"]
    assert not any(fix.sure for fix in finding.fixes)
    for word in ("Conceição", "São", "Москва", "Ωμέγα Ωμέγα"):
        path = shapefile(tmp_path / "b.shp", [b"MC"], [[utf8(word)]], [30])
        assert names_of(layer(path, name_field="MC")) == [word]


# --- B44: UTF-8 twice --------------------------------------------------------------------------------


@pytest.mark.parametrize("through", ["cp1252", "gbk"])
@pytest.mark.parametrize("name", ["a.gpkg", "a.geojson", "a.shp"])
def test_utf8_encoded_twice_is_shown_and_undone_value_by_value(tmp_path, name, through):
    """B44."""
    words = ["水源名称", "水土保持", "plain"]
    path = write(tmp_path / name, MC=[twice(word, through) for word in words], id=["1", "2", "3"])
    before = folder_state(tmp_path)
    given = job(layer(path, name_field="MC", id_field="id"))
    finding = told(intake.inspect(given), "encodings.double")[0]
    assert (finding.facts["count"], finding.facts["through"]) == (2, through)
    assert finding.facts["before"] == encodings.short(twice(finding.facts["after"], through))
    assert finding.facts["after"] in words
    assert [fix.sure for fix in finding.fixes] == [True]
    again, findings = fixed(given)
    assert intake.read(again, Progress()).features.name == words
    assert told(findings, "encodings.undone")[0].facts["count"] == 2
    assert not told(findings, "encodings.double")
    assert folder_state(tmp_path) == before


def test_text_that_only_looks_encoded_twice_is_left_alone(tmp_path):
    """B44: accents are no proof, and only what is wrong is turned back."""
    words = ["São João", "Conceição", "涓流", "联通", twice("水源", "cp1252")]
    path = write(tmp_path / "a.gpkg", MC=words)
    assert names_of(layer(path, name_field="MC", undo_encoding="any")) == [*words[:4], "水源"]
    assert told(look(layer(path, name_field="MC")), "encodings.double")[0].facts["count"] == 1


def test_text_of_which_a_byte_was_lost_is_told_as_lost(tmp_path):
    """B44: what was replaced by ? or U+FFFD on the way cannot come back."""
    assert characters.undone("涓€绾т繚鎶ゅ尯", "gbk") == "一级保护区"
    lost = utf8("水土保").decode("gbk", "replace")
    path = write(tmp_path / "a.gpkg", MC=[lost, "锟斤拷", "好\ufffd"])
    finding = told(look(layer(path, name_field="MC")), "encodings.lost")[0]
    assert finding.facts["count"] == 3
    assert names_of(layer(path, name_field="MC", undo_encoding="any")) == [lost, "锟斤拷", "好\ufffd"]


def test_a_field_whose_name_is_encoded_twice_is_found_by_its_name(tmp_path):
    """B44."""
    path = write(tmp_path / "a.gpkg", **{twice("名称", "cp1252"): ["甲", "乙"]})
    assert names_of(layer(path, name_field="名称")) == ["甲", "乙"]
    assert told(look(layer(path, name_field="名称")), "attributes.field_double")


# --- B45: characters that are rare or cannot be seen --------------------------------------------------

RARE = ["𠮷野", "㙍塘", "䲜", "\ue5e5\U000f0000", "\U0001f600", "鿍"]


def zoned(tmp_path, source, **entry):
    """Run one water source inside an extent and return the tables and the summary as written."""
    write(tmp_path / "extent.gpkg", [box(-50, -50, 500)], code=["310101"], name=["区"])
    document = {
        "schema": 1,
        "crs": "EPSG:4549",
        "extent": {"source": "extent.gpkg", "code_field": "code", "name_field": "name"},
        "layers": [{"role": WATER, "source": source.name, "tier": {"value": "level1"}, **entry}],
    }
    (tmp_path / "job.json").write_text(json.dumps(document), encoding="utf-8")
    files = runs.run(tmp_path / "job.json").write(tmp_path / "out")
    tables = {name: pyogrio.read_dataframe(files.zoning, layer=name) for name in ("piece_sources", "inputs")}
    return tables, json.loads(Path(files.summary).read_text(encoding="utf-8"))


@pytest.mark.parametrize("page", ["GBK", None])
def test_rare_characters_reach_every_output_and_are_told_by_name(tmp_path, page):
    """B45: GBK has none of them; the bytes show that the table is GB 18030."""
    path = shapefile(tmp_path / "水源.shp", [b"MC"], [[gb(f"水源{one}")] for one in RARE], [40], page)
    tables, summary = zoned(tmp_path, path, id_field="MC", name_field="MC")
    wanted = {f"水源{one}" for one in RARE}
    assert set(tables["piece_sources"]["name"]) == wanted
    assert set(tables["piece_sources"]["source_id"]) == wanted
    finding = next(f for f in summary["findings"] if f["code"] == "encodings.beyond")
    assert finding["facts"]["count"] == len(RARE)
    assert "U+364D CJK UNIFIED IDEOGRAPH-364D" in finding["facts"]["characters"]


@pytest.mark.parametrize(
    ("odd", "code", "named"),
    [
        pytest.param("甲\u200b乙", "encodings.unseen", "U+200B ZERO WIDTH SPACE", id="B45-zero-width"),
        pytest.param("\u202e甲乙", "encodings.unseen", "U+202E RIGHT-TO-LEFT OVERRIDE", id="B45-rtl"),
        pytest.param("甲\x07乙", "encodings.control", "U+0007 CONTROL", id="B45-control"),
        pytest.param("a\tb\nc", "encodings.control", "U+0009 CONTROL", id="B45-tab-and-line-end"),
        pytest.param("甲\x85乙", "encodings.control", "U+0085 CONTROL", id="B45-c1"),
    ],
)
def test_characters_that_cannot_be_seen_are_told_and_stay(tmp_path, odd, code, named):
    path = write(tmp_path / "a.gpkg", id=["plain", odd])
    result = read(layer(path, id_field="id"))
    assert result.features.source_id == ["plain", odd]
    finding = told(result.findings, code)[0]
    assert (finding.facts["field"], finding.facts["count"]) == ("id", 1)
    assert named in finding.facts["characters"]
    assert finding.facts["example"].isprintable()


def test_text_behind_a_nul_is_told_with_field_and_row(tmp_path, backend):
    """B45: every reader ends a value at NUL."""
    rows = [[b"ab"], [b"ab\0cd"], [utf8("水") + b"\0\0\0"]]
    path = shapefile(tmp_path / "a.shp", [b"MC"], rows, [20], "UTF-8")
    finding = told(look(layer(path, name_field="MC")), "encodings.ended")[0]
    assert (finding.facts["field"], finding.facts["count"], finding.facts["rows"]) == ("MC", 1, "2")
    assert names_of(layer(path, name_field="MC")) == ["ab", "ab", "水"]


# --- B46: what 10 bytes leave of a name ---------------------------------------------------------------


def test_names_and_values_cut_within_a_character_keep_their_whole_characters(tmp_path, backend):
    """B46."""
    names = [utf8("水土保持")[:10], b"MC"]
    rows = [[utf8("甲乙丙丁")[:10], utf8("水源")], [utf8("一级"), utf8("保护")]]
    path = shapefile(tmp_path / "a.shp", names, rows, [10, 20], "UTF-8")
    before = folder_state(tmp_path)
    result = read(layer(path, id_field="水土保持分区名称", name_field="MC"))
    assert result.features.source_id == ["甲乙丙", "一级"]
    assert result.features.name == ["水源", "保护"]
    assert told(result.findings, "encodings.names_cut")[0].facts["fields"] == "水土保"
    cut = told(result.findings, "encodings.values_cut")[0].facts
    assert (cut["field"], cut["width"], cut["count"], cut["rows"]) == ("水土保", 10, 1, "1")
    assert told(result.findings, "attributes.field_cut")[0].facts["actual"] == "水土保"
    assert folder_state(tmp_path) == before


def test_long_text_cut_at_a_whole_character_is_told_too(tmp_path):
    """B46: GDAL cuts text at 254 bytes, 84 characters of UTF-8, and says so only where it writes."""
    rows = [[utf8("水" * 84), utf8("一二三")], [utf8("水" * 80), utf8("一")]]
    path = shapefile(tmp_path / "a.shp", [b"MC", b"DM"], rows, [254, 9], "UTF-8")
    findings = look(layer(path))
    facts = told(findings, "encodings.values_full")[0].facts
    assert (facts["field"], facts["width"], facts["count"], facts["rows"]) == ("MC", 254, 1, "1")
    assert len(told(findings, "encodings.values_full")) == 1
    assert not told(findings, "encodings.values_cut")


@pytest.mark.parametrize("name", [b"MC", utf8("水土保")])
def test_two_fields_of_one_name_are_told_apart_by_every_reader(tmp_path, backend, name):
    """B46."""
    path = shapefile(tmp_path / "a.shp", [name, name], [[b"1", b"2"], [b"3", b"4"]], [5, 5], "UTF-8")
    field = name.decode("utf-8")
    assert names_of(layer(path, name_field=field)) == ["1", "3"]
    facts = told(look(layer(path, name_field=field)), "encodings.names_doubled")[0].facts
    assert facts["field"] == field
    assert names_of(layer(path, name_field=facts["renamed"])) == ["2", "4"]


def test_names_that_are_the_same_only_when_whole_are_told_apart(tmp_path, backend):
    """B46: 水土保 and the first byte of another character each, and a name that is taken already."""
    names = [utf8("水土保持")[:10], utf8("水土保") + b"\xe4", b"MC", b"MC_2", b"mc"]
    path = shapefile(tmp_path / "a.shp", names, [[b"1", b"2", b"3", b"4", b"5"]], [5] * 5, "UTF-8")
    fields = formats.describe(path).fields
    assert fields == ("水土保", "水土_2", "MC", "MC_2", "mc_3")
    assert [formats.read_vector(path).columns[name].tolist() for name in fields] == [[c] for c in "12345"]
    assert len(told(look(layer(path)), "encodings.names_doubled")) == 2


def test_fields_that_differ_only_in_case_are_read_as_named(tmp_path, backend):
    """B46."""
    path = write(tmp_path / "a.geojson", MC=["1", "2"], mc=["3", "4"])
    assert names_of(layer(path, name_field="mc")) == ["3", "4"]
    assert told(look(layer(path, name_field="mc")), "attributes.fields_doubled")[0].facts["count"] == 2


# --- B47: very long text ------------------------------------------------------------------------------


@pytest.mark.parametrize("length", [1_000_000, 10_000_000], ids=["B47-million", "B47-10-MB"])
def test_very_long_text_is_kept_whole_and_never_shown_whole(tmp_path, length):
    path = write(tmp_path / "a.gpkg", MC=["长" + "x" * (length - 1), "短"])
    result = read(layer(path, name_field="MC"))
    assert [len(name) for name in result.features.name] == [length, 1]
    assert told(result.findings, "attributes.text_long")[0].facts["length"] == length
    assert all(len(finding.sentence()) < 500 for finding in result.findings)


# --- B48 to B50: numbers, nothing and codes -----------------------------------------------------------


def test_tiers_written_as_odd_numbers_are_understood(tmp_path):
    """B48: full-width digits, blanks, decimals and a dash for nothing."""
    path = write(tmp_path / "a.gpkg", JB=["１", " 2 ", "3.0", "—", "１２３", "1,234"])
    result = read(layer(path, role=WATER, tier={"field": "JB"}))
    assert result.features.tier == ["level1", "level2", "quasi", "unknown", "unknown", "unknown"]
    assert {f.facts["word"] for f in told(result.findings, "intake.tier_unknown")} >= {"１２３", "1,234"}
    assert told(result.findings, "attributes.codes_odd")[0].facts["count"] == 5
    assert told(result.findings, "attributes.missing_words")[0].facts["count"] == 1


@pytest.mark.parametrize(
    "day", ["2023-13-45", "—", "0000-00-00", "去年", "20231345"], ids=lambda day: f"B48-{day}"
)
def test_a_date_that_is_none_is_told_and_written_as_it_stands(tmp_path, day):
    path = write(tmp_path / "a.gpkg", k=["a"])
    result = read(layer(path, data_date=day))
    assert told(result.findings, "versions.date_odd")[0].facts["value"] == day
    assert result.layers[0].data_date == day


@pytest.mark.parametrize("day", ["2023", "２０２３年", "2023/1/5", "20230105", "2023年1月5日", "2023-01"])
def test_a_date_however_written_is_a_date(tmp_path, day):
    """B48."""
    path = write(tmp_path / "a.gpkg", k=["a"])
    assert not told(look(layer(path, data_date=day)), "versions.date_odd")


def test_odd_dates_in_a_field_of_dates_are_told(tmp_path):
    """B48: an Excel serial number, a day that is none, a dash."""
    days = ["2023-01-05", "45000", "0000-00-00", "2023-13-45", "—", "２０２３年", "", None]
    path = write(tmp_path / "a.gpkg", GXRQ=days)
    facts = told(look(layer(path, role=WATER)), "versions.dates_odd")[0].facts
    assert (facts["field"], facts["count"]) == ("GXRQ", 4)
    assert "45000 (1)" in facts["some"]


def test_words_and_blanks_for_nothing_are_no_ids(tmp_path):
    """B49: NULL, '', "NULL", blanks and 空 are all no value."""
    path = write(tmp_path / "a.gpkg", id=[None, "", "NULL", "  ", "空", "ＮＵＬＬ", "17"])
    result = read(layer(path, id_field="id"))
    assert result.features.source_id[6] == "17"
    assert all(text.startswith("h") for text in result.features.source_id[:6])
    assert len(set(result.features.source_id)) == 7
    facts = told(result.findings, "attributes.missing_words")[0].facts
    assert facts["count"] == 5
    assert facts["some"].startswith("NULL 1, ")
    assert not told(result.findings, "intake.ids_doubled")


def test_districts_without_a_code_are_numbered_whatever_stands_for_nothing(tmp_path):
    """B49."""
    path = write(tmp_path / "e.gpkg", code=["310101", "NULL", None, "  "], name=["甲", "乙", "丙", "丁"])
    result = read(layer(write(tmp_path / "a.gpkg", k=["a"])), extent=Extent(str(path), code_field="code"))
    codes = [one["code"] for one in result.features.attributes if one]
    assert codes == ["310101", "2", "3", "4"]
    assert told(result.findings, "intake.districts_numbered")


def test_one_district_however_its_code_is_written(tmp_path):
    """B50: width, blanks and marks do not make another district; the source id stays as it is."""
    written = ["310101", "３１０１０１　", "310,101", "310101.0", "\u200b310101"]
    path = write(tmp_path / "e.gpkg", code=written, name=["甲"] * 5)
    result = read(layer(write(tmp_path / "a.gpkg", k=["a"])), extent=Extent(str(path), code_field="code"))
    assert {one["code"] for one in result.features.attributes if one} == {"310101"}
    assert result.features.source_id[:3] == ["310101", "３１０１０１", "310,101"]
    assert told(result.findings, "attributes.codes_odd")[0].facts["count"] == 4


def test_codes_that_differ_only_in_case_or_width_are_told(tmp_path):
    """B50."""
    path = write(tmp_path / "a.gpkg", id=["A1", "a1", "Ａ１", "B2"])
    result = read(layer(path, id_field="id"))
    assert result.features.source_id == ["A1", "a1", "Ａ１", "B2"]
    facts = told(result.findings, "attributes.codes_alike")[0].facts
    assert (facts["count"], facts["some"]) == (1, "A1/a1/Ａ１")


def test_a_tier_in_another_case_is_known_and_an_unknown_one_offered_its_nearest(tmp_path):
    """B50."""
    path = write(tmp_path / "a.gpkg", JB=["LEVEL1", "Ｌｅｖｅｌ２", "一级保护圈", "9"])
    given = layer(path, role=WATER, tier={"field": "JB"})
    result = read(given)
    assert result.features.tier == ["level1", "level2", "unknown", "unknown"]
    finding = told(result.findings, "tiers.words_unknown")[0]
    offered = {one["word"]: one["nearest"] for one in finding.facts["words"]}
    assert (offered["一级保护圈"], offered["9"]) == ("level1", "")
    assert [fix.change for fix in finding.fixes] == [
        {"tier": {"field": "JB", "map": {"一级保护圈": "level1"}}}
    ]
    assert not finding.fixes[0].sure


# --- B51 to B53: fields -------------------------------------------------------------------------------

RESERVED = ["select", "group", "order", "FID", "a b", "a'b", 'a"b', 'x"; DROP TABLE pieces; --', "名;称"]


@pytest.mark.parametrize("field", RESERVED, ids=lambda field: f"B51-{field}")
@pytest.mark.parametrize("name", ["a.gpkg", "a.geojson"])
def test_a_field_may_be_called_anything(tmp_path, backend, name, field):
    if field == "FID" and name.endswith("gpkg"):
        pytest.skip("the key of a GeoPackage is no field")
    path = write(tmp_path / name, **{field: ["一级", "二级"]}, k=["a", "b"])
    result = read(layer(path, role=WATER, tier={"field": field}, id_field=field, name_field=field))
    assert result.features.tier == ["level1", "level2"]
    assert result.features.source_id == result.features.name == ["一级", "二级"]


def test_of_three_hundred_fields_only_the_named_ones_are_read(tmp_path, monkeypatch):
    """B52."""
    path = write(tmp_path / "a.gpkg", **{f"f{i}": [str(i), "x"] for i in range(300)})
    asked = []
    reader = formats.read_vector

    def spy(source, layer=None, where=None, encoding=None, columns=None):
        asked.append(columns)
        return reader(source, layer, where, encoding, columns)

    monkeypatch.setattr(formats, "read_vector", spy)
    assert read(layer(path, id_field="f7", name_field="f299")).features.name == ["299", "x"]
    assert asked == [["f299", "f7"]]


@pytest.mark.parametrize(
    ("use", "given", "nearest"),
    [
        pytest.param("id_field", {"id_field": "BSMM"}, "BSM", id="B53-id"),
        pytest.param("name_field", {"name_field": "水源名"}, "水源名称", id="B53-name"),
        pytest.param("tier", {"tier": {"field": "JBB", "map": {"x": "level1"}}}, "JB", id="B53-tier"),
    ],
)
def test_a_missing_field_stops_the_run_and_offers_the_nearest(tmp_path, use, given, nearest):
    path = write(tmp_path / "a.gpkg", BSM=["1"], 水源名称=["甲"], JB=["x"])
    with pytest.raises(Blocked) as caught:
        read(layer(path, role=WATER, **given))
    finding = told(caught.value.findings, "intake.field_missing")[0]
    assert finding.facts["nearest"] == nearest
    change = finding.fixes[0].change
    assert not finding.fixes[0].sure
    assert nearest in json.dumps(change, ensure_ascii=False)
    assert len(read(layer(path, role=WATER, **{**given, **change})).features.geometry) == 1


def test_an_encoding_that_is_none_is_refused(tmp_path):
    """B43."""
    path = shapefile(tmp_path / "a.shp", [b"MC"], [[gb("水土")]], [30])
    with pytest.raises(SwcError, match=r"intake\.encoding_unknown"):
        formats.read_vector(path, encoding="GB-nonsense")
