# SPDX-License-Identifier: GPL-2.0-or-later
"""Parameter files of the evaluation of the demo city, and the job that takes its results.

All lie in the folder ``evaluation``; each result goes into a folder beside them that has the name of its
file: ``python -m swc_zoning evaluate flatdelta evaluation/flatdelta.json --output evaluation/flatdelta``.
"""

from __future__ import annotations

import copy
import csv
import json
from pathlib import Path
from typing import Any

from swc_zoning.test_data.layers import Layer

FOLDER = "evaluation"
#: Widths of the strips along waters (m), by class. Invented, as the classes are.
WIDTHS = {"水源地河湖": 200, "湖泊": 200, "主干航道": 100, "其他河道": 60}
#: The order in which results build on each other.
ORDER = (
    "flatdelta",
    "hillyprovince",
    "alignraster",
    "slopeandrelief",
    "sensitivity",
    "unitstatistics",
    "keyareas",
    "conservationrate",
)
#: Erosivity R of the city (MJ.mm/(hm2.h.a)) and grade of its soils (loam), for its sensitivity.
EROSIVITY, SOIL_GRADE = 4850, 3
#: Layers of the job that results replace: role -> file, layer, name field, tier.
_IMPORTANT = {"极重要": "extremely_important", "重要": "important"}
_LEVELS = {"国家级": "national", "省级": "provincial", "市级": "municipal", "县级": "county"}
RESULTS: dict[str, dict[str, Any]] = {
    "swc_function_important": {
        "source": "flatdelta/patches.gpkg",
        "layer": "swc_function_important",
        "tier": {"field": "ZYXDJ", "map": _IMPORTANT},
        "id_field": "BSM",
        "name_field": "MC",
    },
    "key_prevention_zone": {
        "source": "keyareas/key_prevention_zone.gpkg",
        "layer": "key_prevention_zone",
        "tier": {"field": "JB", "map": _LEVELS},
        "id_field": "BSM",
        "name_field": "MC",
    },
    "key_treatment_zone": {
        "source": "keyareas/key_treatment_zone.gpkg",
        "layer": "key_treatment_zone",
        "tier": {"field": "JB", "map": _LEVELS},
        "id_field": "BSM",
        "name_field": "MC",
    },
}


def write(output: Path, job: dict[str, Any], layers: list[Layer], surveyed: list[Layer], cell: float) -> None:
    """Write the parameter files, the table of people and the job into ``evaluation``."""
    folder = output / FOLDER
    folder.mkdir()
    crs = job["crs"]
    sources = {layer.role: f"../{layer.path}" for layer in layers + surveyed if layer.role != "monitoring"}
    years = {layer.rows[0]["NF"]: f"../{layer.path}" for layer in surveyed if layer.role == "monitoring"}
    made = {
        "flatdelta": _flat_delta(sources, years, crs, cell),
        "hillyprovince": _hilly_province(sources, years, crs, cell),
        **_sensitivity(),
        "unitstatistics": _unit_statistics(sources, years),
        "keyareas": _key_areas(years),
        "conservationrate": _conservation_rate(sources, years),
        "job": _job(job),
    }
    for name, document in made.items():
        text = json.dumps(document, ensure_ascii=False, indent=1) + "\n"
        (folder / f"{name}.json").write_text(text, encoding="utf-8")
    townships = next(layer for layer in surveyed if layer.role == "townships")
    with (folder / "population.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["code", "population"])
        writer.writerows([row["XZDM"], row["RKS"]] for row in townships.rows)


def _common(sources: dict[str, str], crs: str, cell: float) -> dict[str, Any]:
    return {
        "ndvi": "../rasters/ndvi.tif",
        "dem": "../rasters/dem.tif",
        "crs": crs,
        "cell_m": cell,
        "boundary": sources["assessed"],
        "landuse": sources["landuse_banks"],
        "landuse_field": "DLBM",
    }


def _flat_delta(sources: dict[str, str], years: dict[int, str], crs: str, cell: float) -> dict[str, Any]:
    legal = ("drinking_water_source", "nature_reserve", "nature_park", "important_wetland", "wetland_core")
    return {
        **_common(sources, crs, cell),
        "waters": sources["waters"],
        "class_field": "HLLB",
        "widths": WIDTHS,
        **{role: sources[role] for role in legal},
        "hills": sources["hills"],
        "monitoring": years[max(years)],
        "parcels": sources["landuse_banks"],
        "least_m2": 10000,
    }


def _hilly_province(sources: dict[str, str], years: dict[int, str], crs: str, cell: float) -> dict[str, Any]:
    soil = {name: f"../rasters/{name}.tif" for name in ("sand", "silt", "clay", "carbon")}
    return {
        **_common(sources, crs, cell),
        "rain": "../rasters/rain.csv",
        "rain_crs": crs,
        **soil,
        "erosion": years[max(years)],
        "erosion_field": "QSQDMC",
        "least_m2": 10000,
    }


def _sensitivity() -> dict[str, dict[str, Any]]:
    """Return three steps: elevations on the cells of the cover, their relief, the sensitivity."""
    factors = {"erosivity": EROSIVITY, "soil": SOIL_GRADE, "cover": "flatdelta/cover.tif"}
    return {
        "alignraster": {"raster": "../rasters/dem.tif", "template": "flatdelta/cover.tif"},
        "slopeandrelief": {"dem": "alignraster/aligned.tif", "window_m": 300},
        "sensitivity": {**factors, "relief": "slopeandrelief/relief.tif"},
    }


def _unit_statistics(sources: dict[str, str], years: dict[int, str]) -> dict[str, Any]:
    return {
        "units": sources["townships"],
        "code_field": "XZDM",
        "name_field": "XZMC",
        "erosion": years[max(years)],
        "landuse": sources["landuse_banks"],
        "cover": "flatdelta/cover.tif",
        "patches": "flatdelta/patches.gpkg",
        "sources": sources["drinking_water_source"],
        "reserves": sources["nature_reserve"],
        "population": "population.csv",
        "slope": "slopeandrelief/slope.tif",
    }


def _key_areas(years: dict[int, str]) -> dict[str, Any]:
    return {
        "units": "unitstatistics/units.gpkg",
        "rules": "proposed",
        "contiguous": False,
        "least_zone_km2": 20,
        "patches": "flatdelta/patches.gpkg",
        "erosion": years[max(years)],
    }


def _conservation_rate(sources: dict[str, str], years: dict[int, str]) -> dict[str, Any]:
    return {
        "erosion": [years[year] for year in sorted(years)],
        "years": sorted(years),
        "units": sources["admin_extent"],
        "code_field": "XZQDM",
        "name_field": "XZQMC",
        "land": sources["land_mask"],
        "denominator": "land",
    }


def _job(job: dict[str, Any]) -> dict[str, Any]:
    """Return the job of the city with what the evaluation found in the place of its planted layers."""
    made = copy.deepcopy(job)
    made["title"] += "：评价结果"
    for entry in (made["extent"], *made["layers"]):
        entry["source"] = f"../{entry['source']}"
        found = RESULTS.get(entry.get("role", ""))
        if found:
            entry.pop("approval_no", None)
            entry.update(found, provider="本项目评价（合成）")
    # So that its result can be handed in: slivers that may be merged are an error there.
    made.setdefault("options", {}).setdefault("slivers", {})["merge"] = "all"
    return made
