#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Prepare a checkout on Debian or Ubuntu: distribution packages (root or sudo, only what is missing),
# .venv (PyPI wheels, no QGIS: engine and its tests) and .venv-qgis (the system's QGIS and Qt: its tests).
# A second run finds everything in place, installs nothing and needs no network.
set -euo pipefail
cd "$(dirname "$0")/.."

PYTHON=/usr/bin/python3
PACKAGES="qgis python3-qgis qgis-providers python3-venv python3-pip python3-pyqt5 python3-pyqt5.qtsvg
 pyqt5-dev-tools qttools5-dev-tools xvfb xauth imagemagick fonts-noto-cjk fonts-open-sans make git"
QGIS_TEST_PACKAGES=("pytest>=7" "pytest-qt>=4" "pytest-qgis>=2.1")
LINT_PACKAGES=("ruff>=0.5" "bandit==1.9.4" "detect-secrets==1.5.0" "flake8>=7" "flake8-qgis==2.1.0")

say() { printf 'setup: %s\n' "$*"; }
installed() { [ "$(dpkg-query -W -f='${Status}' "$1" 2>/dev/null)" = "install ok installed" ]; }

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

install_packages() {
  local missing="" package
  for package in $PACKAGES; do installed "$package" || missing="$missing $package"; done
  [ -n "$missing" ] || return 0
  if ! command -v apt-get >/dev/null; then
    say "missing:$missing; install them with the package manager of this system" >&2
    return 1
  fi
  say "installing$missing"
  as_root env DEBIAN_FRONTEND=noninteractive apt-get update -q
  # shellcheck disable=SC2086 (a list of words)
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $missing
}

# What the project declares: run-time packages, those of its tests, and the libraries the package carries.
declared() {
  "$PYTHON" - <<'PY'
import json, re
text = open("pyproject.toml", encoding="utf-8").read()
for name in ("dependencies", "test"):
    body = re.search(rf"^{name} = \[(.*?)\]", text, re.S | re.M).group(1)
    print("\n".join(re.findall(r'"([^"]+)"', body)))
for library in json.load(open("tools/vendored.json", encoding="utf-8"))["libraries"]:
    print(f"{library['name']}=={library['version']}")
PY
}

# fiona has no wheel for Python 3.14 yet, and building it needs the headers of GDAL.
without_missing_wheels() {
  if "$PYTHON" -c 'import sys; sys.exit(sys.version_info >= (3, 14))'; then cat; return; fi
  say "fiona is left out of .venv: no wheel for this Python; the tests that need it are skipped" >&2
  grep -v '^fiona'
}

fingerprint() {
  { "$@"; "$PYTHON" -V; declared; cat tools/setup.sh; } | sha256sum | cut -c1-16
}

make_environment() {
  local folder=$1 stamp=$2; shift 2
  [ "$(cat "$folder/.stamp" 2>/dev/null)" != "$stamp" ] || return 0
  say "building $folder"
  local wanted found
  wanted=$("$PYTHON" -c 'import sys; print(sys.version_info[:2])')
  found=$("$folder/bin/python" -c 'import sys; print(sys.version_info[:2])' 2>/dev/null || true)
  [ "$wanted" = "$found" ] || rm -rf "$folder"
  [ -x "$folder/bin/python" ] || "$PYTHON" -m venv "${VENV_OPTIONS[@]}" "$folder"
  "$folder/bin/python" -m pip install --quiet --disable-pip-version-check --prefer-binary "$@"
  printf '%s\n' "$stamp" >"$folder/.stamp"
}

install_packages

mapfile -t WHEELS < <(declared | without_missing_wheels)
VENV_OPTIONS=()
make_environment .venv "$(fingerprint echo engine)" "${WHEELS[@]}" pyarrow "${LINT_PACKAGES[@]}"
# PyQt5 and QGIS are the system's; nothing compiled against another GEOS, PROJ or GDAL goes in here.
VENV_OPTIONS=(--system-site-packages)
make_environment .venv-qgis "$(fingerprint dpkg-query -W python3-qgis)" "${QGIS_TEST_PACKAGES[@]}"
say "ready in $SECONDS s"
