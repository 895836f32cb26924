# SPDX-License-Identifier: GPL-2.0-or-later
"""The page of targets: the soil and water conservation rate of the result against 2025 and 2035."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from qgis.PyQt.QtCore import QPointF, QRectF, QSize, Qt
from qgis.PyQt.QtGui import QPainter, QPalette, QPen
from qgis.PyQt.QtWidgets import (
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from swc_zoning.engine import roles, targets
from swc_zoning.engine.targets import Rate, Report, Target
from swc_zoning.gui.desk import Desk
from swc_zoning.gui.page import Level, Page, State, allow
from swc_zoning.gui.session import Result
from swc_zoning.gui.tables import Column, RowsModel, RowsView, write_csv
from swc_zoning.qgis_bridge.i18n import language

_HECTARE = 1e4


class TargetsPage(Page):
    """Shows the rate, what each target allows, and the same for every district."""

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(desk, parent)
        self._report: Report | None = None
        self._table: Path | None = None
        self._build()
        desk.session.result_changed.connect(self._begin)
        self._read()

    def title(self) -> str:
        """Return the name of the page."""
        return self.tr("Targets")

    def state(self) -> State:
        """Return how the rate stands against the latest target."""
        if self.desk.session.result is None:
            return State(Level.BLOCKED, self.tr("Zone the city first"))
        if self._report is None:
            return State(Level.OPEN, self.tr("Being read"))
        if self._report.city is None:
            return State(Level.PROBLEM, self.tr("Not provided: see the page"))
        rate = _percent(self._report.city.percent)
        if not self._report.targets:
            return State(Level.OFFERED, self.tr("{rate}; no target on record").format(rate=rate))
        last = self._report.targets[-1]
        met = self._report.city.meets(last)
        level = Level.DONE if met else Level.PROBLEM
        words = self.tr("{rate}; {year}: {met}").format(rate=rate, year=last.year, met=self._met(met))
        return State(level, words)

    # --- building ----------------------------------------------------------------------------------

    def _build(self) -> None:
        self._formula, self._headline, self._notes = QLabel(), QLabel(), QLabel()
        for label in (self._formula, self._headline, self._notes):
            label.setWordWrap(True)
            label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        font = self._headline.font()
        font.setPointSizeF(font.pointSizeF() * 1.5)
        self._headline.setFont(font)
        self._bar = RateBar()
        self._targets = RowsView(RowsModel(self._target_columns(), self))
        self._targets.setAccessibleName(self.tr("Targets"))
        self._districts = RowsView(RowsModel(self._district_columns(()), self))
        self._districts.setAccessibleName(self.tr("Districts"))
        self._save = QPushButton(self.tr("&Save the districts…"))
        self._save.clicked.connect(self._save_table)
        self._open = QPushButton(self.tr("&Read a table of rates…"))
        self._open.setToolTip(self.tr("Takes rate.csv of the tool Conservation rate instead of the zoning"))
        self._open.clicked.connect(self._choose_table)
        self._back = QPushButton(self.tr("&Back to the zoning"))
        self._back.clicked.connect(self._begin)
        column = QVBoxLayout(self)
        for widget in (self._headline, self._bar, self._formula, self._notes):
            column.addWidget(widget)
        column.addWidget(self._targets, 1)
        column.addWidget(QLabel(self.tr("By district")))
        column.addWidget(self._districts, 2)
        buttons = QHBoxLayout()
        for button in (self._save, self._open, self._back):
            buttons.addWidget(button)
        buttons.addStretch(1)
        column.addLayout(buttons)

    def _target_columns(self) -> list[Column]:
        return [
            Column(self.tr("Year"), "year"),
            Column(self.tr("Required"), "required"),
            Column(self.tr("Met"), "met"),
            Column(self.tr("Allowed (ha)"), "allowed", 2),
            Column(self.tr("Eroded now (ha)"), "eroded", 2),
            Column(self.tr("To be cured (ha)"), "excess", 2),
            Column(self.tr("Document"), "document"),
        ]

    def _district_columns(self, chosen: tuple[Target, ...]) -> list[Column]:
        names = {tier.id: getattr(tier, f"name_{language()}") for tier in roles.find("soil_erosion").tiers}
        eroded = [
            Column(self.tr("{tier} (ha)").format(tier=names[tier]), _of_tier(tier), 2)
            for tier in names
            if tier != "slight"
        ]
        judged = [
            Column(self.tr("{year}: to be cured (ha)").format(year=target.year), _excess(target), 2)
            for target in chosen
        ]
        return [
            Column(self.tr("District"), lambda row: f"{row['rate'].code} {row['rate'].name}".strip()),
            Column(self.tr("Rate (%)"), lambda row: row["rate"].percent, 4),
            Column(self.tr("Land (ha)"), lambda row: row["rate"].land_m2 / _HECTARE, 2),
            Column(self.tr("Sea (ha)"), lambda row: row["rate"].sea_m2 / _HECTARE, 2),
            Column(self.tr("Eroded (ha)"), lambda row: row["rate"].eroded_m2 / _HECTARE, 2),
            *eroded,
            Column(self.tr("Unknown intensity (ha)"), lambda row: row["rate"].unknown_m2 / _HECTARE, 2),
            *judged,
        ]

    # --- showing -----------------------------------------------------------------------------------

    def _begin(self) -> None:
        """Show the rate of the zoning, whatever table was shown before."""
        self._table = None
        self._read()

    def _read(self) -> None:
        self._report = None
        self._show()
        result, table = self.desk.session.result, self._table
        if result is not None:
            self.desk.runner.work(
                lambda: _report(result.folder, table), lambda report: self._take(result, table, report)
            )

    def _take(self, result: Result, table: Path | None, report: Any) -> None:
        if result is not self.desk.session.result or table != self._table:
            return
        if isinstance(report, Exception):
            self.desk.say_error(report)
            if table is not None:
                self._begin()
            return
        self._report = report
        self._show()

    def _show(self) -> None:
        report = self._report or Report(None, (), (), ())
        self._headline.setText(self._said_of(report))
        self._formula.setText(targets.formula(language()) if self._report else "")
        self._notes.setText("\n".join(finding.sentence(language()) for finding in report.findings))
        self._notes.setVisible(bool(report.findings))
        self._bar.show_rate(report.city, report.targets)
        rows = [] if report.city is None else [self._target_row(report.city, one) for one in report.targets]
        self._targets.rows_model.set_rows(rows)
        districts = [{"rate": rate} for rate in report.districts]
        if report.city is not None:
            total = Rate(self.tr("Total"), "", *_areas(report.city))
            districts.append({"rate": total, "bold": True})
        self._districts.rows_model.set_rows(districts, self._district_columns(report.targets))
        allow(self._open, "" if self.desk.session.result else self.tr("There is no result yet"))
        allow(self._back, "" if self._table else self.tr("The rate shown is that of the zoning"))
        allow(self._save, "" if districts else self.tr("There is no rate yet"))
        self.state_changed.emit()

    def _said_of(self, report: Report) -> str:
        if self.desk.session.result is None:
            return self.tr("There is no result yet")
        if report.city is None:
            return self.tr("Not provided") if self._report else ""
        said = self.tr("Soil and water conservation rate {rate}").format(rate=_percent(report.city.percent))
        if report.city.unknown_m2 > 0:
            lowest = _percent(report.city.lowest_percent)
            said += self.tr(" (at least {lowest})").format(lowest=lowest)
        return said

    def _target_row(self, city: Rate, target: Target) -> dict[str, Any]:
        document = target.row[f"document_{language()}"]
        year = self.tr("{year} (baseline)") if target.baseline else "{year}"
        return {
            "year": year.format(year=target.year),
            "required": f"> {target.above_percent:.2f} %",
            "met": self._met(city.meets(target)),
            "allowed": target.allowed_m2(city.land_m2) / _HECTARE,
            "eroded": city.eroded_m2 / _HECTARE,
            "excess": max(0.0, city.excess_m2(target)) / _HECTARE,
            "document": f"{document} {target.row['article']}",
        }

    def _met(self, met: bool | None) -> str:
        if met is None:
            return self.tr("? depends on unknown tiers")
        return self.tr("✓ met") if met else self.tr("✕ not met")

    def _choose_table(self) -> None:
        start = str(self.desk.session.result.folder / "rate.csv")
        chosen, _ = QFileDialog.getOpenFileName(self, self.tr("Read a table of rates"), start, "CSV (*.csv)")
        if chosen:
            self._table = Path(chosen)
            self._read()

    def _save_table(self) -> None:
        start = str(self.desk.session.result.folder / "conservation_rate.csv")
        chosen, _ = QFileDialog.getSaveFileName(self, self.tr("Save the table"), start, "CSV (*.csv)")
        if not chosen:
            return
        try:
            write_csv(self._districts.rows_model, Path(chosen))
        except OSError as error:
            self.desk.say_error(error)


class RateBar(QWidget):
    """A bar from a little below the lowest figure to 100 %, with a mark for every target."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._rate: float | None = None
        self._marks: tuple[float, ...] = ()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.hide()

    def show_rate(self, city: Rate | None, chosen: tuple[Target, ...]) -> None:
        """Show a rate and its targets; nothing where there is none."""
        self._rate = None if city is None else city.percent
        self._marks = tuple(target.above_percent for target in chosen)
        self.setVisible(self._rate is not None)
        self.update()

    def sizeHint(self) -> QSize:  # noqa: N802 (Qt's own name)
        """Return two lines of text."""
        return QSize(200, self.fontMetrics().height() * 3)

    def paintEvent(self, event: Any) -> None:  # noqa: N802
        """Draw the bar in the colours of the palette; figures are written, not only drawn."""
        if self._rate is None:
            return
        line = self.fontMetrics().height()
        low = min(self._rate, *self._marks) if self._marks else self._rate
        low = max(0.0, low - (100.0 - low) * 0.3 - 0.1)
        painter = QPainter(self)
        bar = QRectF(0, line * 1.2, self.width() - 1, line * 0.8)
        painter.fillRect(bar, self.palette().brush(QPalette.ColorRole.AlternateBase))
        done = QRectF(bar.left(), bar.top(), self._x(self._rate, low), bar.height())
        painter.fillRect(done, self.palette().brush(QPalette.ColorRole.Highlight))
        painter.setPen(QPen(self.palette().color(QPalette.ColorRole.WindowText)))
        painter.drawRect(bar)
        for number, mark in enumerate(self._marks):
            place = self._x(mark, low)
            painter.drawLine(
                QPointF(place, bar.top() - line * 0.2), QPointF(place, bar.bottom() + line * 0.2)
            )
            above = number % 2 == 0
            top = 0 if above else bar.bottom() + line * 0.1
            text = f"{mark:.2f} %"
            width = self.fontMetrics().horizontalAdvance(text)
            left = min(max(0.0, place - width / 2), self.width() - width)
            painter.drawText(QRectF(left, top, width + 2, line), int(Qt.AlignmentFlag.AlignLeft), text)

    def _x(self, percent: float, low: float) -> float:
        return (self.width() - 1) * (percent - low) / (100.0 - low) if low < 100.0 else 0.0


def _report(folder: Path, table: Path | None) -> Report:
    """Return the rates of a result, or of a table against the targets of its region."""
    return targets.report_of_table(table, targets.profile_of(folder)) if table else targets.report(folder)


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f} %"


def _of_tier(tier: str) -> Any:
    return lambda row: row["rate"].eroded_by_tier.get(tier, 0.0) / _HECTARE


def _excess(target: Target) -> Any:
    return lambda row: max(0.0, row["rate"].excess_m2(target)) / _HECTARE


def _areas(rate: Rate) -> tuple[Any, ...]:
    return rate.land_m2, rate.sea_m2, rate.eroded_by_tier, rate.unknown_m2
