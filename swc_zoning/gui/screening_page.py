# SPDX-License-Identifier: GPL-2.0-or-later
"""The page that says at once what a result means for a project drawn on the map or taken from a layer."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from qgis.core import (
    Qgis,
    QgsFeature,
    QgsGeometry,
    QgsMapLayerProxyModel,
    QgsProcessingFeatureSourceDefinition,
    QgsVectorLayer,
)
from qgis.gui import QgsFieldComboBox, QgsMapLayerComboBox
from qgis.PyQt.QtGui import QGuiApplication
from qgis.PyQt.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from swc_zoning.engine import siting
from swc_zoning.engine.messages import SwcError
from swc_zoning.gui.desk import Desk
from swc_zoning.gui.fitting import fit
from swc_zoning.gui.page import Level, Page, State, allow
from swc_zoning.gui.places import free_folder
from swc_zoning.gui.polygon_tool import PolygonTool
from swc_zoning.gui.tables import Column, RowsModel, RowsView, as_text
from swc_zoning.qgis_bridge import derived_layers, screening_card
from swc_zoning.qgis_bridge.i18n import language, text

_HECTARE = 1e4
#: Where screenings go in the working folder.
FOLDER = "screenings"
#: Widest columns of the tables, in letters.
_LETTERS = 34

Row = Mapping[str, Any]


class ScreeningPage(Page):
    """Screens a polygon drawn on the map, selected features, or a whole layer."""

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(desk, parent)
        self._document: dict[str, Any] | None = None
        self._output: Path | None = None
        #: The result that was asked about, and whether the ban on spoil sites was.
        self._asked: Path | None = None
        self._with_banned = False
        self._tool: PolygonTool | None = None
        self._drawn: QgsVectorLayer | None = None
        self._build()
        desk.session.result_changed.connect(self._forget)
        desk.runner.started.connect(self._refresh)
        desk.runner.finished.connect(self._refresh)
        self._refresh()

    def title(self) -> str:
        """Return the name of the page."""
        return self.tr("Screen a project")

    def state(self) -> State:
        """Return how the page stands."""
        if self.desk.session.result is None:
            return State(Level.BLOCKED, self._why_not())
        if self._document is None:
            return State(Level.OFFERED, self.tr("Draw a polygon or choose a layer"))
        count = len(self._document["projects"])
        return State(Level.DONE, self.tr("{count} screened").format(count=count))

    def deactivate(self) -> None:
        """Give the map back."""
        self._draw.setChecked(False)

    def unload(self) -> None:
        """Take the tool off the map."""
        self._stop_drawing()

    def screen_geometry(self, geometry: QgsGeometry, crs: str) -> None:
        """Screen one polygon in `crs`."""
        self._drawn = QgsVectorLayer(
            f"Polygon?crs={crs}&field=id:string&field=name:string", "drawn", "memory"
        )
        feature = QgsFeature(self._drawn.fields())
        feature.setAttributes(["1", self.tr("Drawn polygon")])
        feature.setGeometry(geometry)
        self._drawn.dataProvider().addFeature(feature)
        self._run({"PROJECTS": self._drawn, "ID_FIELD": "id", "NAME_FIELD": "name"})

    def screen_layer(self) -> None:
        """Screen the layer that is chosen, or its selected features."""
        layer = self._layer.currentLayer()
        source = QgsProcessingFeatureSourceDefinition(layer.id(), self._selected.isChecked())
        fields = {"ID_FIELD": self._id.currentField(), "NAME_FIELD": self._name.currentField()}
        self._run({"PROJECTS": source, **{name: field for name, field in fields.items() if field}})

    # --- building ----------------------------------------------------------------------------------

    def _build(self) -> None:
        self._why, self._verdict = QLabel(), QLabel()
        for label in (self._why, self._verdict):
            label.setWordWrap(True)
        self._project = QComboBox()
        self._project.setToolTip(self.tr("What was screened; choose one to see its answer"))
        self._project.currentIndexChanged.connect(self._show)
        answer = QFormLayout()
        answer.addRow(self.tr("&Project"), self._project)
        column = QVBoxLayout(self)
        column.addLayout(self._form())
        column.addLayout(self._run_buttons())
        column.addWidget(self._why)
        column.addLayout(answer)
        column.addWidget(self._verdict)
        column.addWidget(self._tables(), 1)
        column.addLayout(self._answer_buttons())

    def _form(self) -> QFormLayout:
        self._kind = QComboBox()
        for kind in siting.kinds().values():
            self._kind.addItem(kind[f"name_{language()}"], kind["id"])
        self._kind.setToolTip(self.tr("What is asked of a site depends on it"))
        self._layer = QgsMapLayerComboBox()
        self._layer.setFilters(QgsMapLayerProxyModel.Filter.PolygonLayer)
        self._layer.setAllowEmptyLayer(True)
        self._selected = QCheckBox(self.tr("Only &selected features"))
        self._id, self._name = QgsFieldComboBox(), QgsFieldComboBox()
        for combo in (self._id, self._name):
            combo.setAllowEmptyFieldName(True)
            self._layer.layerChanged.connect(combo.setLayer)
        self._layer.layerChanged.connect(self._refresh)
        self._banned = QCheckBox(self.tr("Also show where spoil and borrow sites are &banned"))
        form = QFormLayout()
        form.addRow(self.tr("&Kind"), self._kind)
        form.addRow(self.tr("&Layer"), self._layer)
        form.addRow("", self._selected)
        form.addRow(self.tr("&Identifier"), self._id)
        form.addRow(self.tr("&Name"), self._name)
        form.addRow("", self._banned)
        return form

    def _run_buttons(self) -> QHBoxLayout:
        self._draw = QPushButton(self.tr("&Draw a polygon"))
        self._draw.setCheckable(True)
        self._draw.toggled.connect(self._toggle_drawing)
        self._screen = QPushButton(self.tr("S&creen the layer"))
        self._screen.clicked.connect(self.screen_layer)
        row = QHBoxLayout()
        row.addWidget(self._draw)
        row.addWidget(self._screen)
        row.addStretch(1)
        return row

    def _tables(self) -> QTabWidget:
        self._tabs = QTabWidget()
        self._zones = self._table(self.tr("Zones"), self._zone_columns())
        self._measures = self._table(self.tr("Measures"), self._measure_columns())
        self._conflicts = self._table(self.tr("Conflicts"), self._conflict_columns())
        self._articles = self._table(self.tr("Articles"), [Column(self.tr("Article"), "article")])
        return self._tabs

    def _table(self, title: str, columns: list[Column]) -> RowsView:
        view = RowsView(RowsModel(columns, self))
        view.setAccessibleName(title)
        self._tabs.addTab(view, title)
        return view

    def _answer_buttons(self) -> QHBoxLayout:
        self._card = QPushButton(self.tr("&PDF card…"))
        self._card.clicked.connect(self._choose_card)
        self._copy = QPushButton(self.tr("Copy as &text"))
        self._copy.clicked.connect(self._copy_text)
        self._load = QPushButton(self.tr("L&oad layers"))
        self._load.clicked.connect(self._load_layers)
        row = QHBoxLayout()
        for button in (self._card, self._copy, self._load):
            row.addWidget(button)
        row.addStretch(1)
        return row

    def _zone_columns(self) -> list[Column]:
        return [
            Column(self.tr("Zone"), "zone"),
            Column(self.tr("Area (ha)"), "area", 4),
            Column(self.tr("Share (%)"), "share", 2),
            Column(self.tr("Grade"), "grade"),
        ]

    def _measure_columns(self) -> list[Column]:
        return [
            Column(self.tr("Department"), f"department_{language()}"),
            Column(self.tr("Id"), "id"),
            Column(self.tr("Kind"), lambda row: text(f"screen.kind_{row['kind']}")),
            Column(self.tr("Measure"), f"text_{language()}"),
            Column(self.tr("Basis"), lambda row: "；".join(row["basis"])),
            Column(self.tr("Area (ha)"), lambda row: row["area_m2"] / _HECTARE, 4),
        ]

    def _conflict_columns(self) -> list[Column]:
        return [
            Column(self.tr("Id"), "id"),
            Column(self.tr("Conflict"), f"name_{language()}"),
            Column(self.tr("Area (ha)"), lambda row: row["area_m2"] / _HECTARE, 4),
            Column(self.tr("Settling rule"), f"settling_rule_{language()}"),
        ]

    # --- state -------------------------------------------------------------------------------------

    def _why_not(self) -> str:
        if self.desk.session.result is None:
            return self.tr("There is no result yet: see the page Zoning")
        return self.tr("Something is running") if self.desk.runner.busy else ""

    def _refresh(self) -> None:
        reason = self._why_not()
        allow(self._draw, reason, self.tr("Click corners on the map; a right click or Enter ends it"))
        no_layer = "" if self._layer.currentLayer() is not None else self.tr("Choose a layer of polygons")
        allow(self._screen, reason or no_layer)
        nothing = "" if self._document is not None else self.tr("Nothing was screened yet")
        for button in (self._card, self._copy, self._load):
            allow(button, nothing)
        self._why.setText(reason)
        self._why.setVisible(bool(reason))
        self.state_changed.emit()

    def _forget(self) -> None:
        """Another result: earlier answers no longer hold."""
        self._document = None
        self._project.clear()
        self._refresh()

    # --- drawing -----------------------------------------------------------------------------------

    def _toggle_drawing(self, on: bool) -> None:
        self._stop_drawing()
        if on:
            self._tool = PolygonTool(self.desk.canvas)
            self._tool.drawn.connect(self._take_drawn)
            self.desk.canvas.setMapTool(self._tool)
            self._tool.deactivated.connect(self._tool_left)

    def _take_drawn(self, geometry: QgsGeometry) -> None:
        crs = self.desk.canvas.mapSettings().destinationCrs()
        self.screen_geometry(geometry, crs.authid() or crs.toWkt())

    def _tool_left(self) -> None:
        """Another map tool was taken."""
        self._draw.setChecked(False)

    def _stop_drawing(self) -> None:
        tool, self._tool = self._tool, None
        if tool is not None:
            tool.close()

    # --- running -----------------------------------------------------------------------------------

    def _run(self, parameters: dict[str, Any]) -> None:
        session = self.desk.session
        if session.result is None:
            return
        base = session.folder / FOLDER if session.folder else Path(tempfile.gettempdir()) / "swc_zoning"
        self._asked, self._with_banned = session.result.folder, self._banned.isChecked()
        parameters |= {
            "RESULT": str(self._asked),
            "KIND": self._kind.currentIndex(),
            "OUTPUT": str(free_folder(base)),
        }
        if self._with_banned:
            parameters["BANNED"] = "TEMPORARY_OUTPUT"
        try:
            self.desk.runner.run(
                "swc_zoning:screenprojects", parameters, self._finished, self.tr("Screening")
            )
        except SwcError as error:
            self.desk.say_error(error)

    def _finished(self, ok: bool, found: dict) -> None:
        if not ok:
            return
        self._output = Path(found["OUTPUT"])
        path = self._output / "screening.json"
        self.desk.runner.work(lambda: json.loads(path.read_text(encoding="utf-8")), self._take)

    def _take(self, document: Any) -> None:
        if isinstance(document, Exception):
            self.desk.say_error(document)
            return
        result = self.desk.session.result
        if result is None or result.folder != self._asked:
            # Another result was taken meanwhile: this is no answer about it.
            return
        self._document = document
        self._project.blockSignals(True)
        self._project.clear()
        for row in document["projects"]:
            self._project.addItem(" ".join(dict.fromkeys(part for part in (row["id"], row["name"]) if part)))
        self._project.blockSignals(False)
        self._show()
        self._refresh()
        if self._with_banned:
            self._load_layers()

    # --- the answer --------------------------------------------------------------------------------

    def _current(self) -> Row | None:
        number = self._project.currentIndex()
        return None if self._document is None or number < 0 else self._document["projects"][number]

    def _show(self) -> None:
        row = self._current()
        if row is None:
            self._verdict.setText("")
            for view in (self._zones, self._measures, self._conflicts, self._articles):
                view.rows_model.set_rows([])
            return
        self._verdict.setText("\n".join(self._said(row)))
        self._zones.rows_model.set_rows(list(self._zone_rows(row)))
        ordered = sorted(row["measures"], key=lambda one: (one[f"department_{language()}"], one["id"]))
        self._measures.rows_model.set_rows(ordered)
        self._conflicts.rows_model.set_rows(row["conflicts"])
        self._articles.rows_model.set_rows([{"article": article} for article in row["articles"]])
        for view in (self._zones, self._measures, self._conflicts):
            fit(view, _LETTERS)

    def _said(self, row: Row) -> Iterator[str]:
        lang = language()
        for one in row["advice"]:
            measures = f" ({', '.join(one['measures'])})" if one["measures"] else ""
            proposed = text("screen.card_proposed") if one["status"] == "proposed" else ""
            yield f"{one[f'name_{lang}']}{measures}{proposed}"
            yield one[f"text_{lang}"]
        if row["outside_m2"]:
            yield text("screen.card_partly_outside")
        missing = [role[f"name_{lang}"] for role in self._document["missing_roles"]]
        if missing:
            yield self.tr("Layers that were not given: {names}").format(names=", ".join(missing))

    def _zone_rows(self, row: Row) -> Iterator[Row]:
        for zone in row["zones"]:
            pending = text("comparison.pending") if zone["status"] == "pending" else ""
            yield {
                "zone": zone[f"name_{language()}"] + pending,
                "area": zone["area_m2"] / _HECTARE,
                "share": 100 * zone["share"],
                "grade": zone["grade"],
            }
        if row["outside_m2"]:
            share = 100 * row["outside_m2"] / row["area_m2"]
            yield {"zone": text("screen.card_outside"), "area": row["outside_m2"] / _HECTARE, "share": share}
        yield {"zone": self.tr("Total"), "area": row["area_m2"] / _HECTARE, "share": 100.0, "bold": True}

    def as_text(self) -> str:
        """Return the whole answer on the current project as text."""
        row = self._current()
        head = f"{row['name'] or row['id']}　{row[f'kind_{language()}']}"
        parts = [head, *self._said(row)]
        for view in (self._zones, self._measures, self._conflicts, self._articles):
            if view.rows_model.rows:
                parts += ["", as_text(view.rows_model)]
        return "\n".join(parts)

    def _copy_text(self) -> None:
        QGuiApplication.clipboard().setText(self.as_text())

    def _choose_card(self) -> None:
        row = self._current()
        start = str(self._output / f"{screening_card.file_name(row)}.pdf")
        chosen, _ = QFileDialog.getSaveFileName(self, self.tr("Save the card"), start, "PDF (*.pdf)")
        if chosen:
            self.write_card(Path(chosen))

    def write_card(self, path: Path) -> None:
        """Write the card of the current project as a PDF, in the background."""
        number, document, result = self._project.currentIndex(), self._document, self._asked
        drawn = self._output / "screening.gpkg"
        self.desk.runner.work(
            lambda: screening_card.write_one(document, number, drawn, result, path), self._card_written
        )

    def _card_written(self, outcome: Any) -> None:
        if isinstance(outcome, Exception):
            self.desk.say_error(outcome)
        else:
            words = self.tr("The card is in {path}.").format(path=outcome)
            self.desk.say(Qgis.MessageLevel.Success, words)

    def _load_layers(self) -> None:
        rows = self.desk.session.result.summary["by_zone"]
        names = {row["zone"]: row[f"name_{language()}"] for row in rows}
        home = derived_layers.Home.of(self._output, text("screen.group"), names, key=FOLDER)
        outputs = ["PROJECTS_OUT", "CROSSINGS", *(["BANNED"] if self._with_banned else [])]
        try:
            path = self._output / "screening.gpkg"
            derived_layers.show(self.desk.session.project, path, outputs, home)
        except SwcError as error:
            self.desk.say_error(error)
