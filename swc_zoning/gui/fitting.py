# SPDX-License-Identifier: GPL-2.0-or-later
"""Tables with long texts in narrow docks: columns get no wider than so many letters, words wrap."""

from __future__ import annotations

import re

from qgis.PyQt.QtWidgets import QTableView


def fit(view: QTableView, letters: int, first: int | None = None) -> None:
    """Limit the columns of `view` to `letters` average letters (the first to `first`) and wrap texts."""
    letter = view.fontMetrics().averageCharWidth()
    for column in range(view.model().columnCount()):
        limit = letter * (first if first is not None and column == 0 else letters)
        if view.columnWidth(column) > limit:
            view.setColumnWidth(column, limit)
    view.setWordWrap(True)
    view.resizeRowsToContents()


def wrapped(text: str, letters: int) -> str:
    """Return a heading in lines of so many letters; a Chinese character counts as two."""
    lines, width = [""], 0
    for word in re.findall(r"[\u2e80-\uffff]|[^\s\u2e80-\uffff]+\s*|\s+", text):
        size = 2 if word >= "\u2e80" else len(word)
        if lines[-1] and width + len(word.rstrip()) > letters:
            lines, width = [*lines, ""], 0
        lines[-1], width = lines[-1] + word, width + size
    return "\n".join(line.rstrip() for line in lines)
