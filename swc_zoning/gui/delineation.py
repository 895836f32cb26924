# SPDX-License-Identifier: GPL-2.0-or-later
"""The areas important for the function: delineated from the page of the layers, and put into their role."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from qgis.core import QgsApplication, QgsProcessingUtils
from qgis.PyQt.QtCore import QObject, pyqtSignal
from qgis.PyQt.QtWidgets import QMenu, QPushButton, QWidget

from swc_zoning.gui.desk import Desk
from swc_zoning.gui.layer_rows import entries
from swc_zoning.gui.page import allow
from swc_zoning.gui.session import INPUTS
from swc_zoning.qgis_bridge import surveys

#: The role of the layer that is made; also its name in the file.
ROLE = "swc_function_important"
#: Chains from inputs to that layer, in the order of the menu.
CHAINS = ("flatdelta", "hillyprovince")
#: The output of a chain that is the layer.
OUTPUT = "PATCHES"
#: The parameter of a chain that is the CRS of its cells: the working CRS, where the job names one.
CRS = "CRS"


class Delineation(QObject):
    """A button that opens the dialog of a chain; `made` tells the layer it made, once it is in its place."""

    #: a `surveys.Found`
    made = pyqtSignal(object)

    def __init__(self, desk: Desk, parent: QWidget) -> None:
        super().__init__(parent)
        self._desk = desk
        self._dialog: Any = None
        self.button = QPushButton(self.tr("De&lineate…"))
        self.button.setMenu(QMenu(self.button))
        self.button.menu().setToolTipsVisible(True)

    def close(self) -> None:
        """Follow no dialog any more."""
        if self._dialog is not None:
            self._dialog.algorithmFinished.disconnect(self.take)
            self._dialog = None

    def show_state(self) -> None:
        """Offer the button where the job has no layer in the role; say why it cannot be used."""
        self._fill_menu()
        job = self._desk.session.job
        used = {entry["role"] for _, entry in entries(job) if entry.get("use") is not False}
        self.button.setVisible(bool(job.get("layers") or job.get("extent")) and ROLE not in used)
        tip = self.tr("Make the layer of areas important for the function from rasters and layers")
        allow(self.button, self._hindered(), tip)

    def _hindered(self) -> str:
        if self.button.menu().isEmpty():
            return self.tr("The tools of the evaluation are not in the toolbox")
        return "" if self._desk.session.folder else self.tr("Choose a working folder first")

    def open(self, chain: str) -> None:
        """Open the dialog of a chain, filled in with what the job has."""
        # Only with windows: qgis_process has no processing dialogs.
        from processing import createAlgorithmDialog

        self.close()
        # Shown, not executed: the map stays usable while the dialog is open.
        self._dialog = createAlgorithmDialog(f"swc_zoning:{chain}", self.prefilled(chain))
        self._dialog.algorithmFinished.connect(self.take)
        self._dialog.show()

    def prefilled(self, chain: str) -> dict[str, Any]:
        """Return what the job has for the parameters of a chain, and where the layer goes."""
        model = QgsApplication.processingRegistry().algorithmById(f"swc_zoning:{chain}")
        crs = self._desk.session.job.get("crs")
        given: dict[str, Any] = {CRS: crs} if crs else {}
        for name, (role, several) in model.layer_roles().items():
            sources = [_uri(entry) for _, entry in entries(self._desk.session.job) if entry["role"] == role]
            if sources:
                given[name] = sources if several else sources[0]
        output = next(
            (one.name() for one in model.destinationParameterDefinitions() if one.name().endswith(OUTPUT)), ""
        )
        return {**given, output: str(self._free())} if output else given

    def take(self, done: bool, results: Mapping[str, Any]) -> None:
        """Put the layer that a chain made into the role; a temporary file is copied first."""
        paths = [str(value) for name, value in results.items() if name.endswith(OUTPUT)]
        if not done or not paths:
            return
        path = Path(paths[0].partition("|")[0])
        kept = self._free() if _is_temporary(path) else path
        self._desk.runner.work(_looked_at(path, kept), self._told)

    def _told(self, found: Any) -> None:
        if isinstance(found, Exception):
            self._desk.say_error(found)
        elif found is not None:
            self.made.emit(found)

    def _fill_menu(self) -> None:
        registry, menu = QgsApplication.processingRegistry(), self.button.menu()
        menu.clear()
        for chain in CHAINS:
            model = registry.algorithmById(f"swc_zoning:{chain}")
            if model is not None:
                action = menu.addAction(f"{model.displayName()}…")
                action.setToolTip(model.shortDescription())
                action.triggered.connect(lambda _=False, chain=chain: self.open(chain))

    def _free(self) -> Path:
        """Return a file for the layer that is not there yet."""
        folder = Path(self._desk.session.folder) / INPUTS
        names = (ROLE if number == 1 else f"{ROLE}_{number}" for number in range(1, 1000))
        paths = (folder / f"{name}.gpkg" for name in names)
        return next(path for path in paths if not path.exists())


def _uri(entry: Mapping[str, Any]) -> str:
    """Return a layer of a job as QGIS opens it."""
    parts = [str(entry["source"])]
    parts += [f"layername={entry['layer']}"] if entry.get("layer") else []
    parts += [f"subset={entry['filter']}"] if entry.get("filter") else []
    return "|".join(parts)


def _is_temporary(path: Path) -> bool:
    folder = os.path.realpath(QgsProcessingUtils.tempFolder())
    return os.path.commonpath([folder, os.path.realpath(path)]) == folder


def _looked_at(path: Path, kept: Path) -> Callable[[], surveys.Found | None]:
    """Return the work for another thread: keep the file, and tell its layer of the role."""

    def work() -> surveys.Found | None:
        if kept != path:
            kept.parent.mkdir(parents=True, exist_ok=True)
            aside = kept.with_name(f"part-{os.getpid()}-{kept.name}")
            shutil.copyfile(path, aside)
            aside.replace(kept)
        return next((one for one in surveys.of_file(kept) if one.layer == ROLE), None)

    return work
