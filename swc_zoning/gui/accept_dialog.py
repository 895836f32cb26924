# SPDX-License-Identifier: GPL-2.0-or-later
"""The dialog that accepts warnings of a check: one, its group, or all of its kind, for a reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from qgis.PyQt.QtWidgets import (
    QButtonGroup,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QRadioButton,
    QVBoxLayout,
    QWidget,
)

from swc_zoning.engine.submission.order import Acceptance
from swc_zoning.gui import acceptances
from swc_zoning.gui.page import allow

#: Letters a reason must have: the engine refuses shorter ones.
_SHORTEST = 2


class AcceptDialog(QDialog):
    """Asks what is accepted and why; `acceptance` gives the answer."""

    def __init__(
        self,
        finding: Mapping[str, Any],
        findings: Sequence[Mapping[str, Any]],
        by: str = "",
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._finding, self._findings = finding, findings
        self.setWindowTitle(self.tr("Accept warnings of rule {code}").format(code=finding["code"]))
        self._build(by)
        self._refresh()

    def acceptance(self) -> Acceptance:
        """Return what was accepted."""
        layer, key = self._scopes[self.group.checkedId()]
        reason = " ".join(self.reason.toPlainText().split())
        today = date.today().strftime("%Y%m%d")
        return Acceptance(self._finding["code"], reason, layer, key, self.by.text().strip(), today)

    # --- building ----------------------------------------------------------------------------------

    def _build(self, by: str) -> None:
        said = QLabel(self._finding.get("text", ""))
        said.setWordWrap(True)
        column = QVBoxLayout(self)
        column.addWidget(said)
        self.group = QButtonGroup(self)
        self._scopes: list[tuple[str, str]] = []
        for label, layer, key in self._choices():
            button = QRadioButton(label)
            button.setToolTip(" ".join(part for part in (self._finding["code"], layer, key) if part))
            self.group.addButton(button, len(self._scopes))
            self._scopes.append((layer, key))
            column.addWidget(button)
        self.group.button(0).setChecked(True)
        form = QFormLayout()
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        self.reason, self.by = QPlainTextEdit(), QLineEdit(by)
        self.reason.setPlaceholderText(self.tr("printed in the report and kept in the package"))
        self.reason.setTabChangesFocus(True)
        self.reason.textChanged.connect(self._refresh)
        self.reason.setFixedHeight(self.fontMetrics().height() * 4)
        form.addRow(self.tr("&Reason"), self.reason)
        form.addRow(self.tr("Accepted &by"), self.by)
        column.addLayout(form)
        buttons = QDialogButtonBox.StandardButton
        self.buttons = QDialogButtonBox(buttons.Ok | buttons.Cancel)
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)
        column.addWidget(self.buttons)
        self.reason.setFocus()

    def _choices(self) -> list[tuple[str, str, str]]:
        """Return (label, layer, key) of what can be accepted, the group of the finding first."""
        layer, bsm = self._finding.get("layer") or "", self._finding.get("bsm") or ""
        key = self._finding.get("key") or ""
        found = []
        if key and key != bsm:
            found.append((self.tr("This and all of its group ({count})"), key, layer, key))
        if bsm:
            found.append((self.tr("Only {name} ({count})"), bsm, layer, bsm))
        found.append((self.tr("All of this rule in layer {name} ({count})"), layer or "—", layer, ""))
        return [
            (label.format(name=name, count=self._count(of_layer, of_key)), of_layer, of_key)
            for label, name, of_layer, of_key in found
        ]

    def _count(self, layer: str, key: str) -> int:
        probe = Acceptance(self._finding["code"], "", layer, key)
        return sum(acceptances.covers(probe, one) for one in self._findings)

    def _refresh(self) -> None:
        enough = len(self.reason.toPlainText().strip()) >= _SHORTEST
        reason = "" if enough else self.tr("A reason is needed")
        allow(self.buttons.button(QDialogButtonBox.StandardButton.Ok), reason)
