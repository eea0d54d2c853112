"""`python -m sims` is the command `flowdial`."""

from __future__ import annotations

import sys

from sims.cli.app import main

if __name__ == "__main__":
    sys.exit(main())
