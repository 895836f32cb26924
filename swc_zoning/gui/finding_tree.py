# SPDX-License-Identifier: GPL-2.0-or-later
"""Findings as a tree: severity, layer, finding; filtered by words and by severity."""

from __future__ import annotations

import html
import json
from collections.abc import Mapping, Sequence
from typing import Any

from qgis.PyQt.QtCore import Qt, pyqtSignal
from qgis.PyQt.QtWidgets import QTreeWidget, QTreeWidgetItem, QWidget

from swc_zoning.engine.messages import SEVERITIES, catalogue
from swc_zoning.gui.marks import mark
from swc_zoning.gui.page import Level
from swc_zoning.qgis_bridge.i18n import language

LEVELS = {"error": Level.PROBLEM, "warning": Level.OPEN, "info": Level.OFFERED}
#: More warnings or notes than this are folded.
_MANY = 12
_NUMBER = Qt.ItemDataRole.UserRole

Findings = Sequence[Mapping[str, Any]]


class FindingTree(QTreeWidget):
    """Shows findings; `chosen` gives the number of the finding that is looked at, -1 for none."""

    chosen = pyqtSignal(int)
    asked = pyqtSignal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setHeaderHidden(True)
        self.setUniformRowHeights(True)
        self.setAccessibleName(self.tr("Findings"))
        self.setToolTip(self.tr("Double-click or Enter shows the place on the map"))
        self.currentItemChanged.connect(lambda item, _: self.chosen.emit(number_of(item)))
        self.itemActivated.connect(lambda item, _: self.asked.emit(number_of(item)))

    def show_findings(self, findings: Findings, severities: set[str], words: str) -> None:
        """Show what has one of `severities` and all of `words`; the finding in hand stays in hand."""
        kept = number_of(self.currentItem())
        self.clear()
        wanted = words.casefold().split()
        names = {
            "error": self.tr("Errors"),
            "warning": self.tr("Warnings"),
            "info": self.tr("Notes"),
        }
        for severity in SEVERITIES:
            shown = [
                (number, one)
                for number, one in enumerate(findings)
                if one["severity"] == severity and severity in severities and _has(one, wanted)
            ]
            if shown:
                self._add(severity, f"{names[severity]} ({len(shown)})", shown, bool(wanted))
        self.select(kept)

    def select(self, number: int) -> None:
        """Take the finding with this number in hand, where it is shown."""
        if number < 0:
            return
        items = self.findItems("", Qt.MatchFlag.MatchContains | Qt.MatchFlag.MatchRecursive)
        item = next((one for one in items if number_of(one) == number), None)
        if item is not None:
            self.setCurrentItem(item)

    def numbers(self) -> list[int]:
        """Return the numbers of the findings shown, in their order."""
        items = self.findItems("", Qt.MatchFlag.MatchContains | Qt.MatchFlag.MatchRecursive)
        return [number for number in map(number_of, items) if number >= 0]

    def _add(self, severity: str, title: str, shown: Sequence[tuple[int, Any]], filtered: bool) -> None:
        top = QTreeWidgetItem(self, [title])
        top.setIcon(0, mark(LEVELS[severity]))
        by_layer: dict[str, list[tuple[int, Any]]] = {}
        for number, one in shown:
            by_layer.setdefault(one.get("layer") or "", []).append((number, one))
        for layer, ones in by_layer.items():
            name = layer or self.tr("The job as a whole")
            group = QTreeWidgetItem(top, [f"{name} ({len(ones)})"])
            group.addChildren([_leaf(number, one) for number, one in ones])
            group.setExpanded(filtered or severity == "error" or len(shown) <= _MANY)
        top.setExpanded(filtered or severity == "error" or len(shown) <= _MANY)


def number_of(item: QTreeWidgetItem | None) -> int:
    """Return the number of the finding an item stands for, -1 for none."""
    value = None if item is None else item.data(0, _NUMBER)
    return -1 if value is None else int(value)


def details(finding: Mapping[str, Any]) -> str:
    """Return a finding as HTML: its sentence, and the facts that prove it as a table."""
    rows = [(key, value) for key, value in finding["facts"].items() if _says(key, value)]
    if finding.get("measure_m2"):
        rows.append(("measure_m2", finding["measure_m2"]))
    cells = "".join(
        f"<tr><td style='padding-right:12px'>{html.escape(_word(key))}</td><td>{_shown(value)}</td></tr>"
        for key, value in rows
    )
    code = html.escape(finding["code"])
    return f"<p><b>{html.escape(finding['text'])}</b></p><table>{cells}</table><p><small>{code}</small></p>"


def _leaf(number: int, finding: Mapping[str, Any]) -> QTreeWidgetItem:
    item = QTreeWidgetItem([finding["text"]])
    item.setData(0, _NUMBER, number)
    item.setToolTip(0, finding["text"])
    return item


def _has(finding: Mapping[str, Any], words: Sequence[str]) -> bool:
    text = f"{finding['text']} {finding['code']} {finding.get('layer') or ''}".casefold()
    return all(word in text for word in words)


def _says(key: str, value: Any) -> bool:
    """Return whether a fact says something in the language of the user."""
    other = "_en" if language() == "zh" else "_zh"
    return value not in (None, "", [], {}) and not key.endswith(other)


def _word(key: str) -> str:
    plain = key.rpartition("_")[0] if key.endswith(("_zh", "_en")) else key
    said = catalogue().get(f"fact.{plain}")
    return said[language()] if said else plain


def _shown(value: Any) -> str:
    if isinstance(value, list) and value and all(isinstance(one, Mapping) for one in value):
        return _table(value)
    if isinstance(value, float):
        return f"{value:,.4f}".rstrip("0").rstrip(".")
    return html.escape(
        json.dumps(value, ensure_ascii=False) if isinstance(value, (list, dict)) else str(value)
    )


def _table(rows: Sequence[Mapping[str, Any]]) -> str:
    keys = [key for key in dict.fromkeys(key for row in rows for key in row) if _says(key, "-")]
    head = "".join(
        f"<th align='left' style='padding-right:8px'>{html.escape(_word(key))}</th>" for key in keys
    )
    body = "".join(
        "<tr>"
        + "".join(f"<td style='padding-right:8px'>{_shown(row.get(key, ''))}</td>" for key in keys)
        + "</tr>"
        for row in rows
    )
    return f"<table><tr>{head}</tr>{body}</table>"
