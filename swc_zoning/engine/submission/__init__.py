# SPDX-License-Identifier: GPL-2.0-or-later
"""The submission: standard layers, quality check, verified package, consultation."""
