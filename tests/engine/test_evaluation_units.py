# SPDX-License-Identifier: GPL-2.0-or-later
"""Statistics by unit, key areas, the conservation rate: known areas, refusals, published tables, a city."""

import csv
from pathlib import Path

import numpy as np
import pytest
import shapely

rasterio = pytest.importorskip("rasterio")

from swc_zoning.engine import areas, formats  # noqa: E402
from swc_zoning.engine.evaluation import grades, running  # noqa: E402
from swc_zoning.engine.messages import SwcError  # noqa: E402

CRS = "EPSG:4549"
EAST, NORTH = 500000, 3450000
CITY = Path(__file__).resolve().parents[2] / "../shared/data/shanghai_districts"


def box(west, south, east, north):
    """Return a rectangle in kilometres from the corner."""
    return shapely.box(*(EAST + 1000 * west, NORTH + 1000 * south, EAST + 1000 * east, NORTH + 1000 * north))


@pytest.fixture
def layer(tmp_path):
    """Return a maker of layers: layer(name, [(geometry, value, ...)], fields, crs) -> path."""

    def make(name, rows, fields=("name",), crs=CRS):
        path = tmp_path / f"{name}.gpkg"
        geometry, *values = zip(*rows)
        columns = {}
        for field, column in zip(fields, values):
            texts = any(isinstance(one, str) or one is None for one in column)
            columns[field] = np.array(column, object) if texts else np.array(column)
        wkb = shapely.to_wkb(np.array(geometry, object))
        formats.write_table(path, name, [formats.Batch(wkb, columns)], crs, geometry[0].geom_type)
        return path

    return make


@pytest.fixture
def raster(tmp_path):
    """Return a maker of rasters of 100 m cells with their south-west corner at the corner."""

    def make(name, values, cell=100.0, nodata=-1.0):
        path, values = tmp_path / f"{name}.tif", np.asarray(values, np.float32)
        rows, cols = values.shape
        place = rasterio.Affine(cell, 0, EAST, 0, -cell, NORTH + rows * cell)
        profile = {"driver": "GTiff", "count": 1, "dtype": "float32", "nodata": nodata, "crs": CRS}
        with rasterio.open(path, "w", transform=place, width=cols, height=rows, **profile) as target:
            target.write(values, 1)
        return path

    return make


@pytest.fixture
def table(tmp_path):
    def make(name, text, encoding="utf-8"):
        path = tmp_path / f"{name}.csv"
        path.write_bytes(text.encode(encoding))
        return path

    return make


def run(name, tmp_path, folder=None, **parameters):
    def plain(value):
        return [plain(one) for one in value] if isinstance(value, list) else _text(value)

    document = {key: plain(value) for key, value in parameters.items()}
    return running.run(name, document, tmp_path / (folder or f"made-{name}"), tmp_path)


def _text(value):
    return str(value) if isinstance(value, Path) else value


def refused(name, tmp_path, **parameters):
    with pytest.raises(SwcError) as caught:
        run(name, tmp_path, **parameters)
    return caught.value.code


def codes(result):
    return [finding.code for finding in result.findings]


def facts_of(result, code):
    return next(finding.facts for finding in result.findings if finding.code == code)


def rows_of(path, key):
    rows = list(csv.DictReader(path.read_text(encoding="utf-8-sig").splitlines()))
    return {row[key]: row for row in rows}


def official(*shapes):
    return areas.area_model(CRS).areas(np.array(shapes, object)) / 1e6


# --- intensities -----------------------------------------------------------------------------------


def test_intensities_are_read_from_words_and_from_both_codings():
    assert grades.read(["微度", "轻度侵蚀", "剧烈", "", "强烈"], "auto", "x").tolist() == [0, 1, 5, 6, 3]
    assert grades.read(["0", "5", "1.0"], "auto", "x").tolist() == [0, 5, 1]
    assert grades.read(["6", "2"], "auto", "x").tolist() == [5, 1]
    assert grades.read(["2", "3"], "1-6", "x").tolist() == [1, 2]


