# SPDX-License-Identifier: GPL-2.0-or-later
"""``python -m swc_zoning``: see :mod:`swc_zoning.cli`."""

import sys

from swc_zoning.cli import main

if __name__ == "__main__":
    sys.exit(main())
