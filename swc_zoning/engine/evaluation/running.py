# SPDX-License-Identifier: GPL-2.0-or-later
"""Run an algorithm of the evaluation: parameters checked, files made aside, a record beside them."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Callable

import rasterio

from swc_zoning import paths
from swc_zoning.engine import claim, formats
from swc_zoning.engine.evaluation import (
    aligning,
    banks,
    biological,
    chains,
    cover,
    declared,
    delineating,
    erosivity,
    function_areas,
    histories,
    important,
    intensities,
    keyareas,
    landuse,
    ranked,
    rates,
    retaining,
    sets,
    soil,
    surfaces,
    unit_statistics,
    vulnerable,
)
from swc_zoning.engine.evaluation.chains import Chain, Source, Step
from swc_zoning.engine.evaluation.declared import Algorithm
from swc_zoning.engine.evaluation.sets import ParameterSet
from swc_zoning.engine.messages import Finding, SwcError
from swc_zoning.engine.progress import Progress

#: File of the record in the folder of a result.
RECORD = "run.json"

_FUNCTIONS: Mapping[str, Callable[[Run], None]] = {
    "alignrasters": aligning.align,
    "alignraster": aligning.align_one,
    "vegetationcover": cover.vegetation_cover,
    "slopeandrelief": surfaces.slope_and_relief,
    "rainfallerosivity": erosivity.rainfall_erosivity,
    "soilerodibility": soil.erodibility,
    "slopelength": surfaces.slope_length,
    "coverfactor": cover.cover_factor,
    "biologicalfactor": biological.biological_factor,
    "soilretention": retaining.soil_retention,
    "nppindex": retaining.npp_index,
    "soilloss": soil.soil_loss,
    "erosionmatrix": intensities.erosion_matrix,
    "classifycumulative": ranked.classify_cumulative,
    "importance": important.importance,
    "vulnerability": vulnerable.vulnerability,
    "sensitivity": intensities.sensitivity,
    "integrate": ranked.integrate,
    "unitstatistics": unit_statistics.unit_statistics,
    "keyareas": keyareas.key_areas,
    "conservationrate": rates.conservation_rate,
    "landuseraster": landuse.land_use_raster,
    "functionrules": function_areas.function_areas,
    "delineatepatches": delineating.delineate_patches,
    "bankstrips": banks.bank_strips,
}


@dataclass
class Run:
    """One run: what was asked, where its files go, and what it has to say.

    `parameters` as `declared.checked` gives them; `folder` is aside, its files are moved when all are made;
    `facts` go into the record.
    """

    algorithm: Algorithm
    parameters: Mapping[str, Any]
    folder: Path
    progress: Progress
    findings: list[Finding] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)
    used: list[ParameterSet] = field(default_factory=list)

    def __getitem__(self, name: str) -> Any:
        return self.parameters[name]

    def find(self, code: str, **facts: Any) -> None:
        """Say something that the user should know."""
        self.findings.append(Finding(code, facts))

    def set(self, name: str) -> ParameterSet:
        """Return the parameter set a parameter names; unverified values are said to be so."""
        kind = next(one.facts["set"] for one in self.algorithm.parameters if one.name == name)
        return self.take(sets.load(kind, self[name]))

    def take(self, taken: ParameterSet) -> ParameterSet:
        """Note that a set was used."""
        if taken not in self.used:
            self.used.append(taken)
            self.findings.extend([] if taken.verified else [taken.finding()])
        return taken

    def override(self, name: str, value: Any, default: Any) -> None:
        """Say that a parameter stands in place of the value of a set."""
        if value != default:
            self.find("evaluation.overridden", name=name, value=_listed(value), default=_listed(default))

    def given(self, *names: str) -> dict[str, Any]:
        """Return the parameters among `names` that were given."""
        return {name: self[name] for name in names if self[name] is not None}

    def path(self, output: str) -> Path:
        """Return the path of an output."""
        made = next(one for one in self.algorithm.outputs if one.name == output)
        return self.folder / made.file

    def unit(self, output: str) -> str:
        """Return the unit of an output."""
        return next(one.unit for one in self.algorithm.outputs if one.name == output)


@dataclass(frozen=True)
class Result:
    """Files that were written, by output or file name, the record, and what was found."""

    files: Mapping[str, Path]
    record: Path
    findings: list[Finding]


def run(
    name: str,
    document: Any,
    output: Path,
    base: Path = Path(),
    progress: Progress | None = None,
    lang: str = "zh",
) -> Result:
    """Run an algorithm into the folder `output`; relative paths of `document` start at `base`.

    What the folder has of an earlier run is replaced when the new files are whole. Raises SwcError
    ``evaluation.*``, Blocked for parameters that do not fit.
    """
    algorithm = chains.find(name)
    parameters = declared.checked(algorithm, document, base)
    _keep_inputs(parameters, output, algorithm)
    progress = progress or Progress()
    try:
        with claim.claimed(output), claim.aside(output, output) as folder:
            made = Run(algorithm, parameters, folder, progress)
            with progress.step("evaluating", 1.0):
                _carry_out(made)
            record = _record(made, lang)
            (folder / RECORD).write_text(record, encoding="utf-8")
            _send_along(made, record)
            files = sorted(folder.iterdir(), key=lambda path: path.name == RECORD)
            for path in files:
                os.replace(path, output / path.name)
    except OSError as error:
        raise SwcError("evaluation.unwritable", path=str(output), reason=str(error)) from error
    outputs = {one.file: one.name for one in algorithm.outputs}
    written = {outputs.get(path.name, path.name): output / path.name for path in files if path.name != RECORD}
    return Result(written, output / RECORD, made.findings)


def _carry_out(made: Run) -> None:
    chain = chains.chains().get(made.algorithm.name)
    if chain is None:
        _FUNCTIONS[made.algorithm.name](made)
        _note_areas(made)
    else:
        _run_steps(made, chain)


def _note_areas(made: Run) -> None:
    """Note the areas (km2) by class beside the numbers of cells: what readers of the record compare."""
    counts = made.facts.get("cells_by_class")
    drawn = next((one for one in made.algorithm.outputs if one.name == "class"), None)
    if counts is None or drawn is None or "km2_by_class" in made.facts:
        return
    with rasterio.open(made.path(drawn.name)) as source:
        # In degrees a cell has no one size.
        if source.crs is not None and source.crs.is_projected:
            size = abs(source.transform.a * source.transform.e) / 1e6
            made.facts["km2_by_class"] = {str(level): counts[level] * size for level in (3, 2, 1)}


def _run_steps(made: Run, chain: Chain) -> None:
    """Run the steps of a chain in folders of their own; what the chain keeps of them moves up."""
    outputs: dict[tuple[str, str], Path] = {}
    made.facts["steps"] = []
    for number, step in enumerate(chain.steps):
        part = made.progress.part(number / len(chain.steps), 1 / len(chain.steps))
        run_of_step = _run_step(made, step, outputs, part)
        made.findings += [one for one in run_of_step.findings if one not in made.findings]
        made.used += [one for one in run_of_step.used if one not in made.used]
        made.facts["steps"].append(_told(step, run_of_step))
    for name, place in chain.kept.items():
        os.replace(outputs[place], made.path(name))
    for step in chain.steps:
        shutil.rmtree(made.folder / step.id)


def _run_step(made: Run, step: Step, outputs: dict[tuple[str, str], Path], progress: Progress) -> Run:
    """Run one step and note the paths of its outputs."""
    algorithm = declared.find(step.algorithm)
    parameters = declared.checked(algorithm, _given(made, step, outputs), made.folder)
    run_of_step = Run(algorithm, parameters, made.folder / step.id, progress)
    run_of_step.folder.mkdir()
    _FUNCTIONS[step.algorithm](run_of_step)
    _note_areas(run_of_step)
    for one in algorithm.outputs:
        if one.kind != "rasters":
            outputs[step.id, one.name] = run_of_step.path(one.name)
    return run_of_step


def _given(made: Run, step: Step, outputs: Mapping[tuple[str, str], Path]) -> dict[str, Any]:
    """Return the parameters of a step as a document; those nobody gave are left out."""
    kinds = {one.name: one.kind for one in declared.find(step.algorithm).parameters}
    document = {}
    for name, sources in step.given.items():
        values = [_value(made, source, outputs) for source in sources]
        known = [value for one in values for value in (one if isinstance(one, list) else [one])]
        known = [value for value in known if value is not None]
        if known:
            document[name] = known if kinds[name] in declared.LISTS else known[0]
    return document


def _value(made: Run, source: Source, outputs: Mapping[tuple[str, str], Path]) -> Any:
    if source.step:
        return str(outputs[source.step, source.output].absolute())
    value = made[source.parameter] if source.parameter else source.value
    if isinstance(value, list):
        return [str(one) if isinstance(one, Path) else one for one in value]
    return str(value) if isinstance(value, Path) else value


def _told(step: Step, run_of_step: Run) -> dict[str, Any]:
    """Return what the record of a chain says of a step."""
    given = {name: _shown(value) for name, value in run_of_step.parameters.items()}
    head = {"id": step.id, "algorithm": step.algorithm, "zh": step.zh, "en": step.en}
    return {**head, "parameters": given, "facts": run_of_step.facts}


def _keep_inputs(parameters: Mapping[str, Any], output: Path, algorithm: Algorithm) -> None:
    """Refuse a folder where a file that is read would be replaced: ``evaluation.is_input``."""
    made = [one.file for one in algorithm.outputs]
    for path in _sources(parameters):
        replaced = ("*.tif" in made and path.suffix == ".tif") or path.name in made
        if replaced and path.resolve().parent == output.resolve():
            raise SwcError("evaluation.is_input", path=path.name)


def _send_along(made: Run, record: str) -> None:
    """Put the record into all files that can carry it: it travels with them."""
    for path in made.folder.iterdir():
        histories.write(path, record)


def _record(made: Run, lang: str) -> str:
    document = {
        "algorithm": made.algorithm.name,
        "version": paths.version(),
        "parameters": {name: _shown(value) for name, value in made.parameters.items()},
        "inputs": _inputs(made),
        "parameter_sets": [one.as_json() for one in made.used],
        "outputs": made.algorithm.outputs_json(lang),
        "facts": made.facts,
        "findings": [finding.as_json(lang) for finding in made.findings],
        "steps": histories.steps(_sources(made.parameters)),
    }
    return json.dumps(document, ensure_ascii=False, indent=1) + "\n"


def _inputs(made: Run) -> list[dict[str, str]]:
    """Return name and SHA-256 of every file that was read."""
    return [{"file": one.name, "sha256": formats.source_sha256(one)} for one in _sources(made.parameters)]


def _sources(parameters: Mapping[str, Any]) -> list[Path]:
    """Return the files among parameters."""
    given = [value for one in parameters.values() for value in (one if isinstance(one, list) else [one])]
    return [Path(str(one).partition("|")[0]) for one in given if isinstance(one, Path) or _is_layer(one)]


def _is_layer(value: Any) -> bool:
    # A CRS in words is too long for the name of a file, which Path.is_file would not take.
    return isinstance(value, str) and os.path.isfile(value.partition("|")[0])


def _listed(value: Any) -> str:
    """Return a value, or the values of a list, as text."""
    return ", ".join(f"{one:g}" for one in value) if isinstance(value, list) else f"{value:g}"


def _shown(value: Any) -> Any:
    """Return a parameter for the record: of files the name, never where they are."""
    if isinstance(value, list):
        return [_shown(one) for one in value]
    if isinstance(value, Path):
        return value.name
    if _is_layer(value):
        name, bar, layer = value.partition("|")
        return f"{Path(name).name}{bar}{layer}"
    return value
