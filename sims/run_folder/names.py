"""Names of run folders and of the files in them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final


def plain_name(scenario_name: str) -> str:
    """The name of a scenario's file without folder and ending, in letters that every file system takes."""
    return re.sub(r"[^A-Za-z0-9_-]+", "-", Path(scenario_name).stem)[:64].strip("-") or "run"


ATTEMPTS: Final = "attempts.csv"