@pytest.mark.parametrize(
    ("texts", "code"),
    [(["2", "3"], "intensity_coding"), (["0", "6"], "intensity_coding"), (["0", "2.5"], "intensity_words"),
     (["0", "很强"], "intensity_words")],
)  # fmt: skip
def test_an_intensity_that_is_not_clear_is_refused(texts, code):
    with pytest.raises(SwcError) as caught:
        grades.read(texts, "auto", "x")
    assert caught.value.code == f"units.{code}"


# --- statistics ------------------------------------------------------------------------------------

WEST, EASTERN = box(0, 0, 10, 10), box(10, 0, 20, 10)
UNITS = [(WEST, "甲镇", "01"), (EASTERN, "乙镇", "02")]


@pytest.fixture
def units(layer):
    return layer("towns", UNITS, ("name", "code"))


def statistics(tmp_path, units, **given):
    return run("unitstatistics", tmp_path, units=units, name_field="name", code_field="code", **given)


def test_polygons_are_measured_by_unit_on_the_ellipsoid(units, layer, tmp_path):
    worn = [(box(8, 0, 12, 1), "轻度"), (box(0, 5, 1, 6), "剧烈"), (box(15, 5, 16, 6), "微度")]
    made = statistics(tmp_path, units, erosion=layer("worn", worn, ("QSQDMC",)))
    rows = rows_of(made.files["table"], "code")
    light, severe, unit = official(box(8, 0, 10, 1), box(0, 5, 1, 6), WEST)
    assert float(rows["01"]["light_km2"]) == pytest.approx(light, abs=1e-6)
    assert float(rows["01"]["severe_km2"]) == pytest.approx(severe, abs=1e-6)
    assert float(rows["01"]["slight_km2"]) == pytest.approx(unit - light - severe, abs=2e-6)
    assert float(rows["01"]["eroded_percent"]) == pytest.approx(100 * (light + severe) / unit, abs=1e-5)
    assert float(rows["02"]["severe_km2"]) == 0
    both = sum(float(row["light_km2"]) for row in rows.values())
    assert both == pytest.approx(float(official(box(8, 0, 12, 1))[0]), abs=2e-6)


def test_what_was_not_given_is_empty_and_said(units, layer, tmp_path):
    made = statistics(tmp_path, units, reserves=layer("park", [(box(0, 0, 1, 1), "园")]))
    row = rows_of(made.files["table"], "code")["01"]
    assert row["eroded_km2"] == row["density"] == row["cover_mean"] == ""
    assert float(row["reserves_percent"]) == pytest.approx(1, rel=1e-3)
    assert facts_of(made, "units.not_given")["names"].split(", ")[:2] == ["erosion", "forest_grass"]
    back = formats.read_back(made.files["units"], "unit_statistics").columns
    assert all(value is None or np.isnan(value) for value in back["eroded_km2"])
    assert back["reserves_km2"][1] == 0


def test_ground_that_is_covered_twice_counts_once_for_the_worse(units, layer, tmp_path):
    worn = [(box(0, 0, 2, 1), "轻度"), (box(1, 0, 3, 1), "中度"), (box(2, 0, 3, 1), "")]
    made = statistics(tmp_path, units, erosion=layer("worn", worn, ("QSQDMC",)))
    row = rows_of(made.files["table"], "code")["01"]
    assert float(row["light_km2"]) == pytest.approx(1, rel=1e-3)
    assert float(row["moderate_km2"]) == pytest.approx(2, rel=1e-3)
    assert float(row["erosion_unknown_km2"]) == 0
    assert facts_of(made, "units.doubled")["km2"] == pytest.approx(2, rel=1e-3)


def test_land_use_and_patches_make_shares(units, layer, tmp_path):
    use = [(box(0, 0, 5, 10), "0301"), (box(5, 0, 6, 10), "0404"), (box(6, 0, 10, 10), "0101"),
           (box(10, 0, 20, 10), "0303")]  # fmt: skip
    patches = [(box(0, 0, 1, 10), "极重要"), (box(1, 0, 3, 10), "重要")]
    given = {"landuse": layer("use", use, ("DLBM",)), "patches": layer("patches", patches, ("ZYXDJ",))}
    rows = rows_of(statistics(tmp_path, units, **given).files["table"], "code")
    assert float(rows["01"]["forest_grass_percent"]) == pytest.approx(60, rel=1e-3)
    assert float(rows["02"]["forest_grass_percent"]) == 0
    assert float(rows["01"]["important_percent"]) == pytest.approx(30, rel=1e-3)
    assert float(rows["01"]["extremely_percent"]) == pytest.approx(10, rel=1e-3)


