# SPDX-License-Identifier: GPL-2.0-or-later
"""Results of tiles kept between runs: the same result, and only what changed is traced again."""

import os
import shutil
import subprocess
import sys

import numpy as np
import pytest
import shapely
from test_partition import as_set

from swc_zoning.engine import cache
from swc_zoning.engine.areas import area_model
from swc_zoning.engine.messages import SwcError
from swc_zoning.engine.partition import build
from swc_zoning.engine.tasks import Serial, executor

PER_TILE = 150


class Counting(Serial):
    """Counts the tiles that are traced."""

    def __init__(self):
        self.traced = 0

    def map(self, function, payloads):
        for payload in payloads:
            self.traced += function is cache.trace_tile
            yield function(payload)


@pytest.fixture
def city():
    rng = np.random.default_rng(11)
    cells = [shapely.box(i, j, i + 1, j + 1) for i in range(30) for j in range(30)]
    zones = [shapely.Point(c).buffer(r, 40) for c, r in zip(rng.random((12, 2)) * 30, rng.random(12) * 6)]
    return np.array([*cells, *zones], object)


def kept(geometry, folder):
    counting = Counting()
    return as_set(build(geometry, executor=counting, per_tile=PER_TILE, keep=folder)), counting.traced


def test_a_second_run_traces_no_tile_and_gives_the_same(city, tmp_path):
    first, traced = kept(city, tmp_path / "kept")
    assert traced > 20
    assert kept(city, tmp_path / "kept") == (first, 0)
    assert first == as_set(build(city))


def test_a_small_change_traces_few_tiles_and_gives_what_a_fresh_run_gives(city, tmp_path):
    _, whole = kept(city, tmp_path / "kept")
    changed = city.copy()
    changed[433] = shapely.box(14.2, 13.1, 15.3, 14)
    again, traced = kept(changed, tmp_path / "kept")
    assert 0 < traced <= whole / 8
    assert again == as_set(build(changed))


def test_features_that_moved_up_in_the_list_change_no_tile_of_others(city, tmp_path):
    kept(city, tmp_path / "kept")
    fewer = city[1:]
    again, traced = kept(fewer, tmp_path / "kept")
    assert traced <= 6
    assert again == as_set(build(fewer))


def test_a_damaged_file_is_traced_again(city, tmp_path):
    first, _ = kept(city, tmp_path / "kept")
    files = sorted((tmp_path / "kept").iterdir())
    files[0].write_bytes(b"")
    files[1].write_bytes(files[1].read_bytes()[:-100])
    body = bytearray(files[2].read_bytes())
    body[len(body) // 2] ^= 0xFF
    files[2].write_bytes(body)
    files[3].write_bytes(bytes(4))
    one, other = files[4].read_bytes(), files[5].read_bytes()
    files[4].write_bytes(other)
    files[5].write_bytes(one)
    again, _ = kept(city, tmp_path / "kept")
    assert again == first
    assert files[4].read_bytes() == one


def test_what_no_run_uses_any_more_is_removed(city, tmp_path):
    kept(city, tmp_path / "kept")
    before = {path.name for path in (tmp_path / "kept").iterdir()}
    kept(shapely.transform(city, lambda xy: xy + 1000), tmp_path / "kept")
    after = {path.name for path in (tmp_path / "kept").iterdir()}
    assert after
    assert not before & after


class Beside(Serial):
    """Runs tasks a few payloads late, as workers do, while another run is at work on the same folder."""

    def __init__(self, other_run):
        self.other_run = other_run

    def map(self, function, payloads):
        waiting = []
        for payload in payloads:
            waiting.append(payload)
            if len(waiting) > 3:
                self.other_run()
                yield function(waiting.pop(0))
        yield from map(function, waiting)


def test_another_run_that_brings_files_changes_nothing(city, tmp_path):
    first, _ = kept(city, tmp_path / "other")

    def bring():
        for path in (tmp_path / "other").iterdir():
            shutil.copy(path, tmp_path / "kept" / path.name)

    beside = build(city, executor=Beside(bring), per_tile=PER_TILE, keep=tmp_path / "kept")
    assert as_set(beside) == first
    assert kept(city, tmp_path / "kept") == (first, 0)


def test_another_run_that_removes_files_changes_nothing(city, tmp_path):
    kept(city, tmp_path / "kept")
    changed = city.copy()
    changed[[100, 433]] = shapely.box(3, 10, 3.5, 11), shapely.box(14.2, 13.1, 15.3, 14)

    def remove():
        for path in (tmp_path / "kept").iterdir():
            path.unlink()

    beside = build(changed, executor=Beside(remove), per_tile=PER_TILE, keep=tmp_path / "kept")
    assert as_set(beside) == as_set(build(changed))


def test_areas_are_not_kept_for_another_projection(city, tmp_path):
    city = shapely.transform(city, lambda xy: xy + 600_000)
    utm = "+proj=tmerc +lon_0=117 +k={} +x_0={} +ellps=WGS84"
    asked = ["EPSG:4549", "EPSG:32650", utm.format(1, 500_000), utm.format(1, 400_000)]
    for crs in asked:
        model = area_model(crs)
        again = build(city, per_tile=PER_TILE, keep=tmp_path, model=model)
        fresh = build(city, per_tile=PER_TILE, model=model)
        assert np.array_equal(again.ellipsoidal_m2, fresh.ellipsoidal_m2)


def test_workers_and_kept_results_go_together(city, tmp_path):
    fresh = as_set(build(city))
    changed = city.copy()
    changed[7] = shapely.box(0.5, 7.1, 1, 8)
    with executor(2) as pool:
        assert as_set(build(city, executor=pool, per_tile=PER_TILE, keep=tmp_path)) == fresh
        assert as_set(build(changed, executor=pool, per_tile=PER_TILE, keep=tmp_path)) == as_set(
            build(changed)
        )


def test_a_folder_that_cannot_be_is_said(city, tmp_path):
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(SwcError) as stop:
        build(city, per_tile=PER_TILE, keep=tmp_path / "file")
    assert stop.value.code == "cache.unwritable"


def test_what_a_killed_run_left_unfinished_is_removed(city, tmp_path):
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    (tmp_path / f".{'0' * 40}.tile.{ended.pid}-12345678").write_bytes(b"half")
    (tmp_path / f".{'0' * 40}.tile.{os.getppid()}-12345678").write_bytes(b"at work")
    kept(city, tmp_path)
    left = [path.name for path in tmp_path.iterdir() if path.name.startswith(".")]
    assert left == [f".{'0' * 40}.tile.{os.getppid()}-12345678"]
