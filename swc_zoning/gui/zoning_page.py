# SPDX-License-Identifier: GPL-2.0-or-later
"""The page that zones the city and shows what came of it: areas, conflicts, missing layers, proofs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from qgis.core import Qgis, QgsPointXY
from qgis.PyQt.QtCore import QUrl
from qgis.PyQt.QtGui import QDesktopServices
from qgis.PyQt.QtWidgets import (
    QComboBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from swc_zoning.engine import roles
from swc_zoning.engine.geopackage import read_table
from swc_zoning.engine.messages import SwcError
from swc_zoning.gui.desk import Desk
from swc_zoning.gui.page import Level, Page, State, allow
from swc_zoning.gui.session import Result
from swc_zoning.gui.tables import Column, RowsModel, RowsView, write_csv
from swc_zoning.qgis_bridge.i18n import language, text

_HECTARE = 1e4


class ZoningPage(Page):
    """Runs the zoning in the background and shows its result."""

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(desk, parent)
        self._made_of = ""
        self._build()
        session = desk.session
        for signal in (
            session.folder_changed,
            session.job_changed,
            session.rules_changed,
            session.scenario_changed,
        ):
            signal.connect(self._refresh)
        session.result_changed.connect(self._show_result)
        desk.runner.started.connect(self._refresh)
        desk.runner.finished.connect(self._refresh)
        self._show_result()

    def title(self) -> str:
        """Return the name of the page."""
        return self.tr("Zoning")

    def state(self) -> State:
        """Return how the zoning stands."""
        reason = self._why_not()
        if reason:
            return State(Level.BLOCKED, reason)
        if self.desk.session.result is None:
            return State(Level.OPEN, self.tr("Ready to run"))
        if self.desk.session.is_outdated():
            return State(Level.OPEN, self.tr("Job or rules changed since the last run"))
        return State(Level.DONE, self._done_words())

    def run(self) -> None:
        """Zone the city as the session has it, into a new folder of results."""
        session, runner = self.desk.session, self.desk.runner
        try:
            job = session.write_job()
            self._made_of = session.fingerprint()
            parameters = {"JOB": str(job), "OUTPUT": str(session.new_result_folder())}
            runner.run("swc_zoning:delineatezones", parameters, self._finished, self.tr("Zoning"))
        except SwcError as error:
            self.desk.say_error(error)

    # --- building ----------------------------------------------------------------------------------

    def _build(self) -> None:
        self._scenario, self._mode = QLineEdit(), QComboBox()
        self._scenario.setPlaceholderText(self.tr("for example: current rules"))
        self._scenario.setToolTip(self.tr("Results of one scenario share a group in the layer tree"))
        self._scenario.editingFinished.connect(self._take_scenario)
        self._mode.addItem(self.tr("Draft: flaws are listed"), "draft")
        self._mode.addItem(self.tr("Submission: flaws stop the run"), "submission")
        self._mode.activated.connect(self._take_mode)
        form = QFormLayout()
        form.addRow(self.tr("Scenario"), self._scenario)
        form.addRow(self.tr("Mode"), self._mode)
        self._run = QPushButton(self.tr("&Zone the city"))
        self._run.clicked.connect(self.run)
        self._open = QPushButton(self.tr("Open &folder"))
        self._open.clicked.connect(self._open_folder)
        self._export = QPushButton(self.tr("&Save this table…"))
        self._export.clicked.connect(self._save_table)
        buttons = QHBoxLayout()
        for button in (self._run, self._export, self._open):
            buttons.addWidget(button)
        buttons.addStretch(1)
        self._why, self._headline = QLabel(), QLabel()
        for label in (self._why, self._headline):
            label.setWordWrap(True)
        column = QVBoxLayout(self)
        column.addLayout(form)
        column.addLayout(buttons)
        column.addWidget(self._why)
        column.addWidget(self._headline)
        column.addWidget(self._tables(), 1)

    def _tables(self) -> QTabWidget:
        self._tabs = QTabWidget()
        self._areas = self._table(
            self._area_columns(),
            self.tr("Zone areas"),
            self.tr("Mutually exclusive areas: they close to the district"),
        )
        self._features = self._table(
            self._feature_columns(),
            self.tr("Feature areas"),
            self.tr("Areas of source features: they may overlap and do not close"),
        )
        self._conflicts = self._table(
            self._conflict_columns(),
            self.tr("Conflicts"),
            self.tr("Double-click to see the place; no approved line is changed"),
        )
        self._missing = self._table(
            [Column(self.tr("Missing layer"), "name")],
            self.tr("Missing"),
            self.tr("What these layers would decide is not known: a general zone never means cleared"),
        )
        self._ledger = self._table(
            self._ledger_columns(), self.tr("Proofs"), self.tr("What every run proves on its final polygons")
        )
        self._conflicts.doubleClicked.connect(self._zoom_to_conflict)
        self._conflicts.activated.connect(self._zoom_to_conflict)
        return self._tabs

    def _table(self, columns: list[Column], title: str, note: str) -> RowsView:
        view = RowsView(RowsModel(columns, self))
        view.setAccessibleName(title)
        tab = QWidget()
        column = QVBoxLayout(tab)
        said = QLabel(note)
        said.setWordWrap(True)
        column.addWidget(said)
        column.addWidget(view, 1)
        self._tabs.addTab(tab, title)
        return view

    # --- state -------------------------------------------------------------------------------------

    def _why_not(self) -> str:
        session = self.desk.session
        if self.desk.runner.busy:
            return self.tr("Something is running")
        if session.folder is None:
            return self.tr("Choose a working folder first")
        if not session.job.get("layers"):
            return self.tr("No layer has a role yet: see the page Layers")
        try:
            session.table()
        except SwcError:
            return self.tr("The decision table has errors: see the page Rules")
        return ""

    def _done_words(self) -> str:
        summary = self.desk.session.result.summary
        regions = sum(row["regions"] for row in summary["conflicts"])
        return self.tr("{pieces} pieces, {conflicts} conflicts").format(
            pieces=f"{summary['total']['pieces']:,}", conflicts=f"{regions:,}"
        )

    def _refresh(self) -> None:
        session = self.desk.session
        reason = self._why_not()
        allow(self._run, reason, self.tr("Runs in the background; the map stays usable"))
        self._why.setText(reason)
        self._why.setVisible(bool(reason))
        nothing = "" if session.result else self.tr("There is no result yet")
        allow(self._open, nothing)
        allow(self._export, nothing)
        if not self._scenario.isModified():
            self._scenario.setText(session.scenario)
        mode = (session.job.get("options") or {}).get("mode", "draft")
        self._mode.setCurrentIndex(max(0, self._mode.findData(mode)))
        self.state_changed.emit()

    def _take_scenario(self) -> None:
        if self._scenario.isModified():
            self._scenario.setModified(False)
            self.desk.session.set_scenario(self._scenario.text().strip())

    def _take_mode(self) -> None:
        session = self.desk.session
        options = {**(session.job.get("options") or {}), "mode": self._mode.currentData()}
        session.set_job({**session.job, "options": options})

    # --- result ------------------------------------------------------------------------------------

    def _finished(self, ok: bool, results: dict) -> None:
        if not ok:
            return
        try:
            self.desk.session.set_result(Path(results["OUTPUT"]), self._made_of)
            self.desk.show_result(self.desk.session.result.folder)
        except SwcError as error:
            self.desk.say_error(error)
            return
        self.desk.say(Qgis.MessageLevel.Success, self.tr("Zoned: {words}.").format(words=self._done_words()))

    def _show_result(self) -> None:
        result = self.desk.session.result
        summary = result.summary if result else {}
        self._areas.rows_model.set_rows(list(self._area_rows(summary)))
        self._features.rows_model.set_rows(list(_feature_rows(summary)))
        self._missing.rows_model.set_rows(
            [{"name": row[f"name_{language()}"]} for row in summary.get("missing_roles", [])]
        )
        self._ledger.rows_model.set_rows(summary.get("ledger", []))
        self._conflicts.rows_model.set_rows([])
        self._headline.setText(self._said_of(summary) if summary else "")
        if result is not None:
            self.desk.runner.work(
                lambda: read_table(result.zoning, "conflicts"),
                lambda rows: self._show_conflicts(result, rows),
            )
        self._refresh()

    def _show_conflicts(self, result: Result, rows: Any) -> None:
        if result is not self.desk.session.result:
            return
        if isinstance(rows, Exception):
            self.desk.say_error(rows)
            return
        self._conflicts.rows_model.set_rows(rows)

    def _zoom_to_conflict(self, index: Any) -> None:
        row, result = self._conflicts.row_at(index), self.desk.session.result
        if result is not None:
            self.desk.zoom_to(QgsPointXY(row["east"], row["north"]), result.summary["crs"])

    def _open_folder(self) -> None:
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(self.desk.session.result.folder)))

    def _save_table(self) -> None:
        view = self._tabs.currentWidget().findChild(RowsView)
        name = f"{self._tabs.tabText(self._tabs.currentIndex())}.csv"
        start = str(self.desk.session.result.folder / name)
        chosen, _ = QFileDialog.getSaveFileName(self, self.tr("Save the table"), start, "CSV (*.csv)")
        if not chosen:
            return
        try:
            write_csv(view.rows_model, Path(chosen))
        except OSError as error:
            self.desk.say_error(error)

    # --- tables -----------------------------------------------------------------------------------

    def _area_columns(self) -> list[Column]:
        return [
            Column(self.tr("Where"), "where"),
            Column(self.tr("Zone"), "zone"),
            Column(self.tr("Confirmed (ha)"), lambda row: _hectares(row["confirmed"]), 4),
            Column(self.tr("Pending (ha)"), lambda row: _hectares(row["pending"]), 4),
            Column(self.tr("Pieces"), "pieces", 0),
        ]

    def _feature_columns(self) -> list[Column]:
        return [
            Column(self.tr("Role"), "role"),
            Column(self.tr("Tier"), "tier"),
            Column(self.tr("Features"), "features", 0),
            Column(self.tr("Ellipsoidal (ha)"), lambda row: _hectares(row["ellipsoidal_m2"]), 4),
        ]

    def _conflict_columns(self) -> list[Column]:
        return [
            Column(self.tr("Kind"), "kind"),
            Column(self.tr("Severity"), lambda row: text(f"severity.{row['severity']}")),
            Column(self.tr("Conflict"), "name"),
            Column(self.tr("Area (ha)"), lambda row: _hectares(row["area_m2"]), 4),
            Column(self.tr("First"), lambda row: row["name_a"] or row["layer_a"]),
            Column(self.tr("Second"), lambda row: row["name_b"] or row["layer_b"]),
            Column(self.tr("Settling rule"), "settling_rule"),
            Column(self.tr("Basis"), "basis"),
        ]

    def _ledger_columns(self) -> list[Column]:
        return [
            Column(self.tr("Proof"), lambda row: text(f"proof.{row['item']}")),
            Column(self.tr("Value"), "value", 4),
        ]

    def _area_rows(self, summary: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
        """Yield the zones of the city, then of each district, each with its total; pending ones apart."""
        if not summary:
            return
        yield from self._closing(self.tr("Whole extent"), summary["by_zone"])
        by_land = summary.get("by_land") or []
        for land, words in ((1, self.tr("Land")), (0, self.tr("Sea"))):
            rows = [row for row in by_land if row["land"] == land]
            if rows:
                yield from self._closing(words, rows)
        for district in summary["by_district"]:
            where = f"{district['district_code']} {district['district_name']}".strip()
            yield from self._closing(where, district["zones"])

    def _closing(self, where: str, rows: list[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
        zones: dict[str, dict[str, Any]] = {}
        for row in rows:
            blank = {
                "where": where,
                "zone": row[f"name_{language()}"],
                "confirmed": 0.0,
                "pending": 0.0,
                "pieces": 0,
            }
            sums = zones.setdefault(row["zone"], blank)
            sums[row["status"]] += row["area_m2"]
            sums["pieces"] += row["pieces"]
        yield from zones.values()
        total = {key: sum(row[key] for row in zones.values()) for key in ("confirmed", "pending", "pieces")}
        yield {"where": where, "zone": self.tr("Total"), **total, "bold": True}

    def _said_of(self, summary: Mapping[str, Any]) -> str:
        total = summary["total"]
        lines = [
            self.tr("{area} ha in {pieces} pieces; {missing} expected layers are missing.").format(
                area=f"{_hectares(total['area_m2']):,.2f}",
                pieces=f"{total['pieces']:,}",
                missing=len(summary["missing_roles"]),
            )
        ]
        pending = sum(row["area_m2"] for row in summary["by_zone"] if row["status"] == "pending")
        if pending:
            lines.append(
                self.tr("{area} ha are pending: decided by the strictest reading, counted apart.").format(
                    area=f"{_hectares(pending):,.2f}"
                )
            )
        if summary.get("mark"):
            lines.append(str(summary["mark"]))
        return "\n".join(lines)


def _hectares(square_metres: float) -> float:
    return square_metres / _HECTARE


def _feature_rows(summary: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for row in summary.get("by_feature_role", []):
        role = roles.find(row["role"])
        if role is None:
            yield row
            continue
        tiers = {tier.id: getattr(tier, f"name_{language()}") for tier in role.tiers}
        yield {
            **row,
            "role": getattr(role, f"name_{language()}"),
            "tier": tiers.get(row["tier"], row["tier"]),
        }
