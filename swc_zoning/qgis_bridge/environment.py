# SPDX-License-Identifier: GPL-2.0-or-later
"""What the child interpreter has, what refused candidates lack, and the commands to get it."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from swc_zoning.engine.messages import sentence
from swc_zoning.qgis_bridge import host

PLATFORMS = ("windows", "macos", "linux")


@dataclass(frozen=True)
class Environment:
    """The interpreter that is used ("" where there is none), its versions, and why others are not."""

    python: str
    own: bool
    versions: Mapping[str, str]
    refusals: tuple[str, ...]
    #: What to install for the evaluation of rasters, "" where it is there or nothing is.
    no_rasters: str = ""


@dataclass(frozen=True)
class Step:
    """One way to get what is missing: words, and the commands to type."""

    words: str
    commands: tuple[str, ...] = ()


def examine(preferred: str, lang: str, again: bool = False) -> Environment:
    """Return what was found. Starts processes: not for the main thread. `again` forgets earlier answers."""
    if again:
        host.search.cache_clear()
    found = host.search(preferred)
    refusals = tuple(refusal.sentence(lang) for refusal in found.refusals)
    if found.child is None:
        return Environment("", False, {}, refusals)
    lacking = host.lacking_rasters(preferred, lang)
    return Environment(found.child.python, found.child.own, found.child.versions, refusals, lacking)


def platform() -> str:
    """Return "windows", "macos" or "linux"."""
    return {"win32": "windows", "darwin": "macos"}.get(sys.platform, "linux")


def remedies(system: str, lang: str) -> list[Step]:
    """Return the ways to get what the engine needs on a platform, the easiest first."""
    return list({"windows": _windows, "macos": _macos, "linux": _linux}[system](lang))


def _packages() -> str:
    floors = {**host.FLOORS, **host.RASTERS}
    return " ".join(f'"{name}>={host.dotted(floor)}"' for name, floor in floors.items())


def _windows(lang: str) -> Iterator[Step]:
    yield Step(sentence("environment.windows_setup", {}, lang))
    shell = f"python -m pip install --user {_packages()}"
    yield Step(sentence("environment.windows_shell", {}, lang), (shell,))
    yield from _offline("python", lang)
    yield Step(sentence("environment.untested", {}, lang))


def _macos(lang: str) -> Iterator[Step]:
    yield _own_folder("/usr/bin/python3", lang)
    yield from _offline("~/swc_zoning_python/bin/python", lang)
    yield Step(sentence("environment.untested", {}, lang))


def _linux(lang: str) -> Iterator[Step]:
    apt = "sudo apt install python3-geopandas python3-pyogrio python3-rasterio"
    yield Step(sentence("environment.linux_apt", {}, lang), (apt,))
    yield _own_folder("python3", lang)
    yield from _offline("~/swc_zoning_python/bin/python", lang)


def _own_folder(python: str, lang: str) -> Step:
    make = f"{python} -m venv ~/swc_zoning_python"
    fill = f"~/swc_zoning_python/bin/python -m pip install {_packages()}"
    return Step(sentence("environment.own_folder", {}, lang), (make, fill))


def _offline(python: str, lang: str) -> Iterator[Step]:
    fetch = f"python -m pip download --dest packages {_packages()}"
    user = "--user " if python == "python" else ""
    take = f"{python} -m pip install {user}--no-index --find-links packages {_packages()}"
    yield Step(sentence("environment.offline", {}, lang), (fetch, take))
