# SPDX-License-Identifier: GPL-2.0-or-later
"""What stands between a result and its submission: one row a matter, each with where it is mended."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from qgis.PyQt.QtCore import QSize, Qt, pyqtSignal
from qgis.PyQt.QtWidgets import QGridLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from swc_zoning.engine import roles
from swc_zoning.engine.messages import Blocked, Finding, SwcError
from swc_zoning.engine.submission import schemas
from swc_zoning.gui.layers_page import LayersPage
from swc_zoning.gui.marks import ICON, mark
from swc_zoning.gui.page import Level
from swc_zoning.gui.session import Session
from swc_zoning.gui.zoning_page import ZoningPage
from swc_zoning.paths import resource
from swc_zoning.qgis_bridge import orders
from swc_zoning.qgis_bridge.i18n import language

#: Goals that are no page: slivers merged by a new run, the findings below.
MERGE, FINDINGS = "merge", "findings"

#: Papers without which the line of an authority cannot be told from another version of it.
_PAPERS = ("approval_no", "data_date")
#: Stages at which flaws of the data may still be open.
_EARLY = ("draft", "consultation")
_MOST_NAMES = 4
#: Code of what a stage requires and an order does not say.
_LACKING = "order.stage_requires"


@dataclass(frozen=True)
class Matter:
    """A matter of the checklist. `goal`: the page that mends it, or the key of a field of the form.

    One that `blocks` lets no export begin. `button`: what its button says, where not of a page known here.
    """

    level: Level
    title: str
    words: str
    goal: type | str | None = None
    blocks: bool = False
    button: str = ""


class Checklist(QWidget):
    """Shows the matters; `asked` gives the goal of the one whose button was pressed."""

    asked = pyqtSignal(object)

    def __init__(self, blocking: str = "", parent: QWidget | None = None) -> None:
        """`blocking` says what a matter that blocks keeps from being done, by default the export."""
        super().__init__(parent)
        self._blocking = blocking or self.tr("Blocks the export")
        self.matters: list[Matter] = []
        self._grid = QGridLayout()
        self._grid.setColumnStretch(1, 1)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addLayout(self._grid)
        whole.addStretch(1)

    def blocking(self) -> list[Matter]:
        """Return the matters that let no export begin."""
        return [matter for matter in self.matters if matter.blocks]

    def open_ones(self) -> list[Matter]:
        """Return the matters to look at."""
        return [matter for matter in self.matters if matter.level != Level.DONE]

    def refresh(self, session: Session, order: Mapping[str, Any], last: Mapping[str, int] | None) -> None:
        """Say how things stand; `last` counts what the check of the last export found, None without one."""
        schema = orders.schema(order["profile"])
        stage = schema.stages[order["stage"]]
        matters = [*self._of_result(session, stage), *self.of_form(order, schema, stage)]
        if last is not None:
            matters.append(self._of_check(last))
        self.show_matters(matters)

    def show_matters(self, matters: Sequence[Matter]) -> None:
        """Show matters, where they are not the ones that are shown."""
        matters = list(matters)
        if matters != self.matters:
            self.matters = matters
            self._show()

    # --- the result --------------------------------------------------------------------------------

    def _of_result(self, session: Session, stage: schemas.Stage) -> Iterator[Matter]:
        title = self.tr("Result")
        if session.result is None:
            yield Matter(Level.PROBLEM, title, self.tr("The city is not zoned yet."), ZoningPage, True)
            return
        late = stage.id not in _EARLY
        if session.is_outdated():
            words = self.tr("Job or rules changed since it was made: zone again.")
            yield self._matter(late, title, words, ZoningPage)
        else:
            yield Matter(Level.DONE, title, self.tr("As job and rules are now."))
        summary = session.result.summary
        yield self._of_mode(summary, late)
        yield from self._of_slivers(summary)
        yield self._of_papers(summary, late)
        yield self._of_roles(summary)

    def _of_mode(self, summary: Mapping[str, Any], late: bool) -> Matter:
        title = self.tr("Mode")
        if summary.get("mode") == "submission":
            return Matter(Level.DONE, title, self.tr("Zoned in submission mode: flaws stop the run."))
        words = self.tr("Zoned as a draft: flaws of the data are only listed. Zone in submission mode.")
        return self._matter(late, title, words, ZoningPage)

    def _of_slivers(self, summary: Mapping[str, Any]) -> Iterator[Matter]:
        slivers = summary.get("slivers") or {}
        settled = sum(slivers.get(key, 0) for key in ("merged", "received", "kept"))
        left = slivers.get("can_merge", 0) - settled
        if left > 0:
            words = self.tr("{count} slivers may be merged and are not: the check takes each for an error.")
            told = words.format(count=f"{left:,}")
            yield Matter(Level.PROBLEM, self.tr("Slivers"), told, MERGE, True)
        elif slivers:
            yield Matter(Level.DONE, self.tr("Slivers"), self.tr("None is left that may be merged."))

    def _of_papers(self, summary: Mapping[str, Any], late: bool) -> Matter:
        title = self.tr("Papers")
        lacking = [
            _role_name(one["role"])
            for one in summary.get("inputs", [])
            if one["role"] in _statutory() and not all(one.get(key) for key in _PAPERS)
        ]
        if not lacking:
            return Matter(Level.DONE, title, self.tr("Every statutory layer has approval number and date."))
        words = self.tr("Approval number or date is missing: {names}").format(names=some(lacking))
        # A run in submission mode went on only because that was accepted with a reason.
        return self._matter(late and summary.get("mode") != "submission", title, words, LayersPage)

    def _of_roles(self, summary: Mapping[str, Any]) -> Matter:
        title, missing = self.tr("Layers"), summary.get("missing_roles", [])
        if not missing:
            return Matter(Level.DONE, title, self.tr("No expected layer is missing."))
        names = some([row[f"name_{language()}"] for row in missing])
        words = self.tr("Not supplied, and said so in the package: {names}").format(names=names)
        return Matter(Level.OPEN, title, words, LayersPage)

    # --- the form ----------------------------------------------------------------------------------

    def of_form(
        self, order: Mapping[str, Any], schema: schemas.Schema, stage: schemas.Stage
    ) -> Iterator[Matter]:
        """Yield what the order lacks or has wrong at a stage."""
        title, names = self.tr("Required"), self._names()
        problems = _problems(order)
        lacking = [one.facts["key"] for one in problems if one.code == _LACKING]
        if problems and not lacking:
            # The engine asks for what lacks once everything else is right.
            lacking = [key for key in stage.requires if not order.get(key)]
        if not (schema.name or order.get("name")):
            lacking.append("name")
        if lacking:
            said = some([names.get(key, key) for key in lacking])
            told = self.tr("{stage}: still empty: {names}").format(stage=stage.name(language()), names=said)
            yield Matter(Level.PROBLEM, title, told, lacking[0], True)
        else:
            told = self.tr("{stage}: everything is filled in.").format(stage=stage.name(language()))
            yield Matter(Level.DONE, title, told)
        for one in problems:
            if one.code != _LACKING and order["formats"]:
                sentence = one.sentence(language())
                yield Matter(Level.PROBLEM, self.tr("Form"), sentence, one.facts.get("key"), True)
        if not order["formats"]:
            yield Matter(Level.PROBLEM, self.tr("Formats"), self.tr("Choose one at least."), "formats", True)

    def _names(self) -> dict[str, str]:
        return {
            "compiler": self.tr("compiler"),
            "plan_name": self.tr("plan name"),
            "secrecy": self.tr("secrecy"),
            "consultation_no": self.tr("consultation no."),
            "consultation_date": self.tr("consultation date"),
            "review_no": self.tr("review no."),
            "approval_no": self.tr("approval no."),
            "approval_date": self.tr("approval date"),
            "name": self.tr("area name"),
        }

    def _of_check(self, last: Mapping[str, int]) -> Matter:
        title = self.tr("Check")
        if last["error"]:
            words = self.tr("{count} errors stopped the last export: see below, mend them and export again.")
            return Matter(Level.PROBLEM, title, words.format(count=f"{last['error']:,}"), FINDINGS)
        if last["warning"]:
            words = self.tr("{count} warnings of the last package are not accepted yet.")
            return Matter(Level.OPEN, title, words.format(count=f"{last['warning']:,}"), FINDINGS)
        return Matter(Level.DONE, title, self.tr("The last package has no error and no open warning."))

    # --- showing -----------------------------------------------------------------------------------

    def _matter(self, blocks: bool, title: str, words: str, goal: type) -> Matter:
        return Matter(Level.PROBLEM if blocks else Level.OPEN, title, words, goal, blocks)

    def _show(self) -> None:
        while self._grid.count():
            widget = self._grid.takeAt(0).widget()
            if widget is not None:
                widget.hide()
                widget.deleteLater()
        for row, matter in enumerate(self.matters):
            self._add(row, matter)

    def _add(self, row: int, matter: Matter) -> None:
        sign, words = QLabel(), QLabel(f"<b>{matter.title}</b>　{matter.words}")
        sign.setPixmap(mark(matter.level).pixmap(QSize(ICON, ICON)))
        sign.setToolTip(self._level_words(matter))
        words.setWordWrap(True)
        words.setTextFormat(Qt.TextFormat.RichText)
        words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        words.setAccessibleName(f"{self._level_words(matter)} {matter.title} {matter.words}")
        top = Qt.AlignmentFlag.AlignTop
        self._grid.addWidget(sign, row, 0, top)
        self._grid.addWidget(words, row, 1)
        if matter.goal is not None:
            self._grid.addWidget(self._button(matter), row, 2, top)

    def _button(self, matter: Matter) -> QPushButton:
        goal = matter.goal
        button = QPushButton(matter.button or self._goal_words(goal))
        merging = self.tr("Has the job merge all it may, and goes to the page that zones again")
        button.setToolTip(merging if goal == MERGE else self.tr("Go to where this is mended"))
        button.setAccessibleName(f"{button.text()} {matter.title}")
        button.clicked.connect(lambda: self.asked.emit(goal))
        return button

    def _goal_words(self, goal: type | str | None) -> str:
        if isinstance(goal, type):
            return self.tr("Page Zoning") if goal is ZoningPage else self.tr("Page Layers")
        words = {MERGE: self.tr("Merge them"), FINDINGS: self.tr("Show")}
        return words.get(goal, self.tr("Fill in"))

    def _level_words(self, matter: Matter) -> str:
        if matter.blocks:
            return self._blocking
        return self.tr("In order") if matter.level == Level.DONE else self.tr("To be looked at")


def _problems(order: Mapping[str, Any]) -> list[Finding]:
    """Return what the engine would refuse of an order."""
    try:
        orders.check(order)
    except Blocked as error:
        return [one for one in error.findings if one.severity == "error"]
    except SwcError as error:
        return [Finding(error.code, error.facts)]
    return []


@lru_cache(maxsize=1)
def _statutory() -> frozenset[str]:
    document = json.loads(resource("versions.json").read_text(encoding="utf-8"))
    return frozenset(row["role"] for row in document["statutory"])


def _role_name(role: str) -> str:
    known = roles.find(role)
    return role if known is None else getattr(known, f"name_{language()}")


def some(names: Sequence[str]) -> str:
    """Return the first names, and how many more there are."""
    shown = "、" if language() == "zh" else ", "
    more = f" (+{len(names) - _MOST_NAMES})" if len(names) > _MOST_NAMES else ""
    return shown.join(dict.fromkeys(names[:_MOST_NAMES])) + more
