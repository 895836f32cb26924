# SPDX-License-Identifier: GPL-2.0-or-later
"""The demo city: an invented river delta, made anew from code; see ``make_city``."""
