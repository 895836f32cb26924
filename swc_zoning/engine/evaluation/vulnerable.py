# SPDX-License-Identifier: GPL-2.0-or-later
"""The algorithm of vulnerability to soil loss (dual evaluation 2020): classes of monitored intensities.

Not modelled: what monitoring found. No area of severe soil loss is declared by it; that takes an
announcement (Soil and Water Conservation Law, article 18).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from numpy.typing import NDArray

from swc_zoning.engine import areas
from swc_zoning.engine.evaluation import grades, vectors
from swc_zoning.engine.evaluation.rasters import Output, Stack, View, compute, stacked
from swc_zoning.engine.evaluation.tallies import Tally
from swc_zoning.engine.messages import SwcError

if TYPE_CHECKING:
    from swc_zoning.engine.evaluation.running import Run

LAYER = "vulnerable"
_NO_CLASS = 0


def vulnerability(run: Run) -> None:
    """Write polygons with their class, and a raster of classes where there is a grid for it."""
    if run["polygons"] is None and run["intensity"] is None:
        raise SwcError("evaluation.needs", names="polygons | intensity")
    if run["polygons"] is not None and run["intensity"] is not None:
        raise SwcError("evaluation.one_of", names="polygons, intensity")
    table = run.set("table")
    # Class by intensity 0..5 and, last, without data.
    classes = np.array([*table["classes"], _NO_CLASS], np.uint8)
    run.find("evaluation.not_declared")
    if run["intensity"] is not None:
        _of_raster(run, classes)
    else:
        _of_polygons(run, classes)


def _of_raster(run: Run, classes: NDArray[np.uint8]) -> None:
    with stacked({"intensity": run["intensity"]}) as stack:
        _check_intensity(stack, run["intensity"].name)
        tally = Tally(stack.grid)

        def make(view: View) -> dict[str, Any]:
            found = classes[np.nan_to_num(view["intensity"], nan=grades.UNKNOWN).astype(np.int64)]
            tally.add(view.block, found)
            return {"class": found}

        compute(stack, {"class": Output(run.path("class"), "uint8", 0)}, make, run.progress.advance)
    tally.tell(run)


def _check_intensity(stack: Stack, name: str) -> None:
    wrong = 0
    for block in stack.blocks():
        values = stack.read(block)["intensity"]
        wrong += int((~np.isnan(values) & ~np.isin(values, range(6))).sum())
    if wrong:
        raise SwcError("evaluation.intensity_range", path=name, count=wrong)


def _of_polygons(run: Run, classes: NDArray[np.uint8]) -> None:
    shapes = vectors.read(run["polygons"])
    if run["field"] is None:
        raise SwcError("evaluation.needs", names="field")
    found = grades.read(shapes.column(run["field"]), run["coding"], shapes.name)
    made = classes[found]
    unknown = int((found == grades.UNKNOWN).sum())
    if unknown:
        run.find("evaluation.intensity_missing", path=shapes.name, count=unknown)
    _write(run, shapes, found, made)
    if run["template"] is not None:
        _burn(run, shapes, made)


def _write(run: Run, shapes: vectors.Shapes, found: NDArray[np.int64], made: NDArray[np.uint8]) -> None:
    """Write the polygons that are vulnerable, highest class first, with official areas."""
    order = np.argsort(-made.astype(int), kind="stable")
    kept = order[made[order] >= 2]
    geometry = np.empty(len(kept), object)
    geometry[:] = [shapely.multipolygons(_parts(shapes.geometry[place])) for place in kept]
    official = areas.round_area(areas.area_model(shapes.crs).areas(geometry)) if len(kept) else np.empty(0)
    columns = {
        "class": made[kept].astype(np.int32),
        "intensity": np.array([grades.GRADES[found[place]] for place in kept], object),
        "area_m2": official,
    }
    vectors.write(run.path("vulnerable"), LAYER, geometry, columns, shapes.crs, "MultiPolygon")
    sums = {value: float(official[columns["class"] == value].sum()) / 1e6 for value in (3, 2)}
    run.facts["km2_by_class"] = {str(value): km2 for value, km2 in sums.items()}
    run.find("evaluation.vulnerable", count=len(kept), extreme_km2=sums[3], high_km2=sums[2])


def _parts(geometry: Any) -> list[Any]:
    return [part for part in shapely.get_parts(geometry) if part.geom_type == "Polygon"]


def _burn(run: Run, shapes: vectors.Shapes, made: NDArray[np.uint8]) -> None:
    """Write the classes on the cells of the template; where polygons overlap the highest wins."""
    order = np.argsort(made, kind="stable")
    with stacked({"template": run["template"]}) as stack:
        onto = vectors.read_onto(run["polygons"], stack.grid.crs).geometry
        burnt, classes = vectors.Burnt(onto[order], stack.grid), np.append(made[order], np.uint8(0))
        tally = Tally(stack.grid)

        def make(view: View) -> dict[str, Any]:
            found = classes[burnt.numbers(view.block)]
            tally.add(view.block, found)
            return {"class": found}

        compute(stack, {"class": Output(run.path("class"), "uint8", 0)}, make, run.progress.advance)
    # Areas are those of the polygons.
    run.facts["cells_by_class"] = list(map(int, tally.cells))
