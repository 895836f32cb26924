# SPDX-License-Identifier: GPL-2.0-or-later
"""The workbench: a dock with one page for each part of a planner's day. Widgets only; no geometry."""
