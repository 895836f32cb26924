# SPDX-License-Identifier: GPL-2.0-or-later
"""What tests of the evaluation share: rasters and layers made, algorithms run, what they made read back."""

import json
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import rasterio
import shapely

from swc_zoning.engine import formats
from swc_zoning.engine.evaluation import rasters, running
from swc_zoning.engine.messages import SwcError

NAN = float("nan")
CRS = "EPSG:4549"
WEST, NORTH = 500000, 3450000


def save(folder, name, cells, cell=10.0, crs=CRS, corner=(WEST, NORTH), unit=""):
    """Write a raster of floats whose north-west corner is at `corner`; return its path."""
    cells = np.atleast_2d(np.asarray(cells, float))
    path = folder / f"{name}.tif"
    place = rasterio.Affine(cell, 0, corner[0], 0, -cell, corner[1])
    profile = {"driver": "GTiff", "count": 1, "dtype": "float64", "nodata": NAN, "crs": crs}
    size = {"height": cells.shape[0], "width": cells.shape[1]}
    with rasterio.open(path, "w", transform=place, **profile, **size) as target:
        target.write(cells, 1)
        target.units = (unit,)
    return path


def layer(folder, name, rows, field="name", crs=CRS):
    """Write polygons with a text each; return the path of the GeoPackage."""
    path = folder / f"{name}.gpkg"
    wkb = shapely.to_wkb(np.array([one for one, _ in rows], object))
    texts = np.array([text for _, text in rows], object)
    formats.write_table(path, name, [formats.Batch(wkb, {field: texts})], crs, rows[0][0].geom_type)
    return path


def run(name, folder, into="", **parameters):
    """Run an algorithm into a folder of its own within `folder`."""
    document = {key: _plain(value) for key, value in parameters.items()}
    return running.run(name, document, folder / f"made-{name}{into}", folder)


def _plain(value):
    if isinstance(value, list):
        return [_plain(one) for one in value]
    return str(value) if isinstance(value, Path) else value


def refusal(name, folder, **parameters):
    """Return the error an algorithm refuses parameters with."""
    with pytest.raises(SwcError) as caught:
        run(name, folder, **parameters)
    return caught.value


def refused(name, folder, **parameters):
    return refusal(name, folder, **parameters).code.partition(".")[2]


def values(path):
    """Return the cells of a raster, NaN where it marks no data (of floats)."""
    with rasterio.open(path) as source:
        return source.read(1)


def codes(result):
    return {finding.code.partition(".")[2] for finding in result.findings}


def found(result, code):
    """Return the facts of the one finding with a code."""
    (one,) = [finding for finding in result.findings if finding.code == f"evaluation.{code}"]
    return one.facts


def facts(result):
    return json.loads(result.record.read_text(encoding="utf-8"))["facts"]


@contextmanager
def blocks_of(size):
    """Let algorithms work in blocks of `size` cells."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rasters.Stack.blocks, "__defaults__", (size,))
        patch.setattr(rasters.compute, "__defaults__", (*rasters.compute.__defaults__[:2], size))
        yield


def check_blocks(name, folder, sizes=(37, 64), **parameters):
    """Hold what blocks of some sizes make against the whole, bit for bit; return the whole."""
    with blocks_of(100_000):
        whole = run(name, folder, **parameters)
    for size in sizes:
        with blocks_of(size):
            made = run(name, folder, into=str(size), **parameters)
        for output, path in whole.files.items():
            if path.suffix == ".tif":
                np.testing.assert_array_equal(values(made.files[output]), values(path), err_msg=output)
            if path.suffix == ".csv":
                assert made.files[output].read_bytes() == path.read_bytes()
    return whole
