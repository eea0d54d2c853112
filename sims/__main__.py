"""`python -m sims` is the command `flowdial`."""

from __future__ import annotations

import os
import sys

_HOME = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))


def _leave_out_current_folder() -> None:
    """Import nothing from the current folder, which `python -m` puts first and which may be a stranger's."""
    try:
        is_home = os.path.realpath(sys.path[0]) == _HOME
    except OSError:  # it was deleted
        is_home = False
    if not (is_home or sys.flags.safe_path):
        del sys.path[0]


if __name__ == "__main__":
    _leave_out_current_folder()
    from sims.cli.app import main

    sys.exit(main())
