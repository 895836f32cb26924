# SPDX-License-Identifier: GPL-2.0-or-later
"""The chapter of a spatial plan on soil and water conservation: figures, tables, charts, documents."""
