#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Run qgis_process with the staged plugin, in a profile of its own and a clean environment.
#   tools/qgis_process.sh run swc_zoning:delineatezones --JOB=... --OUTPUT=...
# SWC_ZONING_STAGE   folder that holds swc_zoning/ (default: build/stage)
# SWC_ZONING_PYTHON  Python of the engine (default: .venv of this checkout, where there is one)
set -euo pipefail
ROOT=$(cd "$(dirname "$0")/.." && pwd)
STAGE=${SWC_ZONING_STAGE:-$ROOT/build/stage}

# Debian wraps the program in a script that passes an option it does not know: take the program itself.
QGIS_PROCESS=""
for name in qgis_process.bin qgis_process; do
  QGIS_PROCESS=$(PATH=/usr/bin:/usr/local/bin:$PATH command -v "$name" || true)
  [ -z "$QGIS_PROCESS" ] || break
done
[ -n "$QGIS_PROCESS" ] || { echo "qgis_process is not installed: run make setup" >&2; exit 1; }
[ -f "$STAGE/swc_zoning/metadata.txt" ] || { echo "nothing is staged in $STAGE: run make stage" >&2; exit 1; }

ENGINE=${SWC_ZONING_PYTHON:-}
[ -n "$ENGINE" ] || { [ ! -x "$ROOT/.venv/bin/python" ] || ENGINE=$ROOT/.venv/bin/python; }

PROFILE=$(mktemp -d)
trap 'rm -rf "$PROFILE"' EXIT
mkdir -m 700 "$PROFILE/runtime" "$PROFILE/home"

clean() {
  env -i PATH=/usr/local/bin:/usr/bin:/bin HOME="$PROFILE/home" XDG_RUNTIME_DIR="$PROFILE/runtime" \
    LANG="${LANG:-C.UTF-8}" LC_ALL="${LC_ALL:-C.UTF-8}" QT_QPA_PLATFORM=offscreen PYTHONWARNINGS=ignore \
    PYTHONDONTWRITEBYTECODE=1 QGIS_CUSTOM_CONFIG_PATH="$PROFILE" QGIS_PLUGINPATH="$STAGE" \
    ${ENGINE:+SWC_ZONING_PYTHON="$ENGINE"} ${SWC_ZONING_LANG:+SWC_ZONING_LANG="$SWC_ZONING_LANG"} \
    ${TMPDIR:+TMPDIR="$TMPDIR"} "$@"
}

if ! clean "$QGIS_PROCESS" plugins enable swc_zoning >"$PROFILE/enable.log" 2>&1; then
  cat "$PROFILE/enable.log" >&2
  exit 1
fi
clean "$QGIS_PROCESS" "$@"
