# SPDX-License-Identifier: GPL-2.0-or-later
"""Open the real QGIS under Xvfb, work through the demo city, and save a picture of every page.

``screenshots.py --output DIR [--language zh en] [--theme default] [--scale 1.5]`` needs ``build/stage``
and a Debian or
Ubuntu with QGIS, xvfb and the fonts of ``tools/setup.sh``. Inside QGIS, `inside` does the clicking: this
file is also what QGIS runs (``--code``).
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1] if "__file__" in globals() else Path(os.environ["SWC_SHOTS_ROOT"])
SCREEN = (1680, 1050)
LIMIT_S = 300
LOCALES = {"zh": "zh-Hans", "en": "en_US"}

_PROFILE = """[PythonPlugins]
swc_zoning=true
processing=true

[locale]
overrideFlag=true
userLocale={locale}

[UI]
UITheme={theme}

[qgis]
checkVersion=false

[core]
NewsFeed\\httpsfeedqgisorg\\disabled=true
"""


def shoot(output: Path, language: str, theme: str, scale: str) -> int:
    """Open QGIS in a profile of its own and return its exit status; pictures go to `output`."""
    output.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        settings = folder / "profiles" / "default" / "QGIS" / "QGIS3.ini"
        settings.parent.mkdir(parents=True)
        settings.write_text(_PROFILE.format(locale=LOCALES[language], theme=theme), encoding="utf-8")
        environment = {
            **os.environ,
            "HOME": str(folder),
            "QGIS_PLUGINPATH": str(ROOT / "build" / "stage"),
            "SWC_ZONING_PYTHON": str(ROOT / ".venv" / "bin" / "python"),
            "SWC_ZONING_LANG": language,
            "SWC_SHOTS_ROOT": str(ROOT),
            "SWC_SHOTS_OUTPUT": str(output.resolve()),
            "SWC_SHOTS_WORK": str(folder),
            "QT_QPA_PLATFORM": "xcb",
            "QT_SCALE_FACTOR": scale,
            "PYTHONWARNINGS": "ignore",
            "LC_ALL": "C.UTF-8",
        }
        screen = f"-screen 0 {SCREEN[0]}x{SCREEN[1]}x24"
        command = ["xvfb-run", "-a", "-s", screen, _qgis(), "--profiles-path", str(folder)]
        command += ["--nologo", "--noversioncheck", "--code", str(Path(__file__).resolve())]
        done = subprocess.run(command, env=environment, timeout=LIMIT_S + 60, check=False)
    return done.returncode


def _qgis() -> str:
    # Debian wraps the program; the wrapper changes the options.
    return next((name for name in ("/usr/bin/qgis.bin", "/usr/bin/qgis") if Path(name).exists()), "qgis")


# --- inside QGIS -----------------------------------------------------------------------------------


def inside() -> None:
    """Work through the demo city in the window of QGIS; each step waits until it may go on."""
    from qgis.PyQt.QtCore import QElapsedTimer, QTimer
    from qgis.utils import iface, plugins

    window, clock = iface.mainWindow(), QElapsedTimer()
    window.showNormal()
    window.move(0, 0)
    window.resize(*SCREEN)
    clock.start()
    steps = _steps(iface, plugins["swc_zoning"])
    waiting: list[Callable[[], bool]] = []
    timer = QTimer(window)

    def tick() -> None:
        if clock.elapsed() > 1000 * LIMIT_S:
            _quit("screenshots: out of time")
        if waiting and not waiting[0]():
            return
        try:
            waiting[:] = [next(steps)]
        except StopIteration:
            _quit("")
        except Exception:
            _quit(traceback.format_exc())

    timer.timeout.connect(tick)
    timer.start(200)


def _quit(error: str) -> None:
    sys.stderr.write(error)
    sys.stderr.flush()
    # QGIS would ask whether to save the project.
    os._exit(1 if error else 0)


def _steps(iface: Any, plugin: Any) -> Iterator[Callable[[], bool]]:
    """Do one thing after another; each yields what must hold before the next."""
    from qgis.PyQt.QtCore import QElapsedTimer, Qt
    from qgis.PyQt.QtWidgets import QTabWidget

    output, work = (Path(os.environ[name]) for name in ("SWC_SHOTS_OUTPUT", "SWC_SHOTS_WORK"))
    window, bench = iface.mainWindow(), plugin._workbench
    still = QElapsedTimer()

    def rested(seconds: float) -> Callable[[], bool]:
        still.start()
        return lambda: still.elapsed() > 1000 * seconds and not iface.mapCanvas().isDrawing()

    def picture(name: str) -> None:
        window.grab().save(str(output / f"{name}.png"))

    bench.show()
    window.resizeDocks([bench], [round(SCREEN[0] * 0.5)], Qt.Orientation.Horizontal)
    yield rested(3)
    picture("start")
    bench.make_demo(work)
    yield lambda: bench.desk.session.result is not None and not bench.desk.runner.busy
    iface.mapCanvas().zoomToFullExtent()
    yield rested(3)
    busy = bench.desk.runner
    yield from _second_result(bench)
    for page in bench.pages:
        bench.show_page(type(page))
        yield rested(2.5)
        _use(page)
        yield lambda: not busy.busy
        yield rested(2.5)
        name = type(page).__name__.removesuffix("Page").lower()
        picture(name)
        for tabs in page.findChildren(QTabWidget):
            for number in range(1, tabs.count()):
                tabs.setCurrentIndex(number)
                yield rested(1)
                picture(f"{name}-{number}")
            tabs.setCurrentIndex(0)


def _second_result(bench: Any) -> Iterator[Callable[[], bool]]:
    """Zone again with nature parks less strict, so that there is something to compare."""
    session = bench.desk.session
    first = session.result.folder
    zoning = next(page for page in bench.pages if type(page).__name__ == "ZoningPage")
    document = json.loads(json.dumps(session.table().document))
    next(row for row in document["rules"] if row["id"] == "R05")["zone"] = "PREV_GENERAL"
    session.set_rules(document)
    zoning.run()
    yield lambda: session.result.folder != first and not bench.desk.runner.busy
    session.set_rules(None)
    zoning.run()
    yield lambda: len(session.results()) == 3 and not bench.desk.runner.busy


def _use(page: Any) -> None:
    """Do what a planner would do on a page before looking at it."""
    from qgis.core import QgsGeometry

    session, name = page.desk.session, type(page).__name__
    if name == "ScreeningPage":
        west, south, side = 590000, 3450000, 9000
        corners = (
            f"{west} {south}, {west + side} {south}, {west + side} {south + side}, {west} {south + side}"
        )
        ring = QgsGeometry.fromWkt(f"POLYGON(({corners}, {west} {south}))")
        page.screen_geometry(ring, session.result.summary["crs"])
    if name == "WhyPage":
        page.ask_at(page.desk.result_layer("zones").extent().center())
    if name == "ComparePage":
        newest, older = session.results()[:2]
        page.choose(older, newest)
        page.run()


def main() -> int:
    """Read the command line and take the pictures."""
    parser = argparse.ArgumentParser(description="Save a picture of every page of the workbench.")
    parser.add_argument("--output", type=Path, default=ROOT / "build" / "screenshots")
    parser.add_argument("--language", nargs="+", choices=sorted(LOCALES), default=["zh", "en"])
    parser.add_argument("--theme", default="default", help="a theme of QGIS, such as 'Night Mapping'")
    parser.add_argument("--scale", default="1", help="factor of the screen, such as 1.5")
    options = parser.parse_args()
    for language in options.language:
        status = shoot(options.output / language, language, options.theme, options.scale)
        if status:
            print(f"screenshots: QGIS ended with {status}", file=sys.stderr)
            return 1
        print(options.output / language)
    return 0


if "SWC_SHOTS_OUTPUT" in os.environ:
    inside()
elif __name__ == "__main__":
    sys.exit(main())