def test_rasters_are_counted_by_unit_and_gaps_are_said(units, raster, tmp_path):
    worn, cover = np.zeros((100, 200)), np.full((100, 200), 50.0)
    worn[0, :100] = 3
    worn[:, 100:150] = -1
    cover[:, :50] = 100
    slope = np.where(np.arange(200) < 20, 15.0, 3.0) + np.zeros((100, 1))
    given = {"intensity": raster("i", worn), "cover": raster("c", cover), "slope": raster("s", slope)}
    made = statistics(tmp_path, units, **given)
    rows = rows_of(made.files["table"], "code")
    assert (float(rows["01"]["intense_km2"]), float(rows["01"]["eroded_percent"])) == (1, 1)
    assert float(rows["02"]["erosion_unknown_km2"]) == 50
    assert float(rows["01"]["cover_mean"]) == 0.75
    assert float(rows["01"]["steep_percent"]) == 20
    gaps = [finding.facts for finding in made.findings if finding.code == "units.gaps"]
    assert [(one["name"], one["units"]) for one in gaps] == [("intensity", "02 乙镇")]


def test_a_unit_without_any_data_has_no_value(units, raster, tmp_path):
    worn, kinds = np.zeros((100, 200)), np.ones((100, 200))
    worn[:, 100:] = kinds[:, 100:] = -1
    made = statistics(tmp_path, units, intensity=raster("i", worn), ecosystem=raster("e", kinds))
    rows = rows_of(made.files["table"], "code")
    assert rows["02"]["eroded_km2"] == rows["02"]["forest_grass_percent"] == ""
    assert float(rows["01"]["forest_grass_percent"]) == 100


def test_people_are_found_by_code_in_a_table_as_spreadsheets_write_it(units, table, tmp_path):
    people = table("people", "code,population,镇\n01,20000,甲\n09,5,丙\n", "gb18030")
    made = statistics(tmp_path, units, population=people)
    rows = rows_of(made.files["table"], "code")
    assert float(rows["01"]["density"]) == pytest.approx(200, rel=1e-3)
    assert rows["02"]["density"] == ""
    assert facts_of(made, "units.rows_unknown")["names"] == "09"
    assert facts_of(made, "units.rows_missing")["names"] == "02"


def test_units_that_overlap_are_refused_and_parts_of_one_code_are_one(layer, tmp_path):
    lapping = layer("lapping", [(WEST, "甲", "1"), (box(9, 0, 12, 10), "乙", "2")], ("name", "code"))
    assert refused("unitstatistics", tmp_path, units=lapping, name_field="name") == "evaluation.units_overlap"
    split = layer("split", [(WEST, "甲", "1"), (box(30, 0, 31, 1), "甲", "1")], ("name", "code"))
    made = statistics(tmp_path, split)
    assert list(rows_of(made.files["table"], "code")) == ["1"]


def test_districts_of_a_real_city_in_degrees_sum_to_what_lies_in_them(layer, tmp_path):
    if not CITY.is_dir():
        pytest.skip("no real districts here")
    strips = [(shapely.box(120.5 + 0.5 * n, 30, 121 + 0.5 * n, 32.5), "轻度") for n in range(5)]
    worn = layer("strips", strips, ("QSQDMC",), "EPSG:4490")
    given = {
        "units": CITY / "shanghai_district_tianditu.gpkg",
        "name_field": "district_name",
        "erosion": worn,
    }
    made = run("unitstatistics", tmp_path, **given)
    rows = rows_of(made.files["table"], "name")
    assert len(rows) == 16
    for row in rows.values():
        assert float(row["light_km2"]) == pytest.approx(float(row["unit_km2"]), abs=1e-4)
    # The source of the data states 7207 km2.
    assert sum(float(row["unit_km2"]) for row in rows.values()) == pytest.approx(7207, abs=5)
