# SPDX-License-Identifier: GPL-2.0-or-later
"""The job written from what was chosen in QGIS."""

from __future__ import annotations

import json

import pytest

from swc_zoning.engine import job as jobs
from swc_zoning.engine import roles
from swc_zoning.processing_algs import job_file

RED_LINE = roles.find("ecological_redline")


def test_recognised_fields_are_used_and_said():
    entry, said = job_file.describe(RED_LINE, "随便", ("HXBM", "HXMC", "HXLX"), "zh")
    assert entry == {"tier": {"field": "HXLX"}, "id_field": "HXBM", "name_field": "HXMC"}
    assert said.code == "delineate.recognised"
    assert "HXLX" in said.sentence("zh")


def test_a_layer_without_a_field_of_tiers_is_warned_of():
    entry, said = job_file.describe(roles.find("drinking_water_source"), "x", ("a", "b"), "en")
    assert "tier" not in entry
    assert (said.code, said.severity) == ("delineate.not_recognised", "warning")


def test_a_job_alone_is_run_as_it_is(tmp_path):
    assert job_file.write(tmp_path / "new.json", "/data/job.json", job_file.Chosen()).name == "job.json"
    assert not (tmp_path / "new.json").exists()


def test_chosen_layers_replace_those_of_their_role_and_paths_become_absolute(tmp_path):
    given = tmp_path / "job.json"
    document = {
        "schema": 1,
        "extent": {"source": "xzq.gpkg"},
        "rules": "rules.json",
        "layers": [
            {"role": "ecological_redline", "source": "old.shp"},
            {"role": "soil_erosion", "source": "sub\\soil.shp"},
        ],
    }
    given.write_text(json.dumps(document), encoding="utf-8")
    chosen = job_file.Chosen({"ecological_redline": {"source": "/x/new.gpkg", "layer": "layer"}})
    written = json.loads(job_file.write(tmp_path / "new.json", str(given), chosen).read_text("utf-8"))
    assert written["extent"]["source"] == str(tmp_path / "xzq.gpkg")
    assert written["rules"] == str(tmp_path / "rules.json")
    assert written["layers"] == [
        {"role": "soil_erosion", "source": str(tmp_path / "sub/soil.shp")},
        {"role": "ecological_redline", "source": "/x/new.gpkg", "layer": "layer"},
    ]
    assert [(f.code, f.facts["count"]) for f in chosen.findings] == [("delineate.replaced", 1)]


def test_what_is_written_is_a_job(tmp_path):
    source = tmp_path / "a.gpkg"
    source.touch()
    entry = {"source": str(source), "id_field": "XZQDM", "name_field": "XZQMC"}
    layer = {"source": str(source), "tier": {"field": "HXLX"}, "id_field": "HXBM"}
    chosen = job_file.Chosen({"admin_extent": entry, "ecological_redline": layer})
    path = job_file.write(tmp_path / "new.json", "", chosen)
    job = jobs.load(path)
    assert job.extent.code_field == "XZQDM"
    assert job.layers[0].tier == {"field": "HXLX"}


@pytest.mark.parametrize("text", ["{", "[]", '{"schema": 99}', '{"schema": 1, "layers": 3}'])
def test_a_job_that_cannot_be_understood_is_left_to_the_engine_to_explain(tmp_path, text):
    given = tmp_path / "job.json"
    given.write_text(text, encoding="utf-8")
    chosen = job_file.Chosen(rules="/x/rules.json")
    assert job_file.write(tmp_path / "new.json", str(given), chosen) == given
