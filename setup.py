# SPDX-License-Identifier: GPL-2.0-or-later
"""Give the wheel the version that ``metadata.txt`` states; everything else is in ``pyproject.toml``."""

from pathlib import Path

from setuptools import setup

_LINES = (Path(__file__).parent / "metadata.txt").read_text(encoding="utf-8").splitlines()

setup(version=next(line.partition("=")[2].strip() for line in _LINES if line.startswith("version=")))
