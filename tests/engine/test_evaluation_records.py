# SPDX-License-Identifier: GPL-2.0-or-later
"""The record of an evaluation travels with its layer and comes out in everything made of the zoning."""

import json
import shutil
import sqlite3
from contextlib import closing

import numpy as np
import pytest
import shapely
from evaluations import METHOD, RULES, plant, record

from swc_zoning.engine import explain, formats, run
from swc_zoning.engine.evaluation import records
from swc_zoning.engine.messages import SwcError


@pytest.fixture
def layer(tmp_path):
    """A GeoPackage with one polygon."""
    path = tmp_path / "patches.gpkg"
    wkb = shapely.to_wkb(np.array([shapely.box(0, 0, 10, 10)], object))
    formats.write_table(path, "patches", [formats.Batch(wkb, {"class": np.array([3])})], "EPSG:4549")
    return path


def test_a_record_is_read_back_from_the_layer_it_travels_with(layer):
    assert records.read(layer) is None
    records.write(layer, record())
    assert records.read(layer) == record()
    records.write(layer, {"algorithm": "later"})
    assert records.read(layer) == {"algorithm": "later"}
    assert [name for name, kind in formats.list_layers(layer) if kind] == ["patches"]
    assert formats.describe(layer).name == "patches", "the table of the record is no layer to choose"
    with closing(sqlite3.connect(layer)) as connection:
        rows = connection.execute("SELECT ITEM, VALUE FROM swc_evaluation").fetchall()
        kinds = dict(connection.execute("SELECT table_name, data_type FROM gpkg_contents"))
    assert [item for item, _ in rows] == ["record"]
    assert kinds["swc_evaluation"] == "attributes"


def test_reading_a_record_writes_nothing_beside_the_layer(layer):
    records.write(layer, record())
    with closing(sqlite3.connect(layer)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
    before = sorted(layer.parent.iterdir())
    assert records.read(layer) == record()
    assert sorted(layer.parent.iterdir()) == before


def test_a_damaged_record_is_told_and_the_layer_is_used(city, tmp_path):
    job = plant(city)
    with closing(sqlite3.connect(city / "evaluated.gpkg")) as connection, connection:
        connection.execute("UPDATE swc_evaluation SET VALUE = '[1'")
    with pytest.raises(SwcError, match=r"records\.unreadable"):
        records.read(city / "evaluated.gpkg")
    found = [one for one in run.validate(job) if one.code.startswith("records.")]
    assert [one.code for one in found] == ["records.unreadable"]
    assert "swc_function_important" in found[0].layer


def test_what_is_kept_of_a_record_has_its_steps_and_no_tables_of_values():
    kept = records.trimmed(record())
    assert [step["id"] for step in kept["steps"]] == ["dual", "sensitivity"]
    assert kept["steps"][0]["facts"]["steep_share"] == 0.00125
    assert "steps" not in kept["facts"]
    assert all("values" not in one and one["name_zh"] for one in kept["parameter_sets"])
    assert kept["parameters"] == {"least_m2": 10000, "cover": "cover.tif"}
    assert {one["code"] for one in records.weak(kept)} == {"evaluation.flat", "evaluation.unreachable"}
    assert [one["id"] for one in records.unverified(kept)] == [
        one["id"] for one in record()["parameter_sets"] if one["status"] == "unverified"
    ]


def test_a_zoning_keeps_how_its_layers_were_evaluated(evaluated_city):
    summary = json.loads((evaluated_city / "summary.json").read_text(encoding="utf-8"))
    (kept,) = records.of_result(summary)
    assert (kept["role"], kept["layer"]) == ("swc_function_important", "swc_function_important")
    assert kept["record"] == json.loads(json.dumps(records.trimmed(record())))
    (told,) = [one for one in summary["findings"] if one["code"] == "records.not_settled"]
    assert told["severity"] == "info"
    assert told["facts"]["weak"] == 2
    with closing(sqlite3.connect(evaluated_city / "zoning.gpkg")) as connection:
        connection.row_factory = sqlite3.Row
        rows = connection.execute("SELECT * FROM evaluated").fetchall()
        sources = connection.execute(
            "SELECT DISTINCT source_id FROM piece_sources WHERE role = 'swc_function_important'"
        ).fetchall()
    assert {row["source_id"] for row in rows} >= {row["source_id"] for row in sources}
    assert {(row["class"], row["rule_zh"]) for row in rows} == {
        (str(level), words["rule_zh"]) for level, words in RULES.items()
    }
    assert {row["method_en"] for row in rows} == {METHOD["method_en"]}


def test_a_result_without_evaluations_says_so(zoned_city):
    summary = json.loads((zoned_city / "summary.json").read_text(encoding="utf-8"))
    assert records.of_result(summary) == []
    assert records.of_result({}) == []
    assert not [one for one in summary["findings"] if one["code"].startswith("records.")]


def test_evaluations_do_not_change_what_the_zoning_is(zoned_city, evaluated_city, city, tmp_path):
    other = record()
    other["findings"] = []
    again = run.run(plant(city, other))
    plant(city)
    summary = json.loads((evaluated_city / "summary.json").read_text(encoding="utf-8"))
    assert again.summary["content_sha256"] == summary["content_sha256"]


@pytest.mark.parametrize(("lang", "key"), [("zh", "rule_zh"), ("en", "rule_en")])
def test_a_piece_says_by_what_method_and_rule_it_is_important(evaluated_city, lang, key):
    ask = (
        "SELECT s.piece_id, e.class FROM piece_sources s JOIN evaluated e"
        " ON e.input = s.input AND e.source_id = s.source_id"
    )
    with closing(sqlite3.connect(evaluated_city / "zoning.gpkg")) as connection:
        rows = dict(connection.execute(ask))
    for piece, level in list(rows.items())[:3]:
        told = explain.explain(evaluated_city, piece).as_text(lang)
        assert RULES[int(level)][key] in told
        assert METHOD[f"method_{lang}"] in told
        assert records.in_words(record(), lang)[-1] in told, "a method that does not discriminate"
        assert records.in_words(record(), lang)[0] in told, "a set that was not verified"


def test_a_piece_of_an_older_result_is_told_as_before(zoned_city, tmp_path):
    for name in ("zoning.gpkg", "summary.json"):
        shutil.copy(zoned_city / name, tmp_path / name)
    with closing(sqlite3.connect(tmp_path / "zoning.gpkg")) as connection, connection:
        connection.execute("DROP TABLE evaluated")
        connection.execute("DELETE FROM gpkg_contents WHERE table_name = 'evaluated'")
        (piece,) = connection.execute("SELECT piece_id FROM pieces LIMIT 1").fetchone()
    assert explain.explain(tmp_path, piece).as_text() == explain.explain(zoned_city, piece).as_text()
