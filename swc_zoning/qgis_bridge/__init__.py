# SPDX-License-Identifier: GPL-2.0-or-later
"""What ties the engine to QGIS: child interpreter, sources, styles, language. No widgets here."""
