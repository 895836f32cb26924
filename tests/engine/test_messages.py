# SPDX-License-Identifier: GPL-2.0-or-later
"""Errors say the same after they have come from another process."""

import pickle

import pytest

from swc_zoning.engine.messages import Blocked, Cancelled, Finding, InvariantViolated, SwcError


@pytest.mark.parametrize(
    "error",
    [
        SwcError("cli.not_a_list", path="a.json"),
        InvariantViolated("gap", (1.0, 2.0), count=3),
        Blocked([Finding("run.blocked", {"count": 1})]),
        Cancelled(),
    ],
)
def test_an_error_survives_the_way_from_a_worker(error):
    back = pickle.loads(pickle.dumps(error))
    assert type(back) is type(error)
    assert back.__dict__ == error.__dict__
    assert str(back) == str(error)
