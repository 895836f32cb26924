# SPDX-License-Identifier: GPL-2.0-or-later
"""The engine: from polygon layers to control zones. Knows neither QGIS nor Qt."""
