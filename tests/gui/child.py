# SPDX-License-Identifier: GPL-2.0-or-later
"""The engine run by tests as the plugin runs it: in its own Python."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def engine(*arguments):
    """Run a command of the engine in its own Python."""
    run_python("-m", "swc_zoning", *arguments, "--lang", "en")


def run_python(*arguments):
    """Run the Python of the engine in the folder of the project."""
    command = [os.environ["SWC_ZONING_PYTHON"], *map(str, arguments)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
