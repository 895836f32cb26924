# SPDX-License-Identifier: GPL-2.0-or-later
"""What a planner should know before the chapter is written: one row a matter, most of them no hindrance."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from qgis.PyQt.QtCore import pyqtSignal
from qgis.PyQt.QtWidgets import QVBoxLayout, QWidget

from swc_zoning.gui.layers_page import LayersPage
from swc_zoning.gui.page import Level
from swc_zoning.gui.session import Session
from swc_zoning.gui.submission_checklist import Checklist, Matter, some
from swc_zoning.gui.submission_page import SubmissionPage
from swc_zoning.gui.why_page import WhyPage
from swc_zoning.gui.zoning_page import ZoningPage
from swc_zoning.qgis_bridge import orders
from swc_zoning.qgis_bridge.i18n import language

_PENDING = "pending"
_M2_PER_HA = 10_000.0


class ChapterChecklist(QWidget):
    """Shows what the chapter will say is missing; `asked` gives the goal of a button that was pressed."""

    asked = pyqtSignal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._shown = Checklist(self.tr("Keeps the chapter from being written"))
        self._shown.asked.connect(self.asked)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(self._shown)

    @property
    def matters(self) -> list[Matter]:
        """Return the matters that are shown."""
        return self._shown.matters

    def blocking(self) -> list[Matter]:
        """Return the matters that keep the chapter from being written."""
        return self._shown.blocking()

    def refresh(self, session: Session, order: Mapping[str, Any], checked: bool | None) -> None:
        """Say how things stand; `checked`: whether a package of this result was checked, None: not known."""
        schema = orders.schema(order["profile"])
        matters = list(self._of_session(session))
        if session.result is not None:
            matters += self._of_summary(session.result.summary, checked)
        matters += self._shown.of_form(order, schema, schema.stages[order["stage"]])
        self._shown.show_matters(matters)

    def _of_session(self, session: Session) -> Iterator[Matter]:
        title = self.tr("Result")
        if session.folder is None:
            words = self.tr("No working folder is chosen: the chapter has no place yet.")
            yield Matter(Level.PROBLEM, self.tr("Folder"), words, None, True)
        if session.result is None:
            yield Matter(Level.PROBLEM, title, self.tr("The city is not zoned yet."), ZoningPage, True)
        elif session.is_outdated():
            words = self.tr("Job or rules changed since it was made: the chapter would be of the old ones.")
            yield Matter(Level.OPEN, title, words, ZoningPage)
        else:
            yield Matter(Level.DONE, title, self.tr("As job and rules are now."))

    def _of_summary(self, summary: Mapping[str, Any], checked: bool | None) -> Iterator[Matter]:
        yield self._of_roles(summary)
        yield self._of_pending(summary)
        title = self.tr("Check")
        if checked:
            words = self.tr("A package of this result was checked: the chapter says what was found.")
            yield Matter(Level.DONE, title, words)
        elif checked is not None:
            words = self.tr("No package of this result was checked: the chapter says 未提供，待补充.")
            yield Matter(Level.OPEN, title, words, SubmissionPage, button=self.tr("Page Submission"))

    def _of_roles(self, summary: Mapping[str, Any]) -> Matter:
        title, missing = self.tr("Layers"), summary.get("missing_roles", [])
        if not missing:
            return Matter(Level.DONE, title, self.tr("No expected layer is missing."))
        names = some([row[f"name_{language()}"] for row in missing])
        words = self.tr("Printed as 未提供，待补充: {names}").format(names=names)
        return Matter(Level.OPEN, title, words, LayersPage)

    def _of_pending(self, summary: Mapping[str, Any]) -> Matter:
        title = self.tr("Pending")
        area = sum(row["area_m2"] for row in summary.get("by_zone", ()) if row.get("status") == _PENDING)
        if not area:
            return Matter(Level.DONE, title, self.tr("Every piece is decided."))
        words = self.tr("{area} ha wait for a decision and stand apart in every table.")
        told = words.format(area=f"{area / _M2_PER_HA:,.2f}")
        return Matter(Level.OPEN, title, told, WhyPage, button=self.tr("Page Why"))
