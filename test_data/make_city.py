# SPDX-License-Identifier: GPL-2.0-or-later
"""Make the demo city: an invented river delta with the layers and habits of real planning data.

``python test_data/make_city.py --output DIR [--seed 7] [--scale 1.0]`` writes the layers, ``job.json``,
``planted.json`` (conflicts and flaws put in on purpose) and ``README.txt``. Everything is synthetic
(合成数据): shapes, names, codes and document numbers are invented. The same seed makes the same city.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import ground as terrain
import layers
import publish


def possible(scale: float) -> bool:
    """Return whether the city can be drawn at `scale`: below, parcels outgrow its islands."""
    return 0.02 <= scale <= 4.0


def make(output: Path, seed: int = 7, scale: float = 1.0) -> dict[str, int]:
    """Write the city into `output` (made if absent); `scale` multiplies the number of parcels.

    Return the number of features by role. Raises ValueError for a scale outside 0.02..4.
    """
    if not possible(scale):
        raise ValueError(f"scale must be within 0.02..4, not {scale}")
    config = json.loads((Path(__file__).parent / "city.json").read_text(encoding="utf-8"))
    drawn = terrain.draw(config, seed, scale)
    city = layers.City(drawn, terrain.divide(drawn))
    made = layers.build(city)
    flaws = publish.soil(city, made)
    output.mkdir(parents=True, exist_ok=True)
    publish.write(output, config, made)
    publish.describe(output, config, made, flaws)
    return {layer.role: len(layer.rows) for layer in made}


def main(arguments: list[str] | None = None) -> int:
    """Read the command line, make the city, print what was made."""
    parser = argparse.ArgumentParser(description="Make the synthetic demo city (合成数据).")
    parser.add_argument("--output", type=Path, required=True, help="folder to write to")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--scale", type=float, default=1.0, help="multiplies the number of parcels (0.02..4)")
    options = parser.parse_args(arguments)
    if not possible(options.scale):
        parser.error(f"scale must be within 0.02..4, not {options.scale}")
    counts = make(options.output, options.seed, options.scale)
    for role, count in counts.items():
        print(f"{role:28s} {count:6d}")
    print(f"{'total':28s} {sum(counts.values()):6d}  -> {options.output / 'job.json'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
