# SPDX-License-Identifier: GPL-2.0-or-later
"""Soil-and-water-conservation spatial control zoning (水土保持空间管控分区)."""

from pathlib import Path
from typing import Any

_HERE = Path(__file__).resolve().parent
if not (_HERE / "processing_algs").is_dir() and (_HERE.parent / "metadata.txt").is_file():
    # A source checkout keeps processing_algs/ and resources/ beside this package; the
    # staged plugin and the wheel hold them inside it. Both import as swc_zoning.<name>.
    __path__.append(str(_HERE.parent))


def classFactory(iface: Any) -> Any:  # noqa: N802 (QGIS calls this name)
    """Return the plugin object QGIS asks for."""
    from swc_zoning.plugin import SwcZoningPlugin

    return SwcZoningPlugin(iface)
