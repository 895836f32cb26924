# SPDX-License-Identifier: GPL-2.0-or-later
"""The algorithm that writes the chapter: its documents, and the tables and charts that stand in them."""

from __future__ import annotations

from swc_zoning.processing_algs.chapter import QUALITY, SETTINGS, ChapterAlgorithm


class WriteChapter(ChapterAlgorithm):
    """Writes the text and the notes as Word documents, the tables and the charts, from one result."""

    ID = "writechapter"
    ROOM = "write_chapter"
    TAGS = ("chapter", "document", "word", "docx", "report", "text", "专章", "文本", "说明", "报告", "文档")
    FILES = (
        (SETTINGS, "--settings"),
        ("TEMPLATES", "--templates"),
        (QUALITY, "--quality"),
        ("RATES", "--rates"),
        ("COMPARISON", "--comparison"),
    )
    MADE = ("text", "notes", "tables", "figures")
