# SPDX-License-Identifier: GPL-2.0-or-later
"""Defects planted in the written files of a package, with sqlite and the file system alone."""

from __future__ import annotations

import hashlib
import sqlite3
import struct
from contextlib import closing, contextmanager

import numpy as np
import shapely
from pyproj import Transformer

#: Bytes of the envelope of a GeoPackage geometry by its code.
_ENVELOPES = {0: 0, 1: 32, 2: 48, 3: 48, 4: 64}


class Planter:
    """A copy of a package: `folder`, its GeoPackage `gpkg`, and ways to damage it."""

    def __init__(self, folder, work_crs="EPSG:4549"):
        self.folder = folder
        (self.gpkg,) = folder.glob("01_*/*.gpkg")
        self._to_plane = Transformer.from_crs("EPSG:4490", work_crs, always_xy=True)
        self._to_degrees = Transformer.from_crs(work_crs, "EPSG:4490", always_xy=True)

    @contextmanager
    def opened(self):
        """Yield a connection that can update layers with a spatial index."""
        with closing(sqlite3.connect(self.gpkg)) as connection:
            for name, at in {"ST_MinX": 0, "ST_MinY": 1, "ST_MaxX": 2, "ST_MaxY": 3}.items():
                connection.create_function(name, 1, lambda blob, at=at: _drawn(blob).bounds[at])
            connection.create_function("ST_IsEmpty", 1, lambda blob: int(_drawn(blob).is_empty))
            with connection:
                yield connection

    def sql(self, text, *values):
        """Run one statement and return its rows."""
        with self.opened() as connection:
            return connection.execute(text, values).fetchall()

    def set(self, layer, bsm, **values):
        """Set fields of the row of an identifier."""
        pairs = ", ".join(f'"{name}" = ?' for name in values)
        self.sql(f'UPDATE "{layer}" SET {pairs} WHERE BSM = ?', *values.values(), bsm)

    def row(self, layer, bsm):
        """Return the row of an identifier as a mapping, without geometry."""
        with self.opened() as connection:
            connection.row_factory = sqlite3.Row
            (row,) = connection.execute(f'SELECT * FROM "{layer}" WHERE BSM = ?', (bsm,))
            return {key: row[key] for key in row.keys() if key not in ("geom", "fid")}  # noqa: SIM118

    def plane(self, layer, bsm):
        """Return the polygon of an identifier in metres of the working CRS."""
        ((blob,),) = self.sql(f'SELECT geom FROM "{layer}" WHERE BSM = ?', bsm)
        return shapely.transform(_drawn(blob), self._moved(self._to_plane))

    def draw(self, layer, bsm, geometry):
        """Replace the polygon of an identifier by one in metres of the working CRS."""
        degrees = shapely.transform(geometry, self._moved(self._to_degrees, 10))
        self.sql(f'UPDATE "{layer}" SET geom = ? WHERE BSM = ?', _blob(degrees), bsm)

    def copy_row(self, layer, bsm, **changes):
        """Add a copy of the row of an identifier with `changes`."""
        row = {**self.row(layer, bsm), **changes}
        ((blob,),) = self.sql(f'SELECT geom FROM "{layer}" WHERE BSM = ?', bsm)
        names = ", ".join(f'"{name}"' for name in (*row, "geom"))
        marks = ", ".join("?" * (len(row) + 1))
        self.sql(f'INSERT INTO "{layer}" ({names}) VALUES ({marks})', *row.values(), blob)

    def degrees(self, point):
        """Return longitude and latitude of a point of the working CRS."""
        return self._to_degrees.transform(point.x, point.y)

    def metres(self, place):
        """Return (east, north) of (longitude, latitude)."""
        return self._to_plane.transform(*place)

    def reseal(self):
        """Write the sums of the files anew, as someone would who knows how to."""
        path = self.folder / "SHA256SUMS"
        lines = []
        for line in path.read_text(encoding="utf-8").splitlines():
            name = line[66:]
            file = self.folder / name
            if file.exists():
                lines.append(f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {name}")
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")

    @staticmethod
    def _moved(transformer, decimals=None):
        def moved(points):
            new = np.column_stack(transformer.transform(points[:, 0], points[:, 1]))
            return new if decimals is None else np.round(new, decimals)

        return moved


def _drawn(blob):
    return shapely.from_wkb(bytes(blob)[8 + _ENVELOPES[(blob[3] >> 1) & 7] :])


def _blob(geometry):
    return struct.pack("<2sBBi", b"GP", 0, 1, 4490) + shapely.to_wkb(geometry)
