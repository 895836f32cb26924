# SPDX-License-Identifier: GPL-2.0-or-later
"""Packages of a submission in QGIS: their layers as they lie, styled, in a group; what a check found.

A package is a folder or a zip made anywhere. What is in it is asked of QGIS's own readers; nothing is
written into it.
"""

from __future__ import annotations

import json
import shutil
import uuid
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from qgis.core import (
    QgsFeatureRequest,
    QgsLayerTreeGroup,
    QgsLayerTreeLayer,
    QgsMapLayer,
    QgsProcessingContext,
    QgsProcessingFeedback,
    QgsProcessingLayerPostProcessorInterface,
    QgsProject,
    QgsVectorLayer,
)

from swc_zoning.engine import styles
from swc_zoning.engine.messages import SwcError
from swc_zoning.qgis_bridge import styling
from swc_zoning.qgis_bridge.i18n import language, text

ZONES, FINDINGS = "SBGKFQ", "FINDINGS"
#: What is shown of a package, uppermost first.
SHOWN = (FINDINGS, "HXJY", "ZDYFQ", "ZDZLQ", ZONES)
#: Key of the group, with the name of the package behind it.
KEY = "submission/"

#: Suffixes of data sets; a GeoPackage comes second, as some QGIS leave traces in one they show.
_SUFFIXES = (".gdb", ".gpkg", ".shp")
#: Name of what is copied out of a zip.
_COPY = "layers"


@dataclass(frozen=True)
class Shown:
    """What can be shown of a package: a source for each layer, and its zones (code -> name)."""

    name: str
    sources: Mapping[str, str]
    zones: Mapping[str, str]


def survey(package: Path, into: Path) -> Shown:
    """Return what can be shown of a package (folder or zip); no sources where nothing can.

    The data of a zip are copied into the folder `into`. Reads: call it in a worker. Raises SwcError
    ``validating.not_copied``.
    """
    for suffix in _SUFFIXES:
        for place in _data_sets(package, suffix, into):
            sources = {name: _source(place, suffix, name) for name in SHOWN[1:]}
            layers = {name: QgsVectorLayer(source, name, "ogr") for name, source in sources.items()}
            found = {name: sources[name] for name, layer in layers.items() if layer.isValid()}
            if ZONES in found:
                return Shown(package.stem, found, _zones_of(layers[ZONES]))
    return Shown(package.stem, {}, {})


def _data_sets(package: Path, suffix: str, into: Path) -> Iterator[Path]:
    """Yield the data sets of one kind; of shapefiles the folder that holds them."""
    if package.suffix == suffix:
        yield package
    elif package.is_dir():
        yield from sorted({_whole(path, suffix) for path in package.rglob(f"*{suffix}")})
    elif zipfile.is_zipfile(package):
        with zipfile.ZipFile(package) as archive:
            yield from _copied(archive, suffix, into)


def _whole(path: Any, suffix: str) -> Any:
    return path.parent if suffix == ".shp" else path


def _copied(archive: zipfile.ZipFile, suffix: str, into: Path) -> Iterator[Path]:
    """Copy the data sets of one kind out of a zip, each into a folder of its own, and yield them.

    QGIS reads a data set inside a zip badly. Members go under names of ours or their last name alone, so
    none can lead out of the folder.
    """
    members = {_path(member): member for member in archive.infolist() if not member.is_dir()}
    sets = {_whole(one, suffix) for path in members for one in (path, *path.parents) if one.suffix == suffix}
    for number, whole in enumerate(sorted(sets), 1):
        held = [member for path, member in members.items() if whole in (path, path.parent)]
        place = into / f"{_COPY}{number}{suffix if suffix == '.gdb' else ''}"
        _copy(held, archive, place)
        yield place / f"{_COPY}.gpkg" if suffix == ".gpkg" else place


def _path(member: zipfile.ZipInfo) -> PurePosixPath:
    return PurePosixPath(member.filename.replace("\\", "/"))


def _copy(members: Sequence[zipfile.ZipInfo], archive: zipfile.ZipFile, place: Path) -> None:
    try:
        place.mkdir(parents=True, exist_ok=True)
        for member in members:
            last = _path(member).name
            name = f"{_COPY}.gpkg" if last.endswith(".gpkg") else last
            with archive.open(member) as source, (place / name).open("wb") as target:
                shutil.copyfileobj(source, target)
    except (OSError, zipfile.BadZipFile, RuntimeError) as error:
        raise SwcError("validating.not_copied", path=str(place), reason=str(error)) from error


