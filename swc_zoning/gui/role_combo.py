# SPDX-License-Identifier: GPL-2.0-or-later
"""A choice of roles, grouped by what they are for, with free roles and "not used"."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from qgis.PyQt.QtCore import QCoreApplication, pyqtSignal
from qgis.PyQt.QtWidgets import QComboBox, QInputDialog, QWidget

from swc_zoning.engine import roles
from swc_zoning.engine.job import EXTENT_ROLE, REFERENCE_ROLE
from swc_zoning.qgis_bridge.i18n import language

UNDECIDED, UNUSED, FREE = "?", "", "*"


class RoleCombo(QComboBox):
    """Its `role` is an id, "" for not used, "?" while the user has to choose."""

    chosen = pyqtSignal(str)

    def __init__(self, likely: Sequence[str] = (), parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._last = 0
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(14)
        self.setMaxVisibleItems(24)
        self._fill(likely)
        self.activated.connect(self._taken)

    def role(self) -> str:
        """Return the role in hand."""
        return self.currentData() or UNUSED

    def set_role(self, role: str) -> None:
        """Show a role; a free one is added to the choice."""
        at = self.findData(role)
        if at < 0:
            self.insertItem(self.count() - 1, role, role)
            at = self.findData(role)
        self.setCurrentIndex(at)
        self._last = at

    def _fill(self, likely: Sequence[str]) -> None:
        self.addItem(self.tr("Not used"), UNUSED)
        if likely:
            self._group(self.tr("Recognised"), likely)
        self._group(self.tr("Frame"), [EXTENT_ROLE, REFERENCE_ROLE])
        titles = {
            "control": self.tr("Decide zones"),
            "context": self.tr("Context and conflicts"),
            "supporting": self.tr("Supporting"),
        }
        for kind, title in titles.items():
            self._group(title, [role.id for role in roles.all_roles() if role.kind == kind])
        self.addItem(self.tr("Free role…"), FREE)

    def _group(self, title: str, ids: Sequence[str]) -> None:
        self.addItem(title)
        self.model().item(self.count() - 1).setEnabled(False)
        for one in ids:
            self.addItem(f"  {role_name(one)}", one)

    def _taken(self, index: int) -> None:
        if self.currentData() == FREE:
            name = self._ask_free()
            if not name:
                self.setCurrentIndex(self._last)
                return
            self.set_role(name)
        self._last = self.currentIndex()
        self.chosen.emit(self.role())

    def _ask_free(self) -> str:
        question = self.tr(
            "Id of the role: small letters, digits and _; it is carried through and decides nothing"
        )
        text, ok = QInputDialog.getText(self, self.tr("Free role"), question)
        name = text.strip().lower()
        return name if ok and roles.is_valid_id(name) else ""

    def ask(self) -> None:
        """Show that the user has to choose."""
        self.insertItem(0, self.tr("— choose —"), UNDECIDED)
        self.setCurrentIndex(0)

    def wheelEvent(self, event: Any) -> None:  # noqa: N802 (Qt's own form)
        """Leave the wheel to the list: a role is not changed by scrolling past it."""
        event.ignore()


def role_name(role_id: str) -> str:
    """Return the name of a role in the language of the user; a free role is its id."""
    if role_id == REFERENCE_ROLE:
        return QCoreApplication.translate("RoleCombo", "Reference boundary")
    role = roles.find(role_id)
    return role_id if role is None else getattr(role, f"name_{language()}")


def tier_name(role_id: str, tier: str) -> str:
    """Return the name of a tier in the language of the user."""
    role = roles.find(role_id)
    names = {one.id: getattr(one, f"name_{language()}") for one in role.tiers} if role else {}
    return names.get(tier, tier)
