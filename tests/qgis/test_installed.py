# SPDX-License-Identifier: GPL-2.0-or-later
"""The zip as a user installs it: below a long path with Chinese and blanks, in an empty profile, offline."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import layers
import pytest

ROOT = Path(__file__).resolve().parents[2]
LONG = "水土保持 规划 科 - 第二 版 " * 8


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The plugin folder that QGIS would have after installing from ZIP, and the home it is in."""
    folder = tmp_path_factory.mktemp("zip")
    command = [sys.executable, str(ROOT / "tools/stage.py"), "--output", str(folder / "stage")]
    subprocess.run([*command, "--zip", str(folder)], check=True, capture_output=True)
    [package] = folder.glob("*.zip")
    home = folder / LONG.strip()[:70] / "用户 目录"
    plugins = home / "profiles" / "default" / "python" / "plugins"
    with zipfile.ZipFile(package) as archive:
        archive.extractall(plugins)
    return home


def offline() -> list[str]:
    """Return the command that starts another one without any network, [] where that is not allowed."""
    command = ["unshare", "--net", "--map-root-user"]
    if shutil.which("unshare") is None:
        return []
    tried = subprocess.run([*command, "true"], capture_output=True, check=False)
    return command if tried.returncode == 0 else []


def qgis_process(home, *arguments):
    """Run qgis_process in an empty home; what would reach out meets a proxy that leads nowhere."""
    program = shutil.which("qgis_process.bin") or shutil.which("qgis_process")
    nowhere = dict.fromkeys(("http_proxy", "https_proxy", "all_proxy"), "http://127.0.0.1:9")
    runtime = home / "runtime"
    runtime.mkdir(mode=0o700, exist_ok=True)
    environment = {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "XDG_RUNTIME_DIR": str(runtime),
        "QT_QPA_PLATFORM": "offscreen",
        "PYTHONWARNINGS": "ignore",
        "QGIS_CUSTOM_CONFIG_PATH": str(home),
        "SWC_ZONING_PYTHON": os.environ["SWC_ZONING_PYTHON"],
        "SWC_ZONING_LANG": "zh",
        **nowhere,
    }
    return subprocess.run(
        [*offline(), program, *arguments],
        env=environment,
        cwd=home,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=180,
    )


@pytest.fixture(scope="module")
def enabled(installed):
    """The home, with the plugin switched on."""
    done = qgis_process(installed, "plugins", "enable", "swc_zoning")
    assert done.returncode == 0, done.stdout + done.stderr
    return installed


def test_it_starts_without_network_and_is_listed(enabled):
    done = qgis_process(enabled, "list")
    assert done.returncode == 0, done.stderr
    assert "swc_zoning:delineatezones" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


def test_it_zones_a_city_in_folders_with_chinese_and_blanks(enabled):
    data = enabled / "规划 数据 2026"
    data.mkdir()
    extent = layers.geojson(data / "行政 区.geojson", [(0, 0, 1000)], [{"XZQDM": "990101", "XZQMC": "甲区"}])
    line = layers.geojson(data / "生态保护 红线.geojson", [(0, 0, 500)], [{"HXBM": "1", "HXLX": "水源涵养"}])
    output = data / "成果 一"
    inputs = [f"--EXTENT={extent}", f"--ECOLOGICAL_REDLINE={line}", f"--OUTPUT={output}"]
    done = qgis_process(enabled, "run", "swc_zoning:delineatezones", *inputs)
    assert done.returncode == 0, done.stdout + done.stderr
    summary = json.loads((output / "summary.json").read_text(encoding="utf-8"))
    assert summary["total"]["plane_m2"] == pytest.approx(1e6, abs=1e-3)


def test_the_libraries_that_are_carried_along_serve_the_python_of_the_system(enabled):
    plugins = enabled / "profiles" / "default" / "python" / "plugins"
    code = (
        "import sys; from pathlib import Path; from swc_zoning import vendored\n"
        "from swc_zoning.engine import rule_sheets, rules\n"
        "path = Path('规则 表.xlsx'); rule_sheets.write(rules.read(), path)\n"
        "print(rule_sheets.read(path) == rules.read())"
    )
    # -S: without site-packages, as in a QGIS that brings no openpyxl.
    command = [
        *offline(),
        "/usr/bin/python3",
        "-S",
        "-c",
        f"import sys; sys.path.insert(0, {str(plugins)!r}); {code}",
    ]
    done = subprocess.run(command, cwd=enabled, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "True", done.stderr
