# SPDX-License-Identifier: GPL-2.0-or-later
"""The submission: a result as layers, tables and files to hand in, checked as they were written."""
