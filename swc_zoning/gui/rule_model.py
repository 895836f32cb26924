# SPDX-License-Identifier: GPL-2.0-or-later
"""The decision table as rows that are edited and undone, and as a model of cells for a view."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from qgis.PyQt.QtCore import QAbstractTableModel, QModelIndex, QObject, Qt, pyqtSignal
from qgis.PyQt.QtGui import QColor, QFont, QGuiApplication, QPalette

from swc_zoning.engine import rule_changes, rule_sheets, rule_words, rules
from swc_zoning.engine.messages import Finding, SwcError
from swc_zoning.qgis_bridge.compat import QUndoCommand, QUndoStack
from swc_zoning.qgis_bridge.i18n import language

Row = Mapping[str, Any]

#: Columns of each table, in the order they are shown.
KEYS = {
    "rules": (
        *("id", "zone", "any_of", "all_of", "unless", "measures", "basis", "force", "status"),
        *("to_check", "fallback", "valid_from", "valid_to", "note_zh", "note_en"),
    ),
    "zones": ("code", "name_zh", "name_en", "rank", "orientation", "fqdm", "gkdj", "status"),
    "measures": (
        *("id", "kind", "text_zh", "text_en", "department", "department_en", "withheld_where", "siting"),
        *("bans", "basis", "force", "status", "valid_from", "valid_to", "note_zh", "note_en"),
    ),
    "conflicts": (
        *("id", "severity", "name_zh", "name_en", "all_of", "any_of", "none_of", "roles_at_least"),
        *("distinct_tiers_at_least", "absence", "settling_rule", "settling_rule_en", "basis", "status"),
        *("valid_from", "valid_to"),
    ),
    "acts": (
        *("id", "short_zh", "title_zh", "title_en", "number", "valid_from", "valid_to", "status"),
        *("replaced_by", "note_zh", "note_en"),
    ),
}
#: Where a finding that names only its row is shown; others stand at the id.
_KEY_OF_CODE = {
    "rules.unknown_zone": "zone",
    "rules.unknown_measure": "measures",
    "rules.missing_basis": "basis",
    "rules.unknown_act": "basis",
    "rules.basis_out_of_date": "basis",
    "rules.rank_shared": "rank",
    "rules.unknown_level": "gkdj",
    "rules.date": "valid_from",
    "rules.dates_reversed": "valid_from",
    "rules.never": "any_of",
    "rules.unconditional": "any_of",
    "rule_changes.zone_lowered": "rank",
    "rule_changes.zone_weaker": "zone",
    "rule_changes.narrowed": "any_of",
    "rule_changes.measures_dropped": "measures",
    "rule_changes.force_lowered": "force",
    "rule_changes.period_shorter": "valid_to",
    "rule_changes.kind_weaker": "kind",
    "rule_changes.withheld": "withheld_where",
    "rule_changes.siting_weaker": "siting",
    "rule_changes.bans_dropped": "bans",
    "rule_changes.severity_lowered": "severity",
}
SIGNS = {"error": "✖", "warning": "⚠", "info": "ℹ"}
CHANGED, STATUTORY = "✎", "§"
_TINTS = {"error": QColor("#c0392b"), "warning": QColor("#d08700"), "changed": QColor("#2f6fb0")}
_TINT_SHARE = 0.25
_LISTS = ("any_of", "all_of", "unless", "none_of", "withheld_where", "measures")


@dataclass(frozen=True)
class Placed:
    """A finding and the cell it is about; `table` is "" for one about the whole table."""

    finding: Finding
    table: str = ""
    row: int = -1
    key: str = ""


# --- the document ----------------------------------------------------------------------------------


class RuleDocument(QObject):
    """A decision table under edit. Rows are never changed in place, so that undo keeps the old ones."""

    #: table that changed, "" for all
    changed = pyqtSignal(str)

    def __init__(self, document: Row, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.undo_stack = QUndoStack(self)
        self.document: dict[str, Any] = dict(document)
        self._default = rules.read()

    @property
    def base(self) -> Row | None:
        """Return the shipped table of the same profile, None where there is none."""
        return rule_changes.shipped(str(self.document.get("profile", "")))

    def is_shipped(self) -> bool:
        """Return whether nothing differs from the shipped default table."""
        return self.document == self._default

    def rows(self, table: str) -> Sequence[Row]:
        """Return the rows of a table, which acts need not have."""
        return self.document.get(table, [])

    def load(self, document: Row) -> None:
        """Take another document as it stands: there is nothing to undo."""
        self.undo_stack.clear()
        self.document = dict(document)
        self.changed.emit("")

    def replace(self, document: Row, words: str) -> None:
        """Take another document; this can be undone."""
        self._push("", dict(document), words)

    def set_value(self, table: str, row: int, key: str, value: Any, words: str) -> None:
        """Give a cell a value; None with `key` optional is for the caller to `drop`."""
        rows = list(self.rows(table))
        if rows[row].get(key, ...) == value:
            return
        rows[row] = {**rows[row], key: value}
        self._push(table, rows, words)

    def drop(self, table: str, row: int, key: str, words: str) -> None:
        """Take a value out of a row."""
        rows = list(self.rows(table))
        if key in rows[row]:
            rows[row] = {name: value for name, value in rows[row].items() if name != key}
            self._push(table, rows, words)

    def add(self, table: str, at: int, words: str) -> int:
        """Put a new row behind `at` and return its place."""
        return self._insert(table, at, new_row(table, self.document), words)

    def duplicate(self, table: str, row: int, words: str) -> int:
        """Put a copy with a new id behind `row` and return its place."""
        key = "code" if table == "zones" else "id"
        made = {**copy.deepcopy(dict(self.rows(table)[row])), key: free_id(table, self.document)}
        made.pop("fallback", None)
        if table == "zones":
            made["rank"] = max(zone["rank"] for zone in self.rows(table)) + 1
        return self._insert(table, row, made, words)

    def remove(self, table: str, places: Iterable[int], words: str) -> None:
        """Take rows away."""
        gone = set(places)
        self._push(table, [row for place, row in enumerate(self.rows(table)) if place not in gone], words)

    def move(self, table: str, row: int, by: int, words: str) -> int:
        """Move a row up (-1) or down (1) and return its place; zones change their ranks with it."""
        rows, to = list(self.rows(table)), row + by
        if not 0 <= to < len(rows):
            return row
        one, other = rows[row], rows[to]
        if table == "zones":
            one, other = {**one, "rank": other["rank"]}, {**other, "rank": one["rank"]}
        rows[row], rows[to] = other, one
        self._push(table, rows, words)
        return to

    def _insert(self, table: str, at: int, row: Row, words: str) -> int:
        rows = list(self.rows(table))
        place = at + 1 if 0 <= at < len(rows) else len(rows)
        rows.insert(place, dict(row))
        self._push(table, rows, words)
        return place

    def _push(self, table: str, after: Any, words: str) -> None:
        before = self.rows(table) if table else self.document
        self.undo_stack.push(_Change(self, table, before, after, words))

    def apply(self, table: str, value: Any) -> None:
        """Take rows of a table, or a whole document, as they are: for the undo stack."""
        if table:
            self.document = {**self.document, table: value}
        else:
            self.document = value
        self.changed.emit(table)


class _Change(QUndoCommand):
    """Rows before and after."""

    def __init__(self, document: RuleDocument, table: str, before: Any, after: Any, words: str) -> None:
        super().__init__(words)
        self._document, self._table, self._before, self._after = document, table, before, after

    def redo(self) -> None:
        self._document.apply(self._table, self._after)

    def undo(self) -> None:
        self._document.apply(self._table, self._before)


def free_id(table: str, document: Row) -> str:
    """Return an id that no row of the table has: the letter of the table and the next number."""
    letter = {"rules": "R", "measures": "M", "conflicts": "K", "zones": "ZONE", "acts": "act_"}[table]
    taken = {rule_changes.row_id(table, row) for row in document.get(table, ())}
    numbers = [int(found[1]) for one in taken if (found := re.fullmatch(rf"{letter}(\d+)", one))]
    return f"{letter}{max(numbers, default=0) + 1:02d}"


def new_row(table: str, document: Row) -> dict[str, Any]:
    """Return a row to be filled in; the check says what it still lacks."""
    name = free_id(table, document)
    if table == "zones":
        rank = max((zone["rank"] for zone in document["zones"]), default=0) + 1
        return {"code": name, "name_zh": "", "name_en": "", "rank": rank, "status": "proposed"}
    if table == "acts":
        texts = {"short_zh": "", "title_zh": "", "title_en": ""}
        return {"id": name, **texts, "valid_from": None, "valid_to": None, "status": "proposed"}
    row: dict[str, Any] = {"id": name, "basis": [], "status": "proposed"}
    if table == "rules":
        zones = sorted(document["zones"], key=lambda zone: zone["rank"])
        lists = {"any_of": [], "all_of": [], "unless": [], "measures": []}
        return {**row, "zone": zones[-1]["code"], **lists, "force": "proposed"}
    if table == "measures":
        texts = {"text_zh": "", "text_en": "", "department": "", "department_en": ""}
        return {**row, "kind": "require", **texts, "withheld_where": [], "force": "proposed"}
    texts = {"name_zh": "", "name_en": "", "settling_rule": "", "settling_rule_en": ""}
    return {**row, "severity": "warn", **texts, "all_of": [], "any_of": [], "none_of": []}


# --- findings --------------------------------------------------------------------------------------


def place(finding: Finding, document: Row) -> list[Placed]:
    """Return where a finding is to be shown: one place for each row it names, or one without a row."""
    path = re.match(r"\$\.(\w+)\[(\d+)\](?:\.(\w+))?", str(finding.facts.get("path", "")))
    if path and path[1] in KEYS:
        return [Placed(finding, path[1], int(path[2]), path[3] or str(finding.facts.get("key", "")))]
    named = (str(finding.facts.get(fact) or "") for fact in ("row", "rows", "other"))
    names = ", ".join(name for name in named if name)
    found = [
        Placed(finding, table, number, _key_of(finding, table, row))
        for name in names.split(", ")
        for table in KEYS
        for number, row in enumerate(document.get(table, ()))
        if rule_changes.row_id(table, row) == name
    ]
    return found or [Placed(finding)]


def _key_of(finding: Finding, table: str, row: Row) -> str:
    role = finding.facts.get("role")
    if finding.code in ("rules.unknown_role", "rules.unknown_tier"):
        for key in _LISTS:
            if any(one["role"] == role for one in row.get(key, ()) if isinstance(one, Mapping)):
                return key
    key = str(finding.facts.get("key") or _KEY_OF_CODE.get(finding.code, ""))
    return key if key in KEYS[table] else KEYS[table][0]


# --- the model -------------------------------------------------------------------------------------


class RuleTableModel(QAbstractTableModel):
    """One table of a document as cells: text as in workbooks, marks of findings and of changes."""

    #: why a text that was typed was not taken
    refused = pyqtSignal(str)

    def __init__(self, document: RuleDocument, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.document = document
        self.table = "rules"
        self._columns: list[rule_sheets.Column] = []
        self._problems: dict[tuple[int, str], Finding] = {}
        self._placed: list[Placed] = []
        self._changed: list[frozenset[str]] = []
        #: text of a cell by the row it is of, which is kept so that no other can be at its address
        self._texts: dict[tuple[int, str], tuple[Row, str]] = {}
        document.changed.connect(self._refresh)
        self.set_table("rules")

    def set_table(self, table: str) -> None:
        """Show another table ("rules", "zones", "measures", "conflicts")."""
        self.beginResetModel()
        self.table = table
        known = {column.key: column for column in rule_sheets.columns(table)}
        self._columns = [known[key] for key in KEYS[table]]
        self._rows = len(self.document.rows(table))
        self._mark()
        self.endResetModel()

    def set_findings(self, placed: Sequence[Placed]) -> None:
        """Mark the cells that errors and warnings are about."""
        self._placed = list(placed)
        self._mark()
        self._repaint()

    def key(self, column: int) -> str:
        """Return the key of a column."""
        return self._columns[column].key

    def column_of(self, key: str) -> int:
        """Return the place of a column, 0 where it is not shown."""
        return next((place for place, one in enumerate(self._columns) if one.key == key), 0)

    def value(self, index: QModelIndex) -> Any:
        """Return the value of a cell as the document has it, None where there is none."""
        return self.document.rows(self.table)[index.row()].get(self.key(index.column()))

    def cells(self) -> rule_sheets.Cells:
        """Return the writer and reader of cells."""
        document = self.document.document
        return rule_sheets.Cells(document.get("acts", ()), document.get("zones", ()), language())

    def rowCount(self, parent: QModelIndex = QModelIndex()) -> int:  # noqa: N802, B008 (Qt's own form)
        """Return the number of rows."""
        return 0 if parent.isValid() else self._rows

    def columnCount(self, parent: QModelIndex = QModelIndex()) -> int:  # noqa: N802, B008
        """Return the number of columns."""
        return 0 if parent.isValid() else len(self._columns)

    def headerData(  # noqa: N802
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        """Return titles of columns, and for rows the number with the signs of what concerns the row."""
        if role == Qt.ItemDataRole.ToolTipRole and orientation == Qt.Orientation.Vertical:
            return self._row_words(section)
        if role != Qt.ItemDataRole.DisplayRole:
            return None
        if orientation == Qt.Orientation.Horizontal:
            return self._columns[section].title(language())
        return f"{section + 1} {''.join(self._row_signs(section))}".strip()

    def flags(self, index: QModelIndex) -> Qt.ItemFlag:
        """Return that every cell can be edited."""
        return super().flags(index) | Qt.ItemFlag.ItemIsEditable

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return the text of a cell and its marks."""
        if not index.isValid() or index.row() >= len(self.document.rows(self.table)):
            return None
        finding = self._problems.get((index.row(), self.key(index.column())))
        if role == Qt.ItemDataRole.EditRole:
            return self._text(index)
        if role == Qt.ItemDataRole.DisplayRole:
            return f"{SIGNS[finding.severity]} {self._shown(index)}" if finding else self._shown(index)
        if role == Qt.ItemDataRole.ToolTipRole:
            return self._tip(index, finding)
        if role == Qt.ItemDataRole.BackgroundRole and (finding or self._is_changed(index)):
            return _tinted(_TINTS[finding.severity if finding else "changed"])
        if role == Qt.ItemDataRole.FontRole and self._is_changed(index):
            font = QFont()
            font.setBold(True)
            return font
        return None

    def setData(  # noqa: N802
        self, index: QModelIndex, value: Any, role: int = Qt.ItemDataRole.EditRole
    ) -> bool:
        """Take a text as typed, or a value; `refused` says why one is not taken."""
        if role != Qt.ItemDataRole.EditRole or not index.isValid():
            return False
        column, words = self._columns[index.column()], self._words(index)
        row, key = index.row(), column.key
        try:
            if isinstance(value, str) and not value.strip():
                self._empty(row, column, words)
                return True
            told = self.cells().value(column, value.strip()) if isinstance(value, str) else value
        except SwcError as error:
            self.refused.emit(error.sentence(language()))
            return False
        self.document.set_value(self.table, row, key, told, words)
        return True

    def _empty(self, row: int, column: rule_sheets.Column, words: str) -> None:
        if not column.required:
            self.document.drop(self.table, row, column.key, words)
            return
        blank = None if column.nullable else [] if column.key in (*_LISTS, "basis") else ""
        if column.number:
            raise SwcError("rule_sheets.number", text="")
        self.document.set_value(self.table, row, column.key, blank, words)

    def _words(self, index: QModelIndex) -> str:
        name = rule_changes.row_id(self.table, self.document.rows(self.table)[index.row()])
        return f"{name} {self._columns[index.column()].title(language())}"

    def _text(self, index: QModelIndex) -> str:
        row, column = self.document.rows(self.table)[index.row()], self._columns[index.column()]
        if column.key not in row:
            return ""
        kept = self._texts.get((id(row), column.key))
        if kept is None:
            kept = self._texts[id(row), column.key] = (row, self._written(row, column))
        return kept[1]

    def _written(self, row: Row, column: rule_sheets.Column) -> str:
        value = row[column.key]
        # A text that is still to be written shows as nothing, not as a pair of quotation marks.
        return "" if value in ("", []) else str(self.cells().text(column, value))

    def _shown(self, index: QModelIndex) -> str:
        """Return what is read in the cell: a zone by its name, conditions one a line."""
        key, text = self.key(index.column()), self._text(index)
        if key == "zone":
            names = {zone["code"]: zone[f"name_{language()}"] for zone in self.document.rows("zones")}
            return names.get(self.value(index), text) or "—"
        if key in rule_sheets.CONDITIONS:
            return text.replace("; ", "\n").replace("；", "\n")
        return text

    def _tip(self, index: QModelIndex, finding: Finding | None) -> str:
        lines = [finding.sentence(language())] if finding else []
        key = self.key(index.column())
        if key == "measures":
            texts = {row["id"]: row[f"text_{language()}"] for row in self.document.rows("measures")}
            lines += [f"{id_} {texts.get(id_, '')}" for id_ in self.value(index) or ()]
        else:
            lines.append(self._text(index))
        if self._is_changed(index):
            lines.append(f"{CHANGED} {self._before(index)}")
        return "\n".join(line for line in lines if line)

    def _before(self, index: QModelIndex) -> str:
        base, column = self.document.base or {}, self._columns[index.column()]
        name = rule_changes.row_id(self.table, self.document.rows(self.table)[index.row()])
        for row in base.get(self.table, ()):
            if rule_changes.row_id(self.table, row) == name and column.key in row:
                return str(self.cells().text(column, row[column.key]))
        return ""

    def _is_changed(self, index: QModelIndex) -> bool:
        return bool(self._changed[index.row()] & {self.key(index.column()), "*"})

    def _row_signs(self, row: int) -> Iterator[str]:
        severities = {found.severity for (place, _), found in self._problems.items() if place == row}
        yield from (sign for severity, sign in SIGNS.items() if severity in severities)
        if self._changed[row]:
            yield CHANGED
        if rule_changes.is_locked(self.table, self.document.rows(self.table)[row]):
            yield STATUTORY

    def _row_words(self, row: int) -> str:
        lines = [found.sentence(language()) for (at, _), found in self._problems.items() if at == row]
        if rule_changes.is_locked(self.table, self.document.rows(self.table)[row]):
            lines.append(self.tr("{sign} follows from law: weakening it is told").format(sign=STATUTORY))
        if self._changed[row]:
            lines.append(self.tr("{sign} differs from the shipped table").format(sign=CHANGED))
        return "\n".join(lines)

    def _mark(self) -> None:
        rows, base = self.document.rows(self.table), self.document.base
        self._changed = [rule_changes.changed_keys(self.table, row, base) for row in rows]
        self._problems = {}
        order = ("warning", "error")
        for placed in sorted(self._placed, key=lambda one: order.index(one.finding.severity)):
            if placed.table == self.table and placed.row < len(rows):
                self._problems[placed.row, placed.key] = placed.finding

    def _refresh(self, table: str) -> None:
        if table in ("", "zones", "acts"):
            # Names of zones and acts stand in other tables.
            self._texts.clear()
        if table not in ("", self.table):
            self._repaint()
            return
        if len(self.document.rows(self.table)) != self._rows:
            self.set_table(self.table)
            return
        self._mark()
        self._repaint()

    def _repaint(self) -> None:
        if self._rows:
            self.dataChanged.emit(self.index(0, 0), self.index(self._rows - 1, len(self._columns) - 1))
            self.headerDataChanged.emit(Qt.Orientation.Vertical, 0, self._rows - 1)


def _tinted(colour: QColor) -> QColor:
    """Return the background of the palette with a share of `colour`: readable in dark themes too."""
    base = QGuiApplication.palette().color(QPalette.ColorRole.Base)
    parts = zip(colour.getRgb()[:3], base.getRgb()[:3])
    return QColor(*(round(_TINT_SHARE * one + (1 - _TINT_SHARE) * other) for one, other in parts))


def to_mark(findings: Iterable[Finding], document: Row) -> list[Placed]:
    """Return the errors and warnings among `findings` with their cells."""
    told = (finding for finding in findings if finding.severity in ("error", "warning"))
    return [placed for finding in told for placed in place(finding, document)]


def words_of(conditions: Sequence[Row]) -> str:
    """Return conditions in the language of the user."""
    return rule_words.write_conditions(conditions, language())
