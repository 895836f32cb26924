# SPDX-License-Identifier: GPL-2.0-or-later
"""What is set aside while a city is worked on comes back as it was, and goes where it may."""

import numpy as np
import pytest

from swc_zoning.engine import scratch, spool
from swc_zoning.engine.messages import SwcError


@pytest.fixture
def at_once(monkeypatch):
    """Let the first byte go to the file."""
    monkeypatch.setattr(spool, "_IN_MEMORY", 1)


def test_records_come_back_in_the_order_asked_for_and_leave_nothing(at_once, tmp_path, monkeypatch):
    monkeypatch.setenv(scratch.VARIABLE, str(tmp_path))
    kept = spool.Spool()
    kept.add(b"abbccc", np.array([1, 2, 3]))
    kept.add(b"dddd", np.array([4]))
    kept.seal()
    assert kept.read(np.array([3, 0, 2])) == [b"dddd", b"a", b"ccc"]
    del kept
    assert list(tmp_path.iterdir()) == []


def test_the_file_goes_to_the_temporary_data_of_the_process_and_its_refusal_is_told(
    at_once, tmp_path, monkeypatch
):
    monkeypatch.setenv(scratch.VARIABLE, str(tmp_path / "missing"))
    with pytest.raises(SwcError) as caught:
        spool.Spool().add(b"abc", np.array([3]))
    assert caught.value.code == "scratch.unwritable"
    assert caught.value.facts["path"] == str(tmp_path / "missing")
