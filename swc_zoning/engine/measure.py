# SPDX-License-Identifier: GPL-2.0-or-later
"""Official ellipsoidal areas of the polygons of a file, in file order."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import CRS, Transformer

from swc_zoning.engine import areas, formats, georef
from swc_zoning.engine.crs import choose_crs
from swc_zoning.engine.messages import SwcError


def areas_of_file(path: Path, layer: str | None = None) -> list[dict[str, Any]]:
    """Return {feature, ellipsoidal_m2, plane_m2} for each feature, areas raw; None where it has none.

    `feature` is the feature number the file gives it. Measured in the CRS of the file, or, where that
    is not projected in metres, in the zone that fits. Raises SwcError ``cli.no_crs``, and what
    `formats.read_vector` and `areas` raise.
    """
    table = formats.read_vector(path, layer, columns=[])
    source = georef.parse(table.layer.crs) if table.layer.crs else None
    if source is None:
        raise SwcError("cli.no_crs", path=str(path))
    geometry = shapely.force_2d(shapely.from_wkb(table.wkb))
    absent = shapely.is_missing(geometry) | shapely.is_empty(geometry)
    ellipsoidal, plane = official_areas(geometry, source)
    return [
        {
            "feature": int(fid),
            "ellipsoidal_m2": None if nothing else float(e),
            "plane_m2": None if nothing else float(p),
        }
        for fid, nothing, e, p in zip(table.fids.tolist(), absent, ellipsoidal, plane)
    ]


def official_areas(geometry: NDArray[Any], source: CRS) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return (ellipsoidal, plane) areas float64[n] in m2, raw, of polygons object[n] in `source`.

    Measured in `source`, or, where that is not projected in metres, in the zone that fits.
    """
    if not georef.is_metric(source):
        target = _zone(geometry, source)
        geometry, source = _moved(geometry, source, target), target
    return areas.area_model(source).areas(geometry), shapely.area(geometry)


def _zone(geometry: NDArray[Any], source: CRS) -> CRS:
    """Return the projected CRS that fits polygons in degrees."""
    bounds = shapely.total_bounds(_moved(geometry, source, georef.parse("EPSG:4490")))
    return georef.parse(choose_crs(bounds.tolist()))


def _moved(geometry: NDArray[Any], source: CRS, target: CRS) -> NDArray[Any]:
    move = Transformer.from_crs(source, target, always_xy=True)
    return shapely.transform(geometry, lambda xy: np.column_stack(move.transform(xy[:, 0], xy[:, 1])))
