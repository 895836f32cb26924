# SPDX-License-Identifier: GPL-2.0-or-later
"""The test bench of the decision table: a combination of roles and tiers, and what the table says of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any

from qgis.PyQt.QtCore import Qt
from qgis.PyQt.QtWidgets import (
    QGroupBox,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QSplitter,
    QTextBrowser,
    QVBoxLayout,
    QWidget,
)

from swc_zoning.engine import roles, rule_words, rules
from swc_zoning.engine.rules import RuleTable
from swc_zoning.gui.rule_editors import RoleTree
from swc_zoning.qgis_bridge.i18n import language

Row = Mapping[str, Any]


class RuleBench(QGroupBox):
    """Asks the table of the editor at once, whatever is ticked."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setTitle(self.tr("Test bench"))
        self._table: RuleTable | None = None
        self.tree, self.answer, self._search = RoleTree(), QTextBrowser(), QLineEdit()
        self._search.setPlaceholderText(self.tr("Search roles"))
        self._search.setClearButtonEnabled(True)
        self._clear = QPushButton(self.tr("C&lear"))
        self._clear.setToolTip(self.tr("Untick every role"))
        self.tree.setToolTip(self.tr("Tick what covers a piece of land; a role alone is of an unknown tier"))
        self.answer.setAccessibleName(self.tr("What the table says"))
        self._build()
        self._search.textChanged.connect(self.tree.narrow)
        self._clear.clicked.connect(self.clear)
        self.tree.touched.connect(self.ask)

    def _build(self) -> None:
        head = QHBoxLayout()
        head.addWidget(self._search, 1)
        head.addWidget(self._clear)
        left = QWidget()
        column = QVBoxLayout(left)
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(head)
        column.addWidget(self.tree, 1)
        split = QSplitter(Qt.Orientation.Horizontal)
        split.addWidget(left)
        split.addWidget(self.answer)
        split.setStretchFactor(1, 1)
        split.setChildrenCollapsible(False)
        whole = QVBoxLayout(self)
        whole.addWidget(split)

    def set_table(self, table: RuleTable | None) -> None:
        """Ask this table from now on; None where the edited one has errors."""
        self._table = table
        self.ask()

    def clear(self) -> None:
        """Untick everything."""
        self.tree.set_conditions([])
        self.ask()

    def membership(self) -> dict[str, list[str | None]]:
        """Return what is ticked as `rules.decide` takes it."""
        return {one["role"]: _tiers(one) for one in self.tree.conditions()}

    def ask(self, *_: object) -> None:
        """Show what the table says of what is ticked."""
        if self._table is None:
            words = self.tr("The table has errors: mend them first, then it can be asked.")
            self.answer.setHtml(f"<p>{escape(words)}</p>")
            return
        decision = rules.decide(self._table, self.membership())
        self.answer.setHtml("".join(self._told(self._table, decision)))

    def _told(self, table: RuleTable, decision: Row) -> Iterator[str]:
        zone = table.zones[decision["zone"]]
        yield f"<h3>{escape(zone[f'name_{language()}'])} <small>{escape(zone['code'])}</small></h3>"
        yield f"<p>{escape(self._status(decision))}</p>"
        yield from self._measures(table, decision["measures"])
        yield from _section(self.tr("Conflicts"), self._conflicts(table, decision["conflicts"]))
        yield from _section(self.tr("Articles"), decision["basis"])
        yield from _section(self.tr("Rules that hold"), self._rules(table, decision))

    def _status(self, decision: Row) -> str:
        status = (
            self.tr("confirmed")
            if decision["status"] == "confirmed"
            else self.tr("pending: a tier is unknown")
        )
        force = rule_words.write_word("force", decision["force"], language())
        return self.tr("{status}; {force}; control standard of grade {grade}").format(
            status=status, force=force, grade=decision["grade"]
        )

    def _measures(self, table: RuleTable, ids: Sequence[str]) -> Iterator[str]:
        by_department: dict[str, list[str]] = defaultdict(list)
        for one in ids:
            measure = table.measures[one]
            english = measure.get("department_en", measure["department"])
            department = measure["department"] if language() == "zh" else english
            kind = rule_words.write_word("kind", measure["kind"], language())
            by_department[department].append(f"{one} [{kind}] {measure[f'text_{language()}']}")
        yield from _section(self.tr("Measures"), [] if by_department else [self.tr("none")])
        for department, lines in by_department.items():
            yield from _section(department, lines, "h5")

    def _conflicts(self, table: RuleTable, ids: Sequence[str]) -> list[str]:
        lines = []
        for one in ids:
            row = table.conflicts[one]
            rule = (
                row["settling_rule"]
                if language() == "zh"
                else row.get("settling_rule_en", row["settling_rule"])
            )
            severity = rule_words.write_word("severity", row["severity"], language())
            lines.append(f"{one} [{severity}] {row[f'name_{language()}']}: {rule}")
        return lines or [self.tr("none")]

    def _rules(self, table: RuleTable, decision: Row) -> list[str]:
        lines = []
        for one in decision["rules"]:
            deciding = self.tr("decides the zone") if one in decision["decisive"] else ""
            basis = ", ".join(table.basis(table.rules[one]))
            lines.append(" - ".join(part for part in (one, deciding, basis) if part))
        return lines


def _tiers(condition: Row) -> list[str | None]:
    if condition["tiers"]:
        return list(condition["tiers"])
    role = roles.find(condition["role"])
    return [roles.UNKNOWN] if role and role.tiers else [None]


def _section(title: str, lines: Sequence[str], level: str = "h4") -> Iterator[str]:
    yield f"<{level} style='margin-bottom:0'>{escape(title)}</{level}>"
    if lines:
        yield "<ul style='margin-top:0'>" + "".join(f"<li>{escape(line)}</li>" for line in lines) + "</ul>"
