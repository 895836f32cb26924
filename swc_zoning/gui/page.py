# SPDX-License-Identifier: GPL-2.0-or-later
"""What all pages of the workbench share: a title, a state in colour and words, and their desk."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from qgis.PyQt.QtCore import pyqtSignal
from qgis.PyQt.QtWidgets import QAbstractButton, QWidget

if TYPE_CHECKING:
    from swc_zoning.gui.desk import Desk


class Level(Enum):
    """How a page stands: done, still to do, needs attention, cannot be used yet, or only offered."""

    DONE = "done"
    OPEN = "open"
    PROBLEM = "problem"
    BLOCKED = "blocked"
    OFFERED = "offered"


@dataclass(frozen=True)
class State:
    """The state of a page: level, and words that say what is missing and why."""

    level: Level
    words: str


class Page(QWidget):
    """One page of the workbench. Subclasses say `title` and `state`, and emit `state_changed`."""

    state_changed = pyqtSignal()
    #: The kind of another page that is to be shown.
    page_wanted = pyqtSignal(object)

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.desk = desk
        self.setObjectName(type(self).__name__)

    def title(self) -> str:
        """Return the name of the page in the language of the user."""
        raise NotImplementedError

    def state(self) -> State:
        """Return how the page stands, in a moment: it is asked after every change."""
        raise NotImplementedError

    def activate(self) -> None:
        """Take notice that the page is shown."""

    def deactivate(self) -> None:
        """Take notice that another page is shown; give map tools back."""

    def unload(self) -> None:
        """Take away everything that lives outside this widget."""


def allow(button: QAbstractButton, reason: str, tip: str = "") -> None:
    """Enable `button` where `reason` is empty; else disable it and say why in its tooltip."""
    button.setEnabled(not reason)
    button.setToolTip(reason or tip)
    button.setStatusTip(reason or tip)
