# SPDX-License-Identifier: GPL-2.0-or-later
"""The command that makes the layers of map sheets; QGIS draws them (algorithm makemaps)."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

from swc_zoning.engine import scratch
from swc_zoning.engine.progress import Progress

DONE = 0
#: Makes a command: (commands, name, function, text) -> its parser.
Maker = Callable[..., argparse.ArgumentParser]


def register(commands: Any, make: Maker) -> None:
    """Add the command to a parser."""
    command = make(commands, "mapdata", _mapdata, "layers that map sheets are drawn from, in QGIS")
    command.add_argument("result", type=Path, metavar="RESULT", help="folder of a result")
    command.add_argument("--output", type=Path, required=True, metavar="GPKG")
    text = "the order of the submission: how patches for the red line are screened"
    command.add_argument("--settings", type=Path, metavar="ORDER.json", help=text)
    text = f"folder for temporary data (default: {scratch.VARIABLE}, else that of the system)"
    command.add_argument("--temp", type=Path, metavar="DIR", help=text)


def _mapdata(options: argparse.Namespace, teller: Any) -> int:
    from swc_zoning.engine.chapter import legends, themes
    from swc_zoning.engine.submission import order

    asked = order.load(options.settings) if options.settings else None
    scratch.use(options.temp)
    progress = Progress(teller.progress)
    path = themes.write(options.result, options.output, progress, asked)
    with progress.step("counting", 0.1):
        numbers = legends.write(options.result, options.lang, path.with_suffix(".json"))
    teller.result({"mapdata": path, "legends": numbers})
    return DONE
