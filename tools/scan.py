# SPDX-License-Identifier: GPL-2.0-or-later
"""Scan the staged plugin as the plugin site of QGIS does on upload, where any finding blocks.

``scan.py build/stage/swc_zoning`` runs bandit with the tests the site has switched on, and
detect-secrets with its default detectors. Neither tool fails by itself on every finding.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

#: Tests of bandit that the site has switched off; all others count, "warning" ones too.
_OFF = "B109,B404,B410,B411"
_TOOLS = Path(sys.executable).parent


def bandit(stage: Path) -> Iterator[str]:
    """Yield each finding of bandit."""
    command = [_TOOLS / "bandit", "--recursive", "--quiet", "--format", "json", str(stage)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode not in (0, 1):
        raise SystemExit(done.stderr)
    said = json.loads(done.stdout)
    yield from (f"{one['filename']}: {one['reason']}" for one in said["errors"])
    for one in said["results"]:
        if one["test_id"] not in _OFF.split(","):
            yield f"{one['filename']}:{one['line_number']}: {one['test_id']} {one['issue_text']}"


def secrets(stage: Path) -> Iterator[str]:
    """Yield each finding of detect-secrets."""
    command = [_TOOLS / "detect-secrets", "scan", "--all-files", "."]
    done = subprocess.run(command, cwd=stage, capture_output=True, text=True, check=True)
    for file, found in json.loads(done.stdout)["results"].items():
        yield from (f"{file}:{one['line_number']}: {one['type']}" for one in found)


def main() -> int:
    """Print every finding and return 1 if there is any."""
    stage = Path(sys.argv[1])
    findings = [*bandit(stage), *secrets(stage)]
    print("\n".join(findings) if findings else f"scan: nothing found in {stage}")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
