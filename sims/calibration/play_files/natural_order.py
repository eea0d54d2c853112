"""Names with numbers in them, in the order of a person."""

from __future__ import annotations

import re
from collections.abc import Sequence


def natural_order(names: Sequence[str]) -> list[str]:
    """Names with numbers in them as a person would sort them."""
    return sorted(names, key=lambda name: ([(not part.isdecimal(), part.zfill(18)) for part in _parts(name)], name))


def _parts(name: str) -> list[str]:
    return [part for part in re.split(r"(\d+)", name.lower()) if part]
