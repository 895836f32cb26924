# SPDX-License-Identifier: GPL-2.0-or-later
"""A sheet: the rows of one layer or table of the submission, as columns, with polygons where it has them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import Transformer

from swc_zoning.engine.submission.schemas import Field, Layer

#: Decimals of degrees that are written: 1e-10 degree is about 0.01 mm, the grid of the FileGDB.
DEGREE_DECIMALS = 10
#: What stands for what did not fit.
_CUT = "…"
_ENCODING = "gb18030"


@dataclass(frozen=True)
class Sheet:
    """Rows of `layer`, one value a row in each of `columns`, which are in the order of its fields.

    Text: object array of str or None; integer: int64; real: float64, NaN where there is none. An open
    layer may have further columns. `geometry`: Polygons or MultiPolygons, longitude and latitude of
    EPSG:4490 on 1e-10 degree; None for a table.
    """

    layer: Layer
    columns: Mapping[str, NDArray[Any]]
    geometry: NDArray[Any] | None = None

    @classmethod
    def of(
        cls, layer: Layer, rows: Iterable[Mapping[str, Any]], geometry: NDArray[Any] | None = None
    ) -> Sheet:
        """Return a sheet of `rows`, mappings by field; what a row does not name is None."""
        rows = list(rows)
        columns = {field.name: column(field, [row.get(field.name) for row in rows]) for field in layer.fields}
        return cls(layer, columns, geometry)

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))

    def rows(self) -> list[dict[str, Any]]:
        """Return the rows as mappings, NaN as None. For small sheets."""
        lists = {name: [_plain(value) for value in values.tolist()] for name, values in self.columns.items()}
        return [dict(zip(lists, values)) for values in zip(*lists.values())]

    def only(self, chosen: NDArray[Any]) -> Sheet:
        """Return the rows `chosen`, a mask or numbers."""
        columns = {name: values[chosen] for name, values in self.columns.items()}
        return Sheet(self.layer, columns, None if self.geometry is None else self.geometry[chosen])


def objects(values: Sequence[Any]) -> NDArray[Any]:
    """Return values as a column of objects; numpy would take lists and geometries apart."""
    made = np.empty(len(values), object)
    made[:] = values
    return made


def column(field: Field, values: Iterable[Any]) -> NDArray[Any]:
    """Return values as a column of the type of `field`; real numbers rounded to its decimals."""
    values = list(values)
    if field.kind == "integer":
        return np.array(values, np.int64)
    if field.kind == "real":
        numbers = np.array([np.nan if value is None else value for value in values], np.float64)
        return np.round(numbers, field.decimals)
    return objects([None if value is None or value == "" else str(value) for value in values])


def items_of(meta: Sheet) -> dict[str, str]:
    """Return the items of table META; a value longer than its field goes on in further rows (XH)."""
    rows = zip(*(meta.columns[name].tolist() for name in ("ITEM", "XH", "VALUE")))
    items: dict[str, str] = {}
    for item, _, value in sorted(rows, key=lambda row: (row[0] or "", row[1])):
        items[item or ""] = items.get(item or "", "") + (value or "")
    return items


def fitted(text: str | None, length: int) -> str | None:
    """Return explanatory text cut so that it takes at most `length` bytes of GB 18030, with … where cut.

    Char(n) of the Chinese schemas counts bytes; names, codes and numbers are never cut.
    """
    if not text or len(text.encode(_ENCODING)) <= length:
        return text or None
    room = length - len(_CUT.encode(_ENCODING))
    return text.encode(_ENCODING)[:room].decode(_ENCODING, errors="ignore") + _CUT


def to_degrees(geometry: NDArray[Any], work_crs: str, crs: str = "EPSG:4490") -> NDArray[Any]:
    """Return polygons of the working CRS (metres) in degrees, longitude first, on 1e-10 degree.

    Vertices only: a vertex that two polygons share stays shared.
    """
    transformer = Transformer.from_crs(work_crs, crs, always_xy=True)

    def moved(points: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.round(np.column_stack(transformer.transform(points[:, 0], points[:, 1])), DEGREE_DECIMALS)

    return shapely.transform(geometry, moved)


def _plain(value: Any) -> Any:
    return None if isinstance(value, float) and value != value else value
