# SPDX-License-Identifier: GPL-2.0-or-later
"""Evaluation from rasters and statistics: factors of erosion, classes, patches, the conservation rate."""
