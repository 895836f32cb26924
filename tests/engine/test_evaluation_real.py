# SPDX-License-Identifier: GPL-2.0-or-later
"""Real rasters through the factors: each step held against another way to compute it on the whole array."""

import numpy as np
import pytest

rasterio = pytest.importorskip("rasterio")

from evaluating import NAN, check_blocks, codes, facts, found, run, values  # noqa: E402

#: Row and column of the neighbours in the order that settles ties.
AROUND = ((-1, 0), (0, 1), (1, 0), (0, -1), (-1, 1), (1, 1), (1, -1), (-1, -1))


@pytest.fixture(scope="module")
def small(shared):
    folder = shared / "rasters_small"
    if not folder.is_dir():
        pytest.skip("the small rasters are not there")
    return folder


def saved_like(path, other, cells, nodata=NAN, dtype="float64"):
    """Write cells on the grid of another raster."""
    with rasterio.open(other) as source:
        profile = {"crs": source.crs, "transform": source.transform, "width": source.width}
        profile |= {"height": source.height, "count": 1, "driver": "GTiff"}
    with rasterio.open(path, "w", dtype=dtype, nodata=nodata, **profile) as target:
        target.write(cells.astype(dtype), 1)
    return path


def horn(dem, cell):
    """Return the slope inside by sums of windows, another form of Horn's formula."""
    windows = np.lib.stride_tricks.sliding_window_view(dem, (3, 3))
    east = np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]]) / (8 * cell)
    return np.degrees(
        np.arctan(np.sqrt((windows * east).sum((2, 3)) ** 2 + (windows * east.T).sum((2, 3)) ** 2))
    )


def lengths(dem, cell, cap, steep=0.5, gentle=0.7):
    """Return where the slope of each cell ends, from the highest cell down; no data is not expected."""
    rows, cols = dem.shape
    begin, end = np.zeros(dem.shape), np.zeros(dem.shape)
    downhill = {}
    for cell_at in np.ndindex(rows, cols):
        downhill[cell_at] = _steepest(dem, cell_at, cell)
    for place in np.argsort(-dem, axis=None, kind="stable"):
        at = divmod(int(place), cols)
        fall, to, way = downhill[at]
        end[at] = begin[at] + way
        if to is None:
            continue
        fall_there, next_there, _ = downhill[to]
        at_edge = to[0] in (0, rows - 1) or to[1] in (0, cols - 1)
        if fall_there >= (gentle if fall < 0.05 else steep) * fall or (next_there is None and at_edge):
            begin[to] = max(begin[to], end[at])
    return np.minimum(end, cap)


def _steepest(dem, at, cell):
    best = (0.0, None, cell)
    for down, right in AROUND:
        to = at[0] + down, at[1] + right
        if 0 <= to[0] < dem.shape[0] and 0 <= to[1] < dem.shape[1]:
            way = np.hypot(down * cell, right * cell)
            fall = (dem[at] - dem[to]) / way
            if fall > best[0]:
                best = (fall, to, way)
    return best


def steepness(slope):
    sine = np.sin(np.radians(slope))
    pieces = [10.8 * sine + 0.03, 16.8 * sine - 0.5, 21.91 * sine - 0.96]
    return np.select([slope < 5.14, slope < 10.2, slope < 28.81], pieces, 9.5988)


@pytest.fixture(scope="module")
def mongon(small, tmp_path_factory):
    """Slope, length, cover and so on of the desert hills of Mongon: results by algorithm, and the folder."""
    folder = tmp_path_factory.mktemp("mongon")
    made = {"slope": run("slopeandrelief", folder, dem=small / "dem.tif")}
    made["length"] = run("slopelength", folder, dem=small / "dem.tif")
    made["cover"] = run("vegetationcover", folder, ndvi=small / "ndvi.tif")
    cover = values(made["cover"].files["cover"])
    kinds = np.where(cover >= 0.5, 1, np.where(cover >= 0.1, 3, 10))
    ecosystem = saved_like(folder / "ecosystem.tif", small / "dem.tif", kinds, 0, "uint8")
    given = {"ecosystem": ecosystem, "cover": made["cover"].files["cover"]}
    made["c"] = run("coverfactor", folder, **given)
    made["importance"] = run("importance", folder, slope=made["slope"].files["slope"], **given)
    factors = {"ls": made["length"].files["ls"], "c": made["c"].files["c"]}
    made["retention"] = run(
        "soilretention", folder, erosivity=300, erodibility=0.03, ecosystem=ecosystem, **factors
    )
    made["ranked"] = run(
        "classifycumulative", folder, value=made["retention"].files["retained"], ecosystem=ecosystem
    )
    classes = [made[name].files["class"] for name in ("importance", "ranked")]
    made["agreement"] = run("integrate", folder, classes=classes)
    return {**made, "folder": folder, "ecosystem": ecosystem}


