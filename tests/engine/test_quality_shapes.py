# SPDX-License-Identifier: GPL-2.0-or-later
"""Checks of shapes and areas: each defect planted in a written package raises what is true of it."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely
from shapely.affinity import translate

from swc_zoning.engine.areas import area_model, close
from swc_zoning.engine.submission import coverage, datasets, opening, quality, schemas
from swc_zoning.engine.submission.sheets import Sheet, to_degrees
from swc_zoning.engine.submission.surface import Plane, Surface

CRS = "EPSG:4549"
WEST, SOUTH, SIZE = 640_000.0, 3_455_000.0, 100.0
COLUMNS, ROWS = 6, 4
CODES = ("990101", "990102")
RULES = [one for one in quality.rules() if one[0] in "45"] + ["2204"]
SCHEMA = schemas.load("national")
NAMES = {layer: {one.name for one in SCHEMA.layers[layer].fields} for layer in ("SBGKFQ", "XZQ", "ZDYFQ")}


@dataclass
class City:
    """Two districts of 3 x 4 squares of 100 m each, in metres; rows of layers by BSM."""

    shapes: dict[str, Any] = field(default_factory=dict)
    rows: dict[str, dict[str, Any]] = field(default_factory=dict)
    districts: dict[str, Any] = field(default_factory=dict)
    frame: dict[str, dict[str, Any]] = field(default_factory=dict)
    relations: list[dict[str, Any]] = field(default_factory=list)
    meta: dict[str, str] = field(default_factory=dict)
    more: list[Sheet] = field(default_factory=list)

    def add(self, bsm: str, shape: Any, code: str, **columns: Any) -> None:
        """Add a piece of farmland outside every line."""
        own = {"FQDM": "0601", "CSDM": "M01", "LH": "1", "ZT": "1", "LYDM": "DL"}
        self.shapes[bsm] = shape
        self.rows[bsm] = {"BSM": bsm, "XZQDM": code, **own, **columns}
        self.relate(bsm, "landuse_status", "cropland")

    def relate(self, bsm: str, role: str, tier: str) -> None:
        """Say that a feature lies on a piece."""
        self.relations.append({"BSM": bsm, "JS": role, "DJ": tier})

    def settle(self) -> City:
        """State the areas as they are now, closed to the districts."""
        model = area_model(CRS)
        for number, code in enumerate(CODES):
            own = [bsm for bsm, row in self.rows.items() if row["XZQDM"] == code]
            raw = model.areas(np.array([self.shapes[bsm] for bsm in own], object))
            control = float(model.areas(np.array([self.districts[code]], object))[0])
            for bsm, value, centi in zip(own, raw, close(raw, control).tolist()):
                self.rows[bsm] |= {"TQMJ": float(value), "TBMJ": centi / 100}
            area = round(control, 2)
            self.frame[code] = {"BSM": f"{code}9000{number:08d}", "XZQDM": code, "KZMJ": area, "MJ": area}
            self.meta |= {f"control:{code}": f"{area:.2f}", f"factor:{code}": "1"}
        total = sum(round(row["KZMJ"] * 100) for row in self.frame.values())
        self.meta |= {"control:": f"{total / 100:.2f}", "work_crs": CRS, "scale": "2000"}
        return self

    def write(self, folder: Path, forms: Iterable[str] = ("gdb",)) -> Path:
        """Write a package of this city."""

        def drawn(shapes: Iterable[Any]) -> Any:
            return to_degrees(np.array(list(shapes), object), CRS)

        layers = SCHEMA.layers
        meta = [{"ITEM": item, "XH": 1, "VALUE": value} for item, value in self.meta.items()]
        sheets = [
            Sheet.of(layers["SBGKFQ"], self.rows.values(), drawn(self.shapes[bsm] for bsm in self.rows)),
            Sheet.of(layers["XZQ"], self.frame.values(), drawn(self.districts.values())),
            Sheet.of(layers["GXB"], self.relations),
            Sheet.of(layers["META"], meta),
            *self.more,
        ]
        for form in forms:
            (folder / "01").mkdir(parents=True, exist_ok=True)
            datasets.write(folder / "01" / f"city.{form}", form, sheets, SCHEMA.domains)
        return folder


def square(column: float, row: float, wide: float = 1, high: float = 1) -> Any:
    return shapely.box(*(at(column, row) + at(column + wide, row + high)))


def at(column: float, row: float) -> tuple[float, float]:
    return WEST + SIZE * column, SOUTH + SIZE * row


def bsm(column: int, row: int) -> str:
    return f"{CODES[column // 3]}0000{column * 10 + row:08d}"


def squares() -> City:
    city = City()
    for number, code in enumerate(CODES):
        grid = [(column, row) for column in range(3 * number, 3 * number + 3) for row in range(ROWS)]
        for column, row in grid:
            city.add(bsm(column, row), square(column, row), code)
        city.districts[code] = shapely.coverage_union_all([city.shapes[bsm(*one)] for one in grid])
    return city


def flaws(folder: Path, only: Iterable[str] = RULES) -> list[quality.Flaw]:
    with opening.opened(folder) as package:
        report = quality.check(package, only=list(only))
    failed = [one.sentence("en") for one in report.not_checked if one.why == "failed"]
    assert failed == []
    for flaw in report.flaws:
        assert flaw.sentence("zh")
        assert flaw.sentence("en")
        assert flaw.fix("zh")
        assert flaw.fix("en")
    return list(report.flaws)


def planted(folder: Path, plant: Callable[[City], None], **how: Any) -> list[quality.Flaw]:
    city = squares().settle()
    plant(city)
    return flaws(city.write(folder, **how))


def codes(found: list[quality.Flaw]) -> list[str]:
    return sorted(flaw.code for flaw in found)


def one(found: list[quality.Flaw], code: str) -> quality.Flaw:
    (flaw,) = [one for one in found if one.code == code]
    return flaw


def inside(flaw: quality.Flaw, shape: Any) -> bool:
    """Return whether the place of a flaw lies in a shape in metres, or within a centimetre of it."""
    place = Plane(CRS).metres(np.array([flaw.place]))[0]
    return shapely.distance(shapely.Point(place), shape) < 0.01


def moved(shape: Any, corner: tuple[float, float], to: tuple[float, float]) -> Any:
    """Return a shape with one of its vertices somewhere else."""
    xy = shapely.get_coordinates(shape)
    xy[np.all(np.isclose(xy, corner, atol=1e-6), axis=1)] = to
    return shapely.Polygon(xy)


# --- what is right ---------------------------------------------------------------------------------


def test_squares_that_cover_their_districts_have_no_flaw(tmp_path):
    assert planted(tmp_path, lambda city: None, forms=("gdb", "gpkg")) == []


def test_every_rule_of_shapes_and_areas_has_a_checker_and_sentences():
    known = quality.checkers()
    for code in RULES:
        assert code in known
        for end in ("", "_fix"):
            assert f"quality_shapes.{code}{end}" in quality.catalogue()


def test_written_degrees_go_back_onto_the_very_grid_they_came_from():
    rng = np.random.default_rng(4)
    corners = np.round(rng.uniform((WEST, SOUTH), (WEST + 3e4, SOUTH + 3e4), (500, 2)), 4)
    shapes = shapely.polygons([[(x, y), (x + 7.0001, y), (x, y + 3.0003)] for x, y in corners.tolist()])
    none = np.empty(0, object)
    surface = Surface.of(Plane(CRS), to_degrees(shapes, CRS), np.full(500, "", object), none, none)
    expected = np.round(shapely.get_coordinates(shapes) * 1e4).astype(np.int64)
    assert np.array_equal(surface.rings.units, expected)
    assert np.abs(surface.areas - area_model(CRS).areas(shapes)).max() < 1e-5
    assert np.allclose(surface.plane_m2, shapely.area(shapes), atol=1e-5)


def test_rings_may_run_either_way():
    shapes = np.array(list(squares().shapes.values()), object)
    shapes[0] = shapely.Polygon(shapes[0].exterior.coords, [square(0.2, 0.2, 0.5, 0.5).exterior.coords])
    shapes = np.append(shapes, square(0.2, 0.2, 0.5, 0.5))
    frame = np.array([shapely.coverage_union_all(shapes)], object)
    for turned in (slice(0, 0), slice(0, None, 2), slice(0, None)):
        ways = shapes.copy()
        ways[turned] = shapely.reverse(ways[turned])
        code = np.full(len(ways), "", object)
        surface = Surface.of(Plane(CRS), to_degrees(ways, CRS), code, to_degrees(frame, CRS), code[:1])
        assert len(surface.left_over) == len(surface.strangers) == 0
        assert np.abs(surface.areas - area_model(CRS).areas(shapes)).max() < 1e-5


# --- cover -----------------------------------------------------------------------------------------


def test_an_overlap_of_one_square_metre_is_that_overlap_and_the_area_that_does_not_fit(tmp_path):
    bump = square(1.5, 2, 0.01, 0.01)

    def plant(city):
        city.shapes[bsm(1, 1)] = shapely.union(city.shapes[bsm(1, 1)], bump)

    found = planted(tmp_path, plant)
    assert codes(found) == ["4102", "5101"]
    overlap = one(found, "4102")
    assert (overlap.severity, overlap.bsm, overlap.facts["other"]) == ("E", bsm(1, 1), bsm(1, 2))
    assert overlap.measure == pytest.approx(1.0, abs=1e-3)
    assert inside(overlap, bump)
    assert one(found, "5101").bsm == bsm(1, 1)


def test_an_overlap_of_less_than_a_hundredth_is_a_warning(tmp_path):
    def plant(city):
        bump = square(1.5, 2, 0.001, 0.0005)
        city.shapes[bsm(1, 1)] = shapely.union(city.shapes[bsm(1, 1)], bump)

    (flaw,) = planted(tmp_path, plant)
    assert (flaw.code, flaw.severity, flaw.key) == ("4102", "W", "tolerance")
    assert flaw.measure == pytest.approx(0.005, abs=2e-4)


def test_a_shared_vertex_moved_in_one_piece_is_an_overlap_and_a_gap(tmp_path):
    def plant(city):
        shape = city.shapes[bsm(1, 1)]
        city.shapes[bsm(1, 1)] = moved(shape, at(2, 2), (at(2, 2)[0] + 2, at(2, 2)[1] - 3))

    found = planted(tmp_path, plant)
    assert codes(found) == ["4102", "4103", "5101"]
    assert one(found, "4102").facts["other"] == bsm(2, 1)
    assert inside(one(found, "4102"), square(2, 1))
    assert inside(one(found, "4103"), square(1, 1))
    assert set(one(found, "4103").facts["beside"].split(", ")) <= set(squares().shapes)


def test_a_vertex_moved_over_the_border_of_the_district_is_outside_too(tmp_path):
    def plant(city):
        shape = city.shapes[bsm(2, 1)]
        city.shapes[bsm(2, 1)] = shapely.union(shape, square(3, 1.4, 0.02, 0.02))

    found = planted(tmp_path, plant)
    assert codes(found) == ["4102", "4401", "5101"]
    assert one(found, "4401").bsm == bsm(2, 1)
    assert one(found, "4401").measure == pytest.approx(4, abs=1e-3)


def test_a_piece_that_is_missing_is_a_gap_and_a_sum(tmp_path):
    def plant(city):
        del city.rows[bsm(1, 2)]
        city.relations = [row for row in city.relations if row["BSM"] != bsm(1, 2)]

    found = planted(tmp_path, plant)
    assert codes(found) == ["4103", "5102"]
    assert one(found, "4103").measure == pytest.approx(10_000, abs=0.01)
    assert one(found, "4103").facts["district"] == CODES[0]
    assert inside(one(found, "4103"), square(1, 2))


def test_a_doubled_piece_is_one_overlap(tmp_path):
    def plant(city):
        twin = f"{CODES[0]}000000000099"
        city.add(twin, city.shapes[bsm(1, 1)], CODES[0], TBMJ=city.rows[bsm(1, 1)]["TBMJ"])

    found = planted(tmp_path, plant)
    assert codes(found) == ["4102", "5102"]
    assert one(found, "4102").case == "same"


def test_a_layer_appended_twice_is_as_many_copies_and_no_more(tmp_path):
    def plant(city):
        for number, (own, row) in enumerate(list(city.rows.items())):
            city.add(f"{row['XZQDM']}0000001{number:07d}", city.shapes[own], row["XZQDM"], TBMJ=row["TBMJ"])

    found = planted(tmp_path, plant)
    assert codes(found) == ["4102"] * 24 + ["5102"] * 2
    assert {flaw.case for flaw in found if flaw.code == "4102"} == {"same"}


def test_a_piece_moved_into_another_district_is_a_gap_overlaps_and_outside(tmp_path):
    def plant(city):
        city.shapes[bsm(1, 1)] = translate(city.shapes[bsm(1, 1)], 3 * SIZE + 50, 0)

    found = planted(tmp_path, plant)
    assert set(codes(found)) == {"4102", "4103", "4401"}
    assert sum(flaw.measure for flaw in found if flaw.code == "4102") == pytest.approx(10_000, abs=0.1)
    assert inside(one(found, "4401"), square(4, 1, 2))


def test_pieces_that_name_another_district_lie_outside_it_also_those_in_the_middle(tmp_path):
    block = [bsm(column, row) for column in range(3) for row in range(3)]

    def plant(city):
        for one in block:
            city.rows[one]["XZQDM"] = CODES[1]

    found = planted(tmp_path, plant)
    assert codes(found) == ["4401"] * 9 + ["5102"] * 2
    assert {flaw.bsm for flaw in found if flaw.code == "4401"} == set(block)


@pytest.mark.parametrize("shift", [2.0, -2.0])
def test_a_border_of_districts_that_is_not_that_of_the_pieces_is_told(tmp_path, shift):
    def plant(city):
        corner = at(3, 2)
        shape = city.districts[CODES[0]]
        city.districts[CODES[0]] = moved(shape, corner, (corner[0] + shift, corner[1]))

    found = planted(tmp_path, plant)
    assert {flaw.code for flaw in found} == {"4401"}
    assert sum(flaw.measure for flaw in found) == pytest.approx(200, abs=0.1)
    assert {(flaw.layer, flaw.case) for flaw in found} == {
        ("XZQ", "doubled") if shift > 0 else ("SBGKFQ", "")
    }


def test_a_district_that_is_not_there_is_told_once(tmp_path):
    def plant(city):
        for row in (0, 1):
            city.rows[bsm(1, row)]["XZQDM"] = "990199"

    found = [flaw for flaw in planted(tmp_path, plant) if flaw.code == "4401"]
    assert [(flaw.case, flaw.facts["count"]) for flaw in found] == [("unknown", 2)]


def test_a_region_laid_over_with_other_pieces_is_measured_pair_by_pair(tmp_path):
    def plant(city):
        for number in range(2):
            code = f"{CODES[0]}0000000009{number}0"
            city.add(code, square(0.5 + number, 1, 1, 2), CODES[0], TBMJ=1.0)

    found = planted(tmp_path, plant)
    pairs = {(flaw.bsm, flaw.facts["other"]): flaw.measure for flaw in found if flaw.code == "4102"}
    assert len(pairs) == 8
    assert all(measure == pytest.approx(5000, abs=0.01) for measure in pairs.values())
    assert "4103" not in codes(found)


def test_vertices_that_only_one_neighbour_has_are_no_defect(tmp_path):
    def plant(city):
        slanted = moved(square(1, 1), at(2, 2), (at(2, 2)[0], at(2, 2)[1] + 0.7))
        above = moved(square(1, 2), at(2, 2), (at(2, 2)[0], at(2, 2)[1] + 0.7))
        denser = shapely.get_coordinates(shapely.segmentize(slanted, SIZE / 3))
        city.shapes[bsm(1, 1)], city.shapes[bsm(1, 2)] = shapely.Polygon(np.round(denser, 4)), above
        city.settle()

    assert planted(tmp_path, plant) == []


def test_a_vertex_on_a_long_border_drawn_straight_in_degrees_is_no_defect(tmp_path):
    def plant(city):
        # Of 30 km along a parallel the middle is metres off the straight line of the plane.
        west, east = at(0, 9), (at(0, 9)[0] + 30_000, at(0, 9)[1])
        ends = shapely.get_coordinates(to_degrees(shapely.linestrings([west, east]), CRS))
        middle = Plane(CRS).metres(np.round(ends.mean(axis=0, keepdims=True), 10))[0]
        assert abs(middle[1] - west[1]) > 1
        above = shapely.Polygon(
            [west, tuple(middle), east, (east[0], east[1] + 500), (west[0], west[1] + 500)]
        )
        below = shapely.Polygon([west, (west[0], west[1] - 500), (east[0], east[1] - 500), east])
        city.add("990103000000000001", above, "990103")
        city.add("990103000000000002", below, "990103")
        ring = [*shapely.get_coordinates(below)[:4], *shapely.get_coordinates(above)[3:5]]
        city.districts["990103"] = shapely.Polygon(ring)
        city.frame["990103"] = {"BSM": "990103900000000001", "XZQDM": "990103"}

    assert {flaw.code for flaw in planted(tmp_path, plant)} <= {"5101", "5102"}


def test_without_districts_overlaps_are_still_found(tmp_path):
    city = squares().settle()
    city.shapes[bsm(1, 1)] = shapely.union(city.shapes[bsm(1, 1)], square(1.5, 2, 0.01, 0.01))
    sheet = Sheet.of(
        SCHEMA.layers["SBGKFQ"],
        city.rows.values(),
        to_degrees(np.array(list(city.shapes.values()), object), CRS),
    )
    datasets.write(tmp_path / "alone.gdb", "gdb", [sheet])
    with opening.opened(tmp_path) as package:
        report = quality.check(package, only=RULES)
    assert {flaw.code for flaw in report.flaws} == {"4102", "5101"}
    assert {one.rule for one in report.not_checked} >= {"4103", "4401", "5102", "5103", "2204"}


@pytest.mark.parametrize("seed", range(20))
def test_overlaps_and_gaps_are_those_of_laying_everything_over_everything(seed):
    rng, city = np.random.default_rng(seed), squares()
    shapes = [_denser(shape, rng) for shape in city.shapes.values()]
    for number in rng.integers(0, len(shapes), 5).tolist():
        shapes[number] = _spoilt(shapes[number], rng)
    districts = np.array(list(city.districts.values()), object)
    names = np.array([row["XZQDM"] for row in city.rows.values()], object)
    given = (
        to_degrees(np.array(shapes, object), CRS),
        names,
        to_degrees(districts, CRS),
        np.array(CODES, object),
    )
    surface = Surface.of(Plane(CRS), *given)
    overlap = sum(shapely.area(shapely.intersection(a, b)) for a, b in itertools.combinations(shapes, 2))
    land, cover = shapely.union_all(districts), shapely.union_all(shapes)
    outside = sum(
        shapely.area(shapely.difference(shape, city.districts[code])) for shape, code in zip(shapes, names)
    )
    for found, expected in (
        (coverage.overlaps(surface), overlap),
        (coverage.gaps(surface), shapely.area(shapely.difference(land, cover))),
        (coverage.outside(surface), outside),
    ):
        assert sum(defect.m2 for defect in found) == pytest.approx(expected, abs=0.06)


def _denser(shape: Any, rng: np.random.Generator) -> Any:
    """Return a polygon with vertices on its edges that its neighbours have not."""
    ring = shapely.get_coordinates(shape)
    share = rng.uniform(0.1, 0.9, (len(ring) - 1, 1))
    between = np.round(ring[:-1] + (ring[1:] - ring[:-1]) * share, 4)
    return shapely.Polygon(np.stack([ring[:-1], between], axis=1).reshape(-1, 2))


def _spoilt(shape: Any, rng: np.random.Generator) -> Any:
    """Return a polygon moved, or with a vertex moved, so that it stays valid."""
    if rng.random() < 0.3:
        return translate(shape, *np.round(rng.uniform(-80, 80, 2), 4))
    ring = shapely.get_coordinates(shape)
    ring[rng.integers(1, len(ring) - 1)] += np.round(rng.uniform(-4, 4, 2), 4)
    made = shapely.Polygon(ring)
    return made if made.is_valid else shape


# --- shapes of one piece -----------------------------------------------------------------------------


def test_a_polygon_that_crosses_itself_is_told_where_it_does(tmp_path):
    def plant(city):
        a, b, c, d = shapely.get_coordinates(square(1, 1))[:4].tolist()
        city.shapes[bsm(1, 1)] = shapely.Polygon([a, c, b, d])

    found = planted(tmp_path, plant)
    assert codes(found) == ["4101", "4103", "4103"]
    assert inside(one(found, "4101"), shapely.Point(at(1.5, 1.5)))
    assert one(found, "4101").facts["kind_zh"] == "自相交"


def test_a_row_without_polygon_is_told_for_every_layer(tmp_path):
    def plant(city):
        rows = [{"BSM": "990101700000000001", "MJ": 1.0}]
        city.more.append(Sheet.of(SCHEMA.layers["ZDYFQ"], rows, np.array([shapely.Polygon()], object)))
        city.shapes[bsm(0, 0)] = shapely.Polygon()

    found = planted(tmp_path, plant)
    empty = {(flaw.layer, flaw.bsm) for flaw in found if flaw.code == "4101" and flaw.case == "empty"}
    assert empty == {("SBGKFQ", bsm(0, 0)), ("ZDYFQ", "990101700000000001")}


@pytest.mark.filterwarnings("ignore:invalid value")
def test_a_polygon_without_ground_or_with_coordinates_that_are_none_is_not_valid(tmp_path):
    def plant(city):
        (x, y), nowhere = at(1, 1), np.array(shapely.get_coordinates(square(9, 9)))
        nowhere[1] = np.nan
        shapes = [shapely.box(x, y, x + 3e-5, y + 1), shapely.Polygon(nowhere)]
        rows = [{"BSM": f"99010170000000000{number}", "MJ": 1.0} for number in range(2)]
        city.more.append(Sheet.of(SCHEMA.layers["ZDYFQ"], rows, to_degrees(np.array(shapes, object), CRS)))

    # A FileGDB does not take such coordinates.
    found = planted(tmp_path, plant, forms=("gpkg",))
    assert [(flaw.code, flaw.severity, flaw.layer) for flaw in found] == [("4101", "E", "ZDYFQ")] * 2
    assert found[0].facts["kind_en"] == "it has no ground on the 0.0001 m grid"


def test_a_polygon_that_crosses_itself_only_in_degrees_is_a_warning(tmp_path):
    def plant(city):
        # An edge of 30 km along a parallel bends by metres between plane and degrees.
        (x, y), far = at(0, 0), 30_000.0
        below = [(x, y - 40), (x + far, y - 40), (x + far, y), (x, y)]
        thin = shapely.Polygon([below[0], (x + far / 2, y - 0.5), *below[1:]])
        row = {"BSM": "990101700000000001", "MJ": float(area_model(CRS).areas(np.array([thin], object))[0])}
        city.more.append(Sheet.of(SCHEMA.layers["ZDYFQ"], [row], to_degrees(np.array([thin], object), CRS)))

    (flaw,) = planted(tmp_path, plant)
    assert (flaw.code, flaw.severity, flaw.key, flaw.layer) == ("4101", "W", "degrees", "ZDYFQ")


def test_parts_are_counted_and_not_the_type_of_the_file(tmp_path):
    def plant(city):
        whole = shapely.MultiPolygon([city.shapes[bsm(0, 0)], city.shapes[bsm(2, 2)]])
        city.shapes[bsm(0, 0)] = whole
        city.rows[bsm(0, 0)]["TBMJ"] += city.rows.pop(bsm(2, 2))["TBMJ"]
        city.rows[bsm(0, 0)]["TQMJ"] *= 2

    (flaw,) = planted(tmp_path, plant)
    assert (flaw.code, flaw.bsm, flaw.measure) == ("4104", bsm(0, 0), 2)


@pytest.mark.parametrize("distance", [0.0, 0.00004])
def test_vertices_nearer_than_the_grid_are_told(tmp_path, distance):
    def plant(city):
        ring = shapely.get_coordinates(city.shapes[bsm(1, 1)]).tolist()
        ring.insert(2, [ring[1][0] + distance, ring[1][1]])
        city.shapes[bsm(1, 1)] = shapely.Polygon(ring)

    found = planted(tmp_path, plant)
    assert codes(found) == ["4105"]
    assert inside(found[0], shapely.Point(*shapely.get_coordinates(square(1, 1))[1]))


def test_a_spike_is_an_acute_angle_and_the_overlap_it_makes(tmp_path):
    tip = (at(2, 1)[0] + 20, at(2, 1.5)[1])

    def plant(city):
        (x, y) = at(2, 1.5)
        spike = shapely.Polygon([(x, y - 0.5), tip, (x, y + 0.5)])
        city.shapes[bsm(1, 1)] = shapely.union(city.shapes[bsm(1, 1)], spike)

    found = planted(tmp_path, plant)
    assert codes(found) == ["4102", "4201", "5101"]
    flaw = one(found, "4201")
    assert (flaw.case, flaw.bsm) == ("", bsm(1, 1))
    assert inside(flaw, shapely.Point(tip))
    assert flaw.measure == pytest.approx(np.degrees(2 * np.arctan(0.5 / 20)), abs=1e-3)


def cut(city: City, column: int, row: int, width: float, **columns: Any) -> str:
    """Cut a strip off the east of a square as a piece of its own."""
    own, code = bsm(column, row), CODES[column // 3]
    strip, name = square(column + 1 - width / SIZE, row, width / SIZE), f"{code}0000000005{column}{row}"
    city.shapes[own] = shapely.difference(city.shapes[own], strip)
    city.add(name, strip, code, **columns)
    return name


def test_a_narrow_piece_between_statutory_borders_is_one_warning_for_their_pair(tmp_path):
    city = squares()
    strips = [cut(city, 1, row, 0.4, LYDM="DL;HX") for row in range(ROWS)]
    for number, strip in enumerate(strips):
        city.relate(strip, "ecological_redline", ("biodiversity", "other")[number % 2])
    own = [city.shapes[one_] for one_, row in city.rows.items() if row["XZQDM"] == CODES[0]]
    city.districts[CODES[0]] = shapely.coverage_union_all(own)
    found = flaws(city.settle().write(tmp_path))
    assert codes(found) == ["4202", "4301"]
    narrow, sliver = one(found, "4202"), one(found, "4301")
    assert (narrow.severity, narrow.key, narrow.facts["count"]) == ("W", "statutory", 4)
    assert "生态保护红线" in narrow.facts["pairs_zh"]
    assert narrow.measure == pytest.approx(0.4, abs=1e-3)
    assert (sliver.severity, sliver.case, sliver.key, sliver.facts["count"]) == ("W", "pair", "HX", 4)
    assert sliver.facts["pair_zh"] == "生态保护红线"


def test_a_sliver_that_may_be_merged_and_was_not_is_an_error(tmp_path):
    city = squares()
    strip = cut(city, 1, 1, 0.005)
    found = flaws(city.settle().write(tmp_path))
    flaw = one(found, "4301")
    assert (flaw.severity, flaw.bsm, flaw.facts["other"]) == ("E", strip, bsm(1, 1))
    assert flaw.measure == pytest.approx(0.5, abs=1e-3)


@pytest.mark.parametrize(
    ("role", "tier", "columns"),
    [
        ("river_lake_management", "river", {"LYDM": "DL;HG"}),
        ("landuse_status", "forest", {}),
        ("", "", {"CSDM": "M02"}),
    ],
)
def test_a_sliver_of_another_membership_or_measure_is_never_an_error(tmp_path, role, tier, columns):
    city = squares()
    strip = cut(city, 1, 1, 0.005, **columns)
    if role:
        city.relate(strip, role, tier)
    found = flaws(city.settle().write(tmp_path))
    assert one(found, "4301").severity == "W"


def test_the_pair_of_a_sliver_between_two_borders_names_both(tmp_path):
    city = squares()
    strip = cut(city, 1, 1, 0.005)
    for row in range(ROWS):
        for column in (0, 1):
            city.relate(bsm(column, row), "ecological_redline", "biodiversity")
        city.relate(bsm(2, row), "permanent_basic_farmland", "pbf")
    assert one(flaws(city.settle().write(tmp_path)), "4301").key == "HX×YN"
    assert strip


def test_a_narrow_river_and_an_island_are_no_slivers(tmp_path):
    city = squares()
    river = cut(city, 1, 1, 1.5)
    city.relations = [row for row in city.relations if row["BSM"] != river]
    city.relate(river, "landuse_status", "water")
    assert "4301" not in codes(flaws(city.settle().write(tmp_path / "river")))

    city = squares()
    rock = square(4.4, 1.4, 0.1, 0.1)
    city.shapes[bsm(4, 1)] = shapely.difference(city.shapes[bsm(4, 1)], rock)
    for row in city.rows.values():
        row["LH"] = "0"
    city.add(f"{CODES[1]}000000000077", rock, CODES[1])
    assert "4301" not in codes(flaws(city.settle().write(tmp_path / "island")))


def test_pieces_too_small_for_the_map_are_counted_at_its_scale(tmp_path):
    found = planted(tmp_path, lambda city: city.meta.update(scale="100000"))
    assert [(flaw.code, flaw.severity, flaw.facts["count"]) for flaw in found] == [("4302", "I", 24)]


def test_vertices_off_the_grid_are_told_of_the_working_copy(tmp_path):
    city = squares().settle()
    for one_ in (bsm(1, 1), bsm(2, 1), bsm(1, 2), bsm(2, 2)):
        city.shapes[one_] = moved(city.shapes[one_], at(2, 2), (at(2, 2)[0] + 4e-5, at(2, 2)[1]))
    (flaw,) = flaws(city.write(tmp_path, ("gdb", "gpkg")))
    assert (flaw.code, flaw.severity, flaw.facts["count"]) == ("2204", "W", 4)
    assert flaw.file.endswith(".gpkg")
    assert inside(flaw, shapely.Point(at(2, 2)))


def test_a_vertex_put_into_a_straight_line_need_not_be_on_the_grid(tmp_path):
    city = squares().settle()
    for one_ in (bsm(1, 1), bsm(1, 2)):
        ring = shapely.get_coordinates(city.shapes[one_]).tolist()
        places = [number for number in range(4) if ring[number][1] == ring[number + 1][1] == at(0, 2)[1]]
        ring.insert(places[0] + 1, [at(1.5, 2)[0] + 4e-5, at(1.5, 2)[1] + 4e-5])
        city.shapes[one_] = shapely.Polygon(ring)
    assert flaws(city.write(tmp_path, ("gdb", "gpkg"))) == []


def test_a_ring_that_touches_itself_only_on_the_grid_is_as_valid_as_it_is_written(tmp_path):
    def plant(city):
        (x, y), (u, v) = at(1, 1), at(2, 2)
        notch = [(x + 50, v), (x + 50 - 3e-5, y + 50), (x + 50 - 3e-5, v)]
        near = shapely.Polygon([(x, y), (u, y), (u, v), *notch, (x, v)])
        assert near.is_valid
        city.shapes[bsm(1, 1)] = near

    assert "4101" not in codes(planted(tmp_path, plant))


# --- areas -----------------------------------------------------------------------------------------


def test_a_sum_wrong_by_one_hundredth_is_told_and_nothing_else(tmp_path):
    (flaw,) = planted(
        tmp_path, lambda city: city.rows[bsm(1, 1)].update(TBMJ=city.rows[bsm(1, 1)]["TBMJ"] + 0.01)
    )
    assert (flaw.code, flaw.severity, flaw.measure) == ("5102", "E", 0.01)
    assert flaw.facts["district"] == CODES[0]
    assert inside(flaw, square(0, 0, 3, 4))


def test_the_districts_add_up_to_the_whole(tmp_path):
    (flaw,) = planted(tmp_path, lambda city: city.meta.update({"control:": "1.00"}))
    assert (flaw.code, flaw.case) == ("5102", "whole")


def test_a_control_area_in_the_layer_of_districts_is_that_of_meta(tmp_path):
    def plant(city):
        city.frame[CODES[1]]["KZMJ"] += 0.01

    (flaw,) = planted(tmp_path, plant)
    assert (flaw.code, flaw.case, flaw.layer) == ("5102", "table", "XZQ")


def test_an_area_that_is_not_that_of_the_polygon_is_told(tmp_path):
    def plant(city):
        city.rows[bsm(1, 1)]["TBMJ"] += 0.2
        city.rows[bsm(0, 1)]["TBMJ"] -= 0.2
        city.rows[bsm(5, 3)]["TQMJ"] += 0.2

    found = planted(tmp_path, plant)
    assert codes(found) == ["5101"] * 3
    assert {(flaw.bsm, flaw.field) for flaw in found} == {
        (bsm(1, 1), "TBMJ"),
        (bsm(0, 1), "TBMJ"),
        (bsm(5, 3), "TQMJ"),
    }


def test_levelled_areas_are_held_against_the_factor_of_their_district(tmp_path):
    def plant(city):
        for row in city.rows.values():
            if row["XZQDM"] == CODES[0]:
                row["TBMJ"] = round(row["TBMJ"] * 1.0002, 2)
        total = sum(round(row["TBMJ"] * 100) for row in city.rows.values() if row["XZQDM"] == CODES[0])
        city.frame[CODES[0]]["KZMJ"] = total / 100
        rest = round(float(city.meta[f"control:{CODES[1]}"]) * 100)
        factor = {f"factor:{CODES[0]}": "1.0002", f"control:{CODES[0]}": f"{total / 100:.2f}"}
        city.meta |= {**factor, "control:": f"{(total + rest) / 100:.2f}"}

    (flaw,) = planted(tmp_path, plant)
    assert (flaw.code, flaw.severity, flaw.key) == ("5103", "W", CODES[0])


@pytest.mark.parametrize("factor", ["inf", "1e999"])
def test_a_factor_without_bounds_hides_no_wrong_area(tmp_path, factor):
    def plant(city):
        city.meta[f"factor:{CODES[0]}"] = factor
        city.rows[bsm(1, 1)]["TBMJ"] += 0.2

    found = planted(tmp_path, plant)
    assert ("5101", bsm(1, 1)) in {(flaw.code, flaw.bsm) for flaw in found}
    assert [flaw.case for flaw in found if flaw.code == "5103"] == ["number"]


def test_areas_in_hectares_are_one_flaw(tmp_path):
    def plant(city):
        for row in city.rows.values():
            row["TBMJ"] = row["TBMJ"] / 10_000

    found = [flaw for flaw in planted(tmp_path, plant) if flaw.code == "5101"]
    assert [(flaw.case, flaw.facts["unit_en"]) for flaw in found] == [("unit", "hectares")]


def test_a_key_area_is_not_larger_than_its_unit(tmp_path):
    def plant(city):
        shapes = np.array([square(0, 0, 2, 2), square(2, 0, 4, 2), square(0, 2, 2, 4)], object)
        areas = [round(float(one), 2) for one in area_model(CRS).areas(shapes)]
        units = [areas[0] + 5e5, areas[1] - 1, None]
        rows = [
            {"BSM": f"99010170000000000{number}", "MJ": area, "DYMJ": unit}
            for number, (area, unit) in enumerate(zip(areas, units), 1)
        ]
        city.more.append(Sheet.of(SCHEMA.layers["ZDYFQ"], rows, to_degrees(shapes, CRS)))

    (flaw,) = planted(tmp_path, plant)
    assert (flaw.code, flaw.case, flaw.bsm, flaw.field) == ("5101", "less", "990101700000000002", "DYMJ")
    assert flaw.measure == pytest.approx(1, abs=1e-6)


def test_areas_of_key_areas_and_of_reference_copies_are_held_against_their_polygons(tmp_path):
    def plant(city):
        shape = np.array([square(0, 0, 2, 2)], object)
        area = float(area_model(CRS).areas(shape)[0])
        drawn = to_degrees(shape, CRS)
        layers = SCHEMA.layers
        city.more += [
            Sheet.of(layers["ZDYFQ"], [{"BSM": "990101700000000001", "MJ": area + 1}], drawn),
            Sheet.of(layers["STBHHX"], [{"BSM": "990101800000000001", "MJ": area * 1.02}], drawn),
            Sheet.of(layers["ZRBHD"], [{"BSM": "990101800000000002", "MJ": area / 10_000}], drawn),
        ]

    found = planted(tmp_path, plant)
    assert [(flaw.code, flaw.layer, flaw.severity, flaw.case) for flaw in found] == [
        ("5101", "ZDYFQ", "E", ""),
        ("5104", "STBHHX", "W", ""),
        ("5104", "ZRBHD", "W", "unit"),
    ]