def _source(place: Path, suffix: str, layer: str) -> str:
    return f"{place}/{layer}.shp" if suffix == ".shp" else f"{place}|layername={layer}"


def _zones_of(layer: QgsVectorLayer) -> dict[str, str]:
    """Return the zones that occur, code -> name, in the order of their codes."""
    request = QgsFeatureRequest()
    request.setFlags(QgsFeatureRequest.Flag.NoGeometry)
    request.setSubsetOfAttributes(["FQDM", "FQMC"], layer.fields())
    found = {(str(one["FQDM"]), str(one["FQMC"])) for one in layer.getFeatures(request)}
    return dict(sorted(found))


# --- layers ----------------------------------------------------------------------------------------


def show(project: QgsProject, shown: Shown, findings: Path | None = None) -> QgsLayerTreeGroup:
    """Load the layers of a package, styled, into its group; those of an earlier look at it go.

    Call it in the main thread. Raises SwcError host.result_layer, host.style_failed.
    """
    stamp = uuid.uuid4().hex
    group = styling.group_of(project.layerTreeRoot(), KEY + shown.name, _title(shown.name))
    for output in SHOWN:
        source = _findings_source(findings) if output == FINDINGS else shown.sources.get(output)
        if source:
            layer = _opened(source, output)
            look_of(shown, output).apply(layer)
            project.addMapLayer(layer, False)
            _put(group, QgsLayerTreeLayer(layer), output, stamp)
    _clear(project, group, stamp)
    return group


def _findings_source(findings: Path | None) -> str:
    return "" if findings is None else f"{findings}|layername=findings"


def _opened(source: str, output: str) -> QgsVectorLayer:
    layer = QgsVectorLayer(source, title_of(output), "ogr")
    if not layer.isValid():
        raise SwcError("host.result_layer", path=source, layer=output)
    return layer


def title_of(output: str) -> str:
    """Return the name of a layer of a package in the legend."""
    return text(f"validating.layer_{output.lower()}")


def _title(name: str) -> str:
    return text("validating.group", name=name)


@dataclass(frozen=True)
class Look:
    """How one layer looks."""

    qml: str

    def apply(self, layer: QgsVectorLayer) -> None:
        """Give it to a layer. Raises SwcError host.style_failed."""
        styling.apply(layer, self.qml)
        layer.triggerRepaint()


def look_of(shown: Shown, output: str) -> Look:
    """Return how a layer of this package looks."""
    if output == FINDINGS:
        return Look(styles.quality_qml(language()))
    if output == ZONES:
        return Look(styles.submitted_qml(shown.zones))
    return Look(styles.proposal_qml(output))


def _put(group: QgsLayerTreeGroup, node: QgsLayerTreeLayer, output: str, stamp: str) -> None:
    node.setCustomProperty(styling.RUN_PROPERTY, output)
    node.setCustomProperty(styling.STAMP_PROPERTY, stamp)
    node.setExpanded(output == ZONES)
    rank = SHOWN.index(output)
    ranks = [_rank(child.customProperty(styling.RUN_PROPERTY)) for child in group.children()]
    group.insertChildNode(sum(one < rank for one in ranks), node)


def _rank(output: Any) -> int:
    return SHOWN.index(output) if output in SHOWN else len(SHOWN)


def _clear(project: QgsProject, group: QgsLayerTreeGroup, stamp: str) -> None:
    """Take out of `group` what an earlier look put there; the user's own layers stay."""
    for node in group.findLayers():
        ours = node.customProperty(styling.RUN_PROPERTY) in SHOWN
        if ours and node.customProperty(styling.STAMP_PROPERTY, "") != stamp:
            layer = node.layerId()
            node.parent().removeChildNode(node)
            # Shown elsewhere too, it is the user's now.
            if project.layerTreeRoot().findLayer(layer) is None:
                project.removeMapLayer(layer)


# --- layers of an algorithm ------------------------------------------------------------------------

#: Stylers that QGIS has still to call.
_waiting: list[PackageStyler] = []