def test_slope_and_relief_of_mongon(mongon, small):
    dem = values(small / "dem.tif").astype(float)
    cell = 30.849999999996
    slope, relief = (values(mongon["slope"].files[name]) for name in ("slope", "relief"))
    np.testing.assert_allclose(slope[1:-1, 1:-1], horn(dem, cell), rtol=1e-5)
    windows = np.lib.stride_tricks.sliding_window_view(dem, (3, 3))
    np.testing.assert_array_equal(relief[1:-1, 1:-1], windows.max((2, 3)) - windows.min((2, 3)))
    assert 17 < np.median(slope) < 20
    assert facts(mongon["slope"])["steep_share"] == pytest.approx((slope >= 15).mean())


def test_slope_length_of_mongon(mongon, small):
    dem = values(small / "dem.tif").astype(float)
    with rasterio.open(small / "dem.tif") as source:
        assert source.res[0] == pytest.approx(source.res[1], rel=1e-12)
        cell = source.res[0]
    wanted = lengths(dem, cell, 100)
    found_there = values(mongon["length"].files["length"])
    np.testing.assert_allclose(found_there, wanted, rtol=1e-6)
    slope = values(mongon["slope"].files["slope"]).astype(float)
    sine = np.sin(np.radians(slope))
    ratio = sine / 0.0896 / (3 * sine**0.8 + 0.56)
    ls = (wanted / 22.13) ** (ratio / (1 + ratio)) * steepness(slope)
    # Slopes were rounded as they were written; S jumps where one lies on a break.
    assert np.mean(np.isclose(values(mongon["length"].files["ls"]), ls, rtol=1e-5)) > 0.999
    assert 10 < np.median(ls) < 18


def test_cover_importance_and_retention_of_mongon(mongon, small):
    ndvi = values(small / "ndvi.tif").astype(float)
    told = facts(mongon["cover"])
    soil, plants = np.quantile(ndvi, [0.05, 0.95])
    assert told["ndvi_soil"] == pytest.approx(soil, abs=2e-3)
    assert told["ndvi_plants"] == pytest.approx(plants, abs=2e-3)
    cover = values(mongon["cover"].files["cover"])
    spread = (ndvi - told["ndvi_soil"]) / (told["ndvi_plants"] - told["ndvi_soil"])
    np.testing.assert_allclose(cover, np.clip(spread, 0, 1), atol=1e-6)
    slope, kinds = values(mongon["slope"].files["slope"]), values(mongon["ecosystem"])
    green = np.isin(kinds, (1, 2, 3))
    top, high = green & (slope >= 25) & (cover >= 0.8), green & (slope >= 15) & (cover >= 0.6)
    np.testing.assert_array_equal(
        values(mongon["importance"].files["class"]), np.where(top, 3, np.where(high, 2, 1))
    )
    ls, c = (values(mongon[name].files[file]).astype(float) for name, file in (("length", "ls"), ("c", "c")))
    np.testing.assert_allclose(
        values(mongon["retention"].files["retained"]), 300 * 0.03 * ls * (1 - c), rtol=1e-6
    )
    kept = facts(mongon["retention"])["retained_share"]
    assert kept["forest"] > kept["grass"] > kept["desert"]


def test_ranked_classes_and_their_agreement_of_mongon(mongon):
    retained = values(mongon["retention"].files["retained"]).astype(float)
    order = np.sort(retained[retained > 0])[::-1]
    shares = np.cumsum(order) / order.sum()
    limits = [order[np.argmax(shares >= share - 1e-12)] for share in (0.5, 0.8)]
    assert facts(mongon["ranked"])["limits"] == limits
    ranked = values(mongon["ranked"].files["class"])
    np.testing.assert_array_equal(
        ranked, np.select([retained >= limits[0], retained >= limits[1]], [3, 2], 1)
    )
    dual = values(mongon["importance"].files["class"])
    (told,) = facts(mongon["agreement"])["agreement"]
    assert told["percent"] == pytest.approx(100 * (ranked == dual).mean())
    np.testing.assert_array_equal(values(mongon["agreement"].files["class"]), np.maximum(ranked, dual))


