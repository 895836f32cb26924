# SPDX-License-Identifier: GPL-2.0-or-later
"""Processing algorithms: thin parameters and outputs around the engine."""
