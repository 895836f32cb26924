# SPDX-License-Identifier: GPL-2.0-or-later
"""The session: kept in the QGIS project and as files, found again in both."""

from __future__ import annotations

import json
import shutil

import pytest
from qgis.core import QgsProject

from swc_zoning.engine.messages import SwcError
from swc_zoning.gui.session import Session


@pytest.fixture
def session(project):
    made = Session(project)
    yield made
    made.close()


def shipped(session):
    return json.loads(json.dumps(session.table().document))


def test_a_saved_project_gives_the_session_back(session, project, city, city_result, tmp_path):
    session.set_folder(tmp_path / "work")
    session.open_job(city / "job.json")
    document = shipped(session)
    document["version"] = "own"
    session.set_rules(document)
    session.set_scenario("first")
    session.set_result(city_result)
    job = session.job
    path = tmp_path / "project.qgz"
    assert project.write(str(path))
    project.clear()
    assert session.folder is None
    assert session.job["layers"] == []
    assert session.rules is None
    assert project.read(str(path))
    assert session.job == job
    assert session.rules["version"] == "own"
    assert session.scenario == "first"
    assert session.folder == tmp_path / "work"
    assert session.result.folder == city_result


def test_a_project_moved_with_its_data_finds_them(session, project, tmp_path):
    here = tmp_path / "here"
    here.mkdir()
    (here / "line.gpkg").touch()
    assert project.write(str(here / "project.qgz"))
    session.set_folder(here)
    session.set_job({"schema": 1, "layers": [{"role": "wetland", "source": str(here / "line.gpkg")}]})
    assert project.write(str(here / "project.qgz"))
    there = tmp_path / "there"
    project.clear()
    here.rename(there)
    assert project.read(str(there / "project.qgz"))
    assert session.job["layers"][0]["source"] == str(there / "line.gpkg")
    assert session.folder == there


def test_job_and_rules_are_files_the_command_line_can_run(session, city, tmp_path):
    session.set_folder(tmp_path)
    session.open_job(city / "job.json")
    session.set_rules(shipped(session))
    written = json.loads((tmp_path / "job.json").read_text(encoding="utf-8"))
    assert written["layers"] == session.job["layers"]
    assert written["rules"] == "rules.json"
    assert json.loads((tmp_path / "rules.json").read_text(encoding="utf-8")) == session.rules
    session.set_rules(None)
    assert not (tmp_path / "rules.json").exists()
    assert "rules" not in json.loads((tmp_path / "job.json").read_text(encoding="utf-8"))


def test_a_folder_with_a_job_is_taken_up_where_there_is_none_yet(session, city, tmp_path):
    session.set_folder(shutil.copytree(city, tmp_path / "copy"))
    assert session.job["layers"]


def test_a_wrong_table_can_be_kept_but_not_used(session, tmp_path):
    session.set_folder(tmp_path)
    document = shipped(session)
    document["zones"][0]["rank"] = document["zones"][1]["rank"]
    session.set_rules(document)
    with pytest.raises(SwcError):
        session.table()


def test_a_change_of_the_job_outdates_result_and_findings(session, city, city_result):
    session.open_job(city / "job.json")
    session.set_result(city_result)
    session.set_findings([{"code": "a.b"}])
    assert not session.is_outdated()
    session.set_job({**session.job, "title": "another"})
    assert session.is_outdated()
    assert session.findings is None


def test_a_change_taken_back_leaves_the_result_as_it_was(session, project, city, city_result, tmp_path):
    session.open_job(city / "job.json")
    session.set_result(city_result)
    session.set_rules({**shipped(session), "version": "own"})
    assert session.is_outdated()
    path = tmp_path / "project.qgz"
    assert project.write(str(path))
    project.clear()
    assert project.read(str(path))
    assert session.is_outdated()
    session.set_result(city_result)
    session.set_rules(None)
    assert session.is_outdated()
    session.set_result(city_result)
    session.set_rules(shipped(session))
    session.set_rules(None)
    assert not session.is_outdated()


def test_beginning_anew_leaves_the_files_of_the_old_folder_alone(session, city, tmp_path):
    old, other = tmp_path / "old", shutil.copytree(city, tmp_path / "other")
    session.set_folder(old)
    session.open_job(city / "job.json")
    session.set_rules(shipped(session))
    before = {path.name: path.read_bytes() for path in old.iterdir()}
    session.begin_anew()
    session.set_folder(other)
    assert session.rules is None
    assert session.job["layers"]
    assert {path.name: path.read_bytes() for path in old.iterdir()} == before


def test_a_job_without_rules_does_not_take_those_of_the_job_before_it(session, city, tmp_path):
    session.set_folder(tmp_path)
    session.open_job(city / "job.json")
    session.set_rules({**shipped(session), "version": "own"})
    session.open_job(city / "job.json")
    assert session.rules is None
    assert any("own" in path.read_text(encoding="utf-8") for path in tmp_path.glob("rules-before-*.json"))


def test_a_result_that_is_none_is_refused(session, tmp_path):
    with pytest.raises(SwcError) as refused:
        session.set_result(tmp_path)
    assert refused.value.code == "redecide.no_result"
    assert session.result is None


def test_each_run_has_a_folder_of_its_own(session, tmp_path):
    session.set_folder(tmp_path)
    first = session.new_result_folder()
    first.mkdir(parents=True)
    assert session.new_result_folder() != first


def test_nothing_is_written_into_an_untouched_project(session, project):
    assert not project.isDirty()
    assert QgsProject.instance().readEntry("swc_zoning", "job", "")[0] == ""


def test_the_files_of_another_job_in_the_chosen_folder_are_not_lost(session, city, tmp_path):
    (tmp_path / "job.json").write_text('{"another": "job"}', encoding="utf-8")
    (tmp_path / "rules.json").write_text('{"other": "rules"}', encoding="utf-8")
    session.open_job(city / "job.json")
    session.set_folder(tmp_path)
    session.set_job({**session.job, "title": "mine"})
    assert json.loads((tmp_path / "job.json").read_text(encoding="utf-8"))["title"] == "mine"
    kept = [path.read_text(encoding="utf-8") for path in sorted(tmp_path.glob("*-before-*.json"))]
    assert kept == ['{"another": "job"}', '{"other": "rules"}']


def test_a_folder_whose_job_is_wrong_is_refused_and_left_alone(session, project, tmp_path):
    (tmp_path / "job.json").write_text('{"half": ', encoding="utf-8")
    with pytest.raises(SwcError):
        session.set_folder(tmp_path)
    assert session.folder is None
    session.set_job({**session.job, "layers": [{"role": "park", "source": str(tmp_path / "a.gpkg")}]})
    assert (tmp_path / "job.json").read_text(encoding="utf-8") == '{"half": '


def test_the_job_that_another_one_takes_the_place_of_is_kept(session, city, tmp_path):
    session.set_folder(tmp_path)
    session.set_job({**session.job, "layers": [{"role": "park", "source": str(tmp_path / "a.gpkg")}]})
    before = (tmp_path / "job.json").read_text(encoding="utf-8")
    session.open_job(city / "job.json")
    assert [path.read_text(encoding="utf-8") for path in tmp_path.glob("job-before-*.json")] == [before]