class PackageStyler(QgsProcessingLayerPostProcessorInterface):
    """Styles one layer and puts it in the group of its package; runs in the main thread."""

    def __init__(self, shown: Shown, output: str, stamp: str) -> None:
        super().__init__()
        self._shown, self._output, self._stamp = shown, output, stamp

    def postProcessLayer(  # noqa: N802 (QGIS calls this name)
        self, layer: QgsMapLayer, context: QgsProcessingContext, feedback: QgsProcessingFeedback
    ) -> None:
        """Style the layer; move it to its group where it is in the layer tree."""
        if self in _waiting:
            _waiting.remove(self)
        look_of(self._shown, self._output).apply(layer)
        project = context.project()
        node = None if project is None else project.layerTreeRoot().findLayer(layer.id())
        if node is None:
            return
        name = self._shown.name
        group = styling.group_of(project.layerTreeRoot(), KEY + name, _title(name))
        moved = node.clone()
        _put(group, moved, self._output, self._stamp)
        # Only now: a layer whose last node is removed leaves the project.
        node.parent().removeChildNode(node)
        _clear(project, group, self._stamp)


def load_on_completion(context: QgsProcessingContext, shown: Shown, stamp: str) -> None:
    """Have the layers of a package loaded when the algorithm is over, styled, as they lie."""
    for output in reversed(SHOWN[1:]):
        source = shown.sources.get(output)
        if source:
            details = QgsProcessingContext.LayerDetails(title_of(output), context.project(), output)
            context.addLayerToLoadOnCompletion(source, details)
            attach(context, source, PackageStyler(shown, output, stamp))


def attach(context: QgsProcessingContext, layer_id: str, styler: PackageStyler) -> None:
    """Have `styler` called for a layer that will be loaded, and keep it alive until then."""
    _waiting.append(styler)
    context.layerToLoadOnCompletionDetails(layer_id).setPostProcessor(styler)


# --- findings --------------------------------------------------------------------------------------

#: Files of a check, and the end of the name of a folder that holds them in place of a package.
_LINES, _WORKBOOK, _REFUSED = "质检问题.jsonl", "质检记录.xlsx", "质检未通过"
_SEVERITIES = {"E": "error", "W": "warning", "I": "info"}


def read_findings(lines: Path) -> list[dict[str, Any]]:
    """Return the findings of a check from its lines of JSON; `severity` as error, warning, info.

    Raises SwcError ``cli.unreadable``.
    """
    try:
        with Path(lines).open(encoding="utf-8") as file:
            return list(_findings(file))
    except (OSError, ValueError) as error:
        raise SwcError("cli.unreadable", path=str(lines), reason=str(error)) from error


def _findings(lines: Iterable[str]) -> Iterator[dict[str, Any]]:
    for line in lines:
        row = json.loads(line) if line.strip() else {}
        # Other lines tell what was not checked.
        if row.get("severity") in _SEVERITIES:
            yield {**row, "severity": _SEVERITIES[row["severity"]]}


def count(findings: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """Return how many findings are errors, warnings that nobody accepted, accepted ones, and notes."""
    counts = dict.fromkeys(("error", "warning", "accepted", "info"), 0)
    for one in findings:
        counts["accepted" if one.get("accepted") else one["severity"]] += 1
    return counts


@dataclass(frozen=True)
class CheckFiles:
    """What a check leaves: workbook, lines of JSON, layer of findings; `folder` is the one asked about."""

    folder: Path
    report: Path
    lines: Path
    places: Path

    @classmethod
    def of(cls, folder: Path, lines: Path) -> CheckFiles:
        """Return the files that lie beside the lines."""
        return cls(folder, lines.with_name(_WORKBOOK), lines, lines.with_suffix(".gpkg"))


def check_files(package: Path) -> CheckFiles:
    """Return what the check left in a package. Raises SwcError ``host.result_layer`` without it."""
    found = sorted(package.rglob(_LINES))
    if not found:
        raise SwcError("host.result_layer", path=str(package), layer=_LINES)
    return CheckFiles.of(package, found[0])


def refused(parent: Path, since: float = 0.0) -> CheckFiles | None:
    """Return the newest report of an export into `parent` that did not pass, None without one.

    `since`: the earliest time (seconds of the epoch) it may be from.
    """
    found = {path: path.stat().st_mtime for path in parent.glob(f"*{_REFUSED}/{_LINES}")}
    newest = max(found, key=found.__getitem__, default=None)
    if newest is None or found[newest] < since:
        return None
    return CheckFiles.of(newest.parent, newest)
