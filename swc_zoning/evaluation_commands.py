# SPDX-License-Identifier: GPL-2.0-or-later
"""The command of the evaluation: an algorithm with its parameters, or the schema of them."""

from __future__ import annotations

import argparse
import importlib.util
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from swc_zoning.engine import scratch
from swc_zoning.engine.evaluation import chains, declared
from swc_zoning.engine.messages import SwcError
from swc_zoning.engine.progress import Progress

DONE = 0

#: What is wrong use of this command.
MISUSE = {
    "evaluate": frozenset(
        {"evaluation.algorithm_unknown", "evaluation.parameters_unreadable", "evaluation.missing_file"}
    )
}

#: Makes a command: (commands, name, function, text) -> its parser.
Maker = Callable[..., argparse.ArgumentParser]


def register(commands: Any, make: Maker) -> None:
    """Add the command to a parser."""
    text = "evaluate rasters and statistics: factors of soil loss, classes, patches, the conservation rate"
    command = make(commands, "evaluate", _evaluate, text)
    command.add_argument(
        "algorithm", metavar="NAME", help=", ".join([*declared.algorithms(), *chains.chains()])
    )
    command.add_argument("parameters", type=Path, nargs="?", metavar="PARAMS.json")
    command.add_argument("--schema", action="store_true", help="print its parameters and outputs instead")
    command.add_argument("--output", type=Path, metavar="DIR", help="folder of the result")
    text = f"folder for temporary data (default: {scratch.VARIABLE}, else that of the system)"
    command.add_argument("--temp", type=Path, metavar="DIR", help=text)


def _evaluate(options: argparse.Namespace, teller: Any) -> int:
    algorithm = chains.find(options.algorithm)
    if options.schema:
        shown = {**algorithm.schema(options.lang), "x-outputs": algorithm.outputs_json(options.lang)}
        print(json.dumps(shown, ensure_ascii=False, indent=1))
        return DONE
    document = _document(options)
    if importlib.util.find_spec("rasterio") is None:
        raise SwcError("evaluation.no_library")
    from swc_zoning.engine.evaluation import running

    scratch.use(options.temp)
    base, progress = options.parameters.parent, Progress(teller.progress)
    made = running.run(algorithm.name, document, options.output, base, progress, options.lang)
    teller.findings(made.findings)
    teller.result({**made.files, "record": made.record})
    return DONE


def _document(options: argparse.Namespace) -> Any:
    if options.parameters is None or options.output is None:
        raise SwcError(
            "evaluation.parameters_unreadable", path="PARAMS.json", reason="PARAMS.json --output DIR"
        )
    try:
        return json.loads(options.parameters.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        path = str(options.parameters)
        raise SwcError("evaluation.parameters_unreadable", path=path, reason=str(error)) from error