def aligned(small, folder, name, crs, cell):
    made = run("alignrasters", folder, continuous=[small / f"{name}.tif"], crs=crs, cell_m=cell)
    return made.files[f"{name}.tif"]


@pytest.mark.parametrize(
    ("name", "crs", "cell", "median", "told"),
    [
        ("elev", "EPSG:32632", 500, (1, 2), {"flat", "wide_window"}),
        ("elev_vinschgau", "EPSG:32632", 250, (20, 25), {"wide_window"}),
        ("pysheds_dem", "EPSG:32614", 90, (0.8, 1.2), {"flat", "wide_window"}),
        ("srtm", "EPSG:26912", 90, (9, 12), {"wide_window"}),
    ],
)
def test_elevations_of_other_lands(small, tmp_path, name, crs, cell, median, told):
    dem = aligned(small, tmp_path, name, crs, cell)
    made = check_blocks("slopeandrelief", tmp_path, dem=dem)
    slope = values(made.files["slope"])
    ground = values(dem).astype(float)
    inside = horn(ground, cell)
    known = ~np.isnan(inside)
    np.testing.assert_allclose(slope[1:-1, 1:-1][known], inside[known], rtol=1e-5, atol=1e-6)
    assert median[0] < np.nanmedian(slope) < median[1]
    assert codes(made) & {"flat", "wide_window", "cliffs"} == told
    lengths_made = check_blocks("slopelength", tmp_path, dem=dem)
    ls = values(lengths_made.files["ls"])
    np.testing.assert_array_equal(np.isnan(ls), np.isnan(slope))
    assert np.nanmin(ls) > 0
    assert np.nanmax(ls) < 9.6 * (100 / 22.13) ** 0.8
    assert ("cap_below_cell" in codes(lengths_made)) == (cell >= 100)


def test_a_sheet_of_values_keeps_them_on_its_own_grid(small, tmp_path):
    with rasterio.open(small / "meuse.tif") as source:
        before, crs = source.read(1, masked=True).filled(0).astype(float), source.crs.to_wkt()
    made = aligned(small, tmp_path, "meuse", crs, 40)
    after = values(made)
    # Its corners are whole multiples of its cells already: nothing moves.
    known = before > 0
    np.testing.assert_allclose(after[: before.shape[0], : before.shape[1]][known], before[known], rtol=1e-6)


def test_swellendam_from_elevations_to_classes(shared, tmp_path):
    """Elevations where no data is an unmarked 0: found, marked, and carried through to classes."""
    given = shared / "swellendam_qgis_training" / "srtm_41_19.tif"
    if not given.is_file():
        pytest.skip("Swellendam is not there")
    raw = run("slopeandrelief", tmp_path, "raw", dem=given)
    assert found(raw, "cliffs")["count"] > 100
    cells = values(given)
    marked = saved_like(tmp_path / "marked.tif", given, cells, 0, "int16")
    made = run("alignrasters", tmp_path, continuous=[marked], crs="EPSG:32733", cell_m=80)
    dem = made.files["marked.tif"]
    slope = check_blocks("slopeandrelief", tmp_path, (300,), dem=dem)
    assert "cliffs" not in codes(slope)
    ls = check_blocks("slopelength", tmp_path, (300,), dem=dem)
    ground = values(dem).astype(float)
    assert np.isnan(ground).mean() == pytest.approx((cells == 0).mean(), abs=0.02)
    inside = horn(ground, 80)
    known = ~np.isnan(inside)
    degrees = values(slope.files["slope"])
    np.testing.assert_allclose(degrees[1:-1, 1:-1][known], inside[known], rtol=1e-5, atol=1e-6)
    kept = run("soilretention", tmp_path, erosivity=2000, erodibility=0.03, ls=ls.files["ls"], c=0.05)
    retained = values(kept.files["retained"]).astype(float)
    np.testing.assert_allclose(retained, 2000 * 0.03 * 0.95 * values(ls.files["ls"]).astype(float), rtol=1e-6)
    ranked = run("classifycumulative", tmp_path, value=kept.files["retained"], only_natural=False)
    classes, shares = values(ranked.files["class"]), facts(ranked)["shares"]
    assert np.nansum(retained[classes == 3]) / np.nansum(retained) == pytest.approx(shares[0], rel=1e-6)
    assert 0.5 <= shares[0] < 0.501
    # The mountains are few and retain the half of it.
    assert (classes == 3).sum() < 0.25 * (classes > 0).sum()
    assert np.nanmedian(degrees[classes == 3]) > 15 > np.nanmedian(degrees[classes == 1])
