# SPDX-License-Identifier: GPL-2.0-or-later
"""Which findings a user may accept in the job's options, and which stop a run until they are."""

from __future__ import annotations

#: Errors a user may accept in the job's options; the others leave nothing to work with.
ACCEPTABLE = frozenset(
    {
        "intake.left_out_submission",
        "intake.crs_elsewhere",
        "intake.crs_axes",
        "versions.two",
        "versions.same_ground",
        "versions.within",
        "versions.undated_submission",
    }
)

#: Warnings of a run that stop it, and those that stop a submission; accepted ones do not.
BLOCK_ALWAYS = frozenset({"consistency.none", "consistency.control_unknown", "consistency.control_far"})
BLOCK_SUBMISSION = frozenset(
    {
        "consistency.vanished",
        "intake.shift_gcj02",
        "intake.shift_bd09",
        "intake.shift_datum",
    }
)


def can_accept(code: str) -> bool:
    """Return whether accepting findings of this code lets a run go on."""
    return code in ACCEPTABLE | BLOCK_ALWAYS | BLOCK_SUBMISSION
