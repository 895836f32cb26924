# SPDX-License-Identifier: GPL-2.0-or-later
"""The algorithm that makes the tables of the chapter."""

from __future__ import annotations

from swc_zoning.processing_algs.chapter import QUALITY, SETTINGS, ChapterAlgorithm


class MakeTables(ChapterAlgorithm):
    """Makes the tables of the chapter as one workbook, and each as CSV beside it."""

    ID = "maketables"
    ROOM = "make_tables"
    TAGS = ("chapter", "table", "xlsx", "excel", "csv", "statistics", "专章", "表格", "附表", "统计", "面积")
    PARTS = ("tables",)
    FILES = ((SETTINGS, "--settings"), (QUALITY, "--quality"), ("RATES", "--rates"))
    MADE = ("tables", "figures")
