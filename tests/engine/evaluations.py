# SPDX-License-Identifier: GPL-2.0-or-later
"""A demo city whose important areas come from an evaluation: method and rule of each patch, and a record."""

import json
from pathlib import Path

import numpy as np
import pyogrio

from swc_zoning.engine.evaluation import records, sets

METHOD = {"method": "functionrules", "method_zh": "平原规则法", "method_en": "Rules for flat land"}
RULES = {
    3: {
        "rule": "reserve",
        "rule_zh": "一级水源保护区、自然保护地核心区",
        "rule_en": "Level-one source zone or core of a reserve",
    },
    2: {"rule": "strip", "rule_zh": "河湖岸带自然植被", "rule_en": "Natural cover on banks"},
}
WORDS = {3: "极重要", 2: "重要"}


def record():
    """Return the record of a chain, as the evaluation writes them."""
    chosen = [sets.load(kind, sets.names(kind)[0]) for kind in ("importance", "sensitivity")]
    return {
        "algorithm": "flatdelta",
        "version": "0",
        "parameters": {"least_m2": 10000, "cover": "cover.tif", "parcels": None, "exclude": []},
        "inputs": [{"file": "cover.tif", "sha256": "0" * 64}],
        "parameter_sets": [one.as_json() for one in chosen],
        "outputs": [],
        "facts": {
            "steps": [
                {
                    "id": "dual",
                    "algorithm": "importance",
                    "zh": "双评价判别",
                    "en": "Importance by slope and cover",
                    "parameters": {"slope": "slope.tif"},
                    "facts": {"steep_share": 0.00125, "km2_by_class": {"3": 0.0, "2": 0.37, "1": 211.5}},
                },
                {
                    "id": "sensitivity",
                    "algorithm": "sensitivity",
                    "zh": "水土流失敏感性",
                    "en": "Sensitivity",
                    "parameters": {},
                    "facts": {"reachable": 3.343702, "greatest_relief_m": 31.4},
                },
            ]
        },
        "findings": [
            {
                "code": "evaluation.flat",
                "severity": "warning",
                "facts": {"percent": 0.125},
                "text": "…",
                "place": None,
            },
            {
                "code": "evaluation.unreachable",
                "severity": "warning",
                "facts": {"relief": 31.4, "reachable": 3.343702, "cut": 4.0},
                "text": "…",
            },
            *(one.finding().as_json("zh") for one in chosen if not one.verified),
        ],
    }


def plant(city: Path, document=None) -> Path:
    """Give a demo city important areas that carry a record; return the path of the job that takes them."""
    job = json.loads((city / "job.json").read_text(encoding="utf-8"))
    entry = next(one for one in job["layers"] if one["role"] == "swc_function_important")
    frame = pyogrio.read_dataframe(city / entry["source"], layer=entry["layer"])
    levels = np.where(frame["ZYX"] == WORDS[3], 3, 2)
    frame["ZYXDJ"], frame["class"] = [WORDS[level] for level in levels], levels.astype("int32")
    for name, text in METHOD.items():
        frame[name] = text
    for name in RULES[3]:
        frame[name] = [RULES[level][name] for level in levels]
    path = city / "evaluated.gpkg"
    path.unlink(missing_ok=True)
    pyogrio.write_dataframe(frame, path, layer="swc_function_important", driver="GPKG")
    records.write(path, document or record())
    taken = {**entry, "source": path.name, "layer": "swc_function_important"}
    taken["tier"] = {"field": "ZYXDJ", "map": {"极重要": "extremely_important", "重要": "important"}}
    job["layers"] = [taken if one is entry else one for one in job["layers"]]
    made = city / "evaluated.json"
    made.write_text(json.dumps(job, ensure_ascii=False), encoding="utf-8")
    return made
