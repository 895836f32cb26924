# SPDX-License-Identifier: GPL-2.0-or-later
"""Memory given back: what was freed in many small parts, the allocator keeps unless it is told."""

from __future__ import annotations

import ctypes
import sys


def give_back() -> None:
    """Return freed memory to the system where its C library can (glibc); elsewhere it does so by itself."""
    if sys.platform.startswith("linux"):
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:
            trim(0)
