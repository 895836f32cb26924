# SPDX-License-Identifier: GPL-2.0-or-later
"""The page that asks what another decision table would make of the result: areas, reasons, map."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from qgis.core import Qgis
from qgis.PyQt.QtCore import Qt
from qgis.PyQt.QtWidgets import (
    QComboBox,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QMessageBox,
    QPushButton,
    QTabWidget,
    QTextBrowser,
    QVBoxLayout,
    QWidget,
)

from swc_zoning.engine import redecide, rule_words, rules, styles
from swc_zoning.engine.messages import Blocked, SwcError
from swc_zoning.engine.redecide import Ground, Preview
from swc_zoning.gui.desk import Desk
from swc_zoning.gui.map_preview import MapPreview, restore
from swc_zoning.gui.page import Level, Page, State, allow
from swc_zoning.gui.tables import Column, RowsModel, RowsView
from swc_zoning.qgis_bridge.i18n import language

_HECTARE = 1e4
#: Characters of a column that are seen at least.
_LONGEST_NAME = 28


@dataclass(frozen=True)
class _Found:
    """What the page shows, made in a worker. `gains`: by district, None for all of them."""

    preview: Preview
    gains: Mapping[str | None, list[dict[str, Any]]]
    combinations: list[dict[str, Any]]
    changes: list[dict[str, Any]]
    qml: str


class WhatIfPage(Page):
    """Shows what the edited table, or another one, would make of the current result."""

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(desk, parent)
        self._ground: Ground | None = None
        self._found: _Found | None = None
        self._wrong = ""
        self._other: dict[str, Any] | None = None
        self._asked = 0
        #: Whether the user wants the map to follow the table.
        self._following = False
        self._map = MapPreview(desk.session.project)
        self._note: Any = None
        self._build()
        desk.iface.messageBar().widgetRemoved.connect(self._forget_note)
        session = desk.session
        for signal in (session.project.layersAdded, session.project.layersRemoved):
            signal.connect(self._notice_layers)
        session.result_changed.connect(self._read)
        session.rules_changed.connect(self._decide)
        session.job_changed.connect(self._decide)
        self._read()

    def title(self) -> str:
        """Return the name of the page."""
        return self.tr("What-if")

    def state(self) -> State:
        """Return whether the table would change the result."""
        if self.desk.session.result is None:
            return State(Level.BLOCKED, self.tr("Zone the city first"))
        if self._wrong:
            return State(Level.PROBLEM, self._wrong)
        if self._found is None:
            return State(Level.OPEN, self.tr("Being read"))
        if self._map.is_shown:
            return State(Level.OPEN, self.tr("Preview on the map, not adopted"))
        if not self._found.combinations:
            return State(Level.OFFERED, self.tr("The table changes nothing in this result"))
        return State(Level.OPEN, self._headline_words())

    def activate(self) -> None:
        """Have the map follow the table from now on."""
        self._following = True
        self._follow()
        self._show_buttons()

    def unload(self) -> None:
        """Restore the map."""
        self.drop()
        self.desk.iface.messageBar().widgetRemoved.disconnect(self._forget_note)
        project = self.desk.session.project
        for signal in (project.layersAdded, project.layersRemoved):
            signal.disconnect(self._notice_layers)

    # --- building ----------------------------------------------------------------------------------

    def _build(self) -> None:
        self._tables = QComboBox()
        self._tables.setAccessibleName(self.tr("Decision table"))
        self._tables.addItems([self.tr("Table of this project"), self.tr("Another table")])
        self._tables.model().item(1).setEnabled(False)
        self._tables.currentIndexChanged.connect(self._decide)
        another = QPushButton(self.tr("&Open another table…"))
        another.clicked.connect(self._choose_table)
        self._banner, self._headline = QLabel(), QLabel()
        for label in (self._banner, self._headline):
            label.setWordWrap(True)
        font = self._banner.font()
        font.setBold(True)
        self._banner.setFont(font)
        self._banner.setText(self._banner_words())
        self._banner.hide()
        column = QVBoxLayout(self)
        row = QHBoxLayout()
        row.addWidget(QLabel(self.tr("Decision table")))
        row.addWidget(self._tables, 1)
        row.addWidget(another)
        column.addLayout(row)
        for widget in (self._banner, self._headline, self._build_tabs()):
            column.addWidget(widget)
        column.addLayout(self._build_buttons())

    def _build_tabs(self) -> QTabWidget:
        self._tabs = QTabWidget()
        self._zones = self._view(self._zone_columns(), self.tr("Zones"))
        self._districts = self._view([], self.tr("Districts"))
        self._changes = self._view(self._change_columns(), self.tr("Changes"))
        self._combinations = self._view(self._combination_columns(), self.tr("Combinations"))
        self._reasons = QTextBrowser()
        self._reasons.setAccessibleName(self.tr("Rules and measures won and lost"))
        self._reasons.setPlaceholderText(self.tr("Choose a combination to read why it changes."))
        self._combinations.selectionModel().selectionChanged.connect(self._explain)
        self._district = QComboBox()
        self._district.setAccessibleName(self.tr("District"))
        self._district.currentIndexChanged.connect(self._show_zones)
        self._tabs.addTab(_stacked(self._district, self._zones), self.tr("By zone"))
        self._tabs.addTab(self._districts, self.tr("By district"))
        self._tabs.addTab(self._changes, self.tr("From zone to zone"))
        self._tabs.addTab(_stacked(self._combinations, self._reasons), self.tr("Combinations"))
        return self._tabs

    def _view(self, columns: list[Column], name: str) -> RowsView:
        view = RowsView(RowsModel(columns, self))
        view.setAccessibleName(name)
        header = view.horizontalHeader()
        # Long names are cut in the middle, as their ends tell them apart; tooltips have all of them.
        view.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        header.setMaximumSectionSize(view.fontMetrics().averageCharWidth() * _LONGEST_NAME)
        header.setTextElideMode(Qt.TextElideMode.ElideRight)
        return view

    def _build_buttons(self) -> QHBoxLayout:
        self._show_button = QPushButton(self.tr("&Show on the map"))
        self._show_button.clicked.connect(self.show_on_map)
        self._adopt_button = QPushButton(self.tr("&Adopt"))
        self._adopt_button.clicked.connect(self.adopt)
        self._drop_button = QPushButton(self.tr("&Drop preview"))
        self._drop_button.clicked.connect(self.drop)
        row = QHBoxLayout()
        for button in (self._show_button, self._adopt_button, self._drop_button):
            row.addWidget(button)
        return row

    def _zone_columns(self) -> list[Column]:
        return [
            Column(self.tr("Zone"), "name"),
            Column(self.tr("Lost (ha)"), _hectares("lost_m2", -1), 2, signed=True),
            Column(self.tr("Gained (ha)"), _hectares("gained_m2"), 2, signed=True),
            Column(self.tr("Balance (ha)"), _balance, 2, signed=True),
            Column(self.tr("Now (ha)"), _hectares("before_m2"), 2),
            Column(self.tr("Then (ha)"), _hectares("after_m2"), 2),
        ]

    def _change_columns(self) -> list[Column]:
        return [
            Column(self.tr("From"), "before"),
            Column(self.tr("To"), "after"),
            Column(self.tr("Area (ha)"), _hectares("area_m2"), 2),
            Column(self.tr("Pieces"), "pieces", 0),
            Column(self.tr("Districts (ha)"), "where"),
        ]

    def _combination_columns(self) -> list[Column]:
        def joined(kind: str) -> Callable[[Mapping[str, Any]], str]:
            return lambda row: ", ".join(row[kind])

        return [
            Column(self.tr("What covers it"), "words"),
            Column(self.tr("Area (ha)"), _hectares("area_m2"), 2),
            Column(self.tr("From"), "before"),
            Column(self.tr("To"), "after"),
            Column(self.tr("Rules won"), joined("rules_won")),
            Column(self.tr("Rules lost"), joined("rules_lost")),
            Column(self.tr("Measures won"), joined("measures_won")),
            Column(self.tr("Measures lost"), joined("measures_lost")),
        ]

    # --- reading and deciding ----------------------------------------------------------------------

    def _read(self) -> None:
        self.drop()
        self._ground = self._found = None
        self._asked += 1
        result = self.desk.session.result
        if result is not None:
            layer = self.desk.result_layer("pieces")
            if layer is not None:
                restore(self.desk.session.project, layer)
            self._work(lambda: redecide.read(result.folder), self._take_ground)
        self._show()

    def _take_ground(self, ground: Ground) -> None:
        self._ground = ground
        whole = [(self.tr("All districts"), None)]
        names = [(f"{row['district_code']} {row['district_name']}".strip(), row) for row in ground.districts]
        self._district.blockSignals(True)
        self._district.clear()
        for name, row in whole + (names if len(names) > 1 else []):
            self._district.addItem(name, None if row is None else row["district_code"])
        self._district.blockSignals(False)
        self._decide()

    def _decide(self) -> None:
        """Ask the table anew, in a worker; an answer that another question overtook is not taken."""
        self._asked += 1
        ground, document, lang = self._ground, self._document(), language()
        if ground is None:
            return
        plan_date, words = self.desk.session.plan_date, self._legend_words()

        def decide() -> _Found:
            return _find(redecide.preview(ground, rules.load(document, plan_date)), lang, words)

        self._work(decide, self._take_found)

    def _take_found(self, found: _Found) -> None:
        self._found = found
        self._follow()
        self._show()

    def _work(self, function: Callable[[], Any], take: Callable[[Any], None]) -> None:
        asked = self._asked

        def over(outcome: Any) -> None:
            if asked != self._asked:
                return
            self._wrong = ""
            if isinstance(outcome, Exception):
                self._fail(outcome)
            else:
                take(outcome)

        self.desk.runner.work(function, over)

    def _fail(self, error: Exception) -> None:
        self._found = None
        self._take_off()
        if isinstance(error, Blocked):
            self._wrong = self.tr("The decision table has errors: see the page of rules")
        else:
            self._wrong = error.sentence(language()) if isinstance(error, SwcError) else str(error)
        self._show()

    def _document(self) -> Mapping[str, Any] | None:
        return self._other if self._tables.currentIndex() == 1 else self.desk.session.rules

    def _choose_table(self) -> None:
        chosen, _ = QFileDialog.getOpenFileName(
            self, self.tr("Open another decision table"), "", self.tr("Decision tables (*.json)")
        )
        if chosen:
            self.open_table(Path(chosen))

    def open_table(self, path: Path) -> None:
        """Ask what the table of a file would make of the result."""
        plan_date = self.desk.session.plan_date

        def over(outcome: Any) -> None:
            if isinstance(outcome, Exception):
                self.desk.say_error(outcome)
                return
            self._other = dict(outcome.document)
            self._tables.setItemText(1, path.name)
            self._tables.model().item(1).setEnabled(True)
            if self._tables.currentIndex() == 1:
                self._decide()
            self._tables.setCurrentIndex(1)

        self.desk.runner.work(lambda: rules.load(path, plan_date), over)

    # --- showing -----------------------------------------------------------------------------------

    def _show(self) -> None:
        found = self._found
        self._headline.setText(self._headline_words())
        self._changes.rows_model.set_rows([] if found is None else found.changes)
        self._combinations.rows_model.set_rows([] if found is None else found.combinations)
        self._reasons.clear()
        self._show_zones()
        self._show_districts()
        self._show_buttons()
        self.state_changed.emit()

    def _show_buttons(self) -> None:
        shown = self._map.is_shown
        self._banner.setVisible(shown)
        nothing = self._why_nothing()
        done = self.tr("The preview is on the map") if shown else ""
        reason = nothing or self._why_no_map() or done
        allow(self._show_button, reason, self.tr("Colour the map as it would be"))
        allow(self._adopt_button, nothing, self.tr("Take this table for the next run of the zoning"))
        not_shown = "" if shown else self.tr("There is no preview on the map")
        allow(self._drop_button, not_shown, self.tr("Give the map its colours back"))

    def _why_nothing(self) -> str:
        if self.desk.session.result is None:
            return self.tr("Zone the city first")
        if self._wrong or self._found is None:
            return self._wrong or self.tr("Being read")
        return "" if self._found.combinations else self.tr("The table changes nothing in this result")

    def _why_no_map(self) -> str:
        loaded = self.desk.result_layer("pieces") is not None
        return "" if loaded else self.tr("The pieces of the result are not in the layer tree")

    def _headline_words(self) -> str:
        if self._found is None:
            return self._why_nothing()
        moved = sum(row["area_m2"] for row in self._found.changes) / _HECTARE
        said = self.tr("{area} ha would change zone or status; {count} combinations would change")
        return said.format(area=f"{moved:,.2f}", count=len(self._found.combinations))

    def _show_zones(self) -> None:
        if self._found is None:
            self._zones.rows_model.set_rows([])
            return
        gains = self._found.gains[self._district.currentData()]
        rows = [{**row, "name": self._title_of(row)} for row in gains]
        total = {key: sum(row[key] for row in gains) for key in _HECTARES}
        self._zones.rows_model.set_rows([*rows, {**total, "name": self.tr("Total"), "bold": True}])

    def _show_districts(self) -> None:
        """Show the balance of every zone in every district; rows and columns come to what they should."""
        if self._found is None:
            self._districts.rows_model.set_rows([], [])
            return
        preview = self._found.preview
        moved = [row for row in self._found.gains[None] if row["lost_m2"] or row["gained_m2"]]
        keys = {(row["zone"], row["status"]): self._title_of(row) for row in moved}
        balances = [Column(title, _of_key(key), 2, signed=True) for key, title in keys.items()]
        rows = [
            self._district_row(row["district_code"], row["district_name"]) for row in preview.ground.districts
        ]
        total = {**self._district_row(None, ""), "name": self.tr("Total"), "bold": True}
        columns = [
            Column(self.tr("District"), "name"),
            Column(self.tr("Changed (ha)"), _hectares("lost_m2"), 2),
            *balances,
            Column(self.tr("Balance (ha)"), "balance", 2, signed=True),
        ]
        self._districts.rows_model.set_rows([*rows, total], columns)

    def _district_row(self, code: str | None, name: str) -> dict[str, Any]:
        gains = self._found.gains[code]
        balances = {(row["zone"], row["status"]): _balance(row) for row in gains}
        cents = sum(round(row["gained_m2"] * 100) - round(row["lost_m2"] * 100) for row in gains)
        return {
            "name": f"{code} {name}".strip(),
            "lost_m2": sum(row["lost_m2"] for row in gains),
            "balance": cents / 100 / _HECTARE,
            "balances": balances,
        }

    def _title_of(self, row: Mapping[str, Any]) -> str:
        return _zone_name(row[f"name_{language()}"], row["status"], self._statuses())

    def _explain(self) -> None:
        """Show the words and articles of what the selected combination won and lost."""
        rows = self._combinations.selected_rows()
        self._reasons.setHtml("" if not rows or self._found is None else self._reasons_of(rows[0]))

    def _reasons_of(self, row: Mapping[str, Any]) -> str:
        titles = {
            "rules_won": self.tr("Rules won"),
            "rules_lost": self.tr("Rules lost"),
            "measures_won": self.tr("Measures won"),
            "measures_lost": self.tr("Measures lost"),
        }
        parts = [f"<p>{escape(row['words'])}<br/>{escape(row['before'])} → {escape(row['after'])}</p>"]
        for key, title in titles.items():
            items = "".join(f"<li>{escape(self._said_of(one))}</li>" for one in row[key])
            parts.append(f"<p><b>{escape(title)}</b></p><ul>{items}</ul>" if items else "")
        if not any(row[key] for key in titles):
            same = self.tr("The same rules and measures hold; another zone comes first.")
            parts.append(f"<p>{escape(same)}</p>")
        return "".join(parts)

    def _said_of(self, name: str) -> str:
        """Return a rule or measure in words, with its articles; one the table no longer has is only named."""
        table = self._found.preview.table
        row = table.measures.get(name) or table.rules.get(name)
        if row is None:
            return name
        words = row.get(f"text_{language()}") or ""
        return " · ".join(part for part in (name, words, "; ".join(table.basis(row))) if part)

    def _statuses(self) -> dict[str, str]:
        return {"confirmed": self.tr("confirmed"), "pending": self.tr("pending")}

    def _legend_words(self) -> dict[str, str]:
        return {**self._statuses(), "changed": self.tr("changed")}

    def _banner_words(self) -> str:
        return self.tr("⚠ Preview, not adopted: the map shows what this table would make of the result.")

    # --- the map -----------------------------------------------------------------------------------

    def _follow(self) -> None:
        """Show what was found on the map, or take off what no longer holds, where the user wants it."""
        if not self._following or self._found is None:
            return
        if self._found.combinations and not self._why_no_map():
            self.show_on_map()
        else:
            self._take_off()

    def _notice_layers(self) -> None:
        if self._note is not None and not self._map.is_shown:
            self._take_off()
        self._show_buttons()

    def show_on_map(self) -> None:
        """Colour the pieces as the table would have them, marked as a preview."""
        layer = self.desk.result_layer("pieces")
        if layer is None or self._found is None:
            return
        self._following = True
        suffix = self.tr(" (preview)")
        self._map.show(layer, self.desk.result_layer("zones"), self._found.qml, suffix)
        if self._note is None:
            bar = self.desk.iface.messageBar()
            words = self.tr("zones as another decision table has them, not adopted")
            self._note = bar.createMessage(self.tr("Preview"), words)
            bar.pushWidget(self._note, Qgis.MessageLevel.Warning)
        self._show_buttons()
        self.state_changed.emit()

    def drop(self) -> None:
        """Give the map its colours back, and let it follow the table no longer."""
        self._following = False
        self._take_off()

    def _take_off(self) -> None:
        self._map.drop()
        if self._note is not None:
            self.desk.iface.messageBar().popWidget(self._note)
            self._note = None
        self._show_buttons()
        self.state_changed.emit()

    def _forget_note(self, item: Any) -> None:
        if item is self._note:
            self._note = None

    def adopt(self) -> None:
        """Take the table for the next run; the result on the map is of the earlier table."""
        session, document = self.desk.session, self._document()
        if self._tables.currentIndex() == 1 and not self._sure_to_replace():
            return
        self.drop()
        self._tables.setCurrentIndex(0)
        if document != session.rules or not session.is_outdated():
            session.set_rules(document)
        self.desk.say(
            Qgis.MessageLevel.Info,
            self.tr("The table is adopted. The result is still that of the earlier one: run the zoning."),
        )

    def _sure_to_replace(self) -> bool:
        """Ask before the edited table of the project is replaced by another one."""
        if self.desk.session.rules is None:
            return True
        asked = self.tr("Replace the edited table of this project by “{name}”?")
        answer = QMessageBox.question(
            self, self.tr("Adopt a table"), asked.format(name=self._tables.currentText())
        )
        return answer == QMessageBox.StandardButton.Yes


_HECTARES = ("before_m2", "lost_m2", "gained_m2", "after_m2")


def _find(preview: Preview, lang: str, words: Mapping[str, str]) -> _Found:
    """Return what a page shows of a preview; touches no window."""
    combinations = [
        {**row, "words": _covering(row["members"], lang), **_ends(preview, row, lang, words)}
        for row in preview.combinations()
    ]
    changes = [
        {**row, "where": _where(row["districts"]), **_ends(preview, row, lang, words)}
        for row in preview.changes()
    ]
    codes = (None, *(row["district_code"] for row in preview.ground.districts))
    gains = {code: preview.gains(code) for code in codes}
    names = {zone: preview.names(zone)[f"name_{lang}"] for zone in preview.table.zones}
    qml = styles.preview_qml(names, _shades(preview, names, words))
    return _Found(preview, gains, combinations, changes, qml)


def _shades(preview: Preview, names: Mapping[str, str], words: Mapping[str, str]) -> list[styles.Shade]:
    """Return the label combinations by zone, status and whether they changed, zones in rank order."""
    moved = {part.members for part in preview.moved}
    groups: dict[tuple[str, str, bool], list[str]] = {}
    for members, (zone, status) in preview.zone_of.items():
        groups.setdefault((zone, status, members in moved), []).append(members)
    rank = list(names)
    shades = []
    for zone, status, changed in sorted(groups, key=lambda key: (rank.index(key[0]), key[1:])):
        label = _zone_name(names[zone], status, words) + (f" · {words['changed']}" if changed else "")
        members = groups[zone, status, changed]
        shades.append(styles.Shade(zone, status == "pending", changed, label, members))
    return shades


def _ends(preview: Preview, row: Mapping[str, Any], lang: str, words: Mapping[str, str]) -> dict[str, str]:
    ends = {"before": ("from_zone", "from_status"), "after": ("zone", "status")}
    return {
        key: _zone_name(preview.names(row[zone])[f"name_{lang}"], row[status], words)
        for key, (zone, status) in ends.items()
    }


def _zone_name(name: str, status: str, words: Mapping[str, str]) -> str:
    return name if status == "confirmed" else f"{name} ({words.get(status, status)})"


def _covering(members: Mapping[str, list[str]], lang: str) -> str:
    """Return a label combination in words."""
    said = []
    for role, tiers in members.items():
        names = [rule_words.tier_name(role, tier, lang) for tier in tiers if tier]
        said.append(rule_words.role_name(role, lang) + (f" ({', '.join(names)})" if names else ""))
    return "; ".join(said)


def _where(districts: list[dict[str, Any]]) -> str:
    rows = sorted(districts, key=lambda row: -row["area_m2"])
    return "; ".join(f"{row['district_name']} {row['area_m2'] / _HECTARE:,.2f}".strip() for row in rows)


def _hectares(key: str, sign: int = 1) -> Callable[[Mapping[str, Any]], float]:
    # A loss of nothing is 0, not -0.
    return lambda row: sign * row[key] / _HECTARE + 0.0


def _balance(row: Mapping[str, Any]) -> float:
    return (round(row["gained_m2"] * 100) - round(row["lost_m2"] * 100)) / 100 / _HECTARE


def _of_key(key: tuple[str, str]) -> Callable[[Mapping[str, Any]], float]:
    return lambda row: row["balances"].get(key, 0.0)


def _stacked(*widgets: QWidget) -> QWidget:
    whole = QWidget()
    column = QVBoxLayout(whole)
    for widget in widgets:
        column.addWidget(widget)
    return whole
