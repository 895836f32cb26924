# SPDX-License-Identifier: GPL-2.0-or-later
"""A written data set opened again and held against the sheets it was to hold: every row, value and vertex."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from swc_zoning.engine.messages import SwcError
from swc_zoning.engine.submission import datasets
from swc_zoning.engine.submission.sheets import DEGREE_DECIMALS, Sheet
from swc_zoning.engine.submission.texts import key

#: Numbers of fields without declared decimals go through text in a Shapefile.
_RELATIVE = 1e-12
_DEGREES = 10.0**-DEGREE_DECIMALS


def compare(path: Path, form: str, sheets: Iterable[Sheet]) -> None:
    """Read a data set and hold it against `sheets`: count, every attribute, vertices within 1e-10 degree.

    Raises SwcError ``package.not_as_written`` with data set, layer, field, BSM and both values, and what
    `datasets.read` raises. Tables are not in Shapefiles.
    """
    for sheet in sheets:
        if sheet.geometry is not None or form != "shp":
            _compare(path, form, sheet)


def _compare(path: Path, form: str, sheet: Sheet) -> None:
    raw = datasets.read(path, form, sheet.layer.name)
    if len(raw) != len(sheet):
        raise _differs(path, sheet, "", None, len(raw), len(sheet))
    for name, meant in sheet.columns.items():
        found = raw.columns.get(datasets.short_name(sheet.layer, name) if form == "shp" else name)
        if found is None:
            raise _differs(path, sheet, name, None, "-", name)
        for row in np.flatnonzero(~_same(found, meant))[:1]:
            raise _differs(path, sheet, name, int(row), found[row], meant[row])
    if sheet.geometry is not None and len(sheet):
        for row in np.flatnonzero(~_same_place(raw.polygons(), sheet.geometry))[:1]:
            raise _differs(path, sheet, "geometry", int(row), "", "")


def _differs(path: Path, sheet: Sheet, field: str, row: int | None, found: Any, meant: Any) -> SwcError:
    facts = {
        "bsm": "" if row is None else key(sheet, row),
        "found": str(found)[:60],
        "meant": str(meant)[:60],
    }
    return SwcError("package.not_as_written", data=path.name, layer=sheet.layer.name, field=field, **facts)


def _same(found: NDArray[Any], meant: NDArray[Any]) -> NDArray[np.bool_]:
    """Return for each row whether a value came through; a Shapefile has no null text."""
    if meant.dtype == object:
        same = np.asarray(found.astype(object) == meant, bool)
        rest = np.flatnonzero(~same)
        same[rest] = [(one or None) == (other or None) for one, other in zip(found[rest], meant[rest])]
        return same
    found, meant = found.astype(np.float64), meant.astype(np.float64)
    return np.isclose(found, meant, rtol=_RELATIVE, atol=0, equal_nan=True)


def _same_place(found: NDArray[Any], meant: NDArray[Any]) -> NDArray[np.bool_]:
    """Return whether polygons are the same, whatever the order of rings and where each begins."""
    if any(one is None for one in found.tolist()):
        return np.array([one is not None for one in found.tolist()])
    same = _same_rings(found, meant)
    if not same.all():
        # A Shapefile turns rings round.
        same |= _same_rings(shapely.reverse(found), meant)
    rest = np.flatnonzero(~same)
    if len(rest):
        same[rest] = shapely.equals_exact(_canonical(found[rest]), _canonical(meant[rest]), _DEGREES)
    return same


def _same_rings(found: NDArray[Any], meant: NDArray[Any]) -> NDArray[np.bool_]:
    """Return which polygons have the same rings vertex by vertex; none where their numbers differ at all."""
    (rings, of), (others, of_others) = _rings(found), _rings(meant)
    size = shapely.get_num_coordinates(rings)
    same = np.zeros(len(meant), bool)
    if not np.array_equal(of, of_others) or not np.array_equal(size, shapely.get_num_coordinates(others)):
        return same
    apart = np.abs(shapely.get_coordinates(rings) - shapely.get_coordinates(others)).max(axis=1) > _DEGREES
    same[of] = True
    same[np.repeat(of, size)[apart]] = False
    return same


def _rings(geometry: NDArray[Any]) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """Return the rings of polygons in order, and the number of the polygon each is of."""
    parts, of = shapely.get_parts(geometry, return_index=True)
    rings, of_part = shapely.get_rings(parts, return_index=True)
    return rings, of[of_part]


def _canonical(geometry: NDArray[Any]) -> NDArray[Any]:
    # On the grid first: where two vertices are nearly equal, noise would decide where a ring begins.
    rounded = shapely.transform(geometry, lambda points: np.round(points, DEGREE_DECIMALS))
    single = shapely.get_type_id(rounded) == shapely.GeometryType.POLYGON
    rounded[single] = shapely.multipolygons(rounded[single][:, None])
    return shapely.normalize(rounded)
